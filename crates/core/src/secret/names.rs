//! Secrets by name.

use super::{token_kind, values, words};
use crate::raw::Raw;

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
    // The shell's own working directories.
    if matches!(name, "PWD" | "OLDPWD") {
        return false;
    }
    is_secret(&words_of(name))
}

fn is_secret(name: &[String]) -> bool {
    let lists = words();
    let Some(last) = name.last() else {
        return false;
    };
    if can_carry_credentials(name) {
        return true;
    }
    let is_address = lists.address.contains(last);
    if is_address && name.iter().any(|word| lists.address_is_secret.contains(word)) {
        return true;
    }
    if name
        .windows(2)
        .any(|pair| matches!(pair, [a, b] if lists.secret_pairs.iter().any(|(x, y)| a == x && b == y)))
    {
        return !name.iter().any(|word| lists.about_anywhere.contains(word));
    }
    if name.iter().any(|word| lists.about_anywhere.contains(word)) {
        return false;
    }
    // SECRET_KEY_BASE is a key, whatever "base" says elsewhere.
    let key_base = name.ends_with(&["key".to_owned(), "base".to_owned()]);
    if lists.about_at_the_end.contains(last) && !key_base {
        return false;
    }
    // API_KEY_WEATHER is the key of a service.
    let key_of = name.starts_with(&["api".to_owned(), "key".to_owned()]);
    if key_of || name.iter().any(|word| lists.secret.contains(word)) {
        return true;
    }
    if lists.secret_at_the_end.contains(last) {
        let other = name.iter().any(|word| lists.other_keys.contains(word));
        // SESSION_COOKIE is the name of a browser's cookie, SESSION_SECURE_COOKIE a switch.
        let browser = last == "cookie" && !name.iter().any(|word| lists.cookie_of.contains(word));
        return !other && !browser;
    }
    name.iter().any(|word| {
        lists
            .secret_endings
            .iter()
            .any(|end| word.ends_with(end.as_str()))
    })
}

/// Addresses of data stores and brokers, whose user info is a credential.
fn can_carry_credentials(name: &[String]) -> bool {
    let lists = words();
    let address = name.last().is_some_and(|last| lists.address.contains(last));
    address && name.iter().any(|word| lists.stores.contains(word))
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
    // `--password-stdin` and `--password-file X` are about the password.
    let name = words_of(option);
    let about = name
        .last()
        .is_some_and(|last| last == "stdin" || words().about_at_the_end.contains(last));
    option.len() > 1 && !about && (is_secret(&name) || name.iter().any(|word| word == "auth"))
}

