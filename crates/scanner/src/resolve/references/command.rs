//! What a command names: files, modules, scripts, targets. Which program names what is `references.toml`.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use playbook_core::inventory::ReferenceKind;
use serde::Deserialize;

use crate::resolve::roles;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Table {
    placeholder_parts: Vec<String>,
    placeholder_words: BTreeSet<String>,
    pub(super) output_folders: BTreeSet<String>,
    pub(super) skipped_folders: BTreeSet<String>,
    pub(super) document_folders: BTreeSet<String>,
    generators: Vec<Vec<String>>,
    output_options: BTreeSet<String>,
    output_programs: BTreeSet<String>,
    runnable_endings: BTreeSet<String>,
    runnable_files: BTreeSet<String>,
    runnable_folders: BTreeSet<String>,
    application_endings: Vec<String>,
    pub(super) module_paths: Vec<String>,
    pub(super) own_installs: Vec<String>,
    wrapper: Vec<Wrapper>,
    program: Vec<Program>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Wrapper {
    words: Vec<String>,
    values: BTreeSet<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Program {
    names: BTreeSet<String>,
    words: Vec<String>,
    operand: String,
    runner: String,
    endings: BTreeSet<String>,
    also: BTreeSet<String>,
    #[serde(rename = "options-first")]
    options_first: bool,
    files: BTreeSet<String>,
    folders: BTreeSet<String>,
    modules: BTreeSet<String>,
    values: BTreeSet<String>,
    ends: BTreeSet<String>,
}

// A mistake in the table is found by the test below, never by a user.
pub(super) static TABLE: LazyLock<Table> =
    LazyLock::new(|| toml::from_str(include_str!("../../../references.toml")).unwrap_or_default());

/// How a name of Python is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    /// The whole name is one of a module or a file.
    Whole,
    /// Its last part may be an attribute of a module.
    LastMayBeAttribute,
    /// A module that is run: often one of an installed package.
    Run,
}

/// Something that a command names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference<'c> {
    pub(super) kind: ReferenceKind,
    /// The name, `./` before it left out.
    pub(super) text: &'c str,
    /// Of a target or script: the program whose it is.
    pub(super) runner: &'static str,
    pub(super) naming: Naming,
}

impl<'c> Reference<'c> {
    fn new(kind: ReferenceKind, text: &'c str) -> Self {
        Self {
            kind,
            text: text.trim_start_matches("./"),
            runner: "",
            naming: Naming::Whole,
        }
    }
}

/// The simple commands of a line, without pipes, redirections and remarks.
pub(super) fn simple(command: &str) -> Vec<Vec<&str>> {
    roles::simple_commands(command)
        .into_iter()
        .flat_map(|words| {
            words
                .split(|word| *word == "|")
                .map(<[&str]>::to_vec)
                .collect::<Vec<_>>()
        })
        .map(|words| {
            words
                .into_iter()
                .take_while(|word| !word.starts_with(['>', '<', '#', '&']) && !word.starts_with("2>"))
                .collect::<Vec<_>>()
        })
        .filter(|words| !words.is_empty())
        .collect()
}

/// Everything that a simple command names.
pub(super) fn references<'c>(words: &[&'c str]) -> Vec<Reference<'c>> {
    let words = unwrapped(words);
    let Some((first, arguments)) = words.split_first() else {
        return Vec::new();
    };
    let mut found = Vec::new();
    if is_runnable(first) {
        found.push(Reference::new(ReferenceKind::File, first));
    }
    let name = first.rsplit('/').next().unwrap_or(first);
    let bare = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    for program in TABLE
        .program
        .iter()
        .filter(|program| program.names.contains(name) || (!bare.is_empty() && program.names.contains(bare)))
    {
        for reference in of_program(program, arguments) {
            if !found.contains(&reference) {
                found.push(reference);
            }
        }
    }
    found.retain(|reference| is_name(reference.text));
    found
}

