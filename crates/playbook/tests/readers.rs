//! Readers of what a plan consists of, as the programs that get it read it: Markdown, a shell, YAML. They are written for
//! tests of hostile text and know nothing of the planner's own escaping.

use std::collections::BTreeSet;

use granit_parser::{Event as YamlEvent, Parser as YamlParser};
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// What a reader of Markdown sees.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Page {
    /// HTML, images, footnotes, metadata, blocks by indentation, formulas: none of them belongs to a plan.
    pub(crate) foreign: BTreeSet<String>,
    /// Where links lead.
    pub(crate) links: BTreeSet<String>,
    /// Level and number of headings.
    pub(crate) headings: [usize; 6],
    /// Columns of each table, and its rows.
    pub(crate) tables: Vec<(usize, usize)>,
    /// Language and content of each fence.
    pub(crate) fences: Vec<(String, String)>,
    /// Words outside of code that a host of repositories acts upon: mentions, references, addresses.
    pub(crate) acting: BTreeSet<String>,
}

/// Reads Markdown with every extension that a host could have switched on.
pub(crate) fn page(text: &str) -> Page {
    let mut page = Page::default();
    let mut plain = String::new();
    let mut fence: Option<(String, String)> = None;
    for event in Parser::new_ext(text, Options::all()) {
        if !matches!(event, Event::Text(_)) {
            acting(&std::mem::take(&mut plain), &mut page.acting);
        }
        match event {
            Event::Html(html) | Event::InlineHtml(html) => {
                page.foreign.insert(format!("HTML {html}"));
            }
            Event::FootnoteReference(name) | Event::Start(Tag::FootnoteDefinition(name)) => {
                page.foreign.insert(format!("a footnote {name}"));
            }
            Event::InlineMath(math) | Event::DisplayMath(math) => {
                page.foreign.insert(format!("a formula {math}"));
            }
            Event::Start(Tag::Image { dest_url, .. }) => {
                page.foreign.insert(format!("an image {dest_url}"));
            }
            Event::Start(
                tag @ (Tag::MetadataBlock(_)
                | Tag::DefinitionList
                | Tag::HtmlBlock
                | Tag::CodeBlock(CodeBlockKind::Indented)),
            ) => {
                page.foreign.insert(format!("{tag:?}"));
            }
            Event::Start(Tag::Link { dest_url, .. }) => {
                page.links.insert(dest_url.into_string());
            }
            Event::Start(Tag::Heading { level, .. }) => {
                if let Some(count) = page.headings.get_mut(level as usize - 1) {
                    *count += 1;
                }
            }
            Event::Start(Tag::Table(columns)) => page.tables.push((columns.len(), 0)),
            Event::Start(Tag::TableRow) => {
                if let Some((_, rows)) = page.tables.last_mut() {
                    *rows += 1;
                }
            }
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                fence = Some((info.into_string(), String::new()));
            }
            Event::End(TagEnd::CodeBlock) => page.fences.extend(fence.take()),
            Event::Text(text) => match &mut fence {
                Some((_, body)) => body.push_str(&text),
                None => plain.push_str(&text),
            },
            _ => {}
        }
    }
    acting(&plain, &mut page.acting);
    page
}

fn acting(text: &str, found: &mut BTreeSet<String>) {
    for word in text.split_whitespace() {
        let lower = word.to_ascii_lowercase();
        let after =
            |mark: char, next: fn(char) -> bool| word.split(mark).skip(1).any(|rest| rest.starts_with(next));
        let acts = after('@', char::is_alphanumeric)
            || after('#', |c| c.is_ascii_digit())
            || after('!', |c| c.is_ascii_digit())
            || lower.contains("gh-") && after('-', |c| c.is_ascii_digit())
            || ["://", "www.", "mailto:", "xmpp:"]
                .iter()
                .any(|mark| lower.contains(mark));
        if acts {
            found.insert(word.to_owned());
        }
    }
}

