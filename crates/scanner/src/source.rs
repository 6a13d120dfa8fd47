//! One file as a detector sees it.

use std::cell::OnceCell;

use playbook_core::evidence::{Evidence, Scope};
use playbook_core::inventory::{Stack, Unit};
use playbook_core::path::RelPath;
use playbook_core::shown::Shown;

/// One file: its path, its text without byte order mark, and what its place says.
pub(crate) struct Source<'a> {
    /// Where it is.
    pub(crate) path: &'a RelPath,
    /// Its text.
    pub(crate) text: &'a str,
    /// What its place says about its use.
    pub(crate) scope: Scope,
    /// Does version control ignore it? Then its values are not committed.
    pub(crate) ignored: bool,
    lines: OnceCell<Vec<usize>>,
}

impl<'a> Source<'a> {
    /// A file with its text.
    pub(crate) fn new(path: &'a RelPath, text: &'a str, scope: Scope, ignored: bool) -> Self {
        Self {
            path,
            text,
            scope,
            ignored,
            lines: OnceCell::new(),
        }
    }

    /// Evidence for a line of it.
    pub(crate) fn at(&self, line: u32) -> Evidence {
        Evidence::at(self.path, line)
    }

    /// Evidence for its existence.
    pub(crate) fn file(&self) -> Evidence {
        Evidence::file(self.path)
    }

    /// The stack that it describes on its own.
    pub(crate) fn stack(&self, kind: &'static str, units: Vec<Unit>) -> Stack {
        Stack {
            kind: Shown::from(kind),
            files: vec![self.path.clone()],
            scope: self.scope,
            name: None,
            units,
            volumes: Vec::new(),
            networks: Vec::new(),
            outside_secrets: Vec::new(),
            outside_networks: Vec::new(),
            groups: Vec::new(),
            confirmed_by: Vec::new(),
            evidence: vec![self.file()],
        }
    }

    /// The line of a byte offset, counted from 1.
    pub(crate) fn line_of(&self, offset: usize) -> u32 {
        let starts = self.lines.get_or_init(|| {
            std::iter::once(0)
                .chain(
                    self.text
                        .bytes()
                        .enumerate()
                        .filter(|(_, b)| *b == b'\n')
                        .map(|(at, _)| at + 1),
                )
                .collect()
        });
        u32::try_from(starts.partition_point(|start| *start <= offset)).unwrap_or(u32::MAX)
    }

    /// The lines with their numbers.
    pub(crate) fn numbered_lines(&self) -> impl Iterator<Item = (u32, &'a str)> {
        self.text.lines().zip(1u32..).map(|(line, number)| (number, line))
    }

    /// The line of the first occurrence of a text, for evidence of something that is known to be there.
    pub(crate) fn line_with(&self, needle: &str) -> Option<u32> {
        self.text.find(needle).map(|at| self.line_of(at))
    }

    /// Does it hold for production?
    pub(crate) fn is_production(&self) -> bool {
        self.scope == Scope::Production
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_count_from_one() {
        let path = RelPath::new("a").expect("a plain path");
        let source = Source::new(&path, "a\nbc\n\nd", Scope::Production, false);
        let lines: Vec<u32> = [0, 1, 2, 3, 5, 6]
            .into_iter()
            .map(|at| source.line_of(at))
            .collect();
        assert_eq!(lines, [1, 1, 2, 2, 3, 4]);
        assert_eq!(source.line_with("d"), Some(4));
    }
}
