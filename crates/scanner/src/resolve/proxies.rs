//! Where the requests that proxies pass on arrive: targets are units of a stack by name, or what listens on a port of the
//! same host.

use std::collections::{BTreeMap, BTreeSet};

use playbook_core::evidence::Scope;
use playbook_core::inventory::{Inventory, MountKind, Proxy, Service, Stack};
use playbook_core::path::RelPath;
use playbook_core::shown::Shown;

use crate::fact::Facts;

/// Names under which a proxy finds a process of its own host.
const SAME_HOST: [&str; 5] = ["localhost", "127.0.0.1", "::1", "0.0.0.0", "host.docker.internal"];

/// The proxies with the services behind them.
pub(crate) fn resolve(facts: &mut Facts, inventory: &Inventory) -> Vec<Proxy> {
    let mut proxies = std::mem::take(&mut facts.proxies);
    if proxies.is_empty() {
        return proxies;
    }
    let names = names(inventory);
    let development = development_files(inventory);
    for proxy in &mut proxies {
        if development.contains(&proxy.path) {
            proxy.scope = Scope::Development;
        }
        for forward in &mut proxy.forwards {
            let Some(target) = forward.target.as_ref().map(Shown::as_str) else {
                continue;
            };
            forward.service = if SAME_HOST.contains(&target) || target.starts_with('/') {
                on_port(&inventory.services, forward.port)
            } else {
                names.get(target).cloned().flatten()
            };
        }
    }
    proxies
}

/// Services by the names of their units and their own; a name that two share names none.
pub(super) fn names(inventory: &Inventory) -> BTreeMap<&str, Option<Shown>> {
    let mut names: BTreeMap<&str, BTreeSet<&Shown>> = BTreeMap::new();
    for stack in &inventory.stacks {
        for unit in &stack.units {
            if let Some(service) = &unit.service {
                names.entry(unit.name.as_str()).or_default().insert(service);
            }
        }
    }
    for service in &inventory.services {
        names
            .entry(service.name.as_str())
            .or_insert_with(|| BTreeSet::from([&service.id]));
    }
    names
        .into_iter()
        .map(|(name, services)| {
            let only = (services.len() == 1).then(|| services.first().map(|id| (*id).clone()));
            (name, only.flatten())
        })
        .collect()
}

/// The only service of the repository that listens on a port.
fn on_port(services: &[Service], port: Option<u16>) -> Option<Shown> {
    let port = port?;
    let mut found = services
        .iter()
        .filter(|service| service.is_own() && service.ports.contains(&port));
    let only = found.next()?;
    found.next().is_none().then(|| only.id.clone())
}

/// Files that only stacks for development use.
fn development_files(inventory: &Inventory) -> BTreeSet<RelPath> {
    let mut files: BTreeMap<RelPath, bool> = BTreeMap::new();
    let mut tell = |path: RelPath, scope: Scope| {
        let production = files.entry(path).or_default();
        *production |= scope == Scope::Production;
    };
    for infrastructure in &inventory.infrastructure {
        tell(infrastructure.path.clone(), infrastructure.scope);
    }
    let mounted: Vec<(RelPath, Scope)> = inventory.stacks.iter().flat_map(mounted_files).collect();
    let of_production: BTreeSet<&RelPath> = mounted
        .iter()
        .filter(|(_, scope)| *scope == Scope::Production)
        .map(|(path, _)| path)
        .collect();
    let only_development = mounted
        .iter()
        .filter(|(path, _)| !of_production.contains(path))
        .map(|(path, _)| path.clone());
    files
        .iter()
        .filter(|(_, production)| !**production)
        .map(|(path, _)| path.clone())
        .chain(only_development)
        .collect()
}

/// Files of the repository that the units of a stack mount.
fn mounted_files(stack: &Stack) -> Vec<(RelPath, Scope)> {
    let Some(folder) = stack.files.first().map(RelPath::parent) else {
        return Vec::new();
    };
    stack
        .units
        .iter()
        .flat_map(|unit| &unit.mounts)
        .filter(|mount| mount.kind == MountKind::Bind)
        .filter_map(|mount| folder.join(mount.source.as_ref()?.as_str()))
        .map(|path| (path, stack.scope))
        .collect()
}

#[cfg(test)]
mod tests {
    use playbook_core::evidence::Scope;

    use crate::testing::inventory;

    #[test]
    fn targets_are_units_or_what_listens_on_the_host() {
        let found = inventory(
            "//- compose.yaml\nservices:\n  api:\n    image: registry.example.com/shop/api:1\n    ports: [\"8080:8080\"]\n  web:\n    image: nginx:1.29\n    volumes: [\"./edge.conf:/etc/nginx/conf.d/default.conf\"]\n//- edge.conf\nserver {\n  listen 80;\n  location / { proxy_pass http://api:8080; }\n}\n//- docker-compose.dev.yml\nservices:\n  web:\n    image: nginx:1.29\n    volumes: [\"./local.conf:/etc/nginx/conf.d/default.conf\"]\n//- local.conf\nserver {\n  listen 80;\n  location / { proxy_pass http://api:3000; }\n}\n",
        );
        let told: Vec<_> = found
            .proxies
            .iter()
            .map(|proxy| {
                let service = proxy.forwards[0].service.as_ref().map(ToString::to_string);
                (proxy.path.as_str(), proxy.scope, service)
            })
            .collect();
        assert_eq!(
            told,
            [
                ("edge.conf", Scope::Production, Some("api".to_owned())),
                ("local.conf", Scope::Development, Some("api".to_owned())),
            ]
        );
    }
}
