//! Dockerfiles: what is built, from which images, by which commands, and what the image runs.

mod pins;

pub(super) use pins::tool_of_variable;

use std::collections::BTreeSet;

use playbook_core::evidence::{Evidence, Scope};
use playbook_core::harmless::{CommandLine, EnvName, ImageRef, Name};
use playbook_core::inventory::{
    BuildArgument, Container, CopyStep, ImageTarget, Stage as StageFact, VariableOrigin,
};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use super::Detector;
use super::judge::{self, Place, development, interpolation};
use crate::fact::{Facts, VariableFact};
use crate::limits;
use crate::parse::dockerfile::{self, Command, Dockerfile, Stage};
use crate::parse::shell;
use crate::source::Source;

pub(crate) const DETECTOR: Detector = Detector { wants, detect };

/// Arguments that the builder sets by itself.
const PREDEFINED: [&str; 16] = [
    "TARGETPLATFORM",
    "TARGETOS",
    "TARGETARCH",
    "TARGETVARIANT",
    "BUILDPLATFORM",
    "BUILDOS",
    "BUILDARCH",
    "BUILDVARIANT",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "FTP_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "SOURCE_DATE_EPOCH",
    "TARGETSTAGE",
    "DOCKER_BUILDKIT",
];

/// Endings of files that are about a Dockerfile, or that become one.
const OTHER_FILES: [&str; 16] = [
    "dockerignore",
    "md",
    "txt",
    "j2",
    "jinja",
    "jinja2",
    "tmpl",
    "tpl",
    "template",
    "erb",
    "sh",
    "py",
    "js",
    "ts",
    "json",
    "hbs",
];

fn wants(path: &RelPath) -> bool {
    let name = path.name().to_ascii_lowercase();
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    if OTHER_FILES.contains(&ending)
        || matches!(ending, "yml" | "yaml" | "go" | "rb" | "lock" | "bak" | "swp")
    {
        return false;
    }
    ["dockerfile", "containerfile"].iter().any(|kind| {
        name == *kind
            || matches!(ending, "dockerfile" | "containerfile")
            || name
                .strip_prefix(kind)
                .is_some_and(|rest| rest.starts_with(['.', '-', '_']))
            || name
                .strip_suffix(kind)
                .is_some_and(|rest| rest.ends_with(['.', '-', '_']))
    })
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    let file = dockerfile::parse(source.text);
    let Some(last) = file.final_stage() else {
        return;
    };
    let scope = scope_of(source, &file, last);
    variables(source, facts, &file, last, scope);
    pins::collect(source, facts, &file, scope);
    for text in started(&file, last) {
        judge::withhold_in_command(facts, &text);
    }
    let container = container(source, facts, &file, last, scope);
    facts.containers.push(container);
}

/// The commands that the image starts with.
fn started(file: &Dockerfile, last: &Stage) -> Vec<String> {
    [file.entrypoint(last), file.cmd(last)]
        .into_iter()
        .flatten()
        .map(|command| text_of(&command))
        .collect()
}

/// A file is for development if its place says so, if the image serves developers, or if its first comment says so.
fn scope_of(source: &Source<'_>, file: &Dockerfile, last: &Stage) -> Scope {
    if !source.is_production() {
        return Scope::Development;
    }
    let (base, _) = file.root_image(last);
    let serves_developers = started(file, last)
        .iter()
        .any(|text| development::is_command(text))
        || development::is_image(base)
        || base.contains("/devcontainers/")
        || file.env(last).iter().any(|variable| {
            variable
                .value
                .as_deref()
                .is_some_and(|value| development::is_switch(&variable.name, value))
        });
    if serves_developers || (development::heading(source.text) == Some(true) && file.stages.len() == 1) {
        Scope::Development
    } else {
        Scope::Production
    }
}

/// The text of a command: words of the JSON form as a shell would want them, or the shell form as it stands.
fn text_of(command: &Command<'_>) -> String {
    match command.exec {
        Some(words) => judge::join_words(words),
        None => judge::joined_lines(command.text),
    }
}

