//! Which files are worth taking apart: most of a program's files import nothing but other files of it and a part of the
//! standard library that no rule asks for, and hold none of the texts that tell something by themselves.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use memchr::memmem;
use playbook_core::path::RelPath;

use super::known;
use crate::needle::Needles;
use crate::source::Source;

/// What files tell without the help of a package, by the texts that they have then. A rule that asks for no import needs
/// a text here.
static NEEDLES: LazyLock<Needles> = LazyLock::new(|| {
    let words = known::words();
    // Servers are pointed at variables of the top level.
    let applications: Vec<String> = words
        .applications
        .iter()
        .map(|name| format!("\n{name}"))
        .collect();
    let texts = words.texts_without_package.iter().copied();
    Needles::new(texts.chain(applications.iter().map(String::as_str)))
});

/// The packages that the table knows.
static KNOWN: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| known::packages().collect());

/// Modules of the standard library that no rule asks for.
static PLAIN: LazyLock<BTreeSet<&'static str>> =
    LazyLock::new(|| known::words().plain_modules.iter().copied().collect());

/// Can the detectors of this ecosystem tell anything of a file?
pub(super) fn has_something(source: &Source<'_>) -> bool {
    NEEDLES.any_in(source.text) || by_path(source.path) || asks_for_package(source.path, source.text)
}

/// Does the path alone make a rule look at the file?
fn by_path(path: &RelPath) -> bool {
    let lower = path.as_str().to_ascii_lowercase();
    known::words()
        .telling_paths
        .iter()
        .any(|word| lower.contains(word))
}

/// Does the text look like one that imports a package, or something of its own program that has the name of an
/// application, of a router or of a task?
fn asks_for_package(path: &RelPath, text: &str) -> bool {
    memmem::find_iter(text.as_bytes(), b"import").any(|at| {
        let before = text.get(..at).unwrap_or_default();
        let line = before.get(memchr::memrchr(b'\n', before.as_bytes()).map_or(0, |end| end + 1)..);
        let line = line.unwrap_or_default().trim();
        let rest = text.get(at + "import".len()..).unwrap_or_default();
        if line.is_empty() {
            modules(rest).any(|module| is_package(path, module))
        } else if let Some(module) = line.strip_prefix("from ") {
            is_package(path, module.trim()) || tells_names(rest)
        } else {
            // A statement behind another one on its line.
            line.ends_with([';', ':'])
        }
    })
}

/// The modules of `import a.b, c as d`; one that goes on in the next line is taken for a package.
fn modules(rest: &str) -> impl Iterator<Item = &str> {
    let line = rest.lines().next().unwrap_or_default();
    line.split(',')
        .map(|part| part.split_whitespace().next().unwrap_or_default())
}

/// Is a module anything but one of the program's own or a plain one of the standard library?
fn is_package(path: &RelPath, module: &str) -> bool {
    let folder = path.parent();
    if module.starts_with('.') {
        // What it is called from the root may be the name of a package.
        return folder
            .components()
            .next()
            .is_some_and(|first| KNOWN.contains(first));
    }
    let first = module.split('.').next().unwrap_or(module);
    if KNOWN.contains(first) {
        return true;
    }
    !PLAIN.contains(first) && !folder.components().any(|part| part == first)
}

/// Is a name among the imported ones that a rule asks for, wherever it comes from?
fn tells_names(rest: &str) -> bool {
    let rest = rest.trim_start_matches([' ', '\t']);
    let names = match rest.strip_prefix('(') {
        Some(inside) => inside.split(')').next().unwrap_or(inside),
        None => rest.lines().next().unwrap_or_default(),
    };
    let words = known::words();
    names.contains(['*', '\\', '#'])
        || names
            .split(|c: char| !(c.is_alphanumeric() || c == '_'))
            .any(|name| words.routers.contains(&name) || words.telling_names.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(text: &str) -> bool {
        asks_for_package(
            &RelPath::new("services/shop/app/orders/logic.py").expect("a plain path"),
            text,
        )
    }

    #[test]
    fn packages_are_told_from_files() {
        for text in [
            "import fastapi\n",
            "from sqlalchemy.orm import Session\n",
            "import typing, redis as r\n",
            "from app.web import (\n    Plain,\n    router,\n)\n",
            "from app.settings import *\n",
            "from app import api as thing\n",
            "import typing; import boto3\n",
            "try:\n    import celery\nexcept ImportError: pass\n",
            "from app \\\n    import x\n",
        ] {
            assert!(asks(text), "{text}");
        }
        for text in [
            "from dataclasses import dataclass\n",
            "import typing as t\nfrom __future__ import annotations\n",
            "from app.shared import Result, other\n",
            "from . import helpers\nfrom ..shared.text import (\n    lower,\n    upper,\n)\n",
            "# import redis\nx = 'import redis'\n",
        ] {
            assert!(!asks(text), "{text}");
        }
    }

    #[test]
    fn a_plain_module_is_none_that_the_table_knows() {
        for module in PLAIN.iter() {
            assert!(!KNOWN.contains(module), "{module}");
        }
    }
}
