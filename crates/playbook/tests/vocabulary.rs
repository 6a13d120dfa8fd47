//! A plan speaks of its repository. No technology is named in it that neither the inventory nor the target brings, and
//! most of its lines hold a fact.

use std::collections::BTreeSet;
use std::fs;

use playbook_core::technology::{Catalogue, Group};
use serde_json::Value;

use crate::support::{Case, cases, project, targets};

/// Groups whose names tell what a repository is made of.
const TELLING: [Group; 8] = [
    Group::Auth,
    Group::Datastore,
    Group::Driver,
    Group::ExternalService,
    Group::Framework,
    Group::Migration,
    Group::Orm,
    Group::Server,
];

/// Names that are words of English, of a protocol or of Unix too.
const WORDS: [&str; 7] = ["Echo", "Express", "LDAP", "Play", "SAML", "SMTP", "concurrently"];

/// Every text of an inventory, and every number.
fn texts(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| texts(item, into)),
        Value::Object(object) => object.values().for_each(|inner| texts(inner, into)),
        Value::String(text) => {
            into.insert(text.clone());
        }
        Value::Number(number) => {
            into.insert(number.to_string());
        }
        Value::Bool(_) | Value::Null => {}
    }
}

fn inventory(case: &Case) -> BTreeSet<String> {
    let run = case.analyzed(&["--format", "json"]);
    let value: Value = serde_json::from_str(&run.stdout).expect("the inventory is JSON");
    let mut facts = BTreeSet::new();
    for (key, inner) in value.as_object().expect("an object") {
        // The findings' sentences are the program's own.
        if key != "findings" {
            texts(inner, &mut facts);
        }
    }
    facts
}

/// Does a text hold a word, with nothing of a word on either side?
fn holds_word(text: &str, word: &str) -> bool {
    let of_word = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        !text.get(..at).is_some_and(|before| before.ends_with(of_word))
            && !text
                .get(at + word.len()..)
                .is_some_and(|after| after.starts_with(of_word))
    })
}

/// What a target brings: every text of its folder and of those that it builds upon.
fn brought(target: &str) -> String {
    let mut text = String::new();
    let mut next = Some(target.to_owned());
    while let Some(folder) = next.take() {
        let at = project().join("playbook-templates/targets").join(folder);
        for entry in fs::read_dir(at).expect("the target has a folder") {
            let path = entry.expect("the entry can be read").path();
            let content = fs::read_to_string(&path).expect("the file can be read");
            if path.ends_with("target.toml") {
                let table: toml::Table = content.parse().expect("target.toml is TOML");
                next = table
                    .get("extends")
                    .and_then(toml::Value::as_str)
                    .map(str::to_owned);
                for companion in table
                    .get("companions")
                    .and_then(toml::Value::as_array)
                    .into_iter()
                    .flatten()
                    .filter_map(toml::Value::as_str)
                {
                    let path = project()
                        .join("playbook-templates/companions")
                        .join(format!("{companion}.toml"));
                    text.push_str(&fs::read_to_string(path).expect("the companion is there"));
                }
            }
            text.push_str(&content);
            text.push('\n');
        }
    }
    text
}

/// The plan without its findings, whose sentences name remedies.
fn own_part(plan: &str) -> String {
    let is_finding = |line: &&str| {
        let number = line.strip_prefix("- R").unwrap_or_default();
        number.starts_with(|c: char| c.is_ascii_digit())
    };
    let lines: Vec<&str> = plan
        .lines()
        .take_while(|line| *line != "## Risk Assessment")
        .filter(|line| !is_finding(line))
        .collect();
    lines.join("\n")
}

/// Fixtures that have a plan.
fn repositories() -> impl Iterator<Item = &'static Case> {
    cases().iter().filter(|case| case.exit == 0)
}

#[test]
fn no_technology_is_named_that_nobody_brings() {
    let vocabulary: Vec<(&str, &str)> = TELLING
        .iter()
        .flat_map(|group| Catalogue::get().group(*group))
        .filter(|technology| technology.name.len() > 3 && !WORDS.contains(&technology.name))
        .map(|technology| (technology.id, technology.name))
        .collect();
    assert!(vocabulary.len() > 200, "{}", vocabulary.len());
    let first_words: BTreeSet<&str> = vocabulary.iter().map(|(_, name)| *name).collect();
    let known: Vec<(&Case, String)> = repositories()
        .map(|case| {
            let facts: Vec<String> = inventory(case).into_iter().collect();
            (case, facts.join("\n").to_lowercase())
        })
        .collect();
    let mut alien = BTreeSet::new();
    for target in targets() {
        let brought = brought(&target);
        for (case, facts) in &known {
            let plan = case.analyzed_for(&target);
            let text = own_part(&plan.stdout);
            for (id, name) in &vocabulary {
                let Some(line) = text.lines().find(|line| holds_word(line, name)) else {
                    continue;
                };
                // The command line of a framework is known with the framework.
                let first = name.split(' ').next().filter(|first| first_words.contains(first));
                let stated = [Some(*id), Some(*name), first]
                    .into_iter()
                    .flatten()
                    .any(|word| holds_word(facts, &word.to_lowercase()));
                if !stated && !holds_word(&brought, name) {
                    let line: String = line.chars().take(140).collect();
                    alien.insert(format!("{name} ({target}, {}): {line}", case.name));
                }
            }
        }
    }
    let alien: Vec<String> = alien.into_iter().collect();
    assert!(alien.is_empty(), "{} times:\n{}", alien.len(), alien.join("\n"));
}

