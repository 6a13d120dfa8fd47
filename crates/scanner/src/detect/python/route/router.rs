//! The routers of a file.

use std::collections::BTreeMap;

use super::super::entry::Object;
use super::super::known;
use super::super::syntax::Code;
use super::super::value::argument;
use super::{Router, handler, is_server};

pub(super) fn routers<'a>(code: &Code<'a>, objects: &[Object<'a>]) -> BTreeMap<&'a str, Router> {
    let mut found = BTreeMap::new();
    for object in objects
        .iter()
        .filter(|object| is_server(object) && !object.name.is_empty())
    {
        let router = Router {
            prefix: String::new(),
            framework: object.framework,
            application: true,
            authenticated: handler::mentions_authentication(
                code,
                super::Span {
                    start: object.call.open,
                    end: object.call.close,
                },
            ),
        };
        found.insert(object.name, router);
    }
    for call in code.calls() {
        let full = code.full_name(call.name);
        let Some(maker) = known::router(&full) else {
            continue;
        };
        let Some(statement) = code.statement(code.statement_at(call.start)) else {
            continue;
        };
        let Some((name, ..)) = code.assignment(statement) else {
            continue;
        };
        let arguments = code.arguments(&call);
        let prefix = argument(&arguments, maker.prefix).and_then(|span| code.text_or_constant(span));
        // `Api(app)` and `Api(blueprint)` serve where their host does.
        let host = arguments
            .first()
            .filter(|first| first.keyword.is_none())
            .and_then(|first| code.path(first.value))
            .and_then(|name| found.get(name).cloned());
        let hosted = full.ends_with(".Api");
        let own = prefix.unwrap_or_default().trim_end_matches('/').to_owned();
        let base = host
            .as_ref()
            .filter(|_| hosted)
            .map_or_else(String::new, |host| host.prefix.clone());
        found.insert(
            name,
            Router {
                prefix: base + &own,
                framework: maker.framework,
                application: hosted && host.as_ref().is_some_and(|host| host.application),
                authenticated: handler::mentions_authentication(
                    code,
                    super::Span {
                        start: call.open,
                        end: call.close,
                    },
                ),
            },
        );
    }
    found
}
