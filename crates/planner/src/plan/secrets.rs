//! Section 4: every variable of the deployed services, where its value comes from, and what to do about it.

mod judge;
mod lines;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use playbook_core::evidence::{Evidence, Scope};
use playbook_core::inventory::{CommittedSecret, EnvironmentVariable, UnitVariable, VariableOrigin};
use playbook_core::secret::words_of;
use playbook_core::shown::Shown;
use playbook_core::technology::Catalogue;

use self::judge::{generated, rotation_kind, row};
use self::lines::lines;
use super::infrastructure::Store;
use super::infrastructure::wiring::{self, Wire};
use super::{Given, Ledger, Parameter};
use crate::prose::Prose;

/// Bytes of a generated secret: 256 bits, what HS256 and session signing ask for.
const KEY_BYTES: u32 = 32;
/// Bytes of a generated password that a person may have to type.
const PASSWORD_BYTES: u32 = 24;

/// The decisions of section 4.
#[expect(
    clippy::struct_field_names,
    reason = "templates name the field `stored_secrets`"
)]
#[derive(Debug, Serialize)]
pub(crate) struct Secrets<'a> {
    rows: Vec<Row<'a>>,
    /// Names of what is generated, with the number of random bytes.
    generated: Vec<Generated<'a>>,
    /// Names of the secrets that somebody else gives out.
    asked: Vec<Asked<'a>>,
    /// What the plan stores: settings first, then what is generated, then what is asked for.
    lines: Vec<Line<'a>>,
    /// Numbers for the check of the stored file.
    generated_lines: usize,
    shortest_generated: u32,
    /// How many of the lines are settings, and how many are secrets.
    settings: usize,
    stored_secrets: usize,
    /// Groups of which at least one variable has to be set.
    one_of: Vec<OneOf<'a>>,
    /// The stack passes them and no code of the repository reads them.
    passed_not_read: Vec<Lone<'a>>,
    /// Code reads them and the stack does not pass them: the default applies.
    read_not_passed: Vec<Lone<'a>>,
    /// They are documented and nothing reads them.
    documented_not_read: Vec<Lone<'a>>,
    committed: Vec<&'a CommittedSecret>,
    rotation: Vec<Rotation<'a>>,
    /// Does the repository's own stack pass variables to its services?
    stack_passes: bool,
}

/// What the plan does about a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Origin {
    /// Random, made where it is stored.
    Generated,
    /// Somebody else gives it out.
    Asked,
    /// The address of a datastore, with its credentials.
    Datastore,
    /// The repository's stack puts it together.
    Stack,
    /// The platform sets it.
    Platform,
    /// A parameter of section 1.
    Parameter,
    /// The default is right.
    Default,
    /// It must not be set where users are served.
    Unset,
    /// It is an argument of the image's build.
    Build,
}

/// A variable of a deployed service.
#[derive(Debug, Serialize)]
struct Row<'a> {
    name: &'a Shown,
    services: &'a [Shown],
    required: bool,
    secret: bool,
    read_at: Vec<&'a Evidence>,
    /// Where the repository's own stack passes it.
    given_by: Vec<&'a Evidence>,
    origin: Origin,
    default: Option<&'a Shown>,
    min_length: Option<u32>,
    /// Slug of what it configures.
    configures: Option<&'a Shown>,
    description: Option<&'a Shown>,
    placeholder: bool,
    one_of: Option<&'a Shown>,
    /// Does this plan's own datastore say what it is set to?
    wired: bool,
    /// The part of a datastore's address that it carries.
    property: Option<&'static str>,
}

/// A secret that the plan generates.
#[derive(Debug, Serialize)]
struct Generated<'a> {
    name: &'a Shown,
    bytes: u32,
    /// Characters that the result has in hexadecimal.
    characters: u32,
    min_length: Option<u32>,
    /// Is it pasted into an address, so that only some characters are safe?
    in_address: bool,
    /// A word of the shell that makes it, where random digits are not what the framework takes, and why.
    value: Option<Prose>,
    reason: Option<Prose>,
    evidence: Vec<&'a Evidence>,
}

