//! Section 2: what is provisioned, how large, and who talks to whom.

use serde::Serialize;

use playbook_core::inventory::Datastore;

use super::{Given, Ledger};

/// The decisions of section 2.
#[derive(Debug, Serialize)]
pub(crate) struct Infrastructure<'a> {
    datastores: Vec<&'a Datastore>,
}

pub(super) fn build<'a>(given: &Given<'a>, ledger: &mut Ledger) -> Infrastructure<'a> {
    ledger.condition("has_datastores", !given.datastores.is_empty());
    ledger.condition(
        "has_infrastructure_code",
        given
            .inventory
            .infrastructure
            .iter()
            .any(|file| file.kind == "terraform" || file.kind == "pulumi" || file.kind == "cloudformation"),
    );
    Infrastructure {
        datastores: given.datastores.clone(),
    }
}
