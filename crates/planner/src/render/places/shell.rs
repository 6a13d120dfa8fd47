//! How far a shell has read: quotes, substitutions, comments, here-documents.

use super::text::Data;

/// What surrounds the next character.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Around {
    /// `( … )`, `$( … )` or `$(( … ))`.
    Group,
    Single,
    Double,
    /// `${ … }`
    Variable,
    Comment,
}

/// A here-document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Document {
    delimiter: String,
    /// Does the shell expand variables in it?
    expanding: bool,
}

/// Where a value in a shell stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ShellPlace {
    /// Outside of quotes, at the start of a word or inside of one.
    Word {
        start: bool,
    },
    /// The name behind `$` or `${`.
    Variable,
    Single(Within),
    Double(Within),
    Comment,
    /// A line of a here-document, and the place inside the document's own language.
    Document {
        expanding: bool,
        inner: Box<super::Place>,
    },
}

/// What a quoted string is to the command that gets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Within {
    /// Text.
    Text,
    /// Between double quotes of a program in the string (`jq`, `grep`, JSON).
    String,
    /// A command for another shell that begins with the value.
    Script,
    /// Inside a command for another shell.
    PartOfScript,
}

/// A shell's state between two characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Shell {
    around: Vec<Around>,
    escaped: bool,
    dollar: bool,
    /// The end of the word that is being read; enough of it to know a command.
    word: String,
    /// Does a word of the command start another shell?
    starts_shell: bool,
    /// Has the innermost string begun just now?
    fresh: bool,
    /// Double quotes inside of a single-quoted string.
    string: bool,
    waiting: Vec<Document>,
    document: Option<(Document, Box<super::Inner>, String)>,
}

/// Commands whose quoted argument is read by another shell.
const SHELLS: &[&str] = &["ssh", "sh", "bash", "eval", "su", "in-release", "stores"];

impl Shell {
    /// Is nothing open?
    pub(super) fn is_closed(&self) -> bool {
        self.document.is_none()
            && self.waiting.is_empty()
            && self.around.iter().all(|around| *around == Around::Comment)
    }

    pub(super) fn place(&self) -> ShellPlace {
        if let Some((document, inner, _)) = &self.document {
            return ShellPlace::Document {
                expanding: document.expanding,
                inner: Box::new(inner.place()),
            };
        }
        if self.dollar {
            return ShellPlace::Variable;
        }
        match self.around.last() {
            None | Some(Around::Group) => ShellPlace::Word {
                start: self.word.is_empty(),
            },
            Some(Around::Variable) => ShellPlace::Variable,
            Some(Around::Comment) => ShellPlace::Comment,
            Some(Around::Single) => ShellPlace::Single(self.within()),
            Some(Around::Double) => ShellPlace::Double(self.within()),
        }
    }

    fn within(&self) -> Within {
        if self.starts_shell {
            if self.fresh {
                Within::Script
            } else {
                Within::PartOfScript
            }
        } else if self.string {
            Within::String
        } else {
            Within::Text
        }
    }

    /// A value was printed.
    pub(super) fn value(&mut self) {
        self.dollar = false;
        self.escaped = false;
        self.fresh = false;
        if let Some((_, inner, line)) = &mut self.document {
            inner.value();
            line.clear();
            line.push('*');
        } else {
            self.word.clear();
            self.word.push('*');
        }
    }

