//! Section 8: how one version replaces another, how that is checked, and back.

use serde::Serialize;

use playbook_core::evidence::Evidence;
use playbook_core::inventory::{Operation, OperationKind, Revision, Role, Route};
use playbook_core::shown::Shown;

use super::data::Data;
use super::infrastructure::{Infrastructure, Placement};
use super::ingress::{Ingress, is_plain};
use super::services::{Services, Wired};
use super::{Given, Ledger};
use crate::context::Strategy;

/// Seconds from the start of a process to its first answer, where nothing says more: an upper end of usual values.
const START: u32 = 30;
/// Seconds between two questions of the probes that this plan sets.
const PROBE: u32 = 5;

/// The decisions of section 8.
#[derive(Debug, Serialize)]
pub(crate) struct Rollout<'a> {
    strategy: Strategy,
    asked: bool,
    /// Does the target do it without more tools?
    native: bool,
    gap: Gap,
    /// The newest revision of each migration tool.
    newest: Vec<Newest<'a>>,
    /// Revisions that an older version of the code can't live with.
    breaking: Vec<&'a Revision>,
    /// Processes that may never overlap.
    single: Vec<Shown>,
    /// Why a second instance at the same moment is not possible.
    blocked: Vec<&'static str>,
    smoke: Smoke<'a>,
    /// Processes with their own images that a rollback changes.
    images: Vec<Shown>,
    previous_unknown: bool,
    workers: Vec<Shown>,
}

/// The arithmetic of the gap, in seconds.
#[derive(Debug, Serialize)]
struct Gap {
    stop: u32,
    start: u32,
    probe: u32,
    sum: u32,
}

#[derive(Debug, Serialize)]
struct Newest<'a> {
    tool: &'a Shown,
    revision: &'a Revision,
    additive: bool,
    operations: Vec<&'a Operation>,
}

/// What the smoke test asks.
#[derive(Debug, Serialize)]
struct Smoke<'a> {
    health: Option<&'a Shown>,
    /// Does the health path want authentication?
    health_closed: bool,
    shallow: bool,
    root: bool,
    /// A route that refuses strangers.
    protected: Option<&'a Route>,
    /// A route that reads a datastore and is open.
    touches: Option<&'a Route>,
    /// Where the description of the API is served.
    description: Option<Shown>,
    description_place: Option<&'a Evidence>,
    /// Paths that must not be reachable from outside.
    absent: Vec<&'a Shown>,
    public: bool,
    workers: Vec<Shown>,
    checks: usize,
}

pub(super) fn build<'a>(
    given: &Given<'a>,
    infrastructure: &Infrastructure<'a>,
    services: &Services<'a>,
    ingress: &Ingress<'a>,
    data: &Data<'a>,
    ledger: &mut Ledger,
) -> Rollout<'a> {
    let target = &given.context.target;
    // Where old and new instances overlap the platform rolls; where they don't, it replaces in place.
    let usual = if target.overlap > 1 {
        Strategy::Rolling
    } else {
        Strategy::Recreate
    };
    let strategy = given.context.strategy.unwrap_or(usual);
    let web = services.processes.iter().find(|process| {
        ingress
            .public
            .first()
            .is_some_and(|public| public.name == process.name)
    });
    let stop = web.map_or(target.grace_seconds, Wired::stop_seconds);
    let blocked = blocked(given, infrastructure, services, web);
    let smoke = smoke(given, services, ingress, web);
    let newest: Vec<Newest<'a>> = data
        .schemas
        .iter()
        .filter_map(|schema| {
            let migration = schema.migration;
            let revision = migration
                .revisions
                .iter()
                .find(|revision| migration.heads.contains(&revision.id))
                .or(migration.revisions.last())?;
            Some(Newest {
                tool: &migration.tool,
                additive: !revision.operations.iter().any(|operation| breaks(operation.kind)),
                operations: revision.operations.iter().take(3).collect(),
                revision,
            })
        })
        .collect();
    let breaking: Vec<&Revision> = data
        .schemas
        .iter()
        .flat_map(|schema| &schema.migration.revisions)
        .filter(|revision| revision.operations.iter().any(|operation| breaks(operation.kind)))
        .collect();
    let several: Vec<&Revision> = breaking.iter().rev().take(4).copied().collect();
    ledger.condition("overlaps", target.overlap > 1);
    ledger.condition("can_overlap", blocked.is_empty() && web.is_some());
    ledger.condition("has_smoke", smoke.public || !smoke.workers.is_empty());
    ledger.condition("has_own_images", services.processes.iter().any(Wired::is_built));
    Rollout {
        native: strategy == usual,
        strategy,
        asked: given.context.strategy.is_some(),
        gap: Gap {
            stop,
            start: START,
            probe: PROBE,
            sum: stop.saturating_add(START).saturating_add(PROBE),
        },
        newest,
        breaking: several,
        single: services
            .processes
            .iter()
            .filter(|process| process.single && process.long_running)
            .map(|process| process.name.clone())
            .collect(),
        blocked,
        images: services
            .processes
            .iter()
            .filter(|process| process.long_running && process.is_built())
            .map(|process| process.name.clone())
            .collect(),
        previous_unknown: !services.processes.iter().any(Wired::is_built),
        workers: smoke.workers.clone(),
        smoke,
    }
}

