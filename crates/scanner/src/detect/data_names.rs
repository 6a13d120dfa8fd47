//! What code keeps in its stores, by name: vector collections with their dimension and distance, queues, topics; and the
//! sizes of connection pools. The patterns are `data_names/patterns.toml`.

use std::sync::LazyLock;

use playbook_core::evidence::Confidence;
use playbook_core::harmless::{EnvName, Name};
use playbook_core::inventory::{Collection, Pool};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;
use serde::Deserialize;

use super::Detector;
use super::pattern::{Expression, Rows, Word, is_comment, row};
use crate::fact::{CollectionFact, Facts};
use crate::limits;
use crate::source::Source;

/// Names in source code and settings.
pub(crate) const DETECTOR: Detector = Detector { wants, detect };

#[derive(Debug, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    deny_unknown_fields,
    bound(deserialize = "'de: 'static")
)]
struct NamePattern {
    endings: Vec<Word>,
    needle: Word,
    #[serde(default)]
    with: Vec<Word>,
    pattern: Expression,
    store: Word,
    #[serde(default)]
    window: usize,
    dimension: Option<Expression>,
    distance: Option<Expression>,
}
row!(NamePattern);

#[derive(Debug, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    deny_unknown_fields,
    bound(deserialize = "'de: 'static")
)]
struct PoolPattern {
    endings: Vec<Word>,
    needle: Word,
    #[serde(default)]
    with: Vec<Word>,
    pattern: Expression,
    library: Word,
    #[serde(default)]
    store: Word,
}
row!(PoolPattern);

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, bound(deserialize = "'de: 'static"))]
struct Table {
    name: Vec<NamePattern>,
    pool: Vec<PoolPattern>,
}

// The table is part of the program; a mistake in it is found by the tests below, never by a user.
static TABLE: LazyLock<Table> =
    LazyLock::new(|| toml::from_str(include_str!("data_names/patterns.toml")).unwrap_or_default());
static NAMES: LazyLock<Rows<NamePattern>> = LazyLock::new(|| Rows::new(&TABLE.name));
static POOLS: LazyLock<Rows<PoolPattern>> = LazyLock::new(|| Rows::new(&TABLE.pool));

fn wants(path: &RelPath) -> bool {
    NAMES.wants(path) || POOLS.wants(path)
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    for told in NAMES.concerning(source) {
        names(source, told, facts);
    }
    for told in POOLS.concerning(source) {
        pools(source, told, facts);
    }
}

fn names(source: &Source<'_>, told: &NamePattern, facts: &mut Facts) {
    let Some(pattern) = told.pattern.regex() else {
        return;
    };
    for found in pattern
        .captures_iter(source.text)
        .take(limits::FACTS_PER_FILE + 1)
    {
        let Some(whole) = found.get(0).filter(|whole| !is_comment(source, whole.start())) else {
            continue;
        };
        let window: String = source
            .text
            .get(whole.end()..)
            .unwrap_or_default()
            .chars()
            .take(told.window)
            .collect();
        let value = |pattern: &Option<Expression>| Some(pattern.as_ref()?.value(&window)?.to_owned());
        let constant = found
            .name("constant")
            .and_then(|constant| text_constant(source, constant.as_str()));
        let name = found
            .name("name")
            .map(|name| name.as_str().to_owned())
            .or(constant)
            .and_then(|name| Name::parse(Raw::new(&name)));
        let dimension = value(&told.dimension).and_then(|text| number(source, &text));
        let distance = value(&told.distance)
            .map(|text| text.to_ascii_lowercase())
            .and_then(|text| Name::parse(Raw::new(&text)));
        if name.is_none() && dimension.is_none() {
            continue;
        }
        facts.collections.push(CollectionFact {
            kind: Shown::from(told.store),
            collection: Collection {
                name: name.map(Into::into),
                dimension,
                distance: distance.map(Into::into),
                evidence: vec![source.at(source.line_of(whole.start()))],
            },
        });
    }
}

fn pools(source: &Source<'_>, told: &PoolPattern, facts: &mut Facts) {
    let Some(pattern) = told.pattern.regex() else {
        return;
    };
    for found in pattern.captures_iter(source.text).take(8) {
        let Some(whole) = found.get(0) else { continue };
        let start = whole.start() + whole.as_str().len() - whole.as_str().trim_start().len();
        if is_comment(source, start) {
            continue;
        }
        let size = found.name("size").and_then(|size| number(source, size.as_str()));
        let variable = found
            .name("variable")
            .and_then(|variable| EnvName::parse(Raw::new(variable.as_str())));
        if size.is_none() && variable.is_none() {
            continue;
        }
        facts.pools.push(Pool {
            library: Shown::from(told.library),
            datastore: (!told.store.is_empty()).then(|| Shown::from(told.store)),
            service: None,
            size,
            overflow: None,
            variable: variable.map(Into::into),
            confidence: Confidence::Stated,
            evidence: vec![source.at(source.line_of(start))],
        });
    }
}

/// A number, or the one that a constant of the file stands for.
fn number(source: &Source<'_>, text: &str) -> Option<u32> {
    let digits = text.replace('_', "");
    digits.parse().ok().or_else(|| {
        let value = constant(source, text)?;
        let digits: String = value.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    })
}

