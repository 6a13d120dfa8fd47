//! Actions of templates, as far as they follow from the values and the name of the chart.

use crate::limits;
use crate::parse::helm::Rendered;
use crate::parse::tree::{Kind, Node};

/// Beginnings of the names of helper templates that say nothing of the chart.
const COMMON_HELPERS: [&str; 9] = [
    "app", "base", "chart", "common", "helm", "helper", "helpers", "lib", "library",
];

/// What a template can refer to.
pub(super) struct Values<'a> {
    /// `values.yaml`.
    pub(super) values: Option<&'a Node>,
    /// `Chart.yaml`.
    pub(super) about: Option<&'a Node>,
    /// The chart's name.
    pub(super) name: Option<&'a str>,
}

enum Value<'a> {
    Text(String),
    Node(&'a Node),
}

impl<'a> Values<'a> {
    /// What an action prints.
    pub(super) fn action(&self, action: &str) -> Option<Rendered> {
        let stages = split(action, '|');
        let depth = stages.iter().rev().find_map(|stage| {
            let (filter, rest) = stage.trim().split_once(' ')?;
            matches!(filter, "nindent" | "indent").then(|| rest.trim().parse().ok())?
        });
        match self.pipeline(action, limits::CHART_EXPRESSION_DEPTH)? {
            Value::Text(text) => Some(Rendered::Scalar(text)),
            Value::Node(node)
                if stages
                    .iter()
                    .any(|stage| stage.trim_start().starts_with("toYaml")) =>
            {
                let mut text = String::new();
                flow(node, &mut text)?;
                Some(Rendered::Block(text, depth.unwrap_or(0)))
            }
            Value::Node(_) => None,
        }
    }

    fn pipeline(&self, text: &str, depth: usize) -> Option<Value<'a>> {
        let depth = depth.checked_sub(1)?;
        let stages = split(text, '|');
        let (first, filters) = stages.split_first()?;
        let mut value = self.call(first, depth);
        for filter in filters {
            let words = split(filter.trim(), ' ');
            match words.first().copied().unwrap_or_default() {
                "default" => {
                    value = match value {
                        Some(value) => Some(value),
                        None => self.term(words.get(1)?, depth),
                    };
                }
                "quote" | "squote" | "trunc" | "trimSuffix" | "toString" | "trim" | "int" | "int64"
                | "nindent" | "indent" | "toYaml" => {}
                "lower" => {
                    value = value.map(|value| match value {
                        Value::Text(text) => Value::Text(text.to_lowercase()),
                        node @ Value::Node(_) => node,
                    });
                }
                _ => return None,
            }
        }
        value
    }

    fn call(&self, text: &str, depth: usize) -> Option<Value<'a>> {
        let words = split(text.trim(), ' ');
        let (first, arguments) = words.split_first()?;
        match *first {
            "include" | "template" => Some(Value::Text(self.helper(unquoted(arguments.first()?)?)?)),
            "default" => self
                .term(arguments.get(1)?, depth)
                .or_else(|| self.term(arguments.first()?, depth)),
            "coalesce" => arguments.iter().find_map(|argument| self.term(argument, depth)),
            "required" => self.term(arguments.get(1)?, depth),
            "quote" | "squote" | "int" | "toString" | "toYaml" | "tpl" | "lower" => {
                self.term(arguments.first()?, depth)
            }
            "printf" => {
                let mut text = String::new();
                let mut values = arguments.iter().skip(1);
                for (at, part) in unquoted(arguments.first()?)?.split('%').enumerate() {
                    if at == 0 {
                        text.push_str(part);
                        continue;
                    }
                    let rest = part.strip_prefix(['s', 'd', 'v'])?;
                    let Value::Text(value) = self.term(values.next()?, depth)? else {
                        return None;
                    };
                    text.push_str(&value);
                    text.push_str(rest);
                }
                Some(Value::Text(text))
            }
            single if arguments.is_empty() => self.term(single, depth),
            _ => None,
        }
    }

    fn term(&self, word: &str, depth: usize) -> Option<Value<'a>> {
        let depth = depth.checked_sub(1)?;
        if let Some(text) = unquoted(word) {
            return (!text.is_empty()).then(|| Value::Text(text.to_owned()));
        }
        if let Some(inner) = word.strip_prefix('(').and_then(|word| word.strip_suffix(')')) {
            return self.pipeline(inner, depth);
        }
        let path = word.strip_prefix('$').unwrap_or(word).strip_prefix('.')?;
        let (root, rest) = path.split_once('.')?;
        match (root, rest) {
            ("Values", _) => {
                let keys: Vec<&str> = rest.split('.').collect();
                let node = self.values?.path(&keys)?;
                if node.is_null() {
                    return None;
                }
                match node.kind() {
                    Kind::Scalar { text, .. } => {
                        let plain = !text.is_empty()
                            && text.len() < limits::CHART_EXPRESSION_BYTES
                            && !text.contains('\n');
                        plain.then(|| Value::Text(text.clone()))
                    }
                    _ => Some(Value::Node(node)),
                }
            }
            ("Chart" | "Release", "Name") => self.name.map(|name| Value::Text(name.to_owned())),
            ("Chart", "AppVersion") => self.of_chart("appVersion"),
            ("Chart", "Version") => self.of_chart("version"),
            _ => None,
        }
    }

    fn of_chart(&self, key: &str) -> Option<Value<'a>> {
        let text = self.about?.get(key)?.text()?;
        Some(Value::Text(text.to_owned()))
    }

    /// `shop.fullname` is the chart's own name, `shop.redis.fullname` that of a part of it.
    fn helper(&self, template: &str) -> Option<String> {
        let mut parts: Vec<&str> = template.split('.').collect();
        if !matches!(parts.pop()?, "fullname" | "name" | "fullName") {
            return None;
        }
        parts.retain(|part| !matches!(*part, "names" | "name"));
        let first = match parts.first() {
            Some(first) if !COMMON_HELPERS.contains(first) => (*first).to_owned(),
            _ => self.name?.to_owned(),
        };
        let rest = parts.get(1..).unwrap_or_default();
        Some(
            std::iter::once(first.as_str())
                .chain(rest.iter().copied())
                .collect::<Vec<_>>()
                .join("-"),
        )
    }
}

