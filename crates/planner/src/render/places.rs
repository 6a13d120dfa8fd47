//! Proves that each `{{ }}` of every template ends in a filter for its place.
//!
//! Each template is walked with the state of its reader: Markdown with its code spans and fences, in a fence the quotes
//! of a shell, its here-documents, YAML, TOML, JSON, a Dockerfile, a diagram. Branches and loops give a set of states,
//! includes and components are walked where they stand, the partials of all targets in each place that includes them.

mod fits;
mod markdown;
mod shell;
mod template;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use self::fits::{MARKDOWN, constant_if_own, fits};
use self::markdown::{Line, Markdown};
use self::shell::{Shell, ShellPlace};
use self::template::{Node, Template, filters, name_of, parse};
use self::text::{Data, DataPlace};
use super::Templates;
use crate::target::Targets;

/// Where a value stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Markdown(Line),
    CodeSpan,
    Link,
    Shell(ShellPlace),
    Data(DataPlace),
}

/// The reader of a fence or of a here-document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Inner {
    Shell(Shell),
    Data(Data),
}

impl Inner {
    fn of_document(delimiter: &str) -> Self {
        shell::language(delimiter)
    }

    fn place(&self) -> Place {
        match self {
            Self::Shell(shell) => Place::Shell(shell.place()),
            Self::Data(data) => Place::Data(data.place()),
        }
    }

    fn value(&mut self) {
        match self {
            Self::Shell(shell) => shell.value(),
            Self::Data(data) => data.value(),
        }
    }

    fn text(&mut self, text: &str) {
        match self {
            Self::Shell(shell) => shell.text(text),
            Self::Data(data) => data.text(text),
        }
    }

    fn is_closed(&self) -> bool {
        match self {
            Self::Shell(shell) => shell.is_closed(),
            Self::Data(data) => data.is_closed(),
        }
    }
}

/// Walks over all templates.
#[derive(Clone)]
struct Walk {
    templates: BTreeMap<String, Template>,
    components: BTreeMap<String, Vec<Node>>,
    /// Templates of steps.
    steps: BTreeSet<String>,
    wrong: BTreeSet<String>,
    visited: BTreeSet<String>,
    seen: BTreeMap<(String, Markdown), BTreeSet<Markdown>>,
    /// States in which a loop was left.
    broken: States,
}

type States = BTreeSet<Markdown>;

impl Walk {
    fn new(templates: &Templates) -> Self {
        let mut walk = Self {
            templates: BTreeMap::new(),
            components: BTreeMap::new(),
            steps: BTreeSet::new(),
            wrong: BTreeSet::new(),
            visited: BTreeSet::new(),
            seen: BTreeMap::new(),
            broken: States::new(),
        };
        for (path, content) in templates.files().filter(|(path, _)| is_markdown(path)) {
            let template = parse(content).unwrap_or_else(|error| panic!("{path}: {error}"));
            walk.components.extend(template.components.clone());
            walk.templates.insert(path.to_owned(), template);
        }
        let common = templates.steps().expect("the folder is in order");
        let targets = Targets::load(templates).expect("the folder is in order");
        let own = targets.iter().flat_map(|target| &target.steps);
        for name in own
            .chain(common.values())
            .filter_map(|step| step.template.as_ref())
        {
            let path = format!("sections/{name}");
            let known = walk.templates.contains_key(&path);
            walk.steps.extend(known.then_some(path));
            let file = |path: &&String| {
                path.strip_prefix("targets/")
                    .and_then(|rest| rest.split_once('/'))
                    .is_some_and(|(_, file)| file == name)
            };
            let partials: Vec<String> = walk.templates.keys().filter(file).cloned().collect();
            walk.steps.extend(partials);
        }
        walk
    }

    fn file(&mut self, path: &str, states: &States) -> States {
        self.visited.insert(path.to_owned());
        let mut after = States::new();
        for state in states {
            let key = (path.to_owned(), state.clone());
            let result = if let Some(known) = self.seen.get(&key) {
                known.clone()
            } else {
                let nodes = self.templates.get(path).map(|template| template.nodes.clone());
                let Some(nodes) = nodes else {
                    self.wrong.insert(format!("{path}: is included and not there"));
                    continue;
                };
                let result = self.nodes(path, &nodes, &BTreeSet::from([state.clone()]));
                self.seen.insert(key, result.clone());
                result
            };
            after.extend(result);
        }
        after
    }

