//! Datastores, as clients and configuration of the code prove them, and the connection pools before them.

mod django;

use playbook_core::evidence::{Confidence, Scope};
use playbook_core::harmless::{EnvName, Name};
use playbook_core::inventory::{Pool, SignalKind};
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Group};

use super::known::{self, Store};
use super::syntax::{Call, Code, Span};
use super::value::{argument, environment_read, variable, variable_name};
use crate::detect::judge;
use crate::fact::{Facts, StoreFact};

pub(super) fn detect(code: &Code<'_>, facts: &mut Facts) {
    for call in code.calls() {
        let full = code.full_name(call.name);
        if let Some(store) = known::store(&full) {
            client(code, &call, store, facts);
        }
        cloud(code, &call, facts);
        rewriting(code, &call, facts);
        if let Some(read) = environment_read(code, &call) {
            default_address(code, read.name, read.default, facts);
        }
    }
    imports(code, facts);
    django::detect(code, facts);
}

/// Is the file one of many connectors?
pub(super) fn is_connector(code: &Code<'_>) -> bool {
    code.source
        .path
        .parent()
        .components()
        .any(|part| known::words().connectors.contains(&part))
}

fn fact(code: &Code<'_>, kind: &'static str, strong: bool, offset: usize) -> StoreFact {
    StoreFact {
        kind: Shown::from(kind),
        dir: Some(code.source.path.parent()),
        version: None,
        role: None,
        managed: None,
        driver: None,
        variable: None,
        name: None,
        extension: None,
        strong: strong && !is_connector(code),
        scope: code.source.scope,
        evidence: code.source.at(code.line(offset)),
    }
}

/// Tells a store that the code or its settings name. An embedded database is what an application falls back on while
/// nothing else is chosen.
pub(super) fn tell(code: &Code<'_>, facts: &mut Facts, mut store: StoreFact) {
    let connector = is_connector(code);
    if store.kind == *"sqlite" {
        let chosen = store.strong && !connector;
        store.strong = false;
        if chosen {
            facts.default_stores.push(store.clone());
        }
    } else {
        store.strong &= !connector;
    }
    facts.stores.push(store);
}

/// What stands at the end of names: an expression, its text, and the variable behind it.
fn address(code: &Code<'_>, span: Span) -> (Option<String>, Option<EnvName>) {
    let mut at = span;
    for _ in 0..4 {
        let Some(value) = code.path(at).and_then(|path| code.value_before(path, at.start)) else {
            break;
        };
        at = value;
    }
    let text = code.string(at).or_else(|| beginning(code, at)).or_else(|| {
        code.calls_in(at)
            .iter()
            .find_map(|call| code.string(environment_read(code, call)?.default?))
    });
    (text, variable(code, at))
}

/// The scheme of a formatted address: `f"postgresql://{user}…"`, or of `"redis://%s" % host`.
fn beginning(code: &Code<'_>, span: Span) -> Option<String> {
    let (text, _) = code.texts_in(span).first().copied().or(None)?;
    let (scheme, _) = text.split_once("://")?;
    scheme
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || c == '+')
        .then(|| format!("{scheme}://x"))
}

/// The datastore of an address's scheme.
fn kind_of(text: &str) -> Option<&'static str> {
    let scheme = judge::scheme(text)?;
    Catalogue::get()
        .by_url_scheme(&scheme)
        .into_iter()
        .find(|found| found.technology.group == Group::Datastore)
        .map(|found| found.technology.id)
}

fn client(code: &Code<'_>, call: &Call<'_>, store: &'static Store, facts: &mut Facts) {
    let arguments = code.arguments(call);
    let given = store.address.iter().find_map(|word| argument(&arguments, word));
    let (text, variable) = given.map(|span| address(code, span)).unwrap_or_default();
    let kind = if store.kind.is_empty() {
        text.as_deref().and_then(kind_of)
    } else {
        Some(store.kind)
    };
    let queue = call
        .name
        .rsplit('.')
        .next()
        .is_some_and(|name| name.contains("Celery") || name.contains("Broker") || name.contains("Huey"));
    // What a caller or an object hands over belongs to whoever configures it.
    let handed = given.is_some_and(|span| {
        let written = code.code_of(span);
        text.is_none()
            && variable.is_none()
            && (written.starts_with("self.") || written.contains("configuration"))
    });
    if let Some(kind) = kind {
        let mut told = fact(code, kind, !handed && kind != "duckdb", call.start);
        told.variable.clone_from(&variable);
        told.role = queue.then_some("queue");
        tell(code, facts, told);
    }
    if let Some(text) = text.as_deref().filter(|text| text.contains("://")) {
        let place = judge::Place::new(code.line(call.start), code.source.scope);
        judge::literal(code.source, facts, "", text, place);
    }
    if !store.library.is_empty() && !matches!(kind, Some("sqlite" | "duckdb")) {
        pool(code, call, store, kind, facts);
    }
}

