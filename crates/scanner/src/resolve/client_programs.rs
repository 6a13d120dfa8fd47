//! Programs that people install on their own devices: what their folders tell holds for no server.

use std::collections::BTreeSet;

use playbook_core::evidence::{Evidence, Scope};
use playbook_core::path::RelPath;

use super::roles;
use crate::fact::{Facts, ProjectFact};

/// Does a manifest depend on what makes such programs?
pub(crate) fn is_client_program(project: &ProjectFact) -> bool {
    project
        .dependencies
        .iter()
        .any(|dependency| !dependency.development && roles::is_client_package(dependency.name.as_str()))
}

/// What lies in the folders of such programs holds for development only.
pub(crate) fn demote(facts: &mut Facts) {
    let folders: BTreeSet<RelPath> = facts
        .projects
        .iter()
        .filter(|project| is_client_program(project))
        .map(|project| project.dir.clone())
        .filter(|dir| !dir.is_root())
        .collect();
    if folders.is_empty() {
        return;
    }
    let of_client = |evidence: &Evidence| {
        evidence
            .path
            .with_folders_above()
            .any(|folder| folders.contains(folder))
    };
    let demoted = |scope: &mut Scope, evidence: &Evidence| {
        if of_client(evidence) {
            *scope = Scope::Development;
        }
    };
    for fact in &mut facts.entry_points {
        demoted(&mut fact.scope, &fact.evidence);
    }
    for fact in facts.stores.iter_mut().chain(&mut facts.default_stores) {
        demoted(&mut fact.scope, &fact.evidence);
    }
    for fact in &mut facts.variables {
        demoted(&mut fact.scope, &fact.evidence);
    }
    for fact in &mut facts.routes {
        demoted(&mut fact.scope, &fact.evidence);
    }
    for fact in &mut facts.jobs {
        demoted(&mut fact.scope, &fact.evidence);
    }
    for fact in &mut facts.external_services {
        if !fact.evidence.is_empty() && fact.evidence.iter().all(of_client) {
            fact.scope = Scope::Development;
        }
    }
    let elsewhere = |evidence: &[Evidence]| evidence.is_empty() || !evidence.iter().all(of_client);
    facts.auth.retain(|fact| elsewhere(&fact.evidence));
    facts.observability.retain(|fact| elsewhere(&fact.evidence));
}