/// Does a change of the schema break code that does not know it?
fn breaks(kind: OperationKind) -> bool {
    matches!(
        kind,
        OperationKind::DropColumn
            | OperationKind::DropTable
            | OperationKind::Rename
            | OperationKind::AlterColumn
            | OperationKind::AddColumnNotNull
            | OperationKind::DeleteRows
    )
}

/// What keeps two instances of the web service from running at the same moment.
fn blocked(
    given: &Given<'_>,
    infrastructure: &Infrastructure<'_>,
    services: &Services<'_>,
    web: Option<&Wired<'_>>,
) -> Vec<&'static str> {
    let mut list = Vec::new();
    let Some(web) = web else { return list };
    if web.single {
        list.push("single");
    }
    if infrastructure
        .stores
        .iter()
        .any(|store| store.placement == Placement::File)
    {
        list.push("file");
    }
    if given.raised("in-memory-state-multi-replica") || services.keeps_state(web.service) {
        list.push("memory");
    }
    if web.publishes() {
        list.push("port");
    }
    if given.raised("pool-exceeds-max-connections") {
        list.push("pool");
    }
    list
}

fn smoke<'a>(
    given: &Given<'a>,
    services: &Services<'a>,
    ingress: &Ingress<'a>,
    web: Option<&Wired<'a>>,
) -> Smoke<'a> {
    let inventory = given.inventory;
    let of_web = |route: &&Route| {
        web.is_none_or(|web| route.service.is_none() || route.service.as_ref() == Some(&web.service.id))
    };
    let readable = |route: &&Route| is_plain(route) && route.method == "GET";
    let mut open: Vec<&'a Route> = inventory.routes.iter().filter(readable).filter(of_web).collect();
    open.sort_by_key(|route| (route.path.as_str().len(), &route.path));
    let protected = open
        .iter()
        .find(|route| route.authenticated == Some(true))
        .copied();
    let touches = open
        .iter()
        .find(|route| !route.touches.is_empty() && route.authenticated == Some(false))
        .copied();
    let specification = inventory.api_specs.iter().find(|spec| spec.served_at.is_some());
    let workers: Vec<Shown> = services
        .processes
        .iter()
        .filter(|process| {
            process.long_running && matches!(process.service.role, Role::Worker | Role::Scheduler)
        })
        .map(|process| process.name.clone())
        .collect();
    let absent: Vec<&Shown> = ingress.closed_paths().into_iter().take(3).collect();
    let public = !ingress.public.is_empty();
    let health = web.and_then(|web| web.health_path);
    let root = inventory.routes.iter().any(|route| route.path == "/");
    let checks = [
        health.is_some(),
        true,
        protected.is_some(),
        touches.is_some(),
        specification.is_some(),
    ]
    .into_iter()
    .filter(|asked| *asked && public)
    .count()
        + usize::from(public)
        + workers.len();
    Smoke {
        health,
        health_closed: web
            .and_then(|web| web.health)
            .is_some_and(|health| health.authenticated),
        shallow: web
            .and_then(|web| web.health)
            .is_some_and(|health| health.shallow),
        root,
        protected,
        touches,
        description: specification.and_then(|spec| spec.served_at.clone()),
        description_place: specification.and_then(|spec| spec.evidence.first()),
        absent,
        public,
        workers,
        checks,
    }
}
