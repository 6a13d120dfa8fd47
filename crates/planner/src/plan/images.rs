//! Section 3: how images are built, checked and named.

mod recipe;
pub(super) mod review;

use serde::Serialize;

use playbook_core::evidence::{Evidence, Scope};
use playbook_core::inventory::{Container, Role, Service, Unit};
use playbook_core::path::RelPath;
use playbook_core::secret;
use playbook_core::shown::Shown;

pub(crate) use self::recipe::Recipe;
use self::review::Review;
use super::infrastructure::process_name;
use super::{Given, Ledger};
use crate::rules::facts;

/// The decisions of section 3.
#[derive(Debug, Serialize)]
pub(crate) struct Images<'a> {
    /// Images that are built, one for each way of building.
    pub(crate) builds: Vec<Build<'a>>,
    /// Services without a Dockerfile that this plan has a template for, and those without.
    pub(crate) missing: Vec<Recipe<'a>>,
    /// Images that run as they are published.
    pulled: Vec<Pulled>,
    reviews: Vec<Review<'a>>,
    /// Steps of CI that scan.
    scans: Vec<&'a Evidence>,
}

/// One image and how it is built.
#[derive(Debug, Serialize)]
pub(crate) struct Build<'a> {
    /// Its name without registry and tag.
    pub(crate) name: Shown,
    /// The Dockerfile; for a missing one the place where this plan puts it.
    pub(crate) dockerfile: Shown,
    pub(crate) context: Shown,
    target: Option<Shown>,
    /// Names of arguments that the stack passes and that have no default, and of those that are secret.
    arguments: Vec<Shown>,
    secret_arguments: Vec<Shown>,
    /// Names of the services that run it.
    pub(super) services: Vec<Shown>,
    /// The web service that runs it, to try the image with.
    web: Option<&'a Service>,
    port: Option<u16>,
    health: Option<Shown>,
    /// Where the way of building is stated.
    evidence: Vec<Evidence>,
    /// Is the Dockerfile the repository's?
    exists: bool,
    pub(crate) container: Option<&'a Container>,
    /// Its runtime with the version, and the image from which its last stage starts.
    runtime: Option<&'a Shown>,
    runtime_version: Option<&'a Shown>,
    runtime_evidence: Vec<&'a Evidence>,
    base: Option<&'a Shown>,
    /// Arguments of the Dockerfile that have no default.
    open_arguments: Vec<&'a Shown>,
    /// A stage that is named after the front end.
    frontend_stage: Option<&'a Shown>,
    /// Does the last stage have a shell?
    pub(crate) shell: bool,
    /// Names of required variables, without which the process may not start.
    needs: Vec<Shown>,
}

impl Build<'_> {
    /// Is it the image of the process with this name?
    pub(crate) fn runs(&self, process: &Shown) -> bool {
        self.services.contains(process)
    }
}

/// An image that is not built here.
#[derive(Debug, Serialize)]
struct Pulled {
    name: Shown,
    image: Shown,
    /// Has it a tag that names a version?
    pinned: bool,
    evidence: Vec<Evidence>,
}

