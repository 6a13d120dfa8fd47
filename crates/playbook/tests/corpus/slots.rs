//! A random text in every place of every file: whatever a parser takes for a name, a value, a key or a path, eight
//! characters of a text that no one would write never come out.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Mutex;

use playbook_planner::context::{Context, Settings};
use playbook_planner::render::{Templates, document, json};
use playbook_planner::rule::assess;
use playbook_planner::target::Targets;

use super::forms::Forms;
use super::kinds::Secret;
use super::random::Random;
use crate::support::{DATE, cases, files_below, targets};

/// Each word of a repository is replaced in one of so many rounds: the others keep the files readable.
const ROUNDS: usize = 8;
/// Characters of a planted text.
const LENGTH: usize = 24;

/// A repository in memory: its name, and path and text of its files.
struct Repository {
    name: String,
    files: Vec<(String, String)>,
}

/// Every fixture, and the tree of the corpus with a harmless word in place of its secrets.
fn repositories() -> Vec<Repository> {
    let read = |name: &str, folder: &Path| Repository {
        name: name.to_owned(),
        files: files_below(folder)
            .into_iter()
            .filter_map(|file| Some((file.clone(), fs::read_to_string(folder.join(&file)).ok()?)))
            .collect(),
    };
    let mut all: Vec<Repository> = cases()
        .iter()
        .map(|case| read(&case.name, &case.checkout))
        .collect();
    let mut tree = read(
        "tree",
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/tree"),
    );
    for (path, text) in &mut tree.files {
        for part in [path, text] {
            let parts: Vec<&str> = part.split("@@").collect();
            let words = parts
                .iter()
                .enumerate()
                .map(|(at, part)| if at % 2 == 1 { "value" } else { part });
            *part = words.collect();
        }
    }
    all.push(tree);
    all
}

/// Is the character part of a word, in all formats alike?
fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.')
}

/// Replaces the words whose turn it is, or puts the random text before, behind or into them.
fn plant(
    repository: &Repository,
    round: usize,
    random: &mut Random,
) -> (Vec<(String, String)>, Vec<Secret>, Vec<String>) {
    let mut planted = Vec::new();
    let mut places = Vec::new();
    let mut turn = round;
    let mut files = Vec::new();
    for (path, text) in &repository.files {
        let mut out = String::with_capacity(text.len() * 2);
        for (line, number) in text.lines().zip(1..) {
            let mut rest = line;
            while let Some(start) = rest.find(is_of_word) {
                let (before, from) = rest.split_at(start);
                let (word, behind) = from.split_at(from.find(|c| !is_of_word(c)).unwrap_or(from.len()));
                out.push_str(before);
                turn += 1;
                if turn.is_multiple_of(ROUNDS) {
                    let token = random.text("alnum", LENGTH);
                    let middle = word
                        .char_indices()
                        .nth(word.chars().count() / 2)
                        .map_or(0, |(at, _)| at);
                    let (head, tail) = word.split_at(middle);
                    let _ = match random.below(6) {
                        0 => write!(out, "{token}{word}"),
                        1 => write!(out, "{word}-{token}"),
                        2 => write!(out, "{head}{token}{tail}"),
                        _ => write!(out, "{token}"),
                    };
                    planted.push(Secret::whole(0, token));
                    places.push(format!("{}/{path}:{number} {word}", repository.name));
                } else {
                    out.push_str(word);
                }
                rest = behind;
            }
            out.push_str(rest);
            out.push('\n');
        }
        files.push((path.clone(), out));
    }
    (files, planted, places)
}

/// Both formats of what the program would print about these files.
fn printed(files: &[(String, String)], target: &str, templates: &Templates, targets: &Targets) -> String {
    let texts = files.iter().map(|(path, text)| (path.as_str(), text.as_str()));
    let scan = playbook_scanner::scan_texts(texts, "repository");
    let settings = Settings {
        target: Some(target.to_owned()),
        date: Some(DATE.to_owned()),
        ..Settings::default()
    };
    let context = Context::new(&scan.inventory, settings, targets).expect("the settings are right");
    let findings = assess(&scan.inventory, &context);
    let json = json(&scan.inventory, &findings, &context, &scan.withheld).expect("JSON is not refused");
    let plan = document(&scan.inventory, &context, &findings, &scan.withheld, templates);
    json + &plan.expect("the plan is not refused")
}

#[test]
fn a_random_text_in_any_place_does_not_come_out() {
    let templates = Templates::default();
    let known = Targets::load(&templates).expect("the built-in targets are right");
    let names = targets();
    let repositories = repositories();
    let work: Vec<(usize, usize)> = (0..repositories.len())
        .flat_map(|repository| (0..ROUNDS).map(move |round| (repository, round)))
        .collect();
    let next = Mutex::new(work.iter());
    let found: Mutex<(usize, BTreeSet<String>)> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from).min(8) {
            scope.spawn(|| {
                loop {
                    let Some((index, round)) = next.lock().expect("no thread panicked").next().copied()
                    else {
                        break;
                    };
                    let seed = u64::try_from(index * ROUNDS + round).expect("a small number");
                    let mut random = Random::new(seed);
                    let (files, planted, places) = plant(&repositories[index], round, &mut random);
                    let target = &names[(index + round) % names.len()];
                    let text = printed(&files, target, &templates, &known);
                    let leaks = Forms::new(&planted).find(&text);
                    let mut found = found.lock().expect("no thread panicked");
                    found.0 += planted.len();
                    found.1.extend(leaks.into_iter().map(|(owner, part)| {
                        let line = text.lines().find(|line| line.contains(part)).unwrap_or_default();
                        let line: String = line.trim().chars().take(160).collect();
                        format!("{}: {part}: {line}", places[owner])
                    }));
                }
            });
        }
    });
    let (planted, leaks) = found.into_inner().expect("no thread panicked");
    assert!(planted > 15_000, "{planted} places");
    assert!(
        leaks.is_empty(),
        "{} of {planted} leak:\n{}",
        leaks.len(),
        leaks.into_iter().take(100).collect::<Vec<_>>().join("\n")
    );
}
