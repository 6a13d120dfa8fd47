//! Arguments of a call, items of a list, entries of an object, statements of a block.

use std::ops::Range;

use super::Masked;
use crate::limits;
use crate::parse::{opaque_debug, slice, tail};

/// An argument, an item or an entry.
pub(crate) struct Arg {
    /// The offset of its first byte, the name included.
    pub(crate) start: usize,
    /// The line of its value.
    pub(crate) line: u32,
    /// Where its value stands in the text, without blanks around it.
    pub(crate) range: Range<usize>,
    /// The name of `name=value`, `name: value`, `"name" => value`.
    pub(crate) name: Option<String>,
    /// The value, if it is one string literal without code in it.
    pub(crate) literal: Option<String>,
}

opaque_debug!(Arg);

impl Arg {
    /// The value as written.
    pub(crate) fn written<'text>(&self, text: &'text str) -> &'text str {
        slice(text, self.range.start, self.range.end)
    }
}

/// What stands between the bracket at an offset and the one that closes it, split at its commas. Empty if it is not closed.
pub(crate) fn arguments(text: &str, masked: &Masked, open: usize) -> Vec<Arg> {
    match masked.inside(open) {
        Some(range) => split(text, masked, range, |byte| byte == b','),
        None => Vec::new(),
    }
}

/// The statements of a range, split at semicolons and at line ends outside of brackets.
pub(crate) fn statements(text: &str, masked: &Masked, range: Range<usize>) -> Vec<Arg> {
    split(text, masked, range, |byte| matches!(byte, b';' | b'\n'))
}

fn split(text: &str, masked: &Masked, range: Range<usize>, separates: impl Fn(u8) -> bool) -> Vec<Arg> {
    let mut found = Vec::new();
    let mut start = range.start;
    let mut at = range.start;
    let mut looked_at = 0;
    let code = masked.code().as_bytes();
    let mut next_literal = masked
        .literals
        .partition_point(|literal| literal.start < range.start);
    while at < range.end && looked_at < limits::CALL_BYTES && found.len() < limits::CALL_ARGUMENTS {
        looked_at += 1;
        // A literal is passed over as a whole: code inside of it belongs to it.
        while masked
            .literals
            .get(next_literal)
            .is_some_and(|literal| literal.start < at)
        {
            next_literal += 1;
            if next_literal % 64 == 0 {
                // Many small steps at once, when a bracket was jumped over.
                next_literal =
                    next_literal.max(masked.literals.partition_point(|literal| literal.start < at));
            }
        }
        if let Some(literal) = masked
            .literals
            .get(next_literal)
            .filter(|literal| literal.start == at)
        {
            at = literal.end.max(at + 1);
            continue;
        }
        let Some(byte) = code.get(at).copied() else { break };
        match byte {
            b'(' | b'[' | b'{' => {
                at = masked
                    .closing(at)
                    .filter(|close| *close < range.end)
                    .map_or(at + 1, |close| close + 1);
            }
            _ if separates(byte) => {
                found.extend(argument(text, masked, start..at));
                at += 1;
                start = at;
            }
            _ => at += 1,
        }
    }
    if at >= range.end {
        found.extend(argument(text, masked, start..range.end));
    }
    found
}

/// One argument; nothing for a range of blanks.
fn argument(text: &str, masked: &Masked, range: Range<usize>) -> Option<Arg> {
    let mut value = trimmed(masked.code(), range)?;
    let start = value.start;
    let mut name = None;
    if let Some((found, behind)) = named(text, masked, &value) {
        name = Some(found);
        value = trimmed(masked.code(), behind..value.end).unwrap_or(value.end..value.end);
    }
    let literal = masked
        .literal_at(value.start)
        .filter(|literal| literal.end == value.end)
        .and_then(|literal| literal.value(text))
        .map(Into::into);
    Some(Arg {
        start,
        line: masked.line(value.start),
        range: value,
        name,
        literal,
    })
}

fn trimmed(code: &str, range: Range<usize>) -> Option<Range<usize>> {
    let part = slice(code, range.start, range.end);
    let start = range.start + (part.len() - part.trim_start().len());
    let end = range.start + part.trim_end().len();
    (start < end).then_some(start..end)
}

