//! The variables of the environment: what is read, what is documented, what is passed.

use std::collections::{BTreeMap, BTreeSet};

use playbook_core::evidence::{Confidence, Evidence, Scope};
use playbook_core::finding::Severity;
use playbook_core::inventory::{
    EnvironmentVariable, Inventory, SignalKind, Unit, VariableOrigin, VariableSource,
};
use playbook_core::path::RelPath;
use playbook_core::shown::Shown;

use super::facts::{self, Context, code};
use super::{knowledge, secrets};
use crate::rule::{Findings, Rule};

pub(super) const RULES: &[&Rule] = &[
    &UNDOCUMENTED,
    &NOT_PASSED,
    &UNUSED,
    &NEAR_MISS,
    &LOCALHOST,
    &UNSET,
    &MAIL,
];

/// Does a platform, shell or tool provide it?
fn is_provided(name: &str) -> bool {
    knowledge::get()
        .provided_variables
        .iter()
        .any(|known| match known.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => *known == name,
        })
}

/// Does the name say that it switches something on or off? Its absence is a value then.
fn is_switch(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    name.starts_with("ENABLE_")
        || name.starts_with("DISABLE_")
        || name.ends_with("_ENABLED")
        || name.ends_with("_DISABLED")
        || name
            .split('_')
            .any(|part| matches!(part, "DEBUG" | "VERBOSE" | "SKIP"))
}

/// The variables that code of production reads.
fn read(inventory: &Inventory) -> impl Iterator<Item = &EnvironmentVariable> {
    inventory.environment.iter().filter(|variable| {
        variable.scope == Scope::Production
            && has_site(variable, &[VariableOrigin::Code])
            && !is_provided(variable.name.as_str())
    })
}

fn has_site(variable: &EnvironmentVariable, origins: &[VariableOrigin]) -> bool {
    variable.sites.iter().any(|site| origins.contains(&site.origin))
}

fn places(variable: &EnvironmentVariable, origins: &[VariableOrigin]) -> Vec<Evidence> {
    variable
        .sites
        .iter()
        .filter(|site| origins.contains(&site.origin))
        .flat_map(|site| site.evidence.iter().cloned())
        .collect()
}

static UNDOCUMENTED: Rule = Rule {
    id: "env-required-undocumented",
    severity: Severity::High,
    section: 4,
    title: "Variables without which the process does not start are named nowhere but in the code",
    why: "Whoever deploys learns of them from a crash.",
    fix: "Name them in the example file, and set them in the deployment.",
    check: undocumented,
};

fn undocumented(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    if inventory.services.is_empty() {
        return;
    }
    let missing: Vec<&EnvironmentVariable> = read(inventory)
        .filter(|variable| {
            variable.required
                && !is_switch(variable.name.as_str())
                && !variable.documented
                && variable.one_of.is_none()
                && !variable.build_time
        })
        .filter(|variable| {
            !has_site(
                variable,
                &[
                    VariableOrigin::File,
                    VariableOrigin::Document,
                    VariableOrigin::Stack,
                    VariableOrigin::Interpolation,
                    VariableOrigin::Image,
                ],
            )
        })
        .collect();
    findings.add(
        Shown::fill(
            "{} of them: {}.",
            &[
                &Shown::number(missing.len() as u64),
                &facts::list(missing.iter().map(|variable| &variable.name)),
            ],
        ),
        missing
            .iter()
            .flat_map(|variable| places(variable, &[VariableOrigin::Code]).into_iter().take(2)),
    );
}

static NOT_PASSED: Rule = Rule {
    id: "env-required-not-passed",
    severity: Severity::High,
    section: 4,
    title: "The production stack does not pass a variable that the process needs",
    why: "The process stops at start, or runs on a fallback that was not meant for production.",
    fix: "Pass it in the stack's file.",
    check: not_passed,
};

/// Does a unit get its variables one by one, so that what is not listed is missing?
fn lists_all(unit: &Unit) -> bool {
    !unit.variables.is_empty()
        && unit.env_files.is_empty()
        && !unit
            .variables
            .iter()
            .any(|variable| matches!(variable.source, VariableSource::EnvFile | VariableSource::Group))
}

