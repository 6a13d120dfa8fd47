//! What detectors tell. A fact holds what one file proves; what needs two files happens in `resolve`.

mod bound;

use playbook_core::diagnostic::Diagnostic;
use playbook_core::evidence::{Evidence, Scope};
use playbook_core::harmless::{CommandLine, EnvName, Name, Schedule, Setting, Symbol, UrlPath, Version};
use playbook_core::inventory::{
    ApiSpec, AuthFact, Autoscaler, Cache, CiFile, CiStep, Collection, CommittedSecret, Container, CorsPolicy,
    Delivery, DisruptionBudget, DocumentedCommand, ExternalService, Infrastructure, Interface, NetworkRule,
    Observability, Operation, Pool, Project, ProjectRule, Provisioning, Proxy, RateLimit, Seed, Signal,
    Stack, Upload, VariableOrigin, VersionPin,
};
use playbook_core::path::RelPath;
use playbook_core::secret::Withheld;
use playbook_core::shown::Shown;

/// A package that a manifest asks for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Dependency {
    /// Its name, in the ecosystem's normal form.
    pub(crate) name: Name,
    /// The version or range as written.
    pub(crate) version: Option<Version>,
    /// Is it for development, tests or an optional group that production does not install?
    pub(crate) development: bool,
    /// Line of the manifest.
    pub(crate) line: u32,
}

/// A manifest: one project of one ecosystem.
#[derive(Debug, Clone)]
pub(crate) struct ProjectFact {
    /// Folder of the manifest: where the project's code is.
    pub(crate) dir: RelPath,
    /// The manifest.
    pub(crate) manifest: RelPath,
    /// pypi npm go crates maven rubygems packagist nuget hex
    pub(crate) ecosystem: &'static str,
    /// Slug of the main language (resolve may refine it by counting source files).
    pub(crate) language: &'static str,
    /// Slug of the runtime.
    pub(crate) runtime: &'static str,
    /// Name that the manifest gives.
    pub(crate) name: Option<Name>,
    /// The archive that its build leaves, as a path from `dir`, where the manifest tells it.
    pub(crate) archive: Option<Name>,
    /// Description that the manifest gives.
    pub(crate) description: Option<Shown>,
    /// SPDX identifier that the manifest gives.
    pub(crate) license: Option<Name>,
    /// Slug of the package manager, where the manifest or its kind says it.
    pub(crate) package_manager: Option<&'static str>,
    /// Packages.
    pub(crate) dependencies: Vec<Dependency>,
    /// Patterns of workspace members, relative to `dir`.
    pub(crate) members: Vec<Name>,
    /// Does the manifest say that this is published for others to use (a library), or private?
    pub(crate) published: Option<bool>,
    /// Names of programs the manifest declares (`[project.scripts]`, `bin`, `[[bin]]`), with their entry.
    pub(crate) programs: Vec<(Name, Option<Symbol>, u32)>,
    /// Where it holds.
    pub(crate) scope: Scope,
    /// Where it stands.
    pub(crate) evidence: Evidence,
}

/// Stands in an archive for the name of the whole build, which another file gives.
pub(crate) const ROOT_MODULE: &str = "@root";

/// A named command of a manifest or a Makefile: `package.json` scripts, `[tool.pdm.scripts]`, `composer` scripts, make
/// targets, `Taskfile`, `justfile`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ScriptFact {
    /// Folder it is run in.
    pub(crate) dir: RelPath,
    /// `npm`, `make`, `task`, `just`, `composer`, `pdm`, `poetry`, `mix`
    pub(crate) runner: &'static str,
    /// Its name.
    pub(crate) name: Name,
    /// What it runs; several commands of a recipe are joined with `&&`.
    pub(crate) command: CommandLine,
    /// Where it stands.
    pub(crate) evidence: Evidence,
}

/// The names of all commands of a manifest or a Makefile, for telling whether one exists.
pub(crate) struct ScriptNamesFact {
    /// As in [`ScriptFact`].
    pub(crate) runner: &'static str,
    /// The names.
    pub(crate) names: Vec<String>,
    /// Can there be more names, of other files or patterns?
    pub(crate) open: bool,
}

