//! One service of a Compose file as a unit.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use playbook_core::evidence::Scope;
use playbook_core::harmless::{EnvName, Host, Name};
use playbook_core::inventory::{
    Build, Dependency, Mount, MountKind, Probe, PublishedPort, Unit, VariableOrigin, VariableSource,
};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;
use serde::Deserialize;

use super::{deploy, names, ports, scope, values, word};
use crate::detect::judge::{self, Place, interpolation};
use crate::fact::{ExtendsFact, Facts, PortVariableFact, VariableFact};
use crate::limits;
use crate::parse::tree::Node;
use crate::source::Source;

struct Reader<'a, 'f> {
    source: &'a Source<'a>,
    facts: &'f mut Facts,
    name: &'a Name,
    folder: RelPath,
    scope: Scope,
    /// Is it a process of the repository, whose variables are settings of the software?
    own: bool,
}

/// Reads a service, with those of the same file that it continues.
pub(super) fn read(
    source: &Source<'_>,
    facts: &mut Facts,
    services: &Node,
    name: &Name,
    line: u32,
    node: &Node,
    scope: Scope,
) -> Unit {
    let mut chain: Vec<&Node> = vec![node];
    while let Some(base) = chain
        .last()
        .and_then(|node| node.get("extends"))
        .filter(|_| chain.len() < limits::COMPOSE_EXTENDS)
    {
        let same_file = base.get("file").is_none();
        let service = base.text().or_else(|| base.get("service").and_then(Node::text));
        match service
            .filter(|_| same_file)
            .and_then(|service| services.get(service))
        {
            Some(next) => chain.push(next),
            None => break,
        }
    }
    let own = chain.iter().all(|node| scope::is_own(node));
    let mut unit = Unit::new(name.into(), Shown::from("service"));
    let image_line = node.get_entry("image").map(|(line, _)| source.at(line));
    let key = source.at(line);
    unit.evidence = match image_line {
        Some(image) if node.get("build").is_none() => vec![image, key],
        Some(image) => vec![key, image],
        None => vec![key],
    };
    let mut reader = Reader {
        source,
        facts,
        name,
        folder: source.path.parent(),
        scope,
        own,
    };
    for node in chain.into_iter().rev() {
        reader.fill(&mut unit, node);
    }
    unit
}

impl Reader<'_, '_> {
    /// Lays what a node says over what is known of the unit.
    fn fill(&mut self, unit: &mut Unit, node: &Node) {
        let text = |key: &str| node.get(key).and_then(Node::text);
        if let Some(image) = text("image") {
            let shown = interpolation::with_defaults(image);
            unit.image = judge::reference(shown.as_deref().unwrap_or(image));
        }
        if let Some(build) = node.get("build") {
            unit.build = Some(self.build(build));
        }
        if let Some(entrypoint) = node.get("entrypoint") {
            unit.entrypoint = self.command(entrypoint);
        }
        if let Some(command) = node.get("command") {
            unit.command = self.command(command);
        }
        self.ports(unit, node);
        self.mounts(unit, node);
        self.variables(unit, node);
        self.env_files(unit, node);
        self.depends_on(unit, node);
        if let Some(health) = node.get("healthcheck") {
            unit.probes = self.probe(health).into_iter().collect();
        }
        Self::limits(unit, node);
        deploy::read(self.source, unit, node);
        self.labels(unit, node);
        let take = |target: &mut Option<Shown>, key: &str| {
            if let Some(value) = text(key).and_then(word) {
                *target = Some(value);
            }
        };
        take(&mut unit.restart, "restart");
        take(&mut unit.user, "user");
        take(&mut unit.stop_grace, "stop_grace_period");
        for (list, key) in [(&mut unit.profiles, "profiles"), (&mut unit.networks, "networks")] {
            extend(list, names(node.get(key)));
        }
        extend(
            &mut unit.networks,
            text("network_mode").and_then(word).into_iter().collect(),
        );
        unit.privileged |= node.get("privileged").and_then(Node::boolean) == Some(true)
            || node
                .get("cap_add")
                .is_some_and(|list| list.items().any(adds_rights));
        unit.log_rotation |= rotates(node);
        self.extends(node);
    }

