//! Ruby: Gemfiles, Rails and Rack applications, queue workers, schedules, databases, migrations.

mod configuration;
mod entry;
mod gemfile;
mod migration;

use playbook_core::path::RelPath;

use super::ecosystem::{Code, needles};
use super::{Detector, ending};
use crate::fact::Facts;
use crate::source::Source;

/// Gemfiles, version files, configuration of Rails and its queues, and Ruby source.
pub(crate) const DETECTOR: Detector = Detector { wants, detect };

fn wants(path: &RelPath) -> bool {
    gemfile::wants(path) || configuration::wants(path) || ending(path, &["rb", "ru"])
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    if gemfile::wants(source.path) {
        gemfile::detect(source, facts);
        return;
    }
    if crate::scope::folder_is_development(&source.path.parent()) {
        return;
    }
    if configuration::wants(source.path) {
        configuration::detect(source, facts);
        return;
    }
    if !source.is_production() {
        return;
    }
    let Some(code) = Code::new(source, "ruby") else {
        return;
    };
    needles(&code, "ruby", facts);
    entry::detect(&code, facts);
    migration::detect(&code, facts);
    configuration::clocks(&code, facts);
    configuration::tables(&code, facts);
    if source.path.name() == "schedule.rb" {
        configuration::whenever(&code, facts);
    }
}

#[cfg(test)]
mod tests;
