//! Databases, caches and brokers as they are run.

use std::collections::BTreeMap;

use playbook_core::evidence::{Confidence, Evidence};
use playbook_core::finding::Severity;
use playbook_core::harmless::version_numbers;
use playbook_core::inventory::{Inventory, MountKind, Stack, Unit};
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Group};

use super::facts::{self, Context, code};
use super::knowledge;
use super::support;
use crate::rule::{Findings, Rule};

pub(super) const RULES: &[&Rule] = &[
    &VOLUME_PATH_18,
    &VOLUME_PATH_17,
    &NO_VOLUME,
    &EXTENSION,
    &NO_BACKUP,
    &UNSAFE,
    &EVICTS_QUEUE,
    &SQLITE_EPHEMERAL,
    &SQLITE_REPLICAS,
];

/// Units that run a datastore from an image.
fn engines(
    inventory: &Inventory,
) -> impl Iterator<Item = (&Stack, &Unit, &'static playbook_core::technology::Technology)> {
    facts::production_units(inventory)
        .filter(|(_, unit)| unit.image.is_some() || unit.build.is_some())
        .filter_map(|(stack, unit)| Some((stack, unit, support::engine(inventory, unit)?)))
}

static VOLUME_PATH_18: Rule = Rule {
    id: "postgres18-volume-path",
    severity: Severity::Blocker,
    section: 5,
    title: "PostgreSQL 18 does not keep its data at the mounted path",
    why: "From version 18 on the image keeps its data below `/var/lib/postgresql/<version>`; with a volume at `/var/lib/postgresql/data` it refuses to start.",
    fix: "Mount the volume at `/var/lib/postgresql`.",
    check: |inventory, _, findings| volume_path(inventory, findings, true),
};

static VOLUME_PATH_17: Rule = Rule {
    id: "postgres17-parent-volume",
    severity: Severity::High,
    section: 5,
    title: "PostgreSQL keeps its data beside the mounted volume",
    why: "Up to version 17 the data lies in `/var/lib/postgresql/data`, for which the image makes an anonymous volume of its own.",
    fix: "Mount the volume at `/var/lib/postgresql/data`.",
    check: |inventory, _, findings| volume_path(inventory, findings, false),
};

fn volume_path(inventory: &Inventory, findings: &mut Findings, from_18: bool) {
    for (_, unit) in facts::production_units(inventory) {
        let Some(image) = unit.image.as_ref().and_then(facts::image) else {
            continue;
        };
        if !matches!(
            image.repository(),
            "postgres" | "library/postgres" | "pgvector/pgvector" | "postgis/postgis"
        ) {
            continue;
        }
        if unit.variables.iter().any(|variable| variable.name == "PGDATA") {
            continue;
        }
        let numbers = image
            .tag()
            .map(|tag| version_numbers(tag.trim_start_matches("pg")))
            .unwrap_or_default();
        let newest = numbers.is_empty() && image.tag().is_none_or(|tag| !tag.contains('$'));
        let wrong = match (from_18, numbers.first()) {
            (true, Some(major)) if *major >= 18 => "/var/lib/postgresql/data",
            (true, None) if newest => "/var/lib/postgresql/data",
            (false, Some(major)) if *major < 18 => "/var/lib/postgresql",
            _ => continue,
        };
        for mount in unit
            .mounts
            .iter()
            .filter(|mount| matches!(mount.kind, MountKind::Volume | MountKind::Bind))
        {
            if mount
                .target
                .as_ref()
                .is_none_or(|target| target.as_str().trim_end_matches('/') != wrong)
            {
                continue;
            }
            findings
                .add(
                    Shown::fill(
                        "{} runs `{}` with its volume at `{}`.",
                        &[&code(&unit.name), &Shown::from(&image), &Shown::from(wrong)],
                    ),
                    mount
                        .evidence
                        .iter()
                        .cloned()
                        .chain(unit.evidence.iter().take(1).cloned()),
                )
                .confidence(if newest {
                    Confidence::Derived
                } else {
                    Confidence::Stated
                });
        }
    }
}