/// The text between quotes.
fn unquoted(word: &str) -> Option<&str> {
    ['"', '`']
        .into_iter()
        .find_map(|quote| word.strip_prefix(quote)?.strip_suffix(quote))
}

/// Parts between separators that stand outside of quotes and parentheses, without empty ones.
fn split(text: &str, separator: char) -> Vec<&str> {
    let (mut parts, mut start, mut depth, mut quote) = (Vec::new(), 0, 0_usize, None);
    for (at, letter) in text.char_indices() {
        match quote {
            Some(open) if letter == open => quote = None,
            Some(_) => {}
            None => match letter {
                '"' | '`' => quote = Some(letter),
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ if letter == separator && depth == 0 => {
                    parts.push(text.get(start..at).unwrap_or_default());
                    start = at + letter.len_utf8();
                }
                _ => {}
            },
        }
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts.retain(|part| !part.trim().is_empty());
    parts
}

/// A list or object on one line. `None` when it is too long.
fn flow(node: &Node, out: &mut String) -> Option<()> {
    if node.height() > 12 {
        return None;
    }
    write_flow(node, out);
    (out.len() < limits::CHART_EXPRESSION_BYTES).then_some(())
}

fn write_flow(node: &Node, out: &mut String) {
    if out.len() >= limits::CHART_EXPRESSION_BYTES {
        return;
    }
    match node.kind() {
        Kind::Scalar { text, quoted } => {
            if *quoted
                || !text
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/'))
            {
                write_quoted(text, out);
            } else {
                out.push_str(text);
            }
        }
        Kind::Seq(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                write_flow(item, out);
            }
            out.push(']');
        }
        Kind::Map(entries) => {
            out.push('{');
            for (at, (key, value)) in entries.iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                write_quoted(key.text().unwrap_or_default(), out);
                out.push_str(": ");
                write_flow(value, out);
            }
            out.push('}');
        }
    }
}

fn write_quoted(text: &str, out: &mut String) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            letter if letter.is_control() => {}
            letter => out.push(letter),
        }
    }
    out.push('"');
}
