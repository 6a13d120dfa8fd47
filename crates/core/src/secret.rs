//! Is this name, or this value, a secret?

mod withheld;

pub use withheld::{Withheld, is_placeholder};

use std::sync::LazyLock;

use regex::Regex;

/// Words that make a variable's name a secret's name. Whole words between `_`, `-`, `.` and changes of case.
const SECRET_WORDS: &[&str] = &[
    "password",
    "passwd",
    "pass",
    "pwd",
    "passphrase",
    "secret",
    "secrets",
    "token",
    "apikey",
    "credential",
    "credentials",
    "dsn",
    "salt",
    "pepper",
    "private",
    "signature",
    "cert",
    "pem",
    "pin",
    "otp",
    "seed",
    "cookie",
    "webhook",
    "keyfile",
    "keystore",
];

/// Words that take a secret's name back: a setting about the secret, not the secret.
const ABOUT_WORDS: &[&str] = &[
    "expire",
    "expires",
    "expiry",
    "expiration",
    "expired",
    "minutes",
    "hours",
    "days",
    "seconds",
    "ttl",
    "lifetime",
    "length",
    "len",
    "min",
    "max",
    "age",
    "algorithm",
    "algorithms",
    "alg",
    "name",
    "header",
    "enabled",
    "enable",
    "disable",
    "disabled",
    "required",
    "policy",
    "size",
    "count",
    "limit",
    "type",
    "issuer",
    "audience",
    "rounds",
    "cost",
    "path",
    "file",
    "url",
    "uri",
    "endpoint",
    "domain",
    "secure",
    "samesite",
    "httponly",
    "ssl",
    "pattern",
    "throttle",
    "retries",
    "timeout",
    "prefix",
    "field",
    "login",
    "reset",
    "version",
    "id",
    "rotation",
    "interval",
    "duration",
];

/// Splits `databaseUrl`, `DATABASE_URL` and `Database__Url` into lower-case words.
pub fn words_of(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut before_lower = false;
    for c in name.chars() {
        if !c.is_alphanumeric() {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            before_lower = false;
            continue;
        }
        if c.is_uppercase() && before_lower && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        before_lower = c.is_lowercase() || c.is_ascii_digit();
        word.extend(c.to_lowercase());
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Does a variable of this name hold a password, a token, a key, or an address that can carry one of them?
pub fn is_secret_name(name: &str) -> bool {
    let words = words_of(name);
    let has = |word: &str| words.iter().any(|w| w == word);
    let ends = |list: &[&str]| words.last().is_some_and(|last| list.contains(&last.as_str()));
    if ends(ABOUT_WORDS) && !can_carry_credentials(&words) {
        return false;
    }
    if words.iter().any(|word| SECRET_WORDS.contains(&word.as_str())) {
        return true;
    }
    // A key is a secret unless it is a public one or the name of a key in a map.
    if (ends(&["key", "keys"]) || has("apikey"))
        && !has("public")
        && !has("publishable")
        && !has("primary")
        && !has("foreign")
    {
        return true;
    }
    // Password glued to another word: PGPASSWORD, DBPASS, mysqlpwd.
    if words.iter().any(|word| {
        ["password", "passwd", "apikey", "secretkey", "authtoken"]
            .iter()
            .any(|end| word.ends_with(end))
    }) {
        return true;
    }
    can_carry_credentials(&words)
}

/// Addresses of data stores and brokers, whose user info is a credential.
fn can_carry_credentials(words: &[String]) -> bool {
    const STORES: &[&str] = &[
        "database",
        "db",
        "postgres",
        "postgresql",
        "pg",
        "mysql",
        "mariadb",
        "mongo",
        "mongodb",
        "redis",
        "valkey",
        "amqp",
        "rabbitmq",
        "rabbit",
        "rmq",
        "broker",
        "cache",
        "queue",
        "nats",
        "kafka",
        "elasticsearch",
        "clickhouse",
        "neo4j",
        "cloudamqp",
        "jdbc",
        "sql",
        "sqlalchemy",
        "backend",
        "storage",
        "cassandra",
    ];
    let address = words
        .last()
        .is_some_and(|last| matches!(last.as_str(), "url" | "uri" | "urls" | "dsn" | "connection"));
    (address && words.iter().any(|word| STORES.contains(&word.as_str())))
        || words
            .iter()
            .any(|word| matches!(word.as_str(), "connectionstring" | "connectionstrings"))
        || words.windows(2).any(|pair| {
            matches!(pair, [first, second] if first == "connection" && matches!(second.as_str(), "string" | "strings"))
        })
        || words
            .iter()
            .any(|word| matches!(word.as_str(), "databaseurl" | "mongouri" | "redisurl"))
}

/// An option whose next word, or whose value, is a secret.
pub fn is_secret_option(word: &str) -> bool {
    let Some(option) = word.strip_prefix('-') else {
        return false;
    };
    let option = option
        .trim_start_matches('-')
        .split('=')
        .next()
        .unwrap_or_default();
    let words = words_of(option);
    words.iter().any(|w| {
        matches!(
            w.as_str(),
            "password"
                | "passwd"
                | "requirepass"
                | "masterauth"
                | "token"
                | "secret"
                | "apikey"
                | "passphrase"
                | "pass"
        )
    }) || words.ends_with(&["key".to_owned()])
        && words
            .iter()
            .any(|w| matches!(w.as_str(), "api" | "secret" | "access" | "private" | "auth"))
}

/// `scheme://user:password@host` and `user:password@host`.
pub fn has_user_info(text: &str) -> bool {
    static USER_INFO: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"[^/@\s:$]+:[^/@\s]+@[A-Za-z0-9\[$]|://[^/@\s]+@|[?&](password|token|key|secret|sig|signature|pwd|auth)=").ok()
    });
    USER_INFO.as_ref().is_some_and(|pattern| pattern.is_match(text))
}

