//! `${NAME}`, `${NAME:-default}`, `${NAME:?message}` and `$NAME`, as Compose and shells write them.

use crate::limits;

/// What happens when the variable is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    /// It becomes empty.
    Empty,
    /// The default takes its place.
    Default,
    /// It is an error.
    Error,
    /// Another text takes the place of a value that is there.
    Alternative,
}

/// A reference to a variable.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reference<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// What happens without it.
    pub(crate) missing: Missing,
    /// The default, message or alternative.
    pub(crate) argument: &'a str,
    /// Where it starts and ends in the text.
    span: (usize, usize),
}

impl std::fmt::Debug for Reference<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reference(..)")
    }
}

/// The references of a text, those inside defaults included. `$$` is an escaped dollar sign.
pub(crate) fn references(text: &str) -> Vec<Reference<'_>> {
    let mut found = Vec::new();
    collect(text, limits::INTERPOLATION_DEPTH, &mut found);
    found
}

fn collect<'a>(text: &'a str, depth: usize, found: &mut Vec<Reference<'a>>) {
    for reference in outer(text) {
        found.push(reference);
        if depth > 0 && matches!(reference.missing, Missing::Default | Missing::Alternative) {
            collect(reference.argument, depth - 1, found);
        }
    }
}

/// The references of a text that stand in no other.
fn outer(text: &str) -> Vec<Reference<'_>> {
    let mut found = Vec::new();
    let pairs = braces(text);
    let closing = |open: usize| {
        let at = pairs.binary_search_by_key(&open, |(open, _)| *open).ok()?;
        pairs.get(at).map(|(_, close)| *close)
    };
    let mut at = 0;
    while let Some(offset) = text.get(at..).and_then(|rest| rest.find('$')) {
        let start = at + offset;
        let rest = text.get(start + 1..).unwrap_or_default();
        if rest.starts_with('$') {
            at = start + 2;
            continue;
        }
        let reference = if rest.starts_with('{') {
            closing(start + 1).and_then(|end| braced(text.get(start + 2..end)?, (start, end + 1)))
        } else {
            let end = name_length(rest);
            // `pa$word` and the parts of a password's hash are no references.
            let glued = text
                .get(..start)
                .is_some_and(|before| before.ends_with(|c: char| c.is_ascii_alphanumeric()));
            rest.get(..end)
                .filter(|name| !name.is_empty())
                .filter(|name| !glued || !name.bytes().any(|byte| byte.is_ascii_lowercase()))
                .map(|name| Reference {
                    name,
                    missing: Missing::Empty,
                    argument: "",
                    span: (start, start + 1 + end),
                })
        };
        match reference {
            Some(reference) => {
                at = reference.span.1;
                found.push(reference);
            }
            None => at = start + 1,
        }
    }
    found
}

/// Offsets of the braces of `${` with those that close them, sorted by the opening one. One pass for all of them: a search
/// for each would read a text of opening braces again and again.
fn braces(text: &str) -> Vec<(usize, usize)> {
    let mut open = Vec::new();
    let mut pairs = Vec::new();
    let mut before = b' ';
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' if before == b'$' => open.push(at),
            b'}' => pairs.extend(open.pop().map(|start| (start, at))),
            _ => {}
        }
        before = byte;
    }
    pairs.sort_unstable();
    pairs
}

fn name_length(text: &str) -> usize {
    if !text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        return 0;
    }
    text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .unwrap_or(text.len())
}

fn braced(inner: &str, span: (usize, usize)) -> Option<Reference<'_>> {
    let end = name_length(inner);
    let name = inner.get(..end).filter(|name| !name.is_empty())?;
    let rest = inner.get(end..)?;
    let operator = rest.strip_prefix(':').unwrap_or(rest);
    let (missing, argument) = match operator.chars().next() {
        Some('-' | '=') => (Missing::Default, operator.get(1..)?),
        Some('?') => (Missing::Error, operator.get(1..)?),
        Some('+') => (Missing::Alternative, operator.get(1..)?),
        // Nothing, or `${NAME%suffix}` and the like of shells: a read and no more.
        _ => (Missing::Empty, ""),
    };
    Some(Reference {
        name,
        missing,
        argument,
        span,
    })
}

/// The reference that a text is from its first to its last character.
pub(crate) fn whole(text: &str) -> Option<Reference<'_>> {
    let text = text.trim();
    let mut found = outer(text);
    let first = found.pop()?;
    (found.is_empty() && first.span == (0, text.len())).then_some(first)
}

/// The text with every default in its place; `None` when some variable has none.
pub(crate) fn with_defaults(text: &str) -> Option<String> {
    filled(text, limits::INTERPOLATION_DEPTH)
}

fn filled(text: &str, depth: usize) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for reference in outer(text) {
        out.push_str(text.get(at..reference.span.0)?);
        match reference.missing {
            Missing::Default if depth > 0 => out.push_str(&filled(reference.argument, depth - 1)?),
            _ => return None,
        }
        at = reference.span.1;
    }
    out.push_str(text.get(at..)?);
    Some(out.replace("$$", "$"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<(&str, Missing, &str)> {
        references(text)
            .into_iter()
            .map(|reference| (reference.name, reference.missing, reference.argument))
            .collect()
    }

    #[test]
    fn forms() {
        assert_eq!(
            names("$A ${B} ${C:-d} ${E-} ${F:?no value} ${G?} ${H:+x} $$I $${J}"),
            [
                ("A", Missing::Empty, ""),
                ("B", Missing::Empty, ""),
                ("C", Missing::Default, "d"),
                ("E", Missing::Default, ""),
                ("F", Missing::Error, "no value"),
                ("G", Missing::Error, ""),
                ("H", Missing::Alternative, "x"),
            ]
        );
    }

    #[test]
    fn nested_and_broken() {
        assert_eq!(
            names("${A:-${B:-c}}"),
            [("A", Missing::Default, "${B:-c}"), ("B", Missing::Default, "c")]
        );
        assert_eq!(with_defaults("${A:-${B:-c}}:${D-80}").as_deref(), Some("c:80"));
        assert_eq!(with_defaults("${A}:80"), None);
        assert_eq!(names("${A ${ $ ${}"), []);
        assert!(whole("${A:-b}").is_some());
        assert!(whole("x${A}").is_none());
        assert!(whole("${A}${B}").is_none());
    }
}
