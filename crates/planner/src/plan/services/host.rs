//! What a host without containers needs: runtimes, the way to build in a release's folder, one unit for each process,
//! timers, and settings that lead to the datastores on the same host.

mod calendar;
mod runtimes;

use serde::Serialize;

use playbook_core::evidence::Evidence;
use playbook_core::harmless::CommandLine;
use playbook_core::inventory::{Role, ScheduledJob, Service, SignalKind};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

pub(crate) use runtimes::Runtimes;

use super::Wired;
use crate::plan::Given;
use crate::plan::images::Recipe;
use crate::plan::infrastructure::wiring::Wire;
use crate::plan::infrastructure::{Infrastructure, process_name};
use crate::plan::secrets::Secrets;
use crate::prose::Prose;

/// The address to which every process is bound behind the host's proxy.
const LOOPBACK: &str = "127.0.0.1";
/// The addresses that mean every interface.
const EVERY_INTERFACE: &[&str] = &["0.0.0.0", "[::]"];
/// The first port that a process gets whose own one is taken.
const FREE_PORTS: std::ops::Range<u16> = 18_001..18_099;

/// The decisions for a host without containers.
#[derive(Debug, Serialize)]
pub(crate) struct Host<'a> {
    runtimes: Vec<runtimes::Installed<'a>>,
    builds: Vec<Build<'a>>,
    units: Vec<Unit<'a>>,
    timers: Vec<Timer<'a>>,
    /// Settings in the order of the file.
    lines: Vec<Line>,
    /// Processes that nothing here can build or start, and why.
    impossible: Vec<Impossible<'a>>,
    /// Third-party processes that exist as images only.
    images_only: Vec<ImageOnly<'a>>,
    /// The repository's own unit files.
    own_units: Vec<Shown>,
    /// Is there a setting, or a datastore of this host?
    #[serde(skip)]
    settings: bool,
}

/// A folder that is built.
#[derive(Debug, Serialize)]
struct Build<'a> {
    recipe: Recipe<'a>,
    /// Folder of the manifest and of the lockfile, `.` for the root.
    folder: Shown,
    root: Shown,
    /// Are its dependencies installed here, and not by an entry before?
    installs: bool,
    /// The version of its runtime that is not the distribution's.
    other_version: Option<String>,
    services: Vec<Shown>,
    evidence: Vec<Evidence>,
}

/// A process with what its unit says.
#[derive(Debug, Serialize)]
struct Unit<'a> {
    name: Shown,
    role: Role,
    /// Where it runs inside the release.
    folder: Shown,
    /// Folders whose programs it may start, inside the release.
    programs: Vec<Shown>,
    start: Shown,
    /// Does the program that the release builds take the place of the first words?
    compiled: bool,
    arguments: Vec<Shown>,
    recipe: Recipe<'a>,
    /// Can the command take the place of its shell?
    simple: bool,
    /// Was the address of every interface replaced by the loopback one?
    bound: bool,
    port: Option<u16>,
    /// The variable that gives it a port of its own, because another process has the same one.
    moved_by: Option<&'a Shown>,
    /// A process with the same port that nothing can move.
    clash: Option<Shown>,
    sets: Vec<super::Preset>,
    limit: u32,
    grace: u32,
    health_path: Option<&'a Shown>,
    health_closed: bool,
    single: bool,
    long_running: bool,
    /// Places where the code writes to its own disk.
    writes: Vec<&'a Evidence>,
    /// The repository's own unit file for it.
    own: Option<Shown>,
    /// Units of datastores that start before it.
    after: Vec<Prose>,
    place: Option<&'a Evidence>,
}

/// A job by the clock.
#[derive(Debug, Serialize)]
struct Timer<'a> {
    name: Shown,
    schedule: Option<&'a Shown>,
    /// The same as a calendar event of systemd, where it can be said in one.
    calendar: Option<String>,
    command: Option<Shown>,
    folder: Shown,
    evidence: &'a [Evidence],
}

