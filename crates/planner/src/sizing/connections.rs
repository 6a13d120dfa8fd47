//! Connections to a database: what the pools of all processes can open at the same moment against what it admits.

use serde::Serialize;

use playbook_core::evidence::Evidence;
use playbook_core::inventory::{Datastore, Pool, Role, Service};
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Group};

use super::{Figures, OtherConnections, ProcessSize, stated};
use crate::plan::Given;

/// One service's share.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Consumer {
    service: Shown,
    replicas: u32,
    processes: u32,
    processes_place: Option<Evidence>,
    /// Instances during a rollout, for one wanted.
    overlap: u32,
    /// Connections of one process, and those above them; `None` where nothing limits them.
    size: Option<u32>,
    extra: Option<u32>,
    /// The library or driver whose pool it is.
    library: Option<Shown>,
    /// Does the repository set the numbers?
    stated: bool,
    /// The library's rule where it is no number.
    rule: Option<Shown>,
    /// The variable that sets the size.
    variable: Option<Shown>,
    /// All of it.
    product: Option<u32>,
    evidence: Vec<Evidence>,
}

/// The arithmetic for one database.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ConnectionTable {
    /// Id of the datastore.
    pub(crate) store: Shown,
    consumers: Vec<Consumer>,
    others: OtherConnections,
    migration: u32,
    /// Sum of all rows with a number.
    pub(crate) peak: u32,
    /// Does every row have a number?
    pub(crate) complete: bool,
    limit: u32,
    limit_from: &'static str,
    reserved: u32,
    pub(crate) budget: u32,
    mark: u32,
    percent: u32,
    verdict: &'static str,
    /// Connections for one process with which the mark is kept.
    allowance: Option<u32>,
    /// Connections with one instance more of each service.
    pub(crate) with_one_more: u32,
    /// Evidence for a limit of the repository.
    overlap: u32,
}

impl ConnectionTable {
    /// Does it keep below the mark, as far as its numbers are known?
    pub(crate) fn within_mark(&self) -> bool {
        self.peak <= self.mark
    }

    /// Connections that the database serves in the worst case.
    pub(crate) fn at_most(&self) -> u32 {
        self.peak.min(self.limit)
    }
}

/// A table for each production database that limits connections.
pub(crate) fn tables(given: &Given<'_>, figures: &Figures, sizes: &[ProcessSize]) -> Vec<ConnectionTable> {
    given
        .datastores
        .iter()
        .filter(|store| store.role == "database" || store.role == "time-series" || store.role == "vector")
        .filter_map(|store| table(given, figures, sizes, store))
        .collect()
}

fn table(
    given: &Given<'_>,
    figures: &Figures,
    sizes: &[ProcessSize],
    store: &Datastore,
) -> Option<ConnectionTable> {
    let facts = Catalogue::get()
        .find(Group::Datastore, store.kind.as_str())?
        .datastore
        .as_ref()?;
    if facts.embedded {
        return None;
    }
    let own = |suffix: &str| {
        let fact = format!("{}-{suffix}", store.kind.as_str());
        given
            .context
            .target
            .number(&fact)
            .and_then(|number| u32::try_from(number).ok())
    };
    let (limit, limit_from) = match own("max-connections") {
        Some(limit) => (limit, "platform"),
        None => (facts.max_connections?, "engine"),
    };
    // Redis and its kin admit thousands: no table worth reading.
    if limit > 5_000 {
        return None;
    }
    let reserved = own("reserved-connections")
        .or(facts.reserved_connections)
        .unwrap_or(0);
    let budget = limit.saturating_sub(reserved);
    let overlap = given.context.target.overlap.max(1);

    let consumers: Vec<Consumer> = given
        .services
        .iter()
        .filter(|service| service.role != Role::Job)
        .filter(|service| store.used_by.contains(&service.id) || service.depends_on.contains(&store.id))
        .filter_map(|service| {
            let size = sizes.iter().find(|size| size.service == service.id)?;
            Some(consumer(given, store, service, size, overlap))
        })
        .collect();
    let migration = u32::from(!given.inventory.migrations.is_empty());
    let others = figures.other_connections;
    let fixed = others
        .backup
        .saturating_add(others.monitoring)
        .saturating_add(others.administrators)
        .saturating_add(migration);
    let pools = consumers
        .iter()
        .filter_map(|consumer| consumer.product)
        .fold(0u32, u32::saturating_add);
    let peak = pools.saturating_add(fixed);
    let complete = consumers.iter().all(|consumer| consumer.product.is_some());
    let mark = budget.saturating_mul(figures.mark) / 100;
    let processes = consumers
        .iter()
        .map(|consumer| {
            consumer
                .replicas
                .saturating_mul(consumer.processes)
                .saturating_mul(consumer.overlap)
        })
        .fold(0u32, u32::saturating_add);
    let one_more = consumers
        .iter()
        .filter_map(|consumer| {
            consumer
                .product
                .map(|product| product / consumer.replicas.max(1) * (consumer.replicas + 1))
        })
        .fold(fixed, u32::saturating_add);
    Some(ConnectionTable {
        store: store.id.clone(),
        migration,
        others,
        peak,
        complete,
        limit,
        limit_from,
        reserved,
        budget,
        mark,
        percent: peak.saturating_mul(100).checked_div(budget).unwrap_or(0),
        verdict: match () {
            () if !complete && peak <= budget => "unbounded",
            () if peak > budget => "over",
            () if peak > mark => "tight",
            () => "fits",
        },
        allowance: mark
            .saturating_sub(fixed)
            .checked_div(processes)
            .filter(|n| *n > 0),
        with_one_more: one_more,
        overlap,
        consumers,
    })
}

