//! Attributes of a service: language, runtime, frameworks, ports, health endpoints.

use std::collections::BTreeSet;

use playbook_core::evidence::{Confidence, Evidence, Scope};
use playbook_core::harmless::{Name, UrlPath, port};
use playbook_core::inventory::{HealthCheck, InterfaceKind, Role, Runtime, VariableOrigin, VersionPin};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Group, Technology};

use super::candidates::{Sources, Tier};
use super::roles;
use super::routes::{WholeRoute, of_development, of_folders};
use super::services::{Merged, entries_of};
use crate::conventions::{self, is_health_path};
use crate::fact::{EntryKind, EntryPoint};

/// Fills everything but commands and edges.
pub(crate) fn fill(merged: &mut Merged, sources: &Sources<'_>) {
    place(merged, sources);
    language(merged, sources);
    frameworks(merged, sources);
    runtime(merged, sources);
    ports(merged, sources);
    health(merged, sources);
    details(merged, sources);
}

fn is_third_party(merged: &Merged) -> bool {
    merged.parts.iter().all(|part| part.third_party)
}

/// Dockerfile, target, context and image of the best part that names one.
fn place(merged: &mut Merged, _sources: &Sources<'_>) {
    let service = &mut merged.service;
    for part in &merged.parts {
        if service.dockerfile.is_none() && part.dockerfile.is_some() && part.tier != Tier::Development {
            service.dockerfile.clone_from(&part.dockerfile);
        }
        if service.docker_target.is_none() {
            service.docker_target.clone_from(&part.target);
        }
        if service.docker_context.is_none() {
            service.docker_context.clone_from(&part.context);
        }
        if service.image.is_none() && part.tier == Tier::Stack {
            service.image.clone_from(&part.image);
        }
    }
    if service.dockerfile.is_none() {
        service.dockerfile = merged.parts.iter().find_map(|part| part.dockerfile.clone());
    }
}

fn language(merged: &mut Merged, sources: &Sources<'_>) {
    if is_third_party(merged) {
        return;
    }
    if let Some(app) = sources.apps.owner(&merged.service.path)
        && !app.language.is_empty()
        && (app.dir == merged.service.path || !app.dir.is_root() || sources.apps.all.len() == 1)
    {
        merged.service.language = Some(Shown::from(app.language));
    }
}

/// Frameworks of the manifest that fit the role, and those of the entry points.
fn frameworks(merged: &mut Merged, sources: &Sources<'_>) {
    if is_third_party(merged) {
        return;
    }
    let role = merged.service.role;
    let mut found: BTreeSet<&'static str> = BTreeSet::new();
    let mut built_on: BTreeSet<&'static str> = BTreeSet::new();
    let app = sources.apps.owner(&merged.service.path);
    let packages = app
        .iter()
        .flat_map(|app| app.of_group(Group::Framework).chain(&app.build_frameworks));
    for known in packages {
        let Some(framework) = &known.technology.framework else {
            continue;
        };
        let fits = match framework.role {
            "web" => matches!(
                role,
                Role::Web | Role::Worker | Role::Scheduler | Role::Job | Role::Function
            ),
            "frontend" => {
                role == Role::Frontend
                    || role == Role::Web
                        && (is_server_side(known.technology.id) || is_build_tool(known.technology))
            }
            _ => true,
        };
        if fits {
            found.insert(known.technology.id);
            built_on.extend(framework.built_on.iter().copied());
        }
    }
    for entry in merged
        .parts
        .iter()
        .filter_map(|part| sources.facts.entry_points.get(part.entry?))
    {
        if let Some(technology) = Catalogue::get().find(Group::Framework, entry.framework.as_str()) {
            found.insert(technology.id);
        }
    }
    merged.service.frameworks = found
        .into_iter()
        .filter(|slug| !built_on.contains(slug))
        .map(Shown::from)
        .collect();
}

/// A front-end framework that serves its pages itself: it has a start command of its own.
fn is_server_side(slug: &str) -> bool {
    Catalogue::get()
        .find(Group::Framework, slug)
        .and_then(|technology| technology.framework.as_ref())
        .is_some_and(|framework| !framework.start.is_empty() && framework.output.is_none())
}

