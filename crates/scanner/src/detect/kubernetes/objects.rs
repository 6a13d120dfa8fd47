//! Objects beside workloads: autoscalers, disruption budgets, network policies, and those with which Argo CD and Flux
//! apply what stands in a repository. `resolve` finds the services that they are about.

use playbook_core::harmless::{HttpUrl, Name, Setting};
use playbook_core::inventory::{Autoscaler, Delivery, DisruptionBudget, NetworkRule, ScalingMetric};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use super::{plain, text, word};
use crate::fact::Facts;
use crate::parse::tree::Node;
use crate::source::Source;

/// Tells what the object says, if it is one of these.
pub(super) fn read(source: &Source<'_>, facts: &mut Facts, object: &Node) {
    let Some(spec) = object.get("spec") else { return };
    let version = text(object, "apiVersion").unwrap_or_default();
    match text(object, "kind").unwrap_or_default() {
        "HorizontalPodAutoscaler" | "ScaledObject" => {
            facts.autoscalers.extend(autoscaler(source, object, spec));
        }
        "PodDisruptionBudget" => facts.disruption_budgets.push(DisruptionBudget {
            name: name_of(object),
            target: selected(spec.get("selector")),
            service: None,
            min_available: setting(spec.get("minAvailable")),
            max_unavailable: setting(spec.get("maxUnavailable")),
            scope: source.scope,
            evidence: vec![source.at(object.line())],
        }),
        "NetworkPolicy" => facts.network_rules.push(network(source, object, spec)),
        "Application" if version.starts_with("argoproj.io") => {
            facts.deliveries.extend(application(source, object, spec));
        }
        "Kustomization" | "HelmRelease" if version.contains("toolkit.fluxcd.io") => {
            facts.deliveries.extend(flux(source, object, spec));
        }
        _ => {}
    }
}

fn name_of(object: &Node) -> Option<Shown> {
    object.path(&["metadata", "name"]).and_then(plain).and_then(word)
}

fn setting(node: Option<&Node>) -> Option<Shown> {
    Setting::parse(Raw::new(plain(node?)?)).map(Shown::from)
}

fn number(node: Option<&Node>) -> Option<u32> {
    plain(node?)?.parse().ok()
}

/// The value of the first label that pods are chosen by; it names the workload by custom.
fn selected(selector: Option<&Node>) -> Option<Shown> {
    let labels = selector?.get("matchLabels")?;
    let first = labels.entries().next();
    first.and_then(|(_, _, value)| plain(value)).and_then(word)
}

fn autoscaler(source: &Source<'_>, object: &Node, spec: &Node) -> Option<Autoscaler> {
    let maximum = number(spec.get("maxReplicas").or_else(|| spec.get("maxReplicaCount")));
    let mut metrics: Vec<ScalingMetric> = Vec::new();
    if let Some(target) = setting(spec.get("targetCPUUtilizationPercentage")) {
        metrics.push(ScalingMetric {
            name: Shown::from("cpu"),
            target: Some(Shown::fill("{} %", &[&target])),
        });
    }
    for item in spec.get("metrics").into_iter().flat_map(Node::items) {
        metrics.extend(metric(item));
    }
    for trigger in spec.get("triggers").into_iter().flat_map(Node::items) {
        metrics.extend(
            text(trigger, "type")
                .and_then(word)
                .map(|name| ScalingMetric { name, target: None }),
        );
    }
    let target = spec
        .path(&["scaleTargetRef", "name"])
        .and_then(plain)
        .and_then(word);
    // A template whose numbers nobody gave says nothing.
    (maximum.is_some() || !metrics.is_empty()).then(|| Autoscaler {
        kind: Shown::from(if spec.get("triggers").is_some() {
            "ScaledObject"
        } else {
            "HorizontalPodAutoscaler"
        }),
        name: name_of(object),
        target,
        service: None,
        minimum: number(spec.get("minReplicas").or_else(|| spec.get("minReplicaCount"))),
        maximum,
        metrics,
        scope: source.scope,
        evidence: vec![source.at(object.line())],
    })
}

/// `resource`, `pods`, `object` or `external`: a name and a target.
fn metric(item: &Node) -> Option<ScalingMetric> {
    let (_, _, body) = item.entries().find(|(_, _, node)| node.is_map())?;
    let name = text(body, "name")
        .or_else(|| body.path(&["metric", "name"]).and_then(plain))
        .and_then(word)?;
    let target = body.get("target");
    let share = target.and_then(|target| setting(target.get("averageUtilization")));
    let share = share.or_else(|| setting(body.get("targetAverageUtilization")));
    let value = target.and_then(|target| {
        ["averageValue", "value"]
            .iter()
            .find_map(|key| setting(target.get(key)))
    });
    Some(ScalingMetric {
        name,
        target: share.map(|share| Shown::fill("{} %", &[&share])).or(value),
    })
}

fn network(source: &Source<'_>, object: &Node, spec: &Node) -> NetworkRule {
    let mut directions: Vec<Shown> = spec
        .get("policyTypes")
        .into_iter()
        .flat_map(Node::texts)
        .filter_map(|(direction, _)| match direction {
            "Ingress" => Some(Shown::from("ingress")),
            "Egress" => Some(Shown::from("egress")),
            _ => None,
        })
        .collect();
    if directions.is_empty() {
        directions.push(Shown::from("ingress"));
    }
    let rules = |key: &str| spec.get(key).is_some_and(|rules| rules.items().next().is_some());
    NetworkRule {
        name: name_of(object),
        target: selected(spec.get("podSelector")),
        service: None,
        denies_all: !rules("ingress") && !rules("egress"),
        directions,
        scope: source.scope,
        evidence: vec![source.at(object.line())],
    }
}

