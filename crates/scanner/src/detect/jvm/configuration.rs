//! `application*.properties`, `application*.yml` and `application.conf` of Spring Boot, Quarkus, Micronaut, Ktor and Play:
//! ports, datastores, variables.

pub(super) mod table;

use std::borrow::Cow;
use std::collections::BTreeMap;

use playbook_core::evidence::Scope;
use playbook_core::harmless::{EnvName, Setting};
use playbook_core::inventory::VariableOrigin;
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::secret;

use crate::detect::ecosystem::{entry, group, kind_of_scheme, pattern, store};
use crate::detect::judge;
use crate::fact::{EntryKind, Facts, VariableFact};
use crate::limits;
use crate::parse::tree::Node;
use crate::parse::{hocon, properties, yaml};
use crate::source::Source;

/// Settings of one document: names with dots, values, lines.
type Settings = Vec<(String, String, u32)>;

pub(super) fn wants(path: &RelPath) -> bool {
    let name = path.name();
    let of_framework = (name.starts_with("application") || name.starts_with("bootstrap"))
        && [".properties", ".yml", ".yaml"]
            .iter()
            .any(|ending| name.ends_with(ending));
    // Other programs have files with this ending too.
    let of_typesafe = matches!(name, "application.conf" | "reference.conf")
        && matches!(path.parent().name(), "conf" | "resources" | "config");
    (of_framework || of_typesafe || name == "microprofile-config.properties")
        && !path.parent().components().any(|part| part == "test")
}

/// The profile of `application-prod.yml`.
fn profile(name: &str) -> &str {
    name.split('.')
        .next()
        .and_then(|stem| stem.split_once('-'))
        .map_or("", |(_, profile)| profile)
}

pub(super) fn is_development(profile: &str) -> bool {
    profile.split(['-', '_', ',', ' ', '&', '|']).any(|word| {
        matches!(
            word,
            "dev"
                | "development"
                | "local"
                | "test"
                | "tests"
                | "it"
                | "e2e"
                | "h2"
                | "ci"
                | "develop"
                | "debug"
        )
    })
}

fn is_production(profile: &str) -> bool {
    matches!(profile, "prod" | "production" | "live")
}

pub(super) fn detect(source: &Source<'_>, facts: &mut Facts) {
    let of_file = profile(source.path.name());
    if is_development(of_file) {
        return;
    }
    for settings in documents(source) {
        let find = |name: &str| settings.iter().find(|(key, _, _)| key == name);
        let on_profile = find("spring.config.activate.on-profile").or_else(|| find("spring.profiles"));
        let of_document = on_profile.map_or("", |(_, value, _)| value.as_str());
        if is_development(of_document) {
            continue;
        }
        let base = of_file.is_empty() && of_document.is_empty();
        for (key, value, line) in &settings {
            // Quarkus: `%dev.quarkus.datasource…` holds for one profile.
            let key = match key.strip_prefix('%').and_then(|rest| rest.split_once('.')) {
                Some((profile, _)) if profile != "prod" => continue,
                Some((_, key)) => key,
                None => key.as_str(),
            };
            variables(source, key, value, *line, facts);
            overridable(source, key, value, *line, base || is_production(of_file), facts);
            listening(source, key, value, *line, base, facts);
            datastore(source, key, value, *line, facts);
            secrets(source, key, value, *line, facts);
            table::tell(source, key, value, *line, facts);
        }
        table::channels(source, &settings, facts);
    }
}

/// The settings of each document of the file.
fn documents(source: &Source<'_>) -> Vec<Settings> {
    if source.path.name().ends_with(".properties") {
        let all = properties::entries(source.text)
            .into_iter()
            .map(|entry| (entry.key, entry.value, entry.line))
            .collect();
        return vec![all];
    }
    if source.path.name().ends_with(".conf") {
        return vec![with_overrides(hocon::entries(source.text))];
    }
    // A build that fills its resources in writes a backslash before a dollar sign that is not its own; in quotes that is
    // no YAML.
    let text = if source.text.contains(r"\${") {
        Cow::Owned(source.text.replace(r"\${", "${"))
    } else {
        Cow::Borrowed(source.text)
    };
    let (trees, _) = yaml::documents(&text);
    trees
        .iter()
        .map(|tree| {
            let mut out = Vec::new();
            flatten(tree, "", limits::JVM_SETTINGS_DEPTH, &mut out);
            out
        })
        .collect()
}

