//! How images are built: base images, install steps, what is copied.

use std::collections::{BTreeMap, BTreeSet};

use playbook_core::evidence::{Confidence, Evidence, Scope};
use playbook_core::finding::Severity;
use playbook_core::harmless::version_numbers;
use playbook_core::inventory::{Container, Inventory, SignalKind, VariableOrigin, VersionPin};
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Group};

use super::facts::{self, Context, code, code_command};
use super::knowledge::UnlockedInstall;
use super::support::{self, Support};
use super::{images, knowledge};
use crate::rule::{Findings, Rule};

pub(super) const RULES: &[&Rule] = &[
    &NOT_PULLABLE,
    &END_OF_LIFE,
    &VERSION_MISMATCH,
    &CI_DIFFERS,
    &LOCKFILE_MISSING,
    &LOCKFILE_UNUSED,
    &IGNORE_FILE_MISSING,
    &ENV_FILE_COPIED,
    &DEVELOPMENT_PACKAGES,
    &GLIBC,
];

static NOT_PULLABLE: Rule = Rule {
    id: "image-not-pullable",
    severity: Severity::Blocker,
    section: 3,
    title: "An image can no longer be pulled, or gets no more updates",
    why: "A host that does not have it yet cannot start the service.",
    fix: "Use a maintained image.",
    check: not_pullable,
};

fn not_pullable(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for used in images::used(inventory) {
        let name = used.image.without_tag();
        let known =
            knowledge::get()
                .unavailable_images
                .iter()
                .find(|known| match known.image.strip_suffix('*') {
                    Some(beginning) => name.trim_start_matches("docker.io/").starts_with(beginning),
                    None => {
                        name.trim_start_matches("docker.io/")
                            .trim_start_matches("library/")
                            == known.image
                    }
                });
        if let Some(known) = known {
            findings
                .add(
                    Shown::fill(
                        "{} has not been available or updated since {}.",
                        &[&code(&used.name), &Shown::from(known.since)],
                    ),
                    used.places,
                )
                .severity(if known.gone {
                    Severity::Blocker
                } else {
                    Severity::High
                })
                .fix(Shown::fill("Use {}.", &[&Shown::from(known.instead)]));
        }
    }
}

static END_OF_LIFE: Rule = Rule {
    id: "base-image-eol",
    severity: Severity::High,
    section: 3,
    title: "A runtime or image gets no more fixes",
    why: "Weaknesses that become known stay open.",
    fix: "Move to a supported version.",
    check: end_of_life,
};

fn end_of_life(inventory: &Inventory, context: &Context, findings: &mut Findings) {
    let mut seen: BTreeSet<&'static str> = BTreeSet::new();
    let mut report =
        |technology: &'static playbook_core::technology::Technology, version: &str, places: Vec<Evidence>| {
            let Some((support, cycle)) = support::support(technology, version, context.date) else {
                return;
            };
            let pieces = |day: &'static str| {
                [
                    Shown::from(technology.name),
                    Shown::from(cycle.version),
                    Shown::from(day),
                    Shown::from(cycle.source_date),
                ]
            };
            let (template, pieces, severity) = match support {
                Support::Ended(Some(day)) => (
                    "The support of {} {} ended on {} (as of {}).",
                    pieces(day),
                    Severity::High,
                ),
                Support::Ended(None) => (
                    "The support of {} {} has ended{} (as of {}).",
                    pieces(""),
                    Severity::High,
                ),
                Support::Ends(day) => (
                    "The support of {} {} ends on {} (as of {}).",
                    pieces(day),
                    Severity::Low,
                ),
            };
            let draft = findings
                .add(Shown::fill(template, &pieces.each_ref()), places)
                .severity(severity);
            if let Some(next) = support::successor(technology, context.date) {
                draft.fix(Shown::fill(
                    "Move to {} {}.",
                    &[&Shown::from(technology.name), &Shown::from(next)],
                ));
            }
        };
    for used in images::used(inventory) {
        let (Some(technology), Some(version)) = (support::of_image(&used.name), used.image.version()) else {
            continue;
        };
        // Datastores have a rule of their own.
        if technology.group == Group::Datastore {
            continue;
        }
        seen.insert(technology.id);
        report(technology, version, used.places);
    }
    // A runtime that no image names: the version that production's manifests pin.
    for pin in inventory
        .version_pins
        .iter()
        .filter(|pin| pin.scope == Scope::Production)
    {
        let Some(technology) = Catalogue::get().find(Group::Runtime, pin.tool.as_str()) else {
            continue;
        };
        // A range admits newer ones.
        let text = pin.version.as_str();
        let is_pin = text
            .trim_start_matches(['v', '=', '~', '^', ' '])
            .starts_with(|c: char| c.is_ascii_digit())
            && !text.contains(['>', '|', ',', '*']);
        if is_pin && !seen.contains(technology.id) {
            report(technology, text, pin.evidence.iter().take(1).cloned().collect());
        }
    }
}

