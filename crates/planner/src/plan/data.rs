//! Section 5: schemas, seeds, backups and connections.

use serde::Serialize;

use playbook_core::evidence::Evidence;
use playbook_core::inventory::{Cache, Inventory, Migration, OperationKind, Revision, Role, Seed, Service};
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Group, Lock};

use super::images::{Images, review};
use super::infrastructure::{Infrastructure, Placement, process_name};
use super::{Given, Ledger};
use crate::rules::migrations::missing_copy;

/// More revisions than this are summed up; those that destroy or lock are always named.
const MOST_REVISIONS: usize = 12;

/// The decisions of section 5.
#[derive(Debug, Serialize)]
pub(crate) struct Data<'a> {
    /// As the inventory has them, for the parts around the sections.
    migrations: &'a [Migration],
    /// The same with what this target makes of them.
    pub(crate) schemas: Vec<Schema<'a>>,
    /// Folders of migrations that belong to another datastore than their tool's.
    foreign: Vec<Foreign<'a>>,
    seeds: Vec<Seeded<'a>>,
    /// Places where the code makes the schema by itself.
    schema_from_code: Vec<&'a Evidence>,
    /// Caches, one of each library and place of its entries.
    caches: Vec<&'a Cache>,
}

/// The caches, one of each library, place and lifetime.
fn caches(inventory: &Inventory) -> Vec<&Cache> {
    let mut seen = std::collections::BTreeSet::new();
    inventory
        .caching
        .iter()
        .filter(|cache| seen.insert((&cache.kind, &cache.state, &cache.lifetime)))
        .collect()
}

/// A migration tool on this target.
#[derive(Debug, Serialize)]
pub(crate) struct Schema<'a> {
    pub(crate) migration: &'a Migration,
    /// Folders of all its files, the main one first, and their number.
    paths: Vec<Shown>,
    count: u32,
    /// Does the application apply them when it starts?
    at_start: bool,
    /// Where they are run, and what proves them.
    run_by: Vec<Evidence>,
    evidence: Vec<Evidence>,
    /// The command that applies, of the repository or the tool's usual one. None when the application applies them and
    /// the repository states no command.
    apply: Option<Shown>,
    apply_stated: bool,
    /// The tool's own command, where `apply` is another.
    tool_command: Option<Shown>,
    /// Do its commands hold anything that a shell has to read?
    shell: bool,
    /// Has the image an entry point that is a program, so that a command has to replace it?
    replaces_entrypoint: bool,
    /// Do its commands run in the service's image? Else in a container of their own with an image that has the tool.
    in_image: bool,
    /// The variable that holds the address of its datastore.
    address: Shown,
    /// The image that is built for the service, without registry and tag.
    image: Option<Shown>,
    /// The image as published, where none is built.
    published: Option<Shown>,
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
    /// Name of the unit in which its commands run: the repository's job, or the service.
    runner: Option<Shown>,
    /// Name of the store it changes.
    store: Option<Shown>,
    in_container: bool,
    /// Has the service's image a shell?
    image_shell: bool,
    listed: Vec<Row<'a>>,
    /// Revisions that are not listed.
    more: usize,
    destructive: Vec<&'a Revision>,
    irreversible: usize,
    extensions: Vec<&'a Shown>,
}

/// A folder of files that the tool of its neighbours does not apply.
#[derive(Debug, Serialize)]
struct Foreign<'a> {
    migration: &'a Migration,
    datastore: &'static str,
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
    images: &Images<'a>,
    ledger: &mut Ledger,
) -> Data<'a> {
    let inventory = given.inventory;
    let schemas: Vec<Schema<'a>> = merged(&inventory.migrations)
        .iter()
        .filter_map(|group| schema(given, infrastructure, images, group))
        .collect();
    ledger.condition(
        "has_one_off_migration",
        schemas
            .iter()
            .any(|schema| schema.apply.is_some() && !schema.in_image),
    );
    ledger.condition("has_migrations", !schemas.is_empty());
    ledger.condition(
        "has_migration_command",
        schemas.iter().any(|schema| schema.apply.is_some()),
    );
    ledger.condition(
        "migrates_at_start",
        !schemas.is_empty() && schemas.iter().all(|schema| schema.at_start),
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
        foreign: inventory
            .migrations
            .iter()
            .filter_map(|migration| {
                other_datastore(&inventory.migrations, migration)
                    .map(|datastore| Foreign { migration, datastore })
            })
            .collect(),
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
        caches: caches(inventory),
    }
}

