//! Text inside of Markdown.

use super::{no_template, one_line};
use crate::render::filters::PIPE;

/// A code span that no text can leave.
pub(crate) fn code_span(text: &str) -> String {
    let text = no_template(&one_line(text), " ").replace('|', &PIPE.to_string());
    if text.is_empty() {
        return "–".to_owned();
    }
    let (mut longest, mut run) = (0, 0);
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let marks = "`".repeat(longest + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{marks}{pad}{text}{pad}{marks}")
}

/// Plain text: every character that means something to Markdown is escaped. A word that a host of repositories would act
/// upon (a mention, a reference, an address) becomes a code span: there, an escape does not help.
pub(crate) fn plain(text: &str) -> String {
    let text = no_template(&one_line(text), " ");
    let words: Vec<String> = text
        .split(' ')
        .enumerate()
        .map(|(at, word)| {
            if acts(word) {
                let inner = word.trim_start_matches(['(', '"', '\'']);
                let (before, _) = word.split_at(word.len() - inner.len());
                let core = inner.trim_end_matches([')', '"', '\'', '.', ',', ';', '?']);
                let (_, after) = inner.split_at(core.len());
                format!(
                    "{}{}{}",
                    escape(before, false),
                    code_span(core),
                    escape(after, false)
                )
            } else {
                escape(word, at == 0)
            }
        })
        .collect();
    words.join(" ")
}

/// Would GitHub, GitLab or a mail program make a link, a mention, a picture or a formula of it?
fn acts(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    let before =
        |mark: char, next: fn(char) -> bool| word.split(mark).skip(1).any(|rest| rest.starts_with(next));
    let is_hash = |part: &str| part.len() >= 40 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    before('@', |c| c.is_alphanumeric() || c == '_')
        || before('#', |c| c.is_ascii_digit())
        || before('!', |c| c.is_ascii_digit())
        || before('&', |c| c.is_ascii_digit())
        || before('~', |c| c.is_alphanumeric() || c == '"')
        || before('%', |c| c.is_alphanumeric() || c == '"')
        || before('$', |c| !c.is_whitespace())
        || lower
            .split("gh-")
            .skip(1)
            .any(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        || lower.contains("www.")
        || lower.contains("://")
        || ["mailto:", "xmpp:"].iter().any(|scheme| lower.contains(scheme))
        || is_emoji(word)
        || word.split(|c: char| !c.is_ascii_alphanumeric()).any(is_hash)
}

/// `:name:` is a picture.
fn is_emoji(word: &str) -> bool {
    let mut parts = word.split(':').skip(1).peekable();
    while let Some(part) = parts.next() {
        let name = !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || "_+-".contains(c));
        if name && parts.peek().is_some() && !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return true;
        }
    }
    false
}

