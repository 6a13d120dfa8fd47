//! Schemas and migrations: Prisma, Drizzle, TypeORM, Sequelize, Knex, MikroORM and the files that they bring.

use std::ops::Range;
use std::sync::LazyLock;

use playbook_core::evidence::Evidence;
use playbook_core::harmless::{EnvName, Name};
use playbook_core::inventory::{Operation, OperationKind, Seed, SignalKind, VariableOrigin};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Group};
use regex::Regex;

use super::syntax::{Call, Code, pattern};
use crate::detect::sql;
use crate::fact::{Facts, MigrationFact, RevisionFact, StoreFact, VariableFact};
use crate::limits;
use crate::parse::{slice, tail};
use crate::source::Source;

/// Is it a schema or a migration in SQL of a tool of this ecosystem?
pub(super) fn wants(path: &RelPath) -> bool {
    path.name().ends_with(".prisma") || is_prisma_migration(path) || is_drizzle_migration(path)
}

fn is_prisma_migration(path: &RelPath) -> bool {
    path.name() == "migration.sql" && path.parent().parent().name().ends_with("igrations")
}

/// `drizzle/0001_calm_hulk.sql`
fn is_drizzle_migration(path: &RelPath) -> bool {
    let name = path.name();
    let numbered = name
        .get(..5)
        .is_some_and(|start| start.ends_with('_') && start.bytes().take(4).all(|byte| byte.is_ascii_digit()));
    numbered
        && name.ends_with(".sql")
        && path
            .components()
            .any(|part| part.to_ascii_lowercase().contains("drizzle"))
}

/// Tells what such a file says.
pub(super) fn detect(source: &Source<'_>, facts: &mut Facts) {
    if source.path.name().ends_with(".prisma") {
        schema(source, facts);
        return;
    }
    let prisma = is_prisma_migration(source.path);
    let folder = source.path.parent();
    let (tool, dir, id) = if prisma {
        ("prisma", folder.parent(), folder.name().to_owned())
    } else {
        let stem = source.path.name().trim_end_matches(".sql").to_owned();
        ("drizzle", folder, stem)
    };
    let Some(id) = Name::parse(Raw::new(&id)) else {
        return;
    };
    facts.revisions.push(RevisionFact {
        tool: Shown::from(tool),
        path: source.path.clone(),
        dir,
        id,
        parents: None,
        operations: sql::operations(source.text, source.path, 1),
        reversible: Some(false),
        scope: source.scope,
    });
}

/// The contract's slug of what tools call a database.
pub(super) fn store_kind(word: &str) -> Option<&'static str> {
    Some(match word.to_ascii_lowercase().as_str() {
        "postgresql" | "postgres" | "pg" | "aurora-postgres" | "postgresjs" | "pglite"
        | "aurora-data-api-pg" => "postgresql",
        "mysql" | "mysql2" | "aurora-mysql" => "mysql",
        "mariadb" => "mariadb",
        "sqlite" | "better-sqlite3" | "sqlite3" | "turso" | "libsql" | "better-sqlite" => "sqlite",
        "sqlserver" | "mssql" => "mssql",
        "mongodb" | "mongo" => "mongodb",
        "cockroachdb" | "cockroach" => "cockroachdb",
        "oracle" | "oracledb" => "oracle",
        _ => return None,
    })
}

/// A store that a configured client proves.
pub(super) fn store(
    source: &Source<'_>,
    kind: &'static str,
    variable: Option<EnvName>,
    strong: bool,
    line: u32,
) -> StoreFact {
    StoreFact {
        kind: Shown::from(kind),
        dir: Some(source.path.parent()),
        version: None,
        role: None,
        managed: None,
        driver: None,
        variable,
        name: None,
        extension: None,
        strong,
        scope: source.scope,
        evidence: source.at(line),
    }
}

fn quoted(text: &str) -> Vec<&str> {
    text.split('"').skip(1).step_by(2).collect()
}

