//! s6 and runit: a folder for each process with a `run` script: `services.d/NAME/run` of s6-overlay 2,
//! `s6-rc.d/NAME/run` (with a `type`) of version 3, `/etc/service/NAME/run` of runit.

use playbook_core::evidence::Scope;
use playbook_core::path::RelPath;

use super::Detector;
use super::process::{self, Sheet};
use crate::fact::Facts;
use crate::parse::shell;
use crate::source::Source;

pub(crate) const DETECTOR: Detector = Detector { wants, detect };

fn wants(path: &RelPath) -> bool {
    service(path).is_some()
}

/// The process that a script belongs to, and whether it runs once (`up`).
fn service(path: &RelPath) -> Option<(&str, bool)> {
    if !matches!(path.name(), "run" | "up") {
        return None;
    }
    let parts: Vec<&str> = path.components().collect();
    let [.., folder, name, file] = parts.as_slice() else {
        return None;
    };
    let before = parts.len().checked_sub(4).and_then(|at| parts.get(at)).copied();
    let known = matches!(*folder, "services.d" | "s6-rc.d" | "runit")
        || *folder == "service" && before == Some("etc")
        || *folder == "sv" && before == Some("etc");
    match *file {
        "run" if known => Some((name, false)),
        "up" if *folder == "s6-rc.d" => Some((name, true)),
        _ => None,
    }
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    let Some((name, once)) = service(source.path) else {
        return;
    };
    // Oneshots prepare the container; they are no process of their own.
    if once || source.scope != Scope::Production {
        return;
    }
    let mut sheet = Sheet::new(source, facts);
    let mut all = shell::commands(source.text);
    let at = all.iter().rposition(|command| {
        command.exec
            && command.words.len() > usize::from(command.words.iter().any(|word| word.text.starts_with('-')))
    });
    // `execline` scripts have no `exec`: their last command is the process.
    let Some(at) = at.or_else(|| all.len().checked_sub(1)) else {
        return;
    };
    let last = all.swap_remove(at);
    let words: Vec<&str> = last.words.iter().map(|word| word.text.as_str()).collect();
    let words = without_user(&words);
    let command = super::judge::join_words(words);
    if process::is_system_program(&command) {
        return;
    }
    let Some(mut unit) = process::unit(&sheet, name.trim_start_matches("svc-"), "program", last.line) else {
        return;
    };
    unit.command = sheet.command(&command);
    if unit.command.is_some() {
        sheet.stack("s6", vec![unit], Vec::new());
    }
}

/// Programs that change the user or the streams and then run the rest.
fn without_user<'w, 't>(words: &'w [&'t str]) -> &'w [&'t str] {
    let mut rest = words;
    loop {
        let Some((first, after)) = rest.split_first() else {
            return rest;
        };
        let name = first.rsplit('/').next().unwrap_or(first);
        let skip = match name {
            "s6-setuidgid" | "setuidgid" | "gosu" | "su-exec" | "chpst" | "fdmove" => {
                let options = after.iter().take_while(|word| word.starts_with('-')).count();
                let values = if name == "fdmove" { 2 } else { 1 };
                // `chpst -u user program` has its user as the value of an option.
                1 + options + values
            }
            "with-contenv" | "exec" | "env" | "s6-notifyoncheck" | "nice" => {
                1 + after.iter().take_while(|word| word.starts_with('-')).count()
            }
            "cd" => 2,
            _ => return rest,
        };
        match rest.get(skip..) {
            Some(next) if !next.is_empty() => rest = next,
            _ => return rest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::facts;
    use playbook_core::harmless::CommandLine;

    #[test]
    fn run_scripts() {
        let facts = facts(
            &DETECTOR,
            "//- root/etc/services.d/web/run
#!/usr/bin/with-contenv sh
cd /app
exec s6-setuidgid abc gunicorn shop:app --bind 0.0.0.0:8000
//- rootfs/etc/s6-overlay/s6-rc.d/svc-queue/run
#!/command/with-contenv bash
exec php /app/artisan queue:work
//- rootfs/etc/s6-overlay/s6-rc.d/init-db/up
/etc/init-db.sh
//- root/etc/services.d/proxy/run
#!/bin/sh
exec nginx -g \"daemon off;\"
//- docker/web/run
exec ./other
",
        );
        let units: Vec<_> = facts
            .stacks
            .iter()
            .flat_map(|stack| &stack.units)
            .map(|unit| {
                (
                    unit.name.as_str(),
                    unit.command.as_ref().map(CommandLine::as_str),
                    unit.evidence[0].line,
                )
            })
            .collect();
        assert_eq!(
            units,
            [
                ("web", Some("gunicorn shop:app --bind 0.0.0.0:8000"), Some(3)),
                ("queue", Some("php /app/artisan queue:work"), Some(2)),
            ]
        );
    }
}
