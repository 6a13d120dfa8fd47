//! One workload as units: its containers, with what Services and Ingresses of the same file add.

use playbook_core::harmless::{EnvName, Schedule, Setting, UrlPath};
use playbook_core::inventory::{
    Mount, MountKind, Probe, PublishedPort, Unit, UnitVariable, VariableOrigin, VariableSource,
};
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Group};

use super::{plain, text, word};
use crate::detect::compose;
use crate::detect::judge::{self, Place};
use crate::fact::{Facts, VariableFact};
use crate::parse::tree::Node;
use crate::source::Source;

/// The template of the pods of a workload.
pub(crate) fn pod<'a>(object: &'a Node, kind: &str) -> Option<&'a Node> {
    match kind {
        "Pod" => Some(object),
        "CronJob" => object.path(&["spec", "jobTemplate", "spec", "template"]),
        _ => object.path(&["spec", "template"]),
    }
}

/// Names of template files that say no more than the kind of the object.
const KINDS: [&str; 10] = [
    "app",
    "cronjob",
    "daemonset",
    "deployment",
    "job",
    "main",
    "pod",
    "server",
    "statefulset",
    "workload",
];

pub(super) fn read(source: &Source<'_>, facts: &mut Facts, object: &Node, chart: Option<&str>) -> Vec<Unit> {
    let kind = text(object, "kind").unwrap_or_default();
    let Some(pod) = pod(object, kind) else {
        return Vec::new();
    };
    let Some(containers) = pod.path(&["spec", "containers"]) else {
        return Vec::new();
    };
    let name = object
        .path(&["metadata", "name"])
        .filter(|node| plain(node).is_some());
    let mut units = Vec::new();
    for (at, container) in containers.items().enumerate() {
        let own = text(container, "name").and_then(word);
        // Charts call every container `server` and template the workload's name; the file's own name tells them apart,
        // unless that is the name of the kind.
        let stem = source.path.name().rsplit_once('.').map(|(stem, _)| stem);
        let stem = match chart {
            Some(chart) if stem.is_none_or(|stem| KINDS.contains(&stem)) => Some(chart),
            _ => stem,
        };
        let workload = name
            .and_then(plain)
            .or(stem.filter(|_| source.text.contains("{{")))
            .and_then(word);
        // A file with an application and its datastore names only the containers of each.
        let stored = own
            .as_ref()
            .filter(|own| name.and_then(plain).is_none() && is_store(own.as_str()));
        let unit_name = match (workload, own.clone()) {
            (Some(_), Some(own)) if at == 0 && stored.is_some() => own,
            (Some(workload), _) if at == 0 => workload,
            (Some(workload), Some(own)) => Shown::join([&workload, &own], "-"),
            (None, Some(own)) => own,
            _ => continue,
        };
        let Some(kind) = word(kind) else { continue };
        let mut unit = Unit::new(unit_name, kind);
        let key = name.map_or(object.line(), Node::line);
        unit.evidence = container
            .get("image")
            .map(|image| source.at(image.line()))
            .into_iter()
            .chain([source.at(key)])
            .collect();
        unit.replicas = object.path(&["spec", "replicas"]).and_then(number);
        unit.schedule = object
            .path(&["spec", "schedule"])
            .and_then(plain)
            .and_then(|text| Schedule::parse(Raw::new(text)))
            .map(Shown::from);
        unit.stop_grace = pod
            .path(&["spec", "terminationGracePeriodSeconds"])
            .and_then(plain)
            .and_then(word);
        fill(source, facts, &mut unit, pod, container);
        units.push(unit);
    }
    units
}

/// Is it the name of a datastore?
fn is_store(name: &str) -> bool {
    Catalogue::get()
        .by_image(name)
        .iter()
        .any(|found| found.technology.group == Group::Datastore)
}

fn number(node: &Node) -> Option<u32> {
    node.integer().and_then(|number| u32::try_from(number).ok())
}

fn port(node: &Node) -> Option<u16> {
    playbook_core::harmless::port(Raw::new(plain(node)?))
}

