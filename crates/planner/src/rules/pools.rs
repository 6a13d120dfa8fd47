//! Connections: how many there are, and what their addresses must look like.

use playbook_core::evidence::{Confidence, Evidence};
use playbook_core::finding::Severity;
use playbook_core::inventory::{Datastore, Inventory, Pool, SignalKind, UnitVariable, VariableSource};
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Group};

use super::facts::{self, Context, code};
use crate::rule::{Findings, Rule};

pub(super) const RULES: &[&Rule] = &[&POOL_EXCEEDS, &POOL_UNBOUNDED, &ASYNC_SCHEME];

static POOL_EXCEEDS: Rule = Rule {
    id: "pool-exceeds-max-connections",
    severity: Severity::High,
    section: 5,
    title: "The connection pools may open more connections than the database accepts",
    why: "Under load, or while old and new instances run side by side, the database refuses connections.",
    fix: "Make the pool smaller, raise the limit, or put a pooler between them.",
    check: pool_exceeds,
};

/// The pools of a service for one datastore, the largest of each library.
fn pools<'a>(inventory: &'a Inventory, service: &Shown, kind: &Shown) -> Vec<&'a Pool> {
    let mut list: Vec<&Pool> = inventory
        .pools
        .iter()
        .filter(|pool| {
            size(inventory, pool).is_some() && pool.service.as_ref().is_none_or(|id| id == service)
        })
        .filter(|pool| pool.datastore.as_ref().is_none_or(|slug| slug == kind))
        .collect();
    list.sort_by_key(|pool| (pool.library.clone(), std::cmp::Reverse(total(inventory, pool))));
    list.dedup_by(|a, b| a.library == b.library);
    list
}

/// What the code says, else the default of the variable that sets it.
fn size(inventory: &Inventory, pool: &Pool) -> Option<u32> {
    let variable = || {
        inventory
            .variable(pool.variable.as_ref()?.as_str())?
            .default
            .as_ref()?
            .as_str()
            .parse()
            .ok()
    };
    pool.size.or_else(variable)
}

fn total(inventory: &Inventory, pool: &Pool) -> u32 {
    size(inventory, pool)
        .unwrap_or(0)
        .saturating_add(pool.overflow.unwrap_or(0))
}

/// Connections that a server accepts from applications: what its command says, else the catalogue's default.
fn budget(inventory: &Inventory, store: &Datastore) -> Option<(u32, bool, Vec<Evidence>)> {
    let facts = Catalogue::get()
        .find(Group::Datastore, store.kind.as_str())?
        .datastore
        .as_ref()?;
    let reserved = facts.reserved_connections.unwrap_or(0);
    for (_, unit) in
        facts::production_units(inventory).filter(|(_, unit)| unit.datastore.as_ref() == Some(&store.id))
    {
        let text = unit
            .command
            .as_ref()
            .map(playbook_core::harmless::CommandLine::as_str)
            .unwrap_or_default();
        let stated = ["max_connections=", "max-connections=", "max_connections "]
            .into_iter()
            .find_map(|name| text.split_once(name))
            .and_then(|(_, rest)| {
                rest.chars()
                    .take_while(char::is_ascii_digit)
                    .collect::<String>()
                    .parse::<u32>()
                    .ok()
            });
        if let Some(limit) = stated {
            return Some((
                limit.saturating_sub(reserved),
                true,
                unit.evidence.iter().take(1).cloned().collect(),
            ));
        }
    }
    Some((facts.max_connections?.saturating_sub(reserved), false, Vec::new()))
}

