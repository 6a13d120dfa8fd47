//! Symfony: Messenger's transports, the scheduler, Doctrine's connection.

use playbook_core::harmless::EnvName;
use playbook_core::inventory::{AuthFact, VariableOrigin};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use crate::detect::ecosystem::{Code, entry, group, job, kind_of_scheme, pattern, start, store};
use crate::detect::ending;
use crate::detect::php::known::TABLE;
use crate::fact::{EntryKind, Facts, VariableFact};
use crate::source::Source;

pub(super) fn wants(path: &RelPath) -> bool {
    ending(path, &["yaml", "yml"])
        && path.parent().components().any(|part| part == "config")
        && !path
            .parent()
            .components()
            .any(|part| matches!(part, "test" | "dev"))
}

pub(super) fn configuration(source: &Source<'_>, facts: &mut Facts) {
    if source.text.contains("%env(") {
        variables(source, facts);
    }
    if matches!(source.path.name(), "security.yaml" | "security.yml") {
        authenticators(source, facts);
        return;
    }
    let messenger = matches!(source.path.name(), "messenger.yaml" | "messenger.yml");
    if !messenger && !matches!(source.path.name(), "doctrine.yaml" | "doctrine.yml") {
        return;
    }
    for (line, text) in source.numbered_lines() {
        // Blocks of the other environments follow.
        if text.starts_with("when@test") || text.starts_with("when@dev") {
            break;
        }
        let Some((key, value)) = text.trim().split_once(':') else {
            continue;
        };
        let value = value.trim().trim_matches(['"', '\'']);
        let (key, value) = (key.trim(), value);
        if key.starts_with('#') || value.is_empty() {
            continue;
        }
        let transport = key == "dsn" || value.starts_with("%env(") && value.contains("DSN");
        if messenger && transport && !value.starts_with("sync") && !value.starts_with("in-memory") {
            let known = facts.entry_points.iter().any(|known| known.path == *source.path);
            if !known {
                facts
                    .entry_points
                    .push(entry(source, EntryKind::Worker, "messenger", "bin/console", line));
            }
        }
        if !messenger && key == "driver" {
            let kind = kind_of_scheme(value.trim_start_matches("pdo_"));
            let found = kind.and_then(|kind| store(source, kind, kind != "sqlite", line));
            facts
                .default_stores
                .extend(found.clone().filter(|found| !found.strong));
            facts.stores.extend(found);
        }
    }
}

/// The authenticators of the firewalls that hold for production.
fn authenticators(source: &Source<'_>, facts: &mut Facts) {
    for (line, text) in source.numbered_lines() {
        if text.starts_with("when@test") || text.starts_with("when@dev") {
            break;
        }
        let key = text.trim().split(':').next().unwrap_or_default();
        let inside = text.starts_with([' ', '\t']);
        if let Some(kind) = TABLE
            .authenticators
            .get(key)
            .filter(|_| inside && text.contains(':'))
        {
            facts.auth.push(AuthFact {
                kind: Shown::from(*kind),
                evidence: vec![source.at(line)],
            });
        }
    }
}

/// `%env(resolve:DATABASE_URL)%`, `%env(default:fallback:APP_MODE)%`; `env(NAME): value` gives a default.
fn variables(source: &Source<'_>, facts: &mut Facts) {
    for (line, text) in source.numbered_lines() {
        if text.starts_with("when@test") || text.starts_with("when@dev") {
            break;
        }
        let code = text.split(" #").next().unwrap_or_default();
        if code.trim_start().starts_with('#') {
            continue;
        }
        for found in
            pattern!(r"%env\((?P<processors>(?:[\w.-]*:)*)(?P<name>[A-Z][A-Z0-9_]*)\)%|\benv\((?P<given>[A-Z][A-Z0-9_]*)\)['\x22]?\s*:\s*\S")
                .all(code)
        {
            let (read, given) = (group(&found, "name"), group(&found, "given"));
            let written = if read.is_empty() { given } else { read };
            let Some(name) = EnvName::parse(Raw::new(written)) else {
                continue;
            };
            let mut told = VariableFact::new(name, VariableOrigin::Code, source.scope, source.at(line));
            told.has_default = !given.is_empty() || group(&found, "processors").contains("default:");
            told.required = !told.has_default;
            facts.variables.push(told);
        }
    }
}

/// `#[AsCronTask('0 3 * * *')]`, `RecurringMessage::cron('@daily', new Clean())`.
pub(super) fn code(code: &Code<'_>, facts: &mut Facts) {
    for found in code.all(&pattern!(
        r#"#\[\s*AsCronTask\s*\(\s*(?:expression:\s*)?['"](?P<cron>[^'"\n]+)['"]"#
    )) {
        let stem = code.source.path.name().trim_end_matches(".php");
        job(
            code.source,
            facts,
            stem,
            group(&found, "cron"),
            "symfony-scheduler",
            code.line(start(&found)),
        );
    }
    for found in code.all(&pattern!(
        r#"#\[\s*AsPeriodicTask\s*\(\s*(?:frequency:\s*)?['"]?(?P<every>[^'",)\n]+)"#
    )) {
        let stem = code.source.path.name().trim_end_matches(".php");
        let every = group(&found, "every").trim();
        let text = if every.bytes().all(|byte| byte.is_ascii_digit()) {
            format!("every {every}s")
        } else {
            format!("every {every}")
        };
        job(
            code.source,
            facts,
            stem,
            &text,
            "symfony-scheduler",
            code.line(start(&found)),
        );
    }
    for found in code.all(&pattern!(
        r#"\bRecurringMessage::(?P<kind>cron|every)\s*\(\s*['"](?P<when>[^'"\n]+)['"]\s*,\s*new\s+\\?(?P<name>[\w\\]+)"#
    )) {
        let when = group(&found, "when");
        let text = if group(&found, "kind") == "every" {
            format!("every {when}")
        } else {
            when.to_owned()
        };
        job(code.source, facts, group(&found, "name"), &text, "symfony-scheduler", code.line(start(&found)));
    }
}
