//! The steps: the backbone of a plan. A target lists them; the order of the list is the order of execution inside a
//! section, and their numbers come from it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::prose::Prose;
use crate::render::PrintedStep;
use crate::target::TemplateError;

/// How much a step is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Level {
    /// Without it the deployment is not safe or does not work.
    Must,
    /// A principal engineer would do it.
    Should,
    /// It pays in some situations.
    Optional,
}

impl Level {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Must => "must",
            Self::Should => "should",
            Self::Optional => "optional",
        }
    }
}

/// A numbered part of a section as the templates' folder declares it: a step, or a table to look up when it has neither
/// place nor level. In a target's list everything but the id may be missing and then comes from `steps.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct StepText {
    /// Kebab-case; templates cite it.
    pub(crate) id: String,
    /// 1 to 11.
    pub(crate) section: Option<u8>,
    /// Markdown with template expressions.
    pub(crate) title: Option<String>,
    /// Where it runs: workstation, server, platform, dashboard, repository.
    #[serde(rename = "where")]
    pub(crate) place: Option<String>,
    /// How much it is needed; without it the part is no step but something to read.
    pub(crate) level: Option<Level>,
    /// Conditions that must hold, separated by blanks; `!` before one negates it.
    pub(crate) when: Option<String>,
    /// The template of its body: in the target's folder, else in `sections/`.
    pub(crate) template: Option<String>,
    /// Hands-on time, in minutes.
    pub(crate) minutes: Option<u32>,
    /// Rules whose findings it settles.
    #[serde(default)]
    pub(crate) settles: Vec<String>,
    /// Its line of the checklist; its title when missing, and none for a part that is no step.
    pub(crate) check: Option<String>,
    /// What has to be waited for, with the number's source, for the timeline.
    pub(crate) wait: Option<String>,
    /// Does every target have it, as the first of its section, unless its own list names it?
    #[serde(default)]
    pub(crate) everywhere: bool,
}

impl StepText {
    /// Takes what is missing from the common declaration.
    pub(crate) fn fill_from(&mut self, common: &Self) {
        fn fill<T: Clone>(own: &mut Option<T>, common: Option<&T>) {
            if own.is_none() {
                *own = common.cloned();
            }
        }
        fill(&mut self.section, common.section.as_ref());
        fill(&mut self.title, common.title.as_ref());
        fill(&mut self.place, common.place.as_ref());
        fill(&mut self.level, common.level.as_ref());
        fill(&mut self.when, common.when.as_ref());
        fill(&mut self.template, common.template.as_ref());
        fill(&mut self.minutes, common.minutes.as_ref());
        fill(&mut self.check, common.check.as_ref());
        fill(&mut self.wait, common.wait.as_ref());
        self.settles.extend(common.settles.iter().cloned());
    }

    /// The key that it cannot do without and does not have.
    pub(crate) fn missing(&self) -> Option<&'static str> {
        match (&self.section, &self.title) {
            (Some(1..=11), Some(_)) => None,
            (_, None) => Some("title"),
            _ => Some("section"),
        }
    }
}

/// A numbered part of this plan.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) id: String,
    /// `5.3`
    pub(crate) number: String,
    pub(crate) section: u8,
    pub(crate) title: String,
    pub(crate) place: Option<String>,
    pub(crate) level: Option<Level>,
    pub(crate) template: Option<String>,
    pub(crate) minutes: u32,
    pub(crate) settles: Vec<String>,
    pub(crate) check: Option<String>,
    pub(crate) wait: Option<String>,
}

/// The name of a step in templates: `steps.build_image` for `build-image`.
pub(crate) fn step_key(id: &str) -> String {
    id.replace('-', "_")
}

/// Do all conditions of this list hold?
pub(super) fn holds(when: &str, conditions: &BTreeMap<&'static str, bool>) -> Result<bool, TemplateError> {
    let mut all = true;
    for word in when.split_whitespace() {
        let (name, wanted) = match word.strip_prefix('!') {
            Some(name) => (name, false),
            None => (word, true),
        };
        match conditions.get(name) {
            Some(holds) => all &= *holds == wanted,
            None => {
                return Err(TemplateError {
                    file: "target.toml".to_owned(),
                    message: format!("there is no condition `{name}`"),
                });
            }
        }
    }
    Ok(all)
}

