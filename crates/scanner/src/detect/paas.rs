//! Processes that other descriptions name: `fly.toml`, systemd units, supervisor programs, Railway files. That the file
//! is there is told by `platforms`; here is what it starts.

use playbook_core::harmless::{CommandLine, EnvName, Name, Schedule, UrlPath};
use playbook_core::inventory::{
    Build, Mount, MountKind, Probe, PublishedPort, Stack, Unit, UnitVariable, VariableOrigin, VariableSource,
};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use super::judge::{self, Place};
use super::{Detector, ending};
use crate::fact::{Facts, VariableFact};
use crate::parse::tree::Node;
use crate::parse::{ini, json, toml};
use crate::source::Source;

pub(crate) const DETECTOR: Detector = Detector {
    id: "paas",
    wants,
    detect,
};

enum Kind {
    Fly,
    Railway,
    Supervisor,
    Systemd,
}

fn kind(path: &RelPath) -> Option<Kind> {
    let name = path.name();
    let folder = path.parent();
    if name == "fly.toml" || name.starts_with("fly.") && ending(path, &["toml"]) {
        Some(Kind::Fly)
    } else if matches!(name, "railway.toml" | "railway.json") {
        Some(Kind::Railway)
    } else if ending(path, &["service"]) {
        Some(Kind::Systemd)
    } else if name.starts_with("supervisor") && ending(path, &["conf", "ini"])
        || folder.name().starts_with("supervisor") && ending(path, &["conf", "ini"])
        || ending(path, &["conf"])
    {
        Some(Kind::Supervisor)
    } else {
        None
    }
}

fn wants(path: &RelPath) -> bool {
    kind(path).is_some()
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    let (name, units) = match kind(source.path) {
        Some(Kind::Fly) => ("fly", fly(source, facts)),
        Some(Kind::Railway) => ("railway", railway(source, facts)),
        Some(Kind::Supervisor) => ("supervisor", supervisor(source, facts)),
        Some(Kind::Systemd) => ("systemd", systemd(source, facts)),
        None => return,
    };
    if units.is_empty() {
        return;
    }
    facts.stacks.push(Stack {
        kind: Shown::from(name),
        files: vec![source.path.clone()],
        scope: source.scope,
        name: None,
        units,
        volumes: Vec::new(),
        networks: Vec::new(),
        groups: Vec::new(),
        confirmed_by: Vec::new(),
        evidence: vec![source.file()],
    });
}

fn command(facts: &mut Facts, text: &str) -> Option<CommandLine> {
    let line = judge::joined_lines(text);
    judge::withhold_in_command(facts, &line);
    judge::command(&line)
}

fn text<'a>(node: &'a Node, key: &str) -> Option<&'a str> {
    node.get(key).and_then(Node::text).filter(|text| !text.is_empty())
}

fn word(text: &str) -> Option<Shown> {
    Name::parse(Raw::new(text)).map(Shown::from)
}

/// A variable that the file gives a value.
fn given(source: &Source<'_>, facts: &mut Facts, name: &str, value: &str, line: u32) -> Option<UnitVariable> {
    let shown_name = EnvName::parse(Raw::new(name))?;
    let judged = judge::literal(source, facts, name, value, Place::new(line, source.scope));
    let mut fact = VariableFact::new(
        shown_name.clone(),
        VariableOrigin::Stack,
        source.scope,
        source.at(line),
    );
    fact.has_default = !judged.empty;
    fact.placeholder = judged.placeholder;
    fact.default.clone_from(&judged.shown);
    facts.variables.push(fact);
    facts.stores.extend(judge::store_of_address(
        name,
        value,
        source.scope,
        source.at(line),
    ));
    let source_of = if judged.shown.is_some() || judged.empty {
        VariableSource::Literal
    } else {
        VariableSource::Withheld
    };
    Some(UnitVariable {
        name: shown_name.into(),
        source: source_of,
        value: judged.shown.map(Shown::from),
        reference: None,
        evidence: vec![source.at(line)],
    })
}

fn probe(source: &Source<'_>, path: &str, line: u32) -> Option<Probe> {
    Some(Probe {
        kind: Shown::from("health"),
        command: None,
        path: Some(UrlPath::parse(Raw::new(path))?.into()),
        port: None,
        interval: None,
        timeout: None,
        retries: None,
        start_period: None,
        evidence: vec![source.at(line)],
    })
}