/// The connections that a client keeps.
fn pool(
    code: &Code<'_>,
    call: &Call<'_>,
    store: &'static Store,
    kind: Option<&'static str>,
    facts: &mut Facts,
) {
    let arguments = code.arguments(call);
    let find = |word: &str| argument(&arguments, word);
    let null = find("poolclass").is_some_and(|span| code.code_of(span).ends_with("NullPool"));
    if store.library == "sqlalchemy" {
        let evidence = code.source.at(code.line(call.start));
        facts.signal(
            SignalKind::EngineCreated,
            Some(Shown::from(store.library)),
            code.source.scope,
            evidence,
        );
    }
    if null || code.source.scope == Scope::Development || is_connector(code) {
        return;
    }
    let number = |span: Option<Span>| {
        let span = span?;
        let value = code
            .path(span)
            .and_then(|path| code.value_before(path, span.start))
            .unwrap_or(span);
        let read = code
            .calls_in(value)
            .iter()
            .find_map(|call| environment_read(code, call)?.default);
        code.number(read.unwrap_or(value))
            .and_then(|number| u32::try_from(number).ok())
    };
    let (size, overflow) = (find(store.size), find(store.overflow));
    facts.pools.push(Pool {
        library: Shown::from(store.library),
        datastore: kind.map(Shown::from),
        service: None,
        size: if size.is_some() {
            number(size)
        } else {
            store.default_size
        },
        overflow: if overflow.is_some() {
            number(overflow)
        } else {
            store.default_overflow
        },
        variable: size.and_then(|span| variable(code, span)).map(Shown::from),
        confidence: if size.is_some() {
            Confidence::Stated
        } else {
            Confidence::Convention
        },
        evidence: vec![code.source.at(code.line(call.start))],
    });
}

/// `boto3.client("s3")`, `session.resource("dynamodb")`.
fn cloud(code: &Code<'_>, call: &Call<'_>, facts: &mut Facts) {
    let method = call.name.rsplit('.').next().unwrap_or_default();
    let amazon = known::words()
        .amazon_modules
        .iter()
        .any(|module| code.uses(module));
    if !amazon || !matches!(method, "client" | "resource" | "create_client") {
        return;
    }
    let arguments = code.arguments(call);
    let Some(service) = arguments
        .first()
        .and_then(|first| code.text_or_constant(first.value))
    else {
        return;
    };
    let Some(service) = known::amazon(&service) else {
        return;
    };
    if let Some(kind) = service.store {
        facts.stores.push(fact(code, kind, true, call.start));
    }
    if let Some(external) = service.external {
        super::interface::external(code, facts, external, service.purpose, call.start);
    }
}

/// `url.replace("postgres://", "postgresql+asyncpg://")`.
fn rewriting(code: &Code<'_>, call: &Call<'_>, facts: &mut Facts) {
    if !call.name.ends_with("replace") {
        return;
    }
    let rewrites = code
        .arguments(call)
        .iter()
        .filter_map(|argument| code.string(argument.value))
        .any(|text| {
            ["postgres", "mysql"]
                .iter()
                .any(|scheme| text.starts_with(scheme))
                && (text.ends_with("://") || text.ends_with(':'))
        });
    if rewrites {
        let evidence = code.source.at(code.line(call.start));
        facts.signal(
            SignalKind::RewritesDatabaseScheme,
            None,
            code.source.scope,
            evidence,
        );
    }
}

/// An address as the fallback of a variable proves the store that the variable names.
fn default_address(code: &Code<'_>, name: Span, default: Option<Span>, facts: &mut Facts) {
    let (Some(name), Some(default)) = (variable_name(code, name), default) else {
        return;
    };
    let Some(text) = address(code, default).0 else {
        return;
    };
    let evidence = code.source.at(code.line(default.start));
    let Some(mut store) = judge::store_of_address(name.as_str(), &text, code.source.scope, evidence) else {
        return;
    };
    store.dir = Some(code.source.path.parent());
    store.role = ["BROKER", "CELERY", "QUEUE", "RQ_"]
        .iter()
        .any(|word| name.as_str().contains(word))
        .then_some("queue");
    if store.kind == *"postgresql" || store.kind == *"mysql" {
        store.role = None;
    }
    tell(code, facts, store);
}

/// Imports of drivers support what else is found; one within `try` is an option.
fn imports(code: &Code<'_>, facts: &mut Facts) {
    for (module, number) in &code.modules {
        let Some(statement) = code.statement(*number).filter(|statement| statement.indent == 0) else {
            continue;
        };
        for found in Catalogue::get().by_import("python", module) {
            let store = found.technology;
            if store.group != Group::Datastore {
                continue;
            }
            let mut told = fact(code, store.id, false, statement.start);
            told.driver = module
                .split('.')
                .next()
                .and_then(|name| Name::parse(Raw::new(name)));
            facts.stores.push(told);
        }
    }
}
