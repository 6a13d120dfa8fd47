//! The files of a tree: listed once, each read at most once by the scan.

use std::collections::BTreeMap;
use std::path::PathBuf;

use playbook_core::diagnostic::{Diagnostic, DiagnosticKind};
use playbook_core::path::RelPath;

use crate::limits;
use crate::walk::{self, Entry};

/// Where the bytes come from.
enum Store {
    Disk(PathBuf),
    /// Fixtures of tests.
    Memory(BTreeMap<RelPath, String>),
}

/// The files of a tree.
pub(crate) struct FileIndex {
    /// Sorted by path.
    entries: Vec<Entry>,
    store: Store,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl FileIndex {
    /// Lists a folder, with so many threads or one a processor.
    pub(crate) fn of_folder(root: PathBuf, skip_file: Option<(u64, u64)>, threads: Option<usize>) -> Self {
        let tree = walk::walk(&root, skip_file, threads);
        Self {
            entries: tree.files,
            store: Store::Disk(root),
            diagnostics: tree.diagnostics,
        }
    }

    /// An index of texts in memory, for tests. Paths that lead out of the root are left out.
    pub(crate) fn of_texts<'a>(texts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let texts: BTreeMap<RelPath, String> = texts
            .into_iter()
            .filter_map(|(path, text)| Some((RelPath::new(path)?, text.to_owned())))
            .collect();
        let entries = texts
            .keys()
            .map(|path| Entry {
                path: path.clone(),
                ignored: false,
            })
            .collect();
        Self {
            entries,
            store: Store::Memory(texts),
            diagnostics: Vec::new(),
        }
    }

    /// The files, sorted by path.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Is there a file of this path?
    pub(crate) fn contains(&self, path: &RelPath) -> bool {
        self.entries
            .binary_search_by(|entry| entry.path.cmp(path))
            .is_ok()
    }

    /// Is there a file of this name in the folder?
    pub(crate) fn has(&self, folder: &RelPath, name: &str) -> bool {
        folder.join(name).is_some_and(|path| self.contains(&path))
    }

    /// The files below a folder, at any depth, sorted.
    pub(crate) fn below<'a>(&'a self, folder: &'a RelPath) -> impl Iterator<Item = &'a RelPath> {
        // Sorted by their bytes, the files of a folder stand side by side, at and after the folder's name with a slash.
        let first = if folder.is_root() {
            0
        } else {
            self.entries
                .partition_point(|entry| entry.path.as_str().as_bytes() < folder.as_str().as_bytes())
        };
        let after = move |path: &RelPath| match path.as_str().as_bytes().get(folder.as_str().len()) {
            Some(next) => path.as_str().starts_with(folder.as_str()) && *next <= b'/',
            None => path.as_str() == folder.as_str(),
        };
        self.entries
            .get(first..)
            .unwrap_or_default()
            .iter()
            .map(|entry| &entry.path)
            .take_while(move |path| folder.is_root() || after(path))
            .filter(move |path| path.is_in(folder))
    }

    /// The text of a file, without its byte order mark.
    pub(crate) fn read(&self, path: &RelPath) -> Result<String, DiagnosticKind> {
        let text = match &self.store {
            Store::Memory(texts) => texts.get(path).cloned().ok_or(DiagnosticKind::Unreadable)?,
            Store::Disk(root) => decode(walk::read(root, path, limits::FILE_BYTES)?)?,
        };
        Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
    }
}

/// UTF-8 (also with a few invalid bytes, which become replacement characters) and UTF-16 with a byte order mark.
pub(crate) fn decode(bytes: Vec<u8>) -> Result<String, DiagnosticKind> {
    match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => Ok(utf16(rest, u16::from_le_bytes)),
        [0xfe, 0xff, rest @ ..] => Ok(utf16(rest, u16::from_be_bytes)),
        _ if bytes.contains(&0) => Err(DiagnosticKind::NotText),
        _ => String::from_utf8(bytes)
            .or_else(|error| Ok(String::from_utf8_lossy(error.as_bytes()).into_owned())),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units = bytes.chunks_exact(2).filter_map(|pair| match pair {
        [a, b] => Some(unit([*a, *b])),
        _ => None,
    });
    char::decode_utf16(units)
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .filter(|c| *c != '\0')
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_what_editors_write() {
        assert_eq!(decode(b"\xff\xfea\0b\0".to_vec()), Ok("ab".to_owned()));
        assert_eq!(decode(b"a\0b".to_vec()), Err(DiagnosticKind::NotText));
        assert!(decode(b"a\xffb".to_vec()).is_ok());
    }

    #[test]
    fn finds_files() {
        let index = FileIndex::of_texts([("a/b.txt", "x"), ("c.txt", "\u{feff}y")]);
        assert!(index.has(&RelPath::root(), "c.txt"));
        assert_eq!(index.below(&RelPath::new("a").expect("a plain path")).count(), 1);
        assert_eq!(
            index.read(&RelPath::new("c.txt").expect("a plain path")),
            Ok("y".to_owned())
        );
    }
}