impl std::fmt::Debug for ScriptNamesFact {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "ScriptNamesFact({}, {} names)",
            self.runner,
            self.names.len()
        )
    }
}

/// Patterns of paths that are not in version control, though they may be there where the program runs.
pub(crate) struct UntrackedFact {
    /// The folder for which they hold.
    pub(crate) dir: RelPath,
    /// The lines of the ignore file, or the folders of other repositories.
    pub(crate) patterns: Vec<String>,
}

impl std::fmt::Debug for UntrackedFact {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "UntrackedFact({}, {} patterns)",
            self.dir,
            self.patterns.len()
        )
    }
}

/// Names of files that a document tells its reader to make.
pub(crate) struct MadeFilesFact {
    /// The document.
    pub(crate) document: RelPath,
    /// The names, without folders.
    pub(crate) names: Vec<String>,
}

impl std::fmt::Debug for MadeFilesFact {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "MadeFilesFact({}, {} names)",
            self.document,
            self.names.len()
        )
    }
}

/// A shell script with what it runs.
#[derive(Debug, Clone)]
pub(crate) struct ShellScript {
    /// The script.
    pub(crate) path: RelPath,
    /// The commands it runs whatever its arguments are, with their lines.
    pub(crate) commands: Vec<(CommandLine, u32)>,
    /// What it runs for a first argument: names, commands with lines.
    pub(crate) arms: Vec<Arm>,
    /// Does it end by running its arguments (`exec "$@"`)?
    pub(crate) runs_arguments: bool,
    /// Where it holds.
    pub(crate) scope: Scope,
}

/// One choice of a script that dispatches on its argument.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Arm {
    /// The argument.
    pub(crate) name: Name,
    /// What runs.
    pub(crate) commands: Vec<(CommandLine, u32)>,
    /// Line of the choice.
    pub(crate) line: u32,
}

/// How an entry point was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum EntryKind {
    /// An application object or a call that serves HTTP, gRPC or another protocol.
    Server,
    /// A queue consumer.
    Worker,
    /// A scheduler process.
    Scheduler,
    /// The main function of a program; what it is for, its name and its application tell.
    Main,
    /// A program that runs and ends.
    Program,
    /// A handler of a serverless platform.
    Function,
}

/// A place in the code where a process begins.
#[derive(Debug, Clone)]
pub(crate) struct EntryPoint {
    /// The file.
    pub(crate) path: RelPath,
    /// What kind of process.
    pub(crate) kind: EntryKind,
    /// Slug of the framework or library.
    pub(crate) framework: Shown,
    /// How a server names it: `app.main:app`, `./cmd/api`, `celery_app`.
    pub(crate) symbol: Option<Symbol>,
    /// Port literal of the listener, or the default of the variable.
    pub(crate) port: Option<u16>,
    /// Variable that the listener takes its port from.
    pub(crate) port_variable: Option<EnvName>,
    /// Address it binds to, where one is written.
    pub(crate) bind: Option<Setting>,
    /// Where it holds.
    pub(crate) scope: Scope,
    /// Where it stands.
    pub(crate) evidence: Evidence,
}

/// A file in which a program begins by convention ([`crate::conventions`]), proven by its text or named by a manifest.
#[derive(Debug, Clone)]
pub(crate) struct ProgramFact {
    /// The file.
    pub(crate) path: RelPath,
    /// The row of the table whose file and pattern it fits; `None` where a manifest calls it its main file.
    pub(crate) row: Option<crate::conventions::RowId>,
    /// Folder of the application.
    pub(crate) dir: RelPath,
    /// Name of the program, as its text says it.
    pub(crate) name: Option<Name>,
    /// Does its text say that it answers requests?
    pub(crate) listens: bool,
    /// The port that its text says.
    pub(crate) port: Option<u16>,
    /// Where it stands.
    pub(crate) evidence: Evidence,
}

