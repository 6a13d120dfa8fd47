//! Which processes run, how often, and how they end.

use std::collections::BTreeMap;

use playbook_core::evidence::{Confidence, Evidence};
use playbook_core::finding::Severity;
use playbook_core::inventory::{Inventory, Role, ScheduledJob, Service, SignalKind};
use playbook_core::shown::Shown;

use super::facts::{self, Context, code};
use super::knowledge::{self, SchedulerRunner};
use crate::rule::{Findings, Rule};

pub(super) const RULES: &[&Rule] = &[
    &WORKER_MISSING,
    &SCHEDULER_MISSING,
    &SINGLETON_SCALED,
    &SINGLE_INSTANCE,
    &IN_MEMORY_STATE,
    &WEBSOCKET_BACKPLANE,
    &CRON_TWICE,
    &NO_SHUTDOWN,
    &SHUTDOWN_BUDGET,
];

static WORKER_MISSING: Rule = Rule {
    id: "worker-without-process",
    severity: Severity::High,
    section: 6,
    title: "Jobs are put on a queue that no deployed process works off",
    why: "They pile up without an error: mails, exports and webhooks never happen.",
    fix: "Deploy the worker as a service of its own.",
    check: worker_missing,
};

fn worker_missing(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    let enqueued: Vec<_> = facts::signals(inventory, SignalKind::TaskEnqueued).collect();
    let works = |service: &&Service| {
        matches!(service.role, Role::Worker | Role::Scheduler) || !service.background.is_empty()
    };
    let workers: Vec<&Service> = inventory.services.iter().filter(works).collect();
    if workers.is_empty() {
        let defined: Vec<_> = facts::signals(inventory, SignalKind::TaskDefined).collect();
        if !defined.is_empty() && !enqueued.is_empty() {
            let tools = facts::list(
                enqueued
                    .iter()
                    .chain(&defined)
                    .filter_map(|signal| signal.subject.as_ref()),
            );
            findings
                .add(
                    Shown::fill(
                        "The code puts jobs on a queue{}, and nothing in the repository starts a worker.",
                        &[&in_brackets(&tools)],
                    ),
                    facts::places(enqueued)
                        .into_iter()
                        .take(3)
                        .chain(facts::places(defined).into_iter().take(3)),
                )
                .confidence(Confidence::Derived);
        }
        return;
    }
    // The repository's own stacks run the web process but forget the worker.
    let runs = |service: &Service| !facts::units_of(inventory, service).is_empty();
    // One worker that runs may well be the same process under another name.
    let any_worker = workers
        .iter()
        .any(|worker| worker.role == Role::Worker && runs(worker));
    if any_worker || !facts::web_services(inventory).any(runs) {
        return;
    }
    for worker in workers
        .into_iter()
        .filter(|worker| worker.role == Role::Worker && !runs(worker))
    {
        let stack = facts::web_services(inventory)
            .flat_map(|service| facts::units_of(inventory, service))
            .next();
        findings
            .add(
                Shown::fill(
                    "{} is started by no unit of the production stack, which runs the web process.",
                    &[&code(&worker.name)],
                ),
                facts::start_place(worker)
                    .into_iter()
                    .chain(
                        stack
                            .into_iter()
                            .flat_map(|(_, unit)| unit.evidence.iter().take(1).cloned()),
                    )
                    .chain(facts::places(enqueued.iter().copied()).into_iter().take(2)),
            )
            .confidence(Confidence::Derived);
    }
}

/// ` (names)`, or nothing.
fn in_brackets(names: &Shown) -> Shown {
    if names.as_str().is_empty() {
        Shown::from("")
    } else {
        Shown::fill(" ({})", &[names])
    }
}

static SCHEDULER_MISSING: Rule = Rule {
    id: "scheduler-without-process",
    severity: Severity::High,
    section: 6,
    title: "Scheduled jobs are defined, but nothing starts their scheduler",
    why: "They never run, and nothing reports it.",
    fix: "Deploy the scheduler as a service with exactly one instance.",
    check: scheduler_missing,
};

