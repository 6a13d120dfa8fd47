//! A path inside the analysed folder.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::secret;
use crate::shown::{REDACTED, Shown};

/// A path relative to the analysed root, `/`-separated, without `.` and `..`; the root itself is `.`.
///
/// A path component that has the shape of a token is kept for look-ups but printed as `<REDACTED>`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelPath(Arc<str>);

impl RelPath {
    /// The analysed folder.
    pub fn root() -> Self {
        Self(".".into())
    }

    /// Normalises `text`: separators, `.`, `..` and doubled slashes. `None` when it leads out of the root or holds a
    /// control character.
    pub fn new(text: &str) -> Option<Self> {
        let plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if !plain && text.chars().any(|c| c.is_control() || secret::is_invisible(c)) {
            return None;
        }
        let normal = |part: &str| !matches!(part, "" | "." | "..") && !part.contains('\\');
        if text.split('/').all(normal) {
            return Some(Self(text.into()));
        }
        let mut parts: Vec<&str> = Vec::new();
        for part in text.split(['/', '\\']) {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop()?;
                }
                _ => parts.push(part),
            }
        }
        Some(if parts.is_empty() {
            Self::root()
        } else {
            Self(parts.join("/").into())
        })
    }

    /// The path as it is, for look-ups. Print a `RelPath` by `Display`, which judges each component.
    #[inline]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Is it the analysed folder itself?
    pub fn is_root(&self) -> bool {
        &*self.0 == "."
    }

    /// The last component (`.` for the root).
    #[inline]
    pub fn name(&self) -> &str {
        // Names are short and asked for often: byte by byte from the end is the quickest way to them.
        let slash = self.0.as_bytes().iter().rposition(|byte| *byte == b'/');
        slash.and_then(|at| self.0.get(at + 1..)).unwrap_or(&self.0)
    }

    /// The folder that holds it; the root's parent is the root.
    #[must_use]
    pub fn parent(&self) -> Self {
        match self.0.rsplit_once('/') {
            Some((parent, _)) => Self(parent.into()),
            None => Self::root(),
        }
    }

    /// The name of the folder that holds it (`.` for the root).
    pub fn folder_name(&self) -> &str {
        self.0.rsplit('/').nth(1).unwrap_or(".")
    }

    /// The components of the folder that holds it.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        let folder = self.0.rsplit_once('/').map_or(".", |(folder, _)| folder);
        folder.split('/').filter(|part| *part != ".")
    }

    /// `other`, read from this folder. `None` when it leads out of the root.
    pub fn join(&self, other: &str) -> Option<Self> {
        if self.is_root() {
            Self::new(other)
        } else {
            Self::new(&format!("{}/{other}", self.0))
        }
    }

    /// Does it lie in `folder` (or is it that folder)?
    pub fn is_in(&self, folder: &Self) -> bool {
        folder.is_root()
            || self.0 == folder.0
            || self
                .0
                .strip_prefix(&*folder.0)
                .is_some_and(|rest| rest.starts_with('/'))
    }

    /// The path itself and the folders above it, the deepest first and the analysed folder last, as texts to look up in
    /// a map of paths.
    pub fn with_folders_above(&self) -> impl Iterator<Item = &str> {
        std::iter::successors(Some(&*self.0), |text: &&str| {
            let text: &str = text;
            match text.rsplit_once('/') {
                Some((parent, _)) => Some(parent),
                None => (text != ".").then_some("."),
            }
        })
    }

    /// The components, none for the root.
    pub fn components(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|part| *part != ".")
    }

    /// Number of components; 0 for the root.
    pub fn depth(&self) -> usize {
        self.components().count()
    }

    /// The printable form.
    pub fn shown(&self) -> Shown {
        Shown::judged(&self.to_string())
    }
}

impl Borrow<str> for RelPath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_root() {
            return f.write_str(".");
        }
        for (at, part) in self.components().enumerate() {
            if at > 0 {
                f.write_str("/")?;
            }
            f.write_str(if secret::looks_like_token(part) {
                REDACTED
            } else {
                part
            })?;
        }
        Ok(())
    }
}

impl fmt::Debug for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for RelPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for RelPath {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RelPath".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "description": "relative to the analysed root, separated by /" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalises_and_stays_inside() {
        assert_eq!(
            RelPath::new("./a//b/../c").map(|p| p.to_string()).as_deref(),
            Some("a/c")
        );
        assert_eq!(RelPath::new("").map(|p| p.to_string()).as_deref(), Some("."));
        assert!(RelPath::new("../x").is_none());
        assert!(RelPath::new("a/../../x").is_none());
        assert!(RelPath::new("a\u{202e}b").is_none());
    }

    #[test]
    fn folders() {
        let path = RelPath::new("a/b/c.txt").expect("a plain path");
        assert_eq!(path.name(), "c.txt");
        assert_eq!(path.parent().as_str(), "a/b");
        assert_eq!(path.folder_name(), "b");
        assert_eq!(path.folders().collect::<Vec<_>>(), ["a", "b"]);
        let at_root = RelPath::new("c.txt").expect("a plain path");
        assert_eq!((at_root.folder_name(), at_root.folders().count()), (".", 0));
        assert!(path.is_in(&RelPath::root()));
        assert!(path.is_in(&RelPath::new("a").expect("a plain path")));
        assert!(!path.is_in(&RelPath::new("a/bc").expect("a plain path")));
        assert_eq!(
            RelPath::root().join("x").map(|p| p.to_string()).as_deref(),
            Some("x")
        );
    }
}