/// Known shapes of tokens: prefix or structure says what they are.
static TOKEN_SHAPES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?:AKIA|ASIA|AROA|AIDA|ABIA|ACCA)[A-Z0-9]{12,}",
        r"|gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_\-]{16,}",
        r"|(?:sk|pk|rk|whsec)_(?:live|test)_[A-Za-z0-9]{8,}|whsec_[A-Za-z0-9+/=]{16,}|sk-[A-Za-z0-9_\-]{16,}",
        r"|xox[abeoprs]-[A-Za-z0-9\-]{10,}|xapp-[A-Za-z0-9\-]{10,}",
        r"|AIza[A-Za-z0-9_\-]{20,}|ya29\.[A-Za-z0-9_\-]{20,}|GOCSPX-[A-Za-z0-9_\-]{10,}",
        r"|SG\.[A-Za-z0-9_\-]{10,}\.[A-Za-z0-9_\-]{10,}|key-[0-9a-f]{32}|re_[A-Za-z0-9_]{16,}",
        r"|npm_[A-Za-z0-9]{20,}|pypi-[A-Za-z0-9_\-]{20,}|dckr_pat_[A-Za-z0-9_\-]{16,}|hf_[A-Za-z0-9]{16,}",
        r"|eyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}|-----BEGIN",
        r"|rnd_[A-Za-z0-9]{16,}|dop_v1_[0-9a-f]{32,}|shp(?:at|ca|pa|ss)_[0-9a-fA-F]{16,}|EAAC[A-Za-z0-9]{16,}|sq0[a-z]{3}-[A-Za-z0-9_\-]{10,}",
        r"|[MN][A-Za-z0-9_\-]{20,}\.[A-Za-z0-9_\-]{5,}\.[A-Za-z0-9_\-]{20,}|\d{8,10}:[A-Za-z0-9_\-]{30,}|lin_api_[A-Za-z0-9]{16,}|nvapi-[A-Za-z0-9_\-]{16,}|gsk_[A-Za-z0-9]{16,}|r8_[A-Za-z0-9]{16,}|vercel_[A-Za-z0-9]{16,}|sntrys_[A-Za-z0-9+/=_]{16,}",
    ))
    .ok()
});

