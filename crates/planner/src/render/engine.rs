//! Tera, set up for one plan.
//!
//! A section's template is the same for all targets. It includes `target/<file>`, which is the target's own partial of
//! that name or nothing, and `steps/<nn>.md`, which is put together here from the plan's steps of that section: each
//! step's heading and its template, the target's if it brings one, else the common one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Serialize;
use tera::value::Key;
use tera::{Context, Error, Kwargs, State, Tera, Value};

use super::Templates;
use super::filters::{self, CITATION, CITATION_END, PIPE};
use crate::check::fence_after;
use crate::plan::{Level, Plan, Step, step_key};
use crate::prose::{self, Prose};
use crate::target::TemplateError;

/// Rendering settles when the parameters that the text uses and the notes that it cites no longer change: the first
/// pass has all parameters, the second those that are used, the third all notes that these cite.
const MOST_PASSES: usize = 6;

/// Columns of the widest assignment that the comments of the parameters' block still line up with.
const WIDEST: usize = 44;

/// A parameter as section 1 prints it.
#[derive(Debug, Clone, Serialize)]
struct PrintedParameter<'a> {
    name: &'a str,
    value: &'a Value,
    open: bool,
    empty_allowed: bool,
    padding: usize,
    comment: Option<&'a Prose>,
    question: Option<&'a str>,
    assumption: Option<&'a str>,
    evidence: &'a [playbook_core::evidence::Evidence],
}

/// An assumption or a question as the last section prints it.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
struct PrintedNote {
    /// `A1` or `Q1`: a citation here would keep the note in the plan for its own sake.
    number: String,
    sentence: Prose,
    because: Prose,
    settled_by: Prose,
}

/// The finished text, before gate and check.
pub(super) fn render(plan: &Plan<'_>, templates: &Templates) -> Result<String, TemplateError> {
    let engine = Engine::new(plan, templates)?;
    let mut context = engine.context()?;
    let parameters = engine.parameters(&mut context)?;

    let mut used: BTreeSet<String> = parameters
        .iter()
        .map(|parameter| parameter.name.clone())
        .collect();
    let tools = engine.tools(&context)?;
    let mut needed: BTreeSet<&str> = tools.iter().filter_map(|tool| tool.command.as_deref()).collect();
    let mut cited: Vec<String> = Vec::new();
    let mut text = String::new();
    for _ in 0..MOST_PASSES {
        let printed: Vec<&PrintedTool> = tools
            .iter()
            .filter(|tool| {
                tool.command
                    .as_deref()
                    .is_none_or(|command| needed.contains(command))
            })
            .collect();
        context.insert("tools", &printed);
        Engine::insert_parameters(&mut context, &parameters, &used);
        let (assumptions, questions) = engine.notes(&context, &cited)?;
        context.insert("assumptions", &assumptions);
        context.insert("questions", &questions);
        text = engine.render("plan.md", &context)?;
        let now_used: BTreeSet<String> = variables_in_fences(&text)
            .into_iter()
            .filter(|name| used.contains(name))
            .collect();
        let words = words_in_fences(&text);
        let now_needed: BTreeSet<&str> = needed
            .iter()
            .filter(|command| words.contains(**command))
            .copied()
            .collect();
        let now_cited = citations(&text);
        if now_used == used && now_cited == cited && now_needed == needed {
            break;
        }
        needed = now_needed;
        used = now_used;
        cited = now_cited;
    }
    Ok(finish(&number_citations(&text, &cited)))
}

/// A parameter whose value is known to Tera.
struct Parameter {
    name: String,
    value: Value,
    open: bool,
    empty_allowed: bool,
    comment: Option<Prose>,
    question: Option<String>,
    assumption: Option<String>,
    evidence: Vec<playbook_core::evidence::Evidence>,
}

struct Engine<'p> {
    tera: Tera,
    plan: &'p Plan<'p>,
}

