//! Calls that start to listen: where they listen, and which application they serve.

use playbook_core::harmless::Symbol;
use playbook_core::inventory::SignalKind;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use super::super::known::{self, Run};
use super::super::syntax::{Call, Code, Span};
use super::super::value::{self, Port, argument, is_true};
use super::Object;
use crate::fact::{EntryKind, EntryPoint, Facts};

/// The calls that open a port.
pub(super) fn listeners(code: &Code<'_>, objects: &[Object<'_>], facts: &mut Facts) {
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
