//! Section 10: jobs, backups, recovery, scaling and the runbook.

use std::collections::BTreeSet;

use serde::Serialize;

use playbook_core::evidence::{Evidence, Scope};
use playbook_core::harmless::UrlPath;
use playbook_core::inventory::{Mount, MountKind, Role, ScheduledJob, Service, SignalKind};
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use super::infrastructure::{Infrastructure, process_name};
use super::operations::{QueueText, Words, holds};
use super::{Given, Ledger};
use crate::prose::Prose;
use crate::rules::processes;

/// Prefixes that are printed.
const MOST_API_PREFIXES: usize = 6;

/// The decisions of section 10.
#[derive(Debug, Serialize)]
pub(crate) struct Readiness<'a> {
    jobs: Vec<Job<'a>>,
    /// Folders of the repository's own processes that hold files of users.
    files: Vec<Files<'a>>,
    /// Places where the code writes to the local disk.
    writes: Vec<&'a Evidence>,
    queues: Vec<Queue>,
    /// Prefixes with a version.
    api: Vec<Shown>,
    /// Where the first administrator comes from.
    administrators: Vec<&'a Evidence>,
    administrator_variables: Vec<&'a Shown>,
    setup: Vec<Setup<'a>>,
    /// Variables without which a process does not start.
    required: Vec<&'a Shown>,
    /// Variables that set a time zone.
    time_zones: Vec<&'a Shown>,
    singletons: Vec<Shown>,
}

/// A scheduled job with the process that runs it.
#[derive(Debug, Serialize)]
struct Job<'a> {
    job: &'a ScheduledJob,
    process: Option<Shown>,
    /// Does the clock run inside a process that answers requests?
    inside_web: bool,
    /// Does it wait for a clock that nothing starts?
    waits: bool,
    /// What would start that clock.
    clock: Option<Shown>,
    replicas: Option<u32>,
}

/// A volume of one of the repository's own processes.
#[derive(Debug, Serialize)]
struct Files<'a> {
    unit: &'a Shown,
    mount: &'a Mount,
}

/// Work that waits in a datastore.
#[derive(Debug, Serialize)]
struct Queue {
    store: Shown,
    library: Option<Shown>,
    length: Prose,
}

/// A page on which the first visitor makes himself administrator.
#[derive(Debug, Serialize)]
struct Setup<'a> {
    path: &'a Shown,
    evidence: &'a [Evidence],
}

pub(super) fn build<'a>(
    given: &Given<'a>,
    words: &Words,
    infrastructure: &Infrastructure<'a>,
    ledger: &mut Ledger,
) -> Readiness<'a> {
    let inventory = given.inventory;
    let jobs: Vec<Job<'a>> = inventory
        .scheduled_jobs
        .iter()
        .map(|job| one(given, job))
        .collect();
    let files = files(given);
    let queues = queues(given, words, infrastructure);
    let writes: Vec<&Evidence> = inventory
        .signals
        .iter()
        .filter(|signal| signal.kind == SignalKind::LocalFiles && signal.scope == Scope::Production)
        .filter_map(|signal| signal.evidence.first())
        .collect();
    ledger.condition("has_scheduled_jobs", !jobs.is_empty());
    ledger.condition(
        "has_url_dump",
        infrastructure
            .stores
            .iter()
            .any(super::infrastructure::Store::can_dump_by_address),
    );
    ledger.condition("has_user_files", !files.is_empty());
    ledger.condition("has_queues", !queues.is_empty());
    Readiness {
        jobs,
        files,
        writes,
        queues,
        api: api_prefixes(given),
        administrators: inventory
            .signals
            .iter()
            .filter(|signal| {
                signal.kind == SignalKind::CreatesAdministrator && signal.scope == Scope::Production
            })
            .filter_map(|signal| signal.evidence.first())
            .collect(),
        administrator_variables: given
            .variables
            .iter()
            .filter(|variable| {
                let parts = playbook_core::secret::words_of(variable.name.as_str());
                words.administrator.iter().any(|wanted| holds(&parts, wanted))
            })
            .map(|variable| &variable.name)
            .collect(),
        setup: inventory
            .routes
            .iter()
            .filter(|route| {
                route.authenticated != Some(true)
                    && route
                        .path
                        .as_str()
                        .split('/')
                        .any(|segment| words.setup_paths.iter().any(|wanted| segment == wanted))
            })
            .map(|route| Setup {
                path: &route.path,
                evidence: &route.evidence,
            })
            .collect(),
        required: given
            .variables
            .iter()
            .filter(|variable| variable.required && !variable.services.is_empty())
            .map(|variable| &variable.name)
            .collect(),
        time_zones: given
            .variables
            .iter()
            .filter(|variable| {
                let parts = playbook_core::secret::words_of(variable.name.as_str());
                holds(&parts, "tz") || holds(&parts, "timezone") || holds(&parts, "time zone")
            })
            .map(|variable| &variable.name)
            .collect(),
        singletons: given
            .services
            .iter()
            .filter(|service| service.singleton || service.role == Role::Scheduler)
            .map(|service| process_name(given, service))
            .collect(),
    }
}

