//! Whether the image can build and run what the code is compiled for.

use std::collections::BTreeMap;

use playbook_core::evidence::Evidence;
use playbook_core::finding::Severity;
use playbook_core::harmless::version_numbers;
use playbook_core::inventory::{Inventory, VersionPin};
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Group};

use super::facts::{Context, code};
use crate::rule::{Findings, Rule};

pub(super) const RULES: &[&Rule] = &[&OLDER_IMAGE];

static OLDER_IMAGE: Rule = Rule {
    id: "image-older-than-target",
    severity: Severity::Blocker,
    section: 3,
    title: "The image is older than the runtime for which the code is compiled",
    why: "The build stops, or what was built elsewhere does not start: an older runtime refuses it.",
    fix: "Raise the base images to the version that the project files name.",
    check: older_image,
};

fn older_image(inventory: &Inventory, _: &Context, findings: &mut Findings) {
    let mut groups: BTreeMap<(Shown, Shown, Shown), Vec<Evidence>> = BTreeMap::new();
    for service in inventory.services.iter().filter(|service| service.is_own()) {
        let runtime = &service.runtime;
        let (Some(name), Some(target), Some(source), Some(dockerfile)) = (
            &runtime.name,
            &runtime.version,
            &runtime.version_source,
            &service.dockerfile,
        ) else {
            continue;
        };
        if source.path == *dockerfile {
            continue;
        }
        let is_of_image = |pin: &&VersionPin| {
            pin.tool == *name && pin.evidence.iter().any(|place| place.path == *dockerfile)
        };
        for pin in inventory.version_pins.iter().filter(is_of_image) {
            let (Some(has), Some(wants)) = (
                version_numbers(pin.version.as_str()).first().copied(),
                version_numbers(target.as_str()).first().copied(),
            ) else {
                continue;
            };
            if has < wants {
                let places = groups
                    .entry((name.clone(), pin.version.clone(), target.clone()))
                    .or_default();
                places.push(source.clone());
                places.extend(
                    pin.evidence
                        .iter()
                        .filter(|place| place.path == *dockerfile)
                        .cloned(),
                );
            }
        }
    }
    for ((name, has, wants), mut places) in groups {
        places.sort();
        places.dedup();
        let called = Catalogue::get()
            .find(Group::Runtime, name.as_str())
            .map_or(name, |technology| Shown::from(technology.name));
        findings.add(
            Shown::fill(
                "The code is compiled for {} {}, the image has {}.",
                &[&called, &code(&wants), &code(&has)],
            ),
            places,
        );
    }
}

#[cfg(test)]
mod tests {
    use playbook_core::evidence::Scope;
    use playbook_core::inventory::{Role, Runtime, VersionPin};

    use super::super::testing::*;

    #[test]
    fn the_image_has_what_the_code_is_compiled_for() {
        let id = "image-older-than-target";
        let build = |image: &'static str| {
            inventory(|all| {
                let mut api = service("api", Role::Web, "dotnet Api.dll");
                api.dockerfile = Some(path("Dockerfile"));
                api.runtime = Runtime {
                    name: Some("dotnet".into()),
                    version: Some("10.0".into()),
                    version_source: Some(place("Directory.Build.props", 4)),
                };
                all.services.push(api);
                all.version_pins.push(VersionPin {
                    tool: "dotnet".into(),
                    version: image.into(),
                    path: path("Dockerfile").parent(),
                    scope: Scope::Production,
                    evidence: vec![place("Dockerfile", 1)],
                });
            })
        };
        assert_eq!(
            fires(id, &build("9.0"), "compose").evidence,
            [place("Directory.Build.props", 4), place("Dockerfile", 1)]
        );
        silent(id, &build("10.0"), "compose");
    }
}
