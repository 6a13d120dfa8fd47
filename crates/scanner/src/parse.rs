//! Parsers: text in, a tree with lines out.
//!
//! Nothing here knows what a value means to a deployment. What all of them keep to:
//! - lines count from one;
//! - no input makes them panic, recurse without bound or take quadratic time;
//! - a [`ParseProblem`] says what kind of thing went wrong and where, and never quotes the input;
//! - what was read before a problem is kept where the format allows that;
//! - the types hold repository text, so none can be serialised and `Debug` prints the kind and the line only.

use std::fmt;

/// Implements `Debug` for a type that holds repository text: its name and its line, nothing else.
macro_rules! opaque_debug {
    ($($name:ident $(<$lifetime:lifetime>)?),+ $(,)?) => {$(
        impl std::fmt::Debug for $name $(<$lifetime>)? {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, concat!(stringify!($name), "(line {})"), self.line)
            }
        }
    )+};
}
pub(crate) use opaque_debug;

pub(crate) mod bicep;
pub(crate) mod directives;
pub(crate) mod dockerfile;
pub(crate) mod dotenv;
pub(crate) mod gomod;
pub(crate) mod hcl;
pub(crate) mod helm;
pub(crate) mod hocon;
pub(crate) mod ini;
pub(crate) mod json;
pub(crate) mod makefile;
pub(crate) mod procfile;
pub(crate) mod properties;
pub(crate) mod requirements;
pub(crate) mod shell;
pub(crate) mod toml;
pub(crate) mod tree;
pub(crate) mod xml;
pub(crate) mod yaml;

#[cfg(test)]
mod hostile;

/// Where and why a parser stopped. It quotes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ParseProblem {
    /// The kind of problem.
    pub(crate) kind: ParseProblemKind,
    /// The line, counted from one.
    pub(crate) line: u32,
}

/// Why a parser stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ParseProblemKind {
    /// The text breaks the grammar of its format.
    Syntax,
    /// Something that was opened (a quote, a bracket, a heredoc) is not closed.
    Unclosed,
    /// Nested deeper than the parser follows.
    TooDeep,
    /// More nodes than the parser keeps.
    TooLarge,
    /// A document type definition, which could make a small file expand without bound.
    DocumentType,
}

impl ParseProblemKind {
    /// Our own words for the kind of problem.
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::Syntax => "is not valid in its format",
            Self::Unclosed => "leaves a quote, a bracket or a heredoc open",
            Self::TooDeep => "is nested too deeply",
            Self::TooLarge => "has too many nodes",
            Self::DocumentType => "has a document type definition, which is not read",
        }
    }
}

impl fmt::Display for ParseProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {} {}", self.line, self.kind.describe())
    }
}

impl ParseProblem {
    pub(crate) fn new(kind: ParseProblemKind, line: u32) -> Self {
        Self { kind, line }
    }
}

/// The text without a byte order mark, which several parsers would take for content.
pub(crate) fn without_byte_order_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// A count or an index as a line number; files are far smaller than the limit.
pub(crate) fn line_number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The part of `text` between two byte offsets; empty where the offsets are no boundaries of it.
pub(crate) fn slice(text: &str, start: usize, end: usize) -> &str {
    text.get(start..end).unwrap_or("")
}

/// The part of `text` from a byte offset on; empty where the offset is no boundary of it.
pub(crate) fn tail(text: &str, start: usize) -> &str {
    text.get(start..).unwrap_or("")
}

/// The last bytes of `text` before an offset, at most about `length` of them.
pub(crate) fn window_before(text: &str, offset: usize, length: usize) -> &str {
    let mut start = offset.min(text.len()).saturating_sub(length);
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    slice(text, start, offset)
}

/// The lines of a text with their numbers, without line ends.
pub(crate) fn numbered_lines(text: &str) -> impl Iterator<Item = (u32, &str)> {
    without_byte_order_mark(text)
        .lines()
        .enumerate()
        .map(|(index, line)| (line_number(index + 1), line))
}

/// Byte offsets of line starts: the line of an offset in logarithmic time.
#[derive(Debug, Clone, Default)]
pub(crate) struct LineTable {
    starts: Vec<usize>,
}

impl LineTable {
    /// Reads the text once.
    pub(crate) fn new(text: &str) -> Self {
        let mut starts = vec![0];
        starts.extend(
            text.bytes()
                .enumerate()
                .filter(|(_, byte)| *byte == b'\n')
                .map(|(at, _)| at + 1),
        );
        Self { starts }
    }

    /// The line, counted from one, that holds the byte offset.
    pub(crate) fn line(&self, offset: usize) -> u32 {
        line_number(self.starts.partition_point(|start| *start <= offset).max(1))
    }

    /// The byte offset at which a line starts, if there is such a line.
    pub(crate) fn start(&self, line: u32) -> Option<usize> {
        self.starts.get((line as usize).checked_sub(1)?).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_by_offset() {
        let table = LineTable::new("a\nbc\n\nd");
        let lines: Vec<u32> = (0..8).map(|offset| table.line(offset)).collect();
        assert_eq!(lines, [1, 1, 2, 2, 2, 3, 4, 4]);
        assert_eq!(table.start(2), Some(2));
        assert_eq!(table.start(0), None);
        assert_eq!(table.start(9), None);
    }

    #[test]
    fn a_problem_prints_its_kind_and_line() {
        let problem = ParseProblem::new(ParseProblemKind::Unclosed, 3);
        assert_eq!(
            problem.to_string(),
            "line 3 leaves a quote, a bracket or a heredoc open"
        );
    }
}
