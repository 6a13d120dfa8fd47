//! How a program runs: jobs by the clock, CORS, rate limits, sessions, shutdown, interfaces that need care, pools.

use std::collections::BTreeMap;
use std::ops::Range;

use playbook_core::evidence::Confidence;
use playbook_core::harmless::{HttpUrl, Name, Schedule, Setting};
use playbook_core::inventory::{ApiSpec, AuthFact, CorsPolicy, InterfaceKind, Pool, SignalKind};
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use super::entry::{Object, interface};
use super::routes::url_path;
use super::syntax::{Call, Code};
use super::value;
use crate::fact::{Facts, JobFact};
use crate::lex::Arg;
use crate::parse::{slice, tail};

/// Tells it.
pub(super) fn detect(code: &Code<'_>, objects: &BTreeMap<String, Object>, facts: &mut Facts) {
    for call in &code.calls {
        job(code, call, facts);
        cors(code, call, facts);
        edge(code, call, objects, facts);
        state(code, call, facts);
        pool(code, call, facts);
    }
    decorators(code, facts);
    shutdown(code, facts);
}

fn signal(code: &Code<'_>, facts: &mut Facts, kind: SignalKind, subject: &'static str, offset: usize) {
    facts.signal(
        kind,
        Some(Shown::from(subject)),
        code.source.scope,
        code.source.at(code.line(offset)),
    );
}

fn push_job(
    code: &Code<'_>,
    facts: &mut Facts,
    name: Option<&str>,
    schedule: Option<&str>,
    runner: &'static str,
    offset: usize,
) {
    let stem = code.source.path.name().split('.').next().unwrap_or_default();
    let Some(name) = name
        .and_then(|name| Name::parse(Raw::new(name)))
        .or_else(|| Name::parse(Raw::new(stem)))
    else {
        return;
    };
    facts.jobs.push(JobFact {
        name,
        schedule: schedule.and_then(|text| Schedule::parse(Raw::new(text))),
        runner: Shown::from(runner),
        scope: code.source.scope,
        evidence: code.source.at(code.line(offset)),
    });
}

/// `cron.schedule("0 3 * * *", run)`, `queue.add("x", {}, { repeat: { pattern } })`.
fn job(code: &Code<'_>, call: &Call, facts: &mut Facts) {
    let module = call.full.split('#').next().unwrap_or_default();
    let library = matches!(module, "node-cron" | "cron" | "node-schedule" | "croner");
    let starts = matches!(
        call.method(),
        "schedule" | "scheduleJob" | "CronJob" | "Cron" | "from"
    ) && library;
    if starts {
        let arguments = code.arguments(call.open);
        let text = arguments
            .iter()
            .find_map(|argument| {
                argument
                    .literal
                    .clone()
                    .filter(|text| text.split_whitespace().count() >= 5 || text.starts_with('@'))
            })
            .or_else(|| {
                let first = arguments.first()?;
                let entry = code
                    .entry(&first.range, "cronTime")
                    .and_then(|entry| entry.literal);
                entry.or_else(|| {
                    let value = code.constant(first.written(code.text()))?;
                    Some(
                        code.masked
                            .literal_at(value.start)?
                            .value(code.text())?
                            .into_owned(),
                    )
                })
            });
        let named = arguments.iter().skip(1).find_map(|argument| {
            let written = argument.written(code.text());
            let plain = written
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
            (plain && !written.is_empty() && !matches!(written, "null" | "true" | "false"))
                .then(|| written.to_owned())
        });
        push_job(
            code,
            facts,
            named.as_deref(),
            text.as_deref(),
            "node-cron",
            call.start,
        );
        signal(
            code,
            facts,
            SignalKind::InProcessScheduler,
            "node-cron",
            call.start,
        );
        return;
    }
    if matches!(call.method(), "add" | "upsertJobScheduler") {
        let arguments = code.arguments(call.open);
        let repeat = arguments.iter().find_map(|argument| {
            code.entry(&argument.range, "repeat").or_else(|| {
                (call.method() == "upsertJobScheduler")
                    .then(|| code.entry(&argument.range, "pattern"))
                    .flatten()
            })
        });
        if let Some(repeat) = repeat {
            let text = repeat.literal.clone().or_else(|| {
                ["pattern", "cron"]
                    .iter()
                    .find_map(|key| code.entry(&repeat.range, key)?.literal)
            });
            let name = arguments.first().and_then(|first| first.literal.clone());
            push_job(
                code,
                facts,
                name.as_deref(),
                text.as_deref(),
                "bullmq",
                call.start,
            );
        }
    }
    if call.method() == "every" && code.asks_for("agenda") {
        let arguments = code.arguments(call.open);
        let text = |at: usize| {
            arguments
                .get(at)
                .and_then(|argument: &Arg| argument.literal.clone())
        };
        push_job(
            code,
            facts,
            text(1).as_deref(),
            text(0).as_deref(),
            "agenda",
            call.start,
        );
    }
}

