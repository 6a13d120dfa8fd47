//! The detectors: a table of values. A detector says which files it wants and turns one of them into facts.
//!
//! A detector returns nothing but facts and diagnostics: content can't fail a scan.

mod addresses;
mod api_spec;
mod app_engine;
mod arm;
mod aws_apps;
mod azure_developer;
mod bicep;
mod builders;
mod choice;
mod ci;
mod cloud_run;
mod cloudformation;
mod code_marks;
mod code_migrations;
pub(crate) mod commands;
mod compose;
mod conventions;
mod data_names;
mod digitalocean;
mod dockerfile;
mod documents;
mod dotnet;
mod ecosystem;
mod ecs;
mod elixir;
mod env_file;
mod fly;
pub(crate) mod git;
mod go;
mod helm;
mod heroku;
mod ignore_file;
pub(crate) mod judge;
mod jvm;
mod kamal;
pub(crate) mod kubernetes;
mod kustomize;
mod makefile;
mod manifests;
mod node;
mod nomad;
mod operations;
pub(crate) mod pattern;
mod php;
mod platforms;
mod pm2;
pub(crate) mod process;
mod procfile;
pub(crate) mod provisioning;
pub(crate) mod proxies;
mod python;
mod railway;
mod render;
pub(crate) mod resource;
mod ruby;
mod rust;
mod s6;
mod serverless;
pub(crate) mod settings_file;
mod shell;
mod source;
mod sql;
mod sql_migrations;
mod supervisor;
mod systemd;
mod terraform;
mod tool_versions;
mod uwsgi;
mod web_hosts;

pub(crate) use ecosystem::kind_of_scheme;

use playbook_core::path::RelPath;

use crate::fact::Facts;
use crate::source::Source;

/// One detector.
pub(crate) struct Detector {
    /// Which files it wants to see, by path alone.
    pub(crate) wants: fn(&RelPath) -> bool,
    /// Tells what the file says.
    pub(crate) detect: fn(&Source<'_>, &mut Facts),
}

/// All of them, in the order in which they see a file.
#[rustfmt::skip]
pub(crate) const DETECTORS: &[&Detector] = &[
    &addresses::DETECTOR,
    &api_spec::DETECTOR,
    &app_engine::DETECTOR,
    &arm::DETECTOR,
    &aws_apps::DETECTOR,
    &azure_developer::DETECTOR,
    &bicep::DETECTOR,
    &builders::DETECTOR,
    &ci::DETECTOR,
    &cloud_run::DETECTOR,
    &cloudformation::DETECTOR,
    &code_marks::DETECTOR,
    &code_migrations::DETECTOR,
    &compose::DETECTOR,
    &conventions::DETECTOR,
    &data_names::DETECTOR,
    &digitalocean::DETECTOR,
    &dockerfile::DETECTOR,
    &documents::DETECTOR,
    &dotnet::DETECTOR,
    &ecs::DETECTOR,
    &elixir::DETECTOR,
    &env_file::DETECTOR,
    &fly::DETECTOR,
    &go::DETECTOR,
    &helm::DETECTOR,
    &heroku::DETECTOR,
    &ignore_file::DETECTOR,
    &jvm::DETECTOR,
    &kamal::DETECTOR,
    &kubernetes::DETECTOR,
    &kustomize::DETECTOR,
    &makefile::DETECTOR,
    &manifests::DETECTOR,
    &node::DETECTOR,
    &nomad::DETECTOR,
    &operations::DETECTOR,
    &php::DETECTOR,
    &platforms::DETECTOR,
    &pm2::DETECTOR,
    &procfile::DETECTOR,
    &proxies::DETECTOR,
    &python::DETECTOR,
    &railway::DETECTOR,
    &render::DETECTOR,
    &ruby::DETECTOR,
    &rust::DETECTOR,
    &s6::DETECTOR,
    &serverless::DETECTOR,
    &settings_file::DETECTOR,
    &shell::DETECTOR,
    &source::DETECTOR,
    &sql_migrations::DETECTOR,
    &supervisor::DETECTOR,
    &systemd::DETECTOR,
    &terraform::DETECTOR,
    &tool_versions::DETECTOR,
    &uwsgi::DETECTOR,
    &web_hosts::DETECTOR,
];

/// Has the file one of these names?
pub(crate) fn named(path: &RelPath, names: &[&str]) -> bool {
    names.contains(&path.name())
}

/// Has the file one of these endings (without the dot)?
pub(crate) fn ending(path: &RelPath, endings: &[&str]) -> bool {
    // Asked some twenty times for every file: byte by byte from the end is the quickest way to something so short.
    let name = path.name();
    let dot = name.bytes().rposition(|byte| byte == b'.').filter(|dot| *dot > 0);
    dot.and_then(|dot| name.get(dot + 1..))
        .is_some_and(|end| endings.contains(&end))
}

/// Reports that a file holds more objects than are looked at.
pub(crate) fn too_many(source: &Source<'_>, count: usize, most: usize, facts: &mut Facts) {
    if count > most {
        facts.diagnostics.push(playbook_core::diagnostic::Diagnostic::new(
            source.path.clone(),
            None,
            playbook_core::diagnostic::DiagnosticKind::TooManyFacts,
        ));
    }
}

/// Reports where a file's syntax is wrong; what stands before it was used.
pub(crate) fn syntax_problem(source: &Source<'_>, problem: crate::parse::ParseProblem, facts: &mut Facts) {
    facts.diagnostics.push(playbook_core::diagnostic::Diagnostic::new(
        source.path.clone(),
        Some(problem.line),
        playbook_core::diagnostic::DiagnosticKind::Syntax,
    ));
}
