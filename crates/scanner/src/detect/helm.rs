//! Charts of Helm: what the chart says of itself, its dependencies and its values. Templates are read with these values
//! in `resolve`.

use playbook_core::path::RelPath;

use super::{Detector, judge};
use crate::fact::{ChartFact, Facts};
use crate::parse::yaml;
use crate::source::Source;

pub(crate) const DETECTOR: Detector = Detector { wants, detect };

fn wants(path: &RelPath) -> bool {
    matches!(path.name(), "Chart.yaml" | "values.yaml" | "requirements.yaml")
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    // A text with actions is a template of another tool.
    if source.text.contains("{{") && source.path.name() != "values.yaml" {
        return;
    }
    let (document, problem) = yaml::document(source.text);
    judge::problem(source, facts, problem);
    facts.charts.extend(document.map(|document| ChartFact {
        path: source.path.clone(),
        scope: source.scope,
        document,
    }));
}