/// `@Cron("0 3 * * *")`, `@Interval(1000)` of NestJS.
fn decorators(code: &Code<'_>, facts: &mut Facts) {
    if !code.asks_for("@nestjs/schedule") {
        return;
    }
    for call in &code.calls {
        if !slice(code.code(), call.start.saturating_sub(1), call.start).ends_with('@') {
            continue;
        }
        let kind = call.method();
        if !matches!(kind, "Cron" | "Interval" | "Timeout") {
            continue;
        }
        let arguments = code.arguments(call.open);
        let first = arguments.first();
        let text = first.and_then(|first| {
            first.literal.clone().or_else(|| {
                let written = first.written(code.text());
                let number = written.replace('_', "");
                match written.strip_prefix("CronExpression.") {
                    Some(word) => cron_expression(word),
                    None => number
                        .parse::<u64>()
                        .ok()
                        .map(|ms| format!("every {ms}ms"))
                        .or_else(|| constant_text(code, written)),
                }
            })
        });
        // The method that the decorator stands at.
        let close = code.masked.closing(call.open).unwrap_or(call.open);
        let after = tail(code.code(), close + 1);
        let name = after
            .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .find(|word| !word.is_empty() && !matches!(*word, "async" | "public" | "private" | "protected"));
        push_job(code, facts, name, text.as_deref(), "node-cron", call.start);
        signal(
            code,
            facts,
            SignalKind::InProcessScheduler,
            "nestjs-schedule",
            call.start,
        );
    }
}

/// The text of a constant of this file, also of a class: `Jobs.EVERY_NIGHT`. A text with holes has no fixed value.
fn constant_text(code: &Code<'_>, written: &str) -> Option<String> {
    let name = written.rsplit('.').next().filter(|name| !name.is_empty())?;
    if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return None;
    }
    let range = code.constant(name)?;
    let value = slice(code.text(), range.start, range.end).trim();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))?;
    let text = value.strip_prefix(quote)?.strip_suffix(quote)?;
    (!text.contains([quote, '$'])).then(|| text.to_owned())
}

