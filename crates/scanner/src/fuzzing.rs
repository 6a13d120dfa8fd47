//! What a fuzzer may call: every parser, the masks and patterns of every language, and the decoder of bytes, each with a
//! text of its own. Nothing that a parser returned leaves this module.

use std::fmt;

use playbook_core::evidence::Scope;
use playbook_core::path::RelPath;

use crate::detect::judge;
use crate::language::Kind;
use crate::parse::{
    bicep, directives, dockerfile, dotenv, gomod, hcl, helm, hocon, ini, json, makefile, procfile,
    properties, requirements, shell, toml, xml, yaml,
};
use crate::{index, language, scope};

const ALL_KINDS: [Kind; 6] = [
    Kind::Env,
    Kind::Route,
    Kind::Mount,
    Kind::Listen,
    Kind::Schedule,
    Kind::Client,
];

/// Something that takes a text and must neither panic nor take long.
pub struct Target {
    /// Its name on the command line.
    pub name: &'static str,
    /// Endings of the names of files that are good seeds for it; empty where any will do.
    pub seeds: &'static [&'static str],
    run: fn(&[u8]),
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl Target {
    /// Runs it.
    pub fn run(&self, input: &[u8]) {
        (self.run)(input);
    }
}

/// Every target of this crate.
pub fn targets() -> &'static [Target] {
    TARGETS
}

macro_rules! target {
    ($name:literal, $seeds:expr, |$text:ident| $run:expr) => {
        Target {
            name: $name,
            seeds: &$seeds,
            run: |input| {
                let $text = &*String::from_utf8_lossy(input);
                $run;
            },
        }
    };
}

const TARGETS: &[Target] = &[
    target!("yaml", [".yml", ".yaml"], |text| drop(yaml::documents(text))),
    target!("json", [".json"], |text| drop(json::document(text))),
    target!("toml", [".toml", "Pipfile"], |text| drop(toml::document(text))),
    target!("xml", [".xml", ".csproj", ".props", ".config"], |text| drop(
        xml::root(text)
    )),
    target!("hcl", [".tf", ".hcl", ".nomad", ".tfvars"], |text| drop(
        hcl::body(text)
    )),
    target!("dockerfile", ["Dockerfile", ".dockerfile"], |text| dockerfile(
        text
    )),
    target!("dotenv", [".env", ".example", ".sample", ".local"], |text| drop(
        dotenv::entries(text)
    )),
    target!("properties", [".properties"], |text| drop(properties::entries(
        text
    ))),
    target!("ini", [".ini", ".cfg", ".conf", ".service", ".timer"], |text| {
        drop(ini::parse(text));
    }),
    target!("shell", [".sh", "entrypoint", "Makefile"], |text| shell_text(
        text
    )),
    target!("procfile", ["Procfile"], |text| drop(procfile::entries(text))),
    target!("makefile", ["Makefile", ".mk"], |text| drop(makefile::parse(
        text
    ))),
    target!("helm", [".yaml", ".tpl"], |text| drop(helm::mask(text))),
    target!("requirements", [".txt", ".in"], |text| python_requirements(text)),
    target!("hocon", [".conf"], |text| drop(hocon::entries(text))),
    target!("gomod", ["go.mod"], |text| drop(gomod::parse(text))),
    target!("nginx", [".conf", ".template"], |text| drop(directives::nginx(
        text
    ))),
    target!("caddy", ["Caddyfile"], |text| drop(directives::caddy(text))),
    target!("sections", [".cfg"], |text| drop(directives::sections(
        text,
        &["global", "defaults", "frontend", "backend", "listen"]
    ))),
    target!("bicep", [".bicep"], |text| drop(bicep::declarations(text))),
    target!("commands", [".sh", "Procfile", "Makefile"], |text| commands(text)),
    target!(
        "lexer",
        [
            ".py", ".ts", ".js", ".go", ".java", ".kt", ".rb", ".php", ".cs", ".rs", ".ex", ".exs", ".scala"
        ],
        |text| lexer(text)
    ),
    target!("paths", [".txt", ".md"], |text| paths(text)),
    Target {
        name: "decoder",
        seeds: &[],
        run: |input| drop(index::decode(input.to_vec())),
    },
];

fn shell_text(text: &str) {
    drop(shell::words(text));
    drop(shell::commands(text));
    drop(shell::dispatch(text));
    drop(shell::variables_read(text));
}

fn python_requirements(text: &str) {
    drop(requirements::parse(text));
    drop(requirements::requirement(text));
}

fn dockerfile(text: &str) {
    let file = dockerfile::parse(text);
    for stage in file.stages.iter().rev().take(20) {
        let _ = (
            file.entrypoint(stage),
            file.user(stage),
            file.exposed(stage),
            file.healthcheck(stage),
        );
        let _ = (
            file.env(stage),
            file.workdir(stage),
            file.copies(stage),
            file.args(stage),
        );
        let _ = file.cmd(stage).map(|command| command.commands());
    }
}

/// Whatever judges a single command or address.
fn commands(text: &str) {
    drop(judge::joined_lines(text));
    for line in text.lines().take(200) {
        drop(judge::command(line));
        drop(judge::path(line));
        drop(judge::reference(line));
        drop(judge::image_without_tag(line));
        drop(judge::scheme(line));
        drop(judge::http_target(line));
    }
}

/// A text in every language: which of them it is decides a file's name, which is the repository's choice.
fn lexer(text: &str) {
    for language in language::languages() {
        drop(language.without_inline_tests(text));
        let masked = language.mask(text);
        drop(language.hits_in(text, &masked, &ALL_KINDS));
    }
}

fn paths(text: &str) {
    for line in text.lines().take(1_000) {
        if let Some(path) = RelPath::new(line) {
            let development = scope::scope_of(&path) == Scope::Development;
            let wanted = crate::detect::DETECTORS
                .iter()
                .filter(|detector| (detector.wants)(&path))
                .count();
            let _ = (development, wanted, path.join(line), path.parent());
        }
    }
}
