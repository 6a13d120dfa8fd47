//! PHP: manifests, front controllers, queues and schedules, configuration, migrations.

mod known;
mod laravel;
mod manifest;
mod migration;
mod symfony;

use playbook_core::path::RelPath;

use super::ecosystem::{Code, entry, is_production, needles, pattern};
use super::{Detector, ending};
use crate::fact::{EntryKind, Facts};
use crate::source::Source;

/// `composer.json`, version files, configuration of Symfony, and PHP source.
pub(crate) const DETECTOR: Detector = Detector { wants, detect };

fn wants(path: &RelPath) -> bool {
    manifest::wants(path)
        || symfony::wants(path)
        || laravel::wants_env(path)
        || ending(path, &["php"]) && !path.name().ends_with(".blade.php")
}

fn detect(source: &Source<'_>, facts: &mut Facts) {
    if manifest::wants(source.path) {
        manifest::detect(source, facts);
        return;
    }
    if !is_production(source) {
        return;
    }
    if laravel::wants_env(source.path) {
        laravel::environment_file(source, facts);
        return;
    }
    if symfony::wants(source.path) {
        symfony::configuration(source, facts);
        return;
    }
    let Some(code) = Code::new(source, "php") else {
        return;
    };
    needles(&code, "php", facts);
    front_controller(&code, facts);
    laravel::detect(&code, facts);
    symfony::code(&code, facts);
    migration::detect(&code, facts);
}

/// `public/index.php` of a framework, or an `index.php` that loads more than itself in a document root.
fn front_controller(code: &Code<'_>, facts: &mut Facts) {
    let source = code.source;
    if source.path.name() != "index.php" {
        return;
    }
    let folder = source.path.parent();
    let document_root = folder.is_root()
        || matches!(
            folder.name(),
            "public" | "web" | "webroot" | "htdocs" | "html" | "www" | "public_html"
        );
    if !document_root {
        return;
    }
    let text = source.text;
    let framework = if code.has("LARAVEL_START") || text.contains("bootstrap/app.php") {
        "laravel"
    } else if text.contains("autoload_runtime.php") || code.has("Symfony\\Component") {
        "symfony"
    } else if code.has("AppFactory::create") || code.has("new \\Slim\\App") {
        "slim"
    } else if text.contains("Config/Paths.php") || code.has("BASEPATH") {
        "codeigniter"
    } else if pattern!(r"\b(?:require|include)(?:_once)?\b").is(code.plain()) || code.has("->run(") {
        "php"
    } else {
        return;
    };
    let at =
        pattern!(r"(?m)(?:->handle|->handleRequest|->run|bootWeb)\s*\(|autoload_runtime|CodeIgniter\.php")
            .all(text)
            .last()
            .and_then(|found| found.get(0).map(|found| found.start()));
    let symbol = match folder.as_str() {
        "" | "." => "index.php".to_owned(),
        _ => format!("{}/index.php", folder.name()),
    };
    let line = at.map_or(1, |at| code.line(at));
    facts
        .entry_points
        .push(entry(source, EntryKind::Server, framework, &symbol, line));
}

#[cfg(test)]
mod tests;
