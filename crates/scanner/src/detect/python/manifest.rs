//! Manifests of Python projects: what they ask for, what they run, which versions they name.

mod pins;
mod plain;
mod pyproject;
mod setup;

use std::collections::BTreeSet;

use playbook_core::diagnostic::{Diagnostic, DiagnosticKind};
use playbook_core::evidence::{Evidence, Scope};
use playbook_core::harmless::{Name, Sentence, Symbol, Version};
use playbook_core::inventory::VersionPin;
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Ecosystem, Group, Strength};

use crate::fact::{Dependency, Facts, ProjectFact, StoreFact};
use crate::parse::requirements::{self, Requirement};
use crate::parse::{ParseProblem, ParseProblemKind};
use crate::source::Source;

/// Is it a manifest, or a file that names a version?
pub(super) fn wants(path: &RelPath) -> bool {
    let name = path.name();
    matches!(name, "pyproject.toml" | "Pipfile" | "setup.py" | "setup.cfg")
        || pins::wants(name)
        || plain::is_requirements(path)
        || plain::is_environment(name)
}

/// Tells what it says.
pub(super) fn detect(source: &Source<'_>, facts: &mut Facts) {
    match source.path.name() {
        "pyproject.toml" => pyproject::detect(source, facts),
        "Pipfile" => plain::pipfile(source, facts),
        "setup.py" => setup::program(source, facts),
        "setup.cfg" => setup::configuration(source, facts),
        name if pins::wants(name) => pins::detect(source, facts),
        name if plain::is_environment(name) => plain::environment(source, facts),
        _ => plain::requirements(source, facts),
    }
}

fn has_word(name: &str, words: &[&str]) -> bool {
    let lower = name.to_ascii_lowercase();
    words.contains(&lower.as_str())
        || lower
            .split(['-', '_', '.', '/', ' '])
            .any(|part| words.contains(&part))
}

/// A manifest while it is read.
struct Project {
    fact: ProjectFact,
    /// Stores that extras of packages prove: package, extra, line, development.
    extras: Vec<(String, String, u32, bool)>,
    /// Lines of packages that are there because others want them: a resolved list says so.
    transitive: BTreeSet<u32>,
}

impl Project {
    fn new(source: &Source<'_>, package_manager: Option<&'static str>) -> Self {
        Self {
            fact: ProjectFact {
                dir: source.path.parent(),
                manifest: source.path.clone(),
                ecosystem: "pypi",
                language: "python",
                runtime: "python",
                name: None,
                archive: None,
                description: None,
                license: None,
                package_manager,
                dependencies: Vec::new(),
                members: Vec::new(),
                published: None,
                programs: Vec::new(),
                scope: source.scope,
                evidence: source.file(),
            },
            extras: Vec::new(),
            transitive: BTreeSet::new(),
        }
    }

    /// A package as PEP 508 writes it.
    fn require(&mut self, text: &str, development: bool, line: u32) {
        if let Some(requirement) = requirements::requirement(text) {
            self.add(&requirement, development, line);
        }
    }

    fn add(&mut self, requirement: &Requirement, development: bool, line: u32) {
        let Some(name) = Name::parse(Raw::new(&requirement.name)) else {
            return;
        };
        for extra in &requirement.extras {
            self.extras
                .push((requirement.name.clone(), extra.clone(), line, development));
        }
        self.fact.dependencies.push(Dependency {
            name,
            version: Version::parse(Raw::new(&requirement.specifier)),
            development,
            line,
        });
    }

    /// A package of a table of names and versions.
    fn add_named(&mut self, name: &str, version: &str, extras: &[String], development: bool, line: u32) {
        let Some(mut requirement) = requirements::requirement(name) else {
            return;
        };
        version.clone_into(&mut requirement.specifier);
        requirement.extras = extras.to_vec();
        self.add(&requirement, development, line);
    }

    fn name(&mut self, text: &str, evidence: Evidence) {
        if let Some(name) = Name::parse(Raw::new(text)) {
            self.fact.name = Some(name);
            self.fact.evidence = evidence;
        }
    }

    fn description(&mut self, text: &str) {
        self.fact.description = Sentence::parse(Raw::new(text)).map(Shown::from);
    }

    fn license(&mut self, text: &str) {
        self.fact.license = Name::parse(Raw::new(text));
    }

