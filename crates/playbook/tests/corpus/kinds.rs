//! The kinds of secrets in `kinds.toml`, and secrets made of them.

use serde_json::Value;

use super::random::Random;

/// Who makes secrets of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Maker {
    /// No one would write such a text: it is recognised wherever it stands.
    Machine,
    /// It is a secret by the place it stands in.
    Human,
}

/// A kind of secret.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) name: String,
    pub(crate) maker: Maker,
    text: String,
}

/// A made-up secret.
#[derive(Debug, Clone)]
pub(crate) struct Secret {
    /// Index of its kind.
    pub(crate) kind: usize,
    /// What stands in the repository.
    pub(crate) text: String,
    /// For each byte of the text: was it made up? What a vendor puts before its tokens is no secret.
    made_up: Vec<bool>,
}

impl Secret {
    /// A text that is secret as a whole.
    pub(crate) fn whole(kind: usize, text: String) -> Self {
        let made_up = vec![true; text.len()];
        Self { kind, text, made_up }
    }

    /// The parts of so many bytes that give away what was made up: at most two characters are the vendor's.
    pub(crate) fn parts(&self, length: usize) -> impl Iterator<Item = &str> {
        (0..self.text.len().saturating_sub(length - 1)).filter_map(move |at| {
            let made_up = self.made_up.get(at..at + length)?;
            let own = made_up.iter().filter(|own| **own).count();
            self.text.get(at..at + length).filter(|_| own + 2 >= length)
        })
    }
}

/// Every kind.
pub(crate) fn kinds() -> Vec<Kind> {
    let table: toml::Table = include_str!("kinds.toml").parse().expect("kinds.toml is TOML");
    super::parts(&table, "kind")
        .map(|kind| {
            let text = |key: &str| {
                let value = kind.get(key).and_then(toml::Value::as_str);
                value.unwrap_or_else(|| panic!("kinds.toml: no {key}")).to_owned()
            };
            Kind {
                name: text("name"),
                maker: match text("written-by").as_str() {
                    "machine" => Maker::Machine,
                    "human" => Maker::Human,
                    other => panic!("kinds.toml: no maker {other}"),
                },
                text: text("text"),
            }
        })
        .collect()
}

impl Kind {
    /// A secret of this kind.
    pub(crate) fn make(&self, index: usize, random: &mut Random) -> Secret {
        let mut text = String::new();
        let mut made_up = Vec::new();
        let mut rest = self.text.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            let (class, behind) = after.split_once('}').expect("kinds.toml: a class is closed");
            let (class, length) = class.split_once(':').expect("kinds.toml: a class has a length");
            let part = random.text(class, length.parse().expect("kinds.toml: a length is a number"));
            made_up.extend(
                before
                    .bytes()
                    .map(|_| false)
                    .chain(part.bytes().map(|_| class != "id")),
            );
            text.push_str(before);
            text.push_str(&part);
            rest = behind;
        }
        made_up.extend(rest.bytes().map(|_| false));
        text.push_str(rest);
        Secret {
            kind: index,
            text,
            made_up,
        }
    }
}

/// The text inside the quotes of JSON.
pub(crate) fn in_json(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted
        .trim_start_matches('"')
        .strip_suffix('"')
        .unwrap_or_default()
        .to_owned()
}
