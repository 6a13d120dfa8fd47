//! The environment schema: every mention of a variable, joined by its name.

mod layers;
mod lists;
mod required;
mod stores;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use playbook_core::evidence::Scope;
use playbook_core::harmless::{CommandLine, EnvName};
use playbook_core::inventory::{EnvironmentVariable, ReadSite, VariableOrigin, VariableSource};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::secret;
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Group};

use self::layers::Layers;
use self::lists::told_by_documents;
use self::required::is_required;
pub(super) use self::stores::link;
use super::candidates::Sources;
use super::services::Merged;
use super::units::{self, UnitClass};
use crate::detect::judge::schema;
use crate::fact::VariableFact;

/// Joins the mentions of production.
pub(crate) fn resolve(sources: &Sources<'_>, services: &mut [Merged]) -> Vec<EnvironmentVariable> {
    let stated = of_stacks(sources);
    let scripts = scripts_in_use(sources);
    let unread = unread_configuration(sources);
    let unused = |fact: &VariableFact| {
        fact.origin == VariableOrigin::Script && !scripts.contains(&fact.evidence.path)
            || unread.contains(&fact.evidence.path)
    };
    let mut by_name: BTreeMap<&str, Vec<&VariableFact>> = BTreeMap::new();
    for fact in sources.facts.variables.iter().chain(&stated) {
        let name = fact.name.as_str();
        let for_tests = schema::is_for_tests(name) && fact.origin != VariableOrigin::Stack;
        if !schema::is_system(name) && !for_tests && !unused(fact) {
            by_name.entry(fact.name.as_str()).or_default().push(fact);
        }
    }
    let passed = passed_names(sources);
    let told = told_by_documents(sources, &by_name, &passed);
    let known = Known {
        passed: &passed,
        told: &told,
        layers: Layers::new(&sources.facts.variables),
        users: users(sources, services),
    };
    let mut out = Vec::new();
    for (name, facts) in by_name {
        if let Some(variable) = join(name, &facts, sources, services, &known) {
            out.push(variable);
        }
    }
    let mut of_services: BTreeMap<&Shown, Vec<Shown>> = BTreeMap::new();
    for variable in &out {
        for id in &variable.services {
            of_services.entry(id).or_default().push(variable.name.clone());
        }
    }
    for merged in services.iter_mut() {
        merged.service.env = of_services.get(&merged.service.id).cloned().unwrap_or_default();
    }
    out
}

/// What is looked up for each variable.
struct Known<'a> {
    /// Names that a stack of production gives to one of its units.
    passed: &'a BTreeSet<&'a str>,
    told: &'a BTreeSet<&'a str>,
    layers: Layers<'a>,
    /// The services that production's stacks pass a variable to, by its name.
    users: BTreeMap<&'a str, BTreeSet<Shown>>,
}

/// The services that production's stacks pass each variable to.
fn users<'a>(sources: &'a Sources<'_>, services: &[Merged]) -> BTreeMap<&'a str, BTreeSet<Shown>> {
    let mut users: BTreeMap<&str, BTreeSet<Shown>> = BTreeMap::new();
    for merged in services {
        let units = merged.parts.iter().filter_map(|part| {
            let (stack, unit) = part.unit?;
            let stack = sources.stacks.get(stack)?;
            (stack.scope == Scope::Production).then(|| stack.units.get(unit))?
        });
        for variable in units.flat_map(|unit| &unit.variables) {
            users
                .entry(variable.name.as_str())
                .or_default()
                .insert(merged.service.id.clone());
        }
    }
    users
}

/// Configuration scripts of Mix that nothing takes in: Mix itself runs `config.exs` and `runtime.exs` (`releases.exs` in
/// earlier versions) and what they import.
fn unread_configuration<'a>(sources: &'a Sources<'_>) -> BTreeSet<&'a RelPath> {
    let mut imports: BTreeMap<&RelPath, (bool, BTreeSet<&str>)> = BTreeMap::new();
    for import in &sources.facts.config_imports {
        let (environments, names) = imports.entry(&import.dir).or_default();
        match &import.name {
            Some(name) => {
                names.insert(name.as_str());
            }
            None => *environments = true,
        }
    }
    let is_unread = |path: &RelPath| {
        let Some(stem) = path.name().strip_suffix(".exs") else {
            return false;
        };
        let Some((environments, names)) = imports.get(&path.parent()) else {
            return false;
        };
        let of_an_environment = *environments && !stem.contains('.');
        !matches!(stem, "config" | "runtime" | "releases")
            && !names.contains(path.name())
            && !of_an_environment
    };
    sources
        .facts
        .variables
        .iter()
        .map(|fact| &fact.evidence.path)
        .filter(|path| is_unread(path))
        .collect()
}

