//! Java, Kotlin, Scala, Groovy and Clojure: projects of Maven, Gradle, sbt, Leiningen and the Clojure tools, application
//! classes, configuration of the frameworks, schemas.

mod clojure;
mod code;
mod configuration;
mod gradle;
mod maven;
mod sbt;
mod version;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use playbook_core::path::RelPath;

use super::Detector;
use super::ecosystem::{Code, is_production, needles, texts};
use crate::fact::Facts;
use crate::language::{Language, language_of};
use crate::needle::Needles;
use crate::source::Source;

/// Build files, version files, `application*.yml` and `*.conf`, SQL of Spring's initialisation, source code.
pub(crate) const DETECTOR: Detector = Detector { wants, detect };

/// The languages of the JVM whose code is read; their endings stand with the languages.
const LANGUAGES: [&str; 4] = ["java", "kotlin", "scala", "groovy"];

/// Texts of which a source file has one if there is anything to tell of it, by language.
static NEEDLES: LazyLock<BTreeMap<&'static str, Needles>> = LazyLock::new(|| {
    LANGUAGES
        .iter()
        .map(|language| {
            let texts = texts(language).chain(code::NEEDLES.iter().copied());
            (*language, Needles::new(texts))
        })
        .collect()
});

fn wants(path: &RelPath) -> bool {
    path.name() == "pom.xml"
        || gradle::wants(path)
        || sbt::wants(path)
        || clojure::wants(path)
        || version::wants(path)
        || configuration::wants(path)
        || code::is_schema(path)
        || code::is_changelog(path)
        || language(path).is_some()
}

fn language(path: &RelPath) -> Option<&'static str> {
    language_of(path.as_str())
        .map(Language::name)
        .filter(|name| LANGUAGES.contains(name))
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    if source.path.name() == "pom.xml" {
        maven::detect(source, facts);
    } else if gradle::wants(source.path) {
        gradle::detect(source, facts);
    } else if sbt::wants(source.path) {
        sbt::detect(source, facts);
    } else if clojure::wants(source.path) {
        clojure::detect(source, facts);
    } else if version::wants(source.path) {
        version::detect(source, facts);
    } else if !is_production(source) {
    } else if configuration::wants(source.path) {
        configuration::detect(source, facts);
    } else if code::is_schema(source.path) {
        code::schema(source, facts);
    } else if code::is_changelog(source.path) {
        code::changelog(source, facts);
    } else if let Some(language) = language(source.path) {
        if !NEEDLES
            .get(language)
            .is_some_and(|needles| needles.any_in(source.text))
        {
            return;
        }
        let Some(code) = Code::new(source, language) else {
            return;
        };
        needles(&code, language, facts);
        code::detect(&code, facts);
    }
}

/// `group:artifact`. The version of Scala that libraries carry in their name is no part of it.
fn coordinates(group: &str, artifact: &str) -> String {
    let bare = ["_2.11", "_2.12", "_2.13", "_3"]
        .iter()
        .find_map(|suffix| artifact.strip_suffix(suffix))
        .unwrap_or(artifact);
    format!("{group}:{bare}")
}

#[cfg(test)]
mod tests;
