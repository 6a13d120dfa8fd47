//! Names as the registries compare them.

use serde::Deserialize;

/// A package registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ecosystem {
    /// Python.
    Pypi,
    /// JavaScript and TypeScript.
    Npm,
    /// Go module paths.
    Go,
    /// Rust.
    Crates,
    /// JVM, as `group:artifact`.
    Maven,
    /// Ruby.
    Rubygems,
    /// PHP, as `vendor/name`.
    Packagist,
    /// .NET.
    Nuget,
    /// Elixir, Erlang and Gleam.
    Hex,
    /// Dart.
    Pub,
    /// Swift packages, by the name of their repository.
    Swift,
    /// Crystal.
    Shards,
    /// Perl, as the name of a module.
    Cpan,
    /// Haskell.
    Hackage,
    /// Nim.
    Nimble,
}

impl Ecosystem {
    /// Every registry, in order.
    pub const ALL: [Self; 15] = [
        Self::Pypi,
        Self::Npm,
        Self::Go,
        Self::Crates,
        Self::Maven,
        Self::Rubygems,
        Self::Packagist,
        Self::Nuget,
        Self::Hex,
        Self::Pub,
        Self::Swift,
        Self::Shards,
        Self::Cpan,
        Self::Hackage,
        Self::Nimble,
    ];

    /// Its slug in the catalogue: `pypi`.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Pypi => "pypi",
            Self::Npm => "npm",
            Self::Go => "go",
            Self::Crates => "crates",
            Self::Maven => "maven",
            Self::Rubygems => "rubygems",
            Self::Packagist => "packagist",
            Self::Nuget => "nuget",
            Self::Hex => "hex",
            Self::Pub => "pub",
            Self::Swift => "swift",
            Self::Shards => "shards",
            Self::Cpan => "cpan",
            Self::Hackage => "hackage",
            Self::Nimble => "nimble",
        }
    }

    /// The registry with this slug.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ecosystem| ecosystem.slug() == slug)
    }
}

/// The form of a package name in which its registry compares names. Extras (`uvicorn[standard]`) are dropped.
pub fn normal_package_name(ecosystem: Ecosystem, name: &str) -> String {
    let name = name.trim();
    match ecosystem {
        Ecosystem::Pypi => {
            let name = name.split('[').next().unwrap_or(name).trim_end();
            let mut normal = String::with_capacity(name.len());
            for character in name.chars() {
                let character = if matches!(character, '_' | '.') {
                    '-'
                } else {
                    character.to_ascii_lowercase()
                };
                if character != '-' || !normal.ends_with('-') {
                    normal.push(character);
                }
            }
            normal
        }
        Ecosystem::Go => {
            let is_major = |part: &str| {
                part.strip_prefix('v')
                    .is_some_and(|digits| digits.parse::<u32>().is_ok_and(|n| n > 1))
            };
            let mut parts: Vec<&str> = name.split('/').filter(|part| !is_major(part)).collect();
            // gopkg.in writes the version behind the name: gopkg.in/yaml.v3
            let shortened = parts.last().and_then(|last| {
                let (stem, version) = last.rsplit_once(".v")?;
                version.parse::<u32>().is_ok().then_some(stem)
            });
            if let (Some(stem), Some(last)) = (shortened, parts.last_mut()) {
                *last = stem;
            }
            parts.join("/")
        }
        Ecosystem::Crates => name.to_ascii_lowercase().replace('_', "-"),
        Ecosystem::Npm
        | Ecosystem::Maven
        | Ecosystem::Packagist
        | Ecosystem::Nuget
        | Ecosystem::Hex
        | Ecosystem::Pub
        | Ecosystem::Swift
        | Ecosystem::Shards
        | Ecosystem::Nimble => name.to_ascii_lowercase(),
        Ecosystem::Rubygems | Ecosystem::Cpan | Ecosystem::Hackage => name.to_owned(),
    }
}

/// Splits an image name into its registry, if it names one, and its path; tag and digest are dropped.
pub fn image_path(image: &str) -> (Option<&str>, &str) {
    let image = image.split('@').next().unwrap_or(image);
    let (registry, rest) = match image.split_once('/') {
        Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => (Some(first), rest),
        _ => (None, image),
    };
    (registry, rest.split(':').next().unwrap_or(rest))
}

/// Whether `text` matches `pattern`, in which `*` stands for any run of characters.
pub(super) fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        return rest.is_empty();
    };
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else {
            return false;
        };
        rest = after;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_names_compare_as_their_registry_does() {
        assert_eq!(
            normal_package_name(Ecosystem::Pypi, "Sentry_SDK[flask]"),
            "sentry-sdk"
        );
        assert_eq!(
            normal_package_name(Ecosystem::Pypi, "zope.interface"),
            "zope-interface"
        );
        assert_eq!(
            normal_package_name(Ecosystem::Go, "github.com/jackc/pgx/v5"),
            "github.com/jackc/pgx"
        );
        assert_eq!(
            normal_package_name(Ecosystem::Go, "github.com/jackc/pgx/v5/pgxpool"),
            "github.com/jackc/pgx/pgxpool"
        );
        assert_eq!(
            normal_package_name(Ecosystem::Go, "gopkg.in/yaml.v3"),
            "gopkg.in/yaml"
        );
        assert_eq!(
            normal_package_name(Ecosystem::Go, "k8s.io/api/core/v1"),
            "k8s.io/api/core/v1"
        );
        assert_eq!(normal_package_name(Ecosystem::Crates, "actix_web"), "actix-web");
        assert_eq!(normal_package_name(Ecosystem::Nuget, "Npgsql"), "npgsql");
    }

    #[test]
    fn images_lose_registry_tag_and_digest() {
        assert_eq!(image_path("postgres:17"), (None, "postgres"));
        assert_eq!(
            image_path("localhost:5000/team/app:1"),
            (Some("localhost:5000"), "team/app")
        );
        assert_eq!(
            image_path("ghcr.io/org/name@sha256:00"),
            (Some("ghcr.io"), "org/name")
        );
        assert_eq!(image_path(""), (None, ""));
    }

    #[test]
    fn globs_match_whole_texts() {
        assert!(glob("*", "anything"));
        assert!(glob("*-slim*", "3.12-slim-trixie"));
        assert!(glob("V*__*.sql", "V1__first.sql"));
        assert!(glob("a.b", "a.b"));
        assert!(!glob("a.b", "a.bc"));
        assert!(!glob("*-slim", "3.12"));
        assert!(!glob("ab*ba", "aba"));
    }
}
