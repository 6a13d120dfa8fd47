//! What detectors of deployment files share: judging a value together with its name, paths and command lines as they
//! may be printed, and what a value says about datastores.

pub(crate) mod development;
pub(crate) mod interpolation;
pub(crate) mod schema;

use playbook_core::diagnostic::{Diagnostic, DiagnosticKind};
use playbook_core::evidence::{Evidence, Scope};
use playbook_core::harmless::{CommandLine, EnvName, ImageRef, Name, Setting};
use playbook_core::inventory::CommittedSecret;
use playbook_core::raw::Raw;
use playbook_core::secret;
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Group};

use crate::fact::{Facts, StoreFact};
use crate::parse::{ParseProblem, ParseProblemKind};
use crate::source::Source;

/// What a value that stands in a file says, as far as it may be told.
#[derive(Debug, Clone, Default)]
pub(crate) struct Literal {
    /// The value, if it is harmless.
    pub(crate) shown: Option<Setting>,
    /// Is it a stand-in such as `changeme`?
    pub(crate) placeholder: bool,
    /// Is there no value?
    pub(crate) empty: bool,
    /// Is it an address with a password in it?
    pub(crate) credential: bool,
}

/// Where a value stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) line: u32,
    pub(crate) scope: Scope,
    /// Are its values meant for everyone (an example file)? Then a secret's name carries no secret.
    pub(crate) example: bool,
}

impl Place {
    /// A line of a source, with the scope that its content gave it.
    pub(crate) fn new(line: u32, scope: Scope) -> Self {
        Self {
            line,
            scope,
            example: false,
        }
    }
}

/// Judges a value that stands in a file under a name. A secret is withheld and, if the file is committed, told as such.
pub(crate) fn literal(
    source: &Source<'_>,
    facts: &mut Facts,
    name: &str,
    text: &str,
    place: Place,
) -> Literal {
    let text = text.trim();
    if text.is_empty() {
        return Literal {
            empty: true,
            ..Literal::default()
        };
    }
    let Some(kind) = secret_kind(name, text) else {
        return Literal {
            shown: Setting::judge(name, Raw::new(text)).or_else(|| public_value(name, text)),
            ..Literal::default()
        };
    };
    facts.withheld.add(Raw::new(text));
    let placeholder = secret::is_placeholder(text) || password_is_placeholder(text);
    if !source.ignored && !place.example {
        facts.committed_secrets.push(CommittedSecret {
            name: EnvName::parse(Raw::new(name)).map(Shown::from),
            kind: Shown::from(kind),
            placeholder,
            scope: place.scope,
            evidence: vec![Evidence::at(source.path, place.line)],
        });
    }
    Literal {
        placeholder,
        credential: kind == CONNECTION,
        ..Literal::default()
    }
}

/// A value of a secret's name that nevertheless is none: a switch, or an address without user info.
fn public_value(name: &str, text: &str) -> Option<Setting> {
    (secret::is_secret_name(name) && is_switch(text))
        .then(|| Setting::parse(Raw::new(text)))
        .flatten()
}

fn is_switch(text: &str) -> bool {
    matches!(
        text.to_ascii_lowercase().as_str(),
        "true" | "false" | "yes" | "no" | "on" | "off" | "1" | "0" | "null" | "none"
    )
}

/// Is the password inside an address a stand-in?
fn password_is_placeholder(text: &str) -> bool {
    literal_password(text).is_some_and(secret::is_placeholder)
}

/// The password that is written out inside an address.
fn literal_password(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("://")?;
    let authority = rest.split(['/', '?']).next().unwrap_or(rest);
    // A password may hold a slash or an `@`, so the last `@` of the whole counts when there is one.
    let user_info = rest.rsplit_once('@').map_or_else(
        || authority.rsplit_once('@').map(|(before, _)| before),
        |(before, _)| Some(before),
    )?;
    let (_, password) = user_info.split_once(':')?;
    (!password.is_empty()
        && !password.starts_with('$')
        && !password.contains("${")
        && !password.starts_with('<'))
    .then_some(password)
}

