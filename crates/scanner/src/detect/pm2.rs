//! PM2's ecosystem files: one unit for each entry of `apps`.

use playbook_core::inventory::Unit;
use playbook_core::path::RelPath;

use super::Detector;
use super::process::{self, Sheet, entries, text};
use crate::fact::Facts;
use crate::parse::tree::Node;
use crate::parse::{json, yaml};
use crate::source::Source;

pub(crate) const DETECTOR: Detector = Detector { wants, detect };

fn wants(path: &RelPath) -> bool {
    let Some((stem, end)) = path.name().rsplit_once('.') else {
        return false;
    };
    matches!(
        stem,
        "ecosystem" | "ecosystem.config" | "ecosystem.production" | "pm2" | "pm2.config" | "process"
    ) && matches!(end, "js" | "cjs" | "mjs" | "json" | "yml" | "yaml" | "ts")
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    if !source.text.contains("apps") || !source.text.contains("script") {
        return;
    }
    let name = source.path.name();
    let root = if name.ends_with("json") {
        json::document(source.text)
    } else if name.ends_with("yml") || name.ends_with("yaml") {
        yaml::document(source.text)
    } else {
        // The object of the module, as far as it is written like JSON5.
        json::document(&object(source.text))
    };
    let Some(root) = root.0 else { return };
    let mut sheet = Sheet::new(source, facts);
    let list = root.get("apps").unwrap_or(&root);
    let apps: Vec<&Node> = if list.is_seq() {
        list.items().collect()
    } else {
        vec![list]
    };
    let mut units = Vec::new();
    for app in apps {
        units.extend(unit(&mut sheet, app));
    }
    sheet.stack("pm2", units, Vec::new());
}

/// The text of a module with everything before its exported object blanked, so that lines stay.
fn object(text: &str) -> String {
    let start = text
        .find("module.exports")
        .or_else(|| text.find("export default"))
        .and_then(|at| Some(at + text.get(at..)?.find(['{', '['])?));
    let Some(start) = start else { return String::new() };
    let (before, after) = text.split_at(start);
    let end = after.rfind(['}', ']']).map_or(after.len(), |at| at + 1);
    let mut out: String = before.chars().filter(|c| *c == '\n').collect();
    out.push_str(after.get(..end).unwrap_or(after));
    out
}

fn unit(sheet: &mut Sheet<'_, '_>, app: &Node) -> Option<Unit> {
    let (line, script) = app.get_entry("script")?;
    let script = script.text()?;
    let stem = script.rsplit('/').next().unwrap_or(script);
    let stem = stem.split('.').next().unwrap_or(stem);
    let name = text(app, "name").unwrap_or(stem);
    let line = app.get_entry("name").map_or(line, |(line, _)| line);
    let mut unit = process::unit(sheet, name, "process", line)?;
    // `watch` restarts on every change of a file.
    if app.get("watch").and_then(Node::boolean) == Some(true) {
        unit.profiles = process::word("dev").into_iter().collect();
    }
    let folder = sheet.folder();
    unit.root = text(app, "cwd")
        .filter(|path| !path.starts_with('/'))
        .and_then(|path| folder.join(path))
        .or(Some(folder));
    let command = command(app, script);
    unit.command = sheet.command(&command);
    unit.replicas = process::number_of(app, "instances");
    unit.memory = text(app, "max_memory_restart").and_then(process::measure);
    unit.stop_grace = text(app, "kill_timeout").and_then(process::measure);
    let production = ["env_production", "env_prod"]
        .into_iter()
        .find(|key| app.get(key).is_some());
    unit.variables = sheet.given_all(app.get("env"));
    for (name, line, value) in production.map(|key| entries(app, key)).unwrap_or_default() {
        if let Some(variable) = value.text().and_then(|value| sheet.given(name, value, line)) {
            unit.variables.retain(|known| known.name != variable.name);
            unit.variables.push(variable);
        }
    }
    if let Some((line, clock)) = app.get_entry("cron_restart")
        && let Some(schedule) = clock.text()
    {
        unit.schedule = process::schedule(schedule);
        sheet.job(name, schedule, "pm2", line);
    }
    Some(unit)
}

