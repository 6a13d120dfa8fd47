//! Google App Engine: `app.yaml` and `cron.yaml`.

use playbook_core::inventory::Unit;
use playbook_core::path::RelPath;

use super::process::{self, Sheet, items, number_of, text, word, word_of};
use super::{Detector, judge, named};
use crate::fact::Facts;
use crate::parse::tree::Node;
use crate::parse::yaml;
use crate::source::Source;

pub(crate) const DETECTOR: Detector = Detector { wants, detect };

fn wants(path: &RelPath) -> bool {
    let name = path.name();
    named(path, &["cron.yaml", "app.yml"])
        || name.ends_with(".yaml") && name.split(['.', '-', '_']).any(|word| word == "app")
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    let cron = source.path.name() == "cron.yaml";
    let marked = source
        .text
        .lines()
        .any(|line| line.starts_with(if cron { "cron:" } else { "runtime:" }));
    if !marked {
        return;
    }
    let (root, problem) = yaml::document(source.text);
    judge::problem(source, facts, problem);
    let Some(root) = root else { return };
    let mut sheet = Sheet::new(source, facts);
    if cron {
        for node in items(&root, "cron") {
            clock(&mut sheet, node);
        }
        return;
    }
    let Some(unit) = application(&mut sheet, &root) else {
        return;
    };
    sheet.stack("app-engine", vec![unit], Vec::new());
}

/// `schedule: every 24 hours` of a request to the application.
fn clock(sheet: &mut Sheet<'_, '_>, node: &Node) {
    let (Some((line, schedule)), Some(address)) = (node.get_entry("schedule"), text(node, "url")) else {
        return;
    };
    let name = text(node, "description").filter(|text| word(text).is_some());
    let name = name.unwrap_or_else(|| address.trim_start_matches('/'));
    sheet.job(name, schedule.text().unwrap_or_default(), "app-engine", line);
}

fn application(sheet: &mut Sheet<'_, '_>, root: &Node) -> Option<Unit> {
    let (line, runtime) = root.get_entry("runtime")?;
    let service = root.get_entry("service");
    let name = service.and_then(|(_, node)| node.text()).unwrap_or("default");
    let mut unit = process::unit(sheet, name, "web", service.map_or(line, |(line, _)| line))?;
    unit.runtime = runtime.text().and_then(word);
    unit.root = Some(sheet.folder());
    unit.command = root.get("entrypoint").and_then(|node| {
        let command = node.get("shell").unwrap_or(node);
        sheet.command_of(command)
    });
    unit.variables = sheet.given_all(root.get("env_variables"));
    let build = root.get("build_env_variables");
    sheet.given_all(build);
    if let Some(from) = sheet
        .facts
        .variables
        .len()
        .checked_sub(build.map_or(0, |node| node.entries().count()))
    {
        for fact in sheet.facts.variables.iter_mut().skip(from) {
            fact.build_time = true;
        }
    }
    unit.plan = word_of(root, "instance_class");
    if runtime.text() == Some("custom") {
        let folder = sheet.folder();
        unit.build = Some(process::build(&folder, None));
    }
    unit.replicas = ["automatic_scaling", "manual_scaling", "basic_scaling"]
        .iter()
        .filter_map(|key| root.get(key))
        .find_map(|scaling| {
            ["min_instances", "instances", "min_num_instances"]
                .iter()
                .find_map(|key| number_of(scaling, key))
        });
    unit.memory = root
        .path(&["resources", "memory_gb"])
        .and_then(Node::text)
        .and_then(process::measure);
    for key in ["readiness_check", "liveness_check"] {
        let path = root.get(key).and_then(|check| check.get_entry("path"));
        if let Some((line, path)) = path {
            unit.probes
                .extend(path.text().and_then(|path| sheet.probe(path, line)));
        }
    }
    Some(unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::facts;
    use playbook_core::harmless::CommandLine;

    #[test]
    fn a_service_and_its_clock() {
        let facts = facts(
            &DETECTOR,
            "//- backend/app.yaml
runtime: python312
service: api
entrypoint: gunicorn -b :$PORT main:app
env_variables:
  LOG_LEVEL: info
automatic_scaling:
  min_instances: 2
//- cron.yaml
cron:
  - description: cleanup
    url: /tasks/cleanup
    schedule: every 24 hours
",
        );
        let unit = &facts.stacks[0].units[0];
        assert_eq!(
            (
                unit.name.as_str(),
                unit.command.as_ref().map(CommandLine::as_str),
                unit.replicas
            ),
            ("api", Some("gunicorn -b :$PORT main:app"), Some(2))
        );
        assert_eq!(unit.root.as_ref().map(RelPath::as_str), Some("backend"));
        assert_eq!(facts.jobs[0].name.as_str(), "cleanup");
    }

    #[test]
    fn other_files_of_this_name() {
        let facts = facts(
            &DETECTOR,
            "//- app.yaml\nname: shop\nservices: []\n//- cron.yaml\njobs: []\n",
        );
        assert!(facts.stacks.is_empty() && facts.jobs.is_empty());
    }
}