/// What a shell takes out of a block.
#[derive(Debug, Default)]
pub(crate) struct Script {
    /// The first word of each command, as it is written.
    pub(crate) commands: BTreeSet<String>,
    /// Options, up to their `=`.
    pub(crate) options: BTreeSet<String>,
    /// Command, delimiter and content of each here-document.
    pub(crate) documents: Vec<(String, String, String)>,
}

/// Reads a block as a shell does. Fails where a shell would wait for more.
pub(crate) fn script(text: &str) -> Result<Script, String> {
    let mut reader = Reader {
        characters: text.chars().collect(),
        at: 0,
        script: Script::default(),
        waiting: Vec::new(),
    };
    reader.list(None)?;
    Ok(reader.script)
}

const KEYWORDS: &[&str] = &[
    "if", "then", "else", "elif", "fi", "for", "while", "until", "do", "done", "case", "esac", "{", "}", "!",
    "time",
];

struct Reader {
    characters: Vec<char>,
    at: usize,
    script: Script,
    waiting: Vec<(String, String)>,
}

impl Reader {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.characters.get(self.at + ahead).copied()
    }

    /// Reads commands up to the character that closes them.
    fn list(&mut self, close: Option<char>) -> Result<(), String> {
        let mut command: Option<String> = None;
        let mut target = false;
        while let Some(c) = self.peek(0) {
            if Some(c) == close {
                self.at += 1;
                return Ok(());
            }
            match c {
                '\n' => {
                    self.at += 1;
                    command = None;
                    self.documents()?;
                }
                ';' | '&' | '|' | ')' => {
                    self.at += 1;
                    command = None;
                }
                '(' => {
                    self.at += 1;
                    self.list(Some(')'))?;
                }
                '#' => {
                    while self.peek(0).is_some_and(|c| c != '\n') {
                        self.at += 1;
                    }
                }
                '<' if self.peek(1) == Some('<') && self.peek(2) != Some('<') => {
                    self.at += 2;
                    let delimiter = self.word()?.trim_matches(['\'', '"', '-']).to_owned();
                    self.waiting
                        .push((command.clone().unwrap_or_default(), delimiter));
                }
                '<' | '>' => {
                    self.at += if self.peek(1) == Some('<') { 3 } else { 1 };
                    if self.peek(0) == Some('&') {
                        self.at += 1;
                    }
                    target = true;
                }
                '\\' if self.peek(1) == Some('\n') => self.at += 2,
                c if c.is_whitespace() => self.at += 1,
                _ => {
                    let word = self.word()?;
                    if std::mem::take(&mut target) {
                        continue;
                    }
                    if command.is_some() {
                        if word.starts_with('-') {
                            let name = word.split(['=', '"', '\'', '$']).next().unwrap_or_default();
                            self.script.options.insert(name.to_owned());
                        }
                    } else if !is_assignment(&word) && !KEYWORDS.contains(&word.as_str()) {
                        self.script.commands.insert(word.clone());
                        command = Some(word);
                    }
                }
            }
        }
        match close {
            None if self.waiting.is_empty() => Ok(()),
            None => Err("a here-document has no end".to_owned()),
            Some(close) => Err(format!("`{close}` is missing")),
        }
    }

    /// Reads one word with its quotes and substitutions.
    fn word(&mut self) -> Result<String, String> {
        let start = self.at;
        while let Some(c) = self.peek(0) {
            match c {
                '\'' => {
                    self.at += 1;
                    while self.peek(0).ok_or("a quote is not closed")? != '\'' {
                        self.at += 1;
                    }
                    self.at += 1;
                }
                '"' => self.double()?,
                '\\' => self.at += 2,
                '$' | '`' => self.substitution()?,
                ';' | '&' | '|' | '(' | ')' | '<' | '>' => break,
                c if c.is_whitespace() => break,
                _ => self.at += 1,
            }
        }
        let end = self.at.min(self.characters.len());
        Ok(self
            .characters
            .get(start..end)
            .unwrap_or_default()
            .iter()
            .collect())
    }

    fn double(&mut self) -> Result<(), String> {
        self.at += 1;
        loop {
            match self.peek(0).ok_or("a double quote is not closed")? {
                '"' => {
                    self.at += 1;
                    return Ok(());
                }
                '\\' => self.at += 2,
                '$' | '`' => self.substitution()?,
                _ => self.at += 1,
            }
        }
    }

    fn substitution(&mut self) -> Result<(), String> {
        match (self.peek(0), self.peek(1)) {
            (Some('`'), _) => Err("a command in backticks".to_owned()),
            (_, Some('(')) => {
                self.at += 2;
                self.list(Some(')'))
            }
            (_, Some('{')) => {
                self.at += 2;
                loop {
                    match self.peek(0).ok_or("`}` is missing")? {
                        '}' => {
                            self.at += 1;
                            return Ok(());
                        }
                        '"' => self.double()?,
                        '$' | '`' => self.substitution()?,
                        _ => self.at += 1,
                    }
                }
            }
            _ => {
                self.at += 1;
                Ok(())
            }
        }
    }

    fn documents(&mut self) -> Result<(), String> {
        for (command, delimiter) in std::mem::take(&mut self.waiting) {
            let mut body = String::new();
            loop {
                let rest = self.characters.get(self.at..).unwrap_or_default();
                if rest.is_empty() {
                    return Err(format!("`{delimiter}` does not come"));
                }
                let line: String = rest.iter().take_while(|c| **c != '\n').collect();
                self.at += line.chars().count() + 1;
                if line == delimiter {
                    break;
                }
                body.push_str(&line);
                body.push('\n');
            }
            self.script.documents.push((command, delimiter, body));
        }
        Ok(())
    }
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}

