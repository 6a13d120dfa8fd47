//! Objects of a cluster that lead to workloads: Services find them by labels; Ingresses, routes of the Gateway API and of
//! service meshes find Services by name. Each may stand in a file of its own beside the others.

use std::collections::BTreeMap;

use playbook_core::evidence::Evidence;
use playbook_core::harmless::{Host, Name};
use playbook_core::inventory::{Stack, Unit, UnitAddress};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use crate::detect::kubernetes::{plain, text, unit};
use crate::fact::{ClusterObject, Facts};
use crate::parse::tree::Node;

/// Folders that hold one kind of objects; those of the other kinds are beside them.
const FOLDERS_OF_KINDS: [&str; 10] = [
    "cronjobs",
    "deployment",
    "deployments",
    "ingress",
    "ingresses",
    "routes",
    "service",
    "services",
    "statefulsets",
    "workloads",
];

/// Indices of the stack and of the unit, by the file and the name of the unit.
type Places = BTreeMap<(RelPath, Shown), (usize, usize)>;

/// The objects that are applied together.
#[derive(Default)]
struct Bundle<'o> {
    workloads: Vec<(&'o ClusterObject, &'o Shown)>,
    services: Vec<&'o ClusterObject>,
    /// Hosts by the name of the Service that they lead to.
    hosts: BTreeMap<String, Vec<Shown>>,
}

/// Completes the units of workloads with published ports and host names.
pub(crate) fn join(facts: &mut Facts) {
    let objects = std::mem::take(&mut facts.objects);
    let mut bundles: BTreeMap<RelPath, Bundle<'_>> = BTreeMap::new();
    for object in &objects {
        let folder = object.path.parent();
        let key = if FOLDERS_OF_KINDS.contains(&folder.name()) {
            folder.parent()
        } else {
            folder
        };
        let bundle = bundles.entry(key).or_default();
        match (&object.unit, text(&object.object, "kind")) {
            (Some(unit), _) => bundle.workloads.push((object, unit)),
            (None, Some("Service")) => bundle.services.push(object),
            (None, _) => routes(&object.object, &mut bundle.hosts),
        }
    }
    let mut places: Places = BTreeMap::new();
    for (at, stack) in facts.stacks.iter().enumerate() {
        if let Some(file) = stack.files.first() {
            for (position, unit) in stack.units.iter().enumerate() {
                places
                    .entry((file.clone(), unit.name.clone()))
                    .or_insert((at, position));
            }
        }
    }
    for bundle in bundles.values() {
        bundle.join(&mut facts.stacks, &places);
    }
}

impl Bundle<'_> {
    fn join(&self, stacks: &mut [Stack], places: &Places) {
        // A Service is looked up by the first label that it wants.
        let mut by_label: BTreeMap<(&str, &str), Vec<&ClusterObject>> = BTreeMap::new();
        for service in &self.services {
            let selector = service.object.path(&["spec", "selector"]);
            let first = selector.and_then(|selector| selector.entries().next());
            if let Some((key, _, value)) = first
                && let Some(value) = plain(value)
            {
                by_label.entry((key, value)).or_default().push(service);
            }
        }
        for (workload, name) in &self.workloads {
            let kind = text(&workload.object, "kind").unwrap_or_default();
            let Some(pod) = unit::pod(&workload.object, kind) else {
                continue;
            };
            let Some(labels) = pod.path(&["metadata", "labels"]) else {
                continue;
            };
            let place = places.get(&(workload.path.clone(), (*name).clone()));
            let Some(unit) = place.and_then(|(at, position)| stacks.get_mut(*at)?.units.get_mut(*position))
            else {
                continue;
            };
            for (key, _, value) in labels.entries() {
                let Some(value) = plain(value) else { continue };
                for service in by_label.get(&(key, value)).into_iter().flatten() {
                    if selects(&service.object, labels) {
                        publish(unit, service, pod);
                        let host = text_at(&service.object, &["metadata", "name"]);
                        for host in host.and_then(|name| self.hosts.get(name)).into_iter().flatten() {
                            if !unit.domains.contains(host) {
                                unit.domains.push(host.clone());
                            }
                        }
                    }
                }
            }
        }
    }
}

fn text_at<'a>(node: &'a Node, path: &[&str]) -> Option<&'a str> {
    node.path(path).and_then(plain)
}

fn selects(service: &Node, labels: &Node) -> bool {
    service.path(&["spec", "selector"]).is_some_and(|selector| {
        selector
            .entries()
            .all(|(key, _, value)| plain(value).is_some() && labels.get(key).and_then(plain) == plain(value))
    })
}

/// The name and ports of a Service; one for the outside publishes the ports to which it leads.
fn publish(unit: &mut Unit, service: &ClusterObject, pod: &Node) {
    let kind = match text_at(&service.object, &["spec", "type"]) {
        Some("LoadBalancer") => "LoadBalancer",
        Some("NodePort") => "NodePort",
        Some("ExternalName") => return,
        _ => "ClusterIP",
    };
    let name = text_at(&service.object, &["metadata", "name"])
        .and_then(|name| Name::parse(Raw::new(name)))
        .map(Shown::from);
    let number = |node: &Node| playbook_core::harmless::port(Raw::new(plain(node)?));
    let ports = service.object.path(&["spec", "ports"]);
    for item in ports.into_iter().flat_map(Node::items) {
        let given = item.get("port").and_then(number);
        let target = match item.get("targetPort") {
            None => given,
            Some(target) => number(target).or_else(|| named_port(pod, plain(target)?)),
        };
        let evidence = Evidence::at(&service.path, item.line());
        if let (Some(name), Some(port)) = (&name, given) {
            let address = UnitAddress {
                name: name.clone(),
                port,
                target,
                kind: Shown::from(kind),
                evidence: vec![evidence.clone()],
            };
            if !unit.addresses.contains(&address) {
                unit.addresses.push(address);
            }
        }
        if kind == "ClusterIP" {
            continue;
        }
        for known in unit
            .ports
            .iter_mut()
            .filter(|known| Some(known.container) == target)
        {
            known.published = true;
            known.host = given;
            if !known.evidence.contains(&evidence) {
                known.evidence.push(evidence.clone());
            }
        }
    }
}

