use super::super::testing::*;
use super::*;
use playbook_core::inventory::{Build, Dependency, Probe};

fn own(name: &'static str) -> Unit {
    let mut unit = unit(name, Some("registry.example.com/api:1"));
    unit.service = Some("api".into());
    unit
}

fn with(kind: &'static str, units: Vec<Unit>) -> Inventory {
    inventory(|all| {
        all.services.push(web("node x.js"));
        all.stacks.push(stack(kind, units));
    })
}

#[test]
fn policies_and_limits() {
    for (id, settle) in [
        (
            "no-restart-policy",
            (|unit: &mut Unit| unit.restart = Some("always".into())) as fn(&mut Unit),
        ),
        ("no-resource-limits", |unit| unit.memory = Some("512M".into())),
        ("no-log-rotation", |unit| unit.log_rotation = true),
    ] {
        let mut all = with("docker-compose", vec![own("api")]);
        assert_eq!(fires(id, &all, "compose").evidence, [place("compose.yaml", 2)]);
        settle(&mut all.stacks[0].units[0]);
        silent(id, &all, "compose");
        let mut job = with("docker-compose", vec![own("api")]);
        job.services[0].role = Role::Job;
        silent(id, &job, "compose");
    }
    silent(
        "no-restart-policy",
        &with("kubernetes", vec![own("api")]),
        "kubernetes",
    );
    fires(
        "no-resource-limits",
        &with("kubernetes", vec![own("api")]),
        "kubernetes",
    );
    // A platform has limits of its own.
    silent("no-resource-limits", &with("render", vec![own("api")]), "render");
}

#[test]
fn waiting() {
    let id = "depends-on-no-condition";
    let build = |condition: Option<&'static str>, on: &'static str| {
        let mut api = own("api");
        api.depends_on.push(Dependency {
            unit: on.into(),
            condition: condition.map(Shown::from),
            evidence: vec![place("compose.yaml", 9)],
        });
        with(
            "docker-compose",
            vec![api, unit("db", Some("postgres:18")), unit("other", Some("x"))],
        )
    };
    assert_eq!(
        fires(id, &build(None, "db"), "compose").severity,
        Severity::Medium
    );
    silent(id, &build(Some("service_healthy"), "db"), "compose");
    silent(id, &build(None, "other"), "compose");
}

#[test]
fn project_name() {
    let id = "compose-project-implicit";
    let mut all = with("docker-compose", vec![own("api")]);
    all.stacks[0].volumes = vec!["data".into()];
    all.stacks[0].confirmed_by = vec![place("docs/deploy.md", 3)];
    silent(id, &all, "compose");
    all.stacks[0]
        .confirmed_by
        .push(place(".github/workflows/deploy.yml", 20));
    fires(id, &all, "compose");
    all.stacks[0].name = Some("shop".into());
    silent(id, &all, "compose");
}

#[test]
fn sources() {
    let id = "bind-mount-source-in-prod";
    let build = |source: &'static str| {
        let mut api = own("api");
        api.build = Some(Build::default());
        api.mounts.push(mount(MountKind::Bind, source, "/app"));
        with("docker-compose", vec![api])
    };
    fires(id, &build("./"), "compose");
    silent(id, &build("./certificates"), "compose");
}

#[test]
fn probes_and_replicas() {
    let mut all = with("kubernetes", vec![own("api")]);
    all.stacks[0].units[0].kind = "Deployment".into();
    fires("no-health-probe", &all, "kubernetes");
    fires("k8s-single-replica-no-pdb", &all, "kubernetes");
    all.stacks[0].units[0].replicas = Some(2);
    silent("k8s-single-replica-no-pdb", &all, "kubernetes");
    all.stacks[0].units[0].probes.push(Probe {
        kind: "readiness".into(),
        command: None,
        path: None,
        port: None,
        interval: None,
        timeout: None,
        retries: None,
        start_period: None,
        evidence: vec![],
    });
    silent("no-health-probe", &all, "kubernetes");
}

#[test]
fn development_stack() {
    let id = "development-stack-only";
    let mut all = with("docker-compose", vec![own("api")]);
    silent(id, &all, "compose");
    all.stacks[0].scope = Scope::Development;
    assert_eq!(fires(id, &all, "compose").evidence, [place("compose.yaml", 1)]);
    all.stacks.push(stack("render", vec![own("api")]));
    silent(id, &all, "render");
}