/// What a reader of YAML does beyond keeping text: tags, anchors and aliases.
pub(crate) fn yaml(text: &str) -> Result<BTreeSet<String>, String> {
    let mut found = BTreeSet::new();
    for event in YamlParser::new_from_str(text) {
        let (event, _) = event.map_err(|error| format!("no YAML, line {}", error.marker().line()))?;
        match event {
            YamlEvent::Scalar(_, _, anchor, tag)
            | YamlEvent::SequenceStart(_, anchor, tag)
            | YamlEvent::MappingStart(_, anchor, tag) => {
                if anchor > 0 {
                    found.insert("an anchor".to_owned());
                }
                found.extend(tag.map(|tag| format!("a tag {tag:?}")));
            }
            _ => {}
        }
    }
    Ok(found)
}

#[test]
fn a_shell_is_read_as_it_reads() {
    let read = script(
        "export A=1\nrun --x=\"$(a b; c)\" 'q; w' && cat <<'X' | sort # z; y\nnot; read\nX\nif [ a ]; then t | u; fi\nb\\;c 'it'\\''s' > d\n",
    )
    .expect("a whole block");
    let commands: Vec<&str> = read.commands.iter().map(String::as_str).collect();
    assert_eq!(
        commands,
        ["[", "a", "b\\;c", "c", "cat", "export", "run", "sort", "t", "u"]
    );
    assert_eq!(read.options.into_iter().collect::<Vec<_>>(), ["--x"]);
    assert_eq!(
        read.documents,
        [("cat".to_owned(), "X".to_owned(), "not; read\n".to_owned())]
    );
    for broken in [
        "echo 'a",
        "echo \"a",
        "echo $(a",
        "cat <<X\na\n",
        "echo `a`",
        "${a",
    ] {
        assert!(script(broken).is_err(), "{broken}");
    }
}

#[test]
fn what_acts_is_seen() {
    let seen = page("a @x, org/r#1, `@y #2`, http://z.example <b>c</b> ![i](j) [k](l) [^1]\n\n[^1]: m\n");
    assert_eq!(seen.acting.len(), 3, "{seen:?}");
    assert!(seen.foreign.len() >= 3, "{seen:?}");
    assert!(seen.links.contains("l"));
    assert!(yaml("a: !!x b\n").is_ok_and(|found| found.len() == 1));
    assert!(yaml("a: [\n").is_err());
}
