//! Section 7: what is reachable from outside, and how it is guarded.

use std::collections::BTreeMap;

use serde::Serialize;

use playbook_core::evidence::{Evidence, Scope};
use playbook_core::inventory::{
    CorsPolicy, EnvironmentVariable, Interface, InterfaceKind, PublishedPort, RateLimit, Role, Route, Signal,
    SignalKind, Upload,
};
use playbook_core::shown::Shown;

use super::edge::{EdgeFile, Preset};
use super::infrastructure::Infrastructure;
use super::services::{Neighbour, Services, Wired};
use super::ways::{self, Ways};
use super::{Given, Ledger};
use crate::rules::knowledge;

/// Rows of the table of prefixes at most; what is left is counted.
const MOST_PREFIXES: usize = 14;
/// Guarded paths that are named at most.
const MOST_GUARDED: usize = 8;

/// The decisions of section 7.
#[derive(Debug, Serialize)]
pub(crate) struct Ingress<'a> {
    /// As the inventory has them, for the parts around the sections.
    interfaces: &'a [Interface],
    cors: Vec<Cors<'a>>,
    routes: &'a [Route],
    /// Services with a way in from outside; the first takes the public name.
    pub(crate) public: Vec<Public<'a>>,
    prefixes: Vec<Prefix<'a>>,
    /// Routes below prefixes that the table leaves out.
    more_prefixes: usize,
    /// What must not be public.
    closed: Vec<Closed<'a>>,
    /// Their paths, as far as a proxy can shut them.
    shut: Vec<&'a Shown>,
    /// Ports of datastores, debuggers and the like that the stack publishes to everybody.
    leaking: Vec<Leak<'a>>,
    /// The repository's own proxies.
    proxies: Vec<Proxy<'a>>,
    /// What the repository's proxy files say.
    ways: Ways<'a>,
    /// Does this plan have to bring a proxy?
    brings_proxy: bool,
    /// Does this plan set security headers at the edge?
    sets_headers: bool,
    settings: Vec<Setting<'a>>,
    presets: Vec<Preset>,
    /// Paths that guess passwords or cost much.
    guarded: Vec<&'a Route>,
    /// Those of them that a proxy can match as they stand.
    limited: Vec<&'a Shown>,
    rate_limits: Vec<&'a Signal>,
    /// The same with where they keep their counters.
    limiters: &'a [RateLimit],
    /// What the code says of the files that requests bring.
    received: &'a [Upload],
    sockets: Vec<&'a Interface>,
    streams: Vec<&'a Interface>,
    uploads: Vec<&'a Interface>,
    grpc: Vec<&'a Interface>,
    graphql: Vec<&'a Interface>,
    webhooks: Vec<&'a Interface>,
    docs: Vec<&'a Interface>,
    metrics: Vec<&'a Interface>,
    admin: Vec<&'a Interface>,
    /// A route to ask for CORS.
    pub(crate) preflight: Option<&'a Route>,
    /// A variable that carries the front end's address or origin.
    origin_variables: Vec<&'a Shown>,
}

/// A service that is reached from outside.
#[derive(Debug, Serialize)]
pub(crate) struct Public<'a> {
    pub(crate) name: Shown,
    pub(crate) port: Option<u16>,
    /// Its place among the public services; the first takes the public name itself.
    first: bool,
    pub(crate) health: Option<&'a Shown>,
    domains: &'a [Shown],
    published: Vec<&'a PublishedPort>,
    pub(crate) websocket: bool,
    /// Does it answer gRPC and nothing else?
    grpc_only: bool,
    evidence: &'a [Evidence],
}

/// Routes that begin alike.
#[derive(Debug, Serialize)]
struct Prefix<'a> {
    prefix: Shown,
    service: Option<Shown>,
    methods: Vec<&'a Shown>,
    routes: usize,
    /// Routes that want authentication, that want none, and of which nothing is known.
    guarded: usize,
    open: usize,
    evidence: Vec<&'a Evidence>,
}

/// Something that people outside must not reach.
#[derive(Debug, Serialize)]
struct Closed<'a> {
    kind: &'static str,
    path: Option<&'a Shown>,
    service: Option<Shown>,
    evidence: &'a [Evidence],
}

