//! Jobs that run by the clock.

use playbook_core::harmless::{Name, Schedule};
use playbook_core::inventory::SignalKind;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use super::known;
use super::syntax::{Argument, Call, Code, Definition, Span};
use super::value::argument;
use crate::fact::{Facts, JobFact};

pub(super) fn detect<'a>(code: &Code<'a>, definitions: &[Definition<'a>], facts: &mut Facts) {
    beat_schedules(code, facts);
    for call in code.calls() {
        celery_periodic(code, &call, facts);
        apscheduler(code, definitions, &call, facts);
        rq_scheduler(code, &call, facts);
        arq(code, &call, facts);
        schedule_library(code, &call, facts);
        decorated(code, definitions, &call, facts);
    }
    rq_definitions(code, facts);
    in_process(code, facts);
}

fn push(
    code: &Code<'_>,
    facts: &mut Facts,
    name: &str,
    schedule: Option<Schedule>,
    runner: &'static str,
    offset: usize,
) {
    let name = name
        .rsplit('.')
        .next()
        .filter(|last| !last.is_empty())
        .unwrap_or(name);
    let Some(name) = Name::parse(Raw::new(name)) else {
        return;
    };
    facts.jobs.push(JobFact {
        name,
        schedule,
        runner: Shown::from(runner),
        scope: code.source.scope,
        evidence: code.source.at(code.line(offset)),
    });
}

/// A schedule as the code says it: seconds as `every 30s`, `crontab(…)` and `timedelta(…)` as written.
fn schedule(code: &Code<'_>, span: Span) -> Option<Schedule> {
    let value = code
        .path(span)
        .and_then(|path| code.value_before(path, span.start))
        .unwrap_or(span);
    if let Some(text) = code.string(value) {
        return Schedule::parse(Raw::new(&text));
    }
    let number = code.code_of(value).replace('_', "").parse::<f64>().ok();
    if let Some(seconds) = number {
        return Schedule::parse(Raw::new(&format!("every {seconds}s")));
    }
    let product = code.code_of(value).split('*').try_fold(1_u64, |product, factor| {
        product.checked_mul(factor.trim().parse().ok()?)
    });
    if let Some(seconds) = product {
        return Schedule::parse(Raw::new(&format!("every {seconds}s")));
    }
    let written = code
        .written(value)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let written = written
        .rsplit_once("schedules.")
        .map_or(written.as_str(), |(_, last)| last);
    let written = written.strip_prefix("datetime.").unwrap_or(written);
    // A long setting may look like a token; without its object the name is shorter.
    Schedule::parse(Raw::new(written))
        .or_else(|| Schedule::parse(Raw::new(&written.replace("settings.", ""))))
        .or_else(|| Schedule::parse(Raw::new(&written.split('=').next()?.replace('(', " "))))
}

/// `beat_schedule = {"name": {"task": "…", "schedule": …}}`, also as `CELERY_BEAT_SCHEDULE` or an argument.
fn beat_schedules(code: &Code<'_>, facts: &mut Facts) {
    let mut tables: Vec<Span> = Vec::new();
    for statement in code.statements() {
        let Some((name, _, Some(value))) = code.assignment(*statement) else {
            continue;
        };
        let last = name.rsplit('.').next().unwrap_or(name).to_ascii_lowercase();
        if last.ends_with("beat_schedule") || last == "celerybeat_schedule" {
            tables.push(value);
        }
    }
    for call in code.calls() {
        if call.name.ends_with("conf.update") {
            tables.extend(argument(&code.arguments(&call), "beat_schedule"));
        }
    }
    for table in tables {
        let table = code
            .path(table)
            .and_then(|path| code.value_before(path, table.start))
            .unwrap_or(table);
        for (name, entry) in code.dictionary(table) {
            let parts = code.dictionary(entry);
            let find = |key: &str| {
                parts
                    .iter()
                    .find(|(name, _)| name == key)
                    .map(|(_, value)| *value)
            };
            let when = find("schedule").and_then(|span| schedule(code, span));
            let task = find("task").and_then(|span| code.string(span));
            let name = if Name::parse(Raw::new(&name)).is_some() {
                name
            } else {
                task.unwrap_or(name)
            };
            push(code, facts, &name, when, "celery-beat", entry.start);
        }
    }
}