fn not_passed(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for service in inventory.services.iter().filter(|service| service.is_own()) {
        let units = facts::units_of(inventory, service);
        if units.is_empty() || !units.iter().all(|(_, unit)| lists_all(unit)) {
            continue;
        }
        let passed: BTreeSet<&Shown> = units
            .iter()
            .flat_map(|(_, unit)| unit.variables.iter().map(|variable| &variable.name))
            .collect();
        let missing: Vec<&EnvironmentVariable> = read(inventory)
            .filter(|variable| {
                variable.required
                    && !is_switch(variable.name.as_str())
                    && variable.one_of.is_none()
                    && !variable.build_time
            })
            .filter(|variable| variable.services.contains(&service.id) && !passed.contains(&variable.name))
            .filter(|variable| !has_site(variable, &[VariableOrigin::Image]))
            // A place that has a fallback does not fail.
            .filter(|variable| {
                variable
                    .sites
                    .iter()
                    .any(|site| site.origin == VariableOrigin::Code && site.required && !site.has_default)
            })
            .collect();
        if missing.is_empty() {
            continue;
        }
        let unit_places = units.iter().flat_map(|(_, unit)| {
            unit.variables
                .first()
                .map(|variable| variable.evidence.clone())
                .unwrap_or_default()
                .into_iter()
                .take(1)
                .chain(unit.evidence.iter().take(1).cloned())
        });
        findings
            .add(
                Shown::fill(
                    "{} needs {}.",
                    &[
                        &code(&service.name),
                        &facts::list(missing.iter().map(|variable| &variable.name)),
                    ],
                ),
                missing
                    .iter()
                    .flat_map(|variable| places(variable, &[VariableOrigin::Code]).into_iter().take(1))
                    .chain(unit_places),
            )
            .confidence(Confidence::Derived);
    }
}

static UNUSED: Rule = Rule {
    id: "env-documented-unused",
    severity: Severity::Low,
    section: 4,
    title: "An example names variables that nothing reads",
    why: "They look as if they did something; some are misspelt names of others.",
    fix: "Remove them, or correct the name.",
    check: unused,
};

/// How many names of a file are read, and the ones that are not with their places.
type File<'a> = (usize, Vec<(&'a Shown, Evidence)>);

fn unused(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    let mut files: BTreeMap<RelPath, File<'_>> = BTreeMap::new();
    for variable in &inventory.environment {
        let is_used = has_site(
            variable,
            &[
                VariableOrigin::Code,
                VariableOrigin::Script,
                VariableOrigin::Interpolation,
                VariableOrigin::Image,
                VariableOrigin::Stack,
                VariableOrigin::Ci,
            ],
        );
        let known = is_provided(variable.name.as_str())
            || !playbook_core::technology::Catalogue::get()
                .by_env_name(variable.name.as_str())
                .is_empty()
            || !playbook_core::technology::Catalogue::get()
                .by_env_prefix(variable.name.as_str())
                .is_empty();
        for place in places(variable, &[VariableOrigin::File]) {
            let file = files.entry(place.path.clone()).or_default();
            if is_used {
                file.0 += 1;
            } else if !known {
                file.1.push((&variable.name, place));
            }
        }
    }
    for (path, (used, unused)) in files {
        // Where most names are not found in the code, its way of reading settings is what was not understood.
        if unused.is_empty() || used < 2 * unused.len() || used < 4 {
            continue;
        }
        findings
            .add(
                Shown::fill(
                    "`{}` names {}.",
                    &[&path.shown(), &facts::list(unused.iter().map(|(name, _)| *name))],
                ),
                unused.into_iter().map(|(_, place)| place),
            )
            .confidence(Confidence::Derived);
    }
}

static NEAR_MISS: Rule = Rule {
    id: "env-near-miss-name",
    severity: Severity::High,
    section: 4,
    title: "A variable is set under another name than the code reads",
    why: "The value never arrives, and the code runs on its fallback or stops.",
    fix: "Use one name.",
    check: near_miss,
};

