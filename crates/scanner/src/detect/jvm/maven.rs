//! `pom.xml`: coordinates, modules, packages, the version of Java.

use std::collections::BTreeMap;

use playbook_core::harmless::{Name, Sentence};
use playbook_core::raw::Raw;

use super::configuration::table;
use super::coordinates;
use super::version::java;
use crate::detect::ecosystem::{dependency, pin, project};
use crate::detect::syntax_problem;
use crate::fact::{Dependency, Facts, InheritedFact};
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
    manifest.archive = archive(&root, &artifact, &properties);
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
    let own_group = root
        .child("groupId")
        .or_else(|| root.path(&["parent", "groupId"]))
        .map_or("", Element::text);
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
    let mut packages = Vec::new();
    for package in root
        .child("dependencies")
        .into_iter()
        .chain(production_profiles(&root))
        .flat_map(|dependencies| dependencies.children("dependency"))
    {
        packages_of(package, &properties, own_group, &mut packages);
    }
    if aggregator {
        facts
            .inherited
            .extend(packages.iter().cloned().map(|dependency| InheritedFact {
                manifest: source.path.clone(),
                package_manager: "maven",
                dependency,
            }));
    }
    manifest.dependencies.extend(packages);
    super::code::quarkus(source, &manifest.dependencies, facts);
    facts.projects.push(manifest);
}

/// Where the build leaves the program: its own name, or the artefact's with the version that it or its parent states.
fn archive(root: &Element, artifact: &str, properties: &BTreeMap<&str, &str>) -> Option<Name> {
    let ending = match root.child("packaging").map(Element::text) {
        None | Some("jar") => "jar",
        Some("war") => "war",
        _ => return None,
    };
    let version = root
        .child("version")
        .or_else(|| root.path(&["parent", "version"]))
        .map(|version| filled(version.text(), properties))?;
    let name = match root.path(&["build", "finalName"]).map(Element::text) {
        Some(name) => name
            .replace("${project.artifactId}", artifact)
            .replace("${project.name}", artifact)
            .replace("${project.version}", &version),
        None => format!("{artifact}-{version}"),
    };
    let known = !name.contains('$') && !artifact.is_empty() && !version.is_empty();
    known
        .then(|| Name::parse(Raw::new(&format!("target/{name}.{ending}"))))
        .flatten()
}

/// The packages of profiles, those for development and tests left out.
fn production_profiles(root: &Element) -> impl Iterator<Item = &Element> {
    root.child("profiles")
        .into_iter()
        .flat_map(|profiles| profiles.children("profile"))
        .filter(|profile| {
            let id = profile.child("id").map_or("", Element::text);
            !super::configuration::is_development(id)
        })
        .filter_map(|profile| profile.child("dependencies"))
}

/// A package, and the module of this build that it may be.
fn packages_of(
    package: &Element,
    properties: &BTreeMap<&str, &str>,
    own_group: &str,
    out: &mut Vec<Dependency>,
) {
    let field = |name: &str| filled(package.child(name).map_or("", Element::text), properties);
    let artifact = field("artifactId");
    let development =
        matches!(field("scope").as_str(), "test" | "provided") || artifact.ends_with("-devtools");
    let written = package.child("groupId").map_or("", Element::text);
    let of_this_build = matches!(
        written,
        "${project.groupId}" | "${project.parent.groupId}" | "${pom.groupId}"
    ) || written == own_group && !own_group.is_empty();
    let group = if of_this_build {
        own_group.to_owned()
    } else {
        field("groupId")
    };
    let coordinates = coordinates(&group, &artifact);
    out.extend(dependency(
        &coordinates,
        &field("version"),
        development,
        package.line(),
    ));
    if of_this_build {
        out.extend(dependency(&artifact, "", development, package.line()));
    }
}

/// `${spring.version}` of the same file.
fn filled(text: &str, properties: &BTreeMap<&str, &str>) -> String {
    text.strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'))
        .map_or(text, |name| properties.get(name).copied().unwrap_or(""))
        .to_owned()
}

/// Everything that names the version of Java: properties, the compiler's settings, toolchains.
fn versions(source: &Source<'_>, root: &Element, properties: &BTreeMap<&str, &str>, facts: &mut Facts) {
    for name in table::java_versions() {
        if let Some(property) = root.child("properties").and_then(|all| all.child(name)) {
            java(
                source,
                facts,
                &filled(property.text(), properties),
                property.line(),
            );
        }
    }
    for plugin in root
        .path(&["build", "plugins"])
        .into_iter()
        .chain(root.path(&["build", "pluginManagement", "plugins"]))
        .flat_map(|all| all.children("plugin"))
    {
        let of_plugin: &[&[&str]] = match plugin.child("artifactId").map_or("", Element::text) {
            "maven-compiler-plugin" => &[&["release"], &["target"], &["source"]],
            "kotlin-maven-plugin" => &[&["jvmTarget"]],
            "maven-toolchains-plugin" => &[&["toolchains", "jdk", "version"]],
            _ => &[],
        };
        let stated = of_plugin.iter().find_map(|keys| {
            let configuration = plugin.child("configuration")?;
            configuration.path(keys)
        });
        if let Some(stated) = stated {
            java(source, facts, &filled(stated.text(), properties), stated.line());
        }
    }
}
