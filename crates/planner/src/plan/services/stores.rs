//! Addresses and passwords of the datastores that this plan brings itself.

use serde::Serialize;

use playbook_core::harmless::Name;
use playbook_core::inventory::EnvironmentVariable;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Group};

use super::Address;
use crate::plan::Given;
use crate::plan::infrastructure::{Infrastructure, Placement, Store, settings};

/// Ends of the names of variables that carry a whole address.
const ADDRESS_ENDS: &[&str] = &["URL", "URI", "DSN"];

fn new_stores<'i, 'a>(infrastructure: &'i Infrastructure<'a>) -> impl Iterator<Item = &'i Store<'a>> {
    infrastructure.stores.iter().filter(|store| {
        store.placement == Placement::Host || store.placement == Placement::New && store.in_container()
    })
}

fn named(text: &str) -> Option<Shown> {
    Name::parse(Raw::new(text)).map(Shown::from)
}

/// Names of the secrets that the images of new datastores ask for.
pub(super) fn secrets(infrastructure: &Infrastructure<'_>) -> Vec<Shown> {
    let mut names: Vec<Shown> = new_stores(infrastructure)
        .flat_map(Store::variables)
        .filter(|variable| variable.secret)
        .filter_map(|variable| named(&variable.name))
        .collect();
    names.sort();
    names.dedup();
    names
}

/// One part of an address, for a variable that carries no more.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Part {
    pub(super) variable: Shown,
    /// What the variable is set to; none for the password.
    value: Option<Shown>,
    /// Name of the variable that carries the password.
    password: Option<Shown>,
}

/// Where a process finds the datastore.
fn host(store: &Store<'_>) -> Shown {
    if store.placement == Placement::Host {
        Shown::from("127.0.0.1")
    } else {
        store.name.clone()
    }
}

/// Hosts, ports, users, passwords and databases of new datastores, for the variables that carry one of them.
pub(super) fn parts(given: &Given<'_>, infrastructure: &Infrastructure<'_>) -> Vec<Part> {
    new_stores(infrastructure)
        .flat_map(|store| {
            given
                .variables
                .iter()
                .filter(|variable| {
                    store.store.variables.contains(&variable.name) && !carries(variable, store)
                })
                .filter_map(|variable| part(variable, store))
        })
        .collect()
}

fn part(variable: &EnvironmentVariable, store: &Store<'_>) -> Option<Part> {
    let of = |value: Option<Shown>, password: Option<Shown>| {
        (value.is_some() || password.is_some()).then(|| Part {
            variable: variable.name.clone(),
            value,
            password,
        })
    };
    match settings::property(variable.name.as_str()) {
        "host" => of(Some(host(store)), None),
        "port" => of(named(&store.port()?.to_string()), None),
        "user" => of(image_value(store, &["USER"]), None),
        "database" => of(image_value(store, &["_DB", "DATABASE"]), None),
        "password" => of(None, image_secret(store)),
        _ => None,
    }
}

/// The value of a variable of the engine's image.
fn image_value(store: &Store<'_>, words: &[&str]) -> Option<Shown> {
    store
        .variables()
        .iter()
        .find(|variable| !variable.secret && words.iter().any(|word| variable.name.contains(word)))
        .and_then(|variable| named(variable.value.as_deref()?))
}

/// The name of the variable of the engine's image that carries the password.
fn image_secret(store: &Store<'_>) -> Option<Shown> {
    store
        .variables()
        .iter()
        .find(|variable| variable.secret && variable.name.contains("PASS"))
        .and_then(|variable| named(&variable.name))
}

/// The addresses of new datastores, for the variables that carry one.
pub(super) fn addresses(given: &Given<'_>, infrastructure: &Infrastructure<'_>) -> Vec<Address> {
    new_stores(infrastructure)
        .flat_map(|store| {
            given
                .variables
                .iter()
                .filter(|variable| carries(variable, store))
                .filter_map(|variable| address(given, variable, store))
        })
        .collect()
}

fn carries(variable: &EnvironmentVariable, store: &Store<'_>) -> bool {
    let of_store = variable.configures.as_ref() == Some(&store.store.kind)
        || store.store.variables.contains(&variable.name);
    of_store
        && ADDRESS_ENDS
            .iter()
            .any(|end| variable.name.as_str().to_ascii_uppercase().ends_with(end))
}

fn address(given: &Given<'_>, variable: &EnvironmentVariable, store: &Store<'_>) -> Option<Address> {
    let catalogue = Catalogue::get();
    // The form that the driver wants, else the engine's own.
    let scheme = store
        .store
        .drivers
        .iter()
        .filter_map(|driver| catalogue.find(Group::Driver, driver.as_str())?.driver.as_ref())
        .find_map(|driver| {
            driver
                .library_schemes
                .iter()
                .find(|(library, _)| given.inventory.pools.iter().any(|pool| pool.library == **library))
                .map(|(_, scheme)| *scheme)
                .or_else(|| driver.url_forms.first()?.split("://").next())
        })
        .or_else(|| {
            catalogue
                .find(Group::Datastore, store.store.kind.as_str())?
                .url_schemes
                .first()
                .copied()
        })?;
    Some(Address {
        variable: variable.name.clone(),
        scheme: named(scheme)?,
        user: image_value(store, &["USER"]),
        password: image_secret(store),
        host: host(store),
        port: store.port()?,
        database: image_value(store, &["_DB", "DATABASE"]),
    })
}
