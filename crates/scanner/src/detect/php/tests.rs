use super::*;
use crate::testing;

#[test]
fn a_manifest() {
    let facts = testing::facts(
        &DETECTOR,
        r#"
//- composer.json
{
  "name": "acme/shop",
  "type": "project",
  "require": { "php": "^8.2", "ext-gd": "*", "laravel/framework": "^11.0" },
  "require-dev": { "phpunit/phpunit": "^11" },
  "scripts": { "lint": "phpcs", "post-install-cmd": "echo" }
}
"#,
    );
    let project = facts.projects.first().expect("a manifest");
    let packages: Vec<(&str, bool)> = project
        .dependencies
        .iter()
        .map(|package| (package.name.as_str(), package.development))
        .collect();
    assert_eq!(
        packages,
        [
            ("ext-gd", false),
            ("laravel/framework", false),
            ("phpunit/phpunit", true)
        ]
    );
    assert_eq!(
        facts.version_pins.first().map(|pin| pin.version.as_str()),
        Some("^8.2")
    );
    assert_eq!(facts.scripts.len(), 1);
}

#[test]
fn front_controllers_and_near_misses() {
    let facts = testing::facts(
        &DETECTOR,
        "
//- public/index.php
<?php
define('LARAVEL_START', microtime(true));
$app = require __DIR__.'/../bootstrap/app.php';
$app->handleRequest(Request::capture());
//- resources/index.php
<?php
require 'x.php';
//- www/index.php
<?php
// Silence: require nothing.
",
    );
    let told: Vec<(&str, &str, u32)> = facts
        .entry_points
        .iter()
        .map(|entry| {
            (
                entry.path.as_str(),
                entry.framework.as_str(),
                entry.evidence.line.unwrap_or(0),
            )
        })
        .collect();
    assert_eq!(told, [("public/index.php", "laravel", 4)]);
}

#[test]
fn drivers_queue_and_schedule() {
    let facts = testing::facts(
        &DETECTOR,
        "
//- config/database.php
<?php
return [
    'default' => env('DB_CONNECTION', 'pgsql'),
    'redis' => ['client' => 'phpredis'],
];
//- config/queue.php
<?php
return [
    // 'default' => env('QUEUE_CONNECTION', 'sync'),
    'default' => env('QUEUE_CONNECTION', 'redis'),
];
//- routes/console.php
<?php
Schedule::command('reports:send')->dailyAt('03:30');
Schedule::job(new App\\Jobs\\Clean)->everyFiveMinutes();
// Schedule::command('never')->daily();
",
    );
    let stores: Vec<&str> = facts.stores.iter().map(|store| store.kind.as_str()).collect();
    assert_eq!(stores, ["postgresql", "redis"]);
    let kinds: Vec<EntryKind> = facts.entry_points.iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, [EntryKind::Worker, EntryKind::Scheduler]);
    let jobs: Vec<(&str, &str)> = facts
        .jobs
        .iter()
        .map(|job| {
            (
                job.name.as_str(),
                job.schedule.as_ref().map_or("", |schedule| schedule.as_str()),
            )
        })
        .collect();
    assert_eq!(jobs, [("reports:send", "30 3 * * *"), ("Clean", "*/5 * * * *")]);
}

#[test]
fn steps_of_a_migration() {
    let facts = testing::facts(
        &DETECTOR,
        "
//- database/migrations/2024_01_02_000000_change_rooms.php
<?php
return new class extends Migration {
    public function up(): void
    {
        Schema::create('beds', function (Blueprint $table) { $table->id(); $table->string('name'); });
        Schema::table('rooms', function (Blueprint $table) {
            $table->string('colour');
            $table->string('note')->nullable();
            $table->dropColumn('size');
        });
    }
    public function down(): void
    {
        Schema::drop('beds');
    }
};
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
            ("create-table", "beds"),
            ("add-column-not-null", "rooms.colour"),
            ("add-column", "rooms.note"),
            ("drop-column", "rooms.size")
        ]
    );
    assert_eq!(revision.reversible, Some(true));
}
