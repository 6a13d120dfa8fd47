//! Platforms: what a plan can be written for. Each is a folder of `playbook-templates/targets/` with its facts in
//! `target.toml` and the partial templates in which it differs.

mod infer;
mod inherit;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use playbook_core::inventory::Stack;

pub(crate) use infer::stack_weight;
pub use infer::{Inference, Reason, infer};

use crate::plan::{NoteText, Offering, ParameterText, StepText, ToolText};
use crate::render::Templates;

/// Why the templates' folder could not be used.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {message}")]
pub struct TemplateError {
    /// The file inside the templates' folder.
    pub file: String,
    /// What is wrong with it. The folder is ours or the user's own, never the analysed repository's.
    pub message: String,
}

/// A person or machine that needs rights for this platform.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct AccessText {
    /// Who; Markdown with template expressions.
    pub(crate) who: String,
    /// The least that is enough.
    pub(crate) needs: String,
    /// Ids of the steps that use it.
    #[serde(default)]
    pub(crate) steps: Vec<String>,
    /// Conditions that must hold.
    #[serde(default)]
    pub(crate) when: String,
}

/// A platform with its facts.
#[expect(
    clippy::struct_excessive_bools,
    reason = "facts of a file, each with its own name there"
)]
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Target {
    /// Name of its folder.
    #[serde(skip)]
    pub id: String,
    /// Folders in which its templates are looked for: its own, then those of the targets that it builds upon.
    #[serde(skip)]
    pub(crate) lineage: Vec<String>,
    /// What people call it.
    pub name: String,
    /// One line for `playbook targets`.
    pub summary: String,
    /// The head's field *Infrastructure Type*.
    pub infrastructure_type: String,
    /// The head's field *Cloud Provider*.
    pub cloud_provider: String,
    /// The day on which the platform's facts were read from their sources.
    pub as_of: String,
    /// Kinds of stacks (infrastructure slugs) that the repository can bring for it.
    pub stacks: Vec<String>,
    /// Does a stack of an earlier one of these kinds win over every stack of a later one?
    #[serde(default)]
    pub stacks_in_order: bool,
    /// Does a container lose its files with each deployment, unless a disk is attached?
    pub ephemeral_disk: bool,
    /// Does the platform tell the process its port in `PORT`?
    pub sets_port: bool,
    /// Does the platform run containers or builds of its own (so that a loopback listener is unreachable)?
    pub containers: bool,
    /// Does the plan's owner keep the host?
    pub own_host: bool,
    /// Instances of a service that run at the same moment during a rollout, for one wanted instance.
    pub overlap: u32,
    /// Seconds between the signal to stop and the kill.
    pub grace_seconds: u32,
    /// Rules whose findings the platform itself settles.
    #[serde(default)]
    pub settles: Vec<String>,
    /// More facts, for its own partials and for the sections' decisions.
    #[serde(default)]
    pub facts: toml::Table,
    /// Vendors whose datastores are its own, as the inventory names them.
    #[serde(default)]
    pub(crate) vendors: Vec<String>,
    /// Datastores that it runs itself.
    #[serde(rename = "offering", default)]
    pub(crate) offerings: Vec<Offering>,
    /// Companies of `companions/` that run what it does not, in the order of preference.
    #[serde(default)]
    pub(crate) companions: Vec<String>,
    /// Its steps in the order of execution.
    #[serde(rename = "step")]
    pub(crate) steps: Vec<StepText>,
    /// Parameters that its commands use.
    #[serde(rename = "parameter", default)]
    pub(crate) parameters: Vec<ParameterText>,
    /// Tools that its commands use.
    #[serde(rename = "tool", default)]
    pub(crate) tools: Vec<ToolText>,
    /// Rights that its steps need.
    #[serde(default)]
    pub(crate) access: Vec<AccessText>,
    /// Assumptions of its own, by id.
    #[serde(rename = "assumption", default)]
    pub(crate) assumptions: BTreeMap<String, NoteText>,
    /// Open questions of its own, by id.
    #[serde(rename = "question", default)]
    pub(crate) questions: BTreeMap<String, NoteText>,
}

