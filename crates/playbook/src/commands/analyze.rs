//! `playbook analyze`: the plan of a repository.

use std::path::{Path, PathBuf};

use playbook_core::evidence::Scope;
use playbook_core::finding::{Finding, Severity};
use playbook_core::inventory::Inventory;
use playbook_planner::context::{Context, ContextError, Settings};
use playbook_planner::render::{self, Refused};
use playbook_planner::rule::assess;
use playbook_planner::target::Targets;
use playbook_scanner::{Options, RootError, Scan};

use crate::args::{AnalyzeArguments, ContextArguments, Format};
use crate::config::{self, Config};
use crate::exit::Exit;
use crate::host::{self, Links, ReadError};
use crate::progress;
use crate::report::{self, Report};

/// The settings file that is looked for in the analysed folder.
const CONFIG_NAME: &str = "playbook.toml";

/// Analyses the folder, prints the plan, and says how that went.
pub(super) fn run(arguments: AnalyzeArguments, report: &mut Report) -> Exit {
    analyze(arguments, report).unwrap_or_else(|exit| exit)
}

fn analyze(arguments: AnalyzeArguments, report: &mut Report) -> Result<Exit, Exit> {
    let (config, config_name) = read_config(&arguments, report)?;
    let fail_on = arguments.fail_on.map(Severity::from).or(config.fail_on);
    let sources = Sources::new(&config, config_name);
    let settings = merge(config.settings, arguments.context, arguments.date, report)?;
    let templates = super::load_templates(arguments.templates.as_deref(), report)?;
    let targets = Targets::load(&templates).map_err(|error| {
        report.error(
            &error.to_string(),
            "`playbook templates` lists what a folder of templates holds",
        );
        Exit::Failed
    })?;

    let folder = arguments.folder.as_path();
    let options = Options {
        skip_file: host::output_file(),
        ..Options::default()
    };
    let message = format!("reading {}", report::path(folder));
    let scan = progress::while_working(report, &message, || playbook_scanner::scan(folder, &options));
    let Scan { inventory, withheld } = scan.map_err(|error| root_error(error, folder, report))?;
    report.withhold(withheld);
    tell_what_was_left_out(&inventory, report);

    let asked = settings.clone();
    let context = Context::new(&inventory, settings, &targets)
        .map_err(|error| context_error(&error, &asked, &sources, report))?;
    let findings = assess(&inventory, &context);
    let text = match arguments.format {
        Format::Markdown => render::document(&inventory, &context, &findings, report.withheld(), &templates),
        Format::Json => render::json(&inventory, &findings, &context, report.withheld()),
    }
    .map_err(|refused| refuse(&refused, report))?;
    let written = super::written(report, report.data(&text));
    if written != Exit::Done {
        return Ok(written);
    }
    Ok(verdict(&inventory, &findings, fail_on, report))
}

/// How the program ends once the plan is printed.
fn verdict(inventory: &Inventory, findings: &[Finding], fail_on: Option<Severity>, report: &Report) -> Exit {
    if let Some(limit) = fail_on {
        // The worst severity is the smallest.
        let count = findings
            .iter()
            .filter(|finding| finding.severity <= limit)
            .count();
        if count > 0 {
            report.error(
                &format!(
                    "{count} {} at or above {limit}",
                    plural(count, "finding", "findings")
                ),
                "each stands in the plan with its place and its remedy; `playbook explain RULE` tells more",
            );
            return Exit::Findings;
        }
    }
    if is_deployable(inventory) {
        Exit::Done
    } else {
        report.notice("nothing deployable found: no service, and no deployment of third-party images");
        report.hint("if that is wrong, is DIR the root of the repository? `-v` says what was not read");
        Exit::NothingDeployable
    }
}

/// Is there a process to run, or at least a production stack of somebody else's images?
fn is_deployable(inventory: &Inventory) -> bool {
    !inventory.services.is_empty()
        || inventory
            .stacks
            .iter()
            .any(|stack| stack.scope == Scope::Production && !stack.units.is_empty())
}

fn plural(count: usize, one: &'static str, many: &'static str) -> &'static str {
    if count == 1 { one } else { many }
}

fn tell_what_was_left_out(inventory: &Inventory, report: &Report) {
    if inventory.diagnostics.is_empty() {
        return;
    }
    for diagnostic in &inventory.diagnostics {
        match diagnostic.line {
            Some(line) => report.detail(&format!("{}:{line}: {}", diagnostic.path, diagnostic.kind)),
            None => report.detail(&format!("{}: {}", diagnostic.path, diagnostic.kind)),
        }
    }
    let count = inventory.diagnostics.len();
    if !report.is_verbose() {
        report.notice(&format!(
            "{count} {} left out of the analysis in whole or in part; -v lists them",
            plural(count, "file was", "files were")
        ));
    }
}

fn root_error(error: RootError, folder: &Path, report: &Report) -> Exit {
    let folder = report::path(folder);
    let (reason, hint) = match error {
        RootError::Missing => (
            "does not exist",
            "name the folder of a repository: `playbook analyze DIR`",
        ),
        RootError::NotAFolder => (
            "is not a folder",
            "name the folder of a repository: `playbook analyze DIR`",
        ),
        RootError::Unreadable => ("can't be read", "are its permissions right?"),
    };
    report.error(&format!("{folder}: {reason}"), hint);
    Exit::Failed
}

