//! Head, summary and overview: the facts that their templates put into words.

use std::collections::BTreeMap;

use serde::Serialize;

use playbook_core::evidence::{Evidence, Scope};
use playbook_core::finding::Severity;
use playbook_core::harmless::CommandLine;
use playbook_core::inventory::{InterfaceKind, Project, ProjectRule, Role, Service};
use playbook_core::path::RelPath;
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Group};

use super::Given;
use super::given::hedge;
use super::risks::Risk;
use crate::context::{Compliance, Environment, Strategy};
use crate::target::Reason;

/// The head of the document.
#[derive(Debug, Serialize)]
pub(crate) struct Head<'a> {
    project: &'a Project,
    generated: String,
    date: String,
    version: &'static str,
}

pub(super) fn head<'a>(given: &Given<'a>) -> Head<'a> {
    let date = given.context.date.format("%Y-%m-%d").to_string();
    Head {
        project: &given.inventory.project,
        generated: format!("{date}T00:00:00Z"),
        date,
        version: env!("CARGO_PKG_VERSION"),
    }
}

/// The target and why it was chosen.
#[expect(
    clippy::struct_excessive_bools,
    reason = "the facts of the target's file, by name"
)]
#[derive(Debug, Serialize)]
pub(crate) struct TargetFacts<'a> {
    id: &'a str,
    name: &'a str,
    infrastructure_type: &'a str,
    cloud_provider: &'a str,
    as_of: &'a str,
    reason: Reason,
    evidence: &'a [Evidence],
    unavailable: Option<&'a str>,
    unavailable_evidence: &'a [Evidence],
    ephemeral_disk: bool,
    sets_port: bool,
    containers: bool,
    own_host: bool,
    overlap: u32,
    grace_seconds: u32,
    facts: &'a toml::Table,
}

pub(super) fn target<'a>(given: &Given<'a>) -> TargetFacts<'a> {
    let target = &given.context.target;
    let inference = &given.context.inference;
    TargetFacts {
        id: &target.id,
        name: &target.name,
        infrastructure_type: &target.infrastructure_type,
        cloud_provider: &target.cloud_provider,
        as_of: &target.as_of,
        reason: inference.reason,
        evidence: &inference.evidence,
        unavailable: inference.unavailable.as_ref().map(|(name, _)| name.as_str()),
        unavailable_evidence: inference
            .unavailable
            .as_ref()
            .map_or(&[], |(_, evidence)| evidence.as_slice()),
        ephemeral_disk: target.ephemeral_disk,
        sets_port: target.sets_port,
        containers: target.containers,
        own_host: target.own_host,
        overlap: target.overlap,
        grace_seconds: target.grace_seconds,
        facts: &target.facts,
    }
}

/// What the user says.
#[derive(Debug, Serialize)]
pub(crate) struct ContextFacts<'a> {
    environment: Environment,
    domain: Option<&'a Shown>,
    regions: &'a [Shown],
    replicas: Option<u32>,
    compliance: &'a [Compliance],
    budget: Option<&'a Shown>,
    existing: Option<&'a Shown>,
    hardware: Option<&'a Shown>,
    network: Option<&'a Shown>,
    team: Option<&'a Shown>,
    strategy: Option<Strategy>,
    slo: Option<&'a Shown>,
    rpo: Option<&'a Shown>,
}

pub(super) fn context<'a>(given: &Given<'a>) -> ContextFacts<'a> {
    let context = given.context;
    ContextFacts {
        environment: context.environment,
        domain: context.domain.as_ref(),
        regions: &context.regions,
        replicas: context.replicas,
        compliance: &context.compliance,
        budget: context.budget.as_ref(),
        existing: context.existing.as_ref(),
        hardware: context.hardware.as_ref(),
        network: context.network.as_ref(),
        team: context.team.as_ref(),
        strategy: context.strategy,
        slo: context.slo.as_ref(),
        rpo: context.rpo.as_ref(),
    }
}

