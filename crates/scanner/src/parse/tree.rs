//! One tree for YAML, JSON and TOML, so that detectors share their helpers.
//!
//! Scalars keep their text as written (`no`, `012`, `1_000` stay what they are). YAML aliases are shared, so the
//! tree is a graph without cycles: [`Node::get`] is always cheap, a walk takes a budget.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

/// The key that merges another map into this one.
const MERGE_KEY: &str = "<<";

/// A value with the line on which it starts.
pub(crate) struct Node {
    line: u32,
    tag: Option<Box<str>>,
    /// Levels below this node, itself included. Aliases count, so that no chain of them is deeper than the limit.
    height: u32,
    kind: Kind,
}

/// What a node is.
pub(crate) enum Kind {
    /// Text as written; `quoted` tells `"8080"` from `8080`.
    Scalar {
        /// The text, after the format's own escapes.
        text: String,
        /// Whether it was quoted (or a block scalar), so that it is certainly a string.
        quoted: bool,
    },
    /// A list.
    Seq(Vec<Arc<Node>>),
    /// Keys and values in order; a duplicate key stands twice.
    Map(Vec<(Arc<Node>, Arc<Node>)>),
}

impl fmt::Debug for Node {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.kind {
            Kind::Scalar { .. } => "Scalar",
            Kind::Seq(_) => "Seq",
            Kind::Map(_) => "Map",
        };
        write!(formatter, "{kind}(line {})", self.line)
    }
}

impl Node {
    /// A scalar.
    pub(crate) fn scalar(line: u32, text: String, quoted: bool) -> Self {
        Self {
            line,
            tag: None,
            height: 1,
            kind: Kind::Scalar { text, quoted },
        }
    }

    /// A list.
    pub(crate) fn seq(line: u32, items: Vec<Arc<Node>>) -> Self {
        let height = 1 + items.iter().map(|item| item.height).max().unwrap_or(0);
        Self {
            line,
            tag: None,
            height,
            kind: Kind::Seq(items),
        }
    }

    /// A map.
    pub(crate) fn map(line: u32, entries: Vec<(Arc<Node>, Arc<Node>)>) -> Self {
        let height = 1 + entries
            .iter()
            .map(|(key, value)| key.height.max(value.height))
            .max()
            .unwrap_or(0);
        Self {
            line,
            tag: None,
            height,
            kind: Kind::Map(entries),
        }
    }

    /// The same node with a tag such as `!Ref`.
    pub(crate) fn tagged(mut self, tag: Option<Box<str>>) -> Self {
        self.tag = tag;
        self
    }

    /// The line on which the value starts. For a block map or list that is the line of its first entry, for a block scalar
    /// (`|`, `>`) the first line of its text.
    pub(crate) fn line(&self) -> u32 {
        self.line
    }

    /// The tag as written, such as `!Sub`.
    pub(crate) fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// Levels of nesting, this node included.
    pub(crate) fn height(&self) -> u32 {
        self.height
    }

    /// What the node is.
    pub(crate) fn kind(&self) -> &Kind {
        &self.kind
    }

    /// Whether it is a map.
    pub(crate) fn is_map(&self) -> bool {
        matches!(self.kind, Kind::Map(_))
    }

    /// Whether it is a list.
    pub(crate) fn is_seq(&self) -> bool {
        matches!(self.kind, Kind::Seq(_))
    }

    /// The text of a scalar.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// Whether it is a scalar in quotes or a block scalar.
    pub(crate) fn quoted(&self) -> bool {
        matches!(self.kind, Kind::Scalar { quoted: true, .. })
    }

    /// Whether it is an unquoted empty value, `~` or `null`.
    pub(crate) fn is_null(&self) -> bool {
        match &self.kind {
            Kind::Scalar { text, quoted: false } => {
                matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL")
            }
            _ => false,
        }
    }