/// The schedule of a name such as `EVERY_DAY_AT_3AM` in NestJS.
fn cron_expression(word: &str) -> Option<String> {
    let fixed = match word {
        "EVERY_SECOND" => "* * * * * *",
        "EVERY_MINUTE" => "*/1 * * * *",
        "EVERY_HOUR" => "0 0-23/1 * * *",
        "EVERY_2ND_HOUR" => "0 */2 * * *",
        "EVERY_2ND_HOUR_FROM_1AM_THROUGH_11PM" => "0 1-23/2 * * *",
        "EVERY_WEEK" => "0 0 * * 0",
        "EVERY_WEEKDAY" => "0 0 * * 1-5",
        "EVERY_WEEKEND" => "0 0 * * 6,0",
        "EVERY_1ST_DAY_OF_MONTH_AT_MIDNIGHT" => "0 0 1 * *",
        "EVERY_1ST_DAY_OF_MONTH_AT_NOON" => "0 12 1 * *",
        "EVERY_2ND_MONTH" => "0 0 1 */2 *",
        "EVERY_QUARTER" => "0 0 1 */3 *",
        "EVERY_6_MONTHS" => "0 0 1 */6 *",
        "EVERY_YEAR" => "0 0 1 1 *",
        "EVERY_30_MINUTES_BETWEEN_9AM_AND_5PM" => "0 */30 9-17 * * *",
        "EVERY_30_MINUTES_BETWEEN_9AM_AND_6PM" => "0 */30 9-18 * * *",
        "EVERY_30_MINUTES_BETWEEN_10AM_AND_7PM" => "0 */30 10-19 * * *",
        _ => "",
    };
    if !fixed.is_empty() {
        return Some(fixed.to_owned());
    }
    if let Some(time) = word.strip_prefix("EVERY_DAY_AT_") {
        return Some(format!("0 {} * * *", hour(time)?));
    }
    if let Some(time) = word.strip_prefix("MONDAY_TO_FRIDAY_AT_") {
        return Some(format!("0 0 {} * * 1-5", hour(time)?));
    }
    let (number, unit) = word.strip_prefix("EVERY_")?.split_once('_')?;
    let number: u8 = number.parse().ok()?;
    Some(match unit {
        "SECONDS" => format!("*/{number} * * * * *"),
        "MINUTES" => format!("0 */{number} * * * *"),
        "HOURS" => format!("0 0-23/{number} * * *"),
        _ => return None,
    })
}

/// The hour of `3AM`, `MIDNIGHT`, `NOON`. Hours before noon have two digits.
fn hour(time: &str) -> Option<String> {
    match time {
        "MIDNIGHT" => return Some("0".to_owned()),
        "NOON" => return Some("12".to_owned()),
        _ => {}
    }
    let number = |text: &str| text.parse::<u8>().ok().filter(|hour| (1..=12).contains(hour));
    if let Some(morning) = time.strip_suffix("AM") {
        return Some(format!("{:02}", number(morning)? % 12));
    }
    let evening = number(time.strip_suffix("PM")?)?;
    Some((evening % 12 + 12).to_string())
}

/// `cors()`, `app.enableCors({ origin })`, `fastify.register(cors, {…})`, `new Server(http, { cors: {…} })`.
fn cors(code: &Code<'_>, call: &Call, facts: &mut Facts) {
    let arguments = code.arguments(call.open);
    let options: Option<Range<usize>> = if call.method() == "enableCors"
        || matches!(
            call.full.as_str(),
            "cors#" | "@koa/cors#" | "hono/cors#cors" | "@elysiajs/cors#cors"
        ) {
        arguments.first().map(|first| first.range.clone())
    } else if call.method() == "register"
        && arguments
            .first()
            .and_then(|first| code.imports.get(first.written(code.text())))
            .is_some_and(|import| import.module == "@fastify/cors")
    {
        arguments.get(1).map(|second| second.range.clone())
    } else if call.full.starts_with("socket.io#") || call.full == "@nestjs/core#NestFactory.create" {
        let cors = arguments
            .iter()
            .find_map(|argument| code.entry(&argument.range, "cors"));
        match cors {
            Some(cors) if cors.written(code.text()) != "false" => Some(cors.range),
            _ => return,
        }
    } else {
        return;
    };
    let options = options.map(|range| followed(code, range));
    let origin = options.as_ref().and_then(|range| {
        code.entry(range, "origin")
            .map(|entry| followed(code, entry.range))
    });
    let mut policy = CorsPolicy {
        origins: Vec::new(),
        variables: Vec::new(),
        wildcard: false,
        pattern: false,
        credentials: options
            .as_ref()
            .and_then(|range| code.entry(range, "credentials"))
            .is_some_and(|entry| entry.written(code.text()) == "true"),
        service: None,
        evidence: vec![code.source.at(code.line(call.open))],
    };
    match origin {
        // Without an origin these libraries admit every one.
        None => {
            policy.wildcard = options.as_ref().is_none_or(|range| {
                !code.object(range).is_empty()
                    || slice(code.code(), range.start, range.end) == "true"
                    || range.is_empty()
            });
        }
        Some(range) => {
            let written = slice(code.text(), range.start, range.end).trim();
            policy.wildcard = written == "true";
            policy.pattern =
                written.starts_with('/') || written.contains("new RegExp") || written.contains("[/");
            policy.variables = value::variables(code, &range)
                .into_iter()
                .map(Into::into)
                .collect();
            if policy.variables.is_empty() {
                policy
                    .variables
                    .extend(value::variable(code, &range).map(Shown::from));
            }
            for literal in code
                .masked
                .literals_in(&range)
                .iter()
                .filter(|literal| literal.end <= range.end)
                .take(50)
            {
                let Some(text) = literal.value(code.text()) else {
                    continue;
                };
                if text == "*" {
                    policy.wildcard = true;
                } else if text.contains("://") {
                    policy.origins.extend(
                        HttpUrl::parse(Raw::new(&text))
                            .map(Shown::from)
                            .or_else(|| Setting::judge("ORIGIN", Raw::new(&text)).map(Shown::from)),
                    );
                }
            }
        }
    }
    facts.cors.push(policy);
}

