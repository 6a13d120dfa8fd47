//! What a process is for, from its command and its name.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use playbook_core::inventory::Role;
use playbook_core::secret::words_of;
use playbook_core::technology::{Catalogue, Technology};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Table {
    role: Vec<RoleNames>,
    maintenance: Words,
    development_command: CommandWords,
    foreign_role: Vec<RoleNames>,
    datastore_process: Vec<DatastoreProcess>,
    instance: Words,
    variant: Variants,
    helper: Words,
    process_manager: Words,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct DatastoreProcess {
    kind: String,
    programs: BTreeSet<String>,
    #[serde(default)]
    variables: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Variants {
    names: BTreeSet<String>,
    runtimes: BTreeSet<String>,
}

#[derive(Deserialize)]
struct RoleNames {
    role: String,
    names: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Words {
    names: BTreeSet<String>,
}

#[derive(Deserialize)]
struct CommandWords {
    words: Vec<String>,
}

static TABLE: LazyLock<Option<Table>> =
    LazyLock::new(|| toml::from_str(include_str!("../../processes.toml")).ok());

/// The role that a name tells.
pub(crate) fn of_name(name: &str) -> Option<Role> {
    let words = words_of(name);
    let table = TABLE.as_ref()?;
    table
        .role
        .iter()
        .find(|row| {
            words.iter().any(|word| row.names.contains(word))
                || row.names.contains(&name.to_ascii_lowercase())
        })
        .and_then(|row| Role::from_word(&row.role))
}

/// Does the name say that the process is for development, tests or maintenance?
pub(crate) fn is_maintenance(name: &str) -> bool {
    let words = words_of(name);
    TABLE
        .as_ref()
        .is_some_and(|table| words.iter().any(|word| table.maintenance.names.contains(word)))
}

/// The role that the name of somebody else's image tells.
pub(crate) fn of_foreign_name(name: &str) -> Option<Role> {
    let words = words_of(name);
    TABLE
        .as_ref()?
        .foreign_role
        .iter()
        .find(|row| words.iter().any(|word| row.names.contains(word)))
        .and_then(|row| Role::from_word(&row.role))
}

/// The kind of datastore whose server a program is.
pub(crate) fn store_of_program(program: &str) -> Option<&'static str> {
    let name = program.rsplit('/').next().unwrap_or(program);
    TABLE
        .as_ref()?
        .datastore_process
        .iter()
        .find(|row| row.programs.contains(name))
        .map(|row| row.kind.as_str())
}

/// The kind of datastore whose image is told its first user or database by one of these variables.
pub(crate) fn store_of_variables<'a>(mut names: impl Iterator<Item = &'a str>) -> Option<&'static str> {
    let table = TABLE.as_ref()?;
    names.find_map(|name| {
        table
            .datastore_process
            .iter()
            .find(|row| row.variables.contains(name))
            .map(|row| row.kind.as_str())
    })
}

/// Is it the name of code that programs share?
pub(crate) fn is_helper(name: &str) -> bool {
    let words = words_of(name);
    TABLE
        .as_ref()
        .is_some_and(|table| words.last().is_some_and(|word| table.helper.names.contains(word)))
}

/// Is it a program that starts and watches the processes of one host or image?
pub(crate) fn is_process_manager(program: &str) -> bool {
    TABLE
        .as_ref()
        .is_some_and(|table| table.process_manager.names.contains(program))
}

/// A name without the words that only number its instances or tell its build apart: of `api-2`, `api-replica`,
/// `api-native` and `api-java21` it is `api`. `None` where nothing is left.
pub(crate) fn stem(name: &str) -> Option<String> {
    let table = TABLE.as_ref()?;
    let is_variant = |word: &str| {
        let letters = word.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        table.variant.names.contains(word)
            || letters.len() < word.len() && table.variant.runtimes.contains(letters)
    };
    let is_number = |word: &str| word.chars().all(|c| c.is_ascii_digit());
    let words: Vec<String> = words_of(name)
        .into_iter()
        .filter(|word| !table.instance.names.contains(word) && !is_variant(word) && !is_number(word))
        .collect();
    (!words.is_empty()).then(|| words.join("-"))
}

/// Does the command run a development server or a watcher?
pub(crate) fn is_development_command(command: &str) -> bool {
    let padded = format!(" {command} ");
    TABLE.as_ref().is_some_and(|table| {
        table
            .development_command
            .words
            .iter()
            .any(|word| padded.contains(&format!(" {word} ")))
    })
}

