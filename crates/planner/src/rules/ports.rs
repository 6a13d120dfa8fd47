//! Port and bind address.

use playbook_core::evidence::{Confidence, Evidence};
use playbook_core::finding::Severity;
use playbook_core::inventory::{Inventory, Role, SignalKind};
use playbook_core::shown::Shown;

use super::facts::{self, Context, code};
use crate::rule::{Findings, Rule};

pub(super) const RULES: &[&Rule] = &[&HARDCODED_PORT, &BIND_LOOPBACK, &PORT_CHAIN, &PRIVILEGED_PORT];

static HARDCODED_PORT: Rule = Rule {
    id: "hardcoded-port-on-paas",
    severity: Severity::High,
    section: 6,
    title: "The process listens on a fixed port although the platform names one",
    why: "The platform's router and its health check use the port in `PORT`; a process on another port is never reached.",
    fix: "Read `PORT` and fall back on the present number.",
    check: hardcoded_port,
};

fn hardcoded_port(inventory: &Inventory, context: &Context, findings: &mut Findings) {
    if !context.target.sets_port {
        return;
    }
    for service in facts::web_services(inventory) {
        // Without a stated port there is nothing fixed: servers such as gunicorn read PORT by themselves.
        if service.port_variable.is_some() || service.port_confidence == Confidence::Convention {
            continue;
        }
        let Some(port) = service.ports.first() else {
            continue;
        };
        let text = facts::start_text(service);
        if text.contains("$PORT") || text.contains("${PORT") {
            continue;
        }
        findings.add(
            Shown::fill(
                "{} listens on {} and reads no `PORT`, which {} sets.",
                &[
                    &code(&service.name),
                    &Shown::number(u64::from(*port)),
                    &facts::target_name(context),
                ],
            ),
            facts::start_place(service),
        );
    }
}

static BIND_LOOPBACK: Rule = Rule {
    id: "bind-loopback",
    severity: Severity::Blocker,
    section: 6,
    title: "The process listens on the loopback address only",
    why: "Nothing outside the container, not even the platform's proxy, can connect.",
    fix: "Listen on `0.0.0.0` (or `::`).",
    check: bind_loopback,
};

fn bind_loopback(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for service in inventory
        .services
        .iter()
        .filter(|service| service.role == Role::Web)
    {
        let in_container = service.dockerfile.is_some() || !facts::units_of(inventory, service).is_empty();
        let Some(bind) = service.bind.as_ref().filter(|bind| is_loopback(bind.as_str())) else {
            continue;
        };
        let mut evidence: Vec<Evidence> = facts::start_place(service).into_iter().collect();
        evidence.extend(facts::places(
            facts::signals(inventory, SignalKind::BindsLoopback)
                .filter(|signal| signal.service.as_ref().is_none_or(|id| *id == service.id)),
        ));
        let draft = findings.add(
            Shown::fill("{} binds {}.", &[&code(&service.name), &code(bind)]),
            evidence,
        );
        if !in_container {
            // Behind a proxy on the same host this is how it should be.
            draft.severity(Severity::Medium).confidence(Confidence::Derived);
        }
    }
}

fn is_loopback(address: &str) -> bool {
    matches!(address, "localhost" | "::1" | "[::1]") || address.starts_with("127.")
}

static PORT_CHAIN: Rule = Rule {
    id: "port-chain-mismatch",
    severity: Severity::Blocker,
    section: 6,
    title: "The stack sends requests to a port on which the process does not listen",
    why: "Connections are refused and the health check fails.",
    fix: "Use one number for the process, its container port and its health check.",
    check: port_chain,
};

fn port_chain(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for service in facts::web_services(inventory) {
        if service.ports.is_empty() || service.port_confidence == Confidence::Convention {
            continue;
        }
        for (_, unit) in facts::units_of(inventory, service) {
            // A unit that sets the port variable or its own command decides the port itself.
            let sets_port = unit.variables.iter().any(|variable| {
                service.port_variable.as_ref() == Some(&variable.name) || variable.name == "PORT"
            });
            if sets_port || unit.command.is_some() || unit.entrypoint.is_some() || unit.ports.is_empty() {
                continue;
            }
            if unit
                .ports
                .iter()
                .any(|port| service.ports.contains(&port.container))
            {
                continue;
            }
            let Some(port) = unit.ports.first() else { continue };
            let mut evidence = port.evidence.clone();
            evidence.extend(facts::start_place(service));
            let draft = findings.add(
                Shown::fill(
                    "{} listens on {}, but the stack maps port {}.",
                    &[
                        &code(&service.name),
                        &numbers(&service.ports),
                        &Shown::number(u64::from(port.container)),
                    ],
                ),
                evidence,
            );
            if service.port_confidence != Confidence::Stated || service.port_variable.is_some() {
                draft.severity(Severity::High).confidence(Confidence::Derived);
            }
        }
    }
}

fn numbers(ports: &[u16]) -> Shown {
    let shown: Vec<Shown> = ports.iter().map(|port| Shown::number(u64::from(*port))).collect();
    Shown::join(&shown, ", ")
}

