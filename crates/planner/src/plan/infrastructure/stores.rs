//! Where each datastore lives on this target.

use serde::Serialize;

use playbook_core::harmless::version_numbers;
use playbook_core::inventory::{Datastore, MountKind, Unit};
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Group};

use super::packaged::{Packaged, packaged};
use super::settings;
use crate::plan::engine::{Engine, EngineVariable, Engines};
use crate::plan::{Given, Offering, Offerings, Wanted};
use crate::prose::Prose;
use crate::rules::facts;
use crate::sizing::{ConnectionTable, Figures};

/// Who runs a datastore.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Placement {
    /// A unit of the repository's own files for this target.
    Stack,
    /// A container or workload that this plan adds.
    New,
    /// The platform's own service.
    Platform,
    /// A service elsewhere: named by the repository, or there is no image of it.
    External,
    /// A package of the host.
    Host,
    /// A file of the application.
    File,
}

/// A datastore with its place.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Store<'a> {
    pub(crate) store: &'a Datastore,
    /// Name of its container, workload or resource, and its host name.
    pub(crate) name: Shown,
    pub(crate) placement: Placement,
    pub(crate) unit: Option<&'a Unit>,
    /// The managed offering that the repository names.
    pub(crate) managed: Option<&'a Shown>,
    /// The image that runs: the repository's, or the catalogue's for its version.
    pub(crate) image: Option<Shown>,
    /// Is the image the repository's own?
    image_stated: bool,
    /// The repository's version, or that of the image.
    version: Option<Shown>,
    pub(super) port: Option<u16>,
    /// Names of the services that use it.
    pub(super) used_by: Vec<Shown>,
    /// The volume of the repository's stack.
    volume: Option<Shown>,
    data_path: Option<Prose>,
    pub(crate) has_volume: bool,
    /// Does it hold data that exists nowhere else?
    pub(crate) durable: bool,
    /// Does it carry queued work?
    queue: bool,
    /// MiB of its limit, where it runs in a container.
    pub(crate) limit: Option<u32>,
    /// Connections that went into the limit.
    connections: u32,
    engine: Option<Engine>,
    /// The variable that carries its whole address.
    variable: Shown,
    /// What the drivers of the code want of an address.
    drivers: Vec<DriverForm>,
    /// The platform's own service, or that of a company beside it.
    offering: Option<Offering>,
    /// Its packages, where it runs on the host itself.
    pub(crate) packaged: Option<Packaged>,
    /// Does it run in a container of this plan or of the repository's files?
    in_container: bool,
    /// Can a command of this plan save it?
    can_dump: bool,
    /// Kubernetes' word for its workload.
    workload: &'static str,
    /// The first number of its version.
    major: Option<u64>,
}

/// What a driver wants of an address.
#[derive(Debug, Clone, Serialize)]
struct DriverForm {
    driver: Shown,
    /// Beginnings of the addresses it takes.
    forms: &'static [&'static str],
    /// How TLS is asked for.
    tls: Option<&'static str>,
    /// Parameters of other clients that break it.
    rejects: &'static [&'static str],
    /// What it needs behind a pooler of transactions.
    pooler: Option<&'static str>,
}

fn driver_forms(store: &Datastore) -> Vec<DriverForm> {
    store
        .drivers
        .iter()
        .filter_map(|slug| {
            let driver = Catalogue::get()
                .find(Group::Driver, slug.as_str())?
                .driver
                .as_ref()?;
            Some(DriverForm {
                driver: slug.clone(),
                forms: &driver.url_forms,
                tls: driver.tls,
                rejects: &driver.rejects,
                pooler: driver.transaction_pooler,
            })
        })
        .filter(|form| !form.forms.is_empty() || form.tls.is_some())
        .collect()
}

/// The variable that carries the whole address of a datastore; the usual one where the repository names none.
fn address_variable(store: &Datastore) -> Shown {
    store
        .variables
        .iter()
        .find(|name| settings::property(name.as_str()) == Some("connection"))
        .cloned()
        .unwrap_or_else(|| Shown::from("DATABASE_URL"))
}

