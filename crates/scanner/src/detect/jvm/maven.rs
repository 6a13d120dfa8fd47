//! `pom.xml`: coordinates, modules, packages, the version of Java.

use std::collections::BTreeMap;

use playbook_core::harmless::{Name, Sentence};
use playbook_core::raw::Raw;

use crate::detect::ecosystem::{dependency, pin, project};
use crate::detect::syntax_problem;
use crate::fact::Facts;
use crate::parse::xml::{self, Element};
use crate::source::Source;

pub(super) fn detect(source: &Source<'_>, facts: &mut Facts) {
    let (root, problem) = xml::root(source.text);
    if let Some(problem) = problem {
        syntax_problem(source, problem, facts);
    }
    let Some(root) = root.filter(|root| root.name() == "project") else {
        return;
    };
    let properties: BTreeMap<&str, &str> = root
        .child("properties")
        .into_iter()
        .flat_map(Element::elements)
        .map(|property| (property.name(), property.text()))
        .collect();
    let text = |name: &str| {
        root.child(name)
            .map(|element| filled(element.text(), &properties))
    };
    let kotlin = root
        .descendants("artifactId")
        .iter()
        .any(|artifact| artifact.text() == "kotlin-maven-plugin");
    let language = if kotlin { "kotlin" } else { "java" };
    let mut manifest = project(source, "maven", language, "jvm", Some("maven"));
    let artifact = text("artifactId").unwrap_or_default();
    manifest.name = Name::parse(Raw::new(&artifact));
    manifest.description = text("description")
        .and_then(|text| Sentence::parse(Raw::new(&text)))
        .map(Into::into);
    manifest.members = root
        .child("modules")
        .into_iter()
        .flat_map(|modules| modules.children("module"))
        .filter_map(|module| Name::parse(Raw::new(module.text())))
        .collect();
    let aggregator = root
        .child("packaging")
        .is_some_and(|packaging| packaging.text() == "pom");
    if let Some(name) = root.child("artifactId") {
        manifest.evidence = source.at(name.line());
    }
    versions(source, &root, &properties, facts);
    if let Some(parent) = root.child("parent") {
        let field = |name: &str| parent.child(name).map_or("", Element::text);
        let coordinates = format!("{}:{}", field("groupId"), field("artifactId"));
        if !aggregator && !field("groupId").is_empty() {
            manifest
                .dependencies
                .extend(dependency(&coordinates, field("version"), false, parent.line()));
        }
        if field("artifactId").starts_with("spring-boot") {
            pin(source, facts, "spring-boot", field("version"), parent.line());
        }
    }
    for package in root
        .child("dependencies")
        .into_iter()
        .flat_map(|dependencies| dependencies.children("dependency"))
    {
        let field = |name: &str| filled(package.child(name).map_or("", Element::text), &properties);
        let artifact = field("artifactId");
        let development =
            matches!(field("scope").as_str(), "test" | "provided") || artifact.ends_with("-devtools");
        let coordinates = format!("{}:{artifact}", field("groupId"));
        manifest.dependencies.extend(dependency(
            &coordinates,
            &field("version"),
            development,
            package.line(),
        ));
    }
    super::code::quarkus(source, &manifest.dependencies, facts);
    facts.projects.push(manifest);
}

/// `${spring.version}` of the same file.
fn filled(text: &str, properties: &BTreeMap<&str, &str>) -> String {
    text.strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'))
        .map_or(text, |name| properties.get(name).copied().unwrap_or(""))
        .to_owned()
}

/// The properties and the compiler's settings that name the version of Java.
fn versions(source: &Source<'_>, root: &Element, properties: &BTreeMap<&str, &str>, facts: &mut Facts) {
    for name in [
        "java.version",
        "maven.compiler.release",
        "maven.compiler.target",
        "jdk.version",
        "jvmTarget",
    ] {
        if let Some(property) = root.child("properties").and_then(|all| all.child(name)) {
            pin(
                source,
                facts,
                "jvm",
                &filled(property.text(), properties),
                property.line(),
            );
            return;
        }
    }
    for plugin in root
        .path(&["build", "plugins"])
        .into_iter()
        .flat_map(|all| all.children("plugin"))
    {
        let release = ["release", "target"]
            .iter()
            .find_map(|name| plugin.path(&["configuration", name]));
        let compiler = plugin
            .child("artifactId")
            .is_some_and(|artifact| artifact.text() == "maven-compiler-plugin");
        if let (true, Some(release)) = (compiler, release) {
            pin(
                source,
                facts,
                "jvm",
                &filled(release.text(), properties),
                release.line(),
            );
        }
    }
}
