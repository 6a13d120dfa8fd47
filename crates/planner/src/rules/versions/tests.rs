use playbook_core::evidence::Scope;
use playbook_core::inventory::{Inventory, MountKind, Unit, VersionPin};

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

#[test]
fn end_of_life() {
    let id = "db-eol-version";
    let found = fires(id, &compose(vec![database("postgres:14.2", None)]), "compose");
    assert!(
        found
            .detail
            .as_str()
            .contains("PostgreSQL 14, whose support ended on 2026-11-12"),
        "{}",
        found.detail
    );
    silent(id, &compose(vec![database("postgres:18", None)]), "compose");
    silent(id, &compose(vec![database("postgres", None)]), "compose");
    let mut managed = datastore("db", "postgresql", "database");
    managed.version = Some("13".into());
    fires(
        id,
        &inventory(|all| all.datastores.push(managed.clone())),
        "render",
    );
    managed.scope = Scope::Development;
    silent(id, &inventory(|all| all.datastores.push(managed)), "render");
}

#[test]
fn version_mismatch() {
    let id = "db-version-mismatch";
    let pinned = |version: &'static str| {
        let mut all = compose(vec![database("postgres:17", None)]);
        all.version_pins.push(VersionPin {
            tool: "postgresql".into(),
            version: version.into(),
            path: path("."),
            scope: Scope::Development,
            evidence: vec![place(".github/workflows/ci.yml", 20)],
        });
        all
    };
    let found = fires(id, &pinned("15"), "compose");
    assert_eq!(found.detail, "PostgreSQL appears as 15, 17.");
    assert_eq!(
        found.evidence,
        [place("compose.yaml", 2), place(".github/workflows/ci.yml", 20)]
    );
    silent(id, &pinned("17.2"), "compose");
}
