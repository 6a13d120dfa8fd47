//! POSIX shell (and the usual bash): words, commands, the arms of an entrypoint script, the variables it reads.
//!
//! Nothing is evaluated. Variables and command substitutions stay in the text of a word as written.

mod script;
mod token;

use std::collections::BTreeSet;

use token::Token;

/// A word of a command.
#[derive(Clone)]
pub(crate) struct Word {
    /// The line on which it starts.
    pub(crate) line: u32,
    /// The text without quotes and escapes; `$NAME`, `${NAME:-x}` and `$(…)` stay as written.
    pub(crate) text: String,
    /// Whether any part was quoted.
    pub(crate) quoted: bool,
    /// The variables in it, positional ones (`1`, `@`, `*`, `#`) included; none from single quotes.
    pub(crate) variables: Vec<Variable>,
    /// Whether it holds the output of a command.
    pub(crate) substitution: bool,
}

/// A variable that is read.
#[derive(Clone)]
pub(crate) struct Variable {
    /// Its line.
    pub(crate) line: u32,
    /// Its name.
    pub(crate) name: String,
    /// The text of `${NAME:-text}` (also `-`, `:=`, `=`).
    pub(crate) default: Option<String>,
    /// Whether the script stops without it: `${NAME:?}`.
    pub(crate) required: bool,
    /// Whether it may be unset without harm: it has a default, or only its presence is looked at (`${NAME:+x}`).
    pub(crate) has_default: bool,
    /// Whether the read also assigns it: `${NAME:=text}`.
    pub(crate) assigns: bool,
}

/// A simple command.
#[derive(Clone)]
pub(crate) struct Command {
    /// The line of its first word.
    pub(crate) line: u32,
    /// `NAME=value` before the command, behind `env`, or the arguments of `export`.
    pub(crate) assignments: Vec<(String, Word)>,
    /// Program and arguments without redirections, `exec` and `env`; empty if there are only assignments.
    pub(crate) words: Vec<Word>,
    /// What stands between it and the next command.
    pub(crate) connector: Connector,
    /// Whether it replaces the shell.
    pub(crate) exec: bool,
    /// Whether its assignments are exported to later commands.
    pub(crate) exported: bool,
    /// Whether it stands in a branch or a loop.
    pub(crate) conditional: bool,
}

/// What stands between a command and the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Connector {
    /// `&&`.
    And,
    /// `||`.
    Or,
    /// `;` or a new line, also the end of the text.
    Sequence,
    /// `|`.
    Pipe,
    /// `&`.
    Background,
}

/// A branch of a script that dispatches on an argument or a variable.
pub(crate) struct Arm {
    /// The line of its pattern.
    pub(crate) line: u32,
    /// The patterns, quotes removed; `*` is the last resort.
    pub(crate) patterns: Vec<String>,
    /// The commands of the branch, with the functions they call in place of the calls.
    pub(crate) commands: Vec<Command>,
}

opaque_debug!(Word, Variable, Command, Arm);

impl Command {
    /// The program, as written.
    pub(crate) fn program(&self) -> Option<&str> {
        self.words.first().map(|word| word.text.as_str())
    }

    /// The program without its folder: `gunicorn` for `/usr/local/bin/gunicorn`.
    pub(crate) fn program_name(&self) -> Option<&str> {
        self.program()
            .map(|program| program.rsplit('/').next().unwrap_or(program))
    }

    /// The texts of the words after the program.
    pub(crate) fn arguments(&self) -> impl Iterator<Item = &str> {
        self.words.iter().skip(1).map(|word| word.text.as_str())
    }

    /// The texts of all words.
    pub(crate) fn texts(&self) -> Vec<&str> {
        self.words.iter().map(|word| word.text.as_str()).collect()
    }

    /// A command from words that no shell has seen, such as a JSON list.
    pub(crate) fn from_texts(texts: &[&str]) -> Self {
        let word = |text: &&str| Word {
            line: 1,
            text: (*text).to_owned(),
            quoted: true,
            variables: Vec::new(),
            substitution: false,
        };
        Self {
            line: 1,
            assignments: Vec::new(),
            words: texts.iter().map(word).collect(),
            connector: Connector::Sequence,
            exec: false,
            exported: false,
            conditional: false,
        }
    }

    /// Moves the command down, for a text that starts later in its file.
    pub(crate) fn shift_lines(&mut self, lines: u32) {
        self.line += lines;
        for word in self
            .words
            .iter_mut()
            .chain(self.assignments.iter_mut().map(|(_, word)| word))
        {
            word.line += lines;
            for variable in &mut word.variables {
                variable.line += lines;
            }
        }
    }
}

/// The place of the script in the words of `sh -c 'script'`.
pub(crate) fn inline_script(words: &[&str]) -> Option<usize> {
    let program = words.first()?;
    let shell = program.rsplit('/').next().unwrap_or(program);
    if !matches!(shell, "sh" | "bash" | "ash" | "dash" | "zsh" | "ksh") {
        return None;
    }
    let flag = words
        .iter()
        .skip(1)
        .position(|word| word.starts_with('-') && !word.starts_with("--") && word.ends_with('c'))?
        + 1;
    // Only flags may stand before it, or it is an argument of a script file.
    let flags_only = words.get(1..flag)?.iter().all(|word| word.starts_with('-'));
    (flags_only && flag + 1 < words.len()).then_some(flag + 1)
}

