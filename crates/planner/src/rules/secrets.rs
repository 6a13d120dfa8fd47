//! Secrets that stand in the repository or in an image.

use std::collections::BTreeMap;

use playbook_core::evidence::{Confidence, Evidence, Scope};
use playbook_core::finding::Severity;
use playbook_core::inventory::{CommittedSecret, Inventory, SignalKind, VariableOrigin, VariableSource};
use playbook_core::path::RelPath;
use playbook_core::secret::is_secret_name;
use playbook_core::shown::Shown;

use super::facts::{self, Context, code};
use crate::rule::{Findings, Rule};

pub(super) const RULES: &[&Rule] = &[
    &ENV_FILE,
    &IN_REPOSITORY,
    &IN_STACK,
    &UNSAFE_DEFAULT,
    &SIGNING_KEY,
    &PLACEHOLDER,
    &ADMINISTRATOR,
    &IN_IMAGE,
    &IN_WORKFLOW,
    &PLAIN_IN_PLATFORM_FILE,
    &CLOUD_KEYS,
];

/// A file of variables that is used as it is: `.env`, `.env.production`; not an example or a test's.
pub(super) fn is_env_file(path: &RelPath) -> bool {
    let name = path.name().to_ascii_lowercase();
    let is_env = name == ".env" || name.starts_with(".env.") || facts::has_extension(&name, "env");
    is_env
        && !is_template(path)
        && !["test", "ci", "testing", "e2e"]
            .iter()
            .any(|word| name.split('.').any(|part| part == *word))
}

/// An example that people copy.
pub(super) fn is_template(path: &RelPath) -> bool {
    let name = path.name().to_ascii_lowercase();
    [
        "example", "sample", "template", "dist", "tpl", "default", "defaults", "schema", "vault", "enc",
    ]
    .iter()
    .any(|word| name.split(['.', '-', '_']).any(|part| part == *word))
}

fn is_in_stack(inventory: &Inventory, path: &RelPath) -> bool {
    inventory.stacks.iter().any(|stack| stack.files.contains(path))
}

fn is_in_ci(inventory: &Inventory, path: &RelPath) -> bool {
    path.as_str().contains(".github/workflows/") || inventory.ci.iter().any(|file| file.path == *path)
}

/// Where a committed secret stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Home {
    EnvFile,
    Template,
    Stack,
    Ci,
    Document,
    Image,
    Code,
}

fn home(inventory: &Inventory, path: &RelPath) -> Home {
    let name = path.name().to_ascii_lowercase();
    if is_env_file(path) {
        Home::EnvFile
    } else if is_in_stack(inventory, path) {
        Home::Stack
    } else if is_in_ci(inventory, path) {
        Home::Ci
    } else if inventory
        .containers
        .iter()
        .any(|container| container.path == *path)
    {
        // What stays in the image is a rule of its own; a build stage may well have a stand-in.
        Home::Image
    } else if is_template(path) || facts::has_extension(path.as_str(), "sh") {
        // A script's stand-ins serve whoever runs it by hand.
        Home::Template
    } else if [".md", ".rst", ".adoc", ".txt"]
        .iter()
        .any(|end| name.ends_with(end))
    {
        Home::Document
    } else {
        Home::Code
    }
}

/// The places of committed secrets with their names, for secrets of one home in production.
fn committed(inventory: &Inventory, wanted: Home, placeholder: bool) -> Vec<&CommittedSecret> {
    inventory
        .committed_secrets
        .iter()
        .filter(|secret| secret.placeholder == placeholder && secret.scope == Scope::Production)
        .filter(|secret| {
            secret
                .evidence
                .first()
                .is_some_and(|place| home(inventory, &place.path) == wanted)
        })
        .collect()
}

fn names_of(secrets: &[&CommittedSecret]) -> Shown {
    let mut kinds: Vec<&Shown> = secrets
        .iter()
        .map(|secret| secret.name.as_ref().unwrap_or(&secret.kind))
        .collect();
    kinds.sort();
    facts::list(kinds)
}

fn places_of(secrets: &[&CommittedSecret]) -> Vec<Evidence> {
    secrets
        .iter()
        .flat_map(|secret| secret.evidence.iter().cloned())
        .collect()
}