fn words(node: Option<&Node>) -> Option<String> {
    let words: Vec<&str> = node?.items().filter_map(Node::text).collect();
    let whole = !words.is_empty()
        && !words
            .iter()
            .any(|word| word.contains(crate::parse::helm::PLACEHOLDER));
    whole.then(|| judge::join_words(&words))
}

fn fill(source: &Source<'_>, facts: &mut Facts, unit: &mut Unit, pod: &Node, container: &Node) {
    let image = text(container, "image");
    unit.image = image.and_then(judge::reference);
    let own = image.is_none_or(|image| !compose::is_third_party(image));
    if let (Some(image), Some(node)) = (image, container.get("image")) {
        facts.stores.extend(compose::store_of_image(
            image,
            source.scope,
            source.at(node.line()),
        ));
    }
    for (target, key) in [(&mut unit.entrypoint, "command"), (&mut unit.command, "args")] {
        if let Some(line) = words(container.get(key)) {
            judge::withhold_in_command(facts, &line);
            *target = judge::command(&line);
        }
    }
    for item in container.get("ports").into_iter().flat_map(Node::items) {
        let udp = text(item, "protocol") == Some("UDP");
        if let Some((line, port)) = item
            .get_entry("containerPort")
            .and_then(|(line, node)| Some((line, port(node)?)))
            .filter(|_| !udp)
        {
            unit.ports.push(PublishedPort {
                host: item.get("hostPort").and_then(self::port),
                address: None,
                container: port,
                published: item.get("hostPort").is_some(),
                evidence: vec![source.at(line)],
            });
        }
    }
    for (kind, key) in [
        ("liveness", "livenessProbe"),
        ("readiness", "readinessProbe"),
        ("startup", "startupProbe"),
    ] {
        if let Some((line, node)) = container.get_entry(key) {
            unit.probes
                .push(probe(source, facts, kind, line, node, container));
        }
    }
    let resource = |which: &str, key: &str| {
        container
            .path(&["resources", which, key])
            .and_then(plain)
            .and_then(word)
    };
    unit.memory = resource("limits", "memory");
    unit.cpus = resource("limits", "cpu");
    unit.memory_request = resource("requests", "memory");
    unit.cpu_request = resource("requests", "cpu");
    let security = |key: &str| {
        container
            .path(&["securityContext", key])
            .or_else(|| pod.path(&["spec", "securityContext", key]))
    };
    unit.user = security("runAsUser").and_then(plain).and_then(word);
    unit.privileged = security("privileged").and_then(Node::boolean) == Some(true)
        || container
            .path(&["securityContext", "capabilities", "add"])
            .is_some_and(|list| list.items().next().is_some());
    mounts(source, unit, pod, container);
    for item in container.get("env").into_iter().flat_map(Node::items) {
        variable(source, facts, unit, item, own);
    }
    for item in container.get("envFrom").into_iter().flat_map(Node::items) {
        for (key, origin) in [
            ("configMapRef", VariableSource::Group),
            ("secretRef", VariableSource::Secret),
        ] {
            if let Some((line, from)) = item.get_entry(key) {
                unit.variables.push(UnitVariable {
                    name: Shown::from("*"),
                    source: origin,
                    value: None,
                    reference: text(from, "name").and_then(word),
                    evidence: vec![source.at(line)],
                });
            }
        }
    }
}

