//! Migration tools with their files, their commands and where they are run.

mod hook;
mod layout;

use std::collections::{BTreeMap, BTreeSet};

use playbook_core::evidence::{Evidence, Scope};
use playbook_core::harmless::CommandLine;
use playbook_core::inventory::{Datastore, Migration, OperationKind, Revision, SignalKind};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Group, Technology};

use super::candidates::Sources;
use super::roles;
use super::services::Merged;
use crate::fact::MigrationFact;
use layout::Key;

/// Makes the list: one entry for each tool and folder of files.
pub(crate) fn resolve(
    sources: &Sources<'_>,
    datastores: &[Datastore],
    services: &mut [Merged],
) -> Vec<Migration> {
    let mut found = of_revisions(sources);
    let mut named: BTreeSet<Key> = BTreeSet::new();
    let facts = sources
        .facts
        .migrations
        .iter()
        .filter(|fact| fact.scope == Scope::Production);
    for fact in facts {
        let keys = entries_of(fact, &found, sources);
        if fact.dir.is_some() {
            named.extend(keys.iter().cloned());
        }
        for key in keys {
            let known = found
                .entry(key.clone())
                .or_insert_with(|| empty(&fact.tool, &key.1));
            known.command = known.command.clone().or_else(|| fact.command.clone());
            known.rollback = known.rollback.clone().or_else(|| fact.rollback.clone());
            known.at_start |= fact.at_start;
            known.datastore = known.datastore.clone().or_else(|| fact.datastore.clone());
            // What says where the files are comes first.
            let at = if fact.dir.is_some() {
                0
            } else {
                known.evidence.len()
            };
            known.evidence.insert(at, fact.evidence.clone());
            known.evidence.truncate(10);
        }
    }
    layout::drop_unread(&mut found, &named, |dir| {
        sources.apps.owner(dir).map(|app| app.dir.clone())
    });
    let used: Vec<Shown> = datastores.iter().map(|store| store.kind.clone()).collect();
    layout::choose_engine(&mut found, &used);
    found.retain(|_, migration| migration.count > 0 || tool(migration).is_some_and(keeps_no_files));
    let mut out: Vec<Migration> = found.into_values().collect();
    let tools: Vec<Shown> = out.iter().map(|migration| migration.tool.clone()).collect();
    for migration in &mut out {
        let alone = tools.iter().filter(|tool| **tool == migration.tool).count() == 1;
        order(migration);
        commands(migration, alone, sources);
        attach(migration, sources, datastores, services);
    }
    out
}

/// Extensions that migrations create belong to the store that they change.
pub(crate) fn tell_extensions(migrations: &[Migration], datastores: &mut [Datastore]) {
    for migration in migrations {
        let Some(store) = migration
            .datastore
            .as_ref()
            .and_then(|kind| datastores.iter_mut().find(|store| store.kind == *kind))
        else {
            continue;
        };
        for operation in migration
            .revisions
            .iter()
            .flat_map(|revision| &revision.operations)
            .filter(|operation| operation.kind == OperationKind::CreateExtension)
        {
            if let Some(name) = &operation.object
                && !store.extensions.contains(name)
            {
                store.extensions.push(name.clone());
            }
        }
    }
}

/// Entries of the files themselves.
fn of_revisions(sources: &Sources<'_>) -> BTreeMap<Key, Migration> {
    let mut found: BTreeMap<Key, Migration> = BTreeMap::new();
    let told: BTreeMap<&RelPath, &Shown> = sources
        .facts
        .migrations
        .iter()
        .filter(|fact| fact.tool != "raw-sql" && fact.scope == Scope::Production)
        .filter_map(|fact| Some((fact.dir.as_ref()?, &fact.tool)))
        .collect();
    for revision in sources
        .facts
        .revisions
        .iter()
        .filter(|revision| revision.scope == Scope::Production)
    {
        let tool = tool_of(revision, &told, sources);
        let dir = layout::tree(tool.as_str(), &revision.dir);
        let known = found
            .entry((tool.as_str().to_owned(), dir.clone()))
            .or_insert_with(|| empty(&tool, &dir));
        known.count += 1;
        known.revisions.push(Revision {
            id: (&revision.id).into(),
            path: revision.path.clone(),
            parents: revision.parents.iter().flatten().map(Into::into).collect(),
            operations: revision.operations.clone(),
            reversible: revision.reversible,
        });
        if known.evidence.is_empty() {
            known.evidence.push(Evidence::file(&revision.path));
        }
    }
    found
}

