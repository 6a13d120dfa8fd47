//! The table of calls whose meaning the detectors know: `known.toml`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::fact::EntryKind;

/// Text of the table, which is part of the program and so may be printed.
type Word = &'static str;

/// A call that makes an application or server object.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'static"))]
pub(super) struct Application {
    pub(super) call: Word,
    pub(super) framework: Word,
    #[serde(default)]
    pub(super) wraps: bool,
    #[serde(default)]
    pub(super) options: bool,
    #[serde(default)]
    pub(super) websocket: bool,
}

/// A call that begins to listen.
#[derive(Debug, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    deny_unknown_fields,
    bound(deserialize = "'de: 'static")
)]
pub(super) struct Serve {
    pub(super) call: Word,
    pub(super) framework: Word,
    pub(super) port: Word,
    pub(super) host: Word,
    #[serde(default)]
    pub(super) port_needed: bool,
}

/// A call that makes a process without a port.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'static"))]
pub(super) struct Worker {
    pub(super) call: Word,
    pub(super) framework: Word,
    #[serde(default)]
    pub(super) method: Word,
    #[serde(default)]
    pub(super) new: bool,
    kind: Word,
}

impl Worker {
    /// What kind of process it makes.
    pub(super) fn kind(&self) -> EntryKind {
        match self.kind {
            "scheduler" => EntryKind::Scheduler,
            "program" => EntryKind::Program,
            _ => EntryKind::Worker,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    deny_unknown_fields,
    default,
    bound(deserialize = "'de: 'static")
)]
struct Table {
    without_package: Vec<Word>,
    application: Vec<Application>,
    serve: Vec<Serve>,
    worker: Vec<Worker>,
}

// The table is part of the program; a mistake in it is found by the test below, never by a user.
static TABLE: LazyLock<Table> =
    LazyLock::new(|| toml::from_str(include_str!("known.toml")).unwrap_or_default());

static APPLICATIONS: LazyLock<BTreeMap<&'static str, &'static Application>> = LazyLock::new(|| {
    TABLE
        .application
        .iter()
        .map(|entry| (entry.call, entry))
        .collect()
});

/// Texts of which a file that imports no package has one if there is anything to tell of it: those of the table, and
/// the names that the runtime itself provides.
pub(super) fn texts_without_package() -> impl Iterator<Item = Word> {
    let calls = TABLE
        .application
        .iter()
        .map(|entry| entry.call)
        .chain(TABLE.serve.iter().map(|entry| entry.call))
        .chain(TABLE.worker.iter().map(|entry| entry.call));
    calls
        .filter(|call| !call.contains('#'))
        .filter_map(|call| call.split('.').next())
        .chain(TABLE.without_package.iter().copied())
}

/// What a call of this full name makes.
pub(super) fn application(name: &str) -> Option<&'static Application> {
    APPLICATIONS.get(name).copied()
}

/// Does a call of this full name begin to listen?
pub(super) fn serve(name: &str) -> Option<&'static Serve> {
    TABLE.serve.iter().find(|entry| entry.call == name)
}

/// Does a call of this full name make a worker?
pub(super) fn worker(name: &str) -> Option<&'static Worker> {
    TABLE.worker.iter().find(|entry| entry.call == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_parses_and_finds() {
        let table: Table = toml::from_str(include_str!("known.toml")).expect("known.toml");
        assert!(table.application.len() > 20 && table.serve.len() > 5 && table.worker.len() > 8);
        assert_eq!(
            application("express#").map(|entry| entry.framework),
            Some("express")
        );
        assert!(application("express#Router").is_none());
    }
}