    /// The truth value of an unquoted `true`, `yes`, `on` and their opposites.
    pub(crate) fn boolean(&self) -> Option<bool> {
        match &self.kind {
            Kind::Scalar { text, quoted: false } => match text.to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" => Some(true),
                "false" | "no" | "off" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    /// The integer that a scalar is, quoted or not.
    pub(crate) fn integer(&self) -> Option<i64> {
        self.text()?.trim().replace('_', "").parse().ok()
    }

    /// The value of a key. Of duplicate keys the last counts, as loaders have it; own keys win over merged ones.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.get_entry(key).map(|(_, value)| value)
    }

    /// The value of a key together with the line of the key.
    pub(crate) fn get_entry(&self, key: &str) -> Option<(u32, &Node)> {
        let mut found = None;
        self.visit_maps(|entries| {
            let last = entries.iter().rev().find(|(name, _)| name.text() == Some(key));
            found = last.map(|(name, value)| (name.line, value.as_ref()));
            found.is_none()
        });
        found
    }

    /// The value at the end of a path of keys.
    pub(crate) fn path(&self, keys: &[&str]) -> Option<&Node> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// `(key, line of the key, value)` in order: own entries with their duplicates, then merged entries that are not
    /// among the own ones, with the line where they were written. Keys that are not scalars are left out.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&str, u32, &Node)> {
        let mut found: Vec<(&str, u32, &Node)> = Vec::new();
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        self.visit_maps(|entries| {
            let from = found.len();
            for (key, value) in entries {
                let Some(name) = key.text() else { continue };
                if (name == MERGE_KEY && !key.quoted()) || seen.contains(name) {
                    continue;
                }
                found.push((name, key.line, value));
            }
            seen.extend(found.iter().skip(from).map(|(name, _, _)| *name));
            true
        });
        found.into_iter()
    }

    /// The items of a list; nothing for anything else.
    pub(crate) fn items(&self) -> impl Iterator<Item = &Node> {
        let items: &[Arc<Node>] = match &self.kind {
            Kind::Seq(items) => items,
            _ => &[],
        };
        items.iter().map(AsRef::as_ref)
    }

