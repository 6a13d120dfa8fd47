//! Bicep: parameters, resources and modules with what they say, as far as it is written as a literal.

use super::{LineTable, slice};
use crate::limits;

/// What a file declares.
pub(crate) struct Declaration {
    /// `resource`, `module`, `param` or `output`.
    pub(crate) kind: &'static str,
    /// Its symbolic name.
    pub(crate) name: String,
    /// The type without its API version, the path or the registry reference of a module, the type of a parameter.
    pub(crate) target: String,
    /// Its line.
    pub(crate) line: u32,
    /// An object's entries; a parameter's default.
    pub(crate) value: Value,
    /// Is it declared under a condition?
    pub(crate) conditional: bool,
}

/// A value as far as it is a literal.
pub(crate) enum Value {
    /// A string without interpolation, a number or a boolean.
    Text(String),
    /// The name of a parameter or variable.
    Name(String),
    /// Anything else.
    Unknown,
    /// A list.
    List(Vec<(u32, Value)>),
    /// Key, line, value; resources inside a resource are declarations of their own.
    Object(Vec<(String, u32, Value)>),
}

super::opaque_debug!(Declaration);

/// The declarations of a file, those inside of resources with the type of their parent before their own.
pub(crate) fn declarations(text: &str) -> Vec<Declaration> {
    let mut reader = Reader {
        text,
        lines: LineTable::new(text),
        at: 0,
        found: Vec::new(),
    };
    while reader.at < text.len() {
        reader.declaration(None, limits::BICEP_DEPTH);
        reader.skip_line();
    }
    reader.found
}

