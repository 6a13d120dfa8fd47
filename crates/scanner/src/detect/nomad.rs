//! Nomad jobs: one unit for each task.

use std::collections::BTreeMap;

use playbook_core::inventory::{PublishedPort, Unit};
use playbook_core::path::RelPath;
use playbook_core::shown::Shown;

use super::process::{self, Declared, Sheet, measure, port_number, schedule, word};
use super::{Detector, compose, judge};
use crate::fact::Facts;
use crate::parse::hcl::{self, Block, Body, Value};
use crate::source::Source;

pub(crate) const DETECTOR: Detector = Detector { wants, detect };

fn wants(path: &RelPath) -> bool {
    let name = path.name();
    name.ends_with(".nomad")
        || name.ends_with(".nomad.hcl")
        || name.ends_with(".hcl") && !name.starts_with('.')
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    if !(source.text.contains("job \"") && source.text.contains("task \"")) {
        return;
    }
    let (root, problem) = hcl::body(source.text);
    judge::problem(source, facts, problem);
    let defaults = Defaults::of(&root);
    let mut sheet = Sheet::new(source, facts);
    let mut units = Vec::new();
    for job in root.blocks("job") {
        for group in job.body.blocks("group") {
            let ports = ports(&sheet, group, &defaults);
            for task in group.body.blocks("task") {
                units.extend(self::task(&mut sheet, job, group, task, &ports, &defaults));
            }
        }
    }
    if !units.is_empty() && !source.path.name().contains(".nomad") {
        sheet.infrastructure("nomad");
    }
    sheet.stack("nomad", units, Vec::new());
}

/// The defaults of the file's own variables.
struct Defaults(BTreeMap<String, String>);

impl Defaults {
    fn of(root: &Body) -> Self {
        let known = root.blocks("variable").filter_map(|block| {
            let value = block.body.get("default")?.text()?;
            Some((block.label(0)?.to_owned(), value.to_owned()))
        });
        Self(known.collect())
    }

    /// The text of a value with the defaults of variables in place of them; nothing when something else is needed.
    fn text(&self, value: &Value) -> Option<String> {
        match value {
            Value::Reference(name) => self.0.get(name.strip_prefix("var.")?).cloned(),
            Value::Template(text) => {
                let mut out = String::with_capacity(text.len());
                let mut rest = text.as_str();
                while let Some((before, after)) = rest.split_once("${") {
                    out.push_str(before);
                    let (name, after) = after.split_once('}')?;
                    if let Some(value) = name.strip_prefix("var.").and_then(|name| self.0.get(name)) {
                        out.push_str(value);
                    } else {
                        out.push_str("${");
                        out.push_str(name);
                        out.push('}');
                    }
                    rest = after;
                }
                out.push_str(rest);
                Some(out)
            }
            other => other.text().map(str::to_owned),
        }
    }

    fn of_body(&self, body: &Body, key: &str) -> Option<String> {
        self.text(body.get(key)?)
    }
}

/// The group's ports by label: in the container, whether the host's number is fixed, the line.
fn ports(sheet: &Sheet<'_, '_>, group: &Block, defaults: &Defaults) -> BTreeMap<String, PublishedPort> {
    let mut found = BTreeMap::new();
    for port in group
        .body
        .blocks("network")
        .flat_map(|network| network.body.blocks("port"))
    {
        let number = |key: &str| {
            defaults
                .of_body(&port.body, key)
                .and_then(|text| port_number(&text))
        };
        let host = number("static");
        if let (Some(label), Some(container)) = (port.label(0), number("to").or(host)) {
            let mut port = sheet.port(container, host.is_some(), port.line);
            port.host = host;
            found.insert(label.to_owned(), port);
        }
    }
    found
}

