//! What is a service? Candidates that are the same process become one.

use std::collections::BTreeSet;

use playbook_core::evidence::{Confidence, Scope};
use playbook_core::harmless::Name;
use playbook_core::inventory::{Role, Service, Stack, Unit};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use super::apps::App;
use super::candidates::{Candidate, Sources, Tier};
use super::roles;
use crate::fact::{EntryKind, EntryPoint};
use crate::index::FileIndex;
use crate::limits;

/// A service with the candidates it was made of, best first.
pub(crate) struct Merged {
    pub(crate) service: Service,
    pub(crate) parts: Vec<Candidate>,
}

impl Merged {
    /// The application's folder.
    pub(crate) fn dir(&self) -> &RelPath {
        &self.service.path
    }

    /// Does one of its parts come from this unit?
    pub(crate) fn has_unit(&self, unit: (usize, usize)) -> bool {
        self.parts.iter().any(|part| part.unit == Some(unit))
    }
}

/// Merges the candidates of all sources.
pub(crate) fn merge(sources: &Sources<'_>, index: &FileIndex) -> Vec<Merged> {
    let mut merged: Vec<Merged> = Vec::new();
    let (builders, described) = sources
        .of_stacks(Scope::Production)
        .into_iter()
        .partition(|candidate| is_of_builder(candidate, sources));
    add_stack_candidates(&mut merged, described, sources);
    for candidate in sources.of_images() {
        add_image_candidate(&mut merged, candidate, sources);
    }
    add_code_candidates(&mut merged, sources, index);
    add_builder_candidates(&mut merged, builders);
    add_development_candidates(&mut merged, sources.of_stacks(Scope::Development), sources);
    drop_assets_of_others(&mut merged, sources, index);
    super::aggregators::drop(&mut merged, sources);
    merged.truncate(limits::SERVICES);
    name_uniquely(&mut merged);
    merged
}

/// A builder's file says how the application of its folder is started, not that there is one.
fn is_of_builder(candidate: &Candidate, sources: &Sources<'_>) -> bool {
    candidate
        .unit
        .and_then(|(at, _)| sources.stacks.get(at))
        .is_some_and(|stack| stack.kind == "nixpacks")
}

/// What a builder is told goes to the process of its folder, the web process first.
fn add_builder_candidates(merged: &mut [Merged], candidates: Vec<Candidate>) {
    for candidate in candidates {
        let known = merged
            .iter_mut()
            .filter(|known| known.service.is_own() && candidate.dir.as_ref() == Some(known.dir()))
            .min_by_key(|known| known.service.role);
        if let Some(known) = known {
            // The builder runs this instead of what a Procfile says.
            known.service.evidence.extend(candidate.evidence.iter().cloned());
            known.parts.insert(0, candidate);
        }
    }
}

fn normal(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .collect::<String>()
        .to_ascii_lowercase()
}

/// The words of a command that tell what runs, without options: for a rough comparison.
fn essence(command: &str) -> BTreeSet<String> {
    roles::simple_commands(command)
        .into_iter()
        .flatten()
        .filter(|word| !word.starts_with('-') && !word.starts_with('$'))
        .map(str::to_ascii_lowercase)
        .collect()
}

fn similar(
    a: Option<&playbook_core::harmless::CommandLine>,
    b: Option<&playbook_core::harmless::CommandLine>,
) -> bool {
    let (Some(a), Some(b)) = (a, b) else { return false };
    let (a, b) = (essence(a.as_str()), essence(b.as_str()));
    let common = a.intersection(&b).count();
    common > 0 && common * 2 >= a.len().min(b.len()).max(1) * 2 - 1
}

/// Could two roles be the same process? An unknown role fits any.
fn fits(a: Option<Role>, b: Option<Role>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => {
            a == b || matches!((a, b), (Role::Web, Role::Frontend) | (Role::Frontend, Role::Web))
        }
        _ => true,
    }
}

