//! The table of calls whose meaning the detectors know: `known.toml`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::fact::EntryKind;

/// Text of the table, which is part of the program and so may be printed.
type Word = &'static str;

/// A call that makes an application object.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'static"))]
pub(super) struct Application {
    pub(super) call: Word,
    pub(super) framework: Word,
    #[serde(default)]
    kind: Word,
}

impl Application {
    /// What kind of process it makes.
    pub(super) fn kind(&self) -> EntryKind {
        match self.kind {
            "worker" => EntryKind::Worker,
            "scheduler" => EntryKind::Scheduler,
            "function" => EntryKind::Function,
            _ => EntryKind::Server,
        }
    }
}

/// A call that starts a listener.
#[derive(Debug, Default, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    deny_unknown_fields,
    default,
    bound(deserialize = "'de: 'static")
)]
pub(super) struct Run {
    pub(super) call: Word,
    pub(super) framework: Word,
    /// Frameworks of the object whose method it is.
    pub(super) frameworks: Vec<Word>,
    /// Module without which the name means something else.
    pub(super) needs: Word,
    pub(super) port: Word,
    pub(super) host: Word,
    pub(super) address: Word,
    /// Keyword with `host:port`, beside those for host and port.
    pub(super) listen: Word,
    pub(super) default_port: Option<u16>,
    pub(super) default_host: Word,
    pub(super) development: bool,
}

/// A call that makes a client of a datastore.
#[derive(Debug, Default, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    deny_unknown_fields,
    default,
    bound(deserialize = "'de: 'static")
)]
pub(super) struct Store {
    call: Word,
    pub(super) kind: Word,
    pub(super) address: Vec<Word>,
    pub(super) library: Word,
    pub(super) size: Word,
    pub(super) overflow: Word,
    pub(super) default_size: Option<u32>,
    pub(super) default_overflow: Option<u32>,
}

/// A call whose use proves a trait of the application.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, bound(deserialize = "'de: 'static"))]
pub(super) struct Mark {
    call: Word,
    pub(super) auth: Word,
    pub(super) interface: Word,
    pub(super) signal: Word,
    pub(super) subject: Word,
    pub(super) cache: Word,
}

/// A part of the path of a back end that Django's settings name.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, bound(deserialize = "'de: 'static"))]
struct Backend {
    part: Word,
    kind: Word,
}

/// A call that makes a router.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, bound(deserialize = "'de: 'static"))]
pub(super) struct RouterCall {
    call: Word,
    pub(super) framework: Word,
    /// Keyword of its prefix; empty for none.
    pub(super) prefix: Word,
}

/// A call that generates a document about an interface.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, bound(deserialize = "'de: 'static"))]
struct Generator {
    call: Word,
    path: Word,
}

/// A module that Django's settings name.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, bound(deserialize = "'de: 'static"))]
struct Setting {
    module: Word,
    auth: Word,
}

/// A service of Amazon's: a datastore, or an external service with its purpose.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, bound(deserialize = "'de: 'static"))]
pub(super) struct AmazonService {
    pub(super) store: Option<Word>,
    pub(super) external: Option<Word>,
    pub(super) purpose: Word,
}

/// Modules of a web framework.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, bound(deserialize = "'de: 'static"))]
pub(super) struct Web {
    pub(super) modules: Vec<Word>,
    pub(super) framework: Word,
}

/// Lists of words; the table explains each.
#[derive(Debug, Default, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    deny_unknown_fields,
    default,
    bound(deserialize = "'de: 'static")
)]
pub(super) struct Words {
    pub(super) amazon_modules: Vec<Word>,
    pub(super) applications: Vec<Word>,
    pub(super) authentication: Vec<Word>,
    pub(super) casts: Vec<Word>,
    pub(super) connectors: Vec<Word>,
    pub(super) development_groups: Vec<Word>,
    pub(super) factory_nouns: Vec<Word>,
    pub(super) factory_verbs: Vec<Word>,
    pub(super) path: Vec<Word>,
    pub(super) plain_modules: Vec<Word>,
    pub(super) production_groups: Vec<Word>,
    pub(super) routers: Vec<Word>,
    pub(super) trigger_fields: Vec<Word>,
    pub(super) telling_names: Vec<Word>,
    pub(super) telling_paths: Vec<Word>,
    pub(super) texts_without_package: Vec<Word>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, bound(deserialize = "'de: 'static"))]
struct Table {
    application: Vec<Application>,
    run: Vec<Run>,
    store: Vec<Store>,
    mark: Vec<Mark>,
    backend: Vec<Backend>,
    router: Vec<RouterCall>,
    generator: Vec<Generator>,
    setting: Vec<Setting>,
    addresses: BTreeMap<Word, Word>,
    amazon: BTreeMap<Word, AmazonService>,
    web: Vec<Web>,
    words: Words,
}

// The table is part of the program; a mistake in it is found by the test below, never by a user.
static TABLE: LazyLock<Table> =
    LazyLock::new(|| toml::from_str(include_str!("known.toml")).unwrap_or_default());

