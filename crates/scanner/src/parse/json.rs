//! JSON with comments and trailing commas (`package.json`, `tsconfig.json`, `devcontainer.json`).

use std::sync::Arc;

use jsonc_parser::ast::{ObjectPropName, Value};
use jsonc_parser::common::Ranged;
use jsonc_parser::errors::ParseErrorKind;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use super::tree::Node;
use super::{LineTable, ParseProblem, ParseProblemKind, line_number, without_byte_order_mark};

/// The value of a text; `None` for an empty text and for one that is not JSON.
pub(crate) fn document(text: &str) -> (Option<Arc<Node>>, Option<ParseProblem>) {
    let text = without_byte_order_mark(text);
    match parse_to_ast(text, &CollectOptions::default(), &ParseOptions::default()) {
        Ok(result) => {
            let lines = LineTable::new(text);
            (result.value.map(|value| node(value, &lines)), None)
        }
        Err(error) => {
            let kind = match error.kind() {
                ParseErrorKind::NestingDepthExceeded => ParseProblemKind::TooDeep,
                ParseErrorKind::UnterminatedArray
                | ParseErrorKind::UnterminatedCommentBlock
                | ParseErrorKind::UnterminatedObject => ParseProblemKind::Unclosed,
                _ => ParseProblemKind::Syntax,
            };
            (
                None,
                Some(ParseProblem::new(kind, line_number(error.line_display()))),
            )
        }
    }
}

// The parser refuses more than 512 levels, so this recursion is bounded.
fn node(value: Value<'_>, lines: &LineTable) -> Arc<Node> {
    let line = lines.line(value.range().start);
    Arc::new(match value {
        Value::StringLit(literal) => Node::scalar(line, literal.value.into_owned(), true),
        Value::NumberLit(literal) => Node::scalar(line, literal.value.to_owned(), false),
        Value::BooleanLit(literal) => Node::scalar(line, literal.value.to_string(), false),
        Value::NullKeyword(_) => Node::scalar(line, "null".to_owned(), false),
        Value::Array(array) => Node::seq(
            line,
            array.elements.into_iter().map(|item| node(item, lines)).collect(),
        ),
        Value::Object(object) => {
            let entry = |property: jsonc_parser::ast::ObjectProp<'_>| {
                let line = lines.line(property.range.start);
                let quoted = matches!(property.name, ObjectPropName::String(_));
                let key = Node::scalar(line, property.name.into_string(), quoted);
                (Arc::new(key), node(property.value, lines))
            };
            Node::map(line, object.properties.into_iter().map(entry).collect())
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_trailing_commas_and_a_byte_order_mark() {
        let text = "\u{feff}{\r\n  // one\r\n  \"a\": {\"b\": [1, true, null,]}, /* two */\r\n  \"c\": \"x\\u00e9\",\r\n}\r\n";
        let (root, problem) = document(text);
        assert_eq!(problem, None);
        let root = root.expect("a value");
        let list = root.path(&["a", "b"]).expect("a.b");
        let items: Vec<_> = list.items().map(|item| item.text()).collect();
        assert_eq!(items, [Some("1"), Some("true"), Some("null")]);
        assert_eq!(
            root.get_entry("c").map(|(line, node)| (line, node.text())),
            Some((4, Some("xé")))
        );
    }

    #[test]
    fn problems_have_a_line() {
        let unclosed = document("{\n\"a\": [1,\n").1.expect("a problem");
        assert_eq!((unclosed.kind, unclosed.line), (ParseProblemKind::Unclosed, 2));
        assert_eq!(document("").1, None);
        let deep = "[".repeat(100_000);
        assert_eq!(
            document(&deep).1.map(|problem| problem.kind),
            Some(ParseProblemKind::TooDeep)
        );
    }
}