/// The pins of one tool with at least a major version, by that version as far as all of them state it.
fn pins<'a>(
    inventory: &'a Inventory,
    tool: &Shown,
    keep: impl Fn(&VersionPin) -> bool,
) -> BTreeMap<Vec<u64>, Vec<&'a VersionPin>> {
    let mut versions: BTreeMap<Vec<u64>, Vec<&VersionPin>> = BTreeMap::new();
    for pin in inventory
        .version_pins
        .iter()
        .filter(|pin| pin.tool == *tool && keep(pin))
    {
        let text = pin.version.as_str();
        // Ranges agree with many versions.
        if text.contains(['>', '<', '^', '~', '|', ',', '*', 'x']) {
            continue;
        }
        let numbers = version_numbers(text);
        if !numbers.is_empty() {
            versions.entry(numbers).or_default().push(pin);
        }
    }
    versions
}

/// Do two versions differ in a part that both state, up to the part that counts?
fn differ(tool: &str, a: &[u64], b: &[u64]) -> bool {
    // Releases of these change their behaviour with the second number; of the others with the first.
    let depth = if matches!(
        tool,
        "python" | "go" | "ruby" | "php" | "elixir" | "erlang" | "rust"
    ) {
        2
    } else {
        1
    };
    a.iter().zip(b).take(depth).any(|(x, y)| x != y)
}

/// Pins below what another place of the same folder, or of one above or below it, asks for at least (`>=3.11`), each
/// with that place.
fn below_minimum(
    inventory: &Inventory,
    tool: &Shown,
    pinned: &BTreeMap<Vec<u64>, Vec<&VersionPin>>,
) -> Vec<(Vec<u64>, Evidence)> {
    let mut found = Vec::new();
    for minimum in inventory
        .version_pins
        .iter()
        .filter(|pin| pin.tool == *tool && pin.scope == Scope::Production)
    {
        let Some(rest) = minimum.version.as_str().trim().strip_prefix(">=") else {
            continue;
        };
        let numbers = version_numbers(
            rest.split([',', ' ', '<'])
                .find(|part| !part.is_empty())
                .unwrap_or_default(),
        );
        for (version, pins) in pinned {
            let below = version
                .iter()
                .zip(&numbers)
                .find(|(a, b)| a != b)
                .is_some_and(|(a, b)| a < b);
            for pin in pins.iter().filter(|_| below) {
                if !pin.path.is_in(&minimum.path) && !minimum.path.is_in(&pin.path) {
                    continue;
                }
                let place = |pin: &VersionPin| pin.evidence.first().cloned();
                found.extend(place(pin).map(|place| (version.clone(), place)));
                found.extend(place(minimum).map(|place| (numbers.clone(), place)));
            }
        }
    }
    found
}

fn disagreement(inventory: &Inventory, findings: &mut Findings, of_ci: bool) {
    let tools: BTreeSet<&Shown> = inventory.version_pins.iter().map(|pin| &pin.tool).collect();
    for tool in tools {
        if Catalogue::get().find(Group::Datastore, tool.as_str()).is_some() {
            continue;
        }
        let is_ci = |pin: &VersionPin| {
            pin.evidence.first().is_some_and(|place| {
                place.path.as_str().contains(".github/")
                    || inventory.ci.iter().any(|file| file.path == place.path)
            })
        };
        let ours = pins(inventory, tool, |pin| {
            !is_ci(pin) && pin.scope == Scope::Production
        });
        let theirs = if of_ci {
            pins(inventory, tool, |pin| is_ci(pin))
        } else {
            ours.clone()
        };
        // A matrix that holds the version of production covers it.
        if of_ci
            && theirs
                .keys()
                .any(|b| ours.keys().all(|a| !differ(tool.as_str(), a, b)))
        {
            continue;
        }
        let mut evidence: Vec<(Vec<u64>, Evidence)> = Vec::new();
        for (a, pins) in &ours {
            for (b, others) in &theirs {
                if !differ(tool.as_str(), a, b) {
                    continue;
                }
                for pin in pins.iter().chain(others) {
                    // In one repository, folders may well use different versions.
                    let related = pins.iter().any(|x| {
                        others
                            .iter()
                            .any(|y| of_ci || x.path.is_in(&y.path) || y.path.is_in(&x.path))
                    });
                    if related {
                        evidence.extend(
                            pin.evidence
                                .iter()
                                .take(1)
                                .map(|place| (version_numbers(pin.version.as_str()), place.clone())),
                        );
                    }
                }
            }
        }
        if !of_ci {
            evidence.extend(below_minimum(inventory, tool, &ours));
        }
        let versions: BTreeSet<&Vec<u64>> = evidence.iter().map(|(version, _)| version).collect();
        let texts: Vec<Shown> = versions
            .into_iter()
            .map(|numbers| {
                let parts: Vec<Shown> = numbers.iter().map(|number| Shown::number(*number)).collect();
                Shown::join(&parts, ".")
            })
            .collect();
        let name = Catalogue::get()
            .technology(tool.as_str())
            .map_or_else(|| code(tool), |technology| Shown::from(technology.name));
        findings
            .add(
                Shown::fill("{}: {}.", &[&name, &Shown::join(&texts, ", ")]),
                evidence.into_iter().map(|(_, place)| place),
            )
            .confidence(Confidence::Derived);
    }
}

