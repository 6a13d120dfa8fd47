//! What the plan is written for: flags and `playbook.toml`, judged, and what the repository itself says.
//!
//! A `playbook.toml` may come with the analysed repository, so its values are judged like any other text of it: what
//! does not parse as a harmless type is an error that quotes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use playbook_core::evidence::{Confidence, Evidence};
use playbook_core::harmless::{EnvName, Host, HttpUrl, ImageRef, Name, Sentence, Setting, UrlPath, Version};
use playbook_core::inventory::Inventory;
use playbook_core::raw::Raw;
use playbook_core::secret;
use playbook_core::shown::Shown;

use crate::target::{Inference, Reason, Target, Targets, infer};

/// What the user says. Everything is optional; flags win over `playbook.toml` before it comes here.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Settings {
    /// Id of the target.
    pub target: Option<String>,
    /// `staging`, `production` or `dr`.
    pub environment: Option<String>,
    /// Regions, the main one first.
    pub regions: Vec<String>,
    /// Public host name.
    pub domain: Option<String>,
    /// Instances of each web service.
    pub replicas: Option<u32>,
    /// Regimes: `hipaa`, `soc2`, `pci-dss`.
    pub compliance: Vec<String>,
    /// What it may cost, in the user's words.
    pub budget: Option<String>,
    /// Infrastructure to join.
    pub existing: Option<String>,
    /// Hardware there is.
    pub hardware: Option<String>,
    /// Limits of the network.
    pub network: Option<String>,
    /// Who runs it.
    pub team: Option<String>,
    /// `recreate`, `rolling`, `blue-green` or `canary`.
    pub strategy: Option<String>,
    /// Service level objective.
    pub slo: Option<String>,
    /// Data that may be lost, as a span of time.
    pub rpo: Option<String>,
    /// Values of parameters, by name.
    pub set: BTreeMap<String, String>,
    /// The day for which the plan holds, `YYYY-MM-DD`. The program hands in today's when the user names none.
    pub date: Option<String>,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Settings(..)")
    }
}

/// What is wrong with a setting. Quotes no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContextError {
    /// There is no folder for it.
    #[error("no target has this name")]
    UnknownTarget {
        /// The names there are.
        known: Vec<String>,
    },
    /// The value is not one of a few words.
    #[error("`{setting}` has an unknown value")]
    UnknownWord {
        /// Name of the setting.
        setting: &'static str,
        /// The words there are.
        known: &'static str,
    },
    /// The value does not parse as a harmless type.
    #[error("`{setting}` has a value that can't be used")]
    Value {
        /// Name of the setting.
        setting: &'static str,
        /// What is accepted.
        expected: &'static str,
    },
    /// A parameter has an odd name.
    #[error("`set` names a parameter that is no variable name")]
    ParameterName,
    /// A parameter's value does not parse as a harmless type.
    #[error("`set` gives `{0}` a value that can't be used")]
    ParameterValue(Shown),
    /// A secret was given.
    #[error("`set` gives `{0}` a value, and its name is a secret's name")]
    SecretParameter(Shown),
    /// No day was given.
    #[error("no date")]
    NoDate,
}

impl ContextError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::UnknownTarget { known } => format!("one of: {}", known.join(", ")),
            Self::UnknownWord { known, .. } => format!("one of: {known}"),
            Self::Value { expected, .. } => format!("expected: {expected}"),
            Self::ParameterName => "letters, digits and underscores, such as SERVER_HOST".to_owned(),
            Self::ParameterValue(_) => {
                "one line of plain words, a host name, a path, an address or a number".to_owned()
            }
            Self::SecretParameter(_) => {
                "a plan holds no secret: leave it out, the plan's commands ask for it".to_owned()
            }
            Self::NoDate => "give a date as YYYY-MM-DD".to_owned(),
        }
    }
}

/// Where the plan's deployment stands in the owner's chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Environment {
    /// The last check before production.
    Staging,
    /// It serves its users.
    Production,
    /// It stands by to take over.
    Dr,
}

impl Environment {
    /// The word that flags and plan use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Staging => "staging",
            Self::Production => "production",
            Self::Dr => "dr",
        }
    }
}

/// How one version replaces another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// Stop the old one, start the new one.
    Recreate,
    /// One instance after the other.
    Rolling,
    /// Two complete sets, one of which has the traffic.
    BlueGreen,
    /// A share of the traffic first.
    Canary,
}

