//! How the stack starts, checks and replaces its processes.

use std::collections::BTreeSet;

use playbook_core::evidence::{Confidence, Evidence, Scope};
use playbook_core::finding::Severity;
use playbook_core::inventory::{Inventory, MountKind, PublishedPort, Role, Service, SignalKind, Stack, Unit};
use playbook_core::shown::Shown;

use super::facts::{self, Context, code};
use super::{knowledge, support};
use crate::rule::{Findings, Rule};

pub(super) const RULES: &[&Rule] = &[
    &NO_RESTART,
    &NO_LIMITS,
    &NO_ROTATION,
    &DEPENDS_WITHOUT_CONDITION,
    &PROJECT_IMPLICIT,
    &SOURCE_MOUNTED,
    &NO_PROBES,
    &SINGLE_REPLICA,
    &DEVELOPMENT_STACK,
];

fn is_cluster(stack: &Stack) -> bool {
    matches!(
        stack.kind.as_str(),
        "kubernetes" | "helm" | "kustomize" | "docker-swarm"
    )
}

/// Does the unit run something all the time?
fn stays(inventory: &Inventory, unit: &Unit) -> bool {
    let runs = unit.image.is_some() || unit.build.is_some();
    let job = unit.schedule.is_some()
        || unit.kind.as_str().to_ascii_lowercase().ends_with("job")
        || unit
            .service
            .as_ref()
            .and_then(|id| inventory.service(id.as_str()))
            .is_some_and(|service| service.role == Role::Job);
    runs && !job && unit.profiles.is_empty()
}

/// Is the unit one that others wait for until it has ended?
fn is_waited_for(stack: &Stack, unit: &Unit) -> bool {
    stack
        .units
        .iter()
        .flat_map(|other| &other.depends_on)
        .any(|dependency| {
            dependency.unit == unit.name
                && dependency
                    .condition
                    .as_ref()
                    .is_some_and(|condition| condition == "service_completed_successfully")
        })
}

/// One finding for all units that lack something, in the stacks that the plan drives.
fn lacking(
    inventory: &Inventory,
    context: &Context,
    findings: &mut Findings,
    stacks: fn(&Stack) -> bool,
    lacks: fn(&Unit) -> bool,
    detail: &'static str,
) {
    let mut units: Vec<&Unit> = Vec::new();
    for stack in facts::target_stacks(inventory, context)
        .into_iter()
        .filter(|stack| stacks(stack))
    {
        units.extend(
            stack
                .units
                .iter()
                .filter(|unit| stays(inventory, unit) && lacks(unit) && !is_waited_for(stack, unit)),
        );
    }
    // The repository's own processes first: they are the ones that a plan deploys.
    units.sort_by_key(|unit| unit.service.is_none());
    findings.add(
        Shown::fill(detail, &[&facts::list(units.iter().map(|unit| &unit.name))]),
        units
            .iter()
            .flat_map(|unit| unit.evidence.iter().take(1).cloned()),
    );
}

static NO_RESTART: Rule = Rule {
    id: "no-restart-policy",
    severity: Severity::Medium,
    section: 6,
    title: "Processes stay down after a crash or a restart of the host",
    why: "The container engine starts nothing again unless it is told to.",
    fix: "Set `restart: unless-stopped` for each service that should run all the time.",
    check: |inventory, context, findings| {
        lacking(
            inventory,
            context,
            findings,
            facts::on_own_host,
            |unit| unit.restart.as_ref().is_none_or(|policy| policy == "no"),
            "No restart policy: {}.",
        );
    },
};

static NO_LIMITS: Rule = Rule {
    id: "no-resource-limits",
    severity: Severity::Medium,
    section: 11,
    title: "Nothing limits the memory of the processes",
    why: "One of them can starve the others and the host; a cluster also places pods blindly.",
    fix: "Set a memory limit for each, from the sizes in the plan.",
    check: |inventory, context, findings| {
        lacking(
            inventory,
            context,
            findings,
            |stack| facts::on_own_host(stack) || is_cluster(stack),
            |unit| unit.memory.is_none(),
            "No memory limit: {}.",
        );
    },
};

