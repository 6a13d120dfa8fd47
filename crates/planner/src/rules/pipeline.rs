//! What pipelines and documents do with a release.

use std::collections::BTreeMap;

use playbook_core::evidence::{Confidence, Evidence};
use playbook_core::finding::Severity;
use playbook_core::inventory::{CiStep, Inventory};
use playbook_core::shown::Shown;

use super::facts::{self, Context, code, code_command};
use super::knowledge;
use crate::rule::{Findings, Rule};

pub(super) const RULES: &[&Rule] = &[&ELSEWHERE, &CANNOT_FAIL, &STALE_FILES, &UNPINNED_ACTION];

static ELSEWHERE: Rule = Rule {
    id: "ci-deploys-elsewhere",
    severity: Severity::Medium,
    section: 6,
    title: "A pipeline deploys to another platform than this plan",
    why: "Each push then changes a second deployment, perhaps with the same database.",
    fix: "Switch it off, or plan for its platform with `--target`.",
    check: elsewhere,
};

fn elsewhere(inventory: &Inventory, context: &Context, findings: &mut Findings) {
    let mut platforms: BTreeMap<&'static str, Vec<&CiStep>> = BTreeMap::new();
    let deploys = |step: &&CiStep| {
        inventory
            .ci
            .iter()
            .any(|file| file.path == step.path && file.deploys)
    };
    for step in inventory.ci_steps.iter().filter(deploys) {
        if let Some(known) = knowledge::get()
            .deploy_commands
            .iter()
            .find(|known| step.command.as_str().contains(known.words))
        {
            platforms.entry(known.platform).or_default().push(step);
        }
    }
    if platforms.contains_key(context.target.id.as_str()) && platforms.len() == 1 {
        return;
    }
    for (platform, steps) in platforms {
        if platform == context.target.id {
            continue;
        }
        let triggers: Vec<&Shown> = inventory
            .ci
            .iter()
            .filter(|file| steps.iter().any(|step| step.path == file.path))
            .flat_map(|file| &file.triggers)
            .filter(|trigger| matches!(trigger.as_str(), "push" | "schedule" | "release" | "workflow_run"))
            .collect();
        // By hand only: nobody is surprised.
        let automatic = !triggers.is_empty();
        let files = inventory
            .ci
            .iter()
            .filter(|file| steps.iter().any(|step| step.path == file.path))
            .flat_map(|file| file.evidence.iter().take(1).cloned());
        findings
            .add(
                Shown::fill(
                    if automatic {
                        "{} deploys to {} by itself ({})."
                    } else {
                        "{} deploys to {} when somebody starts it{}."
                    },
                    &[
                        &facts::list(
                            steps
                                .iter()
                                .map(|step| step.path.shown())
                                .collect::<Vec<_>>()
                                .iter(),
                        ),
                        &Shown::from(platform),
                        &if automatic {
                            facts::list(triggers)
                        } else {
                            Shown::from("")
                        },
                    ],
                ),
                steps
                    .iter()
                    .flat_map(|step| step.evidence.iter().cloned())
                    .chain(files),
            )
            .severity(if automatic {
                Severity::Medium
            } else {
                Severity::Low
            })
            .confidence(Confidence::Derived);
    }
}

static CANNOT_FAIL: Rule = Rule {
    id: "ci-check-cannot-fail",
    severity: Severity::Low,
    section: 8,
    title: "A check of the pipeline succeeds on every answer",
    why: "`curl` without `--fail` is content with an error page.",
    fix: "Call `curl --fail --silent --show-error --location`.",
    check: cannot_fail,
};

fn cannot_fail(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for step in &inventory.ci_steps {
        let mut words = step.command.words();
        // Only a bare call of an address: with a pipe, output file or method something else is meant.
        if words.next() != Some("curl") || step.command.as_str().contains(['|', '>', ';', '&']) {
            continue;
        }
        let options: Vec<&str> = words.filter(|word| word.starts_with('-')).collect();
        let fails = options.iter().any(|option| {
            option.starts_with("--fail")
                || (!option.starts_with("--") && option.contains(['f', 'w']))
                || option.starts_with("--write-out")
        });
        let sends = options.iter().any(|option| {
            matches!(
                *option,
                "-X" | "--request" | "-d" | "--data" | "-o" | "-O" | "-LO" | "-sLO" | "--output" | "-T"
            )
        });
        let local =
            step.command.as_str().contains("localhost") || step.command.as_str().contains("127.0.0.1");
        if !fails && !sends && local {
            findings.add(code_command(&step.command), step.evidence.clone());
        }
    }
}

