//! CI definitions: what starts them, what they run, whether they deploy, and on what they run it.

use std::sync::Arc;

use playbook_core::evidence::Scope;
use playbook_core::harmless::{CommandLine, EnvName, ImageRef, Name, Schedule, Version};
use playbook_core::inventory::{CiFile, CiStep, VariableOrigin, VersionPin};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Group, PlatformKind};

use super::Detector;
use super::commands::{file_sets, is_deploy_command};
use crate::fact::{Facts, JobFact, StoreFact, VariableFact};
use crate::parse::tree::Node;
use crate::parse::yaml;
use crate::source::Source;

/// CI files of every kind; GitHub Actions are read in depth.
pub(crate) const DETECTOR: Detector = Detector { wants, detect };

fn wants(path: &RelPath) -> bool {
    kind_of(path).is_some()
}

/// The CI system that a file belongs to, by the catalogue.
fn kind_of(path: &RelPath) -> Option<&'static str> {
    let found = Catalogue::get().by_file(path.as_str());
    found
        .iter()
        .find(|found| {
            found.technology.group == Group::Platform
                && found
                    .technology
                    .platform
                    .as_ref()
                    .is_some_and(|platform| platform.kind == PlatformKind::Ci)
        })
        .map(|found| found.technology.id)
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    let Some(kind) = kind_of(source.path) else { return };
    let (documents, problem) = yaml::documents(source.text);
    if let Some(problem) = problem {
        super::syntax_problem(source, problem, facts);
    }
    let mut file = CiFile {
        kind: Shown::from(kind),
        path: source.path.clone(),
        deploys: false,
        triggers: Vec::new(),
        evidence: vec![source.file()],
    };
    let before = facts.ci_steps.len();
    for document in &documents {
        if kind == "github-actions" {
            workflow(source, document, &mut file, facts);
        } else {
            scripts(source, document, facts);
        }
    }
    let steps = facts.ci_steps.get(before..).unwrap_or_default();
    file.deploys = steps.iter().any(|step| is_deploy_command(step.command.as_str()));
    let mut sets = Vec::new();
    for step in steps {
        let line = step
            .evidence
            .first()
            .and_then(|evidence| evidence.line)
            .unwrap_or(1);
        sets.extend(file_sets(
            step.command.as_str(),
            &RelPath::root(),
            source.at(line),
        ));
    }
    facts.file_sets.extend(sets);
    facts.ci.push(file);
}

/// A GitHub Actions workflow.
fn workflow(source: &Source<'_>, document: &Arc<Node>, file: &mut CiFile, facts: &mut Facts) {
    // YAML 1.1 readers take the key `on` for a truth value; our tree keeps the text.
    if let Some((line, on)) = document.get_entry("on") {
        let mut names: Vec<&str> = on.texts().map(|(text, _)| text).collect();
        if on.is_map() {
            names = on.entries().map(|(name, _, _)| name).collect();
        }
        file.triggers = names
            .into_iter()
            .filter_map(|name| Name::parse(Raw::new(name)))
            .map(Into::into)
            .collect();
        if let Some(schedule) = on.get("schedule") {
            schedules(source, document, schedule, line, facts);
        }
    }
    environment(source, document.get("env"), facts);
    for (job, _, body) in document.get("jobs").into_iter().flat_map(Node::entries) {
        environment(source, body.get("env"), facts);
        versions(source, body.path(&["strategy", "matrix"]), facts);
        for (_, _, service) in body.get("services").into_iter().flat_map(Node::entries) {
            store(source, service.get("image").unwrap_or(service), facts);
        }
        for step in body.get("steps").into_iter().flat_map(Node::items) {
            environment(source, step.get("env"), facts);
            if let Some((line, uses)) = step.get_entry("uses") {
                action(source, job, line, uses, step.get("with"), facts);
            }
            if let Some((line, run)) = step.get_entry("run") {
                // A block scalar starts on the line after its key.
                let first = if run.text().is_some_and(|text| text.contains('\n')) {
                    line + 1
                } else {
                    run.line()
                };
                push_script(source, Some(job), run.text().unwrap_or_default(), first, facts);
            }
        }
    }
}

