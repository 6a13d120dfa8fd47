//! Cloud Run's services and jobs in the notation of Knative.

use playbook_core::path::RelPath;
use playbook_core::shown::Shown;

use super::process::{self, Sheet, text};
use super::{Detector, ending, kubernetes};
use crate::fact::Facts;
use crate::parse::tree::Node;
use crate::parse::yaml;
use crate::source::Source;

pub(crate) const DETECTOR: Detector = Detector { wants, detect };

fn wants(path: &RelPath) -> bool {
    ending(path, &["yml", "yaml"])
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    // Knative on a cluster of one's own has none of Google's annotations.
    if !source.text.contains("run.googleapis.com") || source.text.contains("{{") {
        return;
    }
    let (documents, _) = yaml::documents(source.text);
    let mut sheet = Sheet::new(source, facts);
    let mut units = Vec::new();
    for object in &documents {
        let version = text(object, "apiVersion").unwrap_or_default();
        let kind = text(object, "kind").unwrap_or_default();
        let known = version.starts_with("serving.knative.dev/") && kind == "Service"
            || version.starts_with("run.googleapis.com/") && kind == "Job";
        if !known {
            continue;
        }
        let mut told = kubernetes::units(source, sheet.facts, object);
        let scale = object
            .path(&["spec", "template", "metadata", "annotations"])
            .and_then(|annotations| text(annotations, "autoscaling.knative.dev/minScale"))
            .and_then(|text| text.parse().ok());
        if let Some(first) = told.first_mut() {
            first.kind = Shown::from(if kind == "Job" { "job" } else { "web" });
            first.replicas = scale;
            for port in &mut first.ports {
                port.published = true;
            }
            first.stop_grace = object
                .path(&["spec", "template", "spec", "timeoutSeconds"])
                .and_then(Node::text)
                .and_then(process::measure);
        }
        units.extend(told);
    }
    if !units.is_empty()
        && !matches!(
            source.path.name(),
            "service.yaml" | "service.yml" | "cloudrun.yaml"
        )
    {
        sheet.infrastructure("cloud-run");
    }
    sheet.stack("cloud-run", units, Vec::new());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::facts;

    #[test]
    fn a_service() {
        let facts = facts(
            &DETECTOR,
            "//- deploy/api.yaml
apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: api
  annotations:
    run.googleapis.com/ingress: all
spec:
  template:
    metadata:
      annotations:
        autoscaling.knative.dev/minScale: '1'
    spec:
      containers:
        - image: europe-docker.pkg.dev/p/r/api:1
          ports: [{containerPort: 8080}]
          env:
            - {name: LOG_LEVEL, value: info}
            - name: API_KEY
              valueFrom: {secretKeyRef: {name: api-key, key: latest}}
          startupProbe: {httpGet: {path: /healthz}}
",
        );
        let unit = &facts.stacks[0].units[0];
        assert_eq!(
            (unit.name.as_str(), unit.kind.as_str(), unit.replicas),
            ("api", "web", Some(1))
        );
        assert_eq!(
            (unit.ports[0].container, unit.probes.len(), unit.variables.len()),
            (8080, 1, 2)
        );
        assert_eq!(facts.infrastructure[0].kind, "cloud-run");
    }

    #[test]
    fn knative_elsewhere() {
        let facts = facts(
            &DETECTOR,
            "//- knative.yaml\napiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: api}\nspec: {template: {spec: {containers: [{image: x}]}}}\n",
        );
        assert!(facts.stacks.is_empty());
    }
}
