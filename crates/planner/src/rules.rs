//! The rules, a family a file: constants, checks and tests stand together.

mod access;
mod build;
mod commands;
mod config;
mod databases;
mod edge;
mod environment;
pub(crate) mod facts;
mod health;
mod images;
pub(crate) mod knowledge;
mod limits;
mod management;
pub(crate) mod migrations;
mod pipeline;
mod pools;
mod ports;
pub(crate) mod processes;
mod provisioning;
mod proxies;
mod references;
mod retired;
mod revisions;
mod rollout;
mod secrets;
pub(crate) mod support;
mod targets;
#[cfg(test)]
pub(crate) mod testing;
mod trust;
mod versions;

use std::sync::LazyLock;

use crate::rule::Rule;

const FAMILIES: &[&[&Rule]] = &[
    ports::RULES,
    commands::RULES,
    references::RULES,
    processes::RULES,
    images::RULES,
    databases::RULES,
    versions::RULES,
    migrations::RULES,
    revisions::RULES,
    edge::RULES,
    proxies::RULES,
    provisioning::RULES,
    limits::RULES,
    secrets::RULES,
    environment::RULES,
    config::RULES,
    health::RULES,
    rollout::RULES,
    build::RULES,
    pipeline::RULES,
    pools::RULES,
    access::RULES,
    retired::RULES,
    management::RULES,
    targets::RULES,
    trust::RULES,
];

static ALL: LazyLock<Vec<&'static Rule>> = LazyLock::new(|| FAMILIES.concat());

/// Every rule, by family.
pub fn rules() -> &'static [&'static Rule] {
    &ALL
}
