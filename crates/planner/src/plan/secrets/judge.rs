//! Where the value of a variable comes from.

use playbook_core::inventory::{EnvironmentVariable, SignalKind, VariableSource};
use playbook_core::secret::words_of;
use playbook_core::technology::{Catalogue, Group};

use super::{
    Generated, Judged, KEY_BYTES, Origin, PASSWORD_BYTES, Row, VariableOrigin, given_by, passed, places,
};
use crate::plan::Given;
use crate::plan::infrastructure::{Placement, settings, wiring};
use crate::rules::knowledge;

pub(super) fn row<'a>(judged: &Judged<'_, '_, 'a>, variable: &'a EnvironmentVariable) -> Row<'a> {
    let given = judged.given;
    Row {
        name: &variable.name,
        services: &variable.services,
        required: variable.required,
        secret: variable.secret,
        read_at: places(variable),
        given_by: given_by(given, &variable.name),
        origin: origin(judged, variable),
        property: settings::property(variable.name.as_str()),
        wired: judged.wires.contains_key(&variable.name),
        default: variable.default.as_ref(),
        min_length: variable.min_length,
        configures: variable.configures.as_ref(),
        description: variable.description.as_ref(),
        placeholder: variable.placeholder,
        one_of: variable.one_of.as_ref(),
    }
}

fn origin(judged: &Judged<'_, '_, '_>, variable: &EnvironmentVariable) -> Origin {
    let given = judged.given;
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
    if judged.wires.contains_key(&variable.name) {
        return Origin::Datastore;
    }
    if let Some(store) = settings::store_of(variable, judged.stores)
        && let Some(property) = settings::property(variable.name.as_str())
    {
        match store.placement {
            // The datastore of this plan is reached by other variables.
            Placement::New | Placement::Host
                if !judged.wires.is_empty()
                    && !variable.required
                    && matches!(property, "connection" | "host") =>
            {
                return Origin::Default;
            }
            Placement::Platform | Placement::External if variable.required || variable.secret => {
                return Origin::Datastore;
            }
            _ => {}
        }
    }
    if variable.build_time && !variable.secret {
        return Origin::Build;
    }
    if variable.secret {
        if is_store_address(given, variable) {
            return Origin::Datastore;
        }
        if is_vendor(given, variable)
            || judged.words.is_issued(variable)
            || is_issued(given, variable)
            || is_of_provider(given, variable)
        {
            return Origin::Asked;
        }
        // Nobody can invent an address.
        if wiring::carries_address(variable) {
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
    ENDS.iter().any(|end| name.ends_with(end)) && is_store_setting(given, variable)
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

/// Does somebody give it out, or does it open what exists already, as its name says?
fn is_issued(given: &Given<'_>, variable: &EnvironmentVariable) -> bool {
    let name = variable.name.as_str().to_ascii_uppercase();
    // Who gives out an identifier gives out its secret.
    let has_identifier = name.strip_suffix("_SECRET").is_some_and(|owner| {
        given.variables.iter().any(|other| {
            other
                .name
                .as_str()
                .strip_prefix(owner)
                .is_some_and(|rest| rest == "_ID")
        })
    });
    has_identifier
        || knowledge::get().issued_secrets.iter().any(|end| {
            name.strip_suffix(end)
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('_'))
        })
}

/// Is it a credential of a datastore that only a provider runs?
fn is_of_provider(given: &Given<'_>, variable: &EnvironmentVariable) -> bool {
    given.datastores.iter().any(|store| {
        let managed = Catalogue::get()
            .find(Group::Datastore, store.kind.as_str())
            .and_then(|technology| technology.datastore.as_ref())
            .is_some_and(|facts| facts.managed_only);
        managed
            && (store.variables.contains(&variable.name) || variable.configures.as_ref() == Some(&store.kind))
    })
}

pub(super) fn generated<'a>(judged: &Judged<'_, '_, 'a>, variable: &'a EnvironmentVariable) -> Generated<'a> {
    let given = judged.given;
    let words = words_of(variable.name.as_str());
    let form = judged.words.form(given, variable);
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
        value: form.map(|form| form.value.clone()),
        reason: form.map(|form| form.reason.clone()),
        evidence: places(variable),
    }
}

/// What the change of a secret means: the template has the words.
pub(super) fn rotation_kind(
    given: &Given<'_>,
    variable: &EnvironmentVariable,
    origin: Origin,
) -> &'static str {
    let words = words_of(variable.name.as_str());
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
