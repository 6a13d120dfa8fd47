//! The last look at an inventory: texts that turned out to be withheld values are taken out of it.
//!
//! A value is judged where it stands, but a secret may stand a second time where nothing says so: the password of the
//! database as the title of a page, or the token of a file in a comment. [`scrub`] therefore replaces every printable
//! text that holds a withheld value (or a form of it) by `<REDACTED>`.
//!
//! **The exception.** People take names as passwords: the database's password is the project's name. Taking that name out
//! of the inventory would destroy the plan and hide nothing, since a name says nothing about being a password. So a value
//! that is a name (it stands in an identifying field, such as a service's id or a file's path) stays, unless it has the
//! shape of a credential (a token, a random key, a word made as a password): that goes everywhere.
//! [`Names`] tells the gate which values stayed for this reason.

use std::collections::BTreeSet;

use crate::inventory::Inventory;
use crate::secret::{self, Search, Withheld};
use crate::shown::Shown;
use crate::visit::Visit;

/// Fields whose texts identify things.
const IDENTIFYING: &[&str] = &[
    "id",
    "name",
    "names",
    "kind",
    "unit",
    "units",
    "services",
    "service",
    "used_by",
    "depends_on",
    "variables",
    "env",
    "role",
    "tool",
    "drivers",
    "frameworks",
    "image",
    "base_images",
    "branch",
    "remote",
    "datastore",
    "language",
    "category",
    "package",
    "heads",
    "parents",
    "object",
    "host",
    "configures",
    "schema",
];

/// The names that stay in the inventory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    texts: BTreeSet<String>,
}

impl Names {
    /// Is the text a name, or a part of one, and not shaped like a credential?
    pub fn holds(&self, text: &str) -> bool {
        !is_credential(text) && self.texts.iter().any(|name| name.contains(text))
    }

    fn of(inventory: &mut Inventory) -> Self {
        let mut texts = BTreeSet::new();
        inventory.visit("inventory", &mut |field, shown| {
            let last = field.rsplit('.').next().unwrap_or(field);
            if IDENTIFYING.contains(&last) {
                texts.insert(shown.as_str().to_owned());
            }
        });
        if let Ok(value) = serde_json::to_value(&*inventory) {
            paths(&value, &mut texts, 0);
        }
        Self { texts }
    }
}

/// The paths of the evidence, which no visit changes.
fn paths(value: &serde_json::Value, texts: &mut BTreeSet<String>, depth: usize) {
    if depth > 64 {
        return;
    }
    match value {
        serde_json::Value::Array(items) => items.iter().for_each(|item| paths(item, texts, depth + 1)),
        serde_json::Value::Object(fields) => {
            for (key, field) in fields {
                match field {
                    serde_json::Value::String(text)
                        if matches!(
                            key.as_str(),
                            "path" | "dockerfile" | "lockfile" | "folder" | "readme" | "license"
                        ) =>
                    {
                        texts.insert(text.clone());
                    }
                    _ => paths(field, texts, depth + 1),
                }
            }
        }
        _ => {}
    }
}

fn is_credential(text: &str) -> bool {
    secret::looks_like_token(text) || secret::is_likely_password(text) || secret::has_user_info(text)
}

/// Replaces every printable text of the inventory that holds a withheld value. Gives back the names that stay; the gate
/// takes them for harmless.
pub fn scrub(inventory: &mut Inventory, withheld: &Withheld) -> Names {
    if withheld.is_empty() {
        return Names::default();
    }
    let search = Search::new(withheld);
    let names = Names::of(inventory);
    inventory.visit("inventory", &mut |_, shown| {
        let leaks = search
            .find(shown.as_str())
            .any(|hit| !names.holds(hit.form.peek()));
        if leaks {
            *shown = Shown::redacted();
        }
    });
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw::Raw;

    #[test]
    fn names_stay_and_values_go() {
        let mut inventory = Inventory::empty();
        inventory.project.name = Some(Shown::judged("Bookings-Platform-24"));
        inventory.project.description = Some(Shown::judged("Uses Blue-Horse-Lamp every day"));
        let mut withheld = Withheld::new();
        withheld.add(Raw::new("Bookings-Platform-24"));
        withheld.add(Raw::new("Blue-Horse-Lamp"));
        let names = scrub(&mut inventory, &withheld);
        assert_eq!(
            inventory.project.name,
            Some(Shown::judged("Bookings-Platform-24"))
        );
        assert_eq!(inventory.project.description, Some(Shown::redacted()));
        assert!(names.holds("Bookings-Platform-24"));
        assert!(!names.holds("Blue-Horse-Lamp"));
    }
}
