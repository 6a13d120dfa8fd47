//! Blocks: settings classes, schemas, tags of structures.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use regex::{Captures, Regex};

use super::anchor::{Block, Entries, State};
use super::find::{Finder, Prepared, fits, last_word};
use super::{Fallback, Hit, Pattern, resolve};
use crate::lex::{Arg, arguments, statements};
use crate::limits;
use crate::parse::{slice, window_before};

/// The types of a file, for the types of fields.
struct Nested<'file> {
    types: BTreeMap<&'file str, usize>,
    separator: Option<String>,
}

impl Finder<'_> {
    pub(super) fn block(
        &self,
        prepared: &'static Prepared,
        block: Block,
        captures: &Captures<'_>,
        found: &mut Vec<Hit>,
    ) {
        let Some(whole) = captures.get(0) else { return };
        let mut prefix = captures
            .name("prefix")
            .map(|group| self.literal_in(&group.range()))
            .unwrap_or_default();
        if block == Block::Type {
            let Some(name) = captures.name("type") else { return };
            let types = self.types(prepared);
            let separator = self.literal_behind(prepared.separator.as_ref(), 0..self.code().len());
            if let Some(written) = self.literal_behind(prepared.prefix.as_ref(), 0..self.code().len()) {
                prefix = written;
                if prepared.prefix_separator.is_some() {
                    let between =
                        self.literal_behind(prepared.prefix_separator.as_ref(), 0..self.code().len());
                    prefix.push_str(
                        &between
                            .or_else(|| separator.clone())
                            .unwrap_or_else(|| "_".to_owned()),
                    );
                }
            }
            let nested = Nested { types, separator };
            self.fields(prepared, &nested, name.as_str(), &prefix, 0, found);
            return;
        }
        let range = match block {
            Block::Indent => Some(self.masked.indented_block(whole.end().saturating_sub(1))),
            _ => self.bracket(captures).and_then(|open| self.masked.inside(open)),
        };
        let Some(range) = range else { return };
        if let Some(written) = self.literal_behind(prepared.prefix.as_ref(), range.clone()) {
            prefix = written;
        }
        let entries = match prepared.anchor.entries {
            Entries::Arguments => match range.start.checked_sub(1) {
                Some(open) if block == Block::Bracket => arguments(self.text, self.masked, open),
                _ => Vec::new(),
            },
            Entries::Statements => statements(self.text, self.masked, range.clone()),
        };
        // Only what is indented like the first entry belongs to the block itself.
        let column = |entry: &Arg| entry.start - self.line_start(entry.start);
        let first = entries.first().map(column);
        let mut decorators: Option<usize> = None;
        for entry in &entries {
            if block == Block::Indent && Some(column(entry)) != first {
                continue;
            }
            let code = slice(self.code(), entry.start, entry.range.end);
            let named = prepared
                .entry
                .as_ref()
                .and_then(Pattern::regex)
                .is_some_and(|regex| regex.is_match(code));
            if code.starts_with('@') && !named {
                decorators.get_or_insert(entry.start);
                continue;
            }
            let start = decorators.take().unwrap_or(entry.start);
            self.entry(prepared, entry, start, &prefix, found);
        }
    }

    /// The fields of a type, and with a separator those of the types of its fields.
    fn fields(
        &self,
        prepared: &'static Prepared,
        nested: &Nested<'_>,
        name: &str,
        prefix: &str,
        depth: usize,
        found: &mut Vec<Hit>,
    ) {
        let Some(open) = nested
            .types
            .get(name)
            .filter(|_| depth < limits::STRUCTURE_DEPTH && found.len() < limits::HITS)
        else {
            return;
        };
        for entry in arguments(self.text, self.masked, *open) {
            let code = slice(self.code(), entry.start, entry.range.end);
            let inner = nested.separator.as_deref().and_then(|separator| {
                let kind = last_word(code);
                let captures = prepared.entry.as_ref()?.regex()?.captures(code)?;
                let field = captures.name("name")?.as_str();
                (kind != name && nested.types.contains_key(kind))
                    .then(|| (kind, format!("{prefix}{field}{separator}")))
            });
            match inner {
                Some((kind, prefix)) => self.fields(prepared, nested, kind, &prefix, depth + 1, found),
                None => self.entry(prepared, &entry, entry.start, prefix, found),
            }
        }
    }

    /// The literal behind a pattern in a range.
    fn literal_behind(&self, pattern: Option<&Pattern>, range: Range<usize>) -> Option<String> {
        let matched = pattern?
            .regex()?
            .find(slice(self.code(), range.start, range.end))?;
        let behind = self.masked.next_code(range.start + matched.end());
        let literal = self.masked.literal_at(behind)?;
        literal.value(self.text).map(std::borrow::Cow::into_owned)
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

    /// The types that the file defines, with the bracket that opens each.
    fn types(&self, prepared: &Prepared) -> BTreeMap<&str, usize> {
        let Some(regex) = prepared.owner.as_ref().and_then(Pattern::regex) else {
            return BTreeMap::new();
        };
        let one = |captures: Captures<'_>| {
            let name = captures.name("name")?;
            Some((
                slice(self.code(), name.start(), name.end()),
                captures.get(0)?.end().checked_sub(1)?,
            ))
        };
        regex.captures_iter(self.code()).filter_map(one).collect()
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
            let value = resolve::simple_value(self.text, self.masked, behind).filter(|_| {
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
                    let Some(open) = bracket else {
                        let at = value.unwrap_or_else(|| self.masked.next_code(end));
                        return self.default_at(&(at..start + code.len()));
                    };
                    match arguments(self.text, self.masked, open).first() {
                        Some(argument) => self.default_at(&argument.range),
                        None => Fallback::Present(None),
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
    pub(super) fn in_strings(&self, prepared: &'static Prepared, regex: &Regex, found: &mut Vec<Hit>) {
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
                if found.len() > limits::HITS || !fits(prepared, &name) {
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
        let types = self.types(prepared);
        let Some(regex) = prepared.prefix.as_ref().and_then(Pattern::regex) else {
            return found;
        };
        for literal in self.masked.literals().iter().take(limits::HITS) {
            let Some(prefix) = regex
                .captures(literal.written(self.text))
                .and_then(|captures| captures.name("prefix").map(|group| group.as_str().to_owned()))
            else {
                continue;
            };
            if found.len() >= limits::STRUCTURE_PREFIXES {
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
                types
                    .get(last_word(before))
                    .and_then(|open| self.masked.inside(*open))
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
    for (_, tag, prefix) in prefixes.iter().filter(|(range, _, _)| range.contains(&offset)) {
        if seen.insert(*tag) {
            whole = format!("{}{whole}{prefix}", prefix_at(prefixes, *tag, depth + 1, seen));
        }
    }
    whole
}
