//! What the templates' folder knows of the way in: words of variables' names by purpose, and the settings that servers
//! and frameworks need behind a proxy.

use serde::{Deserialize, Serialize};

use playbook_core::inventory::{EnvironmentVariable, Service};

use crate::prose::Prose;
use crate::render::Templates;
use crate::target::TemplateError;

/// `edge.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct EdgeFile {
    purpose: Vec<Purpose>,
    preset: Vec<PresetText>,
    /// Parts of paths whose answer costs much or guesses passwords.
    pub(crate) guarded_words: Vec<String>,
    /// Parts of paths that belong to operators.
    pub(crate) operator_words: Vec<String>,
}

/// Words of variables' names.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Purpose {
    id: String,
    /// Whole names, or parts between underscores that a name ends with or holds.
    names: Vec<String>,
    words: Vec<String>,
    /// Words that say it is something else.
    #[serde(default)]
    not: Vec<String>,
}

/// A setting behind a proxy.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct PresetText {
    /// Slugs of servers and frameworks.
    used_by: Vec<String>,
    /// The variable that does it, where there is one.
    variable: Option<String>,
    value: Option<String>,
    note: Prose,
}

/// A setting behind a proxy that concerns one process.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Preset {
    used_by: String,
    variable: Option<String>,
    value: Option<String>,
    note: Prose,
}

impl Preset {
    /// The variable that does it.
    pub(crate) fn variable(&self) -> Option<&str> {
        self.variable.as_deref()
    }

    /// Does it set or say the same?
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.used_by == other.used_by && self.variable == other.variable
    }
}

impl EdgeFile {
    pub(crate) fn load(templates: &Templates) -> Result<Self, TemplateError> {
        templates.parse_file("edge.toml")
    }

    /// Does the name of a variable speak of this purpose?
    pub(crate) fn is_for(&self, purpose: &str, name: &str) -> bool {
        let Some(purpose) = self.purpose.iter().find(|known| known.id == purpose) else {
            return false;
        };
        let name = name.to_ascii_uppercase();
        let parts: Vec<&str> = name.split('_').filter(|part| !part.is_empty()).collect();
        let holds = |words: &String| {
            let words: Vec<&str> = words.split('_').collect();
            parts.windows(words.len()).any(|window| window == words)
        };
        if purpose.not.iter().any(holds) {
            return false;
        }
        purpose.names.contains(&name) || purpose.words.iter().any(holds)
    }

    /// The first purpose that a variable serves, of those asked for.
    pub(crate) fn purpose<'p>(&self, variable: &EnvironmentVariable, asked: &[&'p str]) -> Option<&'p str> {
        asked
            .iter()
            .find(|purpose| self.is_for(purpose, variable.name.as_str()))
            .copied()
    }

    /// What this service's server and frameworks need behind a proxy.
    pub(crate) fn presets(&self, service: &Service, server: Option<&str>) -> Vec<Preset> {
        let mut found: Vec<Preset> = Vec::new();
        for text in &self.preset {
            let used_by = text.used_by.iter().find(|slug| {
                server == Some(slug.as_str())
                    || service.frameworks.iter().any(|framework| *framework == ***slug)
            });
            if let Some(used_by) = used_by {
                let known = found
                    .iter()
                    .any(|preset| preset.variable.is_some() && preset.variable == text.variable);
                if !known {
                    found.push(Preset {
                        used_by: used_by.clone(),
                        variable: text.variable.clone(),
                        value: text.value.clone(),
                        note: text.note.clone(),
                    });
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_judged_by_whole_parts() {
        let edge = EdgeFile::load(&Templates::default()).expect("the file is in order");
        for (purpose, name) in [
            ("proxy", "APP_PROXIES"),
            ("proxy", "TRUSTED_PROXIES"),
            ("proxy", "FORWARDED_ALLOW_IPS"),
            ("https", "ENFORCE_HTTPS"),
            ("cookie", "SESSION_COOKIE_SECURE"),
            ("hsts", "HSTS_MAX_AGE"),
            ("rate", "LOGIN_RATE_LIMIT"),
            ("address", "APP_URL"),
            ("address", "APP_APPLICATION__BASE_URL"),
            ("address", "FRONTEND_HOST"),
            ("address", "URL_HOST"),
            ("cors", "APP_CORS_ORIGINS"),
            ("scale", "WEB_CONCURRENCY"),
            ("scale", "WORKERS_COUNT"),
        ] {
            assert!(edge.is_for(purpose, name), "{name} is for {purpose}");
        }
        for (purpose, name) in [
            ("address", "DATABASE_URL"),
            ("address", "REDIS_HOST"),
            ("proxy", "HTTP_PROXY"),
            ("https", "SECRET_KEY"),
            ("scale", "DB_POOL_SIZE"),
        ] {
            assert!(!edge.is_for(purpose, name), "{name} is not for {purpose}");
        }
    }
}
