//! Repositories that mean harm, generated: for the tests of the program and for measurements, never a part of it.
//!
//! [`texts`] holds the worst file of each format that the parsers read, [`trees`] what a file system can hold beside
//! ordinary files.

#![allow(
    clippy::disallowed_methods,
    reason = "a library for tests and measurements, which writes trees and starts mkfifo and mknod"
)]

pub mod texts;
pub mod trees;
