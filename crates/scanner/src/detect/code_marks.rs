//! Single observations that rules judge and that one pattern proves. The patterns are `code_marks/patterns.toml`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use playbook_core::inventory::SignalKind;
use playbook_core::path::RelPath;
use playbook_core::shown::Shown;
use regex::{Captures, Regex};
use serde::Deserialize;

use super::Detector;
use super::judge::{self, Place};
use crate::fact::Facts;
use crate::language::language_of;
use crate::limits;
use crate::needle::Needles;
use crate::source::Source;

/// Observations in source code and settings.
pub(crate) const DETECTOR: Detector = Detector { wants, detect };

/// Text of the table, which is part of the program and so may be printed.
type Word = &'static str;

#[derive(Debug, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    deny_unknown_fields,
    bound(deserialize = "'de: 'static")
)]
struct Mark {
    endings: Vec<Word>,
    needle: Word,
    #[serde(default)]
    with: Vec<Word>,
    #[serde(default)]
    without: Vec<Word>,
    pattern: Word,
    signal: SignalKind,
    subject: Word,
    #[cfg_attr(not(test), expect(dead_code, reason = "the table's test reads it"))]
    example: Word,
    #[cfg_attr(not(test), expect(dead_code, reason = "the table's test reads it"))]
    counter_example: Word,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, bound(deserialize = "'de: 'static"))]
struct Table {
    mark: Vec<Mark>,
}

/// A mark with its pattern, compiled when a file holds the needle for the first time.
struct Compiled {
    told: &'static Mark,
    pattern: LazyLock<Option<Regex>, Box<dyn FnOnce() -> Option<Regex> + Send>>,
}

// The table is part of the program; a mistake in it is found by the tests below, never by a user.
static TABLE: LazyLock<Table> =
    LazyLock::new(|| toml::from_str(include_str!("code_marks/patterns.toml")).unwrap_or_default());

/// The marks of an ending, and their needles for one search.
struct Marks {
    needles: Needles,
    marks: Vec<Compiled>,
}

static BY_ENDING: LazyLock<BTreeMap<Word, Marks>> = LazyLock::new(|| {
    let mut map: BTreeMap<Word, Vec<Compiled>> = BTreeMap::new();
    for told in &TABLE.mark {
        for ending in &told.endings {
            map.entry(ending).or_default().push(Compiled {
                told,
                pattern: LazyLock::new(Box::new(|| Regex::new(told.pattern).ok())),
            });
        }
    }
    map.into_iter()
        .map(|(ending, marks)| {
            let needles = Needles::new(marks.iter().map(|mark| mark.told.needle));
            (ending, Marks { needles, marks })
        })
        .collect()
});

fn marks(path: &RelPath) -> Option<&'static Marks> {
    let (_, ending) = path.name().rsplit_once('.')?;
    BY_ENDING.get(ending)
}

fn wants(path: &RelPath) -> bool {
    marks(path).is_some()
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    if !source.is_production() || source.text.len() as u64 > limits::SOURCE_BYTES {
        return;
    }
    let Some(known) = marks(source.path).filter(|known| known.needles.any_in(source.text)) else {
        return;
    };
    for mark in &known.marks {
        let Some(found) = place(source, mark) else {
            continue;
        };
        let line = source.line_of(found.get(0).map_or(0, |whole| whole.start()));
        facts.signal(
            mark.told.signal,
            Some(Shown::from(mark.told.subject)),
            source.scope,
            source.at(line),
        );
        if let Some(password) = found.name("password") {
            judge::literal(
                source,
                facts,
                "PASSWORD",
                password.as_str(),
                Place::new(line, source.scope),
            );
        }
    }
}

/// The first match of the mark in code.
fn place<'text>(source: &Source<'text>, mark: &Compiled) -> Option<Captures<'text>> {
    let text = source.text;
    let told = mark.told;
    let concerned = text.contains(told.needle)
        && (told.with.is_empty() || told.with.iter().any(|word| text.contains(word)))
        && !told.without.iter().any(|word| text.contains(word));
    if !concerned {
        return None;
    }
    let pattern = mark.pattern.as_ref()?;
    let mut found = pattern.captures_iter(text).peekable();
    found.peek()?;
    let masked = language_of(source.path.as_str()).map(|language| language.mask(text));
    // Comments and texts are blank in the code.
    let is_code = |at: usize| {
        masked
            .as_ref()
            .is_none_or(|masked| masked.code().as_bytes().get(at) == text.as_bytes().get(at))
    };
    found.find(|hit| hit.get(0).is_some_and(|whole| is_code(whole.start())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn each_mark_finds_its_example_and_not_its_counter_example() {
        let table: Table = toml::from_str(include_str!("code_marks/patterns.toml")).expect("patterns.toml");
        assert!(table.mark.len() > 10);
        for mark in &table.mark {
            assert!(Regex::new(mark.pattern).is_ok(), "{}", mark.pattern);
            for ending in &mark.endings {
                let found = |text: &str| {
                    let facts = testing::facts(&DETECTOR, &format!("\n//- src/mark.{ending}\n{text}\n"));
                    facts.signals.iter().any(|signal| {
                        signal.kind == mark.signal
                            && signal.subject.as_ref().is_some_and(|one| *one == mark.subject)
                    })
                };
                assert!(found(mark.example), "{ending}: {}", mark.example);
                assert!(!found(mark.counter_example), "{ending}: {}", mark.counter_example);
            }
        }
    }

    #[test]
    fn tests_tell_nothing() {
        let facts = testing::facts(
            &DETECTOR,
            "
//- tests/client_test.go
package client
var conn, err = grpc.Dial(address, grpc.WithInsecure())
",
        );
        assert!(facts.signals.is_empty());
    }
}
