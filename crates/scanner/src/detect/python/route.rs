//! HTTP routes, the routers they belong to, and the prefixes that routers are mounted under.
//!
//! A router is named `module:variable` with its module from the root, as far as the file shows it; what belongs to the
//! application itself has none. A prefix whose parent is the router itself is the one that the router's own file gives
//! it: routes of that file carry it already, routes of other files do not.

mod django;
mod handler;
mod mount;
mod router;

use std::collections::BTreeMap;

use playbook_core::harmless::{Symbol, UrlPath};
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use super::entry::Object;
use super::known;
use super::syntax::{Argument, Call, Code, Definition, Span};
use super::value::argument;
use crate::fact::{EntryKind, Facts, RouteFact};
use crate::limits;

pub(super) use handler::wants_authentication;

/// What a variable of the file is to the routes.
#[derive(Debug, Clone)]
pub(super) struct Router {
    /// Prefix that the file gives it.
    pub(super) prefix: String,
    /// Slug of its framework.
    pub(super) framework: &'static str,
    /// Is it the application itself?
    pub(super) application: bool,
    /// Does everything on it want authentication?
    pub(super) authenticated: bool,
}

/// The file with its routers.
pub(super) struct Routes<'c, 'a> {
    code: &'c Code<'a>,
    definitions: &'c [Definition<'a>],
    /// Definitions by the numbers of their decorators' statements, and by their names.
    by_decorator: BTreeMap<usize, usize>,
    by_name: BTreeMap<&'a str, usize>,
    /// Starlette's mounts, in order.
    mounts: Vec<Call<'a>>,
    routers: BTreeMap<&'a str, Router>,
}

/// Methods of a router that are HTTP methods.
const METHODS: &[(&str, &str)] = &[
    ("get", "GET"),
    ("post", "POST"),
    ("put", "PUT"),
    ("patch", "PATCH"),
    ("delete", "DELETE"),
    ("head", "HEAD"),
    ("options", "OPTIONS"),
];

/// The method with this name.
fn method(name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    METHODS
        .iter()
        .find(|(word, _)| *word == lower)
        .map(|(_, method)| *method)
}

