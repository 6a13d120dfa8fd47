//! Code says what runs where no descriptor does; where one does, it lends its facts to it.

use std::collections::HashMap;

use playbook_core::evidence::{Confidence, Scope};
use playbook_core::harmless::{CommandLine, Name};
use playbook_core::inventory::Role;
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use super::matching::{has_word, normal};
use super::role::role_of;
use super::{Merged, absorb, start};
use crate::fact::{EntryKind, EntryPoint};
use crate::index::FileIndex;
use crate::resolve::apps::{App, Known};
use crate::resolve::candidates::{Candidate, Sources, Tier};
use crate::resolve::roles;

/// Code says what runs where no descriptor does; where one does, it lends its facts to it.
pub(super) fn add_code_candidates(merged: &mut Vec<Merged>, sources: &Sources<'_>, index: &FileIndex) {
    // What code adds has no Dockerfile, so this holds to the end.
    let packed = Packed::new(merged, sources);
    for mut candidate in sources.of_code() {
        let role = role_of(&candidate, sources);
        let dir = candidate.dir.clone().unwrap_or_else(RelPath::root);
        let app = sources.apps.owner(&dir);
        let own_name = candidate
            .entry
            .and_then(|at| sources.facts.entry_points.get(at))
            .is_some_and(|entry| names_itself(entry, app));
        let in_place: Vec<usize> = merged
            .iter()
            .enumerate()
            .filter(|(at, known)| *known.dir() == dir || packed.by(&dir).contains(at))
            .filter(|(_, known)| !known.parts.iter().any(|part| part.third_party))
            .map(|(at, _)| at)
            .collect();
        let name = normal(candidate.name.as_str());
        let by_name = in_place.iter().copied().find(|at| {
            merged.get(*at).is_some_and(|known| {
                known.parts.iter().any(|part| {
                    // Two entry points of one application share its name and are no less two processes.
                    (part.tier != Tier::Code || own_name) && normal(part.name.as_str()) == name
                        || mentions(part, &candidate.name)
                        || own_name && has_word(part.name.as_str(), candidate.name.as_str())
                })
            })
        });
        let by_role = in_place.iter().copied().find(|at| {
            merged.get(*at).is_some_and(|known| {
                known.service.role == role
                    && (!own_name
                        || known.parts.iter().all(|part| part.entry.is_none())
                            && known.parts.iter().any(|part| part.tier != Tier::Code))
            })
        });
        if let Some(known) = by_name.or(by_role).and_then(|at| merged.get_mut(at)) {
            absorb(known, candidate);
            continue;
        }
        let described = in_place.iter().any(|at| {
            merged
                .get(*at)
                .is_some_and(|known| known.parts.iter().any(|part| part.tier != Tier::Code))
        });
        // Where descriptors list the processes, a consumer in the code that none of them starts is a finding, not a
        // service; a scheduler is often part of another process.
        if described && (!own_name || matches!(role, Role::Worker | Role::Scheduler | Role::Function)) {
            continue;
        }
        let of_same_role = merged
            .iter()
            .any(|known| *known.dir() == dir && known.service.role == role);
        if of_same_role && !own_name {
            continue;
        }
        if role != Role::Web
            && !own_name
            && let Some(name) = Name::parse(Raw::new(role.as_str()))
        {
            let taken = merged.iter().any(|known| *known.dir() == dir);
            candidate.name = if taken || dir.is_root() {
                name.into()
            } else {
                candidate.name
            };
        }
        merged.push(start(candidate, sources));
    }
    for app in &sources.apps.all {
        if packed.by(&app.dir).is_empty() {
            add_app_without_entry(merged, app, sources, index);
        }
    }
}

/// A command that names the entry point: `./cmd/worker`, `dist/apps/worker/main.js`.
fn mentions(part: &Candidate, name: &Shown) -> bool {
    part.command.as_ref().is_some_and(|command| {
        command
            .as_str()
            .split(['/', ' ', '.', '"', ',', '[', ']'])
            .any(|piece| piece.eq_ignore_ascii_case(name.as_str()))
    })
}

/// Several programs live in one module: each entry point is a process of its own.
fn names_itself(entry: &EntryPoint, app: Option<&App>) -> bool {
    app.is_some_and(|app| matches!(app.runtime, "go" | "rust"))
        && entry.kind == EntryKind::Main
        && entry.path.components().any(|part| part == "cmd" || part == "bin")
}

/// Numbers of the services by the folders that their Dockerfiles pack.
struct Packed(HashMap<RelPath, Vec<usize>>);

impl Packed {
    fn new(merged: &[Merged], sources: &Sources<'_>) -> Self {
        let mut by_folder: HashMap<RelPath, Vec<usize>> = HashMap::new();
        for (at, known) in merged.iter().enumerate() {
            for path in known.parts.iter().filter_map(|part| part.dockerfile.as_ref()) {
                for folder in [sources.dir_of_built(path), sources.dir_of_dockerfile(path)] {
                    by_folder.entry(folder).or_default().push(at);
                }
            }
        }
        Self(by_folder)
    }

