//! Python text as statements, calls, strings and imports: what the detectors need of the grammar, and no more.
//!
//! Nothing here recurses over the input, and each byte is looked at a bounded number of times.

mod text;

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
        for statement in &code.statements {
            if let Some((name, _, Some(value))) = code.assignment(*statement) {
                values.entry(name).or_default().push((statement.start, value));
            }
        }
        code.values = values;
        code.constants = code
            .statements
            .iter()
            .filter(|statement| statement.indent == 0)
            .filter_map(|statement| match code.assignment(*statement)? {
                (name, _, Some(value)) => Some((name, value)),
                _ => None,
            })
            .collect();
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

    /// The arguments of a call.
    pub(super) fn arguments(&self, call: &Call<'_>) -> Vec<Argument<'a>> {
        self.items(Span {
            start: call.open + 1,
            end: call.close,
        })
        .into_iter()
        .map(|span| self.argument(span))
        .collect()
    }

    fn argument(&self, span: Span) -> Argument<'a> {
        let code = self.code(span.start, span.end);
        let name_end = code
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(code.len());
        let rest = code.get(name_end..).unwrap_or_default();
        let blanks = rest.len() - rest.trim_start().len();
        if name_end > 0 && rest.trim_start().starts_with('=') && !rest.trim_start().starts_with("==") {
            return Argument {
                keyword: self.text.get(span.start..span.start + name_end),
                value: self.trimmed(span.start + name_end + blanks + 1, span.end),
            };
        }
        Argument {
            keyword: None,
            value: span,
        }
    }

    /// What stands between the commas of a span, brackets inside kept whole. Empty items are left out.
    pub(super) fn items(&self, span: Span) -> Vec<Span> {
        self.split(span, b',')
    }

    /// What stands between the separators of a span, brackets inside kept whole.
    pub(super) fn split(&self, span: Span, separator: u8) -> Vec<Span> {
        let bytes = self.mask.as_bytes();
        let mut found = Vec::new();
        let mut from = span.start;
        let mut at = span.start;
        while at < span.end {
            match bytes.get(at) {
                Some(b'(' | b'[' | b'{') => at = self.closing(at).unwrap_or(at),
                Some(byte) if *byte == separator => {
                    found.push(self.trimmed(from, at));
                    from = at + 1;
                }
                None => break,
                _ => {}
            }
            at += 1;
        }
        found.push(self.trimmed(from, span.end));
        found.retain(|item| item.start < item.end && !self.code_of(*item).is_empty());
        // A comment before an item belongs to nothing.
        found.into_iter().map(|item| self.without_comment(item)).collect()
    }

    fn without_comment(&self, span: Span) -> Span {
        let code = self.code(span.start, span.end);
        let blank = code.len() - code.trim_start().len();
        Span {
            start: span.start + blank,
            end: span.start + code.trim_end().len(),
        }
    }

    /// The items of a list, tuple or set literal (or of a call of `list`, `tuple` or `set` with one).
    pub(super) fn list(&self, span: Span) -> Option<Vec<Span>> {
        let code = self.code_of(span);
        if !code.starts_with(['[', '(', '{']) || self.closing(span.start)? + 1 != span.end {
            return None;
        }
        Some(self.items(Span {
            start: span.start + 1,
            end: span.end - 1,
        }))
    }

    /// Keys and values of a dictionary literal; keys that are no plain strings are left out.
    pub(super) fn dictionary(&self, span: Span) -> Vec<(String, Span)> {
        let Some(items) = self.list(span) else {
            return Vec::new();
        };
        items
            .into_iter()
            .filter_map(|item| {
                let colon = self.split(item, b':');
                let (key, first_value) = (colon.first()?, colon.get(1)?);
                Some((
                    self.string(*key)?,
                    Span {
                        start: first_value.start,
                        end: item.end,
                    },
                ))
            })
            .collect()
    }

    /// The text of a span that is nothing but string literals, put together. `None` for formatted strings with
    /// expressions in them.
    pub(super) fn string(&self, span: Span) -> Option<String> {
        let mut span = self.without_comment(span);
        // Parentheses around a literal that spans lines.
        while self.code_of(span).starts_with('(') && self.closing(span.start)? + 1 == span.end {
            span = self.without_comment(Span {
                start: span.start + 1,
                end: span.end - 1,
            });
        }
        let parts = self.strings_in(span);
        let mut rest = self.code(span.start, span.end).to_owned();
        let mut whole = String::new();
        for part in &parts {
            let content = self.text.get(part.content.0..part.content.1)?;
            if part.formatted && content.contains('{') {
                return None;
            }
            if part.raw {
                whole.push_str(content);
            } else {
                whole.push_str(&unescaped(content));
            }
            let (from, to) = (
                part.start.checked_sub(span.start)?,
                part.end.checked_sub(span.start)?,
            );
            rest.get(from..to)?;
            rest.replace_range(from..to, &" ".repeat(to - from));
        }
        (!parts.is_empty() && rest.trim().is_empty()).then_some(whole)
    }

    /// The pieces of a string literal: text and code in turn. `f"{settings.API}/x"` is code and text.
    pub(super) fn pieces(&self, span: Span) -> Vec<Piece<'a>> {
        let mut found = Vec::new();
        for part in self.strings_in(span) {
            let content = self.text.get(part.content.0..part.content.1).unwrap_or_default();
            if !part.formatted {
                found.push(Piece::Text(content));
                continue;
            }
            let mut rest = content;
            while let Some((text, after)) = rest.split_once('{') {
                if !text.is_empty() {
                    found.push(Piece::Text(text));
                }
                let (code, behind) = after.split_once('}').unwrap_or((after, ""));
                found.push(Piece::Code(code.trim()));
                rest = behind;
            }
            if !rest.is_empty() {
                found.push(Piece::Text(rest));
            }
        }
        found
    }

    fn strings_in(&self, span: Span) -> Vec<&Text> {
        let from = self.strings.partition_point(|text| text.start < span.start);
        self.strings
            .iter()
            .skip(from)
            .take_while(|text| text.end <= span.end)
            .collect()
    }

    /// The texts of all plain string literals in a span.
    pub(super) fn texts_in(&self, span: Span) -> Vec<(&'a str, usize)> {
        self.strings_in(span)
            .iter()
            .filter_map(|part| Some((self.text.get(part.content.0..part.content.1)?, part.start)))
            .collect()
    }

    /// A span that is a name with dots, such as `settings.API_V1_STR`.
    pub(super) fn path(&self, span: Span) -> Option<&'a str> {
        let span = self.without_comment(span);
        let code = self.code_of(span);
        let named = code.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && code
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
        named.then(|| self.written(span))
    }

    /// A number in a span.
    pub(super) fn number(&self, span: Span) -> Option<u64> {
        self.code_of(self.without_comment(span))
            .replace('_', "")
            .parse()
            .ok()
    }

    /// What a name stands for, by the imports of the file: `sa.create_engine` → `sqlalchemy.create_engine`.
    pub(super) fn full_name(&self, path: &str) -> String {
        let (head, rest) = path
            .split_once('.')
            .map_or((path, ""), |(head, rest)| (head, rest));
        match self.imports.get(head) {
            Some(full) if rest.is_empty() => full.clone(),
            Some(full) => format!("{full}.{rest}"),
            None => path.to_owned(),
        }
    }

    /// Is a name imported by this file?
    pub(super) fn imported(&self, name: &str) -> Option<&str> {
        self.imports.get(name).map(String::as_str)
    }

    /// Does the file import a module or something of it?
    pub(super) fn uses(&self, module: &str) -> bool {
        self.modules.iter().any(|(name, _)| {
            name == module
                || name
                    .strip_prefix(module)
                    .is_some_and(|rest| rest.starts_with('.'))
        })
    }

    /// Name and value of an assignment to a single plain name or attribute, with or without annotation.
    pub(super) fn assignment(&self, statement: Statement) -> Option<(&'a str, Option<Span>, Option<Span>)> {
        let code = self.statement_code(statement);
        let end = code
            .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.')))
            .unwrap_or(code.len());
        let name = self
            .text
            .get(statement.start..statement.start + end)
            .filter(|name| !name.is_empty())?;
        let rest = code.get(end..)?;
        let trimmed = rest.trim_start();
        let at = statement.start + end + (rest.len() - trimmed.len());
        if trimmed.starts_with('=') && !trimmed.starts_with("==") {
            return Some((name, None, Some(self.trimmed(at + 1, statement.end))));
        }
        if !trimmed.starts_with(':') || matches!(name, "else" | "try" | "finally" | "lambda") {
            return None;
        }
        let parts = self.split(
            Span {
                start: at + 1,
                end: statement.end,
            },
            b'=',
        );
        let annotation = parts.first().copied()?;
        let value = parts.get(1).map(|value| self.trimmed(value.start, statement.end));
        Some((
            name,
            Some(annotation),
            value.map(|value| self.without_comment(value)),
        ))
    }

    /// The value that a name gets at the top level of the file; the last one counts.
    pub(super) fn constant(&self, name: &str) -> Option<Span> {
        self.constants.get(name).copied()
    }

    /// The value that a name got last before an offset, else the one that the top level gives it.
    pub(super) fn value_before(&self, name: &str, offset: usize) -> Option<Span> {
        let values = self.values.get(name)?;
        let before = values.partition_point(|(at, _)| *at < offset);
        before
            .checked_sub(1)
            .and_then(|last| values.get(last))
            .map(|(_, value)| *value)
            .filter(|value| !(value.start <= offset && offset < value.end))
            .or_else(|| {
                self.constant(name)
                    .filter(|value| !(value.start <= offset && offset < value.end))
            })
    }

    /// A string literal, or a name of the top level that is one.
    pub(super) fn text_or_constant(&self, span: Span) -> Option<String> {
        self.string(span).or_else(|| {
            let name = self.path(span)?;
            self.string(self.constant(name)?)
        })
    }

    /// The functions and classes with their decorators and bodies.
    pub(super) fn definitions(&self) -> Vec<Definition<'a>> {
        let mut found = Vec::new();
        let mut decorators = Vec::new();
        for (number, statement) in self.statements.iter().enumerate() {
            let code = self.statement_code(*statement);
            if code.starts_with('@') {
                decorators.push(number);
                continue;
            }
            let taken = std::mem::take(&mut decorators);
            let class = code.starts_with("class ");
            let word = ["class ", "def ", "async def "]
                .into_iter()
                .find(|word| code.starts_with(word));
            let Some(word) = word else { continue };
            let rest = code.get(word.len()..).unwrap_or_default();
            let blanks = rest.len() - rest.trim_start().len();
            let from = statement.start + word.len() + blanks;
            let length = rest
                .trim_start()
                .find(|c: char| !(c.is_alphanumeric() || c == '_'))
                .unwrap_or_default();
            let open = from + length;
            let parameters = match self.closing(open) {
                Some(close) => Span {
                    start: open + 1,
                    end: close,
                },
                None => Span {
                    start: open,
                    end: open,
                },
            };
            found.push(Definition {
                class,
                name: self.text.get(from..open).unwrap_or_default(),
                parameters,
                head: *statement,
                decorators: taken,
                body: (number + 1, self.block_end(number)),
            });
        }
        found
    }

    /// Number of the first statement behind the block that a statement opens.
    pub(super) fn block_end(&self, number: usize) -> usize {
        let Some(head) = self.statement(number) else {
            return number;
        };
        let inside = self
            .statements
            .iter()
            .skip(number + 1)
            .take_while(|statement| statement.indent > head.indent)
            .count();
        number + 1 + inside
    }

    /// The stretch of a run of statements.
    pub(super) fn stretch(&self, body: (usize, usize)) -> Span {
        let start = self.statement(body.0).map_or(0, |statement| statement.start);
        let end = body
            .1
            .checked_sub(1)
            .filter(|last| *last >= body.0)
            .and_then(|last| self.statement(last))
            .map_or(start, |statement| statement.end);
        Span { start, end }
    }

    /// The folder and name of the module that this file is, with dots: `backend.app.main`.
    pub(super) fn module_name(&self) -> String {
        module_of(self.source.path)
    }

    /// The name of a module from the root, as far as the file's own place shows it: `app.api.users` as an import of
    /// `backend/app/main.py` is `backend.app.api.users`. Where the place shows nothing it stays as written, and is the
    /// end of the whole name.
    pub(super) fn rooted(&self, module: &str) -> String {
        let first = module.split('.').next().unwrap_or(module);
        let folder = self.source.path.parent();
        let own: Vec<&str> = folder.components().collect();
        let base = own.iter().position(|part| *part == first).unwrap_or_default();
        let parts: Vec<&str> = own
            .get(..base)
            .unwrap_or_default()
            .iter()
            .copied()
            .chain(module.split('.').filter(|part| !part.is_empty()))
            .collect();
        parts.join(".")
    }

    fn read_imports(&mut self) {
        let mut imports = BTreeMap::new();
        let mut modules = Vec::new();
        for (number, statement) in self.statements.iter().enumerate() {
            let code: String = self
                .statement_code(*statement)
                .replace(['(', ')', '\\', '\n', '\r'], " ");
            if let Some(rest) = code.strip_prefix("import ") {
                for part in rest.split(',') {
                    let mut words = part.split_whitespace();
                    let Some(module) = words.next() else { continue };
                    modules.push((module.to_owned(), number));
                    if let (Some("as"), Some(alias)) = (words.next(), words.next()) {
                        imports.insert(alias.to_owned(), module.to_owned())
                    } else {
                        let head = module.split('.').next().unwrap_or(module);
                        imports.insert(head.to_owned(), head.to_owned())
                    };
                }
            } else if let Some((module, names)) = code
                .strip_prefix("from ")
                .and_then(|rest| rest.split_once(" import "))
            {
                let Some(module) = self.absolute(module.trim()) else {
                    continue;
                };
                modules.push((module.clone(), number));
                for part in names.split(',') {
                    let mut words = part.split_whitespace();
                    let Some(name) = words.next() else { continue };
                    let alias = match (words.next(), words.next()) {
                        (Some("as"), Some(alias)) => alias,
                        _ => name,
                    };
                    imports.insert(alias.to_owned(), format!("{module}.{name}"));
                }
            }
        }
        self.imports = imports;
        self.modules = modules;
    }

    /// A module as an import names it, with the leading dots of a relative one replaced by the file's own package.
    fn absolute(&self, module: &str) -> Option<String> {
        let dots = module.len() - module.trim_start_matches('.').len();
        if dots == 0 {
            return Some(module.to_owned());
        }
        let folder = self.source.path.parent();
        let own: Vec<&str> = folder.components().collect();
        let kept = own.get(..own.len().checked_sub(dots - 1)?)?;
        let rest = module.trim_start_matches('.');
        let parts: Vec<&str> = kept
            .iter()
            .copied()
            .chain(rest.split('.').filter(|part| !part.is_empty()))
            .collect();
        Some(parts.join("."))
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

fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            out.push(letter);
            continue;
        }
        match letters.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('\n') | None => {}
            Some(c @ ('\\' | '"' | '\'')) => out.push(c),
            Some(other) => {
                out.push('\\');
                out.push(other);
            }
        }
    }
    out
}
