//! The grammatical half: commands, branches, loops and functions.

use std::collections::BTreeMap;

use super::token::{self, Operator, Token};
use super::{Arm, Command, Connector, Variable, Word};
use crate::limits;

/// A script.
pub(super) struct Script {
    items: Vec<Item>,
    functions: BTreeMap<String, Vec<Item>>,
    /// First and last line of each function.
    lines: Vec<(u32, u32)>,
}

enum Item {
    Command(Command),
    /// Each branch has a condition; `else` has none.
    If(Vec<(Vec<Item>, Vec<Item>, u32)>),
    Case(Word, Vec<(Vec<String>, Vec<Item>, u32)>),
    Loop(Vec<Item>),
    Group(Vec<Item>),
}

impl Script {
    pub(super) fn new(text: &str) -> Self {
        let mut parser = Parser {
            tokens: token::tokens(text).tokens.into_iter().peekable(),
            functions: BTreeMap::new(),
            lines: Vec::new(),
            depth: 0,
        };
        let mut items = Vec::new();
        loop {
            items.extend(parser.list(&[]));
            // A closing word or bracket that nothing opened: pass over it.
            if parser.tokens.next().is_none() {
                break;
            }
        }
        Self {
            items,
            functions: parser.functions,
            lines: parser.lines,
        }
    }

    pub(super) fn commands(&self) -> Vec<Command> {
        let mut found = Vec::new();
        self.flatten(&self.items, false, &mut Vec::new(), &mut found);
        found
    }

    pub(super) fn function_lines(&self) -> &[(u32, u32)] {
        &self.lines
    }

    pub(super) fn arms(&self) -> Vec<Arm> {
        let mut arms = Vec::new();
        self.find_arms(&self.items, &mut Vec::new(), &mut arms);
        arms
    }

    fn flatten<'script>(
        &'script self,
        items: &'script [Item],
        conditional: bool,
        calls: &mut Vec<&'script str>,
        found: &mut Vec<Command>,
    ) {
        for item in items {
            if found.len() >= limits::SHELL_COMMANDS {
                return;
            }
            match item {
                Item::Command(command) => {
                    let function = command
                        .program()
                        .and_then(|name| self.functions.get_key_value(name));
                    match function {
                        Some((name, body))
                            if calls.len() < limits::SHELL_INLINED && !calls.contains(&name.as_str()) =>
                        {
                            calls.push(name);
                            self.flatten(body, conditional, calls, found);
                            calls.pop();
                        }
                        Some(_) => {}
                        None => {
                            let mut command = command.clone();
                            command.conditional = conditional;
                            found.push(command);
                        }
                    }
                }
                Item::If(branches) => {
                    for (condition, body, _) in branches {
                        self.flatten(condition, conditional, calls, found);
                        self.flatten(body, true, calls, found);
                    }
                }
                Item::Case(_, arms) => {
                    for (_, body, _) in arms {
                        self.flatten(body, true, calls, found);
                    }
                }
                Item::Loop(body) => self.flatten(body, true, calls, found),
                Item::Group(body) => self.flatten(body, conditional, calls, found),
            }
        }
    }

    fn find_arms<'script>(
        &'script self,
        items: &'script [Item],
        calls: &mut Vec<&'script str>,
        arms: &mut Vec<Arm>,
    ) {
        for item in items {
            if arms.len() >= limits::SHELL_COMMANDS {
                return;
            }
            match item {
                Item::Case(subject, branches) => {
                    if subject.variables.is_empty() {
                        continue;
                    }
                    for (patterns, body, line) in branches {
                        arms.push(Arm {
                            line: *line,
                            patterns: patterns.clone(),
                            commands: self.body(body),
                        });
                    }
                }
                Item::If(branches) => self.if_arms(branches, calls, arms),
                Item::Group(body) => self.find_arms(body, calls, arms),
                Item::Command(command) => {
                    let function = command
                        .program()
                        .and_then(|name| self.functions.get_key_value(name));
                    if let Some((name, body)) = function.filter(|(name, _)| {
                        calls.len() < limits::SHELL_INLINED && !calls.contains(&name.as_str())
                    }) {
                        calls.push(name);
                        self.find_arms(body, calls, arms);
                        calls.pop();
                    }
                }
                // A loop over the arguments reads options.
                Item::Loop(_) => {}
            }
        }
    }

    fn if_arms<'script>(
        &'script self,
        branches: &'script [(Vec<Item>, Vec<Item>, u32)],
        calls: &mut Vec<&'script str>,
        arms: &mut Vec<Arm>,
    ) {
        let mut last: Option<Variable> = None;
        for (condition, body, line) in branches {
            let compared = if condition.is_empty() {
                last.clone().map(|subject| (subject, vec!["*".to_owned()]))
            } else {
                comparison(condition)
            };
            if let Some((subject, patterns)) = compared {
                arms.push(Arm {
                    line: *line,
                    patterns,
                    commands: self.body(body),
                });
                last = Some(subject);
            } else {
                last = None;
                self.find_arms(body, calls, arms);
            }
        }
    }

    fn body(&self, items: &[Item]) -> Vec<Command> {
        let mut commands = Vec::new();
        // The branch itself is what the reader asked for; only what is inside of it is conditional.
        self.flatten(items, false, &mut Vec::new(), &mut commands);
        commands
    }
}

