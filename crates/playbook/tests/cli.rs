//! The command line: streams, exit codes, settings, and how it ends when something goes wrong.

use std::fs;
use std::io::Read as _;
use std::process::Stdio;

use crate::support::{DATE, cases, command, empty_folder, finish, folder_of, playbook};

const DOCKERFILE: &str =
    "FROM python:3.12-slim\nCOPY app.py .\nCMD [\"uvicorn\", \"app:app\", \"--port\", \"8000\"]\n";
const APP: &str = "from fastapi import FastAPI\n\napp = FastAPI()\n\n\n@app.get(\"/health\")\ndef health():\n    return {}\n";

/// A small repository with one service.
fn small(name: &str) -> String {
    let folder = folder_of(
        name,
        &[
            ("Dockerfile", DOCKERFILE),
            ("app.py", APP),
            ("requirements.txt", "fastapi==0.121.2\nuvicorn==0.38.0\n"),
        ],
    );
    folder.to_str().expect("a plain path").to_owned()
}

#[test]
fn the_plan_goes_to_standard_output_and_nothing_else() {
    let folder = small("streams");
    let run = playbook(["analyze", &folder, "--date", DATE]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert!(
        run.stdout.starts_with("# Backend Deployment Plan: "),
        "{}",
        run.stdout
    );
}

#[test]
fn the_folder_is_the_current_one_by_default() {
    let folder = small("current-folder");
    let mut here = command(["analyze", "--date", DATE]);
    here.current_dir(&folder);
    assert_eq!(
        finish(here).stdout,
        playbook(["analyze", &folder, "--date", DATE]).stdout
    );
}

#[test]
fn a_root_that_cannot_be_read_is_one_error_and_a_hint() {
    let folder = small("roots");
    for (path, reason) in [
        (format!("{folder}/no-such-folder"), "does not exist"),
        (format!("{folder}/app.py"), "is not a folder"),
    ] {
        let run = playbook(["analyze", &path]);
        assert_eq!((run.code, run.stdout.as_str()), (1, ""));
        assert_eq!(
            run.stderr,
            format!(
                "error: {path}: {reason}\nhint: name the folder of a repository: `playbook analyze DIR`\n"
            )
        );
    }
}

#[test]
fn wrong_arguments_end_with_2() {
    for arguments in [
        vec!["analyze", "--format", "pdf"],
        vec!["analyze", "--no-such-option"],
        vec!["analyze", "--config", "x", "--no-config"],
        vec!["no-such-command"],
        vec!["analyze", "--set", "no-value"],
        vec!["analyze", "-q", "-v"],
        vec![],
    ] {
        let run = playbook(&arguments);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(!run.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_complaint_about_arguments_is_harmless_to_the_screen() {
    let run = playbook(["analyze", "--format", "a\u{1b}[31m\u{202e}b"]);
    assert_eq!(run.code, 2);
    assert!(!run.stderr.contains(['\u{1b}', '\u{202e}']), "{:?}", run.stderr);
}

#[test]
fn help_and_version_are_data() {
    for arguments in [["--help"], ["-h"], ["--version"]] {
        let run = playbook(arguments);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""));
        assert!(!run.stdout.contains('\u{1b}'), "no colour when nobody looks");
    }
    assert_eq!(
        playbook(["--version"]).stdout,
        format!("playbook {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn a_repository_with_nothing_to_deploy_ends_with_3_and_says_so() {
    let folder = folder_of("nothing", &[("README.md", "# Notes\n")]);
    let run = playbook(["analyze", "--date", DATE, folder.to_str().expect("a plain path")]);
    assert_eq!(run.code, 3);
    assert!(
        run.stderr.starts_with("note: nothing deployable found"),
        "{}",
        run.stderr
    );
    assert!(run.stdout.starts_with("# Backend Deployment Plan: "));
}

#[test]
fn an_empty_folder_can_be_analysed() {
    let folder = folder_of("empty", &[]);
    for format in ["markdown", "json"] {
        let run = playbook([
            "analyze",
            "--format",
            format,
            folder.to_str().expect("a plain path"),
        ]);
        assert_eq!(run.code, 3, "{}", run.stderr);
        assert!(!run.stdout.is_empty());
    }
}

#[test]
fn fail_on_ends_with_10_and_still_prints() {
    let folder = folder_of(
        "findings",
        &[
            (
                "Dockerfile",
                "FROM python:3.12\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n",
            ),
            (
                "app.py",
                "from flask import Flask\napp = Flask(__name__)\napp.run(host=\"127.0.0.1\", debug=True)\n",
            ),
            ("requirements.txt", "flask==3.1.2\n"),
        ],
    );
    let folder = folder.to_str().expect("a plain path");
    let run = playbook(["analyze", "--fail-on", "low", folder]);
    assert_eq!(run.code, 10, "{}", run.stderr);
    assert!(run.stderr.contains(" at or above low"), "{}", run.stderr);
    assert!(run.stdout.starts_with("# Backend Deployment Plan: "));
    fs::write(format!("{folder}/playbook.toml"), "fail-on = \"low\"\n").expect("the file can be written");
    assert_eq!(playbook(["analyze", folder]).code, 10);
    assert_eq!(playbook(["analyze", "--no-config", folder]).code, 0);
}

#[test]
fn all_problems_of_the_settings_file_are_told_at_once() {
    let folder = small("bad-settings");
    fs::write(
        format!("{folder}/playbook.toml"),
        "targets = \"render\"\n\nreplicas = \"two\"\n",
    )
    .expect("the file can be written");
    let run = playbook(["analyze", &folder]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    let lines: Vec<&str> = run.stderr.lines().collect();
    assert_eq!(lines.len(), 4, "{}", run.stderr);
    assert_eq!(lines[0], "error: playbook.toml:1: unknown key");
    assert!(lines[1].starts_with("hint: the keys are: target, environment, regions"));
    assert_eq!(
        lines[2],
        "error: playbook.toml:3: `replicas` must be a whole number"
    );
    assert_eq!(lines[3], "hint: write `replicas = 2`");
    assert_eq!(playbook(["analyze", "--no-config", &folder]).code, 0);
}

#[test]
fn a_value_that_cannot_be_used_is_blamed_on_its_line_unless_a_flag_gave_it() {
    let folder = small("unknown-target");
    fs::write(format!("{folder}/playbook.toml"), "# ours\ntarget = \"moon\"\n")
        .expect("the file can be written");
    let run = playbook(["analyze", &folder]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    assert!(
        run.stderr.starts_with("error: playbook.toml:2: "),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("hint: one of: "), "{}", run.stderr);
    let run = playbook(["analyze", "--target", "mars", &folder]);
    assert_eq!(run.code, 1);
    assert!(!run.stderr.contains("playbook.toml"), "{}", run.stderr);
}

#[test]
fn flags_win_over_the_settings_file() {
    let folder = small("flags-win");
    fs::write(
        format!("{folder}/playbook.toml"),
        "target = \"render\"\ndomain = \"from-file.example.org\"\n",
    )
    .expect("the file can be written");
    let platform = |more: &[&str]| {
        let mut arguments = vec!["analyze", "--format", "json", folder.as_str()];
        arguments.extend(more);
        let run = playbook(&arguments);
        let inventory: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
        inventory["target"]["platform"].as_str().map(str::to_owned)
    };
    assert_eq!(platform(&[]).as_deref(), Some("render"));
    assert_eq!(
        platform(&["--target", "kubernetes"]).as_deref(),
        Some("kubernetes")
    );
    let run = playbook(["analyze", folder.as_str(), "--domain", "from-flag.example.org"]);
    assert!(run.stdout.contains("from-flag.example.org"));
    assert!(!run.stdout.contains("from-file.example.org"));
    let run = playbook(["analyze", folder.as_str()]);
    assert!(run.stdout.contains("from-file.example.org"));
}

#[test]
fn a_settings_file_that_was_named_must_exist() {
    let folder = small("no-settings");
    let run = playbook(["analyze", &folder, "--config", "/no/such/file.toml"]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    assert!(
        run.stderr
            .starts_with("error: /no/such/file.toml: does not exist\n"),
        "{}",
        run.stderr
    );
}

#[cfg(unix)]
#[test]
fn a_settings_file_in_the_repository_may_not_be_a_link() {
    let folder = small("linked-settings");
    let outside = folder_of("outside", &[("real.toml", "target = \"render\"\n")]);
    std::os::unix::fs::symlink(outside.join("real.toml"), format!("{folder}/playbook.toml")).expect("a link");
    let run = playbook(["analyze", &folder]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    assert!(
        run.stderr.contains("playbook.toml: is not a regular file"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_secret_can_not_be_set() {
    let folder = small("set-secret");
    let run = playbook(["analyze", &folder, "--set", "API_TOKEN=abc"]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    assert!(run.stderr.contains("API_TOKEN"), "{}", run.stderr);
}

#[test]
fn the_date_comes_from_the_flag_the_epoch_or_the_clock() {
    let folder = small("dates");
    let generated = |date: Option<&str>, epoch: Option<&str>| {
        let mut run = command(["analyze", &folder]);
        run.args(date.map(|date| format!("--date={date}")));
        run.envs(epoch.map(|epoch| ("SOURCE_DATE_EPOCH", epoch)));
        let run = finish(run);
        let line = run
            .stdout
            .lines()
            .find_map(|line| line.strip_prefix("Generated: ").map(str::to_owned));
        (run.code, line.unwrap_or_default())
    };
    assert_eq!(generated(Some("2026-11-20"), None).1, "2026-11-20T00:00:00Z");
    assert_eq!(generated(None, Some("1795132800")).1, "2026-11-20T00:00:00Z");
    assert_eq!(
        generated(Some("2025-01-02"), Some("1795132800")).1,
        "2025-01-02T00:00:00Z"
    );
    assert_eq!(generated(None, None).1.len(), "2026-11-20T00:00:00Z".len());
    assert_eq!(generated(None, Some("yesterday")).0, 1);
    assert_eq!(generated(Some("20.11.2026"), None).0, 1);
}

#[test]
fn colour_only_when_it_is_asked_for() {
    let missing = "/no/such/folder";
    let coloured = |arguments: &[&str], environment: &[(&str, &str)]| {
        let mut run = command(arguments);
        run.envs(environment.iter().copied());
        finish(run).stderr.contains('\u{1b}')
    };
    assert!(!coloured(&["analyze", missing], &[]));
    assert!(coloured(&["analyze", missing, "--color", "always"], &[]));
    assert!(!coloured(
        &["analyze", missing, "--color", "never"],
        &[("CLICOLOR_FORCE", "1")]
    ));
    assert!(!coloured(&["analyze", missing], &[("NO_COLOR", "1")]));
}

#[test]
fn quiet_keeps_errors_and_verbose_names_what_was_left_out() {
    let folder = small("verbosity");
    fs::write(format!("{folder}/docker-compose.yml"), [0, 1, 2, 0]).expect("the file can be written");
    let normal = playbook(["analyze", &folder]);
    assert!(normal.stderr.contains("-v lists them"), "{}", normal.stderr);
    let verbose = playbook(["analyze", &folder, "-v"]);
    assert!(
        verbose.stderr.contains("note: docker-compose.yml: not-text"),
        "{}",
        verbose.stderr
    );
    assert_eq!(playbook(["analyze", &folder, "-q"]).stderr, "");
    assert_ne!(playbook(["analyze", "/no/such/folder", "-q"]).stderr, "");
    assert_eq!(normal.stdout, verbose.stdout);
}

/// `analyze . > PLAN.md`, and once more.
#[test]
fn a_plan_that_playbook_printed_does_not_change_the_next_one() {
    let root = empty_folder("own-plans");
    for case in cases() {
        let checkout = case.own_checkout(&root);
        let analyze = |output: Stdio| {
            let mut run = command(["analyze", "--date", DATE]);
            run.args(&case.arguments).arg(&checkout).stdout(output);
            finish(run)
        };
        let plain = analyze(Stdio::piped()).stdout;
        let plan = checkout.join("PLAN.md");
        for _ in 0..2 {
            let file = fs::File::create(&plan).expect("the file can be made");
            assert_eq!(analyze(file.into()).code, case.exit);
            assert!(
                fs::read_to_string(&plan).expect("the file is there") == plain,
                "{}: the plan differs when it is written into the repository",
                case.name
            );
        }
        assert!(
            analyze(Stdio::piped()).stdout == plain,
            "{}: the plan differs when an earlier one lies there",
            case.name
        );
    }
}

#[test]
fn nothing_is_written() {
    let folder = small("read-only");
    let before = crate::support::files_below(std::path::Path::new(&folder));
    for arguments in [vec!["analyze"], vec!["analyze", "--format", "json", "-v"]] {
        let mut run = command(arguments);
        run.current_dir(&folder);
        assert_eq!(finish(run).code, 0);
    }
    assert_eq!(crate::support::files_below(std::path::Path::new(&folder)), before);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_one_clear_error() {
    let folder = small("full-disk");
    let mut run = command(["analyze", &folder]);
    run.stdout(
        fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .expect("Linux has it"),
    );
    let run = finish(run);
    assert_eq!(run.code, 1);
    assert!(
        run.stderr
            .starts_with("error: standard output can't be written to\nhint: "),
        "{}",
        run.stderr
    );
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    // The catalogue's list is long enough to fill a pipe's buffer more than once together with the schema.
    for arguments in [["schema"], ["explain"]] {
        let mut child = command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        drop(child.stdout.take());
        let mut told = String::new();
        child
            .stderr
            .take()
            .expect("it is piped")
            .read_to_string(&mut told)
            .expect("standard error is UTF-8");
        let code = child.wait().expect("it ends").code();
        assert_eq!((code, told.as_str()), (Some(0), ""));
    }
}

#[test]
fn targets_templates_schema_and_completions() {
    let targets = playbook(["targets"]);
    for target in ["compose", "kubernetes", "render"] {
        assert!(
            targets.stdout.lines().any(|line| line.starts_with(target)),
            "{}",
            targets.stdout
        );
    }
    let templates = playbook(["templates"]);
    assert!(
        templates.stdout.lines().any(|line| line == "plan.md"),
        "{}",
        templates.stdout
    );
    assert!(!playbook(["templates", "plan.md"]).stdout.is_empty());
    assert_eq!(playbook(["templates", "no-such-template"]).code, 1);
    let schema: serde_json::Value = serde_json::from_str(&playbook(["schema"]).stdout).expect("JSON");
    assert!(schema["properties"]["services"].is_object());
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = playbook(["completions", shell]);
        assert_eq!(script.code, 0);
        assert!(script.stdout.contains("analyze"), "{shell}");
    }
}

#[test]
fn explain_tells_of_rules_and_technologies() {
    let list = playbook(["explain"]).stdout;
    let rule = list
        .lines()
        .skip_while(|line| *line != "Rules:")
        .nth(1)
        .and_then(|line| line.split_whitespace().next())
        .expect("there are rules");
    let told = playbook(["explain", rule]);
    assert_eq!(told.code, 0);
    assert!(
        told.stdout.starts_with(rule) && told.stdout.contains("What to do"),
        "{}",
        told.stdout
    );
    assert!(
        playbook(["explain", "postgresql"])
            .stdout
            .contains("Default port: 5432")
    );
    let unknown = playbook(["explain", "postgre"]);
    assert_eq!((unknown.code, unknown.stdout.as_str()), (1, ""));
    assert!(unknown.stderr.contains("postgresql"), "{}", unknown.stderr);
}

#[test]
fn templates_can_be_replaced_one_by_one() {
    let folder = small("own-templates");
    let plan = playbook(["templates", "plan.md"]).stdout;
    let own = folder_of(
        "templates",
        &[
            ("plan.md", &format!("{plan}\n\nThis line is ours.\n")),
            ("notes.txt", "x"),
            ("no-such.md", "x"),
        ],
    );
    let run = playbook([
        "analyze",
        &folder,
        "--templates",
        own.to_str().expect("a plain path"),
    ]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.contains("This line is ours."));
    assert!(run.stderr.contains("notes.txt: not a template"), "{}", run.stderr);
    assert!(
        run.stderr.contains("no-such.md: replaces no built-in template"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_broken_template_is_an_error_and_nothing_is_printed() {
    let folder = small("broken-template");
    let own = folder_of("broken-templates", &[("plan.md", "{{ no_such_variable }}\n")]);
    let run = playbook([
        "analyze",
        &folder,
        "--templates",
        own.to_str().expect("a plain path"),
    ]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{}", run.stderr);
    assert!(run.stderr.contains("plan.md"), "{}", run.stderr);
}

/// A template of the user's own that drops a section: the plan is malformed and is held back.
#[test]
fn a_malformed_plan_is_refused_with_20() {
    let folder = small("malformed");
    let own = folder_of(
        "malformed-templates",
        &[("plan.md", "# Backend Deployment Plan: x\n\n## 1. Nothing\n")],
    );
    let run = playbook([
        "analyze",
        &folder,
        "--templates",
        own.to_str().expect("a plain path"),
    ]);
    assert_eq!((run.code, run.stdout.as_str()), (20, ""), "{}", run.stderr);
    assert!(run.stderr.starts_with("error: "), "{}", run.stderr);
}
