//! Manifests of JavaScript projects: what they ask for, what they run, which versions they name.

use std::sync::Arc;

use playbook_core::evidence::{Evidence, Scope};
use playbook_core::harmless::{Name, Sentence, Symbol, Version};
use playbook_core::inventory::{SignalKind, VersionPin};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Ecosystem, Group};

use crate::detect::{judge, syntax_problem};
use crate::fact::{
    Dependency, EntryKind, EntryPoint, Facts, ProgramFact, ProjectFact, ScriptFact, ScriptNamesFact,
};
use crate::parse::tree::Node;
use crate::parse::{json, yaml};
use crate::source::Source;

/// Is it a manifest, or a file that names a version?
pub(super) fn wants(path: &RelPath) -> bool {
    matches!(
        path.name(),
        "package.json"
            | "pnpm-workspace.yaml"
            | "lerna.json"
            | "deno.json"
            | "deno.jsonc"
            | ".nvmrc"
            | ".node-version"
            | ".bun-version"
            | ".deno-version"
            | ".dvmrc"
    )
}

/// Tells what it says.
pub(super) fn detect(source: &Source<'_>, facts: &mut Facts) {
    match source.path.name() {
        "package.json" => package(source, facts),
        "lerna.json" => {
            if let Some(tree) = tree(source, facts) {
                workspace(source, tree.get("packages"), facts);
            }
        }
        "pnpm-workspace.yaml" => {
            let (tree, problem) = yaml::document(source.text);
            if let Some(problem) = problem {
                syntax_problem(source, problem, facts);
            }
            workspace(source, tree.as_ref().and_then(|tree| tree.get("packages")), facts);
        }
        "deno.json" | "deno.jsonc" => deno(source, facts),
        name => {
            let tool = match name {
                ".bun-version" => "bun",
                ".deno-version" | ".dvmrc" => "deno",
                _ => "node",
            };
            let first = source
                .numbered_lines()
                .map(|(line, text)| (line, text.split('#').next().unwrap_or_default().trim()))
                .find(|(_, text)| !text.is_empty());
            if let Some((line, text)) = first {
                pin(facts, source, tool, text, line);
            }
        }
    }
}

fn tree(source: &Source<'_>, facts: &mut Facts) -> Option<Arc<Node>> {
    let (tree, problem) = json::document(source.text);
    if let Some(problem) = problem {
        syntax_problem(source, problem, facts);
    }
    tree
}

/// Tells the version of a runtime or tool that a place asks for.
fn pin(facts: &mut Facts, source: &Source<'_>, tool: &'static str, version: &str, line: u32) {
    if let Some(version) = Version::parse(Raw::new(version)) {
        facts.version_pins.push(VersionPin {
            tool: Shown::from(tool),
            version: version.into(),
            path: source.path.parent(),
            scope: source.scope,
            evidence: vec![source.at(line)],
        });
    }
}

fn empty(source: &Source<'_>, runtime: &'static str) -> ProjectFact {
    ProjectFact {
        dir: source.path.parent(),
        manifest: source.path.clone(),
        ecosystem: "npm",
        language: "javascript",
        runtime,
        name: None,
        archive: None,
        description: None,
        license: None,
        package_manager: None,
        dependencies: Vec::new(),
        members: Vec::new(),
        published: None,
        programs: Vec::new(),
        scope: source.scope,
        evidence: source.file(),
    }
}

/// A file that does nothing but list the members of a workspace.
fn workspace(source: &Source<'_>, members: Option<&Node>, facts: &mut Facts) {
    let mut project = empty(source, "node");
    project.members = names(members);
    if source.path.name() == "pnpm-workspace.yaml" {
        project.package_manager = Some("pnpm");
    }
    if !project.members.is_empty() {
        facts.projects.push(project);
    }
}

fn names(list: Option<&Node>) -> Vec<Name> {
    list.into_iter()
        .flat_map(Node::texts)
        .filter_map(|(text, _)| Name::parse(Raw::new(text.trim_start_matches("./"))))
        .collect()
}

