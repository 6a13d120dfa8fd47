//! What is at its end: controllers, platforms, files that a platform stops reading.

use std::collections::BTreeMap;

use playbook_core::evidence::{Confidence, Evidence, Scope};
use playbook_core::finding::Severity;
use playbook_core::inventory::Inventory;
use playbook_core::shown::Shown;

use super::facts::{self, Context, code};
use super::knowledge;
use crate::rule::{Findings, Rule};
use crate::target::is_kind;

pub(super) const RULES: &[&Rule] = &[&INGRESS_NGINX, &RAILWAY_FILE, &PLATFORM];

static INGRESS_NGINX: Rule = Rule {
    id: "ingress-nginx-retired",
    severity: Severity::Medium,
    section: 7,
    title: "The ingress relies on a controller that gets no more fixes",
    why: "The community's ingress-nginx was retired on 2026-03-24; weaknesses that become known stay open.",
    fix: "Move to the Gateway API or to another controller; the controller of the company F5 is a different program.",
    check: ingress_nginx,
};

fn ingress_nginx(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    let ways = inventory.proxies.iter().filter(|way| {
        way.scope == Scope::Production && way.class.as_ref().is_some_and(|class| *class == "nginx")
    });
    for way in ways {
        let detail = match &way.name {
            Some(name) => Shown::fill("{} asks for the class `nginx`, ingress-nginx.", &[&code(name)]),
            None => Shown::from("An Ingress asks for the class `nginx`, ingress-nginx."),
        };
        findings
            .add(detail, way.evidence.iter().take(1).cloned())
            .confidence(Confidence::Derived);
    }
}

static RAILWAY_FILE: Rule = Rule {
    id: "railway-config-as-code-deprecated",
    severity: Severity::High,
    section: 6,
    title: "The platform stops reading this configuration file",
    why: "After 2026-12-01 its start command, hook before deployment and health check are ignored.",
    fix: "Run `railway config migrate`.",
    check: railway_file,
};

fn railway_file(inventory: &Inventory, context: &Context, findings: &mut Findings) {
    if !context.target.stacks.iter().any(|kind| kind == "railway") {
        return;
    }
    // Its successor is a program in a folder of its own.
    let places: Vec<Evidence> = inventory
        .infrastructure
        .iter()
        .filter(|file| file.kind == "railway" && file.scope == Scope::Production)
        .filter(|file| file.path.name().starts_with("railway.") && file.path.parent().name() != ".railway")
        .flat_map(|file| file.evidence.iter().take(1).cloned())
        .collect();
    let ended = chrono::NaiveDate::from_ymd_opt(2026, 12, 1).is_some_and(|day| context.date >= day);
    findings
        .add(
            Shown::from(if ended {
                "It is ignored since 2026-12-01."
            } else {
                "It is read until 2026-12-01."
            }),
            places,
        )
        .severity(if ended { Severity::Blocker } else { Severity::High });
}

static PLATFORM: Rule = Rule {
    id: "platform-retired",
    severity: Severity::Medium,
    section: 2,
    title: "The repository is made for a platform that is at its end",
    why: "Who has no account with it yet gets none, and who has one gets no new features.",
    fix: "Plan for the successor; stay only with an account that has the platform already.",
    check: platform,
};

fn platform(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    let mut places: BTreeMap<Shown, Vec<Evidence>> = BTreeMap::new();
    for known in &knowledge::get().retired_platforms {
        let files = inventory
            .infrastructure
            .iter()
            .filter(|file| file.kind == *known.kind && file.scope == Scope::Production)
            .flat_map(|file| file.evidence.iter().take(1).cloned());
        let stacks = facts::production_stacks(inventory)
            .filter(|stack| is_kind(stack, known.kind))
            .flat_map(|stack| stack.evidence.iter().take(1).cloned());
        let found: Vec<Evidence> = files.chain(stacks).collect();
        if !found.is_empty() {
            let detail = Shown::fill(
                "{} {} since {}; its successor is {}.",
                &[
                    &Shown::from(known.name),
                    &Shown::from(known.status),
                    &Shown::from(known.since),
                    &Shown::from(known.instead),
                ],
            );
            places.entry(detail).or_default().extend(found);
        }
    }
    for (detail, mut evidence) in places {
        evidence.sort();
        evidence.dedup();
        findings.add(detail, evidence);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use playbook_core::inventory::Infrastructure;

    fn file(kind: &'static str, name: &'static str) -> Inventory {
        inventory(|all| {
            all.infrastructure.push(Infrastructure {
                kind: kind.into(),
                path: path(name),
                scope: Scope::Production,
                evidence: vec![place(name, 1)],
            });
        })
    }

    #[test]
    fn a_controller_without_fixes() {
        let id = "ingress-nginx-retired";
        let with = |class: Option<&'static str>| {
            inventory(|all| {
                let mut way = way_in("kubernetes-ingress", "k8s/ingress.yaml");
                way.class = class.map(Shown::from);
                all.proxies.push(way);
            })
        };
        let found = fires(id, &with(Some("nginx")), "kubernetes");
        assert!(found.detail.as_str().contains("nginx"));
        assert!(INGRESS_NGINX.why.contains("2026-03-24"));
        silent(id, &with(Some("nginx-f5")), "kubernetes");
        silent(id, &with(Some("traefik")), "kubernetes");
        silent(id, &with(None), "kubernetes");
    }

    #[test]
    fn a_platform_for_old_customers_only() {
        let id = "platform-retired";
        let found = fires(id, &file("app-runner", "apprunner.yaml"), "ecs");
        assert!(found.detail.as_str().contains("2026-04-30"));
        let mut service = unit("api", None);
        service.resource = Some("aws_apprunner_service".into());
        let of_terraform = inventory(|all| all.stacks.push(stack("terraform", vec![service])));
        fires(id, &of_terraform, "ecs");
        silent(id, &file("ecs-task-definition", "task.json"), "ecs");
    }

    #[test]
    fn a_file_that_is_read_until_a_day() {
        let id = "railway-config-as-code-deprecated";
        let judge = |all: &Inventory, context: &Context| {
            crate::rule::run(crate::rule::rule(id).into_iter(), all, context)
        };
        let old = file("railway", "railway.toml");
        silent(id, &old, "compose");
        let mut on_railway = context("railway");
        assert_eq!(judge(&old, &on_railway)[0].severity, Severity::High);
        assert!(judge(&file("railway", ".railway/railway.ts"), &on_railway).is_empty());
        on_railway.date = chrono::NaiveDate::from_ymd_opt(2026, 12, 1).expect("a day");
        assert_eq!(judge(&old, &on_railway)[0].severity, Severity::Blocker);
    }
}
