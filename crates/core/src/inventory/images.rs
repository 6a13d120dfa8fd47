//! Dockerfiles.

use crate::evidence::{Evidence, Scope};
use crate::harmless::CommandLine;
use crate::path::RelPath;
use crate::shown::Shown;
use crate::visit::record;

record! {
    /// A stage of a Dockerfile.
    pub struct Stage {
        /// Its name after `AS`.
        pub name: Option<Shown>,
        /// The image or the stage it starts from, with build arguments filled in where they have a default.
        pub base: Option<Shown>,
        /// Line of its `FROM`.
        pub line: u32,
    }
}

record! {
    /// An argument of the image build.
    pub struct BuildArgument {
        /// Its name.
        pub name: Shown,
        /// Its default, where that is harmless.
        pub default: Option<Shown>,
        /// Does it have a default?
        pub has_default: bool,
        /// Its line.
        pub line: u32,
    }
}

record! {
    /// A `COPY` or `ADD`.
    pub struct CopyStep {
        /// The stage or image it copies from.
        pub from: Option<Shown>,
        /// What it copies.
        pub sources: Vec<Shown>,
        /// Where to.
        pub destination: Option<Shown>,
        /// Does it set an owner?
        pub chown: bool,
        /// Its line.
        pub line: u32,
        /// The stage's index.
        pub stage: u32,
    }
}

record! {
    /// A stage that an image can be built of for itself: no other stage starts from it, and it says what it runs.
    pub struct ImageTarget {
        /// The stage's name.
        pub name: Shown,
        /// Its entry point.
        pub entrypoint: Option<CommandLine>,
        /// Its command.
        pub command: Option<CommandLine>,
        /// Ports that it exposes.
        pub exposed_ports: Vec<u16>,
        /// Line of its command, else of its entry point.
        pub line: u32,
    }
}

record! {
    /// A Dockerfile.
    pub struct Container {
        /// `dockerfile`
        pub kind: Shown,
        /// The file.
        pub path: RelPath,
        /// Images of the build, without stages, in order.
        pub base_images: Vec<Shown>,
        /// Its stages in order.
        pub stages: Vec<Stage>,
        /// Stages that images can be built of for themselves, where there are several.
        pub targets: Vec<ImageTarget>,
        /// User of the last stage, `None` for the base image's (root, if nothing else is known).
        pub user: Option<Shown>,
        /// Line of the last stage's `USER`.
        pub user_line: Option<u32>,
        /// Ports that the last stage exposes.
        pub exposed_ports: Vec<u16>,
        /// Its health check.
        pub healthcheck: Option<CommandLine>,
        /// Line of the health check.
        pub healthcheck_line: Option<u32>,
        /// `ENTRYPOINT` of the last stage.
        pub entrypoint: Option<CommandLine>,
        /// Is it in shell form (`/bin/sh -c` gets the signals)?
        pub entrypoint_shell: bool,
        /// Line of `ENTRYPOINT`.
        pub entrypoint_line: Option<u32>,
        /// `CMD` of the last stage.
        pub command: Option<CommandLine>,
        /// Is it in shell form?
        pub command_shell: bool,
        /// Line of `CMD`.
        pub command_line: Option<u32>,
        /// Working folder of the last stage.
        pub workdir: Option<Shown>,
        /// Build arguments.
        pub arguments: Vec<BuildArgument>,
        /// Names of variables that the last stage sets, with harmless values.
        pub variables: Vec<BuildArgument>,
        /// Copy steps.
        pub copies: Vec<CopyStep>,
        /// Commands of the build, with their lines.
        pub runs: Vec<CommandLine>,
        /// Lines of those commands.
        pub run_lines: Vec<u32>,
        /// Index of the stage of each of those commands.
        pub run_stages: Vec<u32>,
        /// The `.dockerignore` that counts for it, with the context at its usual place.
        pub dockerignore: Option<RelPath>,
        /// Where it holds.
        pub scope: Scope,
        /// The last line of the file.
        pub last_line: u32,
        /// The places that prove it.
        pub evidence: Vec<Evidence>,
    }
}
