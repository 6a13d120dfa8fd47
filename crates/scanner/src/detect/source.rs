//! Source code in any language, by the anchors of `languages/*.toml`: reads of the environment everywhere; routes,
//! listeners, schedules and clients where no detector of the ecosystem reads them itself.

mod handlers;
mod prefix;

use playbook_core::evidence::{Confidence, Scope};
use playbook_core::harmless::{EnvName, Name, Schedule, Setting, Symbol, UrlPath, port};
use playbook_core::inventory::{Pool, VariableOrigin};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::secret;
use playbook_core::shown::Shown;
use std::borrow::Cow;

use super::Detector;
use super::judge::{self, schema};
use crate::conventions::is_health_path;
use crate::fact::{EntryKind, EntryPoint, Facts, HandledFact, JobFact, RouteFact, VariableFact};
use crate::language::{Fallback, Hit, Kind, Language, language_of};
use crate::limits;
use crate::source::Source;
use handlers::Handler;
use prefix::Prefixes;

/// Source code.
pub(crate) const DETECTOR: Detector = Detector { wants, detect };

/// Languages whose detectors read routes, listeners and schedules themselves.
const OWN_DETECTOR: &[&str] = &["python", "javascript", "typescript"];

fn wants(path: &RelPath) -> bool {
    language_of(path.as_str()).is_some_and(|language| language.name() != "shell")
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    let Some(language) = language_of(source.path.as_str()) else {
        return;
    };
    if source.text.len() as u64 > limits::SOURCE_BYTES {
        return;
    }
    let own = OWN_DETECTOR.contains(&language.name());
    let kinds: &[Kind] = if own {
        &[Kind::Env]
    } else {
        &[
            Kind::Env,
            Kind::Route,
            Kind::Mount,
            Kind::Listen,
            Kind::Schedule,
            Kind::Client,
        ]
    };
    if source.is_production() && !own && handlers::may_tell(language, source.text) {
        handlers::functions(source, language, facts);
    }
    if !language.may_hit(source.text, kinds) {
        return;
    }
    let masked = language.mask(source.text);
    let mut hits = language.hits_in(source.text, &masked, kinds);
    hits.truncate(limits::FACTS_PER_FILE);
    let prefixes = hits
        .iter()
        .any(|hit| hit.kind == Kind::Route)
        .then(|| Prefixes::new(language, &masked, &hits));
    for hit in &hits {
        match hit.kind {
            Kind::Env => variable(source, masked.code(), hit, facts),
            Kind::Route => {
                if let Some(prefixes) = &prefixes {
                    route(source, language, hit, prefixes, facts);
                }
            }
            Kind::Listen => listener(source, language, hit, facts),
            Kind::Schedule => job(source, language, hit, facts),
            Kind::Client => pool(source, hit, facts),
            Kind::Mount => {}
        }
    }
}

/// The size of a pool, as a number or from a variable.
fn pool(source: &Source<'_>, hit: &Hit, facts: &mut Facts) {
    let (Some(library), Some(size)) = (hit.attribute("library"), hit.attribute("pool-size")) else {
        return;
    };
    let (Some(library), Ok(size)) = (Name::parse(Raw::new(library)), size.trim().parse()) else {
        return;
    };
    if source.scope != Scope::Production {
        return;
    }
    facts.pools.push(Pool {
        library: library.into(),
        datastore: None,
        service: None,
        size: Some(size),
        overflow: None,
        variable: None,
        confidence: Confidence::Stated,
        evidence: vec![source.at(hit.line)],
    });
}

fn is_true(hit: &Hit, attribute: &str) -> bool {
    hit.attribute(attribute)
        .is_some_and(|value| !matches!(value, "false" | "0" | ""))
}

/// Tasks that people start by hand take arguments from variables, and Capistrano's settings are read where people
/// deploy from: neither is a variable of a deployed service.
fn is_task(path: &RelPath) -> bool {
    let parent = path.parent();
    path.name() == "Capfile"
        || super::ending(path, &["rake"])
        || parent.name() == "config" && path.name() == "deploy.rb"
        || parent.name() == "deploy" && parent.parent().name() == "config" && super::ending(path, &["rb"])
}

