//! What runs.

use crate::evidence::{Confidence, Evidence};
use crate::harmless::CommandLine;
use crate::path::RelPath;
use crate::shown::Shown;
use crate::visit::{record, words};

words! {
    /// What a process is for.
    pub enum Role {
        /// Answers requests.
        Web = "web",
        /// Works off a queue or a stream.
        Worker = "worker",
        /// Starts work by the clock; there may be only one.
        Scheduler = "scheduler",
        /// Runs once and ends.
        Job = "job",
        /// A function of a serverless platform.
        Function = "function",
        /// Serves a user interface of its own.
        Frontend = "frontend",
        /// A third-party reverse proxy.
        Proxy = "proxy",
        /// Third-party metrics, logs or traces.
        Monitoring = "monitoring",
        /// Another third-party tool.
        Tool = "tool",
    }
}

record! {
    /// What executes the code.
    #[derive(Default)]
    pub struct Runtime {
        /// python node bun deno jvm go rust ruby php dotnet beam dart swift
        pub name: Option<Shown>,
        /// The version that the repository asks for, as precise as it is.
        pub version: Option<Shown>,
        /// The place that states it, as `path:line`.
        pub version_source: Option<Evidence>,
    }
}

record! {
    /// Commands, as the repository states them.
    #[derive(Default)]
    pub struct Commands {
        /// Installs the dependencies.
        pub install: Option<CommandLine>,
        /// Builds.
        pub build: Option<CommandLine>,
        /// Starts the process in production.
        pub start: Option<CommandLine>,
        /// What `start` ends up running, where it is an alias or a script.
        pub start_resolved: Option<CommandLine>,
        /// The aliases between `start` and `start_resolved`, in order: scripts of a manifest, shell scripts.
        pub start_through: Vec<CommandLine>,
        /// Migrates the schema.
        pub migrate: Option<CommandLine>,
        /// Runs the tests.
        pub test: Option<CommandLine>,
        /// Runs the linter.
        pub lint: Option<CommandLine>,
    }
}

record! {
    /// A health endpoint with what it checks.
    pub struct HealthCheck {
        /// The path.
        pub path: Shown,
        /// Datastore kinds that its handler touches; empty for a static answer or where that is unknown.
        pub checks: Vec<Shown>,
        /// Is the handler seen to answer without touching a datastore?
        pub shallow: bool,
        /// Does it want authentication, as far as the code shows?
        pub authenticated: bool,
        /// Is it there in development only?
        pub development_only: bool,
        /// The places that prove it.
        pub evidence: Vec<Evidence>,
    }
}

record! {
    /// One process type that is deployed on its own.
    pub struct Service {
        /// Unique slug inside the inventory.
        pub id: Shown,
        /// The name the repository gives it.
        pub name: Shown,
        /// The folder of its code.
        pub path: RelPath,
        /// What it is for.
        pub role: Role,
        /// Its main language.
        pub language: Option<Shown>,
        /// What executes it.
        pub runtime: Runtime,
        /// Frameworks it uses.
        pub frameworks: Vec<Shown>,
        /// Ports it listens on.
        pub ports: Vec<u16>,
        /// Where the port comes from.
        pub port_confidence: Confidence,
        /// The variable that sets the port, if the process reads one.
        pub port_variable: Option<Shown>,
        /// The address it binds to, where code or command says one.
        pub bind: Option<Shown>,
        /// Its commands.
        pub commands: Commands,
        /// Where the start command comes from.
        pub start_evidence: Option<Evidence>,
        /// How sure the start command is.
        pub start_confidence: Confidence,
        /// The entry point in the code, such as `app.main:app`, where it was proven.
        pub entry_point: Option<Shown>,
        /// Paths of its health endpoints.
        pub health_checks: Vec<Shown>,
        /// The same with what they check.
        pub health: Vec<HealthCheck>,
        /// Its Dockerfile.
        pub dockerfile: Option<RelPath>,
        /// The stage of the Dockerfile that it runs, where it is not the last one.
        pub docker_target: Option<Shown>,
        /// The build context.
        pub docker_context: Option<RelPath>,
        /// The image it runs, where one is named.
        pub image: Option<Shown>,
        /// Ids of datastores and services it needs.
        pub depends_on: Vec<Shown>,
        /// Names of the variables it reads.
        pub env: Vec<Shown>,
        /// Workers and schedulers that run inside it.
        pub background: Vec<Shown>,
        /// Does it serve WebSocket connections?
        pub websocket: bool,
        /// Replicas that the repository asks for.
        pub replicas: Option<u32>,
        /// Processes or threads that the start command asks for.
        pub workers: Option<u32>,
        /// May only one replica run (a scheduler, an in-process timer)?
        pub singleton: bool,
        /// Package manager slug of its manifest.
        pub package_manager: Option<Shown>,
        /// Its manifest.
        pub manifest: Option<RelPath>,
        /// The places that prove it, best first.
        pub evidence: Vec<Evidence>,
    }
}

impl Service {
    /// A service with nothing known but its name, folder and role.
    pub fn new(id: Shown, name: Shown, path: RelPath, role: Role) -> Self {
        Self {
            id,
            name,
            path,
            role,
            language: None,
            runtime: Runtime::default(),
            frameworks: Vec::new(),
            ports: Vec::new(),
            port_confidence: Confidence::Stated,
            port_variable: None,
            bind: None,
            commands: Commands::default(),
            start_evidence: None,
            start_confidence: Confidence::Stated,
            entry_point: None,
            health_checks: Vec::new(),
            health: Vec::new(),
            dockerfile: None,
            docker_target: None,
            docker_context: None,
            image: None,
            depends_on: Vec::new(),
            env: Vec::new(),
            background: Vec::new(),
            websocket: false,
            replicas: None,
            workers: None,
            singleton: false,
            package_manager: None,
            manifest: None,
            evidence: Vec::new(),
        }
    }

    /// Is it a process of this repository (not a third-party proxy, monitor or tool)?
    pub fn is_own(&self) -> bool {
        !matches!(self.role, Role::Proxy | Role::Monitoring | Role::Tool)
    }

    /// Sorts and removes repetitions in its lists; evidence keeps its order.
    pub fn sort(&mut self) {
        for list in [
            &mut self.frameworks,
            &mut self.health_checks,
            &mut self.depends_on,
            &mut self.env,
            &mut self.background,
        ] {
            list.sort();
            list.dedup();
        }
        self.ports.sort_unstable();
        self.ports.dedup();
        let mut seen = std::collections::BTreeSet::new();
        self.evidence.retain(|evidence| seen.insert(evidence.clone()));
    }
}

record! {
    /// A job that runs by the clock.
    pub struct ScheduledJob {
        /// Its name.
        pub name: Shown,
        /// A cron expression, or the interval as the code says it.
        pub schedule: Option<Shown>,
        /// The time zone of the schedule, where code or settings name one.
        pub time_zone: Option<Shown>,
        /// What starts it: `celery-beat`, `github-actions`, `kubernetes`, `apscheduler` …
        pub runner: Shown,
        /// Id of the service that runs it.
        pub service: Option<Shown>,
        /// The places that prove it.
        pub evidence: Vec<Evidence>,
    }
}
