//! Java, Kotlin and their relatives: Maven and Gradle projects, application classes, configuration of Spring, Quarkus and
//! Micronaut, schemas.

mod code;
mod configuration;
mod gradle;
mod maven;

use playbook_core::path::RelPath;

use super::ecosystem::{Code, is_production, needles, pin, pin_of_file};
use super::{Detector, ending};
use crate::fact::Facts;
use crate::parse::properties;
use crate::source::Source;

/// `pom.xml`, Gradle's scripts, version files, `application*.yml`, SQL of Spring's initialisation, Java and Kotlin source.
pub(crate) const DETECTOR: Detector = Detector {
    id: "jvm",
    wants,
    detect,
};

fn is_version_file(name: &str) -> bool {
    matches!(name, ".java-version" | ".sdkmanrc" | "system.properties")
}

fn wants(path: &RelPath) -> bool {
    path.name() == "pom.xml"
        || gradle::wants(path)
        || is_version_file(path.name())
        || configuration::wants(path)
        || code::is_schema(path)
        || code::is_changelog(path)
        || ending(path, &["java", "kt"])
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    let name = source.path.name();
    if name == "pom.xml" {
        maven::detect(source, facts);
    } else if gradle::wants(source.path) {
        gradle::detect(source, facts);
    } else if is_version_file(name) {
        versions(source, facts);
    } else if !is_production(source) {
    } else if configuration::wants(source.path) {
        configuration::detect(source, facts);
    } else if code::is_schema(source.path) {
        code::schema(source, facts);
    } else if code::is_changelog(source.path) {
        code::changelog(source, facts);
    } else {
        let language = if ending(source.path, &["kt"]) {
            "kotlin"
        } else {
            "java"
        };
        let Some(code) = Code::new(source, language) else {
            return;
        };
        needles(&code, language, facts);
        code::detect(&code, facts);
    }
}

fn versions(source: &Source<'_>, facts: &mut Facts) {
    match source.path.name() {
        ".java-version" => pin_of_file(source, facts, "jvm"),
        _ => {
            for entry in properties::entries(source.text) {
                if matches!(entry.key.as_str(), "java" | "java.runtime.version") {
                    pin(source, facts, "jvm", &entry.value, entry.line);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
