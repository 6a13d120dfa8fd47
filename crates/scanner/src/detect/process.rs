//! What the detectors of process descriptions share: values, commands, probes, ports and stores of a file, judged and
//! with their lines.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use playbook_core::evidence::{Evidence, Scope};
use playbook_core::harmless::{CommandLine, EnvName, Name, Schedule, Sentence, Setting, UrlPath, Version};
use playbook_core::inventory::{
    Build, Infrastructure, Mount, MountKind, Probe, PublishedPort, Stack, Unit, UnitVariable, VariableGroup,
    VariableOrigin, VariableSource,
};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;
use playbook_core::technology::Catalogue;
use serde::Deserialize;

use super::compose;
use super::judge::{self, Place};
use crate::fact::{Facts, JobFact, StoreFact, VariableFact};
use crate::parse;
use crate::parse::tree::Node;
use crate::source::Source;

/// One file that describes processes, and where its facts go.
pub(super) struct Sheet<'a, 'f> {
    /// The file.
    pub(super) source: &'a Source<'a>,
    /// What it tells.
    pub(super) facts: &'f mut Facts,
    /// Where it holds: by its place, or by what it says itself.
    pub(super) scope: Scope,
}

/// What a file says about a variable that it gives no value.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Declared<'a> {
    /// Must the deployer give it?
    pub(super) required: bool,
    /// Does the platform give it?
    pub(super) provided: bool,
    /// Is it kept in a secret store?
    pub(super) secret: bool,
    /// What the file says about it.
    pub(super) description: Option<&'a str>,
    /// What the value refers to.
    pub(super) reference: Option<&'a str>,
}

impl<'a, 'f> Sheet<'a, 'f> {
    pub(super) fn new(source: &'a Source<'a>, facts: &'f mut Facts) -> Self {
        Self {
            source,
            facts,
            scope: source.scope,
        }
    }

    /// Evidence for a line.
    pub(super) fn at(&self, line: u32) -> Evidence {
        self.source.at(line)
    }

    /// The folder of the file.
    pub(super) fn folder(&self) -> RelPath {
        self.source.path.parent()
    }

    /// A command as written on one line or several.
    pub(super) fn command(&mut self, text: &str) -> Option<CommandLine> {
        let line = judge::joined_lines(text);
        judge::withhold_in_command(self.facts, &line);
        judge::command(&line)
    }

    /// A command that is a text or a list of words.
    pub(super) fn command_of(&mut self, node: &Node) -> Option<CommandLine> {
        match node.text() {
            Some(_) if node.is_null() => None,
            Some(text) => self.command(text),
            None => {
                let words: Vec<&str> = node.items().filter_map(Node::text).collect();
                self.command(&judge::join_words(&words))
            }
        }
    }

    /// Commands of a list that run one after the other.
    pub(super) fn commands_of(&mut self, node: &Node) -> Option<CommandLine> {
        let lines: Vec<&str> = node.texts().map(|(text, _)| text.trim()).collect();
        self.command(&lines.join(" && "))
    }

    /// A variable that the file gives a value.
    pub(super) fn given(&mut self, name: &str, value: &str, line: u32) -> Option<UnitVariable> {
        let shown_name = EnvName::parse(Raw::new(name))?;
        let place = Place::new(line, self.scope);
        let judged = judge::literal(self.source, self.facts, name, value, place);
        let mut fact = self.mention(&shown_name, line);
        fact.has_default = !judged.empty;
        fact.placeholder = judged.placeholder;
        fact.default.clone_from(&judged.shown);
        self.facts.variables.push(fact);
        let store = judge::store_of_address(name, value, self.scope, self.at(line));
        self.facts.stores.extend(store);
        let origin = if judged.shown.is_some() || judged.empty {
            VariableSource::Literal
        } else if judge::is_reference(value) || value.contains("${") {
            VariableSource::Interpolated
        } else {
            VariableSource::Withheld
        };
        Some(UnitVariable {
            name: shown_name.into(),
            source: origin,
            value: judged.shown.map(Shown::from),
            reference: None,
            evidence: vec![self.at(line)],
        })
    }

    /// All entries of a map of names and values; values that are no text come from elsewhere.
    pub(super) fn given_all(&mut self, node: Option<&Node>) -> Vec<UnitVariable> {
        let entries: Vec<_> = node.into_iter().flat_map(Node::entries).collect();
        entries
            .into_iter()
            .filter_map(|(name, line, value)| match value.text() {
                Some(text) if value.tag().is_none() => self.given(name, text, line),
                _ => self.declared(
                    name,
                    line,
                    VariableSource::Composed,
                    Declared {
                        provided: true,
                        ..Declared::default()
                    },
                ),
            })
            .collect()
    }

