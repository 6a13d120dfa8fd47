//! Datastore engines as the templates' folder describes them: one file of `engines/` each.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use playbook_core::harmless::{ImageRef, version_numbers};
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use crate::prose::Prose;
use crate::render::Templates;
use crate::target::TemplateError;

/// An image for a version, as precise as the day of the file allows.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct EngineImage {
    version: String,
    image: String,
}

/// A data folder that holds up to a version.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct DataPath {
    below: u64,
    path: String,
}

/// A variable of the engine's image.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all(deserialize = "kebab-case"), deny_unknown_fields)]
pub(crate) struct EngineVariable {
    pub(crate) name: String,
    /// Its value, where it is no secret.
    #[serde(default)]
    pub(crate) value: Option<String>,
    /// Is it generated and handed over as a secret?
    #[serde(default)]
    pub(crate) secret: bool,
}

/// A number of the running engine that somebody watches.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all(deserialize = "kebab-case"), deny_unknown_fields)]
pub(crate) struct MonitorQuery {
    /// What it shows.
    pub(crate) what: Prose,
    /// The command, as in [`Engine`].
    pub(crate) command: Prose,
    /// From which answer on somebody has to act.
    pub(crate) alarm: Prose,
}

/// A way in which the engine or its clients fail.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all(deserialize = "kebab-case"), deny_unknown_fields)]
pub(crate) struct Failure {
    /// The message of the client or server.
    pub(crate) symptom: Prose,
    /// The command that shows the cause, as in [`Engine`].
    pub(crate) command: Option<Prose>,
    /// Cause and remedy.
    pub(crate) fix: Prose,
}

/// An engine. Commands run in a shell inside its container and take names and passwords from the container's own
/// variables; they hold no single quote, so that a target can put them between single quotes.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all(deserialize = "kebab-case"), deny_unknown_fields)]
pub(crate) struct Engine {
    /// Slugs of the datastores it serves.
    pub(crate) kinds: Vec<String>,
    /// The day on which its facts were read.
    pub(crate) as_of: String,
    /// Its port.
    pub(crate) port: Option<u16>,
    /// Does it hold data that exists nowhere else, whatever its role?
    #[serde(default)]
    pub(crate) durable: bool,
    /// Is it a file of the application?
    #[serde(default)]
    pub(crate) embedded: bool,
    /// Does it limit connections as relational databases do?
    #[serde(default)]
    pub(crate) sql: bool,
    /// Memory at rest, in MiB.
    #[serde(default)]
    pub(crate) memory_mib: u32,
    /// More memory for each connection, in MiB.
    #[serde(default)]
    pub(crate) memory_per_connection_mib: u32,
    pub(crate) memory_basis: Option<Prose>,
    /// User id of the server in its image.
    pub(crate) uid: Option<u32>,
    data_path: Option<String>,
    #[serde(default, skip_serializing)]
    data_paths: Vec<DataPath>,
    #[serde(default, skip_serializing)]
    image: Vec<EngineImage>,
    /// The version taken where the repository states none; the first of `image` without it.
    #[serde(default, skip_serializing)]
    preferred: Option<String>,
    #[serde(default)]
    pub(crate) variable: Vec<EngineVariable>,
    /// Numbers to watch beside the connections.
    #[serde(default)]
    pub(crate) monitor: Vec<MonitorQuery>,
    /// What goes wrong, with the real messages.
    #[serde(default)]
    pub(crate) failure: Vec<Failure>,
    /// Messages that wait, as one number.
    pub(crate) queue_length: Option<Prose>,
    /// Command line of the server, where the image's own does not do.
    #[serde(default)]
    arguments: Vec<String>,
    ready: Option<Prose>,
    check: Option<Prose>,
    expect: Option<Prose>,
    check_note: Option<Prose>,
    first_start: Option<Prose>,
    queue_note: Option<Prose>,
    policy: Option<Prose>,
    create: Option<Prose>,
    create_noun: Option<Prose>,
    create_note: Option<Prose>,
    host_setting: Option<Prose>,
    dump: Option<Prose>,
    dump_suffix: Option<Prose>,
    dump_verify: Option<Prose>,
    dump_expect: Option<Prose>,
    no_dump: Option<Prose>,
    restore: Option<Prose>,
    restore_verify: Option<Prose>,
    restore_expect: Option<Prose>,
    restore_offline: Option<Prose>,
    connections: Option<Prose>,
    extensions: Option<Prose>,
    lock_note: Option<Prose>,
    client_package: Option<Prose>,
    url_check: Option<Prose>,
    pub(crate) url_dump: Option<Prose>,
    url_restore: Option<Prose>,
    url_restore_verify: Option<Prose>,
    /// How it runs on a host without containers.
    #[serde(skip_serializing)]
    pub(crate) host: Option<EngineHost>,
}

