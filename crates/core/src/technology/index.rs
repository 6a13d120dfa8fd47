//! The tables behind the look-ups of the catalogue. All are sorted maps, so the order of answers is fixed.

use std::collections::BTreeMap;

use super::name::{Ecosystem, glob, image_path, normal_package_name};
use super::{Group, Technology};

/// How much a sign proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// It is used.
    Strong,
    /// It may be used; another sign has to confirm it.
    Weak,
}

/// A technology that a look-up found.
#[derive(Clone, Copy, Debug)]
pub struct Match<'a> {
    /// What was found.
    pub technology: &'a Technology,
    /// How much the sign proves.
    pub strength: Strength,
    /// True when the sign is of another technology that proves this datastore (a driver, a queue library, a vendor).
    pub implied: bool,
}

/// Position in the list of technologies, strength, implied.
type Entry = (usize, Strength, bool);
/// Entries by a key that is compared exactly.
type Exact = BTreeMap<Box<str>, Vec<Entry>>;

#[derive(Debug, Default)]
pub(super) struct Index {
    packages: BTreeMap<Ecosystem, Table>,
    imports: BTreeMap<&'static str, Exact>,
    official_images: Exact,
    image_paths: Exact,
    image_names: Exact,
    image_patterns: Vec<(&'static str, Vec<Entry>)>,
    env: Exact,
    env_prefixes: Exact,
    schemes: Exact,
    hosts: Exact,
    host_patterns: Vec<(&'static str, Vec<Entry>)>,
    resources: Table,
    file_names: Exact,
    file_patterns: FilePatterns,
    commands: BTreeMap<&'static str, Vec<(Vec<&'static str>, usize)>>,
    wrappers: Vec<Vec<&'static str>>,
}

/// A pattern of paths with what it stands for.
type FilePattern = (&'static str, Vec<Entry>);

/// Patterns of paths, kept by what their last part says, so that a path is held against few of them.
#[derive(Debug, Default)]
struct FilePatterns {
    /// The last part is a whole name.
    names: BTreeMap<&'static str, Vec<FilePattern>>,
    /// The last part ends with a dot and this ending.
    endings: BTreeMap<&'static str, Vec<FilePattern>>,
    /// All others, with what the last part begins with.
    others: Vec<(&'static str, FilePattern)>,
}

impl FilePatterns {
    fn add(&mut self, pattern: &'static str, entries: &[Entry]) {
        let last = pattern.rsplit('/').next().unwrap_or(pattern);
        let ending = last
            .rsplit_once('.')
            .map(|(_, ending)| ending)
            .filter(|ending| !ending.contains('*'));
        let pattern = (pattern, entries.to_vec());
        match (last.split_once('*'), ending) {
            (None, _) => self.names.entry(last).or_default().push(pattern),
            (_, Some(ending)) => self.endings.entry(ending).or_default().push(pattern),
            (Some((start, _)), None) => self.others.push((start, pattern)),
        }
    }

    fn candidates(&self, name: &str) -> impl Iterator<Item = &FilePattern> {
        let dot = name.bytes().rposition(|byte| byte == b'.');
        let ending = dot.and_then(|at| name.get(at + 1..)).unwrap_or_default();
        let others = self
            .others
            .iter()
            .filter(move |(start, _)| name.starts_with(start))
            .map(|(_, pattern)| pattern);
        self.names
            .get(name)
            .into_iter()
            .chain(self.endings.get(ending))
            .flatten()
            .chain(others)
    }
}

/// Names, and beginnings of names.
#[derive(Debug, Default)]
struct Table {
    exact: Exact,
    prefixes: Exact,
}

impl Table {
    fn add(&mut self, pattern: &str, entries: &[Entry]) {
        match pattern.strip_suffix('*') {
            Some(prefix) => add(&mut self.prefixes, prefix, entries),
            None => add(&mut self.exact, pattern, entries),
        }
    }

    fn find(&self, name: &str) -> Vec<Entry> {
        let mut found = self.exact.get(name).cloned().unwrap_or_default();
        for prefix in prefixes(name) {
            found.extend(self.prefixes.get(prefix).into_iter().flatten());
        }
        found
    }
}

fn add(map: &mut Exact, key: &str, entries: &[Entry]) {
    map.entry(key.into()).or_default().extend(entries);
}

/// Every beginning of a text, the shortest first, the text itself last.
fn prefixes(text: &str) -> impl Iterator<Item = &str> {
    text.char_indices()
        .filter_map(move |(start, character)| text.get(..start + character.len_utf8()))
}

impl Index {
    pub(super) fn new(technologies: &[Technology]) -> Self {
        let mut index = Self::default();
        for (position, technology) in technologies.iter().enumerate() {
            index.add_technology(technologies, position, technology);
        }
        index
            .wrappers
            .sort_by(|left, right| right.len().cmp(&left.len()).then_with(|| left.cmp(right)));
        index.wrappers.dedup();
        index
    }

    fn add_technology(&mut self, all: &[Technology], position: usize, technology: &Technology) {
        let implied = |strength| {
            let datastores = technology.implies.iter().filter_map(|slug| {
                all.iter()
                    .position(|other| other.group == Group::Datastore && other.id == *slug)
            });
            let mut entries: Vec<Entry> = vec![(position, strength, false)];
            entries.extend(datastores.map(|datastore| (datastore, strength, true)));
            entries
        };
        let strong = implied(Strength::Strong);
        let weak = implied(Strength::Weak);

        for (packages, entries) in [
            (&technology.packages, &strong),
            (&technology.weak_packages, &weak),
        ] {
            for (ecosystem, names) in packages {
                let table = self.packages.entry(*ecosystem).or_default();
                for name in names {
                    table.add(&normal_package_name(*ecosystem, name), entries);
                }
            }
        }
        for (language, modules) in &technology.imports {
            let table = self.imports.entry(language).or_default();
            for module in modules {
                add(table, module, &strong);
            }
        }
        for image in &technology.images {
            self.add_image(image, &strong);
        }
        for (names, table) in [
            (&technology.env, &mut self.env),
            (&technology.url_schemes, &mut self.schemes),
        ] {
            for name in names {
                add(table, name, &strong);
            }
        }
        for host in &technology.hosts {
            if host.contains('*') {
                self.host_patterns.push((host, strong.clone()));
            } else {
                add(&mut self.hosts, host, &strong);
            }
        }
        for prefix in &technology.env_prefixes {
            add(&mut self.env_prefixes, prefix, &weak);
        }
        for resource in &technology.resources {
            self.resources.add(resource, &strong);
        }
        for file in &technology.files {
            if file.contains(['*', '/']) {
                self.file_patterns.add(file, &strong);
            } else {
                add(&mut self.file_names, file, &strong);
            }
        }
        let wraps = technology.server.as_ref().is_some_and(|server| server.wraps);
        for command in &technology.commands {
            let mut words = command.split(' ');
            let program = words.next().unwrap_or_default();
            self.commands
                .entry(program)
                .or_default()
                .push((words.collect(), position));
            if wraps && technology.category == "wrapper" {
                self.wrappers.push(command.split(' ').collect());
            }
        }
        if let Some(manager) = &technology.package_manager {
            self.wrappers.extend(
                manager
                    .exec_prefixes
                    .iter()
                    .map(|prefix| prefix.split(' ').collect()),
            );
        }
    }

    fn add_image(&mut self, image: &'static str, entries: &[Entry]) {
        if let Some(name) = image.strip_prefix("*/") {
            add(&mut self.image_names, name, entries);
        } else if image.contains('*') {
            self.image_patterns.push((image, entries.to_vec()));
        } else if image.contains('/') {
            add(&mut self.image_paths, image, entries);
        } else {
            add(&mut self.official_images, image, entries);
        }
    }

    pub(super) fn by_package<'a>(
        &self,
        all: &'a [Technology],
        ecosystem: Ecosystem,
        package: &str,
    ) -> Vec<Match<'a>> {
        let Some(table) = self.packages.get(&ecosystem) else {
            return Vec::new();
        };
        let name = normal_package_name(ecosystem, package);
        let mut found = table.find(&name);
        if found.is_empty() && ecosystem == Ecosystem::Go {
            // A package within a module is found by its module: github.com/jackc/pgx/v5/pgxpool.
            found = parents(&name, '/')
                .find_map(|module| table.exact.get(module))
                .cloned()
                .unwrap_or_default();
        }
        matches(all, found)
    }

    pub(super) fn by_import<'a>(
        &self,
        all: &'a [Technology],
        language: &str,
        module: &str,
    ) -> Vec<Match<'a>> {
        let language = match language {
            "typescript" => "javascript",
            "kotlin" | "scala" | "groovy" => "java",
            "fsharp" => "csharp",
            other => other,
        };
        let Some(table) = self.imports.get(language) else {
            return Vec::new();
        };
        let separator = match language {
            "python" | "java" | "csharp" | "elixir" => '.',
            "rust" => ':',
            "php" => '\\',
            _ => '/',
        };
        let normal;
        let module = if language == "go" {
            normal = normal_package_name(Ecosystem::Go, module);
            normal.as_str()
        } else {
            module
        };
        let found = std::iter::once(module)
            .chain(parents(module, separator))
            .filter_map(|name| table.get(name.trim_end_matches(separator)))
            .flatten()
            .copied()
            .collect();
        matches(all, found)
    }

    pub(super) fn by_image<'a>(&self, all: &'a [Technology], image: &str) -> Vec<Match<'a>> {
        let (registry, path) = image_path(image);
        let parts: Vec<&str> = path.split('/').collect();
        let last = parts.last().copied().unwrap_or_default();
        let mut found = Vec::new();
        // The official image has no namespace, or `library` on a mirror.
        let namespace = parts
            .len()
            .checked_sub(2)
            .and_then(|position| parts.get(position))
            .copied();
        if namespace.is_none_or(|namespace| namespace == "library") {
            found.extend(self.official_images.get(last).into_iter().flatten());
        }
        if let Some(registry) = registry {
            found.extend(
                self.image_paths
                    .get(format!("{registry}/{path}").as_str())
                    .into_iter()
                    .flatten(),
            );
        }
        if let Some(namespace) = namespace {
            found.extend(
                self.image_paths
                    .get(format!("{namespace}/{last}").as_str())
                    .into_iter()
                    .flatten(),
            );
        }
        if parts.len() > 2 {
            found.extend(self.image_paths.get(path).into_iter().flatten());
        }
        if found.is_empty() && namespace.is_some() {
            found.extend(self.image_names.get(last).into_iter().flatten());
        }
        for (pattern, entries) in &self.image_patterns {
            let full = registry.map(|registry| format!("{registry}/{path}"));
            if glob(pattern, path) || full.is_some_and(|full| glob(pattern, &full)) {
                found.extend(entries);
            }
        }
        matches(all, found)
    }

    pub(super) fn by_env_name<'a>(&self, all: &'a [Technology], name: &str) -> Vec<Match<'a>> {
        matches(all, self.env.get(name).cloned().unwrap_or_default())
    }

    pub(super) fn by_env_prefix<'a>(&self, all: &'a [Technology], name: &str) -> Vec<Match<'a>> {
        let longest = prefixes(name)
            .filter_map(|prefix| self.env_prefixes.get(prefix))
            .last();
        matches(all, longest.cloned().unwrap_or_default())
    }

    pub(super) fn by_url_scheme<'a>(&self, all: &'a [Technology], scheme: &str) -> Vec<Match<'a>> {
        let scheme = scheme.to_ascii_lowercase();
        let found = self.schemes.get(scheme.as_str()).or_else(|| {
            // `postgresql+asyncpg`: what stands before the plus is the protocol.
            self.schemes.get(scheme.split('+').next().unwrap_or_default())
        });
        matches(all, found.cloned().unwrap_or_default())
    }

    pub(super) fn by_host<'a>(&self, all: &'a [Technology], host: &str) -> Vec<Match<'a>> {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let suffixes = host.match_indices('.').filter_map(|(dot, _)| host.get(dot..));
        let known = std::iter::once(host.as_str())
            .chain(suffixes)
            .find_map(|suffix| self.hosts.get(suffix));
        let mut found = known.cloned().unwrap_or_default();
        for (pattern, entries) in &self.host_patterns {
            let matched = match pattern.strip_prefix('.') {
                Some(below) => glob(&format!("*.{below}"), &host),
                None => glob(pattern, &host),
            };
            if matched {
                found.extend(entries);
            }
        }
        matches(all, found)
    }

    pub(super) fn by_resource<'a>(&self, all: &'a [Technology], resource: &str) -> Vec<Match<'a>> {
        matches(all, self.resources.find(resource))
    }

    pub(super) fn by_file<'a>(&self, all: &'a [Technology], path: &str) -> Vec<Match<'a>> {
        let path = path.trim_start_matches("./");
        // Asked for every file of a tree: byte by byte from the end is the quickest way to a short name.
        let slash = path.bytes().rposition(|byte| byte == b'/');
        let name = slash.and_then(|at| path.get(at + 1..)).unwrap_or(path);
        let mut found = self.file_names.get(name).cloned().unwrap_or_default();
        for (pattern, entries) in self.file_patterns.candidates(name) {
            if file_matches(pattern, path) {
                found.extend(entries);
            }
        }
        matches(all, found)
    }

    pub(super) fn by_command<'a, S: AsRef<str>>(
        &self,
        all: &'a [Technology],
        words: &[S],
    ) -> Vec<&'a Technology> {
        let Some((program, rest)) = words.split_first() else {
            return Vec::new();
        };
        let program = program.as_ref().rsplit('/').next().unwrap_or_default();
        let mut found: Vec<(usize, usize)> = Vec::new();
        for (following, position) in self.commands.get(program).into_iter().flatten() {
            let mut rest = rest.iter().map(AsRef::as_ref);
            if following
                .iter()
                .all(|word| rest.any(|candidate| candidate == *word))
            {
                found.push((following.len(), *position));
            }
        }
        found.sort_by(|left, right| right.0.cmp(&left.0).then(left.1.cmp(&right.1)));
        found.dedup_by_key(|(_, position)| *position);
        found
            .into_iter()
            .filter_map(|(_, position)| all.get(position))
            .collect()
    }

    pub(super) fn without_wrappers<'words, S: AsRef<str>>(&self, words: &'words [S]) -> &'words [S] {
        let mut words = words;
        loop {
            let fits = |wrapper: &&Vec<&str>| {
                words.len() > wrapper.len()
                    && wrapper
                        .iter()
                        .zip(words)
                        .enumerate()
                        .all(|(position, (expected, word))| {
                            let word = word.as_ref();
                            let base = if position == 0 {
                                word.rsplit('/').next().unwrap_or(word)
                            } else {
                                word
                            };
                            base == *expected
                        })
            };
            let Some(wrapper) = self.wrappers.iter().find(fits) else {
                return words;
            };
            let mut rest = words.get(wrapper.len()..).unwrap_or_default();
            // Options of the wrapper end at `--`; assignments belong to `env`.
            while let Some((first, after)) = rest.split_first() {
                let first = first.as_ref();
                let is_assignment = first.split_once('=').is_some_and(|(name, _)| {
                    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                });
                if after.is_empty() || !(first.starts_with('-') || is_assignment) {
                    break;
                }
                rest = after;
            }
            words = rest;
        }
    }
}

/// The text without its last part, without its last two, …
fn parents(text: &str, separator: char) -> impl Iterator<Item = &str> {
    text.rmatch_indices(separator)
        .filter_map(|(position, _)| text.get(..position))
}

/// Whether the last parts of a path match the parts of the pattern; a leading `/` ties the pattern to the root.
fn file_matches(pattern: &str, path: &str) -> bool {
    let (anchored, pattern) = match pattern.strip_prefix('/') {
        Some(rest) => (true, rest),
        None => (false, pattern),
    };
    let mut parts = path.rsplit('/');
    let all = pattern
        .rsplit('/')
        .all(|expected| parts.next().is_some_and(|part| glob(expected, part)));
    all && (!anchored || parts.next().is_none())
}

fn matches(all: &[Technology], mut entries: Vec<Entry>) -> Vec<Match<'_>> {
    entries.sort_unstable();
    entries.dedup_by_key(|(position, ..)| *position);
    entries
        .into_iter()
        .filter_map(|(position, strength, implied)| {
            all.get(position).map(|technology| Match {
                technology,
                strength,
                implied,
            })
        })
        .collect()
}
