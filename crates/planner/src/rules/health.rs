//! Health endpoints and the checks that call them.

use playbook_core::evidence::{Confidence, Evidence};
use playbook_core::finding::Severity;
use playbook_core::harmless::CommandLine;
use playbook_core::inventory::{Container, Inventory, Service};
use playbook_core::shown::Shown;
use playbook_core::technology::Catalogue;

use super::facts::{self, Context, code, code_command};
use crate::rule::{Findings, Rule};

pub(super) const RULES: &[&Rule] = &[
    &NO_ENDPOINT,
    &IGNORES_DATASTORE,
    &UNSERVED_PATH,
    &WANTS_SIGN_IN,
    &LIVENESS,
    &DEVELOPMENT_ONLY,
    &CANNOT_FAIL,
    &PROGRAM_MISSING,
];

static NO_ENDPOINT: Rule = Rule {
    id: "no-health-endpoint",
    severity: Severity::Medium,
    section: 6,
    title: "A web process has no health endpoint",
    why: "The platform can only see that the port is open, not that requests work.",
    fix: "Add a route that answers quickly without a sign-in, and one that tries the database.",
    check: no_endpoint,
};

fn no_endpoint(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for service in facts::web_services(inventory) {
        // Where no route was found at all, the way of stating them was not understood.
        let routes = inventory
            .routes
            .iter()
            .filter(|route| route.service.as_ref() == Some(&service.id))
            .count();
        if !service.health.is_empty() || !service.health_checks.is_empty() || routes == 0 {
            continue;
        }
        let container = facts::container_of(inventory, service).map(facts::command_place);
        let route = inventory
            .routes
            .iter()
            .find(|route| route.service.as_ref() == Some(&service.id) && route.path == "/")
            .and_then(|route| route.evidence.first().cloned());
        findings
            .add(
                Shown::fill("No route of {} looks like one.", &[&code(&service.name)]),
                route
                    .into_iter()
                    .chain(container)
                    .chain(facts::start_place(service)),
            )
            .confidence(Confidence::Derived);
    }
}

static DEVELOPMENT_ONLY: Rule = Rule {
    id: "health-development-only",
    severity: Severity::High,
    section: 6,
    title: "The health endpoints exist in development only",
    why: "In production a check of them gets 404, or the answer of whatever serves unknown paths, which never fails.",
    fix: "Map them outside of the branch for development, on a port or host that the public can't reach.",
    check: development_only,
};

fn development_only(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for service in facts::web_services(inventory) {
        let (only, others): (Vec<_>, Vec<_>) =
            service.health.iter().partition(|health| health.development_only);
        if only.is_empty() || !others.is_empty() {
            continue;
        }
        let paths: Vec<Shown> = only.iter().map(|health| code(&health.path)).collect();
        findings.add(
            Shown::fill(
                "Not mapped in production: {} of {}.",
                &[&Shown::join(&paths, ", "), &code(&service.name)],
            ),
            only.iter().flat_map(|health| health.evidence.iter().cloned()),
        );
    }
}

static IGNORES_DATASTORE: Rule = Rule {
    id: "health-ignores-datastore",
    severity: Severity::Medium,
    section: 9,
    title: "The health endpoint answers without its datastores",
    why: "The check stays green while every request fails.",
    fix: "Keep it for liveness, and add a second route that tries the database, for readiness and monitoring.",
    check: ignores_datastore,
};

fn ignores_datastore(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for service in facts::web_services(inventory) {
        // Another endpoint whose handler does more than answer may well ask them.
        let deep = service
            .health
            .iter()
            .any(|health| !health.checks.is_empty() || !health.shallow);
        let stores: Vec<&Shown> = facts::production_datastores(inventory)
            .filter(|store| store.used_by.contains(&service.id) || service.depends_on.contains(&store.id))
            .map(|store| &store.kind)
            .collect();
        let shallow: Vec<_> = service.health.iter().filter(|health| health.shallow).collect();
        if deep || stores.is_empty() || shallow.is_empty() {
            continue;
        }
        let probes = facts::units_of(inventory, service)
            .into_iter()
            .flat_map(|(_, unit)| {
                unit.probes
                    .iter()
                    .flat_map(|probe| probe.evidence.iter().cloned())
            });
        findings.add(
            Shown::fill(
                "{} of {} answers without {}.",
                &[
                    &facts::list(shallow.iter().map(|health| &health.path)),
                    &code(&service.name),
                    &facts::list(stores),
                ],
            ),
            shallow
                .iter()
                .flat_map(|health| health.evidence.iter().cloned())
                .chain(probes),
        );
    }
}

