//! Names, versions, paths, schedules and settings.

use super::harmless;
use crate::raw::Raw;
use crate::secret;

/// A constant pattern; a wrong one is found by the tests, which use each of them.
macro_rules! pattern {
    ($text:literal) => {{
        static PATTERN: std::sync::LazyLock<Option<regex::Regex>> =
            std::sync::LazyLock::new(|| regex::Regex::new($text).ok());
        |text: &str| PATTERN.as_ref().is_some_and(|pattern| pattern.is_match(text))
    }};
}
pub(super) use pattern;

fn plain(text: &str, longest: usize) -> Option<&str> {
    let text = text.trim();
    (!text.is_empty() && text.len() <= longest && !secret::looks_like_token(text)).then_some(text)
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
        pattern!(r"^[\p{L}\p{N}_@.*][\p{L}\p{N}_@./:+*#~\-\[\]]*$")(text).then(|| text.to_owned())
    }
}

harmless! {
    /// A version or a range of versions: `3.12`, `>=18 <23`, `^20.1.0`, `v1.2.3-rc.1`, `18-alpine`, `lts/jod`.
    Version, |text| {
        let text = plain(text, 60)?;
        let ok = pattern!(r"^[\^~><=!vV ]*\d{1,8}[A-Za-z0-9.\-+*_]*([ ,|]+[\^~><=!|vV ]*[\dxX*][A-Za-z0-9.\-+*_]*)*$")(text)
            || pattern!(r"^(lts(/[a-z*]+)?|stable|latest|nightly|current|node|edge|main|mainline|alpine|slim)$")(text);
        ok.then(|| text.to_owned())
    }
}

harmless! {
    /// The path of an HTTP route, with its parameters: `/api/v1/items/{id}`, `/users/:id`.
    UrlPath, |text| {
        let text = plain(text, 200)?;
        let ok = pattern!(r"^/[A-Za-z0-9_\-./:{}<>*~@()|+$%,=]*$")(text)
            && text.split('/').all(|part| !secret::looks_like_token(part));
        ok.then(|| text.to_owned())
    }
}

harmless! {
    /// A cron expression (five or six fields or `@daily`) or an interval (`every 30s`, `24h`, `timedelta(minutes=5)`).
    Schedule, |text| {
        let text = plain(text, 120)?;
        let cron = pattern!(r"^(@(yearly|annually|monthly|weekly|daily|midnight|hourly|reboot|every \w+)|([\d*/,\-?LW#A-Za-z]+ +){4,6}[\d*/,\-?LW#A-Za-z]+)$");
        let interval = pattern!(r"^(every[ _])?\d+(\.\d+)? ?(ms|s|sec|secs|seconds?|m|min|mins|minutes?|h|hours?|d|days?|w|weeks?)$");
        let words = pattern!(r"^[A-Za-z_.]+(\([A-Za-z0-9_=., *+/'\x22:\-]*\))?(\.[A-Za-z_]+(\([A-Za-z0-9_=., *+/'\x22:\-]*\))?)*$");
        let ok = cron(text) || interval(text) || pattern!(r"^\d+(\.\d+)?$")(text) || words(text)
            || pattern!(r"^every [a-z0-9 :]+$")(text) || pattern!(r"^[a-z]+( [a-z0-9:]+){0,6}$")(text);
        ok.then(|| text.to_owned())
    }
}

harmless! {
    /// A name in code: `app.main:app`, `crate::server::run`, `AppModule`.
    Symbol, |text| {
        let text = plain(text, 160)?;
        pattern!(r"^[A-Za-z_@][A-Za-z0-9_.:\-/$@]*(\(\))?$")(text).then(|| text.to_owned())
    }
}

harmless! {
    /// A host name, with or without port.
    Host, |text| {
        let text = plain(text, 120)?;
        pattern!(r"^[A-Za-z0-9]([A-Za-z0-9\-]*[A-Za-z0-9])?(\.[A-Za-z0-9\-]+)*(:\d{1,5})?$")(text).then(|| text.to_owned())
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
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let host = Host::parse(Raw::new(host))?;
        let path_ok = pattern!(r"^[A-Za-z0-9_\-./~+@]*$")(path)
            && path.split('/').all(|part| !secret::looks_like_token(part)) && path.len() <= 200;
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
        text.split(' ').all(|part| part.len() <= 40 && word(part) && !secret::looks_like_token(part)).then_some(text)
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
    /// Judges a value together with the name it belongs to: a secret's value is never shown, whatever its shape.
    pub fn judge(name: &str, raw: Raw<'_>) -> Option<Self> {
        if secret::is_secret_name(name) {
            None
        } else {
            Self::parse(raw)
        }
    }
}

fn setting_shape(text: &str) -> bool {
    let number = pattern!(r"^[+\-]?\d{1,15}(\.\d{1,6})?%?$");
    let switch =
        pattern!(r"(?i)^(true|false|yes|no|on|off|none|null|nil|y|n|enabled?|disabled?|auto|always|never)$");
    let level = pattern!(
        r"(?i)^(trace|debug|info|information|notice|warn|warning|error|critical|fatal|silent|verbose)$"
    );
    let mode = pattern!(
        r"(?i)^(development|develop|dev|local|localhost|test|testing|staging|stage|production|prod|release|preview|ci)$"
    );
    let duration = pattern!(
        r"^\d{1,9} ?(ns|us|ms|s|sec|seconds?|m|min|minutes?|h|hours?|d|days?|w|weeks?|k|kb|kib|mb|mib|gb|gib|g|b)$"
    );
    let local = pattern!(
        r"^([a-z][a-z0-9+.\-]{0,20}://)?(localhost|127\.0\.0\.1|0\.0\.0\.0|\[?::1?\]?|host\.docker\.internal)(:\d{1,5})?(/[A-Za-z0-9_\-./]{0,60})?$"
    );
    let path = pattern!(r"^(\.{0,2}/)[A-Za-z0-9_\-./]{0,100}$");
    // One ordinary word, such as the name of a driver, a region, a queue or a service.
    let word = pattern!(r"^[A-Za-z][a-z]{1,15}([_\-.][a-z]{1,15}){0,4}(-?\d{1,2})?$");
    let upper = pattern!(r"^[A-Z][A-Z]{0,11}(_[A-Z]{1,11}){0,3}\d{0,3}$");
    let locale = pattern!(r"^[a-z]{2}[_\-][A-Z]{2}(\.[A-Za-z0-9\-]{1,10})?$");
    let zone = pattern!(r"^[A-Z][a-z]+/[A-Z][A-Za-z_]+$");
    let service = pattern!(
        r"^(https?|tcp|grpc|amqp|redis|nats|kafka|ws)://[a-z][a-z0-9\-]{0,30}(:\d{1,5})?(/[a-z0-9_\-]{0,30}){0,3}/?$"
    );
    let one = |part: &str| {
        number(part)
            || switch(part)
            || level(part)
            || mode(part)
            || duration(part)
            || local(part)
            || (path(part) && part.split('/').all(|piece| !secret::looks_like_token(piece)))
            || ((word(part) || upper(part)) && !secret::is_guessable_password(part))
            || locale(part)
            || zone(part)
            || service(part)
            || pattern!(r"^[A-Za-z][a-z]{1,15}:\d{1,5}$")(part)
    };
    if one(text) || text == "*" || pattern!(r"^@every \d+[smh]$")(text) {
        return true;
    }
    // A short list of such values.
    let inner = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(text);
    inner.contains(',')
        && inner.split(',').count() <= 12
        && inner
            .split(',')
            .all(|part| one(part.trim().trim_matches(['"', '\''])))
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
