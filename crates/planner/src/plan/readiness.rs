//! Section 10: jobs, backups, recovery, scaling and the runbook.

use serde::Serialize;

use playbook_core::inventory::ScheduledJob;

use super::{Given, Ledger};

/// The decisions of section 10.
#[derive(Debug, Serialize)]
pub(crate) struct Readiness<'a> {
    jobs: &'a [ScheduledJob],
}

pub(super) fn build<'a>(given: &Given<'a>, ledger: &mut Ledger) -> Readiness<'a> {
    ledger.condition("has_scheduled_jobs", !given.inventory.scheduled_jobs.is_empty());
    Readiness {
        jobs: &given.inventory.scheduled_jobs,
    }
}
