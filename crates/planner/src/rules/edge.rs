//! What can be reached from outside.

use playbook_core::evidence::{Confidence, Evidence};
use playbook_core::finding::Severity;
use playbook_core::inventory::{InterfaceKind, Inventory, PublishedPort, SignalKind, Stack, Unit};
use playbook_core::shown::Shown;

use super::access::open_ports;
use super::facts::{self, Context, code};
use super::{knowledge, support};
use crate::rule::{Findings, Rule};

pub(super) const RULES: &[&Rule] = &[
    &DATASTORE_PUBLIC,
    &ADMIN_PUBLIC,
    &DEBUG_PORT,
    &ENGINE_SOCKET,
    &PRIVILEGED,
    &API_DOCS,
    &METRICS,
    &CORS_CREDENTIALS,
    &CORS_PATTERN,
    &CORS_LOCALHOST,
    &PLAIN_HTTP,
    &PROXY_UNTRUSTED,
    &TLS_OFF,
    &PASSWORD_HASH,
    &PERSONAL_DATA,
];

static DATASTORE_PUBLIC: Rule = Rule {
    id: "db-port-public",
    severity: Severity::High,
    section: 7,
    title: "A datastore's port is open to other machines",
    why: "Published ports pass by the host's firewall rules: whoever reaches the host may try passwords, or needs none.",
    fix: "Drop the mapping, services of the stack reach it by name; for administration map it to `127.0.0.1` only.",
    check: datastore_public,
};

fn datastore_public(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for (_, unit) in facts::production_units(inventory).filter(|(stack, _)| publishes_to_host(stack)) {
        let Some(technology) = support::engine(inventory, unit) else {
            continue;
        };
        let ports: Vec<&PublishedPort> = open_ports(unit).collect();
        if ports.is_empty() {
            continue;
        }
        let numbers: Vec<Shown> = ports
            .iter()
            .map(|port| Shown::number(u64::from(port.host.unwrap_or(port.container))))
            .collect();
        findings.add(
            Shown::fill(
                "{} ({}) is published on {} of every address.",
                &[
                    &code(&unit.name),
                    &Shown::from(technology.name),
                    &Shown::join(&numbers, ", "),
                ],
            ),
            ports.iter().flat_map(|port| port.evidence.iter().cloned()),
        );
    }
}

/// Does a published port of the stack mean a port of a host?
fn publishes_to_host(stack: &Stack) -> bool {
    facts::on_own_host(stack)
        || stack.kind == "kubernetes"
        || stack.kind == "helm"
        || stack.kind == "kustomize"
}

static ADMIN_PUBLIC: Rule = Rule {
    id: "admin-ui-public",
    severity: Severity::High,
    section: 7,
    title: "A tool that shows or changes data is open to other machines",
    why: "Such tools have weak sign-ins or none; one guess gives everything behind them.",
    fix: "Leave it out of production, or reach it through a tunnel.",
    check: admin_public,
};

fn admin_public(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for (_, unit) in facts::production_units(inventory) {
        let Some(image) = unit.image.as_ref().and_then(facts::image) else {
            continue;
        };
        let name = image.without_tag();
        let management = image.repository().ends_with("rabbitmq")
            && image.tag().is_some_and(|tag| tag.contains("management"));
        let console = unit
            .ports
            .iter()
            .any(|port| matches!(port.container, 15672 | 9001) && port.published)
            && management;
        if !console
            && !knowledge::get()
                .admin_images
                .iter()
                .any(|part| name.rsplit('/').next().is_some_and(|last| last.contains(part)))
        {
            continue;
        }
        let ports: Vec<Evidence> = open_ports(unit)
            .filter(|port| !management || port.container == 15672)
            .flat_map(|port| port.evidence.iter().cloned())
            .collect();
        // A proxy finds its services by labels.
        let labelled = unit.labels.iter().any(|label| {
            label.as_str().starts_with("traefik.http.routers") || label.as_str().starts_with("caddy")
        });
        if ports.is_empty() && !labelled && unit.domains.is_empty() {
            continue;
        }
        findings.add(
            Shown::fill(
                "{} (`{}`) can be reached from outside.",
                &[&code(&unit.name), &Shown::from(&image)],
            ),
            unit.evidence.iter().cloned().chain(ports),
        );
    }
}

static DEBUG_PORT: Rule = Rule {
    id: "debug-port-published",
    severity: Severity::High,
    section: 7,
    title: "A debugger's port is open",
    why: "Whoever connects runs any code in the process.",
    fix: "Remove the mapping and the debugger's option from production.",
    check: debug_port,
};

