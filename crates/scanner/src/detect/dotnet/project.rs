//! Project files: the SDK tells what runs, the packages what it uses; versions of the framework and of the SDK.

use playbook_core::evidence::Scope;
use playbook_core::harmless::{Name, Sentence};
use playbook_core::inventory::Infrastructure;
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use crate::detect::ecosystem::{dependency, entry, pin, project};
use crate::detect::{ending, syntax_problem};
use crate::fact::{EntryKind, Facts, ProjectFact};
use crate::parse::json;
use crate::parse::tree::Node;
use crate::parse::xml::{self, Element};
use crate::source::Source;

pub(super) fn wants(path: &RelPath) -> bool {
    ending(path, &["csproj", "fsproj", "vbproj"])
        || matches!(
            path.name(),
            "Directory.Build.props" | "Directory.Packages.props" | "global.json"
        )
}

pub(super) fn detect(source: &Source<'_>, facts: &mut Facts) {
    match source.path.name() {
        "global.json" => {
            let (tree, _) = json::document(source.text);
            if let Some(node) = tree.as_ref().and_then(|tree| tree.path(&["sdk", "version"])) {
                pin(
                    source,
                    facts,
                    "dotnet",
                    node.text().unwrap_or_default(),
                    Node::line(node),
                );
            }
        }
        "Directory.Build.props" | "Directory.Packages.props" => {
            if let Some(root) = root(source, facts) {
                framework(source, &root, facts);
            }
        }
        _ => of_project(source, facts),
    }
}

fn root(source: &Source<'_>, facts: &mut Facts) -> Option<Element> {
    let (root, problem) = xml::root(source.text);
    if let Some(problem) = problem {
        syntax_problem(source, problem, facts);
    }
    root.filter(|root| root.name() == "Project")
}

/// A property of any group, the first that is written.
fn property<'r>(root: &'r Element, name: &str) -> Option<&'r Element> {
    root.elements()
        .filter(|group| group.name() == "PropertyGroup")
        .find_map(|group| group.elements().find(|property| property.name() == name))
}

/// `net8.0`, or the newest of `net8.0;net9.0`.
fn framework(source: &Source<'_>, root: &Element, facts: &mut Facts) {
    let found = property(root, "TargetFramework").or_else(|| property(root, "TargetFrameworks"));
    let Some(found) = found else { return };
    let newest = found
        .text()
        .split(';')
        .filter_map(|moniker| {
            let moniker = moniker.trim().split('-').next().unwrap_or_default();
            moniker
                .strip_prefix("netcoreapp")
                .or_else(|| moniker.strip_prefix("net"))
        })
        .rfind(|version| version.contains('.'));
    if let Some(version) = newest {
        pin(source, facts, "dotnet", version, found.line());
    }
}

fn of_project(source: &Source<'_>, facts: &mut Facts) {
    let Some(root) = root(source, facts) else { return };
    let language = if source.path.name().ends_with(".fsproj") {
        "fsharp"
    } else {
        "csharp"
    };
    let stem = source.path.name().rsplit_once('.').map_or("", |(stem, _)| stem);
    let mut manifest = project(source, "nuget", language, "dotnet", Some("nuget"));
    manifest.name = Name::parse(Raw::new(stem));
    manifest.description = property(&root, "Description")
        .and_then(|text| Sentence::parse(Raw::new(text.text())))
        .map(Into::into);
    manifest.evidence = source.at(root.line());
    for item in root.descendants("PackageReference") {
        let Some(name) = item.attr("Include").or_else(|| item.attr("Update")) else {
            continue;
        };
        let version = item
            .attr("Version")
            .or_else(|| item.child("Version").map(Element::text))
            .unwrap_or_default();
        manifest
            .dependencies
            .extend(dependency(name, version, false, item.line()));
    }
    for item in root.descendants("ProjectReference") {
        let path = item.attr("Include").unwrap_or_default().replace('\\', "/");
        let file = path.rsplit('/').next().unwrap_or_default();
        let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
        manifest
            .dependencies
            .extend(dependency(stem, "", false, item.line()));
    }
    framework(source, &root, facts);
    let sdk = root
        .attr("Sdk")
        .map(str::to_owned)
        .or_else(|| {
            root.child("Sdk")
                .and_then(|sdk| sdk.attr("Name"))
                .map(str::to_owned)
        })
        .unwrap_or_default();
    let is_true = |name: &str| {
        property(&root, name).is_some_and(|property| property.text().trim().eq_ignore_ascii_case("true"))
    };
    let uses = |manifest: &ProjectFact, name: &str| {
        manifest
            .dependencies
            .iter()
            .any(|package| package.name.as_str().eq_ignore_ascii_case(name))
    };
    // A host of Aspire describes the deployment and orchestrates developers' machines; it is not deployed.
    let aspire = sdk.starts_with("Aspire.AppHost.Sdk")
        || root
            .descendants("Sdk")
            .iter()
            .any(|sdk| sdk.attr("Name") == Some("Aspire.AppHost.Sdk"))
        || is_true("IsAspireHost")
        || uses(&manifest, "Aspire.Hosting.AppHost");
    let test = is_true("IsTestProject")
        || uses(&manifest, "Microsoft.NET.Test.Sdk")
        || uses(&manifest, "BenchmarkDotNet")
        || sdk.starts_with("MSTest.Sdk");
    if aspire && source.scope == Scope::Production {
        facts.infrastructure.push(Infrastructure {
            kind: Shown::from("aspire"),
            path: source.path.clone(),
            scope: source.scope,
            evidence: vec![source.at(root.line())],
        });
    }
    if test || aspire {
        manifest.scope = Scope::Development;
    }
    if is_true("IsPackable") || property(&root, "PackageId").is_some() {
        manifest.published = Some(true);
    }
    if manifest.scope == Scope::Production {
        process(source, &root, &sdk, stem, facts);
    }
    facts.projects.push(manifest);
}

/// The SDK says whether the result serves HTTP or works in the background.
fn process(source: &Source<'_>, root: &Element, sdk: &str, stem: &str, facts: &mut Facts) {
    let library =
        property(root, "OutputType").is_some_and(|kind| kind.text().eq_ignore_ascii_case("library"));
    let assembly = property(root, "AssemblyName").map_or("", Element::text);
    let assembly = if assembly.is_empty() || assembly.contains('$') {
        stem
    } else {
        assembly
    };
    let (kind, framework) = match sdk.split('/').next().unwrap_or_default() {
        "Microsoft.NET.Sdk.Web" if !library => (EntryKind::Server, "aspnet-core"),
        "Microsoft.NET.Sdk.Worker" => (EntryKind::Worker, "dotnet-worker"),
        _ => {
            let functions = property(root, "AzureFunctionsVersion");
            if let Some(version) = functions {
                facts.entry_points.push(entry(
                    source,
                    EntryKind::Function,
                    "azure-functions",
                    assembly,
                    version.line(),
                ));
            }
            return;
        }
    };
    facts
        .entry_points
        .push(entry(source, kind, framework, assembly, root.line()));
}
