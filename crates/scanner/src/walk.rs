//! The folder as a sorted list of files. Nothing outside of the root is looked at, links are not followed.

mod rules;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ignore::{DirEntry, ParallelVisitor, ParallelVisitorBuilder, WalkBuilder, WalkState};
use playbook_core::diagnostic::{Diagnostic, DiagnosticKind};
use playbook_core::path::RelPath;

use crate::limits;
use crate::scope;
use rules::Rules;

/// A file of the tree.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    /// Where it is.
    pub(crate) path: RelPath,
    /// Does an ignore file leave it out of version control? Only environment files are listed in spite of that.
    pub(crate) ignored: bool,
}

/// What the walk found.
#[derive(Default)]
pub(crate) struct Tree {
    /// Sorted by path.
    pub(crate) files: Vec<Entry>,
    /// What was left out.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Environment files that are looked for although version control ignores them.
const ENVIRONMENT_FILES: &[&str] = &[
    ".env",
    ".env.local",
    ".env.production",
    ".env.development",
    ".env.staging",
];

/// Lists the files below `root`, with so many threads or one a processor. The result does not depend on their number.
pub(crate) fn walk(root: &Path, skip_file: Option<(u64, u64)>, threads: Option<usize>) -> Tree {
    let rules = Arc::new(Rules::new(root));
    let tree = list(root, skip_file, threads, Some(&rules));
    if !rules.are_too_many() {
        return tree;
    }
    // Whoever writes so many rules wants the walk to be slow, and which of them were read first is chance: the tree is
    // listed without any.
    let mut tree = list(root, skip_file, threads, None);
    tree.diagnostics
        .push(Diagnostic::new(RelPath::root(), None, DiagnosticKind::TooComplex));
    tree
}

/// Lists the files below `root`; without rules, whatever ignore files say.
fn list(
    root: &Path,
    skip_file: Option<(u64, u64)>,
    threads: Option<usize>,
    rules: Option<&Arc<Rules>>,
) -> Tree {
    let mut builder = WalkBuilder::new(root);
    let asked = rules.map(Arc::clone);
    // The library's own filters read ignore files of the folders above the root, follow links to them and wait for pipes.
    builder
        .standard_filters(false)
        .follow_links(false)
        .max_depth(Some(limits::DEPTH))
        .threads(threads.unwrap_or_default())
        .filter_entry(move |entry| {
            let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
            if entry.depth() == 0 {
                return true;
            }
            if let Some(rules) = &asked
                && rules.leave_out(entry.path(), entry.depth(), is_folder)
            {
                return false;
            }
            if !is_folder {
                return true;
            }
            let skipped = entry
                .file_name()
                .to_str()
                .is_some_and(|name| scope::is_skipped_directory(name) || holds_marker(entry.path(), name));
            if let Some(rules) = asked.as_ref().filter(|_| !skipped) {
                rules.enter(entry.path());
            }
            !skipped
        });
    let tree = Mutex::new(Tree::default());
    builder.build_parallel().visit(&mut Listers {
        root,
        skip_file,
        seen: &AtomicUsize::new(0),
        tree: &tree,
    });
    let Tree {
        mut files,
        mut diagnostics,
    } = tree.into_inner().unwrap_or_else(PoisonError::into_inner);
    files.sort_unstable();
    if let Some(cut) = files.get(limits::FILES) {
        diagnostics.push(Diagnostic::new(
            cut.path.clone(),
            None,
            DiagnosticKind::TooManyFiles,
        ));
        files.truncate(limits::FILES);
    }
    add_ignored_environment_files(root, &mut files);
    if let Some(rules) = rules {
        diagnostics.extend(rules.diagnostics());
    }
    diagnostics.sort();
    diagnostics.dedup();
    Tree { files, diagnostics }
}

/// Makes a [`Lister`] for each thread.
struct Listers<'s> {
    root: &'s Path,
    skip_file: Option<(u64, u64)>,
    /// Number of entries that all threads have seen.
    seen: &'s AtomicUsize,
    /// What the threads that have ended found.
    tree: &'s Mutex<Tree>,
}

impl<'s> ParallelVisitorBuilder<'s> for Listers<'s> {
    fn build(&mut self) -> Box<dyn ParallelVisitor + 's> {
        Box::new(Lister {
            root: self.root,
            skip_file: self.skip_file,
            seen: self.seen,
            found: Tree::default(),
            tree: self.tree,
        })
    }
}

/// Lists what one thread comes across.
struct Lister<'s> {
    root: &'s Path,
    skip_file: Option<(u64, u64)>,
    seen: &'s AtomicUsize,
    found: Tree,
    tree: &'s Mutex<Tree>,
}

impl Drop for Lister<'_> {
    fn drop(&mut self) {
        let mut tree = self.tree.lock().unwrap_or_else(PoisonError::into_inner);
        tree.files.append(&mut self.found.files);
        tree.diagnostics.append(&mut self.found.diagnostics);
    }
}

