//! The lexical half: words, operators, redirections and heredocs.

use super::{Variable, Word};
use crate::limits;
use crate::parse::{line_number, slice, tail};

/// A token of a script.
pub(super) enum Token {
    /// A word.
    Word(Word),
    /// An operator with its line.
    Operator(Operator, u32),
}

/// An operator.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    And,
    Or,
    Semicolon,
    Newline,
    /// `;;`, `;&`, `;;&`.
    ArmEnd,
    Pipe,
    Background,
    Open,
    Close,
}

/// A read or an assignment, in the order of the text.
pub(super) enum Event {
    Read(Variable),
    Assigned(String, u32),
}

impl Event {
    pub(super) fn line(&self) -> u32 {
        match self {
            Self::Read(variable) => variable.line,
            Self::Assigned(_, line) => *line,
        }
    }
}

/// What a text is made of.
#[derive(Default)]
pub(super) struct Tokens {
    pub(super) tokens: Vec<Token>,
    pub(super) events: Vec<Event>,
}

/// Splits a text.
pub(super) fn tokens(text: &str) -> Tokens {
    let text = crate::parse::without_byte_order_mark(text);
    let mut lexer = Lexer {
        text,
        at: 0,
        line: 1,
        found: Tokens::default(),
        heredocs: Vec::new(),
        position: Position::Start,
    };
    lexer.run();
    lexer.found
}

/// Where a word stands in its command, as far as it decides whether `A=b` assigns.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Position {
    Start,
    /// Behind `export`, `local` and the like.
    Declaration,
    /// Behind `read`: every word is assigned.
    Read,
    /// Behind `for` or `select`: the next word is assigned.
    Loop,
    /// Between `[[` and `]]`, where operators are words.
    Test,
    Argument,
}

struct Heredoc {
    delimiter: String,
    indented: bool,
    literal: bool,
}

