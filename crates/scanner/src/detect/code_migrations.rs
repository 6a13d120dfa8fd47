//! Migrations that are code of a tool of its own: each file is one step, told by its name and by what it must contain.
//! The detectors of the ecosystems tell those of the large frameworks.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use playbook_core::evidence::Evidence;
use playbook_core::harmless::Name;
use playbook_core::inventory::{Operation, OperationKind};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;
use serde::Deserialize;

use super::{Detector, ending, sql};
use crate::fact::{Facts, MigrationFact, RevisionFact};
use crate::source::Source;

/// Migrations of `SeaORM`, Goose, Refinery, Aerich, Yoyo and `FluentMigrator`, and the checksums of Atlas.
pub(crate) const DETECTOR: Detector = Detector { wants, detect };

/// The tools, their files' marks and their builders' calls, as `tools.toml` tells them.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tools {
    sql: Vec<String>,
    tool: Vec<Tool>,
    calls: BTreeMap<String, OperationKind>,
}

/// What a tool's file looks like; `tools.toml` explains each key.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Tool {
    id: String,
    ending: String,
    contains: Vec<String>,
    name: NameForm,
    backward: Option<String>,
    #[serde(default)]
    refuses: Vec<String>,
    #[serde(default)]
    no_way_back: bool,
}

/// What the name of a tool's file must be.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum NameForm {
    /// With a number or a time somewhere.
    WithDigit,
    /// Not with a number or a time at its beginning.
    NotNumbered,
}

impl NameForm {
    fn fits(self, stem: &str) -> bool {
        match self {
            Self::WithDigit => stem.contains(|c: char| c.is_ascii_digit()),
            Self::NotNumbered => !stem.starts_with(|c: char| c.is_ascii_digit()),
        }
    }
}

impl Tool {
    fn is_of(&self, stem: &str, ending: &str, text: &str) -> bool {
        self.ending == ending
            && self.name.fits(stem)
            && self.contains.iter().all(|mark| text.contains(mark.as_str()))
    }

    /// The text of the forward direction, and whether the tool can go back; `None` where its files do not tell.
    fn directions<'t>(&self, text: &'t str) -> (&'t str, Option<bool>) {
        let Some(mark) = &self.backward else {
            return (text, self.no_way_back.then_some(false));
        };
        match text.split_once(mark.as_str()) {
            Some((forward, back)) => {
                let refuses = self.refuses.iter().any(|word| back.contains(word.as_str()));
                (forward, Some(!refuses))
            }
            None => (text, Some(false)),
        }
    }
}

static TOOLS: LazyLock<Tools> =
    LazyLock::new(|| toml::from_str(include_str!("code_migrations/tools.toml")).unwrap_or_default());

fn wants(path: &RelPath) -> bool {
    if path.name() == "atlas.sum" {
        return true;
    }
    ending(path, &["rs", "go", "py", "cs"])
        && path
            .parent()
            .components()
            .any(|part| part.to_ascii_lowercase().contains("migrat"))
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    if source.path.name() == "atlas.sum" {
        facts.migrations.push(MigrationFact {
            tool: Shown::from("atlas"),
            dir: Some(source.path.parent()),
            project: source.path.parent(),
            command: None,
            rollback: None,
            at_start: false,
            datastore: None,
            scope: source.scope,
            evidence: source.at(1),
        });
        return;
    }
    let Some((stem, end)) = source.path.name().rsplit_once('.') else {
        return;
    };
    let Some(tool) = TOOLS.tool.iter().find(|tool| tool.is_of(stem, end, source.text)) else {
        return;
    };
    let Some(id) = Name::parse(Raw::new(stem)) else {
        return;
    };
    let (forward, reversible) = tool.directions(source.text);
    facts.revisions.push(RevisionFact {
        tool: Shown::from(tool.id.as_str()),
        path: source.path.clone(),
        dir: source.path.parent(),
        id,
        parents: None,
        operations: operations(source, forward),
        reversible,
        scope: source.scope,
    });
}

/// The steps of the forward direction: calls of the builder, and statements in SQL.
fn operations(source: &Source<'_>, forward: &str) -> Vec<Operation> {
    let mut found = Vec::new();
    for (number, line) in (1u32..).zip(forward.lines()) {
        let code = line.trim_start();
        if code.starts_with("//") || code.starts_with('#') {
            continue;
        }
        for (call, kind) in &TOOLS.calls {
            if code.contains(call.as_str()) {
                found.push(Operation {
                    kind: *kind,
                    object: None,
                    evidence: vec![Evidence::at(source.path, number)],
                });
            }
        }
        let statement = code.trim_start_matches(|c: char| !c.is_ascii_alphabetic());
        let in_sql = TOOLS
            .sql
            .iter()
            .find_map(|word| statement.find(word.as_str()).and_then(|at| statement.get(at..)));
        if let Some(text) = in_sql {
            found.extend(sql::operations(text, source.path, number));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn the_table_of_tools_is_valid() {
        let tools: Tools = toml::from_str(include_str!("code_migrations/tools.toml")).expect("tools.toml");
        for tool in &tools.tool {
            assert!(!(tool.no_way_back && tool.backward.is_some()), "{}", tool.id);
            assert!(!tool.contains.is_empty(), "{}", tool.id);
        }
    }

    #[test]
    fn one_revision_a_file() {
        let facts = testing::facts(
            &DETECTOR,
            "
//- migration/src/m20260101_000001_homes.rs
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(Table::create().table(Home::Table).to_owned()).await
    }
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(Home::Table).to_owned()).await
    }
}
//- migration/src/lib.rs
impl MigratorTrait for Migrator {}
//- db/migrations/00002_rename.go
package migrations
func init() { goose.AddMigrationContext(up2, down2) }
func up2(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, `ALTER TABLE homes DROP COLUMN owner`)
	return err
}
func down2(ctx context.Context, tx *sql.Tx) error { return errors.New(\"no way back\") }
//- migrations/models/0_20260101000000_init.py
from tortoise import BaseDBAsyncClient
async def upgrade(db: BaseDBAsyncClient) -> str:
    return \"\"\"
        CREATE TABLE homes (id INT);
    \"\"\"
async def downgrade(db: BaseDBAsyncClient) -> str:
    return \"\"\"\"\"\"
//- migrations/helpers1.py
async def upgrade(thing):
    pass
//- Data/Migrations/AddHomes.cs
using FluentMigrator;
[Migration(202601010001)]
public class AddHomes : Migration {
    public override void Up() { Create.Table(\"homes\"); }
    public override void Down() { Delete.Table(\"homes\"); }
}
",
        );
        let told: Vec<(&str, &str, Option<bool>, usize)> = facts
            .revisions
            .iter()
            .map(|revision| {
                (
                    revision.tool.as_str(),
                    revision.id.as_str(),
                    revision.reversible,
                    revision.operations.len(),
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("sea-orm", "m20260101_000001_homes", Some(true), 1),
                ("goose", "00002_rename", Some(false), 1),
                ("aerich", "0_20260101000000_init", Some(true), 1),
                ("fluentmigrator", "AddHomes", Some(true), 1),
            ]
        );
        assert!(
            facts
                .revisions
                .iter()
                .filter(|revision| revision.tool == "goose")
                .flat_map(|revision| &revision.operations)
                .all(|operation| operation.kind == OperationKind::DropColumn)
        );
    }
}
