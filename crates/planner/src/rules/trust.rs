//! Whom a process believes: calls of others, headers of visitors, its own keys, and what browsers are told to remember.

use playbook_core::finding::Severity;
use playbook_core::inventory::{Inventory, SignalKind};
use playbook_core::shown::Shown;

use super::facts::{self, Context, code};
use crate::rule::{Findings, Rule};

pub(super) const RULES: &[&Rule] = &[
    &PLAINTEXT_RPC,
    &FORGEABLE_ADDRESS,
    &COOKIE_KEYS,
    &HSTS,
    &STATIC_FILES,
    &MODEL_CHECK,
];

static PLAINTEXT_RPC: Rule = Rule {
    id: "plaintext-rpc",
    severity: Severity::Medium,
    section: 6,
    title: "Services call each other without encryption",
    why: "Whoever reaches the network reads and forges the calls: neither side proves who it is.",
    fix: "Give the calls TLS with certificates of your own authority, or run a mesh that does, and close the network to all but the callers.",
    check: plaintext_rpc,
};

fn plaintext_rpc(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    let own = inventory
        .services
        .iter()
        .filter(|service| service.is_own())
        .count();
    // One process that calls only itself sends nothing over a network.
    if own < 2 {
        return;
    }
    let signals: Vec<_> = facts::signals(inventory, SignalKind::PlaintextRpc).collect();
    let mut subjects: Vec<&Shown> = signals
        .iter()
        .filter_map(|signal| signal.subject.as_ref())
        .collect();
    subjects.sort();
    subjects.dedup();
    findings.add(
        Shown::fill(
            "The connections of {} are opened as plain text.",
            &[&facts::list(subjects)],
        ),
        facts::places(signals),
    );
}

static FORGEABLE_ADDRESS: Rule = Rule {
    id: "client-address-forgeable",
    severity: Severity::Medium,
    section: 7,
    title: "The code takes the visitor's address from a header that visitors can write",
    why: "Rate limits, audit logs and rules by address believe whatever is sent, unless the proxy removes what it did not write itself.",
    fix: "Let the proxy overwrite the header, let nothing but the proxy reach the process, and take the entry that the own proxy added.",
    check: |inventory, _, findings| {
        let signals = facts::signals(inventory, SignalKind::ReadsForwardedAddress);
        findings
            .add(
                Shown::from("`X-Forwarded-For` or a relative of it is read in the code itself."),
                facts::places(signals),
            )
            .confidence(playbook_core::evidence::Confidence::Derived);
    },
};

static COOKIE_KEYS: Rule = Rule {
    id: "cookie-keys-not-shared",
    severity: Severity::Medium,
    section: 6,
    title: "The keys that protect cookies are lost with the process",
    why: "Everybody is signed out at each release, and at random as soon as there is a second replica.",
    fix: "Persist the keys where all replicas find them (a database, a volume, a key vault), and protect them there.",
    check: cookie_keys,
};

fn cookie_keys(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    if facts::signals(inventory, SignalKind::SharesKeys).next().is_some() {
        return;
    }
    let signals = facts::signals(inventory, SignalKind::ProtectsCookies);
    findings
        .add(
            Shown::from("Sign-in uses them, and no code persists them; some platforms do it by themselves."),
            facts::places(signals),
        )
        .confidence(playbook_core::evidence::Confidence::Derived);
}

static HSTS: Rule = Rule {
    id: "hsts-in-code",
    severity: Severity::Medium,
    section: 7,
    title: "The code tells browsers to use nothing but HTTPS, with the preload mark",
    why: "Every subdomain without TLS becomes unreachable for those browsers, and it cannot be undone before the time has passed.",
    fix: "Be sure that all subdomains serve HTTPS; else start with a short time and without the mark.",
    check: |inventory, _, findings| {
        for signal in facts::signals(inventory, SignalKind::StrictTransportInCode) {
            let subject = signal
                .subject
                .clone()
                .unwrap_or_else(|| Shown::from("the application"));
            findings.add(
                Shown::fill(
                    "The header is set by {}, for every host that serves it.",
                    &[&code(&subject)],
                ),
                signal.evidence.clone(),
            );
        }
    },
};

static STATIC_FILES: Rule = Rule {
    id: "static-files-not-served",
    severity: Severity::Medium,
    section: 6,
    title: "The application leaves its static files to the web server in front",
    why: "Without one, or without the variable, pages come without styles and scripts.",
    fix: "Set the variable, or let the proxy serve the folder of static files.",
    check: static_files,
};

fn static_files(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for signal in facts::signals(inventory, SignalKind::StaticFilesOff) {
        let Some(variable) = &signal.subject else { continue };
        let in_stack = inventory
            .stacks
            .iter()
            .flat_map(|stack| &stack.units)
            .flat_map(|unit| &unit.variables)
            .any(|given| given.name == *variable);
        let in_image = facts::production_containers(inventory)
            .flat_map(|container| &container.variables)
            .any(|given| given.name == *variable);
        if !(in_stack || in_image) {
            findings.add(
                Shown::fill("Neither a stack nor an image sets {}.", &[&code(variable)]),
                signal.evidence.clone(),
            );
        }
    }
}

static MODEL_CHECK: Rule = Rule {
    id: "model-check-off",
    severity: Severity::Medium,
    section: 5,
    title: "The check whether the model has changes without a migration is off",
    why: "A forgotten migration is noticed when the first query fails, not when the release is made.",
    fix: "Remove the exception, or run `dotnet ef migrations has-pending-model-changes` in the pipeline.",
    check: |inventory, _, findings| {
        findings.add(
            Shown::from("The warning about pending changes is ignored."),
            facts::places(facts::signals(inventory, SignalKind::ModelCheckOff)),
        );
    },
};

#[cfg(test)]
mod tests {
    use playbook_core::inventory::Role;

    use super::super::testing::{fires, inventory, service, signal, silent};
    use super::*;

    #[test]
    fn plaintext_between_services() {
        let build = |two: bool| {
            inventory(|all| {
                all.signals.push(signal(SignalKind::PlaintextRpc));
                all.services.push(service("a", Role::Web, "./a"));
                if two {
                    all.services.push(service("b", Role::Web, "./b"));
                }
            })
        };
        fires("plaintext-rpc", &build(true), "compose");
        silent("plaintext-rpc", &build(false), "compose");
    }

    #[test]
    fn keys_of_cookies() {
        let mut all = inventory(|all| all.signals.push(signal(SignalKind::ProtectsCookies)));
        fires("cookie-keys-not-shared", &all, "compose");
        all.signals.push(signal(SignalKind::SharesKeys));
        silent("cookie-keys-not-shared", &all, "compose");
    }

    #[test]
    fn static_files_that_a_variable_switches() {
        let mut all = inventory(|all| {
            let mut off = signal(SignalKind::StaticFilesOff);
            off.subject = Some("SERVE_STATIC".into());
            all.signals.push(off);
        });
        fires("static-files-not-served", &all, "compose");
        all.signals.clear();
        silent("static-files-not-served", &all, "compose");
    }

    #[test]
    fn single_observations() {
        for (rule, kind) in [
            ("client-address-forgeable", SignalKind::ReadsForwardedAddress),
            ("hsts-in-code", SignalKind::StrictTransportInCode),
            ("model-check-off", SignalKind::ModelCheckOff),
        ] {
            fires(rule, &inventory(|all| all.signals.push(signal(kind))), "compose");
            silent(rule, &inventory(|_| {}), "compose");
        }
    }
}
