//! What the repository has, for telling whether something that a command names is there. The folder that a reader stands
//! in is not known for sure, so a path counts as there when any path of the tree ends in it.

use std::collections::{BTreeSet, HashMap, HashSet};

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use playbook_core::diagnostic::DiagnosticKind;
use playbook_core::inventory::ReferenceKind;
use playbook_core::path::RelPath;

use super::command::{Naming, Reference, TABLE};
use crate::fact::Facts;
use crate::index::FileIndex;
use crate::scope;

/// The files, folders, scripts and packages of the repository.
pub(super) struct Tree<'a> {
    index: &'a FileIndex,
    /// The files by their names in lower case.
    files: HashMap<String, Vec<&'a RelPath>>,
    /// The folders by their names in lower case.
    folders: HashMap<String, Vec<RelPath>>,
    /// Names of links, below which nothing was looked at.
    links: HashSet<String>,
    /// What version control leaves out.
    untracked: Vec<(RelPath, Gitignore)>,
    /// Names of files that the reader makes.
    pub(super) made: HashSet<String>,
    /// Words of the names of packages that manifests ask for.
    packages: HashSet<String>,
    /// What people clone the repository as, in lower case.
    pub(super) names: BTreeSet<String>,
    facts: &'a Facts,
}

impl<'a> Tree<'a> {
    pub(super) fn new(facts: &'a Facts, index: &'a FileIndex) -> Self {
        let mut files: HashMap<String, Vec<&RelPath>> = HashMap::new();
        let mut folders: HashMap<String, Vec<RelPath>> = HashMap::new();
        let mut seen: HashSet<RelPath> = HashSet::new();
        let mut last: Option<&str> = None;
        for entry in index.entries().iter().filter(|entry| !entry.ignored) {
            files
                .entry(entry.path.name().to_ascii_lowercase())
                .or_default()
                .push(&entry.path);
            // Sorted, most files have the folder of the one before.
            let place = entry.path.with_folders_above().nth(1);
            if place == last {
                continue;
            }
            last = place;
            let mut folder = entry.path.parent();
            while !folder.is_root() && seen.insert(folder.clone()) {
                folders
                    .entry(folder.name().to_ascii_lowercase())
                    .or_default()
                    .push(folder.clone());
                folder = folder.parent();
            }
        }
        let links = index
            .diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.kind == DiagnosticKind::Link)
            .map(|diagnostic| diagnostic.path.name().to_ascii_lowercase())
            .collect();
        let untracked = facts
            .untracked
            .iter()
            .filter_map(|fact| {
                let mut builder = GitignoreBuilder::new("");
                for pattern in &fact.patterns {
                    // A pattern that can't be read leaves nothing out.
                    let _ = builder.add_line(None, pattern);
                }
                Some((fact.dir.clone(), builder.build().ok()?))
            })
            .collect();
        let made = facts
            .made_files
            .iter()
            .flat_map(|fact| fact.names.iter().cloned())
            .collect();
        let packages = facts
            .projects
            .iter()
            .flat_map(|project| &project.dependencies)
            .flat_map(|dependency| {
                let name = dependency.name.as_str().to_ascii_lowercase();
                let words: Vec<String> = name
                    .split(|c: char| !c.is_ascii_alphanumeric())
                    .map(str::to_owned)
                    .collect();
                words.into_iter().chain([name.replace('-', "_")])
            })
            .collect();
        Self {
            index,
            files,
            folders,
            links,
            untracked,
            made,
            packages,
            names: BTreeSet::new(),
            facts,
        }
    }

    /// The files whose paths end in this one.
    pub(super) fn files_ending_in(&self, path: &str) -> Vec<&'a RelPath> {
        let lower = path.to_ascii_lowercase();
        let name = lower.rsplit('/').next().unwrap_or(&lower);
        let ends = |full: &RelPath| ends_in(full, &lower);
        self.files
            .get(name)
            .into_iter()
            .flatten()
            .copied()
            .filter(|full| ends(full))
            .collect()
    }

    /// Is there a folder whose path ends in this one?
    pub(super) fn has_folder(&self, path: &str) -> bool {
        let lower = path.to_ascii_lowercase();
        let name = lower.rsplit('/').next().unwrap_or(&lower);
        self.folders
            .get(name)
            .into_iter()
            .flatten()
            .any(|full| ends_in(full, &lower))
    }

    /// Is what a command names surely not there?
    pub(super) fn lacks(&self, reference: &Reference<'_>, base: &RelPath) -> bool {
        match reference.kind {
            ReferenceKind::File => self.lacks_file(reference.text, base),
            ReferenceKind::Module => self.lacks_module(reference),
            ReferenceKind::Script | ReferenceKind::Target => self.lacks_script(reference),
            ReferenceKind::Port => false,
        }
    }

    fn lacks_file(&self, text: &str, base: &RelPath) -> bool {
        let path = plain(text);
        // Seen from the folder above the clone.
        let path = match path.split_once('/') {
            Some((first, rest)) if self.names.contains(&first.to_ascii_lowercase()) => rest.to_owned(),
            _ => path,
        };
        let parts: Vec<&str> = path.split('/').collect();
        let Some(name) = parts.last().filter(|name| !name.is_empty()) else {
            return false;
        };
        let elsewhere = parts.iter().any(|part| {
            scope::is_skipped_directory(part)
                || TABLE.output_folders.contains(&part.to_ascii_lowercase())
                || self.links.contains(&part.to_ascii_lowercase())
        });
        !elsewhere
            && !self.made.contains(&name.to_ascii_lowercase())
            && self.files_ending_in(&path).is_empty()
            && !self.has_folder(&path)
            && !self.is_untracked(&path, base)
    }

    /// Would version control leave it out, wherever the command is run?
    fn is_untracked(&self, path: &str, base: &RelPath) -> bool {
        let places = [Some(base.clone()), Some(RelPath::root())];
        self.untracked.iter().any(|(dir, patterns)| {
            let of_bases = places.iter().flatten().filter_map(|base| {
                let full = base.join(path)?;
                let inside = match full.as_str().strip_prefix(dir.as_str()) {
                    _ if dir.is_root() => full.as_str(),
                    Some(rest) => rest.strip_prefix('/')?,
                    None => return None,
                };
                Some(inside.to_owned())
            });
            of_bases
                .chain([path.to_owned()])
                .any(|inside| patterns.matched_path_or_any_parents(&inside, false).is_ignore())
        })
    }

    fn lacks_module(&self, reference: &Reference<'_>) -> bool {
        let module = reference.text.split(':').next().unwrap_or_default();
        let path = module.replace('.', "/");
        let Some(first) = path.split('/').next().filter(|first| !first.is_empty()) else {
            return false;
        };
        let own = self.has_folder(first) || !self.files_ending_in(&format!("{first}.py")).is_empty();
        let installed = self.packages.contains(&first.to_ascii_lowercase());
        if installed || reference.naming == Naming::Run && !own || !self.has_python() {
            return false;
        }
        let known = |path: &str| {
            ["py", "pyx", "pyi"]
                .iter()
                .any(|ending| !self.files_ending_in(&format!("{path}.{ending}")).is_empty())
                || self.has_folder(path)
        };
        let parent = path.rsplit_once('/').map(|(parent, _)| parent);
        let attribute = reference.naming == Naming::LastMayBeAttribute && parent.is_some_and(known);
        !known(&path) && !attribute && !self.links.contains(&first.to_ascii_lowercase())
    }

    /// Is a module that the repository has out of reach of a process that starts in one of these folders?
    pub(super) fn is_out_of_reach(&self, reference: &Reference<'_>, bases: &[RelPath]) -> bool {
        let module = reference.text.split(':').next().unwrap_or_default();
        let path = module.replace('.', "/");
        let there = |base: &RelPath, path: &str| {
            [
                format!("{path}.py"),
                format!("{path}/__init__.py"),
                format!("src/{path}.py"),
                format!("src/{path}/__init__.py"),
            ]
            .iter()
            .any(|file| self.index.has(base, file))
        };
        let own = !self.files_ending_in(&format!("{path}.py")).is_empty();
        reference.kind == ReferenceKind::Module
            && reference.naming == Naming::Whole
            && own
            && !bases.iter().any(|base| there(base, &path))
    }

    fn has_python(&self) -> bool {
        self.facts
            .projects
            .iter()
            .any(|project| project.runtime == "python")
    }

    fn lacks_script(&self, reference: &Reference<'_>) -> bool {
        let mut of_runner = self
            .facts
            .script_names
            .iter()
            .filter(|fact| fact.runner == reference.runner)
            .peekable();
        let is_file = reference.kind == ReferenceKind::Target
            && (self.has_folder(reference.text) || !self.files_ending_in(reference.text).is_empty());
        of_runner.peek().is_some()
            && !is_file
            && !self.made.contains(&reference.text.to_ascii_lowercase())
            && of_runner.all(|fact| !fact.open && fact.names.iter().all(|name| name != reference.text))
    }

    /// The only file that has the name, where there is just one.
    pub(super) fn only_namesake(&self, reference: &Reference<'_>) -> Option<&'a RelPath> {
        let name = match reference.kind {
            ReferenceKind::File => plain(reference.text).rsplit('/').next()?.to_ascii_lowercase(),
            ReferenceKind::Module => {
                let module = reference.text.split(':').next()?;
                format!("{}.py", module.rsplit('.').next()?).to_ascii_lowercase()
            }
            _ => return None,
        };
        match self.files.get(&name).map(Vec::as_slice) {
            Some([only]) => Some(only),
            _ => None,
        }
    }

    /// Is there a file of this path?
    pub(super) fn contains(&self, path: &RelPath) -> bool {
        self.index.contains(path)
    }
}