pub(super) fn build<'a>(given: &Given<'a>, ledger: &mut Ledger) -> Images<'a> {
    let mut builds: Vec<Build<'a>> = Vec::new();
    let mut missing: Vec<Recipe<'a>> = Vec::new();
    // Those first whose way of building is stated; another service of the same Dockerfile then joins them.
    let stated = |service: &&&Service| {
        given.unit_of(service).is_some_and(|unit| unit.build.is_some()) || service.docker_context.is_some()
    };
    let ordered = given
        .services
        .iter()
        .filter(stated)
        .chain(given.services.iter().filter(|service| !stated(service)));
    for service in ordered {
        let unit = given.unit_of(service);
        let stated_image = unit
            .and_then(|unit| unit.image.as_ref())
            .or(service.image.as_ref());
        let dockerfile = unit
            .and_then(|unit| unit.build.as_ref())
            .and_then(|build| build.dockerfile.clone())
            .or_else(|| service.dockerfile.clone())
            .filter(|path| !for_development(given, path));
        if dockerfile.is_none() && stated_image.is_some() && service.runtime.name.is_none() {
            continue;
        }
        if service.role == Role::Function || !given.context.target.containers {
            continue;
        }
        add(
            given,
            service,
            unit,
            dockerfile.as_ref(),
            &mut builds,
            &mut missing,
        );
    }
    distinct_names(&mut builds);
    let mut reviews: Vec<Review<'a>> = Vec::new();
    for build in &builds {
        if let Some(container) = build.container
            && !reviews
                .iter()
                .any(|review| review.container.path == container.path)
        {
            reviews.push(review::review(given, container));
        }
    }
    ledger.condition("builds_images", !builds.is_empty());
    ledger.condition("has_dockerfile", !reviews.is_empty());
    ledger.condition("lacks_dockerfile", builds.iter().any(|build| !build.exists));
    ledger.condition(
        "has_buildable_web",
        builds
            .iter()
            .any(|build| build.web.is_some() && build.port.is_some()),
    );
    ledger.condition(
        "has_image_changes",
        reviews.iter().any(|review| !review.changes.is_empty()),
    );
    let pulled = pulled(given);
    ledger.condition("pulls_images", !pulled.is_empty());
    Images {
        scans: given
            .inventory
            .ci_steps
            .iter()
            .filter(|step| {
                let command = step.command.as_str();
                ["trivy", "grype", "docker scout", "snyk"]
                    .iter()
                    .any(|tool| command.contains(tool))
            })
            .filter_map(|step| step.evidence.first())
            .collect(),
        builds,
        missing,
        pulled,
        reviews,
    }
}

fn add<'a>(
    given: &Given<'a>,
    service: &'a Service,
    unit: Option<&'a Unit>,
    dockerfile: Option<&RelPath>,
    builds: &mut Vec<Build<'a>>,
    missing: &mut Vec<Recipe<'a>>,
) {
    let exists = dockerfile.is_some();
    let folder = service
        .manifest
        .as_ref()
        .map_or_else(|| service.path.clone(), RelPath::parent);
    let path = dockerfile
        .cloned()
        .clone()
        .unwrap_or_else(|| new_dockerfile(given, &folder));
    let container = given
        .containers
        .iter()
        .copied()
        .find(|container| container.path == path);
    // What belongs to a Dockerfile that is not used says nothing about the one that takes its place.
    let replaced = !exists && (service.dockerfile.is_some() || unit.is_some_and(|unit| unit.build.is_some()));
    let stack_build = unit.and_then(|unit| unit.build.as_ref()).filter(|_| !replaced);
    let context = stack_build
        .and_then(|build| build.context.clone())
        .or_else(|| service.docker_context.clone().filter(|_| !replaced))
        .unwrap_or_else(|| if exists { path.parent() } else { folder.clone() });
    let target = stack_build
        .and_then(|build| build.target.clone())
        .or_else(|| service.docker_target.clone().filter(|_| !replaced));
    let context_stated = stack_build.is_some_and(|build| build.context.is_some())
        || (service.docker_context.is_some() && !replaced);
    let context = if context.is_root() {
        Shown::from(".")
    } else {
        context.shown()
    };
    let name = process_name(given, service);
    let web = matches!(service.role, Role::Web | Role::Frontend).then_some(service);
    let same = |build: &&mut Build<'a>| {
        build.dockerfile == path.shown()
            && (build.context == context || !context_stated)
            && build.target == target
            && (exists || build.web.is_none_or(|other| other.manifest == service.manifest))
    };
    if let Some(build) = builds.iter_mut().find(same) {
        build.services.push(name);
        if build.web.is_none()
            && let Some(web) = web
        {
            build.web = Some(web);
            build.port = web.ports.first().copied();
            build.health = web.health_checks.first().cloned();
        }
        return;
    }
    let passed: Vec<Shown> = stack_build
        .map(|build| build.arguments.clone())
        .unwrap_or_default()
        .into_iter()
        .filter(|name| {
            container.is_none_or(|container| {
                container
                    .arguments
                    .iter()
                    .any(|argument| argument.name == *name && !argument.has_default)
            })
        })
        .collect();
    let (secret_arguments, arguments) = passed
        .into_iter()
        .partition(|name| secret::is_secret_name(name.as_str()));
    builds.push(Build {
        name: image_name(given, service, unit),
        dockerfile: path.shown(),
        context,
        target,
        arguments,
        secret_arguments,
        services: vec![name],
        web,
        port: web.and_then(|web| web.ports.first().copied()),
        health: web.and_then(|web| web.health_checks.first().cloned()),
        evidence: unit
            .and_then(|unit| unit.evidence.first().cloned())
            .or_else(|| container.and_then(|container| container.evidence.first().cloned()))
            .into_iter()
            .collect(),
        exists,
        runtime: service.runtime.name.as_ref(),
        runtime_version: service.runtime.version.as_ref(),
        runtime_evidence: service.runtime.version_source.iter().collect(),
        base: container.and_then(review::last_base),
        open_arguments: container
            .iter()
            .flat_map(|container| &container.arguments)
            .filter(|argument| !argument.has_default)
            .map(|argument| &argument.name)
            .collect(),
        frontend_stage: container
            .iter()
            .flat_map(|container| &container.stages)
            .filter_map(|stage| stage.name.as_ref())
            .find(|name| {
                ["frontend", "front-end", "client", "assets", "ui"]
                    .iter()
                    .any(|word| name.as_str().split(['-', '_']).any(|part| part == *word))
            }),
        shell: container.is_none_or(review::has_shell),
        needs: given
            .variables
            .iter()
            .filter(|variable| variable.required && variable.services.contains(&service.id))
            .map(|variable| variable.name.clone())
            .collect(),
        container,
    });
    if !exists {
        missing.push(Recipe::new(given, service, &folder, &path));
    }
}