    /// A variable that gets its value from elsewhere.
    pub(super) fn declared(
        &mut self,
        name: &str,
        line: u32,
        origin: VariableSource,
        says: Declared<'_>,
    ) -> Option<UnitVariable> {
        let shown_name = EnvName::parse(Raw::new(name))?;
        let mut fact = self.mention(&shown_name, line);
        fact.required = says.required;
        fact.has_default = says.provided;
        fact.secret = says.secret;
        fact.documented = says.description.is_some();
        fact.description = says
            .description
            .and_then(|text| Sentence::describe(name, Raw::new(text)))
            .map(Shown::from);
        self.facts.variables.push(fact);
        Some(UnitVariable {
            name: shown_name.into(),
            source: origin,
            value: None,
            reference: says.reference.and_then(word),
            evidence: vec![self.at(line)],
        })
    }

    fn mention(&self, name: &EnvName, line: u32) -> VariableFact {
        VariableFact::new(name.clone(), VariableOrigin::Stack, self.scope, self.at(line))
    }

    /// A health check of a path.
    pub(super) fn probe(&self, path: &str, line: u32) -> Option<Probe> {
        Some(Probe {
            kind: Shown::from("health"),
            command: None,
            path: Some(UrlPath::parse(Raw::new(path))?.into()),
            port: None,
            interval: None,
            timeout: None,
            retries: None,
            start_period: None,
            evidence: vec![self.at(line)],
        })
    }

    /// A health check by a command; the path and the port that it asks for are told too.
    pub(super) fn probe_command(&mut self, text: &str, line: u32) -> Option<Probe> {
        let command = self.command(text)?;
        let (path, port) = judge::http_target(text);
        Some(Probe {
            kind: Shown::from("health"),
            command: Some(command),
            path,
            port,
            interval: None,
            timeout: None,
            retries: None,
            start_period: None,
            evidence: vec![self.at(line)],
        })
    }

    /// A port that the process listens on.
    pub(super) fn port(&self, container: u16, published: bool, line: u32) -> PublishedPort {
        PublishedPort {
            host: None,
            address: None,
            container,
            published,
            evidence: vec![self.at(line)],
        }
    }

    /// The port that a node holds.
    pub(super) fn port_of(&self, node: Option<(u32, &Node)>, published: bool) -> Option<PublishedPort> {
        let (line, node) = node?;
        Some(self.port(port_number(node.text()?)?, published, line))
    }

    /// A disk.
    pub(super) fn volume(&self, name: Option<&str>, target: Option<&str>, line: u32) -> Mount {
        Mount {
            kind: MountKind::Volume,
            source: name.and_then(word),
            target: target.and_then(judge::path),
            read_only: false,
            size_gb: None,
            evidence: vec![self.at(line)],
        }
    }

    /// The image of a unit, with the datastore that it proves.
    pub(super) fn image(&mut self, unit: &mut Unit, text: &str, line: u32) {
        unit.image = judge::reference(text);
        let store = compose::store_of_image(text, self.scope, self.at(line));
        self.facts.stores.extend(store);
    }

    /// A datastore that the platform runs.
    pub(super) fn managed_store(
        &mut self,
        kind: &'static str,
        platform: &'static str,
        version: Option<&str>,
        line: u32,
    ) {
        let fact = StoreFact {
            kind: Shown::from(kind),
            dir: None,
            version: version.and_then(|text| Version::parse(Raw::new(text))),
            role: None,
            managed: Some(Shown::from(platform)),
            driver: None,
            variable: None,
            name: None,
            extension: None,
            strong: true,
            scope: self.scope,
            evidence: self.at(line),
        };
        self.facts.stores.push(fact);
    }