    /// The services built by a Dockerfile that packs this folder too.
    fn by(&self, folder: &RelPath) -> &[usize] {
        self.0.get(folder).map_or(&[], Vec::as_slice)
    }
}

/// An application that no image packs and whose manifest says that it serves, without an entry point that was
/// recognised: a front end, or a framework that needs no code of its own to start.
fn add_app_without_entry(merged: &mut Vec<Merged>, app: &App, sources: &Sources<'_>, index: &FileIndex) {
    if merged.iter().any(|known| *known.dir() == app.dir) {
        return;
    }
    let Some(project) = app.main() else { return };
    let start_script = sources.facts.scripts.iter().find(|script| {
        script.dir == app.dir
            && matches!(
                script.name.as_str(),
                "start" | "start:prod" | "serve" | "start:production"
            )
            && !roles::is_development_command(script.command.as_str())
    });
    let web = app
        .frameworks_with_role("web")
        .find(|known| known.evidence.path == project.manifest);
    let frontend = app
        .frameworks_with_role("frontend")
        .find(|known| known.evidence.path == project.manifest);
    let is_workspace_root = !project.members.is_empty();
    let is_library = project.published == Some(true) && start_script.is_none();
    let runnable = match (web, frontend, start_script) {
        _ if is_library || is_workspace_root && start_script.is_none() => return,
        (Some(known), _, Some(_)) => (known, Role::Web),
        (Some(known), None, None) if project.ecosystem != "npm" && has_program(app, sources, index) => {
            (known, Role::Web)
        }
        // A framework of pages that serves them itself needs no script to be started.
        (Some(known), _, None) if has_page(app, index) && starts_itself(known) => (known, Role::Web),
        (None, Some(known), _) if has_page(app, index) || start_script.is_some() => (known, Role::Frontend),
        _ => return,
    };
    let (known, role) = runnable;
    let Some(name) = sources.name_of_dir(&app.dir) else {
        return;
    };
    merged.push(start(
        Candidate {
            tier: Tier::Code,
            name,
            dir: Some(app.dir.clone()),
            role: Some(role),
            dockerfile: None,
            target: None,
            context: None,
            image: None,
            command: own_start(known).filter(|_| start_script.is_none() && starts_itself(known)),
            command_evidence: None,
            confidence: Confidence::Convention,
            unit: None,
            entry: None,
            third_party: false,
            evidence: vec![known.evidence.clone(), project.evidence.clone()],
        },
        sources,
    ));
}

/// Does the framework's own command build the pages, and another one of it serve them?
fn starts_itself(known: &Known) -> bool {
    known.technology.framework.as_ref().is_some_and(|framework| {
        !framework.build.is_empty() && !framework.start.is_empty() && framework.output.is_none()
    })
}

/// The command by which the framework serves what it built.
fn own_start(known: &Known) -> Option<CommandLine> {
    let start = known.technology.framework.as_ref()?.start.first()?;
    CommandLine::parse(Raw::new(&start.replace("{port}", "$PORT")))
        .filter(|_| !start.replace("{port}", "").contains('{'))
}

/// Does the folder hold a program, and not only routes that another program serves? Compiled code needs a main function
/// of its own.
fn has_program(app: &App, sources: &Sources<'_>, index: &FileIndex) -> bool {
    let in_app = |path: &RelPath| sources.apps.owner(path).is_some_and(|owner| owner.dir == app.dir);
    let main = || {
        sources.facts.entry_points.iter().any(|entry| {
            matches!(entry.kind, EntryKind::Main | EntryKind::Program)
                && entry.scope == Scope::Production
                && in_app(&entry.path)
        })
    };
    let starts = match app.runtime {
        "go" | "rust" => main() && !roles::is_helper(app.dir.name()),
        "dotnet" => main() || index.has(&app.dir, "Program.cs") || index.has(&app.dir, "Program.fs"),
        _ => true,
    };
    starts
        && sources
            .facts
            .routes
            .iter()
            .any(|route| route.scope == Scope::Production && route.evidence.path.is_in(&app.dir))
}

/// A page or a configuration that a front end is built from.
fn has_page(app: &App, index: &FileIndex) -> bool {
    [
        "index.html",
        "public/index.html",
        "src/index.html",
        "angular.json",
        "next.config.js",
        "next.config.mjs",
        "next.config.ts",
        "nuxt.config.ts",
        "vite.config.ts",
        "vite.config.js",
        "svelte.config.js",
        "astro.config.mjs",
    ]
    .iter()
    .any(|name| index.has(&app.dir, name))
}
