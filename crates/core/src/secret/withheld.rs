//! The values that were read and may not be printed.

use std::collections::BTreeSet;
use std::fmt;

use crate::raw::Raw;

/// Values that the finished text is searched for. It is held for the length of one run and prints nothing.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Withheld {
    values: BTreeSet<Box<str>>,
}

/// Shorter values can't be told from ordinary text.
const SHORTEST: usize = 6;

impl Withheld {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Remembers a value, without the quotes and blanks around it. Values that are too short or too ordinary to be
    /// searched for (numbers, switches, paths, single dictionary words such as `postgres`) are not kept: they can't be
    /// told from the plan's own words. They are not printed as values either way.
    pub fn add(&mut self, raw: Raw<'_>) {
        let text = raw.peek().trim().trim_matches(['"', '\'', '`']).trim();
        if text.len() < SHORTEST || text.len() > 10_000 || is_ordinary(text) {
            return;
        }
        self.values.insert(text.into());
        // The password inside an address is a secret of its own.
        if let Some((_, rest)) = text.split_once("://")
            && let Some((user_info, _)) = rest.rsplit_once('@')
        {
            let password = user_info
                .split_once(':')
                .map_or(user_info, |(_, password)| password);
            self.keep_part(password);
        }
        // So is the one in a query (`?password=…`) and in a list of pairs (`Server=db;Password=…`).
        for pair in text.split(['?', '&', ';', ' ']) {
            if let Some((name, value)) = pair.split_once('=')
                && super::is_secret_name(name)
            {
                self.keep_part(value);
            }
        }
    }

    fn keep_part(&mut self, part: &str) {
        let part = part.trim_matches(['"', '\'']);
        if part.len() >= SHORTEST && !is_ordinary(part) {
            self.values.insert(part.into());
        }
    }

    /// Takes over the values of another set.
    pub fn extend(&mut self, other: Self) {
        self.values.extend(other.values);
    }

    /// Is there nothing to search for?
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Is this text exactly one of the values, or does it hold one?
    pub fn is_in(&self, text: &str) -> bool {
        text.len() >= SHORTEST && self.values.iter().any(|value| text.contains(&**value))
    }

    /// Every value, for the gate's search.
    pub fn values(&self) -> impl Iterator<Item = Raw<'_>> {
        self.values.iter().map(|value| Raw::new(value))
    }
}

impl fmt::Debug for Withheld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Withheld(..)")
    }
}

/// Text that says nothing by itself: the plan may hold it for its own reasons.
fn is_ordinary(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    text.chars()
        .all(|c| c.is_ascii_digit() || matches!(c, '.' | ':' | '-' | '/' | ' '))
        || text.starts_with(['$', '<', '{', '/', '.'])
        || lower.bytes().all(|b| b.is_ascii_lowercase()) && text.len() <= 12
        || only_refers(text)
        || crate::harmless::Setting::parse(raw_of(text)).is_some()
}

/// An address or a text whose secret parts are references: `postgresql://${USER}:${PASSWORD}@db/app`.
fn only_refers(text: &str) -> bool {
    let user_info = text
        .split_once("://")
        .and_then(|(_, rest)| rest.rsplit_once('@'))
        .map(|(user_info, _)| {
            user_info
                .rsplit_once(':')
                .map_or(user_info, |(_, password)| password)
        });
    let reference = |part: &str| {
        part.starts_with("${") && !part.contains(":-") || part.starts_with("{{") || part.starts_with("$(")
    };
    user_info.is_some_and(reference) || text.contains("${{") && text.ends_with("}}")
}

fn raw_of(text: &str) -> Raw<'_> {
    Raw::new(text)
}

/// Is the value a stand-in that its author never meant to be used: `changeme`, `your-key-here`, `<secret>`, `xxx`?
pub fn is_placeholder(text: &str) -> bool {
    let lower = text.trim().trim_matches(['"', '\'']).to_ascii_lowercase();
    if lower.is_empty() {
        return true;
    }
    let lists = super::words();
    lists
        .placeholder_parts
        .iter()
        .any(|part| lower.contains(part.as_str()))
        || lists.placeholders.contains(&lower)
        || lower
            .chars()
            .all(|c| c == 'x' || c == '*' || c == '-' || c == '.')
        || is_one_character(&lower)
}

/// One character over and over: nobody's password, and no key.
fn is_one_character(text: &str) -> bool {
    let mut characters = text.chars();
    let first = characters.next();
    text.len() > 3 && characters.all(|character| Some(character) == first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_secrets_and_the_password_inside_an_address() {
        let mut withheld = Withheld::new();
        withheld.add(Raw::new("postgres://admin:Tr0ub4dor-3@db.example.com/x"));
        assert!(withheld.is_in("… Tr0ub4dor-3 …"));
        assert!(!withheld.is_in("postgres"));
        withheld.add(Raw::new("postgres"));
        withheld.add(Raw::new("8000000"));
        assert!(!withheld.is_in("image postgres:16 port 8000000"));
        assert_eq!(format!("{withheld:?}"), "Withheld(..)");
    }

    #[test]
    fn placeholders() {
        for text in [
            "changethis",
            "<your key>",
            "your-api-key",
            "xxx",
            "",
            "${SECRET}",
            "password",
        ] {
            assert!(is_placeholder(text), "{text}");
        }
        assert!(!is_placeholder("d41d8cd98f00b204"));
    }
}
