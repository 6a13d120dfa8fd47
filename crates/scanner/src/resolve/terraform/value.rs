//! Values of Terraform, as far as they follow from defaults, variable files, locals and the arguments of local modules.

use std::collections::BTreeMap;

use playbook_core::path::RelPath;
use playbook_core::technology::Catalogue;

use crate::fact::TerraformFile;
use crate::limits;
use crate::parse::hcl::{Block, Value};

/// A folder of files: one module.
#[derive(Default)]
pub(super) struct Module<'a> {
    pub(super) files: Vec<&'a TerraformFile>,
    variables: BTreeMap<&'a str, &'a Value>,
    locals: BTreeMap<&'a str, &'a Value>,
    data: BTreeMap<(&'a str, &'a str), &'a Block>,
}

impl<'a> Module<'a> {
    pub(super) fn add(&mut self, file: &'a TerraformFile) {
        self.files.push(file);
        if file.path.name().ends_with(".tfvars") {
            if !super::provisioning::is_automatic(&file.path) {
                return;
            }
            for attribute in &file.body.attributes {
                self.variables.insert(&attribute.name, &attribute.value);
            }
            return;
        }
        for block in &file.body.blocks {
            match (block.kind.as_str(), block.label(0), block.label(1)) {
                ("variable", Some(name), _) => {
                    if let Some(value) = block.body.get("default") {
                        self.variables.entry(name).or_insert(value);
                    }
                }
                ("locals", ..) => {
                    for attribute in &block.body.attributes {
                        self.locals.insert(&attribute.name, &attribute.value);
                    }
                }
                ("data", Some(kind), Some(name)) => {
                    self.data.insert((kind, name), block);
                }
                _ => {}
            }
        }
    }

    /// Folders of this repository that it calls as modules, with the calls.
    pub(super) fn calls(&self) -> impl Iterator<Item = (RelPath, &'a TerraformFile, &'a Block)> + '_ {
        self.files.iter().flat_map(|file| {
            file.body.blocks("module").filter_map(|block| {
                let source = block.body.get("source")?.text()?;
                let local = source.starts_with("./") || source.starts_with("../");
                local.then_some(())?;
                Some((file.path.parent().join(source)?, *file, block))
            })
        })
    }
}

/// A module with the arguments of the call that made it.
#[derive(Clone, Copy)]
pub(super) struct Instance<'a, 'c> {
    pub(super) module: &'c Module<'a>,
    /// The calling instance, and its call.
    pub(super) caller: Option<(&'c Instance<'a, 'c>, &'a Block)>,
}

