//! Dockerfiles: stages, instructions with their lines, and what the image of a stage is in the end.

mod read;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::ParseProblem;
use super::shell;
use crate::limits;

/// The index of a stage with the variables that it sees.
type Seen = (usize, Rc<BTreeMap<String, String>>);

/// A Dockerfile.
#[derive(Debug, Default)]
pub(crate) struct Dockerfile {
    /// The stages in order.
    pub(crate) stages: Vec<Stage>,
    /// `ARG`s before the first `FROM`.
    pub(crate) global_args: Vec<Variable>,
    /// The value of `# syntax=`.
    pub(crate) syntax: Option<String>,
    /// What could not be read; the rest is there.
    pub(crate) problem: Option<ParseProblem>,
    /// The variables of the stage that was asked about last, with its index: a walk over the instructions of a stage
    /// asks for them again and again.
    seen: RefCell<Option<Seen>>,
}

/// A build stage.
#[expect(clippy::struct_field_names, reason = "a base stage is what it is called")]
pub(crate) struct Stage {
    /// The line of `FROM`.
    pub(crate) line: u32,
    /// Its place, from zero.
    pub(crate) index: usize,
    /// `AS name`, in lower case, as stage names are compared.
    pub(crate) name: Option<String>,
    /// The image or stage after the substitution of global arguments with defaults.
    pub(crate) base: String,
    /// The earlier stage that it starts from.
    pub(crate) base_stage: Option<usize>,
    /// The instructions after `FROM`.
    pub(crate) instructions: Vec<Instruction>,
}

/// An instruction.
pub(crate) struct Instruction {
    /// Its first line.
    pub(crate) line: u32,
    /// Its last line, heredocs included.
    pub(crate) end_line: u32,
    /// Its keyword in upper case.
    pub(crate) keyword: String,
    /// `--name=value` flags; a flag without value has an empty one.
    pub(crate) flags: Vec<(String, String)>,
    /// What follows the flags, continued lines joined by a blank, comments between them left out.
    pub(crate) arguments: String,
    /// The words of a JSON list.
    pub(crate) exec: Option<Vec<String>>,
    /// The bodies of heredocs with the line of their first line.
    pub(crate) heredocs: Vec<Heredoc>,
    /// Where in the arguments each continued line starts, and its line.
    parts: Vec<(usize, u32)>,
}

/// The body of a heredoc.
pub(crate) struct Heredoc {
    /// The line of the first line of the body.
    pub(crate) line: u32,
    /// The body.
    pub(crate) text: String,
}

/// `NAME=value` of `ARG`, `ENV` or `LABEL`.
pub(crate) struct Variable {
    /// Its line.
    pub(crate) line: u32,
    /// Its name.
    pub(crate) name: String,
    /// Its value without quotes, not substituted; `None` for an `ARG` without a default.
    pub(crate) value: Option<String>,
}

/// A `CMD`, `ENTRYPOINT` or the command of a `HEALTHCHECK`.
pub(crate) struct Command<'file> {
    /// Its line.
    pub(crate) line: u32,
    /// The words of the JSON form.
    pub(crate) exec: Option<&'file [String]>,
    /// The text of the shell form; of the JSON form, its source.
    pub(crate) text: &'file str,
}

/// An `EXPOSE`d port.
pub(crate) struct Exposed {
    /// Its line.
    pub(crate) line: u32,
    /// The port or range of ports, substituted as far as possible.
    pub(crate) port: String,
    /// `tcp` or `udp`.
    pub(crate) protocol: String,
}

/// A `HEALTHCHECK`.
pub(crate) struct Healthcheck<'file> {
    /// Its line.
    pub(crate) line: u32,
    /// `None` for `HEALTHCHECK NONE`.
    pub(crate) command: Option<Command<'file>>,
}

/// A `COPY` or `ADD`.
pub(crate) struct Copy<'file> {
    /// Its line.
    pub(crate) line: u32,
    /// The stage or image of `--from=`.
    pub(crate) from: Option<&'file str>,
    /// The sources, substituted as far as possible.
    pub(crate) sources: Vec<String>,
    /// The destination, substituted as far as possible.
    pub(crate) destination: String,
    /// `--chown=`.
    pub(crate) owner: Option<&'file str>,
}