fn scheduler_missing(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    let mut jobs: BTreeMap<&Shown, Vec<&ScheduledJob>> = BTreeMap::new();
    for job in &inventory.scheduled_jobs {
        jobs.entry(&job.runner).or_default().push(job);
    }
    for (runner, jobs) in jobs {
        let Some(known) = missing_clock(inventory, runner) else {
            continue;
        };
        let draft = findings
            .add(
                Shown::fill(
                    "{} jobs ({}) wait for {}, which nothing starts.",
                    &[
                        &Shown::number(jobs.len() as u64),
                        &facts::list(jobs.iter().map(|job| &job.name)),
                        &code(runner),
                    ],
                ),
                jobs.iter().flat_map(|job| job.evidence.iter().take(1).cloned()),
            )
            .confidence(Confidence::Derived);
        if let Some(start) = known.start {
            draft.fix(Shown::fill(
                "Run {} in the application's image as a service of its own, with exactly one instance.",
                &[&code(&Shown::from(start))],
            ));
        }
    }
}

/// The clock of its own that a runner of jobs needs, when no process and no document starts it.
pub(crate) fn missing_clock(inventory: &Inventory, runner: &Shown) -> Option<&'static SchedulerRunner> {
    let known = knowledge::get()
        .scheduler_runners
        .iter()
        .find(|known| *runner == known.name)?;
    let starts = |text: &str| known.values.iter().any(|words| text.contains(words));
    let started = inventory.services.iter().any(|service| {
        service.role == Role::Scheduler
            || starts(&facts::start_text(service))
            || service.background.iter().any(|name| name == runner)
    }) || facts::production_units(inventory).any(|(_, unit)| {
        [&unit.command, &unit.entrypoint]
            .into_iter()
            .flatten()
            .any(|command| starts(command.as_str()))
    }) || inventory
        .documented_commands
        .iter()
        .any(|documented| starts(documented.command.as_str()));
    (!started).then_some(known)
}

static SINGLETON_SCALED: Rule = Rule {
    id: "singleton-scaled",
    severity: Severity::High,
    section: 6,
    title: "A process that may run once runs several times",
    why: "Each instance starts the same jobs, so they happen twice.",
    fix: "Run one instance, or take a lock before each job.",
    check: singleton_scaled,
};

/// The places that show why only one instance may run.
fn timers(inventory: &Inventory, service: &Service) -> Vec<Evidence> {
    facts::places(
        facts::signals(inventory, SignalKind::InProcessScheduler)
            .filter(|signal| signal.service.as_ref() == Some(&service.id)),
    )
}

/// Instances times processes, where either is stated to be more than one.
pub(super) fn copies(inventory: &Inventory, context: &Context, service: &Service) -> Option<u32> {
    let replicas = facts::replicas(inventory, context, service).unwrap_or(1);
    let workers = service.workers.unwrap_or(1);
    let copies = replicas.saturating_mul(workers);
    (copies > 1).then_some(copies)
}

fn singleton_scaled(inventory: &Inventory, context: &Context, findings: &mut Findings) {
    for service in inventory.services.iter().filter(|service| service.is_own()) {
        let timers = timers(inventory, service);
        if !service.singleton && timers.is_empty() {
            continue;
        }
        let Some(copies) = copies(inventory, context, service) else {
            continue;
        };
        // A flag of the plan counts web instances, not a scheduler of its own.
        if service.role == Role::Scheduler
            && context.replicas.is_some()
            && service.workers.is_none()
            && service.replicas.is_none()
        {
            continue;
        }
        let units = facts::units_of(inventory, service)
            .into_iter()
            .flat_map(|(_, unit)| unit.evidence.iter().take(1).cloned());
        findings.add(
            Shown::fill(
                "{} starts work by the clock and runs {} times.",
                &[&code(&service.name), &Shown::number(u64::from(copies))],
            ),
            timers.into_iter().chain(units).chain(facts::start_place(service)),
        );
    }
}

