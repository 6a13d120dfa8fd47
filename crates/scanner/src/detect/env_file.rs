//! Files of variables: `.env` and its examples.

use playbook_core::evidence::Scope;
use playbook_core::harmless::{EnvName, Name, Sentence};
use playbook_core::inventory::VariableOrigin;
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use super::judge::{self, Place};
use super::{Detector, choice};
use crate::fact::{Facts, StoreFact, VariableFact};
use crate::limits;
use crate::parse::dotenv::{self, Entry};
use crate::source::Source;

pub(crate) const DETECTOR: Detector = Detector { wants, detect };

/// Words of a file's name that say that its values are for everyone.
const EXAMPLE: [&str; 8] = [
    "example", "examples", "sample", "dist", "template", "tmpl", "tpl", "skeleton",
];

/// Endings of code and documents about variables.
const OTHER_FILES: [&str; 22] = [
    "ts", "js", "mjs", "cjs", "tsx", "py", "rb", "go", "rs", "php", "java", "kt", "ex", "exs", "md", "json",
    "yml", "yaml", "toml", "sh", "html", "vue",
];

fn parts(path: &RelPath) -> Vec<String> {
    path.name()
        .to_ascii_lowercase()
        .split(['.', '-', '_'])
        .map(str::to_owned)
        .collect()
}

fn wants(path: &RelPath) -> bool {
    let name = path.name().to_ascii_lowercase();
    if !name.contains("env") {
        return false;
    }
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    if OTHER_FILES.contains(&ending) && !name.starts_with(".env.") {
        return false;
    }
    let parts = parts(path);
    let example = parts.iter().any(|part| EXAMPLE.contains(&part.as_str()));
    name == ".env"
        || name == ".envrc"
        || name.starts_with(".env.")
            && !matches!(ending, "ts" | "js" | "py" | "md" | "enc" | "gpg" | "age" | "sops")
        || name.starts_with(".env-")
        || name.starts_with(".env_")
        || ending == "env"
        || (matches!(parts.first().map(String::as_str), Some("env" | "dotenv")) && example)
        || (parts.last().is_some_and(|last| last == "env") && example)
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    let parts = parts(source.path);
    let example = parts.iter().any(|part| EXAMPLE.contains(&part.as_str()));
    let scope = if parts.iter().any(|part| part == "envrc") {
        Scope::Development
    } else {
        source.scope
    };
    let groups = groups(source.text);
    for entry in dotenv::entries(source.text)
        .into_iter()
        .take(limits::FACTS_PER_FILE + 1)
    {
        let Some(name) = EnvName::parse(Raw::new(&entry.name)) else {
            continue;
        };
        let place = Place {
            line: entry.line,
            scope,
            example: example || entry.commented,
        };
        let judged = judge::literal(source, facts, &entry.name, &entry.value, place);
        // A file that version control ignores is no part of the repository: only its values count, as withheld ones.
        if source.ignored {
            facts.withheld.add(Raw::new(&entry.value));
            continue;
        }
        let mut fact = VariableFact::new(name, VariableOrigin::File, scope, source.at(entry.line));
        fact.has_default = !example && !entry.commented && !judged.empty;
        fact.default = judged.shown;
        fact.placeholder = judged.placeholder;
        fact.secret = judged.credential;
        fact.documented = example;
        fact.commented = entry.commented;
        fact.description = description(&entry);
        fact.one_of = groups
            .iter()
            .find(|group| group.from < entry.line && entry.line <= group.to)
            .and_then(|group| Name::parse(Raw::new(&group.name)));
        facts.variables.push(fact);
        facts.stores.extend(store(source, &entry, scope));
    }
}

/// The comment that describes an entry, if it is more than a heading.
fn description(entry: &Entry) -> Option<Shown> {
    let text = entry.description_text.trim();
    (text.split_whitespace().count() >= 3)
        .then(|| Sentence::describe(&entry.name, Raw::new(text)).map(Shown::from))
        .flatten()
}

/// The datastore that an address proves, or that the value of a setting such as `DB_CONNECTION` names.
fn store(source: &Source<'_>, entry: &Entry, scope: Scope) -> Option<StoreFact> {
    let value = entry.value.trim();
    if let Some(mut store) = judge::store_of_address(&entry.name, value, scope, source.at(entry.line)) {
        store.strong = !entry.commented;
        return Some(store);
    }
    if entry.commented {
        return None;
    }
    choice::store(&entry.name, value, scope, source.at(entry.line))
}

/// Lines after a comment that says that one of the following has to be set.
struct Choice {
    from: u32,
    to: u32,
    name: String,
}