/// A bundler of pages: also of those that a server in any language hands out.
fn is_build_tool(technology: &Technology) -> bool {
    technology.category == "build-tool"
}

/// The version of the runtime: of the service's own image, then of the files by their precedence, the nearest folder
/// first.
fn runtime(merged: &mut Merged, sources: &Sources<'_>) {
    if is_third_party(merged) {
        return;
    }
    let service = &mut merged.service;
    let Some(app) = sources.apps.owner(&service.path) else {
        return;
    };
    if app.runtime.is_empty() || service.language.is_none() {
        return;
    }
    let name = app.runtime;
    service.runtime = Runtime {
        name: Some(Shown::from(name)),
        version: None,
        version_source: None,
    };
    if let Some(pin) = best_pin(name, &service.path, service.dockerfile.as_ref(), sources) {
        service.runtime.version = Some(pin.version.clone());
        service.runtime.version_source = pin.evidence.first().cloned();
    }
}

/// The key of a project file that names the runtime for which it is compiled.
const TARGET_KEY: &str = "TargetFramework";

pub(crate) fn best_pin<'a>(
    runtime: &str,
    dir: &RelPath,
    dockerfile: Option<&RelPath>,
    sources: &'a Sources<'_>,
) -> Option<&'a VersionPin> {
    let order: &[&str] = Catalogue::get()
        .find(Group::Runtime, runtime)
        .and_then(|technology| technology.runtime.as_ref())
        .map_or(&[], |facts| facts.version_files.as_slice());
    let file = |pin: &VersionPin| pin.evidence.first().map(|evidence| evidence.path.clone());
    sources
        .facts
        .version_pins
        .iter()
        .filter(|pin| pin.tool == runtime)
        .filter(|pin| dir.is_in(&pin.path) || file(pin).as_ref() == dockerfile && dockerfile.is_some())
        .min_by_key(|pin| {
            let path = file(pin);
            // The image of development says nothing about production's version.
            let own_image =
                pin.scope == Scope::Production && dockerfile.is_some() && path.as_ref() == dockerfile;
            let name = path
                .as_ref()
                .map(|path| path.name().to_owned())
                .unwrap_or_default();
            let place = order.iter().position(|place| {
                let file = place.split('#').next().unwrap_or(place);
                match file.strip_prefix('*') {
                    Some(end) => name.ends_with(end),
                    None => file == name,
                }
            });
            let rank = place.unwrap_or(order.len());
            // What a program is compiled for is what it needs, whatever image it is put into.
            let target = place
                .and_then(|at| order.get(at)?.split_once('#'))
                .is_some_and(|(_, key)| key == TARGET_KEY);
            (
                !target,
                !own_image,
                pin.scope == Scope::Development,
                usize::MAX - pin.path.depth(),
                rank,
                path,
            )
        })
}

/// Entry points that this service runs. A main function says no port: the listeners of its application do, those of
/// its own folder first.
fn own_entries<'a>(merged: &'a Merged, sources: &'a Sources<'_>) -> Vec<&'a EntryPoint> {
    let mut own: Vec<&EntryPoint> = merged
        .parts
        .iter()
        .filter_map(|part| sources.facts.entry_points.get(part.entry?))
        .collect();
    if merged.service.role != Role::Web {
        return own;
    }
    if own
        .iter()
        .all(|entry| entry.port.is_none() && entry.port_variable.is_none())
    {
        let listeners: Vec<&EntryPoint> =
            entries_of(sources, &merged.service.path, EntryKind::Server).collect();
        let beside = |entry: &&EntryPoint| own.iter().any(|main| entry.path.parent() == main.path.parent());
        let tells = |entry: &&EntryPoint| entry.port.is_some() || entry.port_variable.is_some();
        let near: Vec<&EntryPoint> = listeners
            .iter()
            .copied()
            .filter(|entry| !own.is_empty() && beside(entry) && tells(entry))
            .collect();
        own.extend(if near.is_empty() { listeners } else { near });
    }
    own
}