/// The role of a candidate: what its source says, then what the application it runs says, then its name.
fn role_of(candidate: &Candidate, sources: &Sources<'_>) -> Role {
    if let Some(role) = candidate.role {
        return role;
    }
    let app = candidate.dir.as_ref().and_then(|dir| sources.apps.owner(dir));
    let by_name = roles::of_name(candidate.name.as_str());
    if by_name.is_none() && listens_nowhere(candidate, sources) {
        return Role::Worker;
    }
    if let Some(app) = app {
        let has = |role: &'static str| app.frameworks_with_role(role).next().is_some();
        let entries = |kind| entries_of(sources, &app.dir, kind).next().is_some();
        if let Some(Role::Worker | Role::Scheduler | Role::Job) = by_name {
            return by_name.unwrap_or(Role::Worker);
        }
        if has("web") || entries(EntryKind::Server) {
            return Role::Web;
        }
        if has("frontend") {
            return Role::Frontend;
        }
        if has("worker") || entries(EntryKind::Worker) {
            return Role::Worker;
        }
    }
    by_name.unwrap_or(Role::Web)
}

/// Kinds of stacks in which a process that listens says so.
const LISTING_PORTS: [&str; 4] = ["ecs-task-definition", "kubernetes", "nomad", "pm2"];

/// A unit without any port or HTTP probe, of a kind of stack whose other units of the same code have them.
fn listens_nowhere(candidate: &Candidate, sources: &Sources<'_>) -> bool {
    let Some((at, position)) = candidate.unit else {
        return false;
    };
    let Some(stack) = sources
        .stacks
        .get(at)
        .filter(|stack| LISTING_PORTS.contains(&stack.kind.as_str()))
    else {
        return false;
    };
    let silent = |unit: &Unit| unit.ports.is_empty() && unit.probes.iter().all(|probe| probe.path.is_none());
    let folder = |stack: &Stack| stack.files.first().map(RelPath::parent);
    let others = sources
        .stacks
        .iter()
        .filter(|other| other.kind == stack.kind && folder(other) == folder(stack));
    stack.units.get(position).is_some_and(silent)
        && others.flat_map(|other| &other.units).any(|unit| !silent(unit))
}

/// Production entry points of this kind that belong to the application of this folder.
pub(crate) fn entries_of<'a>(
    sources: &'a Sources<'_>,
    dir: &'a RelPath,
    kind: EntryKind,
) -> impl Iterator<Item = &'a EntryPoint> {
    sources.facts.entry_points.iter().filter(move |entry| {
        entry.kind == kind
            && entry.scope == Scope::Production
            && sources.apps.owner(&entry.path).is_some_and(|app| app.dir == *dir)
    })
}

pub(crate) fn start(candidate: Candidate, sources: &Sources<'_>) -> Merged {
    let role = role_of(&candidate, sources);
    let dir = candidate.dir.clone().unwrap_or_else(RelPath::root);
    let mut service = Service::new(candidate.name.clone(), candidate.name.clone(), dir, role);
    service.evidence.clone_from(&candidate.evidence);
    Merged {
        service,
        parts: vec![candidate],
    }
}

fn absorb(known: &mut Merged, candidate: Candidate) {
    known.service.evidence.extend(candidate.evidence.iter().cloned());
    known.parts.push(candidate);
}

/// Units of one stack are never the same process; units of different stacks may be.
fn add_stack_candidates(merged: &mut Vec<Merged>, candidates: Vec<Candidate>, sources: &Sources<'_>) {
    for candidate in candidates {
        match best_match(merged, &candidate, sources) {
            Some(known) => absorb(known, candidate),
            None => merged.push(start(candidate, sources)),
        }
    }
}