/// A name is followed to where it is declared in this file.
fn followed(code: &Code<'_>, range: Range<usize>) -> Range<usize> {
    code.constant(slice(code.text(), range.start, range.end).trim())
        .unwrap_or(range)
}

/// Interfaces and middleware that matter at the edge.
fn edge(code: &Code<'_>, call: &Call, objects: &BTreeMap<String, Object>, facts: &mut Facts) {
    let arguments = code.arguments(call.open);
    let module = call
        .full
        .split_once('#')
        .map(|(module, _)| module)
        .unwrap_or_default();
    match module {
        "express-rate-limit" | "rate-limiter-flexible" | "koa-ratelimit" | "hono-rate-limiter" => {
            signal(
                code,
                facts,
                SignalKind::RateLimit,
                "express-rate-limit",
                call.open,
            );
            let store = arguments
                .iter()
                .any(|argument| code.entry(&argument.range, "store").is_some());
            if module == "express-rate-limit" && !store {
                signal(code, facts, SignalKind::InMemoryState, "rate-limit", call.open);
            }
        }
        "express-session" => {
            facts.auth.push(AuthFact {
                kind: Shown::from("session"),
                evidence: vec![code.source.at(code.line(call.open))],
            });
            let store = arguments
                .iter()
                .any(|argument| code.entry(&argument.range, "store").is_some());
            if !store && call.full == "express-session#" {
                signal(
                    code,
                    facts,
                    SignalKind::InMemoryState,
                    "express-session",
                    call.open,
                );
            }
        }
        "multer" | "@fastify/multipart" | "busboy" | "formidable" | "express-fileupload"
            if (call.full == format!("{module}#") || call.method() == "diskStorage") =>
        {
            interface(code, facts, InterfaceKind::Upload, call.open);
            let disk = call.method() == "diskStorage"
                || arguments
                    .iter()
                    .any(|argument| code.entry(&argument.range, "dest").is_some());
            if disk {
                signal(code, facts, SignalKind::LocalFiles, "multer", call.open);
            }
        }
        "swagger-ui-express" if call.method() == "setup" => docs(code, facts, call),
        "@bull-board/api" | "adminjs" | "@adminjs/express"
            if call.method() == "createBullBoard" || call.new =>
        {
            interface(code, facts, InterfaceKind::Admin, call.open);
        }
        "graphql-yoga"
        | "@apollo/server"
        | "apollo-server-express"
        | "apollo-server"
        | "express-graphql"
        | "mercurius"
            if call.new || matches!(call.method(), "createYoga" | "graphqlHTTP") =>
        {
            interface(code, facts, InterfaceKind::GraphQl, call.open);
            facts.api_specs.push(ApiSpec {
                kind: Shown::from("graphql"),
                path: code.source.path.clone(),
                served_at: url_path("/graphql").map(Shown::from),
                evidence: vec![code.source.at(code.line(call.open))],
            });
        }
        "@nestjs/graphql" if call.method().starts_with("forRoot") => {
            interface(code, facts, InterfaceKind::GraphQl, call.open);
        }
        "@nestjs/throttler" if call.method().starts_with("forRoot") => {
            signal(code, facts, SignalKind::RateLimit, "nestjs-throttler", call.open);
        }
        "nodemailer" if call.method() == "createTransport" => {
            signal(code, facts, SignalKind::SendsMail, "nodemailer", call.open);
        }
        "bcrypt" | "bcryptjs" | "argon2" if call.method().starts_with("hash") => {
            let subject = if module == "argon2" { "argon2" } else { "bcrypt" };
            signal(code, facts, SignalKind::PasswordHash, subject, call.open);
        }
        "@nestjs/platform-express"
            if call.method() == "FileInterceptor" || call.method() == "FilesInterceptor" =>
        {
            interface(code, facts, InterfaceKind::Upload, call.open);
        }
        _ => {}
    }
    match call.method() {
        "set" | "enable"
            if call.object().is_some_and(|name| objects.contains_key(&name))
                && arguments.first().and_then(|first| first.literal.as_deref()) == Some("trust proxy") =>
        {
            signal(code, facts, SignalKind::TrustsProxy, "express", call.open);
        }
        "static" if call.full == "express#static" => interface(code, facts, InterfaceKind::Static, call.open),
        "get" | "use" | "all"
            if arguments
                .first()
                .and_then(|first| first.literal.as_deref())
                .is_some_and(|path| path == "/metrics")
                && code.asks_for("prom-client") =>
        {
            interface(code, facts, InterfaceKind::Metrics, call.open);
            if let Some(last) = facts.interfaces.last_mut() {
                last.path = url_path("/metrics").map(Shown::from);
            }
        }
        "post" | "use"
            if arguments
                .first()
                .and_then(|first| first.literal.as_deref())
                .is_some_and(|path| path.to_ascii_lowercase().contains("webhook")) =>
        {
            interface(code, facts, InterfaceKind::Webhook, call.open);
            if let Some(last) = facts.interfaces.last_mut() {
                last.path = arguments
                    .first()
                    .and_then(|first| url_path(first.literal.as_deref()?))
                    .map(Shown::from);
            }
        }
        _ => {}
    }
}