/// `schema.prisma`: the data source, its variables, extensions and migrations.
fn schema(source: &Source<'_>, facts: &mut Facts) {
    let mut inside = false;
    let mut found: Option<(&'static str, u32)> = None;
    let mut variables: Vec<(EnvName, u32, bool)> = Vec::new();
    let mut extensions: Vec<(Name, u32)> = Vec::new();
    let mut any = false;
    for (line, text) in source.numbered_lines() {
        let text = text.split("//").next().unwrap_or_default().trim();
        if text.starts_with("datasource ") {
            (inside, any) = (true, true);
            continue;
        }
        if !inside {
            continue;
        }
        if text.starts_with('}') {
            inside = false;
            continue;
        }
        let Some((key, value)) = text.split_once('=') else {
            continue;
        };
        match key.trim() {
            "provider" => {
                found = quoted(value)
                    .first()
                    .and_then(|word| store_kind(word))
                    .map(|kind| (kind, line));
            }
            key @ ("url" | "directUrl" | "shadowDatabaseUrl") if value.contains("env(") => {
                if let Some(name) = quoted(value)
                    .first()
                    .and_then(|name| EnvName::parse(Raw::new(name)))
                {
                    variables.push((name, line, key == "url"));
                }
            }
            "extensions" => {
                let list = value.trim().trim_matches(['[', ']']);
                for part in list.split(',') {
                    let name = part.split('(').next().unwrap_or(part).trim();
                    let mapped = quoted(part).first().copied().unwrap_or(name);
                    extensions.extend(Name::parse(Raw::new(mapped)).map(|name| (name, line)));
                }
            }
            _ => {}
        }
    }
    if !any {
        return;
    }
    for (name, line, needed) in &variables {
        let mut fact = VariableFact::new(name.clone(), VariableOrigin::Code, source.scope, source.at(*line));
        fact.required = *needed;
        facts.variables.push(fact);
    }
    let folder = source.path.parent();
    // A schema of several files lies in a folder of its own below the one with the migrations.
    let project = if folder.name() == "prisma" {
        folder.parent()
    } else {
        folder.clone()
    };
    if let Some((kind, line)) = found {
        let variable = variables
            .iter()
            .find(|(_, _, needed)| *needed)
            .map(|(name, ..)| name.clone());
        facts.stores.push(store(source, kind, variable, true, line));
        for (extension, line) in extensions {
            let mut fact = store(source, kind, None, true, line);
            fact.extension = Some(extension);
            facts.stores.push(fact);
        }
        facts.migrations.push(MigrationFact {
            tool: Shown::from("prisma"),
            dir: folder.join("migrations"),
            project,
            command: None,
            rollback: None,
            at_start: false,
            datastore: Some(Shown::from(kind)),
            scope: source.scope,
            evidence: source.at(line),
        });
    }
}

static MIGRATION_FILE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(r"^(?P<id>(?:\d{10,17}|\d{3,8})[-_.][\w.-]+?|Migration\d{14}\w*)\.(?:[cm]?[jt]s)$")
});
static SCHEMA_CALL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"\.\s*(?P<name>createTable|createTableIfNotExists|dropTable|dropTableIfExists|addColumn|addColumns|removeColumn|dropColumn|dropColumns|changeColumn|alterColumn|renameColumn|renameTable|createIndex|addIndex|addConstraint|createForeignKey|createForeignKeys|addForeignKey|bulkDelete|bulkUpdate|alterTable|table|query|raw|addSql|runSql|execute)\s*(?:<[^<>()]*>)?\s*\(",
    )
});

/// Migrations that are code, and the configuration of the tools that run them.
pub(super) fn code(code: &Code<'_>, facts: &mut Facts) {
    revision(code, facts);
    for call in &code.calls {
        configuration(code, call, facts);
        at_start(code, call, facts);
    }
    drizzle_config(code, facts);
    knexfile(code, facts);
    seed(code, facts);
}

/// Is the file, by its name, a migration, the configuration of a tool for them, or a program that loads first data?
pub(super) fn is_by_name(path: &RelPath) -> bool {
    let name = path.name();
    name.starts_with(DRIZZLE_CONFIG)
        || name.starts_with(KNEXFILE)
        || is_seed(path)
        || migration_of(path).is_some()
}

/// The identifier of a migration that is code.
fn migration_of(path: &RelPath) -> Option<&str> {
    let found = MIGRATION_FILE.as_ref()?.captures(path.name())?;
    found.name("id").map(|id| id.as_str())
}

