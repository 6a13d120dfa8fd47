//! `playbook`: reads a backend repository and writes its deployment plan.
//!
//! The only crate that prints, exits, and asks for the environment and the clock. Standard output carries data,
//! standard error everything else.

mod args;
mod commands;
mod config;
mod exit;
mod host;
mod panic;
mod progress;
mod report;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{Arguments, OutputOptions};
use crate::exit::Exit;
use crate::report::{Report, Verbosity, WriteError};

fn main() -> ExitCode {
    host::leave_no_core_dump();
    panic::install_hook();
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return explain_usage(&error).into(),
    };
    anstream::ColorChoice::from(arguments.output.color).write_global();
    let mut report = Report::new(verbosity(&arguments.output));
    let exit = catch_unwind(AssertUnwindSafe(|| commands::run(arguments.command, &mut report)));
    exit.unwrap_or_else(|_| {
        report.error(
            &format!("playbook stopped at {}", panic::location()),
            "this is a bug in playbook; the place above is all that a report of it needs",
        );
        Exit::Refused
    })
    .into()
}

fn verbosity(options: &OutputOptions) -> Verbosity {
    if options.quiet {
        Verbosity::Quiet
    } else if options.verbose > 0 {
        Verbosity::Verbose
    } else {
        Verbosity::Normal
    }
}

/// Help and version are data; anything else that stops the parser is a mistake in the arguments.
fn explain_usage(error: &clap::Error) -> Exit {
    let report = Report::new(Verbosity::Normal);
    let written = report.arguments(error);
    if error.use_stderr() {
        Exit::Usage
    } else {
        commands::written(&report, written)
    }
}

impl From<WriteError> for Exit {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Closed => Self::Done,
            WriteError::Failed => Self::Failed,
        }
    }
}