fn command_line(command: &Command<'_>) -> Option<CommandLine> {
    judge::command(&text_of(command))
}

/// The name of a stage or an image.
fn image_or_stage(text: &str) -> Option<Shown> {
    ImageRef::parse(Raw::new(text)).map(Shown::from)
}

/// The stages that are images of their own: none starts from them, and each says itself what it runs. One alone is the
/// image that the rest of the facts describe.
fn targets(file: &Dockerfile) -> Vec<ImageTarget> {
    let found: Vec<ImageTarget> = file
        .stages
        .iter()
        .filter(|stage| {
            !file.stages.iter().any(|other| {
                file.lineage(other)
                    .iter()
                    .skip(1)
                    .any(|base| std::ptr::eq(*base, *stage))
            })
        })
        .filter_map(|stage| {
            let name = stage
                .name
                .as_deref()
                .and_then(|name| Name::parse(Raw::new(name)))?;
            let (entrypoint, command) = (file.entrypoint(stage), file.cmd(stage));
            let line = command.as_ref().or(entrypoint.as_ref())?.line;
            Some(ImageTarget {
                name: name.into(),
                entrypoint: entrypoint.as_ref().and_then(command_line),
                command: command.as_ref().and_then(command_line),
                exposed_ports: file
                    .exposed(stage)
                    .iter()
                    .flat_map(|exposed| ports(&exposed.port))
                    .collect(),
                line,
            })
        })
        .collect();
    if found.len() > 1 { found } else { Vec::new() }
}

fn container(
    source: &Source<'_>,
    facts: &mut Facts,
    file: &Dockerfile,
    last: &Stage,
    scope: Scope,
) -> Container {
    let entrypoint = file.entrypoint(last);
    let command = file.cmd(last);
    let health = file.healthcheck(last);
    let user = file.user(last);
    let (mut runs, mut run_lines, mut run_stages) = (Vec::new(), Vec::new(), Vec::new());
    for (command, line, stage) in commands_of_build(file) {
        judge::withhold_in_command(facts, &command);
        if let Some(command) = judge::command(&command) {
            runs.push(command);
            run_lines.push(line);
            run_stages.push(stage);
        }
    }
    let last_line = u32::try_from(source.text.lines().count())
        .unwrap_or(u32::MAX)
        .max(1);
    Container {
        kind: Shown::from("dockerfile"),
        path: source.path.clone(),
        base_images: base_images(file),
        stages: file
            .stages
            .iter()
            .map(|stage| StageFact {
                name: stage
                    .name
                    .as_deref()
                    .and_then(|name| Name::parse(Raw::new(name)))
                    .map(Shown::from),
                base: image_or_stage(&stage.base),
                line: stage.line,
            })
            .collect(),
        targets: targets(file),
        user_line: user.as_ref().map(|(_, line)| *line),
        user: user.and_then(|(name, _)| Name::parse(Raw::new(name.trim())).map(Shown::from)),
        exposed_ports: file
            .exposed(last)
            .iter()
            .filter(|exposed| exposed.protocol != "udp")
            .flat_map(|exposed| ports(&exposed.port))
            .collect(),
        healthcheck: health
            .as_ref()
            .and_then(|health| health.command.as_ref())
            .and_then(|command| health_command(command)),
        healthcheck_line: health.as_ref().map(|health| health.line),
        entrypoint_shell: entrypoint.as_ref().is_some_and(Command::behind_shell),
        entrypoint_line: entrypoint.as_ref().map(|command| command.line),
        entrypoint: entrypoint.as_ref().and_then(command_line),
        command_shell: command.as_ref().is_some_and(Command::behind_shell),
        command_line: command.as_ref().map(|command| command.line),
        command: command.as_ref().and_then(command_line),
        workdir: file.workdir(last).and_then(|(path, _)| judge::path(&path)),
        arguments: arguments(source, facts, file, scope),
        variables: image_variables(file, last),
        copies: copies(file),
        runs,
        run_lines,
        run_stages,
        dockerignore: None,
        scope,
        last_line,
        evidence: vec![source.at(last.line)],
    }
}

