//! The arguments. Their help text is the reference: `docs/reference/cli.md` and the README's list are held against it.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, ValueHint};
use playbook_core::finding::Severity;

use crate::exit::Exit;

/// Reads a backend repository and writes its deployment plan
///
/// The repository is read, never run, changed or sent anywhere. The plan goes to standard output, everything else to
/// standard error.
#[derive(Debug, Parser)]
#[command(
    name = "playbook",
    version,
    after_help = Exit::table(),
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    max_term_width = 100,
)]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Options of all commands.
    #[command(flatten)]
    pub(crate) output: OutputOptions,
}

/// Options of all commands.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputOptions {
    /// When to use colour; `auto` heeds `NO_COLOR` and whether the output is a terminal
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    pub(crate) color: Color,

    /// Say nothing on standard error but errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,

    /// Also say what was not read, and why
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print the deployment plan of a repository
    ///
    /// Example: playbook analyze . --target kubernetes --domain api.example.org > PLAN.md
    #[command(after_help = Exit::table())]
    Analyze(Box<AnalyzeArguments>),

    /// List the platforms that a plan can be written for
    Targets {
        /// A folder of templates that is laid over the built-in ones, file by file
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
        templates: Option<PathBuf>,
    },

    /// Explain a rule, or what is known about a technology
    Explain {
        /// Id of a rule or slug of a technology; without it, list all of them
        #[arg(value_name = "RULE|TECHNOLOGY")]
        name: Option<String>,
    },

    /// List the built-in templates, which `--templates` can replace one by one
    Templates {
        /// Print this template instead
        #[arg(value_name = "TEMPLATE")]
        name: Option<String>,
    },

    /// Print the JSON Schema of the inventory
    Schema,

    /// Print a completion script for a shell
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
}

/// Arguments of `analyze`.
#[derive(Debug, Args)]
pub(crate) struct AnalyzeArguments {
    /// The repository
    #[arg(value_name = "DIR", default_value = ".", value_hint = ValueHint::DirPath)]
    pub(crate) folder: PathBuf,

    /// What to print: the plan, or the inventory it is made of
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Markdown)]
    pub(crate) format: Format,

    /// End with exit code 10 when a finding is at least this severe
    #[arg(long, value_name = "SEVERITY", value_enum)]
    pub(crate) fail_on: Option<FailOn>,

    /// The day for which the plan holds, as YYYY-MM-DD; default: `SOURCE_DATE_EPOCH`, else today in UTC
    #[arg(long, value_name = "DATE")]
    pub(crate) date: Option<String>,

    /// Read settings from this file; default: `playbook.toml` in DIR, if there is one
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) config: Option<PathBuf>,

    /// Read no settings file
    #[arg(long, conflicts_with = "config")]
    pub(crate) no_config: bool,

    /// Lay this folder of templates over the built-in ones, file by file
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) templates: Option<PathBuf>,

    /// What is known about the deployment.
    #[command(flatten)]
    pub(crate) context: ContextArguments,
}

/// What is known about the deployment. Flags win over `playbook.toml`.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Context of the deployment (also in playbook.toml)")]
pub(crate) struct ContextArguments {
    /// The platform, see `playbook targets`; default: what the repository brings files for
    #[arg(long, value_name = "TARGET")]
    pub(crate) target: Option<String>,

    /// staging, production or dr; default: production
    #[arg(long, value_name = "NAME")]
    pub(crate) environment: Option<String>,

    /// A region of the platform, the main one first; may be given several times
    #[arg(long = "region", value_name = "REGION")]
    pub(crate) regions: Vec<String>,

    /// The public host name, without https://
    #[arg(long, value_name = "HOST")]
    pub(crate) domain: Option<String>,

    /// Instances of each web service
    #[arg(long, value_name = "NUMBER")]
    pub(crate) replicas: Option<u32>,

    /// A regime to comply with: hipaa, soc2 or pci-dss; may be given several times
    #[arg(long, value_name = "REGIME", value_delimiter = ',')]
    pub(crate) compliance: Vec<String>,

    /// The hardware there is, such as "4 vCPU, 8 GiB"
    #[arg(long, value_name = "TEXT")]
    pub(crate) hardware: Option<String>,

    /// Limits of the network, such as "no outbound internet"
    #[arg(long, value_name = "TEXT")]
    pub(crate) network: Option<String>,

    /// Infrastructure to join, such as "PostgreSQL 17 on db1"
    #[arg(long, value_name = "TEXT")]
    pub(crate) existing: Option<String>,

    /// Who runs it, such as "two developers, no on-call"
    #[arg(long, value_name = "TEXT")]
    pub(crate) team: Option<String>,

    /// What it may cost, such as "50 EUR a month"
    #[arg(long, value_name = "TEXT")]
    pub(crate) budget: Option<String>,

    /// How one version replaces another: recreate, rolling, blue-green or canary
    #[arg(long, value_name = "NAME")]
    pub(crate) strategy: Option<String>,

    /// The service level objective, such as "99.9 %"
    #[arg(long, value_name = "TEXT")]
    pub(crate) slo: Option<String>,

    /// The data that may be lost, as a span of time such as "15 minutes"
    #[arg(long, value_name = "TEXT")]
    pub(crate) rpo: Option<String>,

    /// The value of a parameter of the plan; may be given several times. Secrets are refused
    // Split by us: the parser's own complaint would repeat the value.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub(crate) set: Vec<String>,
}

/// What `analyze` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// The deployment plan
    Markdown,
    /// The inventory, contract `playbook.inventory/1`
    Json,
}

/// A severity, as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    /// The deployment fails with certainty
    Blocker,
    /// Data is exposed or lost, or a release breaks on the documented path
    High,
    /// It breaks under load, failure or change
    Medium,
    /// The rest
    Low,
}

impl From<FailOn> for Severity {
    fn from(given: FailOn) -> Self {
        match given {
            FailOn::Blocker => Self::Blocker,
            FailOn::High => Self::High,
            FailOn::Medium => Self::Medium,
            FailOn::Low => Self::Low,
        }
    }
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl From<Color> for anstream::ColorChoice {
    fn from(color: Color) -> Self {
        match color {
            Color::Auto => Self::Auto,
            Color::Always => Self::Always,
            Color::Never => Self::Never,
        }
    }
}

/// The parser, for the completions and the reference.
pub(crate) fn command() -> clap::Command {
    <Arguments as clap::CommandFactory>::command()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parser_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn severities_have_the_contract_s_words() {
        for given in FailOn::value_variants() {
            let word = given.to_possible_value().map(|value| value.get_name().to_owned());
            assert_eq!(word.as_deref(), Some(Severity::from(*given).as_str()));
        }
    }

    #[test]
    fn every_option_is_explained() {
        let mut parser = command();
        parser.build();
        for subcommand in parser.get_subcommands() {
            for argument in subcommand.get_arguments() {
                assert!(
                    argument.get_help().is_some(),
                    "{} {} has no help",
                    subcommand.get_name(),
                    argument.get_id()
                );
            }
        }
    }
}
