//! The lists that need little more than their scope judged.

use std::collections::BTreeMap;

use playbook_core::evidence::{Evidence, Scope};
use playbook_core::harmless::CommandLine;
use playbook_core::inventory::{
    AuthFact, Container, Datastore, ExternalService, Interface, InterfaceKind, Inventory, Observability,
    Route, Seed, Stack, VariableOrigin,
};
use playbook_core::raw::Raw;
use playbook_core::secret;
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Group, Technology};

use super::candidates::Sources;
use super::jobs;
use super::services::Merged;
use super::units::{self, UnitClass};
use crate::index::FileIndex;
use crate::scope;

/// Joins the `.dockerignore` that counts: `NAME.dockerignore` beside the Dockerfile, else the one of the folder.
pub(crate) fn complete_containers(containers: &mut [Container], index: &FileIndex) {
    for container in containers {
        let own = container
            .path
            .parent()
            .join(&format!("{}.dockerignore", container.path.name()));
        let beside = container.path.parent().join(".dockerignore");
        let root = playbook_core::path::RelPath::new(".dockerignore");
        container.dockerignore = [own, beside, root]
            .into_iter()
            .flatten()
            .find(|path| index.contains(path));
    }
}

/// Fills the simple lists.
pub(crate) fn fill(
    inventory: &mut Inventory,
    sources: &Sources<'_>,
    services: &[Merged],
    by_folder: &super::ServicesByFolder,
) {
    let facts = sources.facts;
    let service_of = |evidence: &[Evidence]| {
        evidence
            .first()
            .and_then(|evidence| by_folder.of(&evidence.path, sources.apps))
    };
    let production = |evidence: &[Evidence]| {
        evidence
            .iter()
            .any(|evidence| scope::scope_of(&evidence.path) == Scope::Production)
    };

    inventory.infrastructure.clone_from(&facts.infrastructure);
    inventory.seeds = facts
        .seeds
        .iter()
        .cloned()
        .map(|mut seed| {
            seed.service = seed.service.or_else(|| service_of(&seed.evidence));
            if seed.command.is_none() {
                (seed.command, seed.evidence) = command_of_seed(&seed, sources);
            }
            // A command is run in the folder of its application, where the image has its code.
            let inside = sources
                .apps
                .owner(&seed.path)
                .and_then(|app| seed.path.as_str().strip_prefix(&format!("{}/", app.dir)));
            if let (Some(command), Some(inside)) = (&seed.command, inside) {
                let text = command.as_str().replace(seed.path.as_str(), inside);
                seed.command = CommandLine::parse(Raw::new(&text));
            }
            seed
        })
        .collect();
    inventory.api_specs = facts
        .api_specs
        .iter()
        .filter(|spec| production(&spec.evidence) || spec.served_at.is_none())
        .cloned()
        .collect();
    inventory.ci.clone_from(&facts.ci);
    inventory.ci_steps.clone_from(&facts.ci_steps);
    inventory.caching = facts
        .caching
        .iter()
        .filter(|cache| production(&cache.evidence))
        .cloned()
        .collect();
    inventory.interfaces = facts
        .interfaces
        .iter()
        .filter(|interface| production(&interface.evidence))
        .cloned()
        .map(|mut interface| {
            interface.service = service_of(&interface.evidence);
            interface
        })
        .collect();
    inventory.interfaces.extend(
        inventory
            .routes
            .iter()
            .filter(|route| route.method == super::routes::WEBSOCKET)
            .map(|route| Interface {
                kind: InterfaceKind::WebSocket,
                path: Some(route.path.clone()),
                service: route.service.clone(),
                evidence: route.evidence.clone(),
            }),
    );
    inventory.pools = facts
        .pools
        .iter()
        .filter(|pool| production(&pool.evidence))
        .cloned()
        .map(|mut pool| {
            pool.service = service_of(&pool.evidence);
            pool
        })
        .collect();
    inventory.rate_limits = facts
        .rate_limits
        .iter()
        .cloned()
        .map(|mut limit| {
            limit.service = service_of(&limit.evidence);
            limit
        })
        .collect();
    inventory.uploads = facts
        .uploads
        .iter()
        .cloned()
        .map(|mut upload| {
            upload.service = service_of(&upload.evidence);
            upload
        })
        .collect();
    inventory.cors = facts
        .cors
        .iter()
        .filter(|cors| production(&cors.evidence))
        .cloned()
        .map(|mut cors| {
            cors.service = service_of(&cors.evidence);
            cors
        })
        .collect();
    inventory.signals = facts
        .signals
        .iter()
        .cloned()
        .map(|mut signal| {
            signal.service = service_of(&signal.evidence);
            signal
        })
        .collect();
    inventory.version_pins.clone_from(&facts.version_pins);
    inventory
        .documented_commands
        .clone_from(&facts.documented_commands);
    inventory.project_rules.clone_from(&facts.project_rules);
    inventory.committed_secrets.clone_from(&facts.committed_secrets);
    inventory.auth = auth(sources, services);
    inventory.external_services = external_services(sources, services);
    inventory.observability = observability(sources, services);
    let scraped = metrics_routes(inventory);
    inventory.interfaces.extend(scraped);
    inventory.scheduled_jobs = jobs::of(sources, services, by_folder);
}