static STALE_FILES: Rule = Rule {
    id: "stale-files-on-host",
    severity: Severity::Low,
    section: 3,
    title: "Files that were removed from the repository stay on the host",
    why: "Old migrations, templates or settings are still picked up by the build.",
    fix: "Copy with `rsync --delete`, or deploy an image from a registry.",
    check: |inventory, _, findings| {
        let copies = |text: &str| facts::has_word(text, "rsync") && !text.contains("--delete");
        for documented in inventory
            .documented_commands
            .iter()
            .filter(|documented| copies(documented.command.as_str()))
        {
            findings.add(
                Shown::fill(
                    "{} does not remove anything.",
                    &[&code_command(&documented.command)],
                ),
                documented.evidence.clone(),
            );
        }
        for step in inventory
            .ci_steps
            .iter()
            .filter(|step| copies(step.command.as_str()))
        {
            findings.add(
                Shown::fill("{} does not remove anything.", &[&code_command(&step.command)]),
                step.evidence.clone(),
            );
        }
    },
};

static UNPINNED_ACTION: Rule = Rule {
    id: "ci-action-unpinned",
    severity: Severity::Low,
    section: 3,
    title: "The deploying pipeline runs actions of others by a tag that can move",
    why: "Whoever takes over the action gets the pipeline's secrets.",
    fix: "Name the commit of each action.",
    check: unpinned_action,
};

fn unpinned_action(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    let mut places: Vec<Evidence> = Vec::new();
    let mut names: Vec<Shown> = Vec::new();
    for step in &inventory.ci_steps {
        let deploys = inventory
            .ci
            .iter()
            .any(|file| file.path == step.path && file.deploys);
        let text = step.command.as_str();
        let Some((action, version)) = text.strip_prefix("uses: ").and_then(|rest| rest.split_once('@'))
        else {
            continue;
        };
        let own = action.starts_with("actions/") || action.starts_with("github/") || action.starts_with("./");
        let commit = version.len() >= 40 && version.chars().take(40).all(|c| c.is_ascii_hexdigit());
        if deploys && !own && !commit {
            names.push(code(&Shown::from(&step.command)));
            places.extend(step.evidence.iter().take(1).cloned());
        }
    }
    names.sort();
    names.dedup();
    let number = Shown::number(names.len() as u64);
    names.truncate(4);
    findings.add(
        Shown::fill(
            "{} of them, among them {}.",
            &[&number, &Shown::join(&names, ", ")],
        ),
        places,
    );
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use playbook_core::inventory::{CiFile, DocumentedCommand};

    fn with(text: &str, deploys: bool) -> Inventory {
        inventory(|all| {
            all.ci.push(CiFile {
                kind: "github-actions".into(),
                path: path(".github/workflows/x.yml"),
                deploys,
                triggers: vec!["push".into()],
                evidence: vec![place(".github/workflows/x.yml", 3)],
            });
            all.ci_steps.push(CiStep {
                path: path(".github/workflows/x.yml"),
                job: None,
                command: command(text),
                evidence: vec![place(".github/workflows/x.yml", 20)],
            });
        })
    }

    #[test]
    fn elsewhere() {
        let id = "ci-deploys-elsewhere";
        let found = fires(id, &with("flyctl deploy --remote-only", true), "compose");
        assert_eq!(found.evidence[0], place(".github/workflows/x.yml", 20));
        silent(id, &with("docker compose up -d", true), "compose");
        fires(id, &with("docker compose up -d", true), "render");
        // In a test job Compose starts the tests' services.
        silent(id, &with("docker compose up -d", false), "render");
    }

    #[test]
    fn checks() {
        let id = "ci-check-cannot-fail";
        fires(id, &with("curl http://localhost:8000/api", false), "compose");
        silent(id, &with("curl -fsS http://localhost:8000/api", false), "compose");
        silent(
            id,
            &with("curl -o tool.tgz https://example.com/tool.tgz", false),
            "compose",
        );
    }

    #[test]
    fn files_and_actions() {
        let id = "stale-files-on-host";
        let documented = |text: &str| {
            inventory(|all| {
                all.documented_commands.push(DocumentedCommand {
                    command: command(text),
                    heading: None,
                    evidence: vec![place("README.md", 14)],
                });
            })
        };
        fires(id, &documented("rsync -av ./ root@host:/root/code/"), "compose");
        silent(
            id,
            &documented("rsync -av --delete ./ root@host:/root/code/"),
            "compose",
        );
        let id = "ci-action-unpinned";
        fires(id, &with("uses: someone/deploy@v2", true), "compose");
        silent(id, &with("uses: someone/deploy@v2", false), "compose");
        silent(id, &with("uses: actions/checkout@v5", true), "compose");
    }
}