/// Ports: of the command's options, of production's units and the image, of the listener in the code, of the server's
/// and framework's defaults, in this order.
fn ports(merged: &mut Merged, sources: &Sources<'_>) {
    let role = merged.service.role;
    if !matches!(
        role,
        Role::Web | Role::Frontend | Role::Proxy | Role::Monitoring | Role::Tool | Role::Function
    ) {
        return;
    }
    let mut found: BTreeSet<u16> = BTreeSet::new();
    let entries: Vec<EntryPoint> = own_entries(merged, sources).into_iter().cloned().collect();
    for unit in merged
        .parts
        .iter()
        .filter(|part| part.tier == Tier::Stack)
        .filter_map(|part| unit_of(part.unit, sources))
    {
        found.extend(unit.ports.iter().map(|port| port.container));
    }
    let command = merged
        .service
        .commands
        .start_resolved
        .as_ref()
        .or(merged.service.commands.start.as_ref());
    let text = command
        .map(|command| command.as_str().to_owned())
        .unwrap_or_default();
    let of_command = command_port(&text);
    merged.service.port_variable = port_variable(&text).or_else(|| {
        entries
            .iter()
            .find_map(|entry| entry.port_variable.as_ref().map(Into::into))
    });
    merged.service.bind = entries
        .iter()
        .find_map(|entry| entry.bind.as_ref().map(Into::into));
    found.extend(of_command);
    if found.is_empty() || of_command.is_none() {
        for container in sources
            .containers
            .iter()
            .filter(|container| Some(&container.path) == merged.service.dockerfile.as_ref())
        {
            if found.is_empty() {
                found.extend(container.exposed_ports.iter().copied());
            }
        }
    }
    if found.is_empty() {
        found.extend(entries.iter().filter_map(|entry| entry.port));
    }
    let mut confidence = Confidence::Stated;
    if found.is_empty()
        && let Some(variable) = &merged.service.port_variable
    {
        found.extend(default_of(variable.as_str(), sources));
        confidence = Confidence::Derived;
    }
    if found.is_empty()
        && let Some((variable, port)) = read_port(&merged.service.path, sources)
    {
        merged.service.port_variable = merged.service.port_variable.take().or(Some(variable));
        found.insert(port);
        confidence = Confidence::Derived;
    }
    if found.is_empty() {
        for unit in merged
            .parts
            .iter()
            .filter(|part| part.tier == Tier::Development)
            .filter_map(|part| unit_of(part.unit, sources))
        {
            found.extend(
                unit.ports
                    .iter()
                    .map(|port| port.container)
                    .filter(|port| !is_debug_port(*port)),
            );
        }
        confidence = Confidence::Derived;
    }
    if found.is_empty() && role != Role::Function {
        found.extend(conventional_port(&text, &entries, merged));
        confidence = Confidence::Convention;
    }
    merged.service.ports = found.into_iter().collect();
    merged.service.port_confidence = confidence;
}

/// Ports that debuggers, and the bundlers of front ends, listen on by default while people develop.
fn is_debug_port(port: u16) -> bool {
    matches!(port, 5005 | 5173 | 5678 | 9229 | 24678)
}

fn unit_of<'a>(
    unit: Option<(usize, usize)>,
    sources: &'a Sources<'_>,
) -> Option<&'a playbook_core::inventory::Unit> {
    let (stack, unit) = unit?;
    sources.stacks.get(stack)?.units.get(unit)
}

/// The port that a command's options say: `--port 8000`, `-b 0.0.0.0:8000`, `runserver 0.0.0.0:8000`, also the default of
/// `${PORT:-8000}`.
fn command_port(text: &str) -> Option<u16> {
    let technologies = roles::technologies(text);
    let words: Vec<&str> = text
        .split_whitespace()
        .map(|word| word.trim_matches(['"', '\'', ',']))
        .collect();
    for server in technologies
        .iter()
        .filter_map(|technology| technology.server.as_ref())
    {
        for (at, word) in words.iter().enumerate() {
            for flag in server.port_flags.iter().chain(&server.bind_flags) {
                let value = if word == flag {
                    words.get(at + 1).copied()
                } else {
                    word.strip_prefix(flag).and_then(|rest| rest.strip_prefix('='))
                };
                if let Some(port) = value.and_then(port_in) {
                    return Some(port);
                }
            }
            if server.port_argument
                && let Some(port) = word.contains(':').then(|| port_in(word)).flatten()
            {
                return Some(port);
            }
        }
    }
    words.iter().enumerate().find_map(|(at, word)| match *word {
        "--port" | "--http-port" | "--server.port" => words.get(at + 1).and_then(|value| port_in(value)),
        _ => word
            .strip_prefix("--port=")
            .or_else(|| word.strip_prefix("--server.port="))
            .or_else(|| word.strip_prefix("-Dserver.port="))
            .and_then(port_in),
    })
}

