//! Questions that several rules ask of the inventory and of the target.

use playbook_core::evidence::{Evidence, Scope};
use playbook_core::harmless::{CommandLine, ImageRef, Name};
use playbook_core::inventory::{
    Container, Datastore, Inventory, Role, Service, Signal, SignalKind, Stack, Unit,
};
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

pub(crate) use crate::context::Context;

/// Kinds of stacks whose host belongs to the plan's reader.
const OWN_HOST: [&str; 5] = [
    "docker-compose",
    "docker-swarm",
    "podman",
    "systemd",
    "supervisor",
];

/// The stacks that hold where the software serves its users.
pub(crate) fn production_stacks(inventory: &Inventory) -> impl Iterator<Item = &Stack> {
    inventory
        .stacks
        .iter()
        .filter(|stack| stack.scope == Scope::Production)
}

/// The production stacks that the plan drives: those of its target, or all where the repository brings none for it.
pub(crate) fn target_stacks<'a>(inventory: &'a Inventory, context: &Context) -> Vec<&'a Stack> {
    let of_target = |stack: &&Stack| context.target.stacks.iter().any(|kind| stack.kind == **kind);
    let list: Vec<&Stack> = production_stacks(inventory).filter(of_target).collect();
    if list.is_empty() {
        production_stacks(inventory).collect()
    } else {
        list
    }
}

/// Their units, without those that start only when a profile is asked for.
pub(crate) fn production_units(inventory: &Inventory) -> impl Iterator<Item = (&Stack, &Unit)> {
    production_stacks(inventory)
        .flat_map(|stack| stack.units.iter().map(move |unit| (stack, unit)))
        .filter(|(_, unit)| unit.profiles.is_empty())
}

/// The Dockerfiles from which production images are built.
pub(crate) fn production_containers(inventory: &Inventory) -> impl Iterator<Item = &Container> {
    inventory
        .containers
        .iter()
        .filter(|container| container.scope == Scope::Production)
}

/// Signals of one kind that hold in production.
pub(crate) fn signals(inventory: &Inventory, kind: SignalKind) -> impl Iterator<Item = &Signal> {
    inventory
        .signals
        .iter()
        .filter(move |signal| signal.kind == kind && signal.scope == Scope::Production)
}

/// Every place of some signals.
pub(crate) fn places<'a>(signals: impl IntoIterator<Item = &'a Signal>) -> Vec<Evidence> {
    signals
        .into_iter()
        .flat_map(|signal| signal.evidence.iter().cloned())
        .collect()
}

/// The repository's own processes that answer requests.
pub(crate) fn web_services(inventory: &Inventory) -> impl Iterator<Item = &Service> {
    inventory
        .services
        .iter()
        .filter(|service| service.role == Role::Web)
}

/// Datastores that hold in production.
pub(crate) fn production_datastores(inventory: &Inventory) -> impl Iterator<Item = &Datastore> {
    inventory
        .datastores
        .iter()
        .filter(|store| store.scope == Scope::Production)
}

/// The Dockerfile of a service.
pub(crate) fn container_of<'a>(inventory: &'a Inventory, service: &Service) -> Option<&'a Container> {
    let path = service.dockerfile.as_ref()?;
    inventory
        .containers
        .iter()
        .find(|container| container.path == *path)
}

/// The units of production stacks that run a service.
pub(crate) fn units_of<'a>(inventory: &'a Inventory, service: &Service) -> Vec<(&'a Stack, &'a Unit)> {
    production_units(inventory)
        .filter(|(_, unit)| unit.service.as_ref() == Some(&service.id))
        .collect()
}

/// The datastore that a unit is.
pub(crate) fn datastore_of<'a>(inventory: &'a Inventory, unit: &Unit) -> Option<&'a Datastore> {
    let id = unit.datastore.as_ref()?;
    inventory.datastores.iter().find(|store| store.id == *id)
}

/// What starts a service: the resolved command where an alias or script stands before it.
pub(crate) fn start(service: &Service) -> Option<&CommandLine> {
    service
        .commands
        .start_resolved
        .as_ref()
        .or(service.commands.start.as_ref())
}

/// Both forms of the start command, as one text for matching.
pub(crate) fn start_text(service: &Service) -> String {
    [&service.commands.start, &service.commands.start_resolved]
        .into_iter()
        .flatten()
        .map(CommandLine::as_str)
        .collect::<Vec<_>>()
        .join("\n")
}

