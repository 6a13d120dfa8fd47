//! Fly.io: `fly.toml` with its process groups, services, mounts and checks.

use playbook_core::inventory::{Build, Unit};
use playbook_core::path::RelPath;

use super::process::{self, Sheet, measure_of, text, word, word_of};
use super::{Detector, ending, judge};
use crate::fact::Facts;
use crate::parse::toml;
use crate::parse::tree::Node;
use crate::source::Source;

pub(crate) const DETECTOR: Detector = Detector { wants, detect };

fn wants(path: &RelPath) -> bool {
    let name = path.name();
    name == "fly.toml" || name.starts_with("fly.") && ending(path, &["toml"])
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    let (root, problem) = toml::document(source.text);
    judge::problem(source, facts, problem);
    let Some(root) = root else { return };
    let mut sheet = Sheet::new(source, facts);
    let mut groups: Vec<(&str, u32, Option<&str>)> = root
        .get("processes")
        .into_iter()
        .flat_map(Node::entries)
        .map(|(name, line, node)| (name, line, node.text()))
        .collect();
    if groups.is_empty() {
        groups.push(("app", root.get_entry("app").map_or(1, |(line, _)| line), None));
    }
    let mut shared = Unit::new("app".into(), "app".into());
    shared.variables = sheet.given_all(root.get("env"));
    shared.region = word_of(&root, "primary_region");
    shared.stop_grace = measure_of(&root, "kill_timeout");
    shared.pre_deploy = root
        .path(&["deploy", "release_command"])
        .and_then(|node| sheet.command_of(node));
    match root.get("build").and_then(|build| build.get_entry("image")) {
        Some((line, image)) => {
            if let Some(image) = image.text() {
                sheet.image(&mut shared, image, line);
            }
        }
        None => shared.build = build(&root, &sheet.folder()),
    }
    let mut units = Vec::new();
    for (at, (group, line, start)) in groups.into_iter().enumerate() {
        units.extend(unit(&mut sheet, &root, &shared, (group, line, start), at == 0));
    }
    sheet.stack("fly", units, Vec::new());
}

/// A build from a Dockerfile, unless a builder makes the image from source.
fn build(root: &Node, folder: &RelPath) -> Option<Build> {
    let section = root.get("build");
    let of = |key: &str| section.and_then(|section| text(section, key));
    if of("builder").is_some() || section.is_some_and(|section| section.get("buildpacks").is_some()) {
        return None;
    }
    Some(Build {
        target: of("build-target").and_then(word),
        ..process::build(folder, of("dockerfile"))
    })
}

/// Does a section hold for a process group? One without `processes` holds for all of them.
fn serves(section: &Node, group: &str) -> bool {
    let named: Vec<&str> = section
        .get("processes")
        .into_iter()
        .flat_map(Node::texts)
        .map(|(text, _)| text)
        .collect();
    named.is_empty() || named.contains(&group)
}

/// The item itself, or the items of a list of tables.
fn sections<'n>(root: &'n Node, key: &str) -> Vec<&'n Node> {
    match root.get(key) {
        Some(node) if node.is_map() => vec![node],
        Some(node) => node.items().collect(),
        None => Vec::new(),
    }
}