const MANAGERS: &[&str] = &["bun", "npm", "pnpm", "yarn"];

fn package(source: &Source<'_>, facts: &mut Facts) {
    let Some(tree) = tree(source, facts) else { return };
    if !tree.is_map() {
        return;
    }
    let mut project = empty(source, "node");
    if let Some((line, name)) = tree.get_entry("name")
        && let Some(name) = name.text().and_then(|text| Name::parse(Raw::new(text)))
    {
        project.name = Some(name);
        project.evidence = source.at(line);
    }
    project.description = tree
        .get("description")
        .and_then(Node::text)
        .and_then(|text| Sentence::parse(Raw::new(text)))
        .map(Shown::from);
    project.license = tree
        .get("license")
        .and_then(Node::text)
        .and_then(|text| Name::parse(Raw::new(text)));
    for (key, development) in [
        ("dependencies", false),
        ("optionalDependencies", false),
        ("devDependencies", true),
    ] {
        for (name, line, value) in tree.get(key).into_iter().flat_map(Node::entries) {
            if let Some(name) = Name::parse(Raw::new(name)) {
                project.dependencies.push(Dependency {
                    name,
                    version: value.text().and_then(|text| Version::parse(Raw::new(text))),
                    development,
                    line,
                });
            }
        }
    }
    project.dependencies.sort();
    project.dependencies.dedup();
    project.members = match tree.get("workspaces") {
        Some(list) if list.is_map() => names(list.get("packages")),
        list => names(list),
    };
    programs(&tree, &mut project);
    versions(source, &tree, &mut project, facts);
    scripts(source, &tree, "npm", "scripts", facts);
    project.published = Some(is_published(&tree));
    main_file(source, &tree, facts);
    if starts_with(&tree, "bun ") && !starts_with(&tree, "node ") {
        project.runtime = "bun";
        project.package_manager = project.package_manager.or(Some("bun"));
    }
    pages(source, &tree, &project, facts);
    facts.projects.push(project);
}

/// Does a script that starts the program run it with this?
fn starts_with(tree: &Node, program: &str) -> bool {
    ["start", "start:prod", "serve"].iter().any(|name| {
        tree.path(&["scripts", name])
            .and_then(Node::text)
            .is_some_and(|text| text.trim_start().starts_with(program))
    })
}

fn programs(tree: &Node, project: &mut ProjectFact) {
    let symbol = |text: &str| Symbol::parse(Raw::new(text.trim_start_matches("./")));
    let Some((line, bin)) = tree.get_entry("bin") else {
        return;
    };
    if let Some(text) = bin.text() {
        if let Some(name) = &project.name {
            project.programs.push((name.clone(), symbol(text), line));
        }
        return;
    }
    for (name, line, value) in bin.entries() {
        if let Some(name) = Name::parse(Raw::new(name)) {
            project.programs.push((name, value.text().and_then(symbol), line));
        }
    }
}

/// The file that the manifest calls its main file: what `node .` runs.
fn main_file(source: &Source<'_>, tree: &Node, facts: &mut Facts) {
    if !source.is_production() {
        return;
    }
    let Some((line, value)) = tree.get_entry("main") else {
        return;
    };
    let dir = source.path.parent();
    if let Some(path) = value.text().and_then(|text| dir.join(text)) {
        facts.programs.push(ProgramFact {
            path,
            row: None,
            dir,
            name: None,
            listens: false,
            port: None,
            evidence: source.at(line),
        });
    }
}

