//! HAProxy: frontends with the backends that they choose.

use std::collections::BTreeMap;

use playbook_core::harmless::Name;
use playbook_core::inventory::{Proxy, ProxySettingKind};
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use super::{TABLE, forward, proxy, public_host, request_path, setting, words_for};
use crate::parse::directives::{self, Directive};
use crate::source::Source;

/// The frontends of a configuration.
pub(super) fn read(source: &Source<'_>, text: &str) -> Vec<Proxy> {
    let names: Vec<&str> = words_for(&TABLE.haproxy, "sections")
        .iter()
        .map(String::as_str)
        .collect();
    let sections = directives::sections(text, &names);
    let backends: BTreeMap<&str, &Directive> = sections
        .iter()
        .filter(|section| matches!(section.name(), "backend" | "listen"))
        .filter_map(|section| Some((section.argument(0)?, section)))
        .collect();
    let mut defaults: Vec<&Directive> = Vec::new();
    let mut found = Vec::new();
    for section in &sections {
        match section.name() {
            "defaults" => defaults.extend(&section.children),
            "frontend" | "listen" => found.push(frontend(source, section, &backends, &defaults)),
            _ => {}
        }
    }
    found.retain(|proxy| !proxy.forwards.is_empty() || proxy.redirects);
    found
}

/// The address of a line of a backend: `server name address options`.
fn address(member: &Directive) -> Option<&str> {
    words_for(&TABLE.haproxy, "forward")
        .iter()
        .any(|known| known == member.name())
        .then(|| member.argument(1))?
}

fn frontend(
    source: &Source<'_>,
    section: &Directive,
    backends: &BTreeMap<&str, &Directive>,
    defaults: &[&Directive],
) -> Proxy {
    let mut found = proxy(source, "haproxy", section.line);
    found.name = section
        .argument(0)
        .and_then(|name| Name::parse(Raw::new(name)))
        .map(Shown::from);
    // Conditions by name: the path that they want.
    let mut paths: BTreeMap<&str, Option<Shown>> = BTreeMap::new();
    for line in &section.children {
        match line.name() {
            "bind" => {
                let address = line.argument(0).unwrap_or_default();
                let port = address.rsplit(':').next().unwrap_or(address);
                found
                    .listens
                    .extend(playbook_core::harmless::port(Raw::new(port)));
                found.tls |= line.arguments().iter().any(|word| word == "ssl");
            }
            "acl" => {
                let (Some(name), Some(test)) = (line.argument(0), line.argument(1)) else {
                    continue;
                };
                let values = line
                    .arguments()
                    .iter()
                    .skip(2)
                    .filter(|word| !word.starts_with('-'));
                if test.contains("hdr") && test.contains("host") {
                    found.hosts.extend(values.filter_map(|host| public_host(host)));
                } else if test.starts_with("path") {
                    let path = values.map(String::as_str).next().unwrap_or_default();
                    paths.insert(name, request_path(path));
                }
            }
            "redirect" => found.redirects |= line.words.iter().any(|word| word == "https"),
            "use_backend" | "default_backend" => {
                let path = line
                    .arguments()
                    .iter()
                    .find_map(|word| paths.get(word.as_str()).cloned().flatten());
                let backend = line.argument(0).and_then(|name| backends.get(name));
                let members = backend
                    .map(|backend| backend.children.as_slice())
                    .unwrap_or_default();
                for member in members {
                    if let Some(address) = address(member) {
                        let next = forward(address, path.as_ref(), true, source.at(member.line));
                        found.forwards.push(next);
                    }
                }
                for line in members {
                    timeout(source, &mut found, line, path.as_ref());
                }
            }
            _ => {
                if let Some(address) = address(line) {
                    found
                        .forwards
                        .push(forward(address, None, true, source.at(line.line)));
                }
                timeout(source, &mut found, line, None);
            }
        }
    }
    for line in defaults {
        timeout(source, &mut found, line, None);
    }
    found.redirects &= found.forwards.is_empty();
    found
}

fn timeout(source: &Source<'_>, found: &mut Proxy, line: &Directive, path: Option<&Shown>) {
    let known = words_for(&TABLE.haproxy, "timeout")
        .iter()
        .any(|known| known == line.name());
    let (Some(what), Some(value)) = (line.argument(0), line.argument(1)) else {
        return;
    };
    if !known
        || found
            .settings
            .iter()
            .any(|known| known.name == *what && known.path.as_ref() == path)
    {
        return;
    }
    // Without a unit it counts thousandths of a second.
    let bare = value.bytes().all(|byte| byte.is_ascii_digit());
    let value = if bare {
        format!("{value}ms")
    } else {
        value.to_owned()
    };
    found.settings.extend(setting(
        ProxySettingKind::Timeout,
        what,
        &value,
        path,
        source.at(line.line),
    ));
}
