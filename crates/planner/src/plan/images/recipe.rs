//! How a service is built from its sources.

use serde::Serialize;

use playbook_core::harmless::version_numbers;
use playbook_core::inventory::Service;
use playbook_core::path::RelPath;
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Group};

use super::review;
use crate::plan::Given;
use crate::rules::{facts, support};

/// How a service is built from its manifest: what a new Dockerfile or a host without containers needs.
#[derive(Debug, Serialize)]
pub(crate) struct Recipe<'a> {
    service: &'a Service,
    /// Name of the template: the runtime's slug.
    runtime: Shown,
    /// Is there a template for it?
    known: bool,
    /// The version as the tag of an image: of a constraint the lowest release that still gets fixes, without the patch.
    version: Option<Shown>,
    manager: Option<&'a Shown>,
    lockfile: Option<Shown>,
    /// The folder of the manifest, relative to the context; `.` for the root.
    folder: Shown,
    path: Shown,
    port: Option<u16>,
    /// Words of the start command.
    start: Option<Shown>,
    build: Option<Shown>,
    entry_point: Option<&'a Shown>,
    /// Does it take its port from `$PORT`?
    takes_port: bool,
    /// Is the start command one command, which can replace its shell?
    start_simple: bool,
    /// File name of the manifest, and the same without its ending.
    manifest_name: Option<Shown>,
    assembly: Shown,
    /// The service's folder, relative to that of the manifest, as Go writes it.
    package: Shown,
    /// The manifest, relative to the context.
    project: Shown,
    /// Name of the program.
    binary: Shown,
    /// What builds the pages' scripts and styles of a server in another language.
    assets: Option<Assets>,
}

/// A build with Node.js beside a server in another language.
#[derive(Debug, Serialize)]
struct Assets {
    /// Slug of the package manager.
    manager: Option<Shown>,
    lockfile: bool,
}

impl<'a> Recipe<'a> {
    /// Slug of what runs it.
    pub(crate) fn runtime(&self) -> Option<&Shown> {
        self.service.runtime.name.as_ref()
    }

    /// The way to build a service whose manifest lies in `folder`; `path` is that of its Dockerfile.
    pub(crate) fn new(given: &Given<'a>, service: &'a Service, folder: &RelPath, path: &RelPath) -> Self {
        let runtime = service.runtime.name.clone().unwrap_or_else(|| Shown::from("app"));
        Self {
            known: review::TEMPLATES.iter().any(|known| runtime == *known),
            runtime,
            version: image_version(given, service),
            manager: service.package_manager.as_ref(),
            lockfile: service.manifest.as_ref().and_then(|manifest| {
                given
                    .inventory
                    .manifests
                    .iter()
                    .find(|known| known.path == *manifest)?
                    .lockfile
                    .as_ref()
                    .map(RelPath::shown)
            }),
            folder: if folder.is_root() {
                Shown::from(".")
            } else {
                folder.shown()
            },
            path: path.shown(),
            port: service.ports.first().copied(),
            start: facts::start(service).map(Shown::from),
            build: service.commands.build.as_ref().map(Shown::from),
            entry_point: service.entry_point.as_ref(),
            takes_port: facts::start(service).is_some_and(|start| start.as_str().contains("$PORT")),
            start_simple: facts::start(service)
                .is_some_and(|start| !start.as_str().contains(['&', ';', '|', '('])),
            manifest_name: service
                .manifest
                .as_ref()
                .and_then(|manifest| RelPath::new(manifest.name()))
                .map(|name| name.shown()),
            assembly: service
                .manifest
                .as_ref()
                .and_then(|manifest| RelPath::new(manifest.name().rsplit_once('.')?.0))
                .map_or_else(|| service.name.clone(), |stem| stem.shown()),
            package: relative(&service.path, folder),
            project: service
                .manifest
                .as_ref()
                .map_or_else(|| Shown::from("."), |manifest| relative_file(manifest, folder)),
            binary: service
                .path
                .components()
                .last()
                .filter(|_| service.path != *folder)
                .and_then(RelPath::new)
                .map_or_else(|| service.name.clone(), |last| last.shown()),
            assets: assets(given, service),
            service,
        }
    }
}

/// The build of the manifest of Node.js in the folder of a server that is written in something else.
fn assets(given: &Given<'_>, service: &Service) -> Option<Assets> {
    let own = service.manifest.as_ref()?;
    let manifest = given.inventory.manifests.iter().find(|manifest| {
        manifest.path.name() == "package.json"
            && manifest.path != *own
            && manifest.path.parent() == own.parent()
    })?;
    Some(Assets {
        manager: manifest.package_manager.clone(),
        lockfile: manifest.lockfile.is_some(),
    })
}

/// The version of a service's runtime for the base image.
fn image_version(given: &Given<'_>, service: &Service) -> Option<Shown> {
    let stated = service.runtime.version.as_ref()?;
    let newer = service
        .runtime
        .name
        .as_ref()
        .and_then(|name| Catalogue::get().find(Group::Runtime, name.as_str()))
        .and_then(|technology| support::line_within(technology, stated.as_str(), given.context.date));
    match newer {
        Some(line) => Some(Shown::from(line.version)),
        None => as_tag(stated),
    }
}

/// A version as the tag of an image.
fn as_tag(version: &Shown) -> Option<Shown> {
    let text = version.as_str();
    let exact = text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    let numbers: Vec<String> = version_numbers(text)
        .iter()
        .take(2)
        .map(ToString::to_string)
        .collect();
    if exact {
        Some(version.clone())
    } else if numbers.is_empty() {
        None
    } else {
        playbook_core::harmless::Version::parse(playbook_core::raw::Raw::new(&numbers.join(".")))
            .map(|version| Shown::from(&version))
    }
}

/// A folder below another one as Go writes it.
fn relative(path: &RelPath, folder: &RelPath) -> Shown {
    if path == folder || !path.is_in(folder) {
        return Shown::from(".");
    }
    Shown::fill("./{}", &[&relative_file(path, folder)])
}

/// A path below a folder, without the folder.
fn relative_file(path: &RelPath, folder: &RelPath) -> Shown {
    let rest = if folder.is_root() {
        Some(path.as_str())
    } else {
        path.as_str()
            .strip_prefix(folder.as_str())
            .map(|rest| rest.trim_start_matches('/'))
    };
    rest.and_then(RelPath::new)
        .map_or_else(|| path.shown(), |path| path.shown())
}
