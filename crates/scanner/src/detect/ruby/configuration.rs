//! Configuration files of Rails and its queues: databases, recurring jobs, credentials.

use playbook_core::evidence::Scope;
use playbook_core::harmless::EnvName;
use playbook_core::inventory::VariableOrigin;
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;

use crate::detect::ecosystem::{Code, Pattern, entry, group, job, kind_of_scheme, pattern, start, store};
use crate::detect::ending;
use crate::fact::{EntryKind, Facts, VariableFact};
use crate::parse::tree::Node;
use crate::parse::yaml;
use crate::source::Source;

fn is_database(name: &str) -> bool {
    name.starts_with("database") && (name.contains(".yml") || name.contains(".yaml"))
}

pub(super) fn wants(path: &RelPath) -> bool {
    let name = path.name();
    path.folder_name() == "config"
        && (is_database(name)
            || matches!(
                name,
                "recurring.yml"
                    | "sidekiq.yml"
                    | "sidekiq_schedule.yml"
                    | "sidekiq-scheduler.yml"
                    | "schedule.yml"
                    | "sidekiq_cron.yml"
                    | "credentials.yml.enc"
            ))
        || path.folder_name() == "credentials" && name == "production.yml.enc"
}

pub(super) fn detect(source: &Source<'_>, facts: &mut Facts) {
    let name = source.path.name();
    if ending(source.path, &["enc"]) {
        credentials(source, facts);
        return;
    }
    // Lines of templates are no YAML.
    let lines: Vec<&str> = source
        .text
        .lines()
        .map(|line| {
            if line.trim_start().starts_with("<%") {
                ""
            } else {
                line
            }
        })
        .collect();
    let text = lines.join("\n");
    let (tree, _) = yaml::document(&text);
    let Some(tree) = tree else { return };
    if is_database(name) {
        databases(source, &tree, facts);
        return;
    }
    match name {
        "sidekiq.yml" => {
            if source.is_production() {
                facts.entry_points.push(entry(
                    source,
                    EntryKind::Worker,
                    "sidekiq",
                    "config/sidekiq.yml",
                    1,
                ));
            }
            for keys in [
                &[":schedule"][..],
                &["schedule"],
                &[":scheduler", ":schedule"],
                &["scheduler", "schedule"],
            ] {
                if let Some(jobs) = tree.path(keys) {
                    recurring(source, jobs, "sidekiq", facts);
                }
            }
        }
        "recurring.yml" => recurring(
            source,
            tree.get("production").unwrap_or(&tree),
            "solid-queue",
            facts,
        ),
        _ => recurring(source, tree.get("production").unwrap_or(&tree), "sidekiq", facts),
    }
}

/// `name: { cron: …, class: … }`.
fn recurring(source: &Source<'_>, jobs: &Node, runner: &'static str, facts: &mut Facts) {
    for (name, line, entry) in jobs.entries() {
        let schedule = ["schedule", "cron", "every"].iter().find_map(|key| {
            let node = entry.get(key).or_else(|| entry.get(&format!(":{key}")))?;
            node.text().or_else(|| node.items().next()?.text())
        });
        if let Some(schedule) = schedule {
            job(source, facts, name, schedule, runner, line);
        }
    }
}