/// Pages of documentation of one file.
const MOST_API_DOCS: usize = 20;

/// Swagger UI: the path that it is mounted under.
fn docs(code: &Code<'_>, facts: &mut Facts, call: &Call) {
    // A program has one page of this kind, perhaps one a version.
    if facts.api_specs.len() >= MOST_API_DOCS {
        return;
    }
    let around = code.calls.iter().find(|outer| {
        outer.method() == "use"
            && code
                .masked
                .inside(outer.open)
                .is_some_and(|range| range.contains(&call.start))
    });
    let path = around
        .and_then(|outer| code.arguments(outer.open).into_iter().next()?.literal)
        .and_then(|text| url_path(&text))
        .map(Shown::from);
    interface(code, facts, InterfaceKind::ApiDocs, call.open);
    if let Some(last) = facts.interfaces.last_mut() {
        last.path.clone_from(&path);
    }
    facts.api_specs.push(ApiSpec {
        kind: Shown::from("openapi"),
        path: code.source.path.clone(),
        served_at: path,
        evidence: vec![code.source.at(code.line(call.open))],
    });
}

/// State that one process keeps for itself.
fn state(code: &Code<'_>, call: &Call, facts: &mut Facts) {
    match call.full.as_str() {
        "node-cache#" | "lru-cache#LRUCache" | "memory-cache#" if call.new => {
            signal(code, facts, SignalKind::InMemoryState, "cache", call.open);
        }
        "socket.io#" | "socket.io#Server" if !code.code().contains("adapter") => {
            signal(code, facts, SignalKind::InMemoryState, "socket.io", call.open);
        }
        _ => {}
    }
    // TLS whose certificate nobody checks.
    let rejects = code.arguments(call.open).iter().find_map(|argument| {
        code.entry(&argument.range, "rejectUnauthorized")
            .or_else(|| code.entry(&code.entry(&argument.range, "ssl")?.range, "rejectUnauthorized"))
            .or_else(|| code.entry(&code.entry(&argument.range, "tls")?.range, "rejectUnauthorized"))
    });
    if let Some(entry) = rejects.filter(|entry| entry.written(code.text()) == "false") {
        signal(
            code,
            facts,
            SignalKind::TlsVerificationOff,
            "rejectUnauthorized",
            entry.range.start,
        );
    }
}

