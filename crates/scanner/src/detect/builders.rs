//! Builders that make an image from source and platforms with a file of a few lines: Railpack, Nixpacks, Zeabur,
//! CapRover.

use playbook_core::harmless::Version;
use playbook_core::inventory::{Unit, VariableSource, VersionPin};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use super::dockerfile::tool_of_variable;
use super::process::{self, Declared, Sheet, entries, text, word, word_of};
use super::{Detector, ending, judge, named};
use crate::fact::Facts;
use crate::parse::tree::Node;
use crate::parse::{json, toml};
use crate::source::Source;

pub(crate) const DETECTOR: Detector = Detector { wants, detect };

fn wants(path: &RelPath) -> bool {
    named(
        path,
        &[
            "railpack.json",
            "nixpacks.toml",
            "nixpacks.json",
            "zbpack.json",
            "captain-definition",
        ],
    )
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    let (root, problem) = if ending(source.path, &["toml"]) {
        toml::document(source.text)
    } else {
        json::document(source.text)
    };
    judge::problem(source, facts, problem);
    let Some(root) = root else { return };
    let mut sheet = Sheet::new(source, facts);
    let (kind, unit) = match source.path.name() {
        "railpack.json" => ("nixpacks", railpack(&mut sheet, &root)),
        "zbpack.json" => ("zeabur", zeabur(&mut sheet, &root)),
        "captain-definition" => ("caprover", caprover(&mut sheet, &root)),
        _ => ("nixpacks", nixpacks(&mut sheet, &root)),
    };
    if matches!(kind, "zeabur" | "caprover") {
        sheet.infrastructure(kind);
    }
    sheet.stack(kind, unit.into_iter().collect(), Vec::new());
}

/// The one process of a file: it has no name but its folder's.
fn process(sheet: &Sheet<'_, '_>, line: u32) -> Option<Unit> {
    let folder = sheet.folder();
    let name = if folder.is_root() { "app" } else { folder.name() };
    let mut unit = process::unit(sheet, name, "service", line)?;
    unit.root = Some(folder.clone());
    Some(unit)
}

fn railpack(sheet: &mut Sheet<'_, '_>, root: &Node) -> Option<Unit> {
    for (name, line, node) in entries(root, "packages") {
        pin(sheet, name, node, line);
    }
    let mut declared = Vec::new();
    for (name, line) in root.get("secrets").into_iter().flat_map(Node::texts) {
        let says = Declared {
            required: true,
            secret: true,
            ..Declared::default()
        };
        declared.extend(sheet.declared(name, line, VariableSource::Secret, says));
    }
    let (line, start) = root.get("deploy")?.get_entry("startCommand")?;
    let mut unit = process(sheet, line)?;
    unit.command = sheet.command_of(start);
    unit.build_command = root.path(&["steps", "build", "commands"]).and_then(|node| {
        let commands: Vec<&str> = node
            .texts()
            .map(|(text, _)| text)
            .filter(|text| *text != "...")
            .collect();
        sheet.command(&commands.join(" && "))
    });
    unit.variables = sheet.given_all(root.path(&["deploy", "variables"]));
    unit.variables.extend(declared);
    unit.runtime = word_of(root, "provider");
    Some(unit)
}

/// A package with its version fixes the runtime; `latest` fixes nothing.
fn pin(sheet: &mut Sheet<'_, '_>, name: &str, node: &Node, line: u32) {
    let tool = tool_of_variable(&format!("{name}_version"));
    let version = node
        .text()
        .filter(|text| text.starts_with(|c: char| c.is_ascii_digit()));
    if let (Some(tool), Some(version)) = (tool, version.and_then(|text| Version::parse(Raw::new(text)))) {
        let pin = VersionPin {
            tool: Shown::from(tool),
            version: version.into(),
            path: sheet.folder(),
            scope: sheet.scope,
            evidence: vec![sheet.at(line)],
        };
        sheet.facts.version_pins.push(pin);
    }
}

fn nixpacks(sheet: &mut Sheet<'_, '_>, root: &Node) -> Option<Unit> {
    let (line, start) = root.get("start")?.get_entry("cmd")?;
    let mut unit = process(sheet, line)?;
    unit.command = sheet.command_of(start);
    unit.build_command = root
        .path(&["phases", "build", "cmds"])
        .and_then(|node| sheet.commands_of(node));
    // Variables of the builder itself say nothing about the software.
    for (name, line, value) in entries(root, "variables") {
        if !name.starts_with("NIXPACKS_") {
            unit.variables
                .extend(value.text().and_then(|value| sheet.given(name, value, line)));
        }
    }
    unit.user = root.path(&["start", "user"]).and_then(Node::text).and_then(word);
    // `...` stands for what the builder finds by itself.
    unit.runtime = root.get("providers").and_then(|providers| {
        let mut named = providers.texts().filter(|(provider, _)| *provider != "...");
        word(named.next()?.0)
    });
    Some(unit)
}

