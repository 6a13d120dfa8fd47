//! Which files together form one deployment: Compose files are merged into the set that production runs, other stacks
//! stay as their files state them.

mod scope;

pub(crate) use scope::judge;

use std::collections::{BTreeMap, BTreeSet};

use playbook_core::evidence::{Evidence, Scope};
use playbook_core::inventory::{Stack, Unit};
use playbook_core::path::RelPath;
use playbook_core::shown::Shown;

use crate::detect::commands::is_base;
use crate::fact::{ExtendsFact, FileSetFact};

/// Merges the stacks of single files into stacks of deployments. Development files stay single stacks of scope
/// development; each production set becomes one stack whose `files` are in the order of merging.
pub(crate) fn merge(mut stacks: Vec<Stack>, sets: &[FileSetFact], extends: &[ExtendsFact]) -> Vec<Stack> {
    for fact in extends {
        extend(&mut stacks, fact);
    }
    let (compose, others): (Vec<Stack>, Vec<Stack>) = stacks
        .into_iter()
        .partition(|stack| stack.kind == "docker-compose");
    let mut merged = merge_manifests(others);
    let mut by_folder: BTreeMap<RelPath, Vec<Stack>> = BTreeMap::new();
    for stack in compose {
        let Some(file) = stack.files.first() else { continue };
        by_folder.entry(file.parent()).or_default().push(stack);
    }
    for (_, files) in by_folder {
        merged.extend(merge_folder(files, sets));
    }
    for stack in &mut merged {
        hand_to_swarm(stack, sets);
    }
    merged
}

/// Files that are deployed by `docker stack deploy`, and by nothing else that names them, belong to a swarm. It builds
/// nothing, so each unit must have an image.
fn hand_to_swarm(stack: &mut Stack, sets: &[FileSetFact]) {
    let mut naming = sets.iter().filter(|set| set.files == stack.files).peekable();
    let runs = stack.units.iter().all(|unit| unit.image.is_some());
    if stack.kind == "docker-compose"
        && runs
        && naming.peek().is_some()
        && naming.clone().all(|set| set.swarm)
    {
        stack.kind = Shown::from("docker-swarm");
        stack.scope = Scope::Production;
        stack.confirmed_by.extend(naming.map(|set| set.evidence.clone()));
        stack.confirmed_by.sort();
        stack.confirmed_by.dedup();
    }
}

/// Manifests of a cluster that stand in one folder are applied together: they are one stack, as long as no two of them
/// describe the same workload.
fn merge_manifests(stacks: Vec<Stack>) -> Vec<Stack> {
    let mut merged: Vec<Stack> = Vec::new();
    for stack in stacks {
        let together = matches!(stack.kind.as_str(), "kubernetes" | "helm");
        let parent = file(&stack).map(RelPath::parent);
        let known = merged.iter_mut().find(|known| {
            together
                && known.kind == stack.kind
                && known.scope == stack.scope
                && file(known).map(RelPath::parent) == parent
                && !known
                    .units
                    .iter()
                    .any(|unit| stack.units.iter().any(|other| other.name == unit.name))
        });
        if let Some(known) = known {
            known.files.extend(stack.files);
            known.name = known.name.take().or(stack.name);
            known.units.extend(stack.units);
            known.volumes.extend(stack.volumes);
            known.networks.extend(stack.networks);
            known.groups.extend(stack.groups);
            known.confirmed_by.extend(stack.confirmed_by);
            known.evidence.extend(stack.evidence);
        } else {
            merged.push(stack);
        }
    }
    for stack in &mut merged {
        if matches!(stack.kind.as_str(), "kubernetes" | "helm") {
            stack.files.sort();
            stack.files.dedup();
            stack.volumes.sort();
            stack.volumes.dedup();
        }
    }
    merged
}

/// Puts the service that a unit continues under it: what the unit says itself wins.
fn extend(stacks: &mut [Stack], fact: &ExtendsFact) {
    let named = |stack: &Stack, path: &RelPath, name: &str| -> Option<Unit> {
        (file(stack) == Some(path))
            .then(|| stack.units.iter().find(|unit| unit.name == *name).cloned())
            .flatten()
    };
    let base = stacks
        .iter()
        .find_map(|stack| named(stack, &fact.file, fact.base.as_str()));
    let unit = stacks
        .iter_mut()
        .filter(|stack| file(stack) == Some(&fact.stack))
        .find_map(|stack| {
            stack
                .units
                .iter_mut()
                .find(|unit| unit.name == *fact.unit.as_str())
        });
    if let (Some(mut base), Some(unit)) = (base, unit) {
        // Dependencies and profiles are not continued.
        base.depends_on.clear();
        base.profiles.clear();
        merge_unit(&mut base, unit);
        base.name = unit.name.clone();
        *unit = base;
    }
}