static ENV_FILE: Rule = Rule {
    id: "env-file-committed",
    severity: Severity::High,
    section: 4,
    title: "A file of variables is part of the repository",
    why: "Everybody who reads the repository has its values, they stay in the history, and a copy of the repository carries them to the host.",
    fix: "Remove the file from the repository, ignore it, rotate what was real, and keep an example without values.",
    check: env_file,
};

/// What is wrong with a committed file of variables.
#[derive(Default)]
struct EnvFile<'a> {
    secrets: Vec<&'a Shown>,
    switches: Vec<&'a Shown>,
    places: Vec<Evidence>,
}

fn env_file(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    let mut files: BTreeMap<&RelPath, EnvFile<'_>> = BTreeMap::new();
    // Settings that switch development on are dangerous although their values are harmless.
    for signal in inventory.signals.iter().filter(|signal| {
        matches!(
            signal.kind,
            SignalKind::DevelopmentSwitch | SignalKind::DebugEnabled
        )
    }) {
        let sites = inventory
            .environment
            .iter()
            .filter(|variable| signal.subject.as_ref() == Some(&variable.name))
            .flat_map(|variable| &variable.sites)
            .filter(|site| site.origin == VariableOrigin::File)
            .flat_map(|site| &site.evidence);
        for place in signal
            .evidence
            .iter()
            .chain(sites)
            .filter(|place| is_env_file(&place.path))
        {
            let file = files.entry(&place.path).or_default();
            file.switches.extend(&signal.subject);
            file.places.push(place.clone());
        }
    }
    // Stand-ins are a rule of their own.
    for secret in inventory
        .committed_secrets
        .iter()
        .filter(|secret| !secret.placeholder)
    {
        for place in secret.evidence.iter().filter(|place| is_env_file(&place.path)) {
            let file = files.entry(&place.path).or_default();
            file.secrets.extend(&secret.name);
            file.places.push(place.clone());
        }
    }
    for (path, file) in files {
        let detail = match (file.secrets.is_empty(), file.switches.is_empty()) {
            (false, true) => Shown::fill(
                "`{}` holds values for {} that do not look like stand-ins.",
                &[&path.shown(), &facts::list(file.secrets)],
            ),
            (true, _) => Shown::fill(
                "`{}` sets {}: what loads it in production runs in that mode.",
                &[&path.shown(), &facts::list(file.switches)],
            ),
            (false, false) => Shown::fill(
                "`{}` holds values for {}, and sets {}.",
                &[
                    &path.shown(),
                    &facts::list(file.secrets),
                    &facts::list(file.switches),
                ],
            ),
        };
        findings.add(detail, file.places);
    }
}

static IN_REPOSITORY: Rule = Rule {
    id: "secret-in-repo",
    severity: Severity::Blocker,
    section: 4,
    title: "A secret stands in the repository",
    why: "Everybody who reads the repository has it, now and in its history.",
    fix: "Rotate it, take it from the environment, and remove it from the history.",
    check: in_repository,
};

fn in_repository(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for secret in committed(inventory, Home::Code, false)
        .into_iter()
        .chain(committed(inventory, Home::Document, false))
    {
        // A fallback in code is a rule of its own.
        if is_default_of_variable(inventory, secret) {
            continue;
        }
        let token = matches!(
            secret.kind.as_str(),
            "private-key" | "api-key" | "token" | "cloud-key" | "access-key" | "service-account"
        );
        let detail = match &secret.name {
            Some(name) => Shown::fill(
                "The value of {} ({}) is written out.",
                &[&code(name), &secret.kind],
            ),
            None => Shown::fill("A credential ({}) is written out.", &[&secret.kind]),
        };
        findings.add(detail, secret.evidence.clone()).severity(if token {
            Severity::Blocker
        } else {
            Severity::High
        });
    }
}

/// Does the value stand where the code states a variable's fallback?
fn is_default_of_variable(inventory: &Inventory, secret: &CommittedSecret) -> bool {
    inventory.environment.iter().any(|variable| {
        variable.sites.iter().any(|site| {
            site.has_default
                && site.origin == VariableOrigin::Code
                && site.evidence.iter().any(|place| secret.evidence.contains(place))
        })
    })
}

