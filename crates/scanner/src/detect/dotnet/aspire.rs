//! Hosts of Aspire: the datastores that the processes of the application are given.

use std::sync::LazyLock;

use playbook_core::harmless::{Name, Version};
use playbook_core::raw::Raw;
use serde::Deserialize;

use super::code::in_conditional_branch;
use crate::detect::ecosystem::{Code, group, pattern, start, store};
use crate::fact::Facts;

/// Text of the table, which is part of the program and so may be printed.
type Word = &'static str;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'static"))]
struct Resource {
    method: Word,
    store: Word,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, bound(deserialize = "'de: 'static"))]
struct Table {
    resource: Vec<Resource>,
}

// The table is part of the program; a mistake in it is found by the test below, never by a user.
static TABLE: LazyLock<Table> =
    LazyLock::new(|| toml::from_str(include_str!("aspire.toml")).unwrap_or_default());

pub(super) fn detect(code: &Code<'_>, facts: &mut Facts) {
    if !code.has("DistributedApplication.CreateBuilder") {
        return;
    }
    let source = code.source;
    for found in code.all(&pattern!(r"\.\s*(?P<method>Add[A-Z]\w*)\s*\((?P<rest>[^;]*)")) {
        let method = group(&found, "method");
        let at = start(&found);
        let Some(resource) = TABLE.resource.iter().find(|resource| resource.method == method) else {
            continue;
        };
        // Variants of a template are chosen by the preprocessor.
        if in_conditional_branch(code, at) {
            continue;
        }
        let Some(mut told) = store(source, resource.store, true, code.line(at)) else {
            continue;
        };
        let rest = group(&found, "rest");
        told.version = pattern!(r#"\.\s*WithImageTag\s*\(\s*"(?P<tag>[^"\n]+)""#)
            .first(rest)
            .map(|tag| group(&tag, "tag"))
            .filter(|tag| tag.starts_with(|c: char| c.is_ascii_digit()))
            .and_then(|tag| Version::parse(Raw::new(tag)));
        told.name = pattern!(r#"\.\s*AddDatabase\s*\(\s*"(?P<name>[^"\n]+)""#)
            .first(rest)
            .and_then(|name| Name::parse(Raw::new(group(&name, "name"))));
        facts.stores.push(told);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use playbook_core::technology::{Catalogue, Group};

    #[test]
    fn every_store_of_the_table_is_known() {
        let table: Table = toml::from_str(include_str!("aspire.toml")).expect("aspire.toml");
        assert!(table.resource.len() > 10);
        for resource in &table.resource {
            assert!(
                Catalogue::get().find(Group::Datastore, resource.store).is_some(),
                "{}",
                resource.method
            );
        }
    }

    #[test]
    fn resources_of_a_host() {
        let facts = crate::testing::facts(
            &crate::detect::dotnet::DETECTOR,
            "
//- AppHost/Program.cs
var builder = DistributedApplication.CreateBuilder(args);
var database = builder.AddPostgres(\"server\").WithImageTag(\"17.4\").AddDatabase(\"orders\");
#if (UseRabbit)
var queue = builder.AddRabbitMQ(\"queue\");
#endif
builder.AddProject<Projects.Api>(\"api\").WithReference(database);
//- Other/Program.cs
builder.AddRedis(\"cache\");
",
        );
        let told: Vec<(&str, Option<&str>)> = facts
            .stores
            .iter()
            .map(|store| (store.kind.as_str(), store.version.as_ref().map(Version::as_str)))
            .collect();
        assert_eq!(told, [("postgresql", Some("17.4"))]);
    }
}