struct Reader<'t> {
    text: &'t str,
    lines: LineTable,
    at: usize,
    found: Vec<Declaration>,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        super::tail(self.text, self.at)
    }

    fn line(&self) -> u32 {
        self.lines.line(self.at)
    }

    /// Skips blanks and comments; line breaks too, if wanted.
    fn blanks(&mut self, lines: bool) {
        loop {
            let rest = self.rest();
            let skipped = rest
                .find(|letter: char| !letter.is_whitespace() || !lines && letter == '\n')
                .unwrap_or(rest.len());
            self.at += skipped;
            let rest = self.rest();
            if rest.starts_with("//") {
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else if rest.starts_with("/*") {
                self.at += rest.find("*/").map_or(rest.len(), |end| end + 2);
            } else {
                return;
            }
        }
    }

    fn skip_line(&mut self) {
        let rest = self.rest();
        self.at += rest.find('\n').map_or(rest.len(), |end| end + 1);
    }

    fn word(&mut self) -> Option<String> {
        let rest = self.rest();
        let end = rest
            .find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
            .unwrap_or(rest.len());
        let word = slice(rest, 0, end).to_owned();
        self.at += end;
        (!word.is_empty()).then_some(word)
    }

    fn eat(&mut self, sign: &str) -> bool {
        let found = self.rest().starts_with(sign);
        if found {
            self.at += sign.len();
        }
        found
    }

    /// A declaration at this place, if there is one.
    fn declaration(&mut self, parent: Option<&str>, depth: usize) -> bool {
        self.blanks(true);
        let (start, line) = (self.at, self.line());
        let kind = match self.word().as_deref() {
            Some("resource") => "resource",
            Some("module") => "module",
            Some("param") if parent.is_none() => "param",
            Some("output") if parent.is_none() => "output",
            _ => {
                self.at = start;
                return false;
            }
        };
        self.blanks(false);
        let Some(name) = self.word() else {
            self.at = start;
            return false;
        };
        self.blanks(false);
        let target = if matches!(kind, "param" | "output") {
            self.word().unwrap_or_default()
        } else {
            let Some(Value::Text(target)) = self.string() else {
                self.at = start;
                return false;
            };
            target
        };
        let own = target.split('@').next().unwrap_or(&target);
        let target = match parent {
            Some(parent) => format!("{parent}/{own}"),
            None if kind == "resource" => own.to_owned(),
            None => target,
        };
        self.blanks(false);
        if self.rest().starts_with("existing") {
            // It is there already and only referred to.
            self.skip_line();
            return true;
        }
        let mut conditional = false;
        let value = if self.eat("=") {
            self.blanks(!matches!(kind, "param" | "output"));
            if self.rest().starts_with("if") && kind != "param" {
                conditional = true;
                let rest = self.rest();
                let line_end = rest.find('\n').unwrap_or(rest.len());
                self.at += slice(rest, 0, line_end).rfind('{').unwrap_or(line_end);
            } else if self.rest().starts_with("[for") {
                self.at += self.rest().find('{').unwrap_or(0);
            }
            // The declaration comes before those inside of it.
            let inner = (kind == "resource").then(|| target.clone());
            let place = self.found.len();
            let value = self.value(inner.as_deref(), depth);
            self.found.insert(
                place,
                Declaration {
                    kind,
                    name,
                    target,
                    line,
                    value,
                    conditional,
                },
            );
            return true;
        } else {
            Value::Unknown
        };
        self.found.push(Declaration {
            kind,
            name,
            target,
            line,
            value,
            conditional,
        });
        true
    }

    fn string(&mut self) -> Option<Value> {
        if self.eat("'''") {
            let rest = self.rest();
            let end = rest.find("'''")?;
            let text = slice(rest, 0, end).to_owned();
            self.at += end + 3;
            return Some(Value::Text(text));
        }
        if !self.eat("'") {
            return None;
        }
        let mut text = String::new();
        let (mut known, mut inside) = (true, 0_usize);
        let mut letters = self.rest().char_indices().peekable();
        let mut end = None;
        while let Some((at, letter)) = letters.next() {
            match letter {
                '\n' => break,
                '\\' => {
                    if let Some((_, escaped)) = letters.next() {
                        text.push(escaped);
                    }
                }
                '$' if matches!(letters.peek(), Some((_, '{'))) => {
                    known = false;
                    inside += 1;
                }
                '}' if inside > 0 => inside -= 1,
                '\'' if inside == 0 => {
                    end = Some(at + 1);
                    break;
                }
                letter => text.push(letter),
            }
        }
        self.at += end?;
        Some(if known { Value::Text(text) } else { Value::Unknown })
    }

    fn value(&mut self, parent: Option<&str>, depth: usize) -> Value {
        let start = self.at;
        let Some(depth) = depth.checked_sub(1) else {
            self.at = self.text.len();
            return Value::Unknown;
        };
        let found = if self.eat("{") {
            self.object(parent, depth)
        } else if self.eat("[") {
            self.list(depth)
        } else if self.rest().starts_with('\'') {
            self.string().unwrap_or(Value::Unknown)
        } else {
            let before = self.at;
            match self.word() {
                Some(word) if word.starts_with(|first: char| first.is_ascii_digit()) => Value::Text(word),
                Some(word) if word == "true" || word == "false" => Value::Text(word),
                Some(word) if self.at > before => Value::Name(word),
                _ => Value::Unknown,
            }
        };
        // What goes on after the value makes it an expression.
        self.blanks(false);
        let rest = self.rest();
        if rest.is_empty() || rest.starts_with(['\n', '\r', ',', '}', ']']) {
            return found;
        }
        let first = rest.chars().next().map_or(0, char::len_utf8);
        if self.at == start && self.word().is_none() {
            self.at += first;
        }
        self.expression();
        Value::Unknown
    }

    /// Skips to the end of an expression: the end of the line outside of all brackets.
    fn expression(&mut self) {
        let mut open = 0_usize;
        loop {
            let rest = self.rest();
            let Some(letter) = rest.chars().next() else { return };
            match letter {
                '\n' | ',' | '}' | ']' | ')' if open == 0 => return,
                '{' | '[' | '(' => open += 1,
                '}' | ']' | ')' => open -= 1,
                '\'' => {
                    let before = self.at;
                    if self.string().is_some() {
                        continue;
                    }
                    self.at = before;
                }
                _ => {}
            }
            self.at += letter.len_utf8();
        }
    }

    fn list(&mut self, depth: usize) -> Value {
        let mut items = Vec::new();
        loop {
            self.blanks(true);
            if self.eat(",") {
                continue;
            }
            if self.eat("]") || self.rest().is_empty() {
                return Value::List(items);
            }
            let (line, before) = (self.line(), self.at);
            let item = self.value(None, depth);
            items.push((line, item));
            if self.at == before {
                self.at += self.rest().chars().next().map_or(0, char::len_utf8);
            }
        }
    }

    fn object(&mut self, parent: Option<&str>, depth: usize) -> Value {
        let mut entries = Vec::new();
        loop {
            self.blanks(true);
            if self.eat(",") {
                continue;
            }
            if self.eat("}") || self.rest().is_empty() {
                return Value::Object(entries);
            }
            if parent.is_some() && self.declaration(parent, depth) {
                continue;
            }
            let (line, before) = (self.line(), self.at);
            let key = match self.string() {
                Some(Value::Text(key)) => Some(key),
                Some(_) => Some(String::new()),
                None => self.word(),
            };
            self.blanks(false);
            match key {
                Some(key) if self.eat(":") => {
                    self.blanks(false);
                    let value = self.value(None, depth);
                    entries.push((key, line, value));
                }
                _ => self.expression(),
            }
            if self.at == before {
                self.at += self.rest().chars().next().map_or(0, char::len_utf8);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_modules_and_parameters() {
        let found = declarations(
            "// db\nparam size string = 'small'\n@secure()\nparam password string\n\nresource server 'Microsoft.Sql/servers@2022-05-01' = {\n  name: '${prefix}-sql'\n  properties: {\n    version: '12.0'\n    ports: [ 80, 443 ]\n    tier: empty(size) ? 'a' : size\n  }\n\n  resource database 'databases' = {\n    name: size\n  }\n}\n\nmodule api './api.bicep' = if (deploy) {\n  name: 'api'\n  params: { image: 'x:1' }\n}\nresource old 'Microsoft.Web/sites@2022-03-01' existing = {\n  name: 'old'\n}\n",
        );
        let told: Vec<(&str, &str, &str, u32)> = found
            .iter()
            .map(|one| (one.kind, one.name.as_str(), one.target.as_str(), one.line))
            .collect();
        assert_eq!(
            told,
            [
                ("param", "size", "string", 2),
                ("param", "password", "string", 4),
                ("resource", "server", "Microsoft.Sql/servers", 6),
                ("resource", "database", "Microsoft.Sql/servers/databases", 14),
                ("module", "api", "./api.bicep", 19),
            ]
        );
        let Some(Value::Object(entries)) = found.get(2).map(|one| &one.value) else {
            panic!("an object");
        };
        let keys: Vec<(&str, u32)> = entries
            .iter()
            .map(|(key, line, _)| (key.as_str(), *line))
            .collect();
        assert_eq!(keys, [("name", 7), ("properties", 8)]);
        assert!(found.iter().any(|one| one.conditional));
    }

    #[test]
    fn broken_text_ends() {
        for text in [
            "resource a 'b' = {",
            "resource",
            "module x '",
            "param y = [ [ {",
            "resource a 'b' = { c: (((",
            "é 'ü",
        ] {
            declarations(text);
        }
        declarations(&"resource a 'b' = {\n".repeat(200));
        declarations(&format!("resource a 'b' = {}", "{x: [".repeat(5000)));
    }
}
