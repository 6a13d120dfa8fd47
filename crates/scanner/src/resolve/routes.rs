//! Routes with the prefixes of the routers and mounts they hang on.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use playbook_core::evidence::{Evidence, Scope};
use playbook_core::harmless::UrlPath;
use playbook_core::inventory::Route;
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use super::apps::Apps;
use super::candidates::Sources;
use crate::fact::{Facts, GLOBAL_ROUTER, PrefixFact, RouteFact};

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

/// A route whose handler stands elsewhere answers with a constant when every function of that name does.
pub(crate) fn judge_handlers(facts: &mut Facts) {
    let mut constant: BTreeMap<(&str, &str), bool> = BTreeMap::new();
    for handler in &facts.handlers {
        *constant
            .entry((handler.language, handler.name.as_str()))
            .or_insert(true) &= handler.constant;
    }
    let places: BTreeSet<(&Evidence, &str)> = facts
        .handled
        .iter()
        .filter(|handled| {
            constant
                .get(&(handled.language, handled.name.as_str()))
                .is_some_and(|constant| *constant)
        })
        .map(|handled| (&handled.route, handled.path.as_str()))
        .collect();
    for route in &mut facts.routes {
        route.constant |= places.contains(&(&route.evidence, route.path.as_str()));
    }
}

/// The method of a route that is a WebSocket endpoint.
pub(crate) const WEBSOCKET: &str = "WEBSOCKET";

/// Where routes, mounts and constants are found without looking at all of them.
#[derive(Default)]
pub(crate) struct Index {
    /// Routes by their scope and the folder of their application; those outside of any under none.
    routes: BTreeMap<(Scope, Option<RelPath>), Vec<usize>>,
    /// Mounts by their file.
    mounts_of_file: HashMap<RelPath, Vec<usize>>,
    /// Mounts of a module by the last part of its name.
    mounts_of_module: HashMap<String, Vec<usize>>,
    /// Mounts of the application's own router.
    global_mounts: Vec<usize>,
    /// Constants by their name.
    constants: HashMap<String, Vec<usize>>,
}

impl Index {
    pub(crate) fn new(facts: &Facts, apps: &Apps) -> Self {
        let mut index = Self::default();
        for (at, route) in facts.routes.iter().enumerate() {
            let app = apps.owner(&route.evidence.path).map(|app| app.dir.clone());
            index.routes.entry((route.scope, app)).or_default().push(at);
        }
        for (at, mount) in facts.prefixes.iter().enumerate() {
            index
                .mounts_of_file
                .entry(mount.evidence.path.clone())
                .or_default()
                .push(at);
            if let Some(module) = &mount.module {
                let name = last_part(module_stem(module)).to_owned();
                index.mounts_of_module.entry(name).or_default().push(at);
            }
            if mount
                .router
                .as_ref()
                .is_some_and(|router| last_name(router.as_str()) == GLOBAL_ROUTER)
            {
                index.global_mounts.push(at);
            }
        }
        for (at, constant) in facts.constants.iter().enumerate() {
            index
                .constants
                .entry(constant.name.as_str().to_owned())
                .or_default()
                .push(at);
        }
        index
    }

    /// The routes of one scope in the folders of these applications, in the order of the facts.
    fn of_folders<'a>(&self, facts: &'a Facts, dirs: &[RelPath], scope: Scope) -> Vec<&'a RouteFact> {
        let of_app = |app: Option<&RelPath>| self.routes.get(&(scope, app.cloned())).into_iter().flatten();
        let in_folders = |route: &RouteFact| dirs.iter().any(|dir| route.evidence.path.is_in(dir));
        let outside = of_app(None).filter(|at| facts.routes.get(**at).is_some_and(in_folders));
        let mut found: Vec<usize> = dirs
            .iter()
            .flat_map(|dir| of_app(Some(dir)))
            .chain(outside)
            .copied()
            .collect();
        found.sort_unstable();
        found.dedup();
        found.into_iter().filter_map(|at| facts.routes.get(at)).collect()
    }

    /// The mounts that may hang up a router of a file, in the order of the facts.
    fn mounts<'a>(&self, facts: &'a Facts, file: &RelPath, router: Option<&str>) -> Vec<&'a PrefixFact> {
        let stem = file_stem(file);
        let name = last_part(stem);
        let folder = INDEX_FILES
            .contains(&name)
            .then(|| stem.rsplit_once('/'))
            .flatten()
            .map(|(folder, _)| last_part(folder));
        let global = (router == Some(GLOBAL_ROUTER)).then_some(&self.global_mounts);
        let mut found: Vec<usize> = self
            .mounts_of_file
            .get(file)
            .into_iter()
            .chain(self.mounts_of_module.get(name))
            .chain(folder.and_then(|folder| self.mounts_of_module.get(folder)))
            .chain(global)
            .flatten()
            .copied()
            .collect();
        found.sort_unstable();
        found.dedup();
        found
            .into_iter()
            .filter_map(|at| facts.prefixes.get(at))
            .collect()
    }
}

/// Files that stand for their folder.
const INDEX_FILES: &[&str] = &["index", "__init__", "mod", "routes", "router"];

fn last_part(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The last name of a symbol: `router` of `users.router`.
fn last_name(symbol: &str) -> &str {
    symbol.rsplit(['.', ':']).next().unwrap_or(symbol)
}

fn file_stem(file: &RelPath) -> &str {
    let text = file.as_str();
    text.rsplit_once('.').map_or(text, |(stem, _)| stem)
}

/// A module's path without the ending of a source file.
fn module_stem(module: &RelPath) -> &str {
    module
        .as_str()
        .rsplit_once('.')
        .filter(|(_, end)| {
            matches!(
                *end,
                "py" | "js" | "ts" | "mjs" | "cjs" | "tsx" | "rb" | "php" | "go" | "rs"
            )
        })
        .map_or(module.as_str(), |(stem, _)| stem)
}

/// Routes that the code of these applications has in development only.
pub(crate) fn of_development(dirs: &[RelPath], sources: &Sources<'_>) -> Vec<WholeRoute> {
    of_folders(dirs, Scope::Development, sources)
        .into_iter()
        .filter(|route| crate::scope::scope_of(&route.evidence.path) == Scope::Production)
        .collect()
}

/// The routes of applications of one scope.
pub(crate) fn of_folders(dirs: &[RelPath], scope: Scope, sources: &Sources<'_>) -> Vec<WholeRoute> {
    sources
        .routes
        .of_folders(sources.facts, dirs, scope)
        .into_iter()
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
        .routes
        .mounts(sources.facts, file, router)
        .into_iter()
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
            .routes
            .constants
            .get(last)
            .into_iter()
            .flatten()
            .filter_map(|at| sources.facts.constants.get(*at));
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
        (Some(mounted), Some(router)) => last_name(mounted.as_str()) == last_name(router),
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
    let stem = file_stem(file);
    let module = module_stem(module);
    let ends = |stem: &str| {
        stem == module
            || stem
                .strip_suffix(module)
                .is_some_and(|before| before.ends_with('/'))
    };
    ends(stem)
        || stem
            .rsplit_once('/')
            .is_some_and(|(folder, name)| INDEX_FILES.contains(&name) && ends(folder))
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
