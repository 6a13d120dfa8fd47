//! How the program behaves in operation: rate limits and where they keep their state, files that requests bring and where
//! they go, caches and their lifetimes, time zones of jobs. The patterns are `operations/patterns.toml`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use playbook_core::harmless::{Name, Setting};
use playbook_core::inventory::{Cache, RateLimit, Upload};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;
use regex::Regex;
use serde::Deserialize;

use super::Detector;
use super::data_names::{concerns, is_comment};
use crate::fact::{Facts, TimeZoneFact};
use crate::limits;
use crate::needle::Needles;
use crate::source::Source;

pub(crate) const DETECTOR: Detector = Detector { wants, detect };

/// Text of the table, which is part of the program and so may be printed.
type Word = &'static str;

/// The places that one pattern tells of one file.
const MOST: usize = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Tells {
    RateLimit,
    Upload,
    Cache,
    TimeZone,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'static"))]
struct Operation {
    tells: Tells,
    endings: Vec<Word>,
    needle: Word,
    #[serde(default)]
    with: Vec<Word>,
    pattern: Word,
    library: Word,
    #[serde(default)]
    state: Word,
    #[serde(default)]
    shared: Word,
    #[serde(default)]
    elsewhere: Word,
    #[serde(default)]
    limit: Word,
    #[serde(default)]
    whole: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, bound(deserialize = "'de: 'static"))]
struct Table {
    operation: Vec<Operation>,
}

/// A row with its expressions compiled.
struct Row {
    told: &'static Operation,
    pattern: Regex,
    shared: Option<Regex>,
    limit: Option<Regex>,
}

// The table is part of the program; a mistake in it is found by the test below, never by a user.
static TABLE: LazyLock<Table> =
    LazyLock::new(|| toml::from_str(include_str!("operations/patterns.toml")).unwrap_or_default());
static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let optional = |text: &str| (!text.is_empty()).then(|| Regex::new(text).ok()).flatten();
    TABLE
        .operation
        .iter()
        .filter_map(|told| {
            Some(Row {
                told,
                pattern: Regex::new(told.pattern).ok()?,
                shared: optional(told.shared),
                limit: optional(told.limit),
            })
        })
        .collect()
});

/// The needles of all rows for files of an ending.
static NEEDLES: LazyLock<BTreeMap<Word, Needles>> = LazyLock::new(|| {
    let mut by_ending: BTreeMap<Word, Vec<Word>> = BTreeMap::new();
    for told in &TABLE.operation {
        for end in &told.endings {
            by_ending.entry(end).or_default().push(told.needle);
        }
    }
    by_ending
        .into_iter()
        .map(|(end, needles)| (end, Needles::new(needles)))
        .collect()
});

fn wants(path: &RelPath) -> bool {
    path.name()
        .rsplit_once('.')
        .is_some_and(|(_, end)| NEEDLES.contains_key(end))
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    if !source.is_production() || source.text.len() as u64 > limits::SOURCE_BYTES {
        return;
    }
    let Some((_, end)) = source.path.name().rsplit_once('.') else {
        return;
    };
    if !NEEDLES
        .get(end)
        .is_some_and(|needles| needles.any_in(source.text))
    {
        return;
    }
    for row in ROWS
        .iter()
        .filter(|row| concerns(source, end, &row.told.endings, row.told.needle, &row.told.with))
    {
        tell(source, row, facts);
    }
}

fn tell(source: &Source<'_>, row: &Row, facts: &mut Facts) {
    let told = row.told;
    let places = row
        .pattern
        .captures_iter(source.text)
        .filter_map(|found| {
            let whole = found.get(0)?;
            let start = whole.start() + whole.as_str().len() - whole.as_str().trim_start().len();
            (!is_comment(source, start)).then_some((start, found.name("value").map(|value| value.as_str())))
        })
        .take(MOST);
    let limit = || {
        let found = row.limit.as_ref()?.captures(source.text)?;
        Some(found.name("value")?.as_str())
    };
    let state = || match &row.shared {
        Some(shared) if shared.is_match(source.text) => told.elsewhere,
        _ => told.state,
    };
    for (at, value) in places {
        let evidence = source.at(source.line_of(at));
        match told.tells {
            Tells::TimeZone => {
                let zone = value.and_then(|zone| Name::parse(Raw::new(&zone.replace(' ', "_"))));
                if let Some(zone) = zone {
                    facts.time_zones.push(TimeZoneFact {
                        runner: told.library,
                        whole: told.whole,
                        zone,
                        evidence,
                    });
                }
                continue;
            }
            Tells::RateLimit => {
                let state = state();
                facts.rate_limits.push(RateLimit {
                    library: Shown::from(told.library),
                    state: (!state.is_empty()).then(|| Shown::from(state)),
                    service: None,
                    evidence: vec![evidence],
                });
            }
            Tells::Upload => {
                let state = state();
                facts.uploads.push(Upload {
                    library: Shown::from(told.library),
                    destination: (!state.is_empty()).then(|| Shown::from(state)),
                    limit_bytes: limit().and_then(bytes),
                    service: None,
                    evidence: vec![evidence],
                });
            }
            Tells::Cache => {
                let lifetime = limit().map(|text| text.replace([' ', '(', '_'], "").replace(',', " "));
                let state = state();
                facts.caching.push(Cache {
                    kind: Shown::from(told.library),
                    state: (!state.is_empty()).then(|| Shown::from(state)),
                    lifetime: lifetime
                        .and_then(|text| Setting::judge("TTL", Raw::new(&text)))
                        .map(Shown::from),
                    evidence: vec![evidence],
                });
            }
        }
        // Of these, one place a file says all.
        return;
    }
}

