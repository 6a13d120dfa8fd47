//! Kustomize: images and replicas that an overlay of production sets for the workloads that it puts together.

use std::collections::{BTreeMap, BTreeSet};

use playbook_core::evidence::{Evidence, Scope};
use playbook_core::harmless::ImageRef;
use playbook_core::path::RelPath;
use playbook_core::raw::Raw;
use playbook_core::shown::Shown;

use crate::detect::judge;
use crate::detect::kubernetes::text;
use crate::fact::{Facts, KustomizationFact};
use crate::limits;
use crate::parse::tree::Node;

/// What overlays set for one unit: the value, and where.
type Changes<T> = BTreeMap<(usize, usize), BTreeMap<T, Evidence>>;

/// Applies the overlays. What two overlays set differently stays as the manifest says it: each is an environment of its
/// own.
pub(crate) fn apply(facts: &mut Facts) {
    let files = std::mem::take(&mut facts.kustomizations);
    let by_folder: BTreeMap<RelPath, &KustomizationFact> =
        files.iter().map(|file| (file.path.parent(), file)).collect();
    let mut stacks: BTreeMap<RelPath, Vec<usize>> = BTreeMap::new();
    for (at, stack) in facts.stacks.iter().enumerate() {
        if stack.kind == "kubernetes"
            && let Some(file) = stack.files.first()
        {
            stacks.entry(file.clone()).or_default().push(at);
        }
    }
    let mut images: Changes<Shown> = BTreeMap::new();
    let mut replicas: Changes<u32> = BTreeMap::new();
    for overlay in files.iter().filter(|file| file.scope == Scope::Production) {
        let changes = |key: &str| overlay.document.get(key).is_some_and(Node::is_seq);
        if !changes("images") && !changes("replicas") {
            continue;
        }
        for file in reached(overlay, &by_folder) {
            for at in stacks.get(&file).into_iter().flatten() {
                let Some(stack) = facts.stacks.get(*at) else {
                    continue;
                };
                for (position, unit) in stack.units.iter().enumerate() {
                    let key = (*at, position);
                    if let Some((image, place)) = unit
                        .image
                        .as_ref()
                        .and_then(|image| changed_image(overlay, image.as_str()))
                    {
                        images.entry(key).or_default().insert(image, place);
                    }
                    for item in items(&overlay.document, "replicas") {
                        let count = item.get("count").and_then(Node::integer);
                        if text(item, "name") == Some(unit.name.as_str())
                            && let Some(count) = count.and_then(|count| u32::try_from(count).ok())
                        {
                            let place = Evidence::at(&overlay.path, item.line());
                            replicas.entry(key).or_default().insert(count, place);
                        }
                    }
                }
            }
        }
    }
    for ((at, position), mut found) in images {
        let unit = facts
            .stacks
            .get_mut(at)
            .and_then(|stack| stack.units.get_mut(position));
        if let (Some(unit), 1, Some((image, place))) = (unit, found.len(), found.pop_first()) {
            unit.image = Some(image);
            unit.evidence.push(place);
        }
    }
    for ((at, position), mut found) in replicas {
        let unit = facts
            .stacks
            .get_mut(at)
            .and_then(|stack| stack.units.get_mut(position));
        if let (Some(unit), 1, Some((count, place))) = (unit, found.len(), found.pop_first()) {
            unit.replicas = Some(count);
            unit.evidence.push(place);
        }
    }
}

fn items<'n>(node: &'n Node, key: &str) -> impl Iterator<Item = &'n Node> {
    node.get(key).into_iter().flat_map(Node::items)
}

/// The manifests that an overlay puts together, through the bases that it names.
fn reached(
    overlay: &KustomizationFact,
    by_folder: &BTreeMap<RelPath, &KustomizationFact>,
) -> BTreeSet<RelPath> {
    let mut files = BTreeSet::new();
    let mut seen: BTreeSet<RelPath> = BTreeSet::new();
    let mut pending = vec![overlay];
    while let Some(next) = pending.pop() {
        let folder = next.path.parent();
        if seen.len() >= limits::KUSTOMIZE_FOLDERS || !seen.insert(folder.clone()) {
            continue;
        }
        for key in ["resources", "bases"] {
            for (name, _) in next.document.get(key).into_iter().flat_map(Node::texts) {
                let Some(path) = folder.join(name) else { continue };
                match by_folder.get(&path) {
                    Some(base) => pending.push(base),
                    None => {
                        files.insert(path);
                    }
                }
            }
        }
    }
    files
}

/// The image that an overlay puts in place of one.
fn changed_image(overlay: &KustomizationFact, image: &str) -> Option<(Shown, Evidence)> {
    let known = ImageRef::parse(Raw::new(image))?;
    let item = items(&overlay.document, "images")
        .find(|item| text(item, "name").is_some_and(|name| name == known.without_tag()))?;
    let name = text(item, "newName").unwrap_or(known.without_tag());
    let whole = match (text(item, "digest"), text(item, "newTag"), known.tag()) {
        (Some(digest), ..) => format!("{name}@{digest}"),
        (None, Some(tag), _) | (None, None, Some(tag)) => format!("{name}:{tag}"),
        (None, None, None) => name.to_owned(),
    };
    Some((
        judge::reference(&whole)?,
        Evidence::at(&overlay.path, item.line()),
    ))
}

#[cfg(test)]
mod tests {
    use crate::testing::inventory;

    const BASE: &str = "//- k8s/base/kustomization.yaml\nresources:\n  - api.yaml\n//- k8s/base/api.yaml\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: api\nspec:\n  replicas: 1\n  template:\n    spec:\n      containers:\n        - name: api\n          image: shop-api:latest\n";

    fn api(overlays: &str) -> (Option<String>, Option<u32>) {
        let found = inventory(&format!("{BASE}{overlays}"));
        let unit = found
            .stacks
            .iter()
            .flat_map(|stack| &stack.units)
            .find(|unit| unit.name == "api")
            .expect("the workload");
        (unit.image.as_ref().map(ToString::to_string), unit.replicas)
    }

    #[test]
    fn the_overlay_of_production_sets_image_and_replicas() {
        let production = "//- k8s/overlays/production/kustomization.yaml\nresources:\n  - ../../base\nimages:\n  - name: shop-api\n    newName: registry.example.com/shop/api\n    newTag: v4\nreplicas:\n  - name: api\n    count: 3\n";
        let development = "//- k8s/overlays/dev/kustomization.yaml\nresources:\n  - ../../base\nimages:\n  - name: shop-api\n    newTag: dev\n";
        assert_eq!(
            api(&format!("{production}{development}")),
            (Some("registry.example.com/shop/api:v4".to_owned()), Some(3))
        );
    }

    #[test]
    fn overlays_that_differ_leave_the_base_as_it_is() {
        let overlays = "//- k8s/overlays/eu/kustomization.yaml\nresources:\n  - ../../base\nimages:\n  - name: shop-api\n    newTag: v4\n//- k8s/overlays/us/kustomization.yaml\nresources:\n  - ../../base\nimages:\n  - name: shop-api\n    newTag: v5\n";
        assert_eq!(api(overlays), (Some("shop-api:latest".to_owned()), Some(1)));
    }

    #[test]
    fn overlays_that_name_each_other_end() {
        let overlays = "//- a/kustomization.yaml\nresources: [../b]\nimages:\n  - name: x\n    newTag: y\n//- b/kustomization.yaml\nresources: [../a]\n";
        assert_eq!(api(overlays).1, Some(1));
    }
}