impl Target {
    /// Is it this platform, or does it build upon it?
    pub fn is(&self, platform: &str) -> bool {
        self.lineage.iter().any(|id| id == platform)
    }

    /// A whole number among its further facts.
    pub fn number(&self, fact: &str) -> Option<u64> {
        self.facts
            .get(fact)?
            .as_integer()
            .and_then(|number| u64::try_from(number).ok())
    }
}

/// Is this stack of a kind? `kind:beginning` asks besides for a unit whose type of resource, or whose plan, begins so.
pub(crate) fn is_kind(stack: &Stack, kind: &str) -> bool {
    match kind.split_once(':') {
        None => stack.kind == *kind,
        Some((kind, beginning)) => {
            stack.kind == *kind
                && stack
                    .units
                    .iter()
                    .flat_map(|unit| unit.resource.iter().chain(&unit.plan))
                    .any(|resource| resource.as_str().starts_with(beginning))
        }
    }
}

/// What a file of the repository says about the platform.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Platform {
    /// The infrastructure slug of the inventory.
    pub(crate) kind: String,
    /// What people call it.
    pub(crate) name: String,
    /// The target's id, whether or not we have it.
    pub(crate) target: String,
    /// How strongly the file speaks for it; the strongest wins.
    pub(crate) weight: u32,
    /// Does a file speak for it only where it runs a service of the repository?
    #[serde(default)]
    pub(crate) needs_service: bool,
}

/// Every platform that a plan can be written for.
#[derive(Debug, Clone)]
pub struct Targets {
    list: BTreeMap<String, Arc<Target>>,
    pub(crate) platforms: Vec<Platform>,
    pub(crate) production_words: Vec<String>,
    pub(crate) bound_vendors: Vec<String>,
    pub(crate) default: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct PlatformFile {
    default: String,
    production_words: Vec<String>,
    bound_vendors: Vec<String>,
    platform: Vec<Platform>,
}

impl Targets {
    /// Reads every `targets/<id>/target.toml` of the templates' folder.
    pub fn load(templates: &Templates) -> Result<Self, TemplateError> {
        let common = templates.steps()?;
        let mut list = BTreeMap::new();
        for (id, inherited) in inherit::load(templates)? {
            let path = format!("targets/{id}/target.toml");
            let mut target: Target =
                inherited
                    .content
                    .try_into()
                    .map_err(|error: toml::de::Error| TemplateError {
                        file: path.clone(),
                        message: error.message().to_owned(),
                    })?;
            id.clone_into(&mut target.id);
            target.lineage = inherited.lineage;
            for text in common.values().filter(|text| text.everywhere) {
                if target.steps.iter().all(|step| step.id != text.id) {
                    let section = |step: &StepText| {
                        step.section
                            .or_else(|| common.get(&step.id).and_then(|common| common.section))
                    };
                    let place = target.steps.iter().position(|step| section(step) >= text.section);
                    target
                        .steps
                        .insert(place.unwrap_or(target.steps.len()), text.clone());
                }
            }
            for step in &mut target.steps {
                if let Some(text) = common.get(&step.id) {
                    step.fill_from(text);
                }
                if let Some(missing) = step.missing() {
                    return Err(TemplateError {
                        file: path,
                        message: format!("step `{}` has no `{missing}`", step.id),
                    });
                }
            }
            list.insert(id, Arc::new(target));
        }
        let file: PlatformFile = templates.parse_file("platforms.toml")?;
        if !list.contains_key(&file.default) {
            return Err(TemplateError {
                file: "platforms.toml".to_owned(),
                message: "the default target has no folder".to_owned(),
            });
        }
        Ok(Self {
            list,
            platforms: file.platform,
            production_words: file.production_words,
            bound_vendors: file.bound_vendors,
            default: file.default,
        })
    }

    /// The target with this id.
    pub fn get(&self, id: &str) -> Option<&Arc<Target>> {
        self.list.get(id)
    }

    /// All of them, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Target> {
        self.list.values().map(AsRef::as_ref)
    }
}
