//! Django's settings: databases, caches, channels, files, mail.

use playbook_core::inventory::{Cache, SignalKind};
use playbook_core::shown::Shown;

use super::super::known;
use super::super::syntax::{Code, Span};
use super::super::value::variable;
use super::{fact, tell};
use crate::fact::Facts;

pub(super) fn detect(code: &Code<'_>, facts: &mut Facts) {
    for statement in code.statements().iter().filter(|statement| statement.indent == 0) {
        let Some((name, _, Some(value))) = code.assignment(*statement) else {
            continue;
        };
        match name {
            "DATABASES"
            | "CACHES"
            | "CHANNEL_LAYERS"
            | "STORAGES"
            | "DEFAULT_FILE_STORAGE"
            | "STATICFILES_STORAGE" => {
                backends(code, name, value, facts);
            }
            "MEDIA_ROOT" => {
                let evidence = code.source.at(code.line(statement.start));
                facts.signal(
                    SignalKind::LocalFiles,
                    Some(Shown::from("media-root")),
                    code.source.scope,
                    evidence,
                );
            }
            _ => {}
        }
    }
}

fn backends(code: &Code<'_>, name: &str, value: Span, facts: &mut Facts) {
    for (text, at) in code.texts_in(value) {
        if name == "CACHES" && text.contains("locmem") {
            let evidence = code.source.at(code.line(at));
            facts.signal(
                SignalKind::InMemoryState,
                Some(Shown::from("locmem-cache")),
                code.source.scope,
                evidence,
            );
        }
        if name == "CHANNEL_LAYERS" && text.contains("InMemoryChannelLayer") {
            let evidence = code.source.at(code.line(at));
            facts.signal(
                SignalKind::InMemoryState,
                Some(Shown::from("channels")),
                code.source.scope,
                evidence,
            );
        }
        let Some(kind) = known::backend(text) else {
            continue;
        };
        let mut store = fact(code, kind, true, at);
        // The address stands beside the back end.
        let host = code
            .dictionary(value)
            .into_iter()
            .flat_map(|(_, entry)| code.dictionary(entry))
            .find(|(key, _)| matches!(key.as_str(), "HOST" | "LOCATION" | "NAME"));
        store.variable = host.and_then(|(_, span)| variable(code, span));
        tell(code, facts, store);
        if name == "CACHES" {
            facts.caching.push(Cache {
                kind: Shown::from(kind),
                state: Some(Shown::from(kind)),
                lifetime: None,
                evidence: vec![code.source.at(code.line(at))],
            });
        }
    }
}
