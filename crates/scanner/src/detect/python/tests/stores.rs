use playbook_core::inventory::{InterfaceKind, OperationKind, SignalKind};

use super::facts;
use crate::fact::Facts;

/// Kind, strength and variable of each store.
fn stores(found: &Facts) -> Vec<(String, bool, String)> {
    found
        .stores
        .iter()
        .map(|store| {
            let variable = store
                .variable
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default();
            (store.kind.to_string(), store.strong, variable)
        })
        .collect()
}

fn one(kind: &str, strong: bool, variable: &str) -> (String, bool, String) {
    (kind.to_owned(), strong, variable.to_owned())
}

#[test]
fn clients_with_their_variables() {
    let found = facts(
        "//- db.py\nimport os\nfrom sqlalchemy.ext.asyncio import create_async_engine\nURL = os.environ['DATABASE_URL']\nengine = create_async_engine(URL, pool_size=20, max_overflow=4)\nother = create_async_engine('postgresql+asyncpg://localhost/x')\n",
    );
    assert_eq!(stores(&found), [one("postgresql", true, "")]);
    let pools: Vec<(Option<u32>, Option<u32>)> = found
        .pools
        .iter()
        .map(|pool| (pool.size, pool.overflow))
        .collect();
    assert_eq!(pools, [(Some(20), Some(4)), (Some(5), Some(10))]);
    let found = facts(
        "//- cache.py\nfrom redis import asyncio as aioredis\nclient = aioredis.from_url(settings.REDIS_URL)\n",
    );
    assert!(stores(&found).contains(&one("redis", true, "REDIS_URL")));
    let found =
        facts("//- queue.py\nfrom celery import Celery\napp = Celery('x', broker='amqp://guest@mq//')\n");
    assert_eq!(
        found
            .stores
            .iter()
            .find(|store| store.strong)
            .map(|store| store.role),
        Some(Some("queue"))
    );
}

#[test]
fn defaults_of_variables_and_options() {
    let found = facts(
        "//- config.py\nimport os\nA = os.environ.get('DATABASE_URL', 'mysql://db/x')\nB = os.getenv('LOCAL', 'sqlite:///x.db')\n",
    );
    assert_eq!(
        stores(&found),
        [one("mysql", true, "DATABASE_URL"), one("sqlite", false, "LOCAL")]
    );
    let found = facts(
        "//- app/connectors/m.py\ntry:\n    import pymongo\nexcept ImportError:\n    pass\nclass M:\n    def run(self):\n        return pymongo.MongoClient(self.configuration['url'])\n",
    );
    assert!(found.stores.iter().all(|store| !store.strong));
}

#[test]
fn settings_of_django() {
    let found = facts(
        "//- shop/settings.py\nimport os\nDATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', 'HOST': os.environ['DB_HOST']}}\nCACHES = {'default': {'BACKEND': 'django.core.cache.backends.locmem.LocMemCache'}}\nMIDDLEWARE = ['django.contrib.sessions.middleware.SessionMiddleware']\nCORS_ALLOW_ALL_ORIGINS = True\nDEBUG = True\n",
    );
    assert_eq!(stores(&found), [one("postgresql", true, "DB_HOST")]);
    assert_eq!(found.auth[0].kind, "session");
    assert!(found.cors[0].wildcard);
    let kinds: Vec<SignalKind> = found.signals.iter().map(|signal| signal.kind).collect();
    assert!(kinds.contains(&SignalKind::DebugEnabled) && kinds.contains(&SignalKind::InMemoryState));
}

