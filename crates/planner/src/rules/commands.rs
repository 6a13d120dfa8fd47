//! How the process is started.

use playbook_core::evidence::{Confidence, Evidence};
use playbook_core::finding::Severity;
use playbook_core::harmless::CommandLine;
use playbook_core::inventory::{Inventory, Role, SignalKind};
use playbook_core::shown::Shown;

use super::facts::{self, Context, code, code_command};
use super::knowledge;
use crate::rule::{Findings, Rule};

pub(super) const RULES: &[&Rule] = &[
    &EXEC_FORM_VARIABLE,
    &DEVELOPMENT_SERVER,
    &SHELL_FORM,
    &PACKAGE_MANAGER_FIRST,
    &PROCFILE_IGNORED,
    &PROCFILE_RELEASE,
];

static EXEC_FORM_VARIABLE: Rule = Rule {
    id: "exec-form-var-not-expanded",
    severity: Severity::Blocker,
    section: 3,
    title: "A variable in an exec-form command is passed on unexpanded",
    why: "Without a shell nobody replaces `$NAME`: the program gets the literal text.",
    fix: "Use `sh -c \"exec …\"`, or read the variable in the program.",
    check: exec_form_variable,
};

fn exec_form_variable(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for container in facts::production_containers(inventory) {
        let forms = [
            (
                &container.command,
                container.command_shell,
                container.command_line,
                "CMD",
            ),
            (
                &container.entrypoint,
                container.entrypoint_shell,
                container.entrypoint_line,
                "ENTRYPOINT",
            ),
        ];
        for (command, shell, line, instruction) in forms {
            let (Some(command), false, Some(line)) = (command, shell, line) else {
                continue;
            };
            // With an entrypoint before it, CMD is an argument list that a script may still evaluate.
            let behind_entrypoint = instruction == "CMD" && container.entrypoint.is_some();
            if behind_entrypoint || !refers_to_variable(command) || starts_shell(command) {
                continue;
            }
            findings.add(
                Shown::fill(
                    "`{}` of `{}` is in exec form and holds a variable: {}.",
                    &[
                        &Shown::from(instruction),
                        &container.path.shown(),
                        &code_command(command),
                    ],
                ),
                [Evidence::at(&container.path, line)],
            );
        }
    }
}

fn refers_to_variable(command: &CommandLine) -> bool {
    command.words().any(|word| {
        word.find('$').is_some_and(|at| {
            word.get(at + 1..)
                .and_then(|rest| rest.chars().next())
                .is_some_and(|next| next == '{' || next == '_' || next.is_ascii_uppercase())
        })
    })
}

fn starts_shell(command: &CommandLine) -> bool {
    let Some(first) = command.words().next() else {
        return false;
    };
    let name = unquoted(first);
    matches!(
        name,
        "sh" | "bash" | "ash" | "dash" | "zsh" | "cmd" | "powershell" | "pwsh"
    ) || command
        .words()
        .take(4)
        .any(|word| matches!(unquoted(word), "sh" | "bash" | "/bin/sh" | "/bin/bash"))
        || facts::has_extension(name, "sh")
}

/// The program's name of a word: without quotes, brackets and folder.
fn unquoted(word: &str) -> &str {
    let word = word.trim_matches(['"', '\'', '[', ']', ',']);
    word.rsplit('/').next().unwrap_or(word)
}

static DEVELOPMENT_SERVER: Rule = Rule {
    id: "dev-server-in-production",
    severity: Severity::High,
    section: 6,
    title: "Production starts a development server",
    why: "Development servers reload on changes, show internals in error pages and serve few requests at a time.",
    fix: "Start the framework's production server.",
    check: development_server,
};

