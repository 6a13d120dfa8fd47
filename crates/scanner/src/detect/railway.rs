//! Railway: `railway.json` and `railway.toml`, one for each service, and the calls of `.railway/railway.ts`.

use playbook_core::inventory::{Build, Unit};
use playbook_core::path::RelPath;
use playbook_core::shown::Shown;

use super::process::{self, Sheet, measure, schedule, text, word};
use super::{Detector, ending, judge, named};
use crate::fact::Facts;
use crate::parse::tree::Node;
use crate::parse::{json, toml};
use crate::source::Source;

pub(crate) const DETECTOR: Detector = Detector { wants, detect };

fn wants(path: &RelPath) -> bool {
    named(path, &["railway.json", "railway.toml"])
        || path.folder_name() == ".railway" && named(path, &["railway.ts"])
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    let mut sheet = Sheet::new(source, facts);
    if ending(source.path, &["ts"]) {
        let units = calls(&mut sheet);
        sheet.stack("railway", units, Vec::new());
        return;
    }
    let (root, problem) = if ending(source.path, &["json"]) {
        json::document(source.text)
    } else {
        toml::document(source.text)
    };
    judge::problem(source, sheet.facts, problem);
    let Some(root) = root else { return };
    let Some(line) = ["deploy", "build"]
        .iter()
        .find_map(|key| root.get_entry(key).map(|(line, _)| line))
    else {
        return;
    };
    let folder = sheet.folder();
    let name = if folder.is_root() { "app" } else { folder.name() };
    let Some(mut unit) = process::unit(&sheet, name, "service", line) else {
        return;
    };
    unit.root = Some(folder.clone());
    fill(&mut sheet, &mut unit, &root, &folder);
    sheet.stack("railway", vec![unit], Vec::new());
}

/// What `build` and `deploy` say, as the configuration of a service or the options of a call.
fn fill(sheet: &mut Sheet<'_, '_>, unit: &mut Unit, root: &Node, folder: &RelPath) {
    let at = |key: &str| {
        ["deploy", "build"]
            .iter()
            .filter_map(|part| root.get(part))
            .find_map(|part| part.get_entry(key))
            .filter(|(_, node)| !node.is_null())
    };
    unit.command = at("startCommand").and_then(|(_, node)| sheet.command_of(node));
    unit.build_command = at("buildCommand").and_then(|(_, node)| sheet.command_of(node));
    unit.pre_deploy = at("preDeployCommand").and_then(|(_, node)| sheet.commands_of(node));
    if let Some(when) = at("cronSchedule").and_then(|(_, node)| node.text()) {
        unit.kind = Shown::from("cron");
        unit.schedule = schedule(when);
        let name = unit.name.as_str().to_owned();
        let line = at("cronSchedule").map_or(1, |(line, _)| line);
        sheet.job(&name, when, "railway", line);
    }
    unit.restart = at("restartPolicyType").and_then(|(_, node)| word(node.text()?));
    unit.runtime = at("builder").and_then(|(_, node)| word(node.text()?));
    unit.stop_grace = at("drainingSeconds").and_then(|(_, node)| measure(node.text()?));
    unit.replicas = at("numReplicas")
        .and_then(|(_, node)| node.integer())
        .and_then(|number| u32::try_from(number).ok());
    if let Some(file) = at("dockerfilePath").and_then(|(_, node)| node.text()) {
        // A leading slash is the root of the repository.
        let dockerfile = match file.strip_prefix('/') {
            Some(file) => RelPath::new(file),
            None => folder.join(file),
        };
        unit.build = Some(Build {
            context: Some(folder.clone()),
            dockerfile,
            target: None,
            arguments: Vec::new(),
        });
    }
    if let Some((line, path)) = at("healthcheckPath") {
        unit.probes
            .extend(path.text().and_then(|path| sheet.probe(path, line)));
    }
    if let Some(image) = root.path(&["source", "image"]).and_then(Node::text) {
        sheet.image(unit, image, root.line());
    }
    let variables = root.get("variables").or_else(|| root.get("env"));
    unit.variables = sheet.given_all(variables);
}

/// Calls that Railway's library offers, with what each makes.
const CALLS: [(&str, Option<&str>); 6] = [
    ("service(", None),
    ("postgres(", Some("postgresql")),
    ("mysql(", Some("mysql")),
    ("redis(", Some("redis")),
    ("mongo(", Some("mongodb")),
    ("mongodb(", Some("mongodb")),
];

