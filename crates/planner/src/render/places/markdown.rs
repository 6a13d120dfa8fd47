//! How far a reader of Markdown has read: lines, code spans, fences.

use std::collections::BTreeMap;

use super::shell::Shell;
use super::text::Data;
use super::{Inner, Place};

/// The kind of a line of Markdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Line {
    Text,
    Row,
    Heading,
}

/// The state between two characters of a plan.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Markdown {
    line: Line,
    start: bool,
    /// Length of the run of backticks that opened a code span.
    code: usize,
    run: usize,
    /// Are we between `](` and `)`?
    link: bool,
    bracket: bool,
    fence: Option<Box<Inner>>,
    /// Switches that the template has set since the last fence: a string may be opened and closed by them.
    pub(super) switches: BTreeMap<String, bool>,
}

impl Default for Markdown {
    fn default() -> Self {
        Self {
            line: Line::Text,
            start: true,
            code: 0,
            run: 0,
            link: false,
            bracket: false,
            fence: None,
            switches: BTreeMap::new(),
        }
    }
}

impl Markdown {
    pub(super) fn place(&self) -> Place {
        if let Some(inner) = &self.fence {
            return inner.place();
        }
        let mut after = self.clone();
        after.end_run();
        if after.code > 0 {
            Place::CodeSpan
        } else if self.link {
            Place::Link
        } else {
            Place::Markdown(self.line)
        }
    }

    pub(super) fn value(&mut self) {
        if let Some(inner) = &mut self.fence {
            inner.value();
        }
        self.end_run();
        self.start = false;
        self.bracket = false;
    }

    /// Reads our own text; says what is wrong with it.
    pub(super) fn text(&mut self, text: &str) -> Result<(), String> {
        let mut rest = text;
        while !rest.is_empty() {
            let (line, after) = match rest.split_once('\n') {
                Some((line, after)) => (line, Some(after)),
                None => (rest, None),
            };
            if self.start && line.trim_start().starts_with("```") {
                let info = line.trim().trim_start_matches('`');
                self.fence = match self.fence.take() {
                    None => Some(Box::new(Inner::of_language(info)?)),
                    Some(inner) if !inner.is_closed() => {
                        return Err(format!("a fence ends inside {inner:?}"));
                    }
                    Some(_) => {
                        self.switches.clear();
                        None
                    }
                };
            } else if let Some(inner) = &mut self.fence {
                inner.text(line);
                if after.is_some() {
                    inner.text("\n");
                }
            } else {
                self.line(line);
            }
            let Some(after) = after else {
                self.start &= line.trim().is_empty();
                break;
            };
            self.new_line();
            rest = after;
        }
        Ok(())
    }

    /// The state after the end of the line.
    pub(super) fn at_next_line(mut self) -> Self {
        self.new_line();
        self
    }

    fn new_line(&mut self) {
        self.end_run();
        self.line = Line::Text;
        self.start = true;
        self.code = 0;
        self.link = false;
        self.bracket = false;
    }

    fn line(&mut self, text: &str) {
        if self.start && !text.is_empty() {
            self.line = match text.chars().next() {
                Some('|') => Line::Row,
                Some('#') => Line::Heading,
                _ => Line::Text,
            };
        }
        for c in text.chars() {
            if c == '`' {
                self.run += 1;
                continue;
            }
            self.end_run();
            if self.code == 0 {
                self.link = match c {
                    '(' if self.bracket => true,
                    ')' => false,
                    _ => self.link,
                };
                self.bracket = c == ']';
            }
        }
    }

    fn end_run(&mut self) {
        if self.run > 0 {
            if self.code == 0 {
                self.code = self.run;
            } else if self.code == self.run {
                self.code = 0;
            }
            self.run = 0;
        }
    }
}

impl Inner {
    /// What a fence of this language holds.
    fn of_language(info: &str) -> Result<Self, String> {
        Ok(match info {
            "bash" => Self::Shell(Shell::default()),
            "yaml" => Self::Data(Data::new("yaml")),
            "toml" => Self::Data(Data::new("toml")),
            "json" => Self::Data(Data::new("json")),
            "dockerfile" => Self::Data(Data::new("dockerfile")),
            "mermaid" => Self::Data(Data::new("mermaid")),
            "diff" => Self::Data(Data::new("diff")),
            "text" => Self::Data(Data::new("text")),
            other => return Err(format!("a fence of `{other}` is not known to this test")),
        })
    }
}
