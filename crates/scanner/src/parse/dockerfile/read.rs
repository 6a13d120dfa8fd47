//! From text to stages.

use std::collections::BTreeMap;

use super::{Dockerfile, Heredoc, Instruction, Stage, Variable};
use crate::limits;
use crate::parse::{
    ParseProblem, ParseProblemKind, json, line_number, shell, slice, tail, without_byte_order_mark,
};

pub(super) fn dockerfile(text: &str) -> Dockerfile {
    let mut reader = Reader::new(text);
    let mut file = Dockerfile::default();
    reader.directives(&mut file);
    let mut instructions = 0;
    while let Some(instruction) = reader.instruction(&mut file.problem) {
        instructions += 1;
        let stages = file.stages.len() + usize::from(instruction.keyword == "FROM");
        if instructions > limits::DOCKERFILE_INSTRUCTIONS || stages > limits::DOCKERFILE_STAGES {
            file.problem = Some(ParseProblem::new(ParseProblemKind::TooLarge, instruction.line));
            break;
        }
        match (instruction.keyword.as_str(), file.stages.last_mut()) {
            ("FROM", _) => {
                let stage = stage(&instruction, &file);
                file.stages.push(stage);
            }
            ("ARG", None) => file.global_args.extend(instruction.variables()),
            (_, Some(stage)) => stage.instructions.push(instruction),
            // Anything else before the first stage is an error of the file.
            (_, None) => {
                file.problem
                    .get_or_insert(ParseProblem::new(ParseProblemKind::Syntax, instruction.line));
            }
        }
    }
    file
}

fn stage(instruction: &Instruction, file: &Dockerfile) -> Stage {
    let mut words = instruction.arguments.split_whitespace();
    let base_written = words.next().unwrap_or("").trim_matches(['"', '\'']);
    let named = words.next().is_some_and(|word| word.eq_ignore_ascii_case("as"));
    let mut values = BTreeMap::new();
    for variable in &file.global_args {
        if let Some(value) = &variable.value {
            let value = substitute(value, &values);
            values.insert(variable.name.clone(), value);
        }
    }
    let base = substitute(base_written, &values);
    let base_stage = file
        .stages
        .iter()
        .rposition(|stage| stage.name.as_deref() == Some(base.to_ascii_lowercase().as_str()));
    Stage {
        line: instruction.line,
        index: file.stages.len(),
        name: words.next().filter(|_| named).map(str::to_ascii_lowercase),
        base,
        base_stage,
        instructions: Vec::new(),
    }
}

struct Reader<'text> {
    lines: Vec<&'text str>,
    next: usize,
    escape: char,
}

impl<'text> Reader<'text> {
    fn new(text: &'text str) -> Self {
        Self {
            lines: without_byte_order_mark(text).lines().collect(),
            next: 0,
            escape: '\\',
        }
    }

    /// Directives stand before everything else.
    fn directives(&mut self, file: &mut Dockerfile) {
        for line in &self.lines {
            let Some((name, value)) = line
                .trim()
                .strip_prefix('#')
                .and_then(|comment| comment.split_once('='))
            else {
                return;
            };
            match name.trim().to_ascii_lowercase().as_str() {
                "escape" => self.escape = if value.trim() == "`" { '`' } else { '\\' },
                "syntax" => file.syntax = Some(value.trim().to_owned()),
                "check" => {}
                _ => return,
            }
        }
    }

