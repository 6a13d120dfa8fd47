//! Bicep: datastores and processes of resources and of published modules. That the file is there, `platforms` tells.

use std::collections::BTreeMap;

use playbook_core::path::RelPath;

use super::provisioning::{self, Declared};
use super::resource::{self, Field, Fields, Resource};
use super::{Detector, ending, judge};
use crate::fact::Facts;
use crate::limits;
use crate::parse::bicep::{self, Declaration, Value};
use crate::source::Source;

pub(crate) const DETECTOR: Detector = Detector { wants, detect };

fn wants(path: &RelPath) -> bool {
    ending(path, &["bicep"])
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    let declarations = bicep::declarations(source.text);
    let defaults: BTreeMap<&str, &str> = declarations
        .iter()
        .filter(|declaration| declaration.kind == "param")
        .filter_map(|declaration| match &declaration.value {
            Value::Text(text) => Some((declaration.name.as_str(), text.as_str())),
            _ => None,
        })
        .collect();
    declared(source, facts, &declarations);
    let mut units = Vec::new();
    super::too_many(source, declarations.len(), limits::SERVICES, facts);
    for declaration in declarations.iter().take(limits::SERVICES) {
        // What a flag that is off by default would add is no part of what runs.
        if declaration.conditional || matches!(declaration.kind, "param" | "output") {
            continue;
        }
        let Some((kind, fields)) = described(declaration, &defaults) else {
            continue;
        };
        units.extend(resource::read(
            source,
            facts,
            &Resource {
                kind,
                label: &declaration.name,
                module: None,
                line: declaration.line,
                fields: &fields,
            },
        ));
    }
    if units.is_empty() {
        return;
    }
    facts.stacks.push(source.stack("bicep", units));
}

/// Parameters and outputs, and which files it calls as modules.
fn declared(source: &Source<'_>, facts: &mut Facts, declarations: &[Declaration]) {
    let path = source.path.clone();
    let mut found = provisioning::empty("bicep", path, source.scope, source.file());
    let mut makes_something = false;
    for declaration in declarations {
        let place = source.at(declaration.line);
        let name = declaration.name.as_str();
        match declaration.kind {
            "param" => {
                let above = decorators(source, declaration.line);
                let default = match &declaration.value {
                    Value::Text(text) => Some(text.as_str()),
                    _ => None,
                };
                if let Some(text) = default {
                    let place = judge::Place::new(declaration.line, source.scope);
                    judge::literal(source, facts, name, text, place);
                }
                let input = Declared {
                    name,
                    kind: Some(&declaration.target),
                    has_default: !matches!(declaration.value, Value::Unknown)
                        || has_default(source, declaration.line),
                    default,
                    sensitive: above.iter().any(|line| line.starts_with("@secure(")),
                    description: above
                        .iter()
                        .find_map(|line| line.strip_prefix("@description('")?.strip_suffix("')")),
                    variable: None,
                };
                found.inputs.extend(input.input(place));
            }
            "output" => found.outputs.extend(provisioning::output(name, false, place)),
            _ => {
                makes_something = true;
                let local = declaration.kind == "module" && !declaration.target.contains(':');
                if local {
                    facts
                        .applied_by_others
                        .extend(source.path.parent().join(&declaration.target));
                }
            }
        }
    }
    if makes_something {
        facts.provisioning.push(found);
    }
}

/// The decorators above a line.
fn decorators<'s>(source: &Source<'s>, line: u32) -> Vec<&'s str> {
    let before = usize::try_from(line.saturating_sub(1)).unwrap_or(0);
    let lines: Vec<&str> = source.text.lines().take(before).map(str::trim).collect();
    let above = lines.iter().rev().copied();
    // Lists of allowed values stand between a decorator and the parameter.
    above
        .take_while(|line| {
            let starts = ["param ", "var ", "resource ", "module ", "output ", "//"];
            !line.is_empty() && !starts.iter().any(|start| line.starts_with(start))
        })
        .filter(|line| line.starts_with('@'))
        .collect()
}

/// Is something assigned on the line?
fn has_default(source: &Source<'_>, line: u32) -> bool {
    let at = usize::try_from(line.saturating_sub(1)).unwrap_or(0);
    source.text.lines().nth(at).is_some_and(|line| line.contains('='))
}

