//! What a template may do with a value. Each filter makes its value safe for one kind of place, so that text from the
//! repository can't break the Markdown, the shell command or the YAML around it.

use std::fmt::Write as _;
use std::io;

use playbook_core::technology::Catalogue;
use tera::value::Key;
use tera::{Error, Kwargs, State, Tera, TeraResult, Value};

use crate::prose;

/// Stands for `|` inside a code span until it is known whether the line is a row of a table.
pub(super) const PIPE: char = '\u{E002}';
/// Stands before the id of a citation (an assumption or a question) until its number is known.
pub(super) const CITATION: char = '\u{E000}';
/// Stands after it.
pub(super) const CITATION_END: char = '\u{E001}';

/// Filters whose result is safe outside of fences.
#[cfg(test)]
pub(super) const MARKDOWN_FILTERS: &[&str] = &[
    "code",
    "codes",
    "cell",
    "text",
    "called",
    "prose",
    "number",
    "thousands",
    "evidence",
    "date",
    "slug",
    "step",
    "see",
    "risk",
    "assumed",
    "asked",
];
/// Filters whose result is safe inside of fences.
#[cfg(test)]
pub(super) const FENCE_FILTERS: &[&str] = &[
    "shell", "yaml", "fence", "compose", "assign", "mermaid", "number", "slug", "date", "prose", "assumed",
    "asked", "step", "blanks", "evidence",
];

/// Registers the filters that need nothing but their value.
pub(super) fn register(tera: &mut Tera) {
    tera.register_filter("code", |value: &Value, arguments: Kwargs, _: &State| {
        missing_or(value, &arguments, code_span)
    });
    tera.register_filter("codes", |value: &Value, arguments: Kwargs, _: &State| {
        codes(value, &arguments)
    });
    tera.register_filter("cell", |value: &Value, arguments: Kwargs, _: &State| {
        missing_or(value, &arguments, escape_markdown)
    });
    tera.register_filter("text", |value: &Value, arguments: Kwargs, _: &State| {
        missing_or(value, &arguments, sentence)
    });
    tera.register_filter("called", |value: &Value, arguments: Kwargs, _: &State| {
        missing_or(value, &arguments, |slug| escape_markdown(usual_name(slug)))
    });
    tera.register_filter("prose", |value: &Value, _: Kwargs, _: &State| {
        own_prose(value).map(Value::safe_string)
    });
    tera.register_filter("number", |value: &Value, arguments: Kwargs, _: &State| {
        missing_or_try(value, &arguments, number)
    });
    tera.register_filter("thousands", |value: &Value, _: Kwargs, _: &State| {
        number(value).map(|text| Value::safe_string(&thousands(&text)))
    });
    tera.register_filter("blanks", |count: u64, _: Kwargs, _: &State| {
        Value::safe_string(&" ".repeat(usize::try_from(count).unwrap_or(0).min(80)))
    });
    tera.register_filter("evidence", |value: &Value, arguments: Kwargs, _: &State| {
        evidence(value, &arguments)
    });
    tera.register_filter("date", |value: &Value, _: Kwargs, _: &State| date(value));
    tera.register_filter("slug", |value: &Value, arguments: Kwargs, _: &State| {
        missing_or(value, &arguments, slug)
    });
    tera.register_filter("shell", |value: &Value, _: Kwargs, _: &State| {
        text_of(value).map(|text| Value::safe_string(&shell_word(&text)))
    });
    tera.register_filter("yaml", |value: &Value, arguments: Kwargs, _: &State| {
        let text = text_of(value)?;
        let quoted = arguments.get::<bool>("quoted")?.unwrap_or(false);
        Ok::<_, Error>(Value::safe_string(&if quoted {
            quoted_scalar(&one_line(&text))
        } else {
            yaml_scalar(&text)
        }))
    });
    tera.register_filter("fence", |value: &Value, _: Kwargs, _: &State| {
        text_of(value).map(|text| Value::safe_string(&one_line(&text)))
    });
    tera.register_filter("compose", |value: &Value, arguments: Kwargs, _: &State| {
        let text = own_prose(value).map(str::to_owned).or_else(|_| text_of(value))?;
        let text = one_line(&text).replace('$', "$$");
        let quoted = arguments.get::<bool>("yaml")?.unwrap_or(false);
        Ok::<_, Error>(Value::safe_string(&if quoted {
            yaml_scalar(&text)
        } else {
            text
        }))
    });
    tera.register_filter("assign", |value: &Value, _: Kwargs, _: &State| assign(value));
    tera.register_filter("mermaid", |value: &Value, arguments: Kwargs, _: &State| {
        let text = text_of(value)?;
        let called = arguments.get::<bool>("called")?.unwrap_or(false);
        let text = if called { usual_name(&text) } else { &text };
        Ok::<_, Error>(Value::safe_string(&mermaid_label(text)))
    });
    // A template may not switch the escaping off.
    for name in ["safe", "escape_html", "escape_xml", "newlines_to_br"] {
        tera.register_filter(name, |_: &Value, _: Kwargs, _: &State| -> TeraResult<Value> {
            Err(Error::message(
                "this filter is not available: text is made safe by code, cell, text, fence, shell or yaml",
            ))
        });
    }
}

