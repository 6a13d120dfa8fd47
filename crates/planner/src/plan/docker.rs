//! Section 11: Compose, Swarm or Kubernetes for this repository, and what to harden.

use serde::Serialize;

use playbook_core::evidence::{Evidence, Scope};
use playbook_core::inventory::{Container, Infrastructure as File, MountKind, Role, SignalKind, Stack, Unit};
use playbook_core::path::RelPath;
use playbook_core::shown::Shown;

use super::infrastructure::{Infrastructure, process_name};
use super::operations::{DevelopmentWords, Words};
use super::{Given, Ledger};

/// Telling lines that are printed of one development file.
const MOST_TELLS: usize = 5;

/// The decisions of section 11.
#[derive(Debug, Serialize)]
pub(crate) struct Docker<'a> {
    files: Vec<&'a File>,
    /// Kinds of these files, once each.
    kinds: Vec<&'a Shown>,
    units: &'a [Unit],
    networks: &'a [Shown],
    volumes: &'a [Shown],
    /// Processes that stay up: the repository's own, third-party, datastores in containers.
    own: usize,
    third_party: usize,
    stores: usize,
    /// Datastores in containers whose data exists nowhere else.
    stateful: Vec<Shown>,
    singletons: usize,
    development: Vec<Development<'a>>,
    hardening: Vec<Hardening<'a>>,
    /// Images that have to change their user, once for each Dockerfile.
    patches: Vec<Patch<'a>>,
    network_policies: Vec<&'a RelPath>,
    /// Other ways to run it that the repository brings.
    alternatives: Vec<&'a File>,
}

/// A stack that is not for production.
#[derive(Debug, Serialize)]
struct Development<'a> {
    files: &'a [RelPath],
    kind: &'a Shown,
    tells: Vec<Tell<'a>>,
}

/// A line that tells so.
#[derive(Debug, Serialize)]
struct Tell<'a> {
    kind: &'static str,
    unit: &'a Shown,
    what: Option<Shown>,
    evidence: Option<&'a Evidence>,
}

/// A process with what its container may do.
#[derive(Debug, Serialize)]
struct Hardening<'a> {
    name: Shown,
    /// Of the image or the unit; `None` for root.
    user: Option<&'a Shown>,
    /// Is its image built from a Dockerfile of this plan, which sets a user?
    brought: bool,
    /// Does the code write to its own disk?
    writes: Vec<&'a Evidence>,
    /// Folders that are mounted for writing.
    writable: Vec<&'a Shown>,
    privileged: bool,
    socket: bool,
}

/// A Dockerfile that runs as root, with the line before which the user belongs.
#[derive(Debug, Serialize)]
struct Patch<'a> {
    path: &'a RelPath,
    /// The line behind which it is inserted.
    after: u32,
    /// The line that is replaced, when it names root.
    replaces: Option<u32>,
    services: Vec<Shown>,
    workdir: Option<&'a Shown>,
}

pub(super) fn build<'a>(
    given: &Given<'a>,
    words: &Words,
    infrastructure: &Infrastructure<'a>,
    ledger: &mut Ledger,
) -> Docker<'a> {
    let mut files: Vec<&File> = given
        .inventory
        .infrastructure
        .iter()
        .filter(|file| file.scope == Scope::Production)
        .collect();
    files.dedup_by(|one, other| one.path == other.path);
    let has = |wanted: &[&str]| {
        files
            .iter()
            .any(|file| wanted.iter().any(|kind| file.kind == **kind))
    };
    ledger.condition("has_compose", has(&["docker-compose"]));
    ledger.condition("has_kubernetes", has(&["kubernetes", "helm", "kustomize"]));
    let mut kinds: Vec<&Shown> = files.iter().map(|file| &file.kind).collect();
    kinds.sort();
    kinds.dedup();
    let patches = patches(given);
    let hardening = hardening(given);
    ledger.condition("has_root_image", !patches.is_empty());
    ledger.condition("can_harden", !hardening.is_empty());
    let development: Vec<Development<'a>> = given
        .inventory
        .stacks
        .iter()
        .filter(|stack| stack.scope == Scope::Development)
        .map(|stack| Development {
            files: &stack.files,
            kind: &stack.kind,
            tells: tells(stack, &words.development),
        })
        .collect();
    let units: &[Unit] = given.stack.map_or(&[], |stack| stack.units.as_slice());
    ledger.condition("has_review", !units.is_empty() || !development.is_empty());
    let in_containers = || infrastructure.stores.iter().filter(|store| store.in_container());
    Docker {
        kinds,
        units,
        networks: given.stack.map_or(&[], |stack| stack.networks.as_slice()),
        volumes: given.stack.map_or(&[], |stack| stack.volumes.as_slice()),
        own: infrastructure
            .processes
            .iter()
            .filter(|process| process.long_running)
            .count(),
        third_party: given.third_party.len(),
        stores: in_containers().count(),
        stateful: in_containers()
            .filter(|store| store.durable)
            .map(|store| store.name.clone())
            .collect(),
        singletons: given
            .services
            .iter()
            .filter(|service| service.singleton || service.role == Role::Scheduler)
            .count(),
        development,
        hardening,
        patches,
        network_policies: given
            .inventory
            .infrastructure
            .iter()
            .map(|file| &file.path)
            .filter(|path| path.as_str().replace('-', "").contains("networkpolic"))
            .collect(),
        alternatives: given
            .inventory
            .infrastructure
            .iter()
            .filter(|file| file.kind == "podman" || file.kind == "systemd" || file.kind == "docker-swarm")
            .collect(),
        files,
    }
}