#[test]
fn alembic() {
    let found = facts(
        "//- api/alembic.ini\n[alembic]\nscript_location = app/migrations\n//- api/app/migrations/versions/b.py\nfrom alembic import op\nimport sqlalchemy as sa\nrevision: str = 'bbbb'\ndown_revision = 'aaaa'\ndef upgrade():\n    op.create_table('rooms', sa.Column('id', sa.Integer()))\n    op.add_column('users', sa.Column('age', sa.Integer(), nullable=False))\n    op.create_index('ix', 'rooms', ['id'], postgresql_concurrently=True)\n    op.execute('CREATE EXTENSION IF NOT EXISTS vector')\ndef downgrade():\n    pass\n",
    );
    assert_eq!(
        found.migrations[0]
            .dir
            .as_ref()
            .map(playbook_core::path::RelPath::as_str),
        Some("api/app/migrations")
    );
    let revision = &found.revisions[0];
    assert_eq!((revision.id.as_str(), revision.reversible), ("bbbb", Some(false)));
    assert_eq!(revision.dir.as_str(), "api/app/migrations");
    let steps: Vec<(OperationKind, String)> = revision
        .operations
        .iter()
        .map(|step| {
            (
                step.kind,
                step.object.as_ref().map(ToString::to_string).unwrap_or_default(),
            )
        })
        .collect();
    let expected = [
        (OperationKind::CreateTable, "rooms"),
        (OperationKind::AddColumnNotNull, "users.age"),
        (OperationKind::CreateIndexConcurrently, "rooms"),
        (OperationKind::CreateExtension, "vector"),
    ];
    assert_eq!(steps, expected.map(|(kind, object)| (kind, object.to_owned())));
}

#[test]
fn django_migrations() {
    let found = facts(
        "//- manage.py\nimport os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\n//- shop/migrations/0002_x.py\nfrom django.db import migrations, models\nclass Migration(migrations.Migration):\n    operations = [\n        migrations.AddField(model_name='order', name='note', field=models.TextField(null=True)),\n        migrations.RunPython(forwards),\n    ]\n",
    );
    assert_eq!(
        found.migrations[0]
            .command
            .as_ref()
            .map(playbook_core::harmless::CommandLine::as_str),
        Some("python manage.py migrate")
    );
    assert_eq!(found.revisions[0].id.as_str(), "shop.0002_x");
    assert_eq!(found.revisions[0].reversible, Some(false));
    assert_eq!(found.revisions[0].operations[0].kind, OperationKind::AddColumn);
}

#[test]
fn interfaces_and_authentication() {
    let found = facts(
        "//- main.py\nimport jwt\nimport sentry_sdk\nfrom fastapi import FastAPI, UploadFile\nfrom fastapi.middleware.cors import CORSMiddleware\nfrom fastapi.security import OAuth2PasswordBearer\napp = FastAPI(docs_url=None)\napp.add_middleware(CORSMiddleware, allow_origins=['https://a.example', settings.ORIGIN], allow_credentials=True)\nscheme = OAuth2PasswordBearer(tokenUrl='x')\n@app.post('/file')\ndef load(file: UploadFile): return jwt.decode(file)\n",
    );
    let auth: Vec<&str> = found.auth.iter().map(|auth| auth.kind.as_str()).collect();
    assert_eq!(auth, ["oauth2", "jwt"]);
    assert_eq!(found.cors[0].origins[0], "https://a.example");
    assert_eq!(found.cors[0].variables[0], "ORIGIN");
    assert!(found.cors[0].credentials);
    assert_eq!(
        found.api_specs[0]
            .served_at
            .as_ref()
            .map(playbook_core::shown::Shown::as_str),
        Some("/openapi.json")
    );
    let kinds: Vec<InterfaceKind> = found.interfaces.iter().map(|interface| interface.kind).collect();
    assert_eq!(kinds, [InterfaceKind::Upload]);
    assert_eq!(found.external_services[0].kind, "sentry");
    let tests = facts("//- tests/test_a.py\nimport jwt\njwt.encode({}, 'k')\n");
    assert!(tests.auth.is_empty());
}

#[test]
fn gunicorn_settings() {
    let found = facts(
        "//- gunicorn.conf.py\nimport os\nbind = '0.0.0.0:' + os.getenv('PORT', '8010')\nworkers = 3\n",
    );
    let entry = &found.entry_points[0];
    assert_eq!(
        (
            entry.port,
            entry
                .port_variable
                .as_ref()
                .map(playbook_core::harmless::EnvName::as_str)
        ),
        (Some(8010), Some("PORT"))
    );
}
