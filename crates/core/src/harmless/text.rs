//! Names, versions, paths, schedules and settings.

use regex::{Regex, RegexBuilder};

use super::harmless;
use crate::raw::Raw;
use crate::secret;

/// Compiles a pattern for the signs of ASCII where that is possible, which takes a tenth of the time: what is harmless is
/// written in them. With classes of letters of all scripts, or with other signs of its own, it is compiled for all.
pub(super) fn compiled(text: &str) -> Option<Regex> {
    let of_ascii = RegexBuilder::new(text).unicode(false).build();
    of_ascii.or_else(|_| Regex::new(text)).ok()
}

/// A constant pattern; a wrong one is found by the tests, which use each of them.
macro_rules! pattern {
    ($text:literal) => {{
        static PATTERN: std::sync::LazyLock<Option<regex::Regex>> =
            std::sync::LazyLock::new(|| crate::harmless::text::compiled($text));
        |text: &str| PATTERN.as_ref().is_some_and(|pattern| pattern.is_match(text))
    }};
}
pub(super) use pattern;

fn plain(text: &str, longest: usize) -> Option<&str> {
    let text = text.trim();
    (!text.is_empty() && text.len() <= longest && !secret::looks_like_token(text)).then_some(text)
}

/// No word that was made as a password, and no `user:password@`.
fn is_unsuspicious(text: &str) -> bool {
    !secret::is_likely_password(text) && !secret::has_user_info(text)
}

harmless! {
    /// The name of an environment variable: letters, digits, `_`, and the `.`, `:`, `-` and `[0]` of nested settings.
    EnvName, |text| {
        let text = plain(text, 128)?;
        pattern!(r"^[A-Za-z_][A-Za-z0-9_.:\-\[\]]*$")(text).then(|| text.to_owned())
    }
}

harmless! {
    /// The name of a service, package, database object, branch, job or file: one word.
    Name, |text| {
        let text = plain(text, 160)?;
        let ok = pattern!(r"^[\p{L}\p{N}_@.*][\p{L}\p{N}_@./:+*#~\-\[\]]*$")(text) && is_unsuspicious(text);
        ok.then(|| text.to_owned())
    }
}

harmless! {
    /// A version or a range of versions: `3.12`, `>=18 <23`, `^20.1.0`, `v1.2.3-rc.1`, `18-alpine`, `lts/jod`.
    Version, |text| {
        let text = plain(text, 60)?;
        // Each part behind the first number is a number, a word with a number, or the head of a revision.
        let ok = pattern!(r"^[\^~><=!vV ]*\d{1,8}[a-z]{0,2}\d{0,4}([.\-+_]?(\d{1,8}[a-z]{0,2}\d{0,4}|[A-Za-z]{1,16}\d{0,4}|[xX*]|[0-9a-f]{7,8})){0,10}([ ,|]+[\^~><=!|vV ]*[\dxX*]{1,8}([.\-+_]?(\d{1,8}|[A-Za-z]{1,16}\d{0,4}|[xX*])){0,8}){0,8}$")(text)
            || pattern!(r"^(lts(/[a-z*]+)?|stable|latest|nightly|current|node|edge|main|mainline|alpine|slim)$")(text);
        // No version changes from small letters to capitals within a word.
        let turns = text.as_bytes().windows(2).any(|pair| matches!(pair, [a, b] if a.is_ascii_lowercase() && b.is_ascii_uppercase()));
        let ok = ok && !turns && text.split([' ', ',', '|', '-', '+']).all(|part| !secret::is_likely_password(part));
        ok.then(|| text.to_owned())
    }
}

harmless! {
    /// The path of an HTTP route, with its parameters: `/api/v1/items/{id}`, `/users/:id`.
    UrlPath, |text| {
        let text = plain(text, 200)?;
        let ok = pattern!(r"^/[A-Za-z0-9_\-./:{}<>*~@()|+$%,=]*$")(text)
            && text.split('/').all(|part| !secret::looks_like_token(part) && !secret::is_likely_password(part))
            && !secret::has_user_info(text)
            && !text.as_bytes().windows(3).any(|three| matches!(three, [b'%', a, b] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit()));
        ok.then(|| text.to_owned())
    }
}

