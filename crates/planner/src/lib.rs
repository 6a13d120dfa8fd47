//! From an inventory to the deployment plan: pure, the same input gives the same bytes.

pub mod rule;
pub mod rules;
