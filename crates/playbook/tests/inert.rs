//! Hostile text in every printable slot of an inventory stays text: in the plans for all targets and in the JSON.
//!
//! The inventories of all fixtures, scanned in folders with hostile names, are laid together; then each text of it is
//! replaced by a random one, made of pieces that act somewhere and of random characters. This goes around the harmless
//! types on purpose: what the templates print must be inert even if a type let too much through. The same inventory with
//! tame words tells what a plan consists of: a hostile text may add no heading, link, command, option or tag to it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

use playbook_core::inventory::Inventory;
use playbook_core::secret::Withheld;
use playbook_core::shown::Shown;
use playbook_core::technology::Catalogue;
use playbook_core::visit::Visit;
use playbook_planner::context::{Context, Settings};
use playbook_planner::render::{Templates, document, json};
use playbook_planner::rule::assess;
use playbook_planner::target::Targets;
use playbook_scanner::{Options, scan};

use crate::readers::{Page, Script, page, script, yaml};
use crate::support::{DATE, cases, empty_folder, files_below};

/// Random strings that all runs together must have tried.
const STRINGS: usize = 200_000;
/// Strings in each slot: rendering costs the time, not their length.
const IN_ONE_SLOT: usize = 5;

/// Pieces that act somewhere: in Markdown, on a host of repositories, in a shell, in YAML, in a diagram, in a template
/// engine, in the log of a CI run, on a terminal.
#[rustfmt::skip] // One piece a line would be a page and a half.
const PIECES: &[&str] = &[
    "`", "``", "```", "\n```\n", "```bash\ntouch x\n```", "~~~", "\n\n", "\n# h\n", "# h", "- a", "1. a", "> a",
    "---", "===", "\n---\ntitle: x\n---\n", "    a", "|", "| a | b |", "\n| a |\n|---|\n| b |\n", "*a*", "_a_",
    "[a](javascript:b)", "[a](http://evil.example/)", "![a](http://evil.example/p.png)",
    "[a]: http://evil.example/", "[^1]", "[^1]: a", "[[a]]", "<b>", "</b>", "<script>alert(1)</script>",
    "<img src=x onerror=a>", "<!-- a -->", "<a@evil.example>", "<http://evil.example>", "&lt;", "&#x3c;",
    "http://evil.example/a", "https://evil.example", "www.evil.example", "mail@evil.example",
    "mailto:a@b.example", "@octocat", "@org/team", "#1", "GH-1", "org/repo#1", "fixes #1", "closes GH-2", "!1",
    "&1", "%1", "~bug", "$1", ":smile:", "$a^2$", "$$a$$", "\\(a\\)", "\\", "\\\\", "\\n", "'", "''", "\"",
    "\\'", "\\\"", "$(touch x)", "`touch x`", "$((1))", "$HOME", "${IFS}", "${PATH:-a}", "'; touch x; '",
    "\"; touch x; \"", "; touch x #", "&& touch x", "|| touch x", "| touch x", "& touch x", "\ntouch x\n",
    "> x", "< x", "<<EOF", "\nEOF\n", "\nSH\n", "\nYAML\n", "\nENV\n", "\nUNIT\n", "EOF", "SH", "YAML",
    "--privileged", "-v/:/host", "-x", "--", "-", "!!", "!x", "*", "?", "~", "~root", "{a,b}", "%s%n", "%h",
    "=1", "a=b", ": ", "a: b", "- ", "{a: b}", "[a]", "&a", "*a", "!!python/object:a", "!a", "<<: *a", "? a",
    "%TAG", "\n- a\n", "\na: b\n", ", ", "]", "}", "end", "click a b",
    "\"]; click a \"b\"",
    "-->",
    ":::a",
    "%%{init}%%",
    "{{ 7 * 7 }}",
    "{{a}}",
    "{% include \"a\" %}",
    "{# a #}",
    "${{ secrets.A }}",
    "<%= a %>",
    "::set-output name=a::b",
    "\n::error::a",
    "::warning::",
    "##[error]a",
    "##vso[task.setvariable variable=a]b",
    "\u{1b}[31m",
    "\u{1b}]8;;http://evil.example\u{7}",
    "\u{9b}31m",
    "\u{85}",
    "\r",
    "\r\n",
    "\t",
    "\0",
    "\u{7f}",
    "\u{202e}",
    "\u{2066}",
    "\u{200b}",
    "\u{200d}",
    "\u{feff}",
    "\u{2028}",
    "\u{2029}",
    "\u{ad}",
    "\u{e0041}",
    "\u{fffe}",
    "\u{ffff}",
    "\u{e000}",
    "\u{e001}",
    "\u{e002}",
    "é",
    "日本",
    "𝕏",
    "\u{301}",
    "a",
    "b c",
];

