//! People's words: README, deployment guides, agent instructions, constitutions, decision records. Prose is never quoted:
//! what is kept are commands, names of variables, and the places where rules stand.

use std::sync::LazyLock;

use playbook_core::evidence::Scope;
use playbook_core::harmless::{CommandLine, EnvName, Sentence};
use playbook_core::inventory::{DocumentedCommand, ProjectRule, VariableOrigin};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use regex::Regex;

use super::commands::file_sets;
use super::{Detector, ending};
use crate::fact::{Facts, VariableFact};
use crate::source::Source;

/// Markdown documents.
pub(crate) const DETECTOR: Detector = Detector {
    id: "documents",
    wants,
    detect,
};

fn wants(path: &RelPath) -> bool {
    if !ending(path, &["md", "markdown", "mdx"]) || path.depth() > 6 {
        return false;
    }
    let name = path.name().to_ascii_lowercase();
    !name.starts_with("changelog") && !name.starts_with("history") && !name.starts_with("release")
}

/// The kind of document whose rules a plan has to respect.
fn kind_of(path: &RelPath) -> Option<&'static str> {
    let lower = path.as_str().to_ascii_lowercase();
    let name = path.name().to_ascii_lowercase();
    let stem = name.split('.').next().unwrap_or_default();
    match stem {
        "constitution" => return Some("constitution"),
        "claude" | "agents" | "gemini" | "copilot-instructions" => return Some("agent-instructions"),
        "contributing" => return Some("contributing"),
        _ => {}
    }
    if lower
        .split('/')
        .any(|part| matches!(part, "adr" | "adrs" | "decisions" | "architecture-decisions"))
    {
        return Some("decision-record");
    }
    [
        "deploy",
        "hosting",
        "production",
        "self-host",
        "selfhost",
        "operations",
        "runbook",
        "installation",
        "install",
    ]
    .iter()
    .any(|word| stem.contains(word))
    .then_some("deployment-guide")
}

/// Words in a heading that make what follows a rule for deployment.
fn concerns_deployment(heading: &str) -> bool {
    let lower = heading.to_ascii_lowercase();
    [
        "deploy",
        "release",
        "production",
        "environment",
        "secret",
        "migration",
        "database",
        "docker",
        "infrastructure",
        "security",
        "ci/cd",
        "rollback",
        "hosting",
        "configuration",
        "operations",
        "monitoring",
        "observability",
        "backup",
    ]
    .iter()
    .any(|word| lower.contains(word))
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    let kind = kind_of(source.path);
    let mut heading = String::new();
    let mut in_heading = false;
    let mut code: Option<(String, bool)> = None;
    let mut cited = false;
    for (event, range) in Parser::new_ext(source.text, Options::ENABLE_TABLES).into_offset_iter() {
        let line = source.line_of(range.start);
        match event {
            Event::Start(Tag::Heading { .. }) => {
                heading.clear();
                in_heading = true;
            }
            Event::End(TagEnd::Heading(_)) => {
                in_heading = false;
                if let (Some(kind), true) = (kind, concerns_deployment(&heading)) {
                    cited = true;
                    push_rule(source, kind, &heading, line, facts);
                }
            }
            Event::Text(text) | Event::Code(text) if in_heading => heading.push_str(&text),
            Event::Start(Tag::CodeBlock(block)) => {
                let language = match &block {
                    CodeBlockKind::Fenced(info) => info
                        .split([' ', ',', '{'])
                        .next()
                        .unwrap_or_default()
                        .to_ascii_lowercase(),
                    CodeBlockKind::Indented => String::new(),
                };
                code = Some((
                    language.clone(),
                    matches!(
                        language.as_str(),
                        "" | "bash" | "sh" | "shell" | "console" | "zsh" | "terminal" | "shell-session"
                    ),
                ));
            }
            Event::End(TagEnd::CodeBlock) => code = None,
            Event::Text(text) => {
                if let Some((language, is_shell)) = &code {
                    if *is_shell {
                        commands(source, &text, line, &heading, facts);
                    }
                    if matches!(
                        language.as_str(),
                        "" | "env" | "dotenv" | "ini" | "properties" | "bash" | "sh"
                    ) {
                        assignments(source, &text, line, facts);
                    }
                }
            }
            Event::Code(text) => variable(source, &text, line, facts),
            _ => {}
        }
    }
    if let (Some(kind), false) = (kind.filter(|kind| *kind != "contributing"), cited) {
        push_rule(source, kind, "", 1, facts);
    }
}

fn push_rule(source: &Source<'_>, kind: &'static str, heading: &str, line: u32, facts: &mut Facts) {
    facts.project_rules.push(ProjectRule {
        kind: Shown::from(kind),
        path: source.path.clone(),
        heading: Sentence::parse(Raw::new(heading)).map(Into::into),
        evidence: vec![source.at(line)],
    });
}

