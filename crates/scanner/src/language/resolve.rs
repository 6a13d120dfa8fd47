//! What stands around a place: constants, the function that it is in, what follows the expression.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::{Fallback, Language, Pattern};
use crate::lex::{Masked, arguments};
use crate::limits;
use crate::parse::{slice, tail, window_before};

/// What is behind a read of a variable.
pub(super) struct Expression {
    /// Whether the variable is assigned, not read.
    pub(super) written: bool,
    pub(super) fallback: Fallback,
}

impl Expression {
    /// Looks at what follows an expression that starts and ends at the given offsets.
    pub(super) fn read(language: &Language, text: &str, masked: &Masked, start: usize, end: usize) -> Self {
        let definition = &language.definition;
        let code = masked.code();
        let mut at = masked.next_code(end);
        let negated = slice(code, 0, start).ends_with('!');
        let mut closed = 0;
        // A chain such as `.trim().unwrap_or("x")`; its length is bounded, so is this loop.
        for _ in 0..12 {
            let rest = tail(code, at);
            // Brackets around the read: `parseInt(process.env.PORT, 10) || 3000`.
            if let Some(after) = closing_of_conversion(rest).filter(|_| closed < 2) {
                let behind = masked.next_code(at + after);
                if definition
                    .fallback_operators
                    .iter()
                    .any(|operator| tail(code, behind).starts_with(operator.as_str()))
                {
                    at = behind;
                    closed += 1;
                    continue;
                }
                break;
            }
            if let Some(operator) = definition
                .fallback_operators
                .iter()
                .find(|operator| starts_with_operator(rest, operator))
            {
                if negated {
                    break;
                }
                return Self {
                    written: false,
                    fallback: behind_operator(language, text, masked, at + operator.len()),
                };
            }
            let demanded = definition.demand_suffixes.iter().any(|suffix| {
                rest.strip_prefix(suffix.as_str())
                    .is_some_and(|after| !after.starts_with(['=', '.', '?', ':']))
            });
            if demanded {
                return Self {
                    written: false,
                    fallback: Fallback::Required,
                };
            }
            let link = rest
                .strip_prefix("?.")
                .or_else(|| rest.strip_prefix("!!."))
                .or_else(|| rest.strip_prefix("!."))
                .or_else(|| rest.strip_prefix('.'));
            let Some(link) = link else {
                let written = rest.starts_with('=')
                    && !rest.starts_with("==")
                    && !rest.starts_with("=~")
                    && !rest.starts_with("=>");
                return Self {
                    written,
                    fallback: Fallback::None,
                };
            };
            let name_at = masked.next_code(at + rest.len() - link.len());
            let name = crate::lex::identifier_at(code, name_at);
            let open = masked.next_code(name_at + name.len());
            let call = code.as_bytes().get(open) == Some(&b'(');
            if name.is_empty() {
                break;
            }
            if call && definition.fallback_methods.iter().any(|method| method == name) {
                let inside = masked.inside(open).unwrap_or(open..open);
                // The default may be in a closure: `unwrap_or_else(|_| "x".to_string())`.
                let literal = masked
                    .literal_after(open)
                    .filter(|literal| inside.contains(&literal.start));
                let fallback = match literal.and_then(|literal| literal.value(text)) {
                    Some(value) => Fallback::Present(Some(value.into_owned())),
                    None => arguments(text, masked, open)
                        .first()
                        .map_or(Fallback::Present(None), |argument| {
                            default_at(language, text, masked, &argument.range)
                        }),
                };
                return Self {
                    written: false,
                    fallback,
                };
            }
            if call && definition.demand_methods.iter().any(|method| method == name) {
                return Self {
                    written: false,
                    fallback: Fallback::Required,
                };
            }
            let behind = if call {
                masked.closing(open).map_or(open + 1, |close| close + 1)
            } else {
                name_at + name.len()
            };
            at = masked.next_code(behind);
        }
        Self {
            written: false,
            fallback: Fallback::None,
        }
    }
}

