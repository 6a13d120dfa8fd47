//! Heroku's descriptions of an app: `app.json` (also read by Dokku) and `heroku.yml`. What the processes run stands in
//! the Procfile beside them.

use playbook_core::inventory::{Unit, UnitVariable, VariableGroup, VariableSource};
use playbook_core::path::RelPath;
use playbook_core::shown::Shown;

use super::process::{self, Declared, Sheet, entries, items, number_of, text, word, word_of};
use super::{Detector, judge, named};
use crate::fact::Facts;
use crate::parse::tree::Node;
use crate::parse::{json, yaml};
use crate::source::Source;

pub(crate) const DETECTOR: Detector = Detector { wants, detect };

/// Variables that set up the platform's build and are not read by the software.
const OF_THE_BUILD: [&str; 2] = ["BUILDPACK_URL", "PROCFILE_PATH"];

fn wants(path: &RelPath) -> bool {
    named(path, &["app.json", "heroku.yml"])
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    let is_json = source.path.name() == "app.json";
    let (root, problem) = if is_json {
        json::document(source.text)
    } else {
        yaml::document(source.text)
    };
    judge::problem(source, facts, problem);
    let Some(root) = root else { return };
    let mut sheet = Sheet::new(source, facts);
    if is_json {
        if is_app(&root) {
            app(&mut sheet, &root);
        }
    } else {
        manifest(&mut sheet, &root);
    }
}

/// Other tools have a file of this name too.
fn is_app(root: &Node) -> bool {
    let described = |node: &Node| {
        node.entries().any(|(_, _, value)| {
            ["required", "generator", "description"]
                .iter()
                .any(|key| value.get(key).is_some())
        })
    };
    ["formation", "addons", "buildpacks"]
        .iter()
        .any(|key| root.get(key).is_some())
        || root.path(&["scripts", "postdeploy"]).is_some()
        || root.path(&["scripts", "dokku"]).is_some()
        || root.get("env").is_some_and(described)
}

fn app(sheet: &mut Sheet<'_, '_>, root: &Node) {
    let mut variables = Vec::new();
    for (name, line, node) in entries(root, "env") {
        if !OF_THE_BUILD.contains(&name) {
            variables.extend(variable(sheet, name, line, node));
        }
    }
    let mut units = Vec::new();
    for (name, line, node) in entries(root, "formation") {
        let Some(mut unit) = process::unit(sheet, name, kind_of(name), line) else {
            continue;
        };
        unit.root = Some(sheet.folder());
        unit.replicas = number_of(node, "quantity");
        unit.plan = word_of(node, "size");
        unit.variables.clone_from(&variables);
        health_check(sheet, root, &mut unit, name);
        units.push(unit);
    }
    let mut groups = Vec::new();
    if units.is_empty() && !variables.is_empty() {
        groups.extend(group(sheet, root, "env", variables));
    }
    addons(sheet, &items(root, "addons"), &mut units);
    for task in items(root, "cron") {
        if let (Some((line, command)), Some(schedule)) = (task.get_entry("command"), text(task, "schedule")) {
            let name = command.text().unwrap_or_default();
            sheet.job(name, schedule, "heroku", line);
        }
    }
    sheet.stack("heroku", units, groups);
}

/// Dokku's health checks.
fn health_check(sheet: &Sheet<'_, '_>, root: &Node, unit: &mut Unit, process: &str) {
    let checks = root.path(&["healthchecks", process]);
    for check in checks.into_iter().flat_map(Node::items) {
        if let Some((line, path)) = check.get_entry("path") {
            unit.probes
                .extend(path.text().and_then(|path| sheet.probe(path, line)));
        }
    }
}

fn kind_of(name: &str) -> &'static str {
    match name {
        "web" => "web",
        "release" => "release",
        "clock" | "scheduler" | "beat" | "cron" => "scheduler",
        _ => "worker",
    }
}

fn group(
    sheet: &Sheet<'_, '_>,
    root: &Node,
    key: &str,
    variables: Vec<UnitVariable>,
) -> Option<VariableGroup> {
    let (line, _) = root.get_entry(key)?;
    Some(VariableGroup {
        name: Shown::from("config-vars"),
        variables,
        evidence: vec![sheet.at(line)],
    })
}

