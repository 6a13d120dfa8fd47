//! Section 6: every process with its command, resources, probes and dependencies, and what else deploys it.

pub(crate) mod host;
mod pipeline;

use serde::Serialize;

use playbook_core::evidence::{Evidence, Scope};
use playbook_core::harmless::Name;
use playbook_core::inventory::{
    DocumentedCommand, HealthCheck, Probe, Role, ScheduledJob, Service, Signal, SignalKind, Stack, Unit,
};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Group};

use self::pipeline::Pipeline;
use super::edge::{EdgeFile, Preset};
use super::given::hedge;
use super::images::Images;
use super::infrastructure::{Infrastructure, Placement, Process, process_name};
use super::secrets::Secrets;
use super::{Given, Ledger, Parameter};
use crate::prose::Prose;
use crate::rules::{facts, knowledge};

/// Shortest time to stop that the plan sets, in seconds, where a platform lets it choose: what most servers need to
/// finish open requests.
const GRACE: u32 = 30;

/// The decisions of section 6.
#[derive(Debug, Serialize)]
pub(crate) struct Services<'a> {
    pub(crate) processes: Vec<Wired<'a>>,
    pub(crate) third_party: Vec<Neighbour<'a>>,
    /// Pipelines that deploy.
    pipelines: Vec<Pipeline<'a>>,
    /// Places where a signal to stop is handled.
    handled: Vec<&'a Signal>,
    /// State in the memory of a process.
    in_memory: Vec<&'a Signal>,
    /// Jobs by the clock that no process of this plan starts.
    clock: Vec<Clock<'a>>,
    /// Is there one among them whose command and time are known?
    clock_runnable: bool,
    /// Jobs by the clock that a process of this plan starts.
    scheduled: Vec<&'a ScheduledJob>,
    /// Names of variables that set the number of workers, with the services that read them.
    scale: Vec<Scale<'a>>,
    /// Is there a process of the repository's stack whose image this plan builds?
    retagged: bool,
    /// Stacks of the repository for this target that are for development only, where it has no other.
    development: Vec<&'a Stack>,
    /// Commands that the documentation gives for a deployment with these files.
    documented: Vec<&'a DocumentedCommand>,
    /// Does the repository's stack fix the name of the whole?
    named: bool,
    /// Names of datastores that this plan brings with a volume.
    new_volumes: Vec<Shown>,
    /// Kind of the repository's stack for this target.
    stack_kind: Option<&'a Shown>,
    /// Labels (`name=value`) that the stack's placement wants of a node.
    node_labels: Vec<Shown>,
    /// Secrets and networks that the stack refers to without making them.
    outside_secrets: &'a [Shown],
    outside_networks: &'a [Shown],
    /// What a host without containers needs, where the target is one.
    host: Option<host::Host<'a>>,
    /// The single folder of all the stack's files, where there is one; of Terraform's modules the one that calls them.
    folder: Option<Shown>,
}

