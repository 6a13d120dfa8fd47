//! Languages as data: how they write comments and strings, and *anchors*, patterns for what a deployment cares about
//! (environment variables, routes, listeners, schedules, clients). The files are in `languages/`, their keys are explained
//! in `languages/README.md`.

mod anchor;
mod block;
mod find;
mod resolve;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{LazyLock, OnceLock};

use regex::{Regex, RegexBuilder};
use serde::Deserialize;

use crate::lex::{self, Masked, Syntax};
use crate::needle::Needles;
use crate::parse::opaque_debug;
use anchor::Anchor;

macro_rules! files {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../languages/", $name, ".toml")))),+]
    };
}

/// Every file of the folder; a test compares.
const FILES: &[(&str, &str)] = files![
    "c",
    "clojure",
    "csharp",
    "dart",
    "elixir",
    "erlang",
    "fsharp",
    "go",
    "groovy",
    "haskell",
    "java",
    "javascript",
    "kotlin",
    "lua",
    "perl",
    "php",
    "python",
    "ruby",
    "rust",
    "scala",
    "shell",
    "swift",
    "typescript",
];

/// All languages, in the order of their files. One that can't be read is left out, which a test rules out.
static LANGUAGES: LazyLock<Vec<Language>> = LazyLock::new(|| {
    let mut definitions: BTreeMap<&str, Definition> = BTreeMap::new();
    for (name, text) in FILES {
        if let Ok(definition) = toml::from_str::<Definition>(text) {
            definitions.insert(name, definition);
        }
    }
    let mut languages = Vec::new();
    for (name, definition) in &definitions {
        let mut definition = definition.clone();
        if let Some(parent) = definition
            .inherits
            .as_deref()
            .and_then(|parent| definitions.get(parent))
        {
            definition.inherit(parent);
        }
        languages.push(Language::new(name, definition));
    }
    languages
});

/// What an anchor finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    /// A read of an environment variable, or its declaration in a settings class or schema.
    Env,
    /// A route of an HTTP interface.
    Route,
    /// A router that is mounted under a prefix.
    Mount,
    /// A port that is listened on.
    Listen,
    /// A job that runs by the clock.
    Schedule,
    /// A client of a datastore or another service.
    Client,
}

/// Whether there is something to fall back on.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Fallback {
    /// The place says nothing: a missing value is passed on.
    None,
    /// There is a default; its text if it is one literal.
    Present(Option<String>),
    /// The place fails without a value.
    Required,
}

impl std::fmt::Debug for Fallback {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::None => "None",
            Self::Present(Some(_)) => "Present(a text)",
            Self::Present(None) => "Present",
            Self::Required => "Required",
        })
    }
}

/// A place that an anchor found.
#[derive(Clone)]
pub(crate) struct Hit {
    /// The line.
    pub(crate) line: u32,
    /// The identifier of the anchor, unique among all languages.
    pub(crate) anchor: &'static str,
    /// What was found.
    pub(crate) kind: Kind,
    /// The byte offset at which the pattern starts.
    pub(crate) offset: usize,
    /// The name of the variable, the path of the route; for a listener the variable that its port comes from.
    pub(crate) name: Option<String>,
    /// What happens without a value; for a listener what happens without the variable of its port.
    pub(crate) default: Fallback,
    /// What else the place says; the anchors of a kind share the names of attributes.
    pub(crate) attributes: BTreeMap<&'static str, String>,
    /// The name that the value is assigned to: `PORT` of `const PORT = …`.
    pub(crate) assigned: Option<String>,
}

opaque_debug!(Hit);

impl Hit {
    /// An attribute by its name.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }
}

/// A language file as it is written.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct Definition {
    name: String,
    extensions: Vec<String>,
    file_names: Vec<String>,
    inherits: Option<String>,
    syntax: Syntax,
    constant: Option<String>,
    function: Option<String>,
    fails: Vec<String>,
    fallback_operators: Vec<String>,
    fallback_methods: Vec<String>,
    demand_suffixes: Vec<String>,
    demand_methods: Vec<String>,
    raises: Vec<String>,
    nulls: Vec<String>,
    ignore_after: Vec<String>,
    class: Option<String>,
    absolute_routes: bool,
    development_block: Option<String>,
    inline_tests: Vec<String>,
    answers: Vec<String>,
    env: Vec<Anchor>,
    env_block: Vec<Anchor>,
    route: Vec<Anchor>,
    mount: Vec<Anchor>,
    listen: Vec<Anchor>,
    schedule: Vec<Anchor>,
    client: Vec<Anchor>,
}