/// A port that the stack publishes though nobody outside needs it.
#[derive(Debug, Serialize)]
struct Leak<'a> {
    name: Shown,
    port: &'a PublishedPort,
}

/// A proxy of the repository's stack.
#[derive(Debug, Serialize)]
struct Proxy<'a> {
    name: Shown,
    /// `traefik`, `nginx`, `caddy`, `haproxy`, `envoy` or nothing known.
    kind: Option<&'static str>,
    image: Option<&'a Shown>,
    published: Vec<&'a PublishedPort>,
    /// Does it keep certificates on a volume?
    mounts: Vec<&'a playbook_core::inventory::Mount>,
    /// Routers whose labels the stack sets, without those that already have middlewares.
    routers: Vec<Router>,
    evidence: &'a [Evidence],
}

#[derive(Debug, Serialize)]
struct Router {
    unit: Shown,
    name: Shown,
    evidence: Vec<Evidence>,
}

/// A variable that decides about the way in.
#[derive(Debug, Serialize)]
struct Setting<'a> {
    purpose: &'static str,
    name: &'a Shown,
    required: bool,
    default: Option<&'a Shown>,
    evidence: Vec<&'a Evidence>,
}

/// A CORS policy with what is wrong with it.
#[derive(Debug, Serialize)]
struct Cors<'a> {
    policy: &'a CorsPolicy,
    service: Option<Shown>,
    only_local: bool,
}

pub(super) fn build<'a>(
    given: &Given<'a>,
    infrastructure: &Infrastructure<'a>,
    services: &Services<'a>,
    edge: &EdgeFile,
    ledger: &mut Ledger,
) -> Ingress<'a> {
    let inventory = given.inventory;
    let names: BTreeMap<&str, &Shown> = services
        .processes
        .iter()
        .map(|process| (process.service.id.as_str(), &process.name))
        .collect();
    let name_of = |id: Option<&Shown>| id.and_then(|id| names.get(id.as_str()).map(|name| (*name).clone()));
    let of_kind = |kind: InterfaceKind| -> Vec<&'a Interface> {
        inventory
            .interfaces
            .iter()
            .filter(|interface| interface.kind == kind)
            .collect()
    };
    let public = public(given, services);
    let proxies = proxies(services);
    let (prefixes, more_prefixes) = prefixes(&outside(given, services), &name_of);
    let settings = settings(given, edge);
    let cors: Vec<Cors<'a>> = inventory
        .cors
        .iter()
        .map(|policy| Cors {
            policy,
            service: name_of(policy.service.as_ref()),
            only_local: policy.variables.is_empty()
                && !policy.wildcard
                && !policy.origins.is_empty()
                && policy.origins.iter().all(|origin| {
                    origin.as_str().contains("localhost") || origin.as_str().contains("127.0.0.1")
                }),
        })
        .collect();
    let guarded: Vec<&Route> = distinct_paths(inventory.routes.iter().filter(|route| {
        let path = route.path.as_str().to_ascii_lowercase();
        let mut parts = path.split(['/', '.', '_']);
        matches!(route.method.as_str(), "POST" | "PUT" | "PATCH" | "*")
            && parts.any(|part| {
                edge.guarded_words
                    .iter()
                    .any(|word| part == word || part.starts_with(&format!("{word}-")))
            })
    }))
    .into_iter()
    .take(MOST_GUARDED)
    .collect();
    let mut result = Ingress {
        shut: Vec::new(),
        interfaces: &inventory.interfaces,
        routes: &inventory.routes,
        sets_headers: given.context.target.own_host
            && (proxies.is_empty() || proxies.iter().any(|proxy| !proxy.routers.is_empty())),
        brings_proxy: given.context.target.own_host && proxies.is_empty() && !public.is_empty(),
        closed: closed(given, services, edge, &name_of),
        leaking: leaking(given, infrastructure, services),
        presets: presets(services),
        limiters: &inventory.rate_limits,
        received: &inventory.uploads,
        rate_limits: inventory
            .signals
            .iter()
            .filter(|signal| signal.kind == SignalKind::RateLimit && signal.scope == Scope::Production)
            .collect(),
        sockets: of_kind(InterfaceKind::WebSocket),
        streams: of_kind(InterfaceKind::ServerSentEvents),
        uploads: of_kind(InterfaceKind::Upload),
        grpc: of_kind(InterfaceKind::Grpc),
        graphql: of_kind(InterfaceKind::GraphQl),
        webhooks: of_kind(InterfaceKind::Webhook),
        docs: of_kind(InterfaceKind::ApiDocs),
        metrics: of_kind(InterfaceKind::Metrics),
        admin: of_kind(InterfaceKind::Admin),
        preflight: preflight(inventory.routes.as_slice(), &inventory.cors),
        origin_variables: inventory
            .cors
            .iter()
            .flat_map(|policy| &policy.variables)
            .collect(),
        public,
        prefixes,
        more_prefixes,
        proxies,
        ways: ways::build(given),
        settings,
        limited: guarded
            .iter()
            .filter(|route| is_plain(route))
            .map(|route| &route.path)
            .collect(),
        guarded,
        cors,
    };
    result.shut = result.closed_paths();
    ledger.condition(
        "has_websocket",
        given.services.iter().any(|service| service.websocket) || !result.sockets.is_empty(),
    );
    ledger.condition("has_cors", !inventory.cors.is_empty());
    ledger.condition("has_public", !result.public.is_empty());
    ledger.condition(
        "has_edge",
        !result.public.is_empty() || !result.proxies.is_empty(),
    );
    ledger.condition(
        "needs_ingress",
        given.stack.is_none() && result.public.iter().any(|public| public.port.is_some()),
    );
    ledger.condition("brings_proxy", result.brings_proxy);
    ledger.condition("has_own_proxy", !result.proxies.is_empty());
    result
}

