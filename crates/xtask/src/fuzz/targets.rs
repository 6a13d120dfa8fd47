//! What is fuzzed: each parser, the lexer, the redactor, one file through all detectors, whole repositories through
//! everything that the program does, and the user's settings.

use std::collections::BTreeMap;

use playbook_core::harmless::{
    self, CommandLine, CommitId, EnvName, Host, HttpUrl, ImageRef, Name, Schedule, Sentence, Setting, Symbol,
    UrlPath, Version,
};
use playbook_core::inventory::Inventory;
use playbook_core::raw::Raw;
use playbook_core::secret::{self, Search, Withheld};
use playbook_planner::context::{Context, Settings};
use playbook_planner::gate;
use playbook_planner::render::{self, Templates};
use playbook_planner::rule::assess;
use playbook_planner::target::Targets;
use playbook_scanner::{Scan, fuzzing};

use super::corpus::{Corpus, Seed};
use super::mutate::{Random, mutate};

/// Targets that are not one parser.
const WHOLE: [&str; 4] = ["redactor", "files", "pipeline", "settings"];

/// Marks the start of a file in an input that holds several.
const MARK: &str = "\u{1}== ";

/// What an input may cost: processor time in milliseconds, and in microseconds for each 100 bytes of it.
#[derive(Clone, Copy)]
pub(crate) struct Bound {
    pub(crate) base: u64,
    pub(crate) per_100_bytes: u64,
}

/// The names of all targets.
pub(crate) fn names() -> Vec<&'static str> {
    fuzzing::targets()
        .iter()
        .map(|target| target.name)
        .chain(WHOLE)
        .collect()
}

/// The bound of a target. Everything is far below; a scanner that is quadratic is not.
pub(crate) fn bound(target: &str) -> Bound {
    match target {
        "pipeline" | "settings" => Bound {
            base: 3_000,
            per_100_bytes: 1_000,
        },
        "files" => Bound {
            base: 400,
            per_100_bytes: 1_000,
        },
        // Every language in turn.
        "lexer" => Bound {
            base: 300,
            per_100_bytes: 800,
        },
        _ => Bound {
            base: 100,
            per_100_bytes: 150,
        },
    }
}

/// The input of a number.
pub(crate) fn input(target: &str, corpus: &Corpus, seed: u64, number: u64) -> Vec<u8> {
    let mut random = Random::new(seed, number);
    match target {
        "files" => {
            let all: Vec<&Seed> = corpus.seeds.iter().collect();
            let seed = *random.one(&all);
            let others = neighbours(corpus, seed.repository);
            // Sometimes a content comes under another's name.
            let path = if random.once_in(8) {
                random.one(&all).path.clone()
            } else {
                seed.path.clone()
            };
            join(&[(path, mutate(&seed.bytes, &others, &corpus.words, &mut random))])
        }
        "pipeline" => {
            let repository = random.below(corpus.repositories);
            let others = neighbours(corpus, random.below(corpus.repositories));
            let mut files: Vec<(String, Vec<u8>)> = corpus
                .seeds
                .iter()
                .filter(|seed| seed.repository == repository)
                .map(|seed| (seed.path.clone(), seed.bytes.clone()))
                .collect();
            for _ in 0..=random.below(4) {
                let at = random.below(files.len());
                if let Some((path, bytes)) = files.get_mut(at) {
                    *bytes = mutate(bytes, &others, &corpus.words, &mut random);
                    if random.once_in(10) {
                        let name = random.one(&corpus.words).replace(['\n', '/'], "-");
                        *path = format!("{name}/{path}");
                    }
                }
            }
            join(&files)
        }
        _ => {
            let endings = fuzzing::targets()
                .iter()
                .find(|known| known.name == target)
                .map_or(&[][..], |known| known.seeds);
            let fitting = corpus.of(endings);
            let seed = *random.one(&fitting);
            let others: Vec<Vec<u8>> = (0..3).map(|_| random.one(&fitting).bytes.clone()).collect();
            mutate(&seed.bytes, &others, &corpus.words, &mut random)
        }
    }
}

