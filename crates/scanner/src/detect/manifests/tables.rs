//! Manifests in TOML and YAML.

use playbook_core::harmless::{Name, Sentence, Symbol};
use playbook_core::raw::Raw;

use crate::detect::ecosystem::{dependency, pin, project};
use crate::detect::syntax_problem;
use crate::fact::{Facts, ProjectFact};
use crate::parse::tree::Node;
use crate::parse::{toml, yaml};
use crate::source::Source;

/// Name, description and license, which these formats write alike.
fn describe(manifest: &mut ProjectFact, source: &Source<'_>, tree: &Node) {
    let text = |key: &str| tree.get(key).and_then(Node::text);
    manifest.name = text("name").and_then(|name| Name::parse(Raw::new(name)));
    manifest.description = text("description")
        .and_then(|text| Sentence::parse(Raw::new(text)))
        .map(Into::into);
    manifest.license = text("license").and_then(|text| Name::parse(Raw::new(text)));
    manifest.evidence = source.at(tree.get("name").map_or(1, Node::line));
}

/// A table of names and versions.
fn packages(manifest: &mut ProjectFact, table: Option<&Node>, development: bool) {
    for (name, line, value) in table.into_iter().flat_map(Node::entries) {
        let version = value
            .text()
            .or_else(|| value.get("version").and_then(Node::text))
            .unwrap_or_default();
        manifest
            .dependencies
            .extend(dependency(name, version, development, line));
    }
}

fn toml_tree(source: &Source<'_>, facts: &mut Facts) -> Option<std::sync::Arc<Node>> {
    let (tree, problem) = toml::document(source.text);
    if let Some(problem) = problem {
        syntax_problem(source, problem, facts);
    }
    tree
}

fn yaml_tree(source: &Source<'_>, facts: &mut Facts) -> Option<std::sync::Arc<Node>> {
    let (tree, problem) = yaml::document(source.text);
    if let Some(problem) = problem {
        syntax_problem(source, problem, facts);
    }
    tree
}

pub(super) fn gleam(source: &Source<'_>, facts: &mut Facts) {
    let Some(tree) = toml_tree(source, facts) else {
        return;
    };
    let mut manifest = project(source, "hex", "gleam", "gleam", Some("gleam"));
    describe(&mut manifest, source, &tree);
    packages(&mut manifest, tree.get("dependencies"), false);
    packages(&mut manifest, tree.get("dev-dependencies"), true);
    if let Some(version) = tree.get("gleam") {
        pin(
            source,
            facts,
            "gleam",
            version.text().unwrap_or_default(),
            version.line(),
        );
    }
    facts.projects.push(manifest);
}

pub(super) fn dart(source: &Source<'_>, facts: &mut Facts) {
    let Some(tree) = yaml_tree(source, facts) else {
        return;
    };
    let mut manifest = project(source, "pub", "dart", "dart", Some("dart-pub"));
    describe(&mut manifest, source, &tree);
    packages(&mut manifest, tree.get("dependencies"), false);
    packages(&mut manifest, tree.get("dev_dependencies"), true);
    if let Some(version) = tree.path(&["environment", "sdk"]) {
        pin(
            source,
            facts,
            "dart",
            version.text().unwrap_or_default(),
            version.line(),
        );
    }
    for (member, _) in tree.get("workspace").into_iter().flat_map(Node::texts) {
        manifest.members.extend(Name::parse(Raw::new(member)));
    }
    if tree.get("publish_to").and_then(Node::text) == Some("none") {
        manifest.published = Some(false);
    }
    // Flutter draws on a device of a user: nothing of it runs on a server.
    if manifest
        .dependencies
        .iter()
        .any(|package| package.name.as_str() == "flutter")
    {
        manifest.published = Some(true);
    }
    facts.projects.push(manifest);
}

pub(super) fn crystal(source: &Source<'_>, facts: &mut Facts) {
    let Some(tree) = yaml_tree(source, facts) else {
        return;
    };
    let mut manifest = project(source, "shards", "crystal", "crystal", Some("shards"));
    describe(&mut manifest, source, &tree);
    packages(&mut manifest, tree.get("dependencies"), false);
    packages(&mut manifest, tree.get("development_dependencies"), true);
    for (name, line, target) in tree.get("targets").into_iter().flat_map(Node::entries) {
        let main = target.get("main").and_then(Node::text);
        if let Some(name) = Name::parse(Raw::new(name)) {
            let entry = main.and_then(|main| Symbol::parse(Raw::new(main)));
            manifest.programs.push((name, entry, line));
        }
    }
    if let Some(version) = tree.get("crystal") {
        pin(
            source,
            facts,
            "crystal",
            version.text().unwrap_or_default(),
            version.line(),
        );
    }
    facts.projects.push(manifest);
}

/// `package.yaml`, from which hpack writes the `.cabal` file.
pub(super) fn hpack(source: &Source<'_>, facts: &mut Facts) {
    let Some(tree) = yaml_tree(source, facts) else {
        return;
    };
    let haskell = [
        "executables",
        "executable",
        "library",
        "internal-libraries",
        "ghc-options",
    ]
    .iter()
    .any(|key| tree.get(key).is_some());
    if !haskell {
        return;
    }
    let mut manifest = project(source, "hackage", "haskell", "haskell", None);
    describe(&mut manifest, source, &tree);
    list(&mut manifest, tree.get("dependencies"), false);
    list(&mut manifest, tree.path(&["library", "dependencies"]), false);
    for (key, development) in [("executables", false), ("tests", true), ("benchmarks", true)] {
        for (name, line, part) in tree.get(key).into_iter().flat_map(Node::entries) {
            list(&mut manifest, part.get("dependencies"), development);
            if !development && let Some(name) = Name::parse(Raw::new(name)) {
                manifest.programs.push((name, None, line));
            }
        }
    }
    facts.projects.push(manifest);
}

/// `- base >= 4.7 && < 5`
fn list(manifest: &mut ProjectFact, packages: Option<&Node>, development: bool) {
    for item in packages.into_iter().flat_map(Node::items) {
        let text = item.text().or_else(|| item.get("name").and_then(Node::text));
        let Some(text) = text else { continue };
        let end = text
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '-')
            .unwrap_or(text.len());
        let (name, version) = text.split_at_checked(end).unwrap_or((text, ""));
        manifest
            .dependencies
            .extend(dependency(name, version.trim(), development, item.line()));
    }
}

/// `compiler: ghc-9.6.6`, `resolver: ghc-9.6.6`.
pub(super) fn stack(source: &Source<'_>, facts: &mut Facts) {
    let Some(tree) = yaml_tree(source, facts) else {
        return;
    };
    for key in ["compiler", "resolver", "snapshot"] {
        let Some(node) = tree.get(key) else { continue };
        if let Some(version) = node.text().and_then(|text| text.strip_prefix("ghc-")) {
            pin(source, facts, "haskell", version, node.line());
        }
    }
}
