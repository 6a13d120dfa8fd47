//! The repository itself.

use playbook_core::evidence::Scope;
use playbook_core::harmless::Name;
use playbook_core::inventory::{Manifest, Project};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Group};

use super::apps::Apps;
use crate::fact::Facts;
use crate::index::FileIndex;

/// Name, description, README, licence and version control.
pub(crate) fn resolve(facts: &Facts, apps: &Apps, index: &FileIndex, folder_name: &str) -> Project {
    let mut project = Project::default();
    for told in &facts.project {
        project.name = project.name.or_else(|| told.name.clone());
        project.description = project.description.or_else(|| told.description.clone());
        project.license = project.license.or_else(|| told.license.clone());
        project.readme = project.readme.or_else(|| told.readme.clone());
        if told.vcs.commit.is_some() || told.vcs.remote.is_some() {
            project.vcs = told.vcs.clone();
        }
    }
    let root = apps.at(&RelPath::root()).and_then(|app| app.main());
    let of_remote = project.vcs.remote.as_ref().and_then(|remote| {
        let last = remote.as_str().trim_end_matches('/').rsplit('/').next()?;
        Name::parse(Raw::new(last.strip_suffix(".git").unwrap_or(last))).map(Shown::from)
    });
    let of_manifest = root.and_then(|project| super::candidates::name_of_dir(&project.dir, apps));
    let of_folder = Name::parse(Raw::new(folder_name)).map(Shown::from);
    project.name = of_remote.or(of_manifest).or(project.name).or(of_folder);
    project.description = project
        .description
        .or_else(|| root.and_then(|project| project.description.clone()));
    project.license = project
        .license
        .or_else(|| root.and_then(|project| project.license.as_ref().map(Into::into)));
    project.readme = project.readme.or_else(|| {
        index
            .entries()
            .iter()
            .map(|entry| &entry.path)
            .find(|path| path.parent().is_root() && path.name().to_ascii_lowercase().starts_with("readme"))
            .cloned()
    });
    project
}

/// Manifests with the lockfile that lies beside them or above them.
pub(crate) fn manifests(facts: &Facts, index: &FileIndex) -> Vec<Manifest> {
    facts
        .projects
        .iter()
        .filter_map(|project| {
            let mut found = lockfiles(project, index);
            let (lockfile, manager) = chosen(project, &found);
            found.retain(|(path, id)| Some(path) != lockfile.as_ref() && Some(*id) != manager);
            Some(Manifest {
                kind: Name::parse(Raw::new(project.manifest.name()))?.into(),
                path: project.manifest.clone(),
                lockfile,
                other_lockfiles: found.into_iter().map(|(path, _)| path).collect(),
                package_manager: project.package_manager.or(manager).map(Shown::from),
                scope: if project.scope == Scope::Production {
                    Scope::Production
                } else {
                    Scope::Development
                },
                evidence: vec![project.evidence.clone()],
            })
        })
        .collect()
}

/// The lockfile of a manifest and the package manager that writes it.
pub(crate) fn lockfile(
    project: &crate::fact::ProjectFact,
    index: &FileIndex,
) -> (Option<RelPath>, Option<&'static str>) {
    chosen(project, &lockfiles(project, index))
}

/// Of the lockfiles, that of the package manager that the manifest names, else the first.
fn chosen(
    project: &crate::fact::ProjectFact,
    found: &[(RelPath, &'static str)],
) -> (Option<RelPath>, Option<&'static str>) {
    let best = found
        .iter()
        .find(|(_, manager)| project.package_manager == Some(*manager))
        .or(found.first());
    (
        best.map(|(path, _)| path.clone()),
        best.map(|(_, manager)| *manager),
    )
}

/// The lockfiles of the nearest folder that has any, with the package managers that write them.
fn lockfiles(project: &crate::fact::ProjectFact, index: &FileIndex) -> Vec<(RelPath, &'static str)> {
    let mut folder = project.dir.clone();
    loop {
        let mut found = Vec::new();
        for technology in Catalogue::get().group(Group::PackageManager) {
            let Some(facts) = &technology.package_manager else {
                continue;
            };
            if facts.ecosystem.map(playbook_core::technology::Ecosystem::slug) != Some(project.ecosystem) {
                continue;
            }
            let of_manifest =
                facts.manifests.is_empty() || facts.manifests.contains(&project.manifest.name());
            for name in facts.lockfiles.iter().filter(|_| of_manifest) {
                if let Some(path) = folder
                    .join(name)
                    .filter(|path| index.contains(path) && *path != project.manifest)
                {
                    found.push((path, technology.id));
                }
            }
        }
        if !found.is_empty() || folder.is_root() {
            return found;
        }
        folder = folder.parent();
    }
}