/// The entries that a fact speaks of: those where it says the files lie, those of its own project, those of the
/// application that it belongs to; a call in a library that all share speaks of each.
fn entries_of(fact: &MigrationFact, found: &BTreeMap<Key, Migration>, sources: &Sources<'_>) -> Vec<Key> {
    let tool = fact.tool.as_str();
    let with = |test: &dyn Fn(&RelPath) -> bool| -> Vec<Key> {
        found
            .iter()
            .filter(|((known, dir), migration)| known == tool && migration.count > 0 && test(dir))
            .map(|(key, _)| key.clone())
            .collect()
    };
    if let Some(wanted) = &fact.dir {
        let there = with(&|dir| dir.is_in(wanted) || wanted.is_in(dir));
        if !there.is_empty() {
            return there;
        }
    }
    let of_project = with(&|dir| dir.is_in(&fact.project));
    if !of_project.is_empty() {
        return of_project;
    }
    let owner = sources.apps.owner(&fact.project).map(|app| app.dir.clone());
    let of_owner = with(&|dir| owner.as_ref().is_some_and(|owner| dir.is_in(owner)));
    if !of_owner.is_empty() {
        return of_owner;
    }
    if fact.dir.is_none() {
        let anywhere = with(&|_| true);
        if !anywhere.is_empty() {
            return anywhere;
        }
    }
    let place = fact.dir.clone().unwrap_or_else(|| fact.project.clone());
    vec![(tool.to_owned(), place)]
}

/// A tool whose migrations are code that nothing recognises as such: its call is all there is.
fn keeps_no_files(technology: &Technology) -> bool {
    technology
        .migration
        .as_ref()
        .is_none_or(|facts| facts.revision_files.is_empty())
}

/// Numbered SQL files say no tool: the application's packages do, if just one of them reads such files.
fn tool_of(
    revision: &crate::fact::RevisionFact,
    told: &BTreeMap<&RelPath, &Shown>,
    sources: &Sources<'_>,
) -> Shown {
    if revision.tool == "alembic" && is_wrapped(revision, sources) {
        return Shown::from("flask-migrate");
    }
    // Several tools call the forward half of a pair of files the same.
    let shared = revision.tool == "raw-sql" || revision.tool == "golang-migrate";
    if !shared {
        return revision.tool.clone();
    }
    // A file of checksums beside them, or a configuration, names the folder and its tool.
    if let Some(tool) = told.get(&revision.dir) {
        return (*tool).clone();
    }
    let mut tools: BTreeSet<&'static str> = BTreeSet::new();
    let owner = sources.apps.owner(&revision.path);
    for app in owner.into_iter().chain(
        sources
            .apps
            .all
            .iter()
            .filter(|app| app.dir.is_in(&revision.dir.parent())),
    ) {
        for known in app.of_group(Group::Migration) {
            let reads_sql = known
                .technology
                .migration
                .as_ref()
                .is_some_and(|facts| facts.is_revision(revision.path.name()));
            if reads_sql {
                tools.insert(known.technology.id);
            }
        }
    }
    let named = sources.facts.migrations.iter().find(|fact| {
        tools.contains(fact.tool.as_str())
            || owner.is_some_and(|owner| fact.evidence.path.is_in(&owner.dir))
                && tools.is_empty()
                && fact.tool != "raw-sql"
                && Catalogue::get()
                    .find(Group::Migration, fact.tool.as_str())
                    .and_then(|technology| technology.migration.as_ref())
                    .is_some_and(|facts| facts.is_revision(revision.path.name()))
    });
    if tools.contains(revision.tool.as_str()) {
        return revision.tool.clone();
    }
    let only = tools
        .iter()
        .next()
        .filter(|_| tools.len() == 1)
        .map(|tool| Shown::from(*tool));
    only.or_else(|| named.map(|fact| fact.tool.clone()))
        .unwrap_or_else(|| revision.tool.clone())
}

