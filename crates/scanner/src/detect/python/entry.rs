//! Where processes begin: application objects and their factories, listeners, workers, schedulers, functions.

use std::collections::BTreeMap;

use playbook_core::harmless::Symbol;
use playbook_core::inventory::SignalKind;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use super::known::{self, Run};
use super::syntax::{Call, Code, Definition, Span};
use super::value::{self, Port, argument, is_true};
use crate::fact::{EntryKind, EntryPoint, Facts};

/// An application object of the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Object<'a> {
    /// The variable that holds it.
    pub(super) name: &'a str,
    /// Slug of its framework.
    pub(super) framework: &'static str,
    /// What kind of process it makes.
    pub(super) kind: EntryKind,
    /// The call that makes it.
    pub(super) call: Call<'a>,
    /// The function that makes and returns it; `None` for one of the top level.
    pub(super) factory: Option<&'a str>,
}

/// The application objects of a file, by the variables that hold them.
pub(super) fn objects<'a>(code: &Code<'a>, definitions: &[Definition<'a>]) -> Vec<Object<'a>> {
    let classes = extended(code, definitions);
    let mut found = Vec::new();
    for call in code.calls() {
        let full = code.full_name(call.name);
        // `from fasthtml.common import *` brings the name without saying it.
        let of_star = || {
            let module = code.imported("*")?.strip_suffix('*')?;
            (full == call.name).then(|| known::application(&format!("{module}{full}")))?
        };
        let known = known::application(&full)
            .or_else(of_star)
            .map(|entry| (entry.framework, entry.kind()));
        let Some((framework, kind)) = known.or_else(|| classes.get(call.name).copied()) else {
            continue;
        };
        let statement = code.statement_at(call.start);
        let Some(line) = code.statement(statement) else {
            continue;
        };
        let holder = definitions.iter().rfind(|definition| {
            !definition.class && definition.body.0 <= statement && statement < definition.body.1
        });
        let assigned = code.assignment(line).map(|(name, ..)| name);
        let returned = code.statement_code(line).starts_with("return ");
        let name = match (assigned, returned) {
            (Some(name), _) => name,
            (None, true) => "",
            (None, false) => continue,
        };
        // An object that is an attribute, or an argument of another one, has no name for a server.
        let name = name.rsplit('.').next().unwrap_or(name);
        let factory = holder
            .filter(|holder| returned || returns(code, holder, name))
            .map(|holder| holder.name);
        if holder.is_some() && factory.is_none() && kind == EntryKind::Server && !is_main(holder) {
            continue;
        }
        found.push(Object {
            name,
            framework,
            kind,
            call,
            factory,
        });
    }
    found
}

/// `def main():` makes the application that it runs itself.
fn is_main(holder: Option<&Definition<'_>>) -> bool {
    holder.is_some_and(|holder| {
        matches!(
            holder.name,
            "main" | "run" | "serve" | "start" | "start_server" | "run_server"
        )
    })
}

/// Does a function give a name back?
fn returns(code: &Code<'_>, holder: &Definition<'_>, name: &str) -> bool {
    code.statements()
        .iter()
        .take(holder.body.1)
        .skip(holder.body.0)
        .any(|statement| {
            let line = code.statement_code(*statement);
            let value = line
                .strip_prefix("return ")
                .or_else(|| line.strip_prefix("yield "))
                .unwrap_or_default()
                .trim();
            value == name || value.split([',', '(', ')']).any(|part| part.trim() == name)
        })
}

/// Classes of the file that extend a known application class.
fn extended<'a>(
    code: &Code<'a>,
    definitions: &[Definition<'a>],
) -> BTreeMap<&'a str, (&'static str, EntryKind)> {
    let mut found = BTreeMap::new();
    for definition in definitions.iter().filter(|definition| definition.class) {
        for base in code.items(definition.parameters) {
            let Some(path) = code.path(base) else { continue };
            if let Some(entry) = known::application(&code.full_name(path)) {
                found.insert(definition.name, (entry.framework, entry.kind()));
            }
        }
    }
    found
}

