//! Commands: from the best source, and what an alias ends up running.

use std::collections::BTreeSet;

use playbook_core::evidence::{Confidence, Evidence};
use playbook_core::harmless::CommandLine;
use playbook_core::inventory::{Role, Service};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::technology::{Catalogue, Group};

use super::apps::App;
use super::candidates::{Sources, Tier};
use super::roles;
use super::services::Merged;
use crate::conventions;
use crate::fact::{EntryKind, EntryPoint, ProjectFact, ScriptFact};

fn command(text: &str) -> Option<CommandLine> {
    CommandLine::parse(Raw::new(text))
}

/// Fills the commands of a service.
pub(crate) fn fill(merged: &mut Merged, sources: &Sources<'_>) {
    let dir = merged.service.path.clone();
    let chosen = start(merged, sources);
    if let Some((start, evidence, confidence)) = chosen {
        let (through, resolved) = resolve(&start, &dir, sources);
        merged.service.commands.start_through = through;
        merged.service.commands.start_resolved = resolved;
        merged.service.workers = workers(start.as_str()).or_else(|| {
            merged
                .service
                .commands
                .start_resolved
                .as_ref()
                .and_then(|c| workers(c.as_str()))
        });
        merged.service.commands.start = Some(start);
        merged.service.start_evidence = evidence;
        merged.service.start_confidence = confidence;
    }
    of_manifest(&mut merged.service, &dir, sources);
}

/// The start command: of production's descriptors, the image, the manifest's scripts, the framework's convention, and
/// only then of development's descriptors.
fn start(merged: &Merged, sources: &Sources<'_>) -> Option<(CommandLine, Option<Evidence>, Confidence)> {
    let of_tier = |tier| merged.parts.iter().filter(move |part| part.tier == tier);
    let stated = |tier| {
        of_tier(tier)
            .filter(|part| {
                part.command.as_ref().is_some_and(|command| {
                    tier == Tier::Stack || !roles::is_development_command(command.as_str())
                })
            })
            .find_map(|part| {
                Some((
                    part.command.clone()?,
                    part.command_evidence.clone(),
                    part.confidence,
                ))
            })
    };
    if let Some(found) = stated(Tier::Stack).or_else(|| stated(Tier::Image)) {
        return Some(found);
    }
    // The command of the image that a unit builds or names.
    let dockerfiles: Vec<&RelPath> = merged
        .parts
        .iter()
        .filter_map(|part| part.dockerfile.as_ref())
        .collect();
    for container in sources
        .containers
        .iter()
        .filter(|container| dockerfiles.contains(&&container.path))
    {
        if let Some(whole) =
            super::candidates::joined(container.entrypoint.as_ref(), container.command.as_ref())
        {
            let line = container.command_line.or(container.entrypoint_line);
            return Some((
                whole,
                line.map(|line| Evidence::at(&container.path, line)),
                Confidence::Stated,
            ));
        }
    }
    let service = &merged.service;
    if matches!(service.role, Role::Web | Role::Frontend)
        && let Some(found) = of_scripts(&service.path, sources)
    {
        return Some(found);
    }
    stated(Tier::Code)
        .or_else(|| convention(merged, sources))
        .or_else(|| stated(Tier::Development))
}

/// `npm start` and its relatives, as the manifest's package manager runs them; what a builder's file states comes first.
pub(crate) fn of_scripts(
    dir: &RelPath,
    sources: &Sources<'_>,
) -> Option<(CommandLine, Option<Evidence>, Confidence)> {
    let in_place = || sources.facts.scripts.iter().filter(|script| script.dir == *dir);
    if let Some(stated) = in_place().find(|script| conventions::is_builder(script.runner)) {
        return Some((
            stated.command.clone(),
            Some(stated.evidence.clone()),
            Confidence::Stated,
        ));
    }
    let main = sources.apps.at(dir).and_then(|app| app.main());
    let script = conventions::start_scripts().iter().find_map(|name| {
        in_place().find(|script| {
            script.runner != "make"
                && script.name.as_str() == *name
                && main.is_none_or(|main| starts(script.runner, main))
                && !roles::is_development_command(script.command.as_str())
                && !is_development_server(script.command.as_str())
        })
    })?;
    Some((
        run_script(script, main)?,
        Some(script.evidence.clone()),
        Confidence::Stated,
    ))
}