static VERSION_MISMATCH: Rule = Rule {
    id: "runtime-version-mismatch",
    severity: Severity::Medium,
    section: 3,
    title: "Files of the repository ask for different versions of one runtime",
    why: "What was developed and tested on one version fails to install or behaves differently on the other.",
    fix: "State one version everywhere.",
    check: |inventory, _, findings| disagreement(inventory, findings, false),
};

static CI_DIFFERS: Rule = Rule {
    id: "ci-runtime-differs",
    severity: Severity::Low,
    section: 3,
    title: "The pipeline tests on another version than the image runs",
    why: "A green pipeline says little about the image.",
    fix: "Let the pipeline read the version from the file that the image uses.",
    check: |inventory, _, findings| disagreement(inventory, findings, true),
};

static LOCKFILE_MISSING: Rule = Rule {
    id: "lockfile-missing",
    severity: Severity::Medium,
    section: 3,
    title: "Dependencies are not locked",
    why: "Each build may bring other versions; a release cannot be built again.",
    fix: "Commit the package manager's lockfile.",
    check: lockfile_missing,
};

fn lockfile_missing(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for manifest in &inventory.manifests {
        let used = inventory
            .services
            .iter()
            .any(|service| service.is_own() && service.manifest.as_ref() == Some(&manifest.path));
        if manifest.lockfile.is_some()
            || !used
            || !knowledge::get()
                .lockable_manifests
                .iter()
                .any(|kind| manifest.kind == *kind)
        {
            continue;
        }
        // A workspace keeps one lockfile at its root.
        let folder = manifest.path.parent();
        let above = inventory.manifests.iter().any(|other| {
            other
                .lockfile
                .as_ref()
                .is_some_and(|lock| folder.is_in(&lock.parent()))
        });
        if above {
            continue;
        }
        findings.add(
            Shown::fill("`{}` has no lockfile.", &[&manifest.path.shown()]),
            manifest.evidence.iter().take(1).cloned(),
        );
    }
}

static LOCKFILE_UNUSED: Rule = Rule {
    id: "lockfile-not-used",
    severity: Severity::Medium,
    section: 3,
    title: "The image's build does not install what the lockfile says",
    why: "The image gets other versions than were tested, and two builds of one commit differ.",
    fix: "Use the package manager's frozen install.",
    check: lockfile_unused,
};

fn lockfile_unused(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    let mut raised: BTreeSet<Evidence> = BTreeSet::new();
    for container in facts::production_containers(inventory) {
        for (run, line) in container.runs.iter().zip(&container.run_lines) {
            for part in run.as_str().split(['&', ';', '|']) {
                let Some(known) = knowledge::get()
                    .unlocked_installs
                    .iter()
                    .find(|known| facts::has_word(part, known.words))
                else {
                    continue;
                };
                if known.unless.iter().any(|word| part.contains(word))
                    || installs_packages(part, known.words)
                    || is_frozen(container, known)
                {
                    continue;
                }
                let place = Evidence::at(&container.path, *line);
                raised.insert(place.clone());
                findings
                    .add(
                        Shown::fill("`{}` runs {}.", &[&container.path.shown(), &code_command(run)]),
                        [place],
                    )
                    .fix(Shown::fill("Use `{}`.", &[&Shown::from(known.instead)]));
            }
        }
    }
    let rest: Vec<_> = facts::signals(inventory, SignalKind::UnlockedInstall)
        .filter(|signal| signal.evidence.iter().all(|place| !raised.contains(place)))
        .collect();
    findings.add(
        Shown::from("An install step resolves versions anew."),
        facts::places(rest),
    );
}

