//! Which folders of migration files belong together: versions of one tree, the same tree for several engines, and
//! folders that no tool reads.

use std::collections::{BTreeMap, BTreeSet};

use playbook_core::inventory::Migration;
use playbook_core::path::RelPath;
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Group};

/// Tool and folder of files.
pub(super) type Key = (String, RelPath);

/// The folder that holds the whole tree: above those of single releases (`0.22`, `v3`).
pub(super) fn tree(tool: &str, dir: &RelPath) -> RelPath {
    let by_release = Catalogue::get()
        .find(Group::Migration, tool)
        .and_then(|technology| technology.migration.as_ref())
        .is_some_and(|migration| migration.folders_by_release);
    let mut dir = dir.clone();
    while by_release && !dir.is_root() && is_release(dir.name()) {
        dir = dir.parent();
    }
    dir
}

fn is_release(name: &str) -> bool {
    let digits = name.trim_start_matches(['v', 'V', 'r']);
    !digits.is_empty()
        && digits.starts_with(|c: char| c.is_ascii_digit())
        && digits
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '.' | '_' | 'x'))
}

/// The engine that a folder is named after.
pub(super) fn engine(name: &str) -> Option<&'static str> {
    let word = name.to_ascii_lowercase();
    let word = match word.as_str() {
        "pg" | "pgsql" | "postgres" => "postgresql",
        "sqlite3" => "sqlite",
        "sqlserver" => "mssql",
        "cockroach" => "cockroachdb",
        other => other,
    };
    Catalogue::get()
        .find(Group::Datastore, word)
        .filter(|technology| {
            technology.roles.contains(&"database") || technology.roles.contains(&"warehouse")
        })
        .map(|technology| technology.id)
}

/// The engine of a folder's path: the deepest part that is named after one.
pub(super) fn engine_of(dir: &RelPath) -> Option<&'static str> {
    let parts: Vec<&str> = dir.components().collect();
    parts.into_iter().rev().find_map(engine)
}

/// The same tree once for each engine: only the one of the engine that the program uses is run. Without an engine that
/// is known to be used the trees stay as they are.
pub(super) fn choose_engine(found: &mut BTreeMap<Key, Migration>, used: &[Shown]) {
    let mut families: BTreeMap<(String, String), Vec<Key>> = BTreeMap::new();
    for (tool, dir) in found.keys() {
        let parts: Vec<&str> = dir.components().collect();
        let Some(at) = parts.iter().rposition(|part| engine(part).is_some()) else {
            continue;
        };
        let family: Vec<&str> = parts
            .iter()
            .enumerate()
            .map(|(position, part)| if position == at { "*" } else { *part })
            .collect();
        families
            .entry((tool.clone(), family.join("/")))
            .or_default()
            .push((tool.clone(), dir.clone()));
    }
    for keys in families.into_values().filter(|keys| keys.len() > 1) {
        let chosen: BTreeSet<&Key> = keys
            .iter()
            .filter(|(_, dir)| engine_of(dir).is_some_and(|engine| used.iter().any(|kind| kind == engine)))
            .collect();
        if chosen.is_empty() {
            continue;
        }
        for key in keys.iter().filter(|key| !chosen.contains(key)) {
            found.remove(key);
        }
    }
}

/// Files that look like migrations but lie beside the folder of migrations (scripts that are run by hand) and folders
/// of old files: the tool does not read them.
pub(super) fn drop_unread(
    found: &mut BTreeMap<Key, Migration>,
    named: &BTreeSet<Key>,
    owner: impl Fn(&RelPath) -> Option<RelPath>,
) {
    let usual = |tool: &str, dir: &RelPath| match tool {
        "rails" => dir.name() == "migrate",
        _ => dir.components().any(|part| {
            let part = part.to_ascii_lowercase();
            part.contains("migrat") || part == "versions" || part.contains("changelog") || part == "drizzle"
        }),
    };
    let homes: BTreeSet<(String, Option<RelPath>)> = found
        .keys()
        .filter(|(tool, dir)| usual(tool, dir))
        .map(|(tool, dir)| (tool.clone(), owner(dir)))
        .collect();
    found.retain(|key, migration| {
        migration.count == 0
            || usual(&key.0, &key.1)
            || named.contains(key)
            || !homes.contains(&(key.0.clone(), owner(&key.1)))
    });
}