fn development_server(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    let mut raised = Vec::new();
    for service in inventory.services.iter().filter(|service| service.is_own()) {
        // A job or a worker may well be started with the language's own tool.
        if !matches!(service.role, Role::Web | Role::Frontend) {
            continue;
        }
        let text = facts::start_text(service);
        let words: Vec<&str> = text
            .split_whitespace()
            .map(|word| word.trim_matches(['"', '\'', '[', ']', ',']))
            .collect();
        let found = knowledge::get()
            .development_servers
            .iter()
            .find(|pattern| holds_in_order(&words, pattern));
        let signals: Vec<_> = facts::signals(inventory, SignalKind::DevelopmentServer)
            .filter(|signal| signal.service.as_ref() == Some(&service.id))
            .collect();
        if found.is_none() || service.start_confidence == Confidence::Convention {
            continue;
        }
        let Some(command) = facts::start(service) else {
            continue;
        };
        let mut evidence: Vec<Evidence> = facts::start_place(service).into_iter().collect();
        evidence.extend(facts::places(signals));
        raised.push(service.id.clone());
        findings.add(
            Shown::fill(
                "{} is started by {}.",
                &[&code(&service.name), &code_command(command)],
            ),
            evidence,
        );
    }
}

/// Do the words of the pattern stand in this order, the first one as a program's name or a path's end?
fn holds_in_order(words: &[&str], pattern: &[&str]) -> bool {
    let mut rest = pattern.iter();
    let Some(mut wanted) = rest.next() else {
        return false;
    };
    for word in words {
        let matches = *word == *wanted || word.strip_suffix(wanted).is_some_and(|head| head.ends_with('/'));
        if matches {
            match rest.next() {
                Some(next) => wanted = next,
                None => return true,
            }
        }
    }
    false
}

static SHELL_FORM: Rule = Rule {
    id: "shell-form-cmd-no-exec",
    severity: Severity::Medium,
    section: 3,
    title: "A shell stands between the container runtime and the process",
    why: "The shell gets the stop signal and does not pass it on: requests in flight are cut off when the grace period ends.",
    fix: "Use the exec form (`CMD [\"program\", \"argument\"]`), or put `exec` before the last command.",
    check: shell_form,
};

fn shell_form(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for container in facts::production_containers(inventory) {
        // CMD in shell form behind an exec-form ENTRYPOINT becomes its arguments; the entrypoint decides.
        let found = if container.entrypoint_shell && container.entrypoint.is_some() {
            container.entrypoint.as_ref().zip(container.entrypoint_line)
        } else if container.command_shell && container.entrypoint.is_none() {
            container.command.as_ref().zip(container.command_line)
        } else {
            None
        };
        let Some((command, line)) = found else { continue };
        if facts::has_word(command.as_str(), "exec") {
            continue;
        }
        let simple = !command.as_str().contains(['&', '|', ';', '>', '<', '`', '(']);
        let draft = findings.add(
            Shown::fill(
                "`{}` starts {} in shell form.",
                &[&container.path.shown(), &code_command(command)],
            ),
            [Evidence::at(&container.path, line)],
        );
        if simple {
            // Most shells replace themselves by a single simple command, so this depends on the image's shell.
            draft.severity(Severity::Low).confidence(Confidence::Derived);
        }
    }
}

static PACKAGE_MANAGER_FIRST: Rule = Rule {
    id: "npm-start-as-pid1",
    severity: Severity::Medium,
    section: 3,
    title: "A package manager is the container's first process",
    why: "It starts the program through a shell and passes stop signals on late or not at all; the runtime then kills the program.",
    fix: "Start the program itself: `CMD [\"node\", \"…\"]`.",
    check: package_manager_first,
};

fn package_manager_first(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    for container in facts::production_containers(inventory) {
        if container.entrypoint.is_some() {
            continue;
        }
        let Some((command, line)) = container.command.as_ref().zip(container.command_line) else {
            continue;
        };
        let words: Vec<&str> = command.words().map(unquoted).collect();
        let first = words.first().copied().unwrap_or_default();
        let second = words.get(1).copied().unwrap_or_default();
        let starts = match first {
            "npm" | "pnpm" | "yarn" => {
                matches!(second, "start" | "run" | "run-script") || second.starts_with("start")
            }
            _ => false,
        };
        if starts {
            findings.add(
                Shown::fill(
                    "`{}` starts {}.",
                    &[&container.path.shown(), &code_command(command)],
                ),
                [Evidence::at(&container.path, line)],
            );
        }
    }
}