struct Lexer<'text> {
    text: &'text str,
    at: usize,
    line: u32,
    found: Tokens,
    heredocs: Vec<Heredoc>,
    position: Position,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        tail(self.text, self.at)
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn advance(&mut self, letter: char) {
        self.at += letter.len_utf8();
        if letter == '\n' {
            self.line += 1;
        }
    }

    /// Moves over a stretch that was looked at as a whole.
    fn skip(&mut self, length: usize) {
        let skipped = slice(self.text, self.at, self.at + length);
        self.line += line_number(skipped.bytes().filter(|byte| *byte == b'\n').count());
        self.at += length;
    }

    fn operator(&mut self, operator: Operator, length: usize) {
        self.found.tokens.push(Token::Operator(operator, self.line));
        self.skip(length);
        self.position = Position::Start;
    }

    fn run(&mut self) {
        while let Some(letter) = self.peek() {
            let rest = self.rest();
            if self.position == Position::Test && !matches!(letter, '\n' | ' ' | '\t' | '\r' | '\\') {
                self.test_word();
                continue;
            }
            match letter {
                '\n' => {
                    self.operator(Operator::Newline, 1);
                    self.heredoc_bodies();
                }
                ' ' | '\t' | '\r' | '\u{c}' | '\u{b}' => self.advance(letter),
                '\\' if rest.starts_with("\\\n") => self.skip(2),
                '\\' if rest.starts_with("\\\r\n") => self.skip(3),
                '#' => {
                    let length = rest.find('\n').unwrap_or(rest.len());
                    self.skip(length);
                }
                '&' if rest.starts_with("&&") => self.operator(Operator::And, 2),
                '&' if rest.starts_with("&>>") => self.redirection(3),
                '&' if rest.starts_with("&>") => self.redirection(2),
                '&' => self.operator(Operator::Background, 1),
                '|' if rest.starts_with("||") => self.operator(Operator::Or, 2),
                '|' if rest.starts_with("|&") => self.operator(Operator::Pipe, 2),
                '|' => self.operator(Operator::Pipe, 1),
                ';' if rest.starts_with(";;&") => self.operator(Operator::ArmEnd, 3),
                ';' if rest.starts_with(";;") || rest.starts_with(";&") => self.operator(Operator::ArmEnd, 2),
                ';' => self.operator(Operator::Semicolon, 1),
                '(' if rest.starts_with("((") && self.position == Position::Start => {
                    // Arithmetic: nothing of it is a command.
                    let length = balanced(rest, '(', ')').unwrap_or(rest.len());
                    self.skip(length);
                    self.position = Position::Argument;
                }
                '(' => self.operator(Operator::Open, 1),
                ')' => self.operator(Operator::Close, 1),
                '<' | '>' if rest.starts_with("<(") || rest.starts_with(">(") => self.word(),
                '<' if rest.starts_with("<<<") => self.redirection(3),
                '<' if rest.starts_with("<<") => self.heredoc(),
                '<' | '>' => {
                    let length = rest
                        .bytes()
                        .take(2)
                        .take_while(|byte| matches!(byte, b'<' | b'>' | b'&' | b'|'))
                        .count();
                    self.redirection(length);
                }
                _ => self.word(),
            }
        }
    }

    /// An operator, a digit before it and the word behind it: none belongs to the command.
    fn redirection(&mut self, length: usize) {
        let adjacent = slice(self.text, 0, self.at).ends_with(|letter: char| letter.is_ascii_digit());
        if let Some(Token::Word(word)) = self.found.tokens.last()
            && adjacent
            && !word.quoted
            && word.text.bytes().all(|byte| byte.is_ascii_digit())
        {
            self.found.tokens.pop();
        }
        self.skip(length);
        self.blanks();
        let ends = self
            .peek()
            .is_none_or(|letter| matches!(letter, '\n' | ';' | '|' | '(' | ')' | '<' | '>'));
        if !ends {
            let target = self.read_word();
            self.reads(&target);
        }
    }

    fn blanks(&mut self) {
        while let Some(letter @ (' ' | '\t')) = self.peek() {
            self.advance(letter);
        }
    }

    fn heredoc(&mut self) {
        self.skip(2);
        let indented = self.rest().starts_with('-');
        if indented {
            self.skip(1);
        }
        self.blanks();
        if self.peek().is_some_and(|letter| letter != '\n') {
            let word = self.read_word();
            self.heredocs.push(Heredoc {
                delimiter: word.text,
                indented,
                literal: word.quoted,
            });
        }
    }

    fn heredoc_bodies(&mut self) {
        for heredoc in std::mem::take(&mut self.heredocs) {
            while self.at < self.text.len() {
                let rest = self.rest();
                let length = rest.find('\n').map_or(rest.len(), |at| at + 1);
                let line = slice(rest, 0, length).trim_end_matches(['\n', '\r']);
                let line = if heredoc.indented {
                    line.trim_start_matches('\t')
                } else {
                    line
                };
                let last = line == heredoc.delimiter;
                if !last && !heredoc.literal {
                    let mut variables = Vec::new();
                    variables_in(line, self.line, 0, &mut variables);
                    self.found.events.extend(variables.into_iter().map(Event::Read));
                }
                self.skip(length);
                if last {
                    break;
                }
            }
        }
    }

    /// Inside of `[[ … ]]`, up to the next blank.
    fn test_word(&mut self) {
        let operator = self
            .rest()
            .bytes()
            .take_while(|byte| matches!(byte, b'&' | b'|' | b'(' | b')' | b'<' | b'>' | b';'))
            .count();
        if operator > 0 {
            let text = slice(self.text, self.at, self.at + operator).to_owned();
            self.found.tokens.push(Token::Word(plain(text, self.line)));
            self.skip(operator);
            return;
        }
        let word = self.read_word();
        self.reads(&word);
        if word.text == "]]" && !word.quoted {
            self.position = Position::Argument;
        }
        self.found.tokens.push(Token::Word(word));
    }

    fn word(&mut self) {
        let before = self.at;
        let word = self.read_word();
        if self.at == before {
            // Nothing that a word may start with; step over it so that the loop ends.
            if let Some(letter) = self.peek() {
                self.advance(letter);
            }
            return;
        }
        self.reads(&word);
        let assigned = match self.position {
            Position::Start | Position::Declaration => assignment(&word),
            Position::Read if !word.text.starts_with('-') => Some(word.text.as_str()),
            Position::Loop => Some(word.text.as_str()),
            _ => None,
        };
        if let Some(name) = assigned {
            self.found
                .events
                .push(Event::Assigned(name.to_owned(), word.line));
        } else if self.position == Position::Declaration && !word.text.starts_with('-') {
            // `local NAME` hides a variable of the environment, `export NAME` hands it on.
            if let Some(Token::Word(builtin)) = self.found.tokens.last()
                && matches!(builtin.text.as_str(), "local" | "declare" | "typeset")
            {
                self.found
                    .events
                    .push(Event::Assigned(word.text.clone(), word.line));
            }
        }
        self.position = match (self.position, word.text.as_str()) {
            (Position::Start, "[[") => Position::Test,
            (Position::Start, "export" | "local" | "declare" | "readonly" | "typeset")
            | (Position::Declaration, _) => Position::Declaration,
            (Position::Start, "read") | (Position::Read, _) => Position::Read,
            (Position::Start, "for" | "select") => Position::Loop,
            (Position::Start, word) if assigned.is_some() || opens_command(word) => Position::Start,
            _ => Position::Argument,
        };
        self.found.tokens.push(Token::Word(word));
    }

    fn reads(&mut self, word: &Word) {
        for variable in &word.variables {
            self.found.events.push(Event::Read(variable.clone()));
            if variable.assigns {
                self.found
                    .events
                    .push(Event::Assigned(variable.name.clone(), variable.line));
            }
        }
    }

    fn read_word(&mut self) -> Word {
        let mut word = plain(String::new(), self.line);
        while let Some(letter) = self.peek() {
            match letter {
                _ if self.ends_word(letter, &word) => break,
                '(' => self.copy_balanced(&mut word, '(', ')'),
                '<' | '>' => {
                    word.substitution = true;
                    word.text.push(letter);
                    self.advance(letter);
                    self.copy_balanced(&mut word, '(', ')');
                }
                '\\' => {
                    self.advance(letter);
                    match self.peek() {
                        Some('\n') => self.advance('\n'),
                        Some('\r') if self.rest().starts_with("\r\n") => self.skip(2),
                        Some(next) => {
                            word.text.push(next);
                            word.quoted = true;
                            self.advance(next);
                        }
                        None => {}
                    }
                }
                '\'' => {
                    word.quoted = true;
                    self.advance(letter);
                    let rest = self.rest();
                    let length = rest.find('\'').unwrap_or(rest.len());
                    word.text.push_str(slice(rest, 0, length));
                    self.skip(length);
                    if self.peek() == Some('\'') {
                        self.advance('\'');
                    }
                }
                '"' => self.double_quoted(&mut word),
                '$' => self.dollar(&mut word, false),
                '`' => self.backquoted(&mut word),
                _ => {
                    word.text.push(letter);
                    self.advance(letter);
                }
            }
        }
        word
    }

    /// Whether a letter outside of quotes ends the word: not the bracket of `list=(…)` nor that of `<(…)`.
    fn ends_word(&self, letter: char, word: &Word) -> bool {
        match letter {
            ' ' | '\t' | '\n' | '\r' | ';' | '|' | '&' | ')' => true,
            '(' => !word.text.ends_with('=') || word.quoted,
            '<' | '>' => self.rest().get(1..2) != Some("(") || !word.text.is_empty(),
            _ => false,
        }
    }

    fn double_quoted(&mut self, word: &mut Word) {
        word.quoted = true;
        self.advance('"');
        while let Some(letter) = self.peek() {
            match letter {
                '"' => {
                    self.advance(letter);
                    return;
                }
                '\\' => {
                    self.advance(letter);
                    match self.peek() {
                        Some('\n') => self.advance('\n'),
                        Some(next @ ('"' | '\\' | '$' | '`')) => {
                            word.text.push(next);
                            self.advance(next);
                        }
                        _ => word.text.push('\\'),
                    }
                }
                '$' => self.dollar(word, true),
                '`' => self.backquoted(word),
                _ => {
                    word.text.push(letter);
                    self.advance(letter);
                }
            }
        }
    }

    fn backquoted(&mut self, word: &mut Word) {
        word.substitution = true;
        let rest = self.rest();
        let end = closing_backquote(rest).unwrap_or(rest.len());
        let text = slice(rest, 0, end).to_owned();
        variables_in(tail(&text, 1), self.line, 1, &mut word.variables);
        word.text.push_str(&text);
        self.skip(end);
    }

    fn copy_balanced(&mut self, word: &mut Word, open: char, close: char) {
        let rest = self.rest();
        let length = balanced(rest, open, close).unwrap_or(rest.len());
        let text = slice(rest, 0, length).to_owned();
        variables_in(&text, self.line, 1, &mut word.variables);
        word.text.push_str(&text);
        self.skip(length);
    }

    fn dollar(&mut self, word: &mut Word, in_quotes: bool) {
        let rest = self.rest();
        if !in_quotes && (rest.starts_with("$'") || rest.starts_with("$\"")) {
            // The quote that follows is read as an ordinary one.
            self.advance('$');
            return;
        }
        if rest.starts_with("$(") {
            word.substitution |= !rest.starts_with("$((");
        }
        let (length, variables) = expansion(rest, self.line, 0);
        word.variables.extend(variables);
        word.text.push_str(slice(self.text, self.at, self.at + length));
        self.skip(length);
    }
}

