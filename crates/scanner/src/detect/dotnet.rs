//! .NET: projects and their packages, versions, hosts, configuration files, migrations of EF Core.

mod aspire;
mod code;
mod configuration;
mod migration;
mod project;

use playbook_core::path::RelPath;

use super::ecosystem::{Code, is_production, needles};
use super::{Detector, ending};
use crate::fact::Facts;
use crate::source::Source;

/// Project files, `Directory.*.props`, `global.json`, version files, `appsettings*.json`, C# source.
pub(crate) const DETECTOR: Detector = Detector { wants, detect };

fn wants(path: &RelPath) -> bool {
    project::wants(path) || configuration::wants(path) || ending(path, &["cs"]) && !is_generated(path)
}

fn is_generated(path: &RelPath) -> bool {
    let name = path.name();
    name.ends_with(".Designer.cs") || name.ends_with(".g.cs") || name.ends_with("ModelSnapshot.cs")
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    if project::wants(source.path) {
        project::detect(source, facts);
    } else if !is_production(source) {
    } else if configuration::wants(source.path) {
        configuration::detect(source, facts);
    } else if let Some(code) = Code::new(source, "csharp") {
        needles(&code, "csharp", facts);
        code::detect(&code, facts);
        migration::detect(&code, facts);
        aspire::detect(&code, facts);
    }
}

#[cfg(test)]
mod tests;