/// Does the text have the shape of a token or of a random key?
pub fn looks_like_token(text: &str) -> bool {
    if text.len() < 12 {
        return false;
    }
    if TOKEN_SHAPES.as_ref().is_some_and(|shapes| shapes.is_match(text)) {
        return true;
    }
    text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=')))
        .any(is_random)
}

/// A run of letters and digits that no one would write: long, mixed and even in its distribution.
fn is_random(run: &str) -> bool {
    let run = run.trim_matches(['=', '/']);
    if run.len() < 20 || run.contains('/') && run.split('/').all(|part| part.len() < 20) {
        return false;
    }
    let digits = run.bytes().filter(u8::is_ascii_digit).count();
    let upper = run.bytes().filter(u8::is_ascii_uppercase).count();
    let lower = run.bytes().filter(u8::is_ascii_lowercase).count();
    let hex = run.bytes().all(|b| b.is_ascii_hexdigit());
    if hex {
        // Long enough to be a key; shorter ones are revisions and digests' heads.
        return run.len() >= 24 && digits > 0 && digits < run.len();
    }
    let classes = usize::from(digits > 1) + usize::from(upper > 1) + usize::from(lower > 1);
    classes >= 3 && changes_of_class(run) * 4 >= run.len()
        || digits * 5 >= run.len() && classes >= 2 && changes_of_class(run) * 4 >= run.len()
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
    [
        "password",
        "passw",
        "secret",
        "changeme",
        "changethis",
        "change-me",
        "change_me",
        "letmein",
        "hunter",
        "qwerty",
        "welcome",
        "token",
        "supersecret",
    ]
    .iter()
    .any(|word| text.contains(word))
}

/// Characters that are there but can't be seen, or that turn the direction of text.
pub fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_names() {
        for name in [
            "SECRET_KEY",
            "DATABASE_URL",
            "PGPASSWORD",
            "JWT_SECRET",
            "STRIPE_API_KEY",
            "SENTRY_DSN",
            "ConnectionStrings__Default",
            "REDIS_URL",
            "apiKey",
            "RMQ_URL",
            "MONGO_URI",
        ] {
            assert!(is_secret_name(name), "{name} is a secret");
        }
        for name in [
            "PORT",
            "LOG_LEVEL",
            "ACCESS_TOKEN_EXPIRE_MINUTES",
            "JWT_ALGORITHM",
            "PUBLIC_KEY",
            "KEYSPACE",
            "SMTP_HOST",
            "FRONTEND_URL",
            "PASSWORD_MIN_LENGTH",
        ] {
            assert!(!is_secret_name(name), "{name} is no secret");
        }
    }

    #[test]
    fn tokens() {
        let made = |prefix: &str, rest: &str| format!("{prefix}{rest}");
        for text in [
            made("gh", "p_abcdefghijklmnop1234"),
            made("sk_", "live_abcdefgh12345678"),
            made("AKI", "AIOSFODNN7EXAMPLE"),
            "d41d8cd98f00b204e9800998ecf8427e".to_owned(),
            "wJalrXUtnFEMIK7MDENGbPxRfiCYzEXAMPLEKEY9".to_owned(),
        ] {
            assert!(looks_like_token(&text), "{text} is a token");
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
        ] {
            assert!(!looks_like_token(text), "{text} is no token");
        }
    }

    #[test]
    fn user_info() {
        assert!(has_user_info("postgres://u:p@host/db"));
        assert!(has_user_info("https://token@host/x"));
        assert!(!has_user_info("https://host/x"));
        assert!(!has_user_info("@scope/pkg"));
        assert!(!has_user_info("app.main:app"));
    }
}