/// A process of the repository's own.
#[derive(Debug, Serialize)]
pub(crate) struct Wired<'a> {
    pub(crate) service: &'a Service,
    pub(crate) unit: Option<&'a Unit>,
    /// Name of its container, service or workload.
    pub(crate) name: Shown,
    /// Name of its image without registry and tag, where this plan builds it.
    image: Option<Shown>,
    /// An image that is pulled.
    pulled: Option<Shown>,
    pub(crate) long_running: bool,
    /// Does it run to its end and then stop?
    job: bool,
    /// MiB, thousandths of a core.
    limit: u32,
    /// Nine tenths of the limit.
    alarm: u32,
    request: u32,
    cpu: u32,
    cpu_request: u32,
    /// May instances be added while it runs: it answers requests and keeps nothing of its own?
    scales: bool,
    replicas: u32,
    /// May it run only once, also during a rollout?
    pub(crate) single: bool,
    /// Why it may run only once.
    single_places: Vec<&'a Evidence>,
    start: Option<Shown>,
    /// Words of the start command, where it is a simple one.
    start_words: Vec<Shown>,
    start_place: Option<&'a Evidence>,
    start_hedge: Option<&'static str>,
    /// Is the start command another one than the image's own?
    start_differs: bool,
    /// Can the image's own shell read a file of settings before the start command? Then that is known, and the image
    /// has no entry point that would be passed over.
    takes_settings: bool,
    pub(crate) port: Option<u16>,
    port_hedge: Option<&'static str>,
    pub(crate) health: Option<&'a HealthCheck>,
    /// The path alone, where nothing more is known of it.
    pub(crate) health_path: Option<&'a Shown>,
    /// Does the health path want authentication?
    health_closed: bool,
    probes: &'a [Probe],
    /// Program of the image that can ask the health path.
    probe_with: Option<&'static str>,
    needs: Vec<Need>,
    restart: Option<&'a Shown>,
    grace_stated: Option<&'a Shown>,
    /// Seconds that this plan gives it to stop.
    grace: u32,
    /// The same with the time before the signal, in a cluster.
    kill_after: u32,
    /// Seconds that its server waits for open requests, where the server has a limit.
    drain: Option<u32>,
    /// Slug of the framework's or server's manner to stop.
    stops: Option<&'static str>,
    /// What the proxy before it needs.
    presets: Vec<Preset>,
    /// Those of them that a variable sets and that nothing sets yet.
    sets: Vec<Preset>,
    /// Names of required variables that the stack does not pass.
    lacks: Vec<&'a Shown>,
    /// Does this plan add a health check, because neither stack nor image has one?
    adds_probe: bool,
    /// What this plan's own file starts before it.
    starts_after: Vec<After>,
    /// User of its image, where it is not root.
    user: Option<&'a Shown>,
    /// Numeric user of its image.
    user_id: Option<u32>,
    /// Folder of its new image in which its framework keeps files, where the code writes to the disk.
    pub(crate) keeps: Option<Prose>,
    /// Paths that hold data.
    data: Vec<&'a playbook_core::inventory::Mount>,
    /// Ports that the stack publishes to every address of the host.
    published: Vec<&'a playbook_core::inventory::PublishedPort>,
}

/// The folder in which the framework of a service keeps files, where this plan builds the image and the code writes to
/// its own disk.
fn kept_folder(given: &Given<'_>, service: &Service, brought: bool) -> Option<Prose> {
    let writes = given.inventory.signals.iter().any(|signal| {
        signal.kind == SignalKind::LocalFiles
            && signal.scope == Scope::Production
            && signal.service.as_ref().is_none_or(|id| *id == service.id)
    });
    if !brought || !writes {
        return None;
    }
    service.frameworks.iter().find_map(|slug| {
        let technology = Catalogue::get().find(Group::Framework, slug.as_str())?;
        let storage = technology.framework.as_ref()?.storage?;
        Some(Prose::new(storage.to_owned()))
    })
}

/// A process of somebody else in the repository's stack.
#[derive(Debug, Serialize)]
pub(crate) struct Neighbour<'a> {
    pub(crate) service: &'a Service,
    pub(crate) unit: Option<&'a Unit>,
    pub(crate) name: Shown,
    /// A tool for people: not started with the rest.
    left_out: bool,
}

/// Something that has to be there first.
#[derive(Debug, Serialize)]
struct Need {
    name: Shown,
    condition: Option<Shown>,
}

/// Something of this plan's own file that starts first.
#[derive(Debug, Serialize)]
struct After {
    name: Shown,
    healthy: bool,
}

/// A job that runs by the clock.
#[derive(Debug, Serialize)]
struct Clock<'a> {
    name: Shown,
    schedule: Option<&'a Shown>,
    /// The same, where it is an expression of cron.
    cron: Option<Shown>,
    command: Option<Shown>,
    /// The process whose image it runs in.
    process: Option<Shown>,
    image: Option<Shown>,
    evidence: &'a [Evidence],
}

/// A variable that sets how many workers run.
#[derive(Debug, Serialize)]
struct Scale<'a> {
    name: &'a Shown,
    services: &'a [Shown],
    default: Option<&'a Shown>,
    evidence: Vec<&'a Evidence>,
}