    fn command(&mut self, node: &Node) -> Option<playbook_core::harmless::CommandLine> {
        let text = values::command_text(node);
        judge::withhold_in_command(self.facts, &text);
        judge::command(&text)
    }

    fn extends(&mut self, node: &Node) {
        let Some((line, extends)) = node.get_entry("extends") else {
            return;
        };
        let Some(file) = extends
            .get("file")
            .and_then(Node::text)
            .and_then(|file| self.folder.join(file))
        else {
            return;
        };
        let base = extends.get("service").and_then(Node::text);
        if let Some(base) = base.and_then(|base| Name::parse(Raw::new(base))) {
            self.facts.extends.push(ExtendsFact {
                stack: self.source.path.clone(),
                unit: self.name.clone(),
                file,
                base,
                evidence: self.source.at(line),
            });
        }
    }

    /// A path of the file, relative to the root; nothing for one that a variable or an address names.
    fn path(folder: &RelPath, text: &str) -> Option<RelPath> {
        let text = interpolation::with_defaults(text)?;
        if text.contains("://") || text.starts_with(['/', '~']) || text.starts_with("git@") {
            return None;
        }
        folder.join(&text)
    }

    fn build(&mut self, node: &Node) -> Build {
        let context = node.text().or_else(|| node.get("context").and_then(Node::text));
        let folder = Self::path(&self.folder, context.unwrap_or("."));
        let inline = node.get("dockerfile_inline").is_some();
        let file = node
            .get("dockerfile")
            .and_then(Node::text)
            .unwrap_or("Dockerfile");
        let dockerfile = folder
            .as_ref()
            .filter(|_| !inline)
            .and_then(|folder| Self::path(folder, file));
        let mut arguments = Vec::new();
        for entry in node.get("args").map(values::pairs).unwrap_or_default() {
            if let Some(value) = entry.value.filter(|value| !value.contains('$')) {
                judge::literal(
                    self.source,
                    self.facts,
                    entry.name,
                    value,
                    Place::new(entry.line, self.scope),
                );
            }
            arguments.extend(EnvName::parse(Raw::new(entry.name)).map(Shown::from));
        }
        Build {
            context: folder,
            dockerfile,
            target: node.get("target").and_then(Node::text).and_then(word),
            arguments,
        }
    }

    fn ports(&mut self, unit: &mut Unit, node: &Node) {
        let read = ports::read(self.source, node);
        for port in read.ports {
            if !unit.ports.contains(&port) {
                unit.ports.push(port);
            }
        }
        for (variable, published, line) in read.variables {
            self.facts.port_variables.push(PortVariableFact {
                stack: self.source.path.clone(),
                unit: self.name.clone(),
                variable,
                published,
                evidence: self.source.at(line),
            });
        }
    }

    fn mounts(&mut self, unit: &mut Unit, node: &Node) {
        let mut found: Vec<Mount> = Vec::new();
        for item in node.get("volumes").map(Node::items).into_iter().flatten() {
            let line = item.line();
            if let Some(text) = item.text() {
                unit.engine_socket |= is_engine_socket(text);
                found.extend(self.short_mount(text, line));
            } else {
                let text = |key: &str| item.get(key).and_then(Node::text);
                let source = text("source").or_else(|| text("src"));
                unit.engine_socket |= source.is_some_and(is_engine_socket);
                let kind = match text("type") {
                    Some("bind") => MountKind::Bind,
                    Some("tmpfs") => MountKind::Tmpfs,
                    _ => MountKind::Volume,
                };
                found.push(Mount {
                    kind,
                    source: source.and_then(path_or_name),
                    target: text("target")
                        .or_else(|| text("destination"))
                        .and_then(path_or_name),
                    read_only: item.get("read_only").and_then(Node::boolean) == Some(true),
                    size_gb: None,
                    evidence: vec![self.source.at(line)],
                });
            }
        }
        for (path, line) in node.get("tmpfs").map(Node::texts).into_iter().flatten() {
            found.push(Mount {
                kind: MountKind::Tmpfs,
                source: None,
                target: path.split(':').next().and_then(path_or_name),
                read_only: false,
                size_gb: None,
                evidence: vec![self.source.at(line)],
            });
        }
        for (key, folder) in [("secrets", "/run/secrets/"), ("configs", "/")] {
            for item in node.get(key).map(Node::items).into_iter().flatten() {
                let name = item.text().or_else(|| item.get("source").and_then(Node::text));
                let target = item.get("target").and_then(Node::text).or(name);
                let target = target.map(|target| {
                    if target.starts_with('/') {
                        target.to_owned()
                    } else {
                        format!("{folder}{target}")
                    }
                });
                found.push(Mount {
                    kind: MountKind::Object,
                    source: name.and_then(path_or_name),
                    target: target.as_deref().and_then(path_or_name),
                    read_only: true,
                    size_gb: None,
                    evidence: vec![self.source.at(item.line())],
                });
            }
        }
        for mount in found {
            // Another mount at the same place takes the place of the earlier one.
            unit.mounts
                .retain(|known| known.target.is_none() || known.target != mount.target);
            unit.mounts.push(mount);
        }
    }

