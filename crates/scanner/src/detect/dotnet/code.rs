//! What C# code does at start: migrations, background hosts, recurring jobs, providers of EF Core.

use playbook_core::evidence::Scope;
use playbook_core::inventory::SignalKind;
use playbook_core::shown::Shown;

use crate::detect::ecosystem::{Code, entry, group, job, pattern, start, store};
use crate::fact::{EntryKind, Facts, MigrationFact};

pub(super) fn detect(code: &Code<'_>, facts: &mut Facts) {
    at_start(code, facts);
    host(code, facts);
    jobs(code, facts);
    providers(code, facts);
}

/// Does the place stand in a block that runs in development only?
fn is_development(code: &Code<'_>, offset: usize) -> bool {
    code.headers(offset)
        .iter()
        .any(|header| header.contains("IsDevelopment()") && !header.contains('!'))
}

/// `context.Database.Migrate()` and its relatives.
fn at_start(code: &Code<'_>, facts: &mut Facts) {
    let source = code.source;
    for found in code.all(&pattern!(
        r"\.Database\s*\.\s*Migrate(?:Async)?\s*\(|\bDeployChanges\s*\.\s*To\b|\.MigrateUp\s*\("
    )) {
        let at = start(&found);
        if is_development(code, at) {
            continue;
        }
        let tool = match found.get(0).map_or("", |found| found.as_str()) {
            text if text.contains("Database") => "ef-core",
            text if text.contains("Deploy") => "dbup",
            _ => "fluentmigrator",
        };
        let line = code.line(at);
        facts.migrations.push(MigrationFact {
            tool: Shown::from(tool),
            dir: None,
            project: source.path.parent(),
            command: None,
            rollback: None,
            at_start: true,
            datastore: None,
            scope: source.scope,
            evidence: source.at(line),
        });
        facts.signal(
            SignalKind::MigrationsAtStart,
            Some(Shown::from(tool)),
            source.scope,
            source.at(line),
        );
        break;
    }
}

/// A host without a web server that runs a service of its own; the SDK of its project may be the plain one.
fn host(code: &Code<'_>, facts: &mut Facts) {
    let source = code.source;
    if source.path.name() != "Program.cs" || code.has("WebApplication.") || code.has("ConfigureWebHost") {
        return;
    }
    let Some(found) = code.first(&pattern!(
        r"\bHost\s*\.\s*(?:CreateDefaultBuilder|CreateApplicationBuilder)\s*\("
    )) else {
        return;
    };
    if code.has("AddHostedService<") {
        let folder = source.path.parent();
        facts.entry_points.push(entry(
            source,
            EntryKind::Worker,
            "dotnet-worker",
            folder.name(),
            code.line(start(&found)),
        ));
    }
}

/// Recurring jobs of Hangfire and triggers of Quartz.
fn jobs(code: &Code<'_>, facts: &mut Facts) {
    for found in code.all(&pattern!(
        r"\bRecurringJob\s*\.\s*AddOrUpdate\s*(?:<(?P<type>[\w.]+)>)?\s*\((?P<rest>[^;]*);|\.AddOrUpdate\s*<(?P<type2>[\w.]+)>\s*\((?P<rest2>[^;]*);"
    )) {
        let rest = [group(&found, "rest"), group(&found, "rest2")].join("");
        let named = pattern!(r#"^\s*"(?P<name>[^"\n]+)""#).first(&rest).map(|name| group(&name, "name").to_owned());
        let name = named.unwrap_or_else(|| [group(&found, "type"), group(&found, "type2")].join(""));
        let cron = pattern!(r#""(?P<cron>[\d*/,\- ?LW#]{9,})"|Cron\.(?P<word>\w+)\(\s*(?P<first>\d+)?"#).first(&rest);
        let when = cron.map_or_else(String::new, |cron| match group(&cron, "word") {
            "Minutely" => "* * * * *".to_owned(),
            "Hourly" => "0 * * * *".to_owned(),
            "Daily" => match group(&cron, "first") {
                "" => "0 0 * * *".to_owned(),
                hour => format!("0 {hour} * * *"),
            },
            "Weekly" => "0 0 * * 1".to_owned(),
            "Monthly" => "0 0 1 * *".to_owned(),
            _ => group(&cron, "cron").to_owned(),
        });
        let name = if name.is_empty() { "recurring-job" } else { &name };
        job(code.source, facts, name, &when, "hangfire", code.line(start(&found)));
    }
    let mut identity = String::new();
    for found in code.all(&pattern!(
        r#"\.(?P<method>WithIdentity|ForJob|WithCronSchedule)\s*(?:<\w+>)?\(\s*(?:"(?P<text>[^"\n]+)"|nameof\((?P<name>\w+)\)|(?P<symbol>\w+))"#
    )) {
        let text = [group(&found, "text"), group(&found, "name"), group(&found, "symbol")].join("");
        if group(&found, "method") == "WithCronSchedule" {
            let name = if identity.is_empty() { "quartz-job" } else { &identity };
            job(code.source, facts, name, group(&found, "text"), "quartz", code.line(start(&found)));
        } else {
            identity = text;
        }
    }
}

/// The provider that a context is configured with is what is used; packages of others may be installed beside it.
fn providers(code: &Code<'_>, facts: &mut Facts) {
    // The factory is for the command-line tools on a developer's machine.
    let for_tools = code.has("IDesignTimeDbContextFactory<");
    for found in code.all(&pattern!(
        r"\.(?P<provider>UseNpgsql|UseSqlServer|UseMySql|UseMySQL|UseOracle|UseCosmos|UseMongoDB)\s*\("
    )) {
        let at = start(&found);
        let kind = match group(&found, "provider") {
            "UseNpgsql" => "postgresql",
            "UseSqlServer" => "mssql",
            "UseMySql" | "UseMySQL" => "mysql",
            "UseOracle" => "oracle",
            "UseMongoDB" => "mongodb",
            _ => "cosmosdb",
        };
        // Variants of a template are chosen by the preprocessor: the last branch is the one without a symbol.
        if in_conditional_branch(code, at) {
            continue;
        }
        facts
            .stores
            .extend(store(code.source, kind, true, code.line(at)).map(|mut found| {
                if for_tools {
                    found.scope = Scope::Development;
                }
                found
            }));
    }
}

/// Does the place stand behind `#if` or `#elif`?
pub(super) fn in_conditional_branch(code: &Code<'_>, offset: usize) -> bool {
    let before = code.source.text.get(..offset).unwrap_or_default();
    let mut open: Vec<bool> = Vec::new();
    for line in before.lines().map(str::trim) {
        if line.starts_with("#if") {
            open.push(true);
        } else if line.starts_with("#elif") {
            if let Some(last) = open.last_mut() {
                *last = true;
            }
        } else if line.starts_with("#else") {
            if let Some(last) = open.last_mut() {
                *last = false;
            }
        } else if line.starts_with("#endif") {
            open.pop();
        }
    }
    open.contains(&true)
}
