//! Command lines, judged word by word.

use std::fmt;

use crate::raw::Raw;
use crate::secret;
use crate::shown::{REDACTED, Shown};
use crate::visit::Visit;

/// A command as the repository states it. Its shape stays; each word that is not provably harmless becomes
/// `<REDACTED>`: the argument after a secret option, the value of an assignment to a secret name, a URL with user info,
/// a token.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct CommandLine(Shown);

impl CommandLine {
    /// Judges a command. `None` only for an empty one and for one that holds control characters other than white
    /// space.
    pub fn parse(raw: Raw<'_>) -> Option<Self> {
        let text = raw.peek();
        if text.len() > 2_000
            || text
                .chars()
                .any(|c| (c.is_control() && !c.is_whitespace()) || secret::is_invisible(c))
        {
            return None;
        }
        let mut out: Vec<&str> = Vec::new();
        let mut assigned: Vec<String> = Vec::new();
        let mut after_secret_option = false;
        let words: Vec<&str> = text.split_whitespace().filter(|word| *word != "\\").collect();
        if words.is_empty() {
            return None;
        }
        // Two passes keep the borrow simple: first the rewritten assignments, then the words.
        for word in &words {
            if let Some(kept) = assignment_without_value(word) {
                assigned.push(kept);
            }
        }
        let mut rewritten = assigned.iter();
        for word in &words {
            if after_secret_option && !word.starts_with('-') && !word.starts_with('$') {
                out.push(REDACTED);
                after_secret_option = false;
                continue;
            }
            after_secret_option = !word.contains('=') && secret::is_secret_option(word);
            if assignment_without_value(word).is_some() {
                out.push(rewritten.next().map_or(REDACTED, String::as_str));
            } else if harmless_word(word) {
                out.push(word);
            } else {
                out.push(REDACTED);
            }
        }
        Some(Self(Shown::judged(&out.join(" "))))
    }

    /// The judged text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Was something withheld?
    pub fn is_redacted(&self) -> bool {
        self.as_str().contains(REDACTED)
    }

    /// The words, separated by white space.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.as_str().split(' ')
    }
}

/// `NAME=<REDACTED>` for an assignment (or `--option=value`) whose name or value is not harmless.
fn assignment_without_value(word: &str) -> Option<String> {
    let (name, value) = word.split_once('=')?;
    let bare = name.trim_start_matches('-');
    if bare.is_empty()
        || !bare
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '"' | '\''))
    {
        return None;
    }
    let trimmed = value.trim_matches(['"', '\'']);
    let reference = trimmed.starts_with('$') && !trimmed.contains(":-") && !trimmed.contains(":=");
    let secret = secret::is_secret_name(bare) || secret::is_secret_option(name);
    if trimmed.is_empty() || reference || (!secret && harmless_word(value)) {
        return None;
    }
    Some(format!("{name}={REDACTED}"))
}

fn harmless_word(word: &str) -> bool {
    let bare = word.trim_matches(['"', '\'', '`', '(', ')', ';', ',']);
    if secret::has_user_info(bare)
        || bare
            .split(['=', ',', '/', ':', '@'])
            .any(secret::looks_like_token)
    {
        return false;
    }
    // `-psecret` of the MySQL clients, `-u user:password` of curl.
    if let Some(rest) = bare.strip_prefix("-p") {
        if rest.chars().any(|c| c.is_ascii_alphabetic())
            && rest.len() >= 6
            && !rest.chars().all(|c| c.is_ascii_lowercase() || c == '-')
        {
            return false;
        }
    }
    true
}

impl From<CommandLine> for Shown {
    fn from(value: CommandLine) -> Self {
        value.0
    }
}

impl From<&CommandLine> for Shown {
    fn from(value: &CommandLine) -> Self {
        value.0.clone()
    }
}

impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Visit for CommandLine {
    fn visit(&mut self, field: &'static str, f: &mut dyn FnMut(&'static str, &mut Shown)) {
        f(field, &mut self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        CommandLine::parse(Raw::new(text)).expect("not empty").to_string()
    }

    #[test]
    fn ordinary_commands_stay_whole() {
        for text in [
            "uvicorn app.main:app --host 0.0.0.0 --port $PORT",
            "gunicorn -w 4 -k uvicorn.workers.UvicornWorker app.main:app --bind=0.0.0.0:${PORT:-8000}",
            "celery -A app.worker worker --loglevel=info",
            "npx prisma migrate deploy && node dist/main.js",
            "pnpm --filter=@acme/api build",
            "NODE_ENV=production node dist/main",
            "bash -c \"alembic upgrade head\"",
        ] {
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn secrets_are_cut_out() {
        assert_eq!(
            shown("psql postgres://u:hunter22@db/x -c 1"),
            "psql <REDACTED> -c 1"
        );
        assert_eq!(shown("PGPASSWORD=hunter22 psql"), "PGPASSWORD=<REDACTED> psql");
        assert_eq!(
            shown("redis-server --requirepass hunter22"),
            "redis-server --requirepass <REDACTED>"
        );
        assert_eq!(shown("x --password=hunter22 y"), "x --password=<REDACTED> y");
        assert_eq!(shown("mysqldump -pHunter22x db"), "mysqldump <REDACTED> db");
        assert_eq!(
            shown("redis-server --requirepass $REDIS_PASSWORD"),
            "redis-server --requirepass $REDIS_PASSWORD"
        );
    }
}