    fn program(&mut self, name: &str, entry: Option<&str>, line: u32) {
        if let Some(name) = Name::parse(Raw::new(name)) {
            let entry = entry.and_then(|entry| Symbol::parse(Raw::new(entry.split('[').next()?.trim())));
            self.fact.programs.push((name, entry, line));
        }
    }

    /// Does the manifest say anything about a project?
    fn is_empty(&self) -> bool {
        let fact = &self.fact;
        fact.name.is_none()
            && fact.dependencies.is_empty()
            && fact.members.is_empty()
            && fact.programs.is_empty()
    }

    /// Hands the project over, with the datastores that its packages prove.
    fn tell(mut self, facts: &mut Facts) {
        self.fact.dependencies.sort();
        self.fact.dependencies.dedup();
        let stores = self.stores();
        facts.stores.extend(stores);
        facts.projects.push(self.fact);
    }

    fn stores(&self) -> Vec<StoreFact> {
        let catalogue = Catalogue::get();
        let mut found = Vec::new();
        for dependency in &self.fact.dependencies {
            for store in catalogue.by_package(Ecosystem::Pypi, dependency.name.as_str()) {
                if store.technology.group == Group::Datastore {
                    found.push((store.technology, dependency, store.strength == Strength::Strong));
                }
            }
        }
        // Who brings the drivers of many databases offers a choice; which one is used, the configuration says.
        let mut databases: Vec<&str> = found
            .iter()
            .filter(|(store, dependency, _)| !dependency.development && store.category == "database")
            .map(|(store, ..)| store.id)
            .collect();
        databases.sort_unstable();
        databases.dedup();
        let choice = databases.len() > 2;
        let embedded = |store: &playbook_core::technology::Technology| {
            store
                .datastore
                .as_ref()
                .is_some_and(|datastore| datastore.embedded)
        };
        let mut stores: Vec<StoreFact> = found
            .into_iter()
            .map(|(store, dependency, strong)| {
                let weak = choice && store.category == "database"
                    || embedded(store)
                    || self.transitive.contains(&dependency.line);
                self.store(
                    store.id,
                    &dependency.name,
                    strong && !weak,
                    None,
                    dependency.development,
                    dependency.line,
                )
            })
            .collect();
        for (package, extra, line, development) in &self.extras {
            let Some(store) = catalogue.by_package_feature(Ecosystem::Pypi, package, extra) else {
                continue;
            };
            let Some(name) = Name::parse(Raw::new(package)) else {
                continue;
            };
            // The extra of a queue library chooses its broker.
            let queue = catalogue
                .by_package(Ecosystem::Pypi, package)
                .iter()
                .any(|found| matches!(found.technology.category, "worker" | "scheduler"));
            let role = (queue && store.roles.contains(&"queue")).then_some("queue");
            stores.push(self.store(store.id, &name, true, role, *development, *line));
        }
        stores
    }

    fn store(
        &self,
        kind: &'static str,
        driver: &Name,
        strong: bool,
        role: Option<&'static str>,
        development: bool,
        line: u32,
    ) -> StoreFact {
        StoreFact {
            kind: Shown::from(kind),
            dir: Some(self.fact.dir.clone()),
            version: None,
            role,
            managed: None,
            driver: Some(driver.clone()),
            variable: None,
            name: None,
            extension: None,
            strong,
            scope: if development {
                Scope::Development
            } else {
                self.fact.scope
            },
            evidence: Evidence::at(&self.fact.manifest, line),
        }
    }
}

/// Tells the version of Python, or of a tool, that a place asks for.
fn pin(facts: &mut Facts, source: &Source<'_>, tool: &'static str, version: &str, line: u32) {
    if let Some(version) = Version::parse(Raw::new(version)) {
        facts.version_pins.push(VersionPin {
            tool: Shown::from(tool),
            version: version.into(),
            path: source.path.parent(),
            scope: source.scope,
            evidence: vec![source.at(line)],
        });
    }
}

/// Reports where a parser stopped.
fn problem(facts: &mut Facts, source: &Source<'_>, problem: Option<ParseProblem>) {
    if let Some(problem) = problem {
        facts.diagnostics.push(Diagnostic::new(
            source.path.clone(),
            Some(problem.line),
            match problem.kind {
                ParseProblemKind::TooDeep | ParseProblemKind::TooLarge => DiagnosticKind::TooComplex,
                _ => DiagnosticKind::Syntax,
            },
        ));
    }
}
