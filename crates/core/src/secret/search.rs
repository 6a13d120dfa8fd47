//! The search for withheld values in finished text, in every form that text usually takes.

use std::fmt::Write as _;

use super::{Withheld, is_random_run, token_kind};
use crate::raw::Raw;

/// Forms shorter than this are not searched for: they can't be told from ordinary text.
const HEAD: usize = 6;
/// Length of the fragments that random values are cut into.
const FRAGMENT: usize = 8;
/// Values from this length on are searched for by fragments too.
const LONG: usize = 16;
/// Bits of the filter that most positions of a text are turned away by.
const FILTER_BITS: usize = 1 << 18;

/// Every form of every withheld value, ready for the search: as it is, percent-encoded, base64 (three alignments, both
/// alphabets), hexadecimal, escaped for JSON, HTML and the shell, reversed, and the fragments of random values.
pub struct Search {
    /// First bytes and index of each form, sorted by the first bytes.
    heads: Vec<(u64, u32)>,
    forms: Vec<Box<str>>,
    filter: Vec<u64>,
}

/// A place where a form of a withheld value stands.
#[derive(Clone, Copy)]
pub struct Hit<'s> {
    /// Offset in bytes.
    pub at: usize,
    /// The form that was found. Not printable.
    pub form: Raw<'s>,
}

impl Search {
    /// Prepares the search. Cost grows with the total length of the values.
    pub fn new(withheld: &Withheld) -> Self {
        let mut forms: Vec<Box<str>> = Vec::new();
        for value in withheld.values() {
            forms.extend(
                forms_of(value.peek())
                    .into_iter()
                    .filter(|form| form.len() >= HEAD)
                    .map(String::into_boxed_str),
            );
        }
        forms.sort_unstable();
        forms.dedup();
        let mut filter = vec![0_u64; FILTER_BITS / 64];
        let mut heads: Vec<(u64, u32)> = Vec::with_capacity(forms.len());
        for (index, form) in forms.iter().enumerate() {
            let (Some(head), Ok(index)) = (head_of(form.as_bytes()), u32::try_from(index)) else {
                continue;
            };
            let (word, bit) = place(head);
            if let Some(slot) = filter.get_mut(word) {
                *slot |= bit;
            }
            heads.push((head, index));
        }
        heads.sort_unstable();
        Self { heads, forms, filter }
    }

    /// Every hit, from the start of the text.
    pub fn find<'s>(&'s self, text: &'s str) -> impl Iterator<Item = Hit<'s>> {
        let bytes = text.as_bytes();
        let positions = if self.heads.is_empty() { 0 } else { bytes.len() };
        (0..positions).flat_map(move |at| {
            let rest = bytes.get(at..).unwrap_or_default();
            let head = head_of(rest).filter(|head| {
                let (word, bit) = place(*head);
                self.filter.get(word).is_some_and(|slot| slot & bit != 0)
            });
            head.into_iter().flat_map(move |head| {
                let from = self.heads.partition_point(|(other, _)| *other < head);
                self.heads
                    .iter()
                    .skip(from)
                    .take_while(move |(other, _)| *other == head)
                    .filter_map(|(_, index)| self.forms.get(usize::try_from(*index).ok()?))
                    .filter(move |form| rest.starts_with(form.as_bytes()))
                    .map(move |form| Hit {
                        at,
                        form: Raw::new(form),
                    })
            })
        })
    }
}

