//! Processes that single sources describe, before those that are the same are merged.

use playbook_core::evidence::{Confidence, Evidence, Scope};
use playbook_core::harmless::{CommandLine, Name};
use playbook_core::inventory::{Container, Role, Stack};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use super::apps::{App, Apps};
use super::roles;
use super::units::{self, UnitClass};
use crate::fact::{EntryKind, EntryPoint, Facts};

/// How much a source is worth; smaller is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tier {
    /// A stack of production.
    Stack,
    /// A Dockerfile.
    Image,
    /// The code and its manifest.
    Code,
    /// A stack of development.
    Development,
}

/// A process that one source describes.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(crate) tier: Tier,
    pub(crate) name: Shown,
    /// Folder of the code, where it is known.
    pub(crate) dir: Option<RelPath>,
    pub(crate) role: Option<Role>,
    pub(crate) dockerfile: Option<RelPath>,
    pub(crate) target: Option<Shown>,
    pub(crate) context: Option<RelPath>,
    pub(crate) image: Option<Shown>,
    pub(crate) command: Option<CommandLine>,
    pub(crate) command_evidence: Option<Evidence>,
    pub(crate) confidence: Confidence,
    /// Index of the stack and of the unit it comes from.
    pub(crate) unit: Option<(usize, usize)>,
    /// Index of the entry point it comes from.
    pub(crate) entry: Option<usize>,
    pub(crate) third_party: bool,
    pub(crate) evidence: Vec<Evidence>,
}

/// What the sources of a scan are.
pub(crate) struct Sources<'a> {
    pub(crate) facts: &'a Facts,
    pub(crate) apps: &'a Apps,
    pub(crate) stacks: &'a [Stack],
    pub(crate) containers: &'a [Container],
    pub(crate) own_images: &'a [String],
    pub(crate) routes: super::routes::Index,
}

