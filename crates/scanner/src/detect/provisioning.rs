//! Inputs and outputs of tools that make infrastructure, whatever the tool.

use playbook_core::evidence::{Evidence, Scope};
use playbook_core::harmless::{Name, Sentence, Setting};
use playbook_core::inventory::{Provisioning, ProvisioningInput, ProvisioningOutput};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::secret;
use playbook_core::shown::Shown;

use super::judge::{self, Place};
use crate::fact::Facts;
use crate::parse::tree::Node;
use crate::source::Source;

/// An input as its file declares it.
#[derive(Default)]
pub(crate) struct Declared<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// Its type.
    pub(crate) kind: Option<&'a str>,
    /// Is there a value to fall back on?
    pub(crate) has_default: bool,
    /// That value, where it is a text.
    pub(crate) default: Option<&'a str>,
    /// Does the file call it sensitive?
    pub(crate) sensitive: bool,
    /// What the file says about it.
    pub(crate) description: Option<&'a str>,
    /// The environment variable that gives it a value.
    pub(crate) variable: Option<Shown>,
}

impl Declared<'_> {
    /// The input as the inventory tells it.
    pub(crate) fn input(self, evidence: Evidence) -> Option<ProvisioningInput> {
        let shown = self
            .default
            .filter(|_| !self.sensitive)
            .and_then(|text| Setting::judge(self.name, Raw::new(text)));
        Some(ProvisioningInput {
            name: word(self.name)?,
            kind: self.kind.and_then(word),
            variable: self.variable,
            required: !self.has_default,
            secret: self.sensitive || secret::is_secret_name(self.name),
            default: shown.map(Shown::from),
            description: self
                .description
                .and_then(|text| Sentence::describe(self.name, Raw::new(text)))
                .map(Shown::from),
            evidence: vec![evidence],
        })
    }
}

/// One word of a file.
pub(crate) fn word(text: &str) -> Option<Shown> {
    Name::parse(Raw::new(text)).map(Shown::from)
}

/// Is a value there only to be replaced?
pub(crate) fn is_stand_in(text: &str) -> bool {
    text.is_empty() || text.contains('<') || secret::is_placeholder(text)
}

/// What is applied, with nothing known but its place.
pub(crate) fn empty(kind: &'static str, path: RelPath, scope: Scope, evidence: Evidence) -> Provisioning {
    Provisioning {
        kind: Shown::from(kind),
        path,
        name: None,
        inputs: Vec::new(),
        value_files: Vec::new(),
        outputs: Vec::new(),
        state: None,
        pins: Vec::new(),
        lockfile: None,
        regions: Vec::new(),
        scope,
        evidence: vec![evidence],
    }
}

/// An output.
pub(crate) fn output(name: &str, secret: bool, evidence: Evidence) -> Option<ProvisioningOutput> {
    Some(ProvisioningOutput {
        name: word(name)?,
        secret,
        evidence: vec![evidence],
    })
}

/// How a template in YAML or JSON calls what it declares.
pub(crate) struct Keys {
    /// The map of inputs.
    pub(crate) inputs: &'static str,
    /// The map of outputs.
    pub(crate) outputs: &'static str,
    /// The value to fall back on.
    pub(crate) default: &'static str,
    /// Words about it.
    pub(crate) description: &'static [&'static str],
}

/// `CloudFormation` and SAM.
pub(crate) const CLOUDFORMATION: Keys = Keys {
    inputs: "Parameters",
    outputs: "Outputs",
    default: "Default",
    description: &["Description"],
};

/// Templates of the Azure Resource Manager.
pub(crate) const RESOURCE_MANAGER: Keys = Keys {
    inputs: "parameters",
    outputs: "outputs",
    default: "defaultValue",
    description: &["metadata", "description"],
};

/// What a template declares.
pub(crate) fn of_template(
    source: &Source<'_>,
    facts: &mut Facts,
    kind: &'static str,
    document: &Node,
    keys: &Keys,
) -> Provisioning {
    let mut found = empty(kind, source.path.clone(), source.scope, source.file());
    for (name, line, node) in document.get(keys.inputs).into_iter().flat_map(Node::entries) {
        let type_name = node.get("Type").or_else(|| node.get("type")).and_then(Node::text);
        let hidden = node.get("NoEcho").and_then(Node::boolean) == Some(true);
        let secure = type_name.is_some_and(|kind| kind.to_ascii_lowercase().starts_with("secure"));
        let default = node.get(keys.default);
        if let Some(text) = default.and_then(Node::text) {
            judge::literal(source, facts, name, text, Place::new(line, source.scope));
        }
        let declared = Declared {
            name,
            // `AWS::SSM::Parameter::Value<String>` is read from the parameter store under the name in its default.
            kind: type_name.map(|kind| kind.split('<').next().unwrap_or(kind)),
            has_default: default.is_some(),
            default: default.and_then(Node::text),
            sensitive: hidden || secure,
            description: node.path(keys.description).and_then(Node::text),
            variable: None,
        };
        found.inputs.extend(declared.input(source.at(line)));
    }
    for (name, line, _) in document.get(keys.outputs).into_iter().flat_map(Node::entries) {
        found.outputs.extend(output(name, false, source.at(line)));
    }
    found
}