fn debug_port(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for (_, unit) in facts::production_units(inventory) {
        for port in open_ports(unit) {
            let Some(known) = knowledge::get()
                .debug_ports
                .iter()
                .find(|known| known.port == port.container)
            else {
                continue;
            };
            // The number alone may be anything: only a unit of the repository's own code is debugged.
            if unit.service.is_none() && unit.build.is_none() {
                continue;
            }
            findings
                .add(
                    Shown::fill(
                        "{} publishes {}, the port of {}.",
                        &[
                            &code(&unit.name),
                            &Shown::number(u64::from(port.container)),
                            &Shown::from(known.tool),
                        ],
                    ),
                    port.evidence.clone(),
                )
                .confidence(Confidence::Derived);
        }
    }
}

static ENGINE_SOCKET: Rule = Rule {
    id: "docker-socket-mounted",
    severity: Severity::High,
    section: 11,
    title: "A container holds the container engine's socket",
    why: "Whoever takes the container takes the host, also when the mount is read-only.",
    fix: "Do without it, or put a proxy before it that passes only the calls that are needed.",
    check: engine_socket,
};

fn engine_socket(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for (_, unit) in facts::production_units(inventory).filter(|(_, unit)| unit.engine_socket) {
        let mounts: Vec<_> = unit
            .mounts
            .iter()
            .filter(|mount| {
                mount
                    .source
                    .as_ref()
                    .is_some_and(|source| facts::has_extension(source.as_str(), "sock"))
            })
            .collect();
        // Read-only does not stop calls, but a tool that only lists containers is a usual and known risk.
        let read_only = !mounts.is_empty() && mounts.iter().all(|mount| mount.read_only);
        let places: Vec<Evidence> = mounts
            .iter()
            .flat_map(|mount| mount.evidence.iter().cloned())
            .chain(unit.evidence.iter().take(1).cloned())
            .collect();
        findings
            .add(Shown::fill("{} holds the socket.", &[&code(&unit.name)]), places)
            .severity(if read_only {
                Severity::Medium
            } else {
                Severity::High
            });
    }
}

static PRIVILEGED: Rule = Rule {
    id: "privileged-container",
    severity: Severity::High,
    section: 11,
    title: "A container has rights on the host",
    why: "A weakness in the program becomes one of the host.",
    fix: "Drop the option; add the one capability that is really needed.",
    check: |inventory, _, findings| {
        for (_, unit) in facts::production_units(inventory).filter(|(_, unit)| unit.privileged) {
            findings.add(
                Shown::fill(
                    "{} is privileged, adds capabilities or shares a namespace of the host.",
                    &[&code(&unit.name)],
                ),
                unit.evidence.clone(),
            );
        }
    },
};

fn interfaces(inventory: &Inventory, kind: InterfaceKind) -> Vec<&playbook_core::inventory::Interface> {
    inventory
        .interfaces
        .iter()
        .filter(|interface| interface.kind == kind)
        .collect()
}

static API_DOCS: Rule = Rule {
    id: "openapi-docs-public",
    severity: Severity::Low,
    section: 7,
    title: "The API's description is open to everybody",
    why: "It lists every route and type to people who look for a weak one.",
    fix: "Switch it off in production or put it behind a sign-in, unless the API is public.",
    check: |inventory, _, findings| exposed(inventory, findings, InterfaceKind::ApiDocs),
};

static METRICS: Rule = Rule {
    id: "metrics-public",
    severity: Severity::Medium,
    section: 9,
    title: "Metrics are served on the public port",
    why: "They tell names of routes, load and versions, and cost work for each call.",
    fix: "Serve them on a port of their own, or refuse the path at the proxy.",
    check: |inventory, _, findings| exposed(inventory, findings, InterfaceKind::Metrics),
};

fn exposed(inventory: &Inventory, findings: &mut Findings, kind: InterfaceKind) {
    for interface in interfaces(inventory, kind) {
        let guarded = interface.path.as_ref().is_some_and(|path| {
            inventory.routes.iter().any(|route| {
                route.path == *path && route.service == interface.service && route.authenticated == Some(true)
            })
        });
        if guarded
            || interface.service.as_ref().is_some_and(|id| {
                inventory
                    .service(id.as_str())
                    .is_some_and(|service| !service.is_own())
            })
        {
            continue;
        }
        let detail = match &interface.path {
            Some(path) => Shown::fill(
                "{} answers without a sign-in, as far as the code shows.",
                &[&code(path)],
            ),
            None => Shown::from("It answers without a sign-in, as far as the code shows."),
        };
        findings
            .add(detail, interface.evidence.clone())
            .confidence(Confidence::Derived);
    }
}

static CORS_CREDENTIALS: Rule = Rule {
    id: "cors-wildcard-credentials",
    severity: Severity::High,
    section: 7,
    title: "Any website may call the API from a visitor's browser",
    why: "With credentials, a page of anybody reads and changes data in the visitor's name, or browsers refuse the answer.",
    fix: "List the origins of the front ends.",
    check: cors_credentials,
};