/// An operator that is a word must not be the start of a longer one.
fn starts_with_operator(rest: &str, operator: &str) -> bool {
    let word = operator.ends_with(|letter: char| letter.is_ascii_alphanumeric());
    rest.strip_prefix(operator).is_some_and(|after| {
        !word || !after.starts_with(|letter: char| letter.is_ascii_alphanumeric() || letter == '_')
    })
}

/// The length of `)` or of `, 10)`.
fn closing_of_conversion(rest: &str) -> Option<usize> {
    if rest.starts_with(')') {
        return Some(1);
    }
    let after = rest.strip_prefix(',')?;
    let digits = after
        .trim_start()
        .trim_start_matches(|letter: char| letter.is_ascii_digit());
    digits
        .trim_start()
        .starts_with(')')
        .then(|| rest.len() - digits.trim_start().len() + 1)
}

/// What a fallback operator leads to: a default, nothing, or a failure.
fn behind_operator(language: &Language, text: &str, masked: &Masked, offset: usize) -> Fallback {
    let at = masked.next_code(offset);
    // `||=` and `??=` assign the default.
    let at = if tail(masked.code(), at).starts_with('=') {
        masked.next_code(at + 1)
    } else {
        at
    };
    let rest = tail(masked.code(), at).trim_start_matches(['(', ' ']);
    if language
        .definition
        .raises
        .iter()
        .any(|word| starts_with_operator(rest, word))
    {
        return Fallback::Required;
    }
    default_at(language, text, masked, &(at..masked.code().len()))
}

/// The default at the start of a range.
pub(super) fn default_at(language: &Language, text: &str, masked: &Masked, range: &Range<usize>) -> Fallback {
    let at = masked.next_code(range.start);
    match simple_value(text, masked, at) {
        Some(value) if language.definition.nulls.contains(&value) => Fallback::None,
        Some(value) => Fallback::Present(Some(value)),
        None => {
            let word = crate::lex::identifier_at(masked.code(), at);
            if language.definition.nulls.iter().any(|null| null == word) {
                Fallback::None
            } else {
                Fallback::Present(None)
            }
        }
    }
}

/// A literal, a number or a truth value that stands at an offset; for `Vec("x")` or `"x".into()` no more is looked at than the
/// literal itself.
pub(super) fn simple_value(text: &str, masked: &Masked, at: usize) -> Option<String> {
    if let Some(literal) = masked.literal_at(at) {
        return literal.value(text).map(Into::into);
    }
    let rest = tail(masked.code(), at);
    let length = rest
        .bytes()
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
        .count();
    let word = slice(rest, 0, length).trim_end_matches('.');
    let number =
        word.starts_with(|letter: char| letter.is_ascii_digit()) || (word.starts_with('-') && word.len() > 1);
    let truth = matches!(word, "true" | "false" | "True" | "False");
    (number || truth).then(|| word.to_owned())
}

/// Names of a file, read when they are first asked for.
pub(super) struct Names<'file> {
    language: &'static Language,
    text: &'file str,
    masked: &'file Masked,
    constants: OnceCell<BTreeMap<String, Option<String>>>,
    functions: OnceCell<Vec<Function>>,
    /// Anchor, name and parameter of the helpers whose calls were looked up, each of which reads the whole file.
    followed: RefCell<BTreeSet<(&'static str, String, usize)>>,
}

struct Function {
    name: String,
    start: usize,
    /// The offset at which the next function starts, or the end of the text.
    end: usize,
    parameters: Vec<String>,
}

/// A call of a function that hands its argument on as the name of a variable.
pub(super) struct HelperCall {
    pub(super) name: String,
    pub(super) offset: usize,
    /// What the call gives the helper as its default, if it gives one.
    pub(super) default: Option<Fallback>,
    /// Whether the helper stops the program without a value.
    pub(super) fails: bool,
}

