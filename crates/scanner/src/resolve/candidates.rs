//! Processes that single sources describe, before those that are the same are merged.

mod code;
mod image;
mod stack;

pub(crate) use image::{image_name, is_variant_image};

use std::collections::HashMap;

use playbook_core::evidence::{Confidence, Evidence, Scope};
use playbook_core::harmless::{CommandLine, Name};
use playbook_core::inventory::{Container, Role, Stack};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use super::apps::{App, Apps};
use super::images::OwnImages;
use crate::fact::Facts;

/// How much a source is worth; smaller is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tier {
    /// A stack of production.
    Stack,
    /// A Dockerfile.
    Image,
    /// The code and its manifest.
    Code,
    /// A stack of development.
    Development,
}

/// A process that one source describes.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(crate) tier: Tier,
    pub(crate) name: Shown,
    /// Folder of the code, where it is known.
    pub(crate) dir: Option<RelPath>,
    pub(crate) role: Option<Role>,
    pub(crate) dockerfile: Option<RelPath>,
    pub(crate) target: Option<Shown>,
    pub(crate) context: Option<RelPath>,
    pub(crate) image: Option<Shown>,
    pub(crate) command: Option<CommandLine>,
    pub(crate) command_evidence: Option<Evidence>,
    pub(crate) confidence: Confidence,
    /// Index of the stack and of the unit it comes from.
    pub(crate) unit: Option<(usize, usize)>,
    /// Index of the entry point it comes from.
    pub(crate) entry: Option<usize>,
    pub(crate) third_party: bool,
    pub(crate) evidence: Vec<Evidence>,
}

/// What the sources of a scan are.
pub(crate) struct Sources<'a> {
    pub(crate) facts: &'a Facts,
    pub(crate) apps: &'a Apps,
    pub(crate) stacks: &'a [Stack],
    pub(crate) containers: &'a [Container],
    pub(crate) own_images: &'a OwnImages,
    pub(crate) routes: super::routes::Index,
    pub(crate) entries: EntriesByApp,
    /// What the project is called.
    pub(crate) project_name: Option<&'a Shown>,
}

/// Numbers of the entry points of production by the folders of the applications that they belong to.
pub(crate) struct EntriesByApp(HashMap<RelPath, Vec<usize>>);

impl EntriesByApp {
    pub(crate) fn new(facts: &Facts, apps: &Apps) -> Self {
        let mut by_app: HashMap<RelPath, Vec<usize>> = HashMap::new();
        for (at, entry) in facts.entry_points.iter().enumerate() {
            if entry.scope == Scope::Production
                && let Some(app) = apps.owner(&entry.path)
            {
                by_app.entry(app.dir.clone()).or_default().push(at);
            }
        }
        Self(by_app)
    }

    /// Those of the application of exactly this folder, in the order of the facts.
    pub(crate) fn of(&self, dir: &RelPath) -> impl Iterator<Item = usize> {
        self.0.get(dir).into_iter().flatten().copied()
    }
}

impl Sources<'_> {
    /// The name of a folder; of the root, what its manifest or the project is called.
    pub(crate) fn name_of_dir(&self, dir: &RelPath) -> Option<Shown> {
        let project = || self.project_name.filter(|_| dir.is_root()).cloned();
        name_of_dir(dir, self.apps).or_else(project)
    }

    /// The folder of the code that a Dockerfile packs: the application it lies in; for a folder of Dockerfiles, the
    /// application whose name its own name tells; else the only application below it, or the root's.
    pub(crate) fn dir_of_dockerfile(&self, dockerfile: &RelPath) -> RelPath {
        let folder = dockerfile.parent();
        if self.apps.at(&folder).is_some() {
            return folder;
        }
        let file = dockerfile.name().to_ascii_lowercase();
        let hints = [
            file.strip_suffix(".dockerfile").unwrap_or_default().to_owned(),
            file.strip_prefix("dockerfile.")
                .or_else(|| file.strip_prefix("dockerfile-"))
                .unwrap_or_default()
                .to_owned(),
            folder.name().to_ascii_lowercase(),
        ];
        for hint in hints.iter().filter(|hint| !hint.is_empty() && *hint != ".") {
            if let Some(app) = self
                .apps
                .all
                .iter()
                .find(|app| app.dir.name().eq_ignore_ascii_case(hint))
            {
                return app.dir.clone();
            }
        }
        // An application below the Dockerfile's folder, if there is just one.
        let below: Vec<&App> = self
            .apps
            .all
            .iter()
            .filter(|app| app.dir.is_in(&folder) && app.dir != folder)
            .collect();
        if let ([only], false) = (below.as_slice(), folder.is_root()) {
            return only.dir.clone();
        }
        self.apps.owner(dockerfile).map_or(folder, |app| app.dir.clone())
    }

    /// The folder of the code that an image runs: what it starts in or starts tells more than where its Dockerfile lies.
    pub(crate) fn dir_of_image(&self, container: &Container) -> RelPath {
        let whole = joined(container.entrypoint.as_ref(), container.command.as_ref());
        self.dir_of_workdir(container)
            .or_else(|| self.dir_of_program(whole.as_ref()?))
            .unwrap_or_else(|| self.dir_of_dockerfile(&container.path))
    }

    /// The folder of the code that the image of a Dockerfile runs.
    pub(crate) fn dir_of_built(&self, dockerfile: &RelPath) -> RelPath {
        self.container(dockerfile).map_or_else(
            || self.dir_of_dockerfile(dockerfile),
            |container| self.dir_of_image(container),
        )
    }

    /// The folder of the application that a folder belongs to, else the folder itself.
    pub(super) fn owner_dir(&self, folder: &RelPath) -> RelPath {
        self.apps
            .owner(folder)
            .map_or_else(|| folder.clone(), |app| app.dir.clone())
    }

    pub(super) fn container(&self, path: &RelPath) -> Option<&Container> {
        self.containers.iter().find(|container| container.path == *path)
    }
}

/// The name of a folder; of the root, the name that its manifest gives.
pub(crate) fn name_of_dir(dir: &RelPath, apps: &Apps) -> Option<Shown> {
    if dir.is_root() {
        // Module paths and scopes are no names of services: their last part is.
        let last = apps.at(dir)?.projects.iter().find_map(|project| {
            project
                .name
                .as_ref()?
                .as_str()
                .rsplit(['/', ':'])
                .find(|part| !is_major_version(part))
                .filter(|part| part.chars().any(char::is_alphanumeric))
        })?;
        return Name::parse(Raw::new(last)).map(Into::into);
    }
    Name::parse(Raw::new(telling_name(dir))).map(Into::into)
}

/// The name of a folder that tells what is in it: of `cart/src` it is `cart`.
pub(crate) fn telling_name(dir: &RelPath) -> &str {
    let mut parts: Vec<&str> = dir.components().collect();
    while parts.len() > 1 && parts.last().is_some_and(|last| matches!(*last, "src" | "source")) {
        parts.pop();
    }
    parts.last().copied().unwrap_or(".")
}

fn is_major_version(part: &str) -> bool {
    part.strip_prefix('v')
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
}

/// The whole command of an image: entrypoint and command.
pub(crate) fn joined(entrypoint: Option<&CommandLine>, command: Option<&CommandLine>) -> Option<CommandLine> {
    match (entrypoint, command) {
        (Some(entrypoint), Some(command)) => CommandLine::parse(Raw::new(&format!("{entrypoint} {command}"))),
        (one, other) => one.or(other).cloned(),
    }
}
