//! Python: manifests, entry points, routes, datastores, settings, jobs, migrations and operation.

mod entry;
mod job;
mod known;
mod manifest;
mod route;
mod settings;
mod syntax;
mod value;
mod worker;

use playbook_core::path::RelPath;

use crate::detect::{Detector, ending};
use crate::fact::Facts;
use crate::limits;
use crate::source::Source;

/// Everything that Python files and manifests say.
pub(crate) const DETECTOR: Detector = Detector {
    id: "python",
    wants,
    detect,
};

fn wants(path: &RelPath) -> bool {
    ending(path, &["py"]) || manifest::wants(path)
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    if manifest::wants(source.path) {
        manifest::detect(source, facts);
        return;
    }
    if source.text.len() as u64 > limits::SOURCE_BYTES {
        return;
    }
    let code = syntax::Code::new(source);
    let definitions = code.definitions();
    let objects = entry::objects(&code, &definitions);
    entry::detect(&code, &definitions, &objects, facts);
    route::detect(&code, &definitions, &objects, facts);
    settings::detect(&code, &definitions, facts);
    job::detect(&code, &definitions, facts);
}

#[cfg(test)]
mod tests;
