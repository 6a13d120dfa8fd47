//! What the repository's own objects of a cluster fix beside its workloads, for section 6.

use std::collections::BTreeSet;

use serde::Serialize;

use playbook_core::evidence::Scope;
use playbook_core::inventory::{Autoscaler, Delivery, DisruptionBudget, NetworkRule};

use super::{Given, Ledger};

/// Objects of one kind that are told at most.
const MOST: usize = 12;

/// Objects of production, each said once.
#[derive(Debug, Serialize)]
pub(crate) struct ClusterRules<'a> {
    autoscalers: Vec<&'a Autoscaler>,
    budgets: Vec<&'a DisruptionBudget>,
    network: Vec<&'a NetworkRule>,
    deliveries: Vec<&'a Delivery>,
    /// Objects that are left out.
    more: usize,
}

/// The first of each key, with the number of those left out for want of room.
fn distinct<'a, T, K: Ord>(
    list: &'a [T],
    production: fn(&T) -> bool,
    key: fn(&'a T) -> K,
    more: &mut usize,
) -> Vec<&'a T> {
    let mut seen = BTreeSet::new();
    let mut found: Vec<&T> = list
        .iter()
        .filter(|item| production(item) && seen.insert(key(item)))
        .collect();
    *more = more.saturating_add(found.len().saturating_sub(MOST));
    found.truncate(MOST);
    found
}

pub(super) fn build<'a>(given: &Given<'a>, ledger: &mut Ledger) -> ClusterRules<'a> {
    let inventory = given.inventory;
    let mut more = 0;
    let autoscalers = distinct(
        &inventory.autoscalers,
        |scaler| scaler.scope == Scope::Production,
        |scaler| (&scaler.target, scaler.minimum, scaler.maximum, &scaler.metrics),
        &mut more,
    );
    let budgets = distinct(
        &inventory.disruption_budgets,
        |budget| budget.scope == Scope::Production,
        |budget| (&budget.target, &budget.min_available, &budget.max_unavailable),
        &mut more,
    );
    let network = distinct(
        &inventory.network_rules,
        |rule| rule.scope == Scope::Production,
        |rule| (&rule.name, &rule.target, &rule.directions),
        &mut more,
    );
    let deliveries = distinct(
        &inventory.deliveries,
        |delivery| delivery.scope == Scope::Production,
        |delivery| {
            (
                &delivery.kind,
                &delivery.name,
                &delivery.folder,
                &delivery.namespace,
            )
        },
        &mut more,
    );
    ledger.condition(
        "has_cluster_rules",
        !(autoscalers.is_empty() && budgets.is_empty() && network.is_empty() && deliveries.is_empty()),
    );
    ClusterRules {
        autoscalers,
        budgets,
        network,
        deliveries,
        more,
    }
}