    /// `source:target[:mode]`, or a target alone.
    fn short_mount(&self, text: &str, line: u32) -> Option<Mount> {
        let filled = interpolation::with_defaults(text);
        let text = filled.as_deref().unwrap_or(text);
        let parts = ports::split(text);
        let (source, target, mode) = match parts.as_slice() {
            [target] => (None, *target, ""),
            [source, target] => (Some(*source), *target, ""),
            [source, target, mode, ..] => (Some(*source), *target, *mode),
            [] => return None,
        };
        let bind = source.is_some_and(|source| source.starts_with(['.', '/', '~', '$']));
        Some(Mount {
            kind: if bind { MountKind::Bind } else { MountKind::Volume },
            source: source.and_then(path_or_name),
            target: path_or_name(target),
            read_only: mode.split(',').any(|option| option == "ro"),
            size_gb: None,
            evidence: vec![self.source.at(line)],
        })
    }

    fn variables(&mut self, unit: &mut Unit, node: &Node) {
        for entry in values::environment(node) {
            let Some(variable) = values::unit_variable(self.source, self.facts, entry, self.scope) else {
                continue;
            };
            match entry.name {
                "VIRTUAL_HOST" | "LETSENCRYPT_HOST" => {
                    for host in entry.value.unwrap_or_default().split(',') {
                        extend(&mut unit.domains, domain(host.trim()).into_iter().collect());
                    }
                }
                _ => {}
            }
            if self.own {
                let name = EnvName::parse(Raw::new(entry.name));
                let mut fact = name.map(|name| {
                    VariableFact::new(
                        name,
                        VariableOrigin::Stack,
                        self.scope,
                        self.source.at(entry.line),
                    )
                });
                if let Some(fact) = &mut fact {
                    fact.has_default = matches!(
                        variable.source,
                        VariableSource::Literal | VariableSource::Withheld | VariableSource::WithDefault
                    ) && entry.value.is_some_and(|value| !value.trim().is_empty());
                    fact.placeholder = variable.source == VariableSource::Withheld
                        && entry.value.is_some_and(playbook_core::secret::is_placeholder);
                    fact.default = entry.value.and_then(|value| {
                        let value = interpolation::with_defaults(value)?;
                        playbook_core::harmless::Setting::judge(entry.name, Raw::new(&value))
                    });
                }
                self.facts.variables.extend(fact);
            }
            unit.variables.retain(|known| known.name != variable.name);
            unit.variables.push(variable);
        }
    }

    fn env_files(&mut self, unit: &mut Unit, node: &Node) {
        let Some(files) = node.get("env_file") else { return };
        let single = files.text().into_iter();
        let list = files
            .items()
            .filter_map(|item| item.text().or_else(|| item.get("path").and_then(Node::text)));
        for file in single.chain(list) {
            if let Some(file) = Self::path(&self.folder, file)
                && !unit.env_files.contains(&file)
            {
                unit.env_files.push(file);
            }
        }
    }