fn empty(tool: &Shown, dir: &RelPath) -> Migration {
    Migration {
        tool: tool.clone(),
        path: dir.clone(),
        command: None,
        rollback: None,
        status: None,
        count: 0,
        service: None,
        datastore: None,
        at_start: false,
        run_by: Vec::new(),
        heads: Vec::new(),
        revisions: Vec::new(),
        evidence: Vec::new(),
    }
}

/// Flask-Migrate is Alembic under another command: the files are the same, the outer tool is named.
fn is_wrapped(revision: &crate::fact::RevisionFact, sources: &Sources<'_>) -> bool {
    let owner = sources.apps.owner(&revision.path).map(|app| &app.dir);
    sources
        .facts
        .migrations
        .iter()
        .filter(|fact| fact.tool == "flask-migrate" && fact.scope == Scope::Production)
        .any(|fact| {
            fact.dir.as_ref().map_or_else(
                || sources.apps.owner(&fact.project).map(|app| &app.dir) == owner,
                |dir| revision.dir.is_in(dir),
            )
        })
}

/// Oldest first: along the graph where the tool has one, else by name. Heads are the revisions that no other names as
/// its parent.
fn order(migration: &mut Migration) {
    migration.revisions.sort_by(|a, b| a.path.cmp(&b.path));
    let graph = migration
        .revisions
        .iter()
        .any(|revision| !revision.parents.is_empty());
    if !graph {
        return;
    }
    let parents: BTreeSet<Shown> = migration
        .revisions
        .iter()
        .flat_map(|revision| revision.parents.iter().cloned())
        .collect();
    migration.heads = migration
        .revisions
        .iter()
        .filter(|revision| !parents.contains(&revision.id))
        .map(|revision| revision.id.clone())
        .collect();
    migration.heads.sort();
    let mut placed: BTreeSet<Shown> = BTreeSet::new();
    let known: BTreeSet<Shown> = migration
        .revisions
        .iter()
        .map(|revision| revision.id.clone())
        .collect();
    let mut waiting = std::mem::take(&mut migration.revisions);
    while !waiting.is_empty() {
        let (ready, rest): (Vec<Revision>, Vec<Revision>) = waiting.into_iter().partition(|revision| {
            revision
                .parents
                .iter()
                .all(|parent| placed.contains(parent) || !known.contains(parent))
        });
        if ready.is_empty() {
            // A circle: keep the order of the names.
            migration.revisions.extend(rest);
            return;
        }
        placed.extend(ready.iter().map(|revision| revision.id.clone()));
        migration.revisions.extend(ready);
        waiting = rest;
    }
}

fn tool(migration: &Migration) -> Option<&'static Technology> {
    Catalogue::get().find(Group::Migration, migration.tool.as_str())
}

/// Does a command apply the tool's migrations: by the words of its call, or as the program that the catalogue names?
fn applies(technology: &Technology, text: &str) -> bool {
    let by_words = technology
        .migration
        .as_ref()
        .is_some_and(|facts| facts.apply_words.iter().any(|words| text.contains(words)));
    by_words
        || roles::simple_commands(text).iter().any(|words| {
            let catalogue = Catalogue::get();
            catalogue
                .by_command(catalogue.without_wrappers(words))
                .iter()
                .any(|found| found.group == Group::Migration && found.id == technology.id)
        })
}

