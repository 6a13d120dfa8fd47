//! `setup.py` and `setup.cfg`: the packages and programs that stand there as literals.

use super::super::known::words;
use super::super::syntax::{Code, Span};
use super::{Project, has_word, pin};
use crate::fact::Facts;
use crate::parse::ini;
use crate::source::Source;

/// `setup.py`.
pub(super) fn program(source: &Source<'_>, facts: &mut Facts) {
    let code = Code::new(source);
    let Some(call) = code.calls().into_iter().find(|call| {
        matches!(
            code.full_name(call.name).as_str(),
            "setup" | "setuptools.setup" | "distutils.core.setup"
        )
    }) else {
        return;
    };
    let mut project = Project::new(source, Some("pip"));
    for argument in code.arguments(&call) {
        let value = follow(&code, argument.value);
        let line = code.line(argument.value.start);
        match argument.keyword {
            Some("name") => project.name(&code.string(value).unwrap_or_default(), source.at(line)),
            Some("description") => project.description(&code.string(value).unwrap_or_default()),
            Some("license") => project.license(&code.string(value).unwrap_or_default()),
            Some("python_requires") => {
                pin(
                    facts,
                    source,
                    "python",
                    &code.string(value).unwrap_or_default(),
                    line,
                );
            }
            Some("install_requires") => packages(&code, &mut project, value, false),
            Some("extras_require") => {
                for (extra, list) in code.dictionary(value) {
                    packages(
                        &code,
                        &mut project,
                        follow(&code, list),
                        !has_word(&extra, &words().production_groups),
                    );
                }
            }
            Some("tests_require" | "setup_requires") => packages(&code, &mut project, value, true),
            Some("entry_points") => {
                for (group, list) in code.dictionary(value) {
                    if matches!(group.as_str(), "console_scripts" | "gui_scripts") {
                        for item in code.list(list).unwrap_or_default() {
                            let line = code.line(item.start);
                            program_line(&mut project, &code.string(item).unwrap_or_default(), line);
                        }
                    }
                }
            }
            _ => {}
        }
    }
    if !project.is_empty() {
        project.tell(facts);
    }
}

/// The value of a name of the top level, or the span itself.
fn follow(code: &Code<'_>, span: Span) -> Span {
    code.path(span)
        .and_then(|name| code.constant(name))
        .unwrap_or(span)
}

fn packages(code: &Code<'_>, project: &mut Project, span: Span, development: bool) {
    for item in code.list(span).unwrap_or_default() {
        if let Some(text) = code.string(item) {
            project.require(&text, development, code.line(item.start));
        }
    }
}

/// `name = module:function`.
fn program_line(project: &mut Project, text: &str, line: u32) {
    if let Some((name, entry)) = text.split_once('=') {
        project.program(name.trim(), Some(entry.trim()), line);
    }
}

/// `setup.cfg`.
pub(super) fn configuration(source: &Source<'_>, facts: &mut Facts) {
    let file = ini::parse(source.text);
    let mut project = Project::new(source, Some("pip"));
    let value = |section: &str, key: &str| file.get(section, key);
    if let Some(name) = value("metadata", "name") {
        project.name(&name.value, source.at(name.line));
    }
    project.description(value("metadata", "description").map_or("", |entry| &entry.value));
    project.license(value("metadata", "license").map_or("", |entry| &entry.value));
    if let Some(version) = value("options", "python_requires") {
        pin(facts, source, "python", &version.value, version.line);
    }
    let mut lines = |entry: &ini::Entry, development: bool| {
        for (text, line) in entry.value.lines().zip(entry.line..) {
            project.require(text.trim(), development, line);
        }
    };
    if let Some(entry) = value("options", "install_requires") {
        lines(entry, false);
    }
    if let Some(section) = file.section("options.extras_require") {
        for entry in &section.entries {
            lines(entry, !has_word(&entry.key, &words().production_groups));
        }
    }
    if let Some(entry) = value("options.entry_points", "console_scripts") {
        for (text, line) in entry.value.lines().zip(entry.line..) {
            program_line(&mut project, text, line);
        }
    }
    if !project.is_empty() {
        project.tell(facts);
    }
}