/// The inventory's entries of one tool and service that one command applies, the one with most files first.
fn merged(migrations: &[Migration]) -> Vec<Vec<&Migration>> {
    let mut groups: Vec<Vec<&Migration>> = Vec::new();
    for migration in migrations
        .iter()
        .filter(|migration| other_datastore(migrations, migration).is_none())
    {
        let same = |other: &&Migration| {
            other.tool == migration.tool
                && other.service == migration.service
                && (other.count == 0 || migration.count == 0 || other.command == migration.command)
        };
        match groups.iter_mut().find(|group| group.iter().any(same)) {
            Some(group) => group.push(migration),
            None => groups.push(vec![migration]),
        }
    }
    for group in &mut groups {
        group.sort_by_key(|migration| {
            (
                std::cmp::Reverse(migration.count > 0 && migration.command.is_some()),
                std::cmp::Reverse(migration.count),
                &migration.path,
            )
        });
    }
    groups
}

/// The datastore after which a folder of the path is named, where it is not the one that the tool changes and the tool
/// has files of its own elsewhere.
fn other_datastore(migrations: &[Migration], migration: &Migration) -> Option<&'static str> {
    let named = |migration: &Migration| {
        let own = migration.datastore.as_ref()?;
        migration
            .path
            .components()
            .filter_map(|folder| Catalogue::get().find(Group::Datastore, folder))
            .map(|technology| technology.id)
            .find(|id| *own != **id)
    };
    let beside = migrations.iter().any(|other| {
        other.tool == migration.tool
            && other.service == migration.service
            && other.count > 0
            && named(other).is_none()
    });
    named(migration).filter(|_| beside)
}

/// The repository's own way to migrate, where a job or hook of its deployment does it: often a script that does more
/// than the tool's command.
fn own_way(given: &Given<'_>, service: Option<&Service>, migration: &Migration) -> Option<Shown> {
    let unit = service.and_then(|service| given.unit_of(service));
    unit.and_then(|unit| unit.pre_deploy.as_ref())
        .or_else(|| service.and_then(|service| service.commands.migrate.as_ref()))
        .filter(|command| migration.command.as_ref() != Some(*command))
        .map(Shown::from)
}

/// Does a command need a shell to read it: variables, several commands, redirections, settings before it?
fn needs_shell(command: &Shown) -> bool {
    let text = command.as_str();
    text.contains([
        '$', '&', ';', '|', '<', '>', '(', '`', '*', '?', '~', '"', '\'', '\\', '{', '#', '!',
    ]) || text.split(' ').next().is_some_and(|word| word.contains('='))
}

/// Is an entry point a script, which hands on the command that it is given?
fn is_script(entrypoint: &Shown) -> bool {
    entrypoint.as_str().split(' ').any(|word| {
        let name = word.rsplit('/').next().unwrap_or(word);
        name.contains("entrypoint")
            || matches!(name.rsplit_once('.'), Some((_, "sh" | "bash")))
            || matches!(name, "tini" | "dumb-init")
    })
}

/// The variable by which migration tools usually get the address of the datastore.
const USUAL_ADDRESS: &str = "DATABASE_URL";

/// The variable in which the repository keeps the address of the datastore that it migrates.
fn address(given: &Given<'_>, migration: &Migration) -> Shown {
    let usual = Shown::from(USUAL_ADDRESS);
    if given.variables.iter().any(|known| known.name == usual) {
        return usual;
    }
    given
        .datastores
        .iter()
        .filter(|store| {
            migration
                .datastore
                .as_ref()
                .is_none_or(|kind| *kind == store.kind)
        })
        .flat_map(|store| &store.variables)
        .find(|name| {
            ["_URL", "_URI", "_DSN"]
                .iter()
                .any(|end| name.as_str().ends_with(end))
        })
        .cloned()
        .unwrap_or(usual)
}

/// The tool's usual command with the variable in which the repository keeps the address of its datastore.
fn with_address(given: &Given<'_>, migration: &Migration, command: Shown) -> Shown {
    let name = address(given, migration);
    let text = command.as_str().replace(USUAL_ADDRESS, name.as_str());
    playbook_core::harmless::CommandLine::parse(playbook_core::raw::Raw::new(&text))
        .map_or(command, Shown::from)
}

