//! Gradle's scripts and catalogue of versions: packages, modules, the version of Java.

use playbook_core::harmless::Name;
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;

use crate::detect::ecosystem::{Code, dependency, group, pattern, pin, project, start};
use crate::detect::ending;
use crate::fact::{Dependency, Facts};
use crate::parse::toml;
use crate::parse::tree::Node;
use crate::source::Source;

pub(super) fn wants(path: &RelPath) -> bool {
    matches!(
        path.name(),
        "build.gradle"
            | "build.gradle.kts"
            | "settings.gradle"
            | "settings.gradle.kts"
            | "libs.versions.toml"
    )
}

pub(super) fn detect(source: &Source<'_>, facts: &mut Facts) {
    if source.path.name() == "libs.versions.toml" {
        catalogue(source, facts);
        return;
    }
    let language = if ending(source.path, &["kts"]) {
        "kotlin"
    } else {
        "groovy"
    };
    let Some(code) = Code::new(source, language) else {
        return;
    };
    if source.path.name().starts_with("settings") {
        settings(&code, facts);
    } else {
        build(&code, facts);
    }
}

/// Configurations whose packages do not run in production.
fn is_development(configuration: &str) -> bool {
    let lower = configuration.to_ascii_lowercase();
    lower.starts_with("test")
        || lower.contains("testimplementation")
        || lower.contains("annotationprocessor")
        || matches!(
            configuration,
            "developmentOnly"
                | "testAndDevelopmentOnly"
                | "compileOnly"
                | "kapt"
                | "ksp"
                | "detektPlugins"
                | "classpath"
        )
}

fn build(code: &Code<'_>, facts: &mut Facts) {
    let source = code.source;
    let kotlin = code
        .first(&pattern!(
            r#"(?:\bkotlin\s*\(\s*"jvm"|org\.jetbrains\.kotlin|plugins\.kotlin)"#
        ))
        .is_some()
        || source.text.contains("org.jetbrains.kotlin.jvm");
    let language = if kotlin { "kotlin" } else { "java" };
    let mut manifest = project(source, "maven", language, "jvm", Some("gradle"));
    for found in code.all(&pattern!(
        r#"(?m)^\s*(?P<configuration>[a-zA-Z]+)[ (]+(?:(?:enforcedPlatform|platform)\s*\(\s*)?["'](?P<group>[\w.\-]+):(?P<artifact>[\w.\-]+)(?::(?P<version>[^"'@:\n]+))?[^"'\n]*["']"#
    )) {
        let coordinates = format!("{}:{}", group(&found, "group"), group(&found, "artifact"));
        manifest.dependencies.extend(dependency(
            &coordinates,
            group(&found, "version"),
            is_development(group(&found, "configuration")),
            code.line(start(&found)),
        ));
    }
    // `id("org.springframework.boot") version "3.3.0"`
    for found in code.all(&pattern!(
        r#"(?m)^\s*id[ (]+["'](?P<id>[\w.\-]+)["']\s*\)?(?:\s*version\s*["'](?P<version>[^"'\n]+)["'])?(?P<rest>[^\n]*)"#
    )) {
        let line = code.line(start(&found));
        let id = group(&found, "id");
        if id == "org.springframework.boot" {
            pin(source, facts, "spring-boot", group(&found, "version"), line);
        }
        let applied = !group(&found, "rest").contains("apply false");
        if applied && matches!(id, "org.springframework.boot" | "io.quarkus") {
            let coordinates = format!("{id}:gradle-plugin");
            manifest
                .dependencies
                .extend(dependency(&coordinates, group(&found, "version"), false, line));
        }
        if id == "java-library" || id == "maven-publish" {
            manifest.published = manifest.published.or((id == "maven-publish").then_some(true));
        }
    }
    // `implementation(project(":common"))`
    for found in code.all(&pattern!(
        r#"(?m)^\s*(?P<configuration>[a-zA-Z]+)[ (]+project\s*\(\s*(?:path\s*[:=]\s*)?["']:(?P<path>[\w:.\-]+)["']"#
    )) {
        let name = group(&found, "path").rsplit(':').next().unwrap_or_default();
        let development = is_development(group(&found, "configuration"));
        manifest
            .dependencies
            .extend(dependency(name, "", development, code.line(start(&found))));
    }
    manifest.name = Name::parse(Raw::new(source.path.parent().name()));
    if let Some(found) = code.first(&pattern!(
        r#"(?:JavaLanguageVersion\.of\(\s*|jvmToolchain\(\s*|(?:sourceCompatibility|targetCompatibility)\s*=\s*(?:JavaVersion\.VERSION_(?:1_)?|JavaVersion\.toVersion\(\s*)?["']?)(?P<version>\d[\d.]*)"#
    )) {
        pin(source, facts, "jvm", group(&found, "version"), code.line(start(&found)));
    }
    super::code::quarkus(source, &manifest.dependencies, facts);
    facts.projects.push(manifest);
}