opaque_debug!(
    Stage,
    Instruction,
    Heredoc,
    Variable,
    Command<'_>,
    Exposed,
    Healthcheck<'_>,
    Copy<'_>
);

/// Reads a Dockerfile.
pub(crate) fn parse(text: &str) -> Dockerfile {
    read::dockerfile(text)
}

impl Instruction {
    /// The value of a flag.
    pub(crate) fn flag(&self, name: &str) -> Option<&str> {
        self.flags
            .iter()
            .find(|(flag, _)| flag == name)
            .map(|(_, value)| value.as_str())
    }

    /// The line of a byte offset in the arguments, which may be continued over several lines.
    pub(crate) fn line_of(&self, offset: usize) -> u32 {
        let behind = self.parts.partition_point(|(start, _)| *start <= offset);
        let part = behind.checked_sub(1).and_then(|at| self.parts.get(at));
        part.map_or(self.line, |(_, line)| *line)
    }

    /// The words of the arguments by shell rules; those of the JSON form if it has it.
    pub(crate) fn words(&self) -> Vec<String> {
        match &self.exec {
            Some(words) => words.clone(),
            None => shell::words(&self.arguments)
                .into_iter()
                .map(|word| word.text)
                .collect(),
        }
    }

    /// The command of `CMD`, `ENTRYPOINT` or `HEALTHCHECK CMD`.
    pub(crate) fn command(&self) -> Command<'_> {
        Command {
            line: self.line,
            exec: self.exec.as_deref(),
            text: &self.arguments,
        }
    }

    /// The variables of `ENV`, `ARG` and `LABEL`.
    pub(crate) fn variables(&self) -> Vec<Variable> {
        read::variables(self)
    }
}

impl Command<'_> {
    /// The commands that run: those of the shell form, of a script behind `sh -c`, or the one of the JSON form.
    pub(crate) fn commands(&self) -> Vec<shell::Command> {
        let mut commands = match self.exec {
            None => shell::commands(self.text),
            Some(words) => {
                let texts: Vec<&str> = words.iter().map(String::as_str).collect();
                match shell::inline_script(&texts).and_then(|at| texts.get(at)) {
                    Some(script) => shell::commands(script),
                    None => vec![shell::Command::from_texts(&texts)],
                }
            }
        };
        for command in &mut commands {
            command.shift_lines(self.line.saturating_sub(1));
        }
        commands
    }

    /// Whether the process gets no signals because a shell stands before it: the shell form without `exec`.
    pub(crate) fn behind_shell(&self) -> bool {
        match self.exec {
            None => !shell::commands(self.text)
                .last()
                .is_some_and(|command| command.exec),
            Some(_) => false,
        }
    }
}

impl Dockerfile {
    /// The last stage, which a build without `--target` gives.
    pub(crate) fn final_stage(&self) -> Option<&Stage> {
        self.stages.last()
    }

    /// The stage of a name or number, as `--target` and `--from` take it.
    pub(crate) fn stage_named(&self, name: &str) -> Option<&Stage> {
        let name = name.to_ascii_lowercase();
        let by_name = self
            .stages
            .iter()
            .find(|stage| stage.name.as_deref() == Some(name.as_str()));
        by_name.or_else(|| name.parse().ok().and_then(|index: usize| self.stages.get(index)))
    }

    /// A stage and those it starts from, nearest first.
    pub(crate) fn lineage<'file>(&'file self, stage: &'file Stage) -> Vec<&'file Stage> {
        let mut stages = vec![stage];
        let mut base = stage.base_stage;
        // A base is always an earlier stage, so this ends.
        while let Some(next) = base.and_then(|index| self.stages.get(index)) {
            stages.push(next);
            base = next.base_stage.filter(|index| *index < next.index);
        }
        stages
    }

