//! Python text as statements, calls, strings and imports: what the detectors need of the grammar, and no more.
//!
//! Nothing here recurses over the input, and each byte is looked at a bounded number of times.

mod names;
mod text;
mod values;

use std::cell::OnceCell;
use std::collections::BTreeMap;

use playbook_core::path::RelPath;

use self::text::{Text, mask, structure};
use crate::source::Source;

/// A logical line: it may span several lines of the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Statement {
    /// Offset of its first character that is no blank.
    pub(super) start: usize,
    /// Offset behind its last character.
    pub(super) end: usize,
    /// Column of its first character.
    pub(super) indent: usize,
}

/// A call, with its name as written: `app.get`, `.get` for a call on another call's result.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'a> {
    /// The name.
    pub(super) name: &'a str,
    /// Offset of the name.
    pub(super) start: usize,
    /// Offset of the opening parenthesis.
    pub(super) open: usize,
    /// Offset of the closing one.
    pub(super) close: usize,
}

/// A stretch of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    /// Offset of its first byte.
    pub(super) start: usize,
    /// Offset behind its last byte.
    pub(super) end: usize,
}

/// An argument of a call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Argument<'a> {
    /// Its keyword.
    pub(super) keyword: Option<&'a str>,
    /// Its value.
    pub(super) value: Span,
}

/// A function or class.
#[derive(Debug, Clone)]
pub(super) struct Definition<'a> {
    /// Is it a class?
    pub(super) class: bool,
    /// Its name.
    pub(super) name: &'a str,
    /// What stands between its parentheses.
    pub(super) parameters: Span,
    /// Its own statement.
    pub(super) head: Statement,
    /// Numbers of the statements of its decorators, in order.
    pub(super) decorators: Vec<usize>,
    /// Numbers of its statements: from the first to behind the last.
    pub(super) body: (usize, usize),
}

/// The text of a file with its structure.
pub(super) struct Code<'a> {
    /// The file.
    pub(super) source: &'a Source<'a>,
    text: &'a str,
    /// The text with blanks in place of comments and of what is between quotes; the same length.
    mask: String,
    strings: Vec<Text>,
    /// Offsets of brackets that belong together, sorted by the opening one.
    brackets: Vec<(usize, usize)>,
    statements: Vec<Statement>,
    /// For each statement the number of the one whose block it stands in.
    parents: Vec<Option<usize>>,
    /// The calls, by the offsets of their parentheses.
    calls: Vec<Call<'a>>,
    /// Defaults of command-line options by the names of the options without dashes.
    options: OnceCell<BTreeMap<String, Span>>,
    /// Local names with what they stand for: `sa` → `sqlalchemy`, `FastAPI` → `fastapi.FastAPI`.
    imports: BTreeMap<String, String>,
    /// The imported modules with the numbers of their statements.
    pub(super) modules: Vec<(String, usize)>,
    /// The values that names get at the top level; the last one counts.
    constants: BTreeMap<&'a str, Span>,
    /// The values that names get anywhere, with the offsets of their statements.
    values: BTreeMap<&'a str, Vec<(usize, Span)>>,
}

impl<'a> Code<'a> {
    /// Reads a file.
    pub(super) fn new(source: &'a Source<'a>) -> Self {
        let (mask, strings) = mask(source.text);
        let (brackets, statements) = structure(&mask);
        let mut code = Self {
            source,
            text: source.text,
            mask,
            strings,
            brackets,
            parents: parents(&statements),
            statements,
            calls: Vec::new(),
            options: OnceCell::new(),
            imports: BTreeMap::new(),
            modules: Vec::new(),
            constants: BTreeMap::new(),
            values: BTreeMap::new(),
        };
        code.calls = code
            .brackets
            .iter()
            .filter_map(|(open, close)| code.call_at(*open, *close))
            .collect();
        code.read_imports();
        let mut values: BTreeMap<&'a str, Vec<(usize, Span)>> = BTreeMap::new();
        let mut constants: BTreeMap<&'a str, Span> = BTreeMap::new();
        for statement in &code.statements {
            if let Some((name, _, Some(value))) = code.assignment(*statement) {
                values.entry(name).or_default().push((statement.start, value));
                if statement.indent == 0 {
                    constants.insert(name, value);
                }
            }
        }
        code.values = values;
        code.constants = constants;
        code
    }

    /// The statements in order.
    pub(super) fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// The statement of a number.
    pub(super) fn statement(&self, number: usize) -> Option<Statement> {
        self.statements.get(number).copied()
    }

    /// Number of the statement that holds an offset.
    pub(super) fn statement_at(&self, offset: usize) -> usize {
        self.statements
            .partition_point(|statement| statement.start <= offset)
            .saturating_sub(1)
    }

    /// Number of the statement whose block holds the one of this number.
    pub(super) fn parent(&self, number: usize) -> Option<usize> {
        self.parents.get(number).copied().flatten()
    }

