//! Applications that a server takes in: what their own main block would do does not happen.

use playbook_core::inventory::SignalKind;

use super::candidates::Sources;
use super::roles;
use super::services::Merged;

/// Does a command start a server that loads the application (gunicorn, uvicorn), and no file of it?
pub(super) fn is_hosted(command: &str) -> bool {
    roles::technologies(command).iter().any(|technology| {
        technology
            .server
            .as_ref()
            .is_some_and(|server| !server.wraps && !server.development && !server.protocol.is_empty())
    })
}

/// What calls of a server within the code say (its address, its debug mode), where every process of that code is started
/// by another server and no command names the file.
pub(super) fn unheard(sources: &Sources<'_>, services: &[Merged]) -> Vec<usize> {
    let of_call = |kind: SignalKind| {
        matches!(
            kind,
            SignalKind::BindsLoopback | SignalKind::DebugEnabled | SignalKind::DevelopmentServer
        )
    };
    let entries = &sources.facts.entry_points;
    sources
        .facts
        .signals
        .iter()
        .enumerate()
        .filter(|(_, signal)| of_call(signal.kind))
        .filter(|(_, signal)| {
            let Some(place) = signal.evidence.first() else {
                return false;
            };
            // Only what stands where a server is called.
            if !entries.iter().any(|entry| entry.evidence == *place) {
                return false;
            }
            let owner = sources.apps.owner(&place.path).map(|app| &app.dir);
            let mut commands = services
                .iter()
                .filter(|merged| merged.service.is_own() && owner == Some(&merged.service.path))
                .map(|merged| {
                    let commands = &merged.service.commands;
                    commands
                        .start_resolved
                        .as_ref()
                        .or(commands.start.as_ref())
                        .map_or("", |command| command.as_str())
                })
                .peekable();
            commands.peek().is_some()
                && commands.all(|command| is_hosted(command) && !command.contains(place.path.name()))
        })
        .map(|(at, _)| at)
        .collect()
}
