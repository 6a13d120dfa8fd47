//! Files in which programs begin by convention, and the start commands that builders' own files declare.

use playbook_core::evidence::Scope;
use playbook_core::harmless::{Name, Version, port};
use playbook_core::inventory::VersionPin;
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Group};

use super::pattern::Expression;
use super::{Detector, ending, judge};
use crate::conventions::{self, Row};
use crate::fact::{Facts, ProgramFact, ScriptFact};
use crate::limits;
use crate::parse::tree::Node;
use crate::parse::{json, toml};
use crate::source::Source;

pub(crate) const DETECTOR: Detector = Detector { wants, detect };

/// Folders between the root and an application. What lies deeper is described by something else.
const DEPTH: usize = 4;

fn wants(path: &RelPath) -> bool {
    conventions::builder(path).is_some()
        || path.depth() <= DEPTH && conventions::by_text(path).next().is_some()
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    if conventions::builder(source.path).is_some() {
        builder(source, facts);
        return;
    }
    if source.scope != Scope::Production || source.text.len() as u64 > limits::SOURCE_BYTES {
        return;
    }
    for row in conventions::by_text(source.path) {
        if let Some(fact) = program(source, row) {
            facts.programs.push(fact);
        }
    }
}

fn program(source: &Source<'_>, row: &'static Row) -> Option<ProgramFact> {
    let dir = conventions::folder_of(source.path, row.start.file)?;
    let start = row.start;
    if start
        .unless
        .as_ref()
        .and_then(Expression::regex)
        .is_some_and(|unless| unless.is_match(source.text))
    {
        return None;
    }
    let mut evidence = source.file();
    let mut name = None;
    if let Some(text) = &start.text {
        let found = text.regex()?.captures(source.text)?;
        let first = found.name("name").or_else(|| found.get(0))?;
        evidence = source.at(source.line_of(first.start()));
        name = found
            .name("name")
            .and_then(|name| Name::parse(Raw::new(name.as_str())));
    }
    let listens = start
        .listens
        .as_ref()
        .and_then(Expression::regex)
        .and_then(|listens| listens.captures(source.text));
    let port = listens
        .as_ref()
        .and_then(|found| found.name("port"))
        .and_then(|found| port(Raw::new(found.as_str())));
    Some(ProgramFact {
        path: source.path.clone(),
        row: Some(row.id),
        dir,
        name,
        listens: listens.is_some(),
        port,
        evidence,
    })
}

/// `deploy.startCommand` of Railpack, `start.cmd` of Nixpacks.
fn builder(source: &Source<'_>, facts: &mut Facts) {
    let Some(builder) = conventions::builder(source.path) else {
        return;
    };
    let (tree, problem) = if ending(source.path, &["toml"]) {
        toml::document(source.text)
    } else {
        json::document(source.text)
    };
    if let Some(problem) = problem {
        super::syntax_problem(source, problem, facts);
    }
    let Some(tree) = tree else { return };
    versions(source, &tree, facts);
    let Some((last, above)) = builder.start.split_last() else {
        return;
    };
    let Some((line, value)) = tree.path(above).and_then(|table| table.get_entry(last)) else {
        return;
    };
    let text = value.text().map(judge::joined_lines).unwrap_or_default();
    judge::withhold_in_command(facts, &text);
    let (Some(command), Some(name)) = (judge::command(&text), Name::parse(Raw::new("start"))) else {
        return;
    };
    if node_is_empty(value) {
        return;
    }
    facts.scripts.push(ScriptFact {
        dir: source.path.parent(),
        runner: builder.runner,
        name,
        command,
        evidence: source.at(line),
    });
}

/// The versions that a builder installs: `packages` of Railpack (`node = "22"`), `nixPkgs` of Nixpacks (`nodejs_20`,
/// `python311`, `jdk17`).
fn versions(source: &Source<'_>, tree: &Node, facts: &mut Facts) {
    let mut pin = |tool: &'static str, version: &str, line: u32| {
        if let Some(version) = Version::parse(Raw::new(version)) {
            facts.version_pins.push(VersionPin {
                tool: Shown::from(tool),
                version: version.into(),
                path: source.path.parent(),
                scope: source.scope,
                evidence: vec![source.at(line)],
            });
        }
    };
    for (name, line, value) in tree.get("packages").into_iter().flat_map(Node::entries) {
        if let (Some(tool), Some(version)) = (tool_named(name), value.text()) {
            pin(tool, version.rsplit('@').next().unwrap_or(version), line);
        }
    }
    let packages = tree
        .path(&["phases", "setup", "nixPkgs"])
        .into_iter()
        .flat_map(Node::texts);
    for (text, line) in packages {
        let at = text.find(|c: char| c.is_ascii_digit() || c == '_' || c == '-');
        let Some((name, digits)) = at.and_then(|at| text.split_at_checked(at)) else {
            continue;
        };
        let digits = digits.trim_start_matches(['_', '-']);
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit() || b == b'_') {
            continue;
        }
        if let Some(tool) = tool_named(name) {
            pin(tool, &nix_version(tool, digits), line);
        }
    }
}

/// `311` of Python is 3.11, `1_22` of Go is 1.22, `17` of a JDK stays.
fn nix_version(tool: &str, digits: &str) -> String {
    if digits.contains('_') || !matches!(tool, "python" | "php" | "ruby") {
        return digits.replace('_', ".");
    }
    match digits.split_at_checked(1) {
        Some((major, minor)) if !minor.is_empty() => format!("{major}.{minor}"),
        _ => digits.to_owned(),
    }
}

/// The runtime that version managers and packages know under this name.
fn tool_named(name: &str) -> Option<&'static str> {
    Catalogue::get()
        .group(Group::Runtime)
        .iter()
        .find(|technology| {
            technology.id == name
                || technology
                    .runtime
                    .as_ref()
                    .is_some_and(|runtime| runtime.tool_names.contains(&name))
        })
        .map(|technology| technology.id)
        .or(match name {
            "jdk" | "openjdk" | "java" => Some("jvm"),
            _ => None,
        })
}

fn node_is_empty(value: &Node) -> bool {
    value.text().is_none_or(|text| text.trim().is_empty())
}