/// Does a block around the place hold for tests or development by its key: `'mysql_testing' => [`, `development: {`?
fn is_in_development_block(text: &str, code: &str, offset: usize) -> bool {
    let start = offset.saturating_sub(limits::BLOCK_BYTES);
    let bytes = code.as_bytes();
    let mut closed = 0_usize;
    let mut seen = 0;
    for at in (start..offset.min(bytes.len())).rev() {
        match bytes.get(at) {
            Some(b']' | b'}' | b')') => closed += 1,
            Some(b'[' | b'{' | b'(') if closed > 0 => closed -= 1,
            Some(b'[' | b'{' | b'(') => {
                seen += 1;
                if key_before(text, at).is_some_and(schema::is_development_key) {
                    return true;
                }
                if seen >= limits::BLOCK_DEPTH {
                    return false;
                }
            }
            _ => {}
        }
    }
    false
}

/// The key in front of a bracket: `'key' => [`, `key: {`, `"key": {`.
fn key_before(text: &str, bracket: usize) -> Option<&str> {
    let before = text.get(bracket.saturating_sub(80)..bracket)?.trim_end();
    let key = before
        .strip_suffix("=>")
        .or_else(|| before.strip_suffix(':'))?
        .trim_end();
    let key = key.trim_end_matches(['"', '\'']);
    let from = key
        .rfind(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-')))
        .map_or(0, |at| at + 1);
    key.get(from..).filter(|key| !key.is_empty())
}

/// Elixir runs the body of a module when it compiles it: what `@attribute` and `if` at that depth read is known to the
/// build and to nobody else. (The formatter puts that depth at two blanks.)
fn is_compiled_in(source: &Source<'_>, hit: &Hit) -> bool {
    super::ending(source.path, &["ex"])
        && source
            .text
            .get(..hit.offset)
            .and_then(|before| before.rsplit('\n').next())
            .and_then(|line| line.strip_prefix("  "))
            .is_some_and(|line| {
                line.trim_start().starts_with('@') || line.starts_with("if ") || line.starts_with("unless ")
            })
}

/// A read of a variable.
pub(crate) fn variable(source: &Source<'_>, code: &str, hit: &Hit, facts: &mut Facts) {
    if is_true(hit, "compile-time") || is_compiled_in(source, hit) {
        return;
    }
    // .NET reads `ConnectionStrings:Shop` from the variable `ConnectionStrings__Shop`.
    let prefix = if is_true(hit, "connection-string") {
        "ConnectionStrings__"
    } else {
        ""
    };
    let name = hit.name.as_deref().and_then(|name| {
        // A key of .NET's configuration: `Shop:Url` is the variable `Shop__Url`.
        let name = if is_true(hit, "configuration-key") {
            name.replace(':', "__")
        } else {
            name.to_owned()
        };
        EnvName::parse(Raw::new(&format!("{prefix}{name}")))
    });
    let Some(name) = name.filter(|name| !is_property(source, name.as_str())) else {
        return;
    };
    let scope = if is_task(source.path) || is_in_development_block(source.text, code, hit.offset) {
        Scope::Development
    } else {
        source.scope
    };
    let mut fact = VariableFact::new(name, VariableOrigin::Code, scope, source.at(hit.line));
    let text = fact.name.as_str().to_owned();
    fact.secret = is_true(hit, "secret");
    fact.build_time =
        is_true(hit, "build-time") || source.path.name() == "Gemfile" || schema::is_bundled(&text);
    fact.min_length = hit.attribute("min-length").and_then(|value| value.parse().ok());
    match &hit.default {
        Fallback::None => fact.has_default = is_true(hit, "optional"),
        // What a configuration key lacks, the settings file may have.
        Fallback::Required => {
            fact.has_default = is_true(hit, "optional");
            fact.required = !is_true(hit, "configuration-key") && !fact.has_default;
        }
        Fallback::Present(value) => {
            // An empty text is what the place passes on when nobody set the variable.
            fact.has_default = value.as_deref() != Some("");
            if let Some(value) = value {
                if secret::is_secret_name(&text) || fact.secret {
                    facts.withheld.add(Raw::new(value));
                    if scope == Scope::Production {
                        judge::literal(source, facts, &text, value, judge::Place::new(hit.line, scope));
                    }
                    // A stand-in is no value to run with.
                    fact.placeholder = !value.is_empty() && secret::is_placeholder(value);
                } else {
                    fact.default = Setting::judge(&text, Raw::new(value));
                }
            }
        }
    }
    facts.variables.push(fact);
}

/// `process.env.basePath`: a constant that a bundler's configuration defines, not a variable of the environment, whose
/// names have no small letters in this ecosystem.
fn is_property(source: &Source<'_>, name: &str) -> bool {
    let script = super::ending(
        source.path,
        &["js", "jsx", "ts", "tsx", "mjs", "cjs", "vue", "svelte"],
    );
    script && name.chars().any(char::is_lowercase) && !name.contains('_')
}

fn route(
    source: &Source<'_>,
    language: &'static Language,
    hit: &Hit,
    prefixes: &Prefixes,
    facts: &mut Facts,
) {
    if prefixes.is_prefix(hit) {
        return;
    }
    let text = hit
        .name
        .as_deref()
        .or_else(|| hit.attribute("path"))
        .unwrap_or_default();
    // A route without a path of its own is the one of its class.
    let arguments = source
        .text
        .get(hit.offset..)
        .and_then(|rest| rest.split_once('('));
    let bare = arguments.is_some_and(|(_, inside)| inside.trim_start().starts_with(')'));
    if text.is_empty() && (hit.attribute("router").is_some() || !bare) {
        return;
    }
    let Some(path) = UrlPath::parse(Raw::new(&prefixes.whole(hit, text))) else {
        return;
    };
    let evidence = source.at(hit.line);
    let mut constant = false;
    if is_health_path(path.as_str()) {
        match handlers::handler(language, hit) {
            Handler::Here(answer) => constant = answer,
            Handler::Named(name) => facts.handled.push(HandledFact {
                route: evidence.clone(),
                path: path.clone(),
                name,
                language: language.name(),
            }),
            Handler::Unknown => {}
        }
    }
    facts.routes.push(RouteFact {
        method: method(hit.attribute("method").map(|method| {
            let several = hit.attribute("methods").filter(|_| method == "Request");
            several.unwrap_or(method)
        })),
        path,
        router: hit
            .attribute("router")
            .and_then(|router| Symbol::parse(Raw::new(router))),
        authenticated: None,
        touches: Vec::new(),
        constant,
        framework: Shown::from(language.name()),
        scope: if prefixes.is_development(hit.offset) {
            Scope::Development
        } else {
            source.scope
        },
        evidence,
    });
}

/// The HTTP method that a route's function or annotation names.
fn method(text: Option<&str>) -> &'static str {
    let lower = text.unwrap_or_default().to_ascii_lowercase();
    [
        ("get", "GET"),
        ("post", "POST"),
        ("put", "PUT"),
        ("patch", "PATCH"),
        ("delete", "DELETE"),
        ("head", "HEAD"),
        ("options", "OPTIONS"),
    ]
    .iter()
    .find(|(word, _)| lower.contains(word))
    .map_or("*", |(_, method)| method)
}

