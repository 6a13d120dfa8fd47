//! Secrets by value: what people and generators make.

use std::sync::LazyLock;

use regex::Regex;

use super::{letters, tokens, words};

/// `scheme://user:password@host`, `user:password@host`, and a query that carries a credential.
pub fn has_user_info(text: &str) -> bool {
    static USER_INFO: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(concat!(
            r"[^/@\s:$]+:[^/@\s]+@[A-Za-z0-9\[$]|://[^/@\s]+@|://[^@\s]*:[^@\s]*@",
            r"|(?i)[?&;](password|passwd|token|access_token|auth_token|api_?key|key|secret|client_secret|sig|signature|pwd|auth|user|username)="
        ))
        .ok()
    });
    // The short way out for nearly every text.
    if !text.bytes().any(|b| matches!(b, b'@' | b'=')) {
        return false;
    }
    USER_INFO.as_ref().is_some_and(|pattern| pattern.is_match(text))
}

/// Does the text have the shape of a token or of a random key?
pub fn looks_like_token(text: &str) -> bool {
    if text.len() < 12 {
        return false;
    }
    tokens::has_shape(text)
        || text
            .split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=')))
            .any(is_random_run)
        || letters::is_generated(text)
}

/// Do only shapes match that harmless things share, such as a UUID?
pub(super) fn is_only_loose(text: &str) -> bool {
    tokens::shapes_in(text).all(|shape| shape.loose)
}

