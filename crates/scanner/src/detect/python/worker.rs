//! Processes that work off queues and streams, or start work by the clock.

use playbook_core::shown::Shown;

use super::entry::{main_guard, push};
use super::syntax::{Call, Code, Definition};
use crate::fact::{EntryKind, Facts};

/// Tells workers and schedulers that are no application objects.
pub(super) fn detect(code: &Code<'_>, definitions: &[Definition<'_>], facts: &mut Facts) {
    rq(code, definitions, facts);
    arq(code, definitions, facts);
    schedule_loop(code, facts);
    consumers(code, definitions, facts);
    command(code, definitions, facts);
}

/// The function that holds an offset.
pub(super) fn holder<'d, 'a>(
    code: &Code<'a>,
    definitions: &'d [Definition<'a>],
    offset: usize,
) -> Option<&'d Definition<'a>> {
    let statement = code.statement_at(offset);
    definitions.iter().rfind(|definition| {
        !definition.class && definition.body.0 <= statement && statement < definition.body.1
    })
}

/// RQ: `Worker(…).work()`, and the `run` of an rq-scheduler.
fn rq(code: &Code<'_>, definitions: &[Definition<'_>], facts: &mut Facts) {
    if !code.uses("rq") && !code.uses("rq_scheduler") {
        return;
    }
    for call in code.calls() {
        let (receiver, method) = call.name.rsplit_once('.').unwrap_or(("", call.name));
        let made = |word: &str| {
            receiver.to_ascii_lowercase().contains(word)
                || code.value_before(receiver, call.start).is_some_and(|value| {
                    code.calls_in(value)
                        .first()
                        .is_some_and(|maker| maker.name.to_ascii_lowercase().contains(word))
                })
        };
        let inside = holder(code, definitions, call.start);
        let name = inside.map(|definition| definition.name);
        if method == "work" && (receiver.is_empty() || made("worker")) {
            push(
                code,
                facts,
                EntryKind::Worker,
                Shown::from("rq"),
                name,
                call.start,
            );
        } else if method == "run" && made("scheduler") {
            push(
                code,
                facts,
                EntryKind::Scheduler,
                Shown::from("rq-scheduler"),
                name,
                call.start,
            );
        }
    }
}

/// arq: a class with `functions = […]`, named by the command line.
fn arq(code: &Code<'_>, definitions: &[Definition<'_>], facts: &mut Facts) {
    for definition in definitions
        .iter()
        .filter(|definition| definition.class && definition.head.indent == 0)
    {
        let has = |name: &str| {
            code.statements()
                .iter()
                .take(definition.body.1)
                .skip(definition.body.0)
                .any(|statement| {
                    code.assignment(*statement)
                        .is_some_and(|(assigned, ..)| assigned == name)
                })
        };
        let settings = definition.name.ends_with("WorkerSettings") && (has("functions") || has("cron_jobs"));
        if settings || code.uses("arq") && has("functions") && has("redis_settings") {
            push(
                code,
                facts,
                EntryKind::Worker,
                Shown::from("arq"),
                Some(definition.name),
                definition.head.start,
            );
        }
    }
}

/// `while True: schedule.run_pending()`.
fn schedule_loop(code: &Code<'_>, facts: &mut Facts) {
    let pending = code
        .calls()
        .into_iter()
        .find(|call| code.full_name(call.name) == "schedule.run_pending");
    if let Some(call) = pending.filter(|call| in_endless_loop(code, call)) {
        push(
            code,
            facts,
            EntryKind::Scheduler,
            Shown::from("schedule"),
            None,
            call.start,
        );
    }
}

/// Does a call stand in a loop without an end?
fn in_endless_loop(code: &Code<'_>, call: &Call<'_>) -> bool {
    let mut at = Some(code.statement_at(call.start));
    while let Some(number) = at {
        let line = code
            .statement(number)
            .map_or("", |statement| code.statement_code(statement));
        if is_endless(line) {
            return true;
        }
        if line.starts_with("def ") || line.starts_with("async def ") || line.starts_with("class ") {
            return false;
        }
        at = code.parent(number);
    }
    false
}

fn is_endless(line: &str) -> bool {
    let condition = line
        .strip_prefix("while ")
        .map(|rest| rest.split(':').next().unwrap_or(rest).trim());
    condition.is_some_and(|condition| {
        matches!(condition, "True" | "1" | "(True)")
            || condition.starts_with("not ")
                && ["stop", "shutdown", "exit", "quit", "kill"]
                    .iter()
                    .any(|word| condition.contains(word))
            || ["running", "keep_running", "self.running", "self._running"].contains(&condition)
    })
}

/// Consumers of brokers with a loop of their own, in a file that is a program.
fn consumers(code: &Code<'_>, definitions: &[Definition<'_>], facts: &mut Facts) {
    let name = code.source.path.name();
    let named = [
        "worker",
        "consumer",
        "consume",
        "listener",
        "subscriber",
        "processor",
    ]
    .iter()
    .any(|word| name.contains(word));
    let program = main_guard(code).is_some() || named || name == "__main__.py";
    if !program {
        return;
    }
    for call in code.calls() {
        let full = code.full_name(call.name);
        let method = call.name.rsplit('.').next().unwrap_or(call.name);
        let library = if method == "start_consuming" && code.uses("pika") {
            "pika"
        } else if full == "kafka.KafkaConsumer" {
            "kafka-python"
        } else if matches!(
            full.as_str(),
            "confluent_kafka.Consumer" | "confluent_kafka.DeserializingConsumer"
        ) {
            "confluent-kafka"
        } else if full == "aiokafka.AIOKafkaConsumer" {
            "aiokafka"
        } else if matches!(method, "blpop" | "brpop" | "brpoplpush" | "blmove" | "xreadgroup")
            && code.uses("redis")
            && in_endless_loop(code, &call)
        {
            "redis"
        } else if matches!(method, "receive_message" | "receive_messages")
            && (code.uses("boto3") || code.uses("aioboto3"))
            && in_endless_loop(code, &call)
        {
            "sqs"
        } else if method == "subscribe" && code.uses("google.cloud.pubsub_v1") {
            "pubsub"
        } else {
            continue;
        };
        let inside = holder(code, definitions, call.start).map(|definition| definition.name);
        let inside = inside.filter(|name| !matches!(*name, "main" | "run" | "__init__"));
        push(
            code,
            facts,
            EntryKind::Worker,
            Shown::from(library),
            inside,
            call.start,
        );
        return;
    }
}

/// A management command of Django: a program, or a worker where it never ends.
fn command(code: &Code<'_>, definitions: &[Definition<'_>], facts: &mut Facts) {
    let folder = code.source.path.parent();
    let in_place = folder.name() == "commands" && folder.parent().name() == "management";
    let Some(class) = definitions
        .iter()
        .find(|definition| definition.class && definition.name == "Command")
    else {
        return;
    };
    if !in_place {
        return;
    }
    let endless = code
        .statements()
        .iter()
        .take(class.body.1)
        .skip(class.body.0)
        .any(|statement| is_endless(code.statement_code(*statement)));
    let kind = if endless {
        EntryKind::Worker
    } else {
        EntryKind::Program
    };
    push(
        code,
        facts,
        kind,
        Shown::from("django"),
        Some("Command"),
        class.head.start,
    );
}
