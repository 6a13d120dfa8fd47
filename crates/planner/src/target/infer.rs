//! Which platform the repository itself is made for.

use playbook_core::evidence::{Confidence, Evidence, Scope};
use playbook_core::inventory::{Inventory, Stack};

use super::{Platform, Targets, is_kind};

/// Why a target was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The user asked for it.
    Asked,
    /// The repository brings a complete description of a deployment to it.
    Stack,
    /// The repository brings a file of it.
    File,
    /// Nothing in the repository names a platform.
    Nothing,
}

/// A target with the reason why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inference {
    /// The target's id.
    pub target: String,
    /// Why.
    pub reason: Reason,
    /// Where the repository says so.
    pub evidence: Vec<Evidence>,
    /// How sure it is.
    pub confidence: Confidence,
    /// The platform that the repository names more strongly but for which there is no target: its name in our words,
    /// and where the repository names it.
    pub unavailable: Option<(String, Vec<Evidence>)>,
}

/// Added for a stack that documents or CI name file by file, that is named for production, or that publishes the ports
/// of the web: each says that somebody deploys it.
const CONFIRMED: u32 = 15;
const NAMED_FOR_PRODUCTION: u32 = 30;
const PUBLISHES_WEB_PORTS: u32 = 25;

/// How strongly a stack speaks for its platform.
pub(crate) fn stack_weight(stack: &Stack, production_words: &[String]) -> u32 {
    let named = stack.files.iter().any(|file| {
        let name = file.as_str().to_ascii_lowercase();
        name.split(|c: char| !c.is_ascii_alphanumeric())
            .any(|word| production_words.iter().any(|known| known == word))
    });
    let publishes = stack
        .units
        .iter()
        .flat_map(|unit| &unit.ports)
        .any(|port| port.published && matches!(port.host, Some(80 | 443)));
    u32::from(!stack.confirmed_by.is_empty()) * CONFIRMED
        + u32::from(named) * NAMED_FOR_PRODUCTION
        + u32::from(publishes) * PUBLISHES_WEB_PORTS
}

/// Does the stack run code of the repository, and not only programs of the host?
fn runs_a_service(inventory: &Inventory, stack: &Stack) -> bool {
    stack
        .units
        .iter()
        .filter_map(|unit| inventory.service(unit.service.as_ref()?.as_str()))
        .any(|service| service.is_own() && service.runtime.name.is_some())
}

struct Candidate<'a> {
    weight: u32,
    platform: &'a Platform,
    reason: Reason,
    evidence: Vec<Evidence>,
}

/// The platform whose production files speak most strongly; one host with Docker Compose when none does.
pub fn infer(inventory: &Inventory, targets: &Targets) -> Inference {
    let mut candidates: Vec<Candidate<'_>> = Vec::new();
    for platform in &targets.platforms {
        for stack in inventory.stacks.iter().filter(|stack| {
            is_kind(stack, &platform.kind)
                && stack.scope == Scope::Production
                && !stack.units.is_empty()
                && (!platform.needs_service || runs_a_service(inventory, stack))
        }) {
            // The last file of a set is the one that makes it this deployment.
            let last = stack.files.last();
            let mut evidence: Vec<Evidence> = stack
                .evidence
                .iter()
                .find(|place| Some(&place.path) == last)
                .cloned()
                .or_else(|| last.map(Evidence::file))
                .into_iter()
                .collect();
            evidence.extend(stack.confirmed_by.first().cloned());
            candidates.push(Candidate {
                weight: platform.weight + stack_weight(stack, &targets.production_words),
                platform,
                reason: Reason::Stack,
                evidence,
            });
        }
        for file in inventory.infrastructure.iter().filter(|file| {
            !platform.needs_service && file.kind == *platform.kind && file.scope == Scope::Production
        }) {
            candidates.push(Candidate {
                weight: platform.weight,
                platform,
                reason: Reason::File,
                evidence: file.evidence.iter().take(1).cloned().collect(),
            });
        }
    }
    // The first of equal weight is the one that comes first in the list of platforms.
    candidates.sort_by(|a, b| {
        b.weight
            .cmp(&a.weight)
            .then_with(|| a.reason.rank().cmp(&b.reason.rank()))
            .then_with(|| a.platform.kind.cmp(&b.platform.kind))
            .then_with(|| a.evidence.cmp(&b.evidence))
    });
    let chosen = candidates
        .iter()
        .position(|candidate| targets.get(&candidate.platform.target).is_some());
    let unavailable = candidates
        .first()
        .filter(|_| chosen != Some(0))
        .map(|first| (first.platform.name.clone(), first.evidence.clone()));
    match chosen.and_then(|at| candidates.get(at)) {
        Some(candidate) => Inference {
            target: candidate.platform.target.clone(),
            reason: candidate.reason,
            evidence: candidate.evidence.clone(),
            confidence: match candidate.reason {
                Reason::Stack => Confidence::Stated,
                _ => Confidence::Derived,
            },
            unavailable,
        },
        None => Inference {
            target: targets.default.clone(),
            reason: Reason::Nothing,
            evidence: Vec::new(),
            confidence: Confidence::Convention,
            unavailable,
        },
    }
}

impl Reason {
    fn rank(self) -> u8 {
        match self {
            Self::Asked => 0,
            Self::Stack => 1,
            Self::File => 2,
            Self::Nothing => 3,
        }
    }
}
