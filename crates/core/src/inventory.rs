//! The inventory, contract `playbook.inventory/1`: what was found in the repository, each fact with its evidence.
//!
//! Field names are public and stable: more may be added, none is renamed. Every list is sorted by a total order when
//! it is built ([`Inventory::sort`]), so that the same tree gives the same bytes.

mod cluster;
mod code;
mod data;
mod environment;
mod images;
mod project;
mod provisioning;
mod proxy;
mod service;
mod stack;

pub use cluster::{Autoscaler, Delivery, DisruptionBudget, NetworkRule, ScalingMetric};
pub use code::{
    ApiSpec, AuthFact, CommittedSecret, CorsPolicy, DocumentedCommand, Interface, InterfaceKind,
    MissingReference, Pool, ProjectRule, RateLimit, ReferenceKind, ReferenceOrigin, Route, Signal,
    SignalKind, Upload, VersionPin,
};
pub use data::{Cache, Collection, Datastore, Migration, Operation, OperationKind, Revision, Seed};
pub use environment::{EnvironmentVariable, ReadSite, VariableOrigin};
pub use images::{BuildArgument, Container, CopyStep, ImageTarget, Stage};
pub use project::{CiFile, CiStep, Infrastructure, Manifest, Project, TargetFact, Vcs};
pub use provisioning::{
    Provisioning, ProvisioningInput, ProvisioningOutput, ProvisioningPin, ProvisioningState,
};
pub use proxy::{Proxy, ProxyForward, ProxySetting, ProxySettingKind};
pub use service::{Commands, HealthCheck, Role, Runtime, ScheduledJob, Service};
pub use stack::{
    Build, Dependency, Mount, MountKind, Probe, PublishedPort, Stack, Unit, UnitAddress, UnitVariable,
    UpdatePolicy, VariableGroup, VariableSource,
};

use crate::diagnostic::Diagnostic;
use crate::evidence::{Evidence, Scope};
use crate::finding::Finding;
use crate::shown::Shown;
use crate::visit::record;

/// The name of the contract that the JSON carries.
pub const SCHEMA: &str = "playbook.inventory/1";

record! {
    /// A service outside the repository that the code talks to.
    pub struct ExternalService {
        /// The vendor's or protocol's slug.
        pub kind: Shown,
        /// payments email sms auth storage llm analytics errors search maps cdn messaging vcs other
        pub category: Shown,
        /// Where it holds.
        pub scope: Scope,
        /// The variables that configure it.
        pub variables: Vec<Shown>,
        /// The places that prove it.
        pub evidence: Vec<Evidence>,
    }
}

record! {
    /// A library or setting for metrics, traces, logs or errors.
    pub struct Observability {
        /// The slug.
        pub kind: Shown,
        /// metrics, tracing, logging or errors
        pub category: Shown,
        /// The places that prove it.
        pub evidence: Vec<Evidence>,
    }
}

record! {
    /// Everything that was found.
    pub struct Inventory {
        /// Always [`SCHEMA`].
        pub schema: Shown,
        /// The repository itself.
        pub project: Project,
        /// What runs: one entry for each process type that is deployed on its own.
        pub services: Vec<Service>,
        /// Where state lives.
        pub datastores: Vec<Datastore>,
        /// The environment schema.
        pub environment: Vec<EnvironmentVariable>,
        /// IaC, orchestration and platform files.
        pub infrastructure: Vec<Infrastructure>,
        /// Dockerfiles.
        pub containers: Vec<Container>,
        /// Manifests with their lockfiles.
        pub manifests: Vec<Manifest>,
        /// Migration tools.
        pub migrations: Vec<Migration>,
        /// Seed data.
        pub seeds: Vec<Seed>,
        /// API specifications.
        pub api_specs: Vec<ApiSpec>,
        /// Kinds of authentication.
        pub auth: Vec<AuthFact>,
        /// Services outside the repository.
        pub external_services: Vec<ExternalService>,
        /// Jobs that run by the clock.
        pub scheduled_jobs: Vec<ScheduledJob>,
        /// Caches.
        pub caching: Vec<Cache>,
        /// Metrics, traces, logs, errors.
        pub observability: Vec<Observability>,
        /// CI files.
        pub ci: Vec<CiFile>,
        /// What the plan is written for; filled by the planner.
        pub target: TargetFact,
        /// Findings; filled by the planner.
        pub findings: Vec<Finding>,
        /// Deployments that the repository describes: Compose file sets, blueprints, manifests, Procfiles.
        pub stacks: Vec<Stack>,
        /// Virtual hosts, routers and listeners of reverse proxies.
        pub proxies: Vec<Proxy>,
        /// What is applied with a tool that makes infrastructure: inputs, outputs, state, pins.
        pub provisioning: Vec<Provisioning>,
        /// Rules that change the number of instances.
        pub autoscalers: Vec<Autoscaler>,
        /// How many instances may be missing.
        pub disruption_budgets: Vec<DisruptionBudget>,
        /// Who may talk to whom inside a cluster.
        pub network_rules: Vec<NetworkRule>,
        /// Objects with which a tool inside a cluster applies what stands in a repository.
        pub deliveries: Vec<Delivery>,
        /// HTTP routes found in the code.
        pub routes: Vec<Route>,
        /// WebSockets, server-sent events, metrics endpoints, API documentation, admin consoles, uploads.
        pub interfaces: Vec<Interface>,
        /// Connection pools and their settings.
        pub pools: Vec<Pool>,
        /// Limits on requests, and where they keep their counters.
        pub rate_limits: Vec<RateLimit>,
        /// Files that requests bring, and where they go.
        pub uploads: Vec<Upload>,
        /// CORS policies.
        pub cors: Vec<CorsPolicy>,
        /// Every place that states the version of a runtime or tool, so that disagreement shows.
        pub version_pins: Vec<VersionPin>,
        /// Steps that CI runs.
        pub ci_steps: Vec<CiStep>,
        /// Commands that the documentation tells people to run.
        pub documented_commands: Vec<DocumentedCommand>,
        /// What documented commands and start commands name and the repository does not have.
        pub missing_references: Vec<MissingReference>,
        /// The repository's own rules for deployment, by place.
        pub project_rules: Vec<ProjectRule>,
        /// Values committed to the repository under a secret's name or in a token's shape. Never the value.
        pub committed_secrets: Vec<CommittedSecret>,
        /// Single observations in code and configuration that rules judge.
        pub signals: Vec<Signal>,
        /// What was not read, and why.
        pub diagnostics: Vec<Diagnostic>,
    }
}