/// `include("api", ":lib:common")`.
fn settings(code: &Code<'_>, facts: &mut Facts) {
    let source = code.source;
    let mut manifest = project(source, "maven", "java", "jvm", Some("gradle"));
    for found in code.all(&pattern!(
        r"(?m)^\s*include[ (]+(?P<modules>[^)\n]*(?:\n[^)\n]*)*?)(?:\)|\n|$)"
    )) {
        for module in pattern!(r#"["']:?(?P<module>[\w:.\-/]+)["']"#).all(group(&found, "modules")) {
            let path = group(&module, "module").replace(':', "/");
            manifest.members.extend(Name::parse(Raw::new(&path)));
        }
    }
    if let Some(found) = code.first(&pattern!(
        r#"\brootProject\.name\s*=\s*["'](?P<name>[^"'\n]+)["']"#
    )) {
        manifest.name = Name::parse(Raw::new(group(&found, "name")));
        manifest.evidence = source.at(code.line(start(&found)));
    }
    facts.projects.push(manifest);
}

/// `gradle/libs.versions.toml`: what the scripts of this build may ask for by a short name.
fn catalogue(source: &Source<'_>, facts: &mut Facts) {
    let (tree, _) = toml::document(source.text);
    let Some(tree) = tree else { return };
    let version_of = |node: &Node| {
        let version = node.get("version")?;
        if let Some(text) = version.text() {
            return Some(text.to_owned());
        }
        let reference = version.get("ref")?.text()?;
        Some(tree.get("versions")?.get(reference)?.text()?.to_owned())
    };
    for (name, line, node) in tree.get("versions").into_iter().flat_map(Node::entries) {
        if matches!(name, "java" | "jdk" | "jvm" | "javaVersion" | "jvmTarget") {
            pin(source, facts, "jvm", node.text().unwrap_or_default(), line);
        }
    }
    let mut dependencies: Vec<Dependency> = Vec::new();
    for (alias, line, node) in tree.get("libraries").into_iter().flat_map(Node::entries) {
        let module = node
            .text()
            .or_else(|| node.get("module").and_then(Node::text))
            .map(str::to_owned)
            .or_else(|| {
                let group = node.get("group")?.text()?;
                Some(format!("{group}:{}", node.get("name")?.text()?))
            });
        let Some(module) = module else { continue };
        let mut parts = module.split(':');
        let coordinates = format!(
            "{}:{}",
            parts.next().unwrap_or_default(),
            parts.next().unwrap_or_default()
        );
        let version = version_of(node).or_else(|| parts.next().map(str::to_owned));
        let text = format!("{alias} {coordinates}");
        let development = [
            "test", "junit", "mockk", "mockito", "kotest", "assertj", "wiremock",
        ]
        .iter()
        .any(|word| text.contains(word));
        dependencies.extend(dependency(
            &coordinates,
            version.as_deref().unwrap_or_default(),
            development,
            line,
        ));
    }
    let mut manifest = project(source, "maven", "java", "jvm", Some("gradle"));
    let folder = source.path.parent();
    manifest.dir = if folder.name() == "gradle" {
        folder.parent()
    } else {
        folder
    };
    manifest.dependencies = dependencies;
    facts.projects.push(manifest);
}
