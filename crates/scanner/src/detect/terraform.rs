//! Terraform and `OpenTofu`: the files of a folder belong together, and folders call each other as modules, so this
//! detector only reads a file, with the versions that it demands. What its resources are is told in `resolve`.

use playbook_core::harmless::{Name, Version};
use playbook_core::inventory::VersionPin;
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use super::judge;
use super::{Detector, ending};
use crate::fact::{Facts, TerraformFile};
use crate::parse::hcl::{self, Block, Value};
use crate::source::Source;

pub(crate) const DETECTOR: Detector = Detector { wants, detect };

fn wants(path: &RelPath) -> bool {
    ending(path, &["tf", "tfvars", "tofu"])
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    let (body, problem) = hcl::body(source.text);
    judge::problem(source, facts, problem);
    for block in body.blocks("terraform") {
        pins(source, facts, block);
    }
    for (name, line, value) in values(&body) {
        judge::literal(source, facts, name, value, judge::Place::new(line, source.scope));
    }
    facts.terraform.push(TerraformFile {
        path: source.path.clone(),
        scope: source.scope,
        ignored: source.ignored,
        body,
    });
}

/// Values that the file gives to variables: those of a file of values, and defaults.
fn values(body: &hcl::Body) -> Vec<(&str, u32, &str)> {
    let own = body
        .attributes
        .iter()
        .filter_map(|attribute| Some((attribute.name.as_str(), attribute.line, attribute.value.text()?)));
    let defaults = body.blocks("variable").filter_map(|block| {
        let default = block.body.attribute("default")?;
        Some((block.label(0)?, default.line, default.value.text()?))
    });
    own.chain(defaults).collect()
}

/// The versions of the tool and of its providers.
fn pins(source: &Source<'_>, facts: &mut Facts, block: &Block) {
    let mut add = |tool: Shown, line: u32, version: Option<&str>| {
        let version = version.and_then(|text| Version::parse(Raw::new(text)));
        facts.version_pins.extend(version.map(|version| VersionPin {
            tool,
            version: version.into(),
            path: source.path.parent(),
            scope: source.scope,
            evidence: vec![source.at(line)],
        }));
    };
    if let Some(attribute) = block.body.attribute("required_version") {
        add(Shown::from("terraform"), attribute.line, attribute.value.text());
    }
    for providers in block.body.blocks("required_providers") {
        for attribute in &providers.body.attributes {
            let version = match &attribute.value {
                Value::Object(_) => attribute.value.get("version").and_then(Value::text),
                value => value.text(),
            };
            let given = attribute.value.get("source").and_then(Value::text);
            let name = given.unwrap_or(&attribute.name);
            if let Some(name) = Name::parse(Raw::new(name)) {
                add(name.into(), attribute.line, version);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::facts;

    #[test]
    fn secrets_among_values_are_withheld() {
        let found = facts(
            &DETECTOR,
            "//- infra/prod.tfvars\ndb_password = \"Quill-77-Ember\"\nsize = \"small\"\n//- infra/variables.tf\nvariable \"api_token\" {\n  default = \"changeme\"\n}\n",
        );
        let told: Vec<_> = found
            .committed_secrets
            .iter()
            .map(|secret| (secret.name.as_ref().map(Shown::as_str), secret.placeholder))
            .collect();
        assert_eq!(told, [(Some("db_password"), false), (Some("api_token"), true)]);
    }

    #[test]
    fn versions_of_the_tool_and_of_providers() {
        let facts = facts(
            &DETECTOR,
            "//- infra/versions.tf\nterraform {\n  required_version = \">= 1.9\"\n  required_providers {\n    aws = {\n      source  = \"hashicorp/aws\"\n      version = \"~> 6.0\"\n    }\n  }\n}\n",
        );
        let pins: Vec<(&str, &str, Option<u32>)> = facts
            .version_pins
            .iter()
            .map(|pin| {
                (
                    pin.tool.as_str(),
                    pin.version.as_str(),
                    pin.evidence.first().and_then(|place| place.line),
                )
            })
            .collect();
        assert_eq!(
            pins,
            [
                ("terraform", ">= 1.9", Some(2)),
                ("hashicorp/aws", "~> 6.0", Some(4))
            ]
        );
    }
}
