//! A resource that runs containers or functions, as units.

use playbook_core::harmless::{EnvName, Schedule};
use playbook_core::inventory::{PublishedPort, Unit, UnitVariable, VariableOrigin, VariableSource};
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;
use playbook_core::technology::Catalogue;

use super::{Field, Fields, Resource, telling, word};
use crate::detect::judge::{self, Place};
use crate::fact::{Facts, VariableFact};
use crate::source::Source;

/// What the containers of a resource are called.
const CONTAINERS: [&str; 3] = ["container", "containers", "containerdefinitions"];

pub(super) fn read(
    source: &Source<'_>,
    facts: &mut Facts,
    resource: &Resource<'_>,
    role: &'static str,
) -> Vec<Unit> {
    let names = Catalogue::get().resource_attributes();
    let mut containers: Vec<(u32, &Fields)> = resource
        .fields
        .collect(&CONTAINERS, |field| {
            matches!(field, Field::Map(_) | Field::List(_))
        })
        .into_iter()
        .flat_map(|(line, field)| field.items(line))
        .filter_map(|(line, field)| match field {
            Field::Map(map) => Some((line, map)),
            _ => None,
        })
        .filter(|(_, map)| map.get("essential").and_then(|(_, field)| field.text()) != Some("false"))
        .collect();
    if containers.is_empty() {
        containers.push((resource.line, resource.fields));
    }
    let metadata = resource.fields.get("metadata").and_then(|(_, field)| field.map());
    let own_name = metadata
        .and_then(|metadata| metadata.text_of(&["name"]))
        .or_else(|| resource.fields.text_of(&names.name));
    let name = own_name.as_deref().unwrap_or_else(|| telling(resource));
    let Some(name) = word(name) else {
        return Vec::new();
    };
    let mut units = Vec::new();
    for (at, (_, container)) in containers.iter().enumerate() {
        let inner = container.text_of(&["name"]).and_then(|inner| word(&inner));
        let unit_name = match (at, inner) {
            (0, _) => name.clone(),
            (_, Some(inner)) => Shown::join([&name, &inner], "-"),
            _ => continue,
        };
        let mut unit = Unit::new(unit_name, Shown::from(kind_word(role)));
        unit.resource = word(resource.kind);
        unit.evidence = vec![source.at(resource.line)];
        fill(source, facts, &mut unit, container);
        if at == 0 {
            whole(source, &mut unit, resource);
        }
        units.push(unit);
    }
    units
}

