//! HCL (Terraform): blocks and attributes with lines, and values as far as they can be read without evaluating.

use hcl_edit::Span;
use hcl_edit::expr::{Expression, ObjectKey, Traversal, TraversalOperator};
use hcl_edit::structure::{Body as ParsedBody, Structure};
use hcl_edit::template::{Element, Template};

use super::{LineTable, ParseProblem, ParseProblemKind, line_number, without_byte_order_mark};

/// What stands in a file or between the braces of a block.
#[derive(Default)]
pub(crate) struct Body {
    /// Attributes in order.
    pub(crate) attributes: Vec<Attribute>,
    /// Blocks in order.
    pub(crate) blocks: Vec<Block>,
}

/// `kind "label" { … }`.
pub(crate) struct Block {
    /// The line of its kind.
    pub(crate) line: u32,
    /// `resource`, `variable`, `provider` …
    pub(crate) kind: String,
    /// What stands between the kind and the brace.
    pub(crate) labels: Vec<String>,
    /// Its content.
    pub(crate) body: Body,
}

/// `name = value`.
pub(crate) struct Attribute {
    /// The line of its name.
    pub(crate) line: u32,
    /// Its name.
    pub(crate) name: String,
    /// Its value.
    pub(crate) value: Value,
}

/// A value as far as it can be read without evaluating.
pub(crate) enum Value {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number as text.
    Number(String),
    /// A string or heredoc without interpolation.
    Text(String),
    /// A string or heredoc with interpolations; references stay as `${var.name}`, anything else as `${…}`.
    Template(String),
    /// `var.region`, `aws_db_instance.main.address`.
    Reference(String),
    /// A list.
    List(Vec<Value>),
    /// An object: key, line of the key, value.
    Object(Vec<(String, u32, Value)>),
    /// A function call with its arguments.
    Call(String, Vec<Value>),
    /// An operation, a conditional or a `for`: the operands that could be read.
    Other(Vec<Value>),
}

opaque_debug!(Block, Attribute);

impl std::fmt::Debug for Body {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "Body({} attributes, {} blocks)",
            self.attributes.len(),
            self.blocks.len()
        )
    }
}

impl Body {
    /// The attribute of a name.
    pub(crate) fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    /// The value of an attribute.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.attribute(name).map(|attribute| &attribute.value)
    }

    /// The blocks of a kind.
    pub(crate) fn blocks<'tree>(&'tree self, kind: &'tree str) -> impl Iterator<Item = &'tree Block> {
        self.blocks.iter().filter(move |block| block.kind == kind)
    }

    /// The first block of a kind.
    pub(crate) fn block(&self, kind: &str) -> Option<&Block> {
        self.blocks.iter().find(|block| block.kind == kind)
    }
}

impl Block {
    /// The label at a place, from zero.
    pub(crate) fn label(&self, index: usize) -> Option<&str> {
        self.labels.get(index).map(String::as_str)
    }
}

impl Value {
    /// The text of a literal string, number or boolean.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(text),
            Self::Bool(true) => Some("true"),
            Self::Bool(false) => Some("false"),
            _ => None,
        }
    }

    /// The truth value of a literal.
    pub(crate) fn boolean(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            Self::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// The items of a list; nothing for anything else.
    pub(crate) fn items(&self) -> &[Value] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    /// The entries of an object; nothing for anything else.
    pub(crate) fn entries(&self) -> &[(String, u32, Value)] {
        match self {
            Self::Object(entries) => entries,
            _ => &[],
        }
    }

    /// The value of a key of an object.
    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        self.entries()
            .iter()
            .find(|(name, _, _)| name == key)
            .map(|(_, _, value)| value)
    }
}

