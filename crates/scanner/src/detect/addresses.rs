//! Addresses of vendors that the code calls: `https://api.example-vendor.com/…` in a string of source code, where the
//! catalogue knows the host. What comments and documentation link to is no call.

use std::collections::BTreeSet;

use memchr::memmem;
use playbook_core::evidence::Scope;
use playbook_core::inventory::ExternalService;
use playbook_core::path::RelPath;
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Group, Technology};

use super::{Detector, ending};
use crate::fact::Facts;
use crate::language::{Language, language_of};
use crate::limits;
use crate::source::Source;

/// Source code.
pub(crate) const DETECTOR: Detector = Detector { wants, detect };

/// Components of pages: what they link to, the browser opens.
const COMPONENTS: &[&str] = &["tsx", "jsx"];

fn language(path: &RelPath) -> Option<&'static Language> {
    language_of(path.as_str()).filter(|language| language.name() != "shell" && !ending(path, COMPONENTS))
}

/// Bytes of the prefix and the quotes of a string.
const LONGEST_OPENING: usize = 24;
/// How an address begins that the code calls.
const SCHEME: &str = "https://";

fn wants(path: &RelPath) -> bool {
    language(path).is_some()
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    if source.scope != Scope::Production || source.text.len() as u64 > limits::SOURCE_BYTES {
        return;
    }
    let known: Vec<(usize, &'static Technology)> = memmem::find_iter(source.text.as_bytes(), SCHEME)
        .filter_map(|at| {
            let rest = source.text.get(at + SCHEME.len()..)?;
            let end = rest
                .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-')))
                .unwrap_or(rest.len());
            let host = rest.get(..end)?;
            // Every vendor's host of the catalogue has a dot; a bare name is one of the network's own.
            let found = host
                .contains('.')
                .then(|| Catalogue::get().by_host_suffix(host))?;
            let vendor = found
                .into_iter()
                .find(|found| found.technology.group == Group::ExternalService)?;
            Some((at, vendor.technology))
        })
        .collect();
    if known.is_empty() {
        return;
    }
    let Some(language) = language(source.path) else {
        return;
    };
    let masked = language.mask(source.text);
    let mut told = BTreeSet::new();
    for (at, technology) in known {
        // An address that a string begins with is called; one in the middle of a sentence is shown to a reader.
        let before = at.saturating_sub(LONGEST_OPENING)..at + 1;
        let begins = masked
            .literals_in(&before)
            .iter()
            .any(|literal| literal.inner.start == at);
        if begins && told.insert(technology.id) {
            facts.external_services.push(ExternalService {
                kind: Shown::from(technology.id),
                category: Shown::from(technology.category),
                scope: source.scope,
                variables: Vec::new(),
                evidence: vec![source.at(source.line_of(at))],
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn a_vendor_that_the_code_calls() {
        let facts = testing::facts(
            &DETECTOR,
            "//- app/push.rb\nfetch(\"https://api.pushover.net/1/messages.json\")\n# see https://api.github.com/docs\nputs \"more at https://api.github.com\"\n",
        );
        let told: Vec<&str> = facts
            .external_services
            .iter()
            .map(|service| service.kind.as_str())
            .collect();
        assert_eq!(told, ["pushover"]);
    }

    #[test]
    fn tests_call_nobody() {
        let facts = testing::facts(
            &DETECTOR,
            "//- spec/push_spec.rb\nfetch(\"https://api.pushover.net/1/messages.json\")\n",
        );
        assert!(facts.external_services.is_empty());
    }
}