/// A secret that somebody else gives out.
#[derive(Debug, Serialize)]
struct Asked<'a> {
    name: &'a Shown,
    required: bool,
    configures: Option<&'a Shown>,
    evidence: Vec<&'a Evidence>,
}

/// A variable that the plan stores for the services.
#[derive(Debug, Serialize)]
pub(crate) struct Line<'a> {
    pub(crate) name: Shown,
    pub(crate) kind: &'static str,
    secret: bool,
    pub(crate) required: bool,
    pub(crate) bytes: u32,
    configures: Option<&'a Shown>,
    one_of: bool,
    /// Names of the processes that read it; all of them where it is not known.
    processes: Vec<Shown>,
    /// Name of the datastore to which it leads, and the part of the address that it carries.
    store: Option<Shown>,
    property: Option<&'static str>,
    /// What it gets of a datastore that this plan brings.
    pub(crate) wire: Option<Wire>,
    /// A word of the shell that makes a generated secret which is more than random digits.
    pub(crate) value: Option<Prose>,
}

#[derive(Debug, Serialize)]
struct OneOf<'a> {
    group: &'a Shown,
    names: Vec<&'a Shown>,
}

#[derive(Debug, Serialize)]
struct Lone<'a> {
    name: &'a Shown,
    default: Option<&'a Shown>,
    evidence: Vec<&'a Evidence>,
}

/// A secret and what its change means.
#[derive(Debug, Serialize)]
struct Rotation<'a> {
    name: &'a Shown,
    kind: &'static str,
    services: &'a [Shown],
    configures: Option<&'a Shown>,
    evidence: Vec<&'a Evidence>,
}

impl Secrets<'_> {
    /// What the plan stores, in the order of a file that reads well.
    pub(crate) fn stored(&self) -> impl Iterator<Item = &Line<'_>> {
        self.lines.iter()
    }

    /// Does the plan store a value for this variable?
    pub(crate) fn stores(&self, name: &Shown) -> bool {
        self.lines.iter().any(|line| line.name == *name)
    }
}

/// What is known of secrets by their names: `secrets.toml`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct SecretWords {
    /// Words of credentials that somebody gives out, whatever stands in the code.
    issued: Vec<String>,
    form: Vec<SecretForm>,
}

/// A secret that its framework takes in one form only.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct SecretForm {
    /// Its name, or a word of it.
    name: Option<String>,
    word: Option<String>,
    /// Slug of the framework that reads it; any where none is named.
    framework: Option<String>,
    value: Prose,
    reason: Prose,
}

impl SecretWords {
    fn is_issued(&self, variable: &EnvironmentVariable) -> bool {
        words_of(variable.name.as_str())
            .iter()
            .any(|word| self.issued.contains(word))
    }

    fn form(&self, given: &Given<'_>, variable: &EnvironmentVariable) -> Option<&SecretForm> {
        let words = words_of(variable.name.as_str());
        let read_by = |framework: &String| {
            given.services.iter().any(|service| {
                (variable.services.is_empty() || variable.services.contains(&service.id))
                    && service.frameworks.iter().any(|own| *own == **framework)
            })
        };
        self.form.iter().find(|form| {
            form.name.as_ref().is_none_or(|name| variable.name == **name)
                && form.word.as_ref().is_none_or(|word| words.contains(word))
                && form.framework.as_ref().is_none_or(read_by)
        })
    }
}

/// What the variables of a plan are judged by.
struct Judged<'g, 's, 'a> {
    given: &'g Given<'a>,
    stores: &'s [Store<'a>],
    wires: BTreeMap<Shown, Wire>,
    words: &'g SecretWords,
}

