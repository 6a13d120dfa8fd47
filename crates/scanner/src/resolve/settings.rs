//! Settings that nothing brings in say nothing about what runs.

use std::collections::BTreeSet;

use playbook_core::path::RelPath;

use crate::fact::Facts;
use crate::index::FileIndex;

/// Takes out what files of a `config` folder of Elixir say that neither Mix reads by itself nor another one imports: a
/// `prod.secret.exs` of an older version of the framework.
pub(crate) fn drop_unused(facts: &mut Facts, index: &FileIndex) {
    let imported: BTreeSet<RelPath> = std::mem::take(&mut facts.settings_imports).into_iter().collect();
    let unused = |path: &RelPath| {
        let folder = path.parent();
        path.name().ends_with(".exs")
            && folder.name() == "config"
            && !matches!(path.name(), "config.exs" | "runtime.exs")
            && index.has(&folder, "config.exs")
            && !imported.contains(path)
    };
    facts.variables.retain(|fact| !unused(&fact.evidence.path));
    facts.stores.retain(|fact| !unused(&fact.evidence.path));
    facts.jobs.retain(|fact| !unused(&fact.evidence.path));
}
