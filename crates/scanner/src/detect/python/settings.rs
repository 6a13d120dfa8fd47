//! The settings of an application: classes whose fields are variables of the environment, objects and functions that
//! read them, constants that other files refer to, and checks of what was set.
//!
//! Direct reads (`os.environ["X"]`, `os.getenv("X")`) are told for all languages alike elsewhere; here stands what needs
//! the structure of Python.

mod checks;
mod class;

use std::collections::BTreeMap;

use playbook_core::harmless::{EnvName, Name, UrlPath};
use playbook_core::inventory::VariableOrigin;
use playbook_core::raw::Raw;

use super::known;
use super::syntax::{Call, Code, Definition, Span};
use super::value::{self, argument, environment_read};
use crate::detect::judge::{self, Place};
use crate::fact::{ConstantFact, Facts, VariableFact};

pub(super) fn detect<'a>(code: &Code<'a>, definitions: &[Definition<'a>], facts: &mut Facts) {
    class::detect(code, definitions, facts);
    constants(code, facts);
    readers(code, facts);
    wrappers(code, definitions, facts);
    checks::detect(code, facts);
    secrets(code, facts);
}

/// A mention of a variable at an offset, if its name is one.
fn mention(code: &Code<'_>, name: &str, offset: usize) -> Option<VariableFact> {
    let evidence = code.source.at(code.line(offset));
    EnvName::parse(Raw::new(name))
        .map(|name| VariableFact::new(name, VariableOrigin::Code, code.source.scope, evidence))
}

/// Fills in what a default says, and hands a secret one to the gate.
fn with_default(code: &Code<'_>, facts: &mut Facts, fact: &mut VariableFact, default: Span) {
    let written = code.code_of(default);
    if matches!(written, "..." | "undefined" | "PydanticUndefined") {
        fact.required = true;
        return;
    }
    fact.has_default = true;
    if written == "None" {
        return;
    }
    let text = code.text_or_constant(default).or_else(|| number(code, default));
    let Some(text) = text else { return };
    let place = Place::new(code.line(default.start), code.source.scope);
    let judged = judge::literal(code.source, facts, fact.name.as_str(), &text, place);
    fact.default = judged.shown;
    fact.placeholder = judged.placeholder;
    let evidence = code.source.at(code.line(default.start));
    if let Some(mut store) = judge::store_of_address(fact.name.as_str(), &text, code.source.scope, evidence) {
        store.dir = Some(code.source.path.parent());
        super::store::tell(code, facts, store);
    }
}

/// A number, a truth value, or a product of numbers such as `60 * 24`.
fn number(code: &Code<'_>, span: Span) -> Option<String> {
    let written = code.code_of(span);
    if matches!(written, "True" | "False") {
        return Some(written.to_ascii_lowercase());
    }
    if written.parse::<f64>().is_ok() {
        return Some(written.replace('_', ""));
    }
    let product = written.split('*').try_fold(1_u64, |product, factor| {
        product.checked_mul(factor.trim().replace('_', "").parse().ok()?)
    })?;
    Some(product.to_string())
}

/// Constants, and defaults of settings, that hold a URL path.
fn constants(code: &Code<'_>, facts: &mut Facts) {
    for statement in code.statements() {
        let Some((name, _, Some(span))) = code.assignment(*statement) else {
            continue;
        };
        let lower = name.to_ascii_lowercase();
        let constant = name.chars().any(|c| c.is_ascii_uppercase()) || lower.contains("prefix");
        if !constant
            || !lower
                .split(['_', '.'])
                .any(|word| known::words().path.contains(&word))
        {
            continue;
        }
        let text = code.string(span).or_else(|| {
            // `Field("/api/v1")`, `os.getenv("API_PREFIX", "/api")`
            let call = code.calls_in(span).into_iter().next()?;
            let arguments = code.arguments(&call);
            let default = match environment_read(code, &call) {
                Some(read) => read.default?,
                None => argument(&arguments, "default").or_else(|| argument(&arguments, "0"))?,
            };
            code.string(default)
        });
        let Some(text) = text.filter(|text| text.starts_with('/') && text.len() < 60) else {
            continue;
        };
        let name = Name::parse(Raw::new(name.rsplit('.').next().unwrap_or(name)));
        if let (Some(name), Some(value)) = (name, UrlPath::parse(Raw::new(&text))) {
            facts.constants.push(ConstantFact {
                name,
                value,
                evidence: code.source.at(code.line(statement.start)),
            });
        }
    }
}

