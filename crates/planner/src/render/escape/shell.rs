//! Text inside of a shell.

use super::{no_template, one_line};

/// Characters that mean nothing to a shell inside of a word.
fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c)
}

/// One word of a command. A word that starts with a hyphen would be an option: as a path it stands behind `./`.
pub(crate) fn word(text: &str) -> String {
    let mut text = one_line(text);
    let option = text
        .strip_prefix('-')
        .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()));
    if option {
        text.insert_str(0, "./");
    }
    if !text.is_empty() && text.chars().all(is_plain) {
        text
    } else {
        format!("'{}'", single(&text))
    }
}

/// Inside of single quotes.
pub(crate) fn single(text: &str) -> String {
    no_template(&one_line(text).replace('\'', r"'\''"), "''")
}

/// Inside of double quotes. A shell at a terminal would take `!` for its history even there.
pub(crate) fn double(text: &str) -> String {
    let mut out = String::new();
    for c in no_template(&one_line(text), "\u{0}").chars() {
        match c {
            '\u{0}' => out.push_str("\"\""),
            '\\' | '"' | '$' | '`' => {
                out.push('\\');
                out.push(c);
            }
            '!' => out.push_str("\"'!'\""),
            c => out.push(c),
        }
    }
    out
}

/// In a here-document that expands variables.
pub(crate) fn here_document(text: &str) -> String {
    let mut out = String::new();
    for c in one_line(text).chars() {
        if matches!(c, '\\' | '$' | '`') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// The name of a variable. Nested settings are joined as their frameworks read them from the environment.
pub(crate) fn name(text: &str) -> String {
    let mut out = String::new();
    for c in one_line(text).chars() {
        match c {
            c if c.is_ascii_alphanumeric() || c == '_' => out.push(c),
            ':' => out.push_str("__"),
            _ => out.push('_'),
        }
    }
    if out.is_empty() || out.starts_with(|c: char| c.is_ascii_digit()) {
        out.insert(0, '_');
    }
    out
}

/// A command of the repository as the arguments of another one (`docker compose run api …`): words as they are written,
/// or, when a shell would have to read them, the whole behind `sh -c`.
pub(crate) fn command(text: &str) -> String {
    let text = one_line(text);
    let mut quote = None;
    let mut plain = true;
    for c in text.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            Some('\'') => {}
            Some(_) => plain &= !matches!(c, '\\' | '$' | '`' | '!'),
            None if matches!(c, '\'' | '"') => quote = Some(c),
            None => plain &= is_plain(c) || c == ' ',
        }
    }
    let assigns = text.split(' ').next().is_some_and(|first| first.contains('='));
    plain &= no_template(&text, " ") == text;
    if plain && quote.is_none() && !assigns && !text.is_empty() && !text.starts_with('-') {
        text
    } else {
        format!("sh -c '{}'", single(&text))
    }
}

/// A command of the repository as a line of a script or behind `RUN`: the line can't be the end of a here-document or of
/// a fence, start one, go on in the next line, or be an option of what runs it.
pub(crate) fn script(text: &str) -> String {
    let text = one_line(text);
    let ends = text
        .chars()
        .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    let starts = text.starts_with(['-', '[', '`', '~', '<', '#', '{']);
    let template = no_template(&text, " ") != text;
    if ends || starts || template || text.contains("<<") || text.ends_with('\\') {
        format!("eval '{}'", single(&text))
    } else {
        text
    }
}

/// A reference to an image inside of double quotes of a shell or of a Compose file: `$NAME` and `${NAME:-word}` stay
/// what they are.
pub(crate) fn image(text: &str) -> String {
    let text = one_line(text);
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some(c) = rest.chars().next() {
        if let Some(length) = variable(rest) {
            let (reference, after) = rest.split_at(length);
            out.push_str(reference);
            rest = after;
            continue;
        }
        out.push(if c.is_ascii_alphanumeric() || "_./:@-".contains(c) {
            c
        } else {
            '_'
        });
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
    out
}

/// The length of a reference to a variable that a text starts with.
fn variable(text: &str) -> Option<usize> {
    let rest = text.strip_prefix('$')?;
    let name = |text: &str| {
        let length = text
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .unwrap_or(text.len());
        (length > 0 && !text.starts_with(|c: char| c.is_ascii_digit())).then_some(length)
    };
    let Some(inner) = rest.strip_prefix('{') else {
        return name(rest).map(|length| 1 + length);
    };
    let named = name(inner)?;
    let fallback = inner.get(named..)?;
    let end = fallback.find('}')?;
    let fallback = fallback.get(..end)?;
    let harmless = fallback.is_empty()
        || fallback.starts_with([':', '-', '?', '+'])
            && fallback
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "_./:-?+ ".contains(c));
    harmless.then_some(2 + named + end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        assert_eq!(word("a-b.c"), "a-b.c");
        assert_eq!(word("it's; rm -rf"), r"'it'\''s; rm -rf'");
        assert_eq!(word(""), "''");
        assert_eq!(word("-rf.yml"), "./-rf.yml");
        assert_eq!(word("-1"), "-1");
        assert_eq!(word("a\nb"), "'a b'");
    }

    #[test]
    fn quoted_text() {
        assert_eq!(single("a'$(id)"), r"a'\''$(id)");
        assert_eq!(double(r#"a"$(id)`x`\"#), r#"a\"\$(id)\`x\`\\"#);
        assert_eq!(double("a!b"), "a\"'!'\"b");
        assert_eq!(double("{{a}}"), "{\"\"{a}}");
        assert_eq!(single("{{a}}"), "{''{a}}");
        assert_eq!(here_document(r"a$(id)`\"), r"a\$(id)\`\\");
        assert_eq!(name("ConnectionStrings:Default"), "ConnectionStrings__Default");
        assert_eq!(name("1$(id)"), "_1__id_");
    }

    #[test]
    fn commands() {
        assert_eq!(command("npm run migrate"), "npm run migrate");
        assert_eq!(command("npm run 'a b'"), "npm run 'a b'");
        assert_eq!(command("a && b"), "sh -c 'a && b'");
        assert_eq!(command("echo \"$(id)\""), "sh -c 'echo \"$(id)\"'");
        assert_eq!(command("A=b c"), "sh -c 'A=b c'");
        assert_eq!(command("echo it's"), r"sh -c 'echo it'\''s'");
        assert_eq!(script("npm run build && true"), "npm run build && true");
        assert_eq!(script("SH"), "eval 'SH'");
        assert_eq!(script("--mount=x y"), "eval '--mount=x y'");
        assert_eq!(script("```"), "eval '```'");
        assert_eq!(script("a {{b}}"), "eval 'a {''{b}}'");
        assert_eq!(command("echo '{{x}}'"), r"sh -c 'echo '\''{''{x}}'\'''");
        assert_eq!(script("a \\"), "eval 'a \\'");
    }

    #[test]
    fn references_to_images() {
        assert_eq!(image("ghcr.io/a/b"), "ghcr.io/a/b");
        assert_eq!(
            image("${IMAGE?not set}:${TAG:-1.2}"),
            "${IMAGE?not set}:${TAG:-1.2}"
        );
        assert_eq!(image("$IMAGE"), "$IMAGE");
        assert_eq!(image("a$(id)\"`x`${A:-$(id)}"), "a__id___x___A:-__id__");
    }
}
