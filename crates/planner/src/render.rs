//! From decisions to text: Markdown by the templates, JSON by the contract.

mod embedded;
mod engine;
mod escape;
pub(crate) mod filters;
#[cfg(test)]
mod places;
#[cfg(test)]
mod template_tests;
#[cfg(test)]
mod tests;

pub(crate) use engine::PrintedStep;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::de::DeserializeOwned;

use playbook_core::finding::Finding;
use playbook_core::harmless::Name;
use playbook_core::inventory::{Inventory, TargetFact};
use playbook_core::raw::Raw;
use playbook_core::scrub::{Names, scrub};
use playbook_core::secret::Withheld;
use playbook_core::shown::Shown;
use playbook_core::technology;

use crate::check;
use crate::context::Context;
use crate::gate;
use crate::plan::{Plan, StepText};
use crate::rules;
use crate::target::TemplateError;

/// Why nothing is printed.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// A template of the folder is wrong.
    #[error("template {0}")]
    Template(#[from] TemplateError),
    /// The finished text holds what may not be printed.
    #[error("{0}")]
    Secret(#[from] gate::Refusal),
    /// The finished text has not the structure that every plan has.
    #[error("the finished plan is malformed: {0}")]
    Structure(#[from] check::Malformed),
    /// The inventory could not be written as JSON.
    #[error("the inventory could not be written as JSON")]
    Json,
}

/// The templates' folder: ours, with the user's files laid over it.
#[derive(Debug, Clone)]
pub struct Templates {
    files: BTreeMap<String, String>,
}

impl Default for Templates {
    fn default() -> Self {
        Self {
            files: embedded::FILES
                .iter()
                .map(|(path, content)| ((*path).to_owned(), (*content).to_owned()))
                .collect(),
        }
    }
}

impl Templates {
    /// Lays files over ours: path inside the folder, content.
    #[must_use]
    pub fn with_overlay(mut self, files: BTreeMap<String, String>) -> Self {
        self.files.extend(files);
        self
    }

    /// Every file of the folder, for `playbook templates export`.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files
            .iter()
            .map(|(path, content)| (path.as_str(), content.as_str()))
    }

    pub(crate) fn get(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    pub(crate) fn parse<T: DeserializeOwned>(path: &str, content: &str) -> Result<T, TemplateError> {
        toml::from_str(content).map_err(|error| TemplateError {
            file: path.to_owned(),
            message: error.message().to_owned(),
        })
    }

    pub(crate) fn parse_file<T: DeserializeOwned>(&self, path: &str) -> Result<T, TemplateError> {
        let content = self.get(path).ok_or_else(|| TemplateError {
            file: path.to_owned(),
            message: "the file is missing".to_owned(),
        })?;
        Self::parse(path, content)
    }

    /// The steps that targets share, by id.
    pub(crate) fn steps(&self) -> Result<BTreeMap<String, StepText>, TemplateError> {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            step: Vec<StepText>,
        }
        let file: File = self.parse_file("steps.toml")?;
        Ok(file
            .step
            .into_iter()
            .map(|step| (step.id.clone(), step))
            .collect())
    }
}

/// The plan as Markdown. Everything that comes back went through the gate and the check of its structure.
pub fn document(
    inventory: &Inventory,
    context: &Context,
    findings: &[Finding],
    withheld: &Withheld,
    templates: &Templates,
) -> Result<String, Refused> {
    let (inventory, names) = scrubbed(inventory, findings, withheld);
    let plan = Plan::new(&inventory, context, &inventory.findings, templates)?;
    let text = engine::render(&plan, templates)?;
    gate::gate(&text, withheld, &|word| {
        names.holds(word) || is_our_own(word, templates)
    })?;
    check::check(&text)?;
    Ok(text)
}

/// The inventory as JSON, contract `playbook.inventory/1`, with the target and the findings filled in.
pub fn json(
    inventory: &Inventory,
    findings: &[Finding],
    context: &Context,
    withheld: &Withheld,
) -> Result<String, Refused> {
    let (mut inventory, names) = scrubbed(inventory, findings, withheld);
    inventory.target = TargetFact {
        platform: Name::parse(Raw::new(&context.target.id)).map(Shown::from),
        inferred_from: Some(context.target_reason.clone()),
    };
    let mut text = serde_json::to_string_pretty(&inventory).map_err(|_| Refused::Json)?;
    text = inert_json(&text);
    text.push('\n');
    let templates = Templates::default();
    gate::gate(&text, withheld, &|word| {
        names.holds(word) || is_our_own(word, &templates)
    })?;
    Ok(text)
}

/// The same JSON with every character that could act where it is printed written as an escape: control characters, those
/// that can't be seen or turn the direction of text, commands to the log of a CI run, marks of template engines. All of
/// them stand inside of strings.
fn inert_json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let template = before == '{' && matches!(c, '{' | '%' | '#');
        let log = before == '#' && c == '#' && rest.peek() == Some(&'[');
        let acts = template || log || escape::acts(c) && c != '\n';
        if acts {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
        before = if acts { ' ' } else { c };
    }
    out
}

/// The inventory with its findings and without the texts that hold a withheld value.
fn scrubbed(inventory: &Inventory, findings: &[Finding], withheld: &Withheld) -> (Inventory, Names) {
    let mut inventory = inventory.clone();
    inventory.findings = findings.to_vec();
    let names = scrub(&mut inventory, withheld);
    (inventory, names)
}

/// Does the text stand in our own words: the templates' folder, the catalogue, the rules?
fn is_our_own(text: &str, templates: &Templates) -> bool {
    templates.files().any(|(_, content)| content.contains(text))
        || technology::FILES
            .iter()
            .any(|(_, _, content)| content.contains(text))
        || rules::rules().iter().any(|rule| {
            [rule.title, rule.why, rule.fix]
                .iter()
                .any(|words| words.contains(text))
        })
}
