//! Section 4: every variable of the deployed services, where its value comes from, and what to do about it.

use serde::Serialize;

use playbook_core::evidence::{Evidence, Scope};
use playbook_core::inventory::{
    CommittedSecret, EnvironmentVariable, Role, SignalKind, UnitVariable, VariableOrigin, VariableSource,
};
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Group};

use super::infrastructure::{Store, process_name, settings};
use super::{Given, Ledger, Parameter};

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
    pub(crate) name: &'a Shown,
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
        self.lines.iter().any(|line| line.name == name)
    }
}

pub(super) fn build<'a>(given: &Given<'a>, stores: &[Store<'a>], ledger: &mut Ledger) -> Secrets<'a> {
    let read: Vec<&EnvironmentVariable> = given
        .variables
        .iter()
        .filter(|variable| is_used(given, variable))
        .copied()
        .collect();
    let rows: Vec<Row<'a>> = read.iter().map(|variable| row(given, variable)).collect();
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
        .map(|(variable, _)| generated(given, variable))
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
    let lines = lines(given, stores, &rows, &generated);
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
        generated_lines: lines.iter().filter(|line| line.kind == "generated").count(),
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

/// The variables that somebody has to store, in the order of a file that reads well.
fn lines<'a>(
    given: &Given<'a>,
    stores: &[Store<'a>],
    rows: &[Row<'a>],
    generated: &[Generated<'a>],
) -> Vec<Line<'a>> {
    let mut lines: Vec<Line<'a>> = rows
        .iter()
        .filter_map(|row| {
            let kind = match row.origin {
                Origin::Parameter => "setting",
                Origin::Generated => "generated",
                Origin::Asked => "asked",
                // A stack or a platform that knows the datastore fills in its address.
                Origin::Datastore if !stack_knows_store(given, row.name) => "address",
                _ => return None,
            };
            let needs_shell_name = kind != "generated";
            if needs_shell_name && Parameter::new(row.name).is_none() {
                return None;
            }
            let store = given
                .inventory
                .variable(row.name.as_str())
                .and_then(|variable| settings::store_of(variable, stores));
            // The password of a datastore that somebody else runs comes from there.
            let kind = match store {
                Some(store) if kind == "generated" && store.is_offered() => "address",
                _ => kind,
            };
            Some(Line {
                processes: readers(given, row.services),
                store: store.map(|store| store.name.clone()),
                property: store.map(|_| settings::property(row.name.as_str())),
                name: row.name,
                kind,
                secret: row.secret || kind == "address",
                required: row.required,
                bytes: generated
                    .iter()
                    .find(|secret| secret.name == row.name)
                    .map_or(KEY_BYTES, |secret| secret.bytes),
                configures: row.configures,
                one_of: row.one_of.is_some(),
            })
        })
        .collect();
    let rank = |line: &Line<'_>| match line.kind {
        "setting" => 0,
        "generated" => 1,
        "address" => 2,
        _ => 3,
    };
    lines.sort_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| a.name.cmp(b.name)));
    lines
}

/// The deployed processes that read a variable: all of the repository's own where none is known, all that there is
/// where it has none that stays up.
fn readers(given: &Given<'_>, services: &[Shown]) -> Vec<Shown> {
    let all = || {
        given
            .services
            .iter()
            .filter(|service| service.role != Role::Function)
    };
    let known: Vec<Shown> = all()
        .filter(|service| services.contains(&service.id))
        .map(|service| process_name(given, service))
        .collect();
    if !known.is_empty() {
        return known;
    }
    let own: Vec<Shown> = all().map(|service| process_name(given, service)).collect();
    if !own.is_empty() {
        return own;
    }
    let others = given.third_party.iter().chain(&given.services);
    others.map(|service| process_name(given, service)).collect()
}