/// A size as code writes it: `10 * 1024 * 1024`, `10 << 20`, `10MB`.
fn bytes(text: &str) -> Option<u64> {
    let text = text.replace(['_', ' '], "").to_ascii_lowercase();
    if let Some((number, shift)) = text.split_once("<<") {
        let number: u64 = number.parse().ok()?;
        return number.checked_shl(shift.parse().ok()?);
    }
    let unit: String = text.chars().skip_while(char::is_ascii_digit).collect();
    if let Some(factor) = ["b", "kb", "mb", "gb"].iter().position(|known| *known == unit) {
        let number: u64 = text.trim_end_matches(char::is_alphabetic).parse().ok()?;
        return number.checked_mul(1024u64.checked_pow(u32::try_from(factor).ok()?)?);
    }
    text.split('*')
        .map(|factor| factor.parse::<u64>().ok())
        .try_fold(1u64, |product, factor| product.checked_mul(factor?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn the_table_is_whole() {
        let table: Table = toml::from_str(include_str!("operations/patterns.toml")).expect("patterns.toml");
        assert_eq!(ROWS.len(), table.operation.len());
        for row in ROWS.iter() {
            let told = row.told;
            let has_value = |regex: &Regex| regex.capture_names().flatten().any(|name| name == "value");
            assert_eq!(
                told.tells == Tells::TimeZone,
                has_value(&row.pattern),
                "{}",
                told.pattern
            );
            assert_eq!(told.shared.is_empty(), row.shared.is_none(), "{}", told.shared);
            assert_eq!(told.limit.is_empty(), row.limit.is_none(), "{}", told.limit);
            assert!(row.limit.as_ref().is_none_or(has_value), "{}", told.limit);
        }
    }

    #[test]
    fn sizes() {
        for (text, expected) in [
            ("5 * 1024 * 1024", Some(5_242_880)),
            ("10 << 20", Some(10_485_760)),
            ("2MB", Some(2_097_152)),
            ("1_000", Some(1000)),
            ("x", None),
        ] {
            assert_eq!(bytes(text), expected, "{text}");
        }
    }

    #[test]
    fn limits_uploads_caches_and_zones() {
        let facts = testing::facts(
            &DETECTOR,
            "
//- src/limit.ts
import rateLimit from 'express-rate-limit';
export const guard = rateLimit({ windowMs: 1000 });
//- src/shared.ts
import rateLimit from 'express-rate-limit';
export const guard = rateLimit({ windowMs: 1000, store: new RedisStore({}) });
//- src/files.ts
// multer.diskStorage({ old: 1 })
const storage = multer.diskStorage({ destination: 'files' });
export const upload = multer({ storage, limits: { fileSize: 5 * 1024 * 1024 } });
//- src/cache.ts
const cache = new NodeCache({ stdTTL: 600 });
//- src/jobs.ts
cron.schedule('0 3 * * *', run, { timezone: 'Europe/Vienna' });
//- tests/limit.ts
import rateLimit from 'express-rate-limit';
rateLimit({});
",
        );
        let states: Vec<_> = facts
            .rate_limits
            .iter()
            .filter_map(|limit| limit.state.as_ref().map(Shown::as_str))
            .collect();
        assert_eq!(states, ["memory", "shared"]);
        let uploads: Vec<_> = facts
            .uploads
            .iter()
            .map(|upload| {
                (
                    upload.limit_bytes,
                    upload.evidence.first().and_then(|place| place.line),
                )
            })
            .collect();
        assert_eq!(uploads, [(Some(5_242_880), Some(2))]);
        let lifetimes: Vec<_> = facts
            .caching
            .iter()
            .filter_map(|cache| cache.lifetime.as_ref().map(Shown::as_str))
            .collect();
        assert_eq!(lifetimes, ["600"]);
        assert_eq!(facts.time_zones[0].zone.as_str(), "Europe/Vienna");
    }
}