/// A setting.
#[derive(Debug, Serialize)]
struct Line {
    name: Shown,
    /// `setting`, `generated`, `asked` or `wired`
    kind: &'static str,
    required: bool,
    bytes: u32,
    wire: Option<Wire>,
    value: Option<Prose>,
}

#[derive(Debug, Serialize)]
struct Impossible<'a> {
    name: Shown,
    /// `runtime`: no recipe; `start`: no start command
    reason: &'static str,
    runtime: Option<&'a Shown>,
    evidence: &'a [Evidence],
}

#[derive(Debug, Serialize)]
struct ImageOnly<'a> {
    name: Shown,
    image: Option<&'a Shown>,
    proxy: bool,
    evidence: &'a [Evidence],
}

impl Host<'_> {
    pub(super) fn has_units(&self) -> bool {
        self.units.iter().any(|unit| unit.long_running)
    }

    pub(super) fn has_builds(&self) -> bool {
        !self.builds.is_empty()
    }

    pub(super) fn has_timers(&self) -> bool {
        !self.timers.is_empty()
    }

    pub(super) fn has_settings(&self) -> bool {
        self.settings
    }
}

pub(super) fn build<'a>(
    given: &Given<'a>,
    infrastructure: &Infrastructure<'a>,
    secrets: &Secrets<'a>,
    processes: &[Wired<'a>],
    known: &Runtimes,
) -> Option<Host<'a>> {
    let target = &given.context.target;
    if target.containers || !target.own_host {
        return None;
    }
    let possible: Vec<&Wired<'a>> = processes
        .iter()
        .filter(|process| reason(process, known).is_none())
        .collect();
    let lines = lines(given, infrastructure, secrets);
    Some(Host {
        settings: !lines.is_empty() || infrastructure.stores.iter().any(|store| store.packaged.is_some()),
        runtimes: known.installed(possible.iter().map(|process| process.service)),
        builds: builds(given, &possible, known),
        units: units(given, infrastructure, &possible, known),
        timers: given
            .inventory
            .scheduled_jobs
            .iter()
            .filter(|job| !is_elsewhere(job, processes))
            .map(|job| timer(given, job))
            .collect(),
        lines,
        impossible: processes
            .iter()
            .filter_map(|process| {
                Some(Impossible {
                    name: process.name.clone(),
                    reason: reason(process, known)?,
                    runtime: process.service.runtime.name.as_ref(),
                    evidence: &process.service.evidence,
                })
            })
            .collect(),
        images_only: given
            .third_party
            .iter()
            .map(|service| ImageOnly {
                name: process_name(given, service),
                image: service.image.as_ref(),
                proxy: service.role == Role::Proxy,
                evidence: &service.evidence,
            })
            .collect(),
        own_units: infrastructure.files.clone(),
    })
}

