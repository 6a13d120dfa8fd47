//! Kustomize: what is put together and what is changed on the way. The manifests themselves stand in other files, so
//! `resolve` applies it.

use playbook_core::path::RelPath;

use super::{Detector, judge};
use crate::fact::{Facts, KustomizationFact};
use crate::parse::yaml;
use crate::source::Source;

pub(crate) const DETECTOR: Detector = Detector { wants, detect };

fn wants(path: &RelPath) -> bool {
    matches!(
        path.name(),
        "kustomization.yaml" | "kustomization.yml" | "Kustomization"
    )
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    let (document, problem) = yaml::document(source.text);
    judge::problem(source, facts, problem);
    facts
        .kustomizations
        .extend(document.map(|document| KustomizationFact {
            path: source.path.clone(),
            scope: source.scope,
            document,
        }));
}
