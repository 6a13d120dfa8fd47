//! Small inventories for the tests of the rules.

use playbook_core::evidence::Confidence;
use playbook_core::evidence::{Evidence, Scope};
use playbook_core::finding::Finding;
use playbook_core::harmless::CommandLine;
use playbook_core::inventory::{
    Container, Datastore, Inventory, Migration, Mount, MountKind, Operation, OperationKind, Proxy,
    PublishedPort, Revision, Role, Service, Signal, SignalKind, Stack, Unit,
};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

pub(crate) use crate::testing::context;

pub(crate) fn path(text: &str) -> RelPath {
    RelPath::new(text).expect("a plain path")
}

pub(crate) fn place(file: &str, line: u32) -> Evidence {
    Evidence::at(&path(file), line)
}

pub(crate) fn command(text: &str) -> CommandLine {
    CommandLine::parse(Raw::new(text)).expect("not empty")
}

pub(crate) fn service(id: &'static str, role: Role, start: &str) -> Service {
    let mut service = Service::new(id.into(), id.into(), RelPath::root(), role);
    service.commands.start = Some(command(start));
    service.start_evidence = Some(place("Dockerfile", 9));
    service.evidence = vec![place("Dockerfile", 9)];
    service
}

pub(crate) fn web(start: &str) -> Service {
    service("api", Role::Web, start)
}

pub(crate) fn unit(name: &'static str, image: Option<&'static str>) -> Unit {
    let mut unit = Unit::new(name.into(), "service".into());
    unit.image = image.map(Shown::from);
    unit.evidence = vec![place("compose.yaml", 2)];
    unit
}

pub(crate) fn stack(kind: &'static str, units: Vec<Unit>) -> Stack {
    Stack {
        kind: kind.into(),
        files: vec![path("compose.yaml")],
        scope: Scope::Production,
        name: None,
        units,
        volumes: Vec::new(),
        networks: Vec::new(),
        outside_secrets: Vec::new(),
        outside_networks: Vec::new(),
        groups: Vec::new(),
        confirmed_by: Vec::new(),
        evidence: vec![place("compose.yaml", 1)],
    }
}

pub(crate) fn published(host: u16, container: u16, address: Option<&'static str>) -> PublishedPort {
    PublishedPort {
        host: Some(host),
        address: address.map(Shown::from),
        container,
        published: true,
        evidence: vec![place("compose.yaml", 7)],
    }
}

pub(crate) fn mount(kind: MountKind, source: &'static str, target: &'static str) -> Mount {
    Mount {
        kind,
        source: Some(source.into()),
        target: Some(target.into()),
        read_only: false,
        size_gb: None,
        evidence: vec![place("compose.yaml", 8)],
    }
}

pub(crate) fn way_in(kind: &'static str, file: &'static str) -> Proxy {
    Proxy {
        kind: kind.into(),
        path: path(file),
        name: None,
        class: None,
        hosts: Vec::new(),
        listens: Vec::new(),
        tls: false,
        redirects: false,
        includes: false,
        forwards: Vec::new(),
        settings: Vec::new(),
        scope: Scope::Production,
        evidence: vec![place(file, 1)],
    }
}

pub(crate) fn datastore(id: &'static str, kind: &'static str, role: &'static str) -> Datastore {
    Datastore {
        id: id.into(),
        kind: kind.into(),
        role: role.into(),
        version: None,
        image: None,
        used_by: Vec::new(),
        managed: None,
        scope: Scope::Production,
        confidence: Confidence::Stated,
        unit: None,
        drivers: Vec::new(),
        variables: Vec::new(),
        names: Vec::new(),
        extensions: Vec::new(),
        collections: Vec::new(),
        alternatives: Vec::new(),
        evidence: vec![place("compose.yaml", 12)],
    }
}

pub(crate) fn dockerfile(base: &'static str) -> Container {
    Container {
        kind: "dockerfile".into(),
        path: path("Dockerfile"),
        base_images: vec![base.into()],
        stages: vec![playbook_core::inventory::Stage {
            name: None,
            base: Some(base.into()),
            line: 1,
        }],
        user: None,
        user_line: None,
        exposed_ports: Vec::new(),
        healthcheck: None,
        healthcheck_line: None,
        entrypoint: None,
        entrypoint_shell: false,
        entrypoint_line: None,
        command: None,
        command_shell: false,
        command_line: Some(9),
        workdir: None,
        arguments: Vec::new(),
        variables: Vec::new(),
        copies: Vec::new(),
        runs: Vec::new(),
        run_lines: Vec::new(),
        run_stages: Vec::new(),
        targets: Vec::new(),
        dockerignore: None,
        scope: Scope::Production,
        last_line: 9,
        evidence: vec![place("Dockerfile", 1)],
    }
}

pub(crate) fn signal(kind: SignalKind) -> Signal {
    Signal {
        kind,
        subject: None,
        service: None,
        scope: Scope::Production,
        evidence: vec![place("src/app", 3)],
    }
}

pub(crate) fn inventory(change: impl FnOnce(&mut Inventory)) -> Inventory {
    let mut inventory = Inventory::empty();
    change(&mut inventory);
    inventory
}

/// What one rule says of an inventory.
pub(crate) fn run(id: &str, inventory: &Inventory, target: &'static str) -> Vec<Finding> {
    crate::rule::run(crate::rule::rule(id).into_iter(), inventory, &context(target))
}

/// Asserts that a rule fires, with its evidence as text, the first finding's.
#[track_caller]
pub(crate) fn fires(id: &str, inventory: &Inventory, target: &'static str) -> Finding {
    assert!(crate::rule::rule(id).is_some(), "no rule {id}");
    run(id, inventory, target)
        .into_iter()
        .next()
        .unwrap_or_else(|| panic!("{id} did not fire"))
}

#[track_caller]
pub(crate) fn silent(id: &str, inventory: &Inventory, target: &'static str) {
    assert!(crate::rule::rule(id).is_some(), "no rule {id}");
    let found = run(id, inventory, target);
    assert!(found.is_empty(), "{id} fired: {:?}", found[0].detail);
}

/// Alembic with two files, which nothing runs.
pub(crate) fn migration(change: impl FnOnce(&mut Migration)) -> Migration {
    let mut migration = Migration {
        tool: "alembic".into(),
        path: path("migrations/versions"),
        command: Some(command("alembic upgrade head")),
        rollback: None,
        status: None,
        count: 2,
        service: Some("api".into()),
        datastore: Some("postgresql".into()),
        at_start: false,
        run_by: Vec::new(),
        heads: vec!["b2".into()],
        revisions: Vec::new(),
        evidence: vec![place("alembic.ini", 1)],
    };
    change(&mut migration);
    migration
}

/// A web process with an image, and its migrations.
pub(crate) fn migrated(migration: Migration) -> Inventory {
    inventory(|all| {
        let mut api = web("uvicorn app:app");
        api.dockerfile = Some(path("Dockerfile"));
        all.services.push(api);
        all.containers.push(dockerfile("python:3.14"));
        all.migrations.push(migration);
    })
}

pub(crate) fn operation(kind: OperationKind, object: &'static str, line: u32) -> Operation {
    Operation {
        kind,
        object: Some(object.into()),
        evidence: vec![place("migrations/versions/b2.py", line)],
    }
}

pub(crate) fn revision(id: &'static str, operations: Vec<Operation>) -> Revision {
    Revision {
        id: id.into(),
        path: path("migrations/versions/b2.py"),
        parents: vec![],
        operations,
        reversible: Some(true),
    }
}
