//! Everything that needs the built program: its command line, the fixtures, secrets, determinism, and the documents
//! that are written by tests. `UPDATE=1` writes snapshots and generated documents instead of comparing them.

#![expect(
    clippy::disallowed_methods,
    reason = "tests start the program, copy fixtures to a temporary folder and read the project's own files"
)]

mod cli;
mod corpus;
mod determinism;
mod docs;
mod fixtures;
#[cfg(unix)]
mod hostile_trees;
mod inert;
#[cfg(target_os = "linux")]
mod read_only;
mod readers;
mod secrets;
mod structure;
mod support;
mod vocabulary;

/// A test file that is not named above, or in the file beside its folder, would never run.
#[test]
fn no_test_file_is_forgotten() {
    let tests = support::project().join("crates/playbook/tests");
    for path in support::files_below(&tests) {
        let Some(name) = path
            .strip_suffix(".rs")
            .filter(|name| *name != "main" && !name.starts_with("corpus/tree/"))
        else {
            continue;
        };
        let (parent, name) = name.rsplit_once('/').unwrap_or(("main", name));
        let parent = std::fs::read_to_string(tests.join(format!("{parent}.rs")))
            .expect("a folder has a file beside it");
        assert!(
            parent.contains(&format!("\nmod {name};\n")),
            "tests/{path} is not a module of its parent"
        );
    }
}