fn versions(source: &Source<'_>, tree: &Node, project: &mut ProjectFact, facts: &mut Facts) {
    for (key, names) in [("engines", ["node", "bun"]), ("volta", ["node", "bun"])] {
        for name in names {
            let entry = tree.get(key).and_then(|table| table.get_entry(name));
            if let Some((line, text)) = entry.and_then(|(line, value)| Some((line, value.text()?))) {
                pin(facts, source, name, text, line);
            }
        }
    }
    for name in ["npm", "pnpm", "yarn"] {
        for key in ["volta", "engines"] {
            let entry = tree.get(key).and_then(|table| table.get_entry(name));
            if let Some((line, text)) = entry.and_then(|(line, value)| Some((line, value.text()?))) {
                pin(facts, source, name, text, line);
            }
        }
    }
    if let Some(runtime) = tree.path(&["devEngines", "runtime"]) {
        for node in runtime.items().chain([runtime]) {
            let tool = node.get("name").and_then(Node::text);
            let entry = node
                .get_entry("version")
                .and_then(|(line, value)| Some((line, value.text()?)));
            if let (Some(tool), Some((line, version))) = (tool, entry)
                && let Some(tool) = super::super::tool_versions::known(tool)
            {
                pin(facts, source, tool, version, line);
            }
        }
    }
    if let Some((line, text)) = tree
        .get_entry("packageManager")
        .and_then(|(line, value)| Some((line, value.text()?)))
    {
        let (name, version) = text.split_once('@').unwrap_or((text, ""));
        let known = MANAGERS.iter().find(|manager| **manager == name);
        project.package_manager = known.copied();
        if let Some(manager) = known {
            // The hash behind a plus sign belongs to the download, not to the version.
            pin(
                facts,
                source,
                manager,
                version.split('+').next().unwrap_or(version),
                line,
            );
        }
    }
}

fn scripts(source: &Source<'_>, tree: &Node, runner: &'static str, key: &str, facts: &mut Facts) {
    facts.script_names.push(ScriptNamesFact {
        runner,
        names: tree
            .get(key)
            .into_iter()
            .flat_map(Node::entries)
            .map(|(name, ..)| name.to_owned())
            .collect(),
        open: false,
    });
    for (name, line, value) in tree.get(key).into_iter().flat_map(Node::entries) {
        let text = value
            .text()
            .or_else(|| value.get("command").and_then(Node::text))
            .unwrap_or_default();
        judge::withhold_in_command(facts, text);
        let (Some(name), Some(command)) = (Name::parse(Raw::new(name)), judge::command(text)) else {
            continue;
        };
        if text.contains("prisma db push")
            || text.contains("drizzle-kit push")
            || text.contains("schema:sync")
        {
            let tool = if text.contains("prisma") {
                "prisma"
            } else if text.contains("drizzle") {
                "drizzle"
            } else {
                "typeorm"
            };
            facts.signal(
                SignalKind::SchemaFromCode,
                Some(Shown::from(tool)),
                source.scope,
                source.at(line),
            );
        }
        facts.scripts.push(ScriptFact {
            dir: source.path.parent(),
            runner,
            name,
            command,
            evidence: source.at(line),
        });
    }
}

/// Is it clearly a library for others: not private, with an entry for importers, and nothing that starts it?
fn is_published(tree: &Node) -> bool {
    let private = tree.get("private").and_then(Node::boolean) == Some(true);
    let entry = ["main", "module", "exports", "types", "bin"]
        .iter()
        .any(|key| tree.get(key).is_some());
    let ships =
        tree.get("files").is_some() || tree.get("publishConfig").is_some() || tree.get("exports").is_some();
    let starts = ["start", "start:prod", "serve"]
        .iter()
        .any(|name| tree.path(&["scripts", name]).is_some());
    !private && entry && ships && !starts
}

