//! What is asked of the machine: the clock, two settings of the environment, the files that the user names, and the
//! identity of standard output. Nothing is written.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// A configuration or template that is larger than this was not written by hand.
const LARGEST_FILE: u64 = 1024 * 1024;

/// More templates than this are not templates.
const MOST_FILES: usize = 2_000;

/// Folders of templates are this deep at most (`targets/<id>/partials/<name>`).
const DEEPEST: usize = 8;

/// Why a file that the user named could not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadError {
    /// There is nothing of that name.
    Missing,
    /// It is something else than was asked for.
    WrongKind,
    /// It can't be read.
    Unreadable,
    /// It is too large.
    TooLarge,
    /// It is no UTF-8 text.
    NotText,
}

impl ReadError {
    /// What is wrong, to stand after the file's name.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::Missing => "does not exist",
            Self::WrongKind => "is not a regular file",
            Self::Unreadable => "can't be read",
            Self::TooLarge => "is larger than 1 MiB",
            Self::NotText => "is not UTF-8 text",
        }
    }
}

/// No image of the memory is left behind when the program is killed: it holds what was read.
#[cfg(unix)]
pub(crate) fn leave_no_core_dump() {
    use rustix::process::{Resource, Rlimit, setrlimit};

    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    // Where the limit can't be lowered, it is the machine's owner who wants the image.
    let _ = setrlimit(Resource::Core, none);
}

/// Other systems write no such image without being told to.
#[cfg(not(unix))]
pub(crate) const fn leave_no_core_dump() {}

/// Reads a text. `follow` says whether it may be a link: the user's own file may, one that lies in the analysed
/// repository may not.
#[expect(
    clippy::disallowed_methods,
    reason = "files that the user names on the command line"
)]
pub(crate) fn read_text(path: &Path, follow: Links) -> Result<String, ReadError> {
    let metadata = match follow {
        Links::Followed => std::fs::metadata(path),
        Links::Refused => std::fs::symlink_metadata(path),
    }
    .map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => ReadError::Missing,
        _ => ReadError::Unreadable,
    })?;
    // Asked before it is opened: opening a pipe blocks until somebody writes to it.
    if !metadata.is_file() {
        return Err(ReadError::WrongKind);
    }
    if metadata.len() > LARGEST_FILE {
        return Err(ReadError::TooLarge);
    }
    let mut options = std::fs::OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        // What was a file a moment ago may be a pipe or a link by now.
        let links = match follow {
            Links::Followed => 0,
            Links::Refused => libc::O_NOFOLLOW,
        };
        options.custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC | links);
    }
    let file = options.open(path).map_err(|_| ReadError::Unreadable)?;
    if !file.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return Err(ReadError::WrongKind);
    }
    let mut bytes = Vec::new();
    file.take(LARGEST_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(|_| ReadError::Unreadable)?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(ReadError::TooLarge);
    }
    let text = String::from_utf8(bytes).map_err(|_| ReadError::NotText)?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// May a file be a link?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Links {
    /// Yes, the user named it.
    Followed,
    /// No, it came with the repository.
    Refused,
}

/// Reads every text below a folder of templates: path relative to it, `/`-separated, and content.
#[expect(
    clippy::disallowed_methods,
    reason = "the folder that the user names with --templates"
)]
pub(crate) fn read_folder(folder: &Path) -> Result<BTreeMap<String, String>, (PathBuf, ReadError)> {
    let fail = |path: &Path, error| (path.to_owned(), error);
    let metadata = std::fs::metadata(folder).map_err(|_| fail(folder, ReadError::Missing))?;
    if !metadata.is_dir() {
        return Err(fail(folder, ReadError::WrongKind));
    }
    let mut files = BTreeMap::new();
    let mut folders = vec![(folder.to_owned(), String::new(), 0)];
    while let Some((at, prefix, depth)) = folders.pop() {
        let entries = std::fs::read_dir(&at).map_err(|_| fail(&at, ReadError::Unreadable))?;
        for entry in entries {
            let entry = entry.map_err(|_| fail(&at, ReadError::Unreadable))?;
            let path = entry.path();
            let Ok(name) = entry.file_name().into_string() else {
                return Err(fail(&path, ReadError::NotText));
            };
            if name.starts_with('.') {
                continue;
            }
            let relative = format!("{prefix}{name}");
            if path.is_dir() {
                if depth < DEEPEST {
                    folders.push((path, format!("{relative}/"), depth + 1));
                }
                continue;
            }
            if files.len() >= MOST_FILES {
                return Err(fail(folder, ReadError::TooLarge));
            }
            let text = read_text(&path, Links::Followed).map_err(|error| fail(&path, error))?;
            files.insert(relative, text);
        }
    }
    Ok(files)
}

/// Device and inode of the file that standard output goes to, if it is one: `analyze . > PLAN.md` must not read the
/// plan it is writing.
#[cfg(unix)]
pub(crate) fn output_file() -> Option<(u64, u64)> {
    use std::os::fd::AsFd as _;
    use std::os::unix::fs::MetadataExt as _;

    let file = std::fs::File::from(std::io::stdout().as_fd().try_clone_to_owned().ok()?);
    let metadata = file.metadata().ok()?;
    metadata.is_file().then(|| (metadata.dev(), metadata.ino()))
}

/// Elsewhere a file has no such identity; the heading of our own plans is what the scanner goes by.
#[cfg(not(unix))]
pub(crate) fn output_file() -> Option<(u64, u64)> {
    None
}

/// `SOURCE_DATE_EPOCH` is set to something that is no number of seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadEpoch;

/// The day for which the plan holds when no `--date` says otherwise, as `YYYY-MM-DD` in UTC.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that asks the clock, and for the setting that fixes it"
)]
pub(crate) fn today() -> Result<String, BadEpoch> {
    let seconds = match std::env::var_os("SOURCE_DATE_EPOCH") {
        Some(text) if !text.is_empty() => text
            .to_str()
            .and_then(|text| text.trim().parse().ok())
            .ok_or(BadEpoch)?,
        _ => std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .ok()
            .and_then(|since| i64::try_from(since.as_secs()).ok())
            .unwrap_or_default(),
    };
    day_of(seconds).ok_or(BadEpoch)
}

fn day_of(seconds: i64) -> Option<String> {
    let moment = chrono::DateTime::from_timestamp(seconds, 0)?;
    let day = moment.format("%Y-%m-%d").to_string();
    // Five-digit years parse nowhere else.
    (day.len() == 10).then_some(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_crash_leaves_no_image_of_the_memory() {
        use rustix::process::{Resource, getrlimit};

        leave_no_core_dump();
        let limit = getrlimit(Resource::Core);
        assert_eq!((limit.current, limit.maximum), (Some(0), Some(0)));
    }

    #[test]
    fn days() {
        assert_eq!(day_of(0).as_deref(), Some("1970-01-01"));
        assert_eq!(day_of(1_795_132_800).as_deref(), Some("2026-11-20"));
        assert_eq!(day_of(i64::MAX), None);
        assert_eq!(day_of(400_000_000_000_000), None);
    }

    #[test]
    fn a_folder_is_no_text_and_a_missing_file_is_missing() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert_eq!(read_text(here, Links::Followed), Err(ReadError::WrongKind));
        assert_eq!(
            read_text(&here.join("no-such-file"), Links::Refused),
            Err(ReadError::Missing)
        );
    }

    #[test]
    fn a_folder_of_templates_is_read_with_relative_names() {
        let files = read_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
            .expect("the sources are readable");
        assert!(files.contains_key("host.rs"));
        assert!(files.contains_key("commands/analyze.rs"));
    }
}
