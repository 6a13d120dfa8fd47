use playbook_core::evidence::Scope;

use super::*;
use crate::testing::facts;

const TWO_STAGES: &str = "//- api/Dockerfile
ARG PYTHON_VERSION=3.12
FROM node:22-alpine AS web
ARG API_ADDRESS
RUN npm ci && \\
    npm run build
FROM python:${PYTHON_VERSION}-slim
COPY --from=ghcr.io/astral-sh/uv:0.9.26 /uv /bin/
ENV PORT=8000 \\
    SECRET_KEY=hunter2hunter2 \\
    PATH=/opt/bin:$PATH
WORKDIR /srv
RUN pip install poetry==2.1.1
COPY --chown=app . .
COPY --from=web /dist ./static
USER app:app
EXPOSE $PORT 9000/udp
HEALTHCHECK CMD curl -f http://localhost:8000/health || exit 1
CMD gunicorn app:app --bind 0.0.0.0:$PORT --workers ${WORKERS:-2}
";

#[test]
fn a_container_with_all_it_says() {
    let facts = facts(&DETECTOR, TWO_STAGES);
    let container = &facts.containers[0];
    assert_eq!(container.base_images, ["node:22-alpine", "python:3.12-slim"]);
    assert_eq!(container.stages[0].name.as_ref().map(Shown::as_str), Some("web"));
    assert_eq!(container.user.as_ref().map(Shown::as_str), Some("app:app"));
    assert_eq!(
        (container.user_line, container.command_line),
        (Some(15), Some(18))
    );
    assert_eq!(container.exposed_ports, [8000]);
    assert!(container.command_shell);
    assert_eq!(container.workdir.as_ref().map(Shown::as_str), Some("/srv"));
    assert_eq!(
        container.healthcheck.as_ref().map(CommandLine::as_str),
        Some("curl -f http://localhost:8000/health || exit 1")
    );
    let runs: Vec<(&str, u32, u32)> = container
        .runs
        .iter()
        .zip(&container.run_lines)
        .zip(&container.run_stages)
        .map(|((run, line), stage)| (run.as_str(), *line, *stage))
        .collect();
    assert_eq!(
        runs,
        [
            ("npm ci", 4, 0),
            ("npm run build", 5, 0),
            ("pip install poetry==2.1.1", 12, 1)
        ]
    );
    assert_eq!(container.copies.len(), 3);
    assert_eq!(container.copies[2].from.as_ref().map(Shown::as_str), Some("web"));
    assert!(container.copies[1].chown);
    assert_eq!(container.scope, Scope::Production);
}

#[test]
fn variables_and_secrets() {
    let facts = facts(&DETECTOR, TWO_STAGES);
    let names: Vec<(&str, VariableOrigin, bool, bool)> = facts
        .variables
        .iter()
        .map(|fact| (fact.name.as_str(), fact.origin, fact.has_default, fact.build_time))
        .collect();
    assert_eq!(
        names,
        [
            ("PORT", VariableOrigin::Image, true, false),
            ("SECRET_KEY", VariableOrigin::Image, true, false),
            ("API_ADDRESS", VariableOrigin::Image, false, true),
            ("PORT", VariableOrigin::Script, true, false),
            ("WORKERS", VariableOrigin::Script, true, false),
        ]
    );
    assert_eq!(facts.committed_secrets.len(), 1);
    assert_eq!(facts.committed_secrets[0].evidence[0].line, Some(9));
    assert!(facts.withheld.is_in("hunter2hunter2"));
    assert!(!format!("{:?}", facts.containers).contains("hunter2"));
}

#[test]
fn versions() {
    let facts = facts(&DETECTOR, TWO_STAGES);
    let pins: Vec<(&str, &str, Option<u32>)> = facts
        .version_pins
        .iter()
        .map(|pin| (pin.tool.as_str(), pin.version.as_str(), pin.evidence[0].line))
        .collect();
    for pin in [
        ("python", "3.12", Some(6)),
        ("node", "22", Some(2)),
        ("uv", "0.9.26", Some(7)),
        ("poetry", "2.1.1", Some(12)),
    ] {
        assert!(pins.contains(&pin), "{pin:?} in {pins:?}");
    }
}

#[test]
fn the_runtime_inside_an_image_of_another_name() {
    let pins = |image: &str| {
        let facts = facts(&DETECTOR, &format!("//- Dockerfile\nFROM {image}\n"));
        facts
            .version_pins
            .iter()
            .map(|pin| format!("{} {}", pin.tool, pin.version))
            .collect::<Vec<_>>()
    };
    assert_eq!(pins("maven:3.9-eclipse-temurin-17"), ["maven 3.9", "jvm 17"]);
    assert_eq!(pins("eclipse-temurin:21-jre-alpine"), ["jvm 21"]);
    assert_eq!(pins("dunglas/frankenphp:1-php8.3"), ["php 8.3"]);
    assert_eq!(pins("mcr.microsoft.com/dotnet/aspnet:8.0"), ["dotnet 8.0"]);
    assert_eq!(
        pins("golang:1.22-alpine@sha256:0000000000000000000000000000000000000000000000000000000000000000"),
        ["go 1.22"]
    );
    assert_eq!(pins("node:lts-alpine"), ["node lts"]);
    assert_eq!(pins("debian:12"), [] as [&str; 0]);
}

#[test]
fn development_by_name_or_by_what_it_runs() {
    for text in [
        "//- Dockerfile.dev\nFROM node:22\nCMD [\"node\", \"x.js\"]\n",
        "//- Dockerfile\nFROM node:22\nCMD [\"npm\", \"run\", \"dev\"]\n",
        "//- Dockerfile\nFROM python:3.12\nCMD uvicorn app:app --reload\n",
        "//- .devcontainer/Dockerfile\nFROM node:22\n",
        "//- e2e/Dockerfile\nFROM node:22\nCMD [\"node\", \"x.js\"]\n",
    ] {
        assert_eq!(
            facts(&DETECTOR, text).containers[0].scope,
            Scope::Development,
            "{text}"
        );
    }
    let text =
        "//- Dockerfile\nFROM node:22 AS dev\nCMD npm run dev\nFROM node:22\nCMD [\"node\", \"x.js\"]\n";
    assert_eq!(facts(&DETECTOR, text).containers[0].scope, Scope::Production);
}

#[test]
fn names() {
    let wanted = |path: &str| wants(&RelPath::new(path).expect("a plain path"));
    for path in [
        "Dockerfile",
        "a/Dockerfile.worker",
        "api.Dockerfile",
        "Containerfile",
        "docker/api.dockerfile",
        "Dockerfile-worker",
    ] {
        assert!(wanted(path), "{path}");
    }
    for path in [
        "Dockerfile.dockerignore",
        "Dockerfile.md",
        "dockerfiles.txt",
        "check_dockerfile.sh",
        "Dockerfile.j2",
    ] {
        assert!(!wanted(path), "{path}");
    }
}

#[test]
fn nothing_from_an_empty_file() {
    assert!(
        facts(&DETECTOR, "//- Dockerfile\n# FROM python:3.12\n")
            .containers
            .is_empty()
    );
}