/// The command that runs a script of a manifest with the application's package manager.
pub(crate) fn run_script(script: &ScriptFact, main: Option<&ProjectFact>) -> Option<CommandLine> {
    let manager = main.and_then(|main| main.package_manager);
    let prefix = manager
        .and_then(|manager| Catalogue::get().find(Group::PackageManager, manager))
        .and_then(|technology| technology.package_manager.as_ref()?.run_prefix)
        .unwrap_or(script.runner);
    let name = script.name.as_str();
    command(&if prefix == "npm run" && name == "start" {
        "npm start".to_owned()
    } else {
        format!("{prefix} {name}")
    })
}

/// A `package.json` that builds the pages of a program in another language does not start the program.
fn starts(runner: &str, main: &ProjectFact) -> bool {
    !matches!(runner, "npm" | "deno") || main.ecosystem == "npm"
}

/// Does its last command run a framework's development server: `ng serve`, `vite --port 3000`?
fn is_development_server(command: &str) -> bool {
    let commands = roles::simple_commands(command);
    let Some(words) = commands.last() else {
        return false;
    };
    let words: Vec<&str> = words
        .iter()
        .copied()
        .skip_while(|word| matches!(*word, "npx" | "bunx" | "cross-env") || roles::is_assignment(word))
        .collect();
    Catalogue::get()
        .group(Group::Framework)
        .iter()
        .filter_map(|technology| technology.framework.as_ref())
        .flat_map(|framework| &framework.development)
        .any(|development| {
            let wanted: Vec<&str> = development.split(' ').collect();
            words.starts_with(&wanted)
                && words
                    .get(wanted.len())
                    .is_none_or(|next| next.starts_with(['-', '$']))
        })
}

/// The framework's usual command with the proven entry point filled in.
fn convention(merged: &Merged, sources: &Sources<'_>) -> Option<(CommandLine, Option<Evidence>, Confidence)> {
    let service = &merged.service;
    let kind = match service.role {
        Role::Web => EntryKind::Server,
        Role::Worker => EntryKind::Worker,
        Role::Scheduler => EntryKind::Scheduler,
        _ => return None,
    };
    let framework = |entry: &EntryPoint| {
        Catalogue::get()
            .find(Group::Framework, entry.framework.as_str())
            .and_then(|technology| technology.framework.as_ref())
    };
    let app = sources.apps.owner(&service.path)?;
    let own: Vec<&EntryPoint> = merged
        .parts
        .iter()
        .filter_map(|part| sources.facts.entry_points.get(part.entry?))
        .filter(|entry| entry.kind == kind && framework(entry).is_some())
        .collect();
    // What stands upon another one starts it: Horizon the queue workers.
    let entry = own
        .iter()
        .find(|entry| {
            !own.iter().any(|other| {
                framework(other)
                    .is_some_and(|above| above.built_on.iter().any(|below| entry.framework == *below))
            })
        })
        .copied()
        .or_else(|| {
            super::services::entries_of(sources, &app.dir, kind).find(|entry| framework(entry).is_some())
        })?;
    let pattern = framework(entry)?.start.first()?;
    let symbol = release_of(app, sources).or_else(|| {
        entry
            .symbol
            .as_ref()
            .map(|symbol| relative_symbol(symbol.as_str(), &app.dir))
    });
    let text = match (&symbol, pattern.contains('{')) {
        (_, true) if pattern.contains("{jar}") => {
            pattern.replace("{jar}", &super::build_files::archive(app, sources))
        }
        (Some(symbol), true) => fill_pattern(pattern, symbol),
        (_, false) => (*pattern).to_owned(),
        (None, true) if pattern.replace("{port}", "").contains('{') => return None,
        (None, true) => fill_pattern(pattern, ""),
    };
    let text = own_server(entry, app, &text, sources).unwrap_or(text);
    Some((
        command(&text)?,
        Some(entry.evidence.clone()),
        Confidence::Convention,
    ))
}

/// The release that an application of Elixir or Erlang is packed in: what its own manifest names, else that of the
/// umbrella above it.
fn release_of(app: &App, sources: &Sources<'_>) -> Option<String> {
    if app.runtime != "beam" {
        return None;
    }
    sources
        .apps
        .all
        .iter()
        .filter(|above| app.dir.is_in(&above.dir))
        .flat_map(|above| {
            above
                .projects
                .iter()
                .map(move |project| (above.dir.depth(), project))
        })
        .filter_map(|(depth, project)| Some((depth, project.programs.first()?.0.as_str())))
        .max_by_key(|(depth, _)| *depth)
        .map(|(_, name)| name.to_owned())
}

