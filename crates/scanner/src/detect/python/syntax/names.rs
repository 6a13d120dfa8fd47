//! Names: what imports, assignments and definitions make of them.

use std::collections::BTreeMap;

use super::{Code, Definition, Span, Statement, module_of};

impl<'a> Code<'a> {
    /// What a name stands for, by the imports of the file: `sa.create_engine` → `sqlalchemy.create_engine`.
    pub(in super::super) fn full_name(&self, path: &str) -> String {
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
    pub(in super::super) fn imported(&self, name: &str) -> Option<&str> {
        self.imports.get(name).map(String::as_str)
    }

    /// Does the file import a module or something of it?
    pub(in super::super) fn uses(&self, module: &str) -> bool {
        self.modules.iter().any(|(name, _)| {
            name == module
                || name
                    .strip_prefix(module)
                    .is_some_and(|rest| rest.starts_with('.'))
        })
    }

    /// Name and value of an assignment to a single plain name or attribute, with or without annotation.
    pub(in super::super) fn assignment(
        &self,
        statement: Statement,
    ) -> Option<(&'a str, Option<Span>, Option<Span>)> {
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
    pub(in super::super) fn constant(&self, name: &str) -> Option<Span> {
        self.constants.get(name).copied()
    }

    /// The value that a name got last before an offset, else the one that the top level gives it.
    pub(in super::super) fn value_before(&self, name: &str, offset: usize) -> Option<Span> {
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
    pub(in super::super) fn text_or_constant(&self, span: Span) -> Option<String> {
        self.string(span).or_else(|| {
            let name = self.path(span)?;
            self.string(self.constant(name)?)
        })
    }

    /// The functions and classes with their decorators and bodies.
    pub(in super::super) fn definitions(&self) -> Vec<Definition<'a>> {
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
    pub(in super::super) fn block_end(&self, number: usize) -> usize {
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
    pub(in super::super) fn stretch(&self, body: (usize, usize)) -> Span {
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
    pub(in super::super) fn module_name(&self) -> String {
        module_of(self.source.path)
    }

    /// The name of a module from the root, as far as the file's own place shows it: `app.api.users` as an import of
    /// `backend/app/main.py` is `backend.app.api.users`. Where the place shows nothing it stays as written, and is the
    /// end of the whole name.
    pub(in super::super) fn rooted(&self, module: &str) -> String {
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

    pub(super) fn read_imports(&mut self) {
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
