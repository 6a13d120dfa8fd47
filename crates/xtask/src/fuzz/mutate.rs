//! Changes to a text: of bytes, of tokens, of lines and of structure. All of them come from one generator, so that a
//! seed and a number name an input for ever.

use std::fmt::Write as _;

/// The longest input. Longer ones would be cut by the bounds of the scanner before a parser sees them.
pub(crate) const LONGEST: usize = 512 * 1024;

/// Xorshift with a mixed start: enough for shapes, the same on every machine.
pub(crate) struct Random(u64);

impl Random {
    /// The generator of one input.
    pub(crate) fn new(seed: u64, number: u64) -> Self {
        let mut state = seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self((state ^ (state >> 31)) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below a bound; zero if the bound is zero.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % (bound.max(1) as u64)).unwrap_or_default()
    }

    /// True once in so many times.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of a list, which must not be empty.
    pub(crate) fn one<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        let at = self.below(list.len());
        &list[at]
    }
}

/// Pieces that open, close, escape, continue or cut something in one of the formats.
const PIECES: &[&str] = &[
    "a",
    "é",
    "𝄞",
    "\u{feff}",
    "\0",
    "\n",
    "\r\n",
    "\r",
    "\t",
    " ",
    "\\",
    "\\\n",
    "\"",
    "'",
    "`",
    "\"\"\"",
    "'''",
    "$",
    "$$",
    "${",
    "${A:-",
    "${A:?",
    "$(",
    "$((",
    "}",
    ")",
    "(",
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "{{",
    "}}",
    "{%",
    "%}",
    "{{-",
    "-}}",
    "<",
    "<<",
    "<<EOF\n",
    "<<-'EOF'\n",
    "EOF\n",
    ">",
    "&",
    "&&",
    "|",
    "||",
    ";",
    ";;",
    "case $1 in ",
    "esac",
    "if ",
    "then ",
    "fi\n",
    "for x in ",
    "do ",
    "done ",
    "f() ",
    "=",
    ":",
    ": ",
    "- ",
    "? ",
    "#",
    "# ",
    "!",
    "*",
    "&a ",
    "*a",
    "<<: *a",
    "---\n",
    "...\n",
    "|\n",
    ">-\n",
    "%",
    "%YAML",
    "!!binary ",
    "FROM ",
    " AS ",
    "RUN ",
    "ENV ",
    "ARG ",
    "CMD [",
    "COPY --from=",
    "--a=b ",
    "# escape=`\n",
    "ONBUILD ",
    ",",
    ".",
    "/",
    "//",
    "/*",
    "*/",
    "{/*",
    "*/}",
    "--",
    "=>",
    "->",
    "::",
    "require (",
    "-r ",
    "@",
    "<a>",
    "</a>",
    "<!",
    "<!--",
    "-->",
    "<?",
    "?>",
    "<![CDATA[",
    "]]>",
    "<!DOCTYPE a [",
    "&#x41;",
    "null",
    "true",
    "1",
    "-1",
    "0x",
    "1e999",
    "99999999999999999999",
    "_",
    "~",
    "?=",
    ":=",
    "+=",
    "endef\n",
    "define x\n",
    "export ",
    "a=",
    "A=1\n",
    "func(",
    "def f(",
    "class A:\n",
    "lambda",
    "async ",
    "await ",
    "f\"{",
    "r#\"",
    "\"#",
    "'a",
    "=begin\n",
    "=end\n",
    "#if ",
    "#endif\n",
    "$$a$$",
    "E'",
    "BEGIN;\n",
    "COMMIT;\n",
    "-- a\n",
    "CREATE TABLE a (",
    "ALTER TABLE a ADD b int;\n",
    "```",
    "~~~",
    "| a |",
    "[a](b)",
    "![a](b)",
    "[^a]: ",
    "> ",
    "* ",
    "1. ",
    "\u{202e}",
    "\u{200b}",
    "\u{2028}",
    "\u{85}",
    "\u{1b}[31m",
    "::error::",
    "##[group]",
    "../",
    "/../../",
    "file://",
    "postgres://a:b@c/d",
    "http://[::1]:80/",
    "%00",
    "%2e%2e",
    "https://user:pass@host/?token=x",
    "<YOUR_VALUE_HERE>",
    "<REDACTED>",
    "include a;\n",
    "server {",
    "location / {",
    "${var.a}",
    "resource \"a\" \"b\" {",
    "for_each = ",
    "dynamic \"a\" {",
    "<<~EOT\n",
    "EOT\n",
    "[a.b.c]\n",
    "[[a]]\n",
    "a.b.c = ",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "\\x",
    "\\u{110000}",
    "services:\n",
    "  a:\n    image: b\n",
    "    extends: a\n",
    "kind: Deployment\n",
    "apiVersion: v1\n",
    "web: ",
    "process.env.A",
    "os.environ[\"A\"]",
    "app.get(\"/a\", ",
    "@app.get(\"/a\")\n",
    "listen(80)",
    "os.getenv(\"A\", ",
];

/// Makes an input of a seed text.
pub(crate) fn mutate(seed: &[u8], others: &[Vec<u8>], words: &[String], random: &mut Random) -> Vec<u8> {
    let mut text = seed.to_vec();
    // One input in sixteen is the seed itself, at another place or with other neighbours.
    if random.once_in(16) {
        return text;
    }
    let longest = if random.once_in(40) { LONGEST } else { 16 * 1024 };
    for _ in 0..=random.below(6) {
        change(&mut text, others, words, random, longest);
        if text.len() > longest {
            text.truncate(longest);
        }
    }
    text
}