/// The packages whose calls the table knows.
pub(super) fn packages() -> impl Iterator<Item = Word> {
    let calls = TABLE
        .application
        .iter()
        .map(|entry| entry.call)
        .chain(TABLE.run.iter().map(|entry| entry.call))
        .chain(TABLE.store.iter().map(|entry| entry.call))
        .chain(TABLE.mark.iter().map(|entry| entry.call))
        .chain(TABLE.router.iter().map(|entry| entry.call))
        .chain(TABLE.generator.iter().map(|entry| entry.call));
    let modules = TABLE.web.iter().flat_map(|web| &web.modules).copied();
    calls
        .chain(modules)
        .chain(TABLE.words.amazon_modules.iter().copied())
        .filter_map(|call| call.split('.').next())
        .filter(|package| !package.is_empty())
}

/// Is a full name the one of the table, where `*` stands for one part?
fn same(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix(".*") {
        Some(module) => name
            .strip_prefix(module)
            .and_then(|rest| rest.strip_prefix('.'))
            .is_some_and(|rest| !rest.contains('.')),
        None => pattern == name,
    }
}

/// What a call of this full name makes.
pub(super) fn application(name: &str) -> Option<&'static Application> {
    TABLE.application.iter().find(|entry| same(entry.call, name))
}

/// The framework's application call, for classes that extend it.
pub(super) fn runs() -> &'static [Run] {
    &TABLE.run
}

/// Does a call of this full name start a listener by itself?
pub(super) fn run(name: &str) -> Option<&'static Run> {
    TABLE
        .run
        .iter()
        .find(|entry| !entry.call.starts_with('.') && same(entry.call, name))
}

/// The client that a call of this full name makes.
pub(super) fn store(name: &str) -> Option<&'static Store> {
    TABLE.store.iter().find(|entry| entry.call == name)
}

/// What a call of this full name proves.
pub(super) fn mark(name: &str) -> Option<&'static Mark> {
    TABLE.mark.iter().find(|entry| entry.call == name)
}

/// The datastore of a back end that Django's settings name.
pub(super) fn backend(path: &str) -> Option<Word> {
    TABLE
        .backend
        .iter()
        .find(|entry| path.contains(entry.part))
        .map(|entry| entry.kind)
}

/// The router that a call of this full name makes.
pub(super) fn router(name: &str) -> Option<&'static RouterCall> {
    TABLE.router.iter().find(|entry| entry.call == name)
}

/// The path under which a call of this full name serves the document that it generates; empty where it depends.
pub(super) fn generator(name: &str) -> Option<Word> {
    TABLE
        .generator
        .iter()
        .find(|entry| entry.call == name)
        .map(|entry| entry.path)
}

/// The authentication that a module in Django's settings proves.
pub(super) fn setting(module: &str) -> Option<Word> {
    TABLE
        .setting
        .iter()
        .find(|entry| entry.module == module)
        .map(|entry| entry.auth)
}

/// The datastore that a type of addresses proves.
pub(super) fn address(type_name: &str) -> Option<Word> {
    TABLE.addresses.get(type_name).copied()
}

/// Amazon's service of this name.
pub(super) fn amazon(service: &str) -> Option<&'static AmazonService> {
    TABLE.amazon.get(service)
}

/// The modules of web frameworks, in order.
pub(super) fn web() -> &'static [Web] {
    &TABLE.web
}

/// Lists of words.
pub(super) fn words() -> &'static Words {
    &TABLE.words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_parses_and_finds() {
        let table: Table = toml::from_str(include_str!("known.toml")).expect("known.toml");
        assert!(table.application.len() > 20 && table.run.len() > 10);
        assert!(table.words.authentication.len() > 10 && table.words.casts.contains(&"int"));
        assert_eq!(
            backend("django.contrib.gis.db.backends.postgis"),
            Some("postgresql")
        );
        assert_eq!(
            router("flask.Blueprint").map(|entry| entry.prefix),
            Some("url_prefix")
        );
        assert_eq!(generator("ninja.NinjaAPI"), Some("/openapi.json"));
        assert_eq!(setting("djangosaml2"), Some("saml"));
        assert_eq!(address("PostgresDsn"), Some("postgresql"));
        assert_eq!(amazon("sqs").and_then(|service| service.store), Some("sqs"));
        assert!(
            table
                .amazon
                .values()
                .all(|service| service.store.is_some() != service.external.is_some())
        );
        assert!(
            table
                .web
                .iter()
                .all(|web| !web.modules.is_empty() && !web.framework.is_empty())
        );
        assert_eq!(
            application("fastapi.FastAPI").map(|entry| entry.framework),
            Some("fastapi")
        );
        assert_eq!(
            application("fastapi.APIRouter").map(|entry| entry.framework),
            None
        );
        assert_eq!(
            run("socketserver.TCPServer").map(|entry| entry.framework),
            Some("socketserver")
        );
    }
}
