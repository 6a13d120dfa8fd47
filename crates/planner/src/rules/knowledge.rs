//! The lists in `rules.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

type Text = &'static str;

/// What the rules know.
#[derive(Debug, Default, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    deny_unknown_fields,
    bound(deserialize = "'de: 'static")
)]
pub(crate) struct Knowledge {
    pub(crate) development_servers: Vec<Vec<Text>>,
    pub(crate) moving_tags: Vec<Text>,
    pub(crate) codename_images: Vec<Text>,
    pub(crate) codenames: Vec<Text>,
    pub(crate) own_user_images: Vec<Text>,
    pub(crate) unavailable_images: Vec<Unavailable>,
    pub(crate) retired_platforms: Vec<RetiredPlatform>,
    pub(crate) foreign_extensions: Vec<Extension>,
    pub(crate) unsafe_database_words: Vec<Text>,
    pub(crate) unsafe_database_variables: Vec<Setting>,
    pub(crate) backup_words: Vec<Text>,
    pub(crate) seed_words: Vec<Text>,
    pub(crate) scheduler_runners: Vec<SchedulerRunner>,
    pub(crate) frameworks_without_shutdown: Vec<Text>,
    pub(crate) frameworks_without_proxy_trust: Vec<Text>,
    pub(crate) proxy_trust_words: Vec<Text>,
    pub(crate) proxy_trust_variables: Vec<Text>,
    pub(crate) admin_images: Vec<Text>,
    pub(crate) debug_ports: Vec<DebugPort>,
    pub(crate) unsafe_defaults: Vec<UnsafeDefault>,
    pub(crate) mode_variables: Vec<Setting>,
    pub(crate) provided_variables: Vec<Text>,
    pub(crate) mail_variables: Vec<Text>,
    pub(crate) deploy_commands: Vec<DeployCommand>,
    pub(crate) unlocked_installs: Vec<UnlockedInstall>,
    pub(crate) issued_secrets: Vec<Text>,
    pub(crate) lockable_manifests: Vec<Text>,
    pub(crate) upload_limit_words: Vec<Text>,
}

/// A clock that needs a process of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'static"))]
pub(crate) struct SchedulerRunner {
    pub(crate) name: Text,
    pub(crate) values: Vec<Text>,
    /// Its command, where that is the same in every application.
    pub(crate) start: Option<Text>,
}

/// A port of a debugger.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'static"))]
pub(crate) struct DebugPort {
    pub(crate) port: u16,
    pub(crate) tool: Text,
}

/// Variables whose default is unsafe, with the rule that says why.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'static"))]
pub(crate) struct UnsafeDefault {
    pub(crate) rule: Text,
    pub(crate) names: Vec<Text>,
    pub(crate) values: Vec<Text>,
}

/// A command that deploys.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'static"))]
pub(crate) struct DeployCommand {
    pub(crate) words: Text,
    pub(crate) platform: Text,
}

/// A command that installs without looking at the lockfile.
#[derive(Debug, Deserialize)]
#[serde(
    deny_unknown_fields,
    rename_all = "kebab-case",
    bound(deserialize = "'de: 'static")
)]
pub(crate) struct UnlockedInstall {
    pub(crate) words: Text,
    pub(crate) unless: Vec<Text>,
    /// Variables of the image that have the same effect.
    #[serde(default)]
    pub(crate) unless_variables: Vec<Text>,
    /// The command that sets one of `unless` once for all that follow.
    pub(crate) unless_configured: Option<Text>,
    pub(crate) instead: Text,
}

/// An image that can no longer be pulled.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'static"))]
pub(crate) struct Unavailable {
    pub(crate) image: Text,
    pub(crate) since: Text,
    /// Does the pull itself fail (or does the image only get no more updates)?
    pub(crate) gone: bool,
    pub(crate) instead: Text,
}

/// A platform that is at its end.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'static"))]
pub(crate) struct RetiredPlatform {
    /// Kind of file or stack; `kind:beginning` asks for a resource whose type begins so.
    pub(crate) kind: Text,
    pub(crate) name: Text,
    pub(crate) since: Text,
    /// What holds since that day.
    pub(crate) status: Text,
    pub(crate) instead: Text,
}

/// A database extension and an image that holds it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'static"))]
pub(crate) struct Extension {
    pub(crate) name: Text,
    pub(crate) image: Text,
}

/// A variable and the values that matter.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'static"))]
pub(crate) struct Setting {
    pub(crate) name: Text,
    pub(crate) values: Vec<Text>,
}

static KNOWLEDGE: LazyLock<Knowledge> = LazyLock::new(|| load().unwrap_or_default());

fn load() -> Result<Knowledge, toml::de::Error> {
    toml::from_str(include_str!("../../rules.toml"))
}

/// The lists, read at the first call.
pub(crate) fn get() -> &'static Knowledge {
    &KNOWLEDGE
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_lists_can_be_read() {
        super::load().expect("rules.toml is part of the program");
    }
}
