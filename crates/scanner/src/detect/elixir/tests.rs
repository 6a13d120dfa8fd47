use super::*;
use crate::testing;

#[test]
fn a_mix_project() {
    let facts = testing::facts(
        &DETECTOR,
        r#"
//- mix.exs
defmodule Shop.MixProject do
  def project do
    [app: :shop, version: "0.1.0", elixir: "~> 1.16", deps: deps()]
  end
  defp deps do
    [
      {:phoenix, "~> 1.7"},
      {:postgrex, ">= 0.0.0"},
      # {:never, "~> 1.0"},
      {:credo, "~> 1.7", only: [:dev, :test], runtime: false},
      {:shop_core, in_umbrella: true}
    ]
  end
end
"#,
    );
    let project = facts.projects.first().expect("a project");
    let packages: Vec<(&str, bool)> = project
        .dependencies
        .iter()
        .map(|package| (package.name.as_str(), package.development))
        .collect();
    assert_eq!(
        packages,
        [
            ("phoenix", false),
            ("postgrex", false),
            ("credo", true),
            ("shop_core", false)
        ]
    );
    assert_eq!(project.name.as_ref().map(Name::as_str), Some("shop"));
    assert_eq!(
        facts.version_pins.first().map(|pin| pin.version.as_str()),
        Some("~> 1.16")
    );
}

#[test]
fn endpoint_repository_jobs_and_release() {
    let facts = testing::facts(
        &DETECTOR,
        r#"
//- lib/shop_web/endpoint.ex
defmodule ShopWeb.Endpoint do
  use Phoenix.Endpoint, otp_app: :shop
end
//- lib/shop/repo.ex
defmodule Shop.Repo do
  use Ecto.Repo, otp_app: :shop, adapter: Ecto.Adapters.Postgres
end
//- config/config.exs
config :shop, Oban,
  plugins: [{Oban.Plugins.Cron, crontab: [
    {"0 3 * * *", Shop.Workers.Clean},
    # {"0 4 * * *", Shop.Workers.Never},
  ]}]
//- lib/shop/release.ex
defmodule Shop.Release do
  @app :shop
  def migrate do
    {:ok, _, _} = Ecto.Migrator.with_repo(Shop.Repo, &Ecto.Migrator.run(&1, :up, all: true))
  end
end
//- lib/shop/application.ex
defmodule Shop.Application do
  use Application
  def start(_type, _args) do
    Shop.Release.migrate()
  end
end
//- test/support/endpoint.ex
defmodule Other.Endpoint do
  use Phoenix.Endpoint, otp_app: :other
end
"#,
    );
    let entries: Vec<&str> = facts
        .entry_points
        .iter()
        .filter_map(|entry| entry.symbol.as_ref().map(playbook_core::harmless::Symbol::as_str))
        .collect();
    assert_eq!(entries, ["shop"]);
    let stores: Vec<&str> = facts.stores.iter().map(|store| store.kind.as_str()).collect();
    assert_eq!(stores, ["postgresql"]);
    let jobs: Vec<&str> = facts.jobs.iter().map(|job| job.name.as_str()).collect();
    assert_eq!(jobs, ["Clean"]);
    let commands: Vec<(Option<&str>, bool)> = facts
        .migrations
        .iter()
        .map(|fact| {
            (
                fact.command
                    .as_ref()
                    .map(playbook_core::harmless::CommandLine::as_str),
                fact.at_start,
            )
        })
        .collect();
    assert_eq!(
        commands,
        [
            (Some(r#"bin/shop eval "Shop.Release.migrate()""#), false),
            (None, true)
        ]
    );
}

#[test]
fn steps_of_a_migration() {
    let facts = testing::facts(
        &DETECTOR,
        r"
//- priv/repo/migrations/20240102030405_change_rooms.exs
defmodule Shop.Repo.Migrations.ChangeRooms do
  use Ecto.Migration
  def change do
    create table(:beds) do
      add :name, :string, null: false
    end
    alter table(:rooms) do
      add :colour, :string, null: false
      remove :size
    end
    create index(:rooms, [:colour], concurrently: true)
  end
end
",
    );
    let told: Vec<&str> = facts
        .revisions
        .iter()
        .flat_map(|revision| &revision.operations)
        .map(|step| step.kind.as_str())
        .collect();
    assert_eq!(
        told,
        [
            "create-table",
            "add-column-not-null",
            "drop-column",
            "create-index-concurrently"
        ]
    );
}

#[test]
fn settings_that_nothing_imports_say_nothing() {
    let found = testing::inventory(
        r##"//- mix.exs
defmodule Shop.MixProject do
  def project, do: [app: :shop, deps: [{:phoenix, "~> 1.8"}]]
end
//- lib/shop_web/endpoint.ex
defmodule ShopWeb.Endpoint do
  use Phoenix.Endpoint, otp_app: :shop
end
//- config/config.exs
import Config
import_config "#{config_env()}.exs"
//- config/prod.exs
import Config
config :shop, level: System.get_env("LOG_LEVEL")
//- config/prod.secret.exs
import Config
config :shop, key: System.fetch_env!("OLD_KEY")
//- config/runtime.exs
import Config
config :shop, key: System.fetch_env!("SHOP_KEY")
"##,
    );
    let names: Vec<&str> = found
        .environment
        .iter()
        .map(|variable| variable.name.as_str())
        .collect();
    assert_eq!(names, ["LOG_LEVEL", "SHOP_KEY"]);
}
