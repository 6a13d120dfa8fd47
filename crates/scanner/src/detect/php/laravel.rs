//! Laravel: the drivers that its configuration chooses, queues, the schedule, the health route.

mod schedule;

use playbook_core::harmless::{EnvName, UrlPath};
use playbook_core::inventory::{AuthFact, SignalKind};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use crate::detect::ecosystem::{Code, entry, group, kind_of_scheme, pattern, start, store};
use crate::fact::{EntryKind, Facts, RouteFact};
use crate::source::Source;

/// Environment files that are meant for people: what they choose is what an installation runs with.
pub(super) fn wants_env(path: &RelPath) -> bool {
    let name = path.name();
    name.starts_with(".env")
        && (name.contains("example")
            || name.contains("dist")
            || name.contains("template")
            || name.contains("prod"))
}

/// The drivers of `.env.example`.
pub(super) fn environment_file(source: &Source<'_>, facts: &mut Facts) {
    for (line, text) in source.numbered_lines() {
        let Some((name, value)) = text.trim().split_once('=') else {
            continue;
        };
        let value = value
            .split('#')
            .next()
            .unwrap_or_default()
            .trim()
            .trim_matches(['"', '\'']);
        match name.trim() {
            "DB_CONNECTION" => {
                if let Some(kind) = kind_of_scheme(value) {
                    let mut found = store(source, kind, true, line);
                    if let Some(found) = &mut found {
                        found.variable = EnvName::parse(Raw::new("DB_CONNECTION"));
                    }
                    facts.stores.extend(found);
                }
            }
            "CACHE_STORE"
            | "CACHE_DRIVER"
            | "SESSION_DRIVER"
            | "BROADCAST_CONNECTION"
            | "BROADCAST_DRIVER"
            | "QUEUE_CONNECTION"
            | "QUEUE_DRIVER" => {
                let queue = name.trim().starts_with("QUEUE");
                if queue && !matches!(value, "" | "sync" | "null") {
                    facts.entry_points.push(entry(
                        source,
                        EntryKind::Worker,
                        "laravel-queue",
                        "artisan",
                        line,
                    ));
                }
                if matches!(value, "redis" | "memcached" | "beanstalkd" | "sqs" | "dynamodb") {
                    let mut found = store(source, value, true, line);
                    if let Some(found) = &mut found {
                        found.role = queue.then_some("queue");
                    }
                    facts.stores.extend(found);
                }
            }
            "SCOUT_DRIVER"
                if matches!(
                    value,
                    "meilisearch" | "typesense" | "elasticsearch" | "opensearch"
                ) =>
            {
                facts.stores.extend(store(source, value, true, line));
            }
            _ => {}
        }
    }
}

pub(super) fn detect(code: &Code<'_>, facts: &mut Facts) {
    let source = code.source;
    let folder = source.path.parent();
    let configuration = folder.name().eq_ignore_ascii_case("config");
    match source.path.name() {
        "database.php" if configuration => database(code, facts),
        "queue.php" if configuration => queue(code, facts),
        "scout.php" if configuration => search(code, facts),
        "auth.php" if configuration => guards(code, facts),
        "session.php" | "cache.php" | "filesystems.php" if configuration => local_state(code, facts),
        "app.php" if configuration => debug(code, facts),
        "horizon.php" if configuration => {
            facts
                .entry_points
                .push(entry(source, EntryKind::Worker, "horizon", "artisan", 1));
        }
        "app.php" if folder.name() == "bootstrap" => health(code, facts),
        _ => {}
    }
    schedule::detect(code, facts);
    administrator(code, facts);
}

/// `'default' => env('DB_CONNECTION', 'mysql')`: the variable and the value without it.
fn chosen<'t>(code: &Code<'t>) -> Option<(&'t str, &'t str, usize)> {
    let found = code.first(&pattern!(
        r#"(?m)^\s*['"]default['"]\s*=>\s*(?:\\?env\(\s*['"](?P<name>\w+)['"]\s*,\s*)?['"](?P<value>[\w-]+)['"]"#
    ))?;
    Some((group_of(&found, "name"), group_of(&found, "value"), start(&found)))
}

fn group_of<'t>(found: &regex::Captures<'t>, name: &str) -> &'t str {
    group(found, name)
}

