//! What a unit of a stack is: a datastore, a third-party tool, or a process of this repository.

use playbook_core::harmless::ImageRef;
use playbook_core::inventory::{Role, Stack, Unit};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::technology::{Catalogue, Group, Technology};

use super::roles;

/// What a unit is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum UnitClass {
    /// A datastore of this technology.
    Store(&'static Technology),
    /// Somebody else's software.
    ThirdParty(Role),
    /// A process of this repository.
    Own,
}

/// Judges a unit by its image, its build and its kind. `own_images` are names under which the repository publishes
/// its own images.
pub(crate) fn classify(stack: &Stack, unit: &Unit, own_images: &[String]) -> UnitClass {
    // Without a Dockerfile the repository has no image of its own that a stack could name.
    let has_images = own_images.iter().any(|name| name == super::project::HAS_IMAGES);
    if let Some(technology) = unit
        .datastore
        .as_ref()
        .and_then(|slug| Catalogue::get().find(Group::Datastore, slug.as_str()))
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
    let Some(image) = image else { return UnitClass::Own };
    let by_image = of_image(&image);
    // A build with the name of a public image is this repository's own variant of it.
    if unit.build.is_some() && !matches!(by_image, Some(UnitClass::Store(_))) {
        return UnitClass::Own;
    }
    if unit.build.is_none() {
        if let Some(class) = by_image {
            return class;
        }
        let repository = image.repository().to_ascii_lowercase();
        let last = repository.rsplit('/').next().unwrap_or(&repository).to_owned();
        let own = own_images.iter().any(|name| {
            *name == last
                || repository.contains(&format!("/{name}"))
                || repository.starts_with(&format!("{name}/"))
        });
        // Compose files without any build may still name the repository's own published images.
        let builds = stack.units.iter().any(|unit| unit.build.is_some());
        let official = !repository.contains('/');
        if !own
            && stack.kind == "docker-compose"
            && is_public_image(&image)
            && (builds || official || !has_images)
        {
            return UnitClass::ThirdParty(Role::Tool);
        }
    }
    UnitClass::Own
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
    if let Some(root) = &unit.root {
        return Some(root.clone());
    }
    if let Some(build) = &unit.build {
        if let Some(dockerfile) = &build.dockerfile {
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