    fn nodes(&mut self, path: &str, nodes: &[Node], states: &States) -> States {
        let mut states = states.clone();
        for (at, node) in nodes.iter().enumerate() {
            let next = nodes[at + 1..].iter().find_map(first_character);
            states = match node {
                Node::Text(text) => {
                    let mut after = States::new();
                    for mut state in states {
                        if let Err(wrong) = state.text(text) {
                            self.wrong.insert(format!("{path}: {wrong}"));
                        }
                        after.insert(state);
                    }
                    after
                }
                Node::Print(code, line) => {
                    let filters = filters(code);
                    let chain: Vec<&str> = filters.iter().map(|filter| name_of(filter)).collect();
                    let mut after = States::new();
                    for mut state in states {
                        let place = state.place();
                        if !fits(&chain, &place, next) || !constant_if_own(code, &chain) {
                            self.wrong.insert(format!("{path}:{line}: {code}: {place:?}"));
                        }
                        state.value();
                        after.insert(state);
                    }
                    after
                }
                Node::Set(name, value) => states
                    .into_iter()
                    .map(|mut state| {
                        state.switches.insert(name.clone(), *value);
                        state
                    })
                    .collect(),
                Node::Choice(branches) => {
                    let mut after = States::new();
                    for (condition, branch) in branches {
                        let taken: States = states
                            .iter()
                            .filter(|state| holds(state, condition) != Some(false))
                            .cloned()
                            .collect();
                        states.retain(|state| holds(state, condition) != Some(true));
                        after.extend(self.nodes(path, branch, &taken));
                    }
                    after
                }
                Node::Break => {
                    self.broken.extend(std::mem::take(&mut states));
                    States::new()
                }
                Node::Loop(body) => {
                    let outside = std::mem::take(&mut self.broken);
                    let mut all = states.clone();
                    loop {
                        let more = self.nodes(path, body, &all);
                        let before = all.len();
                        all.extend(more);
                        if all.len() == before {
                            break;
                        }
                        assert!(
                            all.len() < 200,
                            "{path}: a loop never ends in the state it began with"
                        );
                    }
                    all.extend(std::mem::replace(&mut self.broken, outside));
                    all
                }
                Node::Include(name) => self.include(name, &states),
                Node::Call(name) => {
                    if let Some(body) = self.components.get(name).cloned() {
                        self.nodes(&format!("components.md, {name}"), &body, &states)
                    } else {
                        self.wrong.insert(format!("{path}: there is no component {name}"));
                        states
                    }
                }
            };
        }
        states
    }

    fn include(&mut self, name: &str, states: &States) -> States {
        if let Some(partial) = name.strip_prefix("target/") {
            let paths: Vec<String> = self
                .templates
                .keys()
                .filter(|path| {
                    path.strip_prefix("targets/")
                        .and_then(|rest| rest.split_once('/'))
                        .is_some_and(|(_, file)| file == partial)
                })
                .cloned()
                .collect();
            // A target without the file prints nothing.
            let mut after = states.clone();
            for path in paths {
                after.extend(self.file(&path, states));
            }
            return after;
        }
        if name.starts_with("steps/") {
            for path in self.steps.clone() {
                self.file(&path, &BTreeSet::from([Markdown::default()]));
            }
            return states.iter().cloned().map(Markdown::at_next_line).collect();
        }
        self.file(name, states)
    }
}

/// Does the condition hold, as far as the switches that the template itself has set tell?
fn holds(state: &Markdown, condition: &str) -> Option<bool> {
    match condition.strip_prefix("not ") {
        None if condition.is_empty() => Some(true),
        None => state.switches.get(condition).copied(),
        Some(switch) => state.switches.get(switch).map(|value| !value),
    }
}

fn first_character(node: &Node) -> Option<char> {
    match node {
        Node::Text(text) => text.chars().next(),
        Node::Choice(branches) => branches
            .iter()
            .find_map(|(_, branch)| branch.iter().find_map(first_character)),
        Node::Loop(body) => body.iter().find_map(first_character),
        Node::Print(..) | Node::Include(_) | Node::Call(_) => Some('*'),
        Node::Break | Node::Set(..) => None,
    }
}

fn is_markdown(path: &str) -> bool {
    path.rsplit_once('.')
        .is_some_and(|(_, extension)| extension == "md")
}

