use super::facts;
use crate::fact::Facts;

fn packages(found: &Facts, development: bool) -> Vec<String> {
    found
        .projects
        .iter()
        .flat_map(|project| &project.dependencies)
        .filter(|package| package.development == development)
        .map(|package| package.name.to_string())
        .collect()
}

fn stores(found: &Facts) -> Vec<(String, bool)> {
    found
        .stores
        .iter()
        .map(|store| (store.kind.to_string(), store.strong))
        .collect()
}

#[test]
fn a_standard_project() {
    let found = facts(
        r#"//- api/pyproject.toml
        [project]
        name = "bookings"
        description = "Books rooms."
        requires-python = ">=3.12,<4"
        license = "MIT"
        dependencies = ["FastAPI[standard]>=0.110", "psycopg[binary]>=3.2", "celery[redis]~=5.4"]
        classifiers = ["Private :: Do Not Upload"]
        [project.optional-dependencies]
        docs = ["mkdocs"]
        prod = ["gunicorn"]
        [project.scripts]
        bookings = "bookings.cli:main"
        [dependency-groups]
        dev = ["pytest>=8", {include-group = "lint"}]
        worker = ["rq"]
        [tool.uv]
        default-groups = ["dev", "worker"]
        [tool.uv.workspace]
        members = ["packages/*"]
        [tool.poe.tasks]
        migrate = "alembic upgrade head"
        check = { sequence = ["ruff check", "mypy ."] }
        [tool.fastapi]
        entrypoint = "bookings.main:app"
        "#,
    );
    let project = &found.projects[0];
    assert_eq!(
        project.name.as_ref().map(playbook_core::harmless::Name::as_str),
        Some("bookings")
    );
    assert_eq!(
        project
            .description
            .as_ref()
            .map(playbook_core::shown::Shown::as_str),
        Some("Books rooms.")
    );
    assert_eq!(
        project
            .license
            .as_ref()
            .map(playbook_core::harmless::Name::as_str),
        Some("MIT")
    );
    assert_eq!(
        (project.package_manager, project.published),
        (Some("uv"), Some(false))
    );
    assert_eq!(project.members.len(), 1);
    assert_eq!(
        project.programs[0]
            .1
            .as_ref()
            .map(playbook_core::harmless::Symbol::as_str),
        Some("bookings.cli:main")
    );
    assert_eq!(
        packages(&found, false),
        ["celery", "fastapi", "gunicorn", "psycopg", "rq"]
    );
    assert_eq!(packages(&found, true), ["mkdocs", "pytest"]);
    assert_eq!(found.version_pins[0].version, ">=3.12,<4");
    let commands: Vec<&str> = found
        .scripts
        .iter()
        .map(|script| script.command.as_str())
        .collect();
    assert_eq!(commands, ["alembic upgrade head", "ruff check && mypy ."]);
    assert_eq!(
        found.entry_points[0]
            .symbol
            .as_ref()
            .map(playbook_core::harmless::Symbol::as_str),
        Some("api.bookings.main:app")
    );
    assert!(stores(&found).contains(&("postgresql".to_owned(), true)));
    let broker = found.stores.iter().find(|store| store.role == Some("queue"));
    assert_eq!(broker.map(|store| store.kind.as_str()), Some("redis"));
}

#[test]
fn poetry_groups_and_versions() {
    let found = facts(
        r#"//- pyproject.toml
        [tool.poetry]
        name = "ledger"
        [tool.poetry.dependencies]
        python = "^3.11"
        flask = "^3.0"
        mysqlclient = { version = "^2.2", optional = true }
        uvicorn = { version = "^0.30", extras = ["standard"] }
        [tool.poetry.group.test.dependencies]
        pytest = "*"
        [tool.poetry.group.metrics.dependencies]
        prometheus-client = "^0.20"
        [tool.poetry.scripts]
        ledger = "ledger.app:main"
        "#,
    );
    assert_eq!(found.projects[0].package_manager, Some("poetry"));
    assert_eq!(packages(&found, false), ["flask", "prometheus-client", "uvicorn"]);
    assert_eq!(packages(&found, true), ["mysqlclient", "pytest"]);
    assert_eq!(found.version_pins[0].version, "^3.11");
}