fn neighbours(corpus: &Corpus, repository: usize) -> Vec<Vec<u8>> {
    corpus
        .seeds
        .iter()
        .filter(|seed| seed.repository == repository)
        .map(|seed| seed.bytes.clone())
        .collect()
}

fn join(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut joined = Vec::new();
    for (path, bytes) in files {
        joined.extend(format!("{MARK}{path}\n").into_bytes());
        joined.extend(bytes);
        joined.push(b'\n');
    }
    joined
}

fn split(input: &[u8]) -> Vec<(String, String)> {
    String::from_utf8_lossy(input)
        .split(MARK)
        .skip(1)
        .filter_map(|part| part.split_once('\n'))
        .map(|(path, text)| (path.to_owned(), text.to_owned()))
        .collect()
}

/// Runs a target on an input; what is wrong with the result, if anything is.
pub(crate) fn run(target: &str, input: &[u8], tools: &Tools) -> Result<(), String> {
    match target {
        "redactor" => redactor(&String::from_utf8_lossy(input)),
        "files" => pipeline(&split(input), tools, None),
        "pipeline" => {
            let at = input.iter().fold(input.len(), |sum, byte| {
                sum.wrapping_mul(31).wrapping_add(usize::from(*byte))
            });
            let ids: Vec<&str> = tools.targets.iter().map(|target| target.id.as_str()).collect();
            pipeline(&split(input), tools, ids.get(at % ids.len().max(1)).copied())
        }
        "settings" => settings(&String::from_utf8_lossy(input), tools),
        _ => {
            let known = fuzzing::targets()
                .iter()
                .find(|known| known.name == target)
                .ok_or("no such target")?;
            known.run(input);
            Ok(())
        }
    }
}

/// What is loaded once.
pub(crate) struct Tools {
    templates: Templates,
    targets: Targets,
}

impl Tools {
    pub(crate) fn new() -> Result<Self, String> {
        let templates = Templates::default();
        let targets = Targets::load(&templates).map_err(|error| error.to_string())?;
        Ok(Self { templates, targets })
    }
}

fn dated() -> Settings {
    Settings {
        date: Some("2026-11-20".to_owned()),
        ..Settings::default()
    }
}

/// Everything that the program does; twice, since the same tree must give the same bytes. With a target, the plan is
/// written too.
fn pipeline(files: &[(String, String)], tools: &Tools, target: Option<&str>) -> Result<(), String> {
    let texts = || files.iter().map(|(path, text)| (path.as_str(), text.as_str()));
    let Scan { inventory, withheld } = playbook_scanner::scan_texts(texts(), "repository");
    if inventory
        .diagnostics
        .iter()
        .any(|diagnostic| diagnostic.kind.to_string() == "detector-failed")
    {
        return Err("a detector failed".to_owned());
    }
    let settings = Settings {
        target: target.map(str::to_owned),
        ..dated()
    };
    let context =
        Context::new(&inventory, settings, &tools.targets).map_err(|error| format!("context: {error}"))?;
    let findings = assess(&inventory, &context);
    let json = render::json(&inventory, &findings, &context, &withheld)
        .map_err(|refused| format!("json: {refused}"))?;
    if target.is_none() {
        return Ok(());
    }
    render::document(&inventory, &context, &findings, &withheld, &tools.templates)
        .map_err(|refused| format!("plan: {refused}"))?;
    let again = playbook_scanner::scan_texts(texts().collect::<Vec<_>>().into_iter().rev(), "repository");
    let again = render::json(
        &again.inventory,
        &assess(&again.inventory, &context),
        &context,
        &again.withheld,
    )
    .map_err(|refused| format!("json: {refused}"))?;
    if again == json {
        Ok(())
    } else {
        Err("two scans of the same files differ".to_owned())
    }
}

