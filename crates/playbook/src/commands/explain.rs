//! `playbook explain`: a rule with its reason and remedy, or what the catalogue knows about a technology.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use playbook_core::technology::{Catalogue, Ecosystem, Technology};
use playbook_planner::rule::{Rule, rule};
use playbook_planner::rules::rules;

use crate::exit::Exit;
use crate::report::Report;

pub(super) fn run(name: Option<&str>, report: &Report) -> Exit {
    let Some(name) = name else {
        return super::print(report, &everything());
    };
    let name = name.trim().to_lowercase();
    let text = match rule(&name) {
        Some(rule) => of_rule(rule),
        None => Catalogue::get()
            .technologies()
            .iter()
            .filter(|technology| technology.id == name)
            .map(of_technology)
            .collect::<Vec<String>>()
            .join("\n"),
    };
    if text.is_empty() {
        report.error("no rule and no technology has this name", &hint(&name));
        return Exit::Failed;
    }
    super::print(report, &text)
}

fn slugs() -> BTreeSet<&'static str> {
    Catalogue::get()
        .technologies()
        .iter()
        .map(|technology| technology.id)
        .collect()
}

fn everything() -> String {
    let mut text = String::from("Rules:\n");
    let mut sorted: Vec<&Rule> = rules().to_vec();
    sorted.sort_by_key(|rule| rule.id);
    for rule in sorted {
        let _ = writeln!(text, "  {}  {}", rule.id, rule.title);
    }
    text.push_str("\nTechnologies:\n");
    for slug in slugs() {
        let _ = writeln!(text, "  {slug}");
    }
    text
}

/// Names that hold what was typed, or that it holds.
fn hint(name: &str) -> String {
    const MOST: usize = 8;
    let alike: Vec<&str> = rules()
        .iter()
        .map(|rule| rule.id)
        .chain(slugs())
        .filter(|known| !name.is_empty() && (known.contains(name) || known.len() > 3 && name.contains(known)))
        .take(MOST)
        .collect();
    if alike.is_empty() {
        "`playbook explain` lists all of them".to_owned()
    } else {
        format!("did you mean {}?", alike.join(", "))
    }
}

fn of_rule(rule: &Rule) -> String {
    format!(
        "{}\n\n{}\n\nSeverity: {}\nSection of the plan: {}\n\nWhy it matters\n  {}\n\nWhat to do\n  {}\n",
        rule.id, rule.title, rule.severity, rule.section, rule.why, rule.fix
    )
}

fn of_technology(technology: &Technology) -> String {
    let mut text = format!("{}: {}\n\n", technology.id, technology.name);
    row(&mut text, "Kind", technology.group.slug());
    row(&mut text, "Category", technology.category);
    row(&mut text, "Roles", &technology.roles.join(", "));
    if let Some(port) = technology.default_port {
        row(&mut text, "Default port", &port.to_string());
    }
    for (ecosystem, packages) in &technology.packages {
        row(
            &mut text,
            &format!("Packages ({})", Ecosystem::slug(*ecosystem)),
            &packages.join(", "),
        );
    }
    row(&mut text, "Images", &technology.images.join(", "));
    row(&mut text, "Variables", &technology.env.join(", "));
    row(
        &mut text,
        "Variables that begin with",
        &technology.env_prefixes.join(", "),
    );
    row(&mut text, "URL schemes", &technology.url_schemes.join(", "));
    row(&mut text, "Hosts", &technology.hosts.join(", "));
    row(&mut text, "Files", &technology.files.join(", "));
    row(&mut text, "Terraform resources", &technology.resources.join(", "));
    row(&mut text, "Proves", &technology.implies.join(", "));
    for cycle in &technology.cycles {
        let support = match (cycle.eol, cycle.ended) {
            (Some(day), _) => format!("supported until {day}"),
            (None, true) => "no longer supported".to_owned(),
            (None, false) => "supported".to_owned(),
        };
        row(
            &mut text,
            &format!("Version {}", cycle.version),
            &format!("{support} (read {})", cycle.source_date),
        );
    }
    for note in &technology.notes {
        let _ = writeln!(text, "- {note}");
    }
    text
}

fn row(text: &mut String, label: &str, value: &str) {
    if !value.is_empty() {
        let _ = writeln!(text, "{label}: {value}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_and_technology_can_be_explained() {
        for rule in rules() {
            let text = of_rule(rule);
            assert!(text.starts_with(rule.id) && text.contains(rule.fix), "{text}");
        }
        for technology in Catalogue::get().technologies() {
            let text = of_technology(technology);
            assert!(text.contains(technology.name), "{text}");
        }
    }

    #[test]
    fn the_hint_names_what_is_alike() {
        assert!(hint("postgres").contains("postgresql"));
        assert_eq!(hint("zzz"), "`playbook explain` lists all of them");
    }
}