fn pool_exceeds(inventory: &Inventory, context: &Context, findings: &mut Findings) {
    for store in facts::production_datastores(inventory) {
        let Some((budget, stated, limit_places)) = budget(inventory, store) else {
            continue;
        };
        let (mut now, mut evidence, mut parts) = (0_u32, Vec::new(), Vec::new());
        for service in inventory.services.iter().filter(|service| service.is_own()) {
            if !store.used_by.contains(&service.id) && !service.depends_on.contains(&store.id) {
                continue;
            }
            let per_process: u32 = pools(inventory, &service.id, &store.kind)
                .into_iter()
                .map(|pool| total(inventory, pool))
                .fold(0, u32::saturating_add);
            if per_process == 0 {
                continue;
            }
            let workers = service.workers.unwrap_or(1).max(1);
            let replicas = facts::replicas(inventory, context, service).unwrap_or(1).max(1);
            now = now.saturating_add(per_process.saturating_mul(workers).saturating_mul(replicas));
            parts.push(Shown::fill(
                "{}: {} × {} processes × {} instances",
                &[
                    &code(&service.name),
                    &Shown::number(u64::from(per_process)),
                    &Shown::number(u64::from(workers)),
                    &Shown::number(u64::from(replicas)),
                ],
            ));
            evidence.extend(
                pools(inventory, &service.id, &store.kind)
                    .into_iter()
                    .flat_map(|pool| pool.evidence.iter().take(2).cloned()),
            );
            evidence.extend(facts::start_place(service));
        }
        let overlap = context.target.overlap.max(1);
        let during = now.saturating_mul(overlap);
        let twice = now.saturating_mul(2);
        let severity = if during > budget {
            Severity::High
        } else if twice > budget {
            Severity::Medium
        } else {
            continue;
        };
        evidence.extend(limit_places);
        let name = Catalogue::get()
            .find(Group::Datastore, store.kind.as_str())
            .map_or("the server", |technology| technology.name);
        let (detail, count) = if during > budget {
            (
                "{}; that makes up to {} at a rollout. {} accepts {} ({}).",
                during,
            )
        } else {
            ("{}; a second instance makes {} of it. {} accepts {} ({}).", twice)
        };
        findings
            .add(
                Shown::fill(
                    detail,
                    &[
                        &Shown::join(&parts, "; "),
                        &Shown::number(u64::from(count)),
                        &Shown::from(name),
                        &Shown::number(u64::from(budget)),
                        &Shown::from(if stated {
                            "as the stack sets it"
                        } else {
                            "its default without the reserved ones"
                        }),
                    ],
                ),
                evidence,
            )
            .severity(severity)
            .confidence(Confidence::Derived);
    }
}

static POOL_UNBOUNDED: Rule = Rule {
    id: "pool-unbounded",
    severity: Severity::Medium,
    section: 5,
    title: "Nothing limits the connections to the database",
    why: "Under load each request opens another one, until the database refuses them.",
    fix: "Set the pool's limit (in Go `SetMaxOpenConns`).",
    check: |inventory, _, findings| {
        for pool in inventory.pools.iter().filter(|pool| {
            pool.size.is_none() && pool.variable.is_none() && pool.confidence != Confidence::Stated
        }) {
            let unlimited = Catalogue::get()
                .technology(pool.library.as_str())
                .is_some_and(|technology| {
                    technology
                        .orm
                        .as_ref()
                        .and_then(|orm| orm.pool_rule)
                        .or(technology.driver.as_ref().and_then(|driver| driver.pool_rule))
                        .is_some_and(|words| words.contains("unlimited"))
                });
            if unlimited {
                findings
                    .add(
                        Shown::fill("{} has no limit by default.", &[&code(&pool.library)]),
                        pool.evidence.clone(),
                    )
                    .confidence(Confidence::Convention);
            }
        }
    },
};

static ASYNC_SCHEME: Rule = Rule {
    id: "asyncpg-wrong-scheme",
    severity: Severity::High,
    section: 5,
    title: "The platform's database address does not name the asynchronous driver",
    why: "SQLAlchemy takes the driver from the scheme: `postgresql://` loads another one, which is not installed or not asynchronous.",
    fix: "Rewrite the scheme to `postgresql+asyncpg://` where the settings are read.",
    check: async_scheme,
};

