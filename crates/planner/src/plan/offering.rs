//! Datastores that somebody else runs: a platform's own services (`[[offering]]` of its `target.toml`) and companies
//! that go with any platform (`companions/<id>.toml`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use playbook_core::shown::Shown;

use crate::prose::Prose;
use crate::render::Templates;
use crate::target::TemplateError;

/// What stands in a text for the datastore's name, as a slug.
const NAME: &str = "@NAME@";
/// What stands in a text for the major version.
const MAJOR: &str = "@MAJOR@";
/// What stands in a text for the variable that carries the address.
const VARIABLE: &str = "@VARIABLE@";

/// The datastore for which an offering is wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) name: &'a Shown,
    pub(crate) major: Option<u64>,
    /// The variable that carries its address.
    pub(crate) variable: &'a Shown,
}

/// A datastore as a service. Its texts hold `@NAME@`, `@MAJOR@` and `@VARIABLE@`, which are replaced for each
/// datastore.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all(deserialize = "kebab-case"), deny_unknown_fields)]
pub(crate) struct Offering {
    /// What people call it.
    pub(crate) name: Prose,
    /// Slugs of the datastores it serves.
    #[serde(skip_serializing)]
    kinds: Vec<String>,
    /// Slugs of vendors by which the inventory names it.
    #[serde(default, skip_serializing)]
    vendors: Vec<String>,
    /// The day on which its facts were read; that of the target without it.
    as_of: Option<String>,
    /// The major version where the repository states none.
    #[serde(default, skip_serializing)]
    major: String,
    /// Plan and size, in words.
    specification: Prose,
    /// Does the address arrive in the service's variables by itself?
    #[serde(default)]
    injects: bool,
    /// Commands that create it.
    create: Option<Prose>,
    /// What is done on its pages, where no command does it.
    pages: Option<Prose>,
    /// Commands that fail while it is not there.
    check: Option<Prose>,
    /// Where its address stands, for a person or a client.
    address: Option<Prose>,
    /// What the platform puts in for a part of the address: `connection`, `host`, `port`, `user`, `password`,
    /// `database`.
    #[serde(default)]
    reference: BTreeMap<String, Prose>,
    /// How it is removed, and what that destroys.
    undo: Prose,
    /// What it does for backups, and how a point in time is restored.
    backup: Option<Prose>,
    /// Its limits and traps.
    #[serde(default)]
    notes: Vec<Prose>,
}

impl Offering {
    fn serves(&self, kind: &Shown) -> bool {
        self.kinds.iter().any(|known| *kind == **known)
    }

    /// The same for one datastore.
    fn fitted(&self, wanted: &Wanted<'_>) -> Self {
        let major = wanted
            .major
            .map_or_else(|| self.major.clone(), |major| major.to_string());
        let slug = crate::render::filters::slug(wanted.name.as_str());
        let fit = |text: &Prose| {
            text.with(NAME, &slug)
                .with(MAJOR, &major)
                .with(VARIABLE, wanted.variable.as_str())
        };
        let maybe = |text: &Option<Prose>| text.as_ref().map(fit);
        Self {
            specification: fit(&self.specification),
            create: maybe(&self.create),
            pages: maybe(&self.pages),
            check: maybe(&self.check),
            address: maybe(&self.address),
            reference: self
                .reference
                .iter()
                .map(|(part, text)| (part.clone(), fit(text)))
                .collect(),
            undo: fit(&self.undo),
            backup: maybe(&self.backup),
            notes: self.notes.iter().map(fit).collect(),
            ..self.clone()
        }
    }
}

/// What the platform and its companions offer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Offerings {
    own: Vec<Offering>,
    /// Companions, those that the target names first.
    companions: Vec<Offering>,
    /// How many of them the target names.
    preferred: usize,
}

