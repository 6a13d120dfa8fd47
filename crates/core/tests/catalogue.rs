//! The data of the technology catalogue, held against its own rules and examples.
#![allow(
    clippy::disallowed_methods,
    reason = "the tests compare the folder with what is embedded, and write the reference page"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use playbook_core::technology::{
    Catalogue, Ecosystem, FILES, Group, Match, PlatformKind, Strength, Technology,
};

fn catalogue() -> Catalogue {
    match Catalogue::load() {
        Ok(catalogue) => catalogue,
        Err(error) => panic!("a file of the catalogue does not parse: {error}"),
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("technologies")
}

/// Every problem at once, so that one run shows all of them.
fn assert_none(problems: &[String]) {
    assert!(
        problems.is_empty(),
        "{} problems:\n{}",
        problems.len(),
        problems.join("\n")
    );
}

fn label(technology: &Technology) -> String {
    format!("{}: {}", technology.group.slug(), technology.id)
}

#[test]
fn every_file_of_the_folder_is_embedded() {
    let mut on_disk: Vec<String> = std::fs::read_dir(folder())
        .expect("the folder exists")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("a plain name")
        })
        .collect();
    on_disk.sort();
    let mut embedded: Vec<String> = FILES.iter().map(|(_, file, _)| (*file).to_owned()).collect();
    embedded.sort();
    assert_eq!(on_disk, embedded);
}

#[test]
fn every_file_explains_its_keys_and_has_entries() {
    let catalogue = catalogue();
    for (group, file, text) in FILES {
        assert!(text.starts_with("# "), "{file} begins with a header");
        assert!(!catalogue.group(*group).is_empty(), "{file} has no entry");
        let header: String = text.lines().take_while(|line| line.starts_with('#')).collect();
        let header_end = text.lines().take_while(|line| line.starts_with('#')).count();
        for line in text.lines().skip(header_end) {
            let Some((key, _)) = line.split_once(" = ") else {
                continue;
            };
            if !key.chars().next().is_some_and(|first| first.is_ascii_lowercase()) {
                continue;
            }
            let mut parts = key.split('.');
            let first = parts.next().unwrap_or_default();
            let detail = [
                "datastore",
                "framework",
                "server",
                "runtime",
                "package-manager",
                "migration",
                "orm",
                "image",
                "platform",
                "driver",
            ];
            let word = if detail.contains(&first) {
                parts.next().unwrap_or_default()
            } else {
                first
            };
            assert!(
                header.contains(word),
                "the header of {file} does not explain {key}"
            );
        }
    }
}

#[test]
fn entries_are_sorted_and_unique_in_their_files() {
    for (_, file, text) in FILES {
        let ids: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("id = \"")?.strip_suffix('"'))
            .collect();
        let mut sorted = ids.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(ids, sorted, "{file}");
    }
}

#[test]
fn slugs_and_names_have_their_form() {
    let catalogue = catalogue();
    let mut problems = Vec::new();
    for technology in catalogue.technologies() {
        let plain = |slug: &str| {
            !slug.is_empty()
                && slug
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c))
        };
        if !plain(technology.id) || technology.name.is_empty() || !plain(technology.category) {
            problems.push(format!("{}: id, name or category", label(technology)));
        }
        for prefix in &technology.env_prefixes {
            if !prefix.ends_with('_') {
                problems.push(format!(
                    "{}: the prefix {prefix} does not end in an underscore",
                    label(technology)
                ));
            }
        }
        for cycle in &technology.cycles {
            let is_date = |date: &str| date.len() == 10 && date.split('-').count() == 3;
            if cycle.version.is_empty()
                || !is_date(cycle.source_date)
                || cycle.eol.is_some_and(|date| !is_date(date))
            {
                problems.push(format!("{}: cycle {}", label(technology), cycle.version));
            }
        }
        for slug in technology.implies.iter().chain(technology.features.values()) {
            if catalogue.find(Group::Datastore, slug).is_none() {
                problems.push(format!("{}: no datastore {slug}", label(technology)));
            }
        }
    }
    for resource in catalogue.engine_resources() {
        for kind in resource.engines.values() {
            if catalogue.find(Group::Datastore, kind).is_none() {
                problems.push(format!("{}: no datastore {kind}", resource.resource));
            }
        }
    }
    assert_none(&problems);
}

