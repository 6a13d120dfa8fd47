//! Section 6: every process with its command, resources, probes and dependencies.

use serde::Serialize;

use playbook_core::inventory::{Service, Unit};

use super::{Given, Ledger};

/// The decisions of section 6.
#[derive(Debug, Serialize)]
pub(crate) struct Services<'a> {
    wiring: Vec<Wiring<'a>>,
}

/// A service with what the repository's own stack says about it.
#[derive(Debug, Serialize)]
struct Wiring<'a> {
    service: &'a Service,
    unit: Option<&'a Unit>,
}

pub(super) fn build<'a>(given: &Given<'a>, ledger: &mut Ledger) -> Services<'a> {
    ledger.condition(
        "has_health_check",
        given
            .services
            .iter()
            .any(|service| !service.health_checks.is_empty()),
    );
    Services {
        wiring: given
            .services
            .iter()
            .map(|service| Wiring {
                service,
                unit: given.unit_of(service),
            })
            .collect(),
    }
}
