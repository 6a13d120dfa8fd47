//! Which service uses which store: by the units' dependencies and variables, by the folder of the client or driver.

use std::collections::{BTreeMap, BTreeSet};

use playbook_core::evidence::Evidence;
use playbook_core::inventory::{Role, Unit};
use playbook_core::path::RelPath;
use playbook_core::shown::Shown;

use super::{Gathered, Kinds, note};
use crate::fact::StoreFact;
use crate::resolve::candidates::Sources;
use crate::resolve::services::Merged;

/// What a place in the repository says that something needs a store.
pub(super) enum By {
    /// Units are told its address there.
    Units(Vec<(usize, usize)>),
    /// A descriptor of what is deployed says no more than that there is one.
    Descriptor,
    /// Code and its settings.
    Code,
}

/// The units that are told what stands at a line: in a variable of their own, or in a group of variables that they take;
/// and the files that describe what is deployed.
pub(super) struct Told<'a> {
    units: BTreeMap<&'a Evidence, Vec<(usize, usize)>>,
    descriptors: BTreeSet<&'a RelPath>,
}

impl<'a> Told<'a> {
    pub(super) fn new(sources: &'a Sources<'_>) -> Self {
        let mut found: BTreeMap<&Evidence, Vec<(usize, usize)>> = BTreeMap::new();
        let mut takers: BTreeMap<&Shown, Vec<(usize, usize)>> = BTreeMap::new();
        for (at, stack) in sources.stacks.iter().enumerate() {
            for (position, unit) in stack.units.iter().enumerate() {
                for variable in &unit.variables {
                    for evidence in &variable.evidence {
                        found.entry(evidence).or_default().push((at, position));
                    }
                    if let Some(group) = &variable.reference {
                        takers.entry(group).or_default().push((at, position));
                    }
                }
            }
        }
        for group in sources.stacks.iter().flat_map(|stack| &stack.groups) {
            let units = takers.get(&group.name).into_iter().flatten();
            for evidence in group.variables.iter().flat_map(|variable| &variable.evidence) {
                found.entry(evidence).or_default().extend(units.clone());
            }
        }
        let files = sources.stacks.iter().flat_map(|stack| &stack.files);
        let described = sources.facts.infrastructure.iter().map(|file| &file.path);
        Self {
            units: found,
            descriptors: files.chain(described).collect(),
        }
    }

    /// What the place of a fact is.
    pub(super) fn by(&self, fact: &StoreFact) -> By {
        match self.units.get(&fact.evidence) {
            Some(units) => By::Units(units.clone()),
            None if self.descriptors.contains(&fact.evidence.path) => By::Descriptor,
            None => By::Code,
        }
    }
}

/// Which service uses which store: by the units' dependencies, by the folder of the client or driver, by variables.
pub(super) fn connect(kinds: &mut Kinds, sources: &Sources<'_>, services: &mut [Merged]) {
    let members = members_used(sources);
    let told = told_apart(kinds, sources, services);
    for gathered in kinds.values_mut() {
        let mut users = users(gathered, &gathered.dirs, &members, &told, sources, services);
        // Where nothing says who uses it, the code beside its own unit does.
        if users.is_empty() {
            users = self::users(gathered, &gathered.near, &members, &told, sources, services);
        }
        for at in users {
            let Some(merged) = services.get_mut(at) else {
                continue;
            };
            note(&mut gathered.store.used_by, Some(merged.service.id.clone()));
            note(&mut merged.service.depends_on, Some(gathered.store.id.clone()));
        }
    }
}

/// The positions of the services that use a store, whose code lies in one of these folders or in a member that it is
/// built from, or whose units say so.
fn users(
    gathered: &Gathered,
    dirs: &[RelPath],
    members: &BTreeMap<RelPath, BTreeSet<RelPath>>,
    told_apart: &BTreeSet<Shown>,
    sources: &Sources<'_>,
    services: &[Merged],
) -> Vec<usize> {
    let waits = |(stack, unit): (usize, usize)| {
        let unit = sources.stacks.get(stack).and_then(|stack| stack.units.get(unit));
        unit.is_some_and(|unit| {
            gathered
                .units
                .iter()
                .any(|(at, name)| *at == stack && needs_unit(unit, name))
        })
    };
    let uses = |merged: &Merged| {
        let path = &merged.service.path;
        // What leads requests on may wait for anything without talking to it.
        let by_unit =
            merged.service.role != Role::Proxy && merged.parts.iter().filter_map(|part| part.unit).any(waits);
        let by_variable = || gathered.told.iter().any(|unit| merged.has_unit(*unit));
        let of_members = |used: &BTreeSet<RelPath>| dirs.iter().any(|dir| used.contains(dir));
        let of_root = |dir: &RelPath| sources.apps.owner(dir).is_some_and(|app| app.dir.is_root());
        let by_code = || {
            merged.service.is_own()
                && !told_apart.contains(&merged.service.id)
                && (dirs.contains(path)
                    || members.get(path).is_some_and(of_members)
                    || path.is_root() && dirs.iter().any(of_root))
        };
        by_unit || by_variable() || by_code()
    };
    services
        .iter()
        .enumerate()
        .filter(|(_, merged)| uses(merged))
        .map(|(at, _)| at)
        .collect()
}