/// The scripts that an image or a stack of production runs: what others read holds for development.
fn scripts_in_use(sources: &Sources<'_>) -> BTreeSet<RelPath> {
    let root = RelPath::root();
    let of_images = sources
        .containers
        .iter()
        .filter(|container| container.scope == Scope::Production)
        .flat_map(|container| {
            [&container.entrypoint, &container.command]
                .into_iter()
                .flatten()
                .chain(&container.runs)
                .map(|command| (sources.dir_of_dockerfile(&container.path), command.clone()))
        });
    let of_units = sources
        .stacks
        .iter()
        .filter(|stack| stack.scope == Scope::Production)
        .flat_map(|stack| &stack.units)
        .flat_map(|unit| {
            [
                &unit.command,
                &unit.entrypoint,
                &unit.pre_deploy,
                &unit.build_command,
            ]
        })
        .flatten()
        .map(|command| (root.clone(), command.clone()));
    let mut waiting: Vec<(RelPath, CommandLine)> = of_images.chain(of_units).collect();
    let mut used = BTreeSet::new();
    while let Some((dir, command)) = waiting.pop() {
        let Some(script) = sources.script_of_command(&dir, &command) else {
            continue;
        };
        if used.insert(script.path.clone()) {
            // Scripts run scripts.
            waiting.extend(
                script
                    .commands
                    .iter()
                    .chain(script.arms.iter().flat_map(|arm| &arm.commands))
                    .map(|(command, _)| (dir.clone(), command.clone())),
            );
        }
    }
    used
}

/// What production's stacks give to their units, datastores included; third-party tools keep their settings to
/// themselves.
fn of_stacks(sources: &Sources<'_>) -> Vec<VariableFact> {
    let variables = sources
        .stacks
        .iter()
        .filter(|stack| stack.scope == Scope::Production)
        .flat_map(|stack| {
            let of_units = stack.units.iter().flat_map(|unit| {
                let class = units::classify(stack, unit, sources.own_images);
                let third_party = matches!(class, UnitClass::ThirdParty(_));
                let store = matches!(class, UnitClass::Store(_));
                unit.variables
                    .iter()
                    .filter(move |variable| {
                        !third_party && (!store || schema::is_store_setting(variable.name.as_str()))
                    })
                    .map(move |variable| (variable, store))
            });
            of_units.chain(
                stack
                    .groups
                    .iter()
                    .flat_map(|group| &group.variables)
                    .map(|variable| (variable, false)),
            )
        });
    variables
        .filter_map(|(variable, store)| {
            let name = EnvName::parse(Raw::new(variable.name.as_str()))?;
            let evidence = variable.evidence.first()?.clone();
            let mut fact = VariableFact::new(name, VariableOrigin::Stack, Scope::Production, evidence);
            // A datastore takes its password at its first start: what the file says is what everybody knows.
            fact.required = store
                && secret::is_secret_name(fact.name.as_str())
                && !matches!(
                    variable.source,
                    VariableSource::Secret | VariableSource::Generated
                );
            Some(fact)
        })
        .collect()
}

/// Names that a stack of production gives to one of its units.
fn passed_names<'a>(sources: &'a Sources<'_>) -> BTreeSet<&'a str> {
    sources
        .stacks
        .iter()
        .filter(|stack| stack.scope == Scope::Production)
        .flat_map(|stack| {
            stack
                .units
                .iter()
                .flat_map(|unit| &unit.variables)
                .chain(stack.groups.iter().flat_map(|group| &group.variables))
        })
        .map(|variable| variable.name.as_str())
        .collect()
}

/// Does something of a deployment use it, and not only the file that sets it?
fn is_used(facts: &[&VariableFact]) -> bool {
    facts
        .iter()
        .any(|fact| fact.scope == Scope::Production && is_deployment(fact.origin) && !fact.internal)
}

fn is_deployment(origin: VariableOrigin) -> bool {
    !matches!(
        origin,
        VariableOrigin::Document | VariableOrigin::Ci | VariableOrigin::File
    )
}