    fn instruction(&mut self, problem: &mut Option<ParseProblem>) -> Option<Instruction> {
        let first = loop {
            let line = self.lines.get(self.next)?;
            self.next += 1;
            let content = line.trim();
            if !content.is_empty() && !content.starts_with('#') {
                break content;
            }
        };
        let line = line_number(self.next);
        // The line of each part of the logical line, by its offset in it.
        let mut parts = vec![(0, line)];
        let (mut logical, mut open) = self.continued(first);
        while open {
            let Some(next) = self.lines.get(self.next) else {
                break;
            };
            self.next += 1;
            let content = next.trim();
            // Comments and empty lines between continued lines do not end the instruction.
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            let (part, more) = self.continued(content);
            if !logical.is_empty() {
                logical.push(' ');
            }
            parts.push((logical.len(), line_number(self.next)));
            logical.push_str(&part);
            open = more;
        }
        let (keyword, rest) = logical.split_once(char::is_whitespace).unwrap_or((&logical, ""));
        let keyword = keyword.to_ascii_uppercase();
        let (flags, rest) = flags(rest);
        let mut instruction = Instruction {
            line,
            end_line: line,
            exec: None,
            heredocs: Vec::new(),
            arguments: rest.to_owned(),
            flags,
            keyword,
            parts,
        };
        if instruction.keyword == "HEALTHCHECK"
            && let Some(command) = strip_keyword(&instruction.arguments, "CMD")
        {
            instruction.arguments = command.to_owned();
        }
        let start = logical.len().saturating_sub(instruction.arguments.len());
        for (offset, _) in &mut instruction.parts {
            *offset = offset.saturating_sub(start);
        }
        if matches!(
            instruction.keyword.as_str(),
            "CMD" | "ENTRYPOINT" | "RUN" | "SHELL" | "COPY" | "ADD" | "VOLUME" | "HEALTHCHECK"
        ) {
            instruction.exec = json_words(&instruction.arguments);
        }
        if matches!(instruction.keyword.as_str(), "RUN" | "COPY" | "ADD") && instruction.exec.is_none() {
            self.heredocs(&mut instruction, problem);
        }
        instruction.end_line = line_number(self.next);
        Some(instruction)
    }

    fn continued(&self, line: &str) -> (String, bool) {
        match line.trim_end().strip_suffix(self.escape) {
            Some(part) => (part.trim_end().to_owned(), true),
            None => (line.trim_end().to_owned(), false),
        }
    }

    fn heredocs(&mut self, instruction: &mut Instruction, problem: &mut Option<ParseProblem>) {
        for (delimiter, indented) in delimiters(&instruction.arguments) {
            let mut heredoc = Heredoc {
                line: line_number(self.next + 1),
                text: String::new(),
            };
            let mut closed = false;
            while let Some(line) = self.lines.get(self.next) {
                self.next += 1;
                let line = if indented {
                    line.trim_start_matches('\t')
                } else {
                    line
                };
                if line == delimiter {
                    closed = true;
                    break;
                }
                heredoc.text.push_str(line);
                heredoc.text.push('\n');
            }
            if !closed {
                problem.get_or_insert(ParseProblem::new(ParseProblemKind::Unclosed, instruction.line));
            }
            instruction.heredocs.push(heredoc);
        }
    }
}

/// What follows a word at the start of a text.
fn strip_keyword<'text>(text: &'text str, keyword: &str) -> Option<&'text str> {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    word.eq_ignore_ascii_case(keyword).then(|| rest.trim_start())
}

/// The flags at the start of the arguments, and the rest.
fn flags(text: &str) -> (Vec<(String, String)>, &str) {
    let mut found = Vec::new();
    let mut rest = text.trim();
    while let Some(flag) = rest.strip_prefix("--") {
        let length = flag.find(char::is_whitespace).unwrap_or(flag.len());
        let (name, value) = slice(flag, 0, length)
            .split_once('=')
            .unwrap_or((slice(flag, 0, length), ""));
        found.push((
            name.to_ascii_lowercase(),
            value.trim_matches(['"', '\'']).to_owned(),
        ));
        rest = tail(flag, length).trim_start();
    }
    (found, rest)
}

/// The words of a JSON list of strings.
fn json_words(text: &str) -> Option<Vec<String>> {
    let text = text.trim();
    if !text.starts_with('[') || !text.ends_with(']') {
        return None;
    }
    let (list, _) = json::document(text);
    let list = list.filter(|list| list.is_seq())?;
    // Docker takes single quotes for the shell form, whatever they look like.
    if text.contains('\'') && !text.contains('"') {
        return None;
    }
    list.items()
        .map(|item| item.text().filter(|_| item.quoted()).map(str::to_owned))
        .collect()
}

