//! What the catalogue says about a technology. The keys of the TOML files are these fields in kebab case.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::name::glob;
use super::{Ecosystem, Group};

/// Text of the catalogue.
type Text = &'static str;

// `Text` hides the lifetime from serde, so each structure says itself that it borrows from the embedded file.

/// A technology and how to recognise it.
#[derive(Debug, Default, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    deny_unknown_fields,
    default,
    bound(deserialize = "'de: 'static")
)]
pub struct Technology {
    /// Slug of the contract's vocabulary: `postgresql`. Unique in its group.
    pub id: Text,
    /// Display name: `PostgreSQL`.
    pub name: Text,
    /// The file it stands in; set by the loader.
    #[serde(skip)]
    pub group: Group,
    /// What it is within its group: `email` for a vendor, `logging` for an observability tool, `web` for a framework.
    pub category: Text,
    /// Roles of the contract's vocabulary, the usual one first. For a datastore `cache`, `queue` …; for an image
    /// `proxy`, `monitoring`, `tool`.
    pub roles: Vec<Text>,
    /// Port it listens on when nothing says otherwise.
    pub default_port: Option<u16>,
    /// Its further ports by purpose.
    pub ports: BTreeMap<Text, u16>,
    /// Dependencies that are a sign of it. A trailing `*` matches any rest.
    pub packages: BTreeMap<Ecosystem, Vec<Text>>,
    /// Dependencies that may mean it.
    pub weak_packages: BTreeMap<Ecosystem, Vec<Text>>,
    /// Images: `postgres` (official image), `pgvector/pgvector` (last two parts), `ghcr.io/org/name` (whole path),
    /// `*/postgres` (any namespace), `distroless/*` (any rest).
    pub images: Vec<Text>,
    /// Environment variables that belong to it, by whole name.
    pub env: Vec<Text>,
    /// Beginnings of such names; each ends in `_`.
    pub env_prefixes: Vec<Text>,
    /// URL schemes without `://`.
    pub url_schemes: Vec<Text>,
    /// Host names of its service: `.neon.tech` (any host below) or `api.openai.com` (that host).
    pub hosts: Vec<Text>,
    /// Terraform resource types; a trailing `*` matches any rest.
    pub resources: Vec<Text>,
    /// Modules by language of import: `python`, `javascript`, `go`, `java`, `rust`, `ruby`, `php`, `csharp`, `elixir`.
    pub imports: BTreeMap<Text, Vec<Text>>,
    /// Files that are a sign of it: a name, the end of a path, or one from the root (leading `/`); `*` within a part.
    pub files: Vec<Text>,
    /// Commands that run it: the program, then words that follow in this order (options may stand between).
    pub commands: Vec<Text>,
    /// Datastore slugs that its use proves (`bullmq` proves `redis`).
    pub implies: Vec<Text>,
    /// Package features or extras that prove a datastore: `{ postgres = "postgresql" }`.
    pub features: BTreeMap<Text, Text>,
    /// Release cycles, newest first.
    pub cycles: Vec<Cycle>,
    /// Facts that plans quote, one sentence each.
    pub notes: Vec<Text>,
    /// What the entry finds, as `kind:value` (`package:npm:pg`, `image:postgres`, `env:…`, `host:…`, `file:…`,
    /// `resource:…`, `scheme:…`, `import:python:…`, `command:…`).
    pub examples: Vec<Text>,
    /// What it must not find, in the same form.
    pub counter_examples: Vec<Text>,
    /// Facts of `datastores.toml`.
    pub datastore: Option<Datastore>,
    /// Facts of `frameworks.toml`.
    pub framework: Option<Framework>,
    /// Facts of `servers.toml`.
    pub server: Option<Server>,
    /// Facts of `runtimes.toml`.
    pub runtime: Option<Runtime>,
    /// Facts of `package-managers.toml`.
    pub package_manager: Option<PackageManager>,
    /// Facts of `migrations.toml`.
    pub migration: Option<Migration>,
    /// Facts of `orms.toml`.
    pub orm: Option<Orm>,
    /// Facts of `images.toml`.
    pub image: Option<Image>,
    /// Facts of `platforms.toml`.
    pub platform: Option<Platform>,
    /// Facts of `drivers.toml`.
    pub driver: Option<Driver>,
}

