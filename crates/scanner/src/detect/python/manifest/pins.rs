//! Files that name the version of Python: `.python-version`, `runtime.txt`, `.tool-versions`, `mise.toml`.

use super::{pin, problem};
use crate::fact::Facts;
use crate::parse::toml;
use crate::parse::tree::Node;
use crate::source::Source;

pub(super) fn wants(name: &str) -> bool {
    matches!(
        name,
        ".python-version"
            | ".python-versions"
            | "runtime.txt"
            | ".tool-versions"
            | "mise.toml"
            | ".mise.toml"
    )
}

pub(super) fn detect(source: &Source<'_>, facts: &mut Facts) {
    match source.path.name() {
        "mise.toml" | ".mise.toml" => mise(source, facts),
        ".tool-versions" => {
            for (line, text) in source.numbered_lines() {
                let mut words = text.split('#').next().unwrap_or_default().split_whitespace();
                if let (Some(tool), Some(version)) = (words.next(), words.next()) {
                    known(facts, source, tool, version, line);
                }
            }
        }
        "runtime.txt" => {
            for (line, text) in source.numbered_lines() {
                if let Some(version) = text.trim().strip_prefix("python-") {
                    pin(facts, source, "python", version, line);
                }
            }
        }
        _ => {
            let first = source
                .numbered_lines()
                .map(|(line, text)| (line, text.split('#').next().unwrap_or_default().trim()))
                .find(|(_, text)| !text.is_empty());
            if let Some((line, text)) = first {
                // `cpython-3.12.1-linux` is how uv writes a version in full.
                let version = text
                    .trim_start_matches("cpython-")
                    .trim_start_matches("cpython@")
                    .trim_start_matches("python-");
                pin(
                    facts,
                    source,
                    "python",
                    version.split("-linux").next().unwrap_or(version),
                    line,
                );
            }
        }
    }
}

fn mise(source: &Source<'_>, facts: &mut Facts) {
    let (tree, trouble) = toml::document(source.text);
    problem(facts, source, trouble);
    let tools = tree.as_ref().and_then(|tree| tree.get("tools"));
    for (tool, line, value) in tools.into_iter().flat_map(Node::entries) {
        let version = value
            .text()
            .or_else(|| value.get("version").and_then(Node::text))
            .or_else(|| value.items().next().and_then(Node::text));
        known(facts, source, tool, version.unwrap_or_default(), line);
    }
}

/// The tools of this ecosystem; the others are told by theirs.
fn known(facts: &mut Facts, source: &Source<'_>, tool: &str, version: &str, line: u32) {
    let tool = match tool.rsplit(':').next().unwrap_or(tool) {
        "python" => "python",
        "uv" => "uv",
        "poetry" => "poetry",
        "pdm" => "pdm",
        "pipenv" => "pipenv",
        _ => return,
    };
    pin(facts, source, tool, version, line);
}
