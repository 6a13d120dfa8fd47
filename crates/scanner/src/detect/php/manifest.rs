//! `composer.json`: packages, extensions, the version of PHP, scripts.

use playbook_core::harmless::{CommandLine, Name, Sentence};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;

use crate::detect::ecosystem::{dependency, pin, pin_of_file, project};
use crate::detect::syntax_problem;
use crate::fact::{Facts, ScriptFact, ScriptNamesFact};
use crate::parse::json;
use crate::parse::tree::Node;
use crate::source::Source;

pub(super) fn wants(path: &RelPath) -> bool {
    matches!(path.name(), "composer.json" | ".php-version")
}

pub(super) fn detect(source: &Source<'_>, facts: &mut Facts) {
    match source.path.name() {
        "composer.json" => composer(source, facts),
        _ => pin_of_file(source, facts, "php"),
    }
}

fn composer(source: &Source<'_>, facts: &mut Facts) {
    let (tree, problem) = json::document(source.text);
    if let Some(problem) = problem {
        syntax_problem(source, problem, facts);
    }
    let Some(tree) = tree else { return };
    let text = |key: &str| tree.get(key).and_then(Node::text);
    let mut manifest = project(source, "packagist", "php", "php", Some("composer"));
    manifest.name = text("name").and_then(|name| Name::parse(Raw::new(name)));
    manifest.description = text("description")
        .and_then(|text| Sentence::parse(Raw::new(text)))
        .map(Into::into);
    manifest.license = text("license").and_then(|text| Name::parse(Raw::new(text)));
    manifest.published = text("type").map(|kind| kind != "project" && kind != "metapackage");
    for (table, development) in [("require", false), ("require-dev", true)] {
        for (name, line, version) in tree.get(table).into_iter().flat_map(Node::entries) {
            let version = version.text().unwrap_or_default();
            if name == "php" {
                if !development {
                    pin(source, facts, "php", version, line);
                }
                continue;
            }
            manifest
                .dependencies
                .extend(dependency(name, version, development, line));
        }
    }
    if let Some(node) = tree.path(&["config", "platform", "php"]) {
        pin(source, facts, "php", node.text().unwrap_or_default(), node.line());
    }
    // A framework's application is often published as a library by mistake of the skeleton; what is served is not.
    if manifest.dependencies.iter().any(|package| {
        !package.development
            && matches!(
                package.name.as_str(),
                "laravel/framework" | "laravel/lumen-framework" | "symfony/runtime"
            )
    }) {
        manifest.published = Some(false);
    }
    manifest.evidence = source.at(tree.get("name").map_or(1, Node::line));
    scripts(source, &tree, facts);
    facts.projects.push(manifest);
}

/// Commands of composer; those that composer runs by itself around an installation are no commands for people.
fn scripts(source: &Source<'_>, tree: &Node, facts: &mut Facts) {
    facts.script_names.push(ScriptNamesFact {
        runner: "composer",
        names: tree
            .get("scripts")
            .into_iter()
            .flat_map(Node::entries)
            .map(|(name, ..)| name.to_owned())
            .collect(),
        open: false,
    });
    for (name, line, node) in tree.get("scripts").into_iter().flat_map(Node::entries) {
        if name.starts_with("pre-") || name.starts_with("post-") {
            continue;
        }
        let lines: Vec<&str> = node
            .text()
            .into_iter()
            .chain(node.items().filter_map(Node::text))
            .map(|command| {
                command
                    .strip_prefix("@php ")
                    .map_or(command, |_| command.trim_start_matches('@'))
            })
            .filter(|command| !command.starts_with('@') && !command.contains("::"))
            .collect();
        let (Some(name), Some(command)) = (
            Name::parse(Raw::new(name)),
            CommandLine::parse(Raw::new(&lines.join(" && "))),
        ) else {
            continue;
        };
        facts.scripts.push(ScriptFact {
            dir: source.path.parent(),
            runner: "composer",
            name,
            command,
            evidence: source.at(line),
        });
    }
}
