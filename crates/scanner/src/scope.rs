//! Does a file hold for production, or for development, tests, examples and documentation? Judged by its place; what
//! a file says about itself is judged by its detector.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::LazyLock;

use playbook_core::evidence::Scope;
use playbook_core::path::RelPath;
use regex::RegexSet;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Table {
    skip_directories: BTreeSet<String>,
    skip_with_marker: Vec<Marked>,
    development_directories: BTreeSet<String>,
    development_files: Vec<String>,
    production_files: Vec<String>,
}

#[derive(Deserialize)]
struct Marked {
    directory: String,
    markers: Vec<String>,
}

struct Places {
    skip: BTreeSet<String>,
    marked: Vec<Marked>,
    development: BTreeSet<String>,
    development_files: RegexSet,
    production_files: RegexSet,
}

static PLACES: LazyLock<Places> = LazyLock::new(|| {
    // The table is part of the program; a mistake in it is found by the test below, never by a user.
    let table: Table = toml::from_str(include_str!("../places.toml")).unwrap_or(Table {
        skip_directories: BTreeSet::new(),
        skip_with_marker: Vec::new(),
        development_directories: BTreeSet::new(),
        development_files: Vec::new(),
        production_files: Vec::new(),
    });
    Places {
        skip: table.skip_directories,
        marked: table.skip_with_marker,
        development: table.development_directories,
        development_files: RegexSet::new(table.development_files).unwrap_or_else(|_| RegexSet::empty()),
        production_files: RegexSet::new(table.production_files).unwrap_or_else(|_| RegexSet::empty()),
    }
});

/// Is a folder of this name never entered?
pub(crate) fn is_skipped_directory(name: &str) -> bool {
    PLACES.skip.contains(name) || name.ends_with(".egg-info") || name.ends_with(".xcodeproj")
}

/// Names that, found in a folder of this name, make it one that is not entered.
pub(crate) fn skip_markers(name: &str) -> &'static [String] {
    PLACES
        .marked
        .iter()
        .find(|marked| marked.directory == name)
        .map_or(&[], |marked| &marked.markers)
}

/// The scope that a file's place gives it. Folders come first, then the file's own name; a name of production takes a
/// name of development back (`docker-compose.deploy-test.yml` is for production).
pub(crate) fn scope_of(path: &RelPath) -> Scope {
    if is_below_development(path.folders()) {
        return Scope::Development;
    }
    let name = path.name().to_ascii_lowercase();
    if PLACES.development_files.is_match(&name) && !PLACES.production_files.is_match(&name) {
        return Scope::Development;
    }
    Scope::Production
}

/// Does a folder hold development things only?
pub(crate) fn folder_is_development(folder: &RelPath) -> bool {
    is_below_development(folder.components())
}

/// Is one of the folders of a path for development?
fn is_below_development<'p>(folders: impl Iterator<Item = &'p str>) -> bool {
    let mut before = "";
    for part in folders {
        // The packages below `src/main/java` are names: Spring's own generator calls one `demo`.
        if before == "main" && matches!(part, "java" | "kotlin" | "scala" | "groovy") {
            break;
        }
        // Most names are in small letters already, and this is asked for every file.
        let lower = if part.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(part.to_ascii_lowercase())
        } else {
            Cow::Borrowed(part)
        };
        // `src/main/java/com/example/app` names an organisation, not an example.
        let package = before == "com" || before == "org" || before == "io";
        if PLACES.development.contains(&*lower) && !package {
            return true;
        }
        if lower.ends_with("-tests")
            || lower.ends_with(".tests")
            || lower.ends_with("-e2e")
            || lower.ends_with("-test")
            || lower.ends_with("-emulator")
            || lower.ends_with(".unittests")
            || lower.ends_with("tests") && lower.contains('.')
        {
            return true;
        }
        before = part;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(path: &str) -> Scope {
        scope_of(&RelPath::new(path).expect("a plain path"))
    }

    #[test]
    fn table_is_whole() {
        let table: Table = toml::from_str(include_str!("../places.toml")).expect("places.toml");
        RegexSet::new(&table.development_files).expect("patterns");
        RegexSet::new(&table.production_files).expect("patterns");
        assert!(is_skipped_directory("node_modules"));
    }

    #[test]
    fn places() {
        for path in [
            "tests/conftest.py",
            "docs/deploy.md",
            "a/__tests__/x.ts",
            "compose.dev.yml",
            "docker-compose.override.yml",
            "src/app.spec.ts",
            "pkg/x_test.go",
            "Dockerfile.dev",
            "tests/Application.UnitTests/x.cs",
            "examples/api/main.py",
        ] {
            assert_eq!(scope(path), Scope::Development, "{path}");
        }
        for path in [
            "main.py",
            "docker-compose.yml",
            "compose.prod.yml",
            "src/main/java/com/example/app/App.java",
            "src/contest/a.py",
            "Dockerfile",
            ".env.example",
            "src/device/main.go",
            "api/src/main/java/com/acme/demo/DemoApplication.java",
        ] {
            assert_eq!(scope(path), Scope::Production, "{path}");
        }
    }
}
