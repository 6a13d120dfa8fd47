//! YAML: all documents of a text as trees with shared aliases.

use std::collections::BTreeMap;
use std::sync::Arc;

use granit_parser::{Event, Parser, ScalarStyle, Tag};

use super::tree::Node;
use super::{ParseProblem, ParseProblemKind, line_number, without_byte_order_mark};
use crate::limits;

/// A list or map that is still open.
struct Frame {
    line: u32,
    anchor: usize,
    tag: Option<Box<str>>,
    /// For a map, keys and values in turn.
    children: Vec<Arc<Node>>,
    map: bool,
}

impl Frame {
    fn close(self) -> (usize, Arc<Node>) {
        let node = if self.map {
            let mut entries = Vec::with_capacity(self.children.len() / 2);
            let mut children = self.children.into_iter();
            // A key without a value is possible only where the text broke off.
            while let (Some(key), Some(value)) = (children.next(), children.next()) {
                entries.push((key, value));
            }
            Node::map(self.line, entries)
        } else {
            Node::seq(self.line, self.children)
        };
        (self.anchor, Arc::new(node.tagged(self.tag)))
    }
}

/// The documents of a text. After a problem, what was read of the broken document is the last one.
pub(crate) fn documents(text: &str) -> (Vec<Arc<Node>>, Option<ParseProblem>) {
    let mut builder = Builder::default();
    let mut problem = None;
    for event in Parser::new_from_str(without_byte_order_mark(text)) {
        match event {
            Ok((event, span)) => {
                let line = line_number(span.start.line()).max(1);
                // The parser writes `~` for a value that is not there; ours is the empty text.
                let event = match event {
                    Event::Scalar(_, ScalarStyle::Plain, anchor, tag) if span.is_empty() => {
                        Event::Scalar("".into(), ScalarStyle::Plain, anchor, tag)
                    }
                    event => event,
                };
                if let Err(kind) = builder.event(event, line) {
                    problem = Some(ParseProblem::new(kind, line));
                    break;
                }
            }
            Err(error) => {
                let line = line_number(error.marker().line()).max(1);
                problem = Some(ParseProblem::new(ParseProblemKind::Syntax, line));
                break;
            }
        }
    }
    builder.finish();
    (builder.documents, problem)
}

/// The first document, for formats that have one.
pub(crate) fn document(text: &str) -> (Option<Arc<Node>>, Option<ParseProblem>) {
    let (documents, problem) = documents(text);
    (documents.into_iter().next(), problem)
}

#[derive(Default)]
struct Builder {
    documents: Vec<Arc<Node>>,
    anchors: BTreeMap<usize, Arc<Node>>,
    stack: Vec<Frame>,
    nodes: usize,
}

