//! What the sections contribute to the whole.

use std::collections::BTreeMap;

use super::Parameter;

/// Conditions and parameters. Assumptions and questions are not here: templates cite them by id.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(super) conditions: BTreeMap<&'static str, bool>,
    pub(super) parameters: Vec<Parameter>,
}

impl Ledger {
    /// States a named fact that steps (`when = "…"`) and templates (`has.…`) ask for. Every section states its
    /// conditions for every repository, so that a wrong name in a template is an error and not a silent no.
    pub(crate) fn condition(&mut self, name: &'static str, holds: bool) {
        self.conditions.insert(name, holds);
    }

    /// Adds a parameter for later commands. It is printed only where a command uses it.
    pub(crate) fn parameter(&mut self, parameter: Parameter) {
        self.parameters.push(parameter);
    }
}
