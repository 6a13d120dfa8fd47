//! Classes whose fields are variables of the environment (`BaseSettings` of Pydantic).

use std::collections::BTreeMap;

use playbook_core::harmless::{Name, Sentence};
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use super::super::known;
use super::super::syntax::{Argument, Code, Definition, Span};
use super::super::value::argument;
use super::{mention, with_default};
use crate::fact::{Facts, StoreFact, VariableFact};

/// The classes of the file.
struct Classes<'d, 'a> {
    by_name: BTreeMap<&'a str, &'d Definition<'a>>,
    /// Those called `Config`, in order.
    configurations: Vec<&'d Definition<'a>>,
}

/// How a class reads its fields.
#[derive(Debug, Clone, Default)]
struct Reading {
    prefix: String,
    delimiter: Option<String>,
    case_sensitive: bool,
}

pub(super) fn detect<'a>(code: &Code<'a>, definitions: &[Definition<'a>], facts: &mut Facts) {
    let mut known: BTreeMap<&'a str, Reading> = BTreeMap::new();
    let classes = Classes {
        by_name: definitions
            .iter()
            .rev()
            .filter(|part| part.class)
            .map(|part| (part.name, part))
            .collect(),
        configurations: definitions
            .iter()
            .filter(|part| part.class && part.name == "Config")
            .collect(),
    };
    for class in definitions.iter().filter(|definition| definition.class) {
        let bases: Vec<&str> = code
            .items(class.parameters)
            .into_iter()
            .filter_map(|span| code.path(span))
            .collect();
        let inherited = bases.iter().find_map(|base| known.get(base).cloned());
        let full = bases.iter().map(|base| code.full_name(base)).any(|base| {
            base.ends_with(".BaseSettings") || base == "BaseSettings" && code.uses("pydantic_settings")
        });
        // A common base of another file: its name says what it is, if this class has fields of such a class.
        let foreign = bases.iter().any(|base| {
            code.imported(base).is_some()
                && base.ends_with("Settings")
                && (code.uses("pydantic") || code.uses("pydantic_settings"))
        });
        if !(full || foreign || inherited.is_some()) {
            continue;
        }
        let reading = reading(code, &classes, class, inherited.unwrap_or_default());
        fields(code, &classes, class, &reading, facts);
        known.insert(class.name, reading);
    }
}

/// `model_config = SettingsConfigDict(env_prefix=…)`, `class Config: env_prefix = …`.
fn reading(
    code: &Code<'_>,
    classes: &Classes<'_, '_>,
    class: &Definition<'_>,
    inherited: Reading,
) -> Reading {
    let mut found = inherited;
    let mut set = |key: &str, value: Span| match key {
        "env_prefix" => found.prefix = code.text_or_constant(value).unwrap_or_default(),
        "env_nested_delimiter" => found.delimiter = code.text_or_constant(value),
        "case_sensitive" => found.case_sensitive = code.code_of(value) == "True",
        _ => {}
    };
    for statement in code.statements().iter().take(class.body.1).skip(class.body.0) {
        let Some((name, _, Some(value))) = code.assignment(*statement) else {
            continue;
        };
        if name != "model_config" {
            continue;
        }
        if let Some(call) = code.calls_in(value).first() {
            for argument in code.arguments(call) {
                set(argument.keyword.unwrap_or_default(), argument.value);
            }
        }
        for (key, value) in code.dictionary(value) {
            set(&key, value);
        }
    }
    let first = classes
        .configurations
        .partition_point(|inner| inner.body.0 <= class.body.0);
    let inner = classes
        .configurations
        .get(first)
        .filter(|inner| inner.body.1 <= class.body.1);
    if let Some(inner) = inner {
        for statement in code.statements().iter().take(inner.body.1).skip(inner.body.0) {
            if let Some((name, _, Some(value))) = code.assignment(*statement) {
                set(name, value);
            }
        }
    }
    found
}

/// The fields of a class: statements of its own level with an annotation.
fn own_fields<'a>(code: &Code<'a>, class: &Definition<'a>) -> Vec<(&'a str, Span, Option<Span>, usize)> {
    let Some(level) = code.statement(class.body.0).map(|statement| statement.indent) else {
        return Vec::new();
    };
    code.statements()
        .iter()
        .take(class.body.1)
        .skip(class.body.0)
        .filter(|statement| statement.indent == level)
        .filter_map(|statement| match code.assignment(*statement)? {
            (name, Some(annotation), value) => Some((name, annotation, value, statement.start)),
            _ => None,
        })
        .filter(|(name, annotation, ..)| {
            !name.starts_with('_')
                && *name != "model_config"
                && !code.code_of(*annotation).starts_with("ClassVar")
        })
        .collect()
}

