//! What a unit of a stack is: a datastore, a third-party tool, or a process of this repository.

use playbook_core::harmless::ImageRef;
use playbook_core::inventory::{Role, Stack, Unit};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::secret::words_of;
use playbook_core::technology::{Catalogue, Group, Technology};

use super::images::{OwnImages, is_cluster};
use super::roles;

/// What a unit is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum UnitClass {
    /// A datastore of this technology.
    Store(&'static Technology),
    /// Somebody else's software.
    ThirdParty(Role),
    /// A workload of a template that leaves open what it runs.
    Unclear,
    /// A process of this repository.
    Own,
}

/// Judges a unit by its image, its build and its kind.
pub(crate) fn classify(stack: &Stack, unit: &Unit, own: &OwnImages) -> UnitClass {
    if let Some(technology) = unit
        .datastore
        .as_ref()
        .and_then(|slug| Catalogue::get().find(Group::Datastore, slug.as_str()))
        .or_else(|| store_of_program(unit))
    {
        return UnitClass::Store(technology);
    }
    if is_system_program(stack, unit) || is_named_tool(unit) {
        return UnitClass::ThirdParty(Role::Tool);
    }
    let image = unit
        .image
        .as_ref()
        .and_then(|image| ImageRef::parse(Raw::new(image.as_str())));
    if unit.build.is_some() {
        return of_build(unit, image.as_ref(), own);
    }
    let Some(image) = image else {
        return of_template(stack, unit);
    };
    if let Some(class) = of_image(&image) {
        return class;
    }
    if let Some(dockerfile) = own.dockerfile_of(&image) {
        return own.settings_of(dockerfile).unwrap_or(UnitClass::Own);
    }
    if let Some(technology) = store_of_variables(unit) {
        return UnitClass::Store(technology);
    }
    // Where some images are built, the one of a companion that is not built comes from elsewhere.
    let builds = stack.units.iter().any(|unit| unit.build.is_some());
    if own.is_named(&image) && !(builds && own.is_companion(&image)) {
        return UnitClass::Own;
    }
    // A monitor or a proxy of an unknown name beside the own containers of a workload.
    let last = image.repository().rsplit('/').next().unwrap_or_default();
    if let Some(role) = roles::of_foreign_name(last).filter(|_| is_cluster(stack) && !own.is_named(&image)) {
        return UnitClass::ThirdParty(role);
    }
    let foreign = if stack.kind == "docker-compose" {
        // Compose files without any build may still name the repository's own published images.
        let official = !image.repository().contains('/');
        is_public_image(&image) && (builds || official || !own.any() || names_own(stack, own))
    } else {
        is_cluster(stack) && !own.is_single() && (own.named_in_cluster() || !own.any())
    };
    if foreign {
        // Somebody else's shell that runs scripts of this repository once or by the clock.
        let once = is_cluster(stack) && role_of(unit) == Some(Role::Job);
        UnitClass::ThirdParty(if once {
            Role::Job
        } else {
            role_of_foreign(unit, &image, own)
        })
    } else {
        UnitClass::Own
    }
}

/// A build is a process of this repository, unless its Dockerfile only adds settings to somebody else's image. One with
/// the name of a public image is this repository's own variant of it.
fn of_build(unit: &Unit, image: Option<&ImageRef>, own: &OwnImages) -> UnitClass {
    let build = unit.build.as_ref();
    let dockerfile = build.and_then(|build| {
        let stated = build.dockerfile.clone();
        stated.or_else(|| build.context.as_ref()?.join("Dockerfile"))
    });
    if let Some(class) = dockerfile.and_then(|path| own.settings_of(&path)) {
        return class;
    }
    match image.and_then(of_image) {
        Some(UnitClass::Store(technology)) => UnitClass::Store(technology),
        _ => UnitClass::Own,
    }
}

