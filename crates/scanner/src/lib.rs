//! A folder in, an inventory out. The scanner never runs a program, opens a socket, follows a link out of the root or
//! writes, and content can't fail a scan: only a missing root is an error.
//!
//! `walk` lists the files, `index` reads each at most once, the `detect`ors turn one file each into `fact`s, and
//! `resolve` makes the inventory of them, in a fixed order of steps.

mod conventions;
mod detect;
mod fact;
#[doc(hidden)]
pub mod fuzzing;
mod index;
mod language;
mod lex;
mod limits;
mod needle;
mod parse;
mod resolve;
mod scope;
mod source;
#[cfg(test)]
mod testing;
mod walk;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use playbook_core::diagnostic::{Diagnostic, DiagnosticKind};
use playbook_core::inventory::{Inventory, Project};
use playbook_core::secret::Withheld;
use rayon::prelude::*;

use crate::detect::{DETECTORS, Detector};
use crate::fact::Facts;
use crate::index::FileIndex;
use crate::source::Source;
use crate::walk::Entry;

/// How to scan. The result does not depend on it.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Number of threads; `None` for one a processor.
    pub threads: Option<usize>,
    /// Shuffles the order in which files are read, for the tests of determinism.
    pub shuffle_seed: Option<u64>,
    /// Device and inode of a file that is left out: the one that the plan is being written to.
    pub skip_file: Option<(u64, u64)>,
}

/// What a scan found.
#[derive(Debug)]
pub struct Scan {
    /// The facts, sorted.
    pub inventory: Inventory,
    /// The values that may not be printed, for the gate.
    pub withheld: Withheld,
}

/// Why a folder could not be scanned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RootError {
    /// There is nothing of that name.
    Missing,
    /// It is no folder.
    NotAFolder,
    /// It can't be read.
    Unreadable,
}

/// Scans a folder.
#[expect(
    clippy::disallowed_methods,
    reason = "the root itself is looked at here, everything below it in `walk`"
)]
pub fn scan(root: &Path, options: &Options) -> Result<Scan, RootError> {
    let metadata = std::fs::metadata(root).map_err(|_| RootError::Missing)?;
    if !metadata.is_dir() {
        return Err(RootError::NotAFolder);
    }
    let root = root.canonicalize().map_err(|_| RootError::Unreadable)?;
    std::fs::read_dir(&root).map_err(|_| RootError::Unreadable)?;
    let folder_name = root
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default()
        .to_owned();
    let index = FileIndex::of_folder(root, options.skip_file, options.threads);
    Ok(scan_index(&index, &folder_name, options))
}

/// Scans texts in memory: pairs of path and text. For the tests of other crates and for fuzzing.
pub fn scan_texts<'a>(texts: impl IntoIterator<Item = (&'a str, &'a str)>, folder_name: &str) -> Scan {
    scan_index(
        &FileIndex::of_texts(texts),
        folder_name,
        &Options {
            threads: Some(1),
            ..Options::default()
        },
    )
}

fn scan_index(index: &FileIndex, folder_name: &str, options: &Options) -> Scan {
    let facts = collect(index, options);
    resolve::resolve(facts, index, folder_name)
}