pub(super) fn build<'a>(
    given: &Given<'a>,
    infrastructure: &Infrastructure<'a>,
    images: &Images<'a>,
    secrets: &Secrets<'a>,
    edge: &EdgeFile,
    runtimes: &host::Runtimes,
    ledger: &mut Ledger,
) -> Services<'a> {
    let processes: Vec<Wired<'a>> = infrastructure
        .processes
        .iter()
        .map(|process| wired(given, infrastructure, images, secrets, edge, process))
        .collect();
    let third_party: Vec<Neighbour<'a>> = given
        .third_party
        .iter()
        .map(|service| Neighbour {
            service,
            unit: given.unit_of(service),
            name: process_name(given, service),
            left_out: service.role == Role::Tool && !needed(given, service),
        })
        .collect();
    let clock = clock(given, images, &processes);
    let scheduled: Vec<&ScheduledJob> = given
        .inventory
        .scheduled_jobs
        .iter()
        .filter(|job| {
            job.service.as_ref().is_some_and(|id| {
                processes
                    .iter()
                    .any(|process| process.service.id == *id && process.long_running)
            })
        })
        .collect();
    let pipelines = pipeline::pipelines(given);
    let stack = given.stack;
    let result = Services {
        handled: signals(given, SignalKind::GracefulShutdown),
        in_memory: signals(given, SignalKind::InMemoryState),
        scale: scale(given, edge),
        new_volumes: infrastructure
            .stores
            .iter()
            .filter(|store| store.placement == Placement::New && store.has_volume && store.in_container())
            .map(|store| store.name.clone())
            .collect(),
        documented: documented(given),
        retagged: processes
            .iter()
            .any(|process| process.unit.is_some() && process.is_built() && process.long_running),
        development: development(given),
        stack_kind: stack.map(|stack| &stack.kind),
        named: stack.is_some_and(|stack| stack.name.is_some()),
        node_labels: stack.map(node_labels).unwrap_or_default(),
        outside_secrets: stack.map_or(&[], |stack| stack.outside_secrets.as_slice()),
        outside_networks: stack.map_or(&[], |stack| stack.outside_networks.as_slice()),
        folder: stack.and_then(|stack| {
            let of = |file: &RelPath| {
                if stack.kind == "helm" {
                    chart_folder(file)
                } else {
                    file.parent()
                }
            };
            // Modules lie below the folder from which they are called.
            let modules = stack.kind == "terraform";
            let parent = stack
                .files
                .iter()
                .map(of)
                .min_by_key(|folder| folder.components().count())?;
            (modules || stack.files.iter().all(|file| of(file) == parent)).then(|| {
                if parent.is_root() {
                    Shown::from(".")
                } else {
                    parent.shown()
                }
            })
        }),
        host: host::build(given, infrastructure, secrets, &processes, runtimes),
        processes,
        third_party,
        pipelines,
        clock_runnable: clock
            .iter()
            .any(|job| job.command.is_some() && job.cron.is_some() && job.image.is_some()),
        clock,
        scheduled,
    };
    conditions(given, &result, ledger);
    result
}

/// Labels of nodes that constraints of the form `node.labels.name == value` ask for.
fn node_labels(stack: &Stack) -> Vec<Shown> {
    let label = |constraint: &Shown| {
        let (name, value) = constraint
            .as_str()
            .strip_prefix("node.labels.")?
            .split_once("==")?;
        let plain = |text: &str| Name::parse(Raw::new(text.trim())).map(Shown::from);
        Some(Shown::fill("{}={}", &[&plain(name)?, &plain(value)?]))
    };
    let mut labels: Vec<Shown> = stack
        .units
        .iter()
        .flat_map(|unit| &unit.placement)
        .filter_map(label)
        .collect();
    labels.sort();
    labels.dedup();
    labels
}

/// The folder of the chart that a file belongs to: a chart is installed as a whole.
fn chart_folder(file: &RelPath) -> RelPath {
    let parent = file.parent();
    let mut folder = parent.clone();
    while !folder.is_root() {
        if folder.name() == "templates" {
            return folder.parent();
        }
        folder = folder.parent();
    }
    parent
}

