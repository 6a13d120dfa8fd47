//! Shell scripts that start, release or deploy: what they run, for which argument, and which variables they read.

use playbook_core::harmless::{EnvName, Name};
use playbook_core::inventory::VariableOrigin;
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;

use super::judge::{self, Place};
use super::{Detector, commands, ending};
use crate::fact::{Arm, Facts, ShellScript, VariableFact};
use crate::limits;
use crate::parse::shell::{self, Command};
use crate::source::Source;

pub(crate) const DETECTOR: Detector = Detector { wants, detect };

/// Folders whose files without an ending may be scripts.
const FOLDERS: [&str; 12] = [
    "bin",
    "script",
    "scripts",
    "docker",
    "deploy",
    "ops",
    "container",
    "build",
    "hooks",
    "rootfs",
    "run",
    "exe",
];

/// Words of a script's name that say that it starts something in a container or on a server.
const STARTS: [&str; 24] = [
    "entrypoint",
    "start",
    "startup",
    "run",
    "serve",
    "server",
    "boot",
    "bootstrap",
    "worker",
    "web",
    "release",
    "migrate",
    "migrations",
    "prestart",
    "predeploy",
    "init",
    "launch",
    "cmd",
    "celery",
    "beat",
    "scheduler",
    "cron",
    "supervisor",
    "gunicorn",
];

/// Commands that say nothing about what is deployed.
const NOISE: [&str; 26] = [
    "echo", "printf", "set", "[", "[[", "test", "exit", "return", "true", "false", ":", "shift", "local",
    "readonly", "trap", "unset", "declare", "typeset", "read", "usage", "break", "continue", "sleep", "date",
    "basename", "dirname",
];

fn wants(path: &RelPath) -> bool {
    let name = path.name();
    ending(path, &["sh", "bash"])
        || (!name.contains('.')
            && (path.parent().components().any(|folder| FOLDERS.contains(&folder)) || starts_something(path)))
}

/// Does the script's name, or its folder, say that it runs where the software runs?
fn starts_something(path: &RelPath) -> bool {
    let lower = path.name().to_ascii_lowercase();
    lower.split(['.', '-', '_']).any(|part| STARTS.contains(&part)) && !lower.contains("wait-for")
}

fn is_shell(source: &Source<'_>) -> bool {
    let Some(first) = source.text.lines().next().filter(|line| line.starts_with("#!")) else {
        return ending(source.path, &["sh", "bash"]);
    };
    first.split(['/', ' ']).any(|word| {
        matches!(
            word,
            "sh" | "bash" | "ash" | "dash" | "zsh" | "ksh" | "with-contenv"
        )
    })
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    if !is_shell(source) {
        return;
    }
    let arms = arms(source, facts);
    let in_arms = |line: u32| {
        arms.iter()
            .any(|arm| arm.commands.iter().any(|(_, at)| *at == line))
    };
    let all = shell::commands(source.text);
    let runs_arguments = all.iter().any(is_arguments);
    let mut told = Vec::new();
    for command in all.iter().take(limits::FACTS_PER_FILE + 1) {
        let Some(text) = text_of(command) else { continue };
        judge::withhold_in_command(facts, &text);
        facts.file_sets.extend(commands::file_sets(
            &text,
            &RelPath::root(),
            source.at(command.line),
        ));
        if in_arms(command.line) {
            continue;
        }
        told.extend(judge::command(&text).map(|shown| (shown, command.line)));
    }
    variables(source, facts, runs_arguments);
    facts.shell_scripts.push(ShellScript {
        path: source.path.clone(),
        commands: told,
        arms,
        runs_arguments,
        scope: source.scope,
    });
}

/// Is it `exec "$@"`?
fn is_arguments(command: &Command) -> bool {
    command
        .words
        .iter()
        .rev()
        .take(2)
        .any(|word| matches!(word.text.as_str(), "$@" | "${@}" | "$*"))
        && (command.exec || command.words.len() == 1)
}

/// The command as text, or nothing for one that says nothing.
fn text_of(command: &Command) -> Option<String> {
    let program = command.program_name()?;
    if NOISE.contains(&program) || is_arguments(command) {
        return None;
    }
    let mut words: Vec<String> = command
        .assignments
        .iter()
        .map(|(name, value)| format!("{name}={}", value.text))
        .collect();
    words.extend(command.words.iter().map(|word| word.text.clone()));
    Some(judge::join_words(&words))
}

fn arms(source: &Source<'_>, facts: &mut Facts) -> Vec<Arm> {
    let mut found = Vec::new();
    for arm in shell::dispatch(source.text) {
        let commands: Vec<_> = arm
            .commands
            .iter()
            .filter_map(|command| {
                let text = text_of(command)?;
                judge::withhold_in_command(facts, &text);
                judge::command(&text).map(|shown| (shown, command.line))
            })
            .collect();
        for pattern in &arm.patterns {
            if let Some(name) = Name::parse(Raw::new(pattern)) {
                found.push(Arm {
                    name,
                    commands: commands.clone(),
                    line: arm.line,
                });
            }
        }
    }
    found
}

