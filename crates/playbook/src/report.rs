//! The one place that prints: data on standard output, everything else on standard error.
//!
//! A message that goes to standard error is made of our own words and of values that were judged; it is escaped for
//! the terminal and for CI log commands, and it passes the same search for withheld values as the plan does.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use anstream::AutoStream;
use playbook_core::secret::{self, Search, Withheld};
use playbook_core::shown::REDACTED;
use playbook_planner::gate::gate;

/// How much is said on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verbosity {
    /// Errors only.
    Quiet,
    /// Errors and notices.
    Normal,
    /// Also what was not read, and why.
    Verbose,
}

/// Standard output did not take the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WriteError {
    /// The reader went away, which is its right: `playbook analyze . | head`.
    Closed,
    /// The disk is full, or the like.
    Failed,
}

/// Writes to both streams.
pub(crate) struct Report {
    verbosity: Verbosity,
    withheld: Withheld,
    search: Search,
    /// Is a progress line on the screen, to be cleared before anything else is written?
    progress: AtomicBool,
}

const RED: &str = "\x1b[1;31m";
const CYAN: &str = "\x1b[1;36m";
const BOLD: &str = "\x1b[1m";
const PLAIN: &str = "\x1b[0m";
const CLEAR_LINE: &str = "\r\x1b[2K";

impl Report {
    /// A report that knows no withheld value yet.
    pub(crate) fn new(verbosity: Verbosity) -> Self {
        Self {
            verbosity,
            withheld: Withheld::new(),
            search: Search::new(&Withheld::new()),
            progress: AtomicBool::new(false),
        }
    }

    /// From now on nothing that holds one of these values is said.
    pub(crate) fn withhold(&mut self, withheld: Withheld) {
        self.withheld.extend(withheld);
        self.search = Search::new(&self.withheld);
    }

    /// The values that are searched for.
    pub(crate) fn withheld(&self) -> &Withheld {
        &self.withheld
    }

    /// Are details wanted?
    pub(crate) fn is_verbose(&self) -> bool {
        self.verbosity == Verbosity::Verbose
    }

    /// Prints data. Nothing of it is printed when it can't be printed whole, as far as that is ours to decide.
    pub(crate) fn data(&self, text: &str) -> Result<(), WriteError> {
        self.clear_progress();
        let mut out = AutoStream::auto(io::stdout()).lock();
        out.write_all(text.as_bytes())
            .and_then(|()| out.flush())
            .map_err(|error| match error.kind() {
                io::ErrorKind::BrokenPipe => WriteError::Closed,
                _ => WriteError::Failed,
            })
    }

    /// Says what went wrong and what to do about it.
    pub(crate) fn error(&self, message: &str, hint: &str) {
        self.line(RED, "error", message);
        if !hint.is_empty() {
            self.hint(hint);
        }
    }

    /// Says what to do about the message before.
    pub(crate) fn hint(&self, hint: &str) {
        self.line(CYAN, "hint", hint);
    }

    /// Says something that is good to know.
    pub(crate) fn notice(&self, message: &str) {
        if self.verbosity >= Verbosity::Normal {
            self.line(BOLD, "note", message);
        }
    }

    /// Says a detail.
    pub(crate) fn detail(&self, message: &str) {
        if self.is_verbose() {
            self.line(BOLD, "note", message);
        }
    }

    /// Shows that work goes on. Only on a terminal; the next line that is written clears it.
    pub(crate) fn progress(&self, message: &str) {
        if self.verbosity >= Verbosity::Normal && can_show_progress() {
            self.progress.store(true, Ordering::SeqCst);
            let mut err = io::stderr().lock();
            // A screen that can't be written to needs no progress.
            let _ = write!(err, "{CLEAR_LINE}{}", self.judged(message)).and_then(|()| err.flush());
        }
    }

