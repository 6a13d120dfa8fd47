//! Anchors at work: from a masked text to hits.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use regex::{Captures, Regex};

use super::anchor::{Anchor, Block, Entries, Place, Places, Shape, State};
use super::resolve::{Expression, Names};
use super::{Fallback, Hit, Kind, Language, Pattern};
use crate::lex::{Arg, Masked, arguments, statements};
use crate::parse::{slice, window_before};

/// Hits of one file that are kept.
const MAX_HITS: usize = 5_000;
/// Structures with a prefix of their own.
const MAX_PREFIXES: usize = 100;
/// The longest source text that becomes an attribute.
const MAX_ATTRIBUTE: usize = 300;

/// An anchor with its patterns.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) kind: Kind,
    pub(super) anchor: Anchor,
    pattern: Pattern,
    value_pattern: Option<Pattern>,
    owner: Option<Pattern>,
    entry: Option<Pattern>,
    skip: Option<Pattern>,
    states: Vec<Pattern>,
    alias: Vec<Pattern>,
    prefix: Option<Pattern>,
    entry_attributes: Vec<Pattern>,
}

impl Prepared {
    pub(super) fn new(kind: Kind, anchor: &Anchor) -> Self {
        let optional = |source: &Option<String>| source.as_deref().map(Pattern::new);
        Self {
            kind,
            pattern: Pattern::new(&anchor.anchor),
            value_pattern: optional(&anchor.value_pattern),
            owner: optional(&anchor.owner),
            entry: optional(&anchor.entry),
            skip: optional(&anchor.skip),
            states: anchor
                .states
                .iter()
                .map(|state| Pattern::new(state.pattern()))
                .collect(),
            alias: anchor.alias.iter().map(|source| Pattern::new(source)).collect(),
            prefix: optional(&anchor.prefix),
            entry_attributes: anchor
                .entry_attributes
                .values()
                .map(|source| Pattern::new(source))
                .collect(),
            anchor: anchor.clone(),
        }
    }

    /// Whether the texts that it asks for are there.
    pub(super) fn may_match(&self, text: &str) -> bool {
        let any =
            |words: &[String]| words.is_empty() || words.iter().any(|word| text.contains(word.as_str()));
        any(&self.anchor.prefilter) && any(&self.anchor.needs)
    }

    #[cfg(test)]
    pub(super) fn patterns(&self) -> Vec<&Pattern> {
        let optional = [
            &self.value_pattern,
            &self.owner,
            &self.entry,
            &self.skip,
            &self.prefix,
        ];
        let lists = self
            .states
            .iter()
            .chain(&self.alias)
            .chain(&self.entry_attributes);
        std::iter::once(&self.pattern)
            .chain(optional.into_iter().flatten())
            .chain(lists)
            .collect()
    }
}

/// What the anchors of some kinds find.
pub(super) fn hits(language: &'static Language, text: &str, masked: &Masked, kinds: &[Kind]) -> Vec<Hit> {
    let finder = Finder {
        language,
        text,
        masked,
        names: Names::new(language, text, masked),
        reads: OnceCell::new(),
    };
    let wanted = |prepared: &&'static Prepared| kinds.contains(&prepared.kind) && prepared.may_match(text);
    let anchors: Vec<&'static Prepared> = language.anchors.iter().filter(wanted).collect();
    let mut found: Vec<Hit> = Vec::new();
    for prepared in anchors {
        finder.find(prepared, &mut found);
        if found.len() > MAX_HITS {
            break;
        }
    }
    found.truncate(MAX_HITS);
    // Two anchors may see one place; the one that knows more about a missing value is right.
    let rank = |default: &Fallback| match default {
        Fallback::Present(_) => 0,
        Fallback::Required => 1,
        Fallback::None => 2,
    };
    found.sort_by(|one, other| {
        let key = |hit: &Hit| {
            (
                hit.line,
                hit.kind,
                hit.name.clone(),
                rank(&hit.default),
                hit.offset,
                hit.anchor,
            )
        };
        key(one).cmp(&key(other))
    });
    found.dedup_by(|later, earlier| {
        later.kind == Kind::Env
            && earlier.kind == Kind::Env
            && later.line == earlier.line
            && later.name == earlier.name
    });
    found.sort_by_key(|hit| (hit.line, hit.offset));
    found
}

struct Finder<'file> {
    language: &'static Language,
    text: &'file str,
    masked: &'file Masked,
    names: Names<'file>,
    /// The variables that the file reads, for listeners.
    reads: OnceCell<Vec<Hit>>,
}