/// Escapes a word. The first word of a text could start a list, a heading, a rule or a table.
fn escape(text: &str, first: bool) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let digits = text.chars().take_while(char::is_ascii_digit).count();
    let marker_at = match text.chars().nth(digits) {
        _ if !first => None,
        Some('.' | ')') if digits > 0 && text.chars().count() == digits + 1 => Some(digits),
        Some('-' | '+' | '=' | ':') if digits == 0 => Some(0),
        _ => None,
    };
    for (at, c) in text.chars().enumerate() {
        // Beside a code span, an escaped backtick would be one of its marks to some readers.
        if c == '`' {
            out.push('\'');
            continue;
        }
        if "\\*_{}[]<>#|~&!$^".contains(c) || marker_at == Some(at) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A sentence of a rule: its code spans stay, the rest is plain text.
pub(crate) fn sentence(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    let mut open = true;
    while open {
        let (before, span, after) = match span(rest) {
            Some((before, span, after)) => (before, Some(span), after),
            None => (rest, None, ""),
        };
        open = span.is_some();
        let escaped = plain(before);
        if before.starts_with(char::is_whitespace) && !escaped.is_empty() {
            out.push(' ');
        }
        push(&mut out, &escaped);
        if before.ends_with(char::is_whitespace) {
            out.push(' ');
        }
        if let Some(span) = span {
            push(&mut out, &code_span(span));
        }
        rest = after;
    }
    out.trim().to_owned()
}

/// Two code spans that touch would be read as one.
fn push(out: &mut String, text: &str) {
    if out.ends_with('`') && text.starts_with('`') {
        out.push(' ');
    }
    out.push_str(text);
}

/// The first code span: what stands before it, its content, what stands behind it.
fn span(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    loop {
        let start = from + text.get(from..)?.find('`')?;
        let tail = text.get(start..)?;
        let marks = tail.len() - tail.trim_start_matches('`').len();
        let inside = start + marks;
        if let Some(length) = closing(text.get(inside..)?, marks) {
            let content = text.get(inside..inside + length)?;
            // One blank on both sides belongs to the marks.
            let content = match content
                .strip_prefix(' ')
                .and_then(|inner| inner.strip_suffix(' '))
            {
                Some(inner) if !inner.trim().is_empty() => inner,
                _ => content,
            };
            return Some((text.get(..start)?, content, text.get(inside + length + marks..)?));
        }
        from = inside;
    }
}

/// Where a run of exactly so many backticks begins.
fn closing(text: &str, marks: usize) -> Option<usize> {
    let mut from = 0;
    loop {
        let start = from + text.get(from..)?.find('`')?;
        let tail = text.get(start..)?;
        let run = tail.len() - tail.trim_start_matches('`').len();
        if run == marks {
            return Some(start);
        }
        from = start + run;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_spans_hold_any_text() {
        assert_eq!(code_span("a"), "`a`");
        assert_eq!(code_span("a`b"), "``a`b``");
        assert_eq!(code_span("`a"), "`` `a ``");
        assert_eq!(code_span("a\n\nb"), "`a b`");
        assert_eq!(code_span("a\u{202e}b"), "`a\u{FFFD}b`");
        assert_eq!(code_span("a|b"), format!("`a{PIPE}b`"));
    }

    #[test]
    fn plain_text_can_start_no_block() {
        assert_eq!(plain("- a"), "\\- a");
        assert_eq!(plain("1. a"), "1\\. a");
        assert_eq!(plain("1."), "1\\.");
        assert_eq!(plain("3.12"), "3.12");
        assert_eq!(plain("<b>"), "\\<b\\>");
        assert_eq!(plain("a - b"), "a - b");
        assert_eq!(plain("[x](y)"), "\\[x\\](y)");
    }

    #[test]
    fn what_a_host_acts_upon_is_code() {
        for (text, expected) in [
            ("thanks to @octo, again", "thanks to `@octo`, again"),
            ("fixes #12.", "fixes `#12`."),
            ("(closes org/repo#1)", "(closes `org/repo#1`)"),
            ("GH-7", "`GH-7`"),
            ("see https://x.example/", "see `https://x.example/`"),
            ("www.x.example", "`www.x.example`"),
            ("a@x.example", "`a@x.example`"),
            (":shipit: now", "`:shipit:` now"),
            ("$x^2$", "`$x^2$`"),
            ("at 10:30:15, 100 % of C#", "at 10:30:15, 100 % of C\\#"),
            ("half & half!", "half \\& half\\!"),
        ] {
            assert_eq!(plain(text), expected);
        }
    }

    #[test]
    fn sentences_keep_their_code_spans_and_nothing_else() {
        assert_eq!(sentence("`a` runs as *root*"), "`a` runs as \\*root\\*");
        assert_eq!(sentence("see `a`, then `b`."), "see `a`, then `b`.");
        assert_eq!(sentence("odd ` tick"), "odd ' tick");
        assert_eq!(sentence("run `` a `b` c `` now"), "run ``a `b` c`` now");
        assert_eq!(sentence("two `` ticks ` left"), "two '' ticks ' left");
        assert_eq!(sentence("`a`http://b.example"), "`a` `http://b.example`");
        assert_eq!(sentence(""), "");
    }
}