pub(super) fn build<'a>(
    given: &Given<'a>,
    stores: &[Store<'a>],
    words: &SecretWords,
    ledger: &mut Ledger,
) -> Secrets<'a> {
    let judged = Judged {
        given,
        stores,
        wires: wiring::wires(given, stores),
        words,
    };
    let read: Vec<&EnvironmentVariable> = given
        .variables
        .iter()
        .filter(|variable| is_used(given, variable))
        .copied()
        .collect();
    let rows: Vec<Row<'a>> = read.iter().map(|variable| row(&judged, variable)).collect();
    for variable in &read {
        let wanted = rows
            .iter()
            .any(|row| *row.name == variable.name && row.origin == Origin::Parameter);
        if let (true, Some(parameter)) = (wanted, Parameter::new(&variable.name)) {
            let places: Vec<Evidence> = places(variable).into_iter().cloned().collect();
            let parameter = parameter.question("settings").evidence(&places);
            ledger.parameter(if variable.required {
                parameter
            } else {
                parameter.or_empty()
            });
        }
    }
    let generated: Vec<Generated<'a>> = read
        .iter()
        .zip(&rows)
        .filter(|(_, row)| row.origin == Origin::Generated)
        .map(|(variable, _)| generated(&judged, variable))
        .collect();
    let asked: Vec<Asked<'a>> = read
        .iter()
        .zip(&rows)
        .filter(|(_, row)| row.origin == Origin::Asked)
        .map(|(variable, _)| Asked {
            name: &variable.name,
            required: variable.required,
            configures: variable.configures.as_ref(),
            evidence: places(variable),
        })
        .collect();
    let lines = lines(&judged, &rows, &generated);
    let rotation = read
        .iter()
        .zip(&rows)
        .filter(|(variable, row)| variable.secret && row.origin != Origin::Build)
        .map(|(variable, row)| Rotation {
            name: &variable.name,
            kind: rotation_kind(given, variable, row.origin),
            services: &variable.services,
            configures: variable.configures.as_ref(),
            evidence: places(variable),
        })
        .collect::<Vec<_>>();
    let committed: Vec<&CommittedSecret> = given
        .inventory
        .committed_secrets
        .iter()
        .filter(|secret| secret.scope == Scope::Production)
        .collect();
    ledger.condition("has_variables", !rows.is_empty());
    ledger.condition("has_secrets", !rotation.is_empty());
    ledger.condition("has_generated_secrets", !generated.is_empty());
    ledger.condition("has_asked_secrets", !asked.is_empty());
    ledger.condition("has_committed_secrets", !committed.is_empty());
    ledger.condition("has_stored_variables", !lines.is_empty());
    ledger.condition("has_stored_secrets", lines.iter().any(|line| line.secret));
    Secrets {
        generated_lines: lines
            .iter()
            .filter(|line| line.kind == "generated" && line.value.is_none())
            .count(),
        shortest_generated: generated
            .iter()
            .map(|secret| secret.characters)
            .min()
            .unwrap_or(0),
        settings: lines.iter().filter(|line| !line.secret).count(),
        stored_secrets: lines.iter().filter(|line| line.secret).count(),
        lines,
        one_of: groups(&read),
        passed_not_read: passed_not_read(given),
        read_not_passed: read_not_passed(given, &read),
        documented_not_read: documented_not_read(given),
        stack_passes: given
            .stack
            .is_some_and(|stack| stack.units.iter().any(|unit| !unit.variables.is_empty())),
        rows,
        generated,
        asked,
        committed,
        rotation,
    }
}

/// Does a deployed process, its stack or its image build use the variable?
fn is_used(given: &Given<'_>, variable: &EnvironmentVariable) -> bool {
    variable.sites.iter().any(|site| {
        matches!(
            site.origin,
            VariableOrigin::Code
                | VariableOrigin::Script
                | VariableOrigin::Interpolation
                | VariableOrigin::Stack
        )
    }) || variable.build_time
        || !given_by(given, &variable.name).is_empty()
}

/// Where it is read: in code before scripts, in scripts before stack files.
fn places(variable: &EnvironmentVariable) -> Vec<&Evidence> {
    let of = |origin: VariableOrigin| {
        variable
            .sites
            .iter()
            .filter(move |site| site.origin == origin)
            .flat_map(|site| &site.evidence)
    };
    let mut places: Vec<&Evidence> = Vec::new();
    for origin in [
        VariableOrigin::Code,
        VariableOrigin::Script,
        VariableOrigin::Interpolation,
        VariableOrigin::Image,
        VariableOrigin::Stack,
    ] {
        places.extend(of(origin));
        if places.len() > 1 {
            break;
        }
    }
    if places.is_empty() {
        places.extend(&variable.evidence);
    }
    let mut seen = std::collections::BTreeSet::new();
    places.retain(|place| seen.insert(*place));
    places
}