static IN_STACK: Rule = Rule {
    id: "secret-in-compose",
    severity: Severity::High,
    section: 4,
    title: "Secrets are written into the files of the production stack",
    why: "Whoever reads the repository has them, and every deployment from it uses the same ones.",
    fix: "Refer to variables or to the platform's secrets, and rotate the present values.",
    check: |inventory, _, findings| {
        let mut files: BTreeMap<&RelPath, Vec<&CommittedSecret>> = BTreeMap::new();
        for secret in committed(inventory, Home::Stack, false) {
            if let Some(place) = secret.evidence.first() {
                files.entry(&place.path).or_default().push(secret);
            }
        }
        for (path, secrets) in files {
            findings.add(
                Shown::fill("`{}` holds values for {}.", &[&path.shown(), &names_of(&secrets)]),
                places_of(&secrets),
            );
        }
    },
};

/// Secret variables that the code replaces by a value of its own when they are not set.
fn unsafe_defaults(inventory: &Inventory, signing: bool) -> Vec<(&Shown, Vec<Evidence>)> {
    inventory
        .environment
        .iter()
        .filter(|variable| {
            variable.secret
                && variable.scope == Scope::Production
                && is_signing_key(variable.name.as_str()) == signing
        })
        .filter_map(|variable| {
            let places: Vec<Evidence> = variable
                .sites
                .iter()
                .filter(|site| site.has_default && site.origin == VariableOrigin::Code)
                .flat_map(|site| site.evidence.iter().cloned())
                .filter(|place| {
                    // An empty fallback is no secret: only what the scan judged to be one counts. With a stand-in for
                    // a vendor's key a feature does not work; with one for a password or a signing key it does.
                    inventory.committed_secrets.iter().any(|secret| {
                        secret.scope == Scope::Production
                            && secret.evidence.contains(place)
                            && (signing
                                || !secret.placeholder
                                || matches!(secret.kind.as_str(), "password" | "connection-string"))
                    })
                })
                .collect();
            (!places.is_empty()).then_some((&variable.name, places))
        })
        .collect()
}

/// Does the name say that it signs or encrypts?
fn is_signing_key(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    [
        "JWT",
        "SECRET_KEY",
        "APP_KEY",
        "APP_SECRET",
        "AUTH_SECRET",
        "SESSION",
        "COOKIE",
        "SIGNING",
        "HMAC",
        "ENCRYPTION",
        "SALT",
    ]
    .iter()
    .any(|part| name.contains(part))
}

static UNSAFE_DEFAULT: Rule = Rule {
    id: "env-default-unsafe",
    severity: Severity::High,
    section: 4,
    title: "The code falls back on a password that everybody can read",
    why: "Where the variable is forgotten, production runs on it without a word.",
    fix: "Remove the fallback and stop at start when the variable is missing.",
    check: |inventory, _, findings| {
        for (name, places) in unsafe_defaults(inventory, false) {
            findings.add(
                Shown::fill("{} has a fallback in the code.", &[&code(name)]),
                places,
            );
        }
    },
};

static SIGNING_KEY: Rule = Rule {
    id: "jwt-secret-weak",
    severity: Severity::High,
    section: 4,
    title: "Tokens or sessions are signed with a key that everybody can read",
    why: "Whoever knows the key signs in as anybody.",
    fix: "Demand the variable at start, with at least 32 random bytes.",
    check: |inventory, _, findings| {
        for (name, places) in unsafe_defaults(inventory, true) {
            findings.add(
                Shown::fill("{} has a fallback in the code.", &[&code(name)]),
                places,
            );
        }
    },
};

static PLACEHOLDER: Rule = Rule {
    id: "placeholder-secret-committed",
    severity: Severity::High,
    section: 4,
    title: "The deployment uses stand-ins for secrets when nobody sets them",
    why: "A database keeps the password of its first start, and signed tokens can be forged with a key that is public.",
    fix: "Let the files demand the variables (`${NAME:?}`) and set each before the first start.",
    check: placeholder,
};