fn join(
    name: &str,
    facts: &[&VariableFact],
    sources: &Sources<'_>,
    services: &[Merged],
    known: &Known<'_>,
) -> Option<EnvironmentVariable> {
    let production: Vec<&&VariableFact> = facts
        .iter()
        .filter(|fact| fact.scope == Scope::Production)
        .collect();
    // A property that nothing else names is left as the settings have it.
    let property = production
        .iter()
        .any(|fact| fact.origin == VariableOrigin::Code && fact.internal)
        && production
            .iter()
            .any(|fact| matches!(fact.origin, VariableOrigin::Document | VariableOrigin::File));
    let used = is_used(facts) || property || known.passed.contains(name) || known.told.contains(name);
    let listed = production.iter().any(|fact| fact.origin == VariableOrigin::File);
    // What only tests read, though an environment file lists it, is theirs.
    let of_tests = facts
        .iter()
        .any(|fact| fact.scope == Scope::Development && fact.origin == VariableOrigin::Code);
    // What only documentation or CI names is no variable of a deployed service.
    if !used && (!listed || of_tests) {
        return None;
    }
    let code: Vec<&&VariableFact> = production
        .iter()
        .filter(|fact| is_deployment(fact.origin))
        .copied()
        .collect();
    let owners = owners(name, &production, sources, services, known);
    let secret = secret::is_secret_name(name) || production.iter().any(|fact| fact.secret);
    let required =
        is_required(name, secret, &production, sources) || known.layers.leave_open(name, &production);
    let mut sites: Vec<ReadSite> = production
        .iter()
        .map(|fact| ReadSite {
            origin: fact.origin,
            required: fact.required,
            has_default: fact.has_default,
            evidence: vec![fact.evidence.clone()],
        })
        .collect();
    sites.sort();
    sites.dedup();
    sites.truncate(40);
    let mut evidence: Vec<_> = production
        .iter()
        .map(|fact| (fact.origin, fact.evidence.clone()))
        .collect();
    evidence.sort();
    evidence.dedup();
    let documented = facts
        .iter()
        .any(|fact| matches!(fact.origin, VariableOrigin::Document | VariableOrigin::File));
    let first = facts.first()?;
    Some(EnvironmentVariable {
        name: (&first.name).into(),
        required,
        secret,
        documented,
        default: if secret {
            None
        } else {
            code.iter()
                .chain(production.iter())
                .find_map(|fact| fact.default.as_ref().map(Into::into))
        },
        services: owners,
        description: facts.iter().find_map(|fact| fact.description.clone()),
        scope: Scope::Production,
        build_time: !code.is_empty() && code.iter().all(|fact| fact.build_time),
        one_of: facts.iter().find_map(|fact| fact.one_of.as_ref().map(Into::into)),
        placeholder: production.iter().any(|fact| fact.placeholder),
        min_length: facts.iter().find_map(|fact| fact.min_length),
        configures: configures(name, sources),
        sites,
        evidence: evidence
            .into_iter()
            .map(|(_, evidence)| evidence)
            .take(8)
            .collect(),
    })
}

/// The services that read a variable, or that a stack passes it to.
fn owners(
    name: &str,
    production: &[&&VariableFact],
    sources: &Sources<'_>,
    services: &[Merged],
    known: &Known<'_>,
) -> Vec<Shown> {
    let mut ids: BTreeSet<Shown> = known.users.get(name).cloned().unwrap_or_default();
    // Where it is read: the application that the place belongs to, or the place itself where it belongs to none.
    let mut dirs: BTreeSet<&RelPath> = BTreeSet::new();
    let mut paths: BTreeSet<&RelPath> = BTreeSet::new();
    for fact in production.iter().filter(|fact| {
        matches!(
            fact.origin,
            VariableOrigin::Code | VariableOrigin::Image | VariableOrigin::Script
        )
    }) {
        match sources.apps.owner(&fact.evidence.path) {
            Some(app) => dirs.insert(&app.dir),
            None => paths.insert(&fact.evidence.path),
        };
    }
    if dirs.is_empty() && paths.is_empty() {
        return ids.into_iter().collect();
    }
    for merged in services.iter().filter(|merged| merged.service.is_own()) {
        let dir = &merged.service.path;
        if dirs.contains(dir) || paths.iter().any(|path| path.is_in(dir)) {
            ids.insert(merged.service.id.clone());
        }
    }
    ids.into_iter().collect()
}

/// The datastore or external service that a variable's name says it configures.
fn configures(name: &str, _sources: &Sources<'_>) -> Option<Shown> {
    let catalogue = Catalogue::get();
    let by_name = catalogue.by_env_name(name);
    let by_prefix = catalogue.by_env_prefix(name);
    by_name
        .iter()
        .chain(&by_prefix)
        .find(|found| {
            matches!(
                found.technology.group,
                Group::Datastore | Group::ExternalService | Group::Observability
            )
        })
        .map(|found| Shown::from(found.technology.id))
}
