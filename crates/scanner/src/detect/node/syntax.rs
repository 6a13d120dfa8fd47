//! JavaScript as far as facts need it: imports, calls with the full name of what is called, the names that results are
//! assigned to.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::LazyLock;

use playbook_core::path::RelPath;
use regex::{Captures, Regex};

use crate::language::language;
use crate::lex::{Arg, Masked, arguments};
use crate::limits;
use crate::parse::{slice, tail, window_before};
use crate::source::Source;

/// Bytes of the type between a name and its value.
const LONGEST_TYPE: usize = 81;

/// Patterns of this module. One that is wrong never matches, which the tests rule out.
pub(super) fn pattern(text: &str) -> Option<Regex> {
    Regex::new(text).ok()
}

static IMPORT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(r#"(?m)(?:^|[;}])\s*import\s+(?P<type>type\s+)?(?P<names>[\w$*{}\s,]+?)\s+from\s*["']"#)
});
static NAME: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"[A-Za-z_$][\w$]*"));
static REQUIRE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r#"(?:(?P<names>[\w$]+|\{[^{}()]*\})\s*=\s*)?(?:await\s+)?\b(?:require|import)\s*\(\s*["'`](?P<blank>[^"'`]*)["'`]\s*\)(?P<member>(?:\s*\.\s*[\w$]+)*)"#,
    )
});
static BARE: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r#"(?m)^\s*import\s*["']|\bexport\s+(?:\*|\{[^{}]*\})[\w\s$]*\s*from\s*["']"#));
static CALL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"(?P<path>(?:[A-Za-z_$][\w$]*|\)|\])?(?:\s*[?!]?\s*\.\s*#?[A-Za-z_$][\w$]*)+|[A-Za-z_$][\w$]*)\s*(?:<[\w\s$.,<>\[\]{}|&'\x22:;=]*>)?\s*(?P<open>\()",
    )
});
static ASSIGNED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"(?P<name>(?:this\s*\.\s*)?#?[A-Za-z_$][\w$]*)\s*[?!]?\s*(?::\s*[\w$.<>\[\]{}| ]+?)?\s*=\s*(?:await\s+)?(?:\(\s*await\s+)?(?:new\s+)?$",
    )
});

/// The matches of a pattern: the offset of each, and its groups counted from there. Groups that are looked for in the
/// whole code cost the rest of the file for every match, so the match alone is looked at again. The pattern may depend
/// on nothing behind its end.
fn groups<'t>(pattern: &'t Regex, code: &'t str) -> impl Iterator<Item = (usize, Captures<'t>)> {
    pattern
        .find_iter(code)
        .filter_map(|found| Some((found.start(), pattern.captures(found.as_str())?)))
}

/// Where a local name comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Import {
    /// The module as written, without `node:`.
    pub(super) module: String,
    /// The exported name; empty for the default export and for the whole module.
    pub(super) name: String,
    /// Offset of the module's literal.
    pub(super) offset: usize,
}

/// A call.
#[derive(Debug, Clone)]
pub(super) struct Call {
    /// Where its first word starts.
    pub(super) start: usize,
    /// Its opening bracket.
    pub(super) open: usize,
    /// The words before the bracket: `app`, `listen`. The first is empty for a method of a call's result.
    pub(super) path: Vec<String>,
    /// Is it made with `new`?
    pub(super) new: bool,
    /// The name its result is assigned to: `app`, `this.app`.
    pub(super) assigned: Option<String>,
    /// What is called, with imports resolved: `express#Router`; the words themselves for what is not imported.
    pub(super) full: String,
    /// For a method of a call's result: the index of that call.
    pub(super) receiver: Option<usize>,
}

impl Call {
    /// The last word: the method or function.
    pub(super) fn method(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }

    /// What the method belongs to: `app`, `this.app`; nothing for a function.
    pub(super) fn object(&self) -> Option<String> {
        let (_, before) = self.path.split_last()?;
        (!before.is_empty() && before.first().is_some_and(|word| !word.is_empty())).then(|| before.join("."))
    }
}