/// A release line and until when it is supported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    deny_unknown_fields,
    default,
    bound(deserialize = "'de: 'static")
)]
pub struct Cycle {
    /// `3.12`, `17`, `26.3`.
    pub version: Text,
    /// Last day of support as `YYYY-MM-DD`, where the source states one.
    pub eol: Option<Text>,
    /// True when the source counts it as ended without naming a day.
    pub ended: bool,
    /// True for a long-term support line.
    pub long_term: bool,
    /// Newest release of the line that the source knows.
    pub latest: Option<Text>,
    /// Day on which the source was read, `YYYY-MM-DD`.
    pub source_date: Text,
}

/// A datastore.
#[derive(Debug, Default, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    deny_unknown_fields,
    default,
    bound(deserialize = "'de: 'static")
)]
pub struct Datastore {
    /// Port for TLS where it is another one.
    pub tls_port: Option<u16>,
    /// Protocol family when it speaks another store's protocol: `postgresql` for `cockroachdb`.
    pub protocol: Option<Text>,
    /// True when it only exists as a vendor's service.
    pub managed_only: bool,
    /// True when it is a library within the process or a file, not a server.
    pub embedded: bool,
    /// True for one of the databases of which a program needs one: they take the same kind of work, and a driver is
    /// chosen by a setting.
    pub interchangeable: bool,
    /// True when programs use it in tests in place of the database of production.
    pub stands_in_for_tests: bool,
    /// Connections the server accepts by default.
    pub max_connections: Option<u32>,
    /// Of these, connections kept for administration.
    pub reserved_connections: Option<u32>,
    /// Command inside the image that succeeds when the server is ready.
    pub health_command: Option<Text>,
    /// Path inside the container that must be on a volume.
    pub data_paths: Vec<Text>,
    /// Variables of the image that hold a secret, of which one must be set.
    pub secret_env: Vec<Text>,
}

/// A web, worker, scheduler or front-end framework.
#[derive(Debug, Default, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    deny_unknown_fields,
    default,
    bound(deserialize = "'de: 'static")
)]
pub struct Framework {
    /// Language slug; `javascript` stands for TypeScript too.
    pub language: Text,
    /// Role of a process that runs it: `web`, `worker`, `scheduler`, `frontend`, or `library` when its presence
    /// alone makes no service.
    pub role: Text,
    /// True when it usually runs within the web process, so that it is background work and no service of its own.
    pub in_process: bool,
    /// True when a second copy duplicates its work.
    pub single_instance: bool,
    /// Frameworks that it is built on and that are therefore not named beside it: `starlette` for `fastapi`.
    pub built_on: Vec<Text>,
    /// Conventional start commands for production, best first. `{app}` is the application's import path, `{port}` the port.
    pub start: Vec<Text>,
    /// Conventional build commands.
    pub build: Vec<Text>,
    /// Words in a command that mean its development server.
    pub development: Vec<Text>,
    /// Source text that proves an application object: `FastAPI(`.
    pub entry: Vec<Text>,
    /// Address it binds by itself when the code names none.
    pub listen_host: Option<Text>,
    /// Variables from which it takes its port without code.
    pub port_env: Vec<Text>,
    /// Packages that add health endpoints, with the paths.
    pub health: Vec<HealthAddOn>,
    /// Path of the OpenAPI document it generates by itself.
    pub openapi: Option<Text>,
    /// Folder of a static build, when the result needs no server of its own.
    pub output: Option<Text>,
    /// Folder below the application in which it keeps uploads and other files of its own, when they lie on the disk.
    pub storage: Option<Text>,
    /// Settings of production as `NAME=value`.
    pub production_env: Vec<Text>,
    /// Seconds it gives running work after the stop signal; absent when it waits for ever or has no such rule.
    pub shutdown_seconds: Option<u32>,
    /// What happens at shutdown, in a sentence.
    pub shutdown: Option<Text>,
    /// Work done at a time by one process, when nothing is set.
    pub concurrency: Option<Text>,
}

