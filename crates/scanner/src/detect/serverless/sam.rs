//! SAM: functions with what `Globals` gives all of them.

use playbook_core::shown::Shown;

use super::{event_store, route, runtime, scheduled};
use crate::detect::process::{self, Sheet, entries, text};
use crate::parse::tree::Node;

/// The property of a function, else the one of `Globals`.
fn property<'n>(own: Option<&'n Node>, globals: Option<&'n Node>, key: &str) -> Option<(u32, &'n Node)> {
    own.and_then(|own| own.get_entry(key))
        .or_else(|| globals.and_then(|globals| globals.get_entry(key)))
}

pub(super) fn read(sheet: &mut Sheet<'_, '_>, root: &Node) {
    let globals = root.path(&["Globals", "Function"]);
    let shared = globals.and_then(|globals| globals.path(&["Environment", "Variables"]));
    let shared = sheet.given_all(shared);
    let mut units = Vec::new();
    for (name, line, resource) in entries(root, "Resources") {
        match text(resource, "Type") {
            Some("AWS::Serverless::Function") => {}
            Some("AWS::Serverless::SimpleTable") => {
                sheet.managed_store("dynamodb", "aws", None, line);
                continue;
            }
            _ => continue,
        }
        let own = resource.get("Properties");
        let Some(mut unit) = process::unit(sheet, name, "function", line) else {
            continue;
        };
        let of = |key: &str| property(own, globals, key);
        let image = of("PackageType").and_then(|(_, node)| node.text()) == Some("Image");
        if image {
            unit.build = resource.get("Metadata").and_then(|metadata| {
                let context = sheet
                    .folder()
                    .join(text(metadata, "DockerContext").unwrap_or("."))?;
                Some(process::build(&context, text(metadata, "Dockerfile")))
            });
        } else {
            let code = of("CodeUri").and_then(|(_, node)| node.text());
            // A bucket is no folder of the repository.
            let code = code.filter(|code| !code.contains("://"));
            unit.root = sheet.folder().join(code.unwrap_or("."));
            unit.command = of("Handler")
                .and_then(|(_, node)| node.text())
                .and_then(|text| sheet.command(text));
            if let Some((line, node)) = of("Runtime") {
                runtime(sheet, &mut unit, node.text().unwrap_or_default(), line);
            }
        }
        unit.memory = of("MemorySize")
            .and_then(|(_, node)| node.text())
            .and_then(process::measure);
        unit.stop_grace = of("Timeout")
            .and_then(|(_, node)| node.text())
            .and_then(process::measure);
        let variables = own.and_then(|own| own.path(&["Environment", "Variables"]));
        unit.variables = sheet.given_all(variables);
        let known: Vec<Shown> = unit
            .variables
            .iter()
            .map(|variable| variable.name.clone())
            .collect();
        let inherited = shared.iter().filter(|variable| !known.contains(&variable.name));
        unit.variables.extend(inherited.cloned());
        for (event, line, node) in own.into_iter().flat_map(|own| entries(own, "Events")) {
            let properties = node.get("Properties");
            let given = |key: &str| properties.and_then(|properties| text(properties, key));
            let kind = text(node, "Type").unwrap_or_default();
            match kind {
                "Api" | "HttpApi" => {
                    if let Some(path) = given("Path") {
                        route(sheet, given("Method").unwrap_or("*"), path, "sam", line);
                    }
                }
                "Schedule" | "ScheduleV2" => {
                    let when = given("Schedule").or_else(|| given("ScheduleExpression"));
                    if let Some(when) = when {
                        let job = given("Name").unwrap_or(event);
                        scheduled(sheet, &mut unit, job, when, line, "sam");
                    }
                }
                other => event_store(sheet, other, line),
            }
        }
        if let Some((line, _)) = own.and_then(|own| own.get_entry("FunctionUrlConfig")) {
            route(sheet, "*", "/", "sam", line);
        }
        units.push(unit);
    }
    sheet.stack("sam", units, Vec::new());
}