fn groups(text: &str) -> Vec<Choice> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        if !is_choice(line) {
            continue;
        }
        let following = lines
            .iter()
            .skip(at + 1)
            .take_while(|line| !line.trim().is_empty());
        let block: Vec<&str> = following.copied().collect();
        let names: Vec<String> = dotenv::entries(&block.join("\n"))
            .into_iter()
            .map(|entry| entry.name)
            .collect();
        let (Some(first), true) = (names.first(), names.len() > 1) else {
            continue;
        };
        let from = u32::try_from(at + 1).unwrap_or(u32::MAX);
        let length = u32::try_from(block.len()).unwrap_or(u32::MAX);
        found.push(Choice {
            from,
            to: from.saturating_add(length),
            name: first.clone(),
        });
    }
    found
}

/// Does a comment say that one of the following variables is enough? A list of values behind a colon does not.
fn is_choice(line: &str) -> bool {
    let Some(comment) = line.trim().strip_prefix('#') else {
        return false;
    };
    let lower = comment.to_ascii_lowercase();
    let lists_values = lower
        .split_once(':')
        .is_some_and(|(_, rest)| !rest.trim().is_empty());
    !lists_values
        && [
            "at least one",
            "one of the following",
            "any of the following",
            "either of the following",
            "one of these",
            "any one of",
        ]
        .iter()
        .any(|words| lower.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::facts;

    #[test]
    fn an_example_documents_and_keeps_no_secret() {
        let facts = facts(
            &DETECTOR,
            "//- .env.example
# Where the service listens
PORT=8000
SECRET_KEY=changeme
DATABASE_URL=postgres://app:hunter22@localhost/app
#REDIS_URL=redis://localhost:6379
EMPTY=
",
        );
        let told: Vec<_> = facts
            .variables
            .iter()
            .map(|fact| {
                (
                    fact.name.as_str(),
                    fact.default
                        .as_ref()
                        .map(playbook_core::harmless::Setting::as_str),
                    fact.placeholder,
                    fact.documented,
                    fact.has_default,
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("PORT", Some("8000"), false, true, false),
                ("SECRET_KEY", None, true, true, false),
                ("DATABASE_URL", None, false, true, false),
                ("REDIS_URL", None, false, true, false),
                ("EMPTY", None, false, true, false),
            ]
        );
        assert_eq!(
            facts.variables[0].description.as_ref().map(Shown::as_str),
            Some("Where the service listens")
        );
        assert!(facts.committed_secrets.is_empty());
        assert!(facts.withheld.is_in("hunter22"));
        let stores: Vec<_> = facts
            .stores
            .iter()
            .map(|store| (store.kind.as_str(), store.strong))
            .collect();
        assert_eq!(stores, [("postgresql", true), ("redis", false)]);
    }

    #[test]
    fn a_tracked_file_commits_its_secrets() {
        let facts = facts(
            &DETECTOR,
            "//- .env\nSECRET_KEY=s3cr3tvalue99\nLOG_LEVEL=debug\nDB_CONNECTION=mysql\nURL=${SCHEME}://x\n",
        );
        assert_eq!(facts.committed_secrets.len(), 1);
        assert!(facts.variables[1].has_default && !facts.variables[1].documented);
        assert_eq!(facts.stores[0].kind, "mysql");
    }

    #[test]
    fn an_ignored_file_tells_nothing_but_keeps_its_values_back() {
        let path = RelPath::new(".env").expect("a plain path");
        let source = Source::new(&path, "SECRET_KEY=s3cr3tvalue99\n", Scope::Production, true);
        let mut facts = Facts::default();
        detect(&source, &mut facts);
        assert!(facts.variables.is_empty() && facts.committed_secrets.is_empty());
        assert!(facts.withheld.is_in("s3cr3tvalue99"));
    }

    #[test]
    fn groups_end_at_a_blank_line() {
        let facts = facts(
            &DETECTOR,
            "//- .env.example
# At least one of the following
OPENAI_API_KEY=
# ANTHROPIC_API_KEY=

# one of: debug, info
LOG_LEVEL=info
PORT=1
",
        );
        let groups: Vec<_> = facts
            .variables
            .iter()
            .map(|fact| fact.one_of.as_ref().map(Name::as_str))
            .collect();
        assert_eq!(
            groups,
            [Some("OPENAI_API_KEY"), Some("OPENAI_API_KEY"), None, None]
        );
    }

    #[test]
    fn names() {
        let wanted = |path: &str| wants(&RelPath::new(path).expect("a plain path"));
        for path in [
            ".env",
            ".env.local",
            "a/.env.example",
            "env.example",
            "db.env",
            "env-example-relational",
            ".envrc",
        ] {
            assert!(wanted(path), "{path}");
        }
        for path in [
            "env.ts",
            "env.d.ts",
            "environment.py",
            "src/env.rs",
            ".env.ts",
            "example.txt",
        ] {
            assert!(!wanted(path), "{path}");
        }
    }
}
