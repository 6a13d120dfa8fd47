use super::*;
use crate::fact::EntryKind;
use crate::testing;

#[test]
fn gemfile_groups() {
    let facts = testing::facts(
        &DETECTOR,
        r#"
//- Gemfile
source "https://rubygems.example.com"
ruby "3.3.1"
gem "rails", "~> 7.1"
# gem "never"
gem "pry", group: :development
group :development, :test do
  gem "rspec-rails"
end
group :production do
  gem "pg"
end
"#,
    );
    let packages: Vec<(&str, bool)> = facts
        .projects
        .iter()
        .flat_map(|project| &project.dependencies)
        .map(|package| (package.name.as_str(), package.development))
        .collect();
    assert_eq!(
        packages,
        [
            ("rails", false),
            ("pry", true),
            ("rspec-rails", true),
            ("pg", false)
        ]
    );
    assert_eq!(
        facts.version_pins.first().map(|pin| pin.version.as_str()),
        Some("3.3.1")
    );
}

#[test]
fn rails_with_a_queue() {
    let facts = testing::facts(
        &DETECTOR,
        r#"
//- config/application.rb
module Shop
  class Application < Rails::Application
  end
end
//- config/environments/production.rb
Rails.application.configure do
  # config.active_job.queue_adapter = :resque
  config.active_job.queue_adapter = :sidekiq
  config.cache_store = :redis_cache_store, { url: ENV["REDIS_URL"] }
end
//- config/environments/development.rb
Rails.application.configure do
  config.cache_store = :mem_cache_store
end
//- config/puma.rb
port ENV.fetch("PORT", 3000)
plugin :solid_queue
//- spec/jobs/x.rb
class X
  include Sidekiq::Job
end
"#,
    );
    let told: Vec<(EntryKind, &str, Option<u16>)> = facts
        .entry_points
        .iter()
        .map(|entry| (entry.kind, entry.framework.as_str(), entry.port))
        .collect();
    assert_eq!(
        told,
        [
            (EntryKind::Server, "rails", None),
            (EntryKind::Worker, "sidekiq", None),
            (EntryKind::Server, "puma", Some(3000)),
        ]
    );
    let stores: Vec<&str> = facts.stores.iter().map(|store| store.kind.as_str()).collect();
    assert_eq!(stores, ["redis"]);
}

#[test]
fn production_database_and_jobs() {
    let facts = testing::facts(
        &DETECTOR,
        r#"
//- config/database.yml.sample
default: &default
  adapter: postgresql
<% if true %>
development:
  adapter: sqlite3
production:
  primary:
    <<: *default
    url: <%= ENV["DATABASE_URL"] %>
//- config/recurring.yml
production:
  clean:
    class: CleanJob
    schedule: every day at 3am
development:
  never:
    class: NeverJob
    schedule: every hour
//- config/schedule.rb
every 1.day, at: "4:30 am" do
  runner "Report.send_all"
end
"#,
    );
    let stores: Vec<(&str, Option<&str>)> = facts
        .stores
        .iter()
        .map(|store| {
            (
                store.kind.as_str(),
                store
                    .variable
                    .as_ref()
                    .map(playbook_core::harmless::EnvName::as_str),
            )
        })
        .collect();
    assert_eq!(stores, [("postgresql", Some("DATABASE_URL"))]);
    let jobs: Vec<(&str, bool)> = facts
        .jobs
        .iter()
        .map(|job| (job.name.as_str(), job.schedule.is_some()))
        .collect();
    assert_eq!(jobs, [("clean", true), ("Report.send_all", true)]);
}

#[test]
fn steps_of_a_migration() {
    let facts = testing::facts(
        &DETECTOR,
        r"
//- db/migrate/20240102030405_change_rooms.rb
class ChangeRooms < ActiveRecord::Migration[7.1]
  def up
    add_column :rooms, :colour, :string, null: false
    add_index :rooms, :colour, algorithm: :concurrently
    remove_column :rooms, :size
    # drop_table :beds
  end

  def down
    drop_table :never
  end
end
",
    );
    let revision = facts.revisions.first().expect("a migration");
    let told: Vec<(&str, &str)> = revision
        .operations
        .iter()
        .map(|step| {
            (
                step.kind.as_str(),
                step.object.as_ref().map_or("", |object| object.as_str()),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("add-column-not-null", "rooms.colour"),
            ("create-index-concurrently", "rooms.colour"),
            ("drop-column", "rooms.size")
        ]
    );
}
