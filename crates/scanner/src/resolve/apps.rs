//! Applications: folders with a manifest, what their packages say, and which files belong to them.

use std::collections::{BTreeMap, HashMap};

use playbook_core::evidence::{Evidence, Scope};
use playbook_core::path::RelPath;
use playbook_core::technology::{Catalogue, Ecosystem, Group, Strength, Technology};

use crate::fact::{Facts, ProjectFact};
use crate::index::FileIndex;

/// A package of a manifest together with what the catalogue says about it.
#[derive(Clone)]
pub(crate) struct Known {
    pub(crate) technology: &'static Technology,
    pub(crate) strong: bool,
    pub(crate) package: playbook_core::harmless::Name,
    pub(crate) evidence: Evidence,
}

/// A folder with one or more manifests.
pub(crate) struct App {
    pub(crate) dir: RelPath,
    /// The manifests, the one of the main ecosystem first.
    pub(crate) projects: Vec<ProjectFact>,
    /// What the packages that production installs stand for.
    pub(crate) known: Vec<Known>,
    /// Frameworks that build the program and are no part of it afterwards: their packages are for development.
    pub(crate) build_frameworks: Vec<Known>,
    pub(crate) language: &'static str,
    pub(crate) runtime: &'static str,
}

impl App {
    /// The manifest of the main ecosystem.
    pub(crate) fn main(&self) -> Option<&ProjectFact> {
        self.projects.first()
    }

    /// Technologies of one file of the catalogue that its packages stand for.
    pub(crate) fn of_group(&self, group: Group) -> impl Iterator<Item = &Known> {
        self.known
            .iter()
            .filter(move |known| known.technology.group == group)
    }

    /// Frameworks of this role.
    pub(crate) fn frameworks_with_role<'a>(&'a self, role: &'a str) -> impl Iterator<Item = &'a Known> {
        self.of_group(Group::Framework).filter(move |known| {
            known
                .technology
                .framework
                .as_ref()
                .is_some_and(|framework| framework.role == role)
        })
    }
}

/// All applications of production, sorted by folder.
pub(crate) struct Apps {
    pub(crate) all: Vec<App>,
    /// Place in `all` of the application of a folder.
    by_dir: HashMap<RelPath, usize>,
}

impl Apps {
    /// Groups the manifests by folder.
    pub(crate) fn new(facts: &Facts, index: &FileIndex) -> Self {
        let mut folders: BTreeMap<RelPath, Vec<ProjectFact>> = BTreeMap::new();
        for project in facts
            .projects
            .iter()
            .filter(|project| project.scope == Scope::Production)
        {
            folders
                .entry(project.dir.clone())
                .or_default()
                .push(project.clone());
        }
        let mut all: Vec<App> = folders
            .into_iter()
            .map(|(dir, projects)| app(dir, projects, index))
            .collect();
        super::build_files::inherit(&mut all, facts);
        share_workspace_packages(&mut all);
        let by_dir = all
            .iter()
            .enumerate()
            .map(|(at, app)| (app.dir.clone(), at))
            .collect();
        Self { all, by_dir }
    }

    /// The application that a file or folder belongs to: the deepest folder with a manifest above it.
    pub(crate) fn owner(&self, path: &RelPath) -> Option<&App> {
        let at = path
            .with_folders_above()
            .find_map(|folder| self.by_dir.get(folder))?;
        self.all.get(*at)
    }

    /// The application of exactly this folder.
    pub(crate) fn at(&self, dir: &RelPath) -> Option<&App> {
        self.at_text(dir.as_str())
    }

    /// The application of exactly this folder, given as text.
    pub(crate) fn at_text(&self, dir: &str) -> Option<&App> {
        self.by_dir.get(dir).and_then(|at| self.all.get(*at))
    }
}