/// Tells the entry points of a file.
pub(super) fn detect<'a>(
    code: &Code<'a>,
    definitions: &[Definition<'a>],
    objects: &[Object<'a>],
    facts: &mut Facts,
) {
    for object in objects {
        // Inside `main` only the listener counts.
        if object.factory.is_none()
            && code
                .statement(code.statement_at(object.call.start))
                .is_some_and(|s| s.indent > 0)
            && object.kind == EntryKind::Server
            && definitions
                .iter()
                .any(|d| is_main(Some(d)) && contains(code, d, object.call.start))
        {
            continue;
        }
        let symbol = match object.factory {
            Some(factory) if object.kind == EntryKind::Server => Some(format!("{factory}()")),
            Some(factory) => Some(factory.to_owned()),
            None if object.name.is_empty() => None,
            None => Some(object.name.to_owned()),
        };
        push(
            code,
            facts,
            object.kind,
            Shown::from(object.framework),
            symbol.as_deref(),
            object.call.start,
        );
    }
    imported_application(code, objects, facts);
    listeners(code, objects, facts);
    streamlit(code, facts);
    functions(code, definitions, facts);
    super::worker::detect(code, definitions, facts);
    main_program(code, facts);
}

fn contains(code: &Code<'_>, definition: &Definition<'_>, offset: usize) -> bool {
    let statement = code.statement_at(offset);
    definition.body.0 <= statement && statement < definition.body.1
}

/// Tells an entry point of this file.
pub(super) fn push(
    code: &Code<'_>,
    facts: &mut Facts,
    kind: EntryKind,
    framework: Shown,
    name: Option<&str>,
    offset: usize,
) {
    let symbol = match name {
        Some(name) => format!("{}:{name}", code.module_name()),
        None => code.module_name(),
    };
    facts.entry_points.push(EntryPoint {
        path: code.source.path.clone(),
        kind,
        framework,
        symbol: Symbol::parse(Raw::new(&symbol)),
        port: None,
        port_variable: None,
        bind: None,
        scope: code.source.scope,
        evidence: code.source.at(code.line(offset)),
    });
}

/// `app = create_app()` with a factory of another file.
fn imported_application(code: &Code<'_>, objects: &[Object<'_>], facts: &mut Facts) {
    const NAMES: &[&str] = &[
        "app",
        "application",
        "api",
        "wsgi",
        "asgi",
        "wsgi_app",
        "asgi_app",
        "server",
    ];
    for statement in code.statements().iter().filter(|statement| statement.indent == 0) {
        let Some((name, _, Some(span))) = code.assignment(*statement) else {
            continue;
        };
        let Some(call) = code
            .calls_in(span)
            .into_iter()
            .find(|call| call.start == span.start)
        else {
            continue;
        };
        let factory = call.name.rsplit('.').next().unwrap_or(call.name);
        let makes = ["create_", "make_", "build_", "get_", "init_", "setup_"]
            .iter()
            .find_map(|verb| factory.strip_prefix(verb))
            .is_some_and(|rest| {
                ["app", "api", "asgi", "wsgi", "server"]
                    .iter()
                    .any(|word| rest.contains(word))
            })
            || factory == "factory";
        // A function of this file that makes an object is told as a factory already; the variable is what servers use.
        let own = objects.iter().find(|object| object.factory == Some(call.name));
        let imported = call
            .name
            .split('.')
            .next()
            .is_some_and(|head| code.imported(head).is_some());
        if !NAMES.contains(&name) || known::application(&code.full_name(call.name)).is_some() {
            continue;
        }
        if let Some(own) = own {
            push(
                code,
                facts,
                own.kind,
                Shown::from(own.framework),
                Some(name),
                statement.start,
            );
        } else if makes && imported {
            let asynchronous =
                code.source.path.name().contains("asgi") || code.uses("fastapi") || code.uses("starlette");
            let framework = if code.uses("flask") {
                "flask"
            } else if code.uses("fastapi") {
                "fastapi"
            } else if asynchronous {
                "asgi"
            } else {
                "wsgi"
            };
            push(
                code,
                facts,
                EntryKind::Server,
                Shown::from(framework),
                Some(name),
                statement.start,
            );
        }
    }
}

/// The calls that open a port.
fn listeners(code: &Code<'_>, objects: &[Object<'_>], facts: &mut Facts) {
    for call in code.calls() {
        let full = code.full_name(call.name);
        if let Some(run) = known::run(&full).filter(|run| run.needs.is_empty() || code.uses(run.needs)) {
            listener(code, objects, &call, run, run.framework, facts);
            continue;
        }
        let Some((receiver, method)) = call.name.rsplit_once('.') else {
            continue;
        };
        let object = objects.iter().find(|object| object.name == receiver);
        let imported = || {
            let full = code.imported(receiver)?;
            // `from app import app` with a method that only an application has: the framework is the file's.
            matches!(receiver, "app" | "application" | "server" | "api").then_some(full)
        };
        let run = known::runs().iter().find(|run| {
            run.call.strip_prefix('.') == Some(method)
                && (run.needs.is_empty() || code.uses(run.needs))
                && match object {
                    Some(object) => run.frameworks.is_empty() || run.frameworks.contains(&object.framework),
                    None => {
                        run.frameworks.is_empty()
                            || run.frameworks.contains(&"flask")
                                && (imported().is_some() || made_by_factory(code, receiver, call.start))
                    }
                }
        });
        if let Some(run) = run {
            let framework = match object {
                Some(object) => object.framework,
                None if !run.framework.is_empty() => run.framework,
                None if code.uses("flask") || run.development => "flask",
                None => run.framework,
            };
            listener(code, objects, &call, run, framework, facts);
        }
    }
}

