//! Our own words.

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

use crate::render::filters::word;

/// Markdown that stands in the templates' folder or was rendered from it. A template prints it with the filter
/// `prose`, which accepts nothing else: repository text is serialised as a string, this as a map with one key.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(transparent)]
pub(crate) struct Prose(String);

/// The key of the map.
pub(crate) const KEY: &str = "prose";

impl Prose {
    /// Takes over text of a template.
    pub(crate) fn new(text: String) -> Self {
        Self(text)
    }

    /// The same with every `mark` replaced by a text, of which only letters, digits and what stands in names stay.
    pub(crate) fn with(&self, mark: &str, text: &str) -> Self {
        if text.is_empty() {
            return Self(self.0.replace(mark, text));
        }
        Self(self.0.replace(mark, &word(text)))
    }

    /// The text.
    #[cfg(test)]
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Serialize for Prose {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(KEY, &self.0)?;
        map.end()
    }
}