    /// Takes the progress line off the screen.
    pub(crate) fn clear_progress(&self) {
        if self.progress.swap(false, Ordering::SeqCst) {
            let mut err = io::stderr().lock();
            let _ = err.write_all(CLEAR_LINE.as_bytes()).and_then(|()| err.flush());
        }
    }

    /// Prints the argument parser's own words: help and version as data, a complaint as an error. The complaint
    /// repeats arguments, so it is escaped like any other message.
    pub(crate) fn arguments(&self, error: &clap::Error) -> Result<(), WriteError> {
        let styled = error.render();
        if !error.use_stderr() {
            return self.data(&styled.ansi().to_string());
        }
        let text: Vec<String> = styled.to_string().lines().map(|line| self.judged(line)).collect();
        let mut err = io::stderr().lock();
        let _ = writeln!(err, "{}", text.join("\n").trim_end());
        Ok(())
    }

    fn line(&self, colour: &str, label: &str, message: &str) {
        self.clear_progress();
        let mut err = AutoStream::auto(io::stderr()).lock();
        // There is nowhere left to say that standard error is closed.
        let _ = writeln!(err, "{colour}{label}:{PLAIN} {}", self.judged(message));
    }

    fn judged(&self, message: &str) -> String {
        let text = escape(message);
        let is_known = self.search.find(&text).next().is_some();
        // The search is done; what is left of the gate looks for the shape of credentials and for log commands.
        if is_known || gate(&text, &Withheld::new(), &|_| false).is_err() {
            return "a message is withheld, because it would show a value that may be a secret".to_owned();
        }
        text
    }
}

/// Can this process show progress at all?
pub(crate) fn can_show_progress() -> bool {
    io::stderr().is_terminal() && AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never
}

/// Makes a message harmless to a terminal and to the log commands of CI systems: no control or invisible character
/// but as its code, no `::command::` at the start, no `##[command]`.
pub(crate) fn escape(message: &str) -> String {
    let mut out = String::with_capacity(message.len());
    for c in message.chars() {
        if c.is_control() || secret::is_invisible(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    if out.trim_start().starts_with("::") {
        out.insert(0, '\\');
    }
    out.replace("##[", "##\\[")
}

/// A path that the user named, as it may be printed: a component in the shape of a token is withheld.
pub(crate) fn path(path: &Path) -> String {
    let text = path.to_string_lossy();
    let parts: Vec<&str> = text
        .split('/')
        .map(|part| {
            if secret::looks_like_token(part) || secret::has_user_info(part) {
                REDACTED
            } else {
                part
            }
        })
        .collect();
    escape(&parts.join("/"))
}

#[cfg(test)]
mod tests {
    use playbook_core::raw::Raw;

    use super::*;

    #[test]
    fn messages_carry_no_control_characters_and_no_log_commands() {
        assert_eq!(
            escape("a\u{1b}[31mb\u{202e}c\r\n"),
            "a\\u{1b}[31mb\\u{202e}c\\u{d}\\u{a}"
        );
        assert_eq!(escape("::set-output name=x::y"), "\\::set-output name=x::y");
        assert_eq!(escape("x ##[group]y"), "x ##\\[group]y");
        assert_eq!(escape("plain: 1 < 2"), "plain: 1 < 2");
    }

    #[test]
    fn a_path_shows_no_token() {
        let token = ["gh", "p_abcdefghijklmnop1234"].concat();
        let folder = format!("/srv/{token}/app");
        assert_eq!(path(Path::new(&folder)), "/srv/<REDACTED>/app");
        assert_eq!(path(Path::new("../app")), "../app");
    }

    #[test]
    fn a_message_with_a_withheld_value_is_withheld() {
        let mut report = Report::new(Verbosity::Normal);
        let mut withheld = Withheld::new();
        withheld.add(Raw::new("Tr0ub4dor-3"));
        report.withhold(withheld);
        assert!(!report.judged("found Tr0ub4dor-3").contains("Tr0ub4dor"));
        assert_eq!(report.judged("found nothing"), "found nothing");
    }
}
