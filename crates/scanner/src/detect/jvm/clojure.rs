//! Clojure: `project.clj` of Leiningen and `deps.edn` of the Clojure tools.

use playbook_core::harmless::{Name, Symbol};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;

use crate::detect::ecosystem::{Code, dependency, group, pattern, project, start};
use crate::fact::{Facts, ProjectFact};
use crate::source::Source;

pub(super) fn wants(path: &RelPath) -> bool {
    matches!(path.name(), "project.clj" | "deps.edn")
}

pub(super) fn detect(source: &Source<'_>, facts: &mut Facts) {
    let Some(code) = Code::new(source, "clojure") else {
        return;
    };
    let leiningen = source.path.name() == "project.clj";
    let manager = if leiningen { "leiningen" } else { "clojure-tools" };
    let mut manifest = project(source, "maven", "clojure", "jvm", Some(manager));
    if leiningen {
        of_leiningen(&code, &mut manifest);
    } else {
        of_tools(&code, &mut manifest);
    }
    facts.projects.push(manifest);
}

/// A package of Clojure without a group has its name as its group.
fn coordinates(name: &str) -> String {
    match name.split_once('/') {
        Some((group, artifact)) => format!("{group}:{artifact}"),
        None => format!("{name}:{name}"),
    }
}

fn of_leiningen(code: &Code<'_>, manifest: &mut ProjectFact) {
    let source = code.source;
    if let Some(found) = code.first(&pattern!(r"\(\s*defproject\s+(?P<name>[\w.\-/]+)")) {
        let name = group(&found, "name");
        manifest.name = Name::parse(Raw::new(name.rsplit('/').next().unwrap_or(name)));
        manifest.evidence = source.at(code.line(start(&found)));
    }
    // What profiles add (`:dev`, `:test`) stands behind `:profiles`.
    let profiles = code.plain().find(":profiles").unwrap_or(source.text.len());
    for found in code.all(&pattern!(
        r#"\[\s*(?P<name>[a-zA-Z][\w.\-]*(?:/[\w.\-]+)?)\s+"(?P<version>[^"\n]+)""#
    )) {
        let at = start(&found);
        manifest.dependencies.extend(dependency(
            &coordinates(group(&found, "name")),
            group(&found, "version"),
            at > profiles,
            code.line(at),
        ));
    }
    if let Some(found) = code.first(&pattern!(
        r":main\s+(?:\^:?[\w\-{}: ]*\s+)?(?P<main>[a-zA-Z][\w.\-]+)"
    )) {
        let program = manifest.name.clone().or_else(|| Name::parse(Raw::new("app")));
        let class = Symbol::parse(Raw::new(group(&found, "main")));
        let line = code.line(start(&found));
        manifest
            .programs
            .extend(program.map(|program| (program, class, line)));
    }
}

fn of_tools(code: &Code<'_>, manifest: &mut ProjectFact) {
    // Aliases name packages for development, tests and the build.
    let aliases = code.plain().find(":aliases").unwrap_or(code.source.text.len());
    for found in code.all(&pattern!(
        r#"(?P<name>[a-zA-Z][\w.\-]*(?:/[\w.\-]+)?)\s+\{[^{}]*:(?:mvn/version|git/tag)\s+"(?P<version>[^"\n]+)""#
    )) {
        let at = start(&found);
        manifest.dependencies.extend(dependency(
            &coordinates(group(&found, "name")),
            group(&found, "version"),
            at > aliases,
            code.line(at),
        ));
    }
    manifest.name = Name::parse(Raw::new(code.source.path.parent().name()));
}
