//! NestJS: controllers with their prefixes and guards, the settings of the application object.

use std::ops::Range;
use std::sync::LazyLock;

use playbook_core::harmless::{Name, Symbol};
use playbook_core::inventory::{ApiSpec, InterfaceKind, SignalKind};
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;
use regex::Regex;

use super::entry::interface;
use super::routes::{is_constant, is_guard, touches, url_path};
use super::syntax::{Call, Code, pattern};
use crate::fact::{Facts, GLOBAL_ROUTER, PrefixFact, RouteFact, UnprefixedFact};
use crate::parse::{slice, tail};

static DECORATOR: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"@(?P<name>[A-Z]\w*)\s*(?P<open>\()"));

/// A decorator with its bracket.
struct Decorator<'c> {
    name: &'c str,
    start: usize,
    open: usize,
}

/// Tells what decorators and the application object of a file say.
pub(super) fn detect(code: &Code<'_>, facts: &mut Facts) {
    if !code
        .modules
        .iter()
        .any(|(module, _)| module.starts_with("@nestjs/"))
    {
        return;
    }
    let decorators: Vec<Decorator<'_>> = DECORATOR
        .iter()
        .flat_map(|pattern| pattern.captures_iter(code.code()))
        .filter_map(|found| {
            Some(Decorator {
                name: found.name("name")?.as_str(),
                start: found.get(0)?.start(),
                open: found.name("open")?.start(),
            })
        })
        .collect();
    controllers(code, &decorators, facts);
    for decorator in &decorators {
        match decorator.name {
            "WebSocketGateway" => interface(code, facts, InterfaceKind::WebSocket, decorator.open),
            "Sse" => interface(code, facts, InterfaceKind::ServerSentEvents, decorator.open),
            "GrpcMethod" | "GrpcService" => interface(code, facts, InterfaceKind::Grpc, decorator.open),
            "Processor" | "MessagePattern" | "EventPattern" | "RabbitSubscribe" => facts.signal(
                SignalKind::TaskDefined,
                Some(Shown::from("nestjs")),
                code.source.scope,
                code.source.at(code.line(decorator.open)),
            ),
            _ => {}
        }
    }
    for call in &code.calls {
        application(code, call, facts);
    }
}

fn controllers(code: &Code<'_>, decorators: &[Decorator<'_>], facts: &mut Facts) {
    let starts: Vec<usize> = decorators
        .iter()
        .enumerate()
        .filter(|(_, decorator)| decorator.name == "Controller")
        .map(|(at, _)| at)
        .collect();
    for (number, at) in starts.iter().enumerate() {
        let Some(controller) = decorators.get(*at) else {
            continue;
        };
        let end = starts
            .get(number + 1)
            .and_then(|next| decorators.get(*next))
            .map_or(code.text().len(), |next| next.start);
        let (paths, versions) = of_controller(code, controller);
        // Decorators of the class stand before its first brace.
        let class = tail(code.code(), controller.open)
            .find("class ")
            .map_or(end, |found| controller.open + found);
        let guarded = decorators.iter().any(|decorator| {
            decorator.name == "UseGuards"
                && decorator.start < class
                && decorator.start + 400 > controller.start
                && is_auth(code, decorator)
        });
        let methods: Vec<&Decorator<'_>> = decorators
            .iter()
            .filter(|decorator| decorator.start > class && decorator.start < end)
            .collect();
        for (position, decorator) in methods.iter().enumerate() {
            let Some(verb) = verb(decorator.name) else {
                continue;
            };
            let own: Vec<String> = literals(code, decorator.open);
            let own = if own.is_empty() { vec![String::new()] } else { own };
            // The method's body ends where the decorators of the next one begin.
            let next = methods
                .iter()
                .skip(position + 1)
                .find(|next| verb_or_break(next.name))
                .map_or(end, |next| next.start);
            let body = decorator.start..next;
            let near = |name: &str| {
                methods.iter().any(|other| {
                    other.name == name
                        && other.start.abs_diff(decorator.start) < 600
                        && !methods.iter().any(|between| {
                            verb_or_break(between.name)
                                && between.start > other.start.min(decorator.start)
                                && between.start < other.start.max(decorator.start)
                        })
                })
            };
            let authenticated = if near("Public") || near("SkipAuth") || near("AllowAnonymous") {
                Some(false)
            } else if guarded || near("UseGuards") {
                Some(true)
            } else {
                None
            };
            for prefix in &paths {
                for version in &versions {
                    for path in &own {
                        let whole = [version.as_str(), prefix.as_str(), path.as_str()]
                            .iter()
                            .map(|part| part.trim_matches('/'))
                            .filter(|part| !part.is_empty())
                            .collect::<Vec<_>>()
                            .join("/");
                        let Some(path) = url_path(&whole) else { continue };
                        facts.routes.push(RouteFact {
                            method: verb,
                            path,
                            router: Symbol::parse(Raw::new(GLOBAL_ROUTER)),
                            authenticated,
                            touches: touches(code, &body),
                            constant: is_constant(code, &(brace(code, &body)..body.end)),
                            framework: Shown::from("nestjs"),
                            scope: code.source.scope,
                            evidence: code.source.at(code.line(decorator.start)),
                        });
                    }
                }
            }
        }
    }
}

/// The opening brace of a method's body.
fn brace(code: &Code<'_>, body: &Range<usize>) -> usize {
    let text = slice(code.code(), body.start, body.end);
    text.find(") {")
        .or_else(|| text.find("> {"))
        .map_or(body.start, |at| body.start + at + 2)
}

