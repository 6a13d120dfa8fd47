//! Processes that Dockerfiles describe: the command of an image, its stages, and the choices of its entrypoint.

use playbook_core::evidence::{Confidence, Evidence, Scope};
use playbook_core::harmless::{CommandLine, Name};
use playbook_core::inventory::{Container, Role};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use super::{Candidate, Sources, Tier, joined};
use crate::resolve::roles;
use crate::resolve::units::{self, UnitClass};

impl Sources<'_> {
    /// Candidates of the Dockerfiles: the command of the image, and the choices of an entrypoint that dispatches on its
    /// argument.
    pub(crate) fn of_images(&self) -> Vec<Candidate> {
        let mut out = Vec::new();
        for container in self
            .containers
            .iter()
            .filter(|container| container.scope == Scope::Production)
        {
            // An image that other images begin with runs nothing.
            if image_stem(&container.path).is_some_and(|stem| {
                matches!(
                    stem.as_str(),
                    "base" | "builder" | "build" | "deps" | "dependencies"
                )
            }) {
                continue;
            }
            let base = container
                .base_images
                .last()
                .and_then(|base| playbook_core::harmless::ImageRef::parse(Raw::new(base.as_str())));
            let whole = joined(container.entrypoint.as_ref(), container.command.as_ref());
            let dir = self.dir_of_image(container);
            let has_code = self.apps.at(&dir).is_some();
            // A datastore or a tool with settings of its own is no process of this repository.
            if let (Some(UnitClass::Store(_)), false) = (base.as_ref().and_then(units::of_image), has_code) {
                continue;
            }
            if self.own_images.settings_of(&container.path).is_some() {
                continue;
            }
            // An image that starts nothing and takes nothing of this repository only adds tools to another one.
            if whole.is_none() && container.copies.is_empty() {
                continue;
            }
            let own: Vec<Candidate> = self.of_targets(container, &dir);
            if own.len() > 1 && self.is_chosen_by_setting(container) {
                continue;
            }
            if own.len() > 1 {
                out.extend(own);
                continue;
            }
            let command = container.command.clone();
            let entrypoint = container.entrypoint.clone();
            if command.is_none() && entrypoint.is_none() && !has_code {
                continue;
            }
            let file_hint = image_name(&container.path);
            let name = file_hint.clone().or_else(|| self.name_of_dir(&dir));
            let Some(name) = name else { continue };
            let evidence = container
                .command_line
                .or(container.entrypoint_line)
                .map(|line| Evidence::at(&container.path, line));
            let candidate = Candidate {
                tier: Tier::Image,
                name,
                dir: Some(dir.clone()),
                role: whole
                    .as_ref()
                    .and_then(|command| roles::of_command(command.as_str()))
                    .or_else(|| file_hint.as_ref().and_then(|name| roles::of_name(name.as_str()))),
                dockerfile: Some(container.path.clone()),
                target: None,
                context: None,
                image: None,
                command: whole.clone(),
                command_evidence: evidence.clone(),
                confidence: Confidence::Stated,
                unit: None,
                entry: None,
                third_party: false,
                evidence: evidence
                    .into_iter()
                    .chain([Evidence::file(&container.path)])
                    .take(1)
                    .collect(),
            };
            let arms = self.arms(
                container,
                entrypoint.as_ref().or(command.as_ref()),
                command.as_ref(),
                &candidate,
            );
            if arms.is_empty() {
                out.push(candidate);
            } else {
                out.extend(arms);
            }
        }
        out
    }

    /// The application in whose copied folder an image of the repository's root starts: `WORKDIR /app/apps/api`.
    pub(super) fn dir_of_workdir(&self, container: &Container) -> Option<RelPath> {
        let workdir = container.workdir.as_ref()?.as_str().trim_end_matches('/');
        // The longest end of the path that is the folder of an application.
        workdir
            .match_indices('/')
            .filter_map(|(slash, _)| workdir.get(slash + 1..))
            .filter(|end| end.contains('/'))
            .find_map(|end| self.apps.at_text(end))
            .map(|app| app.dir.clone())
    }

    /// Do the stacks that build it leave the stage to a setting? Then the stages are variants of what the stacks run.
    fn is_chosen_by_setting(&self, container: &Container) -> bool {
        let mut builds = self
            .stacks
            .iter()
            .filter(|stack| stack.scope == Scope::Production)
            .flat_map(|stack| &stack.units)
            .filter_map(|unit| unit.build.as_ref())
            .filter(|build| build.dockerfile.as_ref() == Some(&container.path))
            .peekable();
        builds.peek().is_some() && builds.all(|build| build.target.is_none())
    }

    /// One process for each stage that is an image of its own; stages for development and tests are none.
    fn of_targets(&self, container: &Container, dir: &RelPath) -> Vec<Candidate> {
        let targets = container
            .targets
            .iter()
            .filter(|target| !roles::is_maintenance(target.name.as_str()));
        targets
            .filter_map(|target| {
                let whole = joined(target.entrypoint.as_ref(), target.command.as_ref())?;
                if roles::is_development_command(whole.as_str())
                    || roles::of_name(target.name.as_str()) == Some(Role::Job)
                {
                    return None;
                }
                let named = self
                    .apps
                    .all
                    .iter()
                    .find(|app| app.dir.name().eq_ignore_ascii_case(target.name.as_str()));
                let line = Evidence::at(&container.path, target.line);
                Some(Candidate {
                    tier: Tier::Image,
                    name: target.name.clone(),
                    dir: Some(named.map_or_else(|| dir.clone(), |app| app.dir.clone())),
                    role: roles::of_command(whole.as_str()),
                    dockerfile: Some(container.path.clone()),
                    target: Some(target.name.clone()),
                    context: None,
                    image: None,
                    command: Some(whole),
                    command_evidence: Some(line.clone()),
                    confidence: Confidence::Stated,
                    unit: None,
                    entry: None,
                    third_party: false,
                    evidence: vec![line],
                })
            })
            .collect()
    }

    /// The process types among the choices of the image's entrypoint script.
    fn arms(
        &self,
        container: &Container,
        entrypoint: Option<&CommandLine>,
        command: Option<&CommandLine>,
        of_image: &Candidate,
    ) -> Vec<Candidate> {
        let Some(script) = entrypoint.and_then(|entrypoint| self.script(container, entrypoint)) else {
            return Vec::new();
        };
        let default = command.map(|command| command.as_str().trim_matches(['"', '[', ']']).to_owned());
        let mut out = Vec::new();
        for arm in &script.arms {
            let name = arm.name.as_str();
            let last = arm.commands.last();
            let role = arm
                .commands
                .iter()
                .rev()
                .find_map(|(command, _)| roles::of_command(command.as_str()))
                .filter(|role| *role != Role::Job)
                .or_else(|| roles::of_name(name).filter(|role| *role != Role::Job));
            let is_default = default.as_deref() == Some(name);
            let development = arm
                .commands
                .iter()
                .any(|(command, _)| roles::is_development_command(command.as_str()));
            let Some(role) = role.or(is_default.then_some(Role::Web)) else {
                continue;
            };
            if (roles::is_maintenance(name) || development) && !is_default {
                continue;
            }
            let run = entrypoint
                .and_then(|entrypoint| CommandLine::parse(Raw::new(&format!("{entrypoint} {name}"))));
            let line = last.map_or(arm.line, |(_, line)| *line);
            out.push(Candidate {
                name: Shown::from(&arm.name),
                role: Some(role),
                command: run,
                command_evidence: Some(Evidence::at(&script.path, arm.line)),
                evidence: vec![Evidence::at(&script.path, line), Evidence::file(&container.path)],
                ..of_image.clone()
            });
        }
        // Arms that say the same (aliases) are one process.
        out.dedup_by(|b, a| a.role == b.role && a.evidence == b.evidence);
        if out.len() < 2
            && default
                .as_deref()
                .is_none_or(|default| !out.iter().any(|c| c.name == *default))
        {
            Vec::new()
        } else {
            out
        }
    }

    /// The script of the repository that a command runs first.
    pub(crate) fn script(
        &self,
        container: &Container,
        command: &CommandLine,
    ) -> Option<&crate::fact::ShellScript> {
        let dir = self.dir_of_dockerfile(&container.path);
        self.script_of_command(&dir, command)
    }

    /// The script of the repository that a command runs: by its name, the nearest to the folder first.
    pub(crate) fn script_of_command(
        &self,
        dir: &RelPath,
        command: &CommandLine,
    ) -> Option<&crate::fact::ShellScript> {
        for words in roles::simple_commands(command.as_str()) {
            for word in words.iter().take(3) {
                let name = word.rsplit('/').next().unwrap_or(word);
                if name.is_empty() || word.starts_with('-') {
                    continue;
                }
                let mut found: Vec<&crate::fact::ShellScript> = self
                    .facts
                    .shell_scripts
                    .iter()
                    .filter(|script| script.path.name() == name)
                    .collect();
                found.sort_by_key(|script| {
                    let ends = !word.contains('/')
                        || script
                            .path
                            .as_str()
                            .ends_with(word.trim_start_matches(['.', '/']));
                    (
                        !ends,
                        !script.path.is_in(dir),
                        script.path.depth(),
                        script.path.clone(),
                    )
                });
                if let Some(script) = found.first() {
                    return Some(script);
                }
            }
        }
        None
    }
}

/// `api` of `docker/api.Dockerfile` and of `Dockerfile.api`; words that only tell how the same program is built or
/// started name nothing.
pub(crate) fn image_name(dockerfile: &RelPath) -> Option<Shown> {
    let stem = image_stem(dockerfile)?;
    roles::stem(&stem)?;
    Name::parse(Raw::new(&stem)).map(Into::into)
}

/// The part of a Dockerfile's name that tells it from others.
fn image_stem(dockerfile: &RelPath) -> Option<String> {
    let lower = dockerfile.name().to_ascii_lowercase();
    lower
        .strip_suffix(".dockerfile")
        .or_else(|| lower.strip_prefix("dockerfile."))
        .or_else(|| lower.strip_prefix("dockerfile-"))
        .map(str::to_owned)
}

/// Is it another way to build or start what a plain Dockerfile beside it does: `Dockerfile.native`, `Dockerfile.alpine`?
pub(crate) fn is_variant_image(dockerfile: &RelPath) -> bool {
    image_stem(dockerfile).is_some_and(|stem| roles::stem(&stem).is_none())
}