/// A place that listens on a port is where a server begins.
fn listener(source: &Source<'_>, language: &'static Language, hit: &Hit, facts: &mut Facts) {
    let address = hit.attribute("address").unwrap_or_default();
    let literal = match &hit.default {
        Fallback::Present(Some(value)) => port_of(value),
        _ => None,
    };
    let host = address
        .rsplit_once(':')
        .map_or("", |(host, _)| host)
        .rsplit('/')
        .next()
        .unwrap_or_default();
    facts.entry_points.push(EntryPoint {
        path: source.path.clone(),
        kind: EntryKind::Server,
        framework: hit
            .attribute("framework")
            .and_then(|slug| Name::parse(Raw::new(slug)))
            .map_or_else(|| Shown::from(language.name()), Into::into),
        symbol: None,
        port: port_of(address)
            .or(literal)
            .or_else(|| hit.attribute("port").and_then(port_of)),
        port_variable: hit
            .name
            .as_deref()
            .and_then(|name| EnvName::parse(Raw::new(name))),
        bind: Setting::parse(Raw::new(host)),
        scope: source.scope,
        evidence: source.at(hit.line),
    });
}

fn port_of(address: &str) -> Option<u16> {
    port(Raw::new(
        address
            .rsplit(':')
            .next()
            .unwrap_or(address)
            .trim_end_matches('/'),
    ))
}