/// The numbers and names of the summary.
#[derive(Debug, Serialize)]
pub(crate) struct Summary<'a> {
    findings: usize,
    blocker_count: usize,
    high_count: usize,
    blockers: Vec<Named<'a>>,
    high: Vec<Named<'a>>,
    medium: usize,
    low: usize,
    /// Blockers and high findings that a step or the platform settles.
    serious_settled: usize,
    serious: usize,
    /// The repository's own files that the plan drives.
    stack_files: &'a [RelPath],
}

/// Findings of one title, by their numbers.
#[derive(Debug, Serialize)]
struct Named<'a> {
    ids: Vec<String>,
    title: &'a Shown,
}

pub(super) fn summary<'a>(given: &Given<'a>, risks: &[Risk<'a>]) -> Summary<'a> {
    let of = |severity: Severity| risks.iter().filter(move |risk| risk.severity == severity);
    let named = |severity| {
        let mut list: Vec<Named<'a>> = Vec::new();
        for risk in of(severity) {
            match list.iter_mut().find(|named| named.title == risk.title) {
                Some(named) => named.ids.push(risk.id.clone()),
                None => list.push(Named {
                    ids: vec![risk.id.clone()],
                    title: risk.title,
                }),
            }
        }
        list
    };
    let (blockers, high) = (named(Severity::Blocker), named(Severity::High));
    Summary {
        findings: risks.len(),
        blocker_count: of(Severity::Blocker).count(),
        high_count: of(Severity::High).count(),
        serious: of(Severity::Blocker).chain(of(Severity::High)).count(),
        serious_settled: of(Severity::Blocker)
            .chain(of(Severity::High))
            .filter(|risk| risk.settled_by_target || !risk.settled_by.is_empty())
            .count(),
        blockers,
        high,
        medium: of(Severity::Medium).count(),
        low: of(Severity::Low).count(),
        stack_files: given.stack.map_or(&[], |stack| stack.files.as_slice()),
    }
}

/// What runs, what it needs, and what is not there.
#[derive(Debug, Serialize)]
pub(crate) struct Overview<'a> {
    deployable: bool,
    services: Vec<ServiceRow<'a>>,
    third_party: Vec<ServiceRow<'a>>,
    datastores: Vec<StoreRow<'a>>,
    external: Vec<ExternalRow<'a>>,
    nodes: Vec<Node<'a>>,
    edges: Vec<Edge>,
    /// Does anything answer clients?
    faces_clients: bool,
    auth: Vec<AuthRow<'a>>,
    interfaces: Vec<InterfaceRow<'a>>,
    /// Front ends that are built into the image of a service.
    built_in: Vec<BuiltIn<'a>>,
    /// Keys of what was looked for and not found.
    absent: Vec<&'static str>,
    development_stores: Vec<StoreRow<'a>>,
    development_files: Vec<&'a RelPath>,
    libraries_only: bool,
    /// Documents of the repository with rules of its own.
    rules: &'a [ProjectRule],
}

#[derive(Debug, Serialize)]
struct ServiceRow<'a> {
    name: &'a Shown,
    role: Role,
    path: &'a RelPath,
    language: Option<&'a Shown>,
    runtime: Option<&'a Shown>,
    runtime_version: Option<&'a Shown>,
    frameworks: Vec<&'a Shown>,
    image: Option<&'a Shown>,
    start: Option<&'a CommandLine>,
    start_hedge: Option<&'static str>,
    ports: &'a [u16],
    port_hedge: Option<&'static str>,
    port_variable: Option<&'a Shown>,
    needs: Vec<&'a Shown>,
    background: &'a [Shown],
    workers: Option<u32>,
    evidence: &'a [Evidence],
}

#[derive(Debug, Serialize)]
struct StoreRow<'a> {
    id: &'a Shown,
    kind: &'a Shown,
    role: &'a Shown,
    version: Option<&'a Shown>,
    image: Option<&'a Shown>,
    managed: Option<&'a Shown>,
    unit: Option<&'a Shown>,
    used_by: &'a [Shown],
    hedge: Option<&'static str>,
    evidence: &'a [Evidence],
}

