//! The role of a candidate.

use playbook_core::inventory::{Role, Stack, Unit};
use playbook_core::path::RelPath;

use super::entries_of;
use crate::fact::EntryKind;
use crate::resolve::candidates::{Candidate, Sources};
use crate::resolve::roles;

/// The role of a candidate: what its source says, then what the application it runs says, then its name.
pub(super) fn role_of(candidate: &Candidate, sources: &Sources<'_>) -> Role {
    if let Some(role) = candidate.role {
        return role;
    }
    let app = candidate.dir.as_ref().and_then(|dir| sources.apps.owner(dir));
    let by_name = roles::of_name(candidate.name.as_str());
    // What loads or probes the others is told by its name alone.
    if by_name == Some(Role::Tool) {
        return Role::Tool;
    }
    if by_name.is_none() && (listens_nowhere(candidate, sources) || works_beside(candidate, sources)) {
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

/// A unit of a Compose file that runs a command of its own in the image of another unit, and only the other one has
/// ports.
fn works_beside(candidate: &Candidate, sources: &Sources<'_>) -> bool {
    let Some((at, position)) = candidate.unit else {
        return false;
    };
    let stack = sources
        .stacks
        .get(at)
        .filter(|stack| stack.kind == "docker-compose");
    let Some((stack, unit)) = stack.and_then(|stack| Some((stack, stack.units.get(position)?))) else {
        return false;
    };
    let built = |unit: &Unit| {
        let build = unit.build.clone()?;
        Some((build.context, build.dockerfile, build.target))
    };
    let same_image = |other: &Unit| {
        (other.image.is_some() || other.build.is_some())
            && other.image == unit.image
            && built(other) == built(unit)
    };
    let published = |other: &Unit| other.ports.iter().any(|port| port.published);
    unit.command.is_some()
        && unit.ports.is_empty()
        && unit.labels.is_empty()
        && stack.units.iter().any(|other| {
            other.name != unit.name && same_image(other) && other.command != unit.command && published(other)
        })
}
