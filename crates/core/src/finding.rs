//! What a reviewer would raise before a release.

use crate::evidence::{Confidence, Evidence};
use crate::shown::Shown;
use crate::visit::{record, words};

words! {
    /// How bad it is when nothing is done.
    pub enum Severity {
        /// The deployment fails with certainty.
        Blocker = "blocker",
        /// Data is exposed or lost, or a release breaks on the documented path.
        High = "high",
        /// It breaks under load, failure or change.
        Medium = "medium",
        /// The rest.
        Low = "low",
    }
}

record! {
    /// One instance of a rule that applies to this repository.
    pub struct Finding {
        /// The rule's id, kebab-case.
        pub rule: Shown,
        /// How bad it is.
        pub severity: Severity,
        /// The rule's title, about this repository.
        pub title: Shown,
        /// What is the matter and what follows, with this repository's names and numbers.
        pub detail: Shown,
        /// The exact change that settles it.
        pub fix: Shown,
        /// How sure it is.
        pub confidence: Confidence,
        /// The section of the plan (1 to 11) whose steps it concerns.
        pub section: u8,
        /// The places that prove it.
        pub evidence: Vec<Evidence>,
    }
}