harmless! {
    /// A cron expression (five or six fields or `@daily`) or an interval (`every 30s`, `24h`, `timedelta(minutes=5)`).
    Schedule, |text| {
        let text = plain(text, 120)?;
        let signs = pattern!(r"^[A-Za-z0-9 @_.,:*/?#()='\x22+\[\]{}&;|\->]*$");
        let reference = pattern!(r"^\$\{?[A-Z][A-Z0-9_]*\}?$");
        // Every word comes from the vocabulary of schedules, whatever the library's notation.
        let ok = signs(text)
            && text.split(|c: char| c.is_ascii_digit()).all(|run| {
                secret::words_of(run).iter().all(|word| secret::words().schedule.contains(word))
            })
            && text.split(|c: char| !c.is_ascii_digit()).all(|digits| digits.len() <= 13)
            || reference(text);
        ok.then(|| text.to_owned())
    }
}

harmless! {
    /// A name in code: `app.main:app`, `crate::server::run`, `AppModule`.
    Symbol, |text| {
        let text = plain(text, 160)?;
        let ok = pattern!(r"^[A-Za-z_@][A-Za-z0-9_.:\-/$@]*(\(\))?$")(text) && is_unsuspicious(text);
        ok.then(|| text.to_owned())
    }
}

harmless! {
    /// A host name, with or without port.
    Host, |text| {
        let text = plain(text, 120)?;
        pattern!(r"^[A-Za-z0-9]([A-Za-z0-9\-]*[A-Za-z0-9])?(\.[A-Za-z0-9\-]+)*(:\d{1,5})?$")(text)
            .then(|| text.to_owned())
            .filter(|_| !secret::is_likely_password(text))
    }
}

harmless! {
    /// The id of a commit or of a migration: 7 to 40 (or 64) hexadecimal digits. Only for places that hold nothing else.
    CommitId, |text| {
        let text = text.trim();
        let ok = matches!(text.len(), 7..=40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit());
        ok.then(|| text.to_ascii_lowercase())
    }
}

harmless! {
    /// An `http(s)`, `ssh` or `git` address without user, password, query and fragment. What carries one of them loses
    /// it; what can't be taken apart strictly is refused.
    HttpUrl, |text| {
        let text = text.trim();
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) if pattern!(r"^(https?|ssh|git|wss?)$")(scheme) => (scheme.to_owned(), rest.to_owned()),
            Some(_) => return None,
            // The short form of an SSH address: git@host:owner/name.git
            None => {
                let (user_host, path) = text.split_once(':')?;
                let host = user_host.rsplit_once('@').map_or(user_host, |(_, host)| host);
                ("ssh".to_owned(), format!("{host}/{path}"))
            }
        };
        // A password with a slash or a question mark in it hides the `@` that ends it.
        let authority_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let behind = rest.get(authority_end..).unwrap_or_default();
        if behind.contains('@') && rest.get(..authority_end).is_some_and(|authority| authority.contains(':')) && !rest.get(..authority_end).is_some_and(|authority| authority.contains('@')) {
            return None;
        }
        if secret::token_kind(text).is_some_and(|kind| kind == "webhook-url") {
            return None;
        }
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let host = Host::parse(Raw::new(host))?;
        let path_ok = pattern!(r"^[A-Za-z0-9_\-./~+@]*$")(path)
            && path.split('/').all(|part| !secret::looks_like_token(part) && !secret::is_likely_password(part)) && path.len() <= 200;
        (path_ok).then(|| if path.is_empty() { format!("{scheme}://{host}") } else { format!("{scheme}://{host}/{path}") })
    }
}

harmless! {
    /// A short description in ordinary words. Anything that is not a word, a number or usual punctuation makes the
    /// whole sentence unprintable.
    Sentence, |text| {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if text.is_empty() || text.len() > 300 {
            return None;
        }
        let word = pattern!(r"^[(\x22'\x60*_]*([\p{L}][\p{L}'’\-/+.&]*\d{0,3}|\d{1,4}(\.\d{1,3})*%?|[&+/–—\-])[)\x22'\x60*_.,;:!?]*$");
        // A sentence about a credential may hold it: `the password is blue`. Only what can't be one stays then.
        let about = secret::words_of(&text).iter().any(|word| {
            matches!(word.as_str(), "password" | "passwd" | "passphrase" | "pwd" | "credential" | "credentials" | "login" | "secret" | "token" | "key" | "pass")
        });
        let telling = about && (text.contains([':', '=', '"', '`', '\'']) || pattern!(r"(?i)\b(is|are|was|to|with|of|default|defaults|as|and|use)\b")(&text)
            || text.split(' ').any(|part| part.bytes().any(|b| b.is_ascii_digit())));
        let ok = !telling
            && text
                .split(' ')
                .all(|part| part.len() <= 40 && word(part) && !secret::looks_like_token(part) && !secret::is_likely_password(part));
        ok.then_some(text)
    }
}

