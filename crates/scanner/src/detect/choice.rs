//! Settings that choose a store by its name: `DB_CONNECTION=pgsql`, `DB_ENGINE: sqlite`, `CACHE_DRIVER=redis`.

use playbook_core::evidence::{Evidence, Scope};
use playbook_core::harmless::EnvName;
use playbook_core::raw::Raw;
use playbook_core::secret;
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Group};

use crate::fact::StoreFact;

/// The store that the value of such a setting names. It supports what else is found.
pub(super) fn store(name: &str, value: &str, scope: Scope, evidence: Evidence) -> Option<StoreFact> {
    let value = value.trim();
    let words = secret::words_of(name);
    let last = words.last()?.as_str();
    let choice = matches!(
        last,
        "connection" | "type" | "dialect" | "driver" | "engine" | "client" | "provider" | "store"
    );
    let about = words.iter().any(|word| {
        matches!(
            word.as_str(),
            "db" | "database" | "cache" | "queue" | "session" | "broker"
        )
    });
    let plain = value.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') && value.len() > 2;
    if !choice || !about || !plain {
        return None;
    }
    let kind = Catalogue::get()
        .by_url_scheme(&value.to_ascii_lowercase())
        .into_iter()
        .find(|found| found.technology.group == Group::Datastore)?
        .technology
        .id;
    Some(StoreFact {
        kind: Shown::from(kind),
        dir: None,
        version: None,
        role: None,
        managed: None,
        driver: None,
        variable: EnvName::parse(Raw::new(name)),
        name: None,
        extension: None,
        strong: false,
        scope,
        evidence,
    })
}