/// What tells that a stack is for development.
fn tells<'a>(stack: &'a Stack, words: &DevelopmentWords) -> Vec<Tell<'a>> {
    let mut tells = Vec::new();
    for unit in &stack.units {
        let place = unit.evidence.first();
        let mut tell = |kind: &'static str, what: Option<Shown>, evidence: Option<&'a Evidence>| {
            tells.push(Tell {
                kind,
                unit: &unit.name,
                what,
                evidence: evidence.or(place),
            });
        };
        if let Some(target) = unit.build.as_ref().and_then(|build| build.target.as_ref())
            && words
                .targets
                .iter()
                .any(|word| target.as_str().contains(word.as_str()))
        {
            tell("target", Some(target.clone()), None);
        }
        if let Some(image) = &unit.image
            && words
                .images
                .iter()
                .any(|word| image.as_str().contains(word.as_str()))
        {
            tell("image", Some(image.clone()), None);
        }
        if let Some(command) = unit.command.as_ref().or(unit.entrypoint.as_ref()) {
            let text = Shown::from(command);
            if words
                .commands
                .iter()
                .any(|word| text.as_str().contains(word.as_str()))
            {
                tell("command", Some(text), None);
            }
        }
        for variable in &unit.variables {
            if words.variables.iter().any(|word| variable.name == **word) {
                tell("variable", Some(variable.name.clone()), variable.evidence.first());
            }
        }
        for port in &unit.ports {
            if port.published && words.ports.contains(&port.container) {
                tell(
                    "debugger",
                    Some(Shown::number(u64::from(port.container))),
                    port.evidence.first(),
                );
            }
        }
        for mount in &unit.mounts {
            if mount.kind == MountKind::Bind
                && mount
                    .source
                    .as_ref()
                    .is_some_and(|source| source.as_str().starts_with('.'))
            {
                tell("source", mount.source.clone(), mount.evidence.first());
            }
        }
    }
    tells.sort_by_key(|tell| tell.kind == "source");
    tells.truncate(MOST_TELLS);
    tells
}

/// One entry for each container: two processes of the inventory may be the same unit.
fn hardening<'a>(given: &Given<'a>) -> Vec<Hardening<'a>> {
    let mut seen = std::collections::BTreeSet::new();
    given
        .services
        .iter()
        .filter(|service| !matches!(service.role, Role::Job | Role::Function))
        .filter(|service| seen.insert(process_name(given, service)))
        .map(|service| {
            let unit = given.unit_of(service);
            let container = given.container_of(service);
            Hardening {
                name: process_name(given, service),
                brought: container.is_none()
                    && service.image.is_none()
                    && unit.is_none_or(|unit| unit.image.is_none()),
                user: unit
                    .and_then(|unit| unit.user.as_ref())
                    .or_else(|| container.and_then(|container| container.user.as_ref()))
                    .filter(|user| !is_root(user)),
                writes: given
                    .inventory
                    .signals
                    .iter()
                    .filter(|signal| {
                        signal.kind == SignalKind::LocalFiles
                            && signal.scope == Scope::Production
                            && signal.service.as_ref().is_none_or(|id| *id == service.id)
                    })
                    .filter_map(|signal| signal.evidence.first())
                    .take(3)
                    .collect(),
                writable: unit
                    .into_iter()
                    .flat_map(|unit| &unit.mounts)
                    .filter(|mount| !mount.read_only)
                    .filter_map(|mount| mount.target.as_ref())
                    .collect(),
                privileged: unit.is_some_and(|unit| unit.privileged),
                socket: unit.is_some_and(|unit| unit.engine_socket),
            }
        })
        .collect()
}

fn is_root(user: &Shown) -> bool {
    let name = user.as_str().split(':').next().unwrap_or_default();
    name == "root" || name == "0"
}

fn patches<'a>(given: &Given<'a>) -> Vec<Patch<'a>> {
    let mut list: Vec<Patch<'a>> = Vec::new();
    for service in &given.services {
        let Some(container) = given.container_of(service) else {
            continue;
        };
        if container.user.as_ref().is_some_and(|user| !is_root(user)) || given_user(given, service).is_some()
        {
            continue;
        }
        let name = process_name(given, service);
        if let Some(known) = list.iter_mut().find(|patch| *patch.path == container.path) {
            known.services.push(name);
            continue;
        }
        list.push(Patch {
            path: &container.path,
            after: line_before_start(container),
            replaces: container.user_line.filter(|_| container.user.is_some()),
            services: vec![name],
            workdir: container.workdir.as_ref(),
        });
    }
    list
}

fn given_user<'a>(given: &Given<'a>, service: &playbook_core::inventory::Service) -> Option<&'a Shown> {
    given
        .unit_of(service)
        .and_then(|unit| unit.user.as_ref())
        .filter(|user| !is_root(user))
}

/// The line before `ENTRYPOINT` or `CMD` of the last stage, or the last line of the file.
fn line_before_start(container: &Container) -> u32 {
    [container.entrypoint_line, container.command_line]
        .into_iter()
        .flatten()
        .min()
        .map_or(container.last_line, |line| line.saturating_sub(1))
}
