//! Made-up secrets of many kinds in many places, of which nothing may be printed: in no format, on neither stream, at no
//! verbosity, in no common disguise, not even eight characters.

mod facts;
mod forms;
mod kinds;
mod leaky;
mod random;
mod slots;
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::Mutex;

use self::forms::Forms;
use self::kinds::{Kind, kinds};
use self::tree::{Tree, plant};
use crate::support::{DATE, Run, empty_folder, playbook, targets};

/// Seeds of one run of the tests.
const SEEDS: u64 = 20;

/// The tables of a list.
fn parts<'t>(table: &'t toml::Table, name: &str) -> impl Iterator<Item = &'t toml::Value> {
    let list = table.get(name).and_then(toml::Value::as_array);
    list.unwrap_or_else(|| panic!("no list of {name}")).iter()
}

/// Writes a tree into a folder of its own and runs the program on it in every way.
fn runs(tree: &Tree, seed: u64, targets: &[String]) -> Vec<(String, Run)> {
    let folder = empty_folder(&format!("corpus-{seed}"));
    for (path, text) in &tree.files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("the folder can be made");
        fs::write(path, text).expect("the file can be written");
    }
    let folder = folder.to_str().expect("a plain path");
    let target = |offset: usize| {
        let at = usize::try_from(seed).expect("a small seed") * 2 + offset;
        targets[at % targets.len()].as_str()
    };
    let ways: [Vec<&str>; 4] = [
        vec!["--format", "json"],
        vec!["-v", "--fail-on", "low"],
        vec!["--quiet", "--target", target(0)],
        vec!["-vv", "--color", "always", "--target", target(1)],
    ];
    let all = ways
        .into_iter()
        .map(|way| {
            let run = playbook(["analyze", folder, "--date", DATE].iter().chain(&way));
            (way.join(" "), run)
        })
        .collect();
    fs::remove_dir_all(folder).expect("the folder can be removed");
    all
}

/// What leaked, as lines for a message.
fn leaks(tree: &Tree, kinds: &[Kind], runs: &[(String, Run)], forms: &Forms) -> Vec<String> {
    let mut found = Vec::new();
    for (way, run) in runs {
        for (stream, text) in [("stdout", &run.stdout), ("stderr", &run.stderr)] {
            for (owner, part) in forms.find(text) {
                let kind = kinds
                    .get(tree.secrets[owner].kind)
                    .map_or("key", |kind| kind.name.as_str());
                let line = text
                    .lines()
                    .find(|line| line.contains(part))
                    .unwrap_or_default()
                    .trim();
                let line: String = line.chars().take(160).collect();
                found.push(format!(
                    "{}: {kind}, {part} on {stream} of `{way}`: {line}",
                    tree.places[owner]
                ));
            }
        }
    }
    found
}

#[test]
fn no_secret_of_any_kind_in_any_place_is_printed() {
    let kinds = kinds();
    let targets = targets();
    let next = Mutex::new(0..SEEDS);
    let found = Mutex::new(Vec::new());
    let met = Mutex::new(BTreeSet::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from).min(8) {
            scope.spawn(|| {
                loop {
                    let Some(seed) = next.lock().expect("no thread panicked").next() else {
                        break;
                    };
                    let tree = plant(&kinds, seed);
                    assert!(tree.secrets.len() >= 300, "{}", tree.secrets.len());
                    met.lock()
                        .expect("no thread panicked")
                        .extend(tree.secrets.iter().map(|secret| secret.kind));
                    let runs = runs(&tree, seed, &targets);
                    for (way, run) in &runs {
                        // A refusal prints nothing, which would be no proof.
                        assert!(
                            matches!(run.code, 0 | 10),
                            "seed {seed}, {way}: {} {}",
                            run.code,
                            run.stderr
                        );
                        assert!(run.stdout.len() > 20_000, "seed {seed}, {way}: a short output");
                    }
                    let forms = Forms::new(&tree.secrets);
                    let leaks = leaks(&tree, &kinds, &runs, &forms);
                    found
                        .lock()
                        .expect("no thread panicked")
                        .extend(leaks.into_iter().map(|leak| (seed, leak)));
                }
            });
        }
    });
    let found = found.into_inner().expect("no thread panicked");
    assert!(met.into_inner().expect("no thread panicked").len() >= 40);
    let by_place: BTreeMap<&str, &(u64, String)> = found
        .iter()
        .map(|leak| (leak.1.split(": ").next().unwrap_or_default(), leak))
        .collect();
    assert!(
        found.is_empty(),
        "{} leaks in {} places:\n{}",
        found.len(),
        by_place.len(),
        by_place
            .values()
            .map(|(seed, leak)| format!("seed {seed}: {leak}"))
            .collect::<Vec<_>>()
            .join("\n")
    );
}

/// The corpus is as large as the documentation says.
#[test]
fn the_corpus_is_large() {
    let kinds = kinds();
    assert!(kinds.len() >= 40, "{} kinds", kinds.len());
    let tree = plant(&kinds, 0);
    let files: BTreeSet<&str> = tree
        .places
        .iter()
        .filter_map(|place| place.split(':').next())
        .collect();
    assert!(files.len() >= 60, "{} files", files.len());
    assert!(tree.secrets.len() >= 300, "{} secrets", tree.secrets.len());
}
