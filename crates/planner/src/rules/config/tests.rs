use super::super::testing::*;
use super::*;
use playbook_core::inventory::{AuthFact, BuildArgument, MountKind, Route, UnitVariable, VariableSource};

fn default(name: &'static str, value: &'static str) -> Inventory {
    inventory(|all| {
        all.environment.push(EnvironmentVariable {
            name: name.into(),
            required: false,
            secret: false,
            documented: true,
            default: Some(value.into()),
            services: vec![],
            description: None,
            scope: Scope::Production,
            build_time: false,
            one_of: None,
            placeholder: false,
            min_length: None,
            configures: None,
            sites: vec![ReadSite {
                origin: VariableOrigin::Code,
                required: false,
                has_default: true,
                evidence: vec![place("settings.py", 70)],
            }],
            evidence: vec![],
        });
    })
}

fn sets(name: &'static str, value: &'static str) -> Inventory {
    let mut api = unit("api", None);
    api.variables.push(UnitVariable {
        name: name.into(),
        source: VariableSource::Literal,
        value: Some(value.into()),
        reference: None,
        evidence: vec![place("compose.yaml", 6)],
    });
    inventory(|all| all.stacks.push(stack("docker-compose", vec![api])))
}

#[test]
fn every_default_rule_fires_on_its_own_names_only() {
    for (id, name, unsafe_value, safe_value) in [
        (
            "https-switch-off-by-default",
            "SHOP_ENFORCE_HTTPS",
            "false",
            "true",
        ),
        ("csrf-off-by-default", "SHOP_ENFORCE_CSRF", "false", "true"),
        ("db-tls-not-required", "DB_SSLMODE", "disable", "verify-full"),
        ("local-storage-by-default", "FILE_DRIVER", "local", "s3"),
        ("local-state-by-default", "SESSION_DRIVER", "file", "redis"),
        ("queue-runs-in-request", "QUEUE_CONNECTION", "sync", "redis"),
        ("open-registration", "DISABLE_REGISTRATION", "false", "true"),
        ("debug-enabled-in-prod", "APP_DEBUG", "true", "false"),
    ] {
        assert_eq!(
            fires(id, &default(name, unsafe_value), "compose").evidence,
            [place("settings.py", 70)]
        );
        silent(id, &default(name, safe_value), "compose");
        silent(id, &default("SOMETHING_ELSE", unsafe_value), "compose");
        // A production stack that sets it decides.
        let mut set = default(name, unsafe_value);
        set.stacks = sets(name, safe_value).stacks;
        silent(id, &set, "compose");
    }
    let rules: std::collections::BTreeSet<_> = knowledge::get()
        .unsafe_defaults
        .iter()
        .map(|known| known.rule)
        .collect();
    for id in rules {
        assert!(crate::rule::rule(id).is_some(), "no rule {id}");
    }
}

#[test]
fn debug_and_mode() {
    fires("debug-enabled-in-prod", &sets("DEBUG", "true"), "compose");
    silent("debug-enabled-in-prod", &sets("DEBUG", "false"), "compose");
    fires(
        "debug-enabled-in-prod",
        &inventory(|all| all.signals.push(signal(SignalKind::DebugEnabled))),
        "compose",
    );
    fires(
        "node-env-not-production",
        &sets("NODE_ENV", "development"),
        "compose",
    );
    silent(
        "node-env-not-production",
        &sets("NODE_ENV", "production"),
        "compose",
    );
    let mut container = dockerfile("node:24");
    container.variables.push(BuildArgument {
        name: "NODE_ENV".into(),
        default: Some("development".into()),
        has_default: true,
        line: 3,
    });
    fires(
        "node-env-not-production",
        &inventory(|all| all.containers.push(container)),
        "compose",
    );
    fires(
        "development-switch",
        &inventory(|all| all.signals.push(signal(SignalKind::DevelopmentSwitch))),
        "compose",
    );
    silent("development-switch", &inventory(|_| {}), "compose");
}

#[test]
fn local_files() {
    let id = "local-uploads-ephemeral";
    let mut all = inventory(|all| {
        let mut api = web("node x.js");
        api.dockerfile = Some(path("Dockerfile"));
        all.services.push(api);
        let mut signal = signal(SignalKind::LocalFiles);
        signal.service = Some("api".into());
        all.signals.push(signal);
    });
    fires(id, &all, "compose");
    let mut api = unit("api", None);
    api.service = Some("api".into());
    api.mounts.push(mount(MountKind::Volume, "uploads", "/uploads"));
    all.stacks.push(stack("docker-compose", vec![api]));
    silent(id, &all, "compose");
    all.stacks[0].units[0].replicas = Some(2);
    fires(id, &all, "compose");
}

#[test]
fn tokens() {
    let id = "jwt-no-revocation";
    let route = |path: &'static str| Route {
        framework: None,
        method: "POST".into(),
        path: path.into(),
        complete: true,
        service: None,
        authenticated: None,
        touches: vec![],
        evidence: vec![],
    };
    let mut all = inventory(|all| {
        all.auth.push(AuthFact {
            kind: "jwt".into(),
            evidence: vec![place("security.py", 25)],
        });
        all.routes.push(route("/login"));
    });
    fires(id, &all, "compose");
    all.routes.push(route("/logout"));
    silent(id, &all, "compose");
}
