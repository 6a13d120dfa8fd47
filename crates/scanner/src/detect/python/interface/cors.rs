//! Policies for requests of other origins.

use playbook_core::evidence::Scope;
use playbook_core::harmless::{HttpUrl, Setting};
use playbook_core::inventory::CorsPolicy;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use super::super::syntax::{Code, Span};
use super::super::value::{argument, is_true, setting_name, variable};
use crate::fact::Facts;

pub(super) fn detect(code: &Code<'_>, facts: &mut Facts) {
    if code.source.scope != Scope::Production {
        return;
    }
    for call in code.calls() {
        let arguments = code.arguments(&call);
        let full = code.full_name(call.name);
        let middleware = arguments
            .first()
            .and_then(|first| code.path(first.value))
            .is_some_and(|path| path.ends_with("CORSMiddleware"));
        if middleware || call.name.ends_with("CORSMiddleware") {
            let mut policy = policy(code, call.start);
            if let Some(span) = argument(&arguments, "allow_origins") {
                origins(code, span, &mut policy);
            }
            policy.pattern =
                argument(&arguments, "allow_origin_regex").is_some_and(|span| code.code_of(span) != "None");
            policy.credentials = is_true(code, argument(&arguments, "allow_credentials"));
            facts.cors.push(policy);
        } else if full == "flask_cors.CORS" || full == "quart_cors.cors" {
            let mut policy = policy(code, call.start);
            let span = argument(&arguments, "origins")
                .or_else(|| argument(&arguments, "allow_origin"))
                .or_else(|| {
                    let resources = code.dictionary(argument(&arguments, "resources")?);
                    let (_, rule) = resources.into_iter().next()?;
                    code.dictionary(rule)
                        .into_iter()
                        .find(|(key, _)| key == "origins")
                        .map(|(_, span)| span)
                });
            match span {
                Some(span) => origins(code, span, &mut policy),
                None => policy.wildcard = true,
            }
            policy.credentials = is_true(code, argument(&arguments, "supports_credentials"));
            facts.cors.push(policy);
        }
    }
    django(code, facts);
}

fn policy(code: &Code<'_>, offset: usize) -> CorsPolicy {
    CorsPolicy {
        origins: Vec::new(),
        variables: Vec::new(),
        wildcard: false,
        pattern: false,
        credentials: false,
        service: None,
        evidence: vec![code.source.at(code.line(offset))],
    }
}

/// The origins of an expression: texts, and the variables of settings.
fn origins(code: &Code<'_>, span: Span, policy: &mut CorsPolicy) {
    let value = code
        .path(span)
        .and_then(|path| code.value_before(path, span.start))
        .unwrap_or(span);
    for (text, _) in code.texts_in(value) {
        if text == "*" {
            policy.wildcard = true;
        } else if let Some(url) = HttpUrl::parse(Raw::new(text)) {
            policy.origins.push(url.into());
        } else if let Some(setting) = Setting::parse(Raw::new(text)).filter(|_| text.contains("://")) {
            policy.origins.push(setting.into());
        }
    }
    let items = code.list(value).unwrap_or_else(|| vec![value]);
    for item in items {
        if code.string(item).is_some() {
            continue;
        }
        let mut names: Vec<Shown> = variable(code, item).map(Shown::from).into_iter().collect();
        // `[str(o) for o in settings.ORIGINS]`
        let words = code
            .code_of(item)
            .split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.')));
        names.extend(words.filter_map(setting_name).map(Shown::from));
        policy.variables.extend(names);
    }
    policy.variables.sort();
    policy.variables.dedup();
    policy.origins.sort();
    policy.origins.dedup();
}

/// django-cors-headers.
fn django(code: &Code<'_>, facts: &mut Facts) {
    let find = |names: &[&str]| names.iter().find_map(|name| code.constant(name));
    let list = find(&["CORS_ALLOWED_ORIGINS", "CORS_ORIGIN_WHITELIST"]);
    let all = find(&["CORS_ALLOW_ALL_ORIGINS", "CORS_ORIGIN_ALLOW_ALL"]);
    let pattern = find(&["CORS_ALLOWED_ORIGIN_REGEXES", "CORS_ORIGIN_REGEX_WHITELIST"]);
    let Some(first) = list.or(all).or(pattern) else {
        return;
    };
    let mut policy = policy(code, first.start);
    if let Some(list) = list {
        origins(code, list, &mut policy);
    }
    policy.wildcard |= is_true(code, all);
    policy.pattern = pattern.is_some();
    policy.credentials = is_true(code, code.constant("CORS_ALLOW_CREDENTIALS"));
    facts.cors.push(policy);
}