fn delivery(source: &Source<'_>, object: &Node, kind: &'static str) -> Option<Delivery> {
    Some(Delivery {
        kind: Shown::from(kind),
        object: text(object, "kind").and_then(word)?,
        name: name_of(object),
        source: None,
        folder: None,
        chart: None,
        revision: None,
        namespace: None,
        automatic: None,
        scope: source.scope,
        evidence: vec![source.at(object.line())],
    })
}

fn folder(node: Option<&Node>) -> Option<RelPath> {
    RelPath::root().join(plain(node?)?)
}

fn application(source: &Source<'_>, object: &Node, spec: &Node) -> Option<Delivery> {
    let mut found = delivery(source, object, "argocd")?;
    let first = || spec.get("sources").and_then(|list| list.items().next());
    let origin = spec.get("source").or_else(first)?;
    found.source = text(origin, "repoURL")
        .and_then(|address| HttpUrl::parse(Raw::new(address)))
        .map(Shown::from);
    found.folder = folder(origin.get("path"));
    found.chart = text(origin, "chart").and_then(word);
    found.revision = text(origin, "targetRevision").and_then(word);
    found.namespace = spec
        .path(&["destination", "namespace"])
        .and_then(plain)
        .and_then(word);
    found.automatic = Some(spec.path(&["syncPolicy", "automated"]).is_some());
    Some(found)
}

fn flux(source: &Source<'_>, object: &Node, spec: &Node) -> Option<Delivery> {
    let mut found = delivery(source, object, "flux")?;
    let chart = spec.path(&["chart", "spec"]);
    let origin = spec
        .get("sourceRef")
        .or_else(|| chart.and_then(|chart| chart.get("sourceRef")));
    found.source = origin
        .and_then(|origin| text(origin, "name"))
        .and_then(|name| Name::parse(Raw::new(name)))
        .map(Shown::from);
    found.folder = folder(spec.get("path"));
    found.chart = chart.and_then(|chart| text(chart, "chart")).and_then(word);
    found.revision = chart.and_then(|chart| text(chart, "version")).and_then(word);
    found.namespace = text(spec, "targetNamespace").and_then(word);
    found.automatic = Some(spec.get("suspend").and_then(Node::boolean) != Some(true));
    Some(found)
}

#[cfg(test)]
mod tests {
    use playbook_core::shown::Shown;

    use crate::testing::inventory;

    const WORKLOAD: &str = "//- k8s/api.yaml\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api}\nspec:\n  template:\n    metadata: {labels: {app: api}}\n    spec:\n      containers:\n        - name: api\n          image: registry.example.com/shop/api:1\n          resources:\n            requests: {memory: 128Mi, cpu: 100m}\n";

    #[test]
    fn how_far_it_scales_and_what_may_be_missing() {
        let found = inventory(&format!(
            "{WORKLOAD}---\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {{name: api}}\nspec:\n  scaleTargetRef: {{kind: Deployment, name: api}}\n  minReplicas: 2\n  maxReplicas: 8\n  metrics:\n    - type: Resource\n      resource: {{name: cpu, target: {{type: Utilization, averageUtilization: 70}}}}\n---\napiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {{name: api}}\nspec:\n  minAvailable: 1\n  selector: {{matchLabels: {{app: api}}}}\n---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: none}}\nspec:\n  podSelector: {{}}\n  policyTypes: [Ingress, Egress]\n"
        ));
        let scaler = &found.autoscalers[0];
        assert_eq!((scaler.minimum, scaler.maximum), (Some(2), Some(8)));
        assert_eq!(scaler.metrics[0].target.as_ref().map(Shown::as_str), Some("70 %"));
        let service = found.services[0].id.clone();
        assert_eq!(scaler.service.as_ref(), Some(&service));
        assert_eq!(found.disruption_budgets[0].service.as_ref(), Some(&service));
        assert!(found.network_rules[0].denies_all);
        assert_eq!(found.network_rules[0].directions, ["ingress", "egress"]);
        let unit = &found.stacks[0].units[0];
        assert_eq!(unit.memory_request.as_ref().map(Shown::as_str), Some("128Mi"));
    }

    #[test]
    fn what_only_some_values_bring_is_left_out() {
        let object = "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: api}\nspec: {minAvailable: 1}\n";
        let chart = "//- chart/Chart.yaml\nname: shop\nversion: 1.0.0\n//- chart/templates/pdb.yaml\n";
        let found = |text: &str| inventory(&format!("{chart}{text}")).disruption_budgets.len();
        assert_eq!(
            found(&format!("{{{{- if .Values.guard }}}}\n{object}{{{{- end }}}}\n")),
            0
        );
        assert_eq!(
            found(&format!("{{{{- if .Values.x }}}}{{{{- end }}}}\n{object}")),
            1
        );
    }

    #[test]
    fn who_applies_it() {
        let found = inventory(
            "//- deploy/app.yaml\napiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: shop}\nspec:\n  source: {repoURL: 'https://git.example.com/shop.git', path: k8s/overlays/production, targetRevision: main}\n  destination: {namespace: shop}\n  syncPolicy: {automated: {prune: true}}\n---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: shop}\nspec:\n  path: ./k8s\n  sourceRef: {kind: GitRepository, name: shop}\n",
        );
        let told: Vec<_> = found
            .deliveries
            .iter()
            .map(|delivery| {
                let folder = delivery.folder.as_ref().map(ToString::to_string);
                (delivery.kind.as_str(), folder, delivery.automatic)
            })
            .collect();
        assert_eq!(
            told,
            [
                ("argocd", Some("k8s/overlays/production".to_owned()), Some(true)),
                ("flux", Some("k8s".to_owned()), Some(true)),
            ]
        );
    }
}
