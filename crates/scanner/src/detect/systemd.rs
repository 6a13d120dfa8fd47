//! Units of systemd: services, timers, and the containers of Podman's Quadlet.

use playbook_core::inventory::{Dependency, Mount, MountKind, PublishedPort, Unit};
use playbook_core::path::RelPath;

use super::process::{self, Sheet, measure, port_number, word};
use super::{Detector, compose, ending, judge};
use crate::fact::Facts;
use crate::parse::ini::{self, Ini, Section};
use crate::source::Source;

pub(crate) const DETECTOR: Detector = Detector { wants, detect };

fn wants(path: &RelPath) -> bool {
    ending(path, &["service", "timer", "container"])
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    if !source.text.contains('[') {
        return;
    }
    let file = ini::parse(source.text);
    let mut sheet = Sheet::new(source, facts);
    let name = source.path.name();
    let (stem, end) = name.rsplit_once('.').unwrap_or((name, ""));
    let stem = stem.trim_end_matches('@');
    match end {
        "timer" => timer(&mut sheet, &file, stem),
        "container" => {
            let units: Vec<Unit> = container(&mut sheet, &file, stem).into_iter().collect();
            if !units.is_empty() {
                sheet.infrastructure("podman-quadlet");
            }
            sheet.stack("podman-quadlet", units, Vec::new());
        }
        _ => {
            let units = service(&mut sheet, &file, stem).into_iter().collect();
            sheet.stack("systemd", units, Vec::new());
        }
    }
}

/// `OnCalendar=daily`, `OnUnitActiveSec=15min`.
fn timer(sheet: &mut Sheet<'_, '_>, file: &Ini, stem: &str) {
    let Some(section) = file.section("Timer") else {
        return;
    };
    let entry = ["OnCalendar", "OnUnitActiveSec", "OnUnitInactiveSec"]
        .iter()
        .find_map(|key| section.get(key));
    let Some(entry) = entry else { return };
    let when = entry.value.trim();
    let when = if entry.key == "OnCalendar" {
        when.to_owned()
    } else {
        format!("every {when}")
    };
    let unit = section.get("Unit").map_or(stem, |unit| unit.value.trim());
    let name = unit.trim_end_matches(".service").to_owned();
    sheet.job(&name, &when, "systemd", entry.line);
}

fn service(sheet: &mut Sheet<'_, '_>, file: &Ini, stem: &str) -> Option<Unit> {
    let section = file.section("Service")?;
    let start = section.get("ExecStart")?;
    let once = section
        .get("Type")
        .is_some_and(|entry| entry.value.trim() == "oneshot");
    let kind = if once { process::ONESHOT } else { "service" };
    let mut unit = process::unit(sheet, stem, kind, start.line)?;
    unit.command = sheet.command(start.value.trim_start_matches(['-', '@', '+', '!', ':']));
    unit.pre_deploy = section
        .get("ExecStartPre")
        .and_then(|entry| sheet.command(entry.value.trim_start_matches(['-', '@', '+', '!', ':'])));
    unit.user = section.get("User").and_then(|entry| word(&entry.value));
    shared(sheet, section, &mut unit);
    Some(unit)
}

/// What services and containers have in common.
fn shared(sheet: &mut Sheet<'_, '_>, section: &Section, unit: &mut Unit) {
    if let Some(entry) = section.get("Restart") {
        unit.restart = word(&entry.value);
    }
    if let Some(entry) = section.get("MemoryMax") {
        unit.memory = measure(&entry.value);
    }
    if let Some(entry) = section.get("CPUQuota") {
        unit.cpus = measure(&entry.value);
    }
    if let Some(entry) = section.get("TimeoutStopSec") {
        unit.stop_grace = measure(&entry.value);
    }
    for entry in section.all("Environment") {
        for pair in crate::parse::shell::words(&entry.value) {
            if let Some((name, value)) = pair.text.split_once('=') {
                unit.variables.extend(sheet.given(name, value, entry.line));
            }
        }
    }
    for entry in section.all("EnvironmentFile") {
        // An absolute path is a place on the host, which is no file of the repository.
        let path = entry.value.trim().trim_start_matches('-');
        if !path.starts_with('/') && !path.contains('%') {
            unit.env_files.extend(sheet.folder().join(path));
        }
    }
}

