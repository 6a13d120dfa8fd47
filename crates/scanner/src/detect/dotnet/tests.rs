use super::*;
use playbook_core::evidence::Scope;

use crate::fact::EntryKind;
use crate::testing;

#[test]
fn projects_of_a_solution() {
    let facts = testing::facts(
        &DETECTOR,
        r#"
//- global.json
{ "sdk": { "version": "8.0.100" } }
//- src/Api/Api.csproj
<Project Sdk="Microsoft.NET.Sdk.Web">
  <PropertyGroup><TargetFramework>net8.0</TargetFramework><AssemblyName>Shop.Api</AssemblyName></PropertyGroup>
  <ItemGroup>
    <PackageReference Include="Npgsql.EntityFrameworkCore.PostgreSQL" Version="8.0.4" />
    <ProjectReference Include="..\Core\Core.csproj" />
  </ItemGroup>
</Project>
//- src/Core/Core.csproj
<Project Sdk="Microsoft.NET.Sdk"></Project>
//- src/Jobs/Jobs.csproj
<Project Sdk="Microsoft.NET.Sdk.Worker"></Project>
//- src/AppHost/AppHost.csproj
<Project Sdk="Aspire.AppHost.Sdk/9.0.0"></Project>
//- src/Api.Checks/Api.Checks.csproj
<Project Sdk="Microsoft.NET.Sdk.Web">
  <ItemGroup><PackageReference Include="Microsoft.NET.Test.Sdk" /></ItemGroup>
</Project>
"#,
    );
    let entries: Vec<(EntryKind, Option<&str>)> = facts
        .entry_points
        .iter()
        .map(|entry| {
            (
                entry.kind,
                entry.symbol.as_ref().map(playbook_core::harmless::Symbol::as_str),
            )
        })
        .collect();
    assert_eq!(
        entries,
        [
            (EntryKind::Server, Some("Shop.Api")),
            (EntryKind::Worker, Some("Jobs"))
        ]
    );
    let development: Vec<&str> = facts
        .projects
        .iter()
        .filter(|project| project.scope == Scope::Development)
        .map(|project| project.dir.name())
        .collect();
    assert_eq!(development, ["AppHost", "Api.Checks"]);
    assert_eq!(facts.infrastructure.len(), 1);
    let pins: Vec<&str> = facts
        .version_pins
        .iter()
        .map(|pin| pin.version.as_str())
        .collect();
    assert_eq!(pins, ["8.0.100", "8.0"]);
}

#[test]
fn connection_strings_by_their_keys() {
    let facts = testing::facts(
        &DETECTOR,
        r#"
//- src/Api/appsettings.json
{
  "ConnectionStrings": {
    "Main": "Host=db;Username=shop;Database=shop",
    "Old": "Server=db;Initial Catalog=shop;TrustServerCertificate=True",
    "Cache": "cache:6379",
    "Unknown": ""
  }
}
//- src/Api/appsettings.Development.json
{ "ConnectionStrings": { "Never": "Data Source=x.db" } }
"#,
    );
    let stores: Vec<&str> = facts.stores.iter().map(|store| store.kind.as_str()).collect();
    assert_eq!(stores, ["postgresql", "mssql", "redis"]);
    let variables: Vec<&str> = facts
        .variables
        .iter()
        .map(|variable| variable.name.as_str())
        .collect();
    assert_eq!(
        variables,
        [
            "ConnectionStrings__Main",
            "ConnectionStrings__Old",
            "ConnectionStrings__Cache",
            "ConnectionStrings__Unknown"
        ]
    );
}

#[test]
fn migrations_at_start_but_not_in_development() {
    let facts = testing::facts(
        &DETECTOR,
        r#"
//- src/Api/Program.cs
var app = builder.Build();
if (app.Environment.IsDevelopment())
{
    db.Database.EnsureCreated();
    db.Database.Migrate();
}
//- src/Worker/Start.cs
class Start
{
    void Run() { db.Database.MigrateAsync(); }
}
//- src/Worker/Jobs.cs
RecurringJob.AddOrUpdate<Cleaner>("clean", job => job.Run(), Cron.Daily(3));
"#,
    );
    let places: Vec<&str> = facts
        .migrations
        .iter()
        .map(|fact| fact.evidence.path.as_str())
        .collect();
    assert_eq!(places, ["src/Worker/Start.cs"]);
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
    assert_eq!(jobs, [("clean", "0 3 * * *")]);
}

#[test]
fn steps_of_a_migration() {
    let facts = testing::facts(
        &DETECTOR,
        r#"
//- src/Api/Migrations/20240102030405_ChangeRooms.cs
public partial class ChangeRooms : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.AddColumn<string>(name: "Colour", table: "Rooms", nullable: false);
        migrationBuilder.DropColumn(name: "Size", table: "Rooms");
    }
    protected override void Down(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.DropTable(name: "Never");
    }
}
//- src/Api/Migrations/20240102030405_ChangeRooms.Designer.cs
partial class ChangeRooms { void X(MigrationBuilder migrationBuilder) {} }
"#,
    );
    let told: Vec<(&str, &str)> = facts
        .revisions
        .iter()
        .flat_map(|revision| &revision.operations)
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
            ("add-column-not-null", "Rooms.Colour"),
            ("drop-column", "Rooms.Size")
        ]
    );
}
