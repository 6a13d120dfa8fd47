//! Terraform: folders are modules, and those that no other folder calls are what people apply. Each of them becomes a
//! stack of its own, with the resources of the modules that it calls, as far as values follow from what is written.

pub(crate) mod provisioning;
mod value;

use std::collections::{BTreeMap, BTreeSet};

use playbook_core::evidence::{Evidence, Scope};
use playbook_core::inventory::{Stack, Unit};
use playbook_core::path::RelPath;
use playbook_core::shown::Shown;
use playbook_core::technology::Catalogue;

use crate::detect::resource::{self, Field, Fields, Resource};
use crate::fact::{Facts, TerraformFile};
use crate::index::FileIndex;
use crate::limits;
use crate::parse::hcl::{Block, Body, Value};
use crate::parse::json;
use crate::parse::tree::{Kind, Node};
use crate::source::Source;
use value::{Instance, Module};

/// Makes stacks, stores and jobs of the Terraform files, and tells what is applied.
pub(crate) fn expand(facts: &mut Facts, index: &FileIndex) {
    if facts.terraform.is_empty() {
        return;
    }
    let files = std::mem::take(&mut facts.terraform);
    let mut modules: BTreeMap<RelPath, Module<'_>> = BTreeMap::new();
    for file in &files {
        modules.entry(file.path.parent()).or_default().add(file);
    }
    let called: BTreeSet<RelPath> = modules
        .values()
        .flat_map(|module| module.calls().map(|(dir, ..)| dir).collect::<Vec<_>>())
        .collect();
    let mut budget = limits::TERRAFORM_MODULE_CALLS;
    let value_files = provisioning::ValueFiles::new(index);
    for (dir, module) in modules.iter().filter(|(dir, _)| !called.contains(*dir)) {
        let mut walk = Walk {
            modules: &modules,
            files: Vec::new(),
            units: Vec::new(),
            budget,
        };
        let root = Instance { module, caller: None };
        facts
            .provisioning
            .extend(provisioning::of_root(dir, &root, &value_files, index));
        walk.instance(facts, root, limits::TERRAFORM_MODULE_DEPTH);
        budget = walk.budget;
        facts.stacks.extend(walk.stack());
    }
}

struct Walk<'a, 'm> {
    modules: &'m BTreeMap<RelPath, Module<'a>>,
    files: Vec<RelPath>,
    units: Vec<(Scope, Unit)>,
    budget: usize,
}

impl Walk<'_, '_> {
    fn stack(self) -> Option<Stack> {
        let scope = self.units.iter().map(|(scope, _)| *scope).min()?;
        let first = self.files.first()?;
        let mut units: Vec<Unit> = Vec::new();
        for (_, mut unit) in self.units {
            // Two calls of a module whose name could not be read are told apart by a number.
            let same = units.iter().filter(|known| known.name == unit.name).count();
            if same > 0
                && units
                    .iter()
                    .any(|known| known.name == unit.name && known.evidence == unit.evidence)
            {
                continue;
            }
            if same > 0 {
                let number = Shown::number(u64::try_from(same).unwrap_or(u64::MAX).saturating_add(1));
                unit.name = Shown::join([&unit.name, &number], "-");
            }
            units.push(unit);
        }
        Some(Stack {
            kind: Shown::from("terraform"),
            evidence: vec![Evidence::file(first)],
            files: self.files,
            scope,
            name: None,
            units,
            volumes: Vec::new(),
            networks: Vec::new(),
            outside_secrets: Vec::new(),
            outside_networks: Vec::new(),
            groups: Vec::new(),
            confirmed_by: Vec::new(),
        })
    }

    fn instance(&mut self, facts: &mut Facts, instance: Instance<'_, '_>, depth: usize) {
        for file in &instance.module.files {
            let mut told = false;
            for block in file.body.blocks("resource") {
                told |= self.resource(facts, &instance, file, block);
            }
            for block in file.body.blocks("module") {
                told |= self.published(facts, &instance, file, block);
            }
            if told && !self.files.contains(&file.path) {
                self.files.push(file.path.clone());
            }
        }
        let (Some(depth), true) = (depth.checked_sub(1), self.budget > 0) else {
            return;
        };
        for (dir, _, call) in instance.module.calls() {
            let Some(module) = self.modules.get(&dir) else {
                continue;
            };
            if is_absent(&instance, call) {
                continue;
            }
            self.budget = self.budget.saturating_sub(1);
            let inner = Instance {
                module,
                caller: Some((&instance, call)),
            };
            self.instance(facts, inner, depth);
        }
    }

