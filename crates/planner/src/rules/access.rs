//! Who may come in.

use playbook_core::evidence::Confidence;
use playbook_core::finding::Severity;
use playbook_core::inventory::{Inventory, PublishedPort, Route, Unit};
use playbook_core::shown::Shown;

use super::facts::{self, Context, code};
use super::support;
use crate::rule::{Findings, Rule};

pub(super) const RULES: &[&Rule] = &[&FIRST_VISITOR, &ADMIN_ROUTE, &NO_SIGN_IN, &NO_PASSWORD];

fn writes(route: &Route) -> bool {
    matches!(route.method.as_str(), "POST" | "PUT" | "PATCH" | "DELETE" | "*")
}

static FIRST_VISITOR: Rule = Rule {
    id: "first-visitor-setup",
    severity: Severity::High,
    section: 6,
    title: "The first visitor can set the application up",
    why: "Whoever opens the page first, which may be a scanner, becomes administrator.",
    fix: "Keep the service unreachable until setup is done, or create the account from the command line.",
    check: first_visitor,
};

fn first_visitor(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    let routes: Vec<&Route> = inventory
        .routes
        .iter()
        .filter(|route| writes(route) && route.authenticated != Some(true))
        .filter(|route| {
            let last = route
                .path
                .as_str()
                .trim_end_matches('/')
                .rsplit('/')
                .next()
                .unwrap_or_default();
            matches!(
                last,
                "setup" | "install" | "first-run" | "firstrun" | "onboarding" | "initial-setup"
            )
        })
        .collect();
    findings
        .add(
            Shown::fill(
                "{} asks for no sign-in, as far as the code shows.",
                &[&facts::list(routes.iter().map(|route| &route.path))],
            ),
            routes
                .iter()
                .flat_map(|route| route.evidence.iter().take(1).cloned()),
        )
        .confidence(Confidence::Derived);
}

static ADMIN_ROUTE: Rule = Rule {
    id: "admin-route-open",
    severity: Severity::High,
    section: 7,
    title: "Routes for administrators or tests ask for no sign-in",
    why: "Everybody who finds them may use them.",
    fix: "Demand a sign-in, or leave them out of production.",
    check: admin_route,
};

fn admin_route(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    // Where no route is seen to demand a sign-in, the way of demanding it was not understood.
    let understood = inventory
        .routes
        .iter()
        .any(|route| route.authenticated == Some(true));
    let routes: Vec<&Route> = inventory
        .routes
        .iter()
        .filter(|route| understood && writes(route) && route.authenticated != Some(true))
        .filter(|route| {
            route
                .path
                .as_str()
                .split('/')
                .any(|part| matches!(part, "admin" | "private" | "internal" | "debug" | "_debug"))
        })
        .collect();
    findings
        .add(
            Shown::fill("{}.", &[&facts::list(routes.iter().map(|route| &route.path))]),
            routes
                .iter()
                .flat_map(|route| route.evidence.iter().take(1).cloned()),
        )
        .confidence(Confidence::Derived);
}

static NO_SIGN_IN: Rule = Rule {
    id: "no-authentication-found",
    severity: Severity::Medium,
    section: 7,
    title: "Everybody may change data",
    why: "The API writes, and no kind of sign-in was found in the code.",
    fix: "Demand a sign-in before it, in the code or at the proxy, or keep it on a private network.",
    check: no_sign_in,
};

fn no_sign_in(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    if !inventory.auth.is_empty()
        || inventory
            .routes
            .iter()
            .any(|route| route.authenticated == Some(true))
    {
        return;
    }
    let routes: Vec<&Route> = inventory
        .routes
        .iter()
        .filter(|route| writes(route) && route.method != "*")
        .collect();
    if routes.len() < 2 || facts::production_datastores(inventory).next().is_none() {
        return;
    }
    let published = facts::production_units(inventory)
        .filter(|(_, unit)| {
            unit.service
                .as_ref()
                .and_then(|id| inventory.service(id.as_str()))
                .is_some_and(|service| service.role == playbook_core::inventory::Role::Web)
        })
        .flat_map(|(_, unit)| {
            unit.ports
                .iter()
                .filter(|port| port.published)
                .flat_map(|port| port.evidence.iter().take(1).cloned())
        })
        .take(4);
    findings
        .add(
            Shown::fill(
                "{} of the routes write, among them {}.",
                &[
                    &Shown::number(routes.len() as u64),
                    &facts::list(routes.iter().take(3).map(|route| &route.path)),
                ],
            ),
            published.chain(
                routes
                    .iter()
                    .take(4)
                    .flat_map(|route| route.evidence.iter().take(1).cloned()),
            ),
        )
        .confidence(Confidence::Derived);
}

