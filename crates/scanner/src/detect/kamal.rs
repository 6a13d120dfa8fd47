//! Kamal: `config/deploy.yml` with its servers by role and its accessories.

use playbook_core::harmless::Host;
use playbook_core::inventory::{Unit, UnitVariable, VariableSource};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use super::process::{self, Declared, Sheet, entries, number_of, port_number, text, word_of};
use super::{Detector, compose, judge};
use crate::fact::Facts;
use crate::parse::tree::Node;
use crate::parse::yaml;
use crate::source::Source;

pub(crate) const DETECTOR: Detector = Detector { wants, detect };

fn wants(path: &RelPath) -> bool {
    let name = path.name();
    let destination = name.starts_with("deploy.") && name.ends_with(".yml");
    path.folder_name() == "config" && (name == "deploy.yml" || destination)
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    // Templates of ERB are values here.
    let text_of = source.text.replace("<%=", "   ").replace("%>", "  ");
    let erb = source.text.contains("<%");
    let (root, problem) = yaml::document(if erb { &text_of } else { source.text });
    judge::problem(source, facts, problem);
    let Some(root) = root else { return };
    if root.get("service").is_none() || root.get("image").is_none() {
        return;
    }
    let mut sheet = Sheet::new(source, facts);
    // `config` lies in the folder of the application.
    let folder = sheet.folder().parent();
    let shared = variables(&mut sheet, root.get("env"));
    let builder = root.get("builder");
    let mut build = process::build(
        &builder
            .and_then(|builder| text(builder, "context"))
            .and_then(|path| folder.join(path))
            .unwrap_or_else(|| folder.clone()),
        builder.and_then(|builder| text(builder, "dockerfile")),
    );
    build.target = builder.and_then(|builder| word_of(builder, "target"));
    let mut units = Vec::new();
    for (role, line, node) in roles(&root) {
        let Some(mut unit) = process::unit(&sheet, role, kind_of(role), line) else {
            continue;
        };
        unit.build = Some(build.clone());
        unit.command = node
            .and_then(|node| node.get("cmd"))
            .and_then(|node| sheet.command_of(node));
        let hosts = node.map(|node| node.get("hosts").unwrap_or(node));
        let count = hosts.map_or(0, |hosts| hosts.items().count());
        unit.replicas = u32::try_from(count).ok().filter(|count| *count > 0);
        unit.variables.clone_from(&shared);
        let own = node.and_then(|node| node.get("env"));
        unit.variables.extend(variables(&mut sheet, own));
        unit.memory = node
            .and_then(|node| node.path(&["options", "memory"]))
            .and_then(Node::text)
            .and_then(process::measure);
        if role == "web" {
            proxy(&sheet, &root, &mut unit);
        }
        for volume in root.get("volumes").into_iter().flat_map(Node::items) {
            unit.mounts.extend(mount(&sheet, volume));
        }
        units.push(unit);
    }
    for (name, line, node) in entries(&root, "accessories") {
        units.extend(accessory(&mut sheet, name, line, node));
    }
    sheet.stack("kamal", units, Vec::new());
}

/// `servers` is a list of hosts (all of them `web`), or a map of roles.
fn roles(root: &Node) -> Vec<(&str, u32, Option<&Node>)> {
    match root.get_entry("servers") {
        Some((_, node)) if node.is_map() => node
            .entries()
            .map(|(role, line, node)| (role, line, Some(node)))
            .collect(),
        Some((line, node)) => vec![("web", line, Some(node))],
        None => {
            let line = root.get_entry("service").map_or(1, |(line, _)| line);
            vec![("web", line, None)]
        }
    }
}

fn kind_of(role: &str) -> &'static str {
    match role {
        "web" => "web",
        "cron" => "scheduler",
        _ => "worker",
    }
}

/// `env` holds `clear` values and names of `secret` ones, or values alone.
fn variables(sheet: &mut Sheet<'_, '_>, env: Option<&Node>) -> Vec<UnitVariable> {
    let Some(env) = env else { return Vec::new() };
    let grouped = env.get("clear").is_some() || env.get("secret").is_some();
    let mut found = sheet.given_all(if grouped { env.get("clear") } else { Some(env) });
    for node in env.get("secret").into_iter().flat_map(Node::items) {
        // `ALIAS:NAME` takes the secret of another name.
        let Some(name) = node.text().and_then(|text| text.split(':').next()) else {
            continue;
        };
        let says = Declared {
            required: true,
            secret: true,
            ..Declared::default()
        };
        found.extend(sheet.declared(name, node.line(), VariableSource::Secret, says));
    }
    found
}

