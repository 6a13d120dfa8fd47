//! Arguments, lists, dictionaries, texts and numbers.

use super::text::Text;
use super::{Argument, Call, Code, Piece, Span};

impl<'a> Code<'a> {
    /// The arguments of a call.
    pub(in super::super) fn arguments(&self, call: &Call<'_>) -> Vec<Argument<'a>> {
        self.items(Span {
            start: call.open + 1,
            end: call.close,
        })
        .into_iter()
        .map(|span| self.argument(span))
        .collect()
    }

    fn argument(&self, span: Span) -> Argument<'a> {
        let code = self.code(span.start, span.end);
        let name_end = code
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(code.len());
        let rest = code.get(name_end..).unwrap_or_default();
        let blanks = rest.len() - rest.trim_start().len();
        if name_end > 0 && rest.trim_start().starts_with('=') && !rest.trim_start().starts_with("==") {
            return Argument {
                keyword: self.text.get(span.start..span.start + name_end),
                value: self.trimmed(span.start + name_end + blanks + 1, span.end),
            };
        }
        Argument {
            keyword: None,
            value: span,
        }
    }

    /// What stands between the commas of a span, brackets inside kept whole. Empty items are left out.
    pub(in super::super) fn items(&self, span: Span) -> Vec<Span> {
        self.split(span, b',')
    }

    /// What stands between the separators of a span, brackets inside kept whole.
    pub(in super::super) fn split(&self, span: Span, separator: u8) -> Vec<Span> {
        let bytes = self.mask.as_bytes();
        let mut found = Vec::new();
        let mut from = span.start;
        let mut at = span.start;
        while at < span.end {
            match bytes.get(at) {
                Some(b'(' | b'[' | b'{') => at = self.closing(at).unwrap_or(at),
                Some(byte) if *byte == separator => {
                    found.push(self.trimmed(from, at));
                    from = at + 1;
                }
                None => break,
                _ => {}
            }
            at += 1;
        }
        found.push(self.trimmed(from, span.end));
        found.retain(|item| item.start < item.end && !self.code_of(*item).is_empty());
        // A comment before an item belongs to nothing.
        found.into_iter().map(|item| self.without_comment(item)).collect()
    }

    pub(super) fn without_comment(&self, span: Span) -> Span {
        let code = self.code(span.start, span.end);
        let blank = code.len() - code.trim_start().len();
        Span {
            start: span.start + blank,
            end: span.start + code.trim_end().len(),
        }
    }

    /// The items of a list, tuple or set literal (or of a call of `list`, `tuple` or `set` with one).
    pub(in super::super) fn list(&self, span: Span) -> Option<Vec<Span>> {
        let code = self.code_of(span);
        if !code.starts_with(['[', '(', '{']) || self.closing(span.start)? + 1 != span.end {
            return None;
        }
        Some(self.items(Span {
            start: span.start + 1,
            end: span.end - 1,
        }))
    }

    /// Keys and values of a dictionary literal; keys that are no plain strings are left out.
    pub(in super::super) fn dictionary(&self, span: Span) -> Vec<(String, Span)> {
        let Some(items) = self.list(span) else {
            return Vec::new();
        };
        items
            .into_iter()
            .filter_map(|item| {
                let colon = self.split(item, b':');
                let (key, first_value) = (colon.first()?, colon.get(1)?);
                Some((
                    self.string(*key)?,
                    Span {
                        start: first_value.start,
                        end: item.end,
                    },
                ))
            })
            .collect()
    }

    /// The text of a span that is nothing but string literals, put together. `None` for formatted strings with
    /// expressions in them.
    pub(in super::super) fn string(&self, span: Span) -> Option<String> {
        let mut span = self.without_comment(span);
        // Parentheses around a literal that spans lines.
        while self.code_of(span).starts_with('(') && self.closing(span.start)? + 1 == span.end {
            span = self.without_comment(Span {
                start: span.start + 1,
                end: span.end - 1,
            });
        }
        let parts = self.strings_in(span);
        let mut rest = self.code(span.start, span.end).to_owned();
        let mut whole = String::new();
        for part in &parts {
            let content = self.text.get(part.content.0..part.content.1)?;
            if part.formatted && content.contains('{') {
                return None;
            }
            if part.raw {
                whole.push_str(content);
            } else {
                whole.push_str(&unescaped(content));
            }
            let (from, to) = (
                part.start.checked_sub(span.start)?,
                part.end.checked_sub(span.start)?,
            );
            rest.get(from..to)?;
            rest.replace_range(from..to, &" ".repeat(to - from));
        }
        (!parts.is_empty() && rest.trim().is_empty()).then_some(whole)
    }

    /// The pieces of a string literal: text and code in turn. `f"{settings.API}/x"` is code and text.
    pub(in super::super) fn pieces(&self, span: Span) -> Vec<Piece<'a>> {
        let mut found = Vec::new();
        for part in self.strings_in(span) {
            let content = self.text.get(part.content.0..part.content.1).unwrap_or_default();
            if !part.formatted {
                found.push(Piece::Text(content));
                continue;
            }
            let mut rest = content;
            while let Some((text, after)) = rest.split_once('{') {
                if !text.is_empty() {
                    found.push(Piece::Text(text));
                }
                let (code, behind) = after.split_once('}').unwrap_or((after, ""));
                found.push(Piece::Code(code.trim()));
                rest = behind;
            }
            if !rest.is_empty() {
                found.push(Piece::Text(rest));
            }
        }
        found
    }

    pub(super) fn strings_in(&self, span: Span) -> Vec<&Text> {
        let from = self.strings.partition_point(|text| text.start < span.start);
        self.strings
            .iter()
            .skip(from)
            .take_while(|text| text.end <= span.end)
            .collect()
    }

    /// The texts of all plain string literals in a span.
    pub(in super::super) fn texts_in(&self, span: Span) -> Vec<(&'a str, usize)> {
        self.strings_in(span)
            .iter()
            .filter_map(|part| Some((self.text.get(part.content.0..part.content.1)?, part.start)))
            .collect()
    }

    /// A span that is a name with dots, such as `settings.API_V1_STR`.
    pub(in super::super) fn path(&self, span: Span) -> Option<&'a str> {
        let span = self.without_comment(span);
        let code = self.code_of(span);
        let named = code.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && code
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
        named.then(|| self.written(span))
    }

    /// A number in a span.
    pub(in super::super) fn number(&self, span: Span) -> Option<u64> {
        self.code_of(self.without_comment(span))
            .replace('_', "")
            .parse()
            .ok()
    }
}

fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            out.push(letter);
            continue;
        }
        match letters.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('\n') | None => {}
            Some(c @ ('\\' | '"' | '\'')) => out.push(c),
            Some(other) => {
                out.push('\\');
                out.push(other);
            }
        }
    }
    out
}