/// A regime that sets controls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Compliance {
    /// The Health Insurance Portability and Accountability Act.
    Hipaa,
    /// System and Organization Controls 2.
    Soc2,
    /// The Payment Card Industry Data Security Standard.
    PciDss,
}

/// What the plan is written for.
#[derive(Debug, Clone)]
pub struct Context {
    /// The platform.
    pub target: Arc<Target>,
    /// Why it was chosen.
    pub inference: Inference,
    /// The same in one word or place, for the JSON.
    pub target_reason: Shown,
    /// Where it stands in the owner's chain.
    pub environment: Environment,
    /// The day for which the plan holds.
    pub date: NaiveDate,
    /// Regions, the main one first.
    pub regions: Vec<Shown>,
    /// Public host name.
    pub domain: Option<Shown>,
    /// Instances of each web service that are wanted, where the user says so.
    pub replicas: Option<u32>,
    /// Regimes that apply.
    pub compliance: Vec<Compliance>,
    /// What it may cost.
    pub budget: Option<Shown>,
    /// Infrastructure to join.
    pub existing: Option<Shown>,
    /// Hardware there is.
    pub hardware: Option<Shown>,
    /// Limits of the network.
    pub network: Option<Shown>,
    /// Who runs it.
    pub team: Option<Shown>,
    /// How one version replaces another, where the user says so.
    pub strategy: Option<Strategy>,
    /// Service level objective.
    pub slo: Option<Shown>,
    /// Data that may be lost.
    pub rpo: Option<Shown>,
    /// Values of parameters, by name.
    pub set: BTreeMap<Shown, Shown>,
    /// Words that mark a production file (`prod`, `deploy`), from the templates' folder.
    pub(crate) production_words: Vec<String>,
    /// Vendors whose datastores come along with an application on their platform.
    pub(crate) bound_vendors: Vec<String>,
}

impl Context {
    /// Judges what the user says and infers what is missing.
    #[expect(clippy::needless_pass_by_value, reason = "the unjudged values end here")]
    pub fn new(inventory: &Inventory, settings: Settings, targets: &Targets) -> Result<Self, ContextError> {
        let inference = match &settings.target {
            Some(id) => Inference {
                target: id.clone(),
                reason: Reason::Asked,
                evidence: Vec::new(),
                confidence: Confidence::Stated,
                unavailable: None,
            },
            None => infer(inventory, targets),
        };
        let target = targets
            .get(&inference.target)
            .ok_or_else(|| ContextError::UnknownTarget {
                known: targets.iter().map(|target| target.id.clone()).collect(),
            })?
            .clone();
        let mut set = BTreeMap::new();
        for (name, value) in &settings.set {
            let name: Shown = EnvName::parse(Raw::new(name))
                .filter(|name| {
                    name.as_str()
                        .chars()
                        .all(|c| c.is_ascii_alphanumeric() || c == '_')
                })
                .ok_or(ContextError::ParameterName)?
                .into();
            if secret::is_secret_name(name.as_str()) {
                return Err(ContextError::SecretParameter(name));
            }
            let value = parameter_value(value).ok_or_else(|| ContextError::ParameterValue(name.clone()))?;
            set.insert(name, value);
        }
        Ok(Self {
            target_reason: reason_in_short(&inference),
            inference,
            target,
            environment: match settings.environment.as_deref() {
                None | Some("production") => Environment::Production,
                Some("staging") => Environment::Staging,
                Some("dr") => Environment::Dr,
                Some(_) => return unknown("environment", "staging, production, dr"),
            },
            date: settings
                .date
                .as_deref()
                .ok_or(ContextError::NoDate)
                .and_then(|text| {
                    NaiveDate::parse_from_str(text.get(..10).unwrap_or(text), "%Y-%m-%d").map_err(|_| {
                        ContextError::Value {
                            setting: "date",
                            expected: "YYYY-MM-DD",
                        }
                    })
                })?,
            regions: settings
                .regions
                .iter()
                .map(|region| {
                    Name::parse(Raw::new(region))
                        .map(Into::into)
                        .ok_or(ContextError::Value {
                            setting: "regions",
                            expected: "names of regions",
                        })
                })
                .collect::<Result<_, _>>()?,
            domain: settings
                .domain
                .as_deref()
                .map(|text| {
                    Host::parse(Raw::new(text))
                        .filter(|host| host.as_str().contains('.') && !host.as_str().contains(':'))
                        .map(Into::into)
                        .ok_or(ContextError::Value {
                            setting: "domain",
                            expected: "a host name without https://, such as api.example.org",
                        })
                })
                .transpose()?,
            replicas: match settings.replicas {
                Some(0 | 1001..) => {
                    return Err(ContextError::Value {
                        setting: "replicas",
                        expected: "a number from 1 to 1000",
                    });
                }
                replicas => replicas,
            },
            compliance: settings
                .compliance
                .iter()
                .map(|regime| match regime.to_ascii_lowercase().as_str() {
                    "hipaa" => Ok(Compliance::Hipaa),
                    "soc2" | "soc-2" => Ok(Compliance::Soc2),
                    "pci" | "pci-dss" => Ok(Compliance::PciDss),
                    _ => unknown("compliance", "hipaa, soc2, pci-dss"),
                })
                .collect::<Result<std::collections::BTreeSet<_>, _>>()?
                .into_iter()
                .collect(),
            budget: phrase("budget", settings.budget.as_deref())?,
            existing: phrase("existing", settings.existing.as_deref())?,
            hardware: phrase("hardware", settings.hardware.as_deref())?,
            network: phrase("network", settings.network.as_deref())?,
            team: phrase("team", settings.team.as_deref())?,
            strategy: match settings.strategy.as_deref() {
                None => None,
                Some("recreate") => Some(Strategy::Recreate),
                Some("rolling") => Some(Strategy::Rolling),
                Some("blue-green") => Some(Strategy::BlueGreen),
                Some("canary") => Some(Strategy::Canary),
                Some(_) => return unknown("strategy", "recreate, rolling, blue-green, canary"),
            },
            slo: phrase("slo", settings.slo.as_deref())?,
            rpo: phrase("rpo", settings.rpo.as_deref())?,
            set,
            production_words: targets.production_words.clone(),
            bound_vendors: targets.bound_vendors.clone(),
        })
    }
}