impl Store<'_> {
    /// Variables of the engine's image.
    pub(crate) fn variables(&self) -> &[EngineVariable] {
        self.engine
            .as_ref()
            .map_or(&[], |engine| engine.variable.as_slice())
    }

    /// Can it be asked whether it is ready?
    pub(crate) fn has_ready(&self) -> bool {
        self.engine.as_ref().is_some_and(Engine::has_ready)
    }

    /// Is it a service that the platform or a company sells?
    pub(crate) fn is_offered(&self) -> bool {
        self.offering.is_some()
    }

    pub(crate) fn port(&self) -> Option<u16> {
        self.port
    }

    pub(crate) fn in_container(&self) -> bool {
        self.in_container
    }

    pub(crate) fn can_dump(&self) -> bool {
        self.can_dump
    }

    /// Can its data be fetched by its address alone?
    pub(crate) fn can_dump_by_address(&self) -> bool {
        self.durable
            && self
                .engine
                .as_ref()
                .is_some_and(|engine| engine.url_dump.is_some())
    }

    /// The engine's own command that counts what waits.
    pub(crate) fn queue_length(&self) -> Option<Prose> {
        self.engine
            .as_ref()
            .and_then(|engine| engine.queue_length.clone())
    }
}

pub(super) fn place<'a>(
    given: &Given<'a>,
    engines: &Engines,
    offerings: &Offerings,
    connections: &[ConnectionTable],
    figures: &Figures,
) -> Vec<Store<'a>> {
    given
        .datastores
        .iter()
        .map(|store| one(given, engines, offerings, connections, figures, store))
        .collect()
}

fn one<'a>(
    given: &Given<'a>,
    engines: &Engines,
    offerings: &Offerings,
    connections: &[ConnectionTable],
    figures: &Figures,
    store: &'a Datastore,
) -> Store<'a> {
    let engine = engines.get(&store.kind);
    let unit = given.unit_of_store(store);
    let catalogue = Catalogue::get()
        .find(Group::Datastore, store.kind.as_str())
        .and_then(|technology| technology.datastore.as_ref());
    let placement = placement(given, store, unit, engine.as_ref(), offerings);
    let repository_image = unit.and_then(|unit| unit.image.clone()).or(store.image.clone());
    let image = match placement {
        Placement::Stack | Placement::New => repository_image.clone().or_else(|| {
            engine
                .as_ref()
                .and_then(|engine| engine.image_for(store.version.as_ref()))
        }),
        _ => None,
    };
    let version = store
        .version
        .clone()
        .or_else(|| unit.and_then(|unit| unit.version.clone()))
        .or_else(|| image_version(image.as_ref()));
    let major = version
        .as_ref()
        .and_then(|version| version_numbers(version.as_str()).first().copied());
    let volume = unit.and_then(|unit| {
        unit.mounts
            .iter()
            .filter(|mount| matches!(mount.kind, MountKind::Volume | MountKind::Bind) && !mount.read_only)
            .find_map(|mount| mount.source.clone())
    });
    let queue = store.role == "queue" || store.role == "stream";
    let durable = engine.as_ref().is_some_and(|engine| engine.durable)
        || catalogue.is_some_and(|facts| facts.embedded)
        || (store.role != "cache" && store.kind != "memcached");
    let packaged = engine
        .as_ref()
        .filter(|_| placement == Placement::Host)
        .and_then(|engine| packaged(store, engine, version.as_ref()));
    let in_container = matches!(placement, Placement::Stack | Placement::New) && image.is_some();
    let table = connections.iter().find(|table| table.store == store.id);
    let clients = table.map_or(0, ConnectionTable::at_most);
    let limit = (in_container || packaged.is_some()).then(|| {
        let mib = engine.as_ref().map_or(figures.third_party, |engine| {
            engine
                .memory_mib
                .saturating_add(clients.saturating_mul(engine.memory_per_connection_mib))
        });
        figures.round(mib)
    });
    let name = store_name(store, unit);
    let variable = address_variable(store);
    let wanted = Wanted {
        name: &name,
        major,
        variable: &variable,
    };
    Store {
        store,
        placement,
        unit,
        managed: store
            .managed
            .as_ref()
            .filter(|_| placement == Placement::External),
        image_stated: repository_image.is_some(),
        data_path: engine
            .as_ref()
            .and_then(|engine| engine.data_path_for(version.as_ref())),
        has_volume: in_container
            && engine
                .as_ref()
                .is_none_or(|engine| engine.data_path_for(None).is_some())
            || placement == Placement::File,
        image,
        version,
        port: engine.as_ref().and_then(|engine| engine.port).or_else(|| {
            Catalogue::get()
                .find(Group::Datastore, store.kind.as_str())?
                .default_port
        }),
        used_by: given
            .services
            .iter()
            .filter(|service| store.used_by.contains(&service.id) || service.depends_on.contains(&store.id))
            .map(|service| super::process_name(given, service))
            .collect(),
        volume,
        durable,
        queue,
        limit,
        connections: clients,
        can_dump: match placement {
            Placement::File => true,
            Placement::Stack | Placement::New => {
                engine.as_ref().is_some_and(Engine::can_dump) && executes(given)
            }
            Placement::Host => engine.as_ref().is_some_and(Engine::can_dump),
            Placement::Platform => engine.as_ref().is_some_and(Engine::can_dump_by_address),
            Placement::External => false,
        },
        packaged,
        in_container,
        workload: match unit.map(|unit| unit.kind.as_str()) {
            Some("Deployment") => "deployment",
            Some("Pod") => "pod",
            _ => "statefulset",
        },
        offering: match placement {
            Placement::Platform => offerings.own(&store.kind, &wanted),
            Placement::External => offerings.companion(&store.kind, store.managed.as_ref(), &wanted),
            _ => None,
        },
        drivers: driver_forms(store),
        variable,
        name,
        major,
        engine,
    }
}

