//! Tables of patterns: what stands in the text of some kinds of files and proves a fact. A file is looked through once
//! for the needles of all rows; expressions are compiled when a file holds the needle for the first time.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use playbook_core::path::RelPath;
use regex::Regex;
use serde::{Deserialize, Deserializer};

use crate::limits;
use crate::needle::Needles;
use crate::source::Source;

/// Text of a table, which is part of the program and so may be printed.
pub(super) type Word = &'static str;

/// An expression of a table. One that is wrong never matches, which the tests of the tables rule out.
#[derive(Debug)]
pub(crate) struct Expression {
    text: Word,
    compiled: OnceLock<Option<Regex>>,
}

impl Expression {
    /// The expression, compiled.
    pub(crate) fn regex(&self) -> Option<&Regex> {
        self.compiled.get_or_init(|| Regex::new(self.text).ok()).as_ref()
    }

    /// The group `value` of its first match.
    pub(super) fn value<'text>(&self, text: &'text str) -> Option<&'text str> {
        Some(self.regex()?.captures(text)?.name("value")?.as_str())
    }
}

impl<'de: 'static> Deserialize<'de> for Expression {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Word::deserialize(deserializer).map(|text| Self {
            text,
            compiled: OnceLock::new(),
        })
    }
}

/// A row of such a table.
pub(super) trait Row {
    /// Endings of the files.
    fn endings(&self) -> &[Word];
    /// A text that every such file holds.
    fn needle(&self) -> Word;
    /// Texts of which such a file holds one as well, if there are any.
    fn with(&self) -> &[Word];
}

/// Implements [`Row`] by the fields of these names.
macro_rules! row {
    ($name:ty) => {
        impl crate::detect::pattern::Row for $name {
            fn endings(&self) -> &[crate::detect::pattern::Word] {
                &self.endings
            }
            fn needle(&self) -> crate::detect::pattern::Word {
                self.needle
            }
            fn with(&self) -> &[crate::detect::pattern::Word] {
                &self.with
            }
        }
    };
}
pub(super) use row;

/// The rows of a table by the endings of files.
pub(super) struct Rows<T: 'static>(BTreeMap<Word, (Needles, Vec<&'static T>)>);

impl<T: Row> Rows<T> {
    pub(super) fn new(table: &'static [T]) -> Self {
        let mut by_ending: BTreeMap<Word, Vec<&'static T>> = BTreeMap::new();
        for row in table {
            for ending in row.endings() {
                by_ending.entry(ending).or_default().push(row);
            }
        }
        let with_needles = |rows: Vec<&'static T>| (Needles::new(rows.iter().map(|row| row.needle())), rows);
        Self(
            by_ending
                .into_iter()
                .map(|(ending, rows)| (ending, with_needles(rows)))
                .collect(),
        )
    }

    fn of(&self, path: &RelPath) -> Option<&(Needles, Vec<&'static T>)> {
        let (_, ending) = path.name().rsplit_once('.')?;
        self.0.get(ending)
    }

    /// Is there a row for files of this name?
    pub(super) fn wants(&self, path: &RelPath) -> bool {
        self.of(path).is_some()
    }

    /// The rows whose needle and words a file of production holds.
    pub(super) fn concerning<'s>(&'s self, source: &'s Source<'_>) -> impl Iterator<Item = &'static T> + 's {
        let is_read = source.is_production() && source.text.len() as u64 <= limits::SOURCE_BYTES;
        self.of(source.path)
            .filter(|(needles, _)| is_read && needles.any_in(source.text))
            .into_iter()
            .flat_map(|(_, rows)| rows.iter().copied())
            .filter(|row| source.text.contains(row.needle()))
            .filter(|row| row.with().is_empty() || row.with().iter().any(|word| source.text.contains(word)))
    }
}

/// Does a comment stand before the match on its line?
pub(super) fn is_comment(source: &Source<'_>, at: usize) -> bool {
    let before = source.text.get(..at).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default().trim_start();
    ["//", "#", "*", "/*", "--"]
        .iter()
        .any(|sign| line.starts_with(sign))
        || source
            .text
            .get(at..)
            .unwrap_or_default()
            .trim_start()
            .starts_with(['#', '!'])
}
