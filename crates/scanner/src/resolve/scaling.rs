//! Autoscalers, disruption budgets and network policies with the services that they are about.

use playbook_core::inventory::Inventory;
use playbook_core::shown::Shown;

use super::proxies;
use crate::fact::Facts;

/// Moves them into the inventory.
pub(crate) fn fill(inventory: &mut Inventory, facts: &mut Facts) {
    let mut autoscalers = std::mem::take(&mut facts.autoscalers);
    let mut budgets = std::mem::take(&mut facts.disruption_budgets);
    let mut rules = std::mem::take(&mut facts.network_rules);
    let names = proxies::names(inventory);
    let service_of = |target: Option<&Shown>| names.get(target?.as_str()).cloned().flatten();
    for scaler in &mut autoscalers {
        scaler.service = service_of(scaler.target.as_ref());
    }
    for budget in &mut budgets {
        budget.service = service_of(budget.target.as_ref());
    }
    for rule in &mut rules {
        rule.service = service_of(rule.target.as_ref());
    }
    drop(names);
    inventory.autoscalers = autoscalers;
    inventory.disruption_budgets = budgets;
    inventory.network_rules = rules;
    inventory.deliveries = std::mem::take(&mut facts.deliveries);
}
