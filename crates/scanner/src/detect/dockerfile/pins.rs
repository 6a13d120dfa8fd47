//! Versions of runtimes and tools that a Dockerfile fixes: by its base images, by images it copies from, by arguments
//! such as `NODE_VERSION`, and by installing `pnpm@10.1.0` or `poetry==2.1`.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use playbook_core::evidence::Scope;
use playbook_core::harmless::{ImageRef, Version};
use playbook_core::inventory::VersionPin;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Group};
use regex::Regex;

use crate::fact::Facts;
use crate::parse::dockerfile::{Dockerfile, Instruction};
use crate::source::Source;

/// `temurin-17`, `jdk21`, `php8.3`: the runtime inside an image that is named for something else.
static INNER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?:^|[-_])(jdk|jre|temurin|openjdk|corretto|java|php|python|nodejs|node|ruby|rust|golang|go|elixir)-?(\d+(?:\.\d+)*)",
    )
    .ok()
});

pub(super) fn collect(source: &Source<'_>, facts: &mut Facts, file: &Dockerfile, scope: Scope) {
    let mut seen: BTreeSet<(String, String)> = BTreeSet::new();
    let mut pin = |tool: &'static str, version: &str, line: u32| {
        let Some(version) = Version::parse(Raw::new(version)) else {
            return;
        };
        if seen.insert((tool.to_owned(), version.to_string())) {
            facts.version_pins.push(VersionPin {
                tool: Shown::from(tool),
                version: version.into(),
                path: source.path.parent(),
                scope,
                evidence: vec![source.at(line)],
            });
        }
    };
    for stage in file.stages.iter().filter(|stage| stage.base_stage.is_none()) {
        for (tool, version) in of_image(&stage.base) {
            pin(tool, &version, stage.line);
        }
    }
    for stage in &file.stages {
        for copy in file.copies(stage) {
            let Some(from) = copy.from.filter(|from| file.stage_named(from).is_none()) else {
                continue;
            };
            for (tool, version) in of_image(&file.expand(stage, from)) {
                pin(tool, &version, copy.line);
            }
        }
    }
    let arguments = file
        .global_args
        .iter()
        .map(|argument| (argument.name.clone(), argument.value.clone(), argument.line));
    let of_stages = file.stages.iter().flat_map(|stage| {
        let set = stage.all("ENV").chain(stage.all("ARG"));
        set.flat_map(Instruction::variables)
            .map(|variable| (variable.name, variable.value, variable.line))
            .collect::<Vec<_>>()
    });
    for (name, value, line) in arguments.chain(of_stages) {
        if let (Some(tool), Some(value)) = (tool_of_variable(&name), value) {
            pin(tool, value.trim(), line);
        }
    }
    for (command, line, _) in super::commands_of_build(file) {
        for word in command.split_whitespace() {
            if let Some((tool, version)) = of_word(word) {
                pin(tool, version, line);
            }
        }
    }
}

/// Images whose own number is not that of the runtime inside.
const NUMBERED_BY_THEMSELVES: [&str; 5] = [
    "frankenphp",
    "cargo-chef",
    "uvicorn-gunicorn",
    "uvicorn-gunicorn-fastapi",
    "meinheld-gunicorn",
];

/// The tools and runtimes that an image brings, with the versions its name and tag state.
fn of_image(text: &str) -> Vec<(&'static str, String)> {
    let Some(image) = ImageRef::parse(Raw::new(text)) else {
        return Vec::new();
    };
    let catalogue = Catalogue::get();
    let name = image.without_tag();
    let last = name.rsplit('/').next().unwrap_or(name);
    let known = catalogue.by_image(name);
    let runtime = known
        .iter()
        .map(|found| found.technology)
        .find(|technology| technology.group == Group::Runtime)
        .map(|technology| technology.id)
        .or_else(|| {
            let base = catalogue.base_image(name, image.tag()).or_else(|| {
                known
                    .iter()
                    .map(|found| found.technology)
                    .find(|known| known.image.is_some())
            })?;
            base.image.as_ref()?.runtime
        });
    let version = image.version().map(str::to_owned).or_else(|| {
        let tag = image.tag()?.split('-').next()?;
        (tag == "lts").then(|| tag.to_owned())
    });
    let manager = catalogue
        .find(Group::PackageManager, last)
        .map(|manager| manager.id);
    // The part of the tag or name that names the runtime is better than the tag's own number.
    let inner = runtime.and_then(|runtime| {
        [image.tag().unwrap_or_default(), last]
            .into_iter()
            .find_map(|text| inner_version(text, runtime))
    });
    let mut found = Vec::new();
    if let (Some(manager), Some(version)) = (manager, &version) {
        found.push((manager, version.clone()));
    }
    if let Some(runtime) = runtime {
        let own = version.filter(|_| manager.is_none() && !NUMBERED_BY_THEMSELVES.contains(&last));
        found.extend(inner.or(own).map(|version| (runtime, version)));
    }
    found
}

/// The version behind the runtime's own name in a tag or name: `17` of `3.9-eclipse-temurin-17`.
fn inner_version(text: &str, runtime: &str) -> Option<String> {
    let found = INNER.as_ref()?.captures_iter(text).find(|found| {
        let word = found.get(1).map_or("", |word| word.as_str());
        match runtime {
            "jvm" => matches!(word, "jdk" | "jre" | "temurin" | "openjdk" | "corretto" | "java"),
            "node" => matches!(word, "node" | "nodejs"),
            "go" => matches!(word, "go" | "golang"),
            "beam" => word == "elixir",
            other => word == other,
        }
    })?;
    Some(found.get(2)?.as_str().to_owned())
}

/// The tool of a variable such as `NODE_VERSION` or `POETRY_VERSION`.
pub(crate) fn tool_of_variable(name: &str) -> Option<&'static str> {
    let stem = name.to_ascii_lowercase();
    tool(&stem.strip_suffix("_version")?.replace('_', "-"))
}

fn tool(slug: &str) -> Option<&'static str> {
    let slug = match slug {
        "golang" => "go",
        "nodejs" => "node",
        "java" | "jdk" => "jvm",
        "elixir" => "beam",
        other => other,
    };
    [Group::Runtime, Group::PackageManager]
        .into_iter()
        .find_map(|group| Catalogue::get().find(group, slug))
        .map(|technology| technology.id)
}

/// `pnpm@10.1.0`, `poetry==2.1`.
fn of_word(word: &str) -> Option<(&'static str, &str)> {
    let word = word.trim_matches(['"', '\'', ';']);
    let (name, version) = word.split_once("==").or_else(|| word.split_once('@'))?;
    let exact = version.starts_with(|c: char| c.is_ascii_digit());
    tool(name).filter(|_| exact).map(|tool| (tool, version))
}