/// A revision or a digest by its length: 7 to 12, 40 (SHA-1) or 64 (SHA-256) lower-case hexadecimal digits.
pub fn is_known_hash(text: &str) -> bool {
    matches!(text.len(), 7..=12 | 40 | 64) && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// A run of letters and digits that no one would write: long, mixed and even in its distribution.
pub fn is_random_run(run: &str) -> bool {
    let run = run.trim_matches(['=', '/']);
    if run.len() < 14 {
        return false;
    }
    if run.contains('/') && run.split('/').all(|part| part.len() < 20) {
        return run
            .split('/')
            .any(|part| !part.contains('/') && is_random_run(part));
    }
    let digits = run.bytes().filter(u8::is_ascii_digit).count();
    let upper = run.bytes().filter(u8::is_ascii_uppercase).count();
    let lower = run.bytes().filter(u8::is_ascii_lowercase).count();
    if run.bytes().all(|b| b.is_ascii_hexdigit()) {
        // Long enough to be a key; shorter ones are revisions and digests' heads.
        let letters = run.len() - digits;
        return run.len() >= 24 && digits > 0 && letters > 0 || digits >= 3 && letters >= 3;
    }
    if digits == 0 && is_camel_case(run) {
        return false;
    }
    let classes = usize::from(digits > 1) + usize::from(upper > 1) + usize::from(lower > 1);
    let changes = changes_of_class(run);
    if run.len() < 20 {
        let base32 = run.len() >= 16 && lower == 0 && digits >= 2 && upper >= 8 && changes * 4 >= run.len();
        return base32 || (classes >= 3 && changes * 2 >= run.len());
    }
    classes >= 3 && changes * 4 >= run.len()
        || digits * 5 >= run.len() && classes >= 2 && changes * 4 >= run.len()
        || digits == 0 && classes == 2 && changes * 5 >= run.len() * 2
        || lower == 0 && digits >= 2 && upper >= 8 && changes * 4 >= run.len()
}

/// Words put together with capitals, as names in code are: `runEveryMorningAtSeven`. No two capitals follow each other,
/// the words are long enough, and nearly all of them can be spoken.
fn is_camel_case(run: &str) -> bool {
    let letters = run.as_bytes();
    if !letters.iter().all(u8::is_ascii_alphabetic)
        || letters
            .windows(2)
            .any(|pair| pair.iter().all(u8::is_ascii_uppercase))
        || letters.last().is_some_and(u8::is_ascii_uppercase)
    {
        return false;
    }
    let mut words: Vec<bool> = vec![false];
    for (at, letter) in letters.iter().enumerate() {
        if at > 0 && letter.is_ascii_uppercase() {
            words.push(false);
        }
        if let Some(spoken) = words.last_mut() {
            *spoken |= matches!(
                letter.to_ascii_lowercase(),
                b'a' | b'e' | b'i' | b'o' | b'u' | b'y'
            );
        }
    }
    let spoken = words.iter().filter(|spoken| **spoken).count();
    letters.len() * 2 >= words.len() * 7 && spoken * 4 >= words.len() * 3
}

fn changes_of_class(run: &str) -> usize {
    let class = |b: u8| {
        if b.is_ascii_digit() {
            0
        } else if b.is_ascii_uppercase() {
            1
        } else {
            2
        }
    };
    run.as_bytes()
        .windows(2)
        .filter(|pair| matches!(pair, [a, b] if class(*a) != class(*b)))
        .count()
}

/// A word that people use as a password. It may be an ordinary setting too, but as a value it is not shown.
pub fn is_guessable_password(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    words()
        .password_parts
        .iter()
        .any(|part| text.contains(part.as_str()))
        || is_likely_password(&text)
}

/// A word that was made as a password, wherever it stands: a usual password with digits or signs behind it
/// (`hunter2`, `Summer2024`), or a word whose letters were turned into digits (`s3cr3t`, `Tr0ub4dor`). Ordinary words,
/// versions and names of software with a number are none.
pub fn is_likely_password(text: &str) -> bool {
    let word = text.trim_matches(['"', '\'', '`', '(', ')', '[', ']', ',', ';']);
    if word.len() < 5 || word.len() > 64 || !word.bytes().any(|b| b.is_ascii_alphabetic()) {
        return false;
    }
    word.split(['/', ':', '=', ',', '-', '_', '.', ' '])
        .chain([word])
        .any(is_password_word)
}

fn is_password_word(word: &str) -> bool {
    if word.len() < 5
        || is_known_hash(word) && word.len() >= 7 && !word.bytes().all(|b| b.is_ascii_alphabetic())
    {
        return false;
    }
    let lists = words();
    let signs =
        |c: char| c.is_ascii_digit() || matches!(c, '!' | '?' | '#' | '$' | '*' | '%' | '&' | '+' | '@');
    let stem = word.trim_end_matches(signs);
    let tail = word.len() - stem.len();
    let letters_turned: String = stem
        .chars()
        .map(|c| match c {
            '0' => 'o',
            '1' | '!' => 'i',
            '3' => 'e',
            '4' | '@' => 'a',
            '5' | '$' => 's',
            '7' => 't',
            _ => c.to_ascii_lowercase(),
        })
        .collect();
    let turned = letters_turned != stem.to_ascii_lowercase();
    if (tail > 0 || turned) && lists.passwords.contains(&letters_turned) {
        // `admin2`, `access1`, `spring6` may be names; years and signs make them passwords.
        return turned
            || tail >= 3
            || !lists.technical.contains(&letters_turned)
            || word.ends_with(['!', '?', '#', '$', '*']);
    }
    // A capitalised word with a year or a number and a sign behind it.
    let capitalised = stem.len() >= 4
        && stem.starts_with(|c: char| c.is_ascii_uppercase())
        && stem.chars().skip(1).all(|c| c.is_ascii_lowercase());
    if capitalised && tail >= 2 && !lists.technical.contains(&letters_turned) {
        let behind = word.get(stem.len()..).unwrap_or_default();
        let year =
            behind.len() >= 4 && (behind.starts_with("19") || behind.starts_with("20")) && behind.len() <= 6;
        return year || behind.contains(|c: char| !c.is_ascii_digit());
    }
    // Single digits between letters, twice: a word in disguise.
    let bytes = stem.as_bytes();
    let disguised = bytes
        .windows(3)
        .filter(|three| matches!(three, [a, b, c] if a.is_ascii_alphabetic() && matches!(b, b'0' | b'1' | b'3' | b'4' | b'5' | b'7') && c.is_ascii_alphabetic()))
        .count();
    disguised >= 2 && !bytes.iter().all(u8::is_ascii_hexdigit)
}

/// Characters that are there but can't be seen, or that turn the direction of text.
pub fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens() {
        for text in [
            "d41d8cd98f00b204e9800998ecf8427e",
            "wJalrXUtnFEMIK7MDENGbPxRfiCYzEXAMPLEKEY9",
            "JBSWY3DPEHPK3PXP",
            "aB3xK9mQ2pL7wR4t",
        ] {
            assert!(looks_like_token(text), "{text} is a token");
        }
        for text in [
            "fe56fa70289e_add_created_at_to_user_and_item.py",
            "docker-compose.production.yml",
            "ghcr.io/astral-sh/uv",
            "uvicorn.workers.UvicornWorker",
            "CreateUsersTable1699999999999",
            "20240101000000_init",
            "InternalServerErrorException",
            "apache-kafka-connect-2024",
            "OAuth2ClientV2Api",
            "AbstractHTTPServletRequestWrapper",
            "Microsoft.EntityFrameworkCore.SqlServer",
            "org.springframework.boot.autoconfigure",
            "0001_initial_create_tables",
            "APP_APPLICATION__BASE_URL",
        ] {
            assert!(!looks_like_token(text), "{text} is no token");
        }
    }

    #[test]
    fn passwords() {
        for text in [
            "hunter2",
            "Summer2024!",
            "Summer2024",
            "P@ssw0rd",
            "Passw0rd1",
            "admin123",
            "s3cr3t",
            "Tr0ub4dor",
            "letmein1",
            "Berlin1987",
            "Welcome1",
            "qwerty123",
        ] {
            assert!(is_likely_password(text), "{text}");
        }
        for text in [
            "python3",
            "worker2",
            "utf8",
            "base64",
            "sha256",
            "k8s",
            "i18n",
            "postgres16",
            "node20",
            "Int32",
            "fe56fa70289e",
            "app2",
            "oauth2-proxy",
            "admin",
            "x86_64",
            "http2",
            "manage.py",
            "web01",
            "v2",
            "arm64v8",
        ] {
            assert!(!is_likely_password(text), "{text}");
        }
    }

    #[test]
    fn user_info() {
        assert!(has_user_info("postgres://u:p@host/db"));
        assert!(has_user_info("https://token@host/x"));
        assert!(has_user_info("postgres://host/x?password=abc"));
        assert!(has_user_info("postgres://u:p/ss@host/db"));
        assert!(!has_user_info("https://host/x"));
        assert!(!has_user_info("@scope/pkg"));
        assert!(!has_user_info("app.main:app"));
    }

    #[test]
    fn names_in_camel_case_are_no_tokens() {
        for name in [
            "runEveryMorningAtSeven",
            "sendWeeklyReportToEveryOne",
            "ProcessScheduledContactReminders",
        ] {
            assert!(!looks_like_token(name), "{name}");
        }
        for token in ["qXvTbRkWzLpNcHsGdFjMyQwE", "aBcXdEfYgHiZjKlWmNoP"] {
            assert!(looks_like_token(token), "{token}");
        }
    }
}
