//! `go.mod` and `go.work`.

use super::numbered_lines;

/// A module or workspace file.
#[derive(Debug, Default)]
pub(crate) struct GoMod {
    /// `module path` with its line.
    pub(crate) module: Option<Directive>,
    /// `go 1.22` with its line.
    pub(crate) go: Option<Directive>,
    /// `toolchain go1.22.1` with its line.
    pub(crate) toolchain: Option<Directive>,
    /// Required modules in order.
    pub(crate) require: Vec<Require>,
    /// Folders of a workspace.
    pub(crate) uses: Vec<Directive>,
    /// Tools (`tool path`).
    pub(crate) tools: Vec<Directive>,
}

/// A directive with one value.
pub(crate) struct Directive {
    /// Its line.
    pub(crate) line: u32,
    /// Its value.
    pub(crate) value: String,
}

/// A required module.
pub(crate) struct Require {
    /// Its line.
    pub(crate) line: u32,
    /// The module path.
    pub(crate) name: String,
    /// The version, such as `v1.2.3`.
    pub(crate) version: String,
    /// Whether only other modules need it.
    pub(crate) indirect: bool,
}

opaque_debug!(Directive, Require);

/// Reads a file; unknown directives are passed over.
pub(crate) fn parse(text: &str) -> GoMod {
    let mut found = GoMod::default();
    let mut block: Option<String> = None;
    for (line, raw) in numbered_lines(text) {
        let (content, comment) = raw.split_once("//").unwrap_or((raw, ""));
        let content = content.trim();
        if content.is_empty() {
            continue;
        }
        if content == ")" {
            block = None;
            continue;
        }
        let (keyword, rest) = match &block {
            Some(keyword) => (keyword.as_str(), content),
            None => content.split_once(char::is_whitespace).unwrap_or((content, "")),
        };
        let rest = rest.trim();
        if block.is_none() && rest == "(" {
            block = Some(keyword.to_owned());
            continue;
        }
        let words: Vec<&str> = rest
            .split_whitespace()
            .map(|word| word.trim_matches(['"', '`']))
            .collect();
        let Some(first) = words.first().filter(|word| !word.is_empty()) else {
            continue;
        };
        let directive = || Directive {
            line,
            value: (*first).to_owned(),
        };
        match keyword {
            "module" => found.module = Some(directive()),
            "go" => found.go = Some(directive()),
            "toolchain" => found.toolchain = Some(directive()),
            "use" => found.uses.push(directive()),
            "tool" => found.tools.push(directive()),
            "require" => found.require.push(Require {
                line,
                name: (*first).to_owned(),
                version: words.get(1).copied().unwrap_or("").to_owned(),
                indirect: comment.trim().starts_with("indirect"),
            }),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_and_blocks() {
        let text = "\u{feff}module example.com/shop // the shop\r\n\r\ngo 1.22.1\r\ntoolchain go1.23.0\r\nrequire example.com/a v1.0.0\r\nrequire (\r\n\texample.com/b/v2 v2.1.0 // indirect\r\n\texample.com/c v0.1.0\r\n)\r\nreplace example.com/c v0.1.0 => ../c\r\n";
        let found = parse(text);
        assert_eq!(
            found
                .module
                .as_ref()
                .map(|module| (module.line, module.value.as_str())),
            Some((1, "example.com/shop"))
        );
        assert_eq!(found.go.as_ref().map(|go| go.value.as_str()), Some("1.22.1"));
        assert_eq!(
            found.toolchain.as_ref().map(|go| go.value.as_str()),
            Some("go1.23.0")
        );
        let require: Vec<_> = found
            .require
            .iter()
            .map(|require| {
                (
                    require.line,
                    require.name.as_str(),
                    require.version.as_str(),
                    require.indirect,
                )
            })
            .collect();
        assert_eq!(
            require,
            [
                (5, "example.com/a", "v1.0.0", false),
                (7, "example.com/b/v2", "v2.1.0", true),
                (8, "example.com/c", "v0.1.0", false)
            ]
        );
    }

    #[test]
    fn workspaces() {
        let found = parse("go 1.22\nuse (\n\t./a\n\t./b\n)\nuse ./c\n");
        assert_eq!(
            found
                .uses
                .iter()
                .map(|folder| folder.value.as_str())
                .collect::<Vec<_>>(),
            ["./a", "./b", "./c"]
        );
    }
}
