//! Is a Compose file for production or for development, and is it a Swarm stack?

use playbook_core::evidence::Scope;
use playbook_core::technology::{Catalogue, Group};

use super::values;
use crate::detect::judge::{self, development};
use crate::parse::tree::Node;
use crate::scope;
use crate::source::Source;

/// What the file's place, its first comments and its units say. Production when they say nothing.
pub(super) fn scope_of(source: &Source<'_>, services: &Node) -> Scope {
    if !source.is_production() {
        return Scope::Development;
    }
    if names_production(source) {
        return Scope::Production;
    }
    match development::heading(source.text) {
        Some(true) => return Scope::Development,
        Some(false) => return Scope::Production,
        None => {}
    }
    let units = || {
        services
            .entries()
            .map(|(_, _, node)| node)
            .filter(|node| node.is_map())
    };
    let own = || units().filter(|node| is_own(node));
    let helps_developers = |node: &Node| {
        node.get("image")
            .and_then(Node::text)
            .is_some_and(development::is_image)
    };
    let for_development = own().any(|node| serves_developers(source, node))
        || (own().count() == 0 && units().any(helps_developers));
    if for_development {
        Scope::Development
    } else {
        Scope::Production
    }
}

fn names_production(source: &Source<'_>) -> bool {
    let lower = source.path.name().to_ascii_lowercase();
    lower.split(['.', '-', '_']).any(|part| {
        matches!(
            part,
            "prod"
                | "production"
                | "deploy"
                | "deployment"
                | "release"
                | "live"
                | "stage"
                | "staging"
                | "stack"
                | "swarm"
        )
    })
}

/// Is it a process of this repository, as far as one file can say: built here, or of an image that no one knows?
pub(super) fn is_own(node: &Node) -> bool {
    if node.get("build").is_some() {
        return true;
    }
    match node.get("image").and_then(Node::text) {
        Some(image) => !development::is_image(image) && !is_third_party(image),
        None => true,
    }
}

/// An image of a datastore, a proxy, a monitor or a tool. Base images of runtimes are not: their command is the
/// repository's.
pub(crate) fn is_third_party(image: &str) -> bool {
    Catalogue::get()
        .by_image(&judge::image_without_tag(image))
        .iter()
        .any(|found| match found.technology.group {
            Group::Datastore | Group::Observability => true,
            Group::Image => !found.technology.roles.is_empty(),
            _ => false,
        })
}

fn serves_developers(source: &Source<'_>, node: &Node) -> bool {
    let started = ["command", "entrypoint"]
        .iter()
        .filter_map(|key| node.get(key))
        .any(|command| development::is_command(&values::command_text(command)));
    let switched = values::environment(node).iter().any(|entry| {
        entry
            .value
            .is_some_and(|value| development::is_switch(entry.name, value))
    });
    let target = node
        .path(&["build", "target"])
        .and_then(Node::text)
        .is_some_and(|target| {
            matches!(
                target,
                "dev" | "develop" | "development" | "debug" | "local" | "test" | "tests"
            )
        });
    let dockerfile = node
        .path(&["build", "dockerfile"])
        .and_then(Node::text)
        .and_then(|path| source.path.parent().join(path))
        .is_some_and(|path| scope::scope_of(&path) == Scope::Development);
    // An image whose recipe comes with installed packages is a tool for developers: production has none of its own there.
    let installed = node
        .get("build")
        .and_then(|build| build.text().or_else(|| build.get("context").and_then(Node::text)))
        .is_some_and(|context| {
            let folder = context.trim_start_matches("./");
            folder.starts_with("vendor/") || folder.starts_with("node_modules/")
        });
    let interactive = mounts_source(node) && node.get("tty").and_then(Node::boolean) == Some(true);
    started || switched || target || dockerfile || installed || interactive || develops(node)
}

/// `develop: watch:` alone proves nothing (Compose ignores it without `--watch`); with the source mounted it does.
fn develops(node: &Node) -> bool {
    node.path(&["develop", "watch"]).is_some() && mounts_source(node)
}

/// Is a folder of the repository itself mounted over the code?
fn mounts_source(node: &Node) -> bool {
    node.get("volumes").is_some_and(|volumes| {
        volumes.items().any(|item| {
            let source = match item.text() {
                Some(text) => text.split(':').next(),
                None => item.get("source").and_then(Node::text),
            };
            source.is_some_and(|path| matches!(path, "." | "./" | ".." | "../" | "${PWD}" | "$PWD"))
        })
    })
}

/// `docker-swarm` for a file that only a Swarm takes whole, else `docker-compose`.
pub(super) fn kind_of(source: &Source<'_>, root: &Node, services: &Node) -> &'static str {
    let nodes = || services.entries().map(|(_, _, node)| node);
    if nodes().any(|node| node.get("build").is_some()) {
        return "docker-compose";
    }
    let named = source
        .path
        .name()
        .to_ascii_lowercase()
        .split(['.', '-', '_'])
        .any(|part| matches!(part, "stack" | "swarm"));
    let for_swarm = [
        "placement",
        "update_config",
        "rollback_config",
        "endpoint_mode",
        "mode",
    ];
    let deployed = nodes()
        .filter_map(|node| node.get("deploy"))
        .any(|deploy| for_swarm.iter().any(|key| deploy.get(key).is_some()));
    let overlay = root.get("networks").is_some_and(|networks| {
        networks
            .entries()
            .any(|(_, _, network)| network.get("driver").and_then(Node::text) == Some("overlay"))
    });
    if named || deployed || overlay {
        "docker-swarm"
    } else {
        "docker-compose"
    }
}
