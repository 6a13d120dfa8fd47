//! Render blueprints: services, datastores and groups of variables.

use playbook_core::evidence::{Evidence, Scope};
use playbook_core::harmless::{EnvName, Host, Name, Schedule, UrlPath, Version};
use playbook_core::inventory::{
    Build, Infrastructure, Mount, MountKind, Probe, Stack, Unit, UnitVariable, VariableGroup, VariableOrigin,
    VariableSource, VersionPin,
};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use super::dockerfile::tool_of_variable;
use super::judge::{self, Place};
use super::{Detector, named};
use crate::fact::{Facts, JobFact, StoreFact, VariableFact};
use crate::parse::tree::Node;
use crate::parse::yaml;
use crate::source::Source;

pub(crate) const DETECTOR: Detector = Detector { wants, detect };

fn wants(path: &RelPath) -> bool {
    named(path, &["render.yaml", "render.yml"])
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    let (root, problem) = yaml::document(source.text);
    judge::problem(source, facts, problem);
    let Some(root) = root else { return };
    let mut units = Vec::new();
    let mut groups = Vec::new();
    // Projects and their environments hold the same three lists.
    let projects = root.get("projects").into_iter().flat_map(Node::items);
    let environments =
        projects.flat_map(|project| project.get("environments").into_iter().flat_map(Node::items));
    for part in std::iter::once(&*root).chain(environments) {
        for node in items(part, "services") {
            units.extend(service(source, facts, node));
        }
        for node in items(part, "databases") {
            units.extend(database(source, facts, node));
        }
        for node in items(part, "envVarGroups") {
            groups.extend(group(source, facts, node));
        }
    }
    if units.is_empty() && groups.is_empty() {
        return;
    }
    facts.infrastructure.push(Infrastructure {
        kind: Shown::from("render"),
        path: source.path.clone(),
        scope: source.scope,
        evidence: vec![source.file()],
    });
    facts.stacks.push(Stack {
        groups,
        ..source.stack("render", units)
    });
}

fn items<'a>(node: &'a Node, key: &str) -> Vec<&'a Node> {
    node.get(key)
        .map(|list| list.items().collect())
        .unwrap_or_default()
}

fn name_of(node: &Node) -> Option<(Name, u32)> {
    let (line, name) = node.get_entry("name")?;
    Some((Name::parse(Raw::new(name.text()?))?, line))
}

fn text<'a>(node: &'a Node, key: &str) -> Option<&'a str> {
    node.get(key).and_then(Node::text).filter(|text| !text.is_empty())
}

fn word(node: &Node, key: &str) -> Option<Shown> {
    Name::parse(Raw::new(text(node, key)?)).map(Shown::from)
}

fn command(facts: &mut Facts, node: &Node, key: &str) -> Option<playbook_core::harmless::CommandLine> {
    let line = judge::joined_lines(text(node, key)?);
    judge::withhold_in_command(facts, &line);
    judge::command(&line)
}

fn service(source: &Source<'_>, facts: &mut Facts, node: &Node) -> Option<Unit> {
    let (name, line) = name_of(node)?;
    let kind = text(node, "type").unwrap_or("web");
    let mut unit = Unit::new(Shown::from(&name), Name::parse(Raw::new(kind))?.into());
    unit.evidence = vec![source.at(line)];
    unit.runtime = word(node, "runtime").or_else(|| word(node, "env"));
    unit.root = text(node, "rootDir").map_or_else(|| Some(RelPath::root()), RelPath::new);
    unit.build_command = command(facts, node, "buildCommand");
    unit.command = command(facts, node, "startCommand").or_else(|| command(facts, node, "dockerCommand"));
    unit.pre_deploy = command(facts, node, "preDeployCommand");
    unit.schedule = text(node, "schedule")
        .and_then(|text| Schedule::parse(Raw::new(text)))
        .map(Shown::from);
    unit.plan = word(node, "plan");
    unit.region = word(node, "region");
    unit.replicas = node
        .get("numInstances")
        .or_else(|| node.path(&["scaling", "minInstances"]))
        .and_then(Node::integer)
        .and_then(|number| u32::try_from(number).ok());
    unit.stop_grace = word(node, "maxShutdownDelaySeconds");
    if unit.runtime.as_ref().is_some_and(|runtime| *runtime == "docker") {
        unit.build = Some(build(node, unit.root.as_ref()));
    }
    if let Some(image) = node.path(&["image", "url"]).and_then(Node::text) {
        unit.image = judge::reference(image);
    }
    if let Some((path, line)) = node
        .get_entry("healthCheckPath")
        .and_then(|(line, path)| Some((path.text()?, line)))
    {
        unit.probes
            .extend(UrlPath::parse(Raw::new(path)).map(|path| Probe {
                kind: Shown::from("health"),
                command: None,
                path: Some(path.into()),
                port: None,
                interval: None,
                timeout: None,
                retries: None,
                start_period: None,
                evidence: vec![source.at(line)],
            }));
    }
    for domain in items(node, "domains") {
        unit.domains.extend(
            domain
                .text()
                .and_then(|text| Host::parse(Raw::new(text)))
                .map(Shown::from),
        );
    }
    if let Some((line, disk)) = node.get_entry("disk") {
        unit.mounts.push(Mount {
            kind: MountKind::Volume,
            source: word(disk, "name"),
            target: text(disk, "mountPath").and_then(judge::path),
            read_only: false,
            size_gb: size(disk, "sizeGB"),
            evidence: vec![source.at(line)],
        });
    }
    for variable in items(node, "envVars") {
        match variable.get_entry("fromGroup") {
            Some((line, group)) => {
                // A whole group; which variables it holds stands in `groups`.
                if let Some(name) = group.text().and_then(|text| Name::parse(Raw::new(text))) {
                    unit.variables.push(UnitVariable {
                        name: Shown::from("*"),
                        source: VariableSource::Group,
                        value: None,
                        reference: Some(name.into()),
                        evidence: vec![source.at(line)],
                    });
                }
            }
            None => unit.variables.extend(variable_of(source, facts, variable)),
        }
    }
    if matches!(kind, "redis" | "keyvalue") {
        unit.datastore = Some(Shown::from("redis"));
        facts
            .stores
            .push(store("redis", None, source.scope, source.at(line)));
    }
    if kind == "cron" {
        facts.jobs.push(JobFact {
            name,
            schedule: text(node, "schedule").and_then(|text| Schedule::parse(Raw::new(text))),
            runner: Shown::from("render"),
            scope: source.scope,
            evidence: node
                .get("schedule")
                .map_or_else(|| source.at(line), |node| source.at(node.line())),
        });
    }
    Some(unit)
}