    fn resource(
        &mut self,
        facts: &mut Facts,
        instance: &Instance<'_, '_>,
        file: &TerraformFile,
        block: &Block,
    ) -> bool {
        let (Some(kind), Some(label)) = (block.label(0), block.label(1)) else {
            return false;
        };
        self.read(facts, instance, file, block, kind, label)
    }

    /// A module of a registry, which stands for the resources that it is known to make.
    fn published(
        &mut self,
        facts: &mut Facts,
        instance: &Instance<'_, '_>,
        file: &TerraformFile,
        block: &Block,
    ) -> bool {
        let (Some(source), Some(label)) = (block.body.get("source").and_then(Value::text), block.label(0))
        else {
            return false;
        };
        if source.starts_with('.') {
            return false;
        }
        let source = source.strip_prefix("registry.terraform.io/").unwrap_or(source);
        self.read(facts, instance, file, block, source, label)
    }

    fn read(
        &mut self,
        facts: &mut Facts,
        instance: &Instance<'_, '_>,
        file: &TerraformFile,
        block: &Block,
        kind: &str,
        label: &str,
    ) -> bool {
        if is_absent(instance, block) {
            return false;
        }
        let catalogue = Catalogue::get();
        let known = catalogue.by_process_resource(kind).is_some()
            || catalogue.by_engine_resource(kind).is_some()
            || !catalogue.by_resource(kind).is_empty();
        if !known {
            return false;
        }
        let source = Source::new(&file.path, "", file.scope, file.ignored);
        let mut fields = of_body(instance, &block.body);
        if block.kind == "module" {
            // The version of the module, not of what it makes.
            fields.remove("version");
        }
        let resource = Resource {
            kind,
            label,
            module: instance.caller.and_then(|(_, call)| call.label(0)),
            line: block.line,
            fields: &fields,
        };
        let units = resource::read(&source, facts, &resource);
        self.units
            .extend(units.into_iter().map(|unit| (file.scope, unit)));
        true
    }
}

/// Is a resource or a call of a module switched off?
fn is_absent(instance: &Instance<'_, '_>, block: &Block) -> bool {
    block
        .body
        .get("count")
        .is_some_and(|count| instance.is_off(count))
}

fn of_body(instance: &Instance<'_, '_>, body: &Body) -> Fields {
    let mut fields = Fields::default();
    for attribute in &body.attributes {
        let reading = Reading {
            line: attribute.line,
            foreign: false,
            depth: limits::TERRAFORM_MODULE_DEPTH * 2,
        };
        let value = of_value(instance, &attribute.name, &attribute.value, reading);
        fields.push(&attribute.name, attribute.line, value);
    }
    for block in &body.blocks {
        if block.kind == "dynamic" {
            dynamic(instance, block, &mut fields);
        } else {
            fields.push(
                &block.kind,
                block.line,
                Field::Map(of_body(instance, &block.body)),
            );
        }
    }
    fields
}

/// A block for each item of a list: what its items say where the list could be followed.
fn dynamic(instance: &Instance<'_, '_>, block: &Block, fields: &mut Fields) {
    let (Some(name), Some(list)) = (block.label(0), block.body.get("for_each")) else {
        return;
    };
    let reading = Reading {
        line: block.line,
        foreign: true,
        depth: limits::TERRAFORM_MODULE_DEPTH * 2,
    };
    for (line, item) in items(of_value(instance, name, list, reading)) {
        fields.push(name, line, item);
    }
}

fn items(field: Field) -> Vec<(u32, Field)> {
    match field {
        Field::List(items) => items,
        _ => Vec::new(),
    }
}

