//! What the plan stores for the services.

use playbook_core::inventory::{Role, VariableSource};
use playbook_core::shown::Shown;

use super::{Generated, Judged, KEY_BYTES, Line, Origin, Row, passed};
use crate::plan::infrastructure::{process_name, settings, wiring};
use crate::plan::{Given, Parameter};

/// The variables that somebody has to store, in the order of a file that reads well.
pub(super) fn lines<'a>(
    judged: &Judged<'_, '_, 'a>,
    rows: &[Row<'a>],
    generated: &[Generated<'a>],
) -> Vec<Line<'a>> {
    let Judged { given, stores, .. } = *judged;
    let engines = wiring::secrets(given, stores);
    let mut lines: Vec<Line<'a>> = rows
        .iter()
        .filter_map(|row| {
            let kind = match row.origin {
                Origin::Parameter => "setting",
                Origin::Generated if engines.contains(row.name) => "engine",
                Origin::Generated => "generated",
                Origin::Datastore if judged.wires.contains_key(row.name) => "wired",
                Origin::Asked => "asked",
                // A stack or a platform that knows the datastore fills in its address.
                Origin::Datastore if !stack_knows_store(given, row.name) => "address",
                _ => return None,
            };
            let needs_shell_name = !matches!(kind, "generated" | "wired");
            if needs_shell_name && Parameter::new(row.name).is_none() {
                return None;
            }
            let store = given
                .inventory
                .variable(row.name.as_str())
                .and_then(|variable| settings::store_of(variable, stores));
            // The password of a datastore that somebody else runs comes from there.
            let kind = match store {
                Some(store) if kind == "generated" && store.is_offered() => "address",
                _ => kind,
            };
            let found = generated.iter().find(|secret| secret.name == row.name);
            Some(Line {
                processes: readers(given, row.services),
                store: store.map(|store| store.name.clone()),
                property: store.and_then(|_| settings::property(row.name.as_str())),
                name: row.name.clone(),
                kind,
                secret: row.secret || matches!(kind, "address" | "wired"),
                required: row.required,
                bytes: found.map_or(KEY_BYTES, |secret| secret.bytes),
                value: found.and_then(|secret| secret.value.clone()),
                configures: row.configures,
                one_of: row.one_of.is_some(),
                wire: judged.wires.get(row.name).cloned(),
            })
        })
        .collect();
    for name in engines {
        if !lines.iter().any(|line| line.name == name) {
            lines.push(engine(name));
        }
    }
    let rank = |line: &Line<'_>| match line.kind {
        "setting" => 0,
        "engine" => 1,
        "generated" => 2,
        "wired" => 3,
        "address" => 4,
        _ => 5,
    };
    lines.sort_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| a.name.cmp(&b.name)));
    lines
}

/// A secret that only the image of a new datastore reads.
fn engine<'a>(name: Shown) -> Line<'a> {
    Line {
        name,
        kind: "engine",
        secret: true,
        required: true,
        bytes: KEY_BYTES,
        value: None,
        configures: None,
        one_of: false,
        processes: Vec::new(),
        store: None,
        property: None,
        wire: None,
    }
}

/// The deployed processes that read a variable: all of the repository's own where none is known, all that there is
/// where it has none that stays up.
fn readers(given: &Given<'_>, services: &[Shown]) -> Vec<Shown> {
    let all = || {
        given
            .services
            .iter()
            .filter(|service| service.role != Role::Function)
    };
    let known: Vec<Shown> = all()
        .filter(|service| services.contains(&service.id))
        .map(|service| process_name(given, service))
        .collect();
    if !known.is_empty() {
        return known;
    }
    let own: Vec<Shown> = all().map(|service| process_name(given, service)).collect();
    if !own.is_empty() {
        return own;
    }
    let others = given.third_party.iter().chain(&given.services);
    others.map(|service| process_name(given, service)).collect()
}

/// Does the repository's own stack fill in the address?
fn stack_knows_store(given: &Given<'_>, name: &Shown) -> bool {
    passed(given).any(|variable| {
        variable.name == *name
            && matches!(
                variable.source,
                VariableSource::Datastore | VariableSource::Composed
            )
    })
}
