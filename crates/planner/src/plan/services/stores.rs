//! Addresses and passwords of the datastores that this plan brings itself.

use playbook_core::harmless::Name;
use playbook_core::inventory::EnvironmentVariable;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Group};

use super::Address;
use crate::plan::Given;
use crate::plan::infrastructure::{Infrastructure, Placement, Store};

/// Ends of the names of variables that carry a whole address.
const ADDRESS_ENDS: &[&str] = &["URL", "URI", "DSN"];

fn new_stores<'i, 'a>(infrastructure: &'i Infrastructure<'a>) -> impl Iterator<Item = &'i Store<'a>> {
    infrastructure
        .stores
        .iter()
        .filter(|store| store.placement == Placement::New && store.in_container())
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

/// The addresses of new datastores, for the variables that carry one.
pub(super) fn addresses(given: &Given<'_>, infrastructure: &Infrastructure<'_>) -> Vec<Address> {
    new_stores(infrastructure)
        .flat_map(|store| {
            given
                .variables
                .iter()
                .filter(|variable| carries(variable, store))
                .filter_map(|variable| address(variable, store))
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

fn address(variable: &EnvironmentVariable, store: &Store<'_>) -> Option<Address> {
    let catalogue = Catalogue::get();
    // The form that the driver wants, else the engine's own.
    let scheme = store
        .store
        .drivers
        .iter()
        .filter_map(|driver| catalogue.find(Group::Driver, driver.as_str())?.driver.as_ref())
        .find_map(|driver| driver.url_forms.first()?.split("://").next())
        .or_else(|| {
            catalogue
                .find(Group::Datastore, store.store.kind.as_str())?
                .url_schemes
                .first()
                .copied()
        })?;
    let value = |words: &[&str], secret: bool| {
        store.variables().iter().find(|variable| {
            variable.secret == secret && words.iter().any(|word| variable.name.contains(word))
        })
    };
    let password = value(&["PASS"], true);
    Some(Address {
        variable: variable.name.clone(),
        scheme: named(scheme)?,
        user: value(&["USER"], false).and_then(|variable| named(variable.value.as_deref()?)),
        password: password.and_then(|variable| named(&variable.name)),
        host: store.name.clone(),
        port: store.port()?,
        database: value(&["_DB", "DATABASE"], false).and_then(|variable| named(variable.value.as_deref()?)),
    })
}
