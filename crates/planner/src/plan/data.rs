//! Section 5: schemas, seeds, backups and connections.

use serde::Serialize;

use playbook_core::inventory::{Migration, Seed};

use super::{Given, Ledger};

/// The decisions of section 5.
#[derive(Debug, Serialize)]
pub(crate) struct Data<'a> {
    migrations: &'a [Migration],
    seeds: &'a [Seed],
}

pub(super) fn build<'a>(given: &Given<'a>, ledger: &mut Ledger) -> Data<'a> {
    let inventory = given.inventory;
    ledger.condition("has_migrations", !inventory.migrations.is_empty());
    ledger.condition(
        "has_migration_command",
        inventory
            .migrations
            .iter()
            .any(|migration| migration.command.is_some()),
    );
    ledger.condition("has_seeds", !inventory.seeds.is_empty());
    ledger.condition(
        "has_database",
        given.datastores.iter().any(|store| store.role == "database"),
    );
    Data {
        migrations: &inventory.migrations,
        seeds: &inventory.seeds,
    }
}