impl Sentence {
    /// What is said about a variable or setting. The description of a secret may tell the secret, or last year's: what
    /// could do so is refused.
    pub fn describe(name: &str, raw: Raw<'_>) -> Option<Self> {
        let tells = pattern!(
            r"(?i)\b(is|are|was|were|been|equals|like|old|former|previous|currently|changed|example)\b|[=`\x22']"
        );
        (!secret::is_secret_name(name) || !tells(raw.peek()))
            .then(|| Self::parse(raw))
            .flatten()
    }
}

harmless! {
    /// The value of a setting that is harmless by its shape: a number, a switch, a level, a locale, a local address, a
    /// duration, a path, a list of such. Which names may show a value at all is decided by [`Setting::judge`].
    Setting, |text| {
        let text = text.trim();
        if text.is_empty() || text.len() > 120 || secret::looks_like_token(text) {
            return None;
        }
        setting_shape(text).then(|| text.to_owned())
    }
}

impl Setting {
    /// Judges a value together with the name it belongs to: a secret's value is never shown, whatever its shape. Under a
    /// name that says what it holds (`…_HOST`, `…_BUCKET`, `…_MODULE`), names of several words and addresses without
    /// user, query and random parts are shown too; under any other name they could be a passphrase.
    pub fn judge(name: &str, raw: Raw<'_>) -> Option<Self> {
        if secret::is_secret_name(name) {
            return None;
        }
        Self::parse(raw).or_else(|| {
            let text = raw.peek().trim();
            let words = secret::words_of(name);
            let telling = words.iter().any(|word| secret::words().telling.contains(word));
            let address = words.last().is_some_and(|last| {
                matches!(
                    last.as_str(),
                    "url"
                        | "uri"
                        | "endpoint"
                        | "host"
                        | "origin"
                        | "origins"
                        | "hosts"
                        | "domain"
                        | "domains"
                        | "server"
                )
            });
            let harmless = !text.is_empty()
                && text.len() <= 120
                && !secret::looks_like_token(text)
                && !secret::is_guessable_password(text)
                && !secret::is_likely_password(text)
                && !secret::has_user_info(text)
                && (telling && is_identifier(text)
                    || (telling || address) && text.split(',').all(|part| is_public_address(part.trim())));
            harmless.then(|| Self(crate::shown::Shown::judged(text)))
        })
    }
}

/// A name in any usual notation, of words that have a vowel or a number, or an image's reference.
fn is_identifier(text: &str) -> bool {
    pattern!(r"^[A-Za-z0-9][A-Za-z0-9]{0,30}([_\-./:@][A-Za-z0-9][A-Za-z0-9]{0,30}){0,8}$")(text)
        && text.split([':', '/']).count() <= 5
        // A user and a password look like `name:tag`; software has a number or a path there.
        && (!text.contains(':') || text.contains('/') || text.contains('.') || text.bytes().any(|b| b.is_ascii_digit()))
}

/// A host name of several labels, or an address of one, with a path of plain words.
fn is_public_address(text: &str) -> bool {
    pattern!(
        r"^(https?://|wss?://)?(\*\.|\.)?[a-z0-9]([a-z0-9\-]{0,40})(\.[a-z0-9\-]{1,40}){1,5}(:\d{1,5})?(/[a-z0-9][a-z0-9_\-.]{0,30}){0,6}/?$"
    )(text)
        && !text.contains("webhook")
        && !text.contains("hooks.")
}

fn setting_shape(text: &str) -> bool {
    if is_single_setting(text) || text == "*" || pattern!(r"^@every \d+[smh]$")(text) {
        return true;
    }
    // A short list of such values.
    let inner = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(text);
    let separator = if inner.contains(',') { ',' } else { ' ' };
    let local = |part: &str| part.contains("localhost") || part.contains("127.0.0.1");
    let listed = inner.contains(separator) || inner.len() < text.len();
    listed
        && inner.split(separator).count() <= 12
        && inner.split(separator).all(|part| {
            let part = part.trim().trim_matches(['"', '\'']);
            // Words between blanks may be a passphrase; addresses may not.
            (separator == ',' || local(part) || inner.len() < text.len())
                && (is_single_setting(part) || part == "*")
        })
}

