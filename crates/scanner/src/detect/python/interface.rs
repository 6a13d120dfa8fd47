//! Interfaces that need care at the edge, authentication, services outside, observability and operation.

mod cors;

use playbook_core::evidence::Scope;
use playbook_core::harmless::UrlPath;
use playbook_core::inventory::{
    ApiSpec, AuthFact, Cache, ExternalService, Interface, InterfaceKind, Observability, SignalKind,
};
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Group};

use super::entry::Object;
use super::known::{self, Mark};
use super::syntax::{Code, Definition};
use super::value::argument;
use crate::fact::{EntryKind, Facts};

pub(super) fn detect<'a>(
    code: &Code<'a>,
    definitions: &[Definition<'a>],
    objects: &[Object<'a>],
    facts: &mut Facts,
) {
    for call in code.calls() {
        if let Some(mark) = known::mark(&code.full_name(call.name)) {
            marked(code, mark, call.start, facts);
        }
        streamed(code, &call, facts);
        provider(code, &call, facts);
    }
    cors::detect(code, facts);
    imports(code, facts);
    documentation(code, objects, facts);
    settings_of_django(code, facts);
    shapes(code, definitions, facts);
    tasks(code, definitions, facts);
}

fn marked(code: &Code<'_>, mark: &'static Mark, offset: usize, facts: &mut Facts) {
    let evidence = code.source.at(code.line(offset));
    // These lists of the inventory have no scope: what tests do does not enter them.
    let production = code.source.scope == Scope::Production;
    if !mark.auth.is_empty() && production && !super::store::is_connector(code) {
        facts.auth.push(AuthFact {
            kind: Shown::from(mark.auth),
            evidence: vec![evidence.clone()],
        });
    }
    let kinds = [
        ("graphql", InterfaceKind::GraphQl),
        ("metrics", InterfaceKind::Metrics),
        ("admin", InterfaceKind::Admin),
        ("server-sent-events", InterfaceKind::ServerSentEvents),
        ("websocket", InterfaceKind::WebSocket),
        ("grpc", InterfaceKind::Grpc),
        ("static", InterfaceKind::Static),
    ];
    if let Some((_, kind)) = kinds.iter().find(|(word, _)| *word == mark.interface) {
        interface(code, facts, *kind, None, offset);
        if mark.interface == "graphql" && production {
            specification(code, facts, "graphql", None, offset);
        }
    }
    let signals = [
        ("rate-limit", SignalKind::RateLimit),
        ("graceful-shutdown", SignalKind::GracefulShutdown),
        ("trusts-proxy", SignalKind::TrustsProxy),
        ("sends-mail", SignalKind::SendsMail),
        ("password-hash", SignalKind::PasswordHash),
    ];
    if let Some((_, kind)) = signals.iter().find(|(word, _)| *word == mark.signal) {
        facts.signal(
            *kind,
            Some(Shown::from(mark.subject)),
            code.source.scope,
            evidence.clone(),
        );
        if *kind == SignalKind::SendsMail {
            external(code, facts, "smtp", "email", offset);
        }
    }
    if !mark.cache.is_empty() && production {
        facts.caching.push(Cache {
            kind: Shown::from(mark.cache),
            state: None,
            lifetime: None,
            evidence: vec![evidence],
        });
    }
}

/// Tells a service outside the repository.
pub(super) fn external(
    code: &Code<'_>,
    facts: &mut Facts,
    kind: &'static str,
    category: &'static str,
    offset: usize,
) {
    facts.external_services.push(ExternalService {
        kind: Shown::from(kind),
        category: Shown::from(category),
        scope: code.source.scope,
        variables: Vec::new(),
        evidence: vec![code.source.at(code.line(offset))],
    });
}

fn interface(code: &Code<'_>, facts: &mut Facts, kind: InterfaceKind, path: Option<UrlPath>, offset: usize) {
    if code.source.scope == Scope::Production {
        facts.interfaces.push(Interface {
            kind,
            path: path.map(Shown::from),
            service: None,
            evidence: vec![code.source.at(code.line(offset))],
        });
    }
}

fn specification(
    code: &Code<'_>,
    facts: &mut Facts,
    kind: &'static str,
    served_at: Option<UrlPath>,
    offset: usize,
) {
    facts.api_specs.push(ApiSpec {
        kind: Shown::from(kind),
        path: code.source.path.clone(),
        served_at: served_at.map(Shown::from),
        evidence: vec![code.source.at(code.line(offset))],
    });
}

/// `oauth.register("google", …)` of Authlib, and keys that requests carry.
fn provider(code: &Code<'_>, call: &super::syntax::Call<'_>, facts: &mut Facts) {
    let method = call.name.rsplit('.').next().unwrap_or_default();
    let first = || {
        code.arguments(call)
            .first()
            .and_then(|first| code.string(first.value))
    };
    if method == "register" && code.uses("authlib") {
        let name = argument(&code.arguments(call), "name")
            .and_then(|span| code.string(span))
            .or_else(first);
        let vendor =
            name.and_then(|name| Catalogue::get().find(Group::ExternalService, &name.to_ascii_lowercase()));
        if let Some(vendor) = vendor {
            external(code, facts, vendor.id, vendor.category, call.start);
        }
    }
    let request = call.name.contains("headers.get")
        || call.name.contains("args.get")
        || call.name.contains("query_params.get");
    let key = request && code.source.scope == Scope::Production;
    if key
        && first().is_some_and(|name| {
            matches!(
                name.to_ascii_lowercase().as_str(),
                "x-api-key" | "api_key" | "apikey" | "api-key"
            )
        })
    {
        let evidence = vec![code.source.at(code.line(call.start))];
        facts.auth.push(AuthFact {
            kind: Shown::from("api-key"),
            evidence,
        });
    }
}

/// `StreamingResponse(…, media_type="text/event-stream")`.
fn streamed(code: &Code<'_>, call: &super::syntax::Call<'_>, facts: &mut Facts) {
    let arguments = code.arguments(call);
    let kind = argument(&arguments, "media_type")
        .or_else(|| argument(&arguments, "mimetype"))
        .or_else(|| argument(&arguments, "content_type"));
    if kind
        .and_then(|span| code.string(span))
        .is_some_and(|text| text.starts_with("text/event-stream"))
    {
        interface(code, facts, InterfaceKind::ServerSentEvents, None, call.start);
    }
}

/// Imports of vendors and tools, as the catalogue knows them. One within `try` or a function is an option and says
/// nothing by itself.
fn imports(code: &Code<'_>, facts: &mut Facts) {
    for (module, number) in &code.modules {
        let Some(statement) = code.statement(*number).filter(|statement| statement.indent == 0) else {
            continue;
        };
        let evidence = code.source.at(code.line(statement.start));
        let production = code.source.scope == Scope::Production;
        for found in Catalogue::get().by_import("python", module) {
            let technology = found.technology;
            match technology.group {
                Group::ExternalService => {
                    external(code, facts, technology.id, technology.category, statement.start);
                }
                Group::Observability if production => facts.observability.push(Observability {
                    kind: Shown::from(technology.id),
                    category: Shown::from(technology.category),
                    evidence: vec![evidence.clone()],
                }),
                // A library for tokens can serve to call others; its calls are told by the table.
                Group::Auth
                    if production && matches!(technology.id, "ldap" | "saml" | "session" | "webauthn") =>
                {
                    facts.auth.push(AuthFact {
                        kind: Shown::from(technology.id),
                        evidence: vec![evidence.clone()],
                    });
                }
                _ => {}
            }
        }
    }
}

/// The documents that an application generates of itself.
fn documentation(code: &Code<'_>, objects: &[Object<'_>], facts: &mut Facts) {
    if code.source.scope != Scope::Production {
        return;
    }
    for object in objects
        .iter()
        .filter(|object| object.framework == "fastapi" && object.kind == EntryKind::Server)
    {
        let arguments = code.arguments(&object.call);
        let given = |word: &str| argument(&arguments, word);
        let path = |word: &str, default: &str| match given(word) {
            Some(span) => code
                .text_or_constant(span)
                .and_then(|text| UrlPath::parse(Raw::new(&text))),
            None => UrlPath::parse(Raw::new(default)),
        };
        let off = |word: &str| given(word).is_some_and(|span| code.code_of(span) == "None");
        if off("openapi_url") {
            continue;
        }
        specification(
            code,
            facts,
            "openapi",
            path("openapi_url", "/openapi.json"),
            object.call.start,
        );
        if !off("docs_url") {
            interface(
                code,
                facts,
                InterfaceKind::ApiDocs,
                path("docs_url", "/docs"),
                object.call.start,
            );
        }
    }
    for call in code.calls() {
        let full = code.full_name(call.name);
        if let Some(served) = known::generator(&full) {
            specification(
                code,
                facts,
                "openapi",
                UrlPath::parse(Raw::new(served)),
                call.start,
            );
        }
    }
}

