//! Settings files of an application (`config/*.yaml`, `configuration/*.toml`, `application.yml`): the port that its
//! server listens on, and the variables that it takes values from.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use playbook_core::harmless::{EnvName, Setting, port};
use playbook_core::inventory::{ExternalService, VariableOrigin};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::secret;
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Group};
use serde::Deserialize;

use super::judge::{self, schema};
use super::source::variable;
use super::{Detector, ending};
use crate::fact::{EntryKind, EntryPoint, Facts, VariableFact};
use crate::language::{Kind, language};
use crate::limits;
use crate::parse::tree::Node;
use crate::parse::{json, toml, yaml};
use crate::source::Source;

/// Settings files.
pub(crate) const DETECTOR: Detector = Detector { wants, detect };

/// The framework slug of an entry point that only a settings file tells: it lends its port to a process that the code
/// proves, and is none by itself.
pub(crate) const SETTINGS: &str = "settings";

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    folders: BTreeSet<String>,
    stems: BTreeSet<String>,
    servers: Vec<String>,
    layers: BTreeSet<String>,
}

// A mistake in the table is found by the test below, never by a user.
static TABLE: LazyLock<Table> =
    LazyLock::new(|| ::toml::from_str(include_str!("../../settings.toml")).unwrap_or_default());

fn wants(path: &RelPath) -> bool {
    is_hocon(path) || is_settings(path) || is_parameters(path)
}

fn is_hocon(path: &RelPath) -> bool {
    ending(path, &["conf"]) && TABLE.stems.contains(path.name().trim_end_matches(".conf"))
}

fn is_settings(path: &RelPath) -> bool {
    let stem = path.name().split('.').next().unwrap_or_default();
    ending(path, &["yaml", "yml", "toml", "json"])
        && (TABLE.folders.contains(path.parent().name()) || TABLE.stems.contains(stem))
}

/// Settings below a folder `config`, as Symfony keeps them.
fn is_parameters(path: &RelPath) -> bool {
    ending(path, &["yaml", "yml"]) && path.parent().components().any(|part| part == "config")
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    if is_hocon(source.path) {
        substitutions(source, facts);
        return;
    }
    if is_parameters(source.path) {
        if source.text.contains("%env(") {
            parameters(source, facts);
        }
        if source.text.contains("ENV") && source.text.contains("<%") {
            embedded_ruby(source, facts);
        }
    }
    if source.path.name().starts_with("custom-environment-variables.") {
        mapping(source, facts);
        return;
    }
    if !is_settings(source.path) {
        return;
    }
    let Some(tree) = tree_of(source) else { return };
    hosts(source, &tree, facts);
    layers(source, &tree, facts);
    let root = tree.get_entry("port");
    let below = TABLE
        .servers
        .iter()
        .find_map(|key| tree.get(key)?.get_entry("port"));
    for (line, node) in root.into_iter().chain(below) {
        let text = node.text().unwrap_or_default();
        // `${PORT:8080}` and `${PORT:-8080}`.
        let inner = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
        let (variable, literal) = match inner {
            Some(inner) => {
                let (name, default) = inner.split_once(':').unwrap_or((inner, ""));
                (EnvName::parse(Raw::new(name)), default.trim_start_matches('-'))
            }
            None => (None, text),
        };
        let literal = port(Raw::new(literal));
        if literal.is_none() && variable.is_none() {
            continue;
        }
        facts.entry_points.push(EntryPoint {
            path: source.path.clone(),
            kind: EntryKind::Server,
            framework: Shown::from(SETTINGS),
            symbol: None,
            port: literal,
            port_variable: variable,
            bind: None,
            scope: source.scope,
            evidence: source.at(line),
        });
    }
}

fn tree_of(source: &Source<'_>) -> Option<Arc<Node>> {
    match source.path.name().rsplit('.').next() {
        Some("json") => json::document(source.text).0,
        Some("toml") => toml::document(source.text).0,
        _ => yaml::document(source.text).0,
    }
}

fn push(source: &Source<'_>, facts: &mut Facts, name: &str, has_default: bool, line: u32) {
    if let Some(name) = EnvName::parse(Raw::new(name)) {
        let mut fact = VariableFact::new(name, VariableOrigin::Code, source.scope, source.at(line));
        fact.has_default = has_default;
        facts.variables.push(fact);
    }
}