/// Packages that several manifests of one folder declare for one ecosystem (`requirements.txt` beside `pyproject.toml`)
/// count once; the ecosystem that runs on the server is the main one.
fn app(dir: RelPath, mut projects: Vec<ProjectFact>, index: &FileIndex) -> App {
    let catalogue = Catalogue::get();
    let mut known: Vec<Known> = Vec::new();
    let mut build_frameworks: Vec<Known> = Vec::new();
    for project in &projects {
        let Some(ecosystem) = Ecosystem::from_slug(project.ecosystem) else {
            continue;
        };
        for dependency in &project.dependencies {
            for found in catalogue.by_package(ecosystem, dependency.name.as_str()) {
                let list = match (dependency.development, ecosystem) {
                    (false, _) => &mut known,
                    (true, Ecosystem::Npm) if is_built_with(found.technology) => &mut build_frameworks,
                    (true, _) => continue,
                };
                list.push(Known {
                    technology: found.technology,
                    strong: found.strength == Strength::Strong,
                    package: dependency.name.clone(),
                    evidence: Evidence::at(&project.manifest, dependency.line),
                });
            }
        }
    }
    projects.sort_by_key(|project| {
        let server = known_of(&known, project).any(|known| {
            known
                .technology
                .framework
                .as_ref()
                .is_some_and(|framework| matches!(framework.role, "web" | "worker"))
        });
        // A manifest with a server framework first; a package.json that only builds assets last.
        (
            !server,
            matches!(project.ecosystem, "cmake" | "meson"),
            project.ecosystem == "npm",
            project.dependencies.is_empty(),
            project.manifest.clone(),
        )
    });
    let language = projects
        .first()
        .map_or("", |project| refine_language(project, index));
    let runtime = projects.first().map_or("", |project| project.runtime);
    App {
        dir,
        projects,
        known,
        build_frameworks,
        language,
        runtime,
    }
}

/// A framework whose own command builds the program.
fn is_built_with(technology: &Technology) -> bool {
    technology
        .framework
        .as_ref()
        .is_some_and(|framework| !framework.build.is_empty())
}

fn known_of<'a>(known: &'a [Known], project: &'a ProjectFact) -> impl Iterator<Item = &'a Known> {
    known
        .iter()
        .filter(move |known| known.evidence.path == project.manifest)
}

/// TypeScript is JavaScript with a compiler's settings beside or above it.
fn refine_language(project: &ProjectFact, index: &FileIndex) -> &'static str {
    if project.language != "javascript" {
        return project.language;
    }
    let typed = project
        .dependencies
        .iter()
        .any(|dependency| dependency.name.as_str() == "typescript")
        || index.has(&project.dir, "tsconfig.json")
        || index.has(&project.dir, "tsconfig.base.json");
    let mut folder = project.dir.clone();
    let mut above = false;
    while !folder.is_root() {
        folder = folder.parent();
        above |= index.has(&folder, "tsconfig.json") || index.has(&folder, "tsconfig.base.json");
    }
    let has_source = || {
        index
            .below(&project.dir)
            .any(|path| path.name().ends_with(".ts") || path.name().ends_with(".tsx"))
    };
    if typed || above && has_source() || is_all_typed(&project.dir, index) {
        "typescript"
    } else {
        "javascript"
    }
}

/// Is the code TypeScript without exception? Some runtimes need no compiler's settings.
fn is_all_typed(dir: &RelPath, index: &FileIndex) -> bool {
    let mut typed = false;
    for path in index.below(dir) {
        let name = path.name();
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
        // The settings of tools are often in the one language where all code is in the other.
        if name.contains(".config.") || name.starts_with('.') {
            continue;
        }
        match ending {
            "ts" | "tsx" | "mts" | "cts" => typed |= !name.contains(".d."),
            "js" | "jsx" | "mjs" | "cjs" => return false,
            _ => {}
        }
    }
    typed
}

/// A member of a workspace that depends on another member gets what that member's packages stand for: the database
/// driver of `packages/db` is used by the service that imports it.
fn share_workspace_packages(all: &mut [App]) {
    let names: BTreeMap<String, Vec<Known>> = all
        .iter()
        .filter_map(|app| Some((app.main()?.name.as_ref()?.as_str().to_owned(), app.known.clone())))
        .collect();
    for app in all.iter_mut() {
        let mut shared: Vec<Known> = Vec::new();
        for project in &app.projects {
            for dependency in project
                .dependencies
                .iter()
                .filter(|dependency| !dependency.development)
            {
                let own = project.name.as_ref().is_some_and(|name| *name == dependency.name);
                if let (false, Some(known)) = (own, names.get(dependency.name.as_str())) {
                    shared.extend(known.iter().filter(|known| !is_process(known)).cloned());
                }
            }
        }
        app.known.extend(shared);
    }
}

/// A web framework of a library does not make its user a server.
fn is_process(known: &Known) -> bool {
    known.technology.framework.is_some()
}