/// `sender.add_periodic_task(30.0, task.s(), name="…")`.
fn celery_periodic(code: &Code<'_>, call: &Call<'_>, facts: &mut Facts) {
    if !call.name.ends_with("add_periodic_task") {
        return;
    }
    let arguments = code.arguments(call);
    let when = argument(&arguments, "0").and_then(|span| schedule(code, span));
    let task =
        argument(&arguments, "1").map(|span| code.code_of(span).split(['(', ' ']).next().unwrap_or_default());
    let task = task.map(|task| task.trim_end_matches(".s").trim_end_matches(".si").to_owned());
    let name = argument(&arguments, "name")
        .and_then(|span| code.string(span))
        .filter(|name| Name::parse(Raw::new(name)).is_some())
        .or(task)
        .unwrap_or_default();
    push(code, facts, &name, when, "celery-beat", call.start);
}

/// The trigger of APScheduler: `"interval", minutes=5`, `"cron", hour=3`, `CronTrigger.from_crontab("…")`.
fn trigger(code: &Code<'_>, arguments: &[Argument<'_>], first: usize) -> Option<Schedule> {
    let span = argument(arguments, "trigger").or_else(|| argument(arguments, &first.to_string()))?;
    let fields = |arguments: &[Argument<'_>]| {
        let parts: Vec<String> = arguments
            .iter()
            .filter_map(|argument| {
                let keyword = argument
                    .keyword
                    .filter(|keyword| known::words().trigger_fields.contains(keyword))?;
                let value = code
                    .string(argument.value)
                    .unwrap_or_else(|| code.code_of(argument.value).to_owned());
                Some(format!("{keyword}={value}"))
            })
            .collect();
        parts.join(", ")
    };
    if let Some(kind) = code.string(span) {
        return Schedule::parse(Raw::new(&format!("{kind}({})", fields(arguments))));
    }
    let call = code.calls_in(span).into_iter().next()?;
    let inner = code.arguments(&call);
    if call.name.ends_with("from_crontab") {
        return Schedule::parse(Raw::new(&code.string(inner.first()?.value)?));
    }
    let word = if call.name.to_ascii_lowercase().contains("cron") {
        "cron"
    } else {
        "interval"
    };
    Schedule::parse(Raw::new(&format!("{word}({})", fields(&inner))))
}

fn apscheduler(code: &Code<'_>, definitions: &[Definition<'_>], call: &Call<'_>, facts: &mut Facts) {
    if !(code.uses("apscheduler") || code.uses("flask_apscheduler") || code.uses("django_apscheduler")) {
        return;
    }
    let arguments = code.arguments(call);
    let method = call.name.rsplit('.').next().unwrap_or_default();
    match method {
        "add_job" => {
            let task = argument(&arguments, "0").or_else(|| argument(&arguments, "func"));
            let named = argument(&arguments, "id")
                .or_else(|| argument(&arguments, "name"))
                .and_then(|span| code.string(span));
            let task = task.map(|span| code.string(span).unwrap_or_else(|| code.code_of(span).to_owned()));
            let task = task.map(|task| task.rsplit(':').next().unwrap_or_default().to_owned());
            let name = named
                .filter(|name| Name::parse(Raw::new(name)).is_some())
                .or(task)
                .unwrap_or_default();
            push(
                code,
                facts,
                &name,
                trigger(code, &arguments, 1),
                "apscheduler",
                call.start,
            );
        }
        "scheduled_job" | "task" => {
            if let Some(handler) = handler(code, definitions, call) {
                push(
                    code,
                    facts,
                    handler.name,
                    trigger(code, &arguments, 0),
                    "apscheduler",
                    call.start,
                );
            }
        }
        _ => {}
    }
}

/// The function that a call decorates.
fn handler<'d, 'a>(
    code: &Code<'a>,
    definitions: &'d [Definition<'a>],
    call: &Call<'_>,
) -> Option<&'d Definition<'a>> {
    let number = code.statement_at(call.start);
    let line = code
        .statement(number)
        .map_or("", |statement| code.statement_code(statement));
    if !line.starts_with('@') {
        return None;
    }
    // Definitions stand in the order of their heads, which follow their decorators.
    let next = definitions.partition_point(|definition| definition.body.0 <= number);
    definitions
        .get(next)
        .filter(|definition| definition.decorators.contains(&number))
}