fn fields<'a>(
    code: &Code<'a>,
    classes: &Classes<'_, 'a>,
    class: &Definition<'a>,
    reading: &Reading,
    facts: &mut Facts,
) {
    for (field, annotation, value, start) in own_fields(code, class) {
        let spelled = |name: &str| {
            let whole = format!("{}{name}", reading.prefix);
            if reading.case_sensitive {
                whole
            } else {
                whole.to_ascii_uppercase()
            }
        };
        // A part of its own: with a delimiter its fields are variables, and a settings class reads its own ones.
        let part = code
            .code_of(annotation)
            .split(|c: char| !(c.is_alphanumeric() || c == '_'))
            .filter_map(|word| classes.by_name.get(word))
            .find(|part| part.head.start < class.head.start);
        if let Some(part) = part {
            let settings = code
                .items(part.parameters)
                .into_iter()
                .any(|base| code.code_of(base).ends_with("BaseSettings"));
            let enumeration = code
                .items(part.parameters)
                .into_iter()
                .any(|base| code.code_of(base).contains("Enum"));
            if settings {
                continue;
            }
            if let (Some(delimiter), false) = (&reading.delimiter, enumeration) {
                for (inner, annotation, value, start) in own_fields(code, part) {
                    let name = spelled(&format!("{field}{delimiter}{inner}"));
                    field_fact(code, facts, &[name], annotation, value, start);
                }
                continue;
            }
        }
        let names = aliases(code, value, annotation).unwrap_or_else(|| vec![spelled(field)]);
        field_fact(code, facts, &names, annotation, value, start);
    }
}

/// Names that `Field(alias=…)` gives instead of the field's own.
fn aliases(code: &Code<'_>, value: Option<Span>, annotation: Span) -> Option<Vec<String>> {
    let arguments = field_arguments(code, value, annotation);
    let span = ["validation_alias", "alias", "env"]
        .iter()
        .find_map(|word| argument(&arguments, word))?;
    let names: Vec<String> = code
        .texts_in(span)
        .into_iter()
        .map(|(text, _)| text.to_owned())
        .collect();
    (!names.is_empty()).then_some(names)
}

/// The arguments of `Field(…)`, as the value or within `Annotated[…]`.
fn field_arguments<'a>(code: &Code<'a>, value: Option<Span>, annotation: Span) -> Vec<Argument<'a>> {
    [value, Some(annotation)]
        .into_iter()
        .flatten()
        .flat_map(|span| code.calls_in(span))
        .find(|call| call.name.rsplit('.').next() == Some("Field"))
        .map(|call| code.arguments(&call))
        .unwrap_or_default()
}

fn field_fact(
    code: &Code<'_>,
    facts: &mut Facts,
    names: &[String],
    annotation: Span,
    value: Option<Span>,
    start: usize,
) {
    let kind = code.code_of(annotation);
    let arguments = field_arguments(code, value, annotation);
    let is_field = value.is_some_and(|value| {
        code.calls_in(value)
            .first()
            .is_some_and(|call| call.start == value.start && call.name.rsplit('.').next() == Some("Field"))
    });
    let default = if is_field {
        argument(&arguments, "default").or_else(|| argument(&arguments, "0"))
    } else {
        value
    };
    let factory = argument(&arguments, "default_factory").is_some();
    let group = (names.len() > 1)
        .then(|| names.first().and_then(|name| Name::parse(Raw::new(name))))
        .flatten();
    for name in names {
        let Some(mut fact) = mention(code, name, start) else {
            continue;
        };
        fact.required = default.is_none() && !factory;
        fact.has_default = factory;
        fact.secret = kind.contains("SecretStr") || kind.contains("SecretBytes") || kind.contains("Secret[");
        fact.min_length = argument(&arguments, "min_length")
            .and_then(|span| code.number(span))
            .and_then(|length| u32::try_from(length).ok());
        fact.description = argument(&arguments, "description")
            .and_then(|span| code.string(span))
            .and_then(|text| Sentence::describe(name, Raw::new(&text)))
            .map(Shown::from);
        fact.one_of.clone_from(&group);
        if let Some(default) = default {
            with_default(code, facts, &mut fact, unwrapped(code, default));
        }
        stores(code, facts, kind, &fact);
        facts.variables.push(fact);
    }
}

/// The text inside `SecretStr("…")` or `PostgresDsn("…")`.
fn unwrapped(code: &Code<'_>, default: Span) -> Span {
    code.calls_in(default)
        .first()
        .filter(|call| call.start == default.start)
        .and_then(|call| code.arguments(call).first().map(|first| first.value))
        .filter(|value| code.string(*value).is_some())
        .unwrap_or(default)
}

/// An address type proves its datastore.
fn stores(code: &Code<'_>, facts: &mut Facts, kind: &str, fact: &VariableFact) {
    let words = kind.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    for word in words {
        let Some(store) = known::address(word) else {
            continue;
        };
        facts.stores.push(StoreFact {
            kind: Shown::from(store),
            dir: Some(code.source.path.parent()),
            version: None,
            role: None,
            managed: None,
            driver: None,
            variable: Some(fact.name.clone()),
            name: None,
            extension: None,
            strong: true,
            scope: code.source.scope,
            evidence: fact.evidence.clone(),
        });
    }
}
