//! What holds for every template, whatever the inventory.

use super::Templates;
use super::filters::{FENCE_FILTERS, MARKDOWN_FILTERS};
use crate::target::Targets;

/// The last filter of an expression.
fn last_filter(expression: &str) -> Option<&str> {
    let (mut depth, mut quoted, mut at) = (0i32, false, None);
    for (index, c) in expression.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '(' | '[' if !quoted => depth += 1,
            ')' | ']' if !quoted => depth -= 1,
            '|' if !quoted && depth == 0 => at = Some(index + 1),
            _ => {}
        }
    }
    let filter = expression.get(at?..)?.trim();
    Some(filter.split('(').next().unwrap_or(filter).trim())
}

fn is_toml(path: &str) -> bool {
    path.rsplit_once('.')
        .is_some_and(|(_, extension)| extension == "toml")
}

#[test]
fn every_expression_ends_in_a_filter_for_its_place() {
    let mut wrong = Vec::new();
    for (path, content) in Templates::default().files() {
        // A file that another one includes inside its fence says so in its first line.
        let mut fenced = content.starts_with("{# inside a fence -#}");
        for (number, line) in content.lines().enumerate() {
            if is_toml(path) && line.trim_start().starts_with('#') {
                continue;
            }
            if line.trim_start().starts_with("```") {
                fenced = !fenced;
                continue;
            }
            let known = if fenced { FENCE_FILTERS } else { MARKDOWN_FILTERS };
            // `${{` is how a platform writes a reference of its own.
            let line = line.replace("${{", "$");
            for part in line.split("{{").skip(1) {
                let expression = part.split("}}").next().unwrap_or_default().trim();
                // A component escapes inside itself.
                if expression.starts_with('<') {
                    continue;
                }
                let ok = match last_filter(expression) {
                    Some(filter) => {
                        known.contains(&filter)
                            // The values of parameters are Markdown's source and shell's text at once: judged there.
                            // Components may stand in fences.
                            || (is_toml(path) || path == "components.md")
                                && FENCE_FILTERS.contains(&filter)
                    }
                    None => false,
                };
                if !ok {
                    wrong.push(format!("{path}:{}: {expression}", number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_template_sets_a_moving_tag_or_a_placeholder_of_its_own() {
    for (path, content) in Templates::default().files() {
        assert!(!content.contains(":latest"), "{path}");
        for placeholder in [
            concat!("TO", "DO"),
            concat!("FIX", "ME"),
            "TBD",
            concat!("X", "XX"),
            "<your",
            "<YOUR_",
        ] {
            let found = content.replace("<YOUR_VALUE_HERE>", "").contains(placeholder);
            assert!(!found, "{path}: {placeholder}");
        }
    }
}

#[test]
fn last_filters_are_seen() {
    assert_eq!(last_filter("x | code"), Some("code"));
    assert_eq!(last_filter("x | evidence(max=1)"), Some("evidence"));
    assert_eq!(last_filter("(a | b) | text(missing=\"|\")"), Some("text"));
    assert_eq!(last_filter("x"), None);
}

#[test]
fn steps_settle_rules_that_exist_and_rights_name_steps_of_the_target() {
    let targets = Targets::load(&Templates::default()).expect("the folder is in order");
    for target in targets.iter() {
        let rules = target
            .steps
            .iter()
            .flat_map(|step| &step.settles)
            .chain(&target.settles);
        for id in rules {
            assert!(
                crate::rule::rule(id).is_some(),
                "{}: there is no rule `{id}`",
                target.id
            );
        }
        let mut seen = std::collections::BTreeSet::new();
        for step in &target.steps {
            assert!(seen.insert(&step.id), "{}: `{}` stands twice", target.id, step.id);
        }
    }
}
