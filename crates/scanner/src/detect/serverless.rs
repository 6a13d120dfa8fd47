//! Functions of AWS SAM templates and of the Serverless Framework: what runs, for which request, event or schedule.

mod framework;
mod sam;

use playbook_core::harmless::{UrlPath, Version};
use playbook_core::inventory::{Unit, VersionPin};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use super::dockerfile::tool_of_variable;
use super::process::Sheet;
use super::{Detector, ending, judge};
use crate::fact::{Facts, RouteFact};
use crate::parse::{json, yaml};
use crate::source::Source;

pub(crate) const DETECTOR: Detector = Detector { wants, detect };

/// What marks a template of SAM.
const SAM: &str = "AWS::Serverless::";

fn is_framework(path: &RelPath) -> bool {
    let name = path.name();
    (name.starts_with("serverless.") || name.starts_with("serverless-"))
        && ending(path, &["yml", "yaml", "json"])
}

fn wants(path: &RelPath) -> bool {
    if !ending(path, &["yml", "yaml", "json"]) {
        return false;
    }
    let stem = path.name().split('.').next().unwrap_or_default();
    is_framework(path) || stem == "sam" || stem.split(['-', '_']).any(|word| word == "template")
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    let framework = is_framework(source.path);
    if !framework && !source.text.contains(SAM) {
        return;
    }
    let (root, problem) = if ending(source.path, &["json"]) {
        json::document(source.text)
    } else {
        yaml::document(source.text)
    };
    judge::problem(source, facts, problem);
    let Some(root) = root else { return };
    let mut sheet = Sheet::new(source, facts);
    if framework {
        framework::read(&mut sheet, &root);
    } else {
        sam::read(&mut sheet, &root);
    }
}

/// `nodejs20.x` and `python3.12` fix the version of the runtime for the function's code.
fn runtime(sheet: &mut Sheet<'_, '_>, unit: &mut Unit, text: &str, line: u32) {
    unit.runtime = super::process::word(text);
    let start = text.find(|c: char| c.is_ascii_digit()).unwrap_or(text.len());
    let (name, version) = text.split_at(start);
    let version = version.trim_end_matches(".x");
    let tool = tool_of_variable(&format!("{name}_version"));
    if let (Some(tool), Some(version)) = (tool, Version::parse(Raw::new(version))) {
        let pin = VersionPin {
            tool: Shown::from(tool),
            version: version.into(),
            path: unit.root.clone().unwrap_or_else(|| sheet.folder()),
            scope: sheet.scope,
            evidence: vec![sheet.at(line)],
        };
        if !sheet.facts.version_pins.contains(&pin) {
            sheet.facts.version_pins.push(pin);
        }
    }
}

/// A request that a function answers.
fn route(sheet: &mut Sheet<'_, '_>, method: &str, path: &str, framework: &'static str, line: u32) {
    let method = match method.to_ascii_lowercase().as_str() {
        "get" => "GET",
        "post" => "POST",
        "put" => "PUT",
        "patch" => "PATCH",
        "delete" => "DELETE",
        "head" => "HEAD",
        "options" => "OPTIONS",
        _ => "*",
    };
    let path = if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("/{path}")
    };
    let Some(path) = UrlPath::parse(Raw::new(&path)) else {
        return;
    };
    let evidence = sheet.at(line);
    sheet.facts.routes.push(RouteFact {
        method,
        path,
        router: None,
        authenticated: None,
        touches: Vec::new(),
        constant: false,
        framework: Shown::from(framework),
        scope: sheet.scope,
        evidence,
    });
}

/// The datastore whose events start a function, by the event's own word.
fn event_store(sheet: &mut Sheet<'_, '_>, event: &str, line: u32) {
    if let Some(kind) = Sheet::engine("function_event", event) {
        sheet.managed_store(kind, "aws", None, line);
    }
}

/// `rate(5 minutes)` and `cron(0 3 * * ? *)` as they stand in the file.
fn scheduled(
    sheet: &mut Sheet<'_, '_>,
    unit: &mut Unit,
    name: &str,
    text: &str,
    line: u32,
    runner: &'static str,
) {
    unit.schedule = super::process::schedule(text);
    sheet.job(name, text, runner, line);
}

#[cfg(test)]
mod tests;
