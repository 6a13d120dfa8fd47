//! Inventories made by hand, for tests of the planner.

use playbook_core::evidence::{Confidence, Evidence, Scope};
use playbook_core::harmless::{CommandLine, CommitId, Name, UrlPath, Version};
use playbook_core::inventory::{
    AuthFact, Build, CiFile, Commands, Container, CopyStep, Datastore, Dependency, EnvironmentVariable,
    ExternalService, HealthCheck, Infrastructure, Inventory, Manifest, Migration, Operation, OperationKind,
    Probe, PublishedPort, ReadSite, Revision, Role, Route, Runtime, Service, Signal, SignalKind, Stack,
    Stage, Unit, UnitVariable, VariableOrigin, VariableSource, Vcs, VersionPin,
};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use crate::context::{Context, Settings};
use crate::render::Templates;
use crate::target::Targets;

/// The day on which the tests' plans are made.
pub(crate) const DAY: &str = "2026-11-20";

/// A context for a target, with nothing said by the user.
pub(crate) fn context(target: &str) -> Context {
    context_for(
        &Inventory::empty(),
        Settings {
            target: Some(target.to_owned()),
            ..Settings::default()
        },
    )
}

/// A context for an inventory and settings; the day is [`DAY`] unless they name one.
pub(crate) fn context_for(inventory: &Inventory, mut settings: Settings) -> Context {
    settings.date.get_or_insert_with(|| DAY.to_owned());
    let targets = Targets::load(&Templates::default()).expect("the templates' folder is in order");
    Context::new(inventory, settings, &targets).expect("the settings are in order")
}

pub(crate) fn path(text: &str) -> RelPath {
    RelPath::new(text).expect("a path inside the root")
}

pub(crate) fn at(file: &str, line: u32) -> Evidence {
    Evidence::at(&path(file), line)
}

pub(crate) fn name(text: &str) -> Shown {
    Name::parse(Raw::new(text)).expect("a name").into()
}

pub(crate) fn version(text: &str) -> Shown {
    Version::parse(Raw::new(text)).expect("a version").into()
}

pub(crate) fn command(text: &str) -> CommandLine {
    CommandLine::parse(Raw::new(text)).expect("a command")
}

pub(crate) fn url_path(text: &str) -> Shown {
    UrlPath::parse(Raw::new(text)).expect("a URL path").into()
}

/// A variable of production that code reads.
pub(crate) fn variable(id: &str, required: bool, secret: bool, file: &str, line: u32) -> EnvironmentVariable {
    EnvironmentVariable {
        name: name(id),
        required,
        secret,
        documented: false,
        default: None,
        services: vec![name("backend")],
        description: None,
        scope: Scope::Production,
        build_time: false,
        one_of: None,
        placeholder: false,
        min_length: None,
        configures: None,
        sites: vec![ReadSite {
            origin: VariableOrigin::Code,
            required,
            has_default: !required,
            evidence: vec![at(file, line)],
        }],
        evidence: vec![at(file, line)],
    }
}

pub(crate) fn unit_variable(id: &str, source: VariableSource, file: &str, line: u32) -> UnitVariable {
    UnitVariable {
        name: name(id),
        source,
        value: None,
        reference: None,
        evidence: vec![at(file, line)],
    }
}

pub(crate) fn datastore(id: &str, kind: &str, role: &str, file: &str, line: u32) -> Datastore {
    Datastore {
        id: name(id),
        kind: name(kind),
        role: name(role),
        version: None,
        image: None,
        used_by: Vec::new(),
        managed: None,
        scope: Scope::Production,
        confidence: Confidence::Stated,
        unit: None,
        drivers: Vec::new(),
        variables: Vec::new(),
        names: Vec::new(),
        extensions: Vec::new(),
        collections: Vec::new(),
        alternatives: Vec::new(),
        evidence: vec![at(file, line)],
    }
}