/// `port = 8080` followed by `port = ${?PORT}` is what Spring writes as `${PORT:8080}`.
fn with_overrides(entries: Vec<hocon::Entry>) -> Settings {
    let mut out: Settings = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for entry in entries {
        let optional = entry
            .value
            .strip_prefix("${?")
            .and_then(|rest| rest.strip_suffix('}'));
        let known = places.get(&entry.key).copied();
        match (optional, known.and_then(|at| out.get_mut(at))) {
            (Some(name), Some((_, value, _))) if !value.contains("${") => {
                *value = format!("${{{name}:{value}}}");
            }
            (Some(name), _) => {
                places.insert(entry.key.clone(), out.len());
                out.push((entry.key, format!("${{{name}:}}"), entry.line));
            }
            (None, _) => {
                places.insert(entry.key.clone(), out.len());
                out.push((entry.key, entry.value.replace("${?", "${"), entry.line));
            }
        }
    }
    out
}

fn flatten(node: &Node, prefix: &str, depth: usize, out: &mut Settings) {
    if depth == 0 || out.len() >= limits::FACTS_PER_FILE {
        return;
    }
    if let Some(text) = node.text() {
        out.push((prefix.to_owned(), text.to_owned(), node.line()));
        return;
    }
    let joined = |key: &str| {
        if prefix.is_empty() {
            key.to_owned()
        } else {
            format!("{prefix}.{key}")
        }
    };
    for (key, _, value) in node.entries() {
        flatten(value, &joined(key), depth - 1, out);
    }
    for item in node.items() {
        flatten(item, prefix, depth - 1, out);
    }
}

/// `${NAME:default}`: names of the environment are in capitals.
fn variables(source: &Source<'_>, key: &str, value: &str, line: u32, facts: &mut Facts) {
    for found in pattern!(r"\$\{(?P<name>[A-Z][A-Z0-9_]*)(?P<fallback>:(?P<default>[^{}]*))?\}").all(value) {
        let Some(name) = EnvName::parse(Raw::new(group(&found, "name"))) else {
            continue;
        };
        // The substitutions of HOCON are told with those of other files; here only what they stand in place of.
        if source.path.name().ends_with(".conf") && group(&found, "default").is_empty() {
            continue;
        }
        let mut variable = VariableFact::new(name, VariableOrigin::Code, source.scope, source.at(line));
        let text = variable.name.as_str().to_owned();
        let last = key.rsplit('.').next().unwrap_or(key);
        variable.secret = secret::is_secret_name(last) && secret::is_secret_name(&text);
        variable.has_default = found.name("fallback").is_some();
        variable.required = !variable.has_default;
        let default = group(&found, "default");
        if !default.is_empty() {
            let place = judge::Place::new(line, source.scope);
            let literal = judge::literal(source, facts, &text, default, place);
            variable.placeholder = literal.placeholder;
            variable.default = literal.shown;
        }
        facts.variables.push(variable);
    }
}

