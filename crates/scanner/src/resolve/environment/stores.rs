//! Which variables lead to the application's own database, and which of them are two ways of saying the same.

use std::collections::BTreeSet;

use playbook_core::evidence::Scope;
use playbook_core::inventory::{Datastore, EnvironmentVariable, VariableOrigin};
use playbook_core::path::RelPath;

use crate::detect::judge::schema;

/// Gives names without a kind (`DB_HOST`, `DATABASE_URL`) to the only database that there is, and makes an address
/// optional that stands beside its own parts.
pub(crate) fn link(variables: &mut [EnvironmentVariable], stores: &mut [Datastore]) {
    let mut databases = stores
        .iter_mut()
        .filter(|store| store.scope == Scope::Production && store.role == "database");
    let (Some(database), None) = (databases.next(), databases.next()) else {
        return;
    };
    let of_database = |variable: &EnvironmentVariable| {
        variable.scope == Scope::Production
            && schema::is_store_part(variable.name.as_str())
            && variable
                .configures
                .as_ref()
                .is_none_or(|kind| *kind == database.kind)
            && in_code(variable).next().is_some()
    };
    let parts: BTreeSet<RelPath> = variables
        .iter()
        .filter(|variable| of_database(variable) && schema::is_store_host(variable.name.as_str()))
        .flat_map(in_code)
        .collect();
    for variable in variables.iter_mut() {
        let demanded = variable
            .sites
            .iter()
            .any(|site| site.required || site.origin == VariableOrigin::File);
        if of_database(variable)
            && schema::is_store_address(variable.name.as_str())
            && !demanded
            && in_code(variable).all(|file| parts.contains(&file))
        {
            variable.required = false;
        }
    }
    for variable in variables.iter().filter(|variable| of_database(variable)) {
        if !database.variables.contains(&variable.name) {
            database.variables.push(variable.name.clone());
        }
    }
}

/// The files of the code that read it.
fn in_code(variable: &EnvironmentVariable) -> impl Iterator<Item = RelPath> {
    variable
        .sites
        .iter()
        .filter(|site| site.origin == VariableOrigin::Code)
        .flat_map(|site| &site.evidence)
        .map(|evidence| evidence.path.clone())
}