/// A variable is a value, or a description of what the deployer gives.
fn variable(sheet: &mut Sheet<'_, '_>, name: &str, line: u32, node: &Node) -> Option<UnitVariable> {
    if let Some(value) = node.text() {
        return sheet.given(name, value, line);
    }
    if let Some(value) = text(node, "value") {
        return sheet.given(name, value, line);
    }
    let generated = text(node, "generator") == Some("secret");
    let says = Declared {
        required: !generated && node.get("required").and_then(Node::boolean) != Some(false),
        provided: generated,
        secret: generated,
        description: text(node, "description"),
        reference: None,
    };
    let origin = if generated {
        VariableSource::Generated
    } else {
        VariableSource::Asked
    };
    sheet.declared(name, line, origin, says)
}

/// Add-ons: `heroku-postgresql:mini`, as text or with more about it.
fn addons(sheet: &mut Sheet<'_, '_>, list: &[&Node], units: &mut Vec<Unit>) {
    for node in list {
        let (plan, options) = match node.text() {
            Some(text) => (text, None),
            None => (text(node, "plan").unwrap_or_default(), node.get("options")),
        };
        let service = plan.split(':').next().unwrap_or_default();
        let Some(kind) = Sheet::engine("heroku_addon", service) else {
            continue;
        };
        let line = node.get_entry("plan").map_or(node.line(), |(line, _)| line);
        let version = options.and_then(|options| text(options, "version"));
        sheet.managed_store(kind, "heroku", version, line);
        let Some(mut unit) = process::unit(sheet, service, "addon", line) else {
            continue;
        };
        unit.datastore = Some(Shown::from(kind));
        unit.plan = plan.split_once(':').and_then(|(_, tier)| word(tier));
        unit.version = version.and_then(word);
        units.push(unit);
    }
}

fn manifest(sheet: &mut Sheet<'_, '_>, root: &Node) {
    let mut variables = Vec::new();
    for (name, line, node) in root
        .path(&["setup", "config"])
        .into_iter()
        .flat_map(Node::entries)
    {
        variables.extend(node.text().and_then(|value| sheet.given(name, value, line)));
    }
    let images = root.path(&["build", "docker"]);
    let mut names: Vec<(&str, u32)> = Vec::new();
    for part in images.into_iter().chain(root.get("run")) {
        for (name, line, _) in part.entries() {
            if !names.iter().any(|(known, _)| *known == name) {
                names.push((name, line));
            }
        }
    }
    let release = root
        .get("release")
        .and_then(|node| node.get("command").or(Some(node)))
        .and_then(|node| match node.items().count() {
            0 => sheet.command_of(node),
            _ => sheet.commands_of(node),
        });
    let mut units = Vec::new();
    for (name, line) in names {
        // An image of its own for the release phase is no process.
        if name == "release" {
            continue;
        }
        let Some(mut unit) = process::unit(sheet, name, kind_of(name), line) else {
            continue;
        };
        let run = root.path(&["run", name]);
        let command = run.and_then(|run| run.get("command").or(Some(run)));
        unit.command = command.and_then(|node| match node.items().count() {
            0 => sheet.command_of(node),
            _ => sheet.commands_of(node),
        });
        // `run: worker: image: web` runs the image of another process.
        let image = run.and_then(|run| text(run, "image")).unwrap_or(name);
        let folder = sheet.folder();
        match images.and_then(|images| images.get(image)) {
            Some(file) => unit.build = built(&folder, file),
            None => unit.root = Some(folder),
        }
        unit.variables.clone_from(&variables);
        if name == "web" || root.path(&["run", "web"]).is_none() && units.is_empty() {
            unit.pre_deploy.clone_from(&release);
        }
        units.push(unit);
    }
    let list: Vec<&Node> = root
        .path(&["setup", "addons"])
        .into_iter()
        .flat_map(Node::items)
        .collect();
    addons(sheet, &list, &mut units);
    sheet.stack("heroku", units, Vec::new());
}

