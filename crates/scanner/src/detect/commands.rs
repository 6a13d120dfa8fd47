//! What commands in documents, scripts and CI tell about deployment.

use std::sync::LazyLock;

use playbook_core::evidence::Evidence;
use playbook_core::path::RelPath;
use serde::Deserialize;

use crate::fact::FileSetFact;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    deploy: Vec<String>,
}

// A mistake in the table is found by the test below, never by a user.
static TABLE: LazyLock<Option<Table>> =
    LazyLock::new(|| toml::from_str(include_str!("../../commands.toml")).ok());

/// Does the command deploy?
pub(crate) fn is_deploy_command(command: &str) -> bool {
    let lower = command.to_ascii_lowercase();
    TABLE
        .as_ref()
        .is_some_and(|table| table.deploy.iter().any(|words| lower.contains(words.as_str())))
        || lower.contains("compose") && lower.contains(" up ") && lower.contains(" -d")
}

/// The Compose files that a command names with `-f` or `--file`, in order, relative to the folder it runs in.
pub(crate) fn file_sets(command: &str, folder: &RelPath, evidence: Evidence) -> Option<FileSetFact> {
    let words: Vec<&str> = command
        .split_whitespace()
        .map(|word| word.trim_matches(['"', '\'', '`']))
        .collect();
    let at = words
        .iter()
        .position(|word| *word == "docker-compose" || *word == "compose")?;
    let rest = words.get(at + 1..)?;
    let mut files = Vec::new();
    for (position, word) in rest.iter().enumerate() {
        let named = match *word {
            "-f" | "--file" => rest.get(position + 1).copied(),
            word => word.strip_prefix("--file=").or_else(|| word.strip_prefix("-f=")),
        };
        if let Some(path) = named.filter(|path| !path.contains('$')) {
            files.push(folder.join(path)?);
        }
    }
    (!files.is_empty()).then_some(FileSetFact { files, evidence })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_is_whole() {
        toml::from_str::<Table>(include_str!("../../commands.toml")).expect("commands.toml");
    }

    #[test]
    fn file_sets_keep_their_order() {
        let folder = RelPath::root();
        let set = file_sets(
            "docker compose -f a.yml --file=b.yml up -d",
            &folder,
            Evidence::file(&folder),
        );
        let files: Vec<String> = set
            .map(|set| set.files.iter().map(ToString::to_string).collect())
            .unwrap_or_default();
        assert_eq!(files, ["a.yml", "b.yml"]);
        assert!(file_sets("docker build -f Dockerfile .", &folder, Evidence::file(&folder)).is_none());
    }

    #[test]
    fn deploying_and_testing() {
        assert!(is_deploy_command("docker compose -f x.yml up --build -d"));
        assert!(is_deploy_command(
            "uses: superfly/flyctl-actions/setup-flyctl@master"
        ));
        assert!(!is_deploy_command("docker compose up"));
        assert!(!is_deploy_command("npm test"));
    }
}
