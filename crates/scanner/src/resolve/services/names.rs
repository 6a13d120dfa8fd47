//! Ids of services: slugs of their names, unique.

use std::collections::{BTreeMap, BTreeSet};

use playbook_core::harmless::Name;
use playbook_core::inventory::Role;
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;

use super::Merged;
use crate::resolve::roles;

/// Ids are slugs of the names; where the code of several folders is called the same, each gets the name of the folder
/// that tells it apart, and any other second service of a name its folder or its role.
pub(crate) fn name_uniquely(merged: &mut [Merged]) {
    for known in merged.iter_mut() {
        name_by_stem(known);
    }
    prefix_namesakes(merged);
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for known in merged.iter_mut() {
        let base = slug(known.service.name.as_str());
        let base = if base.is_empty() {
            known.service.role.as_str().to_owned()
        } else {
            base
        };
        let mut id = base.clone();
        let extras = [
            slug(known.service.path.components().next().unwrap_or_default()),
            slug(known.service.path.name()),
            known.service.role.as_str().to_owned(),
        ];
        let telling = |extra: &&String| !extra.is_empty() && **extra != base;
        for extra in extras.iter().filter(telling) {
            if seen.contains(&id) {
                id = format!("{base}-{extra}");
            }
        }
        let mut number = 2;
        while seen.contains(&id) {
            id = format!("{base}-{number}");
            number += 1;
        }
        seen.insert(id.clone());
        known.service.id = Name::parse(Raw::new(&id)).map_or_else(|| known.service.name.clone(), Into::into);
    }
}

/// Several builds or instances of one process are called by what their names share.
fn name_by_stem(known: &mut Merged) {
    let stem = roles::stem(known.service.name.as_str());
    let Some(stem) = stem.filter(|stem| *stem != slug(known.service.name.as_str())) else {
        return;
    };
    let other = known.parts.iter().any(|part| {
        part.name != known.service.name && roles::stem(part.name.as_str()).as_ref() == Some(&stem)
    });
    if (other || slug(known.service.path.name()) == stem)
        && let Some(name) = Name::parse(Raw::new(&stem))
    {
        known.service.name = name.into();
    }
}

/// Functions and programs that only their folders name: `orders/src/notify` and `users/src/notify` are `orders-notify`
/// and `users-notify`.
fn prefix_namesakes(merged: &mut [Merged]) {
    let mut namesakes: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, known) in merged.iter().enumerate() {
        let called_by_folder = slug(known.service.name.as_str()) == slug(known.service.path.name());
        if known.service.role == Role::Function || called_by_folder {
            namesakes
                .entry(slug(known.service.name.as_str()))
                .or_default()
                .push(at);
        }
    }
    for positions in namesakes.values().filter(|positions| positions.len() > 1) {
        let paths: Vec<RelPath> = positions
            .iter()
            .filter_map(|at| merged.get(*at))
            .map(|known| known.service.path.clone())
            .collect();
        if paths.iter().collect::<BTreeSet<_>>().len() < paths.len() {
            continue;
        }
        for (at, path) in positions.iter().zip(&paths) {
            let telling = telling_folder(path, &paths);
            let Some(known) = merged.get_mut(*at) else {
                continue;
            };
            let name = telling.and_then(|folder| {
                Name::parse(Raw::new(&format!(
                    "{folder}-{}",
                    slug(known.service.name.as_str())
                )))
            });
            if let Some(name) = name {
                known.service.name = name.into();
            }
        }
    }
}

/// The first folder of a path that not all paths share.
fn telling_folder<'p>(path: &'p RelPath, all: &[RelPath]) -> Option<&'p str> {
    let parts: Vec<&str> = path.components().collect();
    let shared = |at: usize| {
        all.iter()
            .all(|other| other.components().nth(at) == parts.get(at).copied())
    };
    (0..parts.len().saturating_sub(1))
        .find(|at| !shared(*at))
        .and_then(|at| parts.get(at).copied())
}

/// Lower case, digits and hyphens; `CreateOrder` is two words.
fn slug(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut before = ' ';
    for c in name.chars() {
        if c.is_ascii_uppercase() && before.is_ascii_lowercase() {
            out.push('-');
        }
        before = c;
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        } else if !out.ends_with('-') && !out.is_empty() {
            out.push('-');
        }
    }
    out.trim_end_matches('-').to_owned()
}
