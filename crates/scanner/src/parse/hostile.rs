//! Every parser on input that means harm: none may panic or take long.

use super::*;

/// A generator of pseudo-random numbers (xorshift), so that the test is the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % below as u64).expect("smaller than a usize")
    }
}

/// Pieces that open, close, escape, continue or cut something in one of the formats.
#[rustfmt::skip]
const ATOMS: &[&str] = &[
    "a", "é", "𝄞", "\u{feff}", "\0", "\n", "\r\n", "\r", "\t", " ", "\\", "\\\n", "\"", "'", "`", "\"\"\"", "'''", "$", "${", "$(", "$((", "}", ")", "(",
    "[", "]", "[[", "]]", "{", "{{", "}}", "<", "<<", "<<EOF\n", "EOF\n", ">", "&", "&&", "|", "||", ";", ";;", "case $1 in ", "esac", "if ", "then ",
    "fi\n", "for x in ", "do ", "done ", "f() ", "=", ":", ": ", "- ", "? ", "#", "# ", "!", "*", "&a ", "*a", "<<: ", "---\n", "...\n", "|\n", ">-\n", "%", "%YAML",
    "FROM ", "AS ", "RUN ", "ENV ", "ARG ", "CMD [", "--a=b ", "# escape=`\n", ",", ".", "/", "//", "/*", "*/", "{/*", "*/}", "--", "=>", "require (", "-r ", "@",
    "<a>", "</a>", "<!", "<!--", "<?", "<![CDATA[", "null", "true", "1", "0x", "_", "~", "::", "?=", "endef\n", "define x\n", "export ", "a=", "A=1\n", "func(",
];

fn all(text: &str) {
    for (name, parser) in PARSERS {
        let start = std::time::Instant::now();
        parser(text);
        let taken = start.elapsed();
        assert!(
            taken.as_secs() < 5,
            "{name} took {taken:?} for {} bytes",
            text.len()
        );
    }
}

type Parser = fn(&str);

#[rustfmt::skip]
const PARSERS: &[(&str, Parser)] = &[
    ("yaml", |text| drop(yaml::documents(text))),
    ("json", |text| drop(json::document(text))),
    ("toml", |text| drop(toml::document(text))),
    ("xml", |text| drop(xml::root(text))),
    ("hcl", |text| drop(hcl::body(text))),
    ("dockerfile", dockerfile),
    ("dotenv", |text| drop(dotenv::entries(text))),
    ("properties", |text| drop(properties::entries(text))),
    ("ini", |text| drop(ini::parse(text))),
    ("words", |text| drop(shell::words(text))),
    ("commands", |text| drop(shell::commands(text))),
    ("dispatch", |text| drop(shell::dispatch(text))),
    ("variables", |text| drop(shell::variables_read(text))),
    ("procfile", |text| drop(procfile::entries(text))),
    ("makefile", |text| drop(makefile::parse(text))),
    ("helm", |text| drop(helm::mask(text))),
    ("requirements", |text| drop(requirements::parse(text))),
    ("requirement", |text| drop(requirements::requirement(text))),
    ("hocon", |text| drop(hocon::entries(text))),
    ("gomod", |text| drop(gomod::parse(text))),
    ("nginx", |text| drop(directives::nginx(text))),
    ("caddy", |text| drop(directives::caddy(text))),
    ("sections", |text| drop(directives::sections(text, &["a", "é"]))),
];

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

#[test]
fn random_pieces() {
    let mut random = Random(0x5eed_2026_0102_0304);
    for _ in 0..1_500 {
        let length = 1 + random.next(40);
        let text: String = (0..length).map(|_| ATOMS[random.next(ATOMS.len())]).collect();
        all(&text);
    }
}

#[test]
fn random_bytes() {
    let mut random = Random(0x0bad_cafe_dead_beef);
    for _ in 0..800 {
        let length = random.next(120);
        let bytes: Vec<u8> = (0..length)
            .map(|_| u8::try_from(random.next(256)).expect("a byte"))
            .collect();
        all(&String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn long_runs_of_each_piece() {
    for atom in ATOMS {
        all(&atom.repeat(10_000));
    }
}

#[test]
#[rustfmt::skip]
fn characters_at_every_boundary() {
    let texts = [
        "FROM a\nRUN b\n", "A=\"b\" # c\n", "a: {b: [c]}\n", "case \"$1\" in a) b;; esac\n", "{\"a\": [1]}", "a = 1\n[b]\n",
        "{{ if }}a{{ end }}", "a[b]>=1 ; c # d\n", "all: a\n\tb\n", "<a b=\"c\">d</a>",
    ];
    for text in texts {
        for at in 0..=text.len() {
            for inserted in ["é", "\u{feff}", "\0", "\u{2028}", "𝄞"] {
                let Some((before, after)) = text.split_at_checked(at) else { continue };
                all(&format!("{before}{inserted}{after}"));
                all(&format!("{before}{inserted}"));
            }
        }
    }
}
