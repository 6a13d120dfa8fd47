//! Whole plans for hand-made inventories.

use std::collections::BTreeMap;

use playbook_core::evidence::Confidence;
use playbook_core::finding::{Finding, Severity};
use playbook_core::inventory::Inventory;
use playbook_core::raw::Raw;
use playbook_core::secret::Withheld;
use playbook_core::shown::Shown;

use super::{Refused, Templates, document, json};
use crate::context::{Environment, Settings};
use crate::target::{Reason, Targets};
use crate::testing::{api_with_database, at, context_for, name, stack};

fn finding(rule: &'static str, severity: Severity) -> Finding {
    Finding {
        rule: Shown::from(rule),
        severity,
        title: Shown::from("Nothing migrates the schema"),
        detail: Shown::fill("`{}` starts without it", &[&name("backend")]),
        fix: Shown::from("run the step before each version"),
        confidence: Confidence::Stated,
        section: 5,
        evidence: vec![at("backend/Dockerfile", 30)],
    }
}

fn plan(inventory: &Inventory, settings: Settings, findings: &[Finding]) -> String {
    let context = context_for(inventory, settings);
    match document(
        inventory,
        &context,
        findings,
        &Withheld::new(),
        &Templates::default(),
    ) {
        Ok(text) => text,
        Err(refused) => panic!("{}: {refused}", context.target.id),
    }
}

fn for_target(target: &str) -> Settings {
    Settings {
        target: Some(target.to_owned()),
        ..Settings::default()
    }
}

/// Writes the plans of the tests where a developer can read them and hold them against other tools.
fn keep(file: &str, text: &str) {
    if let Some(folder) = option_env!("PLAYBOOK_KEEP_PLANS") {
        #[expect(clippy::disallowed_methods, reason = "a developer asked for the file")]
        std::fs::write(std::path::Path::new(folder).join(file), text).expect("the folder can be written");
    }
}

