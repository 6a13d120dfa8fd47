//! The worst file of each format: one that is as large as asked for and made of what is expensive to read.

use std::fmt::Write as _;

/// A kind of file.
#[derive(Debug, Clone, Copy)]
pub struct Worst {
    /// What it does, in words that are a folder's name.
    pub name: &'static str,
    /// The file's name.
    pub file: &'static str,
    make: fn(usize) -> String,
}

impl Worst {
    /// A text of about this many bytes.
    pub fn text(&self, bytes: usize) -> String {
        (self.make)(bytes)
    }
}

/// The same piece again and again.
fn again(piece: &str, bytes: usize) -> String {
    piece.repeat(bytes / piece.len().max(1) + 1)
}

/// A head and a piece with a number in each copy of it, for every `#`.
fn counted(head: &str, piece: &str, bytes: usize) -> String {
    let mut text = head.to_owned();
    let mut number = 0_usize;
    while text.len() < bytes {
        text.push_str(&piece.replace('#', &number.to_string()));
        number += 1;
    }
    text
}

/// Brackets that open, and as many that close.
fn nested(open: &str, middle: &str, close: &str, bytes: usize) -> String {
    let count = bytes / (open.len() + close.len()).max(1) + 1;
    format!("{}{middle}{}", open.repeat(count), close.repeat(count))
}

macro_rules! worst {
    ($($name:literal $file:literal $make:expr;)*) => {
        &[$(Worst { name: $name, file: $file, make: $make }),*]
    };
}

