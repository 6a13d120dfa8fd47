//! Datastores: of production's stacks, of the code, of drivers, and of addresses. One entry a kind, or one a container
//! where production runs several of a kind.

use std::collections::{BTreeMap, BTreeSet};

use playbook_core::evidence::{Confidence, Evidence, Scope};
use playbook_core::harmless::{ImageRef, Version};
use playbook_core::inventory::{Datastore, VariableOrigin};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Group, Technology};

use super::candidates::Sources;
use super::services::Merged;
use super::units::{self, UnitClass};
use crate::fact::StoreFact;

/// What is known about one kind.
struct Gathered {
    store: Datastore,
    strong: bool,
    /// Does more than an installed package prove it?
    proven: bool,
    dirs: Vec<RelPath>,
    units: Vec<(usize, Shown)>,
}

/// Makes the list, with the services that use each.
pub(crate) fn resolve(sources: &Sources<'_>, services: &mut [Merged]) -> Vec<Datastore> {
    let mut kinds: BTreeMap<&'static str, Gathered> = BTreeMap::new();
    of_units(&mut kinds, sources);
    of_facts(&mut kinds, sources);
    of_packages(&mut kinds, sources);
    versions_of_tests(&mut kinds, sources);
    of_defaults(&mut kinds, sources);
    kinds.retain(|_, gathered| gathered.strong);
    drop_implied_by_tests(&mut kinds);
    // An application has one main database as a rule: the driver of another one needs more to count than being there.
    let has_database = kinds.values().any(|gathered| {
        gathered.proven && gathered.store.role == "database" && !is_embedded(&gathered.store)
    });
    kinds.retain(|_, gathered| gathered.proven || !has_database || gathered.store.role != "database");
    connect(&mut kinds, sources, services);
    // What nothing deployed uses is what a library can work with, not a store of this deployment.
    kinds.retain(|_, gathered| {
        gathered.store.unit.is_some()
            || !gathered.store.used_by.is_empty()
            || !gathered.units.is_empty() && !services.is_empty()
    });
    kinds.into_values().map(|gathered| gathered.store).collect()
}

fn entry<'k>(
    kinds: &'k mut BTreeMap<&'static str, Gathered>,
    technology: &'static Technology,
) -> &'k mut Gathered {
    kinds.entry(technology.id).or_insert_with(|| Gathered {
        store: Datastore {
            id: Shown::from(technology.id),
            kind: Shown::from(technology.id),
            role: Shown::from(technology.roles.first().copied().unwrap_or("database")),
            version: None,
            image: None,
            used_by: Vec::new(),
            managed: None,
            scope: Scope::Production,
            confidence: Confidence::Derived,
            unit: None,
            drivers: Vec::new(),
            variables: Vec::new(),
            names: Vec::new(),
            extensions: Vec::new(),
            evidence: Vec::new(),
        },
        strong: false,
        proven: false,
        dirs: Vec::new(),
        units: Vec::new(),
    })
}

/// Does it run within the application's process, so that a server may take its place?
fn is_embedded(store: &Datastore) -> bool {
    Catalogue::get()
        .find(Group::Datastore, store.kind.as_str())
        .and_then(|technology| technology.datastore.as_ref())
        .is_some_and(|facts| facts.embedded)
}

fn note(list: &mut Vec<Shown>, value: Option<Shown>) {
    if let Some(value) = value
        && !list.contains(&value)
    {
        list.push(value);
    }
}

fn cite(list: &mut Vec<Evidence>, evidence: &Evidence) {
    if list.len() < 12 && !list.contains(evidence) {
        list.push(evidence.clone());
    }
}

