//! The environment schema.

use crate::evidence::{Evidence, Scope};
use crate::shown::Shown;
use crate::visit::{record, words};

words! {
    /// What kind of place mentions a variable.
    pub enum VariableOrigin {
        /// Code reads it.
        Code = "code",
        /// A script or a command line reads it.
        Script = "script",
        /// A stack file (Compose, blueprint, manifest) passes it to a process.
        Stack = "stack",
        /// A stack file interpolates it.
        Interpolation = "interpolation",
        /// A Dockerfile sets it.
        Image = "image",
        /// An environment file states it.
        File = "file",
        /// Documentation names it.
        Document = "document",
        /// CI passes it.
        Ci = "ci",
    }
}

record! {
    /// One place that mentions a variable.
    pub struct ReadSite {
        /// What kind of place.
        pub origin: VariableOrigin,
        /// Does this place say that the variable has to be there?
        pub required: bool,
        /// Does this place give it a value to fall back on?
        pub has_default: bool,
        /// Where it stands.
        pub evidence: Vec<Evidence>,
    }
}

record! {
    /// A variable of the environment.
    pub struct EnvironmentVariable {
        /// Its name.
        pub name: Shown,
        /// Does a service fail to start, or start insecurely, without it?
        pub required: bool,
        /// Is it a password, token, key, or an address that can carry one?
        pub secret: bool,
        /// Does it stand in an example file, the README or the docs?
        pub documented: bool,
        /// Its default, where that is harmless.
        pub default: Option<Shown>,
        /// Ids of the services that get or read it.
        pub services: Vec<Shown>,
        /// What the repository says it is, where that is plain prose.
        pub description: Option<Shown>,
        /// Where it holds.
        pub scope: Scope,
        /// Is it needed when the image is built?
        pub build_time: bool,
        /// Name of the group of which at least one has to be set.
        pub one_of: Option<Shown>,
        /// Is a committed value for it a placeholder (`changeme`)?
        pub placeholder: bool,
        /// Smallest length that the code accepts, in characters.
        pub min_length: Option<u32>,
        /// Slug of the datastore or external service it configures.
        pub configures: Option<Shown>,
        /// Each place that mentions it.
        pub sites: Vec<ReadSite>,
        /// The places that prove it.
        pub evidence: Vec<Evidence>,
    }
}