#[derive(Debug, Serialize)]
struct ExternalRow<'a> {
    kind: &'a Shown,
    category: &'a Shown,
    variables: &'a [Shown],
    evidence: &'a [Evidence],
}

#[derive(Debug, Serialize)]
struct AuthRow<'a> {
    kind: &'a Shown,
    evidence: &'a [Evidence],
}

#[derive(Debug, Serialize)]
struct InterfaceRow<'a> {
    kind: InterfaceKind,
    path: Option<&'a Shown>,
    service: Option<&'a Shown>,
    evidence: &'a [Evidence],
}

/// A stage of another ecosystem inside a service's image.
#[derive(Debug, Serialize)]
struct BuiltIn<'a> {
    service: &'a Shown,
    base: &'a Shown,
    destination: Option<&'a Shown>,
    stage: Evidence,
    copied: Evidence,
}

/// A box of the diagram; `id` is ours, so that no name has to be a Mermaid identifier.
#[derive(Debug, Serialize)]
struct Node<'a> {
    id: String,
    kind: &'static str,
    name: &'a Shown,
    detail: Option<&'a Shown>,
    version: Option<&'a Shown>,
}

#[derive(Debug, Serialize)]
struct Edge {
    from: String,
    to: String,
    port: Option<u16>,
}

fn row<'a>(given: &Given<'a>, service: &'a Service) -> ServiceRow<'a> {
    ServiceRow {
        name: &service.name,
        role: service.role,
        path: &service.path,
        language: service.language.as_ref(),
        runtime: service.runtime.name.as_ref(),
        runtime_version: service.runtime.version.as_ref(),
        frameworks: frameworks(service),
        image: service.image.as_ref(),
        start: service
            .commands
            .start_resolved
            .as_ref()
            .or(service.commands.start.as_ref()),
        start_hedge: hedge(service.start_confidence),
        ports: &service.ports,
        port_hedge: (!service.ports.is_empty())
            .then(|| hedge(service.port_confidence))
            .flatten(),
        port_variable: service.port_variable.as_ref(),
        needs: service
            .depends_on
            .iter()
            .filter(|id| {
                given.inventory.service(id.as_str()).is_some()
                    || given.datastores.iter().any(|store| store.id == **id)
            })
            .collect(),
        background: &service.background,
        workers: service.workers,
        evidence: &service.evidence,
    }
}

fn store_row(store: &playbook_core::inventory::Datastore) -> StoreRow<'_> {
    StoreRow {
        id: &store.id,
        kind: &store.kind,
        role: &store.role,
        version: store.version.as_ref(),
        image: store.image.as_ref(),
        managed: store.managed.as_ref(),
        unit: store.unit.as_ref(),
        used_by: &store.used_by,
        hedge: hedge(store.confidence),
        evidence: &store.evidence,
    }
}

pub(super) fn overview<'a>(given: &Given<'a>) -> Overview<'a> {
    let (nodes, edges) = diagram(given);
    let inventory = given.inventory;
    Overview {
        deployable: given.deployable(),
        services: given.services.iter().map(|service| row(given, service)).collect(),
        third_party: given
            .third_party
            .iter()
            .map(|service| row(given, service))
            .collect(),
        datastores: given.datastores.iter().map(|store| store_row(store)).collect(),
        external: given
            .external
            .iter()
            .map(|service| ExternalRow {
                kind: &service.kind,
                category: &service.category,
                variables: &service.variables,
                evidence: &service.evidence,
            })
            .collect(),
        faces_clients: edges.iter().any(|edge| edge.from == "user"),
        nodes,
        edges,
        auth: inventory
            .auth
            .iter()
            .map(|auth| AuthRow {
                kind: &auth.kind,
                evidence: &auth.evidence,
            })
            .collect(),
        interfaces: inventory
            .interfaces
            .iter()
            .map(|interface| InterfaceRow {
                kind: interface.kind,
                path: interface.path.as_ref(),
                service: interface.service.as_ref(),
                evidence: &interface.evidence,
            })
            .collect(),
        built_in: built_in(given),
        absent: absent(given),
        development_stores: inventory
            .datastores
            .iter()
            .filter(|store| store.scope == Scope::Development)
            .map(store_row)
            .collect(),
        development_files: development_files(given),
        libraries_only: !given.deployable() && !inventory.manifests.is_empty(),
        rules: &inventory.project_rules,
    }
}

