//! What a Dockerfile does, aspect by aspect.

use serde::Serialize;

use playbook_core::evidence::Evidence;
use playbook_core::harmless::version_numbers;
use playbook_core::inventory::Container;
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Image};

use crate::plan::Given;
use crate::rules::facts;

/// Runtimes that have a template in `dockerfiles/`.
pub(super) const TEMPLATES: &[&str] = &[
    "beam", "bun", "deno", "dotnet", "go", "jvm", "node", "php", "python", "ruby", "rust",
];

/// The review of one Dockerfile.
#[derive(Debug, Serialize)]
pub(crate) struct Review<'a> {
    pub(super) container: &'a Container,
    aspects: Vec<Aspect>,
    /// Lines to change, in the order of the file.
    pub(super) changes: Vec<Change>,
}

/// One aspect; the template has the words for each kind and state.
#[derive(Debug, Serialize)]
struct Aspect {
    /// `stages`, `cache`, `base`, `user`, `start`, `secrets`, `ignore`, `health`
    kind: &'static str,
    /// What was found: a word of a fixed list.
    state: &'static str,
    values: Vec<Shown>,
    evidence: Vec<Evidence>,
    good: bool,
}

/// A line of the Dockerfile that should change.
#[derive(Debug, Serialize)]
pub(super) struct Change {
    kind: &'static str,
    line: u32,
    /// The line as it is, put together again from what was read.
    before: Option<Shown>,
    after: Option<Shown>,
}

/// Does a tag name a version down to its patch, or a digest stand there?
pub(super) fn is_pinned(image: &Shown) -> bool {
    facts::image(image).is_some_and(|image| {
        image.digest().is_some()
            || image
                .version()
                .is_some_and(|version| version_numbers(version).len() >= 2)
    })
}

fn image_facts(image: &Shown) -> Option<&'static Image> {
    let image = facts::image(image)?;
    Catalogue::get()
        .base_image(image.without_tag(), image.tag())?
        .image
        .as_ref()
}

/// The image from which the last stage starts, through stages that build on one another.
pub(super) fn last_base(container: &Container) -> Option<&Shown> {
    let mut base = container.stages.last()?.base.as_ref()?;
    for _ in 0..container.stages.len() {
        let Some(stage) = container
            .stages
            .iter()
            .find(|stage| stage.name.as_ref() == Some(base))
        else {
            break;
        };
        base = stage.base.as_ref()?;
    }
    Some(base)
}

/// Has the last stage a shell, as far as its base image is known?
pub(crate) fn has_shell(container: &Container) -> bool {
    match last_base(container) {
        Some(base) if base == "scratch" => false,
        Some(base) => image_facts(base).and_then(|image| image.shell).unwrap_or(true),
        None => true,
    }
}

pub(super) fn review<'a>(given: &Given<'a>, container: &'a Container) -> Review<'a> {
    let at = |line: u32| Evidence::at(&container.path, line);
    let mut changes = Vec::new();
    let aspects = vec![
        stages(container),
        cache(container),
        base(container),
        user(container, &mut changes),
        start(container, &at),
        secrets(given, container),
        ignore(container),
        health(given, container),
    ];
    Review {
        container,
        aspects,
        changes,
    }
}

fn stages(container: &Container) -> Aspect {
    let many = container.stages.len() > 1;
    Aspect {
        kind: "stages",
        state: if many { "several" } else { "one" },
        values: container
            .stages
            .iter()
            .filter_map(|stage| stage.base.clone())
            .collect(),
        evidence: container
            .stages
            .iter()
            .map(|stage| Evidence::at(&container.path, stage.line))
            .collect(),
        good: many,
    }
}

/// Are dependencies installed before the sources are copied, so that a change of code keeps them?
fn cache(container: &Container) -> Aspect {
    let install = [
        "install",
        "sync",
        "ci",
        "download",
        "restore",
        "chef cook",
        "deps.get",
        "go-offline",
        "fetch",
    ];
    let mut state = "unknown";
    let mut evidence = Vec::new();
    for (at, run) in container.runs.iter().enumerate() {
        let words = run.as_str();
        let system = ["apt-get", "apk ", "dnf ", "yum "]
            .iter()
            .any(|tool| words.contains(tool));
        if system
            || !install
                .iter()
                .any(|word| words.split([' ', ':']).any(|part| part == *word))
        {
            continue;
        }
        let (Some(line), Some(stage)) = (container.run_lines.get(at), container.run_stages.get(at)) else {
            continue;
        };
        let everything = container.copies.iter().find(|copy| {
            copy.stage == *stage
                && copy.from.is_none()
                && copy.line < *line
                && copy
                    .sources
                    .iter()
                    .any(|source| *source == "." || *source == "./")
        });
        evidence.push(Evidence::at(&container.path, *line));
        match everything {
            Some(copy) => {
                evidence.push(Evidence::at(&container.path, copy.line));
                state = "sources-first";
            }
            None if state == "unknown" => state = "manifests-first",
            None => {}
        }
    }
    Aspect {
        kind: "cache",
        state,
        values: Vec::new(),
        evidence,
        good: state != "sources-first",
    }
}

fn base(container: &Container) -> Aspect {
    let moving: Vec<Shown> = container
        .base_images
        .iter()
        .filter(|image| **image != "scratch" && !exactly_pinned(image))
        .cloned()
        .collect();
    let lines = container
        .stages
        .iter()
        .filter(|stage| {
            stage
                .base
                .as_ref()
                .is_some_and(|base| moving.is_empty() || moving.contains(base))
        })
        .map(|stage| Evidence::at(&container.path, stage.line))
        .collect();
    Aspect {
        kind: "base",
        state: if moving.is_empty() { "pinned" } else { "moving" },
        good: moving.is_empty(),
        values: if moving.is_empty() {
            container.base_images.clone()
        } else {
            moving
        },
        evidence: lines,
    }
}