/// The type and the fields of a resource, or of a module of a public registry.
fn described<'d>(declaration: &'d Declaration, defaults: &BTreeMap<&str, &str>) -> Option<(&'d str, Fields)> {
    let Field::Map(fields) = field(&declaration.value, defaults, limits::BICEP_TREE_DEPTH) else {
        return None;
    };
    if declaration.kind == "resource" {
        return Some((&declaration.target, fields));
    }
    let published = declaration.target.strip_prefix("br/public:")?;
    let kind = published.rsplit_once(':').map_or(published, |(kind, _)| kind);
    let parameters = fields.take("params")?;
    // What databases it is asked for tells the engine, as the kind of the account does elsewhere.
    match parameters {
        Field::Map(parameters) => Some((kind, parameters)),
        _ => None,
    }
}

fn field(value: &Value, defaults: &BTreeMap<&str, &str>, depth: usize) -> Field {
    let Some(depth) = depth.checked_sub(1) else {
        return Field::Unknown;
    };
    match value {
        Value::Text(text) => Field::Text(text.clone()),
        Value::Name(name) => defaults
            .get(name.as_str())
            .map_or(Field::Unknown, |text| Field::Text((*text).to_owned())),
        Value::Unknown => Field::Unknown,
        Value::List(items) => Field::List(
            items
                .iter()
                .map(|(line, item)| (*line, field(item, defaults, depth)))
                .collect(),
        ),
        Value::Object(entries) => {
            let mut fields = Fields::default();
            for (key, line, value) in entries {
                fields.push(key, *line, field(value, defaults, depth));
            }
            Field::Map(fields)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::facts;

    #[test]
    fn stores_and_processes() {
        let facts = facts(
            &DETECTOR,
            "//- infra/main.bicep\nparam engine string = '16'\nresource db 'Microsoft.DBforPostgreSQL/flexibleServers@2024-08-01' = {\n  name: 'orders'\n  sku: { name: 'Standard_B1ms', tier: 'Burstable' }\n  properties: {\n    version: engine\n    storage: { storageSizeGB: 32 }\n  }\n}\nresource cosmos 'Microsoft.DocumentDB/databaseAccounts@2022-08-15' = {\n  name: 'todo'\n  kind: 'MongoDB'\n}\nresource api 'Microsoft.App/containerApps@2024-03-01' = {\n  name: 'api'\n  properties: {\n    configuration: { ingress: { external: true, targetPort: 3100 } }\n    template: {\n      containers: [\n        {\n          name: 'main'\n          image: 'registry.example.com/api:1'\n          env: [\n            { name: 'MODE', value: 'live' }\n            { name: 'API_TOKEN', secretRef: 'token' }\n          ]\n        }\n      ]\n    }\n  }\n}\nresource cache 'Microsoft.Cache/redis@2024-03-01' = if (withCache) {\n  name: 'cache'\n}\n",
        );
        let units: Vec<(&str, Option<&str>, Option<&str>)> = facts.stacks[0]
            .units
            .iter()
            .map(|unit| {
                (
                    unit.name.as_str(),
                    unit.datastore.as_ref().map(playbook_core::shown::Shown::as_str),
                    unit.version.as_ref().map(playbook_core::shown::Shown::as_str),
                )
            })
            .collect();
        assert_eq!(
            units,
            [
                ("db", Some("postgresql"), Some("16")),
                ("cosmos", Some("mongodb"), None),
                ("api", None, None)
            ]
        );
        let api = &facts.stacks[0].units[2];
        assert_eq!(api.ports[0].container, 3100);
        let names: Vec<&str> = api
            .variables
            .iter()
            .map(|variable| variable.name.as_str())
            .collect();
        assert_eq!(names, ["MODE", "API_TOKEN"]);
    }

    #[test]
    fn modules_of_the_public_registry() {
        let facts = facts(
            &DETECTOR,
            "//- infra/db.bicep\nmodule cosmos 'br/public:avm/res/document-db/database-account:0.6.0' = {\n  name: 'cosmos'\n  params: {\n    name: accountName\n    mongodbDatabases: [\n      { name: 'todo' }\n    ]\n  }\n}\nmodule vault 'br/public:avm/res/key-vault/vault:0.5.1' = {\n  name: 'vault'\n  params: { name: 'v' }\n}\n",
        );
        let kinds: Vec<&str> = facts.stores.iter().map(|store| store.kind.as_str()).collect();
        assert_eq!(kinds, ["mongodb"]);
    }
}
