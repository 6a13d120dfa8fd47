//! Every fixture: exit code, what must and must not be found, evidence that leads to real lines, and the snapshots of
//! inventory and plan.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::structure;
use crate::support::{Case, cases, snapshot, targets};

/// Runs a check for every fixture and reports all failures at once.
fn for_every_case(check: impl Fn(&Case, &mut Vec<String>)) {
    let mut failures = Vec::new();
    for case in cases() {
        let mut of_case = Vec::new();
        check(case, &mut of_case);
        failures.extend(
            of_case
                .into_iter()
                .map(|failure| format!("{}: {failure}", case.name)),
        );
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

fn inventory(case: &Case) -> Value {
    let run = case.analyzed(&["--format", "json"]);
    serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}: no JSON\n{}", case.name, run.stderr))
}

/// Does a fact of production stand at `a.b.c` with this value? Lists are searched, whatever their depth.
fn stands(value: &Value, path: &[&str], wanted: &str) -> bool {
    match (value, path) {
        (Value::Array(items), _) => items.iter().any(|item| stands(item, path, wanted)),
        (Value::Object(object), [_, ..])
            if object.get("scope").is_some_and(|scope| scope == "development") =>
        {
            false
        }
        (Value::Object(object), [key, rest @ ..]) => {
            object.get(*key).is_some_and(|inner| stands(inner, rest, wanted))
        }
        (Value::String(text), []) => text == wanted,
        (Value::Number(number), []) => number.to_string().as_str() == wanted,
        (Value::Bool(flag), []) => wanted == if *flag { "true" } else { "false" },
        _ => false,
    }
}

fn query(inventory: &Value, query: &str) -> bool {
    let (path, wanted) = query.split_once('=').expect("a query is path=value");
    let path: Vec<&str> = path.split('.').collect();
    stands(inventory, &path, wanted)
}

#[test]
fn queries_can_fail() {
    let inventory: Value = serde_json::json!({
        "services": [{ "id": "api", "ports": [8000], "runtime": { "name": "python" } }],
        "datastores": [{ "kind": "redis", "scope": "development" }],
    });
    assert!(query(&inventory, "services.id=api"));
    assert!(query(&inventory, "services.ports=8000"));
    assert!(query(&inventory, "services.runtime.name=python"));
    assert!(!query(&inventory, "services.id=worker"));
    assert!(!query(&inventory, "services.name=api"));
    assert!(!query(&inventory, "datastores.kind=redis"));
}

#[test]
fn exit_codes() {
    for_every_case(|case, failures| {
        for format in ["markdown", "json"] {
            let run = case.analyzed(&["--format", format]);
            if run.code != case.exit {
                failures.push(format!(
                    "{format}: exit code {} instead of {}\n{}",
                    run.code, case.exit, run.stderr
                ));
            }
        }
    });
}

#[test]
fn what_must_be_found_is_found() {
    for_every_case(|case, failures| {
        let inventory = inventory(case);
        for wanted in case.must_find.iter().filter(|wanted| !query(&inventory, wanted)) {
            failures.push(format!("{wanted} was not found"));
        }
        for unwanted in case
            .must_not_find
            .iter()
            .filter(|unwanted| query(&inventory, unwanted))
        {
            failures.push(format!("{unwanted} was found"));
        }
    });
}

/// Precision: one process too many is as wrong as one that is missing.
#[test]
fn services_and_datastores_are_these_and_no_other() {
    for_every_case(|case, failures| {
        let inventory = inventory(case);
        let found = |list: &str, key: &str| -> BTreeSet<String> {
            let items = inventory[list].as_array().into_iter().flatten();
            items
                .filter(|item| item.get("scope").is_none_or(|scope| scope != "development"))
                .filter_map(|item| item[key].as_str().map(str::to_owned))
                .collect()
        };
        for (list, key, wanted) in [
            ("services", "id", &case.services),
            ("datastores", "kind", &case.datastores),
        ] {
            let found = found(list, key);
            if found != wanted.iter().cloned().collect() {
                failures.push(format!("{list} are {found:?} instead of {wanted:?}"));
            }
        }
    });
}

#[test]
fn evidence_leads_to_lines_that_exist() {
    fn visit(value: &Value, check: &mut dyn FnMut(&Value)) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| visit(item, check)),
            Value::Object(object) => {
                if object.contains_key("path") && object.contains_key("line") {
                    check(value);
                }
                object.values().for_each(|inner| visit(inner, check));
            }
            _ => {}
        }
    }
    for_every_case(|case, failures| {
        let inventory = inventory(case);
        let mut places = 0;
        visit(&inventory, &mut |place| {
            places += 1;
            let path = place["path"].as_str().unwrap_or_default();
            let at = case.checkout.join(path);
            let lines = fs::read_to_string(&at).map(|text| text.lines().count() as u64);
            match (place["line"].as_u64(), lines) {
                (Some(line), Ok(lines)) if (1..=lines).contains(&line) => {}
                (None, _) if at.exists() => {}
                _ => failures.push(format!("{place} leads nowhere")),
            }
        });
        if places == 0 && case.exit == 0 {
            failures.push("no evidence at all".to_owned());
        }
    });
}

#[test]
fn lists_of_the_contract_have_evidence() {
    const LISTS: [&str; 16] = [
        "services",
        "datastores",
        "environment",
        "infrastructure",
        "containers",
        "manifests",
        "migrations",
        "seeds",
        "api_specs",
        "auth",
        "external_services",
        "scheduled_jobs",
        "caching",
        "observability",
        "ci",
        "findings",
    ];
    for_every_case(|case, failures| {
        let inventory = inventory(case);
        for list in LISTS {
            let Some(items) = inventory[list].as_array() else {
                failures.push(format!("{list} is no list"));
                continue;
            };
            for item in items {
                if item["evidence"].as_array().is_none_or(Vec::is_empty) {
                    failures.push(format!("{list} has an item without evidence: {item}"));
                }
            }
        }
    });
}

#[test]
fn snapshots() {
    for_every_case(|case, failures| {
        for (format, file) in [("json", "inventory.json"), ("markdown", "plan.md")] {
            let run = case.analyzed(&["--format", format]);
            if let Err(difference) = snapshot(&case.folder().join(file), &run.stdout) {
                failures.push(difference);
            }
        }
    });
}

#[test]
fn every_plan_has_the_structure_of_a_plan_on_every_target() {
    let targets = targets();
    assert!(targets.len() >= 3, "{targets:?}");
    for_every_case(|case, failures| {
        for target in &targets {
            let run = case.analyzed_for(target);
            if run.code != case.exit {
                failures.push(format!("{target}: exit code {}\n{}", run.code, run.stderr));
                continue;
            }
            for problem in structure::problems(&run.stdout) {
                failures.push(format!("{target}: {problem}"));
            }
        }
    });
}