/// What PM2 runs: the script with its interpreter and arguments.
fn command(app: &Node, script: &str) -> String {
    let own = text(app, "interpreter").or_else(|| text(app, "exec_interpreter"));
    let interpreter = match (own, script.rsplit_once('.').map(|(_, end)| end)) {
        (Some("none"), _) => None,
        (Some(own), _) => Some(own),
        (None, Some("js" | "cjs" | "mjs")) => Some("node"),
        (None, Some("ts")) => Some("bun"),
        (None, Some("py")) => Some("python3"),
        (None, Some("sh")) => Some("bash"),
        (None, Some("rb")) => Some("ruby"),
        _ => None,
    };
    let mut words: Vec<String> = interpreter.map(str::to_owned).into_iter().collect();
    let of_list = |key: &str| -> Vec<String> {
        app.get(key)
            .into_iter()
            .flat_map(Node::texts)
            .map(|(text, _)| text.to_owned())
            .collect()
    };
    if interpreter.is_some() {
        words.extend(of_list("node_args"));
        words.extend(of_list("interpreter_args"));
    }
    words.push(script.to_owned());
    words.extend(of_list("args"));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::facts;
    use playbook_core::harmless::CommandLine;

    fn commands(text: &str) -> Vec<(String, Option<String>, Option<u32>)> {
        facts(&DETECTOR, text)
            .stacks
            .iter()
            .flat_map(|stack| &stack.units)
            .map(|unit| {
                (
                    unit.name.to_string(),
                    unit.command.as_ref().map(|command| command.as_str().to_owned()),
                    unit.evidence[0].line,
                )
            })
            .collect()
    }

    #[test]
    fn apps_of_each_notation() {
        let wanted = |line| {
            [(
                "api".to_owned(),
                Some("node dist/main.js --port 3000".to_owned()),
                Some(line),
            )]
        };
        assert_eq!(
            commands(
                "//- ecosystem.config.json\n{\"apps\": [\n{\"name\": \"api\", \"script\": \"dist/main.js\", \"args\": \"--port 3000\"}]}\n"
            ),
            wanted(2)
        );
        assert_eq!(
            commands(
                "//- ecosystem.config.js\nconst x = 1;\nmodule.exports = {\n  // comment\n  apps: [{\n    name: 'api',\n    script: 'dist/main.js',\n    args: '--port 3000',\n    instances: 'max',\n  }],\n};\n"
            ),
            wanted(5)
        );
        assert_eq!(
            commands(
                "//- ecosystem.config.yml\napps:\n  - script: dist/main.js\n    name: api\n    args: --port 3000\n"
            ),
            wanted(3)
        );
    }

    #[test]
    fn variables_of_production_win() {
        let facts = facts(
            &DETECTOR,
            "//- pm2.config.json\n{\"apps\": [{\"name\": \"jobs\", \"script\": \"npm\", \"args\": \"run jobs\", \"env\": {\"NODE_ENV\": \"development\"}, \"env_production\": {\"NODE_ENV\": \"production\"}, \"cron_restart\": \"0 3 * * *\"}]}\n",
        );
        let unit = &facts.stacks[0].units[0];
        assert_eq!(
            unit.command.as_ref().map(CommandLine::as_str),
            Some("npm run jobs")
        );
        assert_eq!(
            unit.variables[0]
                .value
                .as_ref()
                .map(playbook_core::shown::Shown::as_str),
            Some("production")
        );
        assert_eq!(facts.jobs.len(), 1);
    }

    #[test]
    fn other_files() {
        assert_eq!(commands("//- process.json\n{\"steps\": []}\n"), []);
        assert_eq!(
            commands("//- ecosystem.config.js\nmodule.exports = require('./x').apps.script;\n"),
            []
        );
    }
}