/// `'%env(resolve:DATABASE_URL)%'`: what follows the last colon is the name.
fn parameters(source: &Source<'_>, facts: &mut Facts) {
    for (line, text) in source.numbered_lines() {
        // Blocks of the other environments follow.
        if text.starts_with("when@test") || text.starts_with("when@dev") {
            break;
        }
        if text.trim_start().starts_with('#') {
            continue;
        }
        for rest in text.split("%env(").skip(1) {
            let Some((inner, _)) = rest.split_once(")%") else {
                continue;
            };
            let name = inner.rsplit(':').next().unwrap_or(inner);
            push(source, facts, name, inner.contains("default:"), line);
        }
    }
}

/// `pool: <%= ENV.fetch("POOL", 5) %>` of Rails.
fn embedded_ruby(source: &Source<'_>, facts: &mut Facts) {
    let Some(ruby) = language("ruby") else { return };
    // Other environments' blocks are blanked, so that lines keep their numbers.
    let mut text = String::with_capacity(source.text.len());
    let mut development = false;
    for line in source.text.split_inclusive('\n') {
        let key = line.split(':').next().unwrap_or_default();
        if !line.starts_with([' ', '\t', '#', '\n', '\r']) {
            development = schema::is_development_key(key.trim_matches(['"', '\'']));
        }
        if development {
            text.extend(line.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        } else {
            text.push_str(line);
        }
    }
    let masked = ruby.mask(&text);
    for hit in ruby.hits_in(&text, &masked, &[Kind::Env]) {
        variable(source, masked.code(), &hit, facts);
    }
}

/// What the settings files of an application give to its settings, under the names that libraries give to the
/// variables which override them (without prefix): `storage.folder` is `STORAGE__FOLDER`.
fn layers(source: &Source<'_>, tree: &Node, facts: &mut Facts) {
    let stem = source.path.name().split('.').next().unwrap_or_default();
    let place = source.path.parent();
    if TABLE.layers.contains(stem) && place.name() != "resources" && TABLE.folders.contains(place.name()) {
        layer(source, tree, &mut Vec::new(), facts);
    }
}

fn layer<'tree>(source: &Source<'_>, node: &'tree Node, keys: &mut Vec<&'tree str>, facts: &mut Facts) {
    if keys.len() > limits::SETTINGS_DEPTH || facts.variables.len() >= limits::FACTS_PER_FILE {
        return;
    }
    if let (Some(value), Some(last)) = (node.text(), keys.last()) {
        let Some(name) = EnvName::parse(Raw::new(&keys.join("__").to_ascii_uppercase())) else {
            return;
        };
        let mut fact = VariableFact::new(name, VariableOrigin::Code, source.scope, source.at(node.line()));
        let written = fact.name.as_str();
        // A server may well listen on the loopback address; a client of a server elsewhere may not.
        let bound = last.ends_with("host") && !schema::is_own_store(written) || value == "0.0.0.0";
        fact.placeholder = secret::is_secret_name(last) && !matches!(value, "true" | "false")
            || schema::is_loopback(value) && !bound;
        fact.default = Setting::judge(written, Raw::new(value));
        fact.internal = true;
        fact.has_default = !value.is_empty();
        if secret::is_secret_name(last) {
            judge::literal(
                source,
                facts,
                written,
                value,
                judge::Place::new(node.line(), source.scope),
            );
        }
        facts.variables.push(fact);
        return;
    }
    for (key, _, value) in node.entries() {
        keys.push(key);
        layer(source, value, keys, facts);
        keys.pop();
    }
}

/// The `config` package of Node reads which variable overrides which setting from a file of its own.
fn mapping(source: &Source<'_>, facts: &mut Facts) {
    let Some(tree) = tree_of(source) else { return };
    tree.walk(20_000, &mut |_, node| {
        let Some(name) = node.text() else { return };
        let usual = name.starts_with(|c: char| c.is_ascii_uppercase())
            && name
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
        if usual {
            push(source, facts, name, false, node.line());
        }
    });
}

/// HOCON: `port = ${?PORT}` may be missing, `url = ${DATABASE_URL}` may not.
fn substitutions(source: &Source<'_>, facts: &mut Facts) {
    for (line, text) in source.numbered_lines() {
        let text = text.trim_start();
        if text.starts_with('#') || text.starts_with("//") {
            continue;
        }
        for rest in text.split("${").skip(1) {
            let Some((inner, _)) = rest.split_once('}') else {
                continue;
            };
            let name = inner.trim_start_matches('?');
            let usual = name.starts_with(|c: char| c.is_ascii_uppercase())
                && name
                    .chars()
                    .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
            let Some(name) = EnvName::parse(Raw::new(name)).filter(|_| usual) else {
                continue;
            };
            let mut fact = VariableFact::new(name, VariableOrigin::Code, source.scope, source.at(line));
            fact.required = !inner.starts_with('?');
            facts.variables.push(fact);
        }
    }
}

