//! Section 8: how one version replaces another, and back.

use serde::Serialize;

use crate::context::Strategy;

use super::{Given, Ledger};

/// The decisions of section 8.
#[derive(Debug, Serialize)]
pub(crate) struct Rollout {
    strategy: Strategy,
    asked: bool,
}

pub(super) fn build(given: &Given<'_>, ledger: &mut Ledger) -> Rollout {
    // Where old and new instances overlap the platform rolls; where they don't, it replaces in place.
    let usual = if given.context.target.overlap > 1 {
        Strategy::Rolling
    } else {
        Strategy::Recreate
    };
    ledger.condition("overlaps", given.context.target.overlap > 1);
    Rollout {
        strategy: given.context.strategy.unwrap_or(usual),
        asked: given.context.strategy.is_some(),
    }
}
