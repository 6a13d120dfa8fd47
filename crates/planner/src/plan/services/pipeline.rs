//! Pipelines that deploy: the repository's own for this target, and those for others.

use serde::Serialize;

use playbook_core::evidence::Evidence;
use playbook_core::inventory::{CiFile, CiStep};
use playbook_core::shown::Shown;

use crate::plan::Given;
use crate::rules::knowledge;

/// Steps of a pipeline that are named at most.
const MOST_STEPS: usize = 6;

/// A CI file that deploys.
#[derive(Debug, Serialize)]
pub(crate) struct Pipeline<'a> {
    file: &'a CiFile,
    /// Name of the file without its folders.
    name: Shown,
    /// Ids of the platforms that its commands deploy to.
    platforms: Vec<&'static str>,
    /// Does it deploy to this plan's target?
    here: bool,
    /// Does it start without anybody asking?
    automatic: bool,
    /// The commands that deploy.
    steps: Vec<&'a CiStep>,
    place: Option<&'a Evidence>,
}

impl Pipeline<'_> {
    pub(super) fn is_for_this_target(&self) -> bool {
        self.here
    }

    pub(super) fn is_to_be_stopped(&self) -> bool {
        !self.here && !self.platforms.is_empty() && self.automatic && self.file.kind == "github-actions"
    }
}

pub(super) fn pipelines<'a>(given: &Given<'a>) -> Vec<Pipeline<'a>> {
    given
        .inventory
        .ci
        .iter()
        .filter(|file| file.deploys)
        .map(|file| {
            let mut platforms: Vec<&'static str> = Vec::new();
            let mut steps: Vec<&CiStep> = Vec::new();
            for step in given
                .inventory
                .ci_steps
                .iter()
                .filter(|step| step.path == file.path)
            {
                if let Some(known) = knowledge::get()
                    .deploy_commands
                    .iter()
                    .find(|known| step.command.as_str().contains(known.words))
                {
                    platforms.push(known.platform);
                    steps.push(step);
                }
            }
            platforms.sort_unstable();
            platforms.dedup();
            steps.truncate(MOST_STEPS);
            Pipeline {
                name: file
                    .path
                    .components()
                    .last()
                    .and_then(playbook_core::path::RelPath::new)
                    .map_or_else(|| file.path.shown(), |name| name.shown()),
                here: platforms.iter().any(|platform| given.context.target.is(platform)),
                automatic: file.triggers.iter().any(|trigger| {
                    matches!(trigger.as_str(), "push" | "schedule" | "release" | "workflow_run")
                }),
                place: file.evidence.first(),
                platforms,
                steps,
                file,
            }
        })
        .collect()
}