/// Fields that hold words of our own vocabulary and decide what a plan consists of.
const VOCABULARY: &[&str] = &[
    "schema",
    "kind",
    "role",
    "category",
    "language",
    "frameworks",
    "tool",
    "drivers",
    "managed",
    "rule",
    "source",
    "scheme",
];

struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap_or(0) % end.max(1)
    }

    /// What stands in one slot; the number keeps the names of different things different.
    fn slot(&mut self, number: usize) -> String {
        let separators = ["", " ", "\n", "`", "|"];
        let mut text = self.hostile(number);
        for _ in 1..IN_ONE_SLOT {
            let separator = separators.get(self.below(separators.len()));
            text.push_str(separator.copied().unwrap_or_default());
            text.push_str(&self.hostile(number));
        }
        text
    }

    /// A random string of one to five pieces.
    fn hostile(&mut self, number: usize) -> String {
        let mut text = String::new();
        let place = self.below(6);
        for at in 0..=self.below(5) {
            if at == place {
                let _ = write!(text, "h{number}");
            }
            if self.below(5) == 0 {
                let code = u32::try_from(self.below(0x11_0000)).unwrap_or(0);
                text.extend(char::from_u32(code));
            } else {
                text.push_str(PIECES.get(self.below(PIECES.len())).copied().unwrap_or("a"));
            }
        }
        if !text.contains(&format!("h{number}")) {
            let _ = write!(text, "h{number}");
        }
        text
    }
}

/// Everything that the fixtures hold, read in folders with hostile names, in one inventory.
fn everything() -> Inventory {
    let root = empty_folder("inert");
    let names = [
        "a`b",
        "$(touch x)",
        "'; touch x",
        "@octocat #1",
        "-rf",
        "<b>&amp;",
        "{{ a }}",
        "é日本",
        "| a |",
        "%s \"x\"",
    ];
    let mut all = Inventory::empty();
    for (case, name) in cases().iter().zip(names.iter().cycle()) {
        let folder = root.join(&case.name);
        let inside = folder.join(name);
        for file in files_below(&case.checkout) {
            let to = inside.join(&file);
            fs::create_dir_all(to.parent().expect("a file lies in a folder"))
                .expect("the folder can be made");
            fs::copy(case.checkout.join(&file), to).expect("the file can be copied");
        }
        let one = scan(&folder, &Options::default())
            .expect("the folder is there")
            .inventory;
        merge(&mut all, one);
    }
    all
}

/// Lays an inventory over another; a new list of the inventory has to be named here or nothing compiles.
fn merge(all: &mut Inventory, one: Inventory) {
    macro_rules! lists {
        ($($list:ident)*) => {{
            let Inventory { schema: _, project, target: _, $($list),* } = one;
            all.project = project;
            $(all.$list.extend($list);)*
        }};
    }
    lists!(services datastores environment infrastructure containers manifests migrations seeds api_specs auth
        external_services scheduled_jobs caching observability ci findings stacks proxies provisioning autoscalers
        disruption_budgets network_rules deliveries routes interfaces pools rate_limits uploads cors version_pins ci_steps
        documented_commands missing_references project_rules committed_secrets signals diagnostics);
}

