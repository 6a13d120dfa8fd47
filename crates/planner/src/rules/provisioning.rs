//! Infrastructure code: its state and what it is built upon.

use playbook_core::evidence::{Evidence, Scope};
use playbook_core::finding::Severity;
use playbook_core::inventory::{Inventory, Provisioning};
use playbook_core::shown::Shown;

use super::facts::{self, Context, code};
use crate::rule::{Findings, Rule};

pub(super) const RULES: &[&Rule] = &[&STATE_LOCAL, &STATE_UNLOCKED, &UNPINNED];

fn terraform(inventory: &Inventory) -> impl Iterator<Item = &Provisioning> {
    inventory
        .provisioning
        .iter()
        .filter(|root| root.kind == "terraform" && root.scope == Scope::Production)
}

static STATE_LOCAL: Rule = Rule {
    id: "iac-state-local",
    severity: Severity::Medium,
    section: 2,
    title: "The state of the infrastructure code is a file on somebody's machine",
    why: "Whoever runs it from another machine makes everything a second time; with the file its passwords are lost or leaked.",
    fix: "Give the `terraform` block a `backend` that the team shares and that locks.",
    check: state_local,
};

fn state_local(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for root in terraform(inventory) {
        let local = root.state.as_ref().is_none_or(|state| state.backend == "local");
        if local {
            let place = root
                .state
                .as_ref()
                .map_or(&root.evidence, |state| &state.evidence);
            findings.add(
                Shown::fill("{} names no shared backend.", &[&code(&root.path.shown())]),
                place.iter().cloned(),
            );
        }
    }
}

static STATE_UNLOCKED: Rule = Rule {
    id: "iac-state-unlocked",
    severity: Severity::Medium,
    section: 2,
    title: "Two people can change the state of the infrastructure code at once",
    why: "The second run writes over what the first one made, and the state no longer tells what is there.",
    fix: "Switch the backend's lock on: `use_lockfile = true` for S3 since Terraform 1.10, a lock address for HTTP.",
    check: state_unlocked,
};

fn state_unlocked(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for state in terraform(inventory).filter_map(|root| root.state.as_ref()) {
        if state.locks == Some(false) {
            findings.add(
                Shown::fill("The backend {} has no lock.", &[&code(&state.backend)]),
                state.evidence.iter().cloned(),
            );
        }
    }
}

static UNPINNED: Rule = Rule {
    id: "iac-unpinned",
    severity: Severity::Low,
    section: 2,
    title: "The infrastructure code is built upon modules or providers of any version",
    why: "The next run takes what is newest that day; a new major version may replace resources.",
    fix: "Give each module a `version`, each provider a range, and commit `.terraform.lock.hcl`.",
    check: unpinned,
};

fn unpinned(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for root in terraform(inventory) {
        let loose: Vec<_> = root
            .pins
            .iter()
            .filter(|pin| pin.version.is_none() && (pin.kind == "module" || root.lockfile.is_none()))
            .collect();
        let places: Vec<Evidence> = loose
            .iter()
            .flat_map(|pin| pin.evidence.iter().cloned())
            .collect();
        if !loose.is_empty() {
            findings.add(
                Shown::fill(
                    "No version for {}.",
                    &[&facts::list(loose.iter().map(|pin| &pin.source))],
                ),
                places,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use playbook_core::evidence::Scope;
    use playbook_core::inventory::{Inventory, Provisioning, ProvisioningPin, ProvisioningState};
    use playbook_core::shown::Shown;

    use crate::rules::testing::{inventory, path, place, run};

    fn root(locks: &[Option<bool>], version: Option<&'static str>) -> Inventory {
        inventory(|inventory| {
            inventory.provisioning = vec![Provisioning {
                kind: Shown::from("terraform"),
                path: path("infra"),
                name: None,
                inputs: Vec::new(),
                value_files: Vec::new(),
                outputs: Vec::new(),
                state: locks.first().map(|locks| ProvisioningState {
                    backend: Shown::from("s3"),
                    settings: Vec::new(),
                    missing: Vec::new(),
                    locks: *locks,
                    evidence: vec![place("infra/main.tf", 2)],
                }),
                pins: vec![ProvisioningPin {
                    kind: Shown::from("module"),
                    source: Shown::from("example/vpc/aws"),
                    version: version.map(Shown::from),
                    evidence: vec![place("infra/main.tf", 9)],
                }],
                lockfile: None,
                regions: Vec::new(),
                scope: Scope::Production,
                evidence: vec![place("infra/main.tf", 1)],
            }];
        })
    }

    #[test]
    fn where_the_state_is() {
        assert_eq!(run("iac-state-local", &root(&[], None), "compose").len(), 1);
        assert_eq!(run("iac-state-local", &root(&[None], None), "compose"), []);
        assert_eq!(
            run("iac-state-unlocked", &root(&[Some(false)], None), "compose").len(),
            1
        );
        assert_eq!(
            run("iac-state-unlocked", &root(&[Some(true)], None), "compose"),
            []
        );
    }

    #[test]
    fn modules_without_a_version() {
        assert_eq!(run("iac-unpinned", &root(&[], None), "compose").len(), 1);
        assert_eq!(run("iac-unpinned", &root(&[], Some("5.1.2")), "compose"), []);
    }
}
