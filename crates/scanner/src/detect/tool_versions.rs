//! Files that name the versions of several tools at once: `.tool-versions` of asdf, `mise.toml`. Which names stand for
//! which runtime, the catalogue says.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use playbook_core::harmless::Version;
use playbook_core::inventory::VersionPin;
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Group};

use super::{Detector, syntax_problem};
use crate::fact::Facts;
use crate::parse::toml;
use crate::parse::tree::Node;
use crate::source::Source;

pub(crate) const DETECTOR: Detector = Detector { wants, detect };

/// Folders that hold mise's configuration of the folder above them.
const CONFIGURATION: [&str; 4] = [".config/mise", ".config", ".mise", "mise"];

fn wants(path: &RelPath) -> bool {
    match path.name() {
        ".tool-versions" | "mise.toml" | ".mise.toml" => true,
        "config.toml" => matches!(path.parent().name(), "mise" | ".mise"),
        _ => false,
    }
}

/// Names of tools with the slug of the runtime or package manager that they stand for.
static TOOLS: LazyLock<BTreeMap<&'static str, &'static str>> = LazyLock::new(|| {
    let catalogue = Catalogue::get();
    let managers = catalogue
        .group(Group::PackageManager)
        .iter()
        .map(|technology| (technology.id, technology.id));
    let runtimes = catalogue.group(Group::Runtime).iter().flat_map(|technology| {
        let names = technology.runtime.as_ref().map(|runtime| &runtime.tool_names);
        names
            .into_iter()
            .flatten()
            .map(|name| (*name, technology.id))
            .chain([(technology.id, technology.id)])
    });
    managers.chain(runtimes).collect()
});

/// The runtime or package manager that a tool is; the name may say where it comes from: `core:node`, `npm:pnpm`.
pub(super) fn known(tool: &str) -> Option<&'static str> {
    let name = tool.rsplit([':', '/']).next().unwrap_or(tool);
    TOOLS.get(name).copied()
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    if source.path.name() == ".tool-versions" {
        for (line, text) in source.numbered_lines() {
            let mut words = text.split('#').next().unwrap_or_default().split_whitespace();
            if let (Some(tool), Some(version)) = (words.next(), words.next()) {
                tell(source, facts, tool, version, line);
            }
        }
        return;
    }
    let (tree, problem) = toml::document(source.text);
    if let Some(problem) = problem {
        syntax_problem(source, problem, facts);
    }
    let tools = tree.as_ref().and_then(|tree| tree.get("tools"));
    for (tool, line, value) in tools.into_iter().flat_map(Node::entries) {
        let version = value
            .text()
            .or_else(|| value.get("version").and_then(Node::text))
            .or_else(|| value.items().next().and_then(Node::text));
        tell(source, facts, tool, version.unwrap_or_default(), line);
    }
}

fn tell(source: &Source<'_>, facts: &mut Facts, tool: &str, version: &str, line: u32) {
    let Some(tool) = known(tool) else { return };
    // A distribution may stand before the number: `temurin-21.0.4+7`, `jruby-9.4`.
    let number = version.trim_start_matches(|c: char| !c.is_ascii_digit());
    let written = if number.is_empty() { version } else { number };
    let Some(version) = Version::parse(Raw::new(written.trim())) else {
        return;
    };
    facts.version_pins.push(VersionPin {
        tool: Shown::from(tool),
        version: version.into(),
        path: folder(source.path),
        scope: source.scope,
        evidence: vec![source.at(line)],
    });
}

/// The folder that the versions are for.
fn folder(path: &RelPath) -> RelPath {
    let parent = path.parent();
    let place = CONFIGURATION
        .iter()
        .find(|place| parent.as_str() == **place || parent.as_str().ends_with(&format!("/{place}")));
    place.map_or_else(
        || parent.clone(),
        |place| (0..place.split('/').count()).fold(parent.clone(), |folder, _| folder.parent()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::facts;

    fn pins(text: &str) -> Vec<(String, String, String, Option<u32>)> {
        facts(&DETECTOR, text)
            .version_pins
            .iter()
            .map(|pin| {
                (
                    pin.path.to_string(),
                    pin.tool.to_string(),
                    pin.version.to_string(),
                    pin.evidence.first().and_then(|evidence| evidence.line),
                )
            })
            .collect()
    }

    fn pin(path: &str, tool: &str, version: &str, line: u32) -> (String, String, String, Option<u32>) {
        (path.to_owned(), tool.to_owned(), version.to_owned(), Some(line))
    }

    #[test]
    fn lists_of_versions() {
        assert_eq!(
            pins(
                "//- .tool-versions\n# ours\nnodejs 20.11.1\npython 3.12.4 3.11.9 # two\nelixir 1.17.2-otp-27\nerlang 27.0\njava temurin-21.0.4+7\nterraform 1.9.0\n"
            ),
            [
                pin(".", "node", "20.11.1", 2),
                pin(".", "python", "3.12.4", 3),
                pin(".", "beam", "1.17.2-otp-27", 4),
                pin(".", "jvm", "21.0.4+7", 6),
            ]
        );
    }

    #[test]
    fn tables_of_mise() {
        let text = "[tools]\nruby = \"3.4\"\n\"core:go\" = [\"1.25\", \"1.24\"]\n\"npm:pnpm\" = { version = \"10\" }\n[env]\nnode = \"no\"\n";
        let expected = |path: &str| {
            [
                pin(path, "ruby", "3.4", 2),
                pin(path, "go", "1.25", 3),
                pin(path, "pnpm", "10", 4),
            ]
        };
        assert_eq!(pins(&format!("//- api/mise.toml\n{text}")), expected("api"));
        assert_eq!(
            pins(&format!("//- .config/mise/config.toml\n{text}")),
            expected(".")
        );
        assert_eq!(
            pins(&format!("//- api/.mise/config.toml\n{text}")),
            expected("api")
        );
        assert_eq!(pins(&format!("//- app/config.toml\n{text}")), []);
    }
}
