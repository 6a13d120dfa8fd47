//! Prefixes of routes that one file proves: of the class around a method, of the block that a group opens, and of the
//! variable that a group was assigned to. And blocks that run in development only.

use crate::language::{Hit, Kind, Language};
use crate::lex::Masked;

/// Blocks and groups of one file that are followed.
const LIMIT: usize = 400;

/// Groups inside each other that are followed.
const DEPTH: usize = 12;

/// A part of a file.
struct Part {
    start: usize,
    end: usize,
    prefix: String,
    /// The variable of the group, where it was assigned to one; it holds from `start` on.
    router: Option<String>,
    /// The router that the group was made of.
    parent: Option<String>,
}

/// What the places of one file say about the routes of it.
pub(super) struct Prefixes {
    /// Classes with their offset, name and prefix.
    classes: Vec<(usize, String, String)>,
    groups: Vec<Part>,
    development: Vec<(usize, usize)>,
    absolute: bool,
    /// Offsets of the routes that are the prefix of a class.
    of_class: Vec<usize>,
}

impl Prefixes {
    pub(super) fn new(language: &'static Language, masked: &Masked, hits: &[Hit]) -> Self {
        let code = masked.code();
        let mut found = Self {
            classes: Vec::new(),
            groups: Vec::new(),
            development: language
                .development_blocks(code)
                .into_iter()
                .take(LIMIT)
                .filter_map(|at| block_after(code, at))
                .collect(),
            absolute: language.absolute_routes(),
            of_class: Vec::new(),
        };
        let mut classes = language.classes(code);
        classes.truncate(LIMIT);
        for (at, name) in classes {
            // An annotation stands between the end of what comes before and the class.
            let before = code.get(..at).unwrap_or_default();
            let from = before.rfind([';', '{', '}']).map_or(0, |end| end + 1);
            let own = hits
                .iter()
                .filter(|hit| hit.kind == Kind::Route && (from..at).contains(&hit.offset))
                .find_map(|hit| Some((hit.offset, path_of(hit)?)));
            let prefix = own.as_ref().map_or_else(String::new, |(_, path)| {
                let bare = name.strip_suffix("Controller").unwrap_or(&name);
                path.replace("[controller]", bare)
            });
            found.of_class.extend(own.map(|(offset, _)| offset));
            found.classes.push((at, name, prefix));
        }
        for hit in hits.iter().filter(|hit| hit.kind == Kind::Mount).take(LIMIT) {
            let Some(prefix) = path_of(hit) else { continue };
            let closure = call_with_block(code, hit.offset);
            let (start, end) = match (&hit.assigned, closure) {
                (_, Some(range)) => range,
                (Some(_), None) => (hit.offset, code.len()),
                (None, None) => continue,
            };
            found.groups.push(Part {
                start,
                end,
                prefix,
                router: hit.assigned.clone().filter(|_| closure.is_none()),
                parent: hit.attribute("parent").map(str::to_owned),
            });
        }
        found
    }

    /// Is the hit the prefix of a class, and no route of its own?
    pub(super) fn is_prefix(&self, hit: &Hit) -> bool {
        self.of_class.contains(&hit.offset)
    }

    /// Does the place run in development only?
    pub(super) fn is_development(&self, offset: usize) -> bool {
        self.development
            .iter()
            .any(|(start, end)| (*start..*end).contains(&offset))
    }

    /// The path of a route with what stands before it.
    pub(super) fn whole(&self, hit: &Hit, path: &str) -> String {
        if self.absolute
            && path.starts_with(['/', '~'])
            && !self.classes.is_empty()
            && self.in_class(hit.offset)
        {
            return path.trim_start_matches('~').to_owned();
        }
        let class = self
            .classes
            .iter()
            .rev()
            .find(|(at, _, _)| *at < hit.offset)
            .map_or("", |(_, _, prefix)| prefix);
        let group = self.group(hit.offset, hit.attribute("router"), DEPTH);
        let mut out = String::new();
        for part in [class, &group, path] {
            let part = part.trim_matches('/');
            if !part.is_empty() {
                out.push('/');
                out.push_str(part);
            }
        }
        if out.is_empty() { "/".to_owned() } else { out }
    }

    fn in_class(&self, offset: usize) -> bool {
        self.classes
            .iter()
            .any(|(at, _, prefix)| *at < offset && !prefix.is_empty())
    }

    /// The prefixes of the groups around a place, the outermost first.
    fn group(&self, offset: usize, router: Option<&str>, depth: usize) -> String {
        if depth == 0 {
            return String::new();
        }
        // The last group of the router's name before the place; a block only while it is open.
        let own = self.groups.iter().rev().find(|group| {
            group.start < offset
                && offset < group.end
                && (group.router.is_none() || group.router.as_deref() == router)
        });
        own.map_or_else(String::new, |group| {
            let outer = self.group(group.start, group.parent.as_deref(), depth - 1);
            format!("{outer}/{}", group.prefix.trim_matches('/'))
        })
    }
}

fn path_of(hit: &Hit) -> Option<String> {
    hit.name
        .as_deref()
        .or_else(|| hit.attribute("path"))
        .map(|path| path.trim_matches(['"', '\'', '`']).to_owned())
}

/// The braces that follow a place, as long as no statement ends before them.
fn block_after(code: &str, at: usize) -> Option<(usize, usize)> {
    let rest = code.get(at..)?;
    let open = rest.find(['{', ';'])?;
    if rest.as_bytes().get(open) != Some(&b'{') {
        return None;
    }
    Some((at + open, closing(code, at + open)?))
}

/// The block that a call opens: a function in its arguments, or a trailing one behind them.
fn call_with_block(code: &str, at: usize) -> Option<(usize, usize)> {
    let open = at + code.get(at..)?.find('(')?;
    let end = closing(code, open)?;
    let arguments = code.get(open..end)?;
    if arguments.contains('{') {
        return Some((open, end));
    }
    let behind = code.get(end + 1..)?;
    let blanks = behind.len() - behind.trim_start_matches([' ', '\t']).len();
    if behind.trim_start_matches([' ', '\t']).starts_with('{') {
        let brace = end + 1 + blanks;
        return Some((brace, closing(code, brace)?));
    }
    None
}

/// The bracket that closes the one at an offset.
fn closing(code: &str, open: usize) -> Option<usize> {
    let mut depth = 0u32;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'(' | b'{' | b'[' => depth += 1,
            b')' | b'}' | b']' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}
