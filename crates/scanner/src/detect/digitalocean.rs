//! DigitalOcean App Platform: `.do/app.yaml` and the template of a deploy button.

use playbook_core::harmless::{Host, Name};
use playbook_core::inventory::{Unit, UnitVariable, VariableSource};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use super::process::{self, Declared, Sheet, items, number_of, text, word_of};
use super::{Detector, ending, judge, named};
use crate::fact::Facts;
use crate::parse::tree::Node;
use crate::parse::yaml;
use crate::source::Source;

pub(crate) const DETECTOR: Detector = Detector { wants, detect };

fn wants(path: &RelPath) -> bool {
    path.folder_name() == ".do" && ending(path, &["yaml", "yml"])
        || named(path, &["spec.yaml", "spec.yml", "app.yaml", "app.yml"])
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    let known = source.text.contains("instance_size_slug:") || source.path.parent().name() == ".do";
    if !known {
        return;
    }
    let (root, problem) = yaml::document(source.text);
    judge::problem(source, facts, problem);
    let Some(root) = root else { return };
    // A deploy template holds the specification under `spec`.
    let spec = root.get("spec").unwrap_or(&root);
    let mut sheet = Sheet::new(source, facts);
    let shared = variables(&mut sheet, spec);
    let mut units = Vec::new();
    for (list, kind) in [
        ("services", "web"),
        ("workers", "worker"),
        ("jobs", "job"),
        ("static_sites", "static"),
        ("functions", "function"),
    ] {
        for node in items(spec, list) {
            let Some(mut unit) = component(&mut sheet, node, kind, spec) else {
                continue;
            };
            let own = variables(&mut sheet, node);
            let inherited = shared
                .iter()
                .filter(|variable| own.iter().all(|known| known.name != variable.name));
            unit.variables = inherited.cloned().collect();
            unit.variables.extend(own);
            units.push(unit);
        }
    }
    for node in items(spec, "databases") {
        units.extend(database(&mut sheet, node));
    }
    sheet.stack("digitalocean-app", units, Vec::new());
}

fn component(sheet: &mut Sheet<'_, '_>, node: &Node, kind: &'static str, spec: &Node) -> Option<Unit> {
    let (line, name) = node.get_entry("name")?;
    let mut unit = process::unit(sheet, name.text()?, kind, line)?;
    // Paths count from the root of the repository.
    let folder = text(node, "source_dir")
        .map(|path| path.trim_start_matches('/'))
        .filter(|path| !path.is_empty())
        .map_or_else(|| Some(RelPath::root()), RelPath::new);
    if let Some(file) = text(node, "dockerfile_path") {
        let dockerfile = RelPath::new(file.trim_start_matches('/'));
        unit.build = Some(playbook_core::inventory::Build {
            context: folder.clone(),
            dockerfile,
            target: None,
            arguments: Vec::new(),
        });
    }
    if let Some((line, image)) = node.get_entry("image") {
        let name = text(image, "repository").map(|repository| {
            let registry = text(image, "registry").map_or_else(String::new, |name| format!("{name}/"));
            let tag = text(image, "tag").map_or_else(String::new, |tag| format!(":{tag}"));
            format!("{registry}{repository}{tag}")
        });
        if let Some(name) = name {
            sheet.image(&mut unit, &name, line);
        }
    } else if unit.build.is_none() {
        unit.root = folder;
    }
    unit.runtime = word_of(node, "environment_slug");
    unit.command = node.get("run_command").and_then(|node| sheet.command_of(node));
    unit.build_command = node.get("build_command").and_then(|node| sheet.command_of(node));
    unit.ports
        .extend(sheet.port_of(node.get_entry("http_port"), true));
    for internal in items(node, "internal_ports") {
        unit.ports
            .extend(sheet.port_of(Some((internal.line(), internal)), false));
    }
    unit.replicas = number_of(node, "instance_count").or_else(|| {
        node.get("autoscaling")
            .and_then(|scaling| number_of(scaling, "min_instance_count"))
    });
    unit.plan = word_of(node, "instance_size_slug");
    unit.region = word_of(spec, "region");
    if let Some((line, path)) = node
        .get("health_check")
        .and_then(|check| check.get_entry("http_path"))
    {
        unit.probes
            .extend(path.text().and_then(|path| sheet.probe(path, line)));
    }
    for domain in items(spec, "domains") {
        let host = text(domain, "domain").and_then(|text| Host::parse(Raw::new(text)));
        unit.domains
            .extend(host.map(Shown::from).filter(|_| kind == "web"));
    }
    if kind == "job" {
        // Jobs run before or after a deployment, or by the clock.
        match text(node, "kind") {
            Some("PRE_DEPLOY") => unit.pre_deploy.clone_from(&unit.command),
            Some("SCHEDULED") => {
                if let Some(when) = node
                    .path(&["schedule", "cron"])
                    .or_else(|| node.get("schedule"))
                    .and_then(Node::text)
                {
                    unit.schedule = process::schedule(when);
                    sheet.job(name.text()?, when, "digitalocean-app", line);
                }
            }
            _ => {}
        }
    }
    Some(unit)
}