/// An address with a password in it.
const CONNECTION: &str = "connection-string";

/// The kind of credential that stands under a name, or `None` when what stands there is none.
fn secret_kind(name: &str, text: &str) -> Option<&'static str> {
    if literal_password(text).is_some() {
        return Some(CONNECTION);
    }
    // References, switches, paths to a secret, and addresses with a user but no password are no secrets.
    let path = text.starts_with(['/', '.']) && !text.contains(' ') && text.len() < 120;
    let user_only = scheme(text).is_some_and(|scheme| !scheme.starts_with("http"));
    if is_reference(text) || text.contains("${") || is_switch(text) || path || user_only {
        return None;
    }
    secret::kind_of_secret(name, Raw::new(text))
}

/// Is the whole text a reference to something else?
pub(crate) fn is_reference(text: &str) -> bool {
    let text = text.trim();
    (text.starts_with('$') && text.len() > 1 && !text.contains([' ', ':']))
        || (text.starts_with("${") && text.ends_with('}'))
        || (text.starts_with("$(") && text.ends_with(')'))
        || (text.starts_with("{{") && text.ends_with("}}"))
}

/// A path as it may be printed.
pub(crate) fn path(text: &str) -> Option<Shown> {
    let text = text.trim().trim_matches(['"', '\'']);
    match text {
        "." | "./" => Some(Shown::from(".")),
        ".." | "../" => Some(Shown::from("..")),
        "/" => Some(Shown::from("/")),
        _ => Name::parse(Raw::new(text))
            .map(Shown::from)
            .or_else(|| path_shape(text)),
    }
}

fn path_shape(text: &str) -> Option<Shown> {
    let plain = text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/'));
    (plain && text.starts_with(['/', '.']))
        .then(|| Setting::parse(Raw::new(text)).map(Shown::from))
        .flatten()
        // `../../config` has more than one step up; `ImageRef` has the same alphabet without that limit.
        .or_else(|| reference(text.trim_start_matches("../")).filter(|_| text.starts_with("../")))
}

/// A host, name or path with `${VARIABLE}` parts as written, if every part is harmless.
pub(crate) fn reference(text: &str) -> Option<Shown> {
    ImageRef::parse(Raw::new(text)).map(Shown::from)
}

/// An image's name with defaults in place of variables, without tag and digest, and without a registry that only a
/// variable names.
pub(crate) fn image_without_tag(text: &str) -> String {
    let text = interpolation::with_defaults(text).unwrap_or_else(|| text.to_owned());
    let name = match text.rfind('}') {
        // `${REGISTRY}/team/app:1`
        Some(at) if text.get(at + 1..).is_some_and(|rest| rest.starts_with('/')) => {
            text.get(at + 2..).unwrap_or_default()
        }
        _ => text.as_str(),
    };
    ImageRef::parse(Raw::new(name)).map_or_else(
        || name.split('@').next().unwrap_or_default().to_owned(),
        |image| image.without_tag().to_owned(),
    )
}

/// The last part of an image's name: `redis` of `docker.io/library/redis:7`.
pub(crate) fn image_name(text: &str) -> String {
    let name = image_without_tag(text);
    name.rsplit('/').next().unwrap_or_default().to_owned()
}

/// Tells that a file could not be read whole.
pub(crate) fn problem(source: &Source<'_>, facts: &mut Facts, problem: Option<ParseProblem>) {
    let Some(problem) = problem else { return };
    let kind = match problem.kind {
        ParseProblemKind::Syntax | ParseProblemKind::Unclosed => DiagnosticKind::Syntax,
        ParseProblemKind::TooDeep | ParseProblemKind::TooLarge | ParseProblemKind::DocumentType => {
            DiagnosticKind::TooComplex
        }
    };
    facts.diagnostics.push(Diagnostic::new(
        source.path.clone(),
        Some(problem.line.max(1)),
        kind,
    ));
}

