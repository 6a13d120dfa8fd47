//! Facts become the inventory, in a fixed order of steps.

use playbook_core::inventory::Inventory;

use crate::Scan;
use crate::fact::Facts;
use crate::index::FileIndex;

/// Makes the inventory.
pub(crate) fn resolve(facts: Facts, _index: &FileIndex, _folder_name: &str) -> Scan {
    let mut inventory = Inventory::empty();
    inventory.infrastructure = facts.infrastructure;
    inventory.containers = facts.containers;
    inventory.seeds = facts.seeds;
    inventory.api_specs = facts.api_specs;
    inventory.auth = facts.auth;
    inventory.external_services = facts.external_services;
    inventory.caching = facts.caching;
    inventory.observability = facts.observability;
    inventory.ci = facts.ci;
    inventory.ci_steps = facts.ci_steps;
    inventory.stacks = facts.stacks;
    inventory.interfaces = facts.interfaces;
    inventory.pools = facts.pools;
    inventory.cors = facts.cors;
    inventory.version_pins = facts.version_pins;
    inventory.documented_commands = facts.documented_commands;
    inventory.project_rules = facts.project_rules;
    inventory.committed_secrets = facts.committed_secrets;
    inventory.signals = facts.signals;
    inventory.diagnostics = facts.diagnostics;
    inventory.sort();
    Scan {
        inventory,
        withheld: facts.withheld,
    }
}
