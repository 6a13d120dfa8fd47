//! Django's `urlpatterns`, and the routers of its REST framework.

use playbook_core::harmless::{Symbol, UrlPath};
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use super::super::syntax::{Call, Code, Span};
use super::mount;
use crate::fact::{Facts, RouteFact};

/// Tells the patterns of a file. They belong to `module:urlpatterns`; the root's are those that nothing includes.
pub(super) fn detect(code: &Code<'_>, facts: &mut Facts) {
    if code.constant("urlpatterns").is_none() && !code.uses("rest_framework.routers") {
        return;
    }
    let own = Symbol::parse(Raw::new(&format!("{}:urlpatterns", code.module_name())));
    let calls: Vec<Call<'_>> = code
        .calls()
        .into_iter()
        .filter(|call| pattern_kind(code, call).is_some())
        .collect();
    // Only a list within `include([…])` holds further patterns.
    let lists: Vec<&Call<'_>> = calls
        .iter()
        .filter(|call| code.code(call.open, call.close).contains("include(["))
        .collect();
    for call in &calls {
        let Some((path, second)) = parts(code, call) else {
            continue;
        };
        // Lists of patterns within `include([…])` carry the patterns around them.
        let around: String = lists
            .iter()
            .take_while(|outer| outer.open < call.start)
            .filter(|outer| call.close < outer.close)
            .filter_map(|outer| parts(code, outer).map(|(path, _)| path))
            .collect();
        let whole = format!("/{around}{path}");
        let include = code
            .calls_in(second)
            .into_iter()
            .find(|inner| inner.start == second.start && inner.name.rsplit('.').next() == Some("include"));
        match include {
            Some(include) => included(code, facts, &include, &whole, own.as_ref(), call.start),
            None if code.code_of(second).contains("admin.site.urls") => {}
            None => route(code, facts, &whole, own.clone(), second, call.start, &[]),
        }
    }
    rest_framework(code, facts, own.as_ref());
}

/// Is a call one of a pattern; `true` for a regular expression?
fn pattern_kind(code: &Code<'_>, call: &Call<'_>) -> Option<bool> {
    match code.full_name(call.name).as_str() {
        "django.urls.path" => Some(false),
        "django.urls.re_path" | "django.conf.urls.url" | "django.urls.url" => Some(true),
        _ => None,
    }
}

/// The path of a pattern and what it leads to.
fn parts(code: &Code<'_>, call: &Call<'_>) -> Option<(String, Span)> {
    let arguments = code.arguments(call);
    let text = code.text_or_constant(arguments.first()?.value)?;
    let second = arguments.get(1)?.value;
    let path = if pattern_kind(code, call)? {
        plain(&text)
    } else {
        text
    };
    Some((path.trim_start_matches('/').to_owned(), second))
}

/// A regular expression as a path: anchors go, named groups become parameters.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text.trim_start_matches('^').trim_end_matches('$');
    while let Some((before, after)) = rest.split_once("(?P<") {
        out.push_str(before);
        let (name, behind) = after.split_once('>').unwrap_or((after, ""));
        out.push('<');
        out.push_str(name);
        out.push('>');
        let mut depth = 1;
        let end = behind.find(|c: char| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            depth == 0
        });
        rest = end.and_then(|end| behind.get(end + 1..)).unwrap_or_default();
    }
    out.push_str(rest);
    out.replace('\\', "").trim_end_matches('?').to_owned()
}

fn included(
    code: &Code<'_>,
    facts: &mut Facts,
    include: &Call<'_>,
    whole: &str,
    own: Option<&Symbol>,
    offset: usize,
) {
    let Some(first) = code.arguments(include).first().map(|first| first.value) else {
        return;
    };
    let text = code
        .string(first)
        .or_else(|| code.string(*code.list(first)?.first()?));
    let child = match (text, code.path(first)) {
        (Some(module), _) if module == "health_check.urls" => {
            route(code, facts, whole, own.cloned(), first, offset, &["database"]);
            return;
        }
        (Some(module), _) => format!("{}:urlpatterns", code.rooted(&module)),
        // `include(router.urls)` of the REST framework, or a list or module of patterns.
        (None, Some(path)) => {
            let object = path.strip_suffix(".urls").unwrap_or(path);
            match code.imported(object) {
                Some(module) => format!("{}:urlpatterns", code.rooted(module)),
                None => format!("{}:{object}", code.module_name()),
            }
        }
        (None, None) => return,
    };
    let child = Symbol::parse(Raw::new(&child));
    mount::push(code, facts, whole, None, child.as_ref(), own.cloned(), offset);
}

fn route(
    code: &Code<'_>,
    facts: &mut Facts,
    path: &str,
    router: Option<Symbol>,
    view: Span,
    offset: usize,
    touches: &[&'static str],
) {
    let Some(path) = UrlPath::parse(Raw::new(path)) else {
        return;
    };
    let written = code.code_of(view);
    facts.routes.push(RouteFact {
        method: "*",
        path,
        router,
        authenticated: [
            "login_required(",
            "permission_required(",
            "staff_member_required(",
        ]
        .iter()
        .any(|word| written.contains(word))
        .then_some(true),
        touches: touches.iter().map(|kind| Shown::from(*kind)).collect(),
        constant: written.starts_with("lambda ") && written.contains("HttpResponse("),
        framework: Shown::from("django"),
        scope: code.source.scope,
        evidence: code.source.at(code.line(offset)),
    });
}

/// `router.register("users", UserViewSet)`, and `urlpatterns = router.urls`.
fn rest_framework(code: &Code<'_>, facts: &mut Facts, own: Option<&Symbol>) {
    if !code.uses("rest_framework") && !code.uses("rest_framework_nested") {
        return;
    }
    for call in code.calls() {
        let Some(object) = call.name.strip_suffix(".register") else {
            continue;
        };
        let router = code.constant(object).is_some_and(|value| {
            code.calls_in(value)
                .first()
                .is_some_and(|maker| maker.name.ends_with("Router"))
        });
        let arguments = code.arguments(&call);
        let Some(first) = arguments.first().filter(|_| router) else {
            continue;
        };
        if let Some(text) = code.string(first.value) {
            let key = Symbol::parse(Raw::new(&format!("{}:{object}", code.module_name())));
            let path = format!("/{}/", plain(&text).trim_matches('/'));
            route(code, facts, &path, key, first.value, call.start, &[]);
        }
    }
    let Some(value) = code.constant("urlpatterns") else {
        return;
    };
    let written = code.code_of(value);
    for part in written.split(['+', ' ']) {
        if let Some(object) = part.trim().strip_suffix(".urls") {
            let child = Symbol::parse(Raw::new(&format!("{}:{object}", code.module_name())));
            mount::push(code, facts, "/", None, child.as_ref(), own.cloned(), value.start);
        }
    }
}