#[test]
fn a_sign_belongs_to_one_technology_of_a_group() {
    let catalogue = catalogue();
    let mut owners: BTreeMap<(Group, String), &str> = BTreeMap::new();
    let mut problems = Vec::new();
    for technology in catalogue.technologies() {
        let mut signs: Vec<String> = Vec::new();
        for packages in [&technology.packages, &technology.weak_packages] {
            for (ecosystem, names) in packages {
                signs.extend(names.iter().map(|name| {
                    format!(
                        "{} {}",
                        ecosystem.slug(),
                        playbook_core::technology::normal_package_name(*ecosystem, name)
                    )
                }));
            }
        }
        for (kind, names) in [
            ("env", &technology.env),
            ("env prefix", &technology.env_prefixes),
            ("scheme", &technology.url_schemes),
            ("host", &technology.hosts),
            ("resource", &technology.resources),
            ("command", &technology.commands),
        ] {
            signs.extend(names.iter().map(|name| format!("{kind} {name}")));
        }
        let tag = technology
            .image
            .as_ref()
            .and_then(|image| image.tag)
            .unwrap_or_default();
        signs.extend(technology.images.iter().map(|name| format!("image {name} {tag}")));
        for sign in signs {
            if let Some(other) = owners.insert((technology.group, sign.clone()), technology.id) {
                problems.push(format!(
                    "{}: {sign} stands in {other} and {}",
                    technology.group.slug(),
                    technology.id
                ));
            }
        }
    }
    assert_none(&problems);
}

/// What an example such as `package:npm:pg` finds.
fn look_up<'a>(catalogue: &'a Catalogue, example: &str) -> Option<Vec<Match<'a>>> {
    let (kind, value) = example.split_once(':')?;
    Some(match kind {
        "package" => {
            let (ecosystem, name) = value.split_once(':')?;
            catalogue.by_package(Ecosystem::from_slug(ecosystem)?, name)
        }
        "import" => {
            let (language, module) = value.split_once(':')?;
            catalogue.by_import(language, module)
        }
        "image" => catalogue.by_image(value),
        "env" => {
            let mut found = catalogue.by_env_name(value);
            found.extend(catalogue.by_env_prefix(value));
            found
        }
        "file" => catalogue.by_file(value),
        "host" => catalogue.by_host_suffix(value),
        "scheme" => catalogue.by_url_scheme(value),
        "resource" => catalogue.by_resource(value),
        "command" => {
            let words: Vec<&str> = value.split(' ').collect();
            let found = catalogue.by_command(catalogue.without_wrappers(&words));
            found
                .into_iter()
                .map(|technology| Match {
                    technology,
                    strength: Strength::Strong,
                    implied: false,
                })
                .collect()
        }
        _ => return None,
    })
}

#[test]
fn examples_are_found_and_counter_examples_are_not() {
    let catalogue = catalogue();
    let mut problems = Vec::new();
    for technology in catalogue.technologies() {
        let finds = |example: &str| {
            look_up(&catalogue, example).map(|found| {
                found.iter().any(|found| {
                    !found.implied
                        && found.technology.id == technology.id
                        && found.technology.group == technology.group
                })
            })
        };
        for example in &technology.examples {
            match finds(example) {
                Some(true) => {}
                Some(false) => problems.push(format!("{}: {example} is not found", label(technology))),
                None => problems.push(format!("{}: {example} is no example", label(technology))),
            }
        }
        for example in &technology.counter_examples {
            if finds(example) != Some(false) {
                problems.push(format!("{}: {example} must not be found", label(technology)));
            }
        }
    }
    assert_none(&problems);
}

