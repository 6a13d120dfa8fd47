//! `.dockerignore`: does it keep files of variables out of images?

use playbook_core::inventory::SignalKind;

use super::Detector;
use crate::fact::Facts;
use crate::source::Source;

pub(crate) const DETECTOR: Detector = Detector {
    wants: |path| path.name() == ".dockerignore" || path.name().ends_with(".dockerignore"),
    detect,
};

fn detect(source: &Source<'_>, facts: &mut Facts) {
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
}
