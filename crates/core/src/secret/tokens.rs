//! The shapes that vendors give to their credentials.

use std::sync::{LazyLock, OnceLock};

use regex::{Regex, RegexSet};
use serde::Deserialize;

/// One shape of `patterns.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenShape {
    /// What it is called.
    pub id: String,
    /// Kind of credential, as the inventory calls it.
    pub kind: String,
    regex: String,
    literal: Vec<String>,
    /// How many digits a match has to hold.
    #[serde(default)]
    digits: usize,
    /// May stand in the middle of a word.
    #[serde(default)]
    inside: bool,
    /// Also the shape of harmless things, such as the id of a tenant: withheld, but no proof of a leak.
    #[serde(default)]
    pub loose: bool,
    examples: Vec<Vec<String>>,
    counter: Vec<String>,
    #[serde(skip)]
    compiled: OnceLock<Option<Regex>>,
}

impl TokenShape {
    /// The examples of the data file, put together with made-up characters. For tests.
    pub fn examples(&self) -> Vec<String> {
        self.examples
            .iter()
            .map(|parts| parts.iter().map(|part| made_up(part)).collect())
            .collect()
    }

    /// Texts that are no such credential. For tests.
    pub fn counter_examples(&self) -> impl Iterator<Item = &str> {
        self.counter.iter().map(String::as_str)
    }

    fn pattern(&self) -> String {
        if self.inside {
            format!("(?-u:{})", self.regex)
        } else {
            format!("(?:^|[^A-Za-z0-9])(?-u:{})", self.regex)
        }
    }

    /// Could the shape stand in the text? A cheap test for its fixed part.
    pub fn may_be_in(&self, text: &str) -> bool {
        self.literal.iter().any(|literal| text.contains(literal.as_str()))
    }

    /// The places where the shape stands.
    pub fn find<'t>(&'t self, text: &'t str) -> impl Iterator<Item = &'t str> + 't {
        self.compiled
            .get_or_init(|| Regex::new(&self.pattern()).ok())
            .iter()
            .flat_map(move |regex| regex.find_iter(text))
            .map(|found| found.as_str())
            .filter(|found| found.bytes().filter(u8::is_ascii_digit).count() >= self.digits)
    }
}

struct Engine {
    shapes: Vec<TokenShape>,
    literals: Option<Regex>,
}

#[derive(Deserialize)]
struct File {
    token: Vec<TokenShape>,
}

static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let shapes =
        toml::from_str::<File>(include_str!("patterns.toml")).map_or_else(|_| Vec::new(), |file| file.token);
    let literals: Vec<String> = shapes
        .iter()
        .flat_map(|shape| &shape.literal)
        .map(|text| regex::escape(text))
        .collect();
    Engine {
        literals: Regex::new(&format!("(?-u:{})", literals.join("|"))).ok(),
        shapes,
    }
});

/// All shapes at once; most texts hold none of the literals and never need it.
static SET: LazyLock<Option<RegexSet>> =
    LazyLock::new(|| RegexSet::new(ENGINE.shapes.iter().map(TokenShape::pattern)).ok());

/// Every known shape.
pub fn token_shapes() -> &'static [TokenShape] {
    &ENGINE.shapes
}

/// The shapes that stand in the text.
pub(super) fn shapes_in(text: &str) -> impl Iterator<Item = &'static TokenShape> {
    let engine = &*ENGINE;
    let possible = text.len() >= 12
        && engine
            .literals
            .as_ref()
            .is_none_or(|literals| literals.is_match(text));
    let matches = possible
        .then(|| SET.as_ref().map(|set| set.matches(text)))
        .flatten();
    matches
        .into_iter()
        .flatten()
        .filter_map(|index| engine.shapes.get(index))
        .filter(|shape| shape.digits == 0 || shape.find(text).next().is_some())
        .collect::<Vec<_>>()
        .into_iter()
}

/// Does a known shape stand in the text?
pub(super) fn has_shape(text: &str) -> bool {
    shapes_in(text).next().is_some()
}

/// The kind of credential whose shape the text has.
pub fn token_kind(text: &str) -> Option<&'static str> {
    shapes_in(text).next().map(|shape| shape.kind.as_str())
}

/// `{alnum:36}` becomes that many characters of the class; anything else stays.
fn made_up(part: &str) -> String {
    let inner = part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    let Some((class, count)) = inner.and_then(|inner| inner.split_once(':')) else {
        return part.to_owned();
    };
    let alphabet: &[u8] = match class {
        "hex" => b"7f3a09c51e8b2d46",
        "upper" => b"Q7K2ZR5M9XW3TB8HP4CJ6N",
        "lower" => b"k7q2zr5m9xw3tb8hp4cj6n",
        "digit" => b"7302918465",
        "word" => b"k7Q2-zR5m9X_w3Tb8Hp4cJ6n",
        _ => b"k7Q2zR5m9Xw3Tb8Hp4cJ6n",
    };
    let count: usize = count.parse().unwrap_or(0);
    (0..count)
        .filter_map(|at| alphabet.get((at * 5 + at / 7 * 3) % alphabet.len()))
        .map(|byte| char::from(*byte))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_finds_its_examples_and_no_counter_example() {
        assert!(token_shapes().len() >= 60);
        for shape in token_shapes() {
            assert!(
                !shape.examples.is_empty() && !shape.counter.is_empty(),
                "{}",
                shape.id
            );
            for text in shape.examples() {
                assert!(
                    shape.find(&text).next().is_some(),
                    "{}: example is not found",
                    shape.id
                );
                assert!(
                    shape.literal.iter().any(|l| text.contains(l.as_str())),
                    "{}: literal",
                    shape.id
                );
                assert!(has_shape(&text), "{}", shape.id);
                assert!(has_shape(&format!("x=\"{text}\"")), "{}", shape.id);
            }
            for text in &shape.counter {
                assert!(
                    shapes_in(text).next().is_none(),
                    "{}: counter-example {text}",
                    shape.id
                );
            }
        }
    }

    #[test]
    fn ids_are_unique() {
        let mut ids: Vec<&str> = token_shapes().iter().map(|shape| shape.id.as_str()).collect();
        ids.sort_unstable();
        let all = ids.len();
        ids.dedup();
        assert_eq!(ids.len(), all);
    }
}
