//! Which files are worth taking apart: most of a program's files import nothing but other files of it and call nothing
//! that a deployer has to know.

use std::sync::LazyLock;

use memchr::memmem;

use super::{data, known, routes};
use crate::needle::Needles;
use crate::source::Source;

/// What files tell without the help of a package, by the texts that they have then. A rule that asks for no package of
/// its own needs a text here.
static NEEDLES: LazyLock<Needles> = LazyLock::new(|| Needles::new(known::texts_without_package()));

/// Can the detectors of this ecosystem tell anything of a file?
pub(super) fn has_something(source: &Source<'_>) -> bool {
    data::is_by_name(source.path)
        || routes::is_by_name(source.path)
        || NEEDLES.any_in(source.text)
        || asks_for_package(source.text)
}

/// Does the text look like one that imports a package, and not only other files of its own (`./x`)?
fn asks_for_package(text: &str) -> bool {
    [b"from".as_slice(), b"require", b"import"].iter().any(|word| {
        memmem::find_iter(text.as_bytes(), word).any(|at| {
            let rest = text.as_bytes().get(at + word.len()..).unwrap_or_default();
            let mut rest = rest.trim_ascii_start();
            if let Some(inside) = rest.strip_prefix(b"(") {
                rest = inside.trim_ascii_start();
            }
            rest.starts_with(b"/*") || matches!(rest, [b'"' | b'\'' | b'`', first, ..] if *first != b'.')
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_told_from_files() {
        for text in [
            "import a from 'express'",
            "const a = require( \"pg\" )",
            "export * from\"@scope/a\"",
            "await import(`hono`)",
            "import 'reflect-metadata'",
        ] {
            assert!(asks_for_package(text), "{text}");
        }
        for text in [
            "import a from './a'",
            "const from = '.'",
            "require('../b')",
            "a from b",
        ] {
            assert!(!asks_for_package(text), "{text}");
        }
    }
}
