//! The words that scanner and planner both speak. Nothing here reads a file, asks the clock or prints.
//!
//! - [`raw::Raw`] is text as it stands in the repository: it can be looked at, never printed.
//! - [`harmless`] holds the types that such text is parsed into before it may be printed.
//! - [`shown::Shown`] is text that may be printed: our own prose, a harmless value, or pieces of both.
//! - [`secret`] tells secrets by name and by shape, and [`secret::Withheld`] holds what may not be printed.
//! - [`inventory`] is the public contract `playbook.inventory/1`: every fact with its [`evidence::Evidence`].
//! - [`finding`] and [`diagnostic`]: what a reviewer would raise, and what was not read.
//! - [`technology`] is the catalogue of technologies, loaded from `technologies/*.toml`.

pub mod diagnostic;
pub mod evidence;
pub mod finding;
pub mod harmless;
pub mod inventory;
pub mod path;
pub mod raw;
pub mod scrub;
pub mod secret;
pub mod shown;
pub mod technology;
pub mod visit;
