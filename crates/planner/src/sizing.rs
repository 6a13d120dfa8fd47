//! How many processes, how much memory, how many connections: numbers of the repository where it states them, figures
//! of `sizing.toml` and the catalogue where it does not.

mod connections;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use playbook_core::evidence::{Confidence, Evidence};
use playbook_core::inventory::{Role, Service, SignalKind};
use playbook_core::shown::Shown;

pub(crate) use connections::{ConnectionTable, tables};

use crate::plan::Given;
use crate::render::Templates;
use crate::target::TemplateError;

/// The figures of `sizing.toml`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all(deserialize = "kebab-case"), deny_unknown_fields)]
pub(crate) struct Figures {
    round_to: u32,
    pub(crate) host: u32,
    pub(crate) build: u32,
    host_sizes: Vec<u32>,
    pub(crate) third_party: u32,
    hashes_per_process: u32,
    hash_memory: BTreeMap<String, u32>,
    pub(crate) other_connections: OtherConnections,
    /// Share of a limit that is used by plan, in percent.
    pub(crate) mark: u32,
    process: Vec<ProcessFigures>,
}

/// Connections beside those of the services.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OtherConnections {
    pub(crate) backup: u32,
    pub(crate) monitoring: u32,
    pub(crate) administrators: u32,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct ProcessFigures {
    kinds: Vec<String>,
    worker: u32,
    parent: u32,
    cpu: u32,
}

impl Figures {
    pub(crate) fn load(templates: &Templates) -> Result<Self, TemplateError> {
        templates.parse_file("sizing.toml")
    }

    fn of(&self, runtime: Option<&Shown>) -> Option<&ProcessFigures> {
        let known = runtime.and_then(|runtime| {
            self.process
                .iter()
                .find(|figures| figures.kinds.iter().any(|kind| *runtime == **kind))
        });
        known.or_else(|| self.process.iter().find(|figures| figures.kinds.is_empty()))
    }

    /// The next multiple of the step in which limits are set.
    pub(crate) fn round(&self, mib: u32) -> u32 {
        let step = self.round_to.max(1);
        mib.div_ceil(step).max(1).saturating_mul(step)
    }

    /// The smallest host, in GiB, that holds so much memory, in MiB.
    pub(crate) fn host_size(&self, mib: u32) -> u32 {
        self.host_sizes
            .iter()
            .copied()
            .find(|gib| gib.saturating_mul(1024) >= mib)
            .or(self.host_sizes.last().copied())
            .unwrap_or(0)
    }
}

/// Hashes of passwords computed at the same moment.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Hashing {
    /// The algorithm.
    algorithm: Shown,
    at_once: u32,
    /// MiB for each.
    each: u32,
    mib: u32,
    evidence: Vec<Evidence>,
}

/// The size of one process type, for one instance.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ProcessSize {
    /// Id of the service.
    pub(crate) service: Shown,
    /// Worker processes of one instance.
    pub(crate) processes: u32,
    /// Does the repository state them?
    pub(crate) stated: bool,
    /// Where it does.
    pub(crate) place: Option<Evidence>,
    /// MiB of one worker.
    pub(crate) per_process: u32,
    /// MiB of what runs beside the workers.
    pub(crate) parent: u32,
    /// MiB at rest: workers and parent.
    pub(crate) rest: u32,
    pub(crate) hashing: Option<Hashing>,
    /// MiB of the limit: rest and hashing, rounded up.
    pub(crate) limit: u32,
    /// MiB that a limit of the repository states.
    pub(crate) limit_stated: Option<Shown>,
    /// Thousandths of a core that it can use at most.
    pub(crate) cpu: u32,
    /// Thousandths of a core that are set aside for it: a quarter, because workers wait most of the time.
    pub(crate) cpu_request: u32,
    /// Instances.
    pub(crate) replicas: u32,
    pub(crate) replicas_stated: bool,
    /// May only one instance run?
    pub(crate) singleton: bool,
}

/// Instances of a service: one for what may run once only, else what the user wants, the stack or the service says.
pub(crate) fn replicas(given: &Given<'_>, service: &Service) -> (u32, bool) {
    if service.singleton || service.role == Role::Scheduler || service.role == Role::Job {
        return (1, false);
    }
    let wanted = match service.role {
        Role::Web | Role::Frontend => given.context.replicas,
        _ => None,
    };
    let stated = wanted
        .or_else(|| given.unit_of(service).and_then(|unit| unit.replicas))
        .or(service.replicas)
        .filter(|replicas| *replicas > 0);
    (stated.unwrap_or(1), stated.is_some())
}

/// The sizes of all services of the repository's own.
pub(crate) fn processes(given: &Given<'_>, figures: &Figures) -> Vec<ProcessSize> {
    given
        .services
        .iter()
        .map(|service| process(given, figures, service))
        .collect()
}

