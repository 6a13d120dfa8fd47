//! What every plan looks like, judged from outside by a Markdown parser: the planner's own check is not trusted here.

use std::collections::{BTreeMap, BTreeSet};

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

const SECTIONS: [&str; 11] = [
    "1. Prerequisites & Environment Matrix",
    "2. Backend Infrastructure Provisioning",
    "3. Backend Container Image Pipeline",
    "4. Backend Secret & Configuration Management",
    "5. Backend Data Layer Initialization",
    "6. Backend Service Deployment & Wiring",
    "7. API Ingress & External Access",
    "8. Backend Rollout Strategy",
    "9. Backend Observability & Monitoring",
    "10. Backend Operational Readiness",
    "11. Backend Docker & Custom Infrastructure Considerations",
];

const OTHERS: [&str; 6] = [
    "Executive Summary",
    "Architecture Overview",
    "Checklist",
    "Estimated Timeline",
    "Risk Assessment",
    "Assumptions and Open Questions",
];

/// What is wrong with a plan.
pub(crate) fn problems(plan: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let mut headings: Vec<(HeadingLevel, String)> = Vec::new();
    let mut links: BTreeSet<String> = BTreeSet::new();
    let mut heading: Option<String> = None;
    for event in Parser::new_ext(
        plan,
        Options::ENABLE_TABLES | Options::ENABLE_TASKLISTS | Options::ENABLE_FOOTNOTES,
    ) {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(level)) => headings.extend(heading.take().map(|text| (level, text))),
            Event::Text(text) | Event::Code(text) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&text);
                }
            }
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) if info.trim().is_empty() => {
                problems.push("a fence names no language".to_owned());
            }
            Event::Start(Tag::CodeBlock(CodeBlockKind::Indented)) => {
                problems.push("an indented code block".to_owned());
            }
            Event::Html(_) | Event::InlineHtml(_) | Event::Start(Tag::HtmlBlock) => {
                problems.push("HTML".to_owned());
            }
            Event::Start(Tag::Image { .. }) => problems.push("an image".to_owned()),
            Event::Start(Tag::Link { dest_url, .. }) => {
                links.insert(dest_url.into_string());
            }
            Event::FootnoteReference(_) => problems.push("a footnote".to_owned()),
            _ => {}
        }
    }
    if headings.first().is_none_or(|(level, text)| {
        *level != HeadingLevel::H1 || !text.starts_with("Backend Deployment Plan: ")
    }) {
        problems.push("the first heading is no title".to_owned());
    }
    if headings
        .iter()
        .filter(|(level, _)| *level == HeadingLevel::H1)
        .count()
        != 1
    {
        problems.push("not one title".to_owned());
    }
    let second: Vec<&str> = headings
        .iter()
        .filter(|(level, _)| *level == HeadingLevel::H2)
        .map(|(_, text)| text.as_str())
        .collect();
    let numbered: Vec<&str> = second
        .iter()
        .copied()
        .filter(|text| text.starts_with(|c: char| c.is_ascii_digit()))
        .collect();
    if numbered != SECTIONS {
        problems.push(format!("the numbered sections are {numbered:?}"));
    }
    for wanted in OTHERS {
        if second.iter().filter(|text| **text == wanted).count() != 1 {
            problems.push(format!("not one section {wanted:?}"));
        }
    }
    let anchors = anchors(&headings);
    for link in links {
        if let Some(anchor) = link.strip_prefix('#').filter(|anchor| !anchors.contains(*anchor)) {
            problems.push(format!("#{anchor} leads nowhere"));
        }
    }
    problems.extend(lines(plan));
    problems
}

/// The anchors that hosts of code make of headings.
fn anchors(headings: &[(HeadingLevel, String)]) -> BTreeSet<String> {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let mut anchors = BTreeSet::new();
    for (_, text) in headings {
        let slug: String = text
            .to_lowercase()
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect();
        let count = seen.entry(slug.clone()).or_default();
        anchors.insert(if *count == 0 {
            slug
        } else {
            format!("{slug}-{count}")
        });
        *count += 1;
    }
    anchors
}

/// What only the raw lines show: the parser pads short rows and closes open fences.
fn lines(plan: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let mut fence: Option<String> = None;
    let mut width: Option<usize> = None;
    for (at, line) in plan.lines().enumerate() {
        let number = at + 1;
        if line.chars().any(|c| c.is_control() && c != '\t') {
            problems.push(format!("line {number}: a control character"));
        }
        let trimmed = line.trim_start();
        if let Some(open) = &fence {
            if trimmed.starts_with(open.as_str()) && trimmed.trim_end().trim_matches('`').is_empty() {
                fence = None;
            }
            continue;
        }
        if trimmed.starts_with("```") {
            let ticks = trimmed.chars().take_while(|c| *c == '`').count();
            fence = Some("`".repeat(ticks));
            width = None;
            continue;
        }
        if line.starts_with('|') {
            let cells = line.replace("\\|", "").matches('|').count();
            if width.is_some_and(|width| width != cells) {
                problems.push(format!("line {number}: a row of another width"));
            }
            width.get_or_insert(cells);
        } else {
            width = None;
        }
    }
    if fence.is_some() {
        problems.push("a fence is not closed".to_owned());
    }
    problems
}

#[test]
fn a_broken_plan_has_problems() {
    let plan = "# Something\n\n## 2. B\n\n| a | b |\n|---|---|\n| 1 |\n\n[x](#nowhere)\n\n<b>\n\n```\nx\n";
    let found = problems(plan).join("\n");
    for wanted in [
        "no title",
        "numbered sections",
        "another width",
        "#nowhere leads nowhere",
        "HTML",
        "names no language",
        "not closed",
        "Checklist",
    ] {
        assert!(found.contains(wanted), "{wanted} is missing in\n{found}");
    }
}