    fn depends_on(&mut self, unit: &mut Unit, node: &Node) {
        let mut add = |name: &str, condition: Option<&str>, line: u32| {
            let Some(name) = Name::parse(Raw::new(name)).map(Shown::from) else {
                return;
            };
            unit.depends_on.retain(|known| known.unit != name);
            unit.depends_on.push(Dependency {
                unit: name,
                condition: condition.and_then(word),
                evidence: vec![self.source.at(line)],
            });
        };
        for key in ["links", "depends_on"] {
            let Some(node) = node.get(key) else { continue };
            for (name, line, value) in node.entries() {
                add(name, value.get("condition").and_then(Node::text), line);
            }
            for item in node.items() {
                if let Some(name) = item.text().and_then(|text| text.split(':').next()) {
                    add(name, None, item.line());
                }
            }
        }
    }

    fn probe(&mut self, node: &Node) -> Option<Probe> {
        if node.get("disable").and_then(Node::boolean) == Some(true) {
            return None;
        }
        let (line, test) = node.get_entry("test")?;
        let command = if test.text().is_some() {
            values::command_text(test)
                .trim_start_matches("CMD-SHELL ")
                .to_owned()
        } else {
            let words: Vec<&str> = test.items().filter_map(Node::text).collect();
            match words.split_first() {
                Some((&"NONE", _)) | None => return None,
                Some((&"CMD-SHELL", rest)) => rest.join(" ").replace("$$", "$"),
                Some((&"CMD", rest)) => judge::join_words(rest).replace("$$", "$"),
                Some(_) => judge::join_words(&words).replace("$$", "$"),
            }
        };
        judge::withhold_in_command(self.facts, &command);
        let (path, port) = judge::http_target(&command);
        let time = |key: &str| node.get(key).and_then(Node::text).and_then(word);
        Some(Probe {
            kind: Shown::from("health"),
            command: judge::command(&command),
            path,
            port,
            interval: time("interval"),
            timeout: time("timeout"),
            retries: node.get("retries").and_then(number),
            start_period: time("start_period"),
            evidence: vec![self.source.at(line)],
        })
    }

    fn limits(unit: &mut Unit, node: &Node) {
        let at = |path: &[&str]| node.path(path).and_then(Node::text).and_then(word);
        let memory = at(&["deploy", "resources", "limits", "memory"]).or_else(|| at(&["mem_limit"]));
        let cpus = at(&["deploy", "resources", "limits", "cpus"]).or_else(|| at(&["cpus"]));
        let replicas = node.path(&["deploy", "replicas"]).or_else(|| node.get("scale"));
        unit.memory = memory.or_else(|| unit.memory.take());
        unit.cpus = cpus.or_else(|| unit.cpus.take());
        unit.replicas = replicas.and_then(number).or(unit.replicas);
    }

    fn labels(&mut self, unit: &mut Unit, node: &Node) {
        for labels in [node.get("labels"), node.path(&["deploy", "labels"])]
            .into_iter()
            .flatten()
        {
            for entry in values::pairs(labels) {
                extend(
                    &mut unit.labels,
                    Name::parse(Raw::new(entry.name))
                        .map(Shown::from)
                        .into_iter()
                        .collect(),
                );
                let value = entry.value.unwrap_or_default();
                if entry.name.starts_with("traefik.") && entry.name.rsplit('.').next() == Some("rule") {
                    extend(&mut unit.domains, hosts_of_rule(value));
                } else if entry.name.starts_with("traefik.")
                    && entry.name.contains(".loadbalancer.server.port")
                {
                    self.label_port(unit, value, entry.line);
                } else if entry.name == "caddy"
                    || entry.name.starts_with("caddy_") && !entry.name.contains('.')
                {
                    extend(&mut unit.domains, domain(value).into_iter().collect());
                }
            }
        }
    }

    fn label_port(&self, unit: &mut Unit, text: &str, line: u32) {
        let text = interpolation::with_defaults(text);
        let port = text.and_then(|text| playbook_core::harmless::port(Raw::new(&text)));
        if let Some(port) = port.filter(|port| unit.ports.iter().all(|known| known.container != *port)) {
            unit.ports.push(PublishedPort {
                host: None,
                address: None,
                container: port,
                published: false,
                evidence: vec![self.source.at(line)],
            });
        }
    }
}