fn schema<'a>(
    given: &Given<'a>,
    infrastructure: &Infrastructure<'a>,
    images: &Images<'a>,
    group: &[&'a Migration],
) -> Option<Schema<'a>> {
    let migration: &'a Migration = group.first()?;
    let at_start = group.iter().any(|entry| entry.at_start);
    let run_by: Vec<Evidence> = group.iter().flat_map(|entry| &entry.run_by).cloned().collect();
    let facts = Catalogue::get()
        .find(Group::Migration, migration.tool.as_str())
        .and_then(|technology| technology.migration.as_ref());
    let usual = |command: Option<&'static str>| command.map(Shown::from);
    let job = given.services.iter().copied().find(|service| {
        service.role == Role::Job
            && service.commands.start.is_some()
            && run_by.iter().any(|place| {
                service
                    .start_evidence
                    .iter()
                    .chain(&service.evidence)
                    .any(|own| own.path == place.path)
            })
    });
    let service = migration
        .service
        .as_ref()
        .and_then(|id| given.inventory.service(id.as_str()))
        .or_else(|| given.web())
        .or_else(|| given.services.first().copied());
    // What only the catalogue says is no command of the repository.
    let usual_apply = facts.and_then(|facts| facts.apply);
    let stated = group
        .iter()
        .filter_map(|entry| entry.command.as_ref())
        .find(|command| !run_by.is_empty() || usual_apply.is_none_or(|usual| command.as_str() != usual));
    let tool_command = migration
        .command
        .as_ref()
        .map(Shown::from)
        .or_else(|| usual(usual_apply))
        .map(|command| with_address(given, migration, command));
    let own = job
        .and_then(|job| job.commands.start.as_ref())
        .map(Shown::from)
        .or_else(|| own_way(given, service, migration));
    let apply_stated = own.is_some() || stated.is_some();
    let apply = own.or_else(|| {
        stated
            .map(Shown::from)
            .or_else(|| tool_command.clone().filter(|_| !at_start))
    });
    let tool_command = tool_command.filter(|command| apply.as_ref() != Some(command));
    let addressed = |command: Option<Shown>| command.map(|command| with_address(given, migration, command));
    let rollback = addressed(
        migration
            .rollback
            .as_ref()
            .map(Shown::from)
            .or_else(|| usual(facts.and_then(|facts| facts.rollback))),
    );
    let status = addressed(
        migration
            .status
            .as_ref()
            .map(Shown::from)
            .or_else(|| usual(facts.and_then(|facts| facts.status))),
    );
    let shell = [&apply, &status, &rollback]
        .into_iter()
        .flatten()
        .any(needs_shell);
    let container = service.and_then(|service| given.container_of(service));
    let unit = service.and_then(|service| given.unit_of(service));
    let image_shell = container.is_none_or(review::has_shell);
    let entrypoint = unit
        .and_then(|unit| unit.entrypoint.as_ref())
        .or_else(|| container.and_then(|container| container.entrypoint.as_ref()))
        .map(Shown::from);
    let process = service.map(|service| process_name(given, service));
    let image = images
        .builds
        .iter()
        .find(|build| {
            process
                .as_ref()
                .is_some_and(|process| build.services.contains(process))
        })
        .map(|build| build.name.clone());
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
    let rows: Vec<Row<'a>> = group
        .iter()
        .flat_map(|entry| &entry.revisions)
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
    Some(Schema {
        migration,
        paths: group
            .iter()
            .filter(|entry| entry.count > 0 || group.len() == 1)
            .map(|entry| entry.path.shown())
            .collect(),
        count: group.iter().fold(0, |sum, entry| sum.saturating_add(entry.count)),
        at_start,
        evidence: group.iter().flat_map(|entry| &entry.evidence).cloned().collect(),
        shell,
        replaces_entrypoint: entrypoint
            .as_ref()
            .is_some_and(|entrypoint| !is_script(entrypoint)),
        in_image: job.is_some() || (image_shell && missing_copy(given.inventory, migration).is_none()),
        published: service
            .and_then(|service| service.image.clone())
            .filter(|_| image.is_none()),
        image,
        image_shell,
        address: address(given, migration),
        run_by,
        apply,
        apply_stated,
        tool_command,
        job,
        status,
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
        runner: job
            .filter(|job| given.unit_of(job).is_some())
            .map(|job| process_name(given, job))
            .or_else(|| process.clone()),
        process,
        in_container: store.is_some_and(super::infrastructure::stores::Store::in_container),
        store: store
            .filter(|store| store.placement != Placement::File)
            .map(|store| store.name.clone()),
        more: all.saturating_sub(listed.len()),
        listed,
        destructive: group
            .iter()
            .flat_map(|entry| &entry.revisions)
            .filter(|revision| {
                revision
                    .operations
                    .iter()
                    .any(|operation| destroys(operation.kind))
            })
            .collect(),
        irreversible: group
            .iter()
            .flat_map(|entry| &entry.revisions)
            .filter(|revision| revision.reversible == Some(false))
            .count(),
        extensions: group
            .iter()
            .flat_map(|entry| &entry.revisions)
            .flat_map(|revision| &revision.operations)
            .filter(|operation| operation.kind == OperationKind::CreateExtension)
            .filter_map(|operation| operation.object.as_ref())
            .collect(),
    })
}
