//! What one file tells, cut to what one file of a real repository can tell.
//!
//! Detectors need not count: whatever a file holds, the steps behind them see lists of a bounded length. What is cut is
//! reported for the file.

use playbook_core::inventory::{Container, Stack, Unit};

use super::{Facts, ProjectFact, ShellScript, for_lists};
use crate::limits;

/// Cuts a list; says whether it was too long.
fn cut<T>(list: &mut Vec<T>, most: usize) -> bool {
    let long = list.len() > most;
    list.truncate(most);
    long
}

macro_rules! cut_lists {
    ($self:ident: $($field:ident),*) => {
        [$(cut(&mut $self.$field, limits::FACTS_PER_FILE)),*].contains(&true)
    };
}

macro_rules! count_lists {
    ($self:ident: $($field:ident),*) => {
        0 $(+ $self.$field.len())*
    };
}

impl Facts {
    /// Cuts every list. Says whether one was too long.
    pub(crate) fn bound(&mut self) -> bool {
        let lists = for_lists!(cut_lists, self);
        let stacks = any(&mut self.stacks, stack);
        let containers = any(&mut self.containers, container);
        let projects = any(&mut self.projects, project);
        let scripts = any(&mut self.shell_scripts, script);
        lists || stacks || containers || projects || scripts
    }

    /// Number of facts, the parts of stacks among them.
    pub(crate) fn count(&self) -> usize {
        let of_stacks: usize = self
            .stacks
            .iter()
            .flat_map(|stack| &stack.units)
            .map(|unit| 1 + unit.variables.len() + unit.depends_on.len() + unit.labels.len())
            .sum();
        let of_projects: usize = self
            .projects
            .iter()
            .map(|project| project.dependencies.len())
            .sum();
        for_lists!(count_lists, self) + of_stacks + of_projects
    }
}

/// Applies a cut to each; every one of them is cut, also behind the first that was too long.
fn any<T>(list: &mut [T], cut: fn(&mut T) -> bool) -> bool {
    list.iter_mut().map(cut).filter(|long| *long).count() > 0
}

fn stack(stack: &mut Stack) -> bool {
    let Stack {
        units,
        volumes,
        networks,
        groups,
        ..
    } = stack;
    let lists = [
        cut(units, limits::SERVICES),
        cut(volumes, limits::SERVICES),
        cut(networks, limits::SERVICES),
        cut(groups, limits::SERVICES),
    ]
    .contains(&true);
    let of_groups = any(groups, |group| cut(&mut group.variables, limits::PARTS_OF_A_UNIT));
    any(units, unit) || lists || of_groups
}

fn unit(unit: &mut Unit) -> bool {
    let most = limits::PARTS_OF_A_UNIT;
    [
        cut(&mut unit.ports, most),
        cut(&mut unit.mounts, most),
        cut(&mut unit.variables, most),
        cut(&mut unit.env_files, most),
        cut(&mut unit.depends_on, most),
        cut(&mut unit.probes, most),
        cut(&mut unit.profiles, most),
        cut(&mut unit.networks, most),
        cut(&mut unit.labels, most),
        cut(&mut unit.domains, most),
    ]
    .contains(&true)
}

fn container(container: &mut Container) -> bool {
    let most = limits::PARTS_OF_A_UNIT;
    [
        cut(&mut container.runs, most),
        cut(&mut container.run_lines, most),
        cut(&mut container.run_stages, most),
        cut(&mut container.exposed_ports, most),
        cut(&mut container.arguments, most),
        cut(&mut container.variables, most),
        cut(&mut container.copies, most),
    ]
    .contains(&true)
}

fn project(project: &mut ProjectFact) -> bool {
    [
        cut(&mut project.dependencies, limits::FACTS_PER_FILE),
        cut(&mut project.members, limits::FACTS_PER_FILE),
        cut(&mut project.programs, limits::FACTS_PER_FILE),
    ]
    .contains(&true)
}

fn script(script: &mut ShellScript) -> bool {
    let lists = [
        cut(&mut script.commands, limits::FACTS_PER_FILE),
        cut(&mut script.arms, limits::SERVICES),
    ]
    .contains(&true);
    let of_arms = any(&mut script.arms, |arm| {
        cut(&mut arm.commands, limits::PARTS_OF_A_UNIT)
    });
    lists || of_arms
}