impl Sources<'_> {
    /// The folder of the code that a Dockerfile packs: the application it lies in; for a folder of Dockerfiles, the
    /// application whose name its own name tells; else the only application below it, or the root's.
    pub(crate) fn dir_of_dockerfile(&self, dockerfile: &RelPath) -> RelPath {
        let folder = dockerfile.parent();
        if self.apps.at(&folder).is_some() {
            return folder;
        }
        let file = dockerfile.name().to_ascii_lowercase();
        let hints = [
            file.strip_suffix(".dockerfile").unwrap_or_default().to_owned(),
            file.strip_prefix("dockerfile.")
                .or_else(|| file.strip_prefix("dockerfile-"))
                .unwrap_or_default()
                .to_owned(),
            folder.name().to_ascii_lowercase(),
        ];
        for hint in hints.iter().filter(|hint| !hint.is_empty() && *hint != ".") {
            if let Some(app) = self
                .apps
                .all
                .iter()
                .find(|app| app.dir.name().eq_ignore_ascii_case(hint))
            {
                return app.dir.clone();
            }
        }
        // An application below the Dockerfile's folder, if there is just one.
        let below: Vec<&App> = self
            .apps
            .all
            .iter()
            .filter(|app| app.dir.is_in(&folder) && app.dir != folder)
            .collect();
        if let ([only], false) = (below.as_slice(), folder.is_root()) {
            return only.dir.clone();
        }
        self.apps.owner(dockerfile).map_or(folder, |app| app.dir.clone())
    }

    /// The folder of the application that a folder belongs to, else the folder itself.
    fn owner_dir(&self, folder: &RelPath) -> RelPath {
        self.apps
            .owner(folder)
            .map_or_else(|| folder.clone(), |app| app.dir.clone())
    }

    fn container(&self, path: &RelPath) -> Option<&Container> {
        self.containers.iter().find(|container| container.path == *path)
    }

    /// Candidates of the stacks of one scope.
    pub(crate) fn of_stacks(&self, scope: Scope) -> Vec<Candidate> {
        let mut out = Vec::new();
        for (at, stack) in self
            .stacks
            .iter()
            .enumerate()
            .filter(|(_, stack)| stack.scope == scope)
        {
            for (position, unit) in stack.units.iter().enumerate() {
                if unit.kind == crate::detect::process::ONESHOT {
                    continue;
                }
                let class = units::classify(stack, unit, self.own_images);
                let third_party = match class {
                    UnitClass::Store(_) => continue,
                    UnitClass::ThirdParty(role) => Some(role),
                    UnitClass::Own => None,
                };
                if third_party.is_none()
                    && unit
                        .profiles
                        .iter()
                        .any(|profile| roles::is_maintenance(profile.as_str()))
                {
                    continue;
                }
                let dockerfile = unit.build.as_ref().and_then(|build| build.dockerfile.clone());
                let image_dir =
                    || self.dir_by_name(unit.name.as_str(), unit.image.as_ref().map(Shown::as_str));
                let by_command = unit
                    .command
                    .as_ref()
                    .filter(|_| {
                        unit.build.is_none()
                            && unit.image.is_none()
                            && unit.root.as_ref().is_none_or(RelPath::is_root)
                    })
                    .and_then(|command| self.dir_in_command(command));
                let stated = units::code_dir(
                    stack,
                    unit,
                    |path| self.dir_of_dockerfile(path),
                    |folder| self.owner_dir(folder),
                );
                let dir = by_command.or(stated).or_else(image_dir);
                // Resources that run what no folder here holds are somebody else's, or of another repository.
                if dir.is_none()
                    && !self.apps.all.is_empty()
                    && matches!(stack.kind.as_str(), "terraform" | "cloudformation" | "bicep")
                {
                    continue;
                }
                let dockerfile = dockerfile.or_else(|| {
                    let dir = dir.as_ref()?;
                    let path = dir.join("Dockerfile")?;
                    (unit.build.is_none() && unit.image.is_some())
                        .then_some(path)
                        .filter(|path| self.container(path).is_some())
                });
                // A unit's command replaces the image's command and keeps its entrypoint.
                let of_image = dockerfile
                    .as_ref()
                    .and_then(|path| self.container(path)?.entrypoint.clone());
                let command = match (&unit.entrypoint, &unit.command, of_image) {
                    (Some(entrypoint), command, _) => joined(Some(entrypoint), command.as_ref()),
                    (None, Some(command), Some(entrypoint)) if stack.kind == "docker-compose" => {
                        joined(Some(&entrypoint), Some(command))
                    }
                    (None, command, _) => command.clone(),
                };
                let role = third_party.or_else(|| units::role_of(unit));
                out.push(Candidate {
                    tier: if scope == Scope::Production {
                        Tier::Stack
                    } else {
                        Tier::Development
                    },
                    name: unit.name.clone(),
                    dir,
                    role,
                    dockerfile,
                    target: unit.build.as_ref().and_then(|build| build.target.clone()),
                    context: unit.build.as_ref().and_then(|build| build.context.clone()),
                    image: unit.image.clone(),
                    command_evidence: command.as_ref().and_then(|_| unit.evidence.first().cloned()),
                    command,
                    confidence: Confidence::Stated,
                    unit: Some((at, position)),
                    entry: None,
                    third_party: third_party.is_some(),
                    evidence: unit.evidence.clone(),
                });
            }
        }
        out
    }

    /// The application whose folder, or whose manifest's name, is the unit's name or its image's last component.
    fn dir_by_name(&self, unit: &str, image: Option<&str>) -> Option<RelPath> {
        let image = image
            .and_then(|image| playbook_core::harmless::ImageRef::parse(Raw::new(image)))
            .map(|image| {
                image
                    .repository()
                    .rsplit('/')
                    .next()
                    .unwrap_or_default()
                    .to_ascii_lowercase()
            });
        let wanted: Vec<String> = image.into_iter().chain([unit.to_ascii_lowercase()]).collect();
        for name in &wanted {
            let by_folder = self
                .apps
                .all
                .iter()
                .find(|app| telling_name(&app.dir).eq_ignore_ascii_case(name));
            let by_container = || {
                self.containers.iter().find(|container| {
                    container.scope == Scope::Production
                        && container.path.parent().name().eq_ignore_ascii_case(name)
                })
            };
            let found = by_folder
                .map(|app| app.dir.clone())
                .or_else(|| by_container().map(|c| self.dir_of_dockerfile(&c.path)));
            if found.is_some() {
                return found;
            }
        }
        // With a single application there is no choice.
        match self.apps.all.as_slice() {
            [only] => Some(only.dir.clone()),
            _ => None,
        }
    }

    /// Candidates of the Dockerfiles: the command of the image, and the choices of an entrypoint that dispatches on its
    /// argument.
    pub(crate) fn of_images(&self) -> Vec<Candidate> {
        let mut out = Vec::new();
        for container in self
            .containers
            .iter()
            .filter(|container| container.scope == Scope::Production)
        {
            let base = container
                .base_images
                .last()
                .and_then(|base| playbook_core::harmless::ImageRef::parse(Raw::new(base.as_str())));
            let dir = self.dir_of_dockerfile(&container.path);
            let has_code = self.apps.at(&dir).is_some();
            // A datastore or proxy with settings of its own is no process of this repository.
            if let (Some(UnitClass::Store(_)), false) = (base.as_ref().and_then(units::of_image), has_code) {
                continue;
            }
            let own: Vec<Candidate> = self.of_targets(container, &dir);
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
            let name = file_hint
                .clone()
                .or_else(|| name_of_dir(&dir, self.apps))
                .unwrap_or_else(|| Shown::from("app"));
            let whole = joined(entrypoint.as_ref(), command.as_ref());
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

    /// The application whose folder or name a command tells: `node apps/api/dist/main.js`, `pnpm --filter api start`.
    fn dir_in_command(&self, command: &CommandLine) -> Option<RelPath> {
        let words: Vec<&str> = command
            .words()
            .map(|word| word.trim_matches(['"', '\'']).trim_start_matches("./"))
            .collect();
        let below = |app: &&App| {
            let prefix = format!("{}/", app.dir);
            !app.dir.is_root()
                && words
                    .iter()
                    .any(|word| word.starts_with(&prefix) || *word == app.dir.as_str())
        };
        let by_path = self
            .apps
            .all
            .iter()
            .filter(below)
            .max_by_key(|app| app.dir.depth());
        let selected = words.windows(2).find_map(|pair| match pair {
            [
                "--filter" | "-F" | "--workspace" | "-w" | "--scope" | "--prefix" | "--package" | "-p",
                name,
            ] => Some(*name),
            _ => None,
        });
        let selected = selected.or_else(|| {
            words.iter().find_map(|word| {
                word.strip_prefix("--filter=")
                    .or_else(|| word.strip_prefix("--workspace="))
            })
        });
        let by_name = || {
            let name = selected?;
            self.apps.all.iter().find(|app| {
                app.main()
                    .and_then(|project| project.name.as_ref())
                    .is_some_and(|known| known.as_str() == name)
                    || app.dir.as_str() == name
                    || app.dir.name() == name && !app.dir.is_root()
            })
        };
        by_path.or_else(by_name).map(|app| app.dir.clone())
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

    /// Candidates of the code: proven entry points. The caller drops those whose application already has a process of
    /// their kind.
    pub(crate) fn of_code(&self) -> Vec<Candidate> {
        let mut out = Vec::new();
        for (at, entry) in self
            .facts
            .entry_points
            .iter()
            .enumerate()
            .filter(|(_, entry)| entry.scope == Scope::Production)
        {
            if entry.framework == crate::detect::settings_file::SETTINGS {
                continue;
            }
            let role = match entry.kind {
                EntryKind::Server => Role::Web,
                EntryKind::Worker => Role::Worker,
                EntryKind::Scheduler => Role::Scheduler,
                EntryKind::Function => Role::Function,
                EntryKind::Main => match self.role_of_program(entry) {
                    Some(role) => role,
                    None => continue,
                },
                EntryKind::Program => continue,
            };
            let app = self.apps.owner(&entry.path);
            // In a compiled language the process begins at its main function; a listener elsewhere lends its port.
            if app.is_some_and(|app| matches!(app.runtime, "go" | "rust")) && entry.kind != EntryKind::Main {
                continue;
            }
            let dir = app.map_or_else(|| entry.path.parent(), |app| app.dir.clone());
            let name = entry_name(entry, app)
                .or_else(|| name_of_dir(&dir, self.apps))
                .unwrap_or_else(|| Shown::from("app"));
            out.push(Candidate {
                tier: Tier::Code,
                name,
                dir: Some(dir),
                role: Some(role),
                dockerfile: None,
                target: None,
                context: None,
                image: None,
                command: None,
                command_evidence: None,
                confidence: Confidence::Convention,
                unit: None,
                entry: Some(at),
                third_party: false,
                evidence: vec![entry.evidence.clone()],
            });
        }
        out
    }
}

impl Sources<'_> {
    /// The role of a compiled program: what its name says, else a server when its application listens or has a web
    /// framework. Programs for maintenance have none.
    fn role_of_program(&self, entry: &EntryPoint) -> Option<Role> {
        let app = self.apps.owner(&entry.path)?;
        let own = entry_name(entry, Some(app));
        let by_name = own.as_ref().and_then(|name| roles::of_name(name.as_str()));
        if own
            .as_ref()
            .is_some_and(|name| roles::is_maintenance(name.as_str()))
            || by_name == Some(Role::Job)
        {
            return None;
        }
        if matches!(by_name, Some(Role::Worker | Role::Scheduler)) {
            return by_name;
        }
        let listens = self.facts.entry_points.iter().any(|other| {
            matches!(other.kind, EntryKind::Server)
                && other.scope == Scope::Production
                && self
                    .apps
                    .owner(&other.path)
                    .is_some_and(|owner| owner.dir == app.dir)
        });
        let web = app.frameworks_with_role("web").next().is_some();
        let worker = app.frameworks_with_role("worker").next().is_some();
        match (listens || web, worker) {
            (true, _) => Some(Role::Web),
            (false, true) => Some(Role::Worker),
            _ => None,
        }
    }
}

/// `api` of `docker/api.Dockerfile` and of `Dockerfile.api`.
fn image_name(dockerfile: &RelPath) -> Option<Shown> {
    let file = dockerfile.name();
    let lower = file.to_ascii_lowercase();
    let stem = lower
        .strip_suffix(".dockerfile")
        .or_else(|| lower.strip_prefix("dockerfile."))
        .or_else(|| lower.strip_prefix("dockerfile-"))?;
    if matches!(
        stem,
        "prod" | "production" | "deploy" | "release" | "alpine" | "debian" | "slim"
    ) {
        return None;
    }
    Name::parse(Raw::new(stem)).map(Into::into)
}

/// The name of a folder; of the root, the name that its manifest gives.
pub(crate) fn name_of_dir(dir: &RelPath, apps: &Apps) -> Option<Shown> {
    if dir.is_root() {
        let name = apps
            .at(dir)?
            .projects
            .iter()
            .find_map(|project| project.name.as_ref())?;
        // Module paths and scopes are no names of services: their last part is.
        let last = name
            .as_str()
            .rsplit(['/', ':'])
            .find(|part| !is_major_version(part))?;
        return Name::parse(Raw::new(last)).map(Into::into);
    }
    Name::parse(Raw::new(telling_name(dir))).map(Into::into)
}

/// The name of a folder that tells what is in it: of `cart/src` it is `cart`.
fn telling_name(dir: &RelPath) -> &str {
    let mut parts: Vec<&str> = dir.components().collect();
    while parts.len() > 1 && parts.last().is_some_and(|last| matches!(*last, "src" | "source")) {
        parts.pop();
    }
    parts.last().copied().unwrap_or(".")
}

fn is_major_version(part: &str) -> bool {
    part.strip_prefix('v')
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
}

/// A name that the entry point itself tells: the folder of a Go command, the name of a binary.
fn entry_name(entry: &EntryPoint, app: Option<&App>) -> Option<Shown> {
    let app = app?;
    if matches!(app.runtime, "go" | "rust") && entry.kind == EntryKind::Main {
        let folder = entry.path.parent();
        let below: Vec<&str> = folder.components().skip(app.dir.depth()).collect();
        let stem = entry.path.name().split('.').next().unwrap_or_default();
        let name = match (below.as_slice(), stem) {
            (["src", "bin"] | ["cmd"], stem) if stem != "main" => stem,
            (["cmd" | "src", .., last] | [.., "cmd", last], "main") if *last != "bin" && *last != "src" => {
                last
            }
            _ => return None,
        };
        return Name::parse(Raw::new(name)).map(Into::into);
    }
    None
}

/// The whole command of an image: entrypoint and command.
pub(crate) fn joined(entrypoint: Option<&CommandLine>, command: Option<&CommandLine>) -> Option<CommandLine> {
    match (entrypoint, command) {
        (Some(entrypoint), Some(command)) => CommandLine::parse(Raw::new(&format!("{entrypoint} {command}"))),
        (one, other) => one.or(other).cloned(),
    }
}
