//! Files that describe an API: OpenAPI, AsyncAPI, GraphQL, Protocol Buffers, WSDL, Postman collections.

use playbook_core::inventory::ApiSpec;
use playbook_core::path::RelPath;
use playbook_core::shown::Shown;

use super::{Detector, ending};
use crate::fact::Facts;
use crate::scope;
use crate::source::Source;

/// Files that describe an API.
pub(crate) const DETECTOR: Detector = Detector { wants, detect };

fn wants(path: &RelPath) -> bool {
    if ending(path, &["proto", "graphql", "graphqls", "gql", "wsdl"]) {
        return true;
    }
    if !ending(path, &["yaml", "yml", "json"]) {
        return false;
    }
    let name = path.name().to_ascii_lowercase();
    [
        "openapi",
        "swagger",
        "asyncapi",
        "postman_collection",
        "api-spec",
        "apispec",
    ]
    .iter()
    .any(|word| name.contains(word))
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    let name = source.path.name().to_ascii_lowercase();
    let end = name.rsplit('.').next().unwrap_or_default();
    let mark = |needles: &[&str]| needles.iter().find_map(|needle| source.line_with(needle));
    let (kind, line) = match end {
        // A file of messages alone describes data, not an interface.
        "proto" => ("protobuf", mark(&["\nservice ", "service "])),
        "graphql" | "graphqls" | "gql" => (
            "graphql",
            mark(&["type Query", "type Mutation", "extend type Query", "schema {"]),
        ),
        "wsdl" => ("wsdl", mark(&["definitions"])),
        _ if name.contains("postman") => ("postman", mark(&["\"info\""])),
        _ if name.contains("asyncapi") => ("asyncapi", mark(&["asyncapi"])),
        _ => (
            "openapi",
            mark(&["openapi:", "\"openapi\"", "swagger:", "\"swagger\""]),
        ),
    };
    // Documentation is where descriptions belong; tests and examples describe something else.
    let documented = source.path.components().all(|part| {
        part.starts_with("doc") || RelPath::new(part).is_none_or(|part| !scope::folder_is_development(&part))
    });
    if let (Some(line), true) = (line, source.is_production() || documented) {
        facts.api_specs.push(ApiSpec {
            kind: Shown::from(kind),
            path: source.path.clone(),
            served_at: None,
            evidence: vec![source.at(line)],
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn specifications_by_name_and_content() {
        let facts = testing::facts(
            &DETECTOR,
            "
//- proto/shop.proto
service Shop { rpc Get (Id) returns (Item); }
//- proto/messages.proto
message Item {}
//- docs/swagger.yaml
swagger: \"2.0\"
//- schema.graphql
type Query { a: Int }
",
        );
        let kinds: Vec<&str> = facts.api_specs.iter().map(|spec| spec.kind.as_str()).collect();
        assert_eq!(kinds, ["protobuf", "openapi", "graphql"]);
    }
}
