//! Migrations of Active Record.

use playbook_core::harmless::Name;
use playbook_core::inventory::{Operation, OperationKind};
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use crate::detect::ecosystem::{Code, group, pattern, start};
use crate::detect::sql;
use crate::fact::{Facts, RevisionFact};

pub(super) fn detect(code: &Code<'_>, facts: &mut Facts) {
    let source = code.source;
    let stem = source.path.name().trim_end_matches(".rb");
    if !pattern!(r"^\d{3,14}_\w+$").is(stem) || !code.has("ActiveRecord::Migration") {
        return;
    }
    let Some(id) = Name::parse(Raw::new(stem)) else {
        return;
    };
    let down = code
        .plain()
        .find("def down")
        .or_else(|| code.plain().find("def self.down"));
    let reversible = !code.has("IrreversibleMigration") && (code.has("def change") || down.is_some());
    facts.revisions.push(RevisionFact {
        tool: Shown::from("rails"),
        path: source.path.clone(),
        dir: source.path.parent(),
        id,
        parents: None,
        operations: operations(code, down.unwrap_or(source.text.len())),
        reversible: Some(reversible),
        scope: source.scope,
    });
}

/// The steps before the backward direction.
fn operations(code: &Code<'_>, end: usize) -> Vec<Operation> {
    let mut found = Vec::new();
    // Tables that this migration creates may be changed without care.
    let mut own: Vec<String> = Vec::new();
    let steps = pattern!(
        r#"(?m)^\s*(?:dir\.up\s*\{\s*)?(?P<method>create_table|create_join_table|drop_table|rename_table|rename_column|add_column|remove_columns?|change_column(?:_null|_default)?|add_index|add_reference|add_belongs_to|add_foreign_key|add_check_constraint|add_timestamps|enable_extension|create_virtual_table|execute)[ (]+(?::(?P<table>\w+)|["'](?P<text>[^"'\n]+)["']|<<[~-]?["']?(?P<mark>\w+))?(?P<rest>[^\n]*)"#
    );
    for step in code.all(&steps) {
        let at = start(&step);
        if at >= end {
            break;
        }
        let rest = group(&step, "rest");
        let table = [group(&step, "table"), group(&step, "text")].join("");
        let line = code.line(at);
        let column = pattern!(r#"^\s*,\s*:?["']?(?P<column>\w+)"#)
            .first(rest)
            .map_or_else(String::new, |found| {
                format!("{table}.{}", group(&found, "column"))
            });
        let (kind, object) = match group(&step, "method") {
            "execute" => {
                let mark = group(&step, "mark");
                let statement = if mark.is_empty() {
                    table
                } else {
                    let after = step.get(0).map_or(at, |whole| whole.end());
                    let text = code.source.text.get(after..).unwrap_or_default();
                    text.split(&format!("{mark}\n"))
                        .next()
                        .unwrap_or_default()
                        .to_owned()
                };
                found.extend(sql::operations(&statement, code.source.path, line));
                continue;
            }
            "create_table" | "create_join_table" | "create_virtual_table" => {
                own.push(table.clone());
                (OperationKind::CreateTable, table)
            }
            "drop_table" => (OperationKind::DropTable, table),
            "rename_table" => (OperationKind::Rename, table),
            "enable_extension" => (OperationKind::CreateExtension, table),
            _ if own.contains(&table) => continue,
            "rename_column" => (OperationKind::Rename, column),
            "remove_column" | "remove_columns" => (OperationKind::DropColumn, column),
            "add_index" if rest.contains("concurrently") => (OperationKind::CreateIndexConcurrently, column),
            "add_index" => (OperationKind::CreateIndex, column),
            "add_foreign_key" | "add_check_constraint" => (OperationKind::AddConstraint, column),
            "add_timestamps" => (OperationKind::AddColumnNotNull, table),
            "add_column" | "add_reference" | "add_belongs_to" => {
                let strict = rest.contains("null: false") && !rest.contains("default:");
                let kind = if strict {
                    OperationKind::AddColumnNotNull
                } else {
                    OperationKind::AddColumn
                };
                (kind, column)
            }
            _ => (OperationKind::AlterColumn, column),
        };
        found.push(Operation {
            kind,
            object: Name::parse(Raw::new(&object)).map(Shown::from),
            evidence: vec![code.source.at(line)],
        });
    }
    found
}
