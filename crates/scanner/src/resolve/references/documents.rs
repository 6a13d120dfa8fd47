//! The commands of documents, in the order in which people read them.

use std::collections::BTreeMap;

use playbook_core::evidence::{Evidence, Scope};
use playbook_core::inventory::{
    DocumentedCommand, Inventory, MissingReference, ReferenceKind, ReferenceOrigin,
};
use playbook_core::path::RelPath;
use playbook_core::shown::Shown;

use super::command::{self, TABLE};
use super::tree::{self, Tree};
use super::{Sources, missing};
use crate::scope;

/// What documents name and the tree lacks. Gives back the tree, which then knows what people are told to make.
pub(super) fn find<'a>(
    inventory: &Inventory,
    sources: &Sources<'_>,
    mut tree: Tree<'a>,
) -> (Tree<'a>, Vec<MissingReference>) {
    let documented = &sources.facts.documented_commands;
    for documented in documented {
        tree.made.extend(command::written(documented.command.as_str()));
    }
    tree.names = tree::own_names(
        sources.facts,
        inventory.project.name.as_ref().map(Shown::as_str),
        inventory.project.vcs.remote.as_ref().map(Shown::as_str),
    );
    let mut found = Vec::new();
    // Facts of one file stand side by side, in its order.
    for of_document in documented.chunk_by(|a, b| path_of(a) == path_of(b)) {
        let Some(document) = of_document.first().and_then(path_of).filter(|path| counts(path)) else {
            continue;
        };
        let mut reader = Reader {
            document,
            place: Place::Here,
            images: BTreeMap::new(),
            clones: 0,
        };
        for documented in of_document {
            if reader.follow(documented, &mut tree, inventory) {
                reader.judge(documented, &tree, inventory, &mut found);
            } else if reader.place == Place::Away {
                break;
            }
        }
    }
    (tree, found)
}

fn path_of(documented: &DocumentedCommand) -> Option<&RelPath> {
    documented.evidence.first().map(|evidence| &evidence.path)
}

/// Does the document describe the repository as it is?
fn counts(document: &RelPath) -> bool {
    let table = &*TABLE;
    let folders: Vec<&str> = document.components().collect();
    let folders = folders.split_last().map_or(&[][..], |(_, folders)| folders);
    let told_by_place: Vec<&str> = folders
        .iter()
        .copied()
        .filter(|folder| !table.document_folders.contains(&folder.to_ascii_lowercase()))
        .collect();
    let skipped = folders
        .iter()
        .any(|folder| table.skipped_folders.contains(&folder.to_ascii_lowercase()));
    !skipped
        && RelPath::new(&told_by_place.join("/")).is_some_and(|folder| !scope::folder_is_development(&folder))
}

/// Where the reader of a document is.
#[derive(PartialEq)]
enum Place {
    /// In this repository.
    Here,
    /// In another project as long as the heading stays.
    AwayUnder(Option<Shown>),
    /// In another project to the end of the document.
    Away,
}

/// Somebody who runs the commands of a document.
struct Reader<'a> {
    document: &'a RelPath,
    place: Place,
    /// The Dockerfiles of the images that were built, by their tags.
    images: BTreeMap<String, RelPath>,
    clones: usize,
}

