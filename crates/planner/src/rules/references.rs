//! What commands name and the repository does not have, and package managers that disagree with their lockfiles.

use playbook_core::evidence::Evidence;
use playbook_core::finding::Severity;
use playbook_core::inventory::{Inventory, Manifest, MissingReference, ReferenceKind, ReferenceOrigin};
use playbook_core::path::RelPath;
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Group};

use super::facts::{Context, code, code_command};
use crate::rule::{Findings, Rule};

pub(super) const RULES: &[&Rule] = &[
    &START_MODULE,
    &DOCUMENTED_COMMAND,
    &DOCUMENTED_PORT,
    &PACKAGE_MANAGER,
];

static START_MODULE: Rule = Rule {
    id: "start-module-not-found",
    severity: Severity::Blocker,
    section: 3,
    title: "A start command names what the repository does not have",
    why: "The process ends at once with an import error or a missing file, and is restarted in a loop.",
    fix: "Correct the name in the command.",
    check: start_module,
};

fn start_module(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for reference in of_origin(inventory, ReferenceOrigin::Start) {
        let subject = subject(reference);
        let detail = match &reference.instead {
            Some(instead) => Shown::fill(
                "{} starts {}, which is not found from where it runs; the only file of that name is {}.",
                &[&code_command(&reference.command), &subject, &code(instead)],
            ),
            None => Shown::fill(
                "{} starts {}, which is not found from where it runs.",
                &[&code_command(&reference.command), &subject],
            ),
        };
        findings.add(detail, reference.evidence.clone());
    }
}

static DOCUMENTED_COMMAND: Rule = Rule {
    id: "documented-command-stale",
    severity: Severity::Low,
    section: 10,
    title: "The documentation names what the repository does not have",
    why: "Whoever follows it during a release or an incident stops at that command.",
    fix: "Correct the command in the document, or add what it names.",
    check: documented_command,
};

fn documented_command(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for reference in of_origin(inventory, ReferenceOrigin::Document) {
        if reference.kind == ReferenceKind::Port {
            continue;
        }
        let subject = subject(reference);
        let detail = match &reference.instead {
            Some(instead) => Shown::fill(
                "{} needs {}, which is not there; the only file of that name is {}.",
                &[&code_command(&reference.command), &subject, &code(instead)],
            ),
            None => Shown::fill(
                "{} needs {}, which is not there.",
                &[&code_command(&reference.command), &subject],
            ),
        };
        findings.add(detail, reference.evidence.clone());
    }
}

static DOCUMENTED_PORT: Rule = Rule {
    id: "documented-port-differs",
    severity: Severity::Low,
    section: 7,
    title: "The documentation publishes a port on which nothing listens",
    why: "Who starts the image as the document says gets no answer.",
    fix: "Publish the port that the image listens on.",
    check: documented_port,
};

fn documented_port(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for reference in of_origin(inventory, ReferenceOrigin::Document) {
        let (ReferenceKind::Port, Some(ports)) = (reference.kind, &reference.instead) else {
            continue;
        };
        findings.add(
            Shown::fill(
                "{} publishes {}; the image listens on {}.",
                &[
                    &code_command(&reference.command),
                    &code(&reference.name),
                    &code(ports),
                ],
            ),
            reference.evidence.clone(),
        );
    }
}

fn of_origin(inventory: &Inventory, origin: ReferenceOrigin) -> impl Iterator<Item = &MissingReference> {
    inventory
        .missing_references
        .iter()
        .filter(move |reference| reference.origin == origin)
}

fn subject(reference: &MissingReference) -> Shown {
    let word = match reference.kind {
        ReferenceKind::File => "the file",
        ReferenceKind::Module => "the module",
        ReferenceKind::Script => "the script",
        ReferenceKind::Target => "the target",
        ReferenceKind::Port => "the port",
    };
    Shown::fill("{} {}", &[&Shown::from(word), &code(&reference.name)])
}

static PACKAGE_MANAGER: Rule = Rule {
    id: "package-manager-conflict",
    severity: Severity::Medium,
    section: 3,
    title: "The manifest and the lockfiles name different package managers",
    why: "Each installs by its own lockfile: what was tested is not what the image holds, and a strict install fails.",
    fix: "Keep one lockfile, that of the package manager in use, and name that one in the manifest.",
    check: package_manager,
};