fn conditions(given: &Given<'_>, services: &Services<'_>, ledger: &mut Ledger) {
    ledger.condition(
        "has_health_check",
        given
            .services
            .iter()
            .any(|service| !service.health_checks.is_empty()),
    );
    ledger.condition(
        "has_pipeline",
        services.pipelines.iter().any(Pipeline::is_for_this_target),
    );
    ledger.condition(
        "has_other_pipeline",
        services.pipelines.iter().any(Pipeline::is_to_be_stopped),
    );
    let host = services.host.as_ref();
    ledger.condition("has_host_units", host.is_some_and(host::Host::has_units));
    ledger.condition("has_host_builds", host.is_some_and(host::Host::has_builds));
    ledger.condition("has_host_timers", host.is_some_and(host::Host::has_timers));
    ledger.condition("has_host_settings", host.is_some_and(host::Host::has_settings));
    ledger.condition("has_clock_jobs", !services.clock.is_empty());
    ledger.condition(
        "has_workers",
        services
            .processes
            .iter()
            .any(|process| process.service.role == Role::Worker),
    );
    ledger.condition(
        "has_front_end",
        services
            .processes
            .iter()
            .any(|process| process.service.role == Role::Frontend),
    );
    ledger.condition(
        "has_processes",
        services.processes.iter().any(|process| process.long_running),
    );
}

