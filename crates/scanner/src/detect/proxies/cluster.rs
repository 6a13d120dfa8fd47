//! Ways into a cluster: Ingresses, the Gateway API, Istio's and Traefik's own kinds.

use playbook_core::harmless::Name;
use playbook_core::inventory::{Proxy, ProxyForward, ProxySettingKind};
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use super::{TABLE, proxy, public_host, purpose, request_path, setting, traefik};
use crate::detect::kubernetes::{plain, text};
use crate::parse::tree::Node;
use crate::source::Source;

/// The way in that an object describes, if it describes one.
pub(crate) fn read(source: &Source<'_>, object: &Node) -> Option<Proxy> {
    let kind = text(object, "kind")?;
    let version = text(object, "apiVersion")?;
    let spec = object.get("spec")?;
    let slug = match kind {
        "Ingress" => "kubernetes-ingress",
        "Gateway" | "HTTPRoute" | "GRPCRoute" | "TLSRoute"
            if version.starts_with("gateway.networking.k8s.io") =>
        {
            "gateway-api"
        }
        "Gateway" | "VirtualService" if version.contains("istio.io") => "istio",
        "IngressRoute" | "IngressRouteTCP" if version.contains("traefik") => "traefik",
        _ => return None,
    };
    let mut found = proxy(source, slug, object.line());
    found.name = object
        .path(&["metadata", "name"])
        .and_then(plain)
        .and_then(|name| Name::parse(Raw::new(name)))
        .map(Shown::from);
    let reading = Reading { source };
    match kind {
        "Ingress" => {
            found.class = class(object, spec);
            reading.ingress(&mut found, spec);
            reading.annotations(&mut found, object);
        }
        "Gateway" if slug == "istio" => reading.istio_gateway(&mut found, spec),
        "Gateway" => reading.gateway(&mut found, spec),
        "VirtualService" => reading.virtual_service(&mut found, spec),
        "IngressRoute" | "IngressRouteTCP" => reading.ingress_route(&mut found, spec),
        _ => reading.route(&mut found, spec),
    }
    Some(found)
}

/// The class that an Ingress names, or that its annotations belong to.
fn class(object: &Node, spec: &Node) -> Option<Shown> {
    let annotations = || {
        object
            .path(&["metadata", "annotations"])
            .into_iter()
            .flat_map(Node::entries)
    };
    let of_a_controller = |(key, _, _): (&str, u32, &Node)| {
        TABLE
            .class
            .iter()
            .find(|(_, beginnings)| beginnings.iter().any(|known| key.starts_with(known.as_str())))
            .map(|(class, _)| class.clone())
    };
    let named = annotations().find(|(key, _, _)| *key == "kubernetes.io/ingress.class");
    annotations()
        .find_map(of_a_controller)
        .or_else(|| text(spec, "ingressClassName").map(str::to_owned))
        .or_else(|| plain(named?.2).map(str::to_owned))
        .and_then(|name| Name::parse(Raw::new(&name)).map(Shown::from))
}

fn items<'n>(node: &'n Node, key: &str) -> impl Iterator<Item = &'n Node> {
    node.get(key).into_iter().flat_map(Node::items)
}

fn port(node: Option<&Node>) -> Option<u16> {
    playbook_core::harmless::port(Raw::new(plain(node?)?))
}

struct Reading<'s, 'a> {
    source: &'s Source<'a>,
}