/// `name.container`: Podman runs an image as a service of systemd.
fn container(sheet: &mut Sheet<'_, '_>, file: &Ini, stem: &str) -> Option<Unit> {
    let section = file.section("Container")?;
    let image = section.get("Image")?;
    let mut unit = process::unit(sheet, stem, "container", image.line)?;
    sheet.image(&mut unit, image.value.trim(), image.line);
    unit.command = section.get("Exec").and_then(|entry| sheet.command(&entry.value));
    unit.entrypoint = section
        .get("Entrypoint")
        .and_then(|entry| sheet.command(&entry.value));
    unit.user = section.get("User").and_then(|entry| word(&entry.value));
    let before = sheet.facts.variables.len();
    shared(sheet, section, &mut unit);
    if compose::is_third_party(image.value.trim()) {
        sheet.facts.variables.truncate(before);
    }
    if let Some(section) = file.section("Service") {
        shared(sheet, section, &mut unit);
    }
    for entry in section.all("PublishPort") {
        unit.ports.extend(port(sheet, entry.value.trim(), entry.line));
    }
    for entry in section.all("Volume") {
        unit.mounts.extend(mount(sheet, entry.value.trim(), entry.line));
    }
    for entry in section.all("Network") {
        unit.networks
            .extend(word(entry.value.trim().trim_end_matches(".network")));
    }
    if let Some(entry) = section.get("HealthCmd") {
        unit.probes.extend(sheet.probe_command(&entry.value, entry.line));
    }
    let after = file.section("Unit").into_iter().flat_map(|unit| {
        unit.all("Requires")
            .chain(unit.all("Wants"))
            .chain(unit.all("BindsTo"))
    });
    for entry in after {
        for other in entry.value.split_whitespace() {
            let name = other.strip_suffix(".service").and_then(word);
            unit.depends_on.extend(name.map(|unit| Dependency {
                unit,
                condition: None,
                evidence: vec![sheet.at(entry.line)],
            }));
        }
    }
    Some(unit)
}

/// `8080:80`, `127.0.0.1:8080:80/tcp`, `80`.
fn port(sheet: &Sheet<'_, '_>, text: &str, line: u32) -> Option<PublishedPort> {
    let mut parts = text.rsplit(':');
    let container = port_number(parts.next()?)?;
    let mut port = sheet.port(container, true, line);
    port.host = parts.next().and_then(port_number);
    let address = parts.next().and_then(word);
    port.address = address;
    Some(port)
}

/// `name.volume:/path`, `/host:/path:ro`.
fn mount(sheet: &Sheet<'_, '_>, text: &str, line: u32) -> Option<Mount> {
    let mut parts = text.split(':');
    let (from, target, options) = (parts.next()?, parts.next()?, parts.next());
    let bind = from.starts_with(['/', '.', '%', '~']);
    let mut mount = sheet.volume(None, Some(target), line);
    mount.source = judge::path(from.trim_end_matches(".volume"));
    mount.kind = if bind { MountKind::Bind } else { MountKind::Volume };
    mount.read_only = options.is_some_and(|options| options.split(',').any(|option| option == "ro"));
    Some(mount)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::facts;
    use playbook_core::harmless::CommandLine;

    #[test]
    fn services() {
        let facts = facts(
            &DETECTOR,
            "//- deploy/shop.service
[Unit]
Description=Shop
[Service]
User=shop
Environment=\"LOG_LEVEL=info\" PORT=8000
EnvironmentFile=/etc/shop.env
ExecStartPre=/opt/shop/migrate
ExecStart=/opt/shop/bin/server
TimeoutStopSec=30
",
        );
        let unit = &facts.stacks[0].units[0];
        assert_eq!(
            (unit.name.as_str(), unit.kind.as_str(), unit.variables.len()),
            ("shop", "service", 2)
        );
        assert!(unit.pre_deploy.is_some() && unit.env_files.is_empty());
        assert_eq!(
            unit.command.as_ref().map(CommandLine::as_str),
            Some("/opt/shop/bin/server")
        );
    }

    #[test]
    fn timers_and_what_they_start() {
        let facts = facts(
            &DETECTOR,
            "//- cleanup.timer
[Timer]
OnCalendar=*-*-* 03:00:00
//- report.timer
[Timer]
OnUnitActiveSec=15min
//- cleanup.service
[Service]
Type=oneshot
ExecStart=/opt/shop/cleanup
",
        );
        let jobs: Vec<_> = facts
            .jobs
            .iter()
            .map(|job| (job.name.as_str(), job.evidence.line, job.schedule.is_some()))
            .collect();
        assert_eq!(jobs, [("cleanup", Some(2), true), ("report", Some(2), true)]);
        assert_eq!(facts.stacks[0].units[0].kind, process::ONESHOT);
    }

    #[test]
    fn containers_of_quadlet() {
        let facts = facts(
            &DETECTOR,
            "//- shop.container
[Unit]
Requires=db.service
[Container]
Image=registry.example.com/shop:1
PublishPort=127.0.0.1:8080:80
Volume=data.volume:/data
Environment=LOG_LEVEL=info
[Service]
Restart=always
//- db.container
[Container]
Image=docker.io/library/postgres:17
Environment=POSTGRES_PASSWORD=hunter2hunter2
",
        );
        let units: Vec<_> = facts.stacks.iter().flat_map(|stack| &stack.units).collect();
        assert_eq!(
            (units[0].ports[0].container, units[0].ports[0].host),
            (80, Some(8080))
        );
        assert_eq!((units[0].depends_on.len(), units[0].mounts.len()), (1, 1));
        assert_eq!(facts.stores.len(), 1);
        let names: Vec<_> = facts.variables.iter().map(|fact| fact.name.as_str()).collect();
        assert_eq!(names, ["LOG_LEVEL"]);
        assert!(!format!("{:?}", facts.stacks).contains("hunter2"));
    }
}
