//! Compose files: one stack a file, with everything that its units say. Files of a set, overrides and `extends` of
//! other files are put together in `resolve`.

mod deploy;
mod ports;
mod scope;
mod stores;
mod unit;
mod values;

pub(super) use scope::is_third_party;
pub(super) use stores::of_image as store_of_image;

use std::collections::BTreeSet;

use playbook_core::evidence::Scope;
use playbook_core::harmless::{EnvName, Name};
use playbook_core::inventory::{Infrastructure, Proxy, Stack, Unit, VariableOrigin};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use super::judge::interpolation::{self, Missing};
use super::judge::{self, Place};
use super::{Detector, ending, proxies};
use crate::fact::{Facts, FileSetFact, VariableFact};
use crate::limits;
use crate::parse::tree::Node;
use crate::parse::yaml;
use crate::source::Source;

pub(crate) const DETECTOR: Detector = Detector { wants, detect };

/// Folders of CI systems, whose `services:` are containers of a job.
const CI_FOLDERS: [&str; 8] = [
    ".github",
    ".gitlab",
    ".circleci",
    ".woodpecker",
    ".buildkite",
    ".drone",
    ".gitea",
    ".forgejo",
];

/// Keys at the top that make a file with `services:` something else.
const OTHER_TOOLS: [&str; 14] = [
    "apiVersion",
    "kind",
    "jobs",
    "on",
    "stages",
    "steps",
    "pipeline",
    "provider",
    "functions",
    "parameters",
    "openapi",
    "swagger",
    "databases",
    "recipe",
];

fn wants(path: &RelPath) -> bool {
    ending(path, &["yml", "yaml"])
        && path.depth() <= 8
        && !path.components().any(|part| CI_FOLDERS.contains(&part))
        && !path.name().contains(".gitlab-ci")
}

/// Does the name alone say that it is a Compose file?
fn is_compose_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let stem = name
        .strip_suffix(".yml")
        .or_else(|| name.strip_suffix(".yaml"))
        .unwrap_or(&name);
    let mut parts = stem.split(['.', '-', '_']);
    parts.any(|part| part == "compose")
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    let named = is_compose_name(source.path.name());
    let possible = |line: &str| line.starts_with("services:") || line.starts_with("\"services\":");
    if !named && !source.text.lines().any(possible) {
        return;
    }
    let (root, problem) = yaml::document(source.text);
    let Some(root) = root else {
        if named {
            judge::problem(source, facts, problem);
        }
        return;
    };
    let Some(services) = services_of(&root, named) else {
        if named && root.get("include").is_some() {
            includes(source, facts, &root);
            infrastructure(source, facts, "docker-compose", source.scope);
        }
        return;
    };
    judge::problem(source, facts, problem);
    let scope = scope::scope_of(source, services);
    let kind = scope::kind_of(source, &root, services);
    let mut stack = Stack {
        kind: Shown::from(kind),
        files: vec![source.path.clone()],
        scope,
        name: root.get("name").and_then(Node::text).and_then(word),
        units: Vec::new(),
        volumes: names(root.get("volumes")),
        networks: names(root.get("networks")),
        outside_secrets: outside(root.get("secrets")),
        outside_networks: outside(root.get("networks")),
        groups: Vec::new(),
        confirmed_by: Vec::new(),
        evidence: vec![source.file()],
    };
    super::too_many(source, services.entries().count(), limits::SERVICES, facts);
    for (name, line, node) in services.entries() {
        if !node.is_map() || stack.units.len() >= limits::SERVICES {
            continue;
        }
        let Some(name) = Name::parse(Raw::new(name)) else {
            continue;
        };
        let unit = unit::read(source, facts, services, &name, line, node, scope);
        stores::collect(source, facts, node, scope);
        facts.proxies.extend(routers(source, &unit, node, scope));
        stack.units.push(unit);
    }
    variables(source, facts, &root, scope);
    includes(source, facts, &root);
    infrastructure(source, facts, kind, scope);
    if stack.units.iter().any(is_configured_traefik) {
        infrastructure(source, facts, "traefik", scope);
    }
    facts.stacks.push(stack);
}

/// The routers of a proxy that the labels of a unit describe.
fn routers(source: &Source<'_>, unit: &Unit, node: &Node, scope: Scope) -> Vec<Proxy> {
    let labels: Vec<values::Entry<'_>> = [node.get("labels"), node.path(&["deploy", "labels"])]
        .into_iter()
        .flatten()
        .flat_map(values::pairs)
        .collect();
    let port = unit.ports.first().map(|port| port.container);
    let pairs = labels
        .iter()
        .filter_map(|label| Some((label.name, label.value?, label.line)));
    let mut found = proxies::traefik::labels(source, &unit.name, port, pairs);
    for proxy in &mut found {
        proxy.scope = scope;
    }
    found
}

/// A Traefik whose configuration is its command line, so that this file is the proxy's configuration.
fn is_configured_traefik(unit: &Unit) -> bool {
    let traefik = unit
        .image
        .as_ref()
        .is_some_and(|image| judge::image_name(image.as_str()) == "traefik");
    traefik
        && unit
            .command
            .as_ref()
            .is_some_and(|command| command.as_str().contains("--"))
}

