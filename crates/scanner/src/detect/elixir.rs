//! Elixir: Mix projects, Phoenix endpoints, repositories, release tasks, Oban's and Quantum's jobs, migrations.

mod entry;
mod migration;
mod mix;

use playbook_core::path::RelPath;

use super::ecosystem::{Code, is_production, needles};
use super::{Detector, ending};
use crate::fact::Facts;
use crate::source::Source;

/// `mix.exs` and Elixir source.
pub(crate) const DETECTOR: Detector = Detector {
    id: "elixir",
    wants,
    detect,
};

fn wants(path: &RelPath) -> bool {
    ending(path, &["ex", "exs"])
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    let Some(code) = Code::new(source, "elixir") else {
        return;
    };
    if source.path.name() == "mix.exs" {
        mix::detect(&code, facts);
        return;
    }
    if !is_production(source) {
        return;
    }
    needles(&code, "elixir", facts);
    entry::detect(&code, facts);
    migration::detect(&code, facts);
}

#[cfg(test)]
mod tests;
