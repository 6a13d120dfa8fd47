//! `docs/reference/rules.md` is written from the rules themselves: `UPDATE=1` writes it, else it is compared.

#![expect(
    clippy::disallowed_methods,
    reason = "tests read and write the reference page of this repository"
)]

use std::fmt::Write as _;
use std::path::Path;

use playbook_planner::rules::rules;

const SECTIONS: [&str; 11] = [
    "Prerequisites",
    "Infrastructure",
    "Images",
    "Secrets and configuration",
    "Data",
    "Services",
    "Ingress",
    "Rollout",
    "Observability",
    "Readiness",
    "Docker and own hosts",
];

fn reference() -> String {
    let mut out = String::from(
        "# Rules\n\n\
         What `playbook` looks for, by the section of the plan that it concerns. Each finding names the places that prove it. \
         The severity is the usual one; a situation may make it better or worse.\n\n\
         | Severity | Meaning |\n|---|---|\n\
         | blocker | the deployment or the data fails with certainty |\n\
         | high | data is exposed or lost, or a release breaks on the documented path |\n\
         | medium | it breaks under load, failure or change |\n\
         | low | the rest |\n",
    );
    for (number, name) in (1_u8..).zip(SECTIONS) {
        let mut rules: Vec<_> = rules().iter().filter(|rule| rule.section == number).collect();
        rules.sort_by_key(|rule| rule.id);
        if rules.is_empty() {
            continue;
        }
        let _ = write!(out, "\n## {number}. {name}\n");
        for rule in rules {
            let _ = write!(
                out,
                "\n### {}\n\n{}. {}.\n\n{}\n\n**Fix.** {}\n",
                rule.id,
                capital(rule.severity.as_str()),
                rule.title,
                rule.why,
                rule.fix
            );
        }
    }
    out
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

#[test]
fn the_reference_page_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/rules.md");
    let page = reference();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &page).expect("the page can be written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "docs/reference/rules.md is out of date: run the test with UPDATE=1"
    );
}