/// Words of a list put together so that a shell would take them apart again.
pub(crate) fn join_words<S: AsRef<str>>(words: &[S]) -> String {
    let mut out = String::new();
    for word in words {
        let word = word.as_ref();
        if !out.is_empty() {
            out.push(' ');
        }
        let lines = joined_lines(word);
        if lines.is_empty() || lines.contains(|c: char| c.is_whitespace() || matches!(c, ';' | '&' | '|')) {
            let quote = if lines.contains('"') { '\'' } else { '"' };
            out.push(quote);
            out.push_str(&lines);
            out.push(quote);
        } else {
            out.push_str(&lines);
        }
    }
    out
}

/// A script of several lines on one line.
pub(crate) fn joined_lines(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if !out.is_empty() {
            let continued = out.ends_with(['\\', ';', '|', '{', '('])
                || out.ends_with("&&")
                || out.ends_with(" then")
                || out.ends_with(" do")
                || line.starts_with("&&")
                || line.starts_with('|');
            if out.ends_with('\\') {
                out.pop();
                let length = out.trim_end().len();
                out.truncate(length);
            }
            out.push_str(if continued { " " } else { "; " });
        }
        out.push_str(line);
    }
    out
}

/// A command of a string.
pub(crate) fn command(text: &str) -> Option<CommandLine> {
    CommandLine::parse(Raw::new(text.trim()))
}

/// Hands the secrets that a command line carries to the gate.
pub(crate) fn withhold_in_command(facts: &mut Facts, text: &str) {
    let mut after_option = false;
    for word in text.split_whitespace() {
        let bare = word.trim_matches(['"', '\'', '`', '(', ')', ';', ',']);
        if after_option && !bare.starts_with(['-', '$']) {
            facts.withheld.add(Raw::new(bare));
        }
        after_option = !bare.contains('=') && secret::is_secret_option(bare);
        if let Some((name, value)) = bare.split_once('=') {
            let named = name.trim_start_matches('-');
            if (secret::is_secret_name(named) || secret::is_secret_option(name))
                && !is_reference(value)
                && !is_switch(value)
            {
                facts.withheld.add(Raw::new(value));
            }
        }
        if let Some(password) = literal_password(bare) {
            facts.withheld.add(Raw::new(password));
        }
        if secret::looks_like_token(bare) && !bare.contains('/') {
            facts.withheld.add(Raw::new(bare));
        }
    }
}

/// The scheme of an address, in lower case.
pub(crate) fn scheme(text: &str) -> Option<String> {
    let (scheme, rest) = text.trim().trim_matches(['"', '\'']).split_once("://")?;
    let plain = !scheme.is_empty()
        && scheme.len() <= 40
        && scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.' | ':'));
    (plain && !rest.is_empty()).then(|| scheme.to_ascii_lowercase())
}

/// A datastore that an address with its scheme proves. The address itself is not kept.
pub(crate) fn store_of_address(
    name: &str,
    text: &str,
    scope: Scope,
    evidence: Evidence,
) -> Option<StoreFact> {
    let scheme = scheme(text)?;
    if matches!(
        scheme.as_str(),
        "http" | "https" | "tcp" | "ws" | "wss" | "grpc" | "file" | "unix"
    ) {
        return None;
    }
    let found = Catalogue::get()
        .by_url_scheme(&scheme)
        .into_iter()
        .find(|found| found.technology.group == Group::Datastore)?;
    Some(StoreFact {
        kind: Shown::from(found.technology.id),
        dir: None,
        version: None,
        role: None,
        managed: vendor_of_address(text),
        driver: None,
        variable: EnvName::parse(Raw::new(name)),
        name: None,
        extension: None,
        strong: true,
        scope,
        evidence,
    })
}

/// The vendor on whose hosts an address lies. The host itself is never kept.
fn vendor_of_address(text: &str) -> Option<Shown> {
    let (_, rest) = text.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default();
    let found = Catalogue::get().by_host_suffix(host);
    let vendor = found
        .iter()
        .find(|found| found.technology.group == Group::ExternalService);
    vendor.map(|vendor| Shown::from(vendor.technology.id))
}