fn size(node: &Node, key: &str) -> Option<u32> {
    node.get(key)
        .and_then(Node::integer)
        .and_then(|size| u32::try_from(size).ok())
}

/// The image build. Paths count from the root of the repository, or from `rootDir` where there is one.
fn build(node: &Node, root: Option<&RelPath>) -> Build {
    let root = root.cloned().unwrap_or_else(RelPath::root);
    let at = |key: &str, usual: &str| root.join(text(node, key).unwrap_or(usual));
    Build {
        context: at("dockerContext", "."),
        dockerfile: at("dockerfilePath", "Dockerfile"),
        target: None,
        arguments: Vec::new(),
    }
}

fn store(kind: &'static str, version: Option<Version>, scope: Scope, evidence: Evidence) -> StoreFact {
    StoreFact {
        kind: Shown::from(kind),
        dir: None,
        version,
        role: None,
        managed: Some(Shown::from("render")),
        driver: None,
        variable: None,
        name: None,
        extension: None,
        strong: true,
        scope,
        evidence,
    }
}

fn database(source: &Source<'_>, facts: &mut Facts, node: &Node) -> Option<Unit> {
    let (name, line) = name_of(node)?;
    let mut unit = Unit::new(name.into(), Shown::from("database"));
    unit.datastore = Some(Shown::from("postgresql"));
    unit.evidence = vec![source.at(line)];
    unit.plan = word(node, "plan");
    unit.region = word(node, "region");
    let version = text(node, "postgresMajorVersion").and_then(|text| Version::parse(Raw::new(text)));
    unit.version = version.clone().map(Shown::from);
    if let Some((line, _)) = node.get_entry("diskSizeGB") {
        unit.mounts.push(Mount {
            kind: MountKind::Volume,
            source: None,
            target: None,
            read_only: false,
            size_gb: size(node, "diskSizeGB"),
            evidence: vec![source.at(line)],
        });
    }
    let mut fact = store("postgresql", version, source.scope, source.at(line));
    fact.name = text(node, "databaseName").and_then(|text| Name::parse(Raw::new(text)));
    facts.stores.push(fact);
    Some(unit)
}

fn group(source: &Source<'_>, facts: &mut Facts, node: &Node) -> Option<VariableGroup> {
    let (name, line) = name_of(node)?;
    let variables = items(node, "envVars")
        .into_iter()
        .filter_map(|variable| variable_of(source, facts, variable))
        .collect();
    Some(VariableGroup {
        name: name.into(),
        variables,
        evidence: vec![source.at(line)],
    })
}