/// Where a service's start command stands, or the best place for the service.
pub(crate) fn start_place(service: &Service) -> Option<Evidence> {
    service
        .start_evidence
        .clone()
        .or_else(|| service.evidence.first().cloned())
}

/// The line of a Dockerfile that starts the process: `CMD`, else `ENTRYPOINT`, else the last line.
pub(crate) fn command_place(container: &Container) -> Evidence {
    let line = container
        .command_line
        .or(container.entrypoint_line)
        .unwrap_or(container.last_line);
    Evidence::at(&container.path, line)
}

/// Replicas of a service: what a flag wants, what a production stack says, what the service says.
pub(crate) fn replicas(inventory: &Inventory, context: &Context, service: &Service) -> Option<u32> {
    context
        .replicas
        .or_else(|| {
            units_of(inventory, service)
                .iter()
                .filter_map(|(_, unit)| unit.replicas)
                .max()
        })
        .or(service.replicas)
}

/// Is the stack one that runs on a host of the plan's reader?
pub(crate) fn on_own_host(stack: &Stack) -> bool {
    OWN_HOST.iter().any(|kind| stack.kind == *kind)
}

/// Text from the repository in a code span.
pub(crate) fn code(text: &Shown) -> Shown {
    if text.as_str().contains('`') {
        Shown::from("(see the place named)")
    } else {
        Shown::fill("`{}`", &[text])
    }
}

/// A command in a code span.
pub(crate) fn code_command(command: &CommandLine) -> Shown {
    code(&Shown::from(command))
}

/// Names as a list of code spans; after eight of them the number of the rest.
pub(crate) fn list<'a>(names: impl IntoIterator<Item = &'a Shown>) -> Shown {
    let names: std::collections::BTreeSet<&Shown> = names.into_iter().collect();
    let shown: Vec<Shown> = names.iter().take(8).map(|name| code(name)).collect();
    let joined = Shown::join(&shown, ", ");
    match names.len().checked_sub(8) {
        None | Some(0) => joined,
        Some(rest) => Shown::fill("{} and {} more", &[&joined, &Shown::number(rest as u64)]),
    }
}

/// The image reference of a text that the inventory already holds as one.
pub(crate) fn image(text: &Shown) -> Option<ImageRef> {
    ImageRef::parse(Raw::new(text.as_str()))
}

/// Does the text hold the word, with nothing that continues a word around it?
pub(crate) fn has_word(text: &str, word: &str) -> bool {
    let part_of_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    text.match_indices(word).any(|(at, _)| {
        let before = text.get(..at).and_then(|head| head.chars().next_back());
        let after = text.get(at + word.len()..).and_then(|tail| tail.chars().next());
        !before.is_some_and(part_of_word) && !after.is_some_and(part_of_word)
    })
}

/// Seconds between the signal to stop and the kill, where the target has a fixed time.
pub(crate) fn grace_seconds(context: &Context) -> Option<u32> {
    Some(context.target.grace_seconds).filter(|seconds| *seconds > 0)
}

/// Does a container lose its files with each deployment, unless a disk is attached?
pub(crate) fn ephemeral_disk(context: &Context) -> bool {
    context.target.ephemeral_disk
}

/// The target's name.
pub(crate) fn target_name(context: &Context) -> Shown {
    Name::parse(Raw::new(&context.target.id)).map_or_else(|| Shown::from("the target"), Into::into)
}

/// Does a path end in this extension, in whatever case?
pub(crate) fn has_extension(path: &str, extension: &str) -> bool {
    std::path::Path::new(path)
        .extension()
        .is_some_and(|end| end.eq_ignore_ascii_case(extension))
}

/// The last stage and the stages it is built upon, by index.
pub(crate) fn final_stages(container: &Container) -> Vec<u32> {
    let mut list: Vec<usize> = Vec::new();
    let mut at = container.stages.len().checked_sub(1);
    while let Some(stage) = at.filter(|at| !list.contains(at)) {
        list.push(stage);
        let base = container.stages.get(stage).and_then(|stage| stage.base.as_ref());
        at = base.and_then(|base| {
            container
                .stages
                .iter()
                .take(stage)
                .position(|other| other.name.as_ref() == Some(base))
        });
    }
    list.into_iter()
        .filter_map(|stage| u32::try_from(stage).ok())
        .collect()
}
