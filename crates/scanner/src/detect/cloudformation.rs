//! `CloudFormation` templates, in YAML or JSON: datastores, processes and schedules. Resources of serverless applications
//! have a detector of their own.

use std::collections::BTreeMap;

use playbook_core::inventory::Infrastructure;
use playbook_core::path::RelPath;
use playbook_core::shown::Shown;
use playbook_core::technology::Catalogue;

use super::provisioning;
use super::resource::{self, Field, Fields, Resource};
use super::{Detector, ending};
use crate::fact::Facts;
use crate::limits;
use crate::parse::tree::{Kind, Node};
use crate::parse::{json, yaml};
use crate::source::Source;

pub(crate) const DETECTOR: Detector = Detector { wants, detect };

fn wants(path: &RelPath) -> bool {
    let name = path.name();
    ending(path, &["yml", "yaml", "template"])
        || ending(path, &["json"])
            && (name.contains("template") || name.contains("cloudformation") || name.contains("stack"))
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    if !source.text.contains("AWS::") || !source.text.contains("Resources") {
        return;
    }
    let (document, _) = if source.text.trim_start().starts_with('{') {
        json::document(source.text)
    } else {
        yaml::document(source.text)
    };
    let Some(document) = document else { return };
    let Some(resources) = document.get("Resources").filter(|resources| resources.is_map()) else {
        return;
    };
    let parameters = Parameters::of(&document);
    let mut units = Vec::new();
    let mut is_template = false;
    super::too_many(source, resources.entries().count(), limits::SERVICES, facts);
    for (label, line, object) in resources.entries().take(limits::SERVICES) {
        let Some(kind) = object.get("Type").and_then(Node::text) else {
            continue;
        };
        is_template |= kind.starts_with("AWS::");
        if kind.starts_with("AWS::Serverless::") {
            continue;
        }
        let fields = match object
            .get("Properties")
            .map(|node| parameters.field(node, limits::CLOUDFORMATION_DEPTH))
        {
            Some(Field::Map(fields)) => fields,
            _ => Fields::default(),
        };
        units.extend(resource::read(
            source,
            facts,
            &Resource {
                kind,
                label,
                module: None,
                line,
                fields: &fields,
            },
        ));
    }
    if is_template {
        let kind = if source.text.contains("AWS::Serverless") {
            "sam"
        } else {
            "cloudformation"
        };
        let found = provisioning::of_template(source, facts, kind, &document, &provisioning::CLOUDFORMATION);
        facts.provisioning.push(found);
        nested(source, facts, resources);
    }
    // Templates of serverless applications are told by their own detector, those with a telling name by the platforms'.
    let serverless = source.text.contains("AWS::Serverless");
    let named = Catalogue::get()
        .by_file(source.path.as_str())
        .iter()
        .any(|found| found.technology.id == "cloudformation");
    if is_template && !serverless && !named {
        facts.infrastructure.push(Infrastructure {
            kind: Shown::from("cloudformation"),
            path: source.path.clone(),
            scope: source.scope,
            evidence: vec![source.file()],
        });
    }
    if !units.is_empty() {
        facts.stacks.push(source.stack("cloudformation", units));
    }
}

/// Templates of this repository that another one applies.
fn nested(source: &Source<'_>, facts: &mut Facts, resources: &Node) {
    for (_, _, object) in resources.entries() {
        let address = object
            .path(&["Properties", "TemplateURL"])
            .or_else(|| object.path(&["Properties", "Location"]))
            .and_then(Node::text)
            .filter(|address| !address.contains("://"));
        let path = address.and_then(|address| source.path.parent().join(address));
        facts.applied_by_others.extend(path);
    }
}

/// Defaults of the template's parameters.
struct Parameters<'t>(BTreeMap<&'t str, &'t str>);

impl<'t> Parameters<'t> {
    fn of(document: &'t Node) -> Self {
        Self(
            document
                .get("Parameters")
                .into_iter()
                .flat_map(Node::entries)
                .filter_map(|(name, _, parameter)| Some((name, parameter.get("Default")?.text()?)))
                .collect(),
        )
    }

