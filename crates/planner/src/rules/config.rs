//! Settings whose values decide about safety.

use playbook_core::evidence::{Confidence, Evidence, Scope};
use playbook_core::finding::Severity;
use playbook_core::inventory::{EnvironmentVariable, Inventory, ReadSite, SignalKind, VariableOrigin};
use playbook_core::shown::Shown;

use super::facts::{self, Context, code};
use super::knowledge;
use crate::rule::{Findings, Rule};

pub(super) const RULES: &[&Rule] = &[
    &DEBUG,
    &MODE,
    &DEVELOPMENT_SWITCH,
    &HTTPS_OFF,
    &CSRF_OFF,
    &DATABASE_TLS,
    &LOCAL_STORAGE,
    &LOCAL_STATE,
    &QUEUE_IN_REQUEST,
    &OPEN_REGISTRATION,
    &LOCAL_FILES,
    &NO_REVOCATION,
];

/// The variables whose default is unsafe in the way that a rule describes.
fn unsafe_defaults<'a>(inventory: &'a Inventory, rule: &str) -> Vec<&'a EnvironmentVariable> {
    inventory
        .environment
        .iter()
        .filter(|variable| variable.scope == Scope::Production)
        .filter(|variable| {
            knowledge::get()
                .unsafe_defaults
                .iter()
                .filter(|known| known.rule == rule)
                .any(|known| {
                    let name = variable.name.as_str();
                    let named = known.names.iter().any(|end| {
                        name.strip_suffix(end)
                            .is_some_and(|head| head.is_empty() || head.ends_with('_'))
                    });
                    named
                        && variable
                            .default
                            .as_ref()
                            .is_some_and(|default| known.values.contains(&default.as_str()))
                })
        })
        // A value that a production stack sets is the one that counts.
        .filter(|variable| {
            !facts::production_units(inventory)
                .any(|(_, unit)| unit.variables.iter().any(|set| set.name == variable.name))
        })
        .collect()
}

/// Where the default is stated: the code first, then files and documents.
fn default_places(variable: &EnvironmentVariable) -> Vec<Evidence> {
    let mut sites: Vec<&ReadSite> = variable
        .sites
        .iter()
        .filter(|site| site.has_default || site.origin == VariableOrigin::File)
        .collect();
    sites.sort_by_key(|site| site.origin);
    let places: Vec<Evidence> = sites
        .iter()
        .flat_map(|site| site.evidence.iter().cloned())
        .take(4)
        .collect();
    if places.is_empty() {
        variable.evidence.iter().take(2).cloned().collect()
    } else {
        places
    }
}

fn report_defaults(inventory: &Inventory, findings: &mut Findings, rule: &str, template: &'static str) {
    let variables = unsafe_defaults(inventory, rule);
    findings.add(
        Shown::fill(
            template,
            &[&facts::list(variables.iter().map(|variable| &variable.name))],
        ),
        variables.iter().flat_map(|variable| default_places(variable)),
    );
}

static DEBUG: Rule = Rule {
    id: "debug-enabled-in-prod",
    severity: Severity::High,
    section: 4,
    title: "Debug mode is on in production",
    why: "Error pages show code, settings and sometimes a console to everybody.",
    fix: "Make off the default and set it on in development only.",
    check: debug,
};

fn debug(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for signal in facts::signals(inventory, SignalKind::DebugEnabled) {
        let detail = match &signal.subject {
            Some(subject) => Shown::fill("{} switches it on.", &[&code(subject)]),
            None => Shown::from("It is switched on."),
        };
        findings.add(detail, signal.evidence.clone());
    }
    let known = knowledge::get()
        .unsafe_defaults
        .iter()
        .filter(|known| known.rule == DEBUG_ID);
    let (names, values): (Vec<_>, Vec<_>) = known.map(|known| (&known.names, &known.values)).unzip();
    for (_, unit) in facts::production_units(inventory) {
        for variable in &unit.variables {
            let name = variable.name.as_str();
            let is_debug = names.iter().any(|names| names.contains(&name));
            let is_on = variable
                .value
                .as_ref()
                .is_some_and(|value| values.iter().any(|values| values.contains(&value.as_str())));
            if is_debug && is_on {
                findings.add(
                    Shown::fill("{} sets {}.", &[&code(&unit.name), &code(&variable.name)]),
                    variable.evidence.clone(),
                );
            }
        }
    }
    report_defaults(inventory, findings, DEBUG_ID, "{} is on unless somebody sets it.");
}

const DEBUG_ID: &str = "debug-enabled-in-prod";

