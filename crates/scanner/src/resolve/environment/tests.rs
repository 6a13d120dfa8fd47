use crate::testing;

/// The names of the variables of a repository, with `!` for required ones.
fn told(files: &str) -> Vec<String> {
    testing::inventory(files)
        .environment
        .iter()
        .map(|variable| {
            let mark = if variable.required { "!" } else { "" };
            format!("{}{mark}", variable.name)
        })
        .collect()
}

#[test]
fn what_an_example_offers_and_the_code_falls_back_on() {
    let names = told(
        "
//- package.json
{ \"name\": \"shop\", \"dependencies\": { \"express\": \"4\" } }
//- index.js
const host = process.env.DB_HOST || \"localhost\";
const name = process.env.DB_NAME || \"shop\";
const size = process.env.PAGE_SIZE || 20;
const mode = process.env.NODE_ENV || \"development\";
//- .env.example
DB_HOST=localhost
DB_NAME=your_database
PAGE_SIZE=50
",
    );
    assert_eq!(names, ["DB_HOST!", "DB_NAME!", "NODE_ENV!", "PAGE_SIZE"]);
}

#[test]
fn blocks_of_tests_and_names_for_tests() {
    let names = told(
        "
//- composer.json
{ \"require\": { \"laravel/framework\": \"^11\" } }
//- config/database.php
<?php return ['connections' => [
    'mysql' => ['database' => env('DB_DATABASE', 'shop')],
    'mysql_testing' => ['database' => env('MYSQL_NAME', 'x')],
    'other' => ['database' => env('DB_TEST_DATABASE', 'x')],
]];
",
    );
    assert_eq!(names, ["DB_DATABASE"]);
}

#[test]
fn configuration_that_nothing_imports() {
    let names = told(
        "
//- mix.exs
defmodule Shop.MixProject do
  use Mix.Project
  def project, do: [app: :shop, version: \"0.1.0\", deps: []]
end
//- config/config.exs
import Config
import_config \"#{config_env()}.exs\"
//- config/prod.exs
import Config
config :shop, level: System.get_env(\"LOG_LEVEL\")
//- config/prod.secret.exs
import Config
config :shop, url: System.get_env(\"OLD_ADDRESS\")
//- lib/shop.ex
defmodule Shop do
  @built System.get_env(\"BUILD_MARK\")
end
",
    );
    assert_eq!(names, ["LOG_LEVEL"]);
}

#[test]
fn lists_of_documents_whose_names_are_known() {
    let files = |rows: &str| {
        format!(
            "
//- main.py
import os
a = os.getenv(\"MAIL_HOST\", \"x\")
b = os.getenv(\"MAIL_PORT\", \"25\")
c = os.getenv(\"LOG_LEVEL\", \"info\")
//- README.md
| Variable | Meaning |
|---|---|
{rows}| PROXY_DEPTH | How many proxies |
"
        )
    };
    let known = told(&files(
        "| MAIL_HOST | a |\n| MAIL_PORT | b |\n| LOG_LEVEL | c |\n",
    ));
    assert_eq!(known, ["LOG_LEVEL", "MAIL_HOST", "MAIL_PORT", "PROXY_DEPTH"]);
    let unknown = told(&files(
        "| FIRST_WORD | a |\n| SECOND_WORD | b |\n| LOG_LEVEL | c |\n",
    ));
    assert_eq!(unknown, ["LOG_LEVEL", "MAIL_HOST", "MAIL_PORT"]);
}

#[test]
fn layers_leave_settings_open() {
    let names = told(
        "
//- Cargo.toml
[package]
name = \"shop\"
version = \"0.1.0\"
//- src/main.rs
struct Settings { storage: Storage }
struct Storage { folder: String, address: String, limit: u16, extra: Option<String> }
fn read() -> Result<Settings, config::ConfigError> {
    config::Config::builder()
        .add_source(config::Environment::with_prefix(\"SHOP\").prefix_separator(\"_\").separator(\"__\"))
        .build()?.try_deserialize::<Settings>()
}
//- configuration/base.yaml
storage:
  folder: /data
  address: http://localhost:9000
",
    );
    assert_eq!(
        names,
        [
            "SHOP_STORAGE__ADDRESS!",
            "SHOP_STORAGE__EXTRA",
            "SHOP_STORAGE__FOLDER",
            "SHOP_STORAGE__LIMIT!"
        ]
    );
}

#[test]
fn properties_count_where_somebody_names_them() {
    let names = told(
        "
//- pom.xml
<project><artifactId>shop</artifactId><dependencies><dependency><groupId>org.springframework.boot</groupId>
<artifactId>spring-boot-starter-web</artifactId></dependency></dependencies></project>
//- src/main/resources/application.yml
spring:
  datasource:
    url: jdbc:postgresql://localhost/shop
shop:
  page-size: 20
  colour: red
//- README.md
Set `SHOP_PAGE_SIZE` to show more.
",
    );
    assert_eq!(names, ["SHOP_PAGE_SIZE", "SPRING_DATASOURCE_URL!"]);
}

#[test]
fn what_only_the_image_uses() {
    let names = told(
        "
//- package.json
{ \"name\": \"shop\", \"dependencies\": { \"express\": \"4\" } }
//- Dockerfile
FROM node:22
ARG JAR
ARG SITE_TOKEN
ENV TOOL_RELEASE=1.2 LOG_STYLE=json
COPY ${JAR} app
RUN curl https://example.com/${TOOL_RELEASE} && npm run build
CMD [\"node\", \"index.js\"]
",
    );
    assert_eq!(names, ["LOG_STYLE", "SITE_TOKEN"]);
}

#[test]
fn address_beside_its_own_parts() {
    let files = "
//- composer.json
{ \"require\": { \"laravel/framework\": \"^11\" } }
//- public/index.php
<?php require __DIR__ . '/../vendor/autoload.php';
//- artisan
#!/usr/bin/env php
//- config/database.php
<?php return ['default' => env('DB_CONNECTION', 'mysql'), 'connections' => [
    'mysql' => [
        'driver' => 'mysql',
        'url' => env('DATABASE_URL'),
        'host' => env('DB_HOST', '127.0.0.1'),
        'port' => env('DB_PORT', '3306'),
        'password' => env('DB_PASSWORD'),
        'replica' => env('DB_READ_HOST'),
    ],
]];
//- .env.example
DB_HOST=127.0.0.1
DB_PASSWORD=
";
    assert_eq!(
        told(files),
        [
            "DATABASE_URL",
            "DB_CONNECTION",
            "DB_HOST!",
            "DB_PASSWORD!",
            "DB_PORT",
            "DB_READ_HOST!"
        ]
    );
    let inventory = testing::inventory(files);
    let store = inventory.datastore("mysql").expect("MySQL");
    let names: Vec<&str> = store
        .variables
        .iter()
        .map(playbook_core::shown::Shown::as_str)
        .collect();
    assert_eq!(
        names,
        [
            "DB_CONNECTION",
            "DATABASE_URL",
            "DB_HOST",
            "DB_PASSWORD",
            "DB_PORT"
        ]
    );
}
