//! Files that name the version of Java or of a build tool.

use playbook_core::path::RelPath;

use crate::detect::ecosystem::{group, pattern, pin};
use crate::fact::Facts;
use crate::parse::properties;
use crate::source::Source;

pub(super) fn wants(path: &RelPath) -> bool {
    matches!(
        path.name(),
        ".java-version"
            | ".jdk-version"
            | ".sdkmanrc"
            | "system.properties"
            | "gradle-wrapper.properties"
            | "maven-wrapper.properties"
    )
}

pub(super) fn detect(source: &Source<'_>, facts: &mut Facts) {
    match source.path.name() {
        ".java-version" | ".jdk-version" => {
            let first = source
                .numbered_lines()
                .map(|(line, text)| (line, text.split('#').next().unwrap_or_default().trim()))
                .find(|(_, text)| !text.is_empty());
            if let Some((line, text)) = first {
                java(source, facts, text, line);
            }
        }
        "gradle-wrapper.properties" | "maven-wrapper.properties" => wrapper(source, facts),
        _ => {
            for entry in properties::entries(source.text) {
                match entry.key.as_str() {
                    "java" | "java.runtime.version" => java(source, facts, &entry.value, entry.line),
                    "gradle" => pin(source, facts, "gradle", &entry.value, entry.line),
                    "maven" => pin(source, facts, "maven", &entry.value, entry.line),
                    "sbt" => pin(source, facts, "sbt", &entry.value, entry.line),
                    _ => {}
                }
            }
        }
    }
}

/// `distributionUrl=https\://…/gradle-8.13-bin.zip`
fn wrapper(source: &Source<'_>, facts: &mut Facts) {
    for entry in properties::entries(source.text) {
        let found = pattern!(r"/(?P<tool>gradle|apache-maven)-(?P<version>\d[\d.]*)").first(&entry.value);
        if let (Some(found), "distributionUrl") = (found, entry.key.as_str()) {
            let tool = if group(&found, "tool") == "gradle" {
                "gradle"
            } else {
                "maven"
            };
            pin(
                source,
                facts,
                tool,
                group(&found, "version").trim_end_matches('.'),
                entry.line,
            );
        }
    }
}

/// Tells the release of Java: `zulu-8.86`, `21.0.2-tem`, `1.8`, `VERSION_17`.
pub(super) fn java(source: &Source<'_>, facts: &mut Facts, text: &str, line: u32) {
    let text = text.trim();
    if text == "latest" {
        pin(source, facts, "jvm", text, line);
        return;
    }
    // `[17,)` is a range, which the words before the number do not hold.
    let bare = text
        .trim_start_matches(|c: char| c.is_ascii_alphabetic() || matches!(c, '-' | '_' | '@' | '=' | ' '));
    let number: String = bare
        .replace('_', ".")
        .chars()
        .take_while(|c| c.is_ascii_digit() || *c == '.')
        .collect();
    let number = number.trim_end_matches('.');
    let release = number.strip_prefix("1.").unwrap_or(number);
    if !release.is_empty() {
        pin(source, facts, "jvm", release, line);
    }
}
