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
