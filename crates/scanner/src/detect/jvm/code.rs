//! Application classes, schemas, changelogs.

use playbook_core::harmless::Name;
use playbook_core::inventory::SignalKind;
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use super::configuration::table::consumers as consumers_known;
use crate::detect::ecosystem::{Code, entry, group, pattern, start, store};
use crate::detect::{ending, sql};
use crate::fact::{Dependency, EntryKind, Facts, MigrationFact, RevisionFact};
use crate::source::Source;

/// Texts of which a file has one if a pattern of [`detect`] matches.
pub(super) const NEEDLES: &[&str] = &[
    "@SpringBootApplication",
    "Micronaut.",
    "Javalin.create",
    "EngineMain",
    "Application<",
    "embeddedServer",
    "Listener",
    "Flyway.configure",
];

pub(super) fn detect(code: &Code<'_>, facts: &mut Facts) {
    let source = code.source;
    for found in code.all(&pattern!(
        r"@SpringBootApplication\b|\bMicronaut\.(?:run|build)\(|\bJavalin\.create\(|\bEngineMain\b|\bextends\s+(?:io\.dropwizard\.\w+\.)?Application<"
    )) {
        let text = found.get(0).map_or("", |found| found.as_str());
        let framework = match text {
            text if text.starts_with("@Spring") => "spring-boot",
            text if text.starts_with("Micronaut") => "micronaut",
            text if text.starts_with("Javalin") => "javalin",
            text if text.starts_with("Engine") && source.text.contains("io.ktor") => "ktor",
            text if text.starts_with("extends") && source.text.contains("io.dropwizard") => "dropwizard",
            _ => continue,
        };
        let line = code.line(start(&found));
        facts
            .entry_points
            .push(entry(source, EntryKind::Server, framework, &class_of(code), line));
        break;
    }
    if let Some(found) = code.first(&pattern!(
        r"\bembeddedServer\s*\((?:[^()]*?\bport\s*=\s*(?P<port>\d{2,5}))?"
    )) {
        let mut told = entry(
            source,
            EntryKind::Server,
            "ktor",
            &class_of(code),
            code.line(start(&found)),
        );
        told.port = group(&found, "port").parse().ok();
        facts.entry_points.push(told);
    }
    consumers(code, facts);
    let configured = code.first(&pattern!(r"\bFlyway\.configure\("));
    if let (Some(found), Some(line)) = (configured, code.line_with(".migrate()")) {
        facts.signal(
            SignalKind::MigrationsAtStart,
            Some(Shown::from("flyway")),
            source.scope,
            source.at(line.max(code.line(start(&found)))),
        );
    }
}

/// Topics and queues that annotated methods read.
fn consumers(code: &Code<'_>, facts: &mut Facts) {
    let source = code.source;
    if !source.text.contains("Listener") {
        return;
    }
    for found in code.all(&pattern!(
        r"@(?P<annotation>\w+Listener)\s*\((?P<arguments>(?:[^()]|\([^()]*\))*)\)"
    )) {
        let annotation = group(&found, "annotation");
        let Some(consumer) = consumers_known()
            .iter()
            .find(|consumer| consumer.annotation == annotation)
        else {
            continue;
        };
        let line = code.line(start(&found));
        let Some(plain) = store(source, consumer.store, true, line) else {
            continue;
        };
        let arguments = group(&found, "arguments");
        let mut names = Vec::new();
        for argument in pattern!(
            r#"(?:^|[\s,(])(?P<name>[a-zA-Z]\w*)?\s*=?\s*(?P<value>\{[^{}]*\}|\[[^\[\]]*\]|"[^"\n]*")"#
        )
        .all(arguments)
        {
            let name = group(&argument, "name");
            if !name.is_empty() && !consumer.arguments.contains(&name) {
                continue;
            }
            for text in pattern!(r#""(?P<text>[^"\n]+)""#).all(group(&argument, "value")) {
                names.extend(topic(group(&text, "text")));
            }
        }
        if names.is_empty() {
            facts.stores.push(plain);
            continue;
        }
        for name in names {
            let mut named = plain.clone();
            named.name = Some(name);
            facts.stores.push(named);
        }
    }
}