/// `scheduler.schedule(scheduled_time=…, func=task, interval=60)`, `scheduler.cron("0 3 * * *", func=task)`.
fn rq_scheduler(code: &Code<'_>, call: &Call<'_>, facts: &mut Facts) {
    if !(code.uses("rq_scheduler") || code.uses("django_rq")) {
        return;
    }
    let arguments = code.arguments(call);
    let Some(task) = argument(&arguments, "func").and_then(|span| code.path(span)) else {
        return;
    };
    let method = call.name.rsplit('.').next().unwrap_or_default();
    let when = match method {
        "cron" => argument(&arguments, "0").or_else(|| argument(&arguments, "cron_string")),
        "schedule" => argument(&arguments, "interval"),
        _ => return,
    };
    push(
        code,
        facts,
        task,
        when.and_then(|span| schedule(code, span)),
        "rq-scheduler",
        call.start,
    );
}

/// Lists of dictionaries `{"func": task, "interval": …}` that a file with rq-scheduler hands over.
fn rq_definitions(code: &Code<'_>, facts: &mut Facts) {
    if !code.uses("rq_scheduler") {
        return;
    }
    for statement in code.statements() {
        let mut at = statement.start;
        while let Some(open) = code.code(at, statement.end).find('{').map(|offset| at + offset) {
            let Some(close) = code.closing(open) else { break };
            let parts = code.dictionary(Span {
                start: open,
                end: close + 1,
            });
            let find = |key: &str| {
                parts
                    .iter()
                    .find(|(name, _)| name == key)
                    .map(|(_, value)| *value)
            };
            let when = find("interval").or_else(|| find("cron_string"));
            if let (Some(task), Some(when)) = (find("func").and_then(|span| code.path(span)), when) {
                push(code, facts, task, schedule(code, when), "rq-scheduler", open);
                at = close + 1;
            } else {
                at = open + 1;
            }
        }
    }
}

/// `cron(task, hour=3)` of arq.
fn arq(code: &Code<'_>, call: &Call<'_>, facts: &mut Facts) {
    let full = code.full_name(call.name);
    if !matches!(full.as_str(), "arq.cron" | "arq.cron.cron") {
        return;
    }
    let arguments = code.arguments(call);
    let Some(first) = arguments.first() else { return };
    let task = code
        .string(first.value)
        .unwrap_or_else(|| code.code_of(first.value).to_owned());
    let fields: Vec<String> = arguments
        .iter()
        .filter_map(|argument| {
            let keyword = argument
                .keyword
                .filter(|word| matches!(*word, "month" | "day" | "weekday" | "hour" | "minute" | "second"))?;
            let value = code
                .code_of(argument.value)
                .replace(['{', '}', ' '], "")
                .replace(',', "/");
            Some(format!("{keyword}={value}"))
        })
        .collect();
    push(
        code,
        facts,
        &task,
        Schedule::parse(Raw::new(&format!("cron({})", fields.join(", ")))),
        "arq",
        call.start,
    );
}

/// `schedule.every(10).minutes.do(task)`.
fn schedule_library(code: &Code<'_>, call: &Call<'_>, facts: &mut Facts) {
    let full = code.full_name(call.name);
    if full != "schedule.every" {
        return;
    }
    let Some(statement) = code.statement(code.statement_at(call.start)) else {
        return;
    };
    let inside = code.calls_in(Span {
        start: call.start,
        end: statement.end,
    });
    let Some(doing) = inside
        .iter()
        .find(|call| call.name.rsplit_once('.').is_some_and(|(_, last)| last == "do"))
    else {
        return;
    };
    let number = code
        .arguments(call)
        .first()
        .map_or(String::new(), |first| code.code_of(first.value).to_owned() + " ");
    let mut unit: String = code
        .code(call.close + 1, doing.open)
        .replace(".do", "")
        .replace('.', " ");
    if let Some(at) = inside
        .iter()
        .find(|call| call.name.rsplit_once('.').is_some_and(|(_, last)| last == "at"))
    {
        let time = code
            .arguments(at)
            .first()
            .and_then(|first| code.string(first.value))
            .unwrap_or_default();
        unit = format!(
            "{} at {time}",
            unit.split(" at").next().unwrap_or_default().trim()
        );
    }
    let when = format!("every {number}{}", unit.trim());
    let task = code
        .arguments(doing)
        .first()
        .map(|first| code.code_of(first.value).to_owned())
        .unwrap_or_default();
    push(
        code,
        facts,
        &task,
        Schedule::parse(Raw::new(&when)),
        "schedule",
        call.start,
    );
}