fn change(text: &mut Vec<u8>, others: &[Vec<u8>], words: &[String], random: &mut Random, longest: usize) {
    let at = random.below(text.len() + 1);
    match random.below(20) {
        // A bit, a byte, a few bytes.
        0 => {
            if let Some(byte) = text.get_mut(at) {
                *byte ^= 1 << random.below(8);
            }
        }
        1 => text.insert(at, u8::try_from(random.below(256)).unwrap_or_default()),
        2 => {
            let end = (at + 1 + random.below(8)).min(text.len());
            text.drain(at..end);
        }
        // Tokens.
        3..=6 => {
            let piece = token(words, random);
            text.splice(at..at, piece);
        }
        7 => {
            let range = word_at(text, at);
            let piece = token(words, random);
            text.splice(range, piece);
        }
        8 => {
            let from = word_at(text, random.below(text.len() + 1));
            let piece = text[from].to_vec();
            let to = word_at(text, at);
            text.splice(to, piece);
        }
        // Lines.
        9 => {
            let range = lines_at(text, at, 1 + random.below(6));
            text.drain(range);
        }
        10 => {
            let range = lines_at(text, at, 1 + random.below(6));
            let piece = text[range].to_vec();
            let to = lines_at(text, random.below(text.len() + 1), 1).start;
            text.splice(to..to, piece);
        }
        11 => {
            let range = lines_at(text, at, 1 + random.below(12));
            let indent = " ".repeat(random.below(12));
            let mut piece = String::new();
            for line in String::from_utf8_lossy(&text[range.clone()]).lines() {
                let _ = writeln!(piece, "{indent}{}", line.trim_start());
            }
            text.splice(range, piece.into_bytes());
        }
        // Structure: again and again, one in the other, cut, another file's end.
        12 | 13 => {
            let range = lines_at(text, at, 1 + random.below(4));
            repeat(text, range, random, longest);
        }
        14 => {
            let end = (at + 1 + random.below(24)).min(text.len());
            repeat(text, at..end, random, longest);
        }
        15 => {
            let piece = token(words, random);
            let count = 1 + random.below(longest.min(4_000) / piece.len().max(1));
            text.splice(at..at, piece.repeat(count));
        }
        16 => text.truncate(at),
        17 => {
            if !others.is_empty() {
                let other = random.one(others);
                let from = random.below(other.len() + 1);
                let end = (from + 1 + random.below(4_000)).min(other.len());
                text.splice(at..at, other[from..end].iter().copied());
            }
        }
        18 => {
            let ends: [&[u8]; 4] = [b"\r\n", b"\r", "\u{2028}".as_bytes(), b"\n\n"];
            let end = *random.one(&ends);
            let changed: Vec<u8> = text
                .iter()
                .flat_map(|byte| if *byte == b'\n' { end.to_vec() } else { vec![*byte] })
                .collect();
            *text = changed;
        }
        _ => {
            // Names that count up: a thousand services instead of the same one a thousand times.
            let range = lines_at(text, at, 1 + random.below(4));
            let piece = String::from_utf8_lossy(&text[range.clone()]).into_owned();
            let count = (longest / 2 / piece.len().max(1)).min(1 + random.below(2_000));
            let mut many = String::new();
            for number in 0..count {
                for line in piece.lines() {
                    let start = line.len() - line.trim_start().len();
                    let (blank, rest) = line.split_at(start);
                    let word = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
                    let (name, rest) = rest.split_at(word);
                    let _ = writeln!(many, "{blank}{name}{number}{rest}");
                }
            }
            text.splice(range, many.into_bytes());
        }
    }
}

fn repeat(text: &mut Vec<u8>, range: std::ops::Range<usize>, random: &mut Random, longest: usize) {
    let piece = text[range.clone()].to_vec();
    if piece.is_empty() {
        return;
    }
    let room = longest.saturating_sub(text.len()) / piece.len();
    // Mostly a few, sometimes as many as there is room for.
    let count = if random.once_in(4) {
        room
    } else {
        random.below(60).min(room)
    };
    text.splice(range.start..range.start, piece.repeat(count));
}

fn token(words: &[String], random: &mut Random) -> Vec<u8> {
    if !words.is_empty() && random.once_in(2) {
        random.one(words).clone().into_bytes()
    } else {
        random.one(PIECES).as_bytes().to_vec()
    }
}

fn word_at(text: &[u8], at: usize) -> std::ops::Range<usize> {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let at = at.min(text.len());
    let start = text[..at]
        .iter()
        .rposition(|byte| !is_word(byte))
        .map_or(0, |found| found + 1);
    let end = text[at..]
        .iter()
        .position(|byte| !is_word(byte))
        .map_or(text.len(), |found| at + found);
    start..end
}

fn lines_at(text: &[u8], at: usize, count: usize) -> std::ops::Range<usize> {
    let at = at.min(text.len());
    let start = text[..at]
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |found| found + 1);
    let mut end = start;
    for _ in 0..count {
        end = text[end..]
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or(text.len(), |found| end + found + 1);
    }
    start..end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_number_gives_the_same_input() {
        let seed = b"services:\n  api:\n    image: a\n".to_vec();
        let others = vec![b"FROM a\n".to_vec()];
        let words = vec!["word".to_owned()];
        let mut different = 0;
        for number in 0..500 {
            let one = mutate(&seed, &others, &words, &mut Random::new(1, number));
            let two = mutate(&seed, &others, &words, &mut Random::new(1, number));
            assert_eq!(one, two);
            assert!(one.len() <= LONGEST);
            different += usize::from(one != seed);
        }
        assert!(different > 400, "{different}");
    }
}