/// Reads by objects of libraries: `env.int("X", default=1)`, `config("X")`, `dj_database_url.config()`.
fn readers(code: &Code<'_>, facts: &mut Facts) {
    for call in code.calls() {
        let full = code.full_name(call.name);
        if full == "dj_database_url.config" {
            let arguments = code.arguments(&call);
            let name = argument(&arguments, "env").and_then(|span| code.string(span));
            let default = argument(&arguments, "default");
            tell(
                code,
                facts,
                name.as_deref().unwrap_or("DATABASE_URL"),
                call.start,
                default,
                false,
                false,
            );
            continue;
        }
        if schema(code, &call, &full, facts) {
            continue;
        }
        if full.starts_with("os.") || full.ends_with("environ.get") {
            continue;
        }
        let Some(read) = environment_read(code, &call) else {
            default_variable(code, &call, facts);
            continue;
        };
        if let Some(name) = code.text_or_constant(read.name) {
            tell(
                code,
                facts,
                &name,
                call.start,
                read.default,
                read.default.is_none(),
                false,
            );
        }
    }
}

/// `env.db()` and `env.cache()` of django-environ have variables of their own.
fn default_variable(code: &Code<'_>, call: &Call<'_>, facts: &mut Facts) {
    let Some((object, method)) = call.name.rsplit_once('.') else {
        return;
    };
    let made = code
        .constant(object)
        .and_then(|span| {
            code.calls_in(span)
                .first()
                .map(|maker| code.full_name(maker.name))
        })
        .is_some_and(|maker| maker.starts_with("environ."));
    let name = match method {
        "db" | "db_url" => "DATABASE_URL",
        "cache" | "cache_url" => "CACHE_URL",
        "email" | "email_url" => "EMAIL_URL",
        "search_url" => "SEARCH_URL",
        _ => return,
    };
    if made && code.arguments(call).is_empty() {
        tell(code, facts, name, call.start, None, true, false);
    }
}

/// `environ.Env(DEBUG=(bool, False))`.
fn schema(code: &Code<'_>, call: &Call<'_>, full: &str, facts: &mut Facts) -> bool {
    if !matches!(full, "environ.Env" | "environ.FileAwareEnv") {
        return false;
    }
    for argument in code.arguments(call) {
        let Some(name) = argument.keyword else { continue };
        let parts = code.list(argument.value).unwrap_or_default();
        tell(
            code,
            facts,
            name,
            argument.value.start,
            parts.get(1).copied(),
            parts.len() < 2,
            false,
        );
    }
    true
}

fn tell(
    code: &Code<'_>,
    facts: &mut Facts,
    name: &str,
    offset: usize,
    default: Option<Span>,
    required: bool,
    secret: bool,
) {
    let Some(mut fact) = mention(code, name, offset) else {
        return;
    };
    fact.required = required;
    fact.secret = secret;
    if let Some(default) = default {
        with_default(code, facts, &mut fact, default);
    }
    facts.variables.push(fact);
}

/// Functions of the file, or of another one by their names, that read a variable for their caller.
fn wrappers(code: &Code<'_>, definitions: &[Definition<'_>], facts: &mut Facts) {
    // Name → does it fail without a value?
    let mut own: BTreeMap<&str, bool> = BTreeMap::new();
    for definition in definitions.iter().filter(|definition| !definition.class) {
        let first = code.items(definition.parameters).into_iter().map(|span| {
            code.code_of(span)
                .split([':', '='])
                .next()
                .unwrap_or_default()
                .trim()
                .to_owned()
        });
        let Some(parameter) = first.into_iter().find(|name| name != "self" && name != "cls") else {
            continue;
        };
        let body = code.stretch(definition.body);
        let text = code.code(body.start, body.end);
        let reads = code
            .calls_in(body)
            .iter()
            .filter_map(|call| environment_read(code, call))
            .any(|read| code.code_of(read.name) == parameter);
        let subscript = text.contains(&format!("environ[{parameter}]"));
        if reads || subscript {
            let fails =
                text.contains("raise ") || text.contains("sys.exit") || subscript && !text.contains("except");
            own.insert(definition.name, fails);
        }
    }
    for call in code.calls() {
        let last = call.name.rsplit('.').next().unwrap_or(call.name);
        let known = own
            .get(last)
            .copied()
            .filter(|_| call.name == last || call.name.starts_with("self.") || call.name.starts_with("cls."));
        let imported = code.imported(call.name).is_some() && is_reader_name(last);
        if known.is_none() && !imported {
            continue;
        }
        let arguments = code.arguments(&call);
        let Some(first) = arguments.first().filter(|first| first.keyword.is_none()) else {
            continue;
        };
        let Some(name) = code.text_or_constant(first.value) else {
            continue;
        };
        let upper = name
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
        if !upper || name.len() < 2 {
            continue;
        }
        let default = argument(&arguments, "default").or_else(|| argument(&arguments, "1"));
        let default = default.filter(|span| {
            code.string(*span).is_some() || number(code, *span).is_some() || code.code_of(*span) == "None"
        });
        let required = known.unwrap_or(false) && default.is_none();
        tell(code, facts, &name, call.start, default, required, false);
    }
}

