//! Commands of migration tools as they can be pasted.

use playbook_core::harmless::CommandLine;
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::REDACTED;
use playbook_core::technology::Migration as MigrationFacts;

/// The variable of the tools' usual commands.
const VARIABLE: &str = "\"$DATABASE_URL\"";
/// Options behind which the folder of the migrations stands.
const OPTIONS: [&str; 3] = ["-path", "-dir", "--dir"];

/// The command with the folder in which the migrations lie, and without withheld values.
pub(super) fn runnable(command: &CommandLine, folder: &RelPath, facts: &MigrationFacts) -> CommandLine {
    let found = in_folder(command, folder, &facts.folders);
    let command = found.as_ref().unwrap_or(command);
    without_values(command, facts.apply).unwrap_or_else(|| command.clone())
}

/// The tool's usual command with the folder in which the migrations lie, in place of the usual one.
fn in_folder(command: &CommandLine, folder: &RelPath, usual: &[&str]) -> Option<CommandLine> {
    let first = *usual.first()?;
    if folder.is_root() || folder.as_str() == first {
        return None;
    }
    OPTIONS.iter().find_map(|option| {
        let from = format!(" {option} {first} ");
        let to = format!(" {option} {folder} ");
        let text = command.as_str();
        text.contains(&from)
            .then(|| parse(&text.replacen(&from, &to, 1)))
            .flatten()
    })
}

/// A command in which a value was withheld can't be run: the variable of the tool's usual command takes its place.
fn without_values(command: &CommandLine, usual: Option<&str>) -> Option<CommandLine> {
    let text = command.as_str();
    let usual = usual.filter(|usual| text.contains(REDACTED) && usual.contains(VARIABLE))?;
    let quoted = [
        format!("\"{REDACTED}\""),
        format!("'{REDACTED}'"),
        REDACTED.to_owned(),
    ];
    let whole = quoted
        .iter()
        .fold(text.to_owned(), |text, value| text.replace(value, VARIABLE));
    parse(&whole)
        .filter(|command| !command.as_str().contains(REDACTED))
        .or_else(|| parse(usual))
}

fn parse(text: &str) -> Option<CommandLine> {
    CommandLine::parse(Raw::new(text))
}

#[cfg(test)]
mod tests {
    use crate::testing;

    #[test]
    fn a_committed_address_and_a_folder_of_its_own() {
        let inventory = testing::inventory(
            "
//- go.mod
module example.com/shop
go 1.23
require github.com/golang-migrate/migrate/v4 v4.18.0
//- db/migration/000001_start.up.sql
create table orders (id bigint);
//- db/migration/000001_start.down.sql
drop table orders;
//- Makefile
migrateup:
\tmigrate -path db/migration -database \"postgresql://root:hunter22@localhost:5432/shop\" -verbose up
",
        );
        let migration = inventory.migrations.first().expect("a migration");
        let text = |command: &Option<playbook_core::harmless::CommandLine>| {
            command
                .as_ref()
                .map(|command| command.as_str().to_owned())
                .unwrap_or_default()
        };
        assert_eq!(
            text(&migration.command),
            "migrate -path db/migration -database \"$DATABASE_URL\" -verbose up"
        );
        assert_eq!(
            text(&migration.rollback),
            "migrate -path db/migration -database \"$DATABASE_URL\" down 1"
        );
    }
}
