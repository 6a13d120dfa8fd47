//! The lists of `words.toml`.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde::Deserialize;

type Set = BTreeSet<String>;

/// What stands in `words.toml`; its comments say what each list means.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Words {
    pub(crate) secret: Set,
    pub(crate) secret_at_the_end: Set,
    pub(crate) secret_pairs: Vec<(String, String)>,
    pub(crate) secret_endings: Vec<String>,
    pub(crate) cookie_of: Set,
    pub(crate) other_keys: Set,
    pub(crate) about_at_the_end: Set,
    pub(crate) about_anywhere: Set,
    pub(crate) address_is_secret: Set,
    pub(crate) stores: Set,
    pub(crate) address: Set,
    pub(crate) telling: Set,
    pub(crate) technical: Set,
    pub(crate) passwords: Set,
    pub(crate) password_parts: Vec<String>,
    pub(crate) placeholder_parts: Vec<String>,
    pub(crate) placeholders: Set,
    pub(crate) schedule: Set,
    pub(crate) harmless_headers: Set,
    pub(crate) option: Vec<ProgramOption>,
    pub(crate) positional: Vec<Positional>,
}

/// Options of some programs whose next word is a credential.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProgramOption {
    pub(crate) programs: Set,
    pub(crate) options: Set,
}

/// A command whose plain words are credentials after the first `keep`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Positional {
    pub(crate) after: Vec<String>,
    pub(crate) keep: usize,
}

/// The lists, read once. A broken file gives empty lists in a release and fails the tests.
pub(crate) fn words() -> &'static Words {
    static WORDS: LazyLock<Words> =
        LazyLock::new(|| toml::from_str(include_str!("words.toml")).unwrap_or_default());
    &WORDS
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_lists_are_there() {
        let words: super::Words = toml::from_str(include_str!("words.toml")).expect("words.toml is valid");
        assert!(!words.secret.is_empty() && !words.option.is_empty());
    }
}