fn is_single_setting(text: &str) -> bool {
    let number = pattern!(r"^[+\-]?\d{1,15}(\.\d{1,6})?%?$");
    let version = pattern!(r"^v?\d{1,4}(\.\d{1,5}){1,3}(-(alpha|beta|rc|dev|preview)[.\d]{0,6})?$");
    let switch = pattern!(
        r"(?i)^(true|false|yes|no|on|off|none|null|nil|y|n|t|f|enabled?|disabled?|auto|always|never|default|strict|lax)$"
    );
    let duration = pattern!(
        r"(?i)^(\d{1,9}(\.\d{1,3})? ?(ns|us|ms|s|sec|secs|seconds?|m|min|mins|minutes?|h|hrs?|hours?|d|days?|w|weeks?|k|kb|ki|kib|mb|mi|mib|gb|gi|gib|tb|tib|g|b|rpm|rps|%)|(\d{1,4}(h|m|s|ms|d)){2,4}|PT?(\d{1,4}[DHMS]){1,4}|\d{1,6}/(s|sec|second|m|min|minute|h|hour|d|day))$"
    );
    let local = pattern!(
        r"^([a-z][a-z0-9+.\-]{0,20}://)?(localhost|127\.0\.0\.1|0\.0\.0\.0|\[?::1?\]?|host\.docker\.internal|\*|\+)(:\d{1,5})?(/[A-Za-z0-9_\-./]{0,60})?$"
    );
    let address = pattern!(r"^(10|127|172|192|169)(\.\d{1,3}){3}(/\d{1,2})?(:\d{1,5})?$");
    let path = pattern!(r"^(\.{0,2}/)[A-Za-z0-9_\-./]{0,100}$");
    let word = pattern!(r"^[A-Za-z][a-z]{1,15}(-?\d{1,2})?$");
    let words = pattern!(r"^[A-Za-z][a-z]{1,15}([_\-.][A-Za-z]?[a-z0-9]{1,15}){1,4}$");
    let upper = pattern!(r"^[A-Z][A-Z]{0,11}(_[A-Z]{1,11}){0,3}\d{0,3}$");
    let locale = pattern!(r"^[a-z]{2}[_\-][A-Z]{2}(\.[A-Za-z0-9\-]{1,10})?$|^C\.UTF-?8$");
    let zone = pattern!(r"^[A-Z][a-z]+/[A-Z][A-Za-z_]+(/[A-Z][A-Za-z_]+)?$|^Etc/(UTC|GMT[+\-]?\d{0,2})$");
    let service = pattern!(
        r"^(https?|tcp|udp|grpc|amqp|redis|nats|kafka|wss?|unix|smtp|mqtt)://[a-z][a-z0-9_\-]{0,40}(:\d{1,5})?(/[a-z0-9_\-.]{0,30}){0,4}/?$"
    );
    let module = pattern!(r"^[a-z_]{2,30}(\.[a-zA-Z_]{1,30}){1,5}(:[a-zA-Z_]{1,30})?$");
    let host_port = pattern!(r"^[a-z][a-z0-9]{1,20}([\-_][a-z0-9]{1,20}){0,4}:\d{2,5}$");
    number(text)
        || version(text)
        || switch(text)
        || duration(text)
        || local(text)
        || address(text)
        || (path(text)
            && text
                .split('/')
                .all(|piece| !secret::looks_like_token(piece) && !secret::is_likely_password(piece)))
        || locale(text)
        || zone(text)
        || (!secret::is_guessable_password(text)
            && (word(text)
                || upper(text)
                || service(text)
                || host_port(text)
                || ((words(text) || module(text)) && is_technical(text))))
}

/// Is one of the words the name of software, of a part of it, or of a region? Several words without one could be a
/// passphrase.
fn is_technical(text: &str) -> bool {
    secret::words_of(text).iter().any(|word| {
        secret::words()
            .technical
            .contains(word.trim_end_matches(|c: char| c.is_ascii_digit()))
    })
}