#[test]
fn a_file_of_tool_settings_is_no_project() {
    let found = facts("//- pyproject.toml\n[tool.ruff]\nline-length = 100\n");
    assert!(found.projects.is_empty());
}

#[test]
fn requirements_by_their_names() {
    let found = facts(
        "//- requirements.txt\nflask==3.0.3\nredis>=5\n//- requirements-dev.txt\n-r requirements.txt\npytest\n//- requirements/lint.txt\nruff\n//- docs/requirements.txt\nsphinx\n//- notes.txt\nflask\n",
    );
    assert_eq!(packages(&found, false), ["flask", "redis"]);
    assert_eq!(packages(&found, true), ["pytest", "ruff", "sphinx"]);
    let dirs: Vec<String> = found
        .projects
        .iter()
        .map(|project| project.dir.to_string())
        .collect();
    assert_eq!(dirs, [".", ".", ".", "docs"]);
}

#[test]
fn what_a_resolver_added_proves_no_store() {
    let found = facts(
        "//- requirements.txt\nasyncpg==0.29.0\n    # via some-connector\nsome-connector==1.0\n    # via -r requirements.in\nredis==5.0.1\n    # via\n    #   -r requirements.in\n    #   limits\n",
    );
    assert_eq!(
        stores(&found),
        [("postgresql".to_owned(), false), ("redis".to_owned(), true)]
    );
}

#[test]
fn drivers_of_many_databases_are_a_choice() {
    let found = facts("//- requirements.txt\npsycopg2\nmysqlclient\noracledb\nredis\n");
    let strong: Vec<String> = stores(&found)
        .into_iter()
        .filter(|store| store.1)
        .map(|store| store.0)
        .collect();
    assert_eq!(strong, ["redis"]);
}

#[test]
fn the_other_manifests() {
    let found = facts(
        r#"//- a/Pipfile
        [packages]
        django = "*"
        [dev-packages]
        pytest = "*"
        [requires]
        python_version = "3.12"
        [scripts]
        serve = "gunicorn shop.wsgi"
        //- b/setup.py
from setuptools import setup, find_packages
REQUIRES = ["tornado>=6", "pika"]
setup(
    name="relay",
    python_requires=">=3.9",
    install_requires=REQUIRES,
    extras_require={"dev": ["pytest"]},
    entry_points={"console_scripts": ["relay = relay.main:run"]},
)
//- c/environment.yml
        name: plots
        dependencies:
          - python=3.11
          - conda-forge::numpy=1.26
          - pip:
              - streamlit>=1.30
        "#,
    );
    assert_eq!(
        packages(&found, false),
        ["django", "pika", "tornado", "numpy", "streamlit"]
    );
    assert_eq!(packages(&found, true), ["pytest", "pytest"]);
    let pins: Vec<String> = found
        .version_pins
        .iter()
        .map(|pin| pin.version.to_string())
        .collect();
    assert_eq!(pins, ["3.12", ">=3.9", "3.11"]);
    assert_eq!(found.scripts[0].command.as_str(), "gunicorn shop.wsgi");
    assert_eq!(found.projects[1].programs.len(), 1);
}

#[test]
fn setup_cfg() {
    let found = facts(
        "//- setup.cfg\n[metadata]\nname = relay\n[options]\npython_requires = >=3.8\ninstall_requires =\n    requests\n    redis>=4\n[options.extras_require]\ntest =\n    pytest\n",
    );
    assert_eq!(packages(&found, false), ["redis", "requests"]);
    assert_eq!(packages(&found, true), ["pytest"]);
    assert_eq!(
        found.projects[0]
            .dependencies
            .iter()
            .map(|package| package.line)
            .min(),
        Some(6)
    );
}

#[test]
fn versions() {
    let found = facts(
        "//- .python-version\n# ours\n3.13.1\n//- a/runtime.txt\npython-3.11.9\n//- d/runtime.txt\nnode-20\n",
    );
    let pins: Vec<(String, String)> = found
        .version_pins
        .iter()
        .map(|pin| (pin.path.to_string(), pin.version.to_string()))
        .collect();
    let expected = [(".", "3.13.1"), ("a", "3.11.9")];
    assert_eq!(
        pins,
        expected.map(|(path, version)| (path.to_owned(), version.to_owned()))
    );
}
