//! Schema migrations: Alembic and Django revisions, their settings, and schemas that code creates by itself.

mod operation;

use playbook_core::harmless::{CommandLine, Name};
use playbook_core::inventory::{Seed, SignalKind};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use super::syntax::{Code, Definition};
use super::value::{argument, is_true};
use crate::fact::{Facts, MigrationFact, RevisionFact};
use crate::parse::ini;
use crate::source::Source;

/// Is it the configuration of a migration tool?
pub(super) fn wants(path: &RelPath) -> bool {
    matches!(path.name(), "alembic.ini" | "yoyo.ini")
}

/// Tells what `alembic.ini` or `yoyo.ini` says.
pub(super) fn configuration(source: &Source<'_>, facts: &mut Facts) {
    let file = ini::parse(source.text);
    let folder = source.path.parent();
    if source.path.name() == "yoyo.ini" {
        let location = file.get("DEFAULT", "sources");
        let dir = location.and_then(|entry| folder.join(entry.value.replace("%(here)s", ".").trim()));
        push(
            facts,
            source,
            "yoyo",
            dir,
            folder,
            location.map_or(1, |entry| entry.line),
            None,
            false,
        );
        return;
    }
    let Some(section) = file.section("alembic") else {
        return;
    };
    if let Some(entry) = section.get("script_location") {
        let place = entry.value.replace("%(here)s", ".");
        push(
            facts,
            source,
            "alembic",
            folder.join(place.trim()),
            folder,
            entry.line,
            None,
            false,
        );
    } else {
        // Flask-Migrate keeps the file in the folder of the migrations and names no place.
        let project = folder.parent();
        push(
            facts,
            source,
            "flask-migrate",
            Some(folder),
            project,
            section.line,
            None,
            false,
        );
    }
    if let Some(url) = section.get("sqlalchemy.url") {
        let place = crate::detect::judge::Place::new(url.line, source.scope);
        crate::detect::judge::literal(source, facts, "sqlalchemy.url", &url.value, place);
    }
}

#[expect(clippy::too_many_arguments, reason = "the parts of one fact")]
fn push(
    facts: &mut Facts,
    source: &Source<'_>,
    tool: &'static str,
    dir: Option<RelPath>,
    project: RelPath,
    line: u32,
    command: Option<&'static str>,
    at_start: bool,
) {
    facts.migrations.push(MigrationFact {
        tool: Shown::from(tool),
        dir,
        project,
        command: command.and_then(|command| CommandLine::parse(Raw::new(command))),
        rollback: None,
        at_start,
        datastore: None,
        scope: source.scope,
        evidence: source.at(line),
    });
}

/// Tells what a Python file says about migrations, schema and first data.
pub(super) fn detect<'a>(code: &Code<'a>, definitions: &[Definition<'a>], facts: &mut Facts) {
    alembic_revision(code, definitions, facts);
    django_revision(code, definitions, facts);
    if code.source.path.name() == "manage.py" && code.source.text.contains("DJANGO_SETTINGS_MODULE") {
        let folder = code.source.path.parent();
        push(
            facts,
            code.source,
            "django",
            None,
            folder,
            1,
            Some("python manage.py migrate"),
            false,
        );
    }
    uses(code, facts);
    seeds(code, facts);
}

fn alembic_revision<'a>(code: &Code<'a>, definitions: &[Definition<'a>], facts: &mut Facts) {
    let (Some(id), Some(down)) = (code.constant("revision"), code.constant("down_revision")) else {
        return;
    };
    let upgrade = definitions
        .iter()
        .find(|definition| definition.name == "upgrade" && definition.head.indent == 0);
    let (Some(upgrade), Some(id)) = (upgrade, code.string(id)) else {
        return;
    };
    let Some(id) = Name::parse(Raw::new(&id)) else {
        return;
    };
    let parents = code
        .texts_in(down)
        .into_iter()
        .filter_map(|(text, _)| Name::parse(Raw::new(text)))
        .collect();
    let folder = code.source.path.parent();
    let dir = if folder.name() == "versions" {
        folder.parent()
    } else {
        folder
    };
    let downgrade = definitions
        .iter()
        .find(|definition| definition.name == "downgrade" && definition.head.indent == 0);
    facts.revisions.push(RevisionFact {
        tool: Shown::from("alembic"),
        path: code.source.path.clone(),
        dir,
        id,
        parents: Some(parents),
        operations: operation::alembic(code, upgrade),
        reversible: Some(downgrade.is_some_and(|downgrade| does_something(code, downgrade))),
        scope: code.source.scope,
    });
}

/// Is there more in a function than `pass`, a text or an exception?
fn does_something(code: &Code<'_>, definition: &Definition<'_>) -> bool {
    let statements = code
        .statements()
        .iter()
        .take(definition.body.1)
        .skip(definition.body.0);
    let lines: Vec<&str> = statements
        .map(|statement| code.statement_code(*statement))
        .collect();
    !lines.iter().any(|line| line.starts_with("raise "))
        && lines.iter().any(|line| {
            *line != "pass" && *line != "..." && !line.starts_with(['"', '\'']) && *line != "return"
        })
}

