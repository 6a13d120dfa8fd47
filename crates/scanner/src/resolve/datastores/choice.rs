//! Which of the stores that a program can work with it needs: the deployed one before the configured one, the configured
//! one before the file that stands in for it, and that one before drivers that are merely installed.

use std::collections::{BTreeMap, BTreeSet};

use playbook_core::evidence::{Evidence, Scope};
use playbook_core::inventory::VariableOrigin;
use playbook_core::path::RelPath;
use playbook_core::secret;
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Datastore, Group};

use super::{Gathered, Kinds, Proof, cite, entry, note};
use crate::detect::kind_of_scheme;
use crate::resolve::candidates::Sources;

/// What a variable that chooses a back end is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    Database,
    Cache,
    Queue,
    Search,
    Files,
    Vectors,
}

impl Subject {
    fn covers(self, role: &str) -> bool {
        match self {
            Self::Database => role == "database",
            Self::Cache => role == "cache",
            Self::Queue => role == "queue" || role == "stream",
            Self::Search => role == "search",
            Self::Files => role == "object-storage",
            Self::Vectors => role == "vector",
        }
    }
}

/// The back end that a setting chooses when nobody sets it.
#[derive(Debug)]
struct Setting {
    variable: Shown,
    /// The store, or none: `local`, `sync`, `database`, `null`.
    kind: Option<&'static str>,
    /// Folder of the application that reads it.
    dir: Option<RelPath>,
    evidence: Evidence,
}

/// Settings by what they are about; what an example file chooses comes before the default of the code, because it is
/// what an installation starts with.
fn settings(sources: &Sources<'_>) -> BTreeMap<Subject, Setting> {
    let mut found: BTreeMap<Subject, (u8, Setting)> = BTreeMap::new();
    let mut torn: BTreeSet<(Subject, u8)> = BTreeSet::new();
    for fact in &sources.facts.variables {
        if fact.scope != Scope::Production || !fact.has_default && fact.origin != VariableOrigin::File {
            continue;
        }
        let rank = match fact.origin {
            VariableOrigin::Stack | VariableOrigin::Image => 0,
            VariableOrigin::File => 1,
            VariableOrigin::Code | VariableOrigin::Script => 2,
            _ => continue,
        };
        let (Some(subject), Some(default)) = (subject_of(fact.name.as_str()), &fact.default) else {
            continue;
        };
        let kind = kind_of_scheme(default.as_str());
        if kind.is_none() && !is_no_store(default.as_str()) {
            continue;
        }
        if let Some((known, setting)) = found.get(&subject)
            && *known <= rank
        {
            // Example files for several kinds of installation choose nothing.
            if *known == rank && setting.kind != kind {
                torn.insert((subject, rank));
            }
            continue;
        }
        found.insert(
            subject,
            (
                rank,
                Setting {
                    variable: (&fact.name).into(),
                    kind,
                    dir: sources.apps.owner(&fact.evidence.path).map(|app| app.dir.clone()),
                    evidence: fact.evidence.clone(),
                },
            ),
        );
    }
    found
        .into_iter()
        .filter(|(subject, (rank, _))| !torn.contains(&(*subject, *rank)))
        .map(|(subject, (_, setting))| (subject, setting))
        .collect()
}

/// `DB_ENGINE`, `CACHE_STORE`, `QUEUE_CONNECTION`, `SCOUT_DRIVER`, `UPLOAD_TRANSPORT`, `VECTOR_DB`.
fn subject_of(name: &str) -> Option<Subject> {
    let words = secret::words_of(name);
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let last = words.last()?.as_str();
    if has(&["test", "testing"]) {
        return None;
    }
    if has(&["vector", "vectorstore"])
        && matches!(
            last,
            "db" | "database" | "store" | "type" | "provider" | "backend" | "vectorstore"
        )
    {
        return Some(Subject::Vectors);
    }
    if matches!(last, "storage")
        && has(&[
            "file",
            "files",
            "upload",
            "uploads",
            "media",
            "attachment",
            "attachments",
        ])
    {
        return Some(Subject::Files);
    }
    let chooses = matches!(
        last,
        "adapter"
            | "backend"
            | "client"
            | "connection"
            | "dialect"
            | "disk"
            | "driver"
            | "engine"
            | "provider"
            | "store"
            | "transport"
            | "type"
            | "vendor"
    );
    if !chooses {
        return None;
    }
    if has(&["scout", "search"]) {
        Some(Subject::Search)
    } else if has(&["cache"]) {
        Some(Subject::Cache)
    } else if has(&["queue", "broker"]) {
        Some(Subject::Queue)
    } else if has(&[
        "file",
        "files",
        "filesystem",
        "upload",
        "uploads",
        "storage",
        "media",
        "attachment",
        "attachments",
        "blob",
    ]) {
        Some(Subject::Files)
    } else if has(&["db", "database", "sql"]) {
        Some(Subject::Database)
    } else {
        None
    }
}

