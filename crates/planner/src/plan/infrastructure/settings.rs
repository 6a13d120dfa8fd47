//! Where a process gets each of its variables from, on a platform that passes them by reference.

use serde::Serialize;

use playbook_core::inventory::{EnvironmentVariable, Service};
use playbook_core::secret;
use playbook_core::shown::Shown;

use super::{Placement, Store};
use crate::plan::Given;

/// One variable of a process.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Setting {
    name: Shown,
    /// `store`, `generated`, `shared`, `asked` or `value`
    source: &'static str,
    /// Name of the datastore.
    store: Option<Shown>,
    /// `connection`, `host`, `port`, `user`, `password` or `database`
    property: Option<&'static str>,
    value: Option<Shown>,
}

/// Names of generated secrets that several processes share.
pub(super) fn shared(given: &Given<'_>, stores: &[Store<'_>]) -> Vec<Shown> {
    given
        .variables
        .iter()
        .filter(|variable| {
            variable.required
                && generated(variable, stores)
                && given
                    .services
                    .iter()
                    .filter(|service| reads(service, variable))
                    .count()
                    > 1
        })
        .map(|variable| variable.name.clone())
        .collect()
}

/// The variables that a process needs to be given: the required ones, and the addresses of its datastores.
pub(super) fn of(
    given: &Given<'_>,
    service: &Service,
    stores: &[Store<'_>],
    shared: &[Shown],
) -> Vec<Setting> {
    given
        .variables
        .iter()
        .filter(|variable| reads(service, variable) && !variable.build_time)
        .filter_map(|variable| setting(variable, stores, shared))
        .collect()
}

fn reads(service: &Service, variable: &EnvironmentVariable) -> bool {
    variable.services.contains(&service.id) || service.env.contains(&variable.name)
}

fn setting(variable: &EnvironmentVariable, stores: &[Store<'_>], shared: &[Shown]) -> Option<Setting> {
    let mut setting = Setting {
        name: variable.name.clone(),
        source: "asked",
        store: None,
        property: None,
        value: None,
    };
    if variable.name == "PORT" {
        return None;
    }
    if let Some(store) = store_of(variable, stores)
        && let Some(property) = property(variable.name.as_str())
        && (store.placement == Placement::Platform || store.placement == Placement::New)
    {
        setting.source = "store";
        setting.store = Some(store.name.clone());
        setting.property = Some(property);
        return Some(setting);
    }
    if !variable.required {
        return None;
    }
    if shared.contains(&variable.name) {
        setting.source = "shared";
    } else if generated(variable, stores) {
        setting.source = "generated";
    } else if let Some(value) = variable.default.as_ref().filter(|_| !variable.secret) {
        setting.source = "value";
        setting.value = Some(value.clone());
    }
    Some(setting)
}

/// The datastore to which a variable leads.
pub(crate) fn store_of<'s, 'a>(
    variable: &EnvironmentVariable,
    stores: &'s [Store<'a>],
) -> Option<&'s Store<'a>> {
    stores.iter().find(|store| {
        store.store.variables.contains(&variable.name)
            || variable.configures.as_ref() == Some(&store.store.kind)
    })
}

/// Is it a secret that nobody else issues?
fn generated(variable: &EnvironmentVariable, stores: &[Store<'_>]) -> bool {
    variable.secret
        && variable.configures.is_none()
        && store_of(variable, stores).is_none()
        && secret::is_secret_name(variable.name.as_str())
        && [
            "SECRET",
            "KEY_BASE",
            "JWT",
            "SALT",
            "SIGNING",
            "ENCRYPTION",
            "COOKIE",
            "SESSION",
        ]
        .iter()
        .any(|word| variable.name.as_str().to_ascii_uppercase().contains(word))
}

/// The part of an address that a variable carries, by its name; none where the name tells something else, as
/// `REDIS_PREFIX` does.
pub(crate) fn property(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_uppercase();
    let ends = |words: &[&str]| words.iter().any(|word| name.ends_with(word));
    if ends(&["PASSWORD", "PASS", "_PW"]) {
        Some("password")
    } else if ends(&["USERNAME", "USER"]) {
        Some("user")
    } else if ends(&["PORT"]) {
        Some("port")
    } else if ends(&["HOST", "HOSTNAME", "SERVER", "ADDR"]) {
        Some("host")
    } else if ends(&["_DB", "_NAME", "DATABASE"]) {
        Some("database")
    } else if ends(&[
        "URL",
        "URI",
        "DSN",
        "CONNECTION",
        "CONNECTIONSTRING",
        "CONNECTION_STRING",
        "CONN",
        "CONNSTR",
        "ADDRESS",
        "ENDPOINT",
        "HOSTS",
        "NODES",
        "BROKERS",
        "SERVERS",
    ]) {
        Some("connection")
    } else {
        None
    }
}