/// The words of a text, whatever operators stand between them. Redirections are left out.
pub(crate) fn words(text: &str) -> Vec<Word> {
    let word = |token| match token {
        Token::Word(word) => Some(word),
        Token::Operator(..) => None,
    };
    token::tokens(text).tokens.into_iter().filter_map(word).collect()
}

/// The commands of a script in order, all branches included, with called functions in place of their calls.
pub(crate) fn commands(text: &str) -> Vec<Command> {
    script::Script::new(text).commands()
}

/// The branches by which a script chooses what to do: arms of `case` and `if [ "$1" = x ]`, outside of loops.
pub(crate) fn dispatch(text: &str) -> Vec<Arm> {
    script::Script::new(text).arms()
}

/// The environment variables that a script reads: not assigned by it before, each at its first read. What a function does
/// counts as done after what stands outside of functions.
pub(crate) fn variables_read(text: &str) -> Vec<Variable> {
    let script = script::Script::new(text);
    let functions = script.function_lines();
    let inside = |event: &token::Event| {
        functions
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&event.line()))
    };
    let (later, first): (Vec<_>, Vec<_>) = token::tokens(text).events.into_iter().partition(inside);
    let mut known: BTreeSet<String> = BTreeSet::new();
    let mut found: Vec<Variable> = Vec::new();
    for event in first.into_iter().chain(later) {
        match event {
            token::Event::Assigned(name, _) => {
                known.insert(name);
            }
            token::Event::Read(variable) => {
                let starts_name = |letter: char| letter.is_ascii_alphabetic() || letter == '_';
                if variable.name.starts_with(starts_name) && known.insert(variable.name.clone()) {
                    found.push(variable);
                }
            }
        }
    }
    found.sort_by_key(|variable| variable.line);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(commands: &[Command]) -> Vec<String> {
        let one = |command: &Command| {
            let assignments = command
                .assignments
                .iter()
                .map(|(name, value)| format!("{name}={} ", value.text))
                .collect::<Vec<_>>()
                .concat();
            format!(
                "{}: {assignments}{} {:?}{}",
                command.line,
                command.texts().join(" "),
                command.connector,
                if command.exec { " exec" } else { "" }
            )
        };
        commands.iter().map(one).collect()
    }

    fn texts(text: &str) -> Vec<String> {
        words(text).into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn quotes_escapes_and_variables() {
        assert_eq!(
            texts(r#"a 'b c' "d $E ${F:-g h}" i\ j \$k "l\"m" n"o"'p' "" "#),
            ["a", "b c", "d $E ${F:-g h}", "i j", "$k", "l\"m", "nop", ""]
        );
        let word = &words("\"${A:-${B:=x}}\"'$C'$1")[0];
        let names: Vec<_> = word
            .variables
            .iter()
            .map(|variable| (variable.name.as_str(), variable.default.as_deref()))
            .collect();
        assert_eq!(names, [("A", Some("${B:=x}")), ("B", Some("x")), ("1", None)]);
        assert!(words("$(ls \"a b\") c")[0].substitution);
        assert_eq!(
            texts("$(ls \"a )b\") `x y` $((1 + 2))"),
            ["$(ls \"a )b\")", "`x y`", "$((1 + 2))"]
        );
        assert_eq!(texts("a # comment\nb#c"), ["a", "b#c"]);
        assert_eq!(texts("a \\\n  b\r\nc"), ["a", "b", "c"]);
    }

    #[test]
    fn commands_are_split_and_stripped() {
        let text = "#!/bin/sh\nset -euo pipefail\nA=1 B=\"x y\" run a >out 2>&1 && exec env C=3 server --x < in || fail; bg & x | y\nexport D=4 E\n";
        assert_eq!(
            shown(&commands(text)),
            [
                "3: A=1 B=x y run a And",
                "3: C=3 server --x Or exec",
                "3: fail Sequence",
                "3: bg Background",
                "3: x Pipe",
                "3: y Sequence",
                "4: D=4  Sequence",
            ]
        );
    }

    #[test]
    fn control_structures_are_flattened() {
        let text = "if [ -z \"$A\" ]; then\n  one\nelif two; then three\nelse\n  four\nfi\nfor i in a b; do five $i; done\nwhile six; do seven; done\n{ eight; } && (nine; ten)\n! eleven\n";
        let found = commands(text);
        let programs: Vec<_> = found.iter().filter_map(Command::program).collect();
        assert_eq!(
            programs,
            [
                "[", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"
            ]
        );
        assert!(found[1].conditional && !found[8].conditional);
        assert_eq!(found[8].connector, Connector::And);
    }

    #[test]
    fn an_entrypoint_dispatches_on_its_argument() {
        let text = r#"#!/bin/bash
set -e
worker() {
  export CONCURRENCY=${CONCURRENCY:-2}
  exec celery -A shop worker
}
function server {
  exec gunicorn -b "${BIND:-0.0.0.0:5000}" app:app
}
case "$1" in
  worker)
    shift
    worker
    ;;
  server|web)
    server "$@" ;;
  (shell) exec python ;;
  *)
    exec "$@"
    ;;