impl Definition {
    /// Takes over what a language shares with another; its own anchors come after the inherited ones.
    fn inherit(&mut self, parent: &Self) {
        let own = std::mem::take(self);
        *self = parent.clone();
        self.name = own.name;
        self.extensions = own.extensions;
        self.file_names = own.file_names;
        self.inherits = own.inherits;
        self.env.extend(own.env);
        self.env_block.extend(own.env_block);
        self.route.extend(own.route);
        self.mount.extend(own.mount);
        self.listen.extend(own.listen);
        self.schedule.extend(own.schedule);
        self.client.extend(own.client);
    }
}

/// A pattern that is compiled when it is first needed. A pattern that is wrong never matches, which a test rules out.
#[derive(Debug, Default)]
struct Pattern {
    source: String,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    fn new(source: &str) -> Self {
        Self {
            source: source.to_owned(),
            compiled: OnceLock::new(),
        }
    }

    fn regex(&self) -> Option<&Regex> {
        let compile = || {
            RegexBuilder::new(&self.source)
                .multi_line(true)
                .unicode(false)
                .build()
                .ok()
        };
        // Without Unicode classes a pattern may not match inside of a character, which `build` refuses; then with them.
        let with_unicode = || RegexBuilder::new(&self.source).multi_line(true).build().ok();
        self.compiled
            .get_or_init(|| compile().or_else(with_unicode))
            .as_ref()
    }
}

/// A language.
#[derive(Debug)]
pub(crate) struct Language {
    name: &'static str,
    definition: Definition,
    anchors: Vec<find::Prepared>,
    /// The prefilters of all anchors, and of those for variables alone.
    any: Needles,
    variables: Needles,
    constant: Option<Pattern>,
    function: Option<Pattern>,
    class: Option<Pattern>,
    development_block: Option<Pattern>,
}

impl Language {
    fn new(name: &'static str, definition: Definition) -> Self {
        let kinds: [(Kind, &[Anchor]); 7] = [
            (Kind::Env, &definition.env),
            (Kind::Env, &definition.env_block),
            (Kind::Route, &definition.route),
            (Kind::Mount, &definition.mount),
            (Kind::Listen, &definition.listen),
            (Kind::Schedule, &definition.schedule),
            (Kind::Client, &definition.client),
        ];
        let anchors: Vec<find::Prepared> = kinds
            .into_iter()
            .flat_map(|(kind, anchors)| {
                anchors
                    .iter()
                    .map(move |anchor| find::Prepared::new(kind, anchor))
            })
            .collect();
        let any = Needles::new(anchors.iter().flat_map(find::Prepared::prefilter));
        let variables = Needles::new(
            anchors
                .iter()
                .filter(|anchor| anchor.kind == Kind::Env)
                .flat_map(find::Prepared::prefilter),
        );
        Self {
            name,
            any,
            variables,
            constant: definition.constant.as_deref().map(Pattern::new),
            function: definition.function.as_deref().map(Pattern::new),
            class: definition.class.as_deref().map(Pattern::new),
            development_block: definition.development_block.as_deref().map(Pattern::new),
            anchors,
            definition,
        }
    }

    /// Its slug: the name of its file.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// The text with comments and contents of strings blanked.
    pub(crate) fn mask(&self, text: &str) -> Masked {
        lex::mask(text, &self.definition.syntax)
    }

    /// Words of calls that make an answer and do nothing else.
    pub(crate) fn answers(&self) -> &[String] {
        &self.definition.answers
    }