/// A file with what was looked up in it.
pub(super) struct Code<'a> {
    pub(super) source: &'a Source<'a>,
    pub(super) masked: Masked,
    pub(super) imports: BTreeMap<String, Import>,
    /// Every module that the file asks for, with the offset.
    pub(super) modules: Vec<(String, usize)>,
    pub(super) calls: Vec<Call>,
    /// Where the names end that are declared, by name. Made when somebody asks.
    declared: OnceCell<BTreeMap<String, Vec<usize>>>,
    /// Objects and the methods that are called on them.
    methods: OnceCell<BTreeSet<(String, String)>>,
    /// Names of what makes routers.
    routers: OnceCell<BTreeSet<String>>,
    /// The starts of the calls with their places in the list, sorted.
    starts: OnceCell<Vec<(usize, usize)>>,
}

/// The names behind `const`, `let`, `var`, `readonly` or a comma, with the offsets of their ends.
fn declarations(code: &str) -> BTreeMap<String, Vec<usize>> {
    let mut found: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for name in NAME.iter().flat_map(|pattern| pattern.find_iter(code)) {
        let before = window_before(code, name.start(), 40).trim_end();
        let declared = ["const", "let", "var", "readonly", ","]
            .iter()
            .any(|word| before.ends_with(word));
        if declared {
            found
                .entry(name.as_str().to_owned())
                .or_default()
                .push(name.end());
        }
    }
    found
}

impl<'a> Code<'a> {
    /// Reads a file.
    pub(super) fn new(source: &'a Source<'a>) -> Option<Self> {
        let language = language("typescript").or_else(|| language("javascript"))?;
        let masked = language.mask(source.text);
        let mut code = Self {
            source,
            masked,
            imports: BTreeMap::new(),
            modules: Vec::new(),
            calls: Vec::new(),
            declared: OnceCell::new(),
            methods: OnceCell::new(),
            routers: OnceCell::new(),
            starts: OnceCell::new(),
        };
        code.read_imports();
        code.read_calls();
        Some(code)
    }