    /// The node itself if it is a scalar, its scalar items if it is a list: for keys that take either.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, u32)> {
        let own = self
            .text()
            .filter(|_| !self.is_null())
            .map(|text| (text, self.line));
        own.into_iter().chain(
            self.items()
                .filter_map(|item| item.text().map(|text| (text, item.line))),
        )
    }

    /// Visits every node below this one (and this one) with its path of keys; a list item adds `[]` to the path.
    /// Stops after `budget` nodes and says whether it saw all of them.
    pub(crate) fn walk<'tree>(
        &'tree self,
        budget: usize,
        visit: &mut dyn FnMut(&[&'tree str], &'tree Node),
    ) -> bool {
        let mut path = Vec::new();
        let mut left = budget;
        self.walk_below(&mut path, &mut left, visit)
    }

    fn walk_below<'tree>(
        &'tree self,
        path: &mut Vec<&'tree str>,
        left: &mut usize,
        visit: &mut dyn FnMut(&[&'tree str], &'tree Node),
    ) -> bool {
        let Some(rest) = left.checked_sub(1) else {
            return false;
        };
        *left = rest;
        visit(path, self);
        match &self.kind {
            Kind::Scalar { .. } => true,
            Kind::Seq(items) => {
                path.push("[]");
                let complete = items.iter().all(|item| item.walk_below(path, left, visit));
                path.pop();
                complete
            }
            Kind::Map(_) => {
                let mut complete = true;
                for (key, _, value) in self.entries() {
                    path.push(key);
                    complete = value.walk_below(path, left, visit);
                    path.pop();
                    if !complete {
                        break;
                    }
                }
                complete
            }
        }
    }

    /// Calls `visit` with the entries of this map, then of each map merged into it, nearest first, each once, until it
    /// answers `false`.
    fn visit_maps<'tree>(&'tree self, mut visit: impl FnMut(&'tree [(Arc<Node>, Arc<Node>)]) -> bool) {
        let mut visited: BTreeSet<*const Node> = BTreeSet::new();
        let mut pending: Vec<&Node> = vec![self];
        while let Some(node) = pending.pop() {
            if let Kind::Seq(items) = &node.kind {
                // Only reached through a merge key: `<<: [*first, *second]`.
                if visited.insert(std::ptr::from_ref(node)) {
                    pending.extend(items.iter().rev().map(AsRef::as_ref));
                }
                continue;
            }
            let Kind::Map(entries) = &node.kind else { continue };
            if !visited.insert(std::ptr::from_ref(node)) {
                continue;
            }
            if !visit(entries) {
                return;
            }
            let merged = entries
                .iter()
                .rev()
                .filter(|(key, _)| key.text() == Some(MERGE_KEY) && !key.quoted());
            pending.extend(
                merged
                    .map(|(_, value)| value.as_ref())
                    .filter(|value| value.text().is_none()),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::yaml;

    fn entries(text: &str, key: &str) -> Vec<(String, u32, String)> {
        let (documents, problem) = yaml::documents(text);
        assert_eq!(problem, None);
        let node = documents[0].get(key).expect("key is there");
        node.entries()
            .map(|(key, line, value)| (key.into(), line, value.text().unwrap_or("-").into()))
            .collect()
    }

    #[test]
    fn merged_entries_come_after_own_ones_with_their_own_line() {
        let text =
            "base: &base\n  a: 1\n  b: 2\nmore: &more\n  b: 3\n  c: 4\nweb:\n  <<: [*base, *more]\n  a: 9\n";
        let expected = [("a", 9, "9"), ("b", 3, "2"), ("c", 6, "4")];
        assert_eq!(
            entries(text, "web"),
            expected.map(|(key, line, value)| (key.into(), line, value.into()))
        );
    }

    #[test]
    fn duplicates_stay_and_the_last_counts() {
        let text = "web:\n  a: 1\n  a: 2\n";
        assert_eq!(entries(text, "web").len(), 2);
        let (documents, _) = yaml::documents(text);
        assert_eq!(
            documents[0].path(&["web", "a"]).and_then(|node| node.text()),
            Some("2")
        );
    }

    #[test]
    fn a_walk_over_shared_aliases_keeps_to_its_budget() {
        let mut text = "a0: &a0 [x, x]\n".to_owned();
        for level in 1..40 {
            text.extend([format!("a{level}: &a{level} [*a{0}, *a{0}]\n", level - 1)]);
        }
        let (documents, problem) = yaml::documents(&text);
        assert_eq!(problem, None);
        let mut seen = 0;
        assert!(!documents[0].walk(10_000, &mut |_, _| seen += 1));
        assert_eq!(seen, 10_000);
    }

    #[test]
    fn merges_that_fan_out_are_visited_once() {
        let mut text = "a0: &a0 {k: v}\n".to_owned();
        for level in 1..40 {
            text.extend([format!("a{level}: &a{level}\n  <<: [*a{0}, *a{0}]\n", level - 1)]);
        }
        assert_eq!(entries(&text, "a39"), [("k".to_owned(), 1, "v".to_owned())]);
    }

    #[test]
    fn paths_of_a_walk_name_keys_and_items() {
        let (documents, _) = yaml::documents("a:\n  - b: 1\n");
        let mut paths = Vec::new();
        assert!(documents[0].walk(100, &mut |path, _| paths.push(path.join("."))));
        assert_eq!(paths, ["", "a", "a.[]", "a.[].b"]);
    }

    #[test]
    fn debug_prints_no_text() {
        let (documents, _) = yaml::documents("key: hunter2\n");
        assert_eq!(format!("{documents:?}"), "[Map(line 1)]");
    }
}