fn zeabur(sheet: &mut Sheet<'_, '_>, root: &Node) -> Option<Unit> {
    let entry = ["start_command", "build_command", "dockerfile"]
        .iter()
        .find_map(|key| root.get_entry(key))?;
    let mut unit = process(sheet, entry.0)?;
    unit.command = root.get("start_command").and_then(|node| sheet.command_of(node));
    unit.build_command = root.get("build_command").and_then(|node| sheet.command_of(node));
    unit.pre_deploy = root
        .get("pre_start_command")
        .and_then(|node| sheet.command_of(node));
    let path = root.path(&["dockerfile", "path"]).and_then(Node::text);
    if path.is_some() {
        unit.build = Some(process::build(&sheet.folder(), path));
    }
    Some(unit)
}

/// A Dockerfile, an image, or the lines of a Dockerfile.
fn caprover(sheet: &mut Sheet<'_, '_>, root: &Node) -> Option<Unit> {
    let (line, _) = root.get_entry("schemaVersion")?;
    let mut unit = process(sheet, line)?;
    if let Some((line, image)) = root.get_entry("imageName") {
        sheet.image(&mut unit, image.text()?, line);
        unit.root = None;
    } else if let Some((line, path)) = root.get_entry("dockerfilePath") {
        unit.build = Some(process::build(&sheet.folder(), path.text()));
        unit.evidence.insert(0, sheet.at(line));
    } else {
        text(root, "templateId").or_else(|| root.get("dockerfileLines").map(|_| ""))?;
    }
    Some(unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::facts;
    use playbook_core::harmless::CommandLine;

    fn start(text: &str) -> Option<String> {
        let facts = facts(&DETECTOR, text);
        let unit = facts.stacks.first()?.units.first()?;
        unit.command
            .as_ref()
            .map(|command| CommandLine::as_str(command).to_owned())
    }

    #[test]
    fn start_commands() {
        for text in [
            "//- railpack.json\n{\"deploy\": {\"startCommand\": \"./serve --all\"}}\n",
            "//- nixpacks.toml\n[start]\ncmd = \"./serve --all\"\n",
            "//- nixpacks.json\n{\"start\": {\"cmd\": \"./serve --all\"}}\n",
            "//- zbpack.json\n{\"start_command\": \"./serve --all\"}\n",
        ] {
            assert_eq!(start(text).as_deref(), Some("./serve --all"), "{text}");
        }
    }

    #[test]
    fn packages_secrets_and_variables() {
        let facts = facts(
            &DETECTOR,
            "//- railpack.json
{\"packages\": {\"node\": \"22\", \"python\": \"latest\"},
 \"secrets\": [\"API_KEY\"],
 \"deploy\": {\"startCommand\": \"node .\", \"variables\": {\"LOG_LEVEL\": \"info\"}}}
",
        );
        assert_eq!(facts.version_pins.len(), 1);
        assert_eq!(facts.version_pins[0].version, "22");
        let names: Vec<_> = facts
            .variables
            .iter()
            .map(|fact| (fact.name.as_str(), fact.secret, fact.required))
            .collect();
        assert_eq!(names, [("API_KEY", true, true), ("LOG_LEVEL", false, false)]);
    }

    #[test]
    fn a_builder_without_a_start_is_no_process() {
        for text in [
            "//- railpack.json\n{\"provider\": \"node\"}\n",
            "//- nixpacks.toml\n[phases.setup]\naptPkgs = [\"ffmpeg\"]\n",
            "//- zbpack.json\n{}\n",
        ] {
            assert_eq!(facts(&DETECTOR, text).stacks.len(), 0, "{text}");
        }
    }

    #[test]
    fn an_image_of_its_own_dockerfile() {
        let facts = facts(
            &DETECTOR,
            "//- captain-definition\n{\"schemaVersion\": 2, \"dockerfilePath\": \"./docker/Dockerfile\"}\n",
        );
        let build = facts.stacks[0].units[0].build.as_ref();
        let file = build.and_then(|build| build.dockerfile.as_ref());
        assert_eq!(file.map(RelPath::as_str), Some("docker/Dockerfile"));
    }
}
