//! Migration tools with their files, their commands and where they are run.

use std::collections::{BTreeMap, BTreeSet};

use playbook_core::evidence::{Evidence, Scope};
use playbook_core::harmless::CommandLine;
use playbook_core::inventory::{Migration, Revision, SignalKind};
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;
use playbook_core::technology::{Catalogue, Group, Technology};

use super::candidates::Sources;
use super::roles;
use super::services::Merged;

/// Makes the list: one entry for each tool and folder of files.
pub(crate) fn resolve(sources: &Sources<'_>, services: &mut [Merged]) -> Vec<Migration> {
    let mut found: BTreeMap<(String, RelPath), Migration> = BTreeMap::new();
    let facts = sources.facts;
    for revision in facts
        .revisions
        .iter()
        .filter(|revision| revision.scope == Scope::Production)
    {
        let tool = tool_of(revision, sources);
        let known = found
            .entry((tool.as_str().to_owned(), revision.dir.clone()))
            .or_insert_with(|| empty(&tool, &revision.dir));
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
    for fact in facts
        .migrations
        .iter()
        .filter(|fact| fact.scope == Scope::Production)
    {
        let tool = fact.tool.as_str().to_owned();
        // The files of the same tool that lie where the fact says, or anywhere in its project.
        let key = found
            .keys()
            .find(|(known, dir)| {
                *known == tool
                    && fact
                        .dir
                        .as_ref()
                        .is_some_and(|wanted| dir.is_in(wanted) || wanted.is_in(dir))
            })
            .or_else(|| {
                found
                    .keys()
                    .find(|(known, dir)| *known == tool && dir.is_in(&fact.project))
            })
            .cloned()
            .unwrap_or_else(|| {
                (
                    tool.clone(),
                    fact.dir.clone().unwrap_or_else(|| fact.project.clone()),
                )
            });
        let known = found
            .entry(key.clone())
            .or_insert_with(|| empty(&fact.tool, &key.1));
        known.command = known.command.clone().or_else(|| fact.command.clone());
        known.at_start |= fact.at_start;
        known.datastore = known.datastore.clone().or_else(|| fact.datastore.clone());
        known.evidence.insert(0, fact.evidence.clone());
        known.evidence.truncate(10);
    }
    absorb_wrapped_tools(&mut found);
    let mut out: Vec<Migration> = found.into_values().collect();
    for migration in &mut out {
        order(migration);
        commands(migration, sources, services);
        attach(migration, sources, services);
    }
    out
}

/// Numbered SQL files say no tool: the application's packages do, if just one of them reads such files.
fn tool_of(revision: &crate::fact::RevisionFact, sources: &Sources<'_>) -> Shown {
    if revision.tool != "raw-sql" {
        return revision.tool.clone();
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
                && fact.tool != "raw-sql"
                && tools.is_empty()
    });
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
fn absorb_wrapped_tools(found: &mut BTreeMap<(String, RelPath), Migration>) {
    let wrapped: Vec<(String, RelPath)> = found
        .keys()
        .filter(|(tool, _)| tool == "alembic")
        .filter(|(_, dir)| {
            found.keys().any(|(outer, place)| {
                outer == "flask-migrate"
                    && (dir.is_in(place) || place.is_in(dir) || dir.parent().is_in(place))
            })
        })
        .cloned()
        .collect();
    for key in wrapped {
        let Some(inner) = found.remove(&key) else { continue };
        let outer = found.iter_mut().find(|((tool, place), _)| {
            tool == "flask-migrate"
                && (key.1.is_in(place) || place.is_in(&key.1) || key.1.parent().is_in(place))
        });
        if let Some((_, outer)) = outer {
            outer.count += inner.count;
            outer.revisions.extend(inner.revisions);
            outer.evidence.extend(inner.evidence);
            outer.path = inner.path;
        }
    }
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
            Catalogue::get()
                .by_command(words)
                .iter()
                .any(|found| found.group == Group::Migration && found.id == technology.id)
        })
}

/// Commands: as a script of the repository states them, else the tool's own; and every place that runs them.
fn commands(migration: &mut Migration, sources: &Sources<'_>, services: &[Merged]) {
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
    if migration.command.is_none() && !(migration.at_start && facts.apply.is_none()) {
        migration.command = stated_command(technology, place.as_ref(), sources, services)
            .or_else(|| facts.apply.and_then(parse));
    }
    migration.rollback = migration
        .rollback
        .clone()
        .or_else(|| facts.rollback.and_then(parse));
    migration.status = migration.status.clone().or_else(|| facts.status.and_then(parse));
}

fn parse(text: &str) -> Option<CommandLine> {
    CommandLine::parse(Raw::new(text))
}

/// The command as a production script or hook states it: the simple command that holds the tool's words.
fn stated_command(
    technology: &Technology,
    place: Option<&RelPath>,
    sources: &Sources<'_>,
    _services: &[Merged],
) -> Option<CommandLine> {
    let near = |path: &RelPath| place.is_none_or(|place| path.is_in(place) || place.is_in(&path.parent()));
    let pick = |text: &str| {
        roles::simple_commands(text)
            .into_iter()
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
            .find_map(|script| pick(script.command.as_str()))
    };
    units.or_else(shell).or_else(scripts)
}

/// The service whose code the migrations are, and the store they change.
fn attach(migration: &mut Migration, sources: &Sources<'_>, services: &mut [Merged]) {
    let dir = sources.apps.owner(&migration.path).map(|app| app.dir.clone());
    let owner = services
        .iter_mut()
        .filter(|merged| {
            merged.service.is_own() && dir.as_ref().is_some_and(|dir| *dir == merged.service.path)
        })
        .min_by_key(|merged| merged.service.role);
    if let Some(owner) = owner {
        migration.service = Some(owner.service.id.clone());
        if owner.service.commands.migrate.is_none() {
            owner.service.commands.migrate.clone_from(&migration.command);
        }
        if migration.datastore.is_none() {
            let relational = [
                "postgresql",
                "mysql",
                "mariadb",
                "mssql",
                "cockroachdb",
                "oracle",
                "sqlite",
                "mongodb",
                "clickhouse",
            ];
            migration.datastore = relational
                .iter()
                .find(|kind| owner.service.depends_on.iter().any(|id| id == *kind))
                .map(|kind| Shown::from(*kind));
        }
    }
}