/// Processes that share their code with another one and use less of it: pages that a server beside them hands out, and
/// jobs whose own unit says which stores they need.
fn told_apart(kinds: &Kinds, sources: &Sources<'_>, services: &[Merged]) -> BTreeSet<Shown> {
    let mut main: BTreeSet<&RelPath> = BTreeSet::new();
    for merged in services {
        if matches!(merged.service.role, Role::Web | Role::Worker | Role::Scheduler) {
            main.insert(&merged.service.path);
        }
    }
    let names_store = |merged: &Merged| {
        merged
            .parts
            .iter()
            .filter_map(|part| part.unit)
            .any(|(stack, unit)| {
                let unit = sources.stacks.get(stack).and_then(|stack| stack.units.get(unit));
                unit.is_some_and(|unit| {
                    kinds
                        .values()
                        .flat_map(|gathered| &gathered.units)
                        .any(|(at, name)| *at == stack && needs_unit(unit, name))
                })
            })
    };
    services
        .iter()
        .filter(|merged| main.contains(&merged.service.path))
        .filter(|merged| match merged.service.role {
            Role::Frontend => true,
            Role::Job => names_store(merged),
            _ => false,
        })
        .map(|merged| merged.service.id.clone())
        .collect()
}

/// Does a unit wait for another one, or is it told its address?
fn needs_unit(unit: &Unit, name: &Shown) -> bool {
    unit.depends_on.iter().any(|dependency| dependency.unit == *name)
        || unit.variables.iter().any(|variable| refers_to(variable, name))
}

/// The folders of the workspace's packages that each application is built from, however far down.
fn members_used(sources: &Sources<'_>) -> BTreeMap<RelPath, BTreeSet<RelPath>> {
    let mut by_name: BTreeMap<(&str, &str), &RelPath> = BTreeMap::new();
    for app in &sources.apps.all {
        for project in &app.projects {
            if let Some(name) = &project.name {
                by_name.insert((project.ecosystem, name.as_str()), &app.dir);
            }
        }
    }
    let mut direct: BTreeMap<&RelPath, BTreeSet<&RelPath>> = BTreeMap::new();
    for app in &sources.apps.all {
        for project in &app.projects {
            let used = project
                .dependencies
                .iter()
                .filter(|dependency| !dependency.development)
                .filter_map(|dependency| by_name.get(&(project.ecosystem, dependency.name.as_str())))
                .filter(|dir| **dir != &app.dir);
            direct.entry(&app.dir).or_default().extend(used);
        }
    }
    let mut all: BTreeMap<RelPath, BTreeSet<RelPath>> = BTreeMap::new();
    for (dir, used) in direct.iter().filter(|(_, used)| !used.is_empty()) {
        let mut reached: BTreeSet<&RelPath> = BTreeSet::new();
        let mut waiting: Vec<&RelPath> = used.iter().copied().collect();
        while let Some(next) = waiting.pop() {
            if reached.insert(next) {
                waiting.extend(direct.get(next).into_iter().flatten().copied());
            }
        }
        all.insert((*dir).clone(), reached.into_iter().cloned().collect());
    }
    all
}

fn refers_to(variable: &playbook_core::inventory::UnitVariable, unit: &Shown) -> bool {
    variable.reference.as_ref() == Some(unit)
        || variable.value.as_ref().is_some_and(|value| {
            value.as_str() == unit.as_str()
                || value
                    .as_str()
                    .split(['/', ':', '@', ','])
                    .any(|part| part == unit.as_str())
        })
}

#[cfg(test)]
mod tests {
    use crate::testing;

    #[test]
    fn descriptors_beside_the_code_say_for_each_unit_what_it_uses() {
        let files = "
//- orders/pom.xml
<project><artifactId>orders</artifactId><dependencies>
<dependency><groupId>org.springframework.boot</groupId><artifactId>spring-boot-starter-web</artifactId></dependency>
<dependency><groupId>org.postgresql</groupId><artifactId>postgresql</artifactId></dependency>
</dependencies></project>
//- orders/src/main/java/shop/Orders.java
package shop;
@SpringBootApplication
public class Orders { public static void main(String[] a) { SpringApplication.run(Orders.class, a); } }
//- stock/package.json
{\"name\": \"stock\", \"dependencies\": {\"express\": \"5.0.0\", \"mysql2\": \"3.0.0\"}}
//- stock/main.js
const app = require('express')()
app.listen(3000)
//- orders/deploy/docker-compose.yml
services:
  orders-db: {image: 'postgres:17'}
  orders: {build: .., depends_on: [orders-db], ports: ['8080:8080']}
  stock-db: {image: 'mysql:9.1'}
  stock: {image: example/stock, depends_on: [stock-db], environment: {DATABASE_URL: 'mysql://stock-db:3306/stock'}}
";
        let inventory = testing::inventory(files);
        let users: Vec<(&str, Vec<&str>)> = inventory
            .datastores
            .iter()
            .map(|store| {
                (
                    store.kind.as_str(),
                    store
                        .used_by
                        .iter()
                        .map(playbook_core::shown::Shown::as_str)
                        .collect(),
                )
            })
            .collect();
        assert_eq!(users, [("mysql", vec!["stock"]), ("postgresql", vec!["orders"])]);
    }
}