#[test]
fn every_expression_ends_in_a_filter_for_its_place() {
    let templates = Templates::default();
    let mut walk = Walk::new(&templates);
    let start = BTreeSet::from([Markdown::default()]);
    walk.file("plan.md", &start);
    for (path, _) in templates.files().filter(|(path, _)| is_markdown(path)) {
        if !walk.visited.contains(path) && path != "components.md" {
            walk.wrong.insert(format!("{path}: no template includes it"));
        }
    }
    let wrong: Vec<&str> = walk.wrong.iter().map(String::as_str).collect();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// Values of parameters stand between double quotes of a shell; every other text of the TOML files is Markdown, or prose
/// that a fence takes over and that may hold no value of the repository.
#[test]
fn expressions_of_the_toml_files_end_in_a_filter_for_their_place() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for (path, content) in Templates::default()
        .files()
        .filter(|(path, _)| !is_markdown(path))
    {
        let table: toml::Table = toml::from_str(content).unwrap_or_else(|_| panic!("{path} is no TOML"));
        let mut texts = Vec::new();
        collect(&toml::Value::Table(table), "", &mut texts);
        for (key, text) in texts {
            // `${{Name.VARIABLE}}` is how a platform refers to a variable; such texts are no templates.
            if !text.contains("{{") || text.contains("${{") {
                continue;
            }
            let template = parse(&text).unwrap_or_else(|error| panic!("{path}: {key}: {error}"));
            expressions(&template.nodes, &mut |code| {
                seen += 1;
                let filters = filters(code);
                let last = filters.last().map_or("", |filter| name_of(filter));
                let ok = match key.as_str() {
                    "value" => ["slug", "number"].contains(&last),
                    "sentence" | "because" | "settled-by" | "who" | "needs" | "title" => {
                        MARKDOWN.contains(&last)
                    }
                    _ => false,
                };
                if !ok {
                    wrong.push(format!("{path}: {key}: {code}"));
                }
            });
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen > 20, "{seen} expressions are too few: is the folder read?");
}

fn collect(value: &toml::Value, key: &str, texts: &mut Vec<(String, String)>) {
    match value {
        toml::Value::String(text) => texts.push((key.to_owned(), text.clone())),
        toml::Value::Array(items) => items.iter().for_each(|item| collect(item, key, texts)),
        toml::Value::Table(table) => table.iter().for_each(|(key, value)| collect(value, key, texts)),
        _ => {}
    }
}

fn expressions(nodes: &[Node], f: &mut dyn FnMut(&str)) {
    for node in nodes {
        match node {
            Node::Print(code, _) => f(code),
            Node::Choice(branches) => branches.iter().for_each(|(_, branch)| expressions(branch, f)),
            Node::Loop(body) => expressions(body, f),
            _ => {}
        }
    }
}

/// The check itself: a wrong filter in each kind of place is seen.
#[test]
fn a_wrong_filter_is_seen_in_every_place() {
    let walk = Walk::new(&Templates::default());
    let judge = |text: &str| {
        let mut walk = walk.clone();
        let template = parse(text).expect("a template");
        walk.nodes("test", &template.nodes, &BTreeSet::from([Markdown::default()]));
        walk.wrong.is_empty()
    };
    for (text, right, wrong) in [
        ("a {{ x | @ }} b", "text", "shell"),
        ("| {{ x | @ }} |", "code", "raw"),
        ("`{{ x | @ }}`", "slug", "text"),
        ("[a](#{{ x | @ }})", "slug", "text"),
        ("```bash\nrun {{ x | @ }}\n```", "shell", "text"),
        ("```bash\n{{ x | @ }}=1\n```", "name", "shell"),
        ("```bash\necho \"a {{ x | @ }}\"\n```", "double", "shell"),
        ("```bash\necho \"$(run {{ x | @ }})\"\n```", "shell", "double"),
        ("```bash\necho 'a {{ x | @ }}'\n```", "single", "double"),
        ("```bash\necho \"${{ x | @ }}\"\n```", "name", "double"),
        (
            "```bash\nsh -c 'run {{ x | @ }}'\n```",
            "shell | single",
            "single",
        ),
        (
            "```bash\nssh host \"run {{ x | @ }}\"\n```",
            "shell | double",
            "double",
        ),
        (
            "```bash\njq '.a == \"{{ x | @ }}\"'\n```",
            "quoted | single",
            "single",
        ),
        ("```bash\n# {{ x | @ }}\n```", "comment", "double"),
        ("```bash\ncat <<'YAML'\na: {{ x | @ }}\nYAML\n```", "yaml", "slug"),
        (
            "```bash\ncat <<'YAML'\na: \"{{ x | @ }}\"\nYAML\nrun\n```",
            "quoted",
            "yaml",
        ),
        (
            "```bash\ncat <<UNIT\nA=\"{{ x | @ }}\"\nUNIT\n```",
            "unit | heredoc",
            "unit",
        ),
        (
            "```bash\necho {% if a %}'{% else %}'b {% endif %}{{ x | @ }}'\n```",
            "single",
            "shell",
        ),
        ("```yaml\na: {b: {{ x | @ }}}\n```", "yaml", "slug"),
        ("```dockerfile\nFROM a:{{ x | @ }}\n```", "word", "text"),
        ("```dockerfile\nRUN {{ x | @ }}\n```", "script", "line"),
        ("```mermaid\n  a[\"{{ x | @ }}\"]\n```", "mermaid", "line"),
        ("```diff\n+{{ x | @ }}\n```", "line", "text"),
        ("```diff\n{{ x | @ }}\n```", "slug", "line"),
    ] {
        assert!(judge(&text.replace('@', right)), "{text}: {right}");
        assert!(!judge(&text.replace('@', wrong)), "{text}: {wrong}");
    }
}