/// A value: its text, where it stands, and whether it is one literal.
struct Value {
    text: String,
    range: Range<usize>,
    literal: bool,
}

impl<'file> Finder<'file> {
    fn code(&self) -> &'file str {
        self.masked.code()
    }

    fn find(&self, prepared: &'static Prepared, found: &mut Vec<Hit>) {
        let Some(regex) = prepared.pattern.regex() else {
            return;
        };
        if prepared.anchor.in_strings {
            self.in_strings(prepared, regex, found);
            return;
        }
        for captures in regex.captures_iter(self.code()) {
            if found.len() > MAX_HITS {
                return;
            }
            let Some(whole) = captures.get(0) else { continue };
            if self.ignored(whole.start()) {
                continue;
            }
            match prepared.anchor.block {
                Some(block) => self.block(prepared, block, &captures, found),
                None => self.call(prepared, &captures, found),
            }
        }
    }

    /// Whether a word such as `delete` stands before the place.
    fn ignored(&self, offset: usize) -> bool {
        let before = window_before(self.code(), offset, 24).trim_end();
        self.language
            .definition
            .ignore_after
            .iter()
            .any(|word| before.ends_with(word.as_str()))
    }

    /// The bracket from which arguments are read.
    fn bracket(&self, captures: &Captures<'_>) -> Option<usize> {
        if let Some(open) = captures.name("open") {
            return Some(open.start());
        }
        let end = captures.get(0)?.end();
        let last = end.checked_sub(1)?;
        matches!(self.code().as_bytes().get(last), Some(b'(' | b'[' | b'{')).then_some(last)
    }

    fn call(&self, prepared: &'static Prepared, captures: &Captures<'_>, found: &mut Vec<Hit>) {
        let anchor = &prepared.anchor;
        let Some(whole) = captures.get(0) else { return };
        let open = self.bracket(captures);
        let arguments = open
            .map(|open| arguments(self.text, self.masked, open))
            .unwrap_or_default();
        let end = open
            .and_then(|open| self.masked.closing(open))
            .map_or(whole.end(), |close| close + 1);
        let end = end.max(self.end_of_names(anchor, captures, whole.end(), open));
        let attributes = self.attributes(anchor, captures, &arguments);
        if prepared.kind == Kind::Env {
            let expression = Expression::read(self.language, self.text, self.masked, whole.start(), end);
            if expression.written {
                return;
            }
            let default = self.fallback(anchor, captures, &arguments, expression.fallback);
            let hit = |name: String, default: Fallback, offset: usize| {
                let name = if anchor.upper {
                    name.to_ascii_uppercase()
                } else {
                    name
                };
                fits(prepared, &name).then(|| Hit {
                    line: self.masked.line(offset),
                    anchor: &anchor.id,
                    kind: prepared.kind,
                    offset,
                    name: Some(name),
                    default,
                    attributes: attributes.clone(),
                    assigned: self.names.assigned(whole.start()),
                })
            };
            let Some(value) = self.value(&anchor.name, captures, &arguments) else {
                return;
            };
            if value.literal {
                let (name, inner_default) = prepared.unpack(&value.text);
                let Some(name) = name else { return };
                let default = match inner_default {
                    Some(text) => Fallback::Present(Some(text)),
                    None => default,
                };
                found.extend(hit(name, default, value.range.start));
            } else if let Some(name) = self.names.constant(&value.text) {
                found.extend(hit(name, default, value.range.start));
            } else {
                // The name is a parameter of the function around it: its callers name the variables.
                for call in self.names.calls_of_helper(whole.start(), &value.text) {
                    let default = match (call.default, call.fails) {
                        (Some(text), _) => Fallback::Present(text),
                        (None, true) => Fallback::Required,
                        (None, false) => default.clone(),
                    };
                    found.extend(hit(call.name, default, call.offset));
                }
            }
            return;
        }
        let named = self.value(&anchor.name, captures, &arguments);
        if named.is_none() && !anchor.name.0.is_empty() && prepared.kind != Kind::Listen {
            return;
        }
        let text = named.map(|value| {
            if value.literal {
                value.text
            } else {
                self.names.constant(&value.text).unwrap_or(value.text)
            }
        });
        let text = match (text, &prepared.value_pattern) {
            (Some(text), Some(_)) => match prepared.unpack(&text).0 {
                Some(name) => Some(name),
                None => return,
            },
            (text, _) => text,
        };
        let mut hit = Hit {
            line: self.masked.line(whole.start() + leading_blanks(whole.as_str())),
            anchor: &anchor.id,
            kind: prepared.kind,
            offset: whole.start(),
            name: text,
            default: self.fallback(anchor, captures, &arguments, Fallback::None),
            attributes,
            assigned: self.names.assigned(whole.start()),
        };
        if prepared.kind == Kind::Listen {
            self.listener(anchor, captures, &arguments, &mut hit);
        }
        found.push(hit);
    }

    /// Where the expression ends whose name is read from a literal at the end of the match.
    fn end_of_names(
        &self,
        anchor: &Anchor,
        captures: &Captures<'_>,
        end: usize,
        open: Option<usize>,
    ) -> usize {
        let after = anchor.name.0.iter().any(|place| matches!(place, Place::After));
        let group = anchor.name.0.iter().find_map(|place| match place {
            Place::Group(name) => captures.name(name).map(|group| group.end()),
            _ => None,
        });
        match (after, group, open) {
            (true, _, _) => self.masked.literal_after(end).map_or(end, |literal| literal.end),
            (false, Some(group), None) => group.max(end),
            _ => 0,
        }
    }

    /// A listener takes its port from a variable if its argument reads one, here or where the name was assigned.
    fn listener(&self, anchor: &Anchor, captures: &Captures<'_>, arguments: &[Arg], hit: &mut Hit) {
        for key in ["port", "address"] {
            let Some(value) = anchor
                .attributes
                .get(key)
                .and_then(|places| self.value(places, captures, arguments))
            else {
                continue;
            };
            if value.literal {
                continue;
            }
            let reads = self
                .reads
                .get_or_init(|| self.language.hits_in(self.text, self.masked, &[Kind::Env]));
            let inside = reads.iter().find(|read| value.range.contains(&read.offset));
            let word = last_word(&value.text);
            let read = inside.or_else(|| {
                reads
                    .iter()
                    .rev()
                    .find(|read| read.assigned.as_deref() == Some(word))
            });
            if let Some(read) = read {
                hit.name.clone_from(&read.name);
                hit.default = read.default.clone();
                return;
            }
            if let Some(constant) = self.names.constant(&value.text) {
                hit.attributes.insert(key, constant);
            }
        }
    }

    fn value(&self, places: &Places, captures: &Captures<'_>, arguments: &[Arg]) -> Option<Value> {
        places
            .0
            .iter()
            .find_map(|place| self.value_at(place, captures, arguments))
    }

    fn value_at(&self, place: &Place, captures: &Captures<'_>, arguments: &[Arg]) -> Option<Value> {
        let of_argument = |argument: &Arg| Value {
            text: argument
                .literal
                .clone()
                .unwrap_or_else(|| self.shortened(&argument.range)),
            range: argument.range.clone(),
            literal: argument.literal.is_some(),
        };
        match place {
            Place::Index(index) => arguments
                .iter()
                .filter(|argument| argument.name.is_none())
                .nth(*index)
                .map(of_argument),
            Place::Named(name) => arguments
                .iter()
                .find(|argument| argument.name.as_ref() == Some(name))
                .map(of_argument),
            Place::Group(name) => captures.name(name).map(|group| {
                let literal = self
                    .masked
                    .literal_at(group.start())
                    .and_then(|literal| literal.value(self.text));
                let text = literal.map_or_else(
                    || slice(self.text, group.start(), group.end()).to_owned(),
                    Into::into,
                );
                Value {
                    text,
                    range: group.range(),
                    literal: true,
                }
            }),
            Place::After => {
                let at = self.masked.next_code(captures.get(0)?.end());
                self.of_literal(self.masked.literal_at(at)?)
            }
            Place::Before => self.of_literal(self.masked.literal_before(captures.get(0)?.start())?),
            Place::Fixed(text) => Some(Value {
                text: text.clone(),
                range: captures.get(0)?.range(),
                literal: true,
            }),
        }
    }

    fn of_literal(&self, literal: &crate::lex::Literal) -> Option<Value> {
        let text = literal.value(self.text)?.into_owned();
        Some(Value {
            text,
            range: literal.start..literal.end,
            literal: true,
        })
    }

    fn shortened(&self, range: &Range<usize>) -> String {
        let source = slice(self.text, range.start, range.end);
        let mut end = source.len().min(MAX_ATTRIBUTE);
        while !source.is_char_boundary(end) {
            end -= 1;
        }
        slice(source, 0, end).to_owned()
    }

    fn attributes(
        &self,
        anchor: &'static Anchor,
        captures: &Captures<'_>,
        arguments: &[Arg],
    ) -> BTreeMap<&'static str, String> {
        let one = |(name, places): (&'static String, &Places)| {
            Some((name.as_str(), self.value(places, captures, arguments)?.text))
        };
        anchor.attributes.iter().filter_map(one).collect()
    }

    fn fallback(
        &self,
        anchor: &Anchor,
        captures: &Captures<'_>,
        arguments: &[Arg],
        behind: Fallback,
    ) -> Fallback {
        let default = anchor
            .default
            .0
            .iter()
            .find_map(|place| self.value_at(place, captures, arguments));
        if let Some(value) = default {
            return self.default_at(&value.range);
        }
        let optional = captures
            .name("type")
            .is_some_and(|group| anchor.optional_types.iter().any(|kind| kind == group.as_str()));
        match behind {
            Fallback::None if anchor.required && !optional => Fallback::Required,
            behind => behind,
        }
    }

    /// The default that stands in a range: the text of a literal, number or truth value; none for `null`.
    fn default_at(&self, range: &Range<usize>) -> Fallback {
        super::resolve::default_at(self.language, self.text, self.masked, range)
    }
}