/// Health endpoints that a package adds.
#[derive(Debug, Default, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    deny_unknown_fields,
    default,
    bound(deserialize = "'de: 'static")
)]
pub struct HealthAddOn {
    /// The package, or empty when the framework brings them itself.
    pub package: Text,
    /// Paths that answer.
    pub paths: Vec<Text>,
}

/// A program that serves or supervises an application.
#[derive(Debug, Default, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    deny_unknown_fields,
    default,
    bound(deserialize = "'de: 'static")
)]
pub struct Server {
    /// Language slug of what it serves.
    pub language: Text,
    /// What it speaks: `http`, `fastcgi`, `uwsgi`, or empty for a supervisor.
    pub protocol: Text,
    /// True when it must not serve production.
    pub development: bool,
    /// Options that make it a development server: `--reload`.
    pub development_flags: Vec<Text>,
    /// True when it starts another program, which is the one that counts.
    pub wraps: bool,
    /// Options that take the port.
    pub port_flags: Vec<Text>,
    /// Options that take the address.
    pub host_flags: Vec<Text>,
    /// Options that take `address:port`.
    pub bind_flags: Vec<Text>,
    /// True when the port (or `address:port`) may be the first free argument.
    pub port_argument: bool,
    /// Options that take the number of processes.
    pub worker_flags: Vec<Text>,
    /// Options that take the number of threads in a process.
    pub thread_flags: Vec<Text>,
    /// Options that take the request timeout in seconds.
    pub timeout_flags: Vec<Text>,
    /// Options that take the time for shutdown in seconds.
    pub graceful_flags: Vec<Text>,
    /// Variables that set the port.
    pub port_env: Vec<Text>,
    /// Variables that set the address.
    pub host_env: Vec<Text>,
    /// Variables that set the number of processes.
    pub workers_env: Vec<Text>,
    /// Address it binds by itself.
    pub default_host: Option<Text>,
    /// Processes it starts by itself: a number, or `cpu`.
    pub default_workers: Option<Text>,
    /// Threads of a process by default.
    pub default_threads: Option<u32>,
    /// Seconds after which it ends a silent worker.
    pub timeout_seconds: Option<u32>,
    /// Seconds it waits for requests at shutdown; absent when it waits for ever.
    pub graceful_seconds: Option<u32>,
    /// Seconds an idle connection stays open.
    pub keep_alive_seconds: Option<u32>,
}

/// A language runtime.
#[derive(Debug, Default, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    deny_unknown_fields,
    default,
    bound(deserialize = "'de: 'static")
)]
pub struct Runtime {
    /// Languages it runs.
    pub languages: Vec<Text>,
    /// Its programs.
    pub executables: Vec<Text>,
    /// Where its version is declared, the strongest first: a file name, or `file#key`.
    pub version_files: Vec<Text>,
    /// Its name in `.tool-versions` and `mise.toml`.
    pub tool_names: Vec<Text>,
}

/// A package manager.
#[derive(Debug, Default, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    deny_unknown_fields,
    default,
    bound(deserialize = "'de: 'static")
)]
pub struct PackageManager {
    /// Registry its packages come from.
    pub ecosystem: Option<Ecosystem>,
    /// Runtime slug.
    pub runtime: Text,
    /// Files that name the dependencies.
    pub manifests: Vec<Text>,
    /// Files that pin them, newest form first.
    pub lockfiles: Vec<Text>,
    /// Marks other than files: `package.json#packageManager=pnpm`, `pyproject.toml#tool.poetry`.
    pub marks: Vec<Text>,
    /// Installs exactly what the lockfile says, with development packages.
    pub install: Option<Text>,
    /// The same without development packages, for images.
    pub install_production: Option<Text>,
    /// Put before a script's name: `npm run`.
    pub run_prefix: Option<Text>,
    /// Put before a program: `poetry run`, `npx`.
    pub exec_prefixes: Vec<Text>,
    /// Removes development packages after a build.
    pub prune: Option<Text>,
}

/// Whether two runs of a migration tool at the same time are safe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lock {
    /// Nothing prevents two runs at once.
    #[default]
    None,
    /// An advisory lock of the database session: not through a transaction pooler.
    Advisory,
    /// A row or table that may have to be released by hand after a crash.
    Table,
    /// Only with an option or configuration.
    Optional,
}