fn proxy(sheet: &Sheet<'_, '_>, root: &Node, unit: &mut Unit) {
    let Some(proxy) = root.get("proxy").or_else(|| root.get("healthcheck")) else {
        return;
    };
    let port = proxy.get_entry("app_port").or_else(|| proxy.get_entry("port"));
    unit.ports.extend(sheet.port_of(port, true));
    let check = proxy.get("healthcheck").unwrap_or(proxy);
    if let Some((line, path)) = check.get_entry("path") {
        unit.probes
            .extend(path.text().and_then(|path| sheet.probe(path, line)));
    }
    for (host, _) in ["host", "hosts"]
        .iter()
        .filter_map(|key| proxy.get(key))
        .flat_map(Node::texts)
    {
        unit.domains.extend(Host::parse(Raw::new(host)).map(Shown::from));
    }
}

/// `name:/path` or `/host:/path`.
fn mount(sheet: &Sheet<'_, '_>, node: &Node) -> Option<playbook_core::inventory::Mount> {
    let (from, target) = node.text()?.split_once(':')?;
    let target = target.split(':').next();
    let mut mount = sheet.volume(None, target, node.line());
    mount.source = judge::path(from);
    if from.starts_with(['/', '.']) {
        mount.kind = playbook_core::inventory::MountKind::Bind;
    }
    Some(mount)
}

/// A datastore or a tool beside the application.
fn accessory(sheet: &mut Sheet<'_, '_>, name: &str, line: u32, node: &Node) -> Option<Unit> {
    let mut unit = process::unit(sheet, name, "accessory", line)?;
    let (image_line, image) = node.get_entry("image")?;
    let image = image.text()?;
    sheet.image(&mut unit, image, image_line);
    unit.evidence.insert(0, sheet.at(image_line));
    unit.command = node.get("cmd").and_then(|node| sheet.command_of(node));
    let before = sheet.facts.variables.len();
    unit.variables = variables(sheet, node.get("env"));
    if compose::is_third_party(image) {
        // What somebody else's image reads is no variable of this repository.
        sheet.facts.variables.truncate(before);
    }
    let port = text(node, "port").and_then(|text| text.rsplit(':').next());
    unit.ports.extend(
        port.and_then(port_number)
            .map(|port| sheet.port(port, true, line)),
    );
    for volume in ["directories", "volumes", "files"]
        .iter()
        .filter_map(|key| node.get(key))
        .flat_map(Node::items)
    {
        unit.mounts.extend(mount(sheet, volume));
    }
    unit.replicas = number_of(node, "replicas");
    Some(unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::facts;

    const DEPLOY: &str = "//- config/deploy.yml
service: shop
image: example/shop
servers:
  web:
    - 192.0.2.1
    - 192.0.2.2
  jobs:
    hosts: [192.0.2.3]
    cmd: bin/jobs
proxy:
  host: shop.example.com
  app_port: 3000
  healthcheck:
    path: /up
env:
  clear:
    DB_HOST: shop-db
  secret:
    - RAILS_MASTER_KEY
accessories:
  db:
    image: postgres:17
    host: 192.0.2.4
    port: 127.0.0.1:5432:5432
    env:
      secret:
        - POSTGRES_PASSWORD
    directories:
      - data:/var/lib/postgresql/data
";

    #[test]
    fn roles_and_accessories() {
        let facts = facts(&DETECTOR, DEPLOY);
        let units = &facts.stacks[0].units;
        let kinds: Vec<_> = units
            .iter()
            .map(|unit| (unit.name.as_str(), unit.kind.as_str(), unit.evidence[0].line))
            .collect();
        assert_eq!(
            kinds,
            [
                ("web", "web", Some(4)),
                ("jobs", "worker", Some(7)),
                ("db", "accessory", Some(22))
            ]
        );
        assert_eq!(
            (
                units[0].ports[0].container,
                units[0].probes.len(),
                units[0].replicas
            ),
            (3000, 1, Some(2))
        );
        assert_eq!(units[2].ports[0].container, 5432);
        let build = units[0]
            .build
            .as_ref()
            .and_then(|build| build.dockerfile.as_ref());
        assert_eq!(build.map(RelPath::as_str), Some("Dockerfile"));
        let stores: Vec<_> = facts.stores.iter().map(|store| store.kind.as_str()).collect();
        assert_eq!(stores, ["postgresql"]);
        let names: Vec<_> = facts
            .variables
            .iter()
            .map(|fact| (fact.name.as_str(), fact.secret))
            .collect();
        assert_eq!(names, [("DB_HOST", false), ("RAILS_MASTER_KEY", true)]);
    }

    #[test]
    fn other_tools_have_such_a_file_too() {
        let facts = facts(&DETECTOR, "//- config/deploy.yml\nstages: [a, b]\n");
        assert!(facts.stacks.is_empty());
    }
}
