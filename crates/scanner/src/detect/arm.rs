//! Templates of the Azure Resource Manager in JSON: datastores and processes of resources, parameters and outputs.
//! That the file is there, `platforms` tells.

use std::collections::BTreeMap;

use playbook_core::inventory::Unit;
use playbook_core::path::RelPath;
use playbook_core::technology::Catalogue;

use super::resource::{self, Field, Fields, Resource};
use super::{Detector, ending, judge, provisioning};
use crate::fact::Facts;
use crate::limits;
use crate::parse::json;
use crate::parse::tree::{Kind, Node};
use crate::source::Source;

pub(crate) const DETECTOR: Detector = Detector { wants, detect };

/// What the address of the schema of a template ends in.
const SCHEMA: &str = "eploymentTemplate.json#";

fn wants(path: &RelPath) -> bool {
    let is_template = || Catalogue::get().by_file(path.as_str());
    ending(path, &["json"]) && is_template().iter().any(|found| found.technology.id == "arm")
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    let head = source.text.get(..400).unwrap_or(source.text);
    if !head.contains(SCHEMA) {
        return;
    }
    let (document, problem) = json::document(source.text);
    judge::problem(source, facts, problem);
    let Some(document) = document else { return };
    let defaults: BTreeMap<&str, &str> = document
        .get("parameters")
        .into_iter()
        .flat_map(Node::entries)
        .filter_map(|(name, _, node)| Some((name, node.get("defaultValue")?.text()?)))
        .collect();
    let mut units = Vec::new();
    resources(source, facts, &document, &defaults, &mut units, limits::ARM_DEPTH);
    let found = provisioning::of_template(source, facts, "arm", &document, &provisioning::RESOURCE_MANAGER);
    facts.provisioning.push(found);
    if !units.is_empty() {
        facts.stacks.push(source.stack("arm", units));
    }
}

/// The resources of a template, and those of the templates inside of it.
fn resources(
    source: &Source<'_>,
    facts: &mut Facts,
    node: &Node,
    defaults: &BTreeMap<&str, &str>,
    units: &mut Vec<Unit>,
    depth: usize,
) {
    let Some(depth) = depth.checked_sub(1) else { return };
    let Some(list) = node.get("resources") else { return };
    let named = list.entries().map(|(_, _, resource)| resource);
    super::too_many(
        source,
        list.items().count().max(list.entries().count()),
        limits::SERVICES,
        facts,
    );
    for object in list.items().chain(named).take(limits::SERVICES) {
        let Some(kind) = object.get("type").and_then(Node::text) else {
            continue;
        };
        if let Some(inner) = object.path(&["properties", "template"]) {
            resources(source, facts, inner, defaults, units, depth);
        }
        if object.get("existing").and_then(Node::boolean) == Some(true) || object.get("condition").is_some() {
            continue;
        }
        let Field::Map(fields) = field(object, defaults, limits::ARM_DEPTH) else {
            continue;
        };
        let label = fields.text_of(&["name"]).unwrap_or_else(|| "main".to_owned());
        units.extend(resource::read(
            source,
            facts,
            &Resource {
                kind,
                label: &label,
                module: None,
                line: object.line(),
                fields: &fields,
            },
        ));
        resources(source, facts, object, defaults, units, depth);
    }
}

/// A value; the default of a parameter stands for `[parameters('name')]`.
fn field(node: &Node, defaults: &BTreeMap<&str, &str>, depth: usize) -> Field {
    let Some(depth) = depth.checked_sub(1) else {
        return Field::Unknown;
    };
    match node.kind() {
        Kind::Scalar { text, .. } if text.starts_with('[') => text
            .strip_prefix("[parameters('")
            .and_then(|rest| rest.strip_suffix("')]"))
            .and_then(|name| defaults.get(name))
            .filter(|text| !text.starts_with('['))
            .map_or(Field::Unknown, |text| Field::Text((*text).to_owned())),
        Kind::Scalar { text, .. } => Field::Text(text.clone()),
        Kind::Seq(_) => Field::List(
            node.items()
                .map(|item| (item.line(), field(item, defaults, depth)))
                .collect(),
        ),
        Kind::Map(_) => {
            let mut fields = Fields::default();
            for (key, line, value) in node.entries() {
                fields.push(key, line, field(value, defaults, depth));
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
    fn stores_and_parameters() {
        let facts = facts(
            &DETECTOR,
            "//- deploy/azuredeploy.json\n{\n  \"$schema\": \"https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#\",\n  \"parameters\": {\n    \"version\": {\"type\": \"string\", \"defaultValue\": \"16\"},\n    \"password\": {\"type\": \"secureString\"}\n  },\n  \"resources\": [\n    {\n      \"type\": \"Microsoft.DBforPostgreSQL/flexibleServers\",\n      \"name\": \"orders\",\n      \"properties\": {\"version\": \"[parameters('version')]\"}\n    }\n  ],\n  \"outputs\": {\"host\": {\"type\": \"string\"}}\n}\n//- package.json\n{\"resources\": [{\"type\": \"Microsoft.Cache/redis\"}]}\n",
        );
        let stores: Vec<_> = facts
            .stores
            .iter()
            .map(|store| {
                (
                    store.kind.as_str(),
                    store.version.as_ref().map(ToString::to_string),
                )
            })
            .collect();
        assert_eq!(stores, [("postgresql", Some("16".to_owned()))]);
        let inputs: Vec<_> = facts.provisioning[0]
            .inputs
            .iter()
            .map(|input| (input.name.as_str(), input.required, input.secret))
            .collect();
        assert_eq!(inputs, [("version", false, false), ("password", true, true)]);
        assert_eq!(facts.provisioning[0].outputs[0].name, "host");
    }
}