/// The service that a unit is another description of.
fn best_match<'m>(
    merged: &'m mut [Merged],
    candidate: &Candidate,
    sources: &Sources<'_>,
) -> Option<&'m mut Merged> {
    let stack = candidate.unit.map(|(stack, _)| stack);
    let role = role_of(candidate, sources);
    let same_place = |known: &Merged| {
        let dir = candidate
            .dir
            .as_ref()
            .is_none_or(|dir| dir == known.dir() || known.parts.iter().all(|part| part.dir.is_none()));
        let dockerfile = candidate.dockerfile.is_some()
            && known
                .parts
                .iter()
                .any(|part| part.dockerfile == candidate.dockerfile);
        dir || dockerfile
    };
    let of_role = merged
        .iter()
        .filter(|known| same_place(known) && known.service.role == role)
        .count();
    let rivals = candidate
        .unit
        .map_or(0, |(stack, _)| rivals(stack, candidate, role, sources));
    // Two files of one kind that use different names mean different processes.
    let kind_of = |part: &Candidate| {
        part.unit
            .and_then(|(at, _)| sources.stacks.get(at))
            .map(|stack| stack.kind.clone())
    };
    let kind = kind_of(candidate);
    let same_kind = |known: &Merged| {
        known
            .parts
            .iter()
            .any(|part| kind.is_some() && kind_of(part) == kind)
    };
    let score = |known: &Merged| -> u32 {
        let same_stack = known
            .parts
            .iter()
            .any(|part| part.unit.map(|(stack, _)| stack) == stack && stack.is_some());
        let third_party = known.parts.iter().any(|part| part.third_party);
        if same_stack || third_party != candidate.third_party || !same_place(known) {
            return 0;
        }
        let name = known
            .parts
            .iter()
            .any(|part| normal(part.name.as_str()) == normal(candidate.name.as_str()));
        let command = known
            .parts
            .iter()
            .any(|part| similar(part.command.as_ref(), candidate.command.as_ref()));
        let same_role = fits(Some(known.service.role), Some(role));
        match (name, command, same_role) {
            (true, _, true) => 5,
            (_, true, true) => 4,
            (true, _, false) if candidate.role.is_none() => 3,
            (false, false, true) if of_role == 1 && rivals <= 1 && !third_party && !same_kind(known) => 2,
            _ => 0,
        }
    };
    merged
        .iter_mut()
        .map(|known| (score(known), known))
        .filter(|(score, _)| *score > 0)
        .max_by_key(|(score, _)| *score)
        .map(|(_, known)| known)
}

/// How many units of the same stack run this code in this role?
fn rivals(stack: usize, candidate: &Candidate, role: Role, sources: &Sources<'_>) -> usize {
    let scope = sources
        .stacks
        .get(stack)
        .map_or(Scope::Production, |stack: &Stack| stack.scope);
    sources
        .of_stacks(scope)
        .iter()
        .filter(|other| {
            other.unit.map(|(at, _)| at) == Some(stack)
                && other.dir == candidate.dir
                && role_of(other, sources) == role
        })
        .count()
}

