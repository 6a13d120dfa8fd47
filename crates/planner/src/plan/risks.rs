//! The findings as the plan prints them, each with the steps that settle it.

use serde::Serialize;

use playbook_core::evidence::Evidence;
use playbook_core::finding::Severity;
use playbook_core::shown::Shown;

use super::{Given, Step};

/// A finding with its number.
#[derive(Debug, Serialize)]
pub(crate) struct Risk<'a> {
    /// `R1`
    pub(crate) id: String,
    pub(crate) rule: &'a Shown,
    pub(crate) severity: Severity,
    /// Number of the section in which it is dealt with.
    section: u8,
    pub(crate) title: &'a Shown,
    detail: &'a Shown,
    fix: &'a Shown,
    evidence: &'a [Evidence],
    /// Numbers of the steps that remove or contain it.
    pub(crate) settled_by: Vec<String>,
    /// Does the platform itself settle it?
    pub(crate) settled_by_target: bool,
}

/// Numbers the findings in the order of severity, rule and evidence.
pub(super) fn number<'a>(given: &Given<'a>, steps: &[Step]) -> Vec<Risk<'a>> {
    let mut findings: Vec<_> = given.findings.iter().collect();
    findings.sort_by(|a, b| {
        (a.severity, &a.rule, &a.evidence, &a.detail).cmp(&(b.severity, &b.rule, &b.evidence, &b.detail))
    });
    findings
        .into_iter()
        .enumerate()
        .map(|(at, finding)| Risk {
            id: format!("R{}", at + 1),
            rule: &finding.rule,
            severity: finding.severity,
            section: finding.section,
            title: &finding.title,
            detail: &finding.detail,
            fix: &finding.fix,
            evidence: &finding.evidence,
            settled_by: steps
                .iter()
                .filter(|step| step.settles.iter().any(|rule| finding.rule == **rule))
                .map(|step| step.number.clone())
                .collect(),
            settled_by_target: given
                .context
                .target
                .settles
                .iter()
                .any(|rule| finding.rule == **rule),
        })
        .collect()
}
