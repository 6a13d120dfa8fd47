//! Resources of infrastructure tools, whatever the tool: datastores with engine, version and size, processes with image,
//! ports and variables, and schedules. What a type stands for and what attributes are called is the catalogue's.

mod fields;
mod process;

pub(crate) use fields::{Field, Fields, normal};

use playbook_core::harmless::{Name, Schedule, Version};
use playbook_core::inventory::{Mount, MountKind, Unit};
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Group, Technology};

use crate::fact::{Facts, JobFact, StoreFact};
use crate::source::Source;

/// One resource as its file describes it.
pub(crate) struct Resource<'r> {
    /// The type as the tool writes it, or the source of a published module.
    pub(crate) kind: &'r str,
    /// Its name inside the file.
    pub(crate) label: &'r str,
    /// Name of the call of the module that it stands in.
    pub(crate) module: Option<&'r str>,
    /// Its line.
    pub(crate) line: u32,
    /// What it says.
    pub(crate) fields: &'r Fields,
}

/// Labels that say nothing of the thing they name.
const COMMON_LABELS: [&str; 18] = [
    "this",
    "main",
    "default",
    "service",
    "app",
    "task",
    "lambda",
    "function",
    "job",
    "container",
    "db",
    "database",
    "resource",
    "instance",
    "table",
    "queue",
    "bucket",
    "cluster",
];

/// Tells what a resource is: units of a stack, jobs and hints at stores.
pub(crate) fn read(source: &Source<'_>, facts: &mut Facts, resource: &Resource<'_>) -> Vec<Unit> {
    if let Some(process) = Catalogue::get().by_process_resource(resource.kind) {
        if process.role == "schedule" {
            facts.jobs.extend(job(source, resource, process.platform));
            return Vec::new();
        }
        let units = process::read(source, facts, resource, process.role);
        if process.role == "job" {
            facts
                .jobs
                .extend(job(source, resource, process.platform).filter(|job| job.schedule.is_some()));
        }
        return units;
    }
    store(source, facts, resource).into_iter().collect()
}

/// The datastore that a type and its engine attribute stand for.
fn technology(resource: &Resource<'_>) -> Option<&'static Technology> {
    let catalogue = Catalogue::get();
    if let Some(engine) = catalogue.by_engine_resource(resource.kind) {
        let present = |(name, kind): (&&'static str, &&'static str)| resource.fields.get(name).map(|_| *kind);
        if let Some(kind) = engine.presence.iter().find_map(present) {
            return catalogue.find(Group::Datastore, kind);
        }
        let value = match resource.fields.get(&normal(engine.attribute)) {
            Some((_, Field::Text(text))) => text.as_str(),
            Some(_) => return None,
            None => "",
        };
        return catalogue.find(Group::Datastore, engine.kind(value)?);
    }
    catalogue
        .by_resource(resource.kind)
        .into_iter()
        .map(|found| found.technology)
        .find(|technology| technology.group == Group::Datastore)
}

fn store(source: &Source<'_>, facts: &mut Facts, resource: &Resource<'_>) -> Option<Unit> {
    let technology = technology(resource)?;
    let names = Catalogue::get().resource_attributes();
    let stated = resource.fields.text_of(&names.name);
    let mut words = stated
        .as_deref()
        .unwrap_or_default()
        .split(['-', '_', '.', '/'])
        .chain(resource.label.split(['-', '_']))
        .chain(resource.module.unwrap_or_default().split(['-', '_']));
    if words.any(|word| names.own_words.contains(&word.to_ascii_lowercase().as_str())) {
        return None;
    }
    let evidence = source.at(resource.line);
    let shown_name = stated.as_deref().and_then(|name| Name::parse(Raw::new(name)));
    let version = version(resource);
    let (version_line, version) = version.map_or((None, None), |(line, version)| (Some(line), Some(version)));
    let versioned = version_line.map_or_else(|| evidence.clone(), |line| source.at(line));
    facts.stores.push(StoreFact {
        kind: Shown::from(technology.id),
        // Who uses it, the code tells; the folder of the description is nobody's.
        dir: Some(source.path.parent()),
        version: version.clone(),
        role: None,
        managed: provider(resource.kind),
        driver: None,
        variable: None,
        name: shown_name.clone(),
        extension: None,
        // A bucket may hold anything; that the software works with it, its code tells.
        strong: technology.category != "object-storage",
        scope: source.scope,
        evidence: versioned,
    });
    if technology.category == "object-storage" {
        return None;
    }
    let label = telling(resource);
    let name = Name::parse(Raw::new(label)).map(Shown::from)?;
    let kind = Name::parse(Raw::new(resource.kind)).map(Shown::from)?;
    let mut unit = Unit::new(name, kind);
    unit.datastore = Some(Shown::from(technology.id));
    unit.version = version.map(Shown::from);
    unit.plan = resource
        .fields
        .deep_text(&names.plan)
        .and_then(|plan| word(&plan));
    unit.region = resource
        .fields
        .text_of(&names.region)
        .and_then(|region| word(&region));
    unit.evidence = vec![evidence];
    if let Some((line, size)) = resource.fields.deep(&names.storage)
        && let Some(size) = size.text().and_then(|size| size.parse().ok())
    {
        unit.mounts.push(Mount {
            kind: MountKind::Volume,
            source: None,
            target: None,
            read_only: false,
            size_gb: Some(size),
            evidence: vec![source.at(line)],
        });
    }
    Some(unit)
}

fn word(text: &str) -> Option<Shown> {
    Name::parse(Raw::new(text)).map(Shown::from)
}

/// The label, or the name of the module's call where the label is a word of the tool.
fn telling<'r>(resource: &Resource<'r>) -> &'r str {
    match resource.module {
        Some(module) if COMMON_LABELS.contains(&resource.label) => module,
        _ => resource.label,
    }
}