/// The body of a file.
pub(crate) fn body(text: &str) -> (Body, Option<ParseProblem>) {
    let text = without_byte_order_mark(text);
    match hcl_edit::parser::parse_body(text) {
        Ok(parsed) => (convert_body(&parsed, &LineTable::new(text)), None),
        Err(error) => {
            let kind = if error.message().contains("depth") {
                ParseProblemKind::TooDeep
            } else {
                ParseProblemKind::Syntax
            };
            (
                Body::default(),
                Some(ParseProblem::new(kind, line_number(error.location().line()))),
            )
        }
    }
}

// The parser stops at 64 levels (128 operators), so the recursions below are bounded.
fn convert_body(parsed: &ParsedBody, lines: &LineTable) -> Body {
    let mut body = Body::default();
    for structure in parsed {
        let span = structure.span().unwrap_or_default();
        match structure {
            Structure::Attribute(attribute) => body.attributes.push(Attribute {
                line: lines.line(attribute.key.span().map_or(span.start, |span| span.start)),
                name: attribute.key.as_str().to_owned(),
                value: convert(&attribute.value, lines),
            }),
            Structure::Block(block) => body.blocks.push(Block {
                line: lines.line(block.ident.span().map_or(span.start, |span| span.start)),
                kind: block.ident.as_str().to_owned(),
                labels: block
                    .labels
                    .iter()
                    .map(|label| label.as_str().to_owned())
                    .collect(),
                body: convert_body(&block.body, lines),
            }),
        }
    }
    body
}

fn convert(expression: &Expression, lines: &LineTable) -> Value {
    match expression {
        Expression::Null(_) => Value::Null,
        Expression::Bool(value) => Value::Bool(*value.value()),
        Expression::Number(number) => Value::Number(number.value().to_string()),
        Expression::String(text) => Value::Text(text.value().clone()),
        Expression::Array(array) => Value::List(array.iter().map(|item| convert(item, lines)).collect()),
        Expression::Object(object) => Value::Object(
            object
                .iter()
                .filter_map(|(key, value)| {
                    let line = lines.line(key.span().map_or(0, |span| span.start));
                    let name = match key {
                        ObjectKey::Ident(ident) => ident.as_str().to_owned(),
                        ObjectKey::Expression(expression) => convert(expression, lines).text()?.to_owned(),
                    };
                    Some((name, line, convert(value.expr(), lines)))
                })
                .collect(),
        ),
        Expression::StringTemplate(template) => template_value(template.iter(), lines),
        Expression::HeredocTemplate(heredoc) => heredoc_value(&heredoc.template, lines),
        Expression::Parenthesis(inner) => convert(inner.inner(), lines),
        Expression::Variable(name) => Value::Reference(name.as_str().to_owned()),
        Expression::Traversal(traversal) => match traversal_text(traversal) {
            Some(text) => Value::Reference(text),
            None => Value::Other(vec![convert(&traversal.expr, lines)]),
        },
        Expression::FuncCall(call) => Value::Call(
            call.name.name.as_str().to_owned(),
            call.args
                .iter()
                .map(|argument| convert(argument, lines))
                .collect(),
        ),
        Expression::Conditional(conditional) => Value::Other(vec![
            convert(&conditional.cond_expr, lines),
            convert(&conditional.true_expr, lines),
            convert(&conditional.false_expr, lines),
        ]),
        Expression::UnaryOp(operation) => Value::Other(vec![convert(&operation.expr, lines)]),
        Expression::BinaryOp(operation) => Value::Other(vec![
            convert(&operation.lhs_expr, lines),
            convert(&operation.rhs_expr, lines),
        ]),
        Expression::ForExpr(expression) => Value::Other(vec![convert(&expression.value_expr, lines)]),
    }
}

fn heredoc_value(template: &Template, lines: &LineTable) -> Value {
    template_value(template.iter(), lines)
}

