//! What the repository's own proxies do with requests: where they send them, and which they refuse.

use std::collections::BTreeMap;

use playbook_core::evidence::{Confidence, Evidence, Scope};
use playbook_core::finding::Severity;
use playbook_core::inventory::{
    InterfaceKind, Inventory, Proxy, ProxyForward, ProxySetting, ProxySettingKind, Role, Service,
};
use playbook_core::path::RelPath;
use playbook_core::shown::Shown;

use super::facts::{self, Context, code};
use super::knowledge;
use crate::rule::{Findings, Rule};

pub(super) const RULES: &[&Rule] = &[&PORT_MISMATCH, &BODY_LIMIT, &NO_UPGRADE, &OLD_TLS, &EXPOSES_TOOL];

/// Proxies whose targets are processes; the others name a Service of a cluster, whose port is another one.
const TO_PROCESSES: [&str; 5] = ["caddy", "envoy", "haproxy", "nginx", "traefik"];

/// The largest body that nginx lets through where nothing is set, in bytes.
const NGINX_DEFAULT: u64 = 1 << 20;

/// Proxies of production that send requests to processes.
fn proxies(inventory: &Inventory) -> impl Iterator<Item = &Proxy> {
    inventory.proxies.iter().filter(|proxy| {
        proxy.scope == Scope::Production && TO_PROCESSES.iter().any(|kind| proxy.kind == *kind)
    })
}

fn service_of<'a>(inventory: &'a Inventory, forward: &ProxyForward) -> Option<&'a Service> {
    inventory.service(forward.service.as_ref()?.as_str())
}

static PORT_MISMATCH: Rule = Rule {
    id: "proxy-port-mismatch",
    severity: Severity::High,
    section: 7,
    title: "A proxy sends requests to a port on which the process does not listen",
    why: "The connection is refused and clients get an answer of the 502 kind.",
    fix: "Use one number in the proxy's file and for the process.",
    check: port_mismatch,
};

fn port_mismatch(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for proxy in proxies(inventory) {
        for forward in &proxy.forwards {
            let (Some(service), Some(port), Some(target)) =
                (service_of(inventory, forward), forward.port, &forward.target)
            else {
                continue;
            };
            // Every unit of that name, in whatever stack, may be the target.
            let units: Vec<_> = facts::units_of(inventory, service)
                .into_iter()
                .map(|(_, unit)| unit)
                .filter(|unit| unit.name == *target)
                .collect();
            let decided_elsewhere = units.iter().any(|unit| {
                unit.command.is_some()
                    || unit.variables.iter().any(|variable| {
                        variable.name == "PORT" || service.port_variable.as_ref() == Some(&variable.name)
                    })
            });
            let listens = service.ports.contains(&port)
                || units
                    .iter()
                    .flat_map(|unit| &unit.ports)
                    .any(|known| known.container == port);
            let unknown = service.ports.is_empty() || service.port_confidence == Confidence::Convention;
            if listens || unknown || decided_elsewhere || !service.is_own() {
                continue;
            }
            let ports: Vec<Shown> = service
                .ports
                .iter()
                .map(|port| Shown::number(u64::from(*port)))
                .collect();
            findings
                .add(
                    Shown::fill(
                        "{} sends requests to {} on port {}, which listens on {}.",
                        &[
                            &proxy.kind,
                            &code(target),
                            &Shown::number(u64::from(port)),
                            &Shown::join(&ports, ", "),
                        ],
                    ),
                    forward
                        .evidence
                        .iter()
                        .cloned()
                        .chain(facts::start_place(service)),
                )
                .confidence(Confidence::Derived);
        }
    }
}

static BODY_LIMIT: Rule = Rule {
    id: "proxy-body-limit-too-small",
    severity: Severity::Medium,
    section: 7,
    title: "The proxy refuses requests that the application accepts",
    why: "The smallest limit on the way counts: larger uploads end with status 413 before the application sees them.",
    fix: "Set the proxy's body limit to the application's, on the path that takes uploads.",
    check: body_limit,
};