fn stack_knows_store(given: &Given<'_>, name: &Shown) -> bool {
    passed(given).any(|variable| {
        variable.name == *name
            && matches!(
                variable.source,
                VariableSource::Datastore | VariableSource::Composed
            )
    })
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

fn row<'a>(given: &Given<'a>, variable: &'a EnvironmentVariable) -> Row<'a> {
    Row {
        name: &variable.name,
        services: &variable.services,
        required: variable.required,
        secret: variable.secret,
        read_at: places(variable),
        given_by: given_by(given, &variable.name),
        origin: origin(given, variable),
        default: variable.default.as_ref(),
        min_length: variable.min_length,
        configures: variable.configures.as_ref(),
        description: variable.description.as_ref(),
        placeholder: variable.placeholder,
        one_of: variable.one_of.as_ref(),
    }
}

fn origin(given: &Given<'_>, variable: &EnvironmentVariable) -> Origin {
    let source = passed(given)
        .filter(|passed| passed.name == variable.name)
        .map(|passed| passed.source)
        .min();
    if is_development_switch(given, variable) {
        return Origin::Unset;
    }
    if given.context.target.sets_port && is_port(given, variable) {
        return Origin::Platform;
    }
    match source {
        Some(VariableSource::Composed | VariableSource::Service) => return Origin::Stack,
        Some(VariableSource::Datastore) => return Origin::Datastore,
        Some(VariableSource::Generated) => return Origin::Generated,
        Some(VariableSource::Literal) if !variable.secret => return Origin::Stack,
        _ => {}
    }
    if variable.build_time && !variable.secret {
        return Origin::Build;
    }
    if variable.secret {
        if is_store_address(given, variable) {
            return Origin::Datastore;
        }
        if is_vendor(given, variable) {
            return Origin::Asked;
        }
        return if variable.required || variable.placeholder || source.is_some() {
            Origin::Generated
        } else {
            Origin::Asked
        };
    }
    if is_store_setting(given, variable) && variable.required {
        return Origin::Datastore;
    }
    let has_default = variable.default.is_some()
        || variable
            .sites
            .iter()
            .any(|site| site.has_default && site.origin == VariableOrigin::Code);
    let demanded = matches!(
        source,
        Some(VariableSource::Required | VariableSource::Interpolated | VariableSource::Asked)
    );
    if variable.required || demanded && !has_default {
        Origin::Parameter
    } else {
        Origin::Default
    }
}

fn is_development_switch(given: &Given<'_>, variable: &EnvironmentVariable) -> bool {
    given.inventory.signals.iter().any(|signal| {
        signal.kind == SignalKind::DevelopmentSwitch && signal.subject.as_ref() == Some(&variable.name)
    })
}

fn is_port(given: &Given<'_>, variable: &EnvironmentVariable) -> bool {
    variable.name == "PORT"
        || given
            .services
            .iter()
            .any(|service| service.port_variable.as_ref() == Some(&variable.name))
}

/// An address: a variable that carries a datastore's URL, not a single part of it.
fn is_store_address(given: &Given<'_>, variable: &EnvironmentVariable) -> bool {
    const ENDS: &[&str] = &["URL", "URI", "DSN", "CONNECTION_STRING", "CONNECTIONSTRING"];
    let name = variable.name.as_str().to_ascii_uppercase();
    let called = ENDS.iter().any(|end| name.ends_with(end));
    // Whatever its name: where a value of it is committed that is an address, it carries one.
    let carries = || given.carries_address(&variable.name);
    is_store_setting(given, variable) && (called || carries())
}

fn is_store_setting(given: &Given<'_>, variable: &EnvironmentVariable) -> bool {
    given.datastores.iter().any(|store| {
        store.variables.contains(&variable.name)
            || variable
                .configures
                .as_ref()
                .is_some_and(|kind| store.kind == *kind)
    })
}

fn is_vendor(given: &Given<'_>, variable: &EnvironmentVariable) -> bool {
    let known = given
        .external
        .iter()
        .any(|service| service.variables.contains(&variable.name));
    let configured = variable.configures.as_ref().is_some_and(|kind| {
        Catalogue::get()
            .find(Group::ExternalService, kind.as_str())
            .is_some()
            || Catalogue::get()
                .find(Group::Observability, kind.as_str())
                .is_some()
    });
    known || configured || variable.one_of.is_some()
}

fn generated<'a>(given: &Given<'a>, variable: &'a EnvironmentVariable) -> Generated<'a> {
    let words = playbook_core::secret::words_of(variable.name.as_str());
    let password = words.iter().any(|word| word.starts_with("pass") || word == "pwd");
    let store = is_store_setting(given, variable);
    let in_address = store
        || password
            && !given.datastores.is_empty()
            && variable
                .services
                .iter()
                .any(|id| given.inventory.datastore(id.as_str()).is_some());
    let usual = if password && !store {
        PASSWORD_BYTES
    } else {
        KEY_BYTES
    };
    // Hexadecimal has two characters a byte.
    let bytes = usual.max(variable.min_length.unwrap_or(0).div_ceil(2)).min(256);
    Generated {
        name: &variable.name,
        bytes,
        characters: bytes * 2,
        min_length: variable.min_length,
        in_address,
        evidence: places(variable),
    }
}

/// What the change of a secret means: the template has the words.
fn rotation_kind(given: &Given<'_>, variable: &EnvironmentVariable, origin: Origin) -> &'static str {
    let words = playbook_core::secret::words_of(variable.name.as_str());
    let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(&word.as_str()));
    let of_store = is_store_setting(given, variable)
        || variable
            .services
            .iter()
            .any(|id| given.inventory.datastore(id.as_str()).is_some());
    if of_store || origin == Origin::Datastore {
        "datastore"
    } else if origin == Origin::Asked {
        "vendor"
    } else if has(&["jwt", "session", "cookie", "secret", "signing"]) && has(&["key", "secret", "keys"]) {
        "signing-key"
    } else if has(&["admin", "superuser", "root", "initial"]) && has(&["password", "passwd", "pass", "pwd"]) {
        "first-user"
    } else {
        "restart"
    }
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

fn is_read_by_code(variable: &EnvironmentVariable) -> bool {
    variable
        .sites
        .iter()
        .any(|site| site.origin == VariableOrigin::Code)
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
            .is_some_and(is_read_by_code)
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
