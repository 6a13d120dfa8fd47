//! Changes of the schema.

use playbook_core::evidence::{Confidence, Evidence};
use playbook_core::finding::Severity;
use playbook_core::inventory::{Container, Inventory, Migration, SignalKind};
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Group};

use super::facts::{self, Context, code, code_command};
use super::knowledge;
use crate::rule::{Findings, Rule};

pub(super) const RULES: &[&Rule] = &[
    &NO_HOOK,
    &EVERY_REPLICA,
    &SCHEMA_FROM_CODE,
    &SEEDS_AT_START,
    &NOT_IN_IMAGE,
];

static NO_HOOK: Rule = Rule {
    id: "migrations-no-deploy-hook",
    severity: Severity::High,
    section: 5,
    title: "Nothing in the deployment migrates the database",
    why: "A new version starts on the old schema and fails as soon as it needs what the migration brings.",
    fix: "Run the migration as a gate of its own before the new version starts.",
    check: no_hook,
};

fn no_hook(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for migration in &inventory.migrations {
        // Another tool's entry, or a signal, may be what applies the same files at start.
        let at_start =
            inventory.migrations.iter().any(|other| {
                other.at_start && (other.service.is_none() || other.service == migration.service)
            }) || facts::signals(inventory, SignalKind::MigrationsAtStart)
                .any(|signal| signal.service.is_none() || signal.service == migration.service);
        if migration.count == 0 || at_start || runs_in_deployment(inventory, migration) {
            continue;
        }
        let by_hand = steps(inventory, migration);
        // CI that deploys and migrates is a hook, although not one of the target.
        let deploying = |place: &Evidence| {
            inventory
                .ci
                .iter()
                .any(|file| file.deploys && file.path == place.path)
        };
        let by_ci = migration.run_by.iter().chain(&by_hand).any(deploying);
        let mut evidence: Vec<Evidence> = service_place(inventory, migration).into_iter().collect();
        evidence.extend(migration.run_by.iter().cloned());
        evidence.extend(by_hand.iter().take(4).cloned());
        evidence.extend(missing_copy(inventory, migration).map(|(_, place)| place));
        evidence.extend(migration.evidence.first().cloned());
        let command = migration
            .command
            .as_ref()
            .map_or_else(|| code(&migration.tool), code_command);
        let detail = match (by_ci, migration.run_by.is_empty() && by_hand.is_empty()) {
            (true, _) => Shown::fill("{} runs in CI, not where the new version starts.", &[&command]),
            (false, true) => Shown::fill("Nothing was found that runs {}.", &[&command]),
            (false, false) => Shown::fill(
                "{} is a step that somebody has to remember: neither the image's command nor the stack runs it.",
                &[&command],
            ),
        };
        findings
            .add(detail, evidence)
            .severity(if by_ci { Severity::Medium } else { Severity::High })
            .confidence(Confidence::Derived);
    }
}

/// Steps of pipelines and documents that run the tool.
fn steps(inventory: &Inventory, migration: &Migration) -> Vec<Evidence> {
    let words = Catalogue::get()
        .find(Group::Migration, migration.tool.as_str())
        .and_then(|technology| technology.migration.as_ref())
        .map(|facts| facts.apply_words.as_slice())
        .unwrap_or_default();
    let runs = |text: &str| {
        migration
            .command
            .as_ref()
            .is_some_and(|command| text.contains(command.as_str()))
            || words.iter().any(|words| facts::has_word(text, words))
    };
    let documented = inventory
        .documented_commands
        .iter()
        .filter(|step| runs(step.command.as_str()))
        .flat_map(|step| step.evidence.iter().cloned());
    let piped = inventory
        .ci_steps
        .iter()
        .filter(|step| runs(step.command.as_str()))
        .flat_map(|step| step.evidence.iter().cloned());
    documented.chain(piped).collect()
}

/// Is the tool run by something that production starts: a command, an entrypoint, a hook or a job?
fn runs_in_deployment(inventory: &Inventory, migration: &Migration) -> bool {
    let mut texts: Vec<&str> = Vec::new();
    for (_, unit) in facts::production_units(inventory) {
        texts.extend(
            [
                &unit.command,
                &unit.entrypoint,
                &unit.pre_deploy,
                &unit.build_command,
            ]
            .into_iter()
            .flatten()
            .map(playbook_core::harmless::CommandLine::as_str),
        );
    }
    for container in facts::production_containers(inventory) {
        texts.extend(
            [&container.command, &container.entrypoint]
                .into_iter()
                .flatten()
                .map(playbook_core::harmless::CommandLine::as_str),
        );
    }
    let starts: Vec<String> = inventory.services.iter().map(facts::start_text).collect();
    texts.extend(starts.iter().map(String::as_str));
    // A stack file, Dockerfile or Procfile that is named itself as the place.
    let named = migration.run_by.iter().any(|place| {
        facts::production_stacks(inventory).any(|stack| stack.files.contains(&place.path))
            || facts::production_containers(inventory).any(|container| container.path == place.path)
    });
    named
        || texts.iter().any(|text| {
            migration
                .command
                .as_ref()
                .is_some_and(|command| text.contains(command.as_str()))
                || migration
                    .run_by
                    .iter()
                    .any(|place| is_script(place) && calls(text, place.path.name()))
        })
}