fn package_manager(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for manifest in &inventory.manifests {
        let (Some(wanted), Some(lockfile)) = (&manifest.package_manager, &manifest.lockfile) else {
            continue;
        };
        let own = manager_of(lockfile);
        if own.is_some_and(|own| *wanted != *own) {
            findings.add(
                Shown::fill(
                    "`{}` wants {}; the lockfile is `{}`.",
                    &[&manifest.path.shown(), &code(wanted), &lockfile.shown()],
                ),
                [declared_at(inventory, manifest, wanted), Evidence::file(lockfile)],
            );
        } else if !manifest.other_lockfiles.is_empty() && lockfile.parent() == manifest.path.parent() {
            let others: Vec<Shown> = manifest.other_lockfiles.iter().map(RelPath::shown).collect();
            findings
                .add(
                    Shown::fill(
                        "Beside `{}` lie `{}` and {}.",
                        &[
                            &manifest.path.shown(),
                            &lockfile.shown(),
                            &super::facts::list(&others),
                        ],
                    ),
                    std::iter::once(lockfile)
                        .chain(&manifest.other_lockfiles)
                        .map(Evidence::file),
                )
                .severity(Severity::Low);
        }
    }
}

/// The line that names the package manager, else the manifest.
fn declared_at(inventory: &Inventory, manifest: &Manifest, manager: &Shown) -> Evidence {
    inventory
        .version_pins
        .iter()
        .filter(|pin| pin.tool == *manager)
        .flat_map(|pin| &pin.evidence)
        .find(|evidence| evidence.path == manifest.path)
        .or(manifest.evidence.first())
        .cloned()
        .unwrap_or_else(|| Evidence::file(&manifest.path))
}

/// The package manager that writes a lockfile.
fn manager_of(lockfile: &RelPath) -> Option<&'static str> {
    Catalogue::get()
        .group(Group::PackageManager)
        .iter()
        .find(|technology| {
            technology
                .package_manager
                .as_ref()
                .is_some_and(|facts| facts.lockfiles.contains(&lockfile.name()))
        })
        .map(|technology| technology.id)
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use playbook_core::evidence::Scope;

    fn missing(kind: ReferenceKind, origin: ReferenceOrigin) -> Inventory {
        inventory(|all| {
            all.missing_references.push(MissingReference {
                kind,
                name: "app.main:app".into(),
                origin,
                command: command("uvicorn app.main:app"),
                instead: Some("src/main.py".into()),
                service: None,
                evidence: vec![place("README.md", 3)],
            });
        })
    }

    #[test]
    fn where_the_command_stands_decides() {
        let start = missing(ReferenceKind::Module, ReferenceOrigin::Start);
        let found = fires("start-module-not-found", &start, "compose");
        assert!(
            found.detail.as_str().contains("`src/main.py`"),
            "{}",
            found.detail
        );
        silent("documented-command-stale", &start, "compose");
        let document = missing(ReferenceKind::Module, ReferenceOrigin::Document);
        fires("documented-command-stale", &document, "compose");
        silent("start-module-not-found", &document, "compose");
        let port = missing(ReferenceKind::Port, ReferenceOrigin::Document);
        fires("documented-port-differs", &port, "compose");
        silent("documented-command-stale", &port, "compose");
    }

    #[test]
    fn package_managers() {
        let id = "package-manager-conflict";
        let with = |lockfile: &str, other: Option<&str>| {
            inventory(|all| {
                all.manifests.push(Manifest {
                    kind: "package.json".into(),
                    path: path("package.json"),
                    lockfile: Some(path(lockfile)),
                    other_lockfiles: other.map(path).into_iter().collect(),
                    package_manager: Some("pnpm".into()),
                    scope: Scope::Production,
                    evidence: vec![place("package.json", 1)],
                });
            })
        };
        assert_eq!(
            fires(id, &with("package-lock.json", None), "compose").severity,
            Severity::Medium
        );
        assert_eq!(
            fires(id, &with("pnpm-lock.yaml", Some("yarn.lock")), "compose").severity,
            Severity::Low
        );
        silent(id, &with("pnpm-lock.yaml", None), "compose");
    }
}