/// The subject and the values of `[ "$1" = a ] || [ "$1" = b ]`, where every test is about the same variable.
fn comparison(condition: &[Item]) -> Option<(Variable, Vec<String>)> {
    let mut subject: Option<Variable> = None;
    let mut patterns = Vec::new();
    for item in condition {
        let Item::Command(command) = item else { return None };
        let words = match command.program()? {
            "[" | "[[" | "test" => command.words.get(1..)?,
            _ => return None,
        };
        let joined = command.connector == Connector::Or || std::ptr::eq(item, condition.last()?);
        if !joined {
            return None;
        }
        for test in words
            .split(|word| matches!(word.text.as_str(), "-o" | "||" | "]" | "]]"))
            .filter(|test| !test.is_empty())
        {
            let [left, operator, right] = test else {
                return None;
            };
            let variable = left.variables.first()?;
            if !matches!(operator.text.as_str(), "=" | "==")
                || !right.variables.is_empty()
                || left.substitution
            {
                return None;
            }
            // `[ "$1" = "" ]` asks whether there is an argument at all.
            if right.text.is_empty() {
                return None;
            }
            match &subject {
                Some(before) if before.name != variable.name => return None,
                Some(_) => {}
                None => subject = Some(variable.clone()),
            }
            patterns.push(right.text.clone());
        }
    }
    Some((subject?, patterns))
}

struct Parser<Tokens: Iterator<Item = Token>> {
    tokens: std::iter::Peekable<Tokens>,
    functions: BTreeMap<String, Vec<Item>>,
    lines: Vec<(u32, u32)>,
    depth: usize,
}

impl<Tokens: Iterator<Item = Token>> Parser<Tokens> {
    fn peek_word(&mut self) -> Option<&str> {
        match self.tokens.peek() {
            Some(Token::Word(word)) if !word.quoted => Some(word.text.as_str()),
            _ => None,
        }
    }

    fn peek_operator(&mut self) -> Option<Operator> {
        match self.tokens.peek() {
            Some(Token::Operator(operator, _)) => Some(*operator),
            _ => None,
        }
    }

    fn line(&mut self) -> u32 {
        match self.tokens.peek() {
            Some(Token::Word(word)) => word.line,
            Some(Token::Operator(_, line)) => *line,
            None => 0,
        }
    }

    fn next_is_word(&mut self, text: &str) -> bool {
        let is = self.peek_word() == Some(text);
        if is {
            self.tokens.next();
        }
        is
    }

    fn newlines(&mut self) {
        while matches!(
            self.peek_operator(),
            Some(Operator::Newline | Operator::Semicolon)
        ) {
            self.tokens.next();
        }
    }