/// The path without the steps up before it and a slash behind it.
fn plain(text: &str) -> String {
    text.split('/')
        .filter(|part| !matches!(*part, "" | "." | ".."))
        .collect::<Vec<_>>()
        .join("/")
}

fn ends_in(full: &RelPath, lower: &str) -> bool {
    let full = full.as_str();
    let Some(at) = full.len().checked_sub(lower.len()) else {
        return false;
    };
    full.get(at..).is_some_and(|end| end.eq_ignore_ascii_case(lower))
        && (at == 0 || full.as_bytes().get(at - 1) == Some(&b'/'))
}

/// The names of the project, in lower case: what people clone it as.
pub(super) fn own_names(facts: &Facts, name: Option<&str>, remote: Option<&str>) -> BTreeSet<String> {
    let last = |text: &str| {
        let last = text
            .trim_end_matches('/')
            .rsplit(['/', ':'])
            .next()
            .unwrap_or(text);
        last.strip_suffix(".git").unwrap_or(last).to_ascii_lowercase()
    };
    let of_manifests = facts
        .projects
        .iter()
        .filter(|project| project.dir.is_root())
        .filter_map(|project| Some(last(project.name.as_ref()?.as_str())));
    name.into_iter()
        .chain(remote)
        .map(last)
        .chain(of_manifests)
        .collect()
}