fn placeholder(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    let checks = facts::places(facts::signals(inventory, SignalKind::ChecksPlaceholder));
    for wanted in [Home::EnvFile, Home::Stack, Home::Code] {
        let secrets = committed(inventory, wanted, true);
        let secrets: Vec<_> = secrets
            .into_iter()
            .filter(|secret| wanted != Home::Code || !is_default_of_variable(inventory, secret))
            .collect();
        if secrets.is_empty() {
            continue;
        }
        // An address with a stand-in for the own machine harms nobody by itself.
        let only_addresses = secrets.iter().all(|secret| secret.kind == "connection-string");
        findings
            .add(
                Shown::fill(
                    if checks.is_empty() {
                        "Stand-ins are committed for {}, and nothing in the code refuses them."
                    } else {
                        "Stand-ins are committed for {}; the code refuses them, the datastores do not."
                    },
                    &[&names_of(&secrets)],
                ),
                places_of(&secrets)
                    .into_iter()
                    .chain(checks.iter().take(2).cloned()),
            )
            .severity(if only_addresses && wanted == Home::EnvFile {
                Severity::Low
            } else {
                Severity::High
            });
    }
}

static ADMINISTRATOR: Rule = Rule {
    id: "default-admin-credentials",
    severity: Severity::High,
    section: 5,
    title: "The software creates an administrator by itself",
    why: "An account whose name and password are published, or which the first visitor takes, gives everything.",
    fix: "Keep the service unreachable until the account exists with a password of your own.",
    check: administrator,
};

fn administrator(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    // Lines between the account and its password in one file.
    const NEAR: u32 = 30;
    for signal in facts::signals(inventory, SignalKind::CreatesAdministrator) {
        let near: Vec<Evidence> = inventory
            .committed_secrets
            .iter()
            .flat_map(|secret| &secret.evidence)
            .filter(|place| {
                signal.evidence.iter().any(|own| {
                    own.path == place.path
                        && own
                            .line
                            .zip(place.line)
                            .is_some_and(|(a, b)| a.abs_diff(b) <= NEAR)
                })
            })
            .cloned()
            .collect();
        let known = !near.is_empty();
        findings
            .add(
                Shown::from(if known {
                    "The account's password stands in the code."
                } else {
                    "See which password it gets, and whether the first visitor can take it."
                }),
                signal.evidence.iter().cloned().chain(near),
            )
            .severity(if known { Severity::High } else { Severity::Medium })
            .confidence(if known {
                Confidence::Stated
            } else {
                Confidence::Derived
            });
    }
}

static IN_IMAGE: Rule = Rule {
    id: "secret-in-image",
    severity: Severity::High,
    section: 3,
    title: "A secret becomes part of the image",
    why: "Layers and build history can be read by everybody who can pull the image.",
    fix: "Hand secrets to the build as secret mounts and to the process at run time.",
    check: in_image,
};

fn in_image(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for container in facts::production_containers(inventory) {
        let set: Vec<_> = container
            .variables
            .iter()
            .filter(|variable| is_secret_name(variable.name.as_str()) && variable.has_default)
            .collect();
        findings.add(
            Shown::fill(
                "`{}` sets {}.",
                &[
                    &container.path.shown(),
                    &facts::list(set.iter().map(|variable| &variable.name)),
                ],
            ),
            set.iter()
                .map(|variable| Evidence::at(&container.path, variable.line)),
        );
        let asked: Vec<_> = container
            .arguments
            .iter()
            .filter(|argument| is_secret_name(argument.name.as_str()))
            .collect();
        findings
            .add(
                Shown::fill(
                    "`{}` takes {} as build argument: its value stays in the history of the stage that uses it.",
                    &[&container.path.shown(), &facts::list(asked.iter().map(|argument| &argument.name))],
                ),
                asked.iter().map(|argument| Evidence::at(&container.path, argument.line)),
            )
            .severity(Severity::Medium);
        for copy in container.copies.iter().filter(|copy| copy.from.is_none()) {
            for source in &copy.sources {
                let Some(path) = RelPath::new(source.as_str()) else {
                    continue;
                };
                let becomes_env = copy
                    .destination
                    .as_ref()
                    .is_some_and(|to| to.as_str().rsplit('/').next() == Some(".env"));
                if is_env_file(&path) || (becomes_env && !source.as_str().ends_with('/')) {
                    findings.add(
                        Shown::fill(
                            "`{}` copies {} into the image.",
                            &[&container.path.shown(), &code(source)],
                        ),
                        [Evidence::at(&container.path, copy.line)],
                    );
                }
            }
        }
        for (run, line) in container.runs.iter().zip(&container.run_lines) {
            // An example that becomes `.env` carries its stand-ins and development settings along.
            let words: Vec<&str> = run.words().collect();
            let copies = words.windows(3).any(|three| matches!(three, ["cp" | "mv", from, to] if from.contains("env") && to.trim_end_matches(';').rsplit('/').next() == Some(".env")));
            if copies {
                findings.add(
                    Shown::fill("`{}` makes a `.env` from an example; the image runs on its values where a variable is not set.", &[&container.path.shown()]),
                    [Evidence::at(&container.path, *line)],
                );
            }
        }
    }
}

