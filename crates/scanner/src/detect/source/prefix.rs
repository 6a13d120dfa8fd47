//! Prefixes of routes that one file proves: of the class around a method, of the block that a group opens, and of the
//! variable that a group was assigned to. And blocks that run in development only.

use crate::language::{Hit, Kind, Language};
use crate::lex::Masked;
use crate::limits;

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

/// A class with the part of the file that it takes.
struct Class {
    start: usize,
    end: usize,
    prefix: String,
}

/// What the places of one file say about the routes of it.
pub(super) struct Prefixes {
    classes: Vec<Class>,
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
                .take(limits::MOUNTS)
                .filter_map(|at| block_after(masked, at))
                .collect(),
            absolute: language.absolute_routes(),
            of_class: Vec::new(),
        };
        let mut classes = language.classes(code);
        classes.truncate(limits::MOUNTS);
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
            let end = block_after(masked, at).map_or(code.len(), |(_, end)| end);
            found.classes.push(Class {
                start: at,
                end,
                prefix,
            });
        }
        for hit in hits
            .iter()
            .filter(|hit| hit.kind == Kind::Mount)
            .take(limits::MOUNTS)
        {
            let Some(prefix) = path_of(hit) else { continue };
            let closure = call_with_block(masked, hit.offset);
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
        if self.absolute && path.starts_with(['/', '~']) && self.class(hit.offset).is_some() {
            return path.trim_start_matches('~').to_owned();
        }
        let class = self.class(hit.offset).unwrap_or_default();
        let group = self.group(hit.offset, hit.attribute("router"), limits::MOUNT_DEPTH);
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

    /// The prefix of the innermost class around a place that has one.
    fn class(&self, offset: usize) -> Option<&str> {
        self.classes
            .iter()
            .rev()
            .filter(|class| class.start < offset && offset < class.end)
            .map(|class| class.prefix.as_str())
            .find(|prefix| !prefix.is_empty())
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
fn block_after(masked: &Masked, at: usize) -> Option<(usize, usize)> {
    let rest = masked.code().get(at..)?;
    let open = rest.find(['{', ';'])?;
    if rest.as_bytes().get(open) != Some(&b'{') {
        return None;
    }
    Some((at + open, masked.closing(at + open)?))
}

/// The block that a call opens: a function in its arguments, or a trailing one behind them.
fn call_with_block(masked: &Masked, at: usize) -> Option<(usize, usize)> {
    let code = masked.code();
    let open = at + code.get(at..)?.find('(')?;
    let end = masked.closing(open)?;
    let arguments = code.get(open..end)?;
    if arguments.contains('{') {
        return Some((open, end));
    }
    let behind = code.get(end + 1..)?;
    let blanks = behind.len() - behind.trim_start_matches([' ', '\t']).len();
    if behind.trim_start_matches([' ', '\t']).starts_with('{') {
        let brace = end + 1 + blanks;
        return Some((brace, masked.closing(brace)?));
    }
    None
}
