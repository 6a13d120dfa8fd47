//! sbt: packages, plugins, modules, and the versions of Scala, Java and sbt itself.

use playbook_core::harmless::{Name, Symbol};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;

use super::coordinates;
use super::version::java;
use crate::detect::ecosystem::{Code, dependency, group, pattern, pin, project, start};
use crate::detect::ending;
use crate::fact::Facts;
use crate::parse::properties;
use crate::source::Source;

pub(super) fn wants(path: &RelPath) -> bool {
    ending(path, &["sbt"]) || path.name() == "build.properties" && path.parent().name() == "project"
}

pub(super) fn detect(source: &Source<'_>, facts: &mut Facts) {
    if source.path.name() == "build.properties" {
        for entry in properties::entries(source.text) {
            if entry.key == "sbt.version" {
                pin(source, facts, "sbt", &entry.value, entry.line);
            }
        }
        return;
    }
    let Some(code) = Code::new(source, "scala") else {
        return;
    };
    let mut manifest = project(source, "maven", "scala", "jvm", Some("sbt"));
    // The plugins of `project/*.sbt` are the build's, which lies one folder above.
    let of_build = source.path.parent().name() == "project";
    if of_build {
        manifest.dir = source.path.parent().parent();
    }
    // `"org.postgresql" % "postgresql" % "42.7.3" % Test`; `%%` puts the version of Scala behind the name.
    for found in code.all(&pattern!(
        r#""(?P<group>[\w.\-]+)"\s*%{1,3}\s*"(?P<artifact>[\w.\-]+)"\s*%\s*(?:"(?P<version>[^"\n]+)"|[\w.]+)(?:\s*%\s*(?P<scope>"?[\w,> \-]+"?))?"#
    )) {
        let scope = group(&found, "scope").to_ascii_lowercase();
        let development = ["test", "provided", "it"].iter().any(|word| scope.trim_matches('"').starts_with(word));
        let coordinates = coordinates(group(&found, "group"), group(&found, "artifact"));
        manifest.dependencies.extend(dependency(
            &coordinates,
            group(&found, "version"),
            development,
            code.line(start(&found)),
        ));
    }
    // Play brings its modules as names of its plugin: `guice`, `jdbc`, `evolutions`.
    if let Some(found) = code.first(&pattern!(r"\benablePlugins\s*\([^)]*\bPlay\w*\b")) {
        manifest.dependencies.extend(dependency(
            "com.typesafe.play:play",
            "",
            false,
            code.line(start(&found)),
        ));
    }
    if let Some(found) = code.first(&pattern!(r#"(?m)\bname\s*:=\s*"(?P<name>[^"\n]+)""#)) {
        manifest.name = Name::parse(Raw::new(group(&found, "name")));
        manifest.evidence = source.at(code.line(start(&found)));
    }
    // `(project in file("api"))`, `project.in(file("api"))`
    for found in code.all(&pattern!(r#"\bin\s*\(?\s*file\s*\(\s*"(?P<module>[^"\n]+)""#)) {
        if group(&found, "module") != "." {
            manifest
                .members
                .extend(Name::parse(Raw::new(group(&found, "module"))));
        }
    }
    if let Some(found) = code.first(&pattern!(
        r#"\bmainClass\s*:=\s*Some\s*\(\s*"(?P<class>[\w.$]+)""#
    )) {
        let program = manifest.name.clone().or_else(|| Name::parse(Raw::new("app")));
        let class = Symbol::parse(Raw::new(group(&found, "class")));
        let line = code.line(start(&found));
        manifest
            .programs
            .extend(program.map(|program| (program, class, line)));
    }
    for found in code.all(&pattern!(
        r#"\bscalaVersion\s*:=\s*(?:"(?P<version>[^"\n]+)"|(?P<constant>\w+))"#
    )) {
        let constant = group(&found, "constant");
        let version = if constant.is_empty() {
            group(&found, "version").to_owned()
        } else {
            constant_value(&code, constant)
        };
        pin(source, facts, "scala", &version, code.line(start(&found)));
    }
    for found in code.all(&pattern!(
        r#""(?:-release|--release|-target|-java-output-version)(?::|"\s*,\s*"|\s)(?:jvm-)?(?P<version>\d[\d.]*)""#
    )) {
        java(source, facts, group(&found, "version"), code.line(start(&found)));
    }
    if !of_build || !manifest.dependencies.is_empty() {
        facts.projects.push(manifest);
    }
}

/// `val scala3Version = "3.2.2"`
fn constant_value(code: &Code<'_>, name: &str) -> String {
    code.all(&pattern!(r#"\bval\s+(?P<name>\w+)\s*=\s*"(?P<value>[^"\n]+)""#))
        .iter()
        .find(|found| group(found, "name") == name)
        .map_or_else(String::new, |found| group(found, "value").to_owned())
}