fn django_revision<'a>(code: &Code<'a>, definitions: &[Definition<'a>], facts: &mut Facts) {
    let folder = code.source.path.parent();
    let class = definitions.iter().find(|definition| {
        definition.class
            && definition.name == "Migration"
            && code.code_of(definition.parameters).ends_with("Migration")
    });
    let Some(class) = class.filter(|_| folder.name() == "migrations" && code.uses("django")) else {
        return;
    };
    let stem = code.source.path.name().trim_end_matches(".py");
    let Some(id) = Name::parse(Raw::new(&format!("{}.{stem}", folder.parent().name()))) else {
        return;
    };
    let (operations, reversible) = operation::django(code, class);
    facts.revisions.push(RevisionFact {
        tool: Shown::from("django"),
        path: code.source.path.clone(),
        dir: folder,
        id,
        parents: None,
        operations,
        reversible,
        scope: code.source.scope,
    });
}

/// Calls that migrate, or that create the schema from the models.
fn uses(code: &Code<'_>, facts: &mut Facts) {
    let folder = code.source.path.parent();
    for call in code.calls() {
        let full = code.full_name(call.name);
        let line = code.line(call.start);
        let arguments = code.arguments(&call);
        match full.as_str() {
            "flask_migrate.Migrate" => {
                let dir = argument(&arguments, "directory").and_then(|span| code.string(span));
                let dir = dir.and_then(|dir| RelPath::new(&dir));
                push(
                    facts,
                    code.source,
                    "flask-migrate",
                    dir,
                    folder.clone(),
                    line,
                    Some("flask db upgrade"),
                    false,
                );
            }
            "alembic.command.upgrade" | "flask_migrate.upgrade" => {
                let tool = if full.starts_with("alembic") {
                    "alembic"
                } else {
                    "flask-migrate"
                };
                push(facts, code.source, tool, None, folder.clone(), line, None, true);
                facts.signal(
                    SignalKind::MigrationsAtStart,
                    Some(Shown::from(tool)),
                    code.source.scope,
                    code.source.at(line),
                );
            }
            "django.core.management.call_command" => {
                let command = arguments.first().and_then(|first| code.string(first.value));
                if command.as_deref() == Some("migrate") {
                    facts.signal(
                        SignalKind::MigrationsAtStart,
                        Some(Shown::from("django")),
                        code.source.scope,
                        code.source.at(line),
                    );
                }
            }
            "tortoise.Tortoise.generate_schemas" => schema(code, facts, "tortoise-orm", call.start),
            _ if call.name.ends_with("register_tortoise")
                && is_true(code, argument(&arguments, "generate_schemas")) =>
            {
                schema(code, facts, "tortoise-orm", call.start);
            }
            _ => {}
        }
    }
    for statement in code.statements() {
        let line = code.statement_code(*statement);
        if line.contains("metadata.create_all") || line.contains("db.create_all(") {
            schema(code, facts, "sqlalchemy", statement.start);
        }
    }
}

fn schema(code: &Code<'_>, facts: &mut Facts, library: &'static str, offset: usize) {
    let evidence = code.source.at(code.line(offset));
    facts.signal(
        SignalKind::SchemaFromCode,
        Some(Shown::from(library)),
        code.source.scope,
        evidence,
    );
}

/// Programs that put the first data in, by their names, and code that makes the first administrator.
fn seeds(code: &Code<'_>, facts: &mut Facts) {
    let path = code.source.path;
    let stem = path.name().trim_end_matches(".py").to_ascii_lowercase();
    let seed = stem
        .split('_')
        .any(|word| matches!(word, "seed" | "seeds" | "seeder" | "populate"))
        || matches!(
            stem.as_str(),
            "initial_data" | "init_data" | "load_initial_data" | "load_data" | "bootstrap_data"
        );
    let folder = path.parent();
    let command_of_django = folder.name() == "commands" && folder.parent().name() == "management";
    let program = super::entry::main_guard(code);
    if seed && (command_of_django || program.is_some()) {
        let command = if command_of_django {
            format!("python manage.py {stem}")
        } else {
            format!("python {path}")
        };
        facts.seeds.push(Seed {
            path: path.clone(),
            command: CommandLine::parse(Raw::new(&command)),
            service: None,
            evidence: vec![code.source.file()],
        });
    }
    for call in code.calls() {
        let last = call.name.rsplit('.').next().unwrap_or(call.name);
        let arguments = code.arguments(&call);
        let administrator = ["is_superuser", "is_admin", "superuser"]
            .iter()
            .any(|word| is_true(code, argument(&arguments, word)));
        if administrator || last == "create_superuser" {
            let evidence = code.source.at(code.line(call.start));
            facts.signal(
                SignalKind::CreatesAdministrator,
                None,
                code.source.scope,
                evidence,
            );
        }
    }
}
