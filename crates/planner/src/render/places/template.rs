//! A template as a tree: texts, expressions, branches, loops, includes, components.

use std::collections::BTreeMap;

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    Text(String),
    /// An expression and its line.
    Print(String, usize),
    /// One of these is printed: the first whose condition holds.
    Choice(Vec<(String, Vec<Node>)>),
    /// A switch is set.
    Set(String, bool),
    /// Printed any number of times.
    Loop(Vec<Node>),
    Include(String),
    /// A component is printed.
    Call(String),
    /// The loop around it ends.
    Break,
}

/// A file's own nodes, and the components that it defines.
#[derive(Debug, Clone, Default)]
pub(super) struct Template {
    pub(super) nodes: Vec<Node>,
    pub(super) components: BTreeMap<String, Vec<Node>>,
}

enum Token {
    Text(String),
    Print(String, usize),
    Tag(String, usize),
}

/// Cuts a template into tokens; blanks beside a `-` are dropped as Tera drops them.
fn tokens(content: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = content;
    let mut line = 1;
    let mut trim = false;
    loop {
        let open = rest
            .find('{')
            .map(|_| ["{{", "{%", "{#"].iter().filter_map(|mark| rest.find(mark)).min());
        let Some(Some(at)) = open else {
            let text = if trim { rest.trim_start() } else { rest };
            tokens.push(Token::Text(text.to_owned()));
            return Ok(tokens);
        };
        let (before, tail) = rest.split_at(at);
        let (mark, body) = tail.split_at(2);
        let close = match mark {
            "{{" => "}}",
            "{%" => "%}",
            _ => "#}",
        };
        let end = end_of(body, close).ok_or_else(|| format!("line {line}: `{mark}` is not closed"))?;
        let (inner, after) = body.split_at(end);
        let after = after.get(close.len()..).unwrap_or_default();
        let mut text = if trim { before.trim_start() } else { before };
        if inner.starts_with('-') {
            text = text.trim_end();
        }
        if !text.is_empty() {
            tokens.push(Token::Text(text.to_owned()));
        }
        line += before.matches('\n').count();
        let code = inner.trim_matches('-').trim().to_owned();
        trim = inner.ends_with('-');
        let here = line;
        line += inner.matches('\n').count();
        rest = after;
        match mark {
            "{{" => tokens.push(Token::Print(code, here)),
            "{%" if code == "raw" => {
                let (text, after) = after
                    .split_once("{% endraw %}")
                    .ok_or_else(|| format!("line {line}: `raw` is not closed"))?;
                tokens.push(Token::Text(text.to_owned()));
                line += text.matches('\n').count();
                rest = after;
            }
            "{%" => tokens.push(Token::Tag(code, here)),
            _ => {}
        }
    }
}

/// The end of an expression: closing marks inside of its strings don't count.
fn end_of(body: &str, close: &str) -> Option<usize> {
    let mut quoted = false;
    let mut escaped = false;
    for (at, c) in body.char_indices() {
        if close != "#}" && c == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = c == '\\' && !escaped;
        if !quoted && body.get(at..).is_some_and(|rest| rest.starts_with(close)) {
            return Some(at);
        }
    }
    None
}

/// Parses a template.
pub(super) fn parse(content: &str) -> Result<Template, String> {
    let mut template = Template::default();
    let mut tokens = tokens(content)?.into_iter();
    let (nodes, end) = block(&mut tokens, &mut template.components)?;
    if let Some(end) = end {
        return Err(format!("`{end}` closes nothing"));
    }
    template.nodes = nodes;
    Ok(template)
}

/// The nodes up to the tag that ends this block, and that tag.
fn block(
    tokens: &mut std::vec::IntoIter<Token>,
    components: &mut BTreeMap<String, Vec<Node>>,
) -> Result<(Vec<Node>, Option<String>), String> {
    let mut nodes = Vec::new();
    while let Some(token) = tokens.next() {
        match token {
            Token::Text(text) => nodes.push(Node::Text(text)),
            Token::Print(code, line) => nodes.push(match code.strip_prefix('<') {
                Some(call) => Node::Call(call.split([' ', '/']).next().unwrap_or_default().to_owned()),
                None => Node::Print(code, line),
            }),
            Token::Tag(code, line) => match code.split([' ', '(']).next().unwrap_or_default() {
                "if" => {
                    let mut branches = Vec::new();
                    let mut condition = code.trim_start_matches("if ").to_owned();
                    loop {
                        let (branch, end) = block(tokens, components)?;
                        branches.push((std::mem::take(&mut condition), branch));
                        let end = end.unwrap_or_default();
                        match end.split(' ').next() {
                            Some("elif") => condition = end.trim_start_matches("elif ").to_owned(),
                            Some("else") => {}
                            Some("endif") => break,
                            _ => return Err(format!("line {line}: `if` is not closed")),
                        }
                    }
                    branches.push((String::new(), Vec::new()));
                    nodes.push(Node::Choice(branches));
                }
                "for" => {
                    let (body, end) = block(tokens, components)?;
                    match end.as_deref() {
                        Some("endfor") => nodes.push(Node::Loop(body)),
                        Some("else") => {
                            let (none, end) = block(tokens, components)?;
                            if end.as_deref() != Some("endfor") {
                                return Err(format!("line {line}: `for` is not closed"));
                            }
                            nodes.push(Node::Choice(vec![
                                ("?".to_owned(), vec![Node::Loop(body)]),
                                (String::new(), none),
                            ]));
                        }
                        _ => return Err(format!("line {line}: `for` is not closed")),
                    }
                }
                "component" => {
                    let (body, end) = block(tokens, components)?;
                    let name = code
                        .trim_start_matches("component ")
                        .split('(')
                        .next()
                        .unwrap_or_default()
                        .trim()
                        .to_owned();
                    if end.is_none_or(|end| !end.starts_with("endcomponent")) {
                        return Err(format!("line {line}: `component` is not closed"));
                    }
                    components.insert(name, body);
                }
                "include" => nodes.push(Node::Include(
                    code.trim_start_matches("include")
                        .trim()
                        .trim_matches('"')
                        .to_owned(),
                )),
                "break" => nodes.push(Node::Break),
                "set" | "set_global" if code.contains('=') => {
                    let (name, value) = code.split_once('=').unwrap_or_default();
                    let name = name.split_whitespace().last().unwrap_or_default().to_owned();
                    match value.trim() {
                        "true" => nodes.push(Node::Set(name, true)),
                        "false" => nodes.push(Node::Set(name, false)),
                        _ => {}
                    }
                }
                "elif" | "else" | "endif" | "endfor" | "endcomponent" => return Ok((nodes, Some(code))),
                other => return Err(format!("line {line}: `{other}` is not known here")),
            },
        }
    }
    Ok((nodes, None))
}

/// The filters of an expression, in their order. `None` for what is more than a value and its filters.
pub(super) fn filters(expression: &str) -> Vec<String> {
    let (mut depth, mut quoted, mut escaped) = (0_i32, false, false);
    let mut parts = vec![String::new()];
    for c in expression.chars() {
        match c {
            '"' if !escaped => quoted = !quoted,
            '(' | '[' if !quoted => depth += 1,
            ')' | ']' if !quoted => depth -= 1,
            '|' if !quoted && depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        escaped = c == '\\' && !escaped;
        if let Some(part) = parts.last_mut() {
            part.push(c);
        }
    }
    parts.iter().skip(1).map(|part| part.trim().to_owned()).collect()
}

/// A filter's name without its arguments.
pub(super) fn name_of(filter: &str) -> &str {
    filter.split('(').next().unwrap_or(filter).trim()
}