esac
"#;
        let arms = dispatch(text);
        let found: Vec<_> = arms
            .iter()
            .map(|arm| {
                (
                    arm.line,
                    arm.patterns.join("|"),
                    arm.commands
                        .iter()
                        .map(|command| command.texts().join(" "))
                        .collect::<Vec<_>>()
                        .join("; "),
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                (11, "worker".into(), "shift; ; celery -A shop worker".into()),
                (
                    15,
                    "server|web".into(),
                    "gunicorn -b ${BIND:-0.0.0.0:5000} app:app".into()
                ),
                (17, "shell".into(), "python".into()),
                (18, "*".into(), "$@".into()),
            ]
        );
        assert_eq!(arms[1].commands[0].line, 8);
    }

    #[test]
    fn tests_of_the_argument_dispatch_too() {
        let text = "role=${CONTAINER_ROLE:-app}\nif [ \"$role\" = \"app\" ] || [ \"$role\" = web ]; then\n  apache\nelif [[ $role == 'queue' ]]; then\n  work\nelse\n  exit 1\nfi\ncase \"${1:-serve}\" in serve) run;; esac\n";
        let arms = dispatch(text);
        let found: Vec<_> = arms.iter().map(|arm| arm.patterns.join("|")).collect();
        assert_eq!(found, ["app|web", "queue", "*", "serve"]);
    }

    #[test]
    fn heredocs_are_skipped() {
        let text = "cat <<EOF > f\nnot a command $A\nEOF\ncat <<-'X'\n\tneither $B\n\tX\nlast\n";
        assert_eq!(
            shown(&commands(text)),
            ["1: cat Sequence", "4: cat Sequence", "7: last Sequence"]
        );
        assert_eq!(
            variables_read(text)
                .iter()
                .map(|variable| (variable.name.as_str(), variable.line))
                .collect::<Vec<_>>(),
            [("A", 2)]
        );
    }

    #[test]
    fn variables_that_come_from_outside() {
        let text = ": \"${DATABASE_URL:?must be set}\"\nPORT=${PORT:-8000}\necho $PORT $HOME '$NOT'\nLOCAL=1\necho $LOCAL \"a${B+x}\" $(c \"$C\")\nfor i in $D; do echo $i; done\nmake X=1 $X\n";
        let found: Vec<_> = variables_read(text)
            .iter()
            .map(|variable| {
                (
                    variable.name.clone(),
                    variable.has_default,
                    variable.required,
                    variable.line,
                )
            })
            .collect();
        let expected = [
            ("DATABASE_URL", false, true, 1),
            ("PORT", true, false, 2),
            ("HOME", false, false, 3),
            ("B", true, false, 5),
            ("C", false, false, 5),
            ("D", false, false, 6),
            ("X", false, false, 7),
        ];
        assert_eq!(
            found,
            expected.map(|(name, default, required, line)| (name.to_owned(), default, required, line))
        );
    }

    #[test]
    fn what_main_assigns_is_no_variable_of_its_functions() {
        let text = "wait() {\n  echo $HOST $TOKEN\n}\nHOST=$1\nwait\n";
        let names: Vec<_> = variables_read(text)
            .into_iter()
            .map(|variable| variable.name)
            .collect();
        assert_eq!(names, ["TOKEN"]);
    }

    #[test]
    fn scripts_on_the_command_line() {
        let script = |text: &str| {
            let commands = commands(text);
            let words = commands.first().map(Command::texts).unwrap_or_default();
            inline_script(&words)
                .and_then(|at| words.get(at))
                .map(|word| (*word).to_owned())
        };
        assert_eq!(script("bash -ec 'a && b'").as_deref(), Some("a && b"));
        assert_eq!(script("/bin/sh -e -c 'a'").as_deref(), Some("a"));
        assert_eq!(script("sh run.sh -c x"), None);
        assert_eq!(script("python -c x"), None);
    }

    #[test]
    fn functions_that_call_each_other_end() {
        let text = "a() { b; b; }\nb() { a; a; }\na\n";
        assert!(commands(text).len() < 100);
        let mut many = String::new();
        for level in 1..30 {
            many.extend([format!(
                "f{level}() {{ {} }}\n",
                format!("f{}; ", level - 1).repeat(50)
            )]);
        }
        many.push_str("f29\n");
        assert!(commands(&many).len() <= 20_000);
    }

    #[test]
    fn a_test_with_operators_inside_is_one_command() {
        assert_eq!(
            shown(&commands("[[ $a && b || ( c ) ]] && d")),
            ["1: [[ $a && b || ( c ) ]] And", "1: d Sequence"]
        );
        assert_eq!(
            shown(&commands("(( a = 1 )); x=(a b) y")),
            ["1: x=(a b) y Sequence"]
        );
    }
}