impl<'a> Ingress<'a> {
    /// Paths that people outside must not reach, without documentation, whose owner may want it public.
    pub(crate) fn closed_paths(&self) -> Vec<&'a Shown> {
        self.closed
            .iter()
            .filter(|closed| matches!(closed.kind, "metrics" | "operator"))
            .filter_map(|closed| closed.path)
            .filter(|path| {
                path.as_str().starts_with('/')
                    && path
                        .as_str()
                        .chars()
                        .all(|c| c.is_ascii_alphanumeric() || "/-_.".contains(c))
            })
            .collect()
    }
}

/// Each path once.
fn distinct_paths<'a>(routes: impl Iterator<Item = &'a Route>) -> Vec<&'a Route> {
    let mut seen = std::collections::BTreeSet::new();
    routes.filter(|route| seen.insert(&route.path)).collect()
}

/// The routes that somebody outside can ask: where the stack or a proxy opens certain services, only theirs.
fn outside<'a>(given: &Given<'a>, services: &Services<'a>) -> Vec<&'a Route> {
    let opened: Vec<&Shown> = services
        .processes
        .iter()
        .filter(|process| is_opened(process))
        .map(|process| &process.service.id)
        .chain(
            given
                .inventory
                .proxies
                .iter()
                .flat_map(|proxy| &proxy.forwards)
                .filter_map(|forward| forward.service.as_ref()),
        )
        .collect();
    let own = |route: &&Route| {
        opened.is_empty()
            || route
                .service
                .as_ref()
                .is_none_or(|service| opened.contains(&service))
    };
    given.inventory.routes.iter().filter(own).collect()
}

/// Does the stack itself let somebody outside reach it?
fn is_opened(process: &Wired<'_>) -> bool {
    process.unit.is_some_and(|unit| {
        unit.ports.iter().any(|port| port.published && !is_loopback(port))
            || !unit.domains.is_empty()
            || unit
                .labels
                .iter()
                .any(|label| label.as_str().contains("traefik.http"))
    })
}