/// Replaces every text; the same text by the same one, so that names still refer to each other. Counts them.
fn replace(inventory: &mut Inventory, vocabulary: bool, mut text: impl FnMut(usize) -> String) -> usize {
    let catalogue = Catalogue::get();
    let mut known: BTreeMap<String, Shown> = BTreeMap::new();
    let mut count = 0;
    inventory.visit("inventory", &mut |field, shown| {
        let last = field.rsplit('.').next().unwrap_or(field);
        let own = last == "schema"
            || vocabulary && (VOCABULARY.contains(&last) || catalogue.technology(shown.as_str()).is_some());
        if own {
            return;
        }
        count += 1;
        let number = known.len();
        *shown = known
            .entry(shown.as_str().to_owned())
            .or_insert_with(|| Shown::from(&*Box::leak(text(number).into_boxed_str())))
            .clone();
    });
    count
}

fn plan(
    inventory: &Inventory,
    targets: &Targets,
    templates: &Templates,
    target: &str,
) -> Result<(String, String), String> {
    let settings = Settings {
        target: Some(target.to_owned()),
        date: Some(DATE.to_owned()),
        ..Settings::default()
    };
    let context = Context::new(inventory, settings, targets).map_err(|error| error.to_string())?;
    let findings = assess(inventory, &context);
    let withheld = Withheld::new();
    let text =
        document(inventory, &context, &findings, &withheld, templates).map_err(|error| error.to_string())?;
    let data = json(inventory, &findings, &context, &withheld).map_err(|error| error.to_string())?;
    Ok((text, data))
}

/// Everything that is wrong with a plan, held against the tame one for the same target.
fn wrong(hostile: &str, tame: &str) -> BTreeSet<String> {
    let mut wrong = characters(hostile);
    let (seen, expected) = (page(hostile), page(tame));
    wrong.extend(seen.foreign.iter().cloned());
    wrong.extend(
        seen.acting
            .difference(&expected.acting)
            .map(|word| format!("acts: {word}")),
    );
    wrong.extend(
        seen.links
            .iter()
            .filter(|link| !link.starts_with('#'))
            .map(|link| format!("a link to {link}")),
    );
    if seen.headings[..2] != expected.headings[..2] {
        wrong.insert(format!(
            "headings: {:?} for {:?}",
            seen.headings, expected.headings
        ));
    }
    for columns in seen.tables.iter().map(|(columns, _)| columns) {
        if !expected.tables.iter().any(|(known, _)| known == columns) {
            wrong.insert(format!("a table of {columns} columns"));
        }
    }
    let known = shell(&expected, &mut BTreeSet::new());
    let mut broken = BTreeSet::new();
    let found = shell(&seen, &mut broken);
    wrong.extend(broken);
    wrong.extend(
        found
            .commands
            .difference(&known.commands)
            .map(|word| format!("a command: {word}")),
    );
    wrong.extend(
        found
            .options
            .difference(&known.options)
            .map(|word| format!("an option: {word}")),
    );
    wrong
}

/// Control characters, invisible ones, commands to a log and marks of template engines.
fn characters(text: &str) -> BTreeSet<String> {
    let mut wrong = BTreeSet::new();
    for c in text.chars() {
        let invisible = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{e0000}'..='\u{e0fff}' | '\u{e000}'..='\u{f8ff}');
        if c.is_control() && c != '\n' || invisible || u32::from(c) & 0xFFFE == 0xFFFE {
            wrong.insert(format!("the character U+{:04X}", u32::from(c)));
        }
    }
    for line in text.lines() {
        if line.trim_start().starts_with("::")
            || line.contains("##[")
            || line.contains("##vso") && line.trim_start().starts_with("##vso")
        {
            wrong.insert(format!("a log command: {line}"));
        }
        // `${{Name.VARIABLE}}` is how one platform refers to a variable; a plan says it itself.
        for mark in ["{{", "{%", "{#"] {
            for (at, _) in line.match_indices(mark) {
                let own = line.get(at..).is_some_and(|rest| {
                    rest.trim_start_matches(['{', '#', '%'])
                        .starts_with(|c: char| c.is_ascii_uppercase() || c == '.')
                });
                if !own {
                    wrong.insert(format!("a template: {line}"));
                }
            }
        }
    }
    wrong
}