static MODE: Rule = Rule {
    id: "node-env-not-production",
    severity: Severity::Medium,
    section: 4,
    title: "The production stack sets a development mode",
    why: "Frameworks then show errors, skip caches and safety checks, and load development settings.",
    fix: "Set the production mode.",
    check: mode,
};

fn mode(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    let is_development = |name: &Shown, value: Option<&Shown>| {
        knowledge::get().mode_variables.iter().any(|known| {
            *name == known.name && value.is_some_and(|value| known.values.contains(&value.as_str()))
        })
    };
    for (_, unit) in facts::production_units(inventory) {
        for variable in unit
            .variables
            .iter()
            .filter(|variable| is_development(&variable.name, variable.value.as_ref()))
        {
            findings.add(
                Shown::fill(
                    "{} runs with {}={}.",
                    &[
                        &code(&unit.name),
                        &variable.name,
                        variable.value.as_ref().unwrap_or(&variable.name),
                    ],
                ),
                variable.evidence.clone(),
            );
        }
    }
    for container in facts::production_containers(inventory) {
        for variable in container
            .variables
            .iter()
            .filter(|variable| is_development(&variable.name, variable.default.as_ref()))
        {
            findings.add(
                Shown::fill(
                    "`{}` sets {}={}.",
                    &[
                        &container.path.shown(),
                        &variable.name,
                        variable.default.as_ref().unwrap_or(&variable.name),
                    ],
                ),
                [Evidence::at(&container.path, variable.line)],
            );
        }
    }
}

static DEVELOPMENT_SWITCH: Rule = Rule {
    id: "development-switch",
    severity: Severity::Medium,
    section: 4,
    title: "A setting switches development behaviour on",
    why: "With it the application opens routes, weakens checks or resets data that production must not.",
    fix: "Leave it unset in production, and test that it is.",
    check: |inventory, _, findings| {
        let signals: Vec<_> = facts::signals(inventory, SignalKind::DevelopmentSwitch).collect();
        let subjects = facts::list(signals.iter().filter_map(|signal| signal.subject.as_ref()));
        let detail = if subjects.as_str().is_empty() {
            Shown::from("The code asks which environment it runs in.")
        } else {
            Shown::fill("It is {}.", &[&subjects])
        };
        findings
            .add(detail, facts::places(signals))
            .confidence(Confidence::Derived);
    },
};

static HTTPS_OFF: Rule = Rule {
    id: "https-switch-off-by-default",
    severity: Severity::High,
    section: 7,
    title: "Redirects to HTTPS or secure cookies are off until somebody switches them on",
    why: "Session cookies travel over plain HTTP and can be read on the way.",
    fix: "Switch it on in the deployment.",
    check: |inventory, _, findings| {
        report_defaults(
            inventory,
            findings,
            "https-switch-off-by-default",
            "The default of {} is off.",
        );
    },
};

static CSRF_OFF: Rule = Rule {
    id: "csrf-off-by-default",
    severity: Severity::High,
    section: 7,
    title: "Protection against cross-site requests is off by default",
    why: "A page of anybody can send requests in the name of a signed-in visitor.",
    fix: "Switch it on in the deployment.",
    check: |inventory, _, findings| {
        report_defaults(
            inventory,
            findings,
            "csrf-off-by-default",
            "The default of {} is off.",
        );
    },
};

static DATABASE_TLS: Rule = Rule {
    id: "db-tls-not-required",
    severity: Severity::Medium,
    section: 5,
    title: "Connections to the datastore are not encrypted or not verified by default",
    why: "Passwords and data can be read on the way, and a managed database that demands TLS refuses the connection.",
    fix: "Demand and verify TLS where the datastore is not on the same host.",
    check: |inventory, _, findings| {
        report_defaults(
            inventory,
            findings,
            "db-tls-not-required",
            "The default of {} does without.",
        );
    },
};

static LOCAL_STORAGE: Rule = Rule {
    id: "local-storage-by-default",
    severity: Severity::High,
    section: 5,
    title: "Uploads go to the local disk by default",
    why: "They disappear with the container, and other instances do not have them.",
    fix: "Choose object storage, or mount a persistent volume and run one instance.",
    check: |inventory, _, findings| {
        report_defaults(
            inventory,
            findings,
            "local-storage-by-default",
            "The default of {} is the local disk.",
        );
    },
};

static LOCAL_STATE: Rule = Rule {
    id: "local-state-by-default",
    severity: Severity::High,
    section: 5,
    title: "Sessions or caches lie on the local disk or in memory by default",
    why: "They disappear with the container, and with several instances visitors are signed out at random.",
    fix: "Choose the database or Redis.",
    check: |inventory, _, findings| {
        report_defaults(
            inventory,
            findings,
            "local-state-by-default",
            "The default of {} is local.",
        );
    },
};