static PROCFILE_IGNORED: Rule = Rule {
    id: "procfile-ignored-by-docker",
    severity: Severity::Medium,
    section: 6,
    title: "The Procfile is not read where the image is deployed",
    why: "The platform runs the image's command; worker and release lines of the Procfile are silently dropped.",
    fix: "Define each process of the Procfile as a service or a hook of the platform.",
    check: procfile_ignored,
};

fn procfile_ignored(inventory: &Inventory, context: &Context, findings: &mut Findings) {
    if !is_left_out(inventory, context) {
        return;
    }
    let Some(container) = facts::production_containers(inventory).next() else {
        return;
    };
    for stack in facts::production_stacks(inventory).filter(|stack| stack.kind == "procfile") {
        let dropped: Vec<_> = stack
            .units
            .iter()
            .filter(|unit| unit.name != "web" && unit.name != "release" && !is_run_elsewhere(inventory, unit))
            .collect();
        if dropped.is_empty() {
            continue;
        }
        findings.add(
            Shown::fill(
                "Nothing but the Procfile starts {}; `{}` is what {} runs.",
                &[
                    &facts::list(dropped.iter().map(|unit| &unit.name)),
                    &container.path.shown(),
                    &facts::target_name(context),
                ],
            ),
            dropped
                .iter()
                .flat_map(|unit| unit.evidence.iter().cloned())
                .chain([facts::command_place(container)]),
        );
    }
}

/// Does the repository describe another deployment too, from which what only the Procfile says is missing? Where there is
/// nothing but a Procfile, the plan is made from it.
fn is_left_out(inventory: &Inventory, context: &Context) -> bool {
    let reads_it = context.target.stacks.iter().any(|kind| kind == "procfile");
    let other = facts::production_stacks(inventory).any(|stack| {
        stack.kind != "procfile"
            && stack
                .units
                .iter()
                .any(|unit| unit.service.is_some() || unit.build.is_some())
    });
    !reads_it && other
}

fn is_run_elsewhere(inventory: &Inventory, unit: &playbook_core::inventory::Unit) -> bool {
    facts::production_units(inventory).any(|(stack, other)| {
        stack.kind != "procfile"
            && ((unit.service.is_some() && other.service == unit.service)
                || (unit.command.is_some() && [&other.command, &other.pre_deploy].contains(&&unit.command)))
    })
}

static PROCFILE_RELEASE: Rule = Rule {
    id: "procfile-release-not-supported",
    severity: Severity::High,
    section: 8,
    title: "The Procfile's release line does not run on this target",
    why: "What it does, usually the migration, is skipped at each deployment.",
    fix: "Run it as the target's own hook before the new version starts.",
    check: procfile_release,
};