fn variable(source: &Source<'_>, facts: &mut Facts, unit: &mut Unit, item: &Node, own: bool) {
    let Some((line, name)) = item
        .get_entry("name")
        .and_then(|(line, name)| Some((line, plain(name)?)))
    else {
        return;
    };
    let Some(shown) = EnvName::parse(Raw::new(name)) else {
        return;
    };
    let mut fact = VariableFact::new(
        shown.clone(),
        VariableOrigin::Stack,
        source.scope,
        source.at(line),
    );
    let from = |key: &str| item.path(&["valueFrom", key]);
    let reference = |node: &Node| text(node, "name").and_then(word);
    let (origin, value, reference) = if let Some(node) = from("secretKeyRef") {
        fact.secret = true;
        fact.required = node.get("optional").and_then(Node::boolean) != Some(true);
        (VariableSource::Secret, None, reference(node))
    } else if let Some(node) = from("configMapKeyRef") {
        fact.has_default = true;
        (VariableSource::Group, None, reference(node))
    } else if item.get("valueFrom").is_some() {
        fact.has_default = true;
        (VariableSource::Generated, None, None)
    } else if let Some(value) = text(item, "value") {
        let judged = judge::literal(source, facts, name, value, Place::new(line, source.scope));
        facts.stores.extend(judge::store_of_address(
            name,
            value,
            source.scope,
            source.at(line),
        ));
        fact.has_default = true;
        fact.placeholder = judged.placeholder;
        fact.default.clone_from(&judged.shown);
        let shown: Option<Setting> = judged.shown;
        let origin = if shown.is_some() {
            VariableSource::Literal
        } else {
            VariableSource::Withheld
        };
        (origin, shown.map(Shown::from), None)
    } else {
        (VariableSource::Interpolated, None, None)
    };
    if own {
        facts.variables.push(fact);
    }
    unit.variables.push(UnitVariable {
        name: shown.into(),
        source: origin,
        value,
        reference,
        evidence: vec![source.at(line)],
    });
}

fn probe(
    source: &Source<'_>,
    facts: &mut Facts,
    kind: &'static str,
    line: u32,
    node: &Node,
    container: &Node,
) -> Probe {
    let handler = ["httpGet", "grpc", "tcpSocket"]
        .iter()
        .find_map(|key| node.get(key));
    let command = words(node.path(&["exec", "command"]));
    if let Some(command) = &command {
        judge::withhold_in_command(facts, command);
    }
    let number_of = |key: &str| node.get(key).and_then(plain).and_then(word);
    let port = handler.and_then(|handler| handler.get("port")).and_then(|given| {
        port(given).or_else(|| {
            // A port may be named.
            let named = plain(given)?;
            let ports = container.get("ports")?;
            let found = ports.items().find(|item| text(item, "name") == Some(named))?;
            found.get("containerPort").and_then(port)
        })
    });
    Probe {
        kind: Shown::from(kind),
        command: command.as_deref().and_then(judge::command),
        path: node
            .path(&["httpGet", "path"])
            .and_then(plain)
            .and_then(|path| UrlPath::parse(Raw::new(path)))
            .map(Shown::from),
        port,
        interval: number_of("periodSeconds"),
        timeout: number_of("timeoutSeconds"),
        retries: node.get("failureThreshold").and_then(number),
        start_period: number_of("initialDelaySeconds"),
        evidence: vec![source.at(line)],
    }
}

fn mounts(source: &Source<'_>, unit: &mut Unit, pod: &Node, container: &Node) {
    let volumes = pod.path(&["spec", "volumes"]);
    for item in container.get("volumeMounts").into_iter().flat_map(Node::items) {
        let name = text(item, "name");
        let volume = volumes
            .into_iter()
            .flat_map(Node::items)
            .find(|volume| text(volume, "name") == name);
        let has = |key: &str| volume.is_some_and(|volume| volume.get(key).is_some());
        let host = volume
            .and_then(|volume| volume.path(&["hostPath", "path"]))
            .and_then(plain);
        unit.engine_socket |=
            host.is_some_and(|path| path.contains("docker.sock") || path.contains("containerd.sock"));
        let kind = if has("hostPath") {
            MountKind::Bind
        } else if has("emptyDir") {
            // Ephemeral: it ends with the pod.
            MountKind::Tmpfs
        } else if has("configMap") || has("secret") || has("projected") || has("downwardAPI") {
            MountKind::Object
        } else {
            MountKind::Volume
        };
        unit.mounts.push(Mount {
            kind,
            source: host.and_then(judge::path).or_else(|| name.and_then(word)),
            target: text(item, "mountPath").and_then(judge::path),
            read_only: item.get("readOnly").and_then(Node::boolean) == Some(true),
            size_gb: None,
            evidence: vec![source.at(item.line())],
        });
    }
}
