//! Prefixes that routers are mounted under.

use playbook_core::harmless::{Name, Symbol, UrlPath};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;

use super::super::syntax::{Argument, Call, Code, Piece, Span};
use super::super::value::argument;
use super::Routes;
use crate::fact::{Facts, PrefixFact};

/// A prefix as an expression gives it: text, and the name that stands before it.
pub(super) struct Prefix {
    text: String,
    reference: Option<Name>,
    /// Could it be read?
    known: bool,
}

impl<'a> Routes<'_, 'a> {
    /// What a call says about a mount: `include_router`, `register_blueprint`, `mount`.
    pub(super) fn mount(&self, call: &Call<'a>, facts: &mut Facts) {
        let code = self.code;
        let (receiver, name) = call.name.rsplit_once('.').unwrap_or(("", call.name));
        let arguments = code.arguments(call);
        // Position of the router, and of the prefix or its keyword.
        let (router, prefix) = match name {
            "include_router" => ("0", "prefix"),
            "register_blueprint" | "blueprint" => ("0", "url_prefix"),
            "add_namespace" => ("0", "path"),
            "add_router" | "mount" | "add_subapp" => ("1", "0"),
            _ => return,
        };
        if receiver.is_empty() {
            return;
        }
        let Some(child) = argument(&arguments, router)
            .or_else(|| argument(&arguments, "router"))
            .or_else(|| argument(&arguments, "blueprint"))
            .or_else(|| argument(&arguments, "app"))
        else {
            return;
        };
        let mounted = match (code.path(child), code.string(child)) {
            (Some(path), _) => path.to_owned(),
            // Ninja names routers by their import path.
            (None, Some(text)) if name == "add_router" => {
                let Some((module, object)) = text.rsplit_once('.') else {
                    return;
                };
                let key = Symbol::parse(Raw::new(&format!("{}:{object}", code.rooted(module))));
                let given = self.prefix(&arguments, prefix);
                self.tell(facts, receiver, given, key.as_ref(), call.start);
                return;
            }
            _ => return,
        };
        let given = self.prefix(&arguments, prefix);
        let key = self.key(&mounted);
        self.tell(facts, receiver, given, key.as_ref(), call.start);
    }

    fn tell(&self, facts: &mut Facts, receiver: &str, given: Prefix, child: Option<&Symbol>, offset: usize) {
        let on = self.routers.get(receiver);
        let base = on.map_or("", |router| router.prefix.as_str());
        let parent = match on {
            Some(router) if router.application => None,
            None if matches!(receiver, "app" | "application" | "self.app") => None,
            _ => self.key(receiver),
        };
        if given.known {
            // The parent's own prefix is told with its own file, so that it is not counted twice.
            let text = if given.reference.is_none() && on.is_some() {
                format!("{base}{}", given.text)
            } else {
                given.text
            };
            push(self.code, facts, &text, given.reference, child, parent, offset);
        } else {
            unknown(self.code, facts, child, parent, offset);
        }
    }

    fn prefix(&self, arguments: &[Argument<'a>], word: &str) -> Prefix {
        match argument(arguments, word) {
            None => Prefix {
                text: String::new(),
                reference: None,
                known: true,
            },
            Some(span) => read(self.code, span),
        }
    }

    /// The prefixes of the `Mount`s around a Starlette route.
    pub(super) fn enclosing_mounts(&self, call: &Call<'_>) -> String {
        let code = self.code;
        self.mounts
            .iter()
            .take_while(|outer| outer.open < call.start)
            .filter(|outer| call.close < outer.close)
            .filter_map(|outer| code.string(code.arguments(outer).first()?.value))
            .map(|text| text.trim_end_matches('/').to_owned())
            .collect()
    }
}

/// Reads a prefix: a text, a constant, a setting, or a formatted text that begins with one.
pub(super) fn read(code: &Code<'_>, span: Span) -> Prefix {
    if let Some(text) = code.text_or_constant(span) {
        return Prefix {
            text,
            reference: None,
            known: true,
        };
    }
    let reference = |path: &str| Name::parse(Raw::new(path.rsplit('.').next().unwrap_or(path)));
    if let Some(path) = code.path(span) {
        let name = reference(path);
        return Prefix {
            text: String::new(),
            known: name.is_some(),
            reference: name,
        };
    }
    match code.pieces(span).as_slice() {
        [Piece::Code(path)] => Prefix {
            text: String::new(),
            reference: reference(path),
            known: true,
        },
        [Piece::Code(path), Piece::Text(text)] => {
            let own = code.constant(path).and_then(|value| code.string(value));
            match own {
                Some(own) => Prefix {
                    text: format!("{own}{text}"),
                    reference: None,
                    known: true,
                },
                None => Prefix {
                    text: (*text).to_owned(),
                    reference: reference(path),
                    known: true,
                },
            }
        }
        _ => {
            // `settings.API_V1_STR + "/users"`
            let parts = code.split(span, b'+');
            match parts.as_slice() {
                [first, second] => match (code.path(*first), code.string(*second)) {
                    (Some(path), Some(text)) => Prefix {
                        text,
                        reference: reference(path),
                        known: true,
                    },
                    _ => Prefix {
                        text: String::new(),
                        reference: None,
                        known: false,
                    },
                },
                _ => Prefix {
                    text: String::new(),
                    reference: None,
                    known: false,
                },
            }
        }
    }
}

/// Tells a prefix. `child` is `module:variable`.
pub(super) fn push(
    code: &Code<'_>,
    facts: &mut Facts,
    text: &str,
    reference: Option<Name>,
    child: Option<&Symbol>,
    parent: Option<Symbol>,
    offset: usize,
) {
    let text = text.trim_end_matches('/');
    let text = if text.is_empty() {
        "/".to_owned()
    } else {
        format!("/{}", text.trim_start_matches('/'))
    };
    let Some(prefix) = UrlPath::parse(Raw::new(&text)) else {
        return;
    };
    let (module, router) = parts(child);
    facts.prefixes.push(PrefixFact {
        prefix: Some(prefix),
        reference,
        module,
        router,
        parent,
        evidence: code.source.at(code.line(offset)),
    });
}

fn unknown(
    code: &Code<'_>,
    facts: &mut Facts,
    child: Option<&Symbol>,
    parent: Option<Symbol>,
    offset: usize,
) {
    let (module, router) = parts(child);
    facts.prefixes.push(PrefixFact {
        prefix: None,
        reference: None,
        module,
        router,
        parent,
        evidence: code.source.at(code.line(offset)),
    });
}

/// The module as a path and the variable of `module:variable`.
fn parts(child: Option<&Symbol>) -> (Option<RelPath>, Option<Symbol>) {
    let Some((module, name)) = child.and_then(|child| child.as_str().split_once(':')) else {
        return (None, None);
    };
    (
        RelPath::new(&module.replace('.', "/")),
        Symbol::parse(Raw::new(name)),
    )
}
