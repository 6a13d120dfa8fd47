//! Task definitions of Amazon ECS, and the container lists of Elastic Beanstalk's `Dockerrun.aws.json`, which are
//! written alike.

use playbook_core::inventory::{Dependency, Unit, UnitVariable, VariableSource};
use playbook_core::path::RelPath;

use super::process::{self, Declared, Sheet, items, measure_of, port_number, text, word, word_of};
use super::{Detector, compose, ending, judge, named};
use crate::fact::Facts;
use crate::parse::json;
use crate::parse::tree::Node;
use crate::source::Source;

pub(crate) const DETECTOR: Detector = Detector { wants, detect };

fn wants(path: &RelPath) -> bool {
    if !ending(path, &["json"]) {
        return false;
    }
    let name = path.name().to_ascii_lowercase();
    named(path, &["Dockerrun.aws.json"])
        || name.contains("task")
        || name.contains("ecs")
        || path.folder_name().contains("ecs")
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    let beanstalk = source.path.name() == "Dockerrun.aws.json";
    if !beanstalk && !source.text.contains("\"containerDefinitions\"") {
        return;
    }
    let (root, problem) = json::document(source.text);
    judge::problem(source, facts, problem);
    let Some(root) = root else { return };
    // What `describe-task-definition` prints holds the definition below a key.
    let root = root.get("taskDefinition").unwrap_or(&root);
    let mut sheet = Sheet::new(source, facts);
    let mut units = Vec::new();
    for node in items(root, "containerDefinitions") {
        units.extend(container(&mut sheet, root, node));
    }
    if beanstalk && units.is_empty() {
        units.extend(single(&mut sheet, root));
    }
    let kind = if beanstalk {
        "elastic-beanstalk"
    } else {
        "ecs-task-definition"
    };
    let named = source.path.name().contains("task-definition")
        || matches!(source.path.name(), "taskdef.json" | "Dockerrun.aws.json");
    if !named && !units.is_empty() {
        sheet.infrastructure(kind);
    }
    sheet.stack(kind, units, Vec::new());
}

fn container(sheet: &mut Sheet<'_, '_>, root: &Node, node: &Node) -> Option<Unit> {
    let (line, name) = node.get_entry("name")?;
    let mut unit = process::unit(sheet, name.text()?, "container", line)?;
    let (image_line, image) = node.get_entry("image")?;
    let image = image.text()?;
    sheet.image(&mut unit, image, image_line);
    let before = sheet.facts.variables.len();
    unit.command = node.get("command").and_then(|node| sheet.command_of(node));
    unit.entrypoint = node.get("entryPoint").and_then(|node| sheet.command_of(node));
    for mapping in items(node, "portMappings") {
        unit.ports
            .extend(sheet.port_of(mapping.get_entry("containerPort"), false));
    }
    for variable in items(node, "environment") {
        if let (Some((line, name)), Some(value)) = (variable.get_entry("name"), text(variable, "value")) {
            unit.variables
                .extend(name.text().and_then(|name| sheet.given(name, value, line)));
        }
    }
    for variable in items(node, "secrets") {
        unit.variables.extend(secret(sheet, variable));
    }
    if compose::is_third_party(image) {
        sheet.facts.variables.truncate(before);
    }
    if let Some((line, check)) = node.get_entry("healthCheck") {
        let words: Vec<&str> = items(check, "command")
            .into_iter()
            .filter_map(Node::text)
            .filter(|word| !matches!(*word, "CMD" | "CMD-SHELL"))
            .collect();
        unit.probes
            .extend(sheet.probe_command(&judge::join_words(&words), line));
    }
    for dependency in items(node, "dependsOn") {
        if let Some((line, other)) = dependency.get_entry("containerName") {
            unit.depends_on
                .extend(other.text().and_then(word).map(|unit| Dependency {
                    unit,
                    condition: word_of(dependency, "condition"),
                    evidence: vec![sheet.at(line)],
                }));
        }
    }
    for mount in items(node, "mountPoints") {
        let line = mount.line();
        unit.mounts
            .push(sheet.volume(text(mount, "sourceVolume"), text(mount, "containerPath"), line));
    }
    let alone = items(root, "containerDefinitions").len() == 1;
    let of = |key: &str| measure_of(node, key).or_else(|| measure_of(root, key).filter(|_| alone));
    unit.memory = of("memory");
    unit.cpus = of("cpu")
        .filter(|cpu| *cpu != "0")
        .or_else(|| measure_of(root, "cpu").filter(|_| alone));
    unit.user = word_of(node, "user");
    unit.stop_grace = measure_of(node, "stopTimeout");
    unit.privileged = node.get("privileged").and_then(Node::boolean) == Some(true);
    unit.log_rotation = node.get("logConfiguration").is_some();
    Some(unit)
}