fn body_limit(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    let accepted = accepted_sizes(inventory);
    for proxy in proxies(inventory).filter(|proxy| !proxy.forwards.is_empty()) {
        let largest = limits(proxy).max_by_key(|(_, number)| *number);
        // Zero is no limit.
        if limits(proxy).any(|(_, number)| number == 0) {
            continue;
        }
        if let Some((setting, number)) = largest
            && let Some((name, size, place)) = accepted.iter().find(|(_, size, _)| *size > number)
        {
            findings
                .add(
                    Shown::fill(
                        "{} accepts {} bytes, {} sets {} in the proxy.",
                        &[
                            &code(name),
                            &Shown::number(*size),
                            &code(&setting.name),
                            &Shown::number(number),
                        ],
                    ),
                    setting.evidence.iter().cloned().chain([place.clone()]),
                )
                .confidence(Confidence::Derived);
        }
    }
    nginx_default(inventory, findings);
}

/// nginx without a limit of its own before a service that takes uploads.
fn nginx_default(inventory: &Inventory, findings: &mut Findings) {
    let mut files: BTreeMap<&RelPath, Vec<&Proxy>> = BTreeMap::new();
    for proxy in proxies(inventory).filter(|proxy| proxy.kind == "nginx") {
        files.entry(&proxy.path).or_default().push(proxy);
    }
    // One file may take in another, so a limit in any of them may hold for all.
    let set = files
        .values()
        .flatten()
        .any(|proxy| proxy.includes || limits(proxy).next().is_some());
    if set {
        return;
    }
    for proxies in files.values() {
        for forward in proxies.iter().flat_map(|proxy| &proxy.forwards) {
            let upload = inventory.interfaces.iter().find(|interface| {
                interface.kind == InterfaceKind::Upload
                    && interface.service.is_some()
                    && interface.service == forward.service
            });
            if let (Some(upload), Some(target)) = (upload, &forward.target) {
                findings.add(
                    Shown::fill(
                        "No `client_max_body_size` stands before {}, which takes uploads: nginx refuses more than {} bytes.",
                        &[&code(target), &Shown::number(NGINX_DEFAULT)],
                    ),
                    forward.evidence.iter().chain(&upload.evidence).cloned(),
                );
                break;
            }
        }
    }
}

fn limits(proxy: &Proxy) -> impl Iterator<Item = (&ProxySetting, u64)> {
    proxy
        .settings
        .iter()
        .filter(|setting| setting.kind == ProxySettingKind::BodySize)
        .filter_map(|setting| Some((setting, setting.number?)))
}

/// Sizes that variables of the application admit by default, largest first.
fn accepted_sizes(inventory: &Inventory) -> Vec<(&Shown, u64, Evidence)> {
    let words = &knowledge::get().upload_limit_words;
    let mut found: Vec<(&Shown, u64, Evidence)> = inventory
        .environment
        .iter()
        .filter(|variable| variable.scope == Scope::Production)
        .filter(|variable| words.iter().any(|word| variable.name.as_str().contains(word)))
        .filter_map(|variable| {
            let size = bytes(variable.name.as_str(), variable.default.as_ref()?.as_str())?;
            Some((&variable.name, size, variable.evidence.first()?.clone()))
        })
        .collect();
    found.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    found
}

/// The size that a value means: with its own unit, or with the one that the variable's name ends in.
fn bytes(name: &str, value: &str) -> Option<u64> {
    let digits: String = value.chars().take_while(char::is_ascii_digit).collect();
    let number: u64 = digits.parse().ok()?;
    let unit = value.get(digits.len()..)?.trim().to_ascii_lowercase();
    let factor = match unit.trim_end_matches("ib").trim_end_matches('b') {
        "k" => 1 << 10,
        "m" => 1 << 20,
        "g" => 1 << 30,
        "" => match name.rsplit('_').next() {
            Some("KB" | "KIB" | "KILOBYTES") => 1 << 10,
            Some("MB" | "MIB" | "MEGABYTES") => 1 << 20,
            // A bare number below this is a count of something else.
            _ if number >= 1 << 16 => 1,
            _ => return None,
        },
        _ => return None,
    };
    number.checked_mul(factor)
}

