//! Section 4: every variable of the deployed services, and where its value comes from.

use serde::Serialize;

use playbook_core::inventory::EnvironmentVariable;

use super::{Given, Ledger};

/// The decisions of section 4.
#[derive(Debug, Serialize)]
pub(crate) struct Secrets<'a> {
    variables: Vec<&'a EnvironmentVariable>,
}

pub(super) fn build<'a>(given: &Given<'a>, ledger: &mut Ledger) -> Secrets<'a> {
    ledger.condition("has_variables", !given.variables.is_empty());
    ledger.condition(
        "has_secrets",
        given.variables.iter().any(|variable| variable.secret),
    );
    Secrets {
        variables: given.variables.clone(),
    }
}
