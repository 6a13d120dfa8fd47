//! Versions of datastores.

use std::collections::BTreeMap;

use playbook_core::evidence::{Evidence, Scope};
use playbook_core::finding::Severity;
use playbook_core::harmless::version_numbers;
use playbook_core::inventory::Inventory;
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Group};

use super::facts::{self, Context, code};
use super::support::{self, Support};
use crate::rule::{Findings, Rule};

pub(super) const RULES: &[&Rule] = &[&END_OF_LIFE, &VERSION_MISMATCH];

static END_OF_LIFE: Rule = Rule {
    id: "db-eol-version",
    severity: Severity::High,
    section: 5,
    title: "A datastore's version gets no more fixes",
    why: "Security fixes end with the support of a version, and providers upgrade by force.",
    fix: "Move to a supported version, with a dump or the vendor's upgrade path.",
    check: end_of_life,
};

fn end_of_life(inventory: &Inventory, context: &Context, findings: &mut Findings) {
    let mut report = |kind: &str, version: &str, name: &Shown, places: Vec<Evidence>| {
        let Some(technology) = Catalogue::get().find(Group::Datastore, kind) else {
            return;
        };
        let Some((support, cycle)) = support::support(technology, version, context.date) else {
            return;
        };
        let (template, day, severity) = match support {
            Support::Ended(Some(day)) => (
                "{} runs {} {}, whose support ended on {} (as of {}).",
                day,
                Severity::High,
            ),
            Support::Ended(None) => (
                "{} runs {} {}, whose support has ended{} (as of {}).",
                "",
                Severity::High,
            ),
            Support::Ends(day) => (
                "{} runs {} {}, whose support ends on {} (as of {}).",
                day,
                Severity::Medium,
            ),
        };
        let draft = findings
            .add(
                Shown::fill(
                    template,
                    &[
                        name,
                        &Shown::from(technology.name),
                        &Shown::from(cycle.version),
                        &Shown::from(day),
                        &Shown::from(cycle.source_date),
                    ],
                ),
                places,
            )
            .severity(severity);
        if let Some(next) = support::successor(technology, context.date) {
            draft.fix(Shown::fill(
                "Move to {} {}, with a dump or the vendor's upgrade path.",
                &[&Shown::from(technology.name), &Shown::from(next)],
            ));
        }
    };
    let mut seen: Vec<&Shown> = Vec::new();
    for (_, unit) in facts::production_units(inventory) {
        let (Some(technology), Some(version)) =
            (support::engine(inventory, unit), support::unit_version(unit))
        else {
            continue;
        };
        seen.extend(&unit.datastore);
        report(
            technology.id,
            &version,
            &code(&unit.name),
            unit.evidence.iter().take(1).cloned().collect(),
        );
    }
    for store in facts::production_datastores(inventory) {
        if seen.contains(&&store.id) {
            continue;
        }
        if let Some(version) = &store.version {
            report(
                store.kind.as_str(),
                version.as_str(),
                &code(&store.id),
                store.evidence.iter().take(2).cloned().collect(),
            );
        }
    }
}

static VERSION_MISMATCH: Rule = Rule {
    id: "db-version-mismatch",
    severity: Severity::Medium,
    section: 5,
    title: "The repository states different versions of one datastore",
    why: "What was tested on one version behaves differently on another, and data does not go back to an older one.",
    fix: "State one version everywhere.",
    check: version_mismatch,
};

/// Major versions with their places, and whether these hold in production.
type Majors = BTreeMap<u64, Vec<(bool, Evidence)>>;

fn version_mismatch(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    let mut versions: BTreeMap<&'static str, Majors> = BTreeMap::new();
    let mut add = |kind: &'static str, version: &str, production: bool, place: Option<&Evidence>| {
        let Some(place) = place else { return };
        // MariaDB, MySQL and MongoDB count in their second number too, but a difference there is no other format.
        if let Some(major) = version_numbers(version).first() {
            versions
                .entry(kind)
                .or_default()
                .entry(*major)
                .or_default()
                .push((production, place.clone()));
        }
    };
    for stack in &inventory.stacks {
        for unit in &stack.units {
            if let (Some(technology), Some(version)) =
                (support::engine(inventory, unit), support::unit_version(unit))
            {
                add(
                    technology.id,
                    &version,
                    stack.scope == Scope::Production,
                    unit.evidence.first(),
                );
            }
        }
    }
    for pin in &inventory.version_pins {
        if let Some(technology) = Catalogue::get().find(Group::Datastore, pin.tool.as_str()) {
            add(
                technology.id,
                pin.version.as_str(),
                pin.scope == Scope::Production,
                pin.evidence.first(),
            );
        }
    }
    for (kind, majors) in versions {
        let production = majors.values().flatten().any(|(production, _)| *production);
        if majors.len() < 2 || !production {
            continue;
        }
        let numbers: Vec<Shown> = majors.keys().map(|major| Shown::number(*major)).collect();
        let name = Catalogue::get()
            .find(Group::Datastore, kind)
            .map_or(kind, |technology| technology.name);
        let mut places: Vec<(bool, Evidence)> = majors.into_values().flatten().collect();
        places.sort_by_key(|(production, _)| !production);
        findings.add(
            Shown::fill(
                "{} appears as {}.",
                &[&Shown::from(name), &Shown::join(&numbers, ", ")],
            ),
            places.into_iter().map(|(_, place)| place),
        );
    }
}

#[cfg(test)]
mod tests;
