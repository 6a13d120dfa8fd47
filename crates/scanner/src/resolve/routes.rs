//! Routes with the prefixes of the routers and mounts they hang on.

use playbook_core::evidence::{Evidence, Scope};
use playbook_core::harmless::UrlPath;
use playbook_core::inventory::Route;
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::secret::words_of;
use playbook_core::shown::Shown;

use super::candidates::Sources;
use crate::fact::{GLOBAL_ROUTER, PrefixFact, RouteFact};

/// A route with its whole path.
pub(crate) struct WholeRoute {
    pub(crate) method: Shown,
    pub(crate) path: Shown,
    pub(crate) complete: bool,
    pub(crate) authenticated: Option<bool>,
    pub(crate) touches: Vec<Shown>,
    pub(crate) constant: bool,
    pub(crate) framework: Shown,
    pub(crate) evidence: Evidence,
}

/// The method of a route that is a WebSocket endpoint.
pub(crate) const WEBSOCKET: &str = "WEBSOCKET";

/// The words that people call health endpoints.
pub(crate) fn is_health_path(path: &str) -> bool {
    let Some(last) = path.trim_end_matches('/').rsplit('/').next() else {
        return false;
    };
    let words = words_of(last.trim_start_matches(['_', '-']));
    let joined = words.concat();
    matches!(
        joined.as_str(),
        "health"
            | "healthz"
            | "healthcheck"
            | "ready"
            | "readyz"
            | "readiness"
            | "live"
            | "livez"
            | "liveness"
            | "ping"
            | "up"
            | "heartbeat"
            | "alive"
            | "isalive"
            | "healthy"
            | "statusz"
            | "hc"
            | "checkhealth"
    ) || words
        .first()
        .is_some_and(|word| word == "health" || word == "healthz")
        && words.len() <= 2
        || joined == "status" && path.matches('/').count() <= 2
        || path
            .split('/')
            .rev()
            .nth(1)
            .is_some_and(|before| matches!(before, "health" | "healthz" | "actuator"))
            && words.len() <= 2
            && !path.contains([':', '{', '<', '*'])
}

/// The routes of the application of this folder, with whole paths.
pub(crate) fn of_service(dir: &RelPath, sources: &Sources<'_>) -> Vec<WholeRoute> {
    sources
        .facts
        .routes
        .iter()
        .filter(|route| route.scope == Scope::Production)
        .filter(|route| {
            sources
                .apps
                .owner(&route.evidence.path)
                .map_or_else(|| route.evidence.path.is_in(dir), |app| app.dir == *dir)
        })
        .flat_map(|route| whole(route, sources))
        .collect()
}

/// The whole paths of a route: one for each way its router is mounted.
fn whole(route: &RouteFact, sources: &Sources<'_>) -> Vec<WholeRoute> {
    let excluded = route
        .router
        .as_ref()
        .is_some_and(|router| router.as_str() == GLOBAL_ROUTER)
        && sources
            .facts
            .unprefixed
            .iter()
            .any(|fact| fact.path == route.path);
    let prefixes = if excluded {
        Vec::new()
    } else {
        prefixes_of(
            &route.evidence.path,
            route.router.as_ref().map(playbook_core::harmless::Symbol::as_str),
            sources,
            0,
        )
    };
    let (prefixes, complete) = if prefixes.is_empty() {
        (vec![(String::new(), true)], true)
    } else {
        (prefixes, true)
    };
    prefixes
        .into_iter()
        .filter_map(|(prefix, followed)| {
            let path = UrlPath::parse(Raw::new(&join(&prefix, route.path.as_str())))?;
            Some(WholeRoute {
                method: Shown::from(route.method),
                path: path.into(),
                complete: complete && followed,
                authenticated: route.authenticated,
                touches: route.touches.clone(),
                constant: route.constant,
                framework: route.framework.clone(),
                evidence: route.evidence.clone(),
            })
        })
        .collect()
}

fn join(prefix: &str, path: &str) -> String {
    match (prefix.trim_end_matches('/'), path) {
        ("", path) => path.to_owned(),
        (prefix, "/") => format!("{prefix}/"),
        (prefix, path) => format!("{prefix}{}{path}", if path.starts_with('/') { "" } else { "/" }),
    }
}

/// The prefixes under which the router of a file is mounted, outermost first, as text; `false` where one could not be
/// read. At most six levels.
fn prefixes_of(
    file: &RelPath,
    router: Option<&str>,
    sources: &Sources<'_>,
    level: u32,
) -> Vec<(String, bool)> {
    if level > 6 {
        return Vec::new();
    }
    let mut out: Vec<(String, bool)> = Vec::new();
    for mount in sources
        .facts
        .prefixes
        .iter()
        .filter(|mount| mounts(mount, file, router))
        // A router's own prefix stands in the routes of its file already.
        .filter(|mount| !(mount.evidence.path == *file && is_own(mount)))
        .filter(|mount| {
            mount.evidence.path == *file
                || mount.module.is_some()
                || same_app(&mount.evidence.path, file, sources)
        })
    {
        let (own, known) = written(mount, sources);
        let parent = mount.parent.as_ref().map(playbook_core::harmless::Symbol::as_str);
        let above = if mount.evidence.path == *file && parent == router {
            Vec::new()
        } else {
            prefixes_of(&mount.evidence.path, parent, sources, level + 1)
        };
        if above.is_empty() {
            out.push((own, known));
        } else {
            out.extend(above.into_iter().map(|(above, followed)| {
                (
                    join(&above, &own).trim_end_matches('/').to_owned(),
                    followed && known,
                )
            }));
        }
        if out.len() > 16 {
            break;
        }
    }
    out.sort();
    out.dedup();
    out
}

