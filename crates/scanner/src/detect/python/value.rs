//! What an expression says about a port, an address, a switch or a variable of the environment.

use playbook_core::harmless::{EnvName, Setting};
use playbook_core::raw::Raw;

use super::known;
use super::syntax::{Argument, Call, Code, Piece, Span};
use crate::limits;

/// A read of the environment: its name and what stands in for a missing one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Read {
    /// Where the name stands.
    pub(super) name: Span,
    /// The fallback, if there is one.
    pub(super) default: Option<Span>,
}

/// A port as far as an expression tells it.
#[derive(Debug, Default)]
pub(super) struct Port {
    /// The number, or the fallback of the variable.
    pub(super) number: Option<u16>,
    /// The variable it comes from.
    pub(super) variable: Option<EnvName>,
}

impl Port {
    fn or(self, other: Self) -> Self {
        Self {
            number: self.number.or(other.number),
            variable: self.variable.or(other.variable),
        }
    }
}

/// The argument with a keyword, or at a position when the word is a number.
pub(super) fn argument(arguments: &[Argument<'_>], word: &str) -> Option<Span> {
    if word.is_empty() {
        return None;
    }
    if let Ok(position) = word.parse::<usize>() {
        return arguments
            .iter()
            .filter(|argument| argument.keyword.is_none())
            .nth(position)
            .map(|argument| argument.value);
    }
    arguments
        .iter()
        .find(|argument| argument.keyword == Some(word))
        .map(|argument| argument.value)
}

/// Is a call one that reads the environment: `os.environ.get`, `os.getenv`, `env.int`, `config`?
pub(super) fn environment_read(code: &Code<'_>, call: &Call<'_>) -> Option<Read> {
    let full = code.full_name(call.name);
    let direct = matches!(
        full.as_str(),
        "os.environ.get" | "os.getenv" | "os.environ.setdefault" | "os.environ.pop"
    ) || full.ends_with("environ.get")
        || full == "decouple.config"
        || full == "starlette.config.Config"
        || is_reader_object(code, &full)
        || is_shared_reader(code, call.name);
    if !direct {
        return None;
    }
    let arguments = code.arguments(call);
    let name = arguments
        .iter()
        .find(|argument| argument.keyword.is_none())?
        .value;
    let default = argument(&arguments, "default").or_else(|| argument(&arguments, "1"));
    Some(Read { name, default })
}

/// `env("X")`, `env.int("X")` of django-environ and environs, `config("X")` of Starlette: an object that the file
/// makes, or that it imports under that name.
fn is_reader_object(code: &Code<'_>, full: &str) -> bool {
    let head = full.split('.').next().unwrap_or(full);
    let made_by = |name: &str| {
        let Some(span) = code.constant(name) else {
            return false;
        };
        code.calls_in(span).first().is_some_and(|call| {
            matches!(
                code.full_name(call.name).as_str(),
                "environ.Env"
                    | "environs.Env"
                    | "environs.EnvParser"
                    | "starlette.config.Config"
                    | "decouple.Config"
                    | "environ.FileAwareEnv"
                    | "decouple.AutoConfig"
            )
        })
    };
    made_by(head)
}

/// `env("X")` in a module of a settings package that takes the reader over from its sibling: `from .base import *`,
/// `from config.settings.base import env`.
fn is_shared_reader(code: &Code<'_>, name: &str) -> bool {
    let (head, method) = name.split_once('.').unwrap_or((name, ""));
    if !known::words().casts.contains(&method) || code.constant(head).is_some() {
        return false;
    }
    match code.imported(head) {
        Some(full) => {
            head == "env" && is_settings_module(full.rsplit_once('.').map_or("", |(module, _)| module))
        }
        None => {
            matches!(head, "env" | "config")
                && code.statements().iter().any(|statement| {
                    let written = code.statement_code(*statement).trim();
                    written
                        .strip_prefix("from ")
                        .and_then(|rest| rest.split_once(" import "))
                        .is_some_and(|(module, names)| {
                            names.trim() == "*" && is_settings_module(module.trim())
                        })
                })
        }
    }
}

fn is_settings_module(module: &str) -> bool {
    module.split('.').any(|part| {
        matches!(
            part,
            "base"
                | "common"
                | "components"
                | "conf"
                | "config"
                | "default"
                | "defaults"
                | "env"
                | "settings"
                | "shared"
        )
    })
}

/// The variable whose name stands in a span.
pub(super) fn variable_name(code: &Code<'_>, span: Span) -> Option<EnvName> {
    EnvName::parse(Raw::new(&code.text_or_constant(span)?))
}

/// The variable that an expression reads, wherever in it.
pub(super) fn variable(code: &Code<'_>, span: Span) -> Option<EnvName> {
    variable_within(code, span, limits::PYTHON_STEPS)
}

fn variable_within(code: &Code<'_>, span: Span, steps: u32) -> Option<EnvName> {
    let steps = steps.checked_sub(1)?;
    let read = code
        .calls_in(span)
        .iter()
        .find_map(|call| environment_read(code, call));
    if let Some(name) = read.and_then(|read| variable_name(code, read.name)) {
        return Some(name);
    }
    if let Some(name) = subscript(code, span) {
        return Some(name);
    }
    let path = code.path(span).or_else(|| {
        // `str(settings.DATABASE_URL)` and `settings.DATABASE_URL.unicode_string()` still name the setting.
        let call = code.calls_in(span).into_iter().next()?;
        let arguments = code.arguments(&call);
        match arguments.first() {
            Some(first) => code.path(first.value),
            None => call.name.rsplit_once('.').map(|(object, _)| object),
        }
    })?;
    if let Some(value) = code.value_before(path, span.start) {
        return variable_within(code, value, steps);
    }
    setting_name(path)
}

/// `os.environ["X"]`.
fn subscript(code: &Code<'_>, span: Span) -> Option<EnvName> {
    let text = code.code_of(span);
    let at = text.find("environ[")?;
    let open = span.start
        + (code.code(span.start, span.end).len() - code.code(span.start, span.end).trim_start().len())
        + at
        + 7;
    let close = code.closing(open)?;
    variable_name(
        code,
        Span {
            start: open + 1,
            end: close,
        },
    )
}

/// The variable behind an attribute of a settings object, by the convention that both have one name:
/// `settings.DATABASE_URL`.
pub(super) fn setting_name(path: &str) -> Option<EnvName> {
    let (object, name) = path.rsplit_once('.')?;
    let object = object
        .rsplit('.')
        .next()
        .unwrap_or(object)
        .trim_end_matches("()")
        .to_ascii_lowercase();
    let settings = ["settings", "config", "conf", "env", "cfg"]
        .iter()
        .any(|word| object.ends_with(word));
    let upper = name
        .chars()
        .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
        && name.chars().any(|c| c.is_ascii_uppercase());
    (settings && upper)
        .then(|| EnvName::parse(Raw::new(name)))
        .flatten()
}

/// The port that an expression gives.
pub(super) fn port(code: &Code<'_>, span: Span) -> Port {
    port_within(code, span, limits::PYTHON_STEPS)
}

fn port_within(code: &Code<'_>, span: Span, steps: u32) -> Port {
    let Some(steps) = steps.checked_sub(1) else {
        return Port::default();
    };
    let literal = |span: Span| {
        let number = code.number(span).and_then(|number| u16::try_from(number).ok());
        let text = || {
            let text = code.string(span)?;
            let digits = text.rsplit(':').next().unwrap_or(&text).trim().to_owned();
            playbook_core::harmless::port(Raw::new(&digits))
        };
        number.or_else(text).filter(|port| *port > 0)
    };
    if let Some(number) = literal(span) {
        return Port {
            number: Some(number),
            variable: None,
        };
    }
    if let Some(path) = code.path(span) {
        if let Some(value) = code.value_before(path, span.start) {
            return port_within(code, value, steps);
        }
        if let Some(default) = option_default(code, path) {
            return port_within(code, default, steps);
        }
        return Port {
            number: None,
            variable: setting_name(path),
        };
    }
    let mut found = Port::default();
    for call in code.calls_in(span) {
        if let Some(read) = environment_read(code, &call) {
            let default = read
                .default
                .map(|default| port_within(code, default, steps))
                .unwrap_or_default();
            found = found
                .or(Port {
                    number: None,
                    variable: variable_name(code, read.name),
                })
                .or(default);
        }
    }
    if found.variable.is_none() {
        found.variable = subscript(code, span);
    }
    if found.number.is_none() {
        // `int(…) or 8000`, `int("8000")`, `"[::]:" + port`, `f"[::]:{port}"`, `"{}:{}".format(host, port)`
        let text = code.code_of(span);
        let tail = text
            .rsplit(" or ")
            .next()
            .filter(|_| text.contains(" or "))
            .map(str::trim);
        found.number = tail.and_then(|tail| tail.trim_end_matches(')').trim().parse().ok());
    }
    if found.number.is_none() && found.variable.is_none() {
        let parts = code.split(span, b'+');
        if let [.., last] = parts.as_slice()
            && parts.len() > 1
        {
            return port_within(code, *last, steps);
        }
        if let Some(Piece::Code(expression)) = code.pieces(span).last() {
            let name = expression.split([':', '!']).next().unwrap_or(expression).trim();
            if let Some(value) = code.value_before(name, span.start) {
                return port_within(code, value, steps);
            }
            if let Some(default) = option_default(code, name) {
                return port_within(code, default, steps);
            }
            return Port {
                number: None,
                variable: setting_name(name),
            };
        }
        if let Some(call) = code.calls_in(span).first()
            && let Some(last) = code.arguments(call).last()
        {
            return port_within(code, last.value, steps);
        }
    }
    found
}

/// The default of the command-line option behind `args.port`.
fn option_default(code: &Code<'_>, path: &str) -> Option<Span> {
    code.option_default(path.rsplit('.').next().unwrap_or(path))
}

/// The address that an expression gives, where it is harmless.
pub(super) fn host(code: &Code<'_>, span: Span) -> Option<Setting> {
    let text = code.string(span).or_else(|| {
        let path = code.path(span)?;
        let value = code
            .value_before(path, span.start)
            .or_else(|| option_default(code, path))?;
        code.string(value).or_else(|| {
            let read = code
                .calls_in(value)
                .iter()
                .find_map(|call| environment_read(code, call))?;
            code.string(read.default?)
        })
    });
    let text = text.or_else(|| {
        let read = code
            .calls_in(span)
            .iter()
            .find_map(|call| environment_read(code, call))?;
        code.string(read.default?)
    })?;
    let text = if text.is_empty() { "0.0.0.0" } else { text.as_str() };
    Setting::parse(Raw::new(text))
}

/// Is an expression the word `True`?
pub(super) fn is_true(code: &Code<'_>, span: Option<Span>) -> bool {
    span.is_some_and(|span| code.code_of(span) == "True")
}