fn cors_credentials(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for policy in inventory.cors.iter().filter(|policy| policy.wildcard) {
        findings
            .add(
                Shown::from(if policy.credentials {
                    "Every origin is admitted, with credentials."
                } else {
                    "Every origin is admitted. Without cookies this matters for answers that depend on the network or on a stored token."
                }),
                policy.evidence.clone(),
            )
            .severity(if policy.credentials { Severity::High } else { Severity::Medium });
    }
}

static CORS_PATTERN: Rule = Rule {
    id: "cors-regex-shared-domain",
    severity: Severity::High,
    section: 7,
    title: "Origins are admitted by a pattern, with credentials",
    why: "A pattern that is not anchored, or that covers a domain shared by many customers, admits pages of strangers.",
    fix: "List the origins, or anchor the pattern to the project's own names.",
    check: |inventory, _, findings| {
        for policy in inventory
            .cors
            .iter()
            .filter(|policy| policy.pattern && !policy.wildcard && policy.credentials)
        {
            findings
                .add(
                    Shown::from("Look at what the pattern admits."),
                    policy.evidence.clone(),
                )
                .severity(Severity::Medium)
                .confidence(Confidence::Derived);
        }
    },
};

static CORS_LOCALHOST: Rule = Rule {
    id: "cors-localhost-in-prod",
    severity: Severity::Medium,
    section: 7,
    title: "Pages of the visitor's own machine may call the API",
    why: "A program on that machine acts in the visitor's name; and where no other origin is set, the front end is refused.",
    fix: "Take the origins from the environment and leave localhost out in production.",
    check: |inventory, _, findings| {
        for policy in &inventory.cors {
            let local: Vec<&Shown> = policy
                .origins
                .iter()
                .filter(|origin| {
                    origin.as_str().contains("localhost") || origin.as_str().contains("127.0.0.1")
                })
                .collect();
            if !local.is_empty() && policy.variables.is_empty() {
                findings.add(
                    Shown::fill("The list holds {}.", &[&facts::list(local)]),
                    policy.evidence.clone(),
                );
            }
        }
    },
};

static PLAIN_HTTP: Rule = Rule {
    id: "http-without-tls",
    severity: Severity::Medium,
    section: 7,
    title: "The production stack serves plain HTTP",
    why: "Passwords, tokens and cookies can be read and changed on the way.",
    fix: "Put a proxy with certificates before it and publish only that.",
    check: plain_http,
};

fn plain_http(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for stack in facts::production_stacks(inventory).filter(|stack| publishes_to_host(stack)) {
        let tls = stack.units.iter().any(|unit| {
            !unit.domains.is_empty()
                || unit
                    .ports
                    .iter()
                    .any(|port| matches!(port.container, 443 | 8443) || port.host == Some(443))
                || unit.kind.as_str().eq_ignore_ascii_case("ingress")
                || unit.labels.iter().any(|label| label.as_str().contains("tls"))
        });
        if tls {
            continue;
        }
        let open: Vec<&Unit> = stack
            .units
            .iter()
            .filter(|unit| unit.profiles.is_empty() && open_ports(unit).next().is_some())
            .filter(|unit| {
                unit.service
                    .as_ref()
                    .and_then(|id| inventory.service(id.as_str()))
                    .is_some_and(|service| {
                        matches!(
                            service.role,
                            playbook_core::inventory::Role::Web
                                | playbook_core::inventory::Role::Frontend
                                | playbook_core::inventory::Role::Proxy
                        )
                    })
            })
            .collect();
        findings
            .add(
                Shown::fill(
                    "{} can be reached on an open port, and no unit of the stack ends TLS.",
                    &[&facts::list(open.iter().map(|unit| &unit.name))],
                ),
                // The last place of a port is the one that opens it: a Service comes after the container's own port.
                open.iter()
                    .flat_map(|unit| open_ports(unit).filter_map(|port| port.evidence.last().cloned())),
            )
            .confidence(Confidence::Derived);
    }
}

static PROXY_UNTRUSTED: Rule = Rule {
    id: "forwarded-headers-untrusted",
    severity: Severity::Medium,
    section: 7,
    title: "The application does not know that a proxy stands before it",
    why: "It takes the proxy's address for every client's and HTTP for the scheme: wrong redirects and links, one rate limit for all, useless logs.",
    fix: "Tell it which proxy's headers to trust.",
    check: proxy_untrusted,
};

