//! Jobs that run by the clock, with the process whose clock that is.

use playbook_core::evidence::Scope;
use playbook_core::inventory::{Role, ScheduledJob, Service};
use playbook_core::shown::Shown;

use super::candidates::Sources;
use super::roles;
use super::services::Merged;
use crate::fact::{JobFact, TimeZoneFact};

/// The jobs of production.
pub(super) fn of(
    sources: &Sources<'_>,
    services: &[Merged],
    by_folder: &super::ServicesByFolder,
) -> Vec<ScheduledJob> {
    sources
        .facts
        .jobs
        .iter()
        .filter(|job| job.scope == Scope::Production)
        .map(|job| ScheduledJob {
            name: (&job.name).into(),
            schedule: job.schedule.as_ref().map(Into::into),
            time_zone: time_zone(sources, job),
            runner: job.runner.clone(),
            service: clock_of(job, services).or_else(|| by_folder.of(&job.evidence.path, sources.apps)),
            evidence: vec![job.evidence.clone()],
        })
        .collect()
}

/// The process of the job's folder that has no other work than the clock, or whose command starts what runs the job.
fn clock_of(job: &JobFact, services: &[Merged]) -> Option<Shown> {
    let beside = || {
        services
            .iter()
            .map(|merged| &merged.service)
            .filter(|service| service.is_own() && job.evidence.path.is_in(&service.path))
    };
    let starts = |service: &&Service| {
        service
            .commands
            .start
            .iter()
            .chain(&service.commands.start_resolved)
            .any(|command| roles::runs(command.as_str(), job.runner.as_str()))
    };
    let found = beside()
        .filter(|service| service.role == Role::Scheduler)
        .max_by_key(|service| service.path.depth())
        .or_else(|| {
            beside()
                .filter(|service| service.role == Role::Worker)
                .find(starts)
        })?;
    Some(found.id.clone())
}

/// Lines behind the beginning of a job in which its options stand.
const JOB_LINES: u32 = 8;

/// The time zone that a job is scheduled in: what stands at the job itself, else the setting of its application.
fn time_zone(sources: &Sources<'_>, job: &JobFact) -> Option<Shown> {
    let fits = |fact: &&TimeZoneFact| fact.runner.is_empty() || job.runner == fact.runner;
    let zones = || sources.facts.time_zones.iter().filter(fits);
    let near = zones()
        .filter(|fact| !fact.whole && fact.evidence.path == job.evidence.path)
        .filter_map(|fact| {
            let (at, start) = (fact.evidence.line?, job.evidence.line?);
            let distance = at.checked_sub(start)?;
            (distance <= JOB_LINES).then_some((distance, fact))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, fact)| fact);
    // Another job that begins in between has the zone for itself.
    let taken = near.is_some_and(|fact| {
        sources.facts.jobs.iter().any(|other| {
            other.evidence.path == job.evidence.path
                && other.evidence.line > job.evidence.line
                && other.evidence.line <= fact.evidence.line
        })
    });
    let owner = |path: &playbook_core::path::RelPath| sources.apps.owner(path).map(|app| app.dir.clone());
    near.filter(|_| !taken)
        .or_else(|| {
            zones().find(|fact| fact.whole && owner(&fact.evidence.path) == owner(&job.evidence.path))
        })
        .map(|fact| (&fact.zone).into())
}

#[cfg(test)]
mod tests {
    use playbook_core::shown::Shown;

    use crate::testing;

    #[test]
    fn the_clock_of_jobs_ticks_in_the_process_that_runs_them() {
        let inventory = testing::inventory(
            "
//- Gemfile
gem \"rails\"
gem \"sidekiq\"
gem \"sidekiq-cron\"
//- config/application.rb
module Shop
  class Application < Rails::Application
  end
end
//- config/schedule.yml
clean:
  cron: \"0 * * * *\"
  class: \"CleanJob\"
//- Procfile
web: bundle exec puma
jobs: bin/entry bundle exec sidekiq
",
        );
        let job = &inventory.scheduled_jobs[0];
        assert_eq!(job.service.as_ref().map(Shown::as_str), Some("jobs"));
    }
}
