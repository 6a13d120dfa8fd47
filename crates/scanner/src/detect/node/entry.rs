//! Where processes begin: listeners, workers, functions of serverless platforms.

use std::collections::BTreeMap;
use std::ops::Range;

use playbook_core::evidence::{Evidence, Scope};
use playbook_core::harmless::Symbol;
use playbook_core::inventory::{Interface, InterfaceKind, SignalKind};
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use super::known;
use super::syntax::{Call, Code};
use super::value::{self, Port};
use crate::fact::{EntryKind, EntryPoint, Facts};

/// An application or server object of a file.
#[derive(Debug, Clone)]
pub(super) struct Object {
    /// Slug of the framework, a plain server's resolved to what it serves.
    pub(super) framework: &'static str,
    /// The call that makes it.
    made: usize,
    options: bool,
}

/// The objects of a file by the names they are assigned to.
pub(super) fn objects(code: &Code<'_>) -> BTreeMap<String, Object> {
    let mut out: BTreeMap<String, Object> = BTreeMap::new();
    for (at, call) in code.calls.iter().enumerate() {
        let made =
            known::application(&call.full).or_else(|| known::application(&code.start_of_chain(call)?.full));
        let (Some(entry), Some(name)) = (made, &call.assigned) else {
            continue;
        };
        if call.receiver.is_some() && is_consumer(call.method()) {
            continue;
        }
        let around = entry.wraps.then(|| served(code, call, &out)).flatten();
        out.insert(
            name.clone(),
            Object {
                framework: around.unwrap_or(entry.framework),
                made: at,
                options: entry.options,
            },
        );
    }
    out
}

/// Methods whose result is no longer the application.
fn is_consumer(method: &str) -> bool {
    matches!(
        method,
        "listen" | "address" | "close" | "on" | "inject" | "callback" | "fetch" | "request"
    )
}

