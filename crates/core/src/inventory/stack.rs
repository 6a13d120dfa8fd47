//! Deployments that the repository describes itself.

use crate::evidence::{Evidence, Scope};
use crate::harmless::CommandLine;
use crate::path::RelPath;
use crate::shown::Shown;
use crate::visit::{record, words};

words! {
    /// Where the value of a unit's variable comes from.
    pub enum VariableSource {
        /// Written in the file, and harmless.
        Literal = "literal",
        /// Written in the file, and withheld.
        Withheld = "withheld",
        /// Taken from the deployer's environment, with a default.
        WithDefault = "interpolated-with-default",
        /// Taken from the deployer's environment; the file demands it.
        Required = "interpolated-required",
        /// Taken from the deployer's environment; empty when it is missing.
        Interpolated = "interpolated",
        /// Put together from other variables.
        Composed = "composed",
        /// From a file of variables.
        EnvFile = "env-file",
        /// From a secret store or a Secret object.
        Secret = "secret",
        /// From a configuration object or a shared group.
        Group = "group",
        /// From a datastore of the same stack.
        Datastore = "datastore",
        /// From another service of the same stack.
        Service = "service",
        /// The platform generates it.
        Generated = "generated",
        /// The platform asks for it once (`sync: false`).
        Asked = "asked",
    }
}

record! {
    /// A variable that a unit gets.
    pub struct UnitVariable {
        /// Its name.
        pub name: Shown,
        /// Where the value comes from.
        pub source: VariableSource,
        /// The value or the default, where it is harmless.
        pub value: Option<Shown>,
        /// What the source refers to: variable, secret, group, unit.
        pub reference: Option<Shown>,
        /// Where it stands.
        pub evidence: Vec<Evidence>,
    }
}

record! {
    /// A named set of variables.
    pub struct VariableGroup {
        /// Its name.
        pub name: Shown,
        /// Its variables.
        pub variables: Vec<UnitVariable>,
        /// Where it stands.
        pub evidence: Vec<Evidence>,
    }
}

record! {
    /// How an image is built.
    #[derive(Default)]
    pub struct Build {
        /// The context.
        pub context: Option<RelPath>,
        /// The Dockerfile, relative to the analysed root.
        pub dockerfile: Option<RelPath>,
        /// The stage.
        pub target: Option<Shown>,
        /// Names of the arguments.
        pub arguments: Vec<Shown>,
    }
}

record! {
    /// A port of a unit.
    pub struct PublishedPort {
        /// Port on the host, `None` when it is not published (or chosen at random).
        pub host: Option<u16>,
        /// Address on the host.
        pub address: Option<Shown>,
        /// Port in the container.
        pub container: u16,
        /// Is it published to the host or the internet?
        pub published: bool,
        /// Where it stands.
        pub evidence: Vec<Evidence>,
    }
}

record! {
    /// A name under which other units reach a unit: a Service of Kubernetes.
    pub struct UnitAddress {
        /// The name.
        pub name: Shown,
        /// Its port.
        pub port: u16,
        /// The port in the container to which it leads.
        pub target: Option<u16>,
        /// The file's own word for who can reach it: `ClusterIP`, `NodePort`, `LoadBalancer`.
        pub kind: Shown,
        /// Where it stands.
        pub evidence: Vec<Evidence>,
    }
}

words! {
    /// What is mounted.
    pub enum MountKind {
        /// A named volume or a persistent disk.
        Volume = "volume",
        /// A path of the host.
        Bind = "bind",
        /// Memory.
        Tmpfs = "tmpfs",
        /// A configuration or secret object.
        Object = "object",
    }
}

record! {
    /// A mount.
    pub struct Mount {
        /// What.
        pub kind: MountKind,
        /// Name of the volume, or the path on the host.
        pub source: Option<Shown>,
        /// Path in the container.
        pub target: Option<Shown>,
        /// Is it read-only?
        pub read_only: bool,
        /// Size in gigabytes, where one is stated.
        pub size_gb: Option<u32>,
        /// Where it stands.
        pub evidence: Vec<Evidence>,
    }
}

record! {
    /// A probe or health check.
    pub struct Probe {
        /// `health`, `liveness`, `readiness`, `startup`
        pub kind: Shown,
        /// The command.
        pub command: Option<CommandLine>,
        /// The HTTP path.
        pub path: Option<Shown>,
        /// The port.
        pub port: Option<u16>,
        /// Interval, as written.
        pub interval: Option<Shown>,
        /// Time-out, as written.
        pub timeout: Option<Shown>,
        /// Failures that count.
        pub retries: Option<u32>,
        /// Time before failures count, as written.
        pub start_period: Option<Shown>,
        /// Where it stands.
        pub evidence: Vec<Evidence>,
    }
}

record! {
    /// Something that has to be there first.
    pub struct Dependency {
        /// Name of the unit.
        pub unit: Shown,
        /// `service_started`, `service_healthy`, `service_completed_successfully`
        pub condition: Option<Shown>,
        /// Where it stands.
        pub evidence: Vec<Evidence>,
    }
}

record! {
    /// How an orchestrator replaces the instances of a unit, each word as written.
    #[derive(Default)]
    pub struct UpdatePolicy {
        /// Which comes first: `start-first`, `stop-first`.
        pub order: Option<Shown>,
        /// Instances that are replaced at a time.
        pub parallelism: Option<u32>,
        /// What follows a failure: `rollback`, `pause`, `continue`.
        pub on_failure: Option<Shown>,
        /// How long a new instance is watched before it counts as good.
        pub watched: Option<Shown>,
        /// New instances that run beside the old ones until somebody promotes them.
        pub canaries: Option<u32>,
        /// Where it stands.
        pub evidence: Vec<Evidence>,
    }
}

