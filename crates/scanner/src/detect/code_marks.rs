//! Single observations that rules judge and that one pattern proves. The patterns are `code_marks/patterns.toml`.

use std::sync::LazyLock;

use playbook_core::inventory::SignalKind;
use playbook_core::path::RelPath;
use playbook_core::shown::Shown;
use regex::Captures;
use serde::Deserialize;

use super::Detector;
use super::judge::{self, Place};
use super::pattern::{Expression, Rows, Word, row};
use crate::fact::Facts;
use crate::language::language_of;
use crate::source::Source;

/// Observations in source code and settings.
pub(crate) const DETECTOR: Detector = Detector { wants, detect };

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
    pattern: Expression,
    signal: SignalKind,
    subject: Word,
    #[cfg_attr(not(test), expect(dead_code, reason = "the table's test reads it"))]
    example: Word,
    #[cfg_attr(not(test), expect(dead_code, reason = "the table's test reads it"))]
    counter_example: Word,
}
row!(Mark);

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, bound(deserialize = "'de: 'static"))]
struct Table {
    mark: Vec<Mark>,
}

// The table is part of the program; a mistake in it is found by the tests below, never by a user.
static TABLE: LazyLock<Table> =
    LazyLock::new(|| toml::from_str(include_str!("code_marks/patterns.toml")).unwrap_or_default());

static MARKS: LazyLock<Rows<Mark>> = LazyLock::new(|| Rows::new(&TABLE.mark));

fn wants(path: &RelPath) -> bool {
    MARKS.wants(path)
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    for mark in MARKS.concerning(source) {
        let Some(found) = place(source, mark) else {
            continue;
        };
        let line = source.line_of(found.get(0).map_or(0, |whole| whole.start()));
        facts.signal(
            mark.signal,
            Some(Shown::from(mark.subject)),
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
fn place<'text>(source: &Source<'text>, mark: &Mark) -> Option<Captures<'text>> {
    let text = source.text;
    let pattern = mark.pattern.regex()?;
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
            assert!(mark.pattern.regex().is_some(), "{:?}", mark.pattern);
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
