//! What a template may do with a value. Each filter makes its value safe for one kind of place, so that text from the
//! repository can't break the Markdown, the shell command or the YAML around it.

use std::io;

use playbook_core::technology::Catalogue;
use tera::value::Key;
use tera::{Error, Kwargs, State, Tera, TeraResult, Value};

use super::escape::data::{mermaid_label, mermaid_node, quoted, unit, yaml};
use super::escape::markdown::{code_span, plain, sentence};
use super::escape::{line, one_line, shell, url};
use crate::prose;

pub(crate) use super::escape::{slug, word};

/// Stands for `|` inside a code span until it is known whether the line is a row of a table.
pub(super) const PIPE: char = '\u{E002}';
/// Stands before the id of a citation (an assumption or a question) until its number is known.
pub(super) const CITATION: char = '\u{E000}';
/// Stands after it.
pub(super) const CITATION_END: char = '\u{E001}';

/// Registers the filters that need nothing but their value.
pub(super) fn register(tera: &mut Tera) {
    tera.register_filter("code", |value: &Value, arguments: Kwargs, _: &State| {
        missing_or(value, &arguments, code_span)
    });
    tera.register_filter("codes", |value: &Value, arguments: Kwargs, _: &State| {
        codes(value, &arguments)
    });
    tera.register_filter("text", |value: &Value, arguments: Kwargs, _: &State| {
        missing_or(value, &arguments, sentence)
    });
    tera.register_filter("called", |value: &Value, arguments: Kwargs, _: &State| {
        missing_or(value, &arguments, |slug| plain(usual_name(slug)))
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
    for (name, filter) in [
        ("slug", slug as fn(&str) -> String),
        ("word", word),
        ("url", url),
        ("shell", shell::word),
        ("single", shell::single),
        ("double", shell::double),
        ("heredoc", shell::here_document),
        ("name", shell::name),
        ("command", shell::command),
        ("script", shell::script),
        ("image", shell::image),
        ("comment", shell::word),
        ("yaml", yaml),
        ("quoted", quoted),
        ("unit", unit),
        ("line", line),
        ("node", mermaid_node),
    ] {
        tera.register_filter(name, move |value: &Value, arguments: Kwargs, _: &State| {
            // Quotes can stand around nothing.
            match value.as_str() {
                Some("") if arguments.get::<&str>("missing")?.is_none() => {
                    Ok(Value::safe_string(&filter("")))
                }
                _ => missing_or(value, &arguments, filter),
            }
        });
    }
    tera.register_filter("own", |value: &Value, _: Kwargs, _: &State| {
        text_of(value).map(|text| Value::safe_string(&text))
    });
    tera.register_filter("compose", |value: &Value, _: Kwargs, _: &State| {
        let text = own_prose(value).map(str::to_owned).or_else(|_| text_of(value))?;
        Ok::<_, Error>(Value::safe_string(&one_line(&text).replace('$', "$$")))
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
                "this filter is not available: text is made safe by the filter of its place: code, text, shell, yaml …",
            ))
        });
    }
}

/// Tera's escape function: what no filter has made safe becomes plain Markdown text.
pub(super) fn escape(text: &str, out: &mut dyn io::Write) -> io::Result<()> {
    out.write_all(plain(text).as_bytes())
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
            .all(|c| !matches!(c, '"' | '$' | '`' | '\\' | '!' | '\'' | '{'));
        if plain {
            format!("\"{text}\"")
        } else {
            shell::word(&text)
        }
    };
    Ok(Value::safe_string(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(thousands("1536"), "1,536");
        assert_eq!(thousands("153"), "153");
    }
}
