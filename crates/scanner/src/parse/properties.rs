//! Java properties.

use super::{line_number, without_byte_order_mark};

/// A key and its value.
pub(crate) struct Entry {
    /// The line of the key.
    pub(crate) line: u32,
    /// The key, escapes resolved.
    pub(crate) key: String,
    /// The value, escapes resolved and continuations joined.
    pub(crate) value: String,
}

opaque_debug!(Entry);

/// The entries of a text in order.
pub(crate) fn entries(text: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut lines = without_byte_order_mark(text).lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let first = line.trim_start_matches([' ', '\t', '\u{c}']);
        if first.is_empty() || first.starts_with(['#', '!']) {
            continue;
        }
        let mut logical = first.to_owned();
        while continues(&logical) {
            logical.pop();
            match lines.next() {
                Some((_, next)) => logical.push_str(next.trim_start_matches([' ', '\t', '\u{c}'])),
                None => break,
            }
        }
        let (key, value) = split(&logical);
        if !key.is_empty() {
            entries.push(Entry {
                line: line_number(index + 1),
                key: unescape(key),
                value: unescape(value),
            });
        }
    }
    entries
}

/// An odd number of backslashes at the end continues the line.
fn continues(line: &str) -> bool {
    line.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1
}

fn split(line: &str) -> (&str, &str) {
    let mut escaped = false;
    for (at, letter) in line.char_indices() {
        if escaped {
            escaped = false;
        } else if letter == '\\' {
            escaped = true;
        } else if matches!(letter, '=' | ':' | ' ' | '\t' | '\u{c}') {
            let rest = super::tail(line, at).trim_start_matches([' ', '\t', '\u{c}']);
            let rest = rest.strip_prefix(['=', ':']).unwrap_or(rest);
            return (
                super::slice(line, 0, at),
                rest.trim_start_matches([' ', '\t', '\u{c}']),
            );
        }
    }
    (line, "")
}

fn unescape(text: &str) -> String {
    if !text.contains('\\') {
        return text.trim_end().to_owned();
    }
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            plain.push(letter);
            continue;
        }
        match letters.next() {
            Some('n') => plain.push('\n'),
            Some('t') => plain.push('\t'),
            Some('r') => plain.push('\r'),
            Some('f') => plain.push('\u{c}'),
            Some('u') => {
                let digits: String = letters.as_str().chars().take(4).collect();
                match u32::from_str_radix(&digits, 16)
                    .ok()
                    .and_then(char::from_u32)
                    .filter(|_| digits.len() == 4)
                {
                    Some(found) => {
                        plain.push(found);
                        letters.nth(3);
                    }
                    None => plain.push('u'),
                }
            }
            Some(other) => plain.push(other),
            None => {}
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_escapes_and_continuations() {
        let text = "\u{feff}# c\r\n! c\r\nserver.port=${PORT:8080}\r\na : b\r\nc d\r\ne=1,\\\r\n   2\r\nf\\=g=h\\u00e9\r\npath=C:\\\\x\r\nlone\r\nend=\\";
        let found: Vec<_> = entries(text)
            .into_iter()
            .map(|entry| (entry.line, entry.key, entry.value))
            .collect();
        let expected = [
            (3, "server.port", "${PORT:8080}"),
            (4, "a", "b"),
            (5, "c", "d"),
            (6, "e", "1,2"),
            (8, "f=g", "hé"),
            (9, "path", "C:\\x"),
            (10, "lone", ""),
            (11, "end", ""),
        ];
        assert_eq!(
            found,
            expected.map(|(line, key, value)| (line, key.into(), value.into()))
        );
    }
}