/// What packages of an application that runs as a service stand for, by slug.
fn of_packages<'a>(
    sources: &'a Sources<'_>,
    services: &'a [Merged],
    group: Group,
) -> impl Iterator<Item = &'a super::apps::Known> {
    sources
        .apps
        .all
        .iter()
        .filter(|app| {
            services.iter().any(|merged| {
                merged.service.is_own()
                    && sources
                        .apps
                        .owner(&merged.service.path)
                        .is_some_and(|owner| owner.dir == app.dir)
            })
        })
        .flat_map(move |app| app.of_group(group))
        .filter(|known| known.strong)
}

fn auth(sources: &Sources<'_>, services: &[Merged]) -> Vec<AuthFact> {
    let mut found: BTreeMap<Shown, Vec<Evidence>> = BTreeMap::new();
    for fact in &sources.facts.auth {
        if fact
            .evidence
            .iter()
            .any(|evidence| scope::scope_of(&evidence.path) == Scope::Production)
        {
            found
                .entry(fact.kind.clone())
                .or_default()
                .extend(fact.evidence.iter().cloned());
        }
    }
    for (technology, _, evidence) in by_variables(sources, Group::Auth) {
        found
            .entry(Shown::from(technology.id))
            .or_default()
            .push(evidence);
    }
    for known in of_packages(sources, services, Group::Auth) {
        found
            .entry(Shown::from(known.technology.id))
            .or_default()
            .push(known.evidence.clone());
    }
    found
        .into_iter()
        .map(|(kind, evidence)| AuthFact {
            kind,
            evidence: tidy(evidence),
        })
        .collect()
}

fn external_services(sources: &Sources<'_>, services: &[Merged]) -> Vec<ExternalService> {
    let mut found: BTreeMap<Shown, ExternalService> = BTreeMap::new();
    for fact in sources
        .facts
        .external_services
        .iter()
        .filter(|fact| fact.scope == Scope::Production)
    {
        let known = found.entry(fact.kind.clone()).or_insert_with(|| ExternalService {
            evidence: Vec::new(),
            variables: Vec::new(),
            ..fact.clone()
        });
        known.evidence.extend(fact.evidence.iter().cloned());
        known.variables.extend(fact.variables.iter().cloned());
    }
    for (technology, name, evidence) in by_variables(sources, Group::ExternalService) {
        let known = found
            .entry(Shown::from(technology.id))
            .or_insert_with(|| ExternalService {
                kind: Shown::from(technology.id),
                category: Shown::from(technology.category),
                scope: Scope::Production,
                variables: Vec::new(),
                evidence: Vec::new(),
            });
        known.variables.push(name);
        known.evidence.push(evidence);
    }
    for fact in sources
        .facts
        .stores
        .iter()
        .filter(|fact| fact.scope == Scope::Production)
    {
        let vendor = fact
            .managed
            .as_ref()
            .and_then(|slug| Catalogue::get().find(Group::ExternalService, slug.as_str()));
        if let Some(vendor) = vendor {
            let known = found
                .entry(Shown::from(vendor.id))
                .or_insert_with(|| ExternalService {
                    kind: Shown::from(vendor.id),
                    category: Shown::from(vendor.category),
                    scope: Scope::Production,
                    variables: Vec::new(),
                    evidence: Vec::new(),
                });
            known.variables.extend(fact.variable.as_ref().map(Into::into));
            known.evidence.push(fact.evidence.clone());
        }
    }
    for package in of_packages(sources, services, Group::ExternalService) {
        let kind = Shown::from(package.technology.id);
        let known = found.entry(kind.clone()).or_insert_with(|| ExternalService {
            kind,
            category: Shown::from(package.technology.category),
            scope: Scope::Production,
            variables: Vec::new(),
            evidence: Vec::new(),
        });
        known.evidence.push(package.evidence.clone());
    }
    found
        .into_values()
        .map(|mut service| {
            service.variables.sort();
            service.variables.dedup();
            service.evidence = tidy(service.evidence);
            service
        })
        .collect()
}

