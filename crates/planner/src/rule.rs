//! Rules: what a reviewer would raise before a release, judged from the inventory alone.
//!
//! A rule is a constant with its sentence, its reason and its remedy beside the function that decides whether it
//! applies. [`assess`] runs all of them. A finding always names the places that prove it: where the fact is an absence, the line
//! where the missing thing would stand.

use std::collections::{BTreeMap, BTreeSet};

use playbook_core::evidence::{Confidence, Evidence};
use playbook_core::finding::{Finding, Severity};
use playbook_core::inventory::Inventory;
use playbook_core::shown::Shown;

use crate::context::Context;
use crate::rules::rules;

/// The most places that one finding names; what comes after them repeats the same observation.
const MOST_EVIDENCE: usize = 24;

/// The most findings of one rule and severity that stand on their own.
const MOST_ALIKE: usize = 4;

/// Of more than [`MOST_ALIKE`] findings, so many are told in words.
const IN_WORDS: usize = 3;

/// One thing that a reviewer looks for.
#[derive(Debug)]
pub struct Rule {
    /// Kebab-case, stable: it is what `explain` and suppressions name.
    pub id: &'static str,
    /// How bad it usually is; the check may say otherwise for one situation.
    pub severity: Severity,
    /// The section of the plan (1 to 11) whose steps it concerns.
    pub section: u8,
    /// What is the matter, as one clause.
    pub title: &'static str,
    /// Why it breaks.
    pub why: &'static str,
    /// The usual remedy.
    pub fix: &'static str,
    /// Looks for it.
    pub check: fn(&Inventory, &Context, &mut Findings),
}

/// Collects what the checks find.
#[derive(Debug, Default)]
pub struct Findings {
    rule: Option<&'static Rule>,
    list: Vec<Finding>,
}

impl Findings {
    /// Raises the rule that is running. `detail` says what is the matter here, with this repository's names and
    /// numbers; pieces from the repository stand in code spans. Without a place that proves it nothing is raised.
    pub(crate) fn add(&mut self, detail: Shown, evidence: impl IntoIterator<Item = Evidence>) -> Draft<'_> {
        let mut seen = BTreeSet::new();
        let evidence: Vec<Evidence> = evidence
            .into_iter()
            .filter(|place| seen.insert(place.clone()))
            .collect();
        let Some(rule) = self.rule.filter(|_| !evidence.is_empty()) else {
            return Draft(None);
        };
        self.list.push(Finding {
            rule: Shown::from(rule.id),
            severity: rule.severity,
            title: Shown::from(rule.title),
            detail,
            fix: Shown::from(rule.fix),
            confidence: Confidence::Stated,
            section: rule.section,
            evidence,
        });
        Draft(self.list.last_mut())
    }
}

/// The finding that was just raised, for what differs from its rule.
#[derive(Debug)]
pub(crate) struct Draft<'a>(Option<&'a mut Finding>);

impl Draft<'_> {
    /// How bad it is in this situation.
    pub(crate) fn severity(mut self, severity: Severity) -> Self {
        if let Some(finding) = &mut self.0 {
            finding.severity = severity;
        }
        self
    }

    /// The exact change that settles it here.
    pub(crate) fn fix(mut self, fix: Shown) -> Self {
        if let Some(finding) = &mut self.0 {
            finding.fix = fix;
        }
        self
    }

    /// How sure it is, where that is less than a file's own words.
    pub(crate) fn confidence(mut self, confidence: Confidence) -> Self {
        if let Some(finding) = &mut self.0 {
            finding.confidence = confidence;
        }
        self
    }
}

/// Runs every rule. The findings are sorted by severity, rule and evidence; equal ones are one finding with the
/// evidence of all.
pub fn assess(inventory: &Inventory, context: &Context) -> Vec<Finding> {
    run(rules().iter().copied(), inventory, context)
}

/// The rule with this id.
pub fn rule(id: &str) -> Option<&'static Rule> {
    rules().iter().copied().find(|rule| rule.id == id)
}

/// Runs some rules.
pub(crate) fn run(
    rules: impl Iterator<Item = &'static Rule>,
    inventory: &Inventory,
    context: &Context,
) -> Vec<Finding> {
    let mut findings = Findings::default();
    for rule in rules {
        findings.rule = Some(rule);
        (rule.check)(inventory, context, &mut findings);
    }
    merge(findings.list)
}

