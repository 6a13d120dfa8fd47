//! Every number that bounds work, with its reason. What is cut is reported as a diagnostic.

/// Files that are listed. A monorepo of 100,000 files is scanned whole; twice that is the largest promised input.
pub(crate) const FILES: usize = 200_000;
/// Files, folders and links that are looked at for the files that are listed: the first by their paths, whatever order
/// they come in. Without this bound a tree without end would fill the memory.
pub(crate) const FILES_SEEN: usize = 1_000_000;
/// Size of one ignore file in bytes. Real ones stay below 20,000.
pub(crate) const IGNORE_FILE_BYTES: u64 = 64 * 1024;
/// Size of all ignore files together. Their patterns are compiled, which takes 250 times their size in memory; a monorepo
/// with one of 100 bytes in each of 5,000 folders has two thirds of it.
pub(crate) const IGNORE_BYTES: u64 = 768 * 1024;
/// Depth of folders. Real trees stay below 40.
pub(crate) const DEPTH: usize = 100;
/// Length of a path in bytes; longer ones can't be opened on Linux.
pub(crate) const PATH_BYTES: usize = 4_096;
/// Size of a file that is read whole, in bytes. Manifests, sources and migrations stay below; lockfiles are looked at
/// by their head only.
pub(crate) const FILE_BYTES: u64 = 2 * 1024 * 1024;
/// Size of a source file that is searched, in bytes. Larger ones are generated.
pub(crate) const SOURCE_BYTES: u64 = 768 * 1024;
/// Facts of one kind from one file. A file with more is generated or hostile; the largest real ones stay below 1,000.
pub(crate) const FACTS_PER_FILE: usize = 2_000;
/// Variables, ports, mounts and so on of one process, and steps of one image. Real ones stay below 300.
pub(crate) const PARTS_OF_A_UNIT: usize = 1_000;
/// Bytes of all files that are read. A monorepo of 100,000 files holds 400 million in files that say something. Settings and
/// manifests are read before source code, so that what is left out tells least.
pub(crate) const TOTAL_BYTES: usize = 640 * 1024 * 1024;
/// Facts of all files. A monorepo of 100,000 files has a tenth of it; each takes some 300 bytes of memory.
pub(crate) const TOTAL_FACTS: usize = 400_000;
/// Files that are read between two looks at the totals: many enough to keep every thread busy, few enough that the largest
/// of them do not go far beyond.
pub(crate) const FILES_AT_ONCE: usize = 128;
/// Services. A repository with more is hostile; the largest real ones stay below 200.
pub(crate) const SERVICES: usize = 500;
/// Objects of one file of manifests: each process comes with a few others. Rendered releases of large systems hold some
/// hundreds.
pub(crate) const OBJECTS: usize = 2_000;
/// Routes that are kept for the inventory; more say nothing new to a deployer.
pub(crate) const ROUTES: usize = 2_000;
/// Bytes of one expression of JavaScript that are looked at; what is in brackets counts nothing.
pub(crate) const EXPRESSION_BYTES: usize = 20_000;
/// Stages of a Dockerfile. Real ones stay below 60.
pub(crate) const DOCKERFILE_STAGES: usize = 200;
/// Instructions of a Dockerfile. Real ones stay below 500.
pub(crate) const DOCKERFILE_INSTRUCTIONS: usize = 2_000;
/// Variables that a Dockerfile sets. Each may hold [`DOCKERFILE_VALUE_BYTES`].
pub(crate) const DOCKERFILE_VARIABLES: usize = 2_000;
/// Bytes of a value of a Dockerfile with what it refers to put in: a chain of doublings must not grow without end.
pub(crate) const DOCKERFILE_VALUE_BYTES: usize = 4 * 1024;
/// Bytes of a `RUN` in which a command is looked for behind the one before it, to tell its line.
pub(crate) const COMMAND_WINDOW: usize = 16 * 1024;
/// Attributes of one element of XML; the parser compares each with all others.
pub(crate) const XML_ATTRIBUTES: usize = 250;
/// Declarations of namespaces in an XML text; the parser copies the list for each element that declares one.
pub(crate) const XML_NAMESPACES: usize = 1_000;

// -- Parsers ---------------------------------------------------------------------------------------------

/// Deeper than any manifest; keeps every walk over the tree far from the end of the stack.
pub(crate) const YAML_DEPTH: u32 = 100;
/// About forty times the largest manifest seen; bounds memory.
pub(crate) const YAML_NODES: usize = 500_000;
/// Build files nest some ten levels.
pub(crate) const XML_DEPTH: usize = 200;
/// Elements, attributes and texts of an XML text; bounds memory.
pub(crate) const XML_NODES: u32 = 500_000;
/// Dotted keys nest without brackets; more dots than this in one line are no configuration.
pub(crate) const TOML_DOTS: usize = 200;
/// Levels that are followed when the tree is built.
pub(crate) const TOML_DEPTH: u32 = 400;
/// How deep objects may be nested.
pub(crate) const BICEP_DEPTH: usize = 40;
/// Objects inside each other that are followed.
pub(crate) const HOCON_DEPTH: usize = 64;
/// Entries of one text.
pub(crate) const HOCON_ENTRIES: usize = 20_000;
/// Blocks inside blocks that are followed; real files stay below ten.
pub(crate) const DIRECTIVES_DEPTH: usize = 32;
/// Directives that are kept of one file.
pub(crate) const DIRECTIVES: usize = 20_000;
/// Levels of nested structures that are followed.
pub(crate) const SHELL_DEPTH: usize = 40;
/// Levels of functions that are put in place of their calls.
pub(crate) const SHELL_INLINED: usize = 3;
/// Commands that a script may have after functions were put in place of their calls.
pub(crate) const SHELL_COMMANDS: usize = 20_000;
/// Nested substitutions that are searched for variables.
pub(crate) const SHELL_NESTING: usize = 8;

