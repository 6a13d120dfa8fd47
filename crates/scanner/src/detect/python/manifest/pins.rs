//! Files that name nothing but the version of Python: `.python-version`, `runtime.txt`.

use super::pin;
use crate::fact::Facts;
use crate::source::Source;

pub(super) fn wants(name: &str) -> bool {
    matches!(name, ".python-version" | ".python-versions" | "runtime.txt")
}

pub(super) fn detect(source: &Source<'_>, facts: &mut Facts) {
    if source.path.name() == "runtime.txt" {
        for (line, text) in source.numbered_lines() {
            if let Some(version) = text.trim().strip_prefix("python-") {
                pin(facts, source, "python", version, line);
            }
        }
        return;
    }
    let first = source
        .numbered_lines()
        .map(|(line, text)| (line, text.split('#').next().unwrap_or_default().trim()))
        .find(|(_, text)| !text.is_empty());
    if let Some((line, text)) = first {
        // `cpython-3.12.1-linux` is how uv writes a version in full.
        let version = text
            .trim_start_matches("cpython-")
            .trim_start_matches("cpython@")
            .trim_start_matches("python-");
        pin(
            facts,
            source,
            "python",
            version.split("-linux").next().unwrap_or(version),
            line,
        );
    }
}
