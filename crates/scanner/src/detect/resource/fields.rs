//! Attributes of a resource, whatever the notation: names in one form, nested blocks as maps, known values as text.

use crate::limits;

/// A value as far as it is known.
pub(crate) enum Field {
    /// A known scalar.
    Text(String),
    /// A value that only the tool knows: a reference, an expression.
    Unknown,
    /// A list.
    List(Vec<(u32, Field)>),
    /// A block or an object.
    Map(Fields),
}

/// Named values in order; a block that stands there twice is there twice.
#[derive(Default)]
pub(crate) struct Fields {
    /// Name in the form of [`normal`], name as written, line, value.
    entries: Vec<(String, String, u32, Field)>,
}

impl std::fmt::Debug for Fields {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Fields({})", self.entries.len())
    }
}

/// A name in lower case without separators: `engine_version`, `EngineVersion` and `engine-version` are one.
pub(crate) fn normal(name: &str) -> String {
    name.chars()
        .filter(|letter| !matches!(letter, '_' | '-'))
        .map(|letter| letter.to_ascii_lowercase())
        .collect()
}

impl Field {
    /// The text of a known scalar.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The map, of an object or of a list with one.
    pub(crate) fn map(&self) -> Option<&Fields> {
        match self {
            Self::Map(map) => Some(map),
            Self::List(items) => match items.as_slice() {
                [(_, only)] => only.map(),
                _ => None,
            },
            _ => None,
        }
    }

    /// The items of a list; a single value is a list of itself.
    pub(crate) fn items(&self, line: u32) -> Vec<(u32, &Self)> {
        match self {
            Self::List(items) => items.iter().map(|(line, item)| (*line, item)).collect(),
            other => vec![(line, other)],
        }
    }
}

impl Fields {
    /// Adds a value under its name as written.
    pub(crate) fn push(&mut self, name: &str, line: u32, field: Field) {
        self.entries.push((normal(name), name.to_owned(), line, field));
    }

    /// Adds the entries of others.
    pub(crate) fn extend(&mut self, others: Self) {
        self.entries.extend(others.entries);
    }

    /// The value of a name, without the rest.
    pub(crate) fn take(self, name: &str) -> Option<Field> {
        self.entries
            .into_iter()
            .find(|(known, ..)| known == name)
            .map(|(.., field)| field)
    }

    /// Takes a name away, in the form of [`normal`].
    pub(crate) fn remove(&mut self, name: &str) {
        self.entries.retain(|(known, ..)| known != name);
    }

    /// Name as written, line and value of all entries.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&str, u32, &Field)> {
        self.entries
            .iter()
            .map(|(_, name, line, field)| (name.as_str(), *line, field))
    }

    /// The value of a name in the form of [`normal`].
    pub(crate) fn get(&self, name: &str) -> Option<(u32, &Field)> {
        self.entries
            .iter()
            .find(|(known, ..)| known == name)
            .map(|(_, _, line, field)| (*line, field))
    }

    /// All values of a name.
    pub(crate) fn all<'f>(&'f self, name: &'f str) -> impl Iterator<Item = (u32, &'f Field)> {
        self.entries
            .iter()
            .filter(move |(known, ..)| known == name)
            .map(|(_, _, line, field)| (*line, field))
    }

    /// The value of the first of some names that is there.
    pub(crate) fn first(&self, names: &[&str]) -> Option<(u32, &Field)> {
        names.iter().find_map(|name| self.get(name))
    }

    /// The text of the first of some names that has one.
    pub(crate) fn text_of(&self, names: &[&str]) -> Option<String> {
        names
            .iter()
            .find_map(|name| self.get(name)?.1.text())
            .map(str::to_owned)
    }

    /// The first known scalar under one of some names, here or in a nested map.
    pub(crate) fn deep(&self, names: &[&str]) -> Option<(u32, &Field)> {
        let mut found = self.collect(names, |field| field.text().is_some());
        (!found.is_empty()).then(|| found.swap_remove(0))
    }

    /// Its text.
    pub(crate) fn deep_text(&self, names: &[&str]) -> Option<String> {
        self.deep(names)
            .and_then(|(_, field)| field.text())
            .map(str::to_owned)
    }

    /// Every value under one of some names, outer ones first, that is as wanted.
    pub(crate) fn collect(&self, names: &[&str], wanted: fn(&Field) -> bool) -> Vec<(u32, &Field)> {
        let mut found = Vec::new();
        let mut level: Vec<&Fields> = vec![self];
        for _ in 0..limits::FIELD_DEPTH {
            let mut next = Vec::new();
            for fields in level {
                for (known, _, line, field) in &fields.entries {
                    if names.contains(&known.as_str()) && wanted(field) {
                        found.push((*line, field));
                    }
                    match field {
                        Field::Map(map) => next.push(map),
                        Field::List(items) => {
                            next.extend(items.iter().filter_map(|(_, item)| match item {
                                Field::Map(map) => Some(map),
                                _ => None,
                            }));
                        }
                        Field::Text(_) | Field::Unknown => {}
                    }
                }
            }
            level = next;
        }
        found
    }
}
