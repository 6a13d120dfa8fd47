//! Envoy: listeners with their virtual hosts, and the clusters that routes name.

use std::collections::BTreeMap;

use playbook_core::harmless::Name;
use playbook_core::inventory::{Proxy, ProxyForward, ProxySettingKind};
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use super::{host_of, proxy, public_host, request_path, setting};
use crate::limits;
use crate::parse::tree::Node;
use crate::source::Source;

/// An address with its line.
struct Address<'n> {
    host: Option<&'n str>,
    port: Option<u16>,
    line: u32,
}

fn address(node: &Node) -> Option<Address<'_>> {
    let socket = node.get("socket_address")?;
    Some(Address {
        host: socket.get("address").and_then(Node::text),
        port: socket
            .get("port_value")
            .and_then(Node::text)
            .and_then(|port| playbook_core::harmless::port(Raw::new(port))),
        line: socket.line(),
    })
}

/// The listeners of a bootstrap configuration.
pub(super) fn read(source: &Source<'_>, document: &Node) -> Vec<Proxy> {
    let Some(resources) = document.get("static_resources") else {
        return Vec::new();
    };
    let mut clusters: BTreeMap<&str, Vec<Address<'_>>> = BTreeMap::new();
    for cluster in resources.get("clusters").into_iter().flat_map(Node::items) {
        let Some(name) = cluster.get("name").and_then(Node::text) else {
            continue;
        };
        let members = clusters.entry(name).or_default();
        cluster.walk(limits::ENVOY_NODES, &mut |path, node| {
            if path.last() == Some(&"address")
                && let Some(found) = address(node)
            {
                members.push(found);
            }
        });
    }
    let mut found = Vec::new();
    for listener in resources.get("listeners").into_iter().flat_map(Node::items) {
        found.push(read_listener(source, listener, &clusters));
    }
    found
}

fn read_listener(source: &Source<'_>, listener: &Node, clusters: &BTreeMap<&str, Vec<Address<'_>>>) -> Proxy {
    let mut found = proxy(source, "envoy", listener.line());
    found.name = listener
        .get("name")
        .and_then(Node::text)
        .and_then(|name| Name::parse(Raw::new(name)))
        .map(Shown::from);
    let own = listener.get("address").and_then(address);
    found.listens.extend(own.and_then(|own| own.port));
    let mut upgrade = false;
    let mut routes = Vec::new();
    listener.walk(limits::ENVOY_NODES, &mut |path, node| match path.last() {
        Some(&"upgrade_type") => {
            upgrade |= node
                .text()
                .is_some_and(|kind| kind.eq_ignore_ascii_case("websocket"));
        }
        Some(&"domains") => found
            .hosts
            .extend(node.items().filter_map(Node::text).filter_map(public_host)),
        Some(&"transport_socket") => found.tls = true,
        Some(&"max_request_bytes") => {
            let value = node.text().unwrap_or_default();
            let place = source.at(node.line());
            found.settings.extend(setting(
                ProxySettingKind::BodySize,
                "max_request_bytes",
                value,
                None,
                place,
            ));
        }
        _ if node.is_map() && node.get("route").is_some_and(Node::is_map) => routes.push(node),
        // Connections without routes.
        _ if node.is_map() && node.get("stat_prefix").is_some() && node.get("cluster").is_some() => {
            routes.push(node);
        }
        _ => {}
    });
    for node in routes {
        let route = node.get("route").unwrap_or(node);
        let matched = node.get("match");
        let path = ["prefix", "path"]
            .iter()
            .find_map(|key| matched?.get(key)?.text())
            .and_then(request_path);
        let Some(name) = route.get("cluster").and_then(Node::text) else {
            continue;
        };
        if let Some(timeout) = route.get("timeout") {
            let value = timeout.text().unwrap_or_default();
            let place = source.at(timeout.line());
            found.settings.extend(setting(
                ProxySettingKind::Timeout,
                "timeout",
                value,
                path.as_ref(),
                place,
            ));
        }
        for member in clusters.get(name).into_iter().flatten() {
            let next = ProxyForward {
                path: path.clone(),
                target: member.host.and_then(host_of),
                port: member.port,
                service: None,
                upgrade,
                evidence: vec![source.at(member.line)],
            };
            if !found.forwards.contains(&next) {
                found.forwards.push(next);
            }
        }
    }
    found
}