fn revision(code: &Code<'_>, facts: &mut Facts) {
    let path = code.source.path;
    let folder = path.parent();
    let Some(id) = migration_of(path) else { return };
    let text = code.code();
    let Some(up) = [
        "async up(",
        " up(",
        "exports.up",
        "function up",
        "const up",
        " up:",
        "up =",
    ]
    .iter()
    .filter_map(|word| text.find(word))
    .min() else {
        return;
    };
    let down = [
        "async down(",
        " down(",
        "exports.down",
        "function down",
        "const down",
        " down:",
    ]
    .iter()
    .filter_map(|word| text.find(word))
    .filter(|at| *at > up)
    .min();
    let tool = if code.asks_for("typeorm") || text.contains("QueryRunner") || text.contains("queryRunner") {
        "typeorm"
    } else if code.asks_for("@mikro-orm/migrations") {
        "mikro-orm"
    } else if code.asks_for("node-pg-migrate") || text.contains("pgm.") {
        "node-pg-migrate"
    } else if text.contains("queryInterface") || code.asks_for("sequelize") {
        "sequelize"
    } else if text.contains("knex") || code.asks_for("knex") {
        "knex"
    } else if code.asks_for("kysely") || text.contains("Kysely") {
        "kysely"
    } else if text.contains("db.collection") || code.asks_for("mongodb") {
        "mongoose-migrate"
    } else {
        return;
    };
    let Some(id) = Name::parse(Raw::new(id)) else {
        return;
    };
    let range = up..down.unwrap_or(text.len());
    let undone = down.is_some_and(|down| {
        tail(text, down)
            .find('{')
            .and_then(|at| code.masked.inside(down + at))
            .is_some_and(|body| !slice(text, body.start, body.end).trim().is_empty())
    });
    facts.revisions.push(RevisionFact {
        tool: Shown::from(tool),
        path: path.clone(),
        dir: folder,
        id,
        parents: None,
        operations: steps(code, &range),
        reversible: Some(undone),
        scope: code.source.scope,
    });
}

/// The steps of a migration's forward direction.
fn steps(code: &Code<'_>, range: &Range<usize>) -> Vec<Operation> {
    let mut out: Vec<Operation> = Vec::new();
    for found in SCHEMA_CALL
        .iter()
        .flat_map(|pattern| pattern.captures_iter(slice(code.code(), range.start, range.end)))
        .take(limits::FACTS_PER_FILE + 1)
    {
        let (Some(whole), Some(name)) = (found.get(0), found.name("name")) else {
            continue;
        };
        let open = range.start + whole.end() - 1;
        let line = code.line(range.start + name.start());
        if matches!(name.as_str(), "query" | "raw" | "addSql" | "runSql" | "execute") {
            // A template with values put into it keeps its statement.
            let literal = code.masked.literal_after(open + 1).filter(|literal| {
                code.masked
                    .closing(open)
                    .is_some_and(|close| literal.end <= close + 1)
            });
            if let Some(literal) = literal {
                let text = literal.written(code.text());
                out.extend(sql::operations(text, code.source.path, code.line(literal.start)));
            }
            continue;
        }
        let arguments = code.arguments(open);
        let text = |at: usize| arguments.get(at).and_then(|argument| argument.literal.clone());
        let rest = slice(code.code(), open, code.masked.closing(open).unwrap_or(open));
        let required = (rest.contains("allowNull: false")
            || rest.contains("notNull: true")
            || rest.contains("isNullable: false"))
            && !rest.contains("default");
        let kind = match name.as_str() {
            "createTable" | "createTableIfNotExists" => OperationKind::CreateTable,
            "dropTable" | "dropTableIfExists" => OperationKind::DropTable,
            "addColumn" | "addColumns" if required => OperationKind::AddColumnNotNull,
            "addColumn" | "addColumns" => OperationKind::AddColumn,
            "removeColumn" | "dropColumn" | "dropColumns" => OperationKind::DropColumn,
            "changeColumn" | "alterColumn" => OperationKind::AlterColumn,
            "renameColumn" | "renameTable" => OperationKind::Rename,
            "createIndex" | "addIndex" if rest.contains("concurrently: true") => {
                OperationKind::CreateIndexConcurrently
            }
            "createIndex" | "addIndex" => OperationKind::CreateIndex,
            "addConstraint" | "createForeignKey" | "createForeignKeys" | "addForeignKey" => {
                OperationKind::AddConstraint
            }
            "bulkDelete" => OperationKind::DeleteRows,
            "bulkUpdate" => OperationKind::UpdateRows,
            "alterTable" | "table" => {
                // Knex: the columns of an existing table.
                if rest.contains(".notNullable()")
                    && !rest.contains(".defaultTo(")
                    && !rest.contains(".alter(")
                {
                    OperationKind::AddColumnNotNull
                } else {
                    OperationKind::AddColumn
                }
            }
            _ => continue,
        };
        let column = matches!(
            kind,
            OperationKind::AddColumn
                | OperationKind::AddColumnNotNull
                | OperationKind::DropColumn
                | OperationKind::AlterColumn
        );
        let object = match (text(0), text(1)) {
            (Some(table), Some(name)) if column => Some(format!("{table}.{name}")),
            (table, _) => table,
        };
        out.push(Operation {
            kind,
            object: object
                .and_then(|text| Name::parse(Raw::new(&text)))
                .map(Shown::from),
            evidence: vec![Evidence::at(code.source.path, line)],
        });
    }
    out
}

