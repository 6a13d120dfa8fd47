//! Where a fact stands.

use crate::path::RelPath;
use crate::visit::{record, words};

record! {
    /// A place in the repository that proves a fact.
    pub struct Evidence {
        /// The file, relative to the analysed root.
        pub path: RelPath,
        /// The line, counted from 1; `None` when the fact is that the file exists.
        pub line: Option<u32>,
    }
}

impl Evidence {
    /// A line of a file.
    pub fn at(path: &RelPath, line: u32) -> Self {
        Self {
            path: path.clone(),
            line: Some(line.max(1)),
        }
    }

    /// The file's existence.
    pub fn file(path: &RelPath) -> Self {
        Self {
            path: path.clone(),
            line: None,
        }
    }
}

impl std::fmt::Display for Evidence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}", self.path),
            None => write!(f, "{}", self.path),
        }
    }
}

words! {
    /// Whether a fact holds where the software serves its users.
    pub enum Scope {
        /// It holds in a deployment.
        Production = "production",
        /// It holds for development, tests or examples only; it does not enter the plan.
        Development = "development",
    }
}

words! {
    /// How sure a fact is.
    pub enum Confidence {
        /// A file says it.
        Stated = "stated",
        /// Several files together say it.
        Derived = "derived",
        /// A framework or platform does it by default; the plan marks it as an assumption.
        Convention = "convention",
    }
}