fn task(
    sheet: &mut Sheet<'_, '_>,
    job: &Block,
    group: &Block,
    task: &Block,
    ports: &BTreeMap<String, PublishedPort>,
    defaults: &Defaults,
) -> Option<Unit> {
    let batch = defaults
        .of_body(&job.body, "type")
        .is_some_and(|kind| kind.ends_with("batch"));
    // A task with a hook runs before, after or beside the main one.
    let hook = task
        .body
        .block("lifecycle")
        .filter(|hook| hook.body.get("sidecar").and_then(Value::boolean) != Some(true));
    let kind = if batch || hook.is_some() { "job" } else { "task" };
    let mut unit = process::unit(sheet, task.label(0)?, kind, task.line)?;
    let text = |body: &Body, key: &str| defaults.of_body(body, key);
    let driver = text(&task.body, "driver").unwrap_or_default();
    unit.runtime = word(&driver);
    let config = task.body.block("config").map(|config| &config.body);
    let mut own = true;
    if let Some(config) = config {
        if let Some(image) = config.attribute("image") {
            if let Some(name) = defaults.text(&image.value) {
                sheet.image(&mut unit, &name, image.line);
                own = !compose::is_third_party(&name);
            }
            unit.evidence.insert(0, sheet.at(image.line));
        }
        let words: Vec<String> = config
            .get("command")
            .into_iter()
            .chain(config.get("args").into_iter().flat_map(Value::items))
            .filter_map(|value| defaults.text(value))
            .collect();
        unit.command = sheet.command(&judge::join_words(&words));
        if let Some(entrypoint) = config.get("entrypoint") {
            let words: Vec<String> = entrypoint
                .items()
                .iter()
                .filter_map(|value| defaults.text(value))
                .collect();
            unit.entrypoint = sheet.command(&judge::join_words(&words));
        }
        let labels = config.get("ports").map(Value::items).unwrap_or_default();
        for label in labels.iter().filter_map(Value::text) {
            unit.ports.extend(ports.get(label).cloned());
        }
        unit.privileged = config.get("privileged").and_then(Value::boolean) == Some(true);
    }
    let is_only = group.body.blocks("task").count() == 1;
    if unit.ports.is_empty() && is_only {
        unit.ports = ports.values().cloned().collect();
    }
    for variable in task.body.blocks("env").flat_map(|env| &env.body.attributes) {
        let value = variable.value.text();
        let told = match value {
            Some(value) => sheet.given(&variable.name, value, variable.line),
            None => sheet.declared(
                &variable.name,
                variable.line,
                playbook_core::inventory::VariableSource::Composed,
                Declared {
                    provided: true,
                    ..Declared::default()
                },
            ),
        };
        unit.variables.extend(told);
    }
    if !own {
        // What somebody else's image reads is no variable of this repository.
        let names: Vec<Shown> = unit
            .variables
            .iter()
            .map(|variable| variable.name.clone())
            .collect();
        let source = sheet.source;
        sheet
            .facts
            .variables
            .retain(|fact| fact.evidence.path != *source.path || !names.contains(&Shown::from(&fact.name)));
    }
    let resources = task.body.block("resources").map(|block| &block.body);
    unit.memory = resources
        .and_then(|body| text(body, "memory"))
        .and_then(|text| measure(&text));
    unit.cpus = resources
        .and_then(|body| text(body, "cpu"))
        .and_then(|text| measure(&text));
    unit.replicas = text(&group.body, "count").and_then(|text| text.parse().ok());
    unit.region = text(&job.body, "region").and_then(|text| word(&text));
    unit.stop_grace = text(&task.body, "kill_timeout").and_then(|text| measure(&text));
    unit.user = text(&task.body, "user").and_then(|text| word(&text));
    if let Some(periodic) = job.body.block("periodic") {
        let when = text(&periodic.body, "cron").or_else(|| {
            let list = periodic.body.get("crons")?;
            defaults.text(list.items().first()?)
        });
        if let (Some(when), Some(name)) = (when, job.label(0)) {
            unit.schedule = schedule(&when);
            sheet.job(name, &when, "nomad", periodic.line);
        }
    }
    let services = task
        .body
        .blocks("service")
        .chain(group.body.blocks("service").filter(|_| is_only));
    for check in services.flat_map(|service| service.body.blocks("check")) {
        if let Some(path) = text(&check.body, "path") {
            unit.probes.extend(sheet.probe(&path, check.line));
        }
    }
    for mount in task.body.blocks("volume_mount") {
        let name = text(&mount.body, "volume");
        let target = text(&mount.body, "destination");
        unit.mounts
            .push(sheet.volume(name.as_deref(), target.as_deref(), mount.line));
    }
    Some(unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::facts;

    const JOB: &str = "//- deploy/shop.nomad
variable \"version\" {
  default = \"1.4\"
}
variable \"port\" {
  default = 8080
}
job \"shop\" {
  region = \"global\"
  group \"api\" {
    count = 2
    network {
      port \"http\" {
        static = var.port
      }
      port \"db\" {
        to = 5432
      }
    }
    task \"api\" {
      driver = \"docker\"
      config {
        image = \"example/shop-api:${var.version}\"
        args  = [\"serve\", \"--port\", \"8080\"]
        ports = [\"http\"]
      }
      env {
        LOG_LEVEL = \"info\"
        DB_HOST = \"${NOMAD_IP_db}\"
      }
      service {
        check {
          type = \"http\"
          path = \"/healthz\"
        }
      }
      resources {
        cpu = 200
        memory = 256
      }
    }
    task \"db\" {
      driver = \"docker\"
      config {
        image = \"postgres:16\"
        ports = [\"db\"]
      }
      env {
        POSTGRES_PASSWORD = \"hunter2hunter2\"
      }
    }
  }
}
";

    #[test]
    fn tasks() {
        let facts = facts(&DETECTOR, JOB);
        let units = &facts.stacks[0].units;
        let api = &units[0];
        assert_eq!(
            api.image.as_ref().map(Shown::as_str),
            Some("example/shop-api:1.4")
        );
        assert_eq!(
            api.command
                .as_ref()
                .map(playbook_core::harmless::CommandLine::as_str),
            Some("serve --port 8080")
        );
        assert_eq!(
            (
                api.ports[0].container,
                api.ports[0].host,
                api.probes.len(),
                api.replicas
            ),
            (8080, Some(8080), 1, Some(2))
        );
        assert_eq!(
            (units[1].ports[0].container, units[1].ports[0].host),
            (5432, None)
        );
        let stores: Vec<_> = facts.stores.iter().map(|store| store.kind.as_str()).collect();
        assert_eq!(stores, ["postgresql"]);
        let names: Vec<_> = facts.variables.iter().map(|fact| fact.name.as_str()).collect();
        assert_eq!(names, ["LOG_LEVEL", "DB_HOST"]);
        assert_eq!(facts.committed_secrets.len(), 1);
        assert!(!format!("{:?}", facts.stacks).contains("hunter2"));
    }

    #[test]
    fn periodic_jobs_and_other_files() {
        let told = facts(
            &DETECTOR,
            "//- report.nomad.hcl
job \"report\" {
  type = \"batch\"
  periodic {
    cron = \"0 3 * * *\"
  }
  group \"report\" {
    task \"run\" {
      driver = \"exec\"
      config {
        command = \"/usr/local/bin/report\"
      }
    }
  }
}
//- main.tf.hcl
resource \"x\" \"y\" {}
",
        );
        assert_eq!(told.stacks.len(), 1);
        assert_eq!(told.stacks[0].units[0].kind, "job");
        assert_eq!(told.jobs[0].name.as_str(), "report");
    }
}
