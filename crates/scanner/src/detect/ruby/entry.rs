//! Where processes of Ruby begin: Rails, Rack, Puma's settings, queue workers, clocks.

use playbook_core::harmless::{EnvName, Setting};
use playbook_core::inventory::{SignalKind, VariableOrigin};
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use crate::detect::ecosystem::{Code, entry, group, kind_of_scheme, pattern, start, store};
use crate::fact::{EntryKind, Facts, VariableFact};

pub(super) fn detect(code: &Code<'_>, facts: &mut Facts) {
    let source = code.source;
    let folder = source.path.parent();
    match source.path.name() {
        "application.rb" if folder.name() == "config" => rails(code, facts),
        "production.rb" if folder.name() == "environments" => settings(code, facts),
        "config.ru" => rack(code, facts),
        "puma.rb" => puma(code, facts),
        "clock.rb" if code.has("Clockwork") => {
            facts
                .entry_points
                .push(entry(source, EntryKind::Scheduler, "whenever", "clock.rb", 1));
        }
        _ => {
            classic_sinatra(code, facts);
            consumers(code, facts);
        }
    }
}

/// `class Application < Rails::Application`.
fn rails(code: &Code<'_>, facts: &mut Facts) {
    let Some(line) = code.line_with("< Rails::Application") else {
        return;
    };
    let source = code.source;
    facts
        .entry_points
        .push(entry(source, EntryKind::Server, "rails", "config.ru", line));
    // Without it Rails runs in development; production does not start without a key, which the credentials may hold.
    for (name, secret) in [("RAILS_ENV", false), ("SECRET_KEY_BASE", true)] {
        if let Some(name) = EnvName::parse(Raw::new(name)) {
            let mut variable = VariableFact::new(name, VariableOrigin::Code, source.scope, source.at(line));
            variable.required = true;
            variable.secret = secret;
            facts.variables.push(variable);
        }
    }
    settings(code, facts);
}

/// The adapters that production is configured with.
fn settings(code: &Code<'_>, facts: &mut Facts) {
    let source = code.source;
    for found in code.all(&pattern!(
        r"(?m)^\s*config\.(?P<key>active_job\.queue_adapter|cache_store|session_store|active_storage\.service|action_mailer\.delivery_method)\s*=?\s*:(?P<value>\w+)"
    )) {
        let line = code.line(start(&found));
        let value = group(&found, "value");
        match (group(&found, "key"), value) {
            ("active_job.queue_adapter", "async" | "inline") => facts.signal(
                SignalKind::InMemoryState,
                Some(Shown::from("active-job")),
                source.scope,
                source.at(line),
            ),
            ("active_job.queue_adapter", adapter) => worker(code, adapter, line, facts),
            ("cache_store" | "session_store", kind) => {
                let kind = match kind {
                    "redis_cache_store" | "redis_store" | "redis_session_store" => "redis",
                    "mem_cache_store" | "dalli_store" => "memcached",
                    "file_store" | "memory_store" => {
                        let subject = Some(Shown::from("cache-store"));
                        facts.signal(SignalKind::InMemoryState, subject, source.scope, source.at(line));
                        continue;
                    }
                    _ => continue,
                };
                facts.stores.extend(store(source, kind, true, line));
            }
            ("active_storage.service", "local" | "test") => facts.signal(
                SignalKind::LocalFiles,
                Some(Shown::from("active-storage")),
                source.scope,
                source.at(line),
            ),
            ("active_storage.service", service) => {
                let kind = match service {
                    "amazon" | "s3" | "aws" => Some("s3"),
                    "google" | "gcs" => Some("gcs"),
                    "azure" | "microsoft" => Some("azure-blob"),
                    other => kind_of_scheme(other),
                };
                facts
                    .stores
                    .extend(kind.and_then(|kind| store(source, kind, true, line)));
            }
            ("action_mailer.delivery_method", method) if method != "test" && method != "file" => {
                facts.signal(SignalKind::SendsMail, None, source.scope, source.at(line));
            }
            _ => {}
        }
    }
    if let Some(line) = code.line_with("config.assume_ssl = true") {
        facts.signal(SignalKind::TrustsProxy, None, source.scope, source.at(line));
    }
}

