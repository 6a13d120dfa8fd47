//! AWS's platforms that build from source: Copilot (`copilot/NAME/manifest.yml`), App Runner (`apprunner.yaml`) and
//! Elastic Beanstalk (`.ebextensions/*.config`).

use playbook_core::inventory::{Unit, UnitVariable, VariableSource};
use playbook_core::path::RelPath;

use super::process::{self, Declared, Sheet, entries, items, measure_of, number_of, text, word_of};
use super::{Detector, ecs, ending, judge, named};
use crate::fact::{Facts, ShellScript};
use crate::parse::tree::Node;
use crate::parse::yaml;
use crate::source::Source;

pub(crate) const DETECTOR: Detector = Detector { wants, detect };

enum Kind {
    Copilot,
    AppRunner,
    Beanstalk,
}

fn kind(path: &RelPath) -> Option<Kind> {
    if named(path, &["apprunner.yaml", "apprunner.yml"]) {
        Some(Kind::AppRunner)
    } else if path.folder_name() == ".ebextensions" && ending(path, &["config"]) {
        Some(Kind::Beanstalk)
    } else if named(path, &["manifest.yml", "manifest.yaml"]) && path.parent().parent().name() == "copilot" {
        Some(Kind::Copilot)
    } else {
        None
    }
}

fn wants(path: &RelPath) -> bool {
    kind(path).is_some()
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    let Some(kind) = kind(source.path) else { return };
    let (root, problem) = yaml::document(source.text);
    judge::problem(source, facts, problem);
    let Some(root) = root else { return };
    let mut sheet = Sheet::new(source, facts);
    match kind {
        Kind::Copilot => {
            let units = copilot(&mut sheet, &root).into_iter().collect();
            sheet.stack("copilot", units, Vec::new());
        }
        Kind::AppRunner => {
            let units: Vec<Unit> = app_runner(&mut sheet, &root).into_iter().collect();
            if !units.is_empty() {
                sheet.infrastructure("app-runner");
            }
            sheet.stack("app-runner", units, Vec::new());
        }
        Kind::Beanstalk => extension(&mut sheet, &root),
    }
}

fn copilot(sheet: &mut Sheet<'_, '_>, root: &Node) -> Option<Unit> {
    let (line, name) = root.get_entry("name")?;
    let kind = match text(root, "type")? {
        "Load Balanced Web Service" | "Request-Driven Web Service" => "web",
        "Backend Service" => "service",
        "Worker Service" => "worker",
        "Scheduled Job" => "job",
        "Static Site" => "static",
        // `Environment` and the like describe no process.
        _ => return None,
    };
    let mut unit = process::unit(sheet, name.text()?, kind, line)?;
    // Paths count from the folder that holds `copilot`.
    let folder = sheet.folder().parent().parent();
    if let Some(image) = root.get("image") {
        if let Some(build) = image.get("build") {
            let file = build.text().or_else(|| text(build, "dockerfile"));
            let dockerfile = folder.join(file.unwrap_or("Dockerfile"));
            let context = match text(build, "context") {
                Some(context) => folder.join(context),
                None => dockerfile.as_ref().map(RelPath::parent),
            };
            unit.build = Some(playbook_core::inventory::Build {
                context,
                dockerfile,
                target: word_of(build, "target"),
                arguments: Vec::new(),
            });
        } else if let Some((line, location)) = image.get_entry("location") {
            sheet.image(&mut unit, location.text()?, line);
        }
        unit.ports
            .extend(sheet.port_of(image.get_entry("port"), kind == "web"));
    }
    if let Some(check) = root.path(&["http", "healthcheck"]) {
        let path = check.get("path").unwrap_or(check);
        unit.probes
            .extend(path.text().and_then(|text| sheet.probe(text, path.line())));
    }
    unit.command = root.get("command").and_then(|node| sheet.command_of(node));
    unit.entrypoint = root.get("entrypoint").and_then(|node| sheet.command_of(node));
    unit.memory = measure_of(root, "memory");
    unit.cpus = measure_of(root, "cpu");
    unit.replicas = number_of(root, "count").or_else(|| {
        let range = root.path(&["count", "range"])?;
        let from = range.get("min").unwrap_or(range).text()?;
        from.split('-').next()?.trim().parse().ok()
    });
    unit.variables = sheet.given_all(root.get("variables"));
    unit.variables.extend(secrets(sheet, root));
    if let Some((line, when)) = root.get("on").and_then(|on| on.get_entry("schedule")) {
        let when = when.text()?;
        unit.schedule = process::schedule(when);
        sheet.job(name.text()?, when, "copilot", line);
    }
    for (name, line, volume) in root
        .path(&["storage", "volumes"])
        .into_iter()
        .flat_map(Node::entries)
    {
        unit.mounts
            .push(sheet.volume(Some(name), text(volume, "path"), line));
    }
    Some(unit)
}

/// Names of variables whose values are references to a secret store.
fn secrets(sheet: &mut Sheet<'_, '_>, root: &Node) -> Vec<UnitVariable> {
    let says = Declared {
        required: true,
        secret: true,
        ..Declared::default()
    };
    entries(root, "secrets")
        .into_iter()
        .filter_map(|(name, line, _)| sheet.declared(name, line, VariableSource::Secret, says))
        .collect()
}

