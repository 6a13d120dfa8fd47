use playbook_core::inventory::{MountKind, SignalKind, Unit, VariableSource};

use super::*;
use crate::testing::facts;

fn unit<'a>(facts: &'a Facts, name: &str) -> &'a Unit {
    facts.stacks[0]
        .units
        .iter()
        .find(|unit| unit.name == *name)
        .expect("the unit is there")
}

const WHOLE: &str = "//- deploy/compose.yml
name: shop
x-env: &env
  LOG_LEVEL: info
services:
  api:
    build:
      context: ../api
      dockerfile: docker/Dockerfile
      target: runtime
      args:
        - BUILD_ID=7
    image: registry.example.com/shop/api:${TAG:-1.4}
    command: [\"sh\", \"-c\", \"exec gunicorn app:app --bind 0.0.0.0:$${PORT}\"]
    ports:
      - \"127.0.0.1:${HOST_PORT:-8080}:8000\"
      - target: 9000
        published: 9001
        host_ip: 0.0.0.0
    expose: [9100]
    environment:
      <<: *env
      DATABASE_URL: postgresql://shop:${DB_PASSWORD:?set it}@db:5432/shop
      SECRET_KEY: ${SECRET_KEY:?}
      WORKERS: ${WORKERS:-4}
      API_KEY: hunter2hunter2
      PASSED_ON:
    env_file:
      - ../.env
      - path: ./extra.env
        required: false
    depends_on:
      db:
        condition: service_healthy
    volumes:
      - uploads:/srv/uploads
      - ./conf:/etc/api:ro
      - /var/run/docker.sock:/var/run/docker.sock
    healthcheck:
      test: [\"CMD\", \"curl\", \"-f\", \"http://localhost:8000/health\"]
      interval: 10s
      retries: 3
    deploy:
      replicas: 2
      resources:
        limits: {memory: 512M, cpus: '0.5'}
    labels:
      - traefik.http.routers.api.rule=Host(`api.${DOMAIN:-example.com}`) && PathPrefix(`/v1`)
    restart: unless-stopped
    user: 1000:1000
    logging:
      options: {max-size: 10m}
  worker:
    extends: api
    command: celery -A app worker
    profiles: [jobs]
  db:
    image: postgres:16.4-alpine
    environment:
      - POSTGRES_DB=shop
      - POSTGRES_PASSWORD=${DB_PASSWORD:?set it}
volumes:
  uploads:
";

#[test]
fn units() {
    let facts = facts(&DETECTOR, WHOLE);
    let stack = &facts.stacks[0];
    assert_eq!(stack.name.as_ref().map(Shown::as_str), Some("shop"));
    assert_eq!(stack.scope, Scope::Production);
    let api = unit(&facts, "api");
    let build = api.build.as_ref().expect("it is built");
    assert_eq!(build.context.as_ref().map(RelPath::as_str), Some("api"));
    assert_eq!(
        build.dockerfile.as_ref().map(RelPath::as_str),
        Some("api/docker/Dockerfile")
    );
    assert_eq!(
        api.image.as_ref().map(Shown::as_str),
        Some("registry.example.com/shop/api:1.4")
    );
    assert_eq!(
        api.command
            .as_ref()
            .map(playbook_core::harmless::CommandLine::as_str),
        Some("sh -c \"exec gunicorn app:app --bind 0.0.0.0:${PORT}\"")
    );
    let ports: Vec<_> = api
        .ports
        .iter()
        .map(|port| {
            (
                port.host,
                port.address.as_ref().map(Shown::as_str),
                port.container,
                port.published,
            )
        })
        .collect();
    assert_eq!(
        ports,
        [
            (Some(8080), Some("127.0.0.1"), 8000, true),
            (Some(9001), Some("0.0.0.0"), 9000, true),
            (None, None, 9100, false)
        ]
    );
    let kinds: Vec<_> = api
        .mounts
        .iter()
        .map(|mount| (mount.kind, mount.read_only))
        .collect();
    assert_eq!(
        kinds,
        [
            (MountKind::Volume, false),
            (MountKind::Bind, true),
            (MountKind::Bind, false)
        ]
    );
    assert!(api.engine_socket && api.log_rotation && !api.privileged);
    assert_eq!(
        api.env_files.iter().map(RelPath::as_str).collect::<Vec<_>>(),
        [".env", "deploy/extra.env"]
    );
    assert_eq!(
        api.depends_on[0].condition.as_ref().map(Shown::as_str),
        Some("service_healthy")
    );
    assert_eq!(api.probes[0].path.as_ref().map(Shown::as_str), Some("/health"));
    assert_eq!((api.probes[0].port, api.probes[0].retries), (Some(8000), Some(3)));
    assert_eq!(
        (api.replicas, api.memory.as_ref().map(Shown::as_str)),
        (Some(2), Some("512M"))
    );
    assert_eq!(
        api.domains.iter().map(Shown::as_str).collect::<Vec<_>>(),
        ["api.${DOMAIN:-example.com}"]
    );
    assert_eq!(api.user.as_ref().map(Shown::as_str), Some("1000:1000"));
    let worker = unit(&facts, "worker");
    assert_eq!(worker.build, api.build);
    assert_eq!(worker.profiles.len(), 1);
    assert_eq!(
        worker
            .command
            .as_ref()
            .map(playbook_core::harmless::CommandLine::as_str),
        Some("celery -A app worker")
    );
}

#[test]
fn variables_of_a_unit() {
    let facts = facts(&DETECTOR, WHOLE);
    let variables: Vec<_> = unit(&facts, "api")
        .variables
        .iter()
        .map(|variable| {
            (
                variable.name.as_str(),
                variable.source,
                variable.value.as_ref().map(Shown::as_str),
                variable.evidence[0].line,
            )
        })
        .collect();
    assert_eq!(
        variables,
        [
            ("DATABASE_URL", VariableSource::Composed, None, Some(22)),
            ("SECRET_KEY", VariableSource::Required, None, Some(23)),
            ("WORKERS", VariableSource::WithDefault, Some("4"), Some(24)),
            ("API_KEY", VariableSource::Withheld, None, Some(25)),
            ("PASSED_ON", VariableSource::Interpolated, None, Some(26)),
            ("LOG_LEVEL", VariableSource::Literal, Some("info"), Some(3)),
        ]
    );
    let interpolated: Vec<_> = facts
        .variables
        .iter()
        .filter(|fact| fact.origin == VariableOrigin::Interpolation)
        .map(|fact| (fact.name.as_str(), fact.required, fact.has_default))
        .collect();
    assert!(interpolated.contains(&("DB_PASSWORD", true, false)));
    assert!(interpolated.contains(&("TAG", false, true)));
    assert!(
        !interpolated.iter().any(|(name, ..)| *name == "PORT"),
        "$$ is an escape"
    );
    // A datastore's own variables are no settings of the software.
    assert!(
        !facts
            .variables
            .iter()
            .any(|fact| fact.name.as_str() == "POSTGRES_DB")
    );
    assert!(
        facts
            .committed_secrets
            .iter()
            .any(|secret| secret.evidence[0].line == Some(25))
    );
    assert!(facts.withheld.is_in("hunter2hunter2"));
    assert!(!format!("{:?}", facts.stacks).contains("hunter2"));
}

#[test]
fn datastores() {
    let facts = facts(&DETECTOR, WHOLE);
    let stores: Vec<_> = facts
        .stores
        .iter()
        .map(|store| {
            (
                store.kind.as_str(),
                store
                    .version
                    .as_ref()
                    .map(playbook_core::harmless::Version::as_str),
                store.variable.as_ref().map(EnvName::as_str),
                store.name.as_ref().map(Name::as_str),
            )
        })
        .collect();
    assert!(
        stores.contains(&("postgresql", Some("16.4"), None, Some("shop"))),
        "{stores:?}"
    );
    assert!(
        stores.contains(&("postgresql", None, Some("DATABASE_URL"), None)),
        "{stores:?}"
    );
}

#[test]
fn development_by_content() {
    for text in [
        "# For local development\nservices:\n  a:\n    build: .\n",
        "services:\n  a:\n    build: .\n    command: npm run dev\n    volumes: ['.:/app']\n",
        "services:\n  a:\n    build: .\n    environment:\n      NODE_ENV: development\n",
        "services:\n  a:\n    build: {context: ., dockerfile: Dockerfile.dev}\n",
        "services:\n  a:\n    build: {context: ., target: dev}\n",
        "services:\n  mail:\n    image: axllent/mailpit\n  db:\n    image: postgres:16\n",
    ] {
        let facts = facts(&DETECTOR, &format!("//- compose.yml\n{text}"));
        assert_eq!(facts.stacks[0].scope, Scope::Development, "{text}");
    }
    for (path, text) in [
        (
            "compose.yml",
            "services:\n  a:\n    build: .\n    command: npm start\n",
        ),
        (
            "compose.yml",
            "services:\n  a:\n    build: .\n  mail:\n    image: axllent/mailpit\n",
        ),
        (
            "compose.prod.yml",
            "# not for development\nservices:\n  a:\n    build: .\n",
        ),
        ("docker-compose.yml", "services:\n  db:\n    image: postgres:16\n"),
    ] {
        let facts = facts(&DETECTOR, &format!("//- {path}\n{text}"));
        assert_eq!(facts.stacks[0].scope, Scope::Production, "{text}");
    }
}

#[test]
fn unsafe_settings_are_signals() {
    let facts = facts(
        &DETECTOR,
        "//- compose.yml
services:
  db:
    image: postgres:16
    command: postgres -c fsync=off
    environment:
      POSTGRES_HOST_AUTH_METHOD: trust
",
    );
    let signals: Vec<_> = facts
        .signals
        .iter()
        .map(|signal| {
            (
                signal.kind,
                signal.subject.as_ref().map(Shown::as_str),
                signal.evidence[0].line,
            )
        })
        .collect();
    assert_eq!(
        signals,
        [
            (
                SignalKind::DevelopmentSwitch,
                Some("POSTGRES_HOST_AUTH_METHOD=trust"),
                Some(6)
            ),
            (SignalKind::DevelopmentSwitch, Some("fsync=off"), Some(4)),
        ]
    );
}

#[test]
fn a_swarm_stack() {
    let facts = facts(
        &DETECTOR,
        "//- docker-stack.yml\nservices:\n  a:\n    image: x/a:1\n    deploy:\n      replicas: 2\n      update_config: {parallelism: 1}\n",
    );
    assert_eq!(facts.stacks[0].kind, "docker-swarm");
    assert_eq!(facts.infrastructure[0].kind, "docker-swarm");
}

#[test]
fn ports_by_variable_and_extends_of_another_file() {
    let facts = facts(
        &DETECTOR,
        "//- compose.yml\nservices:\n  a:\n    extends: {file: base/common.yml, service: app}\n    ports: ['${APP_PORT}:${APP_PORT}']\n",
    );
    assert_eq!(facts.port_variables[0].variable.as_str(), "APP_PORT");
    assert_eq!(facts.extends[0].file.as_str(), "base/common.yml");
}

#[test]
fn other_files_with_services_are_none() {
    for (path, text) in [
        (
            ".github/workflows/ci.yml",
            "services:\n  db:\n    image: postgres:16\n",
        ),
        (
            "config/services.yaml",
            "services:\n  App\\Mailer:\n    class: App\\Mailer\n    arguments: ['@x']\n",
        ),
        (
            "k8s/list.yml",
            "apiVersion: v1\nkind: List\nservices:\n  a:\n    image: b\n",
        ),
        (".gitlab-ci.yml", "stages: [test]\nservices:\n  - postgres:16\n"),
        (
            "serverless.yml",
            "provider: {name: aws}\nservices:\n  a:\n    image: x\n",
        ),
        (
            "app.yaml",
            "name: x\nservices:\n- name: api\n  image: {repository: x}\n",
        ),
    ] {
        let facts = facts(&DETECTOR, &format!("//- {path}\n{text}"));
        assert!(facts.stacks.is_empty(), "{path}");
        assert!(facts.stores.is_empty(), "{path}");
    }
    let facts = facts(
        &DETECTOR,
        "//- deploy/stack.yml\nservices:\n  web:\n    image: x/web:1\n",
    );
    assert_eq!(facts.stacks.len(), 1);
}
