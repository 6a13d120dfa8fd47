//! Objects beside the workloads of a cluster that a deployer has to know: how far they scale, how many may be missing,
//! who may talk to them, and who applies them.

use crate::evidence::{Evidence, Scope};
use crate::path::RelPath;
use crate::shown::Shown;
use crate::visit::record;

record! {
    /// What an autoscaler watches.
    pub struct ScalingMetric {
        /// `cpu`, `memory`, the name of a metric, or the kind of a trigger.
        pub name: Shown,
        /// The value at which it adds an instance, as written.
        pub target: Option<Shown>,
    }
}

record! {
    /// A rule that changes the number of instances of a service.
    pub struct Autoscaler {
        /// `HorizontalPodAutoscaler`, `ScaledObject`, `ecs`, `cloud-run` …
        pub kind: Shown,
        /// Its name.
        pub name: Option<Shown>,
        /// The workload that it scales.
        pub target: Option<Shown>,
        /// Id of the inventory's service.
        pub service: Option<Shown>,
        /// Fewest instances.
        pub minimum: Option<u32>,
        /// Most instances.
        pub maximum: Option<u32>,
        /// What it watches.
        pub metrics: Vec<ScalingMetric>,
        /// Where it holds.
        pub scope: Scope,
        /// The places that prove it.
        pub evidence: Vec<Evidence>,
    }
}

record! {
    /// How many instances of a workload an administrator's change may take away at once.
    pub struct DisruptionBudget {
        /// Its name.
        pub name: Option<Shown>,
        /// The workload that it guards.
        pub target: Option<Shown>,
        /// Id of the inventory's service.
        pub service: Option<Shown>,
        /// Instances that must stay, as written.
        pub min_available: Option<Shown>,
        /// Instances that may be missing, as written.
        pub max_unavailable: Option<Shown>,
        /// Where it holds.
        pub scope: Scope,
        /// The places that prove it.
        pub evidence: Vec<Evidence>,
    }
}

record! {
    /// Who may talk to pods, and to whom they may talk.
    pub struct NetworkRule {
        /// Its name.
        pub name: Option<Shown>,
        /// The workload that it holds for; `None` for all of the namespace.
        pub target: Option<Shown>,
        /// Id of the inventory's service.
        pub service: Option<Shown>,
        /// `ingress`, `egress` or both.
        pub directions: Vec<Shown>,
        /// Does it admit nothing?
        pub denies_all: bool,
        /// Where it holds.
        pub scope: Scope,
        /// The places that prove it.
        pub evidence: Vec<Evidence>,
    }
}

record! {
    /// An object with which a tool inside the cluster (Argo CD, Flux) applies what stands in a repository.
    pub struct Delivery {
        /// `argocd` or `flux`
        pub kind: Shown,
        /// Kind of the object.
        pub object: Shown,
        /// Its name.
        pub name: Option<Shown>,
        /// Where the manifests or the chart are, as written.
        pub source: Option<Shown>,
        /// Folder in that repository.
        pub folder: Option<RelPath>,
        /// Chart, where it applies one.
        pub chart: Option<Shown>,
        /// Branch, tag or version.
        pub revision: Option<Shown>,
        /// Namespace that it applies to.
        pub namespace: Option<Shown>,
        /// Does it apply changes by itself?
        pub automatic: Option<bool>,
        /// Where it holds.
        pub scope: Scope,
        /// The places that prove it.
        pub evidence: Vec<Evidence>,
    }
}