fn named_port(pod: &Node, name: &str) -> Option<u16> {
    pod.path(&["spec", "containers"])?
        .items()
        .flat_map(|container| container.get("ports").into_iter().flat_map(Node::items))
        .find(|port| text(port, "name") == Some(name))
        .and_then(|port| playbook_core::harmless::port(Raw::new(text(port, "containerPort")?)))
}

fn items<'n>(node: &'n Node, key: &str) -> impl Iterator<Item = &'n Node> {
    node.get(key).into_iter().flat_map(Node::items)
}

/// Host names by the Services that an Ingress or a route leads to.
fn routes(object: &Node, hosts: &mut BTreeMap<String, Vec<Shown>>) {
    let Some(spec) = object.get("spec") else { return };
    let mut add = |service: Option<&str>, host: &str| {
        let host = Host::parse(Raw::new(host)).map(Shown::from);
        if let (Some(service), Some(host)) = (service, host) {
            // A mesh names a Service with its namespace and the domain of the cluster.
            let service = service.split('.').next().unwrap_or(service);
            let known = hosts.entry(service.to_owned()).or_default();
            if !known.contains(&host) {
                known.push(host);
            }
        }
    };
    for rule in items(spec, "rules") {
        if let Some(host) = text(rule, "host") {
            for path in rule.path(&["http", "paths"]).into_iter().flat_map(Node::items) {
                let service = text_at(path, &["backend", "service", "name"])
                    .or_else(|| text_at(path, &["backend", "serviceName"]));
                add(service, host);
            }
        }
        for (host, _) in spec.get("hostnames").into_iter().flat_map(Node::texts) {
            for backend in items(rule, "backendRefs") {
                add(text(backend, "name"), host);
            }
        }
    }
    for (host, _) in spec.get("hosts").into_iter().flat_map(Node::texts) {
        for http in items(spec, "http") {
            for route in items(http, "route") {
                add(text_at(route, &["destination", "host"]), host);
            }
        }
    }
    // Traefik's own kind writes its rule as an expression.
    for route in items(spec, "routes") {
        let rule = text(route, "match").unwrap_or_default();
        for part in rule.split("Host(").skip(1) {
            let host = part.split(')').next().unwrap_or_default();
            for host in host.split(',') {
                for service in items(route, "services") {
                    add(text(service, "name"), host.trim().trim_matches(['`', '"', '\'']));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::inventory;

    #[test]
    fn objects_in_files_of_their_own_find_each_other() {
        let found = inventory(
            "//- k8s/api-deployment.yaml\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: api\nspec:\n  template:\n    metadata:\n      labels: {app: api, tier: web}\n    spec:\n      containers:\n        - name: api\n          image: registry.example.com/api:1\n          ports:\n            - name: http\n              containerPort: 8080\n//- k8s/api-service.yaml\napiVersion: v1\nkind: Service\nmetadata: {name: api-http}\nspec:\n  type: LoadBalancer\n  selector: {app: api}\n  ports:\n    - port: 80\n      targetPort: http\n//- k8s/other-service.yaml\napiVersion: v1\nkind: Service\nmetadata: {name: other}\nspec:\n  type: NodePort\n  selector: {app: api, tier: worker}\n  ports:\n    - port: 81\n      targetPort: 8080\n//- k8s/ingress.yaml\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web}\nspec:\n  rules:\n    - host: api.example.com\n      http:\n        paths:\n          - backend: {service: {name: api-http, port: {number: 80}}}\n    - host: other.example.com\n      http:\n        paths:\n          - backend: {service: {name: other, port: {number: 80}}}\n//- k8s/route.yaml\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: web}\nspec:\n  hostnames: [shop.example.com]\n  rules:\n    - backendRefs:\n        - name: api-http\n          port: 80\n//- mesh/elsewhere.yaml\napiVersion: v1\nkind: Service\nmetadata: {name: api-http}\nspec:\n  type: LoadBalancer\n  selector: {app: api}\n  ports:\n    - port: 8443\n      targetPort: 8080\n",
        );
        let unit = found
            .stacks
            .iter()
            .flat_map(|stack| &stack.units)
            .find(|unit| unit.name == "api")
            .expect("the workload");
        let addresses: Vec<(&str, u16, Option<u16>, &str)> = unit
            .addresses
            .iter()
            .map(|address| {
                (
                    address.name.as_str(),
                    address.port,
                    address.target,
                    address.kind.as_str(),
                )
            })
            .collect();
        assert_eq!(addresses, [("api-http", 80, Some(8080), "LoadBalancer")]);
        let domains: Vec<&str> = unit
            .domains
            .iter()
            .map(playbook_core::shown::Shown::as_str)
            .collect();
        assert_eq!(domains, ["api.example.com", "shop.example.com"]);
        let port = unit.ports.first().expect("a port");
        assert_eq!(
            (port.container, port.host, port.published),
            (8080, Some(80), true)
        );
        assert_eq!(
            port.evidence.last().map(|place| place.path.as_str()),
            Some("k8s/api-service.yaml")
        );
    }
}