static SINGLE_INSTANCE: Rule = Rule {
    id: "scheduler-inside-web-process",
    severity: Severity::Medium,
    section: 8,
    title: "The web process also starts work by the clock",
    why: "A second instance, also the one that a rollout starts beside the old one, does the same work again.",
    fix: "Keep one instance and stop the old one first, or move the schedule to a process or job of its own.",
    check: single_instance,
};

fn single_instance(inventory: &Inventory, context: &Context, findings: &mut Findings) {
    for service in facts::web_services(inventory) {
        let timers = timers(inventory, service);
        if timers.is_empty() || copies(inventory, context, service).is_some() {
            continue;
        }
        findings.add(
            Shown::fill("{} must stay at one instance.", &[&code(&service.name)]),
            timers,
        );
    }
}

static IN_MEMORY_STATE: Rule = Rule {
    id: "in-memory-state-multi-replica",
    severity: Severity::High,
    section: 6,
    title: "State lies in the memory of one process",
    why: "Other instances do not see it and a restart loses it: sessions end, limits count wrongly, caches disagree.",
    fix: "Keep it in a shared store such as Redis or the database.",
    check: in_memory_state,
};

fn in_memory_state(inventory: &Inventory, context: &Context, findings: &mut Findings) {
    for service in inventory.services.iter().filter(|service| service.is_own()) {
        let signals: Vec<_> = facts::signals(inventory, SignalKind::InMemoryState)
            .filter(|signal| signal.service.as_ref() == Some(&service.id))
            .collect();
        if signals.is_empty() {
            continue;
        }
        let subjects = in_brackets(&facts::list(
            signals.iter().filter_map(|signal| signal.subject.as_ref()),
        ));
        match copies(inventory, context, service) {
            Some(copies) => {
                findings.add(
                    Shown::fill(
                        "{} runs {} times and keeps state in memory{}.",
                        &[&code(&service.name), &Shown::number(u64::from(copies)), &subjects],
                    ),
                    facts::places(signals)
                        .into_iter()
                        .chain(facts::start_place(service)),
                );
            }
            None => {
                findings
                    .add(
                        Shown::fill("{} keeps state in memory{}: it must stay at one process, and a restart loses it.", &[&code(&service.name), &subjects]),
                        facts::places(signals),
                    )
                    .severity(Severity::Medium);
            }
        }
    }
}

static WEBSOCKET_BACKPLANE: Rule = Rule {
    id: "websocket-multi-replica-no-backplane",
    severity: Severity::Medium,
    section: 6,
    title: "WebSocket messages reach only the clients of one process",
    why: "Each process knows its own connections; with several, a message reaches a part of the clients, and a handshake in several requests may meet another process.",
    fix: "Connect the processes through a shared channel (Redis, NATS, the database) and keep sessions sticky.",
    check: websocket_backplane,
};

fn websocket_backplane(inventory: &Inventory, context: &Context, findings: &mut Findings) {
    for service in facts::web_services(inventory).filter(|service| service.websocket) {
        let shared = inventory.datastores.iter().any(|store| {
            matches!(
                store.kind.as_str(),
                "redis" | "valkey" | "nats" | "rabbitmq" | "kafka"
            ) && (service.depends_on.contains(&store.id) || store.used_by.contains(&service.id))
        });
        // Elixir's processes form a cluster of their own.
        if shared
            || service
                .language
                .as_ref()
                .is_some_and(|language| language == "elixir")
        {
            continue;
        }
        let places: Vec<Evidence> = inventory
            .interfaces
            .iter()
            .filter(|interface| interface.kind == playbook_core::inventory::InterfaceKind::WebSocket)
            .filter(|interface| interface.service.as_ref().is_none_or(|id| *id == service.id))
            .flat_map(|interface| interface.evidence.iter().cloned())
            .chain(facts::start_place(service))
            .collect();
        let copies = copies(inventory, context, service);
        findings
            .add(
                Shown::fill(
                    "{} holds WebSocket connections and no shared channel was found.",
                    &[&code(&service.name)],
                ),
                places,
            )
            .severity(if copies.is_some() {
                Severity::High
            } else {
                Severity::Medium
            })
            .confidence(Confidence::Derived);
    }
}

