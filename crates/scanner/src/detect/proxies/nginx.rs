//! nginx: servers with their locations. What is set outside of a block holds inside of it too.

use std::collections::BTreeMap;

use playbook_core::inventory::{Proxy, ProxySetting, ProxySettingKind};
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use super::{TABLE, forward, proxy, public_host, purpose, request_path, setting, words_for};
use crate::limits;
use crate::parse::directives::Directive;
use crate::source::Source;

/// What the whole configuration says beside its servers.
struct Around<'d> {
    /// Addresses by the name of the group.
    upstreams: BTreeMap<&'d str, Vec<&'d str>>,
    /// Rates by the name of the zone that counts.
    rates: BTreeMap<&'d str, &'d str>,
    settings: Vec<&'d Directive>,
    upgrade: bool,
    includes: bool,
}

/// The servers of a configuration; `before` counts the lines of the file above it.
pub(super) fn read(source: &Source<'_>, directives: &[Directive], before: u32) -> Vec<Proxy> {
    let mut around = Around {
        upstreams: BTreeMap::new(),
        rates: BTreeMap::new(),
        settings: Vec::new(),
        upgrade: false,
        includes: false,
    };
    let mut servers = Vec::new();
    let http = directives
        .iter()
        .filter(|directive| matches!(directive.name(), "http" | "stream"))
        .flat_map(|http| &http.children);
    for directive in directives.iter().chain(http) {
        match directive.name() {
            "server" if directive.block => servers.push(directive),
            "upstream" => {
                let members = directive.children.iter();
                let addresses = members
                    .filter(|member| member.name() == "server")
                    .filter_map(|member| member.argument(0));
                if let Some(name) = directive.argument(0) {
                    around.upstreams.insert(name, addresses.collect());
                }
            }
            "limit_req_zone" => {
                let word = |key: &str| {
                    let mut words = directive.words.iter();
                    words.find_map(|word| word.strip_prefix(key))
                };
                if let (Some(zone), Some(rate)) = (word("zone="), word("rate=")) {
                    around.rates.insert(zone.split(':').next().unwrap_or(zone), rate);
                }
            }
            "proxy_set_header" => around.upgrade |= is_upgrade(directive),
            // The files of a folder are servers of their own.
            "include" => {
                let file = directive.argument(0).unwrap_or_default();
                around.includes |= !file.contains('*') && !file.ends_with("mime.types");
            }
            _ => around.settings.push(directive),
        }
    }
    servers
        .into_iter()
        .map(|server| read_server(source, server, &around, before))
        .collect()
}

fn is_upgrade(directive: &Directive) -> bool {
    directive.name() == "proxy_set_header"
        && directive
            .argument(0)
            .is_some_and(|name| name.eq_ignore_ascii_case("upgrade"))
}

/// Do the directives of a block pass the upgrade on? `None` if they say nothing about headers, so that the outer ones
/// hold.
fn upgrade_of(directives: &[Directive]) -> Option<bool> {
    let mut headers = directives
        .iter()
        .filter(|directive| directive.name() == "proxy_set_header")
        .peekable();
    headers.peek()?;
    Some(headers.any(is_upgrade))
}

struct Reading<'s, 'a> {
    source: &'s Source<'a>,
    before: u32,
    around: &'s Around<'s>,
    /// Paths by the name of the location to which they fall back.
    fallbacks: BTreeMap<&'s str, Option<Shown>>,
}

