//! Routes and the prefixes that routers are mounted under.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

use playbook_core::harmless::{Name, Symbol, UrlPath};
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;
use regex::Regex;

use super::entry::Object;
use super::syntax::{Call, Code, pattern};
use crate::fact::{ConstantFact, Facts, PrefixFact, RouteFact};
use crate::lex::Arg;
use crate::limits;
use crate::parse::{slice, tail};

static ROUTER_NAME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(r"(?i)^(?:this\.)?_?\w*(?:app|router|routes|route|server|fastify|instance|api|hono|application)$")
});
static GUARD: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"(?i)\b\w*(?:authenticat|authoriz|requireauth|requireuser|requirelogin|isauth|ensureauth|checkauth|verifytoken|verifyjwt|jwtauth|isloggedin|ensureloggedin|protectroute|loginrequired|authmiddleware|authguard)\w*\b|\b(?:auth|protect|jwt|guard)\b",
    )
});
static TOUCH: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"(?i)\b\w*(?P<redis>redis\w*\s*\.\s*(?:ping|get|set|status)|cache\s*\.\s*ping)\b|\b(?P<mongo>mongoose\s*\.\s*connection|\w*mongo\w*\s*\.\s*(?:ping|db|command|pingCheck))\b|\b(?P<sql>\w*prisma\w*\s*\.|\$queryRaw|\w*(?:pool|db|knex|sequelize|datasource|database|connection|typeorm|orm|entitymanager|sql|pg)\s*\.\s*(?:query|raw|authenticate|execute|select|pingCheck|isInitialized|ping|connect|\$queryRaw)\b)",
    )
});
static MORE: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r"\bawait\b|\.\s*then\s*\(|\b[sS]ervice\s*\.|\bthis\s*\.|\bfetch\s*\("));

/// The methods of a router that add a route.
fn method_of(word: &str) -> Option<&'static str> {
    Some(match word {
        "get" => "GET",
        "post" => "POST",
        "put" => "PUT",
        "patch" => "PATCH",
        "delete" | "del" => "DELETE",
        "head" => "HEAD",
        "options" => "OPTIONS",
        "all" => "*",
        _ => return None,
    })
}

/// A path with its slash, if it can be one.
pub(super) fn url_path(text: &str) -> Option<UrlPath> {
    let text = text.trim();
    let with_slash = if text.starts_with('/') {
        text.to_owned()
    } else {
        format!("/{text}")
    };
    UrlPath::parse(Raw::new(&with_slash))
}

/// Tells the routes and mounts of a file.
pub(super) fn detect(code: &Code<'_>, objects: &BTreeMap<String, Object>, facts: &mut Facts) {
    let before = facts.routes.len();
    for call in &code.calls {
        if facts.routes.len() - before > limits::FACTS_PER_FILE {
            break;
        }
        if call.path.len() < 2 {
            continue;
        }
        let method = call.method();
        if let Some(verb) = method_of(method) {
            route(code, call, verb, objects, facts);
        } else if method == "route" && code.arguments(call.open).len() == 1 {
            table(code, call, objects, facts);
        }
        if matches!(method, "use" | "route" | "register" | "mount") {
            mount(code, call, objects, facts);
        }
    }
    constants(code, facts);
}

/// Is it a router: one that this file makes, or one by its name?
fn is_router(code: &Code<'_>, name: &str, objects: &BTreeMap<String, Object>) -> bool {
    if objects.contains_key(name) {
        return true;
    }
    code.makes_router(name)
        || ROUTER_NAME.as_ref().is_some_and(|pattern| pattern.is_match(name))
            && code
                .imports
                .get(name.split('.').next().unwrap_or(name))
                .is_none_or(|import| import.module.starts_with(['.', '@', '~']))
}

