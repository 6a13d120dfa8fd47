//! Forms that Compose allows: lists or maps of variables, commands as text or list.

use playbook_core::evidence::Scope;
use playbook_core::harmless::EnvName;
use playbook_core::inventory::{UnitVariable, VariableSource};
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use crate::detect::judge::interpolation::{self, Missing};
use crate::detect::judge::{self, Place};
use crate::fact::Facts;
use crate::parse::tree::Node;
use crate::source::Source;

/// One variable of `environment:`.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) name: &'a str,
    /// `None` when it is passed on from the deployer's environment.
    pub(super) value: Option<&'a str>,
    pub(super) line: u32,
}

/// The variables of a unit in order, the last of each name.
pub(super) fn environment(node: &Node) -> Vec<Entry<'_>> {
    node.get("environment").map(pairs).unwrap_or_default()
}

/// `NAME: value` or `- NAME=value`.
pub(super) fn pairs(node: &Node) -> Vec<Entry<'_>> {
    let mut found: Vec<Entry<'_>> = Vec::new();
    let entries = node.entries().map(|(name, line, value)| Entry {
        name,
        value: value.text().filter(|_| !value.is_null()),
        line,
    });
    let items = node.items().filter_map(|item| {
        let text = item.text()?;
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        Some(Entry {
            name: name.trim(),
            value,
            line: item.line(),
        })
    });
    for entry in entries.chain(items) {
        match found.iter_mut().find(|known| known.name == entry.name) {
            Some(known) => *known = entry,
            None => found.push(entry),
        }
    }
    found
}

/// A command as one text.
pub(super) fn command_text(node: &Node) -> String {
    if let Some(text) = node.text() {
        text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
    } else {
        let words: Vec<&str> = node.items().filter_map(Node::text).collect();
        judge::join_words(&words)
    }
    .replace("$$", "$")
}

/// What a unit's variable gets, with a default or value that may be shown.
pub(super) fn unit_variable(
    source: &Source<'_>,
    facts: &mut Facts,
    entry: Entry<'_>,
    scope: Scope,
) -> Option<UnitVariable> {
    let name = EnvName::parse(Raw::new(entry.name))?;
    let place = Place::new(entry.line, scope);
    let reference_to = |name: &str| EnvName::parse(Raw::new(name)).map(Shown::from);
    let (origin, value, reference) = match entry.value {
        None => (VariableSource::Interpolated, None, Some(Shown::from(&name))),
        Some(text) => {
            if let Some(found) = interpolation::whole(text) {
                let (origin, value) = match found.missing {
                    Missing::Error => (VariableSource::Required, None),
                    Missing::Default => (
                        VariableSource::WithDefault,
                        default_of(source, facts, entry.name, found.argument, place),
                    ),
                    Missing::Empty | Missing::Alternative => (VariableSource::Interpolated, None),
                };
                (origin, value, reference_to(found.name))
            } else {
                written(source, facts, entry.name, text, place)
            }
        }
    };
    Some(UnitVariable {
        name: name.into(),
        source: origin,
        value,
        reference,
        evidence: vec![source.at(entry.line)],
    })
}

/// A value that is more than one reference.
fn written(
    source: &Source<'_>,
    facts: &mut Facts,
    name: &str,
    text: &str,
    place: Place,
) -> (VariableSource, Option<Shown>, Option<Shown>) {
    let references = interpolation::references(text);
    // The text around the references may hold a password of its own.
    let judged = judge::literal(source, facts, name, &text.replace("$$", "$"), place);
    if references.is_empty() {
        let origin = if judged.shown.is_some() || judged.empty {
            VariableSource::Literal
        } else {
            VariableSource::Withheld
        };
        return (origin, judged.shown.map(Shown::from), None);
    }
    let names: Vec<Shown> = references
        .iter()
        .filter_map(|found| EnvName::parse(Raw::new(found.name)).map(Shown::from))
        .collect();
    let reference = (!names.is_empty()).then(|| Shown::join(&names, ", "));
    (VariableSource::Composed, None, reference)
}

fn default_of(source: &Source<'_>, facts: &mut Facts, name: &str, text: &str, place: Place) -> Option<Shown> {
    let text = interpolation::with_defaults(text)?;
    judge::literal(source, facts, name, &text, place)
        .shown
        .map(Shown::from)
}
