//! People's words: README, deployment guides, agent instructions, constitutions, decision records. Prose is never quoted:
//! what is kept are commands, names of variables, and the places where rules stand.

mod made;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use playbook_core::evidence::Scope;
use playbook_core::harmless::{CommandLine, EnvName, Sentence};
use playbook_core::inventory::{DocumentedCommand, ProjectRule, VariableOrigin};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use regex::Regex;
use serde::Deserialize;

use super::commands::{file_sets, is_base};
use super::{Detector, ending};
use crate::fact::{Facts, FileSetFact, MadeFilesFact, VariableFact};
use crate::source::Source;

/// Markdown documents.
pub(crate) const DETECTOR: Detector = Detector { wants, detect };

fn wants(path: &RelPath) -> bool {
    if !ending(path, &["md", "markdown", "mdx"]) || path.depth() > 8 {
        return false;
    }
    let name = path.name().to_ascii_lowercase();
    TABLE
        .as_ref()
        .is_some_and(|table| !table.skipped.iter().any(|start| name.starts_with(start.as_str())))
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Table {
    skipped: Vec<String>,
    kind: Vec<Kind>,
    deployment_headings: Vec<String>,
    shell: BTreeSet<String>,
    making_words: Vec<String>,
    assignments: BTreeSet<String>,
}

/// A kind of document: by its name without ending, a part of its name, or a folder that it lies in.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Kind {
    name: String,
    #[serde(default)]
    stems: BTreeSet<String>,
    #[serde(default)]
    parts: Vec<String>,
    #[serde(default)]
    folders: BTreeSet<String>,
}

// A mistake in the table is found by the test below, never by a user.
static TABLE: LazyLock<Option<Table>> =
    LazyLock::new(|| toml::from_str(include_str!("../../documents.toml")).ok());

/// The kind of document whose rules a plan has to respect.
fn kind_of(path: &RelPath) -> Option<&'static str> {
    let lower = path.as_str().to_ascii_lowercase();
    let name = path.name().to_ascii_lowercase();
    let stem = name.split('.').next().unwrap_or_default();
    let folder = lower.rsplit_once('/').map_or("", |(folder, _)| folder);
    let kinds = &TABLE.as_ref()?.kind;
    kinds
        .iter()
        .find(|kind| {
            kind.stems.contains(stem)
                || kind.parts.iter().any(|part| stem.contains(part.as_str()))
                || folder.split('/').any(|part| kind.folders.contains(part))
        })
        .map(|kind| kind.name.as_str())
}

/// Words in a heading that make what follows a rule for deployment.
fn concerns_deployment(heading: &str) -> bool {
    let lower = heading.to_ascii_lowercase();
    TABLE.as_ref().is_some_and(|table| {
        table
            .deployment_headings
            .iter()
            .any(|word| lower.contains(word.as_str()))
    })
}

/// Can a document without rules for deployment tell anything: has it code, tables, or lines that may be code by their
/// indentation?
fn may_tell(text: &str) -> bool {
    text.contains(['`', '|', '~', '\t']) || text.contains("    ")
}

fn is_shell(language: &str) -> bool {
    TABLE.as_ref().is_some_and(|table| table.shell.contains(language))
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    let kind = kind_of(source.path);
    if kind.is_none() && !may_tell(source.text) {
        return;
    }
    let mut heading = String::new();
    let mut in_heading = false;
    let mut code: Option<(String, bool)> = None;
    let mut cited = false;
    let mut cell: Option<usize> = None;
    let mut fresh = false;
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
                    CodeBlockKind::Fenced(info) => language_of(info),
                    CodeBlockKind::Indented => String::new(),
                };
                let is_shell = is_shell(&language);
                code = Some((language, is_shell));
            }
            Event::End(TagEnd::CodeBlock) => code = None,
            Event::Start(Tag::TableHead | Tag::TableRow) => cell = Some(0),
            Event::Start(Tag::TableCell | Tag::Item) => fresh = true,
            Event::End(TagEnd::TableCell) => cell = cell.map(|at| at + 1),
            Event::End(TagEnd::Table) => cell = None,
            Event::Text(text) => {
                // The name of a variable stands in the first columns of a table.
                if cell.is_some_and(|at| at < 2) && fresh && code.is_none() {
                    variable(source, &text, line, true, facts);
                }
                fresh = false;
                if let Some((language, is_shell)) = &code {
                    if *is_shell {
                        commands(source, &text, line, &heading, facts);
                    }
                    let lists = TABLE
                        .as_ref()
                        .is_some_and(|table| table.assignments.contains(language));
                    if lists {
                        // What a shell's block sets is for the commands of that block.
                        let listed = language.is_empty() || !*is_shell;
                        assignments(source, &text, line, listed, facts);
                    }
                }
            }
            Event::Code(text) => {
                let listed = fresh && cell.is_none_or(|at| at < 2);
                fresh = false;
                variable(source, &text, line, listed, facts);
            }
            _ => {}
        }
    }
    if let (Some(kind), false) = (kind.filter(|kind| *kind != "contributing"), cited) {
        push_rule(source, kind, "", 1, facts);
    }
    if !facts.documented_commands.is_empty() {
        facts.made_files.push(MadeFilesFact {
            document: source.path.clone(),
            names: made::names(source.text),
        });
    }
}