static NO_ROTATION: Rule = Rule {
    id: "no-log-rotation",
    severity: Severity::Low,
    section: 9,
    title: "Container logs grow without limit",
    why: "The engine's default driver keeps everything until the disk is full.",
    fix: "Use the `local` driver, or set `max-size` and `max-file`.",
    check: |inventory, context, findings| {
        lacking(
            inventory,
            context,
            findings,
            |stack| stack.kind == "docker-compose",
            |unit| !unit.log_rotation,
            "No rotation: {}.",
        );
    },
};

static DEPENDS_WITHOUT_CONDITION: Rule = Rule {
    id: "depends-on-no-condition",
    severity: Severity::Medium,
    section: 6,
    title: "A process does not wait until its datastore is ready",
    why: "It connects while the datastore still starts, and ends or serves errors.",
    fix: "Give the datastore a health check and depend on `service_healthy`, or let the process try again.",
    check: depends_without_condition,
};

fn depends_without_condition(inventory: &Inventory, context: &Context, findings: &mut Findings) {
    // Units without anything that starts them again are worse off.
    for restarts in [false, true] {
        let (mut units, mut stores, mut places) = (Vec::new(), Vec::new(), Vec::new());
        for stack in facts::target_stacks(inventory, context)
            .into_iter()
            .filter(|stack| stack.kind == "docker-compose")
        {
            let is_store = |name: &Shown| {
                stack
                    .units
                    .iter()
                    .any(|other| other.name == *name && support::engine(inventory, other).is_some())
            };
            for unit in stack.units.iter().filter(|unit| unit.service.is_some()) {
                if unit.restart.as_ref().is_some_and(|policy| policy != "no") != restarts {
                    continue;
                }
                for dependency in &unit.depends_on {
                    let blind = dependency
                        .condition
                        .as_ref()
                        .is_none_or(|condition| condition == "service_started");
                    if blind && is_store(&dependency.unit) {
                        units.push(&unit.name);
                        stores.push(&dependency.unit);
                        places.extend(dependency.evidence.iter().cloned());
                    }
                }
            }
        }
        findings
            .add(
                Shown::fill(
                    if restarts {
                        "{} start beside {}; the restart policy repeats it until it works."
                    } else {
                        "{} start beside {}, and nothing starts them again."
                    },
                    &[&facts::list(units), &facts::list(stores)],
                ),
                places,
            )
            .severity(if restarts { Severity::Low } else { Severity::Medium });
    }
}

static PROJECT_IMPLICIT: Rule = Rule {
    id: "compose-project-implicit",
    severity: Severity::Medium,
    section: 11,
    title: "Volumes are named after the folder from which the stack is started",
    why: "Started from another folder, by a pipeline for example, the stack gets new and empty volumes.",
    fix: "Name the project: `name:` at the top of the file, or `--project-name`.",
    check: project_implicit,
};

fn project_implicit(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for stack in facts::production_stacks(inventory)
        .filter(|stack| stack.kind == "docker-compose" && stack.name.is_none())
    {
        let ways: BTreeSet<_> = stack.confirmed_by.iter().map(|place| &place.path).collect();
        if stack.volumes.is_empty() || ways.len() < 2 {
            continue;
        }
        let volume = stack
            .units
            .iter()
            .flat_map(|unit| &unit.mounts)
            .filter(|mount| mount.kind == MountKind::Volume)
            .flat_map(|mount| mount.evidence.iter().cloned())
            .take(1);
        findings
            .add(
                Shown::fill(
                    "{} have no fixed prefix, and the stack is started from {} places.",
                    &[&facts::list(&stack.volumes), &Shown::number(ways.len() as u64)],
                ),
                volume.chain(stack.confirmed_by.iter().cloned()),
            )
            .confidence(Confidence::Derived);
    }
}

static SOURCE_MOUNTED: Rule = Rule {
    id: "bind-mount-source-in-prod",
    severity: Severity::Medium,
    section: 11,
    title: "The host's source code covers the image's content",
    why: "What runs is not what was built and tested.",
    fix: "Remove the mount from the production files.",
    check: source_mounted,
};

