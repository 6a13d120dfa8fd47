//! Targets of Makefiles, justfiles and Taskfiles: named commands.

use std::collections::BTreeMap;

use playbook_core::harmless::{CommandLine, Name};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;

use super::{Detector, commands, judge};
use crate::fact::{Facts, ScriptFact, ScriptNamesFact};
use crate::limits;
use crate::parse::{makefile, yaml};
use crate::source::Source;

pub(crate) const DETECTOR: Detector = Detector { wants, detect };

fn wants(path: &RelPath) -> bool {
    runner(path.name()).is_some()
}

fn runner(name: &str) -> Option<&'static str> {
    match name.to_ascii_lowercase().as_str() {
        "makefile" | "gnumakefile" => Some("make"),
        "justfile" | ".justfile" => Some("just"),
        "taskfile.yml" | "taskfile.yaml" | "taskfile.dist.yml" | "taskfile.dist.yaml" => Some("task"),
        _ => None,
    }
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    match runner(source.path.name()) {
        Some("make") => make(source, facts),
        Some("just") => just(source, facts),
        Some(_) => task(source, facts),
        None => {}
    }
}

/// A named command, with the Compose files it names.
fn tell(
    source: &Source<'_>,
    facts: &mut Facts,
    runner: &'static str,
    name: &str,
    commands: &[String],
    line: u32,
) {
    let dir = source.path.parent();
    for command in commands {
        judge::withhold_in_command(facts, command);
        facts
            .file_sets
            .extend(commands::file_sets(command, &dir, source.at(line)));
    }
    let text = commands.join(" && ");
    if let (Some(name), Some(command)) = (Name::parse(Raw::new(name)), CommandLine::parse(Raw::new(&text))) {
        facts.scripts.push(ScriptFact {
            dir,
            runner,
            name,
            command,
            evidence: source.at(line),
        });
    }
}

/// Tells all names, also of what runs nothing that counts.
fn tell_names<'n>(facts: &mut Facts, runner: &'static str, names: impl Iterator<Item = &'n str>, open: bool) {
    facts.script_names.push(ScriptNamesFact {
        runner,
        names: names.map(str::to_owned).collect(),
        open,
    });
}

fn make(source: &Source<'_>, facts: &mut Facts) {
    let file = makefile::parse(source.text);
    // Rules of other files, patterns and variables stand for names that are not written here; a file of variables for
    // none.
    let open = file.targets.iter().any(|target| target.name.contains(['%', '$']))
        || source.text.lines().any(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            matches!(words.as_slice(), ["include" | "-include" | "sinclude", files @ ..]
                if files.iter().any(|file| !file.contains(".env")))
                || line.contains("$(eval")
        });
    let mentioned = file
        .targets
        .iter()
        .flat_map(|target| std::iter::once(&target.name).chain(&target.prerequisites))
        .map(String::as_str);
    tell_names(facts, "make", mentioned, open);
    let values: BTreeMap<&str, &str> = file
        .variables
        .iter()
        .map(|variable| (variable.name.as_str(), variable.value.as_str()))
        .collect();
    for target in &file.targets {
        if target.name.starts_with('.') || target.name.contains(['%', '$', '/']) {
            continue;
        }
        let commands: Vec<String> = if target.recipe.is_empty() {
            target
                .prerequisites
                .iter()
                .filter(|name| file.target(name).is_some())
                .map(|name| format!("make {name}"))
                .collect()
        } else {
            target
                .recipe
                .iter()
                .map(|step| expand(&step.command, &values, limits::MAKEFILE_DEPTH))
                .filter(|command| !is_noise(command))
                .collect()
        };
        if !commands.is_empty() {
            tell(source, facts, "make", &target.name, &commands, target.line);
        }
    }
}

/// Output for the eye.
fn is_noise(command: &str) -> bool {
    let first = command.split_whitespace().next().unwrap_or_default();
    matches!(first, "echo" | "printf" | "true" | ":") && !command.contains("&&") && !command.contains('|')
}

/// `$(NAME)` and `${NAME}` by the variables of the file, `$$` as a dollar sign.
fn expand(text: &str, values: &BTreeMap<&str, &str>, depth: usize) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let (close, inner) = match after.chars().next() {
            Some('$') => {
                out.push('$');
                rest = after.get(1..).unwrap_or_default();
                continue;
            }
            Some('(') => (')', after.get(1..).unwrap_or_default()),
            Some('{') => ('}', after.get(1..).unwrap_or_default()),
            _ => {
                out.push('$');
                rest = after;
                continue;
            }
        };
        let Some((name, behind)) = inner.split_once(close) else {
            out.push('$');
            rest = after;
            continue;
        };
        match values.get(name) {
            Some(value) if depth > 0 && out.len() < 2_000 => out.push_str(&expand(value, values, depth - 1)),
            _ => {
                out.push('$');
                out.push(if close == ')' { '(' } else { '{' });
                out.push_str(name);
                out.push(close);
            }
        }
        rest = behind;
    }
    out.push_str(rest);
    out
}

