//! Go: modules, main packages, and what their code does with data and at start.

use std::sync::LazyLock;

use playbook_core::harmless::{Name, Version};
use playbook_core::inventory::{SignalKind, VersionPin};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use super::ecosystem::pin_of_file;
use super::{Detector, ending};
use crate::fact::{Dependency, EntryKind, EntryPoint, Facts, MigrationFact, ProjectFact};
use crate::needle::Needles;
use crate::parse::gomod;
use crate::source::Source;

/// `go.mod`, `go.work`, version files, and Go source.
pub(crate) const DETECTOR: Detector = Detector { wants, detect };

fn wants(path: &RelPath) -> bool {
    matches!(path.name(), "go.mod" | "go.work" | ".go-version")
        || ending(path, &["go"]) && !path.name().ends_with("_test.go")
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    match source.path.name() {
        "go.mod" => module(source, facts),
        "go.work" => pins(source, &gomod::parse(source.text), facts),
        ".go-version" => pin_of_file(source, facts, "go"),
        _ => code(source, facts),
    }
}

/// The module: its packages and the toolchain that it asks for.
fn module(source: &Source<'_>, facts: &mut Facts) {
    let parsed = gomod::parse(source.text);
    pins(source, &parsed, facts);
    let dependencies = parsed
        .require
        .iter()
        .filter(|require| !require.indirect)
        .filter_map(|require| {
            Some(Dependency {
                name: Name::parse(Raw::new(&require.name))?,
                version: Version::parse(Raw::new(&require.version)),
                development: false,
                line: require.line,
            })
        })
        .collect();
    facts.projects.push(ProjectFact {
        dir: source.path.parent(),
        manifest: source.path.clone(),
        ecosystem: "go",
        language: "go",
        runtime: "go",
        name: parsed
            .module
            .as_ref()
            .and_then(|module| Name::parse(Raw::new(&module.value))),
        archive: None,
        description: None,
        license: None,
        package_manager: Some("go-modules"),
        dependencies,
        members: Vec::new(),
        published: None,
        programs: Vec::new(),
        scope: source.scope,
        evidence: source.at(parsed.module.as_ref().map_or(1, |module| module.line)),
    });
}

/// The `toolchain` line counts before the `go` line.
fn pins(source: &Source<'_>, parsed: &gomod::GoMod, facts: &mut Facts) {
    for directive in [&parsed.toolchain, &parsed.go].into_iter().flatten() {
        let text = directive.value.strip_prefix("go").unwrap_or(&directive.value);
        if let Some(version) = Version::parse(Raw::new(text)) {
            facts.version_pins.push(VersionPin {
                tool: Shown::from("go"),
                version: version.into(),
                path: source.path.parent(),
                scope: source.scope,
                evidence: vec![source.at(directive.line)],
            });
        }
    }
}

/// Texts of which a file has one if there is anything to tell of it.
static NEEDLES: LazyLock<Needles> = LazyLock::new(|| {
    Needles::new([
        "package main",
        "golang-migrate/migrate",
        "pressly/goose",
        "gormigrate",
        "//go:embed ",
        ".AutoMigrate(",
        "signal.Notify",
        "InsecureSkipVerify",
    ])
});

