//! How programs are started by convention: the table `conventions.toml`, whose head explains its keys.
//!
//! A language is added by rows of the table alone: files in order, the command for each, and patterns where a file's
//! name proves too little. `detect::conventions` reads the files of rows with patterns and tells a
//! [`ProgramFact`](crate::fact::ProgramFact); `resolve::conventions` makes a service of the best row, in repositories
//! where nothing else was found.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use playbook_core::path::RelPath;
use playbook_core::secret::words_of;
use serde::Deserialize;

use crate::detect::pattern::Expression;
use crate::needle::Needles;

/// A word of the table, which is part of the program.
pub(crate) type Word = &'static str;

/// A row: number of its language and its own number there. The order of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RowId {
    /// Number of the language.
    pub(crate) language: usize,
    /// Number of the row.
    pub(crate) row: usize,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, bound(deserialize = "'de: 'static"))]
struct Table {
    language: Vec<Language>,
    tools: Tools,
    builder: Vec<Builder>,
    health: Health,
}

/// Words of the paths of health endpoints; the table explains each list.
#[derive(Debug, Default, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    deny_unknown_fields,
    default,
    bound(deserialize = "'de: 'static")
)]
struct Health {
    paths: Vec<Word>,
    first: Vec<Word>,
    shallow: Vec<Word>,
    above: Vec<Word>,
    handler_verbs: Vec<Word>,
    handler_nouns: Vec<Word>,
    handler_texts: Vec<Word>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    deny_unknown_fields,
    default,
    bound(deserialize = "'de: 'static")
)]
struct Tools {
    programs: Vec<Word>,
    start_scripts: Vec<Word>,
    port_variables: Vec<Word>,
}

/// A file of a builder that states the start command itself.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'static"))]
pub(crate) struct Builder {
    /// Slug of the builder.
    pub(crate) runner: Word,
    /// Name of the file.
    pub(crate) file: Word,
    /// Keys of the command.
    pub(crate) start: Vec<Word>,
}

/// The conventions of one language on one runtime.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, bound(deserialize = "'de: 'static"))]
pub(crate) struct Language {
    /// Slug of the language.
    pub(crate) language: Word,
    /// Slug of the runtime.
    pub(crate) runtime: Option<Word>,
    /// Slug of the ecosystem of its manifests.
    pub(crate) ecosystem: Option<Word>,
    /// Endings of its source files.
    pub(crate) endings: Vec<Word>,
    /// Command for a file that a manifest names.
    pub(crate) run: Option<Word>,
    /// Command for the only program that a manifest declares.
    pub(crate) program: Option<Word>,
    /// Files in order.
    pub(crate) start: Vec<Start>,
}

/// A file in which programs begin.
#[derive(Debug, Default, Deserialize)]
#[serde(
    deny_unknown_fields,
    default,
    rename_all = "kebab-case",
    bound(deserialize = "'de: 'static")
)]
pub(crate) struct Start {
    /// Path from the application's folder.
    pub(crate) file: Word,
    /// The command; `None` for the language's, empty for a process without one.
    pub(crate) command: Option<Word>,
    /// Must be found.
    pub(crate) text: Option<Expression>,
    /// Must not be found.
    pub(crate) unless: Option<Expression>,
    /// Says that the program answers requests.
    pub(crate) listens: Option<Expression>,
    /// Only in an application of this runtime.
    pub(crate) for_runtime: Option<Word>,
    /// Only in an application that depends on this package.
    pub(crate) package: Option<Word>,
    /// Only in a folder without any manifest.
    pub(crate) alone: bool,
    /// Role of the process.
    pub(crate) role: Option<Word>,
}

impl Start {
    /// Does the file's text have to be looked at?
    pub(crate) fn needs_text(&self) -> bool {
        self.text.is_some() || self.unless.is_some() || self.listens.is_some()
    }
}

/// A row with its place.
pub(crate) struct Row {
    /// Which one.
    pub(crate) id: RowId,
    /// The row as written.
    pub(crate) start: &'static Start,
}

// The table is part of the program; a mistake in it is found by the test below, never by a user.
static TABLE: LazyLock<Table> =
    LazyLock::new(|| toml::from_str(include_str!("../conventions.toml")).unwrap_or_default());

/// Rows whose files are read, by the last component of their path; `*.cbl` stands under `.cbl`.
static BY_NAME: LazyLock<BTreeMap<Word, Vec<Row>>> = LazyLock::new(|| {
    let mut rows: BTreeMap<Word, Vec<Row>> = BTreeMap::new();
    for (id, start) in all_rows().filter(|(_, start)| start.needs_text()) {
        let last = start.file.rsplit('/').next().unwrap_or(start.file);
        rows.entry(last.trim_start_matches('*'))
            .or_default()
            .push(Row { id, start });
    }
    rows
});

fn all_rows() -> impl Iterator<Item = (RowId, &'static Start)> {
    TABLE.language.iter().enumerate().flat_map(|(language, of)| {
        of.start
            .iter()
            .enumerate()
            .map(move |(row, start)| (RowId { language, row }, start))
    })
}

/// Is it a tool of development: nothing that is deployed?
pub(crate) fn is_tool(program: &str) -> bool {
    TABLE.tools.programs.contains(&program)
}

/// Names of the scripts that start a program for production, the strongest first.
pub(crate) fn start_scripts() -> &'static [Word] {
    &TABLE.tools.start_scripts
}

/// Names of the variables that programs take their port from, the most usual first.
pub(crate) fn port_variables() -> &'static [Word] {
    &TABLE.tools.port_variables
}

/// The builder whose file this is.
pub(crate) fn builder(path: &RelPath) -> Option<&'static Builder> {
    TABLE.builder.iter().find(|builder| builder.file == path.name())
}

