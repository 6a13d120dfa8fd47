//! What people who apply a module have to know: its variables, outputs, state, providers and modules of others.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use playbook_core::evidence::{Evidence, Scope};
use playbook_core::harmless::{HttpUrl, Version};
use playbook_core::inventory::{Provisioning, ProvisioningInput, ProvisioningPin, ProvisioningState};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;
use serde::Deserialize;

use super::value::Instance;
use crate::detect::provisioning::{self, Declared, is_stand_in, output, word};
use crate::fact::TerraformFile;
use crate::index::FileIndex;
use crate::parse::hcl::{Block, Value};

/// The lock file of providers, which `init` writes beside the module.
const LOCKFILE: &str = ".terraform.lock.hcl";

/// What a backend wants.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Backend {
    #[serde(default)]
    needs: Vec<String>,
    /// Settings that keep two people from changing the state at once.
    #[serde(default)]
    locks: Vec<String>,
    /// Does it do so by itself?
    #[serde(default)]
    always_locks: bool,
}

static BACKENDS: LazyLock<BTreeMap<String, Backend>> =
    LazyLock::new(|| toml::from_str(include_str!("backends.toml")).unwrap_or_default());

/// Files of values beside or below each module that people apply.
pub(super) struct ValueFiles<'i>(Vec<&'i RelPath>);

impl<'i> ValueFiles<'i> {
    pub(super) fn new(index: &'i FileIndex) -> Self {
        let paths = index.entries().iter().map(|entry| &entry.path);
        Self(
            paths
                .filter(|path| {
                    let name = path.name();
                    name.ends_with(".tfvars") || name.ends_with(".tfvars.json")
                })
                .collect(),
        )
    }

    fn of(&self, module: &RelPath) -> Vec<RelPath> {
        let within = |path: &&&RelPath| path.with_folders_above().any(|folder| folder == module.as_str());
        self.0.iter().filter(within).map(|path| (*path).clone()).collect()
    }
}

/// Is it a file whose values count without being named?
pub(crate) fn is_automatic(path: &RelPath) -> bool {
    path.name() == "terraform.tfvars" || path.name().ends_with(".auto.tfvars")
}

/// A module that people apply, unless it declares nothing that they could set, see or keep.
pub(super) fn of_root(
    dir: &RelPath,
    root: &Instance<'_, '_>,
    value_files: &ValueFiles<'_>,
    index: &FileIndex,
) -> Option<Provisioning> {
    let files = &root.module.files;
    let first = files.iter().find(|file| !file.path.name().ends_with(".tfvars"))?;
    let mut given: BTreeSet<&str> = BTreeSet::new();
    for file in files.iter().filter(|file| is_automatic(&file.path)) {
        let attributes = file.body.attributes.iter();
        given.extend(
            attributes
                .filter(|attribute| !attribute.value.text().is_some_and(is_stand_in))
                .map(|attribute| attribute.name.as_str()),
        );
    }
    let evidence = Evidence::file(&first.path);
    let mut found = provisioning::empty("terraform", dir.clone(), Scope::Development, evidence);
    found.value_files = value_files.of(dir);
    found.lockfile = index.has(dir, LOCKFILE).then(|| dir.join(LOCKFILE)).flatten();
    let mut makes_something = false;
    for file in files {
        found.scope = found.scope.min(file.scope);
        for block in &file.body.blocks {
            match block.kind.as_str() {
                "variable" => found.inputs.extend(input(file, block, &given)),
                "output" => found.outputs.extend(block.label(0).and_then(|name| {
                    let sensitive = block.body.get("sensitive").and_then(Value::boolean) == Some(true);
                    output(name, sensitive, Evidence::at(&file.path, block.line))
                })),
                "terraform" => {
                    state(file, block, &mut found);
                    for providers in block.body.blocks("required_providers") {
                        found
                            .pins
                            .extend(providers.body.attributes.iter().filter_map(|attribute| {
                                let at = Evidence::at(&file.path, attribute.line);
                                provider(&attribute.name, &attribute.value, at)
                            }));
                    }
                }
                "module" => {
                    makes_something = true;
                    found.pins.extend(module(file, block));
                }
                "provider" => region(root, block, &mut found.regions),
                "resource" => makes_something = true,
                _ => {}
            }
        }
    }
    found.inputs.sort();
    found.inputs.dedup_by(|a, b| a.name == b.name);
    found.outputs.sort();
    found.pins.sort();
    found.pins.dedup();
    found.regions.sort();
    found.regions.dedup();
    makes_something.then_some(found)
}

