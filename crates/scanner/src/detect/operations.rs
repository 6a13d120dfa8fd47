//! How the program behaves in operation: rate limits and where they keep their state, files that requests bring and where
//! they go, caches and their lifetimes, time zones of jobs. The patterns are `operations/patterns.toml`.

use std::sync::LazyLock;

use playbook_core::harmless::{Name, Setting};
use playbook_core::inventory::{Cache, RateLimit, Upload};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;
use serde::Deserialize;

use super::Detector;
use super::pattern::{Expression, Rows, Word, is_comment, row};
use crate::fact::{Facts, TimeZoneFact};
use crate::source::Source;

pub(crate) const DETECTOR: Detector = Detector { wants, detect };

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
    pattern: Expression,
    library: Word,
    #[serde(default)]
    state: Word,
    shared: Option<Expression>,
    #[serde(default)]
    elsewhere: Word,
    limit: Option<Expression>,
    #[serde(default)]
    whole: bool,
}
row!(Operation);

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, bound(deserialize = "'de: 'static"))]
struct Table {
    operation: Vec<Operation>,
}

// The table is part of the program; a mistake in it is found by the test below, never by a user.
static TABLE: LazyLock<Table> =
    LazyLock::new(|| toml::from_str(include_str!("operations/patterns.toml")).unwrap_or_default());
static ROWS: LazyLock<Rows<Operation>> = LazyLock::new(|| Rows::new(&TABLE.operation));

fn wants(path: &RelPath) -> bool {
    ROWS.wants(path)
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    for told in ROWS.concerning(source) {
        tell(source, told, facts);
    }
}

fn tell(source: &Source<'_>, told: &Operation, facts: &mut Facts) {
    let Some(pattern) = told.pattern.regex() else {
        return;
    };
    let places = pattern
        .captures_iter(source.text)
        .filter_map(|found| {
            let whole = found.get(0)?;
            let start = whole.start() + whole.as_str().len() - whole.as_str().trim_start().len();
            (!is_comment(source, start)).then_some((start, found.name("value").map(|value| value.as_str())))
        })
        .take(MOST);
    let limit = || told.limit.as_ref()?.value(source.text);
    let is_shared = || {
        let shared = told.shared.as_ref().and_then(Expression::regex);
        shared.is_some_and(|shared| shared.is_match(source.text))
    };
    let state = || if is_shared() { told.elsewhere } else { told.state };
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
        let has_value = |expression: &Expression| {
            let mut names = expression
                .regex()
                .expect("an expression")
                .capture_names()
                .flatten();
            names.any(|name| name == "value")
        };
        for told in &table.operation {
            assert_eq!(
                told.tells == Tells::TimeZone,
                has_value(&told.pattern),
                "{:?}",
                told.pattern
            );
            assert!(told.limit.as_ref().is_none_or(has_value), "{:?}", told.limit);
            assert!(told.shared.as_ref().is_none_or(|shared| shared.regex().is_some()));
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