/// Addresses of vendors.
fn hosts(source: &Source<'_>, tree: &Node, facts: &mut Facts) {
    tree.walk(20_000, &mut |_, node| {
        let Some((_, rest)) = node.text().and_then(|text| text.split_once("://")) else {
            return;
        };
        let host = rest
            .split(['/', ':', '?', '#'])
            .next()
            .unwrap_or_default()
            .rsplit('@')
            .next()
            .unwrap_or_default();
        for found in Catalogue::get().by_host_suffix(host) {
            if found.technology.group == Group::ExternalService {
                facts.external_services.push(ExternalService {
                    kind: Shown::from(found.technology.id),
                    category: Shown::from(found.technology.category),
                    scope: source.scope,
                    variables: Vec::new(),
                    evidence: vec![source.at(node.line())],
                });
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn table_is_whole() {
        ::toml::from_str::<Table>(include_str!("../../settings.toml")).expect("settings.toml");
    }

    #[test]
    fn ruby_in_settings() {
        let facts = testing::facts(
            &DETECTOR,
            "
//- config/queue.yml
default: &default
  processes: <%= ENV.fetch(\"JOB_PROCESSES\", 1) %>
test:
  name: <%= ENV[\"TEST_NAME\"] %>
production:
  password: <%= ENV[\"QUEUE_PASSWORD\"] %>
",
        );
        let told: Vec<(&str, bool)> = facts
            .variables
            .iter()
            .map(|fact| (fact.name.as_str(), fact.has_default))
            .collect();
        assert_eq!(told, [("JOB_PROCESSES", true), ("QUEUE_PASSWORD", false)]);
    }

    #[test]
    fn layers_of_settings() {
        let facts = testing::facts(
            &DETECTOR,
            "
//- configuration/base.yaml
listen:
  host: 127.0.0.1
mail:
  address: http://localhost:25
  timeout: 5
  api_key: abcdef
//- configuration/local.yaml
mail:
  timeout: 1
",
        );
        let told: Vec<(&str, bool)> = facts
            .variables
            .iter()
            .map(|fact| (fact.name.as_str(), fact.placeholder))
            .collect();
        assert_eq!(
            told,
            [
                ("LISTEN__HOST", false),
                ("MAIL__ADDRESS", true),
                ("MAIL__TIMEOUT", false),
                ("MAIL__API_KEY", true),
            ]
        );
    }

    #[test]
    fn variables_of_settings() {
        let facts = testing::facts(
            &DETECTOR,
            "
//- config/packages/doctrine.yaml
doctrine:
    dbal:
        url: '%env(resolve:DATABASE_URL)%'
        # dsn: '%env(COMMENTED)%'
        options: '%env(default::SLOW_QUERY_MS)%'
when@test:
    doctrine: '%env(TEST_ONLY)%'
//- config/custom-environment-variables.json
{ \"server\": { \"port\": \"HTTP_PORT\" }, \"mail\": { \"key\": { \"__name\": \"MAIL_KEY\", \"__format\": \"json\" } } }
//- src/main/resources/application.conf
ktor { deployment { port = 8080
    port = ${?HTTP_PORT}
} }
db { url = ${DB_ADDRESS} }
//- nginx.conf
proxy_pass ${UPSTREAM};
",
        );
        let told: Vec<(&str, bool, bool)> = facts
            .variables
            .iter()
            .map(|fact| (fact.name.as_str(), fact.required, fact.has_default))
            .collect();
        assert_eq!(
            told,
            [
                ("DATABASE_URL", false, false),
                ("SLOW_QUERY_MS", false, true),
                ("HTTP_PORT", false, false),
                ("MAIL_KEY", false, false),
                ("HTTP_PORT", false, false),
                ("DB_ADDRESS", true, false),
            ]
        );
    }

    #[test]
    fn the_server_has_a_port_and_the_database_another() {
        let facts = testing::facts(
            &DETECTOR,
            "
//- configuration/base.yaml
application:
  port: 8000
database:
  port: 5432
//- src/main/resources/application.yml
server:
  port: ${SERVER_PORT:8081}
//- data/values.yaml
server:
  port: 1
",
        );
        let ports: Vec<Option<u16>> = facts.entry_points.iter().map(|entry| entry.port).collect();
        assert_eq!(ports, [Some(8000), Some(8081)]);
        assert_eq!(
            facts
                .entry_points
                .get(1)
                .and_then(|e| e.port_variable.as_ref())
                .map(EnvName::as_str),
            Some("SERVER_PORT")
        );
    }
}