/// One unit for each process group; `app` where there is none.
fn fly(source: &Source<'_>, facts: &mut Facts) -> Vec<Unit> {
    let (root, problem) = toml::document(source.text);
    judge::problem(source, facts, problem);
    let Some(root) = root else { return Vec::new() };
    let mut groups: Vec<(&str, u32, Option<&str>)> = root
        .get("processes")
        .into_iter()
        .flat_map(Node::entries)
        .map(|(name, line, node)| (name, line, node.text()))
        .collect();
    if groups.is_empty() {
        groups.push(("app", root.get_entry("app").map_or(1, |(line, _)| line), None));
    }
    let serves = |section: &Node, group: &str| {
        let named: Vec<&str> = section
            .get("processes")
            .into_iter()
            .flat_map(Node::items)
            .filter_map(Node::text)
            .collect();
        named.is_empty() || named.contains(&group)
    };
    let variables: Vec<UnitVariable> = root
        .get("env")
        .into_iter()
        .flat_map(Node::entries)
        .filter_map(|(name, line, value)| given(source, facts, name, value.text()?, line))
        .collect();
    let mut units = Vec::new();
    for (group, line, start) in groups {
        let Some(name) = word(group) else { continue };
        let http: Vec<&Node> = root
            .get("http_service")
            .into_iter()
            .chain(root.get("services").into_iter().flat_map(Node::items))
            .filter(|section| serves(section, group))
            .collect();
        let kind = if http.is_empty() { "worker" } else { "web" };
        let mut unit = Unit::new(name, Shown::from(kind));
        unit.evidence = vec![source.at(line)];
        unit.command = start.and_then(|start| command(facts, start));
        unit.variables.clone_from(&variables);
        unit.region = text(&root, "primary_region").and_then(word);
        unit.stop_grace = text(&root, "kill_timeout").and_then(word);
        unit.pre_deploy = root
            .path(&["deploy", "release_command"])
            .and_then(Node::text)
            .and_then(|text| command(facts, text));
        unit.image = root
            .path(&["build", "image"])
            .and_then(Node::text)
            .and_then(judge::reference);
        let folder = source.path.parent();
        if unit.image.is_none() && root.path(&["build", "builder"]).is_none() {
            let file = root
                .path(&["build", "dockerfile"])
                .and_then(Node::text)
                .unwrap_or("Dockerfile");
            unit.build = Some(Build {
                context: Some(folder.clone()),
                dockerfile: folder.join(file),
                target: root
                    .path(&["build", "build-target"])
                    .and_then(Node::text)
                    .and_then(word),
                arguments: Vec::new(),
            });
        }
        for section in http {
            if let Some((line, port)) = section.get_entry("internal_port")
                && let Some(port) = port
                    .text()
                    .and_then(|text| playbook_core::harmless::port(Raw::new(text)))
            {
                unit.ports.push(PublishedPort {
                    host: None,
                    address: None,
                    container: port,
                    published: true,
                    evidence: vec![source.at(line)],
                });
            }
            for key in ["checks", "http_checks"] {
                for check in section.get(key).into_iter().flat_map(Node::items) {
                    if let Some((line, path)) = check.get_entry("path") {
                        unit.probes
                            .extend(path.text().and_then(|path| probe(source, path, line)));
                    }
                }
            }
        }
        let mounts = root.get("mounts");
        let list = mounts.filter(|node| node.is_map()).into_iter();
        for mount in list
            .chain(mounts.into_iter().flat_map(Node::items))
            .filter(|mount| serves(mount, group))
        {
            unit.mounts.push(Mount {
                kind: MountKind::Volume,
                source: text(mount, "source").and_then(word),
                target: text(mount, "destination").and_then(judge::path),
                read_only: false,
                size_gb: None,
                evidence: vec![source.at(mount.line())],
            });
        }
        units.push(unit);
    }
    units
}

fn railway(source: &Source<'_>, facts: &mut Facts) -> Vec<Unit> {
    let (root, problem) = if ending(source.path, &["json"]) {
        json::document(source.text)
    } else {
        toml::document(source.text)
    };
    judge::problem(source, facts, problem);
    let Some(root) = root else { return Vec::new() };
    let at = |path: &[&str]| root.path(path).and_then(Node::text);
    let Some(line) = ["deploy", "build"]
        .iter()
        .find_map(|key| root.get_entry(key).map(|(line, _)| line))
    else {
        return Vec::new();
    };
    let cron = at(&["deploy", "cronSchedule"]);
    let mut unit = Unit::new(
        Shown::from("app"),
        Shown::from(if cron.is_some() { "cron" } else { "service" }),
    );
    unit.evidence = vec![source.at(line)];
    unit.root = Some(source.path.parent());
    unit.command = at(&["deploy", "startCommand"]).and_then(|text| command(facts, text));
    unit.build_command = at(&["build", "buildCommand"]).and_then(|text| command(facts, text));
    let before = root.path(&["deploy", "preDeployCommand"]);
    let before = before.and_then(|node| node.texts().next().map(|(text, _)| text));
    unit.pre_deploy = before.and_then(|text| command(facts, text));
    unit.schedule = cron
        .and_then(|text| Schedule::parse(Raw::new(text)))
        .map(Shown::from);
    unit.restart = at(&["deploy", "restartPolicyType"]).and_then(word);
    unit.runtime = at(&["build", "builder"]).and_then(word);
    if let Some(file) = at(&["build", "dockerfilePath"]) {
        unit.build = Some(Build {
            context: Some(source.path.parent()),
            dockerfile: source.path.parent().join(file),
            target: None,
            arguments: Vec::new(),
        });
    }
    if let Some(node) = root.path(&["deploy", "healthcheckPath"]) {
        unit.probes
            .extend(node.text().and_then(|path| probe(source, path, node.line())));
    }
    vec![unit]
}

