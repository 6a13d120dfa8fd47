//! The environment schema: every mention of a variable, joined by its name.

use std::collections::{BTreeMap, BTreeSet};

use playbook_core::evidence::Scope;
use playbook_core::inventory::{EnvironmentVariable, ReadSite, VariableOrigin};
use playbook_core::secret;
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Group};

use super::candidates::Sources;
use super::services::Merged;
use crate::fact::VariableFact;

/// Variables of the system and of tools, which nobody sets for a deployment.
const SYSTEM: &[&str] = &[
    "_",
    "BASH_SOURCE",
    "BASH_VERSION",
    "CI",
    "COLUMNS",
    "EDITOR",
    "EUID",
    "FUNCNAME",
    "HISTFILE",
    "HOME",
    "HOSTNAME",
    "IFS",
    "LANG",
    "LC_ALL",
    "LINENO",
    "LINES",
    "LOGNAME",
    "OLDPWD",
    "OPTARG",
    "OPTIND",
    "OSTYPE",
    "PATH",
    "PPID",
    "PS1",
    "PWD",
    "RANDOM",
    "REPLY",
    "SECONDS",
    "SHELL",
    "SHLVL",
    "TERM",
    "TMP",
    "TEMP",
    "TMPDIR",
    "UID",
    "USER",
    "USERNAME",
    "XDG_CONFIG_HOME",
    "XDG_CACHE_HOME",
    "XDG_DATA_HOME",
    "DEBIAN_FRONTEND",
    "PYTHONPATH",
    "GOPATH",
    "GOROOT",
    "CARGO_MANIFEST_DIR",
    "OUT_DIR",
    "CGO_ENABLED",
    "GOOS",
    "GOARCH",
    "TARGETARCH",
    "TARGETOS",
    "TARGETPLATFORM",
    "BUILDPLATFORM",
    "BUILDARCH",
    "BUILDOS",
    "NODE_PATH",
];

/// Joins the mentions of production.
pub(crate) fn resolve(sources: &Sources<'_>, services: &mut [Merged]) -> Vec<EnvironmentVariable> {
    let mut by_name: BTreeMap<&str, Vec<&VariableFact>> = BTreeMap::new();
    for fact in &sources.facts.variables {
        if !SYSTEM.contains(&fact.name.as_str()) {
            by_name.entry(fact.name.as_str()).or_default().push(fact);
        }
    }
    let passed = passed_names(sources);
    let mut out = Vec::new();
    for (name, facts) in by_name {
        if let Some(variable) = join(name, &facts, sources, services, &passed) {
            out.push(variable);
        }
    }
    for merged in services.iter_mut() {
        let id = merged.service.id.clone();
        merged.service.env = out
            .iter()
            .filter(|variable| variable.services.contains(&id))
            .map(|variable| variable.name.clone())
            .collect();
    }
    out
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
    passed: &BTreeSet<&str>,
) -> Option<EnvironmentVariable> {
    let production: Vec<&&VariableFact> = facts
        .iter()
        .filter(|fact| fact.scope == Scope::Production)
        .collect();
    let used = production.iter().any(|fact| is_deployment(fact.origin)) || passed.contains(name);
    let listed = production.iter().any(|fact| fact.origin == VariableOrigin::File);
    // What only documentation or CI names is no variable of a deployed service.
    if !used && !listed {
        return None;
    }
    let code: Vec<&&VariableFact> = production
        .iter()
        .filter(|fact| is_deployment(fact.origin))
        .copied()
        .collect();
    let owners = owners(name, &production, sources, services);
    let has_default = code.iter().any(|fact| fact.has_default && !fact.placeholder);
    let demanded =
        code.iter().any(|fact| fact.required) || code.iter().any(|fact| fact.placeholder && fact.has_default);
    let secret = secret::is_secret_name(name) || production.iter().any(|fact| fact.secret);
    // A secret whose only "default" is a placeholder is not safe to start with.
    let insecure = secret
        && production.iter().any(|fact| fact.placeholder)
        && !code.iter().any(|fact| fact.has_default && !fact.placeholder);
    let required =
        demanded && !has_default || insecure && code.iter().any(|fact| fact.origin == VariableOrigin::Code);
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
) -> Vec<Shown> {
    let mut ids: BTreeSet<Shown> = BTreeSet::new();
    for merged in services {
        let passed = merged
            .parts
            .iter()
            .filter_map(|part| part.unit)
            .any(|(stack, unit)| {
                sources
                    .stacks
                    .get(stack)
                    .filter(|stack| stack.scope == Scope::Production)
                    .and_then(|stack| stack.units.get(unit))
                    .is_some_and(|unit| unit.variables.iter().any(|variable| variable.name == *name))
            });
        let read = merged.service.is_own()
            && production
                .iter()
                .filter(|fact| {
                    matches!(
                        fact.origin,
                        VariableOrigin::Code | VariableOrigin::Image | VariableOrigin::Script
                    )
                })
                .any(|fact| {
                    sources.apps.owner(&fact.evidence.path).map_or_else(
                        || fact.evidence.path.is_in(&merged.service.path),
                        |app| app.dir == merged.service.path,
                    )
                });
        if passed || read {
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
