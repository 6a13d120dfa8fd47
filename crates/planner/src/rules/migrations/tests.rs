use super::super::testing::*;
use super::*;
use playbook_core::inventory::{CiFile, CopyStep, Role, Stage};

fn tool(change: impl FnOnce(&mut Migration)) -> Migration {
    let mut migration = Migration {
        tool: "alembic".into(),
        path: path("migrations/versions"),
        command: Some(command("alembic upgrade head")),
        rollback: None,
        status: None,
        count: 2,
        service: Some("api".into()),
        datastore: Some("postgresql".into()),
        at_start: false,
        run_by: Vec::new(),
        heads: vec!["b2".into()],
        revisions: Vec::new(),
        evidence: vec![place("alembic.ini", 1)],
    };
    change(&mut migration);
    migration
}

fn with(migration: Migration) -> Inventory {
    inventory(|all| {
        let mut api = web("uvicorn app:app");
        api.dockerfile = Some(path("Dockerfile"));
        all.services.push(api);
        all.containers.push(dockerfile("python:3.14"));
        all.migrations.push(migration);
    })
}

fn operation(kind: OperationKind, object: &'static str, line: u32) -> Operation {
    Operation {
        kind,
        object: Some(object.into()),
        evidence: vec![place("migrations/versions/b2.py", line)],
    }
}

fn revision(id: &'static str, operations: Vec<Operation>) -> Revision {
    Revision {
        id: id.into(),
        path: path("migrations/versions/b2.py"),
        parents: vec![],
        operations,
        reversible: Some(true),
    }
}

#[test]
fn hook() {
    let id = "migrations-no-deploy-hook";
    let found = fires(id, &with(tool(|_| {})), "compose");
    assert_eq!(found.evidence, [place("Dockerfile", 9), place("alembic.ini", 1)]);
    // A documented script that nothing starts is no hook.
    let scripted = tool(|m| m.run_by = vec![place("scripts/prestart.sh", 10), place("README.md", 4)]);
    assert_eq!(
        fires(id, &with(scripted.clone()), "compose").severity,
        Severity::High
    );
    let mut started = with(scripted);
    let mut job = unit("prestart", None);
    job.command = Some(command("bash scripts/prestart.sh"));
    started.stacks.push(stack("docker-compose", vec![job]));
    silent(id, &started, "compose");
    silent(id, &with(tool(|m| m.at_start = true)), "compose");
    let mut hooked = with(tool(|_| {}));
    let mut api = unit("api", None);
    api.pre_deploy = Some(command("alembic upgrade head"));
    hooked.stacks.push(stack("render", vec![api]));
    silent(id, &hooked, "render");
    let mut ci = with(tool(|m| {
        m.run_by = vec![place(".github/workflows/deploy.yml", 4)]
    }));
    ci.ci.push(CiFile {
        kind: "github-actions".into(),
        path: path(".github/workflows/deploy.yml"),
        deploys: true,
        triggers: vec![],
        evidence: vec![],
    });
    assert_eq!(fires(id, &ci, "render").severity, Severity::Medium);
}

#[test]
fn every_replica() {
    let id = "migrations-on-every-replica";
    let mut started = with(tool(|m| m.at_start = true));
    started.signals.push(signal(SignalKind::MigrationsAtStart));
    let found = fires(id, &started, "compose");
    assert_eq!(
        (found.severity, found.evidence[0].clone()),
        (Severity::Medium, place("src/app", 3))
    );
    started.services[0].replicas = Some(3);
    assert_eq!(fires(id, &started, "compose").severity, Severity::High);
    silent(id, &with(tool(|_| {})), "compose");
    let mut command_line = with(tool(|_| {}));
    command_line.services[0] = web("sh -c 'alembic upgrade head && exec uvicorn app:app'");
    fires(id, &command_line, "compose");
    let mut job = with(tool(|m| m.service = Some("migrate".into())));
    job.services
        .push(service("other", Role::Job, "alembic upgrade head"));
    silent(id, &job, "compose");
}