fn procfile_release(inventory: &Inventory, context: &Context, findings: &mut Findings) {
    if !is_left_out(inventory, context) {
        return;
    }
    for stack in facts::production_stacks(inventory).filter(|stack| stack.kind == "procfile") {
        for unit in stack.units.iter().filter(|unit| unit.name == "release") {
            let Some(command) = &unit.command else { continue };
            if is_run_elsewhere(inventory, unit) {
                continue;
            }
            findings.add(
                Shown::fill(
                    "`release:` runs {}; {} reads no Procfile.",
                    &[&code_command(command), &facts::target_name(context)],
                ),
                unit.evidence.clone(),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use playbook_core::inventory::Container;

    fn image(command: &str, shell: bool) -> Container {
        let mut container = dockerfile("node:24");
        container.command = Some(super::super::testing::command(command));
        container.command_shell = shell;
        container
    }

    fn one(container: Container) -> Inventory {
        inventory(|all| all.containers.push(container))
    }

    #[test]
    fn exec_form() {
        let id = "exec-form-var-not-expanded";
        assert_eq!(
            fires(id, &one(image("uvicorn app:app --port $PORT", false)), "render").evidence,
            [place("Dockerfile", 9)]
        );
        silent(id, &one(image("uvicorn app:app --port $PORT", true)), "render");
        silent(
            id,
            &one(image("sh -c uvicorn app:app --port $PORT", false)),
            "render",
        );
        silent(id, &one(image("uvicorn app:app --port 8000", false)), "render");
        let mut entry = image("$PORT", false);
        entry.entrypoint = Some(command("/entry.sh"));
        silent(id, &one(entry), "render");
    }

    #[test]
    fn development_server() {
        let id = "dev-server-in-production";
        for text in [
            "python manage.py runserver 0.0.0.0:8000",
            "uvicorn app:app --host 0.0.0.0 --reload",
            "node_modules/.bin/nodemon x.js",
            "npx next dev",
        ] {
            fires(id, &inventory(|all| all.services.push(web(text))), "compose");
        }
        for text in [
            "gunicorn app.wsgi",
            "uvicorn app:app",
            "next start",
            "node run.js",
            "fastapi run app.py",
        ] {
            silent(id, &inventory(|all| all.services.push(web(text))), "compose");
        }
        silent(
            id,
            &inventory(|all| all.services.push(service("job", Role::Job, "go run ./cmd/seed"))),
            "compose",
        );
    }

    #[test]
    fn shell_form() {
        let id = "shell-form-cmd-no-exec";
        assert_eq!(
            fires(id, &one(image("migrate up && node x.js", true)), "compose").severity,
            Severity::Medium
        );
        assert_eq!(
            fires(id, &one(image("node x.js", true)), "compose").severity,
            Severity::Low
        );
        silent(id, &one(image("migrate up && exec node x.js", true)), "compose");
        silent(id, &one(image("node x.js", false)), "compose");
    }

    #[test]
    fn package_manager_first() {
        let id = "npm-start-as-pid1";
        fires(id, &one(image("npm run start:prod", false)), "compose");
        fires(id, &one(image("yarn start", false)), "compose");
        silent(id, &one(image("node dist/main.js", false)), "compose");
        let mut init = image("npm start", false);
        init.entrypoint = Some(command("/sbin/tini --"));
        silent(id, &one(init), "compose");
    }

    fn procfile() -> Inventory {
        inventory(|all| {
            let mut release = unit("release", None);
            release.command = Some(command("bin/migrate"));
            let mut worker = unit("worker", None);
            worker.command = Some(command("bin/work"));
            all.stacks
                .push(stack("procfile", vec![release, worker, unit("web", None)]));
            let mut api = unit("api", None);
            api.build = Some(playbook_core::inventory::Build::default());
            all.stacks.push(stack("docker-compose", vec![api]));
            all.containers.push(image("node x.js", false));
        })
    }

    #[test]
    fn procfile_rules() {
        let found = fires("procfile-ignored-by-docker", &procfile(), "render");
        assert!(
            found.detail.as_str().contains("starts `worker`"),
            "{}",
            found.detail
        );
        fires("procfile-release-not-supported", &procfile(), "render");
        let mut alone = procfile();
        alone.stacks.truncate(1);
        silent("procfile-release-not-supported", &alone, "render");
        silent("procfile-ignored-by-docker", &alone, "render");
        let mut reads_it = context("render");
        std::sync::Arc::make_mut(&mut reads_it.target)
            .stacks
            .push("procfile".to_owned());
        let rules = ["procfile-release-not-supported", "procfile-ignored-by-docker"];
        assert_eq!(
            crate::rule::run(
                rules.into_iter().filter_map(crate::rule::rule),
                &procfile(),
                &reads_it
            ),
            []
        );
        let mut hooked = procfile();
        let mut api = unit("api", None);
        api.pre_deploy = Some(command("bin/migrate"));
        hooked.stacks.push(stack("render", vec![api]));
        silent("procfile-release-not-supported", &hooked, "render");
    }
}