/// A workload whose image a template fills: its name may say that it is a datastore; what has no telling name is
/// unclear.
fn of_template(stack: &Stack, unit: &Unit) -> UnitClass {
    if unit.image.is_some() || !matches!(stack.kind.as_str(), "helm" | "kubernetes" | "kustomize") {
        return UnitClass::Own;
    }
    let words = words_of(unit.name.as_str());
    let stored = words.iter().any(|word| {
        Catalogue::get().find(Group::Datastore, word).is_some()
            || Catalogue::get()
                .by_image(word)
                .iter()
                .any(|found| found.technology.group == Group::Datastore)
    });
    if stored {
        UnitClass::Unclear
    } else {
        UnitClass::Own
    }
}

/// Does another unit of the stack run an image of this repository?
fn names_own(stack: &Stack, own: &OwnImages) -> bool {
    stack.units.iter().any(|unit| {
        unit.image
            .as_ref()
            .and_then(|image| ImageRef::parse(Raw::new(image.as_str())))
            .is_some_and(|image| of_image(&image).is_none() && own.is_named(&image))
    })
}

/// What somebody else's image is for, as far as names say.
fn role_of_foreign(unit: &Unit, image: &ImageRef, own: &OwnImages) -> Role {
    let last = image.repository().rsplit('/').next().unwrap_or_default();
    match roles::of_foreign_name(last).or_else(|| roles::of_foreign_name(unit.name.as_str())) {
        Some(role) => role,
        // The user interface of this very project, published from a repository of its own.
        None if own.is_companion(image) && roles::of_name(last) == Some(Role::Frontend) => Role::Frontend,
        None => Role::Tool,
    }
}

/// A datastore's server among the processes of a host or of an image.
fn store_of_program(unit: &Unit) -> Option<&'static Technology> {
    let alone =
        unit.image.is_none() && unit.build.is_none() && unit.root.as_ref().is_none_or(RelPath::is_root);
    let command = unit.command.as_ref().filter(|_| alone)?;
    let slug = roles::simple_commands(command.as_str())
        .last()
        .and_then(|words| words.first())
        .and_then(|program| roles::store_of_program(program))?;
    Catalogue::get().find(Group::Datastore, slug)
}

/// An image that no one knows, which is told the first user and database of an engine as the engine's own image is.
fn store_of_variables(unit: &Unit) -> Option<&'static Technology> {
    let slug = roles::store_of_variables(unit.variables.iter().map(|variable| variable.name.as_str()))?;
    let technology = Catalogue::get().find(Group::Datastore, slug)?;
    // A client may be told the same; a server listens on the engine's port or on none that is stated.
    let listens = unit
        .ports
        .iter()
        .all(|port| Some(port.container) == technology.default_port);
    let named = words_of(unit.name.as_str())
        .iter()
        .any(|word| word == "db" || word == "database" || word.contains(slug));
    (listens && (named || !unit.ports.is_empty())).then_some(technology)
}

/// Is a unit a further container of a workload whose first one runs something else?
pub(crate) fn is_sidecar(stack: &Stack, position: usize) -> bool {
    let Some(unit) = stack.units.get(position).filter(|_| is_cluster(stack)) else {
        return false;
    };
    // All containers of a workload end their evidence with the workload's own line.
    let place = unit.evidence.last();
    unit.evidence.len() > 1
        && stack
            .units
            .iter()
            .take(position)
            .any(|other| other.evidence.last() == place)
}

/// A service of the host that runs a program of the system: its package is not this repository's.
fn is_system_program(stack: &Stack, unit: &Unit) -> bool {
    stack.kind == "systemd"
        && unit
            .command
            .as_ref()
            .and_then(|command| command.words().next())
            .is_some_and(|program| {
                (program.starts_with("/usr/")
                    || program.starts_with("/bin/")
                    || program.starts_with("/sbin/"))
                    && roles::technologies(program).is_empty()
            })
}

