//! Datastores: of production's stacks, of the code, of drivers, and of addresses. One entry a kind, or one a container
//! where production runs several of a kind.

mod choice;
mod users;

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

/// How far what was found proves that the program needs a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Proof {
    /// An import, or a client whose address is somebody else's.
    Mention,
    /// A package that production installs.
    Package,
    /// An embedded store that the code falls back on.
    Fallback,
    /// A configured client, dialect, address or resource.
    Configured,
    /// A unit of a stack of production.
    Deployed,
}

/// What is known about one kind.
struct Gathered {
    store: Datastore,
    proof: Proof,
    embedded: bool,
    /// Was it found in code or settings, besides being installed?
    mentioned: bool,
    /// Ecosystems of the packages that stand for it.
    ecosystems: BTreeSet<&'static str>,
    /// Folders of the code that was seen to use it.
    dirs: Vec<RelPath>,
    /// Folders of the code beside descriptors that name it.
    near: Vec<RelPath>,
    /// Its own units: of which stack, and what they are called.
    units: Vec<(usize, Shown)>,
    /// Units that are told its address: of which stack, and where in it.
    told: Vec<(usize, usize)>,
}

impl Gathered {
    fn raise(&mut self, proof: Proof) {
        self.proof = self.proof.max(proof);
    }

    fn is_database(&self) -> bool {
        self.store.role == "database"
    }
}

type Kinds = BTreeMap<&'static str, Gathered>;

/// Makes the list, with the services that use each.
pub(crate) fn resolve(sources: &Sources<'_>, services: &mut [Merged]) -> Vec<Datastore> {
    let mut kinds = Kinds::new();
    of_units(&mut kinds, sources);
    of_facts(&mut kinds, sources);
    of_packages(&mut kinds, sources);
    versions_of_tests(&mut kinds, sources);
    kinds.retain(|_, gathered| gathered.proof > Proof::Mention);
    of_defaults(&mut kinds, sources);
    choice::settle(&mut kinds, sources);
    versions_of_documents(&mut kinds, sources);
    collections(&mut kinds, sources);
    users::connect(&mut kinds, sources, services);
    // What nothing deployed uses is what a library can work with, not a store of this deployment.
    kinds.retain(|_, gathered| {
        gathered.store.unit.is_some()
            || !gathered.store.used_by.is_empty()
            || !gathered.units.is_empty() && !services.is_empty()
    });
    kinds.into_values().map(|gathered| gathered.store).collect()
}

