//! Text as it stands in the repository, before anybody has judged it.

use std::fmt;

/// Text read from the repository.
///
/// It can be looked at with [`Raw::peek`] for matching, and it can be parsed into one of the types of
/// [`crate::harmless`]. It has no `Display` and no `Serialize`, and its `Debug` tells nothing, so that no format,
/// log line or error message can carry it by accident.
///
/// ```compile_fail
/// let raw = playbook_core::raw::Raw::new("hunter2");
/// println!("{raw}");
/// ```
///
/// ```compile_fail
/// #[derive(serde::Serialize)]
/// struct Leak<'a> {
///     value: playbook_core::raw::Raw<'a>,
/// }
/// ```
///
/// ```compile_fail
/// // Only a harmless type or our own static prose becomes printable.
/// let raw = playbook_core::raw::Raw::new("hunter2");
/// let shown: playbook_core::shown::Shown = raw.into();
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Raw<'a>(&'a str);

impl<'a> Raw<'a> {
    /// Marks `text` as unjudged.
    pub const fn new(text: &'a str) -> Self {
        Self(text)
    }

    /// The text itself, for matching only. Every use is a place to review: nothing that comes out of here may be
    /// printed but through a harmless type.
    pub const fn peek(self) -> &'a str {
        self.0
    }
}

impl fmt::Debug for Raw<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not even the length: it narrows a guess.
        f.write_str("Raw(..)")
    }
}

impl<'a> From<&'a str> for Raw<'a> {
    fn from(text: &'a str) -> Self {
        Self(text)
    }
}