/// The checks of a service with path: from its units.
fn probed_paths<'a>(
    inventory: &'a Inventory,
    service: &Service,
) -> Vec<(&'a Shown, &'a playbook_core::inventory::Probe)> {
    facts::units_of(inventory, service)
        .into_iter()
        .flat_map(|(_, unit)| &unit.probes)
        .filter_map(|probe| Some((probe.path.as_ref()?, probe)))
        .collect()
}

static UNSERVED_PATH: Rule = Rule {
    id: "healthcheck-path-unserved",
    severity: Severity::High,
    section: 6,
    title: "The health check asks for a path that the process does not serve",
    why: "It gets 404 and the deployment never becomes healthy.",
    fix: "Check a path that exists.",
    check: unserved_path,
};

fn unserved_path(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    // Fewer routes than this and the scan hardly saw the whole of them.
    const ENOUGH: usize = 5;
    for service in facts::web_services(inventory) {
        let routes: Vec<_> = inventory
            .routes
            .iter()
            .filter(|route| route.service.as_ref() == Some(&service.id))
            .collect();
        if routes.len() < ENOUGH || routes.iter().any(|route| !route.complete) {
            continue;
        }
        for (path, probe) in probed_paths(inventory, service) {
            let wanted = path
                .as_str()
                .split('?')
                .next()
                .unwrap_or_default()
                .trim_end_matches('/');
            let served = |candidate: &str| {
                candidate.trim_end_matches('/') == wanted || candidate.contains(['*', '{', ':', '<', '('])
            };
            let known = wanted.is_empty()
                || wanted.contains('.')
                || service.health_checks.iter().any(|health| served(health.as_str()))
                || routes.iter().any(|route| {
                    served(route.path.as_str()) && !is_parameter_only(route.path.as_str(), wanted)
                });
            if known {
                continue;
            }
            findings
                .add(
                    Shown::fill(
                        "{} is asked for {}; its health routes are {}.",
                        &[&code(&service.name), &code(path), &health_paths(service)],
                    ),
                    probe.evidence.iter().cloned().chain(
                        service
                            .health
                            .iter()
                            .flat_map(|health| health.evidence.iter().take(1).cloned()),
                    ),
                )
                .confidence(Confidence::Derived);
        }
    }
}

/// A route with parameters serves the wanted path only when their fixed parts agree.
fn is_parameter_only(route: &str, wanted: &str) -> bool {
    let parameter = |part: &str| part.contains(['*', '{', ':', '<', '(']);
    let a: Vec<&str> = route.trim_matches('/').split('/').collect();
    let b: Vec<&str> = wanted.trim_matches('/').split('/').collect();
    if route.contains('*') {
        let fixed = a.iter().take_while(|part| !parameter(part)).count();
        return a.iter().take(fixed).ne(b.iter().take(fixed));
    }
    a.len() != b.len() || a.iter().zip(&b).any(|(x, y)| !parameter(x) && x != y)
}

fn health_paths(service: &Service) -> Shown {
    if service.health_checks.is_empty() {
        Shown::from("none")
    } else {
        facts::list(&service.health_checks)
    }
}

static WANTS_SIGN_IN: Rule = Rule {
    id: "healthcheck-requires-auth",
    severity: Severity::High,
    section: 6,
    title: "The health endpoint wants a sign-in",
    why: "The platform's check gets 401 and calls the process unhealthy.",
    fix: "Exempt the path from authentication.",
    check: |inventory, _, findings| {
        for service in facts::web_services(inventory) {
            // Another one that is open can be used instead.
            if service.health.iter().any(|health| !health.authenticated) {
                continue;
            }
            for health in &service.health {
                findings
                    .add(
                        Shown::fill("{} of {}.", &[&code(&health.path), &code(&service.name)]),
                        health.evidence.clone(),
                    )
                    .confidence(Confidence::Derived);
            }
        }
    },
};

static LIVENESS: Rule = Rule {
    id: "liveness-checks-dependency",
    severity: Severity::Medium,
    section: 6,
    title: "The liveness probe asks for the database",
    why: "When the database is slow, all pods are restarted, which makes it slower.",
    fix: "Let liveness check the process only, and readiness the database.",
    check: |inventory, _, findings| {
        for service in facts::web_services(inventory) {
            for (path, probe) in probed_paths(inventory, service)
                .into_iter()
                .filter(|(_, probe)| probe.kind == "liveness")
            {
                let Some(health) = service
                    .health
                    .iter()
                    .find(|health| health.path == *path && !health.checks.is_empty())
                else {
                    continue;
                };
                findings.add(
                    Shown::fill("{} touches {}.", &[&code(path), &facts::list(&health.checks)]),
                    probe.evidence.iter().chain(&health.evidence).cloned(),
                );
            }
        }
    },
};

