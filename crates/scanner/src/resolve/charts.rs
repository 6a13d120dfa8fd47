//! Helm: templates are read with the values and the name of their chart, and what a chart depends on is part of it.

mod expression;

use std::collections::BTreeMap;
use std::sync::Arc;

use playbook_core::evidence::{Evidence, Scope};
use playbook_core::harmless::{ImageRef, Name, Version};
use playbook_core::inventory::{Stack, Unit};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Group};

use crate::detect::kubernetes;
use crate::fact::{ChartFact, Facts};
use crate::limits;
use crate::parse::helm;
use crate::parse::tree::Node;
use crate::source::Source;
use expression::Values;

/// One chart.
#[derive(Default)]
struct Chart<'a> {
    about: Option<&'a ChartFact>,
    requirements: Option<&'a ChartFact>,
    values: Option<&'a Arc<Node>>,
}

/// Reads the templates, and makes units of the stores that charts depend on.
pub(crate) fn expand(facts: &mut Facts) {
    let files = std::mem::take(&mut facts.charts);
    let templates = std::mem::take(&mut facts.templates);
    let mut charts: BTreeMap<RelPath, Chart<'_>> = BTreeMap::new();
    for file in &files {
        let chart = charts.entry(file.path.parent()).or_default();
        match file.path.name() {
            "Chart.yaml" => chart.about = Some(file),
            "requirements.yaml" => chart.requirements = Some(file),
            _ => chart.values = Some(&file.document),
        }
    }
    charts.retain(|_, chart| chart.about.is_some());
    for template in &templates {
        let source = Source::new(&template.path, &template.text, template.scope, template.ignored);
        let chart = chart_of(&charts, &template.path);
        let name = chart.and_then(|(_, chart)| name_of(chart));
        if let Some((_, chart)) = chart {
            let values = Values {
                values: chart.values.map(AsRef::as_ref),
                about: chart.about.map(|about| &*about.document),
                name: name.as_deref(),
            };
            let rendered = helm::render(&template.text, &|action| values.action(action));
            if kubernetes::manifests(&source, facts, &rendered, name.as_deref(), false) {
                continue;
            }
            // Blocks under a condition may stand beside what they replace.
            let scalars = helm::render(&template.text, &|action| {
                values
                    .action(action)
                    .filter(|rendered| matches!(rendered, helm::Rendered::Scalar(_)))
            });
            kubernetes::manifests(&source, facts, &scalars, name.as_deref(), true);
            continue;
        }
        let masked = helm::mask(&template.text);
        kubernetes::manifests(&source, facts, &masked, name.as_deref(), true);
    }
    // What a chart depends on is installed with what its templates say.
    let mut of_templates: BTreeMap<(RelPath, Scope), usize> = BTreeMap::new();
    for (at, stack) in facts.stacks.iter().enumerate() {
        if stack.kind == "helm"
            && let Some(file) = stack.files.first()
        {
            of_templates.entry((file.parent(), stack.scope)).or_insert(at);
        }
    }
    for (folder, chart) in &charts {
        let Some(stack) = dependencies(chart) else {
            continue;
        };
        let own = folder
            .join("templates")
            .and_then(|templates| of_templates.get(&(templates, stack.scope)))
            .and_then(|at| facts.stacks.get_mut(*at));
        match own {
            Some(own) => {
                own.files.extend(stack.files);
                own.name = own.name.take().or(stack.name);
                own.units.extend(stack.units);
                own.evidence.extend(stack.evidence);
            }
            None => facts.stacks.push(stack),
        }
    }
}

fn chart_of<'c, 'a>(
    charts: &'c BTreeMap<RelPath, Chart<'a>>,
    path: &RelPath,
) -> Option<(&'c RelPath, &'c Chart<'a>)> {
    let mut folder = path.parent();
    for _ in 0..limits::CHART_DEPTH {
        if folder.is_root() {
            break;
        }
        folder = folder.parent();
        if let Some(found) = charts.get_key_value(&folder) {
            return Some(found);
        }
    }
    None
}

/// The chart's name, without the word that says that it is one.
fn name_of(chart: &Chart<'_>) -> Option<String> {
    let name = chart.about?.document.get("name")?.text()?;
    let short = name
        .strip_suffix("-chart")
        .or_else(|| name.strip_prefix("chart-"))
        .unwrap_or(name);
    Name::parse(Raw::new(short)).map(|_| short.to_owned())
}

/// Charts of datastores that the chart brings along, but those that its values switch off.
fn dependencies(chart: &Chart<'_>) -> Option<Stack> {
    let about = chart.about?;
    let mut units = Vec::new();
    for file in [chart.about, chart.requirements].into_iter().flatten() {
        for item in file
            .document
            .get("dependencies")
            .into_iter()
            .flat_map(Node::items)
        {
            units.extend(dependency(chart, file, item));
        }
    }
    (!units.is_empty()).then(|| Stack {
        kind: Shown::from("helm"),
        files: vec![about.path.clone()],
        scope: about.scope,
        name: name_of(chart)
            .and_then(|name| Name::parse(Raw::new(&name)))
            .map(Shown::from),
        units,
        volumes: Vec::new(),
        networks: Vec::new(),
        outside_secrets: Vec::new(),
        outside_networks: Vec::new(),
        groups: Vec::new(),
        confirmed_by: Vec::new(),
        evidence: vec![Evidence::file(&about.path)],
    })
}

fn dependency(chart: &Chart<'_>, file: &ChartFact, item: &Node) -> Option<Unit> {
    let name = item.get("name")?.text()?;
    // Charts are called like the images that they run.
    let technology = Catalogue::get()
        .by_image(name)
        .into_iter()
        .chain(Catalogue::get().by_image(&format!("chart/{name}")))
        .map(|found| found.technology)
        .find(|technology| technology.group == Group::Datastore)?;
    let value = |path: &str| {
        let keys: Vec<&str> = path.split('.').collect();
        chart.values.and_then(|values| values.path(&keys))
    };
    let off = item
        .get("condition")
        .and_then(Node::text)
        .and_then(|conditions| {
            conditions
                .split(',')
                .find_map(|condition| value(condition.trim()))
        })
        .and_then(Node::boolean)
        == Some(false);
    if off {
        return None;
    }
    let alias = item.get("alias").and_then(Node::text).unwrap_or(name);
    let mut unit = Unit::new(Name::parse(Raw::new(alias))?.into(), Shown::from("chart"));
    unit.datastore = Some(Shown::from(technology.id));
    unit.evidence = vec![Evidence::at(&file.path, item.line())];
    let tag = value(&format!("{alias}.image.tag")).and_then(Node::text);
    unit.version = tag
        .and_then(|tag| ImageRef::parse(Raw::new(&format!("{name}:{tag}"))))
        .and_then(|image| Version::parse(Raw::new(image.version()?)))
        .map(Shown::from);
    Some(unit)
}

#[cfg(test)]
mod tests;
