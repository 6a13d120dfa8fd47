//! Anchors as they are written in `languages/*.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A pattern and what to read around the place where it matches.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[expect(
    clippy::struct_excessive_bools,
    clippy::struct_field_names,
    reason = "each is a key of its own in the files, and the pattern is what an anchor is"
)]
pub(super) struct Anchor {
    pub(super) id: String,
    /// A file without any of these texts is not looked at.
    pub(super) prefilter: Vec<String>,
    /// Nor is one without any of these: the import that tells two libraries with the same names apart.
    pub(super) needs: Vec<String>,
    /// The pattern, matched on masked code. If it ends in a bracket, or has a group `open`, arguments are read from there.
    pub(super) anchor: String,
    /// Match it on the contents of strings instead (tags of Go).
    pub(super) in_strings: bool,
    /// Where the name is, the first that gives one.
    pub(super) name: Places,
    /// A pattern on the text of the name with the groups `name` and `default`, if the literal holds more than the name.
    pub(super) value_pattern: Option<String>,
    /// What the name must look like.
    pub(super) shape: Shape,
    /// Whether the name is put into upper case, with underscores for hyphens and dots.
    pub(super) upper: bool,
    /// A pattern anywhere in the file behind which the prefix of all names stands.
    pub(super) file_prefix: Option<String>,
    /// Where the default is.
    pub(super) default: Places,
    /// Whether the place fails without a value, unless there is a default.
    pub(super) required: bool,
    /// Types (group `type`) for which a missing value is no failure.
    pub(super) optional_types: Vec<String>,
    /// What else is read.
    pub(super) attributes: BTreeMap<String, Places>,
    /// For a block: how it is delimited.
    pub(super) block: Option<Block>,
    /// For a block of kind `type`: the pattern that opens the definition of a type; its group `name` is that type.
    pub(super) owner: Option<String>,
    /// How the entries of a block are told apart.
    pub(super) entries: Entries,
    /// The pattern of an entry with the group `name`; without it, the name of the argument is the name.
    pub(super) entry: Option<String>,
    /// Entries of a block, or names, that match are passed over.
    pub(super) skip: Option<String>,
    /// What comes of an entry, the first pattern that matches.
    pub(super) states: Vec<State>,
    /// What comes of an entry that no state matches.
    pub(super) otherwise_optional: bool,
    /// Patterns in an entry behind which the name of the variable stands, if it is another than the entry's.
    pub(super) alias: Vec<String>,
    /// The pattern in a block behind which a prefix of all names stands; in strings, a pattern with the group `prefix`.
    pub(super) prefix: Option<String>,
    /// For a block of kind `type`: the pattern in the file behind which the text between prefix and name stands.
    pub(super) prefix_separator: Option<String>,
    /// For a block of kind `type`: the pattern in the file behind which the text between the names of nested types stands.
    /// With it, entries whose type is defined in the file are followed.
    pub(super) separator: Option<String>,
    /// Attributes of entries: a pattern, and what stands behind it (or `true`).
    pub(super) entry_attributes: BTreeMap<String, String>,
    /// Text for the tests.
    #[cfg_attr(not(test), allow(dead_code, reason = "read by the tests"))]
    pub(super) example: String,
    #[cfg_attr(not(test), allow(dead_code, reason = "read by the tests"))]
    pub(super) finds: Vec<Find>,
    #[cfg_attr(not(test), allow(dead_code, reason = "read by the tests"))]
    pub(super) misses: Vec<String>,
}

/// What an example gives.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[cfg_attr(not(test), allow(dead_code, reason = "read by the tests"))]
pub(super) struct Find {
    pub(super) name: Option<String>,
    /// The text of the default, or `true` for one whose text is not known.
    pub(super) default: Option<DefaultFound>,
    pub(super) required: bool,
    pub(super) line: Option<u32>,
    pub(super) attributes: BTreeMap<String, String>,
}

/// A default in an example.
#[derive(Debug, Clone, Deserialize, PartialEq, Eq)]
#[serde(untagged)]
pub(super) enum DefaultFound {
    Known(String),
    Unknown(bool),
}

/// One place or several.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(from = "OneOrMany")]
pub(super) struct Places(pub(super) Vec<Place>);

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(Written),
    Many(Vec<Written>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Index(usize),
    Text(String),
}

impl From<OneOrMany> for Places {
    fn from(written: OneOrMany) -> Self {
        Self(match written {
            OneOrMany::One(one) => vec![one.into()],
            OneOrMany::Many(many) => many.into_iter().map(Into::into).collect(),
        })
    }
}

/// Where a value stands.
#[derive(Debug, Clone)]
pub(super) enum Place {
    /// The argument at a place, from zero, that has no name: `0`.
    Index(usize),
    /// The argument of a name: `default`.
    Named(String),
    /// The source of a capture group: `@name`.
    Group(String),
    /// The literal at the end of the match: `>`.
    After,
    /// The literal that ends where the match starts: `<`.
    Before,
    /// A fixed text: `=GET`.
    Fixed(String),
}

impl From<Written> for Place {
    fn from(written: Written) -> Self {
        match written {
            Written::Index(index) => Self::Index(index),
            Written::Text(text) => match (text.as_str(), text.strip_prefix('@'), text.strip_prefix('=')) {
                (">", _, _) => Self::After,
                ("<", _, _) => Self::Before,
                (_, Some(group), _) => Self::Group(group.to_owned()),
                (_, _, Some(fixed)) => Self::Fixed(fixed.to_owned()),
                _ => Self::Named(text),
            },
        }
    }
}

/// What a name must look like.
#[derive(Debug, Clone, Copy, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Shape {
    /// The name of an environment variable for anchors of variables, anything for the others.
    #[default]
    Usual,
    /// Upper case, digits and underscores.
    Upper,
    /// Words of any case with colons between them: a key of a configuration.
    Key,
}

/// How a block is delimited.
#[derive(Debug, Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Block {
    /// By a bracket.
    Bracket,
    /// By indentation.
    Indent,
    /// By the bracket of the definition of the type that the group `type` names.
    Type,
}

/// How the entries of a block are told apart.
#[derive(Debug, Clone, Copy, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Entries {
    /// By commas.
    #[default]
    Arguments,
    /// By semicolons and line ends.
    Statements,
}

/// A pattern of an entry and what it means.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum State {
    /// There is a default: at the group `value`, or in the bracket in which the pattern ends, or behind it.
    Default(String),
    /// A missing value is a failure.
    Required(String),
    /// A missing value is none.
    Optional(String),
}

impl State {
    pub(super) fn pattern(&self) -> &str {
        match self {
            Self::Default(pattern) | Self::Required(pattern) | Self::Optional(pattern) => pattern,
        }
    }
}