/// `{"name": …, "valueFrom": …}`, from a secret store.
pub(super) fn secret(sheet: &mut Sheet<'_, '_>, node: &Node) -> Option<UnitVariable> {
    let (line, name) = node.get_entry("name")?;
    let says = Declared {
        required: true,
        secret: true,
        ..Declared::default()
    };
    sheet.declared(name.text()?, line, VariableSource::Secret, says)
}

/// Version 1 of `Dockerrun.aws.json`: one image, or the Dockerfile beside it.
fn single(sheet: &mut Sheet<'_, '_>, root: &Node) -> Option<Unit> {
    let (line, _) = root.get_entry("AWSEBDockerrunVersion")?;
    let mut unit = process::unit(sheet, "web", "web", line)?;
    if let Some((line, image)) = root.get("Image").and_then(|image| image.get_entry("Name")) {
        sheet.image(&mut unit, image.text()?, line);
    } else {
        let folder = sheet.folder();
        unit.build = Some(process::build(&folder, None));
    }
    for port in items(root, "Ports") {
        if let Some((line, port)) = port.get_entry("ContainerPort") {
            let number = port.text().and_then(port_number);
            unit.ports
                .extend(number.map(|number| sheet.port(number, true, line)));
        }
    }
    unit.command = root.get("Command").and_then(|node| sheet.command_of(node));
    unit.entrypoint = root.get("Entrypoint").and_then(|node| sheet.command_of(node));
    Some(unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::facts;
    use playbook_core::harmless::CommandLine;

    #[test]
    fn containers_of_a_task() {
        let facts = facts(
            &DETECTOR,
            r#"//- .aws/task-definition.json
{"family": "shop", "cpu": "256", "memory": "512",
 "containerDefinitions": [
  {"name": "api",
   "image": "0.dkr.ecr.eu-central-1.amazonaws.com/shop-api:latest",
   "command": ["gunicorn", "shop:app"],
   "portMappings": [{"containerPort": 8000}],
   "environment": [{"name": "LOG_LEVEL", "value": "info"}],
   "secrets": [{"name": "DATABASE_URL", "valueFrom": "arn:x"}],
   "healthCheck": {"command": ["CMD-SHELL", "curl -f http://localhost:8000/healthz || exit 1"]}
  }]}
"#,
        );
        let unit = &facts.stacks[0].units[0];
        assert_eq!(
            unit.command.as_ref().map(CommandLine::as_str),
            Some("gunicorn shop:app")
        );
        assert_eq!(
            (unit.ports[0].container, unit.ports[0].evidence[0].line),
            (8000, Some(6))
        );
        assert_eq!(unit.probes[0].port, Some(8000));
        assert_eq!(
            unit.memory.as_ref().map(playbook_core::shown::Shown::as_str),
            Some("512")
        );
        let secret: Vec<_> = facts.variables.iter().map(|fact| fact.secret).collect();
        assert_eq!(secret, [false, true]);
    }

    #[test]
    fn a_single_image() {
        let told = facts(
            &DETECTOR,
            "//- Dockerrun.aws.json\n{\"AWSEBDockerrunVersion\": \"1\", \"Ports\": [{\"ContainerPort\": 5000}]}\n//- data/tasks.json\n{\"tasks\": []}\n",
        );
        assert_eq!(told.stacks.len(), 1);
        assert_eq!(told.stacks[0].units[0].ports[0].container, 5000);
        assert!(told.stacks[0].units[0].build.is_some());
    }
}