static NO_VOLUME: Rule = Rule {
    id: "volume-missing-for-stateful",
    severity: Severity::High,
    section: 5,
    title: "A datastore has no persistent volume",
    why: "Its data is gone as soon as the container is replaced.",
    fix: "Mount a named volume or a persistent disk at its data folder.",
    check: no_volume,
};

fn no_volume(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for (stack, unit, technology) in engines(inventory) {
        let persistent = unit.mounts.iter().any(|mount| {
            matches!(mount.kind, MountKind::Volume | MountKind::Bind) && !is_configuration(mount)
        });
        let Some(facts) = &technology.datastore else {
            continue;
        };
        if persistent || facts.embedded || facts.managed_only {
            continue;
        }
        let role =
            facts::datastore_of(inventory, unit).map_or(technology.category, |store| store.role.as_str());
        let cache = role == "cache";
        let kubernetes = !facts::on_own_host(stack);
        let severity = match (cache, kubernetes) {
            (true, _) => Severity::Low,
            (false, true) => Severity::Blocker,
            (false, false) => Severity::High,
        };
        let mut evidence: Vec<Evidence> = unit
            .mounts
            .iter()
            .filter(|mount| mount.kind == MountKind::Tmpfs)
            .flat_map(|mount| mount.evidence.clone())
            .collect();
        evidence.extend(unit.evidence.iter().take(1).cloned());
        findings
            .add(
                Shown::fill(
                    if cache {
                        "{} ({}) starts empty after each restart."
                    } else {
                        "{} ({}) keeps its data in the container."
                    },
                    &[&code(&unit.name), &Shown::from(technology.name)],
                ),
                evidence,
            )
            .severity(severity);
    }
}

/// A single file, or a folder with settings or scripts of the first start.
fn is_configuration(mount: &playbook_core::inventory::Mount) -> bool {
    mount.target.as_ref().is_some_and(|target| {
        let target = target.as_str();
        let name = target.rsplit('/').next().unwrap_or(target);
        target.contains("/docker-entrypoint-initdb.d") || target.starts_with("/etc/") || name.contains('.')
    })
}

static EXTENSION: Rule = Rule {
    id: "db-extension-unavailable",
    severity: Severity::High,
    section: 5,
    title: "The database image lacks an extension that the schema needs",
    why: "`CREATE EXTENSION` fails, and with it the migration.",
    fix: "Run an image that holds the extension.",
    check: extension,
};

fn extension(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for (_, unit) in facts::production_units(inventory) {
        let Some(image) = unit.image.as_ref().and_then(facts::image) else {
            continue;
        };
        if !matches!(image.repository(), "postgres" | "library/postgres") {
            continue;
        }
        let mut wanted: BTreeMap<&Shown, Vec<Evidence>> = BTreeMap::new();
        for operation in inventory
            .migrations
            .iter()
            .flat_map(|tool| &tool.revisions)
            .flat_map(|revision| &revision.operations)
            .filter(|operation| operation.kind == playbook_core::inventory::OperationKind::CreateExtension)
        {
            if let Some(name) = &operation.object {
                wanted
                    .entry(name)
                    .or_default()
                    .extend(operation.evidence.iter().cloned());
            }
        }
        if let Some(store) = facts::datastore_of(inventory, unit) {
            for name in &store.extensions {
                wanted
                    .entry(name)
                    .or_default()
                    .extend(store.evidence.iter().take(1).cloned());
            }
        }
        for (name, places) in wanted {
            let Some(known) = knowledge::get()
                .foreign_extensions
                .iter()
                .find(|known| *name == known.name)
            else {
                continue;
            };
            findings
                .add(
                    Shown::fill(
                        "The schema needs {}, which `{}` does not hold.",
                        &[&code(name), &Shown::from(&image)],
                    ),
                    places.into_iter().chain(unit.evidence.iter().take(1).cloned()),
                )
                .fix(Shown::fill("Run {} instead.", &[&Shown::from(known.image)]));
        }
    }
}

static NO_BACKUP: Rule = Rule {
    id: "no-backup-evidence",
    severity: Severity::Medium,
    section: 10,
    title: "Nothing saves the database",
    why: "It is one container on one volume: a lost disk, a wrong migration or a wrong command is final.",
    fix: "Schedule a dump to another place, and try to restore it.",
    check: no_backup,
};

