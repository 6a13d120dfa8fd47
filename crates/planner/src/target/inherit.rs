//! A target that builds upon another one: its `target.toml` names the other by `extends` and states only what differs.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use super::TemplateError;
use crate::render::Templates;

/// The key that names the target to build upon.
const EXTENDS: &str = "extends";
/// Ids of inherited steps that the target does not have.
const OMIT: &str = "omit-steps";
/// Is it no target, but what several targets build upon?
const ABSTRACT: &str = "abstract";
/// In a step of its own: the id of the step that it follows.
const AFTER: &str = "after";
/// A chain that is longer names itself.
const LONGEST: usize = 8;

/// The content of a target's file with everything that it inherits, and the folders in which its templates are looked
/// for, its own first.
#[derive(Debug)]
pub(super) struct Inherited {
    pub(super) content: Table,
    pub(super) lineage: Vec<String>,
}

/// Reads every `targets/<id>/target.toml` and fills in what each inherits.
pub(super) fn load(templates: &Templates) -> Result<BTreeMap<String, Inherited>, TemplateError> {
    let mut own: BTreeMap<String, Table> = BTreeMap::new();
    for (path, content) in templates.files() {
        if let Some(id) = path
            .strip_prefix("targets/")
            .and_then(|rest| rest.strip_suffix("/target.toml"))
        {
            own.insert(id.to_owned(), Templates::parse(path, content)?);
        }
    }
    let folders: BTreeSet<&str> = templates
        .files()
        .filter_map(|(path, _)| path.strip_prefix("targets/")?.split('/').next())
        .collect();
    let is_abstract = |id: &str| {
        own.get(id)
            .and_then(|table| table.get(ABSTRACT))
            .and_then(Value::as_bool)
            .unwrap_or(false)
    };
    own.keys()
        .filter(|id| !is_abstract(id))
        .map(|id| Ok((id.clone(), inherited(id, &own, &folders, LONGEST)?)))
        .collect()
}

