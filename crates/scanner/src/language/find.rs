//! Anchors at work: from a masked text to hits.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::ops::Range;

use regex::Captures;

use super::anchor::{Anchor, Block, Place, Places, Shape};
use super::resolve::{Expression, Names};
use super::{Fallback, Hit, Kind, Language, Pattern};
use crate::lex::{Arg, Masked, arguments};
use crate::limits;
use crate::parse::{slice, window_before};

/// An anchor with its patterns.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) kind: Kind,
    pub(super) anchor: Anchor,
    pattern: Pattern,
    value_pattern: Option<Pattern>,
    pub(super) owner: Option<Pattern>,
    pub(super) entry: Option<Pattern>,
    pub(super) skip: Option<Pattern>,
    pub(super) states: Vec<Pattern>,
    pub(super) alias: Vec<Pattern>,
    pub(super) prefix: Option<Pattern>,
    file_prefix: Option<Pattern>,
    pub(super) prefix_separator: Option<Pattern>,
    pub(super) separator: Option<Pattern>,
    pub(super) entry_attributes: Vec<Pattern>,
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
            file_prefix: optional(&anchor.file_prefix),
            prefix_separator: optional(&anchor.prefix_separator),
            separator: optional(&anchor.separator),
            entry_attributes: anchor
                .entry_attributes
                .values()
                .map(|source| Pattern::new(source))
                .collect(),
            anchor: anchor.clone(),
        }
    }

    /// The texts of which a file must have one.
    pub(super) fn prefilter(&self) -> impl Iterator<Item = &str> {
        // An anchor without any looks at every file.
        let none = self.anchor.prefilter.is_empty().then_some("");
        self.anchor.prefilter.iter().map(String::as_str).chain(none)
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
            &self.file_prefix,
            &self.prefix_separator,
            &self.separator,
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
        if found.len() > limits::HITS {
            break;
        }
    }
    found.truncate(limits::HITS);
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

pub(super) struct Finder<'file> {
    language: &'static Language,
    pub(super) text: &'file str,
    pub(super) masked: &'file Masked,
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
    pub(super) fn code(&self) -> &'file str {
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
        let most = if prepared.anchor.block == Some(Block::Type) {
            limits::TYPES
        } else {
            usize::MAX
        };
        for captures in regex.captures_iter(self.code()).take(most) {
            if found.len() > limits::HITS {
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
    pub(super) fn bracket(&self, captures: &Captures<'_>) -> Option<usize> {
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
            let prefix = self.file_prefix(prepared);
            let hit = |name: String, default: Fallback, offset: usize| {
                let name = if anchor.upper {
                    format!("{prefix}{name}")
                        .to_ascii_uppercase()
                        .replace(['-', '.'], "_")
                } else {
                    name
                };
                let skipped = prepared
                    .skip
                    .as_ref()
                    .and_then(Pattern::regex)
                    .is_some_and(|skip| skip.is_match(&name));
                (!skipped && fits(prepared, &name)).then(|| Hit {
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
                for call in self.names.calls_of_helper(&anchor.id, whole.start(), &value.text) {
                    let default = match (call.default, call.fails) {
                        (Some(default), _) => default,
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
            if hit.name.is_none() && hit.attributes.is_empty() {
                return;
            }
        }
        found.push(hit);
    }

    /// The prefix that the file states for all names of an anchor, with the underscore behind it.
    fn file_prefix(&self, prepared: &Prepared) -> String {
        let found = prepared
            .file_prefix
            .as_ref()
            .and_then(Pattern::regex)
            .and_then(|regex| regex.find(self.code()))
            .and_then(|found| self.masked.literal_after(found.end()))
            .and_then(|literal| literal.value(self.text));
        found.map_or_else(String::new, |prefix| format!("{prefix}_"))
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
        let mut end = source.len().min(limits::ATTRIBUTE_BYTES);
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
    pub(super) fn default_at(&self, range: &Range<usize>) -> Fallback {
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
pub(super) fn fits(prepared: &Prepared, name: &str) -> bool {
    let first = name.bytes().next();
    let usual = first.is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    match prepared.anchor.shape {
        Shape::Usual => usual,
        Shape::Key => {
            first.is_some_and(|byte| byte.is_ascii_alphabetic())
                && !name.ends_with(':')
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':'))
        }
        Shape::Upper => usual && name.len() > 1 && !name.bytes().any(|byte| byte.is_ascii_lowercase()),
    }
}

fn leading_blanks(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

/// `PORT` of `config.PORT` or `self::PORT`.
pub(super) fn last_word(text: &str) -> &str {
    text.rsplit(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'))
        .find(|word| !word.is_empty())
        .unwrap_or("")
}