fn source_mounted(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for (_, unit) in facts::production_units(inventory).filter(|(_, unit)| unit.build.is_some()) {
        for mount in unit
            .mounts
            .iter()
            .filter(|mount| mount.kind == MountKind::Bind && !mount.read_only)
        {
            let Some(source) = &mount.source else { continue };
            let context = unit.build.as_ref().and_then(|build| build.context.as_ref());
            let trimmed = source.as_str().trim_start_matches("./").trim_end_matches('/');
            let is_source = trimmed.is_empty()
                || trimmed == "."
                || context.is_some_and(|context| !context.is_root() && context.as_str() == trimmed)
                || matches!(trimmed.rsplit('/').next(), Some("src" | "app" | "lib"));
            if is_source {
                findings.add(
                    Shown::fill("{} mounts {}.", &[&code(&unit.name), &code(source)]),
                    mount.evidence.clone(),
                );
            }
        }
    }
}

static NO_PROBES: Rule = Rule {
    id: "no-health-probe",
    severity: Severity::Medium,
    section: 6,
    title: "Nothing checks whether a process works",
    why: "A hung process keeps its traffic, and a rollout counts a version as good as soon as it was started.",
    fix: "Add a check of the health path (readiness in a cluster, `healthcheck` in Compose).",
    check: no_probes,
};

fn no_probes(inventory: &Inventory, context: &Context, findings: &mut Findings) {
    let mut blind: Vec<&Unit> = Vec::new();
    for stack in facts::target_stacks(inventory, context) {
        if !facts::on_own_host(stack) && !is_cluster(stack) {
            continue;
        }
        blind.extend(
            stack
                .units
                .iter()
                .filter(|unit| stays(inventory, unit) && unit.probes.is_empty())
                .filter(|unit| {
                    let Some(service) = service_of(inventory, unit) else {
                        return false;
                    };
                    // Kubernetes ignores the check of an image.
                    let counts = !matches!(stack.kind.as_str(), "kubernetes" | "helm" | "kustomize");
                    let in_image = facts::container_of(inventory, service)
                        .is_some_and(|container| container.healthcheck.is_some());
                    service.role == Role::Web && !(counts && in_image)
                }),
        );
    }
    findings.add(
        Shown::fill(
            "No check: {}.",
            &[&facts::list(blind.iter().map(|unit| &unit.name))],
        ),
        blind
            .iter()
            .flat_map(|unit| unit.evidence.iter().take(1).cloned()),
    );
}

fn service_of<'a>(inventory: &'a Inventory, unit: &Unit) -> Option<&'a Service> {
    inventory.service(unit.service.as_ref()?.as_str())
}

static SINGLE_REPLICA: Rule = Rule {
    id: "k8s-single-replica-no-pdb",
    severity: Severity::Medium,
    section: 10,
    title: "Each process has one pod",
    why: "An upgrade or loss of its node is an outage.",
    fix: "Run at least two, with a disruption budget and spread over nodes.",
    check: single_replica,
};

fn single_replica(inventory: &Inventory, context: &Context, findings: &mut Findings) {
    if context.replicas.is_some_and(|replicas| replicas > 1) {
        return;
    }
    let stacks = facts::target_stacks(inventory, context);
    let is = |unit: &Unit, kind: &str| unit.kind.as_str().eq_ignore_ascii_case(kind);
    if stacks
        .iter()
        .flat_map(|stack| &stack.units)
        .any(|unit| is(unit, "HorizontalPodAutoscaler"))
    {
        return;
    }
    let single: Vec<&Unit> = stacks
        .iter()
        .filter(|stack| matches!(stack.kind.as_str(), "kubernetes" | "helm" | "kustomize"))
        .flat_map(|stack| &stack.units)
        .filter(|unit| is(unit, "Deployment") && unit.replicas.unwrap_or(1) == 1)
        .filter(|unit| {
            service_of(inventory, unit).is_some_and(|service| {
                matches!(service.role, Role::Web | Role::Frontend) && !service.singleton
            })
        })
        .collect();
    findings.add(
        Shown::fill(
            "One pod: {}.",
            &[&facts::list(single.iter().map(|unit| &unit.name))],
        ),
        single
            .iter()
            .flat_map(|unit| unit.evidence.iter().take(1).cloned()),
    );
}

static DEVELOPMENT_STACK: Rule = Rule {
    id: "development-stack-only",
    severity: Severity::High,
    section: 11,
    title: "The repository's stack file is made for development",
    why: "Deployed as it is, it brings development servers, open ports, known passwords or data without a volume.",
    fix: "Do not deploy it; use the plan's own files.",
    check: development_stack,
};

