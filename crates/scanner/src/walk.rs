//! The folder as a sorted list of files. Nothing outside of the root is looked at, links are not followed.

use std::path::{Path, PathBuf};

use ignore::WalkBuilder;
use playbook_core::diagnostic::{Diagnostic, DiagnosticKind};
use playbook_core::path::RelPath;

use crate::limits;
use crate::scope;

/// A file of the tree.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    /// Where it is.
    pub(crate) path: RelPath,
    /// Does an ignore file leave it out of version control? Only environment files are listed in spite of that.
    pub(crate) ignored: bool,
}

/// What the walk found.
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

/// Lists the files below `root`.
pub(crate) fn walk(root: &Path, skip_file: Option<(u64, u64)>) -> Tree {
    let mut files = Vec::new();
    let mut diagnostics = Vec::new();
    let mut builder = WalkBuilder::new(root);
    builder
        .hidden(false)
        .require_git(false)
        .git_global(false)
        .git_exclude(false)
        .parents(false)
        .follow_links(false)
        .max_depth(Some(limits::DEPTH))
        .filter_entry(|entry| {
            let Some(name) = entry.file_name().to_str() else {
                return true;
            };
            if entry.depth() == 0 || !entry.file_type().is_some_and(|kind| kind.is_dir()) {
                return true;
            }
            !scope::is_skipped_directory(name) && !holds_marker(entry.path(), name)
        });
    for entry in builder.build() {
        let Ok(entry) = entry else {
            // The error's text can quote a path of the host; that something was unreadable is all we say.
            diagnostics.push(Diagnostic::new(RelPath::root(), None, DiagnosticKind::Unreadable));
            continue;
        };
        if entry.depth() == 0 {
            continue;
        }
        let Some(path) = relative(root, entry.path()) else {
            diagnostics.push(Diagnostic::new(RelPath::root(), None, DiagnosticKind::OddName));
            continue;
        };
        let Some(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            if entry.depth() >= limits::DEPTH {
                diagnostics.push(Diagnostic::new(path, None, DiagnosticKind::TooDeep));
            }
            continue;
        }
        if kind.is_symlink() {
            diagnostics.push(Diagnostic::new(path, None, DiagnosticKind::Link));
            continue;
        }
        if !kind.is_file() {
            diagnostics.push(Diagnostic::new(path, None, DiagnosticKind::Special));
            continue;
        }
        // A file is looked at when it is read; here its name is enough, unless the plan itself is among them.
        if skip_file.is_some()
            && entry
                .metadata()
                .is_ok_and(|metadata| identity(&metadata) == skip_file)
        {
            continue;
        }
        if files.len() >= limits::FILES {
            diagnostics.push(Diagnostic::new(path, None, DiagnosticKind::TooManyFiles));
            break;
        }
        files.push(Entry { path, ignored: false });
    }
    files.sort();
    add_ignored_environment_files(root, &mut files);
    diagnostics.sort();
    diagnostics.dedup();
    Tree { files, diagnostics }
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
    let listed: std::collections::BTreeSet<RelPath> = files.iter().map(|file| file.path.clone()).collect();
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
            if listed.contains(&path) {
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
    let text = path.strip_prefix(root).ok()?.to_str()?;
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
    let file = options.open(full).map_err(|_| DiagnosticKind::Unreadable)?;
    let metadata = file.metadata().map_err(|_| DiagnosticKind::Unreadable)?;
    if !metadata.is_file() {
        return Err(DiagnosticKind::Special);
    }
    if metadata.len() > limit {
        return Err(DiagnosticKind::FileTooLarge);
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default());
    // The file may grow while it is read: what it held when it was opened counts, which spares a look for more.
    file.take(metadata.len())
        .read_to_end(&mut bytes)
        .map_err(|_| DiagnosticKind::Unreadable)?;
    Ok(bytes)
}