static NO_UPGRADE: Rule = Rule {
    id: "proxy-websocket-not-upgraded",
    severity: Severity::High,
    section: 7,
    title: "The proxy before a WebSocket does not pass the upgrade on",
    why: "nginx drops the `Upgrade` header unless it is told to send it, so the handshake fails and clients fall back or give up.",
    fix: "On the location of the socket: `proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection \"upgrade\";`.",
    check: no_upgrade,
};

fn no_upgrade(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    let mut ways: BTreeMap<(&RelPath, &Shown), Vec<(&Proxy, &ProxyForward)>> = BTreeMap::new();
    for proxy in proxies(inventory).filter(|proxy| proxy.kind == "nginx") {
        for forward in &proxy.forwards {
            if let Some(service) = &forward.service {
                ways.entry((&proxy.path, service))
                    .or_default()
                    .push((proxy, forward));
            }
        }
    }
    for ((_, service), ways) in ways {
        let socket = inventory.interfaces.iter().find(|interface| {
            interface.kind == InterfaceKind::WebSocket && interface.service.as_ref() == Some(service)
        });
        let passed = ways
            .iter()
            .any(|(proxy, forward)| forward.upgrade || proxy.includes);
        if let (Some(socket), false, Some((_, forward))) = (socket, passed, ways.first()) {
            findings.add(
                Shown::fill("{} has a WebSocket behind nginx.", &[&code(service)]),
                forward.evidence.iter().chain(&socket.evidence).cloned(),
            );
        }
    }
}

static OLD_TLS: Rule = Rule {
    id: "proxy-old-tls",
    severity: Severity::Medium,
    section: 7,
    title: "The proxy accepts versions of TLS that are withdrawn",
    why: "TLS 1.0 and 1.1 were withdrawn by RFC 8996; clients can be talked down to them.",
    fix: "Accept TLS 1.2 and 1.3 only: `ssl_protocols TLSv1.2 TLSv1.3;`.",
    check: old_tls,
};

fn old_tls(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for proxy in proxies(inventory) {
        for setting in &proxy.settings {
            let old = setting.kind == ProxySettingKind::TlsVersion
                && setting.value.as_ref().is_some_and(|value| {
                    value
                        .as_str()
                        .split(' ')
                        .any(|version| matches!(version, "SSLv2" | "SSLv3" | "TLSv1" | "TLSv1.0" | "TLSv1.1"))
                });
            if old && let Some(value) = &setting.value {
                findings.add(
                    Shown::fill("{} is {}.", &[&code(&setting.name), &code(value)]),
                    setting.evidence.iter().cloned(),
                );
            }
        }
    }
}

static EXPOSES_TOOL: Rule = Rule {
    id: "proxy-exposes-tool",
    severity: Severity::High,
    section: 7,
    title: "The proxy leads the public to a datastore, a monitor or a console",
    why: "Such interfaces have weak sign-ins or none; a name in front of them makes them easy to find.",
    fix: "Take the virtual host out of production, or admit known addresses only.",
    check: exposes_tool,
};

