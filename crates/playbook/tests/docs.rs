//! Documents that must not drift from the program: generated pages are compared (or written with `UPDATE=1`), the
//! README's lists are held against the help, links must lead somewhere, and the guards of the lints must agree.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use crate::support::{cases, files_below, playbook, project, snapshot};

const COMMANDS: [&str; 6] = [
    "analyze",
    "targets",
    "explain",
    "templates",
    "schema",
    "completions",
];

fn read(path: &str) -> String {
    fs::read_to_string(project().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The text of a section, without its heading.
fn section(text: &str, heading: &str) -> String {
    text.lines()
        .skip_while(|line| *line != heading)
        .skip(1)
        .take_while(|line| !line.starts_with("## "))
        .fold(String::new(), |all, line| all + line + "\n")
}

/// The long options that a help text defines.
fn options(help: &str) -> BTreeSet<String> {
    help.lines()
        .filter_map(|line| {
            let line = line.trim_start();
            let line = line.strip_prefix('-')?;
            let at = if line.starts_with('-') {
                Some(0)
            } else {
                line.find(", --").map(|at| at + 2)
            };
            let long = line.get(at?..)?.trim_start_matches('-');
            Some(long.split([' ', '[', '=', '.']).next()?.to_owned())
        })
        .filter(|name| !name.is_empty())
        .collect()
}

/// Pairs of code and meaning at the end of a help text.
fn exit_codes(help: &str) -> Vec<(String, String)> {
    help.lines()
        .skip_while(|line| *line != "Exit codes:")
        .skip(1)
        .filter_map(|line| line.trim().split_once("  "))
        .map(|(code, meaning)| (code.to_owned(), meaning.trim().to_owned()))
        .collect()
}

#[test]
fn the_reference_of_the_command_line() {
    let mut text = String::from(
        "# Command line\n\nWritten by a test from the program's own help (`UPDATE=1 cargo test --workspace docs`).\n\n## playbook\n\n```text\n",
    );
    text.push_str(&playbook(["--help"]).stdout);
    text.push_str("```\n");
    for command in COMMANDS {
        let help = playbook([command, "--help"]);
        assert_eq!(help.code, 0);
        let _ = write!(text, "\n## playbook {command}\n\n```text\n{}```\n", help.stdout);
    }
    snapshot(&project().join("docs/reference/cli.md"), &text)
        .unwrap_or_else(|difference| panic!("{difference}"));
}

#[test]
fn every_command_stands_in_the_reference() {
    let help = playbook(["--help"]).stdout;
    let listed: Vec<&str> = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| line.starts_with("  "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(listed, COMMANDS);
}

#[test]
fn the_schema_of_the_inventory() {
    let schema = playbook(["schema"]).stdout;
    snapshot(&project().join("docs/reference/inventory-schema.json"), &schema)
        .unwrap_or_else(|difference| panic!("{difference}"));
}

#[test]
fn the_readme_lists_every_option_and_no_other() {
    let help = options(&playbook(["analyze", "--help"]).stdout);
    assert!(help.contains("fail-on") && help.contains("quiet"), "{help:?}");
    let readme: BTreeSet<String> = section(&read("README.md"), "## Options")
        .lines()
        .filter(|line| line.starts_with("| `"))
        .filter_map(|line| {
            line.split("--")
                .nth(1)?
                .split([' ', '`', '='])
                .next()
                .map(str::to_owned)
        })
        .collect();
    let help: BTreeSet<String> = help.into_iter().filter(|name| name != "help").collect();
    assert_eq!(readme, help);
}

#[test]
fn the_readme_lists_every_exit_code_and_no_other() {
    let help = exit_codes(&playbook(["analyze", "--help"]).stdout);
    assert_eq!(help.len(), 6, "{help:?}");
    let readme: Vec<(String, String)> = section(&read("README.md"), "## Exit codes")
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| Code"))
        .filter_map(|line| {
            let mut cells = line.trim_matches('|').split(" | ").map(str::trim);
            Some((cells.next()?.to_owned(), cells.next()?.replace('`', "")))
        })
        .collect();
    assert_eq!(readme, help);
}

#[test]
fn the_readme_lists_every_target() {
    let targets = section(&read("README.md"), "## Targets");
    for target in crate::support::targets() {
        assert!(targets.contains(&format!("`{target}`")), "{target} is missing");
    }
}

#[test]
fn quick_start_has_two_commands_and_the_second_runs_the_tests() {
    let start = section(&read("README.md"), "## Quick start");
    let blocks: Vec<&str> = start.split("```").skip(1).step_by(2).collect();
    assert_eq!(blocks.len(), 2, "{start}");
    let commands: Vec<&str> = blocks
        .iter()
        .map(|block| block.trim_start_matches("sh\n").trim())
        .collect();
    assert!(
        commands.iter().all(|command| command.lines().count() == 1),
        "{commands:?}"
    );
    let folder = commands[0]
        .split_whitespace()
        .find(|word| word.starts_with("fixtures/"))
        .expect("the first command analyses a fixture");
    assert!(project().join(folder).is_dir(), "{folder}");
    assert_eq!(commands[1], "cargo test --workspace");
}

/// The lines of a plan that the README shows: its head, the table of components, the checks, and the first step of the
/// data layer.
fn excerpt(plan: &str) -> String {
    let block = |from: &dyn Fn(&str) -> bool, to: &dyn Fn(&str) -> bool| -> String {
        let mut lines = plan.lines().skip_while(|line| !from(line));
        let first = lines.next().unwrap_or_default();
        let rest: Vec<&str> = lines.take_while(|line| !to(line)).collect();
        format!("{first}\n{}", rest.join("\n")).trim().to_owned()
    };
    let parts = [
        block(&|line| line.starts_with("# "), &|line| {
            line == "## Executive Summary"
        }),
        block(&|line| line.starts_with("| Component | Role |"), &str::is_empty),
        block(&|line| line == "**Checked and in order**", &|line| {
            line.starts_with('#')
        }),
        block(&|line| line.starts_with("### 5."), &|line| {
            line.starts_with("### ") || line.starts_with("## ")
        }),
    ];
    let kept: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    kept.join("\n\n…\n\n")
}

/// The excerpt is cut out of a fixture's plan, never written by hand.
#[test]
fn the_excerpt_of_a_plan_is_real() {
    let case = cases()
        .iter()
        .find(|case| case.name == "fastapi-celery")
        .expect("the fixture is there");
    let excerpt = excerpt(&case.analyze(&[]).stdout);
    assert!(
        excerpt.lines().count() >= 20,
        "the excerpt is too short:\n{excerpt}"
    );
    let readme = read("README.md");
    let (before, rest) = readme
        .split_once("````markdown\n")
        .expect("a fence of four ticks");
    let (_, after) = rest.split_once("````\n").expect("the fence is closed");
    let wanted = format!("{before}````markdown\n{excerpt}\n````\n{after}");
    snapshot(&project().join("README.md"), &wanted).unwrap_or_else(|difference| panic!("{difference}"));
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut documents: Vec<String> = files_below(&project().join("docs"))
        .into_iter()
        .filter(|path| {
            std::path::Path::new(path)
                .extension()
                .is_some_and(|end| end == "md")
        })
        .map(|path| format!("docs/{path}"))
        .collect();
    documents.extend(["README.md", "CHANGELOG.md", "SECURITY.md"].map(str::to_owned));
    let mut broken = Vec::new();
    for document in &documents {
        let text = read(document);
        let folder = project()
            .join(document)
            .parent()
            .expect("a file lies in a folder")
            .to_owned();
        for event in pulldown_cmark::Parser::new(&text) {
            let pulldown_cmark::Event::Start(pulldown_cmark::Tag::Link { dest_url, .. }) = event else {
                continue;
            };
            if dest_url.contains("://") || dest_url.starts_with('#') || dest_url.starts_with("mailto:") {
                continue;
            }
            let path = dest_url.split('#').next().unwrap_or_default();
            if !folder.join(path).exists() {
                broken.push(format!("{document}: {dest_url}"));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:?}");
}

/// Everything below `docs/` can be reached from its map.
#[test]
fn the_map_of_the_documentation_is_complete() {
    let map = read("docs/README.md");
    for path in files_below(&project().join("docs")) {
        assert!(
            path == "README.md" || map.contains(&format!("({path})")),
            "docs/README.md does not name {path}"
        );
    }
}

#[test]
fn the_guards_of_core_repeat_the_root_s() {
    let methods = |path: &str| {
        read(path)
            .lines()
            .filter(|line| line.trim_start().starts_with("{ path ="))
            .map(str::to_owned)
            .collect::<Vec<String>>()
    };
    let root = methods(".clippy.toml");
    assert!(root.len() > 30);
    assert_eq!(root, methods("crates/core/.clippy.toml"));
}

/// `Shown` is the only text that the types of core carry: a `String` in a public field could hold anything. The types
/// below `secret/` hold patterns of our own and are never serialised.
#[test]
fn no_public_field_of_core_is_a_string() {
    let mut found = Vec::new();
    for file in files_below(&project().join("crates/core/src")) {
        if file.starts_with("secret/") {
            continue;
        }
        for (at, line) in read(&format!("crates/core/src/{file}")).lines().enumerate() {
            let field = line.trim_start().strip_prefix("pub ").is_some_and(|rest| {
                rest.split_once(':').is_some_and(|(name, kind)| {
                    name.chars()
                        .all(|c| c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit())
                        && kind.contains("String")
                })
            });
            if field {
                found.push(format!("crates/core/src/{file}:{}", at + 1));
            }
        }
    }
    assert!(found.is_empty(), "{found:?}");
}

/// Nothing that is committed names a folder of one machine or a registry that a test could reach for.
#[test]
fn fixtures_name_no_real_registry() {
    let forbidden = [
        ["registry.", "npmjs", ".org"].concat(),
        ["files.", "pythonhosted", ".org"].concat(),
        ["static.", "crates", ".io"].concat(),
        ["pypi", ".org"].concat(),
    ];
    for file in files_below(&project().join("fixtures")) {
        let text = read(&format!("fixtures/{file}"));
        for host in &forbidden {
            assert!(!text.contains(host), "fixtures/{file} names {host}");
        }
    }
}
