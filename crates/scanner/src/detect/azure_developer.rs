//! The Azure Developer CLI: `azure.yaml` names the services of a solution, their folders and the Azure service that
//! hosts each.

use playbook_core::inventory::Unit;
use playbook_core::path::RelPath;
use playbook_core::shown::Shown;

use super::process::{self, Sheet, entries, text, word, word_of};
use super::{Detector, judge, named};
use crate::fact::Facts;
use crate::parse::tree::Node;
use crate::parse::yaml;
use crate::source::Source;

pub(crate) const DETECTOR: Detector = Detector { wants, detect };

fn wants(path: &RelPath) -> bool {
    named(path, &["azure.yaml", "azure.yml"])
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    let (root, problem) = yaml::document(source.text);
    judge::problem(source, facts, problem);
    let Some(root) = root else { return };
    let mut sheet = Sheet::new(source, facts);
    let before = hook(&mut sheet, &root, "predeploy");
    let mut units = Vec::new();
    for (name, line, node) in entries(&root, "services") {
        let Some(mut unit) = service(&mut sheet, name, line, node) else {
            continue;
        };
        unit.pre_deploy = hook(&mut sheet, node, "predeploy").or_else(|| before.clone());
        units.push(unit);
    }
    for (name, line, node) in entries(&root, "resources") {
        let kind = text(node, "type").unwrap_or_default();
        if let Some(kind) = Sheet::engine("azure_developer_resource", kind) {
            sheet.managed_store(kind, "azure", None, line);
            if let Some(mut unit) = process::unit(&sheet, name, "resource", line) {
                unit.datastore = Some(Shown::from(kind));
                units.push(unit);
            }
        }
    }
    sheet.stack("azure-developer-cli", units, Vec::new());
}

fn service(sheet: &mut Sheet<'_, '_>, name: &str, line: u32, node: &Node) -> Option<Unit> {
    let host = text(node, "host").unwrap_or_default();
    let kind = match host {
        "function" => "function",
        "staticwebapp" => "static",
        _ => "service",
    };
    let mut unit = process::unit(sheet, name, kind, line)?;
    let project = text(node, "project").and_then(|path| sheet.folder().join(path));
    // .NET services may name the project's file.
    let folder = project.map(|path| match path.name().rsplit_once('.') {
        Some((_, "csproj" | "fsproj" | "vbproj")) => path.parent(),
        _ => path,
    });
    unit.plan = word(host);
    unit.runtime = word_of(node, "language");
    if let Some(image) = node
        .get_entry("image")
        .and_then(|(line, image)| Some((line, image.text()?)))
    {
        sheet.image(&mut unit, image.1, image.0);
    }
    let docker = node.get("docker");
    let containers = matches!(host, "containerapp" | "aks");
    match (docker, &folder) {
        (Some(docker), Some(folder)) => {
            let mut build = process::build(folder, text(docker, "path"));
            if let Some(context) = text(docker, "context").and_then(|path| folder.join(path)) {
                build.context = Some(context);
            }
            build.target = word_of(docker, "target");
            unit.build = Some(build);
        }
        (None, Some(folder)) if containers && unit.image.is_none() => {
            unit.build = Some(process::build(folder, None));
        }
        _ => {}
    }
    unit.root = folder;
    Some(unit)
}

/// A hook is a command, a map with `run`, a list of such, or one for each operating system.
fn hook(sheet: &mut Sheet<'_, '_>, node: &Node, name: &str) -> Option<playbook_core::harmless::CommandLine> {
    let hook = node.path(&["hooks", name])?;
    let hook = hook.items().next().unwrap_or(hook);
    let hook = hook.get("posix").unwrap_or(hook);
    let command = hook.text().or_else(|| text(hook, "run"))?;
    sheet.command(command)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::facts;

    #[test]
    fn services_and_resources() {
        let facts = facts(
            &DETECTOR,
            "//- azure.yaml
name: shop
services:
  api:
    project: ./src/api
    language: python
    host: containerapp
  web:
    project: src/Web/Web.csproj
    language: csharp
    host: appservice
    hooks:
      predeploy:
        posix:
          shell: sh
          run: npm ci
  mails:
    project: src/mails
    host: function
resources:
  db:
    type: db.postgres
",
        );
        let units: Vec<_> = facts.stacks[0]
            .units
            .iter()
            .map(|unit| {
                (
                    unit.name.as_str(),
                    unit.kind.as_str(),
                    unit.root.as_ref().map(RelPath::as_str),
                    unit.build.is_some(),
                    unit.pre_deploy.is_some(),
                )
            })
            .collect();
        assert_eq!(
            units,
            [
                ("api", "service", Some("src/api"), true, false),
                ("web", "service", Some("src/Web"), false, true),
                ("mails", "function", Some("src/mails"), false, false),
                ("db", "resource", None, false, false),
            ]
        );
        assert_eq!(facts.stores[0].kind, "postgresql");
    }
}