/// A hint that a datastore is used.
#[derive(Debug, Clone)]
pub(crate) struct StoreFact {
    /// The contract's slug.
    pub(crate) kind: Shown,
    /// Folder whose code uses it, where it is known.
    pub(crate) dir: Option<RelPath>,
    /// The engine's version.
    pub(crate) version: Option<Version>,
    /// Role other than the kind's usual one (`queue` for Redis behind Celery).
    pub(crate) role: Option<&'static str>,
    /// Slug of a managed offering.
    pub(crate) managed: Option<Shown>,
    /// Driver package.
    pub(crate) driver: Option<Name>,
    /// Variable that carries its address.
    pub(crate) variable: Option<EnvName>,
    /// Database, bucket, topic or collection name.
    pub(crate) name: Option<Name>,
    /// Extension wanted.
    pub(crate) extension: Option<Name>,
    /// A hint that counts by itself (a configured client, an address with its scheme, a resource), or one that only
    /// supports others (a package that many back ends can use)?
    pub(crate) strong: bool,
    /// Where it holds.
    pub(crate) scope: Scope,
    /// Where it stands.
    pub(crate) evidence: Evidence,
}

/// A name that code gives to what it keeps in a store.
#[derive(Debug, Clone)]
pub(crate) struct CollectionFact {
    /// The contract's slug of the store.
    pub(crate) kind: Shown,
    /// What is named.
    pub(crate) collection: Collection,
}

/// A mention of an environment variable.
#[derive(Debug, Clone)]
pub(crate) struct VariableFact {
    /// Its name.
    pub(crate) name: EnvName,
    /// What kind of place.
    pub(crate) origin: VariableOrigin,
    /// Does this place fail, or demand a value, without it?
    pub(crate) required: bool,
    /// Does this place give it a value to fall back on?
    pub(crate) has_default: bool,
    /// The default, where it is harmless.
    pub(crate) default: Option<Setting>,
    /// Is the committed value a placeholder?
    pub(crate) placeholder: bool,
    /// Is it read when the image or bundle is built?
    pub(crate) build_time: bool,
    /// Does the reading code treat it as a secret (`SecretStr`, a `password` option)?
    pub(crate) secret: bool,
    /// Smallest length that the code accepts.
    pub(crate) min_length: Option<u32>,
    /// Group of which at least one has to be set.
    pub(crate) one_of: Option<Name>,
    /// Is the place there to tell people about it (an example file, a README)?
    pub(crate) documented: bool,
    /// Does only the file itself use what it sets (a Dockerfile's own version numbers and folders)?
    pub(crate) internal: bool,
    /// Does the place only suggest it (a line of an environment file that is commented out)?
    pub(crate) commented: bool,
    /// What the place says about it in plain prose.
    pub(crate) description: Option<Shown>,
    /// Where it holds.
    pub(crate) scope: Scope,
    /// Where it stands.
    pub(crate) evidence: Evidence,
}

/// A configuration script that takes in another one of its folder (`import_config "prod.exs"`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ConfigImportFact {
    /// The folder.
    pub(crate) dir: RelPath,
    /// The file's name; `None` if it is put together from the name of the environment.
    pub(crate) name: Option<Name>,
}

impl VariableFact {
    /// A mention that says nothing but the name.
    pub(crate) fn new(name: EnvName, origin: VariableOrigin, scope: Scope, evidence: Evidence) -> Self {
        Self {
            name,
            origin,
            required: false,
            has_default: false,
            default: None,
            placeholder: false,
            build_time: false,
            secret: false,
            min_length: None,
            one_of: None,
            documented: false,
            internal: false,
            commented: false,
            description: None,
            scope,
            evidence,
        }
    }
}

