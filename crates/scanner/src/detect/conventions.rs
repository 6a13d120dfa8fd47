//! Files in which programs begin by convention, and the start commands that builders' own files declare.

use playbook_core::evidence::Scope;
use playbook_core::harmless::{Name, port};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;

use super::{Detector, judge, named};
use crate::conventions::{self, Row};
use crate::fact::{Facts, ProgramFact, ScriptFact};
use crate::limits;
use crate::parse::tree::Node;
use crate::parse::{json, toml};
use crate::source::Source;

pub(crate) const DETECTOR: Detector = Detector {
    id: "conventions",
    wants,
    detect,
};

/// Files of builders that need no Dockerfile, with the keys of their start command.
const BUILDERS: &[(&str, &[&str])] = &[
    ("railpack.json", &["deploy", "startCommand"]),
    ("nixpacks.json", &["start", "cmd"]),
    ("nixpacks.toml", &["start", "cmd"]),
];

/// Folders between the root and an application. What lies deeper is described by something else.
const DEPTH: usize = 4;

fn wants(path: &RelPath) -> bool {
    is_builder(path) || path.depth() <= DEPTH && conventions::by_text(path).next().is_some()
}

fn is_builder(path: &RelPath) -> bool {
    BUILDERS.iter().any(|(name, _)| named(path, &[name]))
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    if is_builder(source.path) {
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
    if row
        .unless
        .as_ref()
        .is_some_and(|unless| unless.is_match(source.text))
    {
        return None;
    }
    let mut evidence = source.file();
    let mut name = None;
    if let Some(text) = &row.text {
        let found = text.captures(source.text)?;
        let first = found.name("name").or_else(|| found.get(0))?;
        evidence = source.at(source.line_of(first.start()));
        name = found
            .name("name")
            .and_then(|name| Name::parse(Raw::new(name.as_str())));
    }
    let listens = row
        .listens
        .as_ref()
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
    let Some((name, keys)) = BUILDERS.iter().find(|(name, _)| named(source.path, &[name])) else {
        return;
    };
    let (tree, problem) = if name.ends_with(".toml") {
        toml::document(source.text)
    } else {
        json::document(source.text)
    };
    if let Some(problem) = problem {
        super::syntax_problem(source, problem, facts);
    }
    let Some(tree) = tree else { return };
    let (Some((last, above)), runner) = (keys.split_last(), name.split('.').next().unwrap_or("railpack"))
    else {
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
        runner: if runner == "railpack" {
            "railpack"
        } else {
            "nixpacks"
        },
        name,
        command,
        evidence: source.at(line),
    });
}

fn node_is_empty(value: &Node) -> bool {
    value.text().is_none_or(|text| text.trim().is_empty())
}