fn proxy_untrusted(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    let knowledge = knowledge::get();
    if facts::signals(inventory, SignalKind::TrustsProxy).any(|signal| signal.service.is_none()) {
        return;
    }
    let mut names: Vec<&Shown> = Vec::new();
    let mut places: Vec<Evidence> = Vec::new();
    for service in facts::web_services(inventory) {
        let ignores = |name: &Shown| knowledge.frameworks_without_proxy_trust.contains(&name.as_str());
        if !service.frameworks.iter().any(ignores) {
            continue;
        }
        let text = facts::start_text(service);
        let trusts = facts::signals(inventory, SignalKind::TrustsProxy)
            .any(|signal| signal.service.as_ref() == Some(&service.id))
            || knowledge
                .proxy_trust_words
                .iter()
                .any(|words| text.contains(words))
            || knowledge
                .proxy_trust_variables
                .iter()
                .any(|name| inventory.variable(name).is_some())
            || facts::units_of(inventory, service).iter().any(|(_, unit)| {
                unit.variables
                    .iter()
                    .any(|variable| knowledge.proxy_trust_variables.contains(&variable.name.as_str()))
            });
        if !trusts {
            names.push(&service.name);
            places.extend(facts::start_place(service));
            places.extend(service.evidence.first().cloned());
        }
    }
    findings
        .add(
            Shown::fill("{} trust no proxy's headers by default.", &[&facts::list(names)]),
            places,
        )
        .confidence(Confidence::Convention);
}

static TLS_OFF: Rule = Rule {
    id: "tls-verification-off",
    severity: Severity::Medium,
    section: 7,
    title: "Certificates are not verified",
    why: "Anybody on the way can pose as the other side and read what is sent.",
    fix: "Verify, and hand in the authority's certificate where it is a private one.",
    check: |inventory, _, findings| {
        for signal in facts::signals(inventory, SignalKind::TlsVerificationOff) {
            let detail = match &signal.subject {
                Some(subject) => Shown::fill("Verification is off for {}.", &[&code(subject)]),
                None => Shown::from("Verification is off."),
            };
            findings.add(detail, signal.evidence.clone());
        }
    },
};

static PASSWORD_HASH: Rule = Rule {
    id: "password-hash-unbounded",
    severity: Severity::Medium,
    section: 7,
    title: "Anybody can make the server compute password hashes without limit",
    why: "Each sign-in costs processor time and memory on purpose; a few hundred at once exhaust the machine, and passwords can be guessed.",
    fix: "Limit sign-in attempts by address and account, in the code or at the proxy.",
    check: password_hash,
};

fn password_hash(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    if inventory
        .signals
        .iter()
        .any(|signal| signal.kind == SignalKind::RateLimit)
    {
        return;
    }
    let hashes: Vec<_> = facts::signals(inventory, SignalKind::PasswordHash).collect();
    let logins: Vec<Evidence> = inventory
        .routes
        .iter()
        .filter(|route| route.authenticated != Some(true) && (route.method == "POST" || route.method == "*"))
        .filter(|route| {
            let path = route.path.as_str().to_ascii_lowercase();
            [
                "login",
                "signin",
                "sign-in",
                "sign_in",
                "token",
                "authenticate",
                "session",
            ]
            .iter()
            .any(|word| path.contains(word))
        })
        .flat_map(|route| route.evidence.iter().take(1).cloned())
        .take(3)
        .collect();
    if hashes.is_empty() || logins.is_empty() {
        return;
    }
    findings
        .add(
            Shown::from("No rate limit was found before the sign-in."),
            logins
                .into_iter()
                .chain(facts::places(hashes).into_iter().take(2)),
        )
        .confidence(Confidence::Derived);
}

static PERSONAL_DATA: Rule = Rule {
    id: "personal-data-in-logs",
    severity: Severity::Low,
    section: 9,
    title: "Personal data is part of a path",
    why: "Paths land in access logs, traces and browser histories.",
    fix: "Carry it in the body, or use an identifier.",
    check: |inventory, _, findings| {
        let routes: Vec<_> = inventory
            .routes
            .iter()
            .filter(|route| {
                route.path.as_str().split('/').any(|part| {
                    let name = part
                        .trim_matches(['{', '}', ':', '<', '>', '*', '$'])
                        .to_ascii_lowercase();
                    let name = name.rsplit(':').next().unwrap_or(&name);
                    part.starts_with(['{', ':', '<'])
                        && matches!(
                            name,
                            "email" | "e-mail" | "mail" | "phone" | "phone_number" | "phonenumber" | "ssn"
                        )
                })
            })
            .collect();
        findings.add(
            Shown::fill("{}.", &[&facts::list(routes.iter().map(|route| &route.path))]),
            routes
                .iter()
                .flat_map(|route| route.evidence.iter().take(1).cloned()),
        );
    },
};

#[cfg(test)]
mod tests;