fn framework_of(objects: &BTreeMap<String, Object>, name: &str, code: &Code<'_>) -> &'static str {
    objects.get(name).map_or_else(
        || {
            [
                "express",
                "fastify",
                "hono",
                "koa",
                "@koa/router",
                "koa-router",
                "elysia",
                "@hapi/hapi",
                "restify",
            ]
            .iter()
            .find(|module| code.asks_for(module))
            .map_or("javascript", |module| match *module {
                "@koa/router" | "koa-router" => "koa",
                "@hapi/hapi" => "hapi",
                other => other,
            })
        },
        |object| object.framework,
    )
}

fn route(
    code: &Code<'_>,
    call: &Call,
    verb: &'static str,
    objects: &BTreeMap<String, Object>,
    facts: &mut Facts,
) {
    let arguments = code.arguments(call.open);
    let start = code.start_of_chain(call);
    // `router.route("/x").get(handler)`
    let of_route = call
        .receiver
        .and_then(|at| chain_route(code, at))
        .and_then(|route| {
            let path = code.arguments(route.open).first()?.literal.clone()?;
            Some((path, route.object()?))
        });
    let (path, object, handlers) = if let Some((path, object)) = of_route {
        (path, object, arguments.as_slice())
    } else {
        let Some(path) = arguments.first().and_then(|first| first.literal.clone()) else {
            return;
        };
        let object = call.object().or_else(|| {
            let start = start?;
            start.assigned.clone().or_else(|| start.object())
        });
        let made = start.is_some_and(|start| super::known::application(&start.full).is_some());
        let Some(object) = object.or_else(|| made.then(|| "app".to_owned())) else {
            return;
        };
        let handlers = arguments.get(1..).unwrap_or_default();
        if handlers.is_empty() || !(path.starts_with('/') || path == "*") {
            return;
        }
        if !made && !is_router(code, &object, objects) {
            return;
        }
        (path, object, handlers)
    };
    let Some(path) = url_path(&path) else { return };
    let (guards, handler) = handlers
        .split_last()
        .map_or((&[][..], None), |(last, before)| (before, Some(last)));
    let guarded = guards.iter().any(|guard| is_guard(code, &guard.range));
    let body = handler.map(|handler| handler.range.clone());
    facts.routes.push(RouteFact {
        method: verb,
        path,
        router: Symbol::parse(Raw::new(&object)),
        authenticated: guarded.then_some(true),
        touches: body.as_ref().map(|body| touches(code, body)).unwrap_or_default(),
        constant: body.as_ref().is_some_and(|body| is_constant(code, body)),
        framework: Shown::from(framework_of(objects, &object, code)),
        scope: code.source.scope,
        evidence: code.source.at(code.line(call.open)),
    });
}

fn chain_route<'c>(code: &'c Code<'_>, mut at: usize) -> Option<&'c Call> {
    for _ in 0..20 {
        let call = code.calls.get(at)?;
        if call.method() == "route" {
            return Some(call);
        }
        method_of(call.method())?;
        at = call.receiver?;
    }
    None
}

/// `fastify.route({ method: "GET", url: "/x" })`, `server.route([{ method, path }])`.
fn table(code: &Code<'_>, call: &Call, objects: &BTreeMap<String, Object>, facts: &mut Facts) {
    let Some(object) = call.object().filter(|name| is_router(code, name, objects)) else {
        return;
    };
    let Some(first) = code.arguments(call.open).into_iter().next() else {
        return;
    };
    let entries: Vec<Range<usize>> = if first.written(code.text()).starts_with('[') {
        code.arguments(first.range.start)
            .into_iter()
            .map(|entry| entry.range)
            .collect()
    } else {
        vec![first.range]
    };
    for entry in entries {
        let text = |key: &str| code.entry(&entry, key).and_then(|value| value.literal);
        let Some(path) = text("url")
            .or_else(|| text("path"))
            .and_then(|path| url_path(&path))
        else {
            continue;
        };
        let verb = text("method")
            .and_then(|method| method_of(&method.to_ascii_lowercase()))
            .unwrap_or("*");
        let guarded = ["preHandler", "onRequest", "preValidation"]
            .iter()
            .filter_map(|key| code.entry(&entry, key))
            .any(|value| is_guard(code, &value.range));
        let body = code.entry(&entry, "handler").map(|value| value.range);
        facts.routes.push(RouteFact {
            method: verb,
            path,
            router: Symbol::parse(Raw::new(&object)),
            authenticated: guarded.then_some(true),
            touches: body.as_ref().map(|body| touches(code, body)).unwrap_or_default(),
            constant: body.as_ref().is_some_and(|body| is_constant(code, body)),
            framework: Shown::from(framework_of(objects, &object, code)),
            scope: code.source.scope,
            evidence: code.source.at(code.line(entry.start)),
        });
    }
}

/// Does an expression name something that asks who the caller is?
pub(super) fn is_guard(code: &Code<'_>, range: &Range<usize>) -> bool {
    GUARD
        .as_ref()
        .is_some_and(|pattern| pattern.is_match(slice(code.code(), range.start, range.end)))
}

/// The kinds of datastore that a piece of code is seen to use.
pub(super) fn touches(code: &Code<'_>, range: &Range<usize>) -> Vec<Shown> {
    let mut out: Vec<Shown> = Vec::new();
    for found in TOUCH
        .iter()
        .flat_map(|pattern| pattern.captures_iter(slice(code.code(), range.start, range.end)))
        .take(20)
    {
        let kind = if found.name("redis").is_some() {
            "redis"
        } else if found.name("mongo").is_some() {
            "mongodb"
        } else {
            "database"
        };
        let kind = Shown::from(kind);
        if !out.contains(&kind) {
            out.push(kind);
        }
    }
    out
}

/// Is a handler written in place, and does it wait for nothing?
pub(super) fn is_constant(code: &Code<'_>, range: &Range<usize>) -> bool {
    let text = slice(code.code(), range.start, range.end);
    let inline = text.contains("=>") || text.contains("function") || text.starts_with('{');
    inline
        && text.len() < 1_500
        && touches(code, range).is_empty()
        && !MORE.as_ref().is_some_and(|pattern| pattern.is_match(text))
}

/// `app.use("/api", router)`, `app.register(routes, { prefix: "/api" })`, `app.route("/api", sub)`.
fn mount(code: &Code<'_>, call: &Call, objects: &BTreeMap<String, Object>, facts: &mut Facts) {
    let arguments = code.arguments(call.open);
    let parent = call
        .object()
        .or_else(|| code.start_of_chain(call)?.assigned.clone());
    let parent = parent.as_deref().and_then(|name| Symbol::parse(Raw::new(name)));
    let (prefix, reference, mounted) = if call.method() == "register" {
        let options = arguments.get(1);
        let prefix = options.and_then(|options| code.entry(&options.range, "prefix"));
        let (path, reference) = prefix
            .as_ref()
            .map_or((url_path("/"), None), |prefix| written(code, prefix));
        (path, reference, arguments.get(..1).unwrap_or_default())
    } else {
        let first = arguments.first();
        let literal = first.and_then(|first| first.literal.as_deref());
        let templated = first.is_some_and(|first| first.written(code.text()).starts_with('`'));
        if literal.is_some() || templated {
            let (path, reference) = first.map_or((None, None), |first| written(code, first));
            (path, reference, arguments.get(1..).unwrap_or_default())
        } else if call.method() == "use" {
            let constant = first.filter(|first| {
                arguments.len() > 1
                    && code
                        .constant(first.written(code.text()))
                        .is_some_and(|value| code.masked.literal_at(value.start).is_some())
            });
            match constant {
                Some(first) => {
                    let (path, reference) = written(code, first);
                    (path, reference, arguments.get(1..).unwrap_or_default())
                }
                None => (url_path("/"), None, arguments.as_slice()),
            }
        } else {
            return;
        }
    };
    for argument in mounted {
        let (module, router) = mounted_router(code, argument);
        let local = router
            .as_deref()
            .is_some_and(|name| module.is_none() && is_router(code, name, objects));
        if module.is_none() && !local {
            continue;
        }
        facts.prefixes.push(PrefixFact {
            prefix: prefix.clone(),
            reference: reference.clone(),
            module,
            router: router.and_then(|name| Symbol::parse(Raw::new(&name))),
            parent: parent.clone(),
            evidence: code.source.at(code.line(call.open)),
        });
    }
}

/// The prefix that an argument says: a literal, a constant of this file, or the name of a setting.
fn written(code: &Code<'_>, argument: &Arg) -> (Option<UrlPath>, Option<Name>) {
    if let Some(text) = &argument.literal {
        return (url_path(text), None);
    }
    let text = argument.written(code.text());
    if let Some(value) = code.constant(text)
        && let Some(literal) = code
            .masked
            .literal_at(value.start)
            .and_then(|literal| literal.value(code.text()))
    {
        return (url_path(&literal), None);
    }
    // A template such as `${config.prefix}/users`.
    if let Some(inner) = text.strip_prefix("`${").and_then(|rest| rest.strip_suffix('`'))
        && let Some((name, rest)) = inner.split_once('}')
    {
        let reference = name
            .rsplit('.')
            .next()
            .and_then(|name| Name::parse(Raw::new(name.trim())));
        let rest = (!rest.contains("${")).then(|| url_path(rest)).flatten();
        return (rest, reference);
    }
    let last = text.rsplit('.').next().unwrap_or(text);
    (None, Name::parse(Raw::new(last)))
}

/// The module and the name of what is mounted.
fn mounted_router(code: &Code<'_>, argument: &Arg) -> (Option<playbook_core::path::RelPath>, Option<String>) {
    let text = argument.written(code.text());
    if text.starts_with("require(") || text.starts_with("import(") {
        let module = code
            .masked
            .literal_after(argument.range.start)
            .and_then(|literal| literal.value(code.text()));
        return (module.and_then(|module| code.module_path(&module)), None);
    }
    // `router.routes()` of Koa, `users(deps)`, `new UsersRouter().router`
    let name = text.split(['(', '.']).next().unwrap_or(text).trim();
    let name = name.strip_prefix("new ").unwrap_or(name).trim();
    match code.imports.get(name) {
        Some(import) => {
            let router = (!import.name.is_empty() && !text.contains('(')).then(|| import.name.clone());
            (code.module_path(&import.module), router)
        }
        None => (None, Some(name.to_owned()).filter(|name| !name.is_empty())),
    }
}

static PREFIX: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"\b(?P<name>\w*(?:[pP]refix|PREFIX|[bB]asePath|BASE_PATH|API_ROOT|apiRoot)\w*)\s*(?::\s*string\s*)?[:=]\s*(?P<value>[^=>\s])",
    )
});

