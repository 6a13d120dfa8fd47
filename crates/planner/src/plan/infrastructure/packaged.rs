//! A datastore from packages of the distribution, on a host without containers.

use serde::Serialize;

use playbook_core::harmless::version_numbers;
use playbook_core::inventory::Datastore;
use playbook_core::shown::Shown;

use crate::plan::engine::{Engine, EngineVariable};
use crate::prose::Prose;

/// Where its packages come from and how it is set up.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Packaged {
    pub(crate) packages: Vec<Prose>,
    /// Commands before the packages can be installed.
    pub(crate) prepare: Vec<Prose>,
    /// The first number of the version that gets installed.
    version: Prose,
    /// Is it another one than the repository asks for?
    differs: bool,
    pub(crate) service: Prose,
    environment: Option<Prose>,
    setup: Option<Prose>,
    /// Tries a dump on a database beside the live one.
    drill: Option<Prose>,
    /// The command that creates an extension, before and behind its name.
    extension: Option<(Prose, Prose)>,
    /// Its variables, with values and secrets.
    variables: Vec<EngineVariable>,
}

impl Packaged {
    /// Its variables, with values and secrets.
    pub(crate) fn variables(&self) -> &[EngineVariable] {
        &self.variables
    }
}

/// The packages for a datastore, where the distribution or the engine's own project has some.
pub(super) fn packaged(store: &Datastore, engine: &Engine, version: Option<&Shown>) -> Option<Packaged> {
    let host = engine.host.as_ref()?;
    let wanted = version.and_then(|version| version_numbers(version.as_str()).first().copied());
    let distribution = version_numbers(&host.version).first().copied();
    let other = wanted.filter(|wanted| Some(*wanted) != distribution);
    let prepared = other.filter(|_| !host.other_packages.is_empty());
    let number = prepared
        .or(distribution)
        .map_or_else(String::new, |number| number.to_string());
    let fill = |text: &String| Prose::new(text.replace("{version}", &number));
    let (mut packages, prepare): (Vec<Prose>, Vec<Prose>) = if prepared.is_some() {
        (
            host.other_packages.iter().map(fill).collect(),
            host.other.iter().map(fill).collect(),
        )
    } else {
        (host.packages.iter().map(fill).collect(), Vec::new())
    };
    packages.extend(
        store
            .extensions
            .iter()
            .filter_map(|name| host.extension_packages.get(name.as_str()).map(fill)),
    );
    Some(Packaged {
        packages,
        prepare,
        version: Prose::new(number.clone()),
        differs: other.is_some() && prepared.is_none(),
        service: Prose::new(host.service.clone()),
        environment: host.environment.clone().map(Prose::new),
        setup: host
            .setup
            .as_ref()
            .map(|setup| Prose::new(setup.trim().to_owned())),
        drill: host
            .drill
            .as_ref()
            .map(|drill| Prose::new(drill.trim().to_owned())),
        extension: host.extension.as_ref().and_then(|command| {
            let (before, behind) = command.split_once("{name}")?;
            Some((Prose::new(before.to_owned()), Prose::new(behind.to_owned())))
        }),
        variables: engine
            .variable
            .iter()
            .filter(|variable| !host.omit.contains(&variable.name))
            .cloned()
            .collect(),
    })
}