/// Whether a pattern of the entry is what finds the value.
fn fits(pattern: &str, value: &str) -> bool {
    if let Some(suffix) = pattern.strip_prefix('.').filter(|_| !pattern.contains('*')) {
        return value.ends_with(&format!(".{suffix}"));
    }
    let mut rest = value;
    let parts: Vec<&str> = pattern.trim_start_matches('/').split('*').collect();
    parts.iter().all(|part| match rest.split_once(part) {
        Some((_, after)) => {
            rest = after;
            true
        }
        None => false,
    })
}

#[test]
fn every_pattern_has_an_example() {
    let mut problems = Vec::new();
    for technology in catalogue().technologies() {
        let examples = |kind: &str| -> Vec<&str> {
            technology
                .examples
                .iter()
                .filter_map(|example| example.strip_prefix(kind)?.strip_prefix(':'))
                .collect()
        };
        let mut patterns: Vec<(&str, &str)> = Vec::new();
        patterns.extend(technology.env_prefixes.iter().map(|prefix| ("env", *prefix)));
        patterns.extend(
            technology
                .hosts
                .iter()
                .filter(|host| host.starts_with('.') || host.contains('*'))
                .map(|host| ("host", *host)),
        );
        patterns.extend(
            technology
                .resources
                .iter()
                .filter(|name| name.contains('*'))
                .map(|name| ("resource", *name)),
        );
        patterns.extend(
            technology
                .images
                .iter()
                .filter(|name| name.contains('*'))
                .map(|name| ("image", *name)),
        );
        patterns.extend(
            technology
                .files
                .iter()
                .filter(|name| name.contains('*'))
                .map(|name| ("file", *name)),
        );
        for names in technology
            .packages
            .values()
            .chain(technology.weak_packages.values())
        {
            patterns.extend(
                names
                    .iter()
                    .filter(|name| name.contains('*'))
                    .map(|name| ("package", *name)),
            );
        }
        for (kind, pattern) in patterns {
            if !examples(kind).iter().any(|value| fits(pattern, value)) {
                problems.push(format!("{}: no example of {kind} {pattern}", label(technology)));
            }
        }
    }
    assert_none(&problems);
}

#[test]
fn drivers_and_queue_libraries_prove_their_datastore() {
    let catalogue = catalogue();
    let kinds = |ecosystem, package: &str| -> Vec<(&str, Strength)> {
        catalogue
            .by_package(ecosystem, package)
            .iter()
            .filter(|found| found.technology.group == Group::Datastore)
            .map(|found| (found.technology.id, found.strength))
            .collect()
    };
    assert_eq!(
        kinds(Ecosystem::Pypi, "psycopg2-binary"),
        [("postgresql", Strength::Strong)]
    );
    assert_eq!(
        kinds(Ecosystem::Pypi, "psycopg[binary]"),
        [("postgresql", Strength::Strong)]
    );
    assert_eq!(kinds(Ecosystem::Npm, "bullmq"), [("redis", Strength::Strong)]);
    assert_eq!(
        kinds(Ecosystem::Go, "github.com/jackc/pgx/v5"),
        [("postgresql", Strength::Strong)]
    );
    assert_eq!(kinds(Ecosystem::Pypi, "boto3"), [("s3", Strength::Weak)]);
    // Several databases are possible behind each of these.
    for (ecosystem, package) in [
        (Ecosystem::Pypi, "sqlalchemy"),
        (Ecosystem::Pypi, "django"),
        (Ecosystem::Pypi, "celery"),
        (Ecosystem::Npm, "typeorm"),
        (Ecosystem::Npm, "prisma"),
        (Ecosystem::Crates, "sqlx"),
    ] {
        assert_eq!(kinds(ecosystem, package), [], "{package}");
    }
    let of_feature = |ecosystem, package, feature| {
        catalogue
            .by_package_feature(ecosystem, package, feature)
            .map(|technology| technology.id)
    };
    assert_eq!(
        of_feature(Ecosystem::Crates, "sqlx", "postgres"),
        Some("postgresql")
    );
    assert_eq!(of_feature(Ecosystem::Pypi, "celery", "redis"), Some("redis"));
    assert_eq!(of_feature(Ecosystem::Crates, "sqlx", "macros"), None);
}

