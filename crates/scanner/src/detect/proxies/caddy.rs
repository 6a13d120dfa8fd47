//! Caddy: sites with their directives. It ends TLS and passes upgrades on by itself.

use std::collections::BTreeMap;

use playbook_core::inventory::{Proxy, ProxySettingKind};
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use super::{TABLE, forward, proxy, public_host, purpose, request_path, setting, words_for};
use crate::limits;
use crate::parse::directives::Directive;
use crate::source::Source;

/// The sites of a configuration.
pub(super) fn read(source: &Source<'_>, directives: &[Directive]) -> Vec<Proxy> {
    let is_site = |directive: &&Directive| {
        directive.block && !directive.words.is_empty() && !directive.name().starts_with(['(', '&'])
    };
    let snippets: BTreeMap<&str, &[Directive]> = directives
        .iter()
        .filter(|directive| directive.name().starts_with('('))
        .map(|snippet| {
            (
                snippet.name().trim_matches(['(', ')']),
                snippet.children.as_slice(),
            )
        })
        .collect();
    let sites: Vec<&Directive> = directives.iter().filter(is_site).collect();
    let forwards = |name: &str| {
        words_for(&TABLE.caddy, "forward")
            .iter()
            .any(|known| known == name)
    };
    if sites.iter().any(|site| forwards(site.name())) || sites.is_empty() {
        // A single site needs no braces: its address stands on the first line.
        let mut lines = directives.iter().filter(|directive| !directive.words.is_empty());
        let Some(first) = lines.next() else {
            return Vec::new();
        };
        let rest: Vec<&Directive> = lines.collect();
        let site = Site {
            source,
            snippets: &snippets,
        };
        let mut found = site.start(&first.words, first.line);
        site.directives(&mut found, &rest, None, &BTreeMap::new(), limits::CADDY_DEPTH);
        return (!found.forwards.is_empty())
            .then_some(found)
            .into_iter()
            .collect();
    }
    sites
        .into_iter()
        .map(|block| {
            let site = Site {
                source,
                snippets: &snippets,
            };
            let mut found = site.start(&block.words, block.line);
            let children: Vec<&Directive> = block.children.iter().collect();
            let matchers = matchers(&block.children);
            site.directives(&mut found, &children, None, &matchers, limits::CADDY_DEPTH);
            found.redirects &= found.forwards.is_empty();
            found
        })
        .collect()
}

/// Paths by the names of matchers: `@api path /api/*`.
fn matchers(directives: &[Directive]) -> BTreeMap<&str, &str> {
    let mut found = BTreeMap::new();
    for directive in directives
        .iter()
        .filter(|directive| directive.name().starts_with('@'))
    {
        let inline = directive.arguments().iter().position(|word| word == "path");
        let inline = inline.and_then(|at| directive.argument(at.saturating_add(1)));
        let nested = directive
            .children
            .iter()
            .find(|child| child.name() == "path")
            .and_then(|child| child.argument(0));
        found.extend(inline.or(nested).map(|path| (directive.name(), path)));
    }
    found
}

struct Site<'s, 'a> {
    source: &'s Source<'a>,
    snippets: &'s BTreeMap<&'s str, &'s [Directive]>,
}

impl Site<'_, '_> {
    fn start(&self, addresses: &[String], line: u32) -> Proxy {
        let mut found = proxy(self.source, "caddy", line);
        for address in addresses.iter().flat_map(|word| word.split(',')) {
            let address = address.trim();
            if address.is_empty() {
                continue;
            }
            let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
            let rest = rest.split('/').next().unwrap_or(rest);
            let port = rest
                .rsplit_once(':')
                .and_then(|(_, port)| playbook_core::harmless::port(Raw::new(port)));
            found.hosts.extend(public_host(rest));
            let named = !rest.starts_with(':') && !rest.is_empty();
            found.tls |=
                scheme == "https" || port == Some(443) || named && scheme != "http" && port != Some(80);
            let usual = match scheme {
                "http" => Some(80),
                "https" => Some(443),
                _ => named.then_some(443),
            };
            if let Some(port) = port.or(usual)
                && !found.listens.contains(&port)
            {
                found.listens.push(port);
            }
        }
        found
    }