fn file(stack: &Stack) -> Option<&RelPath> {
    stack.files.first()
}

fn merge_folder(mut files: Vec<Stack>, sets: &[FileSetFact]) -> Vec<Stack> {
    files.sort_by_key(|stack| file(stack).map(|path| (path.name().len(), path.clone())));
    let mut out = Vec::new();
    let mut used: BTreeSet<RelPath> = BTreeSet::new();

    // 1. Sets that people name together in documents, scripts and CI.
    let mut wanted: BTreeMap<Vec<RelPath>, Vec<Evidence>> = BTreeMap::new();
    for set in sets {
        if set.files.len() > 1
            && set
                .files
                .iter()
                .all(|path| files.iter().any(|stack| file(stack) == Some(path)))
        {
            wanted
                .entry(set.files.clone())
                .or_default()
                .push(set.evidence.clone());
        }
    }
    for (paths, evidence) in wanted {
        let members: Vec<&Stack> = paths
            .iter()
            .filter_map(|path| files.iter().find(|stack| file(stack) == Some(path)))
            .collect();
        let production = members
            .iter()
            .skip(1)
            .all(|stack| stack.scope == Scope::Production)
            && members.iter().any(|stack| stack.scope == Scope::Production);
        if !production {
            continue;
        }
        if let Some(mut stack) = merge_files(&members) {
            stack.confirmed_by = evidence;
            used.extend(paths);
            out.push(stack);
        }
    }
    // 2. The base file with the overlay that its name says is for production.
    let base = files.iter().find(|stack| file(stack).is_some_and(is_base));
    let overlays: Vec<&Stack> = files
        .iter()
        .filter(|stack| {
            stack.scope == Scope::Production
                && file(stack).is_some_and(|path| !is_base(path) && !used.contains(path))
        })
        .collect();
    for overlay in overlays {
        let Some(path) = file(overlay) else { continue };
        let partial = overlay
            .units
            .iter()
            .any(|unit| unit.image.is_none() && unit.build.is_none());
        if let (true, Some(base)) = (partial, base)
            && let Some(stack) = merge_files(&[base, overlay])
        {
            used.insert(path.clone());
            used.extend(file(base).cloned());
            out.push(stack);
        }
    }
    // 3. What is left stands alone.
    for stack in &files {
        if file(stack).is_some_and(|path| !used.contains(path)) {
            out.push(stack.clone());
        }
    }
    // A base file is what `docker compose up` runs while a set for production exists: then it is development's.
    out
}

/// Production first; of one kind, merged sets and the file that a tool loads by itself before its variants.
pub(crate) fn order(stack: &Stack) -> (Scope, &Shown, bool, usize, &[RelPath]) {
    let base = stack.files.len() > 1 || file(stack).is_some_and(is_base);
    (
        stack.scope,
        &stack.kind,
        !base,
        file(stack).map_or(0, RelPath::depth),
        &stack.files,
    )
}

/// Merges files as Compose does: later files replace single values, add to lists, and replace variables by name.
fn merge_files(files: &[&Stack]) -> Option<Stack> {
    let (first, rest) = files.split_first()?;
    let mut stack = (*first).clone();
    stack.scope = Scope::Production;
    for next in rest {
        stack.files.extend(next.files.iter().cloned());
        stack.evidence.extend(next.evidence.iter().cloned());
        stack.name = next.name.clone().or(stack.name);
        extend_unique(&mut stack.volumes, &next.volumes);
        extend_unique(&mut stack.networks, &next.networks);
        extend_unique(&mut stack.outside_secrets, &next.outside_secrets);
        extend_unique(&mut stack.outside_networks, &next.outside_networks);
        for unit in &next.units {
            match stack.units.iter_mut().find(|other| other.name == unit.name) {
                Some(known) => merge_unit(known, unit),
                None => stack.units.push(unit.clone()),
            }
        }
    }
    Some(stack)
}

fn extend_unique<T: Clone + PartialEq>(list: &mut Vec<T>, more: &[T]) {
    for item in more {
        if !list.contains(item) {
            list.push(item.clone());
        }
    }
}

