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
    /// piece stay empty. A code span gets as many backticks as its pieces need, and a piece outside of one keeps only whole
    /// spans, so that no piece leaves one open.
    pub fn fill(template: &'static str, pieces: &[&Self]) -> Self {
        let mut out = String::with_capacity(template.len() + 16 * pieces.len());
        let mut rest = pieces.iter();
        let balanced = template.matches('`').count().is_multiple_of(2);
        for (at, part) in template.split('`').enumerate() {
            let mut filled = String::with_capacity(part.len());
            for (place, text) in part.split("{}").enumerate() {
                if place > 0 {
                    let piece = rest.next().map_or("", |piece| piece.as_str());
                    // A piece may be a sentence with spans of its own.
                    if balanced && at % 2 == 0 && !has_whole_spans(piece) {
                        filled.push_str(&piece.replace('`', "'"));
                    } else {
                        filled.push_str(piece);
                    }
                }
                filled.push_str(text);
            }
            if !balanced {
                out.push_str(if at > 0 { "`" } else { "" });
                out.push_str(&filled);
            } else if at % 2 == 0 {
                out.push_str(&filled);
            } else if filled.contains('`') {
                let longest = filled.split(|c| c != '`').map(str::len).max().unwrap_or(0);
                let marks = "`".repeat(longest + 1);
                out.extend([marks.as_str(), " ", &filled, " ", &marks]);
            } else {
                out.extend(["`", &filled, "`"]);
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

/// Is every run of backticks that opens a code span closed by one of the same length?
fn has_whole_spans(text: &str) -> bool {
    let mut open: Option<usize> = None;
    let mut run = 0;
    for c in text.chars().chain(std::iter::once(' ')) {
        if c == '`' {
            run += 1;
        } else if run > 0 {
            open = match open {
                None => Some(run),
                Some(marks) if marks == run => None,
                unchanged => unchanged,
            };
            run = 0;
        }
    }
    open.is_none()
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
        assert_eq!(
            Shown::fill("runs {}, `{}`.", &[&ticks, &plain]),
            "runs echo 'id' ''x, `a`."
        );
        assert_eq!(
            Shown::fill("`{} {}`", &[&plain, &ticks]),
            "``` a echo `id` ``x ```"
        );
    }
}