fn app_runner(sheet: &mut Sheet<'_, '_>, root: &Node) -> Option<Unit> {
    let run = root.get("run")?;
    let (line, command) = run.get_entry("command")?;
    let mut unit = process::unit(sheet, "web", "web", line)?;
    unit.root = Some(sheet.folder());
    unit.command = sheet.command_of(command);
    unit.runtime = word_of(root, "runtime");
    unit.build_command = root
        .path(&["build", "commands", "build"])
        .and_then(|node| sheet.commands_of(node));
    unit.pre_deploy = run.get("pre-run").and_then(|node| sheet.commands_of(node));
    let port = run.get("network").and_then(|network| network.get_entry("port"));
    unit.ports.extend(sheet.port_of(port, true));
    for variable in items(run, "env") {
        if let (Some((line, name)), Some(value)) = (variable.get_entry("name"), text(variable, "value")) {
            unit.variables
                .extend(name.text().and_then(|name| sheet.given(name, value, line)));
        }
    }
    for variable in items(run, "secrets") {
        unit.variables.extend(ecs::secret(sheet, variable));
    }
    Some(unit)
}

/// Settings of the environment, and commands that run before a version goes live.
fn extension(sheet: &mut Sheet<'_, '_>, root: &Node) {
    const NAMESPACE: &str = "aws:elasticbeanstalk:application:environment";
    let options = root.get("option_settings");
    sheet.given_all(options.and_then(|options| options.get(NAMESPACE)));
    for option in options.into_iter().flat_map(Node::items) {
        let own = text(option, "namespace").is_none_or(|namespace| namespace == NAMESPACE);
        if let (true, Some((line, name)), Some(value)) =
            (own, option.get_entry("option_name"), text(option, "value"))
        {
            name.text().and_then(|name| sheet.given(name, value, line));
        }
    }
    let mut commands = Vec::new();
    for (_, _, step) in entries(root, "container_commands") {
        if let Some((line, command)) = step.get_entry("command") {
            commands.extend(sheet.command_of(command).map(|command| (command, line)));
        }
    }
    if !commands.is_empty() {
        sheet.facts.shell_scripts.push(ShellScript {
            path: sheet.source.path.clone(),
            commands,
            arms: Vec::new(),
            runs_arguments: false,
            scope: sheet.scope,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::facts;
    use playbook_core::harmless::CommandLine;

    #[test]
    fn manifests_of_copilot() {
        let facts = facts(
            &DETECTOR,
            "//- copilot/api/manifest.yml
name: api
type: Load Balanced Web Service
image:
  build: api/Dockerfile
  port: 8080
http:
  path: '/'
  healthcheck: '/healthz'
count:
  range: 2-10
variables:
  LOG_LEVEL: info
secrets:
  DB_SECRET: DB_SECRET
//- copilot/report/manifest.yml
name: report
type: Scheduled Job
on:
  schedule: '@daily'
image:
  build: {dockerfile: report/Dockerfile, context: .}
//- copilot/environments/prod/manifest.yml
name: prod
type: Environment
",
        );
        let units: Vec<_> = facts
            .stacks
            .iter()
            .flat_map(|stack| &stack.units)
            .map(|unit| {
                (
                    unit.name.as_str(),
                    unit.kind.as_str(),
                    unit.build
                        .as_ref()
                        .and_then(|build| build.dockerfile.as_ref())
                        .map(RelPath::as_str),
                    unit.replicas,
                )
            })
            .collect();
        assert_eq!(
            units,
            [
                ("api", "web", Some("api/Dockerfile"), Some(2)),
                ("report", "job", Some("report/Dockerfile"), None)
            ]
        );
        assert_eq!(facts.stacks[0].units[0].ports[0].container, 8080);
        assert_eq!(facts.jobs[0].name.as_str(), "report");
    }

    #[test]
    fn app_runner_and_beanstalk() {
        let facts = facts(
            &DETECTOR,
            "//- apprunner.yaml
version: 1.0
runtime: python311
build:
  commands:
    build: [pip install -r requirements.txt]
run:
  command: gunicorn shop:app
  network: {port: 8080}
  env:
    - {name: LOG_LEVEL, value: info}
//- .ebextensions/01.config
option_settings:
  aws:elasticbeanstalk:application:environment:
    DJANGO_SETTINGS_MODULE: shop.settings
  aws:autoscaling:asg:
    MinSize: 1
container_commands:
  01_migrate:
    command: python manage.py migrate
    leader_only: true
",
        );
        assert_eq!(facts.stacks.len(), 1);
        assert_eq!(facts.stacks[0].units[0].ports[0].container, 8080);
        let names: Vec<_> = facts.variables.iter().map(|fact| fact.name.as_str()).collect();
        assert_eq!(names, ["LOG_LEVEL", "DJANGO_SETTINGS_MODULE"]);
        let commands: Vec<_> = facts.shell_scripts[0]
            .commands
            .iter()
            .map(|(command, line)| (CommandLine::as_str(command), *line))
            .collect();
        assert_eq!(commands, [("python manage.py migrate", 8)]);
    }
}
