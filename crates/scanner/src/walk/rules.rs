//! What ignore files leave out of version control (`.gitignore`) and of searches (`.ignore`).
//!
//! Each is read like any other file of the tree: without following a link, without waiting for a pipe, up to a bound.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use playbook_core::diagnostic::{Diagnostic, DiagnosticKind};

use super::{read, relative};
use crate::limits;

/// The names of ignore files; the first outranks the second, wherever they lie.
const NAMES: [&str; 2] = [".ignore", ".gitignore"];

/// The rules of all folders that the walk went into. A folder is entered before anything in it is asked for.
pub(super) struct Rules {
    root: PathBuf,
    /// By folder, for each name.
    of_folders: RwLock<HashMap<PathBuf, [Option<Gitignore>; 2]>>,
    /// Bytes of all ignore files so far.
    bytes: AtomicU64,
    too_many: AtomicBool,
    diagnostics: Mutex<Vec<Diagnostic>>,
}

impl Rules {
    /// The rules of the root itself.
    pub(super) fn new(root: &Path) -> Self {
        let rules = Self {
            root: root.to_owned(),
            of_folders: RwLock::default(),
            bytes: AtomicU64::new(0),
            too_many: AtomicBool::new(false),
            diagnostics: Mutex::default(),
        };
        rules.enter(root);
        rules
    }

    /// Were there more than are applied? Then none of them counts.
    pub(super) fn are_too_many(&self) -> bool {
        self.too_many.load(Ordering::Relaxed)
    }

    /// The ignore files that could not be read.
    pub(super) fn diagnostics(&self) -> Vec<Diagnostic> {
        let found = self.diagnostics.lock().unwrap_or_else(PoisonError::into_inner);
        found.clone()
    }

    /// Takes over the rules of a folder that the walk goes into.
    pub(super) fn enter(&self, folder: &Path) {
        let found = NAMES.map(|name| self.read(folder, name));
        if found.iter().any(Option::is_some) {
            let mut of_folders = self.of_folders.write().unwrap_or_else(PoisonError::into_inner);
            of_folders.insert(folder.to_owned(), found);
        }
    }

    fn read(&self, folder: &Path, name: &str) -> Option<Gitignore> {
        let path = relative(&self.root, &folder.join(name))?;
        let bytes = match read(&self.root, &path, limits::IGNORE_FILE_BYTES) {
            Ok(bytes) => bytes,
            // There is none, or it is a link, which the walk reports.
            Err(DiagnosticKind::Unreadable) => return None,
            Err(kind) => {
                let mut found = self.diagnostics.lock().unwrap_or_else(PoisonError::into_inner);
                found.push(Diagnostic::new(path, None, kind));
                return None;
            }
        };
        let length = bytes.len() as u64;
        if self
            .bytes
            .fetch_add(length, Ordering::Relaxed)
            .saturating_add(length)
            > limits::IGNORE_BYTES
        {
            self.too_many.store(true, Ordering::Relaxed);
            return None;
        }
        let mut builder = GitignoreBuilder::new(folder);
        let text = String::from_utf8_lossy(&bytes);
        for line in text.trim_start_matches('\u{feff}').lines() {
            // A line that is no pattern leaves nothing out.
            let _ = builder.add_line(None, line);
        }
        builder.build().ok().filter(|rules| !rules.is_empty())
    }

    /// Is an entry left out? `depth` counts the folders from the root to it.
    pub(super) fn leave_out(&self, path: &Path, depth: usize, is_folder: bool) -> bool {
        let of_folders = self.of_folders.read().unwrap_or_else(PoisonError::into_inner);
        if of_folders.is_empty() {
            return false;
        }
        let rules: Vec<&[Option<Gitignore>; 2]> = path
            .ancestors()
            .skip(1)
            .take(depth)
            .filter_map(|folder| of_folders.get(folder))
            .collect();
        for kind in 0..NAMES.len() {
            // The nearest folder that says something decides.
            for rules in rules.iter().filter_map(|rules| rules.get(kind)?.as_ref()) {
                let found = rules.matched(path, is_folder);
                if found.is_ignore() {
                    return true;
                }
                if found.is_whitelist() {
                    return false;
                }
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(folder: &str, lines: &[&str]) -> (PathBuf, [Option<Gitignore>; 2]) {
        let mut builder = GitignoreBuilder::new(folder);
        for line in lines {
            builder.add_line(None, line).expect("a pattern");
        }
        (PathBuf::from(folder), [None, builder.build().ok()])
    }

    #[test]
    fn the_nearest_folder_decides() {
        let rules = Rules {
            root: PathBuf::from("/r"),
            of_folders: RwLock::new(HashMap::from([
                rules("/r", &["*.log", "/build/"]),
                rules("/r/a", &["!kept.log", "*.tmp"]),
                // Above the root: never asked.
                rules("/", &["*"]),
            ])),
            bytes: AtomicU64::new(0),
            too_many: AtomicBool::new(false),
            diagnostics: Mutex::default(),
        };
        assert!(rules.leave_out(Path::new("/r/a/x.log"), 2, false));
        assert!(!rules.leave_out(Path::new("/r/a/kept.log"), 2, false));
        assert!(rules.leave_out(Path::new("/r/a/b/x.tmp"), 3, false));
        assert!(!rules.leave_out(Path::new("/r/x.tmp"), 1, false));
        assert!(rules.leave_out(Path::new("/r/kept.log"), 1, false));
        assert!(rules.leave_out(Path::new("/r/build"), 1, true));
        assert!(!rules.leave_out(Path::new("/r/build"), 1, false));
    }
}
