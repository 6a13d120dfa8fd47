//! Section 9: what can be seen of the running software, and what is missing.

use serde::Serialize;

use playbook_core::inventory::Observability as Found;

use super::{Given, Ledger};

/// The decisions of section 9.
#[derive(Debug, Serialize)]
pub(crate) struct Observability<'a> {
    found: &'a [Found],
}

pub(super) fn build<'a>(given: &Given<'a>, ledger: &mut Ledger) -> Observability<'a> {
    let category = |name: &str| {
        given
            .inventory
            .observability
            .iter()
            .any(|found| found.category == *name)
    };
    ledger.condition("has_metrics", category("metrics"));
    ledger.condition("has_tracing", category("tracing"));
    ledger.condition("has_error_tracking", category("errors"));
    Observability {
        found: &given.inventory.observability,
    }
}