/// Commands: as a script of the repository states them, else the tool's own; and every place that runs them.
fn commands(migration: &mut Migration, alone: bool, sources: &Sources<'_>) {
    let Some(technology) = tool(migration) else { return };
    let Some(facts) = technology.migration.as_ref() else {
        return;
    };
    let place = sources.apps.owner(&migration.path).map(|app| app.dir.clone());
    let mut run_by: BTreeSet<Evidence> = BTreeSet::new();
    for script in &sources.facts.scripts {
        if applies(technology, script.command.as_str()) {
            run_by.insert(script.evidence.clone());
        }
    }
    for script in sources
        .facts
        .shell_scripts
        .iter()
        .filter(|script| script.scope == Scope::Production)
    {
        let all = script
            .commands
            .iter()
            .chain(script.arms.iter().flat_map(|arm| &arm.commands));
        for (_, line) in all.filter(|(command, _)| applies(technology, command.as_str())) {
            run_by.insert(Evidence::at(&script.path, *line));
        }
    }
    for unit in sources
        .stacks
        .iter()
        .filter(|stack| stack.scope == Scope::Production)
        .flat_map(|stack| &stack.units)
    {
        let stated = [
            &unit.command,
            &unit.pre_deploy,
            &unit.entrypoint,
            &unit.build_command,
        ];
        if stated
            .into_iter()
            .flatten()
            .any(|command| applies(technology, command.as_str()))
        {
            run_by.extend(unit.evidence.first().cloned());
        }
    }
    for container in sources
        .containers
        .iter()
        .filter(|container| container.scope == Scope::Production)
    {
        for (command, line) in [
            (&container.command, container.command_line),
            (&container.entrypoint, container.entrypoint_line),
        ] {
            if let (Some(command), Some(line)) = (command, line)
                && applies(technology, command.as_str())
            {
                run_by.insert(Evidence::at(&container.path, line));
            }
        }
    }
    for step in sources
        .facts
        .ci_steps
        .iter()
        .filter(|step| applies(technology, step.command.as_str()))
    {
        run_by.extend(step.evidence.first().cloned());
    }
    for documented in sources
        .facts
        .documented_commands
        .iter()
        .filter(|documented| applies(technology, documented.command.as_str()))
    {
        run_by.extend(documented.evidence.first().cloned());
    }
    migration.run_by = run_by.into_iter().take(20).collect();
    migration.at_start |= facts.at_start && migration.run_by.is_empty() && migration.command.is_none();
    migration.at_start |= sources.facts.signals.iter().any(|signal| {
        signal.kind == SignalKind::MigrationsAtStart
            && signal.scope == Scope::Production
            && signal
                .subject
                .as_ref()
                .is_none_or(|subject| *subject == migration.tool)
            && signal
                .evidence
                .iter()
                .any(|evidence| place.as_ref().is_none_or(|place| evidence.path.is_in(place)))
    });
    let stated = migration.command.is_some()
        || stated_command(technology, place.as_ref().filter(|_| !alone), sources).is_some();
    if let Some((command, place)) =
        hook::of_release(sources).filter(|_| alone && !stated && migration.at_start)
    {
        migration.command = Some(command);
        migration.run_by.extend(place);
        migration.run_by.sort();
        migration.at_start = false;
    }
    if migration.command.is_none() && !(migration.at_start && facts.apply.is_none()) {
        migration.command = stated_command(technology, place.as_ref().filter(|_| !alone), sources)
            .or_else(|| facts.apply.and_then(parse));
    }
    if migration.tool == "ecto" {
        name_release(migration, sources);
    }
    migration.rollback = migration
        .rollback
        .clone()
        .or_else(|| facts.rollback.and_then(parse));
    migration.status = migration.status.clone().or_else(|| facts.status.and_then(parse));
}

/// A release may be called otherwise than its application, which is all that the module of its tasks knows.
fn name_release(migration: &mut Migration, sources: &Sources<'_>) {
    let release = sources
        .apps
        .owner(&migration.path)
        .and_then(|app| app.projects.iter().find(|project| project.ecosystem == "hex"))
        .and_then(|project| project.programs.first())
        .map(|(name, ..)| name.as_str().to_owned());
    let Some(release) = release else { return };
    for command in [&mut migration.command, &mut migration.rollback] {
        let renamed = command.as_ref().and_then(|command| {
            let (program, rest) = command.as_str().strip_prefix("bin/")?.split_once(" eval ")?;
            (program != release).then(|| format!("bin/{release} eval {rest}"))
        });
        if let Some(renamed) = renamed.as_deref().and_then(parse) {
            *command = Some(renamed);
        }
    }
}

fn parse(text: &str) -> Option<CommandLine> {
    CommandLine::parse(Raw::new(text))
}

