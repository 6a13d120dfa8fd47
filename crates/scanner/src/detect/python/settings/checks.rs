//! Checks of settings: what has to be there, what must not stay as it is, what switches development on.

use playbook_core::harmless::EnvName;
use playbook_core::inventory::SignalKind;
use playbook_core::raw::Raw;
use playbook_core::secret::is_placeholder;
use playbook_core::shown::Shown;

use super::super::syntax::{Code, Span, Statement};
use super::super::value::{setting_name, variable};
use super::mention;
use crate::fact::Facts;

pub(super) fn detect(code: &Code<'_>, facts: &mut Facts) {
    let path = code.source.path.as_str().to_ascii_lowercase();
    let settings = ["settings", "config", "secur", "secret", "startup", "env"]
        .iter()
        .any(|word| path.contains(word))
        || code.uses("pydantic_settings");
    for (number, statement) in code.statements().iter().enumerate() {
        let line = code.statement_code(*statement);
        if line.starts_with("if ") || line.starts_with("elif ") || line.starts_with("assert ") {
            demanded(code, facts, number, *statement);
            development(code, facts, *statement);
        }
        if settings {
            placeholder(code, facts, *statement);
        }
        debug(code, facts, *statement);
    }
}

/// `if SECRET_KEY is None: raise …` makes the variable behind the name a required one.
fn demanded(code: &Code<'_>, facts: &mut Facts, number: usize, statement: Statement) {
    let line = code.statement_code(statement);
    let asserted = line.strip_prefix("assert ");
    let condition = asserted
        .or_else(|| line.strip_prefix("if "))
        .or_else(|| line.strip_prefix("elif "))
        .unwrap_or_default();
    // A condition of several parts demands none of them alone.
    if condition.contains(" and ") || condition.contains(" or ") {
        return;
    }
    let condition = condition.split([':', ',']).next().unwrap_or_default().trim();
    let name = if asserted.is_some() {
        condition.strip_suffix(" is not None").unwrap_or(condition)
    } else {
        let missing = condition
            .strip_suffix(" is None")
            .or_else(|| condition.strip_prefix("not "))
            .or_else(|| {
                condition
                    .strip_suffix("== \"\"")
                    .or_else(|| condition.strip_suffix("== ''"))
            });
        let Some(missing) = missing else { return };
        missing
    };
    let name = name.trim();
    if name.is_empty()
        || !name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'))
    {
        return;
    }
    let fails = asserted.is_some()
        || code
            .statements()
            .iter()
            .take(code.block_end(number))
            .skip(number + 1)
            .map(|inside| code.statement_code(*inside))
            .any(|inside| {
                inside.starts_with("raise ") || inside.starts_with("sys.exit(") || inside.starts_with("exit(")
            });
    if !fails {
        return;
    }
    let Some(value) = code.value_before(name, statement.start) else {
        return;
    };
    // A value that falls back on something else is missing only when that is missing too.
    let reads = code.calls_in(value).len();
    if reads > 2 {
        return;
    }
    if let Some(mut fact) =
        variable(code, value).and_then(|variable| mention(code, variable.as_str(), statement.start))
    {
        fact.required = true;
        facts.variables.push(fact);
    }
}

/// A comparison with a stand-in such as `changeme`.
fn placeholder(code: &Code<'_>, facts: &mut Facts, statement: Statement) {
    let line = code.statement_code(statement);
    if !(line.contains("==") || line.contains(" in ")) || line.starts_with("for ") {
        return;
    }
    let found = code
        .texts_in(Span {
            start: statement.start,
            end: statement.end,
        })
        .into_iter()
        .find(|(text, at)| text.len() > 5 && is_guard(line, statement, *at) && is_placeholder(text));
    if let Some((_, at)) = found {
        facts.signal(
            SignalKind::ChecksPlaceholder,
            None,
            code.source.scope,
            code.source.at(code.line(at)),
        );
    }
}

/// Does a literal stand behind a comparison?
fn is_guard(line: &str, statement: Statement, at: usize) -> bool {
    let before = at
        .checked_sub(statement.start)
        .and_then(|end| line.get(..end))
        .unwrap_or_default();
    before
        .trim_end_matches([' ', '(', '[', '{', '"', '\'', ','])
        .ends_with("==")
        || before.contains(" in ")
}

/// `if settings.ENVIRONMENT == "development":`, `if os.getenv("DEBUG") == "1":`.
fn development(code: &Code<'_>, facts: &mut Facts, statement: Statement) {
    let line = code.statement_code(statement);
    let Some(at) = line.find("==") else { return };
    let right = code.trimmed(statement.start + at + 2, statement.end);
    let word = code
        .texts_in(right)
        .first()
        .map(|(text, _)| text.to_ascii_lowercase());
    if !word.is_some_and(|word| {
        matches!(
            word.as_str(),
            "development" | "develop" | "dev" | "local" | "debug"
        )
    }) {
        return;
    }
    let start = statement.start + line.find(' ').unwrap_or_default() + 1;
    let left = code.trimmed(start, statement.start + at);
    let path = code.code_of(left);
    let own = path
        .strip_prefix("self.")
        .filter(|name| name.chars().all(|c| !c.is_ascii_lowercase()));
    let name = variable(code, left)
        .or_else(|| setting_name(path))
        .or_else(|| own.and_then(|name| EnvName::parse(Raw::new(name))));
    if let Some(name) = name {
        let evidence = code.source.at(code.line(statement.start));
        facts.signal(
            SignalKind::DevelopmentSwitch,
            Some(Shown::from(name)),
            code.source.scope,
            evidence,
        );
    }
}

/// `DEBUG = True` at the top level of settings.
fn debug(code: &Code<'_>, facts: &mut Facts, statement: Statement) {
    let Some((name, _, Some(value))) = code.assignment(statement) else {
        return;
    };
    let last = name.rsplit('.').next().unwrap_or(name);
    let settings = code.source.path.name().starts_with("settings")
        || code.source.path.parent().name() == "settings"
        || matches!(name, "app.debug" | "application.debug");
    if last.eq_ignore_ascii_case("debug")
        && settings
        && statement.indent == 0
        && code.code_of(value) == "True"
    {
        let evidence = code.source.at(code.line(statement.start));
        facts.signal(
            SignalKind::DebugEnabled,
            Some(Shown::from("debug")),
            code.source.scope,
            evidence,
        );
    }
}
