//! Every file of `languages/` is embedded, every pattern compiles, every example is found.

use std::collections::BTreeSet;

use super::anchor::{DefaultFound, Find};
use super::*;

/// What the anchors of some kinds find, the quick look before them included.
fn found_in(language: &'static Language, text: &str, kinds: &[Kind]) -> Vec<Hit> {
    if language.may_hit(text, kinds) {
        language.hits_in(text, &language.mask(text), kinds)
    } else {
        Vec::new()
    }
}

#[test]
fn the_list_names_every_file_of_the_folder() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/languages");
    #[expect(
        clippy::disallowed_methods,
        reason = "compares the folder of this crate with what is embedded"
    )]
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let mut files: Vec<String> = entries
        .filter_map(|entry| {
            entry
                .ok()?
                .file_name()
                .into_string()
                .ok()?
                .strip_suffix(".toml")
                .map(str::to_owned)
        })
        .collect();
    files.sort();
    assert_eq!(files, FILES.map_names());
}

trait Names {
    fn map_names(&self) -> Vec<String>;
}

impl Names for &[(&str, &str)] {
    fn map_names(&self) -> Vec<String> {
        self.iter().map(|(name, _)| (*name).to_owned()).collect()
    }
}

#[test]
fn every_file_is_read_and_every_pattern_compiles() {
    for (name, text) in FILES {
        let definition = toml::from_str::<Definition>(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(definition.name, *name);
    }
    let mut endings = BTreeSet::new();
    for language in languages() {
        for ending in &language.definition.extensions {
            assert!(
                endings.insert(ending.clone()),
                "{ending} belongs to two languages"
            );
        }
        for pattern in [&language.constant, &language.function].into_iter().flatten() {
            assert!(pattern.regex().is_some(), "{}: {}", language.name, pattern.source);
        }
        for anchor in &language.anchors {
            for pattern in anchor.patterns() {
                assert!(
                    pattern.regex().is_some(),
                    "{}: {}",
                    anchor.anchor.id,
                    pattern.source
                );
            }
        }
    }
}

#[test]
fn identifiers_are_unique() {
    let mut seen = BTreeSet::new();
    for (_, text) in FILES {
        let definition: Definition = toml::from_str(text).expect("valid");
        let lists = [
            &definition.env,
            &definition.env_block,
            &definition.route,
            &definition.mount,
            &definition.listen,
            &definition.schedule,
            &definition.client,
        ];
        for anchor in lists.into_iter().flatten() {
            assert!(
                anchor.id.starts_with(&format!("{}-", definition.name)),
                "{}",
                anchor.id
            );
            assert!(seen.insert(anchor.id.clone()), "{} is there twice", anchor.id);
            assert!(!anchor.prefilter.is_empty(), "{} has no prefilter", anchor.id);
            assert!(
                !anchor.example.is_empty() && !anchor.finds.is_empty(),
                "{} has no example",
                anchor.id
            );
        }
    }
}

fn found(hit: &Hit) -> String {
    let default = match &hit.default {
        Fallback::None => String::new(),
        Fallback::Present(Some(text)) => format!(" default {text:?}"),
        Fallback::Present(None) => " default ?".to_owned(),
        Fallback::Required => " required".to_owned(),
    };
    format!("{}{default}", hit.name.as_deref().unwrap_or("-"))
}

fn expected(find: &Find) -> String {
    let default = match &find.default {
        Some(DefaultFound::Known(text)) => format!(" default {text:?}"),
        Some(DefaultFound::Unknown(_)) => " default ?".to_owned(),
        None if find.required => " required".to_owned(),
        None => String::new(),
    };
    format!("{}{default}", find.name.as_deref().unwrap_or("-"))
}

#[test]
fn every_example_is_found() {
    let mut wrong = Vec::new();
    for language in languages() {
        for prepared in &language.anchors {
            let anchor = &prepared.anchor;
            let hits: Vec<Hit> = found_in(language, &anchor.example, &[prepared.kind])
                .into_iter()
                .filter(|hit| hit.anchor == anchor.id)
                .collect();
            let got: Vec<String> = hits.iter().map(found).collect();
            let want: Vec<String> = anchor.finds.iter().map(expected).collect();
            if got != want {
                wrong.push(format!(
                    "{} in {}:\n  found    {got:?}\n  expected {want:?}",
                    anchor.id, language.name
                ));
                continue;
            }
            for (hit, find) in hits.iter().zip(&anchor.finds) {
                if find.line.is_some_and(|line| line != hit.line) {
                    wrong.push(format!("{}: line {}, not {:?}", anchor.id, hit.line, find.line));
                }
                for (key, value) in &find.attributes {
                    if hit.attribute(key) != Some(value) {
                        wrong.push(format!(
                            "{}: {key} is {:?}, not {value:?}",
                            anchor.id,
                            hit.attribute(key)
                        ));
                    }
                }
            }
            for text in &anchor.misses {
                let hits = found_in(language, text, &[prepared.kind]);
                if hits.iter().any(|hit| hit.anchor == anchor.id) {
                    wrong.push(format!("{} finds something in {text:?}", anchor.id));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn languages_by_path() {
    let by_path = |path: &str| language_of(path).map(Language::name);
    assert_eq!(by_path("a/b.py"), Some("python"));
    assert_eq!(by_path("a/B.TSX"), Some("typescript"));
    assert_eq!(by_path("x/Rakefile"), Some("ruby"));
    assert_eq!(by_path(".py"), None);
    assert_eq!(by_path("a/b"), None);
}

#[test]
fn debug_prints_no_text() {
    let hits = found_in(
        language("python").expect("python"),
        "os.getenv('KEY', 'hunter2')",
        &[Kind::Env],
    );
    assert_eq!(
        format!("{hits:?} {:?}", hits[0].default),
        "[Hit(line 1)] Present(a text)"
    );
}

const KINDS: [Kind; 6] = [
    Kind::Env,
    Kind::Route,
    Kind::Mount,
    Kind::Listen,
    Kind::Schedule,
    Kind::Client,
];

#[test]
fn hostile_text_is_read_in_time() {
    let pieces = [
        "os.getenv(",
        "process.env.",
        "const { A } = process.env;",
        "class A(BaseSettings):\n  x: str\n",
        "z.object({",
        "`${",
        "f\"{",
        "env:\"A\"`",
        "@app.get(\"",
        "app.listen(",
        "func a(b string) { os.Getenv(b) }\n",
        "a(\"B\")",
        "é",
        "\0",
        "ENV['",
        "#[arg(env",
        "{",
        "(",
        "[",
        "\"",
        "'",
        "\n",
        "=",
        "if not os.environ.get(\"",
    ];
    for language in languages() {
        for piece in pieces {
            let start = std::time::Instant::now();
            let text = piece.repeat(60_000 / piece.len());
            language.hits_in(&text, &language.mask(&text), &KINDS);
            let taken = start.elapsed();
            assert!(taken.as_secs() < 10, "{} on {piece:?}: {taken:?}", language.name);
        }
    }
    // Pieces in a pseudo-random order.
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    for _ in 0..60 {
        let mut text = String::new();
        for _ in 0..60 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            text.push_str(pieces[usize::try_from(state % pieces.len() as u64).expect("small")]);
        }
        for language in languages() {
            language.hits_in(&text, &language.mask(&text), &KINDS);
        }
    }
}

#[test]
fn tests_beside_the_code_are_blanked() {
    let rust = language("rust").expect("a language");
    let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() { std::env::var(\"X\"); }\n}\nfn c() {}\n";
    let left = rust.without_inline_tests(text).expect("it has tests");
    assert_eq!(left.len(), text.len());
    assert!(left.contains("fn a()") && left.contains("fn c()") && !left.contains("fn b()"));
    assert!(rust.without_inline_tests("fn a() {}").is_none());
    // A use that only tests need ends with its statement.
    let used = "#[cfg(test)]\nuse x::y;\nfn a() { 1 }\n";
    assert_eq!(rust.without_inline_tests(used).as_deref(), Some(used));
}
