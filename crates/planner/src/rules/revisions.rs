//! What the revisions of a migration tool do.

use playbook_core::evidence::Evidence;
use playbook_core::finding::Severity;
use playbook_core::inventory::{Inventory, Operation, OperationKind, Revision};
use playbook_core::shown::Shown;

use super::facts::{self, Context, code};
use crate::rule::{Findings, Rule};

pub(super) const RULES: &[&Rule] = &[
    &MULTIPLE_HEADS,
    &DESTRUCTIVE,
    &LOCKING,
    &IRREVERSIBLE,
    &CREATES_EXTENSION,
];

static MULTIPLE_HEADS: Rule = Rule {
    id: "multiple-migration-heads",
    severity: Severity::Blocker,
    section: 5,
    title: "The migrations have more than one newest revision",
    why: "The tool refuses to upgrade to \"the newest\" when there are several.",
    fix: "Add a revision that merges them.",
    check: multiple_heads,
};

fn multiple_heads(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for migration in inventory
        .migrations
        .iter()
        .filter(|migration| migration.heads.len() > 1)
    {
        let mut evidence: Vec<Evidence> = migration
            .revisions
            .iter()
            .filter(|revision| migration.heads.contains(&revision.id))
            .map(revision_place)
            .collect();
        evidence.extend(migration.evidence.iter().cloned());
        findings.add(
            Shown::fill(
                "{} ends in {}.",
                &[&code(&migration.tool), &facts::list(&migration.heads)],
            ),
            evidence,
        );
    }
}

/// A revision's file; its folder has no lines.
fn revision_place(revision: &Revision) -> Evidence {
    if revision.path.name().contains('.') {
        Evidence::at(&revision.path, 1)
    } else {
        Evidence::file(&revision.path)
    }
}

static DESTRUCTIVE: Rule = Rule {
    id: "migration-destructive",
    severity: Severity::High,
    section: 5,
    title: "Migrations remove or rewrite data",
    why: "What they drop is gone, and instances of the previous version fail while both run.",
    fix: "Save the database before it, and split it: stop using the column first, drop it a release later.",
    check: destructive,
};

fn destructive(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for migration in &inventory.migrations {
        let found: Vec<(usize, &Revision, Vec<&Operation>)> = migration
            .revisions
            .iter()
            .enumerate()
            .map(|(at, revision)| {
                (
                    at,
                    revision,
                    revision
                        .operations
                        .iter()
                        .filter(|op| destroys(op.kind))
                        .collect::<Vec<_>>(),
                )
            })
            .filter(|(_, _, operations)| !operations.is_empty())
            .collect();
        let Some((newest, ..)) = found.last() else {
            continue;
        };
        let is_newest = newest + 1 == migration.revisions.len() && migration.revisions.len() > 1;
        let ids: Vec<&Shown> = found.iter().map(|(_, revision, _)| &revision.id).collect();
        // Newest first: those are the ones that a release still has to apply.
        let evidence = found
            .iter()
            .rev()
            .flat_map(|(_, _, operations)| operations.iter().flat_map(|op| op.evidence.iter().cloned()));
        findings
            .add(
                Shown::fill(
                    if is_newest {
                        "{} of {} revisions drop, rename or retype something, the newest among them: {}."
                    } else {
                        "{} of {} revisions drop, rename or retype something: {}. It matters for a database that has not got them yet."
                    },
                    &[
                        &Shown::number(found.len() as u64),
                        &Shown::number(u64::from(migration.count)),
                        &facts::list(ids),
                    ],
                ),
                evidence,
            )
            .severity(if is_newest { Severity::High } else { Severity::Medium });
    }
}

fn destroys(kind: OperationKind) -> bool {
    matches!(
        kind,
        OperationKind::DropColumn
            | OperationKind::DropTable
            | OperationKind::Rename
            | OperationKind::DeleteRows
            | OperationKind::AlterColumn
    )
}

