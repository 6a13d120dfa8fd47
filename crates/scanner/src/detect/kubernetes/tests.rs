use playbook_core::inventory::VariableSource;

use super::*;
use crate::testing::facts;

const MANIFEST: &str = "//- k8s/api.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: api
spec:
  replicas: 3
  template:
    metadata:
      labels: {app: api}
    spec:
      terminationGracePeriodSeconds: 40
      containers:
        - name: server
          image: registry.example.com/api:1.2
          args: [\"serve\", \"--port\", \"8080\"]
          ports:
            - name: http
              containerPort: 8080
          env:
            - name: LOG_LEVEL
              value: info
            - name: DATABASE_URL
              valueFrom:
                secretKeyRef: {name: db, key: url}
          envFrom:
            - configMapRef: {name: settings}
          readinessProbe:
            httpGet: {path: /ready, port: http}
          resources:
            limits: {memory: 256Mi, cpu: 500m}
          volumeMounts:
            - {name: data, mountPath: /data}
      volumes:
        - name: data
          emptyDir: {}
---
apiVersion: v1
kind: Service
metadata: {name: api}
spec:
  type: LoadBalancer
  selector: {app: api}
  ports:
    - port: 80
      targetPort: 8080
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: api}
spec:
  rules:
    - host: api.example.com
      http:
        paths:
          - path: /
            backend: {service: {name: api, port: {number: 80}}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  schedule: '0 3 * * *'
  jobTemplate:
    spec:
      template:
        spec:
          containers:
            - name: job
              image: registry.example.com/api:1.2
              command: [./nightly]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  template:
    spec:
      containers:
        - name: postgres
          image: postgres:16.2
          env:
            - name: POSTGRES_DB
              value: shop
---
apiVersion: v1
kind: Secret
metadata: {name: db}
stringData:
  url: hunter2hunter2
";

#[test]
fn workloads_with_their_services() {
    let facts = facts(&DETECTOR, MANIFEST);
    let units = &facts.stacks[0].units;
    let names: Vec<_> = units
        .iter()
        .map(|unit| (unit.name.as_str(), unit.kind.as_str()))
        .collect();
    assert_eq!(
        names,
        [
            ("api", "Deployment"),
            ("nightly", "CronJob"),
            ("db", "StatefulSet")
        ]
    );
    let api = &units[0];
    assert_eq!((api.replicas, api.ports[0].container), (Some(3), 8080));
    assert_eq!(api.probes[0].path.as_ref().map(Shown::as_str), Some("/ready"));
    assert_eq!(api.probes[0].port, Some(8080));
    assert_eq!(api.memory.as_ref().map(Shown::as_str), Some("256Mi"));
    let sources: Vec<_> = api.variables.iter().map(|variable| variable.source).collect();
    assert_eq!(
        sources,
        [
            VariableSource::Literal,
            VariableSource::Secret,
            VariableSource::Group
        ]
    );
    assert_eq!(units[1].schedule.as_ref().map(Shown::as_str), Some("0 3 * * *"));
    assert_eq!(facts.jobs.len(), 1);
    // What leads to it is joined with it in `resolve`.
    let found = crate::testing::inventory(MANIFEST);
    let api = &found.stacks[0].units[0];
    assert_eq!((api.ports[0].host, api.ports[0].published), (Some(80), true));
    assert_eq!(
        api.domains.iter().map(Shown::as_str).collect::<Vec<_>>(),
        ["api.example.com"]
    );
}

#[test]
fn variables_stores_and_secrets() {
    let facts = facts(&DETECTOR, MANIFEST);
    let names: Vec<_> = facts.variables.iter().map(|fact| fact.name.as_str()).collect();
    assert_eq!(names, ["LOG_LEVEL", "DATABASE_URL"]);
    assert!(facts.variables[1].secret && facts.variables[1].required);
    assert_eq!(facts.stores[0].kind, "postgresql");
    assert_eq!(facts.committed_secrets.len(), 1);
    assert!(facts.withheld.is_in("hunter2hunter2"));
}

#[test]
fn a_template_keeps_what_no_action_fills() {
    let found = crate::testing::inventory(
        "//- chart/templates/shop.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Values.name }}
spec:
  template:
    spec:
      containers:
        - name: api
          image: {{ .Values.image }}
          ports:
            - containerPort: 8080
",
    );
    let unit = &found.stacks[0].units[0];
    assert_eq!(found.stacks[0].kind, "helm");
    assert_eq!((unit.name.as_str(), unit.image.as_ref()), ("shop", None));
    assert_eq!(unit.ports[0].container, 8080);
}

#[test]
fn other_yaml_is_none() {
    for text in [
        "//- a.yaml\nname: x\nservices: {}\n",
        "//- skaffold.yaml\napiVersion: skaffold/v4beta1\nkind: Config\n",
        "//- kustomization.yaml\napiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n",
        "//- catalog-info.yaml\napiVersion: backstage.io/v1alpha1\nkind: Component\n",
    ] {
        let facts = facts(&DETECTOR, text);
        assert!(
            facts.stacks.is_empty() && facts.infrastructure.is_empty(),
            "{text}"
        );
    }
}