/// Containers and managed resources. Those of development lend their version to a store that production proves.
fn of_units(kinds: &mut BTreeMap<&'static str, Gathered>, sources: &Sources<'_>) {
    let mut order: Vec<usize> = (0..sources.stacks.len()).collect();
    order.sort_by_key(|at| sources.stacks.get(*at).map(|stack| stack.scope));
    for at in order {
        let Some(stack) = sources.stacks.get(at) else {
            continue;
        };
        for unit in &stack.units {
            let UnitClass::Store(technology) = units::classify(stack, unit, sources.own_images) else {
                continue;
            };
            let gathered = entry(kinds, technology);
            let production = stack.scope == Scope::Production;
            let image = unit
                .image
                .as_ref()
                .and_then(|image| ImageRef::parse(Raw::new(image.as_str())));
            let version = unit.version.clone().or_else(|| {
                image
                    .as_ref()
                    .and_then(ImageRef::version)
                    .and_then(|version| Version::parse(Raw::new(version)))
                    .map(Into::into)
            });
            if production {
                gathered.strong = true;
                gathered.proven = true;
                gathered.store.confidence = Confidence::Stated;
                gathered.store.unit = gathered.store.unit.clone().or_else(|| Some(unit.name.clone()));
                gathered.store.image = gathered.store.image.clone().or_else(|| unit.image.clone());
                for evidence in &unit.evidence {
                    cite(&mut gathered.store.evidence, evidence);
                }
            }
            gathered.units.push((at, unit.name.clone()));
            if gathered.store.version.is_none() && version.is_some() {
                gathered.store.version = version;
                if !production {
                    for evidence in unit.evidence.iter().take(1) {
                        cite(&mut gathered.store.evidence, evidence);
                    }
                }
            }
        }
    }
}

/// Clients, addresses and resources that the code and its settings name.
fn of_facts(kinds: &mut BTreeMap<&'static str, Gathered>, sources: &Sources<'_>) {
    let read: BTreeSet<&str> = sources
        .facts
        .variables
        .iter()
        .filter(|fact| {
            fact.scope == Scope::Production
                && !matches!(fact.origin, VariableOrigin::File | VariableOrigin::Document)
        })
        .map(|fact| fact.name.as_str())
        .collect();
    // An address in an environment file counts only when something reads the variable.
    let unread = |fact: &&StoreFact| {
        let of_file = fact.evidence.path.name().contains("env");
        of_file
            && fact
                .variable
                .as_ref()
                .is_some_and(|variable| !read.contains(variable.as_str()))
    };
    // What an environment file chooses stands before what the code falls back on.
    let mut chosen: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for fact in &sources.facts.stores {
        if let Some(variable) = &fact.variable
            && fact.scope == Scope::Production
            && fact.evidence.path.name().contains("env")
            && fact.role.is_none()
        {
            chosen
                .entry(variable.as_str())
                .or_default()
                .insert(fact.kind.as_str());
        }
    }
    let overruled = |fact: &StoreFact| {
        fact.variable
            .as_ref()
            .and_then(|variable| chosen.get(variable.as_str()))
            .is_some_and(|kinds| !kinds.contains(fact.kind.as_str()))
    };
    let production = sources
        .facts
        .stores
        .iter()
        .filter(|fact| fact.scope == Scope::Production);
    for fact in production.filter(|fact| !unread(fact)) {
        let Some(technology) = Catalogue::get().find(Group::Datastore, fact.kind.as_str()) else {
            continue;
        };
        let gathered = entry(kinds, technology);
        let strong = fact.strong && !overruled(fact);
        gathered.strong |= strong;
        gathered.proven |= strong;
        if let Some(role) = fact.role
            && gathered.store.evidence.is_empty()
        {
            gathered.store.role = Shown::from(role);
        }
        let store = &mut gathered.store;
        store.version = store
            .version
            .clone()
            .or_else(|| fact.version.as_ref().map(Into::into));
        store.managed = store.managed.clone().or_else(|| fact.managed.clone());
        note(&mut store.drivers, fact.driver.as_ref().map(Into::into));
        note(&mut store.variables, fact.variable.as_ref().map(Into::into));
        note(&mut store.names, fact.name.as_ref().map(Into::into));
        note(&mut store.extensions, fact.extension.as_ref().map(Into::into));
        cite(&mut store.evidence, &fact.evidence);
        let dir = fact
            .dir
            .clone()
            .or_else(|| sources.apps.owner(&fact.evidence.path).map(|app| app.dir.clone()));
        gathered.dirs.extend(dir);
    }
}

/// Embedded databases that the code falls back on, where no other database is installed or named.
fn of_defaults(kinds: &mut BTreeMap<&'static str, Gathered>, sources: &Sources<'_>) {
    let chosen = kinds
        .values()
        .any(|gathered| gathered.strong && gathered.store.role == "database");
    if chosen {
        return;
    }
    let production = sources
        .facts
        .default_stores
        .iter()
        .filter(|fact| fact.scope == Scope::Production);
    for fact in production {
        let Some(technology) = Catalogue::get().find(Group::Datastore, fact.kind.as_str()) else {
            continue;
        };
        let gathered = entry(kinds, technology);
        gathered.strong = true;
        gathered.proven = true;
        note(
            &mut gathered.store.variables,
            fact.variable.as_ref().map(Into::into),
        );
        cite(&mut gathered.store.evidence, &fact.evidence);
        let dir = fact
            .dir
            .clone()
            .or_else(|| sources.apps.owner(&fact.evidence.path).map(|app| app.dir.clone()));
        gathered.dirs.extend(dir);
    }
}