    fn directives(
        &self,
        found: &mut Proxy,
        directives: &[&Directive],
        path: Option<&Shown>,
        matchers: &BTreeMap<&str, &str>,
        depth: usize,
    ) {
        let Some(depth) = depth.checked_sub(1) else { return };
        for directive in directives {
            let name = directive.name();
            let place = self.source.at(directive.line);
            match name {
                "import" => match directive.argument(0).and_then(|name| self.snippets.get(name)) {
                    Some(snippet) => {
                        let children: Vec<&Directive> = snippet.iter().collect();
                        self.directives(found, &children, path, matchers, depth);
                    }
                    None => found.includes = true,
                },
                "handle" | "handle_path" | "route" | "request_body" | "transport" | "timeouts" => {
                    let own = directive.argument(0).and_then(|word| matched(word, matchers));
                    let children: Vec<&Directive> = directive.children.iter().collect();
                    self.directives(found, &children, own.as_ref().or(path), matchers, depth);
                }
                "redir" => found.redirects |= directive.words.iter().any(|word| word.starts_with("https://")),
                _ if words_for(&TABLE.caddy, "forward")
                    .iter()
                    .any(|known| known == name) =>
                {
                    self.forwards(found, directive, path, matchers);
                    let children: Vec<&Directive> = directive.children.iter().collect();
                    self.directives(found, &children, path, matchers, depth);
                }
                _ => {
                    let Some(kind) = purpose(&TABLE.caddy, name) else {
                        continue;
                    };
                    let first = directive
                        .arguments()
                        .iter()
                        .find(|word| !word.starts_with(['/', '@', '*']));
                    let first = first.map_or("", String::as_str);
                    match kind {
                        ProxySettingKind::Certificate if first == "internal" || first.is_empty() => {}
                        ProxySettingKind::ResponseHeader => {
                            let inner = directive.children.iter().map(|child| (child.name(), child.line));
                            for (header, line) in [(first, directive.line)].into_iter().chain(inner) {
                                if !header.is_empty() && !header.starts_with(['-', '+', '?', '>']) {
                                    let place = self.source.at(line);
                                    found.settings.extend(setting(kind, header, "", path, place));
                                }
                            }
                        }
                        _ => found.settings.extend(setting(kind, name, first, path, place)),
                    }
                }
            }
        }
    }

    /// The addresses that a directive passes requests on to, beside its matcher or inside its block.
    fn forwards(
        &self,
        found: &mut Proxy,
        directive: &Directive,
        path: Option<&Shown>,
        matchers: &BTreeMap<&str, &str>,
    ) {
        let is_matcher = |word: &str| word.starts_with(['/', '@']) || word == "*";
        let own = directive
            .argument(0)
            .filter(|word| is_matcher(word))
            .and_then(|word| matched(word, matchers));
        let path = own.as_ref().or(path);
        let inside = directive.children.iter().filter(|child| child.name() == "to");
        let inside = inside.flat_map(|child| child.arguments().iter().map(move |word| (word, child.line)));
        let beside = directive
            .arguments()
            .iter()
            // A block on one line: its words are no addresses.
            .take_while(|word| *word != "{")
            .filter(|word| !is_matcher(word))
            .map(|word| (word, directive.line));
        for (address, line) in beside.chain(inside) {
            let next = forward(address, path, true, self.source.at(line));
            found.forwards.push(next);
        }
    }
}

/// The path that a matcher stands for.
fn matched(word: &str, matchers: &BTreeMap<&str, &str>) -> Option<Shown> {
    if word.starts_with('@') {
        return matchers.get(word).and_then(|path| request_path(path));
    }
    request_path(word)
}
