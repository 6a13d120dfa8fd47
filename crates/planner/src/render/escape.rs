//! Text of the repository, made safe for one kind of place each. Every function takes any text and gives one line.

use std::fmt::Write as _;

pub(super) mod data;
pub(super) mod markdown;
pub(super) mod shell;

/// Characters that could move or hide text, that no format may hold, or that we use as marks are replaced.
fn clean(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' | '\n' | '\r' => ' ',
            c if acts(c) || ('\u{E000}'..='\u{F8FF}').contains(&c) => '\u{FFFD}',
            c => c,
        })
        .collect()
}

/// Could the character move or hide text, or is it none that a format may hold?
pub(super) fn acts(c: char) -> bool {
    c.is_control() || playbook_core::secret::is_invisible(c) || is_no_character(c)
}

/// Code points that Unicode keeps for no character; a YAML parser refuses a text with one of them.
fn is_no_character(c: char) -> bool {
    ('\u{FDD0}'..='\u{FDEF}').contains(&c) || u32::from(c) & 0xFFFE == 0xFFFE
}

/// The text on one line, without what [`clean`] replaces and with single blanks.
pub(super) fn one_line(text: &str) -> String {
    let line = clean(text).split_whitespace().collect::<Vec<_>>().join(" ");
    // Runners of CI systems take `##[…]` for a command to their log wherever it stands, and `::word` where a line starts.
    let line = if line.contains("##[") {
        line.replace("##[", "## [")
    } else {
        line
    };
    match line.strip_prefix("::") {
        Some(rest) => format!(": :{rest}"),
        None => line,
    }
}

/// Puts `between` into each mark that a template engine would take for its own (`{{`, `{%`, `{#`).
pub(super) fn no_template(text: &str, between: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut open = false;
    for c in text.chars() {
        if open && matches!(c, '{' | '%' | '#') {
            out.push_str(between);
        }
        open = c == '{';
        out.push(c);
    }
    out
}

/// A line of its own, such as one of a diff.
pub(super) fn line(text: &str) -> String {
    no_template(&one_line(text), " ")
}

/// Letters, digits and hyphens.
pub(crate) fn slug(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        } else if !out.ends_with('-') && !out.is_empty() {
            out.push('-');
        }
    }
    let out = out.trim_matches('-');
    if out.is_empty() {
        "app".to_owned()
    } else {
        out.to_owned()
    }
}

/// Letters, digits, `_`, `.`, `+` and `-`, as in tags, host names and identifiers; every other character becomes `_`.
pub(crate) fn word(text: &str) -> String {
    let text: String = one_line(text)
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "_.+-".contains(c) {
                c
            } else {
                '_'
            }
        })
        .collect();
    match text.strip_prefix('-') {
        Some(rest) => format!("_{rest}"),
        None if text.is_empty() => "_".to_owned(),
        None => text,
    }
}

/// The path of an address: what could mean something around it is percent-encoded.
pub(super) fn url(text: &str) -> String {
    let text = one_line(text);
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    for (at, byte) in bytes.iter().enumerate() {
        let encoded = *byte == b'%'
            && bytes
                .get(at + 1..at + 3)
                .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        if byte.is_ascii_alphanumeric() || b"_-./:~@,=+*".contains(byte) || encoded {
            out.push(char::from(*byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_command_no_log() {
        assert_eq!(one_line("a\n::error::x"), "a ::error::x");
        assert_eq!(one_line("::error::x"), ": :error::x");
        assert_eq!(one_line("a ##[error]x"), "a ## [error]x");
        assert_eq!(one_line("a\u{FFFF}\u{85}b"), "a\u{FFFD}\u{FFFD}b");
    }

    #[test]
    fn no_text_is_a_template() {
        assert_eq!(no_template("a {b} {{{c}}} {% d", " "), "a {b} { { {c}}} { % d");
    }

    #[test]
    fn words_and_addresses() {
        assert_eq!(slug("My App!"), "my-app");
        assert_eq!(slug("!!"), "app");
        assert_eq!(word("3.14-rc.1"), "3.14-rc.1");
        assert_eq!(word("-x;$(id)"), "_x___id_");
        assert_eq!(word(""), "_");
        assert_eq!(url("/a/b-c"), "/a/b-c");
        assert_eq!(url("/a%20b/{id}"), "/a%20b/%7Bid%7D");
        assert_eq!(url("/$(id)`x`\"'%"), "/%24%28id%29%60x%60%22%27%25");
    }
}
