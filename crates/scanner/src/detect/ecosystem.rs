//! What the detectors of PHP, Ruby, Elixir, the JVM and .NET share: facts of one shape, and source code whose comments
//! and strings are known.

mod needle;

use std::sync::LazyLock;

use playbook_core::evidence::Scope;
use playbook_core::harmless::{Name, Schedule, Symbol, Version};
use playbook_core::inventory::VersionPin;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Group};
use regex::{Captures, Regex};

use crate::fact::{Dependency, EntryKind, EntryPoint, Facts, JobFact, ProjectFact, StoreFact};
use crate::language;
use crate::lex::Masked;
use crate::limits;
use crate::source::Source;

pub(super) use needle::{needles, texts};

/// A pattern that is compiled once. A wrong one matches nothing, which the tests of its user notice.
pub(super) struct Pattern(pub(super) &'static LazyLock<Option<Regex>>);

macro_rules! pattern {
    ($text:expr) => {{
        static PATTERN: std::sync::LazyLock<Option<regex::Regex>> =
            std::sync::LazyLock::new(|| regex::Regex::new($text).ok());
        $crate::detect::ecosystem::Pattern(&PATTERN)
    }};
}
pub(super) use pattern;

impl Pattern {
    /// All matches in a text, as many as one file may give.
    pub(super) fn all<'t>(&self, text: &'t str) -> Vec<Captures<'t>> {
        self.0.as_ref().map_or_else(Vec::new, |regex| {
            regex
                .captures_iter(text)
                .take(limits::FACTS_PER_FILE + 1)
                .collect()
        })
    }

    /// The first match in a text.
    pub(super) fn first<'t>(&self, text: &'t str) -> Option<Captures<'t>> {
        self.0.as_ref()?.captures(text)
    }

    /// Does a text match?
    pub(super) fn is(&self, text: &str) -> bool {
        self.0.as_ref().is_some_and(|regex| regex.is_match(text))
    }
}

/// What a named group holds; empty when it took no part.
pub(super) fn group<'t>(found: &Captures<'t>, name: &str) -> &'t str {
    found.name(name).map_or("", |found| found.as_str())
}

/// Where a match begins, blanks before it left out.
pub(super) fn start(found: &Captures<'_>) -> usize {
    found.get(0).map_or(0, |whole| {
        whole.start() + whole.as_str().len() - whole.as_str().trim_start().len()
    })
}

/// Source code together with where its comments and strings are.
pub(super) struct Code<'a> {
    pub(super) source: &'a Source<'a>,
    masked: Masked,
}

impl<'a> Code<'a> {
    /// Reads a file in a language of `languages/`; `None` for what is too large.
    pub(super) fn new(source: &'a Source<'a>, name: &str) -> Option<Self> {
        if source.text.len() as u64 > limits::SOURCE_BYTES {
            return None;
        }
        Some(Self {
            source,
            masked: language::language(name)?.mask(source.text),
        })
    }

    /// The code: comments and contents of strings are blanks.
    pub(super) fn plain(&self) -> &str {
        self.masked.code()
    }

    /// Matches in the text that begin neither in a comment nor in a string.
    pub(super) fn all(&self, pattern: &Pattern) -> Vec<Captures<'a>> {
        pattern
            .all(self.source.text)
            .into_iter()
            .filter(|found| self.is_code(start(found)))
            .collect()
    }

    /// The first of them.
    pub(super) fn first(&self, pattern: &Pattern) -> Option<Captures<'a>> {
        self.all(pattern).into_iter().next()
    }

    /// The line of the first occurrence of a text in the code.
    pub(super) fn line_with(&self, needle: &str) -> Option<u32> {
        self.plain().find(needle).map(|at| self.line(at))
    }

    /// Is the text in the code?
    pub(super) fn has(&self, needle: &str) -> bool {
        self.plain().contains(needle)
    }

    /// The line of an offset.
    pub(super) fn line(&self, offset: usize) -> u32 {
        self.source.line_of(offset)
    }

    fn is_code(&self, offset: usize) -> bool {
        let text = self.source.text.as_bytes().get(offset);
        text.is_some() && text == self.plain().as_bytes().get(offset)
    }

    /// The line before a brace that is open at an offset, for each of them, the innermost first: the headers of the
    /// blocks that a place stands in.
    pub(super) fn headers(&self, offset: usize) -> Vec<&str> {
        let mut depth = 0u32;
        let mut out = Vec::new();
        let before = self.plain().get(..offset).unwrap_or_default();
        for (at, byte) in before.bytes().enumerate().rev() {
            match byte {
                b'}' => depth += 1,
                b'{' if depth > 0 => depth -= 1,
                b'{' => {
                    let head = before.get(..at).unwrap_or_default().trim_end();
                    let from = head.rfind([';', '{', '}']).map_or(0, |end| end + 1);
                    out.push(head.get(from..).unwrap_or_default());
                    if out.len() >= 20 {
                        break;
                    }
                }
                _ => {}
            }
        }
        out
    }
}

