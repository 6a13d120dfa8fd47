//! The judge of a command's words, after the rules of a shell as far as they matter for credentials.

use crate::harmless::Setting;
use crate::raw::Raw;
use crate::secret::{self, words};
use crate::shown::REDACTED;

/// Commands inside quotes inside commands: deeper ones are withheld.
const DEEPEST: usize = 4;

/// What the next word is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Ordinary,
    Secret,
    Header,
    /// The file that a redirection names.
    File,
}

/// Walks over the words of one command line.
pub(super) struct Judge {
    out: Vec<String>,
    next: Next,
    /// The plain words of the present simple command, lower case, without options.
    simple: Vec<String>,
    /// Are the words of this command data for another one?
    feeds: bool,
}

impl Judge {
    /// The judged text, empty when there is none.
    pub(super) fn judge(text: &str, depth: usize) -> String {
        let mut judge = Self {
            out: Vec::new(),
            next: Next::Ordinary,
            simple: Vec::new(),
            feeds: false,
        };
        let words = split(text);
        for (at, word) in words.iter().enumerate() {
            let behind = words.get(at + 1..).unwrap_or_default();
            let judged = judge.word(word, behind, depth);
            judge.out.push(judged);
        }
        judge.out.join(" ")
    }

    fn word(&mut self, word: &str, behind: &[&str], depth: usize) -> String {
        if word == REDACTED {
            return word.to_owned();
        }
        if is_operator(word) {
            self.operator(word);
            return word.to_owned();
        }
        match std::mem::replace(&mut self.next, Next::Ordinary) {
            Next::Secret if word.starts_with('-') && word.len() <= 24 && is_option(word) => {}
            Next::Secret => return keep_if(is_plain_reference(word), word),
            Next::Header => return keep_if(is_harmless_header(word), word),
            Next::File => return self.judge_word(word, depth),
            Next::Ordinary => {}
        }
        if self.is_positional_secret(word) {
            return keep_if(is_plain_reference(word) || is_path(word), word);
        }
        if self.feeds && !word.starts_with('-') {
            let is_empty = matches!(word, "''" | "\"\"");
            return keep_if(is_empty || is_plain_reference(word), word);
        }
        let judged = self.judge_word(word, depth);
        self.remember(word, behind);
        judged
    }

    fn operator(&mut self, word: &str) {
        if word == "<<<" {
            self.next = Next::Secret;
        } else if is_redirection(word) {
            if self.feeds && word.ends_with('>') {
                self.next = Next::File;
            }
        } else {
            self.simple.clear();
            self.feeds = false;
            self.next = Next::Ordinary;
        }
    }

    fn judge_word(&self, word: &str, depth: usize) -> String {
        if let Some((quote, inner)) = quoted(word).filter(|(_, inner)| inner.contains(char::is_whitespace)) {
            let data = inner.trim_start().starts_with(['{', '[']) && inner.contains(['"', ':']);
            if depth >= DEEPEST || data {
                return REDACTED.to_owned();
            }
            // `echo "password blue horse"` says what comes next, however many words that are.
            if self.runs_any(&["echo", "printf"])
                && let Some(judged) = told(inner)
            {
                return format!("{quote}{judged}{quote}");
            }
            return format!("{quote}{}{quote}", Self::judge(inner, depth + 1));
        }
        if let Some(judged) = judge_assignment(word, depth) {
            return judged;
        }
        // `-psecret` of the database clients, `-uuser:password` of curl.
        if let Some(rest) = word.strip_prefix("-p").filter(|rest| !rest.is_empty()) {
            let client = self.runs_any(&[
                "mysql",
                "mysqldump",
                "mysqladmin",
                "mariadb",
                "mariadb-dump",
                "sshpass",
                "7z",
                "mongosh",
                "mongo",
            ]);
            let mixed = rest.len() >= 6
                && rest.bytes().any(|b| b.is_ascii_alphabetic())
                && !rest.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
            if (client || mixed || secret::is_likely_password(rest)) && !is_plain_reference(rest) {
                return REDACTED.to_owned();
            }
        }
        if word.starts_with("-u") && word.contains(':') && self.runs_any(&["curl", "wget"]) {
            return REDACTED.to_owned();
        }
        let is_revision = word.len() == 40 && secret::is_known_hash(word) && self.runs_any(&["git"]);
        keep_if(is_revision || is_free_word(word), word)
    }