/// Whether a command may follow directly behind a word.
fn opens_command(word: &str) -> bool {
    matches!(
        word,
        "then" | "do" | "else" | "elif" | "if" | "while" | "until" | "!" | "{" | "time"
    )
}

fn plain(text: String, line: u32) -> Word {
    Word {
        line,
        text,
        quoted: false,
        variables: Vec::new(),
        substitution: false,
    }
}

/// The name of `NAME=value`, `NAME+=value` or `NAME[0]=value`.
pub(super) fn assignment(word: &Word) -> Option<&str> {
    let (before, _) = word.text.split_once('=')?;
    let name = before.strip_suffix('+').unwrap_or(before);
    let name = name.split_once('[').map_or(name, |(name, _)| name);
    is_name(name).then_some(name)
}

/// Whether a text is the name of a variable.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|letter: char| letter.is_ascii_digit())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The start of a text: an expansion whose brace is further away than this is no expansion, and looking for the brace of
/// each of many open ones to the end of the text would take quadratic time.
fn short(text: &str) -> &str {
    let mut end = text.len().min(1024);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    slice(text, 0, end)
}

/// The length up to and with the bracket that closes the first one; quotes and escapes are passed over.
fn balanced(text: &str, open: char, close: char) -> Option<usize> {
    let mut depth = 0_usize;
    let mut quote: Option<char> = None;
    let mut escaped = false;
    for (at, letter) in text.char_indices() {
        if escaped {
            escaped = false;
            continue;
        }
        match quote {
            Some(mark) => {
                if letter == '\\' && mark == '"' {
                    escaped = true;
                } else if letter == mark {
                    quote = None;
                }
            }
            None if letter == '\\' => escaped = true,
            None if matches!(letter, '"' | '\'') => quote = Some(letter),
            None if letter == open => depth += 1,
            None if letter == close => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at + letter.len_utf8());
                }
            }
            None => {}
        }
    }
    None
}