    /// The text.
    pub(super) fn text(&self) -> &'a str {
        self.source.text
    }

    /// The code without comments and contents of strings.
    pub(super) fn code(&self) -> &str {
        self.masked.code()
    }

    /// The line of an offset.
    pub(super) fn line(&self, offset: usize) -> u32 {
        self.masked.line(offset)
    }

    /// The arguments of a call.
    pub(super) fn arguments(&self, open: usize) -> Vec<Arg> {
        arguments(self.text(), &self.masked, open)
    }

    /// Does the file ask for this module, or for a part of it?
    pub(super) fn asks_for(&self, module: &str) -> bool {
        self.offset_of_module(module).is_some()
    }

    /// Where the file asks for this module, or for a part of it.
    pub(super) fn offset_of_module(&self, module: &str) -> Option<usize> {
        self.modules
            .iter()
            .find(|(name, _)| {
                name == module
                    || name
                        .strip_prefix(module)
                        .is_some_and(|rest| rest.starts_with('/'))
            })
            .map(|(_, offset)| *offset)
    }

    /// The path of a relative module, from the root, without ending.
    pub(super) fn module_path(&self, module: &str) -> Option<RelPath> {
        let path = if module.starts_with('.') {
            self.source.path.parent().join(module)?
        } else if let Some(rest) = module.strip_prefix("@/").or_else(|| module.strip_prefix("~/")) {
            // The usual alias of the source folder; resolve compares ends.
            RelPath::new(rest)?
        } else {
            return None;
        };
        let text = path.as_str();
        let stem = ["js", "ts", "mjs", "cjs", "jsx", "tsx", "mts", "cts"]
            .iter()
            .find_map(|end| text.strip_suffix(end)?.strip_suffix('.'));
        RelPath::new(stem.unwrap_or(text))
    }

    /// The entries of an object literal that starts at an offset; none for anything else.
    pub(super) fn object(&self, range: &Range<usize>) -> Vec<Arg> {
        if self.code().as_bytes().get(range.start) == Some(&b'{') {
            self.arguments(range.start)
        } else {
            Vec::new()
        }
    }

    /// The value of a key of an object literal.
    pub(super) fn entry(&self, range: &Range<usize>, key: &str) -> Option<Arg> {
        self.object(range)
            .into_iter()
            .find(|entry| entry.name.as_deref() == Some(key))
    }

    /// The expression that a name is set to where it is declared in this file.
    pub(super) fn constant(&self, name: &str) -> Option<Range<usize>> {
        let declared = self.declared.get_or_init(|| declarations(self.code()));
        let ends = declared.get(name)?;
        ends.iter().find_map(|end| self.value_behind(*end))
    }

    /// The expression that a declaration whose name ends at an offset gives.
    fn value_behind(&self, end: usize) -> Option<Range<usize>> {
        let start = self.masked.next_code(end);
        let rest = tail(self.code(), start);
        let behind = if let Some(value) = rest.strip_prefix('=') {
            (!value.starts_with(['=', '>'])).then_some(start + 1)?
        } else if rest.starts_with(':') {
            // A type stands between the name and its value.
            let length = rest.bytes().take(LONGEST_TYPE).position(|byte| byte == b'=')?;
            let plain = !slice(rest, 0, length).contains([';', '\n', ',']);
            let value = !tail(rest, length + 1).starts_with('>');
            (plain && value).then_some(start + length + 1)?
        } else {
            return None;
        };
        let start = self.masked.next_code(behind);
        Some(start..self.end_of_expression(start))
    }

    /// Where an expression ends: at a semicolon, a comma or a closing bracket outside of its own brackets, or at a line
    /// end that nothing continues.
    pub(super) fn end_of_expression(&self, start: usize) -> usize {
        let bytes = self.code().as_bytes();
        let mut at = start;
        for _ in 0..limits::EXPRESSION_BYTES {
            let Some(byte) = bytes.get(at) else {
                return self.code().len();
            };
            match byte {
                b'(' | b'[' | b'{' => match self.masked.closing(at) {
                    Some(close) => at = close,
                    None => return at,
                },
                b')' | b']' | b'}' | b';' | b',' => return at,
                b'\n' => {
                    let next = self.masked.next_code(at);
                    let continues = tail(self.code(), next).starts_with(['.', '?', '|', '&', ':', '+'])
                        || window_before(self.code(), at, at - start)
                            .trim_end()
                            .ends_with(['|', '?', ':', '=', '+', '&']);
                    if !continues {
                        return at;
                    }
                    // Blank lines are passed over as a whole.
                    at = next;
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
        at
    }

    /// Is a method of this name called on an object of this name?
    pub(super) fn calls_method(&self, object: &str, method: &str) -> bool {
        let methods = self.methods.get_or_init(|| {
            self.calls
                .iter()
                .filter_map(|call| Some((call.object()?, call.method().to_owned())))
                .collect()
        });
        methods.contains(&(object.to_owned(), method.to_owned()))
    }

    /// Is a router assigned to this name?
    pub(super) fn makes_router(&self, name: &str) -> bool {
        let routers = self.routers.get_or_init(|| {
            let made = self.calls.iter().filter(|call| {
                call.method() == "Router"
                    || call.full.contains("router#")
                    || call.full.contains("Router#")
                    || call.method() == "basePath"
            });
            made.filter_map(|call| call.assigned.clone()).collect()
        });
        routers.contains(name)
    }

    /// The calls that start in a range, in the order of the list.
    pub(super) fn calls_in(&self, range: &Range<usize>) -> Vec<&Call> {
        let starts = self.starts.get_or_init(|| {
            let mut starts: Vec<(usize, usize)> = self
                .calls
                .iter()
                .enumerate()
                .map(|(at, call)| (call.start, at))
                .collect();
            starts.sort_unstable();
            starts
        });
        let first = starts.partition_point(|(start, _)| *start < range.start);
        let end = starts.partition_point(|(start, _)| *start < range.end);
        let mut places: Vec<usize> = starts
            .get(first..end)
            .unwrap_or_default()
            .iter()
            .map(|(_, at)| *at)
            .collect();
        places.sort_unstable();
        places.into_iter().filter_map(|at| self.calls.get(at)).collect()
    }

    fn read_imports(&mut self) {
        let mut imports = BTreeMap::new();
        let mut modules = Vec::new();
        let code = self.masked.code();
        let module_at = |quote: usize| -> Option<String> {
            let literal = self.masked.literal_at(quote)?;
            let value = literal.value(self.source.text)?;
            Some(value.strip_prefix("node:").unwrap_or(&value).to_owned())
        };
        for (start, found) in IMPORT.iter().flat_map(|pattern| groups(pattern, code)) {
            let (Some(whole), Some(names)) = (found.get(0), found.name("names")) else {
                continue;
            };
            let offset = start + whole.end() - 1;
            let Some(module) = module_at(offset) else {
                continue;
            };
            if found.name("type").is_none() {
                modules.push((module.clone(), offset));
            }
            names_of_import(names.as_str(), &module, offset, &mut imports);
        }
        for found in BARE.iter().flat_map(|pattern| pattern.find_iter(code)) {
            if let Some(module) = module_at(found.end() - 1) {
                modules.push((module, found.end() - 1));
            }
        }
        for found in REQUIRE.iter().flat_map(|pattern| pattern.captures_iter(code)) {
            let Some(blank) = found.name("blank") else {
                continue;
            };
            let quote = blank.start().saturating_sub(1);
            let Some(module) = module_at(quote) else { continue };
            modules.push((module.clone(), quote));
            let member: String = found
                .name("member")
                .map_or("", |member| member.as_str())
                .split(['.', ' ', '\n', '\t', '\r'])
                .filter(|word| !word.is_empty() && *word != "default")
                .collect::<Vec<_>>()
                .join(".");
            // `require("x")(…)` makes something of it, which the call tells.
            let end = found.get(0).map_or(0, |whole| whole.end());
            let called = tail(code, end).trim_start().starts_with('(');
            if let Some(names) = found.name("names").filter(|_| !called) {
                let names = names.as_str();
                if names.starts_with('{') {
                    names_of_import(&names.replace(':', " as "), &module, quote, &mut imports);
                } else {
                    imports.insert(
                        names.to_owned(),
                        Import {
                            module,
                            name: member,
                            offset: quote,
                        },
                    );
                }
            }
        }
        modules.sort_by_key(|(_, offset)| *offset);
        modules.dedup();
        self.imports = imports;
        self.modules = modules;
    }

    fn read_calls(&mut self) {
        let mut calls: Vec<Call> = Vec::new();
        let mut by_close: BTreeMap<usize, usize> = BTreeMap::new();
        let code = self.masked.code();
        for (offset, found) in CALL.iter().flat_map(|pattern| groups(pattern, code)) {
            let (Some(path), Some(open)) = (found.name("path"), found.name("open")) else {
                continue;
            };
            if calls.len() >= limits::CALLS {
                break;
            }
            let mut words: Vec<String> = path
                .as_str()
                .split(['.', '?', '!'])
                .map(str::trim)
                .filter(|word| !word.is_empty())
                .map(str::to_owned)
                .collect();
            let (first, open) = (offset + path.start(), offset + open.start());
            let mut start = first;
            if words.len() == 1 && is_keyword(words.first().map_or("", String::as_str)) {
                continue;
            }
            let mut receiver = None;
            let mut inline = None;
            if words.first().is_some_and(|word| word == ")" || word == "]")
                || path.as_str().trim_start().starts_with('.')
            {
                let close = if path.as_str().starts_with([')', ']']) {
                    words.remove(0);
                    Some(first)
                } else {
                    slice(code, 0, first).trim_end().len().checked_sub(1)
                };
                receiver = close.and_then(|close| by_close.get(&close).copied());
                words.insert(0, String::new());
                if let Some(call) = receiver.and_then(|at| calls.get(at)) {
                    start = call.start;
                    // `require("http").createServer(…)` names its module in place.
                    if call.path.last().is_some_and(|word| word == "require") {
                        inline = self
                            .masked
                            .literal_after(call.open)
                            .and_then(|literal| literal.value(self.source.text))
                            .map(|module| module.strip_prefix("node:").unwrap_or(&module).to_owned());
                    }
                }
            }
            let before = window_before(code, start, 200);
            let last = before.trim_end();
            let new = last.ends_with("new");
            let given = last.ends_with(['=', '(']) || new || last.ends_with("await");
            let assigned = ASSIGNED
                .as_ref()
                .filter(|_| given)
                .and_then(|pattern| pattern.captures(before))
                .and_then(|found| found.name("name"))
                .map(|name| name.as_str().split_whitespace().collect::<String>())
                .filter(|name| !is_keyword(name));
            let full = match inline {
                Some(module) => format!("{module}#{}", words.get(1..).unwrap_or_default().join(".")),
                None => self.full_name(&words),
            };
            if let Some(close) = self.masked.closing(open) {
                by_close.insert(close, calls.len());
            }
            calls.push(Call {
                start,
                open,
                path: words,
                new,
                assigned,
                full,
                receiver,
            });
        }
        // `require("socket.io")(server)`: the second bracket is a call of what the first gives.
        let mut made = Vec::new();
        for (at, call) in calls.iter().enumerate() {
            if call.path.last().is_none_or(|word| word != "require") {
                continue;
            }
            let Some(close) = self.masked.closing(call.open) else {
                continue;
            };
            let open = self.masked.next_code(close + 1);
            if code.as_bytes().get(open) == Some(&b'(')
                && let Some(module) = self
                    .masked
                    .literal_after(call.open)
                    .and_then(|literal| literal.value(self.source.text))
            {
                let mut call = call.clone();
                call.open = open;
                call.path = vec![module.to_string()];
                call.full = format!("{module}#");
                call.receiver = None;
                made.push((at, call));
            }
        }
        calls.extend(made.into_iter().map(|(_, call)| call));
        self.calls = calls;
    }

    fn full_name(&self, words: &[String]) -> String {
        let Some((first, rest)) = words.split_first() else {
            return String::new();
        };
        match self.imports.get(first) {
            Some(import) => {
                let mut names: Vec<&str> = Vec::new();
                if !import.name.is_empty() {
                    names.push(&import.name);
                }
                names.extend(rest.iter().map(String::as_str).filter(|word| *word != "default"));
                format!("{}#{}", import.module, names.join("."))
            }
            None => words.join("."),
        }
    }

    /// The call at the start of a chain: `express()` of `express().use(x).listen(1)`.
    pub(super) fn start_of_chain(&self, call: &Call) -> Option<&Call> {
        let mut at = call.receiver?;
        for _ in 0..limits::CALL_CHAIN {
            let call = self.calls.get(at)?;
            match call.receiver {
                Some(next) if next < at => at = next,
                _ => return Some(call),
            }
        }
        None
    }
}

/// Words before a bracket that call nothing.
fn is_keyword(word: &str) -> bool {
    matches!(
        word,
        "if" | "for"
            | "while"
            | "switch"
            | "catch"
            | "function"
            | "return"
            | "await"
            | "typeof"
            | "new"
            | "super"
            | "async"
            | "constructor"
            | "with"
            | "of"
            | "in"
    )
}

/// The names of `a, { b as c }, * as d`.
fn names_of_import(names: &str, module: &str, offset: usize, imports: &mut BTreeMap<String, Import>) {
    let mut add = |local: &str, name: &str| {
        let local = local.split('=').next().unwrap_or_default().trim();
        if !local.is_empty() {
            imports.insert(
                local.to_owned(),
                Import {
                    module: module.to_owned(),
                    name: if name == "default" {
                        String::new()
                    } else {
                        name.to_owned()
                    },
                    offset,
                },
            );
        }
    };
    let (outside, inside) = match (names.find('{'), names.rfind('}')) {
        (Some(open), Some(close)) if open < close => (
            format!("{},{}", slice(names, 0, open), tail(names, close + 1)),
            slice(names, open + 1, close),
        ),
        _ => (names.to_owned(), ""),
    };
    for part in outside.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let local = part
            .strip_prefix('*')
            .and_then(|rest| rest.trim_start().strip_prefix("as"))
            .unwrap_or(part);
        add(local.trim(), "");
    }
    for part in inside.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let part = part.strip_prefix("type ").unwrap_or(part);
        match part.split_once(" as ") {
            Some((name, local)) => add(local.trim(), name.trim()),
            None => add(part, part.split('=').next().unwrap_or(part).trim()),
        }
    }
}
