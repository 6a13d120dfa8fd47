//! The last resort: an application in which nothing was found that serves and that no file describes, but that plainly is
//! a program which somebody starts, is a service all the same.
//!
//! What a manifest or a builder's file declares comes first (`npm start`, `deploy.startCommand`), then the file that the
//! manifest calls its main file, then the only program that it declares, then the table `conventions.toml`, in its order.
//! Only where the whole repository has no process of its own; the root before the applications below it. A library that
//! is published for others is none, and neither is a script that runs a tool of development.

mod language;

use std::collections::{BTreeMap, BTreeSet};

use playbook_core::evidence::{Confidence, Evidence, Scope};
use playbook_core::harmless::{CommandLine, Name};
use playbook_core::inventory::{Role, Runtime};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;
use playbook_core::technology::Group;

use super::apps::App;
use super::candidates::{Candidate, Sources, Tier, name_of_dir};
use super::services::{Merged, entries_of, name_uniquely, start};
use super::{attributes, commands, roles};
use crate::conventions::{self, Language, RowId, Start};
use crate::fact::{EntryKind, ProgramFact, ProjectFact};
use crate::index::FileIndex;

/// What is known about a process that a convention found, and that no other step would tell.
#[derive(Clone, Copy)]
pub(crate) struct Found {
    language: Option<&'static Language>,
    port: Option<u16>,
}

/// What conventions found, by the id of the service.
pub(crate) struct Conventional {
    found: BTreeMap<Shown, Found>,
    /// Folders of the code of exactly one process.
    single: BTreeSet<RelPath>,
}

/// Applications of which the only program is looked for; more are a collection of many things.
const PROGRAMS: usize = 40;

/// How an application is started.
struct Beginning {
    command: Option<CommandLine>,
    evidence: Evidence,
    confidence: Confidence,
    role: Option<Role>,
    listens: bool,
    language: Option<&'static Language>,
    port: Option<u16>,
}

/// Adds what conventions tell, where nothing else told a process. The result goes to [`complete`].
pub(crate) fn add(
    merged: &mut Vec<Merged>,
    sources: &Sources<'_>,
    index: &FileIndex,
    project: Option<&Shown>,
) -> Conventional {
    let mut found = BTreeMap::new();
    if !merged.iter().any(runs) {
        found = new_services(merged, sources, index, project);
    }
    let mut processes: BTreeMap<&RelPath, usize> = BTreeMap::new();
    for known in merged.iter() {
        *processes.entry(known.dir()).or_default() += 1;
    }
    let single = processes
        .into_iter()
        .filter(|(_, count)| *count == 1)
        .map(|(dir, _)| dir.clone())
        .collect();
    Conventional { found, single }
}

fn new_services(
    merged: &mut Vec<Merged>,
    sources: &Sources<'_>,
    index: &FileIndex,
    project: Option<&Shown>,
) -> BTreeMap<Shown, Found> {
    let known = merged.len();
    let mut told: Vec<Found> = Vec::new();
    let mut push = |dir: &RelPath, beginning: Beginning| {
        told.push(Found {
            language: beginning.language,
            port: beginning.port,
        });
        merged.push(start(candidate(dir, beginning, sources, project), sources));
    };
    let root = RelPath::root();
    let below: Vec<&App> = sources.apps.all.iter().filter(|app| !app.dir.is_root()).collect();
    if let Some(beginning) = beginning(&root, sources, index) {
        push(&root, beginning);
    } else {
        let mut any = false;
        for app in &below {
            let found = declared(&app.dir, sources).or_else(|| pages(&app.dir, Some(app), sources));
            if let Some(beginning) = found {
                any = true;
                push(&app.dir, beginning);
            }
        }
        // A single program below the root, among libraries, is what the repository is for.
        let programs: Vec<(&RelPath, Beginning)> = below
            .iter()
            .filter(|_| !any && below.len() <= PROGRAMS)
            .filter_map(|app| Some((&app.dir, beginning(&app.dir, sources, index)?)))
            .collect();
        if programs.len() == 1 {
            for (dir, beginning) in programs {
                push(dir, beginning);
            }
        }
    }
    name_uniquely(merged);
    let new = merged.iter().skip(known).map(|new| new.service.id.clone());
    new.zip(told).collect()
}

/// Is it a process of the repository that keeps running?
fn runs(merged: &Merged) -> bool {
    merged.service.is_own() && merged.service.role != Role::Job
}

