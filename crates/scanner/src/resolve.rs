//! Facts become the inventory, in a fixed order of steps:
//!
//! 1. stacks: which files together form one deployment;
//! 2. applications: folders with a manifest, and what their packages stand for;
//! 3. services: processes that sources describe, merged where they are the same;
//!    an application that nothing describes is started as its language's conventions say;
//! 4. commands, ports, runtimes, health endpoints of each service;
//! 5. datastores and who uses them, migrations, the environment schema;
//! 6. the lists that need nothing but their scope judged.

mod aggregators;
mod apps;
mod attributes;
mod build_files;
mod candidates;
mod charts;
mod cluster;
mod commands;
mod conventions;
mod datastores;
mod environment;
mod images;
mod jobs;
mod kustomize;
mod lists;
mod migrations;
mod project;
mod provisioning;
mod proxies;
mod references;
mod roles;
pub(crate) mod routes;
mod scaling;
mod services;
mod settings;
mod stacks;
mod terraform;
mod units;

use std::collections::HashMap;

use playbook_core::diagnostic::{Diagnostic, DiagnosticKind};
use playbook_core::inventory::{Inventory, Role};
use playbook_core::path::RelPath;
use playbook_core::shown::Shown;

use crate::Scan;
use crate::fact::Facts;
use crate::index::FileIndex;
use apps::Apps;
use candidates::{EntriesByApp, Sources};
use images::OwnImages;
use services::Merged;

/// Makes the inventory.
pub(crate) fn resolve(mut facts: Facts, index: &FileIndex, folder_name: &str) -> Scan {
    settings::drop_unused(&mut facts, index);
    let mut inventory = Inventory::empty();
    build_files::expand_aliases(&mut facts);
    routes::judge_handlers(&mut facts);
    for fact in &mut facts.projects {
        if fact.package_manager.is_none() {
            fact.package_manager = project::lockfile(fact, index).1;
        }
    }
    terraform::expand(&mut facts, index);
    charts::expand(&mut facts);
    cluster::join(&mut facts);
    kustomize::apply(&mut facts);
    let mut stacks = stacks::merge(
        std::mem::take(&mut facts.stacks),
        &facts.file_sets,
        &facts.extends,
    );
    let mut containers = std::mem::take(&mut facts.containers);
    lists::complete_containers(&mut containers, index);
    stacks::judge(&mut stacks, &mut containers, &mut facts);
    stacks.sort_by(|a, b| stacks::order(a).cmp(&stacks::order(b)));

    let apps = Apps::new(&facts, index);
    inventory.project = project::resolve(&facts, &apps, index, folder_name);
    inventory.manifests = project::manifests(&facts, index);
    let own_images = OwnImages::new(&inventory.project, &apps, &containers, &stacks);

    let project_name = inventory.project.name.clone();
    let sources = Sources {
        facts: &facts,
        apps: &apps,
        stacks: &stacks,
        containers: &containers,
        own_images: &own_images,
        routes: routes::Index::new(&facts, &apps),
        entries: EntriesByApp::new(&facts, &apps),
        project_name: project_name.as_ref(),
    };
    let (mut services, too_many) = services::merge(&sources, index);
    let conventional = conventions::add(&mut services, &sources, index, inventory.project.name.as_ref());
    for merged in &mut services {
        commands::fill(merged, &sources);
        attributes::fill(merged, &sources);
        conventions::complete(merged, &conventional, &sources, index);
    }
    inventory.datastores = datastores::resolve(&sources, &mut services);
    connect_services(&sources, &mut services);
    inventory.migrations = migrations::resolve(&sources, &inventory.datastores, &mut services);
    migrations::tell_extensions(&inventory.migrations, &mut inventory.datastores);
    inventory.environment = environment::resolve(&sources, &mut services);
    environment::link(&mut inventory.environment, &mut inventory.datastores);
    let by_folder = ServicesByFolder::new(&services);
    inventory.routes = routes::all(&sources, |path| by_folder.of(path, &apps));
    lists::fill(&mut inventory, &sources, &services, &by_folder);

    let mut linked = stacks.clone();
    lists::link_units(&mut linked, &sources, &services, &inventory.datastores);
    inventory.stacks = linked;
    inventory.services = services.into_iter().map(|merged| merged.service).collect();
    inventory.containers.clone_from(&containers);
    inventory.missing_references = references::find(&inventory, &sources, index);
    inventory.provisioning = provisioning::resolve(&mut facts, &inventory, index);
    scaling::fill(&mut inventory, &mut facts);
    inventory.proxies = proxies::resolve(&mut facts, &inventory);
    inventory.diagnostics = std::mem::take(&mut facts.diagnostics);
    if too_many {
        let root = RelPath::root();
        inventory
            .diagnostics
            .push(Diagnostic::new(root, None, DiagnosticKind::TooManyFacts));
    }
    inventory.sort();
    Scan {
        inventory,
        withheld: facts.withheld,
    }
}

/// The services by the folders of their code.
pub(crate) struct ServicesByFolder(HashMap<RelPath, (Role, Shown)>);

impl ServicesByFolder {
    fn new(services: &[Merged]) -> Self {
        let mut best: HashMap<RelPath, (Role, Shown)> = HashMap::new();
        for merged in services.iter().filter(|merged| merged.service.is_own()) {
            let key = (merged.service.role, merged.service.id.clone());
            best.entry(merged.service.path.clone())
                .and_modify(|known| {
                    if key < *known {
                        *known = key.clone();
                    }
                })
                .or_insert(key);
        }
        Self(best)
    }

    /// The service whose code a file is: the one of its application, the web process first.
    pub(crate) fn of(&self, path: &RelPath, apps: &Apps) -> Option<Shown> {
        let best = match apps.owner(path) {
            Some(app) => self.0.get(&app.dir),
            None => path
                .with_folders_above()
                .filter_map(|folder| self.0.get(folder))
                .min(),
        };
        best.map(|(_, id)| id.clone())
    }
}

/// Services that a unit waits for or is told the address of.
fn connect_services(sources: &Sources<'_>, services: &mut [Merged]) {
    let units: Vec<((usize, usize), Shown)> = services
        .iter()
        .flat_map(|merged| {
            merged
                .parts
                .iter()
                .filter_map(|part| part.unit)
                .map(|unit| (unit, merged.service.id.clone()))
        })
        .collect();
    for merged in services.iter_mut() {
        for (stack, unit) in merged
            .parts
            .iter()
            .filter_map(|part| part.unit)
            .collect::<Vec<_>>()
        {
            let Some(described) = sources.stacks.get(stack) else {
                continue;
            };
            let Some(unit) = described.units.get(unit) else {
                continue;
            };
            for ((other_stack, position), id) in &units {
                let Some(other) = described.units.get(*position).filter(|_| *other_stack == stack) else {
                    continue;
                };
                let waits = unit
                    .depends_on
                    .iter()
                    .any(|dependency| dependency.unit == other.name);
                if waits && *id != merged.service.id && !merged.service.depends_on.contains(id) {
                    merged.service.depends_on.push(id.clone());
                }
            }
        }
    }
}
