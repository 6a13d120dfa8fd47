//! Section 5: schemas, seeds, backups and connections.

use serde::Serialize;

use playbook_core::evidence::Evidence;
use playbook_core::inventory::{Migration, OperationKind, Revision, Role, Seed, Service};
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Group, Lock};

use super::infrastructure::{Infrastructure, Placement, process_name};
use super::{Given, Ledger};

/// More revisions than this are summed up; those that destroy or lock are always named.
const MOST_REVISIONS: usize = 12;

/// The decisions of section 5.
#[derive(Debug, Serialize)]
pub(crate) struct Data<'a> {
    /// As the inventory has them, for the parts around the sections.
    migrations: &'a [Migration],
    /// The same with what this target makes of them.
    pub(crate) schemas: Vec<Schema<'a>>,
    seeds: Vec<Seeded<'a>>,
    /// Places where the code makes the schema by itself.
    schema_from_code: Vec<&'a Evidence>,
    /// Places where names, topics, collections are stated.
    caches: Vec<&'a Shown>,
}

/// A migration tool on this target.
#[derive(Debug, Serialize)]
pub(crate) struct Schema<'a> {
    pub(crate) migration: &'a Migration,
    /// The command that applies, of the repository or the tool's usual one.
    apply: Option<Shown>,
    apply_stated: bool,
    /// The repository's own job that applies, with what else it does.
    job: Option<&'a Service>,
    status: Option<Shown>,
    rollback: Option<Shown>,
    /// Does the rollback hold places to fill?
    rollback_open: bool,
    /// `none`, `advisory`, `table`, `optional`
    lock: &'static str,
    never: Vec<&'static str>,
    service: Option<&'a Service>,
    /// Name under which the service runs.
    process: Option<Shown>,
    /// Name of the store it changes.
    store: Option<Shown>,
    in_container: bool,
    /// Is the tool usually absent from images?
    tool_in_image: bool,
    listed: Vec<Row<'a>>,
    /// Revisions that are not listed.
    more: usize,
    destructive: Vec<&'a Revision>,
    irreversible: usize,
    extensions: Vec<&'a Shown>,
}

/// A revision with what it means.
#[derive(Debug, Serialize)]
struct Row<'a> {
    revision: &'a Revision,
    head: bool,
    destructive: bool,
    locks: bool,
    evidence: Vec<&'a Evidence>,
}

/// Seed data with the process that loads it.
#[derive(Debug, Serialize)]
struct Seeded<'a> {
    seed: &'a Seed,
    process: Option<Shown>,
}

fn destroys(kind: OperationKind) -> bool {
    matches!(
        kind,
        OperationKind::DropColumn | OperationKind::DropTable | OperationKind::DeleteRows
    )
}

fn locks(kind: OperationKind) -> bool {
    matches!(
        kind,
        OperationKind::AlterColumn
            | OperationKind::AddConstraint
            | OperationKind::CreateIndex
            | OperationKind::AddColumnNotNull
            | OperationKind::Rename
            | OperationKind::UpdateRows
    )
}

pub(super) fn build<'a>(
    given: &Given<'a>,
    infrastructure: &Infrastructure<'a>,
    ledger: &mut Ledger,
) -> Data<'a> {
    let inventory = given.inventory;
    let schemas: Vec<Schema<'a>> = inventory
        .migrations
        .iter()
        .map(|migration| schema(given, infrastructure, migration))
        .collect();
    ledger.condition("has_migrations", !schemas.is_empty());
    ledger.condition(
        "has_migration_command",
        schemas.iter().any(|schema| schema.apply.is_some()),
    );
    ledger.condition(
        "migrates_at_start",
        !schemas.is_empty() && schemas.iter().all(|schema| schema.migration.at_start),
    );
    ledger.condition(
        "has_revisions",
        schemas.iter().any(|schema| !schema.listed.is_empty()),
    );
    ledger.condition(
        "has_schema_rollback",
        schemas.iter().any(|schema| schema.rollback.is_some()),
    );
    ledger.condition("has_seeds", !inventory.seeds.is_empty());
    ledger.condition(
        "has_seed_command",
        inventory.seeds.iter().any(|seed| seed.command.is_some()),
    );
    ledger.condition(
        "has_database",
        given.datastores.iter().any(|store| store.role == "database"),
    );
    Data {
        migrations: &inventory.migrations,
        schemas,
        seeds: inventory
            .seeds
            .iter()
            .map(|seed| Seeded {
                seed,
                process: seed
                    .service
                    .as_ref()
                    .and_then(|id| inventory.service(id.as_str()))
                    .or_else(|| given.web())
                    .map(|service| process_name(given, service)),
            })
            .collect(),
        schema_from_code: inventory
            .signals
            .iter()
            .filter(|signal| {
                signal.kind == playbook_core::inventory::SignalKind::SchemaFromCode
                    && signal.scope == playbook_core::evidence::Scope::Production
            })
            .filter_map(|signal| signal.evidence.first())
            .collect(),
        caches: inventory.caching.iter().map(|cache| &cache.kind).collect(),
    }
}

