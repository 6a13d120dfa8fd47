//! The `core` crate.
