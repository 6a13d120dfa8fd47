use crate::detect::node::DETECTOR;
use crate::fact::EntryKind;
use crate::testing::facts;

#[test]
fn packages_scripts_and_versions() {
    let told = facts(
        &DETECTOR,
        r#"//- package.json
{
  "name": "@acme/orders",
  "private": true,
  "packageManager": "pnpm@9.1.0+sha512.abc",
  "engines": { "node": ">=20" },
  "workspaces": ["apps/*", "./packages/core"],
  "scripts": { "start": "node dist/main", "db:push": "prisma db push" },
  "dependencies": { "express": "^4.19.0" },
  "devDependencies": { "typescript": "5.4.5" }
}
//- .nvmrc
20.11.1
"#,
    );
    let project = told.projects.first().expect("a project");
    assert_eq!(project.package_manager, Some("pnpm"));
    assert_eq!(project.published, Some(false));
    let members: Vec<&str> = project
        .members
        .iter()
        .map(playbook_core::harmless::Name::as_str)
        .collect();
    assert_eq!(members, ["apps/*", "packages/core"]);
    let packages: Vec<(&str, bool, u32)> = project
        .dependencies
        .iter()
        .map(|dependency| (dependency.name.as_str(), dependency.development, dependency.line))
        .collect();
    assert_eq!(packages, [("express", false, 8), ("typescript", true, 9)]);
    let pins: Vec<(&str, &str)> = told
        .version_pins
        .iter()
        .map(|pin| (pin.tool.as_str(), pin.version.as_str()))
        .collect();
    assert_eq!(pins, [("node", ">=20"), ("pnpm", "9.1.0"), ("node", "20.11.1")]);
    assert_eq!(told.scripts.len(), 2);
    assert_eq!(told.signals.len(), 1);
}

#[test]
fn a_library_is_published_and_a_server_is_not() {
    let published = |text: &str| {
        facts(&DETECTOR, &format!("//- package.json\n{text}\n"))
            .projects
            .first()
            .and_then(|project| project.published)
    };
    assert_eq!(
        published(r#"{"name":"x","main":"i.js","files":["lib"]}"#),
        Some(true)
    );
    assert_eq!(
        published(r#"{"name":"x","main":"i.js","scripts":{"start":"node i"}}"#),
        Some(false)
    );
}

#[test]
fn page_frameworks_start_by_their_command() {
    let told = facts(
        &DETECTOR,
        "//- package.json\n{\"scripts\":{\"build\":\"next build\",\"start\":\"next start -p 4100\"},\"dependencies\":{\"next\":\"15.0.0\"}}\n//- lib/package.json\n{\"dependencies\":{\"next\":\"15.0.0\"}}\n",
    );
    let entry = told.entry_points.first().expect("an entry point");
    assert_eq!(
        (entry.kind, entry.framework.as_str(), entry.port),
        (EntryKind::Server, "nextjs", Some(4100))
    );
    assert_eq!(told.entry_points.len(), 1);
}

#[test]
fn workspaces_of_pnpm_and_deno() {
    let told = facts(
        &DETECTOR,
        "//- pnpm-workspace.yaml\npackages:\n  - 'apps/*'\n  - '!apps/old'\n//- api/deno.json\n{ \"tasks\": { \"start\": \"deno run -A main.ts\" }, \"imports\": { \"hono\": \"jsr:@hono/hono@^4.6.0\" } }\n",
    );
    assert_eq!(told.projects.len(), 2);
    let deno = told.projects.get(1).expect("deno");
    assert_eq!((deno.runtime, deno.dependencies.len()), ("deno", 1));
}