/// A route as its file states it; the prefix of its router is a fact of its own.
#[derive(Debug, Clone)]
pub(crate) struct RouteFact {
    /// GET, POST … or `*`.
    pub(crate) method: &'static str,
    /// The path as written at the route, with the prefixes that this file proves.
    pub(crate) path: UrlPath,
    /// The router object or class it belongs to, where that is known; resolve joins it with [`PrefixFact`]s.
    pub(crate) router: Option<Symbol>,
    /// Does the handler, its decorator or its parameters want authentication?
    pub(crate) authenticated: Option<bool>,
    /// Datastore kinds, or `database` where the kind is unknown, that the handler touches.
    pub(crate) touches: Vec<Shown>,
    /// Is the handler seen to answer with a constant?
    pub(crate) constant: bool,
    /// Slug of the framework.
    pub(crate) framework: Shown,
    /// Where it holds.
    pub(crate) scope: Scope,
    /// Where it stands.
    pub(crate) evidence: Evidence,
}

/// A function whose name is that of a health endpoint.
#[derive(Debug, Clone)]
pub(crate) struct HandlerFact {
    /// Its name.
    pub(crate) name: Name,
    /// Slug of its language.
    pub(crate) language: &'static str,
    /// Does it answer with a constant?
    pub(crate) constant: bool,
}

/// The function that answers a route.
#[derive(Debug, Clone)]
pub(crate) struct HandledFact {
    /// Where the route stands.
    pub(crate) route: Evidence,
    /// Its path, as the [`RouteFact`] tells it.
    pub(crate) path: UrlPath,
    /// The function's name.
    pub(crate) name: Name,
    /// Slug of the language.
    pub(crate) language: &'static str,
}

/// A prefix that a router is mounted under.
#[derive(Debug, Clone)]
pub(crate) struct PrefixFact {
    /// The prefix, `/` for none; `None` when it can't be read (a variable that no file explains).
    pub(crate) prefix: Option<UrlPath>,
    /// Name of the setting or constant that stands before `prefix`, where another file gives its value
    /// ([`ConstantFact`]): `API_V1_STR`.
    pub(crate) reference: Option<Name>,
    /// The module (as a path without ending, relative to the root, where it could be resolved), or the imported name,
    /// that is mounted.
    pub(crate) module: Option<RelPath>,
    /// The router object that is mounted.
    pub(crate) router: Option<Symbol>,
    /// The router it is mounted on, if that is not the application itself.
    pub(crate) parent: Option<Symbol>,
    /// Where it stands.
    pub(crate) evidence: Evidence,
}

/// A constant or the default of a setting that holds a URL path: `API_V1_STR = "/api/v1"`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ConstantFact {
    /// Its name, without the class or object it belongs to.
    pub(crate) name: Name,
    /// Its value.
    pub(crate) value: UrlPath,
    /// Where it stands.
    pub(crate) evidence: Evidence,
}

/// The router of applications that put one prefix before all routes of their controllers, wherever those stand.
pub(crate) const GLOBAL_ROUTER: &str = "@application";

/// A route that the prefix of the whole application ([`GLOBAL_ROUTER`]) does not stand before.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct UnprefixedFact {
    /// The path without the prefix.
    pub(crate) path: UrlPath,
    /// Where it stands.
    pub(crate) evidence: Evidence,
}

/// A job that runs by the clock.
#[derive(Debug, Clone)]
pub(crate) struct JobFact {
    /// Its name.
    pub(crate) name: Name,
    /// When.
    pub(crate) schedule: Option<Schedule>,
    /// Slug of what starts it.
    pub(crate) runner: Shown,
    /// Where it holds.
    pub(crate) scope: Scope,
    /// Where it stands.
    pub(crate) evidence: Evidence,
}

/// The time zone that jobs are scheduled in.
#[derive(Debug, Clone)]
pub(crate) struct TimeZoneFact {
    /// Slug of the runner whose jobs it is for; empty for any.
    pub(crate) runner: &'static str,
    /// Does it hold for every job of the application, or for the one that it stands at?
    pub(crate) whole: bool,
    /// The zone.
    pub(crate) zone: Name,
    /// Where it stands.
    pub(crate) evidence: Evidence,
}