impl Inventory {
    /// An inventory of nothing.
    pub fn empty() -> Self {
        Self {
            schema: Shown::from(SCHEMA),
            project: Project::default(),
            services: Vec::new(),
            datastores: Vec::new(),
            environment: Vec::new(),
            infrastructure: Vec::new(),
            containers: Vec::new(),
            manifests: Vec::new(),
            migrations: Vec::new(),
            seeds: Vec::new(),
            api_specs: Vec::new(),
            auth: Vec::new(),
            external_services: Vec::new(),
            scheduled_jobs: Vec::new(),
            caching: Vec::new(),
            observability: Vec::new(),
            ci: Vec::new(),
            target: TargetFact::default(),
            findings: Vec::new(),
            stacks: Vec::new(),
            proxies: Vec::new(),
            provisioning: Vec::new(),
            autoscalers: Vec::new(),
            disruption_budgets: Vec::new(),
            network_rules: Vec::new(),
            deliveries: Vec::new(),
            routes: Vec::new(),
            interfaces: Vec::new(),
            pools: Vec::new(),
            rate_limits: Vec::new(),
            uploads: Vec::new(),
            cors: Vec::new(),
            version_pins: Vec::new(),
            ci_steps: Vec::new(),
            documented_commands: Vec::new(),
            missing_references: Vec::new(),
            project_rules: Vec::new(),
            committed_secrets: Vec::new(),
            signals: Vec::new(),
            diagnostics: Vec::new(),
        }
    }

    /// Sorts every list by its total order (stack units and revisions keep the order of their files) and removes
    /// repetitions. Run once, when the inventory is complete.
    pub fn sort(&mut self) {
        fn tidy<T: Ord>(list: &mut Vec<T>) {
            list.sort();
            list.dedup();
        }
        for service in &mut self.services {
            service.sort();
        }
        tidy(&mut self.services);
        tidy(&mut self.datastores);
        tidy(&mut self.environment);
        tidy(&mut self.infrastructure);
        tidy(&mut self.containers);
        tidy(&mut self.manifests);
        tidy(&mut self.migrations);
        tidy(&mut self.seeds);
        tidy(&mut self.api_specs);
        tidy(&mut self.auth);
        tidy(&mut self.external_services);
        tidy(&mut self.scheduled_jobs);
        tidy(&mut self.caching);
        tidy(&mut self.observability);
        tidy(&mut self.ci);
        tidy(&mut self.stacks);
        tidy(&mut self.proxies);
        tidy(&mut self.provisioning);
        tidy(&mut self.autoscalers);
        tidy(&mut self.disruption_budgets);
        tidy(&mut self.network_rules);
        tidy(&mut self.deliveries);
        tidy(&mut self.routes);
        tidy(&mut self.interfaces);
        tidy(&mut self.pools);
        tidy(&mut self.rate_limits);
        tidy(&mut self.uploads);
        tidy(&mut self.cors);
        tidy(&mut self.version_pins);
        tidy(&mut self.ci_steps);
        tidy(&mut self.documented_commands);
        tidy(&mut self.missing_references);
        tidy(&mut self.project_rules);
        tidy(&mut self.committed_secrets);
        tidy(&mut self.signals);
        tidy(&mut self.diagnostics);
    }

    /// The service with this id.
    pub fn service(&self, id: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.id == *id)
    }

    /// The datastore with this id.
    pub fn datastore(&self, id: &str) -> Option<&Datastore> {
        self.datastores.iter().find(|store| store.id == *id)
    }

    /// The variable of this name.
    pub fn variable(&self, name: &str) -> Option<&EnvironmentVariable> {
        self.environment.iter().find(|variable| variable.name == *name)
    }
}