fn consumer(
    given: &Given<'_>,
    store: &Datastore,
    service: &Service,
    size: &ProcessSize,
    overlap: u32,
) -> Consumer {
    let pool = pool_of(given, store, service);
    let default = default_of(pool, store);
    let set = pool.is_some_and(|pool| stated(pool.confidence) && pool.size.is_some());
    let connections = pool
        .and_then(|pool| pool.size)
        .or(default.as_ref().and_then(|default| default.size));
    let extra = match pool.and_then(|pool| pool.overflow) {
        Some(extra) => Some(extra),
        None => default.as_ref().and_then(|default| default.extra),
    };
    let overlap = if matches!(service.role, Role::Web | Role::Worker) && !size.singleton {
        overlap
    } else {
        1
    };
    let product = connections.map(|connections| {
        connections
            .saturating_add(extra.unwrap_or(0))
            .saturating_mul(size.processes)
            .saturating_mul(size.replicas)
            .saturating_mul(overlap)
    });
    Consumer {
        service: service.name.clone(),
        replicas: size.replicas,
        processes: size.processes,
        processes_place: size.place.clone().filter(|_| size.stated),
        overlap,
        size: connections,
        extra: extra.filter(|extra| *extra > 0),
        library: pool
            .map(|pool| pool.library.clone())
            .or(default.as_ref().map(|default| default.library.clone())),
        stated: set,
        rule: if connections.is_none() {
            default.and_then(|default| default.rule)
        } else {
            None
        },
        variable: pool.and_then(|pool| pool.variable.clone()),
        product,
        evidence: pool.map(|pool| pool.evidence.clone()).unwrap_or_default(),
    }
}

/// The pool that the code makes for this database, the one of this service first.
fn pool_of<'a>(given: &Given<'a>, store: &Datastore, service: &Service) -> Option<&'a Pool> {
    let fits = |pool: &&Pool| pool.datastore.as_ref().is_none_or(|kind| *kind == store.kind);
    let pools = || given.inventory.pools.iter().filter(fits);
    pools()
        .find(|pool| pool.service.as_ref() == Some(&service.id))
        .or_else(|| pools().find(|pool| pool.service.is_none()))
}

struct Default {
    library: Shown,
    size: Option<u32>,
    extra: Option<u32>,
    rule: Option<Shown>,
}

/// What the library, or the database's driver, does when nothing is set.
fn default_of(pool: Option<&Pool>, store: &Datastore) -> Option<Default> {
    let known = |slug: &Shown| {
        let catalogue = Catalogue::get();
        let orm = catalogue.find(Group::Orm, slug.as_str()).and_then(|technology| {
            let orm = technology.orm.as_ref()?;
            Some(Default {
                library: slug.clone(),
                size: orm.pool_size,
                extra: orm.pool_overflow,
                rule: orm.pool_rule.map(Shown::from),
            })
        });
        orm.or_else(|| {
            let driver = catalogue.find(Group::Driver, slug.as_str())?.driver.as_ref()?;
            Some(Default {
                library: slug.clone(),
                size: driver.pool_size,
                extra: None,
                rule: driver.pool_rule.map(Shown::from),
            })
        })
    };
    match pool {
        Some(pool) => known(&pool.library),
        None => store
            .drivers
            .iter()
            .filter_map(known)
            .find(|default| default.size.is_some() || default.rule.is_some()),
    }
}