fn near_miss(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    let set_only = inventory.environment.iter().filter(|variable| {
        has_site(variable, &[VariableOrigin::Stack, VariableOrigin::File])
            && !has_site(
                variable,
                &[
                    VariableOrigin::Code,
                    VariableOrigin::Script,
                    VariableOrigin::Interpolation,
                    VariableOrigin::Image,
                    VariableOrigin::Ci,
                ],
            )
            && !is_provided(variable.name.as_str())
    });
    for set in set_only {
        for wanted in read(inventory) {
            let is_set = has_site(
                wanted,
                &[
                    VariableOrigin::Stack,
                    VariableOrigin::File,
                    VariableOrigin::Image,
                    VariableOrigin::Interpolation,
                    VariableOrigin::Ci,
                ],
            );
            if is_set || wanted.documented || !looks_alike(set.name.as_str(), wanted.name.as_str()) {
                continue;
            }
            findings
                .add(
                    Shown::fill("{} is set, {} is read.", &[&code(&set.name), &code(&wanted.name)]),
                    places(set, &[VariableOrigin::Stack, VariableOrigin::File])
                        .into_iter()
                        .take(2)
                        .chain(places(wanted, &[VariableOrigin::Code]).into_iter().take(2)),
                )
                .confidence(Confidence::Derived);
        }
    }
}

/// The same name but for separators, case, an ending such as `_KEY`, or one or two letters.
fn looks_alike(a: &str, b: &str) -> bool {
    let plain = |name: &str| {
        name.chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|c| c.to_ascii_uppercase())
            .collect::<String>()
    };
    let (first, second) = (plain(a), plain(b));
    if first.len().min(second.len()) < 6 {
        return false;
    }
    if first == second {
        return true;
    }
    // Names that differ in a digit are numbered on purpose.
    let letters = |name: &str| name.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
    if letters(&first) == letters(&second) {
        return false;
    }
    let (short, long) = if a.len() < b.len() { (a, b) } else { (b, a) };
    let ending = long
        .strip_prefix(short)
        .is_some_and(|rest| matches!(rest, "_KEY" | "_URL" | "_URI" | "_TOKEN" | "_SECRET"));
    ending || (first.len().min(second.len()) >= 8 && distance(&first, &second) <= 1)
}

