use playbook_core::inventory::{Stack, Unit};

use crate::testing::inventory;

const CHART: &str = "//- deploy/shop/Chart.yaml\napiVersion: v2\nname: shop-chart\nversion: 1.2.0\nappVersion: \"2.5.1\"\ndependencies:\n  - name: postgresql\n    version: 16.7.1\n    repository: oci://registry.example.com/charts\n    condition: postgresql.enabled\n  - name: redis\n    alias: sessions\n    version: 20.1.0\n    repository: oci://registry.example.com/charts\n    condition: redis.enabled\n//- deploy/shop/values.yaml\nreplicaCount: 3\nimage:\n  repository: registry.example.com/team/shop\n  tag: \"\"\nqueue:\n  image:\n    repository: rabbitmq\n    tag: 3.13-management\nresources:\n  limits:\n    memory: 512Mi\nservice:\n  port: 8080\npostgresql:\n  enabled: true\n  image:\n    tag: 17.2.0\nredis:\n  enabled: false\n";

fn units(templates: &str) -> Vec<Unit> {
    let found = inventory(&format!("{CHART}{templates}"));
    found
        .stacks
        .into_iter()
        .filter(|stack: &Stack| stack.kind == "helm")
        .flat_map(|stack| stack.units)
        .collect()
}

fn text(shown: Option<&playbook_core::shown::Shown>) -> Option<&str> {
    shown.map(playbook_core::shown::Shown::as_str)
}

#[test]
fn values_fill_the_templates() {
    let units = units(
        "//- deploy/shop/templates/deployment.yaml\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ include \"shop.fullname\" . }}\nspec:\n  replicas: {{ .Values.replicaCount }}\n  template:\n    spec:\n      containers:\n        - name: {{ .Chart.Name }}\n          image: \"{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}\"\n          ports:\n            - containerPort: {{ .Values.service.port }}\n          resources:\n            {{- toYaml .Values.resources | nindent 12 }}\n",
    );
    let unit = units
        .iter()
        .find(|unit| unit.kind == "Deployment")
        .expect("the workload");
    assert_eq!(unit.name.as_str(), "shop");
    assert_eq!(
        text(unit.image.as_ref()),
        Some("registry.example.com/team/shop:2.5.1")
    );
    assert_eq!(unit.replicas, Some(3));
    assert_eq!(unit.ports.first().map(|port| port.container), Some(8080));
    assert_eq!(text(unit.memory.as_ref()), Some("512Mi"));
    assert_eq!(unit.evidence.first().and_then(|place| place.line), Some(11));
}

#[test]
fn parts_of_a_chart_have_names_of_their_own() {
    let units = units(
        "//- deploy/shop/templates/statefulset.yaml\napiVersion: apps/v1\nkind: StatefulSet\nmetadata:\n  name: {{ include \"shop.queue.fullname\" . }}\nspec:\n  template:\n    spec:\n      containers:\n        - name: queue\n          image: \"{{ .Values.queue.image.repository }}:{{ .Values.queue.image.tag }}\"\n",
    );
    let unit = units
        .iter()
        .find(|unit| unit.kind == "StatefulSet")
        .expect("the workload");
    assert_eq!(unit.name.as_str(), "shop-queue");
    assert_eq!(text(unit.datastore.as_ref()), Some("rabbitmq"));
}

#[test]
fn a_template_that_nothing_names_is_called_after_its_chart() {
    let units = units(
        "//- deploy/shop/templates/deployment.yaml\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ .Values.missing }}\nspec:\n  template:\n    spec:\n      containers:\n        - name: main\n          image: {{ .Values.image.repository }}\n",
    );
    let unit = units
        .iter()
        .find(|unit| unit.kind == "Deployment")
        .expect("the workload");
    assert_eq!(unit.name.as_str(), "shop");
}

#[test]
fn dependencies_are_stores_unless_switched_off() {
    let units = units("");
    let found: Vec<(&str, Option<&str>, Option<&str>)> = units
        .iter()
        .map(|unit| {
            (
                unit.name.as_str(),
                text(unit.datastore.as_ref()),
                text(unit.version.as_ref()),
            )
        })
        .collect();
    assert_eq!(found, [("postgresql", Some("postgresql"), Some("17.2.0"))]);
}