/// The steps that apply, with their numbers.
pub(super) fn number(
    texts: &[StepText],
    conditions: &BTreeMap<&'static str, bool>,
) -> Result<Vec<Step>, TemplateError> {
    let mut steps = Vec::new();
    let mut counts = [0u32; 12];
    for text in texts {
        if !holds(text.when.as_deref().unwrap_or_default(), conditions)? {
            continue;
        }
        let (Some(section), Some(title)) = (text.section, text.title.clone()) else {
            continue;
        };
        let Some(count) = counts.get_mut(usize::from(section)) else {
            continue;
        };
        *count += 1;
        steps.push(Step {
            id: text.id.clone(),
            number: format!("{section}.{count}"),
            section,
            title,
            place: text.place.clone(),
            level: text.level,
            template: text.template.clone(),
            minutes: text.minutes.unwrap_or(0),
            settles: text.settles.clone(),
            check: text.check.clone(),
            wait: text.wait.clone(),
        });
    }
    steps.sort_by_key(|step| step.section);
    Ok(steps)
}

/// A line of the checklist.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Check {
    text: Prose,
    numbers: Vec<String>,
    level: &'static str,
}

/// One line for each step that must or should be done; steps with the same line share it.
pub(crate) fn checklist(steps: &[PrintedStep<'_>]) -> Vec<Check> {
    let mut list: Vec<Check> = Vec::new();
    for step in steps {
        let Some(level @ ("must" | "should")) = step.level else {
            continue;
        };
        let text = step.check.clone().unwrap_or_else(|| step.title.clone());
        match list.iter_mut().find(|check| check.text == text) {
            Some(check) => {
                check.numbers.push(step.number.to_owned());
                if level == "must" {
                    check.level = level;
                }
            }
            None => list.push(Check {
                text,
                numbers: vec![step.number.to_owned()],
                level,
            }),
        }
    }
    list
}

/// A row of the timeline.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Phase {
    section: u8,
    numbers: Vec<String>,
    minutes: u32,
    waits: Vec<Prose>,
}

/// One row for each section with steps to do.
pub(crate) fn phases(steps: &[PrintedStep<'_>]) -> Vec<Phase> {
    let mut list: Vec<Phase> = Vec::new();
    for step in steps
        .iter()
        .filter(|step| matches!(step.level, Some("must" | "should")))
    {
        if list.last().is_none_or(|phase| phase.section != step.section) {
            list.push(Phase {
                section: step.section,
                numbers: Vec::new(),
                minutes: 0,
                waits: Vec::new(),
            });
        }
        if let Some(phase) = list.last_mut() {
            phase.numbers.push(step.number.to_owned());
            phase.minutes += step.minutes;
            phase.waits.extend(step.wait.clone());
        }
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(id: &str, section: u8, when: &str) -> StepText {
        StepText {
            id: id.to_owned(),
            section: Some(section),
            title: Some(id.to_owned()),
            place: None,
            level: None,
            when: Some(when.to_owned()),
            template: None,
            minutes: None,
            settles: Vec::new(),
            check: None,
            everywhere: false,
            wait: None,
        }
    }

    #[test]
    fn numbers_follow_the_list_and_leave_no_gap() {
        let conditions = BTreeMap::from([("yes", true), ("no", false)]);
        let texts = [
            text("a", 1, ""),
            text("b", 1, "no"),
            text("c", 1, "yes !no"),
            text("d", 2, "yes"),
        ];
        let steps = number(&texts, &conditions).expect("all conditions are known");
        let numbers: Vec<_> = steps
            .iter()
            .map(|step| (step.id.as_str(), step.number.as_str()))
            .collect();
        assert_eq!(numbers, [("a", "1.1"), ("c", "1.2"), ("d", "2.1")]);
        assert!(number(&[text("a", 1, "unheard-of")], &conditions).is_err());
    }
}