/// The command as a production script or hook states it: the simple command that holds the tool's words.
fn stated_command(
    technology: &Technology,
    place: Option<&RelPath>,
    sources: &Sources<'_>,
) -> Option<CommandLine> {
    let near = |path: &RelPath| place.is_none_or(|place| path.is_in(place) || place.is_in(&path.parent()));
    let pick = |text: &str| {
        roles::simple_commands(text)
            .into_iter()
            // A program below a variable of the script is found by that script alone.
            .filter(|words| !words.iter().take(2).any(|word| word.contains('$')))
            .map(|words| words.join(" "))
            .find(|command| applies(technology, command))
            .and_then(|command| parse(&command))
    };
    let units = sources
        .stacks
        .iter()
        .filter(|stack| stack.scope == Scope::Production)
        .flat_map(|stack| &stack.units)
        .flat_map(|unit| [&unit.pre_deploy, &unit.command, &unit.entrypoint])
        .flatten()
        .find_map(|command| pick(command.as_str()));
    let shell = || {
        sources
            .facts
            .shell_scripts
            .iter()
            .filter(|script| script.scope == Scope::Production && near(&script.path))
            .flat_map(|script| {
                script
                    .commands
                    .iter()
                    .chain(script.arms.iter().flat_map(|arm| &arm.commands))
            })
            .find_map(|(command, _)| pick(command.as_str()))
    };
    let scripts = || {
        sources
            .facts
            .scripts
            .iter()
            .filter(|script| near(&script.evidence.path))
            .find_map(|script| {
                let command = pick(script.command.as_str())?;
                // A script of a package finds the programs of its packages; a shell does not.
                if script.runner == "npm" && is_tool_of_package(technology, &command) {
                    return parse(&format!("npx {}", command.as_str()));
                }
                Some(command)
            })
    };
    units.or_else(shell).or_else(scripts)
}

/// Does a command begin with the tool's own program, as packages install it?
fn is_tool_of_package(technology: &Technology, command: &CommandLine) -> bool {
    let program = command.words().next().unwrap_or_default();
    let own = technology
        .migration
        .as_ref()
        .and_then(|facts| facts.apply)
        .and_then(|apply| apply.strip_prefix("npx "))
        .and_then(|apply| apply.split(' ').next());
    own.is_some_and(|own| own == program || own.strip_suffix("-cli") == Some(program))
}

fn uses_database(merged: &Merged, datastores: &[Datastore]) -> bool {
    let needs = |store: &Datastore| merged.service.depends_on.contains(&store.id);
    merged.service.is_own()
        && datastores
            .iter()
            .any(|store| store.role == "database" && needs(store))
}

/// The service whose code the migrations are, and the store they change.
fn attach(
    migration: &mut Migration,
    sources: &Sources<'_>,
    datastores: &[Datastore],
    services: &mut [Merged],
) {
    let dir = sources.apps.owner(&migration.path).map(|app| app.dir.clone());
    // Migrations beside the code belong to the only code that uses a database.
    let of_code = services
        .iter()
        .any(|merged| merged.service.is_own() && dir.as_ref() == Some(&merged.service.path));
    let users: BTreeSet<RelPath> = services
        .iter()
        .filter(|merged| !of_code && uses_database(merged, datastores))
        .map(|merged| merged.service.path.clone())
        .collect();
    let dir = if users.len() == 1 {
        users.into_iter().next()
    } else {
        dir
    };
    let owner = services
        .iter_mut()
        .filter(|merged| merged.service.is_own() && dir.as_ref() == Some(&merged.service.path))
        .min_by_key(|merged| merged.service.role);
    let databases = || {
        datastores
            .iter()
            .filter(|store| matches!(store.role.as_str(), "database" | "warehouse"))
    };
    if migration.datastore.is_none() {
        migration.datastore = layout::engine_of(&migration.path)
            .filter(|engine| databases().any(|store| store.kind == *engine))
            .map(Shown::from);
    }
    if let Some(owner) = owner {
        migration.service = Some(owner.service.id.clone());
        if owner.service.commands.migrate.is_none() {
            owner.service.commands.migrate.clone_from(&migration.command);
        }
        let used: Vec<&Datastore> = databases()
            .filter(|store| store.role == "database" && owner.service.depends_on.contains(&store.id))
            .collect();
        if migration.datastore.is_none() {
            // A server comes before the file that stands in for it.
            migration.datastore = used
                .iter()
                .find(|store| store.kind != "sqlite")
                .or(used.first())
                .map(|store| store.kind.clone());
        }
    }
    if migration.datastore.is_none() {
        let mut kinds = databases().filter(|store| store.role == "database");
        if let (Some(only), None) = (kinds.next(), kinds.next()) {
            migration.datastore = Some(only.kind.clone());
        }
    }
}
