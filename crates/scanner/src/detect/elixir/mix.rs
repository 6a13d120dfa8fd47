//! `mix.exs`: the application, its packages, umbrellas, aliases.

use playbook_core::harmless::{CommandLine, Name, Symbol};
use playbook_core::raw::Raw;

use crate::detect::ecosystem::{Code, dependency, group, pattern, pin, project, start};
use crate::fact::{Facts, ScriptFact};

pub(super) fn detect(code: &Code<'_>, facts: &mut Facts) {
    let source = code.source;
    let mut manifest = project(source, "hex", "elixir", "beam", Some("mix"));
    if let Some(found) = code.first(&pattern!(r"\bapp:\s*:(?P<name>\w+)")) {
        manifest.name = Name::parse(Raw::new(group(&found, "name")));
        manifest.evidence = source.at(code.line(start(&found)));
    }
    if let Some(found) = code.first(&pattern!(r#"\belixir:\s*"(?P<version>[^"\n]+)""#)) {
        pin(
            source,
            facts,
            "beam",
            group(&found, "version"),
            code.line(start(&found)),
        );
    }
    if let Some(found) = code.first(&pattern!(r#"\bapps_path:\s*"(?P<path>[^"\n]+)""#)) {
        manifest
            .members
            .extend(Name::parse(Raw::new(&format!("{}/*", group(&found, "path")))));
    }
    // `package:` is what the registry of packages wants.
    if code.first(&pattern!(r"\bpackage:\s*(?:package\(|\[)")).is_some() {
        manifest.published = Some(true);
    }
    for found in code.all(&pattern!(
        r#"\{\s*:(?P<name>\w+)\s*,\s*(?:"(?P<version>[^"\n]*)"\s*,?)?(?P<rest>[^{}]*(?:\{[^{}]*\}[^{}]*)*)\}"#
    )) {
        let (version, rest) = (group(&found, "version"), group(&found, "rest"));
        let option = pattern!(
            r"^\s*(?:$|(?:only|git|github|path|in_umbrella|runtime|override|optional|app|env|branch|tag|ref|sparse|manager|hex|targets|compile|depth|organization|repo|system_env|submodules):)"
        );
        if !option.is(rest) || version.is_empty() && rest.trim().is_empty() {
            continue;
        }
        let only = pattern!(r"\bonly:\s*(?P<only>\[[^\]]*\]|:\w+)").first(rest);
        let development = only.is_some_and(|only| !group(&only, "only").contains("prod"))
            || rest.contains("runtime: false")
            || pattern!(r"runtime:\s*Mix\.env\(\)\s*==\s*:dev").is(rest);
        manifest.dependencies.extend(dependency(
            group(&found, "name"),
            version,
            development,
            code.line(start(&found)),
        ));
    }
    manifest.programs.extend(releases(code));
    aliases(code, facts);
    facts.projects.push(manifest);
}

/// `releases: [shop: [include_executables_for: [:unix]]]`: the programs that a release is started by.
fn releases(code: &Code<'_>) -> Vec<(Name, Option<Symbol>, u32)> {
    let Some(found) = code.first(&pattern!(r"\breleases:\s*\[(?P<body>\s*(?P<name>\w+):\s*\[)?")) else {
        return Vec::new();
    };
    Name::parse(Raw::new(group(&found, "name")))
        .map(|name| (name, None, code.line(start(&found))))
        .into_iter()
        .collect()
}

/// `"assets.deploy": ["tailwind shop", "phx.digest"]`: names of tasks of Mix.
fn aliases(code: &Code<'_>, facts: &mut Facts) {
    let Some(at) = code
        .plain()
        .find("defp aliases")
        .or_else(|| code.plain().find("def aliases"))
    else {
        return;
    };
    for found in pattern!(r#""?(?P<name>[a-z][\w.]*)"?:\s*\[(?P<tasks>[^\]]*)\]"#)
        .all(code.source.text.get(at..).unwrap_or_default())
    {
        let tasks: Vec<String> = pattern!(r#""(?P<task>[^"\n]+)""#)
            .all(group(&found, "tasks"))
            .iter()
            .map(|task| {
                let text = group(task, "task");
                text.strip_prefix("cmd ")
                    .map_or_else(|| format!("mix {text}"), str::to_owned)
            })
            .collect();
        let (Some(name), Some(command)) = (
            Name::parse(Raw::new(group(&found, "name"))),
            CommandLine::parse(Raw::new(&tasks.join(" && "))),
        ) else {
            continue;
        };
        facts.scripts.push(ScriptFact {
            dir: code.source.path.parent(),
            runner: "mix",
            name,
            command,
            evidence: code.source.at(code.line(at + start(&found))),
        });
    }
}
