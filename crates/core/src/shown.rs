//! Text that may be printed.

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

/// What stands where a value was withheld. One constant: neither length nor shape of the value shows.
pub const REDACTED: &str = "<REDACTED>";

/// Text that may be printed, in any format.
///
/// It is made from our own prose (`&'static str`), from a harmless type of [`crate::harmless`], or by putting such
/// pieces together with [`Shown::fill`]; there is no other way in.
///
/// ```
/// use playbook_core::shown::Shown;
/// let name = Shown::from("api");
/// assert_eq!(Shown::fill("service {} is ready", &[&name]).as_str(), "service api is ready");
/// ```
///
/// ```compile_fail
/// let text = String::from("read from somewhere");
/// let shown = playbook_core::shown::Shown::from(text);
/// ```
///
/// ```compile_fail
/// let text = String::from("read from somewhere");
/// let shown = playbook_core::shown::Shown::from(text.as_str());
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shown(Arc<str>);

impl Shown {
    /// The marker for a withheld value.
    pub fn redacted() -> Self {
        Self::from(REDACTED)
    }

    /// Replaces each `{}` of our own sentence by the next piece. Pieces without a place are dropped; places without a
    /// piece stay empty. A code span around a place gets as many backticks as the piece needs, so that no piece leaves
    /// its span.
    pub fn fill(template: &'static str, pieces: &[&Self]) -> Self {
        let mut out = String::with_capacity(template.len() + 16 * pieces.len());
        let mut rest = pieces.iter();
        let mut parts = template.split("{}");
        out.push_str(parts.next().unwrap_or_default());
        for part in parts {
            let piece = rest.next().map_or("", |piece| piece.as_str());
            let spanned = piece.contains('`') && out.ends_with('`') && part.starts_with('`');
            if spanned {
                let longest = piece.split(|c| c != '`').map(str::len).max().unwrap_or(0);
                let marks = "`".repeat(longest + 1);
                out.pop();
                out.push_str(&marks);
                out.push(' ');
                out.push_str(piece);
                out.push(' ');
                out.push_str(&marks);
                out.push_str(part.strip_prefix('`').unwrap_or(part));
            } else {
                out.push_str(piece);
                out.push_str(part);
            }
        }
        Self(out.into())
    }

    /// Puts pieces together with our own separator between them.
    pub fn join<'a>(pieces: impl IntoIterator<Item = &'a Self>, separator: &'static str) -> Self {
        let pieces: Vec<&str> = pieces.into_iter().map(Self::as_str).collect();
        Self(pieces.join(separator).into())
    }

    /// A number, which carries no text.
    pub fn number(value: u64) -> Self {
        Self(value.to_string().into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Only the harmless types call this, after they have judged the text.
    pub(crate) fn judged(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<&'static str> for Shown {
    fn from(text: &'static str) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl AsRef<str> for Shown {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for Shown {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other
    }
}

impl PartialEq<&str> for Shown {
    fn eq(&self, other: &&str) -> bool {
        &*self.0 == *other
    }
}

impl std::borrow::Borrow<str> for Shown {
    fn borrow(&self) -> &str {
        &self.0
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Shown {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Shown".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fill_puts_pieces_in_order_and_tolerates_a_wrong_count() {
        let (a, b) = (Shown::from("a"), Shown::from("b"));
        assert_eq!(Shown::fill("{}-{}", &[&a, &b]), "a-b");
        assert_eq!(Shown::fill("{}-{}", &[&a]), "a-");
        assert_eq!(Shown::fill("x", &[&a]), "x");
    }

    #[test]
    fn no_piece_leaves_its_code_span() {
        let (plain, ticks) = (Shown::from("a"), Shown::from("echo `id` ``x"));
        assert_eq!(Shown::fill("runs `{}`.", &[&plain]), "runs `a`.");
        assert_eq!(
            Shown::fill("runs `{}`.", &[&ticks]),
            "runs ``` echo `id` ``x ```."
        );
        assert_eq!(Shown::fill("runs {}.", &[&ticks]), "runs echo `id` ``x.");
    }
}