/// The command of a health check without the word `CMD`.
fn health_command(command: &Command<'_>) -> Option<CommandLine> {
    let text = text_of(command);
    let text = text.trim();
    judge::command(text.strip_prefix("CMD ").unwrap_or(text).trim())
}

/// A port, or the ports of a short range.
fn ports(text: &str) -> Vec<u16> {
    match text.split_once('-') {
        None => playbook_core::harmless::port(Raw::new(text))
            .into_iter()
            .collect(),
        Some((from, to)) => match (from.parse::<u16>(), to.parse::<u16>()) {
            (Ok(from), Ok(to)) if from > 0 && from <= to && to - from < 20 => (from..=to).collect(),
            _ => Vec::new(),
        },
    }
}

/// The images from outside, in order, each once: of `FROM` and of `COPY --from`.
fn base_images(file: &Dockerfile) -> Vec<Shown> {
    let mut seen = BTreeSet::new();
    let of_stages = file
        .stages
        .iter()
        .filter(|stage| stage.base_stage.is_none() && stage.base != "scratch")
        .map(|stage| stage.base.as_str());
    of_stages
        .filter_map(image_or_stage)
        .filter(|image| seen.insert(image.clone()))
        .collect()
}

/// The commands that the build runs, with their lines and the index of their stage.
fn commands_of_build(file: &Dockerfile) -> Vec<(String, u32, u32)> {
    let mut found = Vec::new();
    for stage in &file.stages {
        let index = u32::try_from(stage.index).unwrap_or(u32::MAX);
        for instruction in stage.all("RUN") {
            let mut commands = instruction.command().commands();
            for heredoc in &instruction.heredocs {
                let mut more = shell::commands(&heredoc.text);
                for command in &mut more {
                    command.shift_lines(heredoc.line.saturating_sub(1));
                }
                commands.extend(more);
            }
            let mut from = 0;
            for command in commands {
                // The line inside a continued instruction is the one that the parser could tell.
                let text = text_of_shell(&command);
                if !text.is_empty() {
                    found.push((text, line_in(instruction, &command, &mut from), index));
                }
            }
        }
    }
    found
}

/// The line on which a command of a continued `RUN` stands. Commands come in order, so each is looked for behind the one
/// before, which `from` remembers.
fn line_in(instruction: &dockerfile::Instruction, command: &shell::Command, from: &mut usize) -> u32 {
    if command.line > instruction.line {
        return command.line.min(instruction.end_line);
    }
    let place = command
        .words
        .first()
        .filter(|_| instruction.exec.is_none())
        .and_then(|_| {
            let texts = command.texts();
            let needle = texts.iter().take(2).copied().collect::<Vec<_>>().join(" ");
            // Far away stands something else of the same name.
            let window = instruction.arguments.get(*from..)?;
            let window = window.get(..limits::COMMAND_WINDOW).unwrap_or(window);
            let at = *from + window.find(&needle)?;
            *from = at;
            Some(at)
        });
    place.map_or(instruction.line, |offset| instruction.line_of(offset))
}

fn text_of_shell(command: &shell::Command) -> String {
    let mut words: Vec<String> = command
        .assignments
        .iter()
        .map(|(name, value)| format!("{name}={}", value.text))
        .collect();
    words.extend(command.words.iter().map(|word| word.text.clone()));
    judge::join_words(&words)
}