impl ParallelVisitor for Lister<'_> {
    fn visit(&mut self, entry: Result<DirEntry, ignore::Error>) -> WalkState {
        if self.seen.fetch_add(1, Ordering::Relaxed) >= limits::FILES_SEEN {
            return WalkState::Quit;
        }
        let Ok(entry) = entry else {
            // The error's text can quote a path of the host; that something was unreadable is all we say.
            self.left_out(RelPath::root(), DiagnosticKind::Unreadable);
            return WalkState::Continue;
        };
        if entry.depth() == 0 {
            return WalkState::Continue;
        }
        let Some(path) = relative(self.root, entry.path()) else {
            self.left_out(RelPath::root(), DiagnosticKind::OddName);
            return WalkState::Continue;
        };
        let Some(kind) = entry.file_type() else {
            return WalkState::Continue;
        };
        if kind.is_dir() {
            if entry.depth() >= limits::DEPTH {
                self.left_out(path, DiagnosticKind::TooDeep);
            }
        } else if kind.is_symlink() {
            self.left_out(path, DiagnosticKind::Link);
        } else if !kind.is_file() {
            self.left_out(path, DiagnosticKind::Special);
        } else if !is_same_file(&entry, self.skip_file) {
            self.found.files.push(Entry { path, ignored: false });
        }
        WalkState::Continue
    }
}

impl Lister<'_> {
    fn left_out(&mut self, path: RelPath, kind: DiagnosticKind) {
        self.found.diagnostics.push(Diagnostic::new(path, None, kind));
    }
}

/// Is it the file of this device and inode, the one that the plan is written to? The name of a file is enough for the
/// list; it is looked at only if its inode is the one.
fn is_same_file(entry: &DirEntry, file: Option<(u64, u64)>) -> bool {
    let Some((_, inode)) = file else { return false };
    #[cfg(unix)]
    if entry.ino().is_some_and(|own| own != inode) {
        return false;
    }
    #[cfg(not(unix))]
    let _ = inode;
    entry.metadata().is_ok_and(|metadata| identity(&metadata) == file)
}

/// Does the folder hold a file that says that it is a dependency or a build result?
fn holds_marker(folder: &Path, name: &str) -> bool {
    scope::skip_markers(name)
        .iter()
        .any(|marker| exists(&folder.join(marker)))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the walk is the place that looks at the file system"
)]
fn exists(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok()
}

/// Adds `.env` files that version control ignores, in folders that hold a manifest or an example of them: their names
/// of variables count, their values never do.
fn add_ignored_environment_files(root: &Path, files: &mut Vec<Entry>) {
    let mut folders: Vec<RelPath> = files
        .iter()
        .filter(|file| {
            let name = file.path.name();
            name.starts_with(".env")
                || name.ends_with("ompose.yml")
                || name.ends_with("ompose.yaml")
                || is_manifest(name)
        })
        .map(|file| file.path.parent())
        .collect();
    folders.sort();
    folders.dedup();
    let mut found = Vec::new();
    for folder in folders {
        for name in ENVIRONMENT_FILES {
            let Some(path) = folder.join(name) else { continue };
            if files.binary_search_by(|file| file.path.cmp(&path)).is_ok() {
                continue;
            }
            if is_regular_file(&root.join(path.as_str())) {
                found.push(Entry { path, ignored: true });
            }
        }
    }
    files.extend(found);
    files.sort();
}

fn is_manifest(name: &str) -> bool {
    matches!(
        name,
        "package.json"
            | "pyproject.toml"
            | "requirements.txt"
            | "go.mod"
            | "Cargo.toml"
            | "Gemfile"
            | "composer.json"
            | "mix.exs"
            | "manage.py"
    )
}

#[expect(
    clippy::disallowed_methods,
    reason = "the walk is the place that looks at the file system"
)]
fn is_regular_file(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file())
}

fn relative(root: &Path, path: &Path) -> Option<RelPath> {
    // The walk puts the root in front of every path, so there is nothing to compare part by part.
    let below = path
        .as_os_str()
        .as_encoded_bytes()
        .strip_prefix(root.as_os_str().as_encoded_bytes())?;
    let text = std::str::from_utf8(below).ok()?.trim_start_matches('/');
    if text.len() > limits::PATH_BYTES || text.contains('\\') {
        return None;
    }
    RelPath::new(text)
}

/// Device and inode, where the system has them.
#[cfg_attr(unix, allow(clippy::unnecessary_wraps, reason = "other systems have neither"))]
pub(crate) fn identity(metadata: &std::fs::Metadata) -> Option<(u64, u64)> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        Some((metadata.dev(), metadata.ino()))
    }
    #[cfg(not(unix))]
    {
        let _ = metadata;
        None
    }
}

/// Reads at most `limit` bytes of a regular file, without following a link and without blocking on a pipe.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that opens files of the repository"
)]
pub(crate) fn read(root: &Path, path: &RelPath, limit: u64) -> Result<Vec<u8>, DiagnosticKind> {
    use std::io::Read;

    let full: PathBuf = root.join(path.as_str());
    let mut options = std::fs::OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC);
    }
    let mut file = options.open(full).map_err(|_| DiagnosticKind::Unreadable)?;
    let metadata = file.metadata().map_err(|_| DiagnosticKind::Unreadable)?;
    if !metadata.is_file() {
        return Err(DiagnosticKind::Special);
    }
    if metadata.len() > limit {
        return Err(DiagnosticKind::FileTooLarge);
    }
    // The file may grow while it is read: what it held when it was opened counts, which spares a look for more.
    let mut bytes = vec![0; usize::try_from(metadata.len()).unwrap_or_default()];
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return Err(DiagnosticKind::Unreadable),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}
