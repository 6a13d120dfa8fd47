//! Process managers of a container: supervisord (`[program:name]`) and Circus (`[watcher:name]`).

use playbook_core::inventory::Unit;
use playbook_core::path::RelPath;

use super::process::{self, Sheet, measure, word};
use super::{Detector, ending};
use crate::fact::Facts;
use crate::parse::ini::{self, Ini, Section};
use crate::source::Source;

pub(crate) const DETECTOR: Detector = Detector { wants, detect };

fn wants(path: &RelPath) -> bool {
    ending(path, &["conf", "ini"])
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    let programs = source.text.contains("[program:") || source.text.contains("[fcgi-program:");
    let watchers = source.text.contains("[watcher:");
    if !programs && !watchers {
        return;
    }
    let file = ini::parse(source.text);
    let mut sheet = Sheet::new(source, facts);
    let mut units = Vec::new();
    for section in &file.sections {
        let (kind, name) = section.name.split_once(':').unwrap_or_default();
        let told = match kind.trim() {
            "program" | "fcgi-program" => program(&mut sheet, section, name),
            "watcher" => watcher(&mut sheet, &file, section, name),
            _ => None,
        };
        units.extend(told);
    }
    let kind = if programs { "supervisor" } else { "circus" };
    if !units.is_empty() && kind == "circus" {
        sheet.infrastructure(kind);
    }
    sheet.stack(kind, units, Vec::new());
}

fn program(sheet: &mut Sheet<'_, '_>, section: &Section, name: &str) -> Option<Unit> {
    let line = section.get("command")?;
    // A program that is not started again when it ends prepares the container.
    let once = section
        .get("autorestart")
        .is_some_and(|entry| matches!(entry.value.trim(), "false" | "0" | "no" | "off"));
    if process::is_system_program(&line.value) {
        return None;
    }
    let kind = if once { process::ONESHOT } else { "program" };
    let mut unit = process::unit(sheet, name, kind, section.line)?;
    unit.evidence.push(sheet.at(line.line));
    unit.command = sheet.command(&expanded(&line.value));
    unit.user = section.get("user").and_then(|entry| word(&entry.value));
    unit.replicas = section
        .get("numprocs")
        .and_then(|entry| entry.value.trim().parse().ok());
    unit.stop_grace = section
        .get("stopwaitsecs")
        .and_then(|entry| measure(&entry.value));
    if let Some(entry) = section.get("environment") {
        for (name, value) in pairs(&entry.value) {
            let value = expanded(value);
            unit.variables.extend(sheet.given(name, &value, entry.line));
        }
    }
    Some(unit)
}

fn watcher(sheet: &mut Sheet<'_, '_>, file: &Ini, section: &Section, name: &str) -> Option<Unit> {
    let line = section.get("cmd")?;
    if process::is_system_program(&line.value) {
        return None;
    }
    let mut unit = process::unit(sheet, name, "watcher", section.line)?;
    unit.evidence.push(sheet.at(line.line));
    let arguments = section.get("args").map_or("", |entry| entry.value.as_str());
    // A process that takes its socket from Circus names it so.
    let command = format!("{} {arguments}", line.value).replace("$(circus.sockets.", "$(");
    unit.command = sheet.command(command.trim());
    unit.replicas = section
        .get("numprocesses")
        .and_then(|entry| entry.value.trim().parse().ok());
    unit.stop_grace = section
        .get("graceful_timeout")
        .and_then(|entry| measure(&entry.value));
    unit.user = section.get("uid").and_then(|entry| word(&entry.value));
    for variables in file.sections.iter().filter(|other| {
        other
            .name
            .strip_prefix("env:")
            .is_some_and(|of| of == name || of == "*")
    }) {
        for entry in &variables.entries {
            unit.variables
                .extend(sheet.given(&entry.key, entry.value.trim(), entry.line));
        }
    }
    Some(unit)
}

/// `A="x",B=y`: commas inside of quotes do not separate.
fn pairs(text: &str) -> Vec<(&str, &str)> {
    let mut parts = Vec::new();
    let mut quote = None;
    let mut start = 0;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            (None, ',' | '\n') => {
                parts.push(text.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts
        .into_iter()
        .filter_map(|part| part.trim().split_once('='))
        .map(|(name, value)| (name.trim(), value.trim().trim_matches(['"', '\''])))
        .collect()
}

/// Supervisor's `%(ENV_NAME)s` as a shell writes it: the command also has to run outside of supervisor.
fn expanded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("%(ENV_") {
        out.push_str(before);
        let name = after
            .split_once(")s")
            .filter(|(name, _)| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
        if let Some((name, after)) = name {
            out.push_str("${");
            out.push_str(name);
            out.push('}');
            rest = after;
        } else {
            out.push_str("%(ENV_");
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::facts;
    use playbook_core::harmless::CommandLine;

    #[test]
    fn programs() {
        let facts = facts(
            &DETECTOR,
            "//- etc/supervisord.conf
[supervisord]
nodaemon=true
[program:web]
command=gunicorn app:app -b 0.0.0.0:%(ENV_PORT)s ; the server
environment=LOG_LEVEL=\"info\",HOSTS=\"a,b\"
[program:setup]
command=/scripts/setup
autorestart=false
[program:proxy]
command=/usr/sbin/nginx -g \"daemon off;\"
[eventlistener:x]
command=y
",
        );
        let units: Vec<_> = facts.stacks[0]
            .units
            .iter()
            .map(|unit| {
                (
                    unit.name.as_str(),
                    unit.kind.as_str(),
                    unit.command.as_ref().map(CommandLine::as_str),
                    unit.evidence[0].line,
                )
            })
            .collect();
        assert_eq!(
            units,
            [
                (
                    "web",
                    "program",
                    Some("gunicorn app:app -b 0.0.0.0:${PORT}"),
                    Some(3)
                ),
                ("setup", process::ONESHOT, Some("/scripts/setup"), Some(6))
            ]
        );
        let names: Vec<_> = facts.variables.iter().map(|fact| fact.name.as_str()).collect();
        assert_eq!(names, ["LOG_LEVEL", "HOSTS"]);
    }

    #[test]
    fn watchers() {
        let facts = facts(
            &DETECTOR,
            "//- circus.ini
[watcher:web]
cmd = chaussette --fd $(circus.sockets.web) shop.app
numprocesses = 3
[env:web]
LOG_LEVEL = info
[socket:web]
port = 8000
",
        );
        assert_eq!(facts.stacks[0].kind, "circus");
        let unit = &facts.stacks[0].units[0];
        assert_eq!((unit.replicas, unit.variables.len()), (Some(3), 1));
    }

    #[test]
    fn other_files() {
        let facts = facts(
            &DETECTOR,
            "//- nginx.conf\nserver { listen 80; }\n//- supervisord.conf\n[supervisord]\nnodaemon=true\n",
        );
        assert!(facts.stacks.is_empty());
    }
}
