//! What only a swarm reads of a service: how it is placed and how its instances are replaced.

use playbook_core::inventory::{Unit, UpdatePolicy};
use playbook_core::shown::Shown;

use super::word;
use crate::detect::judge::{self, interpolation};
use crate::parse::tree::Node;
use crate::source::Source;

/// Fills mode, placement and the policy of updates from `deploy`; what an earlier file said stays where it is silent.
pub(super) fn read(source: &Source<'_>, unit: &mut Unit, node: &Node) {
    let Some(deploy) = node.get("deploy") else { return };
    if let Some(mode) = deploy.get("mode").and_then(Node::text).and_then(word) {
        unit.mode = Some(mode);
    }
    for constraint in deploy
        .path(&["placement", "constraints"])
        .into_iter()
        .flat_map(Node::items)
        .filter_map(Node::text)
        .filter_map(judge::command)
    {
        let constraint = Shown::from(&constraint);
        if !unit.placement.contains(&constraint) {
            unit.placement.push(constraint);
        }
    }
    if let Some((line, policy)) = deploy.get_entry("update_config") {
        let text = |key: &str| policy.get(key).and_then(Node::text).and_then(word);
        unit.update = Some(UpdatePolicy {
            order: text("order"),
            parallelism: policy
                .get("parallelism")
                .and_then(Node::text)
                .and_then(|text| interpolation::with_defaults(text)?.trim().parse().ok()),
            on_failure: text("failure_action"),
            watched: text("monitor"),
            canaries: None,
            evidence: vec![source.at(line)],
        });
    }
}
