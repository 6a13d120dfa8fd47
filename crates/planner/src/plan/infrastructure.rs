//! Section 2: what is provisioned, how large, and who talks to whom. The sections after it use its names.

mod network;
mod packaged;
pub(crate) mod settings;
pub(crate) mod stores;
pub(crate) mod wiring;

use serde::Serialize;

use playbook_core::harmless::CommandLine;
use playbook_core::inventory::{Role, Service, Unit};
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

pub(crate) use stores::{Placement, Store};

use super::engine::Engines;
use super::{Given, Ledger, Offerings};
use crate::rules::facts;
use crate::sizing::{self, ConnectionTable, Figures, Plan, ProcessSize};

/// The decisions of section 2.
#[derive(Debug, Serialize)]
pub(crate) struct Infrastructure<'a> {
    /// Where each datastore lives.
    pub(crate) stores: Vec<Store<'a>>,
    /// Sizes of the processes, with the names under which they run.
    pub(crate) processes: Vec<Process<'a>>,
    /// Third-party processes of the repository's stack.
    third_party: Vec<ThirdParty<'a>>,
    /// Generated secrets that several processes share.
    shared_secrets: Vec<Shown>,
    /// The repository's own description for this target, unit by unit.
    units: &'a [Unit],
    /// The repository's own files for this target, in the order in which they are merged.
    pub(crate) files: Vec<Shown>,
    /// A name for the whole, for projects, namespaces and folders.
    pub(crate) name: Shown,
    /// Arithmetic of the host.
    host: Host,
    figures: Figures,
    pub(crate) connections: Vec<ConnectionTable>,
    network: Vec<network::Flow<'a>>,
}

/// A process of the repository's own.
#[derive(Debug, Serialize)]
pub(crate) struct Process<'a> {
    pub(crate) service: &'a Service,
    unit: Option<&'a Unit>,
    /// Name of its container, service or workload.
    pub(crate) name: Shown,
    pub(crate) size: ProcessSize,
    /// Name of the platform's plan that it fits into.
    plan: Option<Plan>,
    /// Worker processes that this plan runs, where they are fewer than the repository's.
    fewer: Option<u32>,
    /// The start command with that number.
    fewer_start: Option<Shown>,
    /// Does its image start it without a command of the platform?
    starts_by_image: bool,
    /// Is it reached from outside?
    public: bool,
    /// A job's schedule.
    schedule: Option<Shown>,
    settings: Vec<settings::Setting>,
    /// Does it stay up?
    pub(crate) long_running: bool,
}

/// A process of someone else.
#[derive(Debug, Serialize)]
struct ThirdParty<'a> {
    service: &'a Service,
    name: Shown,
    limit: u32,
}

/// One host for everything.
#[derive(Debug, Serialize)]
struct Host {
    /// MiB.
    sum: u32,
    /// MiB without a build on the host.
    sum_without_build: u32,
    /// GiB.
    size: u32,
    size_without_build: u32,
    /// Thousandths of a core that the processes ask for, and whole cores.
    cpu: u32,
    cores: u32,
    /// GB: 20 for system and images, 10 for each volume, room for backups.
    disk: u32,
    volumes: u32,
}

/// The name under which the repository's stack, or else the plan, runs a service.
pub(crate) fn process_name(given: &Given<'_>, service: &Service) -> Shown {
    given
        .unit_of(service)
        .map_or_else(|| service.name.clone(), |unit| unit.name.clone())
}

pub(super) fn build<'a>(
    given: &Given<'a>,
    engines: &Engines,
    offerings: &Offerings,
    figures: Figures,
    ledger: &mut Ledger,
) -> Infrastructure<'a> {
    let mut sizes = sizing::processes(given, &figures);
    let stated: Vec<u32> = sizes.iter().map(|size| size.processes).collect();
    sizing::fit(given, &figures, &mut sizes);
    let connections = sizing::tables(given, &figures, &sizes);
    let stores = stores::place(given, engines, offerings, &connections, &figures);

    let shared_secrets = settings::shared(given, &stores);
    let processes: Vec<Process<'a>> = given
        .services
        .iter()
        .filter_map(|service| {
            let at = sizes.iter().position(|size| size.service == service.id)?;
            let size = sizes.get(at)?.clone();
            let fewer = stated
                .get(at)
                .filter(|stated| **stated > size.processes)
                .map(|_| size.processes);
            let schedule = given
                .inventory
                .scheduled_jobs
                .iter()
                .find(|job| job.service.as_ref() == Some(&service.id))
                .and_then(|job| job.schedule.clone());
            Some(Process {
                service,
                unit: given.unit_of(service),
                name: process_name(given, service),
                plan: sizing::plan_for(given, &figures, &size),
                fewer_start: fewer.and_then(|fewer| with_workers(service, stated.get(at).copied()?, fewer)),
                fewer,
                starts_by_image: given.container_of(service).is_some_and(|container| {
                    container.command.is_some() && container.command == service.commands.start
                }),
                public: matches!(service.role, Role::Web | Role::Frontend)
                    && (given.web().is_some_and(|web| web.id == service.id)
                        || !given
                            .services
                            .iter()
                            .any(|other| other.depends_on.contains(&service.id))),
                schedule,
                settings: settings::of(given, service, &stores, &shared_secrets),
                size,
                long_running: !matches!(service.role, Role::Job | Role::Function),
            })
        })
        .collect();
    let third_party: Vec<ThirdParty<'a>> = given
        .third_party
        .iter()
        .map(|service| ThirdParty {
            service,
            name: process_name(given, service),
            limit: figures.third_party,
        })
        .collect();

    let host = host(given, &figures, &stores, &processes, &third_party);
    conditions(given, &stores, &connections, ledger);
    Infrastructure {
        network: network::flows(given, &stores),
        files: given
            .stack
            .map(|stack| {
                stack
                    .files
                    .iter()
                    .map(playbook_core::path::RelPath::shown)
                    .collect()
            })
            .unwrap_or_default(),
        name: given
            .stack
            .and_then(|stack| stack.name.clone())
            .or(given.inventory.project.name.clone())
            .unwrap_or_else(|| Shown::from("app")),
        units: given
            .stack
            .map(|stack| stack.units.as_slice())
            .unwrap_or_default(),
        shared_secrets,
        stores,
        processes,
        third_party,
        host,
        figures,
        connections,
    }
}