/// What Django's settings switch on by naming it.
fn settings_of_django(code: &Code<'_>, facts: &mut Facts) {
    if code.source.scope != Scope::Production {
        return;
    }
    for statement in code.statements().iter().filter(|statement| statement.indent == 0) {
        let Some((name, _, Some(value))) = code.assignment(*statement) else {
            continue;
        };
        if matches!(
            name,
            "INSTALLED_APPS" | "MIDDLEWARE" | "AUTHENTICATION_BACKENDS" | "REST_FRAMEWORK"
        ) || name.ends_with("_APPS")
        {
            for (text, at) in code.texts_in(value) {
                if let Some(kind) = known::setting(text) {
                    let evidence = code.source.at(code.line(at));
                    facts.auth.push(AuthFact {
                        kind: Shown::from(kind),
                        evidence: vec![evidence],
                    });
                }
                if text == "django_prometheus" {
                    interface(
                        code,
                        facts,
                        InterfaceKind::Metrics,
                        UrlPath::parse(Raw::new("/metrics")),
                        at,
                    );
                }
                if text == "drf_spectacular" {
                    specification(code, facts, "openapi", None, at);
                }
            }
        }
        if name == "EMAIL_HOST"
            || name == "EMAIL_BACKEND" && code.string(value).is_some_and(|text| text.contains("smtp"))
        {
            external(code, facts, "smtp", "email", statement.start);
        }
    }
    for call in code
        .calls()
        .iter()
        .filter(|_| code.source.path.name() == "urls.py")
    {
        let arguments = code.arguments(call);
        let second = arguments
            .get(1)
            .map(|second| code.code_of(second.value))
            .unwrap_or_default();
        if matches!(call.name, "path" | "re_path" | "url") && second.contains("admin.site.urls") {
            let path = arguments
                .first()
                .and_then(|first| code.string(first.value))
                .unwrap_or_default();
            let path = UrlPath::parse(Raw::new(&format!("/{}", path.trim_start_matches('^'))));
            interface(code, facts, InterfaceKind::Admin, path, call.start);
        }
    }
}

