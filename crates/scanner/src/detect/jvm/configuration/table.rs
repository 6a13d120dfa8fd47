//! What single properties prove: the table `properties.toml`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use playbook_core::evidence::Confidence;
use playbook_core::harmless::{Name, UrlPath};
use playbook_core::inventory::{AuthFact, CorsPolicy, Pool, SignalKind};
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;
use serde::Deserialize;

use super::{Settings, with_defaults};
use crate::detect::ecosystem;
use crate::fact::{Facts, HealthBaseFact};
use crate::source::Source;

/// Text of the table, which is part of the program and so may be printed.
type Word = &'static str;

/// A property whose presence proves that a datastore is used.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'static"))]
pub(super) struct Property {
    name: Word,
    pub(super) store: Word,
    #[serde(default)]
    pub(super) role: Word,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'static"))]
struct Listen {
    name: Word,
    framework: Word,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'static"))]
struct Observed {
    name: Word,
    #[serde(default)]
    values: Vec<Word>,
    #[serde(default)]
    except: Vec<Word>,
    #[serde(default)]
    signal: Word,
    #[serde(default)]
    subject: Word,
    #[serde(default)]
    auth: Word,
    #[serde(default)]
    pool: Word,
    #[serde(default)]
    cors: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'static"))]
struct HealthBase {
    name: Word,
    framework: Word,
    #[serde(default)]
    replaces: Word,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'static"))]
struct Connector {
    value: Word,
    store: Word,
}

/// An annotation of a method that handles messages.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'static"))]
pub(in crate::detect::jvm) struct Consumer {
    pub(in crate::detect::jvm) annotation: Word,
    pub(in crate::detect::jvm) store: Word,
    pub(in crate::detect::jvm) arguments: Vec<Word>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    deny_unknown_fields,
    default,
    bound(deserialize = "'de: 'static")
)]
struct Table {
    addresses: Vec<Word>,
    stand_ins: Vec<Word>,
    java_versions: Vec<Word>,
    property: Vec<Property>,
    listen: Vec<Listen>,
    observed: Vec<Observed>,
    health_base: Vec<HealthBase>,
    connector: Vec<Connector>,
    consumer: Vec<Consumer>,
}

// The table is part of the program; a mistake in it is found by the test below, never by a user.
static TABLE: LazyLock<Table> =
    LazyLock::new(|| toml::from_str(include_str!("../properties.toml")).unwrap_or_default());

/// A name that ends with a dot stands for all properties below it; `*` for one part.
fn matches(name: &str, key: &str) -> bool {
    if name.ends_with('.') {
        return key.starts_with(name);
    }
    match name.split_once(".*.") {
        Some((before, after)) => key
            .strip_prefix(before)
            .and_then(|rest| rest.strip_prefix('.'))
            .and_then(|rest| rest.strip_suffix(after))
            .is_some_and(|part| part.ends_with('.') && part.len() > 1),
        None => key == name,
    }
}

/// The framework that listens at the port that this property holds.
pub(super) fn listener(key: &str) -> Option<&'static str> {
    TABLE
        .listen
        .iter()
        .find(|listen| listen.name == key)
        .map(|listen| listen.framework)
}

/// Does the last part of a property say that each deployment has its own value?
pub(super) fn is_address(last: &str) -> bool {
    TABLE.addresses.contains(&last)
}

/// Does a value name a database that stands in for tests?
pub(super) fn is_stand_in(value: &str) -> bool {
    TABLE.stand_ins.iter().any(|start| value.starts_with(start))
}

/// Properties of Maven that name the version of Java, the strongest first.
pub(in crate::detect::jvm) fn java_versions() -> &'static [Word] {
    &TABLE.java_versions
}

/// The annotations of methods that handle messages.
pub(in crate::detect::jvm) fn consumers() -> &'static [Consumer] {
    &TABLE.consumer
}

/// The datastore that this property proves.
pub(super) fn store(key: &str) -> Option<&'static Property> {
    TABLE.property.iter().find(|property| matches(property.name, key))
}

/// Does the property belong to a datastore: does it prove one, or stand beside one that does?
pub(super) fn is_of_store(key: &str) -> bool {
    let folder = |name: &str| {
        name.rsplit_once('.')
            .map_or(String::new(), |(start, _)| start.to_owned())
    };
    TABLE
        .property
        .iter()
        .any(|property| matches(property.name, key) || folder(property.name) == folder(key))
}

