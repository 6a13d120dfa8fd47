//! JavaScript and TypeScript on Node.js, Bun and Deno: manifests, entry points, routes, datastores, jobs, migrations and
//! operation.

mod concern;
mod data;
mod entry;
mod known;
mod manifest;
mod nest;
mod operation;
mod routes;
mod syntax;
mod value;

use playbook_core::path::RelPath;

use crate::detect::{Detector, ending};
use crate::fact::Facts;
use crate::limits;
use crate::source::Source;

/// Everything that JavaScript and TypeScript files and their manifests say.
pub(crate) const DETECTOR: Detector = Detector { wants, detect };

const ENDINGS: &[&str] = &["js", "mjs", "cjs", "jsx", "ts", "mts", "cts", "tsx"];

fn wants(path: &RelPath) -> bool {
    manifest::wants(path) || data::wants(path) || ending(path, ENDINGS) && !is_generated(path)
}

/// Declarations and minified bundles say nothing about how a program runs.
fn is_generated(path: &RelPath) -> bool {
    let name = path.name();
    name.ends_with(".d.ts") || name.contains(".min.") || name.ends_with(".bundle.js")
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    if manifest::wants(source.path) {
        manifest::detect(source, facts);
        return;
    }
    if data::wants(source.path) {
        data::detect(source, facts);
        return;
    }
    // Tests, examples and documentation begin no process and use no store of production.
    if !source.is_production() || source.text.len() as u64 > limits::SOURCE_BYTES {
        return;
    }
    if !concern::has_something(source) {
        return;
    }
    let Some(code) = syntax::Code::new(source) else {
        return;
    };
    let objects = entry::objects(&code);
    entry::detect(&code, &objects, facts);
    routes::detect(&code, &objects, facts);
    routes::of_file(&code, facts);
    nest::detect(&code, facts);
    data::code(&code, facts);
    data::clients(&code, facts);
    operation::detect(&code, &objects, facts);
}

#[cfg(test)]
mod tests;