    fn known(&self, name: &str) -> Field {
        self.0
            .get(name)
            .map_or(Field::Unknown, |text| Field::Text((*text).to_owned()))
    }

    /// A property, with the defaults of parameters in place of references to them.
    fn field(&self, node: &Node, depth: usize) -> Field {
        let Some(depth) = depth.checked_sub(1) else {
            return Field::Unknown;
        };
        match node.kind() {
            Kind::Scalar { text, .. } => match node.tag() {
                None => Field::Text(text.clone()),
                Some(tag) if tag.ends_with("Ref") => self.known(text),
                Some(tag) if tag.ends_with("Sub") && !text.contains("${") => Field::Text(text.clone()),
                Some(_) => Field::Unknown,
            },
            Kind::Seq(_) if node.tag().is_some_and(|tag| tag.contains('!')) => Field::Unknown,
            Kind::Seq(_) => Field::List(
                node.items()
                    .map(|item| (item.line(), self.field(item, depth)))
                    .collect(),
            ),
            Kind::Map(_) => {
                let mut fields = Fields::default();
                for (key, line, value) in node.entries() {
                    match key {
                        "Ref" => return value.text().map_or(Field::Unknown, |name| self.known(name)),
                        _ if key.starts_with("Fn::") => return Field::Unknown,
                        _ => fields.push(key, line, self.field(value, depth)),
                    }
                }
                Field::Map(fields)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::facts;

    #[test]
    fn stores_tasks_and_schedules() {
        let facts = facts(
            &DETECTOR,
            "//- infra/stack.yaml\nAWSTemplateFormatVersion: '2010-09-09'\nParameters:\n  EngineVersion:\n    Type: String\n    Default: '16.4'\nResources:\n  OrdersDatabase:\n    Type: AWS::RDS::DBInstance\n    Properties:\n      Engine: postgres\n      EngineVersion: !Ref EngineVersion\n      DBInstanceClass: db.t4g.small\n      MasterUserPassword: !Sub '{{resolve:secretsmanager:${Secret}}}'\n  Jobs:\n    Type: AWS::SQS::Queue\n    Properties:\n      QueueName: jobs\n  Task:\n    Type: AWS::ECS::TaskDefinition\n    Properties:\n      Family: shop\n      ContainerDefinitions:\n        - Name: web\n          Image: registry.example.com/shop:3\n          PortMappings:\n            - ContainerPort: 8000\n          Environment:\n            - Name: MODE\n              Value: live\n  Nightly:\n    Type: AWS::Events::Rule\n    Properties:\n      ScheduleExpression: rate(1 day)\n  Handler:\n    Type: AWS::Serverless::Function\n    Properties:\n      Handler: a.b\n",
        );
        let units: Vec<(&str, Option<&str>, Option<&str>)> = facts.stacks[0]
            .units
            .iter()
            .map(|unit| {
                (
                    unit.name.as_str(),
                    unit.datastore.as_ref().map(Shown::as_str),
                    unit.version.as_ref().map(Shown::as_str),
                )
            })
            .collect();
        assert_eq!(
            units,
            [
                ("OrdersDatabase", Some("postgresql"), Some("16.4")),
                ("Jobs", Some("sqs"), None),
                ("shop", None, None)
            ]
        );
        assert_eq!(facts.stacks[0].units[2].ports[0].container, 8000);
        assert_eq!(facts.jobs.len(), 1);
        assert_eq!(facts.variables.len(), 1);
    }

    #[test]
    fn other_yaml_is_none() {
        let facts = facts(
            &DETECTOR,
            "//- a.yaml\nResources:\n  - AWS::S3::Bucket\n//- b.yaml\nname: 'AWS:: Resources'\n",
        );
        assert!(facts.stacks.is_empty() && facts.infrastructure.is_empty());
    }
}
