//! The table of words whose meaning the detectors of PHP know: `known.toml`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// Text of the table, which is part of the program and so may be printed.
type Word = &'static str;

/// A word of the schedule that takes arguments.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'static"))]
pub(super) struct With {
    /// The expression without arguments.
    pub(super) cron: Word,
    /// What each argument sets.
    pub(super) sets: Vec<Part>,
}

/// The part of an expression that an argument sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Part {
    Minute,
    Hour,
    Day,
    Month,
    Weekday,
    /// `13:30`: hour and minute.
    Time,
    /// One of two hours.
    Hours,
    /// One of two days of the month.
    Days,
}

#[derive(Debug, Default, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    deny_unknown_fields,
    bound(deserialize = "'de: 'static")
)]
pub(super) struct Table {
    /// Kinds of authentication by Symfony's authenticator.
    pub(super) authenticators: BTreeMap<Word, Word>,
    /// Cron expressions by word.
    pub(super) schedule: BTreeMap<Word, Word>,
    /// Words with arguments.
    pub(super) schedule_with: BTreeMap<Word, With>,
    /// The field for the days of the week by word.
    pub(super) weekdays: BTreeMap<Word, Word>,
}

// The table is part of the program; a mistake in it is found by the test below, never by a user.
pub(super) static TABLE: LazyLock<Table> =
    LazyLock::new(|| toml::from_str(include_str!("known.toml")).unwrap_or_default());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_valid() {
        let table: Table = toml::from_str(include_str!("known.toml")).expect("known.toml");
        assert!(table.authenticators.contains_key("form_login"));
        let crons = table.schedule.values().copied();
        for cron in crons.chain(table.schedule_with.values().map(|with| with.cron)) {
            assert_eq!(cron.split(' ').count(), 5, "{cron}");
        }
    }
}
