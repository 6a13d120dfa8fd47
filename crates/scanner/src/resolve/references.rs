//! What commands name and the repository does not have: commands that documents tell people to run, and commands that start
//! processes. Only what is surely missing counts: no file of the tree ends in such a path, no ignore file explains it, and
//! nobody is told to make it.

mod command;
mod documents;
mod tree;

use playbook_core::evidence::{Evidence, Scope};
use playbook_core::harmless::{CommandLine, Name, Symbol};
use playbook_core::inventory::{
    Container, Inventory, MissingReference, ReferenceKind, ReferenceOrigin, Stack, Unit,
};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use self::command::{Reference, TABLE};
use self::tree::Tree;
use super::candidates::Sources;
use crate::index::FileIndex;

/// Looks at all commands of the inventory.
pub(crate) fn find(inventory: &Inventory, sources: &Sources<'_>, index: &FileIndex) -> Vec<MissingReference> {
    let tree = Tree::new(sources.facts, index);
    let mut found = documents::find(inventory, sources, tree);
    // A file that a document has people make is there when the process starts, so the same tree serves for both.
    let tree = &found.0;
    for container in inventory
        .containers
        .iter()
        .filter(|container| container.scope == Scope::Production)
    {
        of_container(container, inventory, tree, &mut found.1);
    }
    for stack in inventory
        .stacks
        .iter()
        .filter(|stack| stack.scope == Scope::Production)
    {
        for unit in &stack.units {
            of_unit(stack, unit, sources, tree, &mut found.1);
        }
    }
    found.1
}

/// The entry point and the command of an image.
fn of_container(
    container: &Container,
    inventory: &Inventory,
    tree: &Tree<'_>,
    found: &mut Vec<MissingReference>,
) {
    let service = inventory
        .services
        .iter()
        .find(|service| service.dockerfile.as_ref() == Some(&container.path))
        .map(|service| service.id.clone());
    let commands = [
        (&container.entrypoint, container.entrypoint_line),
        (&container.command, container.command_line),
    ];
    let build: Vec<&str> = container.runs.iter().map(CommandLine::as_str).collect();
    let builds = build
        .iter()
        .any(|run| run.contains("build") || run.contains("compile"))
        || container.copies.iter().any(|copy| copy.from.is_some());
    let workdir = container.workdir.as_ref().map(Shown::as_str);
    let bases = contexts(container, inventory);
    let moved = bases.is_empty()
        || build.iter().any(|run| changes_modules(run, &TABLE.own_installs))
        || container
            .variables
            .iter()
            .any(|variable| changes_modules(variable.name.as_str(), &TABLE.module_paths))
        || commands
            .iter()
            .filter_map(|(command, _)| command.as_ref())
            .any(|command| changes_modules(command.as_str(), &TABLE.module_paths));
    for (command, line) in commands {
        let (Some(command), Some(line)) = (command, line) else {
            continue;
        };
        let inside = workdir.map_or_else(
            || command.as_str().to_owned(),
            |workdir| {
                let folder = format!("{}/", workdir.trim_end_matches('/'));
                command
                    .as_str()
                    .split(' ')
                    .map(|word| word.strip_prefix(folder.as_str()).unwrap_or(word))
                    .collect::<Vec<_>>()
                    .join(" ")
            },
        );
        for words in command::simple(&inside) {
            for reference in command::references(&words) {
                let name = reference.text.rsplit('/').next().unwrap_or(reference.text);
                // What the build makes is in no repository.
                let made = reference.kind == ReferenceKind::File
                    && (workdir.is_none()
                        || builds && is_compiled(name)
                        || build.iter().any(|run| run.contains(name)));
                if !made
                    && (tree.lacks(&reference, &container.path.parent())
                        || !moved && tree.is_out_of_reach(&reference, &bases))
                {
                    found.extend(missing(
                        &reference,
                        ReferenceOrigin::Start,
                        command,
                        service.clone(),
                        tree,
                        vec![Evidence::at(&container.path, line)],
                    ));
                }
            }
        }
    }
}