/// Services that answer requests from outside: those that the stack opens, else those that no other service calls.
fn public<'a>(given: &Given<'a>, services: &Services<'a>) -> Vec<Public<'a>> {
    let candidates: Vec<&Wired<'a>> = services
        .processes
        .iter()
        .filter(|process| process.long_running && matches!(process.service.role, Role::Web | Role::Frontend))
        .collect();
    let called = |process: &Wired<'a>| {
        given
            .services
            .iter()
            .any(|other| other.id != process.service.id && other.depends_on.contains(&process.service.id))
    };
    let mut chosen: Vec<&Wired<'a>> = candidates
        .iter()
        .filter(|process| is_opened(process))
        .copied()
        .collect();
    if chosen.is_empty() {
        chosen = candidates
            .iter()
            .filter(|process| !called(process))
            .copied()
            .collect();
    }
    if chosen.is_empty() {
        chosen = candidates;
    }
    // The one with a port and most to say takes the public name.
    chosen.sort_by_key(|process| {
        (
            process.port.is_none(),
            process.service.role != Role::Web,
            std::cmp::Reverse(
                given
                    .inventory
                    .routes
                    .iter()
                    .filter(|route| route.service.as_ref() == Some(&process.service.id))
                    .count(),
            ),
        )
    });
    chosen
        .into_iter()
        .enumerate()
        .map(|(at, process)| Public {
            name: process.name.clone(),
            port: process.port,
            first: at == 0,
            health: process.health_path,
            domains: process
                .unit
                .map(|unit| unit.domains.as_slice())
                .unwrap_or_default(),
            published: process
                .unit
                .map(|unit| unit.ports.iter().filter(|port| port.published).collect())
                .unwrap_or_default(),
            websocket: process.service.websocket,
            grpc_only: given.inventory.interfaces.iter().any(|interface| {
                interface.kind == InterfaceKind::Grpc
                    && interface.service.as_ref() == Some(&process.service.id)
            }) && !given
                .inventory
                .routes
                .iter()
                .any(|route| route.service.as_ref() == Some(&process.service.id)),
            evidence: &process.service.evidence,
        })
        .collect()
}

fn is_loopback(port: &PublishedPort) -> bool {
    port.address
        .as_ref()
        .is_some_and(|address| matches!(address.as_str(), "127.0.0.1" | "::1" | "localhost"))
}

/// The beginning that routes share: one part, or two or three where the first is a version or a usual prefix.
fn prefix_of(path: &str) -> String {
    let mut prefix = String::new();
    for part in path.split('/').filter(|part| !part.is_empty()) {
        if part.starts_with(['{', ':', '<', '*', '[', '(']) {
            break;
        }
        prefix.push('/');
        prefix.push_str(part);
        let version = part
            .strip_prefix('v')
            .is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit() || c == '.'));
        if !(version || part == "api" || part == "rest") {
            break;
        }
    }
    if prefix.is_empty() { "/".to_owned() } else { prefix }
}

fn prefixes<'a>(
    routes: &[&'a Route],
    name_of: &dyn Fn(Option<&Shown>) -> Option<Shown>,
) -> (Vec<Prefix<'a>>, usize) {
    let mut groups: BTreeMap<(String, Option<Shown>), Vec<&'a Route>> = BTreeMap::new();
    for route in routes.iter().copied() {
        let service = name_of(route.service.as_ref());
        groups
            .entry((prefix_of(route.path.as_str()), service))
            .or_default()
            .push(route);
    }
    let mut list: Vec<Prefix<'a>> = groups
        .into_iter()
        .filter_map(|((prefix, service), routes)| {
            let prefix =
                playbook_core::harmless::UrlPath::parse(playbook_core::raw::Raw::new(&prefix))?.into();
            let mut methods: Vec<&Shown> = routes.iter().map(|route| &route.method).collect();
            methods.sort();
            methods.dedup();
            Some(Prefix {
                prefix,
                service,
                methods,
                routes: routes.len(),
                guarded: routes
                    .iter()
                    .filter(|route| route.authenticated == Some(true))
                    .count(),
                open: routes
                    .iter()
                    .filter(|route| route.authenticated == Some(false))
                    .count(),
                evidence: routes
                    .iter()
                    .filter_map(|route| route.evidence.first())
                    .take(1)
                    .collect(),
            })
        })
        .collect();
    // The largest ones, then in the order of their paths.
    let all: usize = list.iter().map(|prefix| prefix.routes).sum();
    if list.len() > MOST_PREFIXES {
        list.sort_by(|a, b| b.routes.cmp(&a.routes).then_with(|| a.prefix.cmp(&b.prefix)));
        list.truncate(MOST_PREFIXES);
        list.sort_by(|a, b| a.prefix.cmp(&b.prefix).then_with(|| a.service.cmp(&b.service)));
    }
    let shown: usize = list.iter().map(|prefix| prefix.routes).sum();
    (list, all.saturating_sub(shown))
}