/// A migration tool is configured or used here.
#[derive(Debug, Clone)]
pub(crate) struct MigrationFact {
    /// The contract's slug.
    pub(crate) tool: Shown,
    /// Folder of the migration files, where this place says it.
    pub(crate) dir: Option<RelPath>,
    /// Folder of the project that owns them.
    pub(crate) project: RelPath,
    /// Command that applies them, where this place states one.
    pub(crate) command: Option<CommandLine>,
    /// Command that takes them back, where this place states one.
    pub(crate) rollback: Option<CommandLine>,
    /// Does the application apply them when it starts?
    pub(crate) at_start: bool,
    /// Slug of the datastore, where this place says it.
    pub(crate) datastore: Option<Shown>,
    /// Where it holds.
    pub(crate) scope: Scope,
    /// Where it stands.
    pub(crate) evidence: Evidence,
}

/// One migration file.
#[derive(Debug, Clone)]
pub(crate) struct RevisionFact {
    /// The contract's slug of the tool.
    pub(crate) tool: Shown,
    /// The file.
    pub(crate) path: RelPath,
    /// The folder that counts as the tool's migration folder.
    pub(crate) dir: RelPath,
    /// Its identifier.
    pub(crate) id: Name,
    /// Identifiers of the revisions before it, for tools with a graph; `None` for tools that order by name.
    pub(crate) parents: Option<Vec<Name>>,
    /// What its forward direction does.
    pub(crate) operations: Vec<Operation>,
    /// Can it be undone, as far as the file shows?
    pub(crate) reversible: Option<bool>,
    /// Where it holds.
    pub(crate) scope: Scope,
}

/// A set of Compose files that a command in a document, a script or CI names together: `-f a -f b`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FileSetFact {
    /// The files in order, relative to the root.
    pub(crate) files: Vec<RelPath>,
    /// Are they handed to a swarm (`docker stack deploy`)?
    pub(crate) swarm: bool,
    /// Where it stands.
    pub(crate) evidence: Evidence,
}

/// A unit of a Compose file that continues a service of another file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ExtendsFact {
    /// The file of the unit.
    pub(crate) stack: RelPath,
    /// The unit.
    pub(crate) unit: Name,
    /// The file that it continues.
    pub(crate) file: RelPath,
    /// The service in that file.
    pub(crate) base: Name,
    /// Where it stands.
    pub(crate) evidence: Evidence,
}

/// A unit whose port in the container is a variable without a default in its file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PortVariableFact {
    /// The file of the unit.
    pub(crate) stack: RelPath,
    /// The unit.
    pub(crate) unit: Name,
    /// The variable.
    pub(crate) variable: EnvName,
    /// Is it published to the host?
    pub(crate) published: bool,
    /// Where it stands.
    pub(crate) evidence: Evidence,
}

/// A file of Terraform. The files of a folder are one module, so `resolve` reads what it says.
#[derive(Debug)]
pub(crate) struct TerraformFile {
    /// The file.
    pub(crate) path: RelPath,
    /// Where it holds.
    pub(crate) scope: Scope,
    /// Does version control ignore it?
    pub(crate) ignored: bool,
    /// What it says.
    pub(crate) body: crate::parse::hcl::Body,
}

/// A file of a Helm chart that describes it or gives its values.
#[derive(Debug)]
pub(crate) struct ChartFact {
    /// The file.
    pub(crate) path: RelPath,
    /// Where it holds.
    pub(crate) scope: Scope,
    /// What it says.
    pub(crate) document: std::sync::Arc<crate::parse::tree::Node>,
}

/// A file of Kustomize.
#[derive(Debug)]
pub(crate) struct KustomizationFact {
    /// The file.
    pub(crate) path: RelPath,
    /// Where it holds.
    pub(crate) scope: Scope,
    /// What it says.
    pub(crate) document: std::sync::Arc<crate::parse::tree::Node>,
}

/// Manifests of a cluster that are a template: what fills its actions stands in other files.
pub(crate) struct TemplateFact {
    /// The file.
    pub(crate) path: RelPath,
    /// Where it holds.
    pub(crate) scope: Scope,
    /// Does version control ignore it?
    pub(crate) ignored: bool,
    /// Its text.
    pub(crate) text: String,
}

impl std::fmt::Debug for TemplateFact {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "TemplateFact({} bytes)", self.text.len())
    }
}

