//! Configuration that is made of directives: a line of words, and in some notations a block of further directives.

use super::{numbered_lines, without_byte_order_mark};
use crate::limits;

/// A directive with its words and what stands between its braces.
#[derive(Default)]
pub(crate) struct Directive {
    /// The line of its first word.
    pub(crate) line: u32,
    /// Its words; quotes are taken off. A block without words before it has none.
    pub(crate) words: Vec<String>,
    /// Its block.
    pub(crate) children: Vec<Directive>,
    /// Has it a block, if only an empty one?
    pub(crate) block: bool,
}

opaque_debug!(Directive);

impl Directive {
    /// Its name.
    pub(crate) fn name(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    /// The word at a place behind the name, from zero.
    pub(crate) fn argument(&self, at: usize) -> Option<&str> {
        self.words.get(at.checked_add(1)?).map(String::as_str)
    }

    /// What stands behind the name.
    pub(crate) fn arguments(&self) -> &[String] {
        self.words.get(1..).unwrap_or_default()
    }
}

/// What a reader has open: directives that wait for their closing brace.
struct Open {
    stack: Vec<Directive>,
    left: usize,
    /// Blocks that were opened beyond the depth that is kept.
    skipped: usize,
}

impl Open {
    fn new() -> Self {
        Self {
            stack: vec![Directive::default()],
            left: limits::DIRECTIVES,
            skipped: 0,
        }
    }

    fn add(&mut self, line: u32, words: Vec<String>) {
        if self.skipped == 0
            && self.left > 0
            && let Some(parent) = self.stack.last_mut()
        {
            self.left -= 1;
            parent.children.push(Directive {
                line,
                words,
                ..Directive::default()
            });
        }
    }

    fn open(&mut self, line: u32, words: Vec<String>) {
        if self.skipped > 0 || self.stack.len() > limits::DIRECTIVES_DEPTH {
            self.skipped = self.skipped.saturating_add(1);
            return;
        }
        self.stack.push(Directive {
            line,
            words,
            children: Vec::new(),
            block: true,
        });
    }

    fn close(&mut self) {
        if let Some(left) = self.skipped.checked_sub(1) {
            self.skipped = left;
            return;
        }
        if self.stack.len() > 1
            && let Some(done) = self.stack.pop()
            && let Some(parent) = self.stack.last_mut()
            && self.left > 0
        {
            self.left -= 1;
            parent.children.push(done);
        }
    }

    fn finish(mut self) -> Vec<Directive> {
        while self.stack.len() > 1 {
            self.skipped = 0;
            self.close();
        }
        self.stack.pop().map(|root| root.children).unwrap_or_default()
    }
}

/// nginx: a directive ends with `;` or has a block in braces. Variables in braces and actions of templates are parts of
/// words.
pub(crate) fn nginx(text: &str) -> Vec<Directive> {
    let text = without_byte_order_mark(text);
    let mut open = Open::new();
    let mut words: Vec<String> = Vec::new();
    let mut word: Option<String> = None;
    let (mut line, mut start) = (1u32, 1u32);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\n' | ' ' | '\t' | '\r' => {
                words.extend(word.take());
                if letter == '\n' {
                    line = line.saturating_add(1);
                }
            }
            '#' if word.is_none() => while letters.next_if(|next| *next != '\n').is_some() {},
            '"' | '\'' if word.is_none() => {
                if words.is_empty() {
                    start = line;
                }
                let mut quoted = String::new();
                while let Some(next) = letters.next() {
                    if next == letter {
                        break;
                    }
                    if next == '\n' {
                        line = line.saturating_add(1);
                    }
                    match next {
                        '\\' => quoted.extend(letters.next()),
                        _ => quoted.push(next),
                    }
                }
                words.push(quoted);
            }
            ';' => {
                words.extend(word.take());
                if !words.is_empty() {
                    open.add(start, std::mem::take(&mut words));
                }
            }
            '{' if word.as_ref().is_some_and(|word| word.ends_with('$'))
                || letters.peek() == Some(&'{')
                || word.as_ref().is_some_and(|word| word.ends_with('{')) =>
            {
                // `${NAME}`, `{{ action }}`: up to its end it is one word.
                let template = letter == '{' && letters.peek() == Some(&'{');
                if word.is_none() && words.is_empty() {
                    start = line;
                }
                let part = word.get_or_insert_with(String::new);
                part.push('{');
                let mut before = ' ';
                for next in letters.by_ref() {
                    if next == '\n' {
                        line = line.saturating_add(1);
                    }
                    part.push(next);
                    if next == '}' && (!template || before == '}') {
                        break;
                    }
                    before = next;
                }
            }
            '{' => {
                words.extend(word.take());
                open.open(start, std::mem::take(&mut words));
            }
            '}' => {
                words.extend(word.take());
                if !words.is_empty() {
                    open.add(start, std::mem::take(&mut words));
                }
                open.close();
            }
            '\\' => {
                let part = word.get_or_insert_with(String::new);
                part.push(letter);
                part.extend(letters.next_if(|next| *next != '\n'));
            }
            _ => {
                if word.is_none() && words.is_empty() {
                    start = line;
                }
                word.get_or_insert_with(String::new).push(letter);
            }
        }
    }
    open.finish()
}

