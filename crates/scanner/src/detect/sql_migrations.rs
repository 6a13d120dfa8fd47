//! Migrations that are plain SQL files: the tool is told by their names and marks; where only the package of an
//! application tells it, they are `raw-sql` until `resolve` knows the application.

use playbook_core::harmless::Name;
use playbook_core::inventory::OperationKind;
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use super::{Detector, ending, sql};
use crate::fact::{Facts, RevisionFact};
use crate::source::Source;

/// SQL files in folders of migrations.
pub(crate) const DETECTOR: Detector = Detector { wants, detect };

/// Names of the folders that migrations lie in, anywhere above the file.
const FOLDERS: &[&str] = &["migrations", "migration", "migrate", "changelog", "versions"];

fn wants(path: &RelPath) -> bool {
    ending(path, &["sql"])
        && path.parent().components().any(|part| FOLDERS.contains(&part))
        && !path
            .components()
            .any(|part| part == "prisma" || part == "drizzle")
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    let name = source.path.name();
    let stem = name.strip_suffix(".sql").unwrap_or(name);
    let folder = source.path.parent();
    if stem.ends_with(".down") || name == "down.sql" {
        return;
    }
    let (tool, id, dir) = if let Some(id) = stem.strip_suffix(".up") {
        ("golang-migrate", id.to_owned(), folder)
    } else if name == "up.sql" {
        ("diesel", folder.name().to_owned(), folder.parent())
    } else if source.text.contains("-- +goose Up") {
        ("goose", stem.to_owned(), folder)
    } else if source.text.contains("-- migrate:up") {
        ("dbmate", stem.to_owned(), folder)
    } else if stem.starts_with(['V', 'R', 'U']) && stem.contains("__") {
        ("flyway", stem.to_owned(), folder)
    } else if stem.starts_with(|c: char| c.is_ascii_digit()) {
        ("raw-sql", stem.to_owned(), folder)
    } else {
        return;
    };
    let Some(id) = Name::parse(Raw::new(&id)) else {
        return;
    };
    // The backward half of a file is not what a deployment runs.
    let forward = ["-- +goose Down", "-- migrate:down"]
        .iter()
        .find_map(|mark| source.text.split_once(mark))
        .map_or(source.text, |(before, _)| before);
    let operations = sql::operations(forward, source.path, 1);
    let two_way = match tool {
        "goose" => Some(source.text.contains("-- +goose Down")),
        "dbmate" => Some(source.text.contains("-- migrate:down")),
        _ => None,
    };
    let drops = operations.iter().any(|operation| {
        matches!(
            operation.kind,
            OperationKind::DropColumn | OperationKind::DropTable | OperationKind::DeleteRows
        )
    });
    facts.revisions.push(RevisionFact {
        tool: Shown::from(tool),
        path: source.path.clone(),
        dir,
        id,
        parents: None,
        operations,
        reversible: if drops { Some(false) } else { two_way },
        scope: source.scope,
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn tools_by_names_and_marks() {
        let facts = testing::facts(
            &DETECTOR,
            "
//- migrations/000001_init.up.sql
CREATE TABLE a (id int);
//- migrations/000001_init.down.sql
DROP TABLE a;
//- db/migrations/20240101_x.sql
-- +goose Up
ALTER TABLE a DROP COLUMN b;
-- +goose Down
DROP TABLE a;
//- service/migrations/20240101000000_y.sql
CREATE TABLE c (id int);
//- queries/select.sql
SELECT 1;
",
        );
        let told: Vec<(&str, &str, Option<bool>)> = facts
            .revisions
            .iter()
            .map(|r| (r.tool.as_str(), r.id.as_str(), r.reversible))
            .collect();
        assert_eq!(
            told,
            [
                ("golang-migrate", "000001_init", None),
                ("goose", "20240101_x", Some(false)),
                ("raw-sql", "20240101000000_y", None)
            ]
        );
    }
}
