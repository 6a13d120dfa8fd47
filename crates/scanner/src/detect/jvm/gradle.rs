//! Gradle's scripts and catalogue of versions: packages, modules, the version of Java.

use std::collections::BTreeMap;

use playbook_core::harmless::{Name, Symbol, Version};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::technology::{Catalogue, Ecosystem, Group};

use super::coordinates;
use super::version::java;
use crate::detect::ecosystem::{Code, dependency, group, pattern, pin, project, start};
use crate::detect::ending;
use crate::fact::{AliasFact, Dependency, Facts, InheritedFact, ProjectFact, ROOT_MODULE};
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
    ) || path.name().ends_with(CATALOGUE)
        // Plugins of the build itself, which put packages and versions into every module.
        || path.name().ends_with(".gradle.kts") && path.as_str().contains("buildSrc/src/main/")
        || path.name().ends_with(".gradle") && path.as_str().contains("buildSrc/src/main/")
}

/// Ending of a catalogue of versions; what stands before it is the name that scripts use.
const CATALOGUE: &str = ".versions.toml";

pub(super) fn detect(source: &Source<'_>, facts: &mut Facts) {
    if source.path.name().ends_with(CATALOGUE) {
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
    let shares = code.has("subprojects") || code.has("allprojects");
    for (found, at) in packages(code, &mut manifest) {
        // What a `subprojects` block asks for, every module gets.
        let headers = if shares { code.headers(at) } else { Vec::new() };
        let header = |name: &str| headers.iter().any(|header| header.trim().ends_with(name));
        let below = header("subprojects");
        if below || header("allprojects") {
            facts.inherited.push(InheritedFact {
                manifest: source.path.clone(),
                package_manager: "gradle",
                dependency: found.clone(),
            });
        }
        // The packages of the build script itself are none of the program.
        if !below && !header("buildscript") {
            manifest.dependencies.push(found);
        }
    }
    if let (None, Some(name)) = (&manifest.name, Name::parse(Raw::new(source.path.parent().name()))) {
        manifest.name = Some(name);
    }
    manifest.archive = archive(code, manifest.name.as_ref());
    if let Some(found) = code.first(&pattern!(
        r#"\bmainClass(?:Name)?(?:\.set\(|\s*=)\s*["'](?P<class>[\w.$]+)["']"#
    )) {
        let program = manifest.name.clone().or_else(|| Name::parse(Raw::new("app")));
        let class = Symbol::parse(Raw::new(group(&found, "class")));
        let line = code.line(start(&found));
        manifest
            .programs
            .extend(program.map(|program| (program, class, line)));
    }
    for found in code.all(&pattern!(
        r#"(?:JavaLanguageVersion\.of\(\s*|jvmToolchain\(\s*|options\.release(?:\.set\(|\s*=)\s*|(?:sourceCompatibility|targetCompatibility)\s*=?\s*(?:JavaVersion\.VERSION_|JavaVersion\.toVersion\(\s*)?["']?|jvmTarget(?:\.set\(|\s*=)\s*(?:JvmTarget\.JVM_)?["']?)(?P<version>\d[\d._]*)"#
    )) {
        java(source, facts, group(&found, "version"), code.line(start(&found)));
    }
    super::code::quarkus(source, &manifest.dependencies, facts);
    facts.projects.push(manifest);
}

/// Where the build leaves the program: the name that the script gives it, or the module's with the version. The root's
/// module is called what the settings say; `resolve` fills that in.
fn archive(code: &Code<'_>, module: Option<&Name>) -> Option<Name> {
    let stated = code
        .first(&pattern!(
            r#"\barchiveFileName(?:\.set\(|\s*=)\s*["'](?P<name>[\w.\-]+\.[jw]ar)["']"#
        ))
        .map(|found| group(&found, "name").to_owned());
    let base = code
        .first(&pattern!(
            r#"\barchiveBaseName(?:\.set\(|\s*=)\s*["'](?P<name>[\w.\-]+)["']"#
        ))
        .map(|found| group(&found, "name").to_owned());
    let version = code
        .first(&pattern!(
            r#"(?m)^[ \t]*version\s*=\s*["'](?P<version>[\w.\-]+)["']"#
        ))
        .map(|found| format!("-{}", group(&found, "version")))
        .unwrap_or_default();
    let of_root = code.source.path.parent().is_root();
    let module = module
        .map(Name::as_str)
        .filter(|_| !of_root)
        .unwrap_or(ROOT_MODULE);
    let name = stated.unwrap_or_else(|| format!("{}{version}.jar", base.as_deref().unwrap_or(module)));
    Name::parse(Raw::new(&format!("build/libs/{name}")))
}

/// The packages, plugins and modules that a script asks for, with their places.
fn packages(code: &Code<'_>, manifest: &mut ProjectFact) -> Vec<(Dependency, usize)> {
    let mut out: Vec<(Dependency, usize)> = Vec::new();
    let mut add = |name: &str, version: &str, development: bool, at: usize| {
        out.extend(dependency(name, version, development, code.line(at)).map(|found| (found, at)));
    };
    // `implementation("group:artifact:version")`
    for found in code.all(&pattern!(
        r#"(?m)^\s*(?P<configuration>[a-zA-Z]+)[ (]+(?:(?:enforcedPlatform|platform)\s*\(\s*)?["'](?P<group>[\w.\-]+):(?P<artifact>[\w.\-]+)(?::(?P<version>[^"'@:\n]+))?[^"'\n]*["']"#
    )) {
        let coordinates = coordinates(group(&found, "group"), group(&found, "artifact"));
        let development = is_development(group(&found, "configuration"));
        add(&coordinates, group(&found, "version"), development, start(&found));
    }
    // `implementation group: 'g', name: 'a', version: '1'`
    for found in code.all(&pattern!(
        r#"(?m)^\s*(?P<configuration>[a-zA-Z]+)[ (]+group\s*[:=]\s*["'](?P<group>[\w.\-]+)["']\s*,\s*name\s*[:=]\s*["'](?P<artifact>[\w.\-]+)["'](?:\s*,\s*version\s*[:=]\s*["'](?P<version>[^"'\n]+)["'])?"#
    )) {
        let coordinates = coordinates(group(&found, "group"), group(&found, "artifact"));
        let development = is_development(group(&found, "configuration"));
        add(&coordinates, group(&found, "version"), development, start(&found));
    }
    // `implementation(libs.spring.web)`: the catalogue tells what it is. Only names with a dot can be such.
    for found in code.all(&pattern!(
        r"(?m)^\s*(?P<configuration>[a-zA-Z]+)[ (]+(?:(?:enforcedPlatform|platform)\s*\(\s*)?(?P<alias>[a-z]\w*(?:\.\w+)+)\s*\)?\s*\)?\s*(?:\{[^\n]*)?$"
    )) {
        let development = is_development(group(&found, "configuration"));
        add(group(&found, "alias"), "", development, start(&found));
    }
    // `id("org.springframework.boot") version "3.3.0"`, `id 'application'`
    for found in code.all(&pattern!(
        r#"(?m)^\s*id[ (]+["'](?P<id>[\w.\-]+)["']\s*\)?(?:\s*version\s*["'](?P<version>[^"'\n]+)["'])?(?P<rest>[^\n]*)"#
    )) {
        let id = group(&found, "id");
        if id == "maven-publish" {
            manifest.published = Some(true);
        }
        if !group(&found, "rest").contains("apply false") {
            add(&format!("{id}:gradle-plugin"), group(&found, "version"), !is_framework(id), start(&found));
        }
    }
    // `apply plugin: 'org.springframework.boot'`
    for found in code.all(&pattern!(
        r#"(?m)^\s*apply[ (]+plugin\s*[:=]\s*["'](?P<id>[\w.\-]+)["']"#
    )) {
        let id = group(&found, "id");
        add(
            &format!("{id}:gradle-plugin"),
            "",
            !is_framework(id),
            start(&found),
        );
    }
    // `implementation(project(":common"))`
    for found in code.all(&pattern!(
        r#"(?m)^\s*(?P<configuration>[a-zA-Z]+)[ (]+project\s*\(\s*(?:path\s*[:=]\s*)?["']:(?P<path>[\w:.\-]+)["']"#
    )) {
        let name = group(&found, "path").rsplit(':').next().unwrap_or_default();
        add(name, "", is_development(group(&found, "configuration")), start(&found));
    }
    // `implementation(projects.lib.common)`: the accessor of a module.
    for (found, _) in &mut out {
        if let Some(path) = found.name.as_str().strip_prefix("projects.") {
            let module = path.rsplit('.').next().unwrap_or(path);
            if let Some(name) = Name::parse(Raw::new(module)) {
                found.name = name;
            }
        }
    }
    out
}

/// Plugins that stand for the framework of the program; the others only build it.
fn is_framework(id: &str) -> bool {
    Catalogue::get()
        .by_package(Ecosystem::Maven, &format!("{id}:gradle-plugin"))
        .iter()
        .any(|found| found.technology.group == Group::Framework)
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
            java(source, facts, node.text().unwrap_or_default(), line);
        }
    }
    let folder = source.path.parent();
    let dir = if folder.name() == "gradle" {
        folder.parent()
    } else {
        folder
    };
    let root = source
        .path
        .name()
        .strip_suffix(CATALOGUE)
        .unwrap_or("libs")
        .to_owned();
    let short = |section: &str, alias: &str| {
        let alias = alias.replace(['-', '_'], ".");
        Name::parse(Raw::new(&format!("{root}{section}.{alias}")))
    };
    let mut libraries: BTreeMap<String, (Name, Option<Version>)> = BTreeMap::new();
    for (alias, _, node) in tree.get("libraries").into_iter().flat_map(Node::entries) {
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
        let coordinates = coordinates(parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let version = version_of(node).or_else(|| parts.next().map(str::to_owned));
        let Some(name) = Name::parse(Raw::new(&coordinates)) else {
            continue;
        };
        let version = version.and_then(|version| Version::parse(Raw::new(&version)));
        libraries.insert(alias.to_owned(), (name, version));
    }
    for (alias, library) in &libraries {
        facts.aliases.extend(short("", alias).map(|alias| AliasFact {
            dir: dir.clone(),
            alias,
            packages: vec![library.clone()],
        }));
    }
    for (alias, _, node) in tree.get("bundles").into_iter().flat_map(Node::entries) {
        let packages = node
            .texts()
            .filter_map(|(library, _)| libraries.get(library).cloned())
            .collect();
        facts
            .aliases
            .extend(short(".bundles", alias).map(|alias| AliasFact {
                dir: dir.clone(),
                alias,
                packages,
            }));
    }
    for (alias, line, node) in tree.get("plugins").into_iter().flat_map(Node::entries) {
        let text = node
            .get("id")
            .or(Some(node))
            .and_then(Node::text)
            .unwrap_or_default();
        let (id, inline) = text.split_once(':').unwrap_or((text, ""));
        let version = version_of(node).unwrap_or_else(|| inline.to_owned());
        if id == "org.springframework.boot" {
            pin(source, facts, "spring-boot", &version, line);
        }
        let name = Name::parse(Raw::new(&format!("{id}:gradle-plugin")));
        if let (Some(alias), Some(name)) = (short(".plugins", alias), name) {
            facts.aliases.push(AliasFact {
                dir: dir.clone(),
                alias,
                packages: vec![(name, Version::parse(Raw::new(&version)))],
            });
        }
    }
    let mut manifest = project(source, "maven", "java", "jvm", Some("gradle"));
    manifest.dir = dir;
    facts.projects.push(manifest);
}
