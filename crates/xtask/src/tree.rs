//! A repository of any size, always the same for the same size.
//!
//! Shares of files follow what large back-end monorepos hold: about three fifths source code, of which one file in
//! twelve declares routes or reads settings and the rest is plain logic, an eighth tests, an eighth pictures and fonts,
//! and manifests, configuration and prose in between. Source files have 20 to 400 lines.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

/// Files of one service; a repository of 100,000 files has about 330 services.
const PER_SERVICE: usize = 300;

/// Marsaglia's xorshift: enough for shapes of files, the same on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % (sides.max(1) as u64)).unwrap_or_default()
    }

    fn word(&mut self) -> &'static str {
        let at = self.roll(WORDS.len());
        WORDS.get(at).copied().unwrap_or("item")
    }
}

const WORDS: &[&str] = &[
    "account", "address", "amount", "batch", "cart", "channel", "charge", "country", "currency", "discount",
    "event", "invoice", "item", "ledger", "message", "offer", "order", "payment", "period", "price",
    "profile", "quota", "rate", "refund", "region", "report", "session", "shipment", "stock", "tax",
    "ticket", "user",
];

/// A language in which services are written.
#[derive(Clone, Copy)]
enum Language {
    Python,
    TypeScript,
    Go,
    Java,
}

const LANGUAGES: &[Language] = &[
    Language::Python,
    Language::TypeScript,
    Language::Go,
    Language::Java,
];

impl Language {
    fn ending(self) -> &'static str {
        match self {
            Self::Python => "py",
            Self::TypeScript => "ts",
            Self::Go => "go",
            Self::Java => "java",
        }
    }
}

/// Writes a repository of about this many files; tells how many it wrote.
pub(crate) fn write(folder: &Path, files: usize) -> io::Result<usize> {
    let mut made = 0;
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    let mut service = 0;
    while made < files {
        let language = LANGUAGES
            .get(service % LANGUAGES.len())
            .copied()
            .unwrap_or(Language::Go);
        let name = format!("{}-{service}", dice.word());
        let at = folder.join("services").join(&name);
        made += manifests(&at, &name, language)?;
        let count = PER_SERVICE.min(files.saturating_sub(made));
        for number in 0..count {
            file(&at, number, language, &mut dice)?;
            made += 1;
        }
        service += 1;
    }
    Ok(made)
}

fn put(path: &Path, text: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)
}

fn manifests(at: &Path, name: &str, language: Language) -> io::Result<usize> {
    let (manifest, text, base, command) = match language {
        Language::Python => (
            "pyproject.toml",
            format!(
                "[project]\nname = \"{name}\"\nversion = \"1.0.0\"\nrequires-python = \">=3.12\"\ndependencies = [\"fastapi\", \"uvicorn\", \"sqlalchemy\", \"asyncpg\"]\n"
            ),
            "python:3.12-slim",
            "[\"uvicorn\", \"app.main:app\", \"--port\", \"8000\"]",
        ),
        Language::TypeScript => (
            "package.json",
            format!(
                "{{\n  \"name\": \"{name}\",\n  \"scripts\": {{ \"start\": \"node dist/main.js\", \"build\": \"tsc\" }},\n  \"engines\": {{ \"node\": \"22\" }},\n  \"dependencies\": {{ \"express\": \"5.0.0\", \"pg\": \"8.13.0\" }}\n}}\n"
            ),
            "node:22-slim",
            "[\"node\", \"dist/main.js\"]",
        ),
        Language::Go => (
            "go.mod",
            format!(
                "module registry.example.com/{name}\n\ngo 1.24\n\nrequire (\n\tgithub.com/gin-gonic/gin v1.10.0\n\tgithub.com/jackc/pgx/v5 v5.7.0\n)\n"
            ),
            "golang:1.24",
            "[\"/app/server\"]",
        ),
        Language::Java => (
            "pom.xml",
            format!(
                "<project>\n  <artifactId>{name}</artifactId>\n  <properties><java.version>21</java.version></properties>\n  <dependencies>\n    <dependency><groupId>org.springframework.boot</groupId><artifactId>spring-boot-starter-web</artifactId></dependency>\n  </dependencies>\n</project>\n"
            ),
            "eclipse-temurin:21",
            "[\"java\", \"-jar\", \"app.jar\"]",
        ),
    };
    put(&at.join(manifest), text.as_bytes())?;
    put(
        &at.join("Dockerfile"),
        format!("FROM {base}\nWORKDIR /app\nCOPY . .\nEXPOSE 8000\nCMD {command}\n").as_bytes(),
    )?;
    put(
        &at.join("README.md"),
        format!("# {name}\n\nStarts with `make start`.\n\n- `DATABASE_URL`: where the data is\n").as_bytes(),
    )?;
    put(
        &at.join("app").join(entry_name(language)),
        entry(language).as_bytes(),
    )?;
    Ok(4)
}

