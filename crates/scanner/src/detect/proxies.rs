//! Reverse proxies: where they pass requests on to, under which names, and what they limit. Names of directives are
//! `proxies/words.toml`; each notation has a reader of its own. Labels of Compose units and objects of clusters are
//! handed over by the detectors of those.

mod caddy;
pub(crate) mod cluster;
mod envoy;
mod haproxy;
mod nginx;
pub(crate) mod traefik;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use playbook_core::evidence::Evidence;
use playbook_core::harmless::{Host, Name, Setting, UrlPath};
use playbook_core::inventory::{Infrastructure, Proxy, ProxyForward, ProxySetting, ProxySettingKind};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;
use playbook_core::technology::Catalogue;
use serde::Deserialize;

use super::{Detector, ending, judge};
use crate::fact::Facts;
use crate::limits;
use crate::parse::directives;
use crate::parse::tree::Node;
use crate::parse::{toml, yaml};
use crate::source::Source;

pub(crate) const DETECTOR: Detector = Detector { wants, detect };

/// Names of directives by what they are for.
type Words = BTreeMap<String, Vec<String>>;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    nginx: Words,
    caddy: Words,
    haproxy: Words,
    traefik: Words,
    annotation: Words,
    issuer: Words,
    /// Beginnings of annotations by the class of controller that reads them.
    class: Words,
}

static TABLE: LazyLock<Table> =
    LazyLock::new(|| ::toml::from_str(include_str!("proxies/words.toml")).unwrap_or_default());

/// The words of a proxy that serve a purpose.
fn words_for<'w>(words: &'w Words, purpose: &str) -> &'w [String] {
    words.get(purpose).map_or(&[], Vec::as_slice)
}

/// What a directive of a name is for.
fn purpose(words: &Words, name: &str) -> Option<ProxySettingKind> {
    words
        .iter()
        .find(|(_, names)| names.iter().any(|known| known == name))
        .and_then(|(purpose, _)| ProxySettingKind::from_word(purpose))
}

/// The proxy that a path alone points to.
fn by_path(path: &RelPath) -> Option<&'static str> {
    let found = Catalogue::get().by_file(path.as_str());
    found
        .into_iter()
        .map(|found| found.technology)
        .find(|technology| technology.category == "proxy" && technology.platform.is_some())
        .map(|technology| technology.id)
}

/// A site of nginx has no ending: `deploy/nginx/shop`.
fn is_site(path: &RelPath) -> bool {
    !path.name().contains('.') && path.parent().components().any(|part| part == "nginx")
}

fn wants(path: &RelPath) -> bool {
    ending(path, &["yml", "yaml", "toml", "conf", "template", "cfg", "caddy"])
        || path.name().starts_with("Caddyfile")
        || is_site(path)
        || by_path(path).is_some()
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    let text = source.text;
    let known = by_path(source.path);
    let found = if ending(source.path, &["yml", "yaml"]) {
        in_yaml(source)
    } else if ending(source.path, &["toml"]) {
        if !text.contains("routers") {
            return;
        }
        let (document, _) = toml::document(text);
        document.map_or_else(Vec::new, |document| traefik::file(source, &document))
    } else if known == Some("caddy") || source.path.name().starts_with("Caddyfile") {
        caddy::read(source, &directives::caddy(text))
    } else if known == Some("haproxy") || ending(source.path, &["cfg"]) {
        if !text.contains("frontend") && !text.contains("listen") {
            return;
        }
        haproxy::read(source, text)
    } else if text.contains("server")
        && ["listen", "server_name", "location"]
            .iter()
            .any(|word| text.contains(word))
    {
        nginx::read(source, &directives::nginx(text), 0)
    } else {
        Vec::new()
    };
    if found.is_empty() {
        return;
    }
    // What is known by its name, `platforms` tells.
    let kind = found.first().map(|proxy| proxy.kind.clone());
    if known.is_none()
        && !ending(source.path, &["yml", "yaml"])
        && let Some(kind) = kind
    {
        facts.infrastructure.push(Infrastructure {
            kind,
            path: source.path.clone(),
            scope: source.scope,
            evidence: vec![source.file()],
        });
    }
    facts.proxies.extend(found.into_iter().take(limits::PROXIES));
}

/// Dynamic configuration of Traefik, Envoy's bootstrap, and configurations of nginx, Caddy and HAProxy inside a text of
/// another file, such as a ConfigMap.
fn in_yaml(source: &Source<'_>) -> Vec<Proxy> {
    let text = source.text;
    let is_traefik = text.contains("routers:");
    let is_envoy = text.contains("static_resources:");
    let inside =
        text.contains("proxy_pass ") || text.contains("fastcgi_pass ") || text.contains("reverse_proxy ");
    if !(is_traefik || is_envoy || inside) || text.contains("{{") && !inside {
        return Vec::new();
    }
    let mut found = Vec::new();
    let (documents, _) = yaml::documents(text);
    for document in documents.iter().take(limits::SERVICES) {
        if is_traefik {
            found.extend(traefik::file(source, document));
        }
        if is_envoy {
            found.extend(envoy::read(source, document));
        }
        if inside {
            document.walk(limits::PROXY_NODES, &mut |_, node| {
                if let Some(text) = node.text().filter(|text| text.contains('\n')) {
                    found.extend(embedded(source, node, text));
                }
            });
        }
    }
    found
}

