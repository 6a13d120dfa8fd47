//! Section 3: how images are built, scanned and named.

use serde::Serialize;

use playbook_core::inventory::Container;

use super::{Given, Ledger};

/// The decisions of section 3.
#[derive(Debug, Serialize)]
pub(crate) struct Images<'a> {
    containers: Vec<&'a Container>,
}

pub(super) fn build<'a>(given: &Given<'a>, ledger: &mut Ledger) -> Images<'a> {
    let mut containers: Vec<&Container> = given
        .services
        .iter()
        .filter_map(|service| given.container_of(service))
        .collect();
    containers.sort();
    containers.dedup();
    ledger.condition("has_dockerfile", !containers.is_empty());
    Images { containers }
}