/// Does a command call a script, which images also install without the end of its name?
fn calls(text: &str, script: &str) -> bool {
    let stem = script.rsplit_once('.').map_or(script, |(stem, _)| stem);
    text.contains(script)
        || text
            .split_whitespace()
            .any(|word| word.rsplit('/').next().unwrap_or(word) == stem)
}

fn is_script(place: &Evidence) -> bool {
    let name = place.path.name();
    !name.to_ascii_lowercase().ends_with(".md")
        && !matches!(
            name,
            "Makefile" | "package.json" | "composer.json" | "pyproject.toml" | "justfile"
        )
}

/// The line that starts the service whose schema it is.
fn service_place(inventory: &Inventory, migration: &Migration) -> Option<Evidence> {
    let service = match &migration.service {
        Some(id) => inventory.service(id.as_str())?,
        // The service that reads most settings is the application.
        None => facts::web_services(inventory).max_by_key(|service| service.env.len())?,
    };
    facts::container_of(inventory, service)
        .map(facts::command_place)
        .or_else(|| facts::start_place(service))
}

static EVERY_REPLICA: Rule = Rule {
    id: "migrations-on-every-replica",
    severity: Severity::Medium,
    section: 5,
    title: "Each start of the application migrates the database",
    why: "Instances that start together race, a long or failed migration keeps all of them from starting, and rolling the image back leaves the new schema.",
    fix: "Migrate in one job before the rollout and switch it off at start.",
    check: every_replica,
};

fn every_replica(inventory: &Inventory, context: &Context, findings: &mut Findings) {
    let signals: Vec<_> = facts::signals(inventory, SignalKind::MigrationsAtStart).collect();
    let mut claimed = false;
    let with_files = inventory
        .migrations
        .iter()
        .any(|migration| migration.at_start && migration.count > 0);
    for migration in inventory
        .migrations
        .iter()
        .filter(|migration| migration.count > 0 || !with_files)
    {
        let service = migration
            .service
            .as_ref()
            .and_then(|id| inventory.service(id.as_str()));
        let in_start = service.filter(|service| {
            migration
                .command
                .as_ref()
                .is_some_and(|command| facts::start_text(service).contains(command.as_str()))
        });
        if !migration.at_start && in_start.is_none() {
            continue;
        }
        claimed = true;
        let mut evidence = facts::places(signals.iter().copied().filter(|signal| {
            migration.service.is_none() || signal.service.is_none() || signal.service == migration.service
        }));
        evidence.extend(in_start.and_then(facts::start_place));
        if evidence.is_empty() {
            evidence.extend(migration.run_by.iter().cloned());
        }
        evidence.extend(service_place(inventory, migration));
        let several = service
            .and_then(|service| facts::replicas(inventory, context, service))
            .is_some_and(|replicas| replicas > 1);
        let count = match migration.count {
            0 => Shown::from(""),
            count => Shown::fill(" ({} files)", &[&Shown::number(u64::from(count))]),
        };
        findings
            .add(
                Shown::fill(
                    if several {
                        "{}{} runs whenever an instance starts, and several start at the same moment."
                    } else {
                        "{}{} runs whenever an instance starts."
                    },
                    &[&code(&migration.tool), &count],
                ),
                evidence,
            )
            .severity(if several { Severity::High } else { Severity::Medium });
    }
    if !claimed {
        findings.add(
            Shown::from("The start of the process applies migrations."),
            facts::places(signals),
        );
    }
}

static SCHEMA_FROM_CODE: Rule = Rule {
    id: "schema-autocreate-in-prod",
    severity: Severity::High,
    section: 5,
    title: "The code creates or alters the schema by itself",
    why: "It never changes existing columns, or changes them without anybody having seen the statement: schema and code drift apart, and data may be lost.",
    fix: "Switch it off outside development and apply migrations.",
    check: schema_from_code,
};

fn schema_from_code(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    let signals: Vec<_> = facts::signals(inventory, SignalKind::SchemaFromCode).collect();
    let subjects = facts::list(signals.iter().filter_map(|signal| signal.subject.as_ref()));
    let has_tool = inventory.migrations.iter().any(|migration| migration.count > 0);
    let detail = if subjects.as_str().is_empty() {
        Shown::from("The schema is created by the code.")
    } else {
        Shown::fill("The schema is created by the code ({}).", &[&subjects])
    };
    findings
        .add(detail, facts::places(signals))
        .severity(if has_tool {
            Severity::Medium
        } else {
            Severity::High
        });
}

static SEEDS_AT_START: Rule = Rule {
    id: "seed-in-production-start",
    severity: Severity::High,
    section: 5,
    title: "Seed data is loaded at each start or release",
    why: "Samples or fixed accounts come back after somebody has removed them, or are inserted twice.",
    fix: "Load seeds once, by hand, and only what production needs.",
    check: seeds_at_start,
};