/// Is this Dockerfile for development, tests or examples only?
fn for_development(given: &Given<'_>, path: &RelPath) -> bool {
    given
        .inventory
        .containers
        .iter()
        .any(|container| container.path == *path && container.scope == Scope::Development)
}

/// Where this plan puts a Dockerfile of its own; one for development keeps its place.
fn new_dockerfile(given: &Given<'_>, folder: &RelPath) -> RelPath {
    ["Dockerfile", "Dockerfile.production"]
        .into_iter()
        .filter_map(|name| folder.join(name))
        .find(|path| !for_development(given, path))
        .unwrap_or_else(|| folder.clone())
}

/// The name that the stack gives the image, without tag and without the registry that somebody else pushes to, or the
/// service's.
fn image_name(given: &Given<'_>, service: &Service, unit: Option<&Unit>) -> Shown {
    unit.and_then(|unit| unit.image.as_ref())
        .or(service.image.as_ref())
        .and_then(facts::image)
        .filter(|image| !image.without_tag().contains('$'))
        .map(|image| image.repository().to_owned())
        .and_then(|name| {
            playbook_core::harmless::ImageRef::parse(playbook_core::raw::Raw::new(&name))
                .map(|image| Shown::from(&image))
        })
        .unwrap_or_else(|| process_name(given, service))
}

/// Two builds of one name would overwrite each other's tag.
fn distinct_names(builds: &mut [Build<'_>]) {
    let mut seen = std::collections::BTreeSet::new();
    for build in builds {
        if !seen.insert(build.name.clone()) {
            if let Some(service) = build.services.first() {
                build.name = Shown::fill("{}-{}", &[&build.name, service]);
            }
            seen.insert(build.name.clone());
        }
    }
}

fn pulled(given: &Given<'_>) -> Vec<Pulled> {
    let mut list: Vec<Pulled> = Vec::new();
    if !given.context.target.containers {
        return list;
    }
    let units = given
        .stack
        .map(|stack| stack.units.as_slice())
        .unwrap_or_default();
    for unit in units.iter().filter(|unit| unit.build.is_none()) {
        let Some(image) = &unit.image else { continue };
        if list.iter().any(|known| known.image == *image) {
            continue;
        }
        // What a service of the repository builds under this name is not pulled.
        let built = unit
            .service
            .as_ref()
            .and_then(|id| given.inventory.service(id.as_str()))
            .is_some_and(|service| service.dockerfile.is_some());
        if built {
            continue;
        }
        list.push(Pulled {
            name: unit.name.clone(),
            image: image.clone(),
            pinned: review::is_pinned(image),
            evidence: unit.evidence.iter().take(1).cloned().collect(),
        });
    }
    list
}