/// Does the tag name a patch release, or a digest stand there?
fn exactly_pinned(image: &Shown) -> bool {
    facts::image(image).is_some_and(|image| {
        image.digest().is_some()
            || image
                .version()
                .is_some_and(|version| version_numbers(version).len() >= 3)
    })
}

fn user(container: &Container, changes: &mut Vec<Change>) -> Aspect {
    let base_user = last_base(container)
        .and_then(image_facts)
        .and_then(|image| image.user)
        .filter(|user| !matches!(*user, "root" | "0"));
    let root = |user: &Shown| matches!(user.as_str().split(':').next(), Some("root" | "0"));
    let (state, values) = match (&container.user, base_user) {
        (Some(user), _) if root(user) => ("root", Vec::new()),
        (Some(user), _) => ("set", vec![user.clone()]),
        (None, Some(user)) => ("base", vec![Shown::from(user)]),
        (None, None) => ("none", Vec::new()),
    };
    let good = matches!(state, "set" | "base");
    if !good {
        changes.push(Change {
            kind: "user",
            line: container
                .command_line
                .or(container.entrypoint_line)
                .unwrap_or(container.last_line),
            before: None,
            after: Some(Shown::from("USER 10001:10001")),
        });
    }
    Aspect {
        kind: "user",
        state,
        values,
        evidence: vec![Evidence::at(
            &container.path,
            container.user_line.unwrap_or_else(|| start_line(container)),
        )],
        good,
    }
}

fn start_line(container: &Container) -> u32 {
    container
        .command_line
        .or(container.entrypoint_line)
        .unwrap_or(container.last_line)
}

fn start(container: &Container, at: &dyn Fn(u32) -> Evidence) -> Aspect {
    let command = container.entrypoint.as_ref().or(container.command.as_ref());
    let shell = if container.entrypoint.is_some() {
        container.entrypoint_shell
    } else {
        container.command_shell
    };
    let state = match command {
        None => "base",
        Some(_) if shell => "shell",
        Some(command) if command.as_str().contains(".sh") => "script",
        Some(_) => "exec",
    };
    Aspect {
        kind: "start",
        state,
        values: [&container.entrypoint, &container.command]
            .into_iter()
            .flatten()
            .map(Shown::from)
            .collect(),
        evidence: vec![at(start_line(container))],
        good: state != "shell",
    }
}

fn secrets(given: &Given<'_>, container: &Container) -> Aspect {
    let arguments: Vec<_> = container
        .arguments
        .iter()
        .chain(&container.variables)
        .filter(|argument| playbook_core::secret::is_secret_name(argument.name.as_str()))
        .collect();
    let found = given.findings.iter().any(|finding| {
        finding.rule == "secret-in-image" && finding.evidence.iter().any(|place| place.path == container.path)
    });
    let everything = container.copies.iter().find(|copy| {
        copy.from.is_none()
            && copy
                .sources
                .iter()
                .any(|source| *source == "." || *source == "./")
    });
    let state = if !arguments.is_empty() || found {
        "argument"
    } else if everything.is_some() && container.dockerignore.is_none() {
        "copied"
    } else {
        "clean"
    };
    Aspect {
        kind: "secrets",
        state,
        values: arguments.iter().map(|argument| argument.name.clone()).collect(),
        evidence: arguments
            .iter()
            .map(|argument| Evidence::at(&container.path, argument.line))
            .chain(everything.map(|copy| Evidence::at(&container.path, copy.line)))
            .collect(),
        good: state == "clean",
    }
}

fn ignore(container: &Container) -> Aspect {
    Aspect {
        kind: "ignore",
        state: if container.dockerignore.is_some() {
            "there"
        } else {
            "missing"
        },
        values: Vec::new(),
        evidence: container.dockerignore.iter().map(Evidence::file).collect(),
        good: container.dockerignore.is_some(),
    }
}

/// Is the program of the health check in the image?
fn health(given: &Given<'_>, container: &Container) -> Aspect {
    let probes = given
        .services
        .iter()
        .filter(|service| service.dockerfile.as_ref() == Some(&container.path))
        .filter_map(|service| given.unit_of(service))
        .flat_map(|unit| &unit.probes)
        .filter_map(|probe| Some((probe.command.as_ref()?, probe.evidence.first().cloned())));
    let own = container.healthcheck.as_ref().map(|command| {
        (
            command,
            container
                .healthcheck_line
                .map(|line| Evidence::at(&container.path, line)),
        )
    });
    let Some((command, place)) = own.into_iter().chain(probes).next() else {
        return Aspect {
            kind: "health",
            state: "none",
            values: Vec::new(),
            evidence: Vec::new(),
            good: true,
        };
    };
    let tool = ["curl", "wget"]
        .into_iter()
        .find(|tool| command.words().any(|word| word == *tool));
    let installed = |tool: &str| {
        container.runs.iter().any(|run| {
            run.words().any(|word| word == tool) && run.as_str().contains(" add ")
                || run.words().any(|word| word == tool) && run.as_str().contains("install")
        })
    };
    let base = last_base(container).and_then(image_facts);
    let state = match tool {
        None => "other",
        Some(tool) if installed(tool) => "present",
        Some(tool) => match base.and_then(|image| if tool == "curl" { image.curl } else { image.wget }) {
            Some(true) => "present",
            Some(false) => "absent",
            None => "unknown",
        },
    };
    Aspect {
        kind: "health",
        state,
        values: vec![Shown::from(command)],
        evidence: place.into_iter().collect(),
        good: state != "absent",
    }
}