impl Reading<'_, '_> {
    fn hosts<'n>(found: &mut Proxy, names: impl Iterator<Item = &'n str>) {
        // Inside the cluster the mesh finds a Service by its full name.
        let names = names.filter(|name| !name.ends_with(".cluster.local"));
        for host in names.filter_map(public_host) {
            if !found.hosts.contains(&host) {
                found.hosts.push(host);
            }
        }
    }

    fn listen(found: &mut Proxy, number: Option<u16>) {
        found
            .listens
            .extend(number.filter(|number| !found.listens.contains(number)));
    }

    /// A way to a Service of the cluster.
    fn forward(
        &self,
        found: &mut Proxy,
        service: Option<&str>,
        number: Option<u16>,
        path: Option<Shown>,
        line: u32,
    ) {
        // A mesh names a Service with its namespace and the domain of the cluster.
        let name = service.map(|service| service.split('.').next().unwrap_or(service));
        if name.is_none() && number.is_none() {
            return;
        }
        found.forwards.push(ProxyForward {
            path,
            target: name.and_then(|name| Name::parse(Raw::new(name))).map(Shown::from),
            port: number,
            service: None,
            upgrade: true,
            evidence: vec![self.source.at(line)],
        });
    }

    fn ingress(&self, found: &mut Proxy, spec: &Node) {
        found.tls = items(spec, "tls").next().is_some();
        for tls in items(spec, "tls") {
            self.secret(found, tls.get("secretName"));
            Self::hosts(found, items(tls, "hosts").filter_map(plain));
        }
        Self::hosts(found, items(spec, "rules").filter_map(|rule| text(rule, "host")));
        let paths = items(spec, "rules")
            .flat_map(|rule| rule.path(&["http", "paths"]).into_iter().flat_map(Node::items));
        for item in paths {
            let service = item.path(&["backend", "service"]);
            let name = service
                .and_then(|service| text(service, "name"))
                .or_else(|| item.path(&["backend", "serviceName"]).and_then(plain));
            let number = service
                .and_then(|service| service.path(&["port", "number"]))
                .or_else(|| item.path(&["backend", "servicePort"]));
            let path = text(item, "path").and_then(request_path);
            self.forward(found, name, port(number), path, item.line());
        }
        if let Some(service) = spec.path(&["defaultBackend", "service"]) {
            let number = port(service.path(&["port", "number"]));
            self.forward(found, text(service, "name"), number, None, service.line());
        }
    }

    fn secret(&self, found: &mut Proxy, name: Option<&Node>) {
        if let Some((name, node)) = name.and_then(|node| Some((plain(node)?, node))) {
            let place = self.source.at(node.line());
            found.settings.extend(setting(
                ProxySettingKind::Certificate,
                "secretName",
                name,
                None,
                place,
            ));
        }
    }

    fn annotations(&self, found: &mut Proxy, object: &Node) {
        let annotations = object.path(&["metadata", "annotations"]);
        for (key, line, value) in annotations.into_iter().flat_map(Node::entries) {
            let short = key.rsplit('/').next().unwrap_or(key);
            let kind = purpose(&TABLE.annotation, short).or_else(|| purpose(&TABLE.issuer, key));
            if let (Some(kind), Some(value)) = (kind, plain(value)) {
                let place = self.source.at(line);
                found.settings.extend(setting(kind, key, value, None, place));
            }
        }
    }

    fn gateway(&self, found: &mut Proxy, spec: &Node) {
        for listener in items(spec, "listeners") {
            Self::listen(found, port(listener.get("port")));
            Self::hosts(found, text(listener, "hostname").into_iter());
            found.tls |= matches!(text(listener, "protocol"), Some("HTTPS" | "TLS"));
            for reference in listener
                .path(&["tls", "certificateRefs"])
                .into_iter()
                .flat_map(Node::items)
            {
                self.secret(found, reference.get("name"));
            }
        }
    }

    fn route(&self, found: &mut Proxy, spec: &Node) {
        Self::hosts(found, items(spec, "hostnames").filter_map(plain));
        for rule in items(spec, "rules") {
            let path = items(rule, "matches")
                .find_map(|matched| matched.path(&["path", "value"]).and_then(plain))
                .and_then(request_path);
            for backend in items(rule, "backendRefs") {
                let number = port(backend.get("port"));
                self.forward(found, text(backend, "name"), number, path.clone(), backend.line());
            }
            if let Some(timeout) = rule.path(&["timeouts", "request"]) {
                self.timeout(found, "timeouts.request", timeout, path.as_ref());
            }
        }
    }

    fn timeout(&self, found: &mut Proxy, name: &str, node: &Node, path: Option<&Shown>) {
        let value = plain(node).unwrap_or_default();
        let place = self.source.at(node.line());
        found
            .settings
            .extend(setting(ProxySettingKind::Timeout, name, value, path, place));
    }

    fn istio_gateway(&self, found: &mut Proxy, spec: &Node) {
        for server in items(spec, "servers") {
            Self::listen(found, port(server.path(&["port", "number"])));
            Self::hosts(found, items(server, "hosts").filter_map(plain));
            if let Some(tls) = server.get("tls") {
                found.tls |= tls.get("mode").is_some();
                self.secret(found, tls.get("credentialName"));
            }
        }
    }

    fn virtual_service(&self, found: &mut Proxy, spec: &Node) {
        Self::hosts(found, items(spec, "hosts").filter_map(plain));
        for key in ["http", "tcp", "tls"] {
            for rule in items(spec, key) {
                let uri = items(rule, "match").find_map(|matched| matched.get("uri"));
                let path = uri
                    .and_then(|uri| uri.entries().next())
                    .and_then(|(_, _, value)| plain(value))
                    .and_then(request_path);
                for route in items(rule, "route") {
                    let Some(destination) = route.get("destination") else {
                        continue;
                    };
                    let number = port(destination.path(&["port", "number"]));
                    self.forward(
                        found,
                        text(destination, "host"),
                        number,
                        path.clone(),
                        destination.line(),
                    );
                }
                if let Some(timeout) = rule.get("timeout") {
                    self.timeout(found, "timeout", timeout, path.as_ref());
                }
            }
        }
    }

    fn ingress_route(&self, found: &mut Proxy, spec: &Node) {
        found.tls = spec.get("tls").is_some();
        if let Some(tls) = spec.get("tls") {
            self.secret(found, tls.get("secretName"));
        }
        for route in items(spec, "routes") {
            let rule = text(route, "match").unwrap_or_default();
            for host in traefik::hosts_of_rule(rule) {
                if !found.hosts.contains(&host) {
                    found.hosts.push(host);
                }
            }
            for service in items(route, "services") {
                let path = traefik::path_of_rule(rule);
                self.forward(
                    found,
                    text(service, "name"),
                    port(service.get("port")),
                    path,
                    service.line(),
                );
            }
        }
    }
}
