//! Processes that the code describes: entry points.

use playbook_core::evidence::{Confidence, Scope};
use playbook_core::harmless::Name;
use playbook_core::inventory::Role;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use super::{Candidate, Sources, Tier};
use crate::fact::{EntryKind, EntryPoint};
use crate::resolve::apps::App;
use crate::resolve::roles;
use crate::resolve::services::entries_of;

impl Sources<'_> {
    /// Candidates of the code: proven entry points. The caller drops those whose application already has a process of
    /// their kind.
    pub(crate) fn of_code(&self) -> Vec<Candidate> {
        let mut out = Vec::new();
        for (at, entry) in self
            .facts
            .entry_points
            .iter()
            .enumerate()
            .filter(|(_, entry)| entry.scope == Scope::Production)
        {
            if entry.framework == crate::detect::settings_file::SETTINGS {
                continue;
            }
            let role = match entry.kind {
                EntryKind::Server => Role::Web,
                EntryKind::Worker => Role::Worker,
                EntryKind::Scheduler => Role::Scheduler,
                EntryKind::Function => Role::Function,
                EntryKind::Main => match self.role_of_program(entry) {
                    Some(role) => role,
                    None => continue,
                },
                EntryKind::Program => continue,
            };
            let app = self.apps.owner(&entry.path);
            // In a compiled language the process begins at its main function; a listener elsewhere lends its port.
            if app.is_some_and(|app| matches!(app.runtime, "go" | "rust")) && entry.kind != EntryKind::Main {
                continue;
            }
            let dir = app.map_or_else(|| entry.path.parent(), |app| app.dir.clone());
            let name = entry_name(entry, app)
                .or_else(|| self.name_of_dir(&dir))
                .unwrap_or_else(|| Shown::from("app"));
            out.push(Candidate {
                tier: Tier::Code,
                name,
                dir: Some(dir),
                role: Some(role),
                dockerfile: None,
                target: None,
                context: None,
                image: None,
                command: None,
                command_evidence: None,
                confidence: Confidence::Convention,
                unit: None,
                entry: Some(at),
                third_party: false,
                evidence: vec![entry.evidence.clone()],
            });
        }
        out
    }
}

impl Sources<'_> {
    /// The role of a compiled program: what its name says, else a server when its application listens or has a web
    /// framework. Programs for maintenance have none.
    fn role_of_program(&self, entry: &EntryPoint) -> Option<Role> {
        let app = self.apps.owner(&entry.path)?;
        let own = entry_name(entry, Some(app));
        let by_name = own.as_ref().and_then(|name| roles::of_name(name.as_str()));
        if own
            .as_ref()
            .is_some_and(|name| roles::is_maintenance(name.as_str()))
            || by_name == Some(Role::Job)
        {
            return None;
        }
        if matches!(by_name, Some(Role::Worker | Role::Scheduler)) {
            return by_name;
        }
        let listens = entries_of(self, &app.dir, EntryKind::Server).next().is_some();
        let web = app.frameworks_with_role("web").next().is_some();
        let worker = app.frameworks_with_role("worker").next().is_some();
        // Code that others share may know the web framework without serving anything.
        let shared = roles::is_helper(app.dir.name())
            || own.as_ref().is_some_and(|name| roles::is_helper(name.as_str()));
        match (listens || web && !shared, worker) {
            (true, _) => Some(Role::Web),
            (false, true) => Some(Role::Worker),
            _ => None,
        }
    }
}

/// A name that the entry point itself tells: the folder of a Go command, the name of a binary.
fn entry_name(entry: &EntryPoint, app: Option<&App>) -> Option<Shown> {
    let app = app?;
    if matches!(app.runtime, "go" | "rust") && entry.kind == EntryKind::Main {
        let folder = entry.path.parent();
        let below: Vec<&str> = folder.components().skip(app.dir.depth()).collect();
        let stem = entry.path.name().split('.').next().unwrap_or_default();
        let name = match (below.as_slice(), stem) {
            (["src", "bin"] | ["cmd"], stem) if stem != "main" => stem,
            (["cmd" | "src", .., last] | [.., "cmd", last], "main") if *last != "bin" && *last != "src" => {
                last
            }
            _ => return None,
        };
        return Name::parse(Raw::new(name)).map(Into::into);
    }
    None
}
