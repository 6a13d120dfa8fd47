//! Traefik: routers of its dynamic configuration, in files and as labels of containers. Both become one flat list of keys.
//! It passes upgrades on by itself.

use std::collections::BTreeMap;

use playbook_core::harmless::Name;
use playbook_core::inventory::{Proxy, ProxySettingKind};
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use super::{TABLE, forward, plain_references, proxy, public_host, request_path, setting};
use crate::detect::judge;
use crate::limits;
use crate::parse::tree::{Kind, Node};
use crate::source::Source;

/// Keys in lower case without `traefik.` and `http.`, with value and line.
#[derive(Default)]
struct Keys<'n>(BTreeMap<String, (&'n str, u32)>);

impl<'n> Keys<'n> {
    fn flatten(&mut self, prefix: &str, node: &'n Node, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else { return };
        match node.kind() {
            Kind::Scalar { text, .. } => {
                self.0.insert(prefix.to_ascii_lowercase(), (text, node.line()));
            }
            Kind::Seq(_) => {
                for (at, item) in node.items().enumerate() {
                    self.flatten(&format!("{prefix}[{at}]"), item, depth);
                }
            }
            Kind::Map(_) => {
                for (key, line, value) in node.entries() {
                    if value.is_map() && value.entries().next().is_none() {
                        self.0
                            .insert(format!("{prefix}.{key}").to_ascii_lowercase(), ("true", line));
                    }
                    let joined = if prefix.is_empty() {
                        key.to_owned()
                    } else {
                        format!("{prefix}.{key}")
                    };
                    self.flatten(&joined, value, depth);
                }
            }
        }
    }

    fn get(&self, key: &str) -> Option<(&'n str, u32)> {
        self.0.get(key).copied()
    }

    /// Keys below a prefix, without it.
    fn below<'k>(&'k self, prefix: &'k str) -> impl Iterator<Item = (&'k str, &'n str, u32)> + 'k {
        self.0
            .range(prefix.to_owned()..)
            .take_while(move |(key, _)| key.starts_with(prefix))
            .filter_map(move |(key, (value, line))| Some((key.strip_prefix(prefix)?, *value, *line)))
    }

    /// The values of a key that takes a list, or words between commas.
    fn list(&self, key: &str) -> Vec<&'n str> {
        let items = self
            .below(key)
            .filter(|(rest, ..)| rest.is_empty() || rest.starts_with('['));
        items
            .flat_map(|(_, value, _)| value.split(','))
            .map(str::trim)
            .collect()
    }
}

/// A file of dynamic configuration.
pub(super) fn file(source: &Source<'_>, document: &Node) -> Vec<Proxy> {
    let mut found = Vec::new();
    for protocol in ["http", "tcp"] {
        if let Some(node) = document
            .get(protocol)
            .filter(|node| node.get("routers").is_some())
        {
            let mut keys = Keys::default();
            keys.flatten("", node, limits::TRAEFIK_DEPTH);
            found.extend(routers(source, &keys, None));
        }
    }
    found
}

/// The routers that the labels of a unit describe.
pub(crate) fn labels<'n>(
    source: &Source<'_>,
    unit: &Shown,
    port: Option<u16>,
    labels: impl Iterator<Item = (&'n str, &'n str, u32)>,
) -> Vec<Proxy> {
    let mut keys = Keys::default();
    for (key, value, line) in labels {
        // Variables keep their case.
        let key = plain_references(key);
        if let Some(rest) = key
            .strip_prefix("traefik.http.")
            .or_else(|| key.strip_prefix("traefik.tcp."))
        {
            keys.0.insert(rest.to_ascii_lowercase(), (value, line));
        }
    }
    routers(source, &keys, Some((unit, port)))
}

/// The names that stand behind `routers.`.
fn names<'k>(keys: &'k Keys<'_>) -> Vec<&'k str> {
    let mut names: Vec<&str> = keys
        .below("routers.")
        .filter(|(rest, ..)| rest.ends_with(".rule"))
        .filter_map(|(rest, ..)| rest.strip_suffix(".rule"))
        .collect();
    names.dedup();
    names
}

fn routers(source: &Source<'_>, keys: &Keys<'_>, unit: Option<(&Shown, Option<u16>)>) -> Vec<Proxy> {
    names(keys)
        .into_iter()
        .filter_map(|name| router(source, keys, name, unit))
        .collect()
}

