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

#[cfg(test)]
mod tests {
    use playbook_core::harmless::CommandLine;

    use crate::testing;

    #[test]
    fn a_release_that_migrates_by_the_program() {
        let inventory = testing::inventory(
            "
//- Cargo.toml
[package]
name = \"shop\"
[dependencies]
axum = \"0.8\"
diesel = { version = \"2\", features = [\"postgres\"] }
diesel_migrations = \"2\"
//- src/main.rs
const MIGRATIONS: EmbeddedMigrations = embed_migrations!(\"./migrations\");
fn main() {
    connection.run_pending_migrations(MIGRATIONS).unwrap();
}
//- migrations/2026-01-01-000000_start/up.sql
create table a (id int);
//- migrations/2026-01-01-000000_start/down.sql
drop table a;
//- Procfile
release: ./target/release/shop migrate
web: ./target/release/shop server
",
        );
        let migration = &inventory.migrations[0];
        assert_eq!(
            migration.command.as_ref().map(CommandLine::as_str),
            Some("./target/release/shop migrate")
        );
        assert!(!migration.at_start);
    }
}