/// `new DataSource({ type: "postgres", synchronize: true })`, `TypeOrmModule.forRoot({…})`, `new Sequelize({ dialect })`.
fn configuration(code: &Code<'_>, call: &Call, facts: &mut Facts) {
    let orm = match call.method() {
        "DataSource" | "createConnection" if code.asks_for("typeorm") => "typeorm",
        "forRoot" | "forRootAsync" if call.path.iter().any(|word| word == "TypeOrmModule") => "typeorm",
        "forRoot" | "forRootAsync" if call.path.iter().any(|word| word == "SequelizeModule") => "sequelize",
        "Sequelize" if call.new => "sequelize",
        "init" | "forRoot"
            if call
                .path
                .iter()
                .any(|word| word == "MikroORM" || word == "MikroOrmModule") =>
        {
            "mikro-orm"
        }
        _ => return,
    };
    let Some(range) = code.masked.inside(call.open) else {
        return;
    };
    options(code, orm, &range, facts);
}

static OPTION: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(r"\b(?P<key>type|dialect|client|provider|synchronize|migrationsRun|dropSchema|autoSchema)\s*:\s*")
});

fn options(code: &Code<'_>, orm: &'static str, range: &Range<usize>, facts: &mut Facts) {
    for found in OPTION
        .iter()
        .flat_map(|pattern| pattern.captures_iter(slice(code.code(), range.start, range.end)))
        .take(50)
    {
        let (Some(whole), Some(key)) = (found.get(0), found.name("key")) else {
            continue;
        };
        let start = range.start + whole.end();
        let value = start..code.end_of_expression(start);
        let line = code.line(start);
        let written = slice(code.code(), value.start, value.end).trim();
        match key.as_str() {
            "synchronize" if written == "true" => facts.signal(
                SignalKind::SchemaFromCode,
                Some(Shown::from(orm)),
                code.source.scope,
                code.source.at(line),
            ),
            "migrationsRun" if written == "true" => facts.signal(
                SignalKind::MigrationsAtStart,
                Some(Shown::from(orm)),
                code.source.scope,
                code.source.at(line),
            ),
            "type" | "dialect" | "client" | "provider" => {
                let literal = code
                    .masked
                    .literal_at(value.start)
                    .and_then(|literal| literal.value(code.text()));
                if let Some(kind) = literal.as_deref().and_then(store_kind) {
                    facts.stores.push(store(code.source, kind, None, true, line));
                }
            }
            _ => {}
        }
    }
}

fn at_start(code: &Code<'_>, call: &Call, facts: &mut Facts) {
    let tool = match call.method() {
        "runMigrations" => "typeorm",
        "latest" if call.path.iter().any(|word| word == "migrate") => "knex",
        "migrate" if call.full.starts_with("drizzle-orm/") => "drizzle",
        "migrateToLatest" => "kysely",
        "up" if call.path.iter().any(|word| word == "umzug") => "sequelize",
        "sync"
            if call
                .object()
                .is_some_and(|name| name.to_ascii_lowercase().ends_with("sequelize")) =>
        {
            facts.signal(
                SignalKind::SchemaFromCode,
                Some(Shown::from("sequelize")),
                code.source.scope,
                code.source.at(code.line(call.open)),
            );
            return;
        }
        _ => return,
    };
    // A script of its own that migrates is a command, not a part of the start.
    let stem = code.source.path.name().to_ascii_lowercase();
    if stem.contains("migrat") && !code.code().contains("export ") && !code.code().contains("module.exports")
    {
        return;
    }
    facts.signal(
        SignalKind::MigrationsAtStart,
        Some(Shown::from(tool)),
        code.source.scope,
        code.source.at(code.line(call.open)),
    );
}

fn migration(
    code: &Code<'_>,
    tool: &'static str,
    dir: Option<RelPath>,
    datastore: Option<&'static str>,
    line: u32,
) -> MigrationFact {
    MigrationFact {
        tool: Shown::from(tool),
        dir,
        project: code.source.path.parent(),
        command: None,
        rollback: None,
        at_start: false,
        datastore: datastore.map(Shown::from),
        scope: code.source.scope,
        evidence: code.source.at(line),
    }
}

const DRIZZLE_CONFIG: &str = "drizzle.config";
const KNEXFILE: &str = "knexfile.";

