//! Section 11: Compose, Swarm or Kubernetes for this repository, and what to harden.

use serde::Serialize;

use playbook_core::inventory::Infrastructure as File;

use super::{Given, Ledger};

/// The decisions of section 11.
#[derive(Debug, Serialize)]
pub(crate) struct Docker<'a> {
    files: Vec<&'a File>,
}

pub(super) fn build<'a>(given: &Given<'a>, ledger: &mut Ledger) -> Docker<'a> {
    let files: Vec<&File> = given
        .inventory
        .infrastructure
        .iter()
        .filter(|file| file.scope == playbook_core::evidence::Scope::Production)
        .collect();
    ledger.condition(
        "has_compose",
        files.iter().any(|file| file.kind == "docker-compose"),
    );
    ledger.condition(
        "has_kubernetes",
        files
            .iter()
            .any(|file| file.kind == "kubernetes" || file.kind == "helm"),
    );
    Docker { files }
}