fn read_server(source: &Source<'_>, server: &Directive, around: &Around<'_>, before: u32) -> Proxy {
    let mut found = proxy(source, "nginx", server.line.saturating_add(before));
    found.includes = around.includes;
    let mut ends_tls = false;
    for directive in &server.children {
        match directive.name() {
            "listen" => {
                let address = directive.argument(0).unwrap_or_default();
                let port = address.rsplit(':').next().unwrap_or(address);
                let port = playbook_core::harmless::port(Raw::new(port));
                ends_tls |= directive.arguments().iter().any(|word| word == "ssl");
                for port in port
                    .into_iter()
                    .filter(|port| !found.listens.contains(port))
                    .collect::<Vec<_>>()
                {
                    found.listens.push(port);
                }
            }
            "server_name" => {
                for name in directive.arguments() {
                    found.hosts.extend(public_host(name));
                }
            }
            "ssl_certificate" => ends_tls = true,
            "ssl" => ends_tls |= directive.argument(0) == Some("on"),
            "include" => found.includes = true,
            "return" | "rewrite" => found.redirects |= leads_to_https(directive),
            _ => {}
        }
    }
    found.tls = ends_tls;
    let mut fallbacks = BTreeMap::new();
    for location in server.children.iter().filter(|child| child.name() == "location") {
        for directive in &location.children {
            let last = directive.words.last().filter(|last| last.starts_with('@'));
            if let Some(last) = last.filter(|_| directive.name() == "try_files") {
                fallbacks.insert(last.as_str(), path_of(location));
            }
        }
    }
    let reading = Reading {
        source,
        before,
        around,
        fallbacks,
    };
    let upgrade = upgrade_of(&server.children).unwrap_or(around.upgrade);
    let variables = BTreeMap::new();
    reading.block(
        &mut found,
        &server.children,
        None,
        upgrade,
        &variables,
        limits::NGINX_DEPTH,
    );
    // What stands outside of the server holds where it says nothing itself.
    for directive in &around.settings {
        let name = directive.name();
        if !found
            .settings
            .iter()
            .any(|known| known.name == *name && known.path.is_none())
        {
            reading.setting(&mut found, directive, None);
        }
    }
    found.redirects &= found.forwards.is_empty();
    found
}

fn leads_to_https(directive: &Directive) -> bool {
    directive.words.iter().any(|word| word.starts_with("https://"))
}

/// The path of a location.
fn path_of(location: &Directive) -> Option<Shown> {
    let path = match location.arguments() {
        [modifier, path, ..] if matches!(modifier.as_str(), "=" | "~" | "~*" | "^~") => path,
        [path, ..] => path,
        [] => return None,
    };
    request_path(path)
}

impl Reading<'_, '_> {
    fn place(&self, directive: &Directive) -> playbook_core::evidence::Evidence {
        self.source.at(directive.line.saturating_add(self.before))
    }

