//! Section 9: what can be seen of the running software, and what is missing.

use serde::Serialize;

use playbook_core::evidence::Evidence;
use playbook_core::inventory::{
    EnvironmentVariable, HealthCheck, InterfaceKind, Observability as Found, Role, Service, VariableOrigin,
};
use playbook_core::shown::Shown;

use super::infrastructure::process_name;
use super::operations::Words;
use super::{Given, Ledger};

/// The decisions of section 9.
#[derive(Debug, Serialize)]
pub(crate) struct Observability<'a> {
    signals: Vec<Signal<'a>>,
    /// Endpoints with metrics.
    metrics: Vec<Metrics<'a>>,
    services: Vec<Watched<'a>>,
    /// The path that an outside watcher asks for.
    uptime: Option<&'a Shown>,
    /// Third-party monitors that the repository's stack brings.
    monitors: Vec<Shown>,
}

/// One kind of signal: `logging`, `errors`, `metrics`, `tracing`.
#[derive(Debug, Serialize)]
struct Signal<'a> {
    category: &'static str,
    found: Vec<&'a Found>,
    switches: Vec<Switch<'a>>,
}

/// A variable that switches it.
#[derive(Debug, Serialize)]
struct Switch<'a> {
    name: &'a Shown,
    default: Option<&'a Shown>,
    services: &'a [Shown],
    evidence: Option<&'a Evidence>,
}

#[derive(Debug, Serialize)]
struct Metrics<'a> {
    path: Option<&'a Shown>,
    service: Option<&'a Shown>,
    evidence: &'a [Evidence],
}

/// A process with what can be asked of it.
#[derive(Debug, Serialize)]
struct Watched<'a> {
    name: Shown,
    role: Role,
    port: Option<u16>,
    health: &'a [HealthCheck],
    paths: &'a [Shown],
    /// Does its health come by gRPC?
    grpc: bool,
    language: Option<&'a Shown>,
    evidence: &'a [Evidence],
}

pub(super) fn build<'a>(given: &Given<'a>, words: &Words, ledger: &mut Ledger) -> Observability<'a> {
    let signals: Vec<Signal<'a>> = ["logging", "errors", "metrics", "tracing"]
        .into_iter()
        .map(|category| Signal {
            category,
            found: given
                .inventory
                .observability
                .iter()
                .filter(|found| found.category == category)
                .collect(),
            switches: switches(given, words, category),
        })
        .collect();
    let metrics: Vec<Metrics<'a>> = given
        .inventory
        .interfaces
        .iter()
        .filter(|interface| interface.kind == InterfaceKind::Metrics)
        .map(|interface| Metrics {
            path: interface.path.as_ref(),
            service: interface.service.as_ref(),
            evidence: &interface.evidence,
        })
        .collect();
    let has = |category: &str| {
        signals.iter().any(|signal| {
            signal.category == category && !(signal.found.is_empty() && signal.switches.is_empty())
        })
    };
    ledger.condition("has_metrics", has("metrics"));
    ledger.condition(
        "has_metrics_path",
        metrics.iter().any(|metrics| metrics.path.is_some()),
    );
    ledger.condition("has_tracing", has("tracing"));
    ledger.condition("has_error_tracking", has("errors"));
    let uptime = given.web().and_then(|web| {
        web.health_checks
            .iter()
            .find(|path| path.as_str().starts_with('/'))
    });
    ledger.condition("has_uptime_path", uptime.is_some());
    let mut seen = std::collections::BTreeSet::new();
    let mut services: Vec<&Service> = given.services.clone();
    // Of two processes that are the same unit, the one with more to ask of it.
    services.sort_by(|one, other| {
        let key = |service: &Service| (service.health_checks.is_empty(), service.ports.is_empty());
        one.name.cmp(&other.name).then_with(|| key(one).cmp(&key(other)))
    });
    Observability {
        signals,
        metrics,
        services: services
            .into_iter()
            .filter(|service| !matches!(service.role, Role::Job | Role::Function))
            .filter(|service| seen.insert(process_name(given, service)))
            .map(|service| Watched {
                name: process_name(given, service),
                role: service.role,
                port: service.ports.first().copied(),
                health: &service.health,
                paths: &service.health_checks,
                grpc: given.inventory.interfaces.iter().any(|interface| {
                    interface.kind == InterfaceKind::Grpc && interface.service.as_ref() == Some(&service.id)
                }),
                language: service.language.as_ref(),
                evidence: &service.evidence,
            })
            .collect(),
        uptime,
        monitors: given
            .third_party
            .iter()
            .filter(|service| service.role == Role::Monitoring)
            .map(|service| process_name(given, service))
            .collect(),
    }
}

fn switches<'a>(given: &Given<'a>, words: &Words, category: &str) -> Vec<Switch<'a>> {
    given
        .variables
        .iter()
        .copied()
        .filter(|variable| words.category(variable.name.as_str()) == Some(category) && used(variable))
        .map(|variable| Switch {
            name: &variable.name,
            default: variable.default.as_ref(),
            services: &variable.services,
            evidence: variable
                .sites
                .iter()
                .find(|site| site.origin == VariableOrigin::Code)
                .and_then(|site| site.evidence.first())
                .or(variable.evidence.first()),
        })
        .collect()
}

fn used(variable: &EnvironmentVariable) -> bool {
    variable
        .sites
        .iter()
        .any(|site| !matches!(site.origin, VariableOrigin::Document | VariableOrigin::Ci))
}
