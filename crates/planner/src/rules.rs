//! The rules, a family a file: constants, checks and tests stand together.

mod commands;
mod databases;
pub(crate) mod facts;
mod images;
pub(crate) mod knowledge;
mod migrations;
mod ports;
mod support;
#[cfg(test)]
pub(crate) mod testing;

use std::sync::LazyLock;

use crate::rule::Rule;

static ALL: LazyLock<Vec<&'static Rule>> = LazyLock::new(|| {
    [
        ports::RULES,
        commands::RULES,
        images::RULES,
        migrations::RULES,
        databases::RULES,
    ]
    .concat()
});

/// Every rule, by family.
pub fn rules() -> &'static [&'static Rule] {
    &ALL
}
