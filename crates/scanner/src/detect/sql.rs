//! What SQL does to a schema: the steps of a migration, whatever tool brings it.
//!
//! Comments and strings are passed over; the body of a function is no step of the migration, the body of a `DO` block is.

use crate::limits;
use playbook_core::evidence::Evidence;
use playbook_core::harmless::Name;
use playbook_core::inventory::{Operation, OperationKind};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

/// The steps of a text of SQL that starts on `first_line` of the file `path`.
pub(crate) fn operations(sql: &str, path: &RelPath, first_line: u32) -> Vec<Operation> {
    let mut out = Vec::new();
    let mut line = first_line;
    let mut statement: Vec<Word<'_>> = Vec::new();
    let mut rest = sql;
    let mut looked_at = 0;
    while !rest.is_empty() && looked_at < limits::SQL_BYTES && out.len() < limits::SQL_OPERATIONS {
        let (piece, length) = next(rest);
        let text = rest.get(..length).unwrap_or_default();
        match piece {
            Piece::Word(word, quoted) => {
                if statement.len() < limits::SQL_WORDS {
                    statement.push(Word {
                        text: word,
                        quoted,
                        line,
                    });
                }
            }
            Piece::End => {
                steps(&statement, path, &mut out);
                statement.clear();
            }
            Piece::Body(body, lines_before) => {
                // `DO $$ … $$` runs what it holds; the body of a function does not run here.
                if statement.first().is_some_and(|word| word.is("DO")) {
                    out.extend(body_of_block(body, path, line + lines_before));
                }
            }
            Piece::Nothing => {}
        }
        line += newlines(text);
        looked_at += length;
        rest = rest.get(length..).unwrap_or_default();
    }
    steps(&statement, path, &mut out);
    rebuilt(&mut out);
    out.truncate(limits::SQL_OPERATIONS);
    out
}

/// The statements of a procedural block start behind its keywords.
fn body_of_block(body: &str, path: &RelPath, line: u32) -> Vec<Operation> {
    let mut out = Vec::new();
    let mut words: Vec<Word<'_>> = Vec::new();
    let mut at = line;
    let mut rest = body;
    while !rest.is_empty() && out.len() < limits::SQL_OPERATIONS {
        let (piece, length) = next(rest);
        match piece {
            Piece::Word(text, quoted) => {
                let word = Word {
                    text,
                    quoted,
                    line: at,
                };
                if word.one_of(&["BEGIN", "THEN", "ELSE", "LOOP"]) {
                    words.clear();
                } else if words.len() < limits::SQL_WORDS {
                    words.push(word);
                }
            }
            Piece::End => {
                steps(&words, path, &mut out);
                words.clear();
            }
            Piece::Body(..) | Piece::Nothing => {}
        }
        at += newlines(rest.get(..length).unwrap_or_default());
        rest = rest.get(length..).unwrap_or_default();
    }
    out
}

fn newlines(text: &str) -> u32 {
    u32::try_from(text.bytes().filter(|byte| *byte == b'\n').count()).unwrap_or(u32::MAX)
}

/// A word, a quoted name or a sign of a statement.
#[derive(Debug, Clone, Copy)]
struct Word<'t> {
    text: &'t str,
    quoted: bool,
    line: u32,
}

impl Word<'_> {
    fn is(&self, word: &str) -> bool {
        !self.quoted && self.text.eq_ignore_ascii_case(word)
    }

    fn one_of(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(word))
    }
}