/// Fills what no other step tells: language, runtime and port of a process that a convention found, and the start of a
/// process that only its code showed.
pub(crate) fn complete(
    merged: &mut Merged,
    conventional: &Conventional,
    sources: &Sources<'_>,
    index: &FileIndex,
) {
    let found = conventional
        .found
        .get(&merged.service.id)
        .copied()
        .or_else(|| of_code(merged, conventional, sources, index));
    let of_code = found.and_then(|found| found.language);
    let language = language::of_its_command(merged, of_code, sources, index).or(of_code);
    tell(merged, found.and_then(|found| found.port), language, sources);
}

/// Fills port, language and runtime with what was found, as far as nothing else told them.
fn tell(merged: &mut Merged, port: Option<u16>, language: Option<&'static Language>, sources: &Sources<'_>) {
    let service = &mut merged.service;
    if service.ports.is_empty()
        && let Some(port) = port
    {
        service.ports.push(port);
        service.port_confidence = Confidence::Stated;
    }
    let Some(language) = language else { return };
    let of_manifest = sources
        .apps
        .at(&service.path)
        .is_some_and(|app| app.projects.iter().any(|project| belongs(language, project)));
    if service.language.is_none() || !of_manifest {
        service.language = Some(Shown::from(language.language));
    }
    let Some(runtime) = language.runtime else { return };
    if service.runtime.name.as_ref().is_none_or(|name| *name != runtime) && (!of_manifest || runtime == "bun")
    {
        let pin = attributes::best_pin(runtime, &service.path, service.dockerfile.as_ref(), sources);
        service.runtime = Runtime {
            name: Some(Shown::from(runtime)),
            version: pin.map(|pin| pin.version.clone()),
            version_source: pin.and_then(|pin| pin.evidence.first().cloned()),
        };
    }
}

/// The start of a process that only its code showed: the only one of its folder, without a command.
fn of_code(
    merged: &mut Merged,
    conventional: &Conventional,
    sources: &Sources<'_>,
    index: &FileIndex,
) -> Option<Found> {
    let service = &mut merged.service;
    let of_code = merged.parts.iter().all(|part| part.tier == Tier::Code);
    if !of_code || service.commands.start.is_some() || !conventional.single.contains(&service.path) {
        return None;
    }
    let beginning = beginning(&service.path, sources, index)?;
    service.start_evidence = beginning.command.as_ref().map(|_| beginning.evidence.clone());
    service.start_confidence = beginning.confidence;
    service.commands.start = beginning.command;
    Some(Found {
        language: beginning.language,
        port: None,
    })
}

/// Is the manifest one of this language?
fn belongs(language: &Language, project: &ProjectFact) -> bool {
    language.ecosystem == Some(project.ecosystem)
        && language.runtime.is_none_or(|runtime| runs_on(project, runtime))
}

/// Bun as package manager runs the program too, unless the manifest says otherwise.
fn runs_on(project: &ProjectFact, runtime: &str) -> bool {
    project.runtime == runtime || runtime == "bun" && project.package_manager == Some("bun")
}

fn candidate(
    dir: &RelPath,
    beginning: Beginning,
    sources: &Sources<'_>,
    project: Option<&Shown>,
) -> Candidate {
    let name = name_of_dir(dir, sources.apps)
        .or_else(|| project.cloned())
        .unwrap_or_else(|| Shown::from("app"));
    let role = beginning
        .role
        .unwrap_or_else(|| role_of(dir, &name, &beginning, sources));
    Candidate {
        tier: Tier::Code,
        name,
        dir: Some(dir.clone()),
        role: Some(role),
        dockerfile: None,
        target: None,
        context: None,
        image: None,
        command_evidence: beginning.command.as_ref().map(|_| beginning.evidence.clone()),
        command: beginning.command,
        confidence: beginning.confidence,
        unit: None,
        entry: None,
        third_party: false,
        evidence: vec![beginning.evidence],
    }
}

/// A program that is seen to listen, or whose packages are made for it, answers requests; of any other one nothing shows
/// that requests reach it.
fn role_of(dir: &RelPath, name: &Shown, beginning: &Beginning, sources: &Sources<'_>) -> Role {
    let app = sources.apps.at(dir);
    let has = |role: &'static str| app.is_some_and(|app| app.frameworks_with_role(role).next().is_some());
    let listens = beginning.listens
        || has("web")
        || entries_of(sources, dir, EntryKind::Server).next().is_some()
        || attributes::read_port(dir, sources).is_some();
    if listens {
        return Role::Web;
    }
    if has("frontend") {
        return Role::Frontend;
    }
    if entries_of(sources, dir, EntryKind::Scheduler).next().is_some() {
        return Role::Scheduler;
    }
    match roles::of_name(name.as_str()) {
        Some(role @ (Role::Scheduler | Role::Job)) => role,
        _ => Role::Worker,
    }
}

