//! TOML: the same tree as YAML and JSON, in the order of the file.

use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::tree::Node;
use super::{LineTable, ParseProblem, ParseProblemKind, without_byte_order_mark};
use crate::limits;

/// The table of a text. After a problem the entries that could be read are kept.
pub(crate) fn document(text: &str) -> (Option<Arc<Node>>, Option<ParseProblem>) {
    let text = without_byte_order_mark(text);
    let lines = LineTable::new(text);
    if let Some(line) = overlong_key(text) {
        return (None, Some(ParseProblem::new(ParseProblemKind::TooDeep, line)));
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    let problem = errors.first().map(|error| {
        let line = error.span().map_or(1, |span| lines.line(span.start));
        ParseProblem::new(ParseProblemKind::Syntax, line)
    });
    (Some(map(table.into_inner(), 1, &lines, 0)), problem)
}

fn overlong_key(text: &str) -> Option<u32> {
    let long = |line: &&str| {
        let key = line.split(['=', '"', '\'', '#']).next().unwrap_or("");
        key.bytes().filter(|byte| *byte == b'.').count() > limits::TOML_DOTS
    };
    super::numbered_lines(text)
        .find(|(_, line)| long(line))
        .map(|(number, _)| number)
}

fn map(table: DeTable<'_>, line: u32, lines: &LineTable, depth: u32) -> Arc<Node> {
    let mut entries: Vec<(usize, Arc<Node>, Arc<Node>)> = Vec::new();
    for (key, value) in table {
        let start = key.span().start;
        let key = Node::scalar(lines.line(start), key.into_inner().into_owned(), true);
        entries.push((start, Arc::new(key), node(value, lines, depth + 1)));
    }
    // The table is sorted by key; the file's order is what people expect to see.
    entries.sort_by_key(|(start, _, _)| *start);
    Arc::new(Node::map(
        line,
        entries.into_iter().map(|(_, key, value)| (key, value)).collect(),
    ))
}

fn node(value: Spanned<DeValue<'_>>, lines: &LineTable, depth: u32) -> Arc<Node> {
    let line = lines.line(value.span().start);
    if depth > limits::TOML_DEPTH {
        return Arc::new(Node::scalar(line, String::new(), false));
    }
    match value.into_inner() {
        DeValue::String(text) => Arc::new(Node::scalar(line, text.into_owned(), true)),
        DeValue::Integer(number) => Arc::new(Node::scalar(line, number.as_str().to_owned(), false)),
        DeValue::Float(number) => Arc::new(Node::scalar(line, number.as_str().to_owned(), false)),
        DeValue::Boolean(value) => Arc::new(Node::scalar(line, value.to_string(), false)),
        DeValue::Datetime(value) => Arc::new(Node::scalar(line, value.to_string(), false)),
        DeValue::Array(array) => Arc::new(Node::seq(
            line,
            array
                .into_iter()
                .map(|item| node(item, lines, depth + 1))
                .collect(),
        )),
        DeValue::Table(table) => map(table, line, lines, depth),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_lines_and_text() {
        let text = "[tool.b]\nz = 1\na = \"x\"\n\n[tool.a]\nlist = [\n  \"p>=1\",\n  \"q\",\n]\n";
        let (root, problem) = document(text);
        assert_eq!(problem, None);
        let root = root.expect("a table");
        let tool = root.get("tool").expect("tool");
        assert_eq!(
            tool.entries()
                .map(|(key, line, _)| (key, line))
                .collect::<Vec<_>>(),
            [("b", 1), ("a", 5)]
        );
        let entries: Vec<_> = tool
            .get("b")
            .expect("b")
            .entries()
            .map(|(key, line, node)| (key, line, node.text()))
            .collect();
        assert_eq!(entries, [("z", 2, Some("1")), ("a", 3, Some("x"))]);
        let items: Vec<_> = root.path(&["tool", "a", "list"]).expect("list").texts().collect();
        assert_eq!(items, [("p>=1", 7), ("q", 8)]);
    }

    #[test]
    fn what_can_be_read_beside_a_problem_is_kept() {
        let (root, problem) = document("a = 1\nb = = 2\nc = 3\n");
        assert_eq!(
            problem.map(|problem| (problem.kind, problem.line)),
            Some((ParseProblemKind::Syntax, 2))
        );
        let root = root.expect("a table");
        assert_eq!(root.get("a").and_then(Node::text), Some("1"));
        assert_eq!(root.get("c").and_then(Node::text), Some("3"));
    }

    #[test]
    fn depth_is_bounded() {
        assert!(
            document(
                &"a = "
                    .to_owned()
                    .chars()
                    .chain("[".repeat(100_000).chars())
                    .collect::<String>()
            )
            .1
            .is_some()
        );
        assert!(document(&format!("{}b = 1", "a.".repeat(100_000))).1.is_some());
        assert!(
            document(&format!("[{}b]\nx = 1", "a.".repeat(100_000)))
                .1
                .is_some()
        );
        assert!(document(&format!("x = {}", "{a = ".repeat(100_000))).1.is_some());
        assert!(
            document(&format!("{}x = 1", "\"a\".".repeat(100_000)))
                .1
                .is_some()
        );
    }
}
