use playbook_core::evidence::{Confidence, Scope};
use playbook_core::finding::Severity;
use playbook_core::inventory::{Inventory, MountKind, Role, Unit, UnitVariable, VariableSource};
use playbook_core::shown::Shown;

use super::super::testing::*;

fn compose(units: Vec<Unit>) -> Inventory {
    inventory(|all| all.stacks.push(stack("docker-compose", units)))
}

fn database(image: &'static str, target: Option<&'static str>) -> Unit {
    let mut db = unit("db", Some(image));
    db.mounts
        .extend(target.map(|target| mount(MountKind::Volume, "data", target)));
    db
}

fn variable(name: &'static str, value: Option<&'static str>) -> UnitVariable {
    UnitVariable {
        name: name.into(),
        source: VariableSource::Literal,
        value: value.map(Shown::from),
        reference: None,
        evidence: vec![place("compose.yaml", 5)],
    }
}

#[test]
fn volume_paths() {
    let at = |image, target| compose(vec![database(image, Some(target))]);
    let (new, old) = ("postgres18-volume-path", "postgres17-parent-volume");
    assert_eq!(
        fires(
            new,
            &at("postgres:18.1-alpine", "/var/lib/postgresql/data"),
            "compose"
        )
        .evidence[0],
        place("compose.yaml", 8)
    );
    fires(
        new,
        &at("postgres:latest", "/var/lib/postgresql/data/"),
        "compose",
    );
    silent(new, &at("postgres:18", "/var/lib/postgresql"), "compose");
    silent(new, &at("postgres:17", "/var/lib/postgresql/data"), "compose");
    silent(
        new,
        &at("postgres:${VERSION}", "/var/lib/postgresql/data"),
        "compose",
    );
    fires(old, &at("postgres:17", "/var/lib/postgresql"), "compose");
    silent(old, &at("postgres:18", "/var/lib/postgresql"), "compose");
    let mut own = at("postgres:18", "/var/lib/postgresql/data");
    own.stacks[0].units[0].variables.push(variable("PGDATA", None));
    silent(new, &own, "compose");
}

#[test]
fn no_volume() {
    let id = "volume-missing-for-stateful";
    assert_eq!(
        fires(id, &compose(vec![database("postgres:18", None)]), "compose").severity,
        Severity::High
    );
    silent(
        id,
        &compose(vec![database("postgres:18", Some("/var/lib/postgresql"))]),
        "compose",
    );
    fires(
        id,
        &compose(vec![database(
            "postgres:18",
            Some("/docker-entrypoint-initdb.d/init.sql"),
        )]),
        "compose",
    );
    let mut cluster = compose(vec![database("mongo:8", None)]);
    cluster.stacks[0].kind = "kubernetes".into();
    cluster.stacks[0].units[0]
        .mounts
        .push(mount(MountKind::Tmpfs, "data", "/data/db"));
    let found = fires(id, &cluster, "kubernetes");
    assert_eq!(
        (found.severity, found.evidence[0].clone()),
        (Severity::Blocker, place("compose.yaml", 8))
    );
    // A managed database has no image, and a development stack is no production.
    let mut managed = compose(vec![unit("db", None)]);
    silent(id, &managed, "compose");
    managed.stacks[0].units[0] = database("postgres:18", None);
    managed.stacks[0].scope = Scope::Development;
    silent(id, &managed, "compose");
}

#[test]
fn extension() {
    let id = "db-extension-unavailable";
    let needs = |image: &'static str, name: &'static str| {
        let mut all = compose(vec![database(image, None)]);
        all.stacks[0].units[0].datastore = Some("db".into());
        let mut store = datastore("db", "postgresql", "database");
        store.extensions = vec![name.into()];
        all.datastores.push(store);
        all
    };
    assert_eq!(
        fires(id, &needs("postgres:17", "vector"), "compose").fix,
        "Run pgvector/pgvector instead."
    );
    silent(id, &needs("postgres:17", "pg_trgm"), "compose");
    silent(id, &needs("pgvector/pgvector:pg17", "vector"), "compose");
}

#[test]
fn backup() {
    let id = "no-backup-evidence";
    let alone = compose(vec![database("postgres:17", Some("/var/lib/postgresql/data"))]);
    assert_eq!(fires(id, &alone, "compose").evidence.len(), 2);
    let mut saved = alone.clone();
    saved.stacks[0].units.push(unit("db-backup", None));
    silent(id, &saved, "compose");
    silent(id, &compose(vec![unit("cache", Some("memcached:1"))]), "compose");
}

#[test]
fn protection() {
    let id = "datastore-protection-off";
    let with = |name, value| {
        let mut db = database("postgres:17", None);
        db.variables.push(variable(name, value));
        compose(vec![db])
    };
    assert_eq!(
        fires(id, &with("POSTGRES_HOST_AUTH_METHOD", Some("trust")), "compose").evidence,
        [place("compose.yaml", 5)]
    );
    silent(
        id,
        &with("POSTGRES_HOST_AUTH_METHOD", Some("scram-sha-256")),
        "compose",
    );
    fires(id, &with("ALLOW_EMPTY_PASSWORD", Some("yes")), "compose");
    silent(id, &with("ALLOW_EMPTY_PASSWORD", Some("no")), "compose");
    let mut fast = database("postgres:17", None);
    fast.command = Some(command("postgres -c fsync=off"));
    fires(id, &compose(vec![fast]), "compose");
}

#[test]
fn queue() {
    let id = "queue-on-evicting-redis";
    let with = |text: &str, role: &'static str| {
        let mut redis = unit("redis", Some("redis:8"));
        redis.command = Some(command(text));
        redis.datastore = Some("redis".into());
        let mut all = compose(vec![redis]);
        all.datastores.push(datastore("redis", "redis", role));
        all
    };
    fires(
        id,
        &with("redis-server --maxmemory-policy allkeys-lru", "queue"),
        "compose",
    );
    silent(
        id,
        &with("redis-server --maxmemory-policy allkeys-lru", "cache"),
        "compose",
    );
    silent(
        id,
        &with("redis-server --maxmemory-policy noeviction", "queue"),
        "compose",
    );
}

#[test]
fn sqlite() {
    let build = |disk: bool| {
        inventory(|all| {
            all.services.push(web("node x.js"));
            let mut api = unit("api", None);
            api.service = Some("api".into());
            if disk {
                api.mounts.push(mount(MountKind::Volume, "data", "/data"));
            }
            all.stacks.push(stack("render", vec![api]));
            all.datastores.push(datastore("sqlite", "sqlite", "database"));
        })
    };
    let id = "sqlite-on-ephemeral-disk";
    assert_eq!(fires(id, &build(false), "render").severity, Severity::Blocker);
    silent(id, &build(true), "render");
    silent(id, &build(false), "compose");
    let mut default = build(false);
    default.datastores.push(datastore("db", "postgresql", "database"));
    silent(id, &default, "render");
    let mut convention = build(false);
    convention.datastores[0].confidence = Confidence::Convention;
    assert_eq!(fires(id, &convention, "render").severity, Severity::High);

    let mut scaled = build(true);
    silent("sqlite-multi-replica", &scaled, "render");
    scaled.services[0].replicas = Some(2);
    fires("sqlite-multi-replica", &scaled, "render");
    scaled.services[0].role = Role::Worker;
    silent("sqlite-multi-replica", &scaled, "render");
}
