//! Which images are built on and run.

use std::collections::BTreeMap;

use playbook_core::evidence::{Confidence, Evidence};
use playbook_core::finding::Severity;
use playbook_core::harmless::ImageRef;
use playbook_core::inventory::{Container, Inventory};
use playbook_core::shown::Shown;
use playbook_core::technology::Catalogue;

use super::facts::{self, Context, code};
use super::knowledge;
use super::ports::is_root;
use crate::rule::{Findings, Rule};

pub(super) const RULES: &[&Rule] = &[&UNPINNED, &ROOT_USER, &HOME_OF_ROOT];

/// An image of production with the places that name it.
pub(super) struct Used {
    pub(super) name: Shown,
    pub(super) image: ImageRef,
    pub(super) places: Vec<Evidence>,
    /// Is it run as it is (not built upon)?
    pub(super) run: bool,
}

/// Every image that production builds on or runs, with its places. Parts that a variable fills are left out.
pub(super) fn used(inventory: &Inventory) -> Vec<Used> {
    let mut list: Vec<Used> = Vec::new();
    let mut add = |name: &Shown, place: Evidence, run: bool| {
        if name.as_str().contains('$') || name == "scratch" {
            return;
        }
        match list.iter_mut().find(|used| used.name == *name && used.run == run) {
            Some(used) => used.places.push(place),
            None => {
                if let Some(image) = facts::image(name) {
                    list.push(Used {
                        name: name.clone(),
                        image,
                        places: vec![place],
                        run,
                    });
                }
            }
        }
    };
    for container in facts::production_containers(inventory) {
        for stage in &container.stages {
            let Some(base) = &stage.base else { continue };
            let is_stage = container
                .stages
                .iter()
                .any(|other| other.name.as_ref() == Some(base));
            if !is_stage {
                add(base, Evidence::at(&container.path, stage.line), false);
            }
        }
    }
    for (_, unit) in facts::production_units(inventory) {
        // What a unit builds itself is named by its image, not taken from a registry.
        if unit.build.is_some() {
            continue;
        }
        if let (Some(name), Some(place)) = (&unit.image, image_place(unit)) {
            add(name, place, true);
        }
    }
    list
}

/// The best place for a unit's image.
fn image_place(unit: &playbook_core::inventory::Unit) -> Option<Evidence> {
    unit.evidence.first().cloned()
}

static UNPINNED: Rule = Rule {
    id: "image-latest-or-untagged",
    severity: Severity::Medium,
    section: 3,
    title: "An image has no version",
    why: "Each pull may bring another program, so a deployment cannot be repeated and there is no version to return to.",
    fix: "Name a version, best with its digest, and raise it on purpose.",
    check: unpinned,
};

/// Names of images with the places that use them.
type Names = (Vec<Shown>, Vec<Evidence>);