/// Words for a back end that is no store of its own.
fn is_no_store(value: &str) -> bool {
    matches!(
        value.trim().to_ascii_lowercase().as_str(),
        "local"
            | "file"
            | "files"
            | "filesystem"
            | "fs"
            | "disk"
            | "public"
            | "database"
            | "db"
            | "sync"
            | "null"
            | "none"
            | "array"
            | "memory"
            | "inmemory"
            | "in-memory"
            | "collection"
            | "async"
            | "off"
            | "disabled"
    )
}

fn protocol(kind: &str) -> Option<&'static str> {
    Catalogue::get()
        .find(Group::Datastore, kind)
        .and_then(|technology| technology.datastore.as_ref())
        .and_then(|facts| facts.protocol)
}

/// A client of a protocol reaches the deployed store that speaks it: the MySQL driver of a program that is deployed with
/// `MariaDB`, the S3 client beside a `MinIO`.
fn same_protocol(kinds: &mut Kinds) {
    let deployed: Vec<(&'static str, &'static str)> = kinds
        .iter()
        .filter(|(_, gathered)| gathered.proof == Proof::Deployed)
        .filter_map(|(kind, _)| Some((*kind, protocol(kind)?)))
        .collect();
    for (server, spoken) in deployed {
        if kinds
            .get(spoken)
            .is_none_or(|gathered| gathered.proof == Proof::Deployed)
        {
            continue;
        }
        let Some(client) = kinds.remove(spoken) else {
            continue;
        };
        let Some(known) = kinds.get_mut(server) else {
            continue;
        };
        known.mentioned |= client.mentioned;
        known.dirs.extend(client.dirs);
        for driver in client.store.drivers {
            note(&mut known.store.drivers, Some(driver));
        }
        for variable in client.store.variables {
            note(&mut known.store.variables, Some(variable));
        }
        for name in client.store.names {
            note(&mut known.store.names, Some(name));
        }
        for extension in client.store.extensions {
            note(&mut known.store.extensions, Some(extension));
        }
        for evidence in &client.store.evidence {
            cite(&mut known.store.evidence, evidence);
        }
    }
}

/// What the catalogue says of a kind of datastore.
fn known(kind: &str) -> Option<&'static Datastore> {
    Catalogue::get()
        .find(Group::Datastore, kind)
        .and_then(|technology| technology.datastore.as_ref())
}

/// Is it one of the databases of which a program needs one?
fn is_interchangeable(kind: &str) -> bool {
    known(kind).is_some_and(|store| store.interchangeable)
}

/// Leaves what is needed; what was left out is named as the alternative of what is needed.
pub(super) fn settle(kinds: &mut Kinds, sources: &Sources<'_>) {
    let settings = settings(sources);
    let mut dropped: BTreeSet<&'static str> = BTreeSet::new();
    for (subject, setting) in &settings {
        chosen(kinds, *subject, setting, &mut dropped);
    }
    same_protocol(kinds);
    let setting = settings.get(&Subject::Database);
    databases(kinds, setting, &mut dropped);
    variants(kinds, setting, sources, &mut dropped);
    unused_clients(kinds, &mut dropped);
    stand_in(kinds, &dropped);
    let left: Vec<(&'static str, Gathered)> = dropped
        .iter()
        .filter_map(|kind| kinds.remove_entry(kind))
        .collect();
    for (kind, _) in left
        .into_iter()
        .filter(|(kind, gathered)| is_interchangeable(kind) && gathered.is_database())
    {
        let for_tests = known(kind).is_some_and(|store| store.stands_in_for_tests);
        for known in kinds
            .iter_mut()
            .filter(|(known, gathered)| is_interchangeable(known) && gathered.is_database())
        {
            if !for_tests {
                note(&mut known.1.store.alternatives, Some(Shown::from(kind)));
            }
        }
    }
}

/// A file that stands in until a setting names the server whose driver is installed: each is the other's alternative.
fn stand_in(kinds: &mut Kinds, dropped: &BTreeSet<&'static str>) {
    let of = |proof: Proof, embedded: bool| -> Vec<&'static str> {
        kinds
            .iter()
            .filter(|(kind, gathered)| {
                gathered.is_database()
                    && gathered.proof == proof
                    && gathered.embedded == embedded
                    && is_interchangeable(kind)
                    && !dropped.contains(*kind)
            })
            .map(|(kind, _)| *kind)
            .collect()
    };
    let pairs = (of(Proof::Fallback, true), of(Proof::Package, false));
    let ([file], [server]) = (pairs.0.as_slice(), pairs.1.as_slice()) else {
        return;
    };
    for (kind, other) in [(*file, *server), (*server, *file)] {
        if let Some(gathered) = kinds.get_mut(kind) {
            note(&mut gathered.store.alternatives, Some(Shown::from(other)));
        }
    }
}

