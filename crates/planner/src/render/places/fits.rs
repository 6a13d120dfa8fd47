//! Which filters fit which place.

use super::Place;
use super::shell::{ShellPlace, Within};
use super::text::{At, DataPlace};

/// Filters whose result is made of letters, digits, `_`, `-`, `.` and the like, or of our own words: it means nothing
/// in any place but where a name of the language stands.
const PLAIN: &[&str] = &["slug", "number", "date", "name", "word", "step", "prose", "own"];

/// Filters whose result is Markdown that nothing of the repository can leave.
pub(super) const MARKDOWN: &[&str] = &[
    "code",
    "codes",
    "text",
    "called",
    "prose",
    "number",
    "thousands",
    "evidence",
    "date",
    "slug",
    "step",
    "see",
    "risk",
    "assumed",
    "asked",
];

/// Does the chain of filters make a value safe for the place? `next` is our own character behind it.
pub(super) fn fits(chain: &[&str], place: &Place, next: Option<char>) -> bool {
    let Some((last, before)) = chain.split_last() else {
        return false;
    };
    let plain = PLAIN.contains(last);
    let ends = |pair: [&str; 2]| chain.ends_with(&pair);
    match place {
        Place::Markdown(_) => MARKDOWN.contains(last),
        Place::CodeSpan => plain,
        Place::Link => ["slug", "number"].contains(last),
        Place::Shell(place) => match place {
            // The name of a variable that is set.
            ShellPlace::Word { start: true } if next == Some('=') => *last == "name",
            // In a command that another shell reads, too: the text of a script is a word of its own.
            ShellPlace::Word { start } => {
                plain
                    || ["shell", "assign", "blanks"].contains(last)
                    || *start && ["command", "script"].contains(last)
            }
            ShellPlace::Variable => ["name", "number", "own"].contains(last),
            ShellPlace::Single(within) => {
                plain
                    || *last == "url"
                    || match within {
                        Within::Text => *last == "single",
                        Within::String => ends(["quoted", "single"]),
                        Within::Script => {
                            *last == "single" && before.is_empty() || ends(["command", "single"])
                        }
                        Within::PartOfScript => ends(["shell", "single"]) || ends(["command", "single"]),
                    }
            }
            ShellPlace::Double(within) => {
                plain
                    || ["url", "image"].contains(last)
                    || match within {
                        Within::Text => *last == "double",
                        Within::String => ends(["quoted", "double"]),
                        Within::Script | Within::PartOfScript => ends(["shell", "double"]),
                    }
            }
            ShellPlace::Comment => plain || ["comment", "assumed", "asked"].contains(last),
            ShellPlace::Document {
                expanding: true,
                inner,
            } => plain || *last == "url" || *last == "heredoc" && fits(before, inner, next),
            ShellPlace::Document { inner, .. } => fits(chain, inner, next),
        },
        Place::Data(place) => fits_data(last, place, chain, next),
    }
}

fn fits_data(last: &str, place: &DataPlace, chain: &[&str], next: Option<char>) -> bool {
    let plain = PLAIN.contains(&last);
    let ends = |pair: [&str; 2]| chain.ends_with(&pair);
    if place.at == At::Comment {
        return plain || last == "comment";
    }
    match (place.language, place.at) {
        // A scalar of YAML that is nothing but a slug could be a number or a switch.
        ("yaml", At::Start) if next.is_none_or(|c| c.is_whitespace() || ",}]".contains(c)) => {
            ["yaml", "number", "prose"].contains(&last) || ends(["prose", "compose"])
        }
        ("yaml", At::Start) if next == Some(':') => last == "yaml",
        ("yaml", At::Start) if ends(["prose", "compose"]) => true,
        ("yaml", At::Start | At::Plain) => plain || ["yaml", "url"].contains(&last),
        ("yaml", At::Double) => plain || ["url", "quoted", "image"].contains(&last),
        (_, At::Backtick) => plain || last == "url",
        ("toml" | "json" | "dockerfile", At::Double) => plain || ["url", "quoted"].contains(&last),
        ("toml" | "json", _) => ["number", "name"].contains(&last),
        ("env", At::Single) => plain || last == "url" || last == "single",
        ("dockerfile", _) if place.instruction == "RUN" => plain || ["script", "shell"].contains(&last),
        ("yaml", At::Single) | ("env" | "dockerfile", _) => plain,
        ("unit", At::Double) => plain || last == "unit",
        ("unit" | "caddy", _) => plain || last == "url",
        ("mermaid", At::Double) => ["mermaid", "number"].contains(&last),
        ("mermaid", _) => last == "node",
        ("diff", _) => plain || last == "line" && place.instruction.starts_with(['+', '-', '@']),
        ("text", _) => plain || last == "line" || ends(["line", "line"]),
        _ => false,
    }
}

/// `own` prints constants of the template and words of a target's own file only.
pub(super) fn constant_if_own(code: &str, chain: &[&str]) -> bool {
    !chain.contains(&"own")
        || chain == ["own"] && (code.starts_with('"') || code.starts_with("target.facts."))
}
