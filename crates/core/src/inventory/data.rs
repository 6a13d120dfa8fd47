//! Where state lives and how its schema changes.

use crate::evidence::{Confidence, Evidence, Scope};
use crate::harmless::CommandLine;
use crate::path::RelPath;
use crate::shown::Shown;
use crate::visit::{record, words};

record! {
    /// A datastore, broker, search engine or bucket.
    pub struct Datastore {
        /// Unique slug inside the inventory.
        pub id: Shown,
        /// The contract's slug.
        pub kind: Shown,
        /// database cache queue stream search vector object-storage graph time-series warehouse
        pub role: Shown,
        /// The engine's version as far as the repository states it.
        pub version: Option<Shown>,
        /// The image, where one is named.
        pub image: Option<Shown>,
        /// Ids of the services that use it.
        pub used_by: Vec<Shown>,
        /// Slug of the managed offering, where the repository names one.
        pub managed: Option<Shown>,
        /// Where it holds.
        pub scope: Scope,
        /// How sure it is.
        pub confidence: Confidence,
        /// Name of its container or resource in a stack.
        pub unit: Option<Shown>,
        /// Driver packages that reach it.
        pub drivers: Vec<Shown>,
        /// Variables that carry its address or credentials.
        pub variables: Vec<Shown>,
        /// Database, bucket, topic or collection names.
        pub names: Vec<Shown>,
        /// Extensions that the code or the migrations want.
        pub extensions: Vec<Shown>,
        /// Vector collections, queues and topics that the code names.
        pub collections: Vec<Collection>,
        /// Slugs of the kinds that can stand in its place when a setting says so.
        pub alternatives: Vec<Shown>,
        /// The places that prove it.
        pub evidence: Vec<Evidence>,
    }
}

record! {
    /// Something that the code keeps in a store under a name: a collection of vectors, a queue, a topic.
    pub struct Collection {
        /// Its name, where the code writes it.
        pub name: Option<Shown>,
        /// Numbers in each vector.
        pub dimension: Option<u32>,
        /// The measure of distance: `cosine`, `dot`, `euclid` …
        pub distance: Option<Shown>,
        /// The places that prove it.
        pub evidence: Vec<Evidence>,
    }
}

words! {
    /// What a step of a migration does.
    pub enum OperationKind {
        /// Creates a table or collection.
        CreateTable = "create-table",
        /// Adds a column.
        AddColumn = "add-column",
        /// Adds a column that must have a value.
        AddColumnNotNull = "add-column-not-null",
        /// Creates an index under a lock.
        CreateIndex = "create-index",
        /// Creates an index without blocking writes.
        CreateIndexConcurrently = "create-index-concurrently",
        /// Adds a constraint or foreign key.
        AddConstraint = "add-constraint",
        /// Changes a column's type or nullability.
        AlterColumn = "alter-column",
        /// Renames a table or column.
        Rename = "rename",
        /// Drops a column.
        DropColumn = "drop-column",
        /// Drops a table.
        DropTable = "drop-table",
        /// Deletes or truncates rows.
        DeleteRows = "delete-rows",
        /// Changes rows.
        UpdateRows = "update-rows",
        /// Creates an extension.
        CreateExtension = "create-extension",
    }
}

record! {
    /// One step of a migration.
    pub struct Operation {
        /// What it does.
        pub kind: OperationKind,
        /// The table, `table.column` or extension, where the text names one.
        pub object: Option<Shown>,
        /// Where it stands.
        pub evidence: Vec<Evidence>,
    }
}

record! {
    /// One migration file.
    pub struct Revision {
        /// Its identifier (revision id, version or file stem).
        pub id: Shown,
        /// The file (or the folder that holds its up and down files).
        pub path: RelPath,
        /// Identifiers of the revisions before it, for tools with a graph.
        pub parents: Vec<Shown>,
        /// What its forward direction does.
        pub operations: Vec<Operation>,
        /// Can it be undone, as far as the file shows?
        pub reversible: Option<bool>,
    }
}

record! {
    /// A migration tool with its files.
    pub struct Migration {
        /// The contract's slug.
        pub tool: Shown,
        /// The folder of the migration files.
        pub path: RelPath,
        /// The command that applies them; `None` when the application does so at start.
        pub command: Option<CommandLine>,
        /// The command that takes one back.
        pub rollback: Option<CommandLine>,
        /// The command that tells which were applied.
        pub status: Option<CommandLine>,
        /// Number of migration files.
        pub count: u32,
        /// Id of the service whose code they are.
        pub service: Option<Shown>,
        /// Slug of the datastore they change.
        pub datastore: Option<Shown>,
        /// Does the application apply them when it starts?
        pub at_start: bool,
        /// Where they are run: a hook, a script, an entrypoint, CI or a documented command.
        pub run_by: Vec<Evidence>,
        /// The heads of the graph; more than one is a mistake.
        pub heads: Vec<Shown>,
        /// The files, oldest first, as far as the order is known.
        pub revisions: Vec<Revision>,
        /// The places that prove it.
        pub evidence: Vec<Evidence>,
    }
}

record! {
    /// Seed data.
    pub struct Seed {
        /// The file or folder.
        pub path: RelPath,
        /// The command that loads it.
        pub command: Option<CommandLine>,
        /// Id of the service whose code it is.
        pub service: Option<Shown>,
        /// The places that prove it.
        pub evidence: Vec<Evidence>,
    }
}

record! {
    /// A cache.
    pub struct Cache {
        /// Slug of the library or store.
        pub kind: Shown,
        /// Where it keeps its entries: `memory`, `redis`, `memcached`, `disk`, `database`, `shared`.
        pub state: Option<Shown>,
        /// Lifetime of entries as the code says it.
        pub lifetime: Option<Shown>,
        /// The places that prove it.
        pub evidence: Vec<Evidence>,
    }
}
