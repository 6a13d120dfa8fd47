//! Where processes begin: application objects and their factories, listeners, workers, schedulers, functions.

mod listener;

use std::collections::BTreeMap;

use playbook_core::harmless::Symbol;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use super::known;
use super::syntax::{Call, Code, Definition};
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
    listener::listeners(code, objects, facts);
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
    let words = known::words();
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
        let makes = words
            .factory_verbs
            .iter()
            .find_map(|verb| factory.strip_prefix(verb))
            .is_some_and(|rest| words.factory_nouns.iter().any(|noun| rest.contains(noun)))
            || factory == "factory";
        // A function of this file that makes an object is told as a factory already; the variable is what servers use.
        let own = objects.iter().find(|object| object.factory == Some(call.name));
        let imported = call
            .name
            .split('.')
            .next()
            .is_some_and(|head| code.imported(head).is_some());
        if !words.applications.contains(&name) || known::application(&code.full_name(call.name)).is_some() {
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