fn unit(
    sheet: &mut Sheet<'_, '_>,
    root: &Node,
    shared: &Unit,
    (group, line, start): (&str, u32, Option<&str>),
    first: bool,
) -> Option<Unit> {
    let http: Vec<&Node> = sections(root, "http_service")
        .into_iter()
        .chain(sections(root, "services"))
        .filter(|section| serves(section, group))
        .collect();
    let kind = if http.is_empty() { "worker" } else { "web" };
    let mut unit = Unit {
        name: word(group)?,
        kind: kind.into(),
        evidence: vec![sheet.at(line)],
        ..shared.clone()
    };
    unit.command = start.and_then(|start| sheet.command(start));
    if !first {
        // One machine runs it for all groups.
        unit.pre_deploy = None;
    }
    for section in &http {
        unit.ports
            .extend(sheet.port_of(section.get_entry("internal_port"), true));
        if unit.replicas.is_none() {
            unit.replicas = process::number_of(section, "min_machines_running").filter(|count| *count > 0);
        }
        for check in ["checks", "http_checks"]
            .iter()
            .flat_map(|key| sections(section, key))
        {
            probe(sheet, &mut unit, check);
        }
    }
    for (_, _, check) in process::entries(root, "checks") {
        if serves(check, group) {
            probe(sheet, &mut unit, check);
        }
    }
    for mount in ["mounts", "mount"]
        .iter()
        .flat_map(|key| sections(root, key))
        .filter(|mount| serves(mount, group))
    {
        let mut volume = sheet.volume(text(mount, "source"), text(mount, "destination"), mount.line());
        volume.size_gb = text(mount, "initial_size").and_then(|size| {
            let digits = size.trim_end_matches(|c: char| !c.is_ascii_digit());
            digits.parse().ok()
        });
        unit.mounts.push(volume);
    }
    for machine in sections(root, "vm").into_iter().filter(|vm| serves(vm, group)) {
        unit.plan = word_of(machine, "size").or(unit.plan);
        unit.memory = measure_of(machine, "memory")
            .or_else(|| measure_of(machine, "memory_mb"))
            .or(unit.memory);
        unit.cpus = measure_of(machine, "cpus").or(unit.cpus);
    }
    Some(unit)
}

fn probe(sheet: &Sheet<'_, '_>, unit: &mut Unit, check: &Node) {
    if let Some((line, path)) = check.get_entry("path") {
        let mut told = path.text().and_then(|path| sheet.probe(path, line));
        if let Some(probe) = &mut told {
            probe.interval = measure_of(check, "interval");
            probe.timeout = measure_of(check, "timeout");
            probe.start_period = measure_of(check, "grace_period");
        }
        unit.probes.extend(told);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::facts;

    #[test]
    fn process_groups() {
        let facts = facts(
            &DETECTOR,
            "//- fly.toml
app = \"shop\"
primary_region = \"fra\"
[env]
LOG_LEVEL = \"info\"
[deploy]
release_command = \"bin/migrate\"
[processes]
web = \"bin/server\"
worker = \"bin/worker\"
[http_service]
internal_port = 8080
min_machines_running = 2
processes = [\"web\"]
[[http_service.checks]]
path = \"/healthz\"
interval = \"15s\"
[[mounts]]
source = \"data\"
destination = \"/data\"
initial_size = \"10gb\"
processes = [\"worker\"]
[[vm]]
size = \"shared-cpu-1x\"
memory = \"512mb\"
",
        );
        let units: Vec<_> = facts.stacks[0]
            .units
            .iter()
            .map(|unit| {
                (
                    unit.name.as_str(),
                    unit.kind.as_str(),
                    unit.ports.len(),
                    unit.probes.len(),
                    unit.mounts.len(),
                    unit.replicas,
                )
            })
            .collect();
        assert_eq!(
            units,
            [
                ("web", "web", 1, 1, 0, Some(2)),
                ("worker", "worker", 0, 0, 1, None)
            ]
        );
        assert!(facts.stacks[0].units[0].pre_deploy.is_some());
        assert_eq!(facts.stacks[0].units[1].mounts[0].size_gb, Some(10));
        assert!(facts.stacks[0].units[0].memory.is_some());
    }

    #[test]
    fn an_app_without_groups() {
        let facts = facts(
            &DETECTOR,
            "//- api/fly.toml\napp = \"shop\"\n[build]\ndockerfile = \"docker/Dockerfile\"\n[[services]]\ninternal_port = 8080\n",
        );
        let unit = &facts.stacks[0].units[0];
        assert_eq!(
            (unit.name.as_str(), unit.ports[0].evidence[0].line),
            ("app", Some(5))
        );
        let file = unit.build.as_ref().and_then(|build| build.dockerfile.as_ref());
        assert_eq!(file.map(RelPath::as_str), Some("api/docker/Dockerfile"));
    }
}
