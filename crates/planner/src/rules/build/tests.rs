use playbook_core::evidence::Scope;
use playbook_core::finding::Severity;
use playbook_core::inventory::{
    BuildArgument, CiFile, CopyStep, Inventory, Manifest, SignalKind, Stage, VersionPin,
};
use playbook_core::shown::Shown;

use super::super::testing::*;

fn image(base: &'static str) -> Inventory {
    inventory(|all| all.containers.push(dockerfile(base)))
}

fn running(text: &str) -> Inventory {
    let mut all = image("node:24");
    all.containers[0].runs.push(command(text));
    all.containers[0].run_lines.push(5);
    all
}

#[test]
fn unavailable() {
    let id = "image-not-pullable";
    assert_eq!(
        fires(id, &image("minio/minio:RELEASE.2025-01-01"), "compose").severity,
        Severity::Blocker
    );
    assert_eq!(
        fires(id, &image("openjdk:17-slim"), "compose").severity,
        Severity::High
    );
    fires(id, &image("docker.io/bitnami/redis:7"), "compose");
    silent(id, &image("bitnamilegacy/redis:7"), "compose");
    silent(id, &image("eclipse-temurin:21"), "compose");
}

#[test]
fn end_of_life() {
    let id = "base-image-eol";
    assert_eq!(
        fires(id, &image("node:18-alpine"), "compose").evidence,
        [place("Dockerfile", 1)]
    );
    fires(id, &image("python:3.9-slim"), "compose");
    silent(id, &image("node:24"), "compose");
    silent(id, &image("node"), "compose");
    let pinned = |version| inventory(|all| all.version_pins.push(pin("php", version, "composer.json")));
    assert_eq!(
        fires(id, &pinned("8.1.0"), "compose").evidence,
        [place("composer.json", 3)]
    );
    silent(id, &pinned(">=8.1"), "compose");
}

fn pin(tool: &'static str, version: &'static str, file: &str) -> VersionPin {
    VersionPin {
        tool: tool.into(),
        version: version.into(),
        path: path("."),
        scope: Scope::Production,
        evidence: vec![place(file, 3)],
    }
}

#[test]
fn versions() {
    let id = "runtime-version-mismatch";
    let two = |a, b| {
        inventory(|all| all.version_pins = vec![pin("node", a, "Dockerfile"), pin("node", b, ".nvmrc")])
    };
    assert_eq!(
        fires(id, &two("24.1", "22"), "compose").detail,
        "Node.js: 22, 24.1."
    );
    silent(id, &two("24.1", "24.2"), "compose");
    silent(id, &two("24.1", ">=20"), "compose");
    silent(id, &two("24", ">=24.2"), "compose");
    silent(id, &two("18", "^16 || ^18"), "compose");
    fires(id, &two("18.2", ">=20.1"), "compose");
    let python = inventory(|all| {
        all.version_pins = vec![
            pin("python", "3.13", "Dockerfile"),
            pin("python", "3.12", ".python-version"),
        ];
    });
    fires(id, &python, "compose");

    let id = "ci-runtime-differs";
    let ci = |versions: &[&'static str]| {
        inventory(|all| {
            all.version_pins = vec![pin("node", "24", "Dockerfile")];
            all.version_pins.extend(
                versions
                    .iter()
                    .map(|version| pin("node", version, ".github/workflows/ci.yml")),
            );
            all.ci.push(CiFile {
                kind: "github-actions".into(),
                path: path(".github/workflows/ci.yml"),
                deploys: false,
                triggers: vec![],
                evidence: vec![],
            });
        })
    };
    fires(id, &ci(&["22"]), "compose");
    silent(id, &ci(&["22", "24.1"]), "compose");
    silent("runtime-version-mismatch", &ci(&["22"]), "compose");
}

