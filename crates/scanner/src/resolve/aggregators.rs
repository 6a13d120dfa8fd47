//! Builds of several modules: the folder that only lists them is no process, and an image that packs any of them by an
//! argument belongs to each.

use super::candidates::{Sources, Tier};
use super::services::Merged;

/// Drops what looks like a service and is only the root of a build with modules that run; its image goes to those of
/// them that have none.
pub(crate) fn drop(merged: &mut Vec<Merged>, sources: &Sources<'_>) {
    let mut at = 0;
    while let Some(known) = merged.get(at) {
        if !is_aggregator(known, merged, sources) {
            at += 1;
            continue;
        }
        let root = merged.remove(at);
        let images = root.parts.iter().filter(|part| part.tier == Tier::Image);
        for image in images {
            for member in merged
                .iter_mut()
                .filter(|member| member.service.is_own() && member.dir().is_in(root.dir()))
            {
                let packed = member.parts.iter().any(|part| part.dockerfile.is_some());
                let third_party = member.parts.iter().any(|part| part.third_party);
                if !packed && !third_party {
                    member.parts.push(image.clone());
                }
            }
        }
    }
}

/// A build of the JVM that lists modules, holds no entry point itself, and is started by no stack.
fn is_aggregator(known: &Merged, merged: &[Merged], sources: &Sources<'_>) -> bool {
    let Some(app) = sources.apps.at(known.dir()) else {
        return false;
    };
    let lists = app
        .projects
        .iter()
        .any(|project| project.ecosystem == "maven" && !project.members.is_empty());
    let own_entry = sources.facts.entry_points.iter().any(|entry| {
        sources
            .apps
            .owner(&entry.path)
            .is_some_and(|owner| owner.dir == app.dir)
    });
    let by_stack = known
        .parts
        .iter()
        .any(|part| matches!(part.tier, Tier::Stack | Tier::Development));
    let modules = merged
        .iter()
        .any(|other| other.dir() != known.dir() && other.dir().is_in(known.dir()));
    lists && !own_entry && !by_stack && modules
}