static LOCKING: Rule = Rule {
    id: "migration-locking",
    severity: Severity::Medium,
    section: 5,
    title: "Migrations block writes while they run",
    why: "An index or constraint on a table with rows holds a lock for as long as it takes; requests wait behind it.",
    fix: "Create indexes concurrently, add constraints as not valid and validate them later.",
    check: locking,
};

fn locking(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for migration in &inventory.migrations {
        if migration
            .datastore
            .as_ref()
            .is_some_and(|kind| kind == "sqlite" || kind == "mongodb")
        {
            continue;
        }
        // The first revision finds empty tables; older ones than the last five are hardly outstanding.
        let from = migration.revisions.len().saturating_sub(5).max(1);
        let mut evidence = Vec::new();
        let mut ids = Vec::new();
        for revision in migration.revisions.iter().skip(from) {
            let created: Vec<&Shown> = revision
                .operations
                .iter()
                .filter(|op| op.kind == OperationKind::CreateTable)
                .filter_map(|op| op.object.as_ref())
                .collect();
            let blocks = |op: &&Operation| {
                matches!(
                    op.kind,
                    OperationKind::CreateIndex
                        | OperationKind::AddConstraint
                        | OperationKind::AddColumnNotNull
                ) && op.object.as_ref().is_some_and(|object| {
                    let table = object.as_str().split('.').next().unwrap_or_default();
                    !created.iter().any(|created| **created == *table)
                })
            };
            let places: Vec<Evidence> = revision
                .operations
                .iter()
                .filter(blocks)
                .flat_map(|op| op.evidence.iter().cloned())
                .collect();
            if !places.is_empty() {
                ids.push(&revision.id);
                evidence.splice(0..0, places);
            }
        }
        findings.add(
            Shown::fill(
                "Among the newest revisions {} index or constrain tables that may hold rows.",
                &[&facts::list(ids)],
            ),
            evidence,
        );
    }
}

static IRREVERSIBLE: Rule = Rule {
    id: "migration-irreversible",
    severity: Severity::Medium,
    section: 5,
    title: "Migrations cannot be taken back",
    why: "A release that changed the schema is undone by restoring a backup or by a new migration, not by the previous image.",
    fix: "Keep migrations compatible with the previous version, save the database before each, and correct forwards.",
    check: irreversible,
};

fn irreversible(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for migration in &inventory.migrations {
        let fixed: Vec<&Revision> = migration
            .revisions
            .iter()
            .filter(|revision| revision.reversible == Some(false))
            .collect();
        if fixed.is_empty() {
            continue;
        }
        let all = fixed.len() == migration.revisions.len();
        findings
            .add(
                Shown::fill(
                    if all {
                        "None of the {} revisions of {} has a way back."
                    } else {
                        "{} of the revisions of {} have no way back."
                    },
                    &[&Shown::number(fixed.len() as u64), &code(&migration.tool)],
                ),
                fixed
                    .iter()
                    .rev()
                    .take(12)
                    .map(|revision| revision_place(revision)),
            )
            .severity(if all { Severity::Medium } else { Severity::Low });
    }
}

static CREATES_EXTENSION: Rule = Rule {
    id: "migration-creates-extension",
    severity: Severity::Medium,
    section: 5,
    title: "A migration creates a database extension",
    why: "The role that migrates needs the right to do so, and managed databases allow only the extensions of their list.",
    fix: "Create the extension once with an administrator's role before the first migration.",
    check: creates_extension,
};

fn creates_extension(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for migration in &inventory.migrations {
        let operations: Vec<&Operation> = migration
            .revisions
            .iter()
            .flat_map(|revision| &revision.operations)
            .filter(|op| op.kind == OperationKind::CreateExtension)
            .collect();
        if operations.is_empty() {
            continue;
        }
        let names = facts::list(operations.iter().filter_map(|op| op.object.as_ref()));
        findings.add(
            Shown::fill("The migrations create {}.", &[&names]),
            operations.iter().flat_map(|op| op.evidence.iter().cloned()),
        );
    }
}

#[cfg(test)]
mod tests;