pub(super) fn detect<'a>(
    code: &Code<'a>,
    definitions: &[Definition<'a>],
    objects: &[Object<'a>],
    facts: &mut Facts,
) {
    let framework = framework(code);
    if framework.is_none() {
        return;
    }
    let numbered = || definitions.iter().enumerate();
    let routes = Routes {
        code,
        definitions,
        by_decorator: numbered()
            .flat_map(|(at, definition)| definition.decorators.iter().map(move |number| (*number, at)))
            .collect(),
        by_name: numbered()
            .rev()
            .map(|(at, definition)| (definition.name, at))
            .collect(),
        mounts: code
            .calls()
            .into_iter()
            .filter(|call| code.full_name(call.name) == "starlette.routing.Mount")
            .collect(),
        routers: router::routers(code, objects),
    };
    routes.own_prefixes(facts);
    for call in code.calls() {
        if facts.routes.len() >= limits::FACTS_PER_FILE {
            return;
        }
        routes.route(&call, facts);
        routes.mount(&call, facts);
    }
    routes.controllers(facts);
    django::detect(code, facts);
}

/// A web framework that the file imports.
fn framework(code: &Code<'_>) -> Option<&'static str> {
    known::web()
        .iter()
        .find(|web| web.modules.iter().any(|module| code.uses(module)))
        .map(|web| web.framework)
        // Routers of the application's own modules: `from app.web import routes`.
        .or_else(|| {
            known::words()
                .routers
                .iter()
                .any(|name| code.imported(name).is_some())
                .then_some("")
        })
}

impl<'a> Routes<'_, 'a> {
    /// Name of a router of this file, or of an imported one, from the root.
    fn key(&self, name: &str) -> Option<Symbol> {
        Symbol::parse(Raw::new(&self.key_text(name)))
    }

    fn key_text(&self, name: &str) -> String {
        let head = name.split('.').next().unwrap_or(name);
        if self.routers.contains_key(name) || self.code.imported(head).is_none() {
            return format!("{}:{name}", self.code.module_name());
        }
        let full = self.code.full_name(name);
        let (module, object) = full.rsplit_once('.').unwrap_or(("", &full));
        format!("{}:{object}", self.code.rooted(module))
    }

    /// Tells the prefixes that this file gives to its routers, for routes of other files.
    fn own_prefixes(&self, facts: &mut Facts) {
        for (name, router) in &self.routers {
            if router.application || router.prefix.is_empty() {
                continue;
            }
            let Some(offset) = self.code.constant(name).map(|span| span.start) else {
                continue;
            };
            let key = self.key(name);
            mount::push(
                self.code,
                facts,
                &router.prefix,
                None,
                key.as_ref(),
                key.clone(),
                offset,
            );
        }
    }

    /// What a call says about a route.
    fn route(&self, call: &Call<'a>, facts: &mut Facts) {
        let code = self.code;
        let (receiver, name) = call.name.rsplit_once('.').unwrap_or(("", call.name));
        // aiohttp keeps its routes in `app.router`.
        let receiver = receiver
            .strip_suffix(".router")
            .filter(|object| self.routers.contains_key(object))
            .unwrap_or(receiver);
        let full = code.full_name(call.name);
        let arguments = code.arguments(call);
        let decorated = self.decorated(call);
        // `@get("/x")` of Litestar and Bottle, `web.get("/x", handler)` of aiohttp.
        let by_function = ["litestar.", "bottle.", "aiohttp.web.", "robyn.", "blacksheep."]
            .iter()
            .any(|module| full.starts_with(module));
        if matches!(
            full.as_str(),
            "starlette.routing.Route" | "fastapi.routing.APIRoute" | "starlette.routing.WebSocketRoute"
        ) {
            if let Some(path) = arguments
                .first()
                .and_then(|first| code.text_or_constant(first.value))
            {
                let path = self.enclosing_mounts(call) + &path;
                let handler = argument(&arguments, "1").or_else(|| argument(&arguments, "endpoint"));
                let socket = full.ends_with("WebSocketRoute");
                self.push(
                    facts,
                    call,
                    None,
                    "starlette",
                    &methods_of(code, &arguments, if socket { "WEBSOCKET" } else { "GET" }),
                    &path,
                    self.named(handler),
                );
            }
            return;
        }
        let known = self.routers.get(receiver);
        let imported = !receiver.is_empty()
            && code
                .imported(receiver.split('.').next().unwrap_or(receiver))
                .is_some();
        let adds = name.starts_with("add_");
        let foreign = adds || imported && decorated.is_some();
        if known.is_none() && !by_function && !foreign {
            return;
        }
        if name == "add_resource" || adds && name.ends_with("_resource") {
            self.resources(call, receiver, &arguments, facts);
            return;
        }
        let methods: Vec<&'static str> = match name {
            "websocket" | "websocket_route" | "add_api_websocket_route" | "add_websocket_route" => {
                vec!["WEBSOCKET"]
            }
            "route" | "add_route" | "add_url_rule" | "api_route" | "add_api_route" | "api_operation" => {
                methods_of(code, &arguments, "GET")
            }
            _ => match method(name.strip_prefix("add_").unwrap_or(name)) {
                Some(method) => vec![method],
                None => return,
            },
        };
        let Some(path) = self.path_argument(&arguments) else {
            return;
        };
        let handler = decorated.or_else(|| {
            self.named(
                argument(&arguments, "1")
                    .or_else(|| argument(&arguments, "endpoint"))
                    .or_else(|| argument(&arguments, "view_func")),
            )
        });
        // A call such as `client.get("/x")` of an imported module is a request, not a route.
        if handler.is_none() && !adds && known.is_none_or(|router| !router.application) {
            return;
        }
        if handler.is_none() && !adds && decorated.is_none() && !by_function {
            return;
        }
        self.push(facts, call, Some(receiver), "", &methods, &path, handler);
    }

    /// Path of a route: the first argument or the one called `path` or `rule`.
    fn path_argument(&self, arguments: &[Argument<'a>]) -> Option<String> {
        let span = argument(arguments, "0")
            .or_else(|| argument(arguments, "path"))
            .or_else(|| argument(arguments, "rule"))
            .or_else(|| argument(arguments, "uri"));
        let Some(span) = span else {
            return Some(String::new());
        };
        let path = self.code.text_or_constant(span)?;
        (path.is_empty() || path.starts_with('/')).then_some(path)
    }

    /// The function or class that a call decorates.
    fn decorated(&self, call: &Call<'_>) -> Option<&Definition<'a>> {
        let number = self.code.statement_at(call.start);
        let statement = self.code.statement(number)?;
        if call.start != statement.start + 1 || !self.code.statement_code(statement).starts_with('@') {
            return None;
        }
        self.definitions.get(*self.by_decorator.get(&number)?)
    }

    /// The function of the file that an argument names.
    fn named(&self, span: Option<Span>) -> Option<&Definition<'a>> {
        let name = self.code.path(span?)?;
        self.definitions.get(*self.by_name.get(name)?)
    }

    /// `api.add_resource(Bookings, "/bookings", "/bookings/<id>")`.
    fn resources(&self, call: &Call<'a>, receiver: &str, arguments: &[Argument<'a>], facts: &mut Facts) {
        let class = self.named(arguments.first().map(|first| first.value));
        for argument in arguments
            .iter()
            .filter(|argument| argument.keyword.is_none())
            .skip(1)
        {
            if let Some(path) = self
                .code
                .text_or_constant(argument.value)
                .filter(|path| path.starts_with('/'))
            {
                self.push(facts, call, Some(receiver), "flask", &["*"], &path, class);
            }
        }
    }

    /// Litestar's classes with a `path`, Tornado's tuples.
    fn controllers(&self, facts: &mut Facts) {
        let code = self.code;
        if !code.uses("tornado") {
            return;
        }
        for call in code
            .calls()
            .iter()
            .filter(|call| code.full_name(call.name).ends_with("Application"))
        {
            let list = code.arguments(call).first().map(|first| first.value);
            let list = list.and_then(|span| {
                code.path(span)
                    .and_then(|name| code.value_before(name, span.start))
                    .or(Some(span))
            });
            for item in list.and_then(|span| code.list(span)).unwrap_or_default() {
                let parts = code.list(item).unwrap_or_default();
                if let Some(path) = parts.first().and_then(|first| code.string(*first)) {
                    let path = path.trim_end_matches(['$', '?']);
                    self.push(
                        facts,
                        call,
                        None,
                        "tornado",
                        &["*"],
                        path,
                        self.named(parts.get(1).copied()),
                    );
                }
            }
        }
    }

    /// Tells a route, once for each method.
    #[expect(clippy::too_many_arguments, reason = "the parts of one fact")]
    fn push(
        &self,
        facts: &mut Facts,
        call: &Call<'_>,
        receiver: Option<&str>,
        framework: &'static str,
        methods: &[&'static str],
        path: &str,
        handler: Option<&Definition<'a>>,
    ) {
        let router = receiver.and_then(|name| self.routers.get(name));
        let prefix = router.map_or("", |router| router.prefix.as_str());
        let class_path = handler.map_or_else(String::new, |handler| self.class_path(handler));
        let whole = format!("{prefix}{class_path}{path}");
        let whole = if whole.is_empty() { "/".to_owned() } else { whole };
        let Some(path) = UrlPath::parse(Raw::new(&whole)) else {
            return;
        };
        let key = match (receiver, router) {
            (Some(name), Some(router)) if !router.application => self.key(name),
            (Some(name), None) if !matches!(name, "" | "app" | "application") => self.key(name),
            _ => None,
        };
        let decoration = handler.and_then(|handler| wants_authentication(self.code, handler));
        let on_call = handler::mentions_authentication(
            self.code,
            Span {
                start: call.open,
                end: call.close,
            },
        );
        let authenticated = (on_call || router.is_some_and(|router| router.authenticated))
            .then_some(true)
            .or(decoration);
        let (touches, constant) = handler
            .map(|handler| handler::answer(self.code, handler))
            .unwrap_or_default();
        let framework = match (framework, router) {
            ("", Some(router)) => router.framework,
            ("", None) => self::framework(self.code).unwrap_or_default(),
            (framework, _) => framework,
        };
        for method in methods {
            facts.routes.push(RouteFact {
                method,
                path: path.clone(),
                router: key.clone(),
                authenticated,
                touches: touches.iter().map(|kind| Shown::from(*kind)).collect(),
                constant,
                framework: Shown::from(framework),
                scope: self.code.source.scope,
                evidence: self.code.source.at(self.code.line(call.start)),
            });
        }
    }

    /// The `path` of the Litestar controller that holds a handler.
    fn class_path(&self, handler: &Definition<'_>) -> String {
        if !self.code.uses("litestar") {
            return String::new();
        }
        let number = self.code.statement_at(handler.head.start);
        let class = self
            .definitions
            .iter()
            .find(|definition| definition.class && definition.body.0 <= number && number < definition.body.1);
        let Some(class) = class else {
            return String::new();
        };
        self.code
            .statements()
            .iter()
            .take(class.body.1)
            .skip(class.body.0)
            .find_map(|statement| match self.code.assignment(*statement)? {
                ("path", _, Some(value)) => self.code.string(value),
                _ => None,
            })
            .unwrap_or_default()
    }
}

/// The methods of `methods=["GET", …]`.
fn methods_of(code: &Code<'_>, arguments: &[Argument<'_>], default: &'static str) -> Vec<&'static str> {
    let Some(span) = argument(arguments, "methods") else {
        return vec![default];
    };
    let found: Vec<&'static str> = code
        .texts_in(span)
        .iter()
        .filter_map(|(text, _)| method(text))
        .collect();
    if found.is_empty() { vec!["*"] } else { found }
}

/// Is an object one that takes requests?
fn is_server(object: &Object<'_>) -> bool {
    object.kind == EntryKind::Server
}
