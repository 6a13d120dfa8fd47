//! What is applied by itself, with the files that give its inputs values.

use std::collections::{BTreeMap, BTreeSet};

use playbook_core::inventory::{Inventory, Provisioning};
use playbook_core::path::RelPath;

use crate::detect::judge::interpolation;
use crate::detect::provisioning::{is_stand_in, word};
use crate::fact::Facts;
use crate::index::FileIndex;
use crate::parse::json;
use crate::parse::tree::Node;

/// The templates that no other one applies.
pub(crate) fn resolve(facts: &mut Facts, inventory: &Inventory, index: &FileIndex) -> Vec<Provisioning> {
    let called: BTreeSet<RelPath> = std::mem::take(&mut facts.applied_by_others).into_iter().collect();
    let mut list: Vec<Provisioning> = std::mem::take(&mut facts.provisioning)
        .into_iter()
        .filter(|found| !called.contains(&found.path))
        .collect();
    let scopes: BTreeMap<&RelPath, _> = inventory
        .infrastructure
        .iter()
        .map(|file| (&file.path, file.scope))
        .collect();
    for found in &mut list {
        found.scope = scopes.get(&found.path).copied().unwrap_or(found.scope);
        if found.kind == "bicep" || found.kind == "arm" {
            parameters(found, index);
        }
    }
    for found in &mut list {
        found.inputs.sort();
    }
    list
}

/// Values of a file of parameters beside a template: `main.parameters.json` of `main.bicep`, `main.bicepparam`.
fn parameters(found: &mut Provisioning, index: &FileIndex) {
    let folder = found.path.parent();
    let stem = found.path.name().rsplit_once('.').map_or("", |(stem, _)| stem);
    for name in [format!("{stem}.bicepparam"), format!("{stem}.parameters.json")] {
        if !index.has(&folder, &name) {
            continue;
        }
        let Some(path) = folder.join(&name) else { continue };
        if name.ends_with(".json")
            && let Ok(text) = index.read(&path)
            && let (Some(document), _) = json::document(&text)
        {
            given(found, &document);
        }
        found.value_files.push(path);
    }
}

fn given(found: &mut Provisioning, document: &Node) {
    for (name, _, node) in document.get("parameters").into_iter().flat_map(Node::entries) {
        let Some(input) = found.inputs.iter_mut().find(|input| input.name == *name) else {
            continue;
        };
        let Some(value) = node.get("value") else { continue };
        match value.text() {
            // The tool fills these with variables of its own environment: `${NAME}`, `${NAME=value}`.
            Some(text) if text.contains("${") => {
                let reference = interpolation::references(text).into_iter().next();
                input.variable = reference.and_then(|reference| word(reference.name));
                input.required &= !text.contains('=');
            }
            Some(text) => input.required &= is_stand_in(text),
            None => input.required = false,
        }
    }
}

/// Names of the inputs that nobody gave a value yet.
#[cfg(test)]
fn required(found: &Provisioning) -> Vec<&str> {
    let inputs = found.inputs.iter().filter(|input| input.required);
    inputs.map(|input| input.name.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use playbook_core::shown::Shown;

    use super::*;
    use crate::testing::inventory;

    #[test]
    fn parameters_of_bicep_and_who_gives_them() {
        let found = inventory(
            "//- infra/main.bicep\n@description('Name of the environment.')\nparam environmentName string\nparam location string\n@secure()\n@minLength(12)\nparam adminPassword string\nparam size string = 'small'\nparam tags object = {}\nmodule db './db.bicep' = {\n  name: 'db'\n}\noutput URI string = db.outputs.uri\n//- infra/db.bicep\nparam inner string\nresource db 'Microsoft.DBforPostgreSQL/flexibleServers@2024-08-01' = {\n  name: 'orders'\n}\n//- infra/main.parameters.json\n{\"parameters\": {\"environmentName\": {\"value\": \"${AZURE_ENV_NAME}\"}, \"location\": {\"value\": \"westeurope\"}}}\n",
        );
        assert_eq!(found.provisioning.len(), 1);
        let main = &found.provisioning[0];
        assert_eq!(required(main), ["adminPassword", "environmentName"]);
        let variable = |name: &str| {
            let input = main.inputs.iter().find(|input| input.name == *name);
            input.and_then(|input| input.variable.as_ref()).map(Shown::as_str)
        };
        assert_eq!(variable("environmentName"), Some("AZURE_ENV_NAME"));
        let secrets: Vec<_> = main.inputs.iter().filter(|input| input.secret).collect();
        assert_eq!(secrets.len(), 1);
        assert_eq!(main.outputs[0].name, "URI");
        assert_eq!(main.value_files[0].as_str(), "infra/main.parameters.json");
    }

    #[test]
    fn parameters_of_cloudformation() {
        let found = inventory(
            "//- infra/stack.yaml\nAWSTemplateFormatVersion: '2010-09-09'\nParameters:\n  DomainName:\n    Type: String\n    Description: Public name of the shop.\n  Password:\n    Type: String\n    NoEcho: true\n  Size:\n    Type: String\n    Default: small\nResources:\n  Queue:\n    Type: AWS::SQS::Queue\n  Inner:\n    Type: AWS::CloudFormation::Stack\n    Properties:\n      TemplateURL: ./inner.yaml\nOutputs:\n  Address:\n    Value: !GetAtt Queue.Arn\n//- infra/inner.yaml\nAWSTemplateFormatVersion: '2010-09-09'\nParameters:\n  Deep:\n    Type: String\nResources:\n  Topic:\n    Type: AWS::SNS::Topic\n",
        );
        assert_eq!(found.provisioning.len(), 1);
        let stack = &found.provisioning[0];
        assert_eq!(
            (stack.kind.as_str(), stack.path.as_str()),
            ("cloudformation", "infra/stack.yaml")
        );
        assert_eq!(required(stack), ["DomainName", "Password"]);
        assert_eq!(stack.outputs[0].name, "Address");
    }
}
