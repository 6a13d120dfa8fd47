//! Elixir: Mix projects, Phoenix endpoints, repositories, release tasks, Oban's and Quantum's jobs, migrations.

mod entry;
mod migration;
mod mix;
mod settings;

use playbook_core::harmless::Name;
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;

use super::ecosystem::{Code, is_production, needles, pin};
use super::{Detector, ending};
use crate::fact::{ConfigImportFact, Facts};
use crate::source::Source;

/// `mix.exs` and Elixir source.
pub(crate) const DETECTOR: Detector = Detector { wants, detect };

fn wants(path: &RelPath) -> bool {
    path.name() == BUILDPACK || ending(path, &["ex", "exs"])
}

/// Versions for a build without Dockerfile: `elixir_version=1.17.2`.
const BUILDPACK: &str = "elixir_buildpack.config";

fn detect(source: &Source<'_>, facts: &mut Facts) {
    if source.path.name() == BUILDPACK {
        for (line, text) in source.numbered_lines() {
            for (key, tool) in [("elixir_version", "beam"), ("erlang_version", "erlang")] {
                let version = text.trim().strip_prefix(key).map(str::trim_start);
                if let Some(version) = version.and_then(|rest| rest.strip_prefix('=')) {
                    let bare = version.trim().trim_matches(['(', ')', '"']);
                    pin(
                        source,
                        facts,
                        tool,
                        bare.split_whitespace().next().unwrap_or(bare),
                        line,
                    );
                }
            }
        }
        return;
    }
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
    if source.path.parent().name() == "config" {
        config_imports(source, facts);
    }
    needles(&code, "elixir", facts);
    settings::detect(&code, facts);
    entry::detect(&code, facts);
    migration::detect(&code, facts);
}

/// `import_config "prod.secret.exs"`, and `import_config "#{config_env()}.exs"` for a file of each environment.
fn config_imports(source: &Source<'_>, facts: &mut Facts) {
    for line in source.text.lines() {
        let Some((before, rest)) = line.split_once("import_config") else {
            continue;
        };
        if before.contains('#') {
            continue;
        }
        let Some(name) = rest.split('"').nth(1) else {
            continue;
        };
        facts.config_imports.push(ConfigImportFact {
            dir: source.path.parent(),
            name: Name::parse(Raw::new(name)).filter(|_| !name.contains("#{")),
        });
    }
}

#[cfg(test)]
mod tests;
