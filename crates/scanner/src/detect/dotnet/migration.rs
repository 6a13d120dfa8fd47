//! Migrations of EF Core.

use playbook_core::harmless::Name;
use playbook_core::inventory::{Operation, OperationKind};
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use crate::detect::ecosystem::{Code, group, pattern, start};
use crate::detect::sql;
use crate::fact::{Facts, RevisionFact};

pub(super) fn detect(code: &Code<'_>, facts: &mut Facts) {
    let source = code.source;
    let stem = source.path.name().trim_end_matches(".cs");
    if !pattern!(r"^\d{8,14}_\w+$").is(stem) {
        return;
    }
    let tool = if code.has("MigrationBuilder migrationBuilder") {
        "ef-core"
    } else if code.has("FluentMigrator") {
        "fluentmigrator"
    } else {
        return;
    };
    let Some(id) = Name::parse(Raw::new(stem)) else {
        return;
    };
    let down = code.plain().find("void Down(");
    let undone = down.is_some_and(|at| {
        let rest = code.plain().get(at..).unwrap_or_default();
        rest.contains(';') && !rest.contains("throw ")
    });
    facts.revisions.push(RevisionFact {
        tool: Shown::from(tool),
        path: source.path.clone(),
        dir: source.path.parent(),
        id,
        parents: None,
        operations: operations(code, down.unwrap_or(source.text.len())),
        reversible: Some(undone),
        scope: source.scope,
    });
}

fn operations(code: &Code<'_>, end: usize) -> Vec<Operation> {
    let mut found = Vec::new();
    let mut own: Vec<String> = Vec::new();
    let steps = pattern!(
        r"\bmigrationBuilder\s*\.\s*(?P<method>\w+)\s*(?:<[\w<>\[\]?.]+>)?\s*\((?P<arguments>[^;]*);"
    );
    for step in code.all(&steps) {
        let at = start(&step);
        if at >= end {
            break;
        }
        let arguments = group(&step, "arguments");
        let named = |name: &str| {
            pattern!(r#"\b(?P<key>name|table|schema|newName|column):\s*"(?P<value>[^"\n]*)""#)
                .all(arguments)
                .iter()
                .find(|found| group(found, "key") == name)
                .map_or_else(String::new, |found| group(found, "value").to_owned())
        };
        let table = named("table");
        let name = named("name");
        let column = format!("{table}.{name}");
        let (kind, object) = match group(&step, "method") {
            "CreateTable" => {
                own.push(name.clone());
                (OperationKind::CreateTable, name)
            }
            "DropTable" => (OperationKind::DropTable, name),
            "RenameTable" => (OperationKind::Rename, name),
            "RenameColumn" => (OperationKind::Rename, column),
            "DropColumn" => (OperationKind::DropColumn, column),
            "AlterColumn" => (OperationKind::AlterColumn, column),
            "CreateIndex" if own.contains(&table) => continue,
            "CreateIndex" => (OperationKind::CreateIndex, table),
            "AddForeignKey" | "AddUniqueConstraint" | "AddPrimaryKey" | "AddCheckConstraint" => {
                (OperationKind::AddConstraint, table)
            }
            "AddColumn" => {
                let strict = arguments.contains("nullable: false") && !arguments.contains("defaultValue");
                let kind = if strict {
                    OperationKind::AddColumnNotNull
                } else {
                    OperationKind::AddColumn
                };
                (kind, column)
            }
            "DeleteData" => (OperationKind::DeleteRows, table),
            "UpdateData" => (OperationKind::UpdateRows, table),
            "Sql" => {
                let statement = pattern!(r#"^\s*@?\$?"+(?P<sql>[^"]+)"#).first(arguments);
                let statement = statement.map_or("", |found| group(&found, "sql"));
                found.extend(sql::operations(statement, code.source.path, code.line(at)));
                continue;
            }
            _ => continue,
        };
        found.push(Operation {
            kind,
            object: Name::parse(Raw::new(&object)).map(Shown::from),
            evidence: vec![code.source.at(code.line(at))],
        });
    }
    found
}