/// Tera's escape function: what no filter has made safe becomes plain Markdown text.
pub(super) fn escape(text: &str, out: &mut dyn io::Write) -> io::Result<()> {
    out.write_all(escape_markdown(text).as_bytes())
}

fn missing_or(value: &Value, arguments: &Kwargs, f: impl Fn(&str) -> String) -> TeraResult<Value> {
    missing_or_try(value, arguments, |value| text_of(value).map(|text| f(&text)))
}

fn missing_or_try(
    value: &Value,
    arguments: &Kwargs,
    f: impl Fn(&Value) -> TeraResult<String>,
) -> TeraResult<Value> {
    if value.is_none() || value.is_undefined() || value.as_str().is_some_and(str::is_empty) {
        return match arguments.get::<&str>("missing")? {
            Some(missing) => Ok(Value::safe_string(missing)),
            None => Err(Error::message(
                "the value is missing: test it first, or give `missing=`",
            )),
        };
    }
    f(value).map(|text| Value::safe_string(&text))
}

/// Text, number or switch as text.
fn text_of(value: &Value) -> TeraResult<String> {
    if let Some(text) = value.as_str() {
        Ok(text.to_owned())
    } else if let Some(yes) = value.as_bool() {
        Ok(yes.to_string())
    } else if let Some(number) = value.as_number().and_then(|number| number.as_integer()) {
        Ok(number.to_string())
    } else {
        Err(Error::message("a text is expected here"))
    }
}

/// What people call a technology: the catalogue's name for its slug.
pub(crate) fn usual_name(slug: &str) -> &str {
    Catalogue::get()
        .technology(slug)
        .map_or(slug, |technology| technology.name)
}

fn own_prose(value: &Value) -> TeraResult<&str> {
    value
        .as_map()
        .and_then(|map| map.get(&Key::from(prose::KEY)))
        .and_then(Value::as_str)
        .ok_or_else(|| Error::message("`prose` prints text of the templates' folder only"))
}

fn number(value: &Value) -> TeraResult<String> {
    if let Some(number) = value.as_number().and_then(|number| number.as_integer()) {
        return Ok(number.to_string());
    }
    // Numbers of steps and versions: digits and dots.
    match value.as_str() {
        Some(text) if !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || c == '.') => {
            Ok(text.to_owned())
        }
        _ => Err(Error::message("a number is expected here")),
    }
}