fn async_scheme(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    if inventory
        .signals
        .iter()
        .any(|signal| signal.kind == SignalKind::RewritesDatabaseScheme)
    {
        return;
    }
    let mapper = inventory.pools.iter().any(|pool| pool.library == "sqlalchemy")
        || inventory.signals.iter().any(|signal| {
            signal.kind == SignalKind::EngineCreated
                && signal
                    .subject
                    .as_ref()
                    .is_some_and(|subject| subject.as_str().contains("sqlalchemy"))
        });
    for store in facts::production_datastores(inventory).filter(|store| store.kind == "postgresql") {
        let other_driver = store
            .drivers
            .iter()
            .any(|driver| driver.as_str().starts_with("psycopg"));
        if !mapper || other_driver || !store.drivers.iter().any(|driver| driver == "asyncpg") {
            continue;
        }
        for (stack, unit) in facts::production_units(inventory) {
            let of_store = |variable: &&UnitVariable| {
                let refers = stack.units.iter().any(|other| {
                    variable.reference.as_ref() == Some(&other.name)
                        && other.datastore.as_ref() == Some(&store.id)
                });
                variable.source == VariableSource::Datastore
                    && variable.name.as_str().ends_with("URL")
                    && (refers || store.variables.contains(&variable.name))
            };
            for variable in unit.variables.iter().filter(of_store) {
                let engines = facts::places(facts::signals(inventory, SignalKind::EngineCreated))
                    .into_iter()
                    .take(2);
                findings
                    .add(
                        Shown::fill(
                            "{} of {} comes from the platform as `postgresql://`; the code uses asyncpg.",
                            &[&code(&variable.name), &code(&unit.name)],
                        ),
                        variable.evidence.iter().cloned().chain(engines),
                    )
                    .confidence(Confidence::Derived);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn pool(size: Option<u32>, overflow: Option<u32>) -> Pool {
        Pool {
            library: "sqlalchemy".into(),
            datastore: Some("postgresql".into()),
            service: Some("api".into()),
            size,
            overflow,
            variable: None,
            confidence: Confidence::Convention,
            evidence: vec![place("src/db.py", 7)],
        }
    }

    fn with(workers: u32, pool: Pool) -> Inventory {
        inventory(|all| {
            let mut api = web("uvicorn app:app");
            api.workers = Some(workers);
            all.services.push(api);
            let mut store = datastore("db", "postgresql", "database");
            store.used_by = vec!["api".into()];
            store.drivers = vec!["asyncpg".into()];
            all.datastores.push(store);
            all.pools.push(pool);
        })
    }

    #[test]
    fn arithmetic() {
        let id = "pool-exceeds-max-connections";
        // 15 × 4 = 60 of 97 fits once, not twice.
        let found = fires(id, &with(4, pool(Some(5), Some(10))), "compose");
        assert_eq!(
            (found.severity, &found.evidence[..]),
            (
                Severity::Medium,
                &[place("src/db.py", 7), place("Dockerfile", 9)][..]
            )
        );
        assert!(
            found
                .detail
                .as_str()
                .contains("`api`: 15 × 4 processes × 1 instances; a second instance makes 120"),
            "{}",
            found.detail
        );
        // A rollout of the platform runs both.
        assert_eq!(
            fires(id, &with(4, pool(Some(5), Some(10))), "render").severity,
            Severity::High
        );
        silent(id, &with(2, pool(Some(5), Some(10))), "compose");
        silent(id, &with(4, pool(None, None)), "compose");
        let mut raised = with(4, pool(Some(5), Some(10)));
        let mut db = unit("db", Some("postgres:18"));
        db.datastore = Some("db".into());
        db.command = Some(command("postgres -c max_connections=200"));
        raised.stacks.push(stack("docker-compose", vec![db]));
        silent(id, &raised, "compose");
    }

    #[test]
    fn unbounded() {
        let id = "pool-unbounded";
        let go = Catalogue::get()
            .technologies()
            .iter()
            .find(|technology| {
                technology
                    .orm
                    .as_ref()
                    .and_then(|orm| orm.pool_rule)
                    .is_some_and(|words| words.contains("unlimited"))
            })
            .expect("the catalogue knows a library without a limit");
        let mut unlimited = pool(None, None);
        unlimited.library = Shown::from(go.id);
        fires(id, &with(1, unlimited.clone()), "compose");
        unlimited.variable = Some("MAX_CONNECTIONS".into());
        silent(id, &with(1, unlimited), "compose");
        silent(id, &with(1, pool(None, None)), "compose");
    }

    #[test]
    fn scheme() {
        let id = "asyncpg-wrong-scheme";
        let mut all = with(1, pool(Some(5), None));
        let mut api = unit("api", None);
        api.variables.push(UnitVariable {
            name: "DATABASE_URL".into(),
            source: VariableSource::Datastore,
            value: None,
            reference: None,
            evidence: vec![place("render.yaml", 12)],
        });
        all.stacks.push(stack("render", vec![api]));
        silent(id, &all, "render");
        all.datastores[0].variables = vec!["DATABASE_URL".into()];
        fires(id, &all, "render");
        let mut rewritten = all.clone();
        rewritten.signals.push(signal(SignalKind::RewritesDatabaseScheme));
        silent(id, &rewritten, "render");
        all.datastores[0].drivers = vec!["psycopg2".into()];
        silent(id, &all, "render");
    }
}