/// An engine from packages of Debian. Commands run as root, with the variables of its image as the environment.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct EngineHost {
    /// The first number of the distribution's version.
    pub(crate) version: String,
    /// Packages of the distribution.
    pub(crate) packages: Vec<String>,
    /// Commands that make other versions available; `{version}` is the first number of the wanted one.
    #[serde(default)]
    pub(crate) other: Vec<String>,
    /// Packages of another version.
    #[serde(default)]
    pub(crate) other_packages: Vec<String>,
    /// Name of its service.
    pub(crate) service: String,
    /// What the commands of the engine need beside its variables.
    pub(crate) environment: Option<String>,
    /// Creates users and databases; may be repeated.
    pub(crate) setup: Option<String>,
    /// Reads a dump from standard input into a database beside the live one, prints its proof and drops it.
    pub(crate) drill: Option<String>,
    /// Creates the extension `{name}`.
    pub(crate) extension: Option<String>,
    /// Packages of extensions.
    #[serde(default)]
    pub(crate) extension_packages: BTreeMap<String, String>,
    /// Variables of the image that nothing needs here.
    #[serde(default)]
    pub(crate) omit: Vec<String>,
}

impl Engine {
    pub(crate) fn has_ready(&self) -> bool {
        self.ready.is_some()
    }

    /// The image for a version of the repository, or for the version that we prefer.
    pub(crate) fn image_for(&self, version: Option<&Shown>) -> Option<Shown> {
        let starts = |candidate: &EngineImage, wanted: &[u64]| {
            let numbers = version_numbers(&candidate.version);
            numbers.iter().zip(wanted).all(|(one, other)| one == other)
        };
        let chosen = match version {
            Some(version) => {
                let wanted = version_numbers(version.as_str());
                self.image.iter().find(|image| starts(image, &wanted))?
            }
            None => self
                .preferred
                .as_ref()
                .and_then(|preferred| self.image.iter().find(|image| image.version == *preferred))
                .or(self.image.first())?,
        };
        ImageRef::parse(Raw::new(&chosen.image)).map(|image| Shown::from(&image))
    }

    /// The folder that has to be on a volume, for a version.
    pub(crate) fn data_path_for(&self, version: Option<&Shown>) -> Option<Prose> {
        let major = version.and_then(|version| version_numbers(version.as_str()).first().copied());
        let special = major.and_then(|major| {
            self.data_paths
                .iter()
                .find(|path| major < u64::from(u32::try_from(path.below).unwrap_or(u32::MAX)))
        });
        special
            .map(|path| &path.path)
            .or(self.data_path.as_ref())
            .map(|path| Prose::new(path.clone()))
    }

    /// Can its data be written to a file by a client that has its address?
    pub(crate) fn can_dump_by_address(&self) -> bool {
        self.url_dump.is_some()
    }

    /// Can its data be written to a file by a command inside its container?
    pub(crate) fn can_dump(&self) -> bool {
        self.dump.is_some()
    }
}

/// All engines, by the slugs of the datastores they serve.
#[derive(Debug, Clone, Default)]
pub(crate) struct Engines(BTreeMap<String, Engine>);

impl Engines {
    /// Reads `engines/*.toml`.
    pub(crate) fn load(templates: &Templates) -> Result<Self, TemplateError> {
        let mut list = BTreeMap::new();
        for (path, content) in templates.files() {
            if !path.starts_with("engines/") || !path.ends_with(".toml") {
                continue;
            }
            let engine: Engine = Templates::parse(path, content)?;
            for kind in &engine.kinds {
                list.insert(kind.clone(), engine.clone());
            }
        }
        Ok(Self(list))
    }

    /// The engine of a datastore's kind.
    pub(crate) fn get(&self, kind: &Shown) -> Option<Engine> {
        self.0.get(kind.as_str()).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_engine_can_be_read_and_its_commands_fit_between_single_quotes() {
        let engines = Engines::load(&Templates::default()).expect("the folder is in order");
        assert!(engines.0.len() >= 15);
        for engine in engines.0.values() {
            for command in [
                &engine.ready,
                &engine.check,
                &engine.dump,
                &engine.dump_verify,
                &engine.restore,
                &engine.restore_verify,
                &engine.connections,
                &engine.create,
                &engine.policy,
                &engine.queue_length,
            ]
            .into_iter()
            .flatten()
            {
                assert!(!command.as_str().contains('\''), "{:?}", engine.kinds);
            }
            assert!(
                engine.dump.is_some() == engine.dump_verify.is_some()
                    && (engine.dump.is_some() || engine.no_dump.is_some() || engine.embedded),
                "{:?} neither dumps nor says why not",
                engine.kinds
            );
        }
    }

    #[test]
    fn images_and_folders_follow_the_version() {
        let engines = Engines::load(&Templates::default()).expect("the folder is in order");
        let engine = engines.get(&Shown::from("postgresql")).expect("PostgreSQL");
        assert_eq!(
            engine.image_for(Some(&Shown::from("17"))).expect("17"),
            "postgres:17.11"
        );
        assert_eq!(engine.image_for(None).expect("newest"), "postgres:18.6");
        assert!(engine.image_for(Some(&Shown::from("9.6"))).is_none());
        let path = |version| {
            engine
                .data_path_for(Some(&Shown::from(version)))
                .map(|path| path.as_str().to_owned())
        };
        assert_eq!(path("17").as_deref(), Some("/var/lib/postgresql/data"));
        assert_eq!(path("18.6").as_deref(), Some("/var/lib/postgresql"));
    }
}
