use super::super::testing::*;
use super::*;
use playbook_core::inventory::{CiFile, CopyStep, Role, Stage};

#[test]
fn hook() {
    let id = "migrations-no-deploy-hook";
    let found = fires(id, &migrated(migration(|_| {})), "compose");
    assert_eq!(found.evidence, [place("Dockerfile", 9), place("alembic.ini", 1)]);
    // A documented script that nothing starts is no hook.
    let scripted = migration(|m| m.run_by = vec![place("scripts/prestart.sh", 10), place("README.md", 4)]);
    assert_eq!(
        fires(id, &migrated(scripted.clone()), "compose").severity,
        Severity::High
    );
    let mut started = migrated(scripted);
    let mut job = unit("prestart", None);
    job.command = Some(command("bash scripts/prestart.sh"));
    started.stacks.push(stack("docker-compose", vec![job]));
    silent(id, &started, "compose");
    silent(id, &migrated(migration(|m| m.at_start = true)), "compose");
    let mut hooked = migrated(migration(|_| {}));
    let mut api = unit("api", None);
    api.pre_deploy = Some(command("alembic upgrade head"));
    hooked.stacks.push(stack("render", vec![api]));
    silent(id, &hooked, "render");
    let mut ci = migrated(migration(|m| {
        m.run_by = vec![place(".github/workflows/deploy.yml", 4)];
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
    let mut started = migrated(migration(|m| m.at_start = true));
    started.signals.push(signal(SignalKind::MigrationsAtStart));
    let found = fires(id, &started, "compose");
    assert_eq!(
        (found.severity, found.evidence[0].clone()),
        (Severity::Medium, place("src/app", 3))
    );
    started.services[0].replicas = Some(3);
    assert_eq!(fires(id, &started, "compose").severity, Severity::High);
    silent(id, &migrated(migration(|_| {})), "compose");
    let mut command_line = migrated(migration(|_| {}));
    command_line.services[0] = web("sh -c 'alembic upgrade head && exec uvicorn app:app'");
    fires(id, &command_line, "compose");
    let mut job = migrated(migration(|m| m.service = Some("migrate".into())));
    job.services
        .push(service("other", Role::Job, "alembic upgrade head"));
    silent(id, &job, "compose");
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
                .push(web("npm run migrate && npm run seed:run && node x.js"));
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
        let mut all = migrated(migration(|_| {}));
        let mut api = unit("api", None);
        api.pre_deploy = Some(command("alembic upgrade head"));
        all.stacks.push(stack("render", vec![api]));
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
    fires(id, &build("/srv/target/release/server.bin"), "compose");
    let mut unhooked = build("/srv/target/release/server.bin");
    unhooked.stacks.clear();
    silent(id, &unhooked, "compose");
    let found = fires("migrations-no-deploy-hook", &unhooked, "compose");
    assert!(found.evidence.contains(&place("Dockerfile", 7)));
    silent(id, &build("/app"), "compose");
    silent(id, &build("."), "compose");
    silent(id, &build("/src/migrations"), "compose");
}