fn merge(list: Vec<Finding>) -> Vec<Finding> {
    let mut merged: BTreeMap<(Severity, Shown, Shown, Shown), Finding> = BTreeMap::new();
    for finding in list {
        let key = (
            finding.severity,
            finding.rule.clone(),
            finding.detail.clone(),
            finding.fix.clone(),
        );
        match merged.get_mut(&key) {
            Some(first) => {
                for place in finding.evidence {
                    if !first.evidence.contains(&place) {
                        first.evidence.push(place);
                    }
                }
            }
            None => {
                merged.insert(key, finding);
            }
        }
    }
    let mut alike: BTreeMap<(Severity, Shown), Vec<Finding>> = BTreeMap::new();
    for finding in merged.into_values() {
        alike
            .entry((finding.severity, finding.rule.clone()))
            .or_default()
            .push(finding);
    }
    let mut list: Vec<Finding> = alike.into_values().flat_map(fold).collect();
    for finding in &mut list {
        finding.evidence.truncate(MOST_EVIDENCE);
    }
    list.sort_by(|a, b| {
        (a.severity, &a.rule, &a.evidence, &a.detail).cmp(&(b.severity, &b.rule, &b.evidence, &b.detail))
    });
    list
}

/// Many findings of one rule are one finding: the first ones in words, all of them by their best places.
fn fold(mut alike: Vec<Finding>) -> Vec<Finding> {
    if alike.len() <= MOST_ALIKE {
        return alike;
    }
    alike.sort_by(|a, b| (&a.evidence, &a.detail).cmp(&(&b.evidence, &b.detail)));
    let rest = alike.len() - IN_WORDS;
    let mut details: Vec<Shown> = alike
        .iter()
        .take(IN_WORDS)
        .map(|finding| finding.detail.clone())
        .collect();
    details.push(Shown::fill(
        "The same holds at {} more.",
        &[&Shown::number(rest as u64)],
    ));
    let mut evidence = Vec::new();
    let longest = alike
        .iter()
        .map(|finding| finding.evidence.len())
        .max()
        .unwrap_or(0);
    for at in 0..longest {
        for place in alike.iter().filter_map(|finding| finding.evidence.get(at)) {
            if !evidence.contains(place) {
                evidence.push(place.clone());
            }
        }
    }
    let same_fix = alike
        .windows(2)
        .all(|two| matches!(two, [a, b] if a.fix == b.fix));
    let Some(mut first) = alike.into_iter().next() else {
        return Vec::new();
    };
    if let Some(rule) = rule(first.rule.as_str()).filter(|_| !same_fix) {
        first.fix = Shown::from(rule.fix);
    }
    first.detail = Shown::join(&details, " ");
    first.evidence = evidence;
    vec![first]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{context, place};

    static NOISY: Rule = Rule {
        id: "noisy",
        severity: Severity::Low,
        section: 1,
        title: "t",
        why: "w",
        fix: "f",
        check: |_, _, findings| {
            findings.add(Shown::from("same"), [place("b", 2)]);
            findings.add(Shown::from("same"), [place("a", 1), place("b", 2)]);
            findings
                .add(Shown::from("worse"), [place("z", 9)])
                .severity(Severity::High);
            findings
                .add(Shown::from("unproven"), [])
                .severity(Severity::Blocker);
        },
    };

    #[test]
    fn equal_findings_are_one_the_worst_is_first_and_nothing_is_unproven() {
        let found = run([&NOISY].into_iter(), &Inventory::empty(), &context("compose"));
        let shown: Vec<_> = found
            .iter()
            .map(|f| (f.detail.as_str(), f.evidence.len()))
            .collect();
        assert_eq!(shown, [("worse", 1), ("same", 2)]);
    }

    static MANY: Rule = Rule {
        id: "many",
        severity: Severity::Low,
        section: 1,
        title: "t",
        why: "w",
        fix: "f",
        check: |_, _, findings| {
            for number in 1..=6 {
                findings.add(
                    Shown::fill("{}.", &[&Shown::number(number)]),
                    [place("a", u32::try_from(number).unwrap_or(1)), place("b", 1)],
                );
            }
        },
    };

    #[test]
    fn many_findings_of_a_rule_are_one() {
        let found = run([&MANY].into_iter(), &Inventory::empty(), &context("compose"));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].detail, "1. 2. 3. The same holds at 3 more.");
        assert_eq!(found[0].evidence.len(), 7);
        assert_eq!(found[0].evidence[6], place("b", 1));
    }

    #[test]
    fn rules_are_unique_and_complete() {
        let mut seen = BTreeSet::new();
        for rule in rules() {
            assert!(seen.insert(rule.id), "{} twice", rule.id);
            assert!((1..=11).contains(&rule.section), "{}", rule.id);
            assert!(
                rule.id
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'),
                "{}",
                rule.id
            );
            for text in [rule.title, rule.why, rule.fix] {
                assert!(!text.is_empty() && !text.contains("{}"), "{}", rule.id);
            }
        }
        assert_eq!(rule(rules()[0].id).map(|rule| rule.id), Some(rules()[0].id));
    }

    #[test]
    fn an_empty_repository_has_no_findings() {
        for target in ["compose", "render", "kubernetes"] {
            assert_eq!(assess(&Inventory::empty(), &context(target)), []);
        }
    }
}
