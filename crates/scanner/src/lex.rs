//! Source code without a grammar: comments and the contents of strings are blanked, so that a pattern sees code alone, and
//! literals, brackets, arguments and blocks can be looked up by their place.
//!
//! The state of a string that may not span lines ends with its line, so that whatever the lexer mistakes (an apostrophe in
//! markup, a regular expression) costs no more than that line.

mod arguments;
mod mask;

use std::borrow::Cow;
use std::cell::OnceCell;
use std::ops::Range;

use serde::Deserialize;

use crate::parse::{LineTable, slice};

pub(crate) use arguments::{Arg, arguments, identifier_at, statements};

/// How a language writes comments and strings.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Syntax {
    /// What opens a comment that ends with its line.
    line_comments: Vec<String>,
    /// What looks like such an opening and is none: `#[` of an attribute.
    no_comments: Vec<String>,
    /// Whether an opening counts only at the start of a line or after a blank.
    comments_after_blank: bool,
    /// Comments with an end of their own.
    block_comments: Vec<BlockComment>,
    /// Strings, the first that matches wins.
    strings: Vec<StringKind>,
}

/// A comment with an end of its own.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct BlockComment {
    open: String,
    close: String,
    /// Whether such comments nest.
    nested: bool,
    /// Whether it opens only at the start of a line.
    at_line_start: bool,
}

/// A kind of string.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a key of its own in the files"
)]
struct StringKind {
    /// The letters directly before the opening; one of them must be there if any are given.
    prefixes: Vec<String>,
    open: String,
    /// Like the opening if it is not given.
    close: Option<String>,
    /// Whether it may span lines.
    lines: bool,
    /// Whether a backslash is no escape.
    raw: bool,
    /// Whether the closing mark, written twice, stands for itself.
    doubled: bool,
    /// Whether it holds one character only, so that a lifetime or a prime is not taken for its opening.
    character: bool,
    /// The letter before `#…"` (which the same number of `#` closes); an empty text for none.
    hashes: Option<String>,
    /// How code is put into it.
    interpolation: Option<Interpolation>,
}

/// How code is put into a string.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct Interpolation {
    open: String,
    close: String,
    /// Whether the opening, written twice, stands for itself.
    doubled: bool,
}

/// A string literal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Literal {
    /// The offset of its first byte, the prefix included.
    pub(crate) start: usize,
    /// The offset behind its last byte.
    pub(crate) end: usize,
    /// What stands between the quotes.
    pub(crate) inner: Range<usize>,
    /// Whether code is put into it, so that its value is not known.
    pub(crate) interpolated: bool,
    raw: bool,
}

/// A text with its comments and the contents of its strings blanked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Masked {
    /// As long as the text, byte for byte; quotes and line ends stay.
    code: String,
    /// Sorted by their start; literals inside of interpolations are among them.
    literals: Vec<Literal>,
    /// Offsets of matching brackets, sorted by the opening one.
    brackets: Vec<(usize, usize)>,
    /// The same the other way round, sorted by the closing one.
    closed: OnceCell<Vec<(usize, usize)>>,
    lines: LineTable,
}

/// Blanks a text by the rules of a language.
pub(crate) fn mask(text: &str, syntax: &Syntax) -> Masked {
    let (code, literals) = mask::mask(text, syntax);
    let brackets = matching_brackets(&code);
    Masked {
        code,
        literals,
        brackets,
        closed: OnceCell::new(),
        lines: LineTable::new(text),
    }
}

impl Masked {
    /// The code: comments and contents of strings are blanks.
    pub(crate) fn code(&self) -> &str {
        &self.code
    }

    /// The line of a byte offset.
    pub(crate) fn line(&self, offset: usize) -> u32 {
        self.lines.line(offset)
    }

    /// All literals, sorted by their start.
    pub(crate) fn literals(&self) -> &[Literal] {
        &self.literals
    }

    /// The literals that start in a range, sorted by their start.
    pub(crate) fn literals_in(&self, range: &Range<usize>) -> &[Literal] {
        let first = self
            .literals
            .partition_point(|literal| literal.start < range.start);
        let end = self.literals.partition_point(|literal| literal.start < range.end);
        self.literals.get(first..end).unwrap_or_default()
    }

    /// The literal that starts at an offset.
    pub(crate) fn literal_at(&self, offset: usize) -> Option<&Literal> {
        let at = self
            .literals
            .binary_search_by_key(&offset, |literal| literal.start)
            .ok()?;
        self.literals.get(at)
    }

    /// The first literal that starts at or after an offset.
    pub(crate) fn literal_after(&self, offset: usize) -> Option<&Literal> {
        self.literals
            .get(self.literals.partition_point(|literal| literal.start < offset))
    }

    /// The literal that ends at an offset.
    pub(crate) fn literal_before(&self, offset: usize) -> Option<&Literal> {
        let behind = self.literals.partition_point(|literal| literal.start < offset);
        // Literals nest only in interpolations, so the one that ends here is among the few that start before.
        self.literals
            .get(behind.saturating_sub(8)..behind)?
            .iter()
            .rev()
            .find(|literal| literal.end == offset)
    }