#[test]
fn lockfiles() {
    let id = "lockfile-missing";
    let build = |lock: Option<&str>| {
        inventory(|all| {
            let mut api = web("node x.js");
            api.manifest = Some(path("api/package.json"));
            all.services.push(api);
            all.manifests.push(Manifest {
                kind: "package.json".into(),
                path: path("api/package.json"),
                lockfile: lock.map(path),
                other_lockfiles: Vec::new(),
                package_manager: None,
                scope: Scope::Production,
                evidence: vec![place("api/package.json", 1)],
            });
        })
    };
    fires(id, &build(None), "compose");
    silent(id, &build(Some("api/package-lock.json")), "compose");
    let mut workspace = build(None);
    let mut root = build(Some("pnpm-lock.yaml")).manifests.remove(0);
    root.path = path("package.json");
    workspace.manifests.push(root);
    silent(id, &workspace, "compose");

    let id = "lockfile-not-used";
    assert_eq!(
        fires(id, &running("npm install && npm run build"), "compose").fix,
        "Use `npm ci`."
    );
    fires(id, &running("bun install"), "compose");
    silent(id, &running("npm install -g pnpm"), "compose");
    silent(id, &running("npm ci"), "compose");
    silent(id, &running("uv sync --locked --no-dev"), "compose");
    fires(
        id,
        &inventory(|all| all.signals.push(signal(SignalKind::UnlockedInstall))),
        "compose",
    );
}

fn copy(from: Option<&'static str>, source: &'static str, stage: u32) -> CopyStep {
    CopyStep {
        from: from.map(Shown::from),
        sources: vec![source.into()],
        destination: Some("./".into()),
        chown: false,
        line: 6,
        stage,
    }
}

#[test]
fn content() {
    let id = "dockerignore-missing";
    let mut all = image("node:24");
    all.containers[0].copies.push(copy(None, ".", 0));
    assert_eq!(fires(id, &all, "compose").evidence, [place("Dockerfile", 6)]);
    all.containers[0].dockerignore = Some(path(".dockerignore"));
    silent(id, &all, "compose");

    let id = "dockerignore-lacks-env";
    silent(id, &all, "compose");
    let mut open = signal(SignalKind::EnvFileNotIgnored);
    open.evidence = vec![place(".dockerignore", 1)];
    all.signals.push(open);
    silent(id, &all, "compose");
    all.documented_commands
        .push(playbook_core::inventory::DocumentedCommand {
            command: command("cp .env.example .env"),
            heading: None,
            evidence: vec![],
        });
    assert_eq!(
        fires(id, &all, "compose").evidence,
        [place(".dockerignore", 1), place("Dockerfile", 6)]
    );

    let id = "devdeps-in-prod-image";
    fires(id, &running("npm ci"), "compose");
    silent(id, &running("npm ci --omit=dev"), "compose");
    let mut stages = running("npm ci");
    stages.containers[0].stages.push(Stage {
        name: None,
        base: Some("node:24".into()),
        line: 7,
    });
    silent(id, &stages, "compose");
    let mut group = image("python:3.14");
    group.containers[0].arguments.push(BuildArgument {
        name: "install_groups".into(),
        default: Some("main,dev".into()),
        has_default: true,
        line: 4,
    });
    assert_eq!(fires(id, &group, "compose").severity, Severity::Medium);
}

#[test]
fn c_library() {
    let id = "rust-glibc-mismatch";
    let build = |builder: &'static str, runtime: &'static str| {
        let mut all = image(builder);
        all.containers[0].stages.push(Stage {
            name: None,
            base: Some(runtime.into()),
            line: 7,
        });
        all.containers[0]
            .copies
            .push(copy(Some("builder"), "/app/server", 1));
        all
    };
    fires(id, &build("rust:1.91-trixie", "debian:bookworm-slim"), "compose");
    silent(id, &build("rust:1.91-bookworm", "debian:trixie-slim"), "compose");
    silent(
        id,
        &build("rust:1.91-bookworm", "debian:bookworm-slim"),
        "compose",
    );
    silent(id, &build("node:24-trixie", "debian:bookworm-slim"), "compose");
}
