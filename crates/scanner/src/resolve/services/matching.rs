//! When are two descriptions the same process?

use std::collections::{BTreeMap, BTreeSet};

use playbook_core::harmless::{CommandLine, ImageRef};
use playbook_core::inventory::Role;
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;

use super::Merged;
use super::role::role_of;
use crate::resolve::candidates::{Candidate, Sources};
use crate::resolve::roles;

pub(super) fn normal(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .collect::<String>()
        .to_ascii_lowercase()
}

/// The words of a command that tell what runs, without options: for a rough comparison.
fn essence(command: &str) -> BTreeSet<String> {
    roles::simple_commands(command)
        .into_iter()
        .flatten()
        .filter(|word| !word.starts_with('-') && !word.starts_with('$'))
        .map(str::to_ascii_lowercase)
        .collect()
}

pub(super) fn similar(a: Option<&CommandLine>, b: Option<&CommandLine>) -> bool {
    let (Some(a), Some(b)) = (a, b) else { return false };
    let (a, b) = (essence(a.as_str()), essence(b.as_str()));
    let mut common = a.intersection(&b);
    if common.clone().any(|word| is_script(word)) {
        return true;
    }
    let shared = common.by_ref().count();
    shared > 0 && shared * 2 >= a.len().min(b.len()).max(1) * 2 - 1
}

/// A file of the repository that tells what runs: `bin/worker.rb`, `jobs/main.py`.
fn is_script(word: &str) -> bool {
    let ending = word.rsplit_once('.').map(|(_, ending)| ending);
    word.contains('/')
        && !word.starts_with('/')
        && ending.is_some_and(|ending| {
            matches!(
                ending,
                "rb" | "py" | "js" | "mjs" | "cjs" | "ts" | "php" | "pl" | "exs"
            )
        })
}

/// Could two roles be the same process? An unknown role fits any.
pub(super) fn fits(a: Option<Role>, b: Option<Role>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => {
            a == b || matches!((a, b), (Role::Web, Role::Frontend) | (Role::Frontend, Role::Web))
        }
        _ => true,
    }
}

/// The service that a unit is another description of.
pub(super) fn best_match<'m>(
    merged: &'m mut [Merged],
    candidate: &Candidate,
    crowd: &Crowd,
    sources: &Sources<'_>,
) -> Option<&'m mut Merged> {
    let stack = candidate.unit.map(|(stack, _)| stack);
    let role = role_of(candidate, sources);
    let same_place = |known: &Merged| {
        let dir = candidate
            .dir
            .as_ref()
            .is_none_or(|dir| dir == known.dir() || known.parts.iter().all(|part| part.dir.is_none()));
        let dockerfile = candidate.dockerfile.is_some()
            && known
                .parts
                .iter()
                .any(|part| part.dockerfile == candidate.dockerfile);
        dir || dockerfile
    };
    let of_role = merged
        .iter()
        .filter(|known| same_place(known) && known.service.role == role)
        .count();
    let rivals = candidate
        .unit
        .and_then(|(stack, _)| crowd.get(&(stack, candidate.dir.clone(), role)))
        .copied()
        .unwrap_or(0);
    // Two files of one kind that use different names mean different processes.
    let kind_of = |part: &Candidate| {
        part.unit
            .and_then(|(at, _)| sources.stacks.get(at))
            .map(|stack| stack.kind.clone())
    };
    let kind = kind_of(candidate);
    let same_kind = |known: &Merged| {
        known
            .parts
            .iter()
            .any(|part| kind.is_some() && kind_of(part) == kind)
    };
    let score = |known: &Merged| -> u32 {
        let of_this_stack = |part: &&Candidate| part.unit.map(|(stack, _)| stack) == stack && stack.is_some();
        let third_party = known.parts.iter().any(|part| part.third_party);
        if third_party != candidate.third_party || !same_place(known) {
            return 0;
        }
        if known.parts.iter().any(|part| of_this_stack(&part)) {
            let instance = known
                .parts
                .iter()
                .filter(of_this_stack)
                .all(|part| is_instance(part, candidate));
            return if instance { 9 } else { 0 };
        }
        let name = known
            .parts
            .iter()
            .any(|part| normal(part.name.as_str()) == normal(candidate.name.as_str()));
        let units = || known.parts.iter().filter(|part| part.unit.is_some());
        let variant = units().any(|part| is_variant(part, candidate));
        let image = units().any(|part| is_same_image(part, candidate));
        let command = known
            .parts
            .iter()
            .any(|part| similar(part.command.as_ref(), candidate.command.as_ref()));
        let same_role = fits(Some(known.service.role), Some(role));
        match (name, command, same_role) {
            (true, _, true) => 8,
            _ if third_party && (image || variant) => 7,
            (false, _, true) if variant => 6,
            (_, true, true) => 5,
            (true, _, false) if candidate.role.is_none() => 4,
            (false, false, true) if image && rivals <= 1 => 3,
            (false, false, true) if of_role == 1 && rivals <= 1 && !third_party && !same_kind(known) => 2,
            _ => 0,
        }
    };
    merged
        .iter_mut()
        .map(|known| (score(known), known))
        .filter(|(score, _)| *score > 0)
        .max_by_key(|(score, _)| *score)
        .map(|(_, known)| known)
}

/// How many units of a stack run the code of a folder in a role.
pub(super) type Crowd = BTreeMap<(usize, Option<RelPath>, Role), usize>;

/// Counts the units of each stack.
pub(super) fn crowd(candidates: &[Candidate], sources: &Sources<'_>) -> Crowd {
    let mut crowd = Crowd::new();
    for candidate in candidates {
        if let Some((stack, _)) = candidate.unit {
            let key = (stack, candidate.dir.clone(), role_of(candidate, sources));
            *crowd.entry(key).or_insert(0) += 1;
        }
    }
    crowd
}

/// The image without its tag.
fn repository(candidate: &Candidate) -> Option<String> {
    ImageRef::parse(Raw::new(candidate.image.as_ref()?.as_str()))
        .map(|image| image.repository().to_ascii_lowercase())
}

/// Are two units of one stack instances of one process: the same image or build, the same command, and names that only
/// number them?
fn is_instance(part: &Candidate, candidate: &Candidate) -> bool {
    let same_image = part.image == candidate.image
        && part.dockerfile == candidate.dockerfile
        && part.context == candidate.context
        && part.target == candidate.target
        && (part.image.is_some() || part.dockerfile.is_some() || part.context.is_some());
    same_image
        && part.command == candidate.command
        && roles::stem(part.name.as_str())
            .is_some_and(|stem| Some(stem) == roles::stem(candidate.name.as_str()))
}

/// Do two units of different stacks have names that only tell the build or the instance apart?
fn is_variant(part: &Candidate, candidate: &Candidate) -> bool {
    roles::stem(part.name.as_str()).is_some_and(|stem| Some(stem) == roles::stem(candidate.name.as_str()))
}

/// Do two units of different stacks run the same image, with whatever tag, and no commands that contradict?
fn is_same_image(part: &Candidate, candidate: &Candidate) -> bool {
    let same_command = part.command.is_none()
        || candidate.command.is_none()
        || similar(part.command.as_ref(), candidate.command.as_ref());
    repository(part).is_some()
        && repository(part) == repository(candidate)
        && (part.third_party || same_command)
}

/// `ledger-server` has the word `server`.
pub(super) fn has_word(name: &str, word: &str) -> bool {
    let wanted = playbook_core::secret::words_of(word);
    let words = playbook_core::secret::words_of(name);
    !wanted.is_empty() && wanted.iter().all(|word| words.contains(word))
}
