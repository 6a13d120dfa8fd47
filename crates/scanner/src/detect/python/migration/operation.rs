//! The steps of a migration.

use playbook_core::harmless::Name;
use playbook_core::inventory::{Operation, OperationKind};
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use super::super::syntax::{Call, Code, Definition, Span};
use super::super::value::{argument, is_true};

fn push(code: &Code<'_>, found: &mut Vec<Operation>, kind: OperationKind, object: &str, offset: usize) {
    found.push(Operation {
        kind,
        object: Name::parse(Raw::new(object)).map(Shown::from),
        evidence: vec![code.source.at(code.line(offset))],
    });
}

/// The steps of `upgrade()`.
pub(super) fn alembic(code: &Code<'_>, upgrade: &Definition<'_>) -> Vec<Operation> {
    let mut found = Vec::new();
    // `with op.batch_alter_table("rooms") as batch_op:` names the table for the calls below it.
    let mut batch = String::new();
    for call in code.calls_in(code.stretch(upgrade.body)) {
        let (receiver, method) = call.name.rsplit_once('.').unwrap_or(("", call.name));
        let in_batch = receiver.contains("batch");
        if !(in_batch || code.full_name(receiver) == "alembic.op" || receiver == "op") {
            continue;
        }
        let arguments = code.arguments(&call);
        let text = |word: &str| {
            argument(&arguments, word)
                .and_then(|span| code.string(span))
                .unwrap_or_default()
        };
        if method == "batch_alter_table" {
            batch = text("0");
            continue;
        }
        let table = if in_batch { batch.clone() } else { text("0") };
        let nth = |position: usize| text(&(position - usize::from(in_batch)).to_string());
        match method {
            "create_table" => push(
                code,
                &mut found,
                OperationKind::CreateTable,
                &text("0"),
                call.start,
            ),
            "drop_table" => push(code, &mut found, OperationKind::DropTable, &text("0"), call.start),
            "rename_table" => push(code, &mut found, OperationKind::Rename, &text("0"), call.start),
            "add_column" => {
                let (column, filled) = column(code, &call);
                let kind = if filled {
                    OperationKind::AddColumn
                } else {
                    OperationKind::AddColumnNotNull
                };
                push(code, &mut found, kind, &format!("{table}.{column}"), call.start);
            }
            "drop_column" => push(
                code,
                &mut found,
                OperationKind::DropColumn,
                &format!("{table}.{}", nth(1)),
                call.start,
            ),
            "alter_column" => {
                let renamed = argument(&arguments, "new_column_name").is_some();
                let kind = if renamed {
                    OperationKind::Rename
                } else {
                    OperationKind::AlterColumn
                };
                push(code, &mut found, kind, &format!("{table}.{}", nth(1)), call.start);
            }
            "create_index" => {
                let concurrently = is_true(code, argument(&arguments, "postgresql_concurrently"));
                let kind = if concurrently {
                    OperationKind::CreateIndexConcurrently
                } else {
                    OperationKind::CreateIndex
                };
                let table = if in_batch { batch.clone() } else { text("1") };
                push(code, &mut found, kind, &table, call.start);
            }
            "create_unique_constraint"
            | "create_check_constraint"
            | "create_exclude_constraint"
            | "create_primary_key"
            | "create_foreign_key" => {
                let table = if in_batch { batch.clone() } else { text("1") };
                push(code, &mut found, OperationKind::AddConstraint, &table, call.start);
            }
            "execute" => sql(
                code,
                &mut found,
                Span {
                    start: call.open,
                    end: call.close,
                },
            ),
            _ => {}
        }
    }
    found
}

/// Name of the column of `add_column`, and whether rows that exist get a value (or none is needed).
fn column(code: &Code<'_>, call: &Call<'_>) -> (String, bool) {
    let inner = code
        .calls_in(Span {
            start: call.open + 1,
            end: call.close,
        })
        .into_iter()
        .find(|inner| inner.name.rsplit('.').next() == Some("Column"));
    let Some(inner) = inner else {
        return (String::new(), true);
    };
    let arguments = code.arguments(&inner);
    let name = arguments
        .first()
        .and_then(|first| code.string(first.value))
        .unwrap_or_default();
    let required = argument(&arguments, "nullable").is_some_and(|span| code.code_of(span) == "False");
    (
        name,
        !required || argument(&arguments, "server_default").is_some(),
    )
}

