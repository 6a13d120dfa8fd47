//! Section 1: what has to be there before the first command.

use serde::{Deserialize, Serialize};

use playbook_core::evidence::{Evidence, Scope};
use playbook_core::harmless::{ImageRef, Version};
use playbook_core::inventory::{Datastore, Role, SignalKind, Stack};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Group, Technology};

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
    versions: Vec<VersionRow<'a>>,
    environments: Environments<'a>,
}

/// A runtime that the repository asks for.
#[derive(Debug, Serialize)]
struct RuntimeRow<'a> {
    name: &'a Shown,
    version: Option<&'a Shown>,
    services: Vec<&'a Shown>,
    evidence: Vec<&'a Evidence>,
}

/// A component with the release line that it asks for.
#[derive(Debug, Serialize)]
struct VersionRow<'a> {
    /// Slug in the catalogue.
    kind: &'a str,
    /// As the repository states it.
    asked: Option<Shown>,
    places: Vec<Evidence>,
    /// The release line.
    line: Option<&'static str>,
    /// Last day of support.
    until: Option<&'static str>,
    ended: bool,
    /// Does it end within a year?
    soon: bool,
    /// Newest release of the line that the catalogue knows.
    latest: Option<&'static str>,
    /// Day on which the source was read.
    source_date: Option<&'static str>,
}

/// What differs between development and the plan's environment.
#[derive(Debug, Serialize)]
struct Environments<'a> {
    development_files: Vec<&'a RelPath>,
    production_files: &'a [RelPath],
    stores: Vec<StorePair<'a>>,
    /// Settings that switch development behaviour on, with the places that say so.
    switches: Vec<Switch<'a>>,
    /// Variables for which the repository holds a placeholder.
    placeholders: Vec<&'a Shown>,
    development_ports: Vec<u16>,
    production_ports: Vec<u16>,
    /// Services that the repository deploys to several instances, or the user does.
    replicas: Vec<Replicas<'a>>,
    ci_files: Vec<&'a RelPath>,
}

#[derive(Debug, Serialize)]
struct StorePair<'a> {
    kind: &'a Shown,
    development: Option<&'a Datastore>,
    production: Option<&'a Datastore>,
}

#[derive(Debug, Serialize)]
struct Switch<'a> {
    name: &'a Shown,
    evidence: Vec<&'a Evidence>,
}

#[derive(Debug, Serialize)]
struct Replicas<'a> {
    service: &'a Shown,
    count: u32,
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
    let versions = versions(given);
    ledger.condition("has_versions", !versions.is_empty());
    Prerequisites {
        runtimes: runtimes(given),
        versions,
        environments: environments(given),
    }
}

fn runtimes<'a>(given: &Given<'a>) -> Vec<RuntimeRow<'a>> {
    let mut rows: Vec<RuntimeRow<'_>> = Vec::new();
    for service in &given.services {
        let Some(name) = &service.runtime.name else {
            continue;
        };
        let version = service.runtime.version.as_ref();
        match rows
            .iter_mut()
            .find(|row| row.name == name && row.version == version)
        {
            Some(row) => row.services.push(&service.name),
            None => rows.push(RuntimeRow {
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
    rows
}

/// Runtimes, datastores and third-party images, each line once.
fn versions<'a>(given: &Given<'a>) -> Vec<VersionRow<'a>> {
    let catalogue = Catalogue::get();
    let mut rows: Vec<VersionRow<'a>> = Vec::new();
    let mut push =
        |kind: &'a str, technology: Option<&Technology>, asked: Option<Shown>, places: Vec<Evidence>| {
            if let Some(row) = rows.iter_mut().find(|row| row.kind == kind && row.asked == asked) {
                for place in places {
                    if !row.places.contains(&place) {
                        row.places.push(place);
                    }
                }
                return;
            }
            let cycle = technology
                .zip(asked.as_ref())
                .and_then(|(technology, asked)| technology.cycle_for(asked.as_str()));
            let today = given.context.date.format("%Y-%m-%d").to_string();
            let in_a_year = (given.context.date + chrono::Days::new(365))
                .format("%Y-%m-%d")
                .to_string();
            rows.push(VersionRow {
                kind,
                asked,
                places,
                line: cycle.map(|cycle| cycle.version),
                until: cycle.and_then(|cycle| cycle.eol),
                ended: cycle
                    .is_some_and(|cycle| cycle.ended || cycle.eol.is_some_and(|eol| eol < today.as_str())),
                soon: cycle
                    .and_then(|cycle| cycle.eol)
                    .is_some_and(|eol| eol >= today.as_str() && eol < in_a_year.as_str()),
                latest: cycle.and_then(|cycle| cycle.latest),
                source_date: cycle.map(|cycle| cycle.source_date),
            });
        };
    for service in &given.services {
        if let Some(name) = &service.runtime.name {
            let place = service
                .runtime
                .version_source
                .as_ref()
                .or(service.evidence.first());
            push(
                name.as_str(),
                catalogue.find(Group::Runtime, name.as_str()),
                service.runtime.version.clone(),
                place.cloned().into_iter().collect(),
            );
        }
    }
    for store in &given.datastores {
        push(
            store.kind.as_str(),
            catalogue.find(Group::Datastore, store.kind.as_str()),
            store.version.clone(),
            store.evidence.iter().take(2).cloned().collect(),
        );
    }
    for service in &given.third_party {
        let Some(image) = service
            .image
            .as_ref()
            .and_then(|image| ImageRef::parse(Raw::new(image.as_str())))
        else {
            continue;
        };
        let technology = catalogue
            .by_image(image.without_tag())
            .first()
            .map(|found| found.technology);
        push(
            technology.map_or(service.name.as_str(), |technology| technology.id),
            technology,
            image
                .tag()
                .and_then(|tag| Version::parse(Raw::new(tag)))
                .map(Shown::from),
            service.evidence.iter().take(1).cloned().collect(),
        );
    }
    rows
}