impl Builder {
    fn event(&mut self, event: Event<'_>, line: u32) -> Result<(), ParseProblemKind> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let quoted = style != ScalarStyle::Plain;
                let line = self.scalar_line(&text, quoted, line);
                let node = Node::scalar(line, text.into_owned(), quoted).tagged(written(tag.as_deref()));
                self.add(anchor, Arc::new(node))
            }
            Event::SequenceStart(_, anchor, tag) => self.open(line, anchor, tag.as_deref(), false),
            Event::MappingStart(_, anchor, tag) => self.open(line, anchor, tag.as_deref(), true),
            Event::SequenceEnd | Event::MappingEnd => match self.stack.pop().map(Frame::close) {
                Some((anchor, node)) => self.add(anchor, node),
                None => Ok(()),
            },
            Event::Alias(anchor) => match self.anchors.get(&anchor).cloned() {
                Some(node) => self.add(0, node),
                // An alias inside of its own anchor; the parser lets it pass, no loader does.
                None => Err(ParseProblemKind::Syntax),
            },
            Event::DocumentEnd => {
                self.anchors.clear();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// A value that is not there is reported where the next token starts; its line is that of its key.
    fn scalar_line(&self, text: &str, quoted: bool, line: u32) -> u32 {
        let key = self
            .stack
            .last()
            .filter(|frame| frame.map && frame.children.len() % 2 == 1);
        match key.and_then(|frame| frame.children.last()) {
            Some(key) if text.is_empty() && !quoted => key.line(),
            _ => line,
        }
    }

    fn count(&mut self) -> Result<(), ParseProblemKind> {
        self.nodes += 1;
        if self.nodes > limits::YAML_NODES {
            Err(ParseProblemKind::TooLarge)
        } else {
            Ok(())
        }
    }

    fn open(
        &mut self,
        line: u32,
        anchor: usize,
        tag: Option<&Tag>,
        map: bool,
    ) -> Result<(), ParseProblemKind> {
        self.count()?;
        if line_number(self.stack.len()) >= limits::YAML_DEPTH {
            return Err(ParseProblemKind::TooDeep);
        }
        self.stack.push(Frame {
            line,
            anchor,
            tag: written(tag),
            children: Vec::new(),
            map,
        });
        Ok(())
    }

    fn add(&mut self, anchor: usize, node: Arc<Node>) -> Result<(), ParseProblemKind> {
        self.count()?;
        // Aliases can stack trees on trees: a chain of them must not get deeper than nesting may.
        if line_number(self.stack.len()).saturating_add(node.height()) > limits::YAML_DEPTH + 1 {
            return Err(ParseProblemKind::TooDeep);
        }
        if anchor != 0 {
            self.anchors.insert(anchor, Arc::clone(&node));
        }
        match self.stack.last_mut() {
            Some(frame) => frame.children.push(node),
            None => self.documents.push(node),
        }
        Ok(())
    }

    /// Closes what is still open, so that the readable part of a broken document is kept.
    fn finish(&mut self) {
        while let Some(frame) = self.stack.pop() {
            let (_, node) = frame.close();
            match self.stack.last_mut() {
                Some(parent) => parent.children.push(node),
                None => self.documents.push(node),
            }
        }
    }
}

fn written(tag: Option<&Tag>) -> Option<Box<str>> {
    tag.map(|tag| tag.original().into_boxed_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::tree::Kind;

    fn one(text: &str) -> Arc<Node> {
        let (documents, problem) = documents(text);
        assert_eq!(problem, None);
        documents.into_iter().next().expect("one document")
    }

    fn at<'tree>(node: &'tree Node, path: &[&str]) -> (&'tree str, u32) {
        let node = node.path(path).expect("path exists");
        (node.text().expect("scalar"), node.line())
    }

    #[test]
    fn text_is_kept_as_written_with_its_line() {
        let root = one("a: no\nb: 012\nc: 1_000\nd: '8080'\ne:\nf: |\n  x\n  y\n");
        assert_eq!(at(&root, &["a"]), ("no", 1));
        assert_eq!(at(&root, &["b"]), ("012", 2));
        assert_eq!(at(&root, &["c"]), ("1_000", 3));
        assert_eq!(at(&root, &["d"]), ("8080", 4));
        assert!(root.get("d").expect("d").quoted());
        assert_eq!(at(&root, &["e"]), ("", 5));
        assert!(root.get("e").expect("e").is_null());
        assert_eq!(at(&root, &["f"]), ("x\ny\n", 7));
    }

    #[test]
    fn byte_order_mark_and_carriage_returns() {
        let root = one("\u{feff}a: 1\r\nb:\r\n  - x\r\n  - y\r\n");
        assert_eq!(at(&root, &["a"]), ("1", 1));
        let items: Vec<_> = root
            .get("b")
            .expect("b")
            .items()
            .map(|item| (item.text(), item.line()))
            .collect();
        assert_eq!(items, [(Some("x"), 3), (Some("y"), 4)]);
    }

    #[test]
    fn tags_are_kept() {
        let root = one("a: !Sub '${X}'\nb: !GetAtt [x, y]\nc: !!str 1\n");
        let tags: Vec<_> = ["a", "b", "c"]
            .map(|key| root.get(key).and_then(Node::tag).map(str::to_owned))
            .into();
        assert_eq!(
            tags,
            [Some("!Sub".into()), Some("!GetAtt".into()), Some("!!str".into())]
        );
    }

    #[test]
    fn several_documents() {
        let (documents, problem) = documents("a: 1\n---\nb: 2\n...\n---\n- c\n");
        assert_eq!(problem, None);
        assert_eq!(
            documents
                .iter()
                .map(|document| document.line())
                .collect::<Vec<_>>(),
            [1, 3, 6]
        );
    }

    #[test]
    fn what_stands_before_a_problem_is_kept() {
        let (documents, problem) = documents("a: 1\nb:\n  c: 2\n---\nd: 3\ne: [1, 2\nf: }\n");
        assert_eq!(
            problem.map(|problem| problem.kind),
            Some(ParseProblemKind::Syntax)
        );
        assert_eq!(documents.len(), 2);
        assert_eq!(at(&documents[1], &["d"]), ("3", 5));
    }

    #[test]
    fn aliases_are_shared_and_cannot_contain_themselves() {
        let root = one("a: &x {k: v}\nb: *x\n");
        let Kind::Map(entries) = root.kind() else {
            panic!("a map")
        };
        assert!(Arc::ptr_eq(&entries[0].1, &entries[1].1));
        let (_, problem) = documents("a: &x [*x]\n");
        assert_eq!(
            problem.map(|problem| problem.kind),
            Some(ParseProblemKind::Syntax)
        );
    }

    #[test]
    fn depth_is_bounded_also_through_aliases() {
        for text in ["[".repeat(100_000), "- ".repeat(100_000), "{a: ".repeat(100_000)] {
            let (_, problem) = documents(&text);
            assert!(problem.is_some());
        }
        let mut chain = "a0: &a0 [x]\n".to_owned();
        for level in 1..50_000 {
            chain.extend([format!("a{level}: &a{level} [*a{}]\n", level - 1)]);
        }
        let (documents, problem) = documents(&chain);
        assert_eq!(
            problem.map(|problem| problem.kind),
            Some(ParseProblemKind::TooDeep)
        );
        let first = documents[0].get("a0").expect("a0 stands before the problem");
        assert_eq!(first.items().next().and_then(Node::text), Some("x"));
    }

    #[test]
    fn the_number_of_nodes_is_bounded() {
        let (documents, problem) = documents(&"- a\n".repeat(600_000));
        assert_eq!(
            problem.map(|problem| problem.kind),
            Some(ParseProblemKind::TooLarge)
        );
        assert_eq!(documents.len(), 1);
    }
}
