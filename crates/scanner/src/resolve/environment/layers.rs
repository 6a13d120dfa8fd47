//! What the settings files of an application give to the settings that variables override.

use std::collections::{BTreeMap, BTreeSet};

use playbook_core::evidence::Scope;
use playbook_core::inventory::VariableOrigin;

use crate::fact::VariableFact;

/// Settings files and what they give to each setting, under the name of its variable without prefix.
pub(super) struct Layers<'a> {
    values: BTreeMap<&'a str, Vec<&'a VariableFact>>,
    groups: BTreeSet<&'a str>,
}

impl<'a> Layers<'a> {
    pub(super) fn new(facts: &'a [VariableFact]) -> Self {
        let mut values: BTreeMap<&str, Vec<&VariableFact>> = BTreeMap::new();
        let mut groups = BTreeSet::new();
        let of_layers = facts.iter().filter(|fact| {
            fact.internal && fact.origin == VariableOrigin::Code && fact.scope == Scope::Production
        });
        for fact in of_layers {
            let name = fact.name.as_str();
            values.entry(name).or_default().push(fact);
            groups.extend(name.rsplit_once("__").map(|(group, _)| group));
        }
        Self { values, groups }
    }

    /// A setting of a structure that only variables or files fill: do the files leave it open, or give it a value that
    /// serves nobody?
    pub(super) fn leave_open(&self, name: &str, production: &[&&VariableFact]) -> bool {
        let plain = production
            .iter()
            .filter(|fact| fact.origin == VariableOrigin::Code && !fact.internal)
            .all(|fact| !fact.has_default && fact.evidence.path.name().ends_with(".rs"));
        let is_read = production
            .iter()
            .any(|fact| fact.origin == VariableOrigin::Code && !fact.internal);
        if !plain || !is_read {
            return false;
        }
        // The prefix has one word or a few.
        let without_prefix = name
            .match_indices('_')
            .take(3)
            .filter_map(|(at, _)| name.get(at + 1..))
            .map(|rest| rest.trim_start_matches('_'));
        for rest in without_prefix {
            if let Some(given) = self.values.get(rest) {
                return given.iter().all(|fact| fact.placeholder || !fact.has_default);
            }
            if rest
                .rsplit_once("__")
                .is_some_and(|(group, _)| self.groups.contains(group))
            {
                return true;
            }
        }
        false
    }
}
