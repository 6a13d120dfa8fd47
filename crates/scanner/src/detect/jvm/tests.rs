use super::*;
use crate::testing;

#[test]
fn a_maven_module() {
    let facts = testing::facts(
        &DETECTOR,
        "
//- pom.xml
<project>
  <parent>
    <groupId>org.springframework.boot</groupId>
    <artifactId>spring-boot-starter-parent</artifactId>
    <version>3.3.1</version>
  </parent>
  <artifactId>shop</artifactId>
  <properties><java.version>21</java.version></properties>
  <dependencies>
    <dependency><groupId>org.postgresql</groupId><artifactId>postgresql</artifactId></dependency>
    <dependency><groupId>com.h2database</groupId><artifactId>h2</artifactId><scope>test</scope></dependency>
  </dependencies>
</project>
",
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
            ("org.springframework.boot:spring-boot-starter-parent", false),
            ("org.postgresql:postgresql", false),
            ("com.h2database:h2", true)
        ]
    );
    let pins: Vec<(&str, &str)> = facts
        .version_pins
        .iter()
        .map(|pin| (pin.tool.as_str(), pin.version.as_str()))
        .collect();
    assert_eq!(pins, [("jvm", "21"), ("spring-boot", "3.3.1")]);
}

#[test]
fn gradle_scripts() {
    let facts = testing::facts(
        &DETECTOR,
        r#"
//- settings.gradle.kts
rootProject.name = "shop"
include("api", ":lib:common")
//- api/build.gradle.kts
plugins {
    kotlin("jvm") version "2.0.0"
    id("org.springframework.boot") version "3.3.0"
}
java { toolchain { languageVersion = JavaLanguageVersion.of(21) } }
dependencies {
    implementation(project(":lib:common"))
    implementation("org.springframework.boot:spring-boot-starter-web")
    // implementation("org.example:never:1")
    runtimeOnly("org.postgresql:postgresql:42.7.3")
    testImplementation("io.mockk:mockk:1.13.11")
}
"#,
    );
    let members: Vec<&str> = facts
        .projects
        .iter()
        .flat_map(|project| &project.members)
        .map(playbook_core::harmless::Name::as_str)
        .collect();
    assert_eq!(members, ["api", "lib/common"]);
    let api = facts.projects.get(1).expect("a module");
    let mut packages: Vec<(&str, bool)> = api
        .dependencies
        .iter()
        .map(|package| (package.name.as_str(), package.development))
        .collect();
    packages.sort_unstable();
    assert_eq!(
        packages,
        [
            ("common", false),
            ("io.mockk:mockk", true),
            ("org.postgresql:postgresql", false),
            ("org.springframework.boot:gradle-plugin", false),
            ("org.springframework.boot:spring-boot-starter-web", false)
        ]
    );
    assert_eq!(api.language, "kotlin");
    assert!(
        facts
            .version_pins
            .iter()
            .any(|pin| pin.tool == "jvm" && pin.version == "21")
    );
}

#[test]
fn an_application_and_its_configuration() {
    let facts = testing::facts(
        &DETECTOR,
        r"
//- src/main/java/com/acme/demo/ShopApplication.java
package com.acme.demo;
// @SpringBootApplication of another
@SpringBootApplication
public class ShopApplication {}
//- src/main/resources/application.yml
server:
  port: ${PORT:8081}
spring:
  datasource:
    url: jdbc:postgresql://${DB_HOST:localhost}:5432/shop
    password: ${DB_PASSWORD}
---
spring:
  config:
    activate:
      on-profile: test
  datasource:
    url: jdbc:mysql://never
//- src/main/resources/application-dev.properties
spring.datasource.url=jdbc:h2:mem:shop
//- src/test/java/com/acme/demo/ShopTests.java
@SpringBootApplication
class ShopTests {}
",
    );
    let entries: Vec<(Option<&str>, Option<u16>)> = facts
        .entry_points
        .iter()
        .map(|entry| {
            (
                entry.symbol.as_ref().map(playbook_core::harmless::Symbol::as_str),
                entry.port,
            )
        })
        .collect();
    assert_eq!(
        entries,
        [(Some("com.acme.demo.ShopApplication"), None), (None, Some(8081))]
    );
    assert_eq!(
        facts.entry_points.first().and_then(|entry| entry.evidence.line),
        Some(3)
    );
    let stores: Vec<(&str, bool)> = facts
        .stores
        .iter()
        .map(|store| (store.kind.as_str(), store.strong))
        .collect();
    assert_eq!(stores, [("postgresql", true)]);
    let variables: Vec<(&str, bool)> = facts
        .variables
        .iter()
        .map(|variable| (variable.name.as_str(), variable.required))
        .collect();
    assert_eq!(
        variables,
        [("PORT", false), ("DB_HOST", false), ("DB_PASSWORD", true)]
    );
}

#[test]
fn schemas_that_start_runs() {
    let facts = testing::facts(
        &DETECTOR,
        "
//- src/main/resources/db/mysql/schema.sql
CREATE TABLE rooms (id INT);
//- src/main/resources/db/hsqldb/schema.sql
CREATE TABLE rooms (id INT);
//- docs/schema.sql
CREATE TABLE rooms (id INT);
",
    );
    assert_eq!(facts.migrations.len(), 1);
    assert!(
        facts
            .migrations
            .iter()
            .all(|fact| fact.at_start && fact.tool == "raw-sql")
    );
}