impl Offerings {
    /// Reads the target's own and `companions/*.toml`.
    pub(crate) fn load(
        templates: &Templates,
        own: &[Offering],
        preferred: &[String],
    ) -> Result<Self, TemplateError> {
        let mut companions = Vec::new();
        for (path, content) in templates.files() {
            let Some(id) = path
                .strip_prefix("companions/")
                .and_then(|rest| rest.strip_suffix(".toml"))
            else {
                continue;
            };
            let rank = preferred
                .iter()
                .position(|known| known == id)
                .unwrap_or(preferred.len());
            companions.push((rank, Templates::parse::<Offering>(path, content)?));
        }
        companions.sort_by_key(|(rank, _)| *rank);
        Ok(Self {
            own: own.to_vec(),
            preferred: companions
                .iter()
                .filter(|(rank, _)| *rank < preferred.len())
                .count(),
            companions: companions.into_iter().map(|(_, offering)| offering).collect(),
        })
    }

    /// Does the platform itself run such a datastore?
    pub(crate) fn has_own(&self, kind: &Shown) -> bool {
        self.own.iter().any(|offering| offering.serves(kind))
    }

    /// Is the vendor a company that goes with any platform?
    pub(crate) fn is_companion(&self, vendor: &Shown) -> bool {
        self.companions
            .iter()
            .any(|offering| offering.vendors.iter().any(|known| *vendor == **known))
    }

    /// The platform's own service for a datastore.
    pub(crate) fn own(&self, kind: &Shown, wanted: &Wanted<'_>) -> Option<Offering> {
        self.own
            .iter()
            .find(|offering| offering.serves(kind))
            .map(|offering| offering.fitted(wanted))
    }

    /// The company that the repository names, else the first that the target names for such a datastore.
    pub(crate) fn companion(
        &self,
        kind: &Shown,
        vendor: Option<&Shown>,
        wanted: &Wanted<'_>,
    ) -> Option<Offering> {
        let chosen = match vendor {
            Some(vendor) => self
                .companions
                .iter()
                .find(|offering| offering.vendors.iter().any(|known| *vendor == **known)),
            None => self
                .companions
                .iter()
                .take(self.preferred)
                .find(|offering| offering.serves(kind)),
        };
        chosen.map(|offering| offering.fitted(wanted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::Targets;

    #[test]
    fn every_offering_creates_and_checks_or_names_its_pages() {
        let templates = Templates::default();
        let targets = Targets::load(&templates).expect("the folder is in order");
        let companions = Offerings::load(&templates, &[], &[]).expect("the companions are in order");
        let own = targets.iter().flat_map(|target| target.offerings.iter());
        let mut count = 0;
        for offering in own.chain(&companions.companions) {
            count += 1;
            let name = offering.name.as_str();
            assert!(!offering.kinds.is_empty(), "{name}");
            assert!(offering.create.is_some() || offering.pages.is_some(), "{name}");
            assert!(offering.create.is_none() || offering.check.is_some(), "{name}");
            let text = [&offering.create, &offering.check]
                .into_iter()
                .flatten()
                .map(Prose::as_str)
                .collect::<String>();
            assert!(!text.contains(MAJOR) || !offering.major.is_empty(), "{name}");
        }
        assert!(count >= 10);
    }

    #[test]
    fn names_and_versions_are_filled_in() {
        let offering: Offering = toml::from_str(
            "name = \"X\"\nkinds = [\"postgresql\"]\nmajor = \"17\"\nspecification = \"s\"\nundo = \"u\"\n\
             create = \"make @NAME@ --major @MAJOR@\"",
        )
        .expect("an offering");
        let fitted = |major| {
            offering
                .fitted(&Wanted {
                    name: &Shown::from("my_db"),
                    major,
                    variable: &Shown::from("DATABASE_URL"),
                })
                .create
                .map(|text| text.as_str().to_owned())
        };
        assert_eq!(fitted(Some(16)).as_deref(), Some("make my-db --major 16"));
        assert_eq!(fitted(None).as_deref(), Some("make my-db --major 17"));
    }
}