/// A configuration that is a text of a YAML file.
fn embedded(source: &Source<'_>, node: &Node, text: &str) -> Vec<Proxy> {
    let before = first_line(source, node, text).saturating_sub(1);
    if text.contains("proxy_pass ") || text.contains("fastcgi_pass ") {
        nginx::read(source, &directives::nginx(text), before)
    } else if text.contains("reverse_proxy ") {
        let mut list = directives::caddy(text);
        for directive in &mut list {
            shift(directive, before);
        }
        caddy::read(source, &list)
    } else {
        Vec::new()
    }
}

/// The line of the file on which the first line of a block scalar stands: the block's own or the one after it.
fn first_line(source: &Source<'_>, node: &Node, text: &str) -> u32 {
    let first = text.lines().map(str::trim).find(|line| !line.is_empty());
    let skipped = text.lines().take_while(|line| line.trim().is_empty()).count();
    let skipped = u32::try_from(skipped).unwrap_or(0);
    source
        .numbered_lines()
        .skip(usize::try_from(node.line().saturating_sub(1)).unwrap_or(0))
        .find(|(_, line)| Some(line.trim()) == first)
        .map_or_else(|| node.line(), |(line, _)| line.saturating_sub(skipped))
}

fn shift(directive: &mut directives::Directive, by: u32) {
    directive.line = directive.line.saturating_add(by);
    for child in &mut directive.children {
        shift(child, by);
    }
}

/// A proxy of which nothing is known but its place.
fn proxy(source: &Source<'_>, kind: &'static str, line: u32) -> Proxy {
    Proxy {
        kind: Shown::from(kind),
        path: source.path.clone(),
        name: None,
        class: None,
        hosts: Vec::new(),
        listens: Vec::new(),
        tls: false,
        redirects: false,
        includes: false,
        forwards: Vec::new(),
        settings: Vec::new(),
        scope: source.scope,
        evidence: vec![source.at(line)],
    }
}

/// Host, and port where one is written.
#[derive(Default)]
struct Target {
    host: Option<Shown>,
    port: Option<u16>,
}

/// Takes an address apart: `http://api:8000/v1`, `api:8000`, `unix:/run/app.sock`, `[::1]:80`, `${API}:8000`.
fn target(text: &str) -> Target {
    let text = text.trim().trim_matches(['"', '\'']);
    for prefix in ["unix:", "unix//", "http://unix:", "unix@"] {
        if let Some(path) = text.strip_prefix(prefix) {
            let path = path.split([':', '?']).next().unwrap_or_default();
            let path = path
                .strip_prefix("//")
                .map_or_else(|| path.to_owned(), |rest| format!("/{rest}"));
            return Target {
                host: judge::path(&path),
                port: None,
            };
        }
    }
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let rest = closing_slash(rest);
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => {
            (host, playbook_core::harmless::port(Raw::new(port)))
        }
        // The port is a variable.
        Some((host, port)) if port.starts_with(['$', '{']) && !host.ends_with('$') => (host, None),
        _ => (
            rest,
            match scheme {
                "http" | "h2c" => Some(80),
                "https" => Some(443),
                _ => None,
            },
        ),
    };
    Target {
        host: host_of(host.trim_matches(['[', ']'])),
        port,
    }
}

/// What stands before the path.
fn closing_slash(text: &str) -> &str {
    let mut depth = 0usize;
    for (at, letter) in text.char_indices() {
        match letter {
            '{' => depth = depth.saturating_add(1),
            '}' => depth = depth.saturating_sub(1),
            '/' | '?' if depth == 0 => return text.get(..at).unwrap_or(text),
            _ => {}
        }
    }
    text
}

/// A host name as it may be shown. What only a variable of the proxy or an action of a template names is none.
fn host_of(text: &str) -> Option<Shown> {
    let text = text.trim().trim_end_matches('.');
    if text.is_empty() || text.contains("{{") || text.contains('<') {
        return None;
    }
    if text.contains('$') || text.contains('{') {
        // Caddy writes `{$NAME}`, shells `${NAME}`.
        let text = text.replace("{$", "${");
        let environment = text.split("${").skip(1).all(|part| {
            part.split('}')
                .next()
                .is_some_and(|name| !name.bytes().any(|byte| byte.is_ascii_lowercase()))
        });
        return (text.contains("${") && environment)
            .then(|| judge::reference(&plain_references(&text)))
            .flatten();
    }
    let wildcard = text.strip_prefix("*.").unwrap_or(text);
    match Host::parse(Raw::new(wildcard)) {
        Some(host) if wildcard.len() < text.len() => Some(Shown::fill("*.{}", &[&host.into()])),
        Some(host) => Some(host.into()),
        None => Name::parse(Raw::new(text)).map(Shown::from),
    }
}