/// Why a process cannot run here.
fn reason(process: &Wired<'_>, known: &Runtimes) -> Option<&'static str> {
    let runtime = process.service.runtime.name.as_ref();
    if runtime.is_none_or(|runtime| !known.knows(runtime)) {
        Some("runtime")
    } else if process.start.is_none() && !known.compiles(process.service) {
        Some("start")
    } else {
        None
    }
}

fn folder_of(path: &RelPath) -> Shown {
    if path.is_root() {
        Shown::from(".")
    } else {
        path.shown()
    }
}

/// The folder of a service's manifest, or of its code.
fn manifest_folder(service: &Service) -> RelPath {
    service
        .manifest
        .as_ref()
        .map_or_else(|| service.path.clone(), RelPath::parent)
}

/// Where a start command is meant to run: in the image's context when it names folders below it, else beside the
/// manifest.
fn working_folder(service: &Service, start: &Shown) -> RelPath {
    let folder = manifest_folder(service);
    let context = service
        .docker_context
        .clone()
        .or_else(|| service.dockerfile.as_ref().map(RelPath::parent));
    match context {
        Some(context)
            if folder != context
                && folder.is_in(&context)
                && start.as_str().contains(&format!("{}/", folder.as_str())) =>
        {
            context
        }
        _ => folder,
    }
}

fn builds<'a>(given: &Given<'a>, processes: &[&Wired<'a>], known: &Runtimes) -> Vec<Build<'a>> {
    let mut list: Vec<Build<'a>> = Vec::new();
    for process in processes {
        let service = process.service;
        let folder = manifest_folder(service);
        let shown = folder_of(&folder);
        let same = |build: &&mut Build<'a>| {
            build.folder == shown && build.recipe.runtime() == service.runtime.name.as_ref()
        };
        if let Some(build) = list.iter_mut().find(same) {
            build.services.push(process.name.clone());
            continue;
        }
        let root = service
            .manifest
            .as_ref()
            .and_then(|manifest| {
                let manifest = given
                    .inventory
                    .manifests
                    .iter()
                    .find(|known| known.path == *manifest)?;
                manifest.lockfile.as_ref()
            })
            .map_or_else(|| folder.clone(), RelPath::parent);
        let root = folder_of(&root);
        list.push(Build {
            installs: !list
                .iter()
                .any(|other| other.root == root && other.recipe.runtime() == service.runtime.name.as_ref()),
            recipe: Recipe::new(given, service, &folder, &folder),
            folder: shown,
            root,
            other_version: known.other_version(service),
            services: vec![process.name.clone()],
            evidence: given
                .inventory
                .manifests
                .iter()
                .find(|known| service.manifest.as_ref() == Some(&known.path))
                .map(|known| known.evidence.iter().take(1).cloned().collect())
                .unwrap_or_default(),
        });
    }
    list
}

fn units<'a>(
    given: &Given<'a>,
    infrastructure: &Infrastructure<'a>,
    processes: &[&Wired<'a>],
    known: &Runtimes,
) -> Vec<Unit<'a>> {
    let mut taken: Vec<(u16, Shown)> = infrastructure
        .stores
        .iter()
        .filter(|store| store.packaged.is_some())
        .filter_map(|store| Some((store.port()?, store.name.clone())))
        .collect();
    let mut free = FREE_PORTS;
    let mut list = Vec::new();
    for process in processes {
        let service = process.service;
        let start = process.start.clone().unwrap_or_else(|| Shown::from("app"));
        let mut port = process.port;
        let mut moved_by = None;
        let mut clash = None;
        if let Some(wanted) = port {
            if let Some((_, other)) = taken.iter().find(|(port, _)| *port == wanted) {
                let movable = service.port_variable.as_ref().filter(|_| {
                    !start
                        .as_str()
                        .split(|c: char| !c.is_ascii_digit())
                        .any(|word| word == wanted.to_string())
                });
                match (movable, free.next()) {
                    (Some(variable), Some(next)) => {
                        moved_by = Some(variable);
                        port = Some(next);
                    }
                    _ => clash = Some(other.clone()),
                }
            }
            if let Some(port) = port {
                taken.push((port, process.name.clone()));
            }
        }
        let folder = working_folder(service, &start);
        let (start, bound) = on_loopback(without_image_paths(given, service, start));
        let manifest = manifest_folder(service);
        let mut programs = vec![
            folder_of(&manifest_folder(service)),
            folder_of(&folder),
            Shown::from("."),
        ];
        let mut seen = std::collections::BTreeSet::new();
        programs.retain(|folder| seen.insert(folder.clone()));
        list.push(Unit {
            name: process.name.clone(),
            role: service.role,
            folder: folder_of(&folder),
            programs,
            simple: !start.as_str().contains(['&', ';', '|', '(']) && !start.as_str().starts_with("exec "),
            compiled: known.compiles(service),
            arguments: super::words(start.as_str()).into_iter().skip(1).collect(),
            recipe: Recipe::new(given, service, &manifest, &manifest),
            start,
            bound,
            port,
            moved_by,
            clash,
            sets: process.sets.clone(),
            limit: process.limit,
            grace: process.grace,
            health_path: process.health_path,
            health_closed: process.health_closed,
            single: process.single,
            long_running: process.long_running,
            writes: given
                .inventory
                .signals
                .iter()
                .filter(|signal| {
                    signal.kind == SignalKind::LocalFiles && signal.service.as_ref() == Some(&service.id)
                })
                .filter_map(|signal| signal.evidence.first())
                .take(2)
                .collect(),
            own: process
                .unit
                .and_then(|unit| unit.evidence.first())
                .map(|place| place.path.shown()),
            after: infrastructure
                .stores
                .iter()
                .filter(|store| store.store.used_by.contains(&service.id))
                .filter_map(|store| Some(store.packaged.as_ref()?.service.clone()))
                .collect(),
            place: process.start_place,
        });
    }
    list
}