/// The folders whose whole content the image has in its working folder; none where that is not sure.
fn contexts(container: &Container, inventory: &Inventory) -> Vec<RelPath> {
    let workdir = container
        .workdir
        .as_ref()
        .map_or("", Shown::as_str)
        .trim_end_matches('/');
    let whole = container.copies.iter().any(|copy| {
        let from_context = copy.from.is_none()
            && copy
                .sources
                .iter()
                .any(|source| matches!(source.as_str(), "." | "./"));
        let to = copy
            .destination
            .as_ref()
            .map_or("", Shown::as_str)
            .trim_end_matches('/');
        from_context && (to == "." || !workdir.is_empty() && to == workdir)
    });
    if !whole {
        return Vec::new();
    }
    let of_units = inventory
        .stacks
        .iter()
        .flat_map(|stack| &stack.units)
        .filter_map(|unit| unit.build.as_ref())
        .filter(|build| build.dockerfile.as_ref() == Some(&container.path))
        .filter_map(|build| build.context.clone());
    [container.path.parent(), RelPath::root()]
        .into_iter()
        .chain(of_units)
        .collect()
}

fn changes_modules(text: &str, words: &[String]) -> bool {
    words.iter().any(|word| text.contains(word.as_str()))
}

/// Kinds of files that builds make of other files.
fn is_compiled(name: &str) -> bool {
    [".js", ".mjs", ".cjs"]
        .iter()
        .any(|ending| name.ends_with(ending))
}

/// The commands of a unit that runs this repository's code.
fn of_unit(
    stack: &Stack,
    unit: &Unit,
    sources: &Sources<'_>,
    tree: &Tree<'_>,
    found: &mut Vec<MissingReference>,
) {
    if unit.service.is_none() || unit.image.is_some() && unit.build.is_none() {
        return;
    }
    let folder = stack.files.first().map_or_else(RelPath::root, RelPath::parent);
    let base = unit.root.clone().unwrap_or(folder);
    let builds = sources.facts.scripts.iter().any(|script| {
        script.name.as_str().starts_with("build") && (base.is_in(&script.dir) || script.dir.is_in(&base))
    });
    // Elsewhere the host's own settings say where a process starts.
    let from_folder = unit.root.is_some() || stack.kind == "procfile";
    let moved = unit.build.is_some()
        || !from_folder
        || unit
            .variables
            .iter()
            .any(|variable| changes_modules(variable.name.as_str(), &TABLE.module_paths))
        || [&unit.command, &unit.build_command]
            .into_iter()
            .flatten()
            .any(|command| {
                changes_modules(command.as_str(), &TABLE.module_paths)
                    || changes_modules(command.as_str(), &TABLE.own_installs)
            });
    for command in [&unit.entrypoint, &unit.command, &unit.pre_deploy]
        .into_iter()
        .flatten()
    {
        for words in command::simple(command.as_str()) {
            for reference in command::references(&words) {
                let name = reference.text.rsplit('/').next().unwrap_or(reference.text);
                let made = reference.kind == ReferenceKind::File && builds && is_compiled(name);
                if !made
                    && (tree.lacks(&reference, &base)
                        || !moved && tree.is_out_of_reach(&reference, std::slice::from_ref(&base)))
                {
                    found.extend(missing(
                        &reference,
                        ReferenceOrigin::Start,
                        command,
                        unit.service.clone(),
                        tree,
                        unit.evidence.iter().take(1).cloned().collect(),
                    ));
                }
            }
        }
    }
}

fn missing(
    reference: &Reference<'_>,
    origin: ReferenceOrigin,
    command: &CommandLine,
    service: Option<Shown>,
    tree: &Tree<'_>,
    mut evidence: Vec<Evidence>,
) -> Option<MissingReference> {
    let name = match reference.kind {
        ReferenceKind::File => {
            let inside = reference.text.trim_start_matches("../").trim_start_matches("./");
            RelPath::new(inside)?.shown()
        }
        ReferenceKind::Module => Symbol::parse(Raw::new(reference.text))?.into(),
        ReferenceKind::Script | ReferenceKind::Target | ReferenceKind::Port => {
            Name::parse(Raw::new(reference.text))?.into()
        }
    };
    let instead = tree.only_namesake(reference);
    evidence.extend(instead.map(Evidence::file));
    Some(MissingReference {
        kind: reference.kind,
        name,
        origin,
        command: command.clone(),
        instead: instead.map(RelPath::shown),
        service,
        evidence,
    })
}