fn wired<'a>(
    given: &Given<'a>,
    infrastructure: &Infrastructure<'a>,
    images: &Images<'a>,
    secrets: &Secrets<'a>,
    edge: &EdgeFile,
    process: &Process<'a>,
) -> Wired<'a> {
    let service = process.service;
    let unit = given.unit_of(service);
    let container = given.container_of(service);
    let built = images.builds.iter().find(|build| build.runs(&process.name));
    let start = unit
        .and_then(|unit| unit.command.as_ref())
        .or(service.commands.start.as_ref());
    let image_start =
        container.and_then(|container| container.command.as_ref().or(container.entrypoint.as_ref()));
    let server = facts::start(service).and_then(|start| {
        let words: Vec<&str> = start.as_str().split_whitespace().collect();
        let catalogue = Catalogue::get();
        catalogue
            .by_command(catalogue.without_wrappers(&words))
            .into_iter()
            .find_map(|technology| technology.server.as_ref().map(|server| (technology.id, server)))
    });
    let framework = service.frameworks.iter().find_map(|slug| {
        Catalogue::get()
            .find(Group::Framework, slug.as_str())
            .and_then(|technology| technology.framework.as_ref())
    });
    let drain = server
        .and_then(|(_, server)| server.graceful_seconds)
        .or_else(|| framework.and_then(|framework| framework.shutdown_seconds));
    let health = service
        .health
        .iter()
        .find(|check| !check.authenticated)
        .or(service.health.first());
    let presets = edge.presets(service, server.map(|(id, _)| id));
    let passed =
        |name: &str| unit.is_some_and(|unit| unit.variables.iter().any(|variable| variable.name == *name));
    let single = process.size.singleton || service.role == Role::Scheduler;
    Wired {
        unit,
        name: process.name.clone(),
        image: built.map(|build| build.name.clone()),
        pulled: unit
            .and_then(|unit| unit.image.clone())
            .or_else(|| service.image.clone())
            .filter(|_| built.is_none()),
        long_running: process.long_running,
        job: service.role == Role::Job,
        limit: process.size.limit,
        alarm: process.size.limit.saturating_mul(9) / 10,
        request: process.size.rest,
        cpu: process.size.cpu,
        cpu_request: process.size.cpu_request,
        scales: service.role == Role::Web
            && process.long_running
            && !single
            && !unit.is_some_and(|unit| unit.mounts.iter().any(|mount| !mount.read_only))
            && !keeps_state(given, service)
            && !infrastructure
                .stores
                .iter()
                .any(|store| store.placement == Placement::File),
        replicas: if single { 1 } else { process.size.replicas },
        single,
        single_places: if single {
            single_places(given, service)
        } else {
            Vec::new()
        },
        start: start.map(Shown::from),
        start_words: start
            .filter(|start| {
                !start
                    .as_str()
                    .contains(['&', ';', '|', '(', '$', '>', '<', '"', '\'', '\\', '`', '*'])
            })
            .map(|start| words(start.as_str()))
            .unwrap_or_default(),
        start_place: Given::start_place(service),
        start_hedge: hedge(service.start_confidence),
        start_differs: match (start, image_start) {
            (Some(start), Some(image)) => start.as_str() != image.as_str(),
            (Some(_), None) => container.is_some(),
            (None, _) => false,
        },
        takes_settings: start.is_some()
            && built.is_some_and(|build| {
                build.shell
                    && build
                        .container
                        .is_some_and(|container| container.entrypoint.is_none())
            }),
        port: service.ports.first().copied(),
        port_hedge: hedge(service.port_confidence),
        health_closed: health.is_some_and(|health| health.authenticated),
        health,
        health_path: health
            .map(|check| &check.path)
            .or_else(|| service.health_checks.first()),
        probes: unit.map(|unit| unit.probes.as_slice()).unwrap_or_default(),
        probe_with: probe_with(given, service),
        needs: needs(given, infrastructure, service, unit),
        restart: unit.and_then(|unit| unit.restart.as_ref()),
        grace_stated: unit.and_then(|unit| unit.stop_grace.as_ref()),
        kill_after: GRACE
            .max(drain.map_or(0, |seconds| seconds.saturating_add(5)))
            .saturating_add(5),
        grace: GRACE.max(drain.map_or(0, |seconds| seconds.saturating_add(5))),
        drain,
        stops: server
            .map(|(id, _)| id)
            .or_else(|| framework.and_then(|framework| framework.shutdown)),
        sets: presets
            .iter()
            .filter(|preset| preset.variable().is_some_and(|name| !passed(name)))
            .filter(|_| service.role == Role::Web)
            .cloned()
            .collect(),
        presets,
        lacks: given
            .variables
            .iter()
            .filter(|variable| {
                variable.required
                    && variable.services.contains(&service.id)
                    && unit.is_some_and(|unit| unit.env_files.is_empty())
                    && !passed(variable.name.as_str())
                    && Parameter::new(&variable.name).is_some()
                    && secrets.stores(&variable.name)
            })
            .map(|variable| &variable.name)
            .collect(),
        adds_probe: process.long_running
            && !service.ports.is_empty()
            && unit.is_none_or(|unit| unit.probes.is_empty())
            && container.is_none_or(|container| container.healthcheck.is_none())
            && probe_with(given, service).is_some()
            && health.is_some_and(|health| !health.authenticated),
        starts_after: starts_after(given, infrastructure, service),
        user: container.and_then(|container| container.user.as_ref()),
        user_id: container
            .and_then(|container| container.user.as_ref())
            .and_then(|user| user.as_str().split(':').next()?.parse().ok())
            .filter(|id| *id > 0),
        keeps: kept_folder(given, service, container.is_none() && unit.is_none()),
        data: unit
            .map(|unit| {
                unit.mounts
                    .iter()
                    .filter(|mount| {
                        !mount.read_only
                            && matches!(
                                mount.kind,
                                playbook_core::inventory::MountKind::Volume
                                    | playbook_core::inventory::MountKind::Bind
                            )
                    })
                    .collect()
            })
            .unwrap_or_default(),
        published: unit
            .map(|unit| unit.ports.iter().filter(|port| port.published).collect())
            .unwrap_or_default(),
        service,
    }
}

/// Does it keep state in the memory of a process?
fn keeps_state(given: &Given<'_>, service: &Service) -> bool {
    given.inventory.signals.iter().any(|signal| {
        signal.kind == SignalKind::InMemoryState
            && signal.scope == Scope::Production
            && signal.service.as_ref().is_none_or(|id| *id == service.id)
    })
}

/// The five fields of a schedule, where it is one that a cron understands.
fn cron(schedule: &Shown) -> Option<Shown> {
    let fields: Vec<&str> = schedule.as_str().split_whitespace().collect();
    let plain = |field: &&str| {
        field
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "*/,-".contains(c))
            && field.starts_with(|c: char| c.is_ascii_digit() || c == '*' || c.is_ascii_uppercase())
    };
    (fields.len() == 5 && fields.iter().all(plain)).then(|| schedule.clone())
}

