//! Does a file describe development? Words of its first comments, commands, variables and images say so; the lists are
//! in `development.toml`.

use std::sync::LazyLock;

use playbook_core::shown::Shown;
use playbook_core::technology::image_path;
use regex::RegexSet;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Table {
    commands: Vec<String>,
    variables: Vec<Switch>,
    images: Vec<String>,
    unsafe_settings: Vec<UnsafeSetting>,
}

#[derive(Deserialize)]
struct Switch {
    name: String,
    values: Vec<String>,
}

#[derive(Deserialize)]
struct UnsafeSetting {
    name: String,
    value: String,
    subject: String,
}

const TEXT: &str = include_str!("../../../development.toml");

// A mistake in the table is found by the test below, never by a user.
static TABLE: LazyLock<Option<Table>> = LazyLock::new(|| toml::from_str(TEXT).ok());
static COMMANDS: LazyLock<RegexSet> = LazyLock::new(|| {
    let patterns = TABLE.as_ref().map(|table| table.commands.as_slice());
    RegexSet::new(patterns.unwrap_or_default()).unwrap_or_else(|_| RegexSet::empty())
});

/// Does the command serve developers or tests?
pub(crate) fn is_command(text: &str) -> bool {
    COMMANDS.is_match(text)
}

/// Does this value switch a process to development?
pub(crate) fn is_switch(name: &str, value: &str) -> bool {
    TABLE.as_ref().is_some_and(|table| {
        table.variables.iter().any(|switch| {
            switch.name.eq_ignore_ascii_case(name)
                && switch
                    .values
                    .iter()
                    .any(|known| known.eq_ignore_ascii_case(value.trim()))
        })
    })
}

/// Is it an image that only serves development?
pub(crate) fn is_image(image: &str) -> bool {
    let (registry, path) = image_path(image);
    let whole = registry.map_or_else(|| path.to_owned(), |registry| format!("{registry}/{path}"));
    TABLE.as_ref().is_some_and(|table| {
        table.images.iter().any(|known| {
            known.strip_suffix('*').map_or_else(
                || *known == whole || *known == path,
                |start| whole.starts_with(start) || path.starts_with(start),
            )
        })
    })
}

/// What a signal calls this setting, if it takes a datastore's safety away.
pub(crate) fn unsafe_setting(name: &str, value: &str) -> Option<Shown> {
    let value = value.trim();
    TABLE.as_ref()?.unsafe_settings.iter().find_map(|setting| {
        let known = setting.name.eq_ignore_ascii_case(name)
            && (setting.value.eq_ignore_ascii_case(value)
                || setting.value == "*" && !matches!(value, "" | "no" | "false" | "0"));
        known.then(|| Shown::from(setting.subject.as_str()))
    })
}

/// The settings of a command line that take a datastore's safety away: `-c fsync=off`, `--protected-mode no`.
pub(crate) fn unsafe_options(command: &str) -> Vec<Shown> {
    let words: Vec<&str> = command.split_whitespace().collect();
    let mut found: Vec<Shown> = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let word = word.trim_matches(['"', '\'']);
        let bare = word.trim_start_matches('-');
        let setting = match bare.split_once('=') {
            Some((name, value)) => unsafe_setting(name, value),
            None => words.get(at + 1).and_then(|value| unsafe_setting(bare, value)),
        };
        found.extend(setting);
    }
    found
}

/// What the comments before the first line of content say of the file's use: `Some(true)` for development,
/// `Some(false)` for production, `None` when they say nothing. The first of the two that is mentioned counts.
pub(crate) fn heading(text: &str) -> Option<bool> {
    let mut words: Vec<String> = Vec::new();
    for line in text.lines().take(12) {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed == "---" {
            continue;
        }
        let Some(comment) = trimmed.strip_prefix('#') else {
            break;
        };
        words.extend(
            comment
                .split(|c: char| !c.is_ascii_alphanumeric())
                .filter(|word| !word.is_empty())
                .map(str::to_ascii_lowercase),
        );
    }
    let mut negated = 0_u32;
    for (at, word) in words.iter().enumerate() {
        let next = words.get(at + 1).map(String::as_str);
        match word.as_str() {
            "not" | "never" | "non" | "don" => negated = 6,
            "development" | "dev" | "localhost" | "locally" | "debugging" if negated == 0 => {
                return Some(true);
            }
            "local"
                if matches!(
                    next,
                    Some("development" | "dev" | "testing" | "use" | "setup" | "environment" | "machine")
                ) =>
            {
                return Some(negated == 0);
            }
            "testing" | "tests" if negated == 0 => return Some(true),
            "production" | "prod" | "deployment" | "deploy" | "staging" => return Some(negated > 0),
            // People host for themselves what they use, be it on a machine at home.
            "hosting" | "hosted" | "selfhosted" | "selfhosting" | "selfhost" | "vps" if negated == 0 => {
                return Some(false);
            }
            _ => negated = negated.saturating_sub(1),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_is_whole() {
        let table: Table = toml::from_str(TEXT).expect("development.toml");
        RegexSet::new(&table.commands).expect("patterns");
        assert!(!table.images.is_empty() && !table.unsafe_settings.is_empty());
    }

    #[test]
    fn commands() {
        for text in [
            "npm run dev",
            "yarn dev",
            "uvicorn app:app --reload",
            "python manage.py runserver 0.0.0.0:8000",
            "nodemon --inspect=0.0.0.0 server.js",
            "flask run --host 0.0.0.0",
            "sh -c \"npm run start:dev\"",
            "tail -f /dev/null",
        ] {
            assert!(is_command(text), "{text}");
        }
        for text in [
            "npm run start:prod",
            "uvicorn app:app --host 0.0.0.0",
            "gunicorn app:app",
            "node server.js",
            "python manage.py migrate",
            "fastapi run --workers 4",
            "./airflow webserver",
            "node dist/dev-portal.js",
        ] {
            assert!(!is_command(text), "{text}");
        }
    }

    #[test]
    fn headings() {
        assert_eq!(
            heading("# For the **development** setup.\n# For production see x.\na: 1\n"),
            Some(true)
        );
        assert_eq!(
            heading("# Intended for local testing and NOT intended to be\n# production ready.\n"),
            Some(true)
        );
        assert_eq!(heading("# Not for production\n"), Some(true));
        assert_eq!(
            heading("# Production stack. For development see compose.dev.yml\n"),
            Some(false)
        );
        assert_eq!(
            heading("# Example for self-hosting on your local machine\n# or on a cloud VPS.\na: 1\n"),
            Some(false)
        );
        assert_eq!(heading("# Three services\nservices: # development\n"), None);
        assert_eq!(heading("services:\n  # development only\n"), None);
    }

    #[test]
    fn settings() {
        assert!(unsafe_setting("POSTGRES_HOST_AUTH_METHOD", "trust").is_some());
        assert!(unsafe_setting("POSTGRES_HOST_AUTH_METHOD", "scram-sha-256").is_none());
        assert_eq!(
            unsafe_options("postgres -c fsync=off -c full_page_writes=off").len(),
            2
        );
        assert_eq!(unsafe_options("redis-server --protected-mode no").len(), 1);
        assert_eq!(unsafe_options("redis-server --protected-mode yes").len(), 0);
        assert!(is_image("axllent/mailpit:v1.20") && !is_image("postgres:16"));
        assert!(is_switch("node_env", "Development") && !is_switch("NODE_ENV", "production"));
    }
}
