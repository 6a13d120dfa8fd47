//! The characters of a file: strings and comments, brackets, logical lines.

use super::Statement;

/// A string literal.
pub(super) struct Text {
    /// Offset of its prefix or of its first quote.
    pub(super) start: usize,
    /// Offset behind its last quote.
    pub(super) end: usize,
    /// Offsets of what is between the quotes.
    pub(super) content: (usize, usize),
    /// Is it a formatted one?
    pub(super) formatted: bool,
    /// Are its backslashes plain characters?
    pub(super) raw: bool,
}

/// Blanks comments and what is between quotes, and lists the strings.
pub(super) fn mask(text: &str) -> (String, Vec<Text>) {
    let bytes = text.as_bytes();
    let mut mask = bytes.to_vec();
    let mut strings = Vec::new();
    let mut at = 0;
    let blank = |mask: &mut Vec<u8>, from: usize, to: usize| {
        for byte in mask.iter_mut().take(to).skip(from) {
            *byte = b' ';
        }
    };
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'#' => {
                let end = bytes
                    .iter()
                    .skip(at)
                    .position(|b| *b == b'\n')
                    .map_or(bytes.len(), |n| at + n);
                blank(&mut mask, at, end);
                at = end;
            }
            b'"' | b'\'' => {
                let quote = *byte;
                let triple = bytes.get(at + 1) == Some(&quote) && bytes.get(at + 2) == Some(&quote);
                let width = if triple { 3 } else { 1 };
                let prefix = string_prefix(bytes, at);
                let content = at + width;
                let (inside_end, end) = string_end(bytes, content, quote, triple);
                let letters = bytes.get(prefix..at).unwrap_or_default();
                strings.push(Text {
                    start: prefix,
                    end,
                    content: (content, inside_end),
                    formatted: letters.iter().any(|b| matches!(b, b'f' | b'F')),
                    raw: letters.iter().any(|b| matches!(b, b'r' | b'R')),
                });
                blank(&mut mask, content, inside_end);
                at = end;
            }
            _ => at += 1,
        }
    }
    (String::from_utf8(mask).unwrap_or_default(), strings)
}

/// Where the letters before a quote begin, if they are a string's prefix.
fn string_prefix(bytes: &[u8], quote: usize) -> usize {
    let mut start = quote;
    while start > 0 && quote - start < 2 {
        match bytes.get(start - 1) {
            Some(b'f' | b'F' | b'r' | b'R' | b'b' | b'B' | b'u' | b'U') => start -= 1,
            _ => break,
        }
    }
    let glued = start > 0
        && bytes
            .get(start - 1)
            .is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    if glued { quote } else { start }
}

/// Offsets of the closing quote and behind it. A string of one line that is not closed ends with its line.
fn string_end(bytes: &[u8], from: usize, quote: u8, triple: bool) -> (usize, usize) {
    let mut at = from;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 1,
            b'\n' if !triple => return (at, at),
            b if *b == quote && !triple => return (at, at + 1),
            b if *b == quote && bytes.get(at + 1) == Some(&quote) && bytes.get(at + 2) == Some(&quote) => {
                return (at, at + 3);
            }
            _ => {}
        }
        at += 1;
    }
    (bytes.len(), bytes.len())
}

/// The pairs of brackets, sorted, and the logical lines.
pub(super) fn structure(mask: &str) -> (Vec<(usize, usize)>, Vec<Statement>) {
    let bytes = mask.as_bytes();
    let mut pairs = Vec::new();
    let mut open: Vec<(u8, usize)> = Vec::new();
    let mut statements = Vec::new();
    let mut start: Option<usize> = None;
    let mut indent = 0;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => open.push((*byte, at)),
            b')' | b']' | b'}' => {
                let wanted = match byte {
                    b')' => b'(',
                    b']' => b'[',
                    _ => b'{',
                };
                if open.last().is_some_and(|(kind, _)| *kind == wanted)
                    && let Some((_, from)) = open.pop()
                {
                    pairs.push((from, at));
                }
            }
            _ => {}
        }
        let continued = !open.is_empty() || at > 0 && bytes.get(at - 1) == Some(&b'\\');
        if *byte == b'\n' && !(continued && start.is_some()) {
            if let Some(from) = start.take() {
                push_statement(&mut statements, mask, from, at, indent);
            }
            indent = 0;
        } else if start.is_none() {
            match byte {
                b' ' => indent += 1,
                b'\t' => indent = (indent / 8 + 1) * 8,
                b'\r' | b'\n' => {}
                _ => start = Some(at),
            }
        }
    }
    if let Some(from) = start {
        push_statement(&mut statements, mask, from, mask.len(), indent);
    }
    pairs.sort_unstable();
    (pairs, statements)
}

fn push_statement(statements: &mut Vec<Statement>, mask: &str, start: usize, end: usize, indent: usize) {
    let code = mask.get(start..end).unwrap_or_default();
    statements.push(Statement {
        start,
        end: start + code.trim_end().len(),
        indent,
    });
}