/// `service("name", { … })`, `postgres("name")`: the options as far as they are literals.
fn calls(sheet: &mut Sheet<'_, '_>) -> Vec<Unit> {
    let source = sheet.source;
    let root = RelPath::root();
    let mut units = Vec::new();
    for (number, line) in source.numbered_lines() {
        let code = line.trim_start();
        if code.starts_with("//") || code.starts_with('*') || code.starts_with("import ") {
            continue;
        }
        for (call, store) in CALLS {
            let Some(at) = line.find(call) else { continue };
            let glued = line
                .get(..at)
                .and_then(|before| before.chars().last())
                .is_some_and(|before| before.is_alphanumeric() || before == '_' || before == '.');
            let rest = line.get(at + call.len()..).unwrap_or_default().trim_start();
            let quoted = rest
                .strip_prefix(['"', '\'', '`'])
                .and_then(|rest| rest.split(['"', '\'', '`']).next());
            let (false, Some(name)) = (glued, quoted) else {
                continue;
            };
            if let Some(store) = store {
                sheet.managed_store(store, "railway", None, number);
                if let Some(mut unit) = process::unit(sheet, name, "database", number) {
                    unit.datastore = Some(Shown::from(store));
                    units.push(unit);
                }
                continue;
            }
            let Some(mut unit) = process::unit(sheet, name, "service", number) else {
                continue;
            };
            if let Some(options) = options(source, number) {
                let folder = text(&options, "rootDirectory")
                    .or_else(|| options.path(&["source", "rootDirectory"]).and_then(Node::text))
                    .and_then(|path| RelPath::new(path.trim_start_matches('/')))
                    .unwrap_or_else(|| root.clone());
                fill(sheet, &mut unit, &options, &folder);
                unit.root = Some(folder);
            } else {
                unit.root = Some(root.clone());
            }
            units.push(unit);
        }
    }
    units
}

/// The object that follows a call, with its lines kept.
fn options(source: &Source<'_>, line: u32) -> Option<std::sync::Arc<Node>> {
    let skip = usize::try_from(line).ok()?.checked_sub(1)?;
    let start: usize = source.text.split_inclusive('\n').take(skip).map(str::len).sum();
    let rest = source.text.get(start..)?;
    let open = rest.find('{')?;
    // Not beyond this call.
    if rest.find(')').is_some_and(|close| close < open) {
        return None;
    }
    let mut depth = 0_u32;
    let mut end = None;
    for (at, c) in rest.char_indices().skip_while(|(at, _)| *at < open) {
        match c {
            '{' => depth += 1,
            '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    end = Some(at + 1);
                    break;
                }
            }
            _ => {}
        }
    }
    let object = rest.get(open..end?)?;
    let before = source.text.get(..start + open)?.matches('\n').count();
    json::document(&format!("{}{object}", "\n".repeat(before))).0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::facts;
    use playbook_core::harmless::CommandLine;

    #[test]
    fn configuration_of_a_service() {
        let facts = facts(
            &DETECTOR,
            "//- backend/railway.json
{\"build\": {\"builder\": \"DOCKERFILE\", \"dockerfilePath\": \"/docker/api.Dockerfile\"},
 \"deploy\": {\"startCommand\": \"bin/server\", \"preDeployCommand\": [\"bin/migrate\"],
  \"healthcheckPath\": \"/healthz\", \"numReplicas\": 2}}
//- railway.toml
[deploy]
startCommand = \"bin/report\"
cronSchedule = \"0 3 * * *\"
",
        );
        let api = &facts.stacks[0].units[0];
        assert_eq!(api.name.as_str(), "backend");
        assert_eq!(
            api.pre_deploy.as_ref().map(CommandLine::as_str),
            Some("bin/migrate")
        );
        assert_eq!((api.replicas, api.probes.len()), (Some(2), 1));
        let file = api.build.as_ref().and_then(|build| build.dockerfile.as_ref());
        assert_eq!(file.map(RelPath::as_str), Some("docker/api.Dockerfile"));
        let cron = &facts.stacks[1].units[0];
        assert_eq!((cron.name.as_str(), cron.kind.as_str()), ("app", "cron"));
        assert_eq!(facts.jobs[0].evidence.line, Some(3));
    }

    #[test]
    fn calls_of_the_library() {
        let facts = facts(
            &DETECTOR,
            "//- .railway/railway.ts
import { defineRailway, postgres, project, service } from \"railway/iac\";
export default defineRailway(() => {
  const db = postgres(\"db\");
  // const cache = redis(\"cache\");
  const api = service(\"api\", {
    rootDirectory: \"backend\",
    deploy: { startCommand: \"bin/server\", healthcheckPath: \"/healthz\" },
  });
  return project(\"shop\", { resources: [db, api] });
});
",
        );
        let units: Vec<_> = facts.stacks[0]
            .units
            .iter()
            .map(|unit| {
                (
                    unit.name.as_str(),
                    unit.command.as_ref().map(CommandLine::as_str),
                    unit.root.as_ref().map(RelPath::as_str),
                    unit.evidence[0].line,
                )
            })
            .collect();
        assert_eq!(
            units,
            [
                ("db", None, None, Some(3)),
                ("api", Some("bin/server"), Some("backend"), Some(5))
            ]
        );
        assert_eq!(facts.stores.len(), 1);
        assert_eq!(facts.stacks[0].units[1].probes[0].evidence[0].line, Some(7));
    }
}