/// Do two files belong to one application?
fn same_app(a: &RelPath, b: &RelPath, sources: &Sources<'_>) -> bool {
    let dir = |path| sources.apps.owner(path).map(|app| &app.dir);
    dir(a) == dir(b)
}

/// The prefix as text, a constant looked up by its name; `false` where it can't be read.
fn written(mount: &PrefixFact, sources: &Sources<'_>) -> (String, bool) {
    let constant = mount.reference.as_ref().map(|name| {
        let last = name.as_str().rsplit('.').next().unwrap_or_default();
        let mut values = sources
            .facts
            .constants
            .iter()
            .filter(|constant| constant.name.as_str() == last);
        values
            .clone()
            .find(|constant| constant.evidence.path == mount.evidence.path)
            .or_else(|| values.next())
            .map(|constant| constant.value.to_string())
    });
    let prefix = mount.prefix.as_ref().map(ToString::to_string);
    match (constant, prefix) {
        (Some(Some(constant)), Some(prefix)) => (join(&constant, &prefix), true),
        (Some(Some(constant)), None) => (constant, true),
        (Some(None), prefix) => (prefix.unwrap_or_default(), false),
        (None, Some(prefix)) => (prefix, true),
        (None, None) => (String::new(), false),
    }
}

/// Is it the prefix that a router gives itself?
fn is_own(mount: &PrefixFact) -> bool {
    let last = |symbol: &playbook_core::harmless::Symbol| {
        symbol.as_str().rsplit(['.', ':']).next().map(str::to_owned)
    };
    mount.parent.is_some() && mount.parent.as_ref().and_then(last) == mount.router.as_ref().and_then(last)
}

/// Does this mount hang up the router of that file?
fn mounts(mount: &PrefixFact, file: &RelPath, router: Option<&str>) -> bool {
    let same_router = match (&mount.router, router) {
        (Some(mounted), Some(router)) => {
            let last = |text: &str| text.rsplit(['.', ':']).next().unwrap_or_default().to_owned();
            last(mounted.as_str()) == last(router)
        }
        (None, _) => true,
        (Some(_), None) => mount.module.is_some(),
    };
    if let Some(module) = &mount.module {
        same_router && is_module(file, module)
    } else {
        let everywhere = router == Some(GLOBAL_ROUTER);
        (mount.evidence.path == *file || everywhere)
            && mount.router.is_some()
            && router.is_some()
            && same_router
    }
}

/// Is the file the module of this path: itself with an ending, or the index of a folder?
fn is_module(file: &RelPath, module: &RelPath) -> bool {
    let text = file.as_str();
    let stem = text.rsplit_once('.').map_or(text, |(stem, _)| stem);
    let module = module
        .as_str()
        .rsplit_once('.')
        .filter(|(_, end)| {
            matches!(
                *end,
                "py" | "js" | "ts" | "mjs" | "cjs" | "tsx" | "rb" | "php" | "go" | "rs"
            )
        })
        .map_or(module.as_str(), |(stem, _)| stem);
    let ends = |stem: &str| {
        stem == module
            || stem
                .strip_suffix(module)
                .is_some_and(|before| before.ends_with('/'))
    };
    ends(stem)
        || ["/index", "/__init__", "/mod", "/routes", "/router"]
            .iter()
            .any(|index| stem.strip_suffix(index).is_some_and(ends))
}

/// All routes of production for the inventory.
pub(crate) fn all(sources: &Sources<'_>, service_of: impl Fn(&RelPath) -> Option<Shown>) -> Vec<Route> {
    sources
        .facts
        .routes
        .iter()
        .filter(|route| route.scope == Scope::Production)
        .flat_map(|route| whole(route, sources))
        .take(crate::limits::ROUTES)
        .map(|route| Route {
            framework: (!route.framework.as_str().is_empty()).then_some(route.framework),
            service: service_of(&route.evidence.path),
            method: route.method,
            path: route.path,
            complete: route.complete,
            authenticated: route.authenticated,
            touches: route.touches,
            evidence: vec![route.evidence],
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_paths() {
        for path in [
            "/health",
            "/api/v1/utils/health-check/",
            "/healthz",
            "/_health",
            "/api/ready",
            "/ping",
            "/actuator/health",
            "/health/live",
            "/up",
        ] {
            assert!(is_health_path(path), "{path}");
        }
        for path in [
            "/",
            "/users",
            "/health-records/all",
            "/orders/status/list",
            "/live-streams/{id}",
            "/shipping",
        ] {
            assert!(!is_health_path(path), "{path}");
        }
    }
}