/// An image belongs to each process that is built from it; it is a process of its own when nothing else runs it.
fn add_image_candidate(merged: &mut Vec<Merged>, candidate: Candidate, sources: &Sources<'_>) {
    let role = role_of(&candidate, sources);
    let dir = candidate.dir.clone();
    let uses = |known: &Merged| {
        known
            .parts
            .iter()
            .any(|part| part.dockerfile.is_some() && part.dockerfile == candidate.dockerfile)
            || known
                .parts
                .iter()
                .all(|part| part.dockerfile.is_none() && !part.third_party)
                && dir.as_ref().is_some_and(|dir| dir == known.dir())
    };
    let users: Vec<usize> = merged
        .iter()
        .enumerate()
        .filter(|(_, known)| uses(known))
        .map(|(at, _)| at)
        .collect();
    let name = normal(candidate.name.as_str());
    let named = |known: &Merged| {
        let alike = |part: &Candidate| {
            normal(part.name.as_str()) == name
                || similar(part.command.as_ref(), candidate.command.as_ref())
                || candidate.target.is_some()
                    && (part.target == candidate.target
                        || has_word(part.name.as_str(), candidate.name.as_str()))
        };
        known.parts.iter().any(alike)
    };
    let by_role = |known: &Merged| {
        let no_command = known
            .parts
            .iter()
            .all(|part| part.command.is_none() || part.tier != Tier::Stack);
        // One stage of several is the only process of its folder, or another one than what its name does not fit.
        let alone = dir
            .as_ref()
            .is_some_and(|dir| !dir.is_root() && known.dir() == dir)
            && users.len() == 1;
        (candidate.target.is_none() || alone)
            && (known.service.role == role || no_command && candidate.role.is_none())
    };
    let find =
        |fits: &dyn Fn(&Merged) -> bool| users.iter().copied().find(|at| merged.get(*at).is_some_and(fits));
    let same = find(&named).or_else(|| find(&by_role));
    match same.and_then(|at| merged.get_mut(at)) {
        Some(known) => {
            let only_role = known.parts.iter().all(|part| part.role.is_none());
            if only_role && candidate.role.is_some() {
                known.service.role = role;
            }
            absorb(known, candidate);
        }
        // Every user of the image overrides its command with another role: what the image does by itself is not run.
        None if !users.is_empty() && candidate.command.is_none() => {}
        None => merged.push(start(candidate, sources)),
    }
}

/// `ledger-server` has the word `server`.
fn has_word(name: &str, word: &str) -> bool {
    let wanted = playbook_core::secret::words_of(word);
    let words = playbook_core::secret::words_of(name);
    !wanted.is_empty() && wanted.iter().all(|word| words.contains(word))
}