/// A schema migration tool.
#[derive(Debug, Default, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    deny_unknown_fields,
    default,
    bound(deserialize = "'de: 'static")
)]
pub struct Migration {
    /// Language slug, or empty for a tool of its own.
    pub language: Text,
    /// Folders in which its revision files usually stand.
    pub folders: Vec<Text>,
    /// True when its files may lie in a folder for each release.
    pub folders_by_release: bool,
    /// Names of revision files, with `*`.
    pub revision_files: Vec<Text>,
    /// Files in such a folder that are no revisions.
    pub not_revisions: Vec<Text>,
    /// Applies everything that is pending.
    pub apply: Option<Text>,
    /// Says what is pending.
    pub status: Option<Text>,
    /// Takes the last revision back; absent when the tool cannot.
    pub rollback: Option<Text>,
    /// Other words that apply, as they appear in commands and scripts: `migrate deploy`.
    pub apply_words: Vec<Text>,
    /// Commands that must not run in production.
    pub never: Vec<Text>,
    /// Whether two runs at once are safe.
    pub lock: Lock,
    /// True when it usually runs within the application at start.
    pub at_start: bool,
    /// True when its program is usually a development dependency and so absent from images.
    pub development_dependency: bool,
}

impl Migration {
    /// Whether a file of this name, in a folder of this tool, is a revision.
    pub fn is_revision(&self, file_name: &str) -> bool {
        let one_of = |patterns: &[Text]| patterns.iter().any(|pattern| glob(pattern, file_name));
        one_of(&self.revision_files) && !one_of(&self.not_revisions)
    }
}

/// An object mapper or query builder.
#[derive(Debug, Default, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    deny_unknown_fields,
    default,
    bound(deserialize = "'de: 'static")
)]
pub struct Orm {
    /// Language slug.
    pub language: Text,
    /// Connections that one process keeps at most by default, without overflow; absent when unlimited or up to the driver.
    pub pool_size: Option<u32>,
    /// Connections above `pool_size` under load.
    pub pool_overflow: Option<u32>,
    /// The default in words, where it is no number (`unlimited`, `cpus × 2 + 1`).
    pub pool_rule: Option<Text>,
    /// Names of the settings for it.
    pub pool_parameters: Vec<Text>,
    /// Source of the figure.
    pub pool_source: Option<Text>,
    /// Calls that change the schema from code, which is no migration.
    pub schema_in_code: Vec<Text>,
}

/// An infrastructure image or a base image.
#[derive(Debug, Default, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    deny_unknown_fields,
    default,
    bound(deserialize = "'de: 'static")
)]
pub struct Image {
    /// For a base image: the tags it describes, with `*`. Of several entries the longest pattern that matches counts.
    pub tag: Option<Text>,
    /// Runtime slug of a base image.
    pub runtime: Option<Text>,
    /// Has a shell.
    pub shell: Option<bool>,
    /// Has `curl`.
    pub curl: Option<bool>,
    /// Has `wget`.
    pub wget: Option<bool>,
    /// `glibc`, `musl` or `none`.
    pub libc: Option<Text>,
    /// User it runs as when the Dockerfile names none.
    pub user: Option<Text>,
    /// A prepared user without rights that the image brings.
    pub other_user: Option<Text>,
    /// `apt`, `apk`, `dnf`, `microdnf` or `none`.
    pub package_manager: Option<Text>,
    /// Why it cannot be pulled any more, or not without an account.
    pub withdrawn: Option<Text>,
}

/// What a platform file stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlatformKind {
    /// `infrastructure[].kind`.
    #[default]
    Infrastructure,
    /// `ci[].kind`.
    Ci,
}

/// A platform, infrastructure tool or CI system.
#[derive(Debug, Default, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    deny_unknown_fields,
    default,
    bound(deserialize = "'de: 'static")
)]
pub struct Platform {
    /// Which list of the inventory it belongs to.
    pub kind: PlatformKind,
    /// Texts of which the file must hold one, because its name alone proves nothing.
    pub content: Vec<Text>,
    /// Slug of the deployment target that it points to.
    pub target: Option<Text>,
    /// True when it only serves development.
    pub development: bool,
    /// Objects of a cluster that belong to it: the end of an API group, with `:Kind` where only some kinds of it do.
    pub api_groups: Vec<Text>,
}