/// The process that works off a queue of Active Job.
fn worker(code: &Code<'_>, adapter: &str, line: u32, facts: &mut Facts) {
    let framework = match adapter {
        "sidekiq" => "sidekiq",
        "solid_queue" => "solid-queue",
        "good_job" => "good-job",
        "delayed_job" | "delayed" => "delayed-job",
        "resque" => "resque",
        "shoryuken" | "amazon_sqs" => "shoryuken",
        _ => return,
    };
    facts.entry_points.push(entry(
        code.source,
        EntryKind::Worker,
        framework,
        "config/environment.rb",
        line,
    ));
}

/// `config.ru` of an application without Rails.
fn rack(code: &Code<'_>, facts: &mut Facts) {
    if code.has("Rails.") || code.has("Rails::") || code.has("Hanami.") {
        if let Some(line) = code.line_with("Hanami.") {
            facts
                .entry_points
                .push(entry(code.source, EntryKind::Server, "hanami", "config.ru", line));
        }
        return;
    }
    if let Some(found) = code.first(&pattern!(r"(?m)^\s*run[ (]")) {
        let line = code.line(start(&found));
        facts.entry_points.push(entry(
            code.source,
            EntryKind::Server,
            "sinatra",
            "config.ru",
            line,
        ));
    }
}

/// `require "sinatra"` in a script that runs by itself.
fn classic_sinatra(code: &Code<'_>, facts: &mut Facts) {
    let depth = code.source.path.depth();
    let routes = code.first(&pattern!(r#"(?m)^(?:get|post|put)\s+["']/"#));
    let required = code.first(&pattern!(r#"(?m)^\s*require\s+["']sinatra["']"#));
    if let (Some(found), Some(_), true) = (required, routes, depth <= 3) {
        let line = code.line(start(&found));
        let symbol = code.source.path.name();
        facts
            .entry_points
            .push(entry(code.source, EntryKind::Server, "sinatra", symbol, line));
    }
}

/// Classes that a worker process of the library runs.
fn consumers(code: &Code<'_>, facts: &mut Facts) {
    for (needle, framework) in [
        ("include Sidekiq::Job", "sidekiq"),
        ("include Sidekiq::Worker", "sidekiq"),
        ("include Shoryuken::Worker", "shoryuken"),
        ("include Sneakers::Worker", "sneakers"),
    ] {
        if let Some(line) = code.line_with(needle) {
            facts.entry_points.push(entry(
                code.source,
                EntryKind::Worker,
                framework,
                "config/environment.rb",
                line,
            ));
        }
    }
}

/// Puma's port, address, workers, and the plugin that runs Solid Queue inside of it.
fn puma(code: &Code<'_>, facts: &mut Facts) {
    let source = code.source;
    let port = code.first(&pattern!(
        r#"(?m)^\s*port[ (]+(?:ENV(?:\.fetch\(\s*|\[\s*)["'](?P<name>\w+)["']\s*[\])]?\s*(?:,|\{|\|\||\)\s*\{)?\s*["']?)?(?P<port>\d{2,5})?"#
    ));
    let bind = code.first(&pattern!(
        r#"(?m)^\s*bind[ (]+["'](?:tcp|ssl)://(?P<host>[\d.]+):(?P<port>\d+)?"#
    ));
    if let Some(found) = port.as_ref().or(bind.as_ref()) {
        let line = code.line(start(found));
        let mut told = entry(source, EntryKind::Server, "puma", "config.ru", line);
        told.port = group(found, "port").parse().ok();
        told.port_variable = port
            .as_ref()
            .and_then(|found| EnvName::parse(Raw::new(group(found, "name"))));
        told.bind = bind
            .as_ref()
            .and_then(|found| Setting::parse(Raw::new(group(found, "host"))));
        facts.entry_points.push(told);
    }
    if let Some(found) = code.first(&pattern!(r"(?m)^\s*plugin[ (]+:solid_queue\b")) {
        facts.signal(
            SignalKind::InProcessScheduler,
            Some(Shown::from("solid-queue")),
            source.scope,
            source.at(code.line(start(&found))),
        );
    }
}
