//! The language of a process whose code no manifest describes: what its command runs is written in it.

use playbook_core::evidence::Confidence;
use playbook_core::technology::{Catalogue, Group};

use crate::conventions::{self, Language};
use crate::index::FileIndex;
use crate::resolve::candidates::Sources;
use crate::resolve::roles;
use crate::resolve::services::Merged;

/// What a builder is told, then what the code showed, then what the command runs; a command line alone, without any code,
/// is the shell's.
pub(super) fn of_its_command(
    merged: &Merged,
    of_code: Option<&'static Language>,
    sources: &Sources<'_>,
    index: &FileIndex,
) -> Option<&'static Language> {
    let service = &merged.service;
    let commands = &service.commands;
    let command = commands.start_resolved.as_ref().or(commands.start.as_ref())?;
    if !service.is_own() || service.language.is_some() || service.image.is_some() {
        return None;
    }
    of_builder(merged, sources)
        .or(of_code)
        .or_else(|| of_command(command.as_str()))
        .or_else(|| of_program(command.as_str()))
        .or_else(|| of_no_code(merged, sources, index))
}

/// The kind of stack that the files of builders are.
const BUILDER: &str = "nixpacks";

/// The runtime that a builder's file or a platform's descriptor states.
fn of_builder(merged: &Merged, sources: &Sources<'_>) -> Option<&'static Language> {
    let folder = &merged.service.path;
    let mut stated = sources
        .stacks
        .iter()
        .enumerate()
        .flat_map(|(at, stack)| {
            (0..)
                .zip(&stack.units)
                .map(move |(position, unit)| (at, position, stack, unit))
        })
        .filter(|(at, position, stack, unit)| {
            merged.has_unit((*at, *position)) || stack.kind == BUILDER && unit.root.as_ref() == Some(folder)
        })
        .filter_map(|(.., unit)| unit.runtime.as_ref());
    let stated = stated.next()?;
    conventions::languages()
        .iter()
        .find(|language| language.runtime == Some(stated.as_str()) || language.language == stated.as_str())
}

/// The language of the runtime that the technologies of a command bring, or of the file that it runs.
pub(super) fn of_command(command: &str) -> Option<&'static Language> {
    let technologies = roles::technologies(command);
    let known = technologies
        .iter()
        .find(|technology| technology.runtime.is_some());
    known
        .and_then(|technology| of_runtime(technology.id))
        .or_else(|| {
            let commands = roles::simple_commands(command);
            of_ending(commands.last()?.first()?.rsplit_once('.')?.1)
        })
}

/// The language of the last runtime that a command calls by its name.
fn of_program(command: &str) -> Option<&'static Language> {
    let commands = roles::simple_commands(command);
    let programs = commands.iter().rev().filter_map(|words| words.first());
    let mut names = programs.map(|program| program.rsplit('/').next().unwrap_or(program));
    names.find_map(|name| {
        let runtimes = Catalogue::get().group(Group::Runtime);
        let called = runtimes.iter().find(|technology| {
            let executables = technology.runtime.as_ref().map(|facts| &facts.executables);
            executables.is_some_and(|executables| executables.contains(&name))
        });
        of_runtime(called?.id)
    })
}

fn of_runtime(runtime: &str) -> Option<&'static Language> {
    conventions::languages()
        .iter()
        .find(|language| language.runtime == Some(runtime))
}

fn of_ending(ending: &str) -> Option<&'static Language> {
    conventions::languages()
        .iter()
        .find(|language| language.endings.contains(&ending))
}

/// A program of the system in a repository without any code: nothing but the command line is the repository's own.
fn of_no_code(merged: &Merged, sources: &Sources<'_>, index: &FileIndex) -> Option<&'static Language> {
    let described = merged.service.start_confidence == Confidence::Stated;
    let code = || {
        index.entries().iter().any(|entry| {
            let name = entry.path.name();
            name.rsplit_once('.')
                .is_some_and(|(_, ending)| of_ending(ending).is_some())
        })
    };
    if !described || !sources.apps.all.is_empty() || !sources.containers.is_empty() || code() {
        return None;
    }
    conventions::languages()
        .iter()
        .find(|language| language.language == "shell")
}

#[cfg(test)]
mod tests {
    use super::{of_command, of_program};
    use crate::testing;

    #[test]
    fn languages_of_commands() {
        for (command, language) in [
            ("python src/main.py", Some("python")),
            ("echo hello && /usr/bin/node main.js", Some("javascript")),
            ("./run.sh", Some("shell")),
            ("./serve --all", None),
        ] {
            let found = of_command(command).or_else(|| of_program(command));
            assert_eq!(found.map(|language| language.language), language, "{command}");
        }
    }

    #[test]
    fn a_builder_tells_the_language_of_what_it_starts() {
        let language = |files: &str| {
            let inventory = testing::inventory(files);
            let service = inventory.services.first();
            service.and_then(|service| {
                service
                    .language
                    .as_ref()
                    .map(|language| language.as_str().to_owned())
            })
        };
        let of_providers =
            "//- nixpacks.toml\nproviders = [\"...\", \"node\"]\n[start]\ncmd = \"./serve --all\"\n";
        assert_eq!(language(of_providers).as_deref(), Some("javascript"));
        let of_nothing = "//- nixpacks.toml\n[start]\ncmd = \"convert --help\"\n";
        assert_eq!(language(of_nothing).as_deref(), Some("shell"));
        let of_procfile = "//- Procfile\nweb: python src/main.py\n//- src/main.py\nprint(1)\n";
        assert_eq!(language(of_procfile).as_deref(), Some("python"));
    }

    #[test]
    fn a_main_file_that_a_compiler_writes_is_a_program() {
        let files = "
//- package.json
{\"name\": \"counter\", \"main\": \"index.js\", \"devDependencies\": {\"typescript\": \"5.6.0\"}}
//- tsconfig.json
{}
//- index.ts
setInterval(() => console.log(1), 1000)
";
        let inventory = testing::inventory(files);
        let starts: Vec<Option<&str>> = inventory
            .services
            .iter()
            .map(|service| {
                service
                    .commands
                    .start
                    .as_ref()
                    .map(playbook_core::harmless::CommandLine::as_str)
            })
            .collect();
        assert_eq!(starts, [Some("node index.js")]);
    }
}
