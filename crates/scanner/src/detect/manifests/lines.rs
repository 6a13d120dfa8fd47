//! Manifests in a language of their own, of which single lines are read.

use playbook_core::harmless::Name;
use playbook_core::raw::Raw;

use crate::detect::ecosystem::{dependency, group, pattern, pin, project};
use crate::fact::{Facts, ProjectFact};
use crate::source::Source;

fn program(manifest: &mut ProjectFact, name: &str, line: u32) {
    let Some(name) = Name::parse(Raw::new(name)) else {
        return;
    };
    if !manifest.programs.iter().any(|(known, ..)| *known == name) {
        manifest.programs.push((name, None, line));
    }
}

fn named(manifest: &mut ProjectFact, source: &Source<'_>, name: &str, line: u32) {
    if let Some(name) = Name::parse(Raw::new(name)) {
        manifest.name = Some(name);
        manifest.evidence = source.at(line);
    }
}

/// The lines without the comments that begin with a mark.
fn lines<'a>(source: &Source<'a>, comment: &'static str) -> impl Iterator<Item = (u32, &'a str)> {
    source
        .numbered_lines()
        .filter(move |(_, text)| !text.trim_start().starts_with(comment))
}

pub(super) fn swift(source: &Source<'_>, facts: &mut Facts) {
    let mut manifest = project(source, "swift", "swift", "swift", Some("swift-package-manager"));
    let tools = pattern!(r"(?m)^//\s*swift-tools-version\s*:\s*(?P<version>[\d.]+)").first(source.text);
    if let Some(tools) = tools {
        let at = tools.get(0).map_or(0, |found| found.start());
        pin(
            source,
            facts,
            "swift",
            group(&tools, "version"),
            source.line_of(at),
        );
    }
    let mut open: Option<(&'static str, u32)> = None;
    for (line, text) in lines(source, "//") {
        if let Some(found) =
            pattern!(r#"\.package\s*\([^)]*?\burl:\s*"[^"]*/(?P<name>[\w.-]+?)(?:\.git)?"(?P<rest>[^)]*)"#)
                .first(text)
        {
            let rest = group(&found, "rest");
            let version = pattern!(r#""(?P<version>\d[^"]*)""#).first(rest);
            let version = version.map_or_else(String::new, |found| group(&found, "version").to_owned());
            manifest
                .dependencies
                .extend(dependency(group(&found, "name"), &version, false, line));
        }
        for (word, kind) in [
            ("Package(", "package"),
            (".executableTarget(", "program"),
            (".executable(", "program"),
            (".target(", "other"),
            (".testTarget(", "other"),
            (".library(", "other"),
        ] {
            if text.contains(word) {
                open = Some((kind, line));
                break;
            }
        }
        if let Some(name) = pattern!(r#"\bname:\s*"(?P<name>[^"]+)""#).first(text) {
            match open.take() {
                Some(("package", _)) => named(&mut manifest, source, group(&name, "name"), line),
                Some(("program", at)) => program(&mut manifest, group(&name, "name"), at),
                _ => {}
            }
        }
    }
    facts.projects.push(manifest);
}

pub(super) fn perl(source: &Source<'_>, facts: &mut Facts) {
    let mut manifest = project(source, "cpan", "perl", "perl", Some("cpan"));
    let mut development = 0u32;
    for (line, text) in lines(source, "#") {
        let opens = pattern!(r#"^\s*on\s+['"]?(?:test|develop|configure|build)\b"#).is(text);
        let nests = development > 0 && pattern!(r"^\s*(?:on|feature)\b.*\{\s*$").is(text);
        if opens || nests {
            development += 1;
        } else if text.trim_start().starts_with('}') {
            development = development.saturating_sub(1);
        }
        if let Some(found) = pattern!(
            r#"^\s*(?P<kind>test_|author_|configure_|build_)?(?:requires|recommends)\s*\(?\s*['"](?P<name>[\w:]+)['"](?:\s*(?:=>|,)\s*['"]?(?P<version>[^'";)]+))?"#
        )
        .first(text)
        {
            let (name, version) = (group(&found, "name"), group(&found, "version").trim());
            if name == "perl" {
                pin(source, facts, "perl", version, line);
                continue;
            }
            let later = development > 0 || !group(&found, "kind").is_empty();
            manifest.dependencies.extend(dependency(name, version, later, line));
        }
    }
    facts.projects.push(manifest);
}

pub(super) fn nim(source: &Source<'_>, facts: &mut Facts) {
    let mut manifest = project(source, "nimble", "nim", "nim", Some("nimble"));
    let stem = source.path.name().trim_end_matches(".nimble");
    named(&mut manifest, source, stem, 1);
    for (line, text) in lines(source, "#") {
        if let Some(found) = pattern!(r"^\s*requires\b(?P<list>.*)").first(text) {
            for package in pattern!(r#""(?P<name>[\w.-]+)\s*(?P<version>[^"]*)""#).all(group(&found, "list"))
            {
                let (name, version) = (group(&package, "name"), group(&package, "version").trim());
                if name == "nim" {
                    pin(source, facts, "nim", version, line);
                } else {
                    manifest
                        .dependencies
                        .extend(dependency(name, version, false, line));
                }
            }
        } else if let Some(found) = pattern!(r"^\s*(?:bin|namedBin)\s*(?:\[|=)(?P<list>.*)").first(text) {
            for name in pattern!(r#""(?P<name>[\w./-]+)""#).all(group(&found, "list")) {
                program(&mut manifest, group(&name, "name"), line);
            }
        }
    }
    facts.projects.push(manifest);
}

pub(super) fn zig(source: &Source<'_>, facts: &mut Facts) {
    let mut manifest = project(source, "zig", "zig", "zig", Some("zig"));
    let mut open = None;
    for (line, text) in lines(source, "//") {
        if text.contains("addExecutable(") {
            open = Some(line);
        }
        if let (Some(at), Some(name)) = (open, pattern!(r#"\.name\s*=\s*"(?P<name>[^"]+)""#).first(text)) {
            program(&mut manifest, group(&name, "name"), at);
            open = None;
        }
    }
    facts.projects.push(manifest);
}

pub(super) fn zig_package(source: &Source<'_>, facts: &mut Facts) {
    for (line, text) in lines(source, "//") {
        if let Some(found) = pattern!(r#"\.minimum_zig_version\s*=\s*"(?P<version>[^"]+)""#).first(text) {
            pin(source, facts, "zig", group(&found, "version"), line);
        }
    }
}

pub(super) fn erlang(source: &Source<'_>, facts: &mut Facts) {
    let mut manifest = project(source, "hex", "erlang", "beam", Some("rebar3"));
    let mut dependencies = false;
    for (line, text) in lines(source, "%") {
        if pattern!(r"^\s*\{\s*deps\s*,").is(text) {
            dependencies = true;
        }
        if dependencies {
            let rest = text.split_once("deps").map_or(text, |(_, rest)| rest);
            for found in pattern!(r#"\{\s*(?P<name>[a-z]\w*)\s*,\s*(?:"(?P<version>[^"]*)"|\{)"#).all(rest) {
                let (name, version) = (group(&found, "name"), group(&found, "version"));
                if !matches!(name, "git" | "tag" | "branch" | "ref" | "pkg" | "hg") {
                    manifest
                        .dependencies
                        .extend(dependency(name, version, false, line));
                }
            }
            dependencies = !text.trim_end().ends_with("]}.");
        }
        if let Some(found) = pattern!(r"\{\s*release\s*,\s*\{\s*(?P<name>[a-z]\w*)").first(text) {
            named(&mut manifest, source, group(&found, "name"), line);
            program(&mut manifest, group(&found, "name"), line);
        }
        if let Some(found) = pattern!(r#"\{\s*minimum_otp_vsn\s*,\s*"(?P<version>[^"]+)""#).first(text) {
            pin(source, facts, "erlang", group(&found, "version"), line);
        }
    }
    facts.projects.push(manifest);
}

pub(super) fn cabal_project(source: &Source<'_>, facts: &mut Facts) {
    for (line, text) in lines(source, "--") {
        if let Some(found) = pattern!(r"^\s*with-compiler:\s*ghc-(?P<version>[\d.]+)").first(text) {
            pin(source, facts, "haskell", group(&found, "version"), line);
        }
    }
}

pub(super) fn cabal(source: &Source<'_>, facts: &mut Facts) {
    let mut manifest = project(source, "hackage", "haskell", "haskell", Some("cabal"));
    let mut development = false;
    // How far the field is indented whose list of packages goes on.
    let mut packages: Option<usize> = None;
    for (line, text) in lines(source, "--") {
        let indent = text.len() - text.trim_start().len();
        let lower = text.trim().to_ascii_lowercase();
        if indent == 0 && !lower.is_empty() {
            let mut words = text.split_whitespace();
            let stanza = words.next().map(str::to_ascii_lowercase).unwrap_or_default();
            development = matches!(stanza.as_str(), "test-suite" | "benchmark");
            packages = None;
            if let ("executable", Some(name)) = (stanza.as_str(), words.next()) {
                program(&mut manifest, name, line);
            }
            if let ("name:", Some(name)) = (stanza.as_str(), text.split_whitespace().nth(1)) {
                named(&mut manifest, source, name, line);
            }
        }
        let list = if let Some(rest) = lower.strip_prefix("build-depends:") {
            packages = Some(indent);
            rest.to_owned()
        } else if packages.is_some_and(|field| indent > field) && !lower.is_empty() {
            lower
        } else {
            if !lower.is_empty() {
                packages = None;
            }
            continue;
        };
        for package in list.split(',') {
            let package = package.trim();
            let end = package
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '-')
                .unwrap_or(package.len());
            let (name, version) = package.split_at_checked(end).unwrap_or((package, ""));
            if !name.is_empty() {
                manifest
                    .dependencies
                    .extend(dependency(name, version.trim(), development, line));
            }
        }
    }
    facts.projects.push(manifest);
}

/// C or C++ by the endings of the files that a build names.
fn native(source: &Source<'_>, kind: &'static str) -> ProjectFact {
    let cpp = pattern!(r"\.(?:cc|cpp|cxx)\b|\bCXX\b|['\x22]cpp['\x22]").is(source.text)
        || !pattern!(r"\.c\b").is(source.text);
    project(source, kind, if cpp { "cpp" } else { "c" }, "", Some(kind))
}

pub(super) fn cmake(source: &Source<'_>, facts: &mut Facts) {
    let mut manifest = native(source, "cmake");
    let mut any = false;
    for (line, text) in lines(source, "#") {
        if let Some(found) = pattern!(r"(?i)^\s*project\s*\(\s*(?P<name>[\w.+-]+)").first(text) {
            named(&mut manifest, source, group(&found, "name"), line);
            any = true;
        } else if let Some(found) = pattern!(r"(?i)^\s*add_executable\s*\(\s*(?P<name>[\w.+-]+)").first(text)
        {
            let name = group(&found, "name");
            if !pattern!(r"(?i)(?:^|[_-])(?:tests?|bench(?:mark)?s?|examples?)(?:$|[_-])").is(name) {
                program(&mut manifest, name, line);
            }
        } else if let Some(found) =
            pattern!(r"(?i)^\s*find_package\s*\(\s*(?P<name>[\w.+-]+)(?:\s+(?P<version>\d[\d.]*))?")
                .first(text)
        {
            let version = group(&found, "version");
            manifest
                .dependencies
                .extend(dependency(group(&found, "name"), version, false, line));
        }
    }
    if any {
        facts.projects.push(manifest);
    }
}

pub(super) fn meson(source: &Source<'_>, facts: &mut Facts) {
    let mut manifest = native(source, "meson");
    let mut any = false;
    for (line, text) in lines(source, "#") {
        if let Some(found) = pattern!(r"^\s*project\s*\(\s*'(?P<name>[^']+)'").first(text) {
            named(&mut manifest, source, group(&found, "name"), line);
            any = true;
        } else if let Some(found) = pattern!(r"\bexecutable\s*\(\s*'(?P<name>[^']+)'").first(text) {
            program(&mut manifest, group(&found, "name"), line);
        } else if let Some(found) = pattern!(r"\bdependency\s*\(\s*'(?P<name>[^']+)'").first(text) {
            manifest
                .dependencies
                .extend(dependency(group(&found, "name"), "", false, line));
        }
    }
    if any {
        facts.projects.push(manifest);
    }
}
