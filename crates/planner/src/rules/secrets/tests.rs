use playbook_core::evidence::Scope;
use playbook_core::finding::Severity;
use playbook_core::inventory::{
    BuildArgument, CommittedSecret, CopyStep, EnvironmentVariable, Inventory, ReadSite, SignalKind,
    UnitVariable, VariableOrigin, VariableSource,
};
use playbook_core::shown::Shown;

use super::super::testing::*;
use super::{is_env_file, is_template};

fn secret(
    name: &'static str,
    kind: &'static str,
    placeholder: bool,
    file: &str,
    line: u32,
) -> CommittedSecret {
    CommittedSecret {
        name: Some(name.into()),
        kind: kind.into(),
        placeholder,
        scope: Scope::Production,
        evidence: vec![place(file, line)],
    }
}

fn with(secret: CommittedSecret) -> Inventory {
    inventory(|all| all.committed_secrets.push(secret))
}

#[test]
fn names_of_files() {
    for name in [".env", "api/.env.production", "prod.env"] {
        assert!(is_env_file(&path(name)), "{name}");
    }
    for name in [
        ".env.example",
        ".env.test",
        "env.sample",
        ".env.dist",
        "environment.ts",
        ".env.template",
    ] {
        assert!(!is_env_file(&path(name)), "{name}");
    }
    assert!(is_template(&path("env-example-relational")));
}

#[test]
fn env_files() {
    let id = "env-file-committed";
    let found = fires(
        id,
        &with(secret("DB_PASSWORD", "password", false, ".env", 3)),
        "compose",
    );
    assert_eq!(
        (found.severity, &found.evidence[..]),
        (Severity::High, &[place(".env", 3)][..])
    );
    silent(
        id,
        &with(secret("DB_PASSWORD", "password", false, ".env.example", 3)),
        "compose",
    );
    let mut switch = signal(SignalKind::DevelopmentSwitch);
    switch.evidence = vec![place(".env", 2)];
    fires(id, &inventory(|all| all.signals.push(switch)), "compose");
    silent(
        id,
        &with(secret("DB_PASSWORD", "password", true, ".env", 3)),
        "compose",
    );
}

#[test]
fn written_out() {
    let id = "secret-in-repo";
    assert_eq!(
        fires(
            id,
            &with(secret("KEY", "private-key", false, "src/key.pem", 1)),
            "compose"
        )
        .severity,
        Severity::Blocker
    );
    assert_eq!(
        fires(
            id,
            &with(secret("password", "password", false, "src/db.js", 1)),
            "compose"
        )
        .severity,
        Severity::High
    );
    silent(
        id,
        &with(secret("password", "password", true, "src/db.js", 1)),
        "compose",
    );
    let mut test = secret("password", "password", false, "tests/db.js", 1);
    test.scope = Scope::Development;
    silent(id, &with(test), "compose");

    let mut all = with(secret("POSTGRES_PASSWORD", "password", false, "compose.yaml", 9));
    silent("secret-in-compose", &all, "compose");
    all.stacks.push(stack("docker-compose", vec![]));
    fires("secret-in-compose", &all, "compose");
    silent(id, &all, "compose");

    fires(
        "secret-in-workflow",
        &with(secret("TOKEN", "token", false, ".github/workflows/deploy.yml", 9)),
        "compose",
    );
    silent(
        "secret-in-workflow",
        &with(secret("TOKEN", "token", true, ".github/workflows/deploy.yml", 9)),
        "compose",
    );
}

fn variable(
    name: &'static str,
    origin: VariableOrigin,
    file: &str,
    has_default: bool,
) -> EnvironmentVariable {
    EnvironmentVariable {
        name: name.into(),
        required: false,
        secret: true,
        documented: false,
        default: None,
        services: vec![],
        description: None,
        scope: Scope::Production,
        build_time: false,
        one_of: None,
        placeholder: false,
        min_length: None,
        configures: None,
        sites: vec![ReadSite {
            origin,
            required: false,
            has_default,
            evidence: vec![place(file, 4)],
        }],
        evidence: vec![place(file, 4)],
    }
}