fn environments<'a>(given: &Given<'a>) -> Environments<'a> {
    let inventory = given.inventory;
    let of_scope = |scope: Scope| inventory.stacks.iter().filter(move |stack| stack.scope == scope);
    let ports = |stacks: &mut dyn Iterator<Item = &'a Stack>| {
        let mut ports: Vec<u16> = stacks
            .flat_map(|stack| &stack.units)
            .flat_map(|unit| &unit.ports)
            .filter(|port| port.published)
            .filter_map(|port| port.host)
            .collect();
        ports.sort_unstable();
        ports.dedup();
        ports
    };
    let mut kinds: Vec<&Shown> = inventory.datastores.iter().map(|store| &store.kind).collect();
    kinds.sort();
    kinds.dedup();
    let store = |kind: &Shown, scope: Scope| {
        inventory
            .datastores
            .iter()
            .find(|store| store.kind == *kind && store.scope == scope)
    };
    let mut switches: Vec<Switch<'a>> = Vec::new();
    for signal in inventory.signals.iter().filter(|signal| {
        matches!(
            signal.kind,
            SignalKind::DevelopmentSwitch | SignalKind::DebugEnabled
        )
    }) {
        let Some(name) = &signal.subject else { continue };
        match switches.iter_mut().find(|switch| switch.name == name) {
            Some(switch) => switch.evidence.extend(&signal.evidence),
            None => switches.push(Switch {
                name,
                evidence: signal.evidence.iter().collect(),
            }),
        }
    }
    let mut development_files: Vec<&RelPath> = of_scope(Scope::Development)
        .flat_map(|stack| &stack.files)
        .collect();
    development_files.sort();
    development_files.dedup();
    Environments {
        development_ports: ports(&mut of_scope(Scope::Development)),
        production_ports: ports(&mut given.stack.into_iter()),
        development_files,
        production_files: given.stack.map_or(&[], |stack| stack.files.as_slice()),
        stores: kinds
            .into_iter()
            .map(|kind| StorePair {
                kind,
                development: store(kind, Scope::Development),
                production: store(kind, Scope::Production),
            })
            .collect(),
        switches,
        placeholders: given
            .variables
            .iter()
            .filter(|variable| variable.placeholder)
            .map(|variable| &variable.name)
            .collect(),
        replicas: given
            .services
            .iter()
            .filter_map(|service| {
                let wanted = given
                    .context
                    .replicas
                    .filter(|_| service.role == Role::Web && !service.singleton)
                    .or(service.replicas)?;
                Some(Replicas {
                    service: &service.name,
                    count: wanted,
                })
            })
            .collect(),
        ci_files: inventory.ci.iter().map(|file| &file.path).collect(),
    }
}