/// The places where the repository's own stack passes a variable, directly or by a group.
fn given_by<'a>(given: &Given<'a>, name: &Shown) -> Vec<&'a Evidence> {
    passed(given)
        .filter(|variable| variable.name == *name)
        .flat_map(|variable| &variable.evidence)
        .collect()
}

fn passed<'a>(given: &Given<'a>) -> impl Iterator<Item = &'a UnitVariable> + use<'a> {
    let stack = given.stack;
    stack
        .into_iter()
        .flat_map(|stack| stack.units.iter().flat_map(|unit| &unit.variables))
        .chain(
            stack
                .into_iter()
                .flat_map(|stack| stack.groups.iter().flat_map(|group| &group.variables)),
        )
}

fn groups<'a>(read: &[&'a EnvironmentVariable]) -> Vec<OneOf<'a>> {
    let mut groups: Vec<OneOf<'a>> = Vec::new();
    for variable in read {
        let Some(group) = &variable.one_of else { continue };
        match groups.iter_mut().find(|known| known.group == group) {
            Some(known) => known.names.push(&variable.name),
            None => groups.push(OneOf {
                group,
                names: vec![&variable.name],
            }),
        }
    }
    groups
}

fn is_read(variable: &EnvironmentVariable) -> bool {
    variable
        .sites
        .iter()
        .any(|site| matches!(site.origin, VariableOrigin::Code | VariableOrigin::Script))
}

/// Only for units that run the repository's own code: what an image of others reads is not in the repository.
fn passed_not_read<'a>(given: &Given<'a>) -> Vec<Lone<'a>> {
    let mut list: Vec<Lone<'a>> = Vec::new();
    // Where no passed variable is seen to be read, the code reads them in a way that the scanner does not follow.
    if !passed(given).any(|passed| {
        given
            .inventory
            .variable(passed.name.as_str())
            .is_some_and(is_read)
    }) {
        return list;
    }
    let own = given
        .stack
        .into_iter()
        .flat_map(|stack| &stack.units)
        .filter(|unit| {
            unit.service
                .as_ref()
                .is_some_and(|id| given.services.iter().any(|service| service.id == *id))
        });
    for passed in own.flat_map(|unit| &unit.variables) {
        let known = given.inventory.variable(passed.name.as_str());
        // A framework or library may read what no line of the repository names.
        let library = !Catalogue::get().by_env_name(passed.name.as_str()).is_empty();
        if known.is_some_and(is_read) || library || list.iter().any(|lone| *lone.name == passed.name) {
            continue;
        }
        list.push(Lone {
            name: &passed.name,
            default: None,
            evidence: passed.evidence.iter().collect(),
        });
    }
    list
}

fn read_not_passed<'a>(given: &Given<'a>, read: &[&'a EnvironmentVariable]) -> Vec<Lone<'a>> {
    if passed(given).next().is_none() {
        return Vec::new();
    }
    read.iter()
        .filter(|variable| {
            is_read(variable) && !variable.build_time && given_by(given, &variable.name).is_empty()
        })
        .filter(|variable| !variable.required)
        .map(|variable| Lone {
            name: &variable.name,
            default: variable.default.as_ref(),
            evidence: places(variable),
        })
        .collect()
}

fn documented_not_read<'a>(given: &Given<'a>) -> Vec<Lone<'a>> {
    given
        .variables
        .iter()
        .filter(|variable| {
            variable.documented
                && !is_used(given, variable)
                && !variable
                    .sites
                    .iter()
                    .any(|site| site.origin == VariableOrigin::Ci)
        })
        .map(|variable| Lone {
            name: &variable.name,
            default: None,
            evidence: variable.evidence.iter().collect(),
        })
        .collect()
}