    /// Notes what the word says about the next one.
    fn remember(&mut self, word: &str, behind: &[&str]) {
        let bare = word.trim_matches(QUOTES);
        let lower = bare.to_ascii_lowercase();
        if bare.starts_with('-') {
            if matches!(bare, "-H" | "--header") {
                self.next = Next::Header;
            } else if !bare.contains('=')
                && (secret::is_secret_option(bare) || self.is_program_secret(bare, behind))
            {
                self.next = Next::Secret;
            }
            return;
        }
        let authorises = matches!(
            lower.as_str(),
            "bearer" | "basic" | "passwd" | "passphrase" | "password" | "authorization:" | "cookie:"
        ) || lower.strip_suffix(':').is_some_and(secret::is_secret_name)
            || (lower == "by" && self.simple.iter().any(|word| word == "identified"))
            || (self.simple.iter().any(|w| {
                matches!(
                    w.as_str(),
                    "set" | "config" | "setenv" | "env" | "configure" | "config:set"
                )
            }) && secret::is_secret_name(bare)
                && !bare.contains('=')
                && !matches!(lower.as_str(), "secrets" | "secret" | "token" | "tokens"));
        // In `npm run reset password` nothing follows that is not a word of the command.
        if authorises {
            self.next = Next::Secret;
        }
        if matches!(lower.as_str(), "echo" | "printf") && self.simple.is_empty() {
            let end = behind.iter().position(|w| is_operator(w) && !w.starts_with("2>"));
            self.feeds = end
                .and_then(|end| behind.get(end))
                .is_some_and(|operator| matches!(*operator, "|" | ">" | ">>" | "|&"));
        }
        let transparent = self.simple.is_empty()
            && (matches!(
                lower.as_str(),
                "sudo" | "exec" | "env" | "time" | "nohup" | "command"
            ) || bare.contains('='));
        if !transparent {
            self.simple
                .push(lower.rsplit('/').next().unwrap_or_default().to_owned());
        }
    }

    fn runs_any(&self, programs: &[&str]) -> bool {
        self.simple.iter().any(|word| programs.contains(&word.as_str()))
    }

    /// An option that means a credential for this program only. A port or a path behind it is none.
    fn is_program_secret(&self, option: &str, behind: &[&str]) -> bool {
        let is_port = |text: &str| text.len() <= 11 && text.bytes().all(|b| b.is_ascii_digit() || b == b':');
        let harmless = behind.first().is_some_and(|next| {
            is_port(next) && next.split(':').all(|part| part.len() <= 5) || is_path(next)
        });
        // `-fsSu`: of letters put together, the last takes the next word.
        let last = option
            .strip_prefix('-')
            .filter(|letters| letters.len() > 1 && letters.bytes().all(|b| b.is_ascii_alphabetic()))
            .and_then(|letters| letters.chars().last())
            .map(|letter| format!("-{letter}"));
        !harmless
            && words().option.iter().any(|rule| {
                (rule.options.contains(option) || last.as_ref().is_some_and(|last| rule.options.contains(last)))
                    && self.simple.iter().any(|word| rule.programs.contains(word))
            })
            // `docker login -u me -p x`: the user's name is none, the password is.
            && !(option == "-u" && self.runs_any(&["login"]))
    }

    fn is_positional_secret(&self, word: &str) -> bool {
        !word.starts_with('-')
            && words().positional.iter().any(|rule| {
                self.simple
                    .windows(rule.after.len())
                    .position(|window| window == rule.after)
                    .is_some_and(|at| self.simple.len() >= at + rule.after.len() + rule.keep)
            })
    }
}

