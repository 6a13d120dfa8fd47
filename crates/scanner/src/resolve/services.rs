//! What is a service? Candidates that are the same process become one.

mod code;
mod matching;
mod names;
mod parts;
mod role;

use std::collections::{BTreeMap, BTreeSet};

use playbook_core::evidence::Scope;
use playbook_core::inventory::{Role, Service};
use playbook_core::path::RelPath;

use super::candidates::{Candidate, Sources, Tier, is_variant_image};
use super::roles;
use crate::fact::{EntryKind, EntryPoint};
use crate::index::FileIndex;
use crate::limits;
use matching::{best_match, crowd, fits, has_word, normal, similar};
use role::role_of;

pub(crate) use names::name_uniquely;

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

/// Merges the candidates of all sources. Says too whether there were more than a repository can have.
pub(crate) fn merge(sources: &Sources<'_>, index: &FileIndex) -> (Vec<Merged>, bool) {
    let mut merged: Vec<Merged> = Vec::new();
    let (builders, described) = sources
        .of_stacks(Scope::Production)
        .into_iter()
        .partition(|candidate| is_of_builder(candidate, sources));
    add_stack_candidates(&mut merged, described, sources);
    for candidate in sources.of_images() {
        add_image_candidate(&mut merged, candidate, sources);
    }
    code::add_code_candidates(&mut merged, sources, index);
    add_builder_candidates(&mut merged, builders);
    add_development_candidates(&mut merged, sources.of_stacks(Scope::Development), sources);
    parts::drop_assets_of_others(&mut merged, sources, index);
    super::aggregators::drop(&mut merged, sources);
    parts::share_image(&mut merged, sources);
    parts::share_image_of_manager(&mut merged, sources);
    let cut = bound(&mut merged);
    name_uniquely(&mut merged);
    (merged, cut)
}

/// Cuts the list to what a repository can have. A file that describes a thousand services does not crowd out what others
/// describe: each file keeps its share. Says whether something was left out.
fn bound(merged: &mut Vec<Merged>) -> bool {
    if merged.len() <= limits::SERVICES {
        return false;
    }
    let file = |known: &Merged| known.service.evidence.first().map(|place| place.path.clone());
    let files: BTreeSet<Option<RelPath>> = merged.iter().map(file).collect();
    let share = (limits::SERVICES / files.len()).max(1);
    let mut kept: BTreeMap<Option<RelPath>, usize> = BTreeMap::new();
    merged.retain(|known| {
        let count = kept.entry(file(known)).or_default();
        *count += 1;
        *count <= share
    });
    merged.truncate(limits::SERVICES);
    true
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

/// Production entry points of this kind that belong to the application of this folder.
pub(crate) fn entries_of<'a>(
    sources: &'a Sources<'_>,
    dir: &'a RelPath,
    kind: EntryKind,
) -> impl Iterator<Item = &'a EntryPoint> {
    sources
        .entries
        .of(dir)
        .filter_map(|at| sources.facts.entry_points.get(at))
        .filter(move |entry| entry.kind == kind)
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
    // A published image does not say where its code lies; another description of the process may.
    if let Some(dir) = candidate.dir.as_ref()
        && known
            .parts
            .iter()
            .all(|part| part.dir.is_none() && !part.third_party)
    {
        known.service.path.clone_from(dir);
    }
    known.service.evidence.extend(candidate.evidence.iter().cloned());
    known.parts.push(candidate);
}

/// Units of one stack are never the same process; units of different stacks may be.
fn add_stack_candidates(merged: &mut Vec<Merged>, candidates: Vec<Candidate>, sources: &Sources<'_>) {
    let crowd = crowd(&candidates, sources);
    for candidate in candidates {
        if only_changes(&candidate, sources) {
            change(merged, candidate);
            continue;
        }
        match best_match(merged, &candidate, &crowd, sources) {
            Some(known) => absorb(known, candidate),
            None => merged.push(start(candidate, sources)),
        }
    }
}

/// Does a unit of a Compose file say neither what to run nor how to build it? Then it changes one of another file.
fn only_changes(candidate: &Candidate, sources: &Sources<'_>) -> bool {
    candidate.unit.is_some_and(|(at, position)| {
        let stack = sources
            .stacks
            .get(at)
            .filter(|stack| stack.kind == "docker-compose");
        stack
            .and_then(|stack| stack.units.get(position))
            .is_some_and(|unit| unit.image.is_none() && unit.build.is_none())
    })
}

/// Such a unit belongs to the process of its name, and is none itself.
fn change(merged: &mut [Merged], candidate: Candidate) {
    let same = merged.iter_mut().find(|known| {
        known
            .parts
            .iter()
            .any(|part| part.unit.is_some() && part.name == candidate.name)
    });
    if let Some(known) = same {
        known.parts.push(candidate);
    }
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
    // Another Dockerfile for the same folder that only builds or starts the same program differently.
    let variant = candidate.dockerfile.as_ref().is_some_and(is_variant_image);
    if variant && candidate.target.is_none() {
        let same = merged.iter_mut().find(|known| {
            known.parts.iter().all(|part| !part.third_party)
                && dir.as_ref() == Some(known.dir())
                && fits(Some(known.service.role), Some(role))
        });
        if let Some(known) = same {
            absorb(known, candidate);
            return;
        }
    }
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

/// Descriptors of development name no service of production, but where nothing else says what runs they are the best
/// statement there is.
fn add_development_candidates(merged: &mut Vec<Merged>, candidates: Vec<Candidate>, sources: &Sources<'_>) {
    let described: BTreeSet<RelPath> = merged.iter().map(|known| known.dir().clone()).collect();
    let crowd = crowd(&candidates, sources);
    for candidate in candidates {
        if candidate.third_party {
            continue;
        }
        if only_changes(&candidate, sources) {
            change(merged, candidate);
            continue;
        }
        let maintenance = roles::is_maintenance(candidate.name.as_str());
        if let Some(known) = best_match(merged, &candidate, &crowd, sources) {
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

#[cfg(test)]
mod tests;