impl<'p> Engine<'p> {
    fn new(plan: &'p Plan<'p>, templates: &Templates) -> Result<Self, TemplateError> {
        let mut tera = Tera::default();
        tera.autoescape_on([".md"]);
        tera.set_escape_fn(filters::escape);
        filters::register(&mut tera);
        register_look_ups(&mut tera, plan);
        tera.add_raw_templates(sources(plan, templates))
            .map_err(|error| template_error("templates", &error))?;
        Ok(Self { tera, plan })
    }

    fn render(&self, name: &str, context: &Context) -> Result<String, TemplateError> {
        self.tera
            .render(name, context)
            .map_err(|error| template_error(name, &error))
    }

    /// Renders a line of one of the folder's TOML files.
    fn line(&self, file: &str, text: &str, context: &Context) -> Result<Prose, TemplateError> {
        self.tera
            .render_str(text, context, true)
            .map(|text| Prose::new(text.trim().to_owned()))
            .map_err(|error| template_error(file, &error))
    }

    /// Everything that templates know but parameters and notes.
    fn context(&self) -> Result<Context, TemplateError> {
        let mut context =
            Context::from_serialize(&self.plan.decisions).map_err(|error| template_error("plan", &error))?;
        context.insert("has", &self.plan.conditions);
        let lines = |text: &Option<String>, context: &Context| {
            text.as_deref()
                .map(|text| self.line("steps.toml", text, context))
                .transpose()
        };
        let mut steps = BTreeMap::new();
        let mut list = Vec::new();
        for step in &self.plan.steps {
            let printed = PrintedStep {
                id: &step.id,
                number: &step.number,
                section: step.section,
                title: self.line("steps.toml", &step.title, &context)?,
                place: step.place.clone().map(Prose::new),
                level: step.level.map(Level::as_str),
                minutes: step.minutes,
                check: lines(&step.check, &context)?,
                wait: lines(&step.wait, &context)?,
            };
            list.push(printed.clone());
            steps.insert(step_key(&step.id), printed);
        }
        context.insert("steps", &steps);
        context.insert("step_list", &list);
        let access = self
            .plan
            .target
            .access
            .iter()
            .filter(|access| self.plan.holds(&access.when))
            .filter(|access| access.steps.is_empty() || !self.plan.numbers(&access.steps).is_empty())
            .map(|access| {
                Ok(PrintedAccess {
                    who: self.line("target.toml", &access.who, &context)?,
                    needs: self.line("target.toml", &access.needs, &context)?,
                    steps: self.plan.numbers(&access.steps),
                })
            })
            .collect::<Result<Vec<_>, TemplateError>>()?;
        context.insert("access", &access);
        context.insert("checklist", &crate::plan::checklist(&list));
        context.insert("phases", &crate::plan::phases(&list));
        Ok(context)
    }

    /// Every tool that some command could use.
    fn tools(&self, context: &Context) -> Result<Vec<PrintedTool>, TemplateError> {
        self.plan
            .target
            .tools
            .iter()
            .filter(|tool| self.plan.holds(&tool.when))
            .map(|tool| {
                Ok(PrintedTool {
                    name: self.line("target.toml", &tool.name, context)?,
                    command: tool.command.clone(),
                    place: self.line("target.toml", &tool.place, context)?,
                    version: self.line("target.toml", &tool.version, context)?,
                    install: self.line("target.toml", &tool.install, context)?,
                    check: self.line("target.toml", &tool.check, context)?,
                    local: tool.local,
                })
            })
            .collect()
    }