fn entry<'k>(kinds: &'k mut Kinds, technology: &'static Technology) -> &'k mut Gathered {
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
            collections: Vec::new(),
            alternatives: Vec::new(),
            evidence: Vec::new(),
        },
        proof: Proof::Mention,
        embedded: technology.datastore.as_ref().is_some_and(|facts| facts.embedded),
        mentioned: false,
        ecosystems: BTreeSet::new(),
        dirs: Vec::new(),
        units: Vec::new(),
        told: Vec::new(),
        near: Vec::new(),
    })
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
fn of_units(kinds: &mut Kinds, sources: &Sources<'_>) {
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
            // The tag of an image that nobody knows is the repository's own, not the engine's version.
            let engine = image
                .as_ref()
                .filter(|image| matches!(units::of_image(image), Some(UnitClass::Store(_))));
            let version = unit.version.clone().or_else(|| {
                engine
                    .and_then(engine_version)
                    .and_then(|version| Version::parse(Raw::new(version)))
                    .map(Into::into)
            });
            if production {
                gathered.raise(Proof::Deployed);
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

/// The version in an image's tag; images of `PostgreSQL` with an extension write it behind `pg`: `pg17`, `2.17.2-pg16`.
fn engine_version(image: &ImageRef) -> Option<&str> {
    let of_server = image.tag()?.split('-').find_map(|part| {
        part.strip_prefix("pg")
            .filter(|version| version.starts_with(|c: char| c.is_ascii_digit()))
    });
    of_server.or_else(|| image.version())
}

/// Clients, addresses and resources that the code and its settings name.
fn of_facts(kinds: &mut Kinds, sources: &Sources<'_>) {
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
    let manifests: BTreeMap<&RelPath, &'static str> = sources
        .facts
        .projects
        .iter()
        .map(|project| (&project.manifest, project.ecosystem))
        .collect();
    let told = users::Told::new(sources);
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
    for fact in production.filter(|fact| !unread(fact) && !of_developers(fact)) {
        let Some(technology) = Catalogue::get().find(Group::Datastore, fact.kind.as_str()) else {
            continue;
        };
        let gathered = entry(kinds, technology);
        // What a manifest says is that something is installed.
        let ecosystem = manifests.get(&fact.evidence.path);
        gathered.mentioned |= ecosystem.is_none();
        gathered.ecosystems.extend(ecosystem);
        if ecosystem.is_some() {
            if fact.strong {
                gathered.raise(Proof::Package);
            }
        } else if fact.strong && !overruled(fact) {
            gathered.raise(Proof::Configured);
        }
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
        match told.by(fact) {
            users::By::Units(units) => gathered.told.extend(units),
            users::By::Descriptor => gathered.near.extend(dir),
            users::By::Code => gathered.dirs.extend(dir),
        }
    }
}

/// What the code falls back on: an embedded database stands in for one that nobody named, a server only where nothing
/// else is configured.
fn of_defaults(kinds: &mut Kinds, sources: &Sources<'_>) {
    let configured = kinds
        .values()
        .any(|gathered| gathered.proof >= Proof::Configured && gathered.is_database());
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
        if gathered.embedded {
            gathered.raise(Proof::Fallback);
        } else if !configured {
            gathered.raise(Proof::Configured);
        } else {
            continue;
        }
        gathered.mentioned = true;
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

/// Variants of an environment file that the tools of developers and tests read.
fn of_developers(fact: &StoreFact) -> bool {
    let name = fact.evidence.path.name();
    name.starts_with(".env")
        && name
            .split(['.', '-', '_'])
            .any(|part| matches!(part, "sail" | "dusk" | "test" | "testing" | "ci" | "e2e"))
}

/// The version that tests and CI run on, where nothing of production says one.
fn versions_of_tests(kinds: &mut Kinds, sources: &Sources<'_>) {
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

/// Names that code gives to what it keeps, each one once, in the store that it needs.
fn collections(kinds: &mut Kinds, sources: &Sources<'_>) {
    for fact in &sources.facts.collections {
        let kind = fact.kind.as_str();
        // Vectors in a relational database lie in the one that has the extension.
        let known = match kind {
            "pgvector" => ["pgvector", "postgresql", "timescaledb", "alloydb", "supabase"]
                .into_iter()
                .find(|kind| kinds.contains_key(kind)),
            "redis" => ["redis", "valkey"]
                .into_iter()
                .find(|kind| kinds.contains_key(kind)),
            "kafka" => ["kafka", "redpanda"]
                .into_iter()
                .find(|kind| kinds.contains_key(kind)),
            other => Some(other),
        };
        let Some(gathered) = known.and_then(|kind| kinds.get_mut(kind)) else {
            continue;
        };
        let list = &mut gathered.store.collections;
        let full = list.len() >= 50;
        let same = list.iter_mut().find(|known| {
            known.name == fact.collection.name
                && (known.dimension == fact.collection.dimension || fact.collection.dimension.is_none())
        });
        match same {
            Some(known) => {
                for evidence in &fact.collection.evidence {
                    cite(&mut known.evidence, evidence);
                }
            }
            None if full => {}
            None => list.push(fact.collection.clone()),
        }
        if kind == "pgvector" {
            note(&mut gathered.store.extensions, Some(Shown::from("vector")));
        }
    }
    for gathered in kinds.values_mut() {
        gathered
            .store
            .collections
            .sort_by(|a, b| (&a.name, a.dimension, &a.evidence).cmp(&(&b.name, b.dimension, &b.evidence)));
    }
}

/// The version that people are told to start: `docker run -d postgres:17`.
fn versions_of_documents(kinds: &mut Kinds, sources: &Sources<'_>) {
    if kinds.values().all(|gathered| gathered.store.version.is_some()) {
        return;
    }
    let documented = sources
        .facts
        .documented_commands
        .iter()
        .filter(|documented| documented.command.as_str().contains(" run "));
    for documented in documented {
        let Some(evidence) = documented.evidence.first() else {
            continue;
        };
        for word in documented.command.words() {
            let Some(image) = ImageRef::parse(Raw::new(word)).filter(|image| image.version().is_some())
            else {
                continue;
            };
            let Some(UnitClass::Store(technology)) = units::of_image(&image) else {
                continue;
            };
            let Some(gathered) = kinds.get_mut(technology.id) else {
                continue;
            };
            if gathered.store.version.is_none() {
                gathered.store.version = image
                    .version()
                    .and_then(|version| Version::parse(Raw::new(version)))
                    .map(Into::into);
                cite(&mut gathered.store.evidence, evidence);
            }
        }
    }
}

/// Drivers that production installs.
fn of_packages(kinds: &mut Kinds, sources: &Sources<'_>) {
    for app in &sources.apps.all {
        for known in &app.known {
            if known.technology.group != Group::Datastore {
                continue;
            }
            let gathered = entry(kinds, known.technology);
            if known.strong {
                gathered.raise(Proof::Package);
            }
            let ecosystem = app
                .projects
                .iter()
                .find(|project| project.manifest == known.evidence.path)
                .map_or("", |project| project.ecosystem);
            gathered.ecosystems.insert(ecosystem);
            note(&mut gathered.store.drivers, Some((&known.package).into()));
            cite(&mut gathered.store.evidence, &known.evidence);
            gathered.dirs.push(app.dir.clone());
        }
    }
}
