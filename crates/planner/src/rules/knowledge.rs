//! The lists in `rules.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

type Text = &'static str;

/// What the rules know.
#[derive(Debug, Default, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    deny_unknown_fields,
    bound(deserialize = "'de: 'static")
)]
pub(crate) struct Knowledge {
    pub(crate) development_servers: Vec<Vec<Text>>,
    pub(crate) moving_tags: Vec<Text>,
    pub(crate) own_user_images: Vec<Text>,
    pub(crate) unavailable_images: Vec<Unavailable>,
    pub(crate) foreign_extensions: Vec<Extension>,
    pub(crate) unsafe_database_words: Vec<Text>,
    pub(crate) unsafe_database_variables: Vec<Setting>,
    pub(crate) backup_words: Vec<Text>,
    pub(crate) seed_words: Vec<Text>,
}

/// An image that can no longer be pulled.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'static"))]
pub(crate) struct Unavailable {
    pub(crate) image: Text,
    pub(crate) since: Text,
    pub(crate) instead: Text,
}

/// A database extension and an image that holds it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'static"))]
pub(crate) struct Extension {
    pub(crate) name: Text,
    pub(crate) image: Text,
}

/// A variable and the values that matter.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'static"))]
pub(crate) struct Setting {
    pub(crate) name: Text,
    pub(crate) values: Vec<Text>,
}

static KNOWLEDGE: LazyLock<Knowledge> = LazyLock::new(|| load().unwrap_or_default());

fn load() -> Result<Knowledge, toml::de::Error> {
    toml::from_str(include_str!("../../rules.toml"))
}

/// The lists, read at the first call.
pub(crate) fn get() -> &'static Knowledge {
    &KNOWLEDGE
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_lists_can_be_read() {
        super::load().expect("rules.toml is part of the program");
    }
}
