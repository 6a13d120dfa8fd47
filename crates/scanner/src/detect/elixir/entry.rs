//! Endpoints, repositories, what the application does at start, and jobs that run by the clock.

use playbook_core::harmless::CommandLine;
use playbook_core::inventory::SignalKind;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use crate::detect::ecosystem::{Code, entry, group, job, kind_of_scheme, pattern, start, store};
use crate::fact::{EntryKind, Facts, MigrationFact};

pub(super) fn detect(code: &Code<'_>, facts: &mut Facts) {
    endpoint(code, facts);
    repository(code, facts);
    jobs(code, facts);
    release_task(code, facts);
    start_up(code, facts);
}

/// `use Phoenix.Endpoint, otp_app: :shop`, or a Plug router that Bandit or Cowboy serves.
fn endpoint(code: &Code<'_>, facts: &mut Facts) {
    let source = code.source;
    for found in code.all(&pattern!(
        r"(?m)^\s*use\s+Phoenix\.Endpoint\b(?:\s*,\s*otp_app:\s*:(?P<app>\w+))?"
    )) {
        let line = code.line(start(&found));
        facts.entry_points.push(entry(
            source,
            EntryKind::Server,
            "phoenix",
            group(&found, "app"),
            line,
        ));
    }
    for found in code.all(&pattern!(
        r"\{\s*(?P<server>Bandit|Plug\.Cowboy)\s*,(?P<options>[^\n]*(?:\n[^\n]*){0,4}?)\}"
    )) {
        let line = code.line(start(&found));
        let mut told = entry(source, EntryKind::Server, "plug", "", line);
        told.port = pattern!(r"\bport:\s*(?P<port>\d{2,5})")
            .first(group(&found, "options"))
            .and_then(|port| group(&port, "port").parse().ok());
        facts.entry_points.push(told);
    }
}

/// `adapter: Ecto.Adapters.Postgres`.
fn repository(code: &Code<'_>, facts: &mut Facts) {
    for found in code.all(&pattern!(r"\badapter:\s*Ecto\.Adapters\.(?P<adapter>\w+)")) {
        let kind = match group(&found, "adapter") {
            "MyXQL" => Some("mysql"),
            "Tds" => Some("mssql"),
            other => kind_of_scheme(other),
        };
        let line = code.line(start(&found));
        facts
            .stores
            .extend(kind.and_then(|kind| store(code.source, kind, true, line)));
    }
}

/// Entries of Oban's `crontab:` and of Quantum's `jobs:`.
fn jobs(code: &Code<'_>, facts: &mut Facts) {
    let runner = if code.has("crontab:") {
        "oban"
    } else if code.has("jobs:") && (code.has("Scheduler") || code.has("quantum")) {
        "quantum"
    } else {
        return;
    };
    for found in code.all(&pattern!(
        r#"\{\s*(?:"(?P<cron>[^"\n]+)"|~e\[(?P<sigil>[^\]\n]+)\])\s*,\s*(?:\{\s*|fn -> |&)?(?P<module>[A-Z][\w.]*)"#
    )) {
        let when = [group(&found, "cron"), group(&found, "sigil")].join("");
        let module = group(&found, "module");
        let name = module.rsplit('.').next().unwrap_or(module);
        job(code.source, facts, name, &when, runner, code.line(start(&found)));
    }
    for found in code.all(&pattern!(
        r#"\bschedule:\s*(?:"(?P<cron>[^"\n]+)"|\{:cron,\s*"(?P<tuple>[^"\n]+)"\})\s*,\s*task:\s*\{(?P<module>[A-Z][\w.]*)"#
    )) {
        let when = [group(&found, "cron"), group(&found, "tuple")].join("");
        let module = group(&found, "module");
        let name = module.rsplit('.').next().unwrap_or(module);
        job(code.source, facts, name, &when, runner, code.line(start(&found)));
    }
}