fn development_files<'a>(given: &Given<'a>) -> Vec<&'a RelPath> {
    let mut files: Vec<&RelPath> = given
        .inventory
        .stacks
        .iter()
        .filter(|stack| stack.scope == Scope::Development)
        .flat_map(|stack| &stack.files)
        .filter(|file| {
            // The base file of a development set may be a production file too.
            !given
                .inventory
                .stacks
                .iter()
                .any(|stack| stack.scope == Scope::Production && stack.files.contains(file))
        })
        .collect();
    files.sort();
    files.dedup();
    files
}

/// What a reader would look for, where the scanner covers it and found none.
fn absent(given: &Given<'_>) -> Vec<&'static str> {
    let inventory = given.inventory;
    let role = |role: &str| given.datastores.iter().any(|store| store.role == *role);
    let interface = |kind: InterfaceKind| {
        inventory
            .interfaces
            .iter()
            .any(|interface| interface.kind == kind)
    };
    let background = given
        .services
        .iter()
        .any(|service| !service.background.is_empty());
    [
        ("database", role("database")),
        (
            "workers",
            given.of_role(Role::Worker).next().is_some() || background,
        ),
        (
            "queues",
            role("queue") || role("stream") || given.of_role(Role::Worker).next().is_some(),
        ),
        ("caches", role("cache") || !inventory.caching.is_empty()),
        ("object-storage", role("object-storage")),
        ("scheduled-jobs", !inventory.scheduled_jobs.is_empty()),
        (
            "websockets",
            given.services.iter().any(|service| service.websocket) || interface(InterfaceKind::WebSocket),
        ),
        (
            "migrations",
            !inventory.migrations.is_empty() || !role("database"),
        ),
    ]
    .into_iter()
    .filter(|(_, present)| !present)
    .map(|(key, _)| key)
    .collect()
}

/// Stages of a service's Dockerfile that start from another ecosystem's image than the service's own and whose files
/// the last stage copies.
fn built_in<'a>(given: &Given<'a>) -> Vec<BuiltIn<'a>> {
    const NODE_IMAGES: &[&str] = &["node", "oven/bun", "denoland/deno"];
    let mut list = Vec::new();
    for service in &given.services {
        let own_script = service
            .language
            .as_ref()
            .is_some_and(|language| *language == "javascript" || *language == "typescript");
        let Some(container) = given
            .container_of(service)
            .filter(|_| !own_script && service.role == Role::Web)
        else {
            continue;
        };
        let last = container.stages.len().saturating_sub(1);
        for (at, stage) in container.stages.iter().enumerate() {
            let (Some(base), true) = (&stage.base, at < last) else {
                continue;
            };
            let name = base.as_str().split(['@', ':']).next().unwrap_or_default();
            if !NODE_IMAGES.contains(&name) {
                continue;
            }
            let copied = container
                .copies
                .iter()
                .find(|copy| copy.stage as usize == last && copy.from.is_some() && copy.from == stage.name);
            if let Some(copy) = copied {
                list.push(BuiltIn {
                    service: &service.name,
                    base,
                    destination: copy.destination.as_ref(),
                    stage: Evidence::at(&container.path, stage.line),
                    copied: Evidence::at(&container.path, copy.line),
                });
            }
        }
    }
    list
}