/// Is a variable the result of a function named like a factory of applications?
fn made_by_factory(code: &Code<'_>, name: &str, offset: usize) -> bool {
    let Some(value) = code.value_before(name, offset) else {
        return false;
    };
    code.calls_in(value).first().is_some_and(|call| {
        call.name
            .rsplit('.')
            .next()
            .is_some_and(|last| last.contains("app"))
    })
}

fn listener(
    code: &Code<'_>,
    objects: &[Object<'_>],
    call: &Call<'_>,
    run: &'static Run,
    framework: &'static str,
    facts: &mut Facts,
) {
    let arguments = code.arguments(call);
    // The address of a pair, of `host:port`, or a host and a port on their own.
    let pair = argument(&arguments, run.address).map(|span| {
        let items = code
            .value_before(code.path(span).unwrap_or_default(), span.start)
            .unwrap_or(span);
        match code.list(items).as_deref() {
            Some([host, port]) => (Some(*host), *port),
            _ => (Some(items), items),
        }
    });
    let listen = argument(&arguments, run.listen).map(|span| (None, span));
    let (host, port) = match pair.or(listen) {
        Some((host, port)) => (host, Some(port)),
        None => (argument(&arguments, run.host), argument(&arguments, run.port)),
    };
    if !run.address.is_empty() && port.is_none() {
        return;
    }
    let stated = port.map(|span| value::port(code, span));
    let found = match stated {
        Some(port) => port,
        None => Port {
            number: run.default_port,
            variable: None,
        },
    };
    let bind = match host {
        Some(span) => address(code, span),
        None if run.default_host.is_empty() => None,
        None => playbook_core::harmless::Setting::parse(Raw::new(run.default_host)),
    };
    let target = arguments
        .iter()
        .find(|argument| argument.keyword.is_none())
        .map(|argument| argument.value);
    let symbol = served(code, objects, call, target);
    let framework = if framework.is_empty() {
        framework_of(code, objects, target)
    } else {
        framework
    };
    if bind
        .as_ref()
        .is_some_and(|bind| matches!(bind.as_str(), "127.0.0.1" | "localhost" | "::1"))
    {
        facts.signal(
            SignalKind::BindsLoopback,
            Some(Shown::from(framework)),
            code.source.scope,
            at(code, call),
        );
    }
    if run.development || is_true(code, argument(&arguments, "reload")) {
        facts.signal(
            SignalKind::DevelopmentServer,
            Some(Shown::from(framework)),
            code.source.scope,
            at(code, call),
        );
    }
    if is_true(code, argument(&arguments, "debug")) {
        facts.signal(
            SignalKind::DebugEnabled,
            Some(Shown::from(framework)),
            code.source.scope,
            at(code, call),
        );
    }
    facts.entry_points.push(EntryPoint {
        path: code.source.path.clone(),
        kind: EntryKind::Server,
        framework: Shown::from(framework),
        symbol: Symbol::parse(Raw::new(&symbol)),
        port: found.number,
        port_variable: found.variable,
        bind,
        scope: code.source.scope,
        evidence: at(code, call),
    });
}

fn at(code: &Code<'_>, call: &Call<'_>) -> playbook_core::evidence::Evidence {
    code.source.at(code.line(call.start))
}

/// The address in front of the last colon, or a host on its own.
fn address(code: &Code<'_>, span: Span) -> Option<playbook_core::harmless::Setting> {
    let first = code.texts_in(span).first().map(|(text, _)| (*text).to_owned());
    match first {
        Some(text) if text.contains(':') => {
            let host = text
                .rsplit_once(':')
                .map_or(text.as_str(), |(host, _)| host)
                .trim_matches(['[', ']']);
            playbook_core::harmless::Setting::parse(Raw::new(host))
        }
        _ => value::host(code, span),
    }
}

/// What a listener serves: a string `module:name`, an object of this file, an imported one, else the file.
fn served(code: &Code<'_>, objects: &[Object<'_>], call: &Call<'_>, target: Option<Span>) -> String {
    let module = code.module_name();
    if let Some(text) = target
        .and_then(|span| code.string(span))
        .filter(|text| text.contains(':'))
    {
        let first = text.split(['.', ':']).next().unwrap_or_default();
        // Written relative to the project's folder; told relative to the root.
        let folder = code.source.path.parent();
        let own: Vec<&str> = folder.components().collect();
        let base = own.iter().position(|part| *part == first).unwrap_or(own.len());
        let prefix = own.get(..base).unwrap_or_default().join(".");
        return if prefix.is_empty() {
            text
        } else {
            format!("{prefix}.{text}")
        };
    }
    let name = target
        .and_then(|span| code.path(span))
        .or_else(|| call.name.rsplit_once('.').map(|(receiver, _)| receiver))
        .unwrap_or_default();
    if objects
        .iter()
        .any(|object| object.name == name && object.factory.is_none())
    {
        return format!("{module}:{name}");
    }
    if let Some(factory) = objects
        .iter()
        .find(|object| object.name == name)
        .and_then(|object| object.factory)
    {
        return format!("{module}:{factory}()");
    }
    module
}

