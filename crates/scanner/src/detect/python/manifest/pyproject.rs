//! `pyproject.toml`: PEP 621 and 735, Poetry, PDM, uv, Hatch, and the task runners that live in it.

use playbook_core::harmless::{CommandLine, Name, Symbol};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use super::super::known::words;
use super::{Project, has_word, pin, problem};
use crate::fact::{EntryKind, EntryPoint, Facts, ScriptFact};
use crate::parse::toml;
use crate::parse::tree::Node;
use crate::source::Source;

pub(super) fn detect(source: &Source<'_>, facts: &mut Facts) {
    let (tree, trouble) = toml::document(source.text);
    problem(facts, source, trouble);
    let Some(tree) = tree else { return };
    let tool = |name: &str| tree.path(&["tool", name]);
    let manager = package_manager(&tree);
    let mut project = Project::new(source, manager);
    if let Some(table) = tree.get("project") {
        standard(source, facts, &mut project, table);
    }
    groups(&mut project, &tree);
    if let Some(poetry) = tool("poetry") {
        read_poetry(source, facts, &mut project, poetry);
    }
    for name in ["pdm", "uv"] {
        let table = tool(name).and_then(|table| table.get("dev-dependencies"));
        list_or_table(&mut project, table, true);
    }
    for environment in tree
        .path(&["tool", "hatch", "envs"])
        .into_iter()
        .flat_map(Node::entries)
    {
        list(&mut project, environment.2.get("dependencies"), true);
        scripts(source, facts, "hatch", environment.2.get("scripts"));
    }
    let members = tree.path(&["tool", "uv", "workspace", "members"]);
    for (member, _) in members.into_iter().flat_map(Node::texts) {
        project.fact.members.extend(Name::parse(Raw::new(member)));
    }
    for key in ["uv", "poetry"] {
        let private =
            tool(key).and_then(|table| table.get(if key == "uv" { "package" } else { "package-mode" }));
        if private.and_then(Node::boolean) == Some(false) {
            project.fact.published = Some(false);
        }
    }
    scripts(
        source,
        facts,
        "pdm",
        tool("pdm").and_then(|table| table.get("scripts")),
    );
    scripts(
        source,
        facts,
        "rye",
        tool("rye").and_then(|table| table.get("scripts")),
    );
    scripts(
        source,
        facts,
        "poe",
        tool("poe").and_then(|table| table.get("tasks")),
    );
    scripts(
        source,
        facts,
        "taskipy",
        tool("taskipy").and_then(|table| table.get("tasks")),
    );
    if let Some(entry) = tool("fastapi").and_then(|table| table.get("entrypoint")) {
        application(source, facts, entry);
    }
    if !project.is_empty() {
        project.tell(facts);
    }
}

fn package_manager(tree: &Node) -> Option<&'static str> {
    let tool = |name: &str| tree.path(&["tool", name]);
    let backend = tree
        .path(&["build-system", "build-backend"])
        .and_then(Node::text)
        .unwrap_or_default();
    if tool("poetry").is_some_and(|table| table.get("dependencies").is_some() || table.get("name").is_some())
        || backend.starts_with("poetry")
    {
        return Some("poetry");
    }
    if tool("uv").is_some() || backend == "uv_build" {
        return Some("uv");
    }
    if tool("pdm").is_some() || backend.starts_with("pdm") {
        return Some("pdm");
    }
    tool("hatch")
        .is_some_and(|table| table.get("envs").is_some())
        .then_some("hatch")
}

/// `[project]`.
fn standard(source: &Source<'_>, facts: &mut Facts, project: &mut Project, table: &Node) {
    if let Some(name) = table.get("name") {
        project.name(name.text().unwrap_or_default(), source.at(name.line()));
    }
    project.description(table.get("description").and_then(Node::text).unwrap_or_default());
    let license = table
        .get("license")
        .and_then(|node| node.text().or_else(|| node.get("text").and_then(Node::text)));
    project.license(license.unwrap_or_default());
    if let Some(version) = table.get("requires-python") {
        pin(
            facts,
            source,
            "python",
            version.text().unwrap_or_default(),
            version.line(),
        );
    }
    list(project, table.get("dependencies"), false);
    for (extra, _, packages) in table
        .get("optional-dependencies")
        .into_iter()
        .flat_map(Node::entries)
    {
        list(
            project,
            Some(packages),
            !has_word(extra, &words().production_groups),
        );
    }
    for key in ["scripts", "gui-scripts"] {
        for (name, line, entry) in table.get(key).into_iter().flat_map(Node::entries) {
            project.program(name, entry.text(), line);
        }
    }
    for (classifier, _) in table.get("classifiers").into_iter().flat_map(Node::texts) {
        published(project, classifier);
    }
}

fn published(project: &mut Project, classifier: &str) {
    if classifier.starts_with("Private ::") {
        project.fact.published = Some(false);
    } else if classifier.starts_with("Topic :: Software Development :: Libraries")
        && project.fact.published.is_none()
    {
        project.fact.published = Some(true);
    }
}