#[test]
fn fallbacks() {
    let build = |name: &'static str, committed: bool| {
        inventory(|all| {
            all.environment
                .push(variable(name, VariableOrigin::Code, "src/settings.py", true));
            if committed {
                all.committed_secrets
                    .push(secret(name, "password", true, "src/settings.py", 4));
            }
        })
    };
    fires("jwt-secret-weak", &build("JWT_SECRET", true), "compose");
    silent("env-default-unsafe", &build("JWT_SECRET", true), "compose");
    fires("env-default-unsafe", &build("DB_PASSWORD", true), "compose");
    // An empty fallback was not judged to be a secret.
    silent("env-default-unsafe", &build("DB_PASSWORD", false), "compose");
    silent(
        "placeholder-secret-committed",
        &build("DB_PASSWORD", true),
        "compose",
    );
}

#[test]
fn placeholders() {
    let id = "placeholder-secret-committed";
    fires(
        id,
        &with(secret("SECRET_KEY", "password", true, ".env", 3)),
        "compose",
    );
    silent(
        id,
        &with(secret("SECRET_KEY", "password", true, ".env.example", 3)),
        "compose",
    );
    silent(
        id,
        &with(secret("SECRET_KEY", "password", false, ".env", 3)),
        "compose",
    );
}

#[test]
fn administrators() {
    let id = "default-admin-credentials";
    let mut all = inventory(|all| all.signals.push(signal(SignalKind::CreatesAdministrator)));
    assert_eq!(fires(id, &all, "compose").severity, Severity::Medium);
    all.committed_secrets
        .push(secret("password", "password", true, "src/app", 9));
    let found = fires(id, &all, "compose");
    assert_eq!((found.severity, found.evidence.len()), (Severity::High, 2));
    silent(id, &inventory(|_| {}), "compose");
}

#[test]
fn images() {
    let id = "secret-in-image";
    let argument = |name: &'static str| BuildArgument {
        name: name.into(),
        default: None,
        has_default: true,
        line: 4,
    };
    let build = |change: fn(&mut playbook_core::inventory::Container)| {
        let mut container = dockerfile("node:24");
        change(&mut container);
        inventory(|all| all.containers.push(container))
    };
    let mut set = build(|_| {});
    silent(id, &set, "compose");
    set.containers[0].variables.push(argument("NODE_ENV"));
    silent(id, &set, "compose");
    set.containers[0].variables.push(argument("API_TOKEN"));
    assert_eq!(fires(id, &set, "compose").evidence, [place("Dockerfile", 4)]);
    let copy = |source: &'static str, to: &'static str| CopyStep {
        from: None,
        sources: vec![source.into()],
        destination: Some(Shown::from(to)),
        chown: false,
        line: 5,
        stage: 0,
    };
    for (source, to, bad) in [
        (".env", "./", true),
        (".env.example", ".env", true),
        (".env.example", "./", false),
        ("src/", "./", false),
    ] {
        let mut all = build(|_| {});
        all.containers[0].copies.push(copy(source, to));
        if bad {
            fires(id, &all, "compose");
        } else {
            silent(id, &all, "compose");
        }
    }
    let mut run = build(|_| {});
    run.containers[0].runs.push(command(
        "if [ ! -f .env ]; then cp env-example-relational .env; fi",
    ));
    run.containers[0].run_lines.push(19);
    assert_eq!(fires(id, &run, "compose").evidence, [place("Dockerfile", 19)]);
}

#[test]
fn platform_files() {
    let id = "config-map-holds-secret";
    let build = |source, kind: &'static str| {
        let mut api = unit("api", None);
        api.variables.push(UnitVariable {
            name: "API_TOKEN".into(),
            source,
            value: None,
            reference: None,
            evidence: vec![place("render.yaml", 8)],
        });
        inventory(|all| all.stacks.push(stack(kind, vec![api])))
    };
    fires(id, &build(VariableSource::Withheld, "render"), "render");
    silent(id, &build(VariableSource::Secret, "render"), "render");
    silent(id, &build(VariableSource::Withheld, "docker-compose"), "compose");
}

#[test]
fn cloud_keys() {
    let id = "ci-long-lived-cloud-keys";
    let build = |origin| {
        inventory(|all| {
            all.environment.push(variable(
                "AWS_SECRET_ACCESS_KEY",
                origin,
                ".github/workflows/x.yml",
                false,
            ));
        })
    };
    fires(id, &build(VariableOrigin::Ci), "compose");
    silent(id, &build(VariableOrigin::Code), "compose");
}
