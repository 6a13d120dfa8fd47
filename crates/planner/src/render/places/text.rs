//! How far a reader of data (YAML, TOML, JSON, a Dockerfile, a diagram …) has read: quotes and comments of one line.

/// Where a value stands in data.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct DataPlace {
    pub(super) language: &'static str,
    pub(super) at: At,
    /// The first word of the line, for languages of instructions.
    pub(super) instruction: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum At {
    /// At the start of a scalar.
    Start,
    /// Inside a plain scalar.
    Plain,
    Double,
    Single,
    /// Between backticks inside double quotes.
    Backtick,
    Comment,
}

/// The state between two characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Data {
    language: &'static str,
    at: At,
    escaped: bool,
    blank: bool,
    first: String,
    first_done: bool,
}

impl Data {
    pub(super) fn new(language: &'static str) -> Self {
        Self {
            language,
            at: At::Start,
            escaped: false,
            blank: true,
            first: String::new(),
            first_done: false,
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        !matches!(self.at, At::Double | At::Single | At::Backtick)
    }

    pub(super) fn place(&self) -> DataPlace {
        DataPlace {
            language: self.language,
            at: self.at,
            instruction: if matches!(self.language, "dockerfile" | "diff") {
                self.first.clone()
            } else {
                String::new()
            },
        }
    }

    pub(super) fn value(&mut self) {
        self.first_done = true;
        self.blank = false;
        if self.at == At::Start {
            self.at = At::Plain;
        }
    }

    pub(super) fn text(&mut self, text: &str) {
        for c in text.chars() {
            let blank = std::mem::replace(&mut self.blank, c.is_whitespace());
            if c == '\n' {
                *self = Self::new(self.language);
                continue;
            }
            if c.is_whitespace() {
                self.first_done |= !self.first.is_empty();
            } else if !self.first_done && self.first.len() < 12 {
                self.first.push(c);
            }
            if self.escaped {
                self.escaped = false;
                continue;
            }
            self.at = match (self.at, c) {
                (At::Comment, _) => At::Comment,
                (At::Double, '\\') => {
                    self.escaped = true;
                    At::Double
                }
                (At::Backtick, '`') => At::Double,
                (At::Double, '`') | (At::Backtick, _) => At::Backtick,
                (At::Double, '"') | (At::Single, '\'') => At::Plain,
                (At::Double | At::Single, _) => self.at,
                (_, '"') => At::Double,
                (At::Start, '\'') => At::Single,
                (_, '\'') if self.language == "env" => At::Single,
                (_, '#') if blank => At::Comment,
                (_, ' ' | '[' | '{' | ',') => At::Start,
                _ => At::Plain,
            };
        }
    }
}
