//! Endpoints of a framework for those who run it.

use playbook_core::evidence::{Confidence, Evidence};
use playbook_core::finding::Severity;
use playbook_core::inventory::{Inventory, SignalKind};
use playbook_core::shown::Shown;

use super::facts::{self, Context};
use crate::rule::{Findings, Rule};

pub(super) const RULES: &[&Rule] = &[&EXPOSED];

static EXPOSED: Rule = Rule {
    id: "management-endpoints-exposed",
    severity: Severity::Medium,
    section: 7,
    title: "The framework's management endpoints are served with the application",
    why: "Among them are settings, memory dumps and loggers; whoever reaches them reads secrets or changes the running process.",
    fix: "Expose `health`, `info` and `prometheus` only, or serve them on a port of their own that is not published.",
    check: exposed,
};

fn exposed(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    let (stops, all): (Vec<_>, Vec<_>) =
        facts::signals(inventory, SignalKind::ManagementExposed).partition(|signal| {
            signal
                .subject
                .as_ref()
                .is_some_and(|subject| *subject == "shutdown")
        });
    let places: Vec<Evidence> = facts::places(all);
    if places.is_empty() {
        return;
    }
    if stops.is_empty() {
        findings
            .add(Shown::from("All of them are exposed."), places)
            .confidence(Confidence::Derived);
    } else {
        findings
            .add(
                Shown::from("All of them are exposed, and one of them stops the process."),
                places.into_iter().chain(facts::places(stops)),
            )
            .severity(Severity::High)
            .confidence(Confidence::Derived);
    }
}

#[cfg(test)]
mod tests {
    use playbook_core::finding::Severity;
    use playbook_core::inventory::SignalKind;

    use super::super::testing::*;

    #[test]
    fn what_is_exposed() {
        let id = "management-endpoints-exposed";
        let mut all = inventory(|all| all.signals.push(signal(SignalKind::ManagementExposed)));
        assert_eq!(fires(id, &all, "compose").severity, Severity::Medium);
        let mut stop = signal(SignalKind::ManagementExposed);
        stop.subject = Some("shutdown".into());
        all.signals.push(stop);
        assert_eq!(fires(id, &all, "compose").severity, Severity::High);
        all.signals.remove(0);
        silent(id, &all, "compose");
    }
}