/// All of them.
pub const ALL: &[Worst] = worst! {
    // YAML
    "compose-services" "compose.yaml" |n| counted("services:\n", "  s#:\n    image: registry.example.com/s#:1\n    ports: [\"#:80\"]\n", n);
    "compose-variables" "compose.yaml" |n| counted("services:\n  api:\n    image: a\n    environment:\n", "      VAR_#: \"${A_#:-${B_#:-c}}\"\n", n);
    "compose-depends" "compose.yaml" |n| {
        let names: Vec<String> = (0..300).map(|number| format!("s{number}")).collect();
        let mut text = "services:\n".to_owned();
        for name in names.iter().cycle().take(n / 1_900 + 1) {
            let _ = writeln!(text, "  {name}x{}:\n    build: .\n    depends_on: [{}]", text.len(), names.join(", "));
        }
        text
    };
    "compose-extends" "compose.yaml" |n| counted("services:\n  s0: { image: a }\n", "  t#: { extends: { service: t# }, image: b }\n", n);
    "alias-bomb" "compose.yaml" |n| {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..60 {
            let before = format!("*a{}, ", level - 1).repeat(9);
            let _ = writeln!(text, "a{level}: &a{level} [{before}*a{}]", level - 1);
        }
        text.push_str("services:\n  api:\n    image: a\n    environment: *a59\n    ports: *a59\n    command: *a59\n");
        let filler = "# filler\n".repeat(n / 9);
        text + &filler
    };
    "merge-bomb" "compose.yaml" |n| {
        let mut text = "x0: &x0 { a: 1 }\n".to_owned();
        for level in 1..90 {
            let _ = writeln!(text, "x{level}: &x{level} {{ <<: [*x{0}, *x{0}, *x{0}], k{level}: 1 }}", level - 1);
        }
        text.push_str("services:\n  api:\n    <<: *x89\n    image: a\n    environment:\n      <<: *x89\n");
        let many = counted("", "  s#: { <<: *x89, image: b }\n", n / 2);
        format!("{text}services2:\n{many}")
    };
    "yaml-aliases" "compose.yaml" |n| format!("a: &a [x]\nb: [{}]\n", again("*a, ", n));
    "yaml-anchors" "compose.yaml" |n| counted("services:\n", "  s#: &a# { image: a }\n  t#: *a#\n", n);
    "yaml-open-brackets" "values.yaml" |n| again("[", n);
    "yaml-open-braces" "values.yaml" |n| again("{a: ", n);
    "yaml-dashes" "values.yaml" |n| again("- ", n);
    "yaml-questions" "values.yaml" |n| again("? ", n);
    "yaml-indentation" "values.yaml" |n| {
        let mut text = String::new();
        let mut depth = 0;
        while text.len() < n {
            let _ = writeln!(text, "{}a{depth}:", " ".repeat(depth));
            depth += 1;
        }
        text
    };
    "yaml-long-plain" "compose.yaml" |n| format!("services:\n  api:\n    image: {}\n", again("a b", n));
    "yaml-long-block" "compose.yaml" |n| format!("services:\n  api:\n    command: |\n{}", again("      a\n", n));
    "yaml-quoted-folds" "compose.yaml" |n| format!("services:\n  api:\n    command: \"{}\"\n", again("a\n\n      ", n));
    "yaml-documents" "deploy/all.yaml" |n| again("---\napiVersion: v1\nkind: Service\nmetadata: {name: a}\n", n);
    "yaml-directives" "deploy/all.yaml" |n| again("%TAG !a! tag:a\n---\n...\n", n);
    "yaml-comments" "deploy/all.yaml" |n| format!("apiVersion: v1\nkind: Pod\n{}", again("#\n", n));
    "kubernetes-workloads" "deploy/all.yaml" |n| counted("", "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d#, labels: {app: d#}}\nspec: {replicas: 2, selector: {matchLabels: {app: d#}}, template: {metadata: {labels: {app: d#}}, spec: {containers: [{name: c, image: \"registry.example.com/d#:1\", ports: [{containerPort: 80}], env: [{name: A#, value: b}]}]}}}\n", n);
    "kubernetes-services" "deploy/all.yaml" |n| counted("", "---\napiVersion: v1\nkind: Service\nmetadata: {name: d#}\nspec: {selector: {app: d#}, ports: [{port: 80}]}\n", n);
    "kubernetes-ingresses" "deploy/all.yaml" |n| counted("", "---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: i#}\nspec: {rules: [{host: h#.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: d#, port: {number: 80}}}}]}}]}\n", n);
    "kubernetes-config" "deploy/all.yaml" |n| counted("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n", "  KEY_#: value#\n", n);
    "kustomize" "deploy/kustomization.yaml" |n| counted("resources:\n", "  - base#\n", n);
    "helm-template" "chart/templates/a.yaml" |n| counted("apiVersion: v1\nkind: Pod\n", "{{- if .Values.a# }}\n  a#: {{ include \"x\" . | indent 4 }}\n", n);
    "helm-open" "chart/templates/a.yaml" |n| format!("apiVersion: v1\nkind: Pod\n{}", again("{{ ", n));
    "helm-values" "chart/values.yaml" |n| counted("", "k#: { image: { repository: a#, tag: b } }\n", n);
    "workflow" ".github/workflows/deploy.yml" |n| counted("on: push\njobs:\n", "  j#:\n    runs-on: x\n    needs: [j#]\n    steps: [{run: \"docker build -t a# . && docker push a#\", env: {A: \"${{ secrets.T# }}\"}}]\n", n);
    "openapi" "openapi.yaml" |n| counted("openapi: 3.1.0\npaths:\n", "  /p#/{id}:\n    get: {responses: {200: {description: ok}}}\n", n);
    "cloudformation" "template.yaml" |n| counted("AWSTemplateFormatVersion: 2010-09-09\nResources:\n", "  R#: {Type: \"AWS::ECS::TaskDefinition\", Properties: {ContainerDefinitions: [{Name: a, Image: !Sub \"${R#}\"}]}}\n", n);
    // JSON
    "json-brackets" "package.json" |n| again("[", n);
    "json-objects" "package.json" |n| again("{\"a\":", n);
    "json-nested" "package.json" |n| nested("[", "1", "]", n);
    "json-commas" "package.json" |n| format!("[{}]", again("1,", n));
    "json-unclosed-string" "package.json" |n| format!("{{\"a\": \"{}", again("\\\"", n));
    "json-comments" "tsconfig.json" |n| format!("{{{}}}", again("/* a */", n));
    "npm-dependencies" "package.json" |n| counted("{\"name\": \"a\", \"dependencies\": {\"express\": \"5\"", ", \"p#\": \"^1.#\"", n) + "}}";
    "npm-scripts" "package.json" |n| counted("{\"name\": \"a\", \"scripts\": {\"start\": \"npm run s0\"", ", \"s#\": \"npm run s# && npm run build:s# && node a#.js\"", n) + "}}";
    "npm-workspaces" "package.json" |n| counted("{\"name\": \"a\", \"workspaces\": [\"x\"", ", \"packages/*/p#\"", n) + "]}";
    "task-definition" "task-definition.json" |n| counted("{\"family\": \"a\", \"containerDefinitions\": [{\"name\": \"x\", \"image\": \"y\"}", ", {\"name\": \"c#\", \"image\": \"registry.example.com/c#:1\", \"environment\": [{\"name\": \"A#\", \"value\": \"b\"}]}", n) + "]}";
    "arm-template" "azuredeploy.json" |n| counted("{\"$schema\": \"https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#\", \"resources\": [{}", ", {\"type\": \"Microsoft.Web/sites\", \"name\": \"[concat('a', parameters('b#'))]\"}", n) + "]}";
    "openapi-json" "swagger.json" |n| counted("{\"openapi\": \"3.1.0\", \"paths\": {\"/\": {\"get\": {}}", ", \"/p#\": {\"get\": {}}", n) + "}}";
    "appsettings" "appsettings.json" |n| counted("{\"A\": 1", ", \"Key#\": {\"Url\": \"https://h#.example.com\"}", n) + "}";
    "prisma" "prisma/schema.prisma" |n| counted("datasource db {\n  provider = \"postgresql\"\n  url = env(\"DATABASE_URL\")\n}\n", "model M# {\n  id Int @id\n}\n", n);
    // TOML
    "toml-tables" "pyproject.toml" |n| counted("[project]\nname = \"a\"\n", "[tool.t#]\na = 1\n", n);
    "toml-arrays-of-tables" "pyproject.toml" |n| again("[[a]]\nb = 1\n", n);
    "toml-nested-arrays" "pyproject.toml" |n| format!("a = {}", again("[", n));
    "toml-dotted" "pyproject.toml" |n| counted("", "a.b.c.d.e.f.g.k# = 1\n", n);
    "toml-dependencies" "pyproject.toml" |n| counted("[project]\nname = \"a\"\ndependencies = [\n", "  \"p#>=1.0; python_version > '3'\",\n", n) + "]\n";
    "toml-broken" "Cargo.toml" |n| again("a = = 1\n", n);
    "toml-multi-line" "Cargo.toml" |n| format!("[package]\nname = \"\"\"{}", again("\"\"\n", n));
    "cargo-members" "Cargo.toml" |n| counted("[workspace]\nmembers = [\n", "  \"crates/c#\",\n", n) + "]\n";
    "fly" "fly.toml" |n| counted("app = \"a\"\n[env]\n", "V# = \"x\"\n", n);
    // XML
    "xml-open" "pom.xml" |n| again("<a>", n);
    "xml-attributes" "pom.xml" |n| counted("<project", " a#=\"b\"", n) + "/>";
    "xml-namespaces" "pom.xml" |n| counted("<project", " xmlns:n#=\"u#\"", n) + "/>";
    "xml-nested-namespaces" "pom.xml" |n| counted("", "<a xmlns:n#=\"u#\">", n);
    "xml-entities" "pom.xml" |n| format!("<!DOCTYPE a [<!ENTITY a \"{}\">]><a>&a;</a>", again("b", n));
    "xml-text" "pom.xml" |n| format!("<project><a>{}</a></project>", again("&#x41;", n));
    "xml-cdata" "pom.xml" |n| format!("<project>{}</project>", again("<![CDATA[a]]>", n));
    "maven-dependencies" "pom.xml" |n| counted("<project><artifactId>a</artifactId><dependencies>", "<dependency><groupId>g#</groupId><artifactId>a#</artifactId><version>${v#}</version></dependency>", n) + "</dependencies></project>";
    "maven-properties" "pom.xml" |n| counted("<project><artifactId>a</artifactId><properties><p0>1</p0>", "<q#>${q#}${p0}</q#>", n) + "</properties></project>";
    "csproj" "a.csproj" |n| counted("<Project Sdk=\"Microsoft.NET.Sdk.Web\"><ItemGroup>", "<PackageReference Include=\"P#\" Version=\"1\"/>", n) + "</ItemGroup></Project>";
    // HCL and its like
    "terraform-resources" "main.tf" |n| counted("", "resource \"aws_ecs_service\" \"r#\" {\n  name = \"a-${var.v#}\"\n  cluster = aws_ecs_cluster.c#.id\n}\n", n);
    "terraform-variables" "main.tf" |n| counted("", "variable \"v#\" {\n  default = \"x\"\n}\nlocals {\n  l# = \"${local.l#}${var.v#}\"\n}\n", n);
    "terraform-modules" "main.tf" |n| counted("", "module \"m#\" {\n  source = \"./\"\n  a = module.m#.b\n}\n", n);
    "hcl-nested" "main.tf" |n| again("a {\n", n);
    "hcl-brackets" "main.tf" |n| format!("a = {}", again("[", n));
    "hcl-operators" "main.tf" |n| format!("a = 1{}", again(" + 1", n));
    "hcl-templates" "main.tf" |n| format!("a = \"{}", again("${\"", n));
    "hcl-heredocs" "main.tf" |n| again("a = <<EOT\n", n);
    "hcl-parentheses" "main.tf" |n| format!("a = {}", again("(", n));
    "hcl-negations" "main.tf" |n| format!("a = {}1", again("!", n));
    "bicep-resources" "main.bicep" |n| counted("", "resource r# 'Microsoft.App/containerApps@2024-03-01' = {\n  name: 'a${r#.id}'\n  properties: { a: [ { b: 'c' } ] }\n}\n", n);
    "bicep-nested" "main.bicep" |n| format!("var a = {}", again("[{a: ", n));
    "bicep-strings" "main.bicep" |n| format!("var a = '{}", again("${'", n));
    "nomad" "api.nomad" |n| counted("job \"a\" {\n", "  group \"g#\" { task \"t#\" { driver = \"docker\" config { image = \"i#\" } } }\n", n) + "}\n";
    // Dockerfiles
    "docker-stages" "Dockerfile" |n| counted("FROM a AS s0\n", "FROM s# AS s#x\nCOPY --from=s# /a /b\nCMD [\"a\"]\n", n);
    "docker-chain" "Dockerfile" |n| {
        let mut text = "FROM a AS s0\n".to_owned();
        let mut number = 0;
        while text.len() < n {
            number += 1;
            let _ = writeln!(text, "FROM s{} AS s{number}\nENV A{number}=b", number - 1);
        }
        text + "CMD [\"a\"]\n"
    };
    "docker-variables" "Dockerfile" |n| {
        let mut text = "FROM a\nENV A0=xxxxxxxxxx\n".to_owned();
        let mut number = 0;
        while text.len() < n {
            number += 1;
            let _ = writeln!(text, "ENV A{number}=$A{0}${{A{0}}}", number - 1);
        }
        text
    };
    "docker-continuations" "Dockerfile" |n| format!("FROM a\nRUN {}", again("\\\n", n));
    "docker-comments" "Dockerfile" |n| format!("FROM a\nRUN a \\\n{}", again("# b\n", n));
    "docker-heredocs" "Dockerfile" |n| format!("FROM a\n{}", again("RUN <<EOF\n", n));
    "docker-many-heredocs" "Dockerfile" |n| format!("FROM a\nRUN {}\n", again("<<E ", n));
    "docker-json" "Dockerfile" |n| format!("FROM a\nCMD [{}\"b\"]\n", again("\"a\", ", n));
    "docker-ports" "Dockerfile" |n| format!("FROM a\n{}", again("EXPOSE 1-65535\n", n));
    "docker-runs" "Dockerfile" |n| counted("FROM a\n", "RUN apt-get install -y p# && pip install q#\n", n);
    // Lines of settings
    "dotenv-quotes" ".env" |n| again("A=\"\n", n);
    "dotenv-variables" ".env" |n| counted("", "VARIABLE_#=${VARIABLE_#}value#\n", n);
    "dotenv-secrets" ".env" |n| counted("", "SECRET_KEY_#=Tr0ub4dor-horse-#-battery\n", n);
    "dotenv-same-heads" ".env" |n| counted("", "SECRET_KEY_#=AAAAAAAAAAAAAAAAAAAAAAAA#\n", n);
    "dotenv-long" ".env" |n| format!("A={}", again("${B:-", n));
    "properties" "src/main/resources/application.properties" |n| counted("", "a.b.k#=${A#:${B#:c}}\n", n);
    "properties-continued" "src/main/resources/application.properties" |n| format!("a={}", again("b\\\n", n));
    "ini" "setup.cfg" |n| counted("", "[s#]\na = b\n", n);
    "ini-continued" "setup.cfg" |n| format!("[options]\ninstall_requires =\n{}", again("    a>=1\n", n));
    "hocon" "conf/application.conf" |n| counted("play { }\n", "a.b# = ${?A#} \"x\"\n", n);
    "hocon-nested" "conf/application.conf" |n| format!("play {}", again("{ a ", n));
    "hocon-quotes" "conf/application.conf" |n| format!("play = {}", again("\"\"\"", n));
    "requirements" "requirements.txt" |n| counted("", "p#[a,b]>=1,<2 ; python_version > '3' --hash=sha256:0\n", n);
    "requirements-includes" "requirements.txt" |n| again("-r requirements.txt\n", n);
    "requirements-continued" "requirements.txt" |n| again("a \\\n", n);
    "go-mod" "go.mod" |n| counted("module a\nrequire (\n", "\texample.com/m# v1.0.0 // indirect\n", n) + ")\n";
    "go-replace" "go.mod" |n| counted("module a\n", "replace example.com/m# => ../m#\n", n);
    "gemfile" "Gemfile" |n| counted("source 'https://registry.example.com'\n", "gem 'g#', '~> 1', group: :test\n", n);
    "mix" "mix.exs" |n| counted("defmodule A do\n  defp deps do\n    [\n", "      {:p#, \"~> 1.0\"},\n", n);
    "gradle" "build.gradle" |n| counted("plugins { id 'org.springframework.boot' }\ndependencies {\n", "  implementation \"g#:a#:$v\"\n", n);
    "sbt" "build.sbt" |n| counted("name := \"a\"\n", "libraryDependencies += \"g#\" % \"a#\" % \"1\"\n", n);
    "procfile" "Procfile" |n| counted("", "p#: node a#.js\n", n);
    "gitignore" ".gitignore" |n| counted("", "/build#/**/*.[oa]\n", n);
    "dockerignore" ".dockerignore" |n| counted("", "**/b#/*\n", n);
    "git-config" ".git/config" |n| counted("", "[remote \"r#\"]\n\turl = https://example.com/r#.git\n", n);
    "tool-versions" ".tool-versions" |n| counted("", "nodejs 22.#\n", n);
    // Scripts
    "shell-commands" "entrypoint.sh" |n| counted("#!/bin/sh\n", "if [ \"$A#\" = b ]; then exec node s#.js --port ${P#:-80}; fi\n", n);
    "shell-quotes" "entrypoint.sh" |n| again("echo \"$(", n);
    "shell-heredocs" "entrypoint.sh" |n| again("cat <<EOF\n", n);
    "shell-cases" "entrypoint.sh" |n| again("case $1 in a) ", n);
    "shell-case-arms" "entrypoint.sh" |n| counted("#!/bin/sh\ncase $1 in\n", "  c#) exec node c#.js ;;\n", n) + "esac\n";
    "shell-functions" "entrypoint.sh" |n| counted("#!/bin/sh\n", "f#() { f#; node a#.js; }\nf#\n", n);
    "shell-substitutions" "entrypoint.sh" |n| again("${A:-", n);
    "shell-assignments" "entrypoint.sh" |n| {
        let mut text = "#!/bin/sh\nA0=xxxxxxxxxx\n".to_owned();
        let mut number = 0;
        while text.len() < n {
            number += 1;
            let _ = writeln!(text, "A{number}=$A{0}$A{0}\n$A{number}", number - 1);
        }
        text
    };
    "shell-one-line" "entrypoint.sh" |n| again("a; ", n);
    "makefile-targets" "Makefile" |n| counted("run: t0\n", "t#: t# u#\n\tdocker build -t $(I#) . && $(MAKE) t#\n", n);
    "makefile-variables" "Makefile" |n| {
        let mut text = "A0 = xxxxxxxxxx\n".to_owned();
        let mut number = 0;
        while text.len() < n {
            number += 1;
            let _ = writeln!(text, "A{number} = $(A{0})$(A{0})\nrun{number}:\n\tdocker run $(A{number})", number - 1);
        }
        text
    };
    "makefile-conditions" "Makefile" |n| again("ifeq ($(A),b)\n", n);
    "makefile-defines" "Makefile" |n| again("define a\n", n);
    // Proxies
    "nginx-servers" "nginx.conf" |n| counted("", "server { listen #; server_name s#.example.com; location /a# { proxy_pass http://u#; } }\n", n);
    "nginx-nested" "nginx.conf" |n| again("a {", n);
    "nginx-upstreams" "nginx.conf" |n| counted("", "upstream u# { server s#:80; }\n", n);
    "nginx-quotes" "nginx.conf" |n| again("a \"", n);
    "caddy" "Caddyfile" |n| counted("", "s#.example.com {\n\timport x\n\treverse_proxy api:#\n}\n", n);
    "caddy-nested" "Caddyfile" |n| again("a {\n", n);
    "haproxy" "haproxy.cfg" |n| counted("defaults\n  mode http\n", "backend b#\n  server s# 10.0.0.1:80\nfrontend f#\n  bind :80\n  use_backend b# if { path /a# }\n", n);
    "systemd" "api.service" |n| counted("[Service]\nExecStart=/usr/bin/node a.js\n", "Environment=A#=b\n", n);
    "supervisor" "supervisord.conf" |n| counted("[supervisord]\n", "[program:p#]\ncommand=node p#.js\n", n);
    // Prose
    "readme-quotes" "README.md" |n| again("> ", n);
    "readme-lists" "README.md" |n| again("- ", n);
    "readme-links" "README.md" |n| again("[", n);
    "readme-images" "README.md" |n| again("![a](", n);
    "readme-emphasis" "README.md" |n| again("*a_", n);
    "readme-fences" "README.md" |n| again("```sh\nnpm start\n", n);
    "readme-commands" "README.md" |n| counted("# A\n", "```sh\n$ docker compose up s# && npm run r#\n```\n", n);
    "readme-tables" "README.md" |n| counted("# A\n\n| Variable | Default |\n|---|---|\n", "| `VAR_#` | `x#` |\n", n);
    "readme-html" "README.md" |n| again("<a href=\"", n);
    "readme-references" "README.md" |n| counted("", "[a#]: https://example.com/#\n", n);
    "readme-backticks" "README.md" |n| {
        let mut text = String::new();
        let mut count = 1;
        while text.len() < n {
            text.push_str(&"`".repeat(count));
            text.push(' ');
            count = count % 900 + 1;
        }
        text
    };
    // SQL
    "sql-statements" "migrations/001_a.sql" |n| counted("", "ALTER TABLE t# ADD COLUMN c# int NOT NULL DEFAULT 1, DROP COLUMN d#;\n", n);
    "sql-dollars" "migrations/001_a.sql" |n| counted("", "$a#$", n);
    "sql-comments" "migrations/001_a.sql" |n| again("/* ", n);
    "sql-quotes" "migrations/001_a.sql" |n| again("'a\"", n);
    "sql-one-statement" "migrations/001_a.sql" |n| format!("CREATE TABLE a ({})", again("b int, ", n));
    "sql-parentheses" "migrations/001_a.sql" |n| format!("CREATE TABLE a {}", again("(", n));
    "sql-create-type" "migrations/001_a.sql" |n| again("CREATE TYPE ", n);
    // Source code
    "python-environment" "app/main.py" |n| counted("import os\n", "A# = os.getenv(\"VAR_#\", \"x\")\n", n);
    "python-open-calls" "app/main.py" |n| again("os.getenv(", n);
    "python-routes" "app/main.py" |n| counted("from fastapi import FastAPI\napp = FastAPI()\n", "@app.get(\"/r#\")\ndef r#(a: int = Depends(r#)):\n    return a\n", n);
    "python-routers" "app/main.py" |n| counted("from fastapi import FastAPI, APIRouter\napp = FastAPI()\n", "r# = APIRouter(prefix=\"/p#\")\napp.include_router(r#)\n", n);
    "python-django" "app/urls.py" |n| counted("from django.urls import path, include\nurlpatterns = [\n", "    path(\"a#/\", include(\"app.urls#\")),\n", n) + "]\n";
    "python-django-settings" "app/settings.py" |n| counted("import os\nfrom django.conf import settings\nINSTALLED_APPS = [\n", "    \"app#\",\n", n) + "]\n";
    "python-settings" "app/config.py" |n| counted("from pydantic_settings import BaseSettings\nclass Settings(BaseSettings):\n", "    field_#: str = \"x\"\n", n);
    "python-settings-classes" "app/config.py" |n| counted("from pydantic_settings import BaseSettings\n", "class S#(BaseSettings):\n    a: str\n", n);
    "python-tasks" "app/tasks.py" |n| counted("from celery import Celery\napp = Celery(\"a\", broker=\"redis://r\")\n", "@app.task\ndef t#():\n    t#.delay()\n", n);
    "python-triple-quotes" "app/main.py" |n| again("\"\"\" ", n);
    "python-f-strings" "app/main.py" |n| again("f\"{", n);
    "python-brackets" "app/main.py" |n| format!("import os\na = os.environ[{}", again("(", n));
    "python-values" "app/main.py" |n| {
        let mut text = "import os\nfrom flask import Flask\na0 = os.getenv(\"A\")\n".to_owned();
        let mut number = 0;
        while text.len() < n {
            number += 1;
            let _ = writeln!(text, "a{number} = a{} or os.getenv(a{number})", number - 1);
        }
        text
    };
    "python-functions" "app/main.py" |n| counted("import os\n", "def env#(name, default=None):\n    return os.getenv(name, default)\nX# = env#(\"V#\")\n", n);
    "python-migrations" "migrations/versions/a.py" |n| counted("from alembic import op\nrevision = \"a\"\ndown_revision = None\ndef upgrade():\n", "    op.add_column(\"t#\", sa.Column(\"c#\", sa.Integer()))\n", n);
    "python-decorators" "app/main.py" |n| format!("from fastapi import FastAPI\napp = FastAPI()\n{}", again("@app.get(\"/a\")\n", n));
    "python-imports" "app/main.py" |n| counted("", "from m# import a#, b#\n", n);
    "js-environment" "src/main.ts" |n| counted("", "const a# = process.env.VAR_# ?? 'x';\n", n);
    "js-open-calls" "src/main.ts" |n| again("app.get('/a', ", n);
    "js-routes" "src/main.ts" |n| counted("import express from 'express';\nconst app = express();\n", "app.get('/r#', async (q, r) => { r.json({}); });\n", n);
    "js-routers" "src/main.ts" |n| counted("import express from 'express';\nconst app = express();\n", "const r# = express.Router();\napp.use('/p#', r#);\nr#.get('/x', f);\n", n);
    "js-chains" "src/main.ts" |n| format!("import express from 'express';\nconst app = express();\napp{}", again(".get('/a', f)", n));
    "js-templates" "src/main.ts" |n| again("`${", n);
    "js-regexes" "src/main.ts" |n| again("/a[/", n);
    "js-nest" "src/main.ts" |n| counted("import { Controller, Get } from '@nestjs/common';\n", "@Controller('c#')\nexport class C# {\n  @Get('g#')\n  g() {}\n}\n", n);
    "js-clients" "src/main.ts" |n| counted("import { Pool } from 'pg';\nimport express from 'express';\n", "const p# = new Pool({ connectionString: process.env.URL_#, max: # });\n", n);
    "js-braces" "src/main.ts" |n| format!("import express from 'express';\n{}", again("{ a: [", n));
    "js-one-line" "src/main.js" |n| again("var a=process.env.A||b;", n);
    "js-migrations" "migrations/1_a.js" |n| counted("exports.up = function(knex) {\n", "  knex.schema.createTable('t#', (t) => { t.string('c'); });\n", n);
    "js-queues" "src/worker.ts" |n| counted("import { Worker, Queue } from 'bullmq';\n", "new Worker('q#', async () => {});\nnew Queue('q#');\n", n);
    "go-environment" "main.go" |n| counted("package main\nimport \"os\"\nfunc main() {\n", "\ta# := os.Getenv(\"VAR_#\")\n", n);
    "go-routes" "main.go" |n| counted("package main\nimport \"github.com/gin-gonic/gin\"\nfunc main() {\n\tr := gin.Default()\n", "\tr.GET(\"/r#\", func(c *gin.Context) {})\n\tg# := r.Group(\"/g#\")\n", n);
    "go-raw-strings" "main.go" |n| format!("package main\n{}", again("a := `", n));
    "go-tags" "config.go" |n| counted("package main\ntype C struct {\n", "\tF# string `env:\"V#\" envDefault:\"x\"`\n", n);
    "go-types" "config.go" |n| counted("package main\n", "type T# struct {\n\tA string `env:\"V#\"`\n\tB T#\n}\n", n);
    "java-routes" "src/main/java/A.java" |n| counted("@RestController\n@RequestMapping(\"/a\")\npublic class A {\n", "  @GetMapping(\"/r#\")\n  public String r#() { return System.getenv(\"V#\"); }\n", n);
    "java-classes" "src/main/java/A.java" |n| counted("", "@RestController @RequestMapping(\"/c#\") class C# { @GetMapping(\"/x\") int a() { return 1; } }\n", n);
    "java-annotations" "src/main/java/A.java" |n| again("@Value(\"${a:${b:", n);
    "kotlin" "src/main/kotlin/A.kt" |n| counted("fun main() { routing {\n", "  route(\"/p#\") { get(\"/r#\") { call.respond(\"${a}\") } }\n", n);
    "kotlin-comments" "src/main/kotlin/A.kt" |n| again("/* ", n);
    "csharp" "Program.cs" |n| counted("var builder = WebApplication.CreateBuilder(args);\nvar app = builder.Build();\n", "app.MapGet(\"/r#\", () => Environment.GetEnvironmentVariable(\"V#\"));\n", n);
    "csharp-strings" "Program.cs" |n| again("$@\"{", n);
    "ruby" "config/routes.rb" |n| counted("Rails.application.routes.draw do\n", "  namespace :n# do\n    resources :r#\n    get \"/a#\", to: \"c#\"\n", n);
    "ruby-heredocs" "app/a.rb" |n| again("a = <<~EOT\n", n);
    "ruby-interpolation" "app/a.rb" |n| again("\"#{ENV[", n);
    "php-routes" "routes/web.php" |n| counted("<?php\nuse Illuminate\\Support\\Facades\\Route;\n", "Route::prefix('p#')->group(function () { Route::get('/r#', 'C@a'); });\n", n);
    "php-environment" "config/app.php" |n| counted("<?php\nreturn [\n", "  'a#' => env('VAR_#', env('B#', 'x')),\n", n);
    "php-migrations" "database/migrations/2024_01_01_000000_a.php" |n| counted("<?php\nuse Illuminate\\Database\\Migrations\\Migration;\n", "Schema::create('t#', function (Blueprint $table) { $table->id(); });\n", n);
    "rust-routes" "src/main.rs" |n| counted("use axum::{Router, routing::get};\nfn main() { let a = Router::new()\n", "  .route(\"/r#\", get(f))\n  .nest(\"/n#\", n())\n", n);
    "rust-tests" "src/main.rs" |n| again("#[cfg(test)]\n", n);
    "rust-test-blocks" "src/main.rs" |n| again("#[cfg(test)] mod a {", n);
    "rust-raw-strings" "src/main.rs" |n| again("r#\"", n);
    "rust-lifetimes" "src/main.rs" |n| again("'a", n);
    "elixir" "lib/router.ex" |n| counted("defmodule R do\n  use Phoenix.Router\n", "  scope \"/s#\", A do\n    get \"/g#\", C, :a\n", n);
    "elixir-config" "config/runtime.exs" |n| counted("import Config\n", "config :a, k#: System.get_env(\"V#\") || \"x\"\n", n);
    "scala" "app/A.scala" |n| counted("object A {\n", "  val a# = sys.env.getOrElse(\"V#\", s\"${b}\")\n", n);
    // Anything
    "long-line-py" "app/long.py" |n| again("a", n);
    "long-line-ts" "src/long.ts" |n| again("a ", n);
    "line-ends-py" "app/ends.py" |n| again("\n", n);
    "line-ends-sh" "bin/ends.sh" |n| again("\n", n);
    "backslashes-py" "app/back.py" |n| again("\\", n);
    "open-brackets-ts" "src/open.ts" |n| again("(", n);
    "open-braces-go" "main.go" |n| again("{", n);
    "multi-byte" "app/wide.py" |n| again("𝄞é", n);
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_texts_as_long_as_asked_for() {
        let mut names: Vec<&str> = ALL.iter().map(|worst| worst.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
        for worst in ALL {
            let length = worst.text(20_000).len();
            assert!((14_000..80_000).contains(&length), "{}: {length}", worst.name);
        }
    }
}
