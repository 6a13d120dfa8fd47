//! Where in a finished text a line stands: the path of a field in JSON, the section in Markdown.

use std::fmt;

use playbook_core::shown::REDACTED;

/// A path of keys and positions, or a section's heading; empty where there is neither. It is made of our own words: a key
/// that is none of them could be text of the repository, so a marker stands in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place(String);

impl Place {
    /// The place of a line, counted from 1. `vocabulary` tells our own words from others.
    pub(super) fn of_line(text: &str, line: u32, vocabulary: &dyn Fn(&str) -> bool) -> Self {
        let count = usize::try_from(line).unwrap_or(usize::MAX);
        Self(if text.starts_with('{') {
            path(text, count)
        } else {
            section(text, count, vocabulary)
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        write!(f, " ({})", self.0)
    }
}

/// An open object or list of indented JSON.
struct Level {
    indent: usize,
    key: String,
    /// Number of the item in the list that stands here.
    items: usize,
}

fn path(text: &str, lines: usize) -> String {
    let mut levels: Vec<Level> = Vec::new();
    for line in text.lines().take(lines) {
        let body = line.trim_start_matches(' ');
        let indent = line.len() - body.len();
        if body.starts_with(['}', ']']) {
            continue;
        }
        while levels.last().is_some_and(|level| level.indent >= indent) {
            levels.pop();
        }
        if let Some(key) = key(body) {
            levels.push(Level {
                indent,
                key,
                items: 0,
            });
        } else if let Some(list) = levels.last_mut() {
            list.items += 1;
            let key = format!("[{}]", list.items - 1);
            // The list itself has to stay open for its next item.
            levels.push(Level {
                indent,
                key,
                items: 0,
            });
        }
    }
    levels.iter().fold(String::new(), |mut path, level| {
        if !path.is_empty() && !level.key.starts_with('[') {
            path.push('.');
        }
        path.push_str(&level.key);
        path
    })
}

/// The key of a line `"key": …`. The contract's keys are small letters with underscores and not long.
fn key(body: &str) -> Option<String> {
    let (key, _) = body.strip_prefix('"')?.split_once("\": ")?;
    let own = key.len() <= 24 && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    Some(if own { key.to_owned() } else { REDACTED.to_owned() })
}

fn section(text: &str, lines: usize, vocabulary: &dyn Fn(&str) -> bool) -> String {
    let heading = text
        .lines()
        .take(lines)
        .filter_map(|line| line.strip_prefix("## "))
        .last()
        .unwrap_or_default();
    if vocabulary(heading) {
        heading.to_owned()
    } else {
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str, line: u32) -> String {
        Place::of_line(text, line, &|word| word == "4. Secrets").to_string()
    }

    #[test]
    fn fields_of_json() {
        let value = serde_json::json!({
            "schema": "x",
            "services": [{"id": "a", "ports": [1, 2]}, {"id": "b", "ports": [3], "commands": {"start": "run"}}],
            "Key Of The Repository": {"name": "y"},
            "last": "z",
        });
        let text = serde_json::to_string_pretty(&value).expect("it is JSON");
        for (needle, expected) in [
            ("\"x\"", " (schema)"),
            ("\"a\"", " (services[0].id)"),
            (" 2", " (services[0].ports[1])"),
            ("\"b\"", " (services[1].id)"),
            ("\"run\"", " (services[1].commands.start)"),
            ("\"y\"", " (<REDACTED>.name)"),
            ("\"z\"", " (last)"),
        ] {
            let line = text.lines().position(|line| line.contains(needle)).expect(needle);
            let line = u32::try_from(line + 1).expect("few lines");
            assert_eq!(place(&text, line), expected, "{text}");
        }
    }

    #[test]
    fn sections_of_markdown() {
        let text = "# Plan\n\n## 4. Secrets\n\na\n\n## hunter2\n\nb\n";
        assert_eq!(place(text, 5), " (4. Secrets)");
        // A heading that is not ours may hold what must not be shown.
        assert_eq!(place(text, 9), "");
        assert_eq!(place(text, 1), "");
    }
}