/// Pools with their size: `new Pool({ max: 20 })`, `new Sequelize(url, { pool: { max: 5 } })`.
fn pool(code: &Code<'_>, call: &Call, facts: &mut Facts) {
    let (library, keys): (&'static str, &[&str]) = match call.full.as_str() {
        "pg#Pool" | "pg#default.Pool" => ("pg", &["max"]),
        "postgres#" => ("postgres", &["max"]),
        "mysql2#createPool" | "mysql2/promise#createPool" | "mysql#createPool" => {
            ("mysql2", &["connectionLimit"])
        }
        "sequelize#Sequelize" => ("sequelize", &["pool.max"]),
        "knex#" | "knex#knex" => ("knex", &["pool.max"]),
        "typeorm#DataSource" => ("typeorm", &["poolSize", "extra.max", "extra.connectionLimit"]),
        "mongoose#connect" => ("mongoose", &["maxPoolSize"]),
        "mongodb#MongoClient" => ("mongodb", &["maxPoolSize"]),
        _ => return,
    };
    let arguments = code.arguments(call.open);
    let found = keys.iter().find_map(|key| {
        arguments.iter().find_map(|argument| {
            let mut range = followed(code, argument.range.clone());
            for part in key.split('.') {
                range = followed(code, code.entry(&range, part)?.range);
            }
            Some(range)
        })
    });
    let size = found.as_ref().and_then(|range| {
        let text = slice(code.code(), range.start, range.end);
        text.split(|c: char| !c.is_ascii_digit())
            .filter(|part| !part.is_empty())
            .filter_map(|part| part.parse().ok())
            .rfind(|size| *size < 10_000)
    });
    let variable = found
        .as_ref()
        .and_then(|range| value::variables(code, range).into_iter().next());
    facts.pools.push(Pool {
        library: Shown::from(library),
        datastore: match library {
            "pg" | "postgres" => Some(Shown::from("postgresql")),
            "mysql2" => Some(Shown::from("mysql")),
            "mongoose" | "mongodb" => Some(Shown::from("mongodb")),
            _ => None,
        },
        service: None,
        size,
        overflow: None,
        variable: variable.map(Into::into),
        confidence: if found.is_some() {
            Confidence::Stated
        } else {
            Confidence::Convention
        },
        evidence: vec![code.source.at(code.line(call.open))],
    });
}

/// `process.on("SIGTERM", …)`, terminus and its relatives.
fn shutdown(code: &Code<'_>, facts: &mut Facts) {
    for call in &code.calls {
        let first = code.arguments(call.open).into_iter().next();
        let term = first.as_ref().and_then(|first| first.literal.as_deref()) == Some("SIGTERM");
        let on =
            matches!(call.method(), "on" | "once") && call.path.first().is_some_and(|word| word == "process");
        let library = [
            "@godaddy/terminus#",
            "http-terminator#",
            "lightship#",
            "close-with-grace#",
            "http-graceful-shutdown#",
            "stoppable#",
        ]
        .iter()
        .any(|module| call.full.starts_with(module));
        if on && term || library {
            signal(code, facts, SignalKind::GracefulShutdown, "node", call.open);
            return;
        }
    }
    // `["SIGINT", "SIGTERM"].forEach(signal => process.on(signal, …))`
    if code.code().contains("process.on") {
        let listed = code
            .masked
            .literals()
            .iter()
            .find(|literal| literal.written(code.text()) == "SIGTERM");
        if let Some(literal) = listed {
            signal(code, facts, SignalKind::GracefulShutdown, "node", literal.start);
        }
    }
}