/// Uploads, and what a lifespan closes.
fn shapes(code: &Code<'_>, definitions: &[Definition<'_>], facts: &mut Facts) {
    for definition in definitions.iter().filter(|definition| !definition.class) {
        let parameters = code.code(definition.parameters.start, definition.parameters.end);
        if parameters.contains("UploadFile") {
            interface(code, facts, InterfaceKind::Upload, None, definition.head.start);
        }
        let lifespan = definition
            .decorators
            .iter()
            .filter_map(|number| code.statement(*number))
            .any(|statement| {
                let line = code.statement_code(statement);
                line.contains("asynccontextmanager") && definition.name.contains("lifespan")
            });
        let shutdown = definition
            .decorators
            .iter()
            .filter_map(|number| code.statement(*number))
            .any(|statement| {
                code.texts_in(super::syntax::Span {
                    start: statement.start,
                    end: statement.end,
                })
                .iter()
                .any(|(text, _)| *text == "shutdown")
            });
        if lifespan || shutdown {
            let evidence = code.source.at(code.line(definition.head.start));
            facts.signal(
                SignalKind::GracefulShutdown,
                Some(Shown::from("lifespan")),
                code.source.scope,
                evidence,
            );
        }
    }
}

/// Tasks of queues: functions that a worker runs, and where they are put into the queue.
fn tasks(code: &Code<'_>, definitions: &[Definition<'_>], facts: &mut Facts) {
    let library = [
        "celery",
        "dramatiq",
        "rq",
        "huey",
        "arq",
        "taskiq",
        "procrastinate",
        "django_rq",
    ]
    .into_iter()
    .find(|name| code.uses(name));
    for definition in definitions.iter().filter(|definition| !definition.class) {
        let task = definition
            .decorators
            .iter()
            .filter_map(|number| code.statement(*number))
            .any(|statement| {
                let line = code.statement_code(statement).trim_start_matches('@');
                let name = line.split('(').next().unwrap_or(line);
                name == "shared_task"
                    || name
                        .rsplit_once('.')
                        .is_some_and(|(_, last)| matches!(last, "task" | "actor"))
                    || matches!(name, "actor" | "dramatiq.actor" | "job")
            });
        if let (true, Some(library)) = (
            task,
            library.or_else(|| code.imported("celery_app").map(|_| "celery")),
        ) {
            let evidence = code.source.at(code.line(definition.head.start));
            facts.signal(
                SignalKind::TaskDefined,
                Some(Shown::from(library)),
                code.source.scope,
                evidence,
            );
        }
    }
    for call in code.calls() {
        let method = call.name.rsplit('.').next().unwrap_or_default();
        // `delay` is a method of the tasks of several libraries: which one, the task's own file says.
        let library = match method {
            "apply_async" => Some("celery"),
            "delay" if call.name.contains('.') => library,
            "enqueue" | "enqueue_in" | "enqueue_at" if call.name.contains('.') => Some("rq"),
            "enqueue_job" if code.uses("arq") => Some("arq"),
            _ => continue,
        };
        let evidence = code.source.at(code.line(call.start));
        facts.signal(
            SignalKind::TaskEnqueued,
            library.map(Shown::from),
            code.source.scope,
            evidence,
        );
    }
}