/// Tells what a property proves besides ports and datastores.
pub(super) fn tell(source: &Source<'_>, key: &str, value: &str, line: u32, facts: &mut Facts) {
    for observed in TABLE
        .observed
        .iter()
        .filter(|observed| matches(observed.name, key))
    {
        let fits = (observed.values.is_empty() || observed.values.contains(&value))
            && !observed.except.contains(&value);
        if !fits {
            continue;
        }
        if let Some(kind) = SignalKind::from_word(observed.signal) {
            let subject = (!observed.subject.is_empty()).then(|| Shown::from(observed.subject));
            facts.signal(kind, subject, source.scope, source.at(line));
        }
        if !observed.auth.is_empty() {
            let kind = Shown::from(observed.auth);
            if !facts.auth.iter().any(|known| known.kind == kind) {
                facts.auth.push(AuthFact {
                    kind,
                    evidence: vec![source.at(line)],
                });
            }
        }
        if !observed.pool.is_empty() {
            let (text, variable) = with_defaults(value);
            facts.pools.push(Pool {
                library: Shown::from(observed.pool),
                datastore: None,
                service: None,
                size: text.trim().parse().ok(),
                overflow: None,
                variable: variable.map(Shown::from),
                confidence: Confidence::Stated,
                evidence: vec![source.at(line)],
            });
        }
        if observed.cors {
            facts.cors.push(CorsPolicy {
                origins: Vec::new(),
                variables: Vec::new(),
                wildcard: true,
                pattern: false,
                credentials: false,
                service: None,
                evidence: vec![source.at(line)],
            });
        }
    }
    for base in TABLE.health_base.iter().filter(|base| base.name == key) {
        let (text, _) = with_defaults(value);
        let text = text.trim();
        let text = if text.starts_with('/') {
            text.to_owned()
        } else {
            format!("/{text}")
        };
        if let Some(path) = UrlPath::parse(Raw::new(&text)) {
            facts.health_bases.push(HealthBaseFact {
                framework: base.framework,
                replaces: base.replaces,
                path,
                evidence: source.at(line),
            });
        }
    }
}

/// Channels of reactive messaging and of Spring Cloud Stream: the topics of their broker.
pub(super) fn channels(source: &Source<'_>, settings: &Settings, facts: &mut Facts) {
    let mut stores: BTreeMap<&str, &'static str> = BTreeMap::new();
    let mut topics: BTreeMap<&str, (&str, u32)> = BTreeMap::new();
    for (key, value, line) in settings {
        let Some(rest) = key
            .strip_prefix("mp.messaging.incoming.")
            .or_else(|| key.strip_prefix("mp.messaging.outgoing."))
        else {
            continue;
        };
        let Some((channel, attribute)) = rest.split_once('.') else {
            continue;
        };
        match attribute {
            "connector" => {
                let known = TABLE.connector.iter().find(|connector| connector.value == value);
                if let Some(connector) = known {
                    stores.insert(channel, connector.store);
                    topics.entry(channel).or_insert((channel, *line));
                }
            }
            "topic" | "address" | "queue.name" => {
                topics.insert(channel, (value, *line));
            }
            _ => {}
        }
    }
    for (channel, kind) in stores {
        let Some((topic, line)) = topics.get(channel) else {
            continue;
        };
        if let Some(mut found) = ecosystem::store(source, kind, true, *line) {
            found.name = Name::parse(Raw::new(topic));
            facts.stores.push(found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use playbook_core::technology::{Catalogue, Group};

    #[test]
    fn every_word_of_the_table_is_known() {
        let table: Table = toml::from_str(include_str!("../properties.toml")).expect("properties.toml");
        let is_store = |kind: &str| Catalogue::get().find(Group::Datastore, kind).is_some();
        assert!(table.property.len() > 10);
        for property in &table.property {
            assert!(
                property.store.is_empty() || is_store(property.store),
                "{}",
                property.name
            );
        }
        for consumer in &table.consumer {
            assert!(is_store(consumer.store), "{}", consumer.annotation);
        }
        for connector in &table.connector {
            assert!(is_store(connector.store), "{}", connector.value);
        }
        for framework in table
            .listen
            .iter()
            .map(|listen| listen.framework)
            .chain(table.health_base.iter().map(|base| base.framework))
        {
            assert!(
                Catalogue::get().find(Group::Framework, framework).is_some(),
                "{framework}"
            );
        }
        for observed in &table.observed {
            assert!(
                observed.signal.is_empty() || SignalKind::from_word(observed.signal).is_some(),
                "{}",
                observed.name
            );
        }
    }

    #[test]
    fn names_with_a_part_that_varies() {
        assert!(matches("a.*.url", "a.b.url"));
        assert!(matches("a.*.url", "a.b.c.url"));
        assert!(!matches("a.*.url", "a.url"));
        assert!(matches("a.", "a.b"));
        assert!(!matches("a.b", "a.b.c"));
    }
}