/// The port at the end of an address, or the default of a variable.
fn port_in(text: &str) -> Option<u16> {
    let text = text.trim_matches(['"', '\'']);
    if let Some((_, default)) = text.split_once(":-") {
        return port(Raw::new(default.trim_end_matches('}')));
    }
    port(Raw::new(text.rsplit(':').next().unwrap_or(text)))
}

/// The variable that a command takes its port from.
fn port_variable(text: &str) -> Option<Shown> {
    let at = text.find("$PORT").or_else(|| text.find("${PORT"))?;
    text.get(at..).map(|_| Shown::from("PORT"))
}

/// The variable of the server's port that the application's code reads, with its default.
pub(crate) fn read_port(dir: &RelPath, sources: &Sources<'_>) -> Option<(Shown, u16)> {
    conventions::port_variables().iter().find_map(|name| {
        let mut reads = sources.facts.variables.iter().filter(|fact| {
            fact.name.as_str() == *name
                && fact.scope == Scope::Production
                && fact.origin == VariableOrigin::Code
                && sources
                    .apps
                    .owner(&fact.evidence.path)
                    .is_some_and(|app| app.dir == *dir)
        });
        reads.find_map(|fact| {
            Some((
                (&fact.name).into(),
                port(Raw::new(fact.default.as_ref()?.as_str()))?,
            ))
        })
    })
}

fn default_of(variable: &str, sources: &Sources<'_>) -> Option<u16> {
    sources
        .facts
        .variables
        .iter()
        .filter(|fact| fact.name.as_str() == variable && fact.scope == Scope::Production)
        .find_map(|fact| port(Raw::new(fact.default.as_ref()?.as_str())))
}

fn conventional_port(text: &str, entries: &[EntryPoint], merged: &Merged) -> Option<u16> {
    let of_command = roles::technologies(text)
        .iter()
        .find_map(|technology| technology.default_port);
    let of_entry = || {
        entries.iter().find_map(|entry| {
            Catalogue::get()
                .find(Group::Framework, entry.framework.as_str())?
                .default_port
        })
    };
    let of_framework = || {
        let of_slugs = merged
            .service
            .frameworks
            .iter()
            .filter_map(|slug| Catalogue::get().find(Group::Framework, slug.as_str()));
        // The port of a bundler is the one of its development server.
        of_slugs
            .filter(|technology| !is_build_tool(technology))
            .find_map(|technology| technology.default_port)
    };
    of_command.or_else(of_entry).or_else(of_framework)
}

/// Health endpoints: routes of the code, probes of units and images, add-ons of frameworks.
/// Takes over those of the routes that are health endpoints.
fn add_routes(checks: &mut Vec<HealthCheck>, routes: Vec<WholeRoute>, development_only: bool) {
    for route in routes {
        if is_health_path(route.path.as_str()) && matches!(route.method.as_str(), "GET" | "*" | "HEAD") {
            add_check(
                checks,
                HealthCheck {
                    path: route.path,
                    checks: route.touches,
                    shallow: route.constant,
                    authenticated: route.authenticated.unwrap_or_default(),
                    development_only,
                    evidence: vec![route.evidence],
                },
            );
        }
    }
}

