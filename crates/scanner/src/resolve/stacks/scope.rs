//! Stacks that are for development or tests by what several files say together: images that run a watcher, code of the
//! repository mounted over an image, several instances of one deployment side by side.

use std::collections::{BTreeMap, BTreeSet};

use playbook_core::evidence::{Evidence, Scope};
use playbook_core::inventory::{Container, MountKind, Stack, Unit};
use playbook_core::path::RelPath;

use crate::detect::judge::development;
use crate::fact::Facts;
use crate::resolve::candidates::joined;
use crate::resolve::roles;

/// Gives such stacks, the images that only they run, and the facts of their files the scope of development.
pub(crate) fn judge(stacks: &mut [Stack], containers: &mut [Container], facts: &mut Facts) {
    // The only Dockerfile of a repository is the best statement there is, whatever it starts.
    let has_other_image = containers
        .iter()
        .any(|container| container.scope == Scope::Production && !runs_watcher(container));
    let watching: BTreeSet<RelPath> = containers
        .iter_mut()
        .filter(|container| has_other_image && runs_watcher(container))
        .map(|container| {
            container.scope = Scope::Development;
            container.path.clone()
        })
        .collect();
    let code: BTreeSet<RelPath> = facts
        .projects
        .iter()
        .filter(|project| project.scope == Scope::Production)
        .map(|project| project.dir.clone())
        .collect();
    let mut moved: BTreeSet<RelPath> = BTreeSet::new();
    for at in 0..stacks.len() {
        let Some(stack) = stacks.get(at) else { continue };
        let composed = stack.kind == "docker-compose" && stack.scope == Scope::Production;
        if !composed || stack.files.iter().any(names_production) {
            continue;
        }
        let development = stack
            .units
            .iter()
            .any(|unit| builds_watcher(unit, &watching) || mounts_code(stack, unit, &code));
        let several = || has_other(stacks, at) && is_several_deployments(stack);
        if development || several() {
            moved.extend(stack.files.iter().cloned());
        }
    }
    if moved.is_empty() {
        return;
    }
    for stack in stacks.iter_mut() {
        if !stack.files.is_empty() && stack.files.iter().all(|path| moved.contains(path)) {
            stack.scope = Scope::Development;
        }
    }
    // Files that are part of a set for production keep their scope.
    for stack in stacks.iter().filter(|stack| stack.scope == Scope::Production) {
        for path in &stack.files {
            moved.remove(path);
        }
    }
    let of_moved = |evidence: &Evidence| moved.contains(&evidence.path);
    for fact in &mut facts.infrastructure {
        if moved.contains(&fact.path) {
            fact.scope = Scope::Development;
        }
    }
    for fact in &mut facts.stores {
        if of_moved(&fact.evidence) {
            fact.scope = Scope::Development;
        }
    }
    for fact in &mut facts.variables {
        if of_moved(&fact.evidence) {
            fact.scope = Scope::Development;
        }
    }
    for fact in &mut facts.committed_secrets {
        if fact.evidence.iter().any(of_moved) {
            fact.scope = Scope::Development;
        }
    }
}

/// Does an image start a watcher or a development server?
fn runs_watcher(container: &Container) -> bool {
    container.targets.len() < 2
        && joined(container.entrypoint.as_ref(), container.command.as_ref())
            .is_some_and(|command| development::is_command(command.as_str()))
}

fn names_production(path: &RelPath) -> bool {
    path.name()
        .to_ascii_lowercase()
        .split(['.', '-', '_'])
        .any(|word| matches!(word, "prod" | "production" | "deploy" | "deployment" | "release"))
}

/// A build of an image that watches, without a command in its place.
fn builds_watcher(unit: &Unit, watching: &BTreeSet<RelPath>) -> bool {
    let Some(build) = unit.build.as_ref().filter(|_| unit.command.is_none()) else {
        return false;
    };
    let implied = || {
        build
            .context
            .as_ref()
            .and_then(|context| context.join("Dockerfile"))
    };
    let dockerfile = build.dockerfile.clone().or_else(implied);
    build.target.is_none() && dockerfile.is_some_and(|path| watching.contains(&path))
}

/// A build, or a bare runtime, over which the folder of an application is mounted.
fn mounts_code(stack: &Stack, unit: &Unit, code: &BTreeSet<RelPath>) -> bool {
    let Some(folder) = stack.files.first().map(RelPath::parent) else {
        return false;
    };
    if unit.build.is_none() {
        return false;
    }
    unit.mounts
        .iter()
        .filter(|mount| mount.kind == MountKind::Bind && !mount.read_only)
        .filter_map(|mount| mount.source.as_ref())
        .filter_map(|source| folder.join(source.as_str().trim_end_matches('/')))
        .any(|source| code.contains(&source))
}

/// Is there another stack of production that builds or names what runs?
fn has_other(stacks: &[Stack], at: usize) -> bool {
    stacks.iter().enumerate().any(|(other, stack)| {
        other != at
            && stack.scope == Scope::Production
            && stack
                .units
                .iter()
                .any(|unit| unit.build.is_some() || unit.image.is_some())
    })
}

/// The application and its datastores stand in one stack several times, under names that only number them.
fn is_several_deployments(stack: &Stack) -> bool {
    let mut groups: BTreeMap<(String, String), BTreeSet<&str>> = BTreeMap::new();
    for unit in &stack.units {
        let what = match (&unit.build, &unit.image) {
            (_, Some(image)) => image.as_str().to_owned(),
            (Some(build), None) => format!(
                "{:?} {:?}",
                build.context.as_ref().map(RelPath::as_str),
                build.dockerfile.as_ref().map(RelPath::as_str)
            ),
            (None, None) => continue,
        };
        if let Some(stem) = roles::stem(unit.name.as_str()) {
            groups.entry((what, stem)).or_default().insert(unit.name.as_str());
        }
    }
    groups.values().filter(|names| names.len() > 1).count() > 1
}