fn beginning(dir: &RelPath, sources: &Sources<'_>, index: &FileIndex) -> Option<Beginning> {
    let app = sources.apps.at(dir);
    if app
        .and_then(App::main)
        .is_some_and(|project| project.published == Some(true))
    {
        return None;
    }
    declared(dir, sources)
        .or_else(|| pages(dir, app, sources))
        .or_else(|| main_file(dir, app, sources, index))
        .or_else(|| only_program(app))
        .or_else(|| by_table(dir, app, sources, index))
}

/// The start command that a builder's file or the manifest declares.
fn declared(dir: &RelPath, sources: &Sources<'_>) -> Option<Beginning> {
    let app = sources.apps.at(dir);
    if app
        .and_then(App::main)
        .is_some_and(|project| project.published == Some(true))
    {
        return None;
    }
    let (command, evidence, confidence) = commands::of_scripts(dir, sources)?;
    let (_, resolved) = commands::resolve(&command, dir, sources);
    let runs = resolved.as_ref().unwrap_or(&command);
    if runs_a_tool(runs.as_str()) {
        return None;
    }
    Some(Beginning {
        role: None,
        listens: false,
        language: language::of_command(runs.as_str()),
        port: None,
        evidence: evidence?,
        command: Some(command),
        confidence,
    })
}

/// Does the last of its commands run a tool of development?
fn runs_a_tool(command: &str) -> bool {
    roles::simple_commands(command).last().is_some_and(|words| {
        words
            .iter()
            .find(|word| {
                !matches!(
                    **word,
                    "npx" | "bunx" | "pnpm" | "yarn" | "exec" | "dlx" | "cross-env" | "run"
                )
            })
            .and_then(|word| word.rsplit('/').next())
            .is_some_and(conventions::is_tool)
    })
}

/// Pages that a framework builds into files: any web server hands them out, nothing has to be started.
fn pages(dir: &RelPath, app: Option<&App>, sources: &Sources<'_>) -> Option<Beginning> {
    let app = app.filter(|app| app.main().is_some_and(|main| main.published != Some(true)))?;
    let serves = app.frameworks_with_role("web").next().is_some()
        || entries_of(sources, dir, EntryKind::Server).next().is_some();
    let builds: Vec<&str> = app
        .of_group(Group::Framework)
        .chain(&app.build_frameworks)
        .filter_map(|known| known.technology.framework.as_ref())
        .filter(|framework| framework.role == "frontend")
        .flat_map(|framework| framework.build.iter().copied())
        .collect();
    let script = sources.facts.scripts.iter().find(|script| {
        script.dir == *dir
            && script.runner == "npm"
            && script.name.as_str().starts_with("build")
            && builds
                .iter()
                .any(|command| script.command.as_str().contains(command))
    })?;
    (!serves).then(|| Beginning {
        command: None,
        evidence: script.evidence.clone(),
        confidence: Confidence::Stated,
        role: Some(Role::Frontend),
        listens: false,
        language: None,
        port: None,
    })
}

/// The file that the manifest calls its main file, where it exists.
fn main_file(
    dir: &RelPath,
    app: Option<&App>,
    sources: &Sources<'_>,
    index: &FileIndex,
) -> Option<Beginning> {
    let project = app?.main()?;
    let fact = sources
        .facts
        .programs
        .iter()
        .find(|fact| fact.row.is_none() && fact.dir == *dir)?;
    let path = exists(&fact.path, index).or_else(|| compiled(&fact.path, index))?;
    let ending = path.name().rsplit_once('.').map_or("", |(_, ending)| ending);
    let language = conventions::languages().iter().find(|language| {
        language.endings.contains(&ending) && belongs(language, project) && language.run.is_some()
    })?;
    let command = filled(language.run?, &path, dir, None, app)?;
    Some(Beginning {
        command: Some(command),
        evidence: fact.evidence.clone(),
        confidence: Confidence::Stated,
        role: None,
        listens: fact.listens,
        language: Some(language),
        port: None,
    })
}

/// `main` may leave out the ending, and may name a folder.
fn exists(path: &RelPath, index: &FileIndex) -> Option<RelPath> {
    let with = |end: &str| RelPath::new(&format!("{}{end}", path.as_str()));
    [path.clone()]
        .into_iter()
        .chain(
            ["", ".js", ".mjs", ".cjs", "/index.js"]
                .into_iter()
                .filter_map(with),
        )
        .find(|path| index.contains(path))
}

/// The file that a compiler writes beside its source: `index.js` where there is an `index.ts`.
fn compiled(path: &RelPath, index: &FileIndex) -> Option<RelPath> {
    let (stem, ending) = path.as_str().rsplit_once('.')?;
    let source = RelPath::new(&format!("{stem}.{}", ending.replace("js", "ts")))?;
    (ending.ends_with("js") && index.contains(&source)).then(|| path.clone())
}