fn just(source: &Source<'_>, facts: &mut Facts) {
    let mut open: Option<(String, u32, Vec<String>)> = None;
    let mut done: Vec<(String, u32, Vec<String>)> = Vec::new();
    for (number, line) in source.numbered_lines() {
        if line.starts_with([' ', '\t']) {
            let command = line.trim().trim_start_matches(['@', '-']).trim();
            if let Some((_, _, commands)) = &mut open
                && !command.is_empty()
                && !command.starts_with('#')
                && !is_noise(command)
            {
                commands.push(command.to_owned());
            }
            continue;
        }
        if line.trim().is_empty() || line.starts_with(['#', '[']) {
            continue;
        }
        done.extend(open.take());
        let assignment = line.contains(":=") || line.starts_with("set ") || line.starts_with("export ");
        if let Some((head, _)) = line.split_once(':').filter(|_| !assignment) {
            let name = head
                .trim_start_matches('@')
                .split_whitespace()
                .next()
                .unwrap_or_default();
            open = Some((name.to_owned(), number, Vec::new()));
        }
    }
    done.extend(open);
    let more = source
        .text
        .lines()
        .any(|line| ["import", "mod", "alias"].contains(&line.split_whitespace().next().unwrap_or_default()));
    tell_names(facts, "just", done.iter().map(|(name, ..)| name.as_str()), more);
    for (name, line, commands) in done {
        if !commands.is_empty() && !name.starts_with('_') {
            tell(source, facts, "just", &name, &commands, line);
        }
    }
}

fn task(source: &Source<'_>, facts: &mut Facts) {
    let (root, problem) = yaml::document(source.text);
    judge::problem(source, facts, problem);
    let Some(tasks) = root.as_ref().and_then(|root| root.get("tasks")) else {
        return;
    };
    let aliases = tasks.entries().any(|(_, _, task)| task.get("aliases").is_some());
    let more = aliases || root.as_ref().is_some_and(|root| root.get("includes").is_some());
    tell_names(facts, "task", tasks.entries().map(|(name, ..)| name), more);
    for (name, line, task) in tasks.entries() {
        let steps = task.get("cmds").or_else(|| task.get("cmd")).unwrap_or(task);
        let mut commands: Vec<String> = steps.text().map(judge::joined_lines).into_iter().collect();
        for step in steps.items() {
            if let Some(text) = step.text().or_else(|| step.get("cmd").and_then(|cmd| cmd.text())) {
                commands.push(judge::joined_lines(text));
            } else if let Some(other) = step.get("task").and_then(|task| task.text()) {
                commands.push(format!("task {other}"));
            }
        }
        commands.retain(|command| !command.is_empty() && !is_noise(command));
        if !commands.is_empty() {
            tell(source, facts, "task", name, &commands, line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::facts;

    fn told(text: &str) -> Vec<(String, String, Option<u32>)> {
        facts(&DETECTOR, text)
            .scripts
            .iter()
            .map(|script| {
                (
                    script.name.to_string(),
                    script.command.to_string(),
                    script.evidence.line,
                )
            })
            .collect()
    }

    #[test]
    fn targets_of_make() {
        let found = told(
            "//- Makefile\nCOMPOSE := docker compose -f a.yml\n.PHONY: up\nup: ## start\n\t@echo starting\n\t$(COMPOSE) up -d\nrun: up\n%.o: %.c\n\tcc $<\n",
        );
        assert_eq!(
            found,
            [
                (
                    "up".to_owned(),
                    "docker compose -f a.yml up -d".to_owned(),
                    Some(3)
                ),
                ("run".to_owned(), "make up".to_owned(), Some(6)),
            ]
        );
        let sets = facts(
            &DETECTOR,
            "//- Makefile\nup:\n\tdocker compose -f a.yml -f b.yml up\n",
        )
        .file_sets;
        assert_eq!(sets[0].files.len(), 2);
    }

    #[test]
    fn recipes_of_just_and_task() {
        assert_eq!(
            told(
                "//- justfile\nx := \"1\"\n# start\nserve port=\"1\": build\n    cargo run\n    echo done\nbuild:\n    cargo build\n"
            ),
            [
                ("serve".to_owned(), "cargo run".to_owned(), Some(3)),
                ("build".to_owned(), "cargo build".to_owned(), Some(6)),
            ]
        );
        assert_eq!(
            told(
                "//- Taskfile.yml\nversion: '3'\ntasks:\n  migrate:\n    cmds:\n      - task: build\n      - ./app migrate\n"
            ),
            [(
                "migrate".to_owned(),
                "task build && ./app migrate".to_owned(),
                Some(3)
            )]
        );
    }
}