/// Settings and constants that hold a prefix: `apiPrefix: process.env.API_PREFIX || "api"`.
fn constants(code: &Code<'_>, facts: &mut Facts) {
    for found in PREFIX
        .iter()
        .flat_map(|pattern| pattern.captures_iter(code.code()))
        .take(50)
    {
        let (Some(name), Some(value)) = (found.name("name"), found.name("value")) else {
            continue;
        };
        let range = value.start()..code.end_of_expression(value.start());
        let literal = code
            .masked
            .literals_in(&range)
            .iter()
            .filter(|literal| literal.end <= range.end)
            .filter_map(|literal| literal.value(code.text()))
            .next_back();
        let path = literal
            .filter(|text| !text.contains(' '))
            .and_then(|text| url_path(&text));
        if let (Some(name), Some(value)) = (Name::parse(Raw::new(name.as_str())), path) {
            facts.constants.push(ConstantFact {
                name,
                value,
                evidence: code.source.at(code.line(range.start)),
            });
        }
    }
}

/// May the path of a file be that of a route?
pub(super) fn is_by_name(path: &playbook_core::path::RelPath) -> bool {
    let stem = path.name().split('.').next().unwrap_or_default();
    matches!(stem, "route" | "+server") || path.parent().components().any(|part| part == "api")
}