fn inherited(
    id: &str,
    own: &BTreeMap<String, Table>,
    folders: &BTreeSet<&str>,
    left: usize,
) -> Result<Inherited, TemplateError> {
    let refuse = |message: String| TemplateError {
        file: format!("targets/{id}/target.toml"),
        message,
    };
    // A folder without a target's file only holds templates for others.
    let mut table = own.get(id).cloned().unwrap_or_default();
    table.remove(ABSTRACT);
    let Some(extends) = table.remove(EXTENDS) else {
        return Ok(Inherited {
            content: table,
            lineage: vec![id.to_owned()],
        });
    };
    let parent = extends
        .as_str()
        .filter(|parent| folders.contains(parent) && left > 0)
        .ok_or_else(|| refuse(format!("`{EXTENDS}` names no folder that it can build upon")))?;
    let mut result = inherited(parent, own, folders, left - 1)?;
    let omitted: Vec<String> = match table.remove(OMIT) {
        Some(list) => list
            .try_into()
            .map_err(|_| refuse(format!("`{OMIT}` is a list of ids")))?,
        None => Vec::new(),
    };
    for (key, value) in table {
        match (key.as_str(), result.content.remove(&key), value) {
            ("step", Some(Value::Array(theirs)), Value::Array(ours)) => {
                let steps = steps(theirs, ours, &omitted).map_err(&refuse)?;
                result.content.insert(key, Value::Array(steps));
            }
            ("parameter" | "tool", Some(Value::Array(theirs)), Value::Array(ours)) => {
                result
                    .content
                    .insert(key, Value::Array(first_of_name(ours, theirs, "name")));
            }
            ("access", Some(Value::Array(theirs)), Value::Array(ours)) => {
                result
                    .content
                    .insert(key, Value::Array(first_of_name(ours, theirs, "who")));
            }
            ("facts" | "assumption" | "question", Some(Value::Table(mut theirs)), Value::Table(ours)) => {
                theirs.extend(ours);
                result.content.insert(key, Value::Table(theirs));
            }
            (_, _, ours) => {
                result.content.insert(key, ours);
            }
        }
    }
    result.lineage.insert(0, id.to_owned());
    Ok(result)
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

/// The inherited steps with the target's changes, and its own ones behind the step that they name.
fn steps(theirs: Vec<Value>, ours: Vec<Value>, omitted: &[String]) -> Result<Vec<Value>, String> {
    let mut list: Vec<Value> = theirs
        .into_iter()
        .filter(|step| text(step, "id").is_none_or(|id| !omitted.iter().any(|omitted| omitted == id)))
        .collect();
    // Several that follow the same step keep their order.
    let mut followers: BTreeMap<String, usize> = BTreeMap::new();
    for step in ours {
        let id = text(&step, "id").unwrap_or_default().to_owned();
        let known = list
            .iter()
            .position(|other| text(other, "id") == Some(id.as_str()));
        if let Some(Value::Table(inherited)) = known.and_then(|at| list.get_mut(at)) {
            if let Value::Table(changes) = step {
                inherited.extend(changes);
            }
            continue;
        }
        let Value::Table(mut step) = step else { continue };
        let Some(Value::String(anchor)) = step.remove(AFTER) else {
            return Err(format!(
                "step `{id}` is new here and does not say `{AFTER}` which step it comes"
            ));
        };
        let at = list
            .iter()
            .position(|other| text(other, "id") == Some(anchor.as_str()))
            .ok_or_else(|| format!("step `{id}` comes after `{anchor}`, which is not there"))?;
        let follower = followers.entry(anchor).or_default();
        *follower += 1;
        list.insert((at + *follower).min(list.len()), Value::Table(step));
    }
    Ok(list)
}

/// Both lists, without what the second repeats by name.
fn first_of_name(ours: Vec<Value>, theirs: Vec<Value>, key: &str) -> Vec<Value> {
    let mut list = ours;
    for other in theirs {
        if !list.iter().any(|own| text(own, key) == text(&other, key)) {
            list.push(other);
        }
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = r#"
        name = "Base"
        as-of = "2026-01-01"
        [facts]
        one = 1
        two = 2
        [[step]]
        id = "a"
        [[step]]
        id = "b"
        title = "B"
        [[step]]
        id = "c"
        [[tool]]
        name = "x"
        version = "1"
    "#;

    fn load_with(child: &str) -> Result<BTreeMap<String, Inherited>, TemplateError> {
        let files = BTreeMap::from([
            ("targets/base/target.toml".to_owned(), BASE.to_owned()),
            ("targets/child/target.toml".to_owned(), child.to_owned()),
        ]);
        load(&Templates::default().with_overlay(files))
    }

    #[test]
    fn what_differs_is_enough() {
        let child = r#"
            extends = "base"
            name = "Child"
            omit-steps = ["c"]
            [facts]
            two = 3
            [[step]]
            id = "b"
            title = "Ours"
            [[step]]
            id = "first"
            after = "a"
            [[step]]
            id = "second"
            after = "a"
            [[tool]]
            name = "x"
            version = "2"
            [[tool]]
            name = "y"
        "#;
        let all = load_with(child).expect("in order");
        let child = all.get("child").expect("it is there");
        assert_eq!(child.lineage, ["child", "base"]);
        let content = &child.content;
        let names = |key: &str, name: &str| -> Vec<String> {
            content
                .get(key)
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(|entry| text(entry, name).map(str::to_owned))
                .collect()
        };
        assert_eq!(names("step", "id"), ["a", "first", "second", "b"]);
        assert_eq!(names("step", "title"), ["Ours"]);
        assert_eq!(names("tool", "version"), ["2"]);
        assert_eq!(names("tool", "name"), ["x", "y"]);
        assert_eq!(content.get("as-of").and_then(Value::as_str), Some("2026-01-01"));
        let fact = |name: &str| {
            content
                .get("facts")
                .and_then(|facts| facts.get(name))
                .and_then(Value::as_integer)
        };
        assert_eq!((fact("one"), fact("two")), (Some(1), Some(3)));
    }

    #[test]
    fn a_circle_and_a_lost_step_are_errors() {
        for child in [
            "extends = \"child\"",
            "extends = \"nobody\"",
            "extends = \"base\"\n[[step]]\nid = \"z\"",
            "extends = \"base\"\n[[step]]\nid = \"z\"\nafter = \"nowhere\"",
        ] {
            assert!(load_with(child).is_err(), "{child}");
        }
    }
}