static QUEUE_IN_REQUEST: Rule = Rule {
    id: "queue-runs-in-request",
    severity: Severity::Medium,
    section: 6,
    title: "Jobs run inside the request by default",
    why: "A slow mail server or webhook makes visitors wait, and a failed job is not tried again.",
    fix: "Choose a queue, and deploy a worker for it.",
    check: |inventory, _, findings| {
        report_defaults(
            inventory,
            findings,
            "queue-runs-in-request",
            "The default of {} is to run at once.",
        );
    },
};

static OPEN_REGISTRATION: Rule = Rule {
    id: "open-registration",
    severity: Severity::Medium,
    section: 7,
    title: "Everybody may create an account by default",
    why: "Strangers use the service, send mail through it and try what signed-in users may do.",
    fix: "Decide, and set it in the deployment.",
    check: |inventory, _, findings| {
        report_defaults(
            inventory,
            findings,
            "open-registration",
            "The default of {} leaves it open.",
        );
    },
};

static LOCAL_FILES: Rule = Rule {
    id: "local-uploads-ephemeral",
    severity: Severity::High,
    section: 5,
    title: "Files are written to a disk that does not last",
    why: "They are gone with the next deployment, and other instances do not have them.",
    fix: "Write to object storage, or mount a persistent volume and run one instance.",
    check: local_files,
};

fn local_files(inventory: &Inventory, context: &Context, findings: &mut Findings) {
    for service in inventory.services.iter().filter(|service| service.is_own()) {
        let signals: Vec<_> = facts::signals(inventory, SignalKind::LocalFiles)
            .filter(|signal| signal.service.as_ref() == Some(&service.id))
            .collect();
        if signals.is_empty() {
            continue;
        }
        let units = facts::units_of(inventory, service);
        let disk = units.iter().any(|(_, unit)| {
            unit.mounts.iter().any(|mount| {
                mount.kind == playbook_core::inventory::MountKind::Volume
                    || (mount.kind == playbook_core::inventory::MountKind::Bind && !mount.read_only)
            })
        });
        let in_container =
            facts::ephemeral_disk(context) || service.dockerfile.is_some() || !units.is_empty();
        let several = facts::replicas(inventory, context, service).is_some_and(|replicas| replicas > 1);
        if (disk && !several) || !in_container {
            continue;
        }
        let uploads = inventory.interfaces.iter().any(|interface| {
            interface.kind == playbook_core::inventory::InterfaceKind::Upload
                && interface.service.as_ref().is_none_or(|id| *id == service.id)
        });
        findings
            .add(
                Shown::fill(
                    if disk {
                        "{} writes files to a volume, and several instances run."
                    } else {
                        "{} writes files and has no persistent volume."
                    },
                    &[&code(&service.name)],
                ),
                facts::places(signals),
            )
            .severity(if uploads { Severity::High } else { Severity::Medium })
            .confidence(Confidence::Derived);
    }
}

static NO_REVOCATION: Rule = Rule {
    id: "jwt-no-revocation",
    severity: Severity::Low,
    section: 4,
    title: "Tokens cannot be taken back",
    why: "A stolen token works until it expires; a new signing key ends it, but signs everybody out.",
    fix: "Keep their lifetime short, or keep a list of those that were withdrawn.",
    check: no_revocation,
};

/// A dependency alone does not tell what the tokens are for.
fn is_manifest(inventory: &Inventory, place: &Evidence) -> bool {
    inventory
        .manifests
        .iter()
        .any(|manifest| manifest.path == place.path)
        || matches!(
            place.path.name(),
            "go.mod" | "package.json" | "pyproject.toml" | "pom.xml" | "Cargo.toml"
        )
}

fn no_revocation(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    let session = inventory
        .auth
        .iter()
        .any(|fact| matches!(fact.kind.as_str(), "session" | "oidc" | "saml"));
    let ends = inventory.routes.iter().any(|route| {
        let path = route.path.as_str().to_ascii_lowercase();
        ["logout", "signout", "sign-out", "revoke", "refresh"]
            .iter()
            .any(|word| path.contains(word))
    });
    if session || ends || inventory.routes.is_empty() {
        return;
    }
    for fact in inventory.auth.iter().filter(|fact| fact.kind == "jwt") {
        findings
            .add(
                Shown::from("No route ends or renews a token."),
                fact.evidence
                    .iter()
                    .filter(|place| !is_manifest(inventory, place))
                    .take(4)
                    .cloned(),
            )
            .confidence(Confidence::Derived);
    }
}

#[cfg(test)]
mod tests;