/// Vendors and ways of authentication whose credentials the code reads: a secret under such a name is a use of it.
fn by_variables(sources: &Sources<'_>, group: Group) -> Vec<(&'static Technology, Shown, Evidence)> {
    let catalogue = Catalogue::get();
    let mut out = Vec::new();
    for fact in &sources.facts.variables {
        let read = fact.scope == Scope::Production && fact.origin == VariableOrigin::Code && !fact.build_time;
        if !read || !(fact.secret || secret::is_secret_name(fact.name.as_str())) {
            continue;
        }
        let name = fact.name.as_str();
        let found = catalogue
            .by_env_name(name)
            .into_iter()
            .chain(catalogue.by_env_prefix(name));
        for technology in found
            .map(|found| found.technology)
            .filter(|technology| technology.group == group)
        {
            out.push((technology, (&fact.name).into(), fact.evidence.clone()));
        }
    }
    out
}

/// The script of a manifest that runs a program with first data, and where it stands.
fn command_of_seed(seed: &Seed, sources: &Sources<'_>) -> (Option<CommandLine>, Vec<Evidence>) {
    let mut evidence = seed.evidence.clone();
    let script = sources.facts.scripts.iter().find(|script| {
        let below = if script.dir.is_root() {
            Some(seed.path.as_str())
        } else {
            seed.path.as_str().strip_prefix(&format!("{}/", script.dir))
        };
        below.is_some_and(|below| {
            script
                .command
                .words()
                .any(|word| word.trim_start_matches("./").trim_matches(['"', '\'']) == below)
        })
    });
    let command = script.and_then(|script| {
        let main = sources.apps.at(&script.dir).and_then(|app| app.main());
        super::commands::run_script(script, main)
    });
    if let (Some(script), true) = (script, command.is_some()) {
        evidence.push(script.evidence.clone());
    }
    (command, evidence)
}

/// The routes that a Prometheus reads: `/metrics` of a repository that uses its client. Without one such a route is the
/// application's own.
fn metrics_routes(inventory: &Inventory) -> Vec<Interface> {
    if !inventory
        .observability
        .iter()
        .any(|found| found.kind == "prometheus")
    {
        return Vec::new();
    }
    let known = |route: &Route| {
        inventory.interfaces.iter().any(|interface| {
            interface.kind == InterfaceKind::Metrics
                && interface.service == route.service
                && interface.path.as_ref().is_none_or(|path| *path == route.path)
        })
    };
    inventory
        .routes
        .iter()
        .filter(|route| matches!(route.method.as_str(), "GET" | "*") && route.service.is_some())
        .filter(|route| route.path.as_str().trim_end_matches('/') == "/metrics" && !known(route))
        .map(|route| Interface {
            kind: InterfaceKind::Metrics,
            path: Some(route.path.clone()),
            service: route.service.clone(),
            evidence: route.evidence.clone(),
        })
        .collect()
}

fn observability(sources: &Sources<'_>, services: &[Merged]) -> Vec<Observability> {
    let mut found: BTreeMap<Shown, Observability> = BTreeMap::new();
    for fact in &sources.facts.observability {
        if fact
            .evidence
            .iter()
            .any(|evidence| scope::scope_of(&evidence.path) == Scope::Production)
        {
            found
                .entry(fact.kind.clone())
                .or_insert_with(|| Observability {
                    evidence: Vec::new(),
                    ..fact.clone()
                })
                .evidence
                .extend(fact.evidence.iter().cloned());
        }
    }
    for package in of_packages(sources, services, Group::Observability) {
        let kind = Shown::from(package.technology.id);
        found
            .entry(kind.clone())
            .or_insert_with(|| Observability {
                kind,
                category: Shown::from(package.technology.category),
                evidence: Vec::new(),
            })
            .evidence
            .push(package.evidence.clone());
    }
    found
        .into_values()
        .map(|mut fact| {
            fact.evidence = tidy(fact.evidence);
            fact
        })
        .collect()
}

fn tidy(mut evidence: Vec<Evidence>) -> Vec<Evidence> {
    evidence.sort();
    evidence.dedup();
    evidence.truncate(12);
    evidence
}

/// Tells each unit of a stack which service or datastore of the inventory it is.
pub(crate) fn link_units(
    stacks: &mut [Stack],
    sources: &Sources<'_>,
    services: &[Merged],
    datastores: &[Datastore],
) {
    for (at, stack) in stacks.iter_mut().enumerate() {
        let original = sources.stacks.get(at);
        for (position, unit) in stack.units.iter_mut().enumerate() {
            unit.service = services
                .iter()
                .find(|merged| merged.has_unit((at, position)))
                .map(|merged| merged.service.id.clone());
            unit.datastore = None;
            let class = original.and_then(|stack| {
                Some(units::classify(
                    stack,
                    stack.units.get(position)?,
                    sources.own_images,
                ))
            });
            if let Some(UnitClass::Store(technology)) = class {
                unit.datastore = datastores
                    .iter()
                    .find(|store| store.kind == technology.id)
                    .map(|store| store.id.clone());
            }
        }
    }
}
