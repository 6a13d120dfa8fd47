//! Section 1: what has to be there before the first command.

use serde::{Deserialize, Serialize};

use playbook_core::evidence::Evidence;
use playbook_core::inventory::Role;
use playbook_core::shown::Shown;

use super::{Given, Ledger};

/// A program that commands use, as a target declares it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ToolText {
    /// What people call it; Markdown.
    pub(crate) name: String,
    /// The command whose presence the preflight tests.
    pub(crate) command: Option<String>,
    /// Where it runs.
    #[serde(rename = "where")]
    pub(crate) place: String,
    /// The version that is wanted, with the reason.
    pub(crate) version: String,
    /// How to install it.
    pub(crate) install: String,
    /// How to see its version.
    pub(crate) check: String,
    /// Does it run on the workstation, where the preflight runs?
    #[serde(default)]
    pub(crate) local: bool,
    /// Conditions that must hold.
    #[serde(default)]
    pub(crate) when: String,
}

/// The decisions of section 1.
#[derive(Debug, Serialize)]
pub(crate) struct Prerequisites<'a> {
    runtimes: Vec<RuntimeRow<'a>>,
}

/// A runtime that the repository asks for.
#[derive(Debug, Serialize)]
struct RuntimeRow<'a> {
    name: &'a Shown,
    version: Option<&'a Shown>,
    services: Vec<&'a Shown>,
    evidence: Vec<&'a Evidence>,
}

pub(super) fn build<'a>(given: &Given<'a>, ledger: &mut Ledger) -> Prerequisites<'a> {
    ledger.condition("deployable", given.deployable());
    ledger.condition("has_services", !given.services.is_empty());
    ledger.condition("has_web", given.web().is_some());
    ledger.condition("has_worker", given.of_role(Role::Worker).next().is_some());
    ledger.condition("has_scheduler", given.of_role(Role::Scheduler).next().is_some());
    ledger.condition("has_domain", given.context.domain.is_some());
    ledger.condition("has_own_stack", given.stack.is_some());
    ledger.condition("has_commit", given.inventory.project.vcs.commit.is_some());
    let mut runtimes: Vec<RuntimeRow<'_>> = Vec::new();
    for service in &given.services {
        let Some(name) = &service.runtime.name else {
            continue;
        };
        let version = service.runtime.version.as_ref();
        match runtimes
            .iter_mut()
            .find(|row| row.name == name && row.version == version)
        {
            Some(row) => row.services.push(&service.name),
            None => runtimes.push(RuntimeRow {
                name,
                version,
                services: vec![&service.name],
                evidence: service
                    .runtime
                    .version_source
                    .as_ref()
                    .or(service.evidence.first())
                    .into_iter()
                    .collect(),
            }),
        }
    }
    Prerequisites { runtimes }
}
