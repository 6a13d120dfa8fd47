//! A walk over every printable text of a value, so that one late discovery can withhold a text everywhere.

use std::collections::BTreeMap;

use crate::shown::Shown;

/// Visits every [`Shown`] inside a value. `path` names the field the text stands in, for messages that may not name
/// the text.
pub trait Visit {
    /// Calls `f` with the field's name and each printable text below it.
    fn visit(&mut self, field: &'static str, f: &mut dyn FnMut(&'static str, &mut Shown));
}

impl Visit for Shown {
    fn visit(&mut self, field: &'static str, f: &mut dyn FnMut(&'static str, &mut Shown)) {
        f(field, self);
    }
}

impl<T: Visit> Visit for Option<T> {
    fn visit(&mut self, field: &'static str, f: &mut dyn FnMut(&'static str, &mut Shown)) {
        if let Some(value) = self {
            value.visit(field, f);
        }
    }
}

impl<T: Visit> Visit for Vec<T> {
    fn visit(&mut self, field: &'static str, f: &mut dyn FnMut(&'static str, &mut Shown)) {
        for value in self {
            value.visit(field, f);
        }
    }
}

impl<K, T: Visit> Visit for BTreeMap<K, T> {
    fn visit(&mut self, field: &'static str, f: &mut dyn FnMut(&'static str, &mut Shown)) {
        for value in self.values_mut() {
            value.visit(field, f);
        }
    }
}

macro_rules! without_text {
    ($($type:ty),* $(,)?) => {
        $(impl $crate::visit::Visit for $type {
            fn visit(&mut self, _: &'static str, _: &mut dyn FnMut(&'static str, &mut $crate::shown::Shown)) {}
        })*
    };
}
without_text!(bool, u8, u16, u32, u64, usize, &'static str, crate::path::RelPath);
pub(crate) use without_text;

/// Declares a serialisable record of the inventory and its [`Visit`] in one place, so that a new field can't be
/// forgotten by the walk.
macro_rules! record {
    ($(#[$meta:meta])* pub struct $name:ident { $($(#[$field_meta:meta])* pub $field:ident : $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub struct $name { $($(#[$field_meta])* pub $field: $type,)* }

        impl $crate::visit::Visit for $name {
            fn visit(
                &mut self,
                _: &'static str,
                f: &mut dyn FnMut(&'static str, &mut $crate::shown::Shown),
            ) {
                $($crate::visit::Visit::visit(&mut self.$field, concat!(stringify!($name), ".", stringify!($field)), f);)*
            }
        }
    };
}
pub(crate) use record;

/// Declares a closed vocabulary that is written as lower-case words.
macro_rules! words {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub enum $name { $($(#[$variant_meta])* #[serde(rename = $word)] $variant,)* }

        impl $name {
            /// The word that the contract uses.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The variant of a word of the contract.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        $crate::visit::without_text!($name);
    };
}
pub(crate) use words;