/// The name in front of `=`, `:` or `=>`, and where the value starts.
fn named(text: &str, masked: &Masked, range: &Range<usize>) -> Option<(String, usize)> {
    let part = slice(masked.code(), range.start, range.end);
    let (name, behind) = if let Some(literal) = masked
        .literal_at(range.start)
        .filter(|literal| literal.end < range.end)
    {
        (literal.value(text)?.into_owned(), literal.end)
    } else {
        let length = part
            .bytes()
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'-'))
            .count();
        if length == 0 {
            return None;
        }
        (slice(part, 0, length).to_owned(), range.start + length)
    };
    let rest = slice(masked.code(), behind, range.end);
    let operator = rest.trim_start();
    // TypeScript marks members: `name?: type`, `name!: type`.
    let operator = operator
        .strip_prefix(['?', '!'])
        .filter(|rest| rest.starts_with(':'))
        .unwrap_or(operator);
    let after = if let Some(after) = operator.strip_prefix("=>") {
        after
    } else if let Some(after) = operator
        .strip_prefix('=')
        .filter(|after| !after.starts_with(['=', '~']))
    {
        after
    } else {
        operator
            .strip_prefix(':')
            .filter(|after| !after.starts_with(':'))?
    };
    Some((name, range.end - after.len()))
}

/// The text without what blanks it out, for a name that is looked for in code.
pub(crate) fn identifier_at(code: &str, offset: usize) -> &str {
    let rest = tail(code, offset);
    let length = rest
        .bytes()
        .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        .count();
    slice(rest, 0, length)
}

#[cfg(test)]
mod tests {
    use super::super::{Syntax, mask};
    use super::*;

    fn syntax() -> Syntax {
        toml::from_str(
            r##"line-comments = ["#"]
            strings = [{ open = '"' }, { open = "'" }, { open = "`", lines = true, interpolation = { open = "${", close = "}" } }]"##,
        )
        .expect("valid")
    }

    fn shown(text: &str) -> Vec<(Option<String>, Option<String>, String, u32)> {
        let masked = mask(text, &syntax());
        let open = text.find(['(', '{', '[']).expect("a bracket");
        arguments(text, &masked, open)
            .into_iter()
            .map(|arg| {
                (
                    arg.name.clone(),
                    arg.literal.clone(),
                    arg.written(text).to_owned(),
                    arg.line,
                )
            })
            .collect()
    }

    #[test]
    fn arguments_are_split_at_their_own_commas() {
        let found = shown("f(\"a,b\", g(1, 2), # c, d\n  default='x', `${h(1, 2)}`, [3, 4],)");
        let expected = [
            (None, Some("a,b"), "\"a,b\"", 1),
            (None, None, "g(1, 2)", 1),
            (Some("default"), Some("x"), "'x'", 2),
            (None, None, "`${h(1, 2)}`", 2),
            (None, None, "[3, 4]", 2),
        ];
        assert_eq!(
            found,
            expected.map(|(name, literal, written, line)| (
                name.map(str::to_owned),
                literal.map(str::to_owned),
                written.to_owned(),
                line
            ))
        );
    }

    #[test]
    fn names_of_entries() {
        let names: Vec<_> = shown("{A: z.b(), \"C\": 1, 'd' => 2, e?: f, g == h, i::j, k}")
            .into_iter()
            .map(|(name, _, written, _)| (name.unwrap_or_default(), written))
            .collect();
        let expected = [
            ("A", "z.b()"),
            ("C", "1"),
            ("d", "2"),
            ("e", "f"),
            ("", "g == h"),
            ("", "i::j"),
            ("", "k"),
        ];
        assert_eq!(
            names,
            expected.map(|(name, written)| (name.to_owned(), written.to_owned()))
        );
    }

    #[test]
    fn statements_end_with_their_line_or_a_semicolon() {
        let text = "a = f(\n 1)\nb; c\n";
        let masked = mask(text, &syntax());
        let found: Vec<_> = statements(text, &masked, 0..text.len())
            .into_iter()
            .map(|arg| (arg.line, arg.written(text).to_owned()))
            .collect();
        assert_eq!(
            found,
            [
                (1, "f(\n 1)".to_owned()),
                (3, "b".to_owned()),
                (3, "c".to_owned())
            ]
        );
    }

    #[test]
    fn many_nested_calls_take_no_quadratic_time() {
        let text = format!("{}{}", "f(".repeat(50_000), ")".repeat(50_000));
        let masked = mask(&text, &syntax());
        let count: usize = (0..50_000)
            .map(|at| arguments(&text, &masked, at * 2 + 1).len())
            .sum();
        assert_eq!(count, 49_999);
        assert!(arguments("f(a", &mask("f(a", &syntax()), 1).is_empty());
    }
}
