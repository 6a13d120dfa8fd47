//! The planner: an inventory and a context in, a deployment plan out. It reads no file, asks no clock and prints
//! nothing; the same input gives the same bytes.
//!
//! - [`context`] judges what the user says (flags, `playbook.toml`) and chooses the target.
//! - [`target`] loads the platforms, each a folder of templates with its facts.
//! - [`rule`] and [`rules`] raise what a reviewer would raise: the findings.
//! - `plan` turns inventory, context and findings into decisions: typed, without a sentence.
//! - [`render`] turns decisions into Markdown by the templates, or the inventory into JSON.
//! - [`check`] holds the finished Markdown against the structure that every plan has.

pub mod check;
pub mod context;
pub mod gate;
mod plan;
mod prose;
pub mod render;
pub mod rule;
pub mod rules;
mod sizing;
pub mod target;
#[cfg(test)]
mod testing;