fn template_value<'parsed>(elements: impl Iterator<Item = &'parsed Element>, lines: &LineTable) -> Value {
    let mut text = String::new();
    let mut literal = true;
    for element in elements {
        match element {
            Element::Literal(part) => text.push_str(part.value()),
            Element::Interpolation(interpolation) => {
                literal = false;
                match convert(&interpolation.expr, lines) {
                    Value::Reference(reference) => {
                        text.push_str("${");
                        text.push_str(&reference);
                        text.push('}');
                    }
                    _ => text.push_str("${…}"),
                }
            }
            Element::Directive(_) => {
                literal = false;
                text.push_str("${…}");
            }
        }
    }
    if literal {
        Value::Text(text)
    } else {
        Value::Template(text)
    }
}

fn traversal_text(traversal: &Traversal) -> Option<String> {
    let Expression::Variable(name) = &traversal.expr else {
        return None;
    };
    let mut text = name.as_str().to_owned();
    for operator in &traversal.operators {
        match operator.value() {
            TraversalOperator::GetAttr(name) => {
                text.push('.');
                text.push_str(name.as_str());
            }
            TraversalOperator::AttrSplat(_) => text.push_str(".*"),
            TraversalOperator::FullSplat(_) => text.push_str("[*]"),
            TraversalOperator::LegacyIndex(index) => {
                text.push('.');
                text.push_str(&index.value().to_string());
            }
            TraversalOperator::Index(expression) => match expression {
                Expression::String(key) => {
                    text.push_str("[\"");
                    text.push_str(key.value());
                    text.push_str("\"]");
                }
                Expression::Number(number) => {
                    text.push('[');
                    text.push_str(&number.value().to_string());
                    text.push(']');
                }
                _ => text.push_str("[…]"),
            },
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"# comment
resource "aws_db_instance" "main" {
  engine         = "postgres"
  port           = 5432
  multi_az       = true
  subnets        = ["a", var.b]
  address        = aws_vpc.main[0].id
  url            = "postgres://${var.user}:${lower("X")}@host"
  user_data      = <<-EOT
    hello
  EOT
  tags = {
    Name = "x"
    "k/v" = var.y
  }

  timeouts {
    create = "1h"
  }
}
"#;

    #[test]
    fn blocks_attributes_and_values() {
        let (body, problem) = body(TEXT);
        assert_eq!(problem, None);
        let block = body.block("resource").expect("a resource");
        assert_eq!((block.line, block.label(1)), (2, Some("main")));
        let get = |name: &str| block.body.get(name).expect("an attribute");
        assert_eq!(get("engine").text(), Some("postgres"));
        assert_eq!(get("port").text(), Some("5432"));
        assert_eq!(get("multi_az").boolean(), Some(true));
        let reference = |value: &Value| match value {
            Value::Reference(text) => text.clone(),
            _ => String::new(),
        };
        assert_eq!(reference(&get("subnets").items()[1]), "var.b");
        assert_eq!(reference(get("address")), "aws_vpc.main[0].id");
        let Value::Template(url) = get("url") else {
            panic!("a template")
        };
        assert_eq!(url, "postgres://${var.user}:${…}@host");
        assert!(get("user_data").text().is_some_and(|text| text.contains("hello")));
        assert_eq!(get("tags").get("k/v").map(reference).as_deref(), Some("var.y"));
        assert_eq!(get("tags").entries()[1].1, 14);
        assert_eq!(block.body.block("timeouts").map(|block| block.line), Some(17));
        assert_eq!(
            block.body.attribute("url").map(|attribute| attribute.line),
            Some(8)
        );
    }

    #[test]
    fn problems_quote_nothing() {
        let (body, problem) = body("a = 1\nb = hunter2 hunter3\n");
        assert!(body.attributes.is_empty());
        assert_eq!(problem.map(|problem| problem.line), Some(2));
    }

    #[test]
    fn deep_nesting_is_refused() {
        for part in ["[", "{a=", "(", "!", "a ? ", "\"${", "f(", "a {\n"] {
            assert!(body(&format!("x = {}", part.repeat(100_000))).1.is_some());
            assert!(body(&part.repeat(100_000)).1.is_some());
        }
        assert!(body(&format!("x = 1{}", " + 1".repeat(100_000))).1.is_some());
    }
}
