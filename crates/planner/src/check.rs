//! Holds finished Markdown against the structure that every plan has.

use std::collections::{BTreeMap, BTreeSet};

use pulldown_cmark::{CodeBlockKind, CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

/// The sections, in their order.
pub const SECTIONS: [&str; 11] = [
    "Prerequisites & Environment Matrix",
    "Backend Infrastructure Provisioning",
    "Backend Container Image Pipeline",
    "Backend Secret & Configuration Management",
    "Backend Data Layer Initialization",
    "Backend Service Deployment & Wiring",
    "API Ingress & External Access",
    "Backend Rollout Strategy",
    "Backend Observability & Monitoring",
    "Backend Operational Readiness",
    "Backend Docker & Custom Infrastructure Considerations",
];

/// The parts around the sections.
pub const PARTS: [&str; 6] = [
    "Executive Summary",
    "Architecture Overview",
    "Checklist",
    "Estimated Timeline",
    "Risk Assessment",
    "Assumptions and Open Questions",
];

/// What is wrong with the structure. Carries lines and our own words only.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The document's first line is not its title.
    #[error("it does not start with its title")]
    Title,
    /// The sections are not all there in their order; the number is the first that is missing.
    #[error("section {0} is missing or not in its place")]
    Section(usize),
    /// A part around the sections is missing.
    #[error("the part `{0}` is missing")]
    Part(&'static str),
    /// A row has another number of cells than the head of its table.
    #[error("line {0}: a row of a table has another number of cells than its head")]
    Table(usize),
    /// HTML got into the text.
    #[error("line {0}: raw HTML")]
    Html(usize),
    /// A fence names no language or is not closed.
    #[error("line {0}: a fence names no language or is not closed")]
    Fence(usize),
    /// A link to a heading that is not there.
    #[error("line {0}: a link leads to no heading")]
    Link(usize),
    /// A control character, or a mark of ours that was not replaced.
    #[error("line {0}: a control character")]
    Control(usize),
}

/// Checks headings, tables, fences, links and characters.
pub fn check(text: &str) -> Result<(), Malformed> {
    characters(text)?;
    rows(text)?;
    let line_at = |offset: usize| {
        text.get(..offset)
            .map_or(0, |before| before.matches('\n').count())
            + 1
    };
    let mut headings: Vec<(HeadingLevel, String)> = Vec::new();
    let mut heading: Option<(HeadingLevel, String)> = None;
    let mut links: Vec<(String, usize)> = Vec::new();
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
        match event {
            Event::Html(_) | Event::InlineHtml(_) => return Err(Malformed::Html(line_at(range.start))),
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                let block = text.get(range.clone()).unwrap_or_default();
                if info.trim().is_empty()
                    || !block.trim_end().ends_with("```")
                    || block.trim_end().lines().count() < 2
                {
                    return Err(Malformed::Fence(line_at(range.start)));
                }
            }
            Event::Start(Tag::Heading { level, .. }) => heading = Some((level, String::new())),
            Event::End(TagEnd::Heading(_)) => headings.extend(heading.take()),
            Event::Start(Tag::Link { dest_url, .. }) => {
                if let Some(anchor) = dest_url.strip_prefix('#') {
                    links.push((anchor.to_owned(), range.start));
                }
            }
            Event::Text(piece) | Event::Code(piece) => append(&mut heading, &piece),
            _ => {}
        }
    }
    if !headings.first().is_some_and(|(level, title)| {
        *level == HeadingLevel::H1 && title.starts_with("Backend Deployment Plan: ")
    }) {
        return Err(Malformed::Title);
    }
    let second: Vec<&str> = headings
        .iter()
        .filter(|(level, _)| *level == HeadingLevel::H2)
        .map(|(_, title)| title.as_str())
        .collect();
    let numbered: Vec<&str> = second
        .iter()
        .filter(|title| title.starts_with(|c: char| c.is_ascii_digit()))
        .copied()
        .collect();
    for (at, section) in SECTIONS.iter().enumerate() {
        if numbered
            .get(at)
            .is_none_or(|title| *title != format!("{}. {section}", at + 1))
        {
            return Err(Malformed::Section(at + 1));
        }
    }
    if numbered.len() > SECTIONS.len() {
        return Err(Malformed::Section(SECTIONS.len() + 1));
    }
    for part in PARTS {
        if !second.contains(&part) {
            return Err(Malformed::Part(part));
        }
    }
    let anchors = anchors(&headings);
    for (anchor, offset) in links {
        if !anchors.contains(&anchor) {
            return Err(Malformed::Link(line_at(offset)));
        }
    }
    Ok(())
}