static IN_WORKFLOW: Rule = Rule {
    id: "secret-in-workflow",
    severity: Severity::Medium,
    section: 4,
    title: "A pipeline file holds a secret",
    why: "Whoever reads the repository has it; pipelines have a store for secrets.",
    fix: "Move it to the pipeline's secrets and rotate it.",
    check: |inventory, _, findings| {
        for secret in committed(inventory, Home::Ci, false) {
            let name = secret.name.as_ref().unwrap_or(&secret.kind);
            findings.add(
                Shown::fill("The value of {} is written out.", &[&code(name)]),
                secret.evidence.clone(),
            );
        }
    },
};

static PLAIN_IN_PLATFORM_FILE: Rule = Rule {
    id: "config-map-holds-secret",
    severity: Severity::High,
    section: 4,
    title: "A secret's variable has a plain value in the platform's file",
    why: "It can be read in the repository, in the console and in every export of the configuration.",
    fix: "Keep it in the platform's secret store and refer to it.",
    check: plain_in_platform_file,
};

fn plain_in_platform_file(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for (_, unit) in facts::production_units(inventory).filter(|(stack, _)| !facts::on_own_host(stack)) {
        let plain: Vec<_> = unit
            .variables
            .iter()
            .filter(|variable| {
                variable.source == VariableSource::Withheld && is_secret_name(variable.name.as_str())
            })
            // An address without a password is none; with one, the scan took it for a secret.
            .filter(|variable| {
                let name = variable.name.as_str();
                !["_URL", "_URI", "_DSN", "_HOST", "_ADDR"]
                    .iter()
                    .any(|end| name.ends_with(end))
            })
            // What the scan took for a secret of the file is reported as that.
            .filter(|variable| {
                !inventory.committed_secrets.iter().any(|secret| {
                    secret
                        .evidence
                        .iter()
                        .any(|place| variable.evidence.contains(place))
                })
            })
            .collect();
        findings.add(
            Shown::fill(
                "{} gets {} in plain text.",
                &[
                    &code(&unit.name),
                    &facts::list(plain.iter().map(|variable| &variable.name)),
                ],
            ),
            plain
                .iter()
                .flat_map(|variable| variable.evidence.iter().cloned()),
        );
    }
}

static CLOUD_KEYS: Rule = Rule {
    id: "ci-long-lived-cloud-keys",
    severity: Severity::Medium,
    section: 4,
    title: "The pipeline signs in to the cloud with a long-lived key",
    why: "A leaked key works until somebody notices; tokens of a run end with it.",
    fix: "Let the pipeline sign in through OpenID Connect.",
    check: |inventory, _, findings| {
        for variable in &inventory.environment {
            if !matches!(
                variable.name.as_str(),
                "AWS_SECRET_ACCESS_KEY" | "GOOGLE_CREDENTIALS" | "GCP_SA_KEY" | "AZURE_CREDENTIALS"
            ) {
                continue;
            }
            let places: Vec<Evidence> = variable
                .sites
                .iter()
                .filter(|site| site.origin == VariableOrigin::Ci)
                .flat_map(|site| site.evidence.iter().cloned())
                .collect();
            findings.add(Shown::fill("It uses {}.", &[&code(&variable.name)]), places);
        }
    },
};

#[cfg(test)]
mod tests;