impl<'a> Instance<'a, '_> {
    /// The text of a value, if all of it is known.
    pub(super) fn text(&self, value: &Value) -> Option<String> {
        self.evaluate(value, limits::TERRAFORM_VALUE_DEPTH, false)
    }

    /// The text of a value as a name: parts that name the deployment and not the thing deployed are left out.
    pub(super) fn name(&self, value: &Value) -> Option<String> {
        let text = self.evaluate(value, limits::TERRAFORM_VALUE_DEPTH, true)?;
        let trimmed = text.trim_matches(['-', '_', '.', '/', ' ']);
        (!trimmed.is_empty()).then(|| trimmed.to_owned())
    }

    /// Is a value that switches something on known to be false?
    pub(super) fn is_off(&self, value: &Value) -> bool {
        match value {
            Value::Other(parts) => match parts.as_slice() {
                [condition, on, off] => match self.text(condition).as_deref() {
                    Some("true") => self.is_off(on),
                    Some("false") => self.is_off(off),
                    _ => false,
                },
                _ => false,
            },
            _ => matches!(self.text(value).as_deref(), Some("0" | "false")),
        }
    }

    /// The value that a variable or local stands for, with the instance in which it is written.
    pub(super) fn resolve(&self, reference: &str) -> Option<(Self, &'a Value)> {
        match reference.split_once('.')? {
            ("local", name) => Some((*self, self.module.locals.get(name)?)),
            ("var", name) => match self.argument(name) {
                Some((caller, value)) => Some((*caller, value)),
                None => Some((*self, self.module.variables.get(name)?)),
            },
            _ => None,
        }
    }

    /// The text of a value, with a word in place of what is not known.
    pub(super) fn text_or(&self, value: &Value, unknown: &str) -> Option<String> {
        let Value::Template(text) = value else {
            return self.text(value);
        };
        let mut whole = String::new();
        for (at, part) in text.split("${").enumerate() {
            let (reference, rest) = if at == 0 {
                ("", part)
            } else {
                part.split_once('}')?
            };
            if at > 0 {
                let known = self.follow(reference, limits::TERRAFORM_VALUE_DEPTH, false);
                whole.push_str(known.as_deref().unwrap_or(unknown));
            }
            whole.push_str(rest);
        }
        Some(whole)
    }

    fn argument(&self, name: &str) -> Option<(&Self, &'a Value)> {
        let (caller, call) = self.caller?;
        Some((caller, call.body.get(name)?))
    }

    fn evaluate(&self, value: &Value, depth: usize, as_name: bool) -> Option<String> {
        let depth = depth.checked_sub(1)?;
        match value {
            Value::Text(_) | Value::Number(_) | Value::Bool(_) => value.text().map(str::to_owned),
            Value::Template(text) => {
                let mut whole = String::new();
                for (at, part) in text.split("${").enumerate() {
                    if at == 0 {
                        whole.push_str(part);
                        continue;
                    }
                    let (reference, rest) = part.split_once('}')?;
                    if as_name && names_the_deployment(reference) {
                        whole.push_str(rest.trim_start_matches(['-', '_', '.', '/']));
                        continue;
                    }
                    match self.follow(reference, depth, as_name) {
                        Some(known) => whole.push_str(&known),
                        None if as_name => {}
                        None => return None,
                    }
                    whole.push_str(rest);
                }
                Some(whole)
            }
            Value::Reference(reference) => self.follow(reference, depth, as_name),
            Value::Call(name, arguments) => match name.as_str() {
                "lower" | "tostring" | "tonumber" | "tobool" | "trimspace" | "nonsensitive" => {
                    self.evaluate(arguments.first()?, depth, as_name)
                }
                "coalesce" | "try" => arguments
                    .iter()
                    .find_map(|argument| self.evaluate(argument, depth, as_name)),
                _ => None,
            },
            Value::Other(parts) => match parts.as_slice() {
                [condition, on, off] => match self.evaluate(condition, depth, false)?.as_str() {
                    "true" => self.evaluate(on, depth, as_name),
                    "false" => self.evaluate(off, depth, as_name),
                    _ => None,
                },
                _ => None,
            },
            Value::Null | Value::List(_) | Value::Object(_) => None,
        }
    }

    fn follow(&self, reference: &str, depth: usize, as_name: bool) -> Option<String> {
        let (root, rest) = reference.split_once('.')?;
        match root {
            "var" => match self.argument(rest) {
                Some((caller, value)) => caller.evaluate(value, depth, as_name),
                None => self.evaluate(self.module.variables.get(rest)?, depth, as_name),
            },
            "local" => self.evaluate(self.module.locals.get(rest)?, depth, as_name),
            "data" => {
                // The address of an image of the project's own registry: its name is what tells it.
                let mut parts = rest.split('.');
                let (kind, label) = (parts.next()?, parts.next()?);
                let block = self.module.data.get(&(kind, label))?;
                kind.contains("image")
                    .then(|| self.evaluate(block.body.get("name")?, depth, as_name))?
            }
            _ => None,
        }
    }
}

/// Does a reference stand for the environment, the project or something else that all resources share?
fn names_the_deployment(reference: &str) -> bool {
    let prefixes = &Catalogue::get().resource_attributes().prefix_words;
    reference.split(['.', '_', '-']).any(|word| {
        let word = word.to_ascii_lowercase();
        prefixes.contains(&word.as_str())
    })
}