    /// Every parameter that some command could use. What the user has set wins over what the folder says.
    fn parameters(&self, context: &mut Context) -> Result<Vec<Parameter>, TemplateError> {
        let mut list: Vec<Parameter> = Vec::new();
        for parameter in &self.plan.parameters {
            let (name, evidence) = (parameter.name.clone(), parameter.evidence.clone());
            if list.iter().any(|known| known.name == name) {
                continue;
            }
            let known = parameter.known.as_ref().map(Value::from_serializable);
            let value = match (known, &parameter.value) {
                (Some(value), _) => Some(value),
                (None, Some(text)) => Some(Value::from_serializable(&self.line(
                    "parameters.toml",
                    text,
                    context,
                )?)),
                (None, None) => None,
            };
            let open = value.is_none();
            list.push(Parameter {
                name,
                value: value.unwrap_or_else(|| Value::from("<YOUR_VALUE_HERE>")),
                open,
                empty_allowed: parameter.empty_allowed,
                comment: parameter
                    .comment
                    .as_deref()
                    .map(|text| self.line("parameters.toml", text, context))
                    .transpose()?,
                question: parameter.question.clone(),
                assumption: parameter.assumption.clone(),
                evidence,
            });
        }
        Ok(list)
    }

    /// Prints the parameters that are used.
    fn insert_parameters(context: &mut Context, parameters: &[Parameter], used: &BTreeSet<String>) {
        let shown: Vec<&Parameter> = parameters
            .iter()
            .filter(|parameter| used.contains(&parameter.name))
            .collect();
        let width = |parameter: &Parameter| {
            let own = parameter
                .value
                .as_map()
                .and_then(|map| map.get(&Key::from(prose::KEY)));
            let text = parameter.value.as_str().or(own.and_then(Value::as_str));
            parameter.name.len() + text.map_or(0, |text| text.chars().count())
        };
        // Comments start in one column, unless a value is so long that it would push all of them away.
        let column = shown
            .iter()
            .map(|p| width(p))
            .filter(|width| *width <= WIDEST)
            .max()
            .unwrap_or(0);
        let printed: Vec<PrintedParameter<'_>> = shown
            .iter()
            .map(|parameter| PrintedParameter {
                name: &parameter.name,
                value: &parameter.value,
                open: parameter.open,
                empty_allowed: parameter.empty_allowed,
                padding: column.saturating_sub(width(parameter)),
                comment: parameter.comment.as_ref(),
                question: parameter.question.as_deref(),
                assumption: parameter.assumption.as_deref(),
                evidence: &parameter.evidence,
            })
            .collect();
        context.insert("parameters", &printed);
    }

    /// The assumptions and questions that the text cites, in the order of their first citation.
    fn notes(
        &self,
        context: &Context,
        cited: &[String],
    ) -> Result<(Vec<PrintedNote>, Vec<PrintedNote>), TemplateError> {
        let mut lists = (Vec::new(), Vec::new());
        for citation in cited {
            let Some((kind, id)) = citation.split_once(':') else {
                continue;
            };
            let (notes, file, list) = if kind == "A" {
                (&self.plan.assumptions, "assumptions.toml", &mut lists.0)
            } else {
                (&self.plan.questions, "questions.toml", &mut lists.1)
            };
            let Some(note) = notes.get(id) else {
                continue;
            };
            list.push(PrintedNote {
                number: format!("{kind}{}", list.len() + 1),
                sentence: self.line(file, &note.sentence, context)?,
                because: self.line(file, &note.because, context)?,
                settled_by: self.line(file, &note.settled_by, context)?,
            });
        }
        Ok(lists)
    }
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct PrintedStep<'a> {
    pub(crate) id: &'a str,
    pub(crate) number: &'a str,
    pub(crate) section: u8,
    pub(crate) title: Prose,
    #[serde(rename = "where")]
    pub(crate) place: Option<Prose>,
    pub(crate) level: Option<&'static str>,
    pub(crate) minutes: u32,
    pub(crate) check: Option<Prose>,
    pub(crate) wait: Option<Prose>,
}

#[derive(Debug, Clone, Serialize)]
struct PrintedAccess {
    who: Prose,
    needs: Prose,
    steps: Vec<String>,
}

#[derive(Debug, Clone, Serialize)]
struct PrintedTool {
    name: Prose,
    command: Option<String>,
    #[serde(rename = "where")]
    place: Prose,
    version: Prose,
    install: Prose,
    check: Prose,
    local: bool,
}