impl Prepared {
    /// Name and default out of a literal that holds more than the name.
    fn unpack(&self, text: &str) -> (Option<String>, Option<String>) {
        let Some(pattern) = &self.value_pattern else {
            return (Some(text.to_owned()), None);
        };
        let captures = pattern.regex().and_then(|regex| regex.captures(text));
        let group = |name: &str| {
            captures
                .as_ref()
                .and_then(|captures| captures.name(name))
                .map(|group| group.as_str().to_owned())
        };
        (group("name"), group("default"))
    }
}

/// Whether a name looks like what it should be.
fn fits(prepared: &Prepared, name: &str) -> bool {
    let first = name.bytes().next();
    let usual = first.is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    match prepared.anchor.shape {
        Shape::Usual => usual,
        Shape::Upper => usual && name.len() > 1 && !name.bytes().any(|byte| byte.is_ascii_lowercase()),
    }
}

fn leading_blanks(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

/// `PORT` of `config.PORT` or `self::PORT`.
fn last_word(text: &str) -> &str {
    text.rsplit(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'))
        .find(|word| !word.is_empty())
        .unwrap_or("")
}

// Blocks: settings classes, schemas, tags.
impl Finder<'_> {
    fn block(
        &self,
        prepared: &'static Prepared,
        block: Block,
        captures: &Captures<'_>,
        found: &mut Vec<Hit>,
    ) {
        let Some(whole) = captures.get(0) else { return };
        let range = match block {
            Block::Bracket => self.bracket(captures).and_then(|open| self.masked.inside(open)),
            Block::Indent => Some(self.masked.indented_block(whole.end().saturating_sub(1))),
            Block::Type => captures
                .name("type")
                .and_then(|group| self.body_of_type(prepared, group.as_str())),
        };
        let Some(range) = range else { return };
        let entries = match prepared.anchor.entries {
            Entries::Arguments => match range.start.checked_sub(1) {
                Some(open) if block != Block::Indent => arguments(self.text, self.masked, open),
                _ => Vec::new(),
            },
            Entries::Statements => statements(self.text, self.masked, range.clone()),
        };
        let mut prefix = captures
            .name("prefix")
            .map(|group| self.literal_in(&group.range()))
            .unwrap_or_default();
        if let Some(regex) = prepared.prefix.as_ref().and_then(Pattern::regex)
            && let Some(matched) = regex.find(slice(self.code(), range.start, range.end))
        {
            let behind = self.masked.next_code(range.start + matched.end());
            prefix = self
                .masked
                .literal_at(behind)
                .and_then(|literal| literal.value(self.text))
                .unwrap_or_default()
                .into_owned();
        }
        // Only what is indented like the first entry belongs to the block itself.
        let column = |entry: &Arg| entry.start - self.line_start(entry.start);
        let first = entries.first().map(column);
        let mut decorators: Option<usize> = None;
        for entry in &entries {
            if block == Block::Indent && Some(column(entry)) != first {
                continue;
            }
            let code = slice(self.code(), entry.start, entry.range.end);
            if code.starts_with('@')
                && !prepared
                    .entry
                    .as_ref()
                    .and_then(Pattern::regex)
                    .is_some_and(|regex| regex.is_match(code))
            {
                decorators.get_or_insert(entry.start);
                continue;
            }
            let start = decorators.take().unwrap_or(entry.start);
            self.entry(prepared, entry, start, &prefix, found);
        }
    }

    fn line_start(&self, offset: usize) -> usize {
        slice(self.code(), 0, offset).rfind('\n').map_or(0, |at| at + 1)
    }

    fn literal_in(&self, range: &Range<usize>) -> String {
        let literal = self
            .masked
            .literal_at(range.start)
            .and_then(|literal| literal.value(self.text));
        literal.map_or_else(|| slice(self.text, range.start, range.end).to_owned(), Into::into)
    }

    fn body_of_type(&self, prepared: &Prepared, name: &str) -> Option<Range<usize>> {
        let regex = prepared.owner.as_ref()?.regex()?;
        let definition = regex
            .captures_iter(self.code())
            .find(|captures| captures.name("name").is_some_and(|group| group.as_str() == name))?;
        self.masked.inside(definition.get(0)?.end().checked_sub(1)?)
    }

    fn entry(
        &self,
        prepared: &'static Prepared,
        entry: &Arg,
        start: usize,
        prefix: &str,
        found: &mut Vec<Hit>,
    ) {
        let code = slice(self.code(), start, entry.range.end);
        if prepared
            .skip
            .as_ref()
            .and_then(Pattern::regex)
            .is_some_and(|regex| regex.is_match(code))
        {
            return;
        }
        let (name, offset) = match &prepared.entry {
            Some(pattern) => {
                let Some(group) = pattern
                    .regex()
                    .and_then(|regex| regex.captures(code))
                    .and_then(|captures| captures.name("name"))
                else {
                    return;
                };
                (
                    self.literal_in(&(start + group.start()..start + group.end())),
                    start + group.start(),
                )
            }
            None => match &entry.name {
                Some(name) => (name.clone(), entry.start),
                None => (code.to_owned(), entry.start),
            },
        };
        let aliases = self.aliases(prepared, code, start);
        let mut attributes: BTreeMap<&'static str, String> = BTreeMap::new();
        for (name, pattern) in prepared
            .anchor
            .entry_attributes
            .keys()
            .zip(&prepared.entry_attributes)
        {
            let Some(matched) = pattern.regex().and_then(|regex| regex.find(code)) else {
                continue;
            };
            let behind = self.masked.next_code(start + matched.end());
            let value = super::resolve::simple_value(self.text, self.masked, behind).filter(|_| {
                !matched
                    .as_str()
                    .ends_with(|letter: char| letter.is_alphanumeric())
            });
            attributes.insert(name.as_str(), value.unwrap_or_else(|| "true".to_owned()));
        }
        let mut default = self.state(prepared, code, start);
        let names = if aliases.is_empty() {
            let name = format!("{prefix}{name}");
            vec![if prepared.anchor.upper {
                name.to_ascii_uppercase()
            } else {
                name
            }]
        } else {
            aliases
        };
        if names.len() > 1 {
            attributes.insert("one-of", names.join(","));
            if default == Fallback::Required {
                default = Fallback::None;
            }
        }
        for name in names.into_iter().filter(|name| fits(prepared, name)) {
            found.push(Hit {
                line: self.masked.line(offset),
                anchor: &prepared.anchor.id,
                kind: prepared.kind,
                offset,
                name: Some(name),
                default: default.clone(),
                attributes: attributes.clone(),
                assigned: None,
            });
        }
    }

    /// The names of an entry that are not its own: one literal, or those in a bracket.
    fn aliases(&self, prepared: &Prepared, code: &str, start: usize) -> Vec<String> {
        for pattern in &prepared.alias {
            let Some(matched) = pattern.regex().and_then(|regex| regex.find(code)) else {
                continue;
            };
            let end = start + matched.end();
            if matched.as_str().ends_with(['(', '[']) {
                return arguments(self.text, self.masked, end - 1)
                    .into_iter()
                    .filter_map(|argument| argument.literal)
                    .collect();
            }
            let literal = self.masked.literal_at(self.masked.next_code(end));
            return literal
                .and_then(|literal| literal.value(self.text))
                .map(|name| vec![name.into_owned()])
                .unwrap_or_default();
        }
        Vec::new()
    }

    fn state(&self, prepared: &Prepared, code: &str, start: usize) -> Fallback {
        for (state, pattern) in prepared.anchor.states.iter().zip(&prepared.states) {
            let Some(captures) = pattern.regex().and_then(|regex| regex.captures(code)) else {
                continue;
            };
            return match state {
                State::Required(_) => Fallback::Required,
                State::Optional(_) => Fallback::None,
                State::Default(_) => {
                    let end = start + captures.get(0).map_or(0, |whole| whole.end());
                    let value = captures.name("value").map(|group| start + group.start());
                    let bracket = end
                        .checked_sub(1)
                        .filter(|_| value.is_none())
                        .filter(|last| self.code().as_bytes().get(*last) == Some(&b'('));
                    match bracket {
                        Some(open) => match arguments(self.text, self.masked, open).first() {
                            Some(argument) => self.default_at(&argument.range),
                            None => Fallback::Present(None),
                        },
                        None => {
                            let at = value.unwrap_or_else(|| self.masked.next_code(end));
                            self.default_at(&(at..start + code.len()))
                        }
                    }
                }
            };
        }
        if prepared.anchor.otherwise_optional {
            Fallback::None
        } else {
            Fallback::Required
        }
    }

    /// Tags inside of strings; a tag on a nested structure may give a prefix to all names in it.
    fn in_strings(&self, prepared: &'static Prepared, regex: &Regex, found: &mut Vec<Hit>) {
        let prefixes = self.prefixes(prepared);
        for literal in self.masked.literals() {
            let written = literal.written(self.text);
            for captures in regex.captures_iter(written) {
                let Some(group) = captures.name("name") else {
                    continue;
                };
                let offset = literal.inner.start + group.start();
                let prefix = prefix_at(&prefixes, literal.start, 0, &mut BTreeSet::new());
                let name = format!("{prefix}{}", group.as_str());
                if found.len() > MAX_HITS || !fits(prepared, &name) {
                    continue;
                }
                let default =
                    prepared
                        .anchor
                        .states
                        .iter()
                        .zip(&prepared.states)
                        .find_map(|(state, pattern)| {
                            let captures = pattern.regex()?.captures(written)?;
                            Some(match state {
                                State::Required(_) => Fallback::Required,
                                State::Optional(_) => Fallback::None,
                                State::Default(_) => Fallback::Present(
                                    captures.name("value").map(|group| group.as_str().to_owned()),
                                ),
                            })
                        });
                let otherwise = if prepared.anchor.otherwise_optional {
                    Fallback::None
                } else {
                    Fallback::Required
                };
                found.push(Hit {
                    line: self.masked.line(offset),
                    anchor: &prepared.anchor.id,
                    kind: prepared.kind,
                    offset,
                    name: Some(name),
                    default: default.unwrap_or(otherwise),
                    attributes: BTreeMap::new(),
                    assigned: None,
                });
            }
        }
    }

    /// The ranges of structures whose names get a prefix, with the place of the tag that says so.
    fn prefixes(&self, prepared: &Prepared) -> Vec<(Range<usize>, usize, String)> {
        let mut found = Vec::new();
        let Some(regex) = prepared.prefix.as_ref().and_then(Pattern::regex) else {
            return found;
        };
        for literal in self.masked.literals().iter().take(MAX_HITS) {
            let Some(prefix) = regex
                .captures(literal.written(self.text))
                .and_then(|captures| captures.name("prefix").map(|group| group.as_str().to_owned()))
            else {
                continue;
            };
            if found.len() >= MAX_PREFIXES {
                break;
            }
            let before = window_before(self.code(), literal.start, 400).trim_end();
            let range = if before.ends_with('}') {
                let close = slice(self.code(), 0, literal.start)
                    .trim_end()
                    .len()
                    .saturating_sub(1);
                self.masked.opening(close).map(|open| open..close)
            } else {
                self.body_of_type(prepared, last_word(before))
            };
            found.extend(range.map(|range| (range, literal.start, prefix)));
        }
        found
    }
}

/// The prefixes of all structures around a place, outermost first.
fn prefix_at(
    prefixes: &[(Range<usize>, usize, String)],
    offset: usize,
    depth: usize,
    seen: &mut BTreeSet<usize>,
) -> String {
    if depth > 5 {
        return String::new();
    }
    let mut whole = String::new();
    for (range, tag, prefix) in prefixes.iter().filter(|(range, _, _)| range.contains(&offset)) {
        if seen.insert(*tag) {
            whole = format!("{}{whole}{prefix}", prefix_at(prefixes, *tag, depth + 1, seen));
        }
    }
    whole
}
