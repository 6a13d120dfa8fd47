//! `playbook.toml`: read into an unvalidated table, checked, and turned into settings. All problems are reported at
//! once, by line, and none of them quotes the file: it may come with a repository that nobody has judged.

use std::collections::BTreeMap;

use playbook_core::finding::Severity;
use playbook_planner::context::Settings;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

/// What a valid file says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Config {
    /// The context of the deployment.
    pub(crate) settings: Settings,
    /// `fail-on`.
    pub(crate) fail_on: Option<Severity>,
    /// The line on which a setting stands, by its name.
    pub(crate) lines: BTreeMap<&'static str, usize>,
}

/// Something that is wrong in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Problem {
    /// The line, counted from 1.
    pub(crate) line: usize,
    /// What it is.
    pub(crate) kind: ProblemKind,
}

/// Closed on purpose: a message can't quote the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ProblemKind {
    /// The syntax is wrong.
    Syntax,
    /// No setting has this name.
    UnknownKey,
    /// A string was expected.
    NotAString(&'static str),
    /// A list of strings was expected.
    NotAList(&'static str),
    /// A whole number was expected.
    NotANumber(&'static str),
    /// A table was expected.
    NotATable(&'static str),
    /// The value of `fail-on` is no severity.
    NotASeverity,
}

impl ProblemKind {
    /// What is wrong.
    pub(crate) fn message(self) -> String {
        match self {
            Self::Syntax => "not valid TOML".to_owned(),
            Self::UnknownKey => "unknown key".to_owned(),
            Self::NotAString(key) => format!("`{key}` must be a string"),
            Self::NotAList(key) => format!("`{key}` must be a list of strings"),
            Self::NotANumber(key) => format!("`{key}` must be a whole number"),
            Self::NotATable(key) => format!("`{key}` must be a table of strings"),
            Self::NotASeverity => "`fail-on` must be blocker, high, medium or low".to_owned(),
        }
    }

    /// What to do about it.
    pub(crate) fn hint(self) -> String {
        match self {
            Self::Syntax => "a line is `key = \"value\"`; strings stand in quotes".to_owned(),
            Self::UnknownKey => format!("the keys are: {}", keys().join(", ")),
            Self::NotAString(key) => format!("write `{key} = \"…\"`"),
            Self::NotAList(key) => format!("write `{key} = [\"…\"]`"),
            Self::NotANumber(key) => format!("write `{key} = 2`"),
            Self::NotATable(key) => format!("write `[{key}]`, then lines such as `NAME = \"value\"`"),
            Self::NotASeverity => "write `fail-on = \"high\"`".to_owned(),
        }
    }
}

/// How the value of a key is read.
enum Field {
    Text(fn(&mut Settings) -> &mut Option<String>),
    List(fn(&mut Settings) -> &mut Vec<String>),
    Number(fn(&mut Settings) -> &mut Option<u32>),
    Parameters,
    FailOn,
}

/// Every key, in the order of the documentation.
const FIELDS: &[(&str, Field)] = &[
    ("target", Field::Text(|settings| &mut settings.target)),
    ("environment", Field::Text(|settings| &mut settings.environment)),
    ("regions", Field::List(|settings| &mut settings.regions)),
    ("domain", Field::Text(|settings| &mut settings.domain)),
    ("replicas", Field::Number(|settings| &mut settings.replicas)),
    ("compliance", Field::List(|settings| &mut settings.compliance)),
    ("hardware", Field::Text(|settings| &mut settings.hardware)),
    ("network", Field::Text(|settings| &mut settings.network)),
    ("existing", Field::Text(|settings| &mut settings.existing)),
    ("team", Field::Text(|settings| &mut settings.team)),
    ("budget", Field::Text(|settings| &mut settings.budget)),
    ("strategy", Field::Text(|settings| &mut settings.strategy)),
    ("slo", Field::Text(|settings| &mut settings.slo)),
    ("rpo", Field::Text(|settings| &mut settings.rpo)),
    ("date", Field::Text(|settings| &mut settings.date)),
    ("set", Field::Parameters),
    ("fail-on", Field::FailOn),
];

/// The names of all keys.
pub(crate) fn keys() -> Vec<&'static str> {
    FIELDS.iter().map(|(key, _)| *key).collect()
}

/// Reads the text of a settings file.
pub(crate) fn parse(text: &str) -> Result<Config, Vec<Problem>> {
    let line_of = |offset: usize| 1 + text.get(..offset).unwrap_or(text).matches('\n').count();
    let table = DeTable::parse(text).map_err(|error| {
        vec![Problem {
            line: line_of(error.span().map_or(0, |span| span.start)),
            kind: ProblemKind::Syntax,
        }]
    })?;
    let mut config = Config::default();
    let mut problems = Vec::new();
    for (key, value) in table.get_ref() {
        let line = line_of(key.span().start);
        let Some((name, field)) = FIELDS.iter().find(|(name, _)| *name == key.get_ref().as_ref()) else {
            problems.push(Problem {
                line,
                kind: ProblemKind::UnknownKey,
            });
            continue;
        };
        config.lines.insert(name, line);
        if let Err(kind) = read_field(name, field, value, &mut config) {
            problems.push(Problem {
                line: line_of(value.span().start).max(line),
                kind,
            });
        }
    }
    if problems.is_empty() {
        Ok(config)
    } else {
        problems.sort_unstable();
        Err(problems)
    }
}

fn read_field(
    name: &'static str,
    field: &Field,
    value: &Spanned<DeValue<'_>>,
    config: &mut Config,
) -> Result<(), ProblemKind> {
    let value = value.get_ref();
    match field {
        Field::Text(target) => {
            let text = value.as_str().ok_or(ProblemKind::NotAString(name))?;
            *target(&mut config.settings) = Some(text.to_owned());
        }
        Field::List(target) => {
            *target(&mut config.settings) = value
                .as_array()
                .and_then(|list| {
                    list.iter()
                        .map(|item| item.get_ref().as_str().map(str::to_owned))
                        .collect::<Option<Vec<String>>>()
                })
                .ok_or(ProblemKind::NotAList(name))?;
        }
        Field::Number(target) => {
            let number = value
                .as_integer()
                .filter(|number| number.radix() == 10)
                .and_then(|number| number.as_str().parse().ok())
                .ok_or(ProblemKind::NotANumber(name))?;
            *target(&mut config.settings) = Some(number);
        }
        Field::Parameters => {
            config.settings.set = value
                .as_table()
                .and_then(parameters)
                .ok_or(ProblemKind::NotATable(name))?;
        }
        Field::FailOn => {
            let severity = value.as_str().and_then(Severity::from_word);
            config.fail_on = Some(severity.ok_or(ProblemKind::NotASeverity)?);
        }
    }
    Ok(())
}

fn parameters(table: &DeTable<'_>) -> Option<BTreeMap<String, String>> {
    let text = |key: &Spanned<DeString<'_>>| key.get_ref().as_ref().to_owned();
    table
        .iter()
        .map(|(key, value)| Some((text(key), value.get_ref().as_str()?.to_owned())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<(usize, ProblemKind)> {
        parse(text)
            .err()
            .unwrap_or_default()
            .into_iter()
            .map(|problem| (problem.line, problem.kind))
            .collect()
    }

    #[test]
    fn an_empty_file_says_nothing() {
        assert_eq!(parse(""), Ok(Config::default()));
    }

    #[test]
    fn reads_every_kind_of_value() {
        let config = parse(
            "# ours\ntarget = \"render\"\nregions = [\"frankfurt\", \"oregon\"]\nreplicas = 3\nfail-on = \"high\"\n\n[set]\nRENDER_WORKSPACE = \"team\"\n",
        )
        .expect("valid");
        assert_eq!(config.settings.target.as_deref(), Some("render"));
        assert_eq!(config.settings.regions, ["frankfurt", "oregon"]);
        assert_eq!(config.settings.replicas, Some(3));
        assert_eq!(config.fail_on, Some(Severity::High));
        assert_eq!(
            config.settings.set.get("RENDER_WORKSPACE").map(String::as_str),
            Some("team")
        );
        assert_eq!(config.lines.get("regions"), Some(&3));
    }

    #[test]
    fn reports_all_problems_by_line() {
        assert_eq!(
            problems(
                "colour = 1\nreplicas = \"two\"\n\nregions = \"one\"\nset = 4\nfail-on = \"worst\"\ntarget = []\n"
            ),
            [
                (1, ProblemKind::UnknownKey),
                (2, ProblemKind::NotANumber("replicas")),
                (4, ProblemKind::NotAList("regions")),
                (5, ProblemKind::NotATable("set")),
                (6, ProblemKind::NotASeverity),
                (7, ProblemKind::NotAString("target")),
            ]
        );
        assert_eq!(
            problems("replicas = -1"),
            [(1, ProblemKind::NotANumber("replicas"))]
        );
    }

    #[test]
    fn a_syntax_error_names_its_line_and_quotes_nothing() {
        let found = problems("target = \"render\"\npassword = hunter2 x\n");
        assert_eq!(found, [(2, ProblemKind::Syntax)]);
        for (_, kind) in found {
            assert!(!kind.message().contains("hunter2"));
            assert!(!kind.hint().contains("hunter2"));
        }
    }

    #[test]
    fn every_setting_can_be_written() {
        // A field that is added to the settings must be added here: the text names all of them.
        let text = FIELDS
            .iter()
            .map(|(key, field)| match field {
                Field::Text(_) => format!("{key} = \"x\"\n"),
                Field::List(_) => format!("{key} = [\"x\"]\n"),
                Field::Number(_) => format!("{key} = 7\n"),
                Field::FailOn => format!("{key} = \"low\"\n"),
                Field::Parameters => String::new(),
            })
            .collect::<String>();
        let config = parse(&format!("{text}[set]\nA = \"x\"\n")).expect("valid");
        let Settings {
            target,
            environment,
            regions,
            domain,
            replicas,
            compliance,
            budget,
            existing,
            hardware,
            network,
            team,
            strategy,
            slo,
            rpo,
            set,
            date,
        } = config.settings;
        for text in [
            target,
            environment,
            domain,
            budget,
            existing,
            hardware,
            network,
            team,
            strategy,
            slo,
            rpo,
            date,
        ] {
            assert_eq!(text.as_deref(), Some("x"));
        }
        assert_eq!(
            (regions.len(), compliance.len(), set.len(), replicas),
            (1, 1, 1, Some(7))
        );
    }
}