fn copies(file: &Dockerfile) -> Vec<CopyStep> {
    let mut found = Vec::new();
    for stage in &file.stages {
        let own: BTreeSet<u32> = stage
            .instructions
            .iter()
            .filter(|instruction| matches!(instruction.keyword.as_str(), "COPY" | "ADD"))
            .map(|instruction| instruction.line)
            .collect();
        for copy in file
            .copies(stage)
            .into_iter()
            .filter(|copy| own.contains(&copy.line))
        {
            found.push(CopyStep {
                from: copy
                    .from
                    .and_then(|from| image_or_stage(&file.expand(stage, from))),
                sources: copy
                    .sources
                    .iter()
                    .filter_map(|source| judge::path(source))
                    .collect(),
                destination: judge::path(&copy.destination),
                chown: copy.owner.is_some(),
                line: copy.line,
                stage: u32::try_from(stage.index).unwrap_or(u32::MAX),
            });
        }
    }
    found
}

fn arguments(source: &Source<'_>, facts: &mut Facts, file: &Dockerfile, scope: Scope) -> Vec<BuildArgument> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    let of_stages = file.stages.iter().flat_map(|stage| file.args(stage));
    let global = file
        .global_args
        .iter()
        .map(|argument| (argument.name.clone(), argument.value.clone(), argument.line));
    let all = global.chain(of_stages.map(|argument| (argument.name, argument.value, argument.line)));
    for (name, value, line) in all {
        if PREDEFINED.contains(&name.as_str()) || !seen.insert(name.clone()) {
            continue;
        }
        let Some(shown_name) = EnvName::parse(Raw::new(&name)) else {
            continue;
        };
        let judged = value
            .as_deref()
            .filter(|value| !value.contains('$'))
            .map(|value| judge::literal(source, facts, &name, value, Place::new(line, scope)));
        found.push(BuildArgument {
            name: Shown::from(&shown_name),
            default: judged.and_then(|judged| judged.shown).map(Shown::from),
            has_default: value.is_some(),
            line,
        });
    }
    found
}

fn image_variables(file: &Dockerfile, last: &Stage) -> Vec<BuildArgument> {
    file.env(last)
        .into_iter()
        .filter_map(|variable| {
            let name = EnvName::parse(Raw::new(&variable.name))?;
            let value = variable.value.unwrap_or_default();
            Some(BuildArgument {
                name: Shown::from(&name),
                default: playbook_core::harmless::Setting::judge(&variable.name, Raw::new(&value))
                    .map(Shown::from),
                has_default: !value.is_empty(),
                line: variable.line,
            })
        })
        .collect()
}

/// Variables that are set in every image and mean nothing to a deployer.
fn is_ordinary(name: &str) -> bool {
    matches!(
        name,
        "PATH"
            | "HOME"
            | "LANG"
            | "LANGUAGE"
            | "TERM"
            | "DEBIAN_FRONTEND"
            | "SHELL"
            | "PS1"
            | "EDITOR"
            | "PWD"
    ) || name.starts_with("LC_")
}

/// `ENV` of the last stage, `ARG`s that have to be given, and what the start commands read. Committed secrets of every
/// stage: a layer of the build is pushed as well.
fn variables(source: &Source<'_>, facts: &mut Facts, file: &Dockerfile, last: &Stage, scope: Scope) {
    let in_image: BTreeSet<u32> = file.env(last).iter().map(|variable| variable.line).collect();
    let mut set: BTreeSet<String> = BTreeSet::new();
    for stage in &file.stages {
        for instruction in stage.all("ENV") {
            for variable in instruction.variables() {
                let value = variable.value.unwrap_or_default();
                let expanded = file.expand(stage, &value);
                let judged = judge::literal(
                    source,
                    facts,
                    &variable.name,
                    &expanded,
                    Place::new(variable.line, scope),
                );
                if !in_image.contains(&variable.line) || is_ordinary(&variable.name) {
                    continue;
                }
                let Some(name) = EnvName::parse(Raw::new(&variable.name)) else {
                    continue;
                };
                set.insert(variable.name.clone());
                let mut fact =
                    VariableFact::new(name, VariableOrigin::Image, scope, source.at(variable.line));
                fact.has_default = !judged.empty && !expanded.contains('$');
                fact.default = judged.shown;
                fact.placeholder = judged.placeholder;
                fact.internal = is_used_by(file, &variable.name, |keyword| {
                    !matches!(keyword, "EXPOSE" | "CMD" | "ENTRYPOINT" | "HEALTHCHECK")
                });
                facts.variables.push(fact);
            }
        }
    }
    build_arguments(source, facts, file, scope);
    read_at_start(source, facts, file, last, scope, &set);
}