/// Tells the version of a runtime or tool that a place asks for.
pub(super) fn pin(source: &Source<'_>, facts: &mut Facts, tool: &'static str, version: &str, line: u32) {
    if let Some(version) = Version::parse(Raw::new(version.trim())) {
        facts.version_pins.push(VersionPin {
            tool: Shown::from(tool),
            version: version.into(),
            path: source.path.parent(),
            scope: source.scope,
            evidence: vec![source.at(line)],
        });
    }
}

/// The first line of a file that holds nothing but a version.
pub(super) fn pin_of_file(source: &Source<'_>, facts: &mut Facts, tool: &'static str) {
    let first = source
        .numbered_lines()
        .map(|(line, text)| (line, text.split('#').next().unwrap_or_default().trim()))
        .find(|(_, text)| !text.is_empty());
    if let Some((line, text)) = first {
        let bare = text.trim_start_matches(|c: char| !c.is_ascii_digit());
        pin(source, facts, tool, bare, line);
    }
}

/// A manifest without anything in it.
pub(super) fn project(
    source: &Source<'_>,
    ecosystem: &'static str,
    language: &'static str,
    runtime: &'static str,
    package_manager: Option<&'static str>,
) -> ProjectFact {
    ProjectFact {
        dir: source.path.parent(),
        manifest: source.path.clone(),
        ecosystem,
        language,
        runtime,
        name: None,
        archive: None,
        description: None,
        license: None,
        package_manager,
        dependencies: Vec::new(),
        members: Vec::new(),
        published: None,
        programs: Vec::new(),
        scope: source.scope,
        evidence: source.at(1),
    }
}

/// A package.
pub(super) fn dependency(name: &str, version: &str, development: bool, line: u32) -> Option<Dependency> {
    Some(Dependency {
        name: Name::parse(Raw::new(name))?,
        version: Version::parse(Raw::new(version)),
        development,
        line,
    })
}

/// An entry point without a port.
pub(super) fn entry(
    source: &Source<'_>,
    kind: EntryKind,
    framework: &'static str,
    symbol: &str,
    line: u32,
) -> EntryPoint {
    EntryPoint {
        path: source.path.clone(),
        kind,
        framework: Shown::from(framework),
        symbol: Symbol::parse(Raw::new(symbol)),
        port: None,
        port_variable: None,
        bind: None,
        scope: source.scope,
        evidence: source.at(line),
    }
}

/// A datastore of the catalogue, used by the code of this folder.
pub(super) fn store(source: &Source<'_>, kind: &str, strong: bool, line: u32) -> Option<StoreFact> {
    let technology = Catalogue::get().find(Group::Datastore, kind)?;
    Some(StoreFact {
        kind: Shown::from(technology.id),
        dir: None,
        version: None,
        role: None,
        managed: None,
        driver: None,
        variable: None,
        name: None,
        extension: None,
        strong,
        scope: source.scope,
        evidence: source.at(line),
    })
}

/// The datastore that an adapter, a scheme or a driver's short name stands for: `pgsql`, `mysql2`, `jdbc:postgresql`.
pub(crate) fn kind_of_scheme(word: &str) -> Option<&'static str> {
    let word = word.trim().to_ascii_lowercase();
    let catalogue = Catalogue::get();
    catalogue
        .find(Group::Datastore, &word)
        .or_else(|| {
            catalogue
                .by_url_scheme(&word)
                .into_iter()
                .map(|found| found.technology)
                .find(|technology| technology.group == Group::Datastore)
        })
        .map(|technology| technology.id)
}

/// A job that runs by the clock.
pub(super) fn job(
    source: &Source<'_>,
    facts: &mut Facts,
    name: &str,
    schedule: &str,
    runner: &'static str,
    line: u32,
) {
    let Some(name) = job_name(name) else { return };
    facts.jobs.push(JobFact {
        name,
        schedule: Schedule::parse(Raw::new(schedule)),
        runner: Shown::from(runner),
        scope: source.scope,
        evidence: source.at(line),
    });
}

/// The name of a job as one word: `App\Jobs\Clean::class` is `Clean`.
fn job_name(text: &str) -> Option<Name> {
    let bare = text
        .trim()
        .trim_end_matches("::class")
        .trim_matches(['"', '\'', ':']);
    let bare = bare.rsplit('\\').next().unwrap_or(bare);
    Name::parse(Raw::new(bare)).or_else(|| {
        let word: String = bare
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || c == '.' || c == '_' {
                    c
                } else {
                    '-'
                }
            })
            .collect();
        let word = word
            .split('-')
            .filter(|part| !part.is_empty())
            .take(6)
            .collect::<Vec<_>>();
        Name::parse(Raw::new(&word.join("-")))
    })
}

/// Does the source hold for production? Tests begin no process and use no store of production.
pub(super) fn is_production(source: &Source<'_>) -> bool {
    source.scope == Scope::Production
}
