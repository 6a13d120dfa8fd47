//! XML as far as `pom.xml`, `.csproj` and the like need it.

use roxmltree::{Document, Error, ParsingOptions};

use crate::limits;

use super::{LineTable, ParseProblem, ParseProblemKind, line_number, without_byte_order_mark};

/// An element without its namespace.
pub(crate) struct Element {
    line: u32,
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
    children: Vec<Element>,
}

opaque_debug!(Element);

impl Element {
    /// The line of the opening tag.
    pub(crate) fn line(&self) -> u32 {
        self.line
    }

    /// The local name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The value of an attribute by its local name.
    pub(crate) fn attr(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The text directly inside, trimmed; empty if there is none.
    pub(crate) fn text(&self) -> &str {
        self.text.trim()
    }

    /// All child elements.
    pub(crate) fn elements(&self) -> impl Iterator<Item = &Element> {
        self.children.iter()
    }

    /// The child elements of a name.
    pub(crate) fn children<'tree>(&'tree self, name: &'tree str) -> impl Iterator<Item = &'tree Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first child element of a name.
    pub(crate) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The first element at the end of a path of names.
    pub(crate) fn path(&self, names: &[&str]) -> Option<&Element> {
        names.iter().try_fold(self, |element, name| element.child(name))
    }

    /// Every element of a name below this one, in document order.
    pub(crate) fn descendants<'tree>(&'tree self, name: &str) -> Vec<&'tree Element> {
        let mut found = Vec::new();
        let mut pending: Vec<&Element> = self.children.iter().rev().collect();
        while let Some(element) = pending.pop() {
            if element.name == name {
                found.push(element);
            }
            pending.extend(element.children.iter().rev());
        }
        found
    }
}

/// The offset of an element with more attributes, or behind more declarations of namespaces, than the parser reads in
/// linear time. Comments and sections of plain text are passed over; a text that is no XML is left to the parser.
fn crowded_element(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut namespaces = 0;
    let mut at = 0;
    while let Some(start) = memchr::memchr(b'<', bytes.get(at..)?).map(|found| at + found) {
        let rest = bytes.get(start..)?;
        let closing: Option<&[u8]> = [
            (&b"<!--"[..], &b"-->"[..]),
            (&b"<![CDATA["[..], &b"]]>"[..]),
            (&b"<?"[..], &b"?>"[..]),
        ]
        .into_iter()
        .find(|(open, _)| rest.starts_with(open))
        .map(|(_, close)| close);
        if let Some(close) = closing {
            at = start + memchr::memmem::find(rest, close)? + close.len();
            continue;
        }
        let mut attributes = 0;
        let mut inside = start + 1;
        loop {
            match bytes.get(inside)? {
                b'>' => break,
                quote @ (b'"' | b'\'') => {
                    inside += 1 + memchr::memchr(*quote, bytes.get(inside + 1..)?)?;
                }
                b'=' => {
                    attributes += 1;
                    if attributes > limits::XML_ATTRIBUTES {
                        return Some(start);
                    }
                }
                b'x' if bytes.get(inside..)?.starts_with(b"xmlns") => {
                    namespaces += 1;
                    if namespaces > limits::XML_NAMESPACES {
                        return Some(start);
                    }
                }
                _ => {}
            }
            inside += 1;
        }
        at = inside + 1;
    }
    None
}

/// The root element of a text.
pub(crate) fn root(text: &str) -> (Option<Element>, Option<ParseProblem>) {
    let text = without_byte_order_mark(text);
    if let Some(offset) = crowded_element(text) {
        let line = LineTable::new(text).line(offset);
        return (None, Some(ParseProblem::new(ParseProblemKind::TooLarge, line)));
    }
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: limits::XML_NODES,
        ..ParsingOptions::default()
    };
    let document = match Document::parse_with_options(text, options) {
        Ok(document) => document,
        Err(error) => {
            let kind = match error {
                Error::DtdDetected => ParseProblemKind::DocumentType,
                Error::NodesLimitReached => ParseProblemKind::TooLarge,
                Error::UnclosedRootNode => ParseProblemKind::Unclosed,
                _ => ParseProblemKind::Syntax,
            };
            return (None, Some(ParseProblem::new(kind, error.pos().row.max(1))));
        }
    };
    let lines = LineTable::new(text);
    let mut problem = None;
    let root = element(document.root_element(), &lines, 0, &mut problem);
    (Some(root), problem)
}

fn element(
    node: roxmltree::Node<'_, '_>,
    lines: &LineTable,
    depth: usize,
    problem: &mut Option<ParseProblem>,
) -> Element {
    let line = lines.line(node.range().start);
    let mut found = Element {
        line,
        name: node.tag_name().name().to_owned(),
        attributes: node
            .attributes()
            .map(|attribute| (attribute.name().to_owned(), attribute.value().to_owned()))
            .collect(),
        text: String::new(),
        children: Vec::new(),
    };
    for child in node.children() {
        if child.is_element() {
            if depth + 1 >= limits::XML_DEPTH {
                let line = lines.line(child.range().start);
                problem.get_or_insert(ParseProblem::new(
                    ParseProblemKind::TooDeep,
                    line_number(line as usize),
                ));
            } else {
                found.children.push(element(child, lines, depth + 1, problem));
            }
        } else if let Some(text) = child.text().filter(|_| child.is_text()) {
            found.text.push_str(text);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crowded_elements_are_refused() {
        let many = |piece: &str, count: usize| {
            (0..count)
                .map(|at| piece.replace('#', &at.to_string()))
                .collect::<String>()
        };
        for text in [
            format!("<a>\n<b{}/></a>", many(" c#='>'", 300)),
            many("<a xmlns:n#='u'>\n", 1_200),
            format!(
                "<a>\n<!-- ' --><![CDATA[\"]]><?a '?><b{}/></a>",
                many(" c#=\"=\"", 300)
            ),
        ] {
            let problem = root(&text).1.expect("refused");
            assert_eq!(problem.kind, ParseProblemKind::TooLarge);
        }
        let usual = format!("<a{}>it's</a>", many(" c#='='", 200));
        assert_eq!(root(&usual).1, None);
    }

    #[test]
    fn elements_attributes_text_and_lines() {
        let text = "\u{feff}<?xml version=\"1.0\"?>\r\n<project xmlns=\"urn:x\">\r\n  <a k=\"v\">one</a>\r\n  <b><a> two </a></b>\r\n</project>\r\n";
        let (root, problem) = root(text);
        assert_eq!(problem, None);
        let root = root.expect("a root");
        let first = root.child("a").expect("a");
        assert_eq!(
            (first.line(), first.attr("k"), first.text()),
            (3, Some("v"), "one")
        );
        assert_eq!(
            root.path(&["b", "a"])
                .map(|element| (element.line(), element.text())),
            Some((4, "two"))
        );
        assert_eq!(root.descendants("a").len(), 2);
        assert_eq!(root.children("a").count(), 1);
        assert_eq!(root.elements().map(Element::name).collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn a_document_type_is_refused() {
        let (root, problem) = root("<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>");
        assert!(root.is_none());
        assert_eq!(
            problem.map(|problem| problem.kind),
            Some(ParseProblemKind::DocumentType)
        );
    }

    #[test]
    fn depth_is_bounded_and_the_top_is_kept() {
        let text = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
        let (found, problem) = root(&text);
        assert_eq!(
            problem.map(|problem| problem.kind),
            Some(ParseProblemKind::TooDeep)
        );
        assert!(found.is_some());
        assert!(root(&"<a>".repeat(100_000)).1.is_some());
    }
}
