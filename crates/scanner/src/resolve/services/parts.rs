//! What looked like a service and is part of another one.

use std::collections::BTreeMap;

use playbook_core::harmless::ImageRef;
use playbook_core::inventory::Role;
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::technology::Catalogue;

use super::Merged;
use crate::index::FileIndex;
use crate::resolve::candidates::{Sources, Tier};

/// A front end whose result another image packs, or that lies in the folder of a server, is part of that service.
pub(super) fn drop_assets_of_others(merged: &mut Vec<Merged>, sources: &Sources<'_>, index: &FileIndex) {
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
        let runtime = |dir: &RelPath| sources.apps.at(dir).map_or("", |app| app.runtime);
        let rendered = known.service.role == Role::Web
            && runtime(known.dir()) == "node"
            && known.parts.iter().all(|part| part.tier == Tier::Code);
        if !(known.service.role == Role::Frontend || rendered)
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
        if builds_into_other(dir, sources) {
            return false;
        }
        // What a server of another runtime packs can only be files.
        let packed = servers
            .iter()
            .filter(|(server, _)| !rendered || !matches!(runtime(server), "node" | "" | "bun" | "deno"))
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
        let inside = !rendered
            && servers
                .iter()
                .any(|(server, _)| dir != server && dir.is_in(server) && !server.is_root());
        !(packed || inside)
    });
}

/// Does a script of the folder write the result of its build into the folder of other code?
fn builds_into_other(dir: &RelPath, sources: &Sources<'_>) -> bool {
    !dir.is_root()
        && sources.facts.scripts.iter().any(|script| {
            let words: Vec<&str> = script.command.words().collect();
            let outside = |path: &str| path.trim_matches(['"', '\'']).starts_with("../");
            let joined = words.iter().any(|word| {
                ["--outDir=", "--out-dir=", "--output-path="]
                    .iter()
                    .any(|flag| word.strip_prefix(flag).is_some_and(outside))
            });
            let apart = words.windows(2).any(
                |pair| matches!(pair, ["--outDir" | "--out-dir" | "--output-path", path] if outside(path)),
            );
            script.dir == *dir && (joined || apart)
        })
}

/// An image of no folder of code, which packs by a build argument any of several programs in its language, belongs to
/// each of them that has none.
pub(super) fn share_image(merged: &mut Vec<Merged>, sources: &Sources<'_>) {
    let mut at = 0;
    while let Some(known) = merged.get(at) {
        let runtime = runtime_of_shared(known, sources);
        let members: Vec<usize> = runtime.map_or_else(Vec::new, |runtime| {
            merged
                .iter()
                .enumerate()
                .filter(|(other, member)| {
                    *other != at
                        && member.service.is_own()
                        && member
                            .parts
                            .iter()
                            .all(|part| part.dockerfile.is_none() && !part.third_party)
                        && sources
                            .apps
                            .at(member.dir())
                            .is_some_and(|app| app.runtime == runtime)
                })
                .map(|(other, _)| other)
                .collect()
        });
        if members.is_empty() {
            at += 1;
            continue;
        }
        let parts = known.parts.clone();
        for position in members {
            if let Some(member) = merged.get_mut(position) {
                member.parts.extend(parts.iter().cloned());
            }
        }
        merged.remove(at);
    }
}

/// Kinds of stacks that list the processes of one image.
const WITHIN_IMAGE: [&str; 4] = ["circus", "s6", "supervisor", "uwsgi"];

/// What a process manager runs inside of an image is in the image of the server beside it.
pub(super) fn share_image_of_manager(merged: &mut [Merged], sources: &Sources<'_>) {
    let mut images: BTreeMap<RelPath, RelPath> = BTreeMap::new();
    for known in merged.iter().filter(|known| known.service.role == Role::Web) {
        let mut stated = known.parts.iter().filter(|part| part.tier != Tier::Development);
        if let Some(dockerfile) = stated.find_map(|part| part.dockerfile.as_ref()) {
            images
                .entry(known.dir().clone())
                .or_insert_with(|| dockerfile.clone());
        }
    }
    for known in merged.iter_mut() {
        let within = known.parts.iter().all(|part| {
            let stack = part.unit.and_then(|(at, _)| sources.stacks.get(at));
            part.dockerfile.is_none()
                && stack.is_some_and(|stack| WITHIN_IMAGE.contains(&stack.kind.as_str()))
        });
        if within {
            known.service.dockerfile = images.get(known.dir()).cloned();
        }
    }
}

/// The runtime of the base image of a service that is nothing but an image with an argument, outside of any code.
fn runtime_of_shared(known: &Merged, sources: &Sources<'_>) -> Option<&'static str> {
    let only_image = known.parts.iter().all(|part| part.tier == Tier::Image);
    if !only_image || sources.apps.at(known.dir()).is_some() {
        return None;
    }
    let path = known.parts.first()?.dockerfile.as_ref()?;
    let container = sources
        .containers
        .iter()
        .find(|container| container.path == *path)?;
    if container.arguments.is_empty() {
        return None;
    }
    container.base_images.iter().find_map(|base| {
        let image = ImageRef::parse(Raw::new(base.as_str()))?;
        Catalogue::get()
            .by_image(image.repository())
            .iter()
            .find_map(|found| found.technology.image.as_ref()?.runtime)
    })
}