/// Name and content of every template of this plan.
fn sources(plan: &Plan<'_>, templates: &Templates) -> Vec<(String, String)> {
    let mut sources: Vec<(String, String)> = Vec::new();
    let mut partials: BTreeSet<&str> = BTreeSet::new();
    for (path, content) in templates.files().filter(|(path, _)| {
        path.rsplit_once('.')
            .is_some_and(|(_, extension)| extension == "md")
    }) {
        match path
            .strip_prefix("targets/")
            .and_then(|rest| rest.split_once('/'))
        {
            Some((_, name)) => {
                partials.insert(name);
            }
            None => sources.push((path.to_owned(), content.to_owned())),
        }
    }
    // A template may name a place where this target, or none, differs.
    for (_, content) in templates.files() {
        for part in content.split("include \"target/").skip(1) {
            partials.extend(part.split('"').next());
        }
    }
    for name in partials {
        let content = partial(plan, templates, name).unwrap_or_default();
        sources.push((format!("target/{name}"), content.to_owned()));
    }
    for section in 1..=11u8 {
        let mut content = String::new();
        for step in plan.steps.iter().filter(|step| step.section == section) {
            let _ = write!(
                content,
                "{{% set step = steps.{key} %}}{{{{<step_heading step={{step}}/>}}}}\n\n{body}\n\n",
                key = step_key(&step.id),
                body = body(step, plan, templates),
            );
        }
        sources.push((format!("steps/{section:02}.md"), content));
    }
    sources
}

/// The target's own file of this name, or that of the nearest target that it builds upon.
fn partial<'t>(plan: &Plan<'_>, templates: &'t Templates, name: &str) -> Option<&'t str> {
    plan.target
        .lineage
        .iter()
        .find_map(|id| templates.get(&format!("targets/{id}/{name}")))
}

/// The include of a step's body: the target's template, the common one, or nothing.
fn body(step: &Step, plan: &Plan<'_>, templates: &Templates) -> String {
    let Some(name) = &step.template else {
        return String::new();
    };
    if partial(plan, templates, name).is_some() {
        format!("{{% include \"target/{name}\" %}}")
    } else {
        format!("{{% include \"sections/{name}\" %}}")
    }
}

/// Filters that look something up in the plan.
fn register_look_ups(tera: &mut Tera, plan: &Plan<'_>) {
    let numbers: BTreeMap<String, String> = plan
        .steps
        .iter()
        .map(|step| (step.id.clone(), step.number.clone()))
        .collect();
    let see = numbers.clone();
    tera.register_filter("step", move |id: &str, _: Kwargs, _: &State| {
        Value::safe_string(numbers.get(id).map_or("", String::as_str))
    });
    tera.register_filter("see", move |id: &str, _: Kwargs, _: &State| {
        Value::safe_string(&see.get(id).map_or(String::new(), |number| format!(" ({number})")))
    });
    let risks = plan.risk_numbers();
    tera.register_filter("risk", move |rule: &str, arguments: Kwargs, _: &State| {
        let numbers = risks.get(rule).map(|numbers| numbers.join(", "));
        let bare = arguments.get::<bool>("bare")?.unwrap_or(false);
        Ok::<_, Error>(Value::safe_string(&match numbers {
            Some(numbers) if bare => numbers,
            Some(numbers) => format!(" ({numbers})"),
            None => String::new(),
        }))
    });
    for (filter, kind, known) in [
        (
            "assumed",
            'A',
            plan.assumptions.keys().cloned().collect::<BTreeSet<_>>(),
        ),
        ("asked", 'Q', plan.questions.keys().cloned().collect()),
    ] {
        tera.register_filter(filter, move |id: &str, _: Kwargs, _: &State| {
            if known.contains(id) {
                Ok(Value::safe_string(&format!(
                    "{CITATION}{kind}:{id}{CITATION_END}"
                )))
            } else {
                Err(Error::message(format!("there is no note `{id}`")))
            }
        });
    }
}

fn template_error(file: &str, error: &Error) -> TemplateError {
    TemplateError {
        file: file.to_owned(),
        message: error.to_string(),
    }
}

