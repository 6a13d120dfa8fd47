//! Text inside of YAML, TOML, JSON, a unit of systemd, a diagram.

use super::{no_template, one_line, slug};

/// A YAML scalar that is a string, whatever it looks like.
pub(crate) fn yaml(text: &str) -> String {
    let text = one_line(text);
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '_')
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_./-".contains(c))
        && !matches!(
            text.to_ascii_lowercase().as_str(),
            "true" | "false" | "yes" | "no" | "on" | "off" | "null" | "y" | "n"
        );
    if plain {
        text
    } else {
        format!("\"{}\"", quoted(&text))
    }
}

/// Between double quotes, as YAML, TOML and JSON read it.
pub(crate) fn quoted(text: &str) -> String {
    let escaped = one_line(text).replace('\\', "\\\\").replace('"', "\\\"");
    // The first brace as its number: the same text to a reader of the format, no mark to a template engine.
    no_template(&escaped, "\u{0}").replace("{\u{0}", "\\u007b")
}

/// Between double quotes of a unit of systemd.
pub(crate) fn unit(text: &str) -> String {
    quoted(text).replace('%', "%%").replace("\\u007b", "\\x7b")
}

/// A label of a diagram, between the double quotes that the template writes.
pub(crate) fn mermaid_label(text: &str) -> String {
    one_line(text)
        .chars()
        .map(|c| {
            if c.is_alphanumeric() || " _./:,()@+-".contains(c) {
                c
            } else {
                '·'
            }
        })
        .collect()
}

/// The id of a node of a diagram. Words of the language itself, alone or before a hyphen, are none.
pub(crate) fn mermaid_node(text: &str) -> String {
    let id = slug(text);
    let first = id.split('-').next().unwrap_or_default();
    let reserved = matches!(
        first,
        "end"
            | "graph"
            | "subgraph"
            | "flowchart"
            | "style"
            | "linkstyle"
            | "class"
            | "classdef"
            | "click"
            | "default"
            | "direction"
            | "href"
            | "call"
            | "interpolate"
    );
    if reserved { format!("n-{id}") } else { id }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars() {
        assert_eq!(yaml("api"), "api");
        assert_eq!(yaml("on"), "\"on\"");
        assert_eq!(yaml("1.0"), "\"1.0\"");
        assert_eq!(yaml("a: \"b\""), r#""a: \"b\"""#);
        assert_eq!(quoted("a\\\"b\n"), r#"a\\\"b"#);
        assert_eq!(quoted("{{a}}"), r"\u007b{a}}");
        assert_eq!(unit("{{a}}"), r"\x7b{a}}");
        assert_eq!(unit("50%\"x"), "50%%\\\"x");
    }

    #[test]
    fn diagrams() {
        assert_eq!(mermaid_label("a\"]; x"), "a··· x");
        assert_eq!(mermaid_node("Api"), "api");
        assert_eq!(mermaid_node("end"), "n-end");
        assert_eq!(mermaid_node("graph-ql"), "n-graph-ql");
    }
}
