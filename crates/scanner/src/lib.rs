//! The `scanner` crate.
