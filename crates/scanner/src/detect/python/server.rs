//! Settings of application servers: `gunicorn.conf.py`.

use playbook_core::harmless::Symbol;
use playbook_core::inventory::SignalKind;
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use super::syntax::Code;
use super::value;
use crate::fact::{EntryKind, EntryPoint, Facts};

/// Is it a settings file of Gunicorn?
pub(super) fn is_settings(path: &RelPath) -> bool {
    let name = path.name();
    name.contains("gunicorn")
        && ["conf", "config", "settings", "cfg"]
            .iter()
            .any(|word| name.contains(word))
}

/// Tells the address that Gunicorn binds, and whether it reloads.
pub(super) fn detect(code: &Code<'_>, facts: &mut Facts) {
    if !is_settings(code.source.path) {
        return;
    }
    if let Some(bind) = code.constant("bind") {
        let port = value::port(code, bind);
        let address = code
            .texts_in(bind)
            .first()
            .and_then(|(text, _)| {
                text.rsplit_once(':')
                    .map(|(host, _)| host.trim_matches(['[', ']']).to_owned())
            })
            .and_then(|host| playbook_core::harmless::Setting::parse(Raw::new(&host)));
        let application = code.constant("wsgi_app").and_then(|span| code.string(span));
        facts.entry_points.push(EntryPoint {
            path: code.source.path.clone(),
            kind: EntryKind::Server,
            framework: Shown::from("gunicorn"),
            symbol: application.and_then(|text| Symbol::parse(Raw::new(&text))),
            port: port.number,
            port_variable: port.variable,
            bind: address,
            scope: code.source.scope,
            evidence: code.source.at(code.line(bind.start)),
        });
    }
    if let Some(reload) = code
        .constant("reload")
        .filter(|span| code.code_of(*span) == "True")
    {
        let evidence = code.source.at(code.line(reload.start));
        facts.signal(
            SignalKind::DevelopmentServer,
            Some(Shown::from("gunicorn")),
            code.source.scope,
            evidence,
        );
    }
}