/// One entry of `envVars`.
fn variable_of(source: &Source<'_>, facts: &mut Facts, node: &Node) -> Option<UnitVariable> {
    let (line, key) = node.get_entry("key")?;
    let key = key.text()?;
    let name = EnvName::parse(Raw::new(key))?;
    let place = Place::new(line, source.scope);
    let mut fact = VariableFact::new(name.clone(), VariableOrigin::Stack, source.scope, source.at(line));
    let reference = |from: &Node| word(from, "name");
    let (origin, value, reference) = if let Some(value) = text(node, "value") {
        let judged = judge::literal(source, facts, key, value, place);
        fact.has_default = true;
        fact.placeholder = judged.placeholder;
        fact.default.clone_from(&judged.shown);
        pin(source, facts, key, value, line);
        facts
            .stores
            .extend(judge::store_of_address(key, value, source.scope, source.at(line)));
        let shown = judged.shown.map(Shown::from);
        let origin = if shown.is_some() {
            VariableSource::Literal
        } else {
            VariableSource::Withheld
        };
        (origin, shown, None)
    } else if node.get("generateValue").and_then(Node::boolean) == Some(true) {
        fact.has_default = true;
        (VariableSource::Generated, None, None)
    } else if node.get("sync").and_then(Node::boolean) == Some(false) {
        // Render asks for it once, when the blueprint is applied.
        fact.required = true;
        (VariableSource::Asked, None, None)
    } else if let Some(from) = node.get("fromDatabase") {
        fact.has_default = true;
        (VariableSource::Datastore, None, reference(from))
    } else if let Some(from) = node.get("fromService") {
        fact.has_default = true;
        let kind = text(from, "type").unwrap_or_default();
        let origin = if matches!(kind, "redis" | "keyvalue") {
            VariableSource::Datastore
        } else {
            VariableSource::Service
        };
        (origin, None, reference(from))
    } else {
        (VariableSource::Asked, None, None)
    };
    facts.variables.push(fact);
    Some(UnitVariable {
        name: name.into(),
        source: origin,
        value,
        reference,
        evidence: vec![source.at(line)],
    })
}

/// `PYTHON_VERSION` and the like fix the runtime of the build.
fn pin(source: &Source<'_>, facts: &mut Facts, key: &str, value: &str, line: u32) {
    if let (Some(tool), Some(version)) = (tool_of_variable(key), Version::parse(Raw::new(value))) {
        facts.version_pins.push(VersionPin {
            tool: Shown::from(tool),
            version: version.into(),
            path: source.path.parent(),
            scope: source.scope,
            evidence: vec![source.at(line)],
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::facts;

    const BLUEPRINT: &str = "//- render.yaml
services:
  - type: web
    name: api
    runtime: python
    rootDir: backend
    plan: starter
    buildCommand: pip install -r requirements.txt
    startCommand: uvicorn app.main:app --host 0.0.0.0 --port $PORT
    preDeployCommand: alembic upgrade head
    healthCheckPath: /health
    numInstances: 2
    domains: [api.example.com]
    envVars:
      - key: PYTHON_VERSION
        value: 3.12.4
      - key: SECRET_KEY
        generateValue: true
      - key: STRIPE_KEY
        sync: false
      - key: DATABASE_URL
        fromDatabase: {name: db, property: connectionString}
      - key: TOKEN_SECRET
        value: hunter2hunter2
      - fromGroup: shared
  - type: cron
    name: nightly
    runtime: docker
    dockerfilePath: ./jobs/Dockerfile
    schedule: '0 3 * * *'
  - type: keyvalue
    name: cache
databases:
  - name: db
    plan: basic-256mb
    postgresMajorVersion: '16'
    databaseName: shop
envVarGroups:
  - name: shared
    envVars:
      - key: LOG_LEVEL
        value: info
";

    #[test]
    fn units_of_a_blueprint() {
        let facts = facts(&DETECTOR, BLUEPRINT);
        let units = &facts.stacks[0].units;
        let kinds: Vec<_> = units
            .iter()
            .map(|unit| (unit.name.as_str(), unit.kind.as_str()))
            .collect();
        assert_eq!(
            kinds,
            [
                ("api", "web"),
                ("nightly", "cron"),
                ("cache", "keyvalue"),
                ("db", "database")
            ]
        );
        let api = &units[0];
        assert_eq!(api.root.as_ref().map(RelPath::as_str), Some("backend"));
        assert_eq!(
            api.pre_deploy
                .as_ref()
                .map(playbook_core::harmless::CommandLine::as_str),
            Some("alembic upgrade head")
        );
        assert_eq!(
            (api.replicas, api.domains.len(), api.probes.len()),
            (Some(2), 1, 1)
        );
        let sources: Vec<_> = api.variables.iter().map(|variable| variable.source).collect();
        assert_eq!(
            sources,
            [
                VariableSource::Literal,
                VariableSource::Generated,
                VariableSource::Asked,
                VariableSource::Datastore,
                VariableSource::Withheld,
                VariableSource::Group
            ]
        );
        assert_eq!(
            units[1]
                .build
                .as_ref()
                .and_then(|build| build.dockerfile.as_ref())
                .map(RelPath::as_str),
            Some("jobs/Dockerfile")
        );
        assert_eq!(facts.jobs.len(), 1);
        assert_eq!(facts.stacks[0].groups[0].variables.len(), 1);
    }

    #[test]
    fn stores_pins_and_secrets() {
        let facts = facts(&DETECTOR, BLUEPRINT);
        let stores: Vec<_> = facts
            .stores
            .iter()
            .map(|store| (store.kind.as_str(), store.version.as_ref().map(Version::as_str)))
            .collect();
        assert_eq!(stores, [("redis", None), ("postgresql", Some("16"))]);
        assert_eq!(facts.version_pins[0].version, "3.12.4");
        assert_eq!(facts.committed_secrets.len(), 1);
        assert!(!format!("{:?}", facts.stacks).contains("hunter2"));
        let asked = facts
            .variables
            .iter()
            .find(|fact| fact.name.as_str() == "STRIPE_KEY");
        assert!(asked.is_some_and(|fact| fact.required));
    }
}