#[test]
fn revision_files_are_told_from_their_neighbours() {
    let catalogue = catalogue();
    let is_revision = |tool: &str, file: &str| {
        catalogue
            .find(Group::Migration, tool)
            .and_then(|technology| technology.migration.as_ref())
            .is_some_and(|migration| migration.is_revision(file))
    };
    assert!(is_revision("alembic", "1a2b3c_add_users.py"));
    assert!(!is_revision("alembic", "__init__.py"));
    assert!(is_revision("flyway", "V1__create.sql"));
    assert!(!is_revision("flyway", "create.sql"));
    assert!(!is_revision("ef-core", "20260101_Init.Designer.cs"));
    assert!(is_revision("golang-migrate", "000001_init.up.sql"));
    assert!(!is_revision("golang-migrate", "000001_init.down.sql"));
}

#[test]
fn engine_attributes_name_the_datastore() {
    let catalogue = catalogue();
    let kind = |resource: &str, value: &str| {
        catalogue
            .by_engine_resource(resource)
            .and_then(|found| found.kind(value))
    };
    assert_eq!(kind("aws_rds_cluster", "aurora-postgresql"), Some("postgresql"));
    assert_eq!(
        kind("google_sql_database_instance", "POSTGRES_16"),
        Some("postgresql")
    );
    assert_eq!(kind("aws_db_instance", "sqlserver-ex"), Some("mssql"));
    assert_eq!(kind("aws_db_instance", "custom"), None);
    assert_eq!(kind("aws_vpc", "x"), None);
}

#[test]
fn the_longest_prefix_counts() {
    let catalogue = catalogue();
    let owners = |name: &str| -> BTreeSet<&str> {
        catalogue
            .by_env_prefix(name)
            .iter()
            .map(|found| found.technology.id)
            .collect()
    };
    assert!(owners("MONGO_INITDB_DATABASE").contains("mongodb"));
    assert!(!owners("PGVECTOR_URL").contains("postgresql"));
    assert!(owners("UNKNOWN").is_empty());
    assert!(owners("").is_empty());
}

#[test]
fn hostile_names_find_nothing() {
    let catalogue = catalogue();
    for name in [
        "", "/", "//", ":", "@", "é", "a:b:c", "…/…", "*", "\u{0}", "..", "-", "node:", "v2", "/v2",
    ] {
        for ecosystem in Ecosystem::ALL {
            assert!(catalogue.by_package(ecosystem, name).is_empty(), "{name}");
        }
        assert!(catalogue.by_env_prefix(name).is_empty());
        assert!(catalogue.by_url_scheme(name).is_empty());
        assert!(catalogue.by_host_suffix(name).is_empty());
        assert!(catalogue.by_import("python", name).is_empty());
        assert!(catalogue.by_resource(name).is_empty());
        assert!(catalogue.by_command(&[name]).is_empty());
    }
}

#[test]
fn base_images_are_told_apart_by_tag() {
    let catalogue = catalogue();
    let id = |image: &str, tag| catalogue.base_image(image, tag).map(|technology| technology.id);
    assert_eq!(id("python", Some("3.12")), Some("python"));
    assert_eq!(id("python", Some("3.12-slim-trixie")), Some("python-slim"));
    assert_eq!(id("python", Some("3.12-alpine3.22")), Some("python-alpine"));
    assert_eq!(
        id("docker.io/library/node", Some("22-alpine")),
        Some("node-alpine")
    );
    assert_eq!(id("node", None), Some("node"));
    assert_eq!(id("example/app", Some("1")), None);
}

