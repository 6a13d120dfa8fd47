//! The technology catalogue: what a package, image, variable, file, host or command of a repository stands for.
//!
//! The knowledge itself is data, in `crates/core/technologies/*.toml`; the header of each file explains its keys. This
//! module loads the files once, checks nothing that the tests of the data check already, and answers look-ups. All text
//! it hands out is `'static`, so it may be printed: none of it comes from the analysed repository.

use std::sync::LazyLock;

use serde::Deserialize;

mod facts;
mod index;
mod name;
mod version;

pub use facts::{
    Cycle, Datastore, Driver, EngineResource, Framework, HealthAddOn, Image, Lock, Migration, Orm,
    PackageManager, Platform, PlatformKind, ProcessResource, ResourceAttributes, Runtime, Server, Technology,
};
pub use index::{Match, Strength};
pub use name::{Ecosystem, image_path, normal_package_name};

use index::Index;

/// The file of the catalogue in which a technology stands, and so which of its fact tables is filled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// `datastores.toml`: databases, caches, queues, object stores. The slugs are those of `datastores[].kind`.
    #[default]
    Datastore,
    /// `frameworks.toml`: web frameworks, worker and scheduler libraries, front-end frameworks.
    Framework,
    /// `servers.toml`: programs that serve an application or run it under supervision.
    Server,
    /// `runtimes.toml`: language runtimes with their support dates.
    Runtime,
    /// `package-managers.toml`.
    PackageManager,
    /// `migrations.toml`: schema migration tools.
    Migration,
    /// `external-services.toml`: vendors whose service is called over the network.
    ExternalService,
    /// `observability.toml`: metrics, tracing, logging, error reporting.
    Observability,
    /// `auth.toml`: how users and callers prove who they are.
    Auth,
    /// `orms.toml`: object mappers, query builders and their connection pools.
    Orm,
    /// `images.toml`: third-party infrastructure images and base images.
    Image,
    /// `platforms.toml`: files of infrastructure tools, platforms and CI systems.
    Platform,
    /// `drivers.toml`: client libraries of datastores.
    Driver,
}

/// Every file of the catalogue: group, file name below `technologies/`, content.
pub const FILES: &[(Group, &str, &str)] = &[
    (
        Group::Datastore,
        "datastores.toml",
        include_str!("../technologies/datastores.toml"),
    ),
    (
        Group::Framework,
        "frameworks.toml",
        include_str!("../technologies/frameworks.toml"),
    ),
    (
        Group::Server,
        "servers.toml",
        include_str!("../technologies/servers.toml"),
    ),
    (
        Group::Runtime,
        "runtimes.toml",
        include_str!("../technologies/runtimes.toml"),
    ),
    (
        Group::PackageManager,
        "package-managers.toml",
        include_str!("../technologies/package-managers.toml"),
    ),
    (
        Group::Migration,
        "migrations.toml",
        include_str!("../technologies/migrations.toml"),
    ),
    (
        Group::ExternalService,
        "external-services.toml",
        include_str!("../technologies/external-services.toml"),
    ),
    (
        Group::Observability,
        "observability.toml",
        include_str!("../technologies/observability.toml"),
    ),
    (
        Group::Auth,
        "auth.toml",
        include_str!("../technologies/auth.toml"),
    ),
    (Group::Orm, "orms.toml", include_str!("../technologies/orms.toml")),
    (
        Group::Image,
        "images.toml",
        include_str!("../technologies/images.toml"),
    ),
    (
        Group::Platform,
        "platforms.toml",
        include_str!("../technologies/platforms.toml"),
    ),
    (
        Group::Driver,
        "drivers.toml",
        include_str!("../technologies/drivers.toml"),
    ),
];

impl Group {
    /// The group's file name without its extension: `external-services`.
    pub fn slug(self) -> &'static str {
        FILES
            .iter()
            .find(|(group, ..)| *group == self)
            .and_then(|(_, file, _)| file.strip_suffix(".toml"))
            .unwrap_or_default()
    }
}

/// One file of the catalogue.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct File {
    /// The day on which the dates in the file were read from their source.
    as_of: &'static str,
    technology: Vec<Technology>,
    engine_resource: Vec<EngineResource>,
    process_resource: Vec<ProcessResource>,
    resource_attributes: ResourceAttributes,
}