fn verb(name: &str) -> Option<&'static str> {
    Some(match name {
        "Get" | "Sse" => "GET",
        "Post" => "POST",
        "Put" => "PUT",
        "Patch" => "PATCH",
        "Delete" => "DELETE",
        "Head" => "HEAD",
        "Options" => "OPTIONS",
        "All" => "*",
        _ => return None,
    })
}

fn verb_or_break(name: &str) -> bool {
    verb(name).is_some()
}

fn is_auth(code: &Code<'_>, decorator: &Decorator<'_>) -> bool {
    let close = code.masked.closing(decorator.open).unwrap_or(decorator.open);
    let range = decorator.open..close;
    is_guard(code, &range)
        || slice(code.code(), range.start, range.end)
            .to_ascii_lowercase()
            .contains("auth")
}

/// The literals among the arguments: `'a'`, `['a', 'b']`.
fn literals(code: &Code<'_>, open: usize) -> Vec<String> {
    code.arguments(open)
        .into_iter()
        .take(1)
        .flat_map(|argument| texts(code, &argument.range, argument.literal))
        .collect()
}

fn texts(code: &Code<'_>, range: &Range<usize>, literal: Option<String>) -> Vec<String> {
    match literal {
        Some(text) => vec![text],
        None if slice(code.code(), range.start, range.start + 1) == "[" => code
            .arguments(range.start)
            .into_iter()
            .filter_map(|entry| entry.literal)
            .collect(),
        None => Vec::new(),
    }
}

/// Paths and versions of `@Controller("users")`, `@Controller({ path: "users", version: "1" })`.
fn of_controller(code: &Code<'_>, decorator: &Decorator<'_>) -> (Vec<String>, Vec<String>) {
    let none = || vec![String::new()];
    let Some(first) = code.arguments(decorator.open).into_iter().next() else {
        return (none(), none());
    };
    if let Some(path) = code.entry(&first.range, "path") {
        let versions = versions(code, &first.range);
        let paths = texts(code, &path.range, path.literal);
        return (if paths.is_empty() { none() } else { paths }, versions);
    }
    let object = !code.object(&first.range).is_empty();
    let paths = texts(code, &first.range, first.literal.clone());
    (
        if paths.is_empty() { none() } else { paths },
        if object {
            versions(code, &first.range)
        } else {
            none()
        },
    )
}

/// Versions in the address: `v1`.
fn versions(code: &Code<'_>, range: &Range<usize>) -> Vec<String> {
    let found: Vec<String> = code
        .entry(range, "version")
        .map(|entry| texts(code, &entry.range, entry.literal))
        .unwrap_or_default()
        .into_iter()
        .map(|version| format!("v{version}"))
        .collect();
    if found.is_empty() {
        vec![String::new()]
    } else {
        found
    }
}

/// Calls on the application object.
fn application(code: &Code<'_>, call: &Call, facts: &mut Facts) {
    let line = code.line(call.open);
    let arguments = code.arguments(call.open);
    match call.method() {
        "setGlobalPrefix" => {
            let Some(first) = arguments.first() else { return };
            let literal = first.literal.as_deref().and_then(url_path);
            // A setting by its path: `config.get("app.prefix")`.
            let reference = literal
                .is_none()
                .then(|| setting_name(code, &first.range))
                .flatten();
            facts.prefixes.push(PrefixFact {
                prefix: literal,
                reference,
                module: None,
                router: Symbol::parse(Raw::new(GLOBAL_ROUTER)),
                parent: None,
                evidence: code.source.at(line),
            });
            let excluded = arguments
                .get(1)
                .and_then(|options| code.entry(&options.range, "exclude"));
            for entry in excluded.iter().flat_map(|list| code.arguments(list.range.start)) {
                let text = entry
                    .literal
                    .clone()
                    .or_else(|| code.entry(&entry.range, "path")?.literal);
                if let Some(path) = text.and_then(|text| url_path(&text)) {
                    facts.unprefixed.push(UnprefixedFact {
                        path,
                        evidence: code.source.at(code.line(entry.range.start)),
                    });
                }
            }
        }
        "setup" if call.path.iter().any(|word| word == "SwaggerModule") => {
            let path = arguments
                .first()
                .and_then(|first| first.literal.as_deref())
                .and_then(url_path)
                .map(Shown::from);
            facts.api_specs.push(ApiSpec {
                kind: Shown::from("openapi"),
                path: code.source.path.clone(),
                served_at: path.clone(),
                evidence: vec![code.source.at(line)],
            });
            interface(code, facts, InterfaceKind::ApiDocs, call.open);
            if let Some(last) = facts.interfaces.last_mut() {
                last.path = path;
            }
        }
        "enableShutdownHooks" => facts.signal(
            SignalKind::GracefulShutdown,
            Some(Shown::from("nestjs")),
            code.source.scope,
            code.source.at(line),
        ),
        _ => {}
    }
}

/// The last part of a setting's path, or the name of a constant.
fn setting_name(code: &Code<'_>, range: &Range<usize>) -> Option<Name> {
    let literal = code
        .masked
        .literals_in(range)
        .iter()
        .find(|literal| literal.end <= range.end)
        .and_then(|literal| literal.value(code.text()));
    let text = literal.map_or_else(
        || slice(code.text(), range.start, range.end).to_owned(),
        std::borrow::Cow::into_owned,
    );
    Name::parse(Raw::new(text.rsplit('.').next()?.trim()))
}
