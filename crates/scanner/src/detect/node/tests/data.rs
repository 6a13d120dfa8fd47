use crate::detect::node::DETECTOR;
use crate::fact::Facts;
use crate::testing::facts;

fn signals(told: &Facts) -> Vec<String> {
    told.signals
        .iter()
        .map(|signal| signal.kind.to_string())
        .collect()
}

#[test]
fn prisma_schema_and_migrations() {
    let told = facts(
        &DETECTOR,
        "//- prisma/schema.prisma\n// datasource x {\ndatasource db {\n  provider = \"postgresql\"\n  url = env(\"DATABASE_URL\")\n  extensions = [citext, vector]\n}\n//- prisma/migrations/20240101000000_init/migration.sql\nCREATE TABLE \"User\" (id int);\n",
    );
    let store = told.stores.first().expect("a store");
    assert_eq!(store.kind.as_str(), "postgresql");
    assert_eq!(
        store
            .variable
            .as_ref()
            .map(playbook_core::harmless::EnvName::as_str),
        Some("DATABASE_URL")
    );
    assert_eq!(
        told.stores
            .iter()
            .filter(|store| store.extension.is_some())
            .count(),
        2
    );
    let revision = told.revisions.first().expect("a revision");
    assert_eq!(
        (revision.id.as_str(), revision.operations.len()),
        ("20240101000000_init", 1)
    );
    assert_eq!(revision.dir.as_str(), "prisma/migrations");
}

#[test]
fn migrations_in_code() {
    let told = facts(
        &DETECTOR,
        "//- src/migrations/1700000000000-AddUser.ts\nimport { MigrationInterface, QueryRunner } from 'typeorm';\nexport class AddUser1700000000000 implements MigrationInterface {\n  async up(queryRunner: QueryRunner) {\n    await queryRunner.query(`CREATE TABLE \"user\" (id int)`);\n    await queryRunner.dropColumn('a', 'b');\n  }\n  async down(queryRunner: QueryRunner) { await queryRunner.query(`DROP TABLE \"user\"`); }\n}\n",
    );
    let revision = told.revisions.first().expect("a revision");
    let kinds: Vec<String> = revision
        .operations
        .iter()
        .map(|step| step.kind.to_string())
        .collect();
    assert_eq!(kinds, ["create-table", "drop-column"]);
    assert_eq!(
        (revision.tool.as_str(), revision.reversible),
        ("typeorm", Some(true))
    );
}

#[test]
fn clients_pools_and_settings() {
    let told = facts(
        &DETECTOR,
        "//- src/db.ts\nimport { Pool } from 'pg';\nimport { DataSource } from 'typeorm';\nconst pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 20, ssl: { rejectUnauthorized: false } });\nexport const source = new DataSource({ type: 'mysql', synchronize: true });\n",
    );
    let kinds: Vec<&str> = told.stores.iter().map(|store| store.kind.as_str()).collect();
    assert!(
        kinds.contains(&"postgresql") && kinds.contains(&"mysql"),
        "{kinds:?}"
    );
    assert_eq!(told.pools.first().and_then(|pool| pool.size), Some(20));
    let signals = signals(&told);
    assert!(
        signals.contains(&"schema-from-code".to_owned())
            && signals.contains(&"tls-verification-off".to_owned()),
        "{signals:?}"
    );
}

#[test]
fn jobs_and_cors() {
    let told = facts(
        &DETECTOR,
        "//- src/app.ts\nimport cron from 'node-cron';\nimport cors from 'cors';\nimport express from 'express';\nconst app = express();\ncron.schedule('0 3 * * *', cleanUp);\napp.use(cors({ origin: ['https://app.example.com'], credentials: true }));\napp.set('trust proxy', 1);\nprocess.on('SIGTERM', stop);\n//- src/open.ts\nimport cors from 'cors';\nrouter.use(cors());\n//- src/tasks.ts\nimport { Cron, CronExpression } from '@nestjs/schedule';\nexport class Tasks {\n  @Cron(CronExpression.EVERY_HOUR)\n  async refresh() {}\n}\n",
    );
    let jobs: Vec<(&str, Option<&str>)> = told
        .jobs
        .iter()
        .map(|job| {
            (
                job.name.as_str(),
                job.schedule
                    .as_ref()
                    .map(playbook_core::harmless::Schedule::as_str),
            )
        })
        .collect();
    assert_eq!(
        jobs,
        [
            ("cleanUp", Some("0 3 * * *")),
            ("refresh", Some("0 0-23/1 * * *"))
        ]
    );
    let cors: Vec<(bool, bool, usize)> = told
        .cors
        .iter()
        .map(|policy| (policy.wildcard, policy.credentials, policy.origins.len()))
        .collect();
    assert_eq!(cors, [(false, true, 1), (true, false, 0)]);
    let signals = signals(&told);
    assert!(
        signals.contains(&"trusts-proxy".to_owned()) && signals.contains(&"graceful-shutdown".to_owned()),
        "{signals:?}"
    );
}
