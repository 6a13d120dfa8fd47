//! Small files of our own, each with what must and must not be told.

mod entries;
mod manifests;
mod routes;
mod settings;
mod stores;

use super::DETECTOR;
use crate::fact::Facts;
use crate::testing;

/// What the detector tells about files.
fn facts(files: &str) -> Facts {
    testing::facts(&DETECTOR, files)
}