/// The delimiters of the heredocs that a command opens: `<<EOF`, `<<-"EOF"`.
fn delimiters(text: &str) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("<<") {
        rest = tail(rest, at + 2);
        if let Some(after) = rest.strip_prefix('<') {
            rest = after;
            continue;
        }
        let indented = rest.starts_with('-');
        let name = rest.strip_prefix('-').unwrap_or(rest);
        let quote = name.chars().next().filter(|letter| matches!(letter, '"' | '\''));
        let name = name.trim_start_matches(['"', '\'']);
        let length = name
            .find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'))
            .unwrap_or(name.len());
        let delimiter = slice(name, 0, length);
        // `1<<2` and `$(( a << b ))` open nothing.
        let plausible = delimiter.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_');
        let closed = quote.is_none_or(|quote| tail(name, length).starts_with(quote));
        if plausible && closed {
            found.push((delimiter.to_owned(), indented));
        }
    }
    found
}

/// `NAME=value …`, `NAME value` (the old form of `ENV`), `NAME` (of `ARG`).
pub(super) fn variables(instruction: &Instruction) -> Vec<Variable> {
    let words = shell::words(&instruction.arguments);
    let old = instruction.keyword != "ARG" && words.first().is_some_and(|word| !word.text.contains('='));
    if old {
        let (name, value) = instruction
            .arguments
            .split_once(char::is_whitespace)
            .unwrap_or((&instruction.arguments, ""));
        let value = value.trim().trim_matches('"').to_owned();
        return vec![Variable {
            line: instruction.line,
            name: name.to_owned(),
            value: Some(value),
        }];
    }
    // Words come in order, so each is looked for behind the one before.
    let mut from = 0;
    let mut found = Vec::new();
    for word in words {
        let (name, value) = match word.text.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (word.text, None),
        };
        if name.is_empty() {
            continue;
        }
        if let Some(at) = tail(&instruction.arguments, from).find(&name) {
            from += at;
        }
        found.push(Variable {
            line: instruction.line_of(from),
            name,
            value,
        });
    }
    found
}

/// Puts values in place of `$NAME`, `${NAME}`, `${NAME:-x}` and `${NAME:+x}`. What has no value stays as written.
pub(super) fn substitute(text: &str, values: &BTreeMap<String, String>) -> String {
    substitute_within(text, values, 0)
}

fn substitute_within(text: &str, values: &BTreeMap<String, String>, depth: usize) -> String {
    let mut found = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        if found.len() > limits::DOCKERFILE_VALUE_BYTES {
            return found;
        }
        found.push_str(slice(rest, 0, at));
        rest = tail(rest, at);
        let after = tail(rest, 1);
        let braces = after.strip_prefix('{').map(|inner| (inner, closing_brace(inner)));
        let (length, value) = match braces {
            Some((inner, Some(end))) => (end + 3, braced(slice(inner, 0, end), values, depth)),
            Some((_, None)) => (1, None),
            None => {
                let length = after
                    .bytes()
                    .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
                    .count();
                (length + 1, values.get(slice(after, 0, length)).cloned())
            }
        };
        let value = value.filter(|value| value.len() <= limits::DOCKERFILE_VALUE_BYTES);
        found.push_str(value.as_deref().unwrap_or(slice(rest, 0, length)));
        rest = tail(rest, length);
    }
    found.push_str(rest);
    found
}

/// The closing brace of a text behind `${`. A reference is short; a brace further away than this belongs to something else.
fn closing_brace(text: &str) -> Option<usize> {
    let mut depth = 1_usize;
    for (at, byte) in text.bytes().enumerate().take(1024) {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

fn braced(inner: &str, values: &BTreeMap<String, String>, depth: usize) -> Option<String> {
    let length = inner
        .bytes()
        .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        .count();
    let value = values.get(slice(inner, 0, length));
    let operator = tail(inner, length);
    let operator = operator.strip_prefix(':').unwrap_or(operator);
    let operand = || (depth < 10).then(|| substitute_within(tail(operator, 1), values, depth + 1));
    match operator.chars().next() {
        None => value.cloned(),
        Some('-') => value.filter(|value| !value.is_empty()).cloned().or_else(operand),
        Some('+') => match value {
            Some(_) => operand(),
            None => Some(String::new()),
        },
        _ => None,
    }
}
