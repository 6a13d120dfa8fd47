//! The images that this repository builds or publishes: their names, and what those that hold no code of it are.

use std::collections::{BTreeMap, BTreeSet};

use playbook_core::evidence::Scope;
use playbook_core::harmless::ImageRef;
use playbook_core::inventory::{Container, Project, Role, Stack};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::secret::words_of;
use playbook_core::technology::{Catalogue, Group};

use super::apps::Apps;
use super::candidates::{image_name, telling_name};
use super::roles;
use super::units::{self, UnitClass};

/// What is known about own images.
pub(crate) struct OwnImages {
    /// Names of the project, its owner, its folders of code and their manifests, in lower case.
    names: BTreeSet<String>,
    /// Of a name under which a Dockerfile's image is likely known: the Dockerfile.
    built: BTreeMap<String, RelPath>,
    /// Of a Dockerfile that only adds settings to somebody else's image: what that image is.
    settings_of: BTreeMap<RelPath, UnitClass>,
    /// Does the repository build any image?
    any: bool,
    /// Folders with a manifest.
    apps: usize,
    project: Option<String>,
    /// Does a manifest of a cluster name an image of this repository?
    named_in_cluster: bool,
}

impl OwnImages {
    /// Gathers the names.
    pub(crate) fn new(project: &Project, apps: &Apps, containers: &[Container], stacks: &[Stack]) -> Self {
        let production = || {
            containers
                .iter()
                .filter(|container| container.scope == Scope::Production)
        };
        let mut built = BTreeMap::new();
        let mut settings_of = BTreeMap::new();
        for container in containers {
            if let Some(class) = settings_class(container, apps) {
                settings_of.insert(container.path.clone(), class);
            }
        }
        for container in production() {
            let folder = container.path.parent();
            let names = [
                image_name(&container.path).map(|name| name.as_str().to_ascii_lowercase()),
                Some(telling_name(&folder).to_ascii_lowercase()),
            ];
            for name in names.into_iter().flatten().filter(|name| tells(name)) {
                built.entry(name).or_insert_with(|| container.path.clone());
            }
            // The image of the whole repository is called like the project.
            if folder.is_root() || folder.as_str() == "docker" {
                let name = project
                    .name
                    .as_ref()
                    .map(|name| name.as_str().to_ascii_lowercase());
                if let Some(name) = name.filter(|_| image_name(&container.path).is_none()) {
                    built.entry(name).or_insert_with(|| container.path.clone());
                }
            }
        }
        let project_name = project
            .name
            .as_ref()
            .map(|name| name.as_str().to_ascii_lowercase());
        let mut own = Self {
            names: names(project, apps),
            built,
            settings_of,
            any: production().next().is_some(),
            apps: apps.all.len(),
            project: project_name,
            named_in_cluster: false,
        };
        own.named_in_cluster = stacks
            .iter()
            .filter(|stack| is_cluster(stack))
            .flat_map(|stack| &stack.units)
            .filter_map(|unit| ImageRef::parse(Raw::new(unit.image.as_ref()?.as_str())))
            .any(|image| own.is_named(&image) || own.dockerfile_of(&image).is_some());
        own
    }

    /// Does the repository build any image?
    pub(crate) fn any(&self) -> bool {
        self.any
    }

    /// Is there at most one folder of code, so that an image of an unknown name can only be its?
    pub(crate) fn is_single(&self) -> bool {
        self.apps <= 1
    }

    /// Do manifests of a cluster call own images by names that are known?
    pub(crate) fn named_in_cluster(&self) -> bool {
        self.named_in_cluster
    }

    /// The Dockerfile that an image is built from, by the last part of its name.
    pub(crate) fn dockerfile_of(&self, image: &ImageRef) -> Option<&RelPath> {
        self.built.get(&last_of(image))
    }

    /// What an image is that a Dockerfile builds of somebody else's image without adding code.
    pub(crate) fn settings_of(&self, dockerfile: &RelPath) -> Option<UnitClass> {
        self.settings_of.get(dockerfile).copied()
    }