/// The command behind `sudo`, `poetry run`, `npx` and their like.
pub(super) fn unwrapped<'w, 'c>(words: &'w [&'c str]) -> &'w [&'c str] {
    let mut words = words;
    // As deep as real commands go.
    for _ in 0..4 {
        let Some(wrapper) = TABLE.wrapper.iter().find(|wrapper| {
            words.len() > wrapper.words.len() && wrapper.words.iter().zip(words).all(|(a, b)| a == b)
        }) else {
            break;
        };
        let mut rest = words.get(wrapper.words.len()..).unwrap_or_default();
        while let Some((first, behind)) = rest.split_first() {
            if wrapper.values.contains(*first) {
                rest = behind.get(1..).unwrap_or_default();
            } else if first.starts_with('-') || roles::is_assignment(first) {
                rest = behind;
            } else {
                break;
            }
        }
        words = rest;
    }
    words
}

/// Is the program itself a file that has to be in the repository?
fn is_runnable(word: &str) -> bool {
    let table = &*TABLE;
    let path = word.trim_start_matches("./");
    let here = word.starts_with("./");
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
    let folder = path.split('/').next().unwrap_or_default();
    let in_folder = path.contains('/') && table.runnable_folders.contains(folder);
    (here || path.contains('/') && !word.starts_with('/')) && table.runnable_endings.contains(ending)
        || table.runnable_files.contains(path) && (here || path.contains('/'))
        || in_folder && !word.starts_with('/')
}

fn of_program<'c>(program: &Program, arguments: &[&'c str]) -> Vec<Reference<'c>> {
    let mut found = Vec::new();
    let mut wanted = program.words.iter();
    let mut next = wanted.next();
    let mut operands: Vec<&'c str> = Vec::new();
    let mut rest = arguments.iter().copied();
    while let Some(word) = rest.next() {
        if word == "--" {
            break;
        }
        if !word.starts_with('-') || word == "-" {
            match next {
                Some(expected) if expected == word => next = wanted.next(),
                // The program does something else.
                Some(_) => return Vec::new(),
                None => operands.push(word),
            }
            continue;
        }
        if program.options_first && !operands.is_empty() {
            break;
        }
        let (option, value) = match word.split_once('=') {
            Some((option, value)) => (option, Some(value)),
            None => (word, None),
        };
        let kind = if program.files.contains(option) || program.folders.contains(option) {
            Some(ReferenceKind::File)
        } else if program.modules.contains(option) {
            Some(ReferenceKind::Module)
        } else if program.values.contains(option) || program.ends.contains(option) {
            None
        } else {
            continue;
        };
        let value = value.or_else(|| rest.next());
        if let (Some(kind), Some(value)) = (kind, value) {
            let mut reference = Reference::new(kind, value);
            if kind == ReferenceKind::Module {
                reference.naming = if option == "-m" {
                    Naming::Run
                } else {
                    Naming::LastMayBeAttribute
                };
            }
            found.push(reference);
        }
        if program.ends.contains(option) {
            return found;
        }
    }
    if next.is_some() {
        return Vec::new();
    }
    found.extend(of_operands(program, &operands));
    found
}

fn of_operands<'c>(program: &Program, operands: &[&'c str]) -> Option<Reference<'c>> {
    let first = *operands.first()?;
    let with = |kind, naming| Reference {
        naming,
        ..Reference::new(kind, first)
    };
    match program.operand.as_str() {
        "file" => {
            let ending = first.rsplit_once('.').map_or("", |(_, ending)| ending);
            let fits = program.endings.contains(ending) || program.also.contains(first);
            fits.then(|| Reference::new(ReferenceKind::File, first))
        }
        "package" => (first.starts_with("./") || first.ends_with(".go"))
            .then(|| Reference::new(ReferenceKind::File, first.trim_end_matches("/...")))
            .filter(|reference| !matches!(reference.text, "" | "." | "...")),
        "source" => {
            let is_file = operands.len() == 2 && first.trim_end_matches('/').contains('.');
            is_file.then(|| Reference::new(ReferenceKind::File, first))
        }
        "module" => operands
            .iter()
            .find(|word| is_application(word))
            .map(|word| Reference::new(ReferenceKind::Module, word)),
        "dotted" => first
            .contains('.')
            .then(|| with(ReferenceKind::Module, Naming::LastMayBeAttribute)),
        "script" => Some(Reference {
            runner: "npm",
            ..with(ReferenceKind::Script, Naming::Whole)
        }),
        // Without a colon it may be a program that a package installs.
        "own-script" => first.contains(':').then(|| Reference {
            runner: "npm",
            ..with(ReferenceKind::Script, Naming::Whole)
        }),
        "target" => Some(Reference {
            runner: runner(&program.runner),
            ..with(ReferenceKind::Target, Naming::Whole)
        }),
        _ => None,
    }
}