/// Is it the slug of a builder whose files state the start command themselves?
pub(crate) fn is_builder(runner: &str) -> bool {
    TABLE.builder.iter().any(|builder| builder.runner == runner)
}

/// Is it a path that people call a health endpoint?
pub(crate) fn is_health_path(path: &str) -> bool {
    let health = &TABLE.health;
    let Some(last) = path.trim_end_matches('/').rsplit('/').next() else {
        return false;
    };
    let words = words_of(last.trim_start_matches(['_', '-']));
    let joined = words.concat();
    health.paths.contains(&joined.as_str())
        || words
            .first()
            .is_some_and(|word| health.first.contains(&word.as_str()))
            && words.len() <= 2
        || health.shallow.contains(&joined.as_str()) && path.matches('/').count() <= 2
        || path
            .split('/')
            .rev()
            .nth(1)
            .is_some_and(|before| health.above.contains(&before))
            && words.len() <= 2
            && !path.contains([':', '{', '<', '*'])
}

/// May there be such a function in a text? One pass over it.
pub(crate) fn may_have_health_handler(text: &str) -> bool {
    static TEXTS: LazyLock<Needles> =
        LazyLock::new(|| Needles::new(TABLE.health.handler_texts.iter().copied()));
    TEXTS.any_in(text)
}

/// Is it the name of a function that answers such a path: `healthz`, `HealthCheck`, `get_liveness`, `pingHandler`?
pub(crate) fn is_health_handler(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let verbs = &TABLE.health.handler_verbs;
    let mut bare = verbs
        .iter()
        .find_map(|verb| lower.strip_prefix(verb))
        .unwrap_or(&lower);
    for noun in &TABLE.health.handler_nouns {
        bare = bare.strip_suffix(noun).unwrap_or(bare);
    }
    is_health_path(&format!("/{}", bare.replace('_', "-")))
}

/// All languages, in order.
pub(crate) fn languages() -> &'static [Language] {
    &TABLE.language
}

/// The language of a row.
pub(crate) fn language(id: RowId) -> Option<&'static Language> {
    TABLE.language.get(id.language)
}

/// A row.
pub(crate) fn start(id: RowId) -> Option<&'static Start> {
    language(id)?.start.get(id.row)
}

/// Rows whose existence alone counts, in order.
pub(crate) fn by_existence() -> impl Iterator<Item = (RowId, &'static Start)> {
    all_rows().filter(|(_, start)| !start.needs_text())
}

/// Rows with patterns that the name of this file could fit.
pub(crate) fn by_text(path: &RelPath) -> impl Iterator<Item = &'static Row> {
    let name = path.name();
    let ending = name.rfind('.').and_then(|at| name.get(at..)).unwrap_or_default();
    let exact = BY_NAME.get(name);
    let by_ending = BY_NAME.get(ending).filter(|_| ending != name);
    exact.into_iter().chain(by_ending).flatten()
}

/// The application's folder, where the end of the path fits the row's file: `a/src/main.py` and `src/main.py` give `a`.
pub(crate) fn folder_of(path: &RelPath, file: &str) -> Option<RelPath> {
    let wanted: Vec<&str> = file.split('/').collect();
    let parts: Vec<&str> = path.components().collect();
    let tail = parts.get(parts.len().checked_sub(wanted.len())?..)?;
    let fits = |part: &str, pattern: &str| match pattern.split_once('*') {
        Some((before, after)) => {
            part.len() > before.len() + after.len() && part.starts_with(before) && part.ends_with(after)
        }
        None => part == pattern,
    };
    if !tail
        .iter()
        .zip(&wanted)
        .all(|(part, pattern)| fits(part, pattern))
    {
        return None;
    }
    let mut folder = path.clone();
    for _ in &wanted {
        folder = folder.parent();
    }
    Some(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        let table: Table = toml::from_str(include_str!("../conventions.toml")).expect("conventions.toml");
        for language in &table.language {
            assert!(!language.language.is_empty());
            for start in &language.start {
                for pattern in [&start.text, &start.unless, &start.listens].into_iter().flatten() {
                    assert!(pattern.regex().is_some(), "{pattern:?}");
                }
                assert!(
                    start.command.is_some() || language.run.is_some(),
                    "{} has no command",
                    start.file
                );
                assert!(
                    !start.file.contains('*') || start.text.is_some(),
                    "{} needs a pattern for its text",
                    start.file
                );
                assert!(
                    start
                        .role
                        .is_none_or(|role| playbook_core::inventory::Role::from_word(role).is_some())
                );
            }
        }
    }

    #[test]
    fn the_end_of_a_path_tells_the_folder() {
        let folder = |path, file| folder_of(&RelPath::new(path).expect("a plain path"), file);
        assert_eq!(folder("src/main.py", "src/main.py"), Some(RelPath::root()));
        assert_eq!(
            folder("a/cmd/api/main.go", "cmd/*/main.go").map(|dir| dir.to_string()),
            Some("a".to_owned())
        );
        assert_eq!(folder("pay.cbl", "*.cbl"), Some(RelPath::root()));
        assert_eq!(folder(".cbl", "*.cbl"), None);
        assert_eq!(folder("main.py", "src/main.py"), None);
    }

    #[test]
    fn health_paths() {
        for path in [
            "/health",
            "/api/v1/utils/health-check/",
            "/healthz",
            "/_health",
            "/api/ready",
            "/ping",
            "/actuator/health",
            "/health/live",
            "/up",
        ] {
            assert!(is_health_path(path), "{path}");
        }
        for path in [
            "/",
            "/users",
            "/health-records/all",
            "/orders/status/list",
            "/live-streams/{id}",
            "/shipping",
        ] {
            assert!(!is_health_path(path), "{path}");
        }
    }
}
