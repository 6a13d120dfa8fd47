//! Vercel and Netlify: the schedules and variables that their files state. What they serve, the code tells.

use playbook_core::path::RelPath;

use super::process::{Sheet, entries, items, text};
use super::{Detector, judge, named};
use crate::fact::Facts;
use crate::parse::tree::Node;
use crate::parse::{json, toml};
use crate::source::Source;

pub(crate) const DETECTOR: Detector = Detector { wants, detect };

fn wants(path: &RelPath) -> bool {
    named(path, &["vercel.json", "netlify.toml"])
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    let vercel = source.path.name() == "vercel.json";
    let (root, problem) = if vercel {
        json::document(source.text)
    } else {
        toml::document(source.text)
    };
    judge::problem(source, facts, problem);
    let Some(root) = root else { return };
    let mut sheet = Sheet::new(source, facts);
    if vercel {
        of_vercel(&mut sheet, &root);
    } else {
        of_netlify(&mut sheet, &root);
    }
}

/// `crons` request a path of the application; `env` of older files holds values or `@name` of secrets.
fn of_vercel(sheet: &mut Sheet<'_, '_>, root: &Node) {
    for node in items(root, "crons") {
        if let (Some((line, path)), Some(when)) = (node.get_entry("path"), text(node, "schedule")) {
            let name = path.text().unwrap_or_default().trim_start_matches('/');
            sheet.job(name, when, "vercel", line);
        }
    }
    for (name, line, value) in entries(root, "env") {
        if let Some(value) = value.text().filter(|value| !value.starts_with('@')) {
            sheet.given(name, value, line);
        }
    }
}

/// `[functions."name"] schedule = "@daily"`.
fn of_netlify(sheet: &mut Sheet<'_, '_>, root: &Node) {
    for (name, line, node) in entries(root, "functions") {
        if let Some(when) = text(node, "schedule") {
            sheet.job(name, when, "netlify", line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::facts;

    #[test]
    fn schedules() {
        let facts = facts(
            &DETECTOR,
            "//- vercel.json
{\"crons\": [{\"path\": \"/api/cleanup\", \"schedule\": \"0 3 * * *\"}], \"env\": {\"KEY\": \"@key\", \"MODE\": \"a1\"}}
//- netlify.toml
[build]
command = \"mkdocs build\"
[functions.report]
schedule = \"@daily\"
",
        );
        let jobs: Vec<_> = facts
            .jobs
            .iter()
            .map(|job| (job.name.as_str(), job.runner.as_str()))
            .collect();
        assert_eq!(jobs, [("api/cleanup", "vercel"), ("report", "netlify")]);
        assert_eq!(facts.variables.len(), 1);
    }
}