/// Commands and options of all blocks, with the scripts inside of them; what can't be read is broken.
fn shell(page: &Page, broken: &mut BTreeSet<String>) -> Script {
    let mut all = Script::default();
    for (info, body) in &page.fences {
        let result = match info.as_str() {
            "bash" => script(body).and_then(|found| documents(found, &mut all)),
            "yaml" => data("YAML", body),
            "dockerfile" | "mermaid" | "diff" | "text" => Ok(()),
            other => Err(format!("a fence of {other}")),
        };
        if info == "mermaid" {
            diagram(body, broken);
        }
        if let Err(problem) = result {
            broken.insert(format!("{problem}\n{body}"));
        }
    }
    // The last part of a path: folders carry the project's name.
    let own = |word: &String| word.rsplit('/').next().unwrap_or_default().to_owned();
    all.commands = all
        .commands
        .iter()
        .map(own)
        .filter(|word| !is_number(word))
        .collect();
    all.options
        .retain(|word| !is_number(word.trim_start_matches('-')));
    all
}

fn is_number(word: &str) -> bool {
    word.chars().all(|c| c.is_ascii_digit() || c == '.')
}

fn documents(found: Script, all: &mut Script) -> Result<(), String> {
    for (command, delimiter, body) in found.documents {
        if command == "bash" {
            documents(script(&body)?, all)?;
        } else {
            data(&delimiter, &body)?;
        }
    }
    all.commands.extend(found.commands);
    all.options.extend(found.options);
    Ok(())
}

fn data(language: &str, body: &str) -> Result<(), String> {
    match language {
        "YAML" => match yaml(body)?.into_iter().find(|found| found.starts_with("a tag")) {
            Some(tag) => Err(tag),
            None => Ok(()),
        },
        "TOML" => toml::from_str::<toml::Table>(body)
            .map(|_| ())
            .map_err(|_| "no TOML".to_owned()),
        "JSON" => serde_json::from_str::<serde_json::Value>(body)
            .map(|_| ())
            .map_err(|_| "no JSON".to_owned()),
        "UNIT" | "ENV" | "CADDY" | "SH" | "DIFF" | "STORE" => Ok(()),
        other => Err(format!("a document that ends with {other}")),
    }
}

/// Nodes with a label and edges, one on each line.
fn diagram(body: &str, broken: &mut BTreeSet<String>) {
    let is_id = |text: &str| {
        text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !["end", "click", "style", "class", "graph", "subgraph"]
                .contains(&text.split('-').next().unwrap_or(text))
    };
    for line in body.lines().skip(1).map(str::trim) {
        let ok = match line.split_once(" -->") {
            Some((from, to)) => {
                let to = to.trim();
                let to = to
                    .strip_prefix("|\"")
                    .and_then(|rest| rest.split_once("\"|"))
                    .map_or(to, |(_, to)| to.trim());
                is_id(from) && is_id(to)
            }
            None => match line.split_once(['(', '[']) {
                Some((id, label)) => {
                    let label = label.trim_start_matches(['(', '[']).strip_prefix('"');
                    let inner = label.and_then(|label| label.trim_end_matches([')', ']']).strip_suffix('"'));
                    is_id(id)
                        && inner
                            .is_some_and(|inner| !inner.contains(['"', '`', '<', '{', '#', ';', '&', '\\']))
                }
                None => line.is_empty(),
            },
        };
        if !ok {
            broken.insert(format!("a diagram: {line}"));
        }
    }
}