#[test]
fn every_target_renders_every_inventory() {
    let inventories = [("api", api_with_database()), ("nothing", Inventory::empty())];
    let targets = Targets::load(&Templates::default()).expect("the folder is in order");
    for target in targets.iter().map(|target| target.id.as_str()) {
        for (case, inventory) in &inventories {
            let findings = [
                finding("migrations-no-deploy-hook", Severity::High),
                finding("dockerfile-root-user", Severity::Medium),
            ];
            let text = plan(
                inventory,
                for_target(target),
                if *case == "api" { &findings } else { &[] },
            );
            keep(&format!("{case}-{target}.md"), &text);
            // Sections are tested where they are made; here stand the parts around them.
            if target == "compose" {
                let before = text.split("\n## 1. ").next().unwrap_or_default();
                insta::assert_snapshot!(format!("{case}-before-the-sections"), before);
            }
        }
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let inventory = api_with_database();
    assert_eq!(
        plan(&inventory, Settings::default(), &[]),
        plan(&inventory, Settings::default(), &[])
    );
}

#[test]
fn the_repositorys_own_deployment_decides_the_target() {
    let inventory = api_with_database();
    let context = context_for(&inventory, Settings::default());
    assert_eq!(context.target.id, "compose");
    assert_eq!(context.inference.reason, Reason::Stack);
    assert_eq!(context.target_reason, "compose.deploy.yml:1");

    let mut blueprint = api_with_database();
    blueprint.stacks = vec![stack(
        "render",
        &["render.yaml"],
        vec![playbook_core::inventory::Unit::new(name("web"), name("web"))],
    )];
    assert_eq!(context_for(&blueprint, Settings::default()).target.id, "render");

    let nothing = Inventory::empty();
    let context = context_for(&nothing, Settings::default());
    assert_eq!(
        (context.target.id.as_str(), context.inference.reason),
        ("compose", Reason::Nothing)
    );
    assert_eq!(context.environment, Environment::Production);
}

#[test]
fn a_platform_without_a_target_is_named() {
    let mut inventory = api_with_database();
    inventory.stacks = vec![stack(
        "kamal",
        &["config/deploy.yml"],
        vec![playbook_core::inventory::Unit::new(name("app"), name("app"))],
    )];
    inventory.infrastructure.clear();
    let context = context_for(&inventory, Settings::default());
    assert_eq!(context.target.id, "compose");
    let text = plan(&inventory, Settings::default(), &[]);
    assert!(
        text.contains("The repository names Kamal (`config/deploy.yml:1`), for which there is no target")
    );
}

#[test]
fn settings_are_judged_and_quoted_nowhere() {
    let targets = Targets::load(&Templates::default()).expect("the folder is in order");
    let inventory = Inventory::empty();
    let refuse = |settings: Settings| {
        let error = crate::context::Context::new(&inventory, settings, &targets).expect_err("refused");
        format!("{error}; {}", error.hint())
    };
    let base = || Settings {
        date: Some("2026-11-20".to_owned()),
        ..Settings::default()
    };
    let set = |name: &str, value: &str| Settings {
        set: BTreeMap::from([(name.to_owned(), value.to_owned())]),
        ..base()
    };
    let errors = [
        refuse(Settings {
            target: Some("hunter2".to_owned()),
            ..base()
        }),
        refuse(Settings {
            environment: Some("hunter2".to_owned()),
            ..base()
        }),
        refuse(Settings {
            domain: Some("https://hunter2/".to_owned()),
            ..base()
        }),
        refuse(Settings {
            replicas: Some(0),
            ..base()
        }),
        refuse(Settings {
            budget: Some("$(hunter2)".to_owned()),
            ..base()
        }),
        refuse(Settings {
            date: Some("hunter2".to_owned()),
            ..base()
        }),
        refuse(Settings::default()),
        refuse(set("API_KEY", "hunter2")),
        refuse(set("hunter2;", "x")),
        refuse(set("HOST", "$(hunter2)")),
    ];
    insta::assert_snapshot!(errors.join("\n"));
    for error in errors {
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn withheld_values_are_taken_out_or_refused() {
    let inventory = api_with_database();
    let context = context_for(&inventory, Settings::default());
    let mut withheld = Withheld::new();
    withheld.add(Raw::new("Blue-Horse-Lamp-9"));
    let mut leaky = finding("x", Severity::Low);
    leaky.detail = Shown::from("the value is Blue-Horse-Lamp-9");
    let text = document(&inventory, &context, &[leaky], &withheld, &Templates::default()).expect("taken out");
    assert!(!text.contains("Blue-Horse-Lamp-9"));

    // The folder's own words can't be scrubbed; the user's folder is not ours, so its words are refused.
    let overlay = BTreeMap::from([(
        "sections/11-docker.md".to_owned(),
        "Blue-Horse-{{ \"Lamp\" | text }}-9".to_owned(),
    )]);
    let templates = Templates::default().with_overlay(overlay);
    assert!(matches!(
        document(&inventory, &context, &[], &withheld, &templates),
        Err(Refused::Secret(_))
    ));
}

#[test]
fn json_carries_target_and_findings() {
    let inventory = api_with_database();
    let context = context_for(&inventory, Settings::default());
    let text = json(
        &inventory,
        &[finding("x", Severity::Low)],
        &context,
        &Withheld::new(),
    )
    .expect("nothing is withheld");
    let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(value["schema"], "playbook.inventory/1");
    assert_eq!(value["target"]["platform"], "compose");
    assert_eq!(value["target"]["inferred_from"], "compose.deploy.yml:1");
    assert_eq!(value["findings"][0]["rule"], "x");
}

#[test]
fn users_lay_their_own_templates_over_ours() {
    let overlay = BTreeMap::from([(
        "sections/11-docker.md".to_owned(),
        "Ours: {{ head.project.name | code }}\n".to_owned(),
    )]);
    let inventory = api_with_database();
    let context = context_for(&inventory, Settings::default());
    let templates = Templates::default().with_overlay(overlay);
    let text = document(&inventory, &context, &[], &Withheld::new(), &templates).expect("a plan");
    assert!(text.contains("\nOurs: `bookings`\n"));

    let overlay = BTreeMap::from([(
        "sections/11-docker.md".to_owned(),
        "{{ head.project.name | safe }}".to_owned(),
    )]);
    let templates = Templates::default().with_overlay(overlay);
    assert!(matches!(
        document(&inventory, &context, &[], &Withheld::new(), &templates),
        Err(Refused::Template(_))
    ));
}
