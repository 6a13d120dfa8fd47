//! Which technology an image is, and until when its release line is supported.

use chrono::NaiveDate;
use playbook_core::harmless::version_numbers;
use playbook_core::inventory::{Inventory, Unit};
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Cycle, Group, Strength, Technology};

use super::facts;

/// Whether a release line still gets fixes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Support {
    /// Support ended, on the day named.
    Ended(Option<&'static str>),
    /// Support ends within [`SOON_DAYS`].
    Ends(&'static str),
}

/// How long before its end a release line is worth a word, in days.
const SOON_DAYS: i64 = 120;

/// The release line of a version: `16` for `16.4`.
pub(super) fn cycle(technology: &'static Technology, version: &str) -> Option<&'static Cycle> {
    let numbers = version_numbers(version);
    technology
        .cycles
        .iter()
        .filter(|cycle| {
            let line = version_numbers(cycle.version);
            !line.is_empty() && numbers.starts_with(&line)
        })
        .max_by_key(|cycle| cycle.version.len())
}

/// Does the version's line lack support on that day, or soon after it?
pub(super) fn support(
    technology: &'static Technology,
    version: &str,
    date: NaiveDate,
) -> Option<(Support, &'static Cycle)> {
    let cycle = cycle(technology, version)?;
    let Some(eol) = cycle.eol else {
        return cycle.ended.then_some((Support::Ended(None), cycle));
    };
    let day = NaiveDate::parse_from_str(eol, "%Y-%m-%d").ok()?;
    if day < date {
        Some((Support::Ended(Some(eol)), cycle))
    } else if (day - date).num_days() <= SOON_DAYS {
        Some((Support::Ends(eol), cycle))
    } else {
        None
    }
}

/// How long an image that is built today should still get fixes, in days.
const YEAR_DAYS: i64 = 365;

/// The release line on which to build what asks for a range of versions, where the lowest one that it allows gets no
/// more fixes: the oldest one within the range that gets them for another year.
pub(crate) fn line_within(
    technology: &'static Technology,
    range: &str,
    date: NaiveDate,
) -> Option<&'static Cycle> {
    let range = range.trim();
    let open = range.starts_with(['^', '>']) && !range.contains('<');
    let lowest = version_numbers(range);
    let Some((Support::Ended(_), ended)) =
        support(technology, range.trim_start_matches(['^', '>', '=', ' ']), date)
    else {
        return None;
    };
    technology
        .cycles
        .iter()
        .filter(|cycle| {
            let line = version_numbers(cycle.version);
            let same_major = line.first() == lowest.first();
            open && line > version_numbers(ended.version)
                && (same_major || range.starts_with('>'))
                && cycle
                    .eol
                    .and_then(|eol| NaiveDate::parse_from_str(eol, "%Y-%m-%d").ok())
                    .is_some_and(|day| (day - date).num_days() > YEAR_DAYS)
        })
        .min_by_key(|cycle| version_numbers(cycle.version))
}

/// The newest release line that is supported for long enough.
pub(super) fn successor(technology: &'static Technology, date: NaiveDate) -> Option<&'static str> {
    technology
        .cycles
        .iter()
        .find(|cycle| {
            !cycle.ended
                && cycle.eol.is_none_or(|eol| {
                    NaiveDate::parse_from_str(eol, "%Y-%m-%d")
                        .is_ok_and(|day| (day - date).num_days() > SOON_DAYS)
                })
        })
        .map(|cycle| cycle.version)
}

/// The technology of an image that has release lines.
pub(super) fn of_image(name: &Shown) -> Option<&'static Technology> {
    let image = facts::image(name)?;
    Catalogue::get()
        .by_image(image.without_tag())
        .into_iter()
        .filter(|found| found.strength == Strength::Strong && !found.implied)
        .map(|found| found.technology)
        .find(|technology| !technology.cycles.is_empty())
}

/// The datastore that a unit runs.
pub(super) fn engine(inventory: &Inventory, unit: &Unit) -> Option<&'static Technology> {
    if let Some(store) = facts::datastore_of(inventory, unit) {
        return Catalogue::get().find(Group::Datastore, store.kind.as_str());
    }
    let image = facts::image(unit.image.as_ref()?)?;
    Catalogue::get()
        .by_image(image.without_tag())
        .into_iter()
        .filter(|found| found.strength == Strength::Strong && !found.implied)
        .map(|found| found.technology)
        .find(|technology| technology.group == Group::Datastore)
}

/// The version that a unit's image or the file itself states.
pub(super) fn unit_version(unit: &Unit) -> Option<String> {
    unit.version
        .as_ref()
        .map(|version| version.as_str().to_owned())
        .or_else(|| facts::image(unit.image.as_ref()?)?.version().map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_of_a_new_image() {
        let day = NaiveDate::from_ymd_opt(2026, 11, 20).expect("a day");
        let php = Catalogue::get().find(Group::Runtime, "php").expect("PHP");
        let line = |range: &str| line_within(php, range, day).map(|line| line.version);
        assert_eq!(line("^8.1.0"), Some("8.3"), "the oldest with a year of fixes");
        assert_eq!(line(">=8.1"), Some("8.3"));
        assert_eq!(line(">=8.1 <8.2"), None, "the range ends before");
        assert_eq!(line("8.1"), None, "what is stated exactly stays");
        assert_eq!(line("^8.4"), None, "it has fixes itself");
    }
}