/// How a value is read.
#[derive(Clone, Copy)]
struct Reading {
    /// The line of the attribute.
    line: u32,
    /// Does the value stand elsewhere, so that this line is the evidence for all of it?
    foreign: bool,
    depth: usize,
}

impl Reading {
    fn at(self, line: u32) -> Self {
        Self {
            line: if self.foreign { self.line } else { line },
            ..self
        }
    }
}

fn of_value(instance: &Instance<'_, '_>, name: &str, value: &Value, reading: Reading) -> Field {
    let Some(depth) = reading.depth.checked_sub(1) else {
        return Field::Unknown;
    };
    let inner = Reading { depth, ..reading };
    match value {
        Value::List(items) => Field::List(
            items
                .iter()
                .map(|item| (reading.line, of_value(instance, "", item, inner)))
                .collect(),
        ),
        Value::Object(entries) => {
            let mut fields = Fields::default();
            for (key, line, value) in entries {
                let inner = inner.at(*line);
                fields.push(key, inner.line, of_value(instance, key, value, inner));
            }
            Field::Map(fields)
        }
        Value::Call(call, arguments) => match call.as_str() {
            "jsonencode" | "jsondecode" | "tolist" | "toset" | "tomap" => {
                arguments.first().map_or(Field::Unknown, |argument| {
                    of_value(instance, name, argument, inner)
                })
            }
            "concat" | "flatten" => Field::List(
                arguments
                    .iter()
                    .flat_map(|argument| items(of_value(instance, name, argument, inner)))
                    .collect(),
            ),
            "merge" => {
                let mut fields = Fields::default();
                for argument in arguments {
                    if let Field::Map(map) = of_value(instance, name, argument, inner) {
                        fields.extend(map);
                    }
                }
                Field::Map(fields)
            }
            _ => scalar(instance, name, value),
        },
        Value::Text(text) if text.trim_start().starts_with(['[', '{']) => match json::document(text) {
            (Some(document), None) => of_node(&document, reading.line, depth),
            _ => Field::Text(text.clone()),
        },
        Value::Template(text) if text.trim_start().starts_with('[') => {
            // What only the tool knows becomes a null, which says nothing.
            let known = instance.text_or(value, "null").unwrap_or_default();
            match json::document(&known) {
                (Some(document), None) => of_node(&document, reading.line, depth),
                _ => Field::Unknown,
            }
        }
        Value::Other(parts) => match parts.as_slice() {
            [condition, on, off] => match instance.text(condition).as_deref() {
                Some("true") => of_value(instance, name, on, inner),
                Some("false") => of_value(instance, name, off, inner),
                _ => Field::Unknown,
            },
            _ => Field::Unknown,
        },
        Value::Reference(reference) => match scalar(instance, name, value) {
            Field::Unknown => instance
                .resolve(reference)
                .map_or(Field::Unknown, |(owner, value)| {
                    let inner = Reading {
                        foreign: true,
                        ..inner
                    };
                    of_value(&owner, name, value, inner)
                }),
            known => known,
        },
        _ => scalar(instance, name, value),
    }
}

fn scalar(instance: &Instance<'_, '_>, name: &str, value: &Value) -> Field {
    let names = &Catalogue::get().resource_attributes().name;
    let known = if names.contains(&resource::normal(name).as_str()) {
        instance.name(value)
    } else {
        instance.text(value)
    };
    known.map_or(Field::Unknown, Field::Text)
}

/// JSON inside a text; the line of the text is the evidence for all of it.
fn of_node(node: &Node, line: u32, depth: usize) -> Field {
    let Some(depth) = depth.checked_sub(1) else {
        return Field::Unknown;
    };
    match node.kind() {
        Kind::Scalar { .. } => node
            .text()
            .filter(|text| !text.contains("null"))
            .map_or(Field::Unknown, |text| Field::Text(text.to_owned())),
        Kind::Seq(_) => Field::List(
            node.items()
                .map(|item| (line, of_node(item, line, depth)))
                .collect(),
        ),
        Kind::Map(_) => {
            let mut fields = Fields::default();
            for (key, _, value) in node.entries() {
                fields.push(key, line, of_node(value, line, depth));
            }
            Field::Map(fields)
        }
    }
}

#[cfg(test)]
mod tests;
