//! uWSGI's configuration: the server itself, the daemons that it keeps running, its mules and its clock.

use playbook_core::path::RelPath;

use super::process::{self, Sheet};
use super::{Detector, ending};
use crate::fact::Facts;
use crate::parse::ini;
use crate::source::Source;

pub(crate) const DETECTOR: Detector = Detector { wants, detect };

fn wants(path: &RelPath) -> bool {
    ending(path, &["ini"]) && path.name().contains("uwsgi")
}

/// Options whose value is a command that runs beside the server for good.
const DAEMONS: [&str; 5] = [
    "attach-daemon",
    "attach-daemon2",
    "smart-attach-daemon",
    "smart-attach-daemon2",
    "legion-attach-daemon",
];

fn detect(source: &Source<'_>, facts: &mut Facts) {
    let file = ini::parse(source.text);
    let Some(section) = file.section("uwsgi") else {
        return;
    };
    let mut sheet = Sheet::new(source, facts);
    let mut units = Vec::new();
    // The variable whose presence the following options depend on; `%(_)` is its value.
    let mut condition = None;
    for entry in &section.entries {
        let key = entry.key.replace('_', "-");
        let value = entry.value.trim();
        match key.as_str() {
            "if-env" => condition = Some(value),
            "endif" => condition = None,
            _ => {}
        }
        if DAEMONS.contains(&key.as_str()) {
            let command = daemon(&key, value);
            let Some(name) = name_of(command) else { continue };
            let Some(mut unit) = process::unit(&sheet, &name, "daemon", entry.line) else {
                continue;
            };
            let given = condition.map_or_else(String::new, |name| format!("${{{name}}}"));
            unit.command = sheet.command(&command.replace("%(_)", &given));
            units.push(unit);
        } else if key == "cron" || key == "cron2" || key == "unique-cron" {
            clock(&mut sheet, value, entry.line);
        } else if key == "mule" && !value.is_empty() && value.parse::<u32>().is_err() {
            let stem = value.rsplit('/').next().unwrap_or(value);
            let stem = stem.split('.').next().unwrap_or(stem);
            if let Some(mut unit) = process::unit(&sheet, stem, "worker", entry.line) {
                unit.command = sheet.command(&format!("uwsgi --mule={value}"));
                units.push(unit);
            }
        }
    }
    sheet.stack("uwsgi", units, Vec::new());
}

/// The command of a daemon; the variants with a `2` take `cmd=…` among keys, the smart ones a file first.
fn daemon<'v>(key: &str, value: &'v str) -> &'v str {
    if key.ends_with('2') {
        return value
            .split(',')
            .find_map(|part| part.trim().strip_prefix("cmd="))
            .unwrap_or(value);
    }
    if key.starts_with("smart") {
        return value.split_once(' ').map_or(value, |(_, command)| command.trim());
    }
    value
}

/// What a command is about: the word after the program that runs others, without options.
fn name_of(command: &str) -> Option<String> {
    let words: Vec<&str> = command
        .split_whitespace()
        .filter(|word| !word.starts_with('-') && !word.contains(['%', '$', '=']))
        .collect();
    let plain = |word: &&str| {
        let name = word.rsplit('/').next().unwrap_or(word);
        !matches!(
            name,
            "python" | "python3" | "manage.py" | "uv" | "run" | "poetry" | "exec" | "nice"
        )
    };
    let word = words.iter().find(|word| plain(word))?;
    let name = word.rsplit('/').next().unwrap_or(word);
    Some(name.split('.').next().unwrap_or(name).to_owned())
}

/// `minute hour day month weekday command`; `-1` means every.
fn clock(sheet: &mut Sheet<'_, '_>, value: &str, line: u32) {
    let words: Vec<&str> = value.split_whitespace().collect();
    let fields = words.get(..5).unwrap_or_default();
    let command = words.get(5..).unwrap_or_default().join(" ");
    if fields.len() < 5 || command.is_empty() {
        return;
    }
    let schedule: Vec<String> = fields
        .iter()
        .map(|field| match field.strip_prefix('-') {
            Some("1") => "*".to_owned(),
            Some(step) => format!("*/{step}"),
            None => (*field).to_owned(),
        })
        .collect();
    let Some(name) = name_of(&command) else { return };
    let withheld = sheet.command(&command);
    if withheld.is_some() {
        sheet.job(&name, &schedule.join(" "), "uwsgi", line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::facts;
    use playbook_core::harmless::{CommandLine, Schedule};

    #[test]
    fn daemons_and_clock() {
        let facts = facts(
            &DETECTOR,
            "//- deploy/uwsgi.ini
[uwsgi]
http-socket = :8000
module = shop.wsgi
attach-daemon = ./manage.py sendmails --loop
if-env = SMTP_PORT
attach-daemon = ./manage.py receive --port %(_)
endif =
smart-attach-daemon = /tmp/queue.pid celery -A shop worker
mule = tasks/mule.py
mules = 2
cron = 0 -1 -1 -1 -1 ./manage.py clearsessions
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
                    "sendmails",
                    "daemon",
                    Some("./manage.py sendmails --loop"),
                    Some(4)
                ),
                (
                    "receive",
                    "daemon",
                    Some("./manage.py receive --port ${SMTP_PORT}"),
                    Some(6)
                ),
                ("celery", "daemon", Some("celery -A shop worker"), Some(8)),
                ("mule", "worker", Some("uwsgi --mule=tasks/mule.py"), Some(9)),
            ]
        );
        let jobs: Vec<_> = facts
            .jobs
            .iter()
            .map(|job| (job.name.as_str(), job.schedule.as_ref().map(Schedule::as_str)))
            .collect();
        assert_eq!(jobs, [("clearsessions", Some("0 * * * *"))]);
    }

    #[test]
    fn a_server_alone_and_other_files() {
        for text in [
            "//- uwsgi.ini\n[uwsgi]\nhttp = :8000\n",
            "//- uwsgi.ini\n[other]\nattach-daemon = x\n",
        ] {
            assert!(facts(&DETECTOR, text).stacks.is_empty(), "{text}");
        }
    }
}