/// A datastore that tests run against: its version is worth knowing.
fn store(source: &Source<'_>, image: &Node, facts: &mut Facts) {
    let Some(image_ref) = image.text().and_then(|text| ImageRef::parse(Raw::new(text))) else {
        return;
    };
    let found = Catalogue::get().by_image(image_ref.repository());
    let Some(technology) = found
        .iter()
        .map(|found| found.technology)
        .find(|technology| technology.group == Group::Datastore)
    else {
        return;
    };
    facts.stores.push(StoreFact {
        kind: Shown::from(technology.id),
        dir: None,
        version: image_ref
            .version()
            .and_then(|version| Version::parse(Raw::new(version))),
        role: None,
        managed: None,
        driver: None,
        variable: None,
        name: None,
        extension: None,
        strong: false,
        scope: Scope::Development,
        evidence: source.at(image.line()),
    });
}

/// Each line of a script is a step; continued lines are joined.
fn push_script(source: &Source<'_>, job: Option<&str>, text: &str, first_line: u32, facts: &mut Facts) {
    let mut pending: Option<(String, u32)> = None;
    for (line, number) in text.lines().zip(first_line..) {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        let (mut whole, start) = pending.take().unwrap_or_default();
        let start = if whole.is_empty() { number } else { start };
        let continued = trimmed.strip_suffix('\\');
        whole.push_str(continued.unwrap_or(trimmed));
        if continued.is_some() {
            whole.push(' ');
            pending = Some((whole, start));
            continue;
        }
        push_step(source, job, &whole, start, facts);
    }
    if let Some((whole, start)) = pending {
        push_step(source, job, &whole, start, facts);
    }
}

fn push_step(source: &Source<'_>, job: Option<&str>, command: &str, line: u32, facts: &mut Facts) {
    if facts.ci_steps.len() > crate::limits::FACTS_PER_FILE {
        return;
    }
    if let Some(command) = CommandLine::parse(Raw::new(command)) {
        facts.ci_steps.push(CiStep {
            path: source.path.clone(),
            job: job.and_then(|job| Name::parse(Raw::new(job))).map(Into::into),
            command,
            evidence: vec![source.at(line)],
        });
    }
}

/// An action is a step; the ones that set a runtime up also state a version.
fn action(source: &Source<'_>, job: &str, line: u32, uses: &Node, with: Option<&Node>, facts: &mut Facts) {
    let Some(text) = uses.text() else { return };
    push_step(source, Some(job), &format!("uses: {text}"), line, facts);
    versions(source, with, facts);
}

/// `python-version: "3.12"`, `node-version: [18, 20]`, `go-version` …: tests run on it, so it is development's.
fn versions(source: &Source<'_>, node: Option<&Node>, facts: &mut Facts) {
    for (key, line, value) in node.into_iter().flat_map(Node::entries) {
        let Some(tool) = key.strip_suffix("-version") else {
            continue;
        };
        let Some(technology) = Catalogue::get().group(Group::Runtime).iter().find(|technology| {
            technology.id == tool
                || technology
                    .runtime
                    .as_ref()
                    .is_some_and(|runtime| runtime.tool_names.contains(&tool))
        }) else {
            continue;
        };
        for (text, at) in value.texts() {
            let Some(version) = Version::parse(Raw::new(text)) else {
                continue;
            };
            facts.version_pins.push(VersionPin {
                tool: Shown::from(technology.id),
                version: version.into(),
                path: RelPath::root(),
                scope: Scope::Development,
                evidence: vec![source.at(if at == 0 { line } else { at })],
            });
        }
    }
}

/// Variables that CI gives to its steps.
fn environment(source: &Source<'_>, node: Option<&Node>, facts: &mut Facts) {
    for (name, line, value) in node.into_iter().flat_map(Node::entries) {
        let Some(name) = EnvName::parse(Raw::new(name)) else {
            continue;
        };
        let text = value.text().unwrap_or_default();
        if playbook_core::secret::is_secret_name(name.as_str()) && !text.contains("${{") {
            facts.withheld.add(Raw::new(text));
        }
        facts.variables.push(VariableFact::new(
            name,
            VariableOrigin::Ci,
            Scope::Development,
            source.at(line),
        ));
    }
}