/// A name that fits every target: the unit's, or the kind.
fn store_name(store: &Datastore, unit: Option<&Unit>) -> Shown {
    match unit {
        Some(unit) => unit.name.clone(),
        None => store.unit.clone().unwrap_or_else(|| store.id.clone()),
    }
}

fn placement(
    given: &Given<'_>,
    store: &Datastore,
    unit: Option<&Unit>,
    engine: Option<&Engine>,
    offerings: &Offerings,
) -> Placement {
    let facts = Catalogue::get()
        .find(Group::Datastore, store.kind.as_str())
        .and_then(|technology| technology.datastore.as_ref());
    if facts.is_some_and(|facts| facts.embedded) {
        return Placement::File;
    }
    // What the repository runs in a container or leaves open becomes a package, or has to live elsewhere.
    if given.context.target.own_host && !given.context.target.containers {
        return if store.managed.is_none() && engine.is_some_and(|engine| engine.host.is_some()) {
            Placement::Host
        } else {
            Placement::External
        };
    }
    // A unit without an image is a resource of the platform.
    if let Some(unit) = unit {
        return if unit.image.is_some() || unit.build.is_some() {
            Placement::Stack
        } else {
            Placement::Platform
        };
    }
    let target = &given.context.target;
    let offered = offerings.has_own(&store.kind)
        || target
            .facts
            .get("managed-stores")
            .and_then(toml::Value::as_array)
            .is_some_and(|kinds| {
                kinds
                    .iter()
                    .any(|kind| kind.as_str().is_some_and(|kind| store.kind == *kind))
            });
    let own = |vendor: &Shown| *vendor == *target.id || target.vendors.iter().any(|known| *vendor == **known);
    // What comes along with another platform's application is not there on this one.
    let bound = |vendor: &Shown| {
        given.context.bound_vendors.iter().any(|known| *vendor == **known) && !offerings.is_companion(vendor)
    };
    match &store.managed {
        Some(vendor) if own(vendor) && !offered => return Placement::External,
        Some(vendor) if !own(vendor) && !bound(vendor) => return Placement::External,
        _ => {}
    }
    if offered {
        return Placement::Platform;
    }
    if facts.is_some_and(|facts| facts.managed_only) || !keeps_stores(given) {
        return Placement::External;
    }
    let has_image = store.image.is_some()
        || engine.is_some_and(|engine| engine.image_for(store.version.as_ref()).is_some());
    if has_image {
        Placement::New
    } else {
        Placement::External
    }
}

/// Can a container of the platform keep a datastore's files?
fn keeps_stores(given: &Given<'_>) -> bool {
    given
        .context
        .target
        .facts
        .get("container-stores")
        .and_then(toml::Value::as_bool)
        .unwrap_or(true)
}

/// Can commands be run inside a running container, with their input and output?
fn executes(given: &Given<'_>) -> bool {
    given
        .context
        .target
        .facts
        .get("container-exec")
        .and_then(toml::Value::as_bool)
        .unwrap_or(true)
}

fn image_version(image: Option<&Shown>) -> Option<Shown> {
    let image = facts::image(image?)?;
    let version = image.version()?.to_owned();
    playbook_core::harmless::Version::parse(playbook_core::raw::Raw::new(&version)).map(Into::into)
}
