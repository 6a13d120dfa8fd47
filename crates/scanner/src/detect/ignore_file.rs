//! `.dockerignore`: does it keep files of variables out of images? `.gitignore` and `.gitmodules`: what is not in this
//! repository although its commands may name it.

use playbook_core::inventory::SignalKind;

use super::{Detector, named};
use crate::fact::{Facts, UntrackedFact};
use crate::limits;
use crate::source::Source;

pub(crate) const DETECTOR: Detector = Detector {
    wants: |path| path.name().ends_with(".dockerignore") || named(path, &[".gitignore", ".gitmodules"]),
    detect,
};

fn detect(source: &Source<'_>, facts: &mut Facts) {
    if !source.path.name().ends_with(".dockerignore") {
        untracked(source, facts);
        return;
    }
    // The last pattern that matches decides.
    let mut ignored = false;
    for (_, line) in source.numbered_lines() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (pattern, ignores) = match line.strip_prefix('!') {
            Some(rest) => (rest.trim(), false),
            None => (line, true),
        };
        let pattern = pattern.trim_start_matches("./").trim_start_matches('/');
        let pattern = pattern
            .strip_prefix("**/")
            .unwrap_or(pattern)
            .trim_end_matches('/');
        if pattern == "**" || matches(pattern, ".env") {
            ignored = ignores;
        }
    }
    if !ignored {
        facts.signal(SignalKind::EnvFileNotIgnored, None, source.scope, source.at(1));
    }
}

/// The patterns of `.gitignore`, and the folders of `.gitmodules`.
fn untracked(source: &Source<'_>, facts: &mut Facts) {
    let mut patterns: Vec<String> = source
        .text
        .lines()
        .filter_map(|line| {
            let line = line.trim();
            if source.path.name() == ".gitignore" {
                return (!line.is_empty() && !line.starts_with('#')).then(|| line.to_owned());
            }
            let (key, folder) = line.split_once('=')?;
            (key.trim() == "path").then(|| format!("/{}", folder.trim()))
        })
        .take(limits::FACTS_PER_FILE + 1)
        .collect();
    super::too_many(source, patterns.len(), limits::FACTS_PER_FILE, facts);
    patterns.truncate(limits::FACTS_PER_FILE);
    facts.untracked.push(UntrackedFact {
        dir: source.path.parent(),
        patterns,
    });
}

/// Does a pattern of one path component match a name? `*` stands for any text, `?` for one character.
fn matches(pattern: &str, name: &str) -> bool {
    let name: Vec<char> = name.chars().collect();
    // Which beginnings of the name the pattern read so far can stand for.
    let mut reached = vec![false; name.len() + 1];
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    for sign in pattern.chars() {
        let mut next = vec![false; name.len() + 1];
        if sign == '*' {
            let mut open = false;
            for (to, from) in next.iter_mut().zip(&reached) {
                open |= *from;
                *to = open;
            }
        } else {
            for ((to, from), letter) in next.iter_mut().skip(1).zip(&reached).zip(&name) {
                *to = *from && (sign == '?' || sign == *letter);
            }
        }
        reached = next;
    }
    reached.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use playbook_core::path::RelPath;

    use super::*;
    use crate::testing::facts;

    fn leaves_out(text: &str) -> bool {
        facts(&DETECTOR, &format!("//- .dockerignore\n{text}\n"))
            .signals
            .is_empty()
    }

    #[test]
    fn patterns_that_leave_env_files_out() {
        for text in [
            ".env", "**/.env", ".env*", "*.env", ".*", "*", "/.env", "*\n!src", ".en?", "**",
        ] {
            assert!(leaves_out(text), "{text}");
        }
    }

    #[test]
    fn patterns_that_do_not() {
        for text in [
            "node_modules",
            ".env.local",
            "# .env",
            "*\n!.env",
            "env",
            "src/.env",
            "",
        ] {
            assert!(!leaves_out(text), "{text}");
        }
        assert!(RelPath::new(".dockerignore").is_some_and(|path| (DETECTOR.wants)(&path)));
    }

    #[test]
    fn what_version_control_leaves_out() {
        let told = facts(
            &DETECTOR,
            "//- api/.gitignore\n# built\n/dist\n\n*.log\n//- .gitmodules\n[submodule \"x\"]\n\tpath = libs/x\n\turl = ../x\n",
        );
        let patterns: Vec<(&str, Vec<&str>)> = told
            .untracked
            .iter()
            .map(|fact| {
                (
                    fact.dir.as_str(),
                    fact.patterns.iter().map(String::as_str).collect(),
                )
            })
            .collect();
        assert_eq!(
            patterns,
            [("api", vec!["/dist", "*.log"]), (".", vec!["/libs/x"])]
        );
    }
}
