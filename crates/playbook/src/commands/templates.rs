//! `playbook templates`: what `--templates` can replace.

use playbook_planner::render::Templates;

use crate::exit::Exit;
use crate::report::Report;

pub(super) fn run(name: Option<&str>, report: &Report) -> Exit {
    let templates = Templates::default();
    let Some(name) = name else {
        let names: Vec<&str> = templates.files().map(|(path, _)| path).collect();
        return super::print(report, &(names.join("\n") + "\n"));
    };
    if let Some((_, content)) = templates.files().find(|(path, _)| *path == name) {
        return super::print(report, content);
    }
    report.error("no template has this name", "`playbook templates` lists them");
    Exit::Failed
}