/// Code says what runs where no descriptor does; where one does, it lends its facts to it.
fn add_code_candidates(merged: &mut Vec<Merged>, sources: &Sources<'_>, index: &FileIndex) {
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
            .filter(|(_, known)| {
                !known.parts.iter().any(|part| part.third_party)
                    && (*known.dir() == dir || builds(known, &dir, sources))
            })
            .map(|(at, _)| at)
            .collect();
        let name = normal(candidate.name.as_str());
        let by_name = in_place.iter().copied().find(|at| {
            merged.get(*at).is_some_and(|known| {
                known.parts.iter().any(|part| {
                    normal(part.name.as_str()) == name
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
        add_app_without_entry(merged, app, sources, index);
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

/// Is the service built by a Dockerfile that packs this folder too?
fn builds(known: &Merged, dir: &RelPath, sources: &Sources<'_>) -> bool {
    known
        .parts
        .iter()
        .filter_map(|part| part.dockerfile.as_ref())
        .any(|path| sources.dir_of_dockerfile(path) == *dir)
}

/// An application whose manifest says that it serves, without an entry point that was recognised: a front end, or a
/// framework that needs no code of its own to start.
fn add_app_without_entry(merged: &mut Vec<Merged>, app: &App, sources: &Sources<'_>, index: &FileIndex) {
    if merged
        .iter()
        .any(|known| *known.dir() == app.dir || builds(known, &app.dir, sources))
    {
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
        (None, Some(known), _) if has_page(app, index) || start_script.is_some() => (known, Role::Frontend),
        _ => return,
    };
    let (known, role) = runnable;
    let Some(name) = super::candidates::name_of_dir(&app.dir, sources.apps) else {
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
            command: None,
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

fn has_program(app: &App, sources: &Sources<'_>, _index: &FileIndex) -> bool {
    sources
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

/// Descriptors of development name no service of production, but where nothing else says what runs they are the best
/// statement there is.
fn add_development_candidates(merged: &mut Vec<Merged>, candidates: Vec<Candidate>, sources: &Sources<'_>) {
    let described: BTreeSet<RelPath> = merged.iter().map(|known| known.dir().clone()).collect();
    for candidate in candidates {
        if candidate.third_party {
            continue;
        }
        let maintenance = roles::is_maintenance(candidate.name.as_str());
        if let Some(known) = best_match(merged, &candidate, sources) {
            known.parts.push(candidate);
            continue;
        }
        let has_code = candidate
            .dir
            .as_ref()
            .and_then(|dir| sources.apps.at(dir))
            .is_some();
        let known_place = candidate.dir.as_ref().is_some_and(|dir| described.contains(dir));
        let role = role_of(&candidate, sources);
        // A worker that only the development stack starts is still a process type of the code.
        let worker = matches!(role, Role::Worker | Role::Scheduler) && candidate.role.is_some();
        if maintenance || !has_code || known_place && !worker {
            continue;
        }
        merged.push(start(candidate, sources));
    }
}

/// A front end whose result another image packs, or that lies in the folder of a server, is part of that service.
fn drop_assets_of_others(merged: &mut Vec<Merged>, sources: &Sources<'_>, index: &FileIndex) {
    let servers: Vec<(RelPath, Vec<RelPath>)> = merged
        .iter()
        .filter(|known| known.service.role == Role::Web)
        .map(|known| {
            (
                known.dir().clone(),
                known
                    .parts
                    .iter()
                    .filter_map(|part| part.dockerfile.clone())
                    .collect(),
            )
        })
        .collect();
    merged.retain(|known| {
        if known.service.role != Role::Frontend
            || known
                .parts
                .iter()
                .any(|part| matches!(part.tier, Tier::Stack | Tier::Image))
        {
            return true;
        }
        let dir = known.dir();
        if ["vercel.json", "netlify.toml", "wrangler.toml"]
            .iter()
            .any(|name| index.has(dir, name))
        {
            return true;
        }
        let packed = servers
            .iter()
            .flat_map(|(_, dockerfiles)| dockerfiles)
            .any(|path| {
                sources
                    .containers
                    .iter()
                    .filter(|container| container.path == *path)
                    .any(|container| {
                        container
                            .copies
                            .iter()
                            .flat_map(|copy| &copy.sources)
                            .any(|source| {
                                let source = source.as_str().trim_start_matches("./").trim_end_matches('/');
                                !source.is_empty()
                                    && !dir.is_root()
                                    && (source == dir.as_str()
                                        || source.starts_with(&format!("{dir}/"))
                                        || source == dir.name()
                                        || source.starts_with(&format!("{}/", dir.name())))
                            })
                    })
            });
        let inside = servers
            .iter()
            .any(|(server, _)| dir != server && dir.is_in(server) && !server.is_root());
        !(packed || inside)
    });
}

/// Ids are slugs of the names; a second service of the same name gets its folder or role added.
pub(crate) fn name_uniquely(merged: &mut [Merged]) {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for known in merged.iter_mut() {
        let base = slug(known.service.name.as_str());
        let mut id = base.clone();
        let extras = [
            slug(known.service.path.components().next().unwrap_or_default()),
            slug(known.service.path.name()),
            known.service.role.as_str().to_owned(),
        ];
        for extra in extras.iter().filter(|extra| !extra.is_empty()) {
            if seen.contains(&id) {
                id = format!("{base}-{extra}");
            }
        }
        let mut number = 2;
        while seen.contains(&id) {
            id = format!("{base}-{number}");
            number += 1;
        }
        seen.insert(id.clone());
        known.service.id = Name::parse(Raw::new(&id)).map_or_else(|| known.service.name.clone(), Into::into);
    }
}

/// Lower case, digits and hyphens; `CreateOrder` is two words.
pub(crate) fn slug(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut before = ' ';
    for c in name.chars() {
        if c.is_ascii_uppercase() && before.is_ascii_lowercase() {
            out.push('-');
        }
        before = c;
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        } else if !out.ends_with('-') && !out.is_empty() {
            out.push('-');
        }
    }
    out.trim_end_matches('-').to_owned()
}
