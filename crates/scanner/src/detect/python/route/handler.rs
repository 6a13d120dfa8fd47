//! What a handler's own text says: does it want a user, does it touch a datastore, is its answer a constant?

use super::super::known::words;
use super::super::syntax::{Code, Definition, Span};

/// Does a stretch of code name a check of the user, as a dependency or a decorator?
pub(in super::super) fn mentions_authentication(code: &Code<'_>, span: Span) -> bool {
    let text = code.code(span.start, span.end).to_ascii_lowercase();
    let depends = text.contains("depends(")
        || text.contains("security(")
        || text.contains("auth=")
        || text.contains("guards=");
    depends && (words().authentication.iter().any(|word| text.contains(word)) || text.contains("security("))
}

/// Does a handler want a user, by its decorators or its parameters? `None` where nothing says so.
pub(in super::super) fn wants_authentication(code: &Code<'_>, handler: &Definition<'_>) -> Option<bool> {
    let decorators = handler
        .decorators
        .iter()
        .filter_map(|number| code.statement(*number))
        .any(|statement| {
            let text = code.statement_code(statement).to_ascii_lowercase();
            let name = text.split('(').next().unwrap_or(&text);
            words().authentication.iter().any(|word| name.contains(word))
                || text.contains("isauthenticated")
                || text.contains("isadmin")
        });
    let parameters = code.items(handler.parameters).into_iter().any(|parameter| {
        let text = code.code_of(parameter).to_ascii_lowercase();
        let annotation = text.split_once(':').map_or("", |(_, rest)| rest);
        let depends = text.contains("depends(") || text.contains("security(");
        depends && words().authentication.iter().any(|word| text.contains(word))
            || [
                "currentuser",
                "current_user",
                "currentsuperuser",
                "currentactiveuser",
            ]
            .iter()
            .any(|word| annotation.contains(word))
    });
    let classes = code
        .statements()
        .iter()
        .take(handler.body.1)
        .skip(handler.body.0)
        .any(|statement| {
            let text = code.statement_code(*statement);
            handler.class
                && (text.starts_with("permission_classes") || text.starts_with("authentication_classes"))
                && !text.contains("AllowAny")
                && !text.contains("[]")
        });
    (decorators || parameters || classes).then_some(true)
}

/// Kinds of datastores that a handler touches (`database` where the kind does not show), and whether it answers with a
/// constant.
pub(super) fn answer(code: &Code<'_>, handler: &Definition<'_>) -> (Vec<&'static str>, bool) {
    // From behind the parameters, so that a body on the line of its head counts.
    let last = code.stretch(handler.body).end.max(handler.head.end);
    let span = Span {
        start: handler.parameters.end,
        end: last,
    };
    let mut touches = Vec::new();
    let parameters = code
        .code(handler.parameters.start, handler.parameters.end)
        .to_ascii_lowercase();
    let text = code.code(span.start, span.end).to_ascii_lowercase();
    let both = format!("{parameters} {text}");
    let calls = code.calls_in(span);
    let called = |methods: &[&str]| {
        calls.iter().any(|call| {
            call.name
                .rsplit('.')
                .next()
                .is_some_and(|name| methods.contains(&name))
        })
    };
    if called(&[
        "execute",
        "scalar",
        "scalars",
        "fetchval",
        "fetchrow",
        "fetchone",
        "fetch_one",
        "exec",
        "ensure_connection",
        "cursor",
    ]) || both.contains("get_db")
        || both.contains("sessiondep")
        || both.contains("dbsession")
        || both.contains("db.session")
        || text.contains("session.")
        || both.contains(".objects.")
        || both.contains("check_db")
        || both.contains("check_database")
        || both.contains("database.is_connected")
    {
        touches.push("database");
    }
    if both.contains("redis") && (called(&["ping", "get", "set", "info"]) || parameters.contains("redis"))
        || both.contains("check_redis")
    {
        touches.push("redis");
    }
    if both.contains("mongo") && called(&["command", "server_info", "admin_command", "ping"]) {
        touches.push("mongodb");
    }
    let answers = |name: &str| {
        let last = name.rsplit('.').next().unwrap_or(name);
        last.ends_with("Response")
            || matches!(
                last,
                "jsonify"
                    | "json"
                    | "text"
                    | "make_response"
                    | "dict"
                    | "str"
                    | "Message"
                    | "isoformat"
                    | "now"
                    | "utcnow"
            )
            || last.starts_with(|c: char| c.is_uppercase())
            || matches!(last, "debug" | "info")
    };
    let returns = text.contains("return");
    let constant =
        !handler.class && returns && touches.is_empty() && calls.iter().all(|call| answers(call.name));
    (touches, constant)
}
