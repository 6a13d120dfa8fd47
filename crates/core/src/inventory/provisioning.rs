//! What people apply with a tool that makes infrastructure: its inputs, outputs, state and pins.

use crate::evidence::{Evidence, Scope};
use crate::path::RelPath;
use crate::shown::Shown;
use crate::visit::record;

record! {
    /// An input: a variable of Terraform, a parameter of a template, a setting of Pulumi.
    pub struct ProvisioningInput {
        /// Its name.
        pub name: Shown,
        /// Its type as the file writes it, where it is one word.
        pub kind: Option<Shown>,
        /// The environment variable that gives it a value.
        pub variable: Option<Shown>,
        /// Has it no value until somebody gives it one?
        pub required: bool,
        /// Does the file call it sensitive, or is it a secret by its name?
        pub secret: bool,
        /// Its default, where it is harmless.
        pub default: Option<Shown>,
        /// What the file says about it in plain prose.
        pub description: Option<Shown>,
        /// Where it stands.
        pub evidence: Vec<Evidence>,
    }
}

record! {
    /// A value that is told after it was applied.
    pub struct ProvisioningOutput {
        /// Its name.
        pub name: Shown,
        /// Does the file call it sensitive?
        pub secret: bool,
        /// Where it stands.
        pub evidence: Vec<Evidence>,
    }
}

record! {
    /// Where the tool keeps what it knows about the things that it made.
    pub struct ProvisioningState {
        /// `s3`, `gcs`, `azurerm`, `remote`, `cloud`, `http`, `local` …
        pub backend: Shown,
        /// Settings that the file gives, without their values.
        pub settings: Vec<Shown>,
        /// Settings that the backend needs and the file leaves to the command line.
        pub missing: Vec<Shown>,
        /// Does it keep two people from changing it at once? `None` where the backend decides.
        pub locks: Option<bool>,
        /// Where it stands.
        pub evidence: Vec<Evidence>,
    }
}

record! {
    /// A module that is fetched from elsewhere, or a provider.
    pub struct ProvisioningPin {
        /// `module` or `provider`
        pub kind: Shown,
        /// Its source, where it is harmless.
        pub source: Shown,
        /// The version or range, if one is stated.
        pub version: Option<Shown>,
        /// Where it stands.
        pub evidence: Vec<Evidence>,
    }
}

record! {
    /// A folder or file that is applied with a tool of its own.
    pub struct Provisioning {
        /// `terraform`, `cloudformation`, `sam`, `bicep`, `arm`, `pulumi`, `cdk`, `packer` …
        pub kind: Shown,
        /// The folder (Terraform, Pulumi, CDK) or the file.
        pub path: RelPath,
        /// Name of the project or stack, where the file gives one.
        pub name: Option<Shown>,
        /// Inputs.
        pub inputs: Vec<ProvisioningInput>,
        /// Files of values for the inputs.
        pub value_files: Vec<RelPath>,
        /// Outputs.
        pub outputs: Vec<ProvisioningOutput>,
        /// The state, where a file says where it is.
        pub state: Option<ProvisioningState>,
        /// Providers and modules with their versions.
        pub pins: Vec<ProvisioningPin>,
        /// The lock file of the providers.
        pub lockfile: Option<RelPath>,
        /// Regions that it names.
        pub regions: Vec<Shown>,
        /// Where it holds.
        pub scope: Scope,
        /// The places that prove it.
        pub evidence: Vec<Evidence>,
    }
}