/// The runners that detectors tell the names of.
fn runner(name: &str) -> &'static str {
    ["make", "just", "task", "composer"]
        .into_iter()
        .find(|known| *known == name)
        .unwrap_or_default()
}

/// `package.module:attribute`, or a module that is by its name an application.
fn is_application(word: &str) -> bool {
    let is_plain = |text: &str| {
        text.chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_'))
    };
    if is_plain(word)
        && TABLE
            .application_endings
            .iter()
            .any(|ending| word.ends_with(ending.as_str()))
    {
        return true;
    }
    let starts_name = |text: &str| text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    word.split_once(':')
        .is_some_and(|(module, attribute)| starts_name(module) && starts_name(attribute) && is_plain(module))
}

/// Is it a plain name, and no stand-in, no pattern, no address?
fn is_name(text: &str) -> bool {
    let table = &*TABLE;
    // `create_app()` behind a colon is an attribute.
    let whole = text;
    let text = text.split_once(':').map_or(text, |(module, _)| module);
    !whole.contains("://")
        && !text.is_empty()
        && !text.starts_with(['-', '/'])
        && !matches!(text, "." | "..")
        && text.is_ascii()
        && !table
            .placeholder_parts
            .iter()
            .any(|part| text.contains(part.as_str()))
        && !text
            .split(|c: char| !c.is_ascii_alphanumeric())
            .any(|word| table.placeholder_words.contains(&word.to_ascii_lowercase()))
}

/// Does the command make a project or unpack one, so that what follows is about other files than the repository's?
pub(super) fn is_generator(words: &[&str]) -> bool {
    TABLE.generators.iter().any(|row| {
        words.windows(row.len()).take(4).any(|window| {
            row.iter().zip(window).all(|(wanted, word)| {
                let name = word.rsplit('/').next().unwrap_or(word);
                match wanted.strip_suffix('*') {
                    Some(start) => word.starts_with(start),
                    None => name == wanted,
                }
            })
        })
    })
}