/// Text that names a credential: what stands behind the name is withheld to its end. `None` for text that names none.
fn told(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let at = words.iter().position(|word| {
        !word.contains('=') && secret::is_secret_name(word.trim_matches(['-', ':', '.', ',']))
    })?;
    let kept: Vec<&str> = words.iter().take(at + 1).copied().collect();
    let behind = words.get(at + 1..).unwrap_or_default();
    let judged = Judge::judge(&kept.join(" "), DEEPEST);
    Some(if behind.iter().all(|word| is_plain_reference(word)) {
        std::iter::once(judged.as_str())
            .chain(behind.iter().copied())
            .collect::<Vec<_>>()
            .join(" ")
    } else {
        format!("{judged} {REDACTED}")
    })
}

const QUOTES: [char; 3] = ['"', '\'', '`'];

fn keep_if(harmless: bool, word: &str) -> String {
    if harmless {
        word.to_owned()
    } else {
        REDACTED.to_owned()
    }
}

/// Words at white space outside quotes; at any white space where the quotes do not close.
fn split(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = None;
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if escaped {
            escaped = false;
        } else if c == '\\' && quote != Some('\'') {
            escaped = true;
            start.get_or_insert(at);
        } else if let Some(open) = quote {
            if c == open {
                quote = None;
            }
        } else if matches!(c, '"' | '\'') {
            quote = Some(c);
            start.get_or_insert(at);
        } else if c.is_whitespace() {
            if let Some(from) = start.take() {
                words.extend(text.get(from..at));
            }
        } else {
            start.get_or_insert(at);
        }
    }
    words.extend(start.and_then(|from| text.get(from..)));
    if quote.is_some() {
        words = text.split_whitespace().collect();
    }
    words.retain(|word| *word != "\\" && !word.trim().is_empty() && *word != "\\\n");
    words
}

/// Leaves the lines of here-documents out.
pub(super) fn without_here_documents(text: &str) -> String {
    if !text.contains("<<") || !text.contains('\n') {
        return text.to_owned();
    }
    let mut out: Vec<&str> = Vec::new();
    let mut until: Option<&str> = None;
    for line in text.lines() {
        if let Some(end) = until {
            if line.trim() == end {
                out.push(REDACTED);
                out.push(line);
                until = None;
            }
            continue;
        }
        out.push(line);
        until = line
            .split_once("<<")
            .filter(|(_, rest)| !rest.starts_with('<'))
            .map(|(_, rest)| rest.trim_start_matches('-').trim_start())
            .and_then(|rest| rest.split(char::is_whitespace).next())
            .map(|word| word.trim_matches(QUOTES))
            .filter(|word| !word.is_empty());
    }
    if until.is_some() {
        out.push(REDACTED);
    }
    out.join("\n")
}

fn is_operator(word: &str) -> bool {
    matches!(
        word,
        "&&" | "||" | "|" | ";" | "&" | "|&" | ";;" | "(" | ")" | "{" | "}" | "!" | "[" | "]" | "[[" | "]]"
    ) || is_redirection(word)
}

fn is_redirection(word: &str) -> bool {
    matches!(
        word,
        ">" | ">>" | "<" | "<<<" | "<<" | "&>" | "2>" | "2>>" | "2>&1" | ">&2" | "1>&2" | "&>>"
    )
}

fn quoted(word: &str) -> Option<(char, &str)> {
    ['"', '\''].into_iter().find_map(|quote| {
        let inner = word.strip_prefix(quote)?.strip_suffix(quote)?;
        Some((quote, inner))
    })
}

fn is_option(word: &str) -> bool {
    let name = word.trim_start_matches('-');
    word.starts_with('-')
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b == b'-' || b == b'=')
}

fn is_path(word: &str) -> bool {
    word.starts_with(['/', '.']) || word == "-"
}

/// `$NAME`, `${NAME}`, `$1`, `$(command`, `<placeholder>`: no value of its own.
fn is_plain_reference(word: &str) -> bool {
    let bare = word.trim_matches(QUOTES);
    let Some(rest) = bare
        .strip_prefix('$')
        .filter(|name| !secret::looks_like_token(name))
    else {
        return false;
    };
    match rest.strip_prefix('{') {
        Some(inner) => inner.strip_suffix('}').is_some_and(|name| {
            name.split([':', '?']).next().is_some_and(is_name)
                && !name.contains(":-")
                && !name.contains(":=")
                && !name.contains('-')
        }),
        None if rest.starts_with('(') => is_free_word(rest),
        None => is_name(rest),
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 80
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'@' | b'*' | b'#'))
}

