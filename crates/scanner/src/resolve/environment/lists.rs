//! Lists of variables in documents.

use std::collections::{BTreeMap, BTreeSet};

use playbook_core::inventory::VariableOrigin;

use super::is_used;
use crate::fact::VariableFact;
use crate::resolve::candidates::Sources;

/// How many variables a list in a document names at least, and how many of them the repository uses: these, and a third.
const LIST: usize = 4;
const KNOWN: usize = 3;

/// Names in lists of documents of which most are used: what such a list tells besides is read by something that no
/// pattern sees (a name that is put together, a proxy in front of the application, a library).
pub(super) fn told_by_documents<'a>(
    sources: &'a Sources<'_>,
    by_name: &BTreeMap<&str, Vec<&VariableFact>>,
    passed: &BTreeSet<&str>,
) -> BTreeSet<&'a str> {
    let mut told = BTreeSet::new();
    let mut list: Vec<&VariableFact> = Vec::new();
    let mut close = |list: &mut Vec<&'a VariableFact>| {
        let names: BTreeSet<&str> = list.iter().map(|fact| fact.name.as_str()).collect();
        let used = names
            .iter()
            .filter(|name| by_name.get(**name).is_some_and(|facts| is_used(facts)) || passed.contains(**name))
            .count();
        if names.len() >= LIST && used >= KNOWN && used * 3 >= names.len() {
            told.extend(names.into_iter().filter(|name| name.contains('_')));
        }
        list.clear();
    };
    for fact in &sources.facts.variables {
        if fact.origin != VariableOrigin::Document || fact.internal || fact.commented {
            continue;
        }
        let follows = list.last().is_some_and(|last| {
            last.evidence.path == fact.evidence.path
                && match (last.evidence.line, fact.evidence.line) {
                    (Some(last), Some(line)) => line >= last && line - last <= 2,
                    _ => false,
                }
        });
        if !follows {
            close(&mut list);
        }
        list.push(fact);
    }
    close(&mut list);
    told
}