/// Does the image hold the package manager to the lockfile for all of its commands?
fn is_frozen(container: &Container, known: &UnlockedInstall) -> bool {
    let by_variable = container
        .variables
        .iter()
        .any(|variable| known.unless_variables.contains(&variable.name.as_str()));
    let by_command = known.unless_configured.is_some_and(|words| {
        container.runs.iter().any(|run| {
            facts::has_word(run.as_str(), words)
                && known.unless.iter().any(|word| run.as_str().contains(word))
        })
    });
    by_variable || by_command
}

/// Does the command add packages by name, for which no lockfile speaks?
fn installs_packages(part: &str, words: &str) -> bool {
    part.split_once(words).is_some_and(|(_, rest)| {
        rest.split_whitespace()
            .next()
            .is_some_and(|word| !word.starts_with('-') && !word.starts_with(['>', '"', '\'', ')']))
    })
}

static IGNORE_FILE_MISSING: Rule = Rule {
    id: "dockerignore-missing",
    severity: Severity::Medium,
    section: 3,
    title: "The whole folder goes into the image",
    why: "Without a `.dockerignore` the image holds the history, local settings with secrets, and programs built for another machine.",
    fix: "Add a `.dockerignore` that leaves out `.git`, `.env*`, dependencies and build output.",
    check: ignore_file_missing,
};

fn ignore_file_missing(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for container in
        facts::production_containers(inventory).filter(|container| container.dockerignore.is_none())
    {
        // What a stage of the build holds does not reach the image.
        let last = facts::final_stages(container);
        let whole = container.copies.iter().find(|copy| {
            copy.from.is_none()
                && last.contains(&copy.stage)
                && copy
                    .sources
                    .iter()
                    .any(|source| matches!(source.as_str(), "." | "./" | "/"))
        });
        if let Some(copy) = whole {
            findings.add(
                Shown::fill(
                    "`{}` copies everything, and no `.dockerignore` counts for it.",
                    &[&container.path.shown()],
                ),
                [Evidence::at(&container.path, copy.line)],
            );
        }
    }
}

static ENV_FILE_COPIED: Rule = Rule {
    id: "dockerignore-lacks-env",
    severity: Severity::High,
    section: 3,
    title: "A local file of variables is copied into the image",
    why: "The image is built where `.env` holds real values; everybody who can pull it can read them.",
    fix: "Add `.env*` to `.dockerignore`.",
    check: env_file_copied,
};

fn env_file_copied(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    // Only where people are told to have such a file.
    let names_env = |path: &playbook_core::path::RelPath| {
        let name = path.name().to_ascii_lowercase();
        name.starts_with(".env") || name.starts_with("env") || facts::has_extension(&name, "env")
    };
    let used = inventory
        .environment
        .iter()
        .flat_map(|variable| &variable.sites)
        .filter(|site| site.origin == VariableOrigin::File)
        .flat_map(|site| &site.evidence)
        .any(|place| names_env(&place.path))
        || inventory
            .stacks
            .iter()
            .flat_map(|stack| &stack.units)
            .any(|unit| !unit.env_files.is_empty())
        || inventory
            .documented_commands
            .iter()
            .any(|step| step.command.as_str().contains(".env"));
    for container in facts::production_containers(inventory) {
        let Some(ignore) = container.dockerignore.as_ref().filter(|_| used) else {
            continue;
        };
        let open: Vec<Evidence> = inventory
            .signals
            .iter()
            .filter(|signal| signal.kind == SignalKind::EnvFileNotIgnored)
            .flat_map(|signal| signal.evidence.iter().cloned())
            .filter(|place| place.path == *ignore)
            .collect();
        // What a stage of the build holds does not reach the image.
        let last = facts::final_stages(container);
        let whole = container.copies.iter().find(|copy| {
            copy.from.is_none()
                && last.contains(&copy.stage)
                && copy
                    .sources
                    .iter()
                    .any(|source| matches!(source.as_str(), "." | "./" | "/"))
        });
        if let Some(copy) = whole.filter(|_| !open.is_empty()) {
            findings.add(
                Shown::fill(
                    "`{}` copies everything, and `{}` does not leave `.env` out.",
                    &[&container.path.shown(), &ignore.shown()],
                ),
                open.into_iter().chain([Evidence::at(&container.path, copy.line)]),
            );
        }
    }
}