/// The length up to and with the closing backquote of a text that starts with one.
fn closing_backquote(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if letter == '\\' {
            escaped = true;
        } else if letter == '`' {
            return Some(at + 1);
        }
    }
    None
}

/// Collects the variables of a text in which double-quote rules hold (single quotes hide nothing inside of them).
fn variables_in(text: &str, line: u32, nesting: usize, found: &mut Vec<Variable>) {
    if nesting > limits::SHELL_NESTING {
        return;
    }
    let mut line = line;
    let mut at = 0;
    let mut double = false;
    while let Some(letter) = tail(text, at).chars().next() {
        match letter {
            '\\' => at += 1 + tail(text, at + 1).chars().next().map_or(0, char::len_utf8),
            '"' => {
                double = !double;
                at += 1;
            }
            '\'' if !double && nesting > 0 => {
                let rest = tail(text, at + 1);
                at += 1 + rest.find('\'').map_or(rest.len(), |end| end + 1);
            }
            '$' => {
                let (length, variables) = expansion(tail(text, at), line, nesting);
                found.extend(variables);
                line += line_number(
                    slice(text, at, at + length)
                        .bytes()
                        .filter(|byte| *byte == b'\n')
                        .count(),
                );
                at += length;
            }
            _ => {
                line += u32::from(letter == '\n');
                at += letter.len_utf8();
            }
        }
    }
}