fn infrastructure(source: &Source<'_>, facts: &mut Facts, kind: &'static str, scope: Scope) {
    facts.infrastructure.push(Infrastructure {
        kind: Shown::from(kind),
        path: source.path.clone(),
        scope,
        evidence: vec![source.file()],
    });
}

/// The map of services, if this is a Compose file.
fn services_of(root: &Node, named: bool) -> Option<&Node> {
    if OTHER_TOOLS.iter().any(|key| root.get(key).is_some()) {
        return None;
    }
    let is_service = |node: &Node| {
        ["image", "build", "extends"]
            .iter()
            .any(|key| node.get(key).is_some())
    };
    match root.get("services") {
        Some(services) if services.is_map() => {
            let maps = services.entries().filter(|(_, _, node)| node.is_map()).count();
            let real = services.entries().filter(|(_, _, node)| is_service(node)).count();
            // Overrides say only what they change; elsewhere most entries have to look like containers.
            ((named && maps > 0) || (real > 0 && real * 2 >= services.entries().count())).then_some(services)
        }
        Some(_) => None,
        // The first version of the format had the services at the top.
        None => {
            let real = root.entries().filter(|(_, _, node)| is_service(node)).count();
            (named && real > 0 && real == root.entries().count()).then_some(root)
        }
    }
}

/// The keys of a map, or the items of a list, as names.
fn names(node: Option<&Node>) -> Vec<Shown> {
    let Some(node) = node else { return Vec::new() };
    let keys = node.entries().filter_map(|(key, _, _)| word(key));
    let items = node.items().filter_map(Node::text).filter_map(word);
    keys.chain(items).collect()
}

/// What a file refers to without making it, by the name that it has outside.
fn outside(node: Option<&Node>) -> Vec<Shown> {
    let entries = node.into_iter().flat_map(Node::entries);
    let is_outside = |item: &Node| {
        item.get("external")
            .is_some_and(|external| external.is_map() || external.boolean() == Some(true))
    };
    let named = |key: &str, item: &Node| {
        let name = item.get("name").or_else(|| item.path(&["external", "name"]));
        name.map_or_else(|| word(key), |name| name.text().and_then(word))
    };
    entries
        .filter(|(_, _, item)| is_outside(item))
        .filter_map(|(key, _, item)| named(key, item))
        .collect()
}

/// One word, with defaults in place of variables.
fn word(text: &str) -> Option<Shown> {
    let text = interpolation::with_defaults(text)?;
    Name::parse(Raw::new(&text)).map(Shown::from)
}

/// Every variable that the deployer's environment has to fill.
fn variables(source: &Source<'_>, facts: &mut Facts, root: &Node, scope: Scope) {
    let mut seen: BTreeSet<(String, u32)> = BTreeSet::new();
    let mut found: Vec<(String, u32, Missing, String)> = Vec::new();
    root.walk(limits::COMPOSE_NODES, &mut |_, node| {
        let Some(text) = node.text().filter(|text| text.contains('$')) else {
            return;
        };
        for reference in interpolation::references(text) {
            if !is_of_the_host(reference.name) && seen.insert((reference.name.to_owned(), node.line())) {
                found.push((
                    reference.name.to_owned(),
                    node.line(),
                    reference.missing,
                    reference.argument.to_owned(),
                ));
            }
        }
    });
    for (text, line, missing, argument) in found {
        let Some(name) = EnvName::parse(Raw::new(&text)) else {
            continue;
        };
        let mut fact = VariableFact::new(name, VariableOrigin::Interpolation, scope, source.at(line));
        fact.required = missing == Missing::Error;
        fact.has_default = matches!(missing, Missing::Default | Missing::Alternative);
        if missing == Missing::Default && !argument.contains('$') {
            let judged = judge::literal(source, facts, &text, &argument, Place::new(line, scope));
            fact.default = judged.shown;
            fact.placeholder = judged.placeholder && !judged.empty;
        }
        facts.variables.push(fact);
    }
}

/// Variables that every host or the Compose program itself sets.
fn is_of_the_host(name: &str) -> bool {
    matches!(
        name,
        "PWD" | "HOME" | "USER" | "UID" | "GID" | "PATH" | "HOSTNAME" | "DOCKER_HOST" | "XDG_RUNTIME_DIR"
    ) || name.starts_with("COMPOSE_")
}

/// `include:` makes a set of files.
fn includes(source: &Source<'_>, facts: &mut Facts, root: &Node) {
    let Some((line, include)) = root.get_entry("include") else {
        return;
    };
    let folder = source.path.parent();
    let mut files = vec![source.path.clone()];
    for item in include.items() {
        let paths = item.get("path").unwrap_or(item);
        files.extend(paths.texts().filter_map(|(path, _)| folder.join(path)));
    }
    if files.len() > 1 {
        facts.file_sets.push(FileSetFact {
            files,
            swarm: false,
            evidence: source.at(line),
        });
    }
}

#[cfg(test)]
mod tests;
