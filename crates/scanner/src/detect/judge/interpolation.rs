//! `${NAME}`, `${NAME:-default}`, `${NAME:?message}` and `$NAME`, as Compose and shells write them.

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

/// Defaults inside defaults are followed this deep.
const DEPTH: usize = 5;

/// The references of a text, those inside defaults included. `$$` is an escaped dollar sign.
pub(crate) fn references(text: &str) -> Vec<Reference<'_>> {
    let mut found = Vec::new();
    collect(text, DEPTH, &mut found);
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
    let mut at = 0;
    while let Some(offset) = text.get(at..).and_then(|rest| rest.find('$')) {
        let start = at + offset;
        let rest = text.get(start + 1..).unwrap_or_default();
        if rest.starts_with('$') {
            at = start + 2;
            continue;
        }
        let reference = if let Some(body) = rest.strip_prefix('{') {
            closing(body).and_then(|end| {
                let inner = body.get(..end)?;
                braced(inner, (start, start + 2 + end + 1))
            })
        } else {
            let end = name_length(rest);
            rest.get(..end)
                .filter(|name| !name.is_empty())
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

/// Where the brace that is open at the start of the text closes.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_u32;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        match c {
            '{' if before == '$' => depth += 1,
            '}' if depth == 0 => return Some(at),
            '}' => depth -= 1,
            _ => {}
        }
        before = c;
    }
    None
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
    filled(text, DEPTH)
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
