//! Addresses and passwords of the datastores that this plan brings itself.

use std::collections::BTreeMap;

use serde::Serialize;

use playbook_core::harmless::Name;
use playbook_core::inventory::EnvironmentVariable;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Group};

use super::{Placement, Store, settings};
use crate::plan::Given;

/// Ends of the names of variables that carry a whole address.
const ADDRESS_ENDS: &[&str] = &["URL", "URI", "DSN"];

/// What a variable gets that leads to a datastore of this plan.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Wire {
    /// The whole address.
    Address(Address),
    /// A host, port, user or database.
    Value(Shown),
    /// The password: name of the variable that carries it.
    Password(Shown),
}

/// An address of a datastore that this plan brings.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Address {
    scheme: Shown,
    /// Does `jdbc:` stand before the scheme?
    jdbc: bool,
    user: Option<Shown>,
    /// Name of the variable that carries the password.
    password: Option<Shown>,
    host: Shown,
    port: u16,
    database: Option<Shown>,
}

impl Address {
    /// The same as JDBC writes it, without user and password.
    fn for_jdbc(self, store: &Store<'_>) -> Self {
        Self {
            scheme: store.store.kind.clone(),
            jdbc: true,
            user: None,
            password: None,
            ..self
        }
    }
}

/// Datastores whose passwords this plan makes where it stores the settings. A platform that passes addresses by reference
/// does so itself.
fn new_stores<'s, 'a>(given: &Given<'_>, stores: &'s [Store<'a>]) -> impl Iterator<Item = &'s Store<'a>> {
    let by_reference = given.context.target.is("managed");
    stores.iter().filter(move |store| {
        !by_reference
            && (store.placement == Placement::Host
                || store.placement == Placement::New && store.in_container())
    })
}

fn named(text: &str) -> Option<Shown> {
    Name::parse(Raw::new(text)).map(Shown::from)
}

/// Names of the secrets that the images of new datastores ask for.
pub(crate) fn secrets(given: &Given<'_>, stores: &[Store<'_>]) -> Vec<Shown> {
    let mut names: Vec<Shown> = new_stores(given, stores)
        .filter(|store| store.placement == Placement::New)
        .flat_map(Store::variables)
        .filter(|variable| variable.secret)
        .filter_map(|variable| named(&variable.name))
        .collect();
    names.sort();
    names.dedup();
    names
}

/// What the variables get that lead to datastores of this plan.
///
/// Where the code demands an address, that is what it gets; else the parts, if a host is among them; else the address
/// that has a default, or the one with the shortest name. The password of the datastore's own image is none of them: it
/// is generated.
pub(crate) fn wires(given: &Given<'_>, stores: &[Store<'_>]) -> BTreeMap<Shown, Wire> {
    let mut all = BTreeMap::new();
    for store in new_stores(given, stores) {
        let (addresses, parts): (Vec<_>, Vec<_>) = given
            .variables
            .iter()
            .filter(|variable| {
                !variable.build_time
                    && settings::store_of(variable, stores).is_some_and(|own| own.name == store.name)
            })
            .filter_map(|variable| Some((*variable, wire(given, variable, store)?)))
            .partition(|(_, wire)| matches!(wire, Wire::Address(_)));
        // JDBC takes the user beside the address: without a variable for it nobody knows which one the code names.
        let has_user = parts
            .iter()
            .any(|(variable, _)| settings::property(variable.name.as_str()) == Some("user"));
        let by_jdbc = addresses
            .iter()
            .any(|(variable, _)| is_read_by_jvm(given, variable));
        if by_jdbc && !has_user {
            continue;
        }
        let demanded = addresses.iter().any(|(variable, _)| variable.required);
        let has_host = parts
            .iter()
            .any(|(variable, _)| settings::property(variable.name.as_str()) == Some("host"));
        let shortest = addresses
            .iter()
            .map(|(variable, _)| variable.name.as_str())
            .min_by_key(|name| (name.len(), *name));
        let chosen = |(variable, wire): &(&EnvironmentVariable, Wire)| match wire {
            _ if demanded => variable.required || by_jdbc,
            Wire::Address(_) => {
                !has_host && (variable.default.is_some() || Some(variable.name.as_str()) == shortest)
            }
            Wire::Value(_) | Wire::Password(_) => has_host || variable.required,
        };
        let wired = addresses.iter().chain(&parts).filter(|pair| chosen(pair));
        all.extend(wired.map(|(variable, wire)| (variable.name.clone(), wire.clone())));
    }
    all
}

/// Does a process on the virtual machine of Java read it?
fn is_read_by_jvm(given: &Given<'_>, variable: &EnvironmentVariable) -> bool {
    given.services.iter().any(|service| {
        variable.services.contains(&service.id)
            && service.runtime.name.as_ref().is_some_and(|name| *name == "jvm")
    })
}

fn wire(given: &Given<'_>, variable: &EnvironmentVariable, store: &Store<'_>) -> Option<Wire> {
    if carries_address(variable) {
        let address = address(given, store)?;
        let jdbc = is_read_by_jvm(given, variable) && engine_has_jdbc(store);
        return Some(Wire::Address(if jdbc {
            address.for_jdbc(store)
        } else {
            address
        }));
    }
    let value = match settings::property(variable.name.as_str()) {
        Some("host") => Some(host(store)),
        Some("port") => named(&store.port()?.to_string()),
        Some("user") => image_value(store, &["USER"]),
        Some("database") => image_value(store, &["_DB", "DATABASE"]),
        Some("password") => {
            return image_secret(store)
                .filter(|name| store.placement == Placement::Host || *name != variable.name)
                .map(Wire::Password);
        }
        _ => None,
    };
    value.map(Wire::Value)
}

/// Do programs on the virtual machine of Java reach it by JDBC?
fn engine_has_jdbc(store: &Store<'_>) -> bool {
    Catalogue::get()
        .find(Group::Datastore, store.store.kind.as_str())
        .is_some_and(|technology| {
            technology
                .url_schemes
                .iter()
                .any(|scheme| scheme.starts_with("jdbc:"))
        })
}

/// Does a variable's name say that it carries a whole address?
pub(crate) fn carries_address(variable: &EnvironmentVariable) -> bool {
    let name = variable.name.as_str().to_ascii_uppercase();
    ADDRESS_ENDS.iter().any(|end| name.ends_with(end))
}

/// Where a process finds the datastore.
fn host(store: &Store<'_>) -> Shown {
    if store.placement == Placement::Host {
        Shown::from("127.0.0.1")
    } else {
        store.name.clone()
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

fn address(given: &Given<'_>, store: &Store<'_>) -> Option<Address> {
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
        scheme: named(scheme)?,
        jdbc: false,
        user: image_value(store, &["USER"]),
        password: image_secret(store),
        host: host(store),
        port: store.port()?,
        database: image_value(store, &["_DB", "DATABASE"]),
    })
}
