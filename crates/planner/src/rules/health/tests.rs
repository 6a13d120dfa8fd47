use super::super::testing::*;
use super::*;
use playbook_core::inventory::{HealthCheck, Probe, Route};

fn health(path: &'static str, checks: &[&'static str], authenticated: bool) -> HealthCheck {
    HealthCheck {
        path: path.into(),
        checks: checks.iter().map(|kind| Shown::from(*kind)).collect(),
        shallow: checks.is_empty(),
        authenticated,
        development_only: false,
        evidence: vec![place("src/health", 11)],
    }
}

fn probe(kind: &'static str, path: Option<&'static str>, text: Option<&str>) -> Probe {
    Probe {
        kind: kind.into(),
        command: text.map(command),
        path: path.map(Shown::from),
        port: None,
        interval: None,
        timeout: None,
        retries: None,
        start_period: None,
        evidence: vec![place("compose.yaml", 16)],
    }
}

fn with(health: Vec<HealthCheck>, probes: Vec<Probe>) -> Inventory {
    inventory(|all| {
        let mut api = web("node x.js");
        api.health_checks = health.iter().map(|health| health.path.clone()).collect();
        api.health = health;
        api.dockerfile = Some(path("Dockerfile"));
        all.services.push(api);
        let mut unit = unit("api", None);
        unit.service = Some("api".into());
        unit.build = Some(playbook_core::inventory::Build::default());
        unit.probes = probes;
        all.stacks.push(stack("docker-compose", vec![unit]));
        let mut store = datastore("db", "postgresql", "database");
        store.used_by = vec!["api".into()];
        all.datastores.push(store);
    })
}

#[test]
fn endpoints() {
    silent("no-health-endpoint", &with(vec![], vec![]), "compose");
    let mut routed = with(vec![], vec![]);
    routed.routes.push(Route {
        framework: None,
        method: "GET".into(),
        path: "/".into(),
        complete: true,
        service: Some("api".into()),
        authenticated: None,
        touches: vec![],
        evidence: vec![place("src/home", 11)],
    });
    assert_eq!(
        fires("no-health-endpoint", &routed, "compose").evidence[0],
        place("src/home", 11)
    );
    silent(
        "no-health-endpoint",
        &with(vec![health("/health", &[], false)], vec![]),
        "compose",
    );
    let id = "health-ignores-datastore";
    assert_eq!(
        fires(id, &with(vec![health("/health", &[], false)], vec![]), "compose").detail,
        "`/health` of `api` answers without `postgresql`."
    );
    silent(
        id,
        &with(
            vec![
                health("/health", &[], false),
                health("/ready", &["postgresql"], false),
            ],
            vec![],
        ),
        "compose",
    );
    let id = "healthcheck-requires-auth";
    fires(id, &with(vec![health("/health", &[], true)], vec![]), "compose");
    silent(
        id,
        &with(
            vec![health("/health", &[], true), health("/ping", &[], false)],
            vec![],
        ),
        "compose",
    );
    let id = "liveness-checks-dependency";
    fires(
        id,
        &with(
            vec![health("/health", &["postgresql"], false)],
            vec![probe("liveness", Some("/health"), None)],
        ),
        "compose",
    );
    silent(
        id,
        &with(
            vec![health("/health", &["postgresql"], false)],
            vec![probe("readiness", Some("/health"), None)],
        ),
        "compose",
    );
}

#[test]
fn paths() {
    let id = "healthcheck-path-unserved";
    let build = |wanted: &'static str| {
        let mut all = with(
            vec![health("/healthz", &[], false)],
            vec![probe("health", Some(wanted), None)],
        );
        for path in ["/a", "/b", "/users/{id}", "/c", "/d"] {
            all.routes.push(Route {
                framework: None,
                method: "GET".into(),
                path: path.into(),
                complete: true,
                service: Some("api".into()),
                authenticated: None,
                touches: vec![],
                evidence: vec![place("src/app", 2)],
            });
        }
        all
    };
    fires(id, &build("/health"), "compose");
    silent(id, &build("/healthz/"), "compose");
    silent(id, &build("/users/1"), "compose");
    silent(id, &build("/"), "compose");
    let mut partial = build("/health");
    partial.routes[0].complete = false;
    silent(id, &partial, "compose");
}

#[test]
fn commands_of_checks() {
    let id = "healthcheck-cannot-fail";
    let check = |text: &str| with(vec![], vec![probe("health", None, Some(text))]);
    fires(id, &check("curl -I http://localhost:8888"), "compose");
    silent(id, &check("curl -fsS http://localhost:8888"), "compose");
    silent(id, &check("curl --fail http://localhost:8888"), "compose");
    silent(id, &check("wget -q http://localhost"), "compose");

    let id = "healthcheck-binary-missing";
    let build = |base: &'static str, run: Option<&str>| {
        let mut all = check("curl -f http://localhost");
        let mut container = dockerfile(base);
        container.runs.extend(run.map(command));
        container.run_lines.extend(run.map(|_| 3));
        all.containers.push(container);
        all
    };
    fires(id, &build("python:3.14-slim", None), "compose");
    silent(
        id,
        &build("python:3.14-slim", Some("apt-get install -y curl")),
        "compose",
    );
    silent(id, &build("python:3.14", None), "compose");
}

#[test]
fn endpoints_of_development() {
    let of = |development_only| {
        let mut check = health("/health", &[], false);
        check.development_only = development_only;
        with(vec![check], Vec::new())
    };
    let id = "health-development-only";
    fires(id, &of(true), "compose");
    silent(id, &of(false), "compose");
}
