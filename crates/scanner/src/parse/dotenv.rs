//! `.env` files and their examples.

use super::{line_number, tail, without_byte_order_mark};

/// A variable of the file.
pub(crate) struct Entry {
    /// The line of the name.
    pub(crate) line: u32,
    /// The name.
    pub(crate) name: String,
    /// The value without its quotes; escapes stay as written.
    pub(crate) value: String,
    /// Whether the entry stands in a comment: `# NAME=value`.
    pub(crate) commented: bool,
    /// The text of the comment that describes it, behind the value or directly above, without the `#`.
    pub(crate) description_text: String,
}

opaque_debug!(Entry);

/// The entries of a text in order; lines that are neither entry nor comment are passed over.
pub(crate) fn entries(text: &str) -> Vec<Entry> {
    let lines: Vec<&str> = without_byte_order_mark(text).lines().collect();
    let mut entries = Vec::new();
    let mut above: Option<&str> = None;
    let mut index = 0;
    while let Some(line) = lines.get(index) {
        let number = line_number(index + 1);
        index += 1;
        let trimmed = line.trim();
        let (content, commented) = match trimmed.strip_prefix('#') {
            Some(comment) => (comment.trim_start_matches('#').trim_start(), true),
            None => (trimmed, false),
        };
        let Some((name, rest)) = assignment(content, commented) else {
            above = (commented && !content.is_empty()).then_some(content);
            continue;
        };
        let value = value(
            rest,
            if commented {
                &[]
            } else {
                lines.get(index..).unwrap_or(&[])
            },
        );
        index += value.more_lines;
        let description = value.comment.or(above);
        entries.push(Entry {
            line: number,
            name: name.to_owned(),
            value: value.text,
            commented,
            description_text: description.unwrap_or_default().to_owned(),
        });
        // A description above a group of variables describes its first one.
        above = None;
    }
    entries
}

/// Name and rest of `NAME=rest`. In a comment the name must look like a variable, or prose would be one.
fn assignment(content: &str, commented: bool) -> Option<(&str, &str)> {
    let content = content
        .strip_prefix("export")
        .filter(|rest| rest.starts_with([' ', '\t']))
        .map_or(content, str::trim_start);
    let end = content
        .find(|letter: char| !(letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.' | '-')))
        .unwrap_or(content.len());
    let (name, rest) = content.split_at_checked(end)?;
    if name.is_empty() || name.starts_with(|letter: char| letter.is_ascii_digit()) {
        return None;
    }
    if commented {
        let plain = name
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
        return rest.strip_prefix('=').filter(|_| plain).map(|rest| (name, rest));
    }
    let rest = rest.trim_start();
    rest.strip_prefix('=')
        .or_else(|| rest.strip_prefix(": "))
        .map(|rest| (name, rest))
}

struct Value<'text> {
    text: String,
    comment: Option<&'text str>,
    more_lines: usize,
}

fn value<'text>(rest: &'text str, following: &[&str]) -> Value<'text> {
    let rest = rest.trim();
    let quote = rest
        .chars()
        .next()
        .filter(|letter| matches!(letter, '"' | '\'' | '`'));
    if let Some(quote) = quote {
        let inner = tail(rest, 1);
        if let Some(end) = closing(inner, quote) {
            return Value {
                text: super::slice(inner, 0, end).to_owned(),
                comment: comment(tail(inner, end + 1).trim_start()),
                more_lines: 0,
            };
        }
        // Over several lines, if a later line closes it. A line that opens an entry of its own means that the quote is a
        // mistake; reading on would swallow the rest of the file.
        let mut text = inner.to_owned();
        for (count, line) in following.iter().enumerate().take(200) {
            if let Some(end) = closing(line, quote) {
                text.push('\n');
                text.push_str(super::slice(line, 0, end));
                return Value {
                    text,
                    comment: None,
                    more_lines: count + 1,
                };
            }
            text.push('\n');
            text.push_str(line);
        }
        return Value {
            text: inner.to_owned(),
            comment: None,
            more_lines: 0,
        };
    }
    // A hash opens a comment only after a blank: `COLOR=#fff` is a value.
    let hash = rest.match_indices('#').map(|(at, _)| at).find(|at| {
        *at == 0
            || rest
                .get(..*at)
                .is_some_and(|before| before.ends_with([' ', '\t']))
    });
    match hash {
        Some(0) if !rest.starts_with("# ") && rest.len() > 1 => Value {
            text: rest.to_owned(),
            comment: None,
            more_lines: 0,
        },
        Some(at) => Value {
            text: super::slice(rest, 0, at).trim_end().to_owned(),
            comment: comment(tail(rest, at)),
            more_lines: 0,
        },
        None => Value {
            text: rest.to_owned(),
            comment: None,
            more_lines: 0,
        },
    }
}

fn comment(text: &str) -> Option<&str> {
    text.strip_prefix('#')
        .map(str::trim)
        .filter(|text| !text.is_empty())
}

/// The offset of the closing quote; a backslash escapes it in double quotes only.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, letter) in text.char_indices() {
        if escaped {
            escaped = false;
        } else if letter == '\\' && quote == '"' {
            escaped = true;
        } else if letter == quote {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Vec<(u32, String, String)> {
        entries(text)
            .into_iter()
            .map(|entry| (entry.line, entry.name, entry.value))
            .collect()
    }

    #[test]
    fn names_values_and_lines() {
        let text = "\u{feff}A=1\r\nexport B = two words \nC=\nD='x # y' # behind\nE=\"a \\\" b\"\nF=#fff\nG= # empty\nnot an entry\n1X=2\nH: yes\n";
        let expected = [
            (1, "A", "1"),
            (2, "B", "two words"),
            (3, "C", ""),
            (4, "D", "x # y"),
            (5, "E", "a \\\" b"),
            (6, "F", "#fff"),
            (7, "G", ""),
            (10, "H", "yes"),
        ];
        assert_eq!(
            parsed(text),
            expected.map(|(line, name, value)| (line, name.into(), value.into()))
        );
    }

    #[test]
    fn descriptions_stand_above_or_behind() {
        let text = "# Section\n\n# Where mail goes\nMAIL=x\nPORT=1 # the port\n#\nX=1\n";
        let found: Vec<_> = entries(text)
            .into_iter()
            .map(|entry| entry.description_text)
            .collect();
        assert_eq!(found, ["Where mail goes", "the port", ""]);
    }

    #[test]
    fn commented_entries_are_told_from_prose() {
        let text = "# REDIS_URL=redis://x\n#SMTP_PORT=25\n# set FOO=bar to enable\n# see x=y\n## DEEP=1\n";
        let found: Vec<_> = entries(text)
            .into_iter()
            .map(|entry| (entry.name, entry.commented))
            .collect();
        assert_eq!(
            found,
            [
                ("REDIS_URL".into(), true),
                ("SMTP_PORT".into(), true),
                ("DEEP".into(), true)
            ]
        );
    }

    #[test]
    fn quoted_values_may_span_lines_and_an_open_quote_stays_on_its_line() {
        let text = "KEY=\"-----BEGIN\nabc\n-----END\"\nNEXT=1\nOPEN='x\nLAST=2\n";
        let found = entries(text);
        assert_eq!(found[0].line, 1);
        assert_eq!(found[0].value, "-----BEGIN\nabc\n-----END");
        assert_eq!(
            found[1..]
                .iter()
                .map(|entry| (entry.line, entry.name.as_str()))
                .collect::<Vec<_>>(),
            [(4, "NEXT"), (5, "OPEN"), (6, "LAST")]
        );
    }
}
