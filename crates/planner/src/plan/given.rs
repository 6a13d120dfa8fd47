//! What every section starts from: the inventory with the questions that several sections ask of it.

use playbook_core::evidence::{Confidence, Evidence, Scope};
use playbook_core::finding::Finding;
use playbook_core::inventory::{
    Container, Datastore, EnvironmentVariable, ExternalService, Inventory, Role, Service, Stack, Unit,
};

use crate::context::Context;
use crate::target::{is_kind, stack_weight};

/// The inventory, the context and the findings, with what is deployed picked out.
#[derive(Debug)]
pub(crate) struct Given<'a> {
    pub(crate) inventory: &'a Inventory,
    pub(crate) context: &'a Context,
    pub(crate) findings: &'a [Finding],
    /// Processes of the repository's own that this plan deploys.
    pub(crate) services: Vec<&'a Service>,
    /// Third-party processes of the repository's stack: proxies, monitors, tools.
    pub(crate) third_party: Vec<&'a Service>,
    /// Datastores of production.
    pub(crate) datastores: Vec<&'a Datastore>,
    /// External services of production.
    pub(crate) external: Vec<&'a ExternalService>,
    /// Variables of production.
    pub(crate) variables: Vec<&'a EnvironmentVariable>,
    /// Dockerfiles of production.
    pub(crate) containers: Vec<&'a Container>,
    /// The repository's own description of a deployment to this target, if it brings one.
    pub(crate) stack: Option<&'a Stack>,
}

impl<'a> Given<'a> {
    pub(crate) fn new(inventory: &'a Inventory, context: &'a Context, findings: &'a [Finding]) -> Self {
        let strongest = |kinds: Option<&[String]>| {
            inventory
                .stacks
                .iter()
                .filter(|stack| {
                    stack.scope == Scope::Production
                        && !stack.units.is_empty()
                        && kinds.is_none_or(|kinds| kinds.iter().any(|kind| is_kind(stack, kind)))
                })
                .max_by_key(|stack| {
                    let place = context.target.stacks.iter().position(|kind| is_kind(stack, kind));
                    (
                        std::cmp::Reverse(place.filter(|_| context.target.stacks_in_order)),
                        stack_weight(stack, &context.production_words),
                        stack.units.len(),
                        std::cmp::Reverse(&stack.files),
                    )
                })
        };
        let stack = strongest(Some(&context.target.stacks));
        Self {
            inventory,
            context,
            findings,
            services: inventory
                .services
                .iter()
                .filter(|service| service.is_own())
                .collect(),
            third_party: inventory
                .services
                .iter()
                .filter(|service| !service.is_own())
                .collect(),
            datastores: inventory
                .datastores
                .iter()
                .filter(|store| store.scope == Scope::Production)
                .collect(),
            external: inventory
                .external_services
                .iter()
                .filter(|service| service.scope == Scope::Production)
                .collect(),
            variables: inventory
                .environment
                .iter()
                .filter(|variable| variable.scope == Scope::Production)
                .collect(),
            containers: inventory
                .containers
                .iter()
                .filter(|container| container.scope == Scope::Production)
                .collect(),
            stack,
        }
    }

    /// The service that answers requests from outside; the first with a port, else the first.
    pub(crate) fn web(&self) -> Option<&'a Service> {
        let web = || self.services.iter().filter(|service| service.role == Role::Web);
        web()
            .find(|service| !service.ports.is_empty())
            .or_else(|| web().next())
            .copied()
    }

    /// Services of a role.
    pub(crate) fn of_role(&self, role: Role) -> impl Iterator<Item = &'a Service> + '_ {
        self.services
            .iter()
            .filter(move |service| service.role == role)
            .copied()
    }

    /// The unit of the repository's stack that runs this service.
    pub(crate) fn unit_of(&self, service: &Service) -> Option<&'a Unit> {
        self.stack?
            .units
            .iter()
            .find(|unit| unit.service.as_ref() == Some(&service.id))
    }

    /// The unit of the repository's stack that is this datastore.
    pub(crate) fn unit_of_store(&self, store: &Datastore) -> Option<&'a Unit> {
        self.stack?.units.iter().find(|unit| {
            unit.datastore.as_ref() == Some(&store.id)
                || store.unit.as_ref().is_some_and(|name| unit.name == *name)
        })
    }

    /// The Dockerfile of a service.
    pub(crate) fn container_of(&self, service: &Service) -> Option<&'a Container> {
        let path = service.dockerfile.as_ref()?;
        self.inventory
            .containers
            .iter()
            .find(|container| container.path == *path && container.scope != Scope::Development)
    }

    /// Is there anything to deploy?
    pub(crate) fn deployable(&self) -> bool {
        !self.services.is_empty() || !self.third_party.is_empty() || self.stack.is_some()
    }

    /// Did a rule raise something?
    pub(crate) fn raised(&self, rule: &str) -> bool {
        self.findings.iter().any(|finding| finding.rule == *rule)
    }

    /// The place where the start command stands, or the service itself.
    pub(crate) fn start_place(service: &'a Service) -> Option<&'a Evidence> {
        service.start_evidence.as_ref().or(service.evidence.first())
    }
}

/// The word behind a fact that is not stated in a file; templates print it in italics.
pub(crate) fn hedge(confidence: Confidence) -> Option<&'static str> {
    match confidence {
        Confidence::Stated => None,
        Confidence::Derived => Some("derived"),
        Confidence::Convention => Some("convention"),
    }
}
