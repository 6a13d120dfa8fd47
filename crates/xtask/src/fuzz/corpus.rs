//! What inputs are made of: the files of all fixtures, one small file of each further format, the examples of the
//! languages' patterns, and the words of the catalogues.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The project's folder.
pub(crate) fn project() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// A file of a seed repository.
pub(crate) struct Seed {
    /// Which repository it belongs to.
    pub(crate) repository: usize,
    /// Its place in it.
    pub(crate) path: String,
    /// Its content.
    pub(crate) bytes: Vec<u8>,
}

/// All seeds.
pub(crate) struct Corpus {
    /// Sorted by repository and path.
    pub(crate) seeds: Vec<Seed>,
    /// Words of the catalogues and of the patterns' examples.
    pub(crate) words: Vec<String>,
    /// Number of repositories.
    pub(crate) repositories: usize,
}

impl Corpus {
    /// Reads it.
    pub(crate) fn load() -> io::Result<Self> {
        let project = project();
        let mut seeds = Vec::new();
        let mut repositories = Vec::new();
        for fixture in sorted(&project.join("fixtures"))? {
            repositories.push(fixture.join("repo"));
        }
        repositories.push(project.join("crates/xtask/seeds"));
        for (number, repository) in repositories.iter().enumerate() {
            for (path, bytes) in files(repository)? {
                seeds.push(Seed {
                    repository: number,
                    path: path.replace("dot-git/", ".git/"),
                    bytes,
                });
            }
        }
        let mut words = BTreeSet::new();
        for folder in [
            "crates/core/technologies",
            "crates/scanner/languages",
            "crates/scanner",
            "crates/core/src/secret",
        ] {
            for path in sorted(&project.join(folder))? {
                if path.extension().is_some_and(|ending| ending == "toml") && !path.ends_with("Cargo.toml") {
                    add_words(&fs::read_to_string(&path)?, &mut words);
                }
            }
        }
        Ok(Self {
            seeds,
            words: words.into_iter().collect(),
            repositories: repositories.len(),
        })
    }

    /// The seeds whose names end in one of these, or all.
    pub(crate) fn of(&self, endings: &[&str]) -> Vec<&Seed> {
        let fitting: Vec<&Seed> = self
            .seeds
            .iter()
            .filter(|seed| endings.iter().any(|ending| seed.path.ends_with(ending)))
            .collect();
        if fitting.is_empty() {
            self.seeds.iter().collect()
        } else {
            fitting
        }
    }
}

/// The texts in quotes of a TOML file: names of packages, images, files, calls, and examples of patterns.
fn add_words(text: &str, words: &mut BTreeSet<String>) {
    for line in text.lines() {
        for mark in ['"', '\''] {
            for part in line.split(mark).skip(1).step_by(2) {
                if (2..200).contains(&part.len()) {
                    words.insert(part.replace("\\n", "\n").replace("\\\"", "\""));
                }
            }
        }
    }
}

fn sorted(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    found.sort();
    Ok(found)
}

fn files(root: &Path) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut found = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        for path in sorted(&folder)? {
            if path.is_dir() {
                open.push(path);
            } else {
                let relative = path
                    .strip_prefix(root)
                    .unwrap_or(&path)
                    .to_string_lossy()
                    .into_owned();
                found.push((relative, fs::read(&path)?));
            }
        }
    }
    found.sort();
    Ok(found)
}