fn refuse(refused: &Refused, report: &Report) -> Exit {
    // A template of the user's own that is wrong is no bug of ours.
    if let Refused::Template(_) = refused {
        report.error(
            &refused.to_string(),
            "`playbook templates NAME` prints the built-in template of that name",
        );
        return Exit::Failed;
    }
    report.error(
        &refused.to_string(),
        "nothing was printed; this is a bug in playbook, please report the line above",
    );
    Exit::Refused
}

// -- Settings ----------------------------------------------------------------------------------------------------

/// Which settings came from the file, and what that is called.
struct Sources {
    name: String,
    lines: std::collections::BTreeMap<&'static str, usize>,
    settings: Settings,
}

impl Sources {
    fn new(config: &Config, name: String) -> Self {
        Self {
            name,
            lines: config.lines.clone(),
            settings: config.settings.clone(),
        }
    }

    /// `playbook.toml:3: ` when this setting's value is the file's, else nothing.
    fn prefix(&self, setting: &str, asked: &Settings) -> String {
        let same = match setting {
            "target" => self.settings.target == asked.target,
            "environment" => self.settings.environment == asked.environment,
            "regions" => self.settings.regions == asked.regions,
            "domain" => self.settings.domain == asked.domain,
            "replicas" => self.settings.replicas == asked.replicas,
            "compliance" => self.settings.compliance == asked.compliance,
            "date" => self.settings.date == asked.date,
            "hardware" => self.settings.hardware == asked.hardware,
            "network" => self.settings.network == asked.network,
            "existing" => self.settings.existing == asked.existing,
            "team" => self.settings.team == asked.team,
            "budget" => self.settings.budget == asked.budget,
            "strategy" => self.settings.strategy == asked.strategy,
            "slo" => self.settings.slo == asked.slo,
            "rpo" => self.settings.rpo == asked.rpo,
            _ => self.settings.set == asked.set,
        };
        match self.lines.get(setting).filter(|_| same) {
            Some(line) => format!("{}:{line}: ", self.name),
            None => String::new(),
        }
    }
}

fn context_error(error: &ContextError, asked: &Settings, sources: &Sources, report: &Report) -> Exit {
    let setting = match error {
        ContextError::UnknownTarget { .. } => "target",
        ContextError::UnknownWord { setting, .. } | ContextError::Value { setting, .. } => setting,
        ContextError::NoDate => "date",
        ContextError::ParameterName | ContextError::ParameterValue(_) | ContextError::SecretParameter(_) => {
            "set"
        }
    };
    report.error(
        &format!("{}{error}", sources.prefix(setting, asked)),
        &error.hint(),
    );
    Exit::Failed
}

/// The settings file and what messages call it.
fn read_config(arguments: &AnalyzeArguments, report: &Report) -> Result<(Config, String), Exit> {
    if arguments.no_config {
        return Ok((Config::default(), String::new()));
    }
    let (path, links): (PathBuf, Links) = match &arguments.config {
        Some(path) => (path.clone(), Links::Followed),
        None => (arguments.folder.join(CONFIG_NAME), Links::Refused),
    };
    let name = match &arguments.config {
        Some(path) => report::path(path),
        None => CONFIG_NAME.to_owned(),
    };
    let text = match host::read_text(&path, links) {
        Ok(text) => text,
        Err(ReadError::Missing) if arguments.config.is_none() => return Ok((Config::default(), name)),
        Err(error) => {
            report.error(
                &format!("{name}: {}", error.reason()),
                "`--no-config` does without a settings file",
            );
            return Err(Exit::Failed);
        }
    };
    match config::parse(&text) {
        Ok(config) => Ok((config, name)),
        Err(problems) => {
            for problem in problems {
                report.error(
                    &format!("{name}:{}: {}", problem.line, problem.kind.message()),
                    &problem.kind.hint(),
                );
            }
            Err(Exit::Failed)
        }
    }
}

/// Flags win over the file; parameters are merged by name.
fn merge(
    file: Settings,
    flags: ContextArguments,
    date: Option<String>,
    report: &Report,
) -> Result<Settings, Exit> {
    let mut set = file.set;
    for text in &flags.set {
        let Some((name, value)) = text.split_once('=').filter(|(name, _)| !name.is_empty()) else {
            report.error("`--set` needs a name and a value", "write `--set NAME=VALUE`");
            return Err(Exit::Usage);
        };
        set.insert(name.to_owned(), value.to_owned());
    }
    let date = match date.or(file.date) {
        Some(date) => date,
        None => host::today().map_err(|_| {
            report.error(
                "SOURCE_DATE_EPOCH is no number of seconds since 1970",
                "unset it, or give `--date YYYY-MM-DD`",
            );
            Exit::Failed
        })?,
    };
    let list = |flag: Vec<String>, file: Vec<String>| if flag.is_empty() { file } else { flag };
    Ok(Settings {
        target: flags.target.or(file.target),
        environment: flags.environment.or(file.environment),
        regions: list(flags.regions, file.regions),
        domain: flags.domain.or(file.domain),
        replicas: flags.replicas.or(file.replicas),
        compliance: list(flags.compliance, file.compliance),
        budget: flags.budget.or(file.budget),
        existing: flags.existing.or(file.existing),
        hardware: flags.hardware.or(file.hardware),
        network: flags.network.or(file.network),
        team: flags.team.or(file.team),
        strategy: flags.strategy.or(file.strategy),
        slo: flags.slo.or(file.slo),
        rpo: flags.rpo.or(file.rpo),
        set,
        date: Some(date),
    })
}