fn unpinned(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    let stores: Vec<&Shown> = facts::production_datastores(inventory)
        .filter_map(|store| store.image.as_ref())
        .collect();
    let mut kinds: BTreeMap<(Severity, &'static str), Names> = BTreeMap::new();
    for used in used(inventory) {
        let floating = match used.image.tag() {
            None => true,
            Some(tag) => {
                let codename = knowledge::get()
                    .codename_images
                    .contains(&used.image.repository().trim_start_matches("library/"));
                used.image.version().is_none() && is_moving(tag) && !(codename && has_codename(tag))
            }
        };
        if !floating || used.image.digest().is_some() {
            continue;
        }
        let kind = if stores.contains(&&used.name) {
            (
                Severity::High,
                "{}: the next pull may bring a major version that does not read the data of the present one.",
            )
        } else if used.run {
            (Severity::Medium, "Run without a version: {}.")
        } else {
            (Severity::Medium, "The build starts from {}.")
        };
        let group = kinds.entry(kind).or_default();
        group.0.push(used.name);
        group.1.extend(used.places);
    }
    for ((severity, detail), (names, places)) in kinds {
        findings
            .add(Shown::fill(detail, &[&facts::list(&names)]), places)
            .severity(severity);
    }
}

/// Does the tag name a release of the distribution?
fn has_codename(tag: &str) -> bool {
    tag.split('-')
        .any(|part| knowledge::get().codenames.contains(&part))
}

/// Tags that name a channel or a variant of the newest version.
fn is_moving(tag: &str) -> bool {
    tag.split('-')
        .all(|part| knowledge::get().moving_tags.contains(&part))
}

static ROOT_USER: Rule = Rule {
    id: "dockerfile-root-user",
    severity: Severity::Medium,
    section: 3,
    title: "The image runs as root",
    why: "Whoever takes the process is root in the container, and clusters that demand other users refuse it.",
    fix: "Create a user in the last stage and end it with `USER`.",
    check: root_user,
};

fn root_user(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    let mut unset: Vec<&Container> = Vec::new();
    for container in facts::production_containers(inventory) {
        // A Dockerfile that starts nothing is a base for others.
        if container.command.is_none() && container.entrypoint.is_none() && container.command_line.is_none() {
            continue;
        }
        match &container.user {
            Some(user) if is_root(user.as_str()) => {
                let line = container.user_line.unwrap_or(container.last_line);
                findings.add(
                    Shown::fill("`{}` sets the user {}.", &[&container.path.shown(), &code(user)]),
                    [
                        Evidence::at(&container.path, line),
                        facts::command_place(container),
                    ],
                );
            }
            Some(_) => {}
            None => {
                let base = container.stages.last().and_then(|stage| stage.base.as_ref());
                if base.is_some_and(runs_as_other_user) {
                    continue;
                }
                let unit_user = facts::production_units(inventory).any(|(_, unit)| {
                    unit.user.as_ref().is_some_and(|user| !is_root(user.as_str()))
                        && unit
                            .build
                            .as_ref()
                            .is_some_and(|build| build.dockerfile.as_ref() == Some(&container.path))
                });
                if unit_user {
                    continue;
                }
                unset.push(container);
            }
        }
    }
    let from = |container: &&Container| {
        container
            .stages
            .last()
            .map(|stage| Evidence::at(&container.path, stage.line))
    };
    let names: Vec<Shown> = unset.iter().map(|container| container.path.shown()).collect();
    findings.add(
        Shown::fill("No `USER` in the last stage of {}.", &[&facts::list(&names)]),
        unset
            .iter()
            .map(|container| facts::command_place(container))
            .chain(unset.iter().filter_map(from)),
    );
}

/// Does the base image come with another user?
fn runs_as_other_user(base: &Shown) -> bool {
    let known = facts::image(base).and_then(|image| {
        Catalogue::get()
            .base_image(image.without_tag(), image.tag())
            .and_then(|technology| technology.image.as_ref()?.user)
    });
    known.is_some_and(|user| !is_root(user))
        || knowledge::get()
            .own_user_images
            .iter()
            .any(|part| base.as_str().contains(part))
}

static HOME_OF_ROOT: Rule = Rule {
    id: "user-site-in-root-home",
    severity: Severity::Blocker,
    section: 3,
    title: "The program lies in root's home, which the image's user may not enter",
    why: "`/root` is closed to other users: the start ends with a permission error.",
    fix: "Install into a virtual environment below `/opt` (or with `--target`) and copy that.",
    check: home_of_root,
};

fn home_of_root(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for container in facts::production_containers(inventory) {
        let Some(user) = container.user.as_ref().filter(|user| !is_root(user.as_str())) else {
            continue;
        };
        let last = u32::try_from(container.stages.len().saturating_sub(1)).unwrap_or(u32::MAX);
        let copied = container.copies.iter().find(|copy| {
            copy.stage == last
                && copy.from.is_some()
                && copy
                    .destination
                    .as_ref()
                    .is_some_and(|to| to.as_str().starts_with("/root/"))
        });
        let Some(copy) = copied else { continue };
        let opened = container
            .runs
            .iter()
            .zip(&container.run_lines)
            .any(|(run, line)| {
                *line > copy.line && run.as_str().contains("chmod") && run.as_str().contains("/root")
            });
        if opened {
            continue;
        }
        findings
            .add(
                Shown::fill(
                    "`{}` copies its program to {} and runs as {}.",
                    &[
                        &container.path.shown(),
                        &copy
                            .destination
                            .as_ref()
                            .map_or_else(|| Shown::from("`/root`"), code),
                        &code(user),
                    ],
                ),
                [Evidence::at(&container.path, copy.line)].into_iter().chain(
                    container
                        .user_line
                        .map(|line| Evidence::at(&container.path, line)),
                ),
            )
            .confidence(Confidence::Derived);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use playbook_core::inventory::CopyStep;

    #[test]
    fn unpinned() {
        let id = "image-latest-or-untagged";
        let with = |image: &'static str| {
            inventory(|all| {
                all.stacks
                    .push(stack("docker-compose", vec![unit("x", Some(image))]));
            })
        };
        for image in [
            "adminer",
            "redis:alpine",
            "registry.example.com/api:latest",
            "x/y:postgresql-latest",
        ] {
            fires(id, &with(image), "compose");
        }
        for image in [
            "redis:8-alpine",
            "${IMAGE}:${TAG}",
            "x@sha256:0000000000000000000000000000000000000000000000000000000000000000",
            "x:2026-01",
            "debian:bookworm-slim",
        ] {
            silent(id, &with(image), "compose");
        }
        let mut store = with("postgres");
        let mut postgres = datastore("db", "postgresql", "database");
        postgres.image = Some("postgres".into());
        store.datastores.push(postgres);
        assert_eq!(fires(id, &store, "compose").severity, Severity::High);
        fires(
            id,
            &inventory(|all| all.containers.push(dockerfile("node"))),
            "compose",
        );
        let mut built = with("api:latest");
        built.stacks[0].units[0].build = Some(playbook_core::inventory::Build::default());
        silent(id, &built, "compose");
    }

    #[test]
    fn root_user() {
        let id = "dockerfile-root-user";
        let with = |base: &'static str, user: Option<&'static str>| {
            let mut container = dockerfile(base);
            container.user = user.map(Shown::from);
            inventory(|all| all.containers.push(container))
        };
        assert_eq!(
            fires(id, &with("node:24", None), "compose").evidence,
            [place("Dockerfile", 9), place("Dockerfile", 1)]
        );
        fires(id, &with("node:24", Some("root")), "compose");
        silent(id, &with("node:24", Some("node")), "compose");
        silent(
            id,
            &with("gcr.io/distroless/nodejs24-debian13:nonroot", None),
            "compose",
        );
    }

    #[test]
    fn home_of_root() {
        let id = "user-site-in-root-home";
        let with = |user: &'static str, to: &'static str| {
            let mut container = dockerfile("python:3.13");
            container.user = Some(user.into());
            container.user_line = Some(7);
            container.copies.push(CopyStep {
                from: Some("builder".into()),
                sources: vec!["/root/.local".into()],
                destination: Some(to.into()),
                chown: false,
                line: 5,
                stage: 0,
            });
            inventory(|all| all.containers.push(container))
        };
        assert_eq!(
            fires(id, &with("app", "/root/.local"), "compose").evidence,
            [place("Dockerfile", 5), place("Dockerfile", 7)]
        );
        silent(id, &with("root", "/root/.local"), "compose");
        silent(id, &with("app", "/home/app/.local"), "compose");
    }
}