// -- Source code -----------------------------------------------------------------------------------------

/// Arguments of one call that are looked at.
pub(crate) const CALL_ARGUMENTS: usize = 2_000;
/// Bytes of one call that are looked at; what is in nested brackets counts nothing.
pub(crate) const CALL_BYTES: usize = 200_000;
/// Strings in interpolations in strings that are followed.
pub(crate) const STRING_NESTING: usize = 24;
/// Hits of one file that are kept: as many as facts.
pub(crate) const HITS: usize = 2_000;
/// Matches of one anchor for the definition of a type, each of which reads the whole file.
pub(crate) const TYPES: usize = 20;
/// The longest source text that becomes an attribute.
pub(crate) const ATTRIBUTE_BYTES: usize = 300;
/// Structures with a prefix of their own.
pub(crate) const STRUCTURE_PREFIXES: usize = 100;
/// Types in types that are followed.
pub(crate) const STRUCTURE_DEPTH: usize = 4;
/// Helpers of one file whose calls are followed.
pub(crate) const HELPERS: usize = 100;
/// Calls of one helper that are followed.
pub(crate) const HELPER_CALLS: usize = 1_000;

// -- Detectors -------------------------------------------------------------------------------------------

/// Nodes of a file that are searched for variables.
pub(crate) const COMPOSE_NODES: usize = 50_000;
/// Services that continue each other are followed this far.
pub(crate) const COMPOSE_EXTENDS: usize = 8;
/// Nodes of a YAML file that are searched for a configuration inside it.
pub(crate) const PROXY_NODES: usize = 50_000;
/// Virtual hosts of one file; a file with more is generated or hostile.
pub(crate) const PROXIES: usize = 300;
/// Locations inside locations that are followed.
pub(crate) const NGINX_DEPTH: usize = 8;
/// Keys inside keys that are followed.
pub(crate) const TRAEFIK_DEPTH: usize = 10;
/// Nodes of a listener that are looked at.
pub(crate) const ENVOY_NODES: usize = 20_000;
/// Blocks inside blocks that are followed.
pub(crate) const CADDY_DEPTH: usize = 8;
/// Calls of one file that are looked at; more are generated code.
pub(crate) const CALLS: usize = 20_000;
/// Links of a chain of calls that are followed back to its start.
pub(crate) const CALL_CHAIN: usize = 200;
/// Names followed from one value to the next; real code needs two.
pub(crate) const JAVASCRIPT_STEPS: u32 = 5;
/// Expressions that are looked at for one value: each may hold many names, each of which leads to an expression.
pub(crate) const JAVASCRIPT_EXPRESSIONS: u32 = 200;
/// Names followed from one value to the next; real code needs two.
pub(crate) const PYTHON_STEPS: u32 = 5;
/// Steps of one file that are kept; more are a dump, not a migration.
pub(crate) const SQL_OPERATIONS: usize = 500;
/// Words of one statement that are looked at.
pub(crate) const SQL_WORDS: usize = 4_000;
/// Bytes that are looked at.
pub(crate) const SQL_BYTES: usize = 1_000_000;
/// How far back the blocks around a place are looked for, in bytes.
pub(crate) const BLOCK_BYTES: usize = 8_000;
/// How many blocks around a place are looked at.
pub(crate) const BLOCK_DEPTH: usize = 4;
/// Blocks and groups of one file that are followed.
pub(crate) const MOUNTS: usize = 400;
/// Groups inside each other that are followed.
pub(crate) const MOUNT_DEPTH: usize = 12;
/// Levels of settings that are read.
pub(crate) const SETTINGS_DEPTH: usize = 8;
/// Levels of a tree that are read.
pub(crate) const JVM_SETTINGS_DEPTH: usize = 24;
/// Levels of a tree that are read.
pub(crate) const DOTNET_SETTINGS_DEPTH: usize = 12;
/// How deep objects are read.
pub(crate) const BICEP_TREE_DEPTH: usize = 16;
/// How deep resources and their properties are read.
pub(crate) const ARM_DEPTH: usize = 16;
/// How deep properties are read.
pub(crate) const CLOUDFORMATION_DEPTH: usize = 16;
/// How deep a search goes.
pub(crate) const FIELD_DEPTH: usize = 8;
/// Variables inside variables are followed this deep.
pub(crate) const MAKEFILE_DEPTH: usize = 4;
/// Defaults inside defaults are followed this deep.
pub(crate) const INTERPOLATION_DEPTH: usize = 5;

// -- Joining ---------------------------------------------------------------------------------------------

/// How deep references may lead to references.
pub(crate) const TERRAFORM_VALUE_DEPTH: usize = 12;
/// How deep modules may call modules.
pub(crate) const TERRAFORM_MODULE_DEPTH: usize = 6;
/// How many calls of one folder are followed.
pub(crate) const TERRAFORM_MODULE_CALLS: usize = 2_000;
/// How many folders one overlay may put together.
pub(crate) const KUSTOMIZE_FOLDERS: usize = 200;
/// How far above a template its chart may be.
pub(crate) const CHART_DEPTH: usize = 8;
/// How deep expressions may be nested.
pub(crate) const CHART_EXPRESSION_DEPTH: usize = 8;
/// The longest value that is put in place of an action.
pub(crate) const CHART_EXPRESSION_BYTES: usize = 4_000;
