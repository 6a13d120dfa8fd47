//! Limits on requests and on what they bring.

use playbook_core::evidence::Evidence;
use playbook_core::finding::Severity;
use playbook_core::inventory::{Inventory, ScheduledJob};
use playbook_core::shown::Shown;

use super::facts::{self, Context, code};
use super::processes::copies;
use crate::rule::{Findings, Rule};

pub(super) const RULES: &[&Rule] = &[&RATE_LIMIT_PER_PROCESS, &JOB_TIME_ZONES];

static RATE_LIMIT_PER_PROCESS: Rule = Rule {
    id: "rate-limit-per-process",
    severity: Severity::Medium,
    section: 7,
    title: "Each process counts requests for itself",
    why: "A client gets the limit once for every replica or worker, and a restart forgets who was blocked.",
    fix: "Let the limiter keep its counters in the Redis or database that all processes share.",
    check: rate_limit_per_process,
};

fn rate_limit_per_process(inventory: &Inventory, context: &Context, findings: &mut Findings) {
    for service in inventory.services.iter().filter(|service| service.is_own()) {
        let limits: Vec<_> = inventory
            .rate_limits
            .iter()
            .filter(|limit| limit.service.as_ref() == Some(&service.id))
            .filter(|limit| limit.state.as_ref().is_some_and(|state| *state == "memory"))
            .collect();
        let Some(copies) = copies(inventory, context, service).filter(|_| !limits.is_empty()) else {
            continue;
        };
        let places: Vec<Evidence> = limits.iter().flat_map(|limit| limit.evidence.clone()).collect();
        findings.add(
            Shown::fill(
                "{} runs {} times; {} counts in the memory of each.",
                &[
                    &code(&service.name),
                    &Shown::number(u64::from(copies)),
                    &facts::list(limits.iter().map(|limit| &limit.library)),
                ],
            ),
            places.into_iter().chain(facts::start_place(service)),
        );
    }
}

static JOB_TIME_ZONES: Rule = Rule {
    id: "job-time-zones-differ",
    severity: Severity::Low,
    section: 10,
    title: "Jobs are scheduled in different time zones",
    why: "Two jobs that look an hour apart may meet, and one of them moves with daylight saving time.",
    fix: "Schedule all jobs in UTC, or all in one zone.",
    check: job_time_zones,
};

fn job_time_zones(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    let zoned: Vec<(&ScheduledJob, &Shown)> = inventory
        .scheduled_jobs
        .iter()
        .filter_map(|job| Some((job, job.time_zone.as_ref()?)))
        .collect();
    let zones: std::collections::BTreeSet<&Shown> = zoned.iter().map(|(_, zone)| *zone).collect();
    if zones.len() > 1 {
        findings.add(
            Shown::fill("Zones in use: {}.", &[&facts::list(zones)]),
            zoned.iter().flat_map(|(job, _)| job.evidence.iter().cloned()),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use playbook_core::inventory::RateLimit;

    #[test]
    fn counters_in_memory_matter_where_several_processes_count() {
        let id = "rate-limit-per-process";
        let with = |state: &'static str, replicas| {
            inventory(|all| {
                let mut api = web("node app.js");
                api.replicas = Some(replicas);
                all.services.push(api);
                all.rate_limits.push(RateLimit {
                    library: "express-rate-limit".into(),
                    state: Some(state.into()),
                    service: Some("api".into()),
                    evidence: vec![place("src/limit.js", 3)],
                });
            })
        };
        assert_eq!(
            fires(id, &with("memory", 3), "compose").evidence[0],
            place("src/limit.js", 3)
        );
        silent(id, &with("memory", 1), "compose");
        silent(id, &with("redis", 3), "compose");
    }

    #[test]
    fn zones_of_jobs() {
        let id = "job-time-zones-differ";
        let with = |zones: [&'static str; 2]| {
            inventory(|all| {
                for zone in zones {
                    all.scheduled_jobs.push(ScheduledJob {
                        name: zone.into(),
                        schedule: None,
                        time_zone: Some(zone.into()),
                        runner: "node-cron".into(),
                        service: None,
                        evidence: vec![place("src/jobs.js", 4)],
                    });
                }
            })
        };
        fires(id, &with(["UTC", "Europe/Vienna"]), "compose");
        silent(id, &with(["UTC", "UTC"]), "compose");
    }
}