/// `[program:name]` sections.
fn supervisor(source: &Source<'_>, facts: &mut Facts) -> Vec<Unit> {
    if !source.text.contains("[program:") {
        return Vec::new();
    }
    let mut units = Vec::new();
    for section in ini::parse(source.text).sections {
        let Some(name) = section.name.strip_prefix("program:").and_then(word) else {
            continue;
        };
        let Some(line) = section.get("command") else {
            continue;
        };
        let mut unit = Unit::new(name, Shown::from("program"));
        unit.command = command(facts, &expanded(&line.value));
        unit.user = section.get("user").and_then(|entry| word(&entry.value));
        unit.replicas = section
            .get("numprocs")
            .and_then(|entry| entry.value.trim().parse().ok());
        unit.stop_grace = section.get("stopwaitsecs").and_then(|entry| word(&entry.value));
        unit.evidence = vec![source.at(section.line), source.at(line.line)];
        units.push(unit);
    }
    units
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
            out.push('$');
            out.push_str(name);
            rest = after;
        } else {
            out.push_str("%(ENV_");
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

/// A service unit of systemd.
fn systemd(source: &Source<'_>, facts: &mut Facts) -> Vec<Unit> {
    let file = ini::parse(source.text);
    let (Some(section), Some(start)) = (file.section("Service"), file.get("Service", "ExecStart")) else {
        return Vec::new();
    };
    let stem = source
        .path
        .name()
        .trim_end_matches(".service")
        .trim_end_matches('@');
    let Some(name) = word(stem) else { return Vec::new() };
    let mut unit = Unit::new(name, Shown::from("service"));
    unit.evidence = vec![source.at(start.line)];
    unit.command = command(facts, start.value.trim_start_matches(['-', '@', '+', '!', ':']));
    unit.pre_deploy = section
        .get("ExecStartPre")
        .and_then(|entry| command(facts, &entry.value));
    unit.user = section.get("User").and_then(|entry| word(&entry.value));
    unit.restart = section.get("Restart").and_then(|entry| word(&entry.value));
    unit.memory = section.get("MemoryMax").and_then(|entry| word(&entry.value));
    unit.stop_grace = section.get("TimeoutStopSec").and_then(|entry| word(&entry.value));
    for entry in section.all("Environment") {
        for pair in crate::parse::shell::words(&entry.value) {
            if let Some((name, value)) = pair.text.split_once('=') {
                unit.variables
                    .extend(given(source, facts, name, value, entry.line));
            }
        }
    }
    for entry in section.all("EnvironmentFile") {
        // An absolute path is a place on the host, which is no file of the repository.
        let path = entry.value.trim().trim_start_matches('-');
        if !path.starts_with('/') && !path.contains('%') {
            unit.env_files.extend(source.path.parent().join(path));
        }
    }
    vec![unit]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::facts;

    #[test]
    fn process_groups_of_fly() {
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
processes = [\"web\"]
[[http_service.checks]]
path = \"/healthz\"
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
                )
            })
            .collect();
        assert_eq!(units, [("web", "web", 1, 1), ("worker", "worker", 0, 0)]);
        assert_eq!(facts.stacks[0].units[0].ports[0].container, 8080);
        assert!(facts.stacks[0].units[0].pre_deploy.is_some());
    }

    #[test]
    fn programs_and_services_of_a_host() {
        let found = facts(
            &DETECTOR,
            "//- supervisord.conf\n[supervisord]\nnodaemon=true\n[program:worker]\ncommand=celery -A app worker\nnumprocs=2\n",
        );
        assert_eq!(found.stacks[0].kind, "supervisor");
        assert_eq!(found.stacks[0].units[0].replicas, Some(2));
        let found = facts(
            &DETECTOR,
            "//- deploy/api.service\n[Unit]\nDescription=x\n[Service]\nUser=app\nEnvironment=\"PORT=8000\" TOKEN=hunter2hunter2\nExecStart=/srv/api/run\n[Install]\n",
        );
        let unit = &found.stacks[0].units[0];
        assert_eq!((unit.name.as_str(), unit.variables.len()), ("api", 2));
        assert_eq!(found.committed_secrets.len(), 1);
        assert!(
            facts(&DETECTOR, "//- nginx.conf\nserver { listen 80; }\n")
                .stacks
                .is_empty()
        );
    }

    #[test]
    fn a_service_of_railway() {
        let found = facts(
            &DETECTOR,
            "//- api/railway.json\n{\"deploy\": {\"startCommand\": \"node x.js\", \"preDeployCommand\": [\"npx prisma migrate deploy\"], \"healthcheckPath\": \"/health\"}}\n",
        );
        let unit = &found.stacks[0].units[0];
        assert!(unit.pre_deploy.is_some() && unit.command.is_some());
        assert_eq!(unit.probes.len(), 1);
    }
}