/// References to variables without what stands in their place: `${NAME:?message}` is `${NAME}`.
fn plain_references(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, part) in text.split("${").enumerate() {
        if at == 0 {
            out.push_str(part);
            continue;
        }
        let (inner, rest) = part.split_once('}').unwrap_or((part, ""));
        let name: String = inner
            .chars()
            .take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '_')
            .collect();
        out.push_str("${");
        out.push_str(&name);
        out.push('}');
        out.push_str(rest);
    }
    out
}

/// A public name that a virtual host answers for; `_`, `localhost` and stand-ins name none.
fn public_host(text: &str) -> Option<Shown> {
    let name = text.split(':').next().unwrap_or_default();
    let stand_in = !name.contains('.') && !name.contains('$');
    if stand_in || name.starts_with('~') || name.parse::<std::net::IpAddr>().is_ok() {
        return None;
    }
    host_of(name)
}

/// Path of requests: `/api`, `^/(api|files)`, `*.php`; `None` for all of them.
fn request_path(text: &str) -> Option<Shown> {
    let plain: String = text
        .trim()
        .trim_start_matches('^')
        .trim_end_matches('$')
        .chars()
        .filter(|letter| *letter != '\\')
        .collect();
    if matches!(plain.as_str(), "/" | "" | "/*" | "/(.*)" | "/.*" | "*") {
        return None;
    }
    UrlPath::parse(Raw::new(&plain))
        .map(Shown::from)
        .or_else(|| {
            let ending = plain.trim_start_matches(".*").strip_prefix('.')?;
            Name::parse(Raw::new(ending)).map(|ending| Shown::fill("*.{}", &[&ending.into()]))
        })
        .or_else(|| Some(Shown::from("a pattern of paths")))
}

/// Bytes of a size: `20m`, `10MB`, `1GiB`, `0`.
fn bytes(text: &str) -> Option<u64> {
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    let number: u64 = digits.parse().ok()?;
    let unit = text.get(digits.len()..)?.trim().to_ascii_lowercase();
    let factor: u64 = match unit.trim_end_matches("ib").trim_end_matches('b') {
        "" => 1,
        "k" => 1 << 10,
        "m" => 1 << 20,
        "g" => 1 << 30,
        _ => return None,
    };
    number.checked_mul(factor)
}

/// Whole seconds of a duration: `60`, `60s`, `5m`, `1h30m`, `500ms`.
fn seconds(text: &str) -> Option<u64> {
    let mut total: u64 = 0;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        let number: u64 = digits.parse().ok()?;
        rest = rest.get(digits.len()..)?;
        let unit: String = rest.chars().take_while(char::is_ascii_alphabetic).collect();
        rest = rest.get(unit.len()..)?;
        let part = match unit.as_str() {
            "" | "s" => Some(number),
            "ms" => Some(number / 1000),
            "m" | "min" => number.checked_mul(60),
            "h" => number.checked_mul(3600),
            "d" => number.checked_mul(86_400),
            _ => None,
        };
        total = total.checked_add(part?)?;
    }
    Some(total)
}

/// A setting with its value as far as it may be shown.
fn setting(
    kind: ProxySettingKind,
    name: &str,
    value: &str,
    path: Option<&Shown>,
    place: Evidence,
) -> Option<ProxySetting> {
    let number = match kind {
        ProxySettingKind::BodySize => bytes(value),
        ProxySettingKind::Timeout => seconds(value),
        ProxySettingKind::RateLimit => value
            .trim_end_matches(|letter: char| letter.is_ascii_alphabetic() || letter == '/')
            .parse()
            .ok(),
        _ => None,
    };
    let shown = match kind {
        ProxySettingKind::Access | ProxySettingKind::ResponseHeader => None,
        ProxySettingKind::Certificate => judge::path(value),
        ProxySettingKind::TlsVersion => {
            let versions: Vec<Shown> = value
                .split_whitespace()
                .filter_map(|version| Name::parse(Raw::new(version)).map(Shown::from))
                .collect();
            Some(Shown::join(&versions, " "))
        }
        _ => Setting::parse(Raw::new(value))
            .map(Shown::from)
            .or_else(|| rate(value)),
    };
    Some(ProxySetting {
        kind,
        name: Name::parse(Raw::new(name)).map(Shown::from)?,
        value: shown,
        number,
        path: path.cloned(),
        evidence: vec![place],
    })
}

/// nginx writes a rate as `10r/s`.
fn rate(value: &str) -> Option<Shown> {
    let (number, unit) = value.split_once("r/")?;
    let number = Shown::number(number.parse().ok()?);
    match unit {
        "s" => Some(Shown::fill("{} a second", &[&number])),
        "m" => Some(Shown::fill("{} a minute", &[&number])),
        _ => None,
    }
}

/// A forward to an address.
fn forward(address: &str, path: Option<&Shown>, upgrade: bool, place: Evidence) -> ProxyForward {
    let target = target(address);
    ProxyForward {
        path: path.cloned(),
        target: target.host,
        port: target.port,
        service: None,
        upgrade,
        evidence: vec![place],
    }
}

#[cfg(test)]
mod tests;