/// Main packages, migrations at start, signals.
fn code(source: &Source<'_>, facts: &mut Facts) {
    if !NEEDLES.any_in(source.text) {
        return;
    }
    let text = source.text;
    let has = |needle: &str| text.contains(needle);
    if let (true, Some(line)) = (
        is_main_package(text),
        source.line_with("\nfunc main()").map(|line| line + 1),
    ) {
        facts.entry_points.push(EntryPoint {
            path: source.path.clone(),
            kind: EntryKind::Main,
            framework: Shown::from("go"),
            symbol: None,
            port: None,
            port_variable: None,
            bind: None,
            scope: source.scope,
            evidence: source.at(line),
        });
    }
    for (package, tool, call) in [
        ("golang-migrate/migrate", "golang-migrate", ".Up("),
        ("pressly/goose", "goose", "goose.Up"),
        ("gormigrate", "gorm", ".Migrate("),
    ] {
        if let (true, Some(line)) = (has(package), source.line_with(call)) {
            facts.migrations.push(MigrationFact {
                tool: Shown::from(tool),
                dir: None,
                project: source.path.parent(),
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
    embedded_migrations(source, facts);
    for (needle, kind) in [
        (".AutoMigrate(", SignalKind::SchemaFromCode),
        ("signal.Notify(", SignalKind::GracefulShutdown),
        ("signal.NotifyContext(", SignalKind::GracefulShutdown),
        ("InsecureSkipVerify: true", SignalKind::TlsVerificationOff),
        ("InsecureSkipVerify:true", SignalKind::TlsVerificationOff),
    ] {
        if let Some(line) = source.line_with(needle) {
            facts.signal(kind, None, source.scope, source.at(line));
        }
    }
}

/// `//go:embed migrations/*.sql`: the program carries its SQL files and runs them itself; the files tell which tool
/// they are for, if any.
fn embedded_migrations(source: &Source<'_>, facts: &mut Facts) {
    if !source.text.contains("//go:embed ") {
        return;
    }
    for (line, text) in source.numbered_lines() {
        let Some(patterns) = text.trim().strip_prefix("//go:embed ") else {
            continue;
        };
        for pattern in patterns.split_whitespace() {
            let folder = pattern
                .trim_matches(['"', '`'])
                .trim_start_matches("all:")
                .split('*')
                .next()
                .unwrap_or_default()
                .trim_end_matches('/');
            if !folder.to_ascii_lowercase().contains("migrat") || folder.contains('.') {
                continue;
            }
            facts.migrations.push(MigrationFact {
                tool: Shown::from("raw-sql"),
                dir: source.path.parent().join(folder),
                project: source.path.parent(),
                command: None,
                rollback: None,
                at_start: true,
                datastore: None,
                scope: source.scope,
                evidence: source.at(line),
            });
        }
    }
}

fn is_main_package(text: &str) -> bool {
    text.lines()
        .map(str::trim)
        .find(|line| line.starts_with("package "))
        == Some("package main")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn a_module_and_its_programs() {
        let facts = testing::facts(
            &DETECTOR,
            "
//- go.mod
module example.com/shop

go 1.22
toolchain go1.23.4

require (
\tgithub.com/gin-gonic/gin v1.10.0
\tgolang.org/x/text v0.1.0 // indirect
)
//- cmd/api/main.go
package main

func main() {}
//- pkg/tool.go
package tool

func main() {}
",
        );
        let project = facts.projects.first().expect("a module");
        assert_eq!(project.dependencies.len(), 1);
        let versions: Vec<&str> = facts
            .version_pins
            .iter()
            .map(|pin| pin.version.as_str())
            .collect();
        assert_eq!(versions, ["1.23.4", "1.22"]);
        let entries: Vec<&str> = facts
            .entry_points
            .iter()
            .map(|entry| entry.path.as_str())
            .collect();
        assert_eq!(entries, ["cmd/api/main.go"]);
    }

    #[test]
    fn sql_files_within_the_program() {
        let facts = testing::facts(
            &DETECTOR,
            "//- store/migrator.go\npackage store\n\n//go:embed migration\nvar files embed.FS\n\n//go:embed web/dist/*\nvar web embed.FS\n",
        );
        let told: Vec<Option<&str>> = facts
            .migrations
            .iter()
            .map(|migration| migration.dir.as_ref().map(RelPath::as_str))
            .collect();
        assert_eq!(told, [Some("store/migration")]);
    }

    #[test]
    fn migrations_at_start() {
        let facts = testing::facts(
            &DETECTOR,
            "//- internal/app/migrate.go\npackage app\nimport \"github.com/golang-migrate/migrate/v4\"\nfunc run() { m.Up() }\n",
        );
        assert!(
            facts
                .migrations
                .first()
                .is_some_and(|migration| migration.at_start)
        );
    }
}
