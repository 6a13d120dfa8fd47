//! Repositories with secrets in every place: `tree/` with its marks filled in.
//!
//! A mark is `@@mark@@`, in a file's text or name. It says which secrets can stand there and how they are written:
//!
//! - `any`: a place that makes everything a secret, such as the value of a secret's name; written as the file's format
//!   asks for; a comment, too;
//! - `plain`: the same, for words of a shell and other places without quotes: letters, digits and few signs;
//! - `sql`, `url`, `base64`, `conn`: the same inside an SQL string, an address, Base64, a list of `name=value;` pairs;
//! - `token`: any place at all, so the secret has to be one that is recognised by itself;
//! - `tag`: the same where a revision may stand;
//! - `hex`: 32 hexadecimal digits; `pem`: a private key;
//! - `keep`: in `.env` the value of a secret's name, elsewhere one of these values a second time.

use std::path::Path;

use super::forms::{base64, in_address};
use super::kinds::{Kind, Maker, Secret, in_json};
use super::random::Random;
use crate::support::files_below;

/// A repository in memory.
pub(crate) struct Tree {
    /// Path and text.
    pub(crate) files: Vec<(String, String)>,
    pub(crate) secrets: Vec<Secret>,
    /// For each secret, the place it stands in.
    pub(crate) places: Vec<String>,
}

/// Characters that need no quotes anywhere.
fn is_plain(text: &str) -> bool {
    text.chars()
        .all(|c| c.is_ascii_alphanumeric() || "_-.+=/!@".contains(c))
}

/// Draws secrets of all kinds, evenly.
struct Urn<'k> {
    kinds: &'k [Kind],
    random: Random,
    /// The kinds that are still to be drawn before any comes a second time.
    left: Vec<usize>,
}

impl Urn<'_> {
    fn draw(&mut self, fits: &dyn Fn(&Kind, &str) -> bool) -> Secret {
        let mut passed = Vec::new();
        loop {
            if self.left.is_empty() {
                self.left = (0..self.kinds.len()).collect();
                self.random.shuffle(&mut self.left);
            }
            let index = self.left.pop().expect("there are kinds");
            let kind = &self.kinds[index];
            let secret = kind.make(index, &mut self.random);
            if fits(kind, &secret.text) {
                self.left.extend(passed);
                return secret;
            }
            // One that does not fit here waits for the next place.
            if !passed.contains(&index) {
                passed.push(index);
            }
        }
    }
}

/// Fills the tree's marks with the secrets of a seed.
pub(crate) fn plant(kinds: &[Kind], seed: u64) -> Tree {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/tree");
    let mut urn = Urn {
        kinds,
        random: Random::new(seed),
        left: Vec::new(),
    };
    let mut tree = Tree {
        files: Vec::new(),
        secrets: Vec::new(),
        places: Vec::new(),
    };
    let mut kept = Vec::new();
    for file in files_below(&folder) {
        let text = std::fs::read_to_string(folder.join(&file)).expect("the tree is text");
        let path = fill(&file, "", &file, &mut urn, &mut kept, &mut tree);
        let text = fill(&text, &file, &file, &mut urn, &mut kept, &mut tree);
        tree.files.push((path.replace("dot-git/", ".git/"), text));
    }
    tree
}

/// Replaces the marks of a text. `format` is the file's name, empty where the text is a name itself.
fn fill(
    text: &str,
    format: &str,
    file: &str,
    urn: &mut Urn<'_>,
    kept: &mut Vec<String>,
    tree: &mut Tree,
) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, mark, behind)) = next_mark(rest) {
        out.push_str(before);
        let line = out.rsplit('\n').next().unwrap_or_default();
        let inside_quotes = line.matches('"').count() - line.matches("\\\"").count();
        let is_token = |kind: &Kind, text: &str| {
            kind.maker == Maker::Machine && (!format.is_empty() || !text.contains(['/', '=', '+']))
        };
        let secret = match mark {
            "any" => urn.draw(&|_, _| true),
            "keep" if format != ".env" => {
                let again = kept[urn.random.below(kept.len())].clone();
                out.push_str(&written(&again, format, inside_quotes % 2 == 1));
                rest = behind;
                continue;
            }
            // Shorter ones, and words that the plan itself may use, can't be searched for.
            "keep" => urn.draw(&|_, text| text.len() >= 14 && is_plain(text)),
            "url" => urn.draw(&|_, text| !text.contains(char::is_whitespace)),
            "conn" => urn.draw(&|_, text| !text.contains([';', '"', '\'', '\\', ','])),
            "plain" => urn.draw(&|_, text| is_plain(text)),
            "sql" | "base64" => urn.draw(&|_, text| !text.contains('\\')),
            "token" => urn.draw(&is_token),
            // A revision is the usual tag of an image: it can't be told from a key of 160 bits.
            "tag" => urn.draw(&|kind, text| {
                is_token(kind, text) && !text.contains(['/', '=', '+', ':']) && !is_revision(text)
            }),
            "hex" => Secret::whole(usize::MAX, urn.random.text("hex", 32)),
            "pem" => Secret::whole(usize::MAX, urn.random.text("base64", 64)),
            other => panic!("{file}: no mark {other}"),
        };
        match mark {
            "url" => out.push_str(&in_address(&secret.text)),
            "base64" => out.push_str(&base64(secret.text.as_bytes(), 0)),
            "sql" => out.push_str(&secret.text.replace('\'', "''")),
            "pem" => {
                let word = ["PRIV", "ATE KEY"].concat();
                out.push_str(
                    &[
                        "-----BEGIN RSA ",
                        &word,
                        "-----\n",
                        &secret.text,
                        "\n-----END RSA ",
                        &word,
                        "-----",
                    ]
                    .concat(),
                );
            }
            _ => out.push_str(&written(&secret.text, format, inside_quotes % 2 == 1)),
        }
        if mark == "keep" {
            kept.push(secret.text.clone());
        }
        let line = text.len() - rest.len() + before.len();
        let line = text.get(..line).unwrap_or_default().matches('\n').count() + 1;
        tree.places.push(format!("{file}:{line} {mark}"));
        tree.secrets.push(secret);
        rest = behind;
    }
    out.push_str(rest);
    out
}

fn is_revision(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn next_mark(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    loop {
        let at = from + text.get(from..)?.find("@@")?;
        let behind = text.get(at + 2..)?;
        if let Some((mark, behind)) = behind.split_once("@@").filter(|(mark, _)| {
            !mark.is_empty()
                && mark
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        }) {
            return Some((text.get(..at)?, mark, behind));
        }
        from = at + 1;
    }
}

/// A secret as its author would write it into a file of this name.
fn written(text: &str, format: &str, inside_quotes: bool) -> String {
    if inside_quotes && !format.ends_with("xml") {
        return in_json(text);
    }
    if format.ends_with("xml") || format.ends_with(".config") || format.ends_with("proj") {
        return text
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('"', "&quot;")
            .replace('\'', "&apos;");
    }
    text.to_owned()
}