/// The only program that the manifest declares, in languages where such programs are what people deploy.
fn only_program(app: Option<&App>) -> Option<Beginning> {
    let project = app?.main()?;
    let [(name, _, line)] = project.programs.as_slice() else {
        return None;
    };
    let language = conventions::languages()
        .iter()
        .find(|language| language.program.is_some() && belongs(language, project))?;
    let command = language.program?.replace("{name}", name.as_str());
    Some(Beginning {
        command: CommandLine::parse(Raw::new(&command)),
        evidence: Evidence::at(&project.manifest, *line),
        confidence: Confidence::Stated,
        role: None,
        listens: false,
        language: Some(language),
        port: None,
    })
}

/// The best row of the table.
fn by_table(dir: &RelPath, app: Option<&App>, sources: &Sources<'_>, index: &FileIndex) -> Option<Beginning> {
    let by_text = sources
        .facts
        .programs
        .iter()
        .filter(|fact| fact.dir == *dir)
        .filter_map(|fact| {
            let id = fact.row?;
            Some((id, conventions::start(id)?, fact.path.clone(), Some(fact)))
        });
    let by_existence = conventions::by_existence().filter_map(|(id, start)| {
        let path = dir.join(start.file).filter(|path| index.contains(path))?;
        let production = crate::scope::scope_of(&path) == Scope::Production;
        production.then_some((id, start, path, None))
    });
    let (id, start, path, fact): (RowId, &'static Start, RelPath, Option<&ProgramFact>) = by_text
        .chain(by_existence)
        .filter(|(id, start, ..)| holds(*id, start, app))
        .min_by_key(|(id, _, path, _)| (!is_of_manifest(*id, app), *id, path.clone()))?;
    let language = conventions::language(id)?;
    let pattern = start.command.or(language.run)?;
    let command = if pattern.is_empty() {
        None
    } else {
        Some(filled(
            pattern,
            &path,
            dir,
            fact.and_then(|fact| fact.name.as_ref()),
            app,
        )?)
    };
    Some(Beginning {
        command,
        evidence: fact.map_or_else(|| Evidence::file(&path), |fact| fact.evidence.clone()),
        confidence: Confidence::Convention,
        role: start.role.and_then(Role::from_word),
        listens: fact.is_some_and(|fact| fact.listens),
        language: Some(language),
        port: fact.and_then(|fact| fact.port),
    })
}

/// Do the conditions of a row hold in this application?
fn holds(id: RowId, start: &Start, app: Option<&App>) -> bool {
    let projects = app.map_or(&[] as &[ProjectFact], |app| &app.projects);
    if start.alone && !projects.is_empty() {
        return false;
    }
    if let Some(runtime) = start.for_runtime
        && !projects.iter().any(|project| runs_on(project, runtime))
    {
        return false;
    }
    if let Some(package) = start.package
        && !projects
            .iter()
            .flat_map(|project| &project.dependencies)
            .any(|dependency| dependency.name.as_str() == package)
    {
        return false;
    }
    conventions::language(id).is_some()
}

fn is_of_manifest(id: RowId, app: Option<&App>) -> bool {
    let Some(language) = conventions::language(id) else {
        return false;
    };
    app.is_some_and(|app| app.projects.iter().any(|project| belongs(language, project)))
}

/// Fills the holes of a command.
fn filled(
    pattern: &str,
    path: &RelPath,
    dir: &RelPath,
    name: Option<&Name>,
    app: Option<&App>,
) -> Option<CommandLine> {
    let file = if dir.is_root() {
        path.as_str()
    } else {
        path.as_str().strip_prefix(dir.as_str())?.trim_start_matches('/')
    };
    let stem = path.name().rsplit_once('.').map_or(path.name(), |(stem, _)| stem);
    let module = file
        .rsplit_once('.')
        .map_or(file, |(module, _)| module)
        .replace('/', ".");
    let folder = file.rsplit_once('/').map_or(".", |(folder, _)| folder);
    let of_manifest = app
        .and_then(App::main)
        .and_then(|project| project.name.as_ref())
        .map(Name::as_str);
    let of_folder = path.parent();
    let name = name
        .map(Name::as_str)
        .or(of_manifest)
        .unwrap_or_else(|| match of_folder.name() {
            "." => stem,
            other => other,
        });
    let text = pattern
        .replace("{file}", file)
        .replace("{module}", &module)
        .replace("{dir}", folder)
        .replace("{stem}", stem)
        .replace("{name}", name);
    CommandLine::parse(Raw::new(&text))
}

#[cfg(test)]
mod tests;