fn append(heading: &mut Option<(HeadingLevel, String)>, piece: &CowStr<'_>) {
    if let Some((_, title)) = heading {
        title.push_str(piece);
    }
}

/// No control characters, no text that runs backwards, and none of the marks that stand for numbers and pipes while a
/// plan is put together.
fn characters(text: &str) -> Result<(), Malformed> {
    for (at, line) in text.lines().enumerate() {
        if line.chars().any(|c| {
            c.is_control() || playbook_core::secret::is_invisible(c) || ('\u{E000}'..='\u{F8FF}').contains(&c)
        }) {
            return Err(Malformed::Control(at + 1));
        }
    }
    Ok(())
}

/// The marks of the fence that is open after a line, if one was open before it. A line with further backticks holds a
/// code span and opens none.
pub(crate) fn fence_after(fence: Option<usize>, line: &str) -> Option<usize> {
    let line = line.trim();
    let info = line.trim_start_matches('`');
    let marks = line.len() - info.len();
    match fence {
        None if marks >= 3 && !info.contains('`') => Some(marks),
        Some(open) if marks >= open && info.is_empty() => None,
        unchanged => unchanged,
    }
}

/// Rows of a table have the width of its head: a parser silently drops what is too much.
fn rows(text: &str) -> Result<(), Malformed> {
    let mut fence: Option<usize> = None;
    let mut width: Option<usize> = None;
    for (at, line) in text.lines().enumerate() {
        fence = fence_after(fence, line);
        if fence.is_some() || !line.starts_with('|') {
            width = None;
            continue;
        }
        let mut cells = 0;
        let mut escaped = false;
        for c in line.chars() {
            if c == '|' && !escaped {
                cells += 1;
            }
            escaped = c == '\\' && !escaped;
        }
        match width {
            None => width = Some(cells),
            Some(width) if width != cells => return Err(Malformed::Table(at + 1)),
            Some(_) => {}
        }
    }
    match fence {
        Some(_) => Err(Malformed::Fence(text.lines().count())),
        None => Ok(()),
    }
}

/// The anchors that a heading gets on the usual hosts.
fn anchors(headings: &[(HeadingLevel, String)]) -> BTreeSet<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut anchors = BTreeSet::new();
    for (_, title) in headings {
        let slug: String = title
            .to_lowercase()
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | ' '))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect();
        let count = counts.entry(slug.clone()).or_default();
        anchors.insert(if *count == 0 {
            slug
        } else {
            format!("{slug}-{count}")
        });
        *count += 1;
    }
    anchors
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn plan(extra: &str) -> String {
        let mut text =
            "# Backend Deployment Plan: x\n\n## Executive Summary\n\n## Architecture Overview\n\n".to_owned();
        for (at, section) in SECTIONS.iter().enumerate() {
            write!(text, "## {}. {section}\n\n", at + 1).expect("writing to a string");
        }
        text.push_str("## Checklist\n\n## Estimated Timeline\n\n## Risk Assessment\n\n## Assumptions and Open Questions\n\n");
        text.push_str(extra);
        text
    }

    #[test]
    fn a_whole_plan_passes() {
        let extra = "```` a```b ```` is no fence\n\n| a | b |\n|---|---|\n| `x\\|y` | z |\n\n```bash\ntrue\n```\n\n[x](#checklist)\n";
        assert_eq!(check(&plan(extra)), Ok(()));
    }

    #[test]
    fn each_fault_is_found() {
        assert!(matches!(check(&plan("<b>x</b>")), Err(Malformed::Html(_))));
        assert!(matches!(
            check(&plan("| a | b |\n|---|---|\n| c |\n")),
            Err(Malformed::Table(_))
        ));
        assert!(matches!(check(&plan("```\nx\n```\n")), Err(Malformed::Fence(_))));
        assert!(matches!(check(&plan("```bash\nx\n")), Err(Malformed::Fence(_))));
        assert!(matches!(check(&plan("[x](#nowhere)")), Err(Malformed::Link(_))));
        assert!(matches!(check(&plan("a\u{7}b")), Err(Malformed::Control(_))));
        assert!(matches!(check(&plan("a\u{E000}b")), Err(Malformed::Control(_))));
        assert_eq!(
            check(&plan("").replace("## 4.", "## Four.")),
            Err(Malformed::Section(4))
        );
        assert_eq!(
            check(&plan("").replace("## Checklist", "## List")),
            Err(Malformed::Part("Checklist"))
        );
        assert_eq!(check("x"), Err(Malformed::Title));
    }
}
