//! A deployment's own step that migrates by the application's program, which holds the tool as a library.

use playbook_core::evidence::{Evidence, Scope};
use playbook_core::harmless::CommandLine;

use crate::resolve::candidates::Sources;

/// The step before each release whose command says that it migrates, with its place.
pub(super) fn of_release(sources: &Sources<'_>) -> Option<(CommandLine, Option<Evidence>)> {
    sources
        .stacks
        .iter()
        .filter(|stack| stack.scope == Scope::Production)
        .flat_map(|stack| &stack.units)
        .find_map(|unit| {
            let command = unit.pre_deploy.as_ref()?;
            let says = command
                .as_str()
                .split(|letter: char| !letter.is_ascii_alphanumeric())
                .any(|word| matches!(word, "migrate" | "migration" | "migrations" | "migrator"));
            says.then(|| (command.clone(), unit.evidence.first().cloned()))
        })
}