/// The commands of a shell block, without prompts, comments and output.
fn commands(source: &Source<'_>, text: &str, first_line: u32, heading: &str, facts: &mut Facts) {
    let mut pending: Option<(String, u32)> = None;
    let prompts = text.lines().any(|line| line.trim_start().starts_with("$ "));
    for (line, number) in text.lines().zip(first_line..) {
        let trimmed = line.trim();
        let command = if prompts && pending.is_none() {
            let Some(command) = trimmed.strip_prefix("$ ") else {
                continue;
            };
            command
        } else {
            trimmed
        };
        if command.is_empty() || command.starts_with('#') {
            continue;
        }
        let (mut whole, start) = pending.take().unwrap_or_default();
        let start = if whole.is_empty() { number } else { start };
        let continued = command.strip_suffix('\\');
        whole.push_str(continued.unwrap_or(command));
        if continued.is_some() {
            whole.push(' ');
            pending = Some((whole, start));
            continue;
        }
        push_command(source, &whole, start, heading, facts);
    }
}

fn push_command(source: &Source<'_>, text: &str, line: u32, heading: &str, facts: &mut Facts) {
    // A command starts with a program's name; anything else is output or a file's text.
    let first = text
        .split_whitespace()
        .find(|word| !word.contains('='))
        .unwrap_or_default();
    let is_program = first.starts_with(|c: char| c.is_ascii_lowercase() || c == '.' || c == '/')
        && first
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '/' | '-' | '_' | '+'));
    if !is_program || facts.documented_commands.len() > crate::limits::FACTS_PER_FILE {
        return;
    }
    if let Some(command) = CommandLine::parse(Raw::new(text)) {
        if let Some(set) = file_sets(text, &RelPath::root(), source.at(line)) {
            facts.file_sets.push(set);
        }
        facts.documented_commands.push(DocumentedCommand {
            command,
            heading: Sentence::parse(Raw::new(heading)).map(Into::into),
            evidence: vec![source.at(line)],
        });
    }
}

/// `NAME=value` lines of a block document the name.
fn assignments(source: &Source<'_>, text: &str, first_line: u32, facts: &mut Facts) {
    for (line, number) in text.lines().zip(first_line..) {
        let line = line.trim().trim_start_matches("export ").trim_start_matches("# ");
        let Some((name, value)) = line.split_once('=') else {
            continue;
        };
        if is_variable(name) {
            push_variable(source, name, number, facts);
            if playbook_core::secret::is_secret_name(name) {
                facts.withheld.add(Raw::new(value));
            }
        }
    }
}

/// A name in a code span documents a variable: `DATABASE_URL`, `PORT=8000`.
fn variable(source: &Source<'_>, text: &str, line: u32, facts: &mut Facts) {
    let name = text
        .split('=')
        .next()
        .unwrap_or_default()
        .trim()
        .trim_start_matches('$')
        .trim_matches(['{', '}']);
    if is_variable(name) {
        push_variable(source, name, line, facts);
    }
}

fn is_variable(name: &str) -> bool {
    static NAME: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$|^(PORT|HOST|DEBUG|DOMAIN|DATABASE|REDIS|SECRET|WORKERS)$")
            .ok()
    });
    NAME.as_ref().is_some_and(|pattern| pattern.is_match(name))
}

fn push_variable(source: &Source<'_>, name: &str, line: u32, facts: &mut Facts) {
    if facts.variables.len() > crate::limits::FACTS_PER_FILE {
        return;
    }
    if let Some(name) = EnvName::parse(Raw::new(name)) {
        facts.variables.push(VariableFact::new(
            name,
            VariableOrigin::Document,
            Scope::Production,
            source.at(line),
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn commands_variables_and_sets() {
        let facts = testing::facts(
            &DETECTOR,
            "
//- docs/deployment.md
# Deployment

Set `DATABASE_URL` and `PORT=8000`.

```bash
# build
docker compose -f compose.yml \\
  -f compose.prod.yml up -d
alembic upgrade head
```

```env
SECRET_KEY=value
```
",
        );
        let commands: Vec<&str> = facts
            .documented_commands
            .iter()
            .map(|c| c.command.as_str())
            .collect();
        assert_eq!(
            commands,
            [
                "docker compose -f compose.yml -f compose.prod.yml up -d",
                "alembic upgrade head"
            ]
        );
        let names: Vec<&str> = facts.variables.iter().map(|v| v.name.as_str()).collect();
        assert_eq!(names, ["DATABASE_URL", "PORT", "SECRET_KEY"]);
        assert_eq!(facts.file_sets.len(), 1);
        assert_eq!(
            facts
                .project_rules
                .first()
                .and_then(|rule| rule.heading.as_ref())
                .map(Shown::as_str),
            Some("Deployment")
        );
    }

    #[test]
    fn output_is_no_command() {
        let facts = testing::facts(
            &DETECTOR,
            "//- README.md\n```console\n$ npm start\nServer listening\n```\n",
        );
        let commands: Vec<&str> = facts
            .documented_commands
            .iter()
            .map(|c| c.command.as_str())
            .collect();
        assert_eq!(commands, ["npm start"]);
    }
}