/// What stands at the start of a text.
enum Piece<'t> {
    /// A word or sign; the flag tells a quoted name.
    Word(&'t str, bool),
    /// The end of a statement.
    End,
    /// What stands between dollar quotes, and the lines before it.
    Body(&'t str, u32),
    /// A blank, a comment or a string.
    Nothing,
}

fn next(text: &str) -> (Piece<'_>, usize) {
    let bytes = text.as_bytes();
    let first = bytes.first().copied().unwrap_or_default();
    let until = |end: &str, from: usize| {
        text.get(from..)
            .and_then(|rest| rest.find(end))
            .map_or(text.len(), |at| from + at + end.len())
    };
    match first {
        b'-' if text.starts_with("--") => (Piece::Nothing, until("\n", 0)),
        b'#' => (Piece::Nothing, until("\n", 0)),
        b'/' if text.starts_with("/*") => (Piece::Nothing, until("*/", 2)),
        b'\'' => (Piece::Nothing, end_of_quoted(text, '\'')),
        b'"' | b'`' => {
            let length = end_of_quoted(text, char::from(first));
            (
                Piece::Word(text.get(1..length.saturating_sub(1)).unwrap_or_default(), true),
                length,
            )
        }
        b'[' if text.get(1..).is_some_and(|rest| {
            rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && rest.find(']').is_some_and(|at| at < 128)
        }) =>
        {
            let length = until("]", 1);
            (
                Piece::Word(text.get(1..length - 1).unwrap_or_default(), true),
                length,
            )
        }
        b'$' => dollar(text),
        b';' => (Piece::End, 1),
        _ if first.is_ascii_alphanumeric() || first == b'_' || first >= 0x80 => {
            let length = text
                .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'))
                .unwrap_or(text.len())
                .max(text.chars().next().map_or(1, char::len_utf8));
            let word = text.get(..length).unwrap_or_default();
            // MSSQL ends its batches with a line `GO`.
            if word.eq_ignore_ascii_case("GO")
                && text.get(length..).is_some_and(|rest| {
                    rest.trim_start_matches([' ', '\t', '\r']).starts_with('\n') || rest.is_empty()
                })
            {
                return (Piece::End, length);
            }
            (Piece::Word(word, false), length)
        }
        b'(' | b')' | b',' | b'.' | b'=' => (Piece::Word(text.get(..1).unwrap_or_default(), false), 1),
        _ => (Piece::Nothing, text.chars().next().map_or(1, char::len_utf8)),
    }
}

/// The length of a quoted text whose closing quote, written twice, stands for itself.
fn end_of_quoted(text: &str, quote: char) -> usize {
    let mut letters = text.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        if letter == quote {
            if letters.peek().is_some_and(|(_, next)| *next == quote) {
                letters.next();
            } else {
                return at + quote.len_utf8();
            }
        }
    }
    text.len()
}

/// `$$ … $$`, `$tag$ … $tag$`; a parameter such as `$1` is nothing.
fn dollar(text: &str) -> (Piece<'_>, usize) {
    let tag = text
        .get(1..)
        .and_then(|rest| rest.find('$'))
        .and_then(|at| text.get(..at + 2))
        .filter(|tag| {
            tag.len() < 64
                && tag
                    .trim_matches('$')
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || c == '_')
        });
    let Some(tag) = tag else {
        return (Piece::Nothing, 1);
    };
    let body = text.get(tag.len()..).unwrap_or_default();
    let length = body.find(tag).unwrap_or(body.len());
    (
        Piece::Body(body.get(..length).unwrap_or_default(), 0),
        (tag.len() * 2 + length).min(text.len()),
    )
}

/// A reader over the words of a statement.
struct Reader<'w, 't> {
    words: &'w [Word<'t>],
}

impl<'t> Reader<'_, 't> {
    fn take(&mut self, word: &str) -> bool {
        let found = self.words.first().is_some_and(|first| first.is(word));
        if found {
            self.words = self.words.get(1..).unwrap_or_default();
        }
        found
    }

    fn take_any(&mut self, words: &[&str]) {
        while words.iter().any(|word| self.take(word)) {}
    }

    /// `IF NOT EXISTS`, `IF EXISTS`.
    fn condition(&mut self) {
        if self.take("IF") {
            self.take("NOT");
            self.take("EXISTS");
        }
    }

    /// A name with its parts: `schema.table`.
    fn name(&mut self) -> Vec<&'t str> {
        let mut parts = Vec::new();
        while let Some(word) = self.words.first() {
            let sign = !word.quoted && matches!(word.text, "(" | ")" | "," | "." | "=");
            if sign {
                break;
            }
            parts.push(word.text);
            self.words = self.words.get(1..).unwrap_or_default();
            if !self.take(".") {
                break;
            }
        }
        parts
    }
}

/// The usual schema says nothing.
fn object(parts: &[&str]) -> Option<String> {
    let parts = match parts {
        [schema, rest @ ..]
            if !rest.is_empty()
                && (schema.eq_ignore_ascii_case("public") || schema.eq_ignore_ascii_case("dbo")) =>
        {
            rest
        }
        other => other,
    };
    (!parts.is_empty()).then(|| parts.join("."))
}

