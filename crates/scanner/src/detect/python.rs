//! Python: manifests, entry points, routes, datastores, settings, jobs, migrations and operation.

mod concern;
mod entry;
mod interface;
mod job;
mod known;
mod manifest;
mod migration;
mod route;
mod server;
mod settings;
mod store;
mod syntax;
mod value;
mod worker;

use playbook_core::path::RelPath;

use crate::detect::{Detector, ending};
use crate::fact::Facts;
use crate::limits;
use crate::source::Source;

/// Everything that Python files and manifests say.
pub(crate) const DETECTOR: Detector = Detector { wants, detect };

fn wants(path: &RelPath) -> bool {
    ending(path, &["py"]) || manifest::wants(path) || migration::wants(path)
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    if manifest::wants(source.path) {
        manifest::detect(source, facts);
        return;
    }
    if migration::wants(source.path) {
        migration::configuration(source, facts);
        return;
    }
    if source.text.len() as u64 > limits::SOURCE_BYTES || !concern::has_something(source) {
        return;
    }
    let code = syntax::Code::new(source);
    let definitions = code.definitions();
    let objects = entry::objects(&code, &definitions);
    entry::detect(&code, &definitions, &objects, facts);
    route::detect(&code, &definitions, &objects, facts);
    settings::detect(&code, &definitions, facts);
    job::detect(&code, &definitions, facts);
    migration::detect(&code, &definitions, facts);
    store::detect(&code, facts);
    interface::detect(&code, &definitions, &objects, facts);
    server::detect(&code, facts);
}

#[cfg(test)]
mod tests;