/// The vendor whose resource it is.
fn provider(kind: &str) -> Option<Shown> {
    let catalogue = Catalogue::get();
    let provider = catalogue
        .resource_attributes()
        .providers
        .iter()
        .find(|(beginning, _)| kind.starts_with(**beginning))
        .map(|(_, provider)| *provider)?;
    Some(Shown::from(provider))
}

/// The engine's version: `16.4`, `POSTGRES_16`, `MYSQL_8_0`, `redis7`.
fn version(resource: &Resource<'_>) -> Option<(u32, Version)> {
    let names = Catalogue::get().resource_attributes();
    if names.unversioned.contains(&resource.kind) {
        return None;
    }
    let inner = resource
        .fields
        .get("properties")
        .and_then(|(_, field)| field.map());
    let (line, field) = resource
        .fields
        .first(&names.version)
        .or_else(|| inner?.first(&names.version))?;
    let text = field.text()?;
    let start = text.find(|letter: char| letter.is_ascii_digit())?;
    let digits: String = text
        .get(start..)?
        .chars()
        .take_while(|letter| letter.is_ascii_digit() || matches!(letter, '.' | '_'))
        .map(|letter| if letter == '_' { '.' } else { letter })
        .collect();
    let version = Version::parse(Raw::new(digits.trim_end_matches('.')))?;
    Some((line, version))
}

fn job(source: &Source<'_>, resource: &Resource<'_>, platform: &'static str) -> Option<JobFact> {
    let names = Catalogue::get().resource_attributes();
    let found = resource.fields.deep(&names.schedule);
    // A rule without a schedule waits for events.
    let (line, schedule) = found?;
    let name = resource
        .fields
        .text_of(&names.name)
        .and_then(|name| Name::parse(Raw::new(&name)))
        .or_else(|| Name::parse(Raw::new(telling(resource))))?;
    Some(JobFact {
        name,
        schedule: schedule.text().and_then(|text| Schedule::parse(Raw::new(text))),
        runner: Shown::from(platform),
        scope: source.scope,
        evidence: source.at(line),
    })
}