/// The name of a topic, or the default of the property that holds it: `${shop.topic:orders}`.
fn topic(text: &str) -> Option<Name> {
    let text = match text.trim_start_matches('\\').strip_prefix("${") {
        Some(rest) => rest.strip_suffix('}')?.split_once(':')?.1,
        None => text,
    };
    Name::parse(Raw::new(text))
}

/// The class with its package: `com.example.shop.ShopApplication`.
fn class_of(code: &Code<'_>) -> String {
    let stem = code.source.path.name().split('.').next().unwrap_or_default();
    let package = code.first(&pattern!(r"(?m)^\s*package\s+(?P<name>[\w.]+)"));
    match package {
        Some(found) => format!("{}.{stem}", group(&found, "name")),
        None => stem.to_owned(),
    }
}

/// An application of Quarkus has no class with a main method: its HTTP extension makes it a server.
pub(super) fn quarkus(source: &Source<'_>, dependencies: &[Dependency], facts: &mut Facts) {
    let http = dependencies.iter().find(|package| {
        !package.development
            && package.name.as_str().starts_with("io.quarkus:")
            && [
                "rest",
                "vertx-http",
                "reactive-routes",
                "smallrye-graphql",
                "grpc",
                "undertow",
            ]
            .iter()
            .any(|word| package.name.as_str().contains(word))
            && !package.name.as_str().contains("client")
    });
    if let Some(package) = http {
        facts
            .entry_points
            .push(entry(source, EntryKind::Server, "quarkus", "", package.line));
    }
}

/// SQL that Spring runs when it starts: `schema.sql` of the resources.
pub(super) fn is_schema(path: &RelPath) -> bool {
    let name = path.name();
    path.as_str().contains("src/main/resources/")
        && (name == "schema.sql" || name.starts_with("schema-") && ending(path, &["sql"]))
}

pub(super) fn schema(source: &Source<'_>, facts: &mut Facts) {
    let folder = source.path.parent();
    // A schema for an engine that only tests and demonstrations use is none of production's.
    let text = source.path.as_str();
    if ["h2", "hsqldb", "derby"].iter().any(|engine| {
        text.contains(&format!("/{engine}/")) || text.ends_with(&format!("schema-{engine}.sql"))
    }) {
        return;
    }
    let Some(id) = Name::parse(Raw::new("schema")) else {
        return;
    };
    facts.revisions.push(RevisionFact {
        tool: Shown::from("raw-sql"),
        path: source.path.clone(),
        dir: folder.clone(),
        id,
        parents: None,
        operations: sql::operations(source.text, source.path, 1),
        reversible: None,
        scope: source.scope,
    });
    facts.migrations.push(MigrationFact {
        tool: Shown::from("raw-sql"),
        dir: Some(folder.clone()),
        project: folder,
        command: None,
        rollback: None,
        at_start: true,
        datastore: None,
        scope: source.scope,
        evidence: source.at(1),
    });
}

/// Changelogs of Liquibase; those in SQL are told with the other SQL files.
pub(super) fn is_changelog(path: &RelPath) -> bool {
    ending(path, &["xml", "yaml", "yml", "json"])
        && path
            .parent()
            .components()
            .any(|part| part == "changelog" || part == "liquibase")
}

pub(super) fn changelog(source: &Source<'_>, facts: &mut Facts) {
    let text = source.text;
    if !text.contains("databaseChangeLog") {
        return;
    }
    let stem = source.path.name().rsplit_once('.').map_or("", |(stem, _)| stem);
    // The master only includes the others.
    if !text.contains("changeSet") {
        return;
    }
    let Some(id) = Name::parse(Raw::new(stem)) else {
        return;
    };
    facts.revisions.push(RevisionFact {
        tool: Shown::from("liquibase"),
        path: source.path.clone(),
        dir: source.path.parent(),
        id,
        parents: None,
        operations: Vec::new(),
        reversible: Some(text.contains("rollback")),
        scope: source.scope,
    });
}
