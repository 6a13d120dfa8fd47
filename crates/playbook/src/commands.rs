//! One file a command. Each returns how the program ends; only `report` prints.

mod analyze;
mod explain;
mod targets;
mod templates;

use std::collections::BTreeMap;
use std::path::Path;

use playbook_core::inventory::Inventory;
use playbook_planner::render::Templates;

use crate::args::{self, Command};
use crate::exit::Exit;
use crate::host;
use crate::report::{self, Report, WriteError};

/// Does what the user asked for.
pub(crate) fn run(command: Command, report: &mut Report) -> Exit {
    match command {
        Command::Analyze(arguments) => analyze::run(*arguments, report),
        Command::Targets { templates } => targets::run(templates.as_deref(), report),
        Command::Explain { name } => explain::run(name.as_deref(), report),
        Command::Templates { name } => templates::run(name.as_deref(), report),
        Command::Schema => print(report, &schema()),
        Command::Completions { shell } => completions(shell, report),
    }
}

/// Prints data and says how the program ends if that is all there is to do.
fn print(report: &Report, text: &str) -> Exit {
    written(report, report.data(text))
}

/// Reports what became of the output.
pub(crate) fn written(report: &Report, result: Result<(), WriteError>) -> Exit {
    match result {
        Ok(()) => Exit::Done,
        Err(error) => {
            if error == WriteError::Failed {
                report.error(
                    "standard output can't be written to",
                    "is the disk full? What was written so far is not a whole plan",
                );
            }
            error.into()
        }
    }
}

/// The JSON Schema of the inventory.
fn schema() -> String {
    let schema = schemars::schema_for!(Inventory);
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

fn completions(shell: clap_complete::Shell, report: &Report) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut args::command(), "playbook", &mut script);
    print(report, &String::from_utf8_lossy(&script))
}

/// The built-in templates with the user's laid over them.
fn load_templates(folder: Option<&Path>, report: &Report) -> Result<Templates, Exit> {
    let built_in = Templates::default();
    let Some(folder) = folder else {
        return Ok(built_in);
    };
    let files = host::read_folder(folder).map_err(|(path, error)| {
        report.error(
            &format!("{}: {}", report::path(&path), folder_reason(error)),
            "--templates names a folder laid out like the list of `playbook templates`",
        );
        Exit::Failed
    })?;
    let files: BTreeMap<String, String> = files
        .into_iter()
        .filter(|(name, _)| {
            let kept = has_extension(name, "md") || has_extension(name, "toml");
            if !kept {
                report.notice(&format!(
                    "{}: not a template, left out",
                    report::path(Path::new(name))
                ));
            }
            kept
        })
        .collect();
    for name in files.keys() {
        // A target of the user's own is a folder that we don't have.
        if !name.starts_with("targets/") && !built_in.files().any(|(known, _)| known == name) {
            report.notice(&format!(
                "{}: replaces no built-in template",
                report::path(Path::new(name))
            ));
        }
    }
    Ok(built_in.with_overlay(files))
}

fn has_extension(name: &str, extension: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|found| found == extension)
}

fn folder_reason(error: host::ReadError) -> &'static str {
    match error {
        host::ReadError::WrongKind => "is not a folder of files",
        other => other.reason(),
    }
}
