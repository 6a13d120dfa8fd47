//! What a unit says about datastores: its image, the names it gives them, addresses in its variables, and settings that
//! take their safety away.

use playbook_core::evidence::{Evidence, Scope};
use playbook_core::harmless::{ImageRef, Name, Version};
use playbook_core::inventory::SignalKind;
use playbook_core::raw::Raw;
use playbook_core::secret;
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Group};

use super::values;
use crate::detect::choice;
use crate::detect::judge::interpolation;
use crate::detect::judge::{self, development};
use crate::fact::{Facts, StoreFact};
use crate::parse::tree::Node;
use crate::source::Source;

pub(super) fn collect(source: &Source<'_>, facts: &mut Facts, node: &Node, scope: Scope) {
    let environment = values::environment(node);
    if let Some((text, line)) = node
        .get("image")
        .and_then(|image| Some((image.text()?, image.line())))
    {
        let name = environment
            .iter()
            .find_map(|entry| database_name(entry.name, entry.value?));
        let store = of_image(text, scope, source.at(line));
        facts
            .stores
            .extend(store.map(|store| StoreFact { name, ..store }));
    }
    for entry in &environment {
        let Some(value) = entry.value else { continue };
        if let Some(setting) = development::unsafe_setting(entry.name, value) {
            facts.signal(
                SignalKind::DevelopmentSwitch,
                Some(setting),
                scope,
                source.at(entry.line),
            );
        }
        let value = interpolation::whole(value).map_or(value, |found| found.argument);
        let address = judge::store_of_address(entry.name, value, scope, source.at(entry.line));
        // What a stack chooses is what it runs with.
        let choice = || {
            let found = choice::store(entry.name, value, scope, source.at(entry.line))?;
            Some(StoreFact {
                strong: true,
                ..found
            })
        };
        facts.stores.extend(address.or_else(choice));
    }
    if let Some(command) = node.get("command") {
        for setting in development::unsafe_options(&values::command_text(command)) {
            facts.signal(
                SignalKind::DevelopmentSwitch,
                Some(setting),
                scope,
                source.at(command.line()),
            );
        }
    }
}

/// The datastore that an image is.
pub(crate) fn of_image(text: &str, scope: Scope, evidence: Evidence) -> Option<StoreFact> {
    let text = interpolation::with_defaults(text).unwrap_or_else(|| text.to_owned());
    let found = Catalogue::get()
        .by_image(&judge::image_without_tag(&text))
        .into_iter()
        .find(|found| found.technology.group == Group::Datastore && !found.implied)?;
    let version = ImageRef::parse(Raw::new(&text)).and_then(|image| {
        image
            .version()
            .and_then(|version| Version::parse(Raw::new(version)))
    });
    Some(StoreFact {
        kind: Shown::from(found.technology.id),
        dir: None,
        version,
        role: None,
        managed: None,
        driver: None,
        variable: None,
        name: None,
        extension: None,
        strong: true,
        scope,
        evidence,
    })
}

/// The name of the database that a variable of the datastore's image gives: `POSTGRES_DB`, `MYSQL_DATABASE`.
fn database_name(name: &str, value: &str) -> Option<Name> {
    let words = secret::words_of(name);
    let about_a_database = words
        .last()
        .is_some_and(|last| matches!(last.as_str(), "db" | "database"));
    let value = interpolation::with_defaults(value)?;
    (about_a_database && words.len() > 1 && !secret::is_secret_name(name))
        .then(|| Name::parse(Raw::new(&value)))
        .flatten()
}
