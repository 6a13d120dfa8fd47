//! Lists of packages: requirements files, Pipfile, conda environments.

use std::collections::BTreeSet;

use playbook_core::evidence::Scope;
use playbook_core::path::RelPath;

use super::super::known::words;
use super::{Project, has_word, pin, problem, pyproject};
use crate::fact::Facts;
use crate::parse::tree::Node;
use crate::parse::{requirements as parser, toml, yaml};
use crate::source::Source;

/// `requirements.txt`, `requirements-dev.txt`, `dev_requirements.txt`, `requirements/base.txt`; not constraints.
pub(super) fn is_requirements(path: &RelPath) -> bool {
    let Some(stem) = path.name().strip_suffix(".txt") else {
        return false;
    };
    let stem = stem.to_ascii_lowercase();
    let named = |text: &str| {
        text.split(['-', '_', '.'])
            .any(|part| matches!(part, "requirements" | "requirement" | "reqs"))
    };
    named(&stem) || named(path.parent().name())
}

/// `environment.yml` of conda, also with a word before or behind it.
pub(super) fn is_environment(name: &str) -> bool {
    let stem = name.strip_suffix(".yml").or_else(|| name.strip_suffix(".yaml"));
    stem.is_some_and(|stem| {
        stem == "environment" || stem.starts_with("environment-") || stem.ends_with("-environment")
    })
}

pub(super) fn requirements(source: &Source<'_>, facts: &mut Facts) {
    let file = parser::parse(source.text);
    let mut project = Project::new(source, Some("pip"));
    let folder = source.path.parent();
    let collected = matches!(folder.name(), "requirements" | "requirement" | "reqs");
    if collected {
        project.fact.dir = folder.parent();
    }
    let stem = source.path.name().trim_end_matches(".txt");
    let development = source.scope == Scope::Development || has_word(stem, &words().development_groups);
    for package in &file.packages {
        project.add(package, development, package.line);
    }
    project.transitive = transitive(source, &file);
    if !project.is_empty() || file.includes {
        project.tell(facts);
    }
}

/// Lines of the packages that a resolver added, by the comments it leaves: `# via flask` names another package,
/// `# via -r requirements.in` and `# via app (pyproject.toml)` a file that people write.
fn transitive(source: &Source<'_>, file: &parser::Requirements) -> BTreeSet<u32> {
    let lines: Vec<&str> = source.text.lines().collect();
    let mut found = BTreeSet::new();
    for package in &file.packages {
        let own = lines
            .get(package.line.saturating_sub(1) as usize..)
            .unwrap_or_default();
        let comments = own.iter().skip(1).take_while(|line| {
            let line = line.trim_start();
            line.starts_with('#') || line.starts_with("--hash")
        });
        let block: Vec<&str> = own.iter().take(1).chain(comments).copied().collect();
        let stated = block.iter().any(|line| line.contains("# via"));
        let direct = block.iter().filter(|line| line.contains('#')).any(|line| {
            line.contains("-r ")
                || line.contains("pyproject.toml")
                || line.contains("setup.")
                || line.contains(".in")
        });
        if stated && !direct {
            found.insert(package.line);
        }
    }
    found
}

pub(super) fn pipfile(source: &Source<'_>, facts: &mut Facts) {
    let (tree, trouble) = toml::document(source.text);
    problem(facts, source, trouble);
    let Some(tree) = tree else { return };
    let mut project = Project::new(source, Some("pipenv"));
    for (table, development) in [("packages", false), ("dev-packages", true)] {
        for (name, line, value) in tree.get(table).into_iter().flat_map(Node::entries) {
            let version = value
                .text()
                .or_else(|| value.get("version").and_then(Node::text))
                .unwrap_or_default();
            let extras: Vec<String> = value
                .get("extras")
                .into_iter()
                .flat_map(Node::texts)
                .map(|(extra, _)| extra.to_owned())
                .collect();
            project.add_named(name, version.trim_matches('*'), &extras, development, line);
        }
    }
    for key in ["python_full_version", "python_version"] {
        if let Some(version) = tree.path(&["requires", key]) {
            pin(
                facts,
                source,
                "python",
                version.text().unwrap_or_default(),
                version.line(),
            );
            break;
        }
    }
    pyproject::scripts(source, facts, "pipenv", tree.get("scripts"));
    project.tell(facts);
}

pub(super) fn environment(source: &Source<'_>, facts: &mut Facts) {
    let (tree, trouble) = yaml::document(source.text);
    problem(facts, source, trouble);
    let Some(tree) = tree else { return };
    let Some(dependencies) = tree.get("dependencies").filter(|node| node.is_seq()) else {
        return;
    };
    let mut project = Project::new(source, Some("conda"));
    if let Some(name) = tree.get("name") {
        project.name(name.text().unwrap_or_default(), source.at(name.line()));
    }
    for item in dependencies.items() {
        if let Some(text) = item.text() {
            let (name, version) = text.split_once(['=', '>', '<', ' ']).unwrap_or((text, ""));
            let name = name.rsplit("::").next().unwrap_or(name);
            let version = version
                .trim_start_matches('=')
                .split('=')
                .next()
                .unwrap_or_default();
            if name == "python" {
                pin(facts, source, "python", version, item.line());
            } else {
                project.add_named(name, version, &[], false, item.line());
            }
        }
        for package in item.get("pip").into_iter().flat_map(Node::items) {
            project.require(package.text().unwrap_or_default(), false, package.line());
        }
    }
    project.tell(facts);
}