/// Routes of a framework that takes them from the path of the file: `app/api/users/route.ts`, `pages/api/users.ts`,
/// `server/api/users.get.ts`.
pub(super) fn of_file(code: &Code<'_>, facts: &mut Facts) {
    let parts: Vec<&str> = code.source.path.components().collect();
    let Some((file, folders)) = parts.split_last() else {
        return;
    };
    let stem = file.split('.').next().unwrap_or(file);
    let after = |name: &str| {
        folders
            .iter()
            .position(|part| *part == name)
            .and_then(|at| folders.get(at + 1..))
    };
    let exported = |method: &str| {
        let text = code.code();
        ["export async function ", "export function ", "export const "]
            .iter()
            .find_map(|word| text.find(&format!("{word}{method}")))
            .filter(|at| {
                tail(text, *at).split_once(method).is_some_and(|(_, rest)| {
                    !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
                })
            })
    };
    let mut push = |verb: &'static str, segments: &[&str], framework: &'static str, at: usize| {
        let Some(path) = segments_path(segments) else {
            return;
        };
        let body = at..code.text().len();
        facts.routes.push(RouteFact {
            method: verb,
            path,
            router: None,
            authenticated: None,
            touches: touches(code, &body),
            constant: code.text().len() < 1_500
                && touches(code, &body).is_empty()
                && !MORE.as_ref().is_some_and(|pattern| pattern.is_match(code.code())),
            framework: Shown::from(framework),
            scope: code.source.scope,
            evidence: code.source.at(code.line(at)),
        });
    };
    if let (true, Some(below)) = (
        matches!(stem, "route" | "+server"),
        after("app").or_else(|| after("routes")),
    ) {
        let framework = if stem == "route" { "nextjs" } else { "sveltekit" };
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] {
            if let Some(at) = exported(method) {
                push(method, below, framework, at);
            }
        }
    } else if let (Some(below), true) = (after("pages"), folders.contains(&"api")) {
        if let Some(at) = code.code().find("export default") {
            let mut segments = below.to_vec();
            if stem != "index" {
                segments.push(stem);
            }
            push("*", &segments, "nextjs", at);
        }
    } else if let (Some(below), true) = (after("server"), folders.contains(&"api"))
        && let Some(at) = code
            .code()
            .find("defineEventHandler")
            .or_else(|| code.code().find("eventHandler("))
    {
        let mut segments = below.to_vec();
        if stem != "index" {
            segments.push(stem);
        }
        let verb = file.split('.').nth(1).and_then(method_of).unwrap_or("*");
        push(verb, &segments, "nuxt", at);
    }
}

/// `(group)` and `@slot` are no part of the path; `[id]` is a parameter.
fn segments_path(segments: &[&str]) -> Option<UrlPath> {
    let mut out = String::new();
    for segment in segments {
        if segment.starts_with('(') && segment.ends_with(')') || segment.starts_with('@') {
            continue;
        }
        out.push('/');
        let inner = segment.trim_matches(['[', ']']);
        if inner.starts_with("...") {
            out.push('*');
        } else if inner.len() < segment.len() {
            out.push(':');
            out.push_str(inner);
        } else {
            out.push_str(segment);
        }
    }
    UrlPath::parse(Raw::new(if out.is_empty() { "/" } else { &out }))
}