fn variables(sheet: &mut Sheet<'_, '_>, node: &Node) -> Vec<UnitVariable> {
    let mut found = Vec::new();
    for variable in items(node, "envs") {
        let Some((line, key)) = variable.get_entry("key") else {
            continue;
        };
        let Some(key) = key.text() else { continue };
        let secret = text(variable, "type") == Some("SECRET");
        found.extend(match text(variable, "value") {
            // `${db.DATABASE_URL}` comes from another component; `EV[…]` is encrypted.
            Some(value) if value.starts_with("${") => {
                let owner = value
                    .trim_start_matches("${")
                    .split(['.', '}'])
                    .next()
                    .filter(|_| value.contains('.'));
                let says = Declared {
                    provided: true,
                    secret,
                    reference: owner,
                    ..Declared::default()
                };
                sheet.declared(key, line, VariableSource::Service, says)
            }
            Some(value) if !secret && !value.starts_with("EV[") => sheet.given(key, value, line),
            value => {
                let says = Declared {
                    required: value.is_none(),
                    provided: value.is_some(),
                    secret,
                    ..Declared::default()
                };
                if let Some(value) = value {
                    sheet.facts.withheld.add(Raw::new(value));
                }
                let origin = if secret {
                    VariableSource::Secret
                } else {
                    VariableSource::Asked
                };
                sheet.declared(key, line, origin, says)
            }
        });
    }
    found
}

fn database(sheet: &mut Sheet<'_, '_>, node: &Node) -> Option<Unit> {
    let (line, name) = node.get_entry("name")?;
    // A database for development is PostgreSQL when nothing else is said.
    let engine = text(node, "engine").unwrap_or("PG");
    let kind = Sheet::engine("digitalocean_database_cluster", engine)?;
    let version = text(node, "version");
    sheet.managed_store(kind, "digitalocean", version, line);
    if let (Some(fact), Some(name)) = (sheet.facts.stores.last_mut(), text(node, "db_name")) {
        fact.name = Name::parse(Raw::new(name));
    }
    let mut unit = process::unit(sheet, name.text()?, "database", line)?;
    unit.datastore = Some(Shown::from(kind));
    unit.version = version.and_then(process::word);
    unit.plan = word_of(node, "size");
    Some(unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::facts;

    #[test]
    fn components_of_an_app() {
        let facts = facts(
            &DETECTOR,
            "//- .do/app.yaml
name: shop
region: fra
services:
  - name: api
    source_dir: backend
    dockerfile_path: backend/Dockerfile
    http_port: 8080
    instance_count: 2
    health_check: {http_path: /healthz}
    envs:
      - {key: DATABASE_URL, value: '${db.DATABASE_URL}'}
      - {key: API_KEY, type: SECRET}
      - {key: LOG_LEVEL, value: info}
jobs:
  - name: migrate
    kind: PRE_DEPLOY
    source_dir: backend
    run_command: alembic upgrade head
databases:
  - {name: db, engine: PG, version: '16'}
",
        );
        let units: Vec<_> = facts.stacks[0]
            .units
            .iter()
            .map(|unit| {
                (
                    unit.name.as_str(),
                    unit.kind.as_str(),
                    unit.ports.len(),
                    unit.variables.len(),
                )
            })
            .collect();
        assert_eq!(
            units,
            [
                ("api", "web", 1, 3),
                ("migrate", "job", 0, 0),
                ("db", "database", 0, 0)
            ]
        );
        assert!(facts.stacks[0].units[1].pre_deploy.is_some());
        assert_eq!(
            facts.stores[0]
                .version
                .as_ref()
                .map(ToString::to_string)
                .as_deref(),
            Some("16")
        );
        let asked: Vec<_> = facts
            .variables
            .iter()
            .filter(|fact| fact.required)
            .map(|fact| fact.name.as_str())
            .collect();
        assert_eq!(asked, ["API_KEY"]);
    }

    #[test]
    fn other_files_of_these_names() {
        let facts = facts(
            &DETECTOR,
            "//- api/spec.yaml\nopenapi: 3.0.0\nservices: [{name: x}]\n",
        );
        assert!(facts.stacks.is_empty());
    }
}
