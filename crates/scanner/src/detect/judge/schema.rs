//! What the names of environment variables say: which belong to the system, to tests, to a bundler; which an
//! application can't do without. The words stand in `environment.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use playbook_core::secret;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Table {
    system: BTreeSet<String>,
    system_prefixes: Vec<String>,
    test_words: BTreeSet<String>,
    bundled_prefixes: Vec<String>,
    development_keys: BTreeSet<String>,
    test_keys: BTreeSet<String>,
    own_secret_words: BTreeSet<String>,
    own_store_words: BTreeSet<String>,
    own_store_ends: BTreeSet<String>,
    own_store_addresses: BTreeSet<String>,
    own_store_hosts: BTreeSet<String>,
    other_store_words: BTreeSet<String>,
    own_addresses: BTreeSet<String>,
    store_settings: BTreeSet<String>,
    mode_ends: BTreeSet<String>,
    development_modes: BTreeSet<String>,
    loopback: Vec<String>,
    replaced_by: BTreeMap<String, String>,
}

const TEXT: &str = include_str!("../../../environment.toml");

// A mistake in the table is found by the test below, never by a user.
static TABLE: LazyLock<Option<Table>> = LazyLock::new(|| toml::from_str(TEXT).ok());

fn table(judge: impl FnOnce(&Table) -> bool) -> bool {
    TABLE.as_ref().is_some_and(judge)
}

/// A variable of the system or of a tool, which nobody sets for a deployment.
pub(crate) fn is_system(name: &str) -> bool {
    table(|table| {
        table.system.contains(name)
            || table
                .system_prefixes
                .iter()
                .any(|prefix| name.starts_with(prefix.as_str()))
    })
}

/// A variable for tests by its own words: `DATABASE_TEST_URL`, `API_URL_TEST`, `E2E_USER`. A word for tests in the middle
/// of another name (`EMAIL_TEST_USER`) says little.
pub(crate) fn is_for_tests(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let words: Vec<&str> = lower.split(['_', '-', '.']).collect();
    table(|table| {
        let end = words.last().is_some_and(|last| table.test_words.contains(*last));
        let store = words.iter().any(|word| table.own_store_words.contains(*word))
            && words.iter().any(|word| table.test_words.contains(*word));
        end || store || words.contains(&"e2e")
    })
}

/// A variable that a bundler puts into the client's code when it is built.
pub(crate) fn is_bundled(name: &str) -> bool {
    table(|table| {
        table
            .bundled_prefixes
            .iter()
            .any(|prefix| name.starts_with(prefix.as_str()))
    })
}

/// A key of a configuration whose block holds for tests or development only.
pub(crate) fn is_development_key(key: &str) -> bool {
    table(|table| {
        table.development_keys.contains(&key.to_ascii_lowercase())
            || secret::words_of(key)
                .last()
                .is_some_and(|last| table.test_keys.contains(last))
    })
}

/// The variable that, where it is offered, does what this one is there for.
pub(crate) fn replaced_by(name: &str) -> Option<&'static str> {
    TABLE.as_ref()?.replaced_by.get(name).map(String::as_str)
}

/// A secret that the application itself needs: without it the application does not start or is not safe, even if the
/// code reads it without complaint.
pub(crate) fn is_own_secret(name: &str) -> bool {
    let words = secret::words_of(name);
    table(|table| {
        words.len() <= 4
            && words.iter().any(|word| table.own_secret_words.contains(word))
            && words
                .iter()
                .all(|word| table.own_secret_words.contains(word) || secret::is_secret_name(word))
    })
}

/// A part of the address or of the credentials of the application's own database.
pub(crate) fn is_own_store(name: &str) -> bool {
    let words = secret::words_of(name);
    table(|table| {
        words.len() <= 3
            && words.iter().any(|word| table.own_store_words.contains(word))
            && words
                .last()
                .is_some_and(|last| table.own_store_ends.contains(last))
    })
}

