//! What is harmless has to be shown: withholding everything would be safe and useless.

use std::fs;

use super::parts;
use crate::support::{Case, cases, files_below};

/// A fact of `facts.toml`.
struct Fact {
    fixture: String,
    text: String,
    json: bool,
    markdown: bool,
}

fn facts() -> Vec<Fact> {
    let table: toml::Table = include_str!("facts.toml").parse().expect("facts.toml is TOML");
    let text = |table: &toml::Value, key: &str| {
        let value = table.get(key).and_then(toml::Value::as_str);
        value.unwrap_or_else(|| panic!("facts.toml: no {key}")).to_owned()
    };
    let mut all = Vec::new();
    for fixture in parts(&table, "fixture") {
        for fact in fixture
            .get("facts")
            .and_then(toml::Value::as_array)
            .into_iter()
            .flatten()
        {
            all.push(Fact {
                fixture: text(fixture, "name"),
                text: fact.as_str().expect("a fact is a text").to_owned(),
                json: true,
                markdown: true,
            });
        }
    }
    for exception in parts(&table, "exception") {
        assert!(text(exception, "why").len() >= 8, "an exception says why");
        all.push(Fact {
            fixture: text(exception, "fixture"),
            text: text(exception, "fact"),
            json: exception
                .get("json")
                .and_then(toml::Value::as_bool)
                .expect("json is true or false"),
            markdown: false,
        });
    }
    all
}

fn stands_in_the_repository(case: &Case, text: &str) -> bool {
    files_below(&case.checkout)
        .iter()
        .filter_map(|file| fs::read_to_string(case.checkout.join(file)).ok())
        .any(|content| content.contains(text))
}

#[test]
fn harmless_facts_are_shown() {
    let facts = facts();
    let all = facts.len();
    assert!(all >= 150, "{all} facts");
    let mut wrong = Vec::new();
    for case in cases() {
        let json = case.analyzed(&["--format", "json"]);
        let plan = case.analyzed(&[]);
        for fact in facts.iter().filter(|fact| fact.fixture == case.name) {
            if !stands_in_the_repository(case, &fact.text) {
                wrong.push(format!(
                    "{}: {} does not stand in the repository",
                    case.name, fact.text
                ));
            }
            for (format, promised, run) in [("JSON", fact.json, &json), ("Markdown", fact.markdown, &plan)] {
                if promised && !run.stdout.contains(&fact.text) {
                    wrong.push(format!("{}: {} is not in the {format}", case.name, fact.text));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    let shown = |is: fn(&Fact) -> bool| facts.iter().filter(|fact| is(fact)).count() * 100 / all;
    let (json, markdown) = (shown(|fact| fact.json), shown(|fact| fact.markdown));
    assert!(
        json >= 90 && markdown >= 85,
        "{json} % in the JSON, {markdown} % in the Markdown"
    );
}