/// `[dependency-groups]` (PEP 735): production installs those that uv's `default-groups` names, but for the ones whose
/// name says development.
fn groups(project: &mut Project, tree: &Node) {
    let default: Vec<&str> = tree
        .path(&["tool", "uv", "default-groups"])
        .into_iter()
        .flat_map(Node::texts)
        .map(|(name, _)| name)
        .collect();
    for (group, _, packages) in tree.get("dependency-groups").into_iter().flat_map(Node::entries) {
        let production = !has_word(group, &words().development_groups)
            && (has_word(group, &words().production_groups) || default.contains(&group));
        list(project, Some(packages), !production);
    }
}

fn list(project: &mut Project, packages: Option<&Node>, development: bool) {
    for item in packages.into_iter().flat_map(Node::items) {
        if let Some(text) = item.text() {
            project.require(text, development, item.line());
        }
    }
}

fn list_or_table(project: &mut Project, packages: Option<&Node>, development: bool) {
    list(project, packages, development);
    for (_, _, group) in packages.into_iter().flat_map(Node::entries) {
        list(project, Some(group), development);
    }
}

fn read_poetry(source: &Source<'_>, facts: &mut Facts, project: &mut Project, poetry: &Node) {
    if let Some(name) = poetry.get("name") {
        project.name(name.text().unwrap_or_default(), source.at(name.line()));
    }
    if let Some(text) = poetry.get("description").and_then(Node::text) {
        project.description(text);
    }
    if let Some(text) = poetry.get("license").and_then(Node::text) {
        project.license(text);
    }
    for (classifier, _) in poetry.get("classifiers").into_iter().flat_map(Node::texts) {
        published(project, classifier);
    }
    poetry_table(source, facts, project, poetry.get("dependencies"), false);
    poetry_table(source, facts, project, poetry.get("dev-dependencies"), true);
    for (group, _, table) in poetry.get("group").into_iter().flat_map(Node::entries) {
        let optional = table.get("optional").and_then(Node::boolean) == Some(true);
        let development = has_word(group, &words().development_groups)
            || optional && !has_word(group, &words().production_groups);
        poetry_table(source, facts, project, table.get("dependencies"), development);
    }
    for (name, line, entry) in poetry.get("scripts").into_iter().flat_map(Node::entries) {
        let entry = entry
            .text()
            .or_else(|| entry.get("reference").and_then(Node::text));
        project.program(name, entry, line);
    }
}

fn poetry_table(
    source: &Source<'_>,
    facts: &mut Facts,
    project: &mut Project,
    table: Option<&Node>,
    development: bool,
) {
    for (name, line, value) in table.into_iter().flat_map(Node::entries) {
        // A package with several constraints is a list of tables; the first one names it well enough.
        let value = value.items().next().unwrap_or(value);
        let version = value
            .text()
            .or_else(|| value.get("version").and_then(Node::text))
            .unwrap_or_default();
        if name == "python" {
            pin(facts, source, "python", version, line);
            continue;
        }
        let optional = value.get("optional").and_then(Node::boolean) == Some(true);
        let extras: Vec<String> = value
            .get("extras")
            .into_iter()
            .flat_map(Node::texts)
            .map(|(extra, _)| extra.to_owned())
            .collect();
        project.add_named(name, version, &extras, development || optional, line);
    }
}

/// A table of named commands: `name = "command"`, `name = { cmd = … }`, `name = ["…", "…"]`.
pub(super) fn scripts(source: &Source<'_>, facts: &mut Facts, runner: &'static str, table: Option<&Node>) {
    for (name, line, value) in table.into_iter().flat_map(Node::entries) {
        if name.starts_with('_') {
            continue;
        }
        let body = ["cmd", "shell", "call", "composite", "sequence"]
            .into_iter()
            .find_map(|key| value.get(key))
            .unwrap_or(value);
        // A list is a command word by word where the key says so, and a row of commands elsewhere.
        let words = value.get("cmd").is_some() && runner == "pdm";
        let parts: Vec<&str> = body.texts().map(|(text, _)| text.trim()).collect();
        let command = parts.join(if words { " " } else { " && " });
        if let (Some(name), Some(command)) = (
            Name::parse(Raw::new(name)),
            CommandLine::parse(Raw::new(&command)),
        ) {
            facts.scripts.push(ScriptFact {
                dir: source.path.parent(),
                runner,
                name,
                command,
                evidence: source.at(line),
            });
        }
    }
}

/// `[tool.fastapi] entrypoint = "app.main:app"`.
fn application(source: &Source<'_>, facts: &mut Facts, entry: &Node) {
    let Some(text) = entry.text() else { return };
    let folder = source.path.parent();
    let prefix: String = folder
        .components()
        .fold(String::new(), |whole, part| whole + part + ".");
    let file: Option<RelPath> = text
        .split_once(':')
        .and_then(|(module, _)| folder.join(&format!("{}.py", module.replace('.', "/"))));
    facts.entry_points.push(EntryPoint {
        path: file.unwrap_or_else(|| source.path.clone()),
        kind: EntryKind::Server,
        framework: Shown::from("fastapi"),
        symbol: Symbol::parse(Raw::new(&format!("{prefix}{text}"))),
        port: None,
        port_variable: None,
        bind: None,
        scope: source.scope,
        evidence: source.at(entry.line()),
    });
}