    /// The default of a command-line option: `--port` of `add_argument("--port", default=8000)`, `port` of
    /// `define("port", default=8000)`.
    pub(super) fn option_default(&self, name: &str) -> Option<Span> {
        let options = self.options.get_or_init(|| {
            let mut found = BTreeMap::new();
            for call in &self.calls {
                let method = call.name.rsplit('.').next().unwrap_or(call.name);
                if !matches!(
                    method,
                    "add_argument" | "option" | "define" | "Option" | "add_option"
                ) {
                    continue;
                }
                let arguments = self.arguments(call);
                let default = arguments
                    .iter()
                    .find(|argument| argument.keyword == Some("default"));
                let Some(default) = default else { continue };
                for argument in arguments.iter().filter(|argument| argument.keyword.is_none()) {
                    if let Some(text) = self.string(argument.value) {
                        let plain = text.trim_start_matches('-').replace('-', "_");
                        found.entry(plain).or_insert(default.value);
                    }
                }
            }
            found
        });
        options.get(name).copied()
    }

    /// The line of an offset.
    pub(super) fn line(&self, offset: usize) -> u32 {
        self.source.line_of(offset)
    }

    /// Code between two offsets: strings and comments are blank.
    pub(super) fn code(&self, start: usize, end: usize) -> &str {
        self.mask.get(start..end).unwrap_or_default()
    }

    /// Code of a span without blanks at its ends.
    pub(super) fn code_of(&self, span: Span) -> &str {
        self.code(span.start, span.end).trim()
    }

    /// Code of a statement.
    pub(super) fn statement_code(&self, statement: Statement) -> &str {
        self.code(statement.start, statement.end)
    }

    /// The text between two offsets as it stands in the file.
    pub(super) fn written(&self, span: Span) -> &'a str {
        self.text.get(span.start..span.end).unwrap_or_default().trim()
    }

    /// A span without blanks at its ends.
    pub(super) fn trimmed(&self, start: usize, end: usize) -> Span {
        let code = self.text.get(start..end).unwrap_or_default();
        let left = code.len() - code.trim_start().len();
        Span {
            start: start + left,
            end: (start + left + code.trim().len()).min(end.max(start)),
        }
    }

    /// Where the bracket that is opened at an offset is closed.
    pub(super) fn closing(&self, open: usize) -> Option<usize> {
        let at = self.brackets.binary_search_by_key(&open, |pair| pair.0).ok()?;
        self.brackets.get(at).map(|pair| pair.1)
    }

    /// All calls, in order.
    pub(super) fn calls(&self) -> Vec<Call<'a>> {
        self.calls.clone()
    }

    /// The calls that begin within a span.
    pub(super) fn calls_in(&self, span: Span) -> Vec<Call<'a>> {
        let from = self.calls.partition_point(|call| call.open < span.start);
        self.calls
            .iter()
            .skip(from)
            .take_while(|call| call.open < span.end)
            .copied()
            .collect()
    }

    fn call_at(&self, open: usize, close: usize) -> Option<Call<'a>> {
        let before = self.mask.get(..open)?;
        if !self.mask.get(open..)?.starts_with('(') {
            return None;
        }
        let name = trailing_path(before);
        let start = open - name.len();
        if name.is_empty()
            || matches!(
                name,
                "if" | "elif" | "in" | "not" | "and" | "or" | "return" | "print"
            )
        {
            return None;
        }
        let word = before.get(..start)?.trim_end_matches([' ', '\t']);
        if word.len() < start && (word.ends_with("def") || word.ends_with("class")) {
            return None;
        }
        Some(Call {
            name: self.text.get(start..open)?,
            start,
            open,
            close,
        })
    }
}

/// A piece of a formatted string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Text as it is.
    Text(&'a str),
    /// An expression.
    Code(&'a str),
}

/// The name of the module that a file is: `backend/app/__init__.py` is `backend.app`.
pub(super) fn module_of(path: &RelPath) -> String {
    let stem = path.name().strip_suffix(".py").unwrap_or(path.name());
    let folder = path.parent();
    let parts: Vec<&str> = folder
        .components()
        .chain((stem != "__init__").then_some(stem))
        .collect();
    parts.join(".")
}

/// For each statement the nearest one before it that stands further left.
fn parents(statements: &[Statement]) -> Vec<Option<usize>> {
    let mut open: Vec<(usize, usize)> = Vec::new();
    let mut found = Vec::with_capacity(statements.len());
    for (number, statement) in statements.iter().enumerate() {
        while open.last().is_some_and(|(indent, _)| *indent >= statement.indent) {
            open.pop();
        }
        found.push(open.last().map(|(_, number)| *number));
        open.push((statement.indent, number));
    }
    found
}

/// The identifier with dots at the end of a text.
fn trailing_path(text: &str) -> &str {
    let start = text
        .char_indices()
        .rev()
        .take_while(|(_, c)| c.is_alphanumeric() || matches!(c, '_' | '.'))
        .last()
        .map_or(text.len(), |(at, _)| at);
    text.get(start..).unwrap_or_default()
}