fn router(
    source: &Source<'_>,
    keys: &Keys<'_>,
    name: &str,
    unit: Option<(&Shown, Option<u16>)>,
) -> Option<Proxy> {
    let own = format!("routers.{name}.");
    let (rule, line) = keys.get(&format!("{own}rule"))?;
    let mut found = proxy(source, "traefik", line);
    found.name = Name::parse(Raw::new(name))
        .map(Shown::from)
        .or_else(|| judge::reference(name));
    found.hosts = ["Host(", "HostSNI("]
        .iter()
        .flat_map(|call| arguments(rule, call))
        .filter_map(|host| public_host(&plain_references(host)))
        .collect();
    found.hosts.dedup();
    let path = ["PathPrefix(", "Path("]
        .iter()
        .flat_map(|call| arguments(rule, call))
        .find_map(request_path);
    let tls = |(rest, value, _): &(&str, &str, u32)| rest.starts_with("tls") && *value != "false";
    found.tls = keys.below(&own).any(|entry| tls(&entry));
    // Who issues the certificate is the name of a resolver.
    if let Some((resolver, line)) = keys.get(&format!("{own}tls.certresolver")) {
        let place = source.at(line);
        found.settings.extend(setting(
            ProxySettingKind::Certificate,
            "certresolver",
            resolver,
            None,
            place,
        ));
    }
    for middleware in keys.list(&format!("{own}middlewares")) {
        let name = plain_references(middleware.split('@').next().unwrap_or(middleware)).to_ascii_lowercase();
        let prefix = format!("middlewares.{name}.");
        for (rest, value, line) in keys.below(&prefix) {
            found.redirects |= rest.starts_with("redirectscheme.") && value == "https";
            let known = TABLE.traefik.iter().find(|(_, beginnings)| {
                beginnings
                    .iter()
                    .any(|beginning| rest.starts_with(beginning.as_str()))
            });
            let kind = known.and_then(|(purpose, _)| ProxySettingKind::from_word(purpose));
            if let Some(kind) = kind {
                let label = rest.split('[').next().unwrap_or(rest);
                let repeated = found.settings.iter().any(|known| known.name == *label);
                if !repeated {
                    found
                        .settings
                        .extend(setting(kind, label, value, path.as_ref(), source.at(line)));
                }
            }
        }
    }
    if found.redirects {
        return Some(found);
    }
    let service = keys.get(&format!("{own}service")).map(|(service, _)| service);
    if let Some((unit, own_port)) = unit {
        let service = service.map(|service| plain_references(service).to_ascii_lowercase());
        let port = keys
            .below("services.")
            .filter(|(rest, ..)| rest.ends_with(".loadbalancer.server.port"))
            .find(|(rest, ..)| {
                service
                    .as_ref()
                    .is_none_or(|service| rest.split('.').next() == Some(service.as_str()))
            });
        let (number, line) = port.map_or((own_port, line), |(_, value, line)| {
            (playbook_core::harmless::port(Raw::new(value)), line)
        });
        let mut next = forward("", path.as_ref(), true, source.at(line));
        next.target = Some(unit.clone());
        next.port = number;
        found.forwards.push(next);
    } else {
        let service = service?
            .split('@')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let prefix = format!("services.{service}.loadbalancer.servers[");
        for (rest, value, line) in keys.below(&prefix) {
            if rest.ends_with("].url") || rest.ends_with("].address") {
                found
                    .forwards
                    .push(forward(value, path.as_ref(), true, source.at(line)));
            }
        }
    }
    Some(found)
}

/// The texts between backquotes of a call in a rule: ``Host(`a`, `b`)``.
fn arguments<'r>(rule: &'r str, call: &str) -> Vec<&'r str> {
    let mut found = Vec::new();
    for part in rule.split(call).skip(1) {
        let inside = part.split(')').next().unwrap_or_default();
        found.extend(
            inside
                .split(',')
                .map(|word| word.trim().trim_matches(['`', '"', '\'']))
                .filter(|word| !word.is_empty()),
        );
    }
    found
}

/// Hosts of a rule of Traefik, for objects of clusters.
pub(super) fn hosts_of_rule(rule: &str) -> Vec<Shown> {
    arguments(rule, "Host(")
        .into_iter()
        .filter_map(public_host)
        .collect()
}

/// The path of a rule of Traefik.
pub(super) fn path_of_rule(rule: &str) -> Option<Shown> {
    arguments(rule, "PathPrefix(").into_iter().find_map(request_path)
}