fn diagram<'a>(given: &Given<'a>) -> (Vec<Node<'a>>, Vec<Edge>) {
    let mut nodes: Vec<Node<'a>> = Vec::new();
    let mut ids: BTreeMap<&str, String> = BTreeMap::new();
    let proxies: Vec<&Service> = given
        .third_party
        .iter()
        .filter(|service| service.role == Role::Proxy && given.context.target.own_host)
        .copied()
        .collect();
    for service in proxies.iter().chain(&given.services) {
        let id = format!("s{}", nodes.len() + 1);
        ids.insert(service.id.as_str(), id.clone());
        nodes.push(Node {
            id,
            kind: if service.role == Role::Proxy {
                "proxy"
            } else {
                "service"
            },
            name: &service.name,
            detail: frameworks(service).first().copied().or(service.language.as_ref()),
            version: None,
        });
    }
    for store in &given.datastores {
        let id = format!("d{}", nodes.len() + 1);
        ids.insert(store.id.as_str(), id.clone());
        nodes.push(Node {
            id,
            kind: "datastore",
            name: store.unit.as_ref().unwrap_or(&store.id),
            detail: Some(&store.kind),
            version: store.version.as_ref(),
        });
    }
    let mut edges = Vec::new();
    let facing = |service: &Service| matches!(service.role, Role::Web | Role::Frontend | Role::Function);
    for service in given.services.iter().filter(|service| facing(service)) {
        let Some(to) = ids.get(service.id.as_str()) else {
            continue;
        };
        let port = service.ports.first().copied();
        if proxies.is_empty() {
            edges.push(Edge {
                from: "user".to_owned(),
                to: to.clone(),
                port,
            });
        }
        for proxy in &proxies {
            if let Some(from) = ids.get(proxy.id.as_str()) {
                edges.push(Edge {
                    from: from.clone(),
                    to: to.clone(),
                    port,
                });
            }
        }
    }
    for proxy in &proxies {
        if let Some(to) = ids.get(proxy.id.as_str()) {
            edges.push(Edge {
                from: "user".to_owned(),
                to: to.clone(),
                port: None,
            });
        }
    }
    for service in &given.services {
        let Some(from) = ids.get(service.id.as_str()) else {
            continue;
        };
        let used = given
            .datastores
            .iter()
            .filter(|store| store.used_by.contains(&service.id))
            .map(|store| &store.id);
        let mut needs: Vec<&Shown> = service.depends_on.iter().chain(used).collect();
        needs.sort();
        needs.dedup();
        for need in needs.into_iter().filter(|need| **need != service.id) {
            if let Some(to) = ids.get(need.as_str()) {
                let port = given
                    .inventory
                    .service(need.as_str())
                    .and_then(|service| service.ports.first().copied());
                edges.push(Edge {
                    from: from.clone(),
                    to: to.clone(),
                    port,
                });
            }
        }
    }
    // External services hang on the web service: which process calls them is not known for each of them.
    if let Some(from) = given.web().and_then(|web| ids.get(web.id.as_str())).cloned() {
        const MOST: usize = 8;
        for service in given.external.iter().take(MOST) {
            let id = format!("e{}", nodes.len() + 1);
            nodes.push(Node {
                id: id.clone(),
                kind: "external",
                name: &service.kind,
                detail: None,
                version: None,
            });
            edges.push(Edge {
                from: from.clone(),
                to: id,
                port: None,
            });
        }
    }
    (nodes, edges)
}
/// Its frameworks, those that fit its role first: what a web process is built with is not the queue that it fills.
fn frameworks(service: &Service) -> Vec<&Shown> {
    let fits = |slug: &&Shown| {
        let technology = Catalogue::get().find(Group::Framework, slug.as_str());
        technology
            .and_then(|technology| technology.framework.as_ref())
            .is_some_and(|framework| {
                framework.role == service.role.as_str()
                    || service.role == Role::Scheduler && framework.role == "worker"
            })
    };
    let (mut first, rest): (Vec<&Shown>, Vec<&Shown>) = service.frameworks.iter().partition(fits);
    first.extend(rest);
    first
}
