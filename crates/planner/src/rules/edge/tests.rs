use playbook_core::finding::Severity;
use playbook_core::inventory::{
    CorsPolicy, Interface, InterfaceKind, Inventory, MountKind, Role, Route, SignalKind, Unit,
};
use playbook_core::shown::Shown;

use super::super::testing::*;

fn compose(units: Vec<Unit>) -> Inventory {
    inventory(|all| all.stacks.push(stack("docker-compose", units)))
}

fn open(image: &'static str, port: u16, address: Option<&'static str>) -> Inventory {
    let mut unit = unit("x", Some(image));
    unit.ports.push(published(port, port, address));
    compose(vec![unit])
}

#[test]
fn datastore_ports() {
    let id = "db-port-public";
    assert_eq!(
        fires(id, &open("postgres:17", 5432, None), "compose").evidence,
        [place("compose.yaml", 7)]
    );
    fires(id, &open("redis:8", 6379, Some("0.0.0.0")), "compose");
    silent(id, &open("postgres:17", 5432, Some("127.0.0.1")), "compose");
    silent(id, &open("traefik:v3", 443, None), "compose");
    let mut development = open("postgres:17", 5432, None);
    development.stacks[0].scope = playbook_core::evidence::Scope::Development;
    silent(id, &development, "compose");
    let mut optional = open("postgres:17", 5432, None);
    optional.stacks[0].units[0].profiles = vec!["tools".into()];
    silent(id, &optional, "compose");
}

#[test]
fn admin_tools() {
    let id = "admin-ui-public";
    fires(id, &open("adminer", 8080, None), "compose");
    fires(id, &open("dpage/pgadmin4:9", 80, None), "compose");
    silent(id, &open("adminer", 8080, Some("127.0.0.1")), "compose");
    fires(id, &open("rabbitmq:4-management", 15672, None), "compose");
    silent(id, &open("rabbitmq:4", 15672, None), "compose");
    let mut labelled = unit("adminer", Some("adminer:5"));
    silent(id, &compose(vec![labelled.clone()]), "compose");
    labelled.labels = vec!["traefik.http.routers.adminer.rule".into()];
    fires(id, &compose(vec![labelled]), "compose");
}

#[test]
fn debuggers() {
    let id = "debug-port-published";
    let mut all = open("x", 9229, None);
    silent(id, &all, "compose");
    all.stacks[0].units[0].service = Some("api".into());
    fires(id, &all, "compose");
    all.stacks[0].units[0].ports = vec![published(3000, 3000, None)];
    silent(id, &all, "compose");
}

#[test]
fn rights_on_the_host() {
    let mut proxy = unit("proxy", Some("traefik:v3.7"));
    silent("docker-socket-mounted", &compose(vec![proxy.clone()]), "compose");
    silent("privileged-container", &compose(vec![proxy.clone()]), "compose");
    proxy.engine_socket = true;
    proxy.privileged = true;
    let mut socket = mount(MountKind::Bind, "/var/run/docker.sock", "/var/run/docker.sock");
    socket.read_only = true;
    proxy.mounts.push(socket);
    let all = compose(vec![proxy]);
    let found = fires("docker-socket-mounted", &all, "compose");
    assert_eq!(
        (found.severity, found.evidence[0].clone()),
        (Severity::Medium, place("compose.yaml", 8))
    );
    fires("privileged-container", &all, "compose");
}

#[test]
fn open_interfaces() {
    let with = |kind, authenticated| {
        inventory(|all| {
            all.interfaces.push(Interface {
                kind,
                path: Some("/metrics".into()),
                service: None,
                evidence: vec![place("app.py", 5)],
            });
            all.routes.push(route("GET", "/metrics", authenticated));
        })
    };
    fires("metrics-public", &with(InterfaceKind::Metrics, None), "compose");
    silent(
        "metrics-public",
        &with(InterfaceKind::Metrics, Some(true)),
        "compose",
    );
    fires(
        "openapi-docs-public",
        &with(InterfaceKind::ApiDocs, None),
        "compose",
    );
    silent(
        "openapi-docs-public",
        &with(InterfaceKind::Metrics, None),
        "compose",
    );
}