#[test]
fn heads() {
    let id = "multiple-migration-heads";
    let found = fires(
        id,
        &with(tool(|m| {
            m.heads = vec!["a1".into(), "b2".into()];
            m.revisions = vec![revision("b2", vec![])];
        })),
        "compose",
    );
    assert_eq!(found.severity, Severity::Blocker);
    assert_eq!(found.evidence[0], place("migrations/versions/b2.py", 1));
    silent(id, &with(tool(|_| {})), "compose");
}

#[test]
fn operations() {
    let drop = || operation(OperationKind::DropColumn, "users.name", 21);
    let newest = tool(|m| m.revisions = vec![revision("a1", vec![]), revision("b2", vec![drop()])]);
    let found = fires("migration-destructive", &with(newest), "compose");
    assert_eq!(
        (found.severity, &found.evidence[..]),
        (Severity::High, &[place("migrations/versions/b2.py", 21)][..])
    );
    let older = tool(|m| m.revisions = vec![revision("a1", vec![drop()]), revision("b2", vec![])]);
    assert_eq!(
        fires("migration-destructive", &with(older), "compose").severity,
        Severity::Medium
    );
    let adds = tool(|m| {
        m.revisions = vec![
            revision("a1", vec![]),
            revision("b2", vec![operation(OperationKind::AddColumn, "users.x", 4)]),
        ]
    });
    silent("migration-destructive", &with(adds), "compose");

    let index = |create: bool| {
        let mut operations = vec![operation(OperationKind::CreateIndex, "users.name", 9)];
        if create {
            operations.push(operation(OperationKind::CreateTable, "users", 4));
        }
        with(tool(|m| {
            m.revisions = vec![revision("a1", vec![]), revision("b2", operations)]
        }))
    };
    fires("migration-locking", &index(false), "compose");
    silent("migration-locking", &index(true), "compose");

    let extension = with(tool(|m| {
        m.revisions = vec![revision(
            "a1",
            vec![operation(OperationKind::CreateExtension, "citext", 5)],
        )]
    }));
    assert_eq!(
        fires("migration-creates-extension", &extension, "compose").detail,
        "The migrations create `citext`."
    );
    silent("migration-creates-extension", &index(true), "compose");

    let one_way = with(tool(|m| {
        let mut only = revision("a1", vec![]);
        only.reversible = Some(false);
        m.revisions = vec![only];
    }));
    fires("migration-irreversible", &one_way, "compose");
    silent("migration-irreversible", &index(true), "compose");
}

#[test]
fn schema_from_code() {
    let id = "schema-autocreate-in-prod";
    let mut found = signal(SignalKind::SchemaFromCode);
    fires(id, &inventory(|all| all.signals.push(found.clone())), "compose");
    found.scope = playbook_core::evidence::Scope::Development;
    silent(id, &inventory(|all| all.signals.push(found)), "compose");
}

#[test]
fn seeds() {
    let id = "seed-in-production-start";
    fires(
        id,
        &inventory(|all| {
            all.services
                .push(web("npm run migrate && npm run seed:run && node x.js"))
        }),
        "compose",
    );
    silent(
        id,
        &inventory(|all| all.services.push(web("node seeder.js"))),
        "compose",
    );
}

#[test]
fn migrations_in_the_image() {
    let id = "migration-tool-not-in-image";
    let build = |source: &'static str| {
        let mut all = with(tool(|_| {}));
        let container = &mut all.containers[0];
        container.stages.insert(
            0,
            Stage {
                name: Some("build".into()),
                base: Some("rust:1".into()),
                line: 1,
            },
        );
        container.copies.push(CopyStep {
            from: Some("build".into()),
            sources: vec![source.into()],
            destination: Some("/".into()),
            chown: false,
            line: 7,
            stage: 1,
        });
        all
    };
    fires(id, &build("/work/target/release/server.bin"), "compose");
    silent(id, &build("/app"), "compose");
    silent(id, &build("."), "compose");
    silent(id, &build("/src/migrations"), "compose");
}