/// The numbers at the start of a version, for comparisons: `>=18.2 <20` gives `[18, 2]`.
pub fn version_numbers(text: &str) -> Vec<u64> {
    let start = text.find(|c: char| c.is_ascii_digit()).unwrap_or(text.len());
    let mut numbers = Vec::new();
    for part in text.get(start..).unwrap_or_default().split('.') {
        let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
        match digits.parse() {
            Ok(number) => numbers.push(number),
            Err(_) => break,
        }
        if digits.len() < part.len() {
            break;
        }
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ok<T>(parse: fn(Raw<'_>) -> Option<T>, texts: &[&str]) {
        for text in texts {
            assert!(parse(Raw::new(text)).is_some(), "{text} should be harmless");
        }
    }

    fn withheld<T>(parse: fn(Raw<'_>) -> Option<T>, texts: &[&str]) {
        for text in texts {
            assert!(parse(Raw::new(text)).is_none(), "{text} should be withheld");
        }
    }

    #[test]
    fn names() {
        ok(
            EnvName::parse,
            &[
                "PORT",
                "DATABASE_URL",
                "Logging__LogLevel__Default",
                "spring.datasource.url",
            ],
        );
        withheld(EnvName::parse, &["", "A B", "1X", "a=b"]);
        ok(
            Name::parse,
            &["api", "@scope/pkg", "celery-worker", "feature/x", "order.created"],
        );
        withheld(Name::parse, &["a b", "a\nb", "`x`", "x;y", "-rf"]);
        ok(Symbol::parse, &["app.main:app", "src/main.ts", "create_app()"]);
    }

    #[test]
    fn versions() {
        ok(
            Version::parse,
            &[
                "3.12",
                ">=18",
                "^20.1.0",
                ">=18 <23",
                "18-alpine",
                "v1.2.3-rc.1",
                "lts/jod",
                ">=3.10,<4.0",
                "20.x || 22.x",
            ],
        );
        withheld(Version::parse, &["", "hunter2", "$(id)", "1;rm"]);
        assert_eq!(version_numbers(">=18.2 <20"), [18, 2]);
        assert_eq!(version_numbers("3.12-slim"), [3, 12]);
        assert_eq!(version_numbers("lts"), [] as [u64; 0]);
    }

    #[test]
    fn paths_schedules_and_addresses() {
        ok(
            UrlPath::parse,
            &["/", "/health", "/api/v1/items/{id}", "/users/:id"],
        );
        withheld(UrlPath::parse, &["health", "/a b", "/x?token=1"]);
        ok(
            Schedule::parse,
            &[
                "0 3 * * *",
                "@daily",
                "every 30s",
                "24h",
                "timedelta(minutes=5)",
                "30.0",
                "crontab(hour=3, minute=0)",
            ],
        );
        let url = |text| HttpUrl::parse(Raw::new(text)).map(|url| url.to_string());
        assert_eq!(
            url("https://user:pw@host.example/x.git").as_deref(),
            Some("https://host.example/x.git")
        );
        assert_eq!(
            url("git@host.example:a/b.git").as_deref(),
            Some("ssh://host.example/a/b.git")
        );
        assert_eq!(
            url("https://host.example/x?token=1").as_deref(),
            Some("https://host.example/x")
        );
        assert_eq!(url("postgres://host/x"), None);
    }

    #[test]
    fn settings() {
        ok(
            Setting::parse,
            &[
                "8000",
                "true",
                "info",
                "0.0.0.0",
                "http://localhost:3000",
                "30s",
                "/var/data",
                "en_US.UTF-8",
                "postgres",
                "us-east-1",
                "Europe/Berlin",
                "alpha,beta",
                "redis://redis:6379/0",
            ],
        );
        withheld(
            Setting::parse,
            &[
                "postgres://u:p@host/db",
                "hunter2",
                "changethis",
                "password",
                "a b c",
                "Tr0ub4dor&3",
                "sk_live_abcdefghijklmnop",
            ],
        );
        assert!(Setting::judge("API_KEY", Raw::new("true")).is_none());
        assert!(Setting::judge("PORT", Raw::new("8000")).is_some());
    }

    #[test]
    fn sentences() {
        ok(
            Sentence::parse,
            &[
                "A web API for bookings.",
                "Node.js and Postgres back end, version 2",
            ],
        );
        withheld(
            Sentence::parse,
            &["key is sk_live_abcdefghijklmnop", "<b>x</b>", "[x](y)"],
        );
    }
}