#[test]
fn wrappers_come_off() {
    let catalogue = catalogue();
    let rest = |command: &str| {
        let words: Vec<String> = command.split(' ').map(str::to_owned).collect();
        catalogue.without_wrappers(&words).join(" ")
    };
    assert_eq!(
        rest("exec poetry run python -m uvicorn app:app"),
        "uvicorn app:app"
    );
    assert_eq!(rest("uv run --frozen gunicorn app:app"), "gunicorn app:app");
    assert_eq!(rest("tini -s -- node server.js"), "node server.js");
    assert_eq!(rest("env NODE_ENV=production node server.js"), "node server.js");
    assert_eq!(rest("node server.js"), "node server.js");
    assert_eq!(rest("exec"), "exec");
}

#[test]
fn the_reference_page_says_what_the_catalogue_says() {
    let page = reference_page(&catalogue());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/technologies.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder can be made");
        std::fs::write(&path, &page).expect("the page can be written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "docs/reference/technologies.md is out of date: run the test with UPDATE=1"
    );
}

fn reference_page(catalogue: &Catalogue) -> String {
    let mut page = String::from(
        "# Technologies\n\nWhat `playbook` recognises. This page is written by a test from `crates/core/technologies/*.toml`; \
         the header of each file there explains its keys.\n",
    );
    for (group, file, _) in FILES {
        let members = catalogue.group(*group);
        let title = file.trim_end_matches(".toml").replace('-', " ");
        let _ = write!(
            page,
            "\n## {}{}\n\n",
            title.get(..1).unwrap_or_default().to_uppercase(),
            title.get(1..).unwrap_or_default()
        );
        let _ = writeln!(
            page,
            "`crates/core/technologies/{file}`, {} entries.\n",
            members.len()
        );
        let _ = writeln!(
            page,
            "| Slug | Name | Category | Port | Recognised by |\n|---|---|---|---|---|"
        );
        for technology in members {
            let port = technology
                .default_port
                .map(|port| port.to_string())
                .unwrap_or_default();
            let _ = writeln!(
                page,
                "| `{}` | {} | {} | {port} | {} |",
                technology.id,
                technology.name,
                category(technology),
                signs(technology)
            );
        }
    }
    page
}

fn category(technology: &Technology) -> String {
    match &technology.platform {
        Some(platform) if platform.kind == PlatformKind::Ci => "CI".to_owned(),
        _ => technology.category.to_owned(),
    }
}

/// The signs of a technology by kind, three of each.
fn signs(technology: &Technology) -> String {
    let mut packages: Vec<&str> = technology.packages.values().flatten().copied().collect();
    packages.extend(technology.weak_packages.values().flatten());
    let empty = Vec::new();
    let manifests = technology
        .package_manager
        .as_ref()
        .map_or(&empty, |manager| &manager.manifests);
    let revisions = technology
        .migration
        .as_ref()
        .map_or(&empty, |migration| &migration.revision_files);
    let versions = technology
        .runtime
        .as_ref()
        .map_or(&empty, |runtime| &runtime.version_files);
    let kinds = [
        ("packages", &packages),
        ("images", &technology.images),
        ("variables", &technology.env),
        ("variables beginning with", &technology.env_prefixes),
        ("URL schemes", &technology.url_schemes),
        ("hosts", &technology.hosts),
        ("Terraform", &technology.resources),
        ("files", &technology.files),
        ("manifests", manifests),
        ("revisions", revisions),
        ("version files", versions),
        ("commands", &technology.commands),
    ];
    let mut parts = Vec::new();
    for (kind, names) in kinds {
        if names.is_empty() {
            continue;
        }
        let shown: Vec<String> = names.iter().take(3).map(|name| format!("`{name}`")).collect();
        let more = names.len().saturating_sub(3);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        parts.push(format!("{kind} {}{more}", shown.join(", ")));
    }
    parts.join("; ")
}