/// Words of a simple command, each harmless as a part of the command that the inventory holds.
fn words(command: &str) -> Vec<Shown> {
    command
        .split_whitespace()
        .filter_map(|word| {
            playbook_core::harmless::CommandLine::parse(Raw::new(word)).map(|word| Shown::from(&word))
        })
        .collect()
}

/// Places that tell why only one may run: the scheduler, the timer, the state in memory.
fn single_places<'a>(given: &Given<'a>, service: &'a Service) -> Vec<&'a Evidence> {
    let mut places: Vec<&Evidence> = given
        .inventory
        .signals
        .iter()
        .filter(|signal| {
            signal.scope == Scope::Production
                && signal.kind == SignalKind::InProcessScheduler
                && signal.service.as_ref().is_none_or(|id| *id == service.id)
        })
        .filter_map(|signal| signal.evidence.first())
        .take(2)
        .collect();
    if places.is_empty() {
        places.extend(Given::start_place(service));
    }
    places
}

/// What of this plan's own file starts before a service.
fn starts_after(given: &Given<'_>, infrastructure: &Infrastructure<'_>, service: &Service) -> Vec<After> {
    let stores = infrastructure
        .stores
        .iter()
        .filter(|store| store.in_container())
        .filter(|store| {
            store.store.used_by.contains(&service.id) || service.depends_on.contains(&store.store.id)
        })
        .map(|store| After {
            name: store.name.clone(),
            healthy: store.has_ready(),
        });
    let services = given
        .services
        .iter()
        .filter(|other| {
            other.id != service.id && service.depends_on.contains(&other.id) && other.role != Role::Job
        })
        .map(|other| After {
            name: process_name(given, other),
            healthy: false,
        });
    let mut list: Vec<After> = stores.chain(services).collect();
    list.sort_by(|a, b| a.name.cmp(&b.name));
    list.dedup_by(|a, b| a.name == b.name);
    list
}

fn needs(
    given: &Given<'_>,
    infrastructure: &Infrastructure<'_>,
    service: &Service,
    unit: Option<&Unit>,
) -> Vec<Need> {
    if let Some(unit) = unit.filter(|unit| !unit.depends_on.is_empty()) {
        return unit
            .depends_on
            .iter()
            .map(|need| Need {
                name: need.unit.clone(),
                condition: need.condition.clone(),
            })
            .collect();
    }
    service
        .depends_on
        .iter()
        .filter_map(|id| {
            let name = given
                .inventory
                .service(id.as_str())
                .map(|service| process_name(given, service))
                .or_else(|| {
                    infrastructure
                        .stores
                        .iter()
                        .find(|store| store.store.id == *id)
                        .map(|store| store.name.clone())
                })?;
            Some(Need {
                name,
                condition: None,
            })
        })
        .collect()
}