fn route(method: &'static str, path: &'static str, authenticated: Option<bool>) -> Route {
    Route {
        framework: None,
        method: method.into(),
        path: path.into(),
        complete: true,
        service: None,
        authenticated,
        touches: vec![],
        evidence: vec![place("app.py", 7)],
    }
}

#[test]
fn cors() {
    let policy = |wildcard, pattern, credentials, origins: &[&'static str]| {
        inventory(|all| {
            all.cors.push(CorsPolicy {
                origins: origins.iter().map(|origin| Shown::from(*origin)).collect(),
                variables: vec![],
                wildcard,
                pattern,
                credentials,
                service: None,
                evidence: vec![place("app.py", 3)],
            });
        })
    };
    let id = "cors-wildcard-credentials";
    assert_eq!(
        fires(id, &policy(true, false, true, &[]), "compose").severity,
        Severity::High
    );
    assert_eq!(
        fires(id, &policy(true, false, false, &[]), "compose").severity,
        Severity::Medium
    );
    silent(id, &policy(false, true, true, &[]), "compose");
    fires(
        "cors-regex-shared-domain",
        &policy(false, true, true, &[]),
        "compose",
    );
    silent(
        "cors-regex-shared-domain",
        &policy(false, true, false, &[]),
        "compose",
    );
    fires(
        "cors-localhost-in-prod",
        &policy(false, false, true, &["http://localhost:3000"]),
        "compose",
    );
    silent(
        "cors-localhost-in-prod",
        &policy(false, false, true, &["https://app.example.com"]),
        "compose",
    );
}

#[test]
fn plain_http() {
    let id = "http-without-tls";
    let mut all = open("x", 8080, None);
    all.stacks[0].units[0].service = Some("api".into());
    silent(id, &all, "compose");
    all.services.push(web("node x.js"));
    fires(id, &all, "compose");
    let mut proxied = all.clone();
    let mut proxy = unit("proxy", Some("caddy:2"));
    proxy.ports.push(published(443, 443, None));
    proxied.stacks[0].units.push(proxy);
    silent(id, &proxied, "compose");
    all.services[0].role = Role::Worker;
    silent(id, &all, "compose");
}

#[test]
fn proxy_headers() {
    let id = "forwarded-headers-untrusted";
    let with = |start: &str, framework: &'static str| {
        let mut api = web(start);
        api.frameworks = vec![framework.into()];
        inventory(|all| all.services.push(api))
    };
    fires(id, &with("uvicorn app:app", "fastapi"), "compose");
    silent(
        id,
        &with("uvicorn app:app --forwarded-allow-ips=*", "fastapi"),
        "compose",
    );
    silent(id, &with("bin/server", "axum"), "compose");
    let mut trusting = with("node x.js", "express");
    let mut signal = signal(SignalKind::TrustsProxy);
    signal.service = Some("api".into());
    trusting.signals.push(signal);
    silent(id, &trusting, "compose");
}

#[test]
fn verification() {
    let id = "tls-verification-off";
    fires(
        id,
        &inventory(|all| all.signals.push(signal(SignalKind::TlsVerificationOff))),
        "compose",
    );
    let mut test = signal(SignalKind::TlsVerificationOff);
    test.scope = playbook_core::evidence::Scope::Development;
    silent(id, &inventory(|all| all.signals.push(test)), "compose");
}

#[test]
fn password_hash() {
    let id = "password-hash-unbounded";
    let mut all = inventory(|all| {
        all.signals.push(signal(SignalKind::PasswordHash));
        all.routes.push(route("POST", "/login", None));
    });
    fires(id, &all, "compose");
    all.signals.push(signal(SignalKind::RateLimit));
    silent(id, &all, "compose");
}

#[test]
fn personal_data() {
    let id = "personal-data-in-logs";
    for path in ["/users/{email}", "/reset/:email", "/x/<str:phone>"] {
        fires(
            id,
            &inventory(|all| all.routes.push(route("GET", path, None))),
            "compose",
        );
    }
    silent(
        id,
        &inventory(|all| all.routes.push(route("GET", "/users/{user_id}/email", None))),
        "compose",
    );
}