/// A workload of a cluster, or an object that leads requests to workloads. They find each other by labels and names, in
/// whatever file they stand.
#[derive(Debug)]
pub(crate) struct ClusterObject {
    /// The file.
    pub(crate) path: RelPath,
    /// The unit that a workload became.
    pub(crate) unit: Option<Shown>,
    /// The object.
    pub(crate) object: std::sync::Arc<crate::parse::tree::Node>,
}

/// Where the health endpoints that a framework brings lie, if not at their usual place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct HealthBaseFact {
    /// Slug of the framework.
    pub(crate) framework: &'static str,
    /// The beginning of the usual paths that `path` stands in place of; empty when it comes before them.
    pub(crate) replaces: &'static str,
    /// The path.
    pub(crate) path: UrlPath,
    /// Where it stands.
    pub(crate) evidence: Evidence,
}

/// A short name that a catalogue of versions gives to a package: `libs.spring.boot.web`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AliasFact {
    /// Folder of the build that the catalogue belongs to.
    pub(crate) dir: RelPath,
    /// The short name as build scripts write it.
    pub(crate) alias: Name,
    /// The packages it stands for; a bundle stands for several.
    pub(crate) packages: Vec<(Name, Option<Version>)>,
}

/// A package that every module below a folder gets without asking for it: of a parent's `pom.xml`, or of a script's
/// `subprojects` block.
#[derive(Debug, Clone)]
pub(crate) struct InheritedFact {
    /// The manifest that says so; the modules lie below its folder.
    pub(crate) manifest: RelPath,
    /// The package manager whose modules get it.
    pub(crate) package_manager: &'static str,
    /// The package.
    pub(crate) dependency: Dependency,
}

/// Everything that detectors tell.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) project: Vec<Project>,
    pub(crate) projects: Vec<ProjectFact>,
    pub(crate) scripts: Vec<ScriptFact>,
    pub(crate) script_names: Vec<ScriptNamesFact>,
    pub(crate) untracked: Vec<UntrackedFact>,
    pub(crate) made_files: Vec<MadeFilesFact>,
    pub(crate) shell_scripts: Vec<ShellScript>,
    pub(crate) entry_points: Vec<EntryPoint>,
    pub(crate) programs: Vec<ProgramFact>,
    pub(crate) stores: Vec<StoreFact>,
    /// Embedded databases that the application falls back on while nothing else is chosen. They count where nothing
    /// proves another database.
    pub(crate) default_stores: Vec<StoreFact>,
    pub(crate) collections: Vec<CollectionFact>,
    /// Settings of Elixir that other settings bring in.
    pub(crate) settings_imports: Vec<RelPath>,
    pub(crate) variables: Vec<VariableFact>,
    pub(crate) routes: Vec<RouteFact>,
    pub(crate) prefixes: Vec<PrefixFact>,
    pub(crate) constants: Vec<ConstantFact>,
    pub(crate) unprefixed: Vec<UnprefixedFact>,
    pub(crate) jobs: Vec<JobFact>,
    pub(crate) time_zones: Vec<TimeZoneFact>,
    pub(crate) rate_limits: Vec<RateLimit>,
    pub(crate) uploads: Vec<Upload>,
    pub(crate) migrations: Vec<MigrationFact>,
    pub(crate) revisions: Vec<RevisionFact>,
    pub(crate) file_sets: Vec<FileSetFact>,
    pub(crate) extends: Vec<ExtendsFact>,
    pub(crate) config_imports: Vec<ConfigImportFact>,
    pub(crate) port_variables: Vec<PortVariableFact>,
    pub(crate) terraform: Vec<TerraformFile>,
    pub(crate) charts: Vec<ChartFact>,
    pub(crate) kustomizations: Vec<KustomizationFact>,
    pub(crate) templates: Vec<TemplateFact>,
    pub(crate) objects: Vec<ClusterObject>,
    pub(crate) health_bases: Vec<HealthBaseFact>,
    pub(crate) handlers: Vec<HandlerFact>,
    pub(crate) handled: Vec<HandledFact>,
    pub(crate) aliases: Vec<AliasFact>,
    pub(crate) inherited: Vec<InheritedFact>,
    pub(crate) infrastructure: Vec<Infrastructure>,
    pub(crate) containers: Vec<Container>,
    pub(crate) seeds: Vec<Seed>,
    pub(crate) api_specs: Vec<ApiSpec>,
    pub(crate) auth: Vec<AuthFact>,
    pub(crate) external_services: Vec<ExternalService>,
    pub(crate) caching: Vec<Cache>,
    pub(crate) observability: Vec<Observability>,
    pub(crate) ci: Vec<CiFile>,
    pub(crate) ci_steps: Vec<CiStep>,
    /// One stack a file, as the file states it; resolve merges file sets, `extends` and overrides.
    pub(crate) stacks: Vec<Stack>,
    pub(crate) interfaces: Vec<Interface>,
    pub(crate) pools: Vec<Pool>,
    pub(crate) cors: Vec<CorsPolicy>,
    pub(crate) proxies: Vec<Proxy>,
    pub(crate) provisioning: Vec<Provisioning>,
    pub(crate) autoscalers: Vec<Autoscaler>,
    pub(crate) disruption_budgets: Vec<DisruptionBudget>,
    pub(crate) network_rules: Vec<NetworkRule>,
    pub(crate) deliveries: Vec<Delivery>,
    /// Templates that other templates of the repository apply.
    pub(crate) applied_by_others: Vec<RelPath>,
    pub(crate) version_pins: Vec<VersionPin>,
    pub(crate) documented_commands: Vec<DocumentedCommand>,
    pub(crate) project_rules: Vec<ProjectRule>,
    pub(crate) committed_secrets: Vec<CommittedSecret>,
    pub(crate) signals: Vec<Signal>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    pub(crate) withheld: Withheld,
}