/// What a setting chooses is configured; what it does not choose is an option that somebody may turn on.
fn chosen(kinds: &mut Kinds, subject: Subject, setting: &Setting, dropped: &mut BTreeSet<&'static str>) {
    if let Some(technology) = setting
        .kind
        .and_then(|kind| Catalogue::get().find(Group::Datastore, kind))
    {
        let gathered = entry(kinds, technology);
        let proof = if gathered.embedded {
            Proof::Fallback
        } else {
            Proof::Configured
        };
        gathered.raise(proof);
        gathered.mentioned = true;
        gathered.dirs.extend(setting.dir.clone());
        note(&mut gathered.store.variables, Some(setting.variable.clone()));
        cite(&mut gathered.store.evidence, &setting.evidence);
    }
    if subject == Subject::Database {
        return;
    }
    for (kind, gathered) in kinds.iter() {
        let other = setting.kind.is_none_or(|chosen| chosen != *kind);
        // A client in the code is one of the options as well, where the options are places for files.
        let optional = gathered.proof == Proof::Package
            || matches!(subject, Subject::Files) && gathered.proof == Proof::Configured;
        let only = subject.covers(gathered.store.role.as_str())
            && setting
                .kind
                .is_none_or(|chosen| protocol(chosen) != Some(*kind) && protocol(kind) != Some(chosen));
        if other && optional && only {
            dropped.insert(*kind);
        }
    }
}

/// One main database for each application, as a rule.
fn databases(kinds: &Kinds, setting: Option<&Setting>, dropped: &mut BTreeSet<&'static str>) {
    let all = || {
        kinds
            .iter()
            .filter(|(kind, gathered)| gathered.is_database() && is_interchangeable(kind))
    };
    let with = |proof: Proof| all().filter(move |(_, gathered)| gathered.proof == proof);
    let deployed = with(Proof::Deployed).next().is_some();
    let servers = with(Proof::Configured).any(|(_, gathered)| !gathered.embedded);
    let embedded = all().any(|(_, gathered)| gathered.embedded && gathered.proof >= Proof::Fallback);
    // A setting says so in as many words; a fallback address only stands in for the one that is missing.
    let explicit = all().any(|(kind, gathered)| {
        gathered.embedded
            && (gathered.proof == Proof::Configured
                || setting.is_some_and(|setting| setting.kind == Some(*kind)))
    });
    let drivers = with(Proof::Package)
        .filter(|(_, gathered)| !gathered.embedded)
        .count();
    for (kind, gathered) in all() {
        let unneeded = match gathered.proof {
            Proof::Deployed => false,
            Proof::Configured if gathered.embedded => deployed,
            // The same setting chooses another one.
            Proof::Configured => setting
                .and_then(|setting| Some((&setting.variable, setting.kind?)))
                .is_some_and(|(variable, chosen)| {
                    chosen != *kind
                        && kinds.contains_key(chosen)
                        && gathered.store.variables.contains(variable)
                }),
            Proof::Fallback => deployed || servers,
            // The driver of another database needs more to count than being there; beside an embedded store that is
            // the default, one server driver tells what production uses instead, and several are a choice.
            Proof::Package if gathered.embedded => deployed || servers || embedded_is_for_tests(drivers),
            Proof::Package => {
                deployed
                    || servers
                    || explicit
                    || embedded && drivers != 1
                    || drivers > 1 && has_embedded_driver(kinds)
            }
            Proof::Mention => true,
        };
        if unneeded {
            dropped.insert(*kind);
        }
    }
}

