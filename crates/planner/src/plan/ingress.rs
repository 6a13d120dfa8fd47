//! Section 7: what is reachable from outside, and how it is guarded.

use serde::Serialize;

use playbook_core::inventory::{CorsPolicy, Interface, Route};

use super::{Given, Ledger};

/// The decisions of section 7.
#[derive(Debug, Serialize)]
pub(crate) struct Ingress<'a> {
    interfaces: &'a [Interface],
    cors: &'a [CorsPolicy],
    routes: &'a [Route],
}

pub(super) fn build<'a>(given: &Given<'a>, ledger: &mut Ledger) -> Ingress<'a> {
    ledger.condition(
        "has_websocket",
        given.services.iter().any(|service| service.websocket),
    );
    ledger.condition("has_cors", !given.inventory.cors.is_empty());
    Ingress {
        interfaces: &given.inventory.interfaces,
        cors: &given.inventory.cors,
        routes: &given.inventory.routes,
    }
}