    /// The offset of the bracket that closes the one at an offset.
    pub(crate) fn closing(&self, open: usize) -> Option<usize> {
        let at = self
            .brackets
            .binary_search_by_key(&open, |(open, _)| *open)
            .ok()?;
        self.brackets.get(at).map(|(_, close)| *close)
    }

    /// The offset of the bracket that the one at an offset closes.
    pub(crate) fn opening(&self, close: usize) -> Option<usize> {
        let closed = self.closed.get_or_init(|| {
            let mut pairs: Vec<(usize, usize)> = self
                .brackets
                .iter()
                .map(|(open, close)| (*close, *open))
                .collect();
            pairs.sort_unstable();
            pairs
        });
        let at = closed.binary_search_by_key(&close, |(close, _)| *close).ok()?;
        closed.get(at).map(|(_, open)| *open)
    }

    /// What stands between the bracket at an offset and the one that closes it.
    pub(crate) fn inside(&self, open: usize) -> Option<Range<usize>> {
        self.closing(open).map(|close| open + 1..close)
    }

    /// The offset of the next byte at or after an offset that is no blank.
    pub(crate) fn next_code(&self, offset: usize) -> usize {
        let rest = self.code.get(offset..).unwrap_or("");
        offset + (rest.len() - rest.trim_start().len())
    }

    /// The lines below the one at an offset that are indented more than it: the block of a Python header.
    pub(crate) fn indented_block(&self, offset: usize) -> Range<usize> {
        let header = self.lines.line(offset);
        let start = self.lines.start(header).unwrap_or(0);
        let indent = indentation(slice(&self.code, start, self.code.len()));
        // The header may run over several lines; its block starts below the one on which the anchor ends.
        let first = self.lines.start(header + 1).unwrap_or(self.code.len());
        let mut end = first;
        let mut at = first;
        for line in slice(&self.code, first, self.code.len()).split_inclusive('\n') {
            at += line.len();
            if line.trim().is_empty() {
                continue;
            }
            if indentation(line) <= indent {
                break;
            }
            end = at;
        }
        first..end
    }
}

fn indentation(line: &str) -> usize {
    line.bytes()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count()
}

impl Literal {
    /// The text between the quotes as written.
    pub(crate) fn written<'text>(&self, text: &'text str) -> &'text str {
        slice(text, self.inner.start, self.inner.end)
    }

    /// The value, simple escapes resolved; `None` if code is put into it.
    pub(crate) fn value<'text>(&self, text: &'text str) -> Option<Cow<'text, str>> {
        if self.interpolated {
            return None;
        }
        let written = self.written(text);
        if self.raw || !written.contains('\\') {
            return Some(Cow::Borrowed(written));
        }
        let mut value = String::with_capacity(written.len());
        let mut letters = written.chars();
        while let Some(letter) = letters.next() {
            if letter != '\\' {
                value.push(letter);
                continue;
            }
            match letters.next() {
                Some('n') => value.push('\n'),
                Some('t') => value.push('\t'),
                Some('r') => value.push('\r'),
                Some('\n') | None => {}
                Some(other @ ('\\' | '"' | '\'' | '`' | '/' | '$' | '#')) => value.push(other),
                Some(other) => {
                    value.push('\\');
                    value.push(other);
                }
            }
        }
        Some(Cow::Owned(value))
    }
}

/// Pairs of brackets in one pass. A closing bracket takes the nearest opening one of its kind; what was opened in between
/// stays without a partner.
fn matching_brackets(code: &str) -> Vec<(usize, usize)> {
    let mut open: Vec<(u8, usize)> = Vec::new();
    let mut waiting = [0_usize; 3];
    let mut pairs = Vec::new();
    for (at, byte) in code.bytes().enumerate() {
        let (kind, opens) = match byte {
            b'(' => (0, true),
            b')' => (0, false),
            b'[' => (1, true),
            b']' => (1, false),
            b'{' => (2, true),
            b'}' => (2, false),
            _ => continue,
        };
        let Some(count) = waiting.get_mut(kind) else {
            continue;
        };
        if opens {
            *count += 1;
            open.push((u8::try_from(kind).unwrap_or(0), at));
        } else if *count > 0 {
            while let Some((other, start)) = open.pop() {
                if let Some(count) = waiting.get_mut(usize::from(other)) {
                    *count -= 1;
                }
                if usize::from(other) == kind {
                    pairs.push((start, at));
                    break;
                }
            }
        }
    }
    pairs.sort_unstable();
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brackets(code: &str) -> Vec<(usize, usize)> {
        matching_brackets(code)
    }

    #[test]
    fn brackets_match_in_spite_of_stray_ones() {
        assert_eq!(brackets("(a[b]{c})"), [(0, 8), (2, 4), (5, 7)]);
        assert_eq!(brackets("(a]b)"), [(0, 4)]);
        assert_eq!(brackets("([a)"), [(0, 3)]);
        assert!(brackets(&format!("{}{}", "(".repeat(100_000), "]".repeat(100_000))).is_empty());
    }

    #[test]
    fn a_block_ends_where_the_indentation_does() {
        let syntax = Syntax::default();
        let text = "class A:\n    x = 1\n\n    y = 2\nz = 3\n";
        let masked = mask(text, &syntax);
        assert_eq!(
            slice(text, masked.indented_block(3).start, masked.indented_block(3).end),
            "    x = 1\n\n    y = 2\n"
        );
    }
}