fn exposes_tool(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    // Labels of containers are judged with their units.
    for proxy in proxies(inventory).filter(|proxy| proxy.kind != "traefik") {
        let guarded = proxy
            .settings
            .iter()
            .any(|setting| setting.kind == ProxySettingKind::Access);
        for forward in proxy.forwards.iter().filter(|_| !guarded) {
            let Some(target) = &forward.target else { continue };
            let unit = facts::production_units(inventory)
                .map(|(_, unit)| unit)
                .find(|unit| unit.name == *target);
            let monitor =
                service_of(inventory, forward).is_some_and(|service| service.role == Role::Monitoring);
            let console = unit.and_then(|unit| unit.image.as_ref()).is_some_and(|image| {
                knowledge::get()
                    .admin_images
                    .iter()
                    .any(|part| image.as_str().contains(part))
            });
            let store = unit.is_some_and(|unit| unit.datastore.is_some());
            // Objects in a store may be there for everybody.
            let objects = unit
                .and_then(|unit| facts::datastore_of(inventory, unit))
                .is_some_and(|store| store.role == "object-storage");
            if monitor || console || store && !objects {
                findings.add(
                    Shown::fill("{} passes requests on to {}.", &[&proxy.kind, &code(target)]),
                    forward.evidence.iter().cloned(),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use playbook_core::evidence::Confidence;
    use playbook_core::inventory::{
        Interface, InterfaceKind, Inventory, Proxy, ProxyForward, ProxySetting, ProxySettingKind, Role,
    };
    use playbook_core::shown::Shown;

    use crate::rules::testing::{inventory, place, run, way_in, web};

    fn nginx(port: u16, settings: Vec<ProxySetting>) -> Proxy {
        Proxy {
            listens: vec![80],
            forwards: vec![ProxyForward {
                path: None,
                target: Some(Shown::from("api")),
                port: Some(port),
                service: Some(Shown::from("api")),
                upgrade: false,
                evidence: vec![place("nginx.conf", 4)],
            }],
            settings,
            ..way_in("nginx", "nginx.conf")
        }
    }

    fn setting(kind: ProxySettingKind, value: &'static str, number: Option<u64>) -> ProxySetting {
        ProxySetting {
            kind,
            name: Shown::from("directive"),
            value: Some(Shown::from(value)),
            number,
            path: None,
            evidence: vec![place("nginx.conf", 2)],
        }
    }

    fn before(proxy: Proxy, interface: Option<InterfaceKind>) -> Inventory {
        inventory(|inventory| {
            let mut api = web("serve");
            api.ports = vec![8000];
            api.port_confidence = Confidence::Stated;
            inventory.services = vec![api];
            inventory.proxies = vec![proxy];
            inventory.interfaces = interface
                .into_iter()
                .map(|kind| Interface {
                    kind,
                    path: None,
                    service: Some(Shown::from("api")),
                    evidence: vec![place("src/app", 7)],
                })
                .collect();
        })
    }

    #[test]
    fn a_port_on_which_nothing_listens() {
        let found = |port| {
            run(
                "proxy-port-mismatch",
                &before(nginx(port, Vec::new()), None),
                "compose",
            )
        };
        assert_eq!(found(8080).len(), 1);
        assert_eq!(found(8000), []);
    }

    #[test]
    fn uploads_behind_the_default_limit() {
        let found = |settings, interface| {
            run(
                "proxy-body-limit-too-small",
                &before(nginx(8000, settings), interface),
                "compose",
            )
        };
        assert_eq!(found(Vec::new(), Some(InterfaceKind::Upload)).len(), 1);
        assert_eq!(found(Vec::new(), None), []);
        let limit = setting(ProxySettingKind::BodySize, "20m", Some(20 << 20));
        assert_eq!(found(vec![limit], Some(InterfaceKind::Upload)), []);
    }

    #[test]
    fn sizes_with_their_units() {
        assert_eq!(super::bytes("MAX_UPLOAD_SIZE", "10MB"), Some(10 << 20));
        assert_eq!(super::bytes("MAX_FILE_SIZE_MB", "25"), Some(25 << 20));
        assert_eq!(super::bytes("MAX_BODY", "5242880"), Some(5_242_880));
        assert_eq!(super::bytes("MAX_FILES", "5"), None);
    }

    #[test]
    fn a_socket_whose_upgrade_is_dropped() {
        let mut proxy = nginx(8000, Vec::new());
        let found = |proxy: &Proxy| {
            let inventory = before(proxy.clone(), Some(InterfaceKind::WebSocket));
            run("proxy-websocket-not-upgraded", &inventory, "compose").len()
        };
        assert_eq!(found(&proxy), 1);
        proxy.forwards[0].upgrade = true;
        assert_eq!(found(&proxy), 0);
    }

    #[test]
    fn a_console_with_a_public_name() {
        let found = |role| {
            let mut inventory = before(nginx(8000, Vec::new()), None);
            inventory.services[0].role = role;
            run("proxy-exposes-tool", &inventory, "compose").len()
        };
        assert_eq!(found(Role::Monitoring), 1);
        assert_eq!(found(Role::Web), 0);
    }

    #[test]
    fn withdrawn_versions_of_tls() {
        let found = |value| {
            let setting = setting(ProxySettingKind::TlsVersion, value, None);
            run(
                "proxy-old-tls",
                &before(nginx(8000, vec![setting]), None),
                "compose",
            )
            .len()
        };
        assert_eq!(found("TLSv1 TLSv1.2"), 1);
        assert_eq!(found("TLSv1.2 TLSv1.3"), 0);
    }
}
