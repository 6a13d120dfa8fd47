//! The search for secrets in what the program printed: as they are, in the usual encodings, reversed, and in parts.

use std::fmt::Write as _;

use aho_corasick::{AhoCorasick, MatchKind};

use super::kinds::{Secret, in_json};

/// A part of this many characters of a secret is a leak.
const PART: usize = 8;
/// Secrets from this length on are searched for in parts.
const LONG: usize = 16;
/// A part of an encoded secret: of Base64 or hexadecimal digits fewer could be met by chance. Only every seventh is
/// searched for, which finds whatever is half as long again.
const ENCODED_PART: usize = 14;
/// Forms shorter than this can't be told from ordinary text.
const SHORTEST: usize = 6;

/// All forms of all secrets.
pub(crate) struct Forms {
    automaton: AhoCorasick,
    owners: Vec<usize>,
}

impl Forms {
    pub(crate) fn new(secrets: &[Secret]) -> Self {
        let mut owners = Vec::new();
        let mut patterns: Vec<String> = Vec::new();
        for (index, secret) in secrets.iter().enumerate() {
            for form in forms_of(secret).into_iter().filter(|form| form.len() >= SHORTEST) {
                patterns.push(form);
                owners.push(index);
            }
        }
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .build(&patterns)
            .expect("the patterns fit into an automaton");
        Self { automaton, owners }
    }

    /// The secrets of which something stands in the text: index and what was found.
    pub(crate) fn find<'t>(&self, text: &'t str) -> Vec<(usize, &'t str)> {
        let mut found: Vec<(usize, &str)> = self
            .automaton
            .find_overlapping_iter(text)
            .filter_map(|hit| {
                Some((
                    *self.owners.get(hit.pattern().as_usize())?,
                    text.get(hit.range())?,
                ))
            })
            .collect();
        found.sort_by_key(|(owner, part)| (*owner, std::cmp::Reverse(part.len())));
        found.dedup_by_key(|(owner, _)| *owner);
        found
    }
}

fn forms_of(secret: &Secret) -> Vec<String> {
    let text = secret.text.as_str();
    let bytes = text.as_bytes();
    let html = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    let mut forms = vec![
        text.to_owned(),
        text.trim().to_owned(),
        reversed(text),
        in_json(text),
        in_json(&in_json(text)),
        html.replace('"', "&quot;").replace('\'', "&#39;"),
        html.replace('"', "&quot;").replace('\'', "&#x27;"),
        html,
        text.replace('\'', "'\\''"),
        text.replace('\'', "''"),
        text.replace('|', "\\|"),
        percent(bytes, true),
        percent(bytes, false),
        percent(bytes, true).replace("%20", "+"),
    ];
    let nested: Vec<String> = forms
        .iter()
        .filter(|form| form.contains('\\'))
        .map(|form| in_json(form))
        .collect();
    forms.extend(nested);
    let hex: String = bytes.iter().fold(String::new(), |mut all, byte| {
        let _ = write!(all, "{byte:02x}");
        all
    });
    let mut encoded = vec![hex.to_uppercase(), hex];
    for alignment in 0..3 {
        encoded.push(base64(bytes, alignment));
        encoded.push(base64(bytes, alignment).replace('+', "-").replace('/', "_"));
        // Twice, as a Kubernetes Secret inside a sealed one has it.
        encoded.push(base64(base64(bytes, alignment).as_bytes(), 0));
    }
    if text.len() >= LONG {
        forms.extend(secret.parts(PART).map(str::to_owned));
        forms.extend(secret.parts(PART).step_by(PART / 2).map(reversed));
        for form in &encoded {
            let starts = (0..form.len().saturating_sub(ENCODED_PART)).step_by(ENCODED_PART / 2);
            forms.extend(starts.filter_map(|at| form.get(at..at + ENCODED_PART).map(str::to_owned)));
        }
    }
    forms.extend(encoded);
    forms
}

fn reversed(text: &str) -> String {
    text.chars().rev().collect()
}

fn percent(bytes: &[u8], upper: bool) -> String {
    let mut out = String::new();
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(*byte));
        } else if upper {
            let _ = write!(out, "%{byte:02X}");
        } else {
            let _ = write!(out, "%{byte:02x}");
        }
    }
    out
}

/// A password as it has to stand in an address.
pub(crate) fn in_address(text: &str) -> String {
    percent(text.as_bytes(), true)
}

/// Base64 without padding; of bytes behind `before` others, only what these bytes alone decide.
pub(crate) fn base64(bytes: &[u8], before: usize) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bits: Vec<u8> = vec![0; before * 8];
    bits.extend(
        bytes
            .iter()
            .flat_map(|byte| (0..8).rev().map(move |at| byte >> at & 1)),
    );
    if before == 0 {
        bits.resize(bits.len().div_ceil(6) * 6, 0);
    }
    let first = (before * 8).div_ceil(6);
    bits.chunks_exact(6)
        .skip(first)
        .map(|six| {
            let index = six.iter().fold(0, |sum, bit| sum << 1 | usize::from(*bit));
            char::from(ALPHABET[index])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_found_and_other_text_is_not() {
        let secret = Secret::whole(0, "Blue&Horse\"Lamp'9|x!".to_owned());
        let forms = Forms::new(std::slice::from_ref(&secret));
        for text in [
            "Blue&Horse\"Lamp'9|x!",
            "Blue&Horse\\\"Lamp'9|x!",
            "Blue&amp;Horse&quot;Lamp&#39;9|x!",
            "Blue%26Horse%22Lamp%279%7Cx%21",
            "Blue&Horse\"Lamp'9\\|x!",
            "!x|9'pmaL\"esroH&eulB",
            "426c756526486f727365224c616d7027397c7821",
            "Qmx1ZSZIb3JzZSJMYW1wJzl8eCE=",
            "eEJsdWUmSG9yc2UiTGFtcCc5fHgh",
            "eHhCbHVlJkhvcnNlIkxhbXAnOXx4IQ==",
            // Eight characters, and a part of the Base64.
            "… e&Horse\" …",
            "… sdWUmSG9yc2UiTGFtcCc5fHgh …",
        ] {
            assert_eq!(forms.find(&format!("a {text} b")).len(), 1, "{text}");
        }
        assert!(forms.find("a Blue Horse and a Lamp, 9 | x").is_empty());
        assert_eq!(base64(b"hunter2", 0), "aHVudGVyMg");
    }
}