/// A build whose Dockerfile is named after a third-party tool: `mailhog.Dockerfile`.
fn is_named_tool(unit: &Unit) -> bool {
    let dockerfile = unit.build.as_ref().and_then(|build| build.dockerfile.as_ref());
    let stem = dockerfile
        .map(|path| path.name().to_ascii_lowercase())
        .and_then(|name| Some(name.strip_suffix(".dockerfile")?.to_owned()));
    let tool = |name: &str| {
        Catalogue::get().by_image(name).iter().any(|found| {
            found.technology.group == Group::Image
                && found
                    .technology
                    .image
                    .as_ref()
                    .is_none_or(|image| image.runtime.is_none() && image.tag.is_none())
        })
    };
    stem.is_some_and(|stem| tool(&stem) || tool(&format!("{stem}/{stem}")))
}

/// What the catalogue says about an image.
pub(crate) fn of_image(image: &ImageRef) -> Option<UnitClass> {
    let found = Catalogue::get().by_image(image.repository());
    if let Some(store) = found
        .iter()
        .find(|found| found.technology.group == Group::Datastore)
    {
        return Some(UnitClass::Store(store.technology));
    }
    let tool = found.iter().find(|found| {
        found.technology.group == Group::Image
            && found
                .technology
                .image
                .as_ref()
                .is_none_or(|image| image.runtime.is_none())
    })?;
    let role = tool
        .technology
        .roles
        .iter()
        .find_map(|role| Role::from_word(role));
    role.map(UnitClass::ThirdParty)
}

/// An image without a variable in its name.
fn is_public_image(image: &ImageRef) -> bool {
    !image.without_tag().contains('$')
}

/// The folder of the code that a unit runs.
pub(crate) fn code_dir(
    stack: &Stack,
    unit: &Unit,
    dockerfile_dir: impl Fn(&RelPath) -> RelPath,
    owner_dir: impl Fn(&RelPath) -> RelPath,
) -> Option<RelPath> {
    let dockerfile = unit.build.as_ref().and_then(|build| build.dockerfile.as_ref());
    if let Some(root) = unit
        .root
        .as_ref()
        .filter(|root| !root.is_root() || dockerfile.is_none())
    {
        return Some(owner_dir(root));
    }
    if let Some(build) = &unit.build {
        if let Some(dockerfile) = dockerfile {
            return Some(dockerfile_dir(dockerfile));
        }
        return build.context.clone();
    }
    // A workload's manifest lies apart from the code; a template may leave its image open.
    if unit.image.is_none()
        && !matches!(
            stack.kind.as_str(),
            "kubernetes" | "helm" | "kustomize" | "terraform" | "cloudformation" | "bicep"
        )
    {
        // A line of a Procfile or a service of a blueprint runs the code of its file's folder.
        return stack.files.first().map(|file| owner_dir(&file.parent()));
    }
    None
}

/// The role that a unit's kind, command and name tell, in this order.
pub(crate) fn role_of(unit: &Unit) -> Option<Role> {
    let by_kind = match unit.kind.as_str() {
        "web" | "pserv" | "web_service" => Some(Role::Web),
        "worker" | "background_worker" | "daemon" => Some(Role::Worker),
        "cron" | "CronJob" | "cronjob" | "job" | "Job" | "release" => Some(Role::Job),
        "static" | "static_site" => Some(Role::Frontend),
        "function" => Some(Role::Function),
        _ => None,
    };
    let by_command = unit
        .command
        .as_ref()
        .or(unit.entrypoint.as_ref())
        .and_then(|command| roles::of_command(command.as_str()));
    // A scheduler often runs as a platform's worker; the command knows better.
    match (by_kind, by_command) {
        (Some(Role::Worker), Some(Role::Scheduler)) => Some(Role::Scheduler),
        (Some(kind), _) => Some(kind),
        (None, Some(command)) => Some(command),
        (None, None) => None,
    }
}