/// A program of the image that can ask for a path, as far as its base or runtime shows.
fn probe_with(given: &Given<'_>, service: &Service) -> Option<&'static str> {
    let runtime = match service.runtime.name.as_ref().map(Shown::as_str) {
        Some("python") => Some("python"),
        Some("node") => Some("node"),
        Some("php") => Some("php"),
        _ => None,
    };
    let base = given
        .container_of(service)
        .and_then(|container| container.stages.last())
        .and_then(|stage| stage.base.as_ref())
        .and_then(facts::image);
    let facts = base.as_ref().and_then(|base| {
        Catalogue::get()
            .base_image(base.repository(), base.tag())
            .and_then(|technology| technology.image.as_ref())
    });
    match facts {
        Some(image) if image.curl == Some(true) => Some("curl"),
        Some(image) if image.wget == Some(true) => Some("wget"),
        _ => runtime,
    }
}

/// Does a process of the repository's own stack depend on this one?
fn needed(given: &Given<'_>, service: &Service) -> bool {
    let name = process_name(given, service);
    given.stack.is_some_and(|stack| {
        stack
            .units
            .iter()
            .any(|unit| unit.depends_on.iter().any(|need| need.unit == name))
    })
}

fn clock<'a>(given: &Given<'a>, images: &Images<'a>, processes: &[Wired<'a>]) -> Vec<Clock<'a>> {
    let image_of = |name: &Shown| {
        images
            .builds
            .iter()
            .find(|build| build.runs(name))
            .map(|build| build.name.clone())
    };
    given
        .inventory
        .scheduled_jobs
        .iter()
        // Steps of CI by the clock stay where they are; a process that runs starts its own.
        .filter(|job| !matches!(job.runner.as_str(), "github-actions" | "gitlab-ci" | "circleci"))
        .filter(|job| {
            job.service.as_ref().is_none_or(|id| {
                !processes
                    .iter()
                    .any(|process| process.service.id == *id && process.long_running)
            })
        })
        .map(|job| {
            let service = job
                .service
                .as_ref()
                .and_then(|id| given.inventory.service(id.as_str()));
            let process = service
                .map(|service| process_name(given, service))
                .or_else(|| given.web().map(|service| process_name(given, service)));
            Clock {
                name: job.name.clone(),
                schedule: job.schedule.as_ref(),
                cron: job.schedule.as_ref().and_then(cron),
                command: service
                    .and_then(|service| service.commands.start.as_ref())
                    .map(Shown::from),
                image: process.as_ref().and_then(image_of),
                process,
                evidence: &job.evidence,
            }
        })
        .collect()
}

fn signals<'a>(given: &Given<'a>, kind: SignalKind) -> Vec<&'a Signal> {
    given
        .inventory
        .signals
        .iter()
        .filter(|signal| signal.kind == kind && signal.scope == Scope::Production)
        .collect()
}

/// Variables that set how many processes or threads work.
fn scale<'a>(given: &Given<'a>, edge: &EdgeFile) -> Vec<Scale<'a>> {
    given
        .variables
        .iter()
        .filter(|variable| !variable.secret && edge.is_for("scale", variable.name.as_str()))
        .map(|variable| Scale {
            name: &variable.name,
            services: &variable.services,
            default: variable.default.as_ref(),
            evidence: variable.evidence.iter().take(2).collect(),
        })
        .collect()
}

/// Stacks for this target that nobody should run in production, where the repository has no other.
fn development<'a>(given: &Given<'a>) -> Vec<&'a Stack> {
    if given.stack.is_some() {
        return Vec::new();
    }
    given
        .inventory
        .stacks
        .iter()
        .filter(|stack| {
            stack.scope != Scope::Production
                && given
                    .context
                    .target
                    .stacks
                    .iter()
                    .any(|kind| stack.kind == **kind)
        })
        .take(4)
        .collect()
}

/// Commands of the documentation that deploy to this target.
fn documented<'a>(given: &Given<'a>) -> Vec<&'a DocumentedCommand> {
    given
        .inventory
        .documented_commands
        .iter()
        .filter(|documented| {
            knowledge::get().deploy_commands.iter().any(|known| {
                given.context.target.is(known.platform) && documented.command.as_str().contains(known.words)
            })
        })
        .take(4)
        .collect()
}

impl Services<'_> {
    /// Does the service keep state in its memory?
    pub(crate) fn keeps_state(&self, service: &Service) -> bool {
        self.in_memory
            .iter()
            .any(|signal| signal.service.as_ref() == Some(&service.id))
    }
}

impl Neighbour<'_> {
    pub(crate) fn left_out(&self) -> bool {
        self.left_out
    }
}

impl Wired<'_> {
    /// Seconds between the signal to stop and the kill.
    pub(crate) fn stop_seconds(&self) -> u32 {
        self.grace
    }

    /// Is its image built by this plan?
    pub(crate) fn is_built(&self) -> bool {
        self.image.is_some()
    }

    /// Does it hold a port of the host?
    pub(crate) fn publishes(&self) -> bool {
        self.published.iter().any(|port| port.host.is_some())
    }

    /// What the proxy before it needs.
    pub(crate) fn presets(&self) -> &[Preset] {
        &self.presets
    }
}
