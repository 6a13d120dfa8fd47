//! Names of variables that are constants of other files: the reads, and the constants. Which belong together is told by
//! `resolve::named_reads`.

use std::sync::LazyLock;

use playbook_core::harmless::{EnvName, Name};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::secret::words_of;
use regex::Regex;

use crate::detect::judge::schema;
use crate::fact::{Facts, NamedReadFact, VariableNameFact};
use crate::language::{Fallback, Hit, SYMBOL};
use crate::source::Source;

/// A read through a constant of another file.
pub(super) fn read(source: &Source<'_>, hit: &Hit, facts: &mut Facts) {
    let Some(symbol) = hit.attribute(SYMBOL) else {
        return;
    };
    let parts = symbol.split_once("::").or_else(|| symbol.split_once('.'));
    let named = |text: &str| Name::parse(Raw::new(text));
    if let Some((Some(qualifier), Some(constant))) =
        parts.map(|(qualifier, constant)| (named(qualifier), named(constant)))
    {
        facts.named_reads.push(NamedReadFact {
            qualifier,
            constant,
            required: matches!(hit.default, Fallback::Required),
            has_default: matches!(&hit.default, Fallback::Present(value) if value.as_deref() != Some("")),
            scope: source.scope,
            evidence: source.at(hit.line),
        });
    }
}

/// A constant whose text looks like the name of a variable.
static CONSTANT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"\b(?P<name>[A-Za-z_]\w*)\s*(?:(?::\s*)?(?:&(?:'static )?)?(?:str|string|String)\s*)?=\s*["'](?P<value>[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)["']"#).ok()
});

/// The constants of a file whose name, or whose folder's name, says that it holds such.
pub(super) fn constants(source: &Source<'_>, facts: &mut Facts) {
    if !holds_names(source.path) {
        return;
    }
    let Some(regex) = CONSTANT.as_ref() else { return };
    for captures in regex.captures_iter(source.text) {
        let text = |group: &str| captures.name(group).map_or("", |found| found.as_str());
        if let (Some(constant), Some(value)) = (
            Name::parse(Raw::new(text("name"))),
            EnvName::parse(Raw::new(text("value"))),
        ) {
            facts.variable_names.push(VariableNameFact {
                constant,
                value,
                path: source.path.clone(),
            });
        }
    }
}

fn holds_names(path: &RelPath) -> bool {
    let stem = path.name().split('.').next().unwrap_or_default();
    let parent = path.parent();
    [stem, parent.name()]
        .iter()
        .flat_map(|name| words_of(name))
        .any(|word| schema::is_word_of_names(&word))
}

#[cfg(test)]
mod tests {
    use crate::testing;

    #[test]
    fn a_name_in_a_constant_of_another_package() {
        let inventory = testing::inventory(
            "
//- go.mod
module example.com/shop
go 1.23
require github.com/labstack/echo/v4 v4.12.0
//- main.go
package main

func main() {
	store := os.Getenv(constants.StoreAddress)
	echo.New().Start(os.Getenv(other.StoreAddress))
}
//- pkg/constants/constants.go
package constants

const (
	StoreAddress = \"STORE_ADDRESS\"
	Unread       = \"UNREAD_NAME\"
)
",
        );
        let names: Vec<&str> = inventory
            .environment
            .iter()
            .map(|variable| variable.name.as_str())
            .collect();
        assert_eq!(names, ["STORE_ADDRESS"]);
    }
}