/// Frameworks that serve pages have no listener in the code: their own command, or what it built, is started. The
/// framework's own start command in a script is the proof, else its build command.
fn pages(source: &Source<'_>, tree: &Node, project: &ProjectFact, facts: &mut Facts) {
    if project.published == Some(true) || is_static(project) {
        return;
    }
    let catalogue = Catalogue::get();
    let scripts = || {
        tree.get("scripts")
            .into_iter()
            .flat_map(Node::entries)
            .filter_map(|(name, line, value)| Some((name, line, value.text()?)))
    };
    let mut of_build = None;
    for dependency in &project.dependencies {
        for found in catalogue.by_package(Ecosystem::Npm, dependency.name.as_str()) {
            let technology = found.technology;
            let Some(framework) = &technology.framework else {
                continue;
            };
            let serves = technology.group == Group::Framework
                && framework.output.is_none()
                && !framework.start.is_empty()
                && !framework.build.is_empty()
                && framework.entry.is_empty();
            if !serves {
                continue;
            }
            let is_build = |text: &str| framework.build.iter().any(|command| text.contains(command));
            let starts = |text: &str| {
                technology
                    .commands
                    .iter()
                    .chain(&framework.start)
                    .filter(|command| !framework.development.contains(command))
                    .any(|command| text.contains(command))
                    && !is_build(text)
            };
            let script = scripts()
                .filter(|(name, _, text)| starts(text) && !name.starts_with("dev"))
                .min_by_key(|(name, ..)| !name.starts_with("start"));
            let (line, port) = match script {
                Some((_, line, text)) => (line, port_option(text)),
                None => match scripts().find(|(_, _, text)| is_build(text)) {
                    Some((_, line, _)) => (line, None),
                    None => continue,
                },
            };
            let entry = EntryPoint {
                path: source.path.clone(),
                kind: EntryKind::Server,
                framework: Shown::from(technology.id),
                symbol: None,
                port: port.or(technology.default_port),
                port_variable: framework
                    .port_env
                    .first()
                    .filter(|_| port.is_none())
                    .and_then(|name| playbook_core::harmless::EnvName::parse(Raw::new(name))),
                bind: None,
                scope: source.scope,
                evidence: Evidence::at(source.path, line),
            };
            if script.is_some() {
                facts.entry_points.push(entry);
                return;
            }
            of_build.get_or_insert(entry);
        }
    }
    facts.entry_points.extend(of_build);
}

/// A framework that can serve pages is told to write files instead: by its adapter.
fn is_static(project: &ProjectFact) -> bool {
    project
        .dependencies
        .iter()
        .any(|dependency| dependency.name.as_str().ends_with("/adapter-static"))
}

/// The port of `next start -p 4000`.
fn port_option(command: &str) -> Option<u16> {
    let words: Vec<&str> = command.split_whitespace().collect();
    words.iter().enumerate().find_map(|(at, word)| {
        let value = match *word {
            "-p" | "--port" => words.get(at + 1).copied()?,
            _ => word.strip_prefix("--port=")?,
        };
        playbook_core::harmless::port(Raw::new(value))
    })
}

fn deno(source: &Source<'_>, facts: &mut Facts) {
    let Some(tree) = tree(source, facts) else { return };
    let mut project = empty(source, "deno");
    project.package_manager = Some("deno");
    if let Some((line, name)) = tree.get_entry("name")
        && let Some(name) = name.text().and_then(|text| Name::parse(Raw::new(text)))
    {
        project.name = Some(name);
        project.evidence = source.at(line);
    }
    for (_, line, value) in tree.get("imports").into_iter().flat_map(Node::entries) {
        // `npm:hono@^4` and `jsr:@hono/hono@^4` name package and version.
        let Some(text) = value
            .text()
            .and_then(|text| text.strip_prefix("npm:").or_else(|| text.strip_prefix("jsr:")))
        else {
            continue;
        };
        let text = text.trim_start_matches('/');
        let at = text
            .char_indices()
            .skip(1)
            .find(|(_, c)| *c == '@')
            .map(|(at, _)| at);
        let (name, version) = at.map_or((text, ""), |at| {
            (
                text.get(..at).unwrap_or(text),
                text.get(at + 1..).unwrap_or_default(),
            )
        });
        if let Some(name) = Name::parse(Raw::new(name)) {
            project.dependencies.push(Dependency {
                name,
                version: Version::parse(Raw::new(version)),
                development: false,
                line,
            });
        }
    }
    project.members = names(tree.get("workspace"));
    project.dependencies.sort();
    scripts(source, &tree, "deno", "tasks", facts);
    if project.scope == Scope::Production || !project.dependencies.is_empty() {
        facts.projects.push(project);
    }
}
