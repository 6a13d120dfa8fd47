//! Settings files of an application (`config/*.yaml`, `configuration/*.toml`, `application.yml`): the port that its
//! server listens on.

use std::sync::Arc;

use playbook_core::harmless::{EnvName, port};
use playbook_core::inventory::ExternalService;
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Group};

use super::{Detector, ending};
use crate::fact::{EntryKind, EntryPoint, Facts};
use crate::parse::tree::Node;
use crate::parse::{json, toml, yaml};
use crate::source::Source;

/// Settings files.
pub(crate) const DETECTOR: Detector = Detector {
    id: "settings-file",
    wants,
    detect,
};

/// The framework slug of an entry point that only a settings file tells: it lends its port to a process that the code
/// proves, and is none by itself.
pub(crate) const SETTINGS: &str = "settings";

/// Folders that applications keep their settings in.
const FOLDERS: &[&str] = &[
    "config",
    "configs",
    "configuration",
    "conf",
    "settings",
    "resources",
];
/// Names of files that hold settings wherever they lie.
const STEMS: &[&str] = &[
    "config",
    "application",
    "settings",
    "configuration",
    "appsettings",
];
/// Keys above `port` that mean the server's own.
const SERVERS: &[&str] = &[
    "server",
    "application",
    "app",
    "http",
    "web",
    "api",
    "rest",
    "listen",
];

fn wants(path: &RelPath) -> bool {
    if !ending(path, &["yaml", "yml", "toml", "json"]) {
        return false;
    }
    let stem = path.name().split('.').next().unwrap_or_default();
    FOLDERS.contains(&path.parent().name()) || STEMS.contains(&stem)
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    let tree: Option<Arc<Node>> = match source.path.name().rsplit('.').next() {
        Some("json") => json::document(source.text).0,
        Some("toml") => toml::document(source.text).0,
        _ => yaml::document(source.text).0,
    };
    let Some(tree) = tree else { return };
    hosts(source, &tree, facts);
    let root = tree.get_entry("port");
    let below = SERVERS.iter().find_map(|key| tree.get(key)?.get_entry("port"));
    for (line, node) in root.into_iter().chain(below) {
        let text = node.text().unwrap_or_default();
        // `${PORT:8080}` and `${PORT:-8080}`.
        let inner = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
        let (variable, literal) = match inner {
            Some(inner) => {
                let (name, default) = inner.split_once(':').unwrap_or((inner, ""));
                (EnvName::parse(Raw::new(name)), default.trim_start_matches('-'))
            }
            None => (None, text),
        };
        let literal = port(Raw::new(literal));
        if literal.is_none() && variable.is_none() {
            continue;
        }
        facts.entry_points.push(EntryPoint {
            path: source.path.clone(),
            kind: EntryKind::Server,
            framework: Shown::from(SETTINGS),
            symbol: None,
            port: literal,
            port_variable: variable,
            bind: None,
            scope: source.scope,
            evidence: source.at(line),
        });
    }
}

/// Addresses of vendors.
fn hosts(source: &Source<'_>, tree: &Node, facts: &mut Facts) {
    tree.walk(20_000, &mut |_, node| {
        let Some((_, rest)) = node.text().and_then(|text| text.split_once("://")) else {
            return;
        };
        let host = rest
            .split(['/', ':', '?', '#'])
            .next()
            .unwrap_or_default()
            .rsplit('@')
            .next()
            .unwrap_or_default();
        for found in Catalogue::get().by_host_suffix(host) {
            if found.technology.group == Group::ExternalService {
                facts.external_services.push(ExternalService {
                    kind: Shown::from(found.technology.id),
                    category: Shown::from(found.technology.category),
                    scope: source.scope,
                    variables: Vec::new(),
                    evidence: vec![source.at(node.line())],
                });
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn the_server_has_a_port_and_the_database_another() {
        let facts = testing::facts(
            &DETECTOR,
            "
//- configuration/base.yaml
application:
  port: 8000
database:
  port: 5432
//- src/main/resources/application.yml
server:
  port: ${SERVER_PORT:8081}
//- data/values.yaml
server:
  port: 1
",
        );
        let ports: Vec<Option<u16>> = facts.entry_points.iter().map(|entry| entry.port).collect();
        assert_eq!(ports, [Some(8000), Some(8081)]);
        assert_eq!(
            facts
                .entry_points
                .get(1)
                .and_then(|e| e.port_variable.as_ref())
                .map(EnvName::as_str),
            Some("SERVER_PORT")
        );
    }
}