fn input(file: &TerraformFile, block: &Block, given: &BTreeSet<&str>) -> Option<ProvisioningInput> {
    let name = block.label(0)?;
    let body = &block.body;
    let kind = match body.get("type") {
        Some(Value::Reference(kind) | Value::Call(kind, _) | Value::Text(kind)) => Some(kind.as_str()),
        _ => None,
    };
    let default = body.get("default");
    let sensitive = body.get("sensitive").and_then(Value::boolean) == Some(true);
    let declared = Declared {
        name,
        kind,
        has_default: default.is_some() || given.contains(name),
        default: default.and_then(Value::text),
        sensitive,
        description: body.get("description").and_then(Value::text),
        variable: word(&format!("TF_VAR_{name}")),
    };
    declared.input(Evidence::at(&file.path, block.line))
}

/// The backend of a `terraform` block.
fn state(file: &TerraformFile, block: &Block, found: &mut Provisioning) {
    let backend = block.body.blocks("backend").next();
    let Some(backend) = backend.or_else(|| block.body.blocks("cloud").next()) else {
        return;
    };
    let name = backend.label(0).unwrap_or(&backend.kind);
    let Some(shown) = word(name) else { return };
    let settings: BTreeSet<&str> = backend
        .body
        .attributes
        .iter()
        .map(|attribute| attribute.name.as_str())
        .chain(backend.body.blocks.iter().map(|block| block.kind.as_str()))
        .collect();
    let known = BACKENDS.get(name);
    let missing: Option<Vec<Shown>> = known.map(|known| {
        known
            .needs
            .iter()
            .filter(|need| !settings.contains(need.as_str()))
            .filter_map(|need| word(need))
            .collect()
    });
    let whole = missing.as_ref().is_some_and(Vec::is_empty);
    let switched_off = |name: &str| backend.body.get(name).and_then(Value::boolean) == Some(false);
    found.state = Some(ProvisioningState {
        backend: shown,
        settings: settings.iter().filter_map(|name| word(name)).collect(),
        missing: missing.unwrap_or_default(),
        // What is left to the command line may switch the lock on.
        locks: known
            .map(|known| {
                let set = |name: &String| settings.contains(name.as_str()) && !switched_off(name);
                known.always_locks || known.locks.iter().any(set)
            })
            .filter(|locks| *locks || whole),
        evidence: vec![Evidence::at(&file.path, backend.line)],
    });
}

fn version(text: &str) -> Option<Shown> {
    Version::parse(Raw::new(text)).map(Shown::from)
}

fn provider(name: &str, value: &Value, evidence: Evidence) -> Option<ProvisioningPin> {
    let source = value.get("source").and_then(Value::text).unwrap_or(name);
    let stated = match value {
        Value::Object(_) => value.get("version").and_then(Value::text),
        value => value.text(),
    };
    Some(ProvisioningPin {
        kind: Shown::from("provider"),
        source: word(source)?,
        version: stated.and_then(version),
        evidence: vec![evidence],
    })
}

/// A module that is fetched from a registry or a repository of others.
fn module(file: &TerraformFile, block: &Block) -> Option<ProvisioningPin> {
    let source = block.body.get("source").and_then(Value::text)?;
    if source.starts_with('.') || source.starts_with('/') {
        return None;
    }
    let (address, query) = source.split_once('?').unwrap_or((source, ""));
    let revision = query.split('&').find_map(|part| part.strip_prefix("ref="));
    let stated = block.body.get("version").and_then(Value::text).or(revision);
    let plain = address.strip_prefix("git::").unwrap_or(address);
    let shown = if plain.contains("://") || plain.contains('@') {
        HttpUrl::parse(Raw::new(plain)).map(Shown::from)
    } else {
        word(plain)
    };
    Some(ProvisioningPin {
        kind: Shown::from("module"),
        source: shown?,
        version: stated.and_then(|text| version(text).or_else(|| word(text))),
        evidence: vec![Evidence::at(&file.path, block.line)],
    })
}