static NO_PASSWORD: Rule = Rule {
    id: "datastore-without-password",
    severity: Severity::Low,
    section: 5,
    title: "A datastore asks for no password",
    why: "Whatever runs on the same network, also a container that was taken over, reads and writes it.",
    fix: "Set a password, and keep the datastore on a network of its own.",
    check: no_password,
};

fn no_password(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for (_, unit) in facts::production_units(inventory).filter(|(_, unit)| unit.image.is_some()) {
        let Some(technology) = support::engine(inventory, unit) else {
            continue;
        };
        // These start without one; the images of SQL databases insist on it.
        if !matches!(
            technology.id,
            "redis" | "valkey" | "keydb" | "dragonfly" | "mongodb"
        ) || !unit.env_files.is_empty()
        {
            continue;
        }
        let by_command = [&unit.command, &unit.entrypoint]
            .into_iter()
            .flatten()
            .any(|command| {
                ["requirepass", "aclfile", ".conf", "--auth"]
                    .iter()
                    .any(|word| command.as_str().contains(word))
            });
        let by_variable = unit.variables.iter().any(|variable| {
            let name = variable.name.as_str().to_ascii_uppercase();
            name.contains("PASSWORD") || name.contains("ROOT_USERNAME")
        });
        let by_file = unit.mounts.iter().any(|mount| {
            mount
                .target
                .as_ref()
                .is_some_and(|target| facts::has_extension(target.as_str(), "conf"))
        });
        if by_command || by_variable || by_file {
            continue;
        }
        let open: Vec<&PublishedPort> = open_ports(unit).collect();
        findings
            .add(
                Shown::fill(
                    if open.is_empty() {
                        "{} ({}) has none."
                    } else {
                        "{} ({}) has none, and its port is open."
                    },
                    &[&code(&unit.name), &Shown::from(technology.name)],
                ),
                unit.evidence
                    .iter()
                    .take(1)
                    .cloned()
                    .chain(open.iter().flat_map(|port| port.evidence.iter().cloned())),
            )
            .severity(if open.is_empty() {
                Severity::Low
            } else {
                Severity::High
            })
            .confidence(Confidence::Derived);
    }
}

/// Ports that a unit opens to other machines.
pub(super) fn open_ports(unit: &Unit) -> impl Iterator<Item = &PublishedPort> {
    unit.ports.iter().filter(|port| {
        port.published
            && !port.address.as_ref().is_some_and(|address| {
                let address = address.as_str();
                address.starts_with("127.") || matches!(address, "localhost" | "::1" | "[::1]")
            })
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use playbook_core::inventory::AuthFact;

    fn route(method: &'static str, path: &'static str, authenticated: Option<bool>) -> Route {
        Route {
            framework: None,
            method: method.into(),
            path: path.into(),
            complete: true,
            service: None,
            authenticated,
            touches: vec![],
            evidence: vec![place("src/routes", 7)],
        }
    }

    #[test]
    fn routes() {
        let with = |routes: Vec<Route>| inventory(|all| all.routes = routes);
        let id = "first-visitor-setup";
        fires(id, &with(vec![route("POST", "/api/setup", None)]), "compose");
        silent(id, &with(vec![route("GET", "/api/setup", None)]), "compose");
        silent(
            id,
            &with(vec![route("POST", "/api/setup", Some(true))]),
            "compose",
        );
        let id = "admin-route-open";
        fires(
            id,
            &with(vec![
                route("POST", "/private/users", None),
                route("GET", "/me", Some(true)),
            ]),
            "compose",
        );
        silent(id, &with(vec![route("POST", "/private/users", None)]), "compose");
        silent(
            id,
            &with(vec![
                route("POST", "/administer", None),
                route("GET", "/me", Some(true)),
            ]),
            "compose",
        );
        let id = "no-authentication-found";
        let mut open = with(vec![route("POST", "/a", None), route("DELETE", "/a/{id}", None)]);
        silent(id, &open, "compose");
        open.datastores.push(datastore("db", "postgresql", "database"));
        fires(id, &open, "compose");
        open.auth.push(AuthFact {
            kind: "jwt".into(),
            evidence: vec![],
        });
        silent(id, &open, "compose");
    }

    #[test]
    fn passwords() {
        let id = "datastore-without-password";
        let build = |image: &'static str, text: Option<&str>, open: bool| {
            let mut redis = unit("redis", Some(image));
            redis.command = text.map(command);
            if open {
                redis.ports.push(published(6379, 6379, None));
            }
            inventory(|all| all.stacks.push(stack("docker-compose", vec![redis])))
        };
        assert_eq!(
            fires(id, &build("redis:8", None, false), "compose").severity,
            Severity::Low
        );
        assert_eq!(
            fires(id, &build("redis:8", None, true), "compose").severity,
            Severity::High
        );
        silent(
            id,
            &build(
                "redis:8",
                Some("redis-server --requirepass $REDIS_PASSWORD"),
                true,
            ),
            "compose",
        );
        silent(id, &build("postgres:18", None, true), "compose");
    }
}