/// The length of the expansion at the start of `text` (which starts with `$`) and the variables in it.
fn expansion(text: &str, line: u32, nesting: usize) -> (usize, Vec<Variable>) {
    let rest = tail(text, 1);
    let mut found = Vec::new();
    match rest.chars().next() {
        Some('{') => {
            let Some(length) = balanced(short(rest), '{', '}') else {
                return (1, found);
            };
            let inner = slice(rest, 1, length - 1);
            let (variable, operand) = parameter(inner, line);
            found.extend(variable);
            if let Some(operand) = operand {
                variables_in(operand, line, nesting + 1, &mut found);
            }
            (1 + length, found)
        }
        Some('(') => {
            let length = balanced(rest, '(', ')').unwrap_or(rest.len());
            variables_in(slice(rest, 1, length), line, nesting + 1, &mut found);
            (1 + length, found)
        }
        Some(letter) if letter.is_ascii_alphabetic() || letter == '_' => {
            let length = rest
                .bytes()
                .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
                .count();
            found.push(variable(slice(rest, 0, length), line));
            (1 + length, found)
        }
        Some(letter)
            if letter.is_ascii_digit() || matches!(letter, '@' | '*' | '#' | '?' | '-' | '$' | '!') =>
        {
            found.push(variable(slice(rest, 0, 1), line));
            (2, found)
        }
        _ => (1, found),
    }
}

fn variable(name: &str, line: u32) -> Variable {
    Variable {
        line,
        name: name.to_owned(),
        default: None,
        required: false,
        has_default: false,
        assigns: false,
    }
}

/// What stands between the braces of `${…}`: the variable, and the text in which further ones may be.
fn parameter(inner: &str, line: u32) -> (Option<Variable>, Option<&str>) {
    let body = inner
        .strip_prefix(['#', '!'])
        .filter(|rest| !rest.is_empty())
        .unwrap_or(inner);
    let special = body.starts_with(['@', '*', '#', '?', '-', '$', '!']);
    let length = if special {
        1
    } else {
        body.bytes()
            .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
            .count()
    };
    let name = slice(body, 0, length);
    if name.is_empty() {
        return (None, Some(body));
    }
    let mut found = variable(name, line);
    let rest = tail(body, length);
    let colon = rest.strip_prefix(':').unwrap_or(rest);
    let operand = tail(colon, 1);
    match colon.chars().next() {
        Some('-') => {
            found.default = Some(operand.to_owned());
            found.has_default = true;
        }
        Some('=') => {
            found.default = Some(operand.to_owned());
            found.has_default = true;
            found.assigns = true;
        }
        Some('?') => found.required = true,
        Some('+') => found.has_default = true,
        _ => {}
    }
    (Some(found), (!operand.is_empty()).then_some(operand))
}