/// The variables of scripts that run where the software runs; those of build and deployment scripts belong to the host
/// of whoever runs them.
fn variables(source: &Source<'_>, facts: &mut Facts, runs_arguments: bool) {
    if !(runs_arguments || starts_something(source.path)) || source.path.name().contains("wait-for") {
        return;
    }
    for read in shell::variables_read(source.text) {
        if is_of_the_shell(&read.name) || !is_upper_case(&read.name) {
            continue;
        }
        let Some(name) = EnvName::parse(Raw::new(&read.name)) else {
            continue;
        };
        let mut fact = VariableFact::new(name, VariableOrigin::Script, source.scope, source.at(read.line));
        fact.required = read.required;
        fact.has_default = read.has_default;
        if let Some(default) = read.default.as_deref().filter(|default| !default.contains('$')) {
            let place = Place::new(read.line, source.scope);
            let judged = judge::literal(source, facts, &read.name, default, place);
            fact.default = judged.shown;
            fact.placeholder = judged.placeholder;
        }
        facts.variables.push(fact);
    }
}

fn is_upper_case(name: &str) -> bool {
    name.chars()
        .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// Variables that every shell sets.
fn is_of_the_shell(name: &str) -> bool {
    matches!(
        name,
        "PATH"
            | "HOME"
            | "PWD"
            | "OLDPWD"
            | "USER"
            | "HOSTNAME"
            | "IFS"
            | "RANDOM"
            | "SECONDS"
            | "LINENO"
            | "SHELL"
            | "TERM"
            | "UID"
            | "EUID"
            | "OSTYPE"
            | "FUNCNAME"
            | "PIPESTATUS"
            | "REPLY"
            | "OPTARG"
            | "OPTIND"
            | "TMPDIR"
            | "SHLVL"
            | "PPID"
            | "LOGNAME"
            | "EPOCHSECONDS"
            | "COLUMNS"
            | "LINES"
    ) || name.starts_with("BASH")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::facts;
    use playbook_core::evidence::Scope;

    const ENTRYPOINT: &str = "//- docker/docker-entrypoint
#!/usr/bin/env bash
set -e
server() {
  exec gunicorn -b 0.0.0.0:${PORT:-8000} app:app
}
: \"${SECRET_KEY:?is missing}\"
alembic upgrade head
case \"$1\" in
  worker)
    exec celery -A app worker
    ;;
  server)
    server
    ;;
  *)
    exec \"$@\"
    ;;
esac
";

    #[test]
    fn commands_and_arms() {
        let facts = facts(&DETECTOR, ENTRYPOINT);
        let script = &facts.shell_scripts[0];
        assert!(script.runs_arguments);
        let commands: Vec<_> = script
            .commands
            .iter()
            .map(|(command, line)| (command.as_str(), *line))
            .collect();
        assert_eq!(commands, [("alembic upgrade head", 7)]);
        let arms: Vec<_> = script
            .arms
            .iter()
            .map(|arm| {
                (
                    arm.name.as_str(),
                    arm.commands.first().map(|(command, _)| command.as_str()),
                    arm.line,
                )
            })
            .collect();
        assert_eq!(
            arms,
            [
                ("worker", Some("celery -A app worker"), 9),
                ("server", Some("gunicorn -b 0.0.0.0:${PORT:-8000} app:app"), 12),
                ("*", None, 15),
            ]
        );
    }

    #[test]
    fn variables() {
        let facts = facts(&DETECTOR, ENTRYPOINT);
        let told: Vec<_> = facts
            .variables
            .iter()
            .map(|fact| (fact.name.as_str(), fact.required, fact.has_default))
            .collect();
        assert!(told.contains(&("PORT", false, true)), "{told:?}");
        assert!(told.contains(&("SECRET_KEY", true, false)), "{told:?}");
    }

    #[test]
    fn scripts_of_the_host_read_no_settings() {
        let facts = facts(
            &DETECTOR,
            "//- scripts/build-push.sh\ndocker build -t $REGISTRY/x .\ndocker compose -f a.yml -f b.yml up -d\n",
        );
        assert!(facts.variables.is_empty());
        assert_eq!(facts.shell_scripts[0].commands.len(), 2);
        assert_eq!(facts.file_sets[0].files.len(), 2);
    }

    #[test]
    fn other_programs_are_none() {
        for text in [
            "//- bin/manage\n#!/usr/bin/env python\nprint(1)\n",
            "//- bin/rails\n#!/usr/bin/env ruby\nrequire 'x'\n",
            "//- bin/data\nsome text\n",
        ] {
            assert!(facts(&DETECTOR, text).shell_scripts.is_empty(), "{text}");
        }
        assert_eq!(
            facts(&DETECTOR, "//- tests/run.sh\nset -e\npytest\n").shell_scripts[0].scope,
            Scope::Development
        );
    }
}