/// The folders of libraries of this repository that an application is built with: it serves their routes.
fn libraries(dir: &RelPath, sources: &Sources<'_>) -> Vec<RelPath> {
    let Some(app) = sources.apps.at(dir) else {
        return Vec::new();
    };
    let wanted: BTreeSet<&str> = app
        .projects
        .iter()
        .flat_map(|project| &project.dependencies)
        .filter(|dependency| !dependency.development)
        .map(|dependency| dependency.name.as_str())
        .collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    let is_wanted = |other: &&super::apps::App| {
        other.dir != *dir
            && other.projects.iter().any(|project| {
                project
                    .name
                    .as_ref()
                    .is_some_and(|name| wanted.contains(name.as_str()))
            })
    };
    // What is a process of its own answers for itself.
    let is_process = |folder: &RelPath| {
        sources
            .facts
            .entry_points
            .iter()
            .filter(|entry| entry.path.is_in(folder))
            .any(|entry| {
                sources
                    .apps
                    .owner(&entry.path)
                    .is_some_and(|owner| owner.dir == *folder)
            })
    };
    sources
        .apps
        .all
        .iter()
        .filter(is_wanted)
        .map(|other| other.dir.clone())
        .filter(|folder| !is_process(folder))
        .collect()
}

/// The path of a framework's endpoint where the application's configuration puts it.
fn moved(path: &'static str, framework: &str, app: &super::apps::App, sources: &Sources<'_>) -> Shown {
    let own: Vec<&crate::fact::HealthBaseFact> = sources
        .facts
        .health_bases
        .iter()
        .filter(|base| base.framework == framework && base.evidence.path.is_in(&app.dir))
        .collect();
    let mut text = path.to_owned();
    for base in own.iter().filter(|base| !base.replaces.is_empty()) {
        if let Some(rest) = path.strip_prefix(base.replaces) {
            text = format!("{}{rest}", base.path.as_str().trim_end_matches('/'));
        }
    }
    if let Some(base) = own.iter().find(|base| base.replaces.is_empty()) {
        text = format!("{}{text}", base.path.as_str().trim_end_matches('/'));
    }
    UrlPath::parse(Raw::new(&text)).map_or_else(|| Shown::from(path), Shown::from)
}

fn health(merged: &mut Merged, sources: &Sources<'_>) {
    if !matches!(merged.service.role, Role::Web | Role::Frontend) {
        return;
    }
    let mut checks: Vec<HealthCheck> = Vec::new();
    let dir = merged.service.path.clone();
    let own = [dir.clone()];
    add_routes(&mut checks, of_folders(&own, Scope::Production, sources), false);
    if checks.is_empty() {
        let shared = libraries(&dir, sources);
        add_routes(
            &mut checks,
            of_folders(&shared, Scope::Production, sources),
            false,
        );
        if checks.is_empty() {
            add_routes(&mut checks, of_development(&own, sources), true);
        }
        if checks.is_empty() {
            add_routes(&mut checks, of_development(&shared, sources), true);
        }
    }
    let mut probed: Vec<(UrlPath, Evidence)> = Vec::new();
    for unit in merged.parts.iter().filter_map(|part| unit_of(part.unit, sources)) {
        for probe in &unit.probes {
            let path = probe
                .path
                .as_ref()
                .and_then(|path| UrlPath::parse(Raw::new(path.as_str())));
            let path = path.or_else(|| {
                probe
                    .command
                    .as_ref()
                    .and_then(|command| path_of_probe(command.as_str()))
            });
            probed.extend(path.zip(probe.evidence.first().cloned()));
        }
    }
    for container in sources
        .containers
        .iter()
        .filter(|container| Some(&container.path) == merged.service.dockerfile.as_ref())
    {
        if let (Some(command), Some(line)) = (&container.healthcheck, container.healthcheck_line) {
            probed.extend(
                path_of_probe(command.as_str()).map(|path| (path, Evidence::at(&container.path, line))),
            );
        }
    }
    for (path, evidence) in probed {
        if path.as_str() != "/" {
            add_check(
                &mut checks,
                HealthCheck {
                    path: path.into(),
                    checks: Vec::new(),
                    shallow: false,
                    authenticated: false,
                    development_only: false,
                    evidence: vec![evidence],
                },
            );
        }
    }
    if let Some(app) = sources.apps.owner(&dir) {
        for known in app.of_group(Group::Framework) {
            for add_on in known
                .technology
                .framework
                .iter()
                .flat_map(|framework| &framework.health)
            {
                let installed = if add_on.package.is_empty() {
                    Some(known.evidence.clone())
                } else {
                    package_evidence(app, add_on.package)
                };
                if let (Some(evidence), true) = (installed, checks.is_empty()) {
                    for path in &add_on.paths {
                        add_check(
                            &mut checks,
                            HealthCheck {
                                path: moved(path, known.technology.id, app, sources),
                                checks: Vec::new(),
                                shallow: false,
                                authenticated: false,
                                development_only: false,
                                evidence: vec![evidence.clone()],
                            },
                        );
                    }
                }
            }
        }
    }
    merged.service.health_checks = checks.iter().map(|check| check.path.clone()).collect();
    merged.service.health = checks;
}