fn merge_unit(known: &mut Unit, over: &Unit) {
    macro_rules! replace {
        ($($field:ident),*) => { $(if over.$field.is_some() { known.$field = over.$field.clone(); })* };
    }
    macro_rules! add {
        ($($field:ident),*) => { $(extend_unique(&mut known.$field, &over.$field);)* };
    }
    replace!(
        image, build, entrypoint, command, restart, replicas, mode, update, memory, cpus, stop_grace, user,
        root, runtime, plan, region, version
    );
    add!(
        ports, mounts, env_files, profiles, networks, labels, domains, placement, evidence
    );
    for variable in &over.variables {
        match known
            .variables
            .iter_mut()
            .find(|other| other.name == variable.name)
        {
            Some(other) => *other = variable.clone(),
            None => known.variables.push(variable.clone()),
        }
    }
    for dependency in &over.depends_on {
        match known
            .depends_on
            .iter_mut()
            .find(|other| other.unit == dependency.unit)
        {
            Some(other) => *other = dependency.clone(),
            None => known.depends_on.push(dependency.clone()),
        }
    }
    if !over.probes.is_empty() {
        known.probes.clone_from(&over.probes);
    }
    known.privileged |= over.privileged;
    known.engine_socket |= over.engine_socket;
    known.log_rotation |= over.log_rotation;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack(path: &str, scope: Scope, units: &[(&'static str, Option<&'static str>)]) -> Stack {
        let path = RelPath::new(path).expect("a plain path");
        let units = units
            .iter()
            .map(|(name, image)| {
                let mut unit = Unit::new(Shown::from(*name), Shown::from("service"));
                unit.image = image.map(Shown::from);
                unit
            })
            .collect();
        Stack {
            kind: Shown::from("docker-compose"),
            files: vec![path.clone()],
            scope,
            name: None,
            units,
            volumes: Vec::new(),
            networks: Vec::new(),
            outside_secrets: Vec::new(),
            outside_networks: Vec::new(),
            groups: Vec::new(),
            confirmed_by: Vec::new(),
            evidence: vec![Evidence::file(&path)],
        }
    }

    fn files(stacks: &[Stack]) -> Vec<Vec<&str>> {
        stacks
            .iter()
            .map(|stack| stack.files.iter().map(RelPath::as_str).collect())
            .collect()
    }

    #[test]
    fn an_overlay_for_production_is_merged_with_the_base() {
        let merged = merge(
            vec![
                stack("compose.yml", Scope::Production, &[("web", Some("x"))]),
                stack("compose.prod.yml", Scope::Production, &[("web", None)]),
                stack("compose.override.yml", Scope::Development, &[("web", None)]),
            ],
            &[],
            &[],
        );
        assert_eq!(
            files(&merged),
            [
                vec!["compose.yml", "compose.prod.yml"],
                vec!["compose.override.yml"]
            ]
        );
    }

    #[test]
    fn what_only_a_swarm_deploys_belongs_to_it() {
        let set = |swarm: bool, line: u32| FileSetFact {
            files: vec![RelPath::new("compose.yml").expect("a plain path")],
            swarm,
            evidence: Evidence::at(&RelPath::new("deploy.sh").expect("a plain path"), line),
        };
        let one = || {
            vec![stack(
                "compose.yml",
                Scope::Production,
                &[("web", Some("example/web:1"))],
            )]
        };
        let kind = |stacks: Vec<Stack>, sets: &[FileSetFact]| {
            merge(stacks, sets, &[])
                .first()
                .map(|stack| stack.kind.to_string())
                .unwrap_or_default()
        };
        assert_eq!(kind(one(), &[set(true, 3)]), "docker-swarm");
        assert_eq!(kind(one(), &[set(true, 3), set(false, 4)]), "docker-compose");
        assert_eq!(kind(one(), &[]), "docker-compose");
        let built = vec![stack("compose.yml", Scope::Production, &[("web", None)])];
        assert_eq!(kind(built, &[set(true, 3)]), "docker-compose");
    }

    #[test]
    fn a_complete_file_for_production_stands_alone() {
        let merged = merge(
            vec![
                stack("compose.yml", Scope::Production, &[("web", Some("x"))]),
                stack("compose.prod.yml", Scope::Production, &[("web", Some("y"))]),
            ],
            &[],
            &[],
        );
        assert_eq!(merged.len(), 2);
    }

    #[test]
    fn a_documented_set_is_merged_in_its_order() {
        let path = |text| RelPath::new(text).expect("a plain path");
        let set = FileSetFact {
            files: vec![path("compose.yml"), path("compose.deploy.yml")],
            swarm: false,
            evidence: Evidence::at(&path("deploy.md"), 3),
        };
        let merged = merge(
            vec![
                stack("compose.yml", Scope::Production, &[("web", Some("x"))]),
                stack(
                    "compose.deploy.yml",
                    Scope::Production,
                    &[("web", Some("y")), ("proxy", Some("traefik"))],
                ),
            ],
            &[set],
            &[],
        );
        assert_eq!(files(&merged), [vec!["compose.yml", "compose.deploy.yml"]]);
        assert_eq!(merged.first().map(|stack| stack.confirmed_by.len()), Some(1));
    }
}
