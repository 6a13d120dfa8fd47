//! What the repository's own proxy files say, for section 7: which requests go where, and what is limited on the way.

use std::collections::BTreeMap;

use serde::Serialize;

use playbook_core::evidence::{Evidence, Scope};
use playbook_core::inventory::{Proxy, ProxyForward, ProxySetting, ProxySettingKind};
use playbook_core::path::RelPath;
use playbook_core::shown::Shown;

use super::Given;

/// Virtual hosts that the table names at most.
const MOST: usize = 12;

/// The proxy files of production.
#[derive(Debug, Serialize)]
pub(crate) struct Ways<'a> {
    pub(super) list: Vec<Way<'a>>,
    /// Virtual hosts that the table leaves out.
    more: usize,
    /// The smallest limit of a request's body that is set anywhere.
    smallest_body: Option<&'a ProxySetting>,
    /// The shortest time after which a proxy gives up waiting for an answer.
    shortest_wait: Option<&'a ProxySetting>,
}

/// A virtual host or router.
#[derive(Debug, Serialize)]
pub(super) struct Way<'a> {
    pub(super) proxy: &'a Proxy,
    forwards: Vec<&'a ProxyForward>,
    limits: Vec<&'a ProxySetting>,
    certificate: Option<&'a ProxySetting>,
    headers: Vec<&'a Shown>,
    guarded: bool,
    place: Option<&'a Evidence>,
    /// Other files that say the same.
    others: usize,
}

/// What makes two of them the same.
type Key<'a> = (
    &'a Shown,
    Option<&'a Shown>,
    &'a [Shown],
    bool,
    Vec<(Option<&'a Shown>, Option<&'a Shown>, Option<u16>)>,
);

fn key(proxy: &Proxy) -> Key<'_> {
    let targets = proxy
        .forwards
        .iter()
        .map(|forward| (forward.path.as_ref(), forward.target.as_ref(), forward.port))
        .collect();
    (&proxy.kind, proxy.name.as_ref(), &proxy.hosts, proxy.tls, targets)
}

pub(super) fn build<'a>(given: &Given<'a>) -> Ways<'a> {
    let files: &[RelPath] = given.stack.map_or(&[], |stack| &stack.files);
    let mut grouped: BTreeMap<Key<'a>, Vec<&'a Proxy>> = BTreeMap::new();
    for proxy in &given.inventory.proxies {
        let says_something = !proxy.forwards.is_empty()
            || !proxy.hosts.is_empty() && !proxy.redirects
            || proxy.settings.iter().any(is_limit);
        if proxy.scope == Scope::Production && says_something {
            grouped.entry(key(proxy)).or_default().push(proxy);
        }
    }
    let mut list: Vec<Way<'a>> = grouped
        .into_values()
        .filter_map(|alike| {
            let first = alike
                .iter()
                .find(|proxy| files.contains(&proxy.path))
                .or(alike.first())?;
            Some(way(first, alike.len().saturating_sub(1)))
        })
        .collect();
    list.sort_by_key(|way| {
        (
            !files.contains(&way.proxy.path),
            way.forwards.iter().all(|forward| forward.service.is_none()),
            way.place,
        )
    });
    let all = list.len();
    list.truncate(MOST);
    let smallest = |kind: ProxySettingKind, wanted: &dyn Fn(&ProxySetting) -> bool| {
        list.iter()
            .flat_map(|way| &way.limits)
            .filter(|setting| {
                setting.kind == kind && setting.number.is_some_and(|number| number > 0) && wanted(setting)
            })
            .min_by_key(|setting| setting.number)
            .copied()
    };
    Ways {
        smallest_body: smallest(ProxySettingKind::BodySize, &|_| true),
        shortest_wait: smallest(ProxySettingKind::Timeout, &|setting| {
            ["read", "server", "timeout", "request"]
                .iter()
                .any(|word| setting.name.as_str().contains(word))
                && !setting.name.as_str().starts_with("client")
        }),
        more: all.saturating_sub(list.len()),
        list,
    }
}

fn is_limit(setting: &ProxySetting) -> bool {
    matches!(
        setting.kind,
        ProxySettingKind::BodySize
            | ProxySettingKind::Timeout
            | ProxySettingKind::RateLimit
            | ProxySettingKind::TlsVersion
            | ProxySettingKind::Unbuffered
    )
}

fn way(proxy: &Proxy, others: usize) -> Way<'_> {
    let of = |kind: ProxySettingKind| proxy.settings.iter().filter(move |setting| setting.kind == kind);
    let mut headers: Vec<&Shown> = of(ProxySettingKind::ResponseHeader)
        .filter(|setting| setting.path.is_none())
        .map(|setting| &setting.name)
        .collect();
    headers.sort();
    headers.dedup();
    Way {
        proxy,
        forwards: proxy.forwards.iter().collect(),
        limits: proxy
            .settings
            .iter()
            .filter(|setting| is_limit(setting))
            .collect(),
        certificate: of(ProxySettingKind::Certificate).next(),
        headers,
        guarded: of(ProxySettingKind::Access).next().is_some(),
        place: proxy.evidence.first(),
        others,
    }
}