fn no_backup(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    let saves = |text: &str| {
        let text = text.to_ascii_lowercase();
        knowledge::get()
            .backup_words
            .iter()
            .any(|word| text.contains(word))
    };
    let evident = facts::production_units(inventory).any(|(_, unit)| {
        saves(unit.name.as_str())
            || unit.image.as_ref().is_some_and(|image| saves(image.as_str()))
            || unit
                .command
                .as_ref()
                .is_some_and(|command| saves(command.as_str()))
    }) || inventory
        .scheduled_jobs
        .iter()
        .any(|job| saves(job.name.as_str()))
        || inventory.ci_steps.iter().any(|step| saves(step.command.as_str()))
        || inventory
            .documented_commands
            .iter()
            .any(|documented| saves(documented.command.as_str()));
    if evident {
        return;
    }
    for (_, unit, technology) in engines(inventory) {
        let role =
            facts::datastore_of(inventory, unit).map_or(technology.category, |store| store.role.as_str());
        if role != "database" && role != "object-storage" {
            continue;
        }
        let volumes = unit
            .mounts
            .iter()
            .filter(|mount| mount.kind == MountKind::Volume)
            .flat_map(|mount| mount.evidence.iter().cloned());
        findings
            .add(
                Shown::fill(
                    "No job, service or document saves {} ({}).",
                    &[&code(&unit.name), &Shown::from(technology.name)],
                ),
                unit.evidence.iter().take(1).cloned().chain(volumes),
            )
            .confidence(Confidence::Derived);
    }
}

static UNSAFE: Rule = Rule {
    id: "datastore-protection-off",
    severity: Severity::High,
    section: 5,
    title: "A datastore's protection is switched off",
    why: "Settings for tests admit anybody who reaches the port, or lose data when the machine stops.",
    fix: "Remove the setting and give the datastore a password.",
    check: protection_off,
};

fn protection_off(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for (_, unit) in facts::production_units(inventory) {
        for command in [&unit.command, &unit.entrypoint].into_iter().flatten() {
            for word in knowledge::get()
                .unsafe_database_words
                .iter()
                .filter(|word| command.as_str().contains(**word))
            {
                findings.add(
                    Shown::fill("{} runs with `{}`.", &[&code(&unit.name), &Shown::from(*word)]),
                    unit.evidence.iter().take(1).cloned(),
                );
            }
        }
        for variable in &unit.variables {
            let known = knowledge::get()
                .unsafe_database_variables
                .iter()
                .find(|known| variable.name == known.name);
            let Some(known) = known else { continue };
            let value = variable.value.as_ref().map(Shown::as_str);
            if known.values.is_empty() && !matches!(value, Some("no" | "false" | "0"))
                || known
                    .values
                    .iter()
                    .any(|unsafe_value| value == Some(unsafe_value))
            {
                findings.add(
                    Shown::fill("{} sets {}.", &[&code(&unit.name), &code(&variable.name)]),
                    variable.evidence.clone(),
                );
            }
        }
    }
}

static EVICTS_QUEUE: Rule = Rule {
    id: "queue-on-evicting-redis",
    severity: Severity::High,
    section: 5,
    title: "A queue lies in a store that drops entries when memory is short",
    why: "An eviction policy other than `noeviction` removes waiting jobs without a word.",
    fix: "Use `noeviction` for the queue, and another instance for the cache.",
    check: evicts_queue,
};

fn evicts_queue(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for (_, unit, technology) in engines(inventory) {
        if !matches!(technology.id, "redis" | "valkey" | "dragonfly" | "keydb")
            || !holds_queue(inventory, unit)
        {
            continue;
        }
        let evicts = |text: &str| text.contains("allkeys-") || text.contains("volatile-");
        let Some(command) = [&unit.command, &unit.entrypoint]
            .into_iter()
            .flatten()
            .find(|command| evicts(command.as_str()))
        else {
            continue;
        };
        findings.add(
            Shown::fill(
                "{} holds the queue and runs {}.",
                &[&code(&unit.name), &facts::code_command(command)],
            ),
            unit.evidence.iter().take(1).cloned(),
        );
    }
}

