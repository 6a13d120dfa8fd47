//! `runtimes.toml`: where a host without containers gets what runs the code.

use serde::{Deserialize, Serialize};

use playbook_core::evidence::Evidence;
use playbook_core::harmless::version_numbers;
use playbook_core::inventory::Service;
use playbook_core::shown::Shown;

use crate::prose::Prose;
use crate::render::Templates;
use crate::target::TemplateError;

/// The runtimes that a host can be given.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Runtimes {
    /// The day on which the versions were read.
    #[expect(dead_code, reason = "for the readers of the file")]
    as_of: String,
    runtime: Vec<RuntimeText>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RuntimeText {
    kind: String,
    /// The distribution's version; none when it does not bring the runtime.
    version: Option<String>,
    compare: usize,
    #[serde(default)]
    newer: bool,
    #[serde(default)]
    compiled: bool,
    probe: Option<String>,
    #[serde(default)]
    packages: Vec<String>,
    #[serde(default)]
    other: Vec<String>,
    check: String,
}

/// A runtime that the plan installs.
#[derive(Debug, Serialize)]
pub(super) struct Installed<'a> {
    kind: &'a Shown,
    wanted: Option<&'a Shown>,
    place: Option<&'a Evidence>,
    /// The distribution's version.
    version: Option<Prose>,
    probe: Option<Prose>,
    packages: Vec<Prose>,
    /// Commands that install the wanted version, where the distribution's is another one.
    other: Vec<Prose>,
    /// Is the distribution's version another one than the wanted, and no way known to get that?
    differs: bool,
    check: Prose,
}

impl Runtimes {
    pub(crate) fn load(templates: &Templates) -> Result<Self, TemplateError> {
        templates.parse_file("runtimes.toml")
    }

    fn get(&self, kind: &Shown) -> Option<&RuntimeText> {
        self.runtime.iter().find(|runtime| *kind == *runtime.kind)
    }

    pub(super) fn knows(&self, kind: &Shown) -> bool {
        self.get(kind).is_some()
    }

    /// Does a program that is built take the place of the start command?
    pub(super) fn compiles(&self, service: &Service) -> bool {
        service
            .runtime
            .name
            .as_ref()
            .and_then(|kind| self.get(kind))
            .is_some_and(|runtime| runtime.compiled)
    }

    /// The wanted version, as far as it counts, where the distribution's does not do and another can be had.
    pub(super) fn other_version(&self, service: &Service) -> Option<String> {
        let runtime = self.get(service.runtime.name.as_ref()?)?;
        let wanted = service.runtime.version.as_ref();
        if runtime.other.is_empty() || runtime.fits(wanted) {
            return None;
        }
        Some(runtime.number(wanted))
    }

    pub(super) fn installed<'a>(&self, services: impl Iterator<Item = &'a Service>) -> Vec<Installed<'a>> {
        let mut list: Vec<Installed<'a>> = Vec::new();
        for service in services {
            let Some(kind) = service.runtime.name.as_ref() else {
                continue;
            };
            let wanted = service.runtime.version.as_ref();
            if list
                .iter()
                .any(|known| known.kind == kind && known.wanted == wanted)
            {
                continue;
            }
            let Some(runtime) = self.get(kind) else { continue };
            let fits = runtime.fits(wanted);
            let number = runtime.number(wanted);
            let others = if fits { &[][..] } else { &runtime.other };
            list.push(Installed {
                kind,
                wanted,
                place: service.runtime.version_source.as_ref(),
                version: runtime.version.clone().map(Prose::new),
                probe: runtime.probe.clone().map(Prose::new),
                packages: if others.is_empty() {
                    runtime.packages.iter().cloned().map(Prose::new).collect()
                } else {
                    Vec::new()
                },
                differs: !fits && others.is_empty(),
                other: others
                    .iter()
                    .map(|line| Prose::new(line.replace("{version}", &number)))
                    .collect(),
                check: Prose::new(runtime.check.clone()),
            });
        }
        list
    }
}

impl RuntimeText {
    /// Does the distribution's version do for what the repository asks?
    fn fits(&self, wanted: Option<&Shown>) -> bool {
        let Some(version) = &self.version else {
            return false;
        };
        let Some(wanted) = wanted else { return true };
        let own = version_numbers(version);
        let asked: Vec<u64> = version_numbers(wanted.as_str())
            .into_iter()
            .take(self.compare)
            .collect();
        let text = wanted.as_str().trim_start();
        let open = (text.starts_with('>') && !text.contains('<')) || self.newer;
        if open {
            asked
                .iter()
                .zip(&own)
                .find(|(a, b)| a != b)
                .is_none_or(|(asked, own)| asked < own)
        } else {
            asked.iter().zip(&own).all(|(asked, own)| asked == own)
        }
    }

    /// The wanted version as far as it counts.
    fn number(&self, wanted: Option<&Shown>) -> String {
        let numbers: Vec<String> = wanted
            .map(|wanted| version_numbers(wanted.as_str()))
            .unwrap_or_default()
            .iter()
            .take(self.compare)
            .map(ToString::to_string)
            .collect();
        numbers.join(".")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distributions_version_is_taken_where_it_does() {
        let runtimes = Runtimes::load(&Templates::default()).expect("the file is in order");
        let fits = |kind: &'static str, wanted: &'static str| {
            runtimes
                .get(&Shown::from(kind))
                .is_some_and(|runtime| runtime.fits(Some(&Shown::from(wanted))))
        };
        assert!(fits("python", "3.13"));
        assert!(fits("python", "3.13.2"));
        assert!(fits("python", ">=3.11"));
        assert!(!fits("python", "3.12"));
        assert!(!fits("python", ">=3.11,<3.13"));
        assert!(fits("node", "20.11.0"));
        assert!(fits("node", ">=18"));
        assert!(!fits("node", "^22"));
        assert!(fits("go", "1.22"));
        assert!(!fits("go", "1.26"));
        assert!(!fits("dotnet", "9.0"));
    }
}