static CANNOT_FAIL: Rule = Rule {
    id: "healthcheck-cannot-fail",
    severity: Severity::Medium,
    section: 6,
    title: "The health check succeeds on every answer",
    why: "`curl` without `--fail` is content with an error page: the process counts as healthy while it answers 500.",
    fix: "Call `curl --fail`.",
    check: cannot_fail,
};

/// A check by command.
struct Check<'a> {
    command: &'a CommandLine,
    places: Vec<Evidence>,
    /// The unit or the Dockerfile that states it.
    name: Shown,
    /// The Dockerfile of the image in which it runs.
    container: Option<&'a Container>,
    /// The image in which it runs, where that is not built here.
    image: Option<&'a Shown>,
}

/// Every check by command in production.
fn commands(inventory: &Inventory) -> Vec<Check<'_>> {
    let mut list = Vec::new();
    for (_, unit) in facts::production_units(inventory) {
        let container = unit
            .service
            .as_ref()
            .and_then(|id| inventory.service(id.as_str()))
            .and_then(|service| facts::container_of(inventory, service));
        for probe in &unit.probes {
            if let Some(command) = &probe.command {
                list.push(Check {
                    command,
                    places: probe.evidence.clone(),
                    name: unit.name.clone(),
                    container,
                    image: unit.image.as_ref().filter(|_| unit.build.is_none()),
                });
            }
        }
    }
    for container in facts::production_containers(inventory) {
        if let (Some(command), Some(line)) = (&container.healthcheck, container.healthcheck_line) {
            list.push(Check {
                command,
                places: vec![Evidence::at(&container.path, line)],
                name: container.path.shown(),
                container: Some(container),
                image: None,
            });
        }
    }
    list
}

fn cannot_fail(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for Check {
        command,
        places,
        name,
        ..
    } in commands(inventory)
    {
        let text = command.as_str();
        if !facts::has_word(text, "curl") || text.contains('|') || text.contains("grep") {
            continue;
        }
        let fails = command.words().any(|word| {
            let word = word.trim_matches(['"', '\'', ',', '[', ']']);
            word.starts_with("--fail")
                || (word.starts_with('-') && !word.starts_with("--") && word.contains('f'))
                || word.contains("http_code")
        });
        if !fails {
            findings.add(
                Shown::fill("{} is checked by {}.", &[&code(&name), &code_command(command)]),
                places,
            );
        }
    }
}

static PROGRAM_MISSING: Rule = Rule {
    id: "healthcheck-binary-missing",
    severity: Severity::High,
    section: 6,
    title: "The health check calls a program that the image lacks",
    why: "Every check fails: the container stays unhealthy, and whatever waits for it never starts.",
    fix: "Install the program, or check with one that the image has.",
    check: program_missing,
};

fn program_missing(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for Check {
        command,
        places,
        name,
        container,
        image,
    } in commands(inventory)
    {
        let Some(program) = ["curl", "wget"]
            .into_iter()
            .find(|program| facts::has_word(command.as_str(), program))
        else {
            continue;
        };
        let base = match (image, container) {
            (Some(image), None) => Some(image),
            (_, Some(container)) => {
                let last = container.stages.last();
                let base = last.and_then(|stage| stage.base.as_ref());
                let from_stage = container
                    .stages
                    .iter()
                    .any(|stage| stage.name.as_ref() == base && base.is_some());
                // Any mention of the program in the build may be its installation.
                let installed = container
                    .runs
                    .iter()
                    .any(|run| facts::has_word(run.as_str(), program));
                if from_stage || installed { None } else { base }
            }
            (None, None) => None,
        };
        let Some(reference) = base.and_then(facts::image) else {
            continue;
        };
        let Some(facts) = Catalogue::get()
            .base_image(reference.without_tag(), reference.tag())
            .and_then(|technology| technology.image.as_ref())
        else {
            continue;
        };
        let has = if program == "curl" { facts.curl } else { facts.wget };
        if has != Some(false) {
            continue;
        }
        let from = container.and_then(|container| {
            container
                .stages
                .last()
                .map(|stage| Evidence::at(&container.path, stage.line))
        });
        findings
            .add(
                Shown::fill(
                    "{} is checked with `{}`, which {} does not hold.",
                    &[
                        &code(&name),
                        &Shown::from(program),
                        &code(&Shown::from(&reference)),
                    ],
                ),
                places.into_iter().chain(from),
            )
            .confidence(Confidence::Derived);
    }
}

#[cfg(test)]
mod tests;