/// A Python program that listens by itself when it is run, where the server of the convention is not installed.
fn own_server(entry: &EntryPoint, app: &App, convention: &str, sources: &Sources<'_>) -> Option<String> {
    if app.runtime != "python" {
        return None;
    }
    let program = convention.split_whitespace().next()?;
    let server = Catalogue::get().find(Group::Server, program)?;
    let installed = app.known.iter().any(|known| known.technology.id == server.id);
    let listens = sources
        .facts
        .programs
        .iter()
        .any(|fact| fact.path == entry.path && fact.listens);
    let file = entry
        .path
        .as_str()
        .strip_prefix(app.dir.as_str())
        .unwrap_or(entry.path.as_str());
    (!installed && listens).then(|| format!("python {}", file.trim_start_matches('/')))
}

/// Replaces the `{…}` of a pattern by the entry point.
fn fill_pattern(pattern: &str, symbol: &str) -> String {
    let mut out = String::new();
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let (hole, tail) = after.split_once('}').unwrap_or((after, ""));
        match hole {
            "port" => out.push_str("$PORT"),
            // The package of the project's settings, whichever of its modules the entry point stands in.
            "project" => {
                let module = symbol.split(':').next().unwrap_or(symbol);
                let package = [".wsgi", ".asgi"].iter().find_map(|end| module.strip_suffix(end));
                out.push_str(package.unwrap_or(module));
            }
            _ => out.push_str(symbol),
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// `backend.app.main:app`, seen from the folder `backend`, is `app.main:app`; the folder `src` of a layout is none of the
/// module's path.
pub(crate) fn relative_symbol(symbol: &str, dir: &RelPath) -> String {
    let mut rest = symbol;
    for part in dir.components() {
        let shorter = rest
            .strip_prefix(part)
            .and_then(|rest| rest.strip_prefix(['.', '/']));
        match shorter {
            Some(shorter) => rest = shorter,
            None => break,
        }
    }
    rest.strip_prefix("src.").unwrap_or(rest).to_owned()
}

/// Install, build, test, lint and migrate commands of the manifest.
fn of_manifest(service: &mut Service, dir: &RelPath, sources: &Sources<'_>) {
    let Some(app) = sources.apps.owner(dir) else {
        return;
    };
    let Some(project) = app.main() else { return };
    service.manifest = Some(project.manifest.clone());
    let manager = project.package_manager;
    service.package_manager = manager.map(playbook_core::shown::Shown::from);
    let technology = manager.and_then(|manager| Catalogue::get().find(Group::PackageManager, manager));
    let facts = technology.and_then(|technology| technology.package_manager.as_ref());
    if service.commands.install.is_none() {
        service.commands.install = facts.and_then(|facts| facts.install).and_then(command);
    }
    let prefix = facts.and_then(|facts| facts.run_prefix);
    let script = |names: &[&str]| {
        names.iter().find_map(|name| {
            let script = sources
                .facts
                .scripts
                .iter()
                .find(|script| script.dir == app.dir && script.name.as_str() == *name)?;
            Some(run(script, prefix))
        })
    };
    let build_unit = service_unit_build(service, sources);
    service.commands.build =
        build_unit.or_else(|| script(&["build:prod", "build:production", "build"]).flatten());
    service.commands.test = script(&["test", "tests", "test:unit"]).flatten();
    service.commands.lint = script(&["lint"]).flatten();
}

fn service_unit_build(service: &Service, sources: &Sources<'_>) -> Option<CommandLine> {
    sources
        .stacks
        .iter()
        .flat_map(|stack| &stack.units)
        .filter(|unit| unit.name == service.name)
        .find_map(|unit| unit.build_command.clone())
}

fn run(script: &ScriptFact, prefix: Option<&str>) -> Option<CommandLine> {
    match script.runner {
        "make" => command(&format!("make {}", script.name)),
        runner @ ("task" | "just" | "composer" | "mix") => command(&format!("{runner} {}", script.name)),
        runner => command(&format!("{} {}", prefix.unwrap_or(runner), script.name)),
    }
}

/// What a command ends up running: scripts of the manifest, make targets and shell scripts are followed, at most eight
/// deep; the aliases on the way come first. Nothing when the command is no alias.
pub(crate) fn resolve(
    start: &CommandLine,
    dir: &RelPath,
    sources: &Sources<'_>,
) -> (Vec<CommandLine>, Option<CommandLine>) {
    let mut through = Vec::new();
    let mut current = start.as_str().to_owned();
    let mut seen = BTreeSet::new();
    for _ in 0..8 {
        if !seen.insert(current.clone()) {
            break;
        }
        let Some(next) = one_step(&current, dir, sources) else {
            break;
        };
        if current != start.as_str() {
            through.extend(command(&current));
        }
        current = next;
    }
    let resolved = (current != start.as_str()).then(|| command(&current)).flatten();
    (through, resolved)
}

fn one_step(text: &str, dir: &RelPath, sources: &Sources<'_>) -> Option<String> {
    let commands = roles::simple_commands(text);
    let words = commands.last()?;
    let alias = script_alias(words, dir, sources).map(|script| script.command.as_str().to_owned());
    if alias.is_some() {
        return alias;
    }
    let line = command(&words.join(" "))?;
    let script = sources.script_of_command(dir, &line)?;
    // The argument chooses what the script runs.
    let arguments: Vec<&str> = words
        .iter()
        .copied()
        .skip_while(|word| !word.ends_with(script.path.name()))
        .skip(1)
        .collect();
    if let Some(arm) = arguments
        .first()
        .and_then(|name| script.arms.iter().find(|arm| arm.name.as_str() == *name))
    {
        let run: Vec<&str> = arm.commands.iter().map(|(command, _)| command.as_str()).collect();
        let last = run
            .iter()
            .rev()
            .find(|command| roles::of_command(command).is_some())
            .or(run.last())?;
        return Some((*last).to_owned());
    }
    if script.runs_arguments && !arguments.is_empty() {
        return Some(arguments.join(" "));
    }
    let commands: Vec<&str> = script
        .commands
        .iter()
        .map(|(command, _)| command.as_str())
        .collect();
    let last = commands
        .iter()
        .rev()
        .find(|command| roles::of_command(command).is_some())
        .or(commands.last())?;
    Some((*last).to_owned())
}

/// The script that `npm run x`, `yarn x`, `make x` … names.
pub(crate) fn script_alias<'a>(
    words: &[&str],
    dir: &RelPath,
    sources: &'a Sources<'_>,
) -> Option<&'a ScriptFact> {
    let (first, rest) = words.split_first()?;
    let runner = match *first {
        "npm" | "yarn" | "pnpm" | "bun" | "deno" => "npm",
        other @ ("make" | "task" | "just" | "composer" | "pdm" | "poe" | "mix" | "poetry" | "uv") => other,
        _ => return None,
    };
    let name = rest
        .iter()
        .find(|word| !word.starts_with('-') && !matches!(**word, "run" | "run-script" | "task"))?;
    let matching = |script: &&ScriptFact| {
        script.name.as_str() == *name
            && (script.runner == runner
                || runner == "npm" && matches!(script.runner, "npm" | "yarn" | "pnpm" | "bun" | "deno"))
    };
    sources
        .facts
        .scripts
        .iter()
        .filter(matching)
        .filter(|script| dir.is_in(&script.dir) || script.dir.is_in(dir))
        .min_by_key(|script| (script.dir != *dir, script.dir.depth(), script.dir.clone()))
}

/// The number of workers that a command asks for, where it is a literal number.
fn workers(text: &str) -> Option<u32> {
    let found = roles::technologies(text);
    let server = found.iter().find_map(|technology| technology.server.as_ref())?;
    let words: Vec<&str> = text
        .split_whitespace()
        .map(|word| word.trim_matches(['"', '\'']))
        .collect();
    words.iter().enumerate().find_map(|(at, word)| {
        server.worker_flags.iter().find_map(|flag| {
            let value = if word == flag {
                words.get(at + 1).copied()
            } else {
                word.strip_prefix(flag)
                    .and_then(|rest| rest.strip_prefix('=').or((flag.len() == 2).then_some(rest)))
            };
            value.and_then(|value| value.parse().ok())
        })
    })
}
