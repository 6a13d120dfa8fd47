//! Single observations: a text in the code that proves a signal, a kind of authentication, a datastore or an interface.
//! The table is `needles.toml`.

use std::sync::LazyLock;

use playbook_core::inventory::{
    ApiSpec, AuthFact, CorsPolicy, ExternalService, Interface, InterfaceKind, SignalKind,
};
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Group};
use serde::Deserialize;

use super::{Code, is_production, store};
use crate::fact::Facts;

/// Text of the table, which is part of the program and so may be printed.
type Word = &'static str;

#[derive(Debug, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    deny_unknown_fields,
    bound(deserialize = "'de: 'static")
)]
struct Needle {
    languages: Vec<Word>,
    text: Word,
    #[serde(default)]
    signal: Word,
    #[serde(default)]
    auth: Word,
    #[serde(default)]
    store: Word,
    #[serde(default)]
    interface: Word,
    #[serde(default)]
    external: Word,
    #[serde(default)]
    api_spec: Word,
    #[serde(default)]
    served_at: Word,
    #[serde(default)]
    cors_wildcard: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, bound(deserialize = "'de: 'static"))]
struct Table {
    needle: Vec<Needle>,
}

// The table is part of the program; a mistake in it is found by the test below, never by a user.
static TABLE: LazyLock<Table> =
    LazyLock::new(|| toml::from_str(include_str!("needles.toml")).unwrap_or_default());

/// The texts of the table for a language.
pub(in crate::detect) fn texts(language: &str) -> impl Iterator<Item = Word> {
    TABLE
        .needle
        .iter()
        .filter(move |needle| needle.languages.contains(&language))
        .map(|needle| needle.text)
}

/// Tells what single texts in the code prove.
pub(in crate::detect) fn needles(code: &Code<'_>, language: &str, facts: &mut Facts) {
    let source = code.source;
    if !is_production(source) {
        return;
    }
    for needle in TABLE
        .needle
        .iter()
        .filter(|needle| needle.languages.contains(&language))
    {
        let Some(at) = code.plain().find(needle.text) else {
            continue;
        };
        let inside_development = code
            .headers(at)
            .iter()
            .any(|header| header.contains("IsDevelopment()"));
        if inside_development {
            continue;
        }
        let evidence = source.at(code.line(at));
        if let Some(kind) = SignalKind::from_word(needle.signal) {
            facts.signal(kind, None, source.scope, evidence.clone());
        }
        if !needle.auth.is_empty() {
            facts.auth.push(AuthFact {
                kind: Shown::from(needle.auth),
                evidence: vec![evidence.clone()],
            });
        }
        if !needle.store.is_empty() {
            facts
                .stores
                .extend(store(source, needle.store, true, code.line(at)));
        }
        if let Some(vendor) = Catalogue::get().find(Group::ExternalService, needle.external) {
            facts.external_services.push(ExternalService {
                kind: Shown::from(vendor.id),
                category: Shown::from(vendor.category),
                scope: source.scope,
                variables: Vec::new(),
                evidence: vec![evidence.clone()],
            });
        }
        if !needle.api_spec.is_empty() {
            facts.api_specs.push(ApiSpec {
                kind: Shown::from(needle.api_spec),
                path: source.path.clone(),
                served_at: (!needle.served_at.is_empty()).then(|| Shown::from(needle.served_at)),
                evidence: vec![evidence.clone()],
            });
        }
        if needle.cors_wildcard {
            facts.cors.push(CorsPolicy {
                origins: Vec::new(),
                variables: Vec::new(),
                wildcard: true,
                pattern: false,
                credentials: code.has("AllowCredentials("),
                service: None,
                evidence: vec![evidence.clone()],
            });
        }
        if let Some(kind) = InterfaceKind::from_word(needle.interface) {
            facts.interfaces.push(Interface {
                kind,
                path: None,
                service: None,
                evidence: vec![evidence],
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_table_is_known() {
        let table: Table = toml::from_str(include_str!("needles.toml")).expect("needles.toml");
        assert!(table.needle.len() > 20);
        for needle in &table.needle {
            assert!(
                needle.signal.is_empty() || SignalKind::from_word(needle.signal).is_some(),
                "{}",
                needle.text
            );
            assert!(
                needle.interface.is_empty() || InterfaceKind::from_word(needle.interface).is_some(),
                "{}",
                needle.text
            );
            let find = |group, slug: &str| slug.is_empty() || Catalogue::get().find(group, slug).is_some();
            assert!(find(Group::Auth, needle.auth), "{}", needle.text);
            assert!(find(Group::Datastore, needle.store), "{}", needle.text);
            assert!(find(Group::ExternalService, needle.external), "{}", needle.text);
        }
    }
}
