//! Which variables a deployment can't do without.

use std::collections::BTreeSet;

use playbook_core::evidence::{Evidence, Scope};
use playbook_core::harmless::Setting;
use playbook_core::inventory::VariableOrigin;
use playbook_core::path::RelPath;

use crate::detect::judge::schema;
use crate::fact::VariableFact;
use crate::resolve::candidates::Sources;

/// Does a service fail to start, or start insecurely, without it? A value that one stack passes is no default: the next
/// deployment needs it again. A stand-in for a secret is none either, nor is the mode of developers.
pub(super) fn is_required(
    name: &str,
    secret: bool,
    production: &[&&VariableFact],
    sources: &Sources<'_>,
) -> bool {
    if is_replaced(name, sources) {
        return false;
    }
    let reads: Vec<&&&VariableFact> = production
        .iter()
        .filter(|fact| {
            matches!(
                fact.origin,
                VariableOrigin::Code | VariableOrigin::Script | VariableOrigin::Interpolation
            )
        })
        .collect();
    let is_default = |fact: &VariableFact| {
        fact.has_default
            && !fact.placeholder
            && !fact.default.as_ref().is_some_and(|default| {
                default.as_str() == name || schema::is_development_default(name, default.as_str())
            })
    };
    let of_image = production
        .iter()
        .any(|fact| fact.origin == VariableOrigin::Image && !fact.build_time && is_default(fact));
    let has_default = of_image || reads.iter().any(|fact| is_default(fact));
    // A stack that demands it stops without it, whatever other files fall back on.
    let by_stack = production.iter().any(|fact| {
        fact.required && matches!(fact.origin, VariableOrigin::Interpolation | VariableOrigin::Stack)
    });
    let stand_in = secret && reads.iter().any(|fact| fact.placeholder && fact.has_default);
    // A script that chooses production for itself does not choose for the service.
    let development_default = !of_image
        && reads.iter().any(|fact| {
            fact.origin == VariableOrigin::Code
                && fact
                    .default
                    .as_ref()
                    .is_some_and(|default| schema::is_development_default(name, default.as_str()))
        });
    let in_code = reads
        .iter()
        .any(|fact| fact.origin == VariableOrigin::Code && !fact.build_time);
    // A default for the application's own secret is one that everybody can read.
    let own_secret = secret && in_code && schema::is_own_secret(name);
    let own_store = in_code && schema::is_own_store(name) && (secret || !has_default);
    by_stack
        || stand_in
        || development_default
        || own_secret
        || own_store
        || !of_image && in_code && is_to_be_set(name, production)
        || is_demanded(secret || !has_default, &reads, sources)
}

/// Does the repository offer another variable in its place?
fn is_replaced(name: &str, sources: &Sources<'_>) -> bool {
    schema::replaced_by(name).is_some_and(|other| {
        sources.facts.variables.iter().any(|fact| {
            fact.name.as_str() == other
                && fact.scope == Scope::Production
                && !fact.commented
                && matches!(
                    fact.origin,
                    VariableOrigin::File | VariableOrigin::Stack | VariableOrigin::Interpolation
                )
        })
    })
}

/// An example file asks for a value, and what the code falls back on serves nobody: its own machine's address, or
/// something that the example does not think of.
fn is_to_be_set(name: &str, production: &[&&VariableFact]) -> bool {
    let own = schema::is_own_store(name) || schema::is_own_address(name);
    let offered: Vec<&&&VariableFact> = production
        .iter()
        .filter(|fact| fact.origin == VariableOrigin::File && fact.documented && !fact.commented)
        .collect();
    if !own || offered.is_empty() {
        return false;
    }
    let mut defaults = production
        .iter()
        .filter(|fact| fact.origin == VariableOrigin::Code && fact.has_default)
        .filter_map(|fact| fact.default.as_ref())
        .filter(|default| !matches!(default.as_str(), "false" | "null"));
    let is_other = |default: &Setting| {
        offered
            .iter()
            .any(|fact| fact.default.as_ref().is_some_and(|example| example != default))
    };
    let serves = defaults.any(|default| !schema::is_loopback(default.as_str()) && !is_other(default));
    !serves
}

/// Does the code stop without it? What one application falls back on is no help to another one.
fn is_demanded(no_default: bool, reads: &[&&&VariableFact], sources: &Sources<'_>) -> bool {
    let app = |fact: &VariableFact| sources.apps.owner(&fact.evidence.path).map(|app| app.dir.clone());
    // Two patterns may see one place; the one that sees a way out is right.
    let with_way_out: BTreeSet<&Evidence> = reads
        .iter()
        .filter(|fact| fact.has_default)
        .map(|fact| &fact.evidence)
        .collect();
    let mut demanding = reads
        .iter()
        .filter(|fact| fact.required && !with_way_out.contains(&fact.evidence));
    if no_default {
        return demanding.next().is_some();
    }
    let served: BTreeSet<Option<RelPath>> = reads
        .iter()
        .filter(|fact| fact.has_default)
        .map(|fact| app(fact))
        .collect();
    demanding.any(|fact| fact.origin == VariableOrigin::Code && !served.contains(&app(fact)))
}
