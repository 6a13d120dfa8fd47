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

/// The Compose files that a command names with `-f` or `--file` (for a swarm `-c` or `--compose-file`), in order, relative to the folder it runs in.
pub(crate) fn file_sets(command: &str, folder: &RelPath, evidence: Evidence) -> Option<FileSetFact> {
    let words: Vec<&str> = command
        .split_whitespace()
        .map(|word| word.trim_matches(['"', '\'', '`']))
        .collect();
    let stack = words
        .windows(2)
        .position(|pair| pair == ["stack", "deploy"] || pair == ["stack", "up"]);
    let (swarm, at) = match stack {
        Some(at) => (true, at + 1),
        None => (
            false,
            words
                .iter()
                .position(|word| *word == "docker-compose" || *word == "compose")?,
        ),
    };
    let (short, long) = if swarm {
        ("-c", "--compose-file")
    } else {
        ("-f", "--file")
    };
    let rest = words.get(at + 1..)?;
    let mut files = Vec::new();
    for (position, word) in rest.iter().enumerate() {
        let named = if *word == short || *word == long {
            rest.get(position + 1).copied()
        } else {
            word.strip_prefix(long)
                .or_else(|| word.strip_prefix(short))
                .and_then(|rest| rest.strip_prefix('='))
        };
        if let Some(path) = named.filter(|path| !path.contains('$') && *path != "-") {
            files.push(folder.join(path)?);
        }
    }
    (!files.is_empty()).then_some(FileSetFact {
        files,
        swarm,
        evidence,
    })
}

/// Is it a file that Compose loads without being told?
pub(crate) fn is_base(path: &RelPath) -> bool {
    matches!(
        path.name(),
        "compose.yml" | "compose.yaml" | "docker-compose.yml" | "docker-compose.yaml"
    )
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
        let stack = file_sets(
            "docker stack deploy --with-registry-auth --compose-file=a.yml -c b.yml shop",
            &folder,
            Evidence::file(&folder),
        );
        assert!(stack.is_some_and(|set| set.swarm && set.files.len() == 2));
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