fn is_harmless_header(word: &str) -> bool {
    let bare = word.trim_matches(QUOTES);
    bare.split_once(':').is_some_and(|(name, value)| {
        words()
            .harmless_headers
            .contains(&name.trim().to_ascii_lowercase())
            && value
                .split_whitespace()
                .all(|part| is_free_word(part) && !secret::is_guessable_password(part))
    }) || is_plain_reference(word)
}

/// `NAME=value`, `--option=value`, `-Dname=value`, `--set a.b=c`: the name stays, the value when it is harmless. `None`
/// for a word that is no assignment.
fn judge_assignment(word: &str, depth: usize) -> Option<String> {
    let (open, whole) = quoted(word).map_or(("", word), |(quote, inner)| {
        (if quote == '"' { "\"" } else { "'" }, inner)
    });
    let (name, value) = whole.split_once('=')?;
    let bare = name.trim_start_matches('-');
    let is_setting = !bare.is_empty()
        && bare
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'[' | b']'))
        && !bare.starts_with(|c: char| c.is_ascii_digit());
    // `key=` may be the end of a token in Base64.
    if !is_setting || value.starts_with('=') || secret::looks_like_token(bare) {
        return None;
    }
    let secret = secret::is_secret_name(bare) || secret::is_secret_option(name);
    let judged = if value.is_empty() || is_plain_reference(value) {
        value.to_owned()
    } else if secret {
        REDACTED.to_owned()
    } else if let Some((quote, inner)) =
        quoted(value).filter(|(_, inner)| inner.contains(char::is_whitespace))
    {
        if depth >= DEEPEST {
            REDACTED.to_owned()
        } else {
            format!("{quote}{}{quote}", Judge::judge(inner, depth + 1))
        }
    } else if value.contains([';', ',', '&']) && value.split([';', ',', '&']).any(is_secret_pair)
        || is_secret_pair(whole)
    {
        return Some(REDACTED.to_owned());
    } else if !value.contains(['"', '\'']) && value.contains('=') && depth < DEEPEST {
        judge_assignment(value, depth + 1).unwrap_or_else(|| keep_if(is_free_word(value), value))
    } else {
        let harmless = Setting::judge(bare, Raw::new(value)).is_some()
            || (is_free_word(value) && !secret::is_guessable_password(value));
        keep_if(harmless, value)
    };
    Some(format!("{open}{name}={judged}{open}"))
}

/// A part `name=value` of a list whose name is secret. The first part of the list has lost its name to the option.
fn is_secret_pair(part: &str) -> bool {
    part.split_once('=').is_some_and(|(name, value)| {
        !value.is_empty()
            && part.contains(';') != part.contains(name)
            && secret::is_secret_name(name)
            && !is_plain_reference(value)
    })
}

/// Is a word on its own harmless? An allow-list of characters, and no credential by its shape.
fn is_free_word(word: &str) -> bool {
    let bare = word.trim_matches(['"', '\'', '`', '(', ')', ';', ',']);
    if bare.is_empty() {
        return true;
    }
    let Some(rest) = without_references(bare) else {
        return false;
    };
    let rest = rest.as_str();
    !secret::has_user_info(bare)
        && (!bare.contains('$') || secret::token_kind(bare).is_none())
        && !has_percent_escape(rest)
        && has_ordinary_signs(rest)
        && !is_header_pair(rest)
        && !is_made_up(rest)
}

fn is_made_up(word: &str) -> bool {
    secret::is_likely_password(word)
        || word
            .split(['=', ',', '/', ':', '@'])
            .chain([word])
            .any(secret::looks_like_token)
            && !is_digest(word)
            && !is_pinned(word)
}

