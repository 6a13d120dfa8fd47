use super::super::testing::*;
use super::*;

fn with(service: Service) -> Inventory {
    inventory(|all| all.services.push(service))
}

fn of_api(kind: SignalKind) -> playbook_core::inventory::Signal {
    let mut signal = signal(kind);
    signal.service = Some("api".into());
    signal
}

#[test]
fn worker() {
    let id = "worker-without-process";
    let mut all = with(web("gunicorn app"));
    all.signals.push(signal(SignalKind::TaskDefined));
    silent(id, &all, "compose");
    all.signals.push(signal(SignalKind::TaskEnqueued));
    fires(id, &all, "compose");
    all.services
        .push(service("worker", Role::Worker, "celery -A app worker"));
    silent(id, &all, "compose");
    let mut api = unit("api", None);
    api.service = Some("api".into());
    all.stacks.push(stack("docker-compose", vec![api.clone()]));
    fires(id, &all, "compose");
    api.service = Some("worker".into());
    all.stacks[0].units.push(api);
    silent(id, &all, "compose");
}

#[test]
fn scheduler() {
    let id = "scheduler-without-process";
    let job = |runner: &'static str, name: &'static str| ScheduledJob {
        name: name.into(),
        schedule: None,
        time_zone: None,
        runner: runner.into(),
        service: None,
        evidence: vec![place("src/jobs", 4)],
    };
    let mut all = with(web("gunicorn app"));
    all.scheduled_jobs.push(job("celery-beat", "nightly"));
    fires(id, &all, "compose");
    silent("cron-defined-twice", &all, "compose");
    all.scheduled_jobs.push(job("kubernetes", "nightly"));
    fires("cron-defined-twice", &all, "compose");
    all.services
        .push(service("beat", Role::Worker, "celery -A app worker -B"));
    silent(id, &all, "compose");
    silent(
        id,
        &inventory(|all| all.scheduled_jobs.push(job("apscheduler", "x"))),
        "compose",
    );
}

#[test]
fn singleton() {
    let mut api = web("node x.js");
    api.workers = Some(4);
    let mut all = with(api);
    silent("singleton-scaled", &all, "compose");
    all.signals.push(of_api(SignalKind::InProcessScheduler));
    assert_eq!(
        fires("singleton-scaled", &all, "compose").evidence[0],
        place("src/app", 3)
    );
    silent("scheduler-inside-web-process", &all, "compose");
    all.services[0].workers = None;
    silent("singleton-scaled", &all, "compose");
    fires("scheduler-inside-web-process", &all, "compose");
    let mut beat = service("beat", Role::Scheduler, "celery beat");
    beat.singleton = true;
    silent("singleton-scaled", &with(beat.clone()), "compose");
    beat.replicas = Some(2);
    fires("singleton-scaled", &with(beat), "compose");
}

#[test]
fn memory() {
    let id = "in-memory-state-multi-replica";
    let mut all = with(web("node x.js"));
    silent(id, &all, "compose");
    all.signals.push(of_api(SignalKind::InMemoryState));
    assert_eq!(fires(id, &all, "compose").severity, Severity::Medium);
    all.services[0].replicas = Some(2);
    assert_eq!(fires(id, &all, "compose").severity, Severity::High);
}

#[test]
fn websocket() {
    let id = "websocket-multi-replica-no-backplane";
    let mut api = web("node x.js");
    api.websocket = true;
    let mut all = with(api);
    assert_eq!(fires(id, &all, "compose").severity, Severity::Medium);
    let mut redis = datastore("redis", "redis", "cache");
    redis.used_by = vec!["api".into()];
    all.datastores.push(redis);
    silent(id, &all, "compose");
}

#[test]
fn shutdown() {
    let id = "no-sigterm-handling";
    let mut api = web("node x.js");
    api.frameworks = vec!["express".into()];
    let mut all = with(api.clone());
    fires(id, &all, "compose");
    all.signals.push(of_api(SignalKind::GracefulShutdown));
    silent(id, &all, "compose");
    api.frameworks = vec!["rails".into()];
    silent(id, &with(api), "compose");

    let id = "shutdown-budget-too-small";
    let mut all = with(service("worker", Role::Worker, "celery worker"));
    let mut worker = unit("worker", None);
    worker.service = Some("worker".into());
    all.stacks.push(stack("docker-compose", vec![worker]));
    fires(id, &all, "compose");
    all.stacks[0].units[0].stop_grace = Some("60s".into());
    silent(id, &all, "compose");
}