/// Caddy: a directive is a line; `{` at its end opens a block, `}` on a line of its own closes it.
pub(crate) fn caddy(text: &str) -> Vec<Directive> {
    let mut open = Open::new();
    let mut continued: Option<(u32, Vec<String>)> = None;
    for (line, content) in numbered_lines(text) {
        let (start, mut words) = continued.take().unwrap_or((line, Vec::new()));
        words.extend(line_words(content, '#'));
        if words.last().is_some_and(|last| last == "\\") {
            words.pop();
            continued = Some((start, words));
            continue;
        }
        match words.last().map(String::as_str) {
            None => {}
            Some("{") => {
                words.pop();
                open.open(start, words);
            }
            Some("}") if words.len() == 1 => open.close(),
            Some(_) => open.add(start, words),
        }
    }
    open.finish()
}

/// HAProxy: a line that is not indented, or that begins with the name of a section, opens one; the lines below belong to
/// it. `sections` are those names.
pub(crate) fn sections(text: &str, sections: &[&str]) -> Vec<Directive> {
    let mut found: Vec<Directive> = Vec::new();
    for (line, content) in numbered_lines(text).take(limits::DIRECTIVES) {
        let words = line_words(content, '#');
        let Some(first) = words.first() else { continue };
        let directive = Directive {
            line,
            block: sections.contains(&first.as_str()),
            words,
            children: Vec::new(),
        };
        match found.last_mut() {
            Some(section) if !directive.block => section.children.push(directive),
            _ if directive.block => found.push(directive),
            _ => {}
        }
    }
    found
}

/// The words of a line, without quotes and without a comment.
fn line_words(content: &str, comment: char) -> Vec<String> {
    let mut words = Vec::new();
    let mut letters = content.chars().peekable();
    while let Some(letter) = letters.peek().copied() {
        if letter.is_whitespace() {
            letters.next();
        } else if letter == comment {
            break;
        } else {
            let mut word = String::new();
            let quote = matches!(letter, '"' | '\'' | '`').then_some(letter);
            if quote.is_some() {
                letters.next();
            }
            while let Some(next) = letters.peek().copied() {
                if quote == Some(next) {
                    letters.next();
                    break;
                }
                if quote.is_none() && next.is_whitespace() {
                    break;
                }
                letters.next();
                if next == '\\' && letters.peek().is_some_and(|next| *next == ' ') {
                    word.extend(letters.next());
                } else {
                    word.push(next);
                }
            }
            words.push(word);
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(list: &[Directive]) -> String {
        list.iter()
            .map(|directive| {
                let words = directive.words.join(" ");
                if directive.block {
                    format!("{}:{words}{{{}}}", directive.line, shown(&directive.children))
                } else {
                    format!("{}:{words};", directive.line)
                }
            })
            .collect()
    }

    #[test]
    fn blocks_of_nginx() {
        let text = "# head {\nupstream api {\n  server \"api:8000\";\n}\nserver\n{\n  listen ${PORT} ssl; # x;\n  location ~ \\.php$ { fastcgi_pass php:9000; }\n  if ($a = \"b;{\") { return 301 https://$host; }\n}\n";
        assert_eq!(
            shown(&nginx(text)),
            "2:upstream api{3:server api:8000;}5:server{7:listen ${PORT} ssl;8:location ~ \\.php${8:fastcgi_pass php:9000;}9:if ($a = b;{ ){9:return 301 https://$host;}}"
        );
    }

    #[test]
    fn actions_of_templates_are_words() {
        assert_eq!(
            shown(&nginx(
                "server { server_name {{ domain }}; proxy_pass http://{{ app }}:{{ port }}; }"
            )),
            "1:server{1:server_name {{ domain }};1:proxy_pass http://{{ app }}:{{ port }};}"
        );
    }

    #[test]
    fn blocks_of_caddy() {
        let text = "{\n\temail a@b\n}\napi.example.com, {$DOMAIN} {\n\treverse_proxy /api/* api:8000 {\n\t\theader_up Host {host}\n\t}\n\t# x {\n\trespond \"a b\"\n}\n";
        assert_eq!(
            shown(&caddy(text)),
            "1:{2:email a@b;}4:api.example.com, {$DOMAIN}{5:reverse_proxy /api/* api:8000{6:header_up Host {host};}9:respond a b;}"
        );
    }

    #[test]
    fn sections_of_lines() {
        let text = "global\n  maxconn 10\nfrontend web\n  bind *:80 # x\n  acl a path_beg '/a b'\nbackend api\n  server s1 api:80\n";
        assert_eq!(
            shown(&sections(text, &["global", "frontend", "backend"])),
            "1:global{2:maxconn 10;}3:frontend web{4:bind *:80;5:acl a path_beg /a b;}6:backend api{7:server s1 api:80;}"
        );
    }
}