fn closed<'a>(
    given: &Given<'a>,
    services: &Services<'a>,
    edge: &EdgeFile,
    name_of: &dyn Fn(Option<&Shown>) -> Option<Shown>,
) -> Vec<Closed<'a>> {
    let mut list: Vec<Closed<'a>> = Vec::new();
    for interface in &given.inventory.interfaces {
        let kind = match interface.kind {
            InterfaceKind::Metrics => "metrics",
            InterfaceKind::Admin => "admin",
            InterfaceKind::ApiDocs => "docs",
            _ => continue,
        };
        list.push(Closed {
            kind,
            path: interface.path.as_ref(),
            service: name_of(interface.service.as_ref()),
            evidence: &interface.evidence,
        });
    }
    for route in distinct_paths(given.inventory.routes.iter()) {
        let operator = route
            .path
            .as_str()
            .split('/')
            .any(|part| edge.operator_words.iter().any(|word| part == word));
        let known = list
            .iter()
            .any(|closed| closed.path.is_some_and(|path| *path == route.path));
        if operator && !known && route.authenticated != Some(true) {
            list.push(Closed {
                kind: "operator",
                path: Some(&route.path),
                service: name_of(route.service.as_ref()),
                evidence: &route.evidence,
            });
        }
    }
    for neighbour in &services.third_party {
        let console = neighbour.service.image.as_ref().is_some_and(|image| {
            knowledge::get()
                .admin_images
                .iter()
                .any(|known| image.as_str().contains(known))
        });
        if console || matches!(neighbour.service.role, Role::Tool | Role::Monitoring) {
            list.push(Closed {
                kind: if console { "console" } else { "tool" },
                path: None,
                service: Some(neighbour.name.clone()),
                evidence: &neighbour.service.evidence,
            });
        }
    }
    list
}

/// Published ports of datastores, and of processes that nobody outside needs.
fn leaking<'a>(
    given: &Given<'a>,
    infrastructure: &Infrastructure<'a>,
    services: &Services<'a>,
) -> Vec<Leak<'a>> {
    let open = |unit: &'a playbook_core::inventory::Unit| {
        unit.ports
            .iter()
            .filter(|port| port.published && !is_loopback(port))
    };
    let mut list: Vec<Leak<'a>> = Vec::new();
    for store in &infrastructure.stores {
        if let Some(unit) = given.unit_of_store(store.store) {
            list.extend(open(unit).map(|port| Leak {
                name: unit.name.clone(),
                port,
            }));
        }
    }
    let internal =
        |neighbour: &&Neighbour<'a>| neighbour.service.role != Role::Proxy && !neighbour.left_out();
    for neighbour in services.third_party.iter().filter(internal) {
        if let Some(unit) = neighbour.unit {
            list.extend(open(unit).map(|port| Leak {
                name: neighbour.name.clone(),
                port,
            }));
        }
    }
    list
}

fn proxies<'a>(services: &Services<'a>) -> Vec<Proxy<'a>> {
    const KINDS: &[&str] = &["traefik", "nginx", "caddy", "haproxy", "envoy", "apache", "httpd"];
    services
        .third_party
        .iter()
        .filter(|neighbour| neighbour.service.role == Role::Proxy)
        .map(|neighbour| {
            let kind = neighbour
                .service
                .image
                .as_ref()
                .and_then(|image| KINDS.iter().find(|kind| image.as_str().contains(**kind)).copied());
            Proxy {
                name: neighbour.name.clone(),
                kind,
                image: neighbour.service.image.as_ref(),
                published: neighbour
                    .unit
                    .map(|unit| unit.ports.iter().filter(|port| port.published).collect())
                    .unwrap_or_default(),
                mounts: neighbour
                    .unit
                    .map(|unit| unit.mounts.iter().collect())
                    .unwrap_or_default(),
                routers: if kind == Some("traefik") {
                    routers(services)
                } else {
                    Vec::new()
                },
                evidence: &neighbour.service.evidence,
            }
        })
        .collect()
}