/// A workflow that the clock starts.
fn schedules(source: &Source<'_>, document: &Node, schedule: &Node, line: u32, facts: &mut Facts) {
    let stem = source.path.name().split('.').next().unwrap_or_default();
    let name = document
        .get("name")
        .and_then(Node::text)
        .and_then(|name| Name::parse(Raw::new(name)));
    let Some(name) = name.or_else(|| Name::parse(Raw::new(stem))) else {
        return;
    };
    for item in schedule.items() {
        let Some((at, cron)) = item.get_entry("cron") else {
            continue;
        };
        facts.jobs.push(JobFact {
            name: name.clone(),
            schedule: cron.text().and_then(|cron| Schedule::parse(Raw::new(cron))),
            runner: Shown::from("github-actions"),
            // Checks and housekeeping of the repository itself, not of the deployed software.
            scope: Scope::Development,
            evidence: source.at(at.max(line)),
        });
    }
}

/// The `script:` lists of other systems: GitLab, CircleCI, Bitbucket, Azure …
fn scripts(source: &Source<'_>, document: &Arc<Node>, facts: &mut Facts) {
    fn visit(source: &Source<'_>, node: &Node, depth: u32, facts: &mut Facts) {
        if depth > 12 {
            return;
        }
        for (key, line, value) in node.entries() {
            if matches!(
                key,
                "script" | "before_script" | "after_script" | "run" | "command" | "commands" | "bash"
            ) {
                if value.is_map() {
                    visit(source, value, depth + 1, facts);
                    continue;
                }
                for (text, at) in value.texts() {
                    push_script(
                        source,
                        None,
                        text,
                        if text.contains('\n') { line + 1 } else { at.max(1) },
                        facts,
                    );
                }
            } else {
                visit(source, value, depth + 1, facts);
            }
        }
        for item in node.items() {
            visit(source, item, depth + 1, facts);
        }
    }
    visit(source, document, 0, facts);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn a_workflow_tells_triggers_steps_versions_and_sets_of_files() {
        let facts = testing::facts(
            &DETECTOR,
            "
            //- .github/workflows/deploy.yml
            name: deploy
            on:
              push: { branches: [main] }
              schedule:
                - cron: '0 3 * * *'
            jobs:
              deploy:
                runs-on: ubuntu-latest
                env:
                  API_URL: http://localhost
                steps:
                  - uses: actions/setup-node@v4
                    with: { node-version: '22' }
                  - run: docker compose -f compose.yml -f compose.deploy.yml up -d
                  - run: |
                      npm ci
                      npm test
            ",
        );
        let file = facts.ci.first().expect("a CI file");
        assert!(file.deploys);
        assert_eq!(
            file.triggers.iter().map(Shown::as_str).collect::<Vec<_>>(),
            ["push", "schedule"]
        );
        let steps: Vec<(&str, Option<u32>)> = facts
            .ci_steps
            .iter()
            .map(|step| (step.command.as_str(), step.evidence.first().and_then(|e| e.line)))
            .collect();
        assert_eq!(
            steps,
            [
                ("uses: actions/setup-node@v4", Some(12)),
                (
                    "docker compose -f compose.yml -f compose.deploy.yml up -d",
                    Some(14)
                ),
                ("npm ci", Some(16)),
                ("npm test", Some(17)),
            ]
        );
        assert_eq!(
            facts.version_pins.first().map(|pin| pin.tool.as_str()),
            Some("node")
        );
        assert_eq!(facts.file_sets.first().map(|set| set.files.len()), Some(2));
        assert_eq!(facts.jobs.len(), 1);
    }

    #[test]
    fn tests_alone_deploy_nothing() {
        let facts = testing::facts(
            &DETECTOR,
            "
            //- .github/workflows/test.yml
            on: [push]
            jobs:
              test:
                steps:
                  - run: cargo test
            ",
        );
        assert!(facts.ci.first().is_some_and(|file| !file.deploys));
    }
}