fn entry_name(language: Language) -> String {
    let name = match language {
        Language::Java => "Main",
        _ => "main",
    };
    format!("{name}.{}", language.ending())
}

fn entry(language: Language) -> &'static str {
    match language {
        Language::Python => {
            "import os\n\nfrom fastapi import FastAPI\n\nURL = os.environ[\"DATABASE_URL\"]\napp = FastAPI()\n\n\n@app.get(\"/health\")\ndef health():\n    return {\"ok\": True}\n"
        }
        Language::TypeScript => {
            "import express from 'express';\n\nconst app = express();\nconst url = process.env.DATABASE_URL;\napp.get('/health', (_, response) => response.json({ ok: true }));\napp.listen(8000, () => console.log(url));\n"
        }
        Language::Go => {
            "package main\n\nimport (\n\t\"os\"\n\n\t\"github.com/gin-gonic/gin\"\n)\n\nfunc main() {\n\turl := os.Getenv(\"DATABASE_URL\")\n\tr := gin.Default()\n\tr.GET(\"/health\", func(c *gin.Context) { c.String(200, url) })\n\tr.Run(\":8000\")\n}\n"
        }
        Language::Java => {
            "package com.acme;\n\n@SpringBootApplication\npublic class Main {\n    public static void main(String[] args) {\n        SpringApplication.run(Main.class, args);\n    }\n}\n"
        }
    }
}

/// One file: its kind by the share of such files.
fn file(at: &Path, number: usize, language: Language, dice: &mut Dice) -> io::Result<()> {
    let folder = at.join("app").join(format!("{}{}", dice.word(), number % 12));
    let ending = language.ending();
    match dice.roll(100) {
        0..5 => put(
            &folder.join(format!("routes{number}.{ending}")),
            routes(language, dice).as_bytes(),
        ),
        5..60 => put(
            &folder.join(format!("logic{number}.{ending}")),
            logic(language, dice).as_bytes(),
        ),
        60..72 => put(
            &at.join("tests").join(format!("test_{number}.{ending}")),
            logic(language, dice).as_bytes(),
        ),
        72..76 => put(&folder.join(format!("data{number}.json")), json(dice).as_bytes()),
        76..80 => put(
            &folder.join(format!("settings{number}.yaml")),
            yaml(dice).as_bytes(),
        ),
        80..85 => put(&folder.join(format!("notes{number}.md")), prose(dice).as_bytes()),
        85..89 => put(&folder.join(format!("style{number}.css")), style(dice).as_bytes()),
        _ => {
            let size = 2_000 + dice.roll(40_000);
            let mut bytes = vec![0x89, b'P', b'N', b'G', 0];
            bytes.extend((0..size).map(|_| u8::try_from(dice.roll(256)).unwrap_or_default()));
            put(&folder.join(format!("picture{number}.png")), &bytes)
        }
    }
}