fn seeds_at_start(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    let seeds = |text: &str| knowledge::get().seed_words.iter().any(|word| text.contains(word));
    for service in inventory.services.iter().filter(|service| service.is_own()) {
        if let Some(command) = facts::start(service).filter(|_| seeds(&facts::start_text(service))) {
            findings.add(
                Shown::fill(
                    "{} starts with {}.",
                    &[&code(&service.name), &code_command(command)],
                ),
                facts::start_place(service),
            );
        }
    }
    for (_, unit) in facts::production_units(inventory) {
        // What was judged as a service's start command stands at the same place.
        let judged = inventory.services.iter().any(|service| {
            seeds(&facts::start_text(service))
                && facts::start_place(service).is_some_and(|place| unit.evidence.contains(&place))
        });
        for command in [&unit.pre_deploy, &unit.command, &unit.entrypoint]
            .into_iter()
            .flatten()
        {
            if seeds(command.as_str()) && !(judged && unit.pre_deploy.as_ref() != Some(command)) {
                findings.add(
                    Shown::fill("{} runs {}.", &[&code(&unit.name), &code_command(command)]),
                    unit.evidence.clone(),
                );
            }
        }
    }
}

static NOT_IN_IMAGE: Rule = Rule {
    id: "migration-tool-not-in-image",
    severity: Severity::High,
    section: 3,
    title: "The image that should migrate does not hold the migrations",
    why: "The hook fails and the deployment is cancelled, or the migration has to be run from elsewhere.",
    fix: "Copy the migrations and their tool into the last stage, or build an image for them.",
    check: not_in_image,
};

fn not_in_image(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for migration in inventory
        .migrations
        .iter()
        .filter(|migration| !migration.at_start)
    {
        // Where nothing runs the tool, that is the finding.
        if !runs_in_deployment(inventory, migration) {
            continue;
        }
        let Some((container, place)) = missing_copy(inventory, migration) else {
            continue;
        };
        findings
            .add(
                Shown::fill(
                    "The last stage of `{}` copies neither `{}` nor a folder above it.",
                    &[&container.path.shown(), &migration.path.shown()],
                ),
                [place].into_iter().chain(migration.evidence.first().cloned()),
            )
            .confidence(Confidence::Derived);
    }
}

/// The image of the service whose schema it is, when its last stage does not hold the migrations, with the line of its
/// last copy.
pub(crate) fn missing_copy<'a>(
    inventory: &'a Inventory,
    migration: &Migration,
) -> Option<(&'a Container, Evidence)> {
    let service = inventory.service(migration.service.as_ref()?.as_str())?;
    let container = facts::container_of(inventory, service)?;
    if migration.count == 0 || container.stages.len() < 2 || service.docker_target.is_some() {
        return None;
    }
    let stages = facts::final_stages(container);
    let copies: Vec<_> = container
        .copies
        .iter()
        .filter(|copy| stages.contains(&copy.stage))
        .collect();
    let folder = migration.path.as_str();
    let may_hold = copies.iter().any(|copy| {
        copy.sources.iter().any(|source| {
            let source = source.as_str().trim_end_matches('/');
            let tail = source.rsplit('/').next().unwrap_or(source);
            let is_file = tail.contains('.') && tail != "." && tail != "..";
            source.is_empty()
                || source == "."
                || source.contains(['*', '$'])
                || folder.split('/').any(|part| part == tail)
                || (copy.from.is_some() && !is_file && is_whole_folder(tail))
                || (copy.from.is_some() && put_below(container, folder, source, &stages))
                || (copy.from.is_some() && container.workdir.as_ref().is_some_and(|dir| dir == source))
        })
    });
    let last = copies.last().filter(|_| !may_hold)?;
    Some((container, Evidence::at(&container.path, last.line)))
}

/// Did an earlier stage put the folder, or one above it, below what is copied from there?
fn put_below(container: &Container, folder: &str, source: &str, last: &[u32]) -> bool {
    let parts: Vec<&str> = folder.split('/').collect();
    container
        .copies
        .iter()
        .filter(|copy| !last.contains(&copy.stage))
        .any(|copy| {
            let inside = copy.destination.as_ref().is_some_and(|destination| {
                destination
                    .as_str()
                    .strip_prefix(source)
                    .is_some_and(|rest| rest.starts_with('/'))
            });
            inside
                && copy.sources.iter().any(|one| {
                    let one = one.as_str().trim_end_matches('/');
                    parts.contains(&one.rsplit('/').next().unwrap_or(one))
                })
        })
}

/// Names of folders that usually hold a whole application.
fn is_whole_folder(name: &str) -> bool {
    matches!(
        name,
        "app"
            | "src"
            | "code"
            | "workspace"
            | "project"
            | "www"
            | "html"
            | "build"
            | "repo"
            | "opt"
            | "publish"
            | "out"
    )
}

#[cfg(test)]
mod tests;