fn unknown<T>(setting: &'static str, known: &'static str) -> Result<T, ContextError> {
    Err(ContextError::UnknownWord { setting, known })
}

fn reason_in_short(inference: &Inference) -> Shown {
    match inference.reason {
        Reason::Asked => Shown::from("--target"),
        Reason::Nothing => Shown::from("default"),
        Reason::Stack | Reason::File => inference.evidence.first().map_or(Shown::from("default"), place),
    }
}

fn place(evidence: &Evidence) -> Shown {
    match evidence.line {
        Some(line) => Shown::fill(
            "{}:{}",
            &[&evidence.path.shown(), &Shown::number(u64::from(line))],
        ),
        None => evidence.path.shown(),
    }
}

/// A value that a command may hold: judged as a whole, or word by word.
fn parameter_value(text: &str) -> Option<Shown> {
    if text.trim().is_empty() {
        return Some(Shown::from(""));
    }
    let raw = Raw::new(text);
    ImageRef::parse(raw)
        .map(Shown::from)
        .or_else(|| {
            HttpUrl::parse(raw)
                .filter(|url| url.as_str() == text.trim())
                .map(Shown::from)
        })
        .or_else(|| words(text))
}

/// Plain words of the user, such as `4 vCPU, 8 GiB`.
fn phrase(setting: &'static str, text: Option<&str>) -> Result<Option<Shown>, ContextError> {
    match text {
        None => Ok(None),
        Some(text) if text.trim().is_empty() => Ok(None),
        Some(text) => words(text).map(Some).ok_or(ContextError::Value {
            setting,
            expected: "one line of plain words and numbers",
        }),
    }
}

fn words(text: &str) -> Option<Shown> {
    const LONGEST: usize = 300;
    if text.len() > LONGEST || text.contains(['\n', '\r']) {
        return None;
    }
    let words = text.split_whitespace().map(word).collect::<Option<Vec<_>>>()?;
    (!words.is_empty()).then(|| Shown::join(&words, " "))
}

fn word(text: &str) -> Option<Shown> {
    let raw = Raw::new(text);
    Sentence::parse(raw)
        .map(Shown::from)
        .or_else(|| Name::parse(raw).map(Shown::from))
        .or_else(|| Setting::parse(raw).map(Shown::from))
        .or_else(|| Version::parse(raw).map(Shown::from))
        .or_else(|| UrlPath::parse(raw).map(Shown::from))
}