    /// Commands up to a closing word, a closing bracket or the end of an arm, none of which is consumed.
    fn list(&mut self, closing: &[&str]) -> Vec<Item> {
        let mut items = Vec::new();
        loop {
            match self.peek_operator() {
                Some(Operator::Close | Operator::ArmEnd) => break,
                Some(Operator::Open) => {
                    self.tokens.next();
                    let body = self.nested(&[]);
                    if self.peek_operator() == Some(Operator::Close) {
                        self.tokens.next();
                    }
                    items.push(Item::Group(body));
                    self.connect(&mut items);
                    continue;
                }
                Some(_) => {
                    self.tokens.next();
                    continue;
                }
                None => {}
            }
            if self.tokens.peek().is_none() {
                break;
            }
            if self.peek_word().is_some_and(|word| closing.contains(&word)) {
                break;
            }
            let before = self.line();
            let item = match self.peek_word() {
                Some("if") => Some(self.conditional(before)),
                Some("case") => self.case(),
                Some("for" | "select") => {
                    self.tokens.next();
                    while self.peek_operator().is_none() && self.tokens.next().is_some() {}
                    Some(self.looped())
                }
                Some("while" | "until") => {
                    self.tokens.next();
                    let mut body = self.nested(&["do"]);
                    if let Item::Loop(rest) = self.looped() {
                        body.extend(rest);
                    }
                    Some(Item::Loop(body))
                }
                Some("{") => {
                    self.tokens.next();
                    let body = self.nested(&["}"]);
                    self.next_is_word("}");
                    Some(Item::Group(body))
                }
                Some("function") => {
                    self.tokens.next();
                    let name = match self.tokens.next() {
                        Some(Token::Word(word)) => word.text,
                        _ => continue,
                    };
                    self.function(name);
                    None
                }
                Some("!" | "time" | "then" | "do" | "else" | "elif" | "fi" | "done" | "esac" | "}") => {
                    self.tokens.next();
                    None
                }
                _ => self.simple(),
            };
            if let Some(item) = item {
                items.push(item);
                self.connect(&mut items);
            }
        }
        items
    }

    fn nested(&mut self, closing: &[&str]) -> Vec<Item> {
        if self.depth >= limits::SHELL_DEPTH {
            // Too deep to follow: what is left is read as one flat list by the callers above.
            return Vec::new();
        }
        self.depth += 1;
        let items = self.list(closing);
        self.depth -= 1;
        items
    }

    fn looped(&mut self) -> Item {
        self.newlines();
        self.next_is_word("do");
        let body = self.nested(&["done"]);
        self.next_is_word("done");
        Item::Loop(body)
    }

    fn conditional(&mut self, line: u32) -> Item {
        self.tokens.next();
        let mut branches = Vec::new();
        let mut line = line;
        loop {
            let condition = self.nested(&["then", "fi"]);
            self.next_is_word("then");
            let body = self.nested(&["elif", "else", "fi"]);
            branches.push((condition, body, line));
            line = self.line();
            if !self.next_is_word("elif") {
                break;
            }
        }
        if self.next_is_word("else") {
            let body = self.nested(&["fi"]);
            branches.push((Vec::new(), body, line));
        }
        self.next_is_word("fi");
        Item::If(branches)
    }

    fn case(&mut self) -> Option<Item> {
        self.tokens.next();
        let Some(Token::Word(subject)) = self.tokens.next() else {
            return None;
        };
        self.newlines();
        if !self.next_is_word("in") {
            return None;
        }
        let mut arms = Vec::new();
        loop {
            self.newlines();
            if self.tokens.peek().is_none() || self.next_is_word("esac") {
                break;
            }
            let line = self.line();
            let mut patterns = Vec::new();
            while let Some(token) = self.tokens.peek() {
                match token {
                    Token::Word(word) => patterns.push(word.text.clone()),
                    Token::Operator(Operator::Open | Operator::Pipe, _) => {}
                    Token::Operator(Operator::Close, _) => break,
                    // Not a pattern list; give up on this statement and go on behind it.
                    Token::Operator(..) => return Some(Item::Case(subject, arms)),
                }
                self.tokens.next();
            }
            self.tokens.next();
            let body = self.nested(&["esac"]);
            arms.push((patterns, body, line));
            if matches!(self.peek_operator(), Some(Operator::ArmEnd | Operator::Close)) {
                self.tokens.next();
            }
        }
        Some(Item::Case(subject, arms))
    }