/// The same, or its port, of the one database that the application works with.
pub(crate) fn is_store_part(name: &str) -> bool {
    let words = secret::words_of(name);
    let port = words.last().is_some_and(|last| last == "port");
    table(|table| {
        !words.iter().any(|word| table.other_store_words.contains(word))
            && (is_own_store(name)
                || port && words.len() <= 3 && words.iter().any(|word| table.own_store_words.contains(word)))
    })
}

/// Is it the whole address of a database?
pub(crate) fn is_store_address(name: &str) -> bool {
    ends_in(name, |table| &table.own_store_addresses)
}

/// Is it the host alone?
pub(crate) fn is_store_host(name: &str) -> bool {
    ends_in(name, |table| &table.own_store_hosts)
}

fn ends_in(name: &str, ends: impl Fn(&Table) -> &BTreeSet<String>) -> bool {
    let words = secret::words_of(name);
    words
        .last()
        .is_some_and(|last| table(|table| ends(table).contains(last)))
}

/// The address under which the world reaches the application.
pub(crate) fn is_own_address(name: &str) -> bool {
    table(|table| table.own_addresses.contains(name))
}

/// What a deployer has to know of the settings of a datastore's own image: its users, databases and passwords.
pub(crate) fn is_store_setting(name: &str) -> bool {
    let words = secret::words_of(name);
    secret::is_secret_name(name)
        || !name.contains('.')
            && table(|table| {
                words
                    .last()
                    .is_some_and(|last| table.store_settings.contains(last))
            })
}

/// Is this default one with which nobody goes to production: the mode of developers, or debugging switched on?
pub(crate) fn is_development_default(name: &str, default: &str) -> bool {
    let words = secret::words_of(name);
    let Some(last) = words.last() else { return false };
    let default = default.trim().to_ascii_lowercase();
    table(|table| {
        table.mode_ends.contains(last) && table.development_modes.contains(&default)
            || last == "debug" && words.len() <= 2 && matches!(default.as_str(), "true" | "1" | "yes" | "on")
    })
}

/// Does this default point to the developer's own machine, or to nowhere?
pub(crate) fn is_loopback(default: &str) -> bool {
    let lower = default.to_ascii_lowercase();
    let host = lower.split_once("://").map_or(lower.as_str(), |(_, rest)| rest);
    table(|table| {
        table
            .loopback
            .iter()
            .any(|known| host.starts_with(known.as_str()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_is_whole() {
        toml::from_str::<Table>(TEXT).expect("environment.toml");
    }

    #[test]
    fn names() {
        assert!(is_system("CI") && is_system("CARGO_PKG_VERSION") && !is_system("CIPHER_KEY"));
        assert!(is_for_tests("DATABASE_TEST_URL") && is_for_tests("E2E_PASSWORD"));
        assert!(!is_for_tests("LATEST_URL") && !is_for_tests("EMAIL_TEST_USER"));
        assert!(is_bundled("VITE_API_URL") && !is_bundled("API_URL"));
        assert!(is_development_key("mysql_testing") && is_development_key("development"));
        assert!(!is_development_key("mysql") && !is_development_key("development_notes"));
        assert!(is_own_secret("APP_SECRET") && !is_own_secret("STRIPE_SECRET"));
        assert!(is_own_store("DB_HOST") && !is_own_store("DB_POOL_SIZE"));
        assert!(is_store_setting("POSTGRES_USER") && is_store_setting("MYSQL_ROOT_PASSWORD"));
        assert!(!is_store_setting("MYSQL_ALLOW_EMPTY_PASSWORD") && !is_store_setting("discovery.type"));
    }

    #[test]
    fn defaults() {
        assert!(is_development_default("RAILS_ENV", "development"));
        assert!(is_development_default("DEBUG", "True"));
        assert!(
            !is_development_default("RAILS_ENV", "production") && !is_development_default("LEVEL", "debug")
        );
        assert!(is_loopback("http://localhost:3000") && is_loopback("127.0.0.1") && !is_loopback("db:5432"));
    }
}
