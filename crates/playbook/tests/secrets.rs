//! The canaries of every fixture appear in no format, on neither stream, at no verbosity, in no common disguise.

use std::fs;

use crate::support::{cases, files_below, folder_of, playbook, targets};

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64 without padding.
fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let all =
            chunk.iter().fold(0_u32, |all, byte| all << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..=chunk.len() {
            let index = usize::try_from(all >> (18 - 6 * at) & 63).unwrap_or_default();
            text.push(char::from(BASE64[index]));
        }
    }
    text
}

fn percent(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            encoded.push(char::from(byte));
        } else {
            let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or_default();
            encoded.extend([
                '%',
                digit(byte >> 4).to_ascii_uppercase(),
                digit(byte & 15).to_ascii_uppercase(),
            ]);
        }
    }
    encoded
}

/// The forms under which a value could slip through.
fn disguises(secret: &str) -> Vec<String> {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or_default();
    let hex: String = secret
        .bytes()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect();
    vec![
        secret.to_owned(),
        secret.chars().rev().collect(),
        base64(secret.as_bytes()),
        percent(secret),
        hex,
    ]
}

#[test]
fn disguises_are_what_they_say() {
    assert_eq!(base64(b"hunter2"), "aHVudGVyMg");
    assert_eq!(percent("a&b"), "a%26b");
}

#[test]
fn canaries_are_planted_and_never_printed() {
    let targets = targets();
    let mut leaks = Vec::new();
    for case in cases() {
        assert!(!case.canaries.is_empty(), "{} has no canary", case.name);
        let tree: String = files_below(&case.checkout)
            .iter()
            .filter_map(|file| fs::read_to_string(case.checkout.join(file)).ok())
            .collect();
        let mut runs = vec![
            ("json", case.analyzed(&["--format", "json"])),
            ("verbose", case.analyzed(&["-v", "--fail-on", "low"])),
        ];
        runs.extend(
            targets
                .iter()
                .map(|target| (target.as_str(), case.analyzed_for(target))),
        );
        for (name, canary) in &case.canaries {
            assert!(tree.contains(canary), "{}: {name} is not planted", case.name);
            for form in disguises(canary) {
                for (what, run) in &runs {
                    if run.stdout.contains(&form) || run.stderr.contains(&form) {
                        leaks.push(format!("{}: {name} in {what}", case.name));
                    }
                }
            }
        }
    }
    assert!(leaks.is_empty(), "\n{}", leaks.join("\n"));
}

#[test]
fn no_placeholder_of_the_fixtures_is_left() {
    for case in cases() {
        for file in files_below(&case.checkout) {
            let text = fs::read_to_string(case.checkout.join(&file)).unwrap_or_default();
            let is_name =
                |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            // Other languages have their own uses for the sign.
            assert!(
                text.split("@@").skip(1).step_by(2).find(is_name).is_none(),
                "{}: {file} holds a placeholder without a canary",
                case.name
            );
        }
    }
}

#[test]
fn a_broken_settings_file_is_not_quoted() {
    let secret = ["sk_", "live_", "4eC39HqLyjWDarjt"].concat();
    for text in [
        format!("api_key = {secret}\n"),
        format!("\"{secret}\" = 1\n"),
        format!("target = \"{secret}\"\n"),
        format!("domain = \"{secret}\"\n"),
        format!("[set]\nAPI_KEY = \"{secret}\"\n"),
        format!("[set]\n\"{secret}\" = \"x\"\n"),
        format!("fail-on = \"{secret}\"\n"),
    ] {
        let folder = folder_of("settings-with-a-secret", &[("playbook.toml", &text)]);
        let run = playbook(["analyze".as_ref(), folder.as_os_str()]);
        assert_eq!(run.code, 1, "{text}");
        assert_eq!(run.stdout, "");
        assert!(run.stderr.starts_with("error: playbook.toml:"), "{}", run.stderr);
        assert!(!run.stderr.contains(&secret), "{}", run.stderr);
    }
}

#[test]
fn a_value_of_the_command_line_is_not_repeated_when_it_is_refused() {
    let secret = ["sk_", "live_", "4eC39HqLyjWDarjt"].concat();
    let folder = folder_of("refused-values", &[("README.md", "# x\n")]);
    let folder = folder.to_str().expect("a plain path");
    for argument in [format!("API_KEY={secret}"), secret.clone(), format!("={secret}")] {
        let run = playbook(["analyze", folder, "--set", &argument]);
        assert_ne!(run.code, 0);
        assert!(!run.stderr.contains(&secret), "{}", run.stderr);
    }
}

/// What goes to standard error is searched as well: a file's name can be the secret.
#[test]
fn diagnostics_do_not_name_a_secret() {
    let token = ["gh", "p_", "abcdefghijklmnop1234"].concat();
    let folder = folder_of("odd-names", &[("README.md", "# x\n")]);
    fs::write(folder.join(format!("{token}.env")), [0_u8, 159, 146, 150]).expect("the file can be written");
    fs::write(
        folder.join("docker-compose.yml"),
        format!("services:\n  {token}:\n   - [\n"),
    )
    .expect("written");
    let run = playbook(["analyze".as_ref(), folder.as_os_str(), "-v".as_ref()]);
    assert!(!run.stderr.contains(&token), "{}", run.stderr);
    assert!(!run.stdout.contains(&token));
}

/// Links, and a `.git` file that points away: another folder's contents are another folder's secrets.
#[cfg(unix)]
#[test]
fn nothing_outside_of_the_folder_is_read() {
    let outside = folder_of(
        "elsewhere",
        &[
            (
                "Dockerfile",
                "FROM registry.example.com/outside-image:1\nCMD [\"outside-command\"]\n",
            ),
            ("git/HEAD", "ref: refs/heads/outside-branch\n"),
            (
                "git/config",
                "[remote \"origin\"]\n\turl = https://git.example.com/outside/remote.git\n",
            ),
            ("code/main.py", "import os\nos.environ[\"OUTSIDE_VARIABLE\"]\n"),
        ],
    );
    let gitdir = format!("gitdir: {}\n", outside.join("git").display());
    let folder = folder_of("with-links", &[("README.md", "# x\n"), (".git", &gitdir)]);
    for (target, link) in [
        ("Dockerfile", "Dockerfile"),
        ("code", "code"),
        ("code/main.py", "main.py"),
    ] {
        std::os::unix::fs::symlink(outside.join(target), folder.join(link)).expect("a link can be made");
    }
    for format in ["markdown", "json"] {
        let run = playbook([
            "analyze",
            "-v",
            "--format",
            format,
            folder.to_str().expect("a plain path"),
        ]);
        assert_eq!(run.code, 3, "{}", run.stderr);
        assert!(!run.stdout.is_empty());
        assert!(
            !format!("{}{}", run.stdout, run.stderr)
                .to_lowercase()
                .contains("outside"),
            "{}",
            run.stdout
        );
    }
}