static DEVELOPMENT_PACKAGES: Rule = Rule {
    id: "devdeps-in-prod-image",
    severity: Severity::Low,
    section: 3,
    title: "The image holds development packages",
    why: "They make it larger and bring weaknesses that production does not need.",
    fix: "Install without them, or copy only the result into a last stage.",
    check: development_packages,
};

fn development_packages(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for container in facts::production_containers(inventory) {
        let debug = container.arguments.iter().find(|argument| {
            argument.default.as_ref().is_some_and(|default| {
                let name = argument.name.as_str().to_ascii_lowercase();
                (name.contains("group") || name.contains("extra"))
                    && default
                        .as_str()
                        .split(',')
                        .any(|part| matches!(part.trim(), "dev" | "test" | "development"))
            })
        });
        if let Some(argument) = debug {
            findings
                .add(
                    Shown::fill(
                        "The default of {} in `{}` includes them.",
                        &[&code(&argument.name), &container.path.shown()],
                    ),
                    [Evidence::at(&container.path, argument.line)],
                )
                .severity(Severity::Medium);
        }
        // With one stage, everything that the install step brings is in the image.
        if container.stages.len() != 1 {
            continue;
        }
        let install = container.runs.iter().zip(&container.run_lines).find(|(run, _)| {
            let text = run.as_str();
            let node = ["npm ci", "npm install", "yarn install", "pnpm install"]
                .iter()
                .any(|words| facts::has_word(text, words) && !installs_packages(text, words));
            node && ![
                "--omit=dev",
                "--omit dev",
                "--production",
                "--prod",
                "-g ",
                "--global",
                "only=production",
            ]
            .iter()
            .any(|word| text.contains(word))
        });
        let pruned = container.runs.iter().any(|run| run.as_str().contains("prune"))
            || container.variables.iter().any(|variable| {
                variable.name == "NODE_ENV"
                    && variable
                        .default
                        .as_ref()
                        .is_some_and(|value| value == "production")
            });
        if let Some((run, line)) = install.filter(|_| !pruned) {
            findings.add(
                Shown::fill(
                    "`{}` runs {} and has one stage.",
                    &[&container.path.shown(), &code_command(run)],
                ),
                [Evidence::at(&container.path, *line)],
            );
        }
    }
}

static GLIBC: Rule = Rule {
    id: "rust-glibc-mismatch",
    severity: Severity::High,
    section: 3,
    title: "The program is linked against a newer C library than the image has",
    why: "It ends at start: the version of GLIBC is not found.",
    fix: "Use the same Debian release in both stages.",
    check: glibc,
};

/// Debian releases, oldest first.
const DEBIAN: [&str; 4] = ["buster", "bullseye", "bookworm", "trixie"];

fn glibc(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    let suite = |name: &Shown| DEBIAN.iter().position(|suite| name.as_str().contains(suite));
    for container in facts::production_containers(inventory) {
        let Some((last, before)) = container.stages.split_last() else {
            continue;
        };
        let compiles = |name: &Shown| {
            name.as_str().starts_with("rust:")
                || name.as_str().starts_with("golang:")
                || name.as_str().starts_with("lukemathwalker/cargo-chef:")
        };
        let builder = before
            .iter()
            .find(|stage| stage.base.as_ref().is_some_and(compiles));
        let (Some(builder), Some(runtime)) = (builder, &last.base) else {
            continue;
        };
        let Some(build) = builder.base.as_ref() else {
            continue;
        };
        // Go programs are linked statically unless C code is used.
        if build.as_str().starts_with("golang:") || !is_copied(container) {
            continue;
        }
        let (Some(new), Some(old)) = (suite(build), suite(runtime)) else {
            continue;
        };
        if new <= old {
            continue;
        }
        findings
            .add(
                Shown::fill(
                    "It is built on {} and runs on {}.",
                    &[&code(build), &code(runtime)],
                ),
                [
                    Evidence::at(&container.path, last.line),
                    Evidence::at(&container.path, builder.line),
                ],
            )
            .confidence(Confidence::Derived);
    }
}

/// Does the last stage copy from another stage, so that a program built there runs here?
fn is_copied(container: &Container) -> bool {
    let last = u32::try_from(container.stages.len().saturating_sub(1)).unwrap_or(u32::MAX);
    container
        .copies
        .iter()
        .any(|copy| copy.stage == last && copy.from.is_some())
}

#[cfg(test)]
mod tests;