/// `drizzle.config.ts`
fn drizzle_config(code: &Code<'_>, facts: &mut Facts) {
    if !code.source.path.name().starts_with(DRIZZLE_CONFIG) {
        return;
    }
    let text = |key: &str| {
        let at = code.code().find(&format!("{key}:"))?;
        let literal = code.masked.literal_after(at)?;
        (literal.start < at + key.len() + 4)
            .then(|| literal.value(code.text()).map(std::borrow::Cow::into_owned))?
    };
    let kind = text("dialect")
        .or_else(|| text("driver"))
        .as_deref()
        .and_then(store_kind);
    let line = code.code().find("dialect").map_or(1, |at| code.line(at));
    if let Some(kind) = kind {
        let variable = super::value::variables(code, &(0..code.text().len()))
            .into_iter()
            .next();
        facts.stores.push(store(code.source, kind, variable, true, line));
    }
    let dir = code
        .source
        .path
        .parent()
        .join(text("out").as_deref().unwrap_or("drizzle"));
    facts.migrations.push(migration(code, "drizzle", dir, kind, line));
}

fn knexfile(code: &Code<'_>, facts: &mut Facts) {
    if !code.source.path.name().starts_with(KNEXFILE) {
        return;
    }
    options(code, "knex", &(0..code.text().len()), facts);
    let dir = code
        .code()
        .find("directory")
        .and_then(|at| code.masked.literal_after(at)?.value(code.text()))
        .and_then(|text| code.source.path.parent().join(&text));
    facts.migrations.push(migration(code, "knex", dir, None, 1));
}

fn is_seed(path: &RelPath) -> bool {
    // `seed.module.ts` is a part of the program, none by itself.
    let stem = path.name().rsplit_once('.').map_or("", |(stem, _)| stem);
    matches!(stem, "seed" | "run-seed" | "seeder" | "seed-data" | "seeds")
}

/// Programs that load first data: `seed.ts`, `seeds/run.ts`.
fn seed(code: &Code<'_>, facts: &mut Facts) {
    let path = code.source.path;
    if is_seed(path) && !code.calls.is_empty() {
        facts.seeds.push(Seed {
            path: path.clone(),
            command: None,
            service: None,
            evidence: vec![code.source.file()],
        });
    }
}

/// Clients of datastores that are made here, with the variable that carries their address.
pub(super) fn clients(code: &Code<'_>, facts: &mut Facts) {
    let catalogue = Catalogue::get();
    for call in &code.calls {
        let Some((module, name)) = call.full.split_once('#') else {
            continue;
        };
        let makes = call.new
            || name.is_empty()
            || matches!(
                call.method(),
                "createClient"
                    | "connect"
                    | "createPool"
                    | "createConnection"
                    | "drizzle"
                    | "neon"
                    | "forRoot"
                    | "createCluster"
            );
        if !makes || module.starts_with(['.', '/']) {
            continue;
        }
        for found in catalogue
            .by_import("javascript", module)
            .iter()
            .chain(&catalogue.by_package(playbook_core::technology::Ecosystem::Npm, module))
        {
            if found.technology.group != Group::Datastore {
                continue;
            }
            let Some(range) = code.masked.inside(call.open) else {
                continue;
            };
            let embedded = found
                .technology
                .datastore
                .as_ref()
                .is_some_and(|store| store.embedded);
            let fact = StoreFact {
                driver: Name::parse(Raw::new(module)),
                ..store(
                    code.source,
                    found.technology.id,
                    super::value::variable(code, &range),
                    !embedded || call.new,
                    code.line(call.open),
                )
            };
            if !facts
                .stores
                .iter()
                .any(|known| known.kind == fact.kind && known.evidence == fact.evidence)
            {
                facts.stores.push(fact);
            }
        }
        addresses(code, call, facts);
    }
}

/// Addresses with their scheme among the arguments; a password in them is told and withheld.
fn addresses(code: &Code<'_>, call: &Call, facts: &mut Facts) {
    let Some(range) = code.masked.inside(call.open) else {
        return;
    };
    for literal in code
        .masked
        .literals_in(&range)
        .iter()
        .filter(|literal| literal.end <= range.end)
        .take(40)
    {
        let Some(text) = literal.value(code.text()).filter(|text| text.contains("://")) else {
            continue;
        };
        let line = code.line(literal.start);
        let place = crate::detect::judge::Place::new(line, code.source.scope);
        crate::detect::judge::literal(code.source, facts, "", &text, place);
        facts.stores.extend(crate::detect::judge::store_of_address(
            "",
            &text,
            code.source.scope,
            code.source.at(line),
        ));
    }
}