fn framework_of(code: &Code<'_>, objects: &[Object<'_>], target: Option<Span>) -> &'static str {
    let name = target.and_then(|span| code.path(span)).unwrap_or_default();
    if let Some(object) = objects.iter().find(|object| object.name == name) {
        return object.framework;
    }
    let frameworks = [
        "fastapi",
        "flask",
        "starlette",
        "litestar",
        "django",
        "falcon",
        "bottle",
        "pyramid",
        "tornado",
        "quart",
    ];
    frameworks
        .into_iter()
        .find(|name| code.uses(name))
        .or_else(|| objects.first().map(|object| object.framework))
        .unwrap_or(if code.uses("uvicorn") { "asgi" } else { "wsgi" })
}

/// A Streamlit script: its calls stand at the top level.
fn streamlit(code: &Code<'_>, facts: &mut Facts) {
    if !code.uses("streamlit") || code.source.path.parent().name() == "pages" {
        return;
    }
    let page = code.calls().into_iter().find(|call| {
        let full = code.full_name(call.name);
        let top = code
            .statement(code.statement_at(call.start))
            .is_some_and(|statement| statement.indent == 0);
        full == "streamlit.set_page_config"
            || top && matches!(full.as_str(), "streamlit.title" | "streamlit.header")
    });
    if let Some(page) = page {
        push(
            code,
            facts,
            EntryKind::Server,
            Shown::from("streamlit"),
            None,
            page.start,
        );
    }
}

/// Handlers of serverless platforms.
fn functions(code: &Code<'_>, definitions: &[Definition<'_>], facts: &mut Facts) {
    for definition in definitions
        .iter()
        .filter(|definition| !definition.class && definition.head.indent == 0)
    {
        let parameters: Vec<&str> = code
            .items(definition.parameters)
            .into_iter()
            .map(|span| {
                code.code_of(span)
                    .split([':', '='])
                    .next()
                    .unwrap_or_default()
                    .trim()
            })
            .collect();
        let aws = matches!(parameters.as_slice(), [event, context]
            if matches!(*event, "event" | "_event") && matches!(*context, "context" | "_context" | "_"));
        let decorated = |wanted: &[&str]| {
            definition.decorators.iter().any(|number| {
                code.statement(*number).is_some_and(|statement| {
                    let written = code.statement_code(statement).trim_start_matches('@');
                    let name = written.split('(').next().unwrap_or(written).trim();
                    wanted.contains(&code.full_name(name).as_str())
                })
            })
        };
        let framework = if aws && (definition.name.contains("handler") || definition.name == "main") {
            "aws-lambda"
        } else if decorated(&["functions_framework.http", "functions_framework.cloud_event"]) {
            "google-cloud-functions"
        } else {
            continue;
        };
        push(
            code,
            facts,
            EntryKind::Function,
            Shown::from(framework),
            Some(definition.name),
            definition.head.start,
        );
    }
}

/// `if __name__ == "__main__":` in a file that nothing better was said of.
fn main_program(code: &Code<'_>, facts: &mut Facts) {
    let known = facts
        .entry_points
        .iter()
        .any(|entry| entry.path == *code.source.path);
    if known || code.source.path.name() == "manage.py" {
        return;
    }
    let guard = main_guard(code);
    if let Some(number) = guard {
        let start = code.statement(number).map_or(0, |statement| statement.start);
        push(
            code,
            facts,
            EntryKind::Program,
            Shown::from("python"),
            None,
            start,
        );
    }
}

/// Number of the statement `if __name__ == "__main__":`.
pub(super) fn main_guard(code: &Code<'_>) -> Option<usize> {
    code.statements().iter().position(|statement| {
        let line = code.statement_code(*statement);
        statement.indent == 0 && line.starts_with("if ") && line.contains("__name__")
    })
}
