//! Who talks to whom, on which port, how exposed.

use serde::Serialize;

use playbook_core::evidence::Evidence;
use playbook_core::inventory::Role;
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Group};

use super::{Placement, Store, process_name};
use crate::plan::Given;

/// One connection, or several with the same end.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Flow<'a> {
    /// `internet`, or `services`.
    kind: &'static str,
    from: Vec<Shown>,
    to: Shown,
    ports: Vec<u16>,
    /// Slug of an external service.
    external: Option<&'a Shown>,
    evidence: Vec<Evidence>,
}

pub(super) fn flows<'a>(given: &Given<'a>, stores: &[Store<'a>]) -> Vec<Flow<'a>> {
    let mut list = Vec::new();
    let proxies: Vec<_> = given
        .third_party
        .iter()
        .filter(|service| service.role == Role::Proxy)
        .collect();
    for proxy in &proxies {
        let published: Vec<(u16, Vec<Evidence>)> = given
            .unit_of(proxy)
            .map(|unit| {
                unit.ports
                    .iter()
                    .filter(|port| port.published)
                    .map(|port| (port.host.unwrap_or(port.container), port.evidence.clone()))
                    .collect()
            })
            .unwrap_or_default();
        list.push(Flow {
            kind: "internet",
            from: Vec::new(),
            to: process_name(given, proxy),
            ports: if published.is_empty() {
                proxy.ports.clone()
            } else {
                published.iter().map(|(port, _)| *port).collect()
            },
            external: None,
            evidence: published
                .into_iter()
                .flat_map(|(_, evidence)| evidence)
                .chain(proxy.evidence.iter().take(1).cloned())
                .take(3)
                .collect(),
        });
    }
    let proxy_names: Vec<Shown> = proxies.iter().map(|proxy| process_name(given, proxy)).collect();
    for service in given
        .services
        .iter()
        .filter(|service| matches!(service.role, Role::Web | Role::Frontend) && !service.ports.is_empty())
    {
        list.push(Flow {
            kind: if proxy_names.is_empty() {
                "edge"
            } else {
                "services"
            },
            from: proxy_names.clone(),
            to: process_name(given, service),
            ports: service.ports.clone(),
            external: None,
            evidence: given
                .unit_of(service)
                .and_then(|unit| unit.evidence.first())
                .or(Given::start_place(service))
                .cloned()
                .into_iter()
                .collect(),
        });
    }
    for service in &given.services {
        let callers: Vec<Shown> = given
            .services
            .iter()
            .filter(|caller| caller.depends_on.contains(&service.id) && caller.id != service.id)
            .map(|caller| process_name(given, caller))
            .collect();
        if !callers.is_empty() && !service.ports.is_empty() {
            list.push(Flow {
                kind: "services",
                from: callers,
                to: process_name(given, service),
                ports: service.ports.clone(),
                external: None,
                evidence: service.evidence.iter().take(1).cloned().collect(),
            });
        }
    }
    for store in stores {
        if store.placement == Placement::File {
            continue;
        }
        list.push(Flow {
            kind: match store.placement {
                Placement::External => "outside",
                _ => "store",
            },
            from: store.used_by.clone(),
            to: store.name.clone(),
            ports: store.port.into_iter().collect(),
            external: None,
            evidence: store.store.evidence.iter().take(2).cloned().collect(),
        });
    }
    for external in &given.external {
        list.push(Flow {
            kind: "outbound",
            from: given
                .services
                .iter()
                .filter(|service| external.variables.iter().any(|name| service.env.contains(name)))
                .map(|service| process_name(given, service))
                .collect(),
            to: external.kind.clone(),
            ports: Catalogue::get()
                .find(Group::ExternalService, external.kind.as_str())
                .and_then(|technology| technology.default_port)
                .into_iter()
                .collect(),
            external: Some(&external.kind),
            evidence: external.evidence.iter().take(1).cloned().collect(),
        });
    }
    list
}
