//! Builds that leak on purpose are caught: whichever of type, scrub and gate is switched off, the next one holds, and with
//! all of them off the corpus's own search finds the secret.

use playbook_core::inventory::Inventory;
use playbook_core::secret::Withheld;
use playbook_core::shown::{REDACTED, Shown};
use playbook_planner::context::{Context, Settings};
use playbook_planner::gate::{What, gate};
use playbook_planner::render::{Templates, document, json};
use playbook_planner::target::Targets;
use playbook_scanner::{Scan, scan_texts};
use std::fmt::Write as _;

use super::forms::{Forms, base64, in_address};
use super::kinds::Secret;
use crate::support::DATE;

/// Neither a token by its shape nor random by its letters: only its place says that it is a secret.
const SECRET: &str = "Zavoxujaf&Kajubavox'Wu";

fn scan() -> Scan {
    let settings = format!("DB_PASSWORD=\"{SECRET}\"\n");
    scan_texts(
        [
            (".env", settings.as_str()),
            ("Procfile", "web: uvicorn main:app\n"),
            ("main.py", "from fastapi import FastAPI\napp = FastAPI()\n"),
            ("requirements.txt", "fastapi==0.115.0\nuvicorn==0.30.0\n"),
        ],
        "shop",
    )
}

/// What the program would print in both formats.
fn printed(inventory: &Inventory, withheld: &Withheld) -> [String; 2] {
    let templates = Templates::default();
    let targets = Targets::load(&templates).expect("the built-in targets are right");
    let settings = Settings {
        date: Some(DATE.to_owned()),
        ..Settings::default()
    };
    let context = Context::new(inventory, settings, &targets).expect("the settings are right");
    [
        json(inventory, &[], &context, withheld).expect("JSON is not refused"),
        document(inventory, &context, &[], withheld, &templates).expect("the plan is not refused"),
    ]
}

fn disguises() -> Vec<String> {
    vec![
        SECRET.to_owned(),
        SECRET.chars().rev().collect(),
        base64(SECRET.as_bytes(), 0),
        base64(SECRET.as_bytes(), 1),
        base64(SECRET.as_bytes(), 2),
        in_address(SECRET),
        SECRET.replace('&', "&amp;").replace('\'', "&#39;"),
        SECRET.replace('\'', "'\\''"),
        SECRET.bytes().fold(String::new(), |mut out, byte| {
            let _ = write!(out, "{byte:02x}");
            out
        }),
    ]
}

/// An inventory as a build would make it whose printable type takes any text.
fn without_the_type(scan: &Scan, text: &str) -> Inventory {
    let text: &'static str = Box::leak(format!("uses {text} there").into_boxed_str());
    let mut inventory = scan.inventory.clone();
    inventory.project.description = Some(Shown::from(text));
    inventory
}

#[test]
fn without_the_type_the_value_is_scrubbed() {
    let scan = scan();
    let forms = Forms::new(&[Secret::whole(0, SECRET.to_owned())]);
    for disguise in disguises() {
        let inventory = without_the_type(&scan, &disguise);
        for text in printed(&inventory, &scan.withheld) {
            assert!(forms.find(&text).is_empty(), "{disguise}");
        }
        let [json, _] = printed(&inventory, &scan.withheld);
        assert!(
            json.contains(&format!("\"description\": \"{REDACTED}\"")),
            "{disguise}"
        );
    }
}

#[test]
fn without_type_and_scrub_the_gate_refuses_and_names_the_field() {
    let scan = scan();
    for disguise in disguises() {
        let [text, _] = printed(&without_the_type(&scan, &disguise), &Withheld::new());
        let refusal = gate(&text, &scan.withheld, &|_| false).expect_err(&disguise);
        assert_eq!(refusal.what, What::WithheldValue, "{disguise}");
        let message = refusal.to_string();
        assert!(message.contains("(project.description)"), "{message}");
        assert!(
            !message.contains(&disguise) && !message.contains(SECRET),
            "{message}"
        );
        assert!(!format!("{refusal:?}").contains(&disguise));
    }
}

#[test]
fn without_any_of_them_the_corpus_finds_it() {
    let scan = scan();
    let forms = Forms::new(&[Secret::whole(0, SECRET.to_owned())]);
    for disguise in disguises() {
        let [text, _] = printed(&without_the_type(&scan, &disguise), &Withheld::new());
        assert_eq!(forms.find(&text).len(), 1, "{disguise}");
    }
    // The same build without a leak is clean: the search does not find what is not there.
    for text in printed(&scan.inventory, &Withheld::new()) {
        assert!(forms.find(&text).is_empty());
    }
}

/// What can be printed for debugging says nothing either.
#[test]
fn debug_formatting_shows_nothing() {
    let scan = scan();
    let texts = [
        format!("{scan:?}"),
        format!("{:#?}", scan.inventory),
        format!("{:?}", scan.withheld),
        format!("{:?}", playbook_core::raw::Raw::new(SECRET)),
    ];
    let forms = Forms::new(&[Secret::whole(0, SECRET.to_owned())]);
    for text in texts {
        assert!(forms.find(&text).is_empty());
    }
}