impl<'file> Names<'file> {
    pub(super) fn new(language: &'static Language, text: &'file str, masked: &'file Masked) -> Self {
        Self {
            language,
            text,
            masked,
            constants: OnceCell::new(),
            functions: OnceCell::new(),
            followed: RefCell::default(),
        }
    }

    /// The value of a constant by its name, qualified or not; nothing if it has several.
    pub(super) fn constant(&self, source: &str) -> Option<String> {
        let plain = !source.is_empty()
            && source
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':' | b'$' | b'@'));
        let name = source.rsplit(['.', ':']).next()?.trim_start_matches(['$', '@']);
        if !plain {
            return None;
        }
        self.constants
            .get_or_init(|| self.read_constants())
            .get(name)
            .cloned()
            .flatten()
    }

    fn read_constants(&self) -> BTreeMap<String, Option<String>> {
        let mut constants: BTreeMap<String, Option<String>> = BTreeMap::new();
        let Some(regex) = self.language.constant.as_ref().and_then(Pattern::regex) else {
            return constants;
        };
        for captures in regex.captures_iter(self.masked.code()) {
            let (Some(whole), Some(name)) = (captures.get(0), captures.name("name")) else {
                continue;
            };
            let at = self.masked.next_code(whole.end());
            let value = simple_value(self.text, self.masked, at).filter(|_| {
                // Only if nothing follows, or it is part of a longer expression.
                let end = self.masked.literal_at(at).map_or(at, |literal| literal.end);
                let rest = tail(self.masked.code(), end).trim_start_matches(|letter: char| {
                    letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_')
                });
                rest.trim_start_matches([' ', '\t', '\r'])
                    .starts_with(['\n', ';', ',', ')', '}'])
                    || rest.trim().is_empty()
                    || rest.trim_start_matches([' ', '\t']).starts_with("as ")
            });
            constants
                .entry(name.as_str().to_owned())
                .and_modify(|known| {
                    if *known != value {
                        *known = None;
                    }
                })
                .or_insert(value);
        }
        constants
    }

    /// The name on the left of the `=` on the line of an offset.
    pub(super) fn assigned(&self, offset: usize) -> Option<String> {
        let before = window_before(self.masked.code(), offset, 300);
        let line = before.rsplit('\n').next().unwrap_or("");
        let at = line
            .find('=')
            .filter(|at| !tail(line, at + 1).starts_with(['=', '>', '~']))?;
        let left = slice(line, 0, at).trim_end_matches([':', '|', '?', ' ', '\t', '!', '<', '>', '+']);
        // A type may stand between the name and the sign: `PORT: int = …`; of several names the first gets the value.
        let left = left.split([':', ',']).next().unwrap_or("").trim();
        let name = left
            .rsplit(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'))
            .next()
            .unwrap_or("");
        (!name.is_empty()).then(|| name.to_owned())
    }

    /// The calls of the function around an offset whose parameter is the given name, with the literals they hand in.
    pub(super) fn calls_of_helper(
        &self,
        anchor: &'static str,
        offset: usize,
        parameter: &str,
    ) -> Vec<HelperCall> {
        let functions = self.functions.get_or_init(|| self.read_functions());
        let around = functions
            .iter()
            .rev()
            .find(|function| function.start < offset && offset < function.end);
        let Some(function) = around else { return Vec::new() };
        let parameter = parameter.trim_start_matches(['$', '&', '*', '@']);
        let Some(place) = function.parameters.iter().position(|name| name == parameter) else {
            return Vec::new();
        };
        let mut followed = self.followed.borrow_mut();
        if followed.len() >= limits::HELPERS || !followed.insert((anchor, function.name.clone(), place)) {
            return Vec::new();
        }
        let fallback = function.parameters.iter().position(|name| {
            let name = name.to_ascii_lowercase();
            ["default", "fallback", "defval", "defaultvalue", "def"]
                .iter()
                .any(|word| name == *word || name.contains("default") || name.contains("fallback"))
        });
        let body = slice(self.masked.code(), function.start, function.end);
        let fails = fallback.is_none()
            && self
                .language
                .definition
                .fails
                .iter()
                .any(|word| body.contains(word.as_str()));
        let code = self.masked.code();
        let mut found = Vec::new();
        for (at, _) in code
            .match_indices(function.name.as_str())
            .take(limits::HELPER_CALLS)
        {
            let end = at + function.name.len();
            let open = self.masked.next_code(skip_type_arguments(code, end));
            let whole =
                !slice(code, 0, at).ends_with(|letter: char| letter.is_ascii_alphanumeric() || letter == '_');
            if !whole || code.as_bytes().get(open) != Some(&b'(') {
                continue;
            }
            let given = arguments(self.text, self.masked, open);
            let argument = |index: usize| given.get(index).filter(|argument| argument.name.is_none());
            let named = |index: usize| {
                given.iter().find(|argument| {
                    argument.name.is_some() && argument.name.as_ref() == function.parameters.get(index)
                })
            };
            let Some(argument_of_name) = argument(place).or_else(|| named(place)) else {
                continue;
            };
            let name = argument_of_name
                .literal
                .clone()
                .or_else(|| self.constant(argument_of_name.written(self.text)));
            let Some(name) = name else { continue };
            let default = fallback
                .and_then(|index| argument(index).or_else(|| named(index)))
                .map(|given| default_at(self.language, self.text, self.masked, &given.range));
            found.push(HelperCall {
                name,
                offset: argument_of_name.range.start,
                default,
                fails,
            });
        }
        found
    }

    fn read_functions(&self) -> Vec<Function> {
        let Some(regex) = self.language.function.as_ref().and_then(Pattern::regex) else {
            return Vec::new();
        };
        let mut functions: Vec<Function> = Vec::new();
        for captures in regex.captures_iter(self.masked.code()) {
            let (Some(whole), Some(name)) = (
                captures.get(0),
                captures.name("name").or_else(|| captures.name("arrow")),
            ) else {
                continue;
            };
            let Some(open) = whole.end().checked_sub(1) else {
                continue;
            };
            if let Some(previous) = functions.last_mut() {
                previous.end = whole.start();
            }
            let parameter = |argument: crate::lex::Arg| {
                let written = slice(self.masked.code(), argument.start, argument.range.end);
                written
                    .split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'))
                    .filter(|word| !word.is_empty())
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            };
            // Types may stand before or behind the name; the name is the word that is asked for.
            let parameters = arguments(self.text, self.masked, open).into_iter().map(parameter);
            let parameters = parameters
                .map(|words| parameter_name(self.language.name, &words))
                .collect();
            functions.push(Function {
                name: name.as_str().to_owned(),
                start: whole.start(),
                end: self.masked.code().len(),
                parameters,
            });
        }
        functions
    }
}

/// The name among the words of a parameter: the last one in languages that write the type first.
fn parameter_name(language: &str, words: &[String]) -> String {
    let type_first = matches!(language, "java" | "csharp" | "groovy" | "c" | "dart" | "php");
    let name = if type_first {
        words.last()
    } else {
        words
            .iter()
            .find(|word| !matches!(word.as_str(), "mut" | "val" | "var" | "self"))
    };
    name.cloned().unwrap_or_default()
}

/// The offset behind `<string>` of `get<string>(…)`.
fn skip_type_arguments(code: &str, offset: usize) -> usize {
    let rest = tail(code, offset);
    let rest = rest.strip_prefix("::").unwrap_or(rest);
    if !rest.starts_with('<') {
        return offset;
    }
    let short = slice(rest, 0, rest.len().min(80));
    short
        .find('>')
        .map_or(offset, |end| code.len() - rest.len() + end + 1)
}
