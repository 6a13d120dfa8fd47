//! What was checked and is in order: a reviewer asks for these, so that their absence from the findings is no accident.

use serde::Serialize;

use playbook_core::evidence::Evidence;
use playbook_core::inventory::Role;
use playbook_core::shown::Shown;

use super::Given;
use super::given::hedge;

/// One check with its pieces; the template has the words for each kind.
#[derive(Debug, Serialize)]
pub(crate) struct Verified {
    kind: &'static str,
    /// The service, file or tool that was checked.
    subject: Shown,
    /// What was found, piece by piece.
    values: Vec<Shown>,
    hedge: Option<&'static str>,
    evidence: Vec<Evidence>,
}

pub(super) fn verified(given: &Given<'_>) -> Vec<Verified> {
    let mut list = Vec::new();
    ports(given, &mut list);
    health(given, &mut list);
    migrations(given, &mut list);
    datastores(given, &mut list);
    images(given, &mut list);
    lockfiles(given, &mut list);
    list
}

/// The port of the process is the port that the stack, the health check and the image name.
fn ports(given: &Given<'_>, list: &mut Vec<Verified>) {
    for service in given.services.iter().filter(|service| service.role == Role::Web) {
        let Some(port) = service.ports.first().copied() else {
            continue;
        };
        let mut evidence: Vec<Evidence> = Given::start_place(service).cloned().into_iter().collect();
        let mut agree = 0;
        let mut disagree = false;
        if let Some(unit) = given.unit_of(service) {
            for published in &unit.ports {
                disagree |= !service.ports.contains(&published.container);
                agree += 1;
                evidence.extend(published.evidence.first().cloned());
            }
            for probe in unit.probes.iter().filter(|probe| probe.port.is_some()) {
                disagree |= probe.port != Some(port);
                agree += 1;
                evidence.extend(probe.evidence.first().cloned());
            }
        }
        if let Some(container) = given
            .container_of(service)
            .filter(|container| !container.exposed_ports.is_empty())
        {
            disagree |= !container.exposed_ports.contains(&port);
            agree += 1;
            evidence.extend(container.evidence.first().cloned());
        }
        if agree > 0 && !disagree {
            list.push(Verified {
                kind: "port-chain",
                subject: service.name.clone(),
                values: vec![Shown::number(u64::from(port))],
                hedge: hedge(service.port_confidence),
                evidence,
            });
        }
    }
}

/// The path that a probe asks for is served by a route.
fn health(given: &Given<'_>, list: &mut Vec<Verified>) {
    for service in &given.services {
        let Some(unit) = given.unit_of(service) else {
            continue;
        };
        for probe in &unit.probes {
            let Some(path) = &probe.path else { continue };
            let Some(served) = service.health.iter().find(|check| check.path == *path) else {
                continue;
            };
            let mut evidence = probe.evidence.clone();
            evidence.extend(served.evidence.first().cloned());
            list.push(Verified {
                kind: "health-path",
                subject: service.name.clone(),
                values: vec![path.clone()],
                hedge: None,
                evidence,
            });
        }
    }
}

fn migrations(given: &Given<'_>, list: &mut Vec<Verified>) {
    for migration in &given.inventory.migrations {
        if let [head] = migration.heads.as_slice() {
            let mut evidence: Vec<Evidence> = migration
                .revisions
                .iter()
                .find(|revision| revision.id == *head)
                .map(|revision| Evidence::file(&revision.path))
                .into_iter()
                .collect();
            evidence.extend(migration.evidence.first().cloned());
            list.push(Verified {
                kind: "one-head",
                subject: migration.tool.clone(),
                values: vec![Shown::number(u64::from(migration.count)), head.clone()],
                hedge: None,
                evidence,
            });
        }
    }
}

/// The datastore's port is not published, and every place names the same version.
fn datastores(given: &Given<'_>, list: &mut Vec<Verified>) {
    for store in &given.datastores {
        if let Some(unit) = given.unit_of_store(store)
            && !unit.ports.iter().any(|port| port.published)
            && given.context.target.own_host
        {
            list.push(Verified {
                kind: "store-not-published",
                subject: unit.name.clone(),
                values: Vec::new(),
                hedge: None,
                evidence: unit.evidence.iter().take(1).cloned().collect(),
            });
        }
        let same: Vec<_> = given
            .inventory
            .datastores
            .iter()
            .filter(|other| other.kind == store.kind && other.version.is_some())
            .collect();
        if let (Some(version), true) = (&store.version, same.len() > 1)
            && same.iter().all(|other| other.version == store.version)
        {
            list.push(Verified {
                kind: "store-version",
                subject: store.kind.clone(),
                values: vec![version.clone()],
                hedge: None,
                evidence: same
                    .iter()
                    .filter_map(|other| other.evidence.first())
                    .cloned()
                    .collect(),
            });
        }
    }
}

fn images(given: &Given<'_>, list: &mut Vec<Verified>) {
    let mut seen = std::collections::BTreeSet::new();
    for container in given
        .services
        .iter()
        .filter_map(|service| given.container_of(service))
    {
        if !seen.insert(&container.path) {
            continue;
        }
        if let (Some(user), Some(line)) = (&container.user, container.user_line)
            && *user != "root"
            && *user != "0"
        {
            list.push(Verified {
                kind: "image-user",
                subject: container.path.shown(),
                values: vec![user.clone()],
                hedge: None,
                evidence: vec![Evidence::at(&container.path, line)],
            });
        }
        let line = container.entrypoint_line.or(container.command_line);
        let exec = match (&container.entrypoint, &container.command) {
            (Some(_), _) => !container.entrypoint_shell,
            (None, Some(_)) => !container.command_shell,
            (None, None) => false,
        };
        if let (true, Some(line)) = (exec, line) {
            list.push(Verified {
                kind: "exec-form",
                subject: container.path.shown(),
                values: Vec::new(),
                hedge: None,
                evidence: vec![Evidence::at(&container.path, line)],
            });
        }
        if container.stages.len() > 1 {
            list.push(Verified {
                kind: "stages",
                subject: container.path.shown(),
                values: vec![Shown::number(container.stages.len() as u64)],
                hedge: None,
                evidence: container
                    .stages
                    .last()
                    .map(|stage| Evidence::at(&container.path, stage.line))
                    .into_iter()
                    .collect(),
            });
        }
    }
}

fn lockfiles(given: &Given<'_>, list: &mut Vec<Verified>) {
    for service in &given.services {
        let Some(manifest) = given
            .inventory
            .manifests
            .iter()
            .find(|manifest| Some(&manifest.path) == service.manifest.as_ref())
        else {
            continue;
        };
        let Some(lockfile) = &manifest.lockfile else {
            continue;
        };
        if list
            .iter()
            .any(|known: &Verified| known.kind == "lockfile" && known.subject == manifest.path.shown())
        {
            continue;
        }
        list.push(Verified {
            kind: "lockfile",
            subject: manifest.path.shown(),
            values: vec![lockfile.shown()],
            hedge: None,
            evidence: vec![Evidence::file(&manifest.path), Evidence::file(lockfile)],
        });
    }
}