/// `owner/name@revision`, `https://host/name.git#revision`: a commit behind a name.
fn is_pinned(word: &str) -> bool {
    word.rsplit_once(['@', '#']).is_some_and(|(before, hash)| {
        hash.len() == 40
            && secret::is_known_hash(hash)
            && before.contains('/')
            && !secret::looks_like_token(before)
            && !secret::is_likely_password(before)
    })
}

/// `image@sha256:…`, a digest.
fn is_digest(word: &str) -> bool {
    word.rsplit_once("sha256:").is_some_and(|(before, hash)| {
        hash.len() == 64
            && secret::is_known_hash(hash)
            && !secret::looks_like_token(before.trim_end_matches('@'))
    })
}

/// The word without `$NAME` and `${NAME…}`; `None` when a reference to a secret carries a value to fall back on.
fn without_references(word: &str) -> Option<String> {
    if word.contains('$') && secret::looks_like_token(word) {
        return None;
    }
    let mut out = String::with_capacity(word.len());
    let mut rest = word;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        rest = if let Some(inner) = after.strip_prefix('{') {
            let (inner, behind) = inner.split_once('}')?;
            let end = inner
                .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                .unwrap_or(inner.len());
            let (name, fallback) = inner.split_at_checked(end)?;
            let value = fallback.trim_start_matches([':', '-', '=', '+', '?', '#', '%']);
            if !value.is_empty() && !fallback.starts_with('?') && !fallback.starts_with(":?") {
                if secret::is_secret_name(name) && !value.starts_with('$') {
                    return None;
                }
                out.push_str(value);
            }
            behind
        } else {
            let end = after
                .find(|c: char| {
                    !(c.is_ascii_alphanumeric() || matches!(c, '_' | '@' | '#' | '?' | '*' | '(' | '$'))
                })
                .unwrap_or(after.len());
            after.get(end..)?
        };
    }
    out.push_str(rest);
    Some(out)
}

fn has_percent_escape(word: &str) -> bool {
    word.as_bytes()
        .windows(3)
        .any(|three| matches!(three, [b'%', a, b] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit()))
}

/// Signs that stand in words of commands, where they stand in them.
fn has_ordinary_signs(word: &str) -> bool {
    let inner = word
        .strip_prefix('!')
        .or_else(|| word.strip_prefix('#'))
        .unwrap_or(word);
    let inner = inner.strip_suffix(['&', '\\']).unwrap_or(inner);
    let redirects =
        inner.contains(">&") || inner.contains("&>") || inner.contains("&&") || inner.contains("||");
    let version = inner.contains("@^") || inner.contains("@~") || inner.starts_with(['^', '~']);
    let url = inner.contains("://");
    let format = inner.starts_with('%') || inner.starts_with("+%") || inner.contains("%(");
    let glob = inner.contains(['/', '.']) || inner.starts_with('*') || inner.ends_with('*');
    inner.chars().all(|c| match c {
        '&' | '|' => redirects || url || c == '|',
        '^' => version,
        '#' => url || inner.starts_with("refs/") || inner.contains('/'),
        '%' => format,
        '*' => glob,
        '!' => false,
        '\\' => inner.contains("\\n") || inner.contains("\\."),
        _ => {
            c.is_alphanumeric()
                || matches!(
                    c,
                    '_' | '-'
                        | '.'
                        | '/'
                        | ':'
                        | '@'
                        | ','
                        | '+'
                        | '='
                        | '~'
                        | '?'
                        | '{'
                        | '}'
                        | '('
                        | ')'
                        | '['
                        | ']'
                        | '<'
                        | '>'
                        | ';'
                        | '"'
                        | '\''
                        | '`'
                )
        }
    })
}

/// `X-Api-Key:value`, `Authorization:…`, `password:value`.
fn is_header_pair(word: &str) -> bool {
    word.split_once(':').is_some_and(|(name, value)| {
        let lower = name.to_ascii_lowercase();
        let credential =
            matches!(
                lower.as_str(),
                "authorization" | "cookie" | "password" | "passwd" | "pwd" | "apikey" | "bearer" | "token"
            ) || (name.contains(['-', '_']) && !name.starts_with('-') && secret::is_secret_name(name));
        credential && !value.is_empty() && !value.starts_with(['/', '$'])
    })
}