static CRON_TWICE: Rule = Rule {
    id: "cron-defined-twice",
    severity: Severity::Medium,
    section: 6,
    title: "A job is scheduled in two places",
    why: "Both start it, so it runs twice.",
    fix: "Keep one of them.",
    check: cron_twice,
};

fn cron_twice(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    let mut jobs: BTreeMap<&Shown, Vec<&ScheduledJob>> = BTreeMap::new();
    for job in &inventory.scheduled_jobs {
        jobs.entry(&job.name).or_default().push(job);
    }
    for (name, jobs) in jobs {
        let runners: std::collections::BTreeSet<&Shown> = jobs.iter().map(|job| &job.runner).collect();
        if runners.len() < 2 {
            continue;
        }
        findings
            .add(
                Shown::fill("{} is started by {}.", &[&code(name), &facts::list(runners)]),
                jobs.iter().flat_map(|job| job.evidence.iter().take(1).cloned()),
            )
            .confidence(Confidence::Derived);
    }
}

static NO_SHUTDOWN: Rule = Rule {
    id: "no-sigterm-handling",
    severity: Severity::Medium,
    section: 8,
    title: "The process does not end its work when it is told to stop",
    why: "At each deployment requests and jobs in flight are cut off.",
    fix: "Handle the stop signal: refuse new work, finish what runs, close connections, exit.",
    check: no_shutdown,
};

fn no_shutdown(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    if facts::signals(inventory, SignalKind::GracefulShutdown).any(|signal| signal.service.is_none()) {
        return;
    }
    for service in facts::web_services(inventory) {
        let handled = facts::signals(inventory, SignalKind::GracefulShutdown)
            .any(|signal| signal.service.as_ref() == Some(&service.id));
        let frameworks = &knowledge::get().frameworks_without_shutdown;
        let Some(framework) = service
            .frameworks
            .iter()
            .find(|name| frameworks.contains(&name.as_str()))
        else {
            continue;
        };
        // A framework above it that does handle the signal.
        let above = service.frameworks.iter().any(|name| {
            matches!(
                name.as_str(),
                "nextjs" | "nuxt" | "remix" | "adonisjs" | "strapi" | "directus"
            )
        });
        if handled || above {
            continue;
        }
        findings
            .add(
                Shown::fill(
                    "No place in {} ({}) handles the stop signal.",
                    &[&code(&service.name), &code(framework)],
                ),
                service
                    .evidence
                    .iter()
                    .take(1)
                    .cloned()
                    .chain(facts::start_place(service)),
            )
            .confidence(Confidence::Derived);
    }
}

static SHUTDOWN_BUDGET: Rule = Rule {
    id: "shutdown-budget-too-small",
    severity: Severity::Medium,
    section: 8,
    title: "The time to stop is shorter than the work in flight may take",
    why: "What still runs when the time is over is killed.",
    fix: "Set the grace period above the longest job or request.",
    check: shutdown_budget,
};

fn shutdown_budget(inventory: &Inventory, context: &Context, findings: &mut Findings) {
    for service in inventory
        .services
        .iter()
        .filter(|service| service.role == Role::Worker)
    {
        for (stack, unit) in facts::units_of(inventory, service) {
            let driven = context.target.stacks.iter().any(|kind| stack.kind == **kind);
            if unit.stop_grace.is_some() || !facts::on_own_host(stack) || !driven {
                continue;
            }
            let Some(grace) = facts::grace_seconds(context) else {
                continue;
            };
            findings
                .add(
                    Shown::fill(
                        "{} works off jobs and is killed {} seconds after the signal; the stack sets no other time.",
                        &[&code(&unit.name), &Shown::number(u64::from(grace))],
                    ),
                    unit.evidence.iter().take(1).cloned().chain(facts::start_place(service)),
                )
                .confidence(Confidence::Derived);
        }
    }
}

#[cfg(test)]
mod tests;
