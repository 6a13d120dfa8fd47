//! Kubernetes manifests: workloads as units, and the objects that lead to them, which `resolve` joins with them. Helm
//! templates are read in `resolve` too, with the values of their chart.

mod objects;
pub(crate) mod unit;

use std::collections::BTreeSet;
use std::sync::Arc;

use playbook_core::harmless::Name;
use playbook_core::inventory::{CommittedSecret, Infrastructure};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::secret;
use playbook_core::shown::Shown;
use playbook_core::technology::Catalogue;

use super::judge::{self, Place};
use super::{Detector, ending, proxies};
use crate::fact::{ClusterObject, Facts, JobFact, TemplateFact};
use crate::limits;
use crate::parse::tree::{Kind, Node};
use crate::parse::{helm, yaml};
use crate::source::Source;

pub(crate) const DETECTOR: Detector = Detector { wants, detect };

/// Kinds that run containers.
const WORKLOADS: [&str; 8] = [
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "CronJob",
    "Job",
    "Pod",
    "ReplicaSet",
    "Rollout",
];

/// Kinds beside Ingress that lead requests to Services.
const WAYS_IN: [&str; 4] = ["GRPCRoute", "HTTPRoute", "IngressRoute", "VirtualService"];

fn wants(path: &RelPath) -> bool {
    ending(path, &["yml", "yaml"])
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    if !source.text.contains("apiVersion:") || !source.text.contains("kind:") {
        return;
    }
    if source.text.contains("{{") {
        facts.templates.push(TemplateFact {
            path: source.path.clone(),
            scope: source.scope,
            ignored: source.ignored,
            text: source.text.to_owned(),
        });
        return;
    }
    manifests(source, facts, source.text, None, true);
}

/// Tells the objects of a text: the file's own, or a template whose actions were filled in or masked. `chart` is the name
/// of the chart that it belongs to. Says whether the text could be read whole; if not, nothing was told unless what could
/// be read is `enough`.
pub(crate) fn manifests(
    source: &Source<'_>,
    facts: &mut Facts,
    content: &str,
    chart: Option<&str>,
    enough: bool,
) -> bool {
    let template = source.text.contains("{{");
    let (documents, problem) = yaml::documents(content);
    let whole = problem.is_none();
    if !whole && !enough {
        return false;
    }
    if !template {
        judge::problem(source, facts, problem);
    }
    // `kind: List` holds its objects in `items`.
    let objects: Vec<Arc<Node>> = documents
        .into_iter()
        .flat_map(|document| match text(&document, "kind") {
            Some("List") => match document.get("items").map(Node::kind) {
                Some(Kind::Seq(items)) => items.clone(),
                _ => Vec::new(),
            },
            _ => vec![document],
        })
        .filter(|object| object.get("apiVersion").is_some() && text(object, "kind").is_some())
        .take(limits::OBJECTS + 1)
        .collect();
    super::too_many(source, objects.len(), limits::OBJECTS, facts);
    let mut units = Vec::new();
    let mut is_manifest = false;
    let mut tools: Vec<(&'static str, u32)> = Vec::new();
    for object in &objects {
        let kind = text(object, "kind").unwrap_or_default();
        let version = text(object, "apiVersion").unwrap_or_default();
        if WORKLOADS.contains(&kind) && !version.contains("knative") {
            is_manifest = true;
            let read = unit::read(source, facts, object, chart);
            facts.objects.extend(read.first().map(|first| ClusterObject {
                path: source.path.clone(),
                unit: Some(first.name.clone()),
                object: Arc::clone(object),
            }));
            units.extend(read);
            if kind == "CronJob" {
                facts.jobs.extend(job(source, object));
            }
        } else if matches!(
            kind,
            "Service" | "Ingress" | "ConfigMap" | "Secret" | "Namespace" | "HorizontalPodAutoscaler"
        ) && !version.contains("knative")
        {
            is_manifest = true;
            if matches!(kind, "Service" | "Ingress") {
                facts.objects.push(way_in(source, object));
            } else if kind == "Secret" {
                secrets(source, facts, object);
            } else if kind == "ConfigMap" {
                configuration(source, facts, object);
            }
        } else if WAYS_IN.contains(&kind) {
            facts.objects.push(way_in(source, object));
        }
        if !template || !is_conditional(source, object.line()) {
            facts.proxies.extend(proxies::cluster::read(source, object));
            objects::read(source, facts, object);
        }
        tools.extend(
            Catalogue::get()
                .by_api_group(version, kind)
                .map(|tool| (tool.id, object.line())),
        );
    }
    tell_tools(source, facts, &tools);
    if !is_manifest {
        return whole;
    }
    let kind = if template { "helm" } else { "kubernetes" };
    // A chart is told by its `Chart.yaml`.
    if !template {
        facts.infrastructure.push(Infrastructure {
            kind: Shown::from(kind),
            path: source.path.clone(),
            scope: source.scope,
            evidence: vec![source.file()],
        });
    }
    if !units.is_empty() {
        facts.stacks.push(source.stack(kind, units));
    }
    whole
}

/// Does a line of a template stand inside of a block that only some values bring?
fn is_conditional(source: &Source<'_>, line: u32) -> bool {
    let mut open = 0usize;
    for (_, content) in source.numbered_lines().take_while(|(number, _)| *number < line) {
        for action in content.split("{{").skip(1) {
            let word = action.trim_start_matches('-').split_whitespace().next();
            match word.map(|word| word.trim_end_matches(['-', '}'])) {
                Some("if" | "range" | "with" | "define") => open = open.saturating_add(1),
                Some("end") => open = open.saturating_sub(1),
                _ => {}
            }
        }
    }
    open > 0
}

/// Tools that objects of the file belong to, unless the file's own name tells them already.
fn tell_tools(source: &Source<'_>, facts: &mut Facts, tools: &[(&'static str, u32)]) {
    let by_name = Catalogue::get().by_file(source.path.as_str());
    let mut told: BTreeSet<&str> = by_name.iter().map(|found| found.technology.id).collect();
    for (tool, line) in tools {
        if told.insert(tool) {
            facts.infrastructure.push(Infrastructure {
                kind: Shown::from(*tool),
                path: source.path.clone(),
                scope: source.scope,
                evidence: vec![source.at(*line)],
            });
        }
    }
}