/// The start command with another number of workers, where the number stands there as a word of its own.
fn with_workers(service: &Service, stated: u32, wanted: u32) -> Option<Shown> {
    let start = facts::start(service)?;
    let mut replaced = false;
    let words: Vec<String> = start
        .words()
        .scan(String::new(), |before, word| {
            let option = before.clone();
            word.clone_into(before);
            Some(if option.starts_with('-') && word == stated.to_string() {
                replaced = true;
                wanted.to_string()
            } else if let Some(option) = word.strip_suffix(&format!("={stated}")) {
                replaced = true;
                format!("{option}={wanted}")
            } else {
                word.to_owned()
            })
        })
        .collect();
    let text = words.join(" ");
    CommandLine::parse(Raw::new(&text))
        .filter(|_| replaced)
        .map(Shown::from)
}

fn host(
    given: &Given<'_>,
    figures: &Figures,
    stores: &[Store<'_>],
    processes: &[Process<'_>],
    third_party: &[ThirdParty<'_>],
) -> Host {
    let running = processes
        .iter()
        .filter(|process| process.long_running)
        .map(|process| process.size.limit.saturating_mul(process.size.replicas));
    let containers = stores
        .iter()
        .filter_map(|store| store.limit)
        .chain(third_party.iter().map(|process| process.limit))
        .chain(running)
        .fold(figures.host, u32::saturating_add);
    let builds = !given.services.is_empty() && given.context.target.containers;
    let sum = containers.saturating_add(if builds { figures.build } else { 0 });
    let cpu = processes
        .iter()
        .filter(|process| process.long_running)
        .map(|process| process.size.cpu.saturating_mul(process.size.replicas))
        .fold(0u32, u32::saturating_add);
    let volumes = stores.iter().filter(|store| store.has_volume).count();
    let volumes = u32::try_from(volumes).unwrap_or(u32::MAX);
    Host {
        sum,
        sum_without_build: containers,
        size: figures.host_size(sum),
        size_without_build: figures.host_size(containers),
        cpu,
        cores: cpu.div_ceil(1000).max(2),
        disk: 20u32.saturating_add(volumes.saturating_mul(20)),
        volumes,
    }
}

fn conditions(given: &Given<'_>, stores: &[Store<'_>], connections: &[ConnectionTable], ledger: &mut Ledger) {
    let any = |test: &dyn Fn(&Store<'_>) -> bool| stores.iter().any(test);
    ledger.condition("has_datastores", !stores.is_empty());
    ledger.condition("has_container_stores", any(&|store| store.in_container()));
    ledger.condition(
        "has_host_stores",
        any(&|store| store.placement == Placement::Host),
    );
    ledger.condition("has_new_stores", any(&|store| store.placement == Placement::New));
    ledger.condition(
        "has_platform_stores",
        any(&|store| store.placement == Placement::Platform),
    );
    ledger.condition(
        "has_created_stores",
        any(&|store| {
            store.placement == Placement::New || store.placement == Placement::Platform && store.is_offered()
        }),
    );
    let stack_is_among = |fact: &str| {
        let kinds = given
            .context
            .target
            .facts
            .get(fact)
            .and_then(toml::Value::as_array);
        given.stack.is_some_and(|stack| {
            kinds
                .into_iter()
                .flatten()
                .any(|kind| kind.as_str().is_some_and(|kind| stack.kind == *kind))
        })
    };
    ledger.condition("stack_provisions", stack_is_among("provisioning-stacks"));
    ledger.condition("stack_builds", stack_is_among("building-stacks"));
    ledger.condition(
        "has_external_stores",
        any(&|store| store.placement == Placement::External),
    );
    ledger.condition(
        "has_neon",
        any(&|store| store.managed.is_some_and(|managed| *managed == "neon")),
    );
    ledger.condition(
        "has_file_stores",
        any(&|store| store.placement == Placement::File),
    );
    ledger.condition("has_durable_stores", any(&|store| store.durable));
    ledger.condition("has_dump", any(&|store| store.can_dump()));
    ledger.condition("has_connection_table", !connections.is_empty());
    ledger.condition(
        "has_infrastructure_code",
        given
            .inventory
            .infrastructure
            .iter()
            .any(|file| file.kind == "terraform" || file.kind == "pulumi" || file.kind == "cloudformation"),
    );
    ledger.condition(
        "publishes",
        given.web().is_some()
            || given
                .third_party
                .iter()
                .any(|service| service.role == Role::Proxy),
    );
}