fn thousands(digits: &str) -> String {
    let mut out = String::new();
    let length = digits.len();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (length - at).is_multiple_of(3) && digit.is_ascii_digit() && !out.ends_with('-') {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn date(value: &Value) -> TeraResult<Value> {
    let text = text_of(value)?;
    chrono::NaiveDate::parse_from_str(&text, "%Y-%m-%d")
        .map(|date| Value::safe_string(&date.format("%Y-%m-%d").to_string()))
        .map_err(|_| Error::message("a date is expected here"))
}

fn codes(value: &Value, arguments: &Kwargs) -> TeraResult<Value> {
    let items = value
        .as_array()
        .ok_or_else(|| Error::message("a list is expected here"))?;
    let spans = items
        .iter()
        .map(|item| text_of(item).map(|text| code_span(&text)))
        .collect::<TeraResult<Vec<_>>>()?;
    if let Some(max) = arguments
        .get::<u64>("max")?
        .and_then(|max| usize::try_from(max).ok())
        && let (Some(first), more @ 1..) = (spans.get(..max), spans.len().saturating_sub(max))
    {
        return Ok(Value::safe_string(&format!(
            "{} and {more} more",
            first.join(", ")
        )));
    }
    let Some((last, rest)) = spans.split_last() else {
        return Ok(Value::safe_string(
            arguments.get::<&str>("missing")?.unwrap_or("–"),
        ));
    };
    let joined = match arguments.get::<&str>("last")? {
        Some(word) if !rest.is_empty() => format!("{}{word}{last}", rest.join(", ")),
        _ => spans.join(", "),
    };
    Ok(Value::safe_string(&joined))
}

/// One place or a list of places as `path:line`; `max=3` limits their number.
fn evidence(value: &Value, arguments: &Kwargs) -> TeraResult<Value> {
    let max = arguments.get::<u64>("max")?.unwrap_or(3);
    let place = |place: &Value| -> TeraResult<String> {
        let map = place
            .as_map()
            .ok_or_else(|| Error::message("a place is expected here"))?;
        let path = map
            .get(&Key::from("path"))
            .and_then(Value::as_str)
            .unwrap_or_default();
        let line = map
            .get(&Key::from("line"))
            .and_then(Value::as_number)
            .and_then(|n| n.as_integer());
        Ok(code_span(&match line {
            Some(line) => format!("{path}:{line}"),
            None => path.to_owned(),
        }))
    };
    let places = match value.as_array() {
        Some(list) => {
            let mut places = list.iter().map(place).collect::<TeraResult<Vec<_>>>()?;
            let mut seen = std::collections::BTreeSet::new();
            places.retain(|place| seen.insert(place.clone()));
            places.truncate(usize::try_from(max).unwrap_or(usize::MAX));
            places
        }
        None if value.is_none() => Vec::new(),
        None => vec![place(value)?],
    };
    Ok(Value::safe_string(
        if places.is_empty() {
            "–".to_owned()
        } else {
            places.join(", ")
        }
        .as_str(),
    ))
}

/// The right side of an assignment in a shell: our own text may refer to other variables, any other is literal.
fn assign(value: &Value) -> TeraResult<Value> {
    let text = if let Ok(text) = own_prose(value) {
        format!("\"{}\"", text.replace('"', "\\\""))
    } else {
        let text = one_line(&text_of(value)?);
        let plain = text
            .chars()
            .all(|c| !matches!(c, '"' | '$' | '`' | '\\' | '!' | '\''));
        if plain {
            format!("\"{text}\"")
        } else {
            shell_word(&text)
        }
    };
    Ok(Value::safe_string(&text))
}

/// Characters that could move or hide text, or that we use as marks, are replaced.
fn clean(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' | '\n' | '\r' => ' ',
            c if c.is_control()
                || playbook_core::secret::is_invisible(c)
                || ('\u{E000}'..='\u{F8FF}').contains(&c) =>
            {
                '\u{FFFD}'
            }
            c => c,
        })
        .collect()
}

