//! Every number that bounds work, with its reason. What is cut is reported as a diagnostic.

/// Files that are listed. A monorepo of 100,000 files is scanned whole; twice that is the largest promised input.
pub(crate) const FILES: usize = 200_000;
/// Files that are looked at for the ones that are listed: the first by their paths, whatever order they come in. Without
/// this bound a tree without end would fill the memory.
pub(crate) const FILES_SEEN: usize = 1_000_000;
/// Depth of folders. Real trees stay below 40.
pub(crate) const DEPTH: usize = 100;
/// Length of a path in bytes; longer ones can't be opened on Linux.
pub(crate) const PATH_BYTES: usize = 4_096;
/// Size of a file that is read whole, in bytes. Manifests, sources and migrations stay below; lockfiles are looked at
/// by their head only.
pub(crate) const FILE_BYTES: u64 = 2 * 1024 * 1024;
/// Size of a source file that is searched, in bytes. Larger ones are generated.
pub(crate) const SOURCE_BYTES: u64 = 768 * 1024;
/// Facts of one kind from one file. A file with more is generated or hostile.
pub(crate) const FACTS_PER_FILE: usize = 5_000;
/// Services. A repository with more is hostile; the largest real ones stay below 200.
pub(crate) const SERVICES: usize = 500;
/// Routes that are kept for the inventory; more say nothing new to a deployer.
pub(crate) const ROUTES: usize = 2_000;