/// Arguments that a stage wants and that have no default: whoever builds the image has to know them.
fn build_arguments(source: &Source<'_>, facts: &mut Facts, file: &Dockerfile, scope: Scope) {
    let mut seen = BTreeSet::new();
    for stage in &file.stages {
        for argument in file.args(stage) {
            let given = argument.value.as_deref().is_some_and(|value| !value.is_empty());
            let usual = argument
                .name
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
            if given
                || !usual
                || PREDEFINED.contains(&argument.name.as_str())
                || !seen.insert(argument.name.clone())
            {
                continue;
            }
            if let Some(name) = EnvName::parse(Raw::new(&argument.name)) {
                let mut fact =
                    VariableFact::new(name, VariableOrigin::Image, scope, source.at(argument.line));
                fact.build_time = true;
                fact.has_default = argument.value.is_some();
                // What only names a file, a port or an image is a matter between the build and its caller.
                // (One that nothing mentions is for the programs that `RUN` starts.)
                fact.internal = is_used_by(file, &argument.name, |_| true)
                    && !is_used_by(file, &argument.name, |keyword| {
                        matches!(keyword, "RUN" | "ENV" | "CMD")
                    });
                facts.variables.push(fact);
            }
        }
    }
}

/// Does an instruction of one of these keywords mention the variable?
fn is_used_by(file: &Dockerfile, name: &str, keyword: impl Fn(&str) -> bool) -> bool {
    file.stages
        .iter()
        .flat_map(|stage| &stage.instructions)
        .filter(|instruction| keyword(&instruction.keyword))
        .any(|instruction| {
            mentions(&instruction.arguments, name)
                || instruction
                    .heredocs
                    .iter()
                    .any(|heredoc| mentions(&heredoc.text, name))
        })
}

/// `$NAME` or `${NAME`, to the end of the word.
fn mentions(text: &str, name: &str) -> bool {
    text.split('$').skip(1).any(|rest| {
        rest.strip_prefix('{')
            .unwrap_or(rest)
            .strip_prefix(name)
            .is_some_and(|after| !after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_'))
    })
}

/// Variables that `CMD`, `ENTRYPOINT` and `HEALTHCHECK` read.
fn read_at_start(
    source: &Source<'_>,
    facts: &mut Facts,
    file: &Dockerfile,
    last: &Stage,
    scope: Scope,
    set: &BTreeSet<String>,
) {
    let health = file.healthcheck(last).and_then(|health| health.command);
    let mut seen = BTreeSet::new();
    for command in [file.entrypoint(last), file.cmd(last), health]
        .into_iter()
        .flatten()
    {
        let text = text_of(&command);
        // The JSON form reads no variables unless it starts a shell.
        let expanded = command.exec.is_none_or(|words| {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            shell::inline_script(&words).is_some()
        });
        if !expanded {
            continue;
        }
        for read in interpolation::references(&text) {
            if is_ordinary(read.name) || !seen.insert(read.name.to_owned()) {
                continue;
            }
            let Some(name) = EnvName::parse(Raw::new(read.name)) else {
                continue;
            };
            let mut fact = VariableFact::new(
                name,
                VariableOrigin::Script,
                scope,
                Evidence::at(source.path, command.line),
            );
            fact.required = read.missing == interpolation::Missing::Error;
            fact.has_default = read.missing == interpolation::Missing::Default || set.contains(read.name);
            if read.missing == interpolation::Missing::Default {
                fact.default = judge::literal(
                    source,
                    facts,
                    read.name,
                    read.argument,
                    Place::new(command.line, scope),
                )
                .shown;
            }
            facts.variables.push(fact);
        }
    }
}

#[cfg(test)]
mod tests;
