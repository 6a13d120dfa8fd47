//! HOCON, the configuration format of Ktor, Play and Pekko: objects, values, substitutions. Includes are not followed.

use super::{line_number, without_byte_order_mark};
use crate::limits;

/// A key with its whole path, and its value as written, without quotes around it.
pub(crate) struct Entry {
    /// The line of the value.
    pub(crate) line: u32,
    /// The names from the root on, joined with dots.
    pub(crate) key: String,
    /// The value; substitutions (`${NAME}`, `${?NAME}`) stay as they are. An array gives one entry for each scalar.
    pub(crate) value: String,
}

opaque_debug!(Entry);

/// The entries of a text in order.
pub(crate) fn entries(text: &str) -> Vec<Entry> {
    let mut reader = Reader {
        rest: without_byte_order_mark(text),
        line: 1,
    };
    let mut path: Vec<String> = Vec::new();
    let mut out = Vec::new();
    while out.len() < limits::HOCON_ENTRIES {
        reader.skip(|c| c.is_whitespace() || c == ',');
        let Some(first) = reader.rest.chars().next() else {
            break;
        };
        if reader.comment() {
            continue;
        }
        if first == '{' || first == '}' || first == ']' {
            reader.take(1);
            if first == '}' {
                path.pop();
            }
            continue;
        }
        let key = reader.key();
        reader.skip(|c| c == ' ' || c == '\t');
        if reader.rest.starts_with("+=") {
            reader.take(2);
        } else if reader.rest.starts_with(['=', ':']) {
            reader.take(1);
        } else if !reader.rest.starts_with('{') {
            // `include "other"` and what is no entry.
            reader.skip(|c| c != '\n');
            continue;
        }
        reader.skip(char::is_whitespace);
        if reader.rest.starts_with('{') {
            reader.take(1);
            if path.len() >= limits::HOCON_DEPTH {
                break;
            }
            path.push(key);
            continue;
        }
        let whole = path
            .iter()
            .chain([&key])
            .filter(|part| !part.is_empty())
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(".");
        for (value, line) in reader.values() {
            out.push(Entry {
                line,
                key: whole.clone(),
                value,
            });
        }
    }
    out
}

/// What is left of the text.
struct Reader<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Reader<'a> {
    /// Takes so many bytes; they end at the edge of a character.
    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.line += taken.matches('\n').count();
        self.rest = rest;
        taken
    }

    /// Takes what consists of such characters.
    fn skip(&mut self, of: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !of(c)).unwrap_or(self.rest.len());
        self.take(end)
    }

    fn comment(&mut self) -> bool {
        let found = self.rest.starts_with('#') || self.rest.starts_with("//");
        if found {
            self.skip(|c| c != '\n');
        }
        found
    }

    /// A key with its quotes removed.
    fn key(&mut self) -> String {
        let mut out = String::new();
        while let Some(next) = self.rest.chars().next() {
            if next == '"' {
                out.push_str(&self.quoted());
            } else if next.is_whitespace() || matches!(next, '=' | ':' | '{' | '}' | '+' | ',' | '[' | ']') {
                break;
            } else {
                out.push(next);
                self.take(next.len_utf8());
            }
        }
        if out.is_empty() {
            // A character that begins no key: go on behind it.
            let width = self.rest.chars().next().map_or(0, char::len_utf8);
            if !self.rest.starts_with(['=', ':', '{']) {
                self.take(width);
            }
        }
        out
    }

    /// A quoted text without its quotes.
    fn quoted(&mut self) -> String {
        if self.rest.starts_with("\"\"\"") {
            self.take(3);
            let end = self.rest.find("\"\"\"").unwrap_or(self.rest.len());
            let text = self.take(end).to_owned();
            self.take(3);
            return text;
        }
        self.take(1);
        let mut out = String::new();
        let mut escaped = false;
        while let Some(next) = self.rest.chars().next() {
            if next == '\n' {
                break;
            }
            self.take(next.len_utf8());
            match next {
                '"' if !escaped => break,
                '\\' if !escaped => {
                    escaped = true;
                    continue;
                }
                _ => out.push(next),
            }
            escaped = false;
        }
        out
    }

    /// The scalars of a value with their lines.
    fn values(&mut self) -> Vec<(String, u32)> {
        if !self.rest.starts_with('[') {
            let line = line_number(self.line);
            let value = self.scalar();
            return vec![(value, line)];
        }
        self.take(1);
        let mut out = Vec::new();
        loop {
            self.skip(|c| c.is_whitespace() || c == ',');
            match self.rest.chars().next() {
                None => break,
                Some(']') => {
                    self.take(1);
                    break;
                }
                // What stands in an array of objects or arrays is not needed.
                Some('{' | '[' | '}' | ':' | '=') => {
                    self.take(1);
                }
                Some(_) if self.comment() => {}
                Some(_) => {
                    let before = self.rest.len();
                    let line = line_number(self.line);
                    out.push((self.scalar(), line));
                    if self.rest.len() == before {
                        self.take(1);
                    }
                }
            }
            if out.len() >= limits::HOCON_ENTRIES {
                break;
            }
        }
        out
    }

    /// Quoted and bare parts up to the end of the value.
    fn scalar(&mut self) -> String {
        let mut out = String::new();
        while let Some(next) = self.rest.chars().next() {
            if next == '"' {
                out.push_str(&self.quoted());
            } else if self.rest.starts_with("${") {
                let end = self.rest.find(['}', '\n']).map_or(self.rest.len(), |end| end + 1);
                out.push_str(self.take(end).trim_end());
            } else if matches!(next, '\n' | ',' | '}' | ']' | '#') || self.rest.starts_with("//") {
                break;
            } else {
                out.push(next);
                self.take(next.len_utf8());
            }
        }
        out.trim().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, String, u32)> {
        entries(text)
            .into_iter()
            .map(|entry| (entry.key, entry.value, entry.line))
            .collect()
    }

    #[test]
    fn objects_and_substitutions() {
        let text = "# shop\ninclude \"base\"\nktor {\n  deployment { port = 8080, host: \"0.0.0.0\" }\n  deployment.port = ${?PORT}\n}\n// end\ndb.default.url=\"jdbc:postgresql://\"${DB_HOST}\"/shop\"\nnames = [ a, \"b\" ]\nplay.\"a.b\" { c = 1 }\n";
        let found = read(text);
        let expected = [
            ("ktor.deployment.port", "8080", 4),
            ("ktor.deployment.host", "0.0.0.0", 4),
            ("ktor.deployment.port", "${?PORT}", 5),
            ("db.default.url", "jdbc:postgresql://${DB_HOST}/shop", 8),
            ("names", "a", 9),
            ("names", "b", 9),
            ("play.a.b.c", "1", 10),
        ];
        let expected: Vec<(String, String, u32)> = expected
            .iter()
            .map(|(key, value, line)| ((*key).to_owned(), (*value).to_owned(), *line))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn texts_that_break_the_format() {
        for text in [
            "{",
            "}",
            "a = [",
            "a = \"",
            "a = ${",
            "= = =",
            "[[[[",
            "a {b {c",
            "\"",
            "é = ü\n",
            "+",
            "a +",
        ] {
            let _ = read(text);
        }
        let deep = "a {".repeat(10_000);
        assert!(read(&deep).is_empty());
    }
}
