//! Makefiles: targets with the commands of their recipes.

use std::collections::BTreeSet;

use super::{line_number, without_byte_order_mark};

/// A Makefile.
#[derive(Debug, Default)]
pub(crate) struct Makefile {
    /// Targets in order. A rule with several targets gives one each.
    pub(crate) targets: Vec<Target>,
    /// Variables in order.
    pub(crate) variables: Vec<Variable>,
}

/// A target.
pub(crate) struct Target {
    /// The line of the rule.
    pub(crate) line: u32,
    /// The name.
    pub(crate) name: String,
    /// The names it depends on.
    pub(crate) prerequisites: Vec<String>,
    /// The commands of the recipe.
    pub(crate) recipe: Vec<Recipe>,
    /// Whether it is declared `.PHONY`.
    pub(crate) phony: bool,
}

/// A command of a recipe.
pub(crate) struct Recipe {
    /// The line on which it starts.
    pub(crate) line: u32,
    /// The command with continuations joined, without the prefixes `@`, `-` and `+`.
    pub(crate) command: String,
}

/// `NAME = value`.
pub(crate) struct Variable {
    /// Its line.
    pub(crate) line: u32,
    /// Its name.
    pub(crate) name: String,
    /// Its value, not expanded.
    pub(crate) value: String,
}

opaque_debug!(Target, Recipe, Variable);

impl Makefile {
    /// The target of a name.
    pub(crate) fn target(&self, name: &str) -> Option<&Target> {
        self.targets.iter().find(|target| target.name == name)
    }
}

/// Reads a Makefile. Conditionals are passed through: the rules of all branches are listed.
pub(crate) fn parse(text: &str) -> Makefile {
    let mut makefile = Makefile::default();
    let mut phony: BTreeSet<String> = BTreeSet::new();
    // The targets of the rule that is open.
    let mut open = 0..0;
    let mut in_define = false;
    let mut lines = without_byte_order_mark(text).lines().enumerate();
    while let Some((index, first)) = lines.next() {
        let line = line_number(index + 1);
        let mut logical = first.to_owned();
        while logical.ends_with('\\') {
            logical.pop();
            let Some((_, next)) = lines.next() else { break };
            let kept = logical.trim_end().len();
            logical.truncate(kept);
            logical.push(' ');
            logical.push_str(next.trim_start());
        }
        if in_define {
            in_define = logical.trim() != "endef";
            continue;
        }
        if let Some(command) = logical.strip_prefix('\t') {
            let command = command.trim().trim_start_matches(['@', '-', '+', ' ']);
            if !command.is_empty() && !command.starts_with('#') {
                for target in makefile.targets.get_mut(open.clone()).unwrap_or_default() {
                    target.recipe.push(Recipe {
                        line,
                        command: command.to_owned(),
                    });
                }
            }
            continue;
        }
        let content = logical.trim();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        let word = content.split_whitespace().next().unwrap_or("");
        if word == "define" {
            in_define = true;
            continue;
        }
        if matches!(
            word,
            "ifeq"
                | "ifneq"
                | "ifdef"
                | "ifndef"
                | "else"
                | "endif"
                | "include"
                | "-include"
                | "sinclude"
                | "vpath"
                | "unexport"
        ) {
            continue;
        }
        let statement = content
            .strip_prefix("export ")
            .or_else(|| content.strip_prefix("override "))
            .unwrap_or(content);
        if let Some(variable) = variable(statement, line) {
            makefile.variables.push(variable);
            open = 0..0;
            continue;
        }
        let Some((names, rest)) = statement.split_once(':') else {
            continue;
        };
        let rest = rest.split('#').next().unwrap_or("");
        // `target: NAME = value` sets a variable for one target.
        if rest.contains('=') && !rest.contains(';') {
            continue;
        }
        let (prerequisites, inline) = rest.split_once(';').unwrap_or((rest, ""));
        let prerequisites: Vec<String> = prerequisites
            .trim_start_matches(':')
            .split_whitespace()
            .filter(|name| *name != "|")
            .map(str::to_owned)
            .collect();
        if names.trim() == ".PHONY" {
            phony.extend(prerequisites);
            continue;
        }
        let from = makefile.targets.len();
        for name in names.split_whitespace() {
            let inline = inline.trim();
            let recipe = if inline.is_empty() {
                Vec::new()
            } else {
                vec![Recipe {
                    line,
                    command: inline.to_owned(),
                }]
            };
            makefile.targets.push(Target {
                line,
                name: name.to_owned(),
                prerequisites: prerequisites.clone(),
                recipe,
                phony: false,
            });
        }
        open = from..makefile.targets.len();
    }
    for target in &mut makefile.targets {
        target.phony = phony.contains(&target.name);
    }
    makefile
}

fn variable(content: &str, line: u32) -> Option<Variable> {
    let at = content.find('=')?;
    let before = super::slice(content, 0, at);
    let name = before.trim_end_matches(['?', ':', '+', '!']);
    let name = name.trim();
    if name.is_empty()
        || !name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
    {
        return None;
    }
    let value = super::tail(content, at + 1)
        .split(" #")
        .next()
        .unwrap_or("")
        .trim()
        .to_owned();
    Some(Variable {
        line,
        name: name.to_owned(),
        value,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_recipes_and_variables() {
        let text = "\u{feff}PORT ?= 8080\r\nIMAGE := a/b # why\r\n.PHONY: run migrate\r\nrun: build | dirs ## start it\r\n\t@go run ./cmd/app \\\r\n\t  --port $(PORT)\r\n\t# note\r\n\t-echo done\r\n\r\nmigrate up: X = 1\r\nmigrate: ; migrate up\r\nifdef CI\r\na b::\r\n\ttouch $@\r\nendif\r\ndefine help\r\nfoo: bar\r\nendef\r\n";
        let makefile = parse(text);
        let run = makefile.target("run").expect("run");
        assert_eq!((run.line, run.phony), (4, true));
        assert_eq!(run.prerequisites, ["build", "dirs"]);
        let recipe: Vec<_> = run
            .recipe
            .iter()
            .map(|recipe| (recipe.line, recipe.command.as_str()))
            .collect();
        assert_eq!(recipe, [(5, "go run ./cmd/app --port $(PORT)"), (8, "echo done")]);
        assert_eq!(
            makefile
                .target("migrate")
                .map(|target| target.recipe[0].command.as_str()),
            Some("migrate up")
        );
        assert_eq!(makefile.target("b").map(|target| target.recipe.len()), Some(1));
        assert!(makefile.target("foo").is_none());
        let variables: Vec<_> = makefile
            .variables
            .iter()
            .map(|variable| (variable.name.as_str(), variable.value.as_str()))
            .collect();
        assert_eq!(variables, [("PORT", "8080"), ("IMAGE", "a/b")]);
    }
}