    /// The image from outside that a stage is built on in the end, substituted as far as possible, with the line of its `FROM`.
    pub(crate) fn root_image<'file>(&'file self, stage: &'file Stage) -> (&'file str, u32) {
        let root = self.lineage(stage).pop().unwrap_or(stage);
        (&root.base, root.line)
    }

    /// The instructions of a stage and of those it starts from, in the order in which they run.
    pub(crate) fn instructions<'file>(
        &'file self,
        stage: &'file Stage,
    ) -> impl Iterator<Item = &'file Instruction> {
        self.lineage(stage)
            .into_iter()
            .rev()
            .flat_map(|stage| stage.instructions.iter())
    }

    fn last<'file>(&'file self, stage: &'file Stage, keyword: &str) -> Option<&'file Instruction> {
        self.lineage(stage)
            .into_iter()
            .find_map(|stage| stage.last(keyword))
    }

    /// The `CMD` in force. A stage with an `ENTRYPOINT` of its own does not inherit one.
    pub(crate) fn cmd<'file>(&'file self, stage: &'file Stage) -> Option<Command<'file>> {
        for stage in self.lineage(stage) {
            if let Some(instruction) = stage.last("CMD") {
                return Some(instruction.command());
            }
            if stage.last("ENTRYPOINT").is_some() {
                return None;
            }
        }
        None
    }

    /// The `ENTRYPOINT` in force; an empty list takes an inherited one away.
    pub(crate) fn entrypoint<'file>(&'file self, stage: &'file Stage) -> Option<Command<'file>> {
        let instruction = self.last(stage, "ENTRYPOINT")?;
        let empty =
            instruction.exec.as_ref().is_some_and(Vec::is_empty) || instruction.arguments.trim().is_empty();
        (!empty).then(|| instruction.command())
    }

    /// The user in force, substituted as far as possible, with its line.
    pub(crate) fn user(&self, stage: &Stage) -> Option<(String, u32)> {
        let instruction = self.last(stage, "USER")?;
        Some((self.expand(stage, &instruction.arguments), instruction.line))
    }

    /// The working directory, relative ones joined, with the line that set it last.
    pub(crate) fn workdir(&self, stage: &Stage) -> Option<(String, u32)> {
        let mut found: Option<(String, u32)> = None;
        let values = self.values(stage);
        for instruction in self
            .instructions(stage)
            .filter(|instruction| instruction.keyword == "WORKDIR")
        {
            let written = read::substitute(instruction.arguments.trim().trim_matches(['"', '\'']), &values);
            let path = match found {
                Some((before, _)) if !written.starts_with(['/', '$']) => {
                    format!("{}/{written}", before.trim_end_matches('/'))
                }
                _ => written,
            };
            found = Some((path, instruction.line));
        }
        found
    }

    /// All exposed ports.
    pub(crate) fn exposed(&self, stage: &Stage) -> Vec<Exposed> {
        let mut found = Vec::new();
        let values = self.values(stage);
        for instruction in self
            .instructions(stage)
            .filter(|instruction| instruction.keyword == "EXPOSE")
        {
            for word in instruction.words() {
                let word = read::substitute(&word, &values);
                let (port, protocol) = word.split_once('/').unwrap_or((&word, "tcp"));
                found.push(Exposed {
                    line: instruction.line,
                    port: port.to_owned(),
                    protocol: protocol.to_ascii_lowercase(),
                });
            }
        }
        found
    }

    /// The health check in force.
    pub(crate) fn healthcheck<'file>(&'file self, stage: &'file Stage) -> Option<Healthcheck<'file>> {
        let instruction = self.last(stage, "HEALTHCHECK")?;
        let none = instruction.arguments.trim().eq_ignore_ascii_case("none");
        Some(Healthcheck {
            line: instruction.line,
            command: (!none).then(|| instruction.command()),
        })
    }

    /// The environment of the image: the last value of each name, in order of first appearance, substituted as far as
    /// possible with what was set before it.
    pub(crate) fn env(&self, stage: &Stage) -> Vec<Variable> {
        self.variables_of(stage).1
    }

    /// The build arguments that a stage declares itself; one without a default takes that of the global one.
    pub(crate) fn args(&self, stage: &Stage) -> Vec<Variable> {
        let mut found: Vec<Variable> = Vec::new();
        for instruction in stage
            .instructions
            .iter()
            .filter(|instruction| instruction.keyword == "ARG")
        {
            found.extend(instruction.variables());
        }
        for variable in found.iter_mut().filter(|variable| variable.value.is_none()) {
            let global = self
                .global_args
                .iter()
                .rev()
                .find(|global| global.name == variable.name);
            variable.value = global.and_then(|global| global.value.clone());
        }
        found
    }

    /// What is copied into the image, in order.
    pub(crate) fn copies<'file>(&'file self, stage: &'file Stage) -> Vec<Copy<'file>> {
        let copies = self
            .instructions(stage)
            .filter(|instruction| matches!(instruction.keyword.as_str(), "COPY" | "ADD"));
        let values = self.values(stage);
        copies
            .filter_map(|instruction| {
                let mut words: Vec<String> = instruction
                    .words()
                    .iter()
                    .map(|word| read::substitute(word, &values))
                    .collect();
                let destination = words.pop()?;
                Some(Copy {
                    line: instruction.line,
                    from: instruction.flag("from"),
                    sources: words,
                    destination,
                    owner: instruction.flag("chown"),
                })
            })
            .collect()
    }

    /// A text with the `ENV`s and `ARG` defaults that the stage sees in place of its variables; unknown ones stay as written.
    pub(crate) fn expand(&self, stage: &Stage, text: &str) -> String {
        if !text.contains('$') {
            return text.to_owned();
        }
        read::substitute(text, &self.values(stage))
    }

    /// The variables that the stage sees at its end.
    fn values(&self, stage: &Stage) -> Rc<BTreeMap<String, String>> {
        let known = self
            .seen
            .borrow()
            .as_ref()
            .filter(|(index, _)| *index == stage.index)
            .map(|(_, values)| Rc::clone(values));
        known.unwrap_or_else(|| {
            let values = Rc::new(self.variables_of(stage).0);
            *self.seen.borrow_mut() = Some((stage.index, Rc::clone(&values)));
            values
        })
    }

    /// The variables that the stage sees at its end, and those of them that stay in the image.
    fn variables_of(&self, stage: &Stage) -> (BTreeMap<String, String>, Vec<Variable>) {
        let mut values: BTreeMap<String, String> = BTreeMap::new();
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        let mut kept: Vec<Variable> = Vec::new();
        for stage in self.lineage(stage).into_iter().rev() {
            for variable in self.args(stage) {
                if let Some(value) = variable.value {
                    values.insert(variable.name, value);
                }
            }
            for instruction in stage.all("ENV") {
                let mut set = instruction.variables();
                set.truncate(limits::DOCKERFILE_VARIABLES.saturating_sub(kept.len()));
                // One instruction sees what was set before it, not what it sets itself.
                for variable in &mut set {
                    variable.value = variable
                        .value
                        .take()
                        .map(|value| read::substitute(&value, &values));
                }
                for variable in set {
                    values.insert(variable.name.clone(), variable.value.clone().unwrap_or_default());
                    if let Some(earlier) = places.get(&variable.name).and_then(|at| kept.get_mut(*at)) {
                        *earlier = variable;
                    } else {
                        places.insert(variable.name.clone(), kept.len());
                        kept.push(variable);
                    }
                }
            }
        }
        (values, kept)
    }
}

impl Stage {
    /// The last instruction of a keyword in this stage alone.
    pub(crate) fn last(&self, keyword: &str) -> Option<&Instruction> {
        self.instructions
            .iter()
            .rev()
            .find(|instruction| instruction.keyword == keyword)
    }

    /// The instructions of a keyword in this stage alone.
    pub(crate) fn all<'file>(&'file self, keyword: &'file str) -> impl Iterator<Item = &'file Instruction> {
        self.instructions
            .iter()
            .filter(move |instruction| instruction.keyword == keyword)
    }
}

#[cfg(test)]
mod tests;