/// Every property can be set by a variable of the environment: `spring.datasource.url` by `SPRING_DATASOURCE_URL`. What
/// differs from one deployment to the next is told as such; the others count where somebody documents or sets them.
fn overridable(source: &Source<'_>, key: &str, value: &str, line: u32, base: bool, facts: &mut Facts) {
    if value.contains("${") {
        return;
    }
    let upper = |key: &str| key.to_ascii_uppercase().replace(['.', '[', ']'], "_");
    let last = key.rsplit('.').next().unwrap_or(key);
    // The licence of an interface's description is no key.
    let is_secret =
        secret::is_secret_name(last) && !matches!(value, "true" | "false") && !last.ends_with("license");
    let is_address = table::is_address(last) && table::is_of_store(key);
    let differs =
        (is_secret || is_address) && !table::is_stand_in(value) && source.scope == Scope::Production;
    // Hyphens are left out, and people write underscores for them.
    let written = upper(key).replace('-', "_");
    let exact = upper(key).replace('-', "");
    let told = if differs || written == exact {
        vec![exact]
    } else {
        vec![exact, written]
    };
    for name in told {
        let Some(name) = EnvName::parse(Raw::new(&name)) else {
            continue;
        };
        let mut variable = VariableFact::new(name, VariableOrigin::Code, source.scope, source.at(line));
        variable.internal = !differs;
        variable.has_default = !value.is_empty();
        variable.secret = is_secret;
        if is_secret {
            // What everybody can read is no value to go to production with.
            variable.placeholder = variable.has_default && base;
        } else if !value.is_empty() {
            variable.default = Setting::judge(variable.name.as_str(), Raw::new(value));
        }
        facts.variables.push(variable);
    }
}

/// The value with the defaults of its variables.
fn with_defaults(value: &str) -> (String, Option<EnvName>) {
    let mut name = None;
    let mut out = value.to_owned();
    for found in pattern!(r"\$\{(?P<name>[\w.]+)(?::(?P<default>[^{}]*))?\}").all(value) {
        name = name.or_else(|| {
            EnvName::parse(Raw::new(group(&found, "name"))).filter(|name| {
                name.as_str()
                    .chars()
                    .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
            })
        });
        let whole = found.get(0).map_or("", |found| found.as_str());
        out = out.replace(whole, group(&found, "default"));
    }
    (out, name)
}

fn listening(source: &Source<'_>, key: &str, value: &str, line: u32, base: bool, facts: &mut Facts) {
    let Some(framework) = table::listener(key) else {
        return;
    };
    // A port of zero is one that the system chooses, in tests and behind a registry.
    let (text, variable) = with_defaults(value);
    let port: Option<u16> = text.trim().parse().ok().filter(|port| *port > 0);
    if !base || port.is_none() && variable.is_none() {
        return;
    }
    let mut told = entry(source, EntryKind::Server, framework, "", line);
    told.port = port;
    told.port_variable = variable;
    facts.entry_points.push(told);
}

fn datastore(source: &Source<'_>, key: &str, value: &str, line: u32, facts: &mut Facts) {
    let Some(property) = table::store(key) else { return };
    let (text, variable) = with_defaults(value);
    let kind = if property.store.is_empty() {
        // `jdbc:postgresql://…`, `jdbc:h2:mem:shop`, `postgresql`
        let bare = text
            .trim()
            .strip_prefix("jdbc:")
            .or_else(|| text.trim().strip_prefix("r2dbc:"))
            .unwrap_or(text.trim());
        bare.split(':').next().and_then(kind_of_scheme)
    } else {
        Some(property.store)
    };
    let Some(kind) = kind else { return };
    // A database in the memory of the process is a demonstration's, unless nothing else is configured.
    let embedded = matches!(kind, "h2" | "hsqldb" | "sqlite");
    let strong = !embedded || text.contains(":file:") || kind == "sqlite";
    if facts
        .stores
        .iter()
        .any(|known| known.kind == kind && known.evidence.path == *source.path)
    {
        return;
    }
    if let Some(mut found) = store(source, kind, strong, line) {
        found.variable = variable;
        found.role = (!property.role.is_empty()).then_some(property.role);
        facts.stores.push(found);
    }
}

/// Passwords that stand in the file.
fn secrets(source: &Source<'_>, key: &str, value: &str, line: u32, facts: &mut Facts) {
    if value.contains("${") || value.is_empty() || source.scope == Scope::Development {
        return;
    }
    let last = key.rsplit('.').next().unwrap_or(key);
    let place = judge::Place::new(line, source.scope);
    if secret::is_secret_name(last) || value.contains("://") {
        let _: Option<Setting> = judge::literal(source, facts, last, value, place).shown;
    }
}