/// All technologies and the tables that find them.
#[derive(Debug, Default)]
pub struct Catalogue {
    technologies: Vec<Technology>,
    engine_resources: Vec<EngineResource>,
    process_resources: Vec<ProcessResource>,
    resource_attributes: ResourceAttributes,
    index: Index,
}

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| match Catalogue::load() {
    Ok(catalogue) => catalogue,
    Err(error) => unreachable!("the catalogue is part of the program and its tests load all of it: {error}"),
});

impl Catalogue {
    /// The catalogue of this program, parsed at the first call.
    pub fn get() -> &'static Self {
        &CATALOGUE
    }

    /// Parses the files anew. [`Catalogue::get`] is what callers want; this is for the tests of the data.
    pub fn load() -> Result<Self, toml::de::Error> {
        let mut catalogue = Self::default();
        for (group, _, text) in FILES {
            let file: File = toml::from_str(text)?;
            for mut technology in file.technology {
                technology.group = *group;
                for cycle in &mut technology.cycles {
                    if cycle.source_date.is_empty() {
                        cycle.source_date = file.as_of;
                    }
                }
                catalogue.technologies.push(technology);
            }
            catalogue.engine_resources.extend(file.engine_resource);
            catalogue.process_resources.extend(file.process_resource);
            if *group == Group::Platform {
                catalogue.resource_attributes = file.resource_attributes;
            }
        }
        catalogue
            .technologies
            .sort_by_key(|technology| (technology.group, technology.id));
        catalogue
            .engine_resources
            .sort_by_key(|resource| resource.resource);
        catalogue.index = Index::new(&catalogue.technologies);
        Ok(catalogue)
    }

    /// Every technology, by group and then by slug.
    pub fn technologies(&self) -> &[Technology] {
        &self.technologies
    }

    /// What a resource type of an infrastructure tool runs, if it runs processes or starts them by the clock.
    pub fn by_process_resource(&self, resource: &str) -> Option<&ProcessResource> {
        self.process_resources
            .iter()
            .find(|known| match known.resource.strip_suffix('*') {
                Some(beginning) => resource.starts_with(beginning),
                None => resource == known.resource,
            })
    }

    /// The tool that an object of a cluster belongs to: its `apiVersion` and its kind.
    pub fn by_api_group(&self, version: &str, kind: &str) -> Option<&Technology> {
        let group = version.split('/').next().unwrap_or(version);
        let belongs = |known: &&'static str| {
            let (end, only) = known
                .split_once(':')
                .map_or((*known, None), |(end, only)| (end, Some(only)));
            let rest = group.strip_suffix(end);
            rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
                && only.is_none_or(|only| only == kind)
        };
        self.group(Group::Platform).iter().find(|technology| {
            technology
                .platform
                .as_ref()
                .is_some_and(|platform| platform.api_groups.iter().any(belongs))
        })
    }

    /// What the attributes of infrastructure resources are called.
    pub fn resource_attributes(&self) -> &ResourceAttributes {
        &self.resource_attributes
    }

    /// The technologies of one file, by slug.
    pub fn group(&self, group: Group) -> &[Technology] {
        let start = self
            .technologies
            .partition_point(|technology| technology.group < group);
        let end = self
            .technologies
            .partition_point(|technology| technology.group <= group);
        self.technologies.get(start..end).unwrap_or_default()
    }

    /// The technology with this slug in this group.
    pub fn find(&self, group: Group, slug: &str) -> Option<&Technology> {
        let members = self.group(group);
        let position = members
            .binary_search_by(|technology| technology.id.cmp(slug))
            .ok()?;
        members.get(position)
    }

    /// The technology with this slug in the first group that has one, in the order of [`Group`]. A slug may stand in
    /// several groups (`sentry` is a vendor and an observability tool): where that matters use [`Catalogue::find`].
    pub fn technology(&self, slug: &str) -> Option<&Technology> {
        FILES.iter().find_map(|(group, ..)| self.find(*group, slug))
    }

    /// What a dependency stands for. The name is compared as its registry compares names (`SQLAlchemy` is
    /// `sqlalchemy`, `github.com/redis/go-redis/v9` is `github.com/redis/go-redis`). A driver or a queue library also
    /// yields the datastore that it implies.
    pub fn by_package(&self, ecosystem: Ecosystem, package: &str) -> Vec<Match<'_>> {
        self.index.by_package(&self.technologies, ecosystem, package)
    }

    /// The datastore that a feature of a dependency turns on: `sqlx` with `postgres`, `celery` with the extra `redis`.
    pub fn by_package_feature(
        &self,
        ecosystem: Ecosystem,
        package: &str,
        feature: &str,
    ) -> Option<&Technology> {
        let kind = self
            .by_package(ecosystem, package)
            .iter()
            .find_map(|found| found.technology.features.get(feature).copied())?;
        self.find(Group::Datastore, kind)
    }

    /// What an image is. Takes the name with or without registry, tag and digest. Base images of one repository that
    /// differ by tag are told apart by [`Catalogue::base_image`].
    pub fn by_image(&self, repository: &str) -> Vec<Match<'_>> {
        self.index.by_image(&self.technologies, repository)
    }

    /// The base-image facts (shell, `curl`, libc, user …) of an image and its tag, where the catalogue knows them.
    pub fn base_image(&self, repository: &str, tag: Option<&str>) -> Option<&Technology> {
        let tag = tag.unwrap_or("latest");
        self.by_image(repository)
            .into_iter()
            .map(|found| found.technology)
            .filter_map(|technology| Some((technology, technology.image.as_ref()?.tag?)))
            .filter(|(_, pattern)| name::glob(pattern, tag))
            .max_by_key(|(_, pattern)| pattern.len())
            .map(|(technology, _)| technology)
    }

    /// Technologies to which an environment variable belongs by its whole name (`DATABASE_URL` belongs to none).
    pub fn by_env_name(&self, name: &str) -> Vec<Match<'_>> {
        self.index.by_env_name(&self.technologies, name)
    }

    /// Technologies to which an environment variable belongs by the longest known prefix of its name. A prefix is a
    /// hint, so every match is [`Strength::Weak`].
    pub fn by_env_prefix(&self, name: &str) -> Vec<Match<'_>> {
        self.index.by_env_prefix(&self.technologies, name)
    }

    /// Technologies of which a file is a sign, by its path relative to the root.
    pub fn by_file(&self, path: &str) -> Vec<Match<'_>> {
        self.index.by_file(&self.technologies, path)
    }

    /// The datastores and protocols of a URL scheme, without `://`: `postgresql+asyncpg`, `rediss`, `jdbc:postgresql`.
    pub fn by_url_scheme(&self, scheme: &str) -> Vec<Match<'_>> {
        self.index.by_url_scheme(&self.technologies, scheme)
    }

    /// The vendors of a host name (`ep-1.eu-central-1.aws.neon.tech`), and the datastore that the host implies.
    pub fn by_host_suffix(&self, host: &str) -> Vec<Match<'_>> {
        self.index.by_host(&self.technologies, host)
    }

    /// What a Terraform resource type creates. Types that create different engines are in
    /// [`Catalogue::by_engine_resource`] instead.
    pub fn by_resource(&self, terraform_type: &str) -> Vec<Match<'_>> {
        self.index.by_resource(&self.technologies, terraform_type)
    }

    /// A Terraform resource type whose attribute says which datastore it creates.
    pub fn by_engine_resource(&self, terraform_type: &str) -> Option<&EngineResource> {
        let position = self
            .engine_resources
            .binary_search_by(|resource| resource.resource.cmp(terraform_type))
            .ok()?;
        self.engine_resources.get(position)
    }

    /// The engine resources, sorted.
    pub fn engine_resources(&self) -> &[EngineResource] {
        &self.engine_resources
    }

    /// What an import of a module says. `typescript` is looked up as `javascript`, `kotlin` as `java`. A submodule
    /// (`sentry_sdk.integrations.flask`) is found by its parent.
    pub fn by_import(&self, language: &str, module: &str) -> Vec<Match<'_>> {
        self.index.by_import(&self.technologies, language, module)
    }

    /// The servers, workers and tools that a command runs. `words` starts at the program: take the wrappers off with
    /// [`Catalogue::without_wrappers`] first. The most specific match is first.
    pub fn by_command<S: AsRef<str>>(&self, words: &[S]) -> Vec<&Technology> {
        self.index.by_command(&self.technologies, words)
    }

    /// The command without what only starts it: `exec`, `poetry run`, `npx`, `python -m`, `tini --`, `ddtrace-run`.
    pub fn without_wrappers<'words, S: AsRef<str>>(&self, words: &'words [S]) -> &'words [S] {
        self.index.without_wrappers(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_parse_and_technologies_are_found() {
        let loaded = Catalogue::load().map(|catalogue| catalogue.technologies().len());
        assert!(matches!(loaded, Ok(count) if count > 0), "{loaded:?}");
        let found = Catalogue::get()
            .find(Group::Datastore, "postgresql")
            .map(|technology| technology.name);
        assert_eq!(found, Some("PostgreSQL"));
    }
}
