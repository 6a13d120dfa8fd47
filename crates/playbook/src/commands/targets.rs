//! `playbook targets`: the platforms that a plan can be written for.

use std::fmt::Write as _;
use std::path::Path;

use playbook_planner::target::Targets;

use crate::exit::Exit;
use crate::report::Report;

pub(super) fn run(templates: Option<&Path>, report: &Report) -> Exit {
    let templates = match super::load_templates(templates, report) {
        Ok(templates) => templates,
        Err(exit) => return exit,
    };
    let targets = match Targets::load(&templates) {
        Ok(targets) => targets,
        Err(error) => {
            report.error(
                &error.to_string(),
                "`playbook templates` lists what a folder of templates holds",
            );
            return Exit::Failed;
        }
    };
    let width = targets
        .iter()
        .map(|target| target.id.len())
        .max()
        .unwrap_or_default();
    let mut text = String::new();
    for target in targets.iter() {
        let _ = writeln!(
            text,
            "{:width$}  {}: {} (facts as of {})",
            target.id, target.name, target.summary, target.as_of
        );
    }
    super::print(report, &text)
}
