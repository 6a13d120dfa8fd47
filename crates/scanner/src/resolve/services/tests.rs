use playbook_core::inventory::Inventory;
use playbook_core::path::RelPath;
use playbook_core::shown::Shown;

use crate::testing;

/// Id, role and folder of each service.
fn told(files: &str) -> Vec<(String, &'static str, String)> {
    of(&testing::inventory(files))
}

fn of(inventory: &Inventory) -> Vec<(String, &'static str, String)> {
    inventory
        .services
        .iter()
        .map(|service| {
            (
                service.id.as_str().to_owned(),
                service.role.as_str(),
                service.path.as_str().to_owned(),
            )
        })
        .collect()
}

fn is(found: &[(String, &'static str, String)], wanted: &[(&str, &str, &str)]) {
    let found: Vec<(&str, &str, &str)> = found
        .iter()
        .map(|(id, role, path)| (id.as_str(), *role, path.as_str()))
        .collect();
    assert_eq!(found, wanted);
}

const API: &str = "
//- api/requirements.txt
fastapi==0.115.0
uvicorn==0.32.0
//- api/main.py
from fastapi import FastAPI
app = FastAPI()
//- api/Dockerfile
FROM python:3.12-slim
COPY . /app
CMD [\"uvicorn\", \"main:app\", \"--host\", \"0.0.0.0\"]
//- billing/requirements.txt
flask==3.0.0
gunicorn==23.0.0
//- billing/main.py
from flask import Flask
app = Flask(__name__)
//- billing/Dockerfile
FROM python:3.12-slim
COPY . /app
CMD [\"gunicorn\", \"main:app\"]
";

#[test]
fn workloads_of_others_have_no_code_here() {
    let files = format!(
        "{API}//- deploy/all.yaml
apiVersion: apps/v1
kind: Deployment
metadata: {{ name: api }}
spec:
  template:
    spec:
      containers:
        - {{ name: api, image: \"registry.example.com/shop/api:1\" }}
        - {{ name: tunnel, image: \"registry.example.com/other/sql-proxy:1\" }}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{ name: probe }}
spec:
  template:
    spec:
      containers:
        - {{ name: probe, image: \"registry.example.com/other/http-exporter:1\" }}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {{ name: orders-db }}
spec:
  template:
    spec:
      containers:
        - name: orders-db
          image: registry.example.com/shop/orders-db:1
          ports: [{{ containerPort: 5432 }}]
//- db/orders-db/Dockerfile
FROM postgres:16
COPY schema.sql /docker-entrypoint-initdb.d/
"
    );
    let inventory = testing::inventory(&files);
    is(
        &of(&inventory),
        &[
            ("api", "web", "api"),
            ("billing", "web", "billing"),
            ("probe", "monitoring", "."),
        ],
    );
    assert!(
        inventory
            .datastores
            .iter()
            .any(|store| store.kind == "postgresql")
    );
    let probe = inventory.services.iter().find(|service| service.id == "probe");
    assert!(probe.is_some_and(|service| service.language.is_none()));
}

#[test]
fn instances_and_builds_of_one_program_are_one_service() {
    let workload = |file: &str, name: &str, tag: &str| {
        format!(
            "//- {file}
apiVersion: apps/v1
kind: Deployment
metadata: {{ name: {name} }}
spec:
  template:
    spec:
      containers:
        - {{ name: {name}, image: \"registry.example.com/shop/api:{tag}\" }}
"
        )
    };
    let files = format!(
        "{API}{}{}{}//- api/Dockerfile.alpine
FROM python:3.12-alpine
COPY . /app
CMD [\"uvicorn\", \"main:app\"]
",
        workload("deploy/plain/api.yaml", "api-python312", "1"),
        workload("deploy/native/api.yaml", "api-native", "1-native"),
        workload("deploy/second/api.yaml", "api-secondary", "1"),
    );
    is(
        &told(&files),
        &[("api", "web", "api"), ("billing", "web", "billing")],
    );
}

#[test]
fn several_deployments_side_by_side_are_a_test() {
    let files = "
//- go.mod
module example.com/chat
go 1.23
require github.com/gin-gonic/gin v1.10.0
//- main.go
package main
import \"github.com/gin-gonic/gin\"
func main() { gin.Default().Run() }
//- Dockerfile
FROM golang:1.23
COPY . .
RUN go build -o /chat
CMD [\"/chat\"]
//- docker/docker-compose.yml
services:
  chat: { build: .., ports: [\"8080:8080\"] }
  chat-ui: { image: \"someone/chat-ui:1\" }
  db: { image: \"postgres:16\" }
//- docker/federation/docker-compose.yml
services:
  chat-alpha: { image: \"chat:test\" }
  chat-beta: { image: \"chat:test\" }
  db-alpha: { image: \"postgres:16\" }
  db-beta: { image: \"postgres:16\" }
";
    let found = told(files);
    assert!(
        found.iter().any(|(id, role, _)| id == "chat" && *role == "web"),
        "{found:?}"
    );
    assert!(
        !found
            .iter()
            .any(|(id, ..)| id.contains("alpha") || id.contains("beta")),
        "{found:?}"
    );
    assert!(
        !found
            .iter()
            .any(|(id, role, _)| id == "chat-ui" && *role == "web"),
        "{found:?}"
    );
}

#[test]
fn an_image_that_watches_is_for_development() {
    let files = format!(
        "{API}//- docker/watch/Dockerfile
FROM golang:1.23
CMD [\"reflex\", \"-c\", \"/reflex.conf\"]
//- docker-compose.yml
services:
  orders-http: {{ build: docker/watch, volumes: [\"./api:/src\"] }}
"
    );
    is(
        &told(&files),
        &[("api", "web", "api"), ("billing", "web", "billing")],
    );
}

#[test]
fn code_that_is_shared_is_no_process() {
    let files = "
//- services/orders/go.mod
module example.com/orders
go 1.23
require github.com/go-chi/chi/v5 v5.1.0
//- services/orders/main.go
package main
import \"github.com/go-chi/chi/v5\"
import \"net/http\"
func main() { r := chi.NewRouter(); r.Get(\"/orders\", list); http.ListenAndServe(\":8080\", r) }
//- common/go.mod
module example.com/common
go 1.23
require github.com/go-chi/chi/v5 v5.1.0
//- common/server.go
package common
import \"github.com/go-chi/chi/v5\"
import \"net/http\"
func Run() { r := chi.NewRouter(); r.Get(\"/health\", ok); http.ListenAndServe(\":8080\", r) }
//- docker/app/Dockerfile
FROM golang:1.23
ARG SERVICE
COPY services/ /src
RUN cd /src/${SERVICE} && go build -o /app
CMD [\"/app\"]
";
    let inventory = testing::inventory(files);
    is(&of(&inventory), &[("orders", "web", "services/orders")]);
    let dockerfile = inventory
        .services
        .first()
        .and_then(|service| service.dockerfile.as_ref());
    assert_eq!(dockerfile.map(RelPath::as_str), Some("docker/app/Dockerfile"));
}

#[test]
fn datastores_and_managers_among_the_programs_of_an_image_are_no_services() {
    let files = format!(
        "{API}//- api/supervisord.conf
[program:mysqld]
command=/usr/bin/mysqld_safe
[program:manager]
command=/usr/local/bin/foreman start
[program:api]
command=uvicorn main:app
"
    );
    let found = told(&files);
    assert!(found.iter().any(|(id, ..)| id == "api"), "{found:?}");
    assert!(
        !found.iter().any(|(id, ..)| id == "mysqld" || id == "manager"),
        "{found:?}"
    );
}

#[test]
fn a_command_of_its_own_beside_the_unit_with_the_ports_is_a_worker() {
    let files = "
//- Gemfile
source 'https://rubygems.org'
gem 'rails', '8.0.1'
//- config/application.rb
module Shop
  class Application < Rails::Application
  end
end
//- Dockerfile
FROM ruby:3.4
COPY . .
CMD [\"bin/run\", \"bin/rails\", \"server\"]
//- docker-compose.yml
services:
  web:
    build: .
    ports: ['3000:3000']
  threads:
    build: .
    command: ['bin/run', 'bin/threads.rb']
";
    let found = told(files);
    assert!(
        found.contains(&("threads".to_owned(), "worker", ".".to_owned())),
        "{found:?}"
    );
}

#[test]
fn the_working_folder_of_an_image_is_the_folder_of_its_code() {
    let files = "
//- package.json
{\"name\": \"@shop/root\", \"workspaces\": [\"apps/*\"], \"scripts\": {\"start\": \"turbo run start\"}}
//- apps/store/package.json
{\"name\": \"@shop/store\", \"dependencies\": {\"express\": \"5.0.0\"}, \"scripts\": {\"start\": \"node main.js\"}}
//- apps/store/main.js
const app = require('express')()
app.listen(3000)
//- docker/Dockerfile
FROM node:22
WORKDIR /app
COPY . .
WORKDIR /app/apps/store
CMD [\"sh\", \"start.sh\"]
//- docker/Dockerfile.fonts
FROM example/shop:latest
RUN apt-get install -y fonts-noto
//- railway.toml
[build]
builder = \"DOCKERFILE\"
dockerfilePath = \"/docker/Dockerfile\"
//- render.yaml
services:
  - type: web
    name: shop
    runtime: node
    startCommand: npx turbo run start --filter=@shop/store
";
    let found = told(files);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found
            .iter()
            .all(|(_, role, path)| *role == "web" && path == "apps/store"),
        "{found:?}"
    );
}

#[test]
fn an_assembly_is_the_project_that_it_is_called_after() {
    let files = "
//- Directory.Build.props
<Project><PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup></Project>
//- src/Orders/src/Orders/Orders.csproj
<Project Sdk=\"Microsoft.NET.Sdk\"></Project>
//- src/Orders/src/Orders.Api/Orders.Api.csproj
<Project Sdk=\"Microsoft.NET.Sdk.Web\"></Project>
//- src/Orders/Dockerfile
FROM mcr.microsoft.com/dotnet/aspnet:9.0
COPY out .
EXPOSE 80
ENTRYPOINT [\"dotnet\", \"Orders.Api.dll\"]
//- deploy/all.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: orders
spec:
  template:
    spec:
      containers:
        - name: orders
          image: example/shop-orders:v1
";
    let inventory = testing::inventory(files);
    is(&of(&inventory), &[("orders", "web", "src/Orders/src/Orders.Api")]);
    let service = &inventory.services[0];
    assert_eq!(
        service.dockerfile.as_ref().map(RelPath::as_str),
        Some("src/Orders/Dockerfile")
    );
    // What it is compiled for, not what the image happens to have.
    assert_eq!(service.runtime.version.as_ref().map(Shown::as_str), Some("10.0"));
}

#[test]
fn stages_that_a_setting_chooses_are_variants() {
    let files = "
//- composer.json
{\"require\": {\"laravel/framework\": \"^11.0\"}}
//- artisan
#!/usr/bin/env php
//- Dockerfile
FROM php:8.3-cli AS base
COPY . /var/www
FROM base AS apache-runtime
CMD [\"apache2-foreground\"]
FROM base AS fpm-runtime
CMD [\"php-fpm\"]
//- docker/nginx/Procfile
fpm: php-fpm
nginx: nginx -g 'daemon off;'
//- docker-compose.yml
services:
  web:
    build:
      context: .
      target: ${RUNTIME}-runtime
    ports: [\"8080:80\"]
";
    is(&told(files), &[("web", "web", ".")]);
}

#[test]
fn watchers_of_developers_are_no_processes() {
    let files = "
//- Gemfile
gem \"rails\"
gem \"sidekiq\"
//- config/application.rb
module Shop
  class Application < Rails::Application
  end
end
//- Procfile.dev
web: bin/rails server
css: bin/rails tailwindcss:watch
jobs: bundle exec sidekiq
";
    let found = told(files);
    assert!(found.iter().all(|(id, ..)| id != "css"), "{found:?}");
    assert!(
        found
            .iter()
            .any(|(id, role, _)| id == "jobs" && *role == "worker"),
        "{found:?}"
    );
}