/// A number without the marks that only its readers need: `15_000L` is `15000`.
fn digits_of(text: &str) -> Cow<'_, str> {
    let bare = text.trim_end_matches(['l', 'L']);
    let number = bare.starts_with(|letter: char| letter.is_ascii_digit())
        && bare.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    if number {
        Cow::Owned(bare.replace('_', ""))
    } else {
        Cow::Borrowed(text)
    }
}

fn job(source: &Source<'_>, language: &'static Language, hit: &Hit, facts: &mut Facts) {
    let schedule = ["schedule", "first", "cron", "every"]
        .iter()
        .find_map(|attribute| hit.attribute(attribute))
        .map(|text| digits_of(default_of(text.trim_matches(['"', '\'']))))
        .and_then(|text| Schedule::parse(Raw::new(&text)));
    let stem = source.path.name().split('.').next().unwrap_or_default();
    let name = hit
        .name
        .as_deref()
        .or_else(|| hit.attribute("name"))
        .and_then(|name| Name::parse(Raw::new(name)));
    let Some(name) = name.or_else(|| Name::parse(Raw::new(stem))) else {
        return;
    };
    if schedule.is_none() {
        return;
    }
    facts.jobs.push(JobFact {
        name,
        schedule,
        runner: hit
            .attribute("runner")
            .and_then(|runner| Name::parse(Raw::new(runner)))
            .map_or_else(|| Shown::from(language.name()), Into::into),
        scope: if source.scope == Scope::Production {
            Scope::Production
        } else {
            Scope::Development
        },
        evidence: source.at(hit.line),
    });
}

/// The default of a placeholder for a property: `${jobs.clean:0 0 3 * * *}`.
fn default_of(text: &str) -> &str {
    text.strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'))
        .and_then(|rest| rest.split_once(':'))
        .map_or(text, |(_, default)| default)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn reads_of_variables_with_and_without_defaults() {
        let facts = testing::facts(
            &DETECTOR,
            "
//- app/settings.py
import os
KEY = os.environ[\"SECRET_KEY\"]
PORT = int(os.getenv(\"PORT\", \"8000\"))
TOKEN = os.getenv(\"API_TOKEN\", \"changeme\")
# os.environ[\"COMMENTED\"]
//- tests/test_settings.py
import os
os.environ[\"ONLY_TEST\"]
",
        );
        let told: Vec<(&str, bool, bool, bool)> = facts
            .variables
            .iter()
            .map(|v| (v.name.as_str(), v.required, v.has_default, v.placeholder))
            .collect();
        assert_eq!(
            told,
            [
                ("SECRET_KEY", true, false, false),
                ("PORT", false, true, false),
                ("API_TOKEN", false, true, true),
                ("ONLY_TEST", true, false, false),
            ]
        );
        assert_eq!(
            facts
                .variables
                .get(1)
                .and_then(|v| v.default.as_ref())
                .map(Setting::as_str),
            Some("8000")
        );
        assert_eq!(facts.variables.get(3).map(|v| v.scope), Some(Scope::Development));
    }

    #[test]
    fn a_listener_is_an_entry_point() {
        let facts = testing::facts(
            &DETECTOR,
            "//- cmd/api/main.go\npackage main\nfunc main() {\n\thttp.ListenAndServe(\":8080\", nil)\n}\n",
        );
        assert_eq!(
            facts.entry_points.first().and_then(|entry| entry.port),
            Some(8080)
        );
    }
}
