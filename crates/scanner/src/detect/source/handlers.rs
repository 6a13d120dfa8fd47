//! Handlers of health endpoints: which of them answer with a constant, and so say nothing about what the program needs.

use playbook_core::harmless::Name;
use playbook_core::raw::Raw;
use regex::Regex;
use std::sync::LazyLock;

use crate::conventions::{is_health_handler, may_have_health_handler};
use crate::fact::{Facts, HandlerFact};
use crate::language::{Hit, Language};
use crate::lex::Masked;
use crate::source::Source;

/// Characters of the longest body that answers with a constant.
const LONGEST: usize = 600;

// The patterns are part of the program; the tests below use them.
static CALL: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?P<name>[A-Za-z_]\w*)!?\s*(?:::\s*<[^>]*>\s*)?\(").ok());
static WORD: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?P<name>[A-Za-z_]\w*)\s*\)*\s*$").ok());

/// Has the text the name of a health endpoint's function in it? A cheap question before dear ones.
pub(super) fn may_tell(language: &Language, text: &str) -> bool {
    !language.answers().is_empty() && may_have_health_handler(text)
}

/// Tells the functions whose names are those of health endpoints.
pub(super) fn functions(source: &Source<'_>, language: &Language, facts: &mut Facts) {
    let found: Vec<(&str, usize)> = language
        .functions(source.text)
        .into_iter()
        .filter(|(name, _)| is_health_handler(name))
        .collect();
    if found.is_empty() {
        return;
    }
    let masked = language.mask(source.text);
    for (name, open) in found {
        let Some(body) = masked
            .closing(open)
            .and_then(|close| body_behind(&masked, close + 1))
        else {
            continue;
        };
        if let Some(name) = Name::parse(Raw::new(name)) {
            facts.handlers.push(HandlerFact {
                name,
                language: language.name(),
                constant: is_constant(language, body),
            });
        }
    }
}

/// The body in braces behind the parameters of a function.
fn body_behind(masked: &Masked, from: usize) -> Option<&str> {
    const HEADER: usize = 200;
    let code = masked.code();
    let header = code.get(from..)?;
    let brace = header.bytes().take(HEADER).position(|byte| byte == b'{')?;
    if header.get(..brace)?.contains(';') {
        return None;
    }
    code.get(masked.inside(from + brace)?)
}

/// Does a body make nothing but an answer: no call of another function, no decision, nothing that is waited for?
fn is_constant(language: &Language, body: &str) -> bool {
    let Some(calls) = CALL.as_ref() else { return false };
    body.len() <= LONGEST
        && !body.contains(".await")
        && !body.contains("if ")
        && !body.contains("match ")
        && calls.captures_iter(body).all(|call| {
            call.name("name")
                .is_some_and(|name| language.answers().iter().any(|word| word == name.as_str()))
        })
}

/// What a route's argument tells of its handler.
pub(super) enum Handler {
    /// It stands in the argument and answers with a constant, or not.
    Here(bool),
    /// A function with this name, which may stand in another file.
    Named(Name),
    /// Nothing that could be understood.
    Unknown,
}

/// The handler that stands in the arguments of a route.
pub(super) fn handler(language: &Language, hit: &Hit) -> Handler {
    let Some(written) = hit
        .attribute("handler")
        .filter(|_| !language.answers().is_empty())
    else {
        return Handler::Unknown;
    };
    let masked = language.mask(written);
    let code = masked.code();
    if let Some(open) = code.find('{') {
        return masked
            .inside(open)
            .and_then(|inside| code.get(inside))
            .map_or(Handler::Unknown, |body| {
                Handler::Here(is_constant(language, body))
            });
    }
    if let Some((_, body)) = code.split_once("=>") {
        return Handler::Here(is_constant(language, body));
    }
    // `get(livez)`, `web::get().to(health_check)`, `c.healthz`: the last word is the function. A call makes a handler
    // of something that is not seen here.
    let name = WORD
        .as_ref()
        .and_then(|word| word.captures(code))
        .and_then(|found| found.name("name"))
        .and_then(|name| Name::parse(Raw::new(name.as_str())));
    name.map_or(Handler::Unknown, Handler::Named)
}

#[cfg(test)]
mod tests {
    use super::super::DETECTOR;
    use crate::testing;

    fn constants(tree: &str) -> Vec<(String, bool)> {
        let mut facts = testing::facts(&DETECTOR, tree);
        crate::resolve::routes::judge_handlers(&mut facts);
        facts
            .routes
            .iter()
            .map(|route| (route.path.as_str().to_owned(), route.constant))
            .collect()
    }

    #[test]
    fn handlers_in_place() {
        let told = constants(
            "
//- router.go
package api
func routes(app *fiber.App, db *sql.DB) {
	app.Get(\"/healthz\", func(ctx *fiber.Ctx) error { return ctx.SendStatus(http.StatusOK) })
	app.Get(\"/readyz\", func(ctx *fiber.Ctx) error { return db.PingContext(ctx.Context()) })
}
",
        );
        assert_eq!(
            told,
            [("/healthz".to_owned(), true), ("/readyz".to_owned(), false)]
        );
    }

    #[test]
    fn handlers_of_other_files() {
        let told = constants(
            "
//- src/startup.rs
fn app() -> Router {
    Router::new().route(\"/health_check\", get(health_check)).route(\"/readyz\", get(readyz))
}
//- src/routes.rs
pub async fn health_check() -> HttpResponse {
    HttpResponse::Ok().finish()
}
pub async fn readyz(State(pool): State<PgPool>) -> StatusCode {
    match pool.acquire().await { Ok(_) => StatusCode::OK, Err(_) => StatusCode::SERVICE_UNAVAILABLE }
}
",
        );
        assert_eq!(
            told,
            [("/health_check".to_owned(), true), ("/readyz".to_owned(), false)]
        );
    }

    #[test]
    fn two_functions_of_one_name_prove_nothing() {
        let told = constants(
            "
//- a.go
package a
func routes(r *chi.Mux) { r.Get(\"/healthz\", healthz) }
func healthz(w http.ResponseWriter, r *http.Request) { w.WriteHeader(200) }
//- b.go
package b
func healthz(w http.ResponseWriter, r *http.Request) { check(w) }
",
        );
        assert_eq!(told, [("/healthz".to_owned(), false)]);
    }
}
