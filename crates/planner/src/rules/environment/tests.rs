use playbook_core::evidence::Scope;
use playbook_core::finding::Severity;
use playbook_core::inventory::{
    EnvironmentVariable, Inventory, ReadSite, SignalKind, UnitVariable, VariableOrigin, VariableSource,
};
use playbook_core::shown::Shown;

use super::super::testing::*;
use super::{distance, looks_alike};

fn site(origin: VariableOrigin, required: bool, has_default: bool) -> ReadSite {
    let file = match origin {
        VariableOrigin::Code => "src/settings.py",
        VariableOrigin::File => ".env.example",
        _ => "compose.yaml",
    };
    ReadSite {
        origin,
        required,
        has_default,
        evidence: vec![place(file, 4)],
    }
}

fn variable(name: &'static str, sites: Vec<ReadSite>) -> EnvironmentVariable {
    EnvironmentVariable {
        name: name.into(),
        required: sites.iter().any(|site| site.required),
        secret: false,
        documented: sites
            .iter()
            .any(|site| matches!(site.origin, VariableOrigin::File | VariableOrigin::Document)),
        default: None,
        services: vec!["api".into()],
        description: None,
        scope: Scope::Production,
        build_time: false,
        one_of: None,
        placeholder: false,
        min_length: None,
        configures: None,
        sites,
        evidence: vec![place("src/settings.py", 4)],
    }
}

fn with(variables: Vec<EnvironmentVariable>) -> Inventory {
    inventory(|all| {
        all.environment = variables;
        all.services.push(web("x"));
    })
}

fn passed(name: &'static str, source: VariableSource) -> UnitVariable {
    UnitVariable {
        name: name.into(),
        source,
        value: None,
        reference: None,
        evidence: vec![place("compose.yaml", 6)],
    }
}

#[test]
fn undocumented() {
    let id = "env-required-undocumented";
    let required = || site(VariableOrigin::Code, true, false);
    fires(id, &with(vec![variable("API_BASE", vec![required()])]), "compose");
    silent(
        id,
        &with(vec![variable(
            "API_BASE",
            vec![required(), site(VariableOrigin::File, false, false)],
        )]),
        "compose",
    );
    silent(
        id,
        &with(vec![variable(
            "API_BASE",
            vec![site(VariableOrigin::Code, false, true)],
        )]),
        "compose",
    );
    for provided in ["PORT", "FLY_APP_NAME", "KUBERNETES_SERVICE_HOST"] {
        silent(id, &with(vec![variable(provided, vec![required()])]), "compose");
    }
}

#[test]
fn not_passed() {
    let id = "env-required-not-passed";
    let build = |name: &'static str, env_file: bool| {
        let mut all = with(vec![variable(
            "API_BASE",
            vec![site(VariableOrigin::Code, true, false)],
        )]);
        let mut api = unit("api", None);
        api.service = Some("api".into());
        api.variables.push(passed(name, VariableSource::Literal));
        if env_file {
            api.env_files.push(path("prod.env"));
        }
        all.stacks.push(stack("docker-compose", vec![api]));
        all
    };
    let found = fires(id, &build("LOG_LEVEL", false), "compose");
    assert_eq!(
        found.evidence[..2],
        [place("src/settings.py", 4), place("compose.yaml", 6)]
    );
    silent(id, &build("API_BASE", false), "compose");
    silent(id, &build("LOG_LEVEL", true), "compose");
}

#[test]
fn unused() {
    let id = "env-documented-unused";
    let file = || site(VariableOrigin::File, false, false);
    let read = |name| variable(name, vec![site(VariableOrigin::Code, false, true), file()]);
    let mut all = with(vec![
        read("A_ONE"),
        read("A_TWO"),
        read("A_THREE"),
        read("A_FOUR"),
        variable("LEFT_OVER", vec![file()]),
    ]);
    assert_eq!(
        fires(id, &all, "compose").detail,
        "`.env.example` names `LEFT_OVER`."
    );
    // The database image reads its own variables.
    all.environment[4].name = "POSTGRES_PASSWORD".into();
    silent(id, &all, "compose");
    // Most names unknown: the way of reading was not understood.
    silent(
        id,
        &with(vec![read("A_ONE"), variable("LEFT_OVER", vec![file()])]),
        "compose",
    );
}

#[test]
fn near_miss() {
    let id = "env-near-miss-name";
    let build = |set: &'static str, read: &'static str| {
        with(vec![
            variable(set, vec![site(VariableOrigin::Stack, false, false)]),
            variable(read, vec![site(VariableOrigin::Code, false, true)]),
        ])
    };
    fires(id, &build("JWT_SECRET", "JWT_SECRET_KEY"), "compose");
    fires(id, &build("DATABASEURL", "DATABASE_URL"), "compose");
    silent(id, &build("REDIS_HOST", "REDIS_PORT"), "compose");
    silent(id, &build("WORKER_1_URL", "WORKER_2_URL"), "compose");
    let mut both = build("JWT_SECRET", "JWT_SECRET_KEY");
    both.environment[1]
        .sites
        .push(site(VariableOrigin::File, false, false));
    silent(id, &both, "compose");
    assert_eq!(distance("KITTEN", "SITTING"), 3);
    assert!(!looks_alike("A", "B"));
}

#[test]
fn localhost() {
    let id = "env-default-localhost";
    let build = |name: &'static str, default: &'static str| {
        let mut variable = variable(name, vec![site(VariableOrigin::Code, false, true)]);
        variable.default = Some(Shown::from(default));
        with(vec![variable])
    };
    assert_eq!(
        fires(id, &build("FRONTEND_URL", "http://localhost:5173"), "compose").severity,
        Severity::Medium
    );
    silent(id, &build("HOST", "127.0.0.1"), "compose");
    silent(id, &build("FRONTEND_URL", "https://app.example.com"), "compose");
    let mut store = build("REDIS_URL", "redis://localhost:6379");
    store.environment[0].configures = Some("redis".into());
    store.datastores.push(datastore("redis", "redis", "cache"));
    assert_eq!(fires(id, &store, "compose").severity, Severity::High);
    let mut api = unit("api", None);
    api.variables.push(passed("REDIS_URL", VariableSource::Literal));
    store.stacks.push(stack("docker-compose", vec![api]));
    silent(id, &store, "compose");
}

#[test]
fn unset() {
    let id = "compose-interpolation-unset";
    let build = |source| {
        let mut api = unit("api", None);
        api.variables.push(passed("API_BASE", source));
        inventory(|all| all.stacks.push(stack("docker-compose", vec![api])))
    };
    let mut all = build(VariableSource::Interpolated);
    fires(id, &all, "compose");
    silent(id, &build(VariableSource::Required), "compose");
    all.environment.push(variable(
        "API_BASE",
        vec![site(VariableOrigin::File, false, false)],
    ));
    silent(id, &all, "compose");
}

#[test]
fn mail() {
    let id = "mail-not-configured";
    let mut all = with(vec![variable(
        "SMTP_HOST",
        vec![site(VariableOrigin::Code, false, true)],
    )]);
    silent(id, &all, "compose");
    all.signals.push(signal(SignalKind::SendsMail));
    assert_eq!(
        fires(id, &all, "compose").evidence,
        [place("src/app", 3), place("src/settings.py", 4)]
    );
    let mut api = unit("api", None);
    api.variables.push(passed("SMTP_HOST", VariableSource::Required));
    all.stacks.push(stack("docker-compose", vec![api]));
    silent(id, &all, "compose");
}
