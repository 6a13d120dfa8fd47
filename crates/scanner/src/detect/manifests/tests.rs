use playbook_core::harmless::{Name, Version};

use super::DETECTOR;
use crate::fact::Facts;
use crate::testing::facts;

fn packages(found: &Facts) -> Vec<(&str, Option<&str>, bool)> {
    found
        .projects
        .iter()
        .flat_map(|project| &project.dependencies)
        .map(|package| {
            (
                package.name.as_str(),
                package.version.as_ref().map(Version::as_str),
                package.development,
            )
        })
        .collect()
}

fn programs(found: &Facts) -> Vec<&str> {
    found
        .projects
        .iter()
        .flat_map(|project| &project.programs)
        .map(|(name, ..)| name.as_str())
        .collect()
}

fn names(found: &Facts) -> Vec<(&str, Option<&str>)> {
    found
        .projects
        .iter()
        .map(|project| (project.language, project.name.as_ref().map(Name::as_str)))
        .collect()
}

fn pins(found: &Facts) -> Vec<(&str, &str)> {
    found
        .version_pins
        .iter()
        .map(|pin| (pin.tool.as_str(), pin.version.as_str()))
        .collect()
}

#[test]
fn tables() {
    let found = facts(
        &DETECTOR,
        "//- a/gleam.toml
name = \"orders\"
gleam = \"1.13.0\"
[dependencies]
wisp = \"1.5.0\"
[dev-dependencies]
gleeunit = \"1.0.0\"
//- b/pubspec.yaml
name: orders
publish_to: none
environment:
  sdk: ^3.5.0
dependencies:
  shelf: ^1.4.0
dev_dependencies:
  test: ^1.24.0
//- c/shard.yml
name: orders
crystal: 1.14.0
targets:
  orders:
    main: src/orders.cr
dependencies:
  kemal:
    github: kemalcr/kemal
    version: 1.5.0
",
    );
    assert_eq!(
        names(&found),
        [
            ("gleam", Some("orders")),
            ("dart", Some("orders")),
            ("crystal", Some("orders"))
        ]
    );
    assert_eq!(
        packages(&found),
        [
            ("wisp", Some("1.5.0"), false),
            ("gleeunit", Some("1.0.0"), true),
            ("shelf", Some("^1.4.0"), false),
            ("test", Some("^1.24.0"), true),
            ("kemal", Some("1.5.0"), false),
        ]
    );
    assert_eq!(programs(&found), ["orders"]);
    assert_eq!(
        pins(&found),
        [("gleam", "1.13.0"), ("dart", "^3.5.0"), ("crystal", "1.14.0")]
    );
}

#[test]
fn what_draws_on_a_device_is_nothing_to_deploy() {
    let found = facts(
        &DETECTOR,
        "//- pubspec.yaml\nname: app\ndependencies:\n  flutter:\n    sdk: flutter\n",
    );
    assert_eq!(found.projects[0].published, Some(true));
}

#[test]
fn swift() {
    let found = facts(
        &DETECTOR,
        r#"//- Package.swift
// swift-tools-version: 5.10
import PackageDescription
let package = Package(
    name: "orders",
    dependencies: [
        .package(url: "https://example.com/vapor/vapor.git", from: "4.99.0"),
        // .package(url: "https://example.com/unused.git", from: "1.0.0"),
    ],
    targets: [
        .target(name: "Core"),
        .executableTarget(
            name: "Run",
            dependencies: [.product(name: "Vapor", package: "vapor")]
        ),
        .testTarget(name: "CoreTests"),
    ]
)
//- .swift-version
5.10.1
"#,
    );
    assert_eq!(names(&found), [("swift", Some("orders"))]);
    assert_eq!(packages(&found), [("vapor", Some("4.99.0"), false)]);
    assert_eq!(programs(&found), ["Run"]);
    assert_eq!(pins(&found), [("swift", "5.10"), ("swift", "5.10.1")]);
}

#[test]
fn haskell() {
    let found = facts(
        &DETECTOR,
        "//- orders.cabal
name:          orders
library
  build-depends:
      base >=4.7 && <5
    , postgresql-simple
executable orders-exe
  main-is: Main.hs
  build-depends: servant-server ==0.20.*, orders
test-suite spec
  build-depends: hspec
//- stack.yaml
compiler: ghc-9.6.6
//- other/package.yaml
name: not-haskell
",
    );
    assert_eq!(names(&found), [("haskell", Some("orders"))]);
    let found_packages: Vec<(&str, bool)> = packages(&found)
        .into_iter()
        .map(|(name, _, development)| (name, development))
        .collect();
    assert_eq!(
        found_packages,
        [
            ("base", false),
            ("postgresql-simple", false),
            ("servant-server", false),
            ("orders", false),
            ("hspec", true)
        ]
    );
    assert_eq!(programs(&found), ["orders-exe"]);
    assert_eq!(pins(&found), [("haskell", "9.6.6")]);
}

#[test]
fn perl_nim_zig_and_erlang() {
    let found = facts(
        &DETECTOR,
        r#"//- a/cpanfile
requires 'perl', '5.36';
requires 'Mojolicious', '>= 9.0';
on 'test' => sub {
    requires 'Test::More';
};
requires 'DBD::Pg';
//- b/orders.nimble
version = "0.1.0"
bin = @["orders"]
requires "nim >= 2.0.0", "jester >= 0.6.0"
//- c/build.zig
const exe = b.addExecutable(.{
    .name = "orders",
});
//- c/build.zig.zon
.{ .name = .orders, .minimum_zig_version = "0.13.0" }
//- d/rebar.config
{minimum_otp_vsn, "26.0"}.
{deps, [
    {cowboy, "2.12.0"},
    {epgsql, {git, "https://example.com/epgsql.git", {tag, "4.7.1"}}}
]}.
{relx, [{release, {orders, "0.1.0"}, [orders]}]}.
"#,
    );
    assert_eq!(
        names(&found),
        [
            ("perl", None),
            ("nim", Some("orders")),
            ("zig", None),
            ("erlang", Some("orders"))
        ]
    );
    let found_packages: Vec<(&str, bool)> = packages(&found)
        .into_iter()
        .map(|(name, _, development)| (name, development))
        .collect();
    assert_eq!(
        found_packages,
        [
            ("Mojolicious", false),
            ("Test::More", true),
            ("DBD::Pg", false),
            ("jester", false),
            ("cowboy", false),
            ("epgsql", false)
        ]
    );
    assert_eq!(programs(&found), ["orders", "orders", "orders"]);
    assert_eq!(
        pins(&found),
        [
            ("perl", "5.36"),
            ("nim", ">= 2.0.0"),
            ("zig", "0.13.0"),
            ("erlang", "26.0")
        ]
    );
}

#[test]
fn native_builds_of_the_root_only() {
    let found = facts(
        &DETECTOR,
        "//- CMakeLists.txt
cmake_minimum_required(VERSION 3.20)
project(orders LANGUAGES CXX)
find_package(Drogon 1.9 REQUIRED)
add_executable(orders main.cc)
add_executable(orders_test test.cc)
//- native/CMakeLists.txt
project(addon)
//- meson.build
project('orders', ['c'])
executable('served', ['main.c'])
",
    );
    assert_eq!(names(&found), [("cpp", Some("orders")), ("c", Some("orders"))]);
    assert_eq!(packages(&found), [("Drogon", Some("1.9"), false)]);
    assert_eq!(programs(&found), ["orders", "served"]);
}
