//! The values that commands use, in one block at the start of section 1.

use std::collections::BTreeMap;

use serde::Deserialize;

use playbook_core::evidence::Evidence;
use playbook_core::shown::Shown;

use super::steps;
use crate::context::Context;
use crate::target::TemplateError;

/// A parameter as the templates' folder declares it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ParameterText {
    /// Its name in the shell.
    pub(crate) name: String,
    /// Its value with template expressions; without one it is `<YOUR_VALUE_HERE>`.
    pub(crate) value: Option<String>,
    /// The setting that gives its value: `domain`, `region`, `replicas`, `commit`, `environment`.
    pub(crate) setting: Option<String>,
    /// What it is, behind `#`.
    pub(crate) comment: Option<String>,
    /// Id of the question that it answers.
    pub(crate) question: Option<String>,
    /// Id of the assumption that its value makes.
    pub(crate) assumption: Option<String>,
    /// May it stay empty?
    #[serde(default)]
    pub(crate) empty_allowed: bool,
    /// Conditions that must hold.
    #[serde(default)]
    pub(crate) when: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ParameterFile {
    #[serde(default)]
    pub(super) parameter: Vec<ParameterText>,
}

/// A parameter of this plan.
#[derive(Debug, Clone)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    /// A value of the user or the repository.
    pub(crate) known: Option<Shown>,
    /// A value of the templates' folder.
    pub(crate) value: Option<String>,
    pub(crate) comment: Option<String>,
    pub(crate) question: Option<String>,
    pub(crate) assumption: Option<String>,
    pub(crate) evidence: Vec<Evidence>,
    pub(crate) empty_allowed: bool,
}

impl Parameter {
    /// A parameter with nothing known but its name. `None` when the name is no shell variable's name.
    pub(crate) fn new(name: &Shown) -> Option<Self> {
        let shell_name = name
            .as_str()
            .starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name
                .as_str()
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '_');
        shell_name.then(|| Self {
            name: name.as_str().to_owned(),
            known: None,
            value: None,
            comment: None,
            question: None,
            assumption: None,
            evidence: Vec::new(),
            empty_allowed: false,
        })
    }

    /// The question that it answers.
    pub(crate) fn question(mut self, id: &str) -> Self {
        self.question = Some(id.to_owned());
        self
    }

    /// Where the repository speaks of it.
    pub(crate) fn evidence(mut self, evidence: &[Evidence]) -> Self {
        self.evidence = evidence.to_vec();
        self
    }

    /// It may stay empty, and does unless somebody fills it in.
    pub(crate) fn or_empty(mut self) -> Self {
        self.empty_allowed = true;
        self.known.get_or_insert_with(|| Shown::from(""));
        self
    }
}

/// The target's parameters, the common ones, then those of the sections; the first of a name counts. What the user sets
/// wins.
pub(super) fn collect(
    target: &[ParameterText],
    common: Vec<ParameterText>,
    sections: Vec<Parameter>,
    context: &Context,
    conditions: &BTreeMap<&'static str, bool>,
) -> Result<Vec<Parameter>, TemplateError> {
    let mut list: Vec<Parameter> = Vec::new();
    for text in target.iter().cloned().chain(common) {
        if !steps::holds(&text.when, conditions)? {
            continue;
        }
        list.push(Parameter {
            known: text
                .setting
                .as_deref()
                .and_then(|setting| from_setting(setting, context)),
            name: text.name,
            value: text.value,
            comment: text.comment,
            question: text.question,
            assumption: text.assumption,
            evidence: Vec::new(),
            empty_allowed: text.empty_allowed,
        });
    }
    list.extend(sections);
    let mut seen = std::collections::BTreeSet::new();
    list.retain(|parameter| seen.insert(parameter.name.clone()));
    for parameter in &mut list {
        if let Some(value) = context.set.get(parameter.name.as_str()) {
            parameter.known = Some(value.clone());
            parameter.assumption = None;
        }
        // An empty value is a default that somebody still has to confirm.
        if context.set.contains_key(parameter.name.as_str())
            || parameter.known.as_ref().is_some_and(|value| *value != "")
        {
            parameter.question = None;
        }
    }
    Ok(list)
}

fn from_setting(setting: &str, context: &Context) -> Option<Shown> {
    match setting {
        "domain" => context.domain.clone(),
        "region" => context.regions.first().cloned(),
        "replicas" => context
            .replicas
            .map(|replicas| Shown::number(u64::from(replicas))),
        "environment" => Some(Shown::from(context.environment.as_str())),
        _ => None,
    }
}
