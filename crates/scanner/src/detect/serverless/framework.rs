//! The Serverless Framework: `functions` with what `provider` gives all of them.

use playbook_core::shown::Shown;

use super::{event_store, route, runtime, scheduled};
use crate::detect::process::{self, Sheet, items, text, word_of};
use crate::parse::tree::Node;

pub(super) fn read(sheet: &mut Sheet<'_, '_>, root: &Node) {
    let Some(provider) = root.get("provider") else {
        return;
    };
    let shared = sheet.given_all(provider.get("environment"));
    let mut units = Vec::new();
    // `functions` is a map, or a list of maps.
    let lists = root.get("functions").into_iter().flat_map(Node::items);
    let functions: Vec<(&str, u32, &Node)> = root
        .get("functions")
        .into_iter()
        .chain(lists)
        .flat_map(Node::entries)
        .collect();
    for (name, line, node) in functions {
        let Some(mut unit) = process::unit(sheet, name, "function", line) else {
            continue;
        };
        unit.root = Some(sheet.folder());
        unit.command = text(node, "handler").and_then(|text| sheet.command(text));
        let own = node
            .get_entry("runtime")
            .or_else(|| provider.get_entry("runtime"));
        if let (Some((line, version)), true) = (own, node.get("image").is_none()) {
            runtime(sheet, &mut unit, version.text().unwrap_or_default(), line);
        }
        unit.memory = text(node, "memorySize")
            .or_else(|| text(provider, "memorySize"))
            .and_then(process::measure);
        unit.stop_grace = text(node, "timeout")
            .or_else(|| text(provider, "timeout"))
            .and_then(process::measure);
        unit.region = word_of(provider, "region");
        unit.variables = sheet.given_all(node.get("environment"));
        let known: Vec<Shown> = unit
            .variables
            .iter()
            .map(|variable| variable.name.clone())
            .collect();
        let inherited = shared.iter().filter(|variable| !known.contains(&variable.name));
        unit.variables.extend(inherited.cloned());
        for event in items(node, "events") {
            // `- httpApi` alone, or `- http: …`
            for (kind, line, says) in event.entries() {
                match kind {
                    "http" | "httpApi" => request(sheet, says, line),
                    "schedule" => schedules(sheet, &mut unit, name, says, line),
                    other => event_store(sheet, other, line),
                }
            }
        }
        units.push(unit);
    }
    for (_, line, resource) in root
        .path(&["resources", "Resources"])
        .into_iter()
        .flat_map(Node::entries)
    {
        if text(resource, "Type") == Some("AWS::DynamoDB::Table") {
            sheet.managed_store("dynamodb", "aws", None, line);
        }
    }
    sheet.stack("serverless-framework", units, Vec::new());
}

/// `GET /path`, or a map of both.
fn request(sheet: &mut Sheet<'_, '_>, says: &Node, line: u32) {
    let whole = says.text().and_then(|text| text.split_once(' '));
    let both = whole.or_else(|| Some((text(says, "method").unwrap_or("*"), text(says, "path")?)));
    if let Some((method, path)) = both.filter(|(_, path)| *path != "*") {
        route(sheet, method, path, "serverless-framework", line);
    }
}

/// A rate, a list of rates, or a map with them.
fn schedules(
    sheet: &mut Sheet<'_, '_>,
    unit: &mut playbook_core::inventory::Unit,
    function: &str,
    says: &Node,
    line: u32,
) {
    if says.get("enabled").and_then(Node::boolean) == Some(false) {
        return;
    }
    let rates = says.get("rate").unwrap_or(says);
    let name = text(says, "name").unwrap_or(function);
    for (rate, _) in rates.texts() {
        scheduled(sheet, unit, name, rate, line, "serverless-framework");
    }
}