fn one_line(text: &str) -> String {
    clean(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A code span that no text can leave.
pub(crate) fn code_span(text: &str) -> String {
    let text = one_line(text).replace('|', &PIPE.to_string());
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

/// Plain text: every character that means something to Markdown is escaped.
pub(crate) fn escape_markdown(text: &str) -> String {
    let text = one_line(text);
    let mut out = String::with_capacity(text.len() + 8);
    // A text that starts a line could start a list, a heading rule or a table.
    let digits = text.chars().take_while(char::is_ascii_digit).count();
    let marker_at = match text.chars().nth(digits) {
        Some('.' | ')') if digits > 0 && text.chars().nth(digits + 1).is_none_or(|c| c == ' ') => {
            Some(digits)
        }
        Some('-' | '+' | '=' | ':') if digits == 0 => Some(0),
        _ => None,
    };
    for (at, c) in text.chars().enumerate() {
        if "\\`*_{}[]<>#|~&!$^".contains(c) || marker_at == Some(at) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A sentence of a rule: what stands between backticks becomes a code span, the rest plain text.
fn sentence(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return escape_markdown(text);
    }
    let mut out = String::new();
    for (at, part) in parts.iter().enumerate() {
        if at % 2 == 1 {
            out.push_str(&code_span(part));
        } else {
            let escaped = escape_markdown(part);
            let _ = write!(
                out,
                "{}{escaped}{}",
                if part.starts_with(' ') && !escaped.is_empty() {
                    " "
                } else {
                    ""
                },
                if part.ends_with(' ') { " " } else { "" }
            );
        }
    }
    out.trim().to_owned()
}

/// One word of a shell command.
pub(crate) fn shell_word(text: &str) -> String {
    let text = one_line(text);
    let plain = !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c));
    if plain {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// A YAML scalar that is a string, whatever it looks like.
pub(crate) fn yaml_scalar(text: &str) -> String {
    let text = one_line(text);
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '_')
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_./-".contains(c))
        && !matches!(
            text.to_ascii_lowercase().as_str(),
            "true" | "false" | "yes" | "no" | "on" | "off" | "null" | "y" | "n"
        );
    if plain { text } else { quoted_scalar(&text) }
}

/// Between double quotes, as YAML, TOML and JSON read it.
fn quoted_scalar(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
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

/// A label of a diagram, between the double quotes that the template writes.
fn mermaid_label(text: &str) -> String {
    one_line(text)
        .chars()
        .map(|c| {
            if c.is_alphanumeric() || " _./:,()@+-".contains(c) {
                c
            } else {
                '·'
            }
        })
        .collect()
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
        assert_eq!(escape_markdown("- a"), "\\- a");
        assert_eq!(escape_markdown("1. a"), "1\\. a");
        assert_eq!(escape_markdown("1."), "1\\.");
        assert_eq!(escape_markdown("3.12"), "3.12");
        assert_eq!(escape_markdown("<b>"), "\\<b\\>");
        assert_eq!(escape_markdown("a - b"), "a - b");
    }

    #[test]
    fn sentences_keep_their_code_spans_and_nothing_else() {
        assert_eq!(sentence("`a` runs as *root*"), "`a` runs as \\*root\\*");
        assert_eq!(sentence("see `a`, then `b`."), "see `a`, then `b`.");
        assert_eq!(sentence("odd ` tick"), "odd \\` tick");
    }

    #[test]
    fn words_for_shell_and_yaml() {
        assert_eq!(shell_word("a-b.c"), "a-b.c");
        assert_eq!(shell_word("it's; rm -rf"), r"'it'\''s; rm -rf'");
        assert_eq!(shell_word(""), "''");
        assert_eq!(yaml_scalar("api"), "api");
        assert_eq!(yaml_scalar("on"), "\"on\"");
        assert_eq!(yaml_scalar("1.0"), "\"1.0\"");
        assert_eq!(yaml_scalar("a: \"b\""), r#""a: \"b\"""#);
        assert_eq!(slug("My App!"), "my-app");
        assert_eq!(slug("!!"), "app");
        assert_eq!(thousands("1536"), "1,536");
        assert_eq!(thousands("153"), "153");
        assert_eq!(mermaid_label("a\"]; x"), "a··· x");
    }
}