/// Does a queue library keep its jobs in the unit?
fn holds_queue(inventory: &Inventory, unit: &Unit) -> bool {
    facts::datastore_of(inventory, unit).is_some_and(|store| {
        store.role == "queue"
            || inventory.services.iter().any(|service| {
                matches!(
                    service.role,
                    playbook_core::inventory::Role::Worker | playbook_core::inventory::Role::Scheduler
                ) && (service.depends_on.contains(&store.id) || store.used_by.contains(&service.id))
            })
    })
}

static SQLITE_EPHEMERAL: Rule = Rule {
    id: "sqlite-on-ephemeral-disk",
    severity: Severity::Blocker,
    section: 5,
    title: "The database is a file that disappears with the container",
    why: "Each deployment starts with an empty database.",
    fix: "Use a database server, or put the file on a persistent disk and run one instance.",
    check: sqlite_ephemeral,
};

/// The SQLite file of production, when no server holds the data instead.
fn sqlite(inventory: &Inventory) -> Option<&playbook_core::inventory::Datastore> {
    let server = |kind: &str| {
        Catalogue::get()
            .find(Group::Datastore, kind)
            .is_some_and(|technology| {
                technology.category == "database"
                    && !technology.datastore.as_ref().is_some_and(|facts| facts.embedded)
            })
    };
    if facts::production_datastores(inventory).any(|store| server(store.kind.as_str())) {
        return None;
    }
    facts::production_datastores(inventory).find(|store| store.kind == "sqlite" && store.role == "database")
}

fn sqlite_ephemeral(inventory: &Inventory, context: &Context, findings: &mut Findings) {
    let Some(store) = sqlite(inventory) else { return };
    let users: Vec<_> = inventory
        .services
        .iter()
        .filter(|service| {
            service.is_own() && (store.used_by.is_empty() || store.used_by.contains(&service.id))
        })
        .collect();
    let has_disk = users.iter().any(|service| {
        facts::units_of(inventory, service).iter().any(|(_, unit)| {
            unit.mounts
                .iter()
                .any(|mount| matches!(mount.kind, MountKind::Volume | MountKind::Bind))
        })
    });
    let in_container =
        context.target.ephemeral_disk || users.iter().any(|service| service.dockerfile.is_some());
    if has_disk || !in_container {
        return;
    }
    findings
        .add(
            Shown::fill(
                "{} is a SQLite file, and no service has a persistent disk.",
                &[&code(&store.id)],
            ),
            store
                .evidence
                .iter()
                .cloned()
                .chain(users.first().and_then(|service| facts::start_place(service))),
        )
        .severity(
            if context.target.ephemeral_disk && store.confidence != Confidence::Convention {
                Severity::Blocker
            } else {
                Severity::High
            },
        )
        .confidence(Confidence::Derived);
}

static SQLITE_REPLICAS: Rule = Rule {
    id: "sqlite-multi-replica",
    severity: Severity::Blocker,
    section: 5,
    title: "Several instances would each have a database file of their own",
    why: "A SQLite file serves one host: instances see different data, or lock each other out.",
    fix: "Run one instance, or use a database server.",
    check: sqlite_replicas,
};

fn sqlite_replicas(inventory: &Inventory, context: &Context, findings: &mut Findings) {
    let Some(store) = sqlite(inventory) else { return };
    for service in facts::web_services(inventory) {
        if !store.used_by.is_empty() && !store.used_by.contains(&service.id) {
            continue;
        }
        let Some(replicas) = facts::replicas(inventory, context, service).filter(|replicas| *replicas > 1)
        else {
            continue;
        };
        let unit = facts::units_of(inventory, service)
            .into_iter()
            .flat_map(|(_, unit)| unit.evidence.iter().take(1).cloned());
        findings.add(
            Shown::fill(
                "{} should run {} times on one SQLite file.",
                &[&code(&service.name), &Shown::number(u64::from(replicas))],
            ),
            store
                .evidence
                .iter()
                .cloned()
                .chain(unit)
                .chain(facts::start_place(service)),
        );
    }
}

#[cfg(test)]
mod tests;