#[test]
fn hostile_text_stays_text() {
    let templates = Templates::default();
    let targets = Targets::load(&templates).expect("the folder is in order");
    let ids: Vec<&str> = targets.iter().map(|target| target.id.as_str()).collect();
    let everything = everything();
    let next = AtomicUsize::new(0);
    let (count, failures) = (AtomicUsize::new(0), Mutex::new(BTreeSet::new()));
    // What a plan consists of, once for each target, with our vocabulary and without.
    let known: Vec<OnceLock<Result<String, String>>> = (0..2 * ids.len()).map(|_| OnceLock::new()).collect();
    let tame = |at: usize| {
        let known = known.get(at).expect("one for each target");
        let plan = known.get_or_init(|| {
            let mut tame = everything.clone();
            replace(&mut tame, at < ids.len(), |number| format!("w{number}"));
            let target = ids.get(at % ids.len()).copied().expect("there are targets");
            plan(&tame, &targets, &templates, target).map(|(text, _)| text)
        });
        plan.as_deref()
    };
    let run = |at: usize| {
        let target = ids.get(at % ids.len()).copied().expect("there are targets");
        // Every second round takes the vocabulary away, too: then other branches are printed.
        let vocabulary = at % (2 * ids.len()) < ids.len();
        let mut hostile = everything.clone();
        let mut random = Random(0x9E37_79B9_7F4A_7C15 ^ (at as u64 + 1).wrapping_mul(0x2545_F491_4F6C_DD1D));
        let slots = replace(&mut hostile, vocabulary, |number| random.slot(number));
        count.fetch_add(IN_ONE_SLOT * slots, Ordering::Relaxed);
        let found = match (
            plan(&hostile, &targets, &templates, target),
            tame(at % (2 * ids.len())),
        ) {
            (Ok((hostile, data)), Ok(tame)) => {
                let mut found = wrong(&hostile, tame);
                found.extend(characters_of_json(&data));
                found
            }
            (Err(problem), _) => BTreeSet::from([format!("no plan: {problem}")]),
            (_, Err(problem)) => BTreeSet::from([format!("no tame plan: {problem}")]),
        };
        let mut failures = failures.lock().expect("no thread panics");
        failures.extend(
            found
                .into_iter()
                .take(10)
                .map(|problem| format!("{target}, round {at}: {problem}")),
        );
    };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while count.load(Ordering::Relaxed) < STRINGS || next.load(Ordering::Relaxed) < ids.len() + 3
                {
                    run(next.fetch_add(1, Ordering::Relaxed));
                }
            });
        }
    });
    let failures = failures.into_inner().expect("no thread panics");
    assert!(
        failures.is_empty(),
        "{}",
        failures.iter().cloned().collect::<Vec<_>>().join("\n")
    );
    assert!(count.into_inner() >= STRINGS);
}

/// JSON keeps every text as it is, but for the characters that act on a terminal: those it writes as escapes.
fn characters_of_json(data: &str) -> BTreeSet<String> {
    if serde_json::from_str::<serde_json::Value>(data).is_err() {
        return BTreeSet::from(["no JSON".to_owned()]);
    }
    characters(data)
        .into_iter()
        .filter(|problem| !problem.contains("U+E") && !problem.contains("U+F"))
        .map(|problem| format!("JSON: {problem}"))
        .collect()
}

/// Paths reach the printed text by a type of their own; here a hostile name is all there is.
#[test]
fn hostile_names_of_files_stay_names() {
    let root = empty_folder("inert-names");
    for name in [
        "a\nb",
        "\u{1b}[31mx",
        "x\u{202e}y",
        "q\u{200b}",
        "::error::z",
        "##[error]w",
        "`$(touch x)`",
        "-rf",
        "<img src=x>",
    ] {
        let folder = root.join(name);
        fs::create_dir_all(&folder).expect("the folder can be made");
        write(&folder.join("Procfile"), "web: node server.js\n");
        write(
            &folder.join("package.json"),
            "{\"name\": \"a\", \"scripts\": {\"start\": \"node server.js\"}, \"dependencies\": {\"express\": \"5.1.0\"}}",
        );
        write(
            &folder.join("server.js"),
            "require('express')().get('/health', f).listen(3000)\n",
        );
    }
    for format in ["markdown", "json"] {
        let run = crate::support::playbook([
            "analyze",
            "-v",
            "--date",
            DATE,
            "--format",
            format,
            root.to_str().expect("the folder's name is UTF-8"),
        ]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert!(
            run.stdout.contains("-rf/"),
            "the harmless part of the names is shown"
        );
        for text in [&run.stdout, &run.stderr] {
            let found = characters(text);
            assert!(found.is_empty(), "{format}: {found:?}");
        }
    }
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).expect("the file can be written");
}
