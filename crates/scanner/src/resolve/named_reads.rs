//! Reads of variables whose names are constants of other files.

use std::collections::BTreeMap;

use playbook_core::harmless::EnvName;
use playbook_core::inventory::VariableOrigin;

use crate::fact::{Facts, VariableFact};

/// Makes variables of the reads whose constants were found: in a file or a folder that is called like what the constant
/// belongs to. A name that several constants give different values to tells nothing.
pub(crate) fn resolve(facts: &mut Facts) {
    let reads = std::mem::take(&mut facts.named_reads);
    let names = std::mem::take(&mut facts.variable_names);
    if reads.is_empty() || names.is_empty() {
        return;
    }
    let mut values: BTreeMap<(String, &str), Option<&EnvName>> = BTreeMap::new();
    for fact in &names {
        let stem = fact.path.name().split('.').next().unwrap_or_default();
        let parent = fact.path.parent();
        let mut places = vec![stem.to_ascii_lowercase(), parent.name().to_ascii_lowercase()];
        places.dedup();
        for place in places {
            values
                .entry((place, fact.constant.as_str()))
                .and_modify(|known| {
                    if *known != Some(&fact.value) {
                        *known = None;
                    }
                })
                .or_insert(Some(&fact.value));
        }
    }
    for read in &reads {
        let key = (
            read.qualifier.as_str().to_ascii_lowercase(),
            read.constant.as_str(),
        );
        if let Some(Some(name)) = values.get(&key) {
            let mut fact = VariableFact::new(
                (*name).clone(),
                VariableOrigin::Code,
                read.scope,
                read.evidence.clone(),
            );
            fact.required = read.required;
            fact.has_default = read.has_default;
            facts.variables.push(fact);
        }
    }
}