pub(crate) fn dockerfile(file: &str) -> Container {
    Container {
        kind: name("dockerfile"),
        path: path(file),
        base_images: Vec::new(),
        stages: Vec::new(),
        user: None,
        user_line: None,
        exposed_ports: Vec::new(),
        healthcheck: None,
        healthcheck_line: None,
        entrypoint: None,
        entrypoint_shell: false,
        entrypoint_line: None,
        command: None,
        command_shell: false,
        command_line: None,
        workdir: None,
        arguments: Vec::new(),
        variables: Vec::new(),
        copies: Vec::new(),
        runs: Vec::new(),
        run_lines: Vec::new(),
        run_stages: Vec::new(),
        targets: Vec::new(),
        dockerignore: None,
        scope: Scope::Production,
        last_line: 1,
        evidence: vec![at(file, 1)],
    }
}

pub(crate) fn stack(kind: &str, files: &[&str], units: Vec<Unit>) -> Stack {
    Stack {
        kind: name(kind),
        files: files.iter().map(|file| path(file)).collect(),
        scope: Scope::Production,
        name: None,
        units,
        volumes: Vec::new(),
        networks: Vec::new(),
        outside_secrets: Vec::new(),
        outside_networks: Vec::new(),
        groups: Vec::new(),
        confirmed_by: Vec::new(),
        evidence: files.iter().map(|file| at(file, 1)).collect(),
    }
}

