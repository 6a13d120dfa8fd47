//! The part of a connection string that is no secret.

use super::text::pattern;
use super::{Host, Name};
use crate::raw::Raw;
use crate::secret;
use crate::shown::Shown;

/// What a connection string says without its user, password, database and external host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionShape {
    /// Scheme with the driver: `postgresql+asyncpg`.
    pub scheme: Name,
    /// The host, only where it is `localhost` or a single label, such as a service of a Compose file.
    pub host: Option<Host>,
    /// The port that is written.
    pub port: Option<u16>,
    /// The parameter about encryption, as `name=value`: `sslmode=require`.
    pub tls: Option<Shown>,
    /// Is there a user (or a token) before the host?
    pub has_user_info: bool,
    /// Is there a password, before the host or in the query?
    pub has_password: bool,
}

/// Takes a connection string apart. `None` for what is none.
pub fn connection_shape(raw: Raw<'_>) -> Option<ConnectionShape> {
    let text = raw.peek().trim().trim_matches(['"', '\'']);
    let text = text.strip_prefix("jdbc:").unwrap_or(text);
    let (scheme, rest) = text.split_once("://")?;
    if !pattern!(r"^[a-z][a-z0-9]{1,14}([+.\-][a-z0-9]{1,14}){0,2}$")(scheme) {
        return None;
    }
    // The `@` that ends the user info is the last one before the query; a password may hold a `/`.
    let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (user_info, place) = before
        .rsplit_once('@')
        .map_or((None, before), |(user, place)| (Some(user), place));
    let authority = place.split(['/', ';']).next().unwrap_or_default();
    // Of a list of hosts, none is shown.
    let single = Some(authority).filter(|authority| !authority.contains(','));
    let (host, port) = single.map_or(("", None), |authority| match authority.rsplit_once(':') {
        Some((host, port)) => (host, super::port(Raw::new(port))),
        None => (authority, None),
    });
    let compose = pattern!(r"^[a-z][a-z0-9_\-]{0,40}$")(host) || host == "127.0.0.1";
    let host = Some(host)
        .filter(|host| compose && user_info.is_none_or(|user| !user.contains(host)))
        .and_then(|host| Host::parse(Raw::new(host)));
    let parameters = || query.split('&').filter_map(|pair| pair.split_once('='));
    let tls = parameters().find_map(|(name, value)| tls_parameter(name, value));
    let in_query = parameters().any(|(name, value)| secret::is_secret_name(name) && !value.is_empty());
    Some(ConnectionShape {
        scheme: Name::parse(Raw::new(scheme))?,
        host,
        port,
        tls,
        has_user_info: user_info.is_some_and(|user| !user.is_empty()),
        has_password: in_query
            || user_info
                .and_then(|user| user.split_once(':'))
                .is_some_and(|(_, password)| !password.is_empty()),
    })
}

fn tls_parameter(name: &str, value: &str) -> Option<Shown> {
    let known = pattern!(
        r"(?i)^(sslmode|ssl|tls|usessl|requiressl|ssl_mode|ssl-mode|sslaccept|ssl_cert_reqs|encrypt|tlsinsecure|secure|channel_binding)$"
    );
    let plain = pattern!(
        r"(?i)^(true|false|1|0|yes|no|require|required|prefer|preferred|allow|disable|disabled|verify-ca|verify-full|verify_ca|verify_identity|strict|accept_invalid_certs|none|optional|cert_none|cert_required|cert_optional)$"
    );
    (known(name) && plain(value)).then(|| Shown::judged(&format!("{name}={value}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(text: &str) -> ConnectionShape {
        connection_shape(Raw::new(text)).expect("a connection string")
    }

    #[test]
    fn keeps_what_says_nothing() {
        let s = shape("postgresql+asyncpg://app:hunter22@db:5432/orders?sslmode=require");
        assert_eq!(s.scheme.as_str(), "postgresql+asyncpg");
        assert_eq!(s.host.map(|host| host.to_string()).as_deref(), Some("db"));
        assert_eq!(
            (s.port, s.has_user_info, s.has_password),
            (Some(5432), true, true)
        );
        assert_eq!(s.tls.as_ref().map(Shown::as_str), Some("sslmode=require"));
        let s = shape("mysql://u:p/w@db.prod.example.com/x");
        assert_eq!((s.host, s.port, s.has_password), (None, None, true));
        let s = shape("redis://localhost");
        assert_eq!(
            (s.has_user_info, s.has_password, s.host.is_some()),
            (false, false, true)
        );
        assert!(shape("postgres://h/x?password=abc").has_password);
        assert!(connection_shape(Raw::new("app.main:app")).is_none());
    }

    #[test]
    fn never_user_password_or_database() {
        let s = shape("postgres://blue:blue@blue:5432/blue");
        assert!(!format!("{s:?}").contains("blue"));
    }
}