/// Stacks that differ in their database only: a setting tells which one an installation runs with unless it is told
/// otherwise, or the stack that is started when no file is named.
fn variants(
    kinds: &Kinds,
    setting: Option<&Setting>,
    sources: &Sources<'_>,
    dropped: &mut BTreeSet<&'static str>,
) {
    let stacks = |gathered: &Gathered| -> BTreeSet<usize> {
        gathered
            .units
            .iter()
            .map(|(at, _)| *at)
            .filter(|at| {
                sources
                    .stacks
                    .get(*at)
                    .is_some_and(|stack| stack.scope == Scope::Production)
            })
            .collect()
    };
    let deployed: Vec<(&'static str, &Gathered, BTreeSet<usize>)> = kinds
        .iter()
        .filter(|(kind, gathered)| {
            gathered.is_database() && is_interchangeable(kind) && gathered.proof == Proof::Deployed
        })
        .map(|(kind, gathered)| (*kind, gathered, stacks(gathered)))
        .collect();
    let of_main_file = |stacks: &BTreeSet<usize>| {
        stacks
            .iter()
            .filter_map(|at| sources.stacks.get(*at))
            .flat_map(|stack| &stack.files)
            .any(|file| {
                matches!(
                    file.name(),
                    "docker-compose.yml" | "docker-compose.yaml" | "compose.yml" | "compose.yaml"
                )
            })
    };
    let chosen = setting.and_then(|setting| setting.kind);
    let main = deployed
        .iter()
        .find(|(kind, ..)| Some(*kind) == chosen)
        .or_else(|| deployed.iter().find(|(_, _, stacks)| of_main_file(stacks)));
    let Some((main, known, of_main)) = main else {
        return;
    };
    for (kind, gathered, stacks) in &deployed {
        let same_program = gathered.dirs.iter().all(|dir| known.dirs.contains(dir));
        let named = Some(*kind) == chosen || chosen.is_none() && of_main_file(stacks);
        if kind != main && !named && same_program && stacks.is_disjoint(of_main) {
            dropped.insert(*kind);
        }
    }
}

/// One server driver beside that of an embedded store: the embedded one is for tests and development. Beside several
/// the embedded one is what runs without any setting.
fn embedded_is_for_tests(server_drivers: usize) -> bool {
    server_drivers == 1
}

fn has_embedded_driver(kinds: &Kinds) -> bool {
    kinds
        .iter()
        .any(|(kind, gathered)| gathered.embedded && gathered.is_database() && is_interchangeable(kind))
}

/// Clients that come with other packages or serve single features: where the code shows its imports, a client that
/// nothing imports and nothing configures is none.
fn unused_clients(kinds: &Kinds, dropped: &mut BTreeSet<&'static str>) {
    for (kind, gathered) in kinds {
        let client = !matches!(gathered.store.role.as_str(), "database" | "cache");
        let seen = gathered.mentioned
            || gathered.proof != Proof::Package
            || gathered
                .ecosystems
                .iter()
                .any(|ecosystem| !matches!(*ecosystem, "pypi" | "rubygems"));
        if client && !seen {
            dropped.insert(*kind);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_by_their_names() {
        for (name, subject) in [
            ("DB_ENGINE", Some(Subject::Database)),
            ("DATABASE_ADAPTER", Some(Subject::Database)),
            ("CACHE_STORE", Some(Subject::Cache)),
            ("QUEUE_CONNECTION", Some(Subject::Queue)),
            ("SCOUT_DRIVER", Some(Subject::Search)),
            ("NEXT_PUBLIC_UPLOAD_TRANSPORT", Some(Subject::Files)),
            ("FILE_STORAGE", Some(Subject::Files)),
            ("VECTOR_DB", Some(Subject::Vectors)),
            ("DB_TEST_DRIVER", None),
            ("DB_HOST", None),
            ("WEB_DRIVER", None),
        ] {
            assert_eq!(subject_of(name), subject, "{name}");
        }
    }

    #[test]
    fn words_for_no_store() {
        assert!(is_no_store("local") && is_no_store("sync"));
        assert!(!is_no_store("postgres"));
        assert_eq!(kind_of_scheme("postgres"), Some("postgresql"));
        assert_eq!(kind_of_scheme("sqlite"), Some("sqlite"));
    }
}