/// The context is the folder of the Dockerfile.
fn built(folder: &RelPath, node: &Node) -> Option<playbook_core::inventory::Build> {
    let file = node.text().or_else(|| text(node, "dockerfile"))?;
    let dockerfile = folder.join(file)?;
    Some(playbook_core::inventory::Build {
        context: Some(dockerfile.parent()),
        dockerfile: Some(dockerfile),
        target: word_of(node, "target"),
        arguments: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::facts;
    use playbook_core::harmless::CommandLine;

    #[test]
    fn an_app_with_its_formation_and_addons() {
        let facts = facts(
            &DETECTOR,
            r#"//- app.json
{
  "formation": {"web": {"quantity": 2, "size": "basic"}, "emails": {"quantity": 1}},
  "addons": ["heroku-postgresql:mini", {"plan": "heroku-redis"}, "papertrail"],
  "env": {
    "LOG_LEVEL": "info",
    "SECRET_KEY": {"generator": "secret"},
    "SITE_NAME": {"description": "Name of the site"},
    "SMTP_HOST": {"required": false},
    "PROCFILE_PATH": "deploy/Procfile",
    "API_TOKEN": {"value": "b7cf1c0ad0e54c2a"}
  }
}
"#,
        );
        let units: Vec<_> = facts.stacks[0]
            .units
            .iter()
            .map(|unit| (unit.name.as_str(), unit.kind.as_str(), unit.evidence[0].line))
            .collect();
        assert_eq!(
            units,
            [
                ("web", "web", Some(2)),
                ("emails", "worker", Some(2)),
                ("heroku-postgresql", "addon", Some(3)),
                ("heroku-redis", "addon", Some(3))
            ]
        );
        assert_eq!(facts.stacks[0].units[0].replicas, Some(2));
        let stores: Vec<_> = facts
            .stores
            .iter()
            .map(|store| (store.kind.as_str(), store.managed.as_ref().map(Shown::as_str)))
            .collect();
        assert_eq!(
            stores,
            [("postgresql", Some("heroku")), ("redis", Some("heroku"))]
        );
        let variables: Vec<_> = facts
            .variables
            .iter()
            .map(|fact| (fact.name.as_str(), fact.required, fact.has_default))
            .collect();
        assert_eq!(
            variables,
            [
                ("LOG_LEVEL", false, true),
                ("SECRET_KEY", false, true),
                ("SITE_NAME", true, false),
                ("SMTP_HOST", false, false),
                ("API_TOKEN", false, true)
            ]
        );
        assert_eq!(facts.committed_secrets.len(), 1);
        assert!(!format!("{:?}", facts.stacks).contains("b7cf1c0a"));
    }

    #[test]
    fn other_files_of_this_name() {
        for text in [
            "{\"expo\": {\"name\": \"shop\"}}",
            "{\"name\": \"shop\", \"displayName\": \"Shop\"}",
        ] {
            let facts = facts(&DETECTOR, &format!("//- app.json\n{text}\n"));
            assert!(facts.stacks.is_empty() && facts.variables.is_empty(), "{text}");
        }
    }

    #[test]
    fn images_and_release() {
        let facts = facts(
            &DETECTOR,
            "//- heroku.yml
setup:
  addons:
    - plan: heroku-postgresql
build:
  docker:
    web: Dockerfile
    worker:
      dockerfile: jobs/Dockerfile
      target: run
release:
  image: web
  command:
    - bin/migrate
    - bin/check
run:
  web: bin/server
  clock:
    command:
      - bin/clock
    image: web
",
        );
        let stack = &facts.stacks[0];
        let units: Vec<_> = stack
            .units
            .iter()
            .map(|unit| {
                (
                    unit.name.as_str(),
                    unit.command.as_ref().map(CommandLine::as_str),
                    unit.build
                        .as_ref()
                        .and_then(|build| build.dockerfile.as_ref())
                        .map(RelPath::as_str),
                )
            })
            .collect();
        assert_eq!(
            units,
            [
                ("web", Some("bin/server"), Some("Dockerfile")),
                ("worker", None, Some("jobs/Dockerfile")),
                ("clock", Some("bin/clock"), Some("Dockerfile")),
                ("heroku-postgresql", None, None)
            ]
        );
        let release = stack.units[0].pre_deploy.as_ref().map(CommandLine::as_str);
        assert_eq!(release, Some("bin/migrate && bin/check"));
    }
}