    /// The name of each function, with the offset of the bracket that opens its parameters.
    pub(crate) fn functions<'text>(&self, text: &'text str) -> Vec<(&'text str, usize)> {
        let regex = self.function.as_ref().and_then(Pattern::regex);
        let named = |captures: regex::Captures<'text>| {
            let name = captures.name("name")?.as_str();
            Some((name, captures.get(0)?.end().checked_sub(1)?))
        };
        regex.map_or_else(Vec::new, |regex| {
            regex.captures_iter(text).filter_map(named).collect()
        })
    }

    /// Does a route with a slash at its beginning stand for itself, whatever its class says?
    pub(crate) fn absolute_routes(&self) -> bool {
        self.definition.absolute_routes
    }

    /// The classes of masked code that routes may take a prefix from: offsets and names.
    pub(crate) fn classes(&self, code: &str) -> Vec<(usize, String)> {
        let Some(regex) = self.class.as_ref().and_then(Pattern::regex) else {
            return Vec::new();
        };
        regex
            .captures_iter(code)
            .filter_map(|found| {
                let name = found.name("name")?.as_str().to_owned();
                Some((found.get(0)?.start(), name))
            })
            .collect()
    }

    /// Where masked code opens a block that runs in development only.
    pub(crate) fn development_blocks(&self, code: &str) -> Vec<usize> {
        self.development_block
            .as_ref()
            .and_then(Pattern::regex)
            .map_or_else(Vec::new, |regex| {
                regex.find_iter(code).map(|found| found.end()).collect()
            })
    }

    /// The text without the tests that its own file holds (`#[cfg(test)] mod tests { … }`): blanks stand in their place,
    /// so that offsets and lines stay. `None` if there are none.
    pub(crate) fn without_inline_tests(&self, text: &str) -> Option<String> {
        let marks = &self.definition.inline_tests;
        if !marks.iter().any(|mark| text.contains(mark.as_str())) {
            return None;
        }
        let masked = self.mask(text);
        let mut bytes = text.as_bytes().to_vec();
        for mark in marks {
            // Where the last search ended: what lies before it is not looked at twice, however many marks there are.
            let mut next = 0;
            let mut blanked = 0;
            for (start, _) in masked.code().match_indices(mark.as_str()) {
                if start < blanked {
                    continue;
                }
                if next < start {
                    let after = masked.code().get(start..).unwrap_or_default();
                    next = start + after.find(['{', ';']).unwrap_or(after.len());
                }
                // What the mark stands at ends with its block, or with its statement if it has none.
                if masked.code().as_bytes().get(next) != Some(&b'{') {
                    continue;
                }
                let end = masked.closing(next).unwrap_or(text.len());
                blanked = end;
                for byte in bytes.get_mut(start..end).unwrap_or_default() {
                    if *byte != b'\n' {
                        *byte = b' ';
                    }
                }
            }
        }
        String::from_utf8(bytes).ok()
    }

    /// Whether a text may hold a hit of one of the kinds: cheap, to be asked before [`Language::mask`].
    pub(crate) fn may_hit(&self, text: &str, kinds: &[Kind]) -> bool {
        let any = if kinds == [Kind::Env] {
            &self.variables
        } else {
            &self.any
        };
        any.any_in(text)
            && self
                .anchors
                .iter()
                .any(|anchor| kinds.contains(&anchor.kind) && anchor.may_match(text))
    }

    /// What the anchors of some kinds find in a text, in the order of the text.
    pub(crate) fn hits_in(&'static self, text: &str, masked: &Masked, kinds: &[Kind]) -> Vec<Hit> {
        find::hits(self, text, masked, kinds)
    }
}

/// All languages.
pub(crate) fn languages() -> &'static [Language] {
    &LANGUAGES
}

/// The language of a name, such as `python`.
pub(crate) fn language(name: &str) -> Option<&'static Language> {
    languages().iter().find(|language| language.name == name)
}

/// The language of a path, by its ending or its whole name.
pub(crate) fn language_of(path: &str) -> Option<&'static Language> {
    type ByText = BTreeMap<&'static str, &'static Language>;
    fn table(texts: fn(&'static Language) -> &'static [String]) -> ByText {
        // The first language of a text counts.
        let pairs = languages().iter().rev();
        pairs
            .flat_map(|language| texts(language).iter().map(move |text| (text.as_str(), language)))
            .collect()
    }
    static BY_NAME: LazyLock<ByText> = LazyLock::new(|| table(|language| &language.definition.file_names));
    static BY_ENDING: LazyLock<ByText> = LazyLock::new(|| table(|language| &language.definition.extensions));
    let slash = path.bytes().rposition(|byte| byte == b'/');
    let name = slash.and_then(|at| path.get(at + 1..)).unwrap_or(path);
    if let Some(language) = BY_NAME.get(name) {
        return Some(language);
    }
    let (_, ending) = name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty())?;
    if ending.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return BY_ENDING.get(ending.to_ascii_lowercase().as_str()).copied();
    }
    BY_ENDING.get(ending).copied()
}