/// Is a function of another file named like one that reads the environment: `env`, `get_env_bool`, `env_int`?
fn is_reader_name(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower
        .split('_')
        .any(|word| matches!(word, "env" | "getenv" | "environ" | "envvar"))
}

/// Secrets written out under their names in settings: `SECRET_KEY = "…"`, `app.secret_key = "…"`,
/// `app.config["SECRET_KEY"] = "…"`.
fn secrets(code: &Code<'_>, facts: &mut Facts) {
    let name = code.source.path.name();
    let folder = code.source.path.parent();
    let settings = name.starts_with("settings")
        || name.starts_with("config")
        || folder.name() == "settings"
        || folder.name() == "config";
    for statement in code.statements() {
        let written = code.statement_code(*statement);
        let found = match code.assignment(*statement) {
            Some((name, _, Some(value))) => {
                let last = name.rsplit('.').next().unwrap_or(name);
                let upper = last.chars().all(|c| !c.is_ascii_lowercase());
                let object = name.contains('.') && matches!(last, "secret_key" | "SECRET_KEY");
                (object || settings && upper && (statement.indent == 0 || !name.contains('.')))
                    .then(|| (last.to_owned(), value))
            }
            _ if written.contains(".config[") => {
                let open = statement.start + written.find('[').unwrap_or_default();
                let close = code.closing(open);
                let equals =
                    close.filter(|close| code.code(close + 1, statement.end).trim_start().starts_with('='));
                equals.and_then(|close| {
                    let key = code.string(Span {
                        start: open + 1,
                        end: close,
                    })?;
                    let at = code.code(close + 1, statement.end).find('=')? + close + 2;
                    Some((key, code.trimmed(at, statement.end)))
                })
            }
            _ => None,
        };
        let Some((name, value)) = found else { continue };
        let Some(text) = code.string(value) else {
            fallback_address(code, &name, value, facts);
            continue;
        };
        if playbook_core::secret::is_secret_name(&name) && !is_about(&name) {
            let place = Place::new(code.line(statement.start), code.source.scope);
            judge::literal(code.source, facts, &name, &text, place);
        }
        let evidence = code.source.at(code.line(statement.start));
        if let Some(mut store) = judge::store_of_address(&name, &text, code.source.scope, evidence) {
            store.variable = value::variable(code, value);
            store.dir = Some(code.source.path.parent());
            super::store::tell(code, facts, store);
        }
    }
}

/// `os.environ.get("DATABASE_URL") or "sqlite:///" + path`: the address that the last alternative begins.
fn fallback_address(code: &Code<'_>, name: &str, value: Span, facts: &mut Facts) {
    let about_a_store = ["URL", "URI", "DSN"]
        .iter()
        .any(|end| name.rsplit('_').next() == Some(end));
    let Some((text, at)) = code
        .texts_in(value)
        .into_iter()
        .rev()
        .find(|(text, _)| text.contains("://"))
        .filter(|_| about_a_store)
    else {
        return;
    };
    let Some((before, after)) = text.split_once("://") else {
        return;
    };
    // A replacement of one scheme by another is no address.
    if after.is_empty() && !code.code_of(value).contains(" or ") && !code.code_of(value).contains(" else ") {
        return;
    }
    let evidence = code.source.at(code.line(at));
    let address = format!("{before}://x");
    if let Some(mut store) = judge::store_of_address(name, &address, code.source.scope, evidence) {
        store.variable = value::variable(code, value);
        store.dir = Some(code.source.path.parent());
        super::store::tell(code, facts, store);
    }
}

/// Is a name one of a word that stands in for secrets, not of a secret?
fn is_about(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    ["placeholder", "mask", "redacted", "pattern", "header", "field"]
        .iter()
        .any(|word| lower.contains(word))
}
