//! `Gemfile`, `gems.rb` and gem specifications: packages, groups, the version of Ruby.

use playbook_core::harmless::Name;
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;

use crate::detect::ecosystem::{dependency, group, pattern, pin, pin_of_file, project};
use crate::fact::Facts;
use crate::source::Source;

pub(super) fn wants(path: &RelPath) -> bool {
    matches!(
        path.name(),
        "Gemfile" | "gems.rb" | ".ruby-version" | "Gemfile.lock"
    ) || path.name().ends_with(".gemspec")
}

pub(super) fn detect(source: &Source<'_>, facts: &mut Facts) {
    match source.path.name() {
        "Gemfile" | "gems.rb" => gemfile(source, facts),
        "Gemfile.lock" => locked(source, facts),
        ".ruby-version" => pin_of_file(source, facts, "ruby"),
        _ => specification(source, facts),
    }
}

/// Groups that `bundle install` of production leaves out.
fn is_development(groups: &str) -> bool {
    let mut any = false;
    for name in groups
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|name| !name.is_empty())
    {
        if !matches!(
            name,
            "development" | "test" | "ci" | "lint" | "debug" | "rubocop" | "doc" | "docs" | "profile"
        ) {
            return false;
        }
        any = true;
    }
    any
}

fn gemfile(source: &Source<'_>, facts: &mut Facts) {
    let mut manifest = project(source, "rubygems", "ruby", "ruby", Some("bundler"));
    // For each open block: is it a group that production leaves out?
    let mut blocks: Vec<bool> = Vec::new();
    for (line, text) in source.numbered_lines() {
        let text = text.split(" #").next().unwrap_or_default().trim();
        if text.starts_with('#') {
            continue;
        }
        if let Some(found) = pattern!(r#"^ruby\s*\(?\s*["'](?P<version>[^"']+)["']"#).first(text) {
            pin(source, facts, "ruby", group(&found, "version"), line);
        }
        if text == "gemspec" || text.starts_with("gemspec ") {
            manifest.published = Some(true);
        }
        if let Some(found) = pattern!(
            r#"^gem\s*\(?\s*["'](?P<name>[^"']+)["'](?:\s*,\s*["'](?P<version>[^"']+)["'])?(?P<rest>.*)"#
        )
        .first(text)
        {
            let rest = group(&found, "rest");
            let inline = pattern!(r"(?:\bgroups?:|:groups?\s*=>)\s*(?P<groups>\[[^\]]*\]|:\w+)")
                .first(rest)
                .is_some_and(|found| is_development(group(&found, "groups")));
            let development = inline || blocks.contains(&true);
            manifest.dependencies.extend(dependency(
                group(&found, "name"),
                group(&found, "version"),
                development,
                line,
            ));
        }
        if text.ends_with(" do") || text.contains(" do |") {
            let groups = text.strip_prefix("group").unwrap_or_default();
            blocks.push(is_development(
                groups.trim_end_matches(" do").trim_matches(['(', ')', ' ']),
            ));
        } else if pattern!(r"^(?:if|unless|case|begin|def)\b").is(text) {
            blocks.push(false);
        } else if text == "end" {
            blocks.pop();
        }
    }
    facts.projects.push(manifest);
}

/// `RUBY VERSION` of the lockfile.
fn locked(source: &Source<'_>, facts: &mut Facts) {
    let mut after = false;
    for (line, text) in source.numbered_lines() {
        if after {
            if let Some(version) = text.trim().strip_prefix("ruby ") {
                let bare = version.split('p').next().unwrap_or(version);
                pin(source, facts, "ruby", bare, line);
            }
            return;
        }
        after = text == "RUBY VERSION";
    }
}

/// A library for others.
fn specification(source: &Source<'_>, facts: &mut Facts) {
    let mut manifest = project(source, "rubygems", "ruby", "ruby", Some("bundler"));
    manifest.published = Some(true);
    for (line, text) in source.numbered_lines() {
        if let Some(found) = pattern!(
            r#"^\s*\w+\.add_(?P<kind>(?:runtime_|development_)?)dependency\s*\(?\s*["'](?P<name>[^"']+)["'](?:\s*,\s*["'](?P<version>[^"']+)["'])?"#
        )
        .first(text)
        {
            manifest.dependencies.extend(dependency(
                group(&found, "name"),
                group(&found, "version"),
                group(&found, "kind") == "development_",
                line,
            ));
        } else if let Some(found) = pattern!(r#"^\s*\w+\.name\s*=\s*["'](?P<name>[^"']+)["']"#).first(text) {
            manifest.name = Name::parse(Raw::new(group(&found, "name")));
        }
    }
    facts.projects.push(manifest);
}
