//! What an expression says about a port, an address or a variable of the environment.

use std::ops::Range;
use std::sync::LazyLock;

use playbook_core::harmless::{self, EnvName, Setting};
use playbook_core::raw::Raw;
use regex::Regex;

use super::syntax::{Code, pattern};
use crate::limits;
use crate::parse::slice;

static READ: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r#"\b(?:process\s*\??\.\s*env|Bun\s*\.\s*env|import\s*\.\s*meta\s*\.\s*env)\s*(?:\??\.\s*(?P<name>[A-Za-z_]\w*)|(?:\?\.)?\[\s*(?P<index>["'`]))|(?:\bDeno\s*\.\s*env\s*\.\s*get|[cC]onfig(?:Service)?\s*\.\s*(?:get|getOrThrow)|\benv\s*\.\s*get)\s*(?:<[^<>()]*(?:<[^<>()]*>)?[^<>()]*>)?\s*\(\s*(?P<call>["'`])|\b(?:env|environment|envs|ENV|config|Config|settings)\s*\.\s*(?P<upper>[A-Z][A-Z0-9_]+)\b"#,
    )
});
static NUMBER: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r"(?:^|[^\w.$])(?P<number>\d{2,5})(?:[^\w.]|$)"));
static WORD: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r"(?P<before>\.\s*)?(?P<word>[A-Za-z_$][\w$]*)"));

/// A port as far as an expression tells it.
#[derive(Debug, Default, Clone)]
pub(super) struct Port {
    /// The number, or the fallback of the variable.
    pub(super) number: Option<u16>,
    /// The variable it comes from.
    pub(super) variable: Option<EnvName>,
    /// Does the expression look like one of a port, whether or not it could be read?
    pub(super) plausible: bool,
}

/// The variables that an expression reads, in its order.
pub(super) fn variables(code: &Code<'_>, range: &Range<usize>) -> Vec<EnvName> {
    let mut out = Vec::new();
    for found in READ
        .iter()
        .flat_map(|pattern| pattern.captures_iter(slice(code.code(), range.start, range.end)))
    {
        let text = found
            .name("name")
            .or(found.name("upper"))
            .map(|name| name.as_str().to_owned());
        let literal = || {
            let quote = found.name("index").or(found.name("call"))?.start() + range.start;
            Some(code.masked.literal_at(quote)?.value(code.text())?.into_owned())
        };
        let Some(text) = text.or_else(literal) else {
            continue;
        };
        // `config.get("app.port")` is a path of settings, not a variable.
        let upper = !text.contains('.') && text.chars().any(|c| c.is_ascii_uppercase());
        if let (true, Some(name)) = (
            upper || found.name("name").is_some(),
            EnvName::parse(Raw::new(&text)),
        ) {
            out.push(name);
        }
    }
    out
}

/// The variable that an expression reads, wherever in it, names followed within the file.
pub(super) fn variable(code: &Code<'_>, range: &Range<usize>) -> Option<EnvName> {
    variable_within(code, range, limits::JAVASCRIPT_STEPS, &mut {
        limits::JAVASCRIPT_EXPRESSIONS
    })
}

fn variable_within(code: &Code<'_>, range: &Range<usize>, steps: u32, left: &mut u32) -> Option<EnvName> {
    let steps = steps.checked_sub(1)?;
    *left = left.checked_sub(1)?;
    if let Some(found) = variables(code, range).into_iter().next() {
        return Some(found);
    }
    words(code, range)
        .into_iter()
        .find_map(|word| variable_within(code, &code.constant(word)?, steps, left))
}

/// The names in an expression that are no members of something else.
fn words<'c>(code: &'c Code<'_>, range: &Range<usize>) -> Vec<&'c str> {
    let mut out: Vec<&str> = Vec::new();
    for found in WORD
        .iter()
        .flat_map(|pattern| pattern.captures_iter(slice(code.code(), range.start, range.end)))
        .take(40)
    {
        if let (None, Some(word)) = (found.name("before"), found.name("word"))
            && !out.contains(&word.as_str())
        {
            out.push(word.as_str());
        }
    }
    out
}

/// The port that an expression says.
pub(super) fn port(code: &Code<'_>, range: &Range<usize>) -> Port {
    port_within(code, range, limits::JAVASCRIPT_STEPS, &mut {
        limits::JAVASCRIPT_EXPRESSIONS
    })
}

fn port_within(code: &Code<'_>, range: &Range<usize>, steps: u32, left: &mut u32) -> Port {
    let (Some(steps), Some(fewer)) = (steps.checked_sub(1), left.checked_sub(1)) else {
        return Port::default();
    };
    *left = fewer;
    let text = slice(code.code(), range.start, range.end);
    let mut out = Port {
        variable: variables(code, range).into_iter().next(),
        ..Port::default()
    };
    out.number = number(text).or_else(|| {
        code.masked
            .literals_in(range)
            .iter()
            .filter(|literal| literal.end <= range.end)
            .find_map(|literal| harmless::port(Raw::new(&literal.value(code.text())?)))
    });
    for word in words(code, range) {
        if out.variable.is_some() && out.number.is_some() {
            break;
        }
        if let Some(constant) = code.constant(word) {
            let deeper = port_within(code, &constant, steps, left);
            out.variable = out.variable.or(deeper.variable);
            out.number = out.number.or(deeper.number);
        } else if code.imports.contains_key(word)
            && word.to_ascii_uppercase() == word
            && word.contains("PORT")
        {
            // A module of settings exports its variables under their own names.
            out.variable = out.variable.or_else(|| EnvName::parse(Raw::new(word)));
        }
    }
    out.plausible =
        out.number.is_some() || out.variable.is_some() || text.to_ascii_lowercase().contains("port");
    out
}

/// The first number that can be a port; `10` is the base of `parseInt`.
fn number(text: &str) -> Option<u16> {
    NUMBER
        .iter()
        .flat_map(|pattern| pattern.captures_iter(text))
        .filter_map(|found| found.name("number")?.as_str().parse().ok())
        .find(|number| *number >= 80)
}

/// The address that an expression says, where it is written.
pub(super) fn address(code: &Code<'_>, range: &Range<usize>) -> Option<Setting> {
    let literal = |range: &Range<usize>| {
        let literal = code
            .masked
            .literals_in(range)
            .iter()
            .find(|literal| literal.end <= range.end)?;
        let value = literal.value(code.text())?;
        (value.contains(['.', ':']) || value == "localhost")
            .then(|| Setting::judge("HOST", Raw::new(&value)))
            .flatten()
    };
    literal(range).or_else(|| {
        words(code, range)
            .into_iter()
            .find_map(|word| literal(&code.constant(word)?))
    })
}
