//! Reverse proxies as their own files describe them.

use crate::evidence::{Evidence, Scope};
use crate::path::RelPath;
use crate::shown::Shown;
use crate::visit::{record, words};

words! {
    /// What a setting of a proxy limits.
    pub enum ProxySettingKind {
        /// The largest body of a request.
        BodySize = "body-size",
        /// How long something may take.
        Timeout = "timeout",
        /// How many requests or connections a client may make.
        RateLimit = "rate-limit",
        /// The certificate, or who issues it.
        Certificate = "certificate",
        /// Versions of TLS that are accepted.
        TlsVersion = "tls-version",
        /// A header that every answer gets.
        ResponseHeader = "response-header",
        /// Answers and requests are passed on as they come.
        Unbuffered = "unbuffered",
        /// Who may come in: basic authentication, forward authentication, lists of addresses.
        Access = "access",
    }
}

record! {
    /// One setting that a proxy applies to the requests it passes on.
    pub struct ProxySetting {
        /// What it limits.
        pub kind: ProxySettingKind,
        /// Its name in the file.
        pub name: Shown,
        /// Its value as written, where it is harmless.
        pub value: Option<Shown>,
        /// Bytes, seconds or requests, where the value is a number.
        pub number: Option<u64>,
        /// The path that it holds for; `None` for the whole virtual host.
        pub path: Option<Shown>,
        /// Where it stands.
        pub evidence: Vec<Evidence>,
    }
}

record! {
    /// Requests that a proxy passes on.
    pub struct ProxyForward {
        /// Path or pattern of paths; `None` for all.
        pub path: Option<Shown>,
        /// Host, container, Service or socket that gets them, as written; `None` where only a variable names it.
        pub target: Option<Shown>,
        /// Port of the target.
        pub port: Option<u16>,
        /// Id of the service that it is.
        pub service: Option<Shown>,
        /// Does it pass on the upgrade of a connection to a WebSocket?
        pub upgrade: bool,
        /// Where it stands.
        pub evidence: Vec<Evidence>,
    }
}

record! {
    /// A virtual host, router or listener of a reverse proxy, as a file of the repository describes it.
    pub struct Proxy {
        /// `nginx`, `traefik`, `caddy`, `haproxy`, `envoy`, `istio`, `kubernetes-ingress`, `gateway-api`
        pub kind: Shown,
        /// The file.
        pub path: RelPath,
        /// Name of the router, listener or object, where there is one.
        pub name: Option<Shown>,
        /// The class of controller that an Ingress asks for: `nginx`, `traefik`, `alb` …
        pub class: Option<Shown>,
        /// Host names that it answers for; empty for all.
        pub hosts: Vec<Shown>,
        /// Ports that it listens on.
        pub listens: Vec<u16>,
        /// Does it end TLS?
        pub tls: bool,
        /// Does it do nothing but send clients to `https`?
        pub redirects: bool,
        /// Does it take in other files, which may say more?
        pub includes: bool,
        /// Where requests go.
        pub forwards: Vec<ProxyForward>,
        /// Limits and the like.
        pub settings: Vec<ProxySetting>,
        /// Where it holds.
        pub scope: Scope,
        /// The places that prove it.
        pub evidence: Vec<Evidence>,
    }
}
