//! Migrations of Ecto.

use playbook_core::harmless::Name;
use playbook_core::inventory::{Operation, OperationKind};
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use crate::detect::ecosystem::{Code, group, pattern, start};
use crate::detect::sql;
use crate::fact::{Facts, RevisionFact};

pub(super) fn detect(code: &Code<'_>, facts: &mut Facts) {
    let source = code.source;
    let stem = source.path.name().trim_end_matches(".exs");
    if !pattern!(r"^\d{8,14}_\w+$").is(stem) || !code.has("use Ecto.Migration") {
        return;
    }
    let Some(id) = Name::parse(Raw::new(stem)) else {
        return;
    };
    let down = code.plain().find("def down");
    facts.revisions.push(RevisionFact {
        tool: Shown::from("ecto"),
        path: source.path.clone(),
        dir: source.path.parent(),
        id,
        parents: None,
        operations: operations(code, down.unwrap_or(source.text.len())),
        reversible: Some(code.has("def change") || down.is_some()),
        scope: source.scope,
    });
}

fn operations(code: &Code<'_>, end: usize) -> Vec<Operation> {
    let mut found = Vec::new();
    let mut table = String::new();
    let mut creating = false;
    let steps = pattern!(
        r#"(?m)^\s*(?:(?P<verb>create|create_if_not_exists|drop|drop_if_exists|alter|rename)[ (]+(?P<what>table|index|unique_index|constraint)\(\s*(?::(?P<table>\w+)|"(?P<text>\w+)")(?P<rest>[^\n]*)|(?P<step>add|add_if_not_exists|modify|remove|remove_if_exists)[ (]+:(?P<column>\w+)(?P<options>[^\n]*)|execute[ (]+(?:"""\s*\n(?P<long>(?:[^"]|"[^"])*)"""|"(?P<sql>[^"\n]*)"))"#
    );
    for step in code.all(&steps) {
        let at = start(&step);
        if at >= end {
            break;
        }
        let statement = [group(&step, "sql"), group(&step, "long")].join("");
        if !statement.is_empty() {
            found.extend(sql::operations(&statement, code.source.path, code.line(at)));
            continue;
        }
        let rest = group(&step, "rest");
        let options = group(&step, "options");
        let named = [group(&step, "table"), group(&step, "text")].join("");
        let (kind, object) = match (group(&step, "verb"), group(&step, "what"), group(&step, "step")) {
            ("alter", _, _) => {
                table = named;
                creating = false;
                continue;
            }
            ("create" | "create_if_not_exists", "table", _) => {
                table.clone_from(&named);
                creating = true;
                (OperationKind::CreateTable, named)
            }
            ("create" | "create_if_not_exists", "constraint", _) => (OperationKind::AddConstraint, named),
            ("create" | "create_if_not_exists", _, _) if creating && named == table => continue,
            ("create" | "create_if_not_exists", _, _) if rest.contains("concurrently: true") => {
                (OperationKind::CreateIndexConcurrently, named)
            }
            ("create" | "create_if_not_exists", _, _) => (OperationKind::CreateIndex, named),
            ("drop" | "drop_if_exists", "table", _) => (OperationKind::DropTable, named),
            ("rename", _, _) => (OperationKind::Rename, named),
            ("drop" | "drop_if_exists", _, _) => continue,
            _ if creating || table.is_empty() => continue,
            (_, _, "modify") => (
                OperationKind::AlterColumn,
                format!("{table}.{}", group(&step, "column")),
            ),
            (_, _, "remove" | "remove_if_exists") => (
                OperationKind::DropColumn,
                format!("{table}.{}", group(&step, "column")),
            ),
            _ => {
                let strict = options.contains("null: false") && !options.contains("default:");
                let kind = if strict {
                    OperationKind::AddColumnNotNull
                } else {
                    OperationKind::AddColumn
                };
                (kind, format!("{table}.{}", group(&step, "column")))
            }
        };
        found.push(Operation {
            kind,
            object: Name::parse(Raw::new(&object)).map(Shown::from),
            evidence: vec![code.source.at(code.line(at))],
        });
    }
    found
}