/// The citations of a text, each once, in order.
fn citations(text: &str) -> Vec<String> {
    let mut list: Vec<String> = Vec::new();
    for part in text.split(CITATION).skip(1) {
        if let Some((citation, _)) = part.split_once(CITATION_END)
            && !list.iter().any(|known| known == citation)
        {
            list.push(citation.to_owned());
        }
    }
    list
}

/// Replaces each citation by its number.
fn number_citations(text: &str, cited: &[String]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut out = text.to_owned();
    for citation in cited {
        let kind = citation.split(':').next().unwrap_or_default();
        let count = counts.entry(kind).or_default();
        *count += 1;
        out = out.replace(
            &format!("{CITATION}{citation}{CITATION_END}"),
            &format!("{kind}{count}"),
        );
    }
    out
}

/// The lines inside of fences.
fn lines_in_fences(text: &str) -> impl Iterator<Item = &str> {
    let mut fence = None;
    text.lines().filter(move |line| {
        let before = fence;
        fence = fence_after(fence, line);
        before.is_some() && fence.is_some()
    })
}

/// Names after `$` in fences.
fn variables_in_fences(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for line in lines_in_fences(text) {
        for part in line.split('$').skip(1) {
            let part = part.strip_prefix('{').unwrap_or(part);
            let end = part
                .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                .unwrap_or(part.len());
            if let Some(name) = part.get(..end).filter(|name| !name.is_empty()) {
                names.insert(name.to_owned());
            }
        }
    }
    names
}

/// Words of the commands in fences, without the list of tools that the preflight itself goes through.
fn words_in_fences(text: &str) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for line in lines_in_fences(text) {
        if !line.trim_start().starts_with("for t in ") {
            let parts = line.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')));
            words.extend(parts.filter(|word| !word.is_empty()).map(str::to_owned));
        }
    }
    words
}

/// Settles what depends on the line: pipes in tables, empty lines, trailing blanks.
fn finish(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut fence: Option<usize> = None;
    let mut empty = 0;
    for line in text.lines() {
        fence = fence_after(fence, line);
        let line = line.trim_end();
        if line.is_empty() && fence.is_none() {
            empty += 1;
            if empty > 1 || out.is_empty() {
                continue;
            }
        } else {
            empty = 0;
        }
        if fence.is_none() && line.starts_with('|') {
            // A backslash before the pipe would take the pipe's own.
            let line = line.replace(&format!("\\{PIPE}"), &format!("\\ {PIPE}"));
            out.push_str(&line.replace(PIPE, "\\|"));
        } else {
            out.push_str(&line.replace(PIPE, "|"));
        }
        out.push('\n');
    }
    while out.ends_with("\n\n") {
        out.pop();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn citations_are_numbered_by_their_first_place() {
        let text = "x \u{E000}A:b\u{E001} \u{E000}Q:a\u{E001} \u{E000}A:a\u{E001} \u{E000}A:b\u{E001}";
        let cited = citations(text);
        assert_eq!(cited, ["A:b", "Q:a", "A:a"]);
        assert_eq!(number_citations(text, &cited), "x A1 Q1 A2 A1");
    }

    #[test]
    fn only_variables_of_fences_count() {
        let text = "$A\n```bash\necho \"$B ${C:-x}\" $(id) $1\n```\n$D";
        let names: Vec<String> = variables_in_fences(text).into_iter().collect();
        assert_eq!(names, ["1", "B", "C"]);
    }

    #[test]
    fn finishing_keeps_fences_and_joins_empty_lines() {
        let text = "\n\na\n\n\n\nb\n```sh\nx\n\n\ny\n```\n| `a\u{E002}b` |\n`a\u{E002}b`\n\n";
        assert_eq!(finish(text), "a\n\nb\n```sh\nx\n\n\ny\n```\n| `a\\|b` |\n`a|b`\n");
        assert_eq!(finish("| `a\\\u{E002}b` |"), "| `a\\ \\|b` |\n");
    }
}
