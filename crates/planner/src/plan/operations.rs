//! Words by which the sections on operation know switches, queues and development tools: `operations.toml`.

use serde::{Deserialize, Serialize};

use crate::prose::Prose;

/// The file.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Words {
    /// Parts of variables' names, by what they switch.
    switch: Vec<SwitchWords>,
    /// Commands that tell how much work waits, by library.
    pub(super) queue: Vec<QueueText>,
    pub(super) development: DevelopmentWords,
    /// Segments of paths under which a first administrator is created.
    pub(super) setup_paths: Vec<String>,
    /// Parts of the names of variables that hold the first administrator.
    pub(super) administrator: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct SwitchWords {
    category: String,
    words: Vec<String>,
}

/// A queue that a library keeps in a datastore of another purpose.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all(deserialize = "kebab-case"), deny_unknown_fields)]
pub(crate) struct QueueText {
    /// Slugs of the library.
    pub(super) libraries: Vec<String>,
    /// Slugs of the datastores that hold it.
    pub(super) stores: Vec<String>,
    /// Runs inside the datastore's container and prints one number.
    pub(super) length: Prose,
}

/// What tells a development file from one for production.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct DevelopmentWords {
    pub(super) images: Vec<String>,
    pub(super) commands: Vec<String>,
    pub(super) targets: Vec<String>,
    pub(super) variables: Vec<String>,
    pub(super) ports: Vec<u16>,
}

impl Words {
    /// What a variable of this name switches: `errors`, `tracing`, `metrics`, `logging`.
    pub(super) fn category(&self, name: &str) -> Option<&str> {
        let parts = playbook_core::secret::words_of(name);
        self.switch
            .iter()
            .find(|switch| switch.words.iter().any(|words| holds(&parts, words)))
            .map(|switch| switch.category.as_str())
    }
}

/// Do these words stand one after the other in the name?
pub(super) fn holds(parts: &[String], words: &str) -> bool {
    let wanted: Vec<&str> = words.split(' ').collect();
    parts.windows(wanted.len()).any(|window| {
        window
            .iter()
            .zip(&wanted)
            .all(|(part, wanted)| part.as_str() == *wanted)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Templates;

    #[test]
    fn variables_are_known_by_their_words() {
        let words: Words = Templates::default()
            .parse_file("operations.toml")
            .expect("the file is in order");
        for (name, category) in [
            ("SHOP_SENTRY_DSN", Some("errors")),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", Some("tracing")),
            ("STATSD_HOST", Some("metrics")),
            ("LOG_LEVEL", Some("logging")),
            ("RUST_LOG", Some("logging")),
            ("LOGIN_URL", None),
            ("DATABASE_URL", None),
        ] {
            assert_eq!(words.category(name), category, "{name}");
        }
    }
}