/// A client library of a datastore.
#[derive(Debug, Default, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    deny_unknown_fields,
    default,
    bound(deserialize = "'de: 'static")
)]
pub struct Driver {
    /// Language slug.
    pub language: Text,
    /// Connection strings it takes, as scheme or form.
    pub url_forms: Vec<Text>,
    /// The scheme that a library wants which drives it, by the library's slug.
    pub library_schemes: BTreeMap<Text, Text>,
    /// Parameter that turns TLS on, as written in the URL or the options.
    pub tls: Option<Text>,
    /// Parameters of other clients that break it.
    pub rejects: Vec<Text>,
    /// Connections one pool keeps at most by default.
    pub pool_size: Option<u32>,
    /// The default in words, where it is no number.
    pub pool_rule: Option<Text>,
    /// Setting behind a transaction pooler.
    pub transaction_pooler: Option<Text>,
    /// Debian packages needed to build it from source.
    pub build_packages: Vec<Text>,
    /// Debian packages needed to run it.
    pub run_packages: Vec<Text>,
}

/// A Terraform resource type whose attribute says which datastore it creates.
#[derive(Debug, Default, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    deny_unknown_fields,
    default,
    bound(deserialize = "'de: 'static")
)]
pub struct EngineResource {
    /// `aws_db_instance`.
    pub resource: Text,
    /// `engine`.
    pub attribute: Text,
    /// Beginning of the attribute's value, lower case, to datastore slug.
    pub engines: BTreeMap<Text, Text>,
    /// Attributes that tell by being there which datastore it is, lower case without separators.
    pub presence: BTreeMap<Text, Text>,
}

impl EngineResource {
    /// The datastore slug of an attribute value (`aurora-postgresql`, `POSTGRES_16`): the longest beginning counts.
    pub fn kind(&self, value: &str) -> Option<&'static str> {
        let value = value.to_ascii_lowercase();
        self.engines
            .iter()
            .filter(|(beginning, _)| value.starts_with(**beginning))
            .max_by_key(|(beginning, _)| beginning.len())
            .map(|(_, kind)| *kind)
    }
}

/// A resource type of an infrastructure tool that runs processes, or starts them by the clock.
#[derive(Debug, Default, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    deny_unknown_fields,
    default,
    bound(deserialize = "'de: 'static")
)]
pub struct ProcessResource {
    /// The type as the tool writes it, or the source of a published module; a trailing `*` matches any rest.
    pub resource: Text,
    /// `service`, `function`, `job` or `schedule`.
    pub role: Text,
    /// Slug of the platform that it belongs to.
    pub platform: Text,
}

/// What the attributes of infrastructure resources are called, whatever the provider. Names are lower case without
/// separators: `engine_version`, `EngineVersion` and `engineVersion` are one.
#[derive(Debug, Default, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    deny_unknown_fields,
    default,
    bound(deserialize = "'de: 'static")
)]
pub struct ResourceAttributes {
    /// The engine's version.
    pub version: Vec<Text>,
    /// Instance class, tier or machine size.
    pub plan: Vec<Text>,
    /// Storage in gigabytes.
    pub storage: Vec<Text>,
    /// Region or location.
    pub region: Vec<Text>,
    /// The name of the resource, best first.
    pub name: Vec<Text>,
    /// The image of a container.
    pub image: Vec<Text>,
    /// The port that a container listens on.
    pub port: Vec<Text>,
    /// A map of variables.
    pub environment: Vec<Text>,
    /// The folder of a function's code.
    pub source: Vec<Text>,
    /// A schedule.
    pub schedule: Vec<Text>,
    /// Types whose version is the vendor's constant and says nothing of the engine.
    pub unversioned: Vec<Text>,
    /// Beginning of a resource type → vendor.
    pub providers: BTreeMap<Text, Text>,
    /// Words of variables that name the deployment and not the thing deployed.
    pub prefix_words: Vec<Text>,
    /// Words in the name of a store that serves the tools and not the software.
    pub own_words: Vec<Text>,
}