    fn function(&mut self, name: String) {
        while matches!(
            self.peek_operator(),
            Some(Operator::Open | Operator::Close | Operator::Newline)
        ) {
            self.tokens.next();
        }
        let first = self.line();
        if self.next_is_word("{") {
            let body = self.nested(&["}"]);
            let last = self.line();
            if self.next_is_word("}") {
                self.lines.push((first, last));
            }
            self.functions.insert(name, body);
        }
    }

    /// Words up to an operator.
    fn simple(&mut self) -> Option<Item> {
        let line = self.line();
        let mut words: Vec<Word> = Vec::new();
        while matches!(self.tokens.peek(), Some(Token::Word(_))) {
            if let Some(Token::Word(word)) = self.tokens.next() {
                words.push(word);
            }
        }
        if words.len() == 1 && self.peek_operator() == Some(Operator::Open) {
            let name = words.pop().map(|word| word.text).unwrap_or_default();
            self.function(name);
            return None;
        }
        command(words, line).map(Item::Command)
    }

    /// Notes the operator behind the last item on its last command.
    fn connect(&mut self, items: &mut [Item]) {
        let connector = match self.peek_operator() {
            Some(Operator::And) => Connector::And,
            Some(Operator::Or) => Connector::Or,
            Some(Operator::Pipe) => Connector::Pipe,
            Some(Operator::Background) => Connector::Background,
            _ => return,
        };
        let mut last = items.last_mut();
        while let Some(item) = last {
            match item {
                Item::Command(command) => {
                    command.connector = connector;
                    return;
                }
                Item::Group(body) => last = body.last_mut(),
                _ => return,
            }
        }
    }
}

/// Takes assignments, `exec`, `env` and `export` off the words; nothing is left of `set -e`.
fn command(words: Vec<Word>, line: u32) -> Option<Command> {
    let mut found = Command {
        line,
        assignments: Vec::new(),
        words: Vec::new(),
        connector: Connector::Sequence,
        exec: false,
        exported: false,
        conditional: false,
    };
    let mut words = words.into_iter().peekable();
    let mut behind_env = false;
    while let Some(word) = words.peek() {
        if let Some(name) = token::assignment(word).map(str::to_owned) {
            if let Some(word) = words.next() {
                found.assignments.push((name, value(word)));
            }
            continue;
        }
        match word.text.as_str() {
            "exec" => {
                found.exec = true;
                words.next();
            }
            "env" | "/usr/bin/env" => {
                behind_env = true;
                words.next();
            }
            flag if behind_env && flag.starts_with('-') => {
                let takes_value = matches!(flag, "-u" | "-C");
                words.next();
                if takes_value {
                    words.next();
                }
            }
            "export" | "readonly" | "declare" | "local" | "typeset" => {
                found.exported = word.text == "export";
                words.next();
                for word in words {
                    if let Some(name) = token::assignment(&word).map(str::to_owned) {
                        found.assignments.push((name, value(word)));
                    }
                }
                return (!found.assignments.is_empty()).then_some(found);
            }
            _ => break,
        }
    }
    found.words = words.collect();
    let options_only = found.program() == Some("set")
        && found.words.len() > 1
        && found.arguments().all(|word| {
            (word.starts_with(['-', '+']) && word.len() > 1 && word != "--") || word == "pipefail"
        });
    let empty = found.words.is_empty() && found.assignments.is_empty();
    (!empty && !options_only).then_some(found)
}

/// The value of an assignment, with what was found out about the word.
fn value(mut word: Word) -> Word {
    if let Some((_, value)) = word.text.split_once('=') {
        word.text = value.to_owned();
    }
    word
}