fn head_of(bytes: &[u8]) -> Option<u64> {
    let head = bytes.get(..HEAD)?;
    Some(head.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

fn place(head: u64) -> (usize, u64) {
    let mixed = head.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 46;
    let index = usize::try_from(mixed).unwrap_or_default() % FILTER_BITS;
    (index / 64, 1 << (index % 64))
}

fn forms_of(value: &str) -> Vec<String> {
    let bytes = value.as_bytes();
    let mut forms = vec![value.to_owned(), value.trim().to_owned()];
    forms.extend([
        percent(bytes, false),
        percent(bytes, true),
        percent(bytes, true).replace("%20", "+"),
    ]);
    for alphabet in [STANDARD, URL_SAFE] {
        for shift in 0..3 {
            forms.push(base64(bytes, shift, alphabet));
        }
    }
    let mut hex = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(hex, "{byte:02x}");
    }
    forms.push(hex.to_ascii_uppercase());
    forms.push(hex);
    forms.push(in_json(value));
    let html = value
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    forms.push(html.replace('"', "&quot;").replace('\'', "&#39;"));
    forms.push(html.replace('"', "&quot;").replace('\'', "&#x27;"));
    forms.push(html);
    forms.push(value.replace('\'', "'\\''"));
    let escaped = |keep: fn(char) -> bool| {
        value.chars().fold(String::new(), |mut out, c| {
            if !keep(c) {
                out.push('\\');
            }
            out.push(c);
            out
        })
    };
    forms.push(escaped(|c| {
        c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ':' | '@' | '=' | '+' | ',')
    }));
    forms.push(escaped(|c| !matches!(c, '"' | '$' | '`' | '\\')));
    // Markdown's own escapes.
    forms.push(value.replace('|', "\\|"));
    forms.push(value.chars().rev().collect());
    // What was escaped for a shell, inside JSON.
    let nested: Vec<String> = forms
        .iter()
        .filter(|form| form.contains(['\\', '"']))
        .map(|form| in_json(form))
        .collect();
    forms.extend(nested);
    if value.len() >= LONG {
        forms.extend(fragments(value));
    }
    forms
}

/// The text between the quotes of JSON.
fn in_json(text: &str) -> String {
    let json = serde_json::to_string(text).unwrap_or_default();
    json.get(1..json.len().saturating_sub(1))
        .unwrap_or_default()
        .to_owned()
}

/// Eight characters each of the runs that no one would write. Words are not cut: their parts stand in honest text.
fn fragments(value: &str) -> Vec<String> {
    value
        .split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '_' | '-')))
        .filter(|run| {
            run.len() >= LONG
                && (is_random_run(run)
                    || token_kind(run).is_some()
                    || run.split(['-', '_']).any(is_random_run))
        })
        .flat_map(|run| run.as_bytes().windows(FRAGMENT))
        .filter(|window| {
            let digits = window.iter().filter(|b| b.is_ascii_digit()).count();
            let upper = window.iter().filter(|b| b.is_ascii_uppercase()).count();
            let lower = window.iter().filter(|b| b.is_ascii_lowercase()).count();
            let classes = [digits, upper, lower]
                .into_iter()
                .filter(|count| *count > 0)
                .count();
            classes >= 2 && digits < FRAGMENT - 1 && (digits > 0 || upper > 1 && lower > 1)
        })
        .filter_map(|window| std::str::from_utf8(window).ok().map(str::to_owned))
        .collect()
}

fn percent(bytes: &[u8], upper: bool) -> String {
    let mut out = String::with_capacity(bytes.len() * 3);
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(*byte));
        } else if upper {
            let _ = write!(out, "%{byte:02X}");
        } else {
            let _ = write!(out, "%{byte:02x}");
        }
    }
    out
}

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The base64 characters that depend on these bytes alone, when `shift` other bytes stand before them.
fn base64(bytes: &[u8], shift: usize, alphabet: &[u8; 64]) -> String {
    let bit = |at: usize| -> usize {
        let byte = bytes
            .get((at / 8).wrapping_sub(shift))
            .copied()
            .unwrap_or_default();
        usize::from(byte >> (7 - at % 8) & 1)
    };
    let first = (shift * 8).div_ceil(6);
    let end = (shift + bytes.len()) * 8 / 6;
    (first..end)
        .filter_map(|index| {
            let value = (0..6).fold(0, |sum, offset| sum << 1 | bit(index * 6 + offset));
            alphabet.get(value).map(|byte| char::from(*byte))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_at_three_alignments() {
        // "hunter22" as it is, behind one and behind two other bytes.
        assert_eq!(base64(b"hunter22", 0, STANDARD), "aHVudGVyMj");
        for (shift, whole) in [(1, "eGh1bnRlcjIyeA=="), (2, "eHhodW50ZXIyMng=")] {
            let part = base64(b"hunter22", shift, STANDARD);
            assert!(part.len() >= 8 && whole.contains(&part), "{shift}");
        }
    }

    #[test]
    fn words_are_not_cut_into_fragments() {
        assert!(fragments("postgresql://app-database.internal.example/production").is_empty());
        assert!(!fragments("k7Q2zR5m9Xw3Tb8Hp4").is_empty());
    }
}
