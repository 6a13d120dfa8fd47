//! What holds for every template, whatever the inventory.

use super::Templates;
use crate::target::Targets;

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