fn routes(language: Language, dice: &mut Dice) -> String {
    let mut text = String::from(match language {
        Language::Python => "from fastapi import APIRouter\n\nrouter = APIRouter()\n",
        Language::TypeScript => "import { Router } from 'express';\n\nexport const router = Router();\n",
        Language::Go => {
            "package app\n\nimport \"github.com/gin-gonic/gin\"\n\nfunc Routes(r *gin.Engine) {\n"
        }
        Language::Java => "package com.acme;\n\n@RestController\npublic class Routes {\n",
    });
    for number in 0..3 + dice.roll(8) {
        let (a, b) = (dice.word(), dice.word());
        let _ = match language {
            Language::Python => writeln!(
                text,
                "\n\n@router.get(\"/{a}/{number}\")\nasync def {b}_{number}(key: int):\n    return {{\"{a}\": key}}"
            ),
            Language::TypeScript => writeln!(
                text,
                "router.get('/{a}/{number}', async (request, response) => {{\n  response.json({{ {b}: request.query.{a} }});\n}});"
            ),
            Language::Go => writeln!(
                text,
                "\tr.GET(\"/{a}/{number}\", func(c *gin.Context) {{ c.String(200, \"{b}\") }})"
            ),
            Language::Java => writeln!(
                text,
                "    @GetMapping(\"/{a}/{number}\")\n    public String {b}{number}() {{ return \"{a}\"; }}"
            ),
        };
    }
    if !matches!(language, Language::Python | Language::TypeScript) {
        text.push_str("}\n");
    }
    text
}

fn logic(language: Language, dice: &mut Dice) -> String {
    let mut text = String::from(match language {
        Language::Python => "from dataclasses import dataclass\n\nfrom app.shared import Result\n",
        Language::TypeScript => "import { Result } from '../shared/result';\n",
        Language::Go => "package app\n\nimport \"fmt\"\n",
        Language::Java => "package com.acme.logic;\n\nimport java.util.List;\n\npublic class Logic {\n",
    });
    for number in 0..4 + dice.roll(50) {
        let (a, b, c) = (dice.word(), dice.word(), dice.word());
        let _ = match language {
            Language::Python => writeln!(
                text,
                "\n\ndef {a}_{number}({b}: int, {c}: str = \"{b}\") -> int:\n    \"\"\"The {a} of a {b}.\"\"\"\n    value = {b} * {number}\n    if value > {number}:\n        # no {c} without {a}\n        return value\n    return 0"
            ),
            Language::TypeScript => writeln!(
                text,
                "\nexport function {a}{number}({b}: number, {c}2: string): number {{\n  const value = {b} * {number};\n  if (value > {number}) {{\n    // no {c} without {a}\n    return value;\n  }}\n  return `{a} ${{value}}`.length;\n}}"
            ),
            Language::Go => writeln!(
                text,
                "\n// {a}{number} tells the {b}.\nfunc {a}{number}({b} int) (int, error) {{\n\tif {b} > {number} {{\n\t\treturn 0, fmt.Errorf(\"no {c} %d\", {b})\n\t}}\n\treturn {b} * {number}, nil\n}}"
            ),
            Language::Java => writeln!(
                text,
                "\n    /** The {a} of a {b}. */\n    public int {a}{number}(int {b}) {{\n        if ({b} > {number}) {{\n            throw new IllegalStateException(\"no {c}\");\n        }}\n        return {b} * {number};\n    }}"
            ),
        };
    }
    if matches!(language, Language::Java) {
        text.push_str("}\n");
    }
    text
}

fn json(dice: &mut Dice) -> String {
    let mut text = String::from("[\n");
    for number in 0..20 + dice.roll(100) {
        let _ = writeln!(
            text,
            "  {{ \"{}\": {number}, \"{}\": \"{}\" }},",
            dice.word(),
            dice.word(),
            dice.word()
        );
    }
    text.push_str("  {}\n]\n");
    text
}

fn yaml(dice: &mut Dice) -> String {
    let mut text = String::new();
    for number in 0..10 + dice.roll(60) {
        let _ = writeln!(text, "{}{number}:\n  {}: {number}", dice.word(), dice.word());
    }
    text
}

fn prose(dice: &mut Dice) -> String {
    let mut text = String::from("# Notes\n");
    for _ in 0..5 + dice.roll(30) {
        let _ = writeln!(
            text,
            "\nThe {} of a {} is told to the {} before its {} ends.",
            dice.word(),
            dice.word(),
            dice.word(),
            dice.word()
        );
    }
    text
}

fn style(dice: &mut Dice) -> String {
    let mut text = String::new();
    for number in 0..10 + dice.roll(80) {
        let _ = writeln!(text, ".{}{number} {{\n  margin: {number}px;\n}}", dice.word());
    }
    text
}