fn package_evidence(app: &super::apps::App, package: &str) -> Option<Evidence> {
    app.projects.iter().find_map(|project| {
        project
            .dependencies
            .iter()
            .find(|dependency| dependency.name.as_str() == package)
            .map(|dependency| Evidence::at(&project.manifest, dependency.line))
    })
}

fn add_check(checks: &mut Vec<HealthCheck>, check: HealthCheck) {
    let same = |a: &str, b: &str| a.trim_end_matches('/') == b.trim_end_matches('/');
    match checks
        .iter_mut()
        .find(|known| same(known.path.as_str(), check.path.as_str()))
    {
        Some(known) => known.evidence.extend(check.evidence),
        None => checks.push(check),
    }
}

/// The path of the local address that a probe's command calls.
fn path_of_probe(command: &str) -> Option<UrlPath> {
    let at = ["localhost", "127.0.0.1", "0.0.0.0", "[::1]"]
        .iter()
        .find_map(|host| command.find(host).map(|at| at + host.len()))?;
    let rest = command.get(at..)?;
    let rest = rest.trim_start_matches(|c: char| {
        c == ':'
            || c.is_ascii_digit()
            || matches!(c, '$' | '{' | '}' | '-')
            || c.is_ascii_uppercase()
            || c == '_'
    });
    let path: String = rest
        .chars()
        .take_while(|c| !c.is_whitespace() && !matches!(c, '"' | '\'' | '`' | ')' | '|' | ';' | ','))
        .collect();
    if path.is_empty() {
        None
    } else {
        UrlPath::parse(Raw::new(path.split('?').next().unwrap_or(&path)))
    }
}

/// WebSocket, replicas, background work, singleton, entry point.
fn details(merged: &mut Merged, sources: &Sources<'_>) {
    let dir = merged.service.path.clone();
    let of_app = |path: &RelPath| {
        sources
            .apps
            .owner(path)
            .map_or_else(|| path.is_in(&dir), |app| app.dir == dir)
    };
    let interface = sources.facts.interfaces.iter().any(|interface| {
        interface.kind == InterfaceKind::WebSocket
            && interface.evidence.iter().any(|evidence| of_app(&evidence.path))
    });
    let route = sources.facts.routes.iter().any(|route| {
        route.method == super::routes::WEBSOCKET
            && route.scope == Scope::Production
            && of_app(&route.evidence.path)
    });
    merged.service.websocket = merged.service.role == Role::Web && (interface || route);
    merged.service.replicas = merged
        .parts
        .iter()
        .filter(|part| part.tier == Tier::Stack)
        .filter_map(|part| unit_of(part.unit, sources))
        .find_map(|unit| unit.replicas);
    merged.service.singleton = merged.service.role == Role::Scheduler;
    merged.service.entry_point = own_entries(merged, sources)
        .iter()
        .find_map(|entry| entry.symbol.as_ref())
        .and_then(|symbol| Name::parse(Raw::new(&super::commands::relative_symbol(symbol.as_str(), &dir))))
        .map(Into::into);
    if merged.service.role == Role::Web
        && let Some(app) = sources.apps.at(&dir)
    {
        let in_process = app.of_group(Group::Framework).filter(|known| {
            known
                .technology
                .framework
                .as_ref()
                .is_some_and(|framework| framework.in_process)
        });
        merged.service.background = in_process.map(|known| Shown::from(known.technology.id)).collect();
    }
}
