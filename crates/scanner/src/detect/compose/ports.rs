//! Ports of a unit: short form, long form, `expose`, and what Traefik's labels say.

use playbook_core::evidence::Evidence;
use playbook_core::harmless::{EnvName, Host};
use playbook_core::inventory::PublishedPort;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use crate::detect::judge::interpolation;
use crate::parse::tree::Node;
use crate::source::Source;

/// Ports of a range that are kept.
const RANGE: u16 = 20;

/// What `ports:` and `expose:` say: ports, and variables that stand in the place of one.
#[derive(Default)]
pub(super) struct Ports {
    pub(super) ports: Vec<PublishedPort>,
    pub(super) variables: Vec<(EnvName, bool, u32)>,
}

pub(super) fn read(source: &Source<'_>, node: &Node) -> Ports {
    let mut found = Ports::default();
    for item in node.get("ports").map(Node::items).into_iter().flatten() {
        match item.text() {
            Some(text) => short(source, text, item.line(), true, &mut found),
            None => long(source, item, &mut found),
        }
    }
    for item in node.get("expose").map(Node::items).into_iter().flatten() {
        if let Some(text) = item.text() {
            short(source, text, item.line(), false, &mut found);
        }
    }
    found
}

/// `[address:][host:]container[/protocol]`, with ranges.
fn short(source: &Source<'_>, text: &str, line: u32, published: bool, found: &mut Ports) {
    let text = text.trim();
    let (text, protocol) = match text.rsplit_once('/') {
        Some((before, protocol)) if protocol.chars().all(|c| c.is_ascii_alphabetic()) => (before, protocol),
        _ => (text, "tcp"),
    };
    if protocol.eq_ignore_ascii_case("udp") {
        return;
    }
    let parts = split(text);
    let Some(container) = parts.last() else { return };
    let host = if parts.len() > 1 {
        parts.get(parts.len() - 2).copied()
    } else {
        None
    };
    let address = (parts.len() > 2).then(|| parts.first().copied()).flatten();
    add(source, line, published, address, host, container, found);
}

fn long(source: &Source<'_>, item: &Node, found: &mut Ports) {
    let text = |key: &str| item.get(key).and_then(Node::text);
    if text("protocol").is_some_and(|protocol| protocol.eq_ignore_ascii_case("udp")) {
        return;
    }
    if let Some(target) = text("target") {
        let line = item.get("target").map_or(item.line(), Node::line);
        add(
            source,
            line,
            true,
            text("host_ip"),
            text("published"),
            target,
            found,
        );
    }
}

fn add(
    source: &Source<'_>,
    line: u32,
    published: bool,
    address: Option<&str>,
    host: Option<&str>,
    container: &str,
    found: &mut Ports,
) {
    let containers = range(container);
    if containers.is_empty() {
        // The port is a variable that this file does not fill.
        let variable = interpolation::whole(container).and_then(|found| EnvName::parse(Raw::new(found.name)));
        found
            .variables
            .extend(variable.map(|variable| (variable, published, line)));
        return;
    }
    let hosts = host.map(range).unwrap_or_default();
    let address = address
        .map(|address| address.trim_matches(['[', ']']))
        .and_then(interpolation::with_defaults)
        .and_then(|address| {
            Host::parse(Raw::new(&address)).map(Shown::from).or_else(|| {
                // The two addresses of IPv6 that people write; a `Host` has no colons.
                ["::1", "::"]
                    .into_iter()
                    .find(|known| *known == address)
                    .map(Shown::from)
            })
        });
    for (at, container) in containers.iter().enumerate() {
        let port = PublishedPort {
            host: hosts.get(at).copied(),
            address: address.clone(),
            container: *container,
            published,
            evidence: vec![Evidence::at(source.path, line)],
        };
        if !found.ports.contains(&port) {
            found.ports.push(port);
        }
    }
}

/// Splits at colons that stand in no `${…}` and no `[…]`.
pub(super) fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0_i32, 0);
    for (at, c) in text.char_indices() {
        match c {
            '{' | '[' => depth += 1,
            '}' | ']' => depth -= 1,
            ':' if depth <= 0 => {
                parts.push(text.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts
}

fn range(text: &str) -> Vec<u16> {
    let Some(text) = interpolation::with_defaults(text.trim()) else {
        return Vec::new();
    };
    match text.split_once('-') {
        None => playbook_core::harmless::port(Raw::new(&text))
            .into_iter()
            .collect(),
        Some((from, to)) => match (from.trim().parse::<u16>(), to.trim().parse::<u16>()) {
            (Ok(from), Ok(to)) if from > 0 && from <= to => {
                (from..=to.min(from.saturating_add(RANGE))).collect()
            }
            _ => Vec::new(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colons_inside_variables_do_not_split() {
        assert_eq!(
            split("${IP:-127.0.0.1}:${P:-80}:80"),
            ["${IP:-127.0.0.1}", "${P:-80}", "80"]
        );
        assert_eq!(split("[::1]:80:80"), ["[::1]", "80", "80"]);
        assert_eq!(range("9000-9002"), [9000, 9001, 9002]);
        assert_eq!(range("${PORT}"), [] as [u16; 0]);
    }
}