/// The command with folders of the release where it names those of the image.
fn without_image_paths(given: &Given<'_>, service: &Service, start: Shown) -> Shown {
    let Some(workdir) = given
        .container_of(service)
        .and_then(|container| container.workdir.as_ref())
        .map(|workdir| workdir.as_str().trim_end_matches('/').to_owned())
        .filter(|workdir| workdir.len() > 1)
    else {
        return start;
    };
    let words: Vec<String> = start
        .as_str()
        .split(' ')
        .map(|word| match word.strip_prefix(&workdir) {
            Some(rest) if rest.starts_with('/') => format!(".{rest}"),
            _ => word.to_owned(),
        })
        .collect();
    let text = words.join(" ");
    CommandLine::parse(Raw::new(&text)).map_or(start, |command| Shown::from(&command))
}

/// The command with the loopback address where it names every interface.
fn on_loopback(start: Shown) -> (Shown, bool) {
    let mut text = start.as_str().to_owned();
    for every in EVERY_INTERFACE {
        text = text.replace(every, LOOPBACK);
    }
    if text == start.as_str() {
        return (start, false);
    }
    CommandLine::parse(Raw::new(&text)).map_or((start, false), |command| (Shown::from(&command), true))
}

/// Steps of CI by the clock stay where they are; a process that runs starts its own.
fn is_elsewhere(job: &ScheduledJob, processes: &[Wired<'_>]) -> bool {
    matches!(job.runner.as_str(), "github-actions" | "gitlab-ci" | "circleci")
        || job.service.as_ref().is_some_and(|id| {
            processes
                .iter()
                .any(|process| process.service.id == *id && process.long_running)
        })
}

fn timer<'a>(given: &Given<'a>, job: &'a ScheduledJob) -> Timer<'a> {
    let service = job
        .service
        .as_ref()
        .and_then(|id| given.inventory.service(id.as_str()));
    let command = service
        .and_then(|service| service.commands.start.as_ref())
        .map(Shown::from);
    Timer {
        name: job.name.clone(),
        schedule: job.schedule.as_ref(),
        calendar: job
            .schedule
            .as_ref()
            .and_then(|schedule| calendar::event(schedule.as_str())),
        folder: service.or_else(|| given.web()).map_or_else(
            || Shown::from("."),
            |service| folder_of(&manifest_folder(service)),
        ),
        command,
        evidence: &job.evidence,
    }
}

fn lines(given: &Given<'_>, infrastructure: &Infrastructure<'_>, secrets: &Secrets<'_>) -> Vec<Line> {
    // What only the repository's own container of a datastore reads belongs to the datastore.
    let of_engine = |name: &Shown| {
        infrastructure.stores.iter().any(|store| {
            store.packaged.as_ref().is_some_and(|packaged| {
                packaged
                    .variables()
                    .iter()
                    .any(|variable| *name == *variable.name)
            })
        })
    };
    let is_read = |name: &Shown| {
        given
            .variables
            .iter()
            .any(|variable| variable.name == *name && !variable.services.is_empty())
    };
    secrets
        .stored()
        .filter(|stored| !of_engine(&stored.name) || is_read(&stored.name))
        .map(|stored| Line {
            name: stored.name.clone(),
            kind: match stored.kind {
                // The address of a datastore elsewhere.
                "address" => "asked",
                kind => kind,
            },
            required: stored.required,
            bytes: stored.bytes,
            wire: stored.wire.clone(),
            value: stored.value.clone(),
        })
        .collect()
}