fn schema<'a>(
    given: &Given<'a>,
    infrastructure: &Infrastructure<'a>,
    migration: &'a Migration,
) -> Schema<'a> {
    let facts = Catalogue::get()
        .find(Group::Migration, migration.tool.as_str())
        .and_then(|technology| technology.migration.as_ref());
    let usual = |command: Option<&'static str>| command.map(Shown::from);
    let job = given.services.iter().copied().find(|service| {
        service.role == Role::Job
            && service.commands.start.is_some()
            && migration.run_by.iter().any(|place| {
                service
                    .start_evidence
                    .iter()
                    .chain(&service.evidence)
                    .any(|own| own.path == place.path)
            })
    });
    let apply = job.and_then(|job| job.commands.start.as_ref()).map(Shown::from);
    let apply = apply
        .or_else(|| migration.command.as_ref().map(Shown::from))
        .or_else(|| {
            if migration.at_start {
                None
            } else {
                usual(facts.and_then(|facts| facts.apply))
            }
        });
    let rollback = migration
        .rollback
        .as_ref()
        .map(Shown::from)
        .or_else(|| usual(facts.and_then(|facts| facts.rollback)));
    let service = migration
        .service
        .as_ref()
        .and_then(|id| given.inventory.service(id.as_str()))
        .or_else(|| given.web())
        .or_else(|| given.services.first().copied());
    let store = infrastructure
        .stores
        .iter()
        .find(|store| {
            migration
                .datastore
                .as_ref()
                .is_none_or(|kind| *kind == store.store.kind)
                && store.store.role == "database"
        })
        .or_else(|| {
            infrastructure
                .stores
                .iter()
                .find(|store| migration.datastore.as_ref() == Some(&store.store.kind))
        });
    let rows: Vec<Row<'a>> = migration
        .revisions
        .iter()
        .map(|revision| Row {
            revision,
            head: migration.heads.contains(&revision.id),
            destructive: revision
                .operations
                .iter()
                .any(|operation| destroys(operation.kind)),
            locks: revision.operations.iter().any(|operation| locks(operation.kind)),
            evidence: revision
                .operations
                .iter()
                .filter(|operation| destroys(operation.kind))
                .chain(revision.operations.iter())
                .filter_map(|operation| operation.evidence.first())
                .take(2)
                .collect(),
        })
        .collect();
    let all = rows.len();
    let listed: Vec<Row<'a>> = if all <= MOST_REVISIONS {
        rows
    } else {
        // The newest decide about a rollback; of the others those count that destroy or lock.
        let newest = all.saturating_sub(3);
        let mut kept: Vec<Row<'a>> = rows
            .into_iter()
            .enumerate()
            .filter(|(at, row)| *at >= newest || row.destructive)
            .map(|(_, row)| row)
            .collect();
        let surplus = kept.len().saturating_sub(MOST_REVISIONS);
        kept.drain(..surplus);
        kept
    };
    Schema {
        migration,
        apply,
        apply_stated: migration.command.is_some(),
        job,
        status: migration
            .status
            .as_ref()
            .map(Shown::from)
            .or_else(|| usual(facts.and_then(|facts| facts.status))),
        rollback_open: rollback
            .as_ref()
            .is_some_and(|rollback| rollback.as_str().contains(['{', '<'])),
        rollback,
        lock: match facts.map_or(Lock::None, |facts| facts.lock) {
            Lock::None => "none",
            Lock::Advisory => "advisory",
            Lock::Table => "table",
            Lock::Optional => "optional",
        },
        never: facts.map(|facts| facts.never.clone()).unwrap_or_default(),
        service,
        process: service.map(|service| process_name(given, service)),
        in_container: store.is_some_and(|store| store.in_container()),
        store: store
            .filter(|store| store.placement != Placement::File)
            .map(|store| store.name.clone()),
        tool_in_image: !given.raised("migration-tool-not-in-image"),
        more: all.saturating_sub(listed.len()),
        listed,
        destructive: migration
            .revisions
            .iter()
            .filter(|revision| {
                revision
                    .operations
                    .iter()
                    .any(|operation| destroys(operation.kind))
            })
            .collect(),
        irreversible: migration
            .revisions
            .iter()
            .filter(|revision| revision.reversible == Some(false))
            .count(),
        extensions: migration
            .revisions
            .iter()
            .flat_map(|revision| &revision.operations)
            .filter(|operation| operation.kind == OperationKind::CreateExtension)
            .filter_map(|operation| operation.object.as_ref())
            .collect(),
    }
}