/// A module of a release that runs the migrations: `bin/shop eval "Shop.Release.migrate()"`.
fn release_task(code: &Code<'_>, facts: &mut Facts) {
    let Some(at) = code
        .plain()
        .find("Ecto.Migrator.run(")
        .or_else(|| code.plain().find("Ecto.Migrator.with_repo("))
    else {
        return;
    };
    let source = code.source;
    let functions = code.all(&pattern!(r"(?m)^\s*def\s+(?P<name>\w+)"));
    let Some(function) = functions
        .iter()
        .find(|found| group(found, "name").contains("migrat"))
    else {
        return;
    };
    let Some(module) = code.first(&pattern!(r"(?m)^\s*defmodule\s+(?P<name>[\w.]+)")) else {
        return;
    };
    // The release is named like the application that the module belongs to.
    let app = code.first(&pattern!(
        r"(?:@app\s+:|otp_app:\s*:|:code\.priv_dir\(:|Application\.(?:load|get_env|fetch_env!|ensure_all_started)\(:)(?P<app>\w+)"
    ));
    let app = app.map_or_else(
        || {
            let first = group(&module, "name").split('.').next().unwrap_or_default();
            underscored(first)
        },
        |found| group(&found, "app").to_owned(),
    );
    let text = format!(
        r#"bin/{app} eval "{}.{}()""#,
        group(&module, "name"),
        group(function, "name")
    );
    facts.migrations.push(MigrationFact {
        tool: Shown::from("ecto"),
        dir: None,
        project: project_of(code),
        command: CommandLine::parse(Raw::new(&text)),
        rollback: rollback(code, &app, group(&module, "name")),
        at_start: false,
        datastore: None,
        scope: source.scope,
        evidence: source.at(code.line(at)),
    });
}

/// `bin/shop eval "Shop.Release.rollback(Shop.Repo, {previous})"`, where the module has such a function.
fn rollback(code: &Code<'_>, app: &str, module: &str) -> Option<CommandLine> {
    let functions = code.all(&pattern!(
        r"(?m)^\s*def\s+(?P<name>\w*(?:rollback|roll_back|migrate_down)\w*)\s*(?:\((?P<parameters>[^()\n]*)\))?"
    ));
    // One that asks a person for the version is of no use to a deployment.
    let function = functions
        .iter()
        .max_by_key(|found| group(found, "parameters").len())?;
    let repository = code
        .first(&pattern!(r"\b(?P<name>[A-Z]\w*(?:\.[A-Z]\w*)*\.Repo)\b"))
        .map_or_else(
            || format!("{}.Repo", module.split('.').next().unwrap_or(module)),
            |found| group(&found, "name").to_owned(),
        );
    let arguments: Vec<&str> = group(function, "parameters")
        .split(',')
        .map(str::trim)
        .filter(|parameter| !parameter.is_empty())
        .map(|parameter| {
            if parameter.contains("repo") {
                repository.as_str()
            } else {
                "{previous}"
            }
        })
        .collect();
    let text = format!(
        r#"bin/{app} eval "{module}.{}({})""#,
        group(function, "name"),
        arguments.join(", ")
    );
    CommandLine::parse(Raw::new(&text))
}

fn underscored(module: &str) -> String {
    let mut out = String::new();
    for (at, c) in module.chars().enumerate() {
        if c.is_ascii_uppercase() && at > 0 {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// The folder above `lib`: that of the Mix project.
fn project_of(code: &Code<'_>) -> playbook_core::path::RelPath {
    let mut folder = code.source.path.parent();
    while !folder.is_root() && folder.name() != "lib" {
        folder = folder.parent();
    }
    folder.parent()
}

/// An application that migrates before it starts its children.
fn start_up(code: &Code<'_>, facts: &mut Facts) {
    if !code.has("use Application") {
        return;
    }
    let source = code.source;
    let found = code.first(&pattern!(
        r"\b(?:[A-Z]\w*\.)*(?:Release\w*|Migrat\w+)\.(?:migrate\w*|init|setup|run)\b|\{\s*Ecto\.Migrator\s*,"
    ));
    let Some(found) = found else { return };
    let line = code.line(start(&found));
    facts.signal(
        SignalKind::MigrationsAtStart,
        Some(Shown::from("ecto")),
        source.scope,
        source.at(line),
    );
    facts.migrations.push(MigrationFact {
        tool: Shown::from("ecto"),
        dir: None,
        project: project_of(code),
        command: None,
        rollback: None,
        at_start: true,
        datastore: None,
        scope: source.scope,
        evidence: source.at(line),
    });
}
