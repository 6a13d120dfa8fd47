//! One pass over a text that finds comments and strings.

use super::{BlockComment, Interpolation, Literal, StringKind, Syntax};
use crate::limits;
use crate::parse::{slice, tail};

/// What can start at a byte.
#[derive(Clone, Copy)]
enum Opening<'syntax> {
    Line(&'syntax str),
    Block(&'syntax BlockComment),
    String(&'syntax StringKind),
}

/// What the pass is in.
enum Frame<'syntax> {
    /// Code inside of an interpolation, with the brackets that are open in it.
    Code(&'syntax Interpolation, usize),
    /// A string, with the place of its literal in the list and the text that closes it.
    String(&'syntax StringKind, usize, String),
}

pub(super) fn mask(text: &str, syntax: &Syntax) -> (String, Vec<Literal>) {
    let mut pass = Pass {
        text,
        bytes: text.as_bytes(),
        code: text.as_bytes().to_vec(),
        literals: Vec::new(),
        frames: Vec::new(),
        openings: openings(syntax),
        syntax,
    };
    pass.run();
    // Whole characters were blanked, so this is UTF-8.
    (
        String::from_utf8(pass.code).unwrap_or_default(),
        pass.literals.into_iter().flatten().collect(),
    )
}

/// What can start at each byte, the longest first where one is the start of another.
fn openings(syntax: &Syntax) -> Vec<Vec<Opening<'_>>> {
    let mut table: Vec<Vec<Opening<'_>>> = vec![Vec::new(); 256];
    let mut comments: Vec<(usize, u8, Opening<'_>)> = Vec::new();
    for open in &syntax.line_comments {
        comments.extend(
            open.bytes()
                .next()
                .map(|byte| (open.len(), byte, Opening::Line(open))),
        );
    }
    for comment in &syntax.block_comments {
        comments.extend(
            comment
                .open
                .bytes()
                .next()
                .map(|byte| (comment.open.len(), byte, Opening::Block(comment))),
        );
    }
    comments.sort_by_key(|(length, _, _)| std::cmp::Reverse(*length));
    let strings = syntax
        .strings
        .iter()
        .filter_map(|kind| Some((kind.open.bytes().next()?, Opening::String(kind))));
    for (byte, opening) in comments
        .into_iter()
        .map(|(_, byte, opening)| (byte, opening))
        .chain(strings)
    {
        if let Some(list) = table.get_mut(usize::from(byte)) {
            list.push(opening);
        }
    }
    table
}

struct Pass<'text, 'syntax> {
    text: &'text str,
    bytes: &'text [u8],
    code: Vec<u8>,
    /// `None` for one that turned out not to be closed.
    literals: Vec<Option<Literal>>,
    frames: Vec<Frame<'syntax>>,
    openings: Vec<Vec<Opening<'syntax>>>,
    syntax: &'syntax Syntax,
}

impl<'syntax> Pass<'_, 'syntax> {
    fn run(&mut self) {
        let mut at = 0;
        while let Some(byte) = self.bytes.get(at).copied() {
            at = match self.frames.last() {
                Some(Frame::String(kind, literal, close)) => {
                    let (kind, literal, close) = (*kind, *literal, close.clone());
                    self.in_string(at, kind, literal, &close)
                }
                Some(Frame::Code(interpolation, depth)) => {
                    let (interpolation, depth) = (*interpolation, *depth);
                    self.in_interpolation(at, byte, interpolation, depth)
                }
                None => self.in_code(at, byte),
            };
        }
        // What is open at the end was no string.
        while let Some(frame) = self.frames.pop() {
            if let Frame::String(_, literal, _) = frame {
                self.forget(literal);
            }
        }
    }

    fn forget(&mut self, literal: usize) {
        if let Some(entry) = self.literals.get_mut(literal) {
            *entry = None;
        }
    }

    fn blank(&mut self, start: usize, end: usize) {
        let end = end.min(self.code.len());
        for byte in self.code.get_mut(start..end).unwrap_or_default() {
            if !matches!(byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
    }

    /// Code: the next offset to look at.
    fn in_code(&mut self, at: usize, byte: u8) -> usize {
        let candidates = self.openings.get(usize::from(byte)).map_or(0, Vec::len);
        for index in 0..candidates {
            let Some(opening) = self
                .openings
                .get(usize::from(byte))
                .and_then(|list| list.get(index))
                .copied()
            else {
                break;
            };
            let next = match opening {
                Opening::Line(open) => self.line_comment(at, open),
                Opening::Block(comment) => self.block_comment(at, comment),
                Opening::String(kind) => self.string(at, kind),
            };
            if let Some(next) = next {
                return next;
            }
        }
        at + 1
    }

    fn starts_with(&self, at: usize, what: &str) -> bool {
        self.bytes
            .get(at..)
            .is_some_and(|rest| rest.starts_with(what.as_bytes()))
    }

    fn line_comment(&mut self, at: usize, open: &str) -> Option<usize> {
        let after_blank = || at == 0 || self.bytes.get(at - 1).is_some_and(u8::is_ascii_whitespace);
        if !self.starts_with(at, open)
            || self
                .syntax
                .no_comments
                .iter()
                .any(|other| self.starts_with(at, other))
            || (self.syntax.comments_after_blank && !after_blank())
        {
            return None;
        }
        let rest = tail(self.text, at);
        let end = at + rest.find('\n').unwrap_or(rest.len());
        self.blank(at, end);
        Some(end)
    }

    fn block_comment(&mut self, at: usize, comment: &BlockComment) -> Option<usize> {
        let line_start = at == 0 || self.bytes.get(at - 1) == Some(&b'\n');
        if !self.starts_with(at, &comment.open) || (comment.at_line_start && !line_start) {
            return None;
        }
        let mut depth = 1_usize;
        let mut end = at + comment.open.len();
        while depth > 0 {
            let rest = tail(self.text, end);
            let close = rest.find(&comment.close);
            let open = if comment.nested {
                rest.find(&comment.open)
            } else {
                None
            };
            end = match (open, close) {
                (Some(open), Some(close)) if open < close => {
                    depth += 1;
                    end + open + comment.open.len()
                }
                (_, Some(close)) => {
                    depth -= 1;
                    end + close + comment.close.len()
                }
                (_, None) => self.text.len(),
            };
            if close.is_none() {
                break;
            }
        }
        self.blank(at, end);
        Some(end)
    }

    fn string(&mut self, at: usize, kind: &'syntax StringKind) -> Option<usize> {
        if !self.starts_with(at, &kind.open) || self.frames.len() >= limits::STRING_NESTING {
            return None;
        }
        let mut start = at;
        let mut close = kind.close.clone().unwrap_or_else(|| kind.open.clone());
        if !kind.prefixes.is_empty() {
            start = kind
                .prefixes
                .iter()
                .find_map(|prefix| self.prefixed(at, prefix))?;
        }
        if let Some(letter) = &kind.hashes {
            let hashes = self
                .bytes
                .get(..at)?
                .iter()
                .rev()
                .take(64)
                .take_while(|byte| **byte == b'#')
                .count();
            if letter.is_empty() && hashes == 0 {
                return None;
            }
            start = self.prefixed(at - hashes, letter)?;
            close.push_str(&"#".repeat(hashes));
        }
        let inner = at + kind.open.len();
        if kind.character {
            let end = self.character(inner, &close)?;
            self.blank(inner, end);
            let literal = Literal {
                start,
                end: end + close.len(),
                inner: inner..end,
                interpolated: false,
                raw: false,
            };
            self.literals.push(Some(literal));
            return Some(end + close.len());
        }
        let literal = Literal {
            start,
            end: inner,
            inner: inner..inner,
            interpolated: false,
            raw: kind.raw,
        };
        self.literals.push(Some(literal));
        self.frames
            .push(Frame::String(kind, self.literals.len() - 1, close));
        Some(inner)
    }

    /// The offset of a prefix that stands directly before an offset and is no part of a longer word.
    fn prefixed(&self, at: usize, prefix: &str) -> Option<usize> {
        let start = at.checked_sub(prefix.len())?;
        let found = self.bytes.get(start..at)?.eq_ignore_ascii_case(prefix.as_bytes());
        let before = start.checked_sub(1).and_then(|before| self.bytes.get(before));
        let whole =
            prefix.is_empty() || !before.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
        (found && whole).then_some(start)
    }

    /// The end of a character literal: one character or one escape.
    fn character(&self, inner: usize, close: &str) -> Option<usize> {
        let rest = tail(self.text, inner);
        let letter = rest.chars().next()?;
        let length = if letter == '\\' {
            // `\n`, `\'`, `\x41`, `\u{1F600}`
            let behind = tail(rest, 1);
            let first = behind.chars().next()?.len_utf8();
            1 + first + slice(behind, first, (first + 12).min(behind.len())).find(close)?
        } else {
            letter.len_utf8()
        };
        (tail(rest, length).starts_with(close) && !rest.starts_with(['\n', '\''])).then_some(inner + length)
    }

    fn in_string(&mut self, at: usize, kind: &'syntax StringKind, literal: usize, close: &str) -> usize {
        // Nothing before the next of these bytes can matter.
        let first_close = close.bytes().next().unwrap_or(b'"');
        let first_open = kind
            .interpolation
            .as_ref()
            .and_then(|interpolation| interpolation.open.bytes().next());
        let matters =
            |byte: &u8| *byte == first_close || matches!(byte, b'\\' | b'\n') || Some(*byte) == first_open;
        let skipped = self
            .bytes
            .get(at..)
            .map_or(0, |rest| rest.iter().position(matters).unwrap_or(rest.len()));
        self.blank(at, at + skipped);
        let at = at + skipped;
        let Some(byte) = self.bytes.get(at).copied() else {
            return at;
        };
        if let Some(interpolation) = &kind.interpolation
            && self.starts_with(at, &interpolation.open)
        {
            let length = interpolation.open.len();
            if interpolation.doubled && self.starts_with(at + length, &interpolation.open) {
                self.blank(at, at + 2 * length);
                return at + 2 * length;
            }
            if let Some(Some(entry)) = self.literals.get_mut(literal) {
                entry.interpolated = true;
            }
            self.blank(at, at + length);
            self.frames.push(Frame::Code(interpolation, 0));
            return at + length;
        }
        if self.starts_with(at, close) {
            if kind.doubled && self.starts_with(at + close.len(), close) {
                self.blank(at, at + 2 * close.len());
                return at + 2 * close.len();
            }
            if let Some(Some(entry)) = self.literals.get_mut(literal) {
                entry.inner.end = at;
                entry.end = at + close.len();
            }
            self.frames.pop();
            return at + close.len();
        }
        match byte {
            b'\\' if !kind.raw => {
                let length = tail(self.text, at + 1).chars().next().map_or(0, char::len_utf8);
                let line_end = self.bytes.get(at + 1) == Some(&b'\n');
                self.blank(at, at + 1 + length);
                if line_end { at + 1 } else { at + 1 + length }
            }
            b'\n' if !kind.lines && !self.continued(at) => {
                self.newline();
                at + 1
            }
            _ => {
                self.blank(at, at + 1);
                at + 1
            }
        }
    }

    /// Whether a backslash stands before the line end.
    fn continued(&self, at: usize) -> bool {
        let before = self.bytes.get(..at).unwrap_or_default();
        let before = before.strip_suffix(b"\r").unwrap_or(before);
        before.ends_with(b"\\")
    }

    /// A line ends: strings that may not span lines end too, and were none.
    fn newline(&mut self) {
        let keep = self
            .frames
            .iter()
            .position(|frame| matches!(frame, Frame::String(kind, _, _) if !kind.lines));
        let Some(keep) = keep else { return };
        while self.frames.len() > keep {
            if let Some(Frame::String(_, literal, _)) = self.frames.pop() {
                self.forget(literal);
            }
        }
    }

    fn in_interpolation(
        &mut self,
        at: usize,
        byte: u8,
        interpolation: &'syntax Interpolation,
        depth: usize,
    ) -> usize {
        let set = |pass: &mut Self, depth: usize| {
            if let Some(Frame::Code(_, open)) = pass.frames.last_mut() {
                *open = depth;
            }
        };
        match byte {
            b'\n' => {
                self.newline();
                at + 1
            }
            b'(' | b'[' | b'{' => {
                set(self, depth + 1);
                at + 1
            }
            b')' | b']' | b'}' if depth > 0 => {
                set(self, depth - 1);
                at + 1
            }
            _ if self.starts_with(at, &interpolation.close) => {
                self.blank(at, at + interpolation.close.len());
                self.frames.pop();
                at + interpolation.close.len()
            }
            _ => self.in_code(at, byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Masked, Syntax, mask};

    fn python() -> Syntax {
        toml::from_str(
            r##"line-comments = ["#"]
            strings = [
                { prefixes = ["f"], open = '"', interpolation = { open = "{", close = "}", doubled = true } },
                { open = '"""', lines = true },
                { open = '"' },
                { open = "'" },
            ]"##,
        )
        .expect("valid")
    }

    fn rust() -> Syntax {
        toml::from_str(
            r#"line-comments = ["//"]
            block-comments = [{ open = "/*", close = "*/", nested = true }]
            strings = [{ hashes = "r", open = '"', raw = true, lines = true }, { open = '"', lines = true }, { open = "'", character = true }]"#,
        )
        .expect("valid")
    }

    fn values(text: &str, masked: &Masked) -> Vec<String> {
        masked
            .literals()
            .iter()
            .map(|literal| literal.value(text).map_or_else(|| "?".to_owned(), Into::into))
            .collect()
    }

    #[test]
    fn comments_and_contents_are_blanked_and_nothing_moves() {
        let text = "a = \"é#b\" # \"c\"\nd = 'e\\'f' + \"\"\"g\n\"h\"\"\"\n";
        let masked = mask(text, &python());
        assert_eq!(
            masked.code(),
            "a = \"    \"      \nd = '    ' + \"\"\" \n  \"\"\"\n"
        );
        assert_eq!(masked.code().len(), text.len());
        assert_eq!(values(text, &masked), ["é#b", "e'f", "g\n\"h"]);
    }

    #[test]
    fn code_in_strings_stays_code() {
        let text = "x = f\"a {b('c')} {{d}} {e}\"";
        let masked = mask(text, &python());
        assert_eq!(masked.code(), "x = f\"   b(' ')         e \"");
        assert_eq!(values(text, &masked), ["?", "c"]);
        assert_eq!(masked.literals()[0].start, 4);
    }

    #[test]
    fn an_open_string_ends_with_its_line() {
        let text = "don't look\nos.getenv('X')\n\"open";
        let masked = mask(text, &python());
        assert_eq!(masked.code(), "don'      \nos.getenv(' ')\n\"    ");
        assert_eq!(values(text, &masked), ["X"]);
    }

    #[test]
    fn lifetimes_characters_and_raw_strings() {
        let text = "fn a<'b>(c: &'b str) { '\"'; '\\''; r#\"d\"e\"#; /* f /* g */ h */ \"i\nj\" }";
        let masked = mask(text, &rust());
        assert_eq!(
            masked.code(),
            "fn a<'b>(c: &'b str) { ' '; '  '; r#\"   \"#;                   \" \n \" }"
        );
        assert_eq!(values(text, &masked), ["\"", "'", "d\"e", "i\nj"]);
    }

    #[test]
    fn deep_nesting_ends() {
        let masked = mask(&"f\"{".repeat(50_000), &python());
        assert_eq!(masked.code().len(), 150_000);
        let masked = mask(&"/*".repeat(50_000), &rust());
        assert!(masked.code().trim().is_empty());
    }
}