/// Lines that hold words of their own: neither empty, nor marks of tables and fences, nor headings.
fn telling_lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| {
        !line.is_empty()
            && !line.starts_with("```")
            && !line.starts_with('#')
            && !line.starts_with("|--")
            && line.chars().filter(|c| c.is_alphabetic()).count() > 3
    })
}

/// Does a line hold a fact, as a word of its own?
fn is_specific(line: &str, facts: &BTreeSet<String>) -> bool {
    facts.iter().any(|fact| holds_word(line, fact))
}

/// The share, in percent, of a plan's lines that hold a fact of the inventory: a name, path, command, version, number
/// of it, or a parameter that stands for one.
fn specific_share(plan: &str, facts: &BTreeSet<String>) -> usize {
    let text = own_part(plan);
    let (specific, all) = telling_lines(&text).fold((0, 0), |(specific, all), line| {
        (specific + usize::from(is_specific(line, facts)), all + 1)
    });
    (specific * 100).checked_div(all).unwrap_or(0)
}

/// Facts that are no everyday words: what has a digit, a sign or a capital inside, and names of three letters or more
/// that the repository itself made up.
fn facts_of(case: &Case, plan: &str) -> BTreeSet<String> {
    let mut facts: BTreeSet<String> = inventory(case)
        .into_iter()
        .filter(|fact| fact.len() >= 3 && fact.len() <= 120)
        .filter(|fact| !EVERYDAY.contains(&fact.as_str()))
        .collect();
    // The parameters of section 1 carry facts and answers.
    facts.extend(
        plan.lines()
            .filter_map(|line| line.strip_prefix("export ")?.split('=').next())
            .map(|name| format!("${name}")),
    );
    facts
}

/// Words of the inventory's own vocabulary that every plan holds, whatever the repository.
const EVERYDAY: [&str; 24] = [
    "cache",
    "code",
    "command",
    "container",
    "convention",
    "database",
    "default",
    "derived",
    "deploy",
    "development",
    "file",
    "image",
    "job",
    "none",
    "path",
    "production",
    "queue",
    "service",
    "stated",
    "start",
    "static",
    "test",
    "tool",
    "volume",
];

/// Measured over all fixtures and targets: the least specific plans are those of a repository with published images
/// only and of one with functions only (27 and 28 %), the median is 42 %. The rest are heads of tables, the safety lines
/// of steps (*Expect*, *Undo*, *Blast radius*), facts of the platform and the shell around commands. The bounds lie just
/// below, so that a paragraph that says nothing of the repository shows. Raise them when the shares have risen.
const LEAST_SHARE: usize = 25;
const MEDIAN_SHARE: usize = 40;

#[test]
fn enough_lines_hold_a_fact_of_the_repository() {
    let mut shares = Vec::new();
    for target in targets() {
        for case in repositories() {
            let plan = case.analyzed_for(&target);
            let share = specific_share(&plan.stdout, &facts_of(case, &plan.stdout));
            shares.push((share, format!("{} on {target}", case.name)));
        }
    }
    shares.sort();
    let (least, which) = shares.first().expect("there are plans");
    assert!(
        *least >= LEAST_SHARE,
        "{which}: {least} % of the lines hold a fact, at least {LEAST_SHARE} are wanted; next: {:?}",
        shares.iter().skip(1).take(8).collect::<Vec<_>>()
    );
    let (median, _) = shares.get(shares.len() / 2).expect("there are plans");
    assert!(
        *median >= MEDIAN_SHARE,
        "in the middle {median} % of a plan's lines hold a fact, at least {MEDIAN_SHARE} are wanted"
    );
}

/// The measure itself can fail: a plan is generic for another repository's facts.
#[test]
fn facts_of_another_repository_are_not_found() {
    let cases: Vec<&Case> = repositories().collect();
    let own = cases.first().expect("there are fixtures");
    let plan = own.analyzed_for("compose");
    let with_own = specific_share(&plan.stdout, &facts_of(own, &plan.stdout));
    for other in cases.iter().skip(1) {
        let with_other = specific_share(&plan.stdout, &facts_of(other, ""));
        assert!(
            with_other + 10 <= with_own,
            "{}: {with_other} % with the facts of {}, {with_own} % with its own",
            own.name,
            other.name
        );
    }
}