/// The text that a constant of the file stands for.
fn text_constant(source: &Source<'_>, name: &str) -> Option<String> {
    let value = constant(source, name)?;
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let (text, _) = value.get(1..)?.split_once(quote)?;
    Some(text.to_owned())
}

/// What stands behind `NAME =` at the beginning of a line.
fn constant<'t>(source: &Source<'t>, name: &str) -> Option<&'t str> {
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return None;
    }
    source.text.lines().find_map(|line| {
        let mut rest = line;
        for word in ["export ", "pub ", "const ", "let ", "static ", "final "] {
            rest = rest.strip_prefix(word).unwrap_or(rest);
        }
        let (head, value) = rest.strip_prefix(name)?.split_once('=')?;
        let plain = head.is_empty() || head.starts_with([' ', ':']);
        plain.then(|| value.trim())
    })
}

#[cfg(test)]
mod tests {
    use playbook_core::technology::{Catalogue, Group};

    use super::*;
    use crate::testing;

    #[test]
    fn the_table_is_whole() {
        let table: Table = toml::from_str(include_str!("data_names/patterns.toml")).expect("patterns.toml");
        let has = |expression: &Expression, group: &str| {
            let mut names = expression
                .regex()
                .expect("an expression")
                .capture_names()
                .flatten();
            names.any(|name| name == group)
        };
        for told in &table.pool {
            assert!(
                has(&told.pattern, "size") || has(&told.pattern, "variable"),
                "{:?}",
                told.pattern
            );
        }
        for told in &table.name {
            assert!(
                Catalogue::get().find(Group::Datastore, told.store).is_some(),
                "{}",
                told.store
            );
            assert!(told.pattern.regex().is_some(), "{:?}", told.pattern);
            for expression in [&told.dimension, &told.distance].into_iter().flatten() {
                assert!(has(expression, "value"), "{expression:?}");
            }
        }
    }

    /// Kind, name, dimension and distance of a collection.
    type Told<'a> = (&'a str, Option<&'a str>, Option<u32>, Option<&'a str>);

    #[test]
    fn collections_with_dimension_and_distance() {
        let facts = testing::facts(
            &DETECTOR,
            "
//- app/index.py
from qdrant_client import QdrantClient, models
DIMENSION = 768
client.create_collection(
    collection_name=\"manuals\",
    vectors_config=models.VectorParams(size=DIMENSION, distance=models.Distance.COSINE),
)
# client.create_collection(collection_name=\"old\")
//- app/models.py
from pgvector.sqlalchemy import Vector
class Page(Base):
    embedding = mapped_column(Vector(1536))
//- db/migrations/2_pages.sql
ALTER TABLE pages ADD COLUMN embedding vector(384);
//- tests/test_index.py
from qdrant_client import QdrantClient
client.create_collection(\"x\")
",
        );
        let told: Vec<Told<'_>> = facts
            .collections
            .iter()
            .map(|fact| {
                (
                    fact.kind.as_str(),
                    fact.collection.name.as_ref().map(Shown::as_str),
                    fact.collection.dimension,
                    fact.collection.distance.as_ref().map(Shown::as_str),
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("qdrant", Some("manuals"), Some(768), Some("cosine")),
                ("pgvector", Some("embedding"), Some(1536), None),
                ("pgvector", None, Some(384), None),
            ]
        );
    }

    #[test]
    fn queues_topics_and_pools() {
        let facts = testing::facts(
            &DETECTOR,
            "
//- src/main/java/Orders.java
@KafkaListener(topics = \"orders\", groupId = \"shop\")
void on(String text) {}
//- src/queue.ts
import { Queue } from \"bullmq\";
export const mail = new Queue(\"mail\", { connection });
//- db.go
package db
import \"github.com/jackc/pgx/v5/pgxpool\"
const most = 25
func open() {
	// config.MaxConns = 99
	config.MaxConns = most
}
//- config/runtime.exs
config :shop, Shop.Repo, pool_size: String.to_integer(System.get_env(\"POOL_SIZE\") || \"10\")
//- config/database.yml
default:
  adapter: postgresql
  pool: <%= ENV.fetch(\"RAILS_MAX_THREADS\") { 5 } %>
",
        );
        let names: Vec<(&str, Option<&str>)> = facts
            .collections
            .iter()
            .map(|fact| {
                (
                    fact.kind.as_str(),
                    fact.collection.name.as_ref().map(Shown::as_str),
                )
            })
            .collect();
        assert_eq!(names, [("kafka", Some("orders")), ("redis", Some("mail"))]);
        let pools: Vec<(&str, Option<u32>, Option<&str>)> = facts
            .pools
            .iter()
            .map(|pool| {
                (
                    pool.library.as_str(),
                    pool.size,
                    pool.variable.as_ref().map(Shown::as_str),
                )
            })
            .collect();
        assert_eq!(
            pools,
            [
                ("pgxpool", Some(25), None),
                ("ecto", Some(10), Some("POOL_SIZE")),
                ("activerecord", Some(5), Some("RAILS_MAX_THREADS")),
            ]
        );
    }
}
