//! Migrations of Laravel, Doctrine and Phinx.

use playbook_core::harmless::Name;
use playbook_core::inventory::{Operation, OperationKind};
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use crate::detect::ecosystem::{Code, group, pattern, start};
use crate::detect::sql;
use crate::fact::{Facts, RevisionFact};

pub(super) fn detect(code: &Code<'_>, facts: &mut Facts) {
    let source = code.source;
    let name = source.path.name();
    let stem = name.trim_end_matches(".php");
    let dated = pattern!(r"^\d{4}_\d{2}_\d{2}_\d{4,6}_\w+$").is(stem);
    let tool = if dated && (code.has("extends Migration") || code.has("Schema::")) {
        "laravel"
    } else if code.has("extends AbstractMigration") && stem.starts_with("Version") {
        "doctrine"
    } else if pattern!(r"^\d{14}_\w+$").is(stem)
        && (code.has("extends AbstractMigration") || code.has("extends BaseMigration"))
    {
        "phinx"
    } else {
        return;
    };
    let Some(id) = Name::parse(Raw::new(stem)) else {
        return;
    };
    let up = body(code, &["up", "change"]);
    let down = body(code, &["down"]);
    let operations = match (&up, tool) {
        (Some((at, text)), "laravel") => laravel(code, *at, text),
        (Some((at, text)), "doctrine") => doctrine(code, *at, text),
        _ => Vec::new(),
    };
    let undone = down
        .as_ref()
        .is_some_and(|(_, text)| text.contains(';') && !text.contains("throw"));
    facts.revisions.push(RevisionFact {
        tool: Shown::from(tool),
        path: source.path.clone(),
        dir: source.path.parent(),
        id,
        parents: None,
        operations,
        reversible: Some(undone || tool == "phinx" && code.has("function change(")),
        scope: source.scope,
    });
}

/// The body of a method: where it begins, and its text.
fn body<'t>(code: &Code<'t>, names: &[&str]) -> Option<(usize, &'t str)> {
    let found = code
        .all(&pattern!(r"\bfunction\s+(?P<name>\w+)\s*\("))
        .into_iter()
        .find(|found| names.contains(&group(found, "name")))?;
    let from = found.get(0)?.end();
    let open = from + code.plain().get(from..)?.find('{')?;
    let mut depth = 0i32;
    for (at, byte) in code.plain().bytes().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((open, code.source.text.get(open..at)?));
        }
    }
    None
}

fn operation(code: &Code<'_>, kind: OperationKind, object: &str, offset: usize) -> Operation {
    Operation {
        kind,
        object: Name::parse(Raw::new(object)).map(Shown::from),
        evidence: vec![code.source.at(code.line(offset))],
    }
}

/// `Schema::table('rooms', function (Blueprint $table) { $table->string('a'); })`.
fn laravel(code: &Code<'_>, base: usize, text: &str) -> Vec<Operation> {
    let mut found = Vec::new();
    let mut table = String::new();
    let mut creating = false;
    let steps = pattern!(
        r#"Schema::(?:connection\([^)]*\)->)?(?P<schema>\w+)\(\s*['"](?P<table>[\w.]+)['"]|\$\w+->(?P<method>\w+)\(\s*(?:\[\s*)?['"](?P<column>[\w.]+)['"](?P<rest>[^;]*);|DB::(?:statement|unprepared)\(\s*(?:"(?P<sql>[^"]*)"|'(?P<sql2>[^']*)')|DB::table\(\s*['"](?P<rows>\w+)['"]\)[^;]*->(?P<change>update|delete|truncate)\("#
    );
    for step in steps.all(text) {
        let at = base + start(&step);
        if code.source.text.as_bytes().get(at) != code.plain().as_bytes().get(at) {
            continue;
        }
        let statement = [group(&step, "sql"), group(&step, "sql2")].join("");
        if !statement.is_empty() {
            found.extend(sql::operations(&statement, code.source.path, code.line(at)));
            continue;
        }
        if !group(&step, "rows").is_empty() {
            let kind = if group(&step, "change") == "update" {
                OperationKind::UpdateRows
            } else {
                OperationKind::DeleteRows
            };
            found.push(operation(code, kind, group(&step, "rows"), at));
            continue;
        }
        let named = group(&step, "table");
        if !named.is_empty() {
            named.clone_into(&mut table);
            creating = false;
            match group(&step, "schema") {
                "create" => {
                    creating = true;
                    found.push(operation(code, OperationKind::CreateTable, named, at));
                }
                "drop" | "dropIfExists" => found.push(operation(code, OperationKind::DropTable, named, at)),
                "rename" => found.push(operation(code, OperationKind::Rename, named, at)),
                "dropColumns" => found.push(operation(code, OperationKind::DropColumn, named, at)),
                _ => {}
            }
            continue;
        }
        if creating || table.is_empty() {
            continue;
        }
        let (column, rest) = (group(&step, "column"), group(&step, "rest"));
        let object = format!("{table}.{column}");
        let kind = match group(&step, "method") {
            "dropColumn" | "dropColumns" | "removeColumn" | "dropConstrainedForeignId" => {
                OperationKind::DropColumn
            }
            "renameColumn" => OperationKind::Rename,
            "index" | "unique" | "fullText" | "spatialIndex" | "primary" => OperationKind::CreateIndex,
            "foreign" => OperationKind::AddConstraint,
            name if name.starts_with("drop") || name.starts_with("rename") => continue,
            _ if rest.contains("->change(") => OperationKind::AlterColumn,
            _ if rest.contains("->nullable(")
                || rest.contains("->default(")
                || rest.contains("->useCurrent(") =>
            {
                OperationKind::AddColumn
            }
            name if is_column(name) => OperationKind::AddColumnNotNull,
            _ => continue,
        };
        found.push(operation(code, kind, &object, at));
    }
    found
}

/// Does a method of the blueprint add a column?
fn is_column(method: &str) -> bool {
    let lower = method.to_ascii_lowercase();
    [
        "string",
        "text",
        "integer",
        "boolean",
        "date",
        "time",
        "json",
        "uuid",
        "ulid",
        "decimal",
        "float",
        "double",
        "enum",
        "char",
        "binary",
        "increments",
        "foreignid",
        "morphs",
        "year",
        "id",
    ]
    .iter()
    .any(|word| lower.contains(word))
}

/// `$this->addSql('ALTER TABLE …')`.
fn doctrine(code: &Code<'_>, base: usize, text: &str) -> Vec<Operation> {
    let mut found = Vec::new();
    let steps = pattern!(r#"->addSql\(\s*(?:'(?P<single>(?:[^'\\]|\\.)*)'|"(?P<double>(?:[^"\\]|\\.)*)")"#);
    for step in steps.all(text) {
        let at = base + start(&step);
        let statement = [group(&step, "single"), group(&step, "double")]
            .join("")
            .replace("\\'", "'");
        found.extend(sql::operations(&statement, code.source.path, code.line(at)));
    }
    found
}