/// The framework of the application that a plain server is made around.
fn served(code: &Code<'_>, call: &Call, objects: &BTreeMap<String, Object>) -> Option<&'static str> {
    let inside = code.masked.inside(call.open)?;
    for argument in code.arguments(call.open) {
        let written = argument.written(code.text());
        let name = written.split(['.', '(']).take(1).next().unwrap_or(written);
        let object = objects.get(written).or_else(|| objects.get(name));
        if let Some(object) = object {
            return Some(object.framework);
        }
    }
    code.calls_in(&inside)
        .into_iter()
        .find_map(|inner| known::application(&inner.full).filter(|entry| !entry.wraps))
        .map(|entry| entry.framework)
}

/// The framework that a file without an application of its own most likely serves: what it imports.
fn imported_framework(code: &Code<'_>) -> &'static str {
    code.modules
        .iter()
        .find_map(|(module, _)| known::application(&format!("{module}#")).filter(|entry| !entry.wraps))
        .map_or("node-http", |entry| entry.framework)
}

/// Tells the entry points of a file.
pub(super) fn detect(code: &Code<'_>, objects: &BTreeMap<String, Object>, facts: &mut Facts) {
    let mut told: Vec<(EntryKind, &'static str, u32)> = Vec::new();
    for call in &code.calls {
        let found = listener(code, call, objects)
            .or_else(|| serving(code, call))
            .map(|(framework, port, bind)| (EntryKind::Server, framework, port, bind))
            .or_else(|| worker(code, call).map(|(kind, framework)| (kind, framework, Port::default(), None)));
        let Some((kind, framework, port, bind)) = found else {
            continue;
        };
        let line = code.line(call.open);
        if told.iter().any(|(k, f, _)| *k == kind && *f == framework) && kind != EntryKind::Server {
            continue;
        }
        told.push((kind, framework, line));
        push(code, facts, kind, framework, port, bind, line);
    }
    sockets(code, facts);
    functions(code, facts);
}

fn push(
    code: &Code<'_>,
    facts: &mut Facts,
    kind: EntryKind,
    framework: &'static str,
    port: Port,
    bind: Option<playbook_core::harmless::Setting>,
    line: u32,
) {
    let loopback = bind
        .as_ref()
        .is_some_and(|bind| matches!(bind.as_str(), "localhost" | "127.0.0.1" | "::1" | "[::1]"));
    if loopback {
        facts.signal(
            SignalKind::BindsLoopback,
            Some(Shown::from(framework)),
            code.source.scope,
            code.source.at(line),
        );
    }
    facts.entry_points.push(EntryPoint {
        path: code.source.path.clone(),
        kind,
        framework: Shown::from(framework),
        symbol: Symbol::parse(Raw::new(code.source.path.as_str())),
        port: port.number,
        port_variable: port.variable,
        bind,
        scope: code.source.scope,
        evidence: code.source.at(line),
    });
}

type Listening = (&'static str, Port, Option<playbook_core::harmless::Setting>);

/// `app.listen(3000)`, `server.start()`.
fn listener(code: &Code<'_>, call: &Call, objects: &BTreeMap<String, Object>) -> Option<Listening> {
    let method = call.method();
    if !matches!(method, "listen" | "start" | "listenAsync") || call.path.len() < 2 {
        return None;
    }
    let made = call
        .object()
        .and_then(|name| objects.get(&name))
        .map(|object| (object.framework, object.options.then_some(object.made)));
    let chained = || {
        let start = code.start_of_chain(call)?;
        let entry = known::application(&start.full)?;
        let around = entry.wraps.then(|| served(code, start, objects)).flatten();
        Some((around.unwrap_or(entry.framework), None))
    };
    let known = made.or_else(chained);
    if method == "start" {
        // Only servers whose options hold the port begin with `start`.
        let (framework, made) = known?;
        let options = code.calls.get(made?)?;
        let range = code.arguments(options.open).into_iter().next()?.range;
        let port = code
            .entry(&range, "port")
            .map_or_else(Port::default, |entry| value::port(code, &entry.range));
        let bind = code
            .entry(&range, "host")
            .and_then(|entry| value::address(code, &entry.range));
        return Some((framework, port, bind));
    }
    let arguments = code.arguments(call.open);
    let (mut port, mut bind) = (Port::default(), None);
    if let Some(first) = arguments.first() {
        let options = code.object(&first.range);
        if options.is_empty() {
            port = value::port(code, &first.range);
            bind = arguments
                .get(1)
                .filter(|second| !is_function(second.written(code.text())))
                .and_then(|second| value::address(code, &second.range));
        } else {
            for option in &options {
                match option.name.as_deref() {
                    Some("port") => port = value::port(code, &option.range),
                    Some("host" | "hostname") => bind = value::address(code, &option.range),
                    // `{ port, host }` stands for names of this file.
                    None if option.written(code.text()) == "port" => port = value::port(code, &option.range),
                    None if matches!(option.written(code.text()), "host" | "hostname") => {
                        bind = value::address(code, &option.range);
                    }
                    _ => {}
                }
            }
        }
    }
    if let Some((framework, _)) = known {
        return Some((framework, port, bind));
    }
    // An application that another file makes: `import app from "./app"`, or a parameter.
    let object = call.object()?;
    let name = object.rsplit('.').next().unwrap_or(&object).to_ascii_lowercase();
    let named = [
        "app",
        "server",
        "httpserver",
        "api",
        "fastify",
        "application",
        "nestapp",
        "express",
        "srv",
    ]
    .iter()
    .any(|word| name.ends_with(word));
    let first = object.split('.').next().unwrap_or_default();
    let relative = code
        .imports
        .get(first)
        .is_some_and(|import| import.module.starts_with(['.', '@', '~']));
    ((named || relative) && port.plausible && !is_test_library(code))
        .then(|| (imported_framework(code), port, bind))
}

fn is_test_library(code: &Code<'_>) -> bool {
    [
        "vitest",
        "@jest/globals",
        "supertest",
        "mocha",
        "msw",
        "@nestjs/testing",
    ]
    .iter()
    .any(|module| code.asks_for(module))
}

fn is_function(text: &str) -> bool {
    text.contains("=>") || text.starts_with("function") || text.starts_with("async")
}

/// Calls that listen by themselves: `Bun.serve({ port })`.
fn serving(code: &Code<'_>, call: &Call) -> Option<Listening> {
    let entry = known::serve(&call.full)?;
    let arguments = code.arguments(call.open);
    let option = |path: &str| -> Option<Range<usize>> {
        arguments.iter().find_map(|argument| {
            let mut range = argument.range.clone();
            for key in path.split('.') {
                let found = code.entry(&range, key).map(|entry| entry.range).or_else(|| {
                    code.object(&range)
                        .into_iter()
                        .find(|entry| entry.name.is_none() && entry.written(code.text()) == key)
                        .map(|entry| entry.range)
                });
                range = found?;
            }
            Some(range)
        })
    };
    let port = option(entry.port).map(|range| value::port(code, &range));
    if entry.port_needed && port.is_none() {
        return None;
    }
    let bind = option(entry.host).and_then(|range| value::address(code, &range));
    Some((entry.framework, port.unwrap_or_default(), bind))
}

/// A queue consumer of a file that is a program of its own: one that hands nothing to other files.
fn worker(code: &Code<'_>, call: &Call) -> Option<(EntryKind, &'static str)> {
    let entry = known::worker(&call.full)?;
    if entry.new && !call.new {
        return None;
    }
    if !entry.method.is_empty() {
        let name = call.assigned.as_deref()?;
        code.calls_method(name, entry.method).then_some(())?;
    }
    let exports = code.code().contains("export ") || code.code().contains("module.exports");
    let nest = entry.framework == "nestjs";
    (!exports || nest).then(|| (entry.kind(), entry.framework))
}

/// WebSocket servers that hang on the HTTP server.
fn sockets(code: &Code<'_>, facts: &mut Facts) {
    for call in &code.calls {
        let socket = known::application(&call.full).is_some_and(|entry| entry.websocket)
            || known::serve(&call.full).is_some_and(|entry| entry.framework == "ws");
        if socket {
            interface(code, facts, InterfaceKind::WebSocket, call.open);
        }
    }
}

/// Tells an interface.
pub(super) fn interface(code: &Code<'_>, facts: &mut Facts, kind: InterfaceKind, offset: usize) {
    if code.source.scope == Scope::Production {
        facts.interfaces.push(Interface {
            kind,
            path: None,
            service: None,
            evidence: vec![Evidence::at(code.source.path, code.line(offset))],
        });
    }
}

/// Handlers of serverless platforms: `export const handler = …` with the platform's types, or functions of a framework.
fn functions(code: &Code<'_>, facts: &mut Facts) {
    let platform = [
        "aws-lambda",
        "@azure/functions",
        "@google-cloud/functions-framework",
        "firebase-functions",
        "@netlify/functions",
        "serverless-http",
        "@vendia/serverless-express",
        "@fastify/aws-lambda",
    ]
    .iter()
    .find_map(|module| code.offset_of_module(module).map(|_| *module));
    let Some(platform) = platform else { return };
    let handler = code
        .code()
        .find("export const handler")
        .or_else(|| code.code().find("exports.handler"))
        .or_else(|| code.code().find("export async function handler"))
        .or_else(|| {
            code.calls
                .iter()
                .find(|call| {
                    call.full.starts_with("@azure/functions#app.")
                        || call.full.starts_with("@google-cloud/functions-framework#")
                        || call.full.starts_with("firebase-functions")
                })
                .map(|call| call.open)
        });
    if let Some(offset) = handler {
        push(
            code,
            facts,
            EntryKind::Function,
            framework_of_platform(platform),
            Port::default(),
            None,
            code.line(offset),
        );
    }
}

fn framework_of_platform(module: &str) -> &'static str {
    match module {
        "@azure/functions" => "azure-functions",
        "@google-cloud/functions-framework" => "google-cloud-functions",
        "firebase-functions" => "firebase-functions",
        "@netlify/functions" => "netlify-functions",
        _ => "aws-lambda",
    }
}