fn way_in(source: &Source<'_>, object: &Arc<Node>) -> ClusterObject {
    ClusterObject {
        path: source.path.clone(),
        unit: None,
        object: Arc::clone(object),
    }
}

/// The containers of an object that has a template of pods, as units.
pub(super) fn units(
    source: &Source<'_>,
    facts: &mut Facts,
    object: &Node,
) -> Vec<playbook_core::inventory::Unit> {
    unit::read(source, facts, object, None)
}

/// A scalar that no template action fills.
pub(crate) fn text<'a>(node: &'a Node, key: &str) -> Option<&'a str> {
    plain(node.get(key)?)
}

pub(crate) fn plain(node: &Node) -> Option<&str> {
    node.text()
        .filter(|text| !text.is_empty() && !text.contains(helm::PLACEHOLDER))
}

fn word(text: &str) -> Option<Shown> {
    Name::parse(Raw::new(text)).map(Shown::from)
}

fn job(source: &Source<'_>, object: &Node) -> Option<JobFact> {
    let name = object.path(&["metadata", "name"]).and_then(plain)?;
    let schedule = object.path(&["spec", "schedule"])?;
    Some(JobFact {
        name: Name::parse(Raw::new(name))?,
        schedule: plain(schedule).and_then(|text| playbook_core::harmless::Schedule::parse(Raw::new(text))),
        runner: Shown::from("kubernetes"),
        scope: source.scope,
        evidence: source.at(schedule.line()),
    })
}

/// The values of a committed Secret object are secrets whatever they are called.
fn secrets(source: &Source<'_>, facts: &mut Facts, object: &Node) {
    for key in ["data", "stringData"] {
        for (name, line, value) in object.get(key).into_iter().flat_map(Node::entries) {
            let Some(value) = plain(value).filter(|value| !judge::is_reference(value)) else {
                continue;
            };
            facts.withheld.add_base64(Raw::new(value));
            if !source.ignored {
                let inside = secret::decoded(Raw::new(value)).filter(|_| key == "data");
                let value = inside.as_deref().unwrap_or(value);
                facts.committed_secrets.push(CommittedSecret {
                    name: word(name),
                    kind: Shown::from(secret::kind_of_secret(name, Raw::new(value)).unwrap_or("secret")),
                    placeholder: secret::is_placeholder(value),
                    scope: source.scope,
                    evidence: vec![source.at(line)],
                });
            }
        }
    }
}

/// Values of a ConfigMap that are secrets by their name, and addresses of datastores.
fn configuration(source: &Source<'_>, facts: &mut Facts, object: &Node) {
    for (name, line, value) in object.get("data").into_iter().flat_map(Node::entries) {
        if let Some(value) = plain(value).filter(|value| !value.contains('\n')) {
            judge::literal(source, facts, name, value, Place::new(line, source.scope));
            facts.stores.extend(judge::store_of_address(
                name,
                value,
                source.scope,
                source.at(line),
            ));
        }
    }
}

#[cfg(test)]
mod tests;
