//! Manifests of ecosystems that are detected without depth: Crystal, Dart, Erlang, Gleam, Haskell, Nim, Perl, Swift, Zig,
//! C and C++. They give the language, the version that the manifest asks for, packages and the names of programs.

mod lines;
mod tables;
#[cfg(test)]
mod tests;

use playbook_core::path::RelPath;

use super::Detector;
use super::ecosystem::pin_of_file;
use crate::fact::Facts;
use crate::source::Source;

pub(crate) const DETECTOR: Detector = Detector { wants, detect };

/// Files that hold nothing but the version of one runtime.
const VERSION_FILES: [(&str, &str); 7] = [
    (".crystal-version", "crystal"),
    (".elixir-version", "beam"),
    (".exenv-version", "beam"),
    (".ghc-version", "haskell"),
    (".perl-version", "perl"),
    (".swift-version", "swift"),
    (".zigversion", "zig"),
];

type Reader = fn(&Source<'_>, &mut Facts);

fn reader(path: &RelPath) -> Option<Reader> {
    let name = path.name();
    Some(match name {
        "gleam.toml" => tables::gleam,
        "pubspec.yaml" => tables::dart,
        "shard.yml" => tables::crystal,
        "package.yaml" => tables::hpack,
        "stack.yaml" => tables::stack,
        "Package.swift" => lines::swift,
        "cabal.project" => lines::cabal_project,
        "cpanfile" => lines::perl,
        "rebar.config" => lines::erlang,
        "build.zig" => lines::zig,
        "build.zig.zon" => lines::zig_package,
        // Below the root a native build is a part of something else, mostly an extension of a package.
        "CMakeLists.txt" if path.parent().is_root() => lines::cmake,
        "meson.build" if path.parent().is_root() => lines::meson,
        _ if name.ends_with(".cabal") => lines::cabal,
        _ if name.ends_with(".nimble") => lines::nim,
        _ => return None,
    })
}

fn version_of(name: &str) -> Option<&'static str> {
    VERSION_FILES
        .iter()
        .find(|(file, _)| *file == name)
        .map(|(_, tool)| *tool)
}

fn wants(path: &RelPath) -> bool {
    reader(path).is_some() || version_of(path.name()).is_some()
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    if let Some(tool) = version_of(source.path.name()) {
        pin_of_file(source, facts, tool);
    } else if let Some(read) = reader(source.path) {
        read(source, facts);
    }
}
