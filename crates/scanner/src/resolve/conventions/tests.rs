//! Small repositories and the processes that conventions find in them.

use crate::testing::inventory;

/// `role language runtime start @ evidence` of each service.
fn services(files: &str) -> Vec<String> {
    inventory(files)
        .services
        .iter()
        .map(|service| {
            let word = |text: Option<&str>| text.unwrap_or("-").to_owned();
            format!(
                "{} {} {} {} @ {}",
                service.role.as_str(),
                word(service.language.as_ref().map(playbook_core::shown::Shown::as_str)),
                word(
                    service
                        .runtime
                        .name
                        .as_ref()
                        .map(playbook_core::shown::Shown::as_str)
                ),
                word(
                    service
                        .commands
                        .start
                        .as_ref()
                        .map(playbook_core::harmless::CommandLine::as_str)
                ),
                service
                    .start_evidence
                    .as_ref()
                    .map_or_else(|| "-".to_owned(), ToString::to_string),
            )
        })
        .collect()
}

#[test]
fn a_declared_start_comes_before_files() {
    assert_eq!(
        services(
            "//- package.json\n{\n  \"name\": \"ledger\",\n  \"main\": \"other.js\",\n  \"scripts\": { \"start\": \"node index.js\" }\n}\n//- index.js\nrun();\n//- other.js\n"
        ),
        ["worker javascript node npm start @ package.json:4"]
    );
    assert_eq!(
        services("//- package.json\n{\n  \"main\": \"src/other\"\n}\n//- index.js\n//- src/other.js\n"),
        ["worker javascript node node src/other.js @ package.json:2"]
    );
}

#[test]
fn what_a_builder_is_told_comes_first() {
    assert_eq!(
        services(
            "//- package.json\n{ \"scripts\": { \"start\": \"node index.js\" } }\n//- railpack.json\n{\n  // a comment\n  \"deploy\": { \"startCommand\": \"node server.js\" }\n}\n"
        ),
        ["worker javascript node node server.js @ railpack.json:3"]
    );
    assert_eq!(
        services("//- nixpacks.toml\n[start]\ncmd = \"./run.sh --all\"\n"),
        ["worker shell - ./run.sh --all @ nixpacks.toml:2"]
    );
}

#[test]
fn files_are_tried_in_the_order_of_the_table() {
    assert_eq!(
        services("//- package.json\n{ \"name\": \"ledger\" }\n//- app.js\n//- server.js\n//- index.html\n"),
        ["worker javascript node node server.js @ server.js"]
    );
    assert_eq!(
        services("//- main.ts\nconst port = 1;\n\nDeno.serve(() => new Response(\"ok\"));\n"),
        ["web typescript deno deno run --allow-all main.ts @ main.ts:3"]
    );
    assert_eq!(
        services("//- start.sh\n#!/bin/sh\nexec ./bin/program\n"),
        ["worker shell - ./start.sh @ start.sh"]
    );
}

#[test]
fn libraries_tools_and_tests_are_no_services() {
    for files in [
        "//- package.json\n{ \"name\": \"left\", \"main\": \"index.js\", \"files\": [\"index.js\"] }\n//- index.js\n",
        "//- package.json\n{ \"name\": \"left\", \"scripts\": { \"start\": \"npx storybook dev\" } }\n",
        "//- package.json\n{ \"name\": \"left\", \"private\": true, \"scripts\": { \"start\": \"nodemon lib/a.js\" } }\n",
        "//- examples/server/start.sh\nnode server.js\n//- tests/index.html\n",
        "//- README.md\n# Notes\n//- main.ts\nexport const a = 1;\n",
    ] {
        assert_eq!(services(files), Vec::<String>::new(), "{files}");
    }
}

#[test]
fn members_of_a_workspace_stand_for_themselves() {
    assert_eq!(
        services(
            "//- package.json\n{ \"name\": \"root\", \"workspaces\": [\"packages/*\"] }\n//- packages/a/package.json\n{ \"name\": \"a\", \"scripts\": { \"start\": \"node a.js\" } }\n//- packages/b/package.json\n{ \"name\": \"b\", \"main\": \"b.js\" }\n//- packages/b/b.js\n"
        ),
        ["worker javascript node npm start @ packages/a/package.json:1"]
    );
}
