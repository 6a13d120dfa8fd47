//! Processes that the units of stacks describe.

use playbook_core::evidence::{Confidence, Scope};
use playbook_core::harmless::{CommandLine, ImageRef, Name};
use playbook_core::inventory::{Role, Stack, Unit};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Group};

use super::{Candidate, Sources, Tier, joined, telling_name};
use crate::resolve::apps::App;
use crate::resolve::images::ends_with_words;
use crate::resolve::roles;
use crate::resolve::units::{self, UnitClass};

impl Sources<'_> {
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
                    UnitClass::Store(_) | UnitClass::Unclear => continue,
                    UnitClass::ThirdParty(_) if units::is_sidecar(stack, position) => continue,
                    UnitClass::ThirdParty(role) => Some(role),
                    UnitClass::Own => None,
                };
                if is_manager(stack, unit) || is_watcher(stack, unit) || is_part_of_image(stack, unit) {
                    continue;
                }
                if third_party.is_none()
                    && unit
                        .profiles
                        .iter()
                        .any(|profile| roles::is_maintenance(profile.as_str()))
                {
                    continue;
                }
                let dockerfile = unit
                    .build
                    .as_ref()
                    .and_then(|build| build.dockerfile.clone())
                    .filter(|path| self.container(path).is_some());
                let template = (stack.kind == "helm" && unit.image.is_none() && third_party.is_none())
                    .then(|| self.of_template(unit));
                let name = match &template {
                    Some(Some((name, _))) => name.clone(),
                    // What a chart leaves open, and nothing here is called by its name, is no process of this code.
                    Some(None) => continue,
                    None => unit.name.clone(),
                };
                let image_dir = || match &template {
                    Some(found) => found.as_ref().map(|(_, dir)| dir.clone()),
                    None if third_party.is_some() => None,
                    None => self.dir_by_name(unit.name.as_str(), unit.image.as_ref().map(Shown::as_str)),
                };
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
                    |path| self.dir_of_built(path),
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
                let of_own_image = || {
                    let image = ImageRef::parse(Raw::new(unit.image.as_ref()?.as_str()))?;
                    let path = self.own_images.dockerfile_of(&image)?;
                    (unit.build.is_none() && third_party.is_none()).then(|| path.clone())
                };
                let dockerfile = dockerfile.or_else(of_own_image).or_else(|| {
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
                    name,
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

    /// Name and folder of the code of a workload whose name or image a template fills: the name of the file, or of the
    /// chart where the file is only called after the kind of workload; the code is what lies around the chart or is
    /// called the same.
    fn of_template(&self, unit: &Unit) -> Option<(Shown, RelPath)> {
        const KINDS: [&str; 12] = [
            "deployment",
            "deploy",
            "statefulset",
            "sts",
            "daemonset",
            "cronjob",
            "cron",
            "job",
            "pod",
            "workload",
            "rollout",
            "template",
        ];
        const CHARTS: [&str; 9] = [
            "chart",
            "charts",
            "helm",
            "deploy",
            "deployment",
            "k8s",
            "kubernetes",
            "templates",
            "helm-chart",
        ];
        let file = &unit.evidence.first()?.path;
        let stem = file.name().rsplit_once('.').map_or(file.name(), |(stem, _)| stem);
        let words: Vec<String> = playbook_core::secret::words_of(unit.name.as_str())
            .into_iter()
            .filter(|word| unit.name != *stem || !KINDS.contains(&word.as_str()))
            .collect();
        let parts: Vec<&str> = file.components().collect();
        let chart: Vec<&str> = parts
            .iter()
            .copied()
            .take_while(|part| *part != "templates")
            .collect();
        let around: Vec<&str> = match chart.iter().rposition(|part| !CHARTS.contains(part)) {
            Some(at) if chart.len() < parts.len() => chart.into_iter().take(at + 1).collect(),
            _ => Vec::new(),
        };
        let chart_name = around.last().copied();
        let owner = RelPath::new(&around.join("/"))
            .and_then(|folder| self.apps.owner(&folder))
            .filter(|app| !app.dir.is_root() || self.apps.all.len() == 1)
            .map(|app| app.dir.clone());
        let told = words.join("-");
        let name = if told.is_empty() {
            chart_name?
        } else {
            told.as_str()
        };
        let dir = self
            .dir_by_name(name, None)
            .or(owner)
            .or_else(|| self.dir_by_name(chart_name?, None))?;
        // A role alone (`worker`) is a process of the chart's application; any other unknown name is something else.
        Some((Name::parse(Raw::new(name))?.into(), dir))
    }

    /// The application whose folder, or whose manifest's name, is the unit's name or its image's last component.
    fn dir_by_name(&self, unit: &str, image: Option<&str>) -> Option<RelPath> {
        let image = image
            .and_then(|image| ImageRef::parse(Raw::new(image)))
            .map(|image| crate::resolve::images::last_of(&image));
        let has_image = image.is_some();
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
                .map(|app| self.started_of(&app.dir))
                .or_else(|| by_container().map(|c| self.dir_of_image(c)));
            if found.is_some() {
                return found;
            }
        }
        // Images of one project often begin with its name: `shop-cart` holds `cart`.
        let words = wanted
            .first()
            .map(|name| playbook_core::secret::words_of(name))
            .unwrap_or_default();
        let by_end = self
            .apps
            .all
            .iter()
            .filter(|app| !app.dir.is_root() && ends_with_words(&words, telling_name(&app.dir)))
            .max_by_key(|app| telling_name(&app.dir).len());
        if let Some(app) = by_end.filter(|_| has_image) {
            return Some(self.started_of(&app.dir));
        }
        // With a single application there is no choice.
        match self.apps.all.as_slice() {
            [only] => Some(only.dir.clone()),
            _ => None,
        }
    }

    /// What the image starts that is built in a folder of the same name around this one: a library is called like the
    /// service of which it is a part.
    fn started_of(&self, dir: &RelPath) -> RelPath {
        self.containers
            .iter()
            .filter(|container| container.scope == Scope::Production)
            .find(|container| {
                let around = container.path.parent();
                !around.is_root()
                    && around != *dir
                    && dir.is_in(&around)
                    && around.name().eq_ignore_ascii_case(telling_name(dir))
            })
            .map_or_else(|| dir.clone(), |container| self.dir_of_image(container))
    }

    /// The application whose folder or name a command tells: `node apps/api/dist/main.js`, `pnpm --filter api start`; of
    /// several commands the last one that tells it, for those before it prepare.
    fn dir_in_command(&self, command: &CommandLine) -> Option<RelPath> {
        roles::simple_commands(command.as_str())
            .into_iter()
            .rev()
            .find_map(|words| self.dir_in_words(&words))
    }

    fn dir_in_words(&self, words: &[&str]) -> Option<RelPath> {
        let words: Vec<&str> = words
            .iter()
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

    /// The folder of the member of a workspace whose compiled program a command starts: `/usr/local/bin/shop_server`.
    pub(super) fn dir_of_program(&self, command: &CommandLine) -> Option<RelPath> {
        let words = roles::simple_commands(command.as_str());
        let last = words.last()?;
        let file = |word: &'_ &str| word.rsplit('/').next().map(str::to_owned);
        // The runtime starts the assembly that it is given.
        let program = match last.as_slice() {
            [runtime, rest @ ..] if file(runtime)? == "dotnet" => {
                let assembly = rest.iter().find_map(|word| word.strip_suffix(".dll"))?;
                file(&assembly)?
            }
            [program, ..] => file(program)?,
            [] => return None,
        };
        let is_called = |app: &&App| {
            matches!(app.runtime, "rust" | "go" | "dotnet")
                && app.projects.iter().any(|project| {
                    project
                        .programs
                        .iter()
                        .any(|(name, _, _)| name.as_str() == program.as_str())
                        || project
                            .name
                            .as_ref()
                            .is_some_and(|name| name.as_str() == program.as_str())
                })
        };
        let mut found = self.apps.all.iter().filter(is_called);
        match (found.next(), found.next()) {
            (Some(app), None) => Some(app.dir.clone()),
            _ => None,
        }
    }
}

/// A proxy and the servers behind it that one image starts together: one process of the deployment, which is the image.
fn is_part_of_image(stack: &Stack, unit: &Unit) -> bool {
    let text = |unit: &Unit| unit.command.as_ref().map(|command| command.as_str().to_owned());
    let is_proxy = |unit: &Unit| {
        let command = text(unit).unwrap_or_default();
        let program = command.split_whitespace().next().unwrap_or_default();
        Catalogue::get()
            .by_image(program.rsplit('/').next().unwrap_or(program))
            .iter()
            .any(|found| found.technology.roles.contains(&"proxy"))
    };
    let is_server = || {
        roles::technologies(&text(unit).unwrap_or_default())
            .iter()
            .any(|technology| technology.group == Group::Server)
    };
    stack.kind == "procfile"
        && unit.kind == "worker"
        && stack.units.iter().any(is_proxy)
        && (is_proxy(unit) || is_server())
}

/// A process beside the server on a developer's machine that builds anew what changes.
fn is_watcher(stack: &Stack, unit: &Unit) -> bool {
    stack.kind == "procfile"
        && stack.scope == Scope::Development
        && unit.kind != "web"
        && unit
            .command
            .as_ref()
            .is_some_and(|command| crate::detect::judge::development::is_command(command.as_str()))
}

/// A process manager among the programs of an image: the processes are those that it manages; and what such a manager
/// runs once at start.
fn is_manager(stack: &Stack, unit: &Unit) -> bool {
    if !matches!(stack.kind.as_str(), "supervisor" | "systemd") {
        return false;
    }
    let command = unit.command.as_ref();
    let manages = command.is_some_and(|command| {
        roles::simple_commands(command.as_str())
            .iter()
            .flatten()
            .any(|word| {
                let name = word.rsplit('/').next().unwrap_or(word);
                roles::is_process_manager(name.split('.').next().unwrap_or(name))
            })
    });
    manages || stack.kind == "supervisor" && roles::of_name(unit.name.as_str()) == Some(Role::Job)
}