/// Reads every file that some detector wants, once, and gathers the facts in the order of the paths.
fn collect(index: &FileIndex, options: &Options) -> Facts {
    let mut entries: Vec<(usize, &Entry)> = index.entries().iter().enumerate().collect();
    // Where there is too much to read, source code is what is left out.
    entries.sort_by_key(|(_, entry)| language::language_of(entry.path.as_str()).is_some());
    if let Some(seed) = options.shuffle_seed {
        shuffle(&mut entries, seed);
    }
    let read = |(at, entry): &(usize, &Entry)| {
        let detectors: Vec<&'static Detector> = DETECTORS
            .iter()
            .copied()
            .filter(|detector| (detector.wants)(&entry.path))
            .collect();
        if detectors.is_empty() {
            return None;
        }
        let (facts, length) = facts_of(index, entry, &detectors);
        Some((*at, facts, length))
    };
    let parallel = |some: &[(usize, &Entry)]| some.par_iter().filter_map(read).collect::<Vec<_>>();
    let pool = options
        .threads
        .and_then(|threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().ok());
    let mut told = Vec::new();
    let (mut bytes, mut count) = (0, 0);
    let mut left_out = None;
    for some in entries.chunks(limits::FILES_AT_ONCE) {
        if bytes > limits::TOTAL_BYTES || count > limits::TOTAL_FACTS {
            left_out = some.first();
            break;
        }
        let read: Vec<(usize, Facts, usize)> = match (options.threads, &pool) {
            (Some(1), _) => some.iter().filter_map(read).collect(),
            (_, Some(pool)) => pool.install(|| parallel(some)),
            _ => parallel(some),
        };
        for (at, facts, length) in read {
            bytes += length;
            // Most files tell nothing, and an empty set of facts takes a thousand bytes.
            if !facts.is_empty() {
                count += facts.count();
                told.push((at, facts));
            }
        }
    }
    told.sort_by_key(|(at, _)| *at);
    let mut facts = Facts {
        diagnostics: index.diagnostics.clone(),
        ..Facts::default()
    };
    facts.project.push(Project {
        vcs: detect::git::vcs(index),
        ..Project::default()
    });
    for (_, of_file) in told {
        facts.absorb(of_file);
    }
    if let Some((_, first)) = left_out {
        facts
            .diagnostics
            .push(Diagnostic::new(first.path.clone(), None, DiagnosticKind::TooMuch));
    }
    facts
}

/// What the detectors that want to see a file tell about it, and how many bytes it has.
fn facts_of(index: &FileIndex, entry: &Entry, detectors: &[&'static Detector]) -> (Facts, usize) {
    let mut facts = Facts::default();
    let failed = |kind| Diagnostic::new(entry.path.clone(), None, kind);
    let text = match index.read(&entry.path) {
        Ok(text) => text,
        Err(kind) => {
            facts.diagnostics.push(failed(kind));
            return (facts, 0);
        }
    };
    let length = text.len();
    if is_our_plan(&text) {
        return (facts, length);
    }
    let text = language::language_of(entry.path.as_str())
        .and_then(|language| language.without_inline_tests(&text))
        .unwrap_or(text);
    let source = Source::new(&entry.path, &text, scope::scope_of(&entry.path), entry.ignored);
    // Detectors see what they told themselves, never what others told.
    let mut own = Facts::default();
    for detector in detectors {
        if guarded(detector, &source, &mut own) {
            if !own.is_empty() {
                facts.absorb(std::mem::take(&mut own));
            }
        } else {
            own = Facts::default();
            facts.diagnostics.push(failed(DiagnosticKind::DetectorFailed));
        }
    }
    if facts.bound() {
        facts.diagnostics.push(failed(DiagnosticKind::TooManyFacts));
    }
    (facts, length)
}

/// Runs a detector; a panic of one detector on one file costs no more than its facts. `false` for a panic.
fn guarded(detector: &Detector, source: &Source<'_>, facts: &mut Facts) -> bool {
    catch_unwind(AssertUnwindSafe(|| (detector.detect)(source, facts))).is_ok()
}

/// A plan that this program printed says nothing about the repository.
fn is_our_plan(text: &str) -> bool {
    text.starts_with("# Backend Deployment Plan: ") && text.contains("\n| Generator | playbook ")
}

/// Fisher and Yates with a small generator: for tests only, so any order will do.
fn shuffle<T>(list: &mut [T], seed: u64) {
    let mut state = seed | 1;
    for at in (1..list.len()).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let other = usize::try_from(state % (at as u64 + 1)).unwrap_or_default();
        list.swap(at, other);
    }
}
