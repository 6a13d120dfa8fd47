//! Migrations that are code of a tool of its own: each file is one step, told by its name and by what it must contain.
//! The detectors of the ecosystems tell those of the large frameworks.

use playbook_core::evidence::Evidence;
use playbook_core::harmless::Name;
use playbook_core::inventory::{Operation, OperationKind};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use super::{Detector, ending, sql};
use crate::fact::{Facts, MigrationFact, RevisionFact};
use crate::source::Source;

/// Migrations of `SeaORM`, Goose, Refinery, Aerich, Yoyo and `FluentMigrator`, and the checksums of Atlas.
pub(crate) const DETECTOR: Detector = Detector { wants, detect };

/// What a tool's file looks like.
struct Kind {
    tool: &'static str,
    ending: &'static str,
    /// What its text contains.
    mark: &'static str,
    /// Where its backward direction begins.
    backward: &'static str,
    /// What the backward direction says when there is none.
    irreversible: &'static [&'static str],
}

const KINDS: &[Kind] = &[
    Kind {
        tool: "sea-orm",
        ending: "rs",
        mark: "MigrationTrait for",
        backward: "fn down(",
        irreversible: &["todo!(", "unimplemented!(", "Err("],
    },
    Kind {
        tool: "refinery",
        ending: "rs",
        mark: "pub fn migration()",
        backward: "",
        irreversible: &[],
    },
    Kind {
        tool: "goose",
        ending: "go",
        mark: "goose.AddMigration",
        backward: "\nfunc down",
        irreversible: &["errors.New(", "fmt.Errorf("],
    },
    Kind {
        tool: "aerich",
        ending: "py",
        mark: "async def upgrade(",
        backward: "async def downgrade(",
        irreversible: &["raise "],
    },
    Kind {
        tool: "yoyo",
        ending: "py",
        mark: "from yoyo import",
        backward: "",
        irreversible: &[],
    },
    Kind {
        tool: "fluentmigrator",
        ending: "cs",
        mark: "[Migration(",
        backward: "void Down(",
        irreversible: &["throw "],
    },
];

/// Calls of the builders of these tools, and what they do to the schema.
const STEPS: &[(&str, OperationKind)] = &[
    (".create_table(", OperationKind::CreateTable),
    (".drop_table(", OperationKind::DropTable),
    (".alter_table(", OperationKind::AlterColumn),
    (".create_index(", OperationKind::CreateIndex),
    (".create_foreign_key(", OperationKind::AddConstraint),
    ("Create.Table(", OperationKind::CreateTable),
    ("Create.Index(", OperationKind::CreateIndex),
    ("Create.ForeignKey(", OperationKind::AddConstraint),
    ("Create.Column(", OperationKind::AddColumn),
    ("Alter.Column(", OperationKind::AlterColumn),
    ("Delete.Table(", OperationKind::DropTable),
    ("Delete.Column(", OperationKind::DropColumn),
    ("Delete.FromTable(", OperationKind::DeleteRows),
    ("Rename.Table(", OperationKind::Rename),
    ("Rename.Column(", OperationKind::Rename),
    ("Update.Table(", OperationKind::UpdateRows),
];

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
    let found = KINDS.iter().find(|kind| {
        kind.ending == end
            && source.text.contains(kind.mark)
            && (kind.tool == "fluentmigrator" || stem.contains(|c: char| c.is_ascii_digit()))
    });
    let Some(kind) = found else { return };
    // EF Core and FluentMigrator files that begin with their time are told by the detector of .NET.
    if kind.tool == "fluentmigrator"
        && (!source.text.contains("FluentMigrator") || stem.starts_with(|c: char| c.is_ascii_digit()))
    {
        return;
    }
    // Alembic's are synchronous, Aerich's take the client of the database.
    if kind.tool == "aerich" && !source.text.contains("BaseDBAsyncClient") {
        return;
    }
    let Some(id) = Name::parse(Raw::new(stem)) else {
        return;
    };
    let halves = (!kind.backward.is_empty())
        .then(|| source.text.split_once(kind.backward))
        .flatten();
    let forward = halves.map_or(source.text, |(before, _)| before);
    let reversible = match (kind.tool, halves) {
        ("refinery", _) => Some(false),
        ("yoyo", _) => None,
        (_, Some((_, back))) => Some(!kind.irreversible.iter().any(|word| back.contains(word))),
        (_, None) => Some(false),
    };
    facts.revisions.push(RevisionFact {
        tool: Shown::from(kind.tool),
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
        for (call, kind) in STEPS {
            if code.contains(call) {
                found.push(Operation {
                    kind: *kind,
                    object: None,
                    evidence: vec![Evidence::at(source.path, number)],
                });
            }
        }
        let statement = code.trim_start_matches(|c: char| !c.is_ascii_alphabetic());
        let in_sql = [
            "ALTER TABLE",
            "CREATE TABLE",
            "DROP TABLE",
            "CREATE INDEX",
            "CREATE UNIQUE INDEX",
            "DELETE FROM",
            "TRUNCATE",
            "CREATE EXTENSION",
        ]
        .iter()
        .find_map(|word| statement.find(word).and_then(|at| statement.get(at..)));
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