/// What production connects to: its section, or each one of a file without sections.
fn databases(source: &Source<'_>, tree: &Node, facts: &mut Facts) {
    let Some((line, production)) = tree.get_entry("production") else {
        return;
    };
    // A sample is what people copy.
    let scope = Scope::Production;
    let mut told: Vec<&'static str> = Vec::new();
    let nested: Vec<&Node> = production
        .entries()
        .map(|(_, _, node)| node)
        .filter(|node| node.is_map())
        .collect();
    let sections = if production.get("adapter").is_some() || nested.is_empty() {
        vec![production]
    } else {
        nested
    };
    for section in sections {
        let url = section.get("url").and_then(Node::text).unwrap_or_default();
        let adapter = section.get("adapter").and_then(Node::text).unwrap_or_default();
        let adapter = match adapter {
            "trilogy" => "mysql2",
            "oracle_enhanced" => "oracle",
            "postgis" => "postgresql",
            other => other,
        };
        // `<%= ENV.fetch("DB_ADAPTER", "postgresql") %>`
        let adapter = pattern!(r#"["'](?P<value>[a-z0-9]+)["']\s*\)?\s*\}?\s*%>"#)
            .first(adapter)
            .map_or_else(|| adapter.to_owned(), |found| group(&found, "value").to_owned());
        let literal = url.split("://").next().unwrap_or_default();
        let Some(kind) = kind_of_scheme(&adapter).or_else(|| kind_of_scheme(literal)) else {
            continue;
        };
        if told.contains(&kind) {
            continue;
        }
        told.push(kind);
        let at = section.get("adapter").map_or(line, Node::line);
        let Some(mut found) = store(source, kind, true, at) else {
            continue;
        };
        found.scope = scope;
        found.variable = pattern!(r#"ENV(?:\.fetch\(|\[)\s*["'](?P<name>\w+)["']"#)
            .first(url)
            .and_then(|name| EnvName::parse(Raw::new(group(&name, "name"))));
        facts.stores.push(found);
    }
}

/// Encrypted credentials are read with a key that is not in the repository.
fn credentials(source: &Source<'_>, facts: &mut Facts) {
    let Some(name) = EnvName::parse(Raw::new("RAILS_MASTER_KEY")) else {
        return;
    };
    let mut variable = VariableFact::new(name, VariableOrigin::Code, source.scope, source.at(1));
    variable.required = true;
    variable.secret = true;
    facts.variables.push(variable);
}

/// `scheduler.every "30s" do …`, `scheduler.cron "0 4 * * *" do …` of rufus; `every(1.hour, "name")` of Clockwork. A task
/// without a name is called by what its block begins with.
pub(super) fn clocks(code: &Code<'_>, facts: &mut Facts) {
    let rufus = code.has("Rufus::Scheduler") || code.has("rufus-scheduler");
    if rufus {
        for found in code.all(&pattern!(
            r#"(?m)^\s*(?:[@$]?\w+\s*\.\s*)?(?P<kind>every|cron|interval)\s*\(?\s*["'](?P<when>[^"'\n#]+)["'][^\n]*(?:\bdo|\{)[^\n]*\n\s*(?P<what>[\w.:]+)"#
        )) {
            let when = group(&found, "when");
            let when = if group(&found, "kind") == "cron" {
                when.to_owned()
            } else {
                format!("every {when}")
            };
            job(
                code.source,
                facts,
                group(&found, "what"),
                &when,
                "rufus-scheduler",
                code.line(start(&found)),
            );
        }
    }
    if code.has("Clockwork") {
        for found in code.all(&pattern!(
            r#"(?m)^\s*every\s*\(?\s*(?P<every>\d+\.\w+|\w+)\s*,\s*["'](?P<what>[^"'\n]+)["'](?P<rest>[^\n]*)"#
        )) {
            let at = pattern!(r#"at:\s*["'](?P<at>[^"'\n]+)["']"#).first(group(&found, "rest"));
            let when = at.map_or_else(
                || format!("every {}", group(&found, "every")),
                |at| format!("every {} at {}", group(&found, "every"), group(&at, "at")),
            );
            job(code.source, facts, group(&found, "what"), &when, "clockwork", code.line(start(&found)));
        }
    }
}

/// `config.good_job.cron = { clean: { cron: "0 3 * * *", class: "CleanJob" } }`,
/// `Sidekiq::Cron::Job.create(name: "clean", cron: "0 3 * * *", class: "CleanJob")`.
pub(super) fn tables(code: &Code<'_>, facts: &mut Facts) {
    if code.has("good_job.cron") || code.has("good_job = ") {
        for found in code.all(&pattern!(
            r#"(?m)(?P<name>\w+):\s*\{\s*(?:#[^\n]*\n\s*)*(?:class:\s*["'][^"'\n]*["']\s*,\s*)?cron:\s*["'](?P<cron>[^"'\n]+)["']"#
        )) {
            let line = code.line(start(&found));
            job(code.source, facts, group(&found, "name"), group(&found, "cron"), "good-job", line);
        }
    }
    if code.has("Sidekiq::Cron::Job") {
        for found in code.all(&pattern!(
            r#"Sidekiq::Cron::Job\s*\.\s*(?:create|new)!?\s*\(?(?P<rest>[^)]*?\bcron:\s*["'][^"'\n]+["'][^)]*)"#
        )) {
            let rest = group(&found, "rest");
            let text = |pattern: &Pattern| pattern.first(rest).map(|found| group(&found, "value").to_owned());
            let name = text(&pattern!(r#"\bname:\s*["'](?P<value>[^"'\n]+)["']"#))
                .or_else(|| text(&pattern!(r#"\b(?:class|klass):\s*["']?(?P<value>[\w:]+)"#)));
            let cron = text(&pattern!(r#"\bcron:\s*["'](?P<value>[^"'\n]+)["']"#));
            if let (Some(name), Some(cron)) = (name, cron) {
                job(code.source, facts, &name, &cron, "sidekiq", code.line(start(&found)));
            }
        }
    }
}

/// `every 1.day, at: "4:30 am" do runner "Clean.run" end` of a schedule for cron.
pub(super) fn whenever(code: &Code<'_>, facts: &mut Facts) {
    for found in code.all(&pattern!(
        r#"(?m)^\s*every\s*\(?\s*(?:["'](?P<cron>[^"'\n]+)["']|:?(?P<every>[\w.]+))(?P<rest>[^\n]*)\n(?P<body>(?:[^\n]*\n){0,4})"#
    )) {
        let at = pattern!(r#"at:\s*["'](?P<at>[^"'\n]+)["']"#)
            .first(group(&found, "rest"))
            .map(|at| group(&at, "at").to_owned());
        let when = match (group(&found, "cron"), at) {
            ("", Some(at)) => format!("every {} at {at}", group(&found, "every")),
            ("", None) => format!("every {}", group(&found, "every")),
            (cron, _) => cron.to_owned(),
        };
        let what = pattern!(r#"(?m)^\s*(?:runner|rake|command|job|script)\s*\(?\s*["'](?P<what>[^"'\n]+)["']"#)
            .first(group(&found, "body"))
            .map_or_else(|| "schedule".to_owned(), |what| group(&what, "what").to_owned());
        job(code.source, facts, &what, &when, "whenever", code.line(start(&found)));
    }
}
