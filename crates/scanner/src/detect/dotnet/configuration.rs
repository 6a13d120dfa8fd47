//! `appsettings*.json`: connection strings, addresses, secrets that stand in the file.

use playbook_core::evidence::Scope;
use playbook_core::harmless::EnvName;
use playbook_core::inventory::VariableOrigin;
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::secret;

use crate::detect::ecosystem::{entry, kind_of_scheme, store};
use crate::detect::{ending, judge};
use crate::fact::{EntryKind, Facts, VariableFact};
use crate::limits;
use crate::parse::json;
use crate::parse::tree::Node;
use crate::source::Source;

pub(super) fn wants(path: &RelPath) -> bool {
    ending(path, &["json"]) && path.name().to_ascii_lowercase().starts_with("appsettings")
}

pub(super) fn detect(source: &Source<'_>, facts: &mut Facts) {
    let (tree, _) = json::document(source.text);
    let Some(tree) = tree else { return };
    let name = source.path.name().to_ascii_lowercase();
    let middle = name
        .strip_prefix("appsettings")
        .and_then(|rest| rest.strip_suffix(".json"))
        .unwrap_or_default();
    // Files of other environments than production lend nothing; variants are configured only where they are chosen.
    let main = matches!(middle, "" | ".production" | ".prod" | ".docker" | ".container");
    for (name, line, node) in tree.get("ConnectionStrings").into_iter().flat_map(Node::entries) {
        connection(source, name, node.text().unwrap_or_default(), line, main, facts);
    }
    for (key, node) in [
        ("Urls", tree.get("Urls")),
        ("Kestrel", tree.path(&["Kestrel", "Endpoints", "Http", "Url"])),
    ] {
        let port = node
            .and_then(Node::text)
            .and_then(|url| url.rsplit(':').next()?.trim_end_matches('/').parse().ok());
        if let (Some(port), Some(node), true) = (port, node, main && !key.is_empty()) {
            let mut told = entry(source, EntryKind::Server, "aspnet-core", "", node.line());
            told.port = Some(port);
            facts.entry_points.push(told);
        }
    }
    secrets(source, &tree, &mut Vec::new(), main, facts);
}

/// .NET reads `ConnectionStrings:Shop` from the variable `ConnectionStrings__Shop`.
fn connection(source: &Source<'_>, name: &str, value: &str, line: u32, main: bool, facts: &mut Facts) {
    let variable = EnvName::parse(Raw::new(&format!("ConnectionStrings__{name}")));
    let kind = kind_of(name, value);
    if let (Some(variable), true) = (&variable, main) {
        let mut told = VariableFact::new(
            variable.clone(),
            VariableOrigin::File,
            source.scope,
            source.at(line),
        );
        told.has_default = !value.trim().is_empty();
        told.secret = kind != Some("sqlite");
        told.placeholder = value.trim().is_empty();
        facts.variables.push(told);
    }
    if let Some(mut found) = kind
        .filter(|_| main)
        .and_then(|kind| store(source, kind, true, line))
    {
        found.variable = variable;
        facts.stores.push(found);
    }
}

/// The keys of a connection string tell the provider.
fn kind_of(name: &str, value: &str) -> Option<&'static str> {
    if let Some((scheme, _)) = value.split_once("://") {
        return kind_of_scheme(scheme);
    }
    let keys: Vec<String> = value
        .split(';')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, _)| key.trim().to_ascii_lowercase().replace(' ', ""))
        .collect();
    let has = |key: &str| keys.iter().any(|known| known == key);
    let lower = value.to_ascii_lowercase();
    let file = lower.contains(".db") || lower.contains(".sqlite") || lower.contains(":memory:");
    if has("datasource") && file && !has("initialcatalog") {
        Some("sqlite")
    } else if has("host") && (has("username") || has("userid") || has("database")) {
        Some("postgresql")
    } else if has("defaultendpointsprotocol") || has("accountkey") && has("accountname") {
        Some("azure-blob")
    } else if (has("server") || has("datasource"))
        && (has("initialcatalog")
            || has("trusted_connection")
            || has("integratedsecurity")
            || has("trustservercertificate")
            || has("multipleactiveresultsets")
            || has("encrypt")
            || lower.contains("mssql")
            || lower.contains("localdb")
            || lower.contains("sqlserver"))
    {
        Some("mssql")
    } else if has("server") && (has("uid") || has("port") || has("user") && lower.contains("3306")) {
        Some("mysql")
    } else if keys.is_empty() || lower.contains(",abortconnect=") || lower.contains(",password=") {
        // `localhost:6379`
        let redis = lower.contains(":6379") || name.eq_ignore_ascii_case("redis");
        redis.then_some("redis")
    } else {
        None
    }
}

/// Values under the name of a secret, and connection strings with a password.
fn secrets<'tree>(
    source: &Source<'_>,
    node: &'tree Node,
    keys: &mut Vec<&'tree str>,
    main: bool,
    facts: &mut Facts,
) {
    if keys.len() > limits::DOTNET_SETTINGS_DEPTH || source.scope == Scope::Development {
        return;
    }
    let name = keys.last().copied().unwrap_or_default();
    if let Some(text) = node.text() {
        let place = judge::Place::new(node.line(), source.scope);
        let password = text.split(';').find_map(|pair| {
            let (key, value) = pair.split_once('=')?;
            let key = key.trim().to_ascii_lowercase();
            matches!(
                key.as_str(),
                "password" | "pwd" | "accountkey" | "sharedaccesskey"
            )
            .then_some(value.trim())
        });
        if let Some(password) = password.filter(|password| !password.is_empty()) {
            let _ = judge::literal(source, facts, "Password", password, place);
            let variable = EnvName::parse(Raw::new(&keys.join("__")));
            let of_options =
                keys.len() > 1 && keys.first().is_some_and(|first| *first != "ConnectionStrings");
            if let Some(variable) = variable.filter(|_| main && of_options) {
                let mut told = VariableFact::new(
                    variable,
                    VariableOrigin::Code,
                    source.scope,
                    source.at(node.line()),
                );
                told.secret = true;
                told.has_default = true;
                told.placeholder = true;
                facts.variables.push(told);
            }
        } else if secret::is_secret_name(name) && !text.trim().contains(' ') {
            let judged = judge::literal(source, facts, name, text, place);
            let variable = EnvName::parse(Raw::new(&keys.join("__")));
            let connection = keys.first().is_some_and(|first| *first == "ConnectionStrings");
            // A secret of the settings is given to a deployment by a variable.
            if let Some(variable) = variable.filter(|_| main && !connection && judged.shown.is_none()) {
                let mut told = VariableFact::new(
                    variable,
                    VariableOrigin::Code,
                    source.scope,
                    source.at(node.line()),
                );
                told.secret = true;
                told.has_default = !judged.empty;
                told.placeholder = !judged.empty;
                facts.variables.push(told);
            }
        }
    }
    for (key, _, value) in node.entries() {
        keys.push(key);
        secrets(source, value, keys, main, facts);
        keys.pop();
    }
}
