//! Types that text from the repository is parsed into before it may be printed.
//!
//! This is an allow-list: what parses is harmless by its grammar, what does not is withheld. Each type is made with
//! `T::parse(Raw)`, printed by `Display`, and becomes a [`Shown`] with `into()`.

mod command;
mod connection;
mod image;
mod text;

pub use command::CommandLine;
pub use connection::{ConnectionShape, connection_shape};
pub use image::ImageRef;
pub use text::{
    CommitId, EnvName, Host, HttpUrl, Name, Schedule, Sentence, Setting, Symbol, UrlPath, Version,
    version_numbers,
};

use crate::shown::Shown;

/// Declares a harmless type around a [`Shown`] with its grammar.
macro_rules! harmless {
    ($(#[$meta:meta])* $name:ident, $rule:expr) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(transparent)]
        pub struct $name($crate::shown::Shown);

        impl $name {
            /// Judges the text; `None` when its grammar does not prove it harmless.
            pub fn parse(raw: $crate::raw::Raw<'_>) -> Option<Self> {
                let rule: fn(&str) -> Option<String> = $rule;
                rule(raw.peek()).map(|text| Self($crate::shown::Shown::judged(&text)))
            }

            /// The judged text.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl From<$name> for $crate::shown::Shown {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl From<&$name> for $crate::shown::Shown {
            fn from(value: &$name) -> Self {
                value.0.clone()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.0.as_str())
            }
        }

        impl $crate::visit::Visit for $name {
            fn visit(
                &mut self,
                field: &'static str,
                f: &mut dyn FnMut(&'static str, &mut $crate::shown::Shown),
            ) {
                f(field, &mut self.0);
            }
        }
    };
}
pub(crate) use harmless;

/// A TCP or UDP port, 1 to 65535, from text such as `8000`, `8000/tcp` or `"8000"`.
pub fn port(raw: crate::raw::Raw<'_>) -> Option<u16> {
    let text = raw.peek().trim().trim_matches(['"', '\'']);
    let digits = text
        .strip_suffix("/tcp")
        .or_else(|| text.strip_suffix("/udp"))
        .unwrap_or(text);
    digits.parse().ok().filter(|port| *port > 0)
}

/// The value of a setting if it is provably harmless, else the marker.
pub fn setting_or_redacted(name: &str, raw: crate::raw::Raw<'_>) -> Shown {
    Setting::judge(name, raw).map_or_else(Shown::redacted, Into::into)
}