/// The process whose clock starts a job: a scheduler of its own where there is one, else the process whose code it is.
fn one<'a>(given: &Given<'a>, job: &'a ScheduledJob) -> Job<'a> {
    let stated = job
        .service
        .as_ref()
        .and_then(|id| given.inventory.service(id.as_str()));
    let service = match stated {
        Some(service) if service.role == Role::Web => given.of_role(Role::Scheduler).next().or(stated),
        _ => stated,
    };
    let missing = processes::missing_clock(given.inventory, &job.runner);
    let service = service.filter(|_| missing.is_none());
    Job {
        job,
        process: service.map(|service| process_name(given, service)),
        waits: missing.is_some(),
        clock: missing.and_then(|known| known.start).map(Shown::from),
        inside_web: service.is_some_and(|service| service.role == Role::Web),
        replicas: service.and_then(|service: &Service| service.replicas),
    }
}

/// Volumes of the repository's own processes in its own stack.
fn files<'a>(given: &Given<'a>) -> Vec<Files<'a>> {
    given
        .services
        .iter()
        .filter_map(|service| given.unit_of(service))
        .flat_map(|unit| {
            unit.mounts
                .iter()
                .filter(|mount| {
                    mount.kind == MountKind::Volume
                        && !mount.read_only
                        && mount.source.is_some()
                        && mount.target.is_some()
                })
                .map(|mount| Files {
                    unit: &unit.name,
                    mount,
                })
        })
        .collect()
}

fn queues(given: &Given<'_>, words: &Words, infrastructure: &Infrastructure<'_>) -> Vec<Queue> {
    let inventory = given.inventory;
    let mut used: BTreeSet<&Shown> = given
        .services
        .iter()
        .flat_map(|service| service.frameworks.iter().chain(&service.background))
        .collect();
    used.extend(
        inventory
            .signals
            .iter()
            .filter(|signal| matches!(signal.kind, SignalKind::TaskDefined | SignalKind::TaskEnqueued))
            .filter_map(|signal| signal.subject.as_ref()),
    );
    let mut list = Vec::new();
    for store in infrastructure.stores.iter().filter(|store| store.in_container()) {
        let kind = &store.store.kind;
        let texts = words
            .queue
            .iter()
            .filter(|text: &&QueueText| text.stores.iter().any(|wanted| *kind == **wanted));
        for text in texts {
            let Some(library) = used
                .iter()
                .find(|used| text.libraries.iter().any(|wanted| ***used == **wanted))
            else {
                continue;
            };
            list.push(Queue {
                store: store.name.clone(),
                library: Some((*library).clone()),
                length: text.length.clone(),
            });
        }
        if let Some(length) = store.queue_length() {
            list.push(Queue {
                store: store.name.clone(),
                library: None,
                length,
            });
        }
    }
    list
}

/// Prefixes of routes up to a segment such as `v1`.
fn api_prefixes(given: &Given<'_>) -> Vec<Shown> {
    let mut prefixes = BTreeSet::new();
    for route in &given.inventory.routes {
        let mut prefix = String::new();
        for segment in route.path.as_str().split('/').skip(1) {
            prefix.push('/');
            prefix.push_str(segment);
            let version = segment.strip_prefix('v').is_some_and(|digits| {
                !digits.is_empty() && digits.len() < 3 && digits.bytes().all(|digit| digit.is_ascii_digit())
            });
            if version {
                if let Some(path) = UrlPath::parse(Raw::new(&prefix)) {
                    prefixes.insert(Shown::from(path));
                }
                break;
            }
        }
    }
    prefixes.into_iter().take(MOST_API_PREFIXES).collect()
}