    /// The datastore that the catalogue knows under the value of an attribute of a managed resource: the plan of a Heroku
    /// add-on, the engine of a cluster.
    pub(super) fn engine(resource: &str, value: &str) -> Option<&'static str> {
        Catalogue::get().by_engine_resource(resource)?.kind(value)
    }

    /// A job that the platform starts by the clock.
    pub(super) fn job(&mut self, name: &str, schedule: &str, runner: &'static str, line: u32) {
        if let Some(name) = Name::parse(Raw::new(name)) {
            self.facts.jobs.push(JobFact {
                name,
                schedule: Schedule::parse(Raw::new(schedule)),
                runner: Shown::from(runner),
                scope: self.scope,
                evidence: self.at(line),
            });
        }
    }

    /// Tells that the file is there.
    pub(super) fn infrastructure(&mut self, kind: &'static str) {
        self.facts.infrastructure.push(Infrastructure {
            kind: Shown::from(kind),
            path: self.source.path.clone(),
            scope: self.scope,
            evidence: vec![self.source.file()],
        });
    }

    /// The stack of the file, if it has any units.
    pub(super) fn stack(&mut self, kind: &'static str, mut units: Vec<Unit>, groups: Vec<VariableGroup>) {
        if units.is_empty() {
            return;
        }
        for unit in &mut units {
            port_of_variable(unit);
        }
        self.facts.stacks.push(Stack {
            scope: self.scope,
            groups,
            ..self.source.stack(kind, units)
        });
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Table {
    system_programs: Words,
}

#[derive(Deserialize)]
struct Words {
    names: BTreeSet<String>,
}

static TABLE: LazyLock<Option<Table>> =
    LazyLock::new(|| toml::from_str(include_str!("../../processes.toml")).ok());

/// Is it a program of the system, which is no process of the repository?
pub(super) fn is_system_program(command: &str) -> bool {
    let words = parse::shell::commands(command);
    let program = words.last().and_then(parse::shell::Command::program_name);
    TABLE
        .as_ref()
        .zip(program)
        .is_some_and(|(table, program)| table.system_programs.names.contains(program))
}

/// Kind of a unit that runs once when it is asked for, and is no process of its own.
pub(crate) const ONESHOT: &str = "oneshot";

/// A process that is told its port by `PORT` listens there.
fn port_of_variable(unit: &mut Unit) {
    let given = unit.variables.iter().find(|variable| variable.name == "PORT");
    let Some(given) = given.filter(|_| unit.ports.is_empty() && unit.datastore.is_none()) else {
        return;
    };
    let number = given.value.as_ref().and_then(|value| port_number(value.as_str()));
    let port = number.map(|container| PublishedPort {
        host: None,
        address: None,
        container,
        published: false,
        evidence: given.evidence.clone(),
    });
    unit.ports.extend(port);
}

/// A unit with its line.
pub(super) fn unit(sheet: &Sheet<'_, '_>, name: &str, kind: &'static str, line: u32) -> Option<Unit> {
    let mut unit = Unit::new(word(name)?, Shown::from(kind));
    unit.evidence = vec![sheet.at(line)];
    Some(unit)
}

/// The text of a key, if it is not empty.
pub(super) fn text<'n>(node: &'n Node, key: &str) -> Option<&'n str> {
    node.get(key)
        .filter(|value| !value.is_null())
        .and_then(Node::text)
        .filter(|text| !text.is_empty())
}

/// A word as it may be printed.
pub(super) fn word(text: &str) -> Option<Shown> {
    Name::parse(Raw::new(text)).map(Shown::from)
}

/// A size, a duration, a number: a setting that is harmless by its shape.
pub(super) fn measure(text: &str) -> Option<Shown> {
    Setting::parse(Raw::new(text))
        .map(Shown::from)
        .or_else(|| word(text))
}

/// The measure of a key.
pub(super) fn measure_of(node: &Node, key: &str) -> Option<Shown> {
    measure(text(node, key)?)
}

/// The word of a key.
pub(super) fn word_of(node: &Node, key: &str) -> Option<Shown> {
    word(text(node, key)?)
}

/// The whole number of a key.
pub(super) fn number_of(node: &Node, key: &str) -> Option<u32> {
    node.get(key)
        .and_then(Node::integer)
        .and_then(|number| u32::try_from(number).ok())
}

/// A port from text.
pub(super) fn port_number(text: &str) -> Option<u16> {
    playbook_core::harmless::port(Raw::new(text))
}

/// A schedule as it may be printed.
pub(super) fn schedule(text: &str) -> Option<Shown> {
    Schedule::parse(Raw::new(text)).map(Shown::from)
}

/// An image build in a folder.
pub(super) fn build(context: &RelPath, dockerfile: Option<&str>) -> Build {
    Build {
        context: Some(context.clone()),
        dockerfile: context.join(dockerfile.unwrap_or("Dockerfile")),
        target: None,
        arguments: Vec::new(),
    }
}

/// The items of a list below a key.
pub(super) fn items<'n>(node: &'n Node, key: &str) -> Vec<&'n Node> {
    node.get(key)
        .map(|list| list.items().collect())
        .unwrap_or_default()
}

/// The entries of a map below a key.
pub(super) fn entries<'n>(node: &'n Node, key: &str) -> Vec<(&'n str, u32, &'n Node)> {
    node.get(key)
        .map(|map| map.entries().collect())
        .unwrap_or_default()
}