/// Names every list of [`Facts`] once, for what has to be done with each.
macro_rules! for_lists {
    ($each:ident, $($given:ident),+) => {
        $each!(
            $($given),+:
            project, projects, scripts, script_names, untracked, made_files, shell_scripts, entry_points, programs,
            stores, default_stores, collections, settings_imports, variables, routes, prefixes, constants,
            unprefixed, jobs, time_zones, rate_limits, uploads, migrations, revisions, file_sets, extends, port_variables, terraform, health_bases,
            handlers, handled, aliases, inherited, charts, kustomizations, templates, objects, infrastructure, containers, seeds,
            api_specs, auth, external_services, caching, observability, ci, ci_steps, stacks, interfaces, pools,
            cors, proxies, provisioning, autoscalers, disruption_budgets, network_rules, deliveries, applied_by_others, version_pins, documented_commands, project_rules, committed_secrets, signals,
            diagnostics, config_imports
        )
    };
}

use for_lists;

macro_rules! extend_lists {
    ($self:ident, $other:ident: $($field:ident),*) => {{
        $($self.$field.extend($other.$field);)*
    }};
}

macro_rules! are_empty {
    ($self:ident: $($field:ident),*) => {{
        // A list that is not named above does not compile here.
        let Self { withheld, $($field),* } = $self;
        withheld.is_empty() $(&& $field.is_empty())*
    }};
}

impl Facts {
    /// Was nothing told?
    pub(crate) fn is_empty(&self) -> bool {
        for_lists!(are_empty, self)
    }

    /// Takes over what another file told. Called in the order of the paths, so that the result does not depend on
    /// threads.
    pub(crate) fn absorb(&mut self, other: Self) {
        for_lists!(extend_lists, self, other);
        self.withheld.extend(other.withheld);
    }

    /// An observation in production code or configuration.
    pub(crate) fn signal(
        &mut self,
        kind: playbook_core::inventory::SignalKind,
        subject: Option<Shown>,
        scope: Scope,
        evidence: Evidence,
    ) {
        self.signals.push(Signal {
            kind,
            subject,
            service: None,
            scope,
            evidence: vec![evidence],
        });
    }
}