static PRIVILEGED_PORT: Rule = Rule {
    id: "nonroot-privileged-port",
    severity: Severity::Medium,
    section: 6,
    title: "A process without root rights wants a port below 1024",
    why: "Runtimes that keep the kernel's default refuse the bind with a permission error.",
    fix: "Listen on a port above 1024 and let the proxy or Service map it.",
    check: privileged_port,
};

fn privileged_port(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for service in inventory.services.iter().filter(|service| service.is_own()) {
        let Some(container) = facts::container_of(inventory, service) else {
            continue;
        };
        let Some(user) = container.user.as_ref().filter(|user| !is_root(user.as_str())) else {
            continue;
        };
        let Some(port) = service.ports.iter().find(|port| **port < 1024) else {
            continue;
        };
        if service.port_confidence == Confidence::Convention {
            continue;
        }
        let mut evidence: Vec<Evidence> = container
            .user_line
            .map(|line| Evidence::at(&container.path, line))
            .into_iter()
            .collect();
        evidence.extend(facts::start_place(service));
        let kubernetes = facts::units_of(inventory, service)
            .iter()
            .any(|(stack, _)| stack.kind == "kubernetes" || stack.kind == "helm");
        findings
            .add(
                Shown::fill(
                    "{} runs as {} and listens on {}.",
                    &[
                        &code(&service.name),
                        &code(user),
                        &Shown::number(u64::from(*port)),
                    ],
                ),
                evidence,
            )
            .severity(if kubernetes {
                Severity::High
            } else {
                Severity::Medium
            });
    }
}

/// Is the user root, by name or number?
pub(super) fn is_root(user: &str) -> bool {
    let name = user.split(':').next().unwrap_or(user);
    matches!(name, "root" | "0")
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn one(service: playbook_core::inventory::Service) -> Inventory {
        inventory(|all| all.services.push(service))
    }

    #[test]
    fn fixed_port() {
        let mut fixed = web("node server.js");
        fixed.ports = vec![3000];
        let found = fires("hardcoded-port-on-paas", &one(fixed.clone()), "render");
        assert_eq!(found.evidence, [place("Dockerfile", 9)]);
        assert_eq!(
            found.detail,
            "`api` listens on 3000 and reads no `PORT`, which render sets."
        );
        silent("hardcoded-port-on-paas", &one(fixed.clone()), "compose");
        let mut reads = fixed.clone();
        reads.port_variable = Some("PORT".into());
        silent("hardcoded-port-on-paas", &one(reads), "render");
        // gunicorn without --bind reads PORT by itself: the number is a convention.
        fixed.port_confidence = Confidence::Convention;
        silent("hardcoded-port-on-paas", &one(fixed), "render");
        let mut flag = web("uvicorn app:app --port ${PORT:-8000}");
        flag.ports = vec![8000];
        silent("hardcoded-port-on-paas", &one(flag), "render");
    }

    #[test]
    fn loopback() {
        let mut service = web("uvicorn app:app");
        service.bind = Some("127.0.0.1".into());
        assert_eq!(
            fires("bind-loopback", &one(service.clone()), "compose").severity,
            Severity::Medium
        );
        service.dockerfile = Some(path("Dockerfile"));
        assert_eq!(
            fires("bind-loopback", &one(service.clone()), "compose").severity,
            Severity::Blocker
        );
        service.bind = Some("0.0.0.0".into());
        silent("bind-loopback", &one(service), "compose");
    }

    #[test]
    fn port_chain() {
        let build = |container: u16, variable: bool| {
            let mut service = web("node server.js");
            service.ports = vec![8080];
            let mut unit = unit("api", None);
            unit.service = Some("api".into());
            unit.ports = vec![published(80, container, None)];
            if variable {
                unit.variables.push(playbook_core::inventory::UnitVariable {
                    name: "PORT".into(),
                    source: playbook_core::inventory::VariableSource::Literal,
                    value: None,
                    reference: None,
                    evidence: vec![],
                });
            }
            inventory(|all| {
                all.services.push(service);
                all.stacks.push(stack("docker-compose", vec![unit]));
            })
        };
        let found = fires("port-chain-mismatch", &build(3000, false), "compose");
        assert_eq!(found.evidence, [place("compose.yaml", 7), place("Dockerfile", 9)]);
        assert_eq!(found.severity, Severity::Blocker);
        silent("port-chain-mismatch", &build(8080, false), "compose");
        silent("port-chain-mismatch", &build(3000, true), "compose");
    }

    #[test]
    fn privileged_port() {
        let build = |user: Option<&'static str>| {
            let mut service = web("node server.js");
            service.ports = vec![80];
            service.dockerfile = Some(path("Dockerfile"));
            let mut container = dockerfile("node:24");
            container.user = user.map(Shown::from);
            container.user_line = Some(8);
            inventory(|all| {
                all.services.push(service);
                all.containers.push(container);
            })
        };
        fires("nonroot-privileged-port", &build(Some("node")), "compose");
        silent("nonroot-privileged-port", &build(Some("0:0")), "compose");
        silent("nonroot-privileged-port", &build(None), "compose");
    }
}