/// Every harmless type, and the search for what is withheld.
fn redactor(text: &str) -> Result<(), String> {
    let mut withheld = Withheld::new();
    let mut inventory = Inventory::empty();
    for line in text.lines().take(400) {
        let raw = Raw::new(line);
        let (name, value) = line.split_once(['=', ':']).unwrap_or(("", line));
        withheld.add(Raw::new(value));
        let shown = [
            CommandLine::parse(raw).map(Into::into),
            CommitId::parse(raw).map(Into::into),
            EnvName::parse(raw).map(Into::into),
            Host::parse(raw).map(Into::into),
            HttpUrl::parse(raw).map(Into::into),
            ImageRef::parse(raw).map(Into::into),
            Name::parse(raw).map(Into::into),
            Schedule::parse(raw).map(Into::into),
            Sentence::parse(raw).map(Into::into),
            Setting::parse(raw).map(Into::into),
            Setting::judge(name, Raw::new(value)).map(Into::into),
            Symbol::parse(raw).map(Into::into),
            UrlPath::parse(raw).map(Into::into),
            Version::parse(raw).map(Into::into),
            Some(harmless::setting_or_redacted(name, Raw::new(value))),
        ];
        let _ = (
            harmless::port(raw),
            harmless::connection_shape(raw).is_some(),
            secret::kind_of_secret(name, raw),
        );
        for (kind, shown) in shown.into_iter().enumerate() {
            let Some(shown): Option<playbook_core::shown::Shown> = shown else {
                continue;
            };
            // What a runner takes for a command is made harmless where it is printed.
            if let Err(refusal) = gate::gate(shown.as_str(), &Withheld::new(), &|_| false)
                && refusal.what != gate::What::LogCommand
            {
                return Err(format!(
                    "harmless type {kind} prints what the gate refuses: {refusal}"
                ));
            }
            inventory.project.description = Some(shown);
        }
    }
    let search = Search::new(&withheld);
    for value in withheld.values().take(200) {
        if search.find(value.peek()).next().is_none() {
            return Err("a withheld value is not found in itself".to_owned());
        }
    }
    let names = playbook_core::scrub::scrub(&mut inventory, &withheld);
    if let Some(description) = &inventory.project.description
        && search
            .find(description.as_str())
            .any(|hit| !names.holds(hit.form.peek()))
    {
        return Err("a withheld value is left after scrubbing".to_owned());
    }
    Ok(())
}

/// Settings as a repository's `playbook.toml` may bring them.
fn settings(text: &str, tools: &Tools) -> Result<(), String> {
    let mut lines = text.lines().map(str::to_owned);
    let mut next = || lines.next();
    let ids: Vec<String> = tools.targets.iter().map(|target| target.id.clone()).collect();
    let target = ids.get(text.len() % (ids.len() + 1)).cloned();
    let mut set = BTreeMap::new();
    if let (Some(name), Some(value)) = (next(), next()) {
        set.insert(name, value);
    }
    let settings = Settings {
        target,
        domain: next(),
        regions: next().into_iter().chain(next()).collect(),
        budget: next(),
        existing: next(),
        hardware: next(),
        network: next(),
        team: next(),
        slo: next(),
        rpo: next(),
        set,
        ..dated()
    };
    let Scan { inventory, withheld } =
        playbook_scanner::scan_texts([("Procfile", "web: node server.js\n")], "r");
    // Most are refused, one setting at a time; what is taken must lead to a plan.
    let single = [
        Settings {
            domain: settings.domain.clone(),
            ..dated()
        },
        Settings {
            regions: settings.regions.clone(),
            ..dated()
        },
        Settings {
            budget: settings.budget.clone(),
            team: settings.team.clone(),
            ..dated()
        },
        Settings {
            set: settings.set.clone(),
            ..dated()
        },
        Settings {
            slo: settings.slo.clone(),
            rpo: settings.rpo.clone(),
            ..dated()
        },
        settings,
    ];
    for settings in single {
        let Ok(context) = Context::new(&inventory, settings, &tools.targets) else {
            continue;
        };
        let findings = assess(&inventory, &context);
        render::document(&inventory, &context, &findings, &withheld, &tools.templates)
            .map_err(|refused| format!("plan: {refused}"))?;
    }
    Ok(())
}