/// The simple commands of a command line: split at `&&`, `;`, `||` and `|`, the text of `sh -c` opened, assignments and
/// wrappers left in place.
pub(crate) fn simple_commands(command: &str) -> Vec<Vec<&str>> {
    command
        .split("&&")
        .flat_map(|part| part.split(';'))
        .flat_map(|part| part.split("||"))
        .map(|part| {
            let words: Vec<&str> = part
                .split_whitespace()
                .map(|word| word.trim_matches(['"', '\'', '(', ')', '{', '}']))
                .filter(|word| !word.is_empty())
                .collect();
            let start = words
                .iter()
                .position(|word| {
                    !matches!(
                        *word,
                        "sh" | "bash"
                            | "/bin/sh"
                            | "/bin/bash"
                            | "ash"
                            | "-c"
                            | "-lc"
                            | "-ec"
                            | "-e"
                            | "exec"
                            | "-o"
                            | "pipefail"
                            | "then"
                            | "do"
                            | "if"
                            | "else"
                            | "env"
                    ) && !is_assignment(word)
                })
                .unwrap_or(words.len());
            words.into_iter().skip(start).collect::<Vec<_>>()
        })
        .filter(|words| !words.is_empty())
        .collect()
}

/// Words in front of a command that an image's entrypoint and its wrappers may take up.
const ENTRYPOINT_WORDS: usize = 6;

/// `NAME=value` before a command.
pub(crate) fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty()
            && !name.starts_with('-')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}

/// The technologies that a command line runs, of its last simple command first.
pub(crate) fn technologies(command: &str) -> Vec<&'static Technology> {
    let catalogue = Catalogue::get();
    let mut found = Vec::new();
    for words in simple_commands(command).iter().rev() {
        for technology in catalogue.by_command(words) {
            if !found
                .iter()
                .any(|other: &&Technology| std::ptr::eq(*other, technology))
            {
                found.push(technology);
            }
        }
    }
    found
}

/// Does a command line start this technology, by itself or through an entrypoint in front of it?
pub(crate) fn runs(command: &str, id: &str) -> bool {
    let catalogue = Catalogue::get();
    simple_commands(command).iter().any(|words| {
        (0..words.len().min(ENTRYPOINT_WORDS)).any(|at| {
            words.get(at..).is_some_and(|rest| {
                catalogue
                    .by_command(rest)
                    .iter()
                    .any(|technology| technology.id == id)
            })
        })
    })
}

/// The role that a command tells.
pub(crate) fn of_command(command: &str) -> Option<Role> {
    for technology in technologies(command) {
        let role = technology
            .framework
            .as_ref()
            .map(|framework| framework.role)
            .filter(|role| !role.is_empty());
        let word = role.or_else(|| technology.roles.first().copied());
        if let Some(role) = word.and_then(Role::from_word) {
            return Some(role);
        }
        // A runtime such as `node` says nothing about what its program does.
        let serves = technology.server.as_ref().is_some_and(|server| {
            !server.wraps
                && (technology.default_port.is_some()
                    || !server.port_flags.is_empty()
                    || !server.bind_flags.is_empty())
        });
        if serves {
            return Some(Role::Web);
        }
        if technology.migration.is_some() {
            return Some(Role::Job);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_roles() {
        for (name, role) in [
            ("celery-worker", Some(Role::Worker)),
            ("celery-beat", Some(Role::Scheduler)),
            ("web", Some(Role::Web)),
            ("db-migrate", Some(Role::Job)),
            ("orders", None),
        ] {
            assert_eq!(of_name(name), role, "{name}");
        }
        assert!(is_maintenance("dev_server"));
        assert!(is_development_command("nodemon src/index.js"));
        assert!(!is_development_command("node dist/main.js"));
    }

    #[test]
    fn names_have_stems() {
        for (name, wanted) in [
            ("api", Some("api")),
            ("api-native", Some("api")),
            ("api-java21", Some("api")),
            ("api-2", Some("api")),
            ("chat-alpha", Some("chat")),
            ("go-worker", Some("go-worker")),
            ("native", None),
        ] {
            assert_eq!(stem(name).as_deref(), wanted, "{name}");
        }
        assert_eq!(store_of_program("/usr/bin/mysqld_safe"), Some("mysql"));
        assert_eq!(of_foreign_name("sql-exporter"), Some(Role::Monitoring));
        assert_eq!(of_name("load-generator"), Some(Role::Tool));
    }

    #[test]
    fn commands_are_taken_apart() {
        assert_eq!(
            simple_commands("sh -c \"alembic upgrade head && A=1 exec uvicorn app:app\""),
            [vec!["alembic", "upgrade", "head"], vec!["uvicorn", "app:app"]]
        );
    }
}