fn database(code: &Code<'_>, facts: &mut Facts) {
    let Some((name, value, at)) = chosen(code) else {
        return;
    };
    // The name of a connection is mostly that of its driver; where it is not, its block says the driver.
    let kind = kind_of_scheme(value).or_else(|| {
        let block = code.source.text.find(&format!("'{value}' => ["))?;
        let rest = code.source.text.get(block..)?;
        let driver = pattern!(r#"['"]driver['"]\s*=>\s*['"](?P<driver>\w+)['"]"#).first(rest)?;
        kind_of_scheme(group(&driver, "driver"))
    });
    let Some(kind) = kind else { return };
    // The skeleton's default is SQLite whatever production uses; the environment file decides.
    let mut found = store(
        code.source,
        kind,
        kind != "sqlite" || name.is_empty(),
        code.line(at),
    );
    if let Some(found) = &mut found {
        found.variable = EnvName::parse(Raw::new(name));
        if !found.strong {
            facts.default_stores.push(found.clone());
        }
    }
    facts.stores.extend(found);
}

/// A queue that is not worked off in the request wants a worker.
fn queue(code: &Code<'_>, facts: &mut Facts) {
    let Some((_, value, at)) = chosen(code) else {
        return;
    };
    let line = code.line(at);
    if matches!(value, "sync" | "null") {
        return;
    }
    facts.entry_points.push(entry(
        code.source,
        EntryKind::Worker,
        "laravel-queue",
        "artisan",
        line,
    ));
    if let Some(mut found) = store(code.source, value, true, line) {
        found.role = Some("queue");
        facts.stores.push(found);
    }
}

/// `'driver' => env('SCOUT_DRIVER', 'meilisearch')`: the search engine without a setting.
fn search(code: &Code<'_>, facts: &mut Facts) {
    let found = code.first(&pattern!(
        r#"(?m)^\s*['"]driver['"]\s*=>\s*\\?env\(\s*['"](?P<name>\w+)['"]\s*,\s*['"](?P<value>\w+)['"]"#
    ));
    let Some(found) = found else { return };
    let line = code.line(start(&found));
    if let Some(mut told) = store(code.source, group(&found, "value"), true, line) {
        told.variable = EnvName::parse(Raw::new(group(&found, "name")));
        facts.stores.push(told);
    }
}

fn guards(code: &Code<'_>, facts: &mut Facts) {
    for found in code.all(&pattern!(r#"['"]driver['"]\s*=>\s*['"](?P<driver>[\w-]+)['"]"#)) {
        let driver = group(&found, "driver");
        let kind = match driver {
            "session" => "session",
            "sanctum" | "token" | "api-token" => "api-key",
            "jwt" => "jwt",
            "passport" => "oauth2",
            "ldap" => "ldap",
            _ if driver.ends_with("-session") => "session",
            _ if driver.starts_with("ldap") => "ldap",
            _ => continue,
        };
        facts.auth.push(AuthFact {
            kind: Shown::from(kind),
            evidence: vec![code.source.at(code.line(start(&found)))],
        });
    }
}

/// Sessions, cache or files on the local disk.
fn local_state(code: &Code<'_>, facts: &mut Facts) {
    let found = code.first(&pattern!(
        r#"['"](?:default|driver)['"]\s*=>\s*\\?env\(\s*['"](?P<name>\w+)['"]\s*,\s*['"](?P<value>file|local|public|array)['"]"#
    ));
    if let Some(found) = found {
        let line = code.line(start(&found));
        let subject = EnvName::parse(Raw::new(group(&found, "name"))).map(Shown::from);
        facts.signal(
            SignalKind::LocalFiles,
            subject,
            code.source.scope,
            code.source.at(line),
        );
    }
}

fn debug(code: &Code<'_>, facts: &mut Facts) {
    let pattern =
        pattern!(r#"['"]debug['"]\s*=>\s*(?:\(bool\)\s*)?(?:\\?env\(\s*['"]APP_DEBUG['"]\s*,\s*)?true"#);
    if let Some(found) = code.first(&pattern) {
        let line = code.line(start(&found));
        facts.signal(
            SignalKind::DebugEnabled,
            Some(Shown::from("APP_DEBUG")),
            code.source.scope,
            code.source.at(line),
        );
    }
}

/// `health: '/up'` of the application's builder.
fn health(code: &Code<'_>, facts: &mut Facts) {
    let Some(found) = code.first(&pattern!(r#"\bhealth:\s*['"](?P<path>/[\w/-]*)['"]"#)) else {
        return;
    };
    let Some(path) = UrlPath::parse(Raw::new(group(&found, "path"))) else {
        return;
    };
    facts.routes.push(RouteFact {
        method: "GET",
        path,
        router: None,
        authenticated: Some(false),
        touches: Vec::new(),
        constant: true,
        framework: Shown::from("laravel"),
        scope: code.source.scope,
        evidence: code.source.at(code.line(start(&found))),
    });
}

/// A migration or seeder that writes an account with a known password.
fn administrator(code: &Code<'_>, facts: &mut Facts) {
    let place = code.source.path.as_str();
    if !place.contains("migrations/") && !place.contains("seed") {
        return;
    }
    let pattern = pattern!(r#"['"]password['"]\s*=>\s*(?:\\?bcrypt|\\?Hash::make)\(\s*['"]"#);
    if let Some(found) = code.first(&pattern) {
        let line = code.line(start(&found));
        facts.signal(
            SignalKind::CreatesAdministrator,
            None,
            code.source.scope,
            code.source.at(line),
        );
    }
}