/// The word for what a unit is, as `resolve` knows it.
fn kind_word(role: &'static str) -> &'static str {
    if role == "service" { "container" } else { role }
}

/// What stands beside the containers: the port of the way in, size, schedule, region.
fn whole(source: &Source<'_>, unit: &mut Unit, resource: &Resource<'_>) {
    let names = Catalogue::get().resource_attributes();
    if unit.ports.is_empty() {
        ports(source, unit, resource.fields);
    }
    let text = |names: &[&str]| resource.fields.deep_text(names).and_then(|text| word(&text));
    unit.memory = unit
        .memory
        .take()
        .or_else(|| text(&["memory", "memorysize", "availablememory", "availablememorymb"]));
    unit.cpus = unit.cpus.take().or_else(|| text(&["cpu"]));
    unit.region = resource
        .fields
        .text_of(&names.region)
        .and_then(|region| word(&region));
    unit.schedule = resource
        .fields
        .deep_text(&names.schedule)
        .and_then(|text| Schedule::parse(Raw::new(&text)))
        .map(Shown::from);
    unit.replicas = resource
        .fields
        .deep_text(&[
            "replicas",
            "desiredcount",
            "minreplicas",
            "minscale",
            "mininstancecount",
        ])
        .and_then(|text| text.parse().ok())
        .filter(|replicas| *replicas > 0);
    unit.runtime = resource.fields.text_of(&["runtime"]).and_then(|text| word(&text));
    let folder = source.path.parent();
    unit.root = resource
        .fields
        .deep_text(&names.source)
        .and_then(|text| folder.join(&text));
}

fn ports(source: &Source<'_>, unit: &mut Unit, fields: &Fields) {
    let names = Catalogue::get().resource_attributes();
    for (line, field) in fields.collect(&names.port, |field| field.text().is_some()) {
        let Some(port) = field
            .text()
            .and_then(|text| playbook_core::harmless::port(Raw::new(text)))
        else {
            continue;
        };
        if !unit.ports.iter().any(|known| known.container == port) {
            unit.ports.push(PublishedPort {
                host: None,
                address: None,
                container: port,
                published: false,
                evidence: vec![source.at(line)],
            });
        }
    }
}

fn fill(source: &Source<'_>, facts: &mut Facts, unit: &mut Unit, container: &Fields) {
    let names = Catalogue::get().resource_attributes();
    if let Some((line, image)) = container.deep(&names.image)
        && let Some(image) = image.text()
    {
        unit.image = judge::reference(image);
        unit.evidence.push(source.at(line));
    }
    // Probes name ports too; those of the container come first.
    for key in ["ports", "portmappings", "port", "containerport"] {
        for (line, field) in container.all(key) {
            let mut around = Fields::default();
            match field {
                Field::Text(text) => around.push("port", line, Field::Text(text.clone())),
                Field::Map(map) => ports(source, unit, map),
                Field::List(items) => {
                    for (_, item) in items {
                        if let Field::Map(map) = item {
                            ports(source, unit, map);
                        }
                    }
                }
                Field::Unknown => {}
            }
            ports(source, unit, &around);
        }
    }
    for (target, key) in [
        (&mut unit.entrypoint, "entrypoint"),
        (&mut unit.command, "command"),
    ] {
        if let Some((_, Field::List(items))) = container.get(key) {
            let words: Vec<&str> = items.iter().filter_map(|(_, item)| item.text()).collect();
            if !words.is_empty() && words.len() == items.len() {
                let line = judge::join_words(&words);
                judge::withhold_in_command(facts, &line);
                *target = judge::command(&line);
            }
        }
    }
    let text = |names: &[&str]| container.text_of(names).and_then(|text| word(&text));
    unit.memory = text(&["memory", "memorysize"]);
    unit.cpus = text(&["cpu"]);
    variables(source, facts, unit, container);
}

/// Variables as a map under a name for them, as a list of pairs, or as blocks with name and value.
fn variables(source: &Source<'_>, facts: &mut Facts, unit: &mut Unit, container: &Fields) {
    let names = Catalogue::get().resource_attributes();
    let mut sets: Vec<&str> = names.environment.clone();
    sets.extend(["secrets", "runtimeenvironmentsecrets"]);
    let nested = |field: &Field| matches!(field, Field::Map(_) | Field::List(_));
    for (line, field) in container.collect(&sets, nested) {
        for (_, item) in field.items(line) {
            let Field::Map(map) = item else { continue };
            match map
                .get("name")
                .and_then(|(line, name)| Some((line, name.text()?)))
            {
                Some((line, name))
                    if map
                        .first(&["value", "valuefrom", "valuesource", "secretname", "secretref"])
                        .is_some() =>
                {
                    let value = map.get("value").map(|(_, value)| value);
                    variable(source, facts, unit, name, line, value);
                }
                _ => {
                    for (name, line, value) in map.entries() {
                        if !nested(value) {
                            variable(source, facts, unit, name, line, Some(value));
                        }
                    }
                }
            }
        }
    }
}

fn variable(
    source: &Source<'_>,
    facts: &mut Facts,
    unit: &mut Unit,
    name: &str,
    line: u32,
    value: Option<&Field>,
) {
    // Keys of blocks are lower case; variables of processes are not.
    let Some(shown) = EnvName::parse(Raw::new(name)).filter(|_| !name.chars().any(char::is_lowercase)) else {
        return;
    };
    if unit.variables.iter().any(|known| known.name == shown.as_str()) {
        return;
    }
    let mut fact = VariableFact::new(
        shown.clone(),
        VariableOrigin::Stack,
        source.scope,
        source.at(line),
    );
    let (origin, value) = match value {
        Some(Field::Text(text)) => {
            let judged = judge::literal(source, facts, name, text, Place::new(line, source.scope));
            facts
                .stores
                .extend(judge::store_of_address(name, text, source.scope, source.at(line)));
            fact.has_default = !judged.empty;
            fact.placeholder = judged.placeholder;
            fact.default.clone_from(&judged.shown);
            match judged.shown {
                Some(shown) => (VariableSource::Literal, Some(Shown::from(shown))),
                None => (VariableSource::Withheld, None),
            }
        }
        Some(_) => {
            fact.has_default = true;
            (VariableSource::Interpolated, None)
        }
        None => {
            fact.secret = true;
            (VariableSource::Secret, None)
        }
    };
    facts.variables.push(fact);
    unit.variables.push(UnitVariable {
        name: shown.into(),
        source: origin,
        value,
        reference: None,
        evidence: vec![source.at(line)],
    });
}
