//! The repository, its manifests, its infrastructure files and its CI.

use crate::evidence::{Evidence, Scope};
use crate::harmless::CommandLine;
use crate::path::RelPath;
use crate::shown::Shown;
use crate::visit::record;

record! {
    /// State of version control, read from `.git` without running a program.
    #[derive(Default)]
    pub struct Vcs {
        /// Full commit id of `HEAD`.
        pub commit: Option<Shown>,
        /// Branch of `HEAD`.
        pub branch: Option<Shown>,
        /// Address of `origin`, without user info.
        pub remote: Option<Shown>,
    }
}

record! {
    /// The repository itself.
    #[derive(Default)]
    pub struct Project {
        /// Its name: of the root manifest, the remote, or the folder.
        pub name: Option<Shown>,
        /// What it says of itself, where that is plain prose.
        pub description: Option<Shown>,
        /// Its README.
        pub readme: Option<RelPath>,
        /// SPDX identifier.
        pub license: Option<Shown>,
        /// Version control.
        pub vcs: Vcs,
    }
}

record! {
    /// A file that says how the software is built, packaged or placed.
    pub struct Infrastructure {
        /// The contract's slug.
        pub kind: Shown,
        /// The file, or the folder for charts and overlays.
        pub path: RelPath,
        /// Where it holds.
        pub scope: Scope,
        /// The places that prove it.
        pub evidence: Vec<Evidence>,
    }
}

record! {
    /// A manifest of dependencies.
    pub struct Manifest {
        /// The file's own name.
        pub kind: Shown,
        /// The file.
        pub path: RelPath,
        /// Its lockfile.
        pub lockfile: Option<RelPath>,
        /// Lockfiles of other package managers that lie beside it.
        pub other_lockfiles: Vec<RelPath>,
        /// Slug of the package manager.
        pub package_manager: Option<Shown>,
        /// Where it holds.
        pub scope: Scope,
        /// The places that prove it.
        pub evidence: Vec<Evidence>,
    }
}

record! {
    /// A CI definition.
    pub struct CiFile {
        /// The contract's slug.
        pub kind: Shown,
        /// The file.
        pub path: RelPath,
        /// Does it deploy (not only test)?
        pub deploys: bool,
        /// Events that start it: `push`, `pull_request`, `schedule`, `workflow_dispatch` …
        pub triggers: Vec<Shown>,
        /// The places that prove it.
        pub evidence: Vec<Evidence>,
    }
}

record! {
    /// One command that CI runs.
    pub struct CiStep {
        /// The CI file.
        pub path: RelPath,
        /// Name of the job.
        pub job: Option<Shown>,
        /// The command, or the action as `uses: owner/name@version`.
        pub command: CommandLine,
        /// Where it stands.
        pub evidence: Vec<Evidence>,
    }
}

record! {
    /// What the plan is written for.
    #[derive(Default)]
    pub struct TargetFact {
        /// The target's id.
        pub platform: Option<Shown>,
        /// Why: a flag, or the place in the repository.
        pub inferred_from: Option<Shown>,
    }
}