/// The path and port of the first HTTP address in a command.
pub(crate) fn http_target(text: &str) -> (Option<Shown>, Option<u16>) {
    let Some((_, rest)) = text.split_once("http://").or_else(|| text.split_once("https://")) else {
        return (None, None);
    };
    let end = rest
        .find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | ')' | ';' | ','))
        .unwrap_or(rest.len());
    let address = rest.get(..end).unwrap_or_default();
    let (authority, path) = match address.find('/') {
        Some(at) => (
            address.get(..at).unwrap_or_default(),
            address.get(at..).unwrap_or_default(),
        ),
        None => (address, "/"),
    };
    let authority = interpolation::with_defaults(authority).unwrap_or_else(|| authority.to_owned());
    let port = authority
        .rsplit_once(':')
        .and_then(|(_, port)| playbook_core::harmless::port(Raw::new(port)));
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let path = playbook_core::harmless::UrlPath::parse(Raw::new(path)).map(Shown::from);
    (path, port)
}

#[cfg(test)]
mod tests {
    use super::*;
    use playbook_core::path::RelPath;

    fn judged(name: &str, text: &str) -> (Option<String>, usize) {
        let path = RelPath::new("a").expect("a plain path");
        let source = Source::new(&path, "", Scope::Production, false);
        let mut facts = Facts::default();
        let found = literal(&source, &mut facts, name, text, Place::new(1, Scope::Production));
        (
            found.shown.map(|shown| shown.to_string()),
            facts.committed_secrets.len(),
        )
    }

    #[test]
    fn secrets_are_told_and_not_shown() {
        for (name, text) in [
            ("DB_PASSWORD", "12345678"),
            ("DB_PASSWORD", "postgres"),
            ("DATABASE_URL", "postgres://app:hunter22@db/app"),
            ("PG_URL", "postgres://user:p@55@db:5432/db"),
            ("ANYTHING", "amqp://guest:guest@rabbit:5672/"),
        ] {
            assert_eq!(judged(name, text), (None, 1), "{name}");
        }
    }

    #[test]
    fn references_switches_and_addresses_without_password_are_none() {
        for (name, text) in [
            ("DB_PASSWORD", "${DB_PASSWORD}"),
            ("DB_PASSWORD", "$DB_PASSWORD"),
            ("DB_PASSWORD", ""),
            ("DATABASE_URL", "postgres://app:${DB_PASSWORD}@db/app"),
            ("DATABASE_URL", "postgres://db:5432/app"),
            ("SESSION_COOKIE", "true"),
            ("TLS_KEY", "/run/secrets/key.pem"),
        ] {
            assert_eq!(judged(name, text).1, 0, "{name}");
        }
        assert_eq!(judged("LOG_LEVEL", "debug"), (Some("debug".to_owned()), 0));
    }

    #[test]
    fn words_are_joined_for_a_shell() {
        assert_eq!(join_words(&["sh", "-c", "a && b"]), "sh -c \"a && b\"");
        assert_eq!(
            join_words(&["sh", "-c", "a\nb --x \\\n  c\n"]),
            "sh -c \"a; b --x c\""
        );
    }

    #[test]
    fn targets_of_health_checks() {
        let (path, port) = http_target("curl -f http://localhost:${PORT:-8000}/health?x=1 || exit 1");
        assert_eq!(
            (path.as_ref().map(Shown::as_str), port),
            (Some("/health"), Some(8000))
        );
        let (path, port) = http_target("wget -q http://localhost");
        assert_eq!((path.as_ref().map(Shown::as_str), port), (Some("/"), None));
    }

    #[test]
    fn paths() {
        for text in [
            ".",
            "./app",
            "/var/lib/data",
            "../..",
            "package*.json",
            "../../config",
            ".env",
        ] {
            assert!(path(text).is_some(), "{text}");
        }
        assert_eq!(path("a b; rm -rf /"), None);
    }
}
