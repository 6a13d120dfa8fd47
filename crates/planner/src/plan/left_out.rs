//! What the analysis did not read, so that nobody takes the plan for more than it is.

use std::collections::BTreeMap;

use serde::Serialize;

use playbook_core::diagnostic::{Diagnostic, DiagnosticKind};
use playbook_core::evidence::Evidence;
use playbook_core::inventory::Inventory;

/// Places that are named for each reason.
const MOST: usize = 3;

/// A reason with the places that it holds for.
#[derive(Debug, Serialize)]
pub(crate) struct LeftOut<'a> {
    kind: DiagnosticKind,
    count: usize,
    places: Vec<&'a Evidence>,
    /// How many more there are.
    more: usize,
}

/// By reason. Links lead to files that are read where they lie, or away from the repository; charts are read as far as
/// their values go, and say so where they are used.
pub(super) fn left_out(inventory: &Inventory) -> Vec<LeftOut<'_>> {
    let mut by_kind: BTreeMap<DiagnosticKind, Vec<&Diagnostic>> = BTreeMap::new();
    for diagnostic in &inventory.diagnostics {
        if !matches!(diagnostic.kind, DiagnosticKind::Link | DiagnosticKind::Template) {
            by_kind.entry(diagnostic.kind).or_default().push(diagnostic);
        }
    }
    by_kind
        .into_iter()
        .map(|(kind, all)| {
            let places: Vec<&Evidence> = all
                .iter()
                .flat_map(|diagnostic| &diagnostic.evidence)
                .take(MOST)
                .collect();
            LeftOut {
                kind,
                count: all.len(),
                more: all.len().saturating_sub(places.len()),
                places,
            }
        })
        .collect()
}
