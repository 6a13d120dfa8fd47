//! The decisions of a plan: what is deployed, in which steps, with which parameters, and what is assumed. Typed, sorted,
//! and without a sentence: words are in the templates' folder.

mod given;
mod ledger;
mod left_out;
mod notes;
mod overview;
mod parameters;
mod risks;
mod steps;
mod verified;

mod cluster;
mod code;
mod data;
mod docker;
mod edge;
mod engine;
mod images;
mod infrastructure;
mod ingress;
mod observability;
mod offering;
mod operations;
mod prerequisites;
mod readiness;
mod rollout;
mod secrets;
mod services;
mod ways;

use std::collections::BTreeMap;

use serde::Serialize;

use playbook_core::finding::Finding;
use playbook_core::inventory::Inventory;

pub(crate) use given::Given;
pub(crate) use ledger::Ledger;
pub(crate) use notes::NoteText;
pub(crate) use offering::{Offering, Offerings, Wanted};
pub(crate) use parameters::{Parameter, ParameterText};
pub(crate) use prerequisites::ToolText;
pub(crate) use steps::{Level, Step, StepText, checklist, phases, step_key};

use crate::context::Context;
use crate::render::Templates;
use crate::sizing::Figures;
use crate::target::{Target, TemplateError};

/// What the templates know: one key a section, and the parts around them.
#[derive(Debug, Serialize)]
pub(crate) struct Decisions<'a> {
    pub(crate) head: overview::Head<'a>,
    pub(crate) target: overview::TargetFacts<'a>,
    pub(crate) context: overview::ContextFacts<'a>,
    pub(crate) summary: overview::Summary<'a>,
    pub(crate) overview: overview::Overview<'a>,
    pub(crate) verified: Vec<verified::Verified>,
    pub(crate) prerequisites: prerequisites::Prerequisites<'a>,
    pub(crate) infrastructure: infrastructure::Infrastructure<'a>,
    pub(crate) code: code::Code<'a>,
    pub(crate) cluster: cluster::ClusterRules<'a>,
    pub(crate) images: images::Images<'a>,
    pub(crate) secrets: secrets::Secrets<'a>,
    pub(crate) data: data::Data<'a>,
    pub(crate) services: services::Services<'a>,
    pub(crate) ingress: ingress::Ingress<'a>,
    pub(crate) rollout: rollout::Rollout<'a>,
    pub(crate) observability: observability::Observability<'a>,
    pub(crate) readiness: readiness::Readiness<'a>,
    pub(crate) docker: docker::Docker<'a>,
    pub(crate) risks: Vec<risks::Risk<'a>>,
    pub(crate) left_out: Vec<left_out::LeftOut<'a>>,
}

/// A plan before it is put into words.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    pub(crate) target: &'a Target,
    pub(crate) decisions: Decisions<'a>,
    pub(crate) conditions: BTreeMap<&'static str, bool>,
    pub(crate) steps: Vec<Step>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) assumptions: BTreeMap<String, NoteText>,
    pub(crate) questions: BTreeMap<String, NoteText>,
}

impl<'a> Plan<'a> {
    pub(crate) fn new(
        inventory: &'a Inventory,
        context: &'a Context,
        findings: &'a [Finding],
        templates: &Templates,
    ) -> Result<Self, TemplateError> {
        let given = Given::new(inventory, context, findings);
        let target: &Target = &context.target;
        let mut ledger = Ledger::default();

        let prerequisites = prerequisites::build(&given, &mut ledger);
        let infrastructure = infrastructure::build(
            &given,
            &engine::Engines::load(templates)?,
            &Offerings::load(templates, &target.offerings, &target.companions)?,
            Figures::load(templates)?,
            &mut ledger,
        );
        let code = code::build(&given, &mut ledger);
        let cluster = cluster::build(&given, &mut ledger);
        let images = images::build(&given, &mut ledger);
        let secrets = secrets::build(
            &given,
            &infrastructure.stores,
            &templates.parse_file("secrets.toml")?,
            &mut ledger,
        );
        let data = data::build(&given, &infrastructure, &images, &mut ledger);
        let edge = edge::EdgeFile::load(templates)?;
        let services = services::build(
            &given,
            &infrastructure,
            &images,
            &secrets,
            &edge,
            &services::host::Runtimes::load(templates)?,
            &mut ledger,
        );
        let ingress = ingress::build(&given, &infrastructure, &services, &edge, &mut ledger);
        let rollout = rollout::build(&given, &infrastructure, &services, &ingress, &data, &mut ledger);
        let words: operations::Words = templates.parse_file("operations.toml")?;
        let observability = observability::build(&given, &words, &mut ledger);
        let readiness = readiness::build(&given, &words, &infrastructure, &mut ledger);
        let docker = docker::build(&given, &words, &infrastructure, &mut ledger);
        let conditions = ledger.conditions;

        let steps = steps::number(&target.steps, &conditions)?;
        let parameters = parameters::collect(
            &target.parameters,
            templates
                .parse_file::<parameters::ParameterFile>("parameters.toml")?
                .parameter,
            ledger.parameters,
            context,
            &conditions,
        )?;
        let risks = risks::number(&given, &steps);
        Ok(Self {
            target,
            decisions: Decisions {
                head: overview::head(&given),
                target: overview::target(&given),
                context: overview::context(&given),
                summary: overview::summary(&given, &risks),
                overview: overview::overview(&given),
                verified: verified::verified(&given),
                prerequisites,
                infrastructure,
                code,
                cluster,
                images,
                secrets,
                data,
                services,
                ingress,
                rollout,
                observability,
                readiness,
                docker,
                risks,
                left_out: left_out::left_out(inventory),
            },
            conditions,
            steps,
            parameters,
            assumptions: notes::collect(templates, "assumptions.toml", &target.assumptions)?,
            questions: notes::collect(templates, "questions.toml", &target.questions)?,
        })
    }

    /// Do all conditions of this list hold? Names were checked when the steps were numbered.
    pub(crate) fn holds(&self, when: &str) -> bool {
        steps::holds(when, &self.conditions).unwrap_or(false)
    }

    /// Numbers of the steps with these ids, without those that this plan does not have.
    pub(crate) fn numbers(&self, ids: &[String]) -> Vec<String> {
        self.steps
            .iter()
            .filter(|step| ids.contains(&step.id))
            .map(|step| step.number.clone())
            .collect()
    }

    /// The numbers (`R1`) of a rule's findings.
    pub(crate) fn risk_numbers(&self) -> BTreeMap<String, Vec<String>> {
        let mut numbers: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for risk in &self.decisions.risks {
            numbers
                .entry(risk.rule.as_str().to_owned())
                .or_default()
                .push(risk.id.clone());
        }
        numbers
    }
}