/// The kind of credential that a value under this name is: `password`, `api-key`, `private-key`, `connection-string`,
/// `token`, `aws-access-key`, `webhook-url`. `None` when neither name nor value says secret, and when the value is empty
/// or only refers to another variable.
pub fn kind_of_secret(name: &str, raw: Raw<'_>) -> Option<&'static str> {
    let text = raw.peek().trim().trim_matches(['"', '\'']).trim();
    if text.is_empty() || is_reference(text) {
        return None;
    }
    if let Some(kind) = token_kind(text).filter(|_| !values::is_only_loose(text)) {
        return Some(kind);
    }
    let user_info = values::has_user_info(text);
    if user_info && (text.contains("://") || text.contains(';')) {
        return Some("connection-string");
    }
    if text.split(';').any(|part| {
        part.split_once('=').is_some_and(|(key, value)| {
            let key = key.trim().to_ascii_lowercase();
            matches!(
                key.as_str(),
                "password" | "pwd" | "accountkey" | "sharedaccesskey"
            ) && !value.trim().is_empty()
        })
    }) {
        return Some("connection-string");
    }
    let name_words = words_of(name);
    if !is_secret_name(name) {
        return None;
    }
    // An address or a path under a secret's name that carries no credential is none.
    if can_carry_credentials(&name_words) && text.contains("://") && !user_info {
        return None;
    }
    let has = |list: &[&str]| {
        name_words.iter().any(|word| {
            list.iter()
                .any(|wanted| word == wanted || wanted.len() > 5 && word.ends_with(wanted))
        })
    };
    Some(if has(&["private", "pem", "privatekey"]) {
        "private-key"
    } else if has(&["webhook", "webhooks"]) {
        "webhook-url"
    } else if has(&[
        "password",
        "passwd",
        "pass",
        "pwd",
        "pw",
        "passphrase",
        "passcode",
        "pin",
        "requirepass",
    ]) {
        "password"
    } else if has(&["apikey", "key", "keys"]) && !has(&["secret"]) {
        if has(&["api", "apikey", "access"]) {
            "api-key"
        } else {
            "key"
        }
    } else if has(&["token", "tokens", "jwt", "bearer", "pat"]) && !has(&["secret"]) {
        "token"
    } else if can_carry_credentials(&name_words) || has(&["dsn", "connection", "connectionstring"]) {
        "connection-string"
    } else {
        "secret"
    })
}

/// Only `$NAME`, `${NAME}`, `$(…)` or a template's expression, without a value to fall back on.
fn is_reference(text: &str) -> bool {
    let one = text.starts_with('$') && !text.contains(":-") && !text.contains(":=");
    let expression = text.starts_with("{{") && text.ends_with("}}");
    (one && !text.trim_start_matches(['$', '{', '(']).contains('$')
        && !text.contains(char::is_whitespace)
        && !is_hash(text))
        || (text.starts_with("${{") && text.ends_with("}}"))
        || expression
}

fn is_hash(text: &str) -> bool {
    text.starts_with("$2") || text.starts_with("$argon2")
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
            "SECRET_KEY_BASE",
            "SLACK_WEBHOOK_URL",
            "DB_PASS",
            "GITHUB_PAT",
            "NPM_TOKEN",
            "vault_secret_id",
            "AWS_SECRET_ACCESS_KEY",
            "APP_KEY",
            "spring.datasource.url",
            "spring.datasource.password",
            "HASH_SALT",
            "BASIC_AUTH",
            "MESSENGER_TRANSPORT_DSN",
            "LICENSE_KEY",
            "GOOGLE_APPLICATION_CREDENTIALS",
            "API_KEY_WEATHER",
            "RELEASE_COOKIE",
            "CELERY_RESULT_BACKEND_URL",
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
            "QUEUE_CONNECTION",
            "CAPTCHA_SITE_KEY",
            "SESSION_SECURE_COOKIE",
            "PRIVATE_MODE",
            "POSTGRES_USER",
            "ALLOW_EMPTY_PASSWORD",
            "TOKEN_ENDPOINT",
            "AWS_ACCESS_KEY_ID",
            "PWD",
            "AUTH_JWT_TOKEN_EXPIRES_IN",
            "PASSWORD_FILE",
            "DATABASE_NAME",
            "SESSION_COOKIE",
            "MAX_TOKENS",
            "WebhooksApiClient",
            "BACKEND_URL",
            "METADATA_KEY",
            "RESET_PASSWORD_WITHIN",
            "AUTH_PASSWORD_RESET_TOKEN_TABLE",
            "API_KEY_HEADER",
        ] {
            assert!(!is_secret_name(name), "{name} is no secret");
        }
    }

    #[test]
    fn kinds() {
        let kind = |name: &str, value: &str| kind_of_secret(name, Raw::new(value));
        assert_eq!(kind("DB_PASSWORD", "x1y2"), Some("password"));
        assert_eq!(
            kind("DATABASE_URL", "postgres://u:p@h/d"),
            Some("connection-string")
        );
        assert_eq!(kind("DATABASE_URL", "postgres://h/d"), None);
        assert_eq!(
            kind("OTHER", &["AK", "IAQ7K2ZR5M9XW3TB8H"].concat()),
            Some("aws-access-key")
        );
        assert_eq!(kind("GITHUB_TOKEN", "abc"), Some("token"));
        assert_eq!(kind("STRIPE_API_KEY", "abc"), Some("api-key"));
        assert_eq!(kind("PORT", "8000"), None);
        assert_eq!(kind("DB_PASSWORD", "${DB_PASSWORD}"), None);
        assert_eq!(
            kind("Default", "Server=db;Database=x;User Id=sa;Password=Abc.123"),
            Some("connection-string")
        );
    }

    #[test]
    fn options() {
        for word in [
            "--password",
            "--requirepass",
            "--api-key=x",
            "--auth-token",
            "-password",
            "--token",
        ] {
            assert!(is_secret_option(word), "{word}");
        }
        for word in [
            "--password-stdin",
            "--port",
            "-p",
            "--host",
            "--password-file",
            "password",
            "--key-type",
        ] {
            assert!(!is_secret_option(word), "{word}");
        }
    }
}