impl Reader<'_> {
    /// Takes in where a command leads; is it one of this repository?
    fn follow(&mut self, documented: &DocumentedCommand, tree: &mut Tree<'_>, inventory: &Inventory) -> bool {
        if matches!(&self.place, Place::AwayUnder(heading) if *heading != documented.heading) {
            self.place = Place::Here;
        }
        for words in command::simple(documented.command.as_str()) {
            let words = command::unwrapped(&words);
            if command::is_generator(words) {
                self.place = Place::Away;
            }
            match words {
                ["git", "clone", rest @ ..] | ["gh", "repo", "clone", rest @ ..] => {
                    let address = rest
                        .iter()
                        .find(|word| word.contains('/'))
                        .copied()
                        .unwrap_or_default();
                    let last = address
                        .trim_end_matches('/')
                        .rsplit(['/', ':'])
                        .next()
                        .unwrap_or_default();
                    let last = last.strip_suffix(".git").unwrap_or(last).to_ascii_lowercase();
                    self.clones += 1;
                    // The README of the root first tells how to get the repository itself, under whatever name.
                    let itself =
                        self.clones == 1 && self.document.parent().is_root() || tree.names.contains(&last);
                    self.place = if itself { Place::Here } else { Place::Away };
                    if itself {
                        tree.names.insert(last);
                    }
                }
                ["cd" | "pushd", folder, ..] => {
                    let last = folder
                        .trim_end_matches('/')
                        .rsplit('/')
                        .next()
                        .unwrap_or_default();
                    let known = matches!(last, "" | "." | ".." | "-" | "~")
                        || tree.has_folder(last)
                        || tree.names.contains(&last.to_ascii_lowercase())
                        || self.clones > 0 && self.document.parent().is_root();
                    if !known {
                        self.place = Place::AwayUnder(documented.heading.clone());
                    }
                }
                ["docker" | "podman", "build", rest @ ..] => self.build(rest, tree, inventory),
                _ => {}
            }
        }
        self.place == Place::Here
    }

    /// Remembers which Dockerfile an image is built of, where that is sure.
    fn build(&mut self, arguments: &[&str], tree: &Tree<'_>, inventory: &Inventory) {
        let mut tag = None;
        let mut file = None;
        let mut context = None;
        let mut rest = arguments.iter().copied();
        while let Some(word) = rest.next() {
            match word {
                "-t" | "--tag" => tag = rest.next(),
                "-f" | "--file" => file = rest.next(),
                "--build-arg" | "--target" | "--platform" | "--network" | "--secret" => {
                    rest.next();
                }
                word if !word.starts_with('-') => context = Some(word),
                _ => {}
            }
        }
        let (Some(tag), Some(context)) = (tag, context) else {
            return;
        };
        let dockerfile = match (file, context) {
            (Some(file), _) => match tree.files_ending_in(file.trim_start_matches("./")).as_slice() {
                [only] => Some((*only).clone()),
                _ => None,
            },
            (None, "." | "./") => self
                .document
                .parent()
                .join("Dockerfile")
                .filter(|path| tree.contains(path)),
            (None, folder) => {
                let path = format!(
                    "{}/Dockerfile",
                    folder.trim_start_matches("./").trim_end_matches('/')
                );
                match tree.files_ending_in(&path).as_slice() {
                    [only] => Some((*only).clone()),
                    _ => None,
                }
            }
        };
        let known = dockerfile.filter(|path| inventory.containers.iter().any(|known| known.path == *path));
        if let Some(path) = known {
            self.images.insert(tag.to_owned(), path);
        }
    }

    fn judge(
        &self,
        documented: &DocumentedCommand,
        tree: &Tree<'_>,
        inventory: &Inventory,
        found: &mut Vec<MissingReference>,
    ) {
        let folder = self.document.parent();
        for words in command::simple(documented.command.as_str()) {
            for reference in command::references(&words) {
                if tree.lacks(&reference, &folder) {
                    found.extend(missing(
                        &reference,
                        ReferenceOrigin::Document,
                        &documented.command,
                        None,
                        tree,
                        documented.evidence.clone(),
                    ));
                }
            }
            if let ["docker" | "podman", "run", arguments @ ..] = command::unwrapped(&words) {
                found.extend(self.port(documented, arguments, inventory));
            }
        }
    }

    /// A port that `docker run` publishes although nothing in the image listens on it.
    fn port(
        &self,
        documented: &DocumentedCommand,
        arguments: &[&str],
        inventory: &Inventory,
    ) -> Option<MissingReference> {
        let dockerfile = arguments.iter().find_map(|word| self.images.get(*word))?;
        let container = inventory
            .containers
            .iter()
            .find(|container| container.path == *dockerfile && container.scope == Scope::Production)?;
        let mut ports: Vec<u16> = container.exposed_ports.clone();
        ports.extend(
            inventory
                .services
                .iter()
                .filter(|service| service.dockerfile.as_ref() == Some(dockerfile))
                .flat_map(|service| service.ports.iter().copied()),
        );
        ports.sort_unstable();
        ports.dedup();
        let told = arguments.iter().any(|word| word.contains("PORT="));
        if ports.is_empty() || told {
            return None;
        }
        let published: Vec<&str> = arguments
            .windows(2)
            .filter_map(|two| match two {
                ["-p" | "--publish", value] => Some(*value),
                _ => None,
            })
            .collect();
        let wrong = published
            .iter()
            .filter_map(|value| value.rsplit(':').next()?.split('/').next()?.parse::<u16>().ok())
            .find(|port| !ports.contains(port))?;
        let shown: Vec<Shown> = ports.iter().map(|port| Shown::number(u64::from(*port))).collect();
        let line = container.command_line.or(container.entrypoint_line);
        let place = line.map_or_else(
            || Evidence::file(dockerfile),
            |line| Evidence::at(dockerfile, line),
        );
        Some(MissingReference {
            kind: ReferenceKind::Port,
            name: Shown::number(u64::from(wrong)),
            origin: ReferenceOrigin::Document,
            command: documented.command.clone(),
            instead: Some(Shown::join(&shown, ", ")),
            service: None,
            evidence: documented.evidence.iter().cloned().chain([place]).collect(),
        })
    }
}