/// The names of the files that a whole command line writes, without their folders, in lower case.
pub(super) fn written(command: &str) -> Vec<String> {
    let table = &*TABLE;
    let mut found: Vec<&str> = Vec::new();
    let all: Vec<&str> = command
        .split_whitespace()
        .map(|word| word.trim_matches(['"', '\'']))
        .collect();
    for (at, word) in all.iter().enumerate() {
        let following = || all.get(at + 1).copied();
        if matches!(*word, ">" | ">>" | "&>" | "1>") || table.output_options.contains(*word) {
            found.extend(following());
        } else if let Some(path) = word.strip_prefix(">>").or_else(|| word.strip_prefix('>')) {
            found.push(path);
        } else if let Some((option, value)) = word.split_once('=')
            && table.output_options.contains(option)
        {
            found.push(value);
        }
    }
    for words in simple(command) {
        let words = unwrapped(&words);
        let Some((program, arguments)) = words.split_first() else {
            continue;
        };
        let mut operands = arguments.iter().copied().filter(|word| !word.starts_with('-'));
        match *program {
            "curl" => found.extend(operands.filter(|word| word.contains("://"))),
            "cp" | "mv" | "ln" => found.extend(operands.next_back()),
            program if table.output_programs.contains(program) => found.extend(operands),
            _ => {}
        }
    }
    found
        .into_iter()
        .map(|path| path.trim_end_matches('/').rsplit('/').next().unwrap_or(path))
        .filter(|name| !name.is_empty())
        .map(str::to_ascii_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(command: &str) -> Vec<(ReferenceKind, String)> {
        simple(command)
            .iter()
            .flat_map(|words| {
                references(words)
                    .into_iter()
                    .map(|reference| (reference.kind, reference.text.to_owned()))
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    #[test]
    fn table_is_whole() {
        let table: Table = toml::from_str(include_str!("../../../references.toml")).expect("references.toml");
        assert!(table.program.len() > 40);
        for program in &table.program {
            assert!(
                [
                    "",
                    "file",
                    "package",
                    "module",
                    "dotted",
                    "script",
                    "own-script",
                    "target",
                    "source"
                ]
                .contains(&program.operand.as_str()),
                "{program:?}"
            );
            assert!(program.operand != "target" || !runner(&program.runner).is_empty());
        }
    }

    #[test]
    fn names_of_the_repository() {
        use ReferenceKind::{File, Module, Script, Target};
        for (command, expected) in [
            ("sudo ./deploy.sh --now", vec![(File, "deploy.sh")]),
            ("scripts/migrate up", vec![(File, "scripts/migrate")]),
            (
                "docker compose -f a.yml --file=ops/b.yml up -d",
                vec![(File, "a.yml"), (File, "ops/b.yml")],
            ),
            (
                "docker build -t api -f api/Dockerfile .",
                vec![(File, "api/Dockerfile")],
            ),
            (
                "poetry run uvicorn app.main:app --port 80",
                vec![(Module, "app.main:app")],
            ),
            (
                "gunicorn -b localhost:8000 -c conf.py 'shop.wsgi:application'",
                vec![(File, "conf.py"), (Module, "shop.wsgi:application")],
            ),
            (
                "celery -A shop.tasks worker -l info",
                vec![(Module, "shop.tasks")],
            ),
            ("python3.12 -m shop.seed --file x.py", vec![(Module, "shop.seed")]),
            ("gunicorn -k gevent shop.wsgi", vec![(Module, "shop.wsgi")]),
            ("python manage.py migrate", vec![(File, "manage.py")]),
            (
                "npm run build:css && make up",
                vec![(Script, "build:css"), (Target, "up")],
            ),
            ("yarn db:migrate", vec![(Script, "db:migrate")]),
            ("go run ./cmd/api -v", vec![(File, "cmd/api")]),
            ("cp .env.example .env", vec![(File, ".env.example")]),
            (
                "pip install -r requirements.txt # all",
                vec![(File, "requirements.txt")],
            ),
            ("php artisan migrate", vec![(File, "artisan")]),
        ] {
            let expected: Vec<(ReferenceKind, String)> = expected
                .into_iter()
                .map(|(kind, text)| (kind, text.to_owned()))
                .collect();
            assert_eq!(told(command), expected, "{command}");
        }
    }

    #[test]
    fn what_names_nothing_of_it() {
        for command in [
            "yarn build",
            "go install example.com/x@latest",
            "go test ./...",
            "python -c 'x.py'",
            "kubectl apply -f https://example.com/x.yaml",
            "docker run -v /x.yml:/x image",
            "bash ./<script>.sh",
            "cp -r $HOME/a.b .",
            "npm install",
            "node path/to/file.js",
            "./server",
            "/usr/local/bin/run.sh",
            "pip install flask",
            "gunicorn --bind 0.0.0.0:8000",
        ] {
            assert_eq!(told(command), [], "{command}");
        }
    }

    #[test]
    fn files_that_commands_write() {
        assert_eq!(
            written("curl -fsSLO https://example.com/a/Tool.sh && openssl req -keyout key.pem > log.txt"),
            ["key.pem", "log.txt", "tool.sh"]
        );
        assert_eq!(written("cp a.env config/b.env"), ["b.env"]);
        assert!(is_generator(&["npx", "create-next-app", "x"]));
        assert!(!is_generator(&["npm", "run", "init"]));
    }
}