fn region(root: &Instance<'_, '_>, block: &Block, regions: &mut Vec<Shown>) {
    let region = block.body.get("region").and_then(|value| root.text(value));
    regions.extend(region.and_then(|region| word(&region)));
}

#[cfg(test)]
mod tests {
    use playbook_core::path::RelPath;
    use playbook_core::shown::Shown;

    use crate::testing::inventory;

    const MAIN: &str = "//- infra/main.tf\nterraform {\n  backend \"s3\" {\n    bucket = \"state\"\n    dynamodb_table = \"locks\"\n  }\n  required_providers {\n    aws = { source = \"hashicorp/aws\", version = \"~> 6.0\" }\n  }\n}\nprovider \"aws\" { region = var.region }\nvariable \"region\" {\n  type = string\n  default = \"eu-central-1\"\n}\nvariable \"domain\" {\n  description = \"Public name of the shop.\"\n  type = string\n}\nvariable \"db_password\" {\n  type = string\n  sensitive = true\n}\nvariable \"zones\" { type = list(string) }\noutput \"address\" { value = aws_lb.web.dns_name }\noutput \"password\" {\n  value = var.db_password\n  sensitive = true\n}\nresource \"aws_lb\" \"web\" {}\nmodule \"vpc\" {\n  source = \"terraform-aws-modules/vpc/aws\"\n  version = \"5.1.2\"\n}\nmodule \"own\" { source = \"./own\" }\nmodule \"pinned\" { source = \"git::https://git.example.com/modules/net.git?ref=v2.0.1\" }\n//- infra/own/main.tf\nvariable \"inner\" {}\nresource \"aws_sns_topic\" \"x\" {}\n//- infra/terraform.tfvars\nzones = [\"a\"]\n//- infra/env/prod.tfvars\ndomain = \"shop.example.com\"\n";

    #[test]
    fn what_a_deployer_has_to_give() {
        let found = inventory(MAIN);
        assert_eq!(
            found.provisioning.len(),
            1,
            "a called module is not applied by itself"
        );
        let root = &found.provisioning[0];
        let inputs: Vec<_> = root
            .inputs
            .iter()
            .map(|input| {
                let line = input.evidence[0].line;
                (input.name.as_str(), input.required, input.secret, line)
            })
            .collect();
        assert_eq!(
            inputs,
            [
                ("db_password", true, true, Some(19)),
                ("domain", true, false, Some(15)),
                ("region", false, false, Some(11)),
                ("zones", false, false, Some(23)),
            ]
        );
        assert_eq!(root.inputs[3].kind.as_ref().map(Shown::as_str), Some("list"));
        assert_eq!(
            root.inputs[1].description.as_ref().map(Shown::as_str),
            Some("Public name of the shop.")
        );
        let files: Vec<&str> = root.value_files.iter().map(RelPath::as_str).collect();
        assert_eq!(files, ["infra/env/prod.tfvars", "infra/terraform.tfvars"]);
        assert_eq!(root.regions, ["eu-central-1"]);
        let outputs: Vec<_> = root
            .outputs
            .iter()
            .map(|output| (output.name.as_str(), output.secret))
            .collect();
        assert_eq!(outputs, [("address", false), ("password", true)]);
    }

    #[test]
    fn state_and_pins() {
        let found = inventory(MAIN);
        let root = &found.provisioning[0];
        let state = root.state.as_ref().expect("a backend");
        assert_eq!((state.backend.as_str(), state.locks), ("s3", Some(true)));
        assert_eq!(state.missing, ["key", "region"]);
        let pins: Vec<_> = root
            .pins
            .iter()
            .map(|pin| {
                (
                    pin.kind.as_str(),
                    pin.source.as_str(),
                    pin.version.as_ref().map(Shown::as_str),
                )
            })
            .collect();
        assert_eq!(
            pins,
            [
                (
                    "module",
                    "https://git.example.com/modules/net.git",
                    Some("v2.0.1")
                ),
                ("module", "terraform-aws-modules/vpc/aws", Some("5.1.2")),
                ("provider", "hashicorp/aws", Some("~> 6.0")),
            ]
        );
    }

    #[test]
    fn a_folder_that_makes_nothing_is_not_applied() {
        assert!(
            inventory("//- x/variables.tf\nvariable \"a\" {}\n")
                .provisioning
                .is_empty()
        );
    }
}
