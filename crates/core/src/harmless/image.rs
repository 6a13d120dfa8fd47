//! References to container images.

use super::harmless;
use super::text::pattern;
use crate::secret;

harmless! {
    /// A container image: registry, repository, tag, digest, and `${VARIABLE}` parts as written. References with user
    /// info, or with a part that has the shape of a token, are refused.
    ImageRef, |text| {
        let text = text.trim().trim_matches(['"', '\'']);
        if text.is_empty() || text.len() > 250 {
            return None;
        }
        let ok = pattern!(
            r"^[A-Za-z0-9$][A-Za-z0-9_.\-/:${}?\[\]]*(@sha256:[0-9a-f]{64}|@\$\{?[A-Z_]+\}?)?$"
        )(text);
        let name = text.split('@').next().unwrap_or(text);
        // A commit as tag, bare or behind `sha-` and the like, is none.
        let tag = |part: &str| part.rsplit('-').next().is_some_and(|hash| hash.len() == 40 && secret::is_known_hash(hash));
        let harmless = |part: &str| tag(part) && secret::token_kind(part).is_none() || (!secret::looks_like_token(part) && !secret::is_likely_password(part));
        (ok && name.split(['/', ':']).all(harmless) && !gives_secret(text)).then(|| text.to_owned())
    }
}

/// `${DB_PASSWORD:-value}`: a secret's value to fall back on.
fn gives_secret(text: &str) -> bool {
    text.split("${").skip(1).any(|part| {
        let name: String = part
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
            .collect();
        secret::is_secret_name(&name)
            && part
                .get(name.len()..)
                .is_some_and(|rest| rest.starts_with([':', '-']))
    })
}

impl ImageRef {
    /// The repository without registry, tag and digest: `grafana/grafana` of `docker.io/grafana/grafana:11.2`.
    pub fn repository(&self) -> &str {
        let name = self.without_tag();
        match name.split_once('/') {
            Some((host, rest)) if host.contains(['.', ':']) || host == "localhost" => rest,
            _ => name,
        }
    }

    /// The reference without tag and digest, with its registry.
    pub fn without_tag(&self) -> &str {
        let name = self.as_str().split('@').next().unwrap_or_default();
        // A colon before the last slash belongs to the registry's port or to a `${VAR:-default}`.
        match name.rsplit_once(':') {
            Some((before, tag)) if !tag.contains('/') && !is_inside_variable(before) => before,
            _ => name,
        }
    }

    /// The tag, if one is written.
    pub fn tag(&self) -> Option<&str> {
        let name = self.as_str().split('@').next().unwrap_or_default();
        name.strip_prefix(self.without_tag())?
            .strip_prefix(':')
            .filter(|tag| !tag.is_empty())
    }

    /// The digest, if one is written.
    pub fn digest(&self) -> Option<&str> {
        self.as_str().split_once('@').map(|(_, digest)| digest)
    }

    /// The version inside the tag: `16.4` of `16.4-alpine3.20`; `None` for `latest` and other words.
    pub fn version(&self) -> Option<&str> {
        let tag = self.tag()?;
        let tag = tag.strip_prefix('v').unwrap_or(tag);
        let end = tag
            .find(|c: char| !(c.is_ascii_digit() || c == '.'))
            .unwrap_or(tag.len());
        let version = tag.get(..end)?.trim_end_matches('.');
        (!version.is_empty()).then_some(version)
    }
}

fn is_inside_variable(before: &str) -> bool {
    before
        .rfind("${")
        .is_some_and(|open| before.rfind('}').is_none_or(|close| close < open))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw::Raw;

    fn image(text: &str) -> ImageRef {
        ImageRef::parse(Raw::new(text)).expect("a plain reference")
    }

    #[test]
    fn parts() {
        let i = image("registry.example.com:5000/team/api:1.2.3-alpine");
        assert_eq!(
            (i.repository(), i.tag(), i.version()),
            ("team/api", Some("1.2.3-alpine"), Some("1.2.3"))
        );
        let i = image("postgres");
        assert_eq!((i.repository(), i.tag(), i.version()), ("postgres", None, None));
        let i = image("ghcr.io/x/y:latest");
        assert_eq!(
            (i.repository(), i.tag(), i.version()),
            ("x/y", Some("latest"), None)
        );
        let i = image("${DOCKER_IMAGE_BACKEND?Variable}:${TAG-latest}");
        assert_eq!(i.tag(), Some("${TAG-latest}"));
    }

    #[test]
    fn user_info_is_refused() {
        assert!(ImageRef::parse(Raw::new("user:pw@registry.example.com/x")).is_none());
    }
}
