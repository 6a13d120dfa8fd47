//! Files that prove an infrastructure tool or a platform by their name (and, where the name alone proves nothing, by a
//! text that they must hold). The table is the catalogue's; formats that other detectors read in full are left to them.

use std::collections::BTreeSet;

use playbook_core::evidence::Scope;
use playbook_core::inventory::Infrastructure;
use playbook_core::path::RelPath;
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, PlatformKind, Technology};

use super::Detector;
use crate::fact::Facts;
use crate::source::Source;

pub(crate) const DETECTOR: Detector = Detector { wants, detect };

/// Kinds that a detector of their own tells.
const OTHERS: [&str; 5] = [
    "docker-compose",
    "docker-swarm",
    "kubernetes",
    "procfile",
    "render",
];

fn known(path: &RelPath) -> impl Iterator<Item = &'static Technology> {
    let found = Catalogue::get().by_file(path.as_str());
    found
        .into_iter()
        .map(|found| found.technology)
        .filter(|technology| {
            !OTHERS.contains(&technology.id)
                && technology
                    .platform
                    .as_ref()
                    .is_some_and(|platform| platform.kind == PlatformKind::Infrastructure)
        })
}

fn wants(path: &RelPath) -> bool {
    known(path).next().is_some()
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    let mut told = BTreeSet::new();
    for technology in known(source.path) {
        let Some(platform) = &technology.platform else {
            continue;
        };
        let proven =
            platform.content.is_empty() || platform.content.iter().any(|text| source.text.contains(text));
        if !proven || !told.insert(technology.id) {
            continue;
        }
        // A development container is the contract's own kind; its scope says that it is for development.
        let scope = if platform.development {
            Scope::Development
        } else {
            source.scope
        };
        let line = platform.content.iter().find_map(|text| source.line_with(text));
        facts.infrastructure.push(Infrastructure {
            kind: Shown::from(technology.id),
            path: source.path.clone(),
            scope,
            evidence: vec![line.map_or_else(|| source.file(), |line| source.at(line))],
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::facts;

    fn kinds(text: &str) -> Vec<(String, Scope)> {
        facts(&DETECTOR, text)
            .infrastructure
            .iter()
            .map(|found| (found.kind.to_string(), found.scope))
            .collect()
    }

    #[test]
    fn names_and_content() {
        assert_eq!(
            kinds("//- infra/Chart.yaml\nname: x\n"),
            [("helm".to_owned(), Scope::Production)]
        );
        assert_eq!(
            kinds("//- fly.toml\napp = \"x\"\n"),
            [("fly".to_owned(), Scope::Production)]
        );
        assert_eq!(
            kinds("//- .devcontainer/devcontainer.json\n{}\n"),
            [("devcontainer".to_owned(), Scope::Development)]
        );
        assert_eq!(kinds("//- app.json\n{\"expo\": {}}\n"), []);
        assert_eq!(
            kinds("//- docs/fly.toml\napp = \"x\"\n"),
            [("fly".to_owned(), Scope::Development)]
        );
        assert_eq!(kinds("//- src/main.py\nx = 1\n"), []);
    }
}