fn extend(list: &mut Vec<Shown>, more: Vec<Shown>) {
    for item in more {
        if !list.contains(&item) {
            list.push(item);
        }
    }
}

fn number(node: &Node) -> Option<u32> {
    interpolation::with_defaults(node.text()?)?.trim().parse().ok()
}

/// A path or the name of a volume, with defaults in place of variables.
fn path_or_name(text: &str) -> Option<Shown> {
    let filled = interpolation::with_defaults(text);
    let text = filled.as_deref().unwrap_or(text);
    judge::path(text).or_else(|| judge::reference(text))
}

fn is_engine_socket(text: &str) -> bool {
    text.contains("docker.sock") || text.contains("podman.sock") || text.contains("containerd.sock")
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Capabilities {
    default: BTreeSet<String>,
}

// The table is part of the program; a mistake in it is found by the test below, never by a user.
static CAPABILITIES: LazyLock<Capabilities> =
    LazyLock::new(|| toml::from_str(include_str!("capabilities.toml")).unwrap_or_default());

/// Does `cap_add` name a right that a container has not by itself?
fn adds_rights(capability: &Node) -> bool {
    let name = capability.text().unwrap_or_default().to_ascii_uppercase();
    !CAPABILITIES.default.contains(name.trim_start_matches("CAP_"))
}

/// Does the log driver throw old lines away?
fn rotates(node: &Node) -> bool {
    let Some(logging) = node.get("logging") else {
        return false;
    };
    let driver = logging.get("driver").and_then(Node::text).unwrap_or("json-file");
    let limited = logging
        .get("options")
        .is_some_and(|options| options.get("max-size").is_some() || options.get("max-file").is_some());
    match driver {
        "json-file" => limited,
        _ => true,
    }
}

/// The hosts of a Traefik rule: Host(`a.example.com`, `b.example.com`).
fn hosts_of_rule(rule: &str) -> Vec<Shown> {
    let mut found = Vec::new();
    let mut rest = rule;
    while let Some(at) = rest.find("Host(").or_else(|| rest.find("HostSNI(")) {
        rest = rest
            .get(at..)
            .and_then(|rest| rest.split_once('('))
            .map_or("", |(_, rest)| rest);
        let end = rest.find(')').unwrap_or(rest.len());
        let inner = rest.get(..end).unwrap_or_default();
        found.extend(
            inner
                .split(',')
                .map(|host| host.trim().trim_matches(['`', '"', '\'']))
                .filter(|host| *host != "*")
                .filter_map(domain),
        );
        rest = rest.get(end..).unwrap_or_default();
    }
    found
}

/// A host name, with variables as written.
fn domain(text: &str) -> Option<Shown> {
    let text = text.trim_start_matches("https://").trim_start_matches("http://");
    if text.is_empty() {
        return None;
    }
    Host::parse(Raw::new(text))
        .map(Shown::from)
        .or_else(|| judge::reference(text).filter(|_| text.contains("${") || text.starts_with('$')))
}

#[cfg(test)]
mod tests {
    use crate::detect::compose::DETECTOR;
    use crate::testing;

    #[test]
    fn rights_that_are_kept_and_rights_that_are_added() {
        toml::from_str::<super::Capabilities>(include_str!("capabilities.toml")).expect("capabilities.toml");
        let facts = testing::facts(
            &DETECTOR,
            "
//- compose.yaml
services:
  db:
    image: postgres:17
    cap_drop: [ALL]
    cap_add: [CHOWN, CAP_SETUID]
  probe:
    image: probe:1
    cap_add: [NET_ADMIN]
",
        );
        let told: Vec<(&str, bool)> = facts
            .stacks
            .iter()
            .flat_map(|stack| &stack.units)
            .map(|unit| (unit.name.as_str(), unit.privileged))
            .collect();
        assert_eq!(told, [("db", false), ("probe", true)]);
    }
}