/// Traefik's routers as labels of the stack name them, without those that have middlewares already.
fn routers(services: &Services<'_>) -> Vec<Router> {
    let mut list = Vec::new();
    for process in &services.processes {
        let Some(unit) = process.unit else { continue };
        let labels: Vec<&str> = unit.labels.iter().map(Shown::as_str).collect();
        let mut names: Vec<&str> = labels
            .iter()
            .filter_map(|label| label.strip_prefix("traefik.http.routers.")?.split('.').next())
            .filter(|name| {
                !name.is_empty()
                    && name
                        .chars()
                        .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
            })
            .collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let tls = labels
                .iter()
                .any(|label| label.starts_with(&format!("traefik.http.routers.{name}.tls")));
            let taken = labels
                .iter()
                .any(|label| *label == format!("traefik.http.routers.{name}.middlewares"));
            let shown = playbook_core::harmless::Name::parse(playbook_core::raw::Raw::new(name));
            if let (true, false, Some(shown)) = (tls, taken, shown) {
                list.push(Router {
                    unit: process.name.clone(),
                    name: shown.into(),
                    evidence: unit.evidence.clone(),
                });
            }
        }
    }
    list
}

fn settings<'a>(given: &Given<'a>, edge: &EdgeFile) -> Vec<Setting<'a>> {
    // The narrower purpose stands before the wider one: the first that fits counts.
    const PURPOSES: &[&str] = &[
        "proxy",
        "hsts",
        "cookie",
        "cookie-scope",
        "csrf",
        "https",
        "cors-detail",
        "cors",
        "address",
        "rate",
        "limit",
    ];
    let mut list: Vec<Setting<'a>> = given
        .variables
        .iter()
        .filter(|variable| !variable.secret)
        .filter_map(|variable| {
            let variable: &'a EnvironmentVariable = variable;
            let of_cors = given
                .inventory
                .cors
                .iter()
                .any(|policy| policy.variables.contains(&variable.name));
            let purpose = if of_cors && !edge.is_for("cors-detail", variable.name.as_str()) {
                "cors"
            } else {
                let purpose = edge.purpose(variable, PURPOSES)?;
                PURPOSES.iter().find(|known| **known == purpose)?
            };
            Some(Setting {
                purpose,
                name: &variable.name,
                required: variable.required,
                default: variable.default.as_ref(),
                evidence: variable.evidence.iter().take(2).collect(),
            })
        })
        .collect();
    let rank = |purpose: &str| PURPOSES.iter().position(|known| *known == purpose);
    list.sort_by(|a, b| {
        rank(a.purpose)
            .cmp(&rank(b.purpose))
            .then_with(|| a.name.cmp(b.name))
    });
    list
}

fn presets(services: &Services<'_>) -> Vec<Preset> {
    let mut list: Vec<Preset> = Vec::new();
    for process in services
        .processes
        .iter()
        .filter(|process| matches!(process.service.role, Role::Web))
    {
        for preset in process.presets() {
            if !list.iter().any(|known| known.is_same(preset)) {
                list.push(preset.clone());
            }
        }
    }
    list
}

/// Has the path no places to fill?
pub(crate) fn is_plain(route: &Route) -> bool {
    route.complete
        && route.path.as_str().starts_with('/')
        && !route.path.as_str().contains([
            '{', '}', ':', '<', '>', '*', '[', ']', '(', ')', '$', '?', ' ', '\'', '"', '\\', '`', '^', '|',
        ])
}

/// A route that is there for other origins: of the service with the policy, without places to fill.
fn preflight<'a>(routes: &'a [Route], policies: &[CorsPolicy]) -> Option<&'a Route> {
    if policies.is_empty() {
        return None;
    }
    let of_policy = |route: &Route| {
        policies
            .iter()
            .any(|policy| policy.service.is_none() || policy.service == route.service)
    };
    let rank = |route: &&Route| {
        (
            !matches!(route.method.as_str(), "GET" | "POST"),
            route.path == "/",
            route.path.as_str().contains("health"),
            route.authenticated != Some(true),
            route.path.as_str().len(),
        )
    };
    routes
        .iter()
        .filter(|route| is_plain(route) && of_policy(route))
        .min_by_key(rank)
}