record! {
    /// One process or resource of a stack, as its file describes it.
    pub struct Unit {
        /// Its name in the file.
        pub name: Shown,
        /// The file's own word for what it is: `service`, `web`, `worker`, `Deployment`, `database` …
        pub kind: Shown,
        /// Type of the resource that an infrastructure tool declares it by.
        pub resource: Option<Shown>,
        /// Id of the inventory's service.
        pub service: Option<Shown>,
        /// Id of the inventory's datastore.
        pub datastore: Option<Shown>,
        /// The image.
        pub image: Option<Shown>,
        /// How it is built.
        pub build: Option<Build>,
        /// Entry point that the file sets.
        pub entrypoint: Option<CommandLine>,
        /// Command that the file sets.
        pub command: Option<CommandLine>,
        /// Build command (platforms that build from source).
        pub build_command: Option<CommandLine>,
        /// Command before each deployment.
        pub pre_deploy: Option<CommandLine>,
        /// Folder of its code.
        pub root: Option<RelPath>,
        /// The file's word for the runtime.
        pub runtime: Option<Shown>,
        /// Cron expression.
        pub schedule: Option<Shown>,
        /// Ports.
        pub ports: Vec<PublishedPort>,
        /// Names and ports under which others reach it.
        pub addresses: Vec<UnitAddress>,
        /// Mounts.
        pub mounts: Vec<Mount>,
        /// Variables.
        pub variables: Vec<UnitVariable>,
        /// Files of variables.
        pub env_files: Vec<RelPath>,
        /// What has to be there first.
        pub depends_on: Vec<Dependency>,
        /// Probes and health checks.
        pub probes: Vec<Probe>,
        /// Restart policy.
        pub restart: Option<Shown>,
        /// Replicas.
        pub replicas: Option<u32>,
        /// How an orchestrator runs it, where that is not the usual way: `global`, `replicated-job`, `system`, `batch`.
        pub mode: Option<Shown>,
        /// What a machine must have to run it, as written.
        pub placement: Vec<Shown>,
        /// How its instances are replaced.
        pub update: Option<UpdatePolicy>,
        /// Memory limit, as written.
        pub memory: Option<Shown>,
        /// CPU limit, as written.
        pub cpus: Option<Shown>,
        /// Memory that is reserved, as written.
        pub memory_request: Option<Shown>,
        /// CPU that is reserved, as written.
        pub cpu_request: Option<Shown>,
        /// Time to stop, as written.
        pub stop_grace: Option<Shown>,
        /// Profiles; a unit with profiles starts only when one is asked for.
        pub profiles: Vec<Shown>,
        /// Networks.
        pub networks: Vec<Shown>,
        /// Keys of labels and annotations.
        pub labels: Vec<Shown>,
        /// Host names it is served under, as written.
        pub domains: Vec<Shown>,
        /// User.
        pub user: Option<Shown>,
        /// Is it privileged, or does it add capabilities?
        pub privileged: bool,
        /// Does it hold the container engine's socket?
        pub engine_socket: bool,
        /// Is a log driver with rotation set?
        pub log_rotation: bool,
        /// Plan or machine size, as written.
        pub plan: Option<Shown>,
        /// Region.
        pub region: Option<Shown>,
        /// Engine version of a managed datastore.
        pub version: Option<Shown>,
        /// Where it stands.
        pub evidence: Vec<Evidence>,
    }
}

impl Unit {
    /// A unit with nothing known but its name and kind.
    pub fn new(name: Shown, kind: Shown) -> Self {
        Self {
            name,
            kind,
            resource: None,
            service: None,
            datastore: None,
            image: None,
            build: None,
            entrypoint: None,
            command: None,
            build_command: None,
            pre_deploy: None,
            root: None,
            runtime: None,
            schedule: None,
            ports: Vec::new(),
            addresses: Vec::new(),
            mounts: Vec::new(),
            variables: Vec::new(),
            env_files: Vec::new(),
            depends_on: Vec::new(),
            probes: Vec::new(),
            restart: None,
            replicas: None,
            mode: None,
            placement: Vec::new(),
            update: None,
            memory: None,
            cpus: None,
            memory_request: None,
            cpu_request: None,
            stop_grace: None,
            profiles: Vec::new(),
            networks: Vec::new(),
            labels: Vec::new(),
            domains: Vec::new(),
            user: None,
            privileged: false,
            engine_socket: false,
            log_rotation: false,
            plan: None,
            region: None,
            version: None,
            evidence: Vec::new(),
        }
    }
}

record! {
    /// A set of files that together describe one deployment.
    pub struct Stack {
        /// The infrastructure slug: `docker-compose`, `render`, `kubernetes`, `procfile` …
        pub kind: Shown,
        /// The files, in the order in which they are merged.
        pub files: Vec<RelPath>,
        /// Where it holds.
        pub scope: Scope,
        /// Name that the file gives the whole, such as Compose's top-level `name`.
        pub name: Option<Shown>,
        /// Its processes and resources, in the order of the file.
        pub units: Vec<Unit>,
        /// Named volumes.
        pub volumes: Vec<Shown>,
        /// Networks.
        pub networks: Vec<Shown>,
        /// Secrets that have to be there before, because the files only refer to them.
        pub outside_secrets: Vec<Shown>,
        /// Networks that have to be there before.
        pub outside_networks: Vec<Shown>,
        /// Shared groups of variables.
        pub groups: Vec<VariableGroup>,
        /// Does a document or CI name exactly this set of files?
        pub confirmed_by: Vec<Evidence>,
        /// The places that prove it.
        pub evidence: Vec<Evidence>,
    }
}
