//! The infrastructure that the repository describes as code: what it wants to be told, where its state is, and the
//! commands that apply it.

use serde::Serialize;

use playbook_core::evidence::Scope;
use playbook_core::harmless::Name;
use playbook_core::inventory::{Provisioning, ProvisioningInput, ProvisioningPin};
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use super::{Given, Ledger, Parameter};

/// Roots that are told at most, and those whose commands are given.
const MOST: usize = 8;
const COMMANDS: usize = 2;
/// Pins that are named of one root.
const MOST_PINS: usize = 6;

/// The decisions on infrastructure code.
#[derive(Debug, Serialize)]
pub(crate) struct Code<'a> {
    roots: Vec<Root<'a>>,
    /// Roots that the table leaves out.
    more: usize,
}

/// What is applied by itself.
#[derive(Debug, Serialize)]
struct Root<'a> {
    root: &'a Provisioning,
    /// Inputs without a value, but secrets.
    required: Vec<&'a ProvisioningInput>,
    /// Secrets without a value.
    secrets: Vec<&'a ProvisioningInput>,
    /// Inputs with a value of their own.
    optional: usize,
    pins: Vec<&'a ProvisioningPin>,
    /// Pins without a version, the first of each source.
    unpinned: Vec<&'a ProvisioningPin>,
    /// Settings of the state that only the command line gives.
    state_settings: Vec<StateSetting<'a>>,
    /// Are its commands given?
    commands: bool,
}

/// A setting of the state with the parameter that gives it.
#[derive(Debug, Serialize)]
struct StateSetting<'a> {
    name: &'a Shown,
    variable: Shown,
}

pub(super) fn build<'a>(given: &Given<'a>, ledger: &mut Ledger) -> Code<'a> {
    let mut list: Vec<&Provisioning> = given
        .inventory
        .provisioning
        .iter()
        .filter(|root| root.scope == Scope::Production)
        .collect();
    // Roots that make what this deployment consists of come first.
    let describes = |root: &Provisioning| {
        let files = given
            .inventory
            .stacks
            .iter()
            .filter(|stack| stack.kind == root.kind)
            .flat_map(|stack| &stack.files);
        files
            .filter(|file| **file == root.path || file.parent() == root.path)
            .count()
    };
    list.sort_by_key(|root| (std::cmp::Reverse(describes(root)), root.path.depth(), &root.path));
    let all = list.len();
    list.truncate(MOST);
    let mut with_commands = 0;
    let roots: Vec<Root<'a>> = list
        .into_iter()
        .map(|root| {
            let commands = with_commands < COMMANDS;
            with_commands += usize::from(commands);
            read(root, commands)
        })
        .collect();
    for root in roots
        .iter()
        .filter(|root| root.commands && root.root.kind == "terraform")
    {
        let inputs = root
            .required
            .iter()
            .filter_map(|input| Some((input.variable.as_ref()?, &input.evidence)));
        let state = root.root.state.iter().map(|state| &state.evidence);
        let settings = root.state_settings.iter().zip(state.cycle());
        let settings = settings.map(|(setting, evidence)| (&setting.variable, evidence));
        for (name, evidence) in inputs.chain(settings) {
            let parameter = Parameter::new(name);
            ledger.parameters.extend(
                parameter.map(|parameter| parameter.question("iac-inputs").evidence(evidence).or_empty()),
            );
        }
    }
    ledger.condition("has_provisioning", !roots.is_empty());
    Code {
        more: all.saturating_sub(roots.len()),
        roots,
    }
}

fn read(root: &Provisioning, commands: bool) -> Root<'_> {
    let open = |secret: bool| {
        root.inputs
            .iter()
            .filter(move |input| input.required && input.secret == secret)
    };
    let mut unpinned: Vec<&ProvisioningPin> = root.pins.iter().filter(|pin| pin.version.is_none()).collect();
    unpinned.dedup_by(|a, b| a.source == b.source);
    let mut pins: Vec<&ProvisioningPin> = root.pins.iter().filter(|pin| pin.version.is_some()).collect();
    pins.dedup_by(|a, b| a.source == b.source && a.version == b.version);
    pins.truncate(MOST_PINS);
    unpinned.truncate(MOST_PINS);
    Root {
        required: open(false).collect(),
        secrets: open(true).collect(),
        optional: root.inputs.iter().filter(|input| !input.required).count(),
        pins,
        unpinned,
        state_settings: root
            .state
            .iter()
            .flat_map(|state| &state.missing)
            .filter_map(|name| {
                let variable = format!("TF_STATE_{}", name.as_str().to_ascii_uppercase());
                let variable = Name::parse(Raw::new(&variable)).map(Shown::from)?;
                Some(StateSetting { name, variable })
            })
            .collect(),
        commands,
        root,
    }
}