/// The version that tests and CI run on, where nothing of production says one.
fn versions_of_tests(kinds: &mut BTreeMap<&'static str, Gathered>, sources: &Sources<'_>) {
    for fact in sources
        .facts
        .stores
        .iter()
        .filter(|fact| fact.scope == Scope::Development)
    {
        let (Some(gathered), Some(version)) = (kinds.get_mut(fact.kind.as_str()), &fact.version) else {
            continue;
        };
        if gathered.store.version.is_none() {
            gathered.store.version = Some(version.into());
            cite(&mut gathered.store.evidence, &fact.evidence);
        }
    }
}

/// Drivers that production installs.
fn of_packages(kinds: &mut BTreeMap<&'static str, Gathered>, sources: &Sources<'_>) {
    for app in &sources.apps.all {
        for known in &app.known {
            let stores: Vec<&'static Technology> = match known.technology.group {
                Group::Datastore => vec![known.technology],
                Group::Driver | Group::Framework => Vec::new(),
                _ => continue,
            };
            for technology in stores {
                let embedded = technology.datastore.as_ref().is_some_and(|facts| facts.embedded);
                let gathered = entry(kinds, technology);
                // A driver of an embedded store comes with many libraries; only its use proves it.
                gathered.strong |= known.strong && !embedded;
                note(&mut gathered.store.drivers, Some((&known.package).into()));
                cite(&mut gathered.store.evidence, &known.evidence);
                gathered.dirs.push(app.dir.clone());
            }
        }
    }
}

/// SQLite beside a server database is the one of tests, unless a stack or a client of production names it.
fn drop_implied_by_tests(kinds: &mut BTreeMap<&'static str, Gathered>) {
    let servers = kinds.values().any(|gathered| {
        gathered.store.role == "database" && gathered.store.unit.is_some() && gathered.store.kind != "sqlite"
    });
    if servers {
        kinds.retain(|kind, gathered| {
            !matches!(*kind, "sqlite" | "h2" | "hsqldb") || gathered.store.unit.is_some()
        });
    }
}

/// Which service uses which store: by the units' dependencies, by the folder of the client or driver, by variables.
fn connect(kinds: &mut BTreeMap<&'static str, Gathered>, sources: &Sources<'_>, services: &mut [Merged]) {
    for gathered in kinds.values_mut() {
        for merged in services.iter_mut() {
            let by_unit = merged
                .parts
                .iter()
                .filter_map(|part| part.unit)
                .any(|(stack, unit)| {
                    let unit = sources.stacks.get(stack).and_then(|stack| stack.units.get(unit));
                    unit.is_some_and(|unit| {
                        gathered.units.iter().any(|(at, name)| {
                            *at == stack
                                && (unit.depends_on.iter().any(|dependency| dependency.unit == *name)
                                    || unit.variables.iter().any(|variable| refers_to(variable, name)))
                        })
                    })
                });
            let by_code = merged.service.is_own()
                && (gathered.dirs.contains(&merged.service.path)
                    || merged.service.path.is_root()
                        && gathered
                            .dirs
                            .iter()
                            .any(|dir| sources.apps.owner(dir).is_some_and(|app| app.dir.is_root())));
            // One container of one of several languages: what the code of another folder uses is not its.
            if by_unit || by_code {
                note(&mut gathered.store.used_by, Some(merged.service.id.clone()));
                note(&mut merged.service.depends_on, Some(gathered.store.id.clone()));
            }
        }
    }
}

fn refers_to(variable: &playbook_core::inventory::UnitVariable, unit: &Shown) -> bool {
    variable.reference.as_ref() == Some(unit)
        || variable.value.as_ref().is_some_and(|value| {
            value.as_str() == unit.as_str()
                || value
                    .as_str()
                    .split(['/', ':', '@', ','])
                    .any(|part| part == unit.as_str())
        })
}
