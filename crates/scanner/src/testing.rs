//! The one place where tests of detectors touch the API.

use playbook_core::path::RelPath;

use crate::detect::Detector;
use crate::fact::Facts;
use crate::scope;
use crate::source::Source;

/// Runs one detector over files written as `//- path` followed by their text, in order, and returns the facts. Files
/// that the detector does not want are left out, as in a scan.
pub(crate) fn facts(detector: &Detector, files: &str) -> Facts {
    let mut facts = Facts::default();
    for (path, text) in split(files) {
        let path = RelPath::new(path).expect("a plain path");
        if (detector.wants)(&path) {
            let source = Source::new(&path, &text, scope::scope_of(&path), false);
            (detector.detect)(&source, &mut facts);
        }
    }
    facts
}

/// Scans files written as `//- path` followed by their text.
pub(crate) fn inventory(files: &str) -> playbook_core::inventory::Inventory {
    let files = split(files);
    crate::scan_texts(
        files.iter().map(|(path, text)| (*path, text.as_str())),
        "repository",
    )
    .inventory
}

/// Takes a text of several files apart.
pub(crate) fn split(files: &str) -> Vec<(&str, String)> {
    let mut out: Vec<(&str, String)> = Vec::new();
    for line in files.lines() {
        if let Some(path) = line.trim_start().strip_prefix("//- ") {
            out.push((path.trim(), String::new()));
        } else if let Some((_, text)) = out.last_mut() {
            text.push_str(line);
            text.push('\n');
        }
    }
    out
}
