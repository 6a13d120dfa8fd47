//! Rust: packages, workspaces, programs, toolchains, and what their code does at start.

use std::sync::Arc;

use playbook_core::harmless::{Name, Sentence, Version};
use playbook_core::inventory::{SignalKind, VersionPin};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Ecosystem, Group, Technology};

use super::ecosystem::pin_of_file;
use super::{Detector, ending, syntax_problem};
use crate::fact::{Dependency, EntryKind, EntryPoint, Facts, MigrationFact, ProjectFact, StoreFact};
use crate::parse::toml;
use crate::parse::tree::Node;
use crate::source::Source;

/// `Cargo.toml`, `rust-toolchain(.toml)`, version files, and Rust source.
pub(crate) const DETECTOR: Detector = Detector { wants, detect };

fn wants(path: &RelPath) -> bool {
    matches!(
        path.name(),
        "Cargo.toml" | "rust-toolchain" | "rust-toolchain.toml" | ".rust-version"
    ) || ending(path, &["rs"])
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    match source.path.name() {
        "Cargo.toml" => package(source, facts),
        "rust-toolchain" | "rust-toolchain.toml" => toolchain(source, facts),
        ".rust-version" => pin_of_file(source, facts, "rust"),
        _ => code(source, facts),
    }
}

fn tree(source: &Source<'_>, facts: &mut Facts) -> Option<Arc<Node>> {
    let (tree, problem) = toml::document(source.text);
    if let Some(problem) = problem {
        syntax_problem(source, problem, facts);
    }
    tree
}

fn pin(source: &Source<'_>, text: &str, line: u32, facts: &mut Facts) {
    if let Some(version) = Version::parse(Raw::new(text)) {
        facts.version_pins.push(VersionPin {
            tool: Shown::from("rust"),
            version: version.into(),
            path: source.path.parent(),
            scope: source.scope,
            evidence: vec![source.at(line)],
        });
    }
}

/// A package, a workspace, or both.
fn package(source: &Source<'_>, facts: &mut Facts) {
    let Some(tree) = tree(source, facts) else { return };
    for table in ["package", "workspace"] {
        let keys: &[&str] = if table == "package" {
            &["package", "rust-version"]
        } else {
            &["workspace", "package", "rust-version"]
        };
        if let Some(node) = tree.path(keys) {
            pin(source, node.text().unwrap_or_default(), node.line(), facts);
        }
    }
    let package = tree.get("package");
    let text = |key: &str| package.and_then(|package| package.get(key)).and_then(Node::text);
    let mut dependencies = Vec::new();
    for (table, development) in [
        ("dependencies", false),
        ("dev-dependencies", true),
        ("build-dependencies", true),
    ] {
        let entries = tree.get(table).into_iter().flat_map(Node::entries);
        dependencies_of(source, entries, development, &mut dependencies, facts);
    }
    // `[target.'cfg(unix)'.dependencies]`
    for (_, _, target) in tree.get("target").into_iter().flat_map(Node::entries) {
        dependencies_of(
            source,
            target.get("dependencies").into_iter().flat_map(Node::entries),
            false,
            &mut dependencies,
            facts,
        );
    }
    let declared = tree
        .get("bin")
        .into_iter()
        .flat_map(Node::items)
        .filter_map(|bin| Some((Name::parse(Raw::new(bin.get("name")?.text()?))?, None, bin.line())));
    // Of several programs, the one that runs when none is named.
    let preferred = package
        .and_then(|package| package.get("default-run"))
        .and_then(|node| Some((Name::parse(Raw::new(node.text()?))?, None, node.line())));
    let programs = match preferred {
        Some(preferred) => vec![preferred],
        None => declared.collect(),
    };
    facts.projects.push(ProjectFact {
        dir: source.path.parent(),
        manifest: source.path.clone(),
        ecosystem: "crates",
        language: "rust",
        runtime: "rust",
        name: text("name").and_then(|name| Name::parse(Raw::new(name))),
        archive: None,
        description: text("description")
            .and_then(|text| Sentence::parse(Raw::new(text)))
            .map(Into::into),
        license: text("license").and_then(|text| Name::parse(Raw::new(text))),
        package_manager: Some("cargo"),
        dependencies,
        members: tree
            .path(&["workspace", "members"])
            .into_iter()
            .flat_map(Node::texts)
            .filter_map(|(member, _)| Name::parse(Raw::new(member)))
            .collect(),
        published: None,
        programs,
        scope: source.scope,
        evidence: source.at(package.map_or(1, Node::line)),
    });
}

/// Packages with their versions; features such as `postgres` of sqlx prove a datastore.
fn dependencies_of<'t>(
    source: &Source<'_>,
    entries: impl Iterator<Item = (&'t str, u32, &'t Node)>,
    development: bool,
    out: &mut Vec<Dependency>,
    facts: &mut Facts,
) {
    for (key, line, node) in entries {
        let package = node.get("package").and_then(Node::text).unwrap_or(key);
        let Some(name) = Name::parse(Raw::new(package)) else {
            continue;
        };
        let version = node.text().or_else(|| node.get("version").and_then(Node::text));
        for (feature, at) in node
            .get("features")
            .into_iter()
            .flat_map(Node::texts)
            .filter(|_| !development)
        {
            let by_package = Catalogue::get().by_package_feature(Ecosystem::Crates, package, feature);
            let Some(store) = by_package.or_else(|| store_in(feature)) else {
                continue;
            };
            facts.stores.push(StoreFact {
                kind: Shown::from(store.id),
                dir: Some(source.path.parent()),
                version: None,
                role: None,
                managed: None,
                driver: Some(name.clone()),
                variable: None,
                name: None,
                extension: None,
                strong: true,
                scope: source.scope,
                evidence: source.at(if at == 0 { line } else { at }),
            });
        }
        out.push(Dependency {
            name,
            version: version.and_then(|version| Version::parse(Raw::new(version))),
            development,
            line,
        });
    }
}