/// A repository as they often are: an API in Python whose image holds a compiled front end, PostgreSQL, a proxy, a
/// migration that runs in a job of its own, a deployment with Compose.
pub(crate) fn api_with_database() -> Inventory {
    let mut inventory = Inventory::empty();
    inventory.project.name = Some(name("bookings"));
    inventory.project.vcs = Vcs {
        commit: Some(
            CommitId::parse(Raw::new("0f1e2d3c4b5a69788796a5b4c3d2e1f001234567"))
                .expect("a commit")
                .into(),
        ),
        branch: Some(name("main")),
        remote: Some(name("git.example.org/acme/bookings")),
    };

    let mut backend = Service::new(name("backend"), name("backend"), path("backend"), Role::Web);
    backend.language = Some(name("python"));
    backend.runtime = Runtime {
        name: Some(name("python")),
        version: Some(version("3.12")),
        version_source: Some(at("backend/pyproject.toml", 5)),
    };
    backend.frameworks = vec![name("fastapi")];
    backend.ports = vec![8000];
    backend.port_confidence = Confidence::Convention;
    backend.commands = Commands {
        start: Some(command("fastapi run --workers 4")),
        migrate: Some(command("alembic upgrade head")),
        ..Commands::default()
    };
    backend.start_evidence = Some(at("backend/Dockerfile", 30));
    backend.entry_point = Some(name("app.main:app"));
    backend.health_checks = vec![url_path("/api/health")];
    backend.health = vec![HealthCheck {
        path: url_path("/api/health"),
        checks: Vec::new(),
        shallow: true,
        authenticated: false,
        development_only: false,
        evidence: vec![at("backend/app/health.py", 9)],
    }];
    backend.dockerfile = Some(path("backend/Dockerfile"));
    backend.docker_context = Some(RelPath::root());
    backend.depends_on = vec![name("db")];
    backend.workers = Some(4);
    backend.manifest = Some(path("backend/pyproject.toml"));
    backend.package_manager = Some(name("uv"));
    backend.evidence = vec![at("compose.yml", 40), at("backend/Dockerfile", 12)];
    let mut prestart = Service::new(name("prestart"), name("prestart"), path("backend"), Role::Job);
    prestart.language = Some(name("python"));
    prestart.commands.start = Some(command("bash scripts/prestart.sh"));
    prestart.dockerfile = Some(path("backend/Dockerfile"));
    prestart.depends_on = vec![name("db")];
    prestart.evidence = vec![at("backend/scripts/prestart.sh", 4)];
    let mut proxy = Service::new(name("proxy"), name("proxy"), RelPath::root(), Role::Proxy);
    proxy.image = Some(name("traefik:3.6"));
    proxy.ports = vec![80, 443];
    proxy.evidence = vec![at("compose.yml", 3)];
    inventory.services = vec![backend, prestart, proxy];

    let mut db = datastore("db", "postgresql", "database", "compose.yml", 20);
    db.version = Some(version("17"));
    db.image = Some(name("postgres:17"));
    db.used_by = vec![name("backend"), name("prestart")];
    db.unit = Some(name("db"));
    db.variables = vec![name("DATABASE_URL")];
    db.drivers = vec![name("psycopg")];
    inventory.datastores = vec![db];

    let mut web = Unit::new(name("backend"), name("service"));
    web.service = Some(name("backend"));
    web.build = Some(Build {
        context: Some(RelPath::root()),
        dockerfile: Some(path("backend/Dockerfile")),
        target: None,
        arguments: Vec::new(),
    });
    web.variables = vec![
        unit_variable("DATABASE_URL", VariableSource::Composed, "compose.yml", 50),
        unit_variable("SECRET_KEY", VariableSource::Required, "compose.yml", 51),
        unit_variable("DOMAIN", VariableSource::Required, "compose.yml", 52),
    ];
    web.depends_on = vec![Dependency {
        unit: name("db"),
        condition: Some(name("service_healthy")),
        evidence: vec![at("compose.yml", 44)],
    }];
    web.probes = vec![Probe {
        kind: name("health"),
        command: Some(command("curl -f http://localhost:8000/api/health")),
        path: Some(url_path("/api/health")),
        port: Some(8000),
        interval: Some(name("10s")),
        timeout: None,
        retries: Some(5),
        start_period: None,
        evidence: vec![at("compose.yml", 60)],
    }];
    web.restart = Some(name("always"));
    web.evidence = vec![at("compose.yml", 40)];
    let mut database = Unit::new(name("db"), name("service"));
    database.datastore = Some(name("db"));
    database.image = Some(name("postgres:17"));
    database.variables = vec![unit_variable(
        "POSTGRES_PASSWORD",
        VariableSource::Required,
        "compose.yml",
        25,
    )];
    database.evidence = vec![at("compose.yml", 20)];
    let mut edge = Unit::new(name("proxy"), name("service"));
    edge.service = Some(name("proxy"));
    edge.image = Some(name("traefik:3.6"));
    edge.ports = vec![PublishedPort {
        host: Some(443),
        address: None,
        container: 443,
        published: true,
        evidence: vec![at("compose.deploy.yml", 7)],
    }];
    edge.evidence = vec![at("compose.yml", 3)];
    let mut compose = stack(
        "docker-compose",
        &["compose.yml", "compose.deploy.yml"],
        vec![edge, database, web],
    );
    compose.volumes = vec![name("db-data")];
    compose.confirmed_by = vec![at("DEPLOY.md", 12)];
    inventory.stacks = vec![compose];
    inventory.infrastructure = vec![Infrastructure {
        kind: name("docker-compose"),
        path: path("compose.deploy.yml"),
        scope: Scope::Production,
        evidence: vec![at("compose.deploy.yml", 1)],
    }];

    let mut image = dockerfile("backend/Dockerfile");
    image.base_images = vec![name("node:22"), name("python:3.12-slim")];
    image.stages = vec![
        Stage {
            name: Some(name("frontend")),
            base: Some(name("node:22")),
            line: 1,
        },
        Stage {
            name: None,
            base: Some(name("python:3.12-slim")),
            line: 12,
        },
    ];
    image.command = Some(command("fastapi run --workers 4"));
    image.command_line = Some(30);
    image.last_line = 30;
    image.copies = vec![CopyStep {
        from: Some(name("frontend")),
        sources: vec![name("dist")],
        destination: Some(name("app/static")),
        chown: false,
        line: 25,
        stage: 1,
    }];
    inventory.containers = vec![image];

    let mut key = variable("SECRET_KEY", true, true, "backend/app/config.py", 20);
    key.placeholder = true;
    key.min_length = Some(32);
    let mut url = variable("DATABASE_URL", true, true, "backend/app/config.py", 21);
    url.configures = Some(name("postgresql"));
    let mut password = variable("POSTGRES_PASSWORD", true, true, "compose.yml", 25);
    password.services = vec![name("db")];
    password.sites = vec![ReadSite {
        origin: VariableOrigin::Interpolation,
        required: true,
        has_default: false,
        evidence: vec![at("compose.yml", 25)],
    }];
    let domain = variable("DOMAIN", true, false, "backend/app/config.py", 22);
    let mut level = variable("LOG_LEVEL", false, false, "backend/app/config.py", 23);
    level.default = Some(name("info"));
    let mut documented = variable("MAIL_CATCHER", false, false, ".env.example", 4);
    documented.documented = true;
    documented.services = Vec::new();
    documented.sites = vec![ReadSite {
        origin: VariableOrigin::File,
        required: false,
        has_default: true,
        evidence: vec![at(".env.example", 4)],
    }];
    inventory.environment = vec![key, url, password, domain, level, documented];

    inventory.migrations = vec![Migration {
        tool: name("alembic"),
        path: path("backend/app/alembic/versions"),
        command: Some(command("alembic upgrade head")),
        rollback: Some(command("alembic downgrade -1")),
        status: Some(command("alembic current")),
        count: 2,
        service: Some(name("backend")),
        datastore: Some(name("postgresql")),
        at_start: false,
        run_by: vec![at("backend/scripts/prestart.sh", 10)],
        heads: vec![name("b2")],
        revisions: vec![
            Revision {
                id: name("a1"),
                path: path("backend/app/alembic/versions/a1_first.py"),
                parents: Vec::new(),
                operations: vec![Operation {
                    kind: OperationKind::CreateTable,
                    object: Some(name("booking")),
                    evidence: vec![at("backend/app/alembic/versions/a1_first.py", 20)],
                }],
                reversible: Some(true),
            },
            Revision {
                id: name("b2"),
                path: path("backend/app/alembic/versions/b2_second.py"),
                parents: vec![name("a1")],
                operations: vec![Operation {
                    kind: OperationKind::DropColumn,
                    object: Some(name("booking.note")),
                    evidence: vec![at("backend/app/alembic/versions/b2_second.py", 18)],
                }],
                reversible: Some(false),
            },
        ],
        evidence: vec![at("backend/alembic.ini", 1)],
    }];
    inventory.manifests = vec![Manifest {
        kind: name("pyproject.toml"),
        path: path("backend/pyproject.toml"),
        lockfile: Some(path("backend/uv.lock")),
        other_lockfiles: Vec::new(),
        package_manager: Some(name("uv")),
        scope: Scope::Production,
        evidence: vec![at("backend/pyproject.toml", 1)],
    }];
    inventory.auth = vec![AuthFact {
        kind: name("jwt"),
        evidence: vec![at("backend/app/security.py", 14)],
    }];
    inventory.external_services = vec![ExternalService {
        kind: name("sentry"),
        category: name("errors"),
        scope: Scope::Production,
        variables: vec![name("SENTRY_DSN")],
        evidence: vec![at("backend/app/main.py", 18)],
    }];
    inventory.ci = vec![CiFile {
        kind: name("github-actions"),
        path: path(".github/workflows/test.yml"),
        deploys: false,
        triggers: vec![name("push")],
        evidence: vec![at(".github/workflows/test.yml", 1)],
    }];
    inventory.routes = vec![Route {
        framework: None,
        method: name("GET"),
        path: url_path("/api/health"),
        complete: true,
        service: Some(name("backend")),
        authenticated: Some(false),
        touches: Vec::new(),
        evidence: vec![at("backend/app/health.py", 9)],
    }];
    inventory.signals = vec![Signal {
        kind: SignalKind::PasswordHash,
        subject: Some(name("argon2")),
        service: Some(name("backend")),
        scope: Scope::Production,
        evidence: vec![at("backend/app/security.py", 11)],
    }];
    inventory.version_pins = vec![VersionPin {
        tool: name("python"),
        version: version("3.12"),
        path: path("backend"),
        scope: Scope::Production,
        evidence: vec![at("backend/pyproject.toml", 5)],
    }];
    inventory.sort();
    inventory
}