/// The language that the first line of a code block names.
fn language_of(info: &str) -> String {
    info.split([' ', ',', '{'])
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase()
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
        // A document offers a swarm for the file that Compose loads by itself as one way of several.
        let offered = |set: &FileSetFact| set.swarm && set.files.iter().any(is_base);
        facts
            .file_sets
            .extend(file_sets(text, &RelPath::root(), source.at(line)).filter(|set| !offered(set)));
        facts.documented_commands.push(DocumentedCommand {
            command,
            heading: Sentence::parse(Raw::new(heading)).map(Into::into),
            evidence: vec![source.at(line)],
        });
    }
}

/// `NAME=value` lines of a block document the name.
fn assignments(source: &Source<'_>, text: &str, first_line: u32, listed: bool, facts: &mut Facts) {
    for (line, number) in text.lines().zip(first_line..) {
        let line = line.trim().trim_start_matches("export ").trim_start_matches("# ");
        // A list with blanks between name and value, as people paste it from a form.
        let Some((name, value)) = line.split_once('=').or_else(|| line.split_once("  ")) else {
            continue;
        };
        let name = name.trim();
        if is_variable(name) {
            push_variable(source, name, number, listed, facts);
            if playbook_core::secret::is_secret_name(name) {
                facts.withheld.add(Raw::new(value));
            }
        }
    }
}

/// A name in a code span documents a variable: `DATABASE_URL`, `PORT=8000`.
fn variable(source: &Source<'_>, text: &str, line: u32, listed: bool, facts: &mut Facts) {
    let name = text
        .split('=')
        .next()
        .unwrap_or_default()
        .trim()
        .trim_start_matches('$')
        .trim_matches(['{', '}']);
    if is_variable(name) {
        push_variable(source, name, line, listed, facts);
    }
}

fn is_variable(name: &str) -> bool {
    static NAME: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$|^(PORT|HOST|DEBUG|DOMAIN|DATABASE|REDIS|SECRET|WORKERS)$")
            .ok()
    });
    NAME.as_ref().is_some_and(|pattern| pattern.is_match(name))
}

fn push_variable(source: &Source<'_>, name: &str, line: u32, listed: bool, facts: &mut Facts) {
    if facts.variables.len() > crate::limits::FACTS_PER_FILE {
        return;
    }
    if let Some(name) = EnvName::parse(Raw::new(name)) {
        let mut fact = VariableFact::new(name, VariableOrigin::Document, Scope::Production, source.at(line));
        // A guide for those who work on the program describes their machines.
        fact.internal = kind_of(source.path) == Some("contributing");
        // A mention in a sentence lists nothing.
        fact.commented = !listed;
        facts.variables.push(fact);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn table_is_whole() {
        toml::from_str::<Table>(include_str!("../../documents.toml")).expect("documents.toml");
        let kind = |path: &str| kind_of(&RelPath::new(path).expect("a plain path"));
        assert_eq!(kind("CLAUDE.md"), Some("agent-instructions"));
        assert_eq!(kind(".specify/memory/constitution.md"), Some("constitution"));
        assert_eq!(kind("docs/adr/0001-queue.md"), Some("decision-record"));
        assert_eq!(kind("docs/self-hosting.md"), Some("deployment-guide"));
        assert_eq!(kind("README.md"), None);
    }

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
    fn tables_and_lists_of_variables() {
        let facts = testing::facts(
            &DETECTOR,
            "
//- docs/configuration.md
| Variable | Default | Description |
|---|:-:|---|
| LOG_LEVEL | info | Not SOME_WORD here |
| DB_POOL_SIZE <super>1</super> | 5 | |

```
SMTP_HOST     mail.example.org
SMTP_PORT     25
```
",
        );
        let names: Vec<&str> = facts.variables.iter().map(|v| v.name.as_str()).collect();
        assert_eq!(names, ["LOG_LEVEL", "DB_POOL_SIZE", "SMTP_HOST", "SMTP_PORT"]);
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