fn process(given: &Given<'_>, figures: &Figures, service: &Service) -> ProcessSize {
    let kind = figures.of(service.runtime.name.as_ref().or(service.language.as_ref()));
    let (per_process, parent, cpu) = kind.map_or((256, 0, 500), |kind| (kind.worker, kind.parent, kind.cpu));
    let processes = service.workers.unwrap_or(1).max(1);
    let parent = if processes > 1 { parent } else { 0 };
    let rest = processes.saturating_mul(per_process).saturating_add(parent);
    let hashing = hashing(given, figures, service, processes);
    let limit = figures.round(rest.saturating_add(hashing.as_ref().map_or(0, |hashing| hashing.mib)));
    let cpu = if processes > 1 {
        processes.saturating_mul(cpu)
    } else {
        cpu.min(500)
    };
    let (replicas, replicas_stated) = replicas(given, service);
    let cpu = if service.role == Role::Job { 0 } else { cpu };
    ProcessSize {
        service: service.id.clone(),
        processes,
        stated: service.workers.is_some(),
        place: Given::start_place(service).cloned(),
        per_process,
        parent,
        rest,
        hashing,
        limit,
        limit_stated: given.unit_of(service).and_then(|unit| unit.memory.clone()),
        cpu,
        cpu_request: (cpu / 4).next_multiple_of(50).clamp(100, 1000),
        replicas,
        replicas_stated,
        singleton: service.singleton || service.role == Role::Scheduler,
    }
}

fn hashing(given: &Given<'_>, figures: &Figures, service: &Service, processes: u32) -> Option<Hashing> {
    if service.role != Role::Web {
        return None;
    }
    let signal = given.inventory.signals.iter().find(|signal| {
        signal.kind == SignalKind::PasswordHash && signal.service.as_ref().is_none_or(|id| *id == service.id)
    })?;
    let algorithm = signal.subject.clone()?;
    let each = *figures.hash_memory.get(algorithm.as_str())?;
    let at_once = processes.saturating_mul(figures.hashes_per_process);
    Some(Hashing {
        algorithm,
        at_once,
        each,
        mib: at_once.saturating_mul(each),
        evidence: signal.evidence.clone(),
    })
}

/// A size that the platform sells.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plan {
    name: String,
    /// MiB.
    memory: u32,
    /// Thousandths of a core.
    cpu: u32,
}

fn plans(given: &Given<'_>) -> Vec<Plan> {
    given
        .context
        .target
        .facts
        .get("plans")
        .and_then(|plans| plans.clone().try_into().ok())
        .unwrap_or_default()
}

/// The smallest plan of the platform of whose memory the process at rest uses no more than the mark.
pub(crate) fn plan_for(given: &Given<'_>, figures: &Figures, size: &ProcessSize) -> Option<Plan> {
    let plans = plans(given);
    let fits = |plan: &&Plan| plan.memory.saturating_mul(figures.mark) / 100 >= size.rest;
    plans.iter().find(fits).or(plans.last()).cloned()
}

/// On a platform that sells sizes, fewer workers than the repository asks for where its own number opens more
/// connections during a rollout than the database admits by plan.
pub(crate) fn fit(given: &Given<'_>, figures: &Figures, sizes: &mut [ProcessSize]) {
    if plans(given).is_empty() {
        return;
    }
    for _ in 0..64 {
        let tables = tables(given, figures, sizes);
        if tables.iter().all(ConnectionTable::within_mark) {
            return;
        }
        let Some(largest) = sizes
            .iter_mut()
            .filter(|size| size.processes > 1)
            .max_by_key(|size| size.processes)
        else {
            return;
        };
        largest.processes -= 1;
        let parent = if largest.processes > 1 { largest.parent } else { 0 };
        largest.parent = parent;
        largest.rest = largest
            .processes
            .saturating_mul(largest.per_process)
            .saturating_add(parent);
        if let Some(hashing) = &mut largest.hashing {
            hashing.at_once = largest.processes.saturating_mul(figures.hashes_per_process);
            hashing.mib = hashing.at_once.saturating_mul(hashing.each);
        }
        largest.limit = figures.round(
            largest
                .rest
                .saturating_add(largest.hashing.as_ref().map_or(0, |hashing| hashing.mib)),
        );
        largest.stated = false;
    }
}

/// Is a number the repository's own, or a default?
pub(crate) fn stated(confidence: Confidence) -> bool {
    confidence == Confidence::Stated
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{api_with_database, context};

    #[test]
    fn memory_is_workers_parent_and_hashes_rounded_up() {
        let inventory = api_with_database();
        let context = context("compose");
        let given = Given::new(&inventory, &context, &[]);
        let figures = Figures::load(&Templates::default()).expect("sizing.toml is in order");
        let sizes = processes(&given, &figures);
        let backend = sizes
            .iter()
            .find(|size| size.service == "backend")
            .expect("the API");
        assert_eq!((backend.processes, backend.stated), (4, true));
        assert_eq!(backend.rest, 4 * 150 + 100);
        assert_eq!(backend.hashing.as_ref().map(|hashing| hashing.mib), Some(12 * 64));
        assert_eq!(backend.limit, 1536);
        assert_eq!(figures.host_size(5632), 8);
        assert_eq!(figures.host_size(1024), 1);
    }

    #[test]
    fn figures_exist_for_every_runtime_and_for_an_unknown_one() {
        let figures = Figures::load(&Templates::default()).expect("sizing.toml is in order");
        for runtime in [
            "python", "node", "bun", "deno", "jvm", "go", "rust", "ruby", "php", "dotnet", "beam", "cobol",
        ] {
            assert!(figures.of(Some(&Shown::from(runtime))).is_some(), "{runtime}");
        }
        assert!(figures.of(None).is_some());
    }
}
