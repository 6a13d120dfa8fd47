//! What was not read, and why.

use crate::evidence::Evidence;
use crate::path::RelPath;
use crate::visit::{record, words};

words! {
    /// Why something was left out. Closed on purpose: a message can't quote the repository.
    pub enum DiagnosticKind {
        /// The file is larger than the limit.
        FileTooLarge = "file-too-large",
        /// The file holds NUL bytes or is no text.
        NotText = "not-text",
        /// The file could not be opened or read.
        Unreadable = "unreadable",
        /// It is a link; links are not followed.
        Link = "link",
        /// It is neither a file nor a folder.
        Special = "special-file",
        /// The tree holds more files than the limit; the rest was left out.
        TooManyFiles = "too-many-files",
        /// The files hold more text or facts than the limit; this one and those that came after it were left out.
        TooMuch = "too-much",
        /// The tree is deeper than the limit.
        TooDeep = "too-deep",
        /// The name can't be shown or is longer than the limit.
        OddName = "odd-name",
        /// The file's syntax is wrong at this line; what stands before it was used.
        Syntax = "syntax-error",
        /// The file is nested deeper, or has more parts, than the limit.
        TooComplex = "too-complex",
        /// A template that can't be read without rendering it.
        Template = "template-not-rendered",
        /// A detector failed on this file; everything else was kept. This is a bug in playbook.
        DetectorFailed = "detector-failed",
        /// More facts of one kind than the limit; the rest was left out.
        TooManyFacts = "too-many-facts",
    }
}

record! {
    /// A part of the repository that the analysis did not use, and why.
    pub struct Diagnostic {
        /// The file.
        pub path: RelPath,
        /// The line, where there is one.
        pub line: Option<u32>,
        /// Why.
        pub kind: DiagnosticKind,
        /// The same place in the form that every item of the inventory has.
        pub evidence: Vec<Evidence>,
    }
}

impl Diagnostic {
    /// What was left out, and why.
    pub fn new(path: RelPath, line: Option<u32>, kind: DiagnosticKind) -> Self {
        // A link may lead nowhere: the folder that holds it is there.
        let place = if kind == DiagnosticKind::Link {
            path.parent()
        } else {
            path.clone()
        };
        let evidence = vec![Evidence { path: place, line }];
        Self {
            path,
            line,
            kind,
            evidence,
        }
    }
}