fn development_stack(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    // Where there is a stack for production, nobody mistakes the other one for it. Processes inside a container or on
    // a host are described beside it, not instead of it.
    let deploys = |stack: &&Stack| {
        !matches!(stack.kind.as_str(), "procfile" | "supervisor" | "systemd")
            && stack.units.iter().any(|unit| unit.service.is_some())
    };
    if facts::production_stacks(inventory).any(|stack| deploys(&stack)) {
        return;
    }
    let own = |stack: &&Stack| {
        let hidden = stack
            .files
            .iter()
            .all(|file| file.components().any(|part| part.starts_with('.')));
        let test = stack
            .files
            .iter()
            .all(|file| file.as_str().to_ascii_lowercase().contains("test"));
        let runs = stack
            .units
            .iter()
            .any(|unit| unit.service.is_some() || unit.build.is_some());
        stack.scope == Scope::Development && runs && !hidden && !test && facts::on_own_host(stack)
    };
    for stack in inventory.stacks.iter().filter(own) {
        let (reasons, places) = development_traits(inventory, stack);
        let files: Vec<Shown> = stack
            .files
            .iter()
            .map(playbook_core::path::RelPath::shown)
            .collect();
        // What a file is for often stands in its first lines.
        let first = stack.files.first().map(|file| Evidence::at(file, 1));
        findings
            .add(
                Shown::fill(
                    if reasons.is_empty() {
                        "{} is the only stack{}."
                    } else {
                        "{} is the only stack: {}."
                    },
                    &[&facts::list(&files), &Shown::join(&reasons, ", ")],
                ),
                first.into_iter().chain(places),
            )
            .confidence(Confidence::Derived);
    }
}

/// What in a stack must not be deployed, in words and places.
fn development_traits(inventory: &Inventory, stack: &Stack) -> (Vec<Shown>, Vec<Evidence>) {
    let mut reasons = Vec::new();
    let mut places: Vec<Evidence> = Vec::new();
    let mut add = |reason: &'static str, found: Vec<Evidence>| {
        if !found.is_empty() {
            reasons.push(Shown::from(reason));
            places.extend(found.into_iter().take(3));
        }
    };
    let in_files = |kind: SignalKind| -> Vec<Evidence> {
        inventory
            .signals
            .iter()
            .filter(|signal| signal.kind == kind)
            .flat_map(|signal| &signal.evidence)
            .filter(|place| stack.files.contains(&place.path))
            .cloned()
            .collect()
    };
    let is_debug = |port: &PublishedPort| {
        port.published
            && knowledge::get()
                .debug_ports
                .iter()
                .any(|known| known.port == port.container)
    };
    add("a development server", in_files(SignalKind::DevelopmentServer));
    add(
        "settings for development",
        in_files(SignalKind::DevelopmentSwitch),
    );
    add(
        "a debugger's port",
        stack
            .units
            .iter()
            .flat_map(|unit| &unit.ports)
            .filter(|port| is_debug(port))
            .flat_map(|port| port.evidence.clone())
            .collect(),
    );
    add(
        "the host's source code in containers",
        stack
            .units
            .iter()
            .filter(|unit| unit.build.is_some())
            .flat_map(|unit| &unit.mounts)
            .filter(|mount| mount.kind == MountKind::Bind)
            .flat_map(|mount| mount.evidence.iter().take(1).cloned())
            .collect(),
    );
    let stores: Vec<&Unit> = stack
        .units
        .iter()
        .filter(|unit| support::engine(inventory, unit).is_some())
        .collect();
    add(
        "open ports of datastores",
        stores
            .iter()
            .flat_map(|unit| &unit.ports)
            .filter(|port| port.published)
            .flat_map(|port| port.evidence.clone())
            .collect(),
    );
    add(
        "datastores without a volume",
        stores
            .iter()
            .filter(|unit| {
                !unit
                    .mounts
                    .iter()
                    .any(|mount| matches!(mount.kind, MountKind::Volume | MountKind::Bind))
            })
            .flat_map(|unit| unit.evidence.iter().take(1).cloned())
            .collect(),
    );
    (reasons, places)
}

#[cfg(test)]
mod tests;