    /// Does the image carry a name of this repository?
    pub(crate) fn is_named(&self, image: &ImageRef) -> bool {
        let repository = image.repository().to_ascii_lowercase();
        let last = last_of(image);
        let words = words_of(&last);
        self.names.iter().any(|name| {
            let long = name.len() > 2;
            *name == last
                || long && repository.contains(&format!("/{name}"))
                || long && repository.starts_with(&format!("{name}/"))
                || ends_with_words(&words, name)
        })
    }

    /// Does an image's name begin with the project's, and go on with a word that nothing here is called?
    pub(crate) fn is_companion(&self, image: &ImageRef) -> bool {
        let last = last_of(image);
        let rest = self
            .project
            .as_ref()
            .and_then(|project| last.strip_prefix(project.as_str())?.strip_prefix('-'));
        rest.is_some_and(|rest| !self.names.contains(rest) && !self.built.contains_key(rest))
    }
}

/// Manifests that lie apart from the code and name every image in full.
pub(crate) fn is_cluster(stack: &Stack) -> bool {
    matches!(
        stack.kind.as_str(),
        "kubernetes" | "helm" | "kustomize" | "docker-swarm" | "nomad" | "ecs-task-definition"
    )
}

/// `shop-cart` ends with the words of `cart`.
pub(crate) fn ends_with_words(words: &[String], name: &str) -> bool {
    let wanted = words_of(name);
    words.len() > wanted.len() && !wanted.is_empty() && words.ends_with(&wanted)
}

/// The last part of an image's name, in lower case.
pub(crate) fn last_of(image: &ImageRef) -> String {
    image
        .repository()
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase()
}

/// A folder of this name tells nothing about the image.
fn tells(name: &str) -> bool {
    name.len() > 2
        && !matches!(
            name,
            "docker"
                | "build"
                | "deploy"
                | "deployment"
                | "container"
                | "containers"
                | "images"
                | "image"
                | "app"
        )
}

/// An image of one stage, without an application in its folder, on a base that is software of its own.
fn settings_class(container: &Container, apps: &Apps) -> Option<UnitClass> {
    if container.stages.len() > 1 || container.entrypoint.is_some() {
        return None;
    }
    let folder = container.path.parent();
    let base = ImageRef::parse(Raw::new(container.base_images.last()?.as_str()))?;
    let known = units::of_image(&base).filter(|_| apps.at(&folder).is_none());
    // Nothing of this repository is in it, and the program that it starts is the base's.
    let adds_nothing = container.copies.is_empty() && container.command.is_none();
    known.or_else(|| (adds_nothing && !is_runtime(&base)).then(|| UnitClass::ThirdParty(foreign_role(&base))))
}

/// Is it the image of a language or an operating system, which programs are put on?
fn is_runtime(image: &ImageRef) -> bool {
    Catalogue::get().by_image(image.repository()).iter().any(|found| {
        found.technology.group == Group::Runtime
            || found
                .technology
                .image
                .as_ref()
                .is_some_and(|image| image.runtime.is_some() || image.tag.is_some())
    })
}

fn foreign_role(image: &ImageRef) -> Role {
    roles::of_foreign_name(&last_of(image)).unwrap_or(Role::Tool)
}

/// Names under which the repository publishes its own images.
fn names(project: &Project, apps: &Apps) -> BTreeSet<String> {
    let owner = project.vcs.remote.as_ref().and_then(|remote| {
        remote
            .as_str()
            .trim_end_matches('/')
            .rsplit('/')
            .nth(1)
            .map(str::to_ascii_lowercase)
    });
    let of_folders = apps
        .all
        .iter()
        .filter(|app| !app.dir.is_root())
        .map(|app| telling_name(&app.dir).to_ascii_lowercase());
    let of_manifests = apps
        .all
        .iter()
        .filter_map(|app| Some(app.main()?.name.as_ref()?.as_str().to_ascii_lowercase()));
    let of_project = project.name.iter().map(|name| name.as_str().to_ascii_lowercase());
    of_project
        .chain(owner)
        .chain(of_folders)
        .chain(of_manifests)
        .filter(|name| name.len() > 1)
        .collect()
}