/// A period in the units of its keywords: `seconds=30`, `minutes=MINUTES_OF_A_DAY`.
fn period(code: &Code<'_>, call: &Call<'_>) -> Option<Schedule> {
    let arguments = code.arguments(call);
    let parts: Vec<String> = [("days", 'd'), ("hours", 'h'), ("minutes", 'm'), ("seconds", 's')]
        .into_iter()
        .filter_map(|(word, unit)| {
            let given = schedule(code, argument(&arguments, word)?)?;
            let number = given
                .as_str()
                .strip_prefix("every ")?
                .strip_suffix('s')?
                .to_owned();
            Some(format!("{number}{unit}"))
        })
        .collect();
    if parts.is_empty() {
        return argument(&arguments, "seconds").and_then(|span| schedule(code, span));
    }
    Schedule::parse(Raw::new(&format!("every {}", parts.join(" "))))
}

/// Decorators of other libraries: `@repeat_every(seconds=60)`, `@huey.periodic_task(crontab(…))`,
/// `@app.on_after_configure`, `@broker.task(schedule=[{"cron": "…"}])`, `@app.schedule(Rate(…))`.
fn decorated(code: &Code<'_>, definitions: &[Definition<'_>], call: &Call<'_>, facts: &mut Facts) {
    let method = call.name.rsplit('.').next().unwrap_or_default();
    let arguments = code.arguments(call);
    let (runner, when) = match method {
        "repeat_every" => ("fastapi-utils", period(code, call)),
        "periodic_task" | "db_periodic_task" => (
            "huey",
            argument(&arguments, "0").and_then(|span| schedule(code, span)),
        ),
        "periodic" if code.uses("procrastinate") => (
            "procrastinate",
            argument(&arguments, "cron").and_then(|span| schedule(code, span)),
        ),
        "crontab" if code.uses("aiocron") => (
            "aiocron",
            argument(&arguments, "0").and_then(|span| schedule(code, span)),
        ),
        "schedule" if code.uses("chalice") => (
            "chalice",
            argument(&arguments, "0").and_then(|span| schedule(code, span)),
        ),
        "timer_trigger" | "schedule" if code.uses("azure.functions") => (
            "azure-functions",
            argument(&arguments, "schedule").and_then(|span| schedule(code, span)),
        ),
        "task" if code.uses("taskiq") || code.uses("taskiq_redis") => {
            let Some(span) = argument(&arguments, "schedule") else {
                return;
            };
            let first = code.list(span).and_then(|items| items.first().copied());
            let cron = first
                .map(|item| code.dictionary(item))
                .unwrap_or_default()
                .into_iter()
                .find(|(key, _)| key == "cron");
            ("taskiq", cron.and_then(|(_, span)| schedule(code, span)))
        }
        _ => return,
    };
    if let Some(handler) = handler(code, definitions, call) {
        push(code, facts, handler.name, when, runner, call.start);
        if runner == "fastapi-utils" {
            facts.signal(
                SignalKind::InProcessScheduler,
                Some(Shown::from(runner)),
                code.source.scope,
                code.source.at(code.line(call.start)),
            );
        }
    }
}

/// Schedulers that run within the process that makes them.
fn in_process(code: &Code<'_>, facts: &mut Facts) {
    for call in code.calls() {
        let full = code.full_name(call.name);
        let library = match full.as_str() {
            "apscheduler.schedulers.background.BackgroundScheduler"
            | "apscheduler.schedulers.asyncio.AsyncIOScheduler"
            | "apscheduler.schedulers.gevent.GeventScheduler"
            | "apscheduler.schedulers.tornado.TornadoScheduler"
            | "flask_apscheduler.APScheduler" => "apscheduler",
            "threading.Timer" => "threading",
            _ => continue,
        };
        let evidence = code.source.at(code.line(call.start));
        facts.signal(
            SignalKind::InProcessScheduler,
            Some(Shown::from(library)),
            code.source.scope,
            evidence,
        );
    }
}