    fn block<'d>(
        &self,
        found: &mut Proxy,
        directives: &'d [Directive],
        path: Option<&Shown>,
        upgrade: bool,
        outer: &BTreeMap<&'d str, Vec<&'d str>>,
        depth: usize,
    ) {
        let Some(depth) = depth.checked_sub(1) else { return };
        let mut variables = outer.clone();
        collect_variables(directives, &mut variables, depth);
        for directive in directives {
            match directive.name() {
                "location" => {
                    let named = directive.argument(0).filter(|name| name.starts_with('@'));
                    let own = match named {
                        Some(name) => self.fallbacks.get(name).cloned().flatten(),
                        None => path_of(directive),
                    };
                    let inner = upgrade_of(&directive.children).unwrap_or(upgrade);
                    found.includes |= directive.children.iter().any(|child| child.name() == "include");
                    self.block(
                        found,
                        &directive.children,
                        own.as_ref().or(path),
                        inner,
                        &variables,
                        depth,
                    );
                }
                "if" | "limit_except" => {
                    found.redirects |= directive.children.iter().any(leads_to_https);
                    self.block(found, &directive.children, path, upgrade, &variables, depth);
                }
                "return" | "rewrite" => found.redirects |= leads_to_https(directive),
                name if words_for(&TABLE.nginx, "forward")
                    .iter()
                    .any(|known| known == name) =>
                {
                    for address in self.addresses(directive.argument(0).unwrap_or_default(), &variables) {
                        let mut next = forward(&address, path, upgrade, self.place(directive));
                        if !name.starts_with("proxy_") {
                            next.upgrade = false;
                        }
                        let known = found.forwards.iter().any(|known| {
                            known.target == next.target && known.port == next.port && known.path == next.path
                        });
                        if !known {
                            found.forwards.push(next);
                        }
                    }
                }
                _ => self.setting(found, directive, path),
            }
        }
    }

    /// What an address stands for: a group's members, the values of a variable, or itself.
    fn addresses(&self, written: &str, variables: &BTreeMap<&str, Vec<&str>>) -> Vec<String> {
        let values = written.strip_prefix('$').and_then(|name| variables.get(name));
        let written: Vec<&str> = values.map_or_else(|| vec![written], Clone::clone);
        written
            .into_iter()
            .flat_map(|address| {
                // `http://$upstream:8000` with `set $upstream api;`
                let filled = filled(address, variables);
                let (scheme, rest) = filled.split_once("://").unwrap_or(("", &filled));
                let group = rest.split('/').next().unwrap_or_default();
                match self.around.upstreams.get(group) {
                    Some(members) => members
                        .iter()
                        .map(|member| {
                            if scheme.is_empty() || member.starts_with("unix:") || has_port(member) {
                                (*member).to_owned()
                            } else {
                                format!("{scheme}://{member}")
                            }
                        })
                        .collect(),
                    None => vec![filled],
                }
            })
            .collect()
    }

    fn setting(&self, found: &mut Proxy, directive: &Directive, path: Option<&Shown>) {
        let name = directive.name();
        let Some(kind) = purpose(&TABLE.nginx, name) else {
            return;
        };
        let first = directive.argument(0).unwrap_or_default();
        let (name, value) = match kind {
            ProxySettingKind::ResponseHeader => (first, String::new()),
            ProxySettingKind::TlsVersion => (name, directive.arguments().join(" ")),
            ProxySettingKind::RateLimit => {
                let zone = directive
                    .arguments()
                    .iter()
                    .find_map(|word| word.strip_prefix("zone="));
                let rate = zone.and_then(|zone| self.around.rates.get(zone));
                let second = directive.argument(1).unwrap_or_default();
                (name, rate.map_or(second, |rate| rate).to_owned())
            }
            // Switched on is what everybody has.
            ProxySettingKind::Unbuffered | ProxySettingKind::Access
                if matches!(first, "on" | "off" | "all")
                    && (kind == ProxySettingKind::Access || first == "on") =>
            {
                return;
            }
            _ => (name, first.to_owned()),
        };
        let repeated =
            |known: &ProxySetting| known.kind == kind && known.name == *name && known.path.as_ref() == path;
        if !found.settings.iter().any(repeated) {
            found
                .settings
                .extend(setting(kind, name, &value, path, self.place(directive)));
        }
    }
}

fn has_port(address: &str) -> bool {
    address
        .rsplit_once(':')
        .is_some_and(|(_, port)| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
}

/// `set $name value;` of a block and of the conditions inside it.
fn collect_variables<'d>(
    directives: &'d [Directive],
    variables: &mut BTreeMap<&'d str, Vec<&'d str>>,
    depth: usize,
) {
    for directive in directives {
        match directive.name() {
            "set" => {
                let name = directive.argument(0).and_then(|name| name.strip_prefix('$'));
                if let (Some(name), Some(value)) = (name, directive.argument(1)) {
                    let values = variables.entry(name).or_default();
                    if !values.contains(&value) {
                        values.push(value);
                    }
                }
            }
            "if" if depth > 0 => collect_variables(&directive.children, variables, depth - 1),
            _ => {}
        }
    }
}

/// An address with the values of its own variables, where each has one.
fn filled(address: &str, variables: &BTreeMap<&str, Vec<&str>>) -> String {
    let mut out = String::with_capacity(address.len());
    for (at, part) in address.split('$').enumerate() {
        if at == 0 {
            out.push_str(part);
            continue;
        }
        let length = part
            .find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'))
            .unwrap_or(part.len());
        let (name, rest) = part.split_at_checked(length).unwrap_or((part, ""));
        if let Some([only]) = variables.get(name).map(Vec::as_slice) {
            out.push_str(only);
        } else {
            out.push('$');
            out.push_str(name);
        }
        out.push_str(rest);
    }
    out
}