fn steps(words: &[Word<'_>], path: &RelPath, out: &mut Vec<Operation>) {
    let Some(first) = words.first() else { return };
    let mut push = |kind: OperationKind, object: Option<String>, line: u32| {
        out.push(Operation {
            kind,
            object: object
                .and_then(|text| Name::parse(Raw::new(&text)))
                .map(Shown::from),
            evidence: vec![Evidence::at(path, line)],
        });
    };
    let line = first.line;
    let mut reader = Reader { words };
    if reader.take("CREATE") {
        create(&mut reader, line, &mut push);
    } else if reader.take("ALTER") {
        if reader.take("TABLE") {
            alter(&mut reader, &mut push);
        }
    } else if reader.take("DROP") {
        if reader.take("TABLE") {
            reader.condition();
            loop {
                push(OperationKind::DropTable, object(&reader.name()), line);
                if !reader.take(",") {
                    break;
                }
            }
        }
    } else if reader.take("DELETE") {
        reader.take("FROM");
        reader.take("ONLY");
        push(OperationKind::DeleteRows, object(&reader.name()), line);
    } else if reader.take("TRUNCATE") {
        reader.take_any(&["TABLE", "ONLY"]);
        push(OperationKind::DeleteRows, object(&reader.name()), line);
    } else if reader.take("UPDATE") {
        reader.take_any(&["ONLY", "LOW_PRIORITY", "IGNORE"]);
        let name = reader.name();
        if words.iter().any(|word| word.is("SET")) {
            push(OperationKind::UpdateRows, object(&name), line);
        }
    } else if reader.take("RENAME") && reader.take("TABLE") {
        push(OperationKind::Rename, object(&reader.name()), line);
    }
}

type Push<'p> = dyn FnMut(OperationKind, Option<String>, u32) + 'p;

fn create(reader: &mut Reader<'_, '_>, line: u32, push: &mut Push<'_>) {
    reader.take_any(&["OR", "REPLACE"]);
    if reader.take("TEMP") || reader.take("TEMPORARY") {
        return;
    }
    reader.take_any(&[
        "GLOBAL",
        "LOCAL",
        "UNLOGGED",
        "FOREIGN",
        "EXTERNAL",
        "UNIQUE",
        "FULLTEXT",
        "SPATIAL",
        "CLUSTERED",
        "NONCLUSTERED",
        "BITMAP",
    ]);
    if reader.take("TABLE") {
        reader.condition();
        push(OperationKind::CreateTable, object(&reader.name()), line);
    } else if reader.take("EXTENSION") {
        reader.condition();
        push(OperationKind::CreateExtension, object(&reader.name()), line);
    } else if reader.take("INDEX") {
        let kind = if reader.take("CONCURRENTLY") {
            OperationKind::CreateIndexConcurrently
        } else {
            OperationKind::CreateIndex
        };
        let on = reader.words.iter().position(|word| word.is("ON"));
        reader.words = on.and_then(|at| reader.words.get(at + 1..)).unwrap_or_default();
        reader.take("ONLY");
        push(kind, object(&reader.name()), line);
    }
}

fn alter(reader: &mut Reader<'_, '_>, push: &mut Push<'_>) {
    reader.condition();
    reader.take("ONLY");
    let table = object(&reader.name()).unwrap_or_default();
    let column = |parts: &[&str]| {
        let name = parts.last().copied().unwrap_or_default();
        (!name.is_empty()).then(|| {
            if table.is_empty() {
                name.to_owned()
            } else {
                format!("{table}.{name}")
            }
        })
    };
    for action in actions(reader.words) {
        let Some(first) = action.first() else { continue };
        let line = first.line;
        let mut reader = Reader { words: action };
        if reader.take("ADD") {
            if reader.words.first().is_some_and(|word| {
                word.one_of(&["CONSTRAINT", "FOREIGN", "UNIQUE", "PRIMARY", "CHECK", "EXCLUDE"])
            }) {
                push(OperationKind::AddConstraint, Some(table.clone()), line);
                continue;
            }
            if reader
                .words
                .first()
                .is_some_and(|word| word.one_of(&["INDEX", "KEY", "FULLTEXT", "SPATIAL"]))
            {
                push(OperationKind::CreateIndex, Some(table.clone()), line);
                continue;
            }
            reader.take("COLUMN");
            reader.condition();
            reader.take("(");
            let name = reader.name();
            if name.is_empty() {
                continue;
            }
            let kind = if needs_value(reader.words) {
                OperationKind::AddColumnNotNull
            } else {
                OperationKind::AddColumn
            };
            push(kind, column(&name), line);
        } else if reader.take("ALTER") {
            if reader.words.first().is_some_and(|word| word.is("INDEX")) {
                continue;
            }
            reader.take("COLUMN");
            let name = reader.name();
            let default = (reader.take("SET") || reader.take("DROP"))
                && reader
                    .words
                    .first()
                    .is_some_and(|word| word.one_of(&["DEFAULT", "STATISTICS", "STORAGE", "IDENTITY"]));
            if !default {
                push(OperationKind::AlterColumn, column(&name), line);
            }
        } else if reader.take("MODIFY") || reader.take("CHANGE") {
            reader.take("COLUMN");
            push(OperationKind::AlterColumn, column(&reader.name()), line);
        } else if reader.take("DROP") {
            if reader.words.first().is_some_and(|word| {
                word.one_of(&[
                    "CONSTRAINT",
                    "INDEX",
                    "KEY",
                    "FOREIGN",
                    "PRIMARY",
                    "CHECK",
                    "DEFAULT",
                    "PARTITION",
                ])
            }) {
                continue;
            }
            reader.take("COLUMN");
            reader.condition();
            push(OperationKind::DropColumn, column(&reader.name()), line);
        } else if reader.take("RENAME") {
            if reader
                .words
                .first()
                .is_some_and(|word| word.one_of(&["CONSTRAINT", "INDEX", "KEY"]))
            {
                continue;
            }
            if reader.take("TO") || reader.take("AS") {
                let new = object(&reader.name());
                push(
                    OperationKind::Rename,
                    // Both names matter when a table takes the place of another.
                    new.map(|new| format!("{table}~{new}")).or(Some(table.clone())),
                    line,
                );
            } else {
                reader.take("COLUMN");
                push(OperationKind::Rename, column(&reader.name()), line);
            }
        }
    }
}

/// The actions of one `ALTER TABLE`, split at the commas outside of brackets.
fn actions<'w, 't>(words: &'w [Word<'t>]) -> Vec<&'w [Word<'t>]> {
    let mut depth = 0_u32;
    let mut out = Vec::new();
    let mut start = 0;
    for (at, word) in words.iter().enumerate() {
        match word.text {
            "(" if !word.quoted => depth += 1,
            ")" if !word.quoted => depth = depth.saturating_sub(1),
            "," if !word.quoted && depth == 0 => {
                out.extend(words.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    out.extend(words.get(start..));
    out
}

/// Must a new column have a value that existing rows don't get by themselves?
fn needs_value(words: &[Word<'_>]) -> bool {
    let has = |wanted: &[&str]| words.iter().any(|word| word.one_of(wanted));
    let not_null = words
        .iter()
        .zip(words.iter().skip(1))
        .any(|(a, b)| a.is("NOT") && b.is("NULL"));
    not_null
        && !has(&[
            "DEFAULT",
            "GENERATED",
            "IDENTITY",
            "SERIAL",
            "BIGSERIAL",
            "SMALLSERIAL",
            "AUTO_INCREMENT",
            "AS",
        ])
}

/// SQLite changes a table by building a new one and renaming it: `DROP TABLE a` and then `new_a` renamed to `a` loses
/// nothing.
fn rebuilt(operations: &mut Vec<Operation>) {
    let text = |operation: &Operation| {
        operation
            .object
            .as_ref()
            .map(|object| object.as_str().to_owned())
            .unwrap_or_default()
    };
    let renamed: Vec<(String, String)> = operations
        .iter()
        .filter(|operation| operation.kind == OperationKind::Rename)
        .filter_map(|operation| {
            let whole = text(operation);
            let (old, new) = whole.split_once('~')?;
            Some((old.to_owned(), new.to_owned()))
        })
        .collect();
    let mut replaced: Vec<(String, String)> = Vec::new();
    for operation in operations.iter_mut() {
        let name = text(operation);
        if operation.kind == OperationKind::DropTable
            && let Some(pair) = renamed.iter().find(|(_, new)| *new == name)
        {
            operation.kind = OperationKind::AlterColumn;
            replaced.push(pair.clone());
        }
    }
    operations.retain(|operation| {
        let name = text(operation);
        !replaced.iter().any(|(old, new)| {
            operation.kind == OperationKind::CreateTable && name == *old
                || operation.kind == OperationKind::Rename && name == format!("{old}~{new}")
        })
    });
    for operation in operations.iter_mut() {
        let name = text(operation);
        if let Some((old, _)) = name.split_once('~') {
            operation.object = Name::parse(Raw::new(old)).map(Shown::from);
        }
    }
}

#[cfg(test)]
mod tests;