/// The server that a feature of any package is named after: `redis-session-rustls`, `postgres`. Embedded stores are
/// named by too many features that only tests use.
fn store_in(feature: &str) -> Option<&'static Technology> {
    let word = feature.split(['-', '_']).next().unwrap_or_default();
    Catalogue::get()
        .by_url_scheme(word)
        .iter()
        .map(|found| found.technology)
        .find(|technology| {
            technology.group == Group::Datastore
                && !technology.datastore.as_ref().is_some_and(|facts| facts.embedded)
        })
}

fn toolchain(source: &Source<'_>, facts: &mut Facts) {
    if source.path.name() == "rust-toolchain" && !source.text.contains('[') {
        pin(source, source.text.trim(), 1, facts);
        return;
    }
    let Some(tree) = tree(source, facts) else { return };
    if let Some(node) = tree.path(&["toolchain", "channel"]) {
        pin(source, node.text().unwrap_or_default(), node.line(), facts);
    }
}

/// Programs, migrations at start, signals.
fn code(source: &Source<'_>, facts: &mut Facts) {
    let is_program = source.path.name() == "main.rs" || source.path.parent().name() == "bin";
    let main = ["\nfn main()", "\nasync fn main()", "\npub async fn main()"]
        .iter()
        .find_map(|needle| source.text.find(needle).map(|at| source.line_of(at) + 1))
        // Rocket makes the main function of this one.
        .or_else(|| source.line_with("#[launch]"));
    if let (true, Some(line)) = (is_program, main) {
        facts.entry_points.push(EntryPoint {
            path: source.path.clone(),
            kind: EntryKind::Main,
            framework: Shown::from("rust"),
            symbol: None,
            port: None,
            port_variable: None,
            bind: None,
            scope: source.scope,
            evidence: source.at(line),
        });
    }
    migrations(source, facts);
    for (needle, kind) in [
        ("with_graceful_shutdown(", SignalKind::GracefulShutdown),
        ("signal::ctrl_c(", SignalKind::GracefulShutdown),
        (
            "danger_accept_invalid_certs(true)",
            SignalKind::TlsVerificationOff,
        ),
    ] {
        if let Some(line) = source.line_with(needle) {
            facts.signal(kind, None, source.scope, source.at(line));
        }
    }
}

/// Migrations that the program applies by itself.
fn migrations(source: &Source<'_>, facts: &mut Facts) {
    // Two libraries have a macro of this name.
    let embeds = if source.text.contains("refinery") {
        "refinery"
    } else {
        "diesel"
    };
    for (needle, tool) in [
        ("migrate!(", "sqlx"),
        (".run_pending_migrations(", "diesel"),
        ("Migrator::up(", "sea-orm"),
        ("embed_migrations!(", embeds),
    ] {
        let Some(at) = source.text.find(needle) else {
            continue;
        };
        let line = source.line_of(at);
        let package = package_of(source.path);
        // A path in a macro starts at the folder of the package.
        let written = source.text.get(at + needle.len()..).and_then(|rest| {
            let quoted = rest.trim_start().strip_prefix('"')?;
            quoted.split('"').next()
        });
        let dir = match (tool, written) {
            ("sqlx", written) => package.join(written.unwrap_or("migrations")),
            (_, Some(written)) => package.join(written),
            _ => None,
        };
        facts.migrations.push(MigrationFact {
            tool: Shown::from(tool),
            dir,
            project: package,
            command: None,
            rollback: None,
            at_start: true,
            datastore: None,
            scope: source.scope,
            evidence: source.at(line),
        });
        facts.signal(
            SignalKind::MigrationsAtStart,
            Some(Shown::from(tool)),
            source.scope,
            source.at(line),
        );
    }
}

/// The folder of the package that a source file belongs to, by the layout that Cargo expects.
fn package_of(path: &RelPath) -> RelPath {
    let mut folder = path.parent();
    loop {
        if matches!(folder.name(), "src" | "tests" | "examples") {
            return folder.parent();
        }
        if folder.is_root() {
            return path.parent();
        }
        folder = folder.parent();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn a_package_with_its_stores_and_programs() {
        let facts = testing::facts(
            &DETECTOR,
            "
//- Cargo.toml
[package]
name = \"shop\"
rust-version = \"1.82\"

[dependencies]
axum = \"0.8\"
sqlx = { version = \"0.8\", features = [\"runtime-tokio\", \"postgres\"] }

[dev-dependencies]
wiremock = \"0.6\"
//- src/main.rs
use axum::Router;

#[tokio::main]
async fn main() {
    sqlx::migrate!(\"./migrations\").run(&pool).await;
}
//- src/lib.rs
fn main() {}
",
        );
        let project = facts.projects.first().expect("a package");
        assert_eq!(project.dependencies.iter().filter(|d| d.development).count(), 1);
        assert_eq!(
            facts
                .stores
                .iter()
                .map(|store| store.kind.as_str())
                .collect::<Vec<_>>(),
            ["postgresql"]
        );
        assert_eq!(facts.entry_points.len(), 1);
        assert_eq!(
            facts.version_pins.first().map(|pin| pin.version.as_str()),
            Some("1.82")
        );
        assert!(
            facts
                .migrations
                .first()
                .is_some_and(|migration| migration.at_start)
        );
    }
}