/// Number of letters to insert, remove or replace.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        let mut next = vec![left];
        for (y, above) in b.iter().zip(row.iter().skip(1)) {
            let best = (diagonal + usize::from(x != *y)).min(above + 1).min(left + 1);
            diagonal = *above;
            left = best;
            next.push(best);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

static LOCALHOST: Rule = Rule {
    id: "env-default-localhost",
    severity: Severity::Medium,
    section: 4,
    title: "Without the variable the process talks to its own machine",
    why: "In a container nothing answers there; links and CORS that point to localhost are useless to everybody else.",
    fix: "Set it in the deployment, or demand it at start.",
    check: localhost,
};

fn localhost(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    let is_local = |default: &Shown| {
        ["localhost", "127.0.0.1", "host.docker.internal"]
            .iter()
            .any(|name| default.as_str().contains(name))
    };
    let binds = |name: &str| {
        name.contains("BIND")
            || name.contains("LISTEN")
            || matches!(
                name,
                "HOST"
                    | "ADDRESS"
                    | "SERVER_ADDRESS"
                    | "SERVER_HOST"
                    | "APP_HOST"
                    | "HTTP_HOST"
                    | "UVICORN_HOST"
            )
    };
    let passed: BTreeSet<&Shown> = facts::production_units(inventory)
        .flat_map(|(_, unit)| unit.variables.iter().map(|variable| &variable.name))
        .collect();
    let (mut stores, mut others) = (Vec::new(), Vec::new());
    for variable in read(inventory) {
        if !variable.default.as_ref().is_some_and(is_local)
            || binds(&variable.name.as_str().to_ascii_uppercase())
            || passed.contains(&variable.name)
            || variable.build_time
        {
            continue;
        }
        let is_store = variable
            .configures
            .as_ref()
            .is_some_and(|slug| inventory.datastores.iter().any(|store| store.kind == *slug));
        if is_store {
            stores.push(variable);
        } else {
            others.push(variable);
        }
    }
    for (variables, severity, detail) in [
        (
            stores,
            Severity::High,
            "Datastores are sought on the own machine without {}.",
        ),
        (
            others,
            Severity::Medium,
            "Fallbacks point to the own machine: {}.",
        ),
    ] {
        findings
            .add(
                Shown::fill(
                    detail,
                    &[&facts::list(variables.iter().map(|variable| &variable.name))],
                ),
                variables
                    .iter()
                    .flat_map(|variable| places(variable, &[VariableOrigin::Code]).into_iter().take(2)),
            )
            .severity(severity);
    }
}

static UNSET: Rule = Rule {
    id: "compose-interpolation-unset",
    severity: Severity::Medium,
    section: 4,
    title: "The stack replaces missing variables by nothing",
    why: "A forgotten variable becomes an empty string without an error.",
    fix: "Write `${NAME:?}` for what must be set.",
    check: unset,
};

fn unset(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for stack in facts::production_stacks(inventory).filter(|stack| facts::on_own_host(stack)) {
        let mut places = Vec::new();
        let mut names: Vec<&Shown> = Vec::new();
        for variable in stack.units.iter().flat_map(|unit| &unit.variables) {
            if variable.source != VariableSource::Interpolated {
                continue;
            }
            let name = variable.reference.as_ref().unwrap_or(&variable.name);
            let known = inventory
                .variable(name.as_str())
                .is_some_and(|known| known.documented || has_site(known, &[VariableOrigin::File]));
            if known || is_provided(name.as_str()) {
                continue;
            }
            names.push(name);
            places.extend(variable.evidence.iter().take(1).cloned());
        }
        findings.add(Shown::fill("No file states {}.", &[&facts::list(names)]), places);
    }
}

static MAIL: Rule = Rule {
    id: "mail-not-configured",
    severity: Severity::Medium,
    section: 4,
    title: "Mail is sent, but nothing demands its settings",
    why: "Without them the request that sends fails, or the mail is lost without a word: no password can be reset.",
    fix: "Set the mail server in the deployment, or switch the feature off on purpose.",
    check: mail,
};

fn mail(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    let sends: Vec<_> = facts::signals(inventory, SignalKind::SendsMail).collect();
    let known = &knowledge::get().mail_variables;
    let settings: Vec<&EnvironmentVariable> = inventory
        .environment
        .iter()
        .filter(|variable| variable.scope == Scope::Production)
        .filter(|variable| {
            known
                .iter()
                .any(|name| variable.name == *name || variable.name.as_str().ends_with(&format!("_{name}")))
        })
        .collect();
    if sends.is_empty() || settings.is_empty() || settings.iter().any(|variable| variable.required) {
        return;
    }
    let demanded = facts::production_units(inventory)
        .flat_map(|(_, unit)| &unit.variables)
        .any(|variable| {
            settings.iter().any(|setting| setting.name == variable.name)
                && matches!(
                    variable.source,
                    VariableSource::Required
                        | VariableSource::Secret
                        | VariableSource::Asked
                        | VariableSource::Literal
                )
        });
    if demanded {
        return;
    }
    let passed = facts::production_units(inventory)
        .flat_map(|(_, unit)| &unit.variables)
        .filter(|variable| settings.iter().any(|setting| setting.name == variable.name))
        .flat_map(|variable| variable.evidence.iter().take(1).cloned())
        .collect::<Vec<_>>();
    let in_env_file = settings
        .iter()
        .flat_map(|variable| places(variable, &[VariableOrigin::File]))
        .filter(|place| secrets::is_env_file(&place.path))
        .collect::<Vec<_>>();
    findings
        .add(
            Shown::fill(
                "{} may stay empty.",
                &[&facts::list(settings.iter().map(|variable| &variable.name))],
            ),
            facts::places(sends)
                .into_iter()
                .take(3)
                .chain(
                    settings
                        .iter()
                        .flat_map(|variable| places(variable, &[VariableOrigin::Code]).into_iter().take(2)),
                )
                .chain(passed)
                .chain(in_env_file),
        )
        .confidence(Confidence::Derived);
}

#[cfg(test)]
mod tests;