    /// Reads our own text.
    pub(super) fn text(&mut self, text: &str) {
        let characters: Vec<char> = text.chars().collect();
        let mut at = 0;
        while let Some(c) = characters.get(at).copied() {
            at += 1;
            if self.in_document(c) {
                continue;
            }
            if self.escaped {
                self.escaped = false;
                self.word.push('*');
                continue;
            }
            let dollar = std::mem::take(&mut self.dollar);
            let fresh = std::mem::take(&mut self.fresh);
            match (self.around.last(), c) {
                (Some(Around::Comment), '\n') => {
                    self.around.pop();
                    self.new_line();
                }
                (Some(Around::Comment), _) => {}
                (Some(Around::Single), '\'') | (Some(Around::Double), '"') => {
                    self.around.pop();
                    self.string = false;
                    self.word.push('*');
                }
                (Some(Around::Single), '"') => self.string = !self.string,
                (Some(Around::Single), _) => self.fresh = fresh && c == ' ',
                (Some(Around::Variable), '}') => {
                    self.around.pop();
                }
                (_, '\\') => self.escaped = true,
                (_, '$') => self.dollar = true,
                (_, '{') if dollar => self.around.push(Around::Variable),
                (Some(Around::Variable), _) => {}
                (_, '(') if dollar => {
                    self.around.push(Around::Group);
                    self.new_command();
                }
                (Some(Around::Double), _) => self.fresh = fresh && c == ' ',
                (_, '\'' | '"') => {
                    self.around
                        .push(if c == '"' { Around::Double } else { Around::Single });
                    self.fresh = true;
                    self.string = false;
                }
                (_, '(') => {
                    self.around.push(Around::Group);
                    self.new_command();
                }
                (around, ')') => {
                    // Without a group it ends a pattern of `case`.
                    if around == Some(&Around::Group) {
                        self.around.pop();
                    }
                    self.word.clear();
                    self.word.push('*');
                }
                (_, '#') if self.word.is_empty() && !dollar => self.around.push(Around::Comment),
                (_, '<') if characters.get(at) == Some(&'<') && characters.get(at + 1) != Some(&'<') => {
                    at = self.here(&characters, at + 1);
                }
                (_, '<') if characters.get(at) == Some(&'<') => at += 2,
                (_, '\n') => self.new_line(),
                (_, ';' | '|' | '&') => self.new_command(),
                (_, c) if c.is_whitespace() => self.end_word(),
                (_, c) => {
                    if self.word.len() < 60 {
                        self.word.push(c);
                    }
                }
            }
        }
    }

    /// Reads the delimiter of a here-document.
    fn here(&mut self, characters: &[char], mut at: usize) -> usize {
        while characters.get(at).is_some_and(|c| *c == ' ' || *c == '-') {
            at += 1;
        }
        let quoted = characters.get(at).is_some_and(|c| *c == '\'' || *c == '"');
        at += usize::from(quoted);
        let mut delimiter = String::new();
        while let Some(c) = characters
            .get(at)
            .filter(|c| c.is_ascii_alphanumeric() || **c == '_')
        {
            delimiter.push(*c);
            at += 1;
        }
        at += usize::from(quoted);
        self.waiting.push(Document {
            delimiter,
            expanding: !quoted,
        });
        at
    }

    /// Reads a character of a here-document.
    fn in_document(&mut self, c: char) -> bool {
        let Some((document, inner, line)) = &mut self.document else {
            return false;
        };
        if c == '\n' {
            if *line == document.delimiter {
                self.document = None;
                self.next_document();
                self.new_command();
                return true;
            }
            line.clear();
        } else if line.len() < 40 {
            line.push(c);
        }
        inner.text(c.encode_utf8(&mut [0; 4]));
        true
    }

    fn next_document(&mut self) {
        if !self.waiting.is_empty() {
            let document = self.waiting.remove(0);
            let inner = super::Inner::of_document(&document.delimiter);
            self.document = Some((document, Box::new(inner), String::new()));
        }
    }

    fn end_word(&mut self) {
        let command = self.word.rsplit('/').next().unwrap_or_default();
        self.starts_shell |= SHELLS.contains(&command);
        self.word.clear();
    }

    fn new_command(&mut self) {
        self.word.clear();
        self.starts_shell = false;
    }

    fn new_line(&mut self) {
        self.new_command();
        self.next_document();
    }
}

/// What a here-document holds, by its delimiter.
pub(super) fn language(delimiter: &str) -> super::Inner {
    match delimiter {
        "SH" | "STORE" => super::Inner::Shell(Shell::default()),
        "YAML" => super::Inner::Data(Data::new("yaml")),
        "TOML" => super::Inner::Data(Data::new("toml")),
        "JSON" => super::Inner::Data(Data::new("json")),
        "DIFF" => super::Inner::Data(Data::new("diff")),
        "ENV" => super::Inner::Data(Data::new("env")),
        "UNIT" => super::Inner::Data(Data::new("unit")),
        "CADDY" => super::Inner::Data(Data::new("caddy")),
        other => super::Inner::Data(Data::new(if other == "EOF" { "unknown" } else { "none" })),
    }
}