/// The steps of a Django migration, and whether it can be undone.
pub(super) fn django(code: &Code<'_>, class: &Definition<'_>) -> (Vec<Operation>, Option<bool>) {
    let mut found = Vec::new();
    let mut reversible = true;
    for call in code.calls_in(code.stretch(class.body)) {
        let method = call.name.rsplit('.').next().unwrap_or(call.name);
        let arguments = code.arguments(&call);
        let text = |word: &str| {
            argument(&arguments, word)
                .and_then(|span| code.string(span))
                .unwrap_or_default()
        };
        let model = text("model_name").to_ascii_lowercase();
        let field = || format!("{model}.{}", text("name"));
        let kind = match method {
            "CreateModel" => {
                push(
                    code,
                    &mut found,
                    OperationKind::CreateTable,
                    &text("name").to_ascii_lowercase(),
                    call.start,
                );
                continue;
            }
            "DeleteModel" => {
                push(
                    code,
                    &mut found,
                    OperationKind::DropTable,
                    &text("name").to_ascii_lowercase(),
                    call.start,
                );
                continue;
            }
            "AddField" => {
                let definition = argument(&arguments, "field")
                    .map(|span| code.code_of(span))
                    .unwrap_or_default();
                if definition.contains("null=True")
                    || definition.contains("default=")
                    || definition.contains("ManyToMany")
                {
                    OperationKind::AddColumn
                } else {
                    OperationKind::AddColumnNotNull
                }
            }
            "RemoveField" => OperationKind::DropColumn,
            "AlterField" => OperationKind::AlterColumn,
            "RenameField" | "RenameModel" => OperationKind::Rename,
            "AddIndex" => OperationKind::CreateIndex,
            "AddIndexConcurrently" => OperationKind::CreateIndexConcurrently,
            "AddConstraint" | "AlterUniqueTogether" => OperationKind::AddConstraint,
            "TrigramExtension" | "UnaccentExtension" | "HStoreExtension" | "CITextExtension"
            | "BtreeGinExtension" | "BtreeGistExtension" | "CryptoExtension" | "VectorExtension"
            | "CreateExtension" => {
                let named = arguments.first().and_then(|first| code.string(first.value));
                let name = named.unwrap_or_else(|| method.trim_end_matches("Extension").to_ascii_lowercase());
                push(
                    code,
                    &mut found,
                    OperationKind::CreateExtension,
                    &name,
                    call.start,
                );
                continue;
            }
            "RunPython" => {
                reversible &= arguments.len() > 1;
                OperationKind::UpdateRows
            }
            "RunSQL" => {
                reversible &= arguments.len() > 1;
                sql(
                    code,
                    &mut found,
                    Span {
                        start: call.open,
                        end: call.close,
                    },
                );
                continue;
            }
            _ => continue,
        };
        push(code, &mut found, kind, &field(), call.start);
    }
    (found, Some(reversible))
}

/// Steps that stand as SQL in the strings of a call.
fn sql(code: &Code<'_>, found: &mut Vec<Operation>, span: Span) {
    for (text, at) in code.texts_in(span) {
        for statement in text.split(';') {
            let words: Vec<String> = statement
                .split_whitespace()
                .take(12)
                .map(|word| {
                    word.trim_matches(['"', '`', '(', ')', ',', '\''])
                        .to_ascii_lowercase()
                })
                .filter(|word| !matches!(word.as_str(), "if" | "not" | "exists" | "only" | "unique"))
                .collect();
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let (kind, object) = match words.as_slice() {
                ["create", "extension", name, ..] => (OperationKind::CreateExtension, *name),
                ["create", "table", name, ..] => (OperationKind::CreateTable, *name),
                ["drop", "table", name, ..] => (OperationKind::DropTable, *name),
                ["create", "index", "concurrently", ..] => (OperationKind::CreateIndexConcurrently, ""),
                ["create", "index", ..] => (OperationKind::CreateIndex, ""),
                ["delete", "from", name, ..] | ["truncate", "table", name, ..] | ["truncate", name, ..] => {
                    (OperationKind::DeleteRows, *name)
                }
                ["update", name, ..] => (OperationKind::UpdateRows, *name),
                ["alter", "table", name, "drop", "column", ..] => (OperationKind::DropColumn, *name),
                ["alter", "table", name, "add", "column", ..] => (OperationKind::AddColumn, *name),
                ["alter", "table", name, "add", "constraint", ..] => (OperationKind::AddConstraint, *name),
                ["alter", "table", name, "rename", ..] => (OperationKind::Rename, *name),
                ["alter", "table", name, "alter", ..] => (OperationKind::AlterColumn, *name),
                _ => continue,
            };
            push(code, found, kind, object, at);
        }
    }
}
